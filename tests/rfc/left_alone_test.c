/* SPDX-License-Identifier: MIT */
/*
 * left_alone_test.c - Whatever state a connection is in: when its peer is dead and its application
 * has closed, everything it held is given back in finite time, and no deadline is left.
 *
 * Every state that can be reached, by the bench's real exchanges, times what may be queued when the
 * world ends: nothing, bytes to send, bytes the window does not take, bytes nobody reads, bytes above a
 * hole.  The hour that is waited is longer than any timer that may stand then.
 */
#include "tests/rfc/bench.h"

#define AN_HOUR SEC(3600)

enum burden { NOTHING, UNSENT, ZERO_WINDOW, UNREAD, HOLE, BURDENS };

static const char *const tables[] = { "connections", "half-open", "half-open", "short",
                                      "short",       "chunks",    "replies" };
static const enum la_table table_of[] = { LA_TABLE_CONNECTIONS,  LA_TABLE_HALF_OPEN_V4,
                                          LA_TABLE_HALF_OPEN_V6, LA_TABLE_SHORT_V4,
                                          LA_TABLE_SHORT_V6,     LA_TABLE_CHUNKS,
                                          LA_TABLE_REPLIES };

static void burden(struct bench *b, enum burden what)
{
    switch (what) {
    case NOTHING:
    case BURDENS:
        break;
    case UNSENT:
        bench_send(b, 3000);
        break;
    case ZERO_WINDOW:
        bench_rx(b, "ACK rcv 0 snd 0 wnd 0");
        bench_send(b, 3000);
        break;
    case UNREAD:
        bench_rx(b, "ACK PSH rcv 0 snd 0 wnd 65535 len 100");
        break;
    case HOLE:
        bench_rx(b, "ACK PSH rcv 500 snd 0 wnd 65535 len 100");
        break;
    }
}

static void all_is_gone(struct bench *b, const char *place, enum burden what)
{
    uint32_t states[LA_STATES];
    const char *broken = la_check(b->s);

    if (broken != NULL)
        bench_fail(b, __FILE__, __LINE__, "%s", broken);
    for (size_t i = 0; i < sizeof table_of / sizeof table_of[0]; i++)
        if (la_table_use(b->s, table_of[i]).used != 0)
            bench_fail(b, __FILE__, __LINE__, "%s, burden %u: %s are left", place, what, tables[i]);
    la_state_counts(b->s, states);
    for (uint32_t i = 0; i < LA_STATES; i++)
        if (states[i] != 0)
            bench_fail(b, __FILE__, __LINE__, "%s, burden %u: something is still in %s", place,
                       what, la_state_name((enum la_state)i));
    if (la_deadline(b->s).ns != UINT64_MAX)
        bench_fail(b, __FILE__, __LINE__, "%s, burden %u: a deadline is left", place, what);
    if (b->s->tcp.orphans != 0)
        bench_fail(b, __FILE__, __LINE__, "%s, burden %u: an orphan is counted", place, what);
}

static void close_all(struct bench *b)
{
    if (b->has_conn)
        bench_close(b);
    if (b->has_listener && la_listener_close(b->s, b->now, b->listener) != LA_OK)
        bench_fail(b, __FILE__, __LINE__, "la_listener_close() failed");
    b->has_listener = false;
    bench_drain(b);
    (void)bench_forget_tx(b);
}

static void wait_an_hour(struct bench *b)
{
    for (uint32_t i = 0; i < 60; i++) {
        bench_sleep(b, AN_HOUR / 60);
        (void)bench_forget_tx(b);
    }
}

static bool takes(int place, enum burden what)
{
    if (what == NOTHING)
        return true;
    if (what == UNSENT)
        return place == LA_SYN_SENT || place == LA_ESTABLISHED || place == LA_CLOSE_WAIT ||
               place == BENCH_SIMULTANEOUS;
    if (what == ZERO_WINDOW)
        return place == LA_ESTABLISHED;
    return place == LA_ESTABLISHED || place == LA_FIN_WAIT_1 || place == LA_FIN_WAIT_2;
}

BENCH_TEST(a_dead_peer_and_a_closed_application_leave_nothing_in_any_state)
{
    for (int place = LA_CLOSED; place < BENCH_PLACES; place++) {
        for (enum burden what = NOTHING; what < BURDENS; what++) {
            if (!takes(place, what))
                continue;
            bench_again(b);
            bench_state(b, place, NULL);
            burden(b, what);
            close_all(b);
            wait_an_hour(b);
            all_is_gone(b, place < LA_STATES ? la_state_name((enum la_state)place) : "a record",
                        what);
        }
    }
}

BENCH_TEST(what_was_queued_behind_a_full_half_close_goes_too)
{
    bench_established(b, NULL);
    bench_rx(b, "ACK rcv 0 snd 0 wnd 0");
    bench_send(b, 3000);
    bench_shutdown(b, LA_SHUT_WR);
    bench_rx(b, "FIN ACK rcv 0 snd 0 wnd 0");
    close_all(b);
    wait_an_hour(b);
    all_is_gone(b, "LAST-ACK behind a closed window", ZERO_WINDOW);
}

BENCH_TEST(a_half_open_record_goes_although_its_listener_stays)
{
    bench_state(b, LA_SYN_RECEIVED, NULL);
    wait_an_hour(b);
    expect_equal(b, la_table_use(b->s, LA_TABLE_HALF_OPEN_V4).used, 0);
    expect_equal(b, la_table_use(b->s, LA_TABLE_HALF_OPEN_V6).used, 0);
    close_all(b);
    all_is_gone(b, "SYN-RECEIVED", NOTHING);
}

BENCH_TEST(what_waits_to_be_accepted_goes_with_its_listener)
{
    bench_established(b, &(struct bench_opt){ .open = BENCH_PASSIVE, .no_accept = true });
    bench_rx(b, "ACK PSH rcv 0 snd 0 wnd 65535 len 100");
    close_all(b);
    wait_an_hour(b);
    all_is_gone(b, "the accept queue", UNREAD);
}

BENCH_TEST(a_parked_time_wait_and_the_opening_it_waits_for_go_both)
{
    bench_state(b, LA_TIME_WAIT,
                &(struct bench_opt){ .open = BENCH_PASSIVE, .keep_listener = true });
    bench_rx(b,
             "SYN rcv 100000 wnd 65535"); /* a half-open record, the TIME-WAIT parked behind it */
    (void)bench_forget_tx(b);
    expect_equal(b, b->s->tcp.half4.used + b->s->tcp.half6.used, 1);
    expect_equal(b, b->s->tcp.short4.used + b->s->tcp.short6.used, 1);
    wait_an_hour(b);
    close_all(b);
    all_is_gone(b, "a parked TIME-WAIT", NOTHING);
}

/* The peer is alive, answers each probe, and never opens its window. */
BENCH_TEST(an_orphan_behind_a_window_that_stays_closed_goes_though_its_probes_are_answered)
{
    bench_established(b, NULL);
    bench_rx(b, "ACK rcv 0 snd 0 wnd 0");
    bench_send(b, 3000);
    close_all(b);
    for (uint32_t i = 0; i < 3600 && la_deadline(b->s).ns != UINT64_MAX; i++) {
        const struct bench_tx *tx;
        uint32_t answers = 0;

        bench_sleep(b, SEC(1));
        while ((tx = bench_next_tx(b)) != NULL)
            answers += (tx->seg.flags & TCP_RST) == 0;
        for (; answers > 0; answers--)
            bench_rx(b, "ACK rcv 0 snd 0 wnd 0");
    }
    (void)bench_forget_tx(b);
    all_is_gone(b, "a closed window that is probed", ZERO_WINDOW);
}

BENCH_TEST(one_that_is_held_lives_for_ever_behind_such_a_window)
{
    bench_established(b, NULL);
    bench_rx(b, "ACK rcv 0 snd 0 wnd 0");
    bench_send(b, 3000);
    for (uint32_t i = 0; i < 3600; i++) {
        uint32_t answers;

        bench_sleep(b, SEC(3));
        for (answers = bench_forget_tx(b); answers > 0; answers--)
            bench_rx(b, "ACK rcv 0 snd 0 wnd 0");
    }
    expect_state(b, LA_ESTABLISHED);
}

TEST_MAIN
