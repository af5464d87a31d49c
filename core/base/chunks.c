/* SPDX-License-Identifier: MIT */
/*
 * chunks.c - The pool: a slab whose items are written over by their owner.
 *
 * A chunk's bytes are not cleared when it is taken: whoever shows bytes to the outside
 * has written them.  The reserve is what lets a connection's next in-order byte and every
 * reply go on when ordinary takers have used the pool up.
 */
#include "core/base/chunks.h"

/* One for each segment of the usual size that a chunk may hold, and the first. */
static uint32_t marks_for(uint32_t chunk_bytes)
{
    const uint32_t marks = chunk_bytes / 1024;

    if (chunk_bytes < CHUNK_MARKS_MIN_BYTES)
        return 0;
    return marks < CHUNK_MARKS_MAX ? marks : CHUNK_MARKS_MAX;
}

void chunks_init(struct chunks *p, uint64_t offset, uint32_t chunk_bytes, uint32_t count,
                 uint32_t reserve)
{
    LA_ASSERT(chunk_bytes >= LA_CHUNK_BYTES_MIN && chunk_bytes <= LA_CHUNK_BYTES_MAX);
    LA_ASSERT(reserve <= count);
    LA_ASSERT((chunk_bytes & (chunk_bytes - 1)) == 0);
    slab_init(&p->slab, offset, chunk_bytes, count);
    p->reserve = reserve;
    p->marks = (uint16_t)marks_for(chunk_bytes);
    p->payload_bytes = (uint16_t)(chunk_bytes - (uint32_t)sizeof(struct chunk) -
                                  p->marks * (uint32_t)sizeof(struct chunk_mark));
}

uint32_t chunks_take(struct chunks *p, void *arena, enum chunks_class class)
{
    if (chunks_room_for(p, class) == 0)
        return SLAB_NONE;
    const uint32_t i = slab_take_raw(&p->slab, arena);
    if (i != SLAB_NONE) {
        struct chunk *const c = chunk_at(p, arena, i);
        c->start = 0;
        c->len = 0;
        c->summed = 0;
        c->sum = 0;
    }
    return i;
}

void chunks_give(struct chunks *p, void *arena, uint32_t i)
{
    slab_give(&p->slab, arena, i);
}
