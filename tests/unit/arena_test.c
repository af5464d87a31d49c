/* SPDX-License-Identifier: MIT */
/* The arena a stack lives in: none of it, so no key either, gets into a core dump. */
#include "test.h"

#include <lastack/runtime.h>

#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* The VmFlags of the mapping @at lies in; "" if the kernel does not tell. */
static void flags_of(const void *at, char flags[256])
{
    char line[512];
    bool inside = false;
    FILE *f = fopen("/proc/self/smaps", "r");

    flags[0] = '\0';
    if (f == NULL)
        return;
    while (fgets(line, sizeof line, f) != NULL) {
        unsigned long from, to;

        if (sscanf(line, "%lx-%lx ", &from, &to) == 2)
            inside = (uintptr_t)at >= from && (uintptr_t)at < to;
        if (inside && strncmp(line, "VmFlags:", 8) == 0)
            snprintf(flags, 256, "%.255s", line);
    }
    fclose(f);
}

TEST(no_page_of_an_arena_is_dumped)
{
    static uint8_t ordinary[4096];
    const uint64_t bytes = UINT64_C(64) << 20;
    char flags[256];
    uint8_t *mem = la_rt_arena_map(bytes);

    assert_non_null(mem);
    flags_of(mem, flags);
    if (flags[0] == '\0')
        skip(); /* no /proc, or a kernel without VmFlags */
    assert_non_null(strstr(flags, " dd"));
    flags_of(mem + bytes - 1, flags);
    assert_non_null(strstr(flags, " dd"));
    flags_of(ordinary, flags);
    assert_null(strstr(flags, " dd"));
    la_rt_arena_unmap(mem, bytes);
}

TEST(an_arena_of_nothing_is_refused)
{
    assert_null(la_rt_arena_map(0));
}

TEST_MAIN
