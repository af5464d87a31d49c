/* SPDX-License-Identifier: MIT */
/* RFC 9293 3.7.4 and 3.9.1.2: Nagle, its switches, and PSH. */
#include "tests/rfc/bench.h"

BENCH_TEST(a_partial_segment_goes_when_nothing_is_in_flight)
{
    bench_established(b, NULL);

    bench_send(b, 1);

    expect_tx(b, "PSH ACK snd 0 rcv 0 len 1");
}

BENCH_TEST(a_partial_segment_waits_while_something_is_in_flight)
{
    bench_established(b, NULL);
    bench_send(b, 1);
    expect_tx(b, "PSH ACK snd 0 rcv 0 len 1");

    bench_send(b, 100);
    bench_send(b, 100);
    expect_quiet(b, MS(100));
    bench_rx(b, "ACK rcv 0 snd 1 wnd 65535");
    expect_tx(b, "PSH ACK snd 1 rcv 0 len 200");
    expect_no_tx(b);
}

/* Minshall's refinement, RFC 9293 A.3. */
BENCH_TEST(the_odd_end_of_a_large_write_does_not_wait)
{
    bench_established(b, NULL);
    bench_send(b, 2500);
    expect_tx(b, "ACK snd 0 rcv 0 len 1000");
    expect_tx(b, "ACK snd 1000 rcv 0 len 1000");
    expect_tx(b, "PSH ACK snd 2000 rcv 0 len 500");

    bench_send(b, 1);
    bench_rx(b, "ACK rcv 0 snd 2000 wnd 65535");
    expect_quiet(b, MS(100)); /* the short one is still out */
    bench_rx(b, "ACK rcv 0 snd 2500 wnd 65535");
    expect_tx(b, "PSH ACK snd 2500 rcv 0 len 1");
}

BENCH_TEST(a_full_segment_does_not_wait)
{
    bench_established(b, NULL);
    bench_send(b, 1);
    expect_tx(b, "PSH ACK snd 0 rcv 0 len 1");

    bench_send(b, 999);
    expect_no_tx(b);
    bench_send(b, 1);
    expect_tx(b, "PSH ACK snd 1 rcv 0 len 1000");
}

BENCH_TEST(nagle_can_be_switched_off)
{
    bench_established(b, NULL);
    bench_option(b, LA_OPT_NODELAY, 1);
    bench_send(b, 1);
    expect_tx(b, "PSH ACK snd 0 rcv 0 len 1");

    bench_send(b, 100);
    expect_tx(b, "PSH ACK snd 1 rcv 0 len 100");
}

BENCH_TEST(switching_nagle_off_lets_go_what_waits)
{
    bench_established(b, NULL);
    bench_send(b, 1);
    bench_send(b, 100);
    expect_equal(b, bench_forget_tx(b), 1);

    bench_option(b, LA_OPT_NODELAY, 1);

    expect_tx(b, "PSH ACK snd 1 rcv 0 len 100");
}

BENCH_TEST(cork_holds_a_partial_segment_for_200_ms)
{
    bench_established(b, NULL);
    bench_option(b, LA_OPT_CORK, 1);

    bench_send(b, 100);
    expect_no_tx(b);
    bench_sleep(b, MS(100));
    bench_send(b, 100);
    expect_tx_at(b, MS(200), "PSH ACK snd 0 rcv 0 len 200"); /* MUST-60 */
}

BENCH_TEST(cork_lets_full_segments_go)
{
    bench_established(b, NULL);
    bench_option(b, LA_OPT_CORK, 1);

    bench_send(b, 2500);

    expect_tx(b, "ACK snd 0 rcv 0 len 1000");
    expect_tx(b, "ACK snd 1000 rcv 0 len 1000");
    expect_no_tx(b);
}

BENCH_TEST(uncorking_sends_what_is_held)
{
    bench_established(b, NULL);
    bench_option(b, LA_OPT_CORK, 1);
    bench_send(b, 100);
    expect_no_tx(b);

    bench_option(b, LA_OPT_CORK, 0);

    expect_tx(b, "PSH ACK snd 0 rcv 0 len 100");
}

BENCH_TEST(more_holds_a_partial_segment_until_the_next_send)
{
    bench_established(b, NULL);

    bench_send_more(b, 100);
    expect_no_tx(b);
    bench_send(b, 50);
    expect_tx(b, "PSH ACK snd 0 rcv 0 len 150");
}

BENCH_TEST(more_that_is_followed_by_nothing_goes_after_200_ms)
{
    bench_established(b, NULL);

    bench_send_more(b, 100);

    expect_tx_at(b, MS(200), "PSH ACK snd 0 rcv 0 len 100");
}

BENCH_TEST(a_close_sends_what_more_or_cork_held)
{
    bench_established(b, NULL);
    bench_option(b, LA_OPT_CORK, 1);
    bench_send_more(b, 100);
    expect_no_tx(b);

    bench_shutdown(b, LA_SHUT_WR);

    expect_tx(b, "FIN PSH ACK snd 0 rcv 0 len 100");
}

BENCH_TEST(psh_stands_on_the_last_segment_of_what_is_queued)
{
    bench_established(b, NULL);

    bench_send(b, 3000);

    expect_tx(b, "ACK snd 0 rcv 0 len 1000");
    expect_tx(b, "ACK snd 1000 rcv 0 len 1000");
    expect_tx(b, "PSH ACK snd 2000 rcv 0 len 1000"); /* MUST-61 */
}

BENCH_TEST(several_sends_become_one_segment)
{
    bench_established(b, NULL);
    bench_send(b, 1);
    bench_forget_tx(b);
    for (int i = 0; i < 50; i++)
        bench_send(b, 19);

    bench_rx(b, "ACK rcv 0 snd 1 wnd 65535");

    expect_tx(b, "PSH ACK snd 1 rcv 0 len 950"); /* SHLD-27, SHLD-28 */
    expect_no_tx(b);
}

TEST_MAIN
