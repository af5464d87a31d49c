/* SPDX-License-Identifier: MIT */
/* queue_sum_test.c - What a chunk knows of its sum is true, whatever was done to the queue. */
#include "tests/unit/base_test.h"

#include "core/base/checksum.h"
#include "core/base/chunks.h"

#define CHUNKS 64u
#define OFFSET 64u
#define ARENA_BYTES (1u << 20)
#define TEXT_BYTES 16384u
#define SMALL 512u /* of a chunk without marks */
#define LARGE 8192u

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

static void setup(uint64_t seed, uint32_t chunk_bytes)
{
    arena = arena_map(ARENA_BYTES);
    chunks_init(&pool, OFFSET, chunk_bytes, CHUNKS, 2);
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
    return below(most < 4096 ? most + 1 : 4096);
}

static void append(struct queue *to, bool summed)
{
    const uint32_t from = below(500), len = below(1200);
    const struct queue_cuts cuts = { 1 + below(900), 1 + below(below(8) == 0 ? 3 : 900) };

    if (summed)
        queue_append_summed(to, &pool, arena, text + from, len, CHUNKS_ORDINARY, cuts, 0);
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

static void anything(uint32_t chunk_bytes)
{
    for (uint64_t seed = 0; seed < 25; seed++) {
        setup(seed, chunk_bytes);
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

TEST(a_sum_that_is_remembered_is_the_sum_of_what_is_there)
{
    anything(SMALL);
    anything(LARGE);
}

/* The text itself is spoilt behind the queue's back: whoever read all of it would see it. */
TEST(of_what_was_summed_when_it_was_appended_at_most_half_is_read)
{
    struct la_cspan span;
    uint32_t count;

    setup(1, SMALL);
    queue_append_summed(&q, &pool, arena, text, 400, CHUNKS_ORDINARY,
                        (struct queue_cuts){ 100, 100 }, 0);
    queue_spans(&q, &pool, arena, 10, 300, &span, 1, &count, NULL);
    const uint16_t sum = checksum_fold(checksum_add_portable(0, text + 10, 300));
    assert_int_equal(checksum_fold(queue_sum(&pool, arena, &span, 0)) % 65535, sum % 65535);
    memset(arena + (span.bytes - arena), 0x55, 300);
    assert_int_equal(checksum_fold(queue_sum(&pool, arena, &span, 0)) % 65535, sum % 65535);
    arena_unmap(arena, ARENA_BYTES);
}

/* All of it is spoilt: nothing may have been read. */
TEST(packets_that_end_at_the_cuts_need_no_second_look_at_their_text)
{
    const uint32_t first = 333, step = 1448;
    const struct queue_cuts cuts = { first, step };
    struct la_cspan spans[4];
    uint64_t sums[12];
    uint32_t n = 0, count;

    setup(7, LARGE);
    queue_append_summed(&q, &pool, arena, text, 2000, CHUNKS_ORDINARY, cuts, 0);
    queue_append_summed(&q, &pool, arena, text + 2000, 8200, CHUNKS_ORDINARY,
                        (struct queue_cuts){ step - (2000 - first) % step, step }, 0);
    assert_int_equal(q.chunks, 2);
    for (uint32_t at = 0, len = first; at + len <= q.len_bytes; at += len, len = step, n++)
        sums[n] = checksum_fold(checksum_add_portable(0, text + at, len)) % 65535;
    assert_int_equal(n, 7); /* one of them lies in two chunks */
    for (uint32_t i = q.head; i != SLAB_NONE; i = chunk_at(&pool, arena, i)->slot.link)
        memset(chunk_at(&pool, arena, i)->bytes, 0x55, chunks_payload(&pool));
    for (uint32_t i = 0, at = 0, len = first; i < n; i++, at += len, len = step) {
        uint64_t sum = 0;
        uint32_t offset = 0;

        queue_spans(&q, &pool, arena, at, len, spans, 4, &count, NULL);
        for (uint32_t k = 0; k < count; offset += spans[k++].len_bytes)
            sum = checksum_combine(sum, queue_sum(&pool, arena, &spans[k], 0), offset);
        assert_int_equal(checksum_fold(sum) % 65535, sums[i]);
    }
    arena_unmap(arena, ARENA_BYTES);
}

TEST_MAIN
