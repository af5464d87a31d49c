/* SPDX-License-Identifier: MIT */
/* RFC 9293 3.10.7.4, second step: check the RST bit, by the three checks of RFC 5961 3.2. */
#include "tests/rfc/bench.h"

BENCH_TEST(rst_exactly_at_rcv_nxt_resets)
{
    bench_established(b, &(struct bench_opt){ .rcv_wnd = 500 });

    bench_rx(b, "RST rcv 0");

    expect_no_tx(b);
    expect_state(b, LA_CLOSED);
    expect_error(b, LA_ECONNRESET);
    expect_drop(b, LA_DROP_RESET);
    expect_recv(b, LA_ECONNRESET);
    expect_send(b, LA_ECONNRESET);
    expect_equal(b, la_counter(b->s, LA_COUNT_EstabResets), 1);
}

BENCH_TEST(rst_elsewhere_in_window_draws_one_challenge_ack)
{
    bench_established(b, &(struct bench_opt){ .rcv_wnd = 500 });

    bench_rx(b, "RST rcv 1");
    expect_drop(b, LA_DROP_RST_CHALLENGED);
    bench_rx(b, "RST rcv 499"); /* throttled: RFC 5961 section 7 */
    expect_drop(b, LA_DROP_CHALLENGE_LIMIT);

    expect_tx(b, "ACK snd 0 rcv 0 wnd 500");
    expect_no_tx(b);
    expect_state(b, LA_ESTABLISHED);
    expect_equal(b, la_counter(b->s, LA_COUNT_TCPChallengeACK), 1);
}

BENCH_TEST(rst_at_the_right_edge_is_outside)
{
    bench_established(b, &(struct bench_opt){ .rcv_wnd = 500 });

    bench_rx(b, "RST rcv 500");
    expect_no_tx(b);
    expect_drop(b, LA_DROP_RST_OUTSIDE_WINDOW);
    bench_rx(b, "RST rcv 499");
    expect_tx(b, "ACK snd 0 rcv 0");
    expect_state(b, LA_ESTABLISHED);
}

BENCH_TEST(rst_straddling_the_left_edge_is_silent)
{
    bench_established(b, &(struct bench_opt){ .rcv_wnd = 500 });

    bench_rx(b, "RST rcv -1 len 2"); /* acceptable by the table, yet not exact */

    expect_no_tx(b);
    expect_state(b, LA_ESTABLISHED);
    expect_drop(b, LA_DROP_RST_OUTSIDE_WINDOW);
}

BENCH_TEST(a_reset_may_carry_text)
{
    bench_established(b, &(struct bench_opt){ .rcv_wnd = 500 });

    bench_rx(b, "RST rcv 0 len 40"); /* SHLD-2 */

    expect_no_tx(b);
    expect_state(b, LA_CLOSED);
}

BENCH_TEST(other_flags_and_any_ack_do_not_matter_to_a_reset)
{
    static const char *const lines[] = { "RST ACK rcv 0 snd 0", "RST ACK rcv 0 snd 99999",
                                         "RST ACK rcv 0 snd -99999", "SYN RST rcv 0",
                                         "FIN RST PSH rcv 0 urg 1" };

    for (uint32_t i = 0; i < 5; i++) {
        bench_again(b);
        bench_established(b, NULL);
        bench_rx(b, lines[i]);
        expect_no_tx(b);
        expect_state(b, LA_CLOSED);
    }
}

BENCH_TEST(bytes_received_before_the_reset_stay_readable)
{
    bench_established(b, NULL);
    bench_rx(b, "ACK rcv 0 snd 0 len 100 wnd 65535");
    bench_forget_tx(b);

    bench_rx(b, "RST rcv 100");

    bench_recv(b, 100);
    expect_recv(b, LA_ECONNRESET);
}

BENCH_TEST(the_error_says_what_was_reset)
{
    static const struct {
        int place;
        enum la_err err;
    } cases[] = {
        { BENCH_SIMULTANEOUS, LA_ECONNREFUSED }, /* MUST-11: by an active open */
        { LA_ESTABLISHED, LA_ECONNRESET },       { LA_FIN_WAIT_1, LA_ECONNRESET },
        { LA_FIN_WAIT_2, LA_ECONNRESET },        { LA_CLOSE_WAIT, LA_EPIPE },
    };

    for (uint32_t i = 0; i < 5; i++) {
        bench_again(b);
        bench_state(b, cases[i].place, NULL);
        bench_rx(b, "RST rcv 0");
        expect_no_tx(b);
        expect_state(b, LA_CLOSED);
        expect_error(b, cases[i].err);
        expect_true(b, (b->event_mask & (LA_ERROR_SET | LA_HANGUP)) == (LA_ERROR_SET | LA_HANGUP));
    }
}

BENCH_TEST(closing_and_last_ack_end_with_a_reset)
{
    bench_state(b, LA_CLOSING, NULL);
    bench_rx(b, "RST rcv 0");
    expect_no_tx(b);
    expect_state(b, LA_CLOSED);
    bench_again(b);
    bench_state(b, LA_LAST_ACK, NULL);
    bench_rx(b, "RST rcv 0");
    expect_no_tx(b);
    expect_state(b, LA_CLOSED);
}

BENCH_TEST(a_half_open_connection_returns_to_listen)
{
    bench_state(b, LA_SYN_RECEIVED, &(struct bench_opt){ .rcv_wnd = 500 });

    bench_rx(b, "RST rcv 500");
    bench_rx(b, "RST rcv -1");
    expect_no_tx(b);
    expect_state(b, LA_SYN_RECEIVED);
    bench_rx(b, "RST rcv 1");
    expect_tx(b, "ACK snd 1 rcv 0");
    expect_state(b, LA_SYN_RECEIVED);

    bench_rx(b, "RST rcv 0");

    expect_no_tx(b);
    expect_state(b, LA_LISTEN);
    expect_drop(b, LA_DROP_HALF_OPEN_RST);
    bench_rx(b, "SYN rcv 100 wnd 65535"); /* the listener never knew */
    expect_equal(b, bench_forget_tx(b), 1);
}

BENCH_TEST(simultaneous_open_challenges_resets_that_are_not_exact)
{
    bench_state(b, BENCH_SIMULTANEOUS, &(struct bench_opt){ .rcv_wnd = 500 });

    bench_rx(b, "RST rcv 500");
    expect_no_tx(b);
    bench_rx(b, "RST rcv 1");
    expect_state(b, LA_SYN_RECEIVED);
    bench_rx(b, "RST rcv 0");
    expect_state(b, LA_CLOSED);
    expect_error(b, LA_ECONNREFUSED);
}

BENCH_TEST(an_orphan_in_fin_wait_2_ends_with_an_exact_reset_only)
{
    bench_state(b, BENCH_ORPHAN_FIN_WAIT_2, &(struct bench_opt){ .rcv_wnd = 500 });

    bench_rx(b, "RST rcv 500");
    bench_rx(b, "RST rcv -1");
    expect_no_tx(b);
    expect_state(b, LA_FIN_WAIT_2);
    bench_rx(b, "RST rcv 0");
    expect_no_tx(b);
    expect_state(b, LA_CLOSED);
}

BENCH_TEST(an_orphan_in_fin_wait_2_challenges_a_reset_in_the_window)
{
    bench_state(b, BENCH_ORPHAN_FIN_WAIT_2, &(struct bench_opt){ .rcv_wnd = 500 });

    bench_rx(b, "RST rcv 1");

    expect_tx(b, "ACK snd 0 rcv 0");
    expect_state(b, LA_FIN_WAIT_2);
}

BENCH_TEST(a_reset_needs_no_time_stamp)
{
    bench_established(b, &(struct bench_opt){ .timestamps = true });

    bench_rx(b, "RST rcv 0"); /* RFC 7323 5.2: PAWS does not apply to resets */

    expect_state(b, LA_CLOSED);
}

TEST_MAIN
