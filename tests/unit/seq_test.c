/* SPDX-License-Identifier: MIT */
/*
 * seq_test.c - Sequence arithmetic against 64-bit positions that never wrap.
 *
 * A position on an endless line is the model; its low 32 bits are the sequence number.
 * Numbers whose low 20 bits are zero behave as 12-bit numbers do, so all pairs of those
 * are tried; near each origin all small distances are.
 */
#include "tests/unit/base_test.h"

#include "core/tcp/seq.h"

static const uint64_t origins[] = { UINT64_C(1) << 40, (UINT64_C(1) << 40) + 0x7fffffff,
                                    (UINT64_C(1) << 40) + 0xffffffff,
                                    (UINT64_C(1) << 40) + 0x5eedf00d };

static tcp_seq at(uint64_t position)
{
    return seq_of((uint32_t)position);
}

static void compare(uint64_t a, uint64_t b)
{
    const tcp_seq x = at(a), y = at(b);

    assert_int_equal(seq_lt(x, y), a < b);
    assert_int_equal(seq_le(x, y), a <= b);
    assert_int_equal(seq_gt(x, y), a > b);
    assert_int_equal(seq_ge(x, y), a >= b);
    assert_int_equal(seq_eq(x, y), a == b);
    assert_int_equal(seq_raw(seq_max(x, y)), (uint32_t)(a > b ? a : b));
    assert_int_equal(seq_raw(seq_min(x, y)), (uint32_t)(a < b ? a : b));
    if (a <= b)
        assert_int_equal(seq_diff(x, y), b - a);
}

TEST(near_every_origin_order_and_distance_are_those_of_positions)
{
    for (uint32_t o = 0; o < LA_COUNT_OF(origins); o++)
        for (uint64_t i = 0; i < 300; i++)
            for (uint64_t k = 0; k < 300; k++)
                compare(origins[o] - 150 + i, origins[o] - 150 + k);
}

TEST(order_holds_up_to_a_distance_of_one_less_than_half_the_circle)
{
    for (uint32_t o = 0; o < LA_COUNT_OF(origins); o++)
        for (uint64_t d = 0x7fffffff; d > 0; d = d / 3 * 2) {
            compare(origins[o], origins[o] + d);
            compare(origins[o] + d, origins[o]);
        }
}

TEST(all_pairs_of_twelve_bit_numbers_are_ordered_as_on_their_circle)
{
    for (uint32_t a = 0; a < 4096; a++) {
        for (uint32_t b = 0; b < 4096; b++) {
            const tcp_seq x = seq_of(a << 20), y = seq_of(b << 20);
            const uint32_t ahead = (b - a) & 4095u; /* of b before a */

            if (seq_lt(x, y) != (ahead > 0 && ahead < 2048) || seq_le(x, y) != (ahead < 2048) ||
                seq_eq(x, y) != (ahead == 0))
                fail_msg("%u and %u", a, b);
        }
    }
}

TEST(numbers_half_the_circle_apart_are_neither_before_nor_after_one_another)
{
    for (uint32_t o = 0; o < LA_COUNT_OF(origins); o++) {
        const tcp_seq x = at(origins[o]), y = at(origins[o] + 0x80000000);

        assert_false(seq_lt(x, y) || seq_lt(y, x) || seq_le(x, y) || seq_le(y, x));
        assert_false(seq_gt(x, y) || seq_ge(x, y) || seq_eq(x, y));
    }
}

TEST(a_number_is_in_a_range_from_its_left_edge_to_before_its_right)
{
    for (uint32_t o = 0; o < LA_COUNT_OF(origins); o++)
        for (uint32_t len = 0; len < 64; len++)
            for (uint64_t i = 0; i < 200; i++) {
                const uint64_t p = origins[o] - 100 + i;

                assert_int_equal(seq_in(at(p), at(origins[o]), len),
                                 p >= origins[o] && p < origins[o] + len);
            }
    assert_true(seq_in(seq_of(0xfffffffe), seq_of(0), UINT32_MAX));
    assert_false(seq_in(seq_of(0xffffffff), seq_of(0), UINT32_MAX));
}

TEST(adding_and_subtracting_undo_one_another_across_the_wrap)
{
    uint64_t rng = 1;

    for (uint32_t i = 0; i < 10000; i++) {
        const tcp_seq x = seq_of((uint32_t)rng_next(&rng));
        const uint32_t n = (uint32_t)rng_next(&rng);

        assert_true(seq_eq(seq_sub(seq_add(x, n), n), x));
        assert_int_equal(seq_diff(x, seq_add(x, n)), n);
    }
    assert_int_equal(seq_raw(seq_add(seq_of(UINT32_MAX), 1)), 0);
    assert_int_equal(seq_raw(seq_sub(seq_of(0), 1)), UINT32_MAX);
}

TEST_MAIN
