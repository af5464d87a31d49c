/* SPDX-License-Identifier: MIT */
/* port_use_test.c - What bind() learns of connections and records without walking them. */
#include "tests/unit/base_test.h"
#include "tests/unit/hand.h"

static void large(struct hand *h, bool v6)
{
    struct la_config config;

    hand_config(&config);
    config.short_v4 = config.short_v6 = 8192;
    hand_new(h, &(struct hand_opt){ .v6 = v6, .config = &config });
}

static enum la_port_answer asked(const struct hand *h, bool wild, bool reuse)
{
    const struct la_addr none = { { 0 } };

    return la_port_asked(h->s, wild ? none : h->us, !h->v6, h->lport, reuse, false);
}

static void finish(struct hand *h)
{
    assert_int_equal(la_close(h->s, h->now, h->conn), LA_OK);
    hand_drain(h);
    hand_rx(h, "FIN ACK rcv 1 snd 2 wnd 1000");
    hand_drain(h);
}

TEST(a_connection_holds_its_port_at_its_address_until_its_time_wait_ends)
{
    for (int v6 = 0; v6 < 2; v6++) {
        struct hand h;
        struct la_addr other;

        large(&h, v6);
        hand_establish(&h, NULL);
        other = h.us;
        other.bytes[15] ^= 1;
        for (int i = 0; i < 2; i++) {
            assert_int_equal(asked(&h, false, false), LA_PORT_TAKEN);
            assert_int_equal(asked(&h, true, false), LA_PORT_TAKEN);
            assert_int_equal(asked(&h, true, true), LA_PORT_TAKEN); /* it has not SO_REUSEADDR */
            assert_int_equal(la_port_asked(h.s, other, !v6, h.lport, false, false), LA_PORT_FREE);
            assert_int_equal(
                la_port_asked(h.s, (struct la_addr){ { 0 } }, v6, h.lport, false, false),
                LA_PORT_FREE); /* the other family */
            assert_int_equal(la_port_asked(h.s, h.us, !v6, (uint16_t)(h.lport + 1), false, false),
                             LA_PORT_FREE);
            if (i == 0)
                finish(&h);
        }
        hand_wait(&h, 60 * NS_PER_S);
        assert_int_equal(asked(&h, true, false), LA_PORT_FREE);
        hand_free(&h);
    }
}

TEST(reuseaddr_counts_from_the_moment_it_is_set_into_time_wait)
{
    struct hand h;

    large(&h, false);
    hand_establish(&h, NULL);
    for (uint64_t on = 1; on < 4; on++) { /* on, off, on */
        assert_int_equal(la_set_option(h.s, h.now, h.conn, LA_OPT_REUSEADDR, on % 2), LA_OK);
        assert_int_equal(la_set_option(h.s, h.now, h.conn, LA_OPT_REUSEADDR, on % 2), LA_OK);
        assert_int_equal(asked(&h, true, true), on % 2 ? LA_PORT_FREE : LA_PORT_TAKEN);
        assert_int_equal(asked(&h, true, false), LA_PORT_TAKEN);
    }
    finish(&h);
    assert_int_equal(asked(&h, true, true), LA_PORT_FREE);
    assert_int_equal(asked(&h, true, false), LA_PORT_TAKEN);
    hand_free(&h);
}

TEST(reuseport_and_both_are_counted_likewise)
{
    /* what the record allows, what is asked for: bit 0 SO_REUSEADDR, bit 1 SO_REUSEPORT */
    for (uint32_t has = 0; has < 4; has++) {
        struct hand h;

        large(&h, false);
        hand_establish(&h, NULL);
        assert_int_equal(la_set_option(h.s, h.now, h.conn, LA_OPT_REUSEPORT, has / 2), LA_OK);
        assert_int_equal(la_set_option(h.s, h.now, h.conn, LA_OPT_REUSEADDR, has % 2), LA_OK);
        for (int i = 0; i < 2; i++) {
            for (uint32_t asks = 0; asks < 4; asks++)
                assert_int_equal(la_port_asked(h.s, h.us, true, h.lport, asks % 2, asks / 2),
                                 (has & asks) != 0 ? LA_PORT_FREE : LA_PORT_TAKEN);
            if (i == 0)
                finish(&h); /* and its TIME-WAIT as it was */
        }
        hand_wait(&h, 60 * NS_PER_S);
        assert_int_equal(asked(&h, true, false), LA_PORT_FREE);
        hand_free(&h);
    }
}

TEST(an_end_of_any_kind_gives_the_port_back)
{
    for (int kind = 0; kind < 4; kind++) {
        struct hand h;

        large(&h, false);
        if (kind == 3)
            assert_int_equal(la_sysctl_set(h.s, "net.lastack.tcp_msl_ms", 0), LA_OK);
        if (kind == 0)
            hand_open(&h);
        else
            hand_establish(&h, NULL);
        assert_int_equal(asked(&h, true, false), LA_PORT_TAKEN);
        if (kind == 0)
            assert_int_equal(la_close(h.s, h.now, h.conn), LA_OK);
        else if (kind == 1)
            assert_int_equal(la_abort(h.s, h.now, h.conn), LA_OK);
        else if (kind == 2)
            hand_rx(&h, "RST rcv 1"); /* the shell that is still held counts no more */
        else
            finish(&h);
        assert_int_equal(asked(&h, true, false), LA_PORT_FREE);
        assert_null(la_check(h.s));
        hand_free(&h);
    }
}

TEST(where_the_table_can_not_tell_it_says_so)
{
    struct hand h;
    la_conn_id id;
    const struct la_addr none = { { 0 } };

    hand_new(&h, NULL); /* small: no table */
    assert_int_equal(asked(&h, true, false), LA_PORT_WALK);
    hand_free(&h);

    large(&h, false);
    const struct la_addr second = la_addr_v4(10, 0, 0, 77);
    assert_int_equal(la_addr_add(h.s, 0, la_prefix_host(second), 0), LA_OK);
    hand_establish(&h, NULL);
    assert_int_equal(la_open(h.s, h.now, (struct la_endpoint){ .addr = second, .port = h.lport },
                             (struct la_endpoint){ .addr = h.peer, .port = 9 }, 0, &id),
                     LA_OK);
    assert_int_equal(asked(&h, false, false), LA_PORT_WALK); /* of several addresses, one */
    assert_int_equal(la_port_asked(h.s, none, true, h.lport, false, false), LA_PORT_TAKEN);
    assert_int_equal(la_abort(h.s, h.now, id), LA_OK);
    assert_int_equal(la_abort(h.s, h.now, h.conn), LA_OK);
    assert_int_equal(asked(&h, false, false), LA_PORT_FREE);
    hand_free(&h);
}

TEST_MAIN
