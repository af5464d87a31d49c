/* SPDX-License-Identifier: MIT */
/*
 * cc_hystart.c - The initial slow start ends before the bottleneck's queue overflows: HyStart++
 * (RFC 9406), and the length of ACK trains.
 *
 * Rounds are delimited by SND.NXT.  In each the least RTT is kept; when it has risen by an
 * eighth over the round before, growth slows to a quarter.  If it falls again, that was jitter
 * and slow start goes on; after five such rounds congestion avoidance begins.  A round begins with
 * the first ACK after the one that ended the round before, when what that one allowed has been
 * sent: else the tail of a train would be the first of the next round, and its RTT is the longest.
 *
 * The least RTT of a round rises only when a queue stands from one round to the next, by when the
 * window is twice what the path holds, and slow start doubles it once more before a loss tells.
 * The first segments of a train meet no queue, its last ones do; so the train itself is measured,
 * as the first HyStart did (and Linux does).  What was sent at once comes back at the bottleneck's
 * rate, so when ACKs follow each other for half of the least RTT, the window, which doubles with
 * them, holds what the path does: then congestion avoidance begins at once.  A gap of an eighth of
 * the least RTT ends a train; on short paths it may be a quarter, up to 2 ms.  Pacing spreads what
 * is sent over half of a round trip, so there a train must last for three quarters.
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

#define TRAIN_SEGS_MIN 16u /* a smaller window says nothing: that of Linux */
#define TRAIN_GAP_US 2000u /* on short paths */

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

/* How long a pause ends a train. */
static uint32_t train_gap_us(uint32_t min_rtt_us)
{
    const uint32_t least = min_rtt_us / 4 < TRAIN_GAP_US ? min_rtt_us / 4 : TRAIN_GAP_US;

    return min_rtt_us / 8 > least ? min_rtt_us / 8 : least;
}

/* Has a train of ACKs become so long that what was sent at once fills the path? */
static bool long_train(const struct tcp_conn *c, struct cc_hystart *h, uint32_t now_us, bool paced)
{
    const bool goes_on = h->train && now_us - h->ack_us <= train_gap_us(c->min_rtt_us);

    h->ack_us = now_us;
    if (!goes_on) {
        h->train = true;
        h->train_us = now_us;
    }
    return c->min_rtt_us > 0 && c->cwnd >= TRAIN_SEGS_MIN * c->snd_mss &&
           now_us - h->train_us > (paced ? c->min_rtt_us / 4 * 3 : c->min_rtt_us / 2);
}

enum cc_slow_start hystart_on_ack(struct tcp_conn *c, struct cc_hystart *h,
                                  const struct cc_ack *ack, uint32_t now_us, bool paced)
{
    const uint32_t before = c->cwnd;

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
    if (long_train(c, h, now_us, paced))
        return CC_ENDS_BY_TRAIN;
    if (seq_ge(c->snd.una, h->window_end)) {
        if (h->css && ++h->css_rounds >= CSS_ROUNDS)
            return CC_ENDS_BY_DELAY;
        h->begun = false;
    }
    return CC_GOES_ON;
}
