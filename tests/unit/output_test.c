/* SPDX-License-Identifier: MIT */
/* output_test.c - What goes next: order, sizes, Nagle, windows, super-segments, turns. */
#include <lastack/runtime.h>

#include "core/base/checksum.h"
#include "tests/unit/base_test.h"
#include "tests/unit/hand.h"
#include "tests/unit/wire2.h"

static uint8_t bytes[200000];

static struct hand start(bool v6, const char *syn)
{
    struct hand h;

    hand_new(&h, &(struct hand_opt){ .v6 = v6, .iss = 0xffffff00 });
    hand_establish(&h, &(struct hand_opt){ .syn = syn });
    return h;
}

static void give(struct hand *h, uint32_t len, uint32_t flags)
{
    assert_int_equal(la_send(h->s, h->now, h->conn, bytes, len, flags), len);
}

/* Lengths of what is sent now, ended by 0. */
static void expect_lengths(struct hand *h, const uint32_t *len)
{
    struct tcp_seg seg;
    uint32_t i = 0;

    for (; hand_tx_seg(h, &seg); i++)
        assert_int_equal(seg.len, len[i]);
    assert_int_equal(len[i], 0);
}

TEST(text_goes_in_full_segments_and_a_crumb_waits_for_the_one_before_it)
{
    for (int v6 = 0; v6 < 2; v6++) {
        struct hand h = start(v6, "wnd 65535 mss 1000");

        give(&h, 3500, 0); /* its odd end waits for nothing: only full segments are in flight */
        expect_lengths(&h, (uint32_t[]){ 1000, 1000, 1000, 500, 0 });
        give(&h, 300, 0);
        expect_lengths(&h, (uint32_t[]){ 0 });
        hand_rx(&h, "ACK rcv 1 snd 3001 wnd 65535");
        expect_lengths(&h, (uint32_t[]){ 0 });
        hand_rx(&h, "ACK rcv 1 snd 3501 wnd 65535");
        expect_lengths(&h, (uint32_t[]){ 300, 0 });
        hand_free(&h);
    }
}

TEST(a_crumb_goes_at_once_when_nothing_is_in_flight)
{
    struct hand h = start(false, "wnd 65535 mss 1000");

    give(&h, 1, 0);
    expect_lengths(&h, (uint32_t[]){ 1, 0 });
    give(&h, 1, 0);
    give(&h, 1, 0);
    expect_lengths(&h, (uint32_t[]){ 0 });
    hand_rx(&h, "ACK rcv 1 snd 2 wnd 65535");
    expect_lengths(&h, (uint32_t[]){ 2, 0 });
    hand_free(&h);
}

TEST(more_holds_a_crumb_until_more_comes_or_200_ms_have_passed)
{
    struct hand h = start(false, "wnd 65535 mss 1000");

    give(&h, 300, LA_SEND_MORE);
    expect_lengths(&h, (uint32_t[]){ 0 });
    give(&h, 300, 0);
    expect_lengths(&h, (uint32_t[]){ 600, 0 });
    hand_rx(&h, "ACK rcv 1 snd 601 wnd 65535");
    give(&h, 300, LA_SEND_MORE);
    expect_lengths(&h, (uint32_t[]){ 0 });
    hand_wait(&h, 200 * NS_PER_MS);
    expect_lengths(&h, (uint32_t[]){ 300, 0 });
    hand_free(&h);
}

TEST(the_last_of_a_push_and_the_fin_carry_their_flags)
{
    struct hand h = start(false, "wnd 65535 mss 1000");
    struct tcp_seg seg;

    give(&h, 1500, 0);
    assert_int_equal(la_shutdown(h.s, h.now, h.conn, LA_SHUT_WR), LA_OK);
    assert_true(hand_tx_seg(&h, &seg));
    assert_int_equal(seg.flags, TCP_ACK);
    assert_true(hand_tx_seg(&h, &seg)); /* a FIN takes the crumb along, whatever Nagle says */
    assert_int_equal(seg.flags, TCP_ACK | TCP_PSH | TCP_FIN);
    assert_int_equal(seg.len, 500);
    hand_free(&h);
}

TEST(nothing_goes_beyond_the_window_and_a_small_one_waits)
{
    struct hand h = start(false, "wnd 65535 mss 1000");

    hand_rx(&h, "ACK rcv 1 snd 1 wnd 2500");
    give(&h, 10000, 0);
    expect_lengths(&h, (uint32_t[]){ 1000, 1000, 0 }); /* not the 500 that are left */
    hand_rx(&h, "ACK rcv 1 snd 1001 wnd 2500");
    expect_lengths(&h, (uint32_t[]){ 1000, 0 });
    hand_rx(&h, "ACK rcv 1 snd 3001 wnd 999"); /* silly: less than a segment, than half */
    expect_lengths(&h, (uint32_t[]){ 0 });
    hand_rx(&h, "ACK rcv 1 snd 3001 wnd 1000");
    expect_lengths(&h, (uint32_t[]){ 1000, 0 });
    hand_free(&h);
}

TEST(half_of_the_largest_window_is_worth_sending_though_it_fills_no_segment)
{
    struct hand h = start(false, "wnd 800 mss 1000");

    give(&h, 5000, 0);
    expect_lengths(&h, (uint32_t[]){ 800, 0 });
    hand_rx(&h, "ACK rcv 1 snd 801 wnd 399");
    expect_lengths(&h, (uint32_t[]){ 0 });
    hand_rx(&h, "ACK rcv 1 snd 801 wnd 400");
    expect_lengths(&h, (uint32_t[]){ 400, 0 });
    hand_free(&h);
}

TEST(a_fin_needs_room_in_the_window_too)
{
    struct hand h = start(false, "wnd 65535 mss 1000");
    struct tcp_seg seg;

    hand_rx(&h, "ACK rcv 1 snd 1 wnd 1000");
    give(&h, 1000, 0);
    assert_int_equal(la_shutdown(h.s, h.now, h.conn, LA_SHUT_WR), LA_OK);
    assert_true(hand_tx_seg(&h, &seg));
    assert_int_equal(seg.len, 1000);
    assert_false(seg.flags & TCP_FIN);
    assert_false(hand_tx_seg(&h, &seg));
    hand_rx(&h, "ACK rcv 1 snd 1001 wnd 1");
    assert_true(hand_tx_seg(&h, &seg));
    assert_true(seg.flags & TCP_FIN);
    hand_free(&h);
}

TEST(what_is_sent_again_stays_inside_a_window_that_shrank)
{
    struct hand h = start(false, "wnd 65535 mss 1000");

    give(&h, 5000, 0);
    expect_lengths(&h, (uint32_t[]){ 1000, 1000, 1000, 1000, 1000, 0 });
    hand_rx(&h, "ACK rcv 1 snd 1 wnd 1300");
    hand_conn(&h)->cwnd = 5000;
    hand_rto(&h);
    hand_conn(&h)->cwnd = 5000;
    expect_lengths(&h, (uint32_t[]){ 1000, 300, 0 }); /* SHLD-16 */
    hand_rx(&h, "ACK rcv 1 snd 1001 wnd 100");
    hand_rto(&h);
    expect_lengths(&h, (uint32_t[]){ 100, 0 });
    hand_free(&h);
}

TEST(the_congestion_window_lets_whole_segments_go_only)
{
    struct hand h = start(false, "wnd 65535 mss 1000");

    hand_conn(&h)->cwnd = 2999;
    give(&h, 10000, 0);
    expect_lengths(&h, (uint32_t[]){ 1000, 1000, 0 });
    hand_free(&h);
}

TEST(a_descriptor_holds_many_segments_where_the_driver_cuts_them)
{
    for (int v6 = 0; v6 < 2; v6++) {
        struct w2 *w = w2_new(&(struct w2_opt){ .v6 = v6, .gso_max_bytes = 65000 });
        struct la_tx tx[8];

        w2_connect(w);
        assert_int_equal(w2_send(w, 0, 8000), 8000);
        const uint32_t n = la_tx(w->s[0], w->now, tx, 8);
        assert_int_equal(n, 1); /* all of it in one, the crumb at its end */
        assert_true(tx[0].gso_size_bytes > 1000);
        const uint32_t text = tx[0].len_bytes - tx[0].header_len;
        assert_int_equal(text, 8000);
        assert_true(text / tx[0].gso_size_bytes >= 5);
        assert_true(tx[0].span_count >= 2 && tx[0].span_count <= LA_TX_SPANS_MAX);
        w2_free(w);
    }
}

TEST(small_chunks_never_need_more_spans_than_a_descriptor_has)
{
    struct la_config config;

    w2_config(&config);
    config.chunk_bytes = 512;
    struct w2 *w = w2_new(&(struct w2_opt){
        .mtu_bytes = 9000, .gso_max_bytes = 65000, .config = { &config, &config } });
    w2_connect(w);
    w2_transfer(w, 0, 300000);
    w2_sound(w);
    w2_free(w);
}

/* One packet in 23 is lost: what is sent again ends where no packet did before. */
static bool now_and_then(void *context, int from, uint8_t *packet, uint32_t len_bytes)
{
    uint32_t *n = context;

    (void)packet;
    return from != 0 || len_bytes < 200 || ++*n % 23 != 0;
}

TEST(checksums_put_together_from_sums_taken_by_send_are_right)
{
    const struct {
        uint32_t chunk_bytes, gso_max_bytes;
        bool v6;
    } way[] = { { 512, 0, false }, { 4096, 0, true }, { 8192, 0, false }, { 4096, 20000, false } };

    if (!(la_rt_cpu_features() & checksum_vector_feature()))
        skip(); /* without vectors text is summed when it goes */
    for (uint32_t i = 0; i < LA_COUNT_OF(way); i++) {
        struct la_config config;
        uint32_t packets = 0, x = 12345;

        w2_config(&config);
        config.chunk_bytes = way[i].chunk_bytes;
        config.cpu_features = la_rt_cpu_features();
        struct w2 *w = w2_new(&(struct w2_opt){ .v6 = way[i].v6,
                                                .gso_max_bytes = way[i].gso_max_bytes,
                                                .config = { &config, &config } });
        w2_connect(w);
        w->pass = now_and_then;
        w->context = &packets;
        for (uint32_t k = 0; k < 300; k++) {
            x = x * 1664525u + 1013904223u;
            w2_send(w, 0, 1 + (x >> 16) % (k % 3 == 0 ? 300 : 9000));
            w2_run(w, UINT64_C(300000000));
            w2_recv(w, 1);
        }
        w2_run(w, UINT64_C(10000000000));
        w2_recv(w, 1);
        assert_true(w->sent[0] > 400000 && packets > 200);
        assert_int_equal(w->received[1], w->sent[0]);
        assert_int_equal(la_counter(w->s[1], LA_COUNT_InCsumErrors), 0);
        assert_true(la_counter(w->s[0], LA_COUNT_RetransSegs) > 10);
        w2_sound(w);
        w2_free(w);
    }
}

TEST(connections_take_turns)
{
    struct hand h;
    struct tcp_seg seg;
    la_conn_id first;

    hand_new(&h, NULL);
    hand_establish(&h, NULL);
    give(&h, 5000, 0);
    first = h.conn;
    h.rport = 6000;
    hand_open(&h); /* a second one; the drain takes what the first had to send */
    hand_drain(&h);
    hand_rx(&h, "SYN ACK rcv 0 snd 1 wnd 65535 mss 1460");
    hand_drain(&h);
    assert_int_equal(la_send(h.s, h.now, h.conn, bytes, 5000, 0), 5000);
    assert_int_equal(la_send(h.s, h.now, first, bytes, 5000, 0), 5000);
    for (uint32_t i = 0; i < 4; i++) {
        assert_true(hand_tx_seg(&h, &seg));
        assert_int_equal(seg.dst_port, i & 1 ? 5000 : 6000);
    }
    hand_free(&h);
}

TEST(nothing_to_send_is_said_at_once_and_leaves_the_list_empty)
{
    struct hand h = start(false, NULL);
    struct la_tx tx;

    assert_int_equal(la_tx(h.s, h.now, &tx, 1), 0);
    assert_int_equal(h.t->tx_head, SLAB_NONE);
    tcp_output_wake(h.t, hand_ci(&h));
    tcp_output_wake(h.t, hand_ci(&h)); /* stands once */
    assert_null(la_check(h.s));
    assert_int_equal(la_tx(h.s, h.now, &tx, 1), 0);
    assert_int_equal(h.t->tx_head, SLAB_NONE);
    hand_free(&h);
}

TEST_MAIN
