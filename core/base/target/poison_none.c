/* SPDX-License-Identifier: MIT */
/* poison_none.c - Nobody watches: see poison.h. */
#include "core/base/poison.h"

void poison_target_set(const void *bytes, uint64_t len_bytes)
{
    (void)bytes;
    (void)len_bytes;
}

void poison_target_clear(const void *bytes, uint64_t len_bytes)
{
    (void)bytes;
    (void)len_bytes;
}

void poison_target_set_even(const void *slots, uint32_t item_bytes, uint32_t header_bytes,
                            uint32_t count)
{
    (void)slots;
    (void)item_bytes;
    (void)header_bytes;
    (void)count;
}
