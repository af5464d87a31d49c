/* SPDX-License-Identifier: MIT */
/* rate_test.c - Samples of the delivery rate, from a bottleneck whose rate is known. */
#include "core/tcp/inflight.h"
#include "tests/unit/base_test.h"
#include "tests/unit/hand.h"

#define MSS 1460u

static struct hand start(bool v6)
{
    const struct hand_opt opt = { .v6 = v6, .syn = "wnd 65535 mss 1460 wscale 7 sackOK" };
    struct hand h;

    hand_new(&h, &opt);
    hand_establish(&h, &opt);
    hand_conn(&h)->cwnd = 40 * MSS;
    hand_conn(&h)->ssthresh = 40 * MSS;
    hand_conn(&h)->srtt_us8 = 8 * 40000;
    hand_conn(&h)->min_rtt_us = 40000;
    return h;
}

static void send_bytes(struct hand *h, uint32_t len)
{
    static const uint8_t bytes[200000];

    assert_true(la_send(h->s, h->now, h->conn, bytes, len, 0) > 0);
    hand_drain(h);
}

/* One segment is acknowledged every @us. */
static void acknowledge(struct hand *h, uint32_t segs, uint32_t us)
{
    for (uint32_t i = 0; i < segs; i++) {
        struct tcp_seg seg = { .flags = TCP_ACK,
                               .seq = hand_conn(h)->rcv.nxt,
                               .ack = seq_min(seq_add(hand_conn(h)->snd.una, MSS),
                                              hand_conn(h)->snd.nxt),
                               .wnd = 2000 };

        h->now.ns += us * NS_PER_US;
        hand_rx_seg(h, &seg);
        hand_drain(h);
        assert_null(la_check(h->s));
    }
}

static uint64_t told(const struct hand *h, bool *limited)
{
    struct la_conn_info info;

    assert_int_equal(la_conn_info(h->s, h->conn, &info), LA_OK);
    *limited = info.delivery_app_limited;
    return info.delivery_rate;
}

TEST(a_full_pipe_is_measured_at_the_rate_of_its_bottleneck)
{
    for (uint32_t v6 = 0; v6 < 2; v6++) {
        struct hand h = start(v6 != 0);
        const uint64_t rate = UINT64_C(1000000) * MSS / 1000; /* a segment each millisecond */
        bool limited;

        assert_int_equal(told(&h, &limited), 0);
        for (uint32_t i = 0; i < 4; i++) {
            send_bytes(&h, 60 * MSS);
            acknowledge(&h, 30, 1000);
        }
        assert_in_range(told(&h, &limited), rate * 95 / 100, rate * 105 / 100);
        assert_false(limited);
        hand_free(&h);
    }
}

TEST(a_burst_of_acks_makes_no_sample_above_the_rate_of_sending)
{
    struct hand h = start(false);
    bool limited;

    /* A segment each 2 ms; then the ACKs of all of them within a moment. */
    for (uint32_t i = 0; i < 30; i++) {
        send_bytes(&h, MSS);
        h.now.ns += 2 * NS_PER_MS;
    }
    acknowledge(&h, 30, 10);
    assert_in_range(told(&h, &limited), 1, MSS * 500 * 11 / 10);
    hand_free(&h);
}

TEST(the_segment_that_stood_alone_counts_with_its_time)
{
    struct hand h = start(false);
    bool limited;

    send_bytes(&h, MSS); /* what is in flight is remembered from the second one on */
    h.now.ns += 36 * NS_PER_MS;
    send_bytes(&h, MSS);
    acknowledge(&h, 1, 4000);
    acknowledge(&h, 1, 36000);
    assert_in_range(told(&h, &limited), 1, 2 * MSS * 1000 / 76 + 1);
    hand_free(&h);
}

TEST(a_sample_of_an_idle_application_is_marked_and_replaces_none_that_is_larger)
{
    struct hand h = start(false);
    bool limited;

    for (uint32_t i = 0; i < 4; i++) {
        send_bytes(&h, 60 * MSS);
        acknowledge(&h, 30, 1000);
    }
    acknowledge(&h, 240, 1000);
    assert_int_equal(conn_flight(hand_conn(&h)), 0);
    const uint64_t full = told(&h, &limited);
    for (uint32_t i = 0; i < 10; i++) { /* a few segments a round trip */
        send_bytes(&h, 3 * MSS);
        h.now.ns += 40 * NS_PER_MS;
        acknowledge(&h, 3, 1);
    }
    assert_true(told(&h, &limited) == full);
    hand_free(&h);

    h = start(false); /* and with nothing better it is told, marked */
    for (uint32_t i = 0; i < 10; i++) {
        send_bytes(&h, 3 * MSS);
        h.now.ns += 20 * NS_PER_MS;
        send_bytes(&h, 3 * MSS);
        h.now.ns += 20 * NS_PER_MS;
        acknowledge(&h, 3, 1);
    }
    assert_true(told(&h, &limited) > 0);
    assert_true(limited);
    hand_free(&h);
}

TEST(rates_of_any_size_are_kept_within_a_millionth)
{
    struct tcp_conn c = { .rate = 0 };
    bool limited;

    assert_int_equal(rate_told(&c, &limited), 0);
    c.rate = (UINT32_C(1) << 26) - 1; /* the exponent is below */
    c.rate = c.rate << 6 | 10u << 1 | 1u;
    assert_true(rate_told(&c, &limited) == (uint64_t)((1u << 26) - 1) << 10);
    assert_true(limited);
}

TEST_MAIN
