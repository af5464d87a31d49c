/* SPDX-License-Identifier: MIT */
/*
 * queue_place.c - Text that is verified while it is copied.
 *
 * To look at a checksum first and copy then touches every byte twice.  queue_place() copies the
 * text to where queue_append() would, the room of the tail and the chunks that the pool would give
 * next, and sums it; queue, pool and free list stay as they are.  If the sum is right, queue_keep()
 * makes it so.  If not, there is nothing to undo: what lies in free chunks means nothing.
 *
 * Between the two the pool must not be used, or other chunks would be taken than were written.
 */
#include "core/base/checksum.h"
#include "core/base/chunks.h"

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static struct chunk *tail_of(const struct queue *q, const struct chunks *p, void *arena)
{
    return q->tail == SLAB_NONE ? NULL : chunk_at(p, arena, q->tail);
}

static uint32_t room_of(const struct chunks *p, const struct chunk *c)
{
    return c == NULL ? 0 : chunks_payload(p) - c->start - c->len;
}

uint64_t queue_place(const struct queue *q, const struct chunks *p, void *arena,
                     const struct la_cspan *spans, uint32_t count, uint32_t features, uint64_t sum)
{
    struct chunk *const tail = tail_of(q, p, arena);
    struct slab_peek peek = slab_peek(&p->slab);
    uint8_t *to = tail == NULL ? NULL : tail->bytes + tail->start + tail->len;
    uint32_t room = room_of(p, tail);
    uint32_t done = 0;

    LA_ASSERT(tail == NULL || tail->slot.link == SLAB_NONE); /* no reservation */
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *bytes = spans[i].bytes;

        for (uint32_t n, left = spans[i].len_bytes; left > 0; left -= n) {
            if (room == 0) {
                struct chunk *const c = slab_peek_next(&p->slab, arena, &peek);

                LA_ASSERT(c != NULL);
                to = c->bytes;
                room = chunks_payload(p);
            }
            n = least(room, left);
            if (done == 0)
                sum = checksum_copy(features, sum, to, bytes, n);
            else
                sum = checksum_combine(sum, checksum_copy(features, 0, to, bytes, n), done);
            done += n;
            bytes += n;
            to += n;
            room -= n;
        }
    }
    return sum;
}

/* A fresh chunk behind @tail. */
static struct chunk *extend(struct queue *q, struct chunks *p, void *arena, struct chunk *tail)
{
    const uint32_t i = chunks_take(p, arena, CHUNKS_ORDINARY);

    LA_ASSERT(i != SLAB_NONE);
    if (tail == NULL)
        q->head = i;
    else
        tail->slot.link = i;
    q->tail = i;
    q->chunks++;
    return chunk_at(p, arena, i);
}

void queue_keep(struct queue *q, struct chunks *p, void *arena, uint32_t len_bytes)
{
    struct chunk *tail = tail_of(q, p, arena);
    uint32_t left = len_bytes;

    LA_ASSERT(q->len_bytes <= UINT32_MAX - len_bytes);
    q->len_bytes += len_bytes;
    while (left > 0) {
        if (room_of(p, tail) == 0)
            tail = extend(q, p, arena, tail);
        const uint32_t n = least(room_of(p, tail), left);

        tail->len = (uint16_t)(tail->len + n);
        left -= n;
    }
}
