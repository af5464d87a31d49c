/* SPDX-License-Identifier: MIT */
/*
 * RFC 9293 3.8.1 and RFC 6298: the retransmission timer.  With a round trip of 100 ms in the
 * handshake SRTT is 100 ms, RTTVAR 50 ms, and the RTO 300 ms.
 */
#include "tests/rfc/bench.h"

static const struct bench_opt rtt100 = { .rtt_ns = MS(100) };

BENCH_TEST(the_first_sample_sets_srtt_and_rttvar)
{
    bench_established(b, &rtt100);

    expect_equal(b, bench_info(b).srtt_us, 100000);
    expect_equal(b, bench_info(b).rttvar_us, 50000);
    expect_equal(b, bench_info(b).rto_us, 300000);
}

BENCH_TEST(a_second_sample_moves_them_by_an_eighth_and_a_quarter)
{
    bench_established(b, &rtt100);
    bench_send(b, 10);
    bench_sleep(b, MS(180));

    bench_rx(b, "ACK rcv 0 snd 10 wnd 65535");

    expect_equal(b, bench_info(b).srtt_us, 110000);  /* 7/8 * 100 + 1/8 * 180 */
    expect_equal(b, bench_info(b).rttvar_us, 57500); /* 3/4 * 50 + 1/4 * 80 */
    expect_equal(b, bench_info(b).rto_us, 110000 + 4 * 57500);
}

BENCH_TEST(the_rto_is_at_least_200_ms_above_srtt)
{
    bench_established(b, &(struct bench_opt){ .rtt_ns = MS(2) });

    expect_equal(b, bench_info(b).rto_us, 202000);
    bench_send(b, 10);
    bench_forget_tx(b);
    bench_mark(b);
    expect_tx_at(b, MS(202), "PSH ACK snd 0 rcv 0 len 10");
}

BENCH_TEST(an_unacknowledged_segment_is_sent_again_with_doubled_waits)
{
    bench_established(b, &rtt100);
    bench_send(b, 10);
    expect_tx(b, "PSH ACK snd 0 rcv 0 len 10");

    expect_tx_at(b, MS(300), "PSH ACK snd 0 rcv 0 len 10");
    expect_tx_at(b, MS(900), "PSH ACK snd 0 rcv 0 len 10");
    expect_tx_at(b, MS(2100), "PSH ACK snd 0 rcv 0 len 10");
    expect_tx_at(b, MS(4500), "PSH ACK snd 0 rcv 0 len 10");
    expect_equal(b, bench_info(b).retransmits, 4);
}

BENCH_TEST(waits_never_exceed_two_minutes)
{
    uint64_t last = 0, longest = 0;

    bench_established(b, &rtt100);
    bench_send(b, 10);
    bench_forget_tx(b);
    bench_sleep(b, SEC(800));
    for (const struct bench_tx *t; (t = bench_next_tx(b)) != NULL; last = t->at.ns)
        if (last > 0 && t->at.ns - last > longest)
            longest = t->at.ns - last;
    expect_equal(b, longest, SEC(120));
}

BENCH_TEST(an_ack_of_something_new_begins_the_timer_anew)
{
    bench_established(b, &rtt100);
    bench_send(b, 1000);
    bench_send(b, 1000);
    bench_forget_tx(b);
    bench_sleep(b, MS(200));
    bench_rx(b, "ACK rcv 0 snd 1000 wnd 65535");
    expect_no_tx(b);

    const uint64_t rto = bench_info(b).rto_us;
    expect_tx_at(b, MS(200) + US(rto), "PSH ACK snd 1000 rcv 0 len 1000");
}

BENCH_TEST(sending_more_does_not_begin_the_timer_anew)
{
    bench_established(b, &rtt100);
    bench_send(b, 1000);
    bench_sleep(b, MS(200));
    bench_send(b, 1000);
    bench_forget_tx(b);

    expect_tx_at(b, MS(300), "ACK snd 0 rcv 0 len 1000");
}

BENCH_TEST(an_ack_of_everything_stops_the_timer)
{
    bench_established(b, &rtt100);
    bench_send(b, 10);
    bench_forget_tx(b);
    bench_rx(b, "ACK rcv 0 snd 10 wnd 65535");

    expect_quiet(b, SEC(1000));
    expect_equal(b, la_deadline(b->s).ns, UINT64_MAX);
}

BENCH_TEST(a_retransmitted_segment_gives_no_sample)
{
    bench_established(b, &rtt100);
    bench_send(b, 10);
    bench_sleep(b, MS(310));
    bench_rx(b, "ACK rcv 0 snd 10 wnd 65535");

    expect_equal(b, bench_info(b).srtt_us, 100000); /* Karn */
}

BENCH_TEST(the_backed_off_rto_holds_until_there_is_a_sample)
{
    bench_established(b, &rtt100);
    bench_send(b, 10);
    bench_sleep(b, MS(310));
    bench_rx(b, "ACK rcv 0 snd 10 wnd 65535"); /* ambiguous */
    expect_equal(b, bench_info(b).rto_us, 600000);

    bench_send(b, 10);
    bench_forget_tx(b);
    bench_mark(b);
    bench_sleep(b, MS(500)); /* more than the RTO was: the path has become slow */
    expect_no_tx(b);
    bench_rx(b, "ACK rcv 0 snd 20 wnd 65535");
    expect_equal(b, bench_info(b).srtt_us, 150000);
    expect_equal(b, bench_info(b).rto_us, 150000 + 4 * 137500);
}

BENCH_TEST(with_time_stamps_a_retransmitted_segment_gives_a_sample)
{
    bench_established(b, &(struct bench_opt){ .rtt_ns = MS(100), .timestamps = true });
    bench_send(b, 10);
    const uint32_t first = b->ts_ecr;
    bench_sleep(b, MS(350));
    b->ts_ecr = first;
    bench_rx(b, "ACK rcv 0 snd 10 wnd 65535"); /* the first copy was merely late */

    expect_equal(b, bench_info(b).srtt_us, 131250); /* 7/8 * 100 + 1/8 * 350 */
}

BENCH_TEST(after_a_timeout_one_segment_goes_and_slow_start_follows)
{
    bench_established(b, &rtt100);
    bench_send(b, 5000);
    expect_equal(b, bench_forget_tx(b), 5);
    bench_sleep(b, MS(300));
    expect_tx(b, "ACK snd 0 rcv 0 len 1000");
    expect_no_tx(b);
    expect_equal(b, bench_info(b).cwnd_bytes, 1000);
    expect_equal(b, bench_info(b).ssthresh_bytes, 2500); /* half of what was in flight */

    bench_rx(b, "ACK rcv 0 snd 1000 wnd 65535");
    expect_tx(b, "ACK snd 1000 rcv 0 len 1000");
    expect_tx(b, "ACK snd 2000 rcv 0 len 1000");
    expect_no_tx(b);
    bench_rx(b, "ACK rcv 0 snd 5000 wnd 65535"); /* the rest had arrived */
    expect_no_tx(b);
}

BENCH_TEST(the_second_timeout_does_not_lower_ssthresh_again)
{
    bench_established(b, &rtt100);
    bench_send(b, 8000);
    bench_forget_tx(b);
    bench_sleep(b, MS(1000));

    expect_equal(b, bench_info(b).retransmits, 2);
    expect_equal(b, bench_info(b).ssthresh_bytes, 4000);
}

BENCH_TEST(after_a_repeated_syn_the_rto_is_three_seconds)
{
    bench_state(b, LA_SYN_SENT, NULL);
    bench_sleep(b, MS(1500));
    bench_forget_tx(b);
    bench_rx(b, "SYN ACK rcv 0 snd 1 wnd 65535");
    expect_equal(b, bench_info(b).rto_us, 3000000); /* RFC 6298 5.7 */
    bench_forget_tx(b);
    bench_mark(b);
    bench_send(b, 10);
    bench_forget_tx(b);
    expect_tx_at(b, SEC(3), "PSH ACK snd 1 rcv 1 len 10");
}

BENCH_TEST(after_a_repeated_syn_ack_the_rto_is_three_seconds)
{
    bench_state(b, LA_SYN_RECEIVED, NULL);
    bench_sleep(b, MS(1500));
    bench_rx(b, "ACK rcv 0 snd 1 wnd 65535");
    bench_accept(b);

    expect_equal(b, bench_info(b).rto_us, 3000000);
}

BENCH_TEST(a_lost_fin_is_sent_again)
{
    bench_established(b, &rtt100);
    bench_shutdown(b, LA_SHUT_WR);
    expect_tx(b, "FIN ACK snd 0 rcv 0");

    expect_tx_at(b, MS(300), "FIN ACK snd 0 rcv 0");
    bench_rx(b, "ACK rcv 0 snd 1 wnd 65535");
    expect_quiet(b, SEC(10));
}

BENCH_TEST(a_lost_fin_is_sent_again_with_its_text)
{
    bench_established(b, &rtt100);
    bench_send(b, 10);
    bench_shutdown(b, LA_SHUT_WR);
    bench_forget_tx(b);

    expect_tx_at(b, MS(300), "FIN PSH ACK snd 0 rcv 0 len 10");
}

TEST_MAIN
