/* SPDX-License-Identifier: MIT */
/* muldiv_test.c - muldiv64() against the compiler's 128-bit type. */
#include "tests/unit/base_test.h"

#include "core/base/muldiv.h"

__extension__ typedef unsigned __int128 wide;

static void compare(uint64_t a, uint64_t b, uint64_t c)
{
    const wide quotient = (wide)a * b / c;
    const uint64_t want = quotient > UINT64_MAX ? UINT64_MAX : (uint64_t)quotient;
    assert_true(muldiv64(a, b, c) == want);
}

TEST(every_combination_of_edge_values_agrees)
{
    uint64_t edges[400];
    uint32_t n = 0;
    for (uint32_t bit = 0; bit < 64; bit++) {
        edges[n++] = UINT64_C(1) << bit;
        edges[n++] = (UINT64_C(1) << bit) - 1;
        edges[n++] = ~(UINT64_C(1) << bit);
    }
    edges[n++] = UINT64_MAX;
    edges[n++] = UINT64_C(0xffffffff00000001);
    edges[n++] = UINT64_C(0x8000000000000001);
    edges[n++] = UINT64_C(0x80000000ffffffff);
    edges[n++] = UINT64_C(0x7fffffffffffffff);
    for (uint32_t i = 0; i < n; i++)
        for (uint32_t j = 0; j < n; j++)
            for (uint32_t k = 0; k < n; k += 1 + j % 3)
                if (edges[k] != 0)
                    compare(edges[i], edges[j], edges[k]);
}

TEST(random_values_of_all_sizes_agree)
{
    uint64_t seed = 1;
    for (uint32_t n = 0; n < 2000000; n++) {
        const uint64_t a = rng_next(&seed) >> rng_below(&seed, 64);
        const uint64_t b = rng_next(&seed) >> rng_below(&seed, 64);
        const uint64_t c = rng_next(&seed) >> rng_below(&seed, 64);
        if (c != 0)
            compare(a, b, c);
    }
}

/* Divisors just above the upper half of the product: the guesses that need correction. */
TEST(divisors_near_the_quotients_limit_agree)
{
    uint64_t seed = 2;
    for (uint32_t n = 0; n < 1000000; n++) {
        const uint64_t a = rng_next(&seed) | UINT64_C(1) << 63;
        const uint64_t b = rng_next(&seed) >> rng_below(&seed, 40);
        const uint64_t high = (uint64_t)((wide)a * b >> 64);
        for (uint64_t more = 0; more < 3; more++)
            if (high + more > 0)
                compare(a, b, high + more);
        compare(a, b, (high | 1) << 32 | UINT32_MAX);
    }
}

TEST(a_quotient_that_does_not_fit_saturates)
{
    assert_true(muldiv64(UINT64_MAX, UINT64_MAX, 1) == UINT64_MAX);
    assert_true(muldiv64(UINT64_MAX, 2, 1) == UINT64_MAX);
    assert_true(muldiv64(UINT64_MAX, 2, 2) == UINT64_MAX);
    assert_true(muldiv64(UINT64_MAX, 2, 3) == UINT64_MAX / 3 * 2);
    assert_true(muldiv64(0, UINT64_MAX, UINT64_MAX) == 0);
}

TEST(dividing_by_zero_is_a_programmers_error)
{
    expect_assert_failure((void)muldiv64(1, 1, 0));
}

TEST_MAIN
