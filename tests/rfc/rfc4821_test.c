/* SPDX-License-Identifier: MIT */
/*
 * RFC 4821, as net.ipv4.tcp_mtu_probing: a path that swallows large packets and says nothing.  The
 * peer of these tests is such a path: it acknowledges what fits @mtu and never sees the rest.
 */
#include "tests/rfc/bench.h"

#define HEADERS(b) ((b)->family == 4 ? 40u : 60u)

/* Text that has arrived, beginning at snd 0. */
struct hole {
    uint32_t mtu_bytes;
    uint32_t una;                 /* acknowledged */
    uint32_t left[64], right[64]; /* behind it, apart from each other */
    uint32_t ranges;
    uint32_t largest, swallowed;
    uint32_t lose_one_in; /* of the others, at random; 0: none */
};

static void join(struct hole *h)
{
    for (uint32_t i = 0; i < h->ranges;) {
        if (h->left[i] > h->una) {
            i++;
            continue;
        }
        if (h->right[i] > h->una)
            h->una = h->right[i];
        h->ranges--;
        h->left[i] = h->left[h->ranges];
        h->right[i] = h->right[h->ranges];
        i = 0;
    }
}

static void take(struct bench *b, struct hole *h, const struct bench_tx *t)
{
    const uint32_t at = seq_diff(b->snd_base, t->seg.seq);

    if (t->ip_len > h->largest)
        h->largest = t->ip_len;
    if (t->ip_len > h->mtu_bytes) {
        h->swallowed++;
        return;
    }
    if (h->lose_one_in > 0 && bench_random(b) % h->lose_one_in == 0)
        return;
    if (t->seg.len == 0 || at + t->seg.len <= h->una)
        return;
    expect_true(b, h->ranges < 64);
    h->left[h->ranges] = at;
    h->right[h->ranges++] = at + t->seg.len;
    join(h);
}

/* What was sent arrives, as far as it fits, and is acknowledged segment by segment. */
static void answer(struct bench *b, struct hole *h)
{
    for (uint32_t left = b->tx_count; left > 0; left--) { /* of a round trip */
        const struct bench_tx *t = bench_next_tx(b);
        const uint32_t before = h->una, ranges = h->ranges;
        char line[200];
        int n;

        take(b, h, t);
        if (h->una == before && h->ranges == ranges)
            continue;
        n = snprintf(line, sizeof line, "ACK rcv 0 snd %u wnd 65535", h->una);
        for (uint32_t i = h->ranges; i-- > 0 && i + 3 > h->ranges;)
            n += snprintf(line + n, sizeof line - (size_t)n, "%s%u:%u",
                          i + 1 == h->ranges ? " sack " : ",", h->left[i], h->right[i]);
        bench_rx(b, line);
        bench_sleep(b, US(20)); /* RACK goes by time: what was sent first is to be older */
    }
}

static void begin(struct bench *b, uint64_t probing, bool sack)
{
    bench_begin(b, BENCH_EITHER, NULL);
    bench_sysctl(b, "net.ipv4.tcp_mtu_probing", probing);
    bench_established(b, &(struct bench_opt){ .mss = 1440, .sack = sack, .rtt_ns = MS(10) });
}

/* Send so much that there is always some left to probe with. */
static void run(struct bench *b, struct hole *h, uint32_t rounds)
{
    for (uint32_t i = 0; i < rounds; i++) {
        if (bench_info(b).snd_queued_bytes < 60000)
            bench_send(b, 30000);
        bench_sleep(b, MS(10));
        answer(b, h);
    }
}

static void until_something_arrives(struct bench *b, struct hole *h, uint32_t times, uint64_t ns)
{
    for (uint32_t i = 0; i < times && h->una == 0; i++) {
        bench_sleep(b, ns);
        answer(b, h);
    }
}

BENCH_TEST(a_black_hole_is_found_after_r1_and_gets_smaller_segments)
{
    struct hole h = { .mtu_bytes = 1200 };

    begin(b, 1, true);
    bench_send(b, 5760);
    answer(b, &h);
    expect_equal(b, h.una, 0);
    expect_equal(b, bench_info(b).snd_mss, 1440);

    for (uint32_t i = 0; i < 14; i++) {
        bench_sleep(b, MS(200));
        answer(b, &h);
    }
    expect_equal(b, bench_info(b).snd_mss, 1440); /* R1 is 3 s */
    until_something_arrives(b, &h, 10, MS(50));

    expect_equal(b, h.una, 1024); /* net.ipv4.tcp_base_mss */
    run(b, &h, 20);
    expect_true(b, h.una > 5760);
    expect_state(b, LA_ESTABLISHED);
}

BENCH_TEST(without_the_sysctl_it_hangs_until_r2)
{
    struct hole h = { .mtu_bytes = 1200 };

    begin(b, 0, true);
    bench_send(b, 5760);
    for (uint32_t i = 0; i < 100; i++) {
        bench_sleep(b, SEC(9));
        answer(b, &h);
    }
    expect_equal(b, h.una, 0);
    bench_sleep(b, SEC(200));
    expect_error(b, LA_ETIMEDOUT);
}

BENCH_TEST(a_smaller_hole_halves_it_again)
{
    struct hole h = { .mtu_bytes = 400 };

    begin(b, 1, true);
    bench_send(b, 5760);
    until_something_arrives(b, &h, 30, SEC(2));

    expect_equal(b, bench_info(b).snd_mss, 256);
    expect_true(b, h.una > 0);
}

BENCH_TEST(there_is_a_floor_below_which_it_does_not_go)
{
    struct hole h = { .mtu_bytes = 60 };

    begin(b, 1, true);
    bench_send(b, 1440);
    for (uint32_t i = 0; i < 60; i++) {
        bench_sleep(b, SEC(10));
        answer(b, &h);
    }

    expect_equal(b, bench_info(b).snd_mss, 216); /* net.ipv4.tcp_min_snd_mss */
}

BENCH_TEST(the_search_ends_within_the_threshold_of_the_paths_mtu)
{
    static const uint32_t paths[] = { 1300, 1400, 1492 };

    for (uint32_t i = 0; i < 3; i++) {
        const uint32_t largest = 1440 + HEADERS(b); /* of the peer's MSS */
        const uint32_t mtu = paths[i] < largest ? paths[i] : largest;
        struct hole h = { .mtu_bytes = paths[i] };

        bench_again(b);
        begin(b, 2, true);
        expect_equal(b, bench_info(b).snd_mss, 1024);
        run(b, &h, 100);
        expect_true(b, bench_info(b).snd_mss + HEADERS(b) <= mtu);
        expect_true(b, bench_info(b).snd_mss + HEADERS(b) + 8 > mtu);
        expect_true(b, la_counter(b->s, LA_COUNT_TCPMTUPSuccess) > 0);
        expect_equal(b, la_counter(b->s, LA_COUNT_TCPMTUPFail), h.swallowed);
        expect_equal(b, la_counter(b->s, LA_COUNT_TCPTimeouts), 0);
    }
}

BENCH_TEST(among_other_losses_no_probe_that_was_lost_is_taken_for_one_that_arrived)
{
    struct hole h = { .mtu_bytes = 1300, .lose_one_in = 25 };

    begin(b, 2, true);
    for (uint32_t i = 0; i < 200; i++) {
        run(b, &h, 2);
        expect_true(b, bench_info(b).snd_mss + HEADERS(b) <= 1300);
    }
    expect_true(b, h.una > 100000);
}

BENCH_TEST(a_probe_that_is_lost_is_no_congestion)
{
    struct hole h = { .mtu_bytes = 1100 };

    begin(b, 2, true);
    run(b, &h, 60);

    expect_true(b, h.swallowed > 2);
    expect_true(b, bench_info(b).ssthresh_bytes > 1000000);
    expect_equal(b, la_counter(b->s, LA_COUNT_TCPSackRecovery), 0);
    expect_true(b, bench_info(b).cwnd_bytes > 10 * 1024);
}

BENCH_TEST(on_a_path_without_a_hole_it_reaches_the_peers_mss)
{
    struct hole h = { .mtu_bytes = 1500 };

    begin(b, 2, true);
    run(b, &h, 100);

    expect_true(b, bench_info(b).snd_mss > 1440 - 8);
    expect_true(b, h.largest <= 1440 + HEADERS(b)); /* nothing larger is tried */
    expect_equal(b, la_counter(b->s, LA_COUNT_TCPMTUPFail), 0);
}

/* Twenty segments of the least size are acknowledged: the window has room for a probe. */
static void warm_up(struct bench *b, uint32_t mss)
{
    for (uint32_t i = 1; i <= 2; i++) {
        char line[80];

        for (uint32_t n = 0; n < 10; n++)
            bench_send(b, mss);
        for (const struct bench_tx *t = bench_next_tx(b); t != NULL; t = bench_next_tx(b))
            expect_true(b, t->seg.len <= mss); /* too little behind a probe: none goes */
        bench_sleep(b, MS(10));
        snprintf(line, sizeof line, "ACK rcv 0 snd %u wnd 65535", 10 * i * mss);
        bench_rx(b, line);
    }
    expect_true(b, bench_info(b).cwnd_bytes >= 11 * mss);
}

BENCH_TEST(a_probe_is_one_segment_of_new_text_with_enough_behind_it)
{
    begin(b, 2, true);
    const uint32_t mss = bench_info(b).snd_mss;
    char line[80];

    warm_up(b, mss);
    bench_send(b, 5 * mss); /* too little to show that a probe is lost */
    for (const struct bench_tx *t = bench_next_tx(b); t != NULL; t = bench_next_tx(b))
        expect_true(b, t->seg.len <= mss);
    snprintf(line, sizeof line, "ACK rcv 0 snd %u wnd 65535", 25 * mss);
    bench_rx(b, line);

    bench_send(b, 8 * mss);
    const struct bench_tx *t = bench_next_tx(b);
    expect_true(b, t != NULL && t->seg.len == mss);
    t = bench_next_tx(b); /* the table of what is in flight begins with the second segment */
    expect_true(b, t != NULL && t->seg.len == mss);
    t = bench_next_tx(b);
    expect_true(b, t != NULL && t->seg.len == (1440 + mss) / 2);
    t = bench_next_tx(b);
    expect_true(b, t != NULL && t->seg.len == mss); /* one at a time */
}

BENCH_TEST(after_the_interval_the_search_begins_again)
{
    struct hole h = { .mtu_bytes = 1300 };

    bench_begin(b, BENCH_EITHER, NULL);
    bench_sysctl(b, "net.ipv4.tcp_probe_interval", 30);
    begin(b, 2, true);
    bench_sysctl(b, "net.ipv4.tcp_probe_interval", 30);
    run(b, &h, 100);
    expect_true(b, bench_info(b).snd_mss + HEADERS(b) <= 1300);

    h.mtu_bytes = 1500; /* the path became wider */
    run(b, &h, 50);
    expect_true(b, bench_info(b).snd_mss + HEADERS(b) <= 1300);
    for (uint32_t i = 0; i < 4; i++) {
        bench_sleep(b, SEC(9));
        run(b, &h, 20);
    }
    expect_true(b, bench_info(b).snd_mss > 1440 - 8);
}

BENCH_TEST(icmp_about_a_probe_of_which_a_part_was_acknowledged_takes_the_rest_for_lost)
{
    bench_begin(b, BENCH_EITHER, NULL);
    bench_sysctl(b, "net.ipv4.tcp_base_mss", 1240);
    bench_sysctl(b, "net.ipv4.tcp_mtu_probing", 2);
    bench_established(b, &(struct bench_opt){ .mss = 1440, .sack = true, .rtt_ns = MS(10) });
    const uint32_t mss = bench_info(b).snd_mss;
    uint32_t again = 0;
    char line[80];

    warm_up(b, mss);
    bench_send(b, 8 * mss);
    (void)bench_next_tx(b);
    (void)bench_next_tx(b);
    const uint32_t probe = bench_next_tx(b)->seg.len;
    snprintf(line, sizeof line, "ACK rcv 0 snd %u wnd 65535", 22 * mss + 100);
    bench_rx(b, line);
    bench_forget_tx(b);

    bench_rx_icmp(b, b->family == 4 ? 3 : 2, b->family == 4 ? 4 : 0, 1310, 22 * mss + 100);

    for (const struct bench_tx *t = bench_next_tx(b); t != NULL; t = bench_next_tx(b))
        again += seq_diff(b->snd_base, t->seg.seq) < 22 * mss + probe ? t->seg.len : 0;
    expect_equal(b, again, probe - 100);
}

BENCH_TEST(icmp_that_says_it_while_probing_ends_the_search_there)
{
    bench_begin(b, BENCH_EITHER, NULL);
    bench_sysctl(b, "net.ipv4.tcp_base_mss", 1240);
    bench_sysctl(b, "net.ipv4.tcp_mtu_probing", 2);
    bench_established(b, &(struct bench_opt){ .mss = 1440, .sack = true, .rtt_ns = MS(10) });
    const uint32_t mss = bench_info(b).snd_mss;
    uint32_t again = 0;

    warm_up(b, mss);
    bench_send(b, 8 * mss);
    (void)bench_next_tx(b);
    (void)bench_next_tx(b);
    const struct bench_tx *t = bench_next_tx(b);
    const uint32_t probe = t->seg.len;
    expect_equal(b, probe, (1440 + mss) / 2);
    bench_forget_tx(b);

    bench_rx_icmp(b, b->family == 4 ? 3 : 2, b->family == 4 ? 4 : 0, 1310, 22 * mss);

    for (t = bench_next_tx(b); t != NULL; t = bench_next_tx(b)) { /* at once, and nothing else */
        expect_true(b, t->seg.len <= mss);
        again += seq_diff(b->snd_base, t->seg.seq) < 22 * mss + probe ? t->seg.len : 0;
    }
    expect_equal(b, again, probe);
    expect_equal(b, bench_info(b).snd_mss, mss);
    expect_equal(b, bench_info(b).path_mtu_bytes, 1310);
}

/* Whole windows are sent and acknowledged until there is room for eleven segments.  Return: bytes sent. */
static uint32_t grow(struct bench *b, uint32_t mss)
{
    uint32_t sent = 0;

    for (uint32_t i = 0; i < 9 && bench_info(b).cwnd_bytes < 11 * mss; i++) {
        const uint32_t len = bench_info(b).cwnd_bytes / mss * mss;
        char line[80];

        bench_send(b, len);
        bench_sleep(b, MS(10));
        sent += len;
        snprintf(line, sizeof line, "ACK rcv 0 snd %u wnd 65535", sent);
        bench_rx(b, line);
        bench_forget_tx(b);
    }
    expect_true(b, bench_info(b).cwnd_bytes >= 11 * mss);
    return sent;
}

BENCH_TEST(the_initial_window_is_of_the_segments_with_which_the_search_begins)
{
    bench_begin(b, BENCH_EITHER, NULL);
    assert_int_equal(la_iface_set_mtu(b->s, 0, 9000), LA_OK);
    bench_sysctl(b, "net.ipv4.tcp_mtu_probing", 2);
    bench_established(b, &(struct bench_opt){ .mss = 8940, .sack = true });
    expect_equal(b, bench_info(b).snd_mss, 1024);
    expect_equal(b, bench_info(b).cwnd_bytes, 10 * 1024);
}

/* Where a window has no room for a probe, nothing waits for it. */
BENCH_TEST(a_probe_that_no_window_has_room_for_holds_nothing_back)
{
    for (uint32_t large = 0; large < 2; large++) {
        uint32_t bytes = 0;
        char line[80];

        bench_again(b);
        bench_begin(b, BENCH_EITHER, NULL);
        assert_int_equal(la_iface_set_mtu(b->s, 0, large ? 65535 : 1500), LA_OK);
        bench_sysctl(b, "net.ipv4.tcp_mtu_probing", 2);
        bench_established(
            b, &(struct bench_opt){ .mss = large ? 60000 : 1440, .sack = true, .rtt_ns = MS(10) });
        const uint32_t mss = bench_info(b).snd_mss;
        /* The congestion window stays below the probe; the peer's has room for it, and for one more. */
        const uint32_t wnd = large ? 65535 : (1440 + mss) / 2 + 5 * mss;

        snprintf(line, sizeof line, "ACK rcv 0 snd %u wnd %u", grow(b, mss), wnd);
        bench_rx(b, line);
        bench_send(b, 30 * mss);
        for (const struct bench_tx *t = bench_next_tx(b); t != NULL; t = bench_next_tx(b))
            bytes += t->seg.len;
        const uint32_t cwnd = bench_info(b).cwnd_bytes;
        expect_true(b, bytes + mss > (cwnd < wnd ? cwnd : wnd));
    }
}

BENCH_TEST(without_sack_nothing_is_tried_but_a_black_hole_is_found)
{
    struct hole h = { .mtu_bytes = 1200 };

    begin(b, 1, false);
    bench_send(b, 5760);
    until_something_arrives(b, &h, 10, SEC(1));
    expect_equal(b, bench_info(b).snd_mss, 1024);
    run(b, &h, 50);
    expect_true(b, h.una > 5760);
    expect_equal(b, bench_info(b).snd_mss, 1024);
}

BENCH_TEST(icmp_that_leaves_room_for_the_probe_loses_nothing)
{
    bench_begin(b, BENCH_EITHER, NULL);
    bench_sysctl(b, "net.ipv4.tcp_base_mss", 1240);
    bench_sysctl(b, "net.ipv4.tcp_mtu_probing", 2);
    bench_established(b, &(struct bench_opt){ .mss = 1440, .sack = true, .rtt_ns = MS(10) });
    const uint32_t mss = bench_info(b).snd_mss;

    warm_up(b, mss);
    bench_send(b, 8 * mss);
    bench_forget_tx(b); /* the third of them is a probe of 1340 */

    bench_rx_icmp(b, b->family == 4 ? 3 : 2, b->family == 4 ? 4 : 0, 1450, 22 * mss);

    expect_no_tx(b);
    expect_equal(b, bench_info(b).lost_bytes, 0);
    char line[80];
    snprintf(line, sizeof line, "ACK rcv 0 snd %u wnd 65535", 28 * mss);
    bench_sleep(b, MS(10));
    bench_rx(b, line);
    expect_equal(b, bench_info(b).snd_mss, (1440 + mss) / 2); /* it has arrived */
}

TEST_MAIN
