/* SPDX-License-Identifier: MIT */
/*
 * poison_asan.c - AddressSanitizer watches: see poison.h.
 *
 * The sanitizer keeps one byte for eight, and in memory that is mapped only when it is written to.  An
 * arena of gigabytes is clean for the greater part, so clearing asks first.
 */
#include "core/base/mem.h"
#include "core/base/poison.h"

/* Of the sanitizer's own runtime library. */
void __asan_poison_memory_region(const void *at, size_t len_bytes);
void __asan_unpoison_memory_region(const void *at, size_t len_bytes);
void *__asan_region_is_poisoned(void *at, size_t len_bytes);

#define PIECE_BYTES (UINT64_C(1) << 20)

void poison_target_set(const void *bytes, uint64_t len_bytes)
{
    __asan_poison_memory_region(bytes, (size_t)len_bytes);
}

void poison_target_clear(const void *bytes, uint64_t len_bytes)
{
    const uint8_t *const at = bytes;

    for (uint64_t done = 0; done < len_bytes; done += PIECE_BYTES) {
        const uint64_t left = len_bytes - done;
        const size_t n = (size_t)(left < PIECE_BYTES ? left : PIECE_BYTES);

        if (__asan_region_is_poisoned((void *)(uintptr_t)(at + done), n) != NULL)
            __asan_unpoison_memory_region(at + done, n);
    }
}

void poison_target_set_even(const void *slots, uint32_t item_bytes, uint32_t header_bytes,
                            uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *const slot = (const uint8_t *)slots + (uint64_t)i * item_bytes;
        uint32_t word;

        memcpy(&word, slot, sizeof(word));
        if ((word & 1u) == 0)
            poison_target_set(slot + header_bytes, item_bytes - header_bytes);
    }
}
