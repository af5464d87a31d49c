/* SPDX-License-Identifier: MIT */
/* calls_close_test.c - CLOSE, half-close and ABORT (RFC 9293 3.10.4, 3.10.5). */
#include "tests/unit/base_test.h"
#include "tests/unit/hand.h"

static struct hand start(bool v6)
{
    struct hand h;

    hand_new(&h, &(struct hand_opt){ .v6 = v6, .iss = 0x7ffffffd, .irs = 0xffffffff });
    hand_establish(&h, NULL);
    return h;
}

TEST(close_sends_what_was_taken_and_a_fin_behind_it)
{
    for (int v6 = 0; v6 < 2; v6++) {
        struct hand h = start(v6);
        struct tcp_seg seg;

        assert_int_equal(la_send(h.s, h.now, h.conn, "bye", 3, 0), 3);
        assert_int_equal(la_close(h.s, h.now, h.conn), LA_OK);
        assert_int_equal(la_close(h.s, h.now, h.conn), LA_EBADHANDLE); /* at once */
        assert_true(hand_tx_seg(&h, &seg));
        assert_int_equal(seg.flags & (TCP_FIN | TCP_ACK | TCP_RST), TCP_FIN | TCP_ACK);
        assert_int_equal(seg.len, 3);
        assert_false(hand_tx_seg(&h, &seg));
        assert_null(la_check(h.s));
        hand_free(&h);
    }
}

TEST(close_with_unread_bytes_resets_the_peer)
{
    struct hand h = start(false);
    struct tcp_seg seg;

    hand_rx(&h, "ACK rcv 1 snd 1 len 5 wnd 1000");
    hand_drain(&h);
    assert_int_equal(la_close(h.s, h.now, h.conn), LA_OK);
    assert_true(hand_tx_seg(&h, &seg));
    assert_true(seg.flags & TCP_RST);
    assert_int_equal(h.t->conns.used, 0);
    assert_int_equal(la_counter(h.s, LA_COUNT_TCPAbortOnClose), 1);
    hand_free(&h);

    h = start(false); /* but not when reading was given up: those bytes are gone */
    hand_rx(&h, "ACK rcv 1 snd 1 len 5 wnd 1000");
    assert_int_equal(la_shutdown(h.s, h.now, h.conn, LA_SHUT_RD), LA_OK);
    hand_drain(&h);
    assert_int_equal(la_close(h.s, h.now, h.conn), LA_OK);
    assert_true(hand_tx_seg(&h, &seg));
    assert_int_equal(seg.flags & (TCP_RST | TCP_FIN), TCP_FIN);
    hand_free(&h);
}

TEST(text_that_arrives_after_close_is_answered_with_a_reset)
{
    struct hand h = start(false);
    struct tcp_seg seg;

    assert_int_equal(la_close(h.s, h.now, h.conn), LA_OK);
    hand_drain(&h);
    hand_rx(&h, "ACK rcv 1 snd 1 len 5 wnd 1000");
    assert_true(hand_tx_seg(&h, &seg));
    assert_true(seg.flags & TCP_RST);
    assert_int_equal(h.t->conns.used, 0);
    assert_int_equal(la_counter(h.s, LA_COUNT_TCPAbortOnData), 1);
    hand_free(&h);
}

TEST(half_close_keeps_the_other_direction_open)
{
    struct hand h = start(false);
    uint8_t byte;

    assert_int_equal(la_shutdown(h.s, h.now, h.conn, LA_SHUT_WR), LA_OK);
    assert_int_equal(la_shutdown(h.s, h.now, h.conn, LA_SHUT_WR), LA_OK); /* already done */
    assert_int_equal(hand_drain(&h), 1);
    hand_rx(&h, "ACK rcv 1 snd 2 wnd 1000");
    assert_int_equal(hand_state(&h), LA_FIN_WAIT_2);
    hand_wait(&h, 3600 * NS_PER_S); /* held, it may last */
    hand_rx(&h, "ACK rcv 1 snd 2 len 1 wnd 1000");
    assert_int_equal(la_recv(h.s, h.now, h.conn, &byte, 1), 1);
    hand_rx(&h, "FIN ACK rcv 2 snd 2 wnd 1000");
    assert_int_equal(la_recv(h.s, h.now, h.conn, &byte, 1), 0);
    assert_true(la_ready(h.s, h.conn) & LA_HANGUP);
    hand_free(&h);
}

TEST(shutdown_asks_for_a_direction_and_an_open_connection)
{
    struct hand h = start(false);

    assert_int_equal(la_shutdown(h.s, h.now, h.conn, 0), LA_EINVAL);
    assert_int_equal(la_shutdown(h.s, h.now, h.conn, 8), LA_EINVAL);
    hand_rx(&h, "RST rcv 1");
    assert_int_equal(la_shutdown(h.s, h.now, h.conn, LA_SHUT_WR), LA_ENOTCONN);
    hand_free(&h);
    hand_new(&h, NULL);
    hand_open(&h);
    assert_int_equal(la_shutdown(h.s, h.now, h.conn, LA_SHUT_WR), LA_ENOTCONN);
    hand_free(&h);
}

TEST(the_fin_of_each_state_leads_where_the_rfc_says)
{
    struct hand h = start(false);

    assert_int_equal(la_shutdown(h.s, h.now, h.conn, LA_SHUT_WR), LA_OK);
    assert_int_equal(hand_state(&h), LA_FIN_WAIT_1);
    hand_free(&h);
    h = start(false);
    hand_rx(&h, "FIN ACK rcv 1 snd 1 wnd 1000");
    assert_int_equal(hand_state(&h), LA_CLOSE_WAIT);
    assert_int_equal(la_shutdown(h.s, h.now, h.conn, LA_SHUT_WR), LA_OK);
    assert_int_equal(hand_state(&h), LA_LAST_ACK);
    hand_drain(&h);
    hand_rx(&h, "ACK rcv 2 snd 2 wnd 1000");
    assert_int_equal(hand_state(&h), LA_CLOSED);
    assert_int_equal(la_conn_error(h.s, h.conn, NULL), LA_OK);
    hand_free(&h);
}

TEST(a_close_before_the_handshake_forgets_the_opening)
{
    struct hand h;

    hand_new(&h, NULL);
    hand_open(&h);
    hand_drain(&h);
    assert_int_equal(la_close(h.s, h.now, h.conn), LA_OK);
    assert_int_equal(h.t->conns.used, 0);
    assert_int_equal(hand_drain(&h), 0); /* no reset: there is nothing to reset */
    assert_int_equal(la_deadline(h.s).ns, UINT64_MAX);
    hand_free(&h);
}

TEST(a_close_in_syn_received_waits_for_the_handshake)
{
    struct hand h;
    struct tcp_seg seg;

    hand_new(&h, NULL);
    hand_open(&h);
    hand_drain(&h);
    hand_rx(&h, "SYN rcv 0 wnd 1000 mss 1460");
    hand_drain(&h);
    assert_int_equal(hand_state(&h), LA_SYN_RECEIVED);
    assert_int_equal(la_close(h.s, h.now, h.conn), LA_OK);
    assert_int_equal(hand_drain(&h), 0);
    hand_rx(&h, "ACK rcv 1 snd 1 wnd 1000");
    assert_true(hand_tx_seg(&h, &seg));
    assert_true(seg.flags & TCP_FIN);
    hand_free(&h);
}

TEST(abort_resets_every_synchronized_state_and_forgets_the_rest)
{
    struct hand h = start(false);
    struct tcp_seg seg;

    assert_int_equal(la_send(h.s, h.now, h.conn, "abc", 3, 0), 3);
    assert_int_equal(la_abort(h.s, h.now, h.conn), LA_OK);
    assert_true(hand_tx_seg(&h, &seg));
    assert_true(seg.flags & TCP_RST);
    assert_true(seq_eq(seg.seq, seq_add(h.iss, 1)));
    assert_int_equal(h.t->conns.used, 0);
    assert_int_equal(la_table_use(h.s, LA_TABLE_CHUNKS).used, 0);
    assert_int_equal(la_abort(h.s, h.now, h.conn), LA_EBADHANDLE);
    hand_free(&h);

    hand_new(&h, NULL);
    hand_open(&h);
    hand_drain(&h);
    assert_int_equal(la_abort(h.s, h.now, h.conn), LA_OK);
    assert_int_equal(hand_drain(&h), 0);
    hand_free(&h);
}

TEST(a_reservation_ends_with_close_and_its_chunks_come_back)
{
    struct hand h = start(false);
    struct la_span spans[4];
    uint32_t count;

    assert_int_equal(la_send_reserve(h.s, h.now, h.conn, 5000, spans, 4, &count), 5000);
    assert_int_equal(la_close(h.s, h.now, h.conn), LA_OK);
    assert_int_equal(la_table_use(h.s, LA_TABLE_CHUNKS).used, 0);
    assert_null(la_check(h.s));
    hand_free(&h);
}

TEST_MAIN
