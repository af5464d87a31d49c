/* SPDX-License-Identifier: MIT */
/*
 * slab.h - A table of equal slots in the arena, taken and given back in O(1).
 *
 * Every slot begins with struct slot: its generation, odd while live, and a link that
 * the slab uses while the slot is free and its owner while it is live.
 *
 * The free list is LIFO.  A free slot's link holds (next - self - 1), so a slot that
 * reads as zero is followed by its neighbour: whole pages of free slots may be handed
 * back to the host and later read as zero without breaking the list.
 *
 * Generations.  A slot's generation goes up by one on each take and each give.  0 means
 * "never used, or trimmed", so a used slot skips it when it wraps.  A slot that reads 0
 * starts at gen_floor, which stays ahead (on the circle of generations) of everything
 * that trimmed slots have handed out: a slot's generation comes back only after the slab as a
 * whole has been taken from about a quarter as often as there are generations, 2^30 times.
 *
 * A slab holds no pointers: @offset counts from the start of the arena, a multiple of 8
 * as @item_bytes is.  Pages count from there too: lend page-aligned memory to trim.
 */
#ifndef CORE_BASE_SLAB_H
#define CORE_BASE_SLAB_H

#include "core/base/assert.h"
#include "core/base/mem.h"

#define SLAB_NONE UINT32_MAX

struct slot {
    uint32_t gen;
    uint32_t link;
};

struct slab {
    uint64_t offset; /* of slot 0, from the arena */
    uint32_t item_bytes;
    uint32_t cap;
    uint32_t high; /* slots at and above it were never used (or trimmed) */
    uint32_t free; /* first free slot below high, or SLAB_NONE */
    uint32_t used, used_max;
    uint32_t gen_floor; /* even; the next generation of a slot that reads 0 is one above */
    uint32_t gen_mask;  /* UINT32_MAX; a test build narrows it so that generations wrap early */
};

void slab_init(struct slab *b, uint64_t offset, uint32_t item_bytes, uint32_t cap);

static inline void *slab_at(const struct slab *b, const void *arena, uint32_t i)
{
    LA_DCHECK(i < b->high);
    return (uint8_t *)(uintptr_t)arena + b->offset + (uint64_t)i * b->item_bytes;
}

/* A slot, zeroed but for struct slot (gen odd, link SLAB_NONE); SLAB_NONE if full. */
uint32_t slab_take(struct slab *b, void *arena);
/* Same, leaving the bytes as they are (for chunks). */
uint32_t slab_take_raw(struct slab *b, void *arena);
/* The slots that slab_take_raw() would give next, one after another, without taking them. */
struct slab_peek {
    uint32_t free, high;
};
static inline struct slab_peek slab_peek(const struct slab *b)
{
    return (struct slab_peek){ .free = b->free, .high = b->high };
}
/* NULL at the end. */
void *slab_peek_next(const struct slab *b, void *arena, struct slab_peek *at);
/* The slot must be live (asserted). */
void slab_give(struct slab *b, void *arena, uint32_t i);
bool slab_live(const struct slab *b, const void *arena, uint32_t i);

static inline uint32_t slab_room(const struct slab *b)
{
    return b->cap - b->used;
}

/* Public handles: index and generation.  Zero bits name nothing. */
uint64_t slab_handle(const struct slab *b, const void *arena, uint32_t i);
/* The slot a handle names, or SLAB_NONE if it names nothing that is still there. */
uint32_t slab_find(const struct slab *b, const void *arena, uint64_t handle);

/* Whole pages that hold only free slots.  See la_trim(). */
void slab_trim(struct slab *b, void *arena, uint32_t page_bytes,
               void (*each)(void *context, struct la_extent extent), void *context);
/*
 * What is free is poisoned where a sanitizer watches (poison.h).  Who must read it all the same, to copy
 * a slab whole, shows it before and hides it afterwards.
 */
void slab_show(const struct slab *b, const void *arena);
void slab_hide(const struct slab *b, const void *arena);
/* NULL, or the sentence of the broken invariant: free list, no cycle, parity of generations. */
const char *slab_check(const struct slab *b, const void *arena);

#endif
