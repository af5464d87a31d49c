/* SPDX-License-Identifier: MIT */
/* snd_window_test.c - What the peer's window lets us send, and what an ACK frees. */
#include "tests/unit/base_test.h"
#include "tests/unit/hand.h"

static const uint32_t origins[] = { 0, 0x7fffffff, 0xffffffff, 0xfffff800 };

static struct hand start(uint32_t i)
{
    struct hand h;

    hand_new(&h, &(struct hand_opt){ .v6 = i & 1, .iss = origins[i % 4], .irs = origins[i % 4] });
    hand_establish(&h, NULL);
    assert_int_equal(la_set_option(h.s, h.now, h.conn, LA_OPT_NODELAY, 1), LA_OK);
    hand_drain(&h);
    return h;
}

static void send(struct hand *h, uint32_t len)
{
    static uint8_t bytes[100000];

    assert_int_equal(la_send(h->s, h->now, h->conn, bytes, len, 0), len);
}

TEST(a_newer_segment_sets_the_window_and_an_older_one_does_not)
{
    for (uint32_t i = 0; i < 4; i++) {
        struct hand h = start(i);

        hand_rx(&h, "ACK rcv 1 snd 1 wnd 5000");
        assert_int_equal(hand_conn(&h)->snd.wnd, 5000);
        hand_rx(&h, "ACK rcv 1 snd 1 len 10 wnd 6000");
        assert_int_equal(hand_conn(&h)->snd.wnd, 6000);
        hand_rx(&h, "ACK rcv 11 snd 1 len 10 wnd 7000");
        assert_int_equal(hand_conn(&h)->snd.wnd, 7000);
        hand_rx(&h, "ACK rcv 5 snd 1 len 20 wnd 100"); /* SEG.SEQ before SND.WL1 */
        assert_int_equal(hand_conn(&h)->snd.wnd, 7000);
        hand_free(&h);
    }
}

TEST(an_ack_that_advances_brings_its_window_though_its_sequence_number_is_old)
{
    for (uint32_t i = 0; i < 4; i++) {
        struct hand h = start(i);

        send(&h, 100);
        hand_drain(&h);
        hand_rx(&h, "ACK rcv 1 snd 1 len 20 wnd 6000");
        hand_rx(&h, "ACK rcv 21 snd 1 len 20 wnd 7000");
        hand_rx(&h, "ACK rcv 15 snd 101 len 40 wnd 300");
        assert_int_equal(hand_conn(&h)->snd.wnd, 300);
        hand_free(&h);
    }
}

TEST(the_scale_applies_to_every_window_but_the_syns)
{
    struct hand h;

    hand_new(&h, NULL);
    hand_establish(&h, &(struct hand_opt){ .syn = "wnd 1000 mss 1460 wscale 14" });
    assert_int_equal(hand_conn(&h)->snd.wnd, 1000);
    hand_rx(&h, "ACK rcv 1 snd 1 wnd 65535");
    assert_int_equal(hand_conn(&h)->snd.wnd, 65535u << 14);
    hand_free(&h);
}

TEST(a_window_that_shrinks_leaves_nothing_usable_and_never_less)
{
    for (uint32_t i = 0; i < 4; i++) {
        struct hand h = start(i);

        send(&h, 5000);
        hand_drain(&h);
        assert_int_equal(conn_flight(hand_conn(&h)), 5000);
        hand_rx(&h, "ACK rcv 1 snd 1 wnd 5001");
        assert_int_equal(snd_usable(hand_conn(&h)), 1);
        hand_rx(&h, "ACK rcv 1 snd 1 wnd 5000");
        assert_int_equal(snd_usable(hand_conn(&h)), 0);
        hand_rx(&h, "ACK rcv 1 snd 1 wnd 100"); /* MUST-34 */
        assert_int_equal(snd_usable(hand_conn(&h)), 0);
        hand_free(&h);
    }
}

TEST(an_ack_frees_what_it_covers_and_counts_it)
{
    for (uint32_t i = 0; i < 4; i++) {
        struct hand h = start(i);
        const struct tcp_conn *c = hand_conn(&h);

        send(&h, 5000);
        hand_drain(&h);
        hand_rx(&h, "ACK rcv 1 snd 1001 wnd 65535");
        assert_int_equal(c->sndq.len_bytes, 4000);
        assert_int_equal(c->bytes_acked, 1000);
        assert_int_equal(conn_flight(c), 4000);
        assert_int_equal(conn_unsent(c), 0);
        send(&h, 700);
        assert_int_equal(conn_unsent(c), 700);
        hand_rx(&h, "ACK rcv 1 snd 5001 wnd 65535");
        hand_drain(&h);
        assert_int_equal(conn_flight(c), 700);
        hand_rx(&h, "ACK rcv 1 snd 5701 wnd 65535");
        assert_int_equal(la_table_use(h.s, LA_TABLE_CHUNKS).used, 0);
        assert_int_equal(c->deadline[TCP_DL_RTX].ns, UINT64_MAX);
        assert_null(la_check(h.s));
        hand_free(&h);
    }
}

TEST(a_fin_counts_in_flight_but_not_as_text)
{
    for (uint32_t i = 0; i < 4; i++) {
        struct hand h = start(i);
        const struct tcp_conn *c = hand_conn(&h);

        send(&h, 10);
        assert_int_equal(la_shutdown(h.s, h.now, h.conn, LA_SHUT_WR), LA_OK);
        assert_true(conn_fin_unsent(c));
        hand_drain(&h);
        assert_false(conn_fin_unsent(c));
        assert_int_equal(conn_flight(c), 11);
        assert_int_equal(conn_unsent(c), 0);
        hand_rx(&h, "ACK rcv 1 snd 11 wnd 1000");
        assert_int_equal(c->sndq.len_bytes, 0);
        assert_int_equal(c->state, LA_FIN_WAIT_1);
        hand_rx(&h, "ACK rcv 1 snd 12 wnd 1000");
        assert_int_equal(c->bytes_acked, 10);
        assert_int_equal(c->state, LA_FIN_WAIT_2);
        hand_free(&h);
    }
}

TEST(an_ack_out_of_range_is_a_programming_error_here)
{
    struct hand h = start(0);
    struct tcp_seg seg = { .flags = TCP_ACK };
    struct tcp_arrival a = { .t = h.t, .seg = &seg, .c = hand_conn(&h), .ci = hand_ci(&h) };

    expect_assert_failure(tcp_ack_advance(&a, hand_conn(&h)->snd.una));
    expect_assert_failure(tcp_ack_advance(&a, seq_add(hand_conn(&h)->snd.nxt, 1)));
    hand_free(&h);
}

TEST_MAIN
