/* SPDX-License-Identifier: MIT */
/* RFC 9293 3.10.7.4, fourth step: a SYN never harms a synchronized connection (RFC 5961 4.2). */
#include "tests/rfc/bench.h"

static const int synchronized[] = { LA_ESTABLISHED,         LA_FIN_WAIT_1, LA_FIN_WAIT_2,
                                    LA_CLOSE_WAIT,          LA_CLOSING,    LA_LAST_ACK,
                                    BENCH_ORPHAN_FIN_WAIT_2 };

BENCH_TEST(a_syn_anywhere_draws_a_challenge_ack)
{
    static const char *const lines[] = { "SYN rcv 0",       "SYN rcv 1",
                                         "SYN rcv 499",     "SYN rcv 500",
                                         "SYN rcv -1",      "SYN rcv 2147483648",
                                         "SYN rcv -100000", "SYN ACK rcv 0 snd 0",
                                         "SYN FIN rcv 0" };

    bench_established(b, &(struct bench_opt){ .rcv_wnd = 500 });

    for (uint32_t i = 0; i < 9; i++) {
        bench_rx(b, lines[i]);
        expect_tx(b, "ACK snd 0 rcv 0 wnd 500");
        expect_no_tx(b);
        expect_state(b, LA_ESTABLISHED);
        expect_drop(b, LA_DROP_SYN_CHALLENGED);
        bench_sleep(b, MS(500));
    }
    expect_equal(b, la_counter(b->s, LA_COUNT_TCPSYNChallenge), 9);
}

BENCH_TEST(a_syn_changes_no_synchronized_state)
{
    for (uint32_t i = 0; i < 7; i++) {
        const struct bench_tx *t;

        bench_again(b);
        bench_state(b, synchronized[i], NULL);
        const int before = bench_state_now(b);

        bench_rx(b, "SYN rcv 0 wnd 65535");
        t = bench_next_tx(b);
        expect_true(b, t != NULL && t->seg.flags == TCP_ACK && seq_eq(t->seg.ack, b->rcv_base));
        expect_no_tx(b);
        expect_state(b, before);
    }
}

BENCH_TEST(challenges_to_syns_are_limited)
{
    bench_established(b, NULL);

    for (uint32_t i = 0; i < 20; i++)
        bench_rx(b, "SYN rcv 7 wnd 65535");

    expect_equal(b, bench_forget_tx(b), 1);
    bench_sleep(b, MS(500));
    bench_rx(b, "SYN rcv 7 wnd 65535");
    expect_equal(b, bench_forget_tx(b), 1);
}

BENCH_TEST(the_options_of_a_syn_in_mid_connection_are_ignored)
{
    bench_established(b, &(struct bench_opt){ .mss = 1000 });

    bench_rx(b, "SYN rcv 0 wnd 1 mss 300 wscale 9 sackOK");

    expect_equal(b, bench_info(b).snd_mss, 1000);
    expect_equal(b, bench_info(b).snd_wscale, 0);
    expect_equal(b, bench_info(b).snd_wnd, 65535);
}

BENCH_TEST(a_repeated_syn_makes_a_half_open_connection_repeat_its_syn_ack)
{
    bench_state(b, LA_SYN_RECEIVED, NULL);

    bench_rx(b, "SYN rcv -1 wnd 65535");

    expect_tx(b, "SYN ACK snd 0 rcv 0");
    expect_no_tx(b);
    expect_state(b, LA_SYN_RECEIVED);
}

BENCH_TEST(another_syn_does_not_harm_a_half_open_connection)
{
    bench_state(b, LA_SYN_RECEIVED, NULL);

    bench_rx(b, "SYN rcv 100 wnd 65535"); /* CVE-2026-68118 */
    expect_tx(b, "ACK snd 1 rcv 0");
    expect_state(b, LA_SYN_RECEIVED);
    bench_rx(b, "ACK rcv 0 snd 1 wnd 65535");
    expect_state(b, LA_ESTABLISHED);
}

BENCH_TEST(simultaneous_open_is_completed_by_the_peers_syn_ack)
{
    bench_state(b, BENCH_SIMULTANEOUS, NULL);

    bench_rx(b, "SYN ACK rcv -1 snd 1 wnd 65535");

    expect_state(b, LA_ESTABLISHED);
    expect_tx(b, "ACK snd 1 rcv 0");
    expect_no_tx(b);
}

BENCH_TEST(simultaneous_open_repeats_its_syn_ack_for_a_repeated_syn)
{
    bench_state(b, BENCH_SIMULTANEOUS, NULL);

    bench_rx(b, "SYN rcv -1 wnd 65535");

    expect_tx(b, "SYN ACK snd 0 rcv 0");
    expect_state(b, LA_SYN_RECEIVED);
}

BENCH_TEST(another_syn_does_not_harm_a_simultaneous_open)
{
    bench_state(b, BENCH_SIMULTANEOUS, NULL);

    bench_rx(b, "SYN rcv 3 wnd 65535");

    expect_state(b, LA_SYN_RECEIVED);
    bench_rx(b, "ACK rcv 0 snd 1 wnd 65535");
    expect_state(b, LA_ESTABLISHED);
}

BENCH_TEST(another_syn_in_a_simultaneous_open_draws_a_challenge_ack)
{
    bench_state(b, BENCH_SIMULTANEOUS, NULL);

    bench_rx(b, "SYN rcv 3 wnd 65535");

    expect_tx(b, "ACK snd 1 rcv 0");
}

TEST_MAIN
