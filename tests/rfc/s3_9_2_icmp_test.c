/* SPDX-License-Identifier: MIT */
/*
 * RFC 9293 3.9.2.2 and RFC 5927: ICMP errors about our segments.  On a synchronized connection
 * all of them are soft, as on Linux; "too big" lowers the MSS if it quotes what is in flight.
 */
#include "tests/rfc/bench.h"

#define HEADERS(b) ((b)->family == 4 ? 40u : 60u)

static void port_unreachable(struct bench *b, int64_t snd)
{
    bench_rx_icmp(b, b->family == 4 ? 3 : 1, b->family == 4 ? 3 : 4, 0, snd);
}

static void host_unreachable(struct bench *b, int64_t snd)
{
    bench_rx_icmp(b, b->family == 4 ? 3 : 1, b->family == 4 ? 1 : 3, 0, snd);
}

static void too_big(struct bench *b, uint32_t mtu_bytes, int64_t snd)
{
    bench_rx_icmp(b, b->family == 4 ? 3 : 2, b->family == 4 ? 4 : 0, mtu_bytes, snd);
}

BENCH_TEST(a_hard_error_about_our_syn_ends_the_opening)
{
    bench_state(b, LA_SYN_SENT, NULL);

    port_unreachable(b, 0);

    expect_no_tx(b);
    expect_state(b, LA_CLOSED);
    expect_error(b, LA_ECONNREFUSED);
}

BENCH_TEST(a_hard_error_that_quotes_another_number_does_not)
{
    bench_state(b, LA_SYN_SENT, NULL);

    port_unreachable(b, 1);
    expect_drop(b, LA_DROP_ICMP_SEQUENCE);
    port_unreachable(b, -1);
    port_unreachable(b, 2147483648);

    expect_state(b, LA_SYN_SENT);
}

BENCH_TEST(a_hard_error_about_another_connection_does_not)
{
    bench_state(b, LA_SYN_SENT, NULL);
    b->remote.port++;
    port_unreachable(b, 0);
    b->remote.port--;
    expect_drop(b, LA_DROP_ICMP_NO_MATCH);
    b->local.port++;
    port_unreachable(b, 0);
    b->local.port--;

    expect_state(b, LA_SYN_SENT);
}

BENCH_TEST(a_soft_error_about_our_syn_is_told_and_the_opening_goes_on)
{
    bench_state(b, LA_SYN_SENT, NULL);

    host_unreachable(b, 0);

    expect_state(b, LA_SYN_SENT);
    expect_equal(b, la_conn_soft_error(b->s, b->conn), LA_EHOSTUNREACH);
    expect_equal(b, la_conn_soft_error(b->s, b->conn), LA_OK); /* reading clears it */
}

BENCH_TEST(a_soft_error_is_the_reason_if_the_opening_fails)
{
    bench_state(b, LA_SYN_SENT, NULL);
    host_unreachable(b, 0);

    bench_sleep(b, SEC(131));

    expect_error(b, LA_EHOSTUNREACH);
}

BENCH_TEST(hard_errors_are_soft_on_a_synchronized_connection)
{
    static const int places[] = { LA_ESTABLISHED, LA_CLOSE_WAIT };

    for (uint32_t i = 0; i < 2; i++) {
        bench_again(b);
        bench_state(b, places[i], NULL);
        bench_send(b, 100);
        port_unreachable(b, 0);
        expect_state(b, places[i]);
        expect_error(b, LA_OK);
        expect_equal(b, la_conn_soft_error(b->s, b->conn), LA_ECONNREFUSED);
    }
}

BENCH_TEST(only_what_is_in_flight_may_be_quoted)
{
    bench_established(b, NULL);
    bench_send(b, 100);

    host_unreachable(b, -1);
    expect_equal(b, la_conn_soft_error(b->s, b->conn), LA_OK);
    host_unreachable(b, 100);
    expect_equal(b, la_conn_soft_error(b->s, b->conn), LA_OK);
    host_unreachable(b, 2147483648);
    expect_equal(b, la_conn_soft_error(b->s, b->conn), LA_OK);
    host_unreachable(b, 99);
    expect_equal(b, la_conn_soft_error(b->s, b->conn), LA_EHOSTUNREACH);
    host_unreachable(b, 0);
    expect_equal(b, la_conn_soft_error(b->s, b->conn), LA_EHOSTUNREACH);
}

BENCH_TEST(no_type_and_code_ends_an_established_connection)
{
    if (b->origin > 1)
        return;
    bench_established(b, NULL);
    bench_send(b, 3000);
    bench_forget_tx(b);

    for (uint32_t type = 0; type < 256; type += type < 16 || (type > 120 && type < 160) ? 1 : 9)
        for (uint32_t code = 0; code < 256; code += code < 24 ? 1 : 29) {
            bench_rx_icmp(b, (uint8_t)type, (uint8_t)code, 0, 0);
            bench_forget_tx(b);
        }

    expect_state(b, LA_ESTABLISHED);
    expect_error(b, LA_OK);
}

BENCH_TEST(source_quench_is_dropped_in_silence)
{
    if (b->family == 6)
        return; /* there is none */
    bench_established(b, NULL);
    bench_send(b, 100);
    bench_forget_tx(b);
    const uint32_t cwnd = bench_info(b).cwnd_bytes;

    bench_rx_icmp(b, 4, 0, 0, 0);

    expect_no_tx(b);
    expect_equal(b, bench_info(b).cwnd_bytes, cwnd);
    expect_equal(b, la_conn_soft_error(b->s, b->conn), LA_OK);
}

BENCH_TEST(too_big_lowers_the_mss_and_what_was_too_big_goes_again)
{
    bench_established(b, &(struct bench_opt){ .mss = 1400 });
    bench_send(b, 1400);
    expect_tx(b, "PSH ACK snd 0 rcv 0 len 1400");

    too_big(b, 1300, 0);

    const uint32_t mss = 1300 - HEADERS(b);
    expect_equal(b, bench_info(b).snd_mss, mss);
    const struct bench_tx *t = bench_next_tx(b);
    expect_true(b, t != NULL && t->seg.len == mss && seq_eq(t->seg.seq, b->snd_base));
}

BENCH_TEST(too_big_that_quotes_what_is_not_in_flight_changes_nothing)
{
    bench_established(b, &(struct bench_opt){ .mss = 1400 });
    bench_send(b, 1400);
    bench_forget_tx(b);

    too_big(b, 1300, -1);
    too_big(b, 1300, 1400);
    too_big(b, 1300, 2147483648);
    for (int i = 0; i < 1000; i++)
        too_big(b, 1300, (int64_t)(bench_random(b) | 0x10000));

    expect_equal(b, bench_info(b).snd_mss, 1400);
    expect_no_tx(b);
}

BENCH_TEST(too_big_never_raises_the_mss)
{
    bench_established(b, &(struct bench_opt){ .mss = 1400 });
    bench_send(b, 1400);
    bench_forget_tx(b);
    too_big(b, 1300, 0);
    const uint32_t mss = bench_info(b).snd_mss;
    bench_forget_tx(b);

    too_big(b, 1400, 0);
    expect_equal(b, bench_info(b).snd_mss, mss);
    too_big(b, 65535, 0);
    expect_equal(b, bench_info(b).snd_mss, mss);
    too_big(b, 1300, 0); /* no news */
    expect_equal(b, bench_info(b).snd_mss, mss);
    expect_drop(b, LA_DROP_ICMP_MTU);
    expect_no_tx(b);
}

BENCH_TEST(too_big_has_a_floor)
{
    bench_established(b, &(struct bench_opt){ .mss = 1400 });
    bench_send(b, 1400);
    bench_forget_tx(b);

    too_big(b, 68, 0);
    if (b->family == 6) {
        expect_equal(b, bench_info(b).snd_mss, 1400); /* RFC 8201 4: no link is so narrow */
        expect_drop(b, LA_DROP_ICMP_MTU);
        too_big(b, 1279, 0);
        expect_equal(b, bench_info(b).snd_mss, 1400);
        too_big(b, 1280, 0);
        expect_equal(b, bench_info(b).snd_mss, 1220);
        return;
    }
    expect_equal(b, bench_info(b).snd_mss, 512);
    too_big(b, 0, 0); /* a router from before RFC 1191 */
    expect_equal(b, bench_info(b).snd_mss, 512);
}

BENCH_TEST(too_big_about_what_fits_already_changes_nothing)
{
    bench_established(b, &(struct bench_opt){ .mss = 300 });
    bench_send(b, 300);
    bench_forget_tx(b);

    too_big(b, b->family == 4 ? 1000 : 1300, 0); /* our segments were never that big */

    expect_equal(b, bench_info(b).snd_mss, 300);
}

BENCH_TEST(errors_about_half_open_connections_and_records_change_nothing)
{
    static const int places[] = { LA_SYN_RECEIVED, LA_TIME_WAIT, BENCH_ORPHAN_FIN_WAIT_2 };

    for (uint32_t i = 0; i < 3; i++) {
        bench_again(b);
        bench_state(b, places[i], NULL);
        const int before = bench_state_now(b);
        port_unreachable(b, 0);
        port_unreachable(b, -1);
        too_big(b, 600, 0);
        expect_no_tx(b);
        expect_state(b, before);
    }
}

BENCH_TEST(diffserv_and_ttl_are_sent_as_set)
{
    const struct bench_tx *t;

    bench_established(b, NULL);
    bench_option(b, LA_OPT_TTL, 7);
    bench_option(b, LA_OPT_TOS, 0xb8);
    bench_send(b, 10);
    t = expect_tx(b, "PSH ACK snd 0 rcv 0 len 10");
    expect_equal(b, t->ttl, 7);
    expect_equal(b, t->tos, 0xb8); /* SHLD-22 */

    bench_option(b, LA_OPT_TOS, 0x28); /* SHLD-21; and for a bare ACK */
    bench_rx(b, "PSH ACK rcv 0 snd 10 len 5 wnd 65535");
    t = expect_tx(b, "ACK snd 10 rcv 5");
    expect_equal(b, t->ttl, 7);
    expect_equal(b, t->tos, 0x28);
    bench_recv(b, 5);
    bench_option(b, LA_OPT_TOS, 0xff);
    bench_send(b, 10);
    t = expect_tx(b, "PSH ACK snd 10 rcv 5 len 10");
    expect_equal(b, t->tos, 0xfc); /* the ECN bits are not the application's */
}

TEST_MAIN
