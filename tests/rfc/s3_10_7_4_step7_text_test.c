/* SPDX-License-Identifier: MIT */
/* RFC 9293 3.10.7.4, seventh step: text, in order and out of order, and the ACKs it calls for. */
#include "tests/rfc/bench.h"

BENCH_TEST(text_in_order_is_delivered_and_acknowledged)
{
    bench_established(b, NULL);

    bench_rx(b, "PSH ACK rcv 0 snd 0 len 100 wnd 65535");
    expect_tx(b, "ACK snd 0 rcv 100 wnd 9900");
    bench_rx(b, "PSH ACK rcv 100 snd 0 len 50 wnd 65535");
    expect_tx(b, "ACK snd 0 rcv 150 wnd 9850");
    expect_true(b, (b->event_mask & LA_READABLE) != 0);
    bench_recv(b, 150);
}

BENCH_TEST(text_above_a_hole_waits_for_it)
{
    bench_established(b, NULL);

    bench_rx(b, "ACK rcv 100 snd 0 len 100 wnd 65535");
    expect_tx(b, "ACK snd 0 rcv 0 wnd 10000");
    expect_recv(b, LA_EAGAIN);
    bench_rx(b, "ACK rcv 0 snd 0 len 100 wnd 65535");
    expect_tx(b, "ACK snd 0 rcv 200 wnd 9800");
    bench_recv(b, 200);
}

BENCH_TEST(every_order_of_five_segments_gives_the_same_stream)
{
    uint32_t order[5];

    for (uint32_t n = 0; n < 120; n++) {
        uint32_t left = 5, rest = n, pool[5] = { 0, 1, 2, 3, 4 };

        for (uint32_t i = 0; i < 5; i++, left--) {
            const uint32_t pick = rest % left;

            rest /= left;
            order[i] = pool[pick];
            memmove(&pool[pick], &pool[pick + 1], (4 - pick) * sizeof pool[0]);
        }
        bench_again(b);
        bench_established(b, NULL);
        for (uint32_t i = 0; i < 5; i++) { /* overlapping by 3 octets each */
            char line[80];

            snprintf(line, sizeof line, "ACK rcv %u snd 0 len 13 wnd 65535", order[i] * 10);
            bench_rx(b, line);
        }
        bench_recv(b, 53);
        expect_recv(b, LA_EAGAIN);
        expect_equal(b, bench_info(b).rcv_ooo_bytes, 0);
    }
}

BENCH_TEST(text_that_is_here_already_is_acknowledged_at_once)
{
    bench_established(b, NULL);
    bench_rx(b, "ACK rcv 0 snd 0 len 100 wnd 65535");
    expect_tx(b, "ACK snd 0 rcv 100");

    bench_rx(b, "ACK rcv 0 snd 0 len 100 wnd 65535");
    expect_tx(b, "ACK snd 0 rcv 100");
    bench_rx(b, "ACK rcv 50 snd 0 len 50 wnd 65535");
    expect_tx(b, "ACK snd 0 rcv 100");
    bench_rx(b, "ACK rcv 50 snd 0 len 51 wnd 65535"); /* one octet is new */
    expect_tx(b, "ACK snd 0 rcv 101");
    bench_recv(b, 101);
}

BENCH_TEST(the_window_closes_as_text_waits_and_opens_as_it_is_read)
{
    bench_established(b, &(struct bench_opt){ .rcv_wnd = 4000 });

    bench_rx(b, "ACK rcv 0 snd 0 len 1000 wnd 65535");
    expect_tx(b, "ACK snd 0 rcv 1000 wnd 3000");
    bench_rx(b, "ACK rcv 1000 snd 0 len 1000 wnd 65535");
    expect_tx(b, "ACK snd 0 rcv 2000 wnd 2000");
    bench_recv(b, 2000);
    bench_rx(b, "ACK rcv 2000 snd 0 len 1000 wnd 65535");
    const struct bench_tx *t = bench_next_tx(b);
    while (b->tx_count > 0)
        t = bench_next_tx(b);
    expect_true(b, t != NULL && t->seg.wnd == 3000);
}

BENCH_TEST(a_burst_in_order_is_acknowledged_once_for_two_segments_at_the_beginning)
{
    static const char *const lines[] = {
        "ACK rcv 0 snd 0 len 1000 wnd 65535",    "ACK rcv 1000 snd 0 len 1000 wnd 65535",
        "ACK rcv 2000 snd 0 len 1000 wnd 65535", "ACK rcv 3000 snd 0 len 1000 wnd 65535",
        "ACK rcv 4000 snd 0 len 1000 wnd 65535",
    };

    bench_established(b, NULL);

    bench_rx_burst(b, lines, 5);

    expect_tx(b, "ACK snd 0 rcv 2000");
    expect_tx(b, "ACK snd 0 rcv 4000");
    expect_tx(b, "ACK snd 0 rcv 5000");
    expect_no_tx(b);
}

BENCH_TEST(a_burst_in_order_is_acknowledged_once_for_eight_segments_later)
{
    static const char *const lines[] = {
        "ACK rcv 0 snd 0 len 500 wnd 65535",    "ACK rcv 500 snd 0 len 500 wnd 65535",
        "ACK rcv 1000 snd 0 len 500 wnd 65535", "ACK rcv 1500 snd 0 len 500 wnd 65535",
        "ACK rcv 2000 snd 0 len 500 wnd 65535", "ACK rcv 2500 snd 0 len 500 wnd 65535",
        "ACK rcv 3000 snd 0 len 500 wnd 65535", "ACK rcv 3500 snd 0 len 500 wnd 65535",
        "ACK rcv 4000 snd 0 len 500 wnd 65535", "ACK rcv 4500 snd 0 len 500 wnd 65535",
    };

    bench_established(b, NULL);
    bench_quick_over(b);

    bench_rx_burst(b, lines, 10);

    expect_tx(b, "ACK snd 0 rcv 4000");
    expect_tx(b, "ACK snd 0 rcv 5000");
    expect_no_tx(b);
}

BENCH_TEST(the_beginning_is_over_after_16_segments_also_in_even_bursts)
{
    static const char *const lines[] = {
        "ACK rcv 0 snd 0 len 10 wnd 65535",  "ACK rcv 10 snd 0 len 10 wnd 65535",
        "ACK rcv 20 snd 0 len 10 wnd 65535", "ACK rcv 30 snd 0 len 10 wnd 65535",
        "ACK rcv 40 snd 0 len 10 wnd 65535", "ACK rcv 50 snd 0 len 10 wnd 65535",
        "ACK rcv 60 snd 0 len 10 wnd 65535", "ACK rcv 70 snd 0 len 10 wnd 65535",
    };

    bench_established(b, NULL);

    for (uint32_t i = 0; i < 2; i++) {
        bench_rx_burst(b, lines, 8);
        expect_equal(b, bench_forget_tx(b), 4);
        bench_recv(b, 80);
        bench_rebase(b);
    }
    bench_rx_burst(b, lines, 8);
    expect_tx(b, "ACK snd 0 rcv 80");
    expect_no_tx(b);
}

BENCH_TEST(a_burst_out_of_order_is_acknowledged_one_by_one)
{
    static const char *const lines[] = {
        "ACK rcv 1000 snd 0 len 1000 wnd 65535",
        "ACK rcv 2000 snd 0 len 1000 wnd 65535",
        "ACK rcv 3000 snd 0 len 1000 wnd 65535",
        "ACK rcv 0 snd 0 len 1000 wnd 65535",
    };

    bench_established(b, NULL);
    bench_quick_over(b);

    bench_rx_burst(b, lines, 4);

    expect_tx(b, "ACK snd 0 rcv 0");
    expect_tx(b, "ACK snd 0 rcv 0");
    expect_tx(b, "ACK snd 0 rcv 0");
    expect_tx(b, "ACK snd 0 rcv 4000");
    expect_no_tx(b);
}

BENCH_TEST(text_is_taken_in_fin_wait_1_and_2)
{
    static const int places[] = { LA_FIN_WAIT_1, LA_FIN_WAIT_2 };

    for (uint32_t i = 0; i < 2; i++) {
        bench_again(b);
        bench_state(b, places[i], NULL);
        bench_rx(b, "ACK rcv 0 snd 0 len 100 wnd 65535");
        expect_equal(b, bench_forget_tx(b), 1);
        bench_recv(b, 100);
        expect_state(b, places[i]);
    }
}

BENCH_TEST(text_behind_the_peers_fin_is_ignored)
{
    static const int places[] = { LA_CLOSE_WAIT, LA_CLOSING, LA_LAST_ACK };

    for (uint32_t i = 0; i < 3; i++) {
        bench_again(b);
        bench_state(b, places[i], NULL);
        bench_rx(b, "ACK rcv 0 snd 0 len 100 wnd 65535");
        expect_recv(b, 0);
        expect_state(b, places[i]);
        expect_equal(b, bench_info(b).rcv_queued_bytes, 0);
        expect_equal(b, bench_info(b).rcv_nxt, seq_raw(b->rcv_base));
    }
}

BENCH_TEST(text_after_shutdown_of_reading_is_acknowledged_and_discarded)
{
    bench_established(b, NULL);
    bench_shutdown(b, LA_SHUT_RD);

    bench_rx(b, "ACK rcv 0 snd 0 len 1000 wnd 65535");
    expect_tx(b, "ACK snd 0 rcv 1000 wnd 10000");
    expect_recv(b, 0);
    bench_rx(b, "ACK rcv 2000 snd 0 len 1000 wnd 65535");
    expect_tx(b, "ACK snd 0 rcv 1000");
    bench_rx(b, "ACK rcv 1000 snd 0 len 1000 wnd 65535");
    expect_tx(b, "ACK snd 0 rcv 3000 wnd 10000");
    expect_recv(b, 0);
    expect_equal(b, la_table_use(b->s, LA_TABLE_CHUNKS).used, 0);
}

static void holes(struct bench *b, uint32_t count)
{
    for (uint32_t i = 1; i <= count; i++) {
        char line[80];

        snprintf(line, sizeof line, "ACK rcv %u snd 0 len 1 wnd 65535", 2 * i);
        bench_rx(b, line);
        expect_tx(b, "ACK snd 0 rcv 0");
    }
}

BENCH_TEST(too_many_holes_are_refused_and_offset_zero_is_still_taken)
{
    bench_established(b, &(struct bench_opt){ .rcv_wnd = 65535 });

    holes(b, LA_REASSEMBLY_RANGES_MAX);
    expect_equal(b, bench_info(b).rcv_ooo_bytes, LA_REASSEMBLY_RANGES_MAX);
    holes(b, LA_REASSEMBLY_RANGES_MAX + 1);
    expect_drop(b, LA_DROP_REASSEMBLY_FULL);
    expect_equal(b, bench_info(b).rcv_ooo_bytes, LA_REASSEMBLY_RANGES_MAX);

    bench_rx(b, "ACK rcv 0 snd 0 len 2 wnd 65535"); /* up to the first range */
    expect_tx(b, "ACK snd 0 rcv 3");
    bench_recv(b, 3);
}

BENCH_TEST(octets_with_their_overhead_are_held_to_the_receive_buffer)
{
    bench_established(b, &(struct bench_opt){ .rcv_wnd = 10000 });

    holes(b, 30); /* a chunk of 2 KiB each */
    expect_drop(b, LA_DROP_RCV_BUFFER_FULL);
    expect_true(b, bench_info(b).rcv_ooo_bytes < 30);

    bench_rx(b, "ACK rcv 0 snd 0 len 2 wnd 65535");
    expect_tx(b, "ACK snd 0 rcv 3");
    bench_recv(b, 3);
}

BENCH_TEST(an_ack_that_finds_no_room_at_once_goes_out_later)
{
    static uint8_t packet[200];
    struct la_frame frame = { .bytes = packet };
    struct tcp_seg seg;

    bench_established(b, NULL);
    const uint32_t room = la_table_use(b->s, LA_TABLE_REPLIES).limit;
    bench_parse(b, "ACK rcv 100 snd 0 len 10 wnd 65535", false, &seg);
    frame.len_bytes = bench_packet(b, &seg, packet);
    for (uint32_t i = 0; i < room; i++) /* each wants an ACK of its own, and none is taken */
        la_rx(b->s, b->now, &frame, 1);
    bench_parse(b, "ACK rcv 0 snd 0 len 100 wnd 65535", false, &seg);
    frame.len_bytes = bench_packet(b, &seg, packet);
    la_rx(b->s, b->now, &frame, 1);
    bench_drain(b);

    for (uint32_t i = 0; i < room; i++)
        expect_tx(b, "ACK snd 0 rcv 0");
    expect_tx(b, "ACK snd 0 rcv 110");
    expect_no_tx(b);
}

BENCH_TEST(text_from_twice_two_to_the_thirty_one_away_is_outside)
{
    bench_established(b, NULL);

    bench_rx(b, "ACK rcv 2147483647 snd 0 len 10 wnd 65535");
    bench_rx(b, "ACK rcv 2147483648 snd 0 len 10 wnd 65535");
    bench_rx(b, "ACK rcv 2147483649 snd 0 len 10 wnd 65535");

    expect_equal(b, bench_info(b).rcv_ooo_bytes, 0);
    expect_equal(b, bench_forget_tx(b), 3);
}

TEST_MAIN
