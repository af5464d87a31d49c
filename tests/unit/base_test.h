/* SPDX-License-Identifier: MIT */
/*
 * base_test.h - What the tests of core/base share: random numbers, an arena, and a
 * la_panic() that fails the running test, or is expected by it.
 */
#ifndef TESTS_UNIT_BASE_TEST_H
#define TESTS_UNIT_BASE_TEST_H

#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "tests/unit/test.h"

#include "core/base/assert.h"
#include "core/base/poison.h"

/* expect_assert_failure(call) of cmocka catches it. */
void la_panic(const char *file, int line, const char *what)
{
    mock_assert(0, what, file, line);
    abort();
}

/* splitmix64: a seed gives the same run everywhere. */
static inline uint64_t rng_next(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}
/* In [0, n), n > 0. */
static inline uint32_t rng_below(uint64_t *state, uint32_t n)
{
    return (uint32_t)((rng_next(state) >> 32) * n >> 32);
}

/* Memory that is zero and committed only as it is written, as a host lends it. */
static inline uint8_t *arena_map(size_t len_bytes)
{
    void *p = mmap(NULL, len_bytes, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    assert_true(p != MAP_FAILED);
    return p;
}
static inline void arena_unmap(uint8_t *arena, size_t len_bytes)
{
    poison_clear(arena, len_bytes);
    assert_int_equal(munmap(arena, len_bytes), 0);
}
/* Pages of it that were touched since it was mapped; @len_bytes is a multiple of 4096. */
static inline size_t arena_resident_pages(uint8_t *arena, size_t len_bytes)
{
    const size_t pages = len_bytes / 4096;
    unsigned char *map = malloc(pages);
    size_t resident = 0;
    assert_non_null(map);
    assert_int_equal(mincore(arena, len_bytes, map), 0);
    for (size_t i = 0; i < pages; i++)
        resident += map[i] & 1u;
    free(map);
    return resident;
}

/* Pages of it that hold anything but zeros. */
static inline size_t arena_written_pages(const uint8_t *arena, size_t len_bytes)
{
    static const uint8_t zero[4096];
    poison_clear(arena, len_bytes);
    size_t written = 0;
    for (size_t at = 0; at < len_bytes; at += sizeof zero)
        written += memcmp(arena + at, zero, sizeof zero) != 0;
    return written;
}

/* A host that takes trimmed pages back.  @context: the arena. */
static inline void arena_discard(void *context, struct la_extent extent)
{
    uint8_t *const at = (uint8_t *)context + extent.offset_bytes;
    assert_int_equal(extent.offset_bytes % 4096, 0);
    assert_int_equal(extent.len_bytes % 4096, 0);
    assert_true(extent.len_bytes > 0);
    assert_int_equal(madvise(at, extent.len_bytes, MADV_DONTNEED), 0);
}

#define assert_sound(check)                                                                        \
    do {                                                                                           \
        const char *const sentence_ = (check);                                                     \
        if (sentence_)                                                                             \
            fail_msg("%s", sentence_);                                                             \
    } while (0)

#endif
