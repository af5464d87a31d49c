/* SPDX-License-Identifier: MIT */
/*
 * echo_test.c - An epoll-based echo server on the face that does not wait, with 10,000
 * connections at a time, in virtual time.
 */
#include "tests/unit/base_test.h"

#include "tests/posix/net.h"

#define MANY 10000
#define BATCH 1000
#define EVENTS 64

struct server {
    struct la_sockets *x;
    int listener, ep;
    uint32_t open;
    bool edge;
};

static void server_start(struct server *s, struct net *n, bool edge)
{
    struct epoll_event e = { .events = EPOLLIN };

    s->x = n->x[1];
    s->edge = edge;
    s->listener = net_listen(n, 80, 4096);
    s->ep = la_epoll_create1(s->x, 0);
    e.data.fd = s->listener;
    assert_int_equal(la_epoll_ctl(s->x, s->ep, EPOLL_CTL_ADD, s->listener, &e), 0);
}

static void server_accept(struct server *s)
{
    int fd;

    while ((fd = la_sock_accept4(s->x, s->listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        struct epoll_event e = { .events = EPOLLIN | (s->edge ? (uint32_t)EPOLLET : 0),
                                 .data.fd = fd };

        assert_int_equal(la_epoll_ctl(s->x, s->ep, EPOLL_CTL_ADD, fd, &e), 0);
        s->open++;
    }
    assert_int_equal(fd, -EAGAIN);
}

static void server_echo(struct server *s, int fd)
{
    uint8_t buffer[512];
    int64_t n;

    while ((n = la_sock_read(s->x, fd, buffer, sizeof buffer)) > 0)
        assert_int_equal(la_sock_write(s->x, fd, buffer, (size_t)n), n);
    if (n == 0) {
        assert_int_equal(la_sock_close(s->x, fd), 0);
        s->open--;
    } else {
        assert_int_equal(n, -EAGAIN);
    }
}

static void server_turn(struct server *s)
{
    struct epoll_event e[EVENTS];
    int n;

    while ((n = la_epoll_wait(s->x, s->ep, e, EVENTS)) > 0)
        for (int i = 0; i < n; i++) {
            if (e[i].data.fd == s->listener)
                server_accept(s);
            else
                server_echo(s, e[i].data.fd);
        }
    assert_int_equal(n, 0);
}

/* Until both have nothing more to say. */
static void turn(struct net *n, struct server *s)
{
    net_turn(n);
    server_turn(s);
    net_turn(n);
}

static struct net *net_for_many(bool v6)
{
    static struct la_config config;

    w2_config(&config);
    config.connections = MANY + 10;
    config.half_open_v4 = config.half_open_v6 = 2 * BATCH;
    config.short_v4 = config.short_v6 = MANY + 10;
    config.chunk_bytes = 512;
    config.chunks = 8 * BATCH;
    config.reply_slots = 4096;
    return net_new(
        &(struct net_opt){ .v6 = v6, .nofile = MANY + 10, .config = { &config, &config } });
}

static void open_batch(struct net *n, struct server *s, int *fd)
{
    const struct net_addr to = net_addr(n, 1, 80);

    for (int i = 0; i < BATCH; i++) {
        fd[i] = la_socket(n->x[0], n->w->v6 ? AF_INET6 : AF_INET, SOCK_STREAM, 0);
        assert_int_equal(la_sock_connect(n->x[0], fd[i], NET(to)), -EINPROGRESS);
    }
    turn(n, s);
    for (int i = 0; i < BATCH; i++)
        assert_int_equal(la_sock_connect(n->x[0], fd[i], NET(to)), 0);
}

static void echo_batch(struct net *n, struct server *s, const int *fd)
{
    for (int i = 0; i < BATCH; i++)
        assert_int_equal(la_sock_send(n->x[0], fd[i], &i, sizeof i, 0), sizeof i);
    turn(n, s);
    for (int i = 0; i < BATCH; i++) {
        int got = -1;

        assert_int_equal(la_sock_recv(n->x[0], fd[i], &got, sizeof got, 0), sizeof got);
        assert_int_equal(got, i);
    }
}

TEST(an_epoll_echo_server_holds_ten_thousand_connections)
{
    for (int kind = 0; kind < 4; kind++) {
        struct net *n = net_for_many(kind & 1);
        struct server s = { .open = 0 };
        static int fd[MANY];

        server_start(&s, n, kind & 2);
        for (int i = 0; i < MANY; i += BATCH)
            open_batch(n, &s, fd + i);
        assert_int_equal(s.open, MANY);
        for (int i = 0; i < MANY; i += BATCH)
            echo_batch(n, &s, fd + i);
        for (int i = 0; i < MANY; i += BATCH) {
            for (int j = i; j < i + BATCH; j++)
                assert_int_equal(la_sock_close(n->x[0], fd[j]), 0);
            turn(n, &s);
        }
        assert_int_equal(s.open, 0);
        assert_int_equal(la_sockets_use(n->x[1]).open, 2);
        assert_int_equal(la_sockets_use(n->x[1]).open_max, MANY + 2);
        net_run(n, 61000000000);
        assert_int_equal(w2_held(n->w, 0), 0);
        net_free(n);
    }
}

TEST_MAIN
