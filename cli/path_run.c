/* SPDX-License-Identifier: MIT */
/*
 * path_run.c - The emulator: reads a packet, asks sim/path.h for its fate, hands it on in time.
 *
 * A packet lies in one slot from its read until its last copy is written.  What is under way stands
 * in a binary heap by time of arrival, and among equal times in order of decision.  Slots are taken
 * from the top of a stack of free ones, so that a short path stays in the processor's caches.
 *
 * The process sleeps in ppoll() until the next arrival, to the nanosecond: its timer slack is set to
 * the least there is.  A delivery that is late does not make later ones late: each has its time from
 * the path, not from its predecessor.
 */
#include "cli/path.h"

#include "cli/args.h"
#include "drivers/pcapng.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define SLOTS 131072u          /* 500 Mbit/s for 3 s, in packets of 1,500 bytes */
#define READS_AT_ONCE 32u      /* of one device, before arrivals are looked at again */
#define PATIENCE_NS 100000000u /* a signal that comes just before a sleep waits so long */
#define NEVER UINT64_MAX

struct slot {
    uint32_t len_bytes;
    uint32_t copies; /* still to be written */
};

struct due {
    uint64_t at_ns, number;
    uint32_t slot, way;
};

struct emulator {
    const struct path_plan *plan;
    struct path_counts *counts;
    struct path_way way[2];
    struct sim_prng rng[2];
    struct pcapng *pcap;
    uint64_t wall_offset_ns, number;
    struct due *heap; /* twice SLOTS: every packet may be doubled */
    uint32_t heap_len, free_len;
    uint32_t *free;
    struct slot *slots;
    uint8_t *bytes;
    size_t stride_bytes;
};

static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
    (void)number;
    stopped = 1;
}

static uint64_t clock_ns(clockid_t clock)
{
    struct timespec ts;

    clock_gettime(clock, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* What is under way ----------------------------------------------------------------- */

static bool sooner(const struct due *a, const struct due *b)
{
    return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->number < b->number;
}

static void heap_add(struct emulator *e, struct due d)
{
    uint32_t i = e->heap_len++;

    while (i > 0 && sooner(&d, &e->heap[(i - 1) / 2])) {
        e->heap[i] = e->heap[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    e->heap[i] = d;
}

static struct due heap_take(struct emulator *e)
{
    const struct due first = e->heap[0];
    const struct due last = e->heap[--e->heap_len];
    uint32_t i = 0;

    for (uint32_t child = 1; child < e->heap_len; child = 2 * i + 1) {
        if (child + 1 < e->heap_len && sooner(&e->heap[child + 1], &e->heap[child]))
            child++;
        if (!sooner(&e->heap[child], &last))
            break;
        e->heap[i] = e->heap[child];
        i = child;
    }
    e->heap[i] = last;
    return first;
}

static void deliver(struct emulator *e, uint64_t now_ns)
{
    const struct due d = heap_take(e);
    struct path_counts *c = &e->counts[d.way];
    struct slot *s = &e->slots[d.slot];

    if (write(e->plan->fds[1 - d.way], e->bytes + d.slot * e->stride_bytes, s->len_bytes) < 0)
        c->refused++;
    else
        c->delivered++;
    if (now_ns - d.at_ns > c->late_ns)
        c->late_ns = now_ns - d.at_ns;
    if (--s->copies == 0)
        e->free[e->free_len++] = d.slot;
}

/* Entering -------------------------------------------------------------------------- */

static void show(struct emulator *e, uint32_t way, uint64_t now_ns, const struct path_fate *f,
                 const uint8_t *bytes, uint32_t len_bytes)
{
    char text[160];

    if (e->pcap == NULL)
        return;
    if (f->what & PATH_GONE)
        snprintf(text, sizeof text, "%s",
                 f->what & PATH_LOST       ? "lost"
                 : f->what & PATH_OVERFLOW ? "dropped: the queue is full"
                                           : "dropped: longer than the MTU");
    else
        snprintf(text, sizeof text, "arrives %.6f s later%s%s%s",
                 (double)(f->at_ns[f->copies - 1] - now_ns) * 1e-9,
                 f->what & PATH_DUPLICATED ? "; twice" : "",
                 f->what & PATH_REORDERED ? "; out of turn" : "",
                 f->what & PATH_MARKED ? "; marked CE" : "");
    pcapng_packet(e->pcap, now_ns + e->wall_offset_ns, way == 0, bytes, len_bytes, text);
}

static void count(struct path_counts *c, const struct path_fate *f, uint32_t len_bytes)
{
    c->packets++;
    c->bytes += len_bytes;
    c->lost += (f->what & PATH_LOST) != 0;
    c->overflowed += (f->what & PATH_OVERFLOW) != 0;
    c->too_big += (f->what & PATH_TOO_BIG) != 0;
    c->duplicated += (f->what & PATH_DUPLICATED) != 0;
    c->reordered += (f->what & PATH_REORDERED) != 0;
    c->marked += (f->what & PATH_MARKED) != 0;
}

/* The packet read into the topmost free slot. */
static void enter(struct emulator *e, uint32_t way, uint64_t now_ns, uint32_t len_bytes)
{
    const uint32_t slot = e->free[e->free_len - 1];
    uint8_t *bytes = e->bytes + slot * e->stride_bytes;
    const struct path_fate f = path_enter(&e->plan->way[way], &e->way[way], &e->rng[way], now_ns,
                                          len_bytes, path_markable(bytes, len_bytes));

    count(&e->counts[way], &f, len_bytes);
    if (f.what & PATH_MARKED)
        path_mark(bytes);
    show(e, way, now_ns, &f, bytes, len_bytes);
    if (f.copies == 0)
        return;
    e->slots[slot] = (struct slot){ .len_bytes = len_bytes, .copies = f.copies };
    e->free_len--;
    for (uint32_t i = 0; i < f.copies; i++)
        heap_add(e, (struct due){ f.at_ns[i], e->number++, slot, way });
}

/* Return: whether there was anything to read. */
static bool read_some(struct emulator *e, uint32_t way, uint64_t now_ns)
{
    static uint8_t nowhere[65536];
    uint32_t n = 0;

    for (; n < READS_AT_ONCE; n++) {
        const bool room = e->free_len > 0;
        uint8_t *to = room ? e->bytes + e->free[e->free_len - 1] * e->stride_bytes : nowhere;
        const ssize_t len = read(e->plan->fds[way], to, room ? e->stride_bytes : sizeof nowhere);
        if (len <= 0)
            break;
        if (room)
            enter(e, way, now_ns, (uint32_t)len);
        else
            e->counts[way].no_room++;
    }
    return n > 0;
}

/* The loop -------------------------------------------------------------------------- */

/* Wait for a packet or until the next arrival; no longer than a signal may go unseen. */
static void wait_until(const struct emulator *e, uint64_t now_ns, uint64_t end_ns)
{
    struct pollfd fds[2] = { { .fd = e->plan->fds[0], .events = POLLIN },
                             { .fd = e->plan->fds[1], .events = POLLIN } };
    const uint64_t due_ns = e->heap_len > 0 ? e->heap[0].at_ns : NEVER;
    const uint64_t at_ns = due_ns < end_ns ? due_ns : end_ns;
    const uint64_t left_ns = at_ns > now_ns ? at_ns - now_ns : 0;
    const struct timespec ts = { .tv_nsec = (long)(left_ns < PATIENCE_NS ? left_ns : PATIENCE_NS) };

    (void)ppoll(fds, 2, &ts, NULL);
}

static void carry(struct emulator *e)
{
    uint64_t now_ns = clock_ns(CLOCK_MONOTONIC);
    const uint64_t end_ns = e->plan->for_ns != 0 ? now_ns + e->plan->for_ns : NEVER;

    while (!stopped && now_ns < end_ns) {
        while (e->heap_len > 0 && e->heap[0].at_ns <= now_ns) {
            deliver(e, now_ns);
            now_ns = clock_ns(CLOCK_MONOTONIC);
        }
        bool busy = read_some(e, 0, now_ns);
        now_ns = clock_ns(CLOCK_MONOTONIC);
        busy |= read_some(e, 1, now_ns);
        now_ns = clock_ns(CLOCK_MONOTONIC);
        if (!busy && (e->heap_len == 0 || e->heap[0].at_ns > now_ns)) {
            wait_until(e, now_ns, end_ns);
            now_ns = clock_ns(CLOCK_MONOTONIC);
        }
    }
}

static void be_punctual(const struct path_plan *plan)
{
    const struct sched_param first = { .sched_priority = 1 };

    (void)prctl(PR_SET_TIMERSLACK, 1ul, 0ul, 0ul, 0ul);
    if (plan->realtime && sched_setscheduler(0, SCHED_FIFO, &first) != 0)
        fprintf(stderr, "lastack path: no realtime priority: %s\n", strerror(errno));
}

static bool catch_signals(void)
{
    const struct sigaction act = { .sa_handler = on_signal };

    stopped = 0;
    return sigaction(SIGINT, &act, NULL) == 0 && sigaction(SIGTERM, &act, NULL) == 0;
}

/* Return: false if there is no memory. */
static bool prepare(struct emulator *e)
{
    e->stride_bytes = ((size_t)e->plan->mtu_bytes + 63) / 64 * 64;
    e->heap = calloc(2 * (size_t)SLOTS, sizeof *e->heap);
    e->free = calloc(SLOTS, sizeof *e->free);
    e->slots = calloc(SLOTS, sizeof *e->slots);
    e->bytes = mmap(NULL, (size_t)SLOTS * e->stride_bytes, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    for (uint32_t way = 0; way < 2; way++) {
        sim_prng_seed(&e->rng[way], sim_mix(e->plan->seed + way));
        e->way[way].left_ns = calloc(e->plan->way[way].queue_packets + 1u, sizeof(uint64_t));
        if (e->way[way].left_ns == NULL)
            return false;
    }
    if (e->heap == NULL || e->free == NULL || e->slots == NULL || e->bytes == MAP_FAILED)
        return false;
    while (e->free_len < SLOTS) {
        e->free[e->free_len] = SLOTS - 1 - e->free_len;
        e->free_len++;
    }
    return true;
}

static void release(struct emulator *e)
{
    if (e->bytes != NULL && e->bytes != MAP_FAILED)
        munmap(e->bytes, SLOTS * e->stride_bytes);
    free(e->heap);
    free(e->free);
    free(e->slots);
    free(e->way[0].left_ns);
    free(e->way[1].left_ns);
}

int path_run(const struct path_plan *plan, struct path_counts out[2])
{
    struct emulator e = { .plan = plan, .counts = out };
    int status = CLI_OK;
    char error[256];

    memset(out, 0, 2 * sizeof *out);
    e.wall_offset_ns = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_MONOTONIC);
    if (plan->pcap != NULL && (e.pcap = pcapng_open(plan->pcap, error, sizeof error)) == NULL)
        return args_failed("path", "--pcap: %s", error);
    if (e.pcap != NULL && plan->snap_bytes != 0)
        pcapng_snap(e.pcap, plan->snap_bytes);
    if (!prepare(&e) || !catch_signals()) {
        status = args_failed("path", "out of memory");
    } else {
        be_punctual(plan);
        carry(&e);
    }
    if (!pcapng_close(e.pcap))
        status = args_failed("path", "--pcap %s: %s", plan->pcap, strerror(errno));
    release(&e);
    return status;
}
