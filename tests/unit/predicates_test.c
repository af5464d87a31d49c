/* SPDX-License-Identifier: MIT */
/*
 * predicates_test.c - The RFC's tests on numbers, against the same tests on 64-bit positions.
 *
 * Small distances are tried exhaustively at four origins, large ones at random, and each
 * boundary has a sentence of its own.
 */
#include "tests/unit/base_test.h"

#include "core/tcp/predicates.h"

static const uint64_t origins[] = { UINT64_C(1) << 40, (UINT64_C(1) << 40) + 0x7fffffff,
                                    (UINT64_C(1) << 40) + 0xffffffff,
                                    (UINT64_C(1) << 40) + 0x1badcafe };

static tcp_seq at(uint64_t position)
{
    return seq_of((uint32_t)position);
}

/* RFC 9293 table 6, read as: some octet of the segment lies in the window. */
static bool acceptable_model(uint64_t seq, uint32_t len, uint64_t nxt, uint32_t wnd)
{
    if (len == 0)
        return wnd == 0 ? seq == nxt : seq >= nxt && seq < nxt + wnd;
    return wnd > 0 && seq < nxt + wnd && seq + len > nxt;
}

TEST(acceptability_is_the_rfcs_table_for_all_small_segments_and_windows)
{
    for (uint32_t o = 0; o < LA_COUNT_OF(origins); o++) {
        const uint64_t nxt = origins[o];

        for (uint64_t i = 0; i < 80; i++)
            for (uint32_t len = 0; len < 24; len++)
                for (uint32_t wnd = 0; wnd < 24; wnd++) {
                    const uint64_t seq = nxt - 40 + i;

                    if (tcp_acceptable(at(seq), len, at(nxt), wnd) !=
                        acceptable_model(seq, len, nxt, wnd))
                        fail_msg("seq %d len %u wnd %u", (int)i - 40, len, wnd);
                    assert_int_equal(tcp_is_old(at(seq), len, at(nxt)),
                                     seq < nxt && seq + len <= nxt);
                }
    }
}

TEST(acceptability_is_the_rfcs_table_for_large_windows_and_distances)
{
    uint64_t rng = 7;

    for (uint32_t i = 0; i < 2000000; i++) {
        const uint64_t nxt = (UINT64_C(1) << 40) + rng_next(&rng) % (UINT64_C(1) << 34);
        const uint32_t wnd = (uint32_t)(rng_next(&rng) >> (34 + rng_below(&rng, 30)));
        const uint32_t len = rng_below(&rng, 3) ? rng_below(&rng, 70000) : 0;
        const uint64_t near = rng_below(&rng, 2) ? nxt : nxt + wnd;
        const uint64_t seq = rng_below(&rng, 4)
                                 ? near - 70000 + rng_below(&rng, 140000)
                                 : nxt - (UINT64_C(1) << 30) + rng_next(&rng) % (UINT64_C(1) << 31);

        if (tcp_acceptable(at(seq), len, at(nxt), wnd) != acceptable_model(seq, len, nxt, wnd))
            fail_msg("nxt %u seq %u len %u wnd %u", (uint32_t)nxt, (uint32_t)seq, len, wnd);
    }
}

TEST(the_edges_of_the_window_are_where_the_rfc_puts_them)
{
    for (uint32_t o = 0; o < LA_COUNT_OF(origins); o++) {
        const tcp_seq nxt = at(origins[o]);

        assert_true(tcp_acceptable(nxt, 0, nxt, 500));
        assert_true(tcp_acceptable(seq_add(nxt, 499), 0, nxt, 500));
        assert_false(tcp_acceptable(seq_add(nxt, 500), 0, nxt, 500));
        assert_false(tcp_acceptable(seq_sub(nxt, 1), 0, nxt, 500));
        assert_true(tcp_acceptable(seq_sub(nxt, 1), 2, nxt, 500));
        assert_false(tcp_acceptable(seq_sub(nxt, 1), 1, nxt, 500));
        assert_false(tcp_acceptable(seq_add(nxt, 500), 1, nxt, 500));
        assert_true(tcp_acceptable(seq_add(nxt, 499), 1000, nxt, 500));
        assert_true(tcp_acceptable(seq_sub(nxt, 10), 1000, nxt, 500)); /* covers all of it */
        assert_true(tcp_acceptable(nxt, 0, nxt, 0));
        assert_false(tcp_acceptable(nxt, 1, nxt, 0));
        assert_false(tcp_acceptable(seq_add(nxt, 1), 0, nxt, 0));
    }
}

TEST(a_reset_is_exact_at_rcv_nxt_only_and_inside_up_to_the_last_octet_of_the_window)
{
    for (uint32_t o = 0; o < LA_COUNT_OF(origins); o++) {
        const tcp_seq nxt = at(origins[o]);

        assert_int_equal(tcp_rst_kind(nxt, nxt, 100), TCP_RST_EXACT);
        assert_int_equal(tcp_rst_kind(seq_add(nxt, 1), nxt, 100), TCP_RST_INSIDE);
        assert_int_equal(tcp_rst_kind(seq_add(nxt, 99), nxt, 100), TCP_RST_INSIDE);
        assert_int_equal(tcp_rst_kind(seq_add(nxt, 100), nxt, 100), TCP_RST_OUTSIDE);
        assert_int_equal(tcp_rst_kind(seq_sub(nxt, 1), nxt, 100), TCP_RST_OUTSIDE);
        assert_int_equal(tcp_rst_kind(nxt, nxt, 0), TCP_RST_EXACT);
        assert_int_equal(tcp_rst_kind(seq_add(nxt, 1), nxt, 0), TCP_RST_OUTSIDE);
    }
}

TEST(an_ack_is_new_behind_snd_una_and_up_to_snd_nxt)
{
    for (uint32_t o = 0; o < LA_COUNT_OF(origins); o++) {
        const tcp_seq una = at(origins[o]), nxt = seq_add(una, 300);

        for (uint32_t i = 0; i < 700; i++) {
            const uint64_t ack = origins[o] - 200 + i;

            assert_int_equal(tcp_ack_is_new(at(ack), una, nxt),
                             ack > origins[o] && ack <= origins[o] + 300);
        }
        assert_false(tcp_ack_is_new(una, una, una));
        assert_false(tcp_ack_is_new(seq_add(una, 1), una, una));
    }
}

TEST(an_ack_is_too_old_beyond_the_largest_window_or_the_connections_own_beginning)
{
    for (uint32_t o = 0; o < LA_COUNT_OF(origins); o++) {
        const tcp_seq una = at(origins[o]);

        assert_false(tcp_ack_too_old(una, una, 1000, 5000));
        assert_false(tcp_ack_too_old(seq_sub(una, 1000), una, 1000, 5000));
        assert_true(tcp_ack_too_old(seq_sub(una, 1001), una, 1000, 5000));
        assert_false(tcp_ack_too_old(seq_sub(una, 200), una, 1000, 200));
        assert_true(tcp_ack_too_old(seq_sub(una, 201), una, 1000, 200));
        assert_true(tcp_ack_too_old(seq_sub(una, 1), una, 0, 200));
        assert_false(tcp_ack_too_old(seq_add(una, 50), una, 1000, 5000));
    }
}

TEST(a_time_stamp_is_older_by_less_than_half_the_circle)
{
    const uint32_t recent[] = { 0, 0x7fffffff, 0xffffffff, 12345 };

    for (uint32_t i = 0; i < LA_COUNT_OF(recent); i++) {
        assert_false(tcp_ts_older(recent[i], recent[i]));
        assert_true(tcp_ts_older(recent[i] - 1, recent[i]));
        assert_false(tcp_ts_older(recent[i] + 1, recent[i]));
        assert_true(tcp_ts_older(recent[i] - 0x7fffffff, recent[i]));
        assert_false(tcp_ts_older(recent[i] + 0x7fffffff, recent[i]));
    }
}

TEST_MAIN
