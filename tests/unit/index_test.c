/* SPDX-License-Identifier: MIT */
/*
 * index_test.c - The index against an array with a place for every entry there can be.
 *
 * Entry k has the hash of its family k / FAMILY, so look-ups must tell several entries
 * with one hash apart.
 */
#include "tests/unit/base_test.h"

#include "core/base/index.h"

#define ENTRIES_MAX 20000u
#define FAMILY 3u
#define OFFSET 192u

static struct index idx;
static uint8_t *arena;
static size_t arena_bytes;

/* What the oracle knows: the type of entry k, INDEX_FREE if it is not there. */
static enum index_type there[ENTRIES_MAX];
static uint32_t count;
static uint32_t hash_mask;

static void setup(uint32_t entries_max)
{
    arena_bytes = (OFFSET + (size_t)index_bytes(entries_max) + 4095) & ~(size_t)4095;
    arena = arena_map(arena_bytes);
    index_init(&idx, OFFSET, entries_max);
    memset(there, 0, sizeof there);
    count = 0;
    hash_mask = UINT32_MAX;
    assert_sound(index_check(&idx, arena));
}

static void teardown(void)
{
    arena_unmap(arena, arena_bytes);
}

static uint32_t hash_of(uint32_t k)
{
    uint64_t seed = k / FAMILY + 77;
    return (uint32_t)rng_next(&seed) & hash_mask;
}

static struct index_entry entry(uint32_t k, enum index_type type)
{
    return (struct index_entry){ type, k };
}

static void insert(uint32_t k, enum index_type type)
{
    assert_true(index_insert(&idx, arena, hash_of(k), entry(k, type)));
    there[k] = type;
    count++;
}

static void take_out(uint32_t k)
{
    index_remove(&idx, arena, hash_of(k), entry(k, there[k]));
    there[k] = INDEX_FREE;
    count--;
}

/* Every entry of k's family that is there is found once, and nothing that is not there. */
static void look_up(uint32_t k)
{
    const uint32_t first = k - k % FAMILY;
    bool found[FAMILY] = { false };
    struct index_entry e;
    struct index_cursor c = index_find(&idx, hash_of(k));
    while (index_next(&idx, arena, &c, &e)) {
        assert_in_range(e.value, 0, ENTRIES_MAX - 1);
        assert_int_equal(there[e.value], e.type);
        if (e.value < first || e.value >= first + FAMILY)
            assert_int_equal(hash_of(e.value), hash_of(k));
        else {
            assert_false(found[e.value - first]);
            found[e.value - first] = true;
        }
    }
    for (uint32_t i = 0; i < FAMILY && first + i < ENTRIES_MAX; i++)
        assert_int_equal(found[i], there[first + i] != INDEX_FREE);
    assert_false(index_next(&idx, arena, &c, &e));
}

static void look_up_all(void)
{
    for (uint32_t k = 0; k < ENTRIES_MAX; k += FAMILY)
        look_up(k);
    assert_int_equal(idx.entries, count);
    assert_sound(index_check(&idx, arena));
}

TEST(an_empty_index_finds_nothing)
{
    setup(ENTRIES_MAX);
    for (uint32_t k = 0; k < 1000; k++)
        look_up(k);
    struct index_entry e;
    struct index_cursor c = index_find(&idx, 0);
    assert_false(index_next(&idx, arena, &c, &e));
    teardown();
}

TEST(an_entry_of_each_type_is_found_until_it_is_removed)
{
    setup(100);
    insert(0, INDEX_CONN);
    insert(1, INDEX_HALF_OPEN);
    insert(2, INDEX_SHORT);
    look_up(0);
    take_out(1);
    look_up(0);
    take_out(0);
    take_out(2);
    look_up(0);
    assert_int_equal(idx.entries, 0);
    teardown();
}

TEST(a_hash_of_zero_and_the_largest_value_are_like_any_other)
{
    setup(100);
    const struct index_entry e = { INDEX_SHORT, (1u << 30) - 1 };
    struct index_entry out;
    assert_true(index_insert(&idx, arena, 0, e));
    struct index_cursor c = index_find(&idx, 0);
    assert_true(index_next(&idx, arena, &c, &out));
    assert_int_equal(out.type, e.type);
    assert_int_equal(out.value, e.value);
    assert_false(index_next(&idx, arena, &c, &out));
    index_remove(&idx, arena, 0, e);
    teardown();
}

TEST(replace_rewrites_one_slot_and_moves_nothing)
{
    setup(100);
    insert(0, INDEX_CONN);
    insert(1, INDEX_CONN);
    index_replace(&idx, arena, hash_of(1), entry(1, INDEX_CONN), entry(2, INDEX_SHORT));
    there[1] = INDEX_FREE;
    there[2] = INDEX_SHORT;
    look_up(0);
    assert_int_equal(idx.entries, 2);
    teardown();
}

TEST(removing_or_replacing_what_is_not_there_is_a_programmers_error)
{
    setup(100);
    insert(0, INDEX_CONN);
    expect_assert_failure(index_remove(&idx, arena, hash_of(0), entry(0, INDEX_SHORT)));
    expect_assert_failure(index_remove(&idx, arena, hash_of(0), entry(1, INDEX_CONN)));
    expect_assert_failure(index_remove(&idx, arena, hash_of(0) + 1, entry(0, INDEX_CONN)));
    expect_assert_failure(
        index_replace(&idx, arena, hash_of(0), entry(1, INDEX_CONN), entry(1, INDEX_SHORT)));
    expect_assert_failure(insert(1, INDEX_FREE));
    expect_assert_failure(insert(1u << 30, INDEX_CONN));
    look_up(0);
    teardown();
}

/* Grow to the cap and shrink to nothing, @rounds times, by a walk with look-ups between. */
static void breathe(uint32_t cap, uint32_t rounds, uint64_t seed)
{
    for (uint32_t way = 0; way < 2 * rounds; way++) {
        for (uint32_t n = 0; n < 2 * cap; n++) {
            const uint32_t k = rng_below(&seed, cap);
            const bool against = rng_below(&seed, 8) == 0;
            if (there[k] == INDEX_FREE && (way % 2 == 0 || against))
                insert(k, (enum index_type)(1 + rng_below(&seed, 3)));
            else if (there[k] != INDEX_FREE && (way % 2 == 1 || against))
                take_out(k);
            look_up(rng_below(&seed, cap));
            if (rng_below(&seed, 4000) == 0)
                look_up_all();
        }
        for (uint32_t k = 0; k < cap; k++) {
            if (way % 2 == 0 && there[k] == INDEX_FREE)
                insert(k, INDEX_CONN);
            else if (way % 2 == 1 && there[k] != INDEX_FREE)
                take_out(k);
        }
        look_up_all();
        assert_int_equal(count, way % 2 == 0 ? cap : 0);
    }
}

TEST(the_index_agrees_with_an_array_as_it_grows_and_shrinks)
{
    setup(ENTRIES_MAX);
    breathe(ENTRIES_MAX, 2, 1);
    assert_int_equal(idx.buckets, idx.buckets_min);
    assert_int_equal(idx.overflow_used, 0);
    teardown();
}

TEST(the_index_agrees_with_an_array_at_every_small_cap)
{
    for (uint32_t cap = 1; cap < 200; cap += 1 + cap / 8) {
        setup(cap);
        breathe(cap, 3, cap);
        teardown();
    }
}

TEST(a_tiny_index_holds_its_cap_whatever_the_hashes)
{
    for (uint32_t cap = 1; cap <= 100; cap++) {
        setup(cap);
        hash_mask = 0;
        for (uint32_t k = 0; k < cap; k++)
            insert(k, INDEX_CONN);
        assert_sound(index_check(&idx, arena));
        look_up(0);
        for (uint32_t k = 0; k < cap; k++) {
            take_out(k % 2 == 0 ? k / 2 : cap - 1 - k / 2);
            assert_sound(index_check(&idx, arena));
        }
        teardown();
    }
}

/* Few hashes make long chains: their form is kept by inserts and removals in any order. */
TEST(long_chains_agree_with_an_array)
{
    setup(ENTRIES_MAX);
    hash_mask = 0x70000007;
    breathe(600, 3, 5);
    hash_mask = 3;
    breathe(300, 3, 6);
    teardown();
}

TEST(with_no_overflow_bucket_left_insert_says_so_and_changes_nothing)
{
    setup(400);
    hash_mask = 0;
    uint32_t k = 0;
    while (index_insert(&idx, arena, 0, entry(k, INDEX_CONN))) {
        there[k++] = INDEX_CONN;
        count++;
    }
    assert_int_equal(idx.overflow_used, idx.overflow_max);
    assert_in_range(k, 7 * idx.overflow_max + 8, 7 * idx.overflow_max + 8);
    assert_int_equal(idx.entries, k);
    assert_sound(index_check(&idx, arena));
    look_up(0);
    while (count > 0)
        take_out(count - 1);
    assert_sound(index_check(&idx, arena));
    assert_int_equal(idx.overflow_used, 0);
    assert_int_equal(idx.buckets, idx.buckets_min);
    teardown();
}

/* Even over the buckets, but leaves those of 0, 975 and 1999 alone. */
static uint32_t spread_hash(uint32_t n)
{
    return n / 900 * 1024 + n % 900 + 1;
}

/* Only for one who knows the key: one chain takes nearly all, two others want what is left. */
TEST(a_merge_that_finds_no_overflow_bucket_waits_until_there_is_one)
{
    uint32_t k = 0;
    setup(10000);
    const uint32_t chain = 7 * idx.overflow_max + 8;
    for (uint32_t n = 0; n < 10000 - chain; n++)
        assert_true(index_insert(&idx, arena, spread_hash(n), entry(k++, INDEX_CONN)));
    const uint32_t spread = k;
    for (; k < spread + chain; k++)
        assert_true(index_insert(&idx, arena, 0, entry(k, INDEX_CONN)));
    for (; k < 10016; k++) /* a few beyond the cap: two full buckets */
        assert_true(index_insert(&idx, arena, k % 2 == 0 ? 975 : 1999, entry(k, INDEX_CONN)));
    assert_int_equal(idx.buckets, 2000);
    for (uint32_t n = 0; n < spread; n++)
        index_remove(&idx, arena, spread_hash(n), entry(n, INDEX_CONN));
    assert_int_equal(idx.buckets, 2000); /* few enough entries, but no merge of 975 and 1999 */
    assert_sound(index_check(&idx, arena));
    for (uint32_t n = spread; n < spread + chain; n++)
        index_remove(&idx, arena, 0, entry(n, INDEX_CONN));
    assert_in_range(idx.buckets, idx.buckets_min, 1000);
    assert_sound(index_check(&idx, arena));
    teardown();
}

TEST(an_insert_splits_at_most_one_bucket_and_a_removal_merges_at_most_one)
{
    setup(ENTRIES_MAX);
    uint32_t before = idx.buckets;
    for (uint32_t k = 0; k < ENTRIES_MAX; k++) {
        insert(k, INDEX_CONN);
        assert_in_range(idx.buckets - before, 0, 1);
        before = idx.buckets;
    }
    assert_int_equal(idx.buckets, idx.buckets_max);
    assert_true(idx.overflow_high < idx.overflow_max);
    for (uint32_t k = 0; k < ENTRIES_MAX; k++) {
        take_out(k);
        assert_in_range(before - idx.buckets, 0, 1);
        before = idx.buckets;
    }
    teardown();
}

TEST(a_table_that_breathes_by_a_few_entries_neither_splits_nor_merges)
{
    setup(ENTRIES_MAX);
    for (uint32_t k = 0; k < 5000; k++)
        insert(k, INDEX_CONN);
    const uint32_t buckets = idx.buckets;
    for (uint32_t n = 0; n < 1000; n++) {
        take_out(n % 5000);
        insert(n % 5000, INDEX_CONN);
        assert_int_equal(idx.buckets, buckets);
    }
    teardown();
}

TEST(the_smallest_index_takes_less_than_a_kibibyte)
{
    assert_in_range(index_bytes(8), 1, 1024);
    assert_in_range(index_bytes(1), 1, 1024);
    /* And a large one about 16 bytes an entry. */
    assert_in_range(index_bytes(10000000), 10000000, 170000000);
}

TEST(init_for_ten_million_entries_touches_no_more_than_two_pages_and_growth_touches_what_it_uses)
{
    setup(10000000);
    assert_in_range(arena_resident_pages(arena, arena_bytes), 0, 2); /* by the check, reading */
    for (uint32_t k = 0; k < ENTRIES_MAX; k++)
        assert_true(index_insert(&idx, arena, hash_of(k * FAMILY), entry(k, INDEX_CONN)));
    /* 4,000 buckets are 63 pages; one in eight overflows. */
    assert_in_range(arena_resident_pages(arena, arena_bytes), 60, 75);
    struct la_extent used[2];
    assert_int_equal(index_extents(&idx, used), 2);
    assert_int_equal(used[0].offset_bytes, OFFSET);
    assert_int_equal(used[0].len_bytes, (uint64_t)idx.buckets * 64);
    assert_in_range(used[0].len_bytes + used[1].len_bytes, 60 * 4096, 75 * 4096);
    teardown();
}

TEST(after_everything_is_removed_trim_hands_back_all_but_the_first_buckets)
{
    setup(1000000);
    uint64_t seed = 3;
    for (uint32_t round = 0; round < 3; round++) {
        for (uint32_t k = 0; k < ENTRIES_MAX; k++)
            insert(k, INDEX_SHORT);
        while (count > ENTRIES_MAX / 4) {
            const uint32_t k = rng_below(&seed, ENTRIES_MAX);
            if (there[k] != INDEX_FREE)
                take_out(k);
        }
        index_trim(&idx, arena, 4096, arena_discard, arena);
        look_up_all();
        for (uint32_t k = 0; k < ENTRIES_MAX; k++)
            if (there[k] != INDEX_FREE)
                take_out(k);
        index_trim(&idx, arena, 4096, arena_discard, arena);
        assert_int_equal(idx.overflow_high, 0);
        assert_in_range(arena_resident_pages(arena, arena_bytes), 1, 3);
        look_up_all();
    }
    teardown();
}

TEST(a_copied_index_goes_on_as_the_original_does)
{
    setup(3000);
    for (uint32_t k = 0; k < 1500; k++)
        insert(k, INDEX_CONN);
    const struct index twin = idx;
    uint8_t *const original = arena;
    uint8_t *const copy = arena_map(arena_bytes);
    memcpy(copy, arena, arena_bytes);
    for (uint32_t k = 0; k < 1500; k++)
        take_out(k);
    idx = twin;
    arena = copy;
    for (uint32_t k = 0; k < 1500; k++)
        there[k] = INDEX_CONN;
    count = 1500;
    look_up_all();
    arena_unmap(original, arena_bytes);
    teardown();
}

TEST(check_names_what_is_broken)
{
    setup(1000);
    for (uint32_t k = 0; k < 500; k++)
        insert(k, INDEX_CONN);
    uint64_t *const slot = (uint64_t *)(void *)(arena + OFFSET);
    const uint64_t was = *slot;
    *slot ^= UINT64_C(1) << 32; /* now its hash belongs to another bucket */
    assert_non_null(index_check(&idx, arena));
    *slot = 0; /* a hole */
    assert_non_null(index_check(&idx, arena));
    *slot = was;
    assert_sound(index_check(&idx, arena));
    idx.entries--;
    assert_non_null(index_check(&idx, arena));
    teardown();
}

TEST_MAIN
