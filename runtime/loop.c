/* SPDX-License-Identifier: MIT */
/*
 * loop.c - One shard: turn, sleep, turn.
 *
 * A turn is: learn the time once; take at most LA_RX_BURST_MAX packets from each device
 * that has some; let timers fire; tell the application; send what is due.  Then sleep
 * until the earliest of la_deadline(), la_rt_wake_at(), a packet or a watched descriptor.
 *
 * Why it neither spins nor oversleeps: a turn that left something undone (a full burst,
 * timers over budget, an event that came out of sending) says so and the next one does
 * not sleep; everything else that could need a turn is a descriptor in the epoll set or a
 * deadline.  Descriptors are level-triggered, so a burst cut short is offered again.
 *
 * Back-pressure: a descriptor of la_tx() is valid only until the next call on its stack.
 * When the device is full, what was already taken is copied aside, the stack is not asked
 * for more, and the loop waits for EPOLLOUT.  Time to live and order are thus kept, and
 * the congestion window, not this queue, decides how much is outstanding.
 *
 * A turn that must not sleep has nothing to learn from epoll but what the application watches,
 * and signals: so while a device has more to give, only one turn in POLL_EVERY asks.
 *
 * Segments of one flow that a plain device gave one behind the other are merged here
 * (drivers/gro.c) and not with a capture, which shows packets as they crossed the device.
 *
 * Waking up: epoll_pwait2() takes nanoseconds.  Where a kernel or a sandbox lacks it,
 * epoll_wait() is used with the time rounded up to a millisecond: late, never early, so
 * it can not spin either.
 */
#include "runtime/loop.h"

#include "drivers/gro.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* What an epoll entry stands for: a host's device, the signals, or a watch. */
#define TAG_SIGNALS 0xffffu
#define TAG_WATCH 0x100u

/* Rounds of events in one turn; more wait for the next turn, which will not sleep. */
#define EVENT_ROUNDS_MAX 8
#define POLL_EVERY 16
#define TICK_ROUNDS_MAX 8
#define TICK_BUDGET 256
#define VIRTUAL_TURN_NS 100000 /* a wire has some delay: 0.1 ms each way */

struct la_rt_loop *la_rt_loop_new(uint32_t flags)
{
    struct la_rt_loop *l = calloc(1, sizeof *l);
    if (l == NULL)
        return NULL;
    l->flags = flags;
    l->signal_fd = -1;
    l->wake_at = LA_TIME_NEVER;
    l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (l->epoll_fd < 0) {
        free(l);
        return NULL;
    }
    if (flags & LA_RT_SIGNALS) {
        sigset_t set;
        sigemptyset(&set);
        sigaddset(&set, SIGINT);
        sigaddset(&set, SIGTERM);
        pthread_sigmask(SIG_BLOCK, &set, &l->old_mask);
        l->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
        struct epoll_event ev = { .events = EPOLLIN, .data.u32 = TAG_SIGNALS };
        if (l->signal_fd < 0 || epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, l->signal_fd, &ev) != 0) {
            la_rt_loop_free(l);
            return NULL;
        }
    }
    l->wall_offset_ns = la_rt_wallclock_ns() - la_rt_now().ns;
    l->now = la_rt_now();
    l->cpu_features = la_rt_cpu_features();
    return l;
}

static void forget(struct loop_host *h)
{
    free(h->held);
    free(h->sent);
    *h = (struct loop_host){ 0 };
}

void la_rt_loop_free(struct la_rt_loop *l)
{
    if (l == NULL)
        return;
    for (uint32_t i = 0; i < l->host_count; i++)
        forget(&l->hosts[i]);
    if (l->signal_fd >= 0)
        close(l->signal_fd);
    if (l->flags & LA_RT_SIGNALS)
        pthread_sigmask(SIG_SETMASK, &l->old_mask, NULL);
    close(l->epoll_fd);
    free(l);
}

int la_rt_loop_add(struct la_rt_loop *l, const struct la_rt_host *host)
{
    if (l->host_count == LA_RT_HOSTS_MAX)
        return -ENOSPC;
    struct loop_host *h = &l->hosts[l->host_count];
    h->pub = *host;
    h->held = malloc((size_t)LOOP_TX_BATCH * LOOP_PACKET_MAX); /* touched only when held */
    if (host->on_packet != NULL)
        h->sent = calloc(LOOP_SENT_RECORDS, sizeof *h->sent);
    if (h->held == NULL || (host->on_packet != NULL && h->sent == NULL)) {
        forget(h);
        return -ENOMEM;
    }
    if (host->driver->fd >= 0) {
        struct epoll_event ev = { .events = EPOLLIN, .data.u32 = l->host_count };
        if (epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, host->driver->fd, &ev) != 0) {
            const int err = errno;
            forget(h);
            return -err;
        }
    }
    const la_time born = la_now(host->stack);
    if (born.ns > l->now.ns)
        l->now = born;
    l->host_count++;
    return 0;
}

int la_rt_watch(struct la_rt_loop *l, int fd, uint32_t events,
                void (*on_ready)(void *context, la_time now, uint32_t events), void *context)
{
    uint32_t at = 0;
    while (at < LOOP_WATCHES_MAX && !(l->watches[at].used && l->watches[at].fd == fd))
        at++;
    const bool known = at < LOOP_WATCHES_MAX;
    if (!known) {
        for (at = 0; at < LOOP_WATCHES_MAX && l->watches[at].used; at++)
            ;
        if (at == LOOP_WATCHES_MAX)
            return -ENOSPC;
    }
    struct epoll_event ev = { .events = events, .data.u32 = TAG_WATCH + at };
    if (epoll_ctl(l->epoll_fd, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &ev) != 0)
        return -errno;
    l->watches[at] = (struct loop_watch){ true, fd, on_ready, context };
    return 0;
}

void la_rt_unwatch(struct la_rt_loop *l, int fd)
{
    for (uint32_t i = 0; i < LOOP_WATCHES_MAX; i++) {
        if (!l->watches[i].used || l->watches[i].fd != fd)
            continue;
        l->watches[i].used = false;
        (void)epoll_ctl(l->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
    }
}

void la_rt_loop_on_sleep(struct la_rt_loop *l, void (*before)(void *context),
                         void (*after)(void *context), void *context)
{
    l->before_sleep = before;
    l->after_sleep = after;
    l->sleep_context = context;
}

void la_rt_wake_at(struct la_rt_loop *l, la_time at)
{
    if (at.ns < l->wake_at.ns)
        l->wake_at = at;
}

la_time la_rt_loop_now(const struct la_rt_loop *l)
{
    return l->now;
}

void la_rt_stop(struct la_rt_loop *l)
{
    l->stop = true;
}

void la_rt_loop_stats(const struct la_rt_loop *l, struct la_rt_loop_stats *out)
{
    *out = l->stats;
}

static void end(struct la_rt_loop *l, int result)
{
    l->stop = true;
    if (l->result == 0)
        l->result = result;
}

static void learn_time(struct la_rt_loop *l)
{
    if (l->flags & LA_RT_VIRTUAL_TIME) {
        l->now.ns += VIRTUAL_TURN_NS;
        return;
    }
    const la_time now = la_rt_now();
    if (now.ns > l->now.ns)
        l->now = now;
}

/* Receive ---------------------------------------------------------------------- */

static void receive(struct la_rt_loop *l, struct loop_host *h)
{
    struct la_frame frames[LA_RX_BURST_MAX];
    struct la_rt_driver *driver = h->pub.driver;
    const int got = driver->receive(driver->self, frames, LA_RX_BURST_MAX);

    l->stats.device_calls++;
    if (got < 0) {
        end(l, got);
        return;
    }
    uint32_t count = (uint32_t)got;
    l->stats.packets_in += count;
    for (uint32_t i = 0; i < count; i++)
        l->stats.bytes_in += frames[i].len_bytes;
    h->more = driver->more || count == LA_RX_BURST_MAX || (count > 0 && driver->fd < 0);
    if (driver->merges && h->pub.on_packet == NULL && count > 1) {
        const uint32_t merged = gro_merge(l->cpu_features, frames, count);
        l->stats.packets_merged += count - merged;
        count = merged;
    }
    for (uint32_t i = 0; i < count; i++)
        frames[i].iface = (uint16_t)h->pub.iface;
    if (count > 0) {
        if (h->pub.on_packet != NULL)
            loop_receive_captured(l, h, frames, count);
        else
            la_rx(h->pub.stack, l->now, frames, count);
        loop_read_trace(l, h);
    }
    l->undone |= h->more;
}

/* Send ------------------------------------------------------------------------- */

/* Return: false if the device has no room. */
static bool send_one(struct la_rt_loop *l, struct loop_host *h, const struct la_tx *tx)
{
    const int sent = h->pub.driver->send(h->pub.driver->self, tx);

    l->stats.device_calls++;
    if (sent == 0) {
        l->stats.device_full++;
        return false;
    }
    if (sent < 0)
        l->stats.packets_lost++; /* retransmission repairs what must be repaired */
    if (sent > 0) {
        l->stats.packets_out++;
        l->stats.bytes_out += tx->len_bytes;
    }
    return true;
}

static void want_room(struct la_rt_loop *l, struct loop_host *h, bool want)
{
    if (h->pub.driver->fd < 0) {
        l->undone |= want; /* the other end drains it within a turn */
        return;
    }
    if (want == h->waits_for_room)
        return;
    struct epoll_event ev = { .events = want ? (EPOLLIN | EPOLLOUT) : EPOLLIN,
                              .data.u32 = (uint32_t)(h - l->hosts) };
    if (epoll_ctl(l->epoll_fd, EPOLL_CTL_MOD, h->pub.driver->fd, &ev) != 0)
        end(l, -errno);
    h->waits_for_room = want;
}

/* Copy aside what was taken from the stack and the device did not take. */
static void hold(struct loop_host *h, uint32_t from, uint32_t count)
{
    h->held_first = 0;
    h->held_count = 0;
    for (uint32_t i = from; i < count; i++) {
        uint8_t *slot = h->held + (size_t)h->held_count * LOOP_PACKET_MAX;
        h->held_len[h->held_count] = la_tx_copy(&h->tx[i], slot, LOOP_PACKET_MAX);
        h->held_like[h->held_count] = h->tx[i];
        h->held_count++;
    }
}

/* Return: true if nothing is held any more. */
static bool send_held(struct la_rt_loop *l, struct loop_host *h)
{
    while (h->held_first < h->held_count) {
        const uint8_t *slot = h->held + (size_t)h->held_first * LOOP_PACKET_MAX;
        struct la_tx tx;
        loop_flat(&h->held_like[h->held_first], slot, h->held_len[h->held_first], &tx);
        if (!send_one(l, h, &tx))
            return false;
        h->held_first++;
    }
    return true;
}

static void transmit(struct la_rt_loop *l, struct loop_host *h)
{
    const uint32_t batch = h->pub.on_packet != NULL ? 1 : LOOP_TX_BATCH;

    if (!send_held(l, h)) {
        want_room(l, h, true);
        return;
    }
    for (;;) {
        const uint32_t count = la_tx(h->pub.stack, l->now, h->tx, batch);
        if (count == 0)
            break;
        if (h->pub.on_packet != NULL)
            loop_capture_sent(l, h);
        for (uint32_t i = 0; i < count; i++) {
            if (send_one(l, h, &h->tx[i]))
                continue;
            hold(h, i, count);
            want_room(l, h, true);
            loop_read_trace(l, h);
            return;
        }
        loop_read_trace(l, h);
        l->undone |= h->pub.driver->fd < 0;
    }
    want_room(l, h, false);
}

/* Timers and events ------------------------------------------------------------ */

/* Misuse that only time shows is looked for once a second, a slice at a time. */
#define SCAN_EVERY_NS UINT64_C(1000000000)
#define SCAN_SLOTS 4096
/* While there are connections, sleep is no longer than this: for that look. */
#define SCAN_SLEEP_NS UINT64_C(10000000000)

static void tick(struct la_rt_loop *l, struct loop_host *h)
{
    if (l->now.ns - h->scanned.ns >= SCAN_EVERY_NS) {
        h->scanned = l->now;
        (void)la_findings_scan(h->pub.stack, l->now, SCAN_SLOTS);
    }
    for (int i = 0; la_tick(h->pub.stack, l->now, TICK_BUDGET); i++) {
        if (i == TICK_ROUNDS_MAX) {
            l->undone = true;
            break;
        }
    }
    loop_read_trace(l, h);
}

/* Return: how many there were. */
static uint32_t tell_events(struct la_rt_loop *l, struct loop_host *h)
{
    struct la_event events[64];
    const uint32_t count = la_events(h->pub.stack, events, 64);

    for (uint32_t i = 0; i < count; i++)
        if (h->pub.on_event != NULL)
            h->pub.on_event(h->pub.context, l->now, &events[i]);
    return count;
}

static void tell(struct la_rt_loop *l, struct loop_host *h)
{
    for (int i = 0; tell_events(l, h) > 0; i++) {
        if (i == EVENT_ROUNDS_MAX) {
            l->undone = true;
            break;
        }
    }
    if (h->pub.on_turn != NULL)
        h->pub.on_turn(h->pub.context, l->now);
    loop_read_trace(l, h);
}

/* Sleep ------------------------------------------------------------------------ */

static la_time earliest(struct la_rt_loop *l)
{
    la_time at = l->wake_at;
    for (uint32_t i = 0; i < l->host_count; i++) {
        const la_time d = la_deadline(l->hosts[i].pub.stack);
        if (d.ns < at.ns)
            at = d;
        if (!(l->flags & LA_RT_VIRTUAL_TIME) && at.ns > l->now.ns + SCAN_SLEEP_NS &&
            la_table_use(l->hosts[i].pub.stack, LA_TABLE_CONNECTIONS).used > 0)
            at.ns = l->now.ns + SCAN_SLEEP_NS;
    }
    return at;
}

static int poll_fds(struct la_rt_loop *l, struct epoll_event *out, int max, bool forever,
                    uint64_t wait_ns)
{
    if (!l->no_pwait2) {
        const struct timespec ts = { (time_t)(wait_ns / 1000000000u),
                                     (long)(wait_ns % 1000000000u) };
        const int n = epoll_pwait2(l->epoll_fd, out, max, forever ? NULL : &ts, NULL);
        if (n >= 0 || (errno != ENOSYS && errno != EPERM))
            return n;
        l->no_pwait2 = true;
    }
    const uint64_t ms = wait_ns / 1000000u + (wait_ns % 1000000u != 0);
    return epoll_wait(l->epoll_fd, out, max, forever ? -1 : (int)(ms > 60000u ? 60000u : ms));
}

static void ready(struct la_rt_loop *l, const struct epoll_event *ev)
{
    const uint32_t tag = ev->data.u32;

    if (tag == TAG_SIGNALS) {
        struct signalfd_siginfo info;
        if (read(l->signal_fd, &info, sizeof info) == (ssize_t)sizeof info)
            end(l, (int)info.ssi_signo);
    } else if (tag >= TAG_WATCH) {
        const struct loop_watch w = l->watches[tag - TAG_WATCH];
        if (w.used)
            w.on_ready(w.context, l->now, ev->events);
    } else if (tag < l->host_count) {
        l->hosts[tag].readable = true;
    }
}

/* When its time has come on_turn() is called, and arms it again if it wants. */
static void forget_wake(struct la_rt_loop *l)
{
    if (l->now.ns >= l->wake_at.ns)
        l->wake_at = LA_TIME_NEVER;
}

/* Is a turn of work certain, and nobody waits for this thread to let go? */
static bool may_skip_poll(struct la_rt_loop *l)
{
    bool more = false;

    for (uint32_t i = 0; i < l->host_count; i++)
        more |= l->hosts[i].more;
    return more && l->before_sleep == NULL && !(l->flags & LA_RT_VIRTUAL_TIME) &&
           ++l->unpolled < POLL_EVERY;
}

static void wait_for_something(struct la_rt_loop *l, bool may_sleep)
{
    struct epoll_event events[LOOP_WATCHES_MAX + LA_RT_HOSTS_MAX + 1];

    if (!may_sleep && may_skip_poll(l)) {
        learn_time(l);
        forget_wake(l);
        return;
    }
    l->unpolled = 0;
    const la_time at = may_sleep ? earliest(l) : l->now;
    bool forever = at.ns == UINT64_MAX;
    uint64_t wait_ns = at.ns > l->now.ns ? at.ns - l->now.ns : 0;

    if ((l->flags & LA_RT_VIRTUAL_TIME) && may_sleep) {
        bool waits_for_fd = false;
        for (uint32_t i = 0; i < LOOP_WATCHES_MAX; i++)
            waits_for_fd |= l->watches[i].used;
        if (forever && !waits_for_fd)
            end(l, -EDEADLK);
        if (!forever && wait_ns > 0)
            l->now = at;
        forever &= waits_for_fd;
        wait_ns = 0;
    } else if (!(l->flags & LA_RT_VIRTUAL_TIME) && wait_ns > 0 && !forever) {
        /* The turn took time of its own: sleep only for the rest. */
        const la_time now = la_rt_now();
        wait_ns = at.ns > now.ns ? at.ns - now.ns : 0;
    }
    l->stats.sleeps += forever || wait_ns > 0;
    if (l->before_sleep != NULL)
        l->before_sleep(l->sleep_context);
    const int n = poll_fds(l, events, (int)(sizeof events / sizeof events[0]), forever, wait_ns);
    const int poll_errno = errno;
    if (l->after_sleep != NULL)
        l->after_sleep(l->sleep_context);
    errno = poll_errno;
    if (n < 0 && errno != EINTR)
        end(l, -errno);
    learn_time(l);
    forget_wake(l);
    for (int i = 0; i < n; i++)
        ready(l, &events[i]);
}

static void turn(struct la_rt_loop *l)
{
    const bool may_sleep = !l->undone;

    l->undone = false;
    l->stats.turns++;
    wait_for_something(l, may_sleep);
    for (uint32_t i = 0; i < l->host_count; i++) {
        struct loop_host *h = &l->hosts[i];
        if (h->readable || h->more || h->pub.driver->fd < 0)
            receive(l, h);
        h->readable = false;
    }
    for (uint32_t i = 0; i < l->host_count; i++) {
        struct loop_host *h = &l->hosts[i];
        tick(l, h);
        tell(l, h);
        transmit(l, h);
        if (tell_events(l, h) > 0) /* sending changed a state */
            l->undone = true;
    }
}

int la_rt_run(struct la_rt_loop *l)
{
    l->stop = false;
    l->result = 0;
    l->undone = true; /* the application may have done things before: look before sleeping */
    while (!l->stop)
        turn(l);
    return l->result;
}

void la_rt_flush(struct la_rt_loop *l)
{
    learn_time(l);
    for (uint32_t i = 0; i < l->host_count; i++) {
        transmit(l, &l->hosts[i]);
        loop_read_trace(l, &l->hosts[i]);
    }
}
