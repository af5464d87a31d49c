/* SPDX-License-Identifier: MIT */
/*
 * cc_cubic.c - CUBIC (RFC 9438): after a reduction the window returns towards where it was
 * along a cubic curve of time, flat near that point, and probes beyond it.
 *
 * The RFC counts windows in segments and time in seconds.  Here windows are bytes and time
 * is milliseconds, so with C = 0.4
 *
 *     W_cubic(t) = W_max + 4 * MSS * (t - K)^3 / 10^10
 *     K^3 = (W_max - cwnd_epoch) / MSS * 2.5 * 10^9
 *
 * in integers throughout; what a division by cwnd leaves over is carried to the next ACK.
 *
 * K is kept, W_cubic is worked out for each ACK, two products and a division.  A connection that
 * has rested has given its scratch back: W_max is then what ssthresh was made from.
 */
#include "core/base/cube_root.h"
#include "core/base/muldiv.h"
#include "core/tcp/tcp.h"

#define CUBE_DIVISOR UINT64_C(10000000000) /* (1000 ms)^3 * 10 */
#define CUBE_FACTOR 4u                     /* C * 10 */
#define T_MAX_MS (1u << 20)                /* a cube of it fits 60 bits; 17 minutes */
/* alpha of RFC 9438 4.3: 3 * (1 - beta) / (1 + beta) */
#define ALPHA_NUM 9u
#define ALPHA_DEN 17u

/* Beta is 0.7 (4.6). */
uint32_t cubic_ssthresh(const struct tcp_conn *c, uint32_t flight)
{
    const uint32_t reduced = (uint32_t)((uint64_t)flight * 7 / 10);
    const uint32_t least = 2u * c->snd_mss;

    return reduced > least ? reduced : least;
}

/* 4.6 and 4.7, fast convergence: who loses below the last maximum gives way further. */
void cubic_on_congestion(const struct tcp_conn *c, struct cc_cubic *k)
{
    if (k == NULL)
        return;
    k->w_max = c->cwnd < k->w_max ? (uint32_t)((uint64_t)c->cwnd * 17 / 20) : c->cwnd;
    k->cwnd_prior = c->cwnd;
    k->epoch = false;
    k->no_plateau = false;
}

/* 4.8: the congestion avoidance after the slow start that follows begins a curve of its own. */
void cubic_on_rto(struct cc_cubic *k)
{
    if (k == NULL)
        return;
    k->epoch = false;
    k->no_plateau = true;
}

static void begin_epoch(const struct tcp_conn *c, struct cc_cubic *k, uint32_t now_ms)
{
    const uint32_t cwnd = c->cwnd;

    if (k->w_max == 0 && c->ssthresh < CC_CWND_MAX &&
        !k->no_plateau) /* forgotten while it rested */
        k->w_max = k->cwnd_prior = (uint32_t)((uint64_t)c->ssthresh * 10 / 7);
    if (k->no_plateau || k->w_max <= cwnd) {
        k->w_max = cwnd;
        k->k_ms = 0;
    } else {
        const uint64_t gap = k->w_max - cwnd;
        k->k_ms = cube_root(muldiv64(gap, UINT64_C(2500000000), c->snd_mss));
    }
    if (k->cwnd_prior < cwnd)
        k->cwnd_prior = cwnd;
    k->epoch = true;
    k->epoch_ms = k->last_ms = now_ms;
    k->w_est = cwnd;
    k->rest = k->rest_est = 0;
}

uint64_t cubic_window(const struct cc_cubic *k, uint32_t mss, uint32_t t_ms)
{
    const bool below = t_ms < k->k_ms;
    const uint32_t gap = below ? k->k_ms - t_ms : t_ms - k->k_ms;
    const uint64_t d = gap < T_MAX_MS ? gap : T_MAX_MS;
    const uint64_t delta = muldiv64(d * d * d, (uint64_t)CUBE_FACTOR * mss, CUBE_DIVISOR);

    if (below)
        return delta < k->w_max ? k->w_max - delta : 0;
    return delta < UINT32_MAX ? k->w_max + delta : UINT32_MAX;
}

/* 4.3: what NewReno with the same average would have; from W_max on it grows as NewReno does. */
static void estimate(const struct tcp_conn *c, struct cc_cubic *k, uint32_t acked)
{
    const bool slow = k->w_est < k->cwnd_prior;
    const uint64_t den = (uint64_t)c->cwnd * (slow ? ALPHA_DEN : 1);
    const uint64_t num = (uint64_t)acked * c->snd_mss * (slow ? ALPHA_NUM : 1) + k->rest_est;
    const uint64_t grown = k->w_est + num / den;

    k->w_est = grown < CC_CWND_MAX ? (uint32_t)grown : CC_CWND_MAX;
    k->rest_est = num % den < UINT32_MAX ? (uint32_t)(num % den) : UINT32_MAX;
}

void cubic_avoidance(struct tcp_conn *c, struct cc_cubic *k, uint32_t acked, uint32_t now_ms)
{
    const uint32_t cwnd = c->cwnd;
    const uint32_t rtt_ms = c->srtt_us8 / 8000;
    uint64_t target;

    LA_ASSERT(cwnd > 0);
    if (!k->epoch)
        begin_epoch(c, k, now_ms);
    /* Time in which the window did not limit sending is no time of the curve (4.2). */
    if (now_ms - k->last_ms > rtt_ms + 1)
        k->epoch_ms += now_ms - k->last_ms - (rtt_ms + 1);
    k->last_ms = now_ms;
    const uint32_t t_ms = now_ms - k->epoch_ms;
    estimate(c, k, acked);
    if (cubic_window(k, c->snd_mss, t_ms) < k->w_est) { /* 4.3: the Reno-friendly region */
        if (k->w_est > cwnd)
            c->cwnd = k->w_est;
        return;
    }
    target = cubic_window(k, c->snd_mss, t_ms + rtt_ms); /* 4.4, 4.5 */
    if (target > cwnd + cwnd / 2)
        target = cwnd + cwnd / 2;
    if (target <= cwnd)
        return;
    const uint64_t num = (target - cwnd) * acked + k->rest;
    c->cwnd += (uint32_t)(num / cwnd);
    k->rest = (uint32_t)(num % cwnd);
}
