/* SPDX-License-Identifier: MIT */
/*
 * cc_hystart.c - HyStart++ (RFC 9406): the initial slow start ends when the round-trip time
 * rises, before the bottleneck's queue overflows.
 *
 * Rounds are delimited by SND.NXT.  In each the least RTT is kept; when it has risen by an
 * eighth over the round before, growth slows to a quarter.  If it falls again, that was jitter
 * and slow start goes on; after five such rounds congestion avoidance begins.
 *
 * A sample is one RTT a burst of ACKs measured: a receiver that merges ACKs gives fewer, and a
 * round with fewer than eight decides nothing.
 */
#include "core/tcp/tcp.h"

/* 4.3 */
#define MIN_RTT_THRESH_US 4000u
#define MAX_RTT_THRESH_US 16000u
#define MIN_RTT_DIVISOR 8u
#define N_RTT_SAMPLE 8u
#define CSS_GROWTH_DIVISOR 4u
#define CSS_ROUNDS 5u

static void begin_round(const struct tcp_conn *c, struct cc_hystart *h)
{
    h->window_end = c->snd.nxt;
    h->last_min_us = h->current_min_us;
    h->current_min_us = 0;
    h->samples = 0;
    h->begun = true;
}

static void sample(struct cc_hystart *h, uint32_t rtt_us)
{
    if (rtt_us == 0)
        return;
    if (h->current_min_us == 0 || rtt_us < h->current_min_us)
        h->current_min_us = rtt_us;
    if (h->samples < N_RTT_SAMPLE)
        h->samples++;
}

/* In slow start: has the RTT risen? */
static void look_for_rise(struct cc_hystart *h)
{
    uint32_t thresh = h->last_min_us / MIN_RTT_DIVISOR;

    if (h->samples < N_RTT_SAMPLE || h->last_min_us == 0)
        return;
    if (thresh < MIN_RTT_THRESH_US)
        thresh = MIN_RTT_THRESH_US;
    if (thresh > MAX_RTT_THRESH_US)
        thresh = MAX_RTT_THRESH_US;
    if (h->current_min_us < h->last_min_us + thresh)
        return;
    h->css_baseline_us = h->current_min_us;
    h->css = true;
    h->css_rounds = 0;
}

bool hystart_on_ack(struct tcp_conn *c, struct cc_hystart *h, const struct cc_ack *ack)
{
    const uint32_t before = c->cwnd;
    bool over = false;

    if (!h->begun)
        begin_round(c, h);
    reno_slow_start(c, ack->acked);
    if (h->css)
        c->cwnd = before + (c->cwnd - before) / CSS_GROWTH_DIVISOR;
    sample(h, ack->rtt_us);
    if (!h->css)
        look_for_rise(h);
    else if (h->samples >= N_RTT_SAMPLE && h->current_min_us < h->css_baseline_us) {
        h->css = false; /* it was jitter */
        h->css_baseline_us = 0;
    }
    if (seq_ge(c->snd.una, h->window_end)) {
        if (h->css && ++h->css_rounds >= CSS_ROUNDS)
            over = true;
        begin_round(c, h);
    }
    return over;
}
