/* SPDX-License-Identifier: MIT */
/* The bench itself: it reaches every state, at the numbers it promises. */
#include "tests/rfc/bench.h"

BENCH_TEST(the_bench_reaches_every_state)
{
    for (int place = LA_CLOSED; place < BENCH_PLACES; place++) {
        bench_again(b);
        bench_state(b, place, NULL);
    }
}

BENCH_TEST(the_bench_reaches_every_state_with_all_options)
{
    for (int place = LA_CLOSED; place < BENCH_PLACES; place++) {
        bench_again(b);
        bench_state(
            b, place,
            &(struct bench_opt){ .timestamps = true, .sack = true, .scale = true, .wscale = 7 });
    }
}

BENCH_TEST(both_sides_begin_at_the_origin)
{
    const uint32_t origin[] = { 0, 0x7fffffff, 0xffffffff };

    bench_established(b, NULL);
    if (b->origin < 3) {
        expect_equal(b, bench_info(b).iss, origin[b->origin]);
        expect_equal(b, bench_info(b).irs, origin[b->origin]);
    }
    expect_equal(b, bench_info(b).iss, seq_raw(b->iss));
    expect_equal(b, bench_info(b).irs, seq_raw(b->irs));
}

BENCH_TEST(text_goes_both_ways)
{
    bench_established(b, NULL);

    bench_rx(b, "PSH ACK rcv 0 snd 0 len 1000 wnd 65535");
    expect_tx(b, "ACK snd 0 rcv 1000");
    bench_recv(b, 1000);
    bench_send(b, 1900);
    expect_tx(b, "ACK snd 0 rcv 1000 len 1000");
    expect_tx(b, "PSH ACK snd 1000 rcv 1000 len 900");
    expect_no_tx(b);
    bench_rx(b, "ACK rcv 1000 snd 1900 wnd 65535");
    expect_no_tx(b);
}

TEST_MAIN
