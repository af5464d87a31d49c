/* SPDX-License-Identifier: MIT */
/* reply_test.c - Answers at once: the reset of 3.10.7.1, their order, and a full ring. */
#include "tests/unit/base_test.h"
#include "tests/unit/hand.h"

TEST(the_reset_for_nobody_is_formed_from_the_segment_alone)
{
    static const struct {
        const char *in, *out;
    } cases[] = {
        { "ACK rcv 100 snd 7 wnd 5", "RST snd 7 wnd 0" },
        { "ACK rcv 100 snd 7 len 9 wnd 5", "RST snd 7 wnd 0" },
        { "SYN rcv 100 wnd 5", "RST ACK snd 0 rcv 101 wnd 0" },
        { "SYN FIN rcv 100 len 3 wnd 5", "RST ACK snd 0 rcv 105 wnd 0" },
        { "FIN rcv 100 len 3 wnd 5", "RST ACK snd 0 rcv 104 wnd 0" },
        { "none rcv 100 len 3 wnd 5", "RST ACK snd 0 rcv 103 wnd 0" },
        { "SYN ACK rcv 100 snd 7 wnd 5", "RST snd 7 wnd 0" },
        { "RST rcv 100", "" },
        { "RST ACK rcv 100 snd 7", "" },
    };

    for (int v6 = 0; v6 < 2; v6++)
        for (uint32_t i = 0; i < LA_COUNT_OF(cases); i++) {
            struct hand h;

            hand_new(&h, &(struct hand_opt){ .v6 = v6 });
            hand_rx(&h, cases[i].in);
            assert_string_equal(hand_tx(&h), cases[i].out);
            assert_string_equal(hand_tx(&h), "");
            hand_free(&h);
        }
}

TEST(the_reset_has_sequence_number_zero_wherever_our_own_numbers_are)
{
    struct hand h;
    struct tcp_seg seg;

    hand_new(&h, &(struct hand_opt){ .irs = 0xffffffff });
    hand_rx(&h, "SYN rcv 0 wnd 5");
    assert_true(hand_tx_seg(&h, &seg));
    assert_int_equal(seq_raw(seg.seq), 0);
    assert_int_equal(seq_raw(seg.ack), 0);
    hand_free(&h);
}

TEST(answers_leave_in_the_order_they_were_decided_before_anything_else)
{
    struct hand h;
    struct tcp_seg seg;

    hand_new(&h, NULL);
    hand_establish(&h, NULL);
    assert_int_equal(la_send(h.s, h.now, h.conn, "text", 4, 0), 4);
    const uint16_t port = h.rport;
    for (h.rport = 6000; h.rport < 6005; h.rport++)
        hand_rx(&h, "ACK rcv 1 snd 1 wnd 5");
    h.rport = port;
    for (uint16_t i = 0; i < 5; i++) {
        assert_true(hand_tx_seg(&h, &seg));
        assert_int_equal(seg.dst_port, 6000 + i);
    }
    assert_true(hand_tx_seg(&h, &seg));
    assert_int_equal(seg.len, 4);
    hand_free(&h);
}

TEST(a_full_ring_drops_an_answer_and_counts_it)
{
    struct hand h;

    hand_new(&h, NULL); /* 64 slots */
    for (h.rport = 1; h.rport <= 70; h.rport++)
        hand_rx(&h, "ACK rcv 1 snd 1 wnd 5");
    assert_int_equal(la_drops(h.s, LA_DROP_REPLIES_FULL), 6);
    assert_int_equal(la_table_use(h.s, LA_TABLE_REPLIES).used, 64);
    assert_int_equal(la_table_use(h.s, LA_TABLE_REPLIES).used_max, 64);
    assert_int_equal(hand_drain(&h), 64);
    assert_int_equal(la_counter(h.s, LA_COUNT_OutRsts), 64);
    hand_rx(&h, "ACK rcv 1 snd 1 wnd 5");
    assert_int_equal(hand_drain(&h), 1); /* round the ring */
    hand_free(&h);
}

TEST(an_acknowledgment_that_finds_the_ring_full_goes_with_the_next_segment_instead)
{
    struct hand h;
    struct tcp_seg seg;

    hand_new(&h, NULL);
    hand_establish(&h, NULL);
    const uint16_t port = h.rport;
    for (h.rport = 6000; h.rport < 6064; h.rport++)
        hand_rx(&h, "ACK rcv 1 snd 1 wnd 5");
    h.rport = port;
    hand_rx(&h, "FIN ACK rcv 1 snd 1 wnd 5");
    for (uint32_t i = 0; i < 64; i++)
        assert_true(hand_tx_seg(&h, &seg));
    assert_true(hand_tx_seg(&h, &seg));
    assert_int_equal(seg.flags, TCP_ACK);
    assert_int_equal(seq_diff(h.irs, seg.ack), 2);
    assert_false(hand_tx_seg(&h, &seg));
    hand_free(&h);
}

TEST(the_acks_of_a_short_record_keep_to_their_rate)
{
    struct hand h;

    hand_new(&h, NULL);
    hand_establish(&h, NULL);
    assert_int_equal(la_close(h.s, h.now, h.conn), LA_OK);
    hand_drain(&h);
    hand_rx(&h, "FIN ACK rcv 1 snd 2 wnd 5");
    hand_drain(&h);
    hand_wait(&h, NS_PER_S);
    for (uint32_t i = 0; i < 5; i++)
        hand_rx(&h, "ACK rcv 2 snd 100 wnd 5"); /* of what was never sent */
    assert_int_equal(hand_drain(&h), 1);
    assert_int_equal(la_counter(h.s, LA_COUNT_TCPACKSkippedTimeWait), 4);
    hand_wait(&h, 500 * NS_PER_MS);
    hand_rx(&h, "ACK rcv 2 snd 100 wnd 5");
    assert_int_equal(hand_drain(&h), 1);
    hand_free(&h);
}

TEST(every_segment_that_is_no_repeat_counts_as_sent)
{
    struct hand h;

    hand_new(&h, NULL);
    hand_establish(&h, NULL); /* SYN, ACK */
    assert_int_equal(la_counter(h.s, LA_COUNT_OutSegs), 2);
    hand_rx(&h, "ACK rcv 9 snd 1 len 1 wnd 5");
    assert_int_equal(hand_drain(&h), 1);
    assert_int_equal(la_counter(h.s, LA_COUNT_OutSegs), 3);
    h.rport++;
    hand_rx(&h, "ACK rcv 1 snd 1 wnd 5");
    assert_int_equal(hand_drain(&h), 1);
    assert_int_equal(la_counter(h.s, LA_COUNT_OutSegs), 4);
    hand_free(&h);
}

TEST_MAIN
