/* SPDX-License-Identifier: MIT */
/* prng_test.c - The simulator's numbers are the published ones, everywhere. */
#include "tests/unit/test.h"

#include "sim/prng.h"

TEST(the_seed_is_spread_by_splitmix64)
{
    struct sim_prng p;

    sim_prng_seed(&p, 1234567);

    assert_true(p.s[0] == UINT64_C(6457827717110365317));
    assert_true(p.s[1] == UINT64_C(3203168211198807973));
    assert_true(p.s[2] == UINT64_C(9817491932198370423));
    assert_true(p.s[3] == UINT64_C(4593380528125082431));
}

TEST(the_stream_is_xoshiro256_starstar)
{
    static const uint64_t expected[] = {
        11520,
        0,
        1509978240,
        UINT64_C(1215971899390074240),
        UINT64_C(1216172134540287360),
        UINT64_C(607988272756665600),
        UINT64_C(16172922978634559625),
        UINT64_C(8476171486693032832),
    };
    struct sim_prng p = { { 1, 2, 3, 4 } };

    for (unsigned i = 0; i < sizeof expected / sizeof expected[0]; i++)
        assert_true(sim_prng_next(&p) == expected[i]);
}

TEST(equal_seeds_give_equal_streams_and_neighbours_do_not)
{
    struct sim_prng a, b, c;

    sim_prng_seed(&a, 7);
    sim_prng_seed(&b, 7);
    sim_prng_seed(&c, 8);
    unsigned equal = 0;

    for (unsigned i = 0; i < 1000; i++) {
        const uint64_t x = sim_prng_next(&a);

        assert_true(x == sim_prng_next(&b));
        equal += x == sim_prng_next(&c);
    }
    assert_int_equal(equal, 0);
}

TEST(numbers_below_n_are_all_reached_and_none_beyond)
{
    struct sim_prng p;
    unsigned seen[7] = { 0 };

    sim_prng_seed(&p, 1);
    for (unsigned i = 0; i < 70000; i++) {
        const uint64_t x = sim_prng_below(&p, 7);

        assert_true(x < 7);
        seen[x]++;
    }
    for (unsigned i = 0; i < 7; i++)
        assert_in_range(seen[i], 9600, 10400); /* ten thousand each, four sigma */
    assert_true(sim_prng_below(&p, 0) == 0);
    assert_true(sim_prng_below(&p, 1) == 0);
}

TEST(ranges_hold_both_their_ends)
{
    struct sim_prng p;
    bool low = false, high = false;

    sim_prng_seed(&p, 2);
    for (unsigned i = 0; i < 1000; i++) {
        const uint64_t x = sim_prng_between(&p, 10, 12);

        assert_in_range(x, 10, 12);
        low = low || x == 10;
        high = high || x == 12;
    }
    assert_true(low && high);
    assert_true(sim_prng_between(&p, 5, 5) == 5);
    assert_true(sim_prng_between(&p, 0, UINT64_MAX) != sim_prng_between(&p, 0, UINT64_MAX));
}

TEST(a_chance_is_what_was_asked_for)
{
    struct sim_prng p;
    unsigned hits = 0;

    sim_prng_seed(&p, 3);
    for (unsigned i = 0; i < 100000; i++) {
        assert_false(sim_prng_permille(&p, 0));
        assert_true(sim_prng_permille(&p, 1000));
        hits += sim_prng_permille(&p, 30);
    }
    assert_in_range(hits, 2780, 3220);
}

TEST(a_chance_of_nothing_draws_nothing)
{
    struct sim_prng a, b;

    sim_prng_seed(&a, 4);
    b = a;
    sim_prng_permille(&a, 0);
    assert_true(sim_prng_next(&a) == sim_prng_next(&b));
}

TEST_MAIN
