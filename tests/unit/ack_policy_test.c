/* SPDX-License-Identifier: MIT */
/* ack_policy_test.c - When text is acknowledged: at once, merged, or a little later. */
#include "tests/unit/base_test.h"
#include "tests/unit/hand.h"

static struct hand start(bool v6)
{
    struct hand h;

    hand_new(&h, &(struct hand_opt){ .v6 = v6, .irs = 0xfffffff0 });
    hand_establish(&h, NULL);
    hand_conn(&h)->quick = 0; /* the phase of quick ACKs is over */
    hand_conn(&h)->rcv_mss = 1460;
    return h;
}

static void give(struct hand *h, uint32_t first, uint32_t len)
{
    struct tcp_seg seg = { .flags = TCP_ACK,
                           .seq = seq_add(h->irs, 1 + first),
                           .ack = seq_add(h->iss, 1),
                           .wnd = 65535,
                           .len = len };

    hand_rx_seg(h, &seg);
}

/* As one burst of la_rx(): @n segments of @len bytes from @first on. */
static void give_burst(struct hand *h, uint32_t n, uint32_t first, uint32_t len)
{
    static char text[LA_RX_BURST_MAX][64];
    const char *lines[LA_RX_BURST_MAX + 1];

    for (uint32_t i = 0; i < n; i++) {
        snprintf(text[i], sizeof text[i], "ACK rcv %u snd 1 len %u wnd 65535", 1 + first + i * len,
                 len);
        lines[i] = text[i];
    }
    lines[n] = NULL;
    hand_burst(h, lines);
}

/* A frame that says it is many segments is acknowledged as those would be. */
static uint32_t acks_for_frame(bool v6, uint32_t quick, uint32_t len, uint16_t gso)
{
    struct hand h = start(v6);
    static uint8_t packet[66000], text[65000];
    const struct tcp_seg seg = { .src_port = h.rport,
                                 .dst_port = h.lport,
                                 .seq = seq_add(h.irs, 1),
                                 .ack = seq_add(h.iss, 1),
                                 .flags = TCP_ACK,
                                 .wnd = 65535,
                                 .len = len,
                                 .text = text };
    const struct la_frame frame = {
        .bytes = packet,
        .len_bytes = hand_packet(h.peer, h.us, &seg, packet),
        .flags = LA_FRAME_CSUM_OK,
        .gso_size_bytes = gso,
    };

    hand_conn(&h)->quick = (uint8_t)quick;
    la_rx(h.s, h.now, &frame, 1);
    const uint32_t sent = hand_drain(&h);
    hand_free(&h);
    return sent;
}

TEST(a_merged_frame_counts_as_its_segments_when_acks_are_due)
{
    for (int v6 = 0; v6 < 2; v6++) {
        assert_int_equal(acks_for_frame(v6, 0, 200, 0), 0);  /* one small segment waits */
        assert_int_equal(acks_for_frame(v6, 0, 200, 30), 0); /* so do seven of them */
        assert_int_equal(acks_for_frame(v6, 0, 200, 25), 1); /* the eighth calls for an ACK */
        assert_int_equal(acks_for_frame(v6, 8, 200, 100), 1);
        assert_int_equal(acks_for_frame(v6, 0, 65000, 1), 1);
    }
}

TEST(one_segment_waits_for_company_40_ms_at_the_longest)
{
    for (int v6 = 0; v6 < 2; v6++) {
        struct hand h = start(v6);

        give(&h, 0, 1460);
        assert_int_equal(hand_drain(&h), 0);
        hand_wait(&h, 40 * NS_PER_MS - 1);
        assert_int_equal(hand_drain(&h), 0);
        hand_wait(&h, 1);
        assert_int_equal(hand_drain(&h), 1);
        assert_int_equal(la_counter(h.s, LA_COUNT_DelayedACKs), 1);
        hand_wait(&h, NS_PER_S);
        assert_int_equal(hand_drain(&h), 0);
        hand_free(&h);
    }
}

TEST(the_second_segment_is_acknowledged_at_once)
{
    struct hand h = start(false);

    give(&h, 0, 1460);
    give(&h, 1460, 1460);
    assert_int_equal(hand_drain(&h), 1);
    hand_wait(&h, NS_PER_S);
    assert_int_equal(hand_drain(&h), 0); /* the delayed one is not owed any more */
    hand_free(&h);
}

TEST(in_the_first_phase_every_segment_is_acknowledged_at_once)
{
    struct hand h = start(false);

    hand_conn(&h)->quick = 3;
    for (uint32_t i = 0; i < 3; i++) {
        give(&h, i * 100, 100);
        assert_int_equal(hand_drain(&h), 1);
    }
    give(&h, 300, 100);
    assert_int_equal(hand_drain(&h), 0);
    hand_free(&h);
}

TEST(quickack_acknowledges_each_segment_at_once)
{
    struct hand h = start(false);

    assert_int_equal(la_set_option(h.s, h.now, h.conn, LA_OPT_QUICKACK, 1), LA_OK);
    give(&h, 0, 100);
    assert_int_equal(hand_drain(&h), 1);
    hand_free(&h);
}

TEST(a_burst_in_order_draws_one_ack_per_eight_segments_and_one_for_the_rest)
{
    static const struct {
        uint32_t segments, acks;
    } cases[] = { { 2, 1 }, { 7, 1 }, { 8, 1 }, { 9, 1 }, { 10, 2 }, { 16, 2 }, { 40, 5 } };

    for (uint32_t i = 0; i < LA_COUNT_OF(cases); i++) {
        struct hand h = start(i & 1);

        give_burst(&h, cases[i].segments, 0, 1400);
        assert_int_equal(hand_drain(&h), cases[i].acks);
        hand_free(&h);
    }
}

TEST(in_the_first_phase_a_burst_draws_one_ack_per_two_segments)
{
    struct hand h = start(false);

    hand_conn(&h)->quick = 16;
    give_burst(&h, 8, 0, 1400);
    assert_int_equal(hand_drain(&h), 4);
    hand_free(&h);
}

TEST(a_segment_that_was_merged_by_the_driver_counts_as_many)
{
    struct hand h = start(false);

    give(&h, 0, 1);
    hand_wait(&h, NS_PER_S);
    hand_drain(&h);
    hand_conn(&h)->ack_segs = 0;
    ack_text(h.t, hand_ci(&h), 8000, 8);
    assert_true(hand_conn(&h)->ack_now);
    hand_free(&h);
}

TEST(text_out_of_order_duplicates_and_the_filling_of_a_hole_are_acknowledged_one_by_one)
{
    struct hand h = start(false);
    const char *burst[] = {
        "ACK rcv 101 snd 1 len 100 wnd 65535", /* above a hole */
        "ACK rcv 201 snd 1 len 100 wnd 65535", /* still */
        "ACK rcv 101 snd 1 len 100 wnd 65535", /* again */
        "ACK rcv 1 snd 1 len 100 wnd 65535",   /* fills it */
        "ACK rcv 1 snd 1 len 100 wnd 65535",   /* old */
        NULL,
    };
    struct tcp_seg seg;

    hand_burst(&h, burst);
    for (uint32_t i = 0; i < 5; i++) {
        assert_true(hand_tx_seg(&h, &seg));
        assert_int_equal(seq_diff(h.irs, seg.ack), i < 3 ? 1 : 301);
    }
    assert_false(hand_tx_seg(&h, &seg));
    hand_free(&h);
}

TEST(an_ack_that_rides_on_text_settles_the_debt)
{
    struct hand h = start(false);

    give(&h, 0, 100);
    assert_int_equal(la_send(h.s, h.now, h.conn, "reply", 5, 0), 5);
    assert_int_equal(hand_drain(&h), 1);
    assert_int_equal(hand_conn(&h)->deadline[TCP_DL_DELACK].ns, UINT64_MAX);
    hand_wait(&h, 100 * NS_PER_MS);
    assert_int_equal(hand_drain(&h), 0);
    hand_free(&h);
}

TEST(acks_of_unacceptable_segments_come_at_most_once_in_half_a_second)
{
    struct hand h = start(false);

    for (uint32_t i = 0; i < 10; i++)
        hand_rx(&h, "RST rcv 5");
    assert_int_equal(hand_drain(&h), 1);
    assert_int_equal(la_counter(h.s, LA_COUNT_TCPChallengeACK), 1);
    assert_int_equal(la_counter(h.s, LA_COUNT_TCPACKSkippedChallenge), 9);
    hand_wait(&h, 500 * NS_PER_MS - 1);
    hand_rx(&h, "RST rcv 5");
    assert_int_equal(hand_drain(&h), 0);
    hand_wait(&h, 1);
    hand_rx(&h, "RST rcv 5");
    assert_int_equal(hand_drain(&h), 1);
    hand_free(&h);
}

TEST(the_limit_holds_at_a_clock_that_begins_at_zero)
{
    struct hand h;

    hand_new(&h, &(struct hand_opt){ .start_ns = 1 });
    hand_establish(&h, NULL);
    h.t->env.now.ns = 0;
    assert_true(ack_invalid(h.t, hand_ci(&h), LA_COUNT_TCPACKSkippedSeq));
    assert_false(ack_invalid(h.t, hand_ci(&h), LA_COUNT_TCPACKSkippedSeq));
    h.t->env.now.ns = 1;
    hand_free(&h);
}

TEST_MAIN
