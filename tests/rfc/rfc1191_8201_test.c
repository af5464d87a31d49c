/* SPDX-License-Identifier: MIT */
/*
 * RFC 1191 and 8201: routers say that packets are too big.  What is believed, what follows at once,
 * for whom it holds, and for how long.
 */
#include "tests/rfc/bench.h"

#define HEADERS(b) ((b)->family == 4 ? 40u : 60u)

static void too_big(struct bench *b, uint32_t mtu_bytes, int64_t snd)
{
    bench_rx_icmp(b, b->family == 4 ? 3 : 2, b->family == 4 ? 4 : 0, mtu_bytes, snd);
}

/* A second connection to the same peer, opened by us. */
static la_conn_id another(struct bench *b, uint16_t rport)
{
    la_conn_id id;

    assert_int_equal(la_open(b->s, b->now, (struct la_endpoint){ .addr = b->local.addr },
                             (struct la_endpoint){ .addr = b->remote.addr, .port = rport }, 0, &id),
                     LA_OK);
    return id;
}

static uint32_t path_mtu_of(struct bench *b, la_conn_id id)
{
    struct la_conn_info info;

    assert_int_equal(la_conn_info(b->s, id, &info), LA_OK);
    return info.path_mtu_bytes;
}

BENCH_TEST(all_that_was_too_big_goes_again_at_once_and_the_window_stays)
{
    bench_established(b, &(struct bench_opt){ .mss = 1440, .sack = true });
    bench_send(b, 7200);
    expect_equal(b, bench_forget_tx(b), 5);
    const uint32_t cwnd = bench_info(b).cwnd_bytes;

    too_big(b, 1400, 1440);

    const uint32_t mss = 1400 - HEADERS(b);
    expect_equal(b, bench_info(b).snd_mss, mss);
    expect_equal(b, bench_info(b).cwnd_bytes, cwnd);
    for (uint32_t at = 0; at < 7200; at += mss) {
        const struct bench_tx *t = bench_next_tx(b);

        expect_true(b, t != NULL);
        expect_equal(b, seq_diff(b->snd_base, t->seg.seq), at);
        expect_equal(b, t->seg.len, 7200 - at < mss ? 7200 - at : mss);
        expect_true(b, t->ip_len <= 1400);
    }
    expect_no_tx(b);
}

BENCH_TEST(what_is_small_enough_is_not_sent_again)
{
    bench_established(b, &(struct bench_opt){ .mss = 1440, .sack = true });
    bench_option(b, LA_OPT_NODELAY, 1);
    bench_send(b, 2880);
    bench_sleep(b, MS(5));
    bench_send(b, 100);
    bench_sleep(b, MS(5));
    bench_forget_tx(b);

    too_big(b, 1400, 0);

    uint32_t bytes = 0;
    for (const struct bench_tx *t = bench_next_tx(b); t != NULL; t = bench_next_tx(b)) {
        bytes += t->seg.len;
        expect_true(b, seq_diff(b->snd_base, t->seg.seq) < 2880);
    }
    expect_equal(b, bytes, 2880);
}

BENCH_TEST(without_sack_all_in_flight_goes_again)
{
    bench_established(b, &(struct bench_opt){ .mss = 1440 });
    bench_send(b, 2880);
    bench_forget_tx(b);
    const uint32_t mss = 1400 - HEADERS(b), cwnd = bench_info(b).cwnd_bytes;

    too_big(b, 1400, 0);

    for (uint32_t at = 0; at < 2880; at += mss) {
        const struct bench_tx *t = bench_next_tx(b);

        expect_true(b, t != NULL && seq_diff(b->snd_base, t->seg.seq) == at);
        expect_equal(b, t->seg.len, 2880 - at < mss ? 2880 - at : mss);
    }
    expect_no_tx(b);
    expect_equal(b, bench_info(b).cwnd_bytes, cwnd);
    for (uint32_t i = 0; i < 4; i++) /* of what came twice */
        bench_rx(b, "ACK rcv 0 snd 0 wnd 65535");
    expect_equal(b, la_counter(b->s, LA_COUNT_TCPRenoRecovery), 0);
}

BENCH_TEST(a_new_connection_to_the_same_destination_knows_it)
{
    bench_established(b, &(struct bench_opt){ .mss = 1440 });
    bench_send(b, 1440);
    too_big(b, 1400, 0);

    expect_equal(b, path_mtu_of(b, another(b, 7777)), 1400);
    expect_equal(b, bench_info(b).path_mtu_bytes, 1400);
}

BENCH_TEST(another_destination_does_not)
{
    struct la_endpoint other;
    la_conn_id id;

    bench_established(b, &(struct bench_opt){ .mss = 1440 });
    bench_send(b, 1440);
    too_big(b, 1400, 0);

    other = b->remote;
    other.addr.bytes[15] ^= 3;
    assert_int_equal(
        la_open(b->s, b->now, (struct la_endpoint){ .addr = b->local.addr }, other, 0, &id), LA_OK);
    expect_equal(b, path_mtu_of(b, id), 1500);
}

BENCH_TEST(after_ten_minutes_it_is_forgotten)
{
    bench_established(b, &(struct bench_opt){ .mss = 1440, .sack = true });
    bench_send(b, 1440);
    too_big(b, 1400, 0);
    bench_rx(b, "ACK rcv 0 snd 1440 wnd 65535");
    bench_forget_tx(b);

    bench_sleep(b, SEC(599)); /* RFC 1191 6.3; net.ipv4.route.mtu_expires */
    bench_send(b, 1440);
    const struct bench_tx *t = bench_next_tx(b);
    expect_equal(b, t->seg.len, 1400 - HEADERS(b));
    bench_rx(b, "ACK rcv 0 snd 2880 wnd 65535");
    bench_forget_tx(b);

    bench_sleep(b, SEC(2));
    bench_send(b, 1440);
    expect_tx(b, "PSH ACK snd 2880 rcv 0 len 1440");
    expect_equal(b, bench_info(b).path_mtu_bytes, 1500);
}

BENCH_TEST(the_time_for_which_it_is_believed_can_be_set)
{
    bench_begin(b, BENCH_EITHER, NULL);
    bench_sysctl(b, "net.ipv4.route.mtu_expires", 3);
    bench_established(b, &(struct bench_opt){ .mss = 1440 });
    bench_send(b, 1440);
    too_big(b, 1400, 0);
    bench_rx(b, "ACK rcv 0 snd 1440 wnd 65535");
    bench_forget_tx(b);

    bench_sleep(b, SEC(3));
    bench_send(b, 1440);

    expect_tx(b, "PSH ACK snd 1440 rcv 0 len 1440");
}

BENCH_TEST(a_second_router_may_say_less_still)
{
    bench_established(b, &(struct bench_opt){ .mss = 1440, .sack = true });
    bench_send(b, 4320);
    too_big(b, 1400, 0);
    bench_forget_tx(b);

    too_big(b, 1300, 0);

    expect_equal(b, bench_info(b).snd_mss, 1300 - HEADERS(b));
    const struct bench_tx *t = bench_next_tx(b);
    expect_true(b, t != NULL && t->seg.len == 1300 - HEADERS(b));
}

BENCH_TEST(the_least_that_is_believed_can_be_set_for_ipv4)
{
    bench_begin(b, BENCH_EITHER, NULL);
    bench_sysctl(b, "net.ipv4.route.min_pmtu", 700);
    bench_established(b, &(struct bench_opt){ .mss = 1440 });
    bench_send(b, 1440);

    too_big(b, 296, 0);

    expect_equal(b, bench_info(b).path_mtu_bytes, b->family == 4 ? 700 : 1500);
}

BENCH_TEST(the_time_stamp_option_is_part_of_the_packet)
{
    bench_established(b, &(struct bench_opt){ .mss = 1440, .timestamps = true, .sack = true });
    bench_send(b, 4000);
    bench_forget_tx(b);

    too_big(b, 1400, 0);

    expect_equal(b, bench_info(b).snd_mss, 1400 - HEADERS(b) - 12);
    const struct bench_tx *t = bench_next_tx(b);
    expect_equal(b, t->ip_len, 1400);
}

BENCH_TEST(what_is_not_believed_is_counted)
{
    bench_established(b, &(struct bench_opt){ .mss = 1440 });
    bench_send(b, 1440);
    bench_forget_tx(b);

    too_big(b, 1400, 1440);
    expect_drop(b, LA_DROP_ICMP_SEQUENCE);
    expect_equal(b, la_counter(b->s, LA_COUNT_OutOfWindowIcmps), 1);
    too_big(b, 1500, 0); /* our packets are no larger */
    expect_drop(b, LA_DROP_ICMP_MTU);
    expect_equal(b, bench_info(b).snd_mss, 1440);
    expect_no_tx(b);
}

BENCH_TEST(what_is_said_of_a_syn_holds_for_the_text_that_follows)
{
    bench_state(b, LA_SYN_SENT, NULL);

    too_big(b, 1300, 0);

    expect_equal(b, bench_info(b).path_mtu_bytes, 1300);
    expect_no_tx(b); /* the SYN itself is small, and has its timer */
    bench_rx(b, "SYN ACK rcv 0 snd 1 wnd 65535 mss 1440");
    expect_state(b, LA_ESTABLISHED);
    expect_equal(b, bench_info(b).snd_mss, 1300 - HEADERS(b));
}

/* All is in flight, nothing new will be sent, and what is known has changed without a word to us. */
BENCH_TEST(what_is_known_already_is_obeyed_when_a_router_repeats_it)
{
    bench_established(b, &(struct bench_opt){ .mss = 1440, .sack = true });
    bench_send(b, 2880);
    bench_forget_tx(b);
    assert_int_equal(la_iface_set_mtu(b->s, 0, 1300), LA_OK);

    too_big(b, 1300, 0);

    const struct bench_tx *t = bench_next_tx(b);
    expect_true(b, t != NULL && t->ip_len == 1300);
    expect_equal(b, seq_diff(b->snd_base, t->seg.seq), 0);
}

BENCH_TEST(what_an_rto_sends_again_is_as_small_as_is_known_by_then)
{
    for (uint32_t sack = 0; sack < 2; sack++) {
        bench_again(b);
        bench_established(b, &(struct bench_opt){ .mss = 1440, .sack = sack });
        bench_send(b, 1440);
        bench_forget_tx(b);
        assert_int_equal(la_iface_set_mtu(b->s, 0, 1300), LA_OK);

        bench_sleep(b, SEC(2));

        for (const struct bench_tx *t = bench_next_tx(b); t != NULL; t = bench_next_tx(b))
            expect_true(b, t->ip_len <= 1300);
        expect_equal(b, bench_info(b).snd_mss, 1300 - HEADERS(b));
    }
}

BENCH_TEST(a_window_of_one_small_segment_still_takes_one_that_has_grown)
{
    bench_established(b, &(struct bench_opt){ .mss = 1440 });
    bench_send(b, 1440);
    too_big(b, b->family == 4 ? 600 : 1280, 0);
    bench_sleep(b, SEC(2)); /* an RTO: the window is one segment */
    bench_rx(b, "ACK rcv 0 snd 1440 wnd 65535");
    bench_send(b, 100);
    bench_sleep(b, SEC(9));
    bench_rx(b, "ACK rcv 0 snd 1540 wnd 65535");
    expect_true(b, bench_info(b).cwnd_bytes < 1440);
    bench_forget_tx(b);

    bench_sleep(b, SEC(601));
    bench_send(b, 1440);

    expect_tx(b, "PSH ACK snd 1540 rcv 0 len 1440");
}

BENCH_TEST(segments_may_grow_while_what_was_lost_is_repaired)
{
    bench_begin(b, BENCH_EITHER, NULL);
    bench_sysctl(b, "net.ipv4.route.mtu_expires", 1);
    bench_established(b, &(struct bench_opt){ .mss = 1440, .sack = true });
    bench_option(b, LA_OPT_CONGESTION, CC_RENO);
    bench_send(b, 1440);
    too_big(b, b->family == 4 ? 600 : 1280, 0);
    bench_rx(b, "ACK rcv 0 snd 1440 wnd 65535");
    bench_rebase(b);
    const uint32_t mss = bench_info(b).snd_mss;
    char line[80];

    bench_sleep(b, MS(950));
    bench_send(b, 4 * mss);
    bench_sleep(b, MS(10));
    snprintf(line, sizeof line, "ACK rcv 0 snd 0 wnd 65535 sack %u:%u", mss, 4 * mss);
    bench_rx(b, line);
    expect_equal(b, bench_info(b).ssthresh_bytes, 2 * mss);
    bench_sleep(b, MS(45));
    bench_send(b, 100);
    expect_equal(b, bench_info(b).snd_mss, 1440);
    snprintf(line, sizeof line, "ACK rcv 0 snd %u wnd 65535", 4 * mss + 100);
    bench_rx(b, line);
    bench_forget_tx(b);

    bench_send(b, 1440);

    const struct bench_tx *t = bench_next_tx(b);
    expect_true(b, t != NULL && t->seg.len == 1440);
}

BENCH_TEST(no_sysctl_makes_a_segment_larger_than_the_interface_takes)
{
    bench_begin(b, BENCH_EITHER, NULL);
    bench_sysctl(b, "net.ipv4.tcp_min_snd_mss", 65495);
    bench_established(b, &(struct bench_opt){ .mss = 1000 });

    bench_send(b, 5000);

    for (const struct bench_tx *t = bench_next_tx(b); t != NULL; t = bench_next_tx(b))
        expect_true(b, t->ip_len <= 1500);
}

BENCH_TEST(an_interface_whose_mtu_changes_is_followed)
{
    bench_established(b, &(struct bench_opt){ .mss = 1440, .sack = true });
    assert_int_equal(la_iface_set_mtu(b->s, 0, 1300), LA_OK);
    bench_send(b, 3000);
    const struct bench_tx *t = bench_next_tx(b);
    expect_equal(b, t->ip_len, 1300);

    assert_int_equal(la_iface_set_mtu(b->s, 0, 1500), LA_OK);
    bench_forget_tx(b);
    bench_rx(b, "ACK rcv 0 snd 3000 wnd 65535");
    bench_send(b, 1440);
    expect_tx(b, "PSH ACK snd 3000 rcv 0 len 1440");
}

TEST_MAIN
