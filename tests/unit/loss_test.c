/* SPDX-License-Identifier: MIT */
/* loss_test.c - Duplicate ACKs, fast recovery and the RTO (RFC 5681, 6582). */
#include "tests/unit/base_test.h"
#include "tests/unit/hand.h"

#define MSS 1000u
#define N 10u

/* Ten segments are in flight. */
static struct hand start(uint32_t iss)
{
    static uint8_t bytes[N * MSS];
    struct hand h;

    hand_new(&h, &(struct hand_opt){ .iss = iss });
    hand_establish(&h, &(struct hand_opt){ .syn = "wnd 65535 mss 1000" });
    assert_int_equal(la_send(h.s, h.now, h.conn, bytes, sizeof bytes, 0), sizeof bytes);
    assert_int_equal(hand_drain(&h), N);
    return h;
}

static void dupack(struct hand *h)
{
    struct tcp_seg seg = {
        .flags = TCP_ACK, .seq = seq_add(h->irs, 1), .ack = hand_conn(h)->snd.una, .wnd = 65535
    };

    hand_rx_seg(h, &seg);
}

static void ack(struct hand *h, uint32_t segments)
{
    struct tcp_seg seg = { .flags = TCP_ACK,
                           .seq = seq_add(h->irs, 1),
                           .ack = seq_add(h->iss, 1 + segments * MSS),
                           .wnd = 65535 };

    hand_rx_seg(h, &seg);
}

TEST(the_third_duplicate_sends_the_first_segment_again_and_halves_the_window)
{
    const uint32_t origins[] = { 0, 0x7fffffff, 0xffffffff, 0xfffff000 };

    for (uint32_t i = 0; i < 4; i++) {
        struct hand h = start(origins[i]);
        struct tcp_seg seg;

        dupack(&h);
        dupack(&h);
        assert_int_equal(hand_drain(&h), 0); /* nothing new to send: no limited transmit */
        dupack(&h);
        assert_true(hand_tx_seg(&h, &seg));
        assert_true(seq_eq(seg.seq, seq_add(h.iss, 1)));
        assert_int_equal(seg.len, MSS);
        assert_false(hand_tx_seg(&h, &seg));
        assert_true(hand_conn(&h)->in_recovery);
        assert_int_equal(hand_conn(&h)->ssthresh, N * MSS / 2);
        assert_int_equal(hand_conn(&h)->cwnd, N * MSS / 2 + 3 * MSS);
        assert_int_equal(la_counter(h.s, LA_COUNT_TCPRenoRecovery), 1);
        for (uint32_t k = 0; k < 4; k++)
            dupack(&h);
        assert_int_equal(hand_drain(&h), 0); /* and only once */
        assert_int_equal(hand_conn(&h)->cwnd, N * MSS / 2 + 7 * MSS);
        hand_free(&h);
    }
}

TEST(the_first_two_duplicates_let_a_new_segment_go_each)
{
    static uint8_t bytes[5 * MSS];
    struct hand h = start(0);

    hand_conn(&h)->cwnd = N * MSS;
    assert_int_equal(la_send(h.s, h.now, h.conn, bytes, sizeof bytes, 0), sizeof bytes);
    assert_int_equal(hand_drain(&h), 0);
    dupack(&h); /* RFC 3042 */
    assert_int_equal(hand_drain(&h), 1);
    dupack(&h);
    assert_int_equal(hand_drain(&h), 1);
    hand_free(&h);
}

TEST(a_partial_ack_sends_the_next_hole_and_a_full_one_ends_recovery)
{
    struct hand h = start(0xfffffff0);
    struct tcp_seg seg;

    for (uint32_t k = 0; k < 3; k++)
        dupack(&h);
    hand_drain(&h);
    ack(&h, 4);
    assert_true(hand_tx_seg(&h, &seg));
    assert_true(seq_eq(seg.seq, seq_add(h.iss, 1 + 4 * MSS)));
    assert_true(hand_conn(&h)->in_recovery);
    ack(&h, N);
    assert_false(hand_conn(&h)->in_recovery);
    assert_int_equal(hand_conn(&h)->cwnd, N * MSS / 2);
    assert_int_equal(hand_drain(&h), 0);
    hand_free(&h);
}

TEST(what_looks_like_a_duplicate_but_says_something_else_does_not_count)
{
    struct hand h = start(0);

    for (uint32_t k = 0; k < 5; k++) {
        struct tcp_seg text = { .flags = TCP_ACK,
                                .seq = seq_add(h.irs, 1 + k),
                                .ack = seq_add(h.iss, 1),
                                .wnd = 65535,
                                .len = 1 };
        struct tcp_seg window = { .flags = TCP_ACK,
                                  .seq = seq_add(h.irs, 2 + k),
                                  .ack = seq_add(h.iss, 1),
                                  .wnd = 60000 + k };

        hand_rx_seg(&h, &text);
        hand_rx_seg(&h, &window);
    }
    assert_int_equal(hand_conn(&h)->dupacks, 0);
    ack(&h, N);
    for (uint32_t k = 0; k < 5; k++)
        dupack(&h); /* nothing is in flight */
    assert_int_equal(hand_conn(&h)->dupacks, 0);
    hand_free(&h);
}

TEST(after_an_rto_everything_goes_again_as_the_window_grows_from_one_segment)
{
    struct hand h = start(0x7ffffff0);
    struct tcp_seg seg;

    hand_rto(&h);
    assert_true(hand_tx_seg(&h, &seg));
    assert_true(seq_eq(seg.seq, seq_add(h.iss, 1)));
    assert_false(hand_tx_seg(&h, &seg));
    assert_int_equal(hand_conn(&h)->cwnd, MSS);
    assert_int_equal(hand_conn(&h)->ssthresh, N * MSS / 2);
    assert_int_equal(la_counter(h.s, LA_COUNT_TCPTimeouts), 1);
    ack(&h, 1);
    assert_true(hand_tx_seg(&h, &seg));
    assert_true(seq_eq(seg.seq, seq_add(h.iss, 1 + MSS)));
    assert_true(hand_tx_seg(&h, &seg));
    assert_true(seq_eq(seg.seq, seq_add(h.iss, 1 + 2 * MSS)));
    assert_false(hand_tx_seg(&h, &seg));
    for (uint32_t k = 0; k < 4; k++)
        dupack(&h); /* from before the RTO: no fast retransmission (RFC 6582 4) */
    assert_int_equal(hand_drain(&h), 0);
    ack(&h, N);
    assert_false(hand_conn(&h)->rto_recovery);
    assert_int_equal(hand_drain(&h), 0);
    assert_null(la_check(h.s));
    hand_free(&h);
}

TEST(a_second_rto_does_not_halve_again)
{
    struct hand h = start(0);

    hand_rto(&h);
    hand_drain(&h);
    hand_rto(&h);
    hand_drain(&h);
    assert_int_equal(hand_conn(&h)->ssthresh, N * MSS / 2);
    assert_int_equal(hand_conn(&h)->backoff, 2);
    hand_free(&h);
}

TEST(the_threshold_is_two_segments_at_least)
{
    struct hand h = start(0);

    ack(&h, N - 1);
    hand_conn(&h)->flight_peak = MSS;
    hand_rto(&h);
    assert_int_equal(hand_conn(&h)->ssthresh, 2 * MSS);
    hand_free(&h);
}

TEST(duplicates_without_end_are_counted_to_255)
{
    struct hand h = start(0);

    for (uint32_t k = 0; k < 300; k++)
        dupack(&h);
    assert_int_equal(hand_conn(&h)->dupacks, 255);
    assert_int_equal(la_counter(h.s, LA_COUNT_TCPRenoRecovery), 1);
    ack(&h, N);
    assert_int_equal(hand_conn(&h)->dupacks, 0);
    hand_free(&h);
}

/* A partial ACK of @bytes in a recovery whose window is @cwnd. */
static uint32_t deflated(uint32_t cwnd, uint32_t bytes)
{
    struct hand h = start(0x7fffff00);
    uint32_t after;

    for (uint32_t k = 0; k < 3; k++)
        dupack(&h);
    hand_drain(&h);
    hand_conn(&h)->cwnd = cwnd;
    hand_rx_seg(&h, &(struct tcp_seg){ .flags = TCP_ACK,
                                       .seq = seq_add(h.irs, 1),
                                       .ack = seq_add(h.iss, 1 + bytes),
                                       .wnd = 65535 });
    assert_true(hand_conn(&h)->in_recovery);
    after = hand_conn(&h)->cwnd;
    hand_free(&h);
    return after;
}

TEST(a_partial_ack_takes_from_the_window_what_it_acknowledges_and_leaves_a_segment)
{
    assert_int_equal(deflated(8 * MSS, 3 * MSS), 6 * MSS); /* RFC 6582 3.2: and a segment back */
    assert_int_equal(deflated(8 * MSS, MSS / 2), 8 * MSS - MSS / 2); /* less than a segment: none */
    assert_int_equal(deflated(4 * MSS, 9 * MSS), MSS);
    assert_int_equal(deflated(MSS, MSS / 2), MSS);
}

TEST_MAIN
