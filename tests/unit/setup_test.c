/* SPDX-License-Identifier: MIT */
/* setup_test.c - The TCP part of a stack: first values, ticks within a budget, the next deadline. */
#include "tests/unit/base_test.h"
#include "tests/unit/hand.h"

TEST(a_new_stack_has_nothing_to_do)
{
    struct hand h;

    hand_new(&h, NULL);
    assert_int_equal(la_deadline(h.s).ns, UINT64_MAX);
    assert_false(la_tick(h.s, h.now, 100));
    assert_int_equal(hand_drain(&h), 0);
    assert_null(la_check(h.s));
    hand_free(&h);
}

TEST(keys_for_different_purposes_and_different_secrets_differ)
{
    struct hand h, k;
    struct la_config config;

    hand_config(&config);
    config.secret[15] ^= 0x80;
    hand_new(&h, NULL);
    hand_new(&k, &(struct hand_opt){ .config = &config });
    const struct siphash_key keys[] = { h.t->key_isn, h.t->key_port, h.t->key_index,
                                        k.t->key_isn, k.t->key_port, k.t->key_index };
    for (uint32_t i = 0; i < LA_COUNT_OF(keys); i++)
        for (uint32_t n = 0; n < i; n++)
            assert_true(memcmp(&keys[i], &keys[n], sizeof keys[0]) != 0);
    assert_true(memcmp(h.t->port_table, k.t->port_table, sizeof h.t->port_table) != 0);
    hand_free(&h);
    hand_free(&k);
}

/* @n half-open records, all due at the same time. */
static struct hand with_records(uint16_t n)
{
    struct la_config config;
    struct hand h;

    hand_config(&config);
    config.half_open_v4 = 64;
    hand_new(&h, &(struct hand_opt){ .config = &config });
    hand_listen(&h);
    listener_at(h.t, 0)->backlog = 100;
    for (h.rport = 1; h.rport <= n; h.rport++)
        hand_rx(&h, "SYN rcv 0 wnd 5");
    hand_drain(&h);
    return h;
}

TEST(a_tick_fires_no_more_than_its_budget_and_says_that_more_is_due)
{
    struct hand h = with_records(10);
    uint32_t fired = 0;

    h.now = time_add(h.now, NS_PER_S);
    assert_true(la_tick(h.s, h.now, 3));
    fired = hand_drain(&h);
    assert_int_equal(fired, 3);
    assert_true(time_le(la_deadline(h.s), h.now));
    assert_true(la_tick(h.s, h.now, 4));
    assert_int_equal(hand_drain(&h), 4);
    assert_false(la_tick(h.s, h.now, 4));
    assert_int_equal(hand_drain(&h), 3);
    assert_true(time_lt(h.now, la_deadline(h.s)));
    hand_free(&h);
}

TEST(nothing_fires_before_its_time)
{
    struct hand h = with_records(1);

    h.now = time_add(h.now, NS_PER_S - 1);
    assert_false(la_tick(h.s, h.now, 10));
    assert_int_equal(hand_drain(&h), 0);
    hand_free(&h);
}

TEST(the_deadline_is_never_late_while_connections_and_records_come_and_go)
{
    struct hand h = with_records(5);
    uint64_t rng = 5;

    for (uint32_t i = 0; i < 400; i++) {
        const la_time at = la_deadline(h.s);

        if (at.ns == UINT64_MAX)
            break;
        /* until then nothing happens, whatever the step */
        const uint32_t before = h.t->half4.used;
        const uint64_t gap = time_since(h.now, at);
        if (gap > 1) {
            h.now = time_add(h.now, rng_next(&rng) % gap);
            (void)la_tick(h.s, h.now, 100);
            assert_int_equal(h.t->half4.used, before);
            assert_int_equal(hand_drain(&h), 0);
        }
        h.now = time_lt(h.now, at) ? at : h.now;
        (void)la_tick(h.s, h.now, 100);
        hand_drain(&h);
    }
    assert_int_equal(h.t->half4.used, 0);
    hand_free(&h);
}

/* Nodes of the slot that was entered which have no new place yet. */
static uint32_t waiting(const struct hand *h)
{
    uint32_t n = 0;

    for (uint32_t i = h->t->wheel.moving; i != WHEEL_NONE;
         i = wheel_node(&h->t->wheel, h->t, i)->next)
        n++;
    return n;
}

TEST(what_one_tick_does_is_the_same_for_any_number_of_connections_in_a_slot)
{
    enum { CONNS = 1000, WORK = 16 };
    struct la_config config;
    struct hand h;
    uint32_t left = CONNS;

    hand_config(&config);
    config.connections = CONNS;
    hand_new(&h, &(struct hand_opt){ .config = &config });
    for (uint32_t i = 0; i < CONNS; i++) {
        const struct la_endpoint peer = { h.peer, (uint16_t)(1 + i) };
        la_conn_id conn;

        assert_int_equal(la_open(h.s, h.now, (struct la_endpoint){ .port = 0 }, peer, 0, &conn),
                         LA_OK);
    }
    hand_drain(&h);
    h.now = time_add(h.now, NS_PER_S);          /* every SYN is due again */
    for (uint32_t call = 1; left > 0; call++) { /* they stand in one slot, a second wide */
        assert_true(la_tick(h.s, h.now, 1));
        assert_true(time_le(la_deadline(h.s), h.now)); /* whoever asks is told to call again */
        assert_int_equal(left - waiting(&h), left < WORK ? left : WORK);
        left = waiting(&h);
        assert_in_range(call, 1, CONNS / WORK + 1);
    }
    while (la_tick(h.s, h.now, 100))
        hand_drain(&h);
    assert_int_equal(la_counter(h.s, LA_COUNT_TCPSynRetrans), CONNS);
    assert_null(la_check(h.s));
    hand_free(&h);
}

TEST_MAIN
