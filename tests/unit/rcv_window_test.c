/* SPDX-License-Identifier: MIT */
/* rcv_window_test.c - The right edge never moves left, and right only in steps worth a segment. */
#include "tests/unit/base_test.h"
#include "tests/unit/hand.h"

static const char *const syns[] = { "wnd 65535 mss 1460", "wnd 65535 mss 1460 wscale 7" };

static struct hand start(bool v6, bool scaled, uint32_t rcvbuf)
{
    struct hand h;

    hand_new(&h, &(struct hand_opt){ .v6 = v6, .irs = 0xffffff00 });
    assert_int_equal(la_sysctl_set(h.s, "net.lastack.tcp_rcvbuf", rcvbuf), LA_OK);
    hand_establish(&h, &(struct hand_opt){ .syn = syns[scaled] });
    hand_conn(&h)->rcv_mss = 1460;
    return h;
}

static void give(struct hand *h, uint32_t len)
{
    struct tcp_seg seg = { .flags = TCP_ACK,
                           .seq = hand_conn(h)->rcv.nxt,
                           .ack = seq_add(h->iss, 1),
                           .wnd = 65535,
                           .len = len };

    hand_rx_seg(h, &seg);
}

static void take(struct hand *h, uint32_t len)
{
    static uint8_t bytes[1 << 17];

    assert_int_equal(la_recv(h->s, h->now, h->conn, bytes, len), len);
}

TEST(a_syn_never_scales_its_window)
{
    for (int scaled = 0; scaled < 2; scaled++) {
        struct hand h = start(false, scaled, 100000);
        struct tcp_conn *c = hand_conn(&h);

        assert_int_equal(rcv_window_field(h.t, c, true), 65535);
        c->set.rcvbuf = 5000;
        assert_int_equal(rcv_window_field(h.t, c, true), 5000);
        hand_free(&h);
    }
}

TEST(an_empty_buffer_offers_all_of_itself_rounded_up_to_the_scale)
{
    struct hand h = start(false, true, 100000);
    struct tcp_conn *c = hand_conn(&h);

    assert_int_equal(rcv_window_field(h.t, c, false),
                     65536 / 128); /* one that may grow: at first */
    c->set.rcvbuf_fixed = true;
    assert_int_equal(rcv_window_field(h.t, c, false), (100000 + 127) / 128);
    assert_int_equal(tcp_rcv_wnd(c), (100000 + 127) / 128 * 128); /* and keeps the promise */
    hand_free(&h);

    h = start(false, false, 60000);
    assert_int_equal(rcv_window_field(h.t, hand_conn(&h), false), 60000);
    hand_free(&h);
    h = start(false, false, 100000); /* without scaling no more can be said */
    assert_int_equal(rcv_window_field(h.t, hand_conn(&h), false), 65535);
    hand_free(&h);
}

TEST(bytes_that_wait_take_room_until_the_window_is_zero)
{
    for (int scaled = 0; scaled < 2; scaled++) {
        struct hand h = start(scaled, scaled, 4096);
        struct tcp_seg seg;
        uint32_t wnd = UINT32_MAX;

        hand_conn(&h)->quick = 255;
        while (wnd > 0) {
            const uint32_t room = tcp_rcv_wnd(hand_conn(&h));

            give(&h, room < 1000 ? room : 1000);
            assert_true(hand_tx_seg(&h, &seg));
            assert_true(seg.wnd < wnd);
            wnd = seg.wnd;
        }
        assert_in_range(hand_conn(&h)->rcvq.len_bytes, 4096, 4096 + (scaled ? 255 : 0));
        assert_int_equal(la_counter(h.s, LA_COUNT_TCPToZeroWindowAdv), 1);
        hand_free(&h);
    }
}

TEST(a_peer_that_sends_byte_by_byte_can_not_make_the_edge_creep_beyond_the_buffer)
{
    struct hand h = start(false, true, 4096);
    struct tcp_seg seg;
    uint32_t sent = 0;

    while (tcp_rcv_wnd(hand_conn(&h)) > 0) {
        give(&h, 1);
        sent++;
        hand_wait(&h, 50 * NS_PER_MS);
        while (hand_tx_seg(&h, &seg))
            continue;
        assert_true(sent <= 4096 + 255);
    }
    assert_int_equal(hand_conn(&h)->rcvq.len_bytes, sent);
    hand_free(&h);
}

TEST(a_window_that_was_zero_reopens_by_a_segment_at_least)
{
    struct hand h = start(false, false, 8192);
    struct tcp_seg seg;

    hand_conn(&h)->quick = 255;
    give(&h, 1000);
    while (tcp_rcv_wnd(hand_conn(&h)) > 0)
        give(&h, tcp_rcv_wnd(hand_conn(&h)) < 1000 ? tcp_rcv_wnd(hand_conn(&h)) : 1000);
    hand_drain(&h);
    for (uint32_t i = 0; i < 1459; i++) { /* crumbs are not told: MUST-39 */
        take(&h, 1);
        assert_int_equal(hand_drain(&h), 0);
    }
    take(&h, 1);
    assert_true(hand_tx_seg(&h, &seg));
    assert_int_equal(seg.wnd, 1460);
    assert_int_equal(la_counter(h.s, LA_COUNT_TCPFromZeroWindowAdv), 1);
    hand_free(&h);
}

TEST(a_small_buffer_reopens_by_half_of_itself)
{
    struct hand h = start(false, false, 1024);
    struct tcp_seg seg;

    hand_conn(&h)->quick = 255;
    give(&h, 1024);
    hand_drain(&h);
    take(&h, 511);
    assert_int_equal(hand_drain(&h), 0);
    take(&h, 1);
    assert_true(hand_tx_seg(&h, &seg));
    assert_int_equal(seg.wnd, 512);
    hand_free(&h);
}

TEST(whatever_comes_is_read_or_is_set_the_right_edge_never_moves_left)
{
    for (uint32_t seed = 0; seed < 40; seed++) {
        const bool scaled = seed & 1;
        struct hand h = start(seed & 2, scaled, 1024 + seed * 1777);
        const uint32_t slack = scaled ? 127 : 0; /* RFC 7323 2.4: what the field can not say */
        uint64_t rng = seed;
        tcp_seq edge = hand_conn(&h)->rcv.adv, told = edge;
        struct tcp_seg seg;

        for (uint32_t step = 0; step < 1500; step++) {
            const struct tcp_conn *c = hand_conn(&h);
            const uint32_t wnd = tcp_rcv_wnd(c);
            const uint32_t queued = c->rcvq.len_bytes;

            switch (rng_below(&rng, 8)) {
            case 0:
                if (queued > 0)
                    take(&h, 1 + rng_below(&rng, queued));
                break;
            case 1:
                assert_int_equal(la_set_option(h.s, h.now, h.conn, LA_OPT_RCVBUF,
                                               1024 + rng_below(&rng, 100000)),
                                 LA_OK);
                break;
            case 2:
                hand_wait(&h, 50 * NS_PER_MS);
                break;
            default:
                if (wnd > 0)
                    give(&h, 1 + rng_below(&rng, wnd < 1460 ? wnd : 1460));
                break;
            }
            assert_true(seq_le(edge, c->rcv.adv));
            edge = c->rcv.adv;
            while (hand_tx_seg(&h, &seg)) {
                const tcp_seq now = seq_add(seg.ack, seg.wnd << c->rcv_shift);

                assert_true(seq_le(told, seq_add(now, slack)));
                told = seq_max(told, now);
                assert_true(seq_le(told, c->rcv.adv)); /* what was told is kept */
            }
        }
        assert_null(la_check(h.s));
        hand_free(&h);
    }
}

TEST(no_update_is_due_when_the_peer_has_no_more_to_send)
{
    struct hand h = start(false, false, 4096);

    give(&h, 1460);
    hand_rx(&h, "FIN ACK rcv 1461 snd 1 wnd 65535");
    hand_drain(&h);
    take(&h, 1460);
    assert_int_equal(hand_drain(&h), 0);
    hand_free(&h);
}

TEST_MAIN
