/* SPDX-License-Identifier: MIT */
/* ends_test.c - shutdown, close and linger; full tables; fcntl and ioctl. */
#include "tests/unit/base_test.h"

#include "tests/posix/net.h"

#define IN (POLLIN | POLLRDNORM)
#define OUT (POLLOUT | POLLWRNORM)

static int own(struct net *n, int side)
{
    return la_socket(n->x[side], n->w->v6 ? AF_INET6 : AF_INET, SOCK_STREAM, 0);
}

TEST(shutdown_ends_one_direction_or_both)
{
    struct net *n = net_new(NULL);
    const int listener = net_listen(n, 80, 5), idle = own(n, 0);
    char byte;
    int fd[2];

    assert_int_equal(la_sock_shutdown(n->x[0], idle, SHUT_WR), -ENOTCONN);
    net_pair(n, listener, 80, fd);
    assert_int_equal(la_sock_shutdown(n->x[0], fd[0], 3), -EINVAL);
    assert_int_equal(la_sock_shutdown(n->x[0], fd[0], SHUT_WR), 0);
    assert_int_equal(la_sock_send(n->x[0], fd[0], "x", 1, 0), -EPIPE);
    net_turn(n);
    assert_int_equal(net_poll(n, 1, fd[1]), IN | OUT | POLLRDHUP);
    assert_int_equal(la_sock_recv(n->x[1], fd[1], &byte, 1, 0), 0);
    assert_int_equal(la_sock_send(n->x[1], fd[1], "y", 1, 0), 1);
    net_turn(n);
    assert_int_equal(la_sock_shutdown(n->x[0], fd[0], SHUT_RD), 0);
    assert_int_equal(net_poll(n, 0, fd[0]), IN | OUT | POLLHUP | POLLRDHUP);
    assert_int_equal(la_sock_recv(n->x[0], fd[0], &byte, 1, 0), 1); /* what came stays */
    assert_int_equal(la_sock_recv(n->x[0], fd[0], &byte, 1, 0), 0);
    assert_int_equal(la_sock_shutdown(n->x[1], fd[1], SHUT_RDWR), 0);
    net_turn(n);
    assert_int_equal(la_sock_shutdown(n->x[1], fd[1], SHUT_RDWR), -ENOTCONN); /* it is over */
    net_free(n);
}

TEST(close_with_linger_zero_resets_the_peer)
{
    struct net *n = net_new(NULL);
    const struct linger hard = { .l_onoff = 1, .l_linger = 0 };
    const int listener = net_listen(n, 80, 5);
    char byte;
    int fd[2];

    net_pair(n, listener, 80, fd);
    assert_int_equal(la_sock_setsockopt(n->x[0], fd[0], SOL_SOCKET, SO_LINGER, &hard, sizeof hard),
                     0);
    assert_int_equal(la_sock_close(n->x[0], fd[0]), 0);
    net_turn(n);
    assert_int_equal(net_poll(n, 1, fd[1]), IN | OUT | POLLERR | POLLHUP | POLLRDHUP);
    assert_int_equal(la_sock_recv(n->x[1], fd[1], &byte, 1, 0), -ECONNRESET);
    assert_int_equal(la_sock_recv(n->x[1], fd[1], &byte, 1, 0), 0);
    assert_int_equal(la_sock_send(n->x[1], fd[1], &byte, 1, 0), -EPIPE);
    net_free(n);
}

TEST(close_that_lingers_is_in_progress_until_all_is_acknowledged_or_time_is_up)
{
    const struct linger soft = { .l_onoff = 1, .l_linger = 5 };

    for (int dead = 0; dead < 2; dead++) {
        struct net *n = net_new(NULL);
        struct la_sockets *x = n->x[0];
        const int listener = net_listen(n, 80, 5);
        char byte;
        int fd[2];

        net_pair(n, listener, 80, fd);
        assert_int_equal(la_sock_setsockopt(x, fd[0], SOL_SOCKET, SO_LINGER, &soft, sizeof soft),
                         0);
        assert_int_equal(la_sock_send(x, fd[0], "bye", 3, 0), 3);
        n->w->dead[1] = dead;
        assert_int_equal(la_sock_close(x, fd[0]), -EINPROGRESS);
        assert_int_equal(la_sock_send(x, fd[0], "x", 1, 0), -EBADF);
        assert_int_equal(la_sock_recv(x, fd[0], &byte, 1, 0), -EBADF);
        assert_int_equal(net_poll(n, 0, fd[0]), 0);
        if (dead) {
            net_run(n, 4900000000);
            assert_int_equal(net_poll(n, 0, fd[0]), 0);
            net_run(n, 100000000);
        } else {
            net_turn(n);
        }
        assert_int_equal(net_poll(n, 0, fd[0]), POLLHUP);
        assert_int_equal(la_sock_close(x, fd[0]), 0);
        assert_int_equal(la_sock_close(x, fd[0]), -EBADF);
        net_free(n);
    }
}

TEST(a_table_that_is_full_is_said)
{
    struct la_config config;
    struct net *n;
    struct net_addr to;
    int fd;

    w2_config(&config);
    config.connections = 2;
    config.listeners = 1;
    n = net_new(&(struct net_opt){ .config = { &config, NULL } });
    to = net_addr(n, 1, 80);
    for (int i = 0; i < 2; i++)
        assert_int_equal(la_sock_connect(n->x[0], own(n, 0), NET(to)), -EINPROGRESS);
    fd = own(n, 0);
    assert_int_equal(la_sock_connect(n->x[0], fd, NET(to)), -ENOBUFS);
    assert_int_equal(la_sock_listen(n->x[0], fd, 1), 0);
    assert_int_equal(la_sock_listen(n->x[0], own(n, 0), 1), -ENOBUFS);
    net_free(n);
}

TEST(fcntl_and_ioctl_do_what_they_do_for_sockets_and_refuse_the_rest)
{
    struct net *n = net_new(NULL);
    struct la_sockets *x = n->x[0];
    const int listener = net_listen(n, 80, 5);
    int fd[2], value = 1;

    net_pair(n, listener, 80, fd);
    assert_int_equal(la_sock_ioctl(x, fd[0], FIONBIO, &value), 0);
    assert_int_equal(la_sock_fcntl(x, fd[0], F_GETFL, 0), O_RDWR | O_NONBLOCK);
    assert_int_equal(la_sock_fcntl(x, fd[0], F_SETFL, 0), 0);
    assert_int_equal(la_sock_fcntl(x, fd[0], F_GETFL, 0), O_RDWR);
    assert_int_equal(la_sock_fcntl(x, fd[0], F_SETFL, O_ASYNC), -EINVAL);
    assert_int_equal(la_sock_fcntl(x, fd[0], F_DUPFD, 0), -EINVAL);
    assert_int_equal(la_sock_ioctl(x, fd[0], FIOCLEX, NULL), 0);
    assert_int_equal(la_sock_fcntl(x, fd[0], F_GETFD, 0), FD_CLOEXEC);
    assert_int_equal(la_sock_ioctl(x, fd[0], SIOCATMARK, &value), -ENOTTY);
    assert_int_equal(la_sock_send(x, fd[0], "hello", 5, 0), 5);
    assert_int_equal(la_sock_ioctl(x, fd[0], SIOCOUTQ, &value), 0);
    assert_int_equal(value, 5);
    assert_int_equal(la_sock_ioctl(x, fd[0], SIOCOUTQNSD, &value), 0);
    assert_int_equal(value, 5);
    net_turn(n);
    assert_int_equal(la_sock_ioctl(n->x[1], fd[1], FIONREAD, &value), 0);
    assert_int_equal(value, 5);
    assert_int_equal(la_sock_ioctl(n->x[1], listener, FIONREAD, &value), -EINVAL);
    assert_int_equal(la_sock_ioctl(x, fd[0], FIONREAD, NULL), -EFAULT);
    net_free(n);
}

TEST_MAIN
