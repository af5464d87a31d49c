/* SPDX-License-Identifier: MIT */
/*
 * loop_trace.c - What the loop shows of a stack: trace records, and packets together with
 * the record each of them caused.
 *
 * Records carry no packet, so to know which verdict belongs to which packet only one may
 * be on its way at a time: with a capture, la_rx() and la_tx() move single packets.  The
 * protocol does the same either way, since acknowledgments are merged until la_tx().
 */
#include "runtime/loop.h"

#include <string.h>

/* Keep the record of a segment that was sent; the oldest goes if there are too many. */
static void keep_sent(struct loop_host *h, const struct la_trace *record)
{
    if (h->sent_head - h->sent_tail == LOOP_SENT_RECORDS)
        h->sent_tail++;
    h->sent[h->sent_head++ % LOOP_SENT_RECORDS] = *record;
}

/*
 * Read all that is there.  The first record of a segment received is copied to @received;
 * those of segments sent are kept.  Return: whether there was one received.
 */
static bool read_all(struct la_rt_loop *l, struct loop_host *h, struct la_trace *received)
{
    struct la_trace records[LOOP_TRACE_BATCH];
    bool seen = false;
    uint32_t count;

    do {
        uint64_t lost = 0;
        count = la_trace_read(h->pub.stack, records, LOOP_TRACE_BATCH, &lost);
        for (uint32_t i = 0; i < count; i++) {
            if (records[i].kind == LA_TRACE_RX && !seen) {
                *received = records[i];
                seen = true;
            }
            if (records[i].kind == LA_TRACE_TX && h->sent != NULL)
                keep_sent(h, &records[i]);
        }
        l->stats.traces_lost += lost;
        if (h->pub.on_trace != NULL && (count > 0 || lost > 0))
            h->pub.on_trace(h->pub.observer, records, count, lost);
    } while (count == LOOP_TRACE_BATCH);
    return seen;
}

/* Is this the packet the record is about?  @bytes is one the stack has made: well-formed. */
static bool is_of(const struct la_trace *t, const uint8_t *bytes, uint32_t len_bytes)
{
    const bool v4 = bytes[0] >> 4 == 4;
    const uint32_t at = v4 ? (bytes[0] & 15u) * 4u : 40u;

    if (len_bytes < at + 20 || bytes[v4 ? 9 : 6] != 6)
        return false; /* not TCP */
    const uint32_t seq = (uint32_t)bytes[at + 4] << 24 | (uint32_t)bytes[at + 5] << 16 |
                         (uint32_t)bytes[at + 6] << 8 | bytes[at + 7];
    const uint32_t remote_port = (uint32_t)bytes[at + 2] << 8 | bytes[at + 3];
    return seq == t->seq && remote_port == t->remote.port && bytes[at + 13] == t->flags;
}

/*
 * The record of a packet that goes out.  Answers are recorded when they are decided, before
 * their packets are taken, and both come in one order; what is in front of the match is of
 * packets that never were.
 */
static const struct la_trace *record_of(struct loop_host *h, const uint8_t *bytes, uint32_t len)
{
    for (uint32_t i = h->sent_tail; i != h->sent_head; i++) {
        const struct la_trace *t = &h->sent[i % LOOP_SENT_RECORDS];
        if (!is_of(t, bytes, len))
            continue;
        h->sent_tail = i + 1;
        return t;
    }
    return NULL;
}

void loop_read_trace(struct la_rt_loop *l, struct loop_host *h)
{
    struct la_trace ignored;

    if (h->pub.on_trace != NULL || h->pub.on_packet != NULL)
        (void)read_all(l, h, &ignored);
}

/*
 * Finish the checksum that the device left to be finished, in a copy of the packet: a capture
 * shows what anybody who verifies it would see.
 */
static void finish_checksum(struct la_rt_loop *l, uint8_t *bytes, uint32_t len_bytes,
                            uint32_t start, uint32_t offset)
{
    if (start + offset + 2 > len_bytes)
        return;
    const uint16_t sum =
        (uint16_t)~la_checksum(l->cpu_features, 0, bytes + start, len_bytes - start);
    bytes[start + offset] = (uint8_t)(sum >> 8);
    bytes[start + offset + 1] = (uint8_t)sum;
}

static void show(struct la_rt_loop *l, struct loop_host *h, const uint8_t *bytes,
                 uint32_t len_bytes, uint32_t gso_size_bytes, bool outbound,
                 const struct la_trace *trace)
{
    const struct la_rt_packet packet = {
        .wallclock_ns = l->now.ns + l->wall_offset_ns,
        .bytes = bytes,
        .len_bytes = len_bytes,
        .gso_size_bytes = gso_size_bytes,
        .outbound = outbound,
        .trace = trace,
    };
    h->pub.on_packet(h->pub.observer, &packet);
}

static void show_received(struct la_rt_loop *l, struct loop_host *h, const struct la_frame *f,
                          const struct la_trace *record)
{
    const uint8_t *bytes = f->bytes;

    if (f->flags & LA_FRAME_CSUM_PARTIAL && f->len_bytes <= sizeof l->flat) {
        memcpy(l->flat, f->bytes, f->len_bytes);
        finish_checksum(l, l->flat, f->len_bytes, f->csum_start, f->csum_offset);
        bytes = l->flat;
    }
    show(l, h, bytes, f->len_bytes, f->gso_size_bytes, false, record);
}

void loop_receive_captured(struct la_rt_loop *l, struct loop_host *h, const struct la_frame *frames,
                           uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct la_trace record;
        la_rx(h->pub.stack, l->now, &frames[i], 1);
        const bool seen = read_all(l, h, &record);
        show_received(l, h, &frames[i], seen ? &record : NULL);
    }
}

void loop_flat(const struct la_tx *like, const uint8_t *bytes, uint32_t len_bytes,
               struct la_tx *out)
{
    *out = (struct la_tx){
        .conn = like->conn,
        .len_bytes = len_bytes,
        .iface = like->iface,
        .flags = like->flags,
        .gso_size_bytes = like->gso_size_bytes,
        .csum_start = like->csum_start,
        .csum_offset = like->csum_offset,
        .span_count = 1,
        .spans = { { bytes, len_bytes } },
    };
}

void loop_capture_sent(struct la_rt_loop *l, struct loop_host *h)
{
    struct la_trace ignored;
    const uint32_t len = la_tx_copy(&h->tx[0], l->flat, sizeof l->flat);
    const struct la_tx like = h->tx[0];
    const struct la_trace *record;
    uint8_t unfinished[2] = { 0 };

    loop_flat(&like, l->flat, len, &h->tx[0]);
    (void)read_all(l, h, &ignored);
    record = record_of(h, l->flat, len);
    if (!(like.flags & LA_TX_CSUM_PARTIAL)) {
        show(l, h, l->flat, len, 0, true, record);
        return;
    }
    /* The device still wants it unfinished. */
    uint8_t *field = l->flat + like.csum_start + like.csum_offset;
    memcpy(unfinished, field, sizeof unfinished);
    finish_checksum(l, l->flat, len, like.csum_start, like.csum_offset);
    show(l, h, l->flat, len, like.gso_size_bytes, true, record);
    memcpy(field, unfinished, sizeof unfinished);
}
