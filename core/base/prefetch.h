/* SPDX-License-Identifier: MIT */
/*
 * prefetch.h - Ask for memory before it is needed.
 *
 * A record that was not used for a while lies in main memory, and its lines would be waited for
 * one after another as the code comes to them.  Asked for together they come together.  A
 * prefetch is a hint: it never faults and changes nothing that can be observed.
 */
#ifndef CORE_BASE_PREFETCH_H
#define CORE_BASE_PREFETCH_H

#include <stdint.h>

#define PREFETCH_LINE 64u

static inline void prefetch(const void *at)
{
    __builtin_prefetch(at, 1, 3);
}

/* All lines of [at, at + bytes). */
static inline void prefetch_range(const void *at, uint32_t bytes)
{
    const uint8_t *const p = at;

    for (uint32_t i = 0; i < bytes; i += PREFETCH_LINE)
        prefetch(p + i);
    prefetch(p + bytes - 1);
}

#endif
