/* SPDX-License-Identifier: MIT */
/*
 * RFC 9293 3.10.7.4, fifth step: check the ACK field, with the lower bound of RFC 5961 5.2
 * (MAY-12) cut to what was ever sent: an ACK of bytes nobody sent proves that its sender guesses.
 */
#include "tests/rfc/bench.h"

static uint32_t acked(struct bench *b)
{
    return seq_diff(b->snd_base, seq_of(bench_info(b).snd_una));
}

BENCH_TEST(a_segment_without_ack_is_dropped)
{
    bench_established(b, NULL);

    bench_rx(b, "none rcv 0 len 10");
    expect_drop(b, LA_DROP_NO_ACK);
    bench_rx(b, "FIN rcv 0");
    bench_rx(b, "PSH rcv 0 urg 1 len 1");

    expect_no_tx(b);
    expect_state(b, LA_ESTABLISHED);
    expect_recv(b, LA_EAGAIN);
}

BENCH_TEST(an_ack_of_what_was_sent_advances_snd_una)
{
    bench_established(b, NULL);
    bench_send(b, 100);
    expect_tx(b, "PSH ACK snd 0 rcv 0 len 100");

    bench_rx(b, "ACK rcv 0 snd 0 wnd 65535");
    expect_equal(b, acked(b), 0);
    bench_rx(b, "ACK rcv 0 snd 1 wnd 65535");
    expect_equal(b, acked(b), 1);
    bench_rx(b, "ACK rcv 0 snd 100 wnd 65535");
    expect_equal(b, acked(b), 100);
    bench_rx(b, "ACK rcv 0 snd 50 wnd 65535"); /* old: ignored */
    expect_equal(b, acked(b), 100);
    expect_no_tx(b);
}

BENCH_TEST(an_ack_of_what_was_not_sent_draws_a_challenge_ack)
{
    bench_established(b, NULL);
    bench_send(b, 100);
    expect_tx(b, "PSH ACK snd 0 rcv 0 len 100");

    bench_rx(b, "ACK rcv 0 snd 101 len 10 wnd 65535");

    expect_tx(b, "ACK snd 100 rcv 0");
    expect_drop(b, LA_DROP_ACK_UNSENT);
    expect_equal(b, acked(b), 0);
    expect_recv(b, LA_EAGAIN); /* its text is not taken */
    bench_rx(b, "ACK rcv 0 snd 2147483648 len 10 wnd 65535");
    expect_recv(b, LA_EAGAIN);
    bench_rx(b, "ACK rcv 0 snd 100 len 10 wnd 65535");
    bench_recv(b, 10);
}

/* Which of the numbers around SND.UNA are believed, one octet of text each. */
static void probe_acks(struct bench *b, int first, int last, int low, int high)
{
    uint32_t taken = 0;

    for (int ack = first; ack <= last; ack++) {
        char line[80];

        snprintf(line, sizeof line, "ACK rcv %u snd %d len 1 wnd 65535", taken, ack);
        bench_rx(b, line);
        if (ack < low || ack > high) {
            expect_true(b, bench_info(b).rcv_queued_bytes == 0);
            continue;
        }
        bench_recv(b, 1);
        taken++;
    }
    expect_equal(b, taken, high - low + 1);
}

BENCH_TEST(only_acks_of_what_was_ever_sent_are_believed)
{
    bench_established(b, NULL);
    bench_send(b, 100);
    bench_rx(b, "ACK rcv 0 snd 100 wnd 65535");
    bench_send(b, 7);
    bench_forget_tx(b);

    probe_acks(b, -300, 300, -1,
               107); /* ISS is snd -1: 100 bytes, the SYN, and what is in flight */
}

BENCH_TEST(an_ack_older_than_the_largest_window_is_not_believed)
{
    bench_established(b, &(struct bench_opt){ .peer_wnd = 50 });
    for (int i = 0; i < 4; i++) {
        char line[80];

        bench_send(b, 50);
        snprintf(line, sizeof line, "ACK rcv 0 snd %d wnd 50", 50 * (i + 1));
        bench_rx(b, line);
    }
    bench_rebase(b);

    probe_acks(b, -200, 100, -50, 0);
}

BENCH_TEST(an_ack_that_is_too_old_is_answered)
{
    bench_established(b, NULL);

    bench_rx(b, "ACK rcv 0 snd -2 len 1 wnd 65535");

    expect_tx(b, "ACK snd 0 rcv 0");
    expect_drop(b, LA_DROP_ACK_TOO_OLD);
    bench_rx(b, "ACK rcv 0 snd -3 len 1 wnd 65535");
    expect_no_tx(b); /* under the same limit as every challenge */
    bench_rx(b, "ACK rcv 0 snd -1 len 1 wnd 65535");
    expect_tx(b, "ACK snd 0 rcv 1");
}

BENCH_TEST(the_window_moves_with_newer_segments_only)
{
    bench_established(b, NULL);

    bench_rx(b, "ACK rcv 10 snd 0 wnd 1000"); /* SND.WL1 < SEG.SEQ */
    expect_equal(b, bench_info(b).snd_wnd, 1000);
    bench_rx(b, "ACK rcv 9 snd 0 wnd 2000");
    expect_equal(b, bench_info(b).snd_wnd, 1000);
    bench_rx(b, "ACK rcv 10 snd 0 wnd 3000"); /* equal, and SND.WL2 =< SEG.ACK */
    expect_equal(b, bench_info(b).snd_wnd, 3000);
    bench_send(b, 100);
    bench_rx(b, "ACK rcv 10 snd 50 wnd 4000");
    expect_equal(b, bench_info(b).snd_wnd, 4000);
    bench_rx(b, "ACK rcv 10 snd 49 wnd 5000"); /* an ACK that is older than SND.UNA */
    expect_equal(b, bench_info(b).snd_wnd, 4000);
    bench_rx(b, "ACK rcv 11 snd 49 wnd 6000");
    expect_equal(b, bench_info(b).snd_wnd, 4000);
    bench_rx(b, "ACK rcv 11 snd 50 wnd 7000"); /* newer, as old as SND.UNA */
    expect_equal(b, bench_info(b).snd_wnd, 7000);
}

BENCH_TEST(the_window_moves_with_every_segment_that_advances_snd_una)
{
    bench_established(b, NULL);
    bench_rx(b, "ACK rcv 10 snd 0 wnd 1000");
    bench_send(b, 100);

    bench_rx(b, "ACK rcv 9 snd 51 wnd 2000"); /* an old SEG.SEQ: a retransmission, say */

    expect_equal(b, bench_info(b).snd_wnd, 2000);
}

BENCH_TEST(in_syn_received_only_the_ack_of_our_syn_will_do)
{
    for (int i = 0; i < 2; i++) {
        bench_again(b);
        bench_state(b, i == 0 ? LA_SYN_RECEIVED : BENCH_SIMULTANEOUS, NULL);

        bench_rx(b, "ACK rcv 0 snd 0 wnd 65535");
        expect_tx(b, "RST snd 0");
        expect_state(b, LA_SYN_RECEIVED);
        bench_rx(b, "ACK rcv 0 snd 2 wnd 65535");
        expect_tx(b, "RST snd 2");
        bench_rx(b, "ACK rcv 0 snd 2147483649 wnd 65535");
        expect_tx(b, "RST snd 2147483649");
        expect_drop(b, LA_DROP_HALF_OPEN_BAD_ACK);
        expect_state(b, LA_SYN_RECEIVED);
        bench_rx(b, "ACK rcv 0 snd 1 wnd 777");
        expect_no_tx(b);
        expect_state(b, LA_ESTABLISHED);
        if (i == 0)
            bench_accept(b);
        expect_equal(b, bench_info(b).snd_wnd, 777);
        expect_equal(b, bench_info(b).snd_wl1, seq_raw(b->rcv_base));
    }
}

BENCH_TEST(text_and_fin_may_ride_on_the_ack_of_our_syn)
{
    for (int i = 0; i < 2; i++) {
        bench_again(b);
        bench_state(b, i == 0 ? LA_SYN_RECEIVED : BENCH_SIMULTANEOUS, NULL);

        bench_rx(b, "FIN ACK rcv 0 snd 1 len 100 wnd 777");
        expect_tx(b, "ACK snd 1 rcv 101");
        expect_state(b, LA_CLOSE_WAIT);
        if (i == 0)
            bench_accept(b);
        bench_recv(b, 100);
        expect_recv(b, 0);
    }
}

BENCH_TEST(text_in_syn_received_without_the_right_ack_is_not_kept)
{
    bench_state(b, LA_SYN_RECEIVED, NULL);

    bench_rx(b, "ACK rcv 0 snd 2 len 100 wnd 777");
    expect_tx(b, "RST snd 2");
    bench_rx(b, "none rcv 0 len 100 wnd 777");
    expect_no_tx(b);
    bench_rx(b, "ACK rcv 0 snd 1 wnd 777");
    bench_accept(b);
    expect_recv(b, LA_EAGAIN);
}

BENCH_TEST(a_window_on_the_ack_of_our_syn_is_scaled)
{
    bench_established(b, &(struct bench_opt){ .scale = true, .wscale = 3, .peer_wnd = 1000 });

    expect_equal(b, bench_info(b).snd_wnd, b->active ? 1000 : 8000);
    bench_rx(b, "ACK rcv 0 snd 0 wnd 1000");
    expect_equal(b, bench_info(b).snd_wnd, 8000);
}

BENCH_TEST(fin_wait_1_waits_for_the_ack_of_its_fin)
{
    bench_established(b, NULL);
    bench_send(b, 100);
    bench_shutdown(b, LA_SHUT_WR);
    bench_forget_tx(b);

    bench_rx(b, "ACK rcv 0 snd 100 wnd 65535");
    expect_state(b, LA_FIN_WAIT_1);
    bench_rx(b, "ACK rcv 0 snd 102 wnd 65535");
    expect_tx(b, "ACK snd 101 rcv 0");
    expect_state(b, LA_FIN_WAIT_1);
    bench_rx(b, "ACK rcv 0 snd 101 wnd 65535");
    expect_state(b, LA_FIN_WAIT_2);
}

BENCH_TEST(closing_goes_to_time_wait_with_the_ack_of_its_fin)
{
    bench_state(b, LA_CLOSING, NULL);

    bench_rx(b, "ACK rcv 0 snd 0 wnd 65535");
    expect_state(b, LA_CLOSING);
    bench_rx(b, "ACK rcv 0 snd 1 wnd 65535");
    expect_no_tx(b);
    expect_state(b, LA_TIME_WAIT);
}

BENCH_TEST(last_ack_ends_with_the_ack_of_its_fin)
{
    bench_state(b, LA_LAST_ACK, NULL);

    bench_rx(b, "ACK rcv 0 snd 0 wnd 65535");
    expect_state(b, LA_LAST_ACK);
    bench_rx(b, "ACK rcv 0 snd 1 wnd 65535");
    expect_no_tx(b);
    expect_state(b, LA_CLOSED);
    expect_error(b, LA_OK);
}

BENCH_TEST(close_wait_processes_acks_and_windows)
{
    bench_state(b, LA_CLOSE_WAIT, NULL);
    bench_send(b, 2000);
    expect_tx(b, "ACK snd 0 rcv 0 len 1000");
    expect_tx(b, "PSH ACK snd 1000 rcv 0 len 1000");

    bench_rx(b, "ACK rcv 0 snd 1000 wnd 500");

    expect_equal(b, acked(b), 1000);
    expect_equal(b, bench_info(b).snd_wnd, 500);
}

BENCH_TEST(the_ack_of_text_and_fin_together_counts_both)
{
    bench_established(b, NULL);
    bench_send(b, 100);
    bench_shutdown(b, LA_SHUT_WR);
    bench_forget_tx(b);

    bench_rx(b, "FIN ACK rcv 0 snd 101 wnd 65535");

    expect_tx(b, "ACK snd 101 rcv 1");
    expect_state(b, LA_TIME_WAIT);
}

TEST_MAIN
