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

/* Read all that is there; the first record of @kind is copied to @found.  Return: found. */
static bool read_for(struct la_rt_loop *l, struct loop_host *h, enum la_trace_kind kind,
                     struct la_trace *found)
{
    struct la_trace records[LOOP_TRACE_BATCH];
    bool seen = false;
    uint32_t count;

    do {
        uint64_t lost = 0;
        count = la_trace_read(h->pub.stack, records, LOOP_TRACE_BATCH, &lost);
        for (uint32_t i = 0; i < count && !seen; i++) {
            if (records[i].kind != kind)
                continue;
            *found = records[i];
            seen = true;
        }
        l->stats.traces_lost += lost;
        if (h->pub.on_trace != NULL && (count > 0 || lost > 0))
            h->pub.on_trace(h->pub.observer, records, count, lost);
    } while (count == LOOP_TRACE_BATCH);
    return seen;
}

void loop_read_trace(struct la_rt_loop *l, struct loop_host *h)
{
    struct la_trace ignored;

    if (h->pub.on_trace != NULL)
        (void)read_for(l, h, LA_TRACE_RX, &ignored);
}

static void show(struct la_rt_loop *l, struct loop_host *h, const uint8_t *bytes,
                 uint32_t len_bytes, bool outbound, const struct la_trace *trace)
{
    const struct la_rt_packet packet = {
        .wallclock_ns = l->now.ns + l->wall_offset_ns,
        .bytes = bytes,
        .len_bytes = len_bytes,
        .outbound = outbound,
        .trace = trace,
    };
    h->pub.on_packet(h->pub.observer, &packet);
}

void loop_receive_captured(struct la_rt_loop *l, struct loop_host *h, const struct la_frame *frames,
                           uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct la_trace record;
        la_rx(h->pub.stack, l->now, &frames[i], 1);
        const bool seen = read_for(l, h, LA_TRACE_RX, &record);
        show(l, h, frames[i].bytes, frames[i].len_bytes, false, seen ? &record : NULL);
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
    struct la_trace record;
    const uint32_t len = la_tx_copy(&h->tx[0], l->flat, sizeof l->flat);
    const struct la_tx like = h->tx[0];

    loop_flat(&like, l->flat, len, &h->tx[0]);
    const bool seen = read_for(l, h, LA_TRACE_TX, &record);
    show(l, h, l->flat, len, true, seen ? &record : NULL);
}
