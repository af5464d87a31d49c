/* SPDX-License-Identifier: MIT */
/*
 * cc.c - What all congestion control has in common: the initial window (RFC 6928), validation
 * of the window, rest and return (RFC 5681 4.1), and the choice of the algorithm.
 *
 * The window grows only while it is what limits sending: judged by the most that was in
 * flight during a round trip, not by the moment, since ACKs come in bursts between which
 * nothing is sent.
 */
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
    c->cc = (struct cc_state){ 0 };
    if (c->set.congestion == CC_DEFAULT)
        c->set.congestion = t->congestion & 3u;
    c->flight_peak = 0;
    c->peak_end = c->snd.una;
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

void cc_on_ack(struct tcp *t, struct tcp_conn *c, const struct cc_ack *ack)
{
    (void)t;
    if (!window_limited(c) || c->cwnd >= CC_CWND_MAX)
        return;
    switch ((enum cc_algorithm)c->set.congestion) {
    case CC_RENO:
        reno_on_ack(c, ack);
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
    (void)t;
    (void)event;
    switch ((enum cc_algorithm)c->set.congestion) {
    case CC_RENO:
        c->ssthresh = reno_ssthresh(c, flight_size(c, flight));
        break;
    case CC_DEFAULT:
    case CC_ALGORITHMS:
        LA_ASSERT(false);
    }
    c->cc.acked = 0;
}

void cc_on_recovered(struct tcp *t, struct tcp_conn *c)
{
    (void)t;
    c->cwnd = c->ssthresh;
}

void cc_on_rto(struct tcp *t, struct tcp_conn *c, bool first)
{
    if (first)
        cc_on_congestion(t, c, CC_LOSS, conn_flight(c));
    c->cwnd = c->snd_mss; /* LW of RFC 5681 3.1 */
    c->cc.acked = 0;
}

void cc_save(const struct tcp_conn *c, struct cc_saved *out)
{
    *out = (struct cc_saved){ .cwnd = c->cwnd, .ssthresh = c->ssthresh, .state = c->cc };
}

/* As if it had not been; what grew meanwhile stays. */
void cc_undo(struct tcp *t, struct tcp_conn *c, const struct cc_saved *saved)
{
    (void)t;
    c->cwnd = c->cwnd > saved->cwnd ? c->cwnd : saved->cwnd;
    c->ssthresh = c->ssthresh > saved->ssthresh ? c->ssthresh : saved->ssthresh;
    c->cc = saved->state;
}

/* RFC 5681 4.1: after an RTO without sending, begin again with the initial window. */
void cc_idle_restart(const struct tcp *t, struct tcp_conn *c)
{
    uint32_t iw;

    if (!t->env.knobs.slow_start_after_idle || conn_flight(c) > 0 ||
        time_since(c->last_tx, t->env.now) <= rtt_rto_ns(t, c))
        return;
    iw = initial_window(t, c);
    if (c->cwnd > iw)
        c->cwnd = iw;
}
