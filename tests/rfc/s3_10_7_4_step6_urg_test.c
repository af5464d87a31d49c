/* SPDX-License-Identifier: MIT */
/*
 * RFC 9293 3.10.7.4, sixth step, and 3.8.5: urgent data is in band (RFC 6093); the application
 * is told that there is some.
 */
#include "tests/rfc/bench.h"

BENCH_TEST(urgent_data_stays_in_the_stream)
{
    bench_established(b, NULL);

    bench_rx(b, "PSH ACK rcv 0 snd 0 urg 5 len 10 wnd 65535");

    expect_tx(b, "ACK snd 0 rcv 10");
    expect_true(b, (b->event_mask & LA_URGENT) != 0);
    bench_recv(b, 10);
}

BENCH_TEST(an_urgent_pointer_without_urg_means_nothing)
{
    bench_established(b, NULL);

    bench_rx(b, "PSH ACK rcv 0 snd 0 urgptr 5 len 10 wnd 65535");

    expect_true(b, (b->seen_mask & LA_URGENT) == 0);
    bench_recv(b, 10);
}

BENCH_TEST(the_application_is_told_when_the_pointer_advances)
{
    uint32_t events;

    bench_established(b, NULL);
    bench_rx(b, "ACK rcv 0 snd 0 urg 5 wnd 65535");
    events = b->events;

    bench_rx(b, "ACK rcv 0 snd 0 urg 5 wnd 65535");
    bench_rx(b, "ACK rcv 0 snd 0 urg 4 wnd 65535");
    expect_equal(b, b->events, events);
    bench_rx(b, "ACK rcv 0 snd 0 urg 6 wnd 65535");
    expect_equal(b, b->events, events + 1);
}

BENCH_TEST(urgent_is_ignored_once_the_peer_has_closed)
{
    static const int places[] = { LA_CLOSE_WAIT, LA_CLOSING, LA_LAST_ACK };

    for (uint32_t i = 0; i < 3; i++) {
        bench_again(b);
        bench_state(b, places[i], NULL);
        bench_rx(b, "ACK rcv 0 snd 0 urg 9 wnd 65535");
        expect_true(b, (b->seen_mask & LA_URGENT) == 0);
        expect_state(b, places[i]);
    }
}

/* Every pointer there is, straight into la_rx(). */
static void all_pointers(struct bench *b, uint32_t len)
{
    static uint8_t packet[2000];
    struct la_frame frame = { .bytes = packet, .flags = LA_FRAME_CSUM_OK };
    struct tcp_seg seg = { .flags = TCP_ACK | TCP_URG, .len = len, .wnd = 65535 };
    const uint32_t ip_bytes = b->family == 4 ? 20 : 40;

    seg.seq = b->rcv_base;
    seg.ack = b->snd_base;
    frame.len_bytes = bench_packet(b, &seg, packet);
    for (uint32_t pointer = 0; pointer < 65536; pointer++) {
        packet[ip_bytes + 18] = (uint8_t)(pointer >> 8);
        packet[ip_bytes + 19] = (uint8_t)pointer;
        la_rx(b->s, b->now, &frame, 1);
        if (pointer % 64 == 63)
            bench_drain(b);
        bench_forget_tx(b);
    }
}

BENCH_TEST(no_urgent_pointer_does_harm)
{
    static const int places[] = { LA_ESTABLISHED, LA_FIN_WAIT_2, LA_CLOSE_WAIT };
    static const uint32_t lens[] = { 0, 1, 1000 };

    if (b->origin > 1)
        return; /* a quarter of a million segments are enough */
    for (uint32_t i = 0; i < 3; i++)
        for (uint32_t k = 0; k < 3; k++) {
            bench_again(b);
            bench_state(b, places[i], NULL);
            all_pointers(b, lens[k]);
            expect_state(b, places[i]);
            if (places[i] == LA_CLOSE_WAIT)
                continue;
            bench_recv(b, lens[k]); /* once, whole */
            expect_recv(b, LA_EAGAIN);
        }
}

BENCH_TEST(urgent_text_is_taken_in_fin_wait)
{
    bench_state(b, LA_FIN_WAIT_2, NULL);

    bench_rx(b, "ACK rcv 0 snd 0 urg 3 len 3 wnd 65535");

    expect_true(b, (b->event_mask & LA_URGENT) != 0);
    bench_recv(b, 3);
}

TEST_MAIN
