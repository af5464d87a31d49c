/* SPDX-License-Identifier: MIT */
/* timeouts_test.c - How long this side goes on: SYNs, R1 and R2, probes, keepalive, user timeout. */
#include "tests/unit/base_test.h"
#include "tests/unit/hand.h"

static struct hand start(bool v6)
{
    struct hand h;

    hand_new(&h, &(struct hand_opt){ .v6 = v6 });
    hand_establish(&h, NULL);
    return h;
}

static uint32_t seconds(const struct hand *h, la_time since)
{
    return (uint32_t)(time_since(since, h->now) / NS_PER_S);
}

/* From deadline to deadline, taking what is sent, until the connection ends. */
static uint32_t until_closed(struct hand *h)
{
    uint32_t sent = 0;

    while (hand_state(h) != LA_CLOSED) {
        assert_true(hand_next(h));
        sent += hand_drain(h);
    }
    return sent;
}

TEST(a_syn_goes_once_and_ten_times_again_as_on_linux_and_fails_after_127_s_and_4)
{
    for (int v6 = 0; v6 < 2; v6++) {
        struct hand h;

        hand_new(&h, &(struct hand_opt){ .v6 = v6 });
        hand_open(&h);
        const la_time begun = h.now;
        assert_int_equal(hand_drain(&h), 1);
        assert_int_equal(until_closed(&h), 10); /* 4 linear, 6 more */
        assert_int_equal(seconds(&h, begun), 4 + 127);
        assert_int_equal(la_conn_error(h.s, h.conn, NULL), LA_ETIMEDOUT);
        assert_int_equal(la_counter(h.s, LA_COUNT_TCPSynRetrans), 10);
        assert_int_equal(la_counter(h.s, LA_COUNT_AttemptFails), 1);
        assert_int_equal(hand_drain(&h), 0); /* nobody to reset */
        hand_free(&h);
    }
}

TEST(without_linear_timeouts_syns_go_after_1_2_4_seconds)
{
    struct hand h;

    hand_new(&h, NULL);
    assert_int_equal(la_sysctl_set(h.s, "net.ipv4.tcp_syn_linear_timeouts", 0), LA_OK);
    assert_int_equal(la_sysctl_set(h.s, "net.ipv4.tcp_syn_retries", 2), LA_OK);
    hand_open(&h);
    const la_time begun = h.now;
    hand_drain(&h);
    assert_int_equal(until_closed(&h), 2);
    assert_int_equal(seconds(&h, begun), 1 + 2 + 4);
    hand_free(&h);
}

TEST(text_is_repeated_with_doubling_gaps_for_924_seconds)
{
    struct hand h = start(false);

    assert_int_equal(la_send(h.s, h.now, h.conn, "abc", 3, 0), 3);
    hand_conn(&h)->srtt_us8 = 0;
    hand_conn(&h)->rto_us = 200000; /* the smallest */
    const la_time begun = h.now;
    assert_int_equal(hand_drain(&h), 1);
    assert_int_equal(until_closed(&h), 15 + 1); /* and a reset at the end */
    assert_int_equal(seconds(&h, begun), 924);  /* tcp_retries2 = 15 */
    assert_int_equal(la_conn_error(h.s, h.conn, NULL), LA_ETIMEDOUT);
    assert_int_equal(la_counter(h.s, LA_COUNT_TCPAbortOnTimeout), 1);
    hand_free(&h);
}

TEST(before_giving_up_the_application_is_told_after_r1)
{
    struct hand h = start(false);
    struct la_event e[4];

    assert_int_equal(la_send(h.s, h.now, h.conn, "abc", 3, 0), 3);
    hand_drain(&h);
    (void)la_events(h.s, e, 4);
    hand_rto(&h);
    hand_rto(&h);
    assert_int_equal(la_events(h.s, e, 4), 0);
    assert_int_equal(la_conn_soft_error(h.s, h.conn), LA_OK);
    hand_rto(&h);
    assert_int_equal(la_events(h.s, e, 4), 0);
    hand_rto(&h); /* tcp_retries1 = 3: 3.0 s */
    assert_int_equal(la_events(h.s, e, 4), 1);
    assert_int_equal(la_conn_soft_error(h.s, h.conn), LA_ETIMEDOUT);
    assert_int_equal(la_conn_soft_error(h.s, h.conn), LA_OK);
    assert_int_equal(hand_state(&h), LA_ESTABLISHED);
    hand_free(&h);
}

TEST(an_icmp_error_is_the_reason_if_the_connection_dies_of_silence)
{
    struct hand h = start(false);

    assert_int_equal(la_send(h.s, h.now, h.conn, "abc", 3, 0), 3);
    hand_drain(&h);
    tcp_icmp_error(h.t, &hand_conn(&h)->flow, seq_add(h.iss, 1), ICMP_UNREACHABLE, 4, 1, 0);
    assert_int_equal(hand_state(&h), LA_ESTABLISHED);
    until_closed(&h);
    assert_int_equal(la_conn_error(h.s, h.conn, NULL), LA_EHOSTUNREACH);
    hand_free(&h);
}

TEST(an_orphan_gives_up_sooner)
{
    struct hand h = start(false);

    assert_int_equal(la_send(h.s, h.now, h.conn, "abc", 3, 0), 3);
    hand_conn(&h)->rto_us = 200000;
    assert_int_equal(la_close(h.s, h.now, h.conn), LA_OK);
    const la_time begun = h.now;
    hand_drain(&h);
    until_closed(&h);
    assert_int_equal(seconds(&h, begun), 102); /* (2^9 - 1) * 0.2 s: eight repeats */
    hand_free(&h);
}

TEST(the_user_timeout_ends_the_connection_to_the_millisecond)
{
    static const uint64_t ms[] = { 1, 700, 5000, 3000000 };

    for (uint32_t i = 0; i < LA_COUNT_OF(ms); i++) {
        struct hand h = start(i & 1);

        assert_int_equal(la_set_option(h.s, h.now, h.conn, LA_OPT_USER_TIMEOUT, ms[i]), LA_OK);
        hand_wait(&h, 10 * NS_PER_S); /* it counts from what is unacknowledged */
        assert_int_equal(la_send(h.s, h.now, h.conn, "abc", 3, 0), 3);
        hand_drain(&h);
        const la_time begun = h.now;
        until_closed(&h);
        assert_int_equal(time_since(begun, h.now), ms[i] * NS_PER_MS);
        assert_int_equal(la_conn_error(h.s, h.conn, NULL), LA_ETIMEDOUT);
        assert_int_equal(la_drops(h.s, LA_DROP_USER_TIMEOUT), 1);
        hand_free(&h);
    }
}

TEST(a_closed_window_is_probed_with_doubling_gaps_as_long_as_the_peer_answers)
{
    struct hand h = start(false);
    struct tcp_seg seg;
    uint64_t gap = 0;

    hand_rx(&h, "ACK rcv 1 snd 1 wnd 0");
    assert_int_equal(la_send(h.s, h.now, h.conn, "abcdef", 6, 0), 6);
    assert_int_equal(hand_drain(&h), 0);
    la_time before = h.now;
    for (uint32_t i = 0; i < 30; i++) {
        while (!hand_tx_seg(&h, &seg))
            assert_true(hand_next(&h));
        assert_int_equal(seg.len, 1);
        assert_true(seq_eq(seg.seq, seq_add(h.iss, 1)));
        const uint64_t passed = time_since(before, h.now);
        if (i > 0)
            assert_int_equal(passed, gap * 2 < 120 * NS_PER_S ? gap * 2 : 120 * NS_PER_S);
        gap = passed;
        before = h.now;
        hand_rx(&h, "ACK rcv 1 snd 1 wnd 0");
        hand_drain(&h);
    }
    assert_int_equal(hand_state(&h), LA_ESTABLISHED); /* MUST-37 */
    hand_rx(&h, "ACK rcv 1 snd 1 wnd 1000");
    hand_wait(&h, 200 * NS_PER_S);
    hand_rx(&h, "ACK rcv 1 snd 2 wnd 1000");
    assert_true(hand_tx_seg(&h, &seg));
    hand_free(&h);
}

TEST(probes_without_any_answer_end_the_connection)
{
    struct hand h = start(false);

    hand_rx(&h, "ACK rcv 1 snd 1 wnd 0");
    assert_int_equal(la_send(h.s, h.now, h.conn, "abcdef", 6, 0), 6);
    hand_drain(&h);
    const uint32_t sent = until_closed(&h);
    assert_in_range(sent, 15, 18);
    assert_int_equal(la_conn_error(h.s, h.conn, NULL), LA_ETIMEDOUT);
    assert_int_equal(la_drops(h.s, LA_DROP_PERSIST), 1);
    hand_free(&h);
}

TEST(an_orphan_does_not_probe_for_ever_though_its_peer_answers)
{
    struct hand h = start(false);
    uint32_t probes = 0;

    hand_rx(&h, "ACK rcv 1 snd 1 wnd 0");
    assert_int_equal(la_send(h.s, h.now, h.conn, "abcdef", 6, 0), 6);
    assert_int_equal(la_close(h.s, h.now, h.conn), LA_OK);
    while (h.t->conns.used > 0 && hand_next(&h)) {
        if (hand_drain(&h) == 0)
            continue;
        assert_true(probes++ < 20);
        hand_rx(&h, "ACK rcv 1 snd 1 wnd 0");
        hand_drain(&h);
    }
    assert_in_range(probes, 8, 12); /* tcp_orphan_retries = 0 means 8 */
    assert_int_equal(la_drops(h.s, LA_DROP_PERSIST), 1);
    assert_int_equal(la_table_use(h.s, LA_TABLE_CHUNKS).used, 0);
    hand_free(&h);
}

TEST(keepalive_probes_an_idle_peer_and_gives_up_on_a_silent_one)
{
    struct hand h = start(false);
    struct tcp_seg seg;

    hand_conn(&h)->set.keepalive = false;
    hand_wait(&h, 100000 * NS_PER_S);
    assert_int_equal(hand_drain(&h), 0); /* MUST-25: off unless asked for */
    assert_int_equal(la_set_option(h.s, h.now, h.conn, LA_OPT_KEEPIDLE, 10), LA_OK);
    assert_int_equal(la_set_option(h.s, h.now, h.conn, LA_OPT_KEEPINTVL, 2), LA_OK);
    assert_int_equal(la_set_option(h.s, h.now, h.conn, LA_OPT_KEEPCNT, 3), LA_OK);
    hand_rx(&h, "ACK rcv 1 snd 1 wnd 1000");
    assert_int_equal(la_set_option(h.s, h.now, h.conn, LA_OPT_KEEPALIVE, 1), LA_OK);
    hand_wait(&h, 10 * NS_PER_S - 1);
    assert_int_equal(hand_drain(&h), 0);
    hand_wait(&h, 1);
    assert_true(hand_tx_seg(&h, &seg));
    assert_true(seq_eq(seg.seq, h.iss)); /* SND.NXT - 1, no text */
    assert_int_equal(seg.len, 0);
    hand_rx(&h, "ACK rcv 1 snd 1 wnd 1000"); /* an answer: it begins anew */
    hand_wait(&h, 10 * NS_PER_S);
    assert_int_equal(hand_drain(&h), 1);
    hand_wait(&h, 2 * NS_PER_S);
    assert_int_equal(hand_drain(&h), 1);
    hand_wait(&h, 2 * NS_PER_S);
    assert_int_equal(hand_drain(&h), 1);
    assert_int_equal(hand_state(&h), LA_ESTABLISHED);
    hand_wait(&h, 2 * NS_PER_S);
    assert_int_equal(hand_state(&h), LA_CLOSED);
    assert_int_equal(la_conn_error(h.s, h.conn, NULL), LA_ETIMEDOUT);
    assert_int_equal(la_drops(h.s, LA_DROP_KEEPALIVE), 1);
    assert_int_equal(la_counter(h.s, LA_COUNT_TCPKeepAlive), 4);
    hand_free(&h);
}

TEST(a_host_that_slept_meets_everything_at_once_and_loses_nothing)
{
    struct hand h = start(false);

    assert_int_equal(la_send(h.s, h.now, h.conn, "abc", 3, 0), 3);
    hand_drain(&h);
    h.now = time_add(h.now, 30 * NS_PER_S); /* one jump, over many timeouts */
    while (la_tick(h.s, h.now, 1))
        if (la_deadline(h.s).ns > h.now.ns)
            break;
    assert_int_equal(hand_drain(&h), 1);
    assert_int_equal(hand_conn(&h)->retransmits, 1); /* one, not thirty */
    hand_rx(&h, "ACK rcv 1 snd 4 wnd 1000");
    assert_int_equal(conn_flight(hand_conn(&h)), 0);
    assert_null(la_check(h.s));
    hand_free(&h);
}

TEST_MAIN
