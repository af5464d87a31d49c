/* SPDX-License-Identifier: MIT */
/*
 * ready.c - Readiness: a pure function of state, told when it changes.
 *
 * A connection stands at most once on the list, whatever happens to it, so events cost
 * O(connections that have news).  New bytes and new errors count as news even when the mask
 * is the same: a reader that drains on each event misses nothing.
 */
#include "core/tcp/tcp.h"

/* TCP_NOTSENT_LOWAT: less than half of it is unsent, as on Linux, so that events do not come thick. */
static bool low_water(const struct tcp_conn *c)
{
    return c->set.notsent_lowat == 0 || conn_unsent(c) * UINT64_C(2) < setting_lowat(&c->set);
}

static bool readable(const struct tcp_conn *c)
{
    return c->rcvq.len_bytes > 0 || c->fin_received || c->rd_shut || c->error != 0 ||
           c->state == LA_CLOSED;
}

static bool writable(const struct tcp_conn *c)
{
    if (c->fin_queued || c->state == LA_CLOSED)
        return true; /* a write does not block: it fails */
    return in(c, S(ESTABLISHED) | S(CLOSE_WAIT)) && !c->starved &&
           c->sndq.len_bytes + c->set.sndbuf / 3u <= c->set.sndbuf && low_water(c);
}

void conn_drained(struct tcp_conn *c)
{
    if (!readable(c))
        c->mask &= (uint16_t)~LA_READABLE;
}

void conn_filled(struct tcp_conn *c)
{
    if (!writable(c))
        c->mask &= (uint16_t)~LA_WRITABLE;
}

uint32_t conn_mask(const struct tcp *t, const struct tcp_conn *c)
{
    uint32_t mask = (readable(c) ? LA_READABLE : 0u) | (writable(c) ? LA_WRITABLE : 0u);

    (void)t;
    if (c->established)
        mask |= LA_CONNECTED;
    if (c->fin_received)
        mask |= LA_PEER_CLOSED;
    if (c->urgent)
        mask |= LA_URGENT;
    if (c->state == LA_FIN_WAIT_2)
        mask |= LA_FIN_ACKED;
    if (c->error != 0)
        mask |= LA_ERROR_SET;
    if (c->state == LA_CLOSED)
        mask |= LA_HANGUP;
    return mask;
}

void conn_ready(struct tcp *t, uint32_t ci, bool news)
{
    struct tcp_conn *c = conn_at(t, ci);

    if (!c->held || c->on_ready || (!news && conn_mask(t, c) == c->mask))
        return;
    c->on_ready = true;
    c->ready_next = SLAB_NONE;
    c->ready_prev = t->ready_tail;
    if (t->ready_tail == SLAB_NONE)
        t->ready_head = ci;
    else
        conn_at(t, t->ready_tail)->ready_next = ci;
    t->ready_tail = ci;
}

void conn_unready(struct tcp *t, uint32_t ci)
{
    struct tcp_conn *c = conn_at(t, ci);

    if (!c->on_ready)
        return;
    c->on_ready = false;
    if (c->ready_prev == SLAB_NONE)
        t->ready_head = c->ready_next;
    else
        conn_at(t, c->ready_prev)->ready_next = c->ready_next;
    if (c->ready_next == SLAB_NONE)
        t->ready_tail = c->ready_prev;
    else
        conn_at(t, c->ready_next)->ready_prev = c->ready_prev;
}

/* A send met an empty pool: the connection is told when there is room again. */
void conn_starve(struct tcp *t, uint32_t ci)
{
    struct tcp_conn *c = conn_at(t, ci);

    if (c->starved)
        return;
    LA_ASSERT(c->listener == SLAB_NONE); /* slot.link is free */
    c->starved = true;
    c->slot.link = SLAB_NONE;
    c->starved_prev = t->starved_tail;
    if (t->starved_tail == SLAB_NONE)
        t->starved_head = ci;
    else
        conn_at(t, t->starved_tail)->slot.link = ci;
    t->starved_tail = ci;
}

void conn_unstarve(struct tcp *t, uint32_t ci)
{
    struct tcp_conn *c = conn_at(t, ci);

    if (!c->starved)
        return;
    const uint32_t prev = c->starved_prev;

    c->starved = false;
    c->listener = SLAB_NONE;
    if (prev == SLAB_NONE)
        t->starved_head = c->slot.link;
    else
        conn_at(t, prev)->slot.link = c->slot.link;
    if (c->slot.link == SLAB_NONE)
        t->starved_tail = prev;
    else
        conn_at(t, c->slot.link)->starved_prev = prev;
    c->slot.link = SLAB_NONE;
}

/* As many of those that wait as the pool has chunks for, oldest first. */
void tcp_feed_starved(struct tcp *t)
{
    uint32_t room = chunks_room_to_send(&t->env.chunks);

    for (; room > 0 && t->starved_head != SLAB_NONE; room--) {
        const uint32_t ci = t->starved_head;

        conn_unstarve(t, ci);
        conn_ready(t, ci, true);
    }
}

static uint32_t listener_events(struct tcp *t, struct la_event *out, uint32_t max)
{
    uint32_t n = 0;

    while (n < max && t->ready_listener_head != SLAB_NONE) {
        const uint32_t li = t->ready_listener_head;
        struct tcp_listener *l = listener_at(t, li);

        t->ready_listener_head = l->ready_next;
        if (l->ready_next == SLAB_NONE)
            t->ready_listener_tail = SLAB_NONE;
        else
            listener_at(t, l->ready_next)->ready_prev = SLAB_NONE;
        l->on_ready = false;
        out[n] = (struct la_event){
            .kind = LA_EVENT_LISTENER,
            .mask = listener_mask(l),
            .user = l->user,
        };
        out[n].listener.bits = slab_handle(&t->listeners, t, li);
        l->mask = (uint8_t)out[n].mask;
        n++;
    }
    return n;
}

uint32_t tcp_events(struct tcp *t, struct la_event *out, uint32_t max)
{
    uint32_t n = listener_events(t, out, max);

    if (t->findings.pending != 0 && n < max) {
        out[n++] = (struct la_event){ .kind = LA_EVENT_FINDING, .mask = t->findings.pending };
        t->findings.pending = 0;
    }
    tcp_feed_starved(t);
    while (n < max && t->ready_head != SLAB_NONE) {
        const uint32_t ci = t->ready_head;
        struct tcp_conn *c = conn_at(t, ci);

        conn_unready(t, ci);
        c->mask = (uint16_t)conn_mask(t, c);
        out[n] = (struct la_event){
            .kind = LA_EVENT_CONN,
            .mask = c->mask,
            .user = c->user,
            .reason = (enum la_drop)c->reason,
        };
        out[n].conn.bits = slab_handle(&t->conns, t, ci);
        n++;
    }
    return n;
}
