/* SPDX-License-Identifier: MIT */
/*
 * quiet_test.c - Whatever state a connection is in: when its peer falls silent and its
 * application lets go, all it holds comes back, in finite time.
 *
 * Each way into a state is a few lines; then everything is released, time jumps from
 * deadline to deadline, what is sent vanishes, and at the end no table holds anything and
 * no deadline is left.
 */
#include "tests/unit/base_test.h"
#include "tests/unit/hand.h"

#define STEPS_MAX 400u

static void send_some(struct hand *h, uint32_t len)
{
    static uint8_t bytes[200000];
    const int64_t n = la_send(h->s, h->now, h->conn, bytes, len, 0);

    assert_true(n > 0);
}
static void shut(struct hand *h)
{
    assert_int_equal(la_shutdown(h->s, h->now, h->conn, LA_SHUT_WR), LA_OK);
}

/* Ways -------------------------------------------------------------------------------------- */

static void opened(struct hand *h)
{
    hand_open(h);
}
static void syn_sent(struct hand *h)
{
    hand_open(h);
    hand_drain(h);
}
static void syn_sent_with_text(struct hand *h)
{
    hand_open(h);
    send_some(h, 1000);
    hand_drain(h);
}
static void simultaneous(struct hand *h)
{
    syn_sent(h);
    hand_rx(h, "SYN rcv 0 wnd 65535 mss 1460");
}
static void simultaneous_closed(struct hand *h)
{
    syn_sent_with_text(h);
    hand_rx(h, "SYN rcv 0 wnd 65535 mss 1460");
    shut(h);
    hand_drain(h);
}
static void established(struct hand *h)
{
    hand_establish(h, NULL);
}
static void unsent(struct hand *h)
{
    established(h);
    send_some(h, 100000);
}
static void in_flight(struct hand *h)
{
    unsent(h);
    hand_drain(h);
}
static void unread(struct hand *h)
{
    established(h);
    hand_rx(h, "ACK rcv 1 snd 1 len 100 wnd 65535");
}
static void hole(struct hand *h)
{
    established(h);
    hand_rx(h, "ACK rcv 100 snd 1 len 100 wnd 65535");
    hand_rx(h, "FIN ACK rcv 300 snd 1 len 100 wnd 65535");
}
static void zero_window(struct hand *h)
{
    established(h);
    hand_rx(h, "ACK rcv 1 snd 1 wnd 0");
    send_some(h, 5000);
    hand_drain(h);
}
static void window_closed_on_flight(struct hand *h)
{
    in_flight(h);
    hand_rx(h, "ACK rcv 1 snd 1 wnd 0");
    hand_drain(h);
}
static void silly_window(struct hand *h)
{
    established(h);
    hand_rx(h, "ACK rcv 1 snd 1 wnd 100");
    send_some(h, 5000);
    hand_drain(h);
}
static void corked(struct hand *h)
{
    established(h);
    assert_int_equal(la_set_option(h->s, h->now, h->conn, LA_OPT_CORK, 1), LA_OK);
    send_some(h, 10);
    hand_drain(h);
}
static void keepalive(struct hand *h)
{
    established(h);
    assert_int_equal(la_set_option(h->s, h->now, h->conn, LA_OPT_KEEPALIVE, 1), LA_OK);
}
static void recovery(struct hand *h)
{
    in_flight(h);
    for (int i = 0; i < 3; i++)
        hand_rx(h, "ACK rcv 1 snd 1 wnd 65535");
    hand_drain(h);
}
static void after_rto(struct hand *h)
{
    in_flight(h);
    hand_next(h);
    hand_drain(h);
}
static void fin_wait_1(struct hand *h)
{
    established(h);
    shut(h);
    hand_drain(h);
}
static void fin_wait_1_unsent(struct hand *h)
{
    zero_window(h);
    shut(h);
    hand_drain(h);
}
static void fin_wait_2(struct hand *h)
{
    fin_wait_1(h);
    hand_rx(h, "ACK rcv 1 snd 2 wnd 65535");
}
static void fin_wait_2_unread(struct hand *h)
{
    fin_wait_2(h);
    hand_rx(h, "ACK rcv 1 snd 2 len 10 wnd 65535");
}
static void closing(struct hand *h)
{
    fin_wait_1(h);
    hand_rx(h, "FIN ACK rcv 1 snd 1 wnd 65535");
}
static void closing_window_closed(struct hand *h)
{
    fin_wait_1_unsent(h);
    hand_rx(h, "FIN ACK rcv 1 snd 1 wnd 0");
}
static void time_wait(struct hand *h)
{
    fin_wait_2(h);
    hand_rx(h, "FIN ACK rcv 1 snd 2 wnd 65535");
}
static void close_wait(struct hand *h)
{
    established(h);
    hand_rx(h, "FIN ACK rcv 1 snd 1 wnd 65535");
}
static void close_wait_in_flight(struct hand *h)
{
    in_flight(h);
    hand_rx(h, "FIN ACK rcv 1 snd 1 wnd 65535");
}
static void last_ack(struct hand *h)
{
    close_wait(h);
    shut(h);
    hand_drain(h);
}
static void last_ack_window_closed(struct hand *h)
{
    zero_window(h);
    hand_rx(h, "FIN ACK rcv 1 snd 1 wnd 0");
    shut(h);
    hand_drain(h);
}
static void reset_by_peer(struct hand *h)
{
    in_flight(h);
    hand_rx(h, "RST rcv 1");
}
static void half_open_one(struct hand *h)
{
    hand_listen(h);
    hand_rx(h, "SYN rcv 0 wnd 65535");
}
/* A SYN to a listener that is there; its SYN-ACK is lost. */
static void half_open_again(struct hand *h)
{
    struct tcp_flow f = { h->us, h->peer, h->lport, h->rport };

    hand_rx(h, "SYN rcv 0 wnd 65535");
    h->iss = half_at(h->t, tcp_lookup(h->t, &f, tcp_hash(h->t, &f)).value)->iss;
    hand_drain(h);
}
static void to_be_accepted(struct hand *h)
{
    hand_listen(h);
    half_open_again(h);
    hand_rx(h, "ACK rcv 1 snd 1 wnd 65535");
}
static void to_be_accepted_with_text_and_fin(struct hand *h)
{
    to_be_accepted(h);
    hand_rx(h, "FIN ACK rcv 1 snd 1 len 100 wnd 65535");
}
static void accepted(struct hand *h)
{
    struct la_accepted a;

    to_be_accepted(h);
    assert_int_equal(la_accept(h->s, h->now, h->listener, 0, &a), LA_OK);
    h->conn = a.conn;
}
static void reserved(struct hand *h)
{
    struct la_span spans[4];
    uint32_t count;

    established(h);
    assert_true(la_send_reserve(h->s, h->now, h->conn, 5000, spans, 4, &count) > 0);
}
static void pool_empty(struct hand *h)
{
    established(h);
    assert_int_equal(la_set_option(h->s, h->now, h->conn, LA_OPT_SNDBUF, 100000000), LA_OK);
    static uint8_t bytes[1 << 20];
    while (la_send(h->s, h->now, h->conn, bytes, sizeof bytes, 0) > 0)
        continue;
    hand_drain(h);
}

static void modern(struct hand *h)
{
    hand_establish(h, &(struct hand_opt){ .syn = "wnd 65535 mss 1460 sackOK wscale 7" });
    hand_conn(h)->srtt_us8 = 50000 * 8;
    hand_conn(h)->rto_us = 1000000;
}
static void tail_probe_out(struct hand *h)
{
    modern(h);
    send_some(h, 10000);
    hand_drain(h);
    hand_wait(h, 100 * NS_PER_MS);
    hand_rx(h, "ACK rcv 1 snd 8761 wnd 65535"); /* six segments of 1460; the tail is lost */
    for (uint32_t i = 0; i < 20 && !hand_conn(h)->tlp_out; i++) {
        hand_next(h);
        hand_drain(h);
    }
    assert_true(hand_conn(h)->tlp_out);
}
static void paced(struct hand *h)
{
    modern(h);
    assert_int_equal(la_set_option(h->s, h->now, h->conn, LA_OPT_MAX_PACING_RATE, 20000), LA_OK);
    send_some(h, 100000);
    hand_drain(h);
    hand_rx(h, "ACK rcv 1 snd 1461 wnd 65535");
    hand_rx(h, "ACK rcv 1 snd 10221 wnd 65535");
    hand_drain(h);
    assert_true(hand_conn(h)->pace_hold);
}
static void reordering_timer(struct hand *h)
{
    modern(h);
    send_some(h, 6000);
    hand_drain(h);
    hand_wait(h, 20 * NS_PER_MS);
    hand_rx(h, "ACK rcv 1 snd 1461 wnd 600");
    hand_rx(h, "ACK rcv 1 snd 1461 wnd 600 sack 2921:4381");
    hand_drain(h);
}
static void keepalive_unanswered(struct hand *h)
{
    keepalive(h);
    hand_wait(h, 7300 * NS_PER_S);
    assert_true(hand_conn(h)->ka_probes > 0);
    hand_drain(h);
}
static void delayed_ack(struct hand *h)
{
    established(h);
    hand_conn(h)->quick = 0;
    hand_rx(h, "ACK rcv 1 snd 1 len 100 wnd 65535");
    hand_rx(h, "ACK rcv 101 snd 1 len 1 wnd 65535");
}
static void user_timeout(struct hand *h)
{
    in_flight(h);
    assert_int_equal(la_set_option(h->s, h->now, h->conn, LA_OPT_USER_TIMEOUT, 600000), LA_OK);
}
static void linger2(struct hand *h)
{
    fin_wait_1(h);
    assert_int_equal(la_set_option(h->s, h->now, h->conn, LA_OPT_LINGER2, 3000), LA_OK);
    hand_rx(h, "ACK rcv 1 snd 2 wnd 65535");
}
static void cookie_given(struct hand *h)
{
    assert_int_equal(la_sysctl_set(h->s, "net.ipv4.tcp_syncookies", 2), LA_OK);
    hand_listen(h);
    hand_rx(h, "SYN rcv 0 wnd 65535 mss 1460");
}
static void cookie_came_back(struct hand *h)
{
    struct tcp_seg seg;

    cookie_given(h);
    assert_true(hand_tx_seg(h, &seg));
    h->iss = seg.seq;
    hand_rx(h, "ACK rcv 1 snd 1 wnd 65535");
    assert_int_equal(listener_at(h->t, 0)->accept_len, 1);
}
static void deferred(struct hand *h)
{
    hand_listen(h);
    assert_int_equal(la_listener_set_option(h->s, h->listener, LA_OPT_DEFER_ACCEPT, 100), LA_OK);
    half_open_again(h);
    hand_rx(h, "ACK rcv 1 snd 1 wnd 65535");
    assert_int_equal(listener_at(h->t, 0)->acked_len, 1);
}
static void no_room_to_accept(struct hand *h)
{
    hand_listen(h);
    assert_int_equal(la_listener_set_backlog(h->s, h->listener, 0), LA_OK);
    half_open_again(h);
    listener_at(h->t, 0)->accept_len++; /* somebody stands there */
    hand_rx(h, "ACK rcv 1 snd 1 wnd 65535");
    listener_at(h->t, 0)->accept_len--;
    assert_int_equal(listener_at(h->t, 0)->acked_len, 1);
}
static void parked_behind_a_syn(struct hand *h)
{
    time_wait(h);
    hand_listen(h);
    hand_drain(h);
    hand_rx(h, "SYN rcv 100000 wnd 65535");
    assert_int_equal(h->t->half4.used + h->t->half6.used, 1);
    assert_int_equal(h->t->short4.used + h->t->short6.used, 1);
}
static void parked_behind_our_syn(struct hand *h)
{
    const struct la_endpoint us = { h->us, h->lport }, peer = { h->peer, h->rport };

    hand_establish(h, &(struct hand_opt){ .syn = "wnd 65535 mss 1460 TS 5:0" });
    shut(h);
    hand_drain(h);
    hand_rx(h, "FIN ACK rcv 1 snd 2 wnd 65535 TS 5:0");
    hand_drain(h);
    assert_int_equal(la_close(h->s, h->now, h->conn), LA_OK);
    hand_wait(h, 2 * NS_PER_S);
    assert_int_equal(la_open(h->s, h->now, us, peer, 0, &h->conn), LA_OK);
    assert_true(hand_conn(h)->parks);
}

static const struct {
    const char *name;
    void (*go)(struct hand *h);
} ways[] = {
#define WAY(name)                                                                                  \
    {                                                                                              \
#name, name                                                                                \
    }
    WAY(opened),
    WAY(syn_sent),
    WAY(syn_sent_with_text),
    WAY(simultaneous),
    WAY(simultaneous_closed),
    WAY(established),
    WAY(unsent),
    WAY(in_flight),
    WAY(unread),
    WAY(hole),
    WAY(zero_window),
    WAY(window_closed_on_flight),
    WAY(silly_window),
    WAY(corked),
    WAY(keepalive),
    WAY(recovery),
    WAY(after_rto),
    WAY(fin_wait_1),
    WAY(fin_wait_1_unsent),
    WAY(fin_wait_2),
    WAY(fin_wait_2_unread),
    WAY(closing),
    WAY(closing_window_closed),
    WAY(time_wait),
    WAY(close_wait),
    WAY(close_wait_in_flight),
    WAY(last_ack),
    WAY(last_ack_window_closed),
    WAY(reset_by_peer),
    WAY(half_open_one),
    WAY(to_be_accepted),
    WAY(to_be_accepted_with_text_and_fin),
    WAY(accepted),
    WAY(reserved),
    WAY(pool_empty),
    WAY(tail_probe_out),
    WAY(paced),
    WAY(reordering_timer),
    WAY(keepalive_unanswered),
    WAY(delayed_ack),
    WAY(user_timeout),
    WAY(linger2),
    WAY(cookie_given),
    WAY(cookie_came_back),
    WAY(deferred),
    WAY(no_room_to_accept),
    WAY(parked_behind_a_syn),
    WAY(parked_behind_our_syn),
#undef WAY
};

/* The end ------------------------------------------------------------------------------------ */

/* Field by field: the shard is as one that has never met anybody. */
static const char *left_over(const struct hand *h)
{
    const struct tcp *t = h->t;
    const struct tcp_port_row *rows =
        (const struct tcp_port_row *)(const void *)((const uint8_t *)tcp_arena(t) +
                                                    t->port_rows.offset);

    for (uint32_t k = 0; k < LA_TABLES; k++)
        if (la_table_use(h->s, (enum la_table)k).used != 0)
            return la_table_name((enum la_table)k);
    for (uint32_t i = 0; i < LA_STATES; i++)
        if (i != LA_CLOSED && t->state_count[i] != 0)
            return "a count of a state";
    for (uint32_t i = 0; i < t->port_rows.count; i++)
        if (rows[i].records != 0 || rows[i].strict[0] != 0 || rows[i].strict[1] != 0 ||
            rows[i].strict[2] != 0)
            return "a port";
    for (uint32_t i = 0; i < TCP_HALF_CLASSES; i++)
        if (t->half_class[i].head != TCP_REF_NONE || t->half_class[i].len != 0)
            return "a list of half-open records";
    for (uint32_t i = 0; i < TCP_SHORT_CLASSES; i++)
        if (t->short_class[i].fifo.head != TCP_REF_NONE || t->short_class[i].fifo.len != 0)
            return "a list of short records";
    if (t->wheel.armed != 0)
        return "a timer";
    if (t->tx_head != SLAB_NONE || t->ready_head != SLAB_NONE || t->starved_head != SLAB_NONE ||
        t->ready_listener_head != SLAB_NONE || t->touched_count != 0)
        return "a list of connections";
    if (t->orphans != 0 || t->port_maps.used != 0 || h->s->loop.count != 0)
        return "an orphan, a map of ports or a packet";
    return t->index.entries != 0 ? "the index" : NULL;
}

static void comes_to_rest(struct hand *h, const char *name, bool drain)
{
    const la_time begun = h->now;
    uint32_t steps = 0;

    do {
        if (drain)
            hand_drain(h);
        else
            (void)hand_tx(h); /* a driver that takes one packet at a time */
        const char *broken = la_check(h->s);
        if (broken != NULL)
            fail_msg("%s: %s", name, broken);
        if (steps++ > STEPS_MAX)
            fail_msg("%s: still busy after %u s", name,
                     (uint32_t)(time_since(begun, h->now) / NS_PER_S));
    } while (hand_next(h) || h->t->tx_head != SLAB_NONE || h->t->replies.count > 0);
    if (left_over(h) != NULL)
        fail_msg("%s: something is left: %s", name, left_over(h));
    assert_int_equal(la_deadline(h->s).ns, UINT64_MAX);
    if (time_since(begun, h->now) > 3600 * NS_PER_S)
        fail_msg("%s: it took %u s", name, (uint32_t)(time_since(begun, h->now) / NS_PER_S));
}

static void let_go(struct hand *h, bool abort)
{
    if (abort)
        (void)la_abort(h->s, h->now, h->conn);
    else
        (void)la_close(h->s, h->now, h->conn);
    (void)!la_listener_close(h->s, h->now, h->listener);
}

static void try_all(bool abort, bool drain, const uint32_t iss)
{
    for (uint32_t i = 0; i < LA_COUNT_OF(ways); i++)
        for (int v6 = 0; v6 < 2; v6++) {
            struct la_config config;
            struct hand h;

            hand_config(&config);
            config.short_v4 = 8192; /* enough for a table of ports */
            hand_new(
                &h, &(struct hand_opt){ .v6 = v6, .iss = iss, .irs = 0u - iss, .config = &config });
            assert_true(h.t->port_rows.count > 0);
            ways[i].go(&h);
            assert_null(la_check(h.s));
            let_go(&h, abort);
            comes_to_rest(&h, ways[i].name, drain);
            hand_free(&h);
        }
}

TEST(after_close_every_state_comes_to_rest)
{
    try_all(false, true, 0);
    try_all(false, true, 0x7fffffff);
    try_all(false, true, 0xffffffff);
}

TEST(after_close_every_state_comes_to_rest_with_a_slow_driver)
{
    try_all(false, false, 0xfffffff0);
}

TEST(after_abort_every_state_comes_to_rest)
{
    try_all(true, true, 0);
}

TEST(a_silent_peer_ends_every_state_that_owes_or_waits_for_an_answer_though_nobody_closes)
{
    for (uint32_t i = 0; i < LA_COUNT_OF(ways); i++) {
        struct hand h;
        uint32_t steps = 0;

        hand_new(&h, NULL);
        ways[i].go(&h);
        do
            hand_drain(&h);
        while (hand_next(&h) && steps++ < STEPS_MAX);
        assert_true(steps < STEPS_MAX);
        const uint32_t ci = hand_ci(&h);
        if (ci != SLAB_NONE) { /* what is left waits for its application or its peer's wish */
            const struct tcp_conn *c = conn_at(h.t, ci);
            if (c->state != LA_CLOSED && (conn_flight(c) > 0 || conn_unsent(c) > 0))
                fail_msg("%s: %s with something to send and no timer", ways[i].name,
                         la_state_name((enum la_state)c->state));
        }
        let_go(&h, false);
        comes_to_rest(&h, ways[i].name, true);
        hand_free(&h);
    }
}

/* Both ends in one stack: the peer is alive and answers, until the last of it is gone. */
TEST(a_connection_to_ourselves_that_both_applications_close_or_drop_leaves_nothing)
{
    for (uint32_t kind = 0; kind < 8; kind++) {
        struct la_accepted other;
        struct hand h;

        hand_new(&h, &(struct hand_opt){ .v6 = kind & 1 });
        hand_listen(&h);
        const struct la_endpoint any = { .port = 0 }, us = { h.us, h.lport };
        assert_int_equal(la_open(h.s, h.now, any, us, 0, &h.conn), LA_OK);
        for (uint32_t i = 0; i < 8; i++)
            hand_drain(&h);
        assert_int_equal(la_accept(h.s, h.now, h.listener, 0, &other), LA_OK);
        send_some(&h, kind & 2 ? 100000 : 10);
        hand_drain(&h);
        if (kind & 4)
            assert_int_equal(la_abort(h.s, h.now, other.conn), LA_OK);
        else
            assert_int_equal(la_close(h.s, h.now, other.conn), LA_OK); /* unread text: a reset */
        let_go(&h, false);
        comes_to_rest(&h, "a connection to ourselves", true);
        hand_free(&h);
    }
}

TEST_MAIN
