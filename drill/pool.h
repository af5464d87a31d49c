/* SPDX-License-Identifier: MIT */
/*
 * pool.h - Memory that lives as long as one script: taken piece by piece, given back at once.
 *
 * A script that wants more than DRILL_POOL_MAX_BYTES ends the process: no script of people's
 * making comes near it, and a worker holds one script only.
 */
#ifndef DRILL_POOL_H
#define DRILL_POOL_H

#include <stdarg.h>
#include <stddef.h>

#define DRILL_POOL_MAX_BYTES ((size_t)512 << 20)

struct drill_pool {
    struct drill_pool_block *blocks;
    size_t bytes;
};

/* Zeroed and aligned for anything; never NULL. */
void *drill_alloc(struct drill_pool *pool, size_t bytes);
/* A copy of @len bytes with a NUL behind them. */
char *drill_text(struct drill_pool *pool, const char *bytes, size_t len);
char *drill_format(struct drill_pool *pool, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
char *drill_vformat(struct drill_pool *pool, const char *format, va_list arguments);
/* Gives everything back; the pool may be used again. */
void drill_pool_free(struct drill_pool *pool);

#endif
