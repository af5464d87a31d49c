/* SPDX-License-Identifier: MIT */
/* ready_test.c - Readiness is a function of state, and every change of it is told once. */
#include "tests/unit/base_test.h"
#include "tests/unit/hand.h"

static struct la_event events[8];

static uint32_t take(struct hand *h)
{
    return la_events(h->s, events, 8);
}

TEST(each_state_has_its_mask)
{
    struct hand h;

    hand_new(&h, NULL);
    hand_open(&h);
    assert_int_equal(la_ready(h.s, h.conn), 0);
    hand_drain(&h);
    hand_rx(&h, "SYN ACK rcv 0 snd 1 wnd 1000 mss 1460");
    assert_int_equal(la_ready(h.s, h.conn), LA_CONNECTED | LA_WRITABLE);
    hand_rx(&h, "ACK rcv 1 snd 1 len 1 wnd 1000");
    assert_int_equal(la_ready(h.s, h.conn), LA_CONNECTED | LA_WRITABLE | LA_READABLE);
    hand_rx(&h, "FIN ACK rcv 2 snd 1 wnd 1000");
    assert_int_equal(la_ready(h.s, h.conn),
                     LA_CONNECTED | LA_WRITABLE | LA_READABLE | LA_PEER_CLOSED);
    hand_rx(&h, "RST rcv 3");
    assert_int_equal(la_ready(h.s, h.conn), LA_CONNECTED | LA_WRITABLE | LA_READABLE |
                                                LA_PEER_CLOSED | LA_ERROR_SET | LA_HANGUP);
    assert_int_equal(la_close(h.s, h.now, h.conn), LA_OK);
    assert_int_equal(la_ready(h.s, h.conn), 0);
    hand_free(&h);
}

TEST(a_connection_stands_once_on_the_list_whatever_happened_to_it)
{
    struct hand h;

    hand_new(&h, NULL);
    hand_establish(&h, NULL);
    hand_rx(&h, "ACK rcv 1 snd 1 len 1 wnd 1000");
    hand_rx(&h, "ACK rcv 2 snd 1 len 1 wnd 1000");
    hand_rx(&h, "FIN ACK rcv 3 snd 1 wnd 1000");
    assert_int_equal(take(&h), 1);
    assert_int_equal(events[0].kind, LA_EVENT_CONN);
    assert_int_equal(events[0].conn.bits, h.conn.bits);
    assert_int_equal(events[0].user, 9);
    assert_int_equal(events[0].mask, la_ready(h.s, h.conn));
    assert_int_equal(take(&h), 0);
    hand_free(&h);
}

TEST(new_bytes_are_news_though_the_mask_is_the_same)
{
    struct hand h;

    hand_new(&h, NULL);
    hand_establish(&h, NULL);
    hand_rx(&h, "ACK rcv 1 snd 1 len 1 wnd 1000");
    assert_int_equal(take(&h), 1);
    hand_rx(&h, "ACK rcv 2 snd 1 len 1 wnd 1000");
    assert_int_equal(take(&h), 1);
    hand_rx(&h, "ACK rcv 3 snd 1 wnd 999"); /* nothing an application could see */
    assert_int_equal(take(&h), 0);
    hand_free(&h);
}

static uint64_t unsent(struct hand *h)
{
    struct la_conn_info info;

    assert_int_equal(la_conn_info(h->s, h->conn, &info), LA_OK);
    return info.snd_queued_bytes - (info.snd_nxt - info.snd_una);
}

/* TCP_NOTSENT_LOWAT: both limits, and the event when what is unsent has been sent. */
TEST(a_connection_is_writable_while_less_than_half_of_the_low_water_mark_is_unsent)
{
    static uint8_t bytes[50000];
    struct hand h;

    hand_new(&h, NULL);
    hand_establish(&h, NULL);
    hand_rx(&h, "ACK rcv 1 snd 1 wnd 5000");
    assert_int_equal(la_set_option(h.s, h.now, h.conn, LA_OPT_NOTSENT_LOWAT, 8000), LA_OK);
    assert_int_equal(la_send(h.s, h.now, h.conn, bytes, 3999, 0), 3999);
    assert_true(la_ready(h.s, h.conn) & LA_WRITABLE);
    assert_int_equal(la_send(h.s, h.now, h.conn, bytes, 1, 0), 1);
    assert_false(la_ready(h.s, h.conn) & LA_WRITABLE);
    while (take(&h) > 0)
        continue;
    assert_int_equal(take(&h), 0);
    hand_drain(&h); /* all of it goes out, and nothing has been acknowledged */
    assert_int_equal(unsent(&h), 0);
    assert_int_equal(take(&h), 1);
    assert_true(events[0].mask & LA_WRITABLE);

    /* A send is refused only when that much is unsent, and takes whole segments. */
    assert_int_equal(la_send(h.s, h.now, h.conn, bytes, sizeof bytes, 0), 6 * 1460);
    assert_int_equal(la_send(h.s, h.now, h.conn, bytes, 1, 0), LA_EAGAIN);
    while (take(&h) > 0)
        continue;
    hand_drain(&h);
    assert_int_equal(unsent(&h), 6 * 1460); /* the window is full */
    assert_int_equal(take(&h), 0);
    hand_rx(&h, "ACK rcv 1 snd 4001 wnd 8760");
    assert_int_equal(take(&h), 0); /* acknowledged is not sent */
    hand_drain(&h);
    assert_int_equal(take(&h), 1);
    assert_true(events[0].mask & LA_WRITABLE);
    assert_null(la_check(h.s));
    hand_free(&h);
}

TEST(without_a_low_water_mark_the_sysctl_says_it_for_connections_that_are_new)
{
    static uint8_t bytes[9000];
    struct hand h;
    uint64_t value;

    hand_new(&h, NULL);
    assert_int_equal(la_sysctl_set(h.s, "net.ipv4.tcp_notsent_lowat", 2000), LA_OK);
    hand_establish(&h, NULL);
    assert_int_equal(la_get_option(h.s, h.conn, LA_OPT_NOTSENT_LOWAT, &value), LA_OK);
    assert_int_equal(value, 2000);
    assert_int_equal(la_send(h.s, h.now, h.conn, bytes, sizeof bytes, 0), 2 * 1460);
    assert_int_equal(la_sysctl_set(h.s, "net.ipv4.tcp_notsent_lowat", UINT32_MAX), LA_OK);
    assert_int_equal(la_send(h.s, h.now, h.conn, bytes, sizeof bytes, 0), LA_EAGAIN);
    assert_int_equal(la_set_option(h.s, h.now, h.conn, LA_OPT_NOTSENT_LOWAT, 0), LA_OK);
    assert_int_equal(la_send(h.s, h.now, h.conn, bytes, sizeof bytes, 0), sizeof bytes);
    hand_free(&h);
}

TEST(a_large_low_water_mark_is_kept_in_units_of_8_kib)
{
    static const uint64_t marks[][2] = {
        { 131071, 131071 },         { 131072, 131072 },         { 131073, 139264 },
        { 1073733631, 1073733632 }, { 1073733632, 1073733632 },
    };
    struct hand h;

    hand_new(&h, NULL);
    hand_establish(&h, NULL);
    for (uint32_t i = 0; i < 5; i++) {
        uint64_t value;

        assert_int_equal(la_set_option(h.s, h.now, h.conn, LA_OPT_NOTSENT_LOWAT, marks[i][0]),
                         LA_OK);
        assert_int_equal(la_get_option(h.s, h.conn, LA_OPT_NOTSENT_LOWAT, &value), LA_OK);
        assert_int_equal(value, marks[i][1]);
    }
    hand_free(&h);
}

TEST(those_with_news_come_in_the_order_of_their_news_and_as_many_as_asked_for)
{
    struct hand h;
    la_conn_id id[6];

    hand_new(&h, NULL);
    for (uint16_t i = 0; i < 6; i++) {
        h.rport = (uint16_t)(5000 + i);
        hand_establish(&h, NULL);
        id[i] = h.conn;
    }
    while (take(&h) > 0)
        continue;
    for (uint16_t i = 0; i < 6; i++) {
        h.rport = (uint16_t)(5005 - i);
        hand_rx(&h, "ACK rcv 1 snd 1 len 1 wnd 1000");
    }
    assert_int_equal(la_events(h.s, events, 4), 4);
    for (uint32_t i = 0; i < 4; i++)
        assert_int_equal(events[i].conn.bits, id[5 - i].bits);
    assert_int_equal(la_close(h.s, h.now, id[1]), LA_OK); /* its news is gone with it */
    assert_int_equal(take(&h), 1);
    assert_int_equal(events[0].conn.bits, id[0].bits);
    assert_null(la_check(h.s));
    hand_free(&h);
}

TEST(a_connection_nobody_holds_tells_nothing)
{
    struct hand h;

    hand_new(&h, NULL);
    hand_establish(&h, NULL);
    assert_int_equal(la_close(h.s, h.now, h.conn), LA_OK);
    hand_drain(&h);
    hand_rx(&h, "ACK rcv 1 snd 2 wnd 1000");
    hand_rx(&h, "FIN ACK rcv 1 snd 2 wnd 1000");
    assert_int_equal(take(&h), 0);
    hand_free(&h);
}

TEST(those_who_met_an_empty_pool_are_told_in_turn_as_chunks_come_back)
{
    struct la_config config;
    struct hand h;
    static uint8_t bytes[3000];
    la_conn_id id[3];

    hand_config(&config);
    config.chunks = 4;
    config.reserve_chunks = 1;
    config.chunk_bytes = 512;
    hand_new(&h, &(struct hand_opt){ .config = &config });
    for (uint16_t i = 0; i < 3; i++) {
        h.rport = (uint16_t)(5000 + i);
        hand_establish(&h, NULL);
        id[i] = h.conn;
    }
    while (take(&h) > 0)
        continue;
    assert_int_equal(la_send(h.s, h.now, id[0], bytes, 1400, 0), 1400); /* all three chunks */
    assert_int_equal(la_send(h.s, h.now, id[1], bytes, 100, 0), LA_EAGAIN);
    assert_int_equal(la_send(h.s, h.now, id[2], bytes, 100, 0), LA_EAGAIN);
    assert_int_equal(take(&h), 0);
    assert_null(la_check(h.s));
    hand_drain(&h);
    h.rport = 5000;
    hand_rx(&h, "ACK rcv 1 snd 497 wnd 65535"); /* one chunk */
    assert_int_equal(take(&h), 1);
    assert_int_equal(events[0].conn.bits, id[1].bits);
    assert_int_equal(la_send(h.s, h.now, id[1], bytes, 100, 0), 100);
    hand_rx(&h, "ACK rcv 1 snd 1401 wnd 65535");
    assert_in_range(take(&h), 1, 2);
    assert_int_equal(la_send(h.s, h.now, id[2], bytes, 100, 0), 100);
    assert_null(la_check(h.s));
    hand_free(&h);
}

TEST(urgent_data_is_announced)
{
    struct hand h;

    hand_new(&h, NULL);
    hand_establish(&h, NULL);
    (void)take(&h);
    hand_rx(&h, "ACK rcv 1 snd 1 len 3 wnd 1000 urg 2");
    assert_int_equal(take(&h), 1);
    assert_true(events[0].mask & LA_URGENT);
    hand_free(&h);
}

TEST_MAIN
