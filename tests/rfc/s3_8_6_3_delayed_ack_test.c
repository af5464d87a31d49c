/* SPDX-License-Identifier: MIT */
/* RFC 9293 3.8.6.3: delayed acknowledgments.  After a quick phase at the beginning. */
#include "tests/rfc/bench.h"

BENCH_TEST(the_first_segments_are_acknowledged_at_once)
{
    bench_established(b, NULL);

    for (int i = 0; i < 16; i++) {
        char line[80];

        snprintf(line, sizeof line, "PSH ACK rcv %d snd 0 len 10 wnd 65535", 10 * i);
        bench_rx(b, line);
        expect_equal(b, bench_forget_tx(b), 1);
        bench_recv(b, 10);
    }
    bench_rx(b, "PSH ACK rcv 160 snd 0 len 10 wnd 65535");
    expect_no_tx(b);
}

BENCH_TEST(a_single_segment_waits_40_ms)
{
    bench_established(b, NULL);
    bench_quick_over(b);

    bench_rx(b, "PSH ACK rcv 0 snd 0 len 100 wnd 65535");

    expect_tx_at(b, MS(40), "ACK snd 0 rcv 100");
    expect_equal(b, la_counter(b->s, LA_COUNT_DelayedACKs), 1);
    expect_quiet(b, SEC(1));
}

BENCH_TEST(the_second_segment_is_acknowledged_at_once)
{
    bench_established(b, NULL);
    bench_quick_over(b);

    bench_rx(b, "ACK rcv 0 snd 0 len 1000 wnd 65535");
    expect_no_tx(b);
    bench_rx(b, "ACK rcv 1000 snd 0 len 1000 wnd 65535");
    expect_tx(b, "ACK snd 0 rcv 2000"); /* SHLD-19 */
    bench_rx(b, "ACK rcv 2000 snd 0 len 1000 wnd 65535");
    expect_no_tx(b);
}

BENCH_TEST(an_acknowledgment_rides_on_data)
{
    bench_established(b, NULL);
    bench_quick_over(b);
    bench_rx(b, "PSH ACK rcv 0 snd 0 len 100 wnd 65535");
    bench_sleep(b, MS(20));

    bench_send(b, 7);

    expect_tx(b, "PSH ACK snd 0 rcv 100 len 7");
    expect_quiet(b, MS(100));
}

BENCH_TEST(a_fin_is_acknowledged_at_once)
{
    bench_established(b, NULL);
    bench_quick_over(b);

    bench_rx(b, "FIN ACK rcv 0 snd 0 wnd 65535");

    expect_tx(b, "ACK snd 0 rcv 1");
}

BENCH_TEST(what_is_out_of_order_is_acknowledged_at_once)
{
    bench_established(b, NULL);
    bench_quick_over(b);

    bench_rx(b, "ACK rcv 100 snd 0 len 100 wnd 65535"); /* MAY-13 */
    expect_tx(b, "ACK snd 0 rcv 0");
    bench_rx(b, "ACK rcv 0 snd 0 len 100 wnd 65535"); /* fills the hole */
    expect_tx(b, "ACK snd 0 rcv 200");
    bench_rx(b, "ACK rcv 0 snd 0 len 200 wnd 65535"); /* a duplicate */
    expect_tx(b, "ACK snd 0 rcv 200");
}

BENCH_TEST(the_delay_can_be_set_but_not_to_half_a_second)
{
    bench_begin(b, BENCH_EITHER, NULL);
    assert_int_equal(la_sysctl_set(b->s, "net.lastack.tcp_delack_ms", 500),
                     LA_EINVAL); /* MUST-40 */
    bench_sysctl(b, "net.lastack.tcp_delack_ms", 499);
    bench_established(b, NULL);
    bench_quick_over(b);

    bench_rx(b, "PSH ACK rcv 0 snd 0 len 100 wnd 65535");

    expect_tx_at(b, MS(499), "ACK snd 0 rcv 100");
}

BENCH_TEST(the_delay_counts_from_the_first_unacknowledged_segment)
{
    bench_established(b, NULL);
    bench_quick_over(b);
    bench_rx(b, "PSH ACK rcv 0 snd 0 len 100 wnd 65535");
    bench_sleep(b, MS(39));
    bench_send(b, 1);
    expect_tx(b, "PSH ACK snd 0 rcv 100 len 1");
    bench_rx(b, "PSH ACK rcv 100 snd 1 len 100 wnd 65535");

    expect_tx_at(b, MS(79), "ACK snd 1 rcv 200");
}

BENCH_TEST(quickack_acknowledges_at_once)
{
    bench_established(b, NULL);
    bench_quick_over(b);
    bench_option(b, LA_OPT_QUICKACK, 1);

    bench_rx(b, "PSH ACK rcv 0 snd 0 len 100 wnd 65535");

    expect_tx(b, "ACK snd 0 rcv 100");
}

BENCH_TEST(bare_acks_are_not_acknowledged)
{
    bench_established(b, NULL);

    bench_rx(b, "ACK rcv 0 snd 0 wnd 65535");
    bench_rx(b, "ACK rcv 0 snd 0 wnd 1000");

    expect_quiet(b, SEC(10));
}

TEST_MAIN
