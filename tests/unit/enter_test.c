/* SPDX-License-Identifier: MIT */
/* enter_test.c - States change along legal edges only; how connections begin and end. */
#include "tests/unit/base_test.h"
#include "tests/unit/hand.h"

/* RFC 9293 figure 5, and that every state may end. */
static bool legal(enum la_state from, enum la_state to)
{
    static const uint8_t edges[][2] = {
        { LA_CLOSED, LA_SYN_SENT },        { LA_SYN_SENT, LA_SYN_RECEIVED },
        { LA_SYN_SENT, LA_ESTABLISHED },   { LA_SYN_RECEIVED, LA_ESTABLISHED },
        { LA_ESTABLISHED, LA_FIN_WAIT_1 }, { LA_ESTABLISHED, LA_CLOSE_WAIT },
        { LA_FIN_WAIT_1, LA_FIN_WAIT_2 },  { LA_FIN_WAIT_1, LA_CLOSING },
        { LA_FIN_WAIT_2, LA_TIME_WAIT },   { LA_CLOSING, LA_TIME_WAIT },
        { LA_CLOSE_WAIT, LA_LAST_ACK },
    };

    if (to == LA_CLOSED)
        return from != LA_CLOSED && from != LA_LISTEN;
    for (uint32_t i = 0; i < LA_COUNT_OF(edges); i++)
        if (edges[i][0] == from && edges[i][1] == to)
            return true;
    return false;
}

TEST(each_of_the_121_edges_is_taken_or_refused_as_the_figure_says)
{
    for (uint8_t from = 0; from < LA_STATES; from++)
        for (uint8_t to = 0; to < LA_STATES; to++) {
            struct hand h;

            hand_new(&h, NULL);
            hand_establish(&h, NULL);
            struct tcp_conn *c = hand_conn(&h);
            c->state = from;
            if (legal((enum la_state)from, (enum la_state)to)) {
                tcp_enter(h.t, c, (enum la_state)to);
                assert_int_equal(c->state, to);
                assert_int_equal(c->state_since, tcp_coarse(h.t));
            } else {
                expect_assert_failure(tcp_enter(h.t, c, (enum la_state)to));
                assert_int_equal(c->state, from);
            }
            hand_free(&h);
        }
}

TEST(a_change_of_state_leaves_a_trace_record)
{
    struct hand h;
    struct la_trace r[64];
    uint64_t lost = 0;

    hand_new(&h, NULL);
    hand_establish(&h, NULL);
    (void)la_trace_read(h.s, r, 64, &lost);
    tcp_enter(h.t, hand_conn(&h), LA_CLOSE_WAIT);
    assert_int_equal(la_trace_read(h.s, r, 64, &lost), 1);
    assert_int_equal(r[0].kind, LA_TRACE_STATE);
    assert_int_equal(r[0].from, LA_ESTABLISHED);
    assert_int_equal(r[0].to, LA_CLOSE_WAIT);
    assert_int_equal(r[0].conn, h.conn.bits);
    hand_free(&h);
}

TEST(an_end_with_an_error_keeps_the_shell_and_what_was_received_for_its_holder)
{
    for (int v6 = 0; v6 < 2; v6++) {
        struct hand h;
        struct la_event events[4];
        enum la_drop reason;
        uint8_t byte;

        hand_new(&h, &(struct hand_opt){ .v6 = v6 });
        hand_establish(&h, NULL);
        assert_int_equal(la_send(h.s, h.now, h.conn, "abc", 3, 0), 3);
        hand_rx(&h, "ACK rcv 1 snd 1 len 1 wnd 1000");
        hand_rx(&h, "ACK rcv 9 snd 1 len 1 wnd 1000");
        (void)la_events(h.s, events, 4);
        hand_rx(&h, "RST rcv 2");
        assert_int_equal(la_conn_error(h.s, h.conn, &reason), LA_ECONNRESET);
        assert_int_equal(reason, LA_DROP_RESET);
        assert_int_equal(la_events(h.s, events, 4), 1);
        assert_int_equal(events[0].mask & (LA_ERROR_SET | LA_HANGUP), LA_ERROR_SET | LA_HANGUP);
        assert_int_equal(events[0].reason, LA_DROP_RESET);
        assert_int_equal(la_recv(h.s, h.now, h.conn, &byte, 1), 1);
        assert_int_equal(la_recv(h.s, h.now, h.conn, &byte, 1), LA_ECONNRESET);
        assert_int_equal(la_send(h.s, h.now, h.conn, "x", 1, 0), LA_ECONNRESET);
        assert_int_equal(la_table_use(h.s, LA_TABLE_CHUNKS).used, 0);
        assert_int_equal(h.t->index.entries, 0);
        assert_int_equal(la_deadline(h.s).ns, UINT64_MAX);
        assert_null(la_check(h.s));
        assert_int_equal(la_close(h.s, h.now, h.conn), LA_OK);
        assert_int_equal(h.t->conns.used, 0);
        hand_free(&h);
    }
}

TEST(an_end_that_nobody_waits_for_gives_the_slot_back_at_once)
{
    struct hand h;

    hand_new(&h, NULL);
    hand_establish(&h, NULL);
    assert_int_equal(la_send(h.s, h.now, h.conn, "abc", 3, 0), 3);
    assert_int_equal(la_close(h.s, h.now, h.conn), LA_OK);
    hand_rx(&h, "RST rcv 1");
    assert_int_equal(h.t->conns.used, 0);
    assert_null(la_check(h.s));
    hand_free(&h);
}

TEST(the_segment_size_follows_from_the_path_the_peer_the_application_and_the_options)
{
    static const struct {
        bool v6;
        uint32_t mtu;
        uint16_t peer, own;
        bool timestamps;
        uint16_t mss;
    } cases[] = {
        { false, 1500, 65535, 0, false, 1460 },
        { false, 1500, 65535, 0, true, 1448 },
        { true, 1500, 65535, 0, false, 1440 },
        { true, 1500, 65535, 0, true, 1428 },
        { false, 1500, 536, 0, false, 536 },
        { false, 1500, 1461, 0, false, 1460 },
        { false, 1500, 1459, 0, false, 1459 },
        { false, 1500, 1460, 1000, false, 1000 },
        { false, 1500, 0, 0, false, 216 },
        { false, 1500, 1, 0, true, 204 },
        { false, 576, 1460, 0, false, 536 },
        { true, 1280, 1440, 0, false, 1220 },
        { false, 65535, 65535, 0, false, 16 * 2032 }, /* the spans of one descriptor, less two */
    };

    for (uint32_t i = 0; i < LA_COUNT_OF(cases); i++) {
        struct hand h;

        hand_new(&h, &(struct hand_opt){ .v6 = cases[i].v6, .mtu_bytes = 65535 });
        hand_establish(&h, NULL);
        struct tcp_conn *c = hand_conn(&h);
        c->peer_mss = cases[i].peer;
        c->set.maxseg = cases[i].own;
        c->timestamps = cases[i].timestamps;
        conn_set_mss(h.t, c, cases[i].mtu);
        assert_int_equal(c->snd_mss, cases[i].mss);
        hand_free(&h);
    }
}

TEST(what_both_syns_offered_holds_and_nothing_else)
{
    static const struct {
        const char *syn;
        bool timestamps, sack;
        uint8_t snd_shift;
        bool scales;
        uint16_t peer_mss;
    } cases[] = {
        { "wnd 1000 mss 1400", false, false, 0, false, 1400 },
        { "wnd 1000 sackOK", false, true, 0, false, 536 },
        { "wnd 1000 mss 1400 wscale 0", false, false, 0, true, 1400 },
        { "wnd 1000 mss 1400 wscale 9", false, false, 9, true, 1400 },
        { "wnd 1000 mss 1400 wscale 14", false, false, 14, true, 1400 },
        { "wnd 1000 mss 1400 wscale 200", false, false, 14, true, 1400 },
    };

    for (uint32_t i = 0; i < LA_COUNT_OF(cases); i++) {
        struct hand h;

        hand_new(&h, NULL);
        hand_establish(&h, &(struct hand_opt){ .syn = cases[i].syn });
        const struct tcp_conn *c = hand_conn(&h);
        assert_int_equal(c->timestamps, cases[i].timestamps);
        assert_int_equal(c->sack, cases[i].sack);
        assert_int_equal(c->snd_shift, cases[i].snd_shift);
        assert_int_equal(c->rcv_shift > 0, cases[i].scales);
        assert_int_equal(c->peer_mss, cases[i].peer_mss);
        assert_int_equal(c->snd.wnd, 1000); /* never scaled on a SYN */
        hand_free(&h);
    }
}

TEST(our_syn_says_the_interfaces_mss_or_less_if_the_application_asks)
{
    struct hand h;
    struct tcp_settings set = { .maxseg = 0 };

    hand_new(&h, &(struct hand_opt){ .mtu_bytes = 9000 });
    assert_int_equal(conn_adv_mss(h.t, &set, 0, true), 8960);
    assert_int_equal(conn_adv_mss(h.t, &set, 0, false), 8940);
    set.maxseg = 1000;
    assert_int_equal(conn_adv_mss(h.t, &set, 0, true), 1000);
    set.maxseg = 9001;
    assert_int_equal(conn_adv_mss(h.t, &set, 0, true), 8960);
    hand_free(&h);
}

TEST(only_a_closed_connection_out_of_every_queue_is_released)
{
    struct hand h;

    hand_new(&h, NULL);
    hand_establish(&h, NULL);
    expect_assert_failure(conn_release(h.t, hand_ci(&h)));
    hand_free(&h);
}

TEST(no_smallest_mss_is_more_than_a_descriptor_can_point_at)
{
    static uint8_t text[1u << 16];
    struct hand h;

    hand_new(&h, NULL);
    assert_int_equal(la_sysctl_set(h.s, "net.ipv4.tcp_min_snd_mss", 65495), LA_OK);
    hand_establish(&h, NULL);
    hand_conn(&h)->snd.wnd = hand_conn(&h)->snd.max_wnd = hand_conn(&h)->cwnd = 1u << 20;
    assert_true(hand_conn(&h)->snd_mss <= (LA_TX_SPANS_MAX - 2) * chunks_payload(&h.t->env.chunks));
    assert_true(la_send(h.s, h.now, h.conn, text, sizeof text, 0) > 0);
    hand_drain(&h);
    assert_null(la_check(h.s));
    hand_free(&h);
}

TEST_MAIN
