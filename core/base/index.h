/* SPDX-License-Identifier: MIT */
/*
 * index.h - One hash index for everything a 4-tuple can name.
 *
 * Theory of operation.  64-byte buckets of eight slots, each {2-bit type, 30-bit
 * index, 32-bit hash}.  The table grows by linear hashing: an insert splits at most one
 * bucket and a delete merges at most two into one, so no call ever pays for a rehash.  A
 * full bucket chains to an overflow bucket; the link is a slot of type INDEX_FREE with
 * a non-zero value.  Memory is a region sized for the cap, touched as the table grows.
 *
 * A bucket's address is the low bits of the hash.  It is split when there are more than
 * five entries a bucket, and merged when there are fewer than half as many, so a table
 * that breathes by a few entries neither splits nor merges.
 *
 * The index knows hashes, not keys: a look-up visits the slots whose 32 bits agree and
 * its caller compares the key.  Hashes come from a keyed function, so an outsider can
 * not choose the bucket.
 */
#ifndef CORE_BASE_INDEX_H
#define CORE_BASE_INDEX_H

#include "core/base/assert.h"
#include "core/base/mem.h"

enum index_type {
    INDEX_FREE = 0,
    INDEX_CONN = 1,
    INDEX_HALF_OPEN = 2,
    INDEX_SHORT = 3,
};

struct index_entry {
    enum index_type type;
    uint32_t value; /* 30 bits */
};

struct index {
    uint64_t offset;          /* of bucket 0, from the arena; 64-byte aligned */
    uint64_t overflow_offset; /* of the overflow buckets */
    uint32_t buckets;         /* now in use: 2^level + split */
    uint32_t buckets_min, buckets_max;
    uint32_t buckets_high; /* those at and above it were never used (or trimmed) */
    uint32_t level, split;
    uint32_t entries;
    /* The free list is threaded through their first word. */
    uint32_t overflow_high, overflow_free, overflow_max;
    uint32_t overflow_used;
};

/* Bytes of the main and the overflow region together, for at most @entries_max entries. */
uint64_t index_bytes(uint32_t entries_max);
/* Touches O(1) pages.  The region is zero. */
void index_init(struct index *x, uint64_t offset, uint32_t entries_max);

/* The look-up's position; start it with index_find(), and again after any change. */
struct index_cursor {
    uint32_t hash;
    uint64_t bucket_offset;
    uint32_t slot;
};

/* Every entry with this hash, one after another: true while @out is filled. */
struct index_cursor index_find(const struct index *x, uint32_t hash);
/* Fetch the bucket that index_find() will begin with. */
void index_prefetch(const struct index *x, const void *arena, uint32_t hash);
bool index_next(const struct index *x, const void *arena, struct index_cursor *c,
                struct index_entry *out);

/*
 * index_insert() - Add an entry; the caller has made sure the key is not there.
 * Return: false if no overflow bucket is left; sized so that this takes an adversary who
 *         knows the key.
 */
LA_MUST_CHECK bool index_insert(struct index *x, void *arena, uint32_t hash, struct index_entry e);
/* The entry must be there (asserted): hash, type and value. */
void index_remove(struct index *x, void *arena, uint32_t hash, struct index_entry e);
/* Rewrite one slot in place: connection -> short record, half-open -> connection.  Asserted too. */
void index_replace(struct index *x, void *arena, uint32_t hash, struct index_entry from,
                   struct index_entry to);

/* Used ranges: main and overflow. */
uint32_t index_extents(const struct index *x, struct la_extent out[2]);
/* Bytes past the used buckets go back. */
void index_trim(struct index *x, void *arena, uint32_t page_bytes,
                void (*each)(void *context, struct la_extent extent), void *context);
const char *index_check(const struct index *x, const void *arena);

#endif
