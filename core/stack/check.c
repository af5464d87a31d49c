/* SPDX-License-Identifier: MIT */
/*
 * check.c - Every invariant of a stack, as sentences.
 *
 * Tables agree with what stands in them, lists with their counters, a link never names
 * something that is gone, the index names everything that is open and nothing else, and the
 * numbers of each connection are in order.
 */
#include "core/stack/stack.h"
#include "core/tcp/inflight.h"

/* The numbers of one connection. */
static const char *check_numbers(const struct tcp *t, const struct tcp_conn *c)
{
    const uint32_t flight = conn_flight(c);

    if (c->state >= LA_STATES || c->state == LA_LISTEN || c->state == LA_TIME_WAIT)
        return "a full connection is in a state that has none";
    if (!seq_le(c->snd.una, c->snd.nxt))
        return "SND.UNA is beyond SND.NXT";
    if (!seq_le(c->snd.una, c->snd.rtx) || !seq_le(c->snd.rtx, c->snd.nxt))
        return "the next retransmission lies outside what is in flight";
    if (in(c, S(CLOSED) | S(SYN_SENT) | S(SYN_RECEIVED)))
        return NULL;
    if (!seq_le(c->rcv.nxt, c->rcv.adv))
        return "RCV.NXT is beyond the window that was advertised";
    if (flight > c->sndq.len_bytes + (c->fin_sent ? 1 : 0))
        return "more is in flight than the send queue holds";
    if (c->cwnd < c->snd_mss || c->snd_mss == 0)
        return "the congestion window is below one segment";
    if (c->fin_sent && !c->fin_queued)
        return "a FIN was sent that nobody asked for";
    if (c->fin_sent && flight > 0 && flight != c->sndq.len_bytes + 1)
        return "a FIN that was sent is not counted in SND.NXT";
    if ((flight > 0 || conn_in_persist(c)) && c->deadline[TCP_DL_RTX].ns == UINT64_MAX && !c->on_tx)
        return "something is in flight and no timer would notice its loss";
    const char *broken = flight_check(t, c);
    return broken != NULL ? broken : reassembly_check(t, c);
}

static const char *check_conn(const struct tcp *t, uint32_t ci)
{
    const struct tcp_conn *c = conn_at(t, ci);
    const char *broken = check_numbers(t, c);
    const struct index_entry e = tcp_lookup(t, &c->flow, c->hash);

    if (broken != NULL)
        return broken;
    if (c->hash != tcp_hash(t, &c->flow))
        return "a connection's stored hash is wrong";
    if (c->state != LA_CLOSED && (e.type != INDEX_CONN || e.value != ci))
        return "an open connection is not in the index";
    if (c->state == LA_CLOSED && e.type == INDEX_CONN && e.value == ci)
        return "a closed connection is in the index";
    if (c->state == LA_CLOSED && !c->held && c->listener == SLAB_NONE)
        return "a closed connection that nobody holds was not released";
    if (c->state == LA_FIN_WAIT_2 && !c->held && c->listener == SLAB_NONE && !c->touched)
        return "an orphan in FIN-WAIT-2 is not a short record";
    if (c->parks && (!in(c, S(SYN_SENT) | S(SYN_RECEIVED)) ||
                     short_parked(t, &c->flow, c->hash) == TCP_REF_NONE))
        return "an opening has lost the TIME-WAIT it would give back";
    if (c->orphan != (!c->held && c->listener == SLAB_NONE && c->state != LA_CLOSED))
        return "a connection is an orphan, or is none, and is not counted so";
    if (c->starved && !c->held)
        return "a connection that nobody holds waits for chunks to send";
    if (c->held && !c->starved && c->listener != SLAB_NONE)
        return "an accepted connection is still in an accept queue";
    for (uint32_t i = 0; i < TCP_DEADLINES; i++)
        if (time_lt(c->deadline[i], conn_node(t, ci)->at))
            return "a deadline is earlier than the wheel's node";
    if (c->pace_hold && !c->on_tx && conn_wants_tx(c) &&
        time_lt(pace_time(t, c), conn_node(t, ci)->at))
        return "a connection that is paced has no timer";
    if (!time_eq(c->node_at, conn_node(t, ci)->at))
        return "a connection knows another place of its node than the wheel";
    if (queue_check(&c->sndq, &t->env.chunks, t) != NULL)
        return "a send queue is broken";
    if (queue_check(&c->rcvq, &t->env.chunks, t) != NULL)
        return "a receive queue is broken";
    if (c->held && !c->on_ready && conn_mask(t, c) & ~c->mask)
        return "a connection became ready and no event tells it";
    return NULL;
}

static const char *check_conns(const struct tcp *t)
{
    uint32_t on_tx = 0, on_ready = 0, listed = 0, orphans = 0;
    uint32_t states[LA_STATES] = { 0 };

    for (uint32_t ci = 0; ci < t->conns.high; ci++) {
        const char *broken;

        if (!slab_live(&t->conns, t, ci))
            continue;
        states[conn_at(t, ci)->state < LA_STATES ? conn_at(t, ci)->state : 0]++;
        broken = check_conn(t, ci);
        if (broken != NULL)
            return broken;
        orphans += conn_at(t, ci)->orphan;
        on_tx += conn_at(t, ci)->on_tx;
        on_ready += conn_at(t, ci)->on_ready;
    }
    if (orphans != t->orphans)
        return "the number of orphans is wrong";
    if (memcmp(states, t->state_count, sizeof(states)) != 0)
        return "the numbers of connections by state are wrong";
    for (uint32_t i = t->tx_head; i != SLAB_NONE; i = conn_at(t, i)->tx_next)
        if (!slab_live(&t->conns, t, i) || !conn_at(t, i)->on_tx || listed++ > on_tx)
            return "the transmit list names what is not on it";
    if (listed != on_tx)
        return "the transmit list has lost a connection";
    listed = 0;
    for (uint32_t i = t->ready_head; i != SLAB_NONE; i = conn_at(t, i)->ready_next)
        if (!slab_live(&t->conns, t, i) || !conn_at(t, i)->on_ready || listed++ > on_ready)
            return "the ready list names what is not on it";
    return listed == on_ready ? NULL : "the ready list has lost a connection";
}

/* Those that wait for chunks; their link is the accept queue's, so none stands in both. */
static const char *check_starved(const struct tcp *t)
{
    uint32_t starved = 0, listed = 0;

    for (uint32_t ci = 0; ci < t->conns.high; ci++)
        if (slab_live(&t->conns, t, ci))
            starved += conn_at(t, ci)->starved;
    for (uint32_t i = t->starved_head; i != SLAB_NONE; i = conn_at(t, i)->slot.link)
        if (!slab_live(&t->conns, t, i) || !conn_at(t, i)->starved || listed++ > starved)
            return "the list of those that wait for chunks names what is not on it";
    return listed == starved ? NULL : "the list of those that wait for chunks has lost one";
}

static const char *check_ready_listeners(const struct tcp *t)
{
    uint32_t ready = 0, listed = 0;

    for (uint32_t li = 0; li < t->listeners.high; li++)
        if (slab_live(&t->listeners, t, li))
            ready += listener_at(t, li)->on_ready;
    for (uint32_t i = t->ready_listener_head; i != SLAB_NONE; i = listener_at(t, i)->ready_next)
        if (!slab_live(&t->listeners, t, i) || !listener_at(t, i)->on_ready || listed++ > ready)
            return "the ready list of listeners names what is not on it";
    return listed == ready ? NULL : "the ready list of listeners has lost one";
}

static const char *check_listeners(const struct tcp *t)
{
    uint32_t half = 0;

    for (uint32_t li = 0; li < t->listeners.high; li++) {
        const struct tcp_listener *l;
        uint32_t n = 0;

        if (!slab_live(&t->listeners, t, li))
            continue;
        l = listener_at(t, li);
        half += l->half_len;
        for (uint32_t i = l->accept_head; i != SLAB_NONE; i = conn_at(t, i)->slot.link) {
            if (!slab_live(&t->conns, t, i) || conn_at(t, i)->listener != li || n++ > l->accept_len)
                return "an accept queue names what is not in it";
        }
        if (n != l->accept_len)
            return "an accept queue is not as long as it says";
        if (l->accept_len > 0 && !l->on_ready && !(l->mask & LA_ACCEPTABLE))
            return "a connection waits to be accepted and no event tells it";
    }
    if (half != t->half4.used + t->half6.used)
        return "listeners count other half-open records than there are";
    return NULL;
}

static bool due_right(const struct tcp_due *d, la_time earliest)
{
    return d->stale ? time_le(d->at, earliest) : time_eq(d->at, earliest);
}

static const char *check_half(const struct tcp *t)
{
    uint32_t n = 0;
    int64_t young = 0, acked = 0;

    for (uint32_t li = 0; li < t->listeners.high; li++) {
        if (!slab_live(&t->listeners, t, li))
            continue;
        young += listener_at(t, li)->young_len;
        acked += listener_at(t, li)->acked_len;
    }

    for (uint32_t class = 0; class < TCP_HALF_CLASSES; class ++) {
        la_time before = { 0 };

        for (uint32_t ref = t->half_class[class].head; ref != TCP_REF_NONE;
             ref = half_at(t, ref)->slot.link) {
            const struct tcp_half *h = half_at(t, ref);
            struct tcp_flow f;
            struct index_entry e;

            half_flow(h, ref, &f);
            e = tcp_lookup(t, &f, tcp_hash(t, &f));
            if (e.type != INDEX_HALF_OPEN || e.value != ref)
                return "a half-open record is not in the index";
            if (h->flags & TCP_HALF_PARKS && short_parked(t, &f, tcp_hash(t, &f)) == TCP_REF_NONE)
                return "a half-open record has lost the TIME-WAIT it would give back";
            if (time_lt(h->expires, before))
                return "half-open records are out of order";
            before = h->expires;
            young -= h->retries == 0;
            acked -= (h->flags & TCP_HALF_ACKED) != 0;
            n++;
        }
    }
    if (n != t->half4.used + t->half6.used)
        return "a half-open record stands in no list";
    if (!due_right(&t->half_due, half_earliest(t)))
        return "the first half-open record to be due is another one";
    if (young != 0 || acked != 0)
        return "listeners count other young or acknowledged records than there are";
    return NULL;
}

/* Is it an opening for which a record in TIME-WAIT is parked? */
static bool opens(const struct tcp *t, struct index_entry e)
{
    if (e.type == INDEX_HALF_OPEN)
        return (half_at(t, e.value)->flags & TCP_HALF_PARKS) != 0;
    return e.type == INDEX_CONN && conn_at(t, e.value)->parks;
}

static const char *check_short(const struct tcp *t)
{
    uint32_t n = 0;

    for (uint32_t class = 0; class < TCP_SHORT_CLASSES; class ++) {
        la_time before = { 0 };

        for (uint32_t ref = t->short_class[class].fifo.head; ref != TCP_REF_NONE;
             ref = short_at(t, ref)->slot.link) {
            const struct tcp_short *w = short_at(t, ref);
            struct tcp_flow f;
            struct index_entry e;

            short_flow(w, ref, &f);
            e = tcp_lookup(t, &f, tcp_hash(t, &f));
            if (w->flags & TCP_SHORT_PARKED &&
                (!opens(t, e) || short_parked(t, &f, tcp_hash(t, &f)) != ref))
                return "a short record is parked for an opening that is not there";
            if (!(w->flags & TCP_SHORT_PARKED) && (e.type != INDEX_SHORT || e.value != ref))
                return "a short record is not in the index";
            if (time_lt(w->expires, before))
                return "short records are out of order";
            before = w->expires;
            n++;
        }
    }
    if (!due_right(&t->short_due, short_earliest(t)))
        return "the first short record to be due is another one";
    return n == t->short4.used + t->short6.used ? NULL : "a short record stands in no list";
}

/* Chunks in queues, tables of ranges and ICMP replies are all the chunks there are. */
static const char *check_chunks(const struct la_stack *s)
{
    const struct tcp *t = &s->tcp;
    uint32_t n = 0;

    for (uint32_t ci = 0; ci < t->conns.high; ci++) {
        if (!slab_live(&t->conns, t, ci))
            continue;
        n += conn_at(t, ci)->sndq.chunks + conn_at(t, ci)->rcvq.chunks;
        n += reassembly_chunks(t, conn_at(t, ci));
        n += conn_at(t, ci)->inflight != SLAB_NONE;
    }
    n += ip_chunks_held(&s->ip) + s->loop.count;
    return n == t->env.chunks.slab.used ? NULL : "a chunk belongs to nobody";
}

static const char *check_slabs(const struct tcp *t)
{
    const struct slab *const slabs[] = { &t->conns,  &t->listeners, &t->half4,          &t->half6,
                                         &t->short4, &t->short6,    &t->env.chunks.slab };

    for (uint32_t i = 0; i < LA_COUNT_OF(slabs); i++) {
        const char *broken = slab_check(slabs[i], t);

        if (broken != NULL)
            return broken;
    }
    return NULL;
}

const char *la_check(const struct la_stack *s)
{
    const struct tcp *t = &s->tcp;
    const char *broken = check_slabs(t);

    if (broken == NULL)
        broken = index_check(&t->index, t);
    if (broken == NULL)
        broken = wheel_check(&t->wheel, t);
    if (broken == NULL)
        broken = check_conns(t);
    if (broken == NULL)
        broken = check_starved(t);
    if (broken == NULL)
        broken = check_listeners(t);
    if (broken == NULL)
        broken = check_ready_listeners(t);
    if (broken == NULL)
        broken = check_half(t);
    if (broken == NULL)
        broken = check_short(t);
    if (broken == NULL)
        broken = port_check(t);
    if (broken == NULL)
        broken = loopback_check(s);
    if (broken == NULL)
        broken = check_chunks(s);
    return broken;
}
