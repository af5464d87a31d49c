/* SPDX-License-Identifier: MIT */
/* slab_test.c - The slab against an array that remembers every slot and every handle. */
#include "tests/unit/base_test.h"

#include "core/base/slab.h"

#define ITEM 64u
#define CAP 4096u
#define BYTES (CAP * 1024u)

static struct slab slab;

static uint8_t *make(uint32_t item_bytes, uint32_t cap)
{
    uint8_t *arena = arena_map(BYTES);
    slab_init(&slab, 128, item_bytes, cap);
    assert_sound(slab_check(&slab, arena));
    return arena;
}

TEST(a_new_slab_hands_out_its_slots_in_ascending_order_and_then_says_it_is_full)
{
    uint8_t *arena = make(ITEM, 5);
    for (uint32_t i = 0; i < 5; i++) {
        assert_int_equal(slab_room(&slab), 5 - i);
        assert_int_equal(slab_take(&slab, arena), i);
    }
    assert_int_equal(slab_take(&slab, arena), SLAB_NONE);
    assert_int_equal(slab_take_raw(&slab, arena), SLAB_NONE);
    assert_int_equal(slab.used, 5);
    assert_sound(slab_check(&slab, arena));
    arena_unmap(arena, BYTES);
}

TEST(the_slot_given_back_last_is_taken_first)
{
    uint8_t *arena = make(ITEM, 8);
    for (uint32_t i = 0; i < 8; i++)
        assert_int_equal(slab_take(&slab, arena), i);
    slab_give(&slab, arena, 2);
    slab_give(&slab, arena, 7);
    slab_give(&slab, arena, 0);
    assert_sound(slab_check(&slab, arena));
    assert_int_equal(slab_take(&slab, arena), 0);
    assert_int_equal(slab_take(&slab, arena), 7);
    assert_int_equal(slab_take(&slab, arena), 2);
    assert_int_equal(slab_take(&slab, arena), SLAB_NONE);
    assert_int_equal(slab.used_max, 8);
    arena_unmap(arena, BYTES);
}

TEST(take_zeroes_a_used_slot_and_take_raw_leaves_its_bytes)
{
    uint8_t *arena = make(ITEM, 2);
    uint32_t i = slab_take(&slab, arena);
    uint8_t *bytes = slab_at(&slab, arena, i);
    memset(bytes + sizeof(struct slot), 0xaa, ITEM - sizeof(struct slot));
    slab_give(&slab, arena, i);
    assert_int_equal(slab_take_raw(&slab, arena), i);
    for (uint32_t k = sizeof(struct slot); k < ITEM; k++)
        assert_int_equal(bytes[k], 0xaa);
    slab_give(&slab, arena, i);
    assert_int_equal(slab_take(&slab, arena), i);
    for (uint32_t k = sizeof(struct slot); k < ITEM; k++)
        assert_int_equal(bytes[k], 0);
    assert_int_equal(((struct slot *)(void *)bytes)->link, SLAB_NONE);
    arena_unmap(arena, BYTES);
}

TEST(a_handle_finds_its_slot_until_it_is_given_back)
{
    uint8_t *arena = make(ITEM, 4);
    const uint32_t a = slab_take(&slab, arena);
    const uint32_t b = slab_take(&slab, arena);
    const uint64_t ha = slab_handle(&slab, arena, a);
    const uint64_t hb = slab_handle(&slab, arena, b);
    assert_true(ha != 0 && hb != 0 && ha != hb);
    assert_int_equal(slab_find(&slab, arena, ha), a);
    assert_int_equal(slab_find(&slab, arena, hb), b);
    slab_give(&slab, arena, a);
    assert_int_equal(slab_find(&slab, arena, ha), SLAB_NONE);
    assert_int_equal(slab_take(&slab, arena), a);
    assert_int_equal(slab_find(&slab, arena, ha), SLAB_NONE);
    assert_int_equal(slab_find(&slab, arena, slab_handle(&slab, arena, a)), a);
    arena_unmap(arena, BYTES);
}

TEST(no_made_up_handle_finds_anything)
{
    uint8_t *arena = make(ITEM, 4);
    const uint32_t i = slab_take(&slab, arena);
    const uint64_t h = slab_handle(&slab, arena, i);
    assert_int_equal(slab_find(&slab, arena, 0), SLAB_NONE);
    assert_int_equal(slab_find(&slab, arena, h + 1), SLAB_NONE);
    assert_int_equal(slab_find(&slab, arena, h | 0xffffffffu), SLAB_NONE);
    assert_int_equal(slab_find(&slab, arena, h + (UINT64_C(1) << 32)), SLAB_NONE);
    assert_int_equal(slab_find(&slab, arena, h + (UINT64_C(2) << 32)), SLAB_NONE);
    slab_give(&slab, arena, i);
    /* The even generation of a free slot is no handle either. */
    assert_int_equal(slab_find(&slab, arena, h + (UINT64_C(1) << 32)), SLAB_NONE);
    arena_unmap(arena, BYTES);
}

TEST(giving_back_what_is_not_live_is_a_programmers_error)
{
    uint8_t *arena = make(ITEM, 4);
    const uint32_t i = slab_take(&slab, arena);
    slab_give(&slab, arena, i);
    expect_assert_failure(slab_give(&slab, arena, i));
    expect_assert_failure(slab_give(&slab, arena, 3));
    expect_assert_failure((void)slab_handle(&slab, arena, i));
    arena_unmap(arena, BYTES);
}

TEST(a_narrow_generation_wraps_without_ever_making_the_zero_handle)
{
    uint8_t *arena = make(ITEM, 4);
    uint64_t seen[16] = { 0 };
    slab.gen_mask = 15;
    for (uint32_t n = 0; n < 64; n++) {
        assert_int_equal(slab_take(&slab, arena), 0);
        const uint64_t h = slab_handle(&slab, arena, 0);
        assert_true(h != 0);
        assert_int_equal(slab_find(&slab, arena, h), 0);
        seen[n % 16] = h;
        /* 1 is handed out once, then the seven of 3, 5, ... 15 go round. */
        const uint32_t gen = n < 8 ? 2 * n + 1 : 3 + 2 * ((n - 8) % 7);
        assert_int_equal(h >> 32, gen);
        slab_give(&slab, arena, 0);
        assert_sound(slab_check(&slab, arena));
        assert_int_equal(slab_find(&slab, arena, h), SLAB_NONE);
    }
    /* A stale handle is found again only when its generation has come round. */
    assert_int_equal(slab_take(&slab, arena), 0);
    uint32_t hits = 0;
    for (uint32_t n = 0; n < 16; n++)
        hits += slab_find(&slab, arena, seen[n]) != SLAB_NONE;
    assert_int_equal(hits, 2);
    arena_unmap(arena, BYTES);
}

TEST(init_for_half_a_billion_slots_touches_no_page)
{
    const size_t len = (size_t)64 << 30;
    uint8_t *arena = arena_map(len);
    slab_init(&slab, 4096, 128, LA_SLOTS_MAX);
    assert_int_equal(arena_resident_pages(arena, 1u << 20), 0);
    for (uint32_t i = 0; i < 64; i++)
        assert_int_equal(slab_take(&slab, arena), i);
    assert_int_equal(arena_resident_pages(arena, 1u << 20), 2);
    arena_unmap(arena, len);
}

TEST(a_copied_arena_goes_on_as_the_original_does)
{
    uint8_t *arena = make(ITEM, 64);
    uint8_t *copy = arena_map(BYTES);
    for (uint32_t i = 0; i < 20; i++)
        assert_int_equal(slab_take(&slab, arena), i);
    for (uint32_t i = 0; i < 20; i += 3)
        slab_give(&slab, arena, i);
    struct slab twin = slab;
    slab_show(&slab, arena);
    memcpy(copy, arena, 64 * ITEM + 128);
    slab_hide(&slab, arena);
    for (uint32_t i = 0; i < 30; i++) {
        const uint32_t a = slab_take(&slab, arena);
        assert_int_equal(a, slab_take(&twin, copy));
        assert_int_equal(slab_handle(&slab, arena, a), slab_handle(&twin, copy, a));
    }
    arena_unmap(arena, BYTES);
    arena_unmap(copy, BYTES);
}

/* Trim ------------------------------------------------------------------------- */

static void ignore(void *context, struct la_extent extent)
{
    (void)context;
    (void)extent;
}

static void forbid_writing(void *context, struct la_extent extent)
{
    uint8_t *const at = (uint8_t *)context + extent.offset_bytes;
    assert_int_equal(mprotect(at, extent.len_bytes, PROT_READ), 0);
}

static void keep_zero(void *context, struct la_extent extent)
{
    memset((uint8_t *)context + extent.offset_bytes, 0, extent.len_bytes);
}

/* Take 1,000 slots and write to all their bytes. */
static void take_and_fill(uint8_t *arena)
{
    for (uint32_t i = 0; i < 1000; i++) {
        assert_int_equal(slab_take(&slab, arena), i);
        memset((uint8_t *)slab_at(&slab, arena, i) + sizeof(struct slot), 0xaa,
               slab.item_bytes - sizeof(struct slot));
    }
}

TEST(trimming_an_empty_slab_hands_everything_back_but_its_first_page)
{
    uint8_t *arena = make(ITEM, CAP);
    take_and_fill(arena);
    for (uint32_t i = 0; i < 1000; i++)
        slab_give(&slab, arena, i);
    slab_trim(&slab, arena, 4096, arena_discard, arena);
    assert_int_equal(slab.high, 0);
    assert_int_equal(arena_written_pages(arena, BYTES), 1);
    assert_int_equal(slab_take(&slab, arena), 0);
    assert_int_equal(slab_handle(&slab, arena, 0) >> 32, 3);
    arena_unmap(arena, BYTES);
}

TEST(a_second_trim_reaches_the_page_the_first_had_to_keep)
{
    uint8_t *arena = make(ITEM, CAP);
    take_and_fill(arena);
    for (uint32_t i = 501; i < 1000; i++)
        slab_give(&slab, arena, i);
    slab_trim(&slab, arena, 4096, arena_discard, arena);
    assert_int_equal(slab.high, 501);
    assert_int_equal(arena_written_pages(arena, BYTES), 8);
    for (uint32_t i = 0; i < 501; i++)
        slab_give(&slab, arena, i);
    slab_trim(&slab, arena, 4096, arena_discard, arena);
    assert_int_equal(arena_written_pages(arena, BYTES), 1);
    arena_unmap(arena, BYTES);
}

static struct la_extent seen[64];
static uint32_t seen_count;

static void remember(void *context, struct la_extent extent)
{
    (void)context;
    assert_in_range(seen_count, 0, 63);
    seen[seen_count++] = extent;
}

TEST(no_extent_reaches_beyond_the_slabs_own_region)
{
    uint8_t *arena = make(ITEM, 1000); /* from 128 to 64,128 */
    take_and_fill(arena);
    for (uint32_t i = 0; i < 1000; i++)
        slab_give(&slab, arena, i);
    seen_count = 0;
    slab_trim(&slab, arena, 4096, remember, NULL);
    assert_int_equal(seen_count, 1);
    assert_int_equal(seen[0].offset_bytes, 4096);
    assert_int_equal(seen[0].len_bytes, 61440 - 4096);
    arena_unmap(arena, BYTES);
}

TEST(the_last_free_slot_before_a_live_one_keeps_its_page)
{
    uint8_t *arena = arena_map(BYTES);
    slab_init(&slab, 0, ITEM, 1000); /* 64 slots a page, exactly */
    take_and_fill(arena);
    const uint64_t old = slab_handle(&slab, arena, 255);
    for (uint32_t i = 0; i < 256; i++)
        slab_give(&slab, arena, i);
    seen_count = 0;
    slab_trim(&slab, arena, 4096, remember, NULL);
    assert_int_equal(seen_count, 1);
    assert_int_equal(seen[0].offset_bytes, 0);
    assert_int_equal(seen[0].len_bytes, 3 * 4096);
    for (uint32_t i = 0; i < 256; i++)
        assert_int_equal(slab_take(&slab, arena), i);
    assert_true(slab_handle(&slab, arena, 255) != old);
    arena_unmap(arena, BYTES);
}

TEST(pages_between_live_slots_are_handed_back_and_stay_so_in_the_next_trim)
{
    uint8_t *arena = make(ITEM, CAP);
    take_and_fill(arena);
    for (uint32_t i = 1; i < 999; i++)
        if (i != 500)
            slab_give(&slab, arena, i);
    slab_trim(&slab, arena, 4096, arena_discard, arena);
    assert_sound(slab_check(&slab, arena));
    assert_int_equal(slab.high, 1000);
    assert_true(arena_written_pages(arena, 65536) <= 4);
    /* What was handed back is not written to again: it could not be. */
    slab_trim(&slab, arena, 4096, forbid_writing, arena);
    slab_trim(&slab, arena, 4096, ignore, NULL);
    assert_int_equal(mprotect(arena, BYTES, PROT_READ | PROT_WRITE), 0);
    assert_sound(slab_check(&slab, arena));
    for (uint32_t i = 1; i < 999; i++)
        if (i != 500)
            assert_int_equal(slab_take(&slab, arena), i);
    assert_int_equal(slab_take(&slab, arena), 1000);
    arena_unmap(arena, BYTES);
}

/*
 * @gen_mask wide: no handle is ever given out twice.  Narrow: nothing but the live
 * handles is checked, but trim must not break the list or make generation 0.
 */
static void churn(uint32_t item_bytes, uint32_t gen_mask, uint32_t rounds,
                  void (*each)(void *, struct la_extent), uint64_t seed)
{
    static uint32_t last_gen[CAP];
    static uint32_t live[CAP];
    uint32_t count = 0;
    uint8_t *arena = make(item_bytes, CAP - 96);
    slab.gen_mask = gen_mask;
    memset(last_gen, 0, sizeof last_gen);
    for (uint32_t n = 0; n < rounds; n++) {
        const bool grow = (n >> 12) % 2 == 0;
        if (rng_below(&seed, 100) < (grow ? 70u : 30u)) {
            const uint32_t i = slab_take(&slab, arena);
            if (i == SLAB_NONE) {
                assert_int_equal(count, slab.cap);
                continue;
            }
            const uint64_t h = slab_handle(&slab, arena, i);
            if (gen_mask == UINT32_MAX)
                assert_true((uint32_t)(h >> 32) > last_gen[i]);
            last_gen[i] = (uint32_t)(h >> 32);
            live[count++] = i;
        } else if (count > 0) {
            const uint32_t k = rng_below(&seed, count);
            slab_give(&slab, arena, live[k]);
            live[k] = live[--count];
        }
        if (rng_below(&seed, 500) == 0) {
            slab_trim(&slab, arena, 4096, each, arena);
            assert_sound(slab_check(&slab, arena));
            for (uint32_t k = 0; k < count; k++)
                assert_int_equal(
                    slab_find(&slab, arena, (uint64_t)last_gen[live[k]] << 32 | live[k]), live[k]);
        }
        assert_int_equal(slab.used, count);
    }
    arena_unmap(arena, BYTES);
}

TEST(no_handle_repeats_through_random_takes_gives_and_trims)
{
    churn(64, UINT32_MAX, 60000, arena_discard, 1);
    churn(320, UINT32_MAX, 60000, arena_discard, 2);
    churn(72, UINT32_MAX, 60000, arena_discard, 3);
    churn(512, UINT32_MAX, 60000, arena_discard, 4);
}

TEST(trim_does_not_depend_on_the_host_discarding_anything)
{
    churn(64, UINT32_MAX, 60000, ignore, 5);
    churn(136, UINT32_MAX, 60000, keep_zero, 6);
}

TEST(narrow_generations_survive_random_takes_gives_and_trims)
{
    churn(64, 15, 60000, arena_discard, 7);
    churn(200, 15, 60000, ignore, 8);
}

/* The promise of slab.h, with 16 generations: two others are handed out before a repeat. */
TEST(a_narrow_generation_is_not_among_the_last_two_whatever_is_trimmed)
{
    uint64_t seed = 9;
    uint8_t *arena = make(ITEM, 256);
    uint64_t recent[2] = { 0 };
    slab.gen_mask = 15;
    for (uint32_t n = 0; n < 20000; n++) {
        const uint32_t i = slab_take(&slab, arena);
        const uint64_t h = slab_handle(&slab, arena, i);
        assert_int_equal(i, 0);
        assert_true((h >> 32) % 2 == 1 && h >> 32 <= 15);
        for (uint32_t k = 0; k < 2; k++)
            assert_true(recent[k] != h);
        recent[n % 2] = h;
        slab_give(&slab, arena, i);
        if (rng_below(&seed, 3) == 0)
            slab_trim(&slab, arena, 4096, ignore, NULL);
    }
    arena_unmap(arena, BYTES);
}

TEST(check_names_what_is_broken)
{
    uint8_t *arena = make(ITEM, 16);
    for (uint32_t i = 0; i < 8; i++)
        assert_int_equal(slab_take(&slab, arena), i);
    slab_give(&slab, arena, 3);
    slab_give(&slab, arena, 5);
    struct slot *const five = slab_at(&slab, arena, 5);
    const struct slot was = *five;
    five->link = 0; /* 6, which is live */
    assert_non_null(slab_check(&slab, arena));
    five->link = UINT32_MAX; /* itself */
    assert_non_null(slab_check(&slab, arena));
    *five = was;
    five->gen++;
    assert_non_null(slab_check(&slab, arena));
    *five = was;
    assert_sound(slab_check(&slab, arena));
    slab.used++;
    assert_non_null(slab_check(&slab, arena));
    arena_unmap(arena, BYTES);
}

TEST_MAIN
