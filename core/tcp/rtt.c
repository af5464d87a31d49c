/* SPDX-License-Identifier: MIT */
/*
 * rtt.c - Round-trip time and RTO (RFC 6298).
 *
 * One segment is timed at a time, to the nanosecond.  Karn: a retransmission ends the
 * timing.  While nothing but retransmissions is under way, time stamps give samples, to
 * the millisecond.  The smallest RTO is tcp_rto_min_us, added to SRTT as on Linux.
 */
#include "core/tcp/tcp.h"

uint32_t tcp_ts_now(const struct tcp *t, uint32_t ts_offset)
{
    return (uint32_t)(t->env.now.ns / NS_PER_MS) + ts_offset;
}

/*
 * The least of the last tcp_min_rtt_wlen seconds (RFC 8985 5.2).  When the least is older than
 * that, the path may have become longer: the sample at hand takes its place, and what is less
 * follows at once.
 */
static void min_rtt(const struct tcp *t, struct tcp_conn *c, uint32_t rtt_us)
{
    /* 954 units of 2^20 ns are a second. */
    const uint32_t wlen = t->env.knobs.min_rtt_wlen * 954u;

    if (c->min_rtt_us == 0 || rtt_us <= c->min_rtt_us || tcp_coarse(t) - c->min_rtt_at > wlen) {
        c->min_rtt_us = rtt_us;
        c->min_rtt_at = tcp_coarse(t);
    }
}

void rtt_sample(struct tcp *t, struct tcp_conn *c, uint64_t rtt_ns)
{
    const uint64_t us = rtt_ns / NS_PER_US;
    const uint32_t r = us < 1 ? 1 : us > 60000000 ? 60000000 : (uint32_t)us;
    uint32_t var, rto;

    min_rtt(t, c, r);
    if (c->srtt_us8 == 0) { /* (2.2) */
        c->srtt_us8 = r * 8;
        c->rttvar_us4 = r * 2;
    } else { /* (2.3) */
        const uint32_t srtt = c->srtt_us8 / 8;
        const uint32_t err = r > srtt ? r - srtt : srtt - r;

        c->rttvar_us4 = c->rttvar_us4 - c->rttvar_us4 / 4 + err;
        c->srtt_us8 = c->srtt_us8 - c->srtt_us8 / 8 + r;
    }
    var = c->rttvar_us4; /* 4 * RTTVAR */
    if (var < t->env.knobs.rto_min_us)
        var = t->env.knobs.rto_min_us;
    rto = c->srtt_us8 / 8 + var;
    c->rto_us = rto;
    c->backoff =
        0; /* not before there is a sample: on a path slower than the RTO there never were one */
}

void rtt_on_ack(struct tcp *t, struct tcp_conn *c, const struct tcp_seg *seg, tcp_seq ack)
{
    if (c->timing && seq_gt(ack, c->rtt_seq)) {
        c->timing = false;
        rtt_sample(t, c, (tcp_now_us(t) - c->rtt_at_us) * NS_PER_US);
        return;
    }
    if (!c->timing && c->timestamps && seg->opt.has_timestamps &&
        (c->retransmits > 0 || c->backoff > 0)) {
        const uint32_t ms = tcp_ts_now(t, c->ts_offset) - seg->opt.ts_ecr;

        if (ms < 60000)
            rtt_sample(t, c, (ms > 0 ? ms : 1) * NS_PER_MS);
    }
}

/* The RTO in force, backed off. */
uint64_t rtt_rto_ns(const struct tcp *t, const struct tcp_conn *c)
{
    const uint64_t max_ns = t->env.knobs.rto_max_ms * NS_PER_MS;
    const uint32_t shift = c->backoff < 20 ? c->backoff : 20;
    const uint64_t ns = (c->rto_us * NS_PER_US) << shift;

    return ns < max_ns ? ns : max_ns;
}
