/* SPDX-License-Identifier: MIT */
/*
 * RFC 9293 3.8.6: windows.  Zero-window probes, a peer that takes back what it offered, and the
 * avoidance of silly windows on both sides.  That our own right edge never moves left is
 * judged by the bench after every segment of every test.
 */
#include "tests/rfc/bench.h"

/* 1000 octets fill the peer's window, 500 wait; its ACK closes the window. */
static void stalled(struct bench *b)
{
    bench_established(b, &(struct bench_opt){ .rtt_ns = MS(100), .peer_wnd = 1000 });
    bench_send(b, 1500);
    expect_tx(b, "ACK snd 0 rcv 0 len 1000");
    expect_no_tx(b);
    bench_rx(b, "ACK rcv 0 snd 1000 wnd 0");
    expect_no_tx(b);
    bench_mark(b);
}

BENCH_TEST(nothing_is_sent_beyond_the_window)
{
    bench_established(b, &(struct bench_opt){ .peer_wnd = 2500 });

    bench_send(b, 10000);

    expect_tx(b, "ACK snd 0 rcv 0 len 1000");
    expect_tx(b, "ACK snd 1000 rcv 0 len 1000");
    expect_no_tx(b); /* 500 would fit: silly while so much is in flight */
    bench_rx(b, "ACK rcv 0 snd 2000 wnd 2500");
    expect_tx(b, "ACK snd 2000 rcv 0 len 1000");
    expect_tx(b, "ACK snd 3000 rcv 0 len 1000");
}

BENCH_TEST(a_zero_window_is_probed_after_one_rto_and_then_ever_more_rarely)
{
    stalled(b);
    const uint64_t rto = US(bench_info(b).rto_us);

    expect_tx_at(b, rto, "ACK snd 1000 rcv 0 len 1");
    bench_rx(b, "ACK rcv 0 snd 1000 wnd 0");
    expect_tx_at(b, 3 * rto, "ACK snd 1000 rcv 0 len 1");
    bench_rx(b, "ACK rcv 0 snd 1000 wnd 0");
    expect_tx_at(b, 7 * rto, "ACK snd 1000 rcv 0 len 1");
    bench_rx(b, "ACK rcv 0 snd 1000 wnd 0");
    expect_tx_at(b, 15 * rto, "ACK snd 1000 rcv 0 len 1");
}

BENCH_TEST(as_long_as_probes_are_answered_the_connection_stays)
{
    uint32_t probes = 0;

    stalled(b);
    for (int i = 0; i < 200; i++) { /* MUST-37: an hour and a half and on */
        bench_sleep(b, SEC(120));
        probes += bench_forget_tx(b);
        bench_rx(b, "ACK rcv 0 snd 1000 wnd 0");
    }
    expect_state(b, LA_ESTABLISHED);
    expect_true(b, probes >= 199);
    bench_rx(b, "ACK rcv 0 snd 1000 wnd 1000");
    expect_true(b, bench_forget_tx(b) > 0);
}

BENCH_TEST(probes_without_an_answer_end_the_connection)
{
    stalled(b);

    bench_sleep(b, SEC(3600));

    expect_state(b, LA_CLOSED);
    expect_error(b, LA_ETIMEDOUT);
    expect_equal(b, la_drops(b->s, LA_DROP_PERSIST), 1);
}

BENCH_TEST(an_orphan_whose_peer_holds_the_window_closed_ends)
{
    stalled(b);
    bench_close(b);

    for (int i = 0; i < 60 && bench_state_now(b) != LA_CLOSED; i++) {
        bench_sleep(b, SEC(10)); /* CVE-2008-4609: each probe is answered */
        bench_forget_tx(b);
        bench_rx(b, "ACK rcv 0 snd 1000 wnd 0");
        bench_forget_tx(b);
    }

    expect_state(b, LA_CLOSED);
    expect_equal(b, la_table_use(b->s, LA_TABLE_CHUNKS).used, 0);
}

BENCH_TEST(a_window_update_lets_the_rest_go)
{
    stalled(b);
    bench_sleep(b, MS(10));

    bench_rx(b, "ACK rcv 0 snd 1000 wnd 1000");

    expect_tx(b, "PSH ACK snd 1000 rcv 0 len 500");
    expect_no_tx(b);
}

BENCH_TEST(an_update_that_was_lost_is_learned_from_a_probe)
{
    stalled(b);
    bench_sleep(b, MS(400));
    expect_equal(b, bench_forget_tx(b), 1);

    bench_rx(b, "ACK rcv 0 snd 1001 wnd 1000"); /* it took the octet */

    expect_tx(b, "PSH ACK snd 1001 rcv 0 len 499");
    expect_no_tx(b);
}

BENCH_TEST(a_fin_is_probed_through_a_zero_window_too)
{
    bench_established(b, &(struct bench_opt){ .rtt_ns = MS(100), .peer_wnd = 1000 });
    bench_send(b, 1000);
    bench_rx(b, "ACK rcv 0 snd 1000 wnd 0");
    bench_forget_tx(b);
    bench_shutdown(b, LA_SHUT_WR);
    expect_no_tx(b);

    bench_sleep(b, SEC(1));

    expect_tx(b, "FIN ACK snd 1000 rcv 0");
    bench_forget_tx(b);
    bench_rx(b, "ACK rcv 0 snd 1001 wnd 0");
    expect_state(b, LA_FIN_WAIT_2);
}

BENCH_TEST(a_window_that_shrinks_below_what_is_in_flight_does_no_harm)
{
    bench_established(b, &(struct bench_opt){ .rtt_ns = MS(100), .peer_wnd = 3000 });
    bench_send(b, 5000);
    expect_equal(b, bench_forget_tx(b), 3);

    bench_rx(b, "ACK rcv 0 snd 0 wnd 1500"); /* MUST-34: usable is now -1500 */
    expect_no_tx(b);                         /* SHLD-15: nothing new */
    bench_sleep(b, SEC(2));
    const struct bench_tx *t = bench_next_tx(b); /* SHLD-16: old data inside the window, again */
    expect_true(b, t != NULL && seq_eq(t->seg.seq, b->snd_base) && t->seg.len == 1000);
    bench_forget_tx(b);
    bench_rx(b, "ACK rcv 0 snd 3000 wnd 3000"); /* it had all of it */
    expect_tx(b, "ACK snd 3000 rcv 0 len 1000");
    expect_tx(b, "PSH ACK snd 4000 rcv 0 len 1000");
}

BENCH_TEST(repeats_stay_inside_a_window_that_shrank)
{
    bench_established(b, &(struct bench_opt){ .rtt_ns = MS(100), .peer_wnd = 3000 });
    bench_send(b, 3000);
    bench_forget_tx(b);
    bench_rx(b, "ACK rcv 0 snd 0 wnd 400");
    bench_mark(b);

    bench_sleep(b, SEC(1));

    for (const struct bench_tx *t; (t = bench_next_tx(b)) != NULL;)
        expect_true(b, seq_le(seq_add(t->seg.seq, t->seg.len), seq_add(b->snd_base, 400)));
    expect_true(b, b->tx_total > 3);
}

BENCH_TEST(a_window_that_shrinks_to_zero_is_probed_and_never_times_out_while_answered)
{
    bench_established(b, &(struct bench_opt){ .rtt_ns = MS(100), .peer_wnd = 3000 });
    bench_send(b, 3000);
    bench_forget_tx(b);
    bench_rx(b, "ACK rcv 0 snd 0 wnd 0");

    for (int i = 0; i < 60; i++) {
        bench_sleep(b, SEC(60));
        bench_forget_tx(b);
        bench_rx(b, "ACK rcv 0 snd 0 wnd 0");
    }
    expect_state(b, LA_ESTABLISHED); /* SHLD-17 */
    bench_rx(b, "ACK rcv 0 snd 0 wnd 3000");
    bench_sleep(b, SEC(1));
    for (int i = 1; i <= 3; i++) {
        char line[80];

        snprintf(line, sizeof line, "ACK rcv 0 snd %d wnd 3000", 1000 * i);
        bench_rx(b, line);
        bench_sleep(b, SEC(1));
    }
    expect_equal(b, bench_info(b).snd_queued_bytes, 0);
}

BENCH_TEST(every_size_a_window_can_shrink_to_is_survived)
{
    for (uint32_t wnd = 0; wnd <= 2100; wnd += 70) {
        char line[80];

        bench_again(b);
        bench_established(b, &(struct bench_opt){ .rtt_ns = MS(100), .peer_wnd = 2000 });
        bench_send(b, 4000);
        snprintf(line, sizeof line, "ACK rcv 0 snd 0 wnd %u", wnd);
        bench_rx(b, line);
        for (uint32_t acked = 0, rounds = 0; acked < 4000; rounds++) {
            expect_true(b, rounds < 500);
            bench_sleep(b, SEC(1));
            /* What a receiver with this window would have taken by now. */
            for (const struct bench_tx *t; (t = bench_next_tx(b)) != NULL;) {
                const uint32_t from = seq_diff(b->snd_base, t->seg.seq);

                if (from <= acked && from + t->seg.len > acked)
                    acked = from + t->seg.len;
            }
            snprintf(line, sizeof line, "ACK rcv 0 snd %u wnd %u", acked, wnd > 0 ? wnd : 500);
            bench_rx(b, line);
        }
        expect_equal(b, bench_info(b).snd_queued_bytes, 0);
    }
}

BENCH_TEST(the_sender_does_not_fill_a_silly_window_at_once)
{
    bench_established(b, &(struct bench_opt){ .rtt_ns = MS(100), .peer_wnd = 4000 });
    bench_send(b, 8000);
    bench_forget_tx(b);
    bench_rx(b, "ACK rcv 0 snd 4000 wnd 100");
    expect_no_tx(b); /* less than a segment, and than half the largest window */
    bench_mark(b);

    bench_sleep(b, SEC(1)); /* the override: between 0.1 and 1 s */
    const struct bench_tx *t = bench_next_tx(b);
    expect_true(b, t != NULL && t->seg.len == 100 && t->at.ns - b->mark.ns >= MS(100));
}

BENCH_TEST(half_of_the_largest_window_is_not_silly)
{
    bench_established(b, &(struct bench_opt){ .peer_wnd = 800 }); /* less than a segment */
    bench_send(b, 1600);
    expect_tx(b, "ACK snd 0 rcv 0 len 800");
    bench_rx(b, "ACK rcv 0 snd 800 wnd 399");
    expect_no_tx(b);
    bench_rx(b, "ACK rcv 0 snd 800 wnd 400");
    expect_tx(b, "ACK snd 800 rcv 0 len 400");
}

BENCH_TEST(the_receiver_opens_a_closed_window_by_a_whole_segment)
{
    bench_established(b, &(struct bench_opt){ .rcv_wnd = 4000 });
    for (int i = 0; i < 4; i++) {
        char line[80];

        snprintf(line, sizeof line, "ACK rcv %d snd 0 len 1000 wnd 65535", 1000 * i);
        bench_rx(b, line);
    }
    bench_forget_tx(b);
    bench_recv(b, 1);
    expect_no_tx(b);
    bench_recv(b, 998);
    expect_no_tx(b); /* 999 octets of room are not worth a word */
    bench_recv(b, 1);
    expect_tx(b, "ACK snd 0 rcv 4000 wnd 1000");
    bench_recv(b, 3000);
    bench_forget_tx(b);
}

BENCH_TEST(a_small_buffer_opens_by_half)
{
    bench_established(b, &(struct bench_opt){ .rcv_wnd = 500 });
    bench_rx(b, "ACK rcv 0 snd 0 len 500 wnd 65535");
    expect_tx(b, "ACK snd 0 rcv 500 wnd 0");

    bench_recv(b, 249);
    expect_no_tx(b);
    bench_recv(b, 1);
    expect_tx(b, "ACK snd 0 rcv 500 wnd 250");
}

BENCH_TEST(a_reader_of_single_octets_does_not_make_silly_segments)
{
    uint32_t got = 0, updates = 0;

    bench_established(b, &(struct bench_opt){ .rcv_wnd = 4000 });
    for (int i = 0; i < 4; i++) {
        char line[80];

        snprintf(line, sizeof line, "ACK rcv %d snd 0 len 1000 wnd 65535", 1000 * i);
        bench_rx(b, line);
    }
    bench_forget_tx(b);
    for (; got < 4000; got++) {
        bench_recv(b, 1);
        bench_sleep(b, MS(10));
        updates += bench_forget_tx(b);
    }
    expect_true(b, updates > 0 && updates <= 4);
}

BENCH_TEST(a_window_reopened_is_told_even_if_the_first_telling_is_lost)
{
    bench_established(b, &(struct bench_opt){ .rcv_wnd = 500 });
    bench_rx(b, "ACK rcv 0 snd 0 len 500 wnd 65535");
    expect_tx(b, "ACK snd 0 rcv 500 wnd 0");
    bench_recv(b, 500);
    expect_tx(b, "ACK snd 0 rcv 500 wnd 500"); /* lost */

    bench_rx(b, "ACK rcv 500 snd 0 len 1 wnd 65535"); /* the peer's probe */
    expect_tx(b, "ACK snd 0 rcv 501 wnd 499");
    bench_recv(b, 1);
}

TEST_MAIN
