/* SPDX-License-Identifier: MIT */
/* memory.c - calloc() and friends behind memory.h. */
#include "sim/memory.h"

#include <stdio.h>
#include <stdlib.h>

#define ARENA_ALIGN 64u

static void *must(void *got)
{
    if (!got) {
        fputs("sim: out of memory\n", stderr);
        abort();
    }
    return got;
}

void *sim_take(size_t bytes)
{
    return must(calloc(1, bytes ? bytes : 1));
}

void *sim_resize(void *old, size_t bytes)
{
    return must(realloc(old, bytes ? bytes : 1));
}

void sim_release(void *old)
{
    free(old);
}

uint8_t *sim_take_arena(uint64_t bytes, void **base)
{
    *base = sim_take((size_t)bytes + ARENA_ALIGN);
    const uintptr_t at = (uintptr_t)*base;
    const uintptr_t aligned = (at + ARENA_ALIGN - 1) / ARENA_ALIGN * ARENA_ALIGN;

    return (uint8_t *)*base + (aligned - at);
}
