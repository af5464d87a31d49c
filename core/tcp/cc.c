/* SPDX-License-Identifier: MIT */
/*
 * cc.c - What all congestion control has in common: the initial window (RFC 6928), validation
 * of the window, rest and return (RFC 5681 4.1), and the choice of the algorithm.
 *
 * The window grows only while it is what limits sending: judged by the most that was in
 * flight during a round trip, not by the moment, since ACKs come in bursts between which
 * nothing is sent.
 */
#include "core/tcp/inflight.h"
#include "core/tcp/tcp.h"

static uint32_t initial_window(const struct tcp *t, const struct tcp_conn *c)
{
    const uint32_t n = t->env.knobs.initial_cwnd;
    const uint32_t cap = n * 1460; /* RFC 6928: min(10 MSS, max(2 MSS, 14600)) */
    const uint32_t two = 2u * c->snd_mss;
    const uint32_t iw = n * c->snd_mss;
    const uint32_t limit = cap > two ? cap : two;

    return iw < limit ? iw : limit;
}

void cc_init(const struct tcp *t, struct tcp_conn *c)
{
    c->cwnd = initial_window(t, c);
    c->ssthresh = CC_CWND_MAX;
    if (c->set.congestion == CC_DEFAULT)
        c->set.congestion = t->congestion & 3u;
    c->flight_peak = 0;
    c->peak_end = c->snd.una;
}

static struct cc_scratch *scratch_of(const struct tcp *t, const struct tcp_conn *c)
{
    return c->inflight == SLAB_NONE ? NULL : &flight_of(t, c)->cc;
}

/* The same, taken if there is none; NULL if the pool has nothing to spare. */
static struct cc_scratch *scratch(struct tcp *t, struct tcp_conn *c)
{
    struct flight *f = flight_block(t, c);

    return f == NULL ? NULL : &f->cc;
}

/* What one algorithm remembers says nothing to another; the window stays. */
void cc_chosen(struct tcp *t, struct tcp_conn *c)
{
    if (c->set.congestion == CC_DEFAULT)
        c->set.congestion = t->congestion & 3u;
    c->ecn_reduced = false;
    if (c->inflight != SLAB_NONE)
        memset(&flight_of(t, c)->cc, 0, sizeof(struct cc_scratch));
}

/* New text is on its way: remember how much of the window the round trip used. */
void cc_on_send(struct tcp_conn *c)
{
    const uint32_t flight = conn_flight(c);

    if (seq_ge(c->snd.una, c->peak_end) || flight > c->flight_peak) {
        c->flight_peak = flight;
        c->peak_end = c->snd.nxt;
    }
}

/* Was the window what limited sending in this round trip (RFC 7661, as on Linux)? */
static bool window_limited(const struct tcp_conn *c)
{
    return c->cwnd < c->ssthresh ? c->cwnd < 2 * c->flight_peak
                                 : c->cwnd < c->flight_peak + c->snd_mss;
}

static void slow_start(struct tcp *t, struct tcp_conn *c, struct cc_scratch *k,
                       const struct cc_ack *ack)
{
    /* RFC 9406 4.3: only before anything was lost. */
    if (c->ssthresh < CC_CWND_MAX || k == NULL || c->set.congestion == CC_RENO) {
        reno_slow_start(c, ack->acked);
        return;
    }
    const enum cc_slow_start how =
        hystart_on_ack(c, &k->hystart, ack, tcp_now_us(t), pace_wanted(t, c));
    if (how == CC_GOES_ON)
        return;
    const bool train = how == CC_ENDS_BY_TRAIN;
    c->ssthresh = c->cwnd;
    k->cubic.no_plateau = true; /* RFC 9438 4.10 */
    env_count(&t->env, train ? LA_COUNT_TCPHystartTrainDetect : LA_COUNT_TCPHystartDelayDetect);
    t->env.counters[train ? LA_COUNT_TCPHystartTrainCwnd : LA_COUNT_TCPHystartDelayCwnd] +=
        c->cwnd / c->snd_mss;
    trace_recovery(t, c, LA_RECOVERY_SLOW_START_END);
}

void cc_on_ack(struct tcp *t, struct tcp_conn *c, const struct cc_ack *ack)
{
    struct cc_scratch *k;

    if (!window_limited(c) || c->cwnd >= CC_CWND_MAX)
        return;
    k = scratch(t, c);
    if (c->ecn_reduced && k != NULL) { /* no growth in the round trip of a reduction */
        if (seq_le(c->snd.una, k->echo_end))
            return;
        c->ecn_reduced = false;
    }
    if (c->cwnd < c->ssthresh) {
        slow_start(t, c, k, ack);
        return;
    }
    switch ((enum cc_algorithm)c->set.congestion) {
    case CC_RENO:
        reno_avoidance(c, k, ack->acked);
        break;
    case CC_CUBIC:
        if (k == NULL)
            reno_avoidance(c, NULL, ack->acked);
        else
            cubic_avoidance(c, &k->cubic, ack->acked, (uint32_t)(t->env.now.ns / NS_PER_MS));
        break;
    case CC_DEFAULT:
    case CC_ALGORITHMS:
        LA_ASSERT(false);
    }
}

/*
 * FlightSize is the most that was in flight during the round trip: of a burst of ACKs the first
 * have been taken off already when the loss is seen, and nothing could be sent in between.
 */
static uint32_t flight_size(const struct tcp_conn *c, uint32_t now)
{
    const uint32_t peak = c->flight_peak < c->cwnd ? c->flight_peak : c->cwnd;

    return peak > now ? peak : now;
}

void cc_on_congestion(struct tcp *t, struct tcp_conn *c, enum cc_event event, uint32_t flight)
{
    struct cc_scratch *k = scratch(t, c);

    (void)event;
    switch ((enum cc_algorithm)c->set.congestion) {
    case CC_RENO:
        c->ssthresh = reno_ssthresh(c, flight_size(c, flight));
        break;
    case CC_CUBIC:
        c->ssthresh = cubic_ssthresh(c, flight_size(c, flight));
        cubic_on_congestion(c, k == NULL ? NULL : &k->cubic);
        break;
    case CC_DEFAULT:
    case CC_ALGORITHMS:
        LA_ASSERT(false);
    }
    if (k != NULL) {
        k->acked = 0;
        k->hystart = (struct cc_hystart){ 0 };
    }
}

enum cc_echo cc_on_echo(struct tcp *t, struct tcp_conn *c, tcp_seq ack)
{
    struct cc_scratch *k = scratch(t, c);

    if (c->in_recovery || c->rto_recovery)
        return CC_ECHO_LOSS; /* which has reduced it */
    if (c->ecn_reduced && (k == NULL || seq_le(ack, k->echo_end)))
        return CC_ECHO_AGAIN;
    cc_on_congestion(t, c, CC_ECN, conn_flight(c));
    if (c->cwnd > c->ssthresh && !flight_known(c))
        c->cwnd = c->ssthresh;
    c->ecn_reduced = true;
    trace_recovery(t, c, LA_RECOVERY_ECN);
    if (k != NULL)
        k->echo_end = c->snd.nxt;
    return CC_ECHO_REDUCES;
}

void cc_on_recovered(struct tcp *t, struct tcp_conn *c)
{
    (void)t;
    c->cwnd = c->ssthresh;
}

void cc_on_rto(struct tcp *t, struct tcp_conn *c, bool first)
{
    struct cc_scratch *k;

    if (first)
        cc_on_congestion(t, c, CC_LOSS, conn_flight(c));
    c->cwnd = c->snd_mss; /* LW of RFC 5681 3.1 */
    k = scratch_of(t, c);
    if (k != NULL) {
        k->acked = 0;
        cubic_on_rto(&k->cubic);
    }
}

void cc_save(const struct tcp *t, const struct tcp_conn *c, struct cc_saved *out)
{
    const struct cc_scratch *k = scratch_of(t, c);

    *out = (struct cc_saved){ .cwnd = c->cwnd, .ssthresh = c->ssthresh };
    if (k != NULL) {
        out->w_max = k->cubic.w_max;
        out->cwnd_prior = k->cubic.cwnd_prior;
    }
}

/* RFC 9438 4.9: as if it had not been; what grew meanwhile stays. */
void cc_undo(struct tcp *t, struct tcp_conn *c, const struct cc_saved *saved)
{
    struct cc_scratch *k = scratch_of(t, c);

    c->cwnd = c->cwnd > saved->cwnd ? c->cwnd : saved->cwnd;
    c->ssthresh = c->ssthresh > saved->ssthresh ? c->ssthresh : saved->ssthresh;
    if (k != NULL)
        k->cubic = (struct cc_cubic){ .w_max = saved->w_max, .cwnd_prior = saved->cwnd_prior };
}

/* RFC 5681 4.1: after an RTO without sending, begin again with the initial window. */
void cc_idle_restart(struct tcp *t, struct tcp_conn *c)
{
    uint32_t iw;

    if (!t->env.knobs.slow_start_after_idle || conn_flight(c) > 0 ||
        time_since(c->last_tx, t->env.now) <= rtt_rto_ns(t, c))
        return;
    iw = initial_window(t, c);
    if (c->cwnd <= iw)
        return;
    c->cwnd = iw;
    trace_recovery(t, c, LA_RECOVERY_IDLE);
}
