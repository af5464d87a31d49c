/* SPDX-License-Identifier: MIT */
/* listener_test.c - Who gets a SYN, how many may wait, and in which order they are accepted. */
#include "tests/unit/base_test.h"
#include "tests/unit/hand.h"

static enum la_err add(struct hand *h, const char *prefix, uint16_t port, bool v6_only,
                       la_listener_id *out)
{
    struct la_listen_config config = { .port = port, .backlog = 3, .v6_only = v6_only };

    if (prefix == NULL)
        config.local = la_prefix_any();
    else
        assert_true(la_prefix_parse(prefix, false, &config.local));
    return la_listen(h->s, h->now, &config, out);
}

static uint32_t who(const struct hand *h, const char *addr, uint16_t port)
{
    struct la_addr a;

    assert_true(la_addr_parse(addr, &a));
    return listener_lookup(h->t, a, port);
}

static uint32_t slot_of(la_listener_id id)
{
    return (uint32_t)id.bits;
}

TEST(the_longest_prefix_that_covers_the_destination_wins)
{
    struct hand h;
    struct la_config config;
    la_listener_id any, net, host, v6;

    hand_config(&config);
    config.listeners = 8;
    hand_new(&h, &(struct hand_opt){ .config = &config });
    assert_int_equal(add(&h, "10.1.0.0/16", 80, false, &net), LA_OK);
    assert_int_equal(add(&h, NULL, 80, false, &any), LA_OK);
    assert_int_equal(add(&h, "10.1.2.3", 80, false, &host), LA_OK);
    assert_int_equal(add(&h, "2001:db8::/32", 80, false, &v6), LA_OK);
    assert_int_equal(who(&h, "10.1.2.3", 80), slot_of(host));
    assert_int_equal(who(&h, "10.1.2.4", 80), slot_of(net));
    assert_int_equal(who(&h, "10.2.2.3", 80), slot_of(any));
    assert_int_equal(who(&h, "2001:db8::7", 80), slot_of(v6));
    assert_int_equal(who(&h, "2001:db9::7", 80), slot_of(any));
    assert_int_equal(who(&h, "10.1.2.3", 81), SLAB_NONE);
    hand_free(&h);
}

TEST(a_v6_only_listener_leaves_ipv4_to_others)
{
    struct hand h;
    la_listener_id six, both;

    hand_new(&h, NULL);
    assert_int_equal(add(&h, NULL, 80, true, &six), LA_OK);
    assert_int_equal(who(&h, "10.0.0.1", 80), SLAB_NONE);
    assert_int_equal(who(&h, "2001:db8::1", 80), slot_of(six));
    assert_int_equal(add(&h, NULL, 81, false, &both), LA_OK);
    assert_int_equal(who(&h, "10.0.0.1", 81), slot_of(both));
    assert_int_equal(who(&h, "2001:db8::1", 81), slot_of(both));
    hand_free(&h);
}

TEST(ports_that_share_a_bucket_do_not_mix_and_closing_one_leaves_the_others)
{
    struct hand h;
    struct la_config config;
    la_listener_id id[100];

    hand_config(&config);
    config.listeners = 100;
    hand_new(&h, &(struct hand_opt){ .config = &config });
    for (uint16_t i = 0; i < 100; i++)
        assert_int_equal(add(&h, NULL, (uint16_t)(1000 + i), false, &id[i]), LA_OK);
    for (uint16_t i = 0; i < 100; i++) {
        assert_int_equal(who(&h, "10.0.0.1", (uint16_t)(1000 + i)), slot_of(id[i]));
        assert_true(listener_on_port(h.t, (uint16_t)(1000 + i)));
    }
    for (uint16_t i = 0; i < 100; i += 3)
        assert_int_equal(la_listener_close(h.s, h.now, id[i]), LA_OK);
    for (uint16_t i = 0; i < 100; i++) {
        assert_int_equal(listener_on_port(h.t, (uint16_t)(1000 + i)), i % 3 != 0);
        if (i % 3 == 0)
            assert_int_equal(la_listener_close(h.s, h.now, id[i]), LA_EBADHANDLE);
    }
    assert_null(la_check(h.s));
    hand_free(&h);
}

TEST(the_same_port_and_prefix_twice_is_refused_and_so_is_one_too_many)
{
    struct hand h;
    struct la_config config;
    la_listener_id id;

    hand_config(&config);
    config.listeners = 2;
    hand_new(&h, &(struct hand_opt){ .config = &config });
    assert_int_equal(add(&h, "10.0.0.1", 80, false, &id), LA_OK);
    assert_int_equal(add(&h, "10.0.0.1", 80, false, &id), LA_EADDRINUSE);
    assert_int_equal(add(&h, "10.0.0.1", 0, false, &id), LA_EINVAL);
    assert_int_equal(add(&h, "10.0.0.2", 80, false, &id), LA_OK);
    assert_int_equal(add(&h, "10.0.0.3", 80, false, &id), LA_ENOBUFS);
    hand_free(&h);
}

/* A complete handshake from port @rport. */
static void knock(struct hand *h, uint16_t rport)
{
    const struct tcp_flow f = { h->us, h->peer, h->lport, rport };

    h->rport = rport;
    hand_rx(h, "SYN rcv 0 wnd 1000");
    const struct index_entry e = tcp_lookup(h->t, &f, tcp_hash(h->t, &f));
    if (e.type == INDEX_HALF_OPEN) {
        h->iss = half_at(h->t, e.value)->iss;
        hand_rx(h, "ACK rcv 1 snd 1 wnd 1000");
    }
    hand_drain(h);
}

TEST(connections_are_accepted_in_the_order_they_were_established)
{
    for (int v6 = 0; v6 < 2; v6++) {
        struct hand h;
        struct la_accepted a;
        struct la_event e[4];

        hand_new(&h, &(struct hand_opt){ .v6 = v6 });
        hand_listen(&h);
        assert_int_equal(la_accept(h.s, h.now, h.listener, 0, &a), LA_EAGAIN);
        for (uint16_t i = 1; i <= 3; i++)
            knock(&h, i);
        assert_int_equal(la_events(h.s, e, 4), 1);
        assert_int_equal(e[0].kind, LA_EVENT_LISTENER);
        assert_int_equal(e[0].mask, LA_ACCEPTABLE);
        assert_int_equal(e[0].listener.bits, h.listener.bits);
        assert_int_equal(e[0].user, 7);
        for (uint16_t i = 1; i <= 3; i++) {
            assert_int_equal(la_accept(h.s, h.now, h.listener, 50 + i, &a), LA_OK);
            assert_int_equal(a.remote.port, i);
            assert_true(la_addr_equal(a.local.addr, h.us));
            assert_null(la_check(h.s));
        }
        assert_int_equal(la_accept(h.s, h.now, h.listener, 0, &a), LA_EAGAIN);
        hand_free(&h);
    }
}

TEST(each_queue_holds_one_more_than_its_backlog_as_on_linux)
{
    struct hand h;

    hand_new(&h, NULL);
    hand_listen(&h); /* backlog 4 */
    for (uint16_t i = 1; i <= 7; i++)
        knock(&h, i);
    assert_int_equal(listener_at(h.t, 0)->accept_len, 5);
    assert_int_equal(la_drops(h.s, LA_DROP_ACCEPT_QUEUE_FULL), 2);
    assert_int_equal(la_counter(h.s, LA_COUNT_ListenOverflows), 2);
    hand_free(&h);

    hand_new(&h, NULL);
    hand_listen(&h);
    for (h.rport = 1; h.rport <= 7; h.rport++)
        hand_rx(&h, "SYN rcv 0 wnd 1000");
    assert_int_equal(listener_at(h.t, 0)->half_len, 5);
    assert_int_equal(la_drops(h.s, LA_DROP_SYN_QUEUE_FULL), 2);
    assert_int_equal(la_counter(h.s, LA_COUNT_TCPReqQFullDrop), 2);
    hand_free(&h);
}

TEST(somaxconn_cuts_the_backlog)
{
    struct hand h;

    hand_new(&h, NULL);
    assert_int_equal(la_sysctl_set(h.s, "net.core.somaxconn", 0), LA_OK);
    hand_listen(&h);
    knock(&h, 1);
    knock(&h, 2);
    assert_int_equal(listener_at(h.t, 0)->accept_len, 1);
    hand_free(&h);
}

TEST(closing_a_listener_resets_those_who_wait_and_spares_the_accepted)
{
    struct hand h;
    struct la_accepted a;

    hand_new(&h, NULL);
    hand_listen(&h);
    for (uint16_t i = 1; i <= 3; i++)
        knock(&h, i);
    assert_int_equal(la_accept(h.s, h.now, h.listener, 0, &a), LA_OK);
    assert_int_equal(la_listener_close(h.s, h.now, h.listener), LA_OK);
    assert_int_equal(la_counter(h.s, LA_COUNT_OutRsts), 2);
    assert_int_equal(h.t->conns.used, 1);
    h.conn = a.conn;
    assert_int_equal(hand_state(&h), LA_ESTABLISHED);
    assert_int_equal(la_accept(h.s, h.now, h.listener, 0, &a), LA_EBADHANDLE);
    assert_null(la_check(h.s));
    hand_free(&h);
}

TEST(a_connection_reset_while_it_waits_is_still_accepted_and_tells_its_error)
{
    struct hand h;
    struct la_accepted a;

    hand_new(&h, NULL);
    hand_listen(&h);
    knock(&h, 1);
    hand_rx(&h, "RST rcv 1");
    assert_int_equal(la_accept(h.s, h.now, h.listener, 0, &a), LA_OK);
    assert_int_equal(la_conn_error(h.s, a.conn, NULL), LA_ECONNRESET);
    assert_int_equal(la_close(h.s, h.now, a.conn), LA_OK);
    assert_int_equal(h.t->conns.used, 0);
    assert_null(la_check(h.s));
    hand_free(&h);
}

TEST(what_is_accepted_inherits_the_listeners_options)
{
    struct hand h;
    struct la_accepted a;
    uint64_t value;

    hand_new(&h, NULL);
    hand_listen(&h);
    assert_int_equal(la_listener_set_option(h.s, h.listener, LA_OPT_TTL, 33), LA_OK);
    assert_int_equal(la_listener_set_option(h.s, h.listener, LA_OPT_NODELAY, 1), LA_OK);
    knock(&h, 1);
    assert_int_equal(la_accept(h.s, h.now, h.listener, 0, &a), LA_OK);
    assert_int_equal(la_get_option(h.s, a.conn, LA_OPT_TTL, &value), LA_OK);
    assert_int_equal(value, 33);
    assert_int_equal(la_get_option(h.s, a.conn, LA_OPT_NODELAY, &value), LA_OK);
    assert_int_equal(value, 1);
    hand_free(&h);
}

TEST_MAIN
