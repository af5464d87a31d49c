/* SPDX-License-Identifier: MIT */
/*
 * cc_newreno.c - The congestion window: slow start and congestion avoidance (RFC 5681),
 * counted in bytes (RFC 3465), so that dividing ACKs gains nothing.
 *
 * The window grows only while it is what limits sending: judged by the most that was in
 * flight during a round trip, not by the moment, since ACKs come in bursts between which
 * nothing is sent.
 */
#include "core/tcp/tcp.h"

#define CWND_MAX (1u << 30)
#define ABC_LIMIT 8 /* L of RFC 3465, as RFC 9406 4.2 has it: receivers merge ACKs of a burst */

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
    c->ssthresh = CWND_MAX;
    c->acked_in_ca = 0;
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

void cc_on_ack(struct tcp_conn *c, uint32_t acked)
{
    const uint32_t mss = c->snd_mss;
    const bool limited =
        c->cwnd < c->ssthresh ? c->cwnd < 2 * c->flight_peak : c->cwnd < c->flight_peak + mss;

    if (!limited || c->cwnd >= CWND_MAX)
        return;
    if (c->cwnd < c->ssthresh) {
        c->cwnd += acked < ABC_LIMIT * mss ? acked : ABC_LIMIT * mss;
        return;
    }
    c->acked_in_ca += acked;
    if (c->acked_in_ca >= c->cwnd) {
        c->acked_in_ca -= c->cwnd;
        c->cwnd += mss;
    }
}

/* RFC 5681 4.1: after an RTO without sending, begin again with the initial window. */
void cc_idle_restart(const struct tcp *t, struct tcp_conn *c)
{
    uint32_t iw;

    if (conn_flight(c) > 0 || time_since(c->last_tx, t->env.now) <= rtt_rto_ns(t, c))
        return;
    iw = initial_window(t, c);
    if (c->cwnd > iw)
        c->cwnd = iw;
}
