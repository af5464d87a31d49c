/* SPDX-License-Identifier: MIT */
/* isn_test.c - Initial sequence numbers: a clock of 64 ns and a keyed offset for each 4-tuple. */
#include "tests/unit/base_test.h"
#include "tests/unit/hand.h"

static struct tcp_flow flow_of(const struct hand *h)
{
    return (struct tcp_flow){ .laddr = h->us, .raddr = h->peer, .lport = 80, .rport = 5000 };
}

TEST(the_number_goes_up_by_one_every_64_nanoseconds)
{
    for (int v6 = 0; v6 < 2; v6++) {
        struct hand h;

        hand_new(&h, &(struct hand_opt){ .v6 = v6 });
        const struct tcp_flow f = flow_of(&h);
        h.t->env.now.ns = 6400000000;
        const tcp_seq first = tcp_isn(h.t, &f);
        h.t->env.now.ns += 63;
        assert_true(seq_eq(tcp_isn(h.t, &f), first));
        h.t->env.now.ns += 1;
        assert_int_equal(seq_diff(first, tcp_isn(h.t, &f)), 1);
        h.t->env.now.ns += 64 * 999;
        assert_int_equal(seq_diff(first, tcp_isn(h.t, &f)), 1000);
        hand_free(&h);
    }
}

TEST(it_never_retreats_within_half_a_turn_of_its_clock)
{
    struct hand h;

    hand_new(&h, NULL);
    const struct tcp_flow f = flow_of(&h);
    tcp_seq before = tcp_isn(h.t, &f);
    for (uint64_t step = 1; step < 130 * NS_PER_S; step = step * 3 + 1) {
        h.t->env.now.ns += step;
        assert_true(seq_le(before, tcp_isn(h.t, &f)));
        before = tcp_isn(h.t, &f);
    }
    hand_free(&h);
}

TEST(its_clock_comes_round_after_275_seconds)
{
    struct hand h;

    hand_new(&h, NULL);
    const struct tcp_flow f = flow_of(&h);
    const tcp_seq first = tcp_isn(h.t, &f);
    h.t->env.now.ns += UINT64_C(64) << 32;
    assert_true(seq_eq(tcp_isn(h.t, &f), first));
    assert_int_equal((UINT64_C(64) << 32) / NS_PER_S, 274);
    hand_free(&h);
}

TEST(every_part_of_the_4_tuple_and_the_secret_move_it_and_the_time_stamp_offset)
{
    struct hand h, other;
    struct la_config config;

    hand_config(&config);
    config.secret[0] ^= 8;
    hand_new(&h, NULL);
    hand_new(&other, &(struct hand_opt){ .config = &config });
    const struct tcp_flow f = flow_of(&h);
    struct tcp_flow g[4] = { f, f, f, f };

    g[0].lport++;
    g[1].rport++;
    g[2].laddr.bytes[15]++;
    g[3].raddr.bytes[15]++;
    for (uint32_t i = 0; i < 4; i++) {
        assert_false(seq_eq(tcp_isn(h.t, &f), tcp_isn(h.t, &g[i])));
        assert_true(tcp_ts_offset(h.t, &f) != tcp_ts_offset(h.t, &g[i]));
    }
    assert_false(seq_eq(tcp_isn(h.t, &f), tcp_isn(other.t, &f)));
    assert_true(tcp_ts_offset(h.t, &f) != tcp_ts_offset(other.t, &f));
    assert_true(tcp_ts_offset(h.t, &f) != seq_raw(tcp_isn(h.t, &f))); /* keys of their own */
    hand_free(&h);
    hand_free(&other);
}

TEST_MAIN
