/* SPDX-License-Identifier: MIT */
/*
 * RFC 9293 3.5: establishing a connection - active, passive, simultaneous - and what the calls
 * of 3.10.1 promise about it.
 */
#include "tests/rfc/bench.h"

static struct la_endpoint endpoint(const char *text, uint16_t port)
{
    struct la_endpoint e = { .port = port };

    assert_true(la_addr_parse(text, &e.addr));
    return e;
}

BENCH_TEST(the_basic_three_way_handshake_actively)
{
    bench_begin(b, BENCH_ACTIVE, NULL);
    bench_connect(b);

    expect_tx(b, "SYN snd 0");
    expect_state(b, LA_SYN_SENT);
    bench_rx(b, "SYN ACK rcv 0 snd 1 wnd 65535");
    expect_tx(b, "ACK snd 1 rcv 1");
    expect_state(b, LA_ESTABLISHED);
    bench_rx(b, "PSH ACK rcv 1 snd 1 len 3 wnd 65535");
    bench_recv(b, 3);
    expect_equal(b, la_counter(b->s, LA_COUNT_ActiveOpens), 1);
    expect_equal(b, la_counter(b->s, LA_COUNT_PassiveOpens), 0);
}

BENCH_TEST(the_basic_three_way_handshake_passively)
{
    bench_begin(b, BENCH_PASSIVE, NULL);
    bench_listen(b, 4);

    bench_rx(b, "SYN rcv 0 wnd 65535");
    expect_tx(b, "SYN ACK snd 0 rcv 1");
    expect_state(b, LA_SYN_RECEIVED);
    bench_rx(b, "ACK rcv 1 snd 1 wnd 65535");
    expect_state(b, LA_ESTABLISHED);
    bench_accept(b);
    bench_send(b, 5);
    expect_tx(b, "PSH ACK snd 1 rcv 1 len 5");
    expect_equal(b, la_counter(b->s, LA_COUNT_ActiveOpens), 0);
    expect_equal(b, la_counter(b->s, LA_COUNT_PassiveOpens), 1);
}

BENCH_TEST(our_syn_says_mss_sack_time_stamps_and_window_scale)
{
    const struct bench_tx *t;

    bench_begin(b, BENCH_ACTIVE, NULL);
    bench_connect(b);

    t = expect_tx(b, "SYN snd 0 wnd 10000 wscale 7 sackOK");
    expect_equal(b, t->seg.opt.mss, b->family == 4 ? 1460 : 1440);
    expect_true(b, t->seg.opt.has_timestamps && t->seg.opt.ts_ecr == 0);
    expect_equal(b, t->ttl, 64);
}

BENCH_TEST(options_switched_off_are_not_offered)
{
    bench_begin(b, BENCH_ACTIVE, NULL);
    bench_sysctl(b, "net.ipv4.tcp_timestamps", 0);
    bench_sysctl(b, "net.ipv4.tcp_sack", 0);
    bench_sysctl(b, "net.ipv4.tcp_window_scaling", 0);
    bench_connect(b);

    const struct bench_tx *t = expect_tx(b, "SYN snd 0");
    expect_true(b, !t->seg.opt.has_timestamps && !t->seg.opt.has_sack_ok &&
                       !t->seg.opt.has_wscale && t->seg.opt.has_mss);
    bench_rx(b, "SYN ACK rcv 0 snd 1 wnd 100 wscale 7 sackOK TS 5:0");
    t = expect_tx(b, "ACK snd 1 rcv 1");
    expect_true(b, !t->seg.opt.has_timestamps);
    bench_rx(b, "ACK rcv 1 snd 1 wnd 100");
    expect_equal(b, bench_info(b).snd_wnd, 100);
}

BENCH_TEST(simultaneous_open_by_the_rfcs_figure)
{
    bench_begin(b, BENCH_ACTIVE, NULL);
    bench_connect(b);
    expect_tx(b, "SYN snd 0");

    bench_rx(b, "SYN rcv 0 wnd 65535");
    expect_tx(b, "SYN ACK snd 0 rcv 1");
    expect_state(b, LA_SYN_RECEIVED);
    bench_rx(b, "SYN ACK rcv 0 snd 1 wnd 65535");
    expect_state(b, LA_ESTABLISHED);
    bench_forget_tx(b);
    bench_send(b, 5);
    expect_tx(b, "PSH ACK snd 1 rcv 1 len 5");
    bench_rx(b, "ACK rcv 1 snd 6 len 7 wnd 65535");
    bench_recv(b, 7);
}

BENCH_TEST(a_simultaneous_open_repeats_its_syn_ack_until_it_gives_up)
{
    bench_state(b, BENCH_SIMULTANEOUS, NULL);
    bench_sleep(b, SEC(1));

    const struct bench_tx *t = bench_next_tx(b);
    expect_true(b, t != NULL && t->seg.flags == (TCP_SYN | TCP_ACK));
    bench_sleep(b, SEC(180));
    bench_forget_tx(b);
    expect_state(b, LA_CLOSED);
    expect_error(b, LA_ETIMEDOUT);
}

BENCH_TEST(an_old_duplicate_syn_is_undone_by_the_peers_reset)
{
    bench_begin(b, BENCH_PASSIVE, NULL);
    bench_listen(b, 4);

    bench_rx(b, "SYN rcv -1000 wnd 65535"); /* old */
    expect_tx(b, "SYN ACK snd 0 rcv -999");
    bench_rx(b, "RST rcv -999");
    expect_state(b, LA_LISTEN);
    bench_sleep(b, MS(1));
    bench_rx(b, "SYN rcv 0 wnd 65535");
    const struct bench_tx *t = bench_next_tx(b);
    expect_true(b, t != NULL && t->seg.flags == (TCP_SYN | TCP_ACK));
    expect_true(b, seq_gt(t->seg.seq, b->snd_base)); /* and the ISS has moved on */
}

BENCH_TEST(a_peer_that_has_crashed_learns_of_it)
{
    bench_established(b, NULL);

    bench_rx(b, "SYN rcv 5000 wnd 65535"); /* it opens again, knowing nothing */
    expect_tx(b, "ACK snd 0 rcv 0");
    bench_rx(b, "RST rcv 0"); /* and resets at the number we told it */
    expect_state(b, LA_CLOSED);
}

BENCH_TEST(we_learn_that_the_peer_has_crashed)
{
    bench_established(b, NULL);
    bench_send(b, 10);
    expect_tx(b, "PSH ACK snd 0 rcv 0 len 10");

    bench_rx(b, "RST rcv 0"); /* its answer: <SEQ=SEG.ACK><CTL=RST> */

    expect_error(b, LA_ECONNRESET);
}

BENCH_TEST(an_open_to_many_or_to_nobody_is_refused)
{
    static const char *const v4[] = { "224.0.0.1", "255.255.255.255", "0.0.0.0", "192.0.2.255" };
    static const char *const v6[] = { "ff02::1", "ff0e::7", "::" };
    const uint32_t count = b->family == 4 ? 4 : 3;
    la_conn_id id;

    bench_begin(b, BENCH_ACTIVE, NULL);
    for (uint32_t i = 0; i < count; i++)
        expect_equal(b,
                     la_open(b->s, b->now, (struct la_endpoint){ .port = 0 },
                             endpoint(b->family == 4 ? v4[i] : v6[i], 80), 0, &id),
                     LA_EACCES);
    expect_equal(b,
                 la_open(b->s, b->now, (struct la_endpoint){ .port = 0 },
                         (struct la_endpoint){ .addr = b->remote.addr, .port = 0 }, 0, &id),
                 LA_EINVAL);
    bench_drain(b);
    expect_no_tx(b);
}

BENCH_TEST(the_local_address_may_be_given_and_must_be_ours)
{
    la_conn_id id;

    bench_begin(b, BENCH_ACTIVE, NULL);

    expect_equal(b,
                 la_open(b->s, b->now,
                         endpoint(b->family == 4 ? "192.0.2.77" : "2001:db8::77", 50000), b->remote,
                         0, &id),
                 LA_EADDRNOTAVAIL);
    expect_equal(b,
                 la_open(b->s, b->now,
                         endpoint(b->family == 4 ? "2001:db8::1" : "192.0.2.1", 50000), b->remote,
                         0, &id),
                 LA_EINVAL);
    expect_equal(b, la_open(b->s, b->now, b->local, b->remote, 0, &id), LA_OK);
    bench_drain(b);
    expect_tx(b, "SYN snd 0");
}

BENCH_TEST(a_four_tuple_in_use_can_not_be_opened_again)
{
    la_conn_id id;

    bench_state(b, LA_TIME_WAIT, &(struct bench_opt){ .open = BENCH_ACTIVE });

    expect_equal(b, la_open(b->s, b->now, b->local, b->remote, 0, &id), LA_EADDRINUSE);
    bench_sleep(b, SEC(60));
    expect_equal(b, la_open(b->s, b->now, b->local, b->remote, 0, &id), LA_OK);
    bench_drain(b);
    expect_equal(b, bench_forget_tx(b), 1);
}

BENCH_TEST(a_listener_does_not_disturb_connections_on_its_port)
{
    la_listener_id id;

    bench_state(b, LA_SYN_SENT, NULL);
    const struct la_listen_config config = { .local = la_prefix_any(),
                                             .port = b->local.port,
                                             .backlog = 4 };

    expect_equal(b, la_listen(b->s, b->now, &config, &id), LA_OK); /* MUST-41, MUST-42 */
    expect_equal(b, la_listen(b->s, b->now, &config, &id), LA_EADDRINUSE);
    bench_rx(b, "SYN ACK rcv 0 snd 1 wnd 65535");
    expect_tx(b, "ACK snd 1 rcv 1");
    expect_state(b, LA_ESTABLISHED);
}

BENCH_TEST(the_most_specific_listener_gets_the_connection)
{
    la_listener_id specific;
    struct la_listen_config config = { .backlog = 4 };
    struct la_accepted got;

    bench_begin(b, BENCH_PASSIVE, NULL);
    bench_listen(b, 4);
    config.local = la_prefix_host(b->local.addr);
    config.port = b->local.port;
    expect_equal(b, la_listen(b->s, b->now, &config, &specific), LA_OK);

    bench_rx(b, "SYN rcv 0 wnd 65535");
    bench_rx(b, "ACK rcv 1 snd 1 wnd 65535");

    expect_equal(b, la_accept(b->s, b->now, b->listener, 0, &got), LA_EAGAIN);
    expect_equal(b, la_accept(b->s, b->now, specific, 0, &got), LA_OK);
    expect_true(b, la_addr_equal(got.local.addr, b->local.addr) && got.local.port == b->local.port);
    expect_true(b, la_addr_equal(got.remote.addr, b->remote.addr) &&
                       got.remote.port == b->remote.port);
}

BENCH_TEST(a_listener_on_another_address_does_not_get_the_connection)
{
    la_listener_id id;
    struct la_listen_config config = { .backlog = 4 };

    bench_begin(b, BENCH_PASSIVE, NULL);
    config.local = la_prefix_host(endpoint(b->family == 4 ? "192.0.2.9" : "2001:db8::9", 0).addr);
    config.port = b->local.port;
    expect_equal(b, la_listen(b->s, b->now, &config, &id), LA_OK);

    bench_rx(b, "SYN rcv 0 wnd 65535");

    expect_tx(b, "RST ACK seq 0 rcv 1");
}

BENCH_TEST(calls_on_a_connection_that_is_not_open_yet)
{
    bench_state(b, LA_SYN_SENT, NULL);

    expect_recv(b, LA_EAGAIN);
    expect_equal(b, la_shutdown(b->s, b->now, b->conn, LA_SHUT_WR), LA_ENOTCONN);
    expect_equal(b, la_ready(b->s, b->conn), 0);
    bench_send(b, 10); /* queued */
    expect_no_tx(b);
}

BENCH_TEST(close_in_a_simultaneous_syn_received_waits_for_established)
{
    bench_state(b, BENCH_SIMULTANEOUS, NULL);
    bench_close(b);
    expect_state(b, LA_SYN_RECEIVED);
    expect_no_tx(b);

    bench_rx(b, "ACK rcv 0 snd 1 wnd 65535");

    expect_tx(b, "FIN ACK snd 1 rcv 0");
    expect_state(b, LA_FIN_WAIT_1);
    bench_rx(b, "FIN ACK rcv 0 snd 2 wnd 65535");
    expect_tx(b, "ACK snd 2 rcv 1");
    expect_state(b, LA_TIME_WAIT);
}

BENCH_TEST(data_queued_before_a_close_in_syn_received_goes_first)
{
    bench_state(b, BENCH_SIMULTANEOUS, NULL);
    bench_send(b, 20);
    bench_shutdown(b, LA_SHUT_WR);
    expect_no_tx(b);

    bench_rx(b, "ACK rcv 0 snd 1 wnd 65535");

    expect_tx(b, "FIN PSH ACK snd 1 rcv 0 len 20");
    expect_state(b, LA_FIN_WAIT_1);
}

TEST_MAIN
