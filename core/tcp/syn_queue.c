/* SPDX-License-Identifier: MIT */
/*
 * syn_queue.c - Half-open records: the SYN queue of every listener.
 *
 * A record stands in the list of its retry count: a SYN-ACK is repeated after 1, 2, 4, 8,
 * 16, 32 s, so every list has one duration.  After tcp_synack_retries repeats the record
 * goes, and nobody but the counters knows.  With the queue more than half full, old records
 * get fewer: each time the young ones double to no more than all, one repeat less, down to
 * two, as on Linux.
 *
 * A record that was acknowledged stays while there is no room for the connection, or while
 * TCP_DEFER_ACCEPT waits for text.  Without room the SYN-ACK goes on repeating: the peer's
 * answer to it is the next chance.  A deferred one is repeated only at the end of its time.
 *
 * What the SYN-ACK promised as a window is in the record, and the connection keeps it
 * whatever the listener's receive buffer has become.
 */
#include "core/tcp/pmtu.h"
#include "core/tcp/tcp.h"

uint32_t half_class_of(uint32_t retries)
{
    return retries < TCP_HALF_CLASSES ? retries : TCP_HALF_CLASSES - 1;
}

static uint64_t class_ns(const struct tcp *t, uint32_t class)
{
    const uint64_t ns = NS_PER_S << class;
    const uint64_t max_ns = t->env.knobs.rto_max_ms * NS_PER_MS;

    return ns < max_ns ? ns : max_ns;
}

/*
 * Put the record at the end of its class.  A timeout that was lowered meanwhile waits for
 * its elders, so that the list stays ordered by expiry.
 */
static void wait_again(struct tcp *t, uint32_t ref)
{
    struct tcp_half *h = half_at(t, ref);
    const uint32_t class = half_class_of(h->retries);
    const uint32_t last = t->half_class[class].tail;

    h->expires = time_add(t->env.now, class_ns(t, class));
    if (last != TCP_REF_NONE && time_lt(h->expires, half_at(t, last)->expires))
        h->expires = half_at(t, last)->expires;
    half_link(t, class, ref);
}

/* What the SYN's options leave in the record. */
void half_take_syn(const struct tcp *t, struct tcp_half *h, const struct tcp_arrival *a)
{
    const struct tcp_options *o = &a->seg->opt;
    const struct env_knobs *k = &t->env.knobs;
    const bool v4 = addr_is_v4(&a->flow.raddr);

    h->mss = o->has_mss ? o->mss : (v4 ? 536 : 1220); /* MUST-15 */
    h->wnd = (uint16_t)a->seg->wnd;
    h->wscale = TCP_WSCALE_NONE;
    if (o->has_wscale && k->window_scaling)
        h->wscale = (o->wscale < TCP_WSCALE_MAX ? o->wscale : TCP_WSCALE_MAX) & 15u;
    if (o->has_sack_ok && k->sack)
        h->flags |= TCP_HALF_SACK;
    if (o->has_timestamps && k->timestamps) {
        h->flags |= TCP_HALF_TIMESTAMPS;
        h->ts_recent = o->ts_val;
    }
}

/* <SEQ=ISS><ACK=RCV.NXT><CTL=SYN,ACK>, with the peer's options answered. */
void half_synack(const struct tcp *t, const struct tcp_half *h, uint32_t ts_val, bool v4,
                 struct tcp_seg *seg)
{
    const struct tcp_listener *l = listener_at(t, h->listener);

    *seg = (struct tcp_seg){
        .seq = h->iss,
        .ack = seq_add(h->irs, 1),
        .flags = h->flags & TCP_HALF_ECN ? TCP_SYN | TCP_ACK | TCP_ECE : TCP_SYN | TCP_ACK,
        .wnd = h->rcv_wnd,
    };
    seg->opt.has_mss = true;
    seg->opt.mss = conn_adv_mss(t, &l->set, h->iface, v4);
    if (h->wscale != TCP_WSCALE_NONE) {
        seg->opt.has_wscale = true;
        seg->opt.wscale = rcv_window_shift(t);
    }
    seg->opt.has_sack_ok = (h->flags & TCP_HALF_SACK) != 0;
    if (h->flags & TCP_HALF_TIMESTAMPS) {
        seg->opt.has_timestamps = true;
        seg->opt.ts_val = ts_val;
        seg->opt.ts_ecr = h->ts_recent;
    }
}

void half_send_synack(struct tcp *t, uint32_t ref, bool again)
{
    struct tcp_half *h = half_at(t, ref);
    const struct tcp_listener *l = listener_at(t, h->listener);
    struct tcp_answer to = {
        .iface = h->iface,
        .ttl = l->set.ttl,
        .tos = (uint8_t)((uint32_t)l->set.tos6 << 2),
        .state = LA_SYN_RECEIVED,
        .retransmission = again,
    };
    struct tcp_seg seg;

    half_flow(h, ref, &to.flow);
    half_synack(t, h, tcp_ts_now(t, h->ts_offset), (ref & TCP_REF_V6) == 0, &seg);
    if (again) {
        h->flags |= TCP_HALF_RESENT;
        env_count(&t->env, LA_COUNT_RetransSegs);
        env_count(&t->env, LA_COUNT_TCPSynRetrans);
    }
    (void)reply_push(t, &to,
                     &seg); /* lost like any segment if there is no room: it will be repeated */
}

void half_synack_again(struct tcp *t, uint32_t ref)
{
    half_unlink(t, half_class_of(half_at(t, ref)->retries), ref);
    wait_again(t, ref);
    half_send_synack(t, ref, true);
}

void half_acked(struct tcp *t, uint32_t ref)
{
    struct tcp_half *h = half_at(t, ref);

    if (h->flags & TCP_HALF_ACKED)
        return;
    h->flags |= TCP_HALF_ACKED;
    listener_at(t, h->listener)->acked_len++;
}

/* Below a TIME-WAIT that the SYN reopens lies every number of the old connection (MAY-2). */
static void park(struct tcp_arrival *a, struct tcp_half *h)
{
    const tcp_seq floor = short_iss_floor(a->t, a->reopens);

    if (seq_lt(h->iss, floor))
        h->iss = floor;
    h->flags |= TCP_HALF_PARKS;
    short_park(a->t, a->reopens);
}

/* A record, and its place in the index. */
static uint32_t half_new(struct tcp_arrival *a)
{
    struct tcp *t = a->t;
    const bool v4 = addr_is_v4(&a->flow.raddr);
    struct slab *slab = v4 ? &t->half4 : &t->half6;
    const uint32_t i = slab_take(slab, t);
    const uint32_t ref = v4 ? i : i | TCP_REF_V6;

    if (i == SLAB_NONE)
        return TCP_REF_NONE;
    if (!index_insert(&t->index, t, a->hash,
                      (struct index_entry){ .type = INDEX_HALF_OPEN, .value = ref })) {
        slab_give(slab, t, i);
        return TCP_REF_NONE;
    }
    return ref;
}

bool half_open(struct tcp_arrival *a, uint32_t li)
{
    struct tcp *t = a->t;
    struct tcp_listener *l = listener_at(t, li);
    const uint32_t ref = half_new(a);
    struct tcp_half *h;

    if (ref == TCP_REF_NONE)
        return false;
    h = half_at(t, ref);
    tuple_store(&h->tuple, &a->flow);
    h->listener = li;
    h->irs = a->seg->seq;
    tcp_begin_numbers(t, &a->flow, &h->iss, &h->ts_offset);
    if (a->reopens != TCP_REF_NONE)
        park(a, h);
    h->iface = a->path.iface & 3u;
    h->sent_us = (uint32_t)(t->env.now.ns / NS_PER_US) & TCP_HALF_US_MASK;
    h->rcv_wnd = (uint16_t)(l->set.rcvbuf < UINT16_MAX ? l->set.rcvbuf : UINT16_MAX);
    half_take_syn(t, h, a);
    if (ecn_syn_asks(t, a))
        h->flags |= TCP_HALF_ECN;
    wait_again(t, ref);
    l->half_len++;
    l->young_len++;
    a->reason = LA_DROP_NONE;
    trace_state(t, &a->flow, 0, LA_LISTEN, LA_SYN_RECEIVED, LA_DROP_NONE);
    half_send_synack(t, ref, false);
    return true;
}

/* Out of list, queue and slab; the index is the caller's. */
static void half_give(struct tcp *t, uint32_t ref)
{
    struct tcp_half *h = half_at(t, ref);
    struct tcp_listener *l = listener_at(t, h->listener);

    half_unlink(t, half_class_of(h->retries), ref);
    LA_ASSERT(l->half_len > 0);
    l->half_len--;
    if (h->retries == 0)
        l->young_len--;
    if (h->flags & TCP_HALF_ACKED)
        l->acked_len--;
    slab_give(ref & TCP_REF_V6 ? &t->half6 : &t->half4, t, ref & ~TCP_REF_V6);
}

void half_free(struct tcp *t, uint32_t ref)
{
    struct tcp_flow flow;

    half_flow(half_at(t, ref), ref, &flow);
    index_remove(&t->index, t, tcp_hash_recent(t, &flow),
                 (struct index_entry){ .type = INDEX_HALF_OPEN, .value = ref });
    trace_state(t, &flow, 0, LA_SYN_RECEIVED, LA_CLOSED, LA_DROP_NONE);
    port_freed(t, &flow);
    if (half_at(t, ref)->flags & TCP_HALF_PARKS)
        short_return(t, &flow, tcp_hash_recent(t, &flow));
    half_give(t, ref);
}

uint32_t half_since_sent_us(const struct tcp *t, const struct tcp_half *h)
{
    return ((uint32_t)(t->env.now.ns / NS_PER_US) - h->sent_us) & TCP_HALF_US_MASK;
}

/* The connection takes over what the record remembers. */
void half_grow_into(struct tcp *t, struct tcp_conn *c, const struct tcp_half *h)
{
    const struct tcp_listener *l = listener_at(t, h->listener);
    const bool v4 = addr_is_v4(&c->flow.raddr);

    c->set = l->set;
    if (c->set.rcvbuf < h->rcv_wnd)
        c->set.rcvbuf = h->rcv_wnd; /* what was promised must find room */
    c->listener = h->listener;
    c->iface = h->iface;
    c->snd.una = h->iss;
    c->snd.nxt = c->snd.rtx = c->snd.recover = c->snd.crumb = seq_add(h->iss, 1);
    c->snd.wl1 = h->irs;
    c->snd.wnd = c->snd.max_wnd = h->wnd;
    c->rcv.nxt = c->rcv.last_ack = seq_add(h->irs, 1);
    c->rcv.adv = seq_add(c->rcv.nxt, h->rcv_wnd);
    c->sack = (h->flags & TCP_HALF_SACK) != 0;
    c->ecn = (h->flags & TCP_HALF_ECN) != 0;
    c->timestamps = (h->flags & TCP_HALF_TIMESTAMPS) != 0;
    c->ts_recent = h->ts_recent;
    c->ts_offset = h->ts_offset;
    c->ts_recent_at = tcp_paws_time(t);
    if (h->wscale != TCP_WSCALE_NONE) {
        c->snd_shift = h->wscale;
        c->rcv_shift = rcv_window_shift(t) & 15u;
    }
    c->peer_mss = h->mss;
    c->adv_mss = conn_adv_mss(t, &l->set, h->iface, v4);
    pmtu_begin(t, c);
    if (!(h->flags & TCP_HALF_RESENT)) {
        const uint32_t us = half_since_sent_us(t, h);

        c->timing = true;
        c->rtt_seq = h->iss;
        c->rtt_at_us = tcp_now_us(t) - us;
    }
    cc_init(t, c);
    if (h->retries > 0) {
        c->cwnd = c->snd_mss; /* RFC 5681 3.1: the SYN-ACK was lost */
        c->rto_us = 3000000;  /* RFC 6298 5.7 */
    }
}

void half_grown(struct tcp *t, uint32_t ci)
{
    struct tcp_conn *c = conn_at(t, ci);

    conn_state(t, c, LA_SYN_RECEIVED); /* the record was there already, here or there: no edge */
    port_use_add(t, &c->flow, port_share(c->set.reuse, c->set.reuse_port));
    listener_accept_push(t, c->listener, ci);
    env_count(&t->env, LA_COUNT_PassiveOpens);
}

uint32_t half_grow(struct tcp *t, uint32_t ref)
{
    struct tcp_half *h = half_at(t, ref);
    struct tcp_flow flow;
    struct tcp_conn *c;
    uint32_t hash, ci;

    half_flow(h, ref, &flow);
    hash = tcp_hash_recent(t, &flow);
    ci = conn_new(t, &flow, hash);
    if (ci == SLAB_NONE)
        return SLAB_NONE;
    c = conn_at(t, ci);
    if (h->flags & TCP_HALF_PARKS)
        short_replaced(t, &flow, hash);
    half_grow_into(t, c, h);
    index_replace(&t->index, t, hash, (struct index_entry){ .type = INDEX_HALF_OPEN, .value = ref },
                  (struct index_entry){ .type = INDEX_CONN, .value = ci });
    half_give(t, ref);
    half_grown(t, ci);
    return ci;
}

void half_drop_listener(struct tcp *t, uint32_t li)
{
    for (uint32_t class = 0; class < TCP_HALF_CLASSES; class ++) {
        uint32_t ref = t->half_class[class].head;

        while (ref != TCP_REF_NONE &&
               listener_at(t, li)->half_len > 0) { /* no more than it takes */
            const uint32_t next = half_at(t, ref)->slot.link;

            if (half_at(t, ref)->listener == li) {
                env_drop(&t->env, LA_DROP_LISTENER_CLOSED);
                half_free(t, ref);
            }
            ref = next;
        }
    }
}

/* tcp_synack_retries; fewer while a queue more than half full holds mostly old records. */
static uint32_t retries_of(const struct tcp *t, const struct tcp_listener *l)
{
    const uint32_t limit = l->backlog;
    uint32_t retries = t->env.knobs.synack_retries;
    uint64_t young = 2 * (uint64_t)l->young_len;

    if (2 * (uint64_t)l->half_len <= (limit > 8 ? limit : 8))
        return retries;
    for (; retries > 2 && l->half_len >= young; retries--)
        young *= 2;
    return retries;
}

/* Is the SYN-ACK to be repeated?  What was acknowledged and waits for text is left alone. */
static bool resend_due(const struct tcp_listener *l, const struct tcp_half *h)
{
    return l->defer == 0 || !(h->flags & TCP_HALF_ACKED) || h->retries + 1u >= l->defer;
}

/* The SYN-ACK was not acknowledged in time: again, or give up. */
static void half_timeout(struct tcp *t, uint32_t ref)
{
    struct tcp_half *h = half_at(t, ref);
    struct tcp_listener *l = listener_at(t, h->listener);
    const bool waits = h->flags & TCP_HALF_ACKED && h->retries < l->defer;
    const bool resend = resend_due(l, h);
    struct tcp_flow flow;

    half_flow(h, ref, &flow);
    trace_timeout(t, &flow, 0, LA_SYN_RECEIVED, LA_TIMER_SYNACK);
    if (h->retries >= retries_of(t, l) && !waits) {
        env_drop(&t->env, LA_DROP_SYN_RETRIES);
        cause_record(t, &flow, LA_SYN_RECEIVED, LA_DROP_SYN_RETRIES);
        env_count(&t->env, LA_COUNT_AttemptFails);
        half_free(t, ref);
        return;
    }
    half_unlink(t, half_class_of(h->retries), ref);
    if (h->retries == 0)
        l->young_len--;
    h->retries++;
    LA_ASSERT(h->retries > 0); /* 255 are the most of both knobs */
    wait_again(t, ref);
    env_count(&t->env, LA_COUNT_TCPTimeouts);
    if (resend)
        half_send_synack(t, ref, true);
}

bool half_tick(struct tcp *t)
{
    uint32_t due = TCP_REF_NONE;

    if (time_lt(t->env.now, half_deadline(t)))
        return false;
    for (uint32_t class = 0; class < TCP_HALF_CLASSES; class ++) {
        const uint32_t ref = t->half_class[class].head;

        if (ref == TCP_REF_NONE || time_lt(t->env.now, half_at(t, ref)->expires))
            continue;
        if (due == TCP_REF_NONE || time_lt(half_at(t, ref)->expires, half_at(t, due)->expires))
            due = ref;
    }
    if (due == TCP_REF_NONE)
        return false;
    half_timeout(t, due);
    return true;
}
