/* SPDX-License-Identifier: MIT */
/* queue_test.c - Byte queues against flat arrays. */
#include "tests/unit/base_test.h"

#include "core/base/chunks.h"

#define CHUNK 512u
#define PAYLOAD (CHUNK - 16u)
#define CHUNKS 200u
#define OFFSET 64u
#define ARENA_BYTES (1u << 18)
#define FLAT (CHUNKS * CHUNK)
#define SPANS 64u

static struct chunks pool;
static uint8_t *arena;

/* A queue and what it should hold. */
struct both {
    struct queue q;
    struct queue_hint hint;
    uint32_t len;
    uint8_t flat[FLAT];
};
static struct both a, b, c;
static uint8_t fresh; /* the next byte nobody has used */

static void setup(uint32_t chunks, uint32_t reserve)
{
    arena = arena_map(ARENA_BYTES);
    chunks_init(&pool, OFFSET, CHUNK, chunks, reserve);
    struct both *const all[] = { &a, &b, &c };
    for (uint32_t i = 0; i < 3; i++) {
        queue_init(&all[i]->q);
        all[i]->len = 0;
        all[i]->hint.chunk = SLAB_NONE;
    }
}

static void teardown(void)
{
    arena_unmap(arena, ARENA_BYTES);
}

static const uint8_t *some_bytes(uint32_t len)
{
    static uint8_t bytes[FLAT];
    for (uint32_t i = 0; i < len; i++)
        bytes[i] = fresh++;
    fresh = (uint8_t)(fresh + 3);
    return bytes;
}

/* Bytes [offset, offset + len) as the queue shows them. */
static void compare_range(struct both *x, uint32_t offset, uint32_t len, uint32_t max,
                          struct queue_hint *hint)
{
    struct la_cspan spans[SPANS];
    uint32_t count = 99;
    const uint32_t n = queue_spans(&x->q, &pool, arena, offset, len, spans, max, &count, hint);
    const uint32_t want = offset >= x->len ? 0 : len < x->len - offset ? len : x->len - offset;
    uint32_t at = 0;
    assert_true(count <= max);
    for (uint32_t i = 0; i < count; i++) {
        assert_true(spans[i].len_bytes > 0);
        assert_memory_equal(spans[i].bytes, x->flat + offset + at, spans[i].len_bytes);
        at += spans[i].len_bytes;
    }
    assert_int_equal(at, n);
    if (count < max)
        assert_int_equal(n, want);
    else
        assert_true(n <= want);
}

static void compare(struct both *x)
{
    assert_sound(queue_check(&x->q, &pool, arena));
    assert_int_equal(x->q.len_bytes, x->len);
    for (uint32_t at = 0; at < x->len; at += 3000)
        compare_range(x, at, 3000, SPANS, NULL);
}

static uint32_t append(struct both *x, uint32_t len, uint32_t max_chunks, enum chunks_class class)
{
    const uint8_t *const bytes = some_bytes(len);
    const uint32_t n = queue_append(&x->q, &pool, arena, bytes, len, max_chunks, class);
    assert_true(n <= len);
    memcpy(x->flat + x->len, bytes, n);
    x->len += n;
    return n;
}

static uint32_t prepend(struct both *x, uint32_t len, enum chunks_class class)
{
    const uint8_t *const bytes = some_bytes(len);
    const uint32_t n = queue_prepend(&x->q, &pool, arena, bytes, len, class);
    assert_true(n == len || n == 0);
    memmove(x->flat + n, x->flat, x->len);
    memcpy(x->flat, bytes, n);
    x->len += n;
    x->hint.chunk = SLAB_NONE;
    return n;
}

/* Reserve @want, write to all of it, commit @commit of that. */
static uint32_t reserve_commit(struct both *x, uint32_t want, uint32_t max, uint32_t part)
{
    struct la_span spans[SPANS];
    uint32_t count = 99;
    uint32_t at = x->len;
    const uint32_t n = queue_reserve(&x->q, &pool, arena, want, spans, max, &count);
    assert_true(n <= want && count <= max);
    assert_true(n <= queue_reserved_bytes(&x->q, &pool, arena));
    assert_int_equal(x->q.len_bytes, x->len);
    assert_sound(queue_check(&x->q, &pool, arena));
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *const bytes = some_bytes(spans[i].len_bytes);
        assert_true(spans[i].len_bytes > 0);
        memcpy(spans[i].bytes, bytes, spans[i].len_bytes);
        memcpy(x->flat + at, bytes, spans[i].len_bytes);
        at += spans[i].len_bytes;
    }
    assert_int_equal(at - x->len, n);
    const uint32_t commit = (uint32_t)((uint64_t)n * part / 100);
    queue_commit(&x->q, &pool, arena, commit);
    x->len += commit;
    return n;
}

static void drop(struct both *x, uint32_t n)
{
    queue_drop(&x->q, &pool, arena, n);
    memmove(x->flat, x->flat + n, x->len - n);
    x->len -= n;
    if (x->hint.chunk != SLAB_NONE && x->hint.offset_bytes >= n && x->len > 0)
        x->hint.offset_bytes -= n;
    else
        x->hint.chunk = SLAB_NONE;
}

static void drop_tail(struct both *x, uint32_t n)
{
    queue_drop_tail(&x->q, &pool, arena, n);
    x->len -= n;
    x->hint.chunk = SLAB_NONE;
}

static void splice(struct both *x, struct both *from)
{
    queue_splice(&x->q, &pool, arena, &from->q);
    memcpy(x->flat + x->len, from->flat, from->len);
    x->len += from->len;
    from->len = 0;
    x->hint.chunk = SLAB_NONE;
    from->hint.chunk = SLAB_NONE;
}

/* By hand ---------------------------------------------------------------------- */

TEST(an_empty_queue_holds_no_chunk_and_shows_nothing)
{
    setup(4, 0);
    compare(&a);
    compare_range(&a, 0, 100, SPANS, NULL);
    queue_drop(&a.q, &pool, arena, 0);
    queue_drop_tail(&a.q, &pool, arena, 0);
    queue_clear(&a.q, &pool, arena);
    assert_int_equal(a.q.chunks, 0);
    assert_int_equal(pool.slab.used, 0);
    teardown();
}

TEST(append_fills_the_last_chunk_before_it_takes_another)
{
    setup(4, 0);
    append(&a, 100, 1, CHUNKS_ORDINARY);
    append(&a, PAYLOAD - 100, 0, CHUNKS_ORDINARY);
    assert_int_equal(a.q.chunks, 1);
    assert_int_equal(append(&a, 1, 0, CHUNKS_ORDINARY), 0);
    assert_int_equal(append(&a, 1, 1, CHUNKS_ORDINARY), 1);
    assert_int_equal(a.q.chunks, 2);
    compare(&a);
    teardown();
}

TEST(append_takes_what_fits_the_pool_the_limit_and_the_class)
{
    setup(4, 1);
    assert_int_equal(append(&a, 3000, 2, CHUNKS_ORDINARY), 2 * PAYLOAD);
    assert_int_equal(append(&a, 3000, 9, CHUNKS_ORDINARY), PAYLOAD);
    assert_int_equal(append(&a, 3000, 9, CHUNKS_ORDINARY), 0);
    assert_int_equal(append(&a, 3000, 9, CHUNKS_RESERVE), PAYLOAD);
    assert_int_equal(append(&a, 3000, 9, CHUNKS_RESERVE), 0);
    compare(&a);
    queue_clear(&a.q, &pool, arena);
    assert_int_equal(pool.slab.used, 0);
    teardown();
}

TEST(dropping_gives_chunks_back_as_soon_as_they_are_empty)
{
    setup(8, 0);
    append(&a, 3 * PAYLOAD, 8, CHUNKS_ORDINARY);
    drop(&a, PAYLOAD - 1);
    assert_int_equal(pool.slab.used, 3);
    drop(&a, 1);
    assert_int_equal(pool.slab.used, 2);
    compare(&a);
    drop_tail(&a, PAYLOAD - 1);
    assert_int_equal(pool.slab.used, 2);
    drop_tail(&a, 1);
    assert_int_equal(pool.slab.used, 1);
    compare(&a);
    drop(&a, PAYLOAD);
    assert_int_equal(pool.slab.used, 0);
    compare(&a);
    teardown();
}

TEST(prepend_takes_all_or_nothing_and_leaves_room_in_front_for_more)
{
    setup(3, 1);
    assert_int_equal(prepend(&a, 10, CHUNKS_ORDINARY), 10);
    assert_int_equal(prepend(&a, PAYLOAD - 10, CHUNKS_ORDINARY), PAYLOAD - 10);
    assert_int_equal(a.q.chunks, 1);
    assert_int_equal(prepend(&a, PAYLOAD + 1, CHUNKS_ORDINARY), 0);
    assert_int_equal(pool.slab.used, 1);
    assert_int_equal(prepend(&a, PAYLOAD + 1, CHUNKS_RESERVE), PAYLOAD + 1);
    assert_int_equal(a.q.chunks, 3);
    assert_int_equal(prepend(&a, PAYLOAD - 1, CHUNKS_ORDINARY), PAYLOAD - 1);
    assert_int_equal(prepend(&a, 1, CHUNKS_RESERVE), 0);
    compare(&a);
    teardown();
}

TEST(splice_moves_chunks_and_copies_only_small_neighbours)
{
    setup(20, 0);
    append(&a, PAYLOAD + 100, 9, CHUNKS_ORDINARY);
    append(&b, 2 * PAYLOAD, 9, CHUNKS_ORDINARY);
    splice(&a, &b);
    assert_int_equal(a.q.chunks, 4); /* 100 + PAYLOAD do not fit one chunk */
    compare(&a);
    compare(&b);
    drop_tail(&a, PAYLOAD - 50);
    append(&b, PAYLOAD - 50, 9, CHUNKS_ORDINARY);
    splice(&a, &b);
    assert_int_equal(a.q.chunks, 4); /* 50 + (PAYLOAD - 50) do */
    compare(&a);
    append(&c, 10, 9, CHUNKS_ORDINARY);
    splice(&c, &a);
    splice(&a, &c); /* into an empty one */
    splice(&a, &b); /* an empty one behind */
    compare(&a);
    assert_int_equal(pool.slab.used, a.q.chunks);
    teardown();
}

TEST(splice_makes_room_in_a_chunk_whose_front_was_dropped)
{
    setup(20, 0);
    append(&a, PAYLOAD, 9, CHUNKS_ORDINARY);
    drop(&a, PAYLOAD - 30);
    append(&b, 400, 9, CHUNKS_ORDINARY);
    splice(&a, &b);
    assert_int_equal(a.q.chunks, 1);
    compare(&a);
    teardown();
}

TEST(a_reservation_counts_nothing_until_it_is_committed)
{
    setup(8, 0);
    struct la_span spans[SPANS];
    uint32_t count;
    append(&a, 100, 1, CHUNKS_ORDINARY);
    assert_int_equal(queue_reserve(&a.q, &pool, arena, 1000, spans, SPANS, &count), 1000);
    assert_int_equal(count, 3);
    assert_int_equal(a.q.chunks, 3);
    compare(&a);
    queue_commit(&a.q, &pool, arena, 0);
    assert_int_equal(a.q.chunks, 1);
    assert_int_equal(queue_reserve(&a.q, &pool, arena, 1000, spans, 1, &count), PAYLOAD - 100);
    assert_int_equal(a.q.chunks, 1);
    compare(&a);
    teardown();
}

TEST(a_second_reservation_replaces_the_first)
{
    setup(8, 0);
    struct la_span first[SPANS], second[SPANS];
    uint32_t count;
    assert_int_equal(queue_reserve(&a.q, &pool, arena, 1000, first, SPANS, &count), 1000);
    assert_int_equal(queue_reserve(&a.q, &pool, arena, 10, second, SPANS, &count), 10);
    assert_int_equal(count, 1);
    assert_ptr_equal(first[0].bytes, second[0].bytes);
    assert_int_equal(queue_reserve(&a.q, &pool, arena, 99999, second, SPANS, &count),
                     6 * PAYLOAD); /* the last quarter is for what arrives */
    assert_int_equal(count, 6);
    assert_int_equal(a.q.chunks, 6);
    queue_commit(&a.q, &pool, arena, PAYLOAD + 1);
    assert_int_equal(a.q.chunks, 2);
    assert_int_equal(pool.slab.used, 2);
    assert_sound(queue_check(&a.q, &pool, arena));
    teardown();
}

TEST(any_change_but_a_drop_that_leaves_something_ends_a_reservation)
{
    struct la_span spans[SPANS];
    uint32_t count;
    for (uint32_t way = 0; way < 7; way++) {
        setup(16, 0);
        append(&a, 2 * PAYLOAD, 2, CHUNKS_ORDINARY);
        append(&b, 10, 1, CHUNKS_ORDINARY);
        assert_int_equal(queue_reserve(&a.q, &pool, arena, 900, spans, SPANS, &count), 900);
        assert_int_equal(a.q.chunks, 4);
        switch (way) {
        case 0:
            append(&a, 1, 1, CHUNKS_ORDINARY);
            break;
        case 1:
            prepend(&a, 1, CHUNKS_ORDINARY);
            break;
        case 2:
            drop_tail(&a, 1);
            break;
        case 3:
            splice(&a, &b);
            break;
        case 4:
            splice(&b, &a);
            break;
        case 5:
            drop(&a, 2 * PAYLOAD);
            break;
        case 6:
            drop(&a, PAYLOAD + 1);
            break;
        }
        compare(&a);
        compare(&b);
        assert_int_equal(pool.slab.used, a.q.chunks + b.q.chunks);
        assert_int_equal(queue_reserved_bytes(&a.q, &pool, arena) >= 900, way == 6);
        teardown();
    }
}

TEST(committing_or_dropping_more_than_there_is_is_a_programmers_error)
{
    setup(8, 0);
    struct la_span spans[SPANS];
    uint32_t count;
    append(&a, 100, 1, CHUNKS_ORDINARY);
    expect_assert_failure(queue_drop(&a.q, &pool, arena, 101));
    expect_assert_failure(queue_drop_tail(&a.q, &pool, arena, 101));
    assert_int_equal(queue_reserve(&a.q, &pool, arena, 600, spans, SPANS, &count), 600);
    const uint32_t most = queue_reserved_bytes(&a.q, &pool, arena);
    assert_int_equal(most, 2 * PAYLOAD - 100);
    expect_assert_failure(queue_commit(&a.q, &pool, arena, most + 1));
    teardown();
}

TEST(a_hint_follows_the_reader_and_survives_what_is_dropped_before_it)
{
    setup(100, 0);
    append(&a, 90 * PAYLOAD, 100, CHUNKS_ORDINARY);
    struct queue_hint hint = { SLAB_NONE, 0 };
    uint32_t at = 0;
    while (at < a.len) {
        compare_range(&a, at, 1448, SPANS, &hint);
        assert_true(hint.offset_bytes <= at + 1448 && hint.offset_bytes + PAYLOAD >= at);
        at += 1448;
        if (at > 20000 && hint.offset_bytes >= 1448) {
            drop(&a, 1448);
            hint.offset_bytes -= 1448;
            at -= 1448;
        }
    }
    compare_range(&a, 5, 1448, SPANS, &hint); /* backwards: from the head again */
    assert_int_equal(hint.chunk == SLAB_NONE, false);
    teardown();
}

/* Against the oracle ----------------------------------------------------------- */

static void change(struct both *x, struct both *y, uint64_t *seed)
{
    const uint32_t len = rng_below(seed, 4) == 0 ? rng_below(seed, 3000) : rng_below(seed, 600);
    const enum chunks_class class = rng_below(seed, 4) == 0 ? CHUNKS_RESERVE : CHUNKS_ORDINARY;
    switch (rng_below(seed, 9)) {
    case 0:
    case 1:
        append(x, len, rng_below(seed, 9), class);
        break;
    case 2:
        prepend(x, len, class);
        break;
    case 3:
        reserve_commit(x, len, rng_below(seed, 9), rng_below(seed, 101));
        break;
    case 4:
    case 5:
        drop(x, len < x->len ? len : x->len);
        break;
    case 6:
        drop_tail(x, len < x->len ? len : x->len);
        break;
    case 7:
        splice(x, y);
        break;
    case 8: {
        struct la_span spans[SPANS];
        uint32_t count;
        (void)queue_reserve(&x->q, &pool, arena, len, spans, rng_below(seed, 9), &count);
        break;
    }
    }
}

static void against_the_oracle(uint32_t chunks, uint32_t reserve, uint32_t rounds, uint64_t seed)
{
    struct both *const all[] = { &a, &b, &c };
    setup(chunks, reserve);
    for (uint32_t n = 0; n < rounds; n++) {
        struct both *const x = all[rng_below(&seed, 3)];
        struct both *const y = all[(uint32_t)(x == &a) + (uint32_t)(x != &c && x != &a) * 2];
        change(x, y, &seed);
        compare_range(x, rng_below(&seed, x->len + 1), rng_below(&seed, 5000),
                      rng_below(&seed, SPANS), &x->hint);
        if (n % 8 == 0)
            for (uint32_t i = 0; i < 3; i++)
                compare(all[i]);
        assert_int_equal(pool.slab.used, a.q.chunks + b.q.chunks + c.q.chunks);
    }
    for (uint32_t i = 0; i < 3; i++)
        queue_clear(&all[i]->q, &pool, arena);
    assert_int_equal(pool.slab.used, 0);
    assert_sound(slab_check(&pool.slab, arena));
    teardown();
}

TEST(queues_agree_with_flat_arrays_through_random_changes)
{
    for (uint64_t seed = 0; seed < 20; seed++)
        against_the_oracle(CHUNKS, 4, 5000, seed);
}

TEST(queues_agree_with_flat_arrays_when_the_pool_is_nearly_empty)
{
    for (uint64_t seed = 0; seed < 20; seed++)
        against_the_oracle(6 + (uint32_t)seed, 3, 3000, 100 + seed);
}

TEST_MAIN
