/* SPDX-License-Identifier: MIT */
/* queue_place_test.c - Placing and keeping is appending; placing alone is nothing. */
#include "tests/unit/base_test.h"

#include "core/base/checksum.h"
#include "core/base/chunks.h"

#define CHUNK 512u
#define PAYLOAD (CHUNK - 16u)
#define CHUNKS 40u
#define OFFSET 64u
#define ARENA_BYTES (1u << 16)
#define TEXT_MAX (8u * PAYLOAD)

/* Two pools that go through the same, one by placing and one by appending. */
struct side {
    uint8_t *arena;
    struct chunks pool;
    struct queue q, other;
};
static struct side placed, appended;
static uint8_t text[CHUNKS * CHUNK]; /* more than any test appends at once */

static void open_side(struct side *s)
{
    s->arena = arena_map(ARENA_BYTES);
    chunks_init(&s->pool, OFFSET, CHUNK, CHUNKS, 2);
    queue_init(&s->q);
    queue_init(&s->other);
}

static void setup(void)
{
    open_side(&placed);
    open_side(&appended);
    for (uint32_t i = 0; i < TEXT_MAX; i++)
        text[i] = (uint8_t)(i * 7 + i / 251);
}

static void teardown(void)
{
    arena_unmap(placed.arena, ARENA_BYTES);
    arena_unmap(appended.arena, ARENA_BYTES);
}

/* Header of every chunk, and what is in those that are live. */
static void compare(void)
{
    struct la_cspan x[CHUNKS], y[CHUNKS];
    uint32_t nx, ny;

    assert_sound(queue_check(&placed.q, &placed.pool, placed.arena));
    assert_memory_equal(&placed.q, &appended.q, sizeof(placed.q));
    assert_memory_equal(&placed.pool, &appended.pool, sizeof(placed.pool));
    for (uint32_t i = 0; i < placed.pool.slab.high; i++) {
        const bool live = slab_live(&placed.pool.slab, placed.arena, i);

        assert_memory_equal(slab_at(&placed.pool.slab, placed.arena, i),
                            slab_at(&appended.pool.slab, appended.arena, i),
                            live ? sizeof(struct chunk) : sizeof(struct slot));
    }
    queue_spans(&placed.q, &placed.pool, placed.arena, 0, UINT32_MAX, x, CHUNKS, &nx, NULL);
    queue_spans(&appended.q, &appended.pool, appended.arena, 0, UINT32_MAX, y, CHUNKS, &ny, NULL);
    assert_int_equal(nx, ny);
    for (uint32_t i = 0; i < nx; i++) {
        assert_int_equal(x[i].len_bytes, y[i].len_bytes);
        assert_memory_equal(x[i].bytes, y[i].bytes, x[i].len_bytes);
    }
}

static uint64_t place(uint32_t len)
{
    const struct la_cspan span = { text, len };

    return queue_place(&placed.q, &placed.pool, placed.arena, &span, 1, 0, 0);
}

static void append(struct side *s, struct queue *q, uint32_t len)
{
    assert_int_equal(queue_append(q, &s->pool, s->arena, text, len, UINT32_MAX, CHUNKS_ORDINARY),
                     len);
}

static void drop(struct side *s, struct queue *q, uint32_t len)
{
    queue_drop(q, &s->pool, s->arena, len);
}

/* Every length up to three chunks, onto tails of every fullness in steps. */
TEST(to_place_and_to_keep_is_to_append)
{
    for (uint32_t before = 0; before <= PAYLOAD; before += 31) {
        setup();
        append(&placed, &placed.q, before);
        append(&appended, &appended.q, before);
        for (uint32_t len = 1; len < 3 * PAYLOAD; len += 97) {
            const uint64_t sum = place(len);

            assert_int_equal(checksum_fold(sum),
                             checksum_fold(checksum_add_portable(0, text, len)));
            queue_keep(&placed.q, &placed.pool, placed.arena, len);
            append(&appended, &appended.q, len);
            compare();
            drop(&placed, &placed.q, len / 2 + 1);
            drop(&appended, &appended.q, len / 2 + 1);
            compare();
        }
        teardown();
    }
}

/* In pieces of odd and even lengths, of none, and of more than a chunk. */
TEST(text_in_pieces_is_placed_and_summed_as_in_one)
{
    static const uint32_t cuts[] = { 1, 0, 2, 127, 128, 129, PAYLOAD - 1, PAYLOAD + 3, 64 };

    for (uint32_t before = 0; before <= PAYLOAD; before += 61) {
        struct la_cspan spans[LA_COUNT_OF(cuts)];
        uint32_t len = 0;

        setup();
        append(&placed, &placed.q, before);
        append(&appended, &appended.q, before);
        for (uint32_t i = 0; i < LA_COUNT_OF(cuts); i++) {
            spans[i] = (struct la_cspan){ text + len, cuts[i] };
            len += cuts[i];
        }
        const uint64_t sum =
            queue_place(&placed.q, &placed.pool, placed.arena, spans, LA_COUNT_OF(cuts), 0, 0);
        assert_int_equal(checksum_fold(sum), checksum_fold(checksum_add_portable(0, text, len)));
        queue_keep(&placed.q, &placed.pool, placed.arena, len);
        append(&appended, &appended.q, len);
        compare();
        teardown();
    }
}

/* The free list has been stirred: chunks come back in another order than they went. */
TEST(placing_finds_the_chunks_that_taking_will_give)
{
    struct side *const sides[] = { &placed, &appended };

    setup();
    for (uint32_t i = 0; i < 2; i++) {
        struct side *s = sides[i];

        append(s, &s->other, 9 * PAYLOAD);
        append(s, &s->q, 5 * PAYLOAD);
        append(s, &s->other, 3 * PAYLOAD);
        drop(s, &s->other, 7 * PAYLOAD + 5);
        drop(s, &s->q, 4 * PAYLOAD + 1);
    }
    place(TEXT_MAX);
    queue_keep(&placed.q, &placed.pool, placed.arena, TEXT_MAX);
    append(&appended, &appended.q, TEXT_MAX);
    compare();
    teardown();
}

TEST(what_was_placed_and_not_kept_has_changed_nothing)
{
    setup();
    append(&placed, &placed.q, 100);
    append(&appended, &appended.q, 100);
    place(TEXT_MAX);
    compare();
    append(&placed, &placed.q, 1000);
    append(&appended, &appended.q, 1000);
    compare();
    teardown();
}

TEST(to_place_more_than_the_pool_has_is_a_fault_of_the_caller)
{
    setup();
    for (uint32_t i = 0; i < CHUNKS - 2; i++)
        append(&placed, &placed.q, PAYLOAD);
    expect_assert_failure(place(3 * PAYLOAD));
    teardown();
}

TEST_MAIN
