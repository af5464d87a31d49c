/* SPDX-License-Identifier: MIT */
/*
 * cc_reno.c - NewReno's window: slow start and congestion avoidance (RFC 5681 3.1), counted in
 * bytes (RFC 3465), so that dividing ACKs gains nothing.
 */
#include "core/tcp/tcp.h"

void reno_on_ack(struct tcp_conn *c, const struct cc_ack *ack)
{
    const uint32_t mss = c->snd_mss;
    const uint32_t most = CC_ABC_LIMIT * mss;

    if (c->cwnd < c->ssthresh) {
        c->cwnd += ack->acked < most ? ack->acked : most;
        return;
    }
    c->cc.acked += ack->acked;
    if (c->cc.acked >= c->cwnd) {
        c->cc.acked -= c->cwnd;
        c->cwnd += mss;
    }
}

/* Half of FlightSize, RFC 5681 (4). */
uint32_t reno_ssthresh(const struct tcp_conn *c, uint32_t flight)
{
    const uint32_t half = flight / 2;
    const uint32_t least = 2u * c->snd_mss;

    return half > least ? half : least;
}
