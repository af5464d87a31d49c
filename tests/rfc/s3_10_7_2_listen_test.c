/* SPDX-License-Identifier: MIT */
/* RFC 9293 3.10.7.2: LISTEN, in its four steps; and what may not make a connection at all. */
#include "tests/rfc/bench.h"

/* The listener still does what it is for. */
static void still_listens(struct bench *b)
{
    expect_no_tx(b);
    expect_state(b, LA_LISTEN);
    bench_rx(b, "SYN rcv 0 wnd 65535");
    expect_tx(b, "SYN ACK snd 0 rcv 1");
    bench_rx(b, "ACK rcv 1 snd 1 wnd 65535");
    expect_no_tx(b);
    expect_state(b, LA_ESTABLISHED);
    bench_accept(b);
}

BENCH_TEST(first_a_reset_is_ignored)
{
    bench_state(b, LA_LISTEN, NULL);

    bench_rx(b, "RST rcv 0");
    expect_drop(b, LA_DROP_LISTEN_RST);
    bench_rx(b, "RST ACK rcv 0 snd 0");
    bench_rx(b, "SYN RST rcv 0"); /* CVE-2002-2438 */

    still_listens(b);
}

BENCH_TEST(second_an_ack_draws_a_reset)
{
    bench_state(b, LA_LISTEN, NULL);

    bench_rx(b, "ACK rcv 0 snd 40");
    expect_tx(b, "RST snd 40");
    expect_drop(b, LA_DROP_LISTEN_ACK);
    bench_rx(b, "FIN ACK rcv 0 snd 40 len 10");
    expect_tx(b, "RST snd 40");

    still_listens(b);
}

BENCH_TEST(second_a_syn_with_ack_draws_a_reset)
{
    bench_state(b, LA_LISTEN, NULL);

    bench_rx(b, "SYN ACK rcv 0 snd 40");
    expect_tx(b, "RST snd 40");

    still_listens(b);
}

BENCH_TEST(third_a_syn_is_answered_with_syn_ack)
{
    bench_state(b, LA_LISTEN, NULL);

    bench_rx(b, "SYN rcv 0 wnd 65535 mss 1460");

    expect_tx(b, "SYN ACK snd 0 rcv 1 wnd 10000");
    expect_no_tx(b);
    expect_state(b, LA_SYN_RECEIVED);
}

BENCH_TEST(third_text_on_a_syn_is_not_acknowledged_and_may_come_again)
{
    bench_state(b, LA_LISTEN, NULL);

    bench_rx(b, "SYN rcv 0 len 10 wnd 65535");
    expect_tx(b, "SYN ACK snd 0 rcv 1");
    bench_rx(b, "ACK rcv 1 snd 1 len 10 wnd 65535");
    expect_tx(b, "ACK snd 1 rcv 11");
    bench_accept(b);
    bench_recv(b, 10);
}

BENCH_TEST(third_a_syn_with_fin_makes_nothing)
{
    bench_state(b, LA_LISTEN, NULL);

    bench_rx(b, "SYN FIN rcv 0 wnd 65535");
    expect_drop(b, LA_DROP_LISTEN_SYN_FIN);

    still_listens(b);
}

BENCH_TEST(fourth_anything_else_is_dropped)
{
    bench_state(b, LA_LISTEN, NULL);

    bench_rx(b, "none rcv 0");
    expect_drop(b, LA_DROP_LISTEN_NO_SYN);
    bench_rx(b, "FIN rcv 0");
    bench_rx(b, "PSH rcv 0 urg 3 len 10");

    still_listens(b);
}

BENCH_TEST(ece_and_cwr_on_a_syn_are_answered_with_ece_and_change_nothing_else)
{
    const struct bench_tx *t;

    bench_state(b, LA_LISTEN, NULL);

    bench_rx(b, "SYN ECE CWR rcv 0 wnd 65535");

    t = expect_tx(b, "SYN ACK ECE snd 0 rcv 1"); /* RFC 3168 6.1.1: it agrees, as tcp_ecn allows */
    expect_equal(b, t->tos, 0);
}

BENCH_TEST(a_syn_to_many_is_dropped_in_silence)
{
    bench_state(b, LA_LISTEN, NULL);

    if (b->family == 4) {
        bench_rx_between(b, "SYN rcv 0", NULL, "224.0.0.1");
        bench_rx_between(b, "SYN rcv 0", NULL, "255.255.255.255");
        bench_rx_between(b, "SYN rcv 0", NULL, "192.0.2.255");
    } else {
        bench_rx_between(b, "SYN rcv 0", NULL, "ff02::1");
        bench_rx_between(b, "SYN rcv 0", NULL, "ff0e::1234");
    }

    still_listens(b);
}

BENCH_TEST(a_syn_to_somebody_else_is_dropped_in_silence)
{
    bench_state(b, LA_LISTEN, NULL);

    bench_rx_between(b, "SYN rcv 0", NULL, b->family == 4 ? "192.0.2.2" : "2001:db8::2");
    expect_drop(b, LA_DROP_IP_DESTINATION);

    still_listens(b);
}

BENCH_TEST(a_syn_from_what_is_no_host_is_dropped_in_silence)
{
    static const char *const v4[] = { "0.0.0.0",   "0.1.2.3",         "127.0.0.1", "224.0.0.1",
                                      "240.0.0.1", "255.255.255.255", "192.0.2.1", "192.0.2.255" };
    static const char *const v6[] = { "::", "::1", "ff02::1", "2001:db8::1",
                                      "::ffff:198.51.100.7" };
    const uint32_t count = b->family == 4 ? 8 : 5;

    bench_state(b, LA_LISTEN, NULL);

    for (uint32_t i = 0; i < count; i++) {
        if (b->family == 6 && i == 4)
            continue; /* cannot be put on the wire by this bench; tests/unit/ipv6_test.c does */
        bench_rx_between(b, "SYN rcv 0", b->family == 4 ? v4[i] : v6[i], NULL);
        expect_drop(b, LA_DROP_IP_SOURCE);
    }

    still_listens(b);
}

BENCH_TEST(a_listener_takes_one_more_than_its_backlog_in_each_queue)
{
    bench_begin(b, BENCH_PASSIVE, NULL);
    bench_listen(b, 1);

    for (uint16_t i = 0; i < 2; i++) { /* the accept queue */
        b->remote.port = (uint16_t)(40000 + i);
        bench_rx(b, "SYN rcv 0 wnd 65535");
        const struct bench_tx *t = bench_next_tx(b);
        expect_true(b, t != NULL);
        struct tcp_seg ack = { .flags = TCP_ACK, .seq = seq_add(b->irs, 1), .wnd = 65535 };
        ack.ack = seq_add(t->seg.seq, 1);
        bench_rx_seg(b, &ack);
        expect_state(b, LA_ESTABLISHED);
    }
    b->remote.port = 41000;
    bench_rx(b, "SYN rcv 0 wnd 65535");
    expect_drop(b, LA_DROP_ACCEPT_QUEUE_FULL);
    expect_no_tx(b);
    bench_accept(b);
    b->has_conn = false;
    bench_rx(b, "SYN rcv 0 wnd 65535");
    expect_equal(b, bench_forget_tx(b), 1);
    expect_state(b, LA_SYN_RECEIVED);
}

BENCH_TEST(a_full_syn_queue_refuses_in_silence)
{
    bench_begin(b, BENCH_PASSIVE, NULL);
    bench_listen(b, 1);
    bench_sysctl(b, "net.ipv4.tcp_syncookies", 0);

    for (uint16_t i = 0; i < 2; i++) {
        b->remote.port = (uint16_t)(40000 + i);
        bench_rx(b, "SYN rcv 0 wnd 65535");
        expect_equal(b, bench_forget_tx(b), 1);
    }
    b->remote.port = 41000;
    bench_rx(b, "SYN rcv 0 wnd 65535");
    expect_drop(b, LA_DROP_SYN_QUEUE_FULL);
    expect_no_tx(b);
    expect_equal(b, la_counter(b->s, LA_COUNT_ListenDrops), 1);
}

BENCH_TEST(a_closed_listener_resets_what_waits_and_forgets_half_opens)
{
    bench_established(b, &(struct bench_opt){ .open = BENCH_PASSIVE, .no_accept = true });
    b->remote.port = 41000;
    bench_rx(b, "SYN rcv -1 wnd 65535");
    expect_equal(b, bench_forget_tx(b), 1);

    assert_int_equal(la_listener_close(b->s, b->now, b->listener), LA_OK);
    bench_drain(b);

    expect_tx(b, "RST ACK snd 0 rcv 0");
    expect_no_tx(b);
    expect_state(b, LA_CLOSED);
    bench_rx(b, "ACK rcv 0 snd 5 wnd 65535");
    expect_tx(b, "RST snd 5");
}

TEST_MAIN
