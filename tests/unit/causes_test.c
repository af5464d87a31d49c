/* SPDX-License-Identifier: MIT */
/* Causes: every reason has its row, what went wrong is remembered, and a flood is one record. */
#include "tests/unit/base_test.h"
#include "tests/unit/hand.h"

static bool is_knob(const char *name)
{
    if (strcmp(name, "none") == 0 || strncmp(name, "config.", 7) == 0 ||
        strncmp(name, "LA_OPT_", 7) == 0)
        return true;
    for (uint32_t i = 0; la_sysctl_name(i) != NULL; i++)
        if (strcmp(la_sysctl_name(i), name) == 0)
            return true;
    return false;
}

static bool is_counter(const char *name)
{
    static const char *const names[] = {
#define LA_COUNTER(group, name, text) #name,
#include <lastack/counters.def>
#undef LA_COUNTER
    };

    for (uint32_t i = 0; i < LA_COUNT_OF(names); i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return strcmp(name, "none") == 0;
}

TEST(every_reason_has_a_row_whose_knob_and_counter_exist)
{
    static const char *const has[LA_DROPS] = {
#define LA_CAUSE(name, kind, clause, knob, counter) [LA_DROP_##name] = clause,
#include <lastack/causes.def>
#undef LA_CAUSE
    };

    for (uint32_t i = 0; i < LA_DROPS; i++) {
        const enum la_drop reason = (enum la_drop)i;

        if (has[i] == NULL)
            fail_msg("causes.def lacks %s", la_drop_name(reason));
        assert_string_equal(la_cause_clause(reason), has[i]);
        if (!is_knob(la_cause_knob(reason)) || !is_counter(la_cause_counter(reason)))
            fail_msg("%s: %s, %s", la_drop_name(reason), la_cause_knob(reason),
                     la_cause_counter(reason));
        assert_string_not_equal(la_cause_kind_name(la_cause_kind(reason)), "unknown");
    }
}

static struct hand with_causes(bool v6, uint32_t records)
{
    struct la_config config;
    struct hand h;

    hand_config(&config);
    config.cause_records = records;
    hand_new(&h, &(struct hand_opt){ .v6 = v6, .config = &config });
    return h;
}

TEST(a_connection_that_the_peer_reset_says_so_with_its_queues)
{
    for (int v6 = 0; v6 < 2; v6++) {
        struct hand h = with_causes(v6, 8);
        struct la_cause c;

        hand_establish(&h, NULL);
        assert_int_equal(la_send(h.s, h.now, h.conn, "abc", 3, 0), 3);
        hand_drain(&h);
        assert_int_equal(la_conn_cause(h.s, h.conn, &c), LA_ENOENT);
        hand_rx(&h, "RST rcv 1");
        assert_int_equal(la_conn_cause(h.s, h.conn, &c), LA_OK);
        assert_int_equal(c.reason, LA_DROP_RESET);
        assert_int_equal(c.state, LA_ESTABLISHED);
        assert_int_equal(c.snd_queued_bytes, 3);
        assert_int_equal(c.times, 1);
        assert_int_equal(c.number, 1);
        assert_int_equal(c.conn.bits, h.conn.bits);
        assert_true(la_addr_equal(c.remote.addr, h.peer) && c.remote.port == h.rport);
        assert_int_equal(la_conn_cause(h.s, (la_conn_id){ 0 }, &c), LA_EBADHANDLE);
        assert_null(la_check(h.s));
        hand_free(&h);
    }
}

TEST(a_reset_that_ends_an_orphan_is_told_once_though_nothing_is_left_of_it)
{
    for (int v6 = 0; v6 < 2; v6++) {
        struct hand h = with_causes(v6, 8);
        struct la_cause c[4];
        uint64_t after = 0;

        hand_establish(&h, NULL);
        assert_int_equal(la_send(h.s, h.now, h.conn, "abc", 3, 0), 3);
        assert_int_equal(la_close(h.s, h.now, h.conn), LA_OK);
        hand_drain(&h);
        hand_rx(&h, "RST rcv 1");
        assert_int_equal(la_causes(h.s, &after, c, 4), 1);
        assert_int_equal(c[0].reason, LA_DROP_RESET);
        assert_int_equal(c[0].times, 1);
        assert_int_equal(c[0].snd_queued_bytes, 3);
        hand_free(&h);
    }
}

TEST(the_knob_of_a_connection_that_gave_up_is_the_one_of_its_state)
{
    struct la_cause c = { .reason = LA_DROP_RETRIES, .state = LA_ESTABLISHED };

    assert_string_equal(la_cause_decided(&c), "net.ipv4.tcp_retries2");
    c.state = LA_LAST_ACK;
    c.orphan = true;
    assert_string_equal(la_cause_decided(&c), "net.ipv4.tcp_orphan_retries");
    c.state = LA_SYN_SENT;
    c.orphan = false;
    assert_string_equal(la_cause_decided(&c), "net.ipv4.tcp_syn_retries");
    c.reason = LA_DROP_KEEPALIVE;
    assert_string_equal(la_cause_decided(&c), "net.ipv4.tcp_keepalive_probes");
}

TEST(a_flood_is_one_record_and_the_ring_keeps_the_latest)
{
    struct hand h = with_causes(false, 4);
    struct la_cause c[8];
    uint64_t after = 0;

    for (uint16_t port = 1; port <= 100; port++) {
        h.rport = (uint16_t)(5000 + port);
        hand_rx(&h, "SYN rcv 0 wnd 1000"); /* nobody listens */
        hand_drain(&h);
    }
    assert_int_equal(la_causes(h.s, &after, c, 8), 1);
    assert_int_equal(c[0].reason, LA_DROP_NO_SOCKET);
    assert_int_equal(c[0].times, 100);
    assert_int_equal(c[0].remote.port, 5100);
    assert_int_equal(la_causes(h.s, &after, c, 8), 0);
    for (uint16_t port = 1; port <= 10; port++) { /* at other places they are others */
        h.lport = (uint16_t)(6000 + port);
        hand_rx(&h, "SYN rcv 0 wnd 1000");
        hand_drain(&h);
    }
    after = 0;
    assert_int_equal(la_causes(h.s, &after, c, 8), 4);
    for (uint32_t i = 0; i < 4; i++) {
        assert_int_equal(c[i].number, 8 + i);
        assert_int_equal(c[i].local.port, 6007 + i);
    }
    hand_free(&h);
}

TEST(what_was_used_leaves_no_record_and_without_a_ring_nothing_does)
{
    struct hand h = with_causes(true, 4);
    struct la_cause c;
    uint64_t after = 0;

    hand_establish(&h, NULL);
    hand_rx(&h, "ACK rcv 1 snd 1 len 3 wnd 1000");
    assert_int_equal(la_causes(h.s, &after, &c, 1), 0);
    hand_free(&h);
    h = with_causes(true, 0);
    hand_establish(&h, NULL);
    hand_rx(&h, "RST rcv 1");
    assert_int_equal(la_causes(h.s, &after, &c, 1), 0);
    assert_int_equal(la_conn_cause(h.s, h.conn, &c), LA_ENOENT);
    hand_free(&h);
}

TEST(the_counter_of_an_end_is_the_one_that_its_state_moves)
{
    static const struct {
        enum la_drop reason;
        enum la_state state;
        const char *counter;
    } cases[] = {
        { LA_DROP_RESET, LA_ESTABLISHED, "EstabResets" }, /* RFC 4022: from these two alone */
        { LA_DROP_RESET, LA_CLOSE_WAIT, "EstabResets" },
        { LA_DROP_RESET, LA_FIN_WAIT_1, "none" },
        { LA_DROP_RESET, LA_SYN_SENT, "none" },
        { LA_DROP_ICMP_HARD, LA_SYN_SENT, "AttemptFails" },
        { LA_DROP_ICMP_HARD, LA_SYN_RECEIVED, "AttemptFails" },
        { LA_DROP_ICMP_HARD, LA_ESTABLISHED, "none" },
        { LA_DROP_RETRIES, LA_FIN_WAIT_1, "TCPAbortOnTimeout" },
    };

    for (uint32_t i = 0; i < LA_COUNT_OF(cases); i++) {
        const struct la_cause c = { .reason = cases[i].reason, .state = cases[i].state };

        assert_string_equal(la_cause_counted(&c), cases[i].counter);
    }
}

TEST(a_window_that_stays_shut_gives_up_by_the_knob_of_its_state_too)
{
    struct la_cause c = { .reason = LA_DROP_PERSIST, .state = LA_ESTABLISHED };

    assert_string_equal(la_cause_decided(&c), "net.ipv4.tcp_retries2");
    c.state = LA_FIN_WAIT_1;
    c.orphan = true;
    assert_string_equal(la_cause_decided(&c), "net.ipv4.tcp_orphan_retries");
}

TEST(what_ended_a_connection_is_found_behind_what_others_met_since)
{
    struct hand h = with_causes(false, 8);
    struct la_cause c;

    hand_establish(&h, NULL);
    const la_conn_id first = h.conn;
    hand_rx(&h, "RST rcv 1");
    h.rport++;
    hand_establish(&h, NULL);
    hand_rx(&h, "RST rcv 1");
    assert_int_equal(la_conn_cause(h.s, first, &c), LA_OK);
    assert_int_equal(c.number, 1);
    assert_int_equal(c.conn.bits, first.bits);
    assert_int_equal(la_conn_cause(h.s, h.conn, &c), LA_OK);
    assert_int_equal(c.number, 2);
    hand_free(&h);
}

TEST(what_is_no_reason_is_told_as_none)
{
    assert_string_equal(la_cause_clause(LA_DROPS), la_cause_clause(LA_DROP_NONE));
    assert_string_equal(la_cause_counter(LA_DROPS), la_cause_counter(LA_DROP_NONE));
}

TEST_MAIN
