/* SPDX-License-Identifier: MIT */
/*
 * index.c - Linear hashing over 64-byte buckets.
 *
 * A chain with n entries has one form only, so that every insert and every removal at a
 * known place is O(1): its first bucket is full before there is an overflow bucket, the
 * overflow bucket next to it is the only one that may have room, and all behind that are
 * full.  The last slot of a bucket holds an entry or the link to the next bucket.
 *
 * Splitting and merging take a chain apart bucket by bucket.  A bucket read is given
 * back before its entries are put where they belong, and because of the one form the new
 * chains of a split never need more overflow buckets than the old one; a merge may need
 * two more and waits if they are not there.
 *
 * Sizes.  With five entries a bucket on average, a bucket not yet split in this round has
 * up to ten, and about one bucket in eight overflows at the worst moment of a round.
 * The overflow region holds a quarter as many buckets as the main one, and enough to put
 * all entries of a tiny table into one chain.
 *
 * Cost: the length of one chain (nearly always one or two cache lines) for a look-up or a
 * removal; an insert or removal in five splits or merges one chain besides.
 */
#include "core/base/index.h"

#include "core/base/prefetch.h"

#define BUCKET_BYTES 64u
#define SLOTS 8u
#define LAST (SLOTS - 1u)
#define LOAD 5u           /* entries a bucket above which one is split */
#define BUCKETS_START 64u /* a new table's, if the cap is not smaller: one page */
#define TINY_CHAIN 16u
#define NONE UINT32_MAX
#define NOWHERE UINT64_MAX

/* A slot: hash in the upper half, value and type in the lower. */
struct bucket {
    uint64_t slot[SLOTS];
};
_Static_assert(sizeof(struct bucket) == BUCKET_BYTES, "a bucket is a cache line");

static uint64_t slot_make(uint32_t hash, struct index_entry e)
{
    LA_ASSERT(e.type != INDEX_FREE && e.value < (1u << 30));
    return (uint64_t)hash << 32 | (uint64_t)e.value << 2 | (uint64_t)e.type;
}
static uint64_t slot_link(uint32_t overflow)
{
    return ((uint64_t)overflow + 1) << 2;
}
static bool slot_is_entry(uint64_t slot)
{
    return (slot & 3u) != INDEX_FREE;
}
static uint32_t slot_hash(uint64_t slot)
{
    return (uint32_t)(slot >> 32);
}
/* The overflow bucket a slot links to, or NONE. */
static uint32_t slot_next(uint64_t slot)
{
    return slot_is_entry(slot) || slot == 0 ? NONE : (uint32_t)(slot >> 2) - 1u;
}

static struct bucket *bucket_at(const void *arena, uint64_t offset)
{
    return (struct bucket *)((uintptr_t)arena + offset);
}
static uint64_t main_offset(const struct index *x, uint32_t i)
{
    return x->offset + (uint64_t)i * BUCKET_BYTES;
}
static uint64_t overflow_offset(const struct index *x, uint32_t i)
{
    LA_DCHECK(i < x->overflow_high);
    return x->overflow_offset + (uint64_t)i * BUCKET_BYTES;
}
static struct bucket *main_at(const struct index *x, const void *arena, uint32_t i)
{
    return bucket_at(arena, main_offset(x, i));
}
static struct bucket *overflow_at(const struct index *x, const void *arena, uint32_t i)
{
    return bucket_at(arena, overflow_offset(x, i));
}

static uint32_t address(const struct index *x, uint32_t hash)
{
    const uint32_t i = hash & ((1u << x->level) - 1u);
    return i < x->split ? hash & ((2u << x->level) - 1u) : i;
}

/* Sizes ------------------------------------------------------------------------ */

static uint32_t buckets_for(uint32_t entries_max)
{
    const uint32_t n = (uint32_t)(((uint64_t)entries_max + LOAD - 1) / LOAD);
    return n < 2 ? 2 : n;
}
static uint32_t overflow_for(uint32_t entries_max)
{
    const uint32_t chain = entries_max / LAST + 1;
    return buckets_for(entries_max) / 4 + (chain < TINY_CHAIN ? chain : TINY_CHAIN);
}

uint64_t index_bytes(uint32_t entries_max)
{
    return ((uint64_t)buckets_for(entries_max) + overflow_for(entries_max)) * BUCKET_BYTES;
}

void index_init(struct index *x, uint64_t offset, uint32_t entries_max)
{
    const uint32_t max = buckets_for(entries_max);
    uint32_t level = 1;
    LA_ASSERT(offset % BUCKET_BYTES == 0);
    while ((2u << level) <= max && (2u << level) <= BUCKETS_START)
        level++;
    *x = (struct index){
        .offset = offset,
        .overflow_offset = offset + (uint64_t)max * BUCKET_BYTES,
        .buckets = 1u << level,
        .buckets_min = 1u << level,
        .buckets_max = max,
        .buckets_high = 1u << level,
        .level = level,
        .overflow_free = NONE,
        .overflow_max = overflow_for(entries_max),
    };
}

/* Overflow buckets ------------------------------------------------------------- */

static uint32_t overflow_take(struct index *x, void *arena)
{
    uint32_t i = x->overflow_free;
    if (i != NONE)
        x->overflow_free = slot_next(overflow_at(x, arena, i)->slot[0]);
    else if (x->overflow_high < x->overflow_max)
        i = x->overflow_high++;
    else
        return NONE;
    memset(overflow_at(x, arena, i), 0, BUCKET_BYTES);
    x->overflow_used++;
    return i;
}

/* The first slot of a bucket in use is an entry, so free ones can be told apart. */
static void overflow_give(struct index *x, void *arena, uint32_t i)
{
    struct bucket *const b = overflow_at(x, arena, i);
    b->slot[0] = x->overflow_free == NONE ? 0 : slot_link(x->overflow_free);
    x->overflow_free = i;
    x->overflow_used--;
}

/* Chains ----------------------------------------------------------------------- */

/* The first empty slot, SLOTS if there is none. */
static uint32_t bucket_room(const struct bucket *b)
{
    uint32_t n = 0;
    while (n < SLOTS && slot_is_entry(b->slot[n]))
        n++;
    return n < LAST || (n == LAST && b->slot[LAST] == 0) ? n : SLOTS;
}

static bool chain_add(struct index *x, void *arena, struct bucket *first, uint64_t slot)
{
    const uint32_t room = bucket_room(first);
    if (room < SLOTS) {
        first->slot[room] = slot;
        return true;
    }
    const uint32_t next = slot_next(first->slot[LAST]);
    if (next != NONE) {
        struct bucket *const b = overflow_at(x, arena, next);
        const uint32_t n = bucket_room(b);
        if (n < SLOTS) {
            b->slot[n] = slot;
            return true;
        }
    }
    /* What stood in the last slot moves: an entry into the new bucket, a link to its end. */
    const uint32_t fresh = overflow_take(x, arena);
    if (fresh == NONE)
        return false;
    struct bucket *const b = overflow_at(x, arena, fresh);
    b->slot[0] = slot;
    b->slot[next == NONE ? 1 : LAST] = first->slot[LAST];
    first->slot[LAST] = slot_link(fresh);
    return true;
}

/* The last entry of the bucket with room, taken out; the chain keeps its one form. */
static uint64_t chain_pop(struct index *x, void *arena, struct bucket *first)
{
    const uint32_t next = slot_next(first->slot[LAST]);
    struct bucket *const b = next == NONE ? first : overflow_at(x, arena, next);
    uint32_t n = SLOTS;
    while (n > 0 && !slot_is_entry(b->slot[n - 1]))
        n--;
    LA_ASSERT(n > 0);
    const uint64_t slot = b->slot[n - 1];
    const uint64_t behind = n <= LAST ? b->slot[LAST] : 0;
    b->slot[n - 1] = 0;
    if (next == NONE || n > 2)
        return slot;
    if (behind == 0) { /* one entry is left at the chain's end: it fits where the link was */
        LA_ASSERT(n == 2);
        first->slot[LAST] = b->slot[0];
        overflow_give(x, arena, next);
    } else if (n == 1) {
        first->slot[LAST] = behind;
        overflow_give(x, arena, next);
    }
    return slot;
}

/* The slot that equals @want, or NULL. */
static uint64_t *chain_find(const struct index *x, void *arena, struct bucket *first, uint64_t want)
{
    struct bucket *b = first;
    for (uint32_t hops = 0; hops <= x->overflow_used; hops++) {
        for (uint32_t n = 0; n < SLOTS; n++)
            if (b->slot[n] == want)
                return &b->slot[n];
        const uint32_t next = slot_next(b->slot[LAST]);
        if (next == NONE)
            return NULL;
        b = overflow_at(x, arena, next);
    }
    return NULL;
}

/* Take the chain at @from apart and put every entry where it belongs now. */
static void chain_deal(struct index *x, void *arena, uint32_t from)
{
    struct bucket copy = *main_at(x, arena, from);
    memset(main_at(x, arena, from), 0, BUCKET_BYTES);
    for (uint32_t hops = x->overflow_used + 1; hops > 0; hops--) {
        for (uint32_t n = 0; n < SLOTS && slot_is_entry(copy.slot[n]); n++) {
            const uint32_t to = address(x, slot_hash(copy.slot[n]));
            const bool added = chain_add(x, arena, main_at(x, arena, to), copy.slot[n]);
            LA_ASSERT(added);
        }
        const uint32_t next = slot_next(copy.slot[LAST]);
        if (next == NONE)
            return;
        copy = *overflow_at(x, arena, next);
        overflow_give(x, arena, next);
    }
    LA_ASSERT(false); /* a chain has no more buckets than there are */
}

static void grow(struct index *x, void *arena)
{
    const uint32_t from = x->split;
    if (x->buckets == x->buckets_max)
        return;
    x->split++;
    if (x->split == 1u << x->level) {
        x->level++;
        x->split = 0;
    }
    x->buckets++;
    if (x->buckets > x->buckets_high)
        x->buckets_high = x->buckets;
    chain_deal(x, arena, from);
    LA_DCHECK(x->buckets == (1u << x->level) + x->split);
    if (x->buckets < x->buckets_max) { /* what will be split next, and where its half will go */
        prefetch(main_at(x, arena, x->split));
        prefetch(main_at(x, arena, x->buckets));
    }
}

static void shrink(struct index *x, void *arena)
{
    const uint32_t last = x->buckets - 1;
    if (x->buckets == x->buckets_min || x->overflow_max - x->overflow_used < 2)
        return;
    if (x->split == 0) {
        x->level--;
        x->split = 1u << x->level;
    }
    x->split--;
    x->buckets--;
    chain_deal(x, arena, last);
    LA_DCHECK(x->buckets == (1u << x->level) + x->split);
}

/* Calls ------------------------------------------------------------------------ */

void index_prefetch(const struct index *x, const void *arena, uint32_t hash)
{
    prefetch(main_at(x, arena, address(x, hash)));
}

struct index_cursor index_find(const struct index *x, uint32_t hash)
{
    return (struct index_cursor){ hash, main_offset(x, address(x, hash)), 0 };
}

bool index_next(const struct index *x, const void *arena, struct index_cursor *c,
                struct index_entry *out)
{
    while (c->bucket_offset != NOWHERE) {
        const struct bucket *const b = bucket_at(arena, c->bucket_offset);
        while (c->slot < SLOTS) {
            const uint64_t slot = b->slot[c->slot++];
            if (slot_hash(slot) == c->hash && slot_is_entry(slot)) {
                out->type = (enum index_type)(slot & 3u);
                out->value = (uint32_t)slot >> 2;
                return true;
            }
        }
        const uint32_t next = slot_next(b->slot[LAST]);
        c->bucket_offset = next == NONE ? NOWHERE : overflow_offset(x, next);
        c->slot = 0;
    }
    return false;
}

bool index_insert(struct index *x, void *arena, uint32_t hash, struct index_entry e)
{
    const uint64_t slot = slot_make(hash, e);
    if ((uint64_t)x->entries + 1 > (uint64_t)x->buckets * LOAD)
        grow(x, arena);
    if (!chain_add(x, arena, main_at(x, arena, address(x, hash)), slot))
        return false;
    x->entries++;
    return true;
}

void index_remove(struct index *x, void *arena, uint32_t hash, struct index_entry e)
{
    struct bucket *const first = main_at(x, arena, address(x, hash));
    const uint64_t want = slot_make(hash, e);
    uint64_t *const at = chain_find(x, arena, first, want);
    LA_ASSERT(at != NULL);
    LA_ASSERT(x->entries > 0);
    /* The entry popped fills the hole, unless it was the one, or moved to where it was. */
    const uint64_t popped = chain_pop(x, arena, first);
    if (popped != want) {
        uint64_t *const hole = chain_find(x, arena, first, want);
        LA_ASSERT(hole != NULL);
        *hole = popped;
    }
    x->entries--;
    if ((uint64_t)x->entries * 2 < (uint64_t)x->buckets * LOAD)
        shrink(x, arena);
}

void index_replace(struct index *x, void *arena, uint32_t hash, struct index_entry from,
                   struct index_entry to)
{
    struct bucket *const first = main_at(x, arena, address(x, hash));
    uint64_t *const at = chain_find(x, arena, first, slot_make(hash, from));
    LA_ASSERT(at != NULL);
    *at = slot_make(hash, to);
}

/* Memory ----------------------------------------------------------------------- */

uint32_t index_extents(const struct index *x, struct la_extent out[2])
{
    out[0] = (struct la_extent){ x->offset, (uint64_t)x->buckets * BUCKET_BYTES };
    out[1] = (struct la_extent){ x->overflow_offset, (uint64_t)x->overflow_high * BUCKET_BYTES };
    return x->overflow_high == 0 ? 1 : 2;
}

static bool overflow_is_free(const struct index *x, const void *arena, uint32_t i)
{
    return !slot_is_entry(overflow_at(x, arena, i)->slot[0]);
}

/* Free overflow buckets at the top go; the others are chained in ascending order. */
static void overflow_trim(struct index *x, void *arena)
{
    uint32_t high = x->overflow_high;
    while (high > 0 && overflow_is_free(x, arena, high - 1))
        high--;
    x->overflow_high = high;
    x->overflow_free = NONE;
    for (uint32_t i = high; i > 0; i--) {
        if (overflow_is_free(x, arena, i - 1)) {
            x->overflow_used++; /* overflow_give() counts it down */
            overflow_give(x, arena, i - 1);
        }
    }
}

void index_trim(struct index *x, void *arena, uint32_t page_bytes,
                void (*each)(void *context, struct la_extent extent), void *context)
{
    const uint64_t mask = (uint64_t)page_bytes - 1;
    const uint64_t touched[2] = { main_offset(x, x->buckets_high),
                                  x->overflow_offset + (uint64_t)x->overflow_high * BUCKET_BYTES };
    const uint64_t region[2] = { x->overflow_offset,
                                 x->overflow_offset + (uint64_t)x->overflow_max * BUCKET_BYTES };
    LA_ASSERT(page_bytes >= BUCKET_BYTES && (page_bytes & mask) == 0);
    overflow_trim(x, arena);
    x->buckets_high = x->buckets;
    const uint64_t used[2] = { main_offset(x, x->buckets),
                               x->overflow_offset + (uint64_t)x->overflow_high * BUCKET_BYTES };
    for (uint32_t k = 0; k < 2; k++) {
        const uint64_t start = (used[k] + mask) & ~mask;
        const uint64_t up = (touched[k] + mask) & ~mask;
        const uint64_t end = up < (region[k] & ~mask) ? up : region[k] & ~mask;
        if (start < end)
            each(context, (struct la_extent){ start, end - start });
    }
    LA_DCHECK(index_check(x, arena) == NULL);
}

/* The entries of one chain that keeps its form, NONE if it does not; counts its buckets. */
static uint32_t chain_count(const struct index *x, const void *arena, uint32_t i,
                            uint32_t *overflow)
{
    const struct bucket *b = main_at(x, arena, i);
    uint32_t entries = 0;
    for (uint32_t hops = 0; hops <= x->overflow_used; hops++) {
        const uint32_t next = slot_next(b->slot[LAST]);
        uint32_t n = 0;
        for (; n < SLOTS && slot_is_entry(b->slot[n]); n++)
            if (address(x, slot_hash(b->slot[n])) != i)
                return NONE;
        for (uint32_t k = n; k < LAST; k++)
            if (b->slot[k] != 0)
                return NONE;
        /* The first of a chain is full, as are all behind the second. */
        if ((hops == 0 && next != NONE && n != LAST) || (hops > 1 && n < LAST) ||
            (hops > 1 && next == NONE && n < SLOTS) || (hops == 1 && next == NONE && n < 2))
            return NONE;
        entries += n;
        if (next == NONE)
            return entries;
        if (next >= x->overflow_high || n == 0)
            return NONE;
        (*overflow)++;
        b = overflow_at(x, arena, next);
    }
    return NONE;
}

const char *index_check(const struct index *x, const void *arena)
{
    uint32_t entries = 0;
    uint32_t overflow = 0;
    if (x->buckets != (1u << x->level) + x->split || x->split >= 1u << x->level ||
        x->buckets < x->buckets_min || x->buckets > x->buckets_max || x->buckets > x->buckets_high)
        return "index: buckets = 2^level + split, within their limits";
    for (uint32_t i = 0; i < x->buckets; i++) {
        const uint32_t n = chain_count(x, arena, i, &overflow);
        if (n == NONE)
            return "index: every entry stands in its chain, and every chain has its one form";
        entries += n;
    }
    if (entries != x->entries)
        return "index: as many entries as counted";
    if (overflow != x->overflow_used || x->overflow_high > x->overflow_max)
        return "index: as many overflow buckets as counted";
    for (uint32_t i = x->buckets; i < x->buckets_high; i++)
        for (uint32_t n = 0; n < SLOTS; n++)
            if (main_at(x, arena, i)->slot[n] != 0)
                return "index: buckets past the used ones are zero";
    uint32_t left = x->overflow_high - x->overflow_used;
    uint32_t i = x->overflow_free;
    for (; left > 0 && i < x->overflow_high; left--) {
        if (!overflow_is_free(x, arena, i))
            return "index: no overflow bucket in use stands on the free list";
        i = slot_next(overflow_at(x, arena, i)->slot[0]);
    }
    if (left > 0 || i != NONE)
        return "index: the free list holds every free overflow bucket once and ends";
    return NULL;
}
