/* SPDX-License-Identifier: MIT */
/* pacing_test.c - Text goes out no faster than the rate, in bursts that are bounded. */
#include "tests/unit/base_test.h"
#include "tests/unit/hand.h"

#define MSS 1460u
#define FREE (10u * MSS) /* the first ten segments */
#define DEPARTURES 400u

struct run {
    struct hand h;
    uint64_t at_ns[DEPARTURES];
    uint32_t bytes[DEPARTURES];
    uint32_t count, total; /* repeats are no part of the total */
};

static void begin(struct run *r, bool v6, const char *syn, uint32_t gso, uint64_t rate)
{
    const struct hand_opt opt = { .v6 = v6, .syn = syn, .gso_max_bytes = gso };

    memset(r, 0, sizeof *r);
    hand_new(&r->h, &opt);
    hand_establish(&r->h, &opt);
    hand_conn(&r->h)->cwnd = 1u << 24;
    hand_conn(&r->h)->snd.wnd = hand_conn(&r->h)->snd.max_wnd = 1u << 24;
    if (rate > 0)
        assert_int_equal(la_set_option(r->h.s, r->h.now, r->h.conn, LA_OPT_MAX_PACING_RATE, rate),
                         LA_OK);
}

static void take(struct run *r)
{
    struct tcp_seg seg;

    while (hand_tx_seg(&r->h, &seg)) {
        if (seg.len == 0)
            continue;
        assert_true(r->count < DEPARTURES);
        r->at_ns[r->count] = r->h.now.ns;
        r->bytes[r->count++] = seg.len;
        if (seq_gt(seq_add(seg.seq, seg.len), seq_add(r->h.iss, 1 + r->total)))
            r->total = seq_diff(r->h.iss, seq_add(seg.seq, seg.len)) - 1;
    }
    assert_null(la_check(r->h.s));
}

/* All of @len bytes; each deadline is met @late_ns late. */
static void send_all(struct run *r, uint32_t len, uint64_t late_ns)
{
    static uint8_t bytes[1u << 18];
    const uint32_t before = r->total;

    assert_int_equal(la_send(r->h.s, r->h.now, r->h.conn, bytes, len, 0), len);
    take(r);
    for (uint32_t turns = 0; r->total - before < len; turns++) {
        const la_time due = la_deadline(r->h.s);

        assert_true(turns < 10000);
        assert_true(due.ns != UINT64_MAX);
        if (due.ns > r->h.now.ns)
            r->h.now.ns = due.ns + late_ns;
        la_tick(r->h.s, r->h.now, 16);
        take(r);
    }
}

/* From any departure behind the first ten segments to any later one: a burst, and what the time allows. */
static void hold_bound(const struct run *r, uint64_t rate, uint32_t burst)
{
    for (uint32_t i = 0; i < r->count; i++) {
        uint64_t sum = 0;

        if (r->at_ns[i] == r->at_ns[0])
            continue;
        for (uint32_t j = i; j < r->count; j++) {
            const uint64_t ns = r->at_ns[j] - r->at_ns[i];

            sum += r->bytes[j];
            assert_true(sum <= burst + MSS + rate * ns / NS_PER_S + 1);
        }
    }
}

static void is_near(uint64_t value, uint64_t wanted, uint32_t percent)
{
    assert_in_range(value, wanted - wanted * percent / 100, wanted + wanted * percent / 100);
}

TEST(plain_segments_keep_to_the_rate_with_and_without_sack)
{
    static const char *const syns[] = { "wnd 65535 mss 1460", "wnd 65535 mss 1460 sackOK" };

    for (uint32_t i = 0; i < 4; i++) {
        struct run r;

        begin(&r, i & 1, syns[i / 2], 0, 1000000);
        send_all(&r, 100000, 0);
        hold_bound(&r, 1000000, 2 * MSS);
        /* The first ten segments at once and two more with them; the last burst takes no time. */
        assert_int_equal(r.at_ns[9], r.at_ns[0]);
        is_near(r.at_ns[r.count - 1] - r.at_ns[0], (100000 - FREE - 2 * MSS) * UINT64_C(1000), 4);
        hand_free(&r.h);
    }
}

TEST(super_segments_are_what_the_rate_carries_in_a_millisecond)
{
    struct run r;

    begin(&r, false, "wnd 65535 mss 1460 sackOK", 64000, 20000000);
    send_all(&r, 130000, 0);
    for (uint32_t i = 0; i < r.count; i++)
        assert_true(r.bytes[i] <= 20000000 / 1024);
    assert_int_equal(r.bytes[3], 20000000 / 1024 / MSS * MSS);
    hold_bound(&r, 20000000, 20000000 / 1024);
    hand_free(&r.h);
}

TEST(who_comes_late_loses_nothing_of_the_rate)
{
    struct run r;

    begin(&r, false, "wnd 65535 mss 1460 sackOK", 0, 1000000);
    send_all(&r, 100000, 700 * NS_PER_US);
    is_near(r.at_ns[r.count - 1] - r.at_ns[0], (100000 - FREE - 2 * MSS) * UINT64_C(1000), 4);
    hand_free(&r.h);
}

TEST(the_rate_holds_though_nothing_is_in_flight_meanwhile)
{
    struct run r;
    char line[80];

    begin(&r, false, "wnd 65535 mss 1460 sackOK", 0, 20000);
    for (uint32_t i = 0; i < 20; i++) {
        send_all(&r, 2000, 0);
        snprintf(line, sizeof line, "ACK rcv 1 snd %u wnd 65535", r.total + 1);
        hand_rx(&r.h, line); /* at once: then there is no block, and no scratch */
        assert_int_equal(conn_flight(hand_conn(&r.h)), 0);
        assert_int_equal(hand_conn(&r.h)->inflight, SLAB_NONE);
    }
    hold_bound(&r, 20000, 2 * MSS);
    /* 40,000 bytes, of which the first ten segments were free: eight of 1,460 and eight of 540 */
    is_near(r.at_ns[r.count - 1] - r.at_ns[0], 30000 * UINT64_C(50000), 10);
    hand_free(&r.h);
}

TEST(a_long_rest_gives_no_credit_and_no_debt)
{
    struct run r;

    begin(&r, false, "wnd 65535 mss 1460 sackOK", 0, 1000000);
    send_all(&r, 50000, 0);
    hand_rx(&r.h, "ACK rcv 1 snd 50001 wnd 65535");
    hand_conn(&r.h)->srtt_us8 = 8 * 50000;
    r.h.now.ns += 549 * NS_PER_S; /* pace_at has come round */
    la_tick(r.h.s, r.h.now, 16);
    hand_conn(&r.h)->cwnd = 1u << 24;
    r.count = 0;
    send_all(&r, 10 * MSS, 0);
    assert_int_equal(r.at_ns[1], r.at_ns[0]);
    assert_true(r.at_ns[3] > r.at_ns[0]);
    hand_free(&r.h);
}

TEST(a_limit_that_is_lifted_holds_nothing_back)
{
    struct run r;

    begin(&r, false, "wnd 65535 mss 1460 sackOK", 0, 1000);
    static const uint8_t bytes[60000];
    assert_int_equal(la_send(r.h.s, r.h.now, r.h.conn, bytes, sizeof bytes, 0), sizeof bytes);
    take(&r);
    assert_true(r.total < sizeof bytes && hand_conn(&r.h)->pace_hold);
    assert_int_equal(
        la_set_option(r.h.s, r.h.now, r.h.conn, LA_OPT_MAX_PACING_RATE, LA_PACING_RATE_NONE),
        LA_OK);
    take(&r);
    assert_int_equal(r.total, sizeof bytes);
    hand_free(&r.h);
}

TEST(what_an_rto_sends_again_is_not_held_back)
{
    for (uint32_t i = 0; i < 2; i++) {
        static const uint8_t bytes[20000];
        struct tcp_seg seg;
        struct run r;

        begin(&r, false, i ? "wnd 65535 mss 1460 sackOK" : "wnd 65535 mss 1460", 0, 1000);
        assert_int_equal(la_send(r.h.s, r.h.now, r.h.conn, bytes, sizeof bytes, 0), sizeof bytes);
        take(&r);
        assert_true(hand_conn(&r.h)->pace_hold);
        const la_time free_at = pace_time(r.h.t, hand_conn(&r.h));
        hand_conn(&r.h)->rtx_kind = TCP_RTX_RTO;
        r.h.now.ns += 1100 * NS_PER_MS;
        assert_true(time_lt(r.h.now, free_at));
        tcp_timer_arm(r.h.t, hand_ci(&r.h), TCP_DL_RTX, r.h.now);
        la_tick(r.h.s, r.h.now, 16);
        assert_int_equal(la_counter(r.h.s, LA_COUNT_TCPTimeouts), 1);
        assert_true(hand_tx_seg(&r.h, &seg));
        assert_int_equal(seq_diff(r.h.iss, seg.seq), 1);
        assert_int_equal(seg.len, MSS);
        assert_false(hand_tx_seg(&r.h, &seg)); /* the window is one segment, and then it is held */
        hand_free(&r.h);
    }
}

TEST(a_round_trip_however_long_leaves_a_rate)
{
    static const uint8_t bytes[20000];
    struct run r;

    begin(&r, false, "wnd 65535 mss 1460 sackOK", 0, 0);
    assert_int_equal(la_sysctl_set(r.h.s, "net.lastack.tcp_pacing", 2), LA_OK);
    assert_int_equal(la_sysctl_set(r.h.s, "net.ipv4.tcp_pacing_ss_ratio", 1), LA_OK);
    assert_int_equal(la_sysctl_set(r.h.s, "net.ipv4.tcp_pacing_ca_ratio", 1), LA_OK);
    hand_conn(&r.h)->srtt_us8 = 8 * 60000000;
    hand_conn(&r.h)->cwnd = 20 * MSS;
    assert_int_equal(pace_rate(r.h.t, hand_conn(&r.h)), LA_PACING_RATE_MIN);
    assert_int_equal(la_send(r.h.s, r.h.now, r.h.conn, bytes, sizeof bytes, 0), sizeof bytes);
    take(&r);
    assert_true(hand_conn(&r.h)->pace_hold);
    assert_true(pace_time(r.h.t, hand_conn(&r.h)).ns - r.h.now.ns <= 4 * NS_PER_S);
    hand_free(&r.h);
}

TEST(a_connection_that_is_reset_while_it_is_held_leaves_nothing_behind)
{
    static const uint8_t bytes[20000];
    struct run r;

    begin(&r, false, "wnd 65535 mss 1460 sackOK", 0, 1000);
    assert_int_equal(la_send(r.h.s, r.h.now, r.h.conn, bytes, sizeof bytes, 0), sizeof bytes);
    assert_int_equal(la_shutdown(r.h.s, r.h.now, r.h.conn, LA_SHUT_WR), LA_OK);
    take(&r);
    assert_true(hand_conn(&r.h)->pace_hold);
    hand_rx(&r.h, "RST rcv 1");
    assert_int_equal(hand_conn(&r.h)->state, LA_CLOSED);
    assert_null(la_check(r.h.s));
    assert_true(la_deadline(r.h.s).ns == UINT64_MAX);
    hand_free(&r.h);
}

TEST(an_ack_is_not_held_back)
{
    struct run r;
    struct tcp_seg seg;

    begin(&r, false, "wnd 65535 mss 1460 sackOK", 0, 1000);
    static const uint8_t bytes[60000];
    assert_int_equal(la_send(r.h.s, r.h.now, r.h.conn, bytes, sizeof bytes, 0), sizeof bytes);
    take(&r);
    assert_true(hand_conn(&r.h)->pace_hold);
    hand_rx(&r.h, "PSH ACK rcv 1 snd 1 len 2 wnd 65535");
    assert_true(hand_tx_seg(&r.h, &seg));
    assert_int_equal(seg.len, 0);
    assert_false(hand_tx_seg(&r.h, &seg));
    hand_free(&r.h);
}

TEST(the_rate_is_twice_the_window_a_round_trip_in_slow_start_and_a_fifth_above_it_later)
{
    struct run r;

    begin(&r, false, "wnd 65535 mss 1460 sackOK", 0, 0);
    struct tcp_conn *c = hand_conn(&r.h);
    c->srtt_us8 = 8 * 50000;
    c->cwnd = 100000;
    c->ssthresh = 1u << 30;
    is_near(pace_rate(r.h.t, c), 2 * 20 * 100000, 1);
    c->ssthresh = 150000;
    is_near(pace_rate(r.h.t, c), 12 * 2 * 100000, 1);
    c->set.max_pacing_rate = 5000;
    assert_int_equal(pace_rate(r.h.t, c), 5000);
    c->set.max_pacing_rate = 0;
    c->srtt_us8 = 0;
    assert_true(pace_rate(r.h.t, c) == PACE_UNLIMITED);
    c->cwnd = 1u << 30;
    c->srtt_us8 = 1;
    c->ssthresh = UINT32_MAX;
    assert_int_equal(la_sysctl_set(r.h.s, "net.ipv4.tcp_pacing_ss_ratio", 1000), LA_OK);
    assert_true(pace_rate(r.h.t, c) > UINT64_C(1) << 56); /* the largest of all fits */
    hand_free(&r.h);
}

TEST(no_rate_is_so_low_that_the_next_departure_can_not_be_told)
{
    struct run r;

    begin(&r, false, "wnd 65535 mss 1460 sackOK", 0, 0);
    struct tcp_conn *c = hand_conn(&r.h);
    assert_int_equal(la_sysctl_set(r.h.s, "net.lastack.tcp_pacing", 2), LA_OK);
    assert_int_equal(la_sysctl_set(r.h.s, "net.ipv4.tcp_pacing_ca_ratio", 1), LA_OK);
    c->srtt_us8 = 8 * 60000000u; /* as slow as a path may be */
    c->rto_us = 120000000;
    c->cwnd = 14 * MSS;
    c->ssthresh = 2 * MSS;
    send_all(&r, 14 * MSS, 0);
    hold_bound(&r, LA_PACING_RATE_MIN, 2 * MSS);
    assert_int_equal(pace_rate(r.h.t, c), LA_PACING_RATE_MIN);
    c->set.max_pacing_rate = 5000;
    assert_int_equal(pace_rate(r.h.t, c), LA_PACING_RATE_MIN); /* a limit makes nothing faster */
    hand_free(&r.h);
}

TEST(by_itself_a_connection_is_paced_only_if_the_sysctl_says_so)
{
    struct run r;
    struct tcp_conn *c;

    begin(&r, false, "wnd 65535 mss 1460 sackOK", 0, 0);
    c = hand_conn(&r.h);
    c->cwnd = 50 * MSS;
    assert_false(pace_wanted(r.h.t, c));
    assert_int_equal(la_sysctl_set(r.h.s, "net.lastack.tcp_pacing", 1), LA_OK);
    assert_true(pace_wanted(r.h.t, c));
    c->ssthresh = 10 * MSS;
    assert_false(pace_wanted(r.h.t, c));
    assert_int_equal(la_sysctl_set(r.h.s, "net.lastack.tcp_pacing", 2), LA_OK);
    assert_true(pace_wanted(r.h.t, c));
    c->srtt_us8 = 8 * 100000;
    send_all(&r, 40 * MSS, 0);
    /* 50 segments in 100 ms, a fifth faster; in pairs, of which the last takes no time */
    is_near(r.at_ns[r.count - 1] - r.at_ns[0], UINT64_C(28) * 1000000 * 100 / 60, 8);
    hand_free(&r.h);
}

TEST(a_ratio_of_nought_paces_nothing)
{
    struct run r;
    struct tcp_conn *c;

    begin(&r, false, "wnd 65535 mss 1460 sackOK", 0, 0);
    c = hand_conn(&r.h);
    assert_int_equal(la_sysctl_set(r.h.s, "net.lastack.tcp_pacing", 2), LA_OK);
    assert_int_equal(la_sysctl_set(r.h.s, "net.ipv4.tcp_pacing_ca_ratio", 0), LA_OK);
    c->ssthresh = 10 * MSS;
    c->srtt_us8 = 8 * 100000;
    assert_true(pace_rate(r.h.t, c) == PACE_UNLIMITED);
    assert_true(pace_room(r.h.t, c) > 1u << 30);
    send_all(&r, 40 * MSS, 0);
    assert_int_equal(r.at_ns[r.count - 1], r.at_ns[0]);
    assert_false(c->pace_hold);
    hand_free(&r.h);
}

TEST(a_segment_too_short_to_take_any_time_holds_nothing)
{
    struct run r;

    begin(&r, false, "wnd 65535 mss 1460 sackOK", 0, 0);
    hand_conn(&r.h)->set.max_pacing_rate = UINT32_MAX;
    hand_conn(&r.h)->set.nodelay = true;
    for (uint32_t i = 0; i < 40; i++) {
        send_all(&r, 10, 0);
        assert_false(hand_conn(&r.h)->pace_hold);
    }
    assert_int_equal(r.at_ns[r.count - 1], r.at_ns[0]);
    hand_free(&r.h);
}

TEST_MAIN
