/* SPDX-License-Identifier: MIT */
/* cc_test.c - The congestion window: its beginning, how it grows, and after a rest. */
#include "core/tcp/inflight.h"
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

TEST(where_the_knob_says_so_a_rest_changes_nothing)
{
    struct hand h = start(1000);
    struct tcp_conn *c = hand_conn(&h);

    assert_int_equal(la_sysctl_set(h.s, "net.ipv4.tcp_slow_start_after_idle", 0), LA_OK);
    c->cwnd = 50000;
    c->last_tx = h.t->env.now;
    h.t->env.now = time_add(h.t->env.now, 600 * NS_PER_S);
    cc_idle_restart(h.t, c);
    assert_int_equal(c->cwnd, 50000);
    hand_free(&h);
}

TEST(another_algorithm_finds_the_window_as_it_was_and_nothing_of_the_last_one)
{
    struct hand h = start(1000);
    struct tcp_conn *c = hand_conn(&h);

    assert_int_equal(la_set_option(h.s, h.now, h.conn, LA_OPT_CONGESTION, CC_CUBIC), LA_OK);
    assert_int_equal(c->inflight, SLAB_NONE); /* nothing to forget: nothing was ever in flight */
    c->ssthresh = c->cwnd = 20000;
    on_ack(&h, 1000);
    struct cc_scratch *k = &flight_of(h.t, c)->cc;
    assert_true(k->cubic.epoch);
    const uint32_t before = c->cwnd;
    assert_int_equal(la_set_option(h.s, h.now, h.conn, LA_OPT_CONGESTION, CC_RENO), LA_OK);
    assert_int_equal(c->cwnd, before);
    assert_false(k->cubic.epoch);
    assert_int_equal(k->cubic.w_max, 0);
    on_ack(&h, 1000);
    assert_int_equal(k->acked, 1000); /* NewReno counts from here */
    c->snd.nxt = c->snd.una;
    hand_free(&h);
}

TEST(an_echo_in_a_recovery_reduces_nothing_further)
{
    for (uint32_t rto = 0; rto < 2; rto++) {
        struct hand h = start(1000);
        struct tcp_conn *c = hand_conn(&h);

        c->snd.nxt = seq_add(c->snd.una, 10000);
        c->cwnd = c->ssthresh = 20000;
        c->in_recovery = rto == 0;
        c->rto_recovery = rto == 1;
        assert_int_equal(cc_on_echo(h.t, c, c->snd.una), CC_ECHO_LOSS);
        assert_int_equal(c->cwnd, 20000);
        assert_int_equal(c->ssthresh, 20000);
        assert_false(c->ecn_reduced);
        c->in_recovery = c->rto_recovery = false;
        c->snd.nxt = c->snd.una;
        hand_free(&h);
    }
}

TEST(with_the_pool_empty_an_echo_is_obeyed_and_only_the_first)
{
    struct hand h = start(1000);
    struct tcp_conn *c = hand_conn(&h);
    struct cc_saved saved;

    while (chunks_take(&h.t->env.chunks, h.t, CHUNKS_RESERVE) != SLAB_NONE)
        continue;
    c->snd.nxt = seq_add(c->snd.una, 20000);
    c->flight_peak = c->cwnd = c->ssthresh = 20000;
    cc_save(h.t, c, &saved);
    assert_int_equal(cc_on_echo(h.t, c, c->snd.una), CC_ECHO_REDUCES);
    const uint32_t reduced = c->cwnd;
    assert_true(reduced < 20000);
    assert_int_equal(cc_on_echo(h.t, c, c->snd.una), CC_ECHO_AGAIN);
    assert_int_equal(c->cwnd, reduced);
    assert_int_equal(c->inflight, SLAB_NONE);
    on_ack(&h, 1000); /* it grows: when the round trip ends is not known */
    assert_true(c->cwnd >= reduced);
    cc_on_rto(h.t, c, true);
    assert_int_equal(c->cwnd, 1000);
    cc_undo(h.t, c, &saved);
    assert_int_equal(c->cwnd, 20000);
    c->snd.nxt = c->snd.una;
    hand_free(&h);
}

TEST(the_window_grows_again_when_the_round_trip_of_an_echo_is_over)
{
    struct hand h = start(1000);
    struct tcp_conn *c = hand_conn(&h);

    c->snd.nxt = seq_add(c->snd.una, 20000);
    c->flight_peak = c->cwnd = c->ssthresh = 20000;
    assert_int_equal(cc_on_echo(h.t, c, c->snd.una), CC_ECHO_REDUCES);
    const uint32_t reduced = c->cwnd;
    for (uint32_t i = 0; i < 30; i++)
        on_ack(&h, 1000);
    assert_int_equal(c->cwnd, reduced);
    c->snd.una = seq_add(c->snd.una, 20001); /* beyond what was in flight then */
    for (uint32_t i = 0; i < 30; i++)
        on_ack(&h, 1000);
    assert_true(c->cwnd > reduced);
    assert_false(c->ecn_reduced);
    c->snd.nxt = c->snd.una;
    flight_release(h.t, c);
    hand_free(&h);
}

TEST_MAIN
