/* SPDX-License-Identifier: MIT */
/*
 * RFC 5961: somebody who knows the 4-tuple and guesses the numbers.  Exactly one sequence number
 * kills with a reset, none with a SYN; the challenge ACKs are limited for each connection alone.
 */
#include "tests/rfc/bench.h"

static const int synchronized[] = { LA_ESTABLISHED, LA_FIN_WAIT_1, LA_FIN_WAIT_2,
                                    LA_CLOSE_WAIT,  LA_CLOSING,    LA_LAST_ACK };

/* A segment with this sequence number, straight into la_rx(). */
static void shoot(struct bench *b, uint8_t flags, uint32_t at, uint32_t ack_at)
{
    static uint8_t packet[200];
    struct la_frame frame = { .bytes = packet };
    const struct tcp_seg seg = {
        .flags = flags,
        .seq = seq_add(b->rcv_base, at),
        .ack = seq_add(b->snd_base, ack_at),
        .wnd = 65535,
    };

    frame.len_bytes = bench_packet(b, &seg, packet);
    la_rx(b->s, b->now, &frame, 1);
}

/* Numbers around every edge there is, and a sweep over all the others. */
static void shoot_around(struct bench *b, uint8_t flags)
{
    static const uint32_t edges[] = { 0, 500, 0x7fffffff, 0x80000000, 10000 };

    for (uint32_t e = 0; e < 5; e++)
        for (uint32_t d = 0; d < 600; d++)
            if (edges[e] + d != 300)
                shoot(b, flags, edges[e] + d - 300, 0);
    for (uint32_t i = 1; i < 4096; i++)
        shoot(b, flags, i * 1048573u, 0);
}

BENCH_TEST(exactly_one_number_kills_with_a_reset)
{
    for (uint32_t i = 0; i < 6; i++) {
        bench_again(b);
        bench_state(b, synchronized[i], &(struct bench_opt){ .rcv_wnd = 500 });

        shoot_around(b, TCP_RST);
        shoot_around(b, TCP_RST | TCP_ACK);
        bench_drain(b);
        expect_state(b, synchronized[i]);
        expect_true(b, bench_forget_tx(b) <= 1); /* at one moment */
        shoot(b, TCP_RST, 0, 0);
        bench_drain(b);
        expect_state(b, LA_CLOSED);
    }
}

BENCH_TEST(no_number_kills_with_a_syn)
{
    for (uint32_t i = 0; i < 6; i++) {
        bench_again(b);
        bench_state(b, synchronized[i], &(struct bench_opt){ .rcv_wnd = 500 });

        shoot_around(b, TCP_SYN);
        shoot_around(b, TCP_SYN | TCP_ACK);
        shoot(b, TCP_SYN, 0, 0);
        shoot(b, TCP_SYN | TCP_ACK, 0, 0);
        bench_drain(b);
        expect_state(b, synchronized[i]);
        expect_true(b, bench_forget_tx(b) <= 1);
    }
}

BENCH_TEST(half_open_connections_are_no_easier_to_kill)
{
    static const int places[] = { LA_SYN_RECEIVED, BENCH_SIMULTANEOUS };

    for (uint32_t i = 0; i < 2; i++) {
        bench_again(b);
        bench_state(b, places[i], &(struct bench_opt){ .rcv_wnd = 500 });
        shoot_around(b, TCP_RST);
        shoot_around(b, TCP_SYN);
        bench_drain(b);
        bench_forget_tx(b);
        expect_state(b, LA_SYN_RECEIVED);
        bench_rx(b, "ACK rcv 0 snd 1 wnd 65535");
        expect_state(b, LA_ESTABLISHED);
    }
}

BENCH_TEST(half_open_connections_answer_no_more_often_than_others)
{
    bench_state(b, LA_SYN_RECEIVED, &(struct bench_opt){ .rcv_wnd = 500 });

    for (int i = 0; i < 20; i++)
        bench_rx(b, "SYN rcv 7 wnd 65535");

    expect_equal(b, bench_forget_tx(b), 1);
}

BENCH_TEST(a_challenge_tells_the_true_numbers_and_no_more)
{
    bench_established(b, &(struct bench_opt){ .rcv_wnd = 500 });

    bench_rx(b, "RST rcv 7");

    const struct bench_tx *t = expect_tx(b, "ACK snd 0 rcv 0 wnd 500");
    expect_equal(b, t->ip_len, b->family == 4 ? 40 : 60);
}

BENCH_TEST(challenges_are_limited_for_each_connection_alone)
{
    bench_established(b, &(struct bench_opt){ .open = BENCH_PASSIVE, .keep_listener = true });
    bench_rx(b, "RST rcv 7");
    expect_equal(b, bench_forget_tx(b), 1);
    bench_rx(b, "RST rcv 7");
    expect_equal(b, bench_forget_tx(b), 0);

    /* Another connection's limit is its own: nothing can be learned there (CVE-2016-5696). */
    b->remote.port = 40001;
    bench_rx(b, "SYN rcv -1 wnd 65535");
    const struct bench_tx *t = bench_next_tx(b);
    struct tcp_seg ack = { .flags = TCP_ACK, .seq = b->rcv_base, .wnd = 65535 };
    ack.ack = seq_add(t->seg.seq, 1);
    bench_rx_seg(b, &ack);
    expect_state(b, LA_ESTABLISHED);
    bench_rx(b, "RST rcv 7");
    expect_equal(b, bench_forget_tx(b), 1);
}

BENCH_TEST(the_limit_can_be_switched_off)
{
    bench_begin(b, BENCH_EITHER, NULL);
    bench_sysctl(b, "net.ipv4.tcp_invalid_ratelimit", 0);
    bench_established(b, NULL);

    for (int i = 0; i < 5; i++)
        bench_rx(b, "RST rcv 7");
    expect_equal(b, bench_forget_tx(b), 5);
}

BENCH_TEST(an_ordinary_segment_is_answered_though_the_limit_is_met)
{
    bench_established(b, NULL);
    bench_rx(b, "RST rcv 7");
    bench_forget_tx(b);

    bench_rx(b, "PSH ACK rcv 0 snd 0 len 10 wnd 65535");
    expect_tx(b, "ACK snd 0 rcv 10");
    bench_rx(b, "PSH ACK rcv 0 snd 0 len 10 wnd 65535"); /* a duplicate */
    expect_tx(b, "ACK snd 0 rcv 10");
}

BENCH_TEST(blind_data_needs_a_plausible_ack)
{
    uint32_t taken = 0;

    bench_established(b, &(struct bench_opt){ .rcv_wnd = 500 });
    for (uint32_t i = 0; i < 4096; i++) {
        shoot(b, TCP_ACK | TCP_FIN, 0, i * 1048573u + 3); /* right SEG.SEQ, ACK guessed */
        taken += bench_state_now(b) != LA_ESTABLISHED;
    }
    expect_equal(b, taken, 0);
    bench_drain(b);
    bench_forget_tx(b);
}

TEST_MAIN
