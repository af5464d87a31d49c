/* SPDX-License-Identifier: MIT */
/* RFC 9293 3.10.7.4, eighth step: check the FIN bit.  A FIN counts once all before it is here. */
#include "tests/rfc/bench.h"

BENCH_TEST(a_fin_in_order_closes_the_peers_direction)
{
    bench_established(b, NULL);

    bench_rx(b, "FIN ACK rcv 0 snd 0 wnd 65535");

    expect_tx(b, "ACK snd 0 rcv 1");
    expect_no_tx(b);
    expect_state(b, LA_CLOSE_WAIT);
    expect_recv(b, 0);
    expect_true(b,
                (b->event_mask & (LA_PEER_CLOSED | LA_READABLE)) == (LA_PEER_CLOSED | LA_READABLE));
}

BENCH_TEST(text_before_a_fin_is_read_before_the_end)
{
    bench_established(b, NULL);

    bench_rx(b, "FIN PSH ACK rcv 0 snd 0 len 100 wnd 65535");

    expect_tx(b, "ACK snd 0 rcv 101");
    bench_recv(b, 100);
    expect_recv(b, 0);
    expect_recv(b, 0);
}

BENCH_TEST(a_fin_above_a_hole_waits_for_it)
{
    bench_established(b, NULL);

    bench_rx(b, "FIN ACK rcv 100 snd 0 len 100 wnd 65535");
    expect_tx(b, "ACK snd 0 rcv 0");
    expect_state(b, LA_ESTABLISHED);
    bench_rx(b, "ACK rcv 0 snd 0 len 100 wnd 65535");
    expect_tx(b, "ACK snd 0 rcv 201");
    expect_state(b, LA_CLOSE_WAIT);
    bench_recv(b, 200);
    expect_recv(b, 0);
}

BENCH_TEST(a_bare_fin_above_a_hole_waits_for_it)
{
    bench_established(b, NULL);

    bench_rx(b, "FIN ACK rcv 100 snd 0 wnd 65535");
    expect_tx(b, "ACK snd 0 rcv 0");
    expect_state(b, LA_ESTABLISHED);
    bench_rx(b, "ACK rcv 0 snd 0 len 99 wnd 65535");
    expect_tx(b, "ACK snd 0 rcv 99");
    expect_state(b, LA_ESTABLISHED);
    bench_rx(b, "ACK rcv 99 snd 0 len 1 wnd 65535");
    expect_tx(b, "ACK snd 0 rcv 101");
    expect_state(b, LA_CLOSE_WAIT);
}

BENCH_TEST(a_fin_above_a_hole_on_the_last_ack_of_the_handshake_waits_too)
{
    bench_state(b, LA_SYN_RECEIVED, NULL);

    bench_rx(b, "FIN ACK rcv 10 snd 1 wnd 65535");
    expect_tx(b, "ACK snd 1 rcv 0");
    expect_state(b, LA_ESTABLISHED);
    bench_rx(b, "ACK rcv 0 snd 1 len 10 wnd 65535");
    expect_tx(b, "ACK snd 1 rcv 11");
    expect_state(b, LA_CLOSE_WAIT);
}

BENCH_TEST(a_repeated_fin_is_acknowledged_again)
{
    bench_state(b, LA_CLOSE_WAIT, NULL);

    bench_rx(b, "FIN ACK rcv -1 snd 0 wnd 65535");

    expect_tx(b, "ACK snd 0 rcv 0");
    expect_state(b, LA_CLOSE_WAIT);
    expect_recv(b, 0);
}

BENCH_TEST(a_fin_repeated_with_its_text_is_acknowledged_again)
{
    bench_established(b, NULL);
    bench_rx(b, "FIN ACK rcv 0 snd 0 len 10 wnd 65535");
    expect_tx(b, "ACK snd 0 rcv 11");

    bench_rx(b, "FIN ACK rcv 0 snd 0 len 10 wnd 65535");

    expect_tx(b, "ACK snd 0 rcv 11");
    expect_state(b, LA_CLOSE_WAIT);
    bench_recv(b, 10);
    expect_recv(b, 0);
}

BENCH_TEST(fin_in_fin_wait_1_means_a_simultaneous_close)
{
    bench_state(b, LA_FIN_WAIT_1, NULL);

    bench_rx(b, "FIN ACK rcv 0 snd 0 wnd 65535");

    expect_tx(b, "ACK snd 1 rcv 1");
    expect_state(b, LA_CLOSING);
}

BENCH_TEST(fin_in_fin_wait_1_that_acknowledges_ours_leads_to_time_wait)
{
    bench_state(b, LA_FIN_WAIT_1, NULL);

    bench_rx(b, "FIN ACK rcv 0 snd 1 wnd 65535");

    expect_tx(b, "ACK snd 1 rcv 1");
    expect_state(b, LA_TIME_WAIT);
}

BENCH_TEST(fin_in_fin_wait_2_leads_to_time_wait)
{
    bench_state(b, LA_FIN_WAIT_2, NULL);

    bench_rx(b, "FIN ACK rcv 0 snd 0 wnd 65535");

    expect_tx(b, "ACK snd 0 rcv 1");
    expect_no_tx(b);
    expect_state(b, LA_TIME_WAIT);
    expect_recv(b, 0);
}

BENCH_TEST(fin_in_fin_wait_2_without_an_owner_leads_to_time_wait)
{
    bench_state(b, BENCH_ORPHAN_FIN_WAIT_2, NULL);

    bench_rx(b, "FIN ACK rcv 0 snd 0 wnd 65535");

    expect_tx(b, "ACK snd 0 rcv 1");
    expect_no_tx(b);
    expect_state(b, LA_TIME_WAIT);
}

BENCH_TEST(a_later_fin_changes_nothing_in_closing_and_last_ack)
{
    static const int places[] = { LA_CLOSING, LA_LAST_ACK };

    for (uint32_t i = 0; i < 2; i++) {
        bench_again(b);
        bench_state(b, places[i], NULL);
        bench_rx(b, "FIN ACK rcv -1 snd 0 wnd 65535");
        expect_tx(b, "ACK snd 1 rcv 0");
        bench_rx(b, "FIN ACK rcv 0 snd 0 wnd 65535");
        expect_state(b, places[i]);
        expect_equal(b, bench_info(b).rcv_nxt, seq_raw(b->rcv_base));
    }
}

BENCH_TEST(a_fin_is_processed_in_no_state_before_established)
{
    bench_state(b, LA_SYN_SENT, NULL);
    bench_rx(b, "FIN ACK rcv 0 snd 1 wnd 65535");
    expect_state(b, LA_SYN_SENT);
    bench_again(b);
    bench_state(b, LA_LISTEN, NULL);
    bench_rx(b, "FIN rcv 0 wnd 65535");
    expect_state(b, LA_LISTEN);
}

BENCH_TEST(a_fin_beyond_the_window_is_not_taken)
{
    bench_established(b, &(struct bench_opt){ .rcv_wnd = 500 });

    bench_rx(b, "FIN ACK rcv 0 snd 0 len 501 wnd 65535");
    expect_tx(b, "ACK snd 0 rcv 500 wnd 0");
    expect_state(b, LA_ESTABLISHED);
    bench_recv(b, 500);
    expect_tx(b, "ACK snd 0 rcv 500 wnd 500");
    bench_rx(b, "FIN ACK rcv 500 snd 0 len 1 wnd 65535");
    expect_tx(b, "ACK snd 0 rcv 502");
    expect_state(b, LA_CLOSE_WAIT);
}

BENCH_TEST(a_fin_right_behind_a_full_window_is_taken)
{
    bench_established(b, &(struct bench_opt){ .rcv_wnd = 500 });

    /* It needs no room in the buffer, and a peer whose window is closed is done sooner. */
    bench_rx(b, "FIN ACK rcv 0 snd 0 len 500 wnd 65535");

    expect_tx(b, "ACK snd 0 rcv 501 wnd 0");
    expect_state(b, LA_CLOSE_WAIT);
    bench_recv(b, 500);
    expect_recv(b, 0);
}

BENCH_TEST(a_fin_at_a_zero_window_is_taken)
{
    bench_established(b, &(struct bench_opt){ .rcv_wnd = 500 });
    bench_rx(b, "ACK rcv 0 snd 0 len 500 wnd 65535");
    expect_tx(b, "ACK snd 0 rcv 500 wnd 0");

    bench_rx(b, "FIN ACK rcv 500 snd 0 wnd 65535");

    expect_tx(b, "ACK snd 0 rcv 501 wnd 0");
    expect_state(b, LA_CLOSE_WAIT);
}

BENCH_TEST(text_that_arrives_behind_a_known_fin_is_not_delivered)
{
    bench_established(b, NULL);

    bench_rx(b, "FIN ACK rcv 100 snd 0 wnd 65535");
    bench_rx(b, "ACK rcv 100 snd 0 len 50 wnd 65535"); /* contradicts the FIN */
    bench_rx(b, "ACK rcv 0 snd 0 len 100 wnd 65535");

    bench_recv(b, 100);
    expect_recv(b, 0);
    expect_state(b, LA_CLOSE_WAIT);
}

BENCH_TEST(a_fin_inside_text_that_is_already_here_still_ends_the_stream)
{
    bench_established(b, NULL);

    bench_rx(b, "ACK rcv 80 snd 0 len 70 wnd 65535");
    bench_rx(b, "FIN ACK rcv 100 snd 0 wnd 65535"); /* contradicts the text */
    bench_rx(b, "ACK rcv 0 snd 0 len 80 wnd 65535");

    bench_recv(b, 150);
    expect_recv(b, 0);
    expect_state(b, LA_CLOSE_WAIT);
}

BENCH_TEST(reading_does_not_move_the_window_once_the_peer_has_closed)
{
    bench_established(b, &(struct bench_opt){ .rcv_wnd = 500 });
    bench_rx(b, "FIN ACK rcv 0 snd 0 len 499 wnd 65535");
    bench_forget_tx(b);

    bench_recv(b, 499);

    expect_no_tx(b);
}

TEST_MAIN
