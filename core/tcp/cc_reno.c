/* SPDX-License-Identifier: MIT */
/*
 * cc_reno.c - NewReno's window: slow start and congestion avoidance (RFC 5681 3.1), counted in
 * bytes (RFC 3465), so that dividing ACKs gains nothing.
 */
#include "core/tcp/tcp.h"

void reno_slow_start(struct tcp_conn *c, uint32_t acked)
{
    const uint32_t most = CC_ABC_LIMIT * c->snd_mss;

    c->cwnd += acked < most ? acked : most;
}

/* A segment for each window acknowledged. */
void reno_avoidance(struct tcp_conn *c, struct cc_scratch *k, uint32_t acked)
{
    const uint32_t mss = c->snd_mss;

    if (k == NULL) { /* RFC 5681 (3), for as many bytes as there are */
        c->cwnd += (uint32_t)((uint64_t)(acked < c->cwnd ? acked : c->cwnd) * mss / c->cwnd);
        return;
    }
    k->acked += acked;
    if (k->acked >= c->cwnd) {
        k->acked -= c->cwnd;
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
