/* SPDX-License-Identifier: MIT */
/*
 * RFC 5681, 6582, 3042, 6928: slow start, congestion avoidance, fast retransmit and NewReno.
 * The MSS is 1000, so the window begins with 10 segments.
 */
#include "tests/rfc/bench.h"

static void dupacks(struct bench *b, uint32_t count, uint32_t at)
{
    char line[80];

    snprintf(line, sizeof line, "ACK rcv 0 snd %u wnd 65535", at);
    for (uint32_t i = 0; i < count; i++)
        bench_rx(b, line);
}

/* Ten segments in flight, nothing more to send. */
static void ten_in_flight(struct bench *b)
{
    bench_established(b, &(struct bench_opt){ .rtt_ns = MS(100) });
    bench_send(b, 10000);
    expect_equal(b, bench_forget_tx(b), 10);
}

BENCH_TEST(the_initial_window_is_ten_segments)
{
    bench_established(b, NULL);
    expect_equal(b, bench_info(b).cwnd_bytes, 10000);

    bench_send(b, 20000);
    expect_equal(b, bench_forget_tx(b), 10);
    bench_again(b);
    bench_established(b, &(struct bench_opt){ .mss = 300 });
    expect_equal(b, bench_info(b).cwnd_bytes, 3000);
}

BENCH_TEST(slow_start_grows_by_what_is_acknowledged)
{
    ten_in_flight(b);

    bench_rx(b, "ACK rcv 0 snd 1000 wnd 65535");
    expect_equal(b, bench_info(b).cwnd_bytes, 11000);
    bench_rx(b, "ACK rcv 0 snd 3000 wnd 65535");
    expect_equal(b, bench_info(b).cwnd_bytes, 13000);
    bench_rx(b, "ACK rcv 0 snd 10000 wnd 65535");
    expect_equal(b, bench_info(b).cwnd_bytes, 20000);
}

BENCH_TEST(dividing_acks_gains_nothing)
{
    ten_in_flight(b);

    for (uint32_t at = 10; at <= 1000; at += 10)
        dupacks(b, 1, at);

    expect_equal(b, bench_info(b).cwnd_bytes, 11000);
}

BENCH_TEST(a_window_that_is_not_used_does_not_grow)
{
    bench_established(b, NULL);

    for (uint32_t i = 1; i <= 20; i++) {
        bench_send(b, 1000);
        dupacks(b, 1, 1000 * i);
    }

    expect_equal(b, bench_info(b).cwnd_bytes, 10000);
}

BENCH_TEST(two_duplicates_are_not_enough)
{
    ten_in_flight(b);

    dupacks(b, 2, 0);

    expect_no_tx(b);
    expect_equal(b, la_counter(b->s, LA_COUNT_TCPFastRetrans), 0);
}

BENCH_TEST(the_third_duplicate_retransmits_at_once)
{
    ten_in_flight(b);

    dupacks(b, 3, 0);

    expect_tx(b, "ACK snd 0 rcv 0 len 1000");
    expect_no_tx(b);
    expect_equal(b, bench_info(b).ssthresh_bytes, 5000);
    expect_equal(b, bench_info(b).cwnd_bytes, 8000); /* ssthresh and three */
    expect_true(b, bench_info(b).in_recovery);
}

BENCH_TEST(it_retransmits_only_once)
{
    ten_in_flight(b);
    dupacks(b, 3, 0);
    bench_forget_tx(b);

    dupacks(b, 6, 0);

    expect_no_tx(b);
    expect_equal(b, bench_info(b).cwnd_bytes, 14000);
}

BENCH_TEST(further_duplicates_let_new_text_go)
{
    bench_established(b, &(struct bench_opt){ .rtt_ns = MS(100) });
    bench_send(b, 20000);
    expect_equal(b, bench_forget_tx(b), 10);
    dupacks(b, 2, 0);
    expect_tx(b, "ACK snd 10000 rcv 0 len 1000"); /* RFC 3042: limited transmit */
    expect_tx(b, "ACK snd 11000 rcv 0 len 1000");
    expect_no_tx(b);
    dupacks(b, 1, 0);
    expect_tx(b, "ACK snd 0 rcv 0 len 1000");
    expect_no_tx(b);

    dupacks(b, 4, 0);
    expect_no_tx(b); /* 12 are in flight, and the window has grown from 8 to 12 */
    dupacks(b, 1, 0);
    expect_tx(b, "ACK snd 12000 rcv 0 len 1000");
    expect_no_tx(b);
}

BENCH_TEST(limited_transmit_does_not_count_for_ssthresh)
{
    bench_established(b, &(struct bench_opt){ .rtt_ns = MS(100) });
    bench_send(b, 20000);
    bench_forget_tx(b);

    dupacks(b, 3, 0);

    expect_equal(b, bench_info(b).ssthresh_bytes, 5000); /* half of 10, not of 12: 5681 3.2 (2) */
}

BENCH_TEST(limited_transmit_respects_the_peers_window)
{
    bench_established(b, &(struct bench_opt){ .peer_wnd = 10000 });
    bench_send(b, 20000);
    bench_forget_tx(b);

    bench_rx(b, "ACK rcv 0 snd 0 wnd 10000");
    bench_rx(b, "ACK rcv 0 snd 0 wnd 10000");

    expect_no_tx(b);
}

BENCH_TEST(a_partial_ack_retransmits_the_next_hole)
{
    ten_in_flight(b);
    dupacks(b, 3, 0);
    bench_forget_tx(b);

    bench_rx(b, "ACK rcv 0 snd 2000 wnd 65535");
    expect_tx(b, "ACK snd 2000 rcv 0 len 1000");
    expect_no_tx(b);
    expect_equal(b, bench_info(b).cwnd_bytes, 7000); /* less 2000, plus 1000 */
    expect_true(b, bench_info(b).in_recovery);
    bench_rx(b, "ACK rcv 0 snd 5000 wnd 65535");
    expect_tx(b, "ACK snd 5000 rcv 0 len 1000");
    expect_no_tx(b);
}

BENCH_TEST(a_full_ack_ends_the_recovery)
{
    ten_in_flight(b);
    dupacks(b, 5, 0);
    bench_forget_tx(b);

    bench_rx(b, "ACK rcv 0 snd 10000 wnd 65535");

    expect_no_tx(b);
    expect_true(b, !bench_info(b).in_recovery);
    expect_equal(b, bench_info(b).cwnd_bytes, 5000);
}

BENCH_TEST(congestion_avoidance_grows_by_a_segment_each_window)
{
    ten_in_flight(b);
    dupacks(b, 3, 0);
    bench_rx(b, "ACK rcv 0 snd 10000 wnd 65535");
    bench_forget_tx(b);
    expect_equal(b, bench_info(b).cwnd_bytes, 5000);

    bench_send(b, 20000);
    expect_equal(b, bench_forget_tx(b), 5);
    for (uint32_t i = 1; i <= 4; i++)
        dupacks(b, 1, 10000 + 1000 * i);
    expect_equal(b, bench_info(b).cwnd_bytes, 5000);
    dupacks(b, 1, 15000);
    expect_equal(b, bench_info(b).cwnd_bytes, 6000);
}

BENCH_TEST(a_duplicate_with_text_is_none)
{
    ten_in_flight(b);

    for (uint32_t i = 0; i < 5; i++) {
        char line[80];

        snprintf(line, sizeof line, "ACK rcv %u snd 0 len 10 wnd 65535", 10 * i);
        bench_rx(b, line);
    }

    expect_equal(b, la_counter(b->s, LA_COUNT_TCPFastRetrans), 0);
}

BENCH_TEST(a_duplicate_with_another_window_is_none)
{
    ten_in_flight(b);

    for (uint32_t i = 0; i < 6; i++) {
        char line[80];

        snprintf(line, sizeof line, "ACK rcv 0 snd 0 wnd %u", 60000 + i);
        bench_rx(b, line);
    }

    expect_equal(b, la_counter(b->s, LA_COUNT_TCPFastRetrans), 0);
}

BENCH_TEST(a_duplicate_with_fin_is_none)
{
    ten_in_flight(b);
    dupacks(b, 2, 0);

    bench_rx(b, "FIN ACK rcv 0 snd 0 wnd 65535");

    expect_equal(b, la_counter(b->s, LA_COUNT_TCPFastRetrans), 0);
}

BENCH_TEST(duplicates_mean_nothing_with_nothing_outstanding)
{
    bench_established(b, NULL);

    dupacks(b, 10, 0);
    expect_no_tx(b);
    bench_send(b, 10000);
    expect_equal(b, bench_forget_tx(b), 10);
    dupacks(b, 2, 0);
    expect_no_tx(b);
}

BENCH_TEST(progress_begins_the_count_anew)
{
    ten_in_flight(b);

    dupacks(b, 2, 0);
    dupacks(b, 1, 1000);
    dupacks(b, 2, 1000);
    expect_no_tx(b);
    dupacks(b, 1, 1000);
    expect_tx(b, "ACK snd 1000 rcv 0 len 1000");
}

BENCH_TEST(duplicates_after_a_timeout_do_not_retransmit_again)
{
    ten_in_flight(b);
    bench_sleep(b, MS(310));
    expect_tx(b, "ACK snd 0 rcv 0 len 1000");

    dupacks(b, 5, 0); /* the ten segments had merely been slow */

    expect_equal(b, la_counter(b->s, LA_COUNT_TCPFastRetrans), 0);
    expect_no_tx(b);
}

BENCH_TEST(a_timeout_within_recovery_ends_it)
{
    ten_in_flight(b);
    dupacks(b, 3, 0);
    bench_forget_tx(b);
    bench_mark(b);

    bench_sleep(b, SEC(1));

    expect_true(b, bench_forget_tx(b) >= 1);
    expect_equal(b, bench_info(b).cwnd_bytes, 1000);
}

BENCH_TEST(ssthresh_is_at_least_two_segments)
{
    bench_established(b, &(struct bench_opt){ .rtt_ns = MS(100) });
    bench_send(b, 10);
    bench_sleep(b, MS(310));

    expect_equal(b, bench_info(b).ssthresh_bytes, 2000);
    expect_equal(b, bench_info(b).cwnd_bytes, 1000);
}

BENCH_TEST(acks_of_what_was_not_sent_do_not_open_the_window)
{
    ten_in_flight(b);

    bench_rx(b, "ACK rcv 0 snd 10001 wnd 65535");
    bench_rx(b, "ACK rcv 0 snd 60000 wnd 65535");

    expect_equal(b, bench_info(b).cwnd_bytes, 10000);
}

BENCH_TEST(after_a_pause_the_window_begins_anew)
{
    uint32_t acked = 0;

    bench_established(b, &(struct bench_opt){ .rtt_ns = MS(10) });
    for (int i = 0; i < 4; i++) {
        const uint32_t cwnd = bench_info(b).cwnd_bytes;

        bench_send(b, cwnd);
        acked += cwnd;
        dupacks(b, 1, acked);
    }
    expect_true(b, bench_info(b).cwnd_bytes > 20000);
    bench_sleep(b, SEC(10));
    bench_forget_tx(b);

    bench_send(b, 30000);

    expect_equal(b, bench_forget_tx(b), 10); /* RFC 5681 4.1 */
}

BENCH_TEST(a_lost_syn_makes_the_window_begin_with_one_segment)
{
    bench_state(b, LA_SYN_SENT, NULL);
    bench_sleep(b, MS(1500));
    bench_forget_tx(b);

    bench_rx(b, "SYN ACK rcv 0 snd 1 wnd 65535 mss 1000");

    expect_equal(b, bench_info(b).cwnd_bytes, bench_info(b).snd_mss); /* RFC 5681 3.1 */
}

TEST_MAIN
