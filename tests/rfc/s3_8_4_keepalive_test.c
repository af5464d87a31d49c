/* SPDX-License-Identifier: MIT */
/* RFC 9293 3.8.4: keepalive.  7200 s idle, then 9 probes 75 s apart: 7875 s to the end. */
#include "tests/rfc/bench.h"

static void with_keepalive(struct bench *b)
{
    bench_established(b, NULL);
    bench_option(b, LA_OPT_KEEPALIVE, 1);
    bench_mark(b);
}

BENCH_TEST(keepalive_is_off_by_default)
{
    bench_established(b, NULL);

    expect_quiet(b, SEC(100000));

    expect_state(b, LA_ESTABLISHED);
    expect_equal(b, la_deadline(b->s).ns, UINT64_MAX);
}

BENCH_TEST(a_dead_peer_is_found_after_exactly_7875_seconds)
{
    with_keepalive(b);

    for (uint32_t i = 0; i < 9; i++)
        expect_tx_at(b, SEC(7200 + 75 * i), "ACK snd -1 rcv 0");
    bench_sleep(b, SEC(75) - 1);
    expect_no_tx(b);
    expect_state(b, LA_ESTABLISHED); /* MUST-29: many probes, not one */
    bench_sleep(b, 1);
    expect_state(b, LA_CLOSED);
    expect_error(b, LA_ETIMEDOUT);
    expect_equal(b, la_drops(b->s, LA_DROP_KEEPALIVE), 1);
    expect_equal(b, la_counter(b->s, LA_COUNT_TCPKeepAlive), 9);
}

BENCH_TEST(a_probe_carries_no_text)
{
    with_keepalive(b);

    const struct bench_tx *t = expect_tx_at(b, SEC(7200), "ACK snd -1 rcv 0");

    expect_equal(b, t->ip_len, b->family == 4 ? 40 : 60); /* SHLD-12 */
}

BENCH_TEST(an_answer_begins_the_interval_anew)
{
    with_keepalive(b);
    expect_tx_at(b, SEC(7200), "ACK snd -1 rcv 0");
    expect_tx_at(b, SEC(7275), "ACK snd -1 rcv 0");
    bench_sleep(b, SEC(1));
    bench_rx(b, "ACK rcv 0 snd 0 wnd 65535");

    expect_tx_at(b, SEC(7276 + 7200), "ACK snd -1 rcv 0");
    for (uint32_t i = 1; i < 9; i++)
        expect_tx_at(b, SEC(14476 + 75 * i), "ACK snd -1 rcv 0");
    bench_sleep(b, SEC(75));
    expect_state(b, LA_CLOSED);
}

BENCH_TEST(anything_received_begins_the_interval_anew)
{
    with_keepalive(b);
    bench_sleep(b, SEC(7000));
    bench_rx(b, "PSH ACK rcv 0 snd 0 len 1 wnd 65535");
    bench_recv(b, 1);
    bench_forget_tx(b);

    expect_tx_at(b, SEC(7000 + 7200), "ACK snd -1 rcv 1");
}

BENCH_TEST(no_probe_goes_while_something_is_outstanding)
{
    with_keepalive(b);
    bench_option(b, LA_OPT_KEEPIDLE, 1);
    bench_option(b, LA_OPT_KEEPINTVL, 1);
    bench_option(b, LA_OPT_KEEPCNT, 1);
    bench_send(b, 10);
    bench_forget_tx(b);

    bench_sleep(b, SEC(30));

    for (const struct bench_tx *t; (t = bench_next_tx(b)) != NULL;)
        expect_equal(b, t->seg.len, 10);
    expect_state(b, LA_ESTABLISHED);
}

BENCH_TEST(the_application_sets_the_intervals)
{
    with_keepalive(b);
    bench_option(b, LA_OPT_KEEPIDLE, 10);
    bench_option(b, LA_OPT_KEEPINTVL, 3);
    bench_option(b, LA_OPT_KEEPCNT, 2);

    expect_tx_at(b, SEC(10), "ACK snd -1 rcv 0");
    expect_tx_at(b, SEC(13), "ACK snd -1 rcv 0");
    expect_tx_at(b, SEC(16), "RST ACK snd 0 rcv 0");
    expect_state(b, LA_CLOSED);
}

BENCH_TEST(switching_it_off_stops_it)
{
    with_keepalive(b);
    expect_tx_at(b, SEC(7200), "ACK snd -1 rcv 0");
    bench_option(b, LA_OPT_KEEPALIVE, 0);

    expect_quiet(b, SEC(100000));
    expect_state(b, LA_ESTABLISHED);
}

BENCH_TEST(switching_it_on_late_counts_from_what_was_received_last)
{
    bench_established(b, NULL);
    bench_sleep(b, SEC(7000));

    bench_option(b, LA_OPT_KEEPALIVE, 1);

    expect_tx_at(b, SEC(7200), "ACK snd -1 rcv 0");
}

BENCH_TEST(a_reset_in_answer_ends_the_connection)
{
    with_keepalive(b);
    expect_tx_at(b, SEC(7200), "ACK snd -1 rcv 0");

    bench_rx(b, "RST rcv 0");

    expect_state(b, LA_CLOSED);
    expect_error(b, LA_ECONNRESET);
}

BENCH_TEST(a_probe_of_the_peer_is_answered)
{
    bench_established(b, NULL);

    bench_rx(b, "ACK rcv -1 snd 0 wnd 65535");
    expect_tx(b, "ACK snd 0 rcv 0");
    bench_sleep(b, SEC(1));
    bench_rx(b, "ACK rcv -1 snd 0 len 1 wnd 65535"); /* with the garbage octet */
    expect_tx(b, "ACK snd 0 rcv 0");
    expect_recv(b, LA_EAGAIN);
}

BENCH_TEST(keepalive_works_in_close_wait_and_fin_wait_2)
{
    static const int places[] = { LA_CLOSE_WAIT, LA_FIN_WAIT_2 };

    for (uint32_t i = 0; i < 2; i++) {
        bench_again(b);
        bench_state(b, places[i], NULL);
        bench_option(b, LA_OPT_KEEPALIVE, 1);
        bench_sleep(b, SEC(7875));
        expect_equal(b, bench_forget_tx(b) >= 9, 1);
        expect_state(b, LA_CLOSED);
    }
}

BENCH_TEST(a_listener_hands_keepalive_on)
{
    bench_begin(b, BENCH_PASSIVE, NULL);
    bench_listen(b, 4);
    assert_int_equal(la_listener_set_option(b->s, b->listener, LA_OPT_KEEPALIVE, 1), LA_OK);
    bench_rx(b, "SYN rcv 0 wnd 65535");
    bench_rx(b, "ACK rcv 1 snd 1 wnd 65535");
    bench_accept(b);
    bench_mark(b);
    bench_forget_tx(b);

    expect_tx_at(b, SEC(7200), "ACK snd 0 rcv 1");
}

TEST_MAIN
