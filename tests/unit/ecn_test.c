/* SPDX-License-Identifier: MIT */
/* ecn_test.c - RFC 3168: who asks, who marks, who echoes, who gives way. */
#include "tests/unit/base_test.h"
#include "tests/unit/hand.h"

#define MSS 1000u
#define N 10u

static struct hand begin(bool v6, uint32_t knob)
{
    struct hand h;

    hand_new(&h, &(struct hand_opt){ .v6 = v6 });
    assert_int_equal(la_sysctl_set(h.s, "net.ipv4.tcp_ecn", knob), LA_OK);
    return h;
}

/* An active open towards a peer that agrees, with N segments to send. */
static struct hand agreed(bool v6)
{
    static uint8_t bytes[4 * N * MSS];
    struct hand h = begin(v6, 1);

    hand_open(&h);
    assert_string_equal(strstr(hand_tx(&h), "SYN ECE CWR") ? "asks" : h.line, "asks");
    assert_int_equal(h.tx_ecn, 0); /* 6.1.1: never on a SYN */
    hand_rx(&h, "SYN ACK ECE rcv 0 snd 1 wnd 65535 mss 1000");
    assert_int_equal(hand_drain(&h), 1);
    assert_true(hand_conn(&h)->ecn);
    hand_conn(&h)->cwnd = N * MSS;
    assert_int_equal(la_send(h.s, h.now, h.conn, bytes, sizeof bytes, 0), sizeof bytes);
    return h;
}

static void ack(struct hand *h, uint32_t segs, uint8_t flags)
{
    struct tcp_seg seg = { .flags = TCP_ACK | flags,
                           .seq = seq_add(h->irs, 1),
                           .ack = seq_add(h->iss, 1 + segs * MSS),
                           .wnd = 65535 };

    hand_rx_seg(h, &seg);
}

TEST(a_syn_asks_only_if_the_knob_is_one)
{
    for (uint32_t knob = 0; knob <= 2; knob++) {
        struct hand h = begin(false, knob);
        struct tcp_seg seg;

        hand_open(&h);
        assert_true(hand_tx_seg(&h, &seg));
        assert_int_equal(seg.flags, knob == 1 ? TCP_SYN | TCP_ECE | TCP_CWR : TCP_SYN);
        hand_rx(&h, "SYN ACK ECE rcv 0 snd 1 wnd 65535 mss 1000");
        assert_int_equal(hand_conn(&h)->ecn, knob == 1);
        hand_free(&h);
    }
}

TEST(a_syn_that_is_sent_again_asks_only_without_fallback)
{
    for (uint32_t fallback = 0; fallback < 2; fallback++) {
        struct hand h = begin(false, 1);
        struct tcp_seg seg;

        assert_int_equal(la_sysctl_set(h.s, "net.ipv4.tcp_ecn_fallback", fallback), LA_OK);
        hand_open(&h);
        hand_drain(&h);
        hand_rto(&h);
        assert_true(hand_tx_seg(&h, &seg));
        assert_int_equal(seg.flags, fallback ? TCP_SYN : TCP_SYN | TCP_ECE | TCP_CWR);
        hand_free(&h);
    }
}

TEST(an_answer_that_does_not_agree_ends_it)
{
    static const char *const answers[] = { "SYN ACK rcv 0 snd 1 wnd 65535 mss 1000",
                                           "SYN ACK ECE CWR rcv 0 snd 1 wnd 65535 mss 1000",
                                           "SYN ACK CWR rcv 0 snd 1 wnd 65535 mss 1000" };

    for (uint32_t i = 0; i < LA_COUNT_OF(answers); i++) {
        struct hand h = begin(false, 1);

        hand_open(&h);
        hand_drain(&h);
        hand_rx(&h, answers[i]);
        assert_int_equal(hand_state(&h), LA_ESTABLISHED);
        assert_false(hand_conn(&h)->ecn);
        hand_free(&h);
    }
}

TEST(a_listener_agrees_unless_it_may_not_or_the_syn_was_rewritten)
{
    for (uint32_t i = 0; i < 12; i++) {
        const bool asks = i % 2, rewritten = i / 2 % 2;
        const uint32_t knob = i / 4;
        struct hand h = begin(i % 3 == 0, knob);
        struct tcp_seg seg;

        hand_listen(&h);
        h.rx_ecn = rewritten ? 2 : 0;
        hand_rx(&h, asks ? "SYN ECE CWR rcv 0 wnd 65535 mss 1000" : "SYN rcv 0 wnd 65535 mss 1000");
        assert_true(hand_tx_seg(&h, &seg));
        assert_int_equal(seg.flags & (TCP_ECE | TCP_CWR),
                         asks && knob > 0 && !rewritten ? TCP_ECE : 0);
        assert_int_equal(h.tx_ecn, 0);
        hand_free(&h);
    }
}

TEST(new_text_carries_ect_and_nothing_else_does)
{
    for (uint32_t v6 = 0; v6 < 2; v6++) {
        struct hand h = agreed(v6 != 0);
        struct tcp_seg seg;

        for (uint32_t i = 0; i < N; i++) {
            assert_true(hand_tx_seg(&h, &seg));
            assert_int_equal(h.tx_ecn, 2);
        }
        hand_rx(&h, "ACK rcv 1 snd 1 len 100 wnd 65535");
        hand_rx(&h, "ACK rcv 200 snd 1 len 100 wnd 65535"); /* a hole: an ACK at once */
        assert_true(hand_tx_seg(&h, &seg));
        assert_int_equal(seg.len, 0);
        assert_int_equal(h.tx_ecn, 0);
        hand_drain(&h);
        hand_rto(&h);
        assert_true(hand_tx_seg(&h, &seg));
        assert_true(seq_eq(seg.seq, seq_add(h.iss, 1)) && seg.len == MSS);
        assert_int_equal(h.tx_ecn, 0);
        hand_free(&h);
    }
}

TEST(an_echo_halves_the_window_once_in_a_round_trip_and_is_confirmed)
{
    struct hand h = agreed(false);
    struct tcp_conn *c = hand_conn(&h);
    struct tcp_seg seg;

    assert_int_equal(hand_drain(&h), N);
    ack(&h, 1, TCP_ECE);
    assert_int_equal(c->cwnd, N * MSS / 2);
    assert_int_equal(c->ssthresh, N * MSS / 2);
    ack(&h, 3, TCP_ECE);
    assert_int_equal(c->cwnd, N * MSS / 2);
    assert_int_equal(hand_drain(&h), 0);
    ack(&h, 7, TCP_ECE); /* there is room again: three in flight, five allowed */
    assert_true(hand_tx_seg(&h, &seg));
    assert_int_equal(seg.flags & (TCP_ECE | TCP_CWR), TCP_CWR);
    assert_int_equal(seg.len, MSS);
    assert_true(hand_tx_seg(&h, &seg));
    assert_int_equal(seg.flags & (TCP_ECE | TCP_CWR), 0);
    ack(&h, 10, 0);
    hand_drain(&h);
    assert_int_equal(c->cwnd, N * MSS / 2); /* no growth before the round trip is over */
    ack(&h, 11, TCP_ECE);                   /* what was sent after it: congestion again */
    assert_true(c->cwnd < N * MSS / 2);
    assert_int_equal(la_counter(h.s, LA_COUNT_TCPDeliveredCE), 4);
    assert_null(la_check(h.s));
    hand_free(&h);
}

/* The same connection, whose peer has SACK as well. */
static struct hand agreed_with_sack(void)
{
    static uint8_t bytes[8 * N * MSS];
    struct hand h = begin(false, 1);

    hand_open(&h);
    hand_drain(&h);
    hand_rx(&h, "SYN ACK ECE rcv 0 snd 1 wnd 65535 mss 1000 sackOK");
    hand_drain(&h);
    assert_true(hand_conn(&h)->ecn && hand_conn(&h)->sack);
    hand_conn(&h)->cwnd = N * MSS;
    assert_int_equal(la_send(h.s, h.now, h.conn, bytes, sizeof bytes, 0), sizeof bytes);
    assert_int_equal(hand_drain(&h), N);
    return h;
}

TEST(with_sack_what_is_in_flight_comes_down_over_a_round_trip)
{
    struct hand h = agreed_with_sack();
    struct tcp_conn *c = hand_conn(&h);
    uint32_t sent = 0;

    for (uint32_t i = 1; i <= 4; i++) { /* RFC 9937: one segment for two that arrive */
        ack(&h, i, TCP_ECE);
        sent += hand_drain(&h);
        assert_int_equal(c->ssthresh, N * MSS / 2);
        assert_int_equal(sent, i / 2);
        assert_null(la_check(h.s));
    }
    ack(&h, 9, 0);
    hand_drain(&h);
    ack(&h, 10, 0); /* what was in flight at the echo has arrived */
    assert_int_equal(c->cwnd, N * MSS / 2);
    assert_int_equal(la_counter(h.s, LA_COUNT_TCPSackRecovery), 0);
    hand_free(&h);
}

TEST(a_loss_in_the_round_trip_of_an_echo_reduces_nothing_further)
{
    struct hand h = agreed_with_sack();
    struct tcp_conn *c = hand_conn(&h);

    ack(&h, 1, TCP_ECE);
    hand_drain(&h);
    hand_rx(&h, "ACK rcv 1 snd 1001 wnd 65535 sack 2001:5001");
    assert_true(c->in_recovery);
    assert_int_equal(c->ssthresh, N * MSS / 2);
    assert_int_equal(hand_drain(&h) > 0, true);
    assert_null(la_check(h.s));
    hand_free(&h);
}

TEST(without_agreement_an_echo_means_nothing)
{
    static uint8_t bytes[N * MSS];
    struct hand h = begin(false, 2);

    hand_establish(&h, &(struct hand_opt){ .syn = "wnd 65535 mss 1000" });
    assert_int_equal(la_send(h.s, h.now, h.conn, bytes, sizeof bytes, 0), sizeof bytes);
    hand_drain(&h);
    const uint32_t before = hand_conn(&h)->cwnd;
    ack(&h, 1, TCP_ECE);
    assert_true(hand_conn(&h)->cwnd >= before);
    hand_free(&h);
}

TEST(a_mark_is_echoed_until_the_peer_has_given_way)
{
    for (uint32_t v6 = 0; v6 < 2; v6++) {
        struct hand h = agreed(v6 != 0);
        struct tcp_seg seg;

        hand_drain(&h);
        ack(&h, N, 0);
        hand_drain(&h);
        h.rx_ecn = 3;
        hand_rx(&h, "ACK rcv 1 snd 1 len 500 wnd 65535");
        assert_true(hand_tx_seg(&h, &seg)); /* at once */
        assert_int_equal(seg.flags & (TCP_ECE | TCP_CWR), TCP_ECE);
        h.rx_ecn = 2;
        for (uint32_t i = 0; i < 3; i++) {
            struct tcp_seg text = { .flags = TCP_ACK,
                                    .seq = hand_conn(&h)->rcv.nxt,
                                    .ack = hand_conn(&h)->snd.una,
                                    .wnd = 65535,
                                    .len = 500 };

            hand_rx_seg(&h, &text);
            ack_now(h.t, hand_ci(&h));
            ack_flush(h.t, hand_ci(&h));
            assert_true(hand_tx_seg(&h, &seg));
            assert_int_equal(seg.flags & (TCP_ECE | TCP_CWR), TCP_ECE);
            hand_drain(&h);
        }
        struct tcp_seg cwr = { .flags = TCP_ACK | TCP_CWR,
                               .seq = hand_conn(&h)->rcv.nxt,
                               .ack = hand_conn(&h)->snd.una,
                               .wnd = 65535,
                               .len = 500 };
        hand_rx_seg(&h, &cwr);
        assert_false(hand_conn(&h)->ecn_echo);
        h.rx_ecn = 3;
        cwr.text = NULL;
        cwr.seq = hand_conn(&h)->rcv.nxt;
        hand_rx_seg(&h, &cwr); /* it gives way and is marked again */
        assert_true(hand_conn(&h)->ecn_echo);
        assert_int_equal(la_counter(h.s, LA_COUNT_InCEPkts), 2);
        assert_int_equal(la_counter(h.s, LA_COUNT_InECT0Pkts), 4);
        hand_free(&h);
    }
}

TEST(an_echo_in_a_recovery_is_confirmed_and_reduces_nothing)
{
    struct hand h = agreed_with_sack();
    struct tcp_conn *c = hand_conn(&h);
    struct tcp_seg seg;

    hand_rx(&h, "ACK rcv 1 snd 1 wnd 65535 sack 1001:4001");
    assert_true(c->in_recovery);
    hand_drain(&h);
    const uint32_t ssthresh = c->ssthresh;
    hand_rx(&h, "ACK ECE rcv 1 snd 1 wnd 65535 sack 1001:9001");
    assert_int_equal(c->ssthresh, ssthresh);
    assert_false(c->ecn_reduced); /* the loss has done that */
    assert_true(c->ecn_cwr);
    bool confirmed = false;
    while (hand_tx_seg(&h, &seg)) /* with new text, and only there */
        if (seg.flags & TCP_CWR) {
            assert_true(seq_ge(seg.seq, seq_add(h.iss, 1 + N * MSS)));
            confirmed = true;
        }
    assert_true(confirmed);
    assert_null(la_check(h.s));
    hand_free(&h);
}

TEST(an_echo_with_nothing_in_flight_or_on_a_syn_tells_nothing)
{
    struct hand h = agreed(false);
    struct tcp_conn *c = hand_conn(&h);

    for (uint32_t i = 0; i < 20 && (i == 0 || conn_flight(c) > 0); i++) {
        hand_drain(&h);
        ack(&h, seq_diff(seq_add(h.iss, 1), c->snd.nxt) / MSS, 0);
    }
    const uint32_t cwnd = c->cwnd;
    assert_int_equal(conn_flight(c), 0);
    ack(&h, 4 * N, TCP_ECE);
    assert_int_equal(c->cwnd, cwnd);
    assert_int_equal(la_counter(h.s, LA_COUNT_TCPDeliveredCE), 0);
    hand_free(&h);
}

TEST(a_mark_on_an_ack_without_text_is_not_echoed)
{
    struct hand h = agreed(false);
    struct tcp_conn *c = hand_conn(&h);

    hand_drain(&h);
    h.rx_ecn = 3;
    ack(&h, 1, 0);
    assert_false(c->ecn_echo);
    hand_free(&h);
}

TEST(marks_that_follow_each_other_are_one_echo)
{
    struct hand h = agreed(false);
    struct tcp_seg seg;

    hand_drain(&h);
    ack(&h, N, 0);
    hand_drain(&h);
    h.rx_ecn = 3;
    hand_rx(&h, "ACK rcv 1 snd 1 len 500 wnd 65535");
    assert_true(hand_tx_seg(&h, &seg)); /* the first goes at once */
    hand_rx(&h, "ACK rcv 501 snd 1 len 500 wnd 65535");
    assert_true(hand_conn(&h)->ecn_echo);
    while (hand_tx_seg(&h, &seg))
        assert_int_equal(seg.flags & TCP_ECE, TCP_ECE);
    hand_free(&h);
}

TEST_MAIN
