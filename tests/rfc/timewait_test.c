/* SPDX-License-Identifier: MIT */
/*
 * TIME-WAIT: 2MSL, what is acknowledged again, what is ignored, and which SYN may reopen
 * (RFC 9293 3.6.1 MUST-13, MAY-2; RFC 1337; RFC 6191).  snd 0 is SND.NXT, rcv 0 is RCV.NXT.
 */
#include "tests/rfc/bench.h"

#define TWO_MSL SEC(60)

/* With a listener on the port, so that a SYN can reopen. */
static void time_wait(struct bench *b, bool timestamps)
{
    bench_state(b, LA_TIME_WAIT,
                &(struct bench_opt){
                    .open = BENCH_PASSIVE, .keep_listener = true, .timestamps = timestamps });
}

BENCH_TEST(time_wait_lasts_two_msl)
{
    bench_state(b, LA_TIME_WAIT, NULL);

    bench_sleep(b, TWO_MSL - 1);
    expect_state(b, LA_TIME_WAIT);
    bench_sleep(b, 1);
    expect_no_tx(b);
    expect_state(b, LA_CLOSED);
    expect_equal(b, la_drops(b->s, LA_DROP_TIME_WAIT_END), 1);
    bench_rx(b, "FIN ACK rcv -1 snd 0");
    expect_tx(b, "RST snd 0");
}

BENCH_TEST(the_length_can_be_set)
{
    bench_begin(b, BENCH_EITHER, NULL);
    bench_sysctl(b, "net.lastack.tcp_msl_ms", 1000);
    bench_state(b, LA_TIME_WAIT, NULL);

    bench_sleep(b, SEC(2) - 1);
    expect_state(b, LA_TIME_WAIT);
    bench_sleep(b, 1);
    expect_state(b, LA_CLOSED);
}

BENCH_TEST(a_repeated_fin_is_acknowledged_and_begins_two_msl_anew)
{
    bench_state(b, LA_TIME_WAIT, NULL);
    bench_sleep(b, SEC(59));

    bench_rx(b, "FIN ACK rcv -1 snd 0 wnd 65535");

    expect_tx(b, "ACK snd 0 rcv 0");
    bench_sleep(b, TWO_MSL - 1);
    expect_state(b, LA_TIME_WAIT);
    bench_sleep(b, 1);
    expect_state(b, LA_CLOSED);
}

BENCH_TEST(every_repeated_fin_is_acknowledged)
{
    bench_state(b, LA_TIME_WAIT, NULL);

    for (int i = 0; i < 10; i++) {
        bench_rx(b, "FIN ACK rcv -1 snd 0 wnd 65535");
        expect_tx(b, "ACK snd 0 rcv 0");
    }
    expect_no_tx(b);
}

BENCH_TEST(a_fin_repeated_with_text_is_acknowledged)
{
    bench_state(b, LA_TIME_WAIT, NULL);

    bench_rx(b, "FIN PSH ACK rcv -11 snd 0 len 10 wnd 65535");

    expect_tx(b, "ACK snd 0 rcv 0");
    expect_state(b, LA_TIME_WAIT);
}

BENCH_TEST(resets_are_ignored)
{
    bench_state(b, LA_TIME_WAIT, NULL);

    bench_rx(b, "RST rcv 0"); /* RFC 1337: assassination */
    expect_drop(b, LA_DROP_TIME_WAIT_RST);
    bench_rx(b, "RST ACK rcv 0 snd 0");
    bench_rx(b, "RST rcv 1");
    bench_rx(b, "RST rcv -1");

    expect_no_tx(b);
    expect_state(b, LA_TIME_WAIT);
    bench_sleep(b, TWO_MSL - 1);
    expect_state(b, LA_TIME_WAIT);
}

BENCH_TEST(a_bare_ack_is_not_answered)
{
    bench_state(b, LA_TIME_WAIT, NULL);

    bench_rx(b, "ACK rcv 0 snd 0 wnd 65535");
    bench_rx(b, "ACK rcv -1 snd 0 wnd 65535");

    expect_no_tx(b); /* two TIME-WAITs would talk for ever */
    expect_state(b, LA_TIME_WAIT);
}

BENCH_TEST(text_outside_the_window_is_acknowledged_at_most_twice_a_second)
{
    bench_state(b, LA_TIME_WAIT, NULL);

    for (int i = 0; i < 10; i++)
        bench_rx(b, "ACK rcv 100000 snd 0 len 10 wnd 65535");
    expect_equal(b, bench_forget_tx(b), 1);
    bench_sleep(b, MS(499));
    bench_rx(b, "ACK rcv 100000 snd 0 len 10 wnd 65535");
    expect_no_tx(b);
    bench_sleep(b, MS(1));
    bench_rx(b, "ACK rcv 100000 snd 0 len 10 wnd 65535");
    expect_tx(b, "ACK snd 0 rcv 0");
}

BENCH_TEST(a_new_syn_above_the_old_sequence_reopens)
{
    time_wait(b, false);

    bench_rx(b, "SYN rcv 1 wnd 65535");

    const struct bench_tx *t = bench_next_tx(b);
    expect_true(b, t != NULL && t->seg.flags == (TCP_SYN | TCP_ACK));
    expect_true(b, seq_gt(t->seg.seq, seq_add(b->snd_base, 65535))); /* MAY-2 (1) */
    expect_state(b, LA_SYN_RECEIVED);
}

BENCH_TEST(a_syn_not_above_the_old_sequence_is_answered_with_an_ack)
{
    time_wait(b, false);

    bench_rx(b, "SYN rcv 0 wnd 65535");
    expect_tx(b, "ACK snd 0 rcv 0");
    expect_drop(b, LA_DROP_TIME_WAIT_SYN_OLD);
    bench_sleep(b, MS(500));
    bench_rx(b, "SYN rcv -1 wnd 65535");
    expect_tx(b, "ACK snd 0 rcv 0");
    bench_sleep(b, MS(500));
    bench_rx(b, "SYN rcv 2147483648 wnd 65535"); /* neither above nor below */
    expect_tx(b, "ACK snd 0 rcv 0");
    expect_state(b, LA_TIME_WAIT);
    bench_rx(b, "SYN rcv 2147483647 wnd 65535");
    expect_state(b, LA_SYN_RECEIVED);
}

BENCH_TEST(a_newer_time_stamp_reopens_whatever_the_sequence)
{
    time_wait(b, true);

    b->ts_val = 1001;
    bench_rx(b, "SYN rcv -1000 wnd 65535");

    const struct bench_tx *t = bench_next_tx(b);
    expect_true(b, t != NULL && t->seg.flags == (TCP_SYN | TCP_ACK));
    expect_state(b, LA_SYN_RECEIVED);
}

BENCH_TEST(an_older_time_stamp_does_not_reopen_whatever_the_sequence)
{
    time_wait(b, true);

    b->ts_val = 999;
    bench_rx(b, "SYN rcv 1000 wnd 65535");

    expect_tx(b, "ACK snd 0 rcv 0");
    expect_state(b, LA_TIME_WAIT);
    expect_equal(b, la_counter(b->s, LA_COUNT_PAWSTimewait), 1);
}

BENCH_TEST(with_an_equal_time_stamp_the_sequence_decides)
{
    time_wait(b, true);

    bench_rx(b, "SYN rcv 0 wnd 65535");
    expect_tx(b, "ACK snd 0 rcv 0");
    expect_state(b, LA_TIME_WAIT);
    bench_rx(b, "SYN rcv 1 wnd 65535");
    expect_state(b, LA_SYN_RECEIVED);
}

BENCH_TEST(a_time_stamp_decides_nothing_where_none_was_agreed)
{
    time_wait(b, false);

    bench_rx(b, "SYN rcv 0 wnd 65535 TS 5000:0");
    expect_tx(b, "ACK snd 0 rcv 0");
    expect_state(b, LA_TIME_WAIT);
    bench_rx(b, "SYN rcv 1 wnd 65535 TS 0:0");
    expect_state(b, LA_SYN_RECEIVED);
}

BENCH_TEST(a_syn_with_other_flags_does_not_reopen)
{
    static const char *const lines[] = { "SYN ACK rcv 1 snd 0 wnd 65535", "SYN FIN rcv 1 wnd 65535",
                                         "SYN RST rcv 1 wnd 65535" };

    for (uint32_t i = 0; i < 3; i++) {
        bench_again(b);
        time_wait(b, false);
        bench_rx(b, lines[i]);
        expect_state(b, LA_TIME_WAIT);
    }
}

BENCH_TEST(without_a_listener_a_syn_does_not_end_time_wait)
{
    bench_state(b, LA_TIME_WAIT, NULL);

    bench_rx(b, "SYN rcv 1 wnd 65535");

    expect_tx(b, "ACK snd 0 rcv 0");
    expect_state(b, LA_TIME_WAIT);
}

BENCH_TEST(the_old_connections_segments_do_not_enter_the_new_one)
{
    time_wait(b, false);
    bench_rx(b, "SYN rcv 100000 wnd 65535");
    const struct bench_tx *t = bench_next_tx(b);
    struct tcp_seg ack = { .flags = TCP_ACK, .wnd = 65535 };
    ack.seq = seq_add(b->rcv_base, 100001);
    ack.ack = seq_add(t->seg.seq, 1);
    bench_rx_seg(b, &ack);
    expect_state(b, LA_ESTABLISHED);
    bench_accept(b);

    bench_rx(b, "PSH ACK rcv -2 snd 0 len 1 wnd 65535");
    bench_rx(b, "FIN ACK rcv -1 snd 0 wnd 65535");
    bench_rx(b, "RST rcv 0");

    expect_state(b, LA_ESTABLISHED);
    expect_recv(b, LA_EAGAIN);
}

BENCH_TEST(the_side_that_closes_first_waits_and_only_it)
{
    bench_state(b, LA_LAST_ACK, NULL);

    bench_rx(b, "ACK rcv 0 snd 1 wnd 65535");

    expect_state(b, LA_CLOSED);
    expect_equal(b, la_table_use(b->s, LA_TABLE_SHORT_V4).used_max, 0);
    expect_equal(b, la_table_use(b->s, LA_TABLE_SHORT_V6).used_max, 0);
}

BENCH_TEST(an_orphan_in_fin_wait_2_waits_sixty_seconds)
{
    bench_state(b, BENCH_ORPHAN_FIN_WAIT_2, NULL);

    bench_sleep(b, SEC(60) - 1);
    expect_state(b, LA_FIN_WAIT_2);
    bench_sleep(b, 1);
    expect_no_tx(b);
    expect_state(b, LA_CLOSED);
    expect_equal(b, la_drops(b->s, LA_DROP_FIN_WAIT_2_TIMEOUT), 1);
}

BENCH_TEST(a_held_connection_in_fin_wait_2_waits_for_its_application)
{
    bench_state(b, LA_FIN_WAIT_2, NULL);

    bench_sleep(b, SEC(7200));

    expect_no_tx(b);
    expect_state(b, LA_FIN_WAIT_2);
    bench_close(b);
    bench_sleep(b, SEC(60));
    expect_state(b, LA_CLOSED);
}

BENCH_TEST(text_to_an_orphan_in_fin_wait_2_draws_a_reset)
{
    bench_state(b, BENCH_ORPHAN_FIN_WAIT_2, NULL);

    bench_rx(b, "PSH ACK rcv 0 snd 0 len 10 wnd 65535");

    expect_tx(b, "RST snd 0");
    expect_state(b, LA_CLOSED);
    expect_equal(b, la_counter(b->s, LA_COUNT_TCPAbortOnData), 1);
    expect_equal(b, la_drops(b->s, LA_DROP_TEXT_AFTER_CLOSE), 1);
}

BENCH_TEST(an_orphan_in_fin_wait_2_believes_no_ack_older_than_any_window)
{
    static const char *const lines[] = { "FIN ACK rcv 0 snd -1073725441 wnd 65535",
                                         "FIN ACK rcv 0 snd 2147483648 wnd 65535",
                                         "PSH ACK rcv 0 snd -2000000000 len 9 wnd 65535" };

    bench_state(b, BENCH_ORPHAN_FIN_WAIT_2, NULL);

    for (uint32_t i = 0; i < 3; i++) { /* RFC 5961 5.2, with 65535 * 2^14 for MAX.SND.WND */
        bench_rx(b, lines[i]);
        expect_tx(b, "ACK snd 0 rcv 0");
        expect_drop(b, LA_DROP_ACK_TOO_OLD);
        expect_state(b, LA_FIN_WAIT_2);
        bench_sleep(b, MS(500));
    }
    bench_rx(b, "FIN ACK rcv 0 snd -1073725440 wnd 65535");
    expect_state(b, LA_TIME_WAIT);
}

BENCH_TEST(old_text_to_an_orphan_in_fin_wait_2_is_acknowledged)
{
    bench_established(b, NULL);
    bench_rx(b, "ACK rcv 0 snd 0 len 100 wnd 65535");
    bench_recv(b, 100);
    bench_close(b);
    bench_rx(b, "ACK rcv 100 snd 1 wnd 65535");
    bench_forget_tx(b);
    expect_state(b, LA_FIN_WAIT_2);

    bench_rx(b, "ACK rcv 0 snd 1 len 100 wnd 65535");

    expect_tx(b, "ACK snd 1 rcv 100");
    expect_state(b, LA_FIN_WAIT_2);
}

BENCH_TEST(the_window_of_a_record_never_moves_left_by_rounding)
{
    for (uint32_t wnd = 1100; wnd < 1230; wnd += 7) {
        bench_again(b);
        bench_state(b, LA_TIME_WAIT,
                    &(struct bench_opt){ .rcv_wnd = wnd, .scale = true, .wscale = 7 });
        bench_rx(b, "FIN ACK rcv -1 snd 0 wnd 100"); /* the bench judges the edge */
        expect_tx(b, "ACK snd 0 rcv 0");
        bench_again(b);
        bench_state(b, BENCH_ORPHAN_FIN_WAIT_2,
                    &(struct bench_opt){ .rcv_wnd = wnd, .scale = true, .wscale = 7 });
        bench_rx(b, "SYN rcv 0 wnd 100");
        expect_tx(b, "ACK snd 0 rcv 0");
    }
}

BENCH_TEST(a_full_table_gives_up_the_record_nearest_its_end)
{
    bench_begin(b, BENCH_PASSIVE, NULL);
    for (uint16_t i = 0; i < 9; i++) {
        b->has_conn = b->edge_known = b->offer_known = false;
        b->remote.port = (uint16_t)(40000 + i);
        b->tx_count = 0;
        bench_listen(b, 4);
        bench_rx(b, "seq 0 SYN wnd 65535");
        const struct bench_tx *t = bench_next_tx(b);
        struct tcp_seg seg = { .flags = TCP_ACK, .wnd = 65535, .seq = seq_of(1) };
        seg.ack = seq_add(t->seg.seq, 1);
        bench_rx_seg(b, &seg);
        bench_accept(b);
        assert_int_equal(la_listener_close(b->s, b->now, b->listener), LA_OK);
        bench_close(b);
        seg.flags = TCP_ACK | TCP_FIN;
        seg.ack = seq_add(seg.ack, 1);
        bench_rx_seg(b, &seg);
        expect_state(b, LA_TIME_WAIT);
        bench_sleep(b, SEC(1));
    }
    expect_equal(b, la_counter(b->s, LA_COUNT_TCPTimeWaitOverflow), 1);
    expect_equal(b, la_drops(b->s, LA_DROP_TIME_WAIT_EVICTED), 1);
    expect_state(b, LA_TIME_WAIT);
    b->remote.port = 40000;
    expect_state(b, LA_CLOSED);
    b->remote.port = 40001;
    expect_state(b, LA_TIME_WAIT);
}

TEST_MAIN
