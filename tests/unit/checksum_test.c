/* SPDX-License-Identifier: MIT */
/* checksum_test.c - The checksum against a loop over 16-bit words. */
#include "tests/unit/base_test.h"

#include <lastack/runtime.h>

#include "core/base/bytes.h"
#include "core/base/checksum.h"

#define LARGE 70000u

static uint8_t bytes[LARGE + 64];
static uint8_t copy[LARGE + 64];

static void fill(uint64_t seed)
{
    for (uint32_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)rng_next(&seed);
}

/* RFC 1071, 4.1, in the plainest form. */
static uint16_t naive(const uint8_t *p, uint32_t len)
{
    uint32_t sum = 0;
    for (uint32_t i = 0; i < len; i++) {
        sum += i % 2 == 0 ? (uint32_t)p[i] << 8 : p[i];
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return (uint16_t)sum;
}

static uint16_t sum16(const uint8_t *p, uint32_t len)
{
    return checksum_fold(checksum_add(0, 0, p, len));
}

TEST(the_example_of_rfc_1071_adds_up)
{
    static const uint8_t example[] = { 0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7 };
    assert_int_equal(sum16(example, sizeof example), 0xddf2);
    assert_int_equal(checksum_finish(checksum_add(0, 0, example, sizeof example)), 0x220d);
}

TEST(every_alignment_and_length_up_to_200_agrees_with_the_plain_loop)
{
    for (uint64_t seed = 0; seed < 8; seed++) {
        fill(seed);
        for (uint32_t at = 0; at < 16; at++)
            for (uint32_t len = 0; len <= 200; len++)
                assert_int_equal(sum16(bytes + at, len), naive(bytes + at, len));
    }
}

TEST(large_pieces_agree_with_the_plain_loop)
{
    fill(9);
    for (uint32_t at = 0; at < 9; at++)
        for (uint32_t len = LARGE - 40; len <= LARGE; len++)
            assert_int_equal(sum16(bytes + at, len), naive(bytes + at, len));
}

TEST(bytes_of_all_ones_carry_at_every_word)
{
    memset(bytes, 0xff, sizeof bytes);
    for (uint32_t len = 0; len < 3000; len++)
        assert_int_equal(sum16(bytes, len), naive(bytes, len));
    assert_int_equal(sum16(bytes, LARGE), 0xffff);
}

TEST(only_zeros_add_up_to_zero)
{
    memset(bytes, 0, sizeof bytes);
    for (uint32_t len = 0; len < 300; len++)
        assert_int_equal(sum16(bytes, len), 0);
    for (uint32_t at = 0; at < 100; at++) {
        bytes[at] = 1;
        assert_int_equal(sum16(bytes, 100), at % 2 == 0 ? 0x100 : 1);
        bytes[at] = 0;
    }
}

TEST(copying_adds_the_same_and_writes_only_where_it_should)
{
    fill(3);
    for (uint32_t at = 0; at < 8; at++) {
        for (uint32_t len = 0; len <= 200; len++) {
            memset(copy, 0xee, sizeof copy);
            const uint64_t sum = checksum_copy(0, 5, copy + 8 - at, bytes + at, len);
            assert_int_equal(checksum_fold(sum),
                             checksum_fold(checksum_add(0, 5, bytes + at, len)));
            assert_memory_equal(copy + 8 - at, bytes + at, len);
            assert_int_equal(copy[7 - at], 0xee);
            assert_int_equal(copy[8 - at + len], 0xee);
        }
    }
    const uint64_t sum = checksum_copy(0, 0, copy, bytes, LARGE);
    assert_int_equal(checksum_fold(sum), naive(bytes, LARGE));
    assert_memory_equal(copy, bytes, LARGE);
}

TEST(pieces_cut_anywhere_combine_to_the_sum_of_the_whole)
{
    uint64_t seed = 4;
    fill(4);
    for (uint32_t n = 0; n < 20000; n++) {
        const uint32_t len = rng_below(&seed, 3000);
        uint64_t sum = 0;
        uint32_t at = 0;
        while (at < len) {
            const uint32_t piece = 1 + rng_below(&seed, len - at);
            sum = checksum_combine(sum, checksum_add(0, 0, bytes + at, piece), at);
            at += piece;
        }
        assert_int_equal(checksum_fold(sum), naive(bytes, len));
    }
}

TEST(even_pieces_may_be_added_one_after_another)
{
    fill(5);
    uint64_t sum = checksum_add(0, 0, bytes, 20);
    sum = checksum_add(0, sum, bytes + 20, 100);
    sum = checksum_add(0, sum, bytes + 120, 31);
    assert_int_equal(checksum_fold(sum), naive(bytes, 151));
}

TEST(a_header_field_may_be_added_as_the_number_it_is)
{
    fill(6);
    const uint64_t rest = checksum_add(0, 0, bytes + 2, 98);
    assert_int_equal(checksum_fold(rest + load_be16(bytes)), naive(bytes, 100));
}

TEST(bytes_with_their_checksum_in_place_are_found_right_and_any_flipped_bit_wrong)
{
    for (uint64_t seed = 0; seed < 50; seed++) {
        fill(seed);
        const uint32_t len = 20 + (uint32_t)seed;
        store_be16(bytes + 16, 0);
        store_be16(bytes + 16, checksum_finish(checksum_add(0, 0, bytes, len)));
        assert_int_equal(checksum_finish(checksum_add(0, 0, bytes, len)), 0);
        for (uint32_t bit = 0; bit < 8 * len; bit++) {
            bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
            assert_int_not_equal(checksum_finish(checksum_add(0, 0, bytes, len)), 0);
            bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
    }
}

TEST(a_sum_of_any_64_bits_folds_and_carries)
{
    assert_int_equal(checksum_fold(UINT64_MAX), 0xffff);
    assert_int_equal(checksum_fold(UINT64_C(0x0001000000000000)), 1);
    assert_int_equal(checksum_fold(UINT64_C(0xffff0000ffff0001)), 1);
    bytes[0] = 0;
    bytes[1] = 2;
    assert_int_equal(checksum_fold(checksum_add(0, UINT64_MAX, bytes, 2)), 2);
}

TEST(the_pseudo_headers_are_those_of_both_families)
{
    uint8_t header[40] = { 0 };
    fill(7);
    memcpy(header, bytes, 32);
    store_be32(header + 32, 70001);
    header[39] = 6;
    assert_int_equal(checksum_fold(checksum_pseudo(bytes, bytes + 16, 16, 6, 70001)),
                     naive(header, 40));
    memcpy(header, bytes, 8);
    header[8] = 0;
    header[9] = 6;
    store_be16(header + 10, 1480);
    assert_int_equal(checksum_fold(checksum_pseudo(bytes, bytes + 4, 4, 6, 1480)),
                     naive(header, 12));
}

TEST(the_vector_kernel_equals_the_portable_one)
{
    if (!(la_rt_cpu_features() & checksum_vector_feature()))
        skip();
    for (uint64_t seed = 0; seed < 3; seed++) {
        fill(seed);
        for (uint32_t at = 0; at < 33; at += 3) {
            for (uint32_t len = 0; len <= 1600; len += len < 300 ? 1 : 7) {
                const uint64_t sum = seed * 0x1234567;
                const uint16_t plain = checksum_fold(checksum_add_portable(sum, bytes + at, len));

                assert_int_equal(checksum_fold(checksum_add_vector(sum, bytes + at, len)), plain);
                uint8_t *to = copy + 1 + (at + len) % 37; /* both ends at every alignment */
                memset(to - 1, 0xee, len + 2);
                assert_int_equal(checksum_fold(checksum_copy_vector(sum, to, bytes + at, len)),
                                 plain);
                assert_memory_equal(to, bytes + at, len);
                assert_int_equal(to[-1], 0xee);
                assert_int_equal(to[len], 0xee);
            }
        }
    }
}

TEST(the_vector_kernel_loses_no_carry_at_the_largest_packet)
{
    if (!(la_rt_cpu_features() & checksum_vector_feature()))
        skip();
    memset(bytes, 0xff, sizeof bytes);
    assert_int_equal(checksum_fold(checksum_add_vector(0, bytes, 65535)), naive(bytes, 65535));
    assert_int_equal(checksum_fold(checksum_add(la_rt_cpu_features(), 0, bytes, 65535)),
                     naive(bytes, 65535));
}

TEST_MAIN
