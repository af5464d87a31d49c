/* SPDX-License-Identifier: MIT */
/*
 * Half-open records: SYN-RECEIVED by a passive open, from the SYN to the connection that
 * grows out of it.  The other steps of 3.10.7.4 on a record are in the files of those steps.
 */
#include "tests/rfc/bench.h"

BENCH_TEST(what_the_syn_said_holds_for_the_connection)
{
    bench_begin(b, BENCH_PASSIVE, NULL);
    bench_listen(b, 4);

    bench_rx(b, "SYN rcv 0 wnd 3000 mss 900 wscale 5 sackOK TS 77:0");
    const struct bench_tx *t = expect_tx(b, "SYN ACK snd 0 rcv 1 wnd 10000 wscale 7 sackOK");
    expect_true(b, t->seg.opt.has_timestamps);
    expect_equal(b, t->seg.opt.ts_ecr, 77);
    b->ts_auto = true;
    b->ts_val = 78;
    bench_rx(b, "ACK rcv 1 snd 1 wnd 100");
    bench_accept(b);

    expect_equal(b, bench_info(b).snd_wnd, 3200);
    expect_equal(b, bench_info(b).snd_wscale, 5);
    expect_equal(b, bench_info(b).snd_mss, 888);
    expect_true(b, bench_info(b).sack && bench_info(b).timestamps);
}

BENCH_TEST(what_the_syn_did_not_say_is_not_answered)
{
    bench_state(b, LA_LISTEN, NULL);

    bench_rx(b, "SYN rcv 0 wnd 3000");

    const struct bench_tx *t = bench_next_tx(b);
    expect_true(b, t != NULL && t->seg.opt.has_mss);
    expect_equal(b, t->seg.opt.mss, b->family == 4 ? 1460 : 1440);
    expect_true(b, !t->seg.opt.has_wscale && !t->seg.opt.has_timestamps && !t->seg.opt.has_sack_ok);
}

BENCH_TEST(a_syn_ack_is_repeated_after_1_2_4_8_16_seconds_and_then_forgotten)
{
    bench_state(b, LA_SYN_RECEIVED, NULL);
    bench_mark(b);

    expect_tx_at(b, SEC(1), "SYN ACK snd 0 rcv 0");
    expect_tx_at(b, SEC(3), "SYN ACK snd 0 rcv 0");
    expect_tx_at(b, SEC(7), "SYN ACK snd 0 rcv 0");
    expect_tx_at(b, SEC(15), "SYN ACK snd 0 rcv 0");
    expect_tx_at(b, SEC(31), "SYN ACK snd 0 rcv 0");
    bench_sleep(b, SEC(32) - 1);
    expect_state(b, LA_SYN_RECEIVED);
    bench_sleep(b, 1);
    expect_no_tx(b); /* nobody is told: R8, reflection */
    expect_state(b, LA_LISTEN);
    expect_equal(b, la_drops(b->s, LA_DROP_SYN_RETRIES), 1);
    expect_equal(b, la_counter(b->s, LA_COUNT_AttemptFails), 1);
    expect_equal(b, la_table_use(b->s, LA_TABLE_HALF_OPEN_V4).used, 0);
}

BENCH_TEST(the_last_ack_may_come_after_a_repeated_syn_ack)
{
    bench_state(b, LA_SYN_RECEIVED, NULL);
    bench_sleep(b, SEC(4));
    expect_equal(b, bench_forget_tx(b), 2);

    bench_rx(b, "ACK rcv 0 snd 1 wnd 65535");

    expect_state(b, LA_ESTABLISHED);
    bench_accept(b);
    expect_equal(b, bench_info(b).srtt_us, 0);                        /* Karn */
    expect_equal(b, bench_info(b).cwnd_bytes, bench_info(b).snd_mss); /* RFC 5681 3.1 */
}

BENCH_TEST(the_handshake_gives_the_first_round_trip_time)
{
    bench_established(b, &(struct bench_opt){ .rtt_ns = MS(30) });

    expect_equal(b, bench_info(b).srtt_us, 30000);
    expect_equal(b, bench_info(b).rto_us, 230000);
}

BENCH_TEST(a_segment_without_ack_is_dropped)
{
    bench_state(b, LA_SYN_RECEIVED, NULL);

    bench_rx(b, "none rcv 0 len 5");
    expect_drop(b, LA_DROP_NO_ACK);
    bench_rx(b, "FIN rcv 0");

    expect_no_tx(b);
    expect_state(b, LA_SYN_RECEIVED);
}

BENCH_TEST(with_time_stamps_agreed_an_ack_without_one_or_with_an_old_one_is_refused)
{
    bench_state(b, LA_SYN_RECEIVED, &(struct bench_opt){ .timestamps = true });

    b->ts_skip = true;
    bench_rx(b, "ACK rcv 0 snd 1 wnd 65535");
    expect_no_tx(b);
    expect_state(b, LA_SYN_RECEIVED);
    expect_drop(b, LA_DROP_NO_TIMESTAMP);
    b->ts_val = 999;
    bench_rx(b, "ACK rcv 0 snd 1 wnd 65535");
    expect_tx(b, "ACK snd 1 rcv 0");
    expect_state(b, LA_SYN_RECEIVED);
    expect_drop(b, LA_DROP_PAWS);
    b->ts_val = 1000;
    bench_rx(b, "ACK rcv 0 snd 1 wnd 65535");
    expect_state(b, LA_ESTABLISHED);
}

BENCH_TEST(with_the_accept_queue_full_the_last_ack_waits_and_the_syn_ack_is_repeated)
{
    bench_begin(b, BENCH_PASSIVE, NULL);
    bench_listen(b, 0);
    bench_rx(b, "SYN rcv 0 wnd 65535"); /* before the queue is full */
    expect_equal(b, bench_forget_tx(b), 1);
    b->remote.port++;
    const uint16_t first = b->remote.port;
    bench_sleep(b, 0);
    b->remote.port = (uint16_t)(first - 1);
    bench_rx(b, "ACK rcv 1 snd 1 wnd 65535");
    expect_state(b, LA_ESTABLISHED);

    b->remote.port = first;
    bench_rx(b, "SYN rcv 0 wnd 65535");
    expect_drop(b, LA_DROP_ACCEPT_QUEUE_FULL);
    expect_no_tx(b);
    bench_accept(b);
    b->has_conn = false;
    bench_rx(b, "SYN rcv 0 wnd 65535");
    expect_equal(b, bench_forget_tx(b), 1);
}

BENCH_TEST(half_open_connections_of_many_peers_do_not_disturb_one_another)
{
    bench_begin(b, BENCH_PASSIVE, NULL);
    bench_listen(b, 6);

    for (uint16_t i = 0; i < 7; i++) {
        b->remote.port = (uint16_t)(40000 + i);
        bench_rx(b, "SYN rcv 0 wnd 65535");
        expect_equal(b, bench_forget_tx(b), 1);
    }
    b->remote.port = 40003;
    bench_rx(b, "RST rcv 1");
    expect_state(b, LA_LISTEN);
    b->remote.port = 40004;
    expect_state(b, LA_SYN_RECEIVED);
    b->remote.port = 40002;
    expect_state(b, LA_SYN_RECEIVED);
}

BENCH_TEST(the_table_of_half_open_connections_refuses_when_it_is_full)
{
    bench_begin(b, BENCH_PASSIVE, NULL);
    bench_listen(b, 100);
    bench_sysctl(b, "net.ipv4.tcp_syncookies", 0);

    for (uint16_t i = 0; i < 8; i++) {
        b->remote.port = (uint16_t)(40000 + i);
        bench_rx(b, "SYN rcv 0 wnd 65535");
    }
    expect_equal(b, bench_forget_tx(b), 8);
    b->remote.port = 41000;
    bench_rx(b, "SYN rcv 0 wnd 65535");
    expect_no_tx(b);
    expect_drop(b, LA_DROP_HALF_OPEN_FULL);
    expect_state(b, LA_LISTEN);
}

BENCH_TEST(a_cookie_opens_a_connection_and_a_wrong_one_is_reset)
{
    bench_begin(b, BENCH_PASSIVE, NULL);
    bench_listen(b, 1);
    bench_sysctl(b, "net.ipv4.tcp_syncookies", 2);

    bench_rx(b, "SYN rcv 0 wnd 3000 mss 900 sackOK TS 77:0");
    const struct bench_tx *t = bench_next_tx(b);
    expect_true(b, t != NULL && t->seg.opt.has_timestamps && t->seg.opt.has_sack_ok);
    expect_state(b, LA_LISTEN);
    struct tcp_seg ack = { .flags = TCP_ACK, .seq = seq_add(b->irs, 1), .wnd = 65535 };
    const tcp_seq right = seq_add(t->seg.seq, 1);
    ack.opt.has_timestamps = true;
    ack.opt.ts_val = 78;
    ack.opt.ts_ecr = t->seg.opt.ts_val;

    ack.ack = seq_add(right, 1);
    bench_rx_seg(b, &ack);
    expect_drop(b, LA_DROP_COOKIE_BAD);
    t = bench_next_tx(b);
    expect_true(b, t != NULL && t->seg.flags == TCP_RST && seq_eq(t->seg.seq, ack.ack));
    expect_state(b, LA_LISTEN);

    ack.ack = right;
    bench_rx_seg(b, &ack);
    expect_state(b, LA_ESTABLISHED);
}

BENCH_TEST(the_window_promised_outlives_a_lowered_buffer)
{
    bench_state(b, LA_SYN_RECEIVED, NULL);

    assert_int_equal(la_listener_set_option(b->s, b->listener, LA_OPT_RCVBUF, 1024), LA_OK);
    bench_rx(b, "ACK rcv 0 snd 1 wnd 65535");
    bench_rx(b, "ACK rcv 9000 snd 1 wnd 65535 len 1000"); /* the end of the 10,000 offered */

    expect_drop(b, LA_DROP_NONE);
    expect_state(b, LA_ESTABLISHED);
}

TEST_MAIN
