/* SPDX-License-Identifier: MIT */
/*
 * slab.c - Tables of equal slots.
 *
 * slab.h has the theory.  Three things meet here and must agree: the parity of a slot's
 * generation (odd while live) is the only mark of liveness; the free list is threaded
 * through the even ones below high; and everything from high on has a zero header,
 * whether it was never touched or has been trimmed.
 *
 * Cost: take, give and find are O(1) and touch one slot; trim and check are O(high).
 */
#include "core/base/slab.h"
#include "core/base/poison.h"

static struct slot *slot_at(const struct slab *b, const void *arena, uint32_t i)
{
    return (struct slot *)slab_at(b, arena, i);
}

/* A free slot's successor, as kept in its link.  Zero is the neighbour above. */
static uint32_t link_encode(uint32_t self, uint32_t next)
{
    return next - self - 1u;
}
static uint32_t link_decode(uint32_t self, uint32_t link)
{
    return link + self + 1u;
}

/* All of a slot but its header, which is there while the slot is free too. */
static uint8_t *body_at(const struct slab *b, const void *arena, uint32_t i)
{
    return (uint8_t *)slab_at(b, arena, i) + sizeof(struct slot);
}

static uint32_t body_bytes(const struct slab *b)
{
    return b->item_bytes - (uint32_t)sizeof(struct slot);
}

static uint32_t gen_after(const struct slab *b, uint32_t gen)
{
    const uint32_t next = (gen + 1u) & b->gen_mask;
    return next == 0 ? 2u : next;
}

void slab_init(struct slab *b, uint64_t offset, uint32_t item_bytes, uint32_t cap)
{
    LA_ASSERT(item_bytes >= sizeof(struct slot) && item_bytes % 8 == 0 && offset % 8 == 0);
    LA_ASSERT(cap <= LA_SLOTS_MAX);
    *b = (struct slab){
        .offset = offset,
        .item_bytes = item_bytes,
        .cap = cap,
        .free = SLAB_NONE,
        .gen_mask = UINT32_MAX,
    };
}

uint32_t slab_take_raw(struct slab *b, void *arena)
{
    uint32_t i = b->free;
    if (i != SLAB_NONE) {
        b->free = link_decode(i, slot_at(b, arena, i)->link);
        LA_ASSERT(b->free < b->high || b->free == SLAB_NONE);
    } else if (b->high < b->cap) {
        i = b->high++;
    } else {
        return SLAB_NONE;
    }
    struct slot *const slot = slot_at(b, arena, i);
    LA_ASSERT((slot->gen & 1u) == 0);
    poison_clear(body_at(b, arena, i), body_bytes(b));
    slot->gen = gen_after(b, slot->gen == 0 ? b->gen_floor : slot->gen);
    LA_DCHECK((slot->gen & 1u) == 1);
    slot->link = SLAB_NONE;
    b->used++;
    if (b->used > b->used_max)
        b->used_max = b->used;
    return i;
}

uint32_t slab_take(struct slab *b, void *arena)
{
    const uint32_t i = slab_take_raw(b, arena);
    if (i != SLAB_NONE)
        memset(body_at(b, arena, i), 0, body_bytes(b));
    return i;
}

void *slab_peek_next(const struct slab *b, void *arena, struct slab_peek *at)
{
    uint32_t i = at->free;

    if (i != SLAB_NONE)
        at->free = link_decode(i, slot_at(b, arena, i)->link);
    else if (at->high < b->cap)
        i = at->high++;
    else
        return NULL;
    uint8_t *const slot = (uint8_t *)arena + b->offset + (uint64_t)i * b->item_bytes;
    poison_clear(slot, b->item_bytes);
    return slot;
}

void slab_give(struct slab *b, void *arena, uint32_t i)
{
    LA_ASSERT(slab_live(b, arena, i));
    LA_ASSERT(b->used > 0);
    struct slot *const slot = slot_at(b, arena, i);
    slot->gen = gen_after(b, slot->gen);
    slot->link = link_encode(i, b->free);
    b->free = i;
    b->used--;
    poison_set(body_at(b, arena, i), body_bytes(b));
    LA_DCHECK((slot->gen & 1u) == 0 && slot->gen != 0);
}

void slab_show(const struct slab *b, const void *arena)
{
    poison_clear((const uint8_t *)arena + b->offset, (uint64_t)b->high * b->item_bytes);
}

void slab_hide(const struct slab *b, const void *arena)
{
    poison_set_even((const uint8_t *)arena + b->offset, b->item_bytes,
                    (uint32_t)sizeof(struct slot), b->high);
}

bool slab_live(const struct slab *b, const void *arena, uint32_t i)
{
    return i < b->high && (slot_at(b, arena, i)->gen & 1u) == 1;
}

uint64_t slab_handle(const struct slab *b, const void *arena, uint32_t i)
{
    LA_ASSERT(slab_live(b, arena, i));
    return (uint64_t)slot_at(b, arena, i)->gen << 32 | i;
}

uint32_t slab_find(const struct slab *b, const void *arena, uint64_t handle)
{
    const uint32_t i = (uint32_t)handle;
    const uint32_t gen = (uint32_t)(handle >> 32);
    if ((gen & 1u) == 0 || i >= b->high || slot_at(b, arena, i)->gen != gen)
        return SLAB_NONE;
    return i;
}

/* Trim ------------------------------------------------------------------------- */

struct trim {
    const uint8_t *arena;
    uint64_t page_bytes;
    void (*each)(void *context, struct la_extent extent);
    void *context;
};

static uint64_t page_up(const struct trim *t, uint64_t offset)
{
    return (offset + t->page_bytes - 1) & ~(t->page_bytes - 1);
}
static uint64_t page_down(const struct trim *t, uint64_t offset)
{
    return offset & ~(t->page_bytes - 1);
}
static uint64_t slot_offset(const struct slab *b, uint32_t i)
{
    return b->offset + (uint64_t)i * b->item_bytes;
}

static void trim_report(const struct trim *t, uint64_t start, uint64_t end)
{
    if (start >= end)
        return;
    poison_clear(t->arena + start, end - start); /* the host may write zeros to it */
    t->each(t->context, (struct la_extent){ start, end - start });
}

static void link_set(struct slab *b, void *arena, uint32_t i, uint32_t next)
{
    slot_at(b, arena, i)->link = link_encode(i, next);
}

/*
 * The slot's header becomes zero; gen_floor keeps its next generation ahead of the past.
 * Writes only what changes: a page already handed back must not be touched again.
 */
static void slot_zero(struct slab *b, void *arena, uint32_t i)
{
    struct slot *const slot = slot_at(b, arena, i);
    const uint32_t ahead = (slot->gen - b->gen_floor) & b->gen_mask;
    LA_ASSERT((slot->gen & 1u) == 0);
    if (slot->gen != 0) {
        if (ahead != 0 && ahead <= b->gen_mask / 2)
            b->gen_floor = slot->gen;
        slot->gen = 0;
    }
    if (slot->link != 0)
        slot->link = 0;
}

/* Everything above the last live slot goes back by lowering high. */
static void trim_top(struct slab *b, void *arena, const struct trim *t)
{
    const uint32_t old = b->high;
    uint32_t high = old;
    while (high > 0 && !slab_live(b, arena, high - 1))
        high--;
    for (uint32_t i = high; i < old; i++)
        slot_zero(b, arena, i);
    b->high = high;
    const uint64_t touched = page_up(t, slot_offset(b, old));
    const uint64_t end = page_down(t, slot_offset(b, b->cap));
    trim_report(t, page_up(t, slot_offset(b, high)), touched < end ? touched : end);
}

/*
 * Slots [first, last] are free, and last + 1 is live.  Chain them in ascending order and
 * hand back the pages that lie within, up to the last slot: its link leads out of the
 * run and must be kept.
 */
static void trim_run(struct slab *b, void *arena, const struct trim *t, uint32_t first,
                     uint32_t last)
{
    const uint64_t start = page_up(t, slot_offset(b, first));
    const uint64_t end = page_down(t, slot_offset(b, last));
    for (uint32_t i = first; i < last; i++) {
        const uint64_t at = slot_offset(b, i);
        if (at >= start && at < end)
            slot_zero(b, arena, i);
        else
            link_set(b, arena, i, i + 1);
    }
    trim_report(t, start, end);
}

void slab_trim(struct slab *b, void *arena, uint32_t page_bytes,
               void (*each)(void *context, struct la_extent extent), void *context)
{
    const struct trim t = { arena, page_bytes, each, context };
    uint32_t tail = SLAB_NONE; /* last free slot of the run before */
    uint32_t first = SLAB_NONE;

    LA_ASSERT(page_bytes >= 8 && (page_bytes & (page_bytes - 1)) == 0);
    trim_top(b, arena, &t);
    b->free = SLAB_NONE;
    for (uint32_t i = 0; i < b->high; i++) {
        if (!slab_live(b, arena, i)) {
            if (first == SLAB_NONE)
                first = i;
            continue;
        }
        if (first == SLAB_NONE)
            continue;
        if (tail == SLAB_NONE)
            b->free = first;
        else
            link_set(b, arena, tail, first);
        tail = i - 1;
        trim_run(b, arena, &t, first, tail);
        first = SLAB_NONE;
    }
    LA_ASSERT(first == SLAB_NONE); /* the slot below high is live */
    if (tail != SLAB_NONE)
        link_set(b, arena, tail, SLAB_NONE);
    LA_DCHECK(slab_check(b, arena) == NULL);
}

const char *slab_check(const struct slab *b, const void *arena)
{
    uint32_t live = 0;
    if (b->high > b->cap || b->used > b->high || b->used > b->used_max)
        return "slab: used <= high <= cap and used <= used_max";
    if (b->gen_floor & 1u)
        return "slab: the floor of generations is even";
    for (uint32_t i = 0; i < b->high; i++) {
        if (slot_at(b, arena, i)->gen & ~b->gen_mask)
            return "slab: a generation fits its mask";
        live += slot_at(b, arena, i)->gen & 1u;
    }
    if (live != b->used)
        return "slab: as many odd generations as slots in use";
    uint32_t left = b->high - b->used;
    uint32_t i = b->free;
    for (; left > 0 && i < b->high; left--) {
        if (slab_live(b, arena, i))
            return "slab: no live slot stands on the free list";
        i = link_decode(i, slot_at(b, arena, i)->link);
    }
    if (left > 0 || i != SLAB_NONE)
        return "slab: the free list holds every free slot below high once and ends";
    return NULL;
}
