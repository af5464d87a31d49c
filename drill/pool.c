/* SPDX-License-Identifier: MIT */
/* pool.c - Blocks of memory, filled from the front. */
#include "drill/pool.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_BYTES ((size_t)64 << 10)
#define ALIGNMENT ((size_t)16)

struct drill_pool_block {
    struct drill_pool_block *next;
    size_t used, room;
};
#define BLOCK_HEADER ((sizeof(struct drill_pool_block) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT)

static void out_of_memory(void)
{
    fputs("lastack drill: out of memory\n", stderr);
    abort();
}

void *drill_alloc(struct drill_pool *pool, size_t bytes)
{
    if (bytes > DRILL_POOL_MAX_BYTES)
        out_of_memory();
    bytes = (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    struct drill_pool_block *b = pool->blocks;
    if (b == NULL || b->room - b->used < bytes) {
        const size_t room = bytes > BLOCK_BYTES / 2 ? bytes : BLOCK_BYTES;
        if (pool->bytes + room > DRILL_POOL_MAX_BYTES)
            out_of_memory();
        b = calloc(1, BLOCK_HEADER + room);
        if (b == NULL)
            out_of_memory();
        b->room = room;
        b->next = pool->blocks;
        pool->blocks = b;
        pool->bytes += room;
    }
    uint8_t *p = (uint8_t *)b + BLOCK_HEADER + b->used;
    b->used += bytes;
    return p;
}

char *drill_text(struct drill_pool *pool, const char *bytes, size_t len)
{
    char *text = drill_alloc(pool, len + 1);
    if (len > 0)
        memcpy(text, bytes, len);
    return text;
}

char *drill_vformat(struct drill_pool *pool, const char *format, va_list arguments)
{
    char line[1024];
    va_list again;
    va_copy(again, arguments);
    const int len = vsnprintf(line, sizeof line, format, arguments);
    if (len < 0)
        out_of_memory();
    char *text = drill_alloc(pool, (size_t)len + 1);
    vsnprintf(text, (size_t)len + 1, format, again);
    va_end(again);
    return text;
}

char *drill_format(struct drill_pool *pool, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *text = drill_vformat(pool, format, arguments);
    va_end(arguments);
    return text;
}

void drill_pool_free(struct drill_pool *pool)
{
    while (pool->blocks != NULL) {
        struct drill_pool_block *b = pool->blocks;
        pool->blocks = b->next;
        free(b);
    }
    pool->bytes = 0;
}
