/* SPDX-License-Identifier: MIT */
/* calls_data_test.c - SEND and RECEIVE: reserve and commit, peek and consume, and their copies. */
#include "tests/unit/base_test.h"
#include "tests/unit/hand.h"

static struct hand start(bool v6)
{
    struct hand h;

    hand_new(&h, &(struct hand_opt){ .v6 = v6, .iss = 0xfffffffe, .irs = 0x7fffffff });
    hand_establish(&h, NULL);
    return h;
}

static int64_t reserve(struct hand *h, uint32_t want, struct la_span *spans, uint32_t max,
                       uint32_t *count)
{
    return la_send_reserve(h->s, h->now, h->conn, want, spans, max, count);
}

TEST(what_is_reserved_and_committed_is_sent_as_if_it_had_been_copied)
{
    for (int v6 = 0; v6 < 2; v6++) {
        struct hand h = start(v6);
        struct la_span spans[8];
        struct tcp_seg seg;
        uint32_t count, at = 0;
        const int64_t n = reserve(&h, 5000, spans, 8, &count);

        assert_int_equal(n, 5000);
        assert_in_range(count, 2, 8);
        for (uint32_t i = 0; i < count; i++)
            for (uint32_t k = 0; k < spans[i].len_bytes; k++)
                spans[i].bytes[k] = hand_byte(at++);
        assert_int_equal(at, 5000);
        assert_int_equal(hand_drain(&h), 0); /* nothing goes before the commit */
        assert_int_equal(la_send_commit(h.s, h.now, h.conn, 4500, 0), LA_OK);
        uint32_t sent = 0;
        while (hand_tx_seg(&h, &seg))
            for (uint32_t k = 0; k < seg.len; k++)
                assert_int_equal(seg.text[k], hand_byte(sent++));
        assert_int_equal(hand_conn(&h)->sndq.len_bytes, 4500);
        assert_in_range(sent, 4 * 1000, 4500);
        assert_null(la_check(h.s));
        hand_free(&h);
    }
}

TEST(more_than_was_reserved_can_not_be_committed)
{
    struct hand h = start(false);
    struct la_span spans[2];
    uint32_t count;

    assert_int_equal(la_send_commit(h.s, h.now, h.conn, 1, 0), LA_EINVAL);
    assert_int_equal(reserve(&h, 100, spans, 2, &count), 100);
    assert_int_equal(la_send_commit(h.s, h.now, h.conn, 101, 0), LA_EINVAL);
    assert_int_equal(la_send_commit(h.s, h.now, h.conn, 100, 0), LA_OK);
    assert_int_equal(la_send_commit(h.s, h.now, h.conn, 1, 0), LA_EINVAL); /* once */
    assert_int_equal(la_send_commit(h.s, h.now, h.conn, 0, 0x80), LA_EINVAL);
    hand_free(&h);
}

TEST(a_reservation_that_ended_with_what_was_before_it_can_not_be_committed)
{
    for (uint32_t first = 10; first <= 3000; first += 998) {
        struct hand h = start(false);
        struct la_span spans[4];
        struct tcp_seg seg;
        static uint8_t bytes[3000];
        uint32_t count;

        assert_int_equal(la_set_option(h.s, h.now, h.conn, LA_OPT_NODELAY, 1), LA_OK);
        assert_int_equal(la_send(h.s, h.now, h.conn, bytes, first, 0), first);
        hand_drain(&h);
        assert_true(reserve(&h, 3000, spans, 4, &count) > 0);
        struct tcp_seg ack = {
            .flags = TCP_ACK, .seq = seq_add(h.irs, 1), .ack = hand_conn(&h)->snd.nxt, .wnd = 65535
        };
        hand_rx_seg(&h, &ack); /* all is acknowledged: the queue is empty */
        assert_null(la_check(h.s));
        assert_int_equal(la_send_commit(h.s, h.now, h.conn, 100, 0), LA_EINVAL);
        assert_false(hand_tx_seg(&h, &seg));
        assert_null(la_check(h.s));
        assert_int_equal(la_send(h.s, h.now, h.conn, "abc", 3, 0), 3);
        assert_true(hand_tx_seg(&h, &seg));
        assert_int_equal(seg.len, 3);
        hand_free(&h);
    }
}

TEST(a_second_reservation_replaces_the_first_and_a_copying_send_ends_it)
{
    struct hand h = start(false);
    struct la_span spans[4];
    uint32_t count;

    assert_int_equal(reserve(&h, 5000, spans, 4, &count), 5000);
    const uint32_t held = la_table_use(h.s, LA_TABLE_CHUNKS).used;
    assert_int_equal(reserve(&h, 100, spans, 4, &count), 100);
    assert_true(la_table_use(h.s, LA_TABLE_CHUNKS).used <= held);
    assert_int_equal(la_send_commit(h.s, h.now, h.conn, 101, 0), LA_EINVAL);
    assert_int_equal(la_send(h.s, h.now, h.conn, "abc", 3, 0), 3);
    assert_int_equal(hand_conn(&h)->sndq.len_bytes, 3);
    assert_int_equal(la_send_commit(h.s, h.now, h.conn, 1, 0), LA_EINVAL);
    assert_int_equal(la_table_use(h.s, LA_TABLE_CHUNKS).used, 1);
    assert_null(la_check(h.s));
    hand_free(&h);
}

TEST(nothing_wanted_or_no_room_for_spans_is_an_argument_out_of_range)
{
    struct hand h = start(false);
    struct la_span spans[1];
    struct la_cspan cspans[1];
    uint32_t count = 7;

    assert_int_equal(reserve(&h, 0, spans, 1, &count), LA_EINVAL);
    assert_int_equal(count, 0);
    assert_int_equal(reserve(&h, 5, spans, 0, &count), LA_EINVAL);
    assert_int_equal(la_recv_peek(h.s, h.now, h.conn, cspans, 0, &count), LA_EINVAL);
    hand_free(&h);
}

TEST(the_send_buffer_bounds_what_is_taken_and_its_room_is_told)
{
    struct hand h = start(false);
    static uint8_t bytes[10000];
    struct la_event e[4];

    assert_int_equal(la_set_option(h.s, h.now, h.conn, LA_OPT_SNDBUF, 4000), LA_OK);
    (void)la_events(h.s, e, 4);
    assert_int_equal(la_send(h.s, h.now, h.conn, bytes, 10000, 0), 4000);
    assert_int_equal(la_send(h.s, h.now, h.conn, bytes, 1, 0), LA_EAGAIN);
    assert_false(la_ready(h.s, h.conn) & LA_WRITABLE);
    hand_drain(&h);
    assert_int_equal(la_events(h.s, e, 4), 0);
    hand_rx(&h, "ACK rcv 1 snd 1001 wnd 65535");
    assert_int_equal(la_events(h.s, e, 4), 0); /* three quarters are taken still */
    hand_rx(&h, "ACK rcv 1 snd 2001 wnd 65535");
    assert_int_equal(la_events(h.s, e, 4), 1);
    assert_true(e[0].mask & LA_WRITABLE);
    assert_int_equal(la_send(h.s, h.now, h.conn, bytes, 10000, 0), 2000);
    hand_free(&h);
}

TEST(an_empty_pool_says_later_and_whoever_met_it_is_told)
{
    struct la_config config;
    struct hand h;
    struct la_event e[4];
    static uint8_t bytes[4000];

    hand_config(&config);
    config.chunks = 6;
    config.reserve_chunks = 2;
    config.chunk_bytes = 512;
    hand_new(&h, &(struct hand_opt){ .config = &config });
    hand_establish(&h, NULL);
    (void)la_events(h.s, e, 4);
    assert_int_equal(la_send(h.s, h.now, h.conn, bytes, 4000, 0), 3 * 496); /* 4, less a quarter */
    assert_int_equal(la_send(h.s, h.now, h.conn, bytes, 1, 0), LA_EAGAIN);
    assert_int_equal(la_events(h.s, e, 4), 0);
    assert_false(la_ready(h.s, h.conn) & LA_WRITABLE);
    hand_drain(&h);
    hand_rx(&h, "ACK rcv 1 snd 497 wnd 65535");
    assert_int_equal(la_events(h.s, e, 4), 1);
    assert_true(e[0].mask & LA_WRITABLE);
    assert_int_equal(la_send(h.s, h.now, h.conn, bytes, 4000, 0), 496);
    assert_null(la_check(h.s));
    hand_free(&h);
}

TEST(spans_show_received_bytes_in_order_and_consume_drops_them)
{
    for (int v6 = 0; v6 < 2; v6++) {
        struct hand h = start(v6);
        struct la_cspan spans[8];
        uint32_t count;

        assert_int_equal(la_recv_peek(h.s, h.now, h.conn, spans, 8, &count), LA_EAGAIN);
        for (uint32_t i = 0; i < 4; i++) {
            struct tcp_seg seg = { .flags = TCP_ACK,
                                   .seq = seq_add(h.irs, 1 + i * 1000),
                                   .ack = seq_add(h.iss, 1),
                                   .wnd = 65535,
                                   .len = 1000 };
            hand_rx_seg(&h, &seg);
        }
        for (uint32_t at = 0; at < 4000; at += 800) {
            uint32_t k = at;

            assert_int_equal(la_recv_peek(h.s, h.now, h.conn, spans, 8, &count), 4000 - at);
            for (uint32_t i = 0; i < count; i++)
                for (uint32_t b = 0; b < spans[i].len_bytes; b++)
                    assert_int_equal(spans[i].bytes[b], hand_byte(k++));
            assert_int_equal(k, 4000);
            assert_int_equal(la_recv_consume(h.s, h.now, h.conn, 4001 - at), LA_EINVAL);
            assert_int_equal(la_recv_consume(h.s, h.now, h.conn, 800), LA_OK);
        }
        assert_int_equal(la_recv_peek(h.s, h.now, h.conn, spans, 8, &count), LA_EAGAIN);
        assert_int_equal(la_recv_consume(h.s, h.now, h.conn, 0), LA_OK);
        hand_free(&h);
    }
}

TEST(receive_says_later_end_of_stream_or_the_error)
{
    struct hand h = start(false);
    uint8_t byte;

    assert_int_equal(la_recv(h.s, h.now, h.conn, &byte, 1), LA_EAGAIN);
    hand_rx(&h, "FIN ACK rcv 1 snd 1 len 1 wnd 65535");
    assert_int_equal(la_recv(h.s, h.now, h.conn, &byte, 1), 1);
    assert_int_equal(la_recv(h.s, h.now, h.conn, &byte, 1), 0);
    assert_int_equal(la_recv(h.s, h.now, h.conn, &byte, 1), 0);
    hand_free(&h);

    h = start(false);
    assert_int_equal(la_shutdown(h.s, h.now, h.conn, LA_SHUT_RD), LA_OK);
    assert_int_equal(la_recv(h.s, h.now, h.conn, &byte, 1), 0);
    hand_free(&h);

    hand_new(&h, NULL);
    hand_open(&h);
    assert_int_equal(la_recv(h.s, h.now, h.conn, &byte, 1), LA_EAGAIN);
    hand_free(&h);
}

TEST(text_given_before_the_handshake_is_queued_and_follows_it)
{
    struct hand h;
    struct tcp_seg seg;

    hand_new(&h, NULL);
    hand_open(&h);
    assert_int_equal(la_send(h.s, h.now, h.conn, "hello", 5, 0), 5);
    assert_true(hand_tx_seg(&h, &seg));
    assert_int_equal(seg.len, 0);
    assert_false(hand_tx_seg(&h, &seg));
    hand_rx(&h, "SYN ACK rcv 0 snd 1 wnd 1000 mss 1460");
    assert_true(hand_tx_seg(&h, &seg));
    assert_int_equal(seg.len, 5);
    assert_memory_equal(seg.text, "hello", 5);
    hand_free(&h);
}

TEST(nothing_can_be_sent_behind_a_fin_or_on_a_stale_handle)
{
    struct hand h = start(false);
    struct la_span spans[1];
    uint32_t count;

    assert_int_equal(la_shutdown(h.s, h.now, h.conn, LA_SHUT_WR), LA_OK);
    assert_int_equal(la_send(h.s, h.now, h.conn, "x", 1, 0), LA_EPIPE);
    assert_int_equal(reserve(&h, 1, spans, 1, &count), LA_EPIPE);
    assert_int_equal(la_close(h.s, h.now, h.conn), LA_OK);
    assert_int_equal(la_send(h.s, h.now, h.conn, "x", 1, 0), LA_EBADHANDLE);
    assert_int_equal(reserve(&h, 1, spans, 1, &count), LA_EBADHANDLE);
    assert_int_equal(la_send_commit(h.s, h.now, h.conn, 0, 0), LA_EBADHANDLE);
    assert_int_equal(la_recv_consume(h.s, h.now, h.conn, 0), LA_EBADHANDLE);
    hand_free(&h);
}

TEST(a_send_on_what_was_reset_with_text_in_flight_is_an_error_under_low_water_too)
{
    static const uint8_t bytes[5000];
    struct la_span spans[4];
    uint32_t count;
    struct hand h;

    hand_new(&h, NULL);
    hand_establish(&h, NULL);
    assert_int_equal(la_set_option(h.s, h.now, h.conn, LA_OPT_NOTSENT_LOWAT, 1000), LA_OK);
    assert_true(la_send(h.s, h.now, h.conn, bytes, sizeof bytes, 0) > 0);
    hand_drain(&h);
    hand_rx(&h, "RST rcv 1");
    assert_int_equal(la_send(h.s, h.now, h.conn, bytes, sizeof bytes, 0), LA_ECONNRESET);
    assert_int_equal(la_send_reserve(h.s, h.now, h.conn, 100, spans, 4, &count), LA_ECONNRESET);
    hand_free(&h);
}

TEST_MAIN
