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
static void to_be_accepted(struct hand *h)
{
    struct tcp_flow f = { h->us, h->peer, h->lport, h->rport };

    half_open_one(h);
    h->iss = half_at(h->t, tcp_lookup(h->t, &f, tcp_hash(h->t, &f)).value)->iss;
    hand_drain(h);
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
#undef WAY
};

/* The end ------------------------------------------------------------------------------------ */

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
    for (uint32_t k = 0; k < LA_TABLES; k++)
        if (la_table_use(h->s, (enum la_table)k).used != 0)
            fail_msg("%s: the table %s holds something", name, la_table_name((enum la_table)k));
    assert_int_equal(h->t->index.entries, 0);
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
            struct hand h;

            hand_new(&h, &(struct hand_opt){ .v6 = v6, .iss = iss, .irs = 0u - iss });
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

TEST_MAIN
