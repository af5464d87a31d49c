/* SPDX-License-Identifier: MIT */
/* queue_sum_test.c - What a chunk knows of its sum is true, whatever was done to the queue. */
#include "tests/unit/base_test.h"

#include "core/base/checksum.h"
#include "core/base/chunks.h"

#define CHUNK 512u
#define CHUNKS 64u
#define OFFSET 64u
#define ARENA_BYTES (1u << 16)
#define TEXT_BYTES 4096u

static uint8_t *arena;
static struct chunks pool;
static struct queue q, other;
static uint8_t text[TEXT_BYTES];
static uint64_t dice;

static uint32_t below(uint32_t n)
{
    dice = dice * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(dice >> 33) % n;
}

static void setup(uint64_t seed)
{
    arena = arena_map(ARENA_BYTES);
    chunks_init(&pool, OFFSET, CHUNK, CHUNKS, 2);
    queue_init(&q);
    queue_init(&other);
    dice = seed;
    for (uint32_t i = 0; i < TEXT_BYTES; i++)
        text[i] = (uint8_t)below(256);
}

/* Any range of the queue: span by span, both ways of asking come to the same number modulo 65,535. */
static void compare(const struct queue *of)
{
    struct la_cspan spans[CHUNKS];
    uint32_t count;

    assert_sound(queue_check(of, &pool, arena));
    for (uint32_t k = 0; k < 8 && of->len_bytes > 0; k++) {
        const uint32_t at = below(of->len_bytes);

        queue_spans(of, &pool, arena, at, 1 + below(of->len_bytes - at), spans, CHUNKS, &count,
                    NULL);
        for (uint32_t i = 0; i < count; i++) {
            const uint64_t plain = checksum_add_portable(0, spans[i].bytes, spans[i].len_bytes);

            assert_int_equal(checksum_fold(queue_sum(&pool, arena, &spans[i], 0)) % 65535,
                             checksum_fold(plain) % 65535);
        }
    }
}

static uint32_t some(uint32_t most)
{
    return below(most < TEXT_BYTES ? most + 1 : TEXT_BYTES);
}

static void append(struct queue *to, bool summed)
{
    const uint32_t from = below(500), len = below(1200);

    if (summed)
        queue_append_summed(to, &pool, arena, text + from, len, CHUNKS_ORDINARY, 0);
    else
        queue_append(to, &pool, arena, text + from, len, UINT32_MAX, CHUNKS_ORDINARY);
}

static void reserve(void)
{
    struct la_span spans[8];
    uint32_t count;
    const uint32_t room = queue_reserve(&q, &pool, arena, below(900), spans, 8, &count);

    for (uint32_t i = 0; i < count; i++)
        memset(spans[i].bytes, (int)below(256), spans[i].len_bytes);
    queue_commit(&q, &pool, arena, below(room + 1));
}

TEST(a_sum_that_is_remembered_is_the_sum_of_what_is_there)
{
    for (uint64_t seed = 0; seed < 40; seed++) {
        setup(seed);
        for (uint32_t step = 0; step < 250; step++) {
            const uint32_t what = below(12);

            if (what < 5)
                append(&q, true);
            else if (what == 5)
                append(&q, false);
            else if (what == 6)
                reserve();
            else if (what == 7)
                queue_drop_tail(&q, &pool, arena, some(q.len_bytes) / 2);
            else if (what == 8)
                queue_prepend(&q, &pool, arena, text, below(600), CHUNKS_ORDINARY);
            else if (what < 11)
                queue_drop(&q, &pool, arena, some(q.len_bytes));
            else if (below(2) == 0)
                append(&other, below(2) == 0);
            else
                queue_splice(&q, &pool, arena, &other);
            compare(&q);
            compare(&other);
        }
        arena_unmap(arena, ARENA_BYTES);
    }
}

/* The text itself is spoilt behind the queue's back: whoever read all of it would see it. */
TEST(of_what_was_summed_when_it_was_appended_at_most_half_is_read)
{
    struct la_cspan span;
    uint32_t count;

    setup(1);
    queue_append_summed(&q, &pool, arena, text, 400, CHUNKS_ORDINARY, 0);
    queue_spans(&q, &pool, arena, 10, 300, &span, 1, &count, NULL);
    const uint16_t sum = checksum_fold(checksum_add_portable(0, text + 10, 300));
    assert_int_equal(checksum_fold(queue_sum(&pool, arena, &span, 0)) % 65535, sum % 65535);
    memset(arena + (span.bytes - arena), 0x55, 300);
    assert_int_equal(checksum_fold(queue_sum(&pool, arena, &span, 0)) % 65535, sum % 65535);
    arena_unmap(arena, ARENA_BYTES);
}

TEST_MAIN
