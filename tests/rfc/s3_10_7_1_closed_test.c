/* SPDX-License-Identifier: MIT */
/* RFC 9293 3.10.7.1: a segment for which there is neither a connection nor a listener. */
#include "tests/rfc/bench.h"

BENCH_TEST(a_segment_with_ack_draws_a_reset_at_its_ack)
{
    bench_state(b, LA_CLOSED, NULL);

    bench_rx(b, "ACK rcv 5 snd 77 len 10");

    expect_tx(b, "RST snd 77 wnd 0");
    expect_no_tx(b);
    expect_drop(b, LA_DROP_NO_SOCKET);
}

BENCH_TEST(a_segment_without_ack_draws_a_reset_that_acknowledges_it)
{
    bench_state(b, LA_CLOSED, NULL);

    bench_rx(b, "SYN rcv 0");
    expect_tx(b, "RST ACK seq 0 rcv 1");
    bench_rx(b, "none rcv 0");
    expect_tx(b, "RST ACK seq 0 rcv 0");
    bench_rx(b, "URG PSH rcv 0 len 3");
    expect_tx(b, "RST ACK seq 0 rcv 3");
    expect_no_tx(b);
}

BENCH_TEST(syn_and_fin_count_in_the_length_a_reset_acknowledges)
{
    bench_state(b, LA_CLOSED, NULL);

    bench_rx(b, "FIN rcv 0 len 10");
    expect_tx(b, "RST ACK seq 0 rcv 11");
    bench_rx(b, "SYN FIN rcv 0 len 10");
    expect_tx(b, "RST ACK seq 0 rcv 12");
    bench_rx(b, "SYN rcv 0 len 10");
    expect_tx(b, "RST ACK seq 0 rcv 11");
}

BENCH_TEST(a_reset_is_never_answered)
{
    bench_state(b, LA_CLOSED, NULL);

    bench_rx(b, "RST rcv 0");
    expect_drop(b, LA_DROP_NO_SOCKET_RST);
    bench_rx(b, "RST ACK rcv 0 snd 0");
    bench_rx(b, "SYN RST rcv 0");
    bench_rx(b, "FIN RST ACK rcv 0 snd 5 len 100");

    expect_no_tx(b);
    expect_equal(b, la_counter(b->s, LA_COUNT_OutRsts), 0);
}

BENCH_TEST(a_reset_carries_no_options_and_no_text)
{
    const struct bench_tx *t;

    bench_state(b, LA_CLOSED, NULL);

    bench_rx(b, "SYN rcv 0 wnd 65535 mss 1460 wscale 7 sackOK TS 100:0");

    t = expect_tx(b, "RST ACK seq 0 rcv 1 wnd 0");
    expect_equal(b, t->ip_len, b->family == 4 ? 40 : 60);
    expect_equal(b, la_counter(b->s, LA_COUNT_OutRsts), 1);
}

BENCH_TEST(a_scan_with_every_flag_or_none_makes_no_state)
{
    struct la_row row;
    uint64_t cursor = 0;

    bench_state(b, LA_CLOSED, NULL);

    bench_rx(b, "SYN FIN PSH ECE CWR ACK rcv 0 snd 9 urg 1");
    expect_tx(b, "RST snd 9");
    bench_rx(b, "FIN PSH rcv 0 urg 1");
    expect_tx(b, "RST ACK seq 0 rcv 1");

    expect_equal(b, la_rows(b->s, &cursor, &row, 1), 0);
}

BENCH_TEST(a_segment_with_a_wrong_checksum_is_dropped_in_silence)
{
    struct tcp_seg seg;
    uint8_t packet[200];
    uint32_t len;

    bench_state(b, LA_CLOSED, NULL);
    bench_parse(b, "SYN rcv 0", false, &seg);
    len = bench_packet(b, &seg, packet);

    for (uint32_t bit = 0; bit < 8; bit++) {
        packet[len - 5] ^= (uint8_t)(1u << bit);
        bench_rx_raw(b, packet, len);
        expect_drop(b, LA_DROP_TCP_CHECKSUM);
        packet[len - 5] ^= (uint8_t)(1u << bit);
    }
    expect_no_tx(b);
    expect_equal(b, la_counter(b->s, LA_COUNT_InCsumErrors), 8);
    bench_rx_raw(b, packet, len);
    expect_tx(b, "RST ACK seq 0 rcv 1");
}

BENCH_TEST(a_segment_from_and_to_one_endpoint_is_dropped)
{
    const char *us = b->family == 4 ? "192.0.2.1" : "2001:db8::1";

    bench_state(b, LA_LISTEN, NULL);
    b->remote.port = b->local.port;

    bench_rx_between(b, "SYN rcv 0", us, NULL); /* LAND */

    expect_no_tx(b);
    expect_state(b, LA_LISTEN);
}

TEST_MAIN
