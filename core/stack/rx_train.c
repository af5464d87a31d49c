/* SPDX-License-Identifier: MIT */
/*
 * rx_train.c - Of a bulk transfer the segments of a burst have the same headers but for SEG.SEQ and
 * the checksum.
 *
 * So what was learnt from the first of them - form, addresses, connection, options, the sum of what
 * stays - holds for the next, if a comparison of the headers finds no other difference.  It saves the
 * way to the fast path, not the fast path: that one asks all its questions again, and whatever it does
 * not take goes the whole way from the beginning, as if nobody had compared.
 *
 * Invariant: between two segments of a train nothing runs but the fast path, which keeps the
 * connection where it is and in its state; a train does not outlive the call of la_rx().
 *
 * Cost: two thirds of what a segment costs before its text is touched.
 */
#include "core/stack/rx_train.h"

#include "core/base/bytes.h"
#include "core/base/checksum.h"

#define SEQ_AT 4
#define ACK_AT 8
#define CHECKSUM_AT 16
#define URGENT_AT 18

static uint32_t header_bytes(const struct rx_train *train)
{
    return train->p.segment_bytes - train->p.seg.len;
}

/* The three words that differ. */
static uint64_t own_sum(const uint8_t *segment)
{
    return (uint64_t)load_be16(segment + SEQ_AT) + load_be16(segment + SEQ_AT + 2) +
           load_be16(segment + CHECKSUM_AT);
}

void rx_train_begin(struct rx_train *train)
{
    train->on = train->a.fast && train->p.seg.len > 0;
    if (train->on) /* minus the three words: plus their complements */
        train->rest_sum = train->a.sum + 3 * (uint64_t)UINT16_MAX - own_sum(train->p.segment);
}

static uint64_t differ8(const uint8_t *a, const uint8_t *b)
{
    uint64_t x, y;

    memcpy(&x, a, 8);
    memcpy(&y, b, 8);
    return x ^ y;
}

/* Word by word; the last one overlaps the one before. */
static bool same(const uint8_t *a, const uint8_t *b, uint32_t len_bytes)
{
    uint64_t differ = 0;
    uint32_t at = 0;

    for (; at + 8 <= len_bytes; at += 8)
        differ |= differ8(a + at, b + at);
    if (at < len_bytes && at > 0)
        differ |= differ8(a + len_bytes - 8, b + len_bytes - 8);
    for (; at < len_bytes && len_bytes < 8; at++)
        differ |= (uint64_t)(a[at] ^ b[at]);
    return differ == 0;
}

static bool same_frame(const struct la_frame *a, const struct la_frame *b)
{
    return a->len_bytes == b->len_bytes && a->iface == b->iface && a->flags == b->flags &&
           a->gso_size_bytes == b->gso_size_bytes && a->csum_start == b->csum_start &&
           a->csum_offset == b->csum_offset && (a->span_count > 0) == (b->span_count > 0);
}

static bool same_headers(const struct rx_train *train, const uint8_t *a, const uint8_t *b)
{
    const uint32_t ip_bytes = (uint32_t)(train->p.segment - a);

    return same(a, b, ip_bytes + SEQ_AT) && same(a + ip_bytes + ACK_AT, b + ip_bytes + ACK_AT, 8) &&
           same(a + ip_bytes + URGENT_AT, b + ip_bytes + URGENT_AT,
                header_bytes(train) - URGENT_AT);
}

static uint32_t span_bytes(const struct la_frame *frame)
{
    uint32_t bytes = 0;

    for (uint32_t i = 0; i < frame->span_count; i++)
        bytes += frame->spans[i].len_bytes;
    return bytes;
}

bool rx_train_next(struct la_stack *s, struct rx_train *train, const struct la_frame *last,
                   const struct la_frame *next)
{
    struct tcp_seg *seg = &train->p.seg;
    struct tcp_arrival *a = &train->a;
    uint64_t *counters = s->tcp.env.counters;

    train->on = false;
    if (!same_frame(last, next) || !same_headers(train, last->bytes, next->bytes) ||
        (next->span_count > 0 && span_bytes(next) != seg->len))
        return false;
    train->p.segment = next->bytes + (train->p.segment - last->bytes);
    seg->seq = seq_of(load_be32(train->p.segment + SEQ_AT));
    seg->text = next->span_count > 0 ? NULL : train->p.segment + header_bytes(train);
    a->sum = train->rest_sum + own_sum(train->p.segment);
    a->text = seg->text;
    a->text_seq = seg->seq;
    a->whole.bytes = seg->text;
    a->spans = next->span_count > 0 ? next->spans : &a->whole;
    a->span_count = next->span_count > 0 ? next->span_count : 1;
    if (!tcp_arrives_more(a))
        return false;
    counters[LA_COUNT_IpInReceives]++;
    env_count_ecn(&s->tcp.env, a->ecn);
    counters[LA_COUNT_IpInDelivers]++;
    counters[LA_COUNT_InSegs] += a->segs;
    train->on = true;
    return true;
}
