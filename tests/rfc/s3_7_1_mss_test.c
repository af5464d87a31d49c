/* SPDX-License-Identifier: MIT */
/* RFC 9293 3.7.1 and 3.1: the MSS option, what is assumed without it, and other options. */
#include "tests/rfc/bench.h"

#define HEADERS(b) ((b)->family == 4 ? 40u : 60u)

BENCH_TEST(without_an_mss_option_536_or_1220_is_assumed)
{
    bench_established(b, &(struct bench_opt){ .no_mss = true });

    expect_equal(b, bench_info(b).snd_mss, b->family == 4 ? 536 : 1220); /* MUST-15 */
}

BENCH_TEST(the_smaller_of_both_ends_decides)
{
    bench_established(b, &(struct bench_opt){ .mss = 9000 });
    expect_equal(b, bench_info(b).snd_mss, 1500 - HEADERS(b)); /* MUST-16: our MTU */
    bench_again(b);
    bench_established(b, &(struct bench_opt){ .mss = 700 });
    expect_equal(b, bench_info(b).snd_mss, 700);
}

BENCH_TEST(time_stamps_take_twelve_octets_of_every_segment)
{
    bench_established(b, &(struct bench_opt){ .mss = 1000, .timestamps = true });

    expect_equal(b, bench_info(b).snd_mss, 988);
    bench_send(b, 3000);
    const struct bench_tx *t = expect_tx(b, "ACK snd 0 rcv 0 len 988");
    expect_equal(b, t->ip_len, 1000 + HEADERS(b));
}

BENCH_TEST(a_tiny_mss_is_raised_to_216)
{
    static const uint16_t tiny[] = { 1, 12, 13, 88, 215, 216, 217 };

    for (uint32_t i = 0; i < 7; i++) { /* CVE-2019-11479 */
        bench_again(b);
        bench_established(b, &(struct bench_opt){ .mss = tiny[i] });
        expect_equal(b, bench_info(b).snd_mss, tiny[i] < 216 ? 216 : tiny[i]);
    }
}

/* What 64 KB take: @flight_max keeps the bench from being swamped. */
static uint32_t segments_for_64k(struct bench *b)
{
    uint32_t acked = 0, segments = 0;

    while (acked < 65536) {
        char line[80];

        bench_send(b, 4096);
        for (uint32_t goal = acked + 4096; acked < goal;) {
            const struct bench_tx *t;

            while ((t = bench_next_tx(b)) != NULL) {
                segments++;
                acked = seq_diff(b->snd_base, seq_add(t->seg.seq, t->seg.len));
            }
            snprintf(line, sizeof line, "ACK rcv 0 snd %u wnd 65535", acked);
            bench_rx(b, line);
        }
    }
    return segments;
}

BENCH_TEST(no_mss_makes_a_division_by_zero_or_a_flood)
{
    if (b->origin != 0)
        return; /* a thousand connections are enough */
    for (uint32_t mss = 0; mss <= 1500; mss += mss < 30 || (mss > 200 && mss < 240) ? 1 : 37)
        for (uint32_t options = 0; options < 2; options++) {
            const uint32_t floor = mss < 216 ? 216 : mss > 1500 - HEADERS(b) ? 1440 : mss;
            struct bench_opt opt = { .mss = (uint16_t)mss, .timestamps = options, .sack = options };

            if (mss == 0) {
                opt.no_mss = true;
                opt.synack = "SYN mss 0"; /* the option with a zero in it */
            }
            bench_again(b);
            b->active = false;
            bench_established(b, &opt);
            const uint32_t each = floor - (options ? 12 : 0);
            const uint32_t most = 16 * ((4096 + each - 1) / each);
            expect_true(b, segments_for_64k(b) <= most);
        }
}

BENCH_TEST(our_syn_offers_the_mtu_less_the_headers)
{
    bench_begin(b, BENCH_ACTIVE, NULL);
    bench_connect(b);

    const struct bench_tx *t = expect_tx(b, "SYN snd 0");
    expect_equal(b, t->seg.opt.mss, 1500 - HEADERS(b)); /* MUST-67 */
}

BENCH_TEST(a_smaller_mtu_is_offered_and_kept_to)
{
    bench_begin(b, BENCH_EITHER, NULL);
    assert_int_equal(la_iface_set_mtu(b->s, 0, 1280), LA_OK);
    bench_established(b, &(struct bench_opt){ .mss = 9000 });

    expect_equal(b, bench_info(b).snd_mss, 1280 - HEADERS(b));
}

BENCH_TEST(a_listener_can_ask_for_less)
{
    bench_begin(b, BENCH_PASSIVE, NULL);
    bench_listen(b, 4);
    assert_int_equal(la_listener_set_option(b->s, b->listener, LA_OPT_MAXSEG, 600), LA_OK);
    bench_rx(b, "SYN rcv 0 wnd 65535 mss 1000");
    expect_tx(b, "SYN ACK snd 0 rcv 1 mss 600");
    bench_rx(b, "ACK rcv 1 snd 1 wnd 65535");
    bench_accept(b);

    expect_equal(b, bench_info(b).snd_mss, 600);
}

BENCH_TEST(an_mss_option_in_mid_connection_is_ignored)
{
    bench_established(b, &(struct bench_opt){ .mss = 1000 });

    bench_rx_options(b, "ACK rcv 0 snd 0 wnd 65535", (const uint8_t[]){ 2, 4, 1, 44 }, 4);

    expect_equal(b, bench_info(b).snd_mss, 1000);
}

BENCH_TEST(unknown_options_are_skipped_in_any_segment)
{
    static const uint8_t unknown[] = { 253, 6, 1, 2, 3, 4, 1, 1, 99, 2, 30, 3, 7, 0 };

    bench_established(b, NULL);

    bench_rx_options(b, "PSH ACK rcv 0 snd 0 len 10 wnd 65535", unknown, sizeof unknown);

    expect_tx(b, "ACK snd 0 rcv 10"); /* MUST-5, MUST-6 */
    bench_recv(b, 10);
}

BENCH_TEST(an_illegal_option_length_does_no_harm)
{
    static const uint8_t illegal[][8] = { { 253, 0 }, { 253, 1 }, { 253, 40 },   { 8, 0, 1, 2 },
                                          { 2, 1 },   { 5, 255 }, { 1, 1, 1, 8 } };

    bench_established(b, NULL);

    for (uint32_t i = 0; i < 7; i++) { /* MUST-7: the segment is used, the options end there */
        char line[80];

        snprintf(line, sizeof line, "PSH ACK rcv %u snd 0 len 10 wnd 65535", 10 * i);
        bench_rx_options(b, line, illegal[i], 8);
        expect_equal(b, bench_forget_tx(b), 1);
        bench_recv(b, 10);
    }
    expect_state(b, LA_ESTABLISHED);
}

BENCH_TEST(options_at_any_alignment_are_read)
{
    static const uint8_t options[] = { 1, 2, 4, 2, 88, 3, 3, 5, 1, 4, 2, 0 };

    bench_state(b, LA_LISTEN, NULL);
    bench_rx_options(b, "SYN rcv 0 wnd 65535", options, sizeof options); /* MUST-64 */
    expect_tx(b, "SYN ACK snd 0 rcv 1 wscale 7 sackOK");
    bench_rx(b, "ACK rcv 1 snd 1 wnd 65535");
    bench_accept(b);

    expect_equal(b, bench_info(b).snd_mss, 600);
    expect_equal(b, bench_info(b).snd_wscale, 5);
}

BENCH_TEST(options_behind_the_end_of_the_list_do_not_count)
{
    static const uint8_t options[] = { 0, 2, 4, 2, 88, 3, 3, 5 };

    bench_state(b, LA_LISTEN, NULL);
    bench_rx_options(b, "SYN rcv 0 wnd 65535", options, sizeof options);
    const struct bench_tx *t = expect_tx(b, "SYN ACK snd 0 rcv 1");
    expect_true(b, !t->seg.opt.has_wscale);
    bench_rx(b, "ACK rcv 1 snd 1 wnd 65535");
    bench_accept(b);

    expect_equal(b, bench_info(b).snd_mss, b->family == 4 ? 536 : 1220);
}

BENCH_TEST(fast_open_is_ignored)
{
    static const uint8_t options[] = { 34, 10, 1, 2, 3, 4, 5, 6, 7, 8 };

    bench_state(b, LA_LISTEN, NULL);
    bench_rx_options(b, "SYN rcv 0 len 20 wnd 65535", options, sizeof options);

    const struct bench_tx *t = expect_tx(b, "SYN ACK snd 0 rcv 1"); /* text not taken */
    expect_equal(b, t->ip_len, HEADERS(b) + 4);
}

TEST_MAIN
