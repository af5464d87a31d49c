/* SPDX-License-Identifier: MIT */
/* RFC 9293 3.10.7.3: SYN-SENT, in its five steps.  snd 0 is ISS, so SND.NXT is snd 1. */
#include "tests/rfc/bench.h"

BENCH_TEST(first_an_ack_of_iss_or_before_draws_a_reset)
{
    bench_state(b, LA_SYN_SENT, NULL);

    bench_rx(b, "SYN ACK rcv 0 snd 0");
    expect_tx(b, "RST snd 0");
    expect_drop(b, LA_DROP_SYN_SENT_BAD_ACK);
    bench_rx(b, "SYN ACK rcv 0 snd -1");
    expect_tx(b, "RST snd -1");
    bench_rx(b, "ACK rcv 0 snd 0"); /* bare, too */
    expect_tx(b, "RST snd 0");

    expect_state(b, LA_SYN_SENT);
}

BENCH_TEST(first_an_ack_beyond_snd_nxt_draws_a_reset)
{
    bench_state(b, LA_SYN_SENT, NULL);

    bench_rx(b, "SYN ACK rcv 0 snd 2");
    expect_tx(b, "RST snd 2");
    bench_rx(b, "SYN ACK rcv 0 snd 2147483648");
    expect_tx(b, "RST snd 2147483648");
    bench_rx(b, "ACK rcv 0 snd 2");
    expect_tx(b, "RST snd 2");

    expect_state(b, LA_SYN_SENT);
    bench_rx(b, "SYN ACK rcv 0 snd 1 wnd 65535");
    expect_tx(b, "ACK snd 1 rcv 1");
    expect_state(b, LA_ESTABLISHED);
}

BENCH_TEST(first_a_reset_with_a_bad_ack_is_silent)
{
    bench_state(b, LA_SYN_SENT, NULL);

    bench_rx(b, "RST ACK rcv 0 snd 0");
    bench_rx(b, "RST ACK rcv 0 snd 2");
    bench_rx(b, "SYN RST ACK rcv 0 snd 2");

    expect_no_tx(b);
    expect_state(b, LA_SYN_SENT);
}

BENCH_TEST(second_a_reset_with_the_right_ack_means_refused)
{
    bench_state(b, LA_SYN_SENT, NULL);

    bench_rx(b, "RST ACK seq 0 snd 1");

    expect_no_tx(b);
    expect_state(b, LA_CLOSED);
    expect_error(b, LA_ECONNREFUSED);
    expect_drop(b, LA_DROP_RESET);
    expect_equal(b, la_counter(b->s, LA_COUNT_AttemptFails), 1);
    expect_true(b, (b->event_mask & LA_ERROR_SET) != 0);
}

BENCH_TEST(second_a_reset_without_ack_proves_nothing)
{
    bench_state(b, LA_SYN_SENT, NULL);

    bench_rx(b, "RST rcv 0");
    expect_drop(b, LA_DROP_SYN_SENT_RST_NO_ACK);
    bench_rx(b, "SYN RST rcv 0");

    expect_no_tx(b);
    expect_state(b, LA_SYN_SENT);
}

BENCH_TEST(fourth_a_syn_with_ack_establishes)
{
    bench_state(b, LA_SYN_SENT, NULL);

    bench_rx(b, "SYN ACK rcv 0 snd 1 wnd 1000");

    expect_tx(b, "ACK snd 1 rcv 1");
    expect_no_tx(b);
    expect_state(b, LA_ESTABLISHED);
    expect_equal(b, bench_info(b).snd_wnd, 1000);
    expect_true(b, (b->event_mask & (LA_CONNECTED | LA_WRITABLE)) == (LA_CONNECTED | LA_WRITABLE));
}

BENCH_TEST(fourth_text_on_a_syn_ack_is_taken)
{
    bench_state(b, LA_SYN_SENT, NULL);

    bench_rx(b, "SYN ACK rcv 0 snd 1 len 10 wnd 1000");

    expect_tx(b, "ACK snd 1 rcv 11");
    bench_recv(b, 10);
}

BENCH_TEST(fourth_data_queued_in_syn_sent_rides_on_the_ack)
{
    bench_state(b, LA_SYN_SENT, NULL);
    bench_send(b, 5);
    expect_no_tx(b);

    bench_rx(b, "SYN ACK rcv 0 snd 1 wnd 1000");

    expect_tx(b, "PSH ACK snd 1 rcv 1 len 5");
    expect_no_tx(b);
}

BENCH_TEST(fourth_a_syn_alone_is_a_simultaneous_open)
{
    bench_state(b, LA_SYN_SENT, NULL);

    bench_rx(b, "SYN rcv 0 wnd 1000");
    expect_tx(b, "SYN ACK snd 0 rcv 1");
    expect_state(b, LA_SYN_RECEIVED);
    bench_rx(b, "ACK rcv 1 snd 1 wnd 1000");

    expect_no_tx(b);
    expect_state(b, LA_ESTABLISHED);
}

BENCH_TEST(fifth_neither_syn_nor_reset_is_dropped)
{
    bench_state(b, LA_SYN_SENT, NULL);

    bench_rx(b, "ACK rcv 0 snd 1 len 10 wnd 1000");
    expect_drop(b, LA_DROP_SYN_SENT_NO_SYN);
    bench_rx(b, "FIN ACK rcv 0 snd 1 wnd 1000");
    bench_rx(b, "none rcv 0");
    bench_rx(b, "PSH rcv 0 urg 1 len 5");

    expect_no_tx(b);
    expect_state(b, LA_SYN_SENT);
}

BENCH_TEST(a_syn_ack_with_fin_establishes_and_closes)
{
    bench_state(b, LA_SYN_SENT, NULL);

    bench_rx(b, "SYN FIN ACK rcv 0 snd 1 wnd 1000");

    expect_tx(b, "ACK snd 1 rcv 2");
    expect_state(b, LA_CLOSE_WAIT);
}

BENCH_TEST(the_fin_of_a_syn_without_ack_is_left_to_its_repetition)
{
    bench_state(b, LA_SYN_SENT, NULL);

    bench_rx(b, "SYN FIN rcv 0 wnd 1000");

    expect_tx(b, "SYN ACK snd 0 rcv 1");
    expect_state(b, LA_SYN_RECEIVED);
}

BENCH_TEST(the_window_of_a_syn_ack_is_never_scaled)
{
    bench_state(b, LA_SYN_SENT, NULL);

    bench_rx(b, "SYN ACK rcv 0 snd 1 wnd 1000 wscale 7 mss 1000");
    bench_forget_tx(b);

    expect_equal(b, bench_info(b).snd_wnd, 1000);
    bench_rx(b, "ACK rcv 1 snd 1 wnd 1000");
    expect_equal(b, bench_info(b).snd_wnd, 128000);
}

BENCH_TEST(close_in_syn_sent_ends_without_a_segment)
{
    bench_state(b, LA_SYN_SENT, NULL);

    bench_close(b);

    expect_no_tx(b);
    expect_state(b, LA_CLOSED);
    bench_rx(b, "SYN ACK rcv 0 snd 1 wnd 1000");
    expect_tx(b, "RST snd 1");
}

BENCH_TEST(abort_in_syn_sent_ends_without_a_segment)
{
    bench_state(b, LA_SYN_SENT, NULL);

    bench_abort(b);

    expect_no_tx(b);
    expect_state(b, LA_CLOSED);
}

BENCH_TEST(an_echo_of_a_time_stamp_never_sent_is_refused)
{
    struct tcp_seg seg;

    bench_state(b, LA_SYN_SENT, NULL);

    bench_parse(b, "SYN ACK rcv 0 snd 1 wnd 1000 TS 5:0", false, &seg);
    seg.opt.ts_ecr = b->ts_ecr + 1;
    bench_rx_seg(b, &seg);
    expect_tx(b, "RST snd 1");
    expect_drop(b, LA_DROP_PAWS);
    expect_state(b, LA_SYN_SENT);
    seg.opt.ts_ecr = b->ts_ecr;
    bench_rx_seg(b, &seg);
    expect_tx(b, "ACK snd 1 rcv 1");
    expect_state(b, LA_ESTABLISHED);
}

TEST_MAIN
