/* SPDX-License-Identifier: MIT */
/*
 * RFC 5682 (F-RTO): an RTO that nothing was lost for is found by what the next two ACKs say.
 * 2.1 without SACK, 3.1 with it.  The MSS is 1000, the window begins with 10 segments.
 */
#include "tests/rfc/bench.h"

static const struct bench_opt plain = { .rtt_ns = MS(100) };
static const struct bench_opt sack = { .rtt_ns = MS(100), .sack = true };

static uint64_t counted(const struct bench *b, enum la_counter counter)
{
    return la_counter(b->s, counter);
}

/* Ten segments in flight, @more bytes behind them, and the RTO has sent the first one again. */
static void timed_out_where(struct bench *b, const struct bench_opt *opt, uint32_t more,
                            uint64_t frto)
{
    bench_established(b, opt);
    bench_sysctl(b, "net.ipv4.tcp_early_retrans", 0);
    bench_sysctl(b, "net.ipv4.tcp_frto", frto);
    bench_send(b, 10000 + more);
    expect_equal(b, bench_forget_tx(b), 10);
    bench_sleep(b, MS(350));
    expect_tx(b, "ACK snd 0 rcv 0 len 1000");
    expect_no_tx(b);
    expect_equal(b, bench_info(b).cwnd_bytes, 1000);
}

static void timed_out(struct bench *b, const struct bench_opt *opt, uint32_t more)
{
    timed_out_where(b, opt, more, 2);
}

BENCH_TEST(two_acks_that_advance_show_that_nothing_was_lost)
{
    timed_out(b, &plain, 20000);

    bench_rx(b, "ACK rcv 0 snd 1000 wnd 65535");
    expect_tx(b, "ACK snd 10000 rcv 0 len 1000"); /* 2.b: two new ones, whatever the window */
    expect_tx(b, "ACK snd 11000 rcv 0 len 1000");
    expect_no_tx(b);
    bench_rx(b, "ACK rcv 0 snd 2000 wnd 65535");

    expect_equal(b, counted(b, LA_COUNT_TCPSpuriousRTOs), 1);
    expect_equal(b, bench_info(b).cwnd_bytes, 10000); /* as it was */
    expect_equal(b, bench_info(b).segs_retransmitted, 1);
    bench_rx(b, "ACK rcv 0 snd 12000 wnd 65535");
    expect_equal(b, bench_info(b).segs_retransmitted, 1);
}

BENCH_TEST(a_duplicate_after_the_new_text_is_a_loss_after_all)
{
    timed_out(b, &plain, 20000);
    bench_rx(b, "ACK rcv 0 snd 1000 wnd 65535");
    expect_equal(b, bench_forget_tx(b), 2);

    bench_rx(b, "ACK rcv 0 snd 1000 wnd 65535"); /* 3.a */

    expect_equal(b, bench_info(b).cwnd_bytes, 3000);
    expect_tx(b, "ACK snd 1000 rcv 0 len 1000");
    expect_tx(b, "ACK snd 2000 rcv 0 len 1000");
    expect_tx(b, "ACK snd 3000 rcv 0 len 1000");
    expect_no_tx(b);
    expect_equal(b, counted(b, LA_COUNT_TCPSpuriousRTOs), 0);
    bench_rx(b, "ACK rcv 0 snd 12000 wnd 65535");
    expect_equal(b, counted(b, LA_COUNT_TCPSpuriousRTOs), 0);
}

BENCH_TEST(a_duplicate_before_the_new_text_ends_the_question)
{
    timed_out(b, &plain, 20000);

    bench_rx(b, "ACK rcv 0 snd 0 wnd 65535"); /* 2.a */
    bench_rx(b, "ACK rcv 0 snd 1000 wnd 65535");

    expect_tx(b, "ACK snd 1000 rcv 0 len 1000");
    expect_equal(b, counted(b, LA_COUNT_TCPSpuriousRTOs), 0);
}

BENCH_TEST(without_new_text_there_is_nothing_to_ask_with)
{
    timed_out(b, &plain, 0);

    bench_rx(b, "ACK rcv 0 snd 1000 wnd 65535");

    expect_tx(b, "ACK snd 1000 rcv 0 len 1000");
    expect_tx(b, "ACK snd 2000 rcv 0 len 1000");
    expect_no_tx(b);
}

BENCH_TEST(a_closed_window_leaves_nothing_to_ask_with)
{
    timed_out(b, &plain, 20000);

    bench_rx(b, "ACK rcv 0 snd 1000 wnd 9000");

    expect_tx(b, "ACK snd 1000 rcv 0 len 1000");
}

BENCH_TEST(a_second_rto_is_believed)
{
    timed_out(b, &plain, 20000);
    bench_sleep(b, MS(650));
    expect_tx(b, "ACK snd 0 rcv 0 len 1000");

    bench_rx(b, "ACK rcv 0 snd 1000 wnd 65535");

    expect_tx(b, "ACK snd 1000 rcv 0 len 1000");
}

BENCH_TEST(an_rto_in_the_question_begins_again_from_the_first)
{
    timed_out(b, &plain, 20000);
    bench_rx(b, "ACK rcv 0 snd 1000 wnd 65535");
    expect_equal(b, bench_forget_tx(b), 2);
    bench_sleep(b, MS(650));

    expect_tx(b, "ACK snd 1000 rcv 0 len 1000");
    bench_rx(b, "ACK rcv 0 snd 12000 wnd 65535");
    expect_equal(b, counted(b, LA_COUNT_TCPSpuriousRTOs), 0);
}

BENCH_TEST(where_it_may_not_ask_everything_goes_again)
{
    timed_out_where(b, &plain, 20000, 0);

    bench_rx(b, "ACK rcv 0 snd 1000 wnd 65535");

    expect_tx(b, "ACK snd 1000 rcv 0 len 1000");
    expect_tx(b, "ACK snd 2000 rcv 0 len 1000");
    expect_no_tx(b);
}

BENCH_TEST(with_sack_text_that_was_sent_once_is_proof_enough)
{
    timed_out(b, &sack, 20000);

    bench_rx(b, "ACK rcv 0 snd 3000 wnd 65535"); /* 3.b: 2000 bytes of it were sent once */

    expect_equal(b, counted(b, LA_COUNT_TCPSpuriousRTOs), 1);
    expect_equal(b, bench_info(b).ssthresh_bytes > 10000, true);
    expect_tx(b, "ACK snd 10000 rcv 0 len 1000");
}

BENCH_TEST(with_sack_an_rto_in_fast_recovery_is_believed)
{
    bench_established(b, &sack);
    bench_send(b, 10000);
    expect_equal(b, bench_forget_tx(b), 10);
    bench_sleep(b, MS(100));
    bench_rx(b, "ACK rcv 0 snd 0 wnd 65535 sack 1000:5000");
    expect_tx(b, "ACK snd 0 rcv 0 len 1000");
    bench_forget_tx(b);
    bench_sleep(b, MS(350));
    expect_tx(b, "ACK snd 0 rcv 0 len 1000");
    expect_equal(b, counted(b, LA_COUNT_TCPTimeouts), 1);

    bench_rx(b, "ACK rcv 0 snd 0 wnd 65535 sack 1000:6000"); /* sent once, and only late */

    expect_equal(b, counted(b, LA_COUNT_TCPSpuriousRTOs), 0);
}

BENCH_TEST(with_sack_what_a_later_one_has_overtaken_is_lost_though_the_rto_was_spurious)
{
    timed_out(b, &sack, 0);

    bench_rx(b, "ACK rcv 0 snd 1000 wnd 65535 sack 4000:10000");

    expect_equal(b, counted(b, LA_COUNT_TCPSpuriousRTOs), 1);
    expect_true(b, bench_info(b).in_recovery);
    expect_equal(b, bench_info(b).lost_bytes, 3000);
    expect_tx(b, "ACK snd 1000 rcv 0 len 1000");
    expect_tx(b, "ACK snd 2000 rcv 0 len 1000");
    expect_tx(b, "ACK snd 3000 rcv 0 len 1000");
    expect_no_tx(b);
}

BENCH_TEST(with_two_in_flight_the_question_leaves_the_window_alone)
{
    bench_established(b, &plain);
    bench_sysctl(b, "net.ipv4.tcp_early_retrans", 0);
    bench_send(b, 2000);
    expect_equal(b, bench_forget_tx(b), 2);
    bench_sleep(b, MS(350));
    expect_tx(b, "ACK snd 0 rcv 0 len 1000");
    bench_send(b, 10000);
    expect_no_tx(b);
    bench_rx(b, "ACK rcv 0 snd 1000 wnd 65535");
    expect_equal(b, bench_forget_tx(b), 2);

    bench_rx(b, "ACK rcv 0 snd 1000 wnd 65535"); /* 3.a: three segments, which it was */

    expect_equal(b, bench_info(b).cwnd_bytes, 3000);
    expect_tx(b, "ACK snd 1000 rcv 0 len 1000");
}

BENCH_TEST(with_sack_a_report_of_the_new_text_alone_is_a_loss_after_all)
{
    timed_out(b, &sack, 20000);
    bench_rx(b, "ACK rcv 0 snd 1000 wnd 65535");
    expect_tx(b, "ACK snd 10000 rcv 0 len 1000"); /* 2.b */
    bench_forget_tx(b);

    bench_rx(b, "ACK rcv 0 snd 1000 wnd 65535 sack 10000:11000"); /* 3.a */

    expect_tx(b, "ACK snd 1000 rcv 0 len 1000");
    expect_equal(b, counted(b, LA_COUNT_TCPSpuriousRTOs), 0);
    bench_rx(b, "ACK rcv 0 snd 10000 wnd 65535 sack 10000:11000");
    expect_equal(b, counted(b, LA_COUNT_TCPSpuriousRTOs), 0);
}

BENCH_TEST(with_sack_a_duplicate_after_the_new_text_is_a_loss_after_all)
{
    timed_out(b, &sack, 20000);
    bench_rx(b, "ACK rcv 0 snd 1000 wnd 65535");
    bench_forget_tx(b);

    bench_rx(b, "ACK rcv 0 snd 1000 wnd 65535");
    expect_no_tx(b); /* the two new ones fill the window */
    bench_rx(b, "ACK rcv 0 snd 2000 wnd 65535");

    expect_equal(b, counted(b, LA_COUNT_TCPSpuriousRTOs), 0);
    expect_tx(b, "ACK snd 2000 rcv 0 len 1000");
}

BENCH_TEST(a_repetition_that_arrives_twice_takes_the_rto_back)
{
    timed_out(b, &sack, 20000);
    bench_rx(b, "ACK rcv 0 snd 1000 wnd 65535");
    expect_equal(b, bench_info(b).segs_retransmitted, 1);
    bench_forget_tx(b);

    bench_rx(b, "ACK rcv 0 snd 1000 wnd 65535 sack 0:1000"); /* RFC 3708: both copies */

    expect_equal(b, counted(b, LA_COUNT_TCPLossUndo), 1);
    expect_equal(b, counted(b, LA_COUNT_TCPSpuriousRTOs), 0);
    expect_equal(b, bench_info(b).lost_bytes, 0);
    expect_true(b, bench_info(b).ssthresh_bytes > 10000);
}

BENCH_TEST(an_echo_older_than_the_repetition_takes_the_rto_back)
{
    static const struct bench_opt stamped = {
        .sack = true, .timestamps = true, .mss = 1012, .rtt_ns = MS(100)
    };
    char line[120];

    bench_established(b, &stamped);
    bench_sysctl(b, "net.ipv4.tcp_early_retrans", 0);
    bench_sysctl(b, "net.ipv4.tcp_frto", 0); /* RFC 4015 needs no question */
    bench_send(b, 10000);
    expect_equal(b, bench_forget_tx(b), 10);
    const uint32_t sent_at = b->ts_ecr;
    bench_sleep(b, MS(350));
    expect_equal(b, bench_forget_tx(b), 1);

    snprintf(line, sizeof line, "ACK rcv 0 snd 1000 wnd 65535 TS %u:%u", b->ts_val, sent_at);
    bench_rx(b, line);

    expect_equal(b, counted(b, LA_COUNT_TCPLossUndo), 1);
    expect_equal(b, bench_info(b).lost_bytes, 0);
    expect_no_tx(b);
}

TEST_MAIN
