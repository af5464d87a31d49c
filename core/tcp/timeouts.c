/* SPDX-License-Identifier: MIT */
/*
 * timeouts.c - What happens when a deadline passes (RFC 9293 3.10.8): retransmission and
 * its give-up (R1, R2), zero-window probes, keepalive, delayed ACK.
 *
 * R2 is a time, modelled as on Linux from the minimum RTO: tcp_retries2 = 15 gives
 * 924.6 s, whatever the connection's own RTO.
 */
#include "core/tcp/pmtu.h"
#include "core/tcp/tcp.h"

static void trace_timer(struct tcp *t, uint32_t ci, enum la_timer timer)
{
    const struct tcp_conn *c = conn_at(t, ci);
    trace_timeout(t, &c->flow, slab_handle(&t->conns, t, ci), c->state, timer);
}

static enum tcp_next give_up(struct tcp *t, uint32_t ci, enum la_err fallback, enum la_drop reason)
{
    struct tcp_conn *c = conn_at(t, ci);
    const enum la_err err = c->soft_error != 0 ? (enum la_err)c->soft_error : fallback;

    env_drop(&t->env, reason);
    env_count(&t->env, LA_COUNT_TCPAbortOnTimeout);
    tcp_reset(t, ci, err, reason);
    return TCP_DONE;
}

/* How long retransmission goes on: @boundary doublings from the minimum RTO, then its maximum. */
static uint64_t give_up_after_ns(const struct tcp *t, uint32_t boundary)
{
    const uint64_t base = t->env.knobs.rto_min_us * NS_PER_US;
    const uint64_t max = t->env.knobs.rto_max_ms * NS_PER_MS;
    uint32_t doublings = 0;

    while (doublings < 31 && (base << (doublings + 1)) <= max)
        doublings++;
    if (boundary <= doublings)
        return ((UINT64_C(2) << boundary) - 1) * base;
    return ((UINT64_C(2) << doublings) - 1) * base + (boundary - doublings) * max;
}

/*
 * Of an orphan that still tries often enough to be called alive 8 retries, about 100 s, unless
 * tcp_orphan_retries says more; of one that an ICMP error or the largest RTO speaks against, no more
 * than that says.  The order of Linux.
 */
static uint32_t retries_allowed(const struct tcp *t, const struct tcp_conn *c)
{
    const bool alive = rtt_rto_ns(t, c) < t->env.knobs.rto_max_ms * NS_PER_MS;

    if (!c->orphan)
        return t->env.knobs.retries2;
    if (alive)
        return t->env.knobs.orphan_retries > 0 ? t->env.knobs.orphan_retries : 8;
    return c->soft_error != 0 ? 0 : t->env.knobs.orphan_retries;
}

/* Is there no room for this orphan?  Long silence and an ICMP error each count against it. */
static bool orphan_ended(struct tcp *t, uint32_t ci)
{
    const struct tcp_conn *c = conn_at(t, ci);
    const uint64_t long_ns = 2u * NS_PER_MS * t->env.knobs.rto_max_ms;
    const bool silent = time_since(c->last_tx, t->env.now) > long_ns;

    return tcp_orphan_ended(t, ci, (uint32_t)silent + (c->soft_error != 0));
}

/* Have retransmissions, of which there was one at least, gone on for so long? */
static bool gave_up_after(const struct tcp *t, const struct tcp_conn *c, uint32_t boundary)
{
    return c->retransmits > 0 &&
           time_since(c->rtx_since, t->env.now) >= give_up_after_ns(t, boundary);
}

static bool user_timeout_passed(const struct tcp *t, const struct tcp_conn *c)
{
    return c->set.user_timeout_ms > 0 &&
           time_since(c->rtx_since, t->env.now) >= c->set.user_timeout_ms * NS_PER_MS;
}

/* The SYN, or the SYN-ACK of a simultaneous open, was not acknowledged. */
static enum tcp_next syn_timeout(struct tcp *t, uint32_t ci)
{
    struct tcp_conn *c = conn_at(t, ci);
    const struct env_knobs *k = &t->env.knobs;
    const uint32_t syns = c->set.syncnt > 0 ? c->set.syncnt : k->syn_retries;
    const uint32_t limit =
        c->state == LA_SYN_SENT ? syns + k->syn_linear_timeouts : k->synack_retries;

    if (c->retransmits >= limit)
        return give_up(t, ci, LA_ETIMEDOUT, LA_DROP_RETRIES);
    if (user_timeout_passed(t, c))
        return give_up(t, ci, LA_ETIMEDOUT, LA_DROP_USER_TIMEOUT);
    c->retransmits++;
    c->timing = false;
    c->want_syn = true;
    env_count(&t->env, LA_COUNT_TCPTimeouts);
    env_count(&t->env, LA_COUNT_TCPSynRetrans);
    tcp_rtx_rearm(t, ci);
    tcp_output_wake(t, ci);
    return TCP_GO_ON;
}

static enum tcp_next rto(struct tcp *t, uint32_t ci)
{
    struct tcp_conn *c = conn_at(t, ci);

    trace_timer(t, ci, LA_TIMER_RTO);
    if (in(c, S(SYN_SENT) | S(SYN_RECEIVED)))
        return syn_timeout(t, ci);
    if (conn_flight(c) == 0)
        return TCP_GO_ON;
    if (user_timeout_passed(t, c))
        return give_up(t, ci, LA_ETIMEDOUT, LA_DROP_USER_TIMEOUT);
    if (orphan_ended(t, ci))
        return TCP_DONE;
    if (c->set.user_timeout_ms == 0 && /* which takes R2's place (MUST-21) */
        gave_up_after(t, c, retries_allowed(t, c)))
        return give_up(t, ci, LA_ETIMEDOUT, LA_DROP_RETRIES);
    if (!c->r1_told && gave_up_after(t, c, t->env.knobs.retries1)) {
        c->r1_told = true; /* SHLD-9: tell the application before R2 */
        if (c->soft_error == 0)
            c->soft_error = LA_ETIMEDOUT;
        conn_ready(t, ci, true);
    }
    if (gave_up_after(t, c, t->env.knobs.retries1))
        pmtu_black_hole(t, ci);
    (void)pmtu_look(t, ci); /* all in flight goes again as it is */
    loss_on_rto(t, ci);
    c->pace_hold = false; /* what stands at SND.UNA goes at once, as on Linux */
    if (c->retransmits < UINT8_MAX)
        c->retransmits++;
    if (c->backoff < UINT8_MAX)
        c->backoff++;
    tcp_rtx_rearm(t, ci);
    tcp_output_wake(t, ci);
    return TCP_GO_ON;
}

/* What the retransmission timer stood for. */
static enum tcp_next rtx(struct tcp *t, uint32_t ci)
{
    struct tcp_conn *c = conn_at(t, ci);
    const enum tcp_rtx kind = (enum tcp_rtx)c->rtx_kind;

    c->rtx_kind = TCP_RTX_RTO;
    if (kind == TCP_RTX_RTO || in(c, S(SYN_SENT) | S(SYN_RECEIVED)))
        return rto(t, ci);
    trace_timer(t, ci, kind == TCP_RTX_TLP ? LA_TIMER_TLP : LA_TIMER_RACK);
    if (user_timeout_passed(t, c))
        return give_up(t, ci, LA_ETIMEDOUT, LA_DROP_USER_TIMEOUT);
    if (kind == TCP_RTX_RACK) {
        loss_on_rack_timer(t, ci);
    } else {
        tlp_fire(t, ci);
        tcp_rtx_rearm(t, ci);
    }
    return TCP_GO_ON;
}

/*
 * RFC 9293 3.8.6.1: the window stayed closed for a while.  An application may wait for it for ever as long as
 * probes are answered (MUST-36, MUST-37); a connection that nobody holds waits until probes are as rare
 * as they get.
 */
static enum tcp_next persist(struct tcp *t, uint32_t ci)
{
    struct tcp_conn *c = conn_at(t, ci);
    const uint32_t limit = retries_allowed(t, c);

    trace_timer(t, ci, LA_TIMER_PERSIST);
    if (!conn_in_persist(c)) {
        tcp_rtx_rearm(t, ci);
        return TCP_GO_ON;
    }
    if (user_timeout_passed(t, c))
        return give_up(t, ci, LA_ETIMEDOUT, LA_DROP_USER_TIMEOUT);
    if (c->orphan && rtt_rto_ns(t, c) >= t->env.knobs.rto_max_ms * NS_PER_MS && c->backoff >= limit)
        return give_up(t, ci, LA_ETIMEDOUT, LA_DROP_PERSIST);
    if (orphan_ended(t, ci))
        return TCP_DONE;
    if (c->probes >= limit)
        return give_up(t, ci, LA_ETIMEDOUT, LA_DROP_PERSIST);
    c->probes++;
    if (c->backoff < UINT8_MAX)
        c->backoff++;
    c->want_probe = true;
    env_count(&t->env, LA_COUNT_TCPWinProbe);
    tcp_rtx_rearm(t, ci);
    tcp_output_wake(t, ci);
    return TCP_GO_ON;
}

/* RFC 9293 3.8.4. */
static enum tcp_next keepalive(struct tcp *t, uint32_t ci)
{
    struct tcp_conn *c = conn_at(t, ci);
    const struct env_knobs *k = &t->env.knobs;
    const uint64_t idle_ns = keepalive_idle_ns(t, c);
    const uint64_t intvl_ns =
        (c->set.keepintvl_s ? c->set.keepintvl_s : k->keepalive_intvl) * NS_PER_S;
    const uint32_t count = c->set.keepcnt ? c->set.keepcnt : k->keepalive_probes;
    const uint64_t quiet_ns = time_since(c->last_rx, t->env.now);

    if (!c->set.keepalive)
        return TCP_GO_ON;
    if (conn_flight(c) > 0 || conn_unsent(c) > 0) { /* MUST-26: only when nothing is outstanding */
        tcp_timer_arm(t, ci, TCP_DL_IDLE, time_add(t->env.now, idle_ns));
        return TCP_GO_ON;
    }
    if (quiet_ns < idle_ns) {
        c->ka_probes = 0;
        tcp_timer_arm(t, ci, TCP_DL_IDLE, time_add(c->last_rx, idle_ns));
        return TCP_GO_ON;
    }
    trace_timer(t, ci, LA_TIMER_KEEPALIVE);
    if (c->set.user_timeout_ms > 0
            ? quiet_ns >= c->set.user_timeout_ms * NS_PER_MS && c->ka_probes > 0
            : c->ka_probes >= count)
        return give_up(t, ci, LA_ETIMEDOUT, LA_DROP_KEEPALIVE);
    c->ka_probes++;
    c->want_keepalive = true;
    env_count(&t->env, LA_COUNT_TCPKeepAlive);
    tcp_timer_arm(t, ci, TCP_DL_IDLE, time_add(t->env.now, intvl_ns));
    tcp_output_wake(t, ci);
    return TCP_GO_ON;
}

enum tcp_next tcp_on_timeout(struct tcp *t, uint32_t ci, enum tcp_deadline which)
{
    struct tcp_conn *c = conn_at(t, ci);

    switch (which) {
    case TCP_DL_RTX:
        return c->persist ? persist(t, ci) : rtx(t, ci);
    case TCP_DL_IDLE:
        return keepalive(t, ci);
    case TCP_DL_DELACK:
        if (c->ack_segs > 0) {
            trace_timer(t, ci, LA_TIMER_DELACK);
            env_count(&t->env, LA_COUNT_DelayedACKs);
            c->want_ack = true;
            tcp_output_wake(t, ci);
        }
        return TCP_GO_ON;
    case TCP_DL_CORK:
        trace_timer(t, ci, LA_TIMER_CORK);
        c->push = true; /* held back long enough (MUST-60) */
        tcp_output_wake(t, ci);
        return TCP_GO_ON;
    case TCP_DEADLINES:
        break;
    }
    return TCP_GO_ON;
}
