/* SPDX-License-Identifier: MIT */
/* epoll_test.c - epoll: level, edge, one shot, exclusive, nested, and its errno. */
#include "tests/unit/base_test.h"

#include "tests/posix/net.h"

struct duo {
    struct net *n;
    struct la_sockets *a, *b;
    int listener, fd[2], ep;
};

static struct duo duo_new(void)
{
    struct duo d = { .n = net_new(NULL) };

    d.a = d.n->x[0];
    d.b = d.n->x[1];
    d.listener = net_listen(d.n, 80, 5);
    net_pair(d.n, d.listener, 80, d.fd);
    d.ep = la_epoll_create1(d.b, EPOLL_CLOEXEC);
    assert_true(d.ep >= 0);
    return d;
}

static int ctl(struct duo *d, int ep, int op, int fd, uint32_t events)
{
    struct epoll_event e = { .events = events, .data.u64 = (uint64_t)fd + 1000 };

    return la_epoll_ctl(d->b, ep, op, fd, &e);
}

/* The events of the only one that is ready; 0 if none is. */
static uint32_t wait_one(struct duo *d, int ep)
{
    struct epoll_event e[4];
    const int n = la_epoll_wait(d->b, ep, e, 4);

    assert_in_range(n, 0, 1);
    return n == 0 ? 0 : e[0].events;
}

static void say(struct duo *d, const char *text)
{
    assert_int_equal(la_sock_send(d->a, d->fd[0], text, strlen(text), 0), strlen(text));
    net_turn(d->n);
}

static void eat(struct duo *d, size_t len)
{
    char got[64];

    assert_int_equal(la_sock_recv(d->b, d->fd[1], got, len, 0), len);
}

TEST(a_level_is_told_as_long_as_it_holds)
{
    struct duo d = duo_new();

    assert_int_equal(ctl(&d, d.ep, EPOLL_CTL_ADD, d.fd[1], EPOLLIN), 0);
    assert_int_equal(wait_one(&d, d.ep), 0);
    say(&d, "abc");
    assert_int_equal(wait_one(&d, d.ep), EPOLLIN);
    eat(&d, 2);
    assert_int_equal(wait_one(&d, d.ep), EPOLLIN);
    eat(&d, 1);
    assert_int_equal(wait_one(&d, d.ep), 0);
    net_free(d.n);
}

TEST(an_edge_is_told_once_for_each_arrival)
{
    struct duo d = duo_new();

    assert_int_equal(ctl(&d, d.ep, EPOLL_CTL_ADD, d.fd[1], EPOLLIN | EPOLLOUT | EPOLLET), 0);
    assert_int_equal(wait_one(&d, d.ep), EPOLLOUT);
    assert_int_equal(wait_one(&d, d.ep), 0);
    say(&d, "abc");
    assert_int_equal(wait_one(&d, d.ep), EPOLLIN | EPOLLOUT);
    assert_int_equal(wait_one(&d, d.ep), 0);
    say(&d, "def"); /* though nothing was read */
    assert_int_equal(wait_one(&d, d.ep), EPOLLIN | EPOLLOUT);
    assert_int_equal(la_sock_shutdown(d.a, d.fd[0], SHUT_WR), 0);
    net_turn(d.n);
    assert_int_equal(wait_one(&d, d.ep), EPOLLIN | EPOLLOUT);
    assert_int_equal(wait_one(&d, d.ep), 0);
    net_free(d.n);
}

TEST(an_edge_for_writing_comes_only_after_there_was_no_room)
{
    struct duo d = duo_new();
    static uint8_t bytes[1 << 20];
    const int small = 10000;

    assert_int_equal(la_sock_setsockopt(d.b, d.fd[1], SOL_SOCKET, SO_SNDBUF, &small, 4), 0);
    assert_int_equal(ctl(&d, d.ep, EPOLL_CTL_ADD, d.fd[1], EPOLLOUT | EPOLLET), 0);
    assert_int_equal(wait_one(&d, d.ep), EPOLLOUT);
    assert_int_equal(la_sock_send(d.b, d.fd[1], bytes, 1000, 0), 1000);
    net_turn(d.n);
    say(&d, "abc");
    assert_int_equal(wait_one(&d, d.ep), 0);
    d.n->w->dead[0] = true;
    while (la_sock_send(d.b, d.fd[1], bytes, sizeof bytes, 0) > 0)
        continue;
    net_turn(d.n);
    assert_int_equal(wait_one(&d, d.ep), 0);
    d.n->w->dead[0] = false;
    net_run(d.n, 2000000000);
    assert_int_equal(wait_one(&d, d.ep), EPOLLOUT);
    assert_int_equal(wait_one(&d, d.ep), 0);
    net_free(d.n);
}

TEST(a_one_shot_fires_once_until_it_is_armed_again)
{
    struct duo d = duo_new();

    assert_int_equal(ctl(&d, d.ep, EPOLL_CTL_ADD, d.fd[1], EPOLLIN | EPOLLONESHOT), 0);
    say(&d, "abc");
    assert_int_equal(wait_one(&d, d.ep), EPOLLIN);
    say(&d, "def");
    assert_int_equal(la_sock_close(d.a, d.fd[0]), 0);
    net_turn(d.n);
    assert_int_equal(wait_one(&d, d.ep), 0);
    assert_int_equal(ctl(&d, d.ep, EPOLL_CTL_MOD, d.fd[1], EPOLLIN | EPOLLRDHUP | EPOLLONESHOT), 0);
    assert_int_equal(wait_one(&d, d.ep), EPOLLIN | EPOLLRDHUP);
    assert_int_equal(wait_one(&d, d.ep), 0);
    net_free(d.n);
}

TEST(errors_and_hang_ups_are_told_without_being_asked_for)
{
    struct duo d = duo_new();
    const struct linger hard = { .l_onoff = 1 };

    assert_int_equal(ctl(&d, d.ep, EPOLL_CTL_ADD, d.fd[1], 0), 0);
    say(&d, "abc");
    assert_int_equal(wait_one(&d, d.ep), 0);
    assert_int_equal(la_sock_setsockopt(d.a, d.fd[0], SOL_SOCKET, SO_LINGER, &hard, sizeof hard),
                     0);
    assert_int_equal(la_sock_close(d.a, d.fd[0]), 0);
    net_turn(d.n);
    assert_int_equal(wait_one(&d, d.ep), EPOLLERR | EPOLLHUP);
    net_free(d.n);
}

TEST(an_item_goes_with_its_descriptor_and_a_new_one_is_nobodys)
{
    struct duo d = duo_new();
    struct epoll_event e[4];
    int fd;

    assert_int_equal(ctl(&d, d.ep, EPOLL_CTL_ADD, d.fd[1], EPOLLIN), 0);
    say(&d, "abc");
    assert_int_equal(la_sock_close(d.b, d.fd[1]), 0);
    assert_int_equal(la_epoll_wait(d.b, d.ep, e, 4), 0);
    fd = la_socket(d.b, AF_INET, SOCK_STREAM, 0);
    assert_int_equal(fd, d.fd[1]);
    assert_int_equal(la_epoll_wait(d.b, d.ep, e, 4), 0);
    assert_int_equal(ctl(&d, d.ep, EPOLL_CTL_ADD, fd, EPOLLIN), 0);
    assert_int_equal(la_epoll_wait(d.b, d.ep, e, 4), 1);
    assert_int_equal(e[0].events, EPOLLHUP);
    assert_int_equal(e[0].data.u64, (uint64_t)fd + 1000);
    assert_int_equal(la_sock_close(d.b, d.ep), 0);
    assert_int_equal(la_epoll_wait(d.b, d.ep, e, 4), -EBADF);
    net_free(d.n);
}

TEST(who_is_ready_takes_turns)
{
    struct duo d = duo_new();
    struct epoll_event e;
    uint32_t seen[4] = { 0 };
    int fds[4];

    for (int i = 0; i < 4; i++) { /* unconnected sockets: ready at once */
        fds[i] = la_socket(d.b, AF_INET, SOCK_STREAM, 0);
        assert_int_equal(ctl(&d, d.ep, EPOLL_CTL_ADD, fds[i], EPOLLOUT), 0);
    }
    for (int i = 0; i < 12; i++) {
        assert_int_equal(la_epoll_wait(d.b, d.ep, &e, 1), 1);
        for (int j = 0; j < 4; j++)
            seen[j] += e.data.u64 == (uint64_t)fds[j] + 1000;
    }
    for (int j = 0; j < 4; j++)
        assert_int_equal(seen[j], 3);
    net_free(d.n);
}

TEST(epoll_calls_tell_what_is_wrong)
{
    struct duo d = duo_new();
    struct epoll_event e = { .events = EPOLLIN };

    assert_int_equal(la_epoll_create1(d.b, 1), -EINVAL);
    assert_int_equal(ctl(&d, d.ep, EPOLL_CTL_ADD, 99, EPOLLIN), -EBADF);
    assert_int_equal(ctl(&d, 99, EPOLL_CTL_ADD, d.fd[1], EPOLLIN), -EBADF);
    assert_int_equal(ctl(&d, d.fd[1], EPOLL_CTL_ADD, d.listener, EPOLLIN), -EINVAL);
    assert_int_equal(ctl(&d, d.ep, EPOLL_CTL_ADD, d.ep, EPOLLIN), -EINVAL);
    assert_int_equal(la_epoll_ctl(d.b, d.ep, EPOLL_CTL_ADD, d.fd[1], NULL), -EFAULT);
    assert_int_equal(ctl(&d, d.ep, 77, d.fd[1], EPOLLIN), -EINVAL);
    assert_int_equal(ctl(&d, d.ep, EPOLL_CTL_MOD, d.fd[1], EPOLLIN), -ENOENT);
    assert_int_equal(la_epoll_ctl(d.b, d.ep, EPOLL_CTL_DEL, d.fd[1], NULL), -ENOENT);
    assert_int_equal(ctl(&d, d.ep, EPOLL_CTL_ADD, d.fd[1], EPOLLIN), 0);
    assert_int_equal(ctl(&d, d.ep, EPOLL_CTL_ADD, d.fd[1], EPOLLIN), -EEXIST);
    assert_int_equal(la_epoll_ctl(d.b, d.ep, EPOLL_CTL_DEL, d.fd[1], NULL), 0);
    assert_int_equal(la_epoll_wait(d.b, d.fd[1], &e, 1), -EINVAL);
    assert_int_equal(la_epoll_wait(d.b, d.ep, &e, 0), -EINVAL);
    assert_int_equal(la_epoll_wait(d.b, d.ep, NULL, 1), -EFAULT);
    assert_int_equal(la_epoll_wait(d.b, 99, &e, 1), -EBADF);
    net_free(d.n);
}

TEST(exclusive_is_for_adding_sockets_and_never_changes)
{
    struct duo d = duo_new();
    const int other = la_epoll_create1(d.b, 0);

    assert_int_equal(ctl(&d, d.ep, EPOLL_CTL_ADD, other, EPOLLIN | EPOLLEXCLUSIVE), -EINVAL);
    assert_int_equal(ctl(&d, d.ep, EPOLL_CTL_ADD, d.listener, EPOLLRDHUP | EPOLLEXCLUSIVE),
                     -EINVAL);
    assert_int_equal(ctl(&d, d.ep, EPOLL_CTL_ADD, d.listener, EPOLLIN | EPOLLEXCLUSIVE), 0);
    assert_int_equal(ctl(&d, d.ep, EPOLL_CTL_MOD, d.listener, EPOLLIN | EPOLLEXCLUSIVE), -EINVAL);
    assert_int_equal(ctl(&d, d.ep, EPOLL_CTL_MOD, d.listener, EPOLLIN), -EINVAL);
    assert_int_equal(la_epoll_ctl(d.b, d.ep, EPOLL_CTL_DEL, d.listener, NULL), 0);
    net_free(d.n);
}

TEST(an_epoll_is_readable_while_something_in_it_is_ready)
{
    struct duo d = duo_new();
    int chain[6];

    chain[0] = d.ep;
    assert_int_equal(ctl(&d, d.ep, EPOLL_CTL_ADD, d.fd[1], EPOLLIN), 0);
    for (int i = 1; i < 4; i++) {
        chain[i] = la_epoll_create1(d.b, 0);
        assert_int_equal(ctl(&d, chain[i], EPOLL_CTL_ADD, chain[i - 1], EPOLLIN), 0);
    }
    assert_int_equal(net_poll(d.n, 1, chain[3]), 0);
    say(&d, "abc");
    assert_int_equal(net_poll(d.n, 1, chain[3]), POLLIN | POLLRDNORM);
    assert_int_equal(wait_one(&d, chain[3]), EPOLLIN);
    assert_int_equal(wait_one(&d, chain[0]), EPOLLIN);
    eat(&d, 3);
    assert_int_equal(wait_one(&d, chain[3]), 0);
    assert_int_equal(net_poll(d.n, 1, chain[2]), 0);
    assert_int_equal(ctl(&d, chain[0], EPOLL_CTL_ADD, chain[3], EPOLLIN), -ELOOP);
    net_free(d.n);
}

TEST(epolls_nest_no_deeper_than_on_linux)
{
    struct duo d = duo_new();
    int below = d.ep, depth = 0;

    for (; depth < 10; depth++) {
        const int above = la_epoll_create1(d.b, 0);
        const int r = ctl(&d, above, EPOLL_CTL_ADD, below, EPOLLIN);

        if (r != 0) {
            assert_int_equal(r, -ELOOP);
            break;
        }
        below = above;
    }
    assert_int_equal(depth, 4);
    net_free(d.n);
}

/* The oracle: a level is a pure function of state -------------------------------------------- */

#define ORACLE_FDS 12

struct oracle {
    struct duo d;
    uint64_t seed;
    int fd[2][ORACLE_FDS]; /* -1: none */
    int ep[2];
    uint32_t events[2][ORACLE_FDS]; /* what the epoll was asked; 0: not a member */
};

static uint32_t pick(struct oracle *o, uint32_t below)
{
    return (uint32_t)(rng_next(&o->seed) % below);
}

static void oracle_open(struct oracle *o, int side, uint32_t i)
{
    const struct net_addr to = net_addr(o->d.n, 1, 80);

    if (side == 1) {
        o->fd[1][i] = la_sock_accept4(o->d.b, o->d.listener, NULL, NULL, 0);
        if (o->fd[1][i] < 0)
            o->fd[1][i] = -1;
        return;
    }
    o->fd[0][i] = la_socket(o->d.a, AF_INET, SOCK_STREAM, 0);
    if (pick(o, 8) > 0)
        assert_int_equal(la_sock_connect(o->d.a, o->fd[0][i], NET(to)), -EINPROGRESS);
}

static void oracle_act(struct oracle *o)
{
    static uint8_t bytes[200000];
    const int side = (int)pick(o, 2);
    const uint32_t i = pick(o, ORACLE_FDS);
    struct la_sockets *x = o->d.n->x[side];
    const int fd = o->fd[side][i];
    struct epoll_event e = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP, .data.u64 = i };
    const struct linger hard = { .l_onoff = (int)pick(o, 2) };
    int value;
    uint32_t len = sizeof value;

    if (fd < 0) {
        oracle_open(o, side, i);
        return;
    }
    switch (pick(o, 10)) {
    case 0:
    case 1:
        (void)la_sock_send(x, fd, bytes, 1 + pick(o, pick(o, 4) == 0 ? sizeof bytes : 100), 0);
        break;
    case 2:
    case 3:
        (void)la_sock_recv(x, fd, bytes, 1 + pick(o, pick(o, 2) == 0 ? sizeof bytes : 50), 0);
        break;
    case 4:
        (void)la_sock_shutdown(x, fd, (int)pick(o, 3));
        break;
    case 5:
        (void)la_sock_setsockopt(x, fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
        assert_int_equal(la_sock_close(x, fd), 0);
        o->fd[side][i] = -1;
        o->events[side][i] = 0;
        break;
    case 6:
        (void)la_sock_getsockopt(x, fd, SOL_SOCKET, SO_ERROR, &value, &len);
        break;
    default:
        e.events = pick(o, 4) == 0 ? (uint32_t)EPOLLOUT : e.events;
        value = o->events[side][i] == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
        assert_int_equal(la_epoll_ctl(x, o->ep[side], value, fd, &e), 0);
        o->events[side][i] = e.events;
        break;
    }
}

/* epoll_wait() tells exactly those whose mask, looked at now, has something they asked for. */
static void oracle_compare(struct oracle *o)
{
    for (int side = 0; side < 2; side++) {
        struct epoll_event e[ORACLE_FDS + 1];
        uint32_t told[ORACLE_FDS] = { 0 };
        const int n = la_epoll_wait(o->d.n->x[side], o->ep[side], e, ORACLE_FDS + 1);

        for (int k = 0; k < n; k++)
            told[e[k].data.u64] = e[k].events;
        for (uint32_t i = 0; i < ORACLE_FDS; i++) {
            uint32_t mask = 0;

            if (o->events[side][i] != 0)
                mask = (uint32_t)net_poll(o->d.n, side, o->fd[side][i]) &
                       (o->events[side][i] | EPOLLERR | EPOLLHUP);
            assert_int_equal(told[i], mask);
        }
    }
}

TEST(after_each_event_a_level_is_what_the_state_says)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct oracle o = { .seed = seed };

        o.d = duo_new();
        o.ep[0] = la_epoll_create1(o.d.a, 0);
        o.ep[1] = la_epoll_create1(o.d.b, 0);
        for (int side = 0; side < 2; side++)
            for (uint32_t i = 0; i < ORACLE_FDS; i++)
                o.fd[side][i] = -1;
        for (int step = 0; step < 1000; step++) {
            oracle_act(&o);
            oracle_compare(&o);
            if (pick(&o, 3) > 0)
                net_turn(o.d.n);
            if (pick(&o, 20) == 0)
                net_run(o.d.n, pick(&o, 3000) * UINT64_C(1000000));
            if (pick(&o, 100) == 0)
                o.d.n->w->dead[pick(&o, 2)] ^= true;
            oracle_compare(&o);
        }
        net_free(o.d.n);
    }
}

/* An edge must never be lost: whoever drains on each edge ends up with all there is. */
TEST(who_drains_on_each_edge_misses_nothing)
{
    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct duo d = duo_new();
        uint64_t rng = seed, sent = 0, got = 0;
        static uint8_t bytes[30000];
        struct epoll_event e = { .events = EPOLLIN | EPOLLET };

        assert_int_equal(la_epoll_ctl(d.b, d.ep, EPOLL_CTL_ADD, d.fd[1], &e), 0);
        for (int step = 0; step < 500; step++) {
            int64_t n;

            n = la_sock_send(d.a, d.fd[0], bytes, 1 + rng_next(&rng) % sizeof bytes, 0);
            sent += n > 0 ? (uint64_t)n : 0;
            net_turn(d.n);
            if (rng_next(&rng) % 3 == 0)
                net_run(d.n, 50000000);
            if (la_epoll_wait(d.b, d.ep, &e, 1) == 1)
                while ((n = la_sock_recv(d.b, d.fd[1], bytes, sizeof bytes, 0)) > 0)
                    got += (uint64_t)n;
        }
        for (int i = 0; i < 40; i++) {
            int64_t n;

            net_run(d.n, 500000000);
            if (la_epoll_wait(d.b, d.ep, &e, 1) == 1)
                while ((n = la_sock_recv(d.b, d.fd[1], bytes, sizeof bytes, 0)) > 0)
                    got += (uint64_t)n;
        }
        assert_int_equal(got, sent);
        net_free(d.n);
    }
}

TEST_MAIN
