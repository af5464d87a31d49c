/* SPDX-License-Identifier: MIT */
/*
 * panic.c - The end of a program whose stack found itself in a state that cannot be.
 *
 * Going on would send segments made from wrong state, so it says where and aborts: a
 * core dump (without the arena, see arena.c) tells the rest.
 */
#include <lastack/stack.h>

#include <stdio.h>
#include <stdlib.h>

void la_panic(const char *file, int line, const char *what)
{
    fprintf(stderr, "%s:%d: lastack: assertion failed: %s\n", file, line, what);
    fflush(stderr);
    abort();
}
