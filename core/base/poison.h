/* SPDX-License-Identifier: MIT */
/*
 * poison.h - Memory of the arena that holds nothing, told to AddressSanitizer.
 *
 * The arena is one piece to the C library, so a sanitizer sees nothing wrong in a record that is read
 * after it was given back.  The slabs therefore say which bytes are out of use.  A build with
 * AddressSanitizer links target/poison_asan.c, which passes that on; every other build links
 * target/poison_none.c, whose functions are empty.  Builds without LA_DEBUG do not even call them:
 * who inlines what would depend on it.
 *
 * What was never used is not poisoned: la_init() touches O(1) pages, and of the sanitizer's too.
 */
#ifndef CORE_BASE_POISON_H
#define CORE_BASE_POISON_H

#include "core/base/assert.h"

void poison_target_set(const void *bytes, uint64_t len_bytes);
void poison_target_clear(const void *bytes, uint64_t len_bytes);
void poison_target_set_even(const void *slots, uint32_t item_bytes, uint32_t header_bytes,
                            uint32_t count);

/* Nobody may read or write these bytes until poison_clear(). */
static inline void poison_set(const void *bytes, uint64_t len_bytes)
{
    if (LA_DEBUG)
        poison_target_set(bytes, len_bytes);
}

static inline void poison_clear(const void *bytes, uint64_t len_bytes)
{
    if (LA_DEBUG)
        poison_target_clear(bytes, len_bytes);
}

/*
 * Of @count slots that stand @item_bytes apart, poison what is behind the first @header_bytes of those
 * whose first word is even: free slots.  Here and not with the caller, so that a build without
 * a sanitizer does not walk.
 */
static inline void poison_set_even(const void *slots, uint32_t item_bytes, uint32_t header_bytes,
                                   uint32_t count)
{
    if (LA_DEBUG)
        poison_target_set_even(slots, item_bytes, header_bytes, count);
}

#endif
