/* SPDX-License-Identifier: MIT */
/* cc_test.c - The congestion window: its beginning, how it grows, and after a rest. */
#include "tests/unit/base_test.h"
#include "tests/unit/hand.h"

static struct hand start(uint16_t mss)
{
    struct hand h;

    hand_new(&h, NULL);
    hand_establish(&h, NULL);
    hand_conn(&h)->snd_mss = mss;
    cc_init(h.t, hand_conn(&h));
    return h;
}

TEST(the_initial_window_is_that_of_rfc_6928)
{
    static const uint32_t cases[][2] = { { 536, 5360 },   { 1000, 10000 }, { 1460, 14600 },
                                         { 1461, 14600 }, { 4000, 14600 }, { 7300, 14600 },
                                         { 8000, 16000 }, { 9000, 18000 } };

    for (uint32_t i = 0; i < LA_COUNT_OF(cases); i++) {
        struct hand h = start((uint16_t)cases[i][0]);

        assert_int_equal(hand_conn(&h)->cwnd, cases[i][1]);
        assert_true(hand_conn(&h)->ssthresh >= 1u << 30);
        hand_free(&h);
    }
}

TEST(the_knob_sets_how_many_segments_it_holds)
{
    struct hand h;

    hand_new(&h, NULL);
    assert_int_equal(la_sysctl_set(h.s, "net.lastack.tcp_initial_cwnd", 3), LA_OK);
    hand_establish(&h, NULL);
    assert_int_equal(hand_conn(&h)->cwnd, 3 * 1460);
    hand_free(&h);
}

/* An ACK of @acked bytes while the window was full. */
static void on_ack(struct hand *h, uint32_t acked)
{
    struct tcp_conn *c = hand_conn(h);

    c->snd.nxt = seq_add(c->snd.una, 1); /* something is in flight */
    c->flight_peak = c->cwnd;
    cc_on_ack(h->t, c, &(struct cc_ack){ .acked = acked });
}

TEST(slow_start_grows_by_what_was_acknowledged_eight_segments_an_ack_at_most)
{
    struct hand h = start(1000);
    struct tcp_conn *c = hand_conn(&h);

    on_ack(&h, 1);
    assert_int_equal(c->cwnd, 10001);
    on_ack(&h, 2000);
    assert_int_equal(c->cwnd, 12001);
    on_ack(&h, 8000);
    assert_int_equal(c->cwnd, 20001);
    on_ack(&h, 50000);
    assert_int_equal(c->cwnd, 28001);
    hand_free(&h);
}

TEST(congestion_avoidance_grows_by_a_segment_for_each_window_acknowledged)
{
    struct hand h = start(1000);
    struct tcp_conn *c = hand_conn(&h);

    c->ssthresh = c->cwnd;
    for (uint32_t i = 0; i < 9; i++)
        on_ack(&h, 1000);
    assert_int_equal(c->cwnd, 10000);
    on_ack(&h, 1000);
    assert_int_equal(c->cwnd, 11000);
    for (uint32_t i = 0; i < 1100; i++) /* dividing ACKs gains nothing */
        on_ack(&h, 10);
    assert_int_equal(c->cwnd, 12000);
    hand_free(&h);
}

TEST(a_window_that_did_not_limit_sending_does_not_grow)
{
    struct hand h = start(1000);
    struct tcp_conn *c = hand_conn(&h);

    c->flight_peak = 5000; /* half of the window, in slow start */
    cc_on_ack(h.t, c, &(struct cc_ack){ .acked = 5000 });
    assert_int_equal(c->cwnd, 10000);
    c->flight_peak = 5001;
    cc_on_ack(h.t, c, &(struct cc_ack){ .acked = 1000 });
    assert_int_equal(c->cwnd, 11000);
    c->ssthresh = c->cwnd;
    c->flight_peak = 10000; /* a segment is missing, in congestion avoidance */
    for (uint32_t i = 0; i < 20; i++)
        cc_on_ack(h.t, c, &(struct cc_ack){ .acked = 1000 });
    assert_int_equal(c->cwnd, 11000);
    hand_free(&h);
}

TEST(it_never_grows_beyond_its_largest_value)
{
    struct hand h = start(1000);
    struct tcp_conn *c = hand_conn(&h);

    c->cwnd = (1u << 30) - 1;
    on_ack(&h, 8000);
    const uint32_t top = c->cwnd;
    on_ack(&h, 8000);
    assert_int_equal(c->cwnd, top);
    hand_free(&h);
}

TEST(after_a_rest_longer_than_an_rto_it_begins_with_the_initial_window_again)
{
    struct hand h = start(1000);
    struct tcp_conn *c = hand_conn(&h);

    c->cwnd = 50000;
    c->last_tx = h.t->env.now;
    c->rto_us = 300000;
    h.t->env.now = time_add(h.t->env.now, 300 * NS_PER_MS);
    cc_idle_restart(h.t, c);
    assert_int_equal(c->cwnd, 50000);
    h.t->env.now = time_add(h.t->env.now, 1);
    cc_idle_restart(h.t, c);
    assert_int_equal(c->cwnd, 10000);
    c->cwnd = 3000; /* smaller: it stays */
    cc_idle_restart(h.t, c);
    assert_int_equal(c->cwnd, 3000);
    c->cwnd = 50000;
    c->snd.nxt = seq_add(c->snd.nxt, 1); /* something is in flight: no rest */
    cc_idle_restart(h.t, c);
    assert_int_equal(c->cwnd, 50000);
    hand_free(&h);
}

TEST(the_peak_of_flight_is_kept_for_a_round_trip)
{
    struct hand h = start(1000);
    struct tcp_conn *c = hand_conn(&h);

    c->snd.nxt = seq_add(c->snd.una, 5000);
    cc_on_send(c);
    assert_int_equal(c->flight_peak, 5000);
    c->snd.una = seq_add(c->snd.una, 3000);
    c->snd.nxt = seq_add(c->snd.nxt, 1000);
    cc_on_send(c); /* three thousand in flight now, the round trip is not over */
    assert_int_equal(c->flight_peak, 5000);
    c->snd.una = seq_add(c->snd.una, 3000);
    c->snd.nxt = seq_add(c->snd.nxt, 500);
    cc_on_send(c);
    assert_int_equal(c->flight_peak, 500);
    hand_free(&h);
}

TEST_MAIN
