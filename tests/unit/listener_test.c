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
    assert_int_equal(la_sysctl_set(h.s, "net.ipv4.tcp_syncookies", 0), LA_OK);
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

static struct la_listener_info info(const struct hand *h)
{
    struct la_listener_info out;

    assert_int_equal(la_listener_info(h->s, h->listener, &out), LA_OK);
    return out;
}

TEST(a_changed_somaxconn_waits_for_the_next_call)
{
    struct hand h;

    hand_new(&h, NULL);
    hand_listen(&h);
    assert_int_equal(la_sysctl_set(h.s, "net.core.somaxconn", 1), LA_OK);
    assert_int_equal(info(&h).limit, 4);
    assert_int_equal(la_listener_set_backlog(h.s, h.listener, 9), LA_OK);
    assert_int_equal(info(&h).limit, 1);
    hand_free(&h);
}

TEST(how_long_connections_wait_to_be_accepted_can_be_seen)
{
    static const uint64_t waits_us[] = { 0,       999,     1000,    1999,     2000,    4095999,
                                         4096000, 8191999, 8192000, 16383999, 99000000 };
    static const uint32_t class[] = { 0, 0, 1, 1, 2, 12, 13, 13, 14, 14, 14 };
    struct hand h;
    struct la_accepted a;

    hand_new(&h, NULL);
    hand_listen(&h);
    assert_int_equal(info(&h).oldest_wait_ns, 0);
    for (uint32_t i = 0; i < LA_COUNT_OF(waits_us); i++) {
        const uint64_t before = info(&h).waits[class[i]];

        knock(&h, (uint16_t)(100 + i));
        hand_wait(&h, waits_us[i] * NS_PER_US);
        assert_int_equal(info(&h).oldest_wait_ns, waits_us[i] * NS_PER_US);
        assert_int_equal(la_accept(h.s, h.now, h.listener, 0, &a), LA_OK);
        assert_int_equal(info(&h).waits[class[i]], before + 1);
        assert_int_equal(info(&h).oldest_wait_ns, 0);
    }
    assert_int_equal(info(&h).accepted, LA_COUNT_OF(waits_us));
    assert_int_equal(info(&h).accept_max, 1);
    hand_free(&h);
}

TEST(a_listener_whose_application_accepts_nothing_shows_it)
{
    struct hand h;

    hand_new(&h, NULL);
    hand_listen(&h); /* backlog 4 */
    for (uint16_t i = 1; i <= 8; i++) {
        knock(&h, i);
        hand_wait(&h, NS_PER_S);
    }
    assert_int_equal(info(&h).accept_len, 5);
    assert_int_equal(info(&h).accept_max, 5);
    assert_int_equal(info(&h).accepted, 0);
    assert_int_equal(info(&h).overflows, 3);
    assert_int_equal(info(&h).drops, 3);
    assert_int_equal(info(&h).oldest_wait_ns, 8 * NS_PER_S);
    hand_free(&h);
}

TEST(young_and_acknowledged_records_are_told_apart)
{
    struct hand h;

    hand_new(&h, NULL);
    hand_listen(&h);
    for (h.rport = 1; h.rport <= 2; h.rport++)
        hand_rx(&h, "SYN rcv 0 wnd 1000");
    hand_wait(&h, 1500 * NS_PER_MS);
    knock(&h, 3);
    assert_int_equal(la_listener_set_backlog(h.s, h.listener, 0), LA_OK);
    assert_int_equal(info(&h).half_len, 2);
    assert_int_equal(info(&h).young_len, 0);
    assert_int_equal(info(&h).acked_len, 0);
    knock(&h, 1); /* the SYN again, then the ACK: there is no room */
    assert_int_equal(info(&h).acked_len, 1);
    assert_int_equal(info(&h).half_len, 2);
    assert_null(la_check(h.s));
    hand_free(&h);
}

static enum la_err join(struct hand *h, bool reuse_port, la_listener_id *out)
{
    const struct la_listen_config config = {
        .local = la_prefix_host(h->us),
        .port = h->lport,
        .backlog = 1000,
        .reuse_port = reuse_port,
    };
    return la_listen(h->s, h->now, &config, out);
}

static struct hand start_group(la_listener_id id[4])
{
    struct la_config config;
    struct hand h;

    hand_config(&config);
    config.listeners = 5;
    config.connections = 2000;
    hand_new(&h, &(struct hand_opt){ .config = &config });
    for (uint32_t i = 0; i < 4; i++)
        assert_int_equal(join(&h, true, &id[i]), LA_OK);
    return h;
}

static uint32_t chosen(struct hand *h, uint16_t rport)
{
    const struct tcp_flow f = { h->us, h->peer, h->lport, rport };

    return listener_choose(h->t, listener_lookup(h->t, h->us, h->lport), tcp_hash(h->t, &f));
}

TEST(listeners_of_one_port_must_all_have_reuse_port)
{
    la_listener_id id[4], other;
    struct hand h = start_group(id);

    assert_int_equal(join(&h, false, &other), LA_EADDRINUSE);
    hand_free(&h);

    hand_new(&h, NULL);
    assert_int_equal(join(&h, false, &other), LA_OK);
    assert_int_equal(join(&h, true, &other), LA_EADDRINUSE);
    hand_free(&h);
}

TEST(a_group_shares_fairly_and_a_member_that_goes_moves_only_its_own_share)
{
    la_listener_id id[4];
    struct hand h = start_group(id);
    uint32_t before[1000], count[5] = { 0 };

    for (uint16_t i = 0; i < 1000; i++) {
        before[i] = chosen(&h, (uint16_t)(i + 1));
        count[before[i]]++;
        knock(&h, (uint16_t)(i + 1));
    }
    for (uint32_t i = 0; i < 4; i++) {
        const uint32_t li = (uint32_t)id[i].bits;

        assert_in_range(count[li], 180, 320);
        assert_int_equal(listener_at(h.t, li)->accept_len, count[li]);
    }
    assert_int_equal(la_listener_close(h.s, h.now, id[1]), LA_OK);
    assert_int_equal(la_counter(h.s, LA_COUNT_EstabResets), count[(uint32_t)id[1].bits]);
    for (uint16_t i = 0; i < 1000; i++) {
        const uint32_t now = chosen(&h, (uint16_t)(i + 1));

        assert_int_not_equal(now, (uint32_t)id[1].bits);
        if (before[i] != (uint32_t)id[1].bits)
            assert_int_equal(now, before[i]);
    }
    assert_null(la_check(h.s));
    hand_free(&h);
}

TEST(a_half_open_connection_stays_with_the_member_that_answered)
{
    la_listener_id id[4], late;
    struct hand h = start_group(id);

    for (uint16_t port = 1; port <= 64; port++) {
        const uint32_t first = chosen(&h, port);

        h.rport = port;
        hand_rx(&h, "SYN rcv 0 wnd 1000");
        assert_int_equal(join(&h, true, &late), LA_OK);
        knock(&h, port); /* the SYN again, then the ACK */
        assert_int_equal(listener_at(h.t, (uint32_t)late.bits)->accept_len, 0);
        assert_true(listener_at(h.t, first)->accept_len > 0);
        assert_int_equal(la_listener_close(h.s, h.now, late), LA_OK);
    }
    hand_free(&h);
}

TEST(defer_accept_is_a_listeners_and_rounds_up_to_whole_repeats)
{
    static const uint32_t table[][2] = {
        { 0, 0 },     { 1, 1 },       { 2, 3 },
        { 3, 3 },     { 4, 7 },       { 127, 127 },
        { 128, 247 }, { 1000, 1087 }, { INT32_MAX, 29887 },
    };
    struct hand h;
    uint64_t value;

    hand_new(&h, NULL);
    hand_listen(&h);
    for (uint32_t i = 0; i < LA_COUNT_OF(table); i++) {
        assert_int_equal(la_listener_set_option(h.s, h.listener, LA_OPT_DEFER_ACCEPT, table[i][0]),
                         LA_OK);
        assert_int_equal(la_listener_get_option(h.s, h.listener, LA_OPT_DEFER_ACCEPT, &value),
                         LA_OK);
        assert_int_equal(value, table[i][1]);
    }
    assert_int_equal(
        la_listener_set_option(h.s, h.listener, LA_OPT_DEFER_ACCEPT, UINT64_C(1) << 31), LA_EINVAL);
    hand_open(&h);
    assert_int_equal(la_set_option(h.s, h.now, h.conn, LA_OPT_DEFER_ACCEPT, 1), LA_ENOPROTOOPT);
    assert_int_equal(la_get_option(h.s, h.conn, LA_OPT_DEFER_ACCEPT, &value), LA_ENOPROTOOPT);
    hand_free(&h);
}

TEST(a_group_is_of_one_port_one_prefix_and_one_kind)
{
    static const char *const locals[] = { "192.0.2.0/24", "192.0.3.0/24", "192.0.2.0/25" };
    struct la_config sizes;
    struct hand h;

    hand_config(&sizes);
    sizes.listeners = 16;
    hand_new(&h, &(struct hand_opt){ .config = &sizes });
    la_listener_id id[5];
    for (uint32_t i = 0; i < 5; i++) {
        struct la_listen_config config = { .port = 80, .backlog = 3, .reuse_port = true };

        config.v6_only = i == 3;
        if (i < 3)
            assert_true(la_prefix_parse(locals[i], false, &config.local));
        else
            config.local = la_prefix_any();
        assert_int_equal(la_listen(h.s, h.now, &config, &id[i]), LA_OK);
    }
    const struct {
        const char *to;
        uint32_t gets;
    } cases[] = {
        { "192.0.2.200", 0 }, { "192.0.3.1", 1 }, { "192.0.2.1", 2 }, { "198.51.100.1", 4 }
    };
    for (uint32_t i = 0; i < LA_COUNT_OF(cases); i++) {
        for (uint32_t k = 0; k < 50; k++) /* whatever the hash: there is one in each group */
            assert_int_equal(
                listener_choose(h.t, who(&h, cases[i].to, 80), k * UINT32_C(2654435761)),
                slot_of(id[cases[i].gets]));
    }
    hand_free(&h);
}

TEST_MAIN
