/* SPDX-License-Identifier: MIT */
/* listener_test.c - What setsockopt() and listen() make of a listener's queues. */
#include "tests/unit/base_test.h"

#include "tests/posix/net.h"

static int set(struct net *n, int side, int fd, int level, int name, int value)
{
    return la_sock_setsockopt(n->x[side], fd, level, name, &value, sizeof value);
}

static int member(struct net *n, uint16_t port, int reuse_port)
{
    const struct net_addr at = net_any(false, port);
    const int fd = la_socket(n->x[1], AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

    assert_int_equal(set(n, 1, fd, SOL_SOCKET, SO_REUSEPORT, reuse_port), 0);
    if (la_sock_bind(n->x[1], fd, NET(at)) != 0) {
        assert_int_equal(la_sock_close(n->x[1], fd), 0);
        return -1;
    }
    return fd;
}

static int visit(struct net *n, uint16_t port)
{
    const struct net_addr to = net_addr(n, 1, port);
    const int fd = la_socket(n->x[0], AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

    assert_int_equal(la_sock_connect(n->x[0], fd, NET(to)), -EINPROGRESS);
    net_turn(n);
    return fd;
}

TEST(sockets_with_reuseport_share_a_port_also_while_they_listen)
{
    static const struct {
        int a, b;
        bool listen_a;
        bool bind;
    } table[] = {
        { 1, 1, false, true },  { 1, 1, true, true },   { 1, 0, false, false },
        { 0, 1, false, false }, { 0, 0, false, false }, { 0, 1, true, false },
    };

    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct net *n = net_new(NULL);
        const int a = member(n, 80, table[i].a);

        assert_true(a >= 0);
        if (table[i].listen_a)
            assert_int_equal(la_sock_listen(n->x[1], a, 5), 0);
        const int b = member(n, 80, table[i].b);
        assert_int_equal(b >= 0, table[i].bind);
        if (table[i].bind) {
            assert_int_equal(la_sock_listen(n->x[1], a, 5), 0);
            assert_int_equal(la_sock_listen(n->x[1], b, 5), 0);
        }
        net_free(n);
    }
}

TEST(a_group_of_two_shares_the_visitors_and_each_accepts_its_own)
{
    struct net *n = net_new(NULL);
    const int fd[2] = { member(n, 80, 1), member(n, 80, 1) };
    uint32_t count[2] = { 0, 0 };
    int child;

    for (int i = 0; i < 2; i++)
        assert_int_equal(la_sock_listen(n->x[1], fd[i], 100), 0);
    for (int i = 0; i < 40; i++)
        (void)visit(n, 80);
    for (int i = 0; i < 2; i++)
        while ((child = la_sock_accept4(n->x[1], fd[i], NULL, NULL, 0)) >= 0) {
            count[i]++;
            assert_int_equal(net_option(n, 1, child, SOL_SOCKET, SO_REUSEPORT), 1);
        }
    assert_int_equal(count[0] + count[1], 40);
    assert_true(count[0] > 4 && count[1] > 4);
    net_free(n);
}

TEST(a_member_that_closes_resets_those_who_wait_with_it)
{
    struct net *n = net_new(NULL);
    const int first = member(n, 80, 1);
    int error;

    assert_int_equal(la_sock_listen(n->x[1], first, 5), 0);
    const int fd = visit(n, 80);
    const int second = member(n, 80, 1);
    assert_int_equal(la_sock_listen(n->x[1], second, 5), 0);
    assert_int_equal(la_sock_close(n->x[1], first), 0);
    net_turn(n);
    error = net_option(n, 0, fd, SOL_SOCKET, SO_ERROR);
    assert_int_equal(error, ECONNRESET);
    assert_int_equal(la_sock_accept4(n->x[1], second, NULL, NULL, 0), -EAGAIN);
    (void)visit(n, 80);
    assert_true(la_sock_accept4(n->x[1], second, NULL, NULL, 0) >= 0);
    net_free(n);
}

TEST(a_server_with_reuseport_restarts_beside_its_connections)
{
    for (int reuse = 0; reuse < 2; reuse++) {
        struct net *n = net_new(NULL);
        const int listener = member(n, 80, reuse);

        assert_int_equal(la_sock_listen(n->x[1], listener, 5), 0);
        (void)visit(n, 80);
        const int child = la_sock_accept4(n->x[1], listener, NULL, NULL, 0);
        assert_true(child >= 0);
        assert_int_equal(la_sock_close(n->x[1], listener), 0);
        assert_int_equal(member(n, 80, reuse) >= 0, reuse);
        net_free(n);
    }
}

TEST(defer_accept_reads_as_rounded_and_waits_for_text)
{
    struct net *n = net_new(NULL);
    const int listener = member(n, 80, 0);

    assert_int_equal(net_option(n, 1, listener, IPPROTO_TCP, TCP_DEFER_ACCEPT), 0);
    assert_int_equal(set(n, 1, listener, IPPROTO_TCP, TCP_DEFER_ACCEPT, -7), 0);
    assert_int_equal(net_option(n, 1, listener, IPPROTO_TCP, TCP_DEFER_ACCEPT), 0);
    assert_int_equal(set(n, 1, listener, IPPROTO_TCP, TCP_DEFER_ACCEPT, 8), 0);
    assert_int_equal(net_option(n, 1, listener, IPPROTO_TCP, TCP_DEFER_ACCEPT), 15);
    assert_int_equal(la_sock_listen(n->x[1], listener, 5), 0);
    const int fd = visit(n, 80);
    assert_int_equal(la_sock_accept4(n->x[1], listener, NULL, NULL, 0), -EAGAIN);
    assert_int_equal(net_poll(n, 1, listener) & POLLIN, 0);
    assert_int_equal(la_sock_send(n->x[0], fd, "x", 1, 0), 1);
    net_turn(n);
    assert_int_equal(net_poll(n, 1, listener) & POLLIN, POLLIN);
    const int child = la_sock_accept4(n->x[1], listener, NULL, NULL, 0);
    assert_true(child >= 0);
    assert_int_equal(net_option(n, 1, child, IPPROTO_TCP, TCP_DEFER_ACCEPT), 0);
    /* Switched off while it listens. */
    assert_int_equal(set(n, 1, listener, IPPROTO_TCP, TCP_DEFER_ACCEPT, 0), 0);
    (void)visit(n, 80);
    assert_true(la_sock_accept4(n->x[1], listener, NULL, NULL, 0) >= 0);
    net_free(n);
}

TEST(bind_looks_at_no_connection_whatever_may_be_shared)
{
    struct la_config config;

    la_config_default(&config);
    config.secret[0] = 1;
    config.short_v4 = config.short_v6 = 8192; /* a stack that has a table of ports */
    for (int share = 0; share < 4; share++) {
        struct net *n = net_new(&(struct net_opt){ .config = { &config, &config } });
        const struct net_addr any = net_any(false, 80), here = net_addr(n, 1, 80);
        const int listener = la_socket(n->x[1], AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        int fd[2];

        assert_int_equal(set(n, 1, listener, SOL_SOCKET, SO_REUSEADDR, share % 2), 0);
        assert_int_equal(set(n, 1, listener, SOL_SOCKET, SO_REUSEPORT, share / 2), 0);
        assert_int_equal(la_sock_bind(n->x[1], listener, NET(any)), 0);
        assert_int_equal(la_sock_listen(n->x[1], listener, 5), 0);
        net_pair(n, listener, 80, fd);
        assert_int_equal(la_sock_close(n->x[1], listener), 0);
        assert_int_equal(la_sock_close(n->x[1], fd[1]), 0); /* only the stack knows it now */
        for (int asks = 0; asks < 4; asks++)
            for (int wild = 0; wild < 2; wild++) {
                const int s = la_socket(n->x[1], AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

                assert_int_equal(set(n, 1, s, SOL_SOCKET, SO_REUSEADDR, asks % 2), 0);
                assert_int_equal(set(n, 1, s, SOL_SOCKET, SO_REUSEPORT, asks / 2), 0);
                assert_int_equal(la_sock_bind(n->x[1], s, NET(*(wild ? &any : &here))),
                                 (share & asks) != 0 ? 0 : -EADDRINUSE);
                assert_int_equal(la_sock_close(n->x[1], s), 0);
            }
        assert_int_equal(la_sockets_use(n->x[1]).port_walks, 0);
        net_free(n);
    }
}

TEST_MAIN
