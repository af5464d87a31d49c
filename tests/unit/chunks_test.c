/* SPDX-License-Identifier: MIT */
/* chunks_test.c - The pool and its reserve. */
#include "tests/unit/base_test.h"

#include "core/base/chunks.h"

#define CHUNK 512u
#define BYTES (1u << 20)

static struct chunks pool;

TEST(a_chunk_comes_empty_and_unlinked_whatever_its_last_owner_wrote)
{
    uint8_t *arena = arena_map(BYTES);
    chunks_init(&pool, 4096, CHUNK, 4, 0);
    assert_int_equal(chunks_payload(&pool), CHUNK - 16);
    const uint32_t i = chunks_take(&pool, arena, CHUNKS_ORDINARY);
    struct chunk *const c = chunk_at(&pool, arena, i);
    c->start = 7;
    c->len = 9;
    c->slot.link = 3;
    memset(c->bytes, 0xaa, chunks_payload(&pool));
    chunks_give(&pool, arena, i);
    assert_int_equal(chunks_take(&pool, arena, CHUNKS_ORDINARY), i);
    assert_int_equal(c->start, 0);
    assert_int_equal(c->len, 0);
    assert_int_equal(c->slot.link, SLAB_NONE);
    arena_unmap(arena, BYTES);
}

TEST(ordinary_takers_leave_the_reserve_alone)
{
    uint8_t *arena = arena_map(BYTES);
    chunks_init(&pool, 0, CHUNK, 10, 3);
    for (uint32_t n = 0; n < 7; n++) {
        assert_int_equal(chunks_room(&pool), 7 - n);
        assert_int_equal(chunks_take(&pool, arena, CHUNKS_ORDINARY), n);
    }
    assert_int_equal(chunks_room(&pool), 0);
    assert_int_equal(chunks_take(&pool, arena, CHUNKS_ORDINARY), SLAB_NONE);
    for (uint32_t n = 7; n < 10; n++)
        assert_int_equal(chunks_take(&pool, arena, CHUNKS_RESERVE), n);
    assert_int_equal(chunks_take(&pool, arena, CHUNKS_RESERVE), SLAB_NONE);
    /* What comes back fills the reserve first. */
    for (uint32_t n = 0; n < 3; n++) {
        chunks_give(&pool, arena, n);
        assert_int_equal(chunks_take(&pool, arena, CHUNKS_ORDINARY), SLAB_NONE);
    }
    chunks_give(&pool, arena, 3);
    assert_int_equal(chunks_take(&pool, arena, CHUNKS_ORDINARY), 3);
    assert_sound(slab_check(&pool.slab, arena));
    arena_unmap(arena, BYTES);
}

TEST(a_pool_that_is_all_reserve_refuses_every_ordinary_taker)
{
    uint8_t *arena = arena_map(BYTES);
    chunks_init(&pool, 0, CHUNK, 4, 4);
    assert_int_equal(chunks_take(&pool, arena, CHUNKS_ORDINARY), SLAB_NONE);
    assert_int_equal(chunks_take(&pool, arena, CHUNKS_RESERVE), 0);
    arena_unmap(arena, BYTES);
}

TEST(a_pool_out_of_range_is_a_programmers_error)
{
    expect_assert_failure(chunks_init(&pool, 0, LA_CHUNK_BYTES_MIN / 2, 4, 0));
    expect_assert_failure(chunks_init(&pool, 0, LA_CHUNK_BYTES_MAX * 2, 4, 0));
    expect_assert_failure(chunks_init(&pool, 0, CHUNK, 4, 5));
}

TEST(init_for_a_terabyte_of_chunks_touches_no_page_and_a_take_touches_one)
{
    const size_t len = (size_t)1 << 30;
    uint8_t *arena = arena_map(len);
    chunks_init(&pool, 0, 4096, 1u << 28, 16);
    assert_int_equal(arena_resident_pages(arena, 1u << 20), 0);
    assert_int_equal(chunks_take(&pool, arena, CHUNKS_ORDINARY), 0);
    assert_int_equal(arena_resident_pages(arena, 1u << 20), 1);
    arena_unmap(arena, len);
}

TEST_MAIN
