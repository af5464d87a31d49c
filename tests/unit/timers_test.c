/* SPDX-License-Identifier: MIT */
/* timers_test.c - Four deadlines and one lazy node: it stands at or before the earliest of them. */
#include "tests/unit/base_test.h"
#include "tests/unit/hand.h"

static struct hand start(void)
{
    struct hand h;

    hand_new(&h, NULL);
    hand_establish(&h, NULL);
    for (uint32_t i = 0; i < TCP_DEADLINES; i++)
        tcp_timer_stop(hand_conn(&h), (enum tcp_deadline)i);
    hand_wait(&h, 10 * NS_PER_S); /* the node, which was early, goes */
    return h;
}

static la_time in_ms(const struct hand *h, uint64_t ms)
{
    return time_add(h->now, ms * NS_PER_MS);
}

static la_time earliest(const struct tcp_conn *c)
{
    la_time at = LA_TIME_NEVER;

    for (uint32_t i = 0; i < TCP_DEADLINES; i++)
        at = time_min(at, c->deadline[i]);
    return at;
}

TEST(arming_earlier_moves_the_node_arming_later_and_stopping_do_not)
{
    struct hand h = start();
    const uint32_t ci = hand_ci(&h);

    assert_false(wheel_armed(conn_node(h.t, ci)));
    tcp_timer_arm(h.t, ci, TCP_DL_DELACK, in_ms(&h, 100));
    assert_int_equal(conn_node(h.t, ci)->at.ns, in_ms(&h, 100).ns);
    tcp_timer_arm(h.t, ci, TCP_DL_CORK, in_ms(&h, 50));
    assert_int_equal(conn_node(h.t, ci)->at.ns, in_ms(&h, 50).ns);
    tcp_timer_arm(h.t, ci, TCP_DL_CORK, in_ms(&h, 5000));
    assert_int_equal(conn_node(h.t, ci)->at.ns, in_ms(&h, 50).ns);
    tcp_timer_stop(hand_conn(&h), TCP_DL_CORK);
    assert_int_equal(conn_node(h.t, ci)->at.ns, in_ms(&h, 50).ns);
    assert_null(la_check(h.s));
    hand_free(&h);
}

TEST(an_early_node_fires_finds_nothing_due_and_moves_on)
{
    struct hand h = start();
    const struct tcp_conn *c = hand_conn(&h);
    const uint32_t ci = hand_ci(&h);

    tcp_timer_arm(h.t, ci, TCP_DL_CORK, in_ms(&h, 50));
    const la_time later = in_ms(&h, 5000);
    tcp_timer_arm(h.t, ci, TCP_DL_CORK, later);
    hand_wait(&h, 50 * NS_PER_MS);
    assert_int_equal(c->deadline[TCP_DL_CORK].ns, later.ns);
    assert_int_equal(conn_node(h.t, ci)->at.ns, later.ns);
    assert_true(la_deadline(h.s).ns <= later.ns);
    hand_wait(&h, 4949 * NS_PER_MS);
    assert_int_equal(c->deadline[TCP_DL_CORK].ns, later.ns);
    hand_wait(&h, NS_PER_MS);
    assert_int_equal(c->deadline[TCP_DL_CORK].ns, UINT64_MAX);
    assert_false(wheel_armed(conn_node(h.t, ci)));
    hand_free(&h);
}

TEST(whatever_is_armed_and_stopped_the_node_is_never_late)
{
    struct hand h = start();
    const struct tcp_conn *c = hand_conn(&h);
    const uint32_t ci = hand_ci(&h);
    uint64_t rng = 11;

    for (uint32_t i = 0; i < 20000; i++) {
        const enum tcp_deadline which =
            rng_below(&rng, 2) ? TCP_DL_DELACK : TCP_DL_CORK; /* neither ends a connection */

        switch (rng_below(&rng, 4)) {
        case 0:
            tcp_timer_stop(hand_conn(&h), which);
            break;
        case 1:
            hand_wait(&h, rng_below(&rng, 3000) * NS_PER_MS / 3);
            break;
        default:
            tcp_timer_arm(h.t, ci, which, in_ms(&h, rng_below(&rng, 100000)));
            break;
        }
        assert_true(time_le(conn_node(h.t, ci)->at, earliest(c)));
        assert_true(earliest(c).ns == UINT64_MAX || time_lt(h.t->env.now, earliest(c)) ||
                    time_le(la_deadline(h.s), h.now));
        assert_true(time_le(la_deadline(h.s), earliest(c)));
    }
    assert_null(la_check(h.s));
    hand_free(&h);
}

TEST(everything_off_leaves_no_node)
{
    struct hand h = start();
    const uint32_t ci = hand_ci(&h);

    for (uint32_t i = 0; i < TCP_DEADLINES; i++)
        tcp_timer_arm(h.t, ci, (enum tcp_deadline)i, in_ms(&h, 100 * (i + 1)));
    tcp_timers_off(h.t, ci);
    assert_false(wheel_armed(conn_node(h.t, ci)));
    assert_int_equal(earliest(hand_conn(&h)).ns, UINT64_MAX);
    assert_int_equal(la_deadline(h.s).ns, UINT64_MAX);
    hand_free(&h);
}

TEST(persist_is_for_a_window_that_is_closed_or_too_small_to_be_worth_it)
{
    static const struct {
        uint32_t wnd, max_wnd, unsent, flight;
        bool persist;
    } cases[] = {
        { 0, 65535, 0, 0, false },      { 0, 65535, 1, 0, true },
        { 0, 65535, 0, 100, true },     { 65535, 65535, 5000, 0, false },
        { 100, 65535, 5000, 0, true },  { 100, 65535, 5000, 50, false }, /* an ACK is on its way */
        { 100, 65535, 100, 0, false },  { 100, 199, 5000, 0, false },    /* at least half of it */
        { 1459, 65535, 5000, 0, true }, { 1460, 65535, 5000, 0, false },
    };

    for (uint32_t i = 0; i < LA_COUNT_OF(cases); i++) {
        struct hand h = start();
        struct tcp_conn *c = hand_conn(&h);

        c->snd.wnd = cases[i].wnd;
        c->snd.max_wnd = cases[i].max_wnd;
        c->snd.nxt = seq_add(c->snd.una, cases[i].flight);
        c->sndq.len_bytes = cases[i].flight + cases[i].unsent;
        if (conn_in_persist(c) != cases[i].persist)
            fail_msg("case %u", i);
        hand_free(&h);
    }
}

TEST(a_fin_behind_a_closed_window_is_probed_for_too)
{
    struct hand h = start();
    struct tcp_conn *c = hand_conn(&h);

    c->snd.wnd = 0;
    c->fin_queued = true;
    assert_true(conn_in_persist(c));
    hand_free(&h);
}

TEST_MAIN
