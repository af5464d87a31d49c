/* SPDX-License-Identifier: MIT */
/*
 * timers.c - The deadlines of a connection, and its one node in the timing wheel.
 *
 * Theory of operation.  A connection has TCP_DEADLINES deadlines but owns a single node in
 * the shard's wheel.  The node stands at or before the earliest deadline.  Arming earlier
 * moves it.  Arming later (every ACK does that to TCP_DL_RTX) is one store: the node fires
 * early, finds nothing due and moves on.  Stopping is one store too.
 *
 * What is paced has a fifth deadline, in fewer bits (pacing.c).
 *
 * To leave the node is cheap while the connection speaks more often than the node fires.  Of one
 * that does not, among a hundred thousand others, neither node nor record is in a cache when the
 * node fires in vain; so where it was silent for long, tcp_timers_settle() moves the node at once,
 * while it is at hand.
 *
 * Invariant (la_check): node.at <= min(deadline[]), and <= pace_at while something is held.
 */
#include "core/tcp/inflight.h"
#include "core/tcp/tcp.h"

static la_time earliest(const struct tcp *t, const struct tcp_conn *c)
{
    la_time at = LA_TIME_NEVER;

    for (uint32_t i = 0; i < TCP_DEADLINES; i++)
        at = time_min(at, c->deadline[i]);
    return c->pace_hold ? time_min(at, pace_time(t, c)) : at;
}

static void node_move(struct tcp *t, uint32_t ci, la_time at)
{
    conn_at(t, ci)->node_at = at;
    wheel_move(&t->wheel, t, ci, at);
}

void tcp_timer_arm(struct tcp *t, uint32_t ci, enum tcp_deadline which, la_time at)
{
    struct tcp_conn *c = conn_at(t, ci);

    LA_ASSERT(which < TCP_DEADLINES);
    c->deadline[which] = at;
    if (time_lt(at, c->node_at))
        node_move(t, ci, at);
}

void tcp_timer_look(struct tcp *t, uint32_t ci, la_time at)
{
    if (time_lt(at, conn_at(t, ci)->node_at))
        node_move(t, ci, at);
}

void tcp_timers_settle(struct tcp *t, uint32_t ci, la_time spoke)
{
    const struct tcp_conn *c = conn_at(t, ci);
    la_time at;

    if (time_since(spoke, t->env.now) < TCP_SPARSE_NS)
        return;
    at = earliest(t, c);
    if (time_lt(c->node_at, at))
        node_move(t, ci, at);
}

void tcp_timer_stop(struct tcp_conn *c, enum tcp_deadline which)
{
    c->deadline[which] = LA_TIME_NEVER;
}

void tcp_timers_off(struct tcp *t, uint32_t ci)
{
    struct tcp_conn *c = conn_at(t, ci);

    for (uint32_t i = 0; i < TCP_DEADLINES; i++)
        c->deadline[i] = LA_TIME_NEVER;
    c->pace_hold = false;
    node_move(t, ci, LA_TIME_NEVER);
}

/* The wheel has just unlinked the node.  Fires what is due, in enum order, and puts it back once. */
void tcp_timers_fire(struct tcp *t, uint32_t ci)
{
    struct tcp_conn *c = conn_at(t, ci);

    for (uint32_t i = 0; i < TCP_DEADLINES; i++) {
        if (time_lt(t->env.now, c->deadline[i]))
            continue;
        c->deadline[i] = LA_TIME_NEVER;
        if (tcp_on_timeout(t, ci, (enum tcp_deadline)i) == TCP_DONE)
            return; /* the connection is gone */
    }
    if (c->pace_hold && !pace_waits(t, ci))
        tcp_output_wake(t, ci);
    node_move(t, ci, earliest(t, c));
}

uint64_t keepalive_idle_ns(const struct tcp *t, const struct tcp_conn *c)
{
    return (c->set.keepidle_s ? c->set.keepidle_s : t->env.knobs.keepalive_time) * NS_PER_S;
}

void keepalive_rearm(struct tcp *t, uint32_t ci)
{
    struct tcp_conn *c = conn_at(t, ci);

    if (!c->set.keepalive || !in(c, S(ESTABLISHED) | S(CLOSE_WAIT) | S(FIN_WAIT_1) | S(FIN_WAIT_2) |
                                        S(CLOSING) | S(LAST_ACK))) {
        tcp_timer_stop(c, TCP_DL_IDLE);
        return;
    }
    tcp_timer_arm(t, ci, TCP_DL_IDLE, time_add(c->last_rx, keepalive_idle_ns(t, c)));
}

/*
 * The persist timer's cases: the window is closed, or it is open by less than is worth
 * sending (silly-window avoidance) and no ACK is on its way that could open it.
 */
bool conn_in_persist(const struct tcp_conn *c)
{
    if (in(c, S(CLOSED) | S(SYN_SENT) | S(SYN_RECEIVED)))
        return false;
    const uint32_t unsent = conn_unsent(c);
    const bool waits = unsent > 0 || conn_fin_unsent(c);

    if (c->snd.wnd == 0)
        return waits || conn_flight(c) > 0;
    return conn_flight(c) == 0 && unsent > c->snd.wnd && c->snd.wnd < c->snd_mss &&
           c->snd.wnd < c->snd.max_wnd / 2;
}

/* SYNs go after 1 s each while they are linear, then 1, 2, 4 .. s later. */
static uint64_t syn_timeout_ns(const struct tcp *t, const struct tcp_conn *c)
{
    const uint32_t linear = c->state == LA_SYN_SENT ? t->env.knobs.syn_linear_timeouts : 0;
    const uint32_t doublings = c->retransmits <= linear ? 0 : c->retransmits - linear;
    const uint64_t max_ns = t->env.knobs.rto_max_ms * NS_PER_MS;
    const uint64_t ns = NS_PER_S << (doublings < 8 ? doublings : 8);

    return ns < max_ns ? ns : max_ns;
}

/* When the user timeout ends the connection if nothing changes. */
static la_time user_deadline(const struct tcp_conn *c)
{
    if (c->set.user_timeout_ms == 0)
        return LA_TIME_NEVER;
    return time_add(c->rtx_since, c->set.user_timeout_ms * NS_PER_MS);
}

static void rtx_arm(struct tcp *t, uint32_t ci, uint64_t ns)
{
    const la_time end = user_deadline(conn_at(t, ci));
    la_time at = time_min(time_add(t->env.now, ns), end);

    if (time_lt(at, t->env.now))
        at = t->env.now;
    tcp_timer_arm(t, ci, TCP_DL_RTX, at);
}

void tcp_user_timeout_changed(struct tcp *t, uint32_t ci)
{
    const struct tcp_conn *c = conn_at(t, ci);

    if (c->deadline[TCP_DL_RTX].ns != UINT64_MAX)
        rtx_arm(t, ci, time_since(t->env.now, c->deadline[TCP_DL_RTX]));
}

void tcp_rtx_rearm(struct tcp *t, uint32_t ci)
{
    struct tcp_conn *c = conn_at(t, ci);
    const bool armed = c->deadline[TCP_DL_RTX].ns != UINT64_MAX;
    const bool persist = conn_in_persist(c);

    if (in(c, S(SYN_SENT) | S(SYN_RECEIVED))) {
        if (!armed)
            rtx_arm(t, ci, syn_timeout_ns(t, c));
        return;
    }
    if (persist != c->persist) { /* the timer changes its meaning */
        c->persist = persist;
        c->backoff = 0;
        c->probes = 0;
        c->rtx_since = t->env.now;
        tcp_timer_stop(c, TCP_DL_RTX);
    } else if (armed) {
        if (persist || c->rtx_kind != TCP_RTX_TLP || tlp_possible(t, c))
            return;
        c->rtx_kind = TCP_RTX_RTO; /* something is in doubt: the RTO of what stands at SND.UNA */
        rtx_arm(t, ci, flight_rto_ns(t, c));
        return;
    }
    if (!persist && conn_flight(c) == 0)
        return;
    const bool tlp = !persist && tlp_possible(t, c);
    c->rtx_kind = tlp ? TCP_RTX_TLP : TCP_RTX_RTO;
    rtx_arm(t, ci, tlp ? tlp_pto_ns(t, c) : rtt_rto_ns(t, c));
}
