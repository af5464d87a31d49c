/* SPDX-License-Identifier: MIT */
/*
 * rack.c - What is lost, by time: RFC 8985 6.2, its steps in its order; and RFC 6675 where
 * net.ipv4.tcp_recovery turns that off.
 *
 * A segment is lost if one that was sent later has arrived, and a round trip and a reordering
 * window have passed since it was sent.  That holds for retransmissions too, so a lost
 * retransmission needs no timeout.  The window is zero until reordering is seen (three segments
 * SACKed are then enough), a quarter of the smallest round trip after that, and more each round
 * trip in which a D-SACK says that it was too small.
 *
 * Cost: step 5 walks the ranges, LA_INFLIGHT_RANGES_MAX at the most, and only after an ACK that
 * reports something while something is in doubt.
 */
#include "core/tcp/inflight.h"
#include "core/tcp/tcp.h"

#define DUP_THRESH 3u
#define REO_PERSIST 16u /* recoveries for which a wider window holds */
#define REO_MULT_MAX 15u
#define STATIC_WND_US 1000u

/* Bits of net.ipv4.tcp_recovery. */
#define RECOVERY_RACK 1u
#define RECOVERY_STATIC 2u
#define RECOVERY_NO_DUPTHRESH 4u

/* Modulo 2^32 us: nothing is in flight for half an hour. */
static bool us_lt(uint32_t a, uint32_t b)
{
    return a - b > UINT32_C(0x7fffffff);
}

/* RACK_sent_after(t1, seq1, t2, seq2) */
static bool sent_after(uint32_t us1, tcp_seq end1, uint32_t us2, tcp_seq end2)
{
    return us_lt(us2, us1) || (us1 == us2 && seq_gt(end1, end2));
}

/* Step 2: was the ACK of something sent twice called for by the first copy? */
static bool ambiguous(const struct flight_ack *k, const struct flight_range *r, uint32_t rtt_us)
{
    const struct tcp_conn *c = k->c;

    if (!(r->flags & FLIGHT_EVER))
        return false;
    if (c->timestamps && k->seg->opt.has_timestamps) {
        const uint32_t echo_ms = tcp_ts_now(k->t, c->ts_offset) - k->seg->opt.ts_ecr;

        /* The clock of time stamps ticks once a millisecond. */
        if ((uint64_t)echo_ms * 1000u > (uint64_t)rtt_us + 1000u)
            return true;
    }
    return rtt_us < c->min_rtt_us;
}

/* Step 3: RACK_detect_reordering(), and by how much, as Linux keeps it in tcp_reordering. */
static void reordered(struct flight_ack *k, tcp_seq start)
{
    struct tcp_conn *c = k->c;
    const uint32_t late = seq_diff(start, k->f->fack);
    const uint32_t most = k->t->env.knobs.max_reordering;
    uint32_t segs = (late + c->snd_mss - 1) / c->snd_mss;

    if (!c->reordering_seen)
        trace_recovery(k->t, c, LA_RECOVERY_REORDERING);
    c->reordering_seen = true;
    if (late <= k->late)
        return;
    k->late = late;
    env_count(&k->t->env, LA_COUNT_TCPSACKReorder);
    if (c->reord_seen < UINT8_MAX)
        c->reord_seen++;
    if (segs > most)
        segs = most;
    if (segs > c->reordering)
        c->reordering = (uint8_t)(segs < UINT8_MAX ? segs : UINT8_MAX);
}

void rack_arrived(struct flight_ack *k, const struct flight_range *r, tcp_seq start, tcp_seq end)
{
    struct flight *f = k->f;
    const uint32_t rtt_us = tcp_now_us(k->t) - r->sent_us;

    if (r->flags & FLIGHT_SACKED)
        return;
    k->delivered += seq_diff(start, end);
    if (!(r->flags & FLIGHT_EVER)) {
        k->original = k->original || seq_le(end, k->c->snd.recover);
        if (seq_lt(end, f->fack))
            reordered(k, start);
    }
    f->fack = seq_max(f->fack, end);
    if (ambiguous(k, r, rtt_us))
        return;
    f->rack_rtt_us = rtt_us;
    if (!f->rack_valid || sent_after(r->sent_us, end, f->rack_us, f->rack_end)) {
        f->rack_valid = true;
        f->rack_us = r->sent_us;
        f->rack_end = end;
    }
}

/* Step 4, DSACK-based adaptation: once a round trip. */
void rack_dsack(struct flight_ack *k)
{
    struct tcp_conn *c = k->c;
    struct flight *f = k->f;

    if (f->dsack_pending && seq_ge(c->snd.una, f->dsack_round))
        f->dsack_pending = false;
    if (!k->dsack || f->dsack_pending || k->t->env.knobs.recovery & RECOVERY_STATIC)
        return;
    f->dsack_pending = true;
    f->dsack_round = c->snd.nxt;
    if (c->reo_mult < REO_MULT_MAX)
        c->reo_mult++;
    c->reo_persist = REO_PERSIST;
}

void rack_recovered(struct tcp_conn *c)
{
    if (c->reo_persist > 0)
        c->reo_persist--;
    if (c->reo_persist == 0)
        c->reo_mult = 1;
}

/* Step 4: RACK_update_reo_wnd() */
static uint32_t reo_wnd_us(const struct flight_ack *k)
{
    const struct tcp_conn *c = k->c;
    const uint32_t how = k->t->env.knobs.recovery;
    const uint32_t srtt_us = c->srtt_us8 / 8;
    uint32_t wnd_us;

    if (!c->reordering_seen) {
        if (c->in_recovery || c->rto_recovery)
            return 0;
        if (k->f->sacked_segs >= c->reordering && !(how & RECOVERY_NO_DUPTHRESH))
            return 0;
    }
    if (how & RECOVERY_STATIC)
        return STATIC_WND_US;
    wnd_us = (uint32_t)((uint64_t)c->min_rtt_us * c->reo_mult / 4);
    return wnd_us < srtt_us ? wnd_us : srtt_us;
}

static void lose(struct flight_ack *k, uint32_t i)
{
    struct flight_range *r = flight_at(k->f, i);

    if (r->flags & FLIGHT_AGAIN)
        k->t->env.counters[LA_COUNT_TCPLostRetransmit] += r->segs;
    k->lost += seq_diff(flight_start(k->c, k->f, i), r->end);
    flight_flags(k->f, k->c, i, (r->flags & FLIGHT_EVER) | FLIGHT_LOST);
}

/* Step 5: RACK_detect_loss() */
static uint32_t detect_by_time(struct flight_ack *k)
{
    const struct flight *f = k->f;
    const uint32_t now_us = tcp_now_us(k->t);
    const uint32_t wait_us = f->rack_rtt_us + reo_wnd_us(k);
    uint32_t timeout_us = 0;

    for (uint32_t i = 0; i < f->count; i++) {
        const struct flight_range *r = flight_at(k->f, i);

        if (r->flags & FLIGHT_SACKED || (r->flags & (FLIGHT_LOST | FLIGHT_AGAIN)) == FLIGHT_LOST)
            continue;
        if (!sent_after(f->rack_us, f->rack_end, r->sent_us, r->end))
            continue;
        const uint32_t since_us = now_us - r->sent_us;
        if (since_us >= wait_us)
            lose(k, i);
        else if (wait_us - since_us > timeout_us)
            timeout_us = wait_us - since_us;
    }
    return timeout_us;
}

/*
 * RFC 6675 4, IsLost(): DupThresh segments above it, or more than (DupThresh - 1) * SMSS bytes,
 * have been SACKed.  A retransmission is left to the RTO.
 */
static void detect_by_count(struct flight_ack *k)
{
    const struct tcp_conn *c = k->c;
    const uint32_t thresh = c->reordering > DUP_THRESH ? c->reordering : DUP_THRESH;
    uint32_t segs = 0, bytes = 0;

    for (uint32_t i = k->f->count; i-- > 0;) {
        const struct flight_range *r = flight_at(k->f, i);

        if (r->flags & FLIGHT_SACKED) {
            segs += r->segs;
            bytes += seq_diff(flight_start(c, k->f, i), r->end);
        } else if (r->flags == 0 && (segs >= thresh || bytes > (thresh - 1) * c->snd_mss)) {
            lose(k, i);
        }
    }
}

uint32_t rack_detect(struct flight_ack *k)
{
    uint32_t timeout_us = 0;

    if (!(k->t->env.knobs.recovery & RECOVERY_RACK))
        detect_by_count(k);
    else if (k->f->rack_valid)
        timeout_us = detect_by_time(k);
    if (k->lost > 0) {
        flight_tidy(k->t, k->c, k->f);
        k->c->resend = k->f->resend > 0;
        k->c->dubious = true;
        trace_recovery(k->t, k->c, LA_RECOVERY_LOST);
    }
    return timeout_us;
}

/*
 * RFC 8985 6.3, RACK_mark_losses_on_RTO(): what stands at SND.UNA, and what was sent longer ago
 * than a round trip and the reordering window.  A SACK of what stands at SND.UNA is one that the
 * peer has taken back: then none of them counts (RFC 2018 8).
 */
void rack_mark_all(struct tcp *t, struct tcp_conn *c, struct flight *f)
{
    const struct flight_ack k = { .t = t, .c = c, .f = f };
    const bool reneged = f->count > 0 && flight_at(f, 0)->flags & FLIGHT_SACKED;
    const uint32_t wait_us = f->rack_rtt_us + reo_wnd_us(&k);
    const uint32_t now_us = tcp_now_us(t);

    if (reneged)
        env_count(&t->env, LA_COUNT_TCPSACKReneging);
    for (uint32_t i = 0; i < f->count; i++) {
        const struct flight_range *r = flight_at(f, i);

        if (r->flags & FLIGHT_SACKED && !reneged)
            continue;
        if (i > 0 && !reneged && f->rack_valid && now_us - r->sent_us < wait_us)
            continue;
        flight_flags(f, c, i, (r->flags & FLIGHT_EVER) | FLIGHT_LOST);
    }
    flight_tidy(t, c, f);
    c->resend = f->resend > 0;
    c->dubious = true;
}
