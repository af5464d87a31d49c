/* SPDX-License-Identifier: MIT */
/*
 * loopback.c - Packets from the stack to one of its own addresses.
 *
 * They are made like all others, by la_tx(), and never leave it: each is copied into one chunk of the
 * pool and arrives at the next call of la_tx() or la_tick(), when descriptors handed out before are
 * no longer looked at.  So nothing is entered twice, and a connection's two ends here are as
 * independent as if a wire lay between them.  As on Linux's lo the hop limit stays as it is, and
 * the checksum is not looked at again.
 *
 * Bounded: LA_LOOPBACK_PACKETS_MAX packets; beyond it, or without a chunk that may be taken, a
 * packet is lost and counted, and TCP repeats it.  The loopback's MTU is what a chunk holds.
 *
 * Invariant (la_check): the list is as long as its count, and a chunk of it is in no queue.
 */
#include "core/stack/stack.h"

static bool keep(struct la_stack *s, const struct la_tx *tx)
{
    struct chunks *p = &s->tcp.env.chunks;
    struct loop *l = &s->loop;
    struct chunk *chunk;
    uint32_t i;

    LA_ASSERT(tx->len_bytes <= chunks_payload(p));
    if (l->count == LA_LOOPBACK_PACKETS_MAX)
        return false;
    i = chunks_take(p, s, CHUNKS_ORDINARY);
    if (i == SLAB_NONE)
        return false;
    chunk = chunk_at(p, s, i);
    chunk->len = (uint16_t)la_tx_copy(tx, chunk->bytes, chunks_payload(p));
    chunk->slot.link = SLAB_NONE;
    if (l->tail == SLAB_NONE)
        l->head = i;
    else
        chunk_at(p, s, l->tail)->slot.link = i;
    l->tail = i;
    l->count++;
    return true;
}

uint32_t loopback_divert(struct la_stack *s, struct la_tx *out, uint32_t count)
{
    uint32_t left = 0;

    for (uint32_t i = 0; i < count; i++) {
        if (out[i].iface == IP_LOOPBACK) {
            if (!keep(s, &out[i]))
                env_drop(&s->tcp.env, LA_DROP_LOOPBACK_FULL);
        } else {
            if (left != i)
                out[left] = out[i];
            left++;
        }
    }
    return left;
}

void loopback_deliver(struct la_stack *s)
{
    struct chunks *p = &s->tcp.env.chunks;
    struct loop *l = &s->loop;

    for (uint32_t left = l->count; left > 0; left--) {
        const uint32_t i = l->head;
        const struct chunk *chunk = chunk_at(p, s, i);
        const struct la_frame frame = {
            .bytes = chunk->bytes,
            .len_bytes = chunk->len,
            .iface = IP_LOOPBACK,
            .flags = LA_FRAME_CSUM_OK,
        };

        l->head = chunk->slot.link;
        if (l->head == SLAB_NONE)
            l->tail = SLAB_NONE;
        l->count--;
        stack_receive(s, &frame, NULL);
        chunks_give(p, s, i);
        if (left % LA_RX_BURST_MAX == 1) /* a burst, as la_rx() has them */
            tcp_settle(&s->tcp);
    }
}

const char *loopback_check(const struct la_stack *s)
{
    const struct chunks *p = &s->tcp.env.chunks;
    uint32_t n = 0;
    uint32_t last = SLAB_NONE;

    for (uint32_t i = s->loop.head; i != SLAB_NONE; i = chunk_at(p, s, i)->slot.link) {
        if (n++ == s->loop.count)
            return "the loopback holds more packets than it counts";
        last = i;
    }
    if (n != s->loop.count || last != s->loop.tail)
        return "the loopback has lost a packet";
    return NULL;
}
