/* SPDX-License-Identifier: MIT */
/* Clock, randomness and the arena. */
#include "test.h"

#include <lastack/runtime.h>

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

TEST(the_clock_never_goes_backwards)
{
    la_time last = la_rt_now();

    for (int i = 0; i < 10000; i++) {
        const la_time now = la_rt_now();
        assert_true(now.ns >= last.ns);
        last = now;
    }
    assert_true(la_rt_wallclock_ns() > UINT64_C(1600000000) * 1000000000u);
}

TEST(random_bytes_differ_and_fill_the_whole_buffer)
{
    uint8_t a[1024], b[1024];
    unsigned seen[2] = { 0, 0 };

    memset(a, 0, sizeof a);
    la_rt_random(a, sizeof a);
    la_rt_random(b, sizeof b);
    assert_memory_not_equal(a, b, sizeof a);
    for (size_t i = 0; i < sizeof a; i++)
        seen[a[i] != 0]++;
    assert_true(seen[1] > 900); /* of 1,024 bytes some 4 are zero; 124 never are */
    la_rt_random(a, 0);
}

/* Pages of a mapping that are in memory. */
static uint64_t resident(void *mem, uint64_t bytes)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const size_t pages = (size_t)(bytes / page);
    unsigned char *map = malloc(pages);
    uint64_t count = 0;

    assert_non_null(map);
    assert_int_equal(mincore(mem, (size_t)bytes, map), 0);
    for (size_t i = 0; i < pages; i++)
        count += map[i] & 1;
    free(map);
    return count;
}

#define GIB (UINT64_C(1) << 30)

TEST(an_arena_costs_nothing_until_it_is_touched)
{
    uint8_t *mem = la_rt_arena_map(64 * GIB);

    assert_non_null(mem);
    assert_int_equal((uintptr_t)mem % 4096, 0);
    mem[GIB] = 1;
    mem[33 * GIB] = 1;
    assert_int_equal(resident(mem, GIB), 0);
    assert_int_equal(resident(mem + GIB, GIB), 1);
    assert_int_equal(mem[2 * GIB], 0);
    la_rt_arena_unmap(mem, 64 * GIB);
}

TEST(no_arena_is_an_error_or_nothing)
{
    assert_null(la_rt_arena_map(0));
    assert_null(la_rt_arena_map(UINT64_C(1) << 62));
    la_rt_arena_unmap(NULL, 0);
}

#define OPENED 4000u

/* Many connections opened to nobody, then aborted: their slots hold nothing any more. */
static void open_and_abort(struct la_stack *s, la_time now)
{
    static la_conn_id conns[OPENED];
    const struct la_endpoint any = { .addr = la_addr_v4(0, 0, 0, 0) };
    const struct la_endpoint to = { la_addr_v4(10, 0, 0, 1), 80 };
    struct la_prefix p;

    assert_int_equal(la_iface_add(s, &(struct la_iface_config){ .mtu_bytes = 1500 }), 0);
    assert_true(la_prefix_parse("10.0.0.2/24", true, &p));
    assert_int_equal(la_addr_add(s, 0, p, 0), LA_OK);
    for (uint32_t i = 0; i < OPENED; i++)
        assert_int_equal(la_open(s, now, any, to, 0, &conns[i]), LA_OK);
    for (uint32_t i = 0; i < OPENED; i++)
        assert_int_equal(la_abort(s, now, conns[i]), LA_OK);
}

TEST(trimming_gives_touched_pages_back)
{
    struct la_config config;
    struct la_stack *s;

    la_config_default(&config);
    la_rt_random(config.secret, sizeof config.secret);
    const uint64_t bytes = la_bytes_needed(&config);
    uint8_t *mem = la_rt_arena_map(bytes);
    const la_time now = la_rt_now();
    assert_non_null(mem);
    assert_int_equal(la_init(mem, bytes, &config, now, &s), LA_OK);
    open_and_abort(s, now);
    const uint64_t before = resident(mem, bytes);
    const uint64_t trimmed = la_rt_arena_trim(s);
    assert_true(trimmed >= OPENED * 256);
    assert_true(resident(mem, bytes) < before);
    assert_null(la_check(s));
    la_rt_arena_unmap(mem, bytes);
}

TEST_MAIN
