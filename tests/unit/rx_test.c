/* SPDX-License-Identifier: MIT */
/* rx_test.c - Packets in: what is dropped before TCP sees it, bursts, segments inside. */
#include "sim/check/shadow.h"
#include "tests/unit/base_test.h"
#include "tests/unit/hand.h"

static uint8_t packet[3000];

static uint32_t segment(const struct hand *h, uint8_t flags, uint32_t seq, uint32_t len)
{
    const struct tcp_seg seg = { .src_port = h->rport,
                                 .dst_port = h->lport,
                                 .seq = seq_add(h->irs, seq),
                                 .ack = seq_add(h->iss, 1),
                                 .flags = flags,
                                 .wnd = 1000,
                                 .len = len,
                                 .text = packet + 1000 };

    return hand_packet(h->peer, h->us, &seg, packet);
}

static void give(struct hand *h, uint32_t len, uint16_t flags, uint16_t gso)
{
    const struct la_frame f = {
        .bytes = packet, .len_bytes = len, .flags = flags, .gso_size_bytes = gso
    };

    shadow_rx_or_panic(h->s, h->now, &f, 1);
}

TEST(one_wrong_bit_anywhere_in_a_segment_drops_it)
{
    for (int v6 = 0; v6 < 2; v6++) {
        struct hand h;

        hand_new(&h, &(struct hand_opt){ .v6 = v6 });
        hand_establish(&h, NULL);
        const uint32_t len = segment(&h, TCP_ACK, 1, 7);
        const uint32_t at = v6 ? 40 : 20;
        for (uint32_t bit = at * 8; bit < len * 8; bit++) {
            packet[bit / 8] ^= (uint8_t)(1u << bit % 8);
            give(&h, len, 0, 0);
            packet[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        assert_int_equal(la_drops(h.s, LA_DROP_TCP_CHECKSUM), (len - at) * 8);
        assert_int_equal(la_counter(h.s, LA_COUNT_InCsumErrors), (len - at) * 8);
        assert_int_equal(hand_conn(&h)->rcvq.len_bytes, 0);
        give(&h, len, 0, 0);
        assert_int_equal(hand_conn(&h)->rcvq.len_bytes, 7);
        hand_free(&h);
    }
}

TEST(a_checksum_the_driver_has_verified_is_not_looked_at)
{
    struct hand h;

    hand_new(&h, NULL);
    hand_establish(&h, NULL);
    const uint32_t len = segment(&h, TCP_ACK, 1, 7);
    packet[20 + 16] ^= 1;
    give(&h, len, LA_FRAME_CSUM_OK, 0);
    assert_int_equal(hand_conn(&h)->rcvq.len_bytes, 7);
    hand_free(&h);
}

TEST(every_way_to_cut_a_segment_short_drops_it)
{
    for (int v6 = 0; v6 < 2; v6++) {
        struct hand h;
        uint64_t dropped = 0;

        hand_new(&h, &(struct hand_opt){ .v6 = v6 });
        hand_establish(&h, NULL);
        const uint32_t len = segment(&h, TCP_ACK, 1, 7);
        for (uint32_t cut = 0; cut < len; cut++)
            give(&h, cut, 0, 0);
        for (uint32_t d = 1; d < LA_DROPS; d++)
            dropped += la_drops(h.s, (enum la_drop)d);
        assert_int_equal(dropped, len);
        assert_int_equal(hand_conn(&h)->rcvq.len_bytes, 0);
        hand_free(&h);
    }
}

TEST(padding_behind_a_packet_is_no_text)
{
    struct hand h;

    hand_new(&h, NULL);
    hand_establish(&h, NULL);
    const uint32_t len = segment(&h, TCP_ACK, 1, 3);
    memset(packet + len, 0xee, 20);
    give(&h, len + 20, 0, 0);
    assert_int_equal(hand_conn(&h)->rcvq.len_bytes, 3);
    hand_free(&h);
}

TEST(a_segment_from_and_to_the_same_endpoint_is_dropped)
{
    struct hand h;

    hand_new(&h, NULL);
    hand_listen(&h);
    h.rport = h.lport;
    h.peer = h.us;
    give(&h, segment(&h, TCP_SYN, 0, 0), 0, 0);
    assert_int_equal(la_drops(h.s, LA_DROP_IP_SOURCE) + la_drops(h.s, LA_DROP_TCP_SELF), 1);
    assert_int_equal(hand_drain(&h), 0);
    hand_free(&h);
}

TEST(a_merged_frame_counts_as_the_segments_inside_it)
{
    struct hand h;

    hand_new(&h, NULL);
    hand_establish(&h, NULL);
    const uint64_t before = la_counter(h.s, LA_COUNT_InSegs);
    give(&h, segment(&h, TCP_ACK, 1, 1900), LA_FRAME_CSUM_OK, 500);
    assert_int_equal(la_counter(h.s, LA_COUNT_InSegs) - before, 4);
    assert_int_equal(hand_conn(&h)->segs_in, 1 + 4);
    assert_int_equal(hand_conn(&h)->rcvq.len_bytes, 1900);
    hand_free(&h);
}

TEST(a_frame_whose_offload_is_malformed_is_dropped_and_counted)
{
    struct hand h;

    hand_new(&h, NULL);
    hand_establish(&h, NULL);
    give(&h, segment(&h, TCP_ACK, 1, 7), LA_FRAME_MALFORMED, 0);
    assert_int_equal(la_drops(h.s, LA_DROP_FRAME_OFFLOAD), 1);
    assert_int_equal(hand_conn(&h)->rcvq.len_bytes, 0);
    hand_free(&h);
}

TEST(an_unfinished_checksum_is_trusted_only_where_tcp_has_its_own)
{
    for (int v6 = 0; v6 < 2; v6++) {
        struct hand h;

        hand_new(&h, &(struct hand_opt){ .v6 = v6 });
        hand_establish(&h, NULL);
        const uint16_t at = v6 ? 40 : 20;
        struct la_frame f = { .bytes = packet,
                              .len_bytes = segment(&h, TCP_ACK, 1, 7),
                              .flags = LA_FRAME_CSUM_OK | LA_FRAME_CSUM_PARTIAL,
                              .csum_start = (uint16_t)(at + 4),
                              .csum_offset = 16 };
        packet[at + 16] ^= 1;
        la_rx(h.s, h.now, &f, 1);
        f.csum_start = at;
        f.csum_offset = 6;
        la_rx(h.s, h.now, &f, 1);
        assert_int_equal(la_drops(h.s, LA_DROP_FRAME_OFFLOAD), 2);
        assert_int_equal(la_counter(h.s, LA_COUNT_InErrs), 2);
        f.csum_offset = 16;
        la_rx(h.s, h.now, &f, 1);
        assert_int_equal(hand_conn(&h)->rcvq.len_bytes, 7);
        hand_free(&h);
    }
}

TEST(drivers_are_lent_the_checksum)
{
    static const uint8_t bytes[] = { 0x12, 0x34, 0xff, 0xff, 0x01 };

    assert_int_equal(la_checksum(0, 0, bytes, 2), 0x1234);
    assert_int_equal(la_checksum(0, 1, bytes, 4), 0x1235);
    assert_int_equal(la_checksum(0, 0, bytes, 5), 0x1334);
    assert_int_equal(la_checksum(0, 0, bytes, 0), 0);
}

/* The packet cut at @head and then every @each bytes; pieces of nothing stand between. */
static void give_pieces(struct hand *h, uint32_t len, uint32_t head, uint32_t each)
{
    static uint8_t room[sizeof packet];
    struct la_cspan spans[64];
    uint32_t n = 0;

    for (uint32_t at = head; at < len && n < 62; at += each) {
        spans[n++] = (struct la_cspan){ packet + at, len - at < each || n > 59 ? len - at : each };
        if (n % 3 == 1)
            spans[n++] = (struct la_cspan){ packet, 0 };
        if (n > 60)
            break;
    }
    const struct la_frame f = {
        .bytes = packet, .len_bytes = head, .span_count = (uint16_t)n, .spans = spans, .room = room
    };

    shadow_rx_or_panic(h->s, h->now, &f, 1);
}

/* The next @len bytes of the queue are the peer's from @from on, and are read. */
static void expect_text(struct hand *h, uint32_t len)
{
    static uint8_t got[3000];

    assert_int_equal(la_recv(h->s, h->now, h->conn, got, sizeof got), len);
    assert_memory_equal(got, packet + 1000, len);
}

TEST(a_packet_in_pieces_is_a_packet)
{
    static const uint32_t each[] = { 1, 2, 7, 64, 129, 500, 3000 };

    for (uint32_t i = 0; i < 2 * LA_COUNT_OF(each); i++) {
        const bool v6 = i % 2 != 0;
        const uint32_t headers = v6 ? 60 : 40;
        struct hand h;

        hand_new(&h, &(struct hand_opt){ .v6 = v6 });
        hand_establish(&h, NULL);
        uint32_t seq = 1;
        for (uint32_t k = 0; k < 900; k += 1 + k / 3) {
            memset(packet + 1000, (int)k + 1, k);
            const uint32_t len = segment(&h, TCP_ACK, seq, k);
            /* Cut at the end of the headers, as la_tx_frame() cuts, or anywhere. */
            const uint32_t head = k % 4 == 3 ? 1 + k % len : headers;

            give_pieces(&h, len, head, each[i / 2]);
            seq += k;
            if (k > 0)
                expect_text(&h, k);
        }
        assert_int_equal(la_counter(h.s, LA_COUNT_InErrs), 0);
        hand_free(&h);
    }
}

TEST(a_wrong_bit_in_any_piece_drops_the_packet)
{
    struct hand h;

    hand_new(&h, NULL);
    hand_establish(&h, NULL);
    const uint32_t len = segment(&h, TCP_ACK, 1, 300);
    for (uint32_t at = 20; at < len; at += 3) {
        packet[at] ^= 0x10;
        give_pieces(&h, len, 40, 77);
        packet[at] ^= 0x10;
    }
    assert_int_equal(hand_conn(&h)->rcvq.len_bytes, 0);
    assert_int_equal(la_counter(h.s, LA_COUNT_InSegs) - 1, la_counter(h.s, LA_COUNT_InErrs));
    give_pieces(&h, len, 40, 77);
    expect_text(&h, 300);
    hand_free(&h);
}

TEST(text_in_pieces_is_put_in_order_trimmed_and_its_padding_is_left)
{
    struct hand h;

    hand_new(&h, NULL);
    hand_establish(&h, NULL);
    give_pieces(&h, segment(&h, TCP_ACK, 101, 300), 40, 70);
    assert_int_equal(hand_conn(&h)->rcvq.len_bytes, 0);
    give_pieces(&h, segment(&h, TCP_ACK, 1, 200), 40, 33); /* its end is there already */
    assert_int_equal(hand_conn(&h)->rcvq.len_bytes, 400);
    give_pieces(&h, segment(&h, TCP_ACK, 301, 150), 40, 33); /* its beginning is */
    assert_int_equal(hand_conn(&h)->rcvq.len_bytes, 450);
    const uint32_t len = segment(&h, TCP_ACK, 451, 10);
    packet[len] = 0xee;
    give_pieces(&h, len + 1, 40, 4);
    assert_int_equal(hand_conn(&h)->rcvq.len_bytes, 460);
    assert_null(la_check(h.s));
    hand_free(&h);
}

TEST(a_burst_of_64_frames_of_one_connection_is_settled_once)
{
    struct hand h;
    static char text[64][64];
    const char *lines[65] = { NULL };

    hand_new(&h, NULL);
    hand_establish(&h, NULL);
    for (uint32_t i = 0; i < 64; i++) {
        snprintf(text[i], sizeof text[i], "ACK rcv %u snd 1 len 10 wnd 1000", 1 + 10 * i);
        lines[i] = text[i];
    }
    hand_conn(&h)->quick = 0;
    hand_burst(&h, lines);
    assert_int_equal(hand_conn(&h)->rcvq.len_bytes, 640);
    assert_int_equal(h.t->touched_count, 0);
    assert_false(hand_conn(&h)->touched);
    assert_int_equal(hand_drain(&h), 8); /* one ACK per eight segments */
    hand_free(&h);
}

TEST(a_connection_that_ends_within_a_burst_and_another_that_takes_its_slot_do_not_mix)
{
    struct hand h;

    hand_new(&h, NULL);
    hand_establish(&h, NULL);
    assert_int_equal(la_close(h.s, h.now, h.conn), LA_OK);
    hand_drain(&h);
    const char *burst[] = { "ACK rcv 1 snd 2 wnd 5", "RST rcv 1", "ACK rcv 1 snd 2 wnd 5", NULL };
    hand_burst(&h, burst);
    assert_null(la_check(h.s));
    assert_int_equal(h.t->conns.used, 0);
    hand_free(&h);
}

TEST(a_burst_too_large_an_interface_that_is_not_there_and_time_backwards_are_asserted)
{
    struct hand h;
    struct la_frame f[65] = { { .bytes = packet, .len_bytes = 1 } };

    hand_new(&h, NULL);
    expect_assert_failure(la_rx(h.s, h.now, f, 65));
    f[0].iface = 1;
    expect_assert_failure(la_rx(h.s, h.now, f, 1));
    h.t->env.busy = 0;
    f[0].iface = 0;
    expect_assert_failure(la_rx(h.s, (la_time){ h.now.ns - 1 }, f, 1));
    la_rx(h.s, h.now, f, 0);
    hand_free(&h);
}

TEST(nobody_enters_a_stack_while_it_is_busy)
{
    struct hand h;

    hand_new(&h, NULL);
    h.t->env.busy = 1;
    expect_assert_failure(la_rx(h.s, h.now, NULL, 0));
    expect_assert_failure((void)la_tick(h.s, h.now, 1));
    expect_assert_failure((void)la_close(h.s, h.now, (la_conn_id){ 1 }));
    hand_free(&h);
}

TEST_MAIN
