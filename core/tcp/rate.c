/* SPDX-License-Identifier: MIT */
/*
 * rate.c - How fast text is delivered: samples of draft-cheng-iccrg-delivery-rate-estimation.
 *
 * A sample is what was delivered between two moments, divided by the time between them.  Up to
 * four of what is in flight carry a mark: the end of what was sent, when, and how much had been
 * delivered when.  When the marked text is acknowledged a sample is there; the time is the longer
 * one of sending and of acknowledging, so that neither a burst of one nor of the other makes
 * it too large, and one shorter than the smallest round trip says nothing.  Marks are a quarter
 * of a round trip apart.  The draft marks each packet and takes a sample from each ACK; these
 * are a few of the same samples, and all that they compare is of the same moments.
 *
 * A sample of text that was sent while the application left the window unused tells of the
 * application: such samples are said to be, and replace what is told of the connection only if
 * they are larger, as on Linux.
 *
 * What is told survives the block in 32 bits: 26 of the number, 5 of its exponent, one that says
 * whether it was the application's.  Error: below 1 in 30 million.
 *
 * Cost: a comparison for what is sent and what is acknowledged; a division a sample.
 */
#include "core/tcp/inflight.h"
#include "core/tcp/tcp.h"

#define MANTISSA_BITS 26u

/* Bytes a second, packed. */
static uint32_t pack(uint64_t rate, bool limited)
{
    uint32_t exponent = 0;

    while (rate >> MANTISSA_BITS != 0) {
        rate >>= 1;
        exponent++;
    }
    if (exponent > 31)
        return UINT32_MAX;
    return (uint32_t)rate << 6 | exponent << 1 | limited;
}

uint64_t rate_told(const struct tcp_conn *c, bool *limited)
{
    *limited = (c->rate & 1u) != 0;
    return (uint64_t)(c->rate >> 6) << (c->rate >> 1 & 31u);
}

/* Before it nothing was in flight, so what is sent first was the application's to send. */
void rate_begin(const struct tcp *t, const struct tcp_conn *c, struct flight *f)
{
    f->rate.limited = true;
    f->rate.limited_until = c->snd.una;
    f->rate.base_us = f->rate.first_us = tcp_now_us(t);
}

static void mark(struct tcp *t, const struct tcp_conn *c, struct flight_rate *r, tcp_seq end)
{
    const uint32_t now_us = tcp_now_us(t);

    if (r->count == RATE_MARKS ||
        (r->count > 0 && now_us - r->mark[r->count - 1u].sent_us < c->srtt_us8 / 8 / RATE_MARKS))
        return;
    r->mark[r->count++] = (struct rate_mark){
        .end = end,
        .sent_us = now_us,
        .delivered = r->base,
        .delivered_us = r->base_us,
        .first_us = r->first_us,
        .limited = r->limited,
    };
}

/* SND.NXT moves to @end.  Does that leave room in the window, and nothing to fill it? */
void rate_sent(struct tcp *t, const struct tcp_conn *c, struct flight *f, tcp_seq end)
{
    struct flight_rate *r = &f->rate;
    const tcp_seq text_end = seq_add(c->snd.una, c->sndq.len_bytes);
    const uint32_t more = seq_lt(end, text_end) ? seq_diff(end, text_end) : 0;

    mark(t, c, r, end);
    if (more >= c->snd_mss || c->resend ||
        conn_pipe(t, c) + seq_diff(c->snd.nxt, end) + c->snd_mss > c->cwnd)
        return;
    if (!r->limited)
        trace_recovery(t, c, LA_RECOVERY_APP_LIMITED);
    r->limited = true;
    r->limited_until = end;
}

void rate_acked(struct flight_ack *k, struct cc_ack *out)
{
    struct tcp_conn *c = k->c;
    struct flight_rate *r = &k->f->rate;
    struct rate_mark m = { .sent_us = 0 };
    uint32_t n = 0;
    bool limited;

    r->delivered += k->delivered;
    if (r->limited && seq_gt(c->snd.una, r->limited_until))
        r->limited = false;
    while (n < r->count && seq_le(r->mark[n].end, c->snd.una))
        m = r->mark[n++];
    if (n == 0)
        return;
    r->count = (uint8_t)(r->count - n);
    memmove(&r->mark[0], &r->mark[n], r->count * sizeof(r->mark[0]));
    const uint32_t now_us = tcp_now_us(k->t);
    const uint32_t ack_us = now_us - m.delivered_us;
    const uint32_t send_us = m.sent_us - m.first_us;
    const uint32_t us = ack_us > send_us ? ack_us : send_us;
    const uint32_t bytes = r->delivered - m.delivered;

    r->base = r->delivered;
    r->base_us = now_us;
    r->first_us = m.sent_us;
    if (us == 0 || us < c->min_rtt_us)
        return;
    out->rate = (uint64_t)bytes * 1000000u / us;
    out->rate_us = us;
    out->app_limited = m.limited;
    if (!m.limited || out->rate >= rate_told(c, &limited))
        c->rate = pack(out->rate, m.limited);
}
