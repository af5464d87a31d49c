/* SPDX-License-Identifier: MIT */
/* cc_cubic_test.c - CUBIC held against the formulas of RFC 9438, computed in floating point. */
#include "core/tcp/inflight.h"
#include "tests/unit/base_test.h"
#include "tests/unit/hand.h"

#include <math.h>

#define MSS 1000u

static struct hand start(void)
{
    struct hand h;

    hand_new(&h, NULL);
    assert_int_equal(la_sysctl_write(h.s, "net.ipv4.tcp_congestion_control", "cubic"), LA_OK);
    hand_establish(&h, NULL);
    hand_conn(&h)->snd_mss = MSS;
    hand_conn(&h)->snd.nxt = seq_add(hand_conn(&h)->snd.una, 1); /* something is in flight */
    return h;
}

static struct cc_cubic *cubic(struct hand *h)
{
    struct tcp_conn *c = hand_conn(h);

    assert_int_not_equal(c->inflight, SLAB_NONE);
    return &flight_of(h->t, c)->cc.cubic;
}

/* The peer loses a segment of a full window, and recovery ends at once. */
static void loss(struct hand *h)
{
    struct tcp_conn *c = hand_conn(h);

    c->flight_peak = c->cwnd;
    cc_on_congestion(h->t, c, CC_LOSS, c->cwnd);
    cc_on_recovered(h->t, c);
}

static void ack(struct hand *h, uint32_t acked)
{
    struct tcp_conn *c = hand_conn(h);

    c->flight_peak = c->cwnd;
    cc_on_ack(h->t, c, &(struct cc_ack){ .acked = acked });
}

/* A round trip of @rtt_ms in which a whole window is acknowledged, two segments an ACK. */
static void round_trip(struct hand *h, uint32_t rtt_ms)
{
    const uint32_t acks = hand_conn(h)->cwnd / (2 * MSS);

    for (uint32_t i = 0; i < acks; i++) {
        h->t->env.now.ns += rtt_ms * NS_PER_MS / acks;
        ack(h, 2 * MSS);
    }
}

TEST(a_loss_leaves_seven_tenths_of_the_window)
{
    struct hand h = start();
    struct tcp_conn *c = hand_conn(&h);

    c->cwnd = 100 * MSS;
    loss(&h);
    assert_int_equal(c->ssthresh, 70 * MSS);
    assert_int_equal(c->cwnd, 70 * MSS);
    assert_int_equal(cubic(&h)->w_max, 100 * MSS);
    c->cwnd = 2 * MSS;
    loss(&h);
    assert_int_equal(c->ssthresh, 2 * MSS); /* two segments at least */
    hand_free(&h);
}

TEST(who_loses_below_the_last_maximum_gives_way_further)
{
    struct hand h = start();
    struct tcp_conn *c = hand_conn(&h);

    c->cwnd = 100 * MSS;
    loss(&h);
    c->cwnd = 80 * MSS;
    loss(&h); /* RFC 9438 4.7: W_max = cwnd * (1 + 0.7) / 2 */
    assert_int_equal(cubic(&h)->w_max, 68 * MSS);
    assert_int_equal(cubic(&h)->cwnd_prior, 80 * MSS);
    c->cwnd = 90 * MSS;
    loss(&h);
    assert_int_equal(cubic(&h)->w_max, 90 * MSS);
    hand_free(&h);
}

TEST(k_and_the_curve_are_those_of_the_formulas)
{
    static const uint32_t windows[] = { 10, 50, 100, 1000, 10000, 500000 };

    for (uint32_t i = 0; i < LA_COUNT_OF(windows); i++) {
        struct hand h = start();
        struct tcp_conn *c = hand_conn(&h);

        c->cwnd = windows[i] * MSS;
        loss(&h);
        const double k = cbrt((windows[i] - c->cwnd / (double)MSS) / 0.4);
        ack(&h, MSS);
        assert_true(fabs(cubic(&h)->k_ms / 1000.0 - k) < 0.002);
        for (double t = 0; t < 3 * k; t += k / 7) {
            const double want = 0.4 * pow(t - k, 3) + windows[i];
            const double is = (double)cubic_window(cubic(&h), MSS, (uint32_t)(t * 1000)) / MSS;

            assert_true(fabs(is - want) <= 0.01 + want * 0.003);
        }
        hand_free(&h);
    }
}

TEST(the_window_returns_to_the_maximum_after_k_and_goes_beyond)
{
    struct hand h = start();
    struct tcp_conn *c = hand_conn(&h);
    const uint32_t rtt_ms = 100;
    uint32_t rounds = 0, before;

    c->srtt_us8 = rtt_ms * 8000;
    c->cwnd = 1000 * MSS;
    loss(&h);
    const double k = cbrt(300 / 0.4);
    for (; c->cwnd < 995 * MSS && rounds < 1000; rounds++)
        round_trip(&h, rtt_ms);
    /* W_cubic is within five segments of the maximum when t = K - cbrt(5 / 0.4). */
    assert_true(fabs(rounds * 0.1 - (k - cbrt(5 / 0.4))) < 0.4);
    before = c->cwnd;
    round_trip(&h, rtt_ms);
    assert_true(c->cwnd - before < 5 * MSS); /* the plateau */
    for (uint32_t i = 0; i < 80; i++)
        round_trip(&h, rtt_ms);
    before = c->cwnd;
    round_trip(&h, rtt_ms);
    assert_true(c->cwnd > 1000 * MSS && c->cwnd - before > 3 * MSS); /* convex */
    assert_true(c->cwnd <= before + before / 2);
    hand_free(&h);
}

TEST(on_a_short_path_it_grows_at_least_as_newreno_would)
{
    struct hand h = start();
    struct tcp_conn *c = hand_conn(&h);

    c->srtt_us8 = 8000; /* 1 ms */
    c->cwnd = 20 * MSS;
    loss(&h);
    for (uint32_t i = 0; i < 100; i++)
        round_trip(&h, 1);
    /* 9/17 of a segment a round trip up to 20, then one: 14 + 6 after 11 of them, then 88 more. */
    assert_true(c->cwnd > 95 * MSS && c->cwnd < 120 * MSS);
    hand_free(&h);
}

TEST(time_in_which_nothing_was_sent_does_not_lift_the_window)
{
    struct hand h = start();
    struct tcp_conn *c = hand_conn(&h);
    uint32_t before;

    c->srtt_us8 = 50 * 8000;
    c->cwnd = 200 * MSS;
    loss(&h);
    for (uint32_t i = 0; i < 20; i++)
        round_trip(&h, 50);
    before = c->cwnd;
    h.t->env.now.ns += 60 * NS_PER_S;
    ack(&h, 2 * MSS);
    assert_true(c->cwnd - before <= 2 * MSS);
    hand_free(&h);
}

TEST(dividing_acks_gains_nothing)
{
    uint32_t end[2];

    for (uint32_t k = 0; k < 2; k++) {
        const uint32_t each = k == 0 ? 2 * MSS : 10;
        struct hand h = start();
        struct tcp_conn *c = hand_conn(&h);

        c->srtt_us8 = 100 * 8000;
        c->cwnd = 100 * MSS;
        loss(&h);
        for (uint32_t r = 0; r < 30; r++) {
            const uint32_t window = c->cwnd;

            for (uint32_t done = 0; done < window; done += each) {
                h.t->env.now.ns += 100 * NS_PER_MS * each / window;
                ack(&h, each);
            }
        }
        end[k] = c->cwnd;
        hand_free(&h);
    }
    assert_true(end[1] <= end[0] + end[0] / 20);
}

TEST(after_a_timeout_the_curve_begins_where_slow_start_ends)
{
    struct hand h = start();
    struct tcp_conn *c = hand_conn(&h);

    c->cwnd = 100 * MSS;
    c->flight_peak = c->cwnd;
    cc_on_rto(h.t, c, true);
    assert_int_equal(c->cwnd, MSS);
    assert_int_equal(c->ssthresh, 70 * MSS);
    cc_on_rto(h.t, c, false);
    assert_int_equal(c->ssthresh, 70 * MSS);
    c->cwnd = 70 * MSS;
    ack(&h, MSS);
    assert_int_equal(cubic(&h)->k_ms, 0); /* RFC 9438 4.8 */
    assert_int_equal(cubic(&h)->w_max, 70 * MSS);
    hand_free(&h);
}

TEST(a_spurious_recovery_is_taken_back)
{
    struct hand h = start();
    struct tcp_conn *c = hand_conn(&h);
    struct cc_saved saved;

    c->cwnd = 100 * MSS;
    loss(&h);
    c->cwnd = 90 * MSS;
    cc_save(h.t, c, &saved);
    loss(&h);
    assert_true(c->cwnd < 70 * MSS);
    cc_undo(h.t, c, &saved);
    assert_int_equal(c->cwnd, 90 * MSS);
    assert_int_equal(c->ssthresh, 70 * MSS);
    assert_int_equal(cubic(&h)->w_max, 100 * MSS);
    hand_free(&h);
}

TEST(with_the_pool_empty_the_window_grows_all_the_same)
{
    struct hand h = start();
    struct tcp_conn *c = hand_conn(&h);

    while (chunks_take(&h.t->env.chunks, h.t, CHUNKS_RESERVE) != SLAB_NONE)
        continue;
    c->ssthresh = c->cwnd = 10 * MSS;
    for (uint32_t i = 0; i < 10; i++)
        ack(&h, MSS);
    assert_int_equal(c->inflight, SLAB_NONE);
    assert_true(c->cwnd > 10 * MSS + 900 && c->cwnd <= 11 * MSS);
    loss(&h);
    assert_true(c->cwnd < 8 * MSS);
    hand_free(&h);
}

TEST(what_it_remembers_goes_back_to_the_pool_when_nothing_is_in_flight)
{
    struct hand h = start();
    struct tcp_conn *c = hand_conn(&h);

    ack(&h, MSS);
    assert_int_not_equal(c->inflight, SLAB_NONE);
    flight_release(h.t, c);
    assert_int_equal(c->inflight, SLAB_NONE);
    c->ssthresh = c->cwnd = 70 * MSS;
    ack(&h, MSS); /* and W_max is what ssthresh was made from */
    assert_int_equal(cubic(&h)->w_max, 100 * MSS);
    hand_free(&h);
}

TEST(the_curve_ends_where_numbers_do)
{
    const struct cc_cubic late = { .w_max = 100 * MSS, .k_ms = 1u << 30 };
    const struct cc_cubic old = { .w_max = 100 * MSS, .k_ms = 0 };

    assert_int_equal(cubic_window(&late, MSS, 0), 0); /* never below it */
    assert_true(cubic_window(&old, 65000, UINT32_MAX) == UINT32_MAX);
    assert_true(cubic_window(&old, MSS, 1000) > 100 * MSS);
}

TEST(after_hystart_there_is_no_plateau_to_return_to)
{
    struct hand h = start();
    struct tcp_conn *c = hand_conn(&h);

    ack(&h, MSS); /* takes the block */
    c->cwnd = c->ssthresh = 50 * MSS;
    cubic(&h)->epoch = false;
    cubic(&h)->w_max = 0;
    cubic(&h)->no_plateau = true; /* slow start has ended without a loss: RFC 9438 4.10 */
    ack(&h, MSS);
    assert_int_equal(cubic(&h)->k_ms, 0);
    assert_int_equal(cubic(&h)->w_max, 50 * MSS);
    hand_free(&h);
}

TEST(the_largest_windows_do_not_wrap)
{
    struct hand h = start();
    struct tcp_conn *c = hand_conn(&h);
    const uint32_t huge = 1u << 29;

    c->srtt_us8 = 8 * 100000;
    c->cwnd = huge;
    loss(&h);
    c->cwnd = huge - MSS;
    for (uint32_t i = 0; i < 20; i++) {
        const uint32_t before = c->cwnd;

        h.t->env.now.ns += 10 * NS_PER_MS;
        ack(&h, 990000);
        assert_true(c->cwnd >= before && c->cwnd - before <= 990000);
        assert_true(cubic(&h)->w_est <= CC_CWND_MAX);
    }
    cubic(&h)->w_est = CC_CWND_MAX;
    ack(&h, 1u << 29);
    assert_int_equal(cubic(&h)->w_est, CC_CWND_MAX);
    hand_free(&h);
}

TEST(however_late_on_the_curve_it_grows_by_half_a_window_a_round_trip_at_the_most)
{
    struct hand h = start();
    struct tcp_conn *c = hand_conn(&h);

    c->srtt_us8 = 8 * 100000;
    c->cwnd = 10 * MSS;
    loss(&h);
    ack(&h, MSS);
    cubic(&h)->epoch_ms -= 100000; /* a hundred seconds of it */
    const uint32_t before = c->cwnd;
    ack(&h, before); /* a whole window: RFC 9438 4.4 */
    assert_int_equal(c->cwnd, before + before / 2);
    hand_free(&h);
}

TEST(where_the_curve_lies_below_the_window_nothing_moves)
{
    struct hand h = start();
    struct tcp_conn *c = hand_conn(&h);

    c->srtt_us8 = 8 * 100000;
    c->cwnd = 100 * MSS;
    loss(&h);
    ack(&h, MSS);
    c->cwnd = 90 * MSS; /* an undo, or a restart, has moved it */
    ack(&h, MSS);
    assert_int_equal(c->cwnd, 90 * MSS);
    hand_free(&h);
}

TEST_MAIN
