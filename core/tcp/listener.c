/* SPDX-License-Identifier: MIT */
/*
 * listener.c - Listeners and their two queues.
 *
 * The SYN queue counts half-open records, the accept queue holds established connections
 * nobody has accepted.  Both are bounded by L = min(backlog, net.core.somaxconn), and both
 * refuse when they are longer than L, so that each holds L + 1, as on Linux.  The sysctl
 * acts when the listener is made or told its backlog anew.
 *
 * A SYN finds its listener by port, then by the longest prefix that covers its destination:
 * a listener may stand on one address, on a prefix, or on everything.  Several may stand on
 * the same if all have SO_REUSEPORT.  Each of such a group has a weight for every 4-tuple, and
 * the heaviest gets it: so the choice is stable, and a member that comes or goes moves only
 * its own share (Linux moves others too).  A member that goes hands nothing over: what waits
 * in its queues is reset, as on Linux with net.ipv4.tcp_migrate_req=0.
 *
 * How long connections wait to be accepted is kept as a histogram, and the age of the oldest
 * can be asked for: a listener whose application has stopped accepting shows it.
 */
#include "core/tcp/tcp.h"

static uint32_t bucket_of(uint16_t port)
{
    return ((uint32_t)port * 2654435761u) >> 28;
}
_Static_assert(TCP_LISTEN_BUCKETS == 16, "bucket_of gives four bits");

uint32_t listener_lookup(const struct tcp *t, struct la_addr addr, uint16_t port)
{
    uint32_t best = SLAB_NONE;

    for (uint32_t li = t->listen_bucket[bucket_of(port)]; li != SLAB_NONE;
         li = listener_at(t, li)->chain_next) {
        const struct tcp_listener *l = listener_at(t, li);

        if (l->port != port || !addr_covered(&l->local, &addr))
            continue;
        if (l->v6_only && addr_is_v4(&addr))
            continue;
        if (best == SLAB_NONE || l->local.len > listener_at(t, best)->local.len)
            best = li;
    }
    return best;
}

static bool same_group(const struct tcp_listener *a, const struct tcp_listener *b)
{
    return a->port == b->port && a->local.len == b->local.len && a->v6_only == b->v6_only &&
           addr_equal(&a->local.addr, &b->local.addr);
}

/* Mixes well enough to be fair; the hash is keyed, so nobody outside can aim. */
static uint32_t weight(uint32_t hash, uint32_t li)
{
    uint32_t x = hash ^ (li + 1) * 0x9e3779b1u;

    x = (x ^ x >> 16) * 0x85ebca6bu;
    x = (x ^ x >> 13) * 0xc2b2ae35u;
    return x ^ x >> 16;
}

uint32_t listener_choose(const struct tcp *t, uint32_t li, uint32_t hash)
{
    const struct tcp_listener *const first = listener_at(t, li);
    uint32_t best = li;

    if (!first->reuse_port)
        return li;
    for (uint32_t i = first->chain_next; i != SLAB_NONE; i = listener_at(t, i)->chain_next)
        if (same_group(listener_at(t, i), first) && weight(hash, i) > weight(hash, best))
            best = i;
    return best;
}

void listener_drop(struct tcp *t, uint32_t li, bool overflow)
{
    struct tcp_listener *l = listener_at(t, li);

    env_count(&t->env, LA_COUNT_ListenDrops);
    l->drops++;
    if (overflow) {
        env_count(&t->env, LA_COUNT_ListenOverflows);
        l->overflows++;
    }
}

bool listener_on_port(const struct tcp *t, uint16_t port)
{
    for (uint32_t li = t->listen_bucket[bucket_of(port)]; li != SLAB_NONE;
         li = listener_at(t, li)->chain_next)
        if (listener_at(t, li)->port == port)
            return true;
    return false;
}

void listener_set_backlog(const struct tcp *t, struct tcp_listener *l, uint32_t backlog)
{
    l->backlog = backlog < t->env.knobs.somaxconn ? backlog : t->env.knobs.somaxconn;
}

bool listener_half_full(const struct tcp_listener *l)
{
    return l->half_len > l->backlog;
}

bool listener_accept_full(const struct tcp_listener *l)
{
    return l->accept_len > l->backlog;
}

uint32_t listener_mask(const struct tcp_listener *l)
{
    return l->accept_len > 0 ? LA_ACCEPTABLE : 0;
}

void listener_ready(struct tcp *t, uint32_t li)
{
    struct tcp_listener *l = listener_at(t, li);

    if (l->on_ready)
        return;
    l->on_ready = true;
    l->ready_next = SLAB_NONE;
    l->ready_prev = t->ready_listener_tail;
    if (t->ready_listener_tail == SLAB_NONE)
        t->ready_listener_head = li;
    else
        listener_at(t, t->ready_listener_tail)->ready_next = li;
    t->ready_listener_tail = li;
}

static void listener_unready(struct tcp *t, uint32_t li)
{
    struct tcp_listener *l = listener_at(t, li);

    if (!l->on_ready)
        return;
    l->on_ready = false;
    if (l->ready_prev == SLAB_NONE)
        t->ready_listener_head = l->ready_next;
    else
        listener_at(t, l->ready_prev)->ready_next = l->ready_next;
    if (l->ready_next == SLAB_NONE)
        t->ready_listener_tail = l->ready_prev;
    else
        listener_at(t, l->ready_next)->ready_prev = l->ready_prev;
}

void listener_accept_push(struct tcp *t, uint32_t li, uint32_t ci)
{
    struct tcp_listener *l = listener_at(t, li);
    struct tcp_conn *c = conn_at(t, ci);

    LA_ASSERT(c->listener == li);
    c->slot.link = SLAB_NONE;
    if (l->accept_tail == SLAB_NONE)
        l->accept_head = ci;
    else
        conn_at(t, l->accept_tail)->slot.link = ci;
    l->accept_tail = ci;
    l->accept_len++;
    if (l->accept_len > l->accept_max)
        l->accept_max = l->accept_len;
    listener_ready(t, li);
}

void settings_init(const struct tcp *t, struct tcp_settings *set)
{
    const struct env_knobs *k = &t->env.knobs;

    memset(set, 0, sizeof(*set));
    set->rcvbuf = k->rcvbuf & TCP_BUFFER_BITS;
    set->sndbuf = k->sndbuf & TCP_BUFFER_BITS;
    set->ttl = (uint8_t)k->default_ttl;
    setting_lowat_default(t, set);
}

enum la_err tcp_listen(struct tcp *t, const struct la_listen_config *config, la_listener_id *out)
{
    const uint32_t bucket = bucket_of(config->port);
    struct tcp_listener *l;
    uint32_t li;

    if (config->port == 0 || config->local.len > 128)
        return LA_EINVAL;
    for (li = t->listen_bucket[bucket]; li != SLAB_NONE; li = listener_at(t, li)->chain_next) {
        l = listener_at(t, li);
        if (l->port == config->port && l->local.len == config->local.len &&
            l->v6_only == config->v6_only && addr_equal(&l->local.addr, &config->local.addr) &&
            !(l->reuse_port && config->reuse_port))
            return LA_EADDRINUSE;
    }
    li = slab_take(&t->listeners, t);
    if (li == SLAB_NONE)
        return LA_ENOBUFS;
    l = listener_at(t, li);
    l->local = config->local;
    l->port = config->port;
    l->v6_only = config->v6_only;
    l->reuse_port = config->reuse_port;
    listener_set_backlog(t, l, config->backlog);
    l->user = config->user;
    l->accept_head = l->accept_tail = SLAB_NONE;
    l->ready_next = l->ready_prev = SLAB_NONE;
    settings_init(t, &l->set);
    l->chain_next = t->listen_bucket[bucket];
    t->listen_bucket[bucket] = li;
    out->bits = slab_handle(&t->listeners, t, li);
    return LA_OK;
}

static void unchain(struct tcp *t, uint32_t li)
{
    const struct tcp_listener *l = listener_at(t, li);
    uint32_t *at = &t->listen_bucket[bucket_of(l->port)];

    while (*at != li) {
        LA_ASSERT(*at != SLAB_NONE);
        at = &listener_at(t, *at)->chain_next;
    }
    *at = l->chain_next;
}

enum la_err tcp_listener_close(struct tcp *t, la_listener_id id)
{
    const uint32_t li = slab_find(&t->listeners, t, id.bits);
    struct tcp_listener *l;

    if (li == SLAB_NONE)
        return LA_EBADHANDLE;
    half_drop_listener(t, li);
    l = listener_at(t, li);
    LA_ASSERT(l->half_len == 0);
    while (l->accept_head != SLAB_NONE) {
        const uint32_t ci = l->accept_head;
        struct tcp_conn *c = conn_at(t, ci);

        l->accept_head = c->slot.link;
        c->slot.link = SLAB_NONE;
        c->listener = SLAB_NONE;
        if (c->state == LA_CLOSED)
            conn_release(t, ci); /* it ended while it waited */
        else
            tcp_reset(t, ci, LA_ECONNABORTED, LA_DROP_LISTENER_CLOSED);
    }
    listener_unready(t, li);
    unchain(t, li);
    slab_give(&t->listeners, t, li);
    return LA_OK;
}

/* Class of the histogram. */
static uint32_t wait_class(uint64_t wait_ns)
{
    uint64_t ms = wait_ns / NS_PER_MS;
    uint32_t class = 0;

    for (; ms > 0 && class < LA_ACCEPT_WAITS - 1; ms /= 2)
        class ++;
    return class;
}

enum la_err tcp_accept(struct tcp *t, la_listener_id id, uint64_t user, struct la_accepted *out)
{
    const uint32_t li = slab_find(&t->listeners, t, id.bits);
    struct tcp_listener *l;
    struct tcp_conn *c;
    uint32_t ci;

    if (li == SLAB_NONE)
        return LA_EBADHANDLE;
    l = listener_at(t, li);
    ci = l->accept_head;
    if (ci == SLAB_NONE)
        return LA_EAGAIN;
    c = conn_at(t, ci);
    l->accept_head = c->slot.link;
    if (l->accept_head == SLAB_NONE)
        l->accept_tail = SLAB_NONE;
    l->accept_len--;
    l->accepted++;
    l->starved_told = false;
    l->waits[wait_class(time_since(c->opened, t->env.now))]++;
    listener_ready(t, li);
    c->slot.link = SLAB_NONE;
    c->listener = SLAB_NONE;
    c->held = true;
    c->user = user;
    out->conn.bits = slab_handle(&t->conns, t, ci);
    out->local = (struct la_endpoint){ .addr = c->flow.laddr, .port = c->flow.lport };
    out->remote = (struct la_endpoint){ .addr = c->flow.raddr, .port = c->flow.rport };
    conn_ready(t, ci, true);
    return LA_OK;
}

/* TCP_DEFER_ACCEPT is kept as a number of SYN-ACKs, as on Linux: what @n of them take. */
static uint32_t defer_s(uint32_t n)
{
    return n <= 7 ? (1u << n) - 1 : 127 + 120 * (n - 7);
}

enum la_err listener_set_option(struct tcp *t, uint32_t li, enum la_option option, uint64_t value)
{
    struct tcp_listener *l = listener_at(t, li);
    uint32_t n = 0;

    if (option != LA_OPT_DEFER_ACCEPT)
        return tcp_setting_set(t, &l->set, option, value);
    if (value > INT32_MAX)
        return LA_EINVAL;
    while (n < UINT8_MAX && defer_s(n) < value)
        n++;
    l->defer = (uint8_t)n;
    return LA_OK;
}

enum la_err listener_get_option(const struct tcp *t, uint32_t li, enum la_option option,
                                uint64_t *value)
{
    const struct tcp_listener *l = listener_at(t, li);

    if (option != LA_OPT_DEFER_ACCEPT)
        return tcp_setting_get(t, &l->set, option, value);
    *value = defer_s(l->defer);
    return LA_OK;
}

void listener_info(const struct tcp *t, uint32_t li, struct la_listener_info *out)
{
    const struct tcp_listener *l = listener_at(t, li);

    *out = (struct la_listener_info){
        .accept_len = l->accept_len,
        .accept_max = l->accept_max,
        .half_len = l->half_len,
        .young_len = l->young_len,
        .acked_len = l->acked_len,
        .limit = l->backlog,
        .reuse_port = l->reuse_port,
        .cookies = cookie_recent(t, l),
        .accepted = l->accepted,
        .overflows = l->overflows,
        .drops = l->drops,
        .cookies_sent = l->cookies_sent,
        .cookies_recv = l->cookies_recv,
        .cookies_failed = l->cookies_failed,
    };
    if (l->accept_head != SLAB_NONE)
        out->oldest_wait_ns = time_since(conn_at(t, l->accept_head)->opened, t->env.now);
    for (uint32_t i = 0; i < LA_ACCEPT_WAITS; i++)
        out->waits[i] = l->waits[i];
}
