/* SPDX-License-Identifier: MIT */
/*
 * RFC 9293 3.10.7.4, first step: check the sequence number.  The table of four cases, each edge
 * from both sides.  That a bare ACK was accepted shows in the window it updates.
 */
#include "tests/rfc/bench.h"

#define HALF_A_SECOND MS(500) /* net.ipv4.tcp_invalid_ratelimit */

static void accepted(struct bench *b, const char *line, uint32_t wnd)
{
    bench_rx(b, line);
    expect_no_tx(b);
    expect_equal(b, bench_info(b).snd_wnd, wnd);
}

static void refused(struct bench *b, const char *line)
{
    const uint32_t wnd = bench_info(b).snd_wnd;

    bench_sleep(b, HALF_A_SECOND);
    bench_rx(b, line);
    expect_tx(b, "ACK snd 0 rcv 0");
    expect_no_tx(b);
    expect_equal(b, bench_info(b).snd_wnd, wnd);
}

BENCH_TEST(no_text_open_window_edges)
{
    bench_established(b, &(struct bench_opt){ .rcv_wnd = 500 });

    accepted(b, "ACK rcv 0 snd 0 wnd 1001", 1001);
    refused(b, "ACK rcv -1 snd 0 wnd 1002");
    expect_drop(b, LA_DROP_OLD_DUPLICATE);
    refused(b, "ACK rcv 500 snd 0 wnd 1003");
    expect_drop(b, LA_DROP_OUTSIDE_WINDOW);
    accepted(b, "ACK rcv 499 snd 0 wnd 1004", 1004);
    refused(b, "ACK rcv 2147483647 snd 0 wnd 1005");
    refused(b, "ACK rcv 2147483648 snd 0 wnd 1006");
    refused(b, "ACK rcv 2147483649 snd 0 wnd 1007");
}

BENCH_TEST(text_open_window_edges)
{
    bench_established(b, &(struct bench_opt){ .rcv_wnd = 500 });

    bench_rx(b, "ACK rcv -10 snd 0 len 10 wnd 65535");
    expect_tx(b, "ACK snd 0 rcv 0 wnd 500");
    expect_drop(b, LA_DROP_OLD_DUPLICATE);
    bench_rx(b, "ACK rcv 500 snd 0 len 1 wnd 65535");
    expect_tx(b, "ACK snd 0 rcv 0 wnd 500");
    expect_drop(b, LA_DROP_OUTSIDE_WINDOW);
    bench_rx(b, "ACK rcv 2147483648 snd 0 len 1 wnd 65535");
    expect_tx(b, "ACK snd 0 rcv 0 wnd 500");

    bench_rx(b, "ACK rcv 499 snd 0 len 1 wnd 65535"); /* the last octet */
    expect_tx(b, "ACK snd 0 rcv 0 wnd 500");
    expect_equal(b, bench_info(b).rcv_ooo_bytes, 1);
    bench_rx(b, "ACK rcv -10 snd 0 len 11 wnd 65535"); /* the first one, at the end */
    expect_tx(b, "ACK snd 0 rcv 1 wnd 499");
    bench_recv(b, 1);
}

BENCH_TEST(text_that_straddles_an_edge_is_trimmed)
{
    bench_established(b, &(struct bench_opt){ .rcv_wnd = 500 });

    bench_rx(b, "ACK rcv 490 snd 0 len 20 wnd 65535");
    expect_tx(b, "ACK snd 0 rcv 0");
    expect_equal(b, bench_info(b).rcv_ooo_bytes, 10);
    bench_rx(b, "ACK rcv -100 snd 0 len 700 wnd 65535"); /* both edges at once */
    expect_tx(b, "ACK snd 0 rcv 500 wnd 0");
    bench_recv(b, 500);
}

BENCH_TEST(no_text_zero_window_takes_rcv_nxt_only)
{
    bench_established(b, &(struct bench_opt){ .rcv_wnd = 500 });
    bench_rx(b, "ACK rcv 0 snd 0 len 500 wnd 65535");
    expect_tx(b, "ACK snd 0 rcv 500 wnd 0");
    bench_rebase(b);

    accepted(b, "ACK rcv 0 snd 0 wnd 1001", 1001);
    refused(b, "ACK rcv 1 snd 0 wnd 1002");
    refused(b, "ACK rcv -1 snd 0 wnd 1003");
}

BENCH_TEST(text_zero_window_is_acknowledged_and_not_taken)
{
    bench_established(b, &(struct bench_opt){ .rcv_wnd = 500 });
    bench_rx(b, "ACK rcv 0 snd 0 len 500 wnd 65535");
    expect_tx(b, "ACK snd 0 rcv 500 wnd 0");
    bench_rebase(b);

    bench_rx(b, "ACK rcv 0 snd 0 len 1 wnd 65535"); /* a zero-window probe */
    expect_tx(b, "ACK snd 0 rcv 0 wnd 0");
    bench_rx(b, "ACK rcv 1 snd 0 len 1 wnd 65535");
    expect_tx(b, "ACK snd 0 rcv 0 wnd 0");
    bench_rx(b, "ACK rcv -1 snd 0 len 1 wnd 65535");
    expect_tx(b, "ACK snd 0 rcv 0 wnd 0");

    bench_recv(b, 500);
    expect_tx(b, "ACK snd 0 rcv 0 wnd 500"); /* reopened */
    expect_recv(b, LA_EAGAIN);
}

BENCH_TEST(acknowledgments_are_processed_in_a_zero_window)
{
    bench_established(b, &(struct bench_opt){ .rcv_wnd = 500 });
    bench_rx(b, "ACK rcv 0 snd 0 len 500 wnd 65535");
    bench_rebase(b);
    bench_send(b, 100);
    expect_tx(b, "PSH ACK snd 0 rcv 0 len 100");

    bench_rx(b, "ACK rcv 0 snd 60 len 1 wnd 65535"); /* its text does not fit, its ACK counts */

    expect_equal(b, seq_diff(b->snd_base, seq_of(bench_info(b).snd_una)), 60);
}

BENCH_TEST(reset_and_urgent_are_processed_in_a_zero_window)
{
    bench_established(b, &(struct bench_opt){ .rcv_wnd = 500 });
    bench_rx(b, "ACK rcv 0 snd 0 len 500 wnd 65535");
    bench_rebase(b);

    bench_rx(b, "ACK rcv 0 snd 0 urg 5 wnd 65535");
    expect_true(b, (b->event_mask & LA_URGENT) != 0);
    bench_rx(b, "RST rcv 1");
    expect_state(b, LA_ESTABLISHED);
    bench_rx(b, "RST rcv 0");
    expect_state(b, LA_CLOSED);
}

BENCH_TEST(urgent_on_text_is_heard_in_a_zero_window)
{
    bench_established(b, &(struct bench_opt){ .rcv_wnd = 500 });
    bench_rx(b, "ACK rcv 0 snd 0 len 500 wnd 65535");
    bench_rebase(b);

    bench_rx(b, "ACK rcv 0 snd 0 len 1 urg 1 wnd 65535");

    expect_true(b, (b->event_mask & LA_URGENT) != 0);
}

BENCH_TEST(answers_to_unacceptable_segments_without_text_are_limited)
{
    bench_established(b, &(struct bench_opt){ .rcv_wnd = 500 });

    bench_rx(b, "ACK rcv 700 snd 0 wnd 65535");
    expect_tx(b, "ACK snd 0 rcv 0");
    bench_sleep(b, HALF_A_SECOND - US(1));
    bench_rx(b, "ACK rcv 700 snd 0 wnd 65535");
    expect_no_tx(b);
    expect_equal(b, la_counter(b->s, LA_COUNT_TCPACKSkippedSeq), 1);
    bench_sleep(b, US(1));
    bench_rx(b, "ACK rcv 700 snd 0 wnd 65535");
    expect_tx(b, "ACK snd 0 rcv 0");
}

BENCH_TEST(a_reset_outside_the_window_is_silent)
{
    bench_established(b, &(struct bench_opt){ .rcv_wnd = 500 });

    bench_rx(b, "RST rcv 500");
    expect_drop(b, LA_DROP_RST_OUTSIDE_WINDOW);
    bench_rx(b, "RST rcv -1");
    bench_rx(b, "RST rcv 2147483648");

    expect_no_tx(b);
    expect_state(b, LA_ESTABLISHED);
}

BENCH_TEST(the_sequence_number_is_checked_in_every_synchronized_state)
{
    static const int places[] = { LA_ESTABLISHED, LA_FIN_WAIT_1, LA_FIN_WAIT_2, LA_CLOSE_WAIT,
                                  LA_CLOSING,     LA_LAST_ACK,   LA_TIME_WAIT };

    for (uint32_t i = 0; i < 7; i++) {
        const struct bench_tx *t;

        bench_again(b);
        bench_state(b, places[i], &(struct bench_opt){ .rcv_wnd = 500 });
        bench_rx(b, "ACK rcv 501 snd 0 len 10 wnd 65535");
        t = bench_next_tx(b);
        expect_true(b, t != NULL && t->seg.flags == TCP_ACK && seq_eq(t->seg.ack, b->rcv_base));
        expect_no_tx(b);
        expect_state(b, places[i]);
    }
}

BENCH_TEST(half_open_connections_check_it_too)
{
    bench_state(b, LA_SYN_RECEIVED, &(struct bench_opt){ .rcv_wnd = 500 });

    bench_rx(b, "ACK rcv 500 snd 1 wnd 65535");
    expect_tx(b, "ACK snd 1 rcv 0");
    expect_state(b, LA_SYN_RECEIVED);
    bench_sleep(b, HALF_A_SECOND);
    bench_rx(b, "ACK rcv -1 snd 1 wnd 65535");
    expect_tx(b, "ACK snd 1 rcv 0");
    expect_state(b, LA_SYN_RECEIVED);
    bench_rx(b, "ACK rcv 499 snd 1 wnd 65535");
    expect_no_tx(b);
    expect_state(b, LA_ESTABLISHED);
}

TEST_MAIN
