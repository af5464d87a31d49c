/* SPDX-License-Identifier: MIT */
/* cc_hystart_test.c - HyStart++: the figures and steps of RFC 9406 4.2 and 4.3; trains of ACKs. */
#include "tests/unit/base_test.h"
#include "tests/unit/hand.h"

#define MSS 1000u

static struct hand start(void)
{
    struct hand h;

    hand_new(&h, NULL);
    assert_int_equal(la_sysctl_write(h.s, "net.ipv4.tcp_congestion_control", "cubic"), LA_OK);
    hand_establish(&h, NULL);
    hand_conn(&h)->snd_mss = MSS;
    hand_conn(&h)->cwnd = 20 * MSS;
    return h;
}

/* @acks ACKs of a segment each, all with the same RTT. */
static void acks_of(struct hand *h, uint32_t acks, uint32_t rtt_us)
{
    struct tcp_conn *c = hand_conn(h);

    for (uint32_t i = 0; i < acks; i++) {
        c->snd.nxt = seq_add(c->snd.una, 200 * MSS);
        c->flight_peak = c->cwnd;
        cc_on_ack(h->t, c, &(struct cc_ack){ .acked = MSS, .rtt_us = rtt_us });
    }
}

/* The same, of which the last ends the round. */
static void a_round(struct hand *h, uint32_t acks, uint32_t rtt_us)
{
    struct tcp_conn *c = hand_conn(h);

    acks_of(h, acks - 1, rtt_us);
    c->snd.una = seq_add(c->snd.una, 200 * MSS);
    acks_of(h, 1, rtt_us);
}

static uint32_t growth(struct hand *h, uint32_t acks, uint32_t rtt_us)
{
    const uint32_t before = hand_conn(h)->cwnd;

    acks_of(h, acks, rtt_us);
    return hand_conn(h)->cwnd - before;
}

TEST(with_a_steady_rtt_slow_start_goes_on)
{
    struct hand h = start();

    for (uint32_t i = 0; i < 20; i++) {
        const uint32_t before = hand_conn(&h)->cwnd;

        a_round(&h, 10, 40000);
        assert_int_equal(hand_conn(&h)->cwnd - before, 10 * MSS);
    }
    assert_int_equal(hand_conn(&h)->ssthresh, CC_CWND_MAX);
    hand_free(&h);
}

TEST(a_rise_by_an_eighth_slows_it_and_five_rounds_later_it_ends)
{
    struct hand h = start();
    struct tcp_conn *c = hand_conn(&h);

    a_round(&h, 10, 80000);
    a_round(&h, 10, 80000);
    /* 80 ms / 8 = 10 ms.  The eighth sample decides; two of ten ACKs are counted a quarter. */
    assert_int_equal(growth(&h, 10, 90000), 8 * MSS + 2 * MSS / 4);
    a_round(&h, 1, 90000);
    for (uint32_t i = 0; i < 4; i++) {
        assert_int_equal(c->ssthresh, CC_CWND_MAX);
        a_round(&h, 12, 90000);
    }
    assert_int_equal(c->ssthresh, c->cwnd); /* the round in which it began counts too */
    assert_int_equal(la_counter(h.s, LA_COUNT_TCPHystartDelayDetect), 1);
    assert_int_equal(la_counter(h.s, LA_COUNT_TCPHystartDelayCwnd), c->cwnd / MSS);
    hand_free(&h);
}

TEST(a_rise_below_the_threshold_is_none)
{
    static const uint32_t cases[][2] = { { 80000, 89999 }, /* an eighth */
                                         { 8000, 11999 },  /* 4 ms at least */
                                         { 400000, 415999 } /* 16 ms at most */ };

    for (uint32_t i = 0; i < LA_COUNT_OF(cases); i++) {
        for (uint32_t more = 0; more < 2; more++) {
            struct hand h = start();

            a_round(&h, 10, cases[i][0]);
            a_round(&h, 10, cases[i][0]);
            acks_of(&h, 8, cases[i][1] + more);
            assert_int_equal(growth(&h, 4, cases[i][1] + more), more ? MSS : 4 * MSS);
            hand_free(&h);
        }
    }
}

TEST(a_round_of_fewer_than_eight_samples_decides_nothing)
{
    struct hand h = start();

    a_round(&h, 10, 40000);
    a_round(&h, 10, 40000);
    assert_int_equal(growth(&h, 6, 90000), 6 * MSS);
    a_round(&h, 1, 90000);
    assert_int_equal(growth(&h, 7, 90000), 7 * MSS);
    hand_free(&h);
}

TEST(when_the_rtt_falls_again_it_was_jitter)
{
    struct hand h = start();

    a_round(&h, 10, 80000);
    a_round(&h, 10, 80000);
    a_round(&h, 10, 95000);
    assert_int_equal(growth(&h, 4, 95000), MSS);
    a_round(&h, 10, 81000);
    assert_int_equal(growth(&h, 10, 81000), 10 * MSS);
    assert_int_equal(hand_conn(&h)->ssthresh, CC_CWND_MAX);
    hand_free(&h);
}

TEST(the_tail_of_a_train_is_not_the_first_of_the_next_round)
{
    struct hand h = start();
    struct tcp_conn *c = hand_conn(&h);

    a_round(&h, 10, 80000);
    /* What the last ACK of a round lets go belongs to that round: eight long samples more. */
    c->snd.nxt = seq_add(c->snd.una, 8 * MSS);
    for (uint32_t i = 0; i < 8; i++) {
        c->snd.una = seq_add(c->snd.una, MSS);
        c->flight_peak = c->cwnd;
        cc_on_ack(h.t, c, &(struct cc_ack){ .acked = MSS, .rtt_us = 79000 });
    }
    assert_int_equal(growth(&h, 8, 89000), 8 * MSS);
    assert_int_equal(growth(&h, 4, 89000), MSS);
    hand_free(&h);
}

/* ACKs of a segment each, @gap_us apart, with an RTT that says nothing, for @us.  Return: over? */
static bool train(struct hand *h, uint32_t gap_us, uint32_t us)
{
    struct tcp_conn *c = hand_conn(h);

    for (uint32_t at_us = 0; at_us <= us && c->ssthresh == CC_CWND_MAX; at_us += gap_us) {
        c->snd.nxt = seq_add(c->snd.una, 200 * MSS);
        c->flight_peak = c->cwnd;
        cc_on_ack(h->t, c, &(struct cc_ack){ .acked = MSS });
        h->t->env.now.ns += gap_us * NS_PER_US;
    }
    return c->ssthresh < CC_CWND_MAX;
}

TEST(acks_that_come_for_half_of_the_least_rtt_end_it)
{
    static const uint32_t cases[][3] = {
        { 80000, 10000, 40000 }, /* a gap of an eighth */
        { 400, 100, 200 },       /* of a quarter */
        { 9000, 2000, 4000 },    /* of 2 ms */
    };
    for (uint32_t i = 0; i < LA_COUNT_OF(cases); i++) {
        struct hand h = start();
        struct tcp_conn *c = hand_conn(&h);
        const uint32_t gap_us = cases[i][1], half_us = cases[i][2];

        c->min_rtt_us = cases[i][0];
        assert_true(!train(&h, gap_us, half_us));
        h.t->env.now.ns += gap_us * NS_PER_US; /* the train ends: another begins */
        assert_true(!train(&h, gap_us, half_us));
        assert_true(train(&h, gap_us, half_us));
        assert_int_equal(c->ssthresh, c->cwnd);
        assert_int_equal(la_counter(h.s, LA_COUNT_TCPHystartTrainDetect), 1);
        assert_int_equal(la_counter(h.s, LA_COUNT_TCPHystartTrainCwnd), c->cwnd / MSS);
        assert_int_equal(la_counter(h.s, LA_COUNT_TCPHystartDelayDetect), 0);
        hand_free(&h);
    }
}

TEST(where_it_is_paced_a_train_must_last_for_three_quarters)
{
    struct hand h = start();

    assert_int_equal(la_sysctl_set(h.s, "net.lastack.tcp_pacing", 2), LA_OK);
    hand_conn(&h)->min_rtt_us = 80000;
    assert_true(!train(&h, 10000, 60000));
    assert_true(train(&h, 10000, 20000));
    hand_free(&h);
}

TEST(a_train_of_a_small_window_says_nothing)
{
    struct hand h = start();

    hand_conn(&h)->min_rtt_us = 80000;
    hand_conn(&h)->cwnd = 4 * MSS;
    assert_true(!train(&h, 5000, 11 * 5000 - 1)); /* to 15 segments */
    assert_true(train(&h, 5000, 1));
    hand_free(&h);
}

TEST(after_a_loss_slow_start_is_the_common_one)
{
    struct hand h = start();
    struct tcp_conn *c = hand_conn(&h);

    a_round(&h, 10, 80000);
    cc_on_rto(h.t, c, true);
    c->ssthresh = 500 * MSS;
    for (uint32_t i = 0; i < 6; i++) {
        assert_int_equal(growth(&h, 10, 80000 + i * 30000), 10 * MSS);
        a_round(&h, 1, 80000 + i * 30000);
    }
    hand_free(&h);
}

TEST_MAIN
