/* SPDX-License-Identifier: MIT */
/* RFC 7323: window scaling, time stamps, and PAWS.  The peer's clock stands at 1000 at first. */
#include "tests/rfc/bench.h"

static const struct bench_opt with_ts = { .timestamps = true };
#define DAY SEC(86400)

BENCH_TEST(window_scale_is_cut_at_14)
{
    static const uint8_t offered[] = { 0, 1, 13, 14, 15, 16, 31, 32, 64, 255 };

    for (uint32_t i = 0; i < 10; i++) {
        bench_again(b);
        bench_established(b, &(struct bench_opt){ .scale = true, .wscale = offered[i] });
        bench_rx(b, "ACK rcv 0 snd 0 wnd 3");
        expect_equal(b, bench_info(b).snd_wscale, offered[i] < 14 ? offered[i] : 14);
        expect_equal(b, bench_info(b).snd_wnd, 3u << (offered[i] < 14 ? offered[i] : 14));
    }
}

BENCH_TEST(scaling_holds_only_if_both_offered_it)
{
    bench_established(b, &(struct bench_opt){ .peer_wnd = 100 });
    expect_equal(b, bench_info(b).snd_wscale, 0);
    expect_equal(b, bench_info(b).rcv_wscale, 0);
    bench_rx(b, "PSH ACK rcv 0 snd 0 len 100 wnd 100");
    expect_tx(b, "ACK snd 0 rcv 100 wnd 9900"); /* unscaled */
}

BENCH_TEST(our_window_is_scaled_in_every_segment_but_the_syn)
{
    bench_established(b, &(struct bench_opt){ .scale = true, .wscale = 2, .rcv_wnd = 12800 });

    bench_rx(b, "PSH ACK rcv 0 snd 0 len 1280 wnd 65535");

    expect_equal(b, bench_info(b).rcv_wscale, 7);
    expect_tx(b, "ACK snd 0 rcv 1280 wnd 90"); /* 11520 / 128 */
}

BENCH_TEST(time_stamps_go_on_every_segment_once_agreed)
{
    bench_established(b, &with_ts);

    bench_send(b, 10);
    const struct bench_tx *t = expect_tx(b, "PSH ACK snd 0 rcv 0 len 10");
    expect_true(b, t->seg.opt.has_timestamps && t->seg.opt.ts_ecr == 1000);
    bench_rx(b, "PSH ACK rcv 0 snd 10 len 10 wnd 65535");
    t = expect_tx(b, "ACK snd 10 rcv 10");
    expect_true(b, t->seg.opt.has_timestamps);
    bench_recv(b, 10);
    bench_shutdown(b, LA_SHUT_WR);
    t = expect_tx(b, "FIN ACK snd 10 rcv 10");
    expect_true(b, t->seg.opt.has_timestamps);
}

BENCH_TEST(time_stamps_are_not_used_unless_agreed)
{
    bench_established(b, NULL);

    bench_rx(b, "PSH ACK rcv 0 snd 0 len 10 wnd 65535 TS 7:7");

    const struct bench_tx *t = expect_tx(b, "ACK snd 0 rcv 10");
    expect_true(b, !t->seg.opt.has_timestamps);
}

BENCH_TEST(our_clock_ticks_each_millisecond)
{
    bench_established(b, &with_ts);
    bench_send(b, 1);
    const uint32_t first = bench_next_tx(b)->seg.opt.ts_val;
    bench_rx(b, "ACK rcv 0 snd 1 wnd 65535");
    bench_sleep(b, SEC(7));
    bench_send(b, 1);

    expect_equal(b, bench_next_tx(b)->seg.opt.ts_val - first, 7000);
}

BENCH_TEST(an_older_time_stamp_is_refused_and_answered)
{
    bench_established(b, &with_ts);

    b->ts_val = 999;
    bench_rx(b, "PSH ACK rcv 0 snd 0 len 10 wnd 65535");

    expect_tx(b, "ACK snd 0 rcv 0");
    expect_drop(b, LA_DROP_PAWS);
    expect_recv(b, LA_EAGAIN);
    expect_equal(b, la_counter(b->s, LA_COUNT_PAWSEstab), 1);
}

BENCH_TEST(an_equal_or_newer_time_stamp_is_accepted)
{
    bench_established(b, &with_ts);

    bench_rx(b, "PSH ACK rcv 0 snd 0 len 10 wnd 65535");
    bench_recv(b, 10);
    b->ts_val = 1001;
    bench_rx(b, "PSH ACK rcv 10 snd 0 len 10 wnd 65535");
    bench_recv(b, 10);
}

BENCH_TEST(time_stamps_wrap)
{
    static const uint32_t at[] = { 0x7fffffff, 0xffffffff };

    for (uint32_t i = 0; i < 2; i++) {
        bench_again(b);
        bench_established(b, &with_ts);
        b->ts_val = 1000u + 0x7fffffffu; /* as far ahead as can be */
        bench_rx(b, "PSH ACK rcv 0 snd 0 len 1 wnd 65535");
        bench_recv(b, 1);
        b->ts_val = at[i] > b->ts_val ? at[i] : b->ts_val;
        bench_rx(b, "PSH ACK rcv 1 snd 0 len 1 wnd 65535");
        bench_recv(b, 1);
        b->ts_val += 5;
        bench_rx(b, "PSH ACK rcv 2 snd 0 len 1 wnd 65535");
        bench_recv(b, 1);
        b->ts_val -= 6;
        bench_rx(b, "PSH ACK rcv 3 snd 0 len 1 wnd 65535");
        expect_drop(b, LA_DROP_PAWS);
        b->ts_val += 6 + 0x80000000; /* neither newer nor older: refused */
        bench_rx(b, "PSH ACK rcv 3 snd 0 len 1 wnd 65535");
        expect_recv(b, LA_EAGAIN);
    }
}

BENCH_TEST(ts_recent_moves_only_with_what_touches_last_ack_sent)
{
    bench_established(b, &with_ts);

    b->ts_val = 2000;
    bench_rx(b, "PSH ACK rcv 100 snd 0 len 10 wnd 65535"); /* out of order */
    const struct bench_tx *t = expect_tx(b, "ACK snd 0 rcv 0");
    expect_equal(b, t->seg.opt.ts_ecr, 1000);
    b->ts_val = 1500; /* fills the hole: sent before */
    bench_rx(b, "PSH ACK rcv 0 snd 0 len 100 wnd 65535");
    t = expect_tx(b, "ACK snd 0 rcv 110");
    expect_equal(b, t->seg.opt.ts_ecr, 1500);
}

BENCH_TEST(a_delayed_ack_echoes_the_first_segment_it_acknowledges)
{
    bench_established(b, &with_ts);
    bench_quick_over(b);

    b->ts_val = 2000;
    bench_rx(b, "ACK rcv 0 snd 0 len 1000 wnd 65535");
    expect_no_tx(b);
    b->ts_val = 2100;
    bench_rx(b, "ACK rcv 1000 snd 0 len 1000 wnd 65535");
    const struct bench_tx *t = expect_tx(b, "ACK snd 0 rcv 2000");
    expect_equal(b, t->seg.opt.ts_ecr, 2000);
}

BENCH_TEST(a_segment_outside_the_window_does_not_move_ts_recent)
{
    bench_established(b, &with_ts);

    b->ts_val = 5000;
    bench_rx(b, "PSH ACK rcv 20000 snd 0 len 10 wnd 65535");
    const struct bench_tx *t = expect_tx(b, "ACK snd 0 rcv 0");
    expect_equal(b, t->seg.opt.ts_ecr, 1000);
    b->ts_val = 5000;
    bench_rx(b, "PSH ACK rcv -10 snd 0 len 10 wnd 65535"); /* to the left of it */
    t = expect_tx(b, "ACK snd 0 rcv 0");
    expect_equal(b, t->seg.opt.ts_ecr, 1000);
}

BENCH_TEST(a_segment_without_the_time_stamp_agreed_is_dropped_in_silence)
{
    bench_established(b, &with_ts);

    b->ts_skip = true;
    bench_rx(b, "PSH ACK rcv 0 snd 0 len 10 wnd 65535");

    expect_no_tx(b);
    expect_drop(b, LA_DROP_NO_TIMESTAMP);
    expect_recv(b, LA_EAGAIN);
    expect_state(b, LA_ESTABLISHED);
}

BENCH_TEST(a_time_stamp_option_of_another_length_is_none)
{
    bench_established(b, &with_ts);

    for (uint8_t len = 2; len <= 38; len++) {
        uint8_t options[40] = { 8, len };

        if (len == 10)
            continue;
        bench_rx_options(b, "PSH ACK rcv 0 snd 0 len 10 wnd 65535", options, len);
        expect_drop(b, LA_DROP_NO_TIMESTAMP);
    }
    expect_recv(b, LA_EAGAIN);
}

BENCH_TEST(after_24_days_of_silence_an_old_time_stamp_is_believed_again)
{
    bench_established(b, &with_ts);
    bench_sleep(b, 24 * DAY);
    b->ts_val = 500;
    bench_rx(b, "PSH ACK rcv 0 snd 0 len 10 wnd 65535");
    expect_recv(b, LA_EAGAIN);

    bench_sleep(b, SEC(3)); /* the age is kept in units of a second */
    bench_rx(b, "PSH ACK rcv 0 snd 0 len 10 wnd 65535");
    bench_recv(b, 10);
    b->ts_val = 499;
    bench_rx(b, "PSH ACK rcv 10 snd 0 len 10 wnd 65535");
    expect_recv(b, LA_EAGAIN); /* and from there on compared again */
}

BENCH_TEST(sixty_days_of_silence_do_no_harm)
{
    bench_established(b, &with_ts);
    bench_sleep(b, 60 * DAY);
    b->ts_val += 60u * 86400u * 1000u; /* beyond 2^32 ms */

    bench_rx(b, "PSH ACK rcv 0 snd 0 len 10 wnd 65535");

    bench_recv(b, 10);
    bench_send(b, 10);
    expect_true(b, bench_forget_tx(b) > 0);
}

BENCH_TEST(paws_comes_before_the_sequence_number)
{
    bench_established(b, &with_ts);

    b->ts_val = 999;
    bench_rx(b, "PSH ACK rcv 20000 snd 0 len 10 wnd 65535");

    expect_drop(b, LA_DROP_PAWS);
}

BENCH_TEST(answers_to_paws_are_limited)
{
    bench_established(b, &with_ts);
    b->ts_val = 999;

    for (int i = 0; i < 10; i++)
        bench_rx(b, "PSH ACK rcv 0 snd 0 len 10 wnd 65535");

    expect_equal(b, bench_forget_tx(b), 1);
}

BENCH_TEST(paws_guards_the_fin_too)
{
    bench_established(b, &with_ts);
    b->ts_val = 999;

    bench_rx(b, "FIN ACK rcv 0 snd 0 wnd 65535");

    expect_state(b, LA_ESTABLISHED);
}

BENCH_TEST(different_tuples_have_different_clocks)
{
    bench_begin(b, BENCH_PASSIVE, NULL);
    bench_listen(b, 6);
    uint32_t first = 0, same = 0;

    for (uint16_t i = 0; i < 6; i++) {
        b->remote.port = (uint16_t)(40000 + i);
        bench_rx(b, "SYN rcv 0 wnd 65535 TS 1:0");
        const struct bench_tx *t = bench_next_tx(b);
        expect_true(b, t != NULL && t->seg.opt.has_timestamps);
        first = i == 0 ? t->seg.opt.ts_val : first;
        same += t->seg.opt.ts_val == first;
    }
    expect_equal(b, same, 1); /* CVE-2026-23247: an offset for each 4-tuple */
}

TEST_MAIN
