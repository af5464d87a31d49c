/* SPDX-License-Identifier: MIT */
/* RFC 2018: the SACK blocks we send.  What those we receive do is in rfc8985_test.c. */
#include "tests/rfc/bench.h"

static const struct bench_opt with_sack = { .sack = true, .rcv_wnd = 60000 };

BENCH_TEST(text_above_a_hole_is_told)
{
    bench_established(b, &with_sack);

    bench_rx(b, "ACK rcv 100 snd 0 len 50 wnd 65535");

    expect_tx(b, "ACK snd 0 rcv 0 sack 100:150");
}

BENCH_TEST(the_first_block_is_the_one_that_the_segment_touched)
{
    bench_established(b, &with_sack);

    bench_rx(b, "ACK rcv 100 snd 0 len 50 wnd 65535");
    expect_tx(b, "ACK snd 0 rcv 0 sack 100:150");
    bench_rx(b, "ACK rcv 300 snd 0 len 50 wnd 65535");
    expect_tx(b, "ACK snd 0 rcv 0 sack 300:350,100:150");
    bench_rx(b, "ACK rcv 500 snd 0 len 50 wnd 65535");
    expect_tx(b, "ACK snd 0 rcv 0 sack 500:550,300:350,100:150");
    bench_rx(b, "ACK rcv 150 snd 0 len 10 wnd 65535");
    expect_tx(b, "ACK snd 0 rcv 0 sack 100:160,500:550,300:350");
    bench_rx(b, "ACK rcv 290 snd 0 len 10 wnd 65535");
    expect_tx(b, "ACK snd 0 rcv 0 sack 290:350,100:160,500:550");
}

BENCH_TEST(four_blocks_at_the_most)
{
    bench_established(b, &with_sack);

    for (uint32_t i = 1; i <= 6; i++) {
        char line[80];

        snprintf(line, sizeof line, "ACK rcv %u snd 0 len 10 wnd 65535", 100 * i);
        bench_rx(b, line);
    }
    for (uint32_t i = 0; i < 5; i++)
        (void)bench_next_tx(b);
    expect_tx(b, "ACK snd 0 rcv 0 sack 600:610,500:510,400:410,300:310");
}

BENCH_TEST(three_blocks_beside_a_time_stamp)
{
    bench_established(b, &(struct bench_opt){ .sack = true, .timestamps = true, .rcv_wnd = 60000 });

    for (uint32_t i = 1; i <= 5; i++) {
        char line[80];

        snprintf(line, sizeof line, "ACK rcv %u snd 0 len 10 wnd 65535", 100 * i);
        bench_rx(b, line);
    }
    for (uint32_t i = 0; i < 4; i++)
        (void)bench_next_tx(b);
    const struct bench_tx *t = expect_tx(b, "ACK snd 0 rcv 0 sack 500:510,400:410,300:310");
    expect_equal(b, t->ip_len, (b->family == 4 ? 40 : 60) + 40); /* all the room there is */
}

BENCH_TEST(ranges_that_meet_become_one_block)
{
    bench_established(b, &with_sack);
    bench_rx(b, "ACK rcv 100 snd 0 len 50 wnd 65535");
    bench_rx(b, "ACK rcv 200 snd 0 len 50 wnd 65535");
    bench_forget_tx(b);

    bench_rx(b, "ACK rcv 150 snd 0 len 50 wnd 65535");

    expect_tx(b, "ACK snd 0 rcv 0 sack 100:250");
}

BENCH_TEST(a_partly_filled_hole_leaves_the_blocks_behind_it)
{
    bench_established(b, &with_sack);
    bench_rx(b, "ACK rcv 100 snd 0 len 50 wnd 65535");
    bench_rx(b, "ACK rcv 200 snd 0 len 50 wnd 65535");
    bench_forget_tx(b);

    bench_rx(b, "ACK rcv 0 snd 0 len 100 wnd 65535");
    expect_tx(b, "ACK snd 0 rcv 150 sack 200:250");
    bench_rx(b, "ACK rcv 150 snd 0 len 50 wnd 65535");
    const struct bench_tx *t = expect_tx(b, "ACK snd 0 rcv 250");
    expect_equal(b, t->seg.opt.sack_count, 0);
}

BENCH_TEST(blocks_ride_on_data_too)
{
    bench_established(b, &with_sack);
    bench_rx(b, "ACK rcv 100 snd 0 len 50 wnd 65535");
    bench_forget_tx(b);

    bench_send(b, 10);

    expect_tx(b, "PSH ACK snd 0 rcv 0 len 10 sack 100:150");
}

BENCH_TEST(with_blocks_a_full_segment_still_fits_the_mtu)
{
    bench_established(b, &(struct bench_opt){ .sack = true, .rcv_wnd = 60000, .mss = 1460 });
    for (uint32_t i = 1; i <= 4; i++) {
        char line[80];

        snprintf(line, sizeof line, "ACK rcv %u snd 0 len 10 wnd 65535", 100 * i);
        bench_rx(b, line);
    }
    bench_forget_tx(b);

    bench_send(b, 5000);
    for (const struct bench_tx *t; (t = bench_next_tx(b)) != NULL;)
        expect_true(b, t->ip_len <= 1500);
}

BENCH_TEST(without_agreement_no_blocks_are_sent)
{
    bench_established(b, &(struct bench_opt){ .rcv_wnd = 60000 });

    bench_rx(b, "ACK rcv 100 snd 0 len 50 wnd 65535");

    const struct bench_tx *t = expect_tx(b, "ACK snd 0 rcv 0");
    expect_equal(b, t->seg.opt.sack_count, 0);
}

BENCH_TEST(a_fin_above_a_hole_is_not_sacked_as_text)
{
    bench_established(b, &with_sack);

    bench_rx(b, "FIN ACK rcv 100 snd 0 len 50 wnd 65535");

    expect_tx(b, "ACK snd 0 rcv 0 sack 100:150");
}

BENCH_TEST(hostile_blocks_do_no_harm)
{
    static const char *const lines[] = {
        "ACK rcv 0 snd 0 wnd 65535 sack 0:0",
        "ACK rcv 0 snd 0 wnd 65535 sack 500:100",
        "ACK rcv 0 snd 0 wnd 65535 sack 100:1000000",
        "ACK rcv 0 snd 0 wnd 65535 sack 0:2147483648,5:2147483653",
        "ACK rcv 0 snd 0 wnd 65535 sack -100:-50,100:200,100:200,50:300",
        "ACK rcv 0 snd 1000 wnd 65535 sack 0:500",
    };

    bench_established(b, &with_sack);
    bench_send(b, 5000);
    bench_forget_tx(b);

    for (uint32_t i = 0; i < 6; i++)
        bench_rx(b, lines[i]);

    expect_equal(b, bench_info(b).snd_una, seq_raw(seq_add(b->snd_base, 1000)));
    bench_rx(b, "ACK rcv 0 snd 5000 wnd 65535");
    expect_equal(b, bench_info(b).snd_queued_bytes, 0);
}

TEST_MAIN
