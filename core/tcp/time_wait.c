/* SPDX-License-Identifier: MIT */
/*
 * time_wait.c - Short records: TIME-WAIT, and FIN-WAIT-2 without an owner.
 *
 * What is left to do after a close takes a few numbers, not a connection: 64 bytes
 * (IPv4).  Records stand in one list per duration, so 30 million of them cost nothing
 * while they wait.
 *
 * When no record is free, the TIME-WAIT nearest its end makes room (counted).  Linux
 * destroys the newest instead, which is the one whose old segments are most likely still
 * under way; see docs/decisions/0006-time-wait-eviction.md.
 */
#include "core/tcp/tcp.h"

#define ISS_BEYOND 65537u /* the largest window without scaling, and two */

uint64_t tcp_time_wait_ns(const struct tcp *t)
{
    return 2u * NS_PER_MS * t->env.knobs.msl_ms;
}

/* FIN-WAIT-2 has a duration for each LINGER2: so many at most in a family, for TIME-WAIT needs room. */
#define FIN_WAIT_2_CLASSES 4

/* The class of FIN-WAIT-2 that lasts as long or, failing that, longest. */
static uint32_t nearest(const struct tcp *t, bool v4, uint64_t duration_ns)
{
    uint32_t best = TCP_SHORT_CLASSES;

    for (uint32_t k = 0; k < TCP_SHORT_CLASSES; k++) {
        const struct tcp_short_class *class = &t->short_class[k];
        const uint64_t best_ns = best < TCP_SHORT_CLASSES ? t->short_class[best].duration_ns : 0;

        if (class->fifo.len == 0 || class->state != LA_FIN_WAIT_2 || class->v4 != v4)
            continue;
        if (best_ns < duration_ns
                ? class->duration_ns > best_ns
                : class->duration_ns >= duration_ns && class->duration_ns < best_ns)
            best = k;
    }
    return best;
}

/*
 * The class of this duration; a new duration takes a free one.  TCP_SHORT_CLASSES if all are
 * taken.  A duration of FIN-WAIT-2 too many shares the nearest class.
 */
static uint32_t class_for(struct tcp *t, enum la_state state, bool v4, uint64_t duration_ns)
{
    uint32_t empty = TCP_SHORT_CLASSES;
    uint32_t alike = 0;

    for (uint32_t k = 0; k < TCP_SHORT_CLASSES; k++) {
        const struct tcp_short_class *class = &t->short_class[k];
        const bool same = class->fifo.len > 0 && class->state == state && class->v4 == v4;

        if (same && class->duration_ns == duration_ns)
            return k;
        alike += same;
        if (class->fifo.len == 0 && empty == TCP_SHORT_CLASSES)
            empty = k;
    }
    if (state == LA_FIN_WAIT_2 && alike >= FIN_WAIT_2_CLASSES)
        return nearest(t, v4, duration_ns);
    if (empty == TCP_SHORT_CLASSES)
        return empty;
    t->short_class[empty].duration_ns = duration_ns;
    t->short_class[empty].state = (uint8_t)state;
    t->short_class[empty].v4 = v4;
    return empty;
}

static uint64_t duration_of(const struct tcp *t, enum la_state state, const struct tcp_conn *c)
{
    if (state == LA_TIME_WAIT)
        return tcp_time_wait_ns(t);
    if (c != NULL && c->set.linger2_s > 0)
        return c->set.linger2_s * NS_PER_S;
    return t->env.knobs.fin_timeout * NS_PER_S;
}

/* The opening that a parked record waited for goes on without it. */
static void forget(struct tcp *t, struct index_entry opening)
{
    if (opening.type == INDEX_HALF_OPEN)
        half_at(t, opening.value)->flags &= (uint8_t)~TCP_HALF_PARKS;
    else if (opening.type == INDEX_CONN)
        conn_at(t, opening.value)->parks = false;
}

void short_free(struct tcp *t, uint32_t ref, enum la_drop reason)
{
    const struct tcp_short *w = short_at(t, ref);
    struct tcp_flow flow;
    uint32_t hash;

    short_flow(w, ref, &flow);
    hash = tcp_hash_recent(t, &flow);
    if (w->flags & TCP_SHORT_PARKED)
        forget(t, tcp_lookup(t, &flow, hash)); /* the trace had its end when it was parked */
    else
        trace_state(t, &flow, 0, w->state, LA_CLOSED, reason);
    index_remove(&t->index, t, hash, (struct index_entry){ .type = INDEX_SHORT, .value = ref });
    short_unlink(t, w->class, ref);
    slab_give(ref & TCP_REF_V6 ? &t->short6 : &t->short4, t, ref & ~TCP_REF_V6);
}

tcp_seq short_iss_floor(const struct tcp *t, uint32_t ref)
{
    return seq_add(short_at(t, ref)->snd_nxt, ISS_BEYOND);
}

void short_park(struct tcp *t, uint32_t ref)
{
    struct tcp_short *w = short_at(t, ref);
    struct tcp_flow flow;

    LA_ASSERT(w->state == LA_TIME_WAIT && !(w->flags & TCP_SHORT_PARKED));
    short_flow(w, ref, &flow);
    trace_state(t, &flow, 0, LA_TIME_WAIT, LA_CLOSED, LA_DROP_TIME_WAIT_REOPENED);
    w->flags |= TCP_SHORT_PARKED;
}

void short_replaced(struct tcp *t, const struct tcp_flow *flow, uint32_t hash)
{
    const uint32_t ref = short_parked(t, flow, hash);

    LA_ASSERT(ref != TCP_REF_NONE);
    env_drop(&t->env, LA_DROP_TIME_WAIT_REOPENED);
    short_free(t, ref, LA_DROP_TIME_WAIT_REOPENED);
}

void short_return(struct tcp *t, const struct tcp_flow *flow, uint32_t hash)
{
    const uint32_t ref = short_parked(t, flow, hash);

    LA_ASSERT(ref != TCP_REF_NONE);
    short_at(t, ref)->flags &= (uint8_t)~TCP_SHORT_PARKED;
    trace_state(t, flow, 0, LA_CLOSED, LA_TIME_WAIT, LA_DROP_NONE);
}

/* The record of this family nearest its end goes.  False if there is none. */
static bool evict(struct tcp *t, bool v4)
{
    uint32_t victim = TCP_REF_NONE;

    for (uint32_t k = 0; k < TCP_SHORT_CLASSES; k++) {
        const uint32_t ref = t->short_class[k].fifo.head;

        if (ref == TCP_REF_NONE || t->short_class[k].v4 != v4)
            continue;
        if (victim == TCP_REF_NONE ||
            time_lt(short_at(t, ref)->expires, short_at(t, victim)->expires))
            victim = ref;
    }
    if (victim == TCP_REF_NONE)
        return false;
    env_count(&t->env, LA_COUNT_TCPTimeWaitOverflow);
    env_count(&t->env, LA_COUNT_TWKilled);
    env_drop(&t->env, LA_DROP_TIME_WAIT_EVICTED);
    short_free(t, victim, LA_DROP_TIME_WAIT_EVICTED);
    return true;
}

static void fill(struct tcp_short *w, const struct tcp_conn *c, enum la_state state)
{
    w->state = (uint8_t)state;
    w->rcv_shift = c->rcv_shift & 15u;
    w->rcv_nxt = c->rcv.nxt;
    w->snd_nxt = c->snd.nxt;
    w->rcv_wnd = tcp_rcv_wnd(c);
    w->ts_recent = c->ts_recent;
    w->ts_offset = c->ts_offset;
    w->ts_recent_ms = (uint32_t)(c->ts_recent_at.ns / NS_PER_MS);
    w->flags = c->timestamps ? TCP_SHORT_TIMESTAMPS : 0;
    if (c->set.reuse)
        w->flags |= TCP_SHORT_REUSE;
    w->iface = c->iface & 15u;
    tuple_store(&w->tuple, &c->flow);
}

void short_enter(struct tcp *t, uint32_t ci, enum la_state state)
{
    struct tcp_conn *c = conn_at(t, ci);
    const bool v4 = addr_is_v4(&c->flow.raddr);
    struct slab *slab = v4 ? &t->short4 : &t->short6;
    const struct index_entry old = { .type = INDEX_CONN, .value = ci };
    const uint64_t duration_ns = duration_of(t, state, c);
    uint32_t class = TCP_SHORT_CLASSES;
    uint32_t i = SLAB_NONE;

    LA_ASSERT(state == LA_TIME_WAIT || (state == LA_FIN_WAIT_2 && !c->held));
    if (c->want_ack || c->ack_segs > 0)
        reply_ack(t, ci); /* what is owed is said now: the record would not know */
    if (duration_ns > 0) {
        if (slab_room(slab) == 0)
            (void)evict(t, v4);
        class = class_for(t, state, v4, duration_ns);
        if (class < TCP_SHORT_CLASSES)
            i = slab_take(slab, t);
    }
    if (state == LA_TIME_WAIT)
        env_count(&t->env, LA_COUNT_TW);
    if (i == SLAB_NONE) { /* no room, or a 2MSL of zero: the connection is over now */
        if (duration_ns > 0)
            env_count(&t->env, LA_COUNT_TCPTimeWaitOverflow);
        trace_state(t, &c->flow, 0, (uint8_t)state, LA_CLOSED, LA_DROP_TIME_WAIT_END);
        index_remove(&t->index, t, c->hash, old);
    } else {
        const uint32_t ref = v4 ? i : i | TCP_REF_V6;
        struct tcp_short *w = short_at(t, ref);

        fill(w, c, state);
        w->class = (uint8_t) class;
        w->expires = time_add(t->env.now, t->short_class[class].duration_ns);
        index_replace(&t->index, t, c->hash, old,
                      (struct index_entry){ .type = INDEX_SHORT, .value = ref });
        short_link(t, class, ref);
    }
    conn_state(t, c, LA_CLOSED);
    c->reason = LA_DROP_CLOSED_NORMALLY;
    conn_shell(t, ci);
}

void short_restart(struct tcp *t, uint32_t ref, enum la_state state)
{
    struct tcp_short *w = short_at(t, ref);
    const uint64_t duration_ns = duration_of(t, state, NULL);
    uint32_t class;

    short_unlink(t, w->class, ref);
    class = class_for(t, state, (ref & TCP_REF_V6) == 0, duration_ns);
    if (class == TCP_SHORT_CLASSES) { /* all classes are in use: keep the old one */
        class = w->class;
        w->expires = time_add(t->env.now, t->short_class[class].duration_ns);
    } else {
        w->expires = time_add(t->env.now, duration_ns);
    }
    if (w->state != (uint8_t)state) {
        struct tcp_flow flow;

        short_flow(w, ref, &flow);
        trace_state(t, &flow, 0, w->state, (uint8_t)state, LA_DROP_NONE);
        env_count(&t->env, LA_COUNT_TW);
    }
    w->state = (uint8_t)state;
    w->class = (uint8_t) class;
    short_link(t, class, ref);
}

la_time short_deadline(const struct tcp *t)
{
    la_time earliest = LA_TIME_NEVER;

    for (uint32_t k = 0; k < TCP_SHORT_CLASSES; k++)
        if (t->short_class[k].fifo.head != TCP_REF_NONE)
            earliest = time_min(earliest, short_at(t, t->short_class[k].fifo.head)->expires);
    return earliest;
}

bool short_tick(struct tcp *t)
{
    for (uint32_t k = 0; k < TCP_SHORT_CLASSES; k++) {
        const uint32_t ref = t->short_class[k].fifo.head;

        if (ref == TCP_REF_NONE || time_lt(t->env.now, short_at(t, ref)->expires))
            continue;
        const enum la_drop reason = short_at(t, ref)->state == LA_TIME_WAIT
                                        ? LA_DROP_TIME_WAIT_END
                                        : LA_DROP_FIN_WAIT_2_TIMEOUT;
        env_drop(&t->env, reason);
        short_free(t, ref, reason);
        return true;
    }
    return false;
}
