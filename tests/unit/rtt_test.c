/* SPDX-License-Identifier: MIT */
/* rtt_test.c - RFC 6298 in numbers: SRTT, RTTVAR, RTO, Karn and the backoff. */
#include "tests/unit/base_test.h"
#include "tests/unit/hand.h"

static struct hand start(void)
{
    struct hand h;

    hand_new(&h, &(struct hand_opt){ .iss = 0xffffffff });
    hand_establish(&h, NULL);
    hand_conn(&h)->srtt_us8 = 0;
    hand_conn(&h)->rttvar_us4 = 0;
    return h;
}

TEST(the_first_sample_sets_srtt_to_r_and_rttvar_to_half_of_it)
{
    struct hand h = start();

    rtt_sample(h.t, hand_conn(&h), 400 * NS_PER_MS);
    assert_int_equal(hand_conn(&h)->srtt_us8 / 8, 400000);
    assert_int_equal(hand_conn(&h)->rttvar_us4 / 4, 200000);
    assert_int_equal(hand_conn(&h)->rto_us, 400000 + 4 * 200000);
    hand_free(&h);
}

TEST(later_samples_follow_the_rfcs_weights_of_an_eighth_and_a_quarter)
{
    struct hand h = start();
    const struct tcp_conn *c = hand_conn(&h);
    double srtt = 0, rttvar = 0;
    uint64_t rng = 3;

    for (uint32_t i = 0; i < 500; i++) {
        const uint32_t r = 20000 + rng_below(&rng, 3000000);

        rtt_sample(h.t, hand_conn(&h), r * NS_PER_US);
        if (i == 0) {
            srtt = r;
            rttvar = r / 2.0;
        } else {
            const double err = srtt > r ? srtt - r : r - srtt;
            rttvar = 0.75 * rttvar + 0.25 * err;
            srtt = 0.875 * srtt + 0.125 * r;
        }
        assert_true(c->srtt_us8 / 8.0 > srtt - 30 && c->srtt_us8 / 8.0 < srtt + 30);
        assert_true(c->rttvar_us4 / 4.0 > rttvar - 30 && c->rttvar_us4 / 4.0 < rttvar + 30);
        assert_true(c->rto_us > srtt + 4 * rttvar - 200 && c->rto_us < srtt + 4 * rttvar + 200);
    }
    hand_free(&h);
}

TEST(the_least_sample_holds_for_its_window_and_then_gives_way)
{
    struct hand h = start();
    struct tcp_conn *c = hand_conn(&h);

    c->min_rtt_us = 0;
    rtt_sample(h.t, c, 40 * NS_PER_MS);
    rtt_sample(h.t, c, 20 * NS_PER_MS);
    h.t->env.now.ns += 299 * NS_PER_S;
    rtt_sample(h.t, c, 90 * NS_PER_MS);
    assert_int_equal(c->min_rtt_us, 20000);
    h.t->env.now.ns += 2 * NS_PER_S;
    rtt_sample(h.t, c, 90 * NS_PER_MS); /* RFC 8985 5.2: the path has become longer */
    assert_int_equal(c->min_rtt_us, 90000);
    rtt_sample(h.t, c, 80 * NS_PER_MS);
    assert_int_equal(c->min_rtt_us, 80000);
    assert_int_equal(la_sysctl_set(h.s, "net.ipv4.tcp_min_rtt_wlen", 10), LA_OK);
    h.t->env.now.ns += 9 * NS_PER_S;
    rtt_sample(h.t, c, 80 * NS_PER_MS); /* seen again: it holds from now on */
    h.t->env.now.ns += 9 * NS_PER_S;
    rtt_sample(h.t, c, 85 * NS_PER_MS);
    assert_int_equal(c->min_rtt_us, 80000);
    hand_free(&h);
}

TEST(the_variance_counts_at_least_as_the_smallest_rto)
{
    struct hand h = start();

    for (uint32_t i = 0; i < 100; i++)
        rtt_sample(h.t, hand_conn(&h), NS_PER_MS);
    assert_in_range(hand_conn(&h)->rto_us, 200990, 201010);
    assert_int_equal(la_sysctl_set(h.s, "net.ipv4.tcp_rto_min_us", 5000), LA_OK);
    rtt_sample(h.t, hand_conn(&h), NS_PER_MS);
    assert_in_range(hand_conn(&h)->rto_us, 5990, 6010);
    hand_free(&h);
}

TEST(a_sample_of_nothing_counts_as_a_microsecond_and_one_of_hours_as_a_minute)
{
    struct hand h = start();

    rtt_sample(h.t, hand_conn(&h), 0);
    assert_int_equal(hand_conn(&h)->srtt_us8 / 8, 1);
    hand_conn(&h)->srtt_us8 = 0;
    rtt_sample(h.t, hand_conn(&h), 7200 * NS_PER_S);
    assert_int_equal(hand_conn(&h)->srtt_us8 / 8, 60000000);
    hand_free(&h);
}

TEST(before_any_sample_the_rto_is_one_second)
{
    struct hand h;

    hand_new(&h, NULL);
    hand_open(&h);
    assert_int_equal(rtt_rto_ns(h.t, hand_conn(&h)), NS_PER_S);
    hand_free(&h);
}

TEST(each_backoff_doubles_the_rto_up_to_the_largest)
{
    struct hand h = start();
    struct tcp_conn *c = hand_conn(&h);

    c->rto_us = 1000000;
    for (c->backoff = 0; c->backoff < 7; c->backoff++)
        assert_int_equal(rtt_rto_ns(h.t, c), NS_PER_S << c->backoff);
    assert_int_equal(rtt_rto_ns(h.t, c), 120 * NS_PER_S);
    c->backoff = 255;
    assert_int_equal(rtt_rto_ns(h.t, c), 120 * NS_PER_S);
    hand_free(&h);
}

TEST(an_ack_of_the_timed_segment_gives_a_sample_to_the_nanosecond)
{
    struct hand h = start();

    assert_int_equal(la_send(h.s, h.now, h.conn, "abc", 3, 0), 3);
    hand_drain(&h);
    hand_wait(&h, 123456 * NS_PER_US);
    hand_rx(&h, "ACK rcv 1 snd 4 wnd 1000");
    assert_int_equal(hand_conn(&h)->srtt_us8 / 8, 123456);
    hand_free(&h);
}

TEST(a_segment_that_was_sent_again_gives_no_sample)
{
    struct hand h = start();

    assert_int_equal(la_send(h.s, h.now, h.conn, "abc", 3, 0), 3);
    hand_drain(&h);
    hand_rto(&h);
    assert_int_equal(hand_drain(&h), 1);
    hand_wait(&h, 10 * NS_PER_MS);
    hand_rx(&h, "ACK rcv 1 snd 4 wnd 1000");
    assert_int_equal(hand_conn(&h)->srtt_us8, 0);
    assert_false(hand_conn(&h)->timing);
    hand_free(&h);
}

TEST(after_a_retransmission_time_stamps_give_the_sample)
{
    struct hand h;
    struct tcp_seg seg;

    hand_new(&h, NULL);
    hand_open(&h);
    assert_true(hand_tx_seg(&h, &seg));
    struct tcp_seg synack = { .flags = TCP_SYN | TCP_ACK,
                              .seq = h.irs,
                              .ack = seq_add(h.iss, 1),
                              .wnd = 1000,
                              .opt = {
                                  .has_timestamps = true, .ts_val = 1, .ts_ecr = seg.opt.ts_val } };
    hand_rx_seg(&h, &synack);
    hand_drain(&h);
    assert_int_equal(la_send(h.s, h.now, h.conn, "abc", 3, 0), 3);
    hand_drain(&h);
    hand_rto(&h);
    assert_true(hand_tx_seg(&h, &seg)); /* the repeat carries a fresh stamp */
    hand_conn(&h)->srtt_us8 = 0;
    hand_wait(&h, 70 * NS_PER_MS);
    struct tcp_seg ack = { .flags = TCP_ACK,
                           .seq = seq_add(h.irs, 1),
                           .ack = seq_add(h.iss, 4),
                           .wnd = 1000,
                           .opt = {
                               .has_timestamps = true, .ts_val = 2, .ts_ecr = seg.opt.ts_val } };
    hand_rx_seg(&h, &ack);
    assert_int_equal(hand_conn(&h)->srtt_us8 / 8, 70000);
    hand_free(&h);
}

TEST_MAIN
