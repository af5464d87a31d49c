/* SPDX-License-Identifier: MIT */
/*
 * rx_train_test.c - Segments that follow each other in a burst, and those that only seem to.  Each
 * burst is also given to a stack without the fast path, which knows no trains: both must end alike.
 */
#include "sim/check/shadow.h"
#include "tests/unit/base_test.h"
#include "tests/unit/hand.h"

#include "core/base/bytes.h"

#define BURST 6u
#define TEXT 50u

static uint8_t packets[BURST][200];
static struct la_frame frames[BURST];

/* The handshake, in which our time stamp is echoed. */
static void establish(struct hand *h, bool timestamps)
{
    struct tcp_seg syn;

    hand_open(h);
    assert_true(hand_tx_seg(h, &syn));
    struct tcp_seg ack = {
        .seq = h->irs,
        .ack = seq_add(h->iss, 1),
        .flags = TCP_SYN | TCP_ACK,
        .wnd = 65535,
        .opt = { .has_timestamps = timestamps, .ts_val = 5, .ts_ecr = syn.opt.ts_val }
    };
    hand_rx_seg(h, &ack);
    hand_drain(h);
    assert_int_equal(hand_state(h), LA_ESTABLISHED);
    assert_int_equal(hand_conn(h)->timestamps, timestamps);
}

/* A connection with or without time stamps, and a burst of text for it. */
static uint32_t open_burst(struct hand *h, bool v6, bool timestamps)
{
    static uint8_t text[TEXT];
    uint32_t len = 0;

    hand_new(h, &(struct hand_opt){ .v6 = v6 });
    establish(h, timestamps);
    for (uint32_t i = 0; i < BURST; i++) {
        memset(text, (int)i + 1, sizeof text);
        const struct tcp_seg seg = { .src_port = h->rport,
                                     .dst_port = h->lport,
                                     .seq = seq_add(h->irs, 1 + i * TEXT),
                                     .ack = seq_add(h->iss, 1),
                                     .flags = TCP_ACK,
                                     .wnd = 1000,
                                     .opt = { .has_timestamps = timestamps, .ts_val = 9 },
                                     .len = TEXT,
                                     .text = text };

        len = hand_packet(h->peer, h->us, &seg, packets[i]);
        frames[i] = (struct la_frame){ .bytes = packets[i], .len_bytes = len };
    }
    return len;
}

static void give(struct hand *h)
{
    shadow_rx_or_panic(h->s, h->now, frames, BURST);
    assert_null(la_check(h->s));
}

TEST(a_burst_of_text_in_order_is_taken_whole)
{
    for (uint32_t i = 0; i < 4; i++) {
        uint8_t got[BURST * TEXT + 1];
        struct hand h;

        open_burst(&h, i % 2 != 0, i / 2 != 0);
        const uint64_t in_segs = la_counter(h.s, LA_COUNT_InSegs);
        const uint64_t in_packets = la_counter(h.s, LA_COUNT_IpInReceives);
        give(&h);
        assert_int_equal(la_counter(h.s, LA_COUNT_InSegs) - in_segs, BURST);
        assert_int_equal(la_counter(h.s, LA_COUNT_IpInReceives) - in_packets, BURST);
        assert_int_equal(la_recv(h.s, h.now, h.conn, got, sizeof got), BURST * TEXT);
        for (uint32_t k = 0; k < BURST * TEXT; k++)
            assert_int_equal(got[k], k / TEXT + 1);
        hand_free(&h);
    }
}

/* With the checksum looked at, and with a driver that swears it is right. */
TEST(one_wrong_byte_anywhere_in_a_burst_does_what_it_does_alone)
{
    for (uint32_t i = 0; i < 8; i++) {
        struct hand h;
        const bool v6 = i % 2 != 0, timestamps = i / 2 % 2 != 0;
        const uint32_t len = open_burst(&h, v6, timestamps);

        hand_free(&h);
        for (uint32_t at = 0; at < len; at++) {
            open_burst(&h, v6, timestamps);
            for (uint32_t k = 0; k < BURST; k++)
                frames[k].flags = i / 4 != 0 ? LA_FRAME_CSUM_OK : 0;
            packets[3][at] ^= (uint8_t)(1u << at % 8);
            give(&h);
            hand_free(&h);
        }
    }
}

TEST(a_hole_a_repetition_and_another_order_end_a_train)
{
    static const uint8_t orders[][BURST] = {
        { 0, 1, 3, 4, 2, 5 }, { 0, 0, 1, 1, 2, 3 }, { 1, 0, 2, 5, 4, 3 }, { 0, 1, 2, 2, 2, 3 }
    };

    for (uint32_t i = 0; i < 2 * LA_COUNT_OF(orders); i++) {
        struct la_frame sorted[BURST];
        struct hand h;

        open_burst(&h, false, i % 2 != 0);
        memcpy(sorted, frames, sizeof sorted);
        for (uint32_t k = 0; k < BURST; k++)
            frames[k] = sorted[orders[i / 2][k]];
        give(&h);
        hand_free(&h);
    }
}

TEST(frames_of_another_length_or_another_sort_end_a_train)
{
    for (uint32_t what = 0; what < 5; what++) {
        static uint8_t room[256];
        static struct la_cspan span;
        struct hand h;
        const uint32_t len = open_burst(&h, false, true);
        struct la_frame *f = &frames[3];

        f->len_bytes = what == 0 ? len + 9 : what == 1 ? len - 1 : len;
        f->gso_size_bytes = what == 2 ? 10 : 0;
        f->flags = what == 3 ? LA_FRAME_MALFORMED : 0;
        if (what == 4) { /* the text beside the headers, and one byte of it missing */
            span = (struct la_cspan){ f->bytes + 52, TEXT - 1 };
            f->len_bytes = 52;
            f->spans = &span;
            f->span_count = 1;
            f->room = room;
        }
        give(&h);
        hand_free(&h);
    }
}

TEST(a_burst_in_pieces_is_a_train_as_well)
{
    static struct la_cspan spans[BURST][2];
    static uint8_t room[256];
    struct hand h;

    open_burst(&h, false, true);
    for (uint32_t i = 0; i < BURST; i++) {
        spans[i][0] = (struct la_cspan){ packets[i] + 52, 7 + i };
        spans[i][1] = (struct la_cspan){ packets[i] + 59 + i, TEXT - 7 - i };
        frames[i].len_bytes = 52;
        frames[i].spans = spans[i];
        frames[i].span_count = 2;
        frames[i].room = room;
    }
    give(&h);
    assert_int_equal(hand_conn(&h)->rcvq.len_bytes, BURST * TEXT);
    hand_free(&h);
}

TEST_MAIN
