/* SPDX-License-Identifier: MIT */
/*
 * guard.h - Bytes whose end is the end of the readable world.
 *
 * guard_bytes() copies to the end of a page behind which nothing may be touched, so that a
 * parser that reads one byte too many dies at once, with or without sanitizers.
 */
#ifndef TESTS_UNIT_GUARD_H
#define TESTS_UNIT_GUARD_H

#include <assert.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#define GUARD_ROOM 65536u
#define GUARD_PAGE 65536u /* a multiple of every page size in use */

static inline uint8_t *guard_end(void)
{
    static uint8_t *end;
    if (end == NULL) {
        uint8_t *at = mmap(NULL, GUARD_ROOM + GUARD_PAGE, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        assert(at != MAP_FAILED);
        const int refused = mprotect(at + GUARD_ROOM, GUARD_PAGE, PROT_NONE);
        assert(refused == 0);
        (void)refused;
        end = at + GUARD_ROOM;
    }
    return end;
}

/* @len_bytes bytes that end where reading ends; valid until the next call. */
static inline uint8_t *guard_bytes(const uint8_t *bytes, uint32_t len_bytes)
{
    assert(len_bytes <= GUARD_ROOM);
    uint8_t *at = guard_end() - len_bytes;
    if (len_bytes > 0)
        memcpy(at, bytes, len_bytes);
    return at;
}

#endif
