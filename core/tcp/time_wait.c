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

#define SOON_NS (4 * NS_PER_S) /* as Linux draws the line between TW and TWKilled */

/* @msl_ms1: the connection's own, and one; 0: the knob decides. */
static uint64_t time_wait_ns(const struct tcp *t, uint32_t msl_ms1)
{
    return 2u * NS_PER_MS * (msl_ms1 > 0 ? msl_ms1 - 1 : t->env.knobs.msl_ms);
}

/*
 * FIN-WAIT-2 has a duration for each LINGER2, TIME-WAIT one for each MSL: so many at most of each, in
 * a family.  A duration too many shares the class that lasts next longest, or else the longest.
 */
#define CLASSES_ALIKE 4
_Static_assert(TCP_SHORT_CLASSES == 2 * 2 * CLASSES_ALIKE, "room for each of them");

static uint32_t nearest(const struct tcp *t, enum la_state state, bool v4, uint64_t duration_ns)
{
    uint32_t best = TCP_SHORT_CLASSES;

    for (uint32_t k = 0; k < TCP_SHORT_CLASSES; k++) {
        const struct tcp_short_class *class = &t->short_class[k];
        const uint64_t best_ns = best < TCP_SHORT_CLASSES ? t->short_class[best].duration_ns : 0;

        if (class->fifo.len == 0 || class->state != state || class->v4 != v4)
            continue;
        if (best_ns < duration_ns
                ? class->duration_ns > best_ns
                : class->duration_ns >= duration_ns && class->duration_ns < best_ns)
            best = k;
    }
    LA_ASSERT(best < TCP_SHORT_CLASSES);
    return best;
}

/* The class of this duration, or the nearest; a new duration takes a free one. */
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
    if (alike >= CLASSES_ALIKE)
        return nearest(t, state, v4, duration_ns);
    LA_ASSERT(empty < TCP_SHORT_CLASSES);
    t->short_class[empty].duration_ns = duration_ns;
    t->short_class[empty].state = (uint8_t)state;
    t->short_class[empty].v4 = v4;
    return empty;
}

/*
 * FIN-WAIT-2 lasts no shorter than 3.5 RTOs, as on Linux: a FIN that was lost comes again within that, and
 * must not be answered with a reset.  In quarters of powers of two, so that there are few durations.
 */
static uint64_t fin_wait_2_ns(const struct tcp *t, const struct tcp_conn *c)
{
    const bool own = c->set.linger2_s > 0 && c->set.linger2_s != LA_LINGER2_NONE;
    const uint64_t ns = (own ? c->set.linger2_s : t->env.knobs.fin_timeout) * NS_PER_S;
    const uint64_t least_ns = rtt_rto_ns(t, c) * 7 / 2;
    uint64_t step_ns = NS_PER_S / 4;

    if (ns >= least_ns)
        return ns;
    while (step_ns * 8 < least_ns)
        step_ns *= 2;
    return (least_ns + step_ns - 1) / step_ns * step_ns;
}

static uint64_t duration_of(const struct tcp *t, enum la_state state, const struct tcp_conn *c)
{
    return state == LA_TIME_WAIT ? time_wait_ns(t, c->set.msl_ms1) : fin_wait_2_ns(t, c);
}

/* The opening that a parked record waited for goes on without it. */
static void forget(struct tcp *t, struct index_entry opening)
{
    if (opening.type == INDEX_HALF_OPEN)
        half_at(t, opening.value)->flags &= (uint8_t)~TCP_HALF_PARKS;
    else if (opening.type == INDEX_CONN)
        conn_at(t, opening.value)->parks = false;
}

/* @flow and @hash are the record's. */
static void free_record(struct tcp *t, uint32_t ref, const struct tcp_flow *flow, uint32_t hash,
                        enum la_drop reason)
{
    const struct tcp_short *w = short_at(t, ref);

    if (w->flags & TCP_SHORT_PARKED)
        forget(t, tcp_lookup(t, flow, hash)); /* the trace had its end when it was parked */
    else
        trace_state(t, flow, 0, w->state, LA_CLOSED, reason);
    index_remove(&t->index, t, hash, (struct index_entry){ .type = INDEX_SHORT, .value = ref });
    if (!(w->flags & TCP_SHORT_PARKED))
        port_freed(t, flow);
    port_use_sub(
        t, flow,
        port_share((w->flags & TCP_SHORT_REUSE) != 0, (w->flags & TCP_SHORT_REUSE_PORT) != 0));
    short_unlink(t, w->class, ref);
    slab_give(ref & TCP_REF_V6 ? &t->short6 : &t->short4, t, ref & ~TCP_REF_V6);
}

void short_free(struct tcp *t, uint32_t ref, enum la_drop reason)
{
    struct tcp_flow flow;

    short_flow(short_at(t, ref), ref, &flow);
    free_record(t, ref, &flow, tcp_hash_recent(t, &flow), reason);
}

/* Loopback at one end: nobody else's segments can be under way. */
bool short_reuse_allowed(const struct tcp *t, const struct tcp_flow *f)
{
    const uint32_t rule = t->env.knobs.tw_reuse;

    return rule == 1 || (rule == 2 && (addr_is_loopback(f->laddr) || addr_is_loopback(f->raddr)));
}

/*
 * The new connection's time stamps go on where the old one's ended, so that the peer's PAWS refuses
 * whatever is left of the old one (RFC 6191); without them nothing would.  A port that was asked
 * for by number is taken over whatever tcp_tw_reuse says, as on Linux.
 */
bool short_reusable(const struct tcp *t, uint32_t ref, bool bound)
{
    const struct tcp_short *w = short_at(t, ref);
    const struct env_knobs *k = &t->env.knobs;
    struct tcp_flow flow;

    if (w->state != LA_TIME_WAIT || w->flags & TCP_SHORT_PARKED ||
        !(w->flags & TCP_SHORT_TIMESTAMPS) || !k->timestamps)
        return false;
    if (bound)
        return true;
    short_flow(w, ref, &flow);
    if (!short_reuse_allowed(t, &flow))
        return false;
    return time_lt(short_reusable_after(t, ref), t->env.now);
}

la_time short_reusable_after(const struct tcp *t, uint32_t ref)
{
    const struct tcp_short *w = short_at(t, ref);
    const uint64_t began_ns = w->expires.ns - t->short_class[w->class].duration_ns;

    return (la_time){ began_ns + t->env.knobs.tw_reuse_delay_ms * NS_PER_MS };
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
    port_returned(t, flow);
    trace_state(t, flow, 0, LA_CLOSED, LA_TIME_WAIT, LA_DROP_NONE);
}

/* The record nearest its end goes, of this family or, with @any, of either. */
static void evict(struct tcp *t, bool v4, bool any)
{
    uint32_t victim = TCP_REF_NONE;
    struct tcp_flow flow;

    for (uint32_t k = 0; k < TCP_SHORT_CLASSES; k++) {
        const uint32_t ref = t->short_class[k].fifo.head;

        if (ref == TCP_REF_NONE || (!any && t->short_class[k].v4 != v4))
            continue;
        if (victim == TCP_REF_NONE ||
            time_lt(short_at(t, ref)->expires, short_at(t, victim)->expires))
            victim = ref;
    }
    if (victim == TCP_REF_NONE)
        return;
    env_count(&t->env, LA_COUNT_TCPTimeWaitOverflow);
    env_drop(&t->env, LA_DROP_TIME_WAIT_EVICTED);
    short_flow(short_at(t, victim), victim, &flow);
    cause_record(t, &flow, short_at(t, victim)->state, LA_DROP_TIME_WAIT_EVICTED);
    short_free(t, victim, LA_DROP_TIME_WAIT_EVICTED);
}

/*
 * A record under tcp_max_tw_buckets and the table's own limit.  Above a limit that was lowered, two
 * go for each that comes.  SLAB_NONE, counted, if the limit is 0.
 */
static uint32_t take_record(struct tcp *t, bool v4)
{
    struct slab *slab = v4 ? &t->short4 : &t->short6;
    const uint32_t most = t->env.knobs.max_tw_buckets;

    if (most == 0) {
        env_count(&t->env, LA_COUNT_TCPTimeWaitOverflow);
        return SLAB_NONE;
    }
    for (uint32_t i = 0; i < 2 && t->short4.used + t->short6.used >= most; i++)
        evict(t, v4, true);
    if (slab_room(slab) == 0)
        evict(t, v4, false);
    return slab_take(slab, t);
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
    w->msl_ms1 = c->set.msl_ms1;
    w->flags = c->timestamps ? TCP_SHORT_TIMESTAMPS : 0;
    if (c->set.reuse)
        w->flags |= TCP_SHORT_REUSE;
    if (c->set.reuse_port)
        w->flags |= TCP_SHORT_REUSE_PORT;
    w->iface = c->iface & 15u;
    tuple_store(&w->tuple, &c->flow);
}

void short_enter(struct tcp *t, uint32_t ci, enum la_state state)
{
    struct tcp_conn *c = conn_at(t, ci);
    const bool v4 = addr_is_v4(&c->flow.raddr);
    const struct index_entry old = { .type = INDEX_CONN, .value = ci };
    const uint64_t duration_ns = duration_of(t, state, c);
    uint32_t i = SLAB_NONE;

    LA_ASSERT(state == LA_TIME_WAIT || (state == LA_FIN_WAIT_2 && !c->held));
    if (c->want_ack || c->ack_segs > 0)
        reply_ack(t, ci); /* what is owed is said now: the record would not know */
    if (duration_ns > 0)
        i = take_record(t, v4);
    if (i == SLAB_NONE) { /* no room, or a 2MSL of zero: the connection is over now */
        trace_state(t, &c->flow, 0, (uint8_t)state, LA_CLOSED, LA_DROP_TIME_WAIT_END);
        index_remove(&t->index, t, c->hash, old);
        port_freed(t, &c->flow);
        port_use_sub(t, &c->flow, port_share(c->set.reuse, c->set.reuse_port));
    } else {
        const uint32_t class = class_for(t, state, v4, duration_ns);
        const uint32_t ref = v4 ? i : i | TCP_REF_V6;
        struct tcp_short *w = short_at(t, ref);

        env_count(&t->env, duration_ns <= SOON_NS ? LA_COUNT_TWKilled : LA_COUNT_TW);
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

void short_restart(struct tcp *t, uint32_t ref)
{
    struct tcp_short *w = short_at(t, ref);

    LA_ASSERT(w->state == LA_TIME_WAIT);
    short_unlink(t, w->class, ref);
    w->expires = time_add(t->env.now, t->short_class[w->class].duration_ns);
    short_link(t, w->class, ref);
}

bool short_time_wait(struct tcp *t, uint32_t ref)
{
    struct tcp_short *w = short_at(t, ref);
    const uint64_t duration_ns = time_wait_ns(t, w->msl_ms1);
    struct tcp_flow flow;

    LA_ASSERT(w->state == LA_FIN_WAIT_2);
    if (duration_ns == 0) {
        env_drop(&t->env, LA_DROP_TIME_WAIT_END);
        short_free(t, ref, LA_DROP_TIME_WAIT_END);
        return false;
    }
    short_flow(w, ref, &flow);
    trace_state(t, &flow, 0, w->state, LA_TIME_WAIT, LA_DROP_NONE);
    short_unlink(t, w->class, ref);
    w->class = (uint8_t)class_for(t, LA_TIME_WAIT, (ref & TCP_REF_V6) == 0, duration_ns);
    w->state = LA_TIME_WAIT;
    w->expires = time_add(t->env.now, t->short_class[w->class].duration_ns);
    short_link(t, w->class, ref);
    return true;
}

/*
 * Records end in the order of their list, and their buckets lie anywhere: the next one's is fetched
 * while this one goes, and the record after it.  Its hash is computed now instead of then.
 */
static void look_ahead(struct tcp *t, uint32_t next)
{
    const struct tcp_short *w;
    struct tcp_flow flow;

    if (next == TCP_REF_NONE || time_lt(t->env.now, short_at(t, next)->expires))
        return;
    w = short_at(t, next);
    if (w->slot.link != TCP_REF_NONE)
        prefetch(short_at(t, w->slot.link));
    short_flow(w, next, &flow);
    tcp_expect(t, tcp_hash_recent(t, &flow));
}

bool short_tick(struct tcp *t)
{
    if (time_lt(t->env.now, short_deadline(t)))
        return false;
    for (uint32_t k = 0; k < TCP_SHORT_CLASSES; k++) {
        const uint32_t ref = t->short_class[k].fifo.head;
        struct tcp_flow flow;

        if (ref == TCP_REF_NONE || time_lt(t->env.now, short_at(t, ref)->expires))
            continue;
        const enum la_drop reason = short_at(t, ref)->state == LA_TIME_WAIT
                                        ? LA_DROP_TIME_WAIT_END
                                        : LA_DROP_FIN_WAIT_2_TIMEOUT;
        short_flow(short_at(t, ref), ref, &flow);
        const uint32_t hash = tcp_hash_recent(t, &flow);
        look_ahead(t, short_at(t, ref)->slot.link);
        env_drop(&t->env, reason);
        free_record(t, ref, &flow, hash, reason);
        return true;
    }
    return false;
}
