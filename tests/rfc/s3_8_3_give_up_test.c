/* SPDX-License-Identifier: MIT */
/*
 * RFC 9293 3.8.3: when to give up.  R2 is a time, as on Linux: 15 doublings from the smallest
 * RTO, 924.6 s.  A handshake without delay gives an RTO of 200.001 ms.
 */
#include "tests/rfc/bench.h"

BENCH_TEST(text_to_a_dead_peer_is_given_up_after_924_seconds)
{
    bench_established(b, NULL);
    bench_send(b, 100);
    bench_forget_tx(b);

    bench_sleep(b, MS(924600));
    expect_state(b, LA_ESTABLISHED);
    expect_equal(b, b->tx_count, 15); /* retransmissions, and no more */
    bench_forget_tx(b);
    bench_sleep(b, MS(10));
    expect_state(b, LA_CLOSED);
    expect_error(b, LA_ETIMEDOUT);
    expect_tx(b, "RST ACK snd 100 rcv 0");
    expect_no_tx(b);
    expect_equal(b, la_counter(b->s, LA_COUNT_TCPAbortOnTimeout), 1);
    expect_equal(b, la_drops(b->s, LA_DROP_RETRIES), 1);
}

BENCH_TEST(progress_begins_r2_anew)
{
    bench_established(b, NULL);
    bench_send(b, 100);
    bench_sleep(b, SEC(900));
    bench_rx(b, "ACK rcv 0 snd 50 wnd 65535");
    bench_sleep(b, SEC(900));

    expect_state(b, LA_ESTABLISHED);
    bench_sleep(b, SEC(200));
    expect_state(b, LA_CLOSED);
}

BENCH_TEST(the_application_is_told_at_r1)
{
    bench_established(b, NULL);
    bench_send(b, 100);
    const uint32_t events = b->events;
    bench_sleep(b, MS(650)); /* two retransmissions */
    expect_equal(b, b->events, events);
    expect_equal(b, la_conn_soft_error(b->s, b->conn), LA_OK);

    bench_sleep(b, MS(800)); /* the third, at 1.4 s */
    expect_equal(b, la_conn_soft_error(b->s, b->conn), LA_OK);

    bench_sleep(b, MS(1600)); /* the fourth, at 3.0 s: tcp_retries1 = 3 as a time */

    expect_equal(b, b->events, events + 1);
    expect_equal(b, la_conn_soft_error(b->s, b->conn), LA_ETIMEDOUT);
    expect_equal(b, la_conn_soft_error(b->s, b->conn), LA_OK);
    expect_state(b, LA_ESTABLISHED);
}

BENCH_TEST(the_application_can_set_r2)
{
    bench_established(b, NULL);
    bench_option(b, LA_OPT_USER_TIMEOUT, 5000);
    bench_send(b, 100);
    bench_forget_tx(b);

    bench_sleep(b, MS(5000) - 1);
    expect_state(b, LA_ESTABLISHED);
    bench_sleep(b, 1);
    expect_state(b, LA_CLOSED);
    expect_error(b, LA_ETIMEDOUT);
    expect_equal(b, la_drops(b->s, LA_DROP_USER_TIMEOUT), 1);
}

BENCH_TEST(a_long_user_timeout_takes_the_place_of_r2)
{
    bench_established(b, NULL);
    bench_option(b, LA_OPT_USER_TIMEOUT, 2000000);
    bench_send(b, 100);

    bench_sleep(b, SEC(2000) - 1);
    expect_state(b, LA_ESTABLISHED);
    bench_sleep(b, 1);
    expect_state(b, LA_CLOSED);
}

BENCH_TEST(a_user_timeout_set_late_holds_at_once)
{
    bench_established(b, NULL);
    bench_send(b, 100);
    bench_sleep(b, SEC(4));
    bench_option(b, LA_OPT_USER_TIMEOUT, 5000);

    bench_sleep(b, SEC(1) - 1);
    expect_state(b, LA_ESTABLISHED);
    bench_sleep(b, 1);
    expect_state(b, LA_CLOSED);
}

BENCH_TEST(the_system_can_set_r2)
{
    bench_begin(b, BENCH_EITHER, NULL);
    bench_sysctl(b, "net.ipv4.tcp_retries2", 8);
    bench_established(b, NULL);
    bench_send(b, 100);
    bench_forget_tx(b);

    bench_sleep(b, MS(102200)); /* 0.2 * (2^9 - 1) */
    expect_state(b, LA_ESTABLISHED);
    expect_equal(b, b->tx_count, 8);
    bench_sleep(b, MS(5));
    expect_state(b, LA_CLOSED);
}

BENCH_TEST(an_orphan_is_given_up_sooner)
{
    bench_established(b, NULL);
    bench_send(b, 100);
    bench_close(b);
    bench_forget_tx(b);

    bench_sleep(b, MS(102200));
    expect_state(b, LA_FIN_WAIT_1);
    bench_sleep(b, MS(5));
    expect_state(b, LA_CLOSED);
    expect_equal(b, la_table_use(b->s, LA_TABLE_CONNECTIONS).used, 0);
}

BENCH_TEST(syns_go_at_0_1_2_3_4_5_7_11_19_35_67_and_fail_at_131)
{
    static const uint32_t at[] = { 1, 2, 3, 4, 5, 7, 11, 19, 35, 67 };

    bench_state(b, LA_SYN_SENT, NULL);
    for (uint32_t i = 0; i < 10; i++)
        expect_tx_at(b, SEC(at[i]), "SYN snd 0");
    bench_sleep(b, SEC(131 - 67) - 1);
    expect_no_tx(b);
    expect_state(b, LA_SYN_SENT);
    bench_sleep(b, 1);
    expect_no_tx(b);
    expect_state(b, LA_CLOSED);
    expect_error(b, LA_ETIMEDOUT);
    expect_equal(b, la_counter(b->s, LA_COUNT_AttemptFails), 1);
    expect_true(b, (b->event_mask & LA_ERROR_SET) != 0);
}

BENCH_TEST(without_linear_timeouts_syns_back_off_at_once)
{
    static const uint32_t at[] = { 1, 3, 7, 15, 31, 63 };

    bench_begin(b, BENCH_ACTIVE, NULL);
    bench_sysctl(b, "net.ipv4.tcp_syn_linear_timeouts", 0);
    bench_connect(b);
    expect_tx(b, "SYN snd 0");
    for (uint32_t i = 0; i < 6; i++)
        expect_tx_at(b, SEC(at[i]), "SYN snd 0");
    bench_sleep(b, SEC(127 - 63));
    expect_state(b, LA_CLOSED);
}

BENCH_TEST(a_user_timeout_ends_syn_sent_too)
{
    bench_state(b, LA_SYN_SENT, NULL);
    bench_option(b, LA_OPT_USER_TIMEOUT, 3500);

    bench_sleep(b, MS(3500) - 1);
    expect_state(b, LA_SYN_SENT);
    bench_sleep(b, 1);
    expect_state(b, LA_CLOSED);
    expect_error(b, LA_ETIMEDOUT);
}

BENCH_TEST(gaps_between_repeats_never_shrink)
{
    uint64_t gap = 0;
    la_time last;

    bench_established(b, NULL);
    last = b->now;
    bench_send(b, 100);
    bench_forget_tx(b);
    bench_sleep(b, SEC(924));
    for (const struct bench_tx *t; (t = bench_next_tx(b)) != NULL; last = t->at) {
        expect_true(b, t->at.ns - last.ns >= gap && t->at.ns - last.ns >= MS(200));
        gap = t->at.ns - last.ns;
    }
}

BENCH_TEST(a_fin_to_a_dead_peer_is_given_up_too)
{
    bench_state(b, LA_LAST_ACK, NULL);

    bench_sleep(b, SEC(926));

    expect_state(b, LA_CLOSED);
    expect_error(b, LA_ETIMEDOUT);
}

TEST_MAIN
