/* SPDX-License-Identifier: MIT */
/* calls_test.c - Each call of a socket's life, and each errno it can give. */
#include "tests/unit/base_test.h"

#include "tests/posix/net.h"

#include "posix/sockets.h"

#define IN (POLLIN | POLLRDNORM)
#define OUT (POLLOUT | POLLWRNORM)

static int tcp(struct net *n, int side, int domain)
{
    return la_socket(n->x[side], domain, SOCK_STREAM, 0);
}

static int own(struct net *n, int side)
{
    return tcp(n, side, n->w->v6 ? AF_INET6 : AF_INET);
}

TEST(every_error_of_the_core_has_an_errno)
{
    assert_int_equal(la_errno(LA_OK), 0);
#define LA_ERROR(name, value, text) assert_int_equal(la_errno(LA_##name) == EIO, 0);
#include <lastack/errors.def>
#undef LA_ERROR
    assert_int_equal(la_errno((enum la_err) - 1000), EIO);
    assert_int_equal(la_errno(LA_ECONNREFUSED), ECONNREFUSED);
    assert_int_equal(la_errno(LA_ETIMEDOUT), ETIMEDOUT);
}

TEST(socket_refuses_what_it_is_not)
{
    struct net *n = net_new(NULL);
    struct la_sockets *x = n->x[0];

    assert_int_equal(la_socket(x, AF_UNIX, SOCK_STREAM, 0), -EAFNOSUPPORT);
    assert_int_equal(la_socket(x, -1, SOCK_STREAM, 0), -EAFNOSUPPORT);
    assert_int_equal(la_socket(x, 1000, SOCK_STREAM, 0), -EAFNOSUPPORT);
    assert_int_equal(la_socket(x, AF_INET, SOCK_DGRAM, 0), -ESOCKTNOSUPPORT);
    assert_int_equal(la_socket(x, AF_INET, SOCK_STREAM, IPPROTO_UDP), -EPROTONOSUPPORT);
    assert_int_equal(la_socket(x, AF_INET, SOCK_STREAM, 1000), -EINVAL);
    assert_int_equal(la_socket(x, AF_INET, 15, 0), -EINVAL);
    assert_int_equal(la_socket(x, AF_INET, SOCK_STREAM | 0x40000, 0), -EINVAL);
    assert_int_equal(la_socket(x, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, IPPROTO_TCP), 0);
    assert_int_equal(la_sock_fcntl(x, 0, F_GETFL, 0), O_RDWR | O_NONBLOCK);
    assert_int_equal(la_socket(x, AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0), 1);
    assert_int_equal(la_sock_fcntl(x, 1, F_GETFD, 0), FD_CLOEXEC);
    net_free(n);
}

TEST(the_lowest_number_is_given_and_emfile_beyond_the_limit)
{
    struct net *n = net_new(&(struct net_opt){ .nofile = 3 });
    struct la_sockets *x = n->x[0];

    for (int i = 0; i < 3; i++)
        assert_int_equal(tcp(n, 0, AF_INET), i);
    assert_int_equal(tcp(n, 0, AF_INET), -EMFILE);
    assert_int_equal(la_epoll_create1(x, 0), -EMFILE);
    assert_int_equal(la_sock_close(x, 1), 0);
    assert_int_equal(tcp(n, 0, AF_INET), 1);
    assert_int_equal(la_sockets_set_nofile(x, 4), 0);
    assert_int_equal(tcp(n, 0, AF_INET), 3);
    assert_int_equal(la_sockets_use(x).refused, 2);
    assert_int_equal(la_sockets_use(x).open_max, 4);
    assert_int_equal(la_sockets_set_nofile(x, LA_NOFILE_MAX + 1), -EINVAL);
    assert_int_equal(la_sock_close(x, 7), -EBADF);
    assert_int_equal(la_sock_close(x, -1), -EBADF);
    net_free(n);
}

TEST(a_map_of_numbers_gives_the_lowest_at_every_size)
{
    static const uint32_t sizes[] = { 1, 63, 64, 65, 4096, 4097, 5000 };

    for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; k++) {
        uint64_t seed = k;
        struct fdmap map;
        bool taken[5000] = { false };

        assert_true(fdmap_init(&map, sizes[k]));
        for (uint32_t i = 0; i < sizes[k]; i++)
            assert_int_equal(fdmap_take(&map, sizes[k]), i);
        assert_true(fdmap_full(&map, sizes[k]));
        assert_int_equal(fdmap_take(&map, UINT32_MAX), UINT32_MAX);
        for (uint32_t i = 0; i < sizes[k]; i++)
            taken[i] = true;
        for (int step = 0; step < 3000; step++) {
            const uint32_t i = (uint32_t)(rng_next(&seed) % sizes[k]);
            uint32_t lowest = 0;

            if (taken[i]) {
                fdmap_give(&map, i);
                taken[i] = false;
                continue;
            }
            while (taken[lowest])
                lowest++;
            assert_int_equal(fdmap_take(&map, sizes[k]), lowest);
            taken[lowest] = true;
        }
        fdmap_free(&map);
    }
}

TEST(calls_tell_a_bad_descriptor_from_one_that_is_no_socket)
{
    struct net *n = net_new(NULL);
    struct la_sockets *x = n->x[0];
    const struct net_addr a = net_addr(n, 0, 80);
    const int ep = la_epoll_create1(x, 0);
    char byte = 0;

    assert_int_equal(la_sock_bind(x, 99, NET(a)), -EBADF);
    assert_int_equal(la_sock_bind(x, ep, NET(a)), -ENOTSOCK);
    assert_int_equal(la_sock_listen(x, ep, 1), -ENOTSOCK);
    assert_int_equal(la_sock_connect(x, ep, NET(a)), -ENOTSOCK);
    assert_int_equal(la_sock_accept4(x, ep, NULL, NULL, 0), -ENOTSOCK);
    assert_int_equal(la_sock_accept4(x, 99, NULL, NULL, 0), -EBADF);
    assert_int_equal(la_sock_recv(x, ep, &byte, 1, 0), -ENOTSOCK);
    assert_int_equal(la_sock_read(x, ep, &byte, 1), -EINVAL);
    assert_int_equal(la_sock_read(x, 99, &byte, 1), -EBADF);
    assert_int_equal(la_sock_shutdown(x, 99, SHUT_RD), -EBADF);
    assert_int_equal(la_sock_fcntl(x, 99, F_GETFL, 0), -EBADF);
    assert_int_equal(la_sock_ioctl(x, ep, FIONREAD, &byte), -ENOTTY);
    net_free(n);
}

TEST(bind_says_what_is_wrong_with_an_address)
{
    for (int v6 = 0; v6 < 2; v6++) {
        struct net *n = net_new(&(struct net_opt){ .v6 = v6 });
        struct la_sockets *x = n->x[0];
        struct net_addr a = net_addr(n, 0, 80);
        const struct net_addr other = net_addr(n, 1, 80);
        const struct net_addr wrong = net_any(!v6, 80);
        const int fd = own(n, 0);

        assert_int_equal(la_sock_bind(x, fd, (struct sockaddr *)&a.sa, 2), -EINVAL);
        assert_int_equal(la_sock_bind(x, fd, (struct sockaddr *)&a.sa, 1000), -EINVAL);
        assert_int_equal(la_sock_bind(x, fd, NULL, a.len), -EFAULT);
        assert_int_equal(la_sock_bind(x, fd, NET(wrong)), v6 ? -EINVAL : -EAFNOSUPPORT);
        assert_int_equal(la_sock_bind(x, fd, NET(other)), -EADDRNOTAVAIL);
        assert_int_equal(la_sock_bind(x, fd, NET(a)), 0);
        assert_int_equal(la_sock_bind(x, fd, NET(a)), -EINVAL);
        assert_int_equal(net_port(n, 0, fd), 80);
        net_free(n);
    }
}

TEST(bind_with_port_zero_chooses_one_nobody_has)
{
    struct net *n = net_new(NULL);
    const struct net_addr any = net_any(false, 0);
    uint16_t ports[40];

    for (int i = 0; i < 40; i++) {
        const int fd = own(n, 0);

        assert_int_equal(la_sock_bind(n->x[0], fd, NET(any)), 0);
        ports[i] = net_port(n, 0, fd);
        assert_in_range(ports[i], 32768, 60999);
        for (int j = 0; j < i; j++)
            assert_int_not_equal(ports[i], ports[j]);
    }
    net_free(n);
}

TEST(bind_with_port_zero_fails_when_no_port_is_left)
{
    struct net *n = net_new(NULL);
    const struct net_addr any = net_any(false, 0);

    assert_int_equal(la_sysctl_set(n->w->s[0], "net.lastack.ip_local_port_min", 40000), LA_OK);
    assert_int_equal(la_sysctl_set(n->w->s[0], "net.lastack.ip_local_port_max", 40001), LA_OK);
    assert_int_equal(la_sock_bind(n->x[0], own(n, 0), NET(any)), 0);
    assert_int_equal(la_sock_bind(n->x[0], own(n, 0), NET(any)), 0);
    assert_int_equal(la_sock_bind(n->x[0], own(n, 0), NET(any)), -EADDRINUSE);
    assert_int_equal(la_sock_listen(n->x[0], own(n, 0), 1), -EADDRINUSE);
    net_free(n);
}

/* Two sockets on one port: bind the second; then let both listen. */
struct meeting {
    const char *a, *b;
    bool reuse_a, reuse_b, listen_a, only6_b;
    int bind, listen;
};

TEST(two_sockets_share_a_port_as_on_linux)
{
    static const struct meeting table[] = {
        { "0.0.0.0", "0.0.0.0", false, false, false, false, -EADDRINUSE, 0 },
        { "0.0.0.0", "10.0.0.1", false, false, false, false, -EADDRINUSE, 0 },
        { "10.0.0.1", "0.0.0.0", true, false, false, false, -EADDRINUSE, 0 },
        { "0.0.0.0", "0.0.0.0", true, true, false, false, 0, -EADDRINUSE },
        { "10.0.0.1", "0.0.0.0", true, true, false, false, 0, -EADDRINUSE },
        { "0.0.0.0", "0.0.0.0", true, true, true, false, -EADDRINUSE, 0 },
        { "0.0.0.0", "::", false, false, false, false, -EADDRINUSE, 0 },
        { "0.0.0.0", "::", false, false, false, true, 0, 0 },
        { "10.0.0.1", "::", false, false, false, false, -EADDRINUSE, 0 },
        { "10.0.0.1", "::", true, true, false, false, 0, -EADDRINUSE },
        { "10.0.0.1", "::ffff:10.0.0.1", false, false, false, false, -EADDRINUSE, 0 },
        { "::", "::", false, false, false, true, -EADDRINUSE, 0 },
    };

    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        const struct meeting *t = &table[i];
        struct net *n = net_new(NULL);
        struct la_sockets *x = n->x[0];
        const struct net_addr a = net_text(t->a, 80), b = net_text(t->b, 80);
        const int fa = tcp(n, 0, a.sa.ss_family), fb = tcp(n, 0, b.sa.ss_family);
        const int on = 1;

        if (t->reuse_a)
            assert_int_equal(la_sock_setsockopt(x, fa, SOL_SOCKET, SO_REUSEADDR, &on, 4), 0);
        if (t->reuse_b)
            assert_int_equal(la_sock_setsockopt(x, fb, SOL_SOCKET, SO_REUSEADDR, &on, 4), 0);
        if (t->only6_b)
            assert_int_equal(la_sock_setsockopt(x, fb, IPPROTO_IPV6, IPV6_V6ONLY, &on, 4), 0);
        assert_int_equal(la_sock_bind(x, fa, NET(a)), 0);
        if (t->listen_a)
            assert_int_equal(la_sock_listen(x, fa, 1), 0);
        assert_int_equal(la_sock_bind(x, fb, NET(b)), t->bind);
        if (t->bind == 0) {
            assert_int_equal(la_sock_listen(x, fa, 1), 0);
            assert_int_equal(la_sock_listen(x, fb, 1), t->listen);
        }
        net_free(n);
    }
}

TEST(a_server_restarts_over_time_wait_only_with_reuseaddr)
{
    for (int reuse = 0; reuse < 2; reuse++) {
        struct net *n = net_new(NULL);
        const struct net_addr at = net_addr(n, 1, 80);
        int fd[2], again;
        const int listener = own(n, 1);

        assert_int_equal(la_sock_setsockopt(n->x[1], listener, SOL_SOCKET, SO_REUSEADDR, &reuse, 4),
                         0);
        assert_int_equal(la_sock_bind(n->x[1], listener, NET(at)), 0);
        assert_int_equal(la_sock_listen(n->x[1], listener, 5), 0);
        net_pair(n, listener, 80, fd);
        assert_int_equal(la_sock_close(n->x[1], fd[1]), 0);
        net_turn(n);
        assert_int_equal(la_sock_close(n->x[0], fd[0]), 0);
        net_turn(n);
        assert_int_equal(la_sock_close(n->x[1], listener), 0);
        again = own(n, 1);
        assert_int_equal(la_sock_setsockopt(n->x[1], again, SOL_SOCKET, SO_REUSEADDR, &reuse, 4),
                         0);
        assert_int_equal(la_sock_bind(n->x[1], again, NET(at)), reuse ? 0 : -EADDRINUSE);
        net_run(n, 61000000000);
        if (!reuse)
            assert_int_equal(la_sock_bind(n->x[1], again, NET(at)), 0);
        net_free(n);
    }
}

TEST(listen_begins_again_and_chooses_a_port_if_it_must)
{
    struct net *n = net_new(NULL);
    struct la_sockets *x = n->x[1];
    const int fd = own(n, 1);
    struct la_listener_info info;

    assert_int_equal(la_sock_accept4(x, fd, NULL, NULL, 0), -EINVAL);
    assert_int_equal(la_sock_listen(x, fd, 5), 0);
    assert_in_range(net_port(n, 1, fd), 32768, 60999);
    assert_int_equal(net_option(n, 1, fd, SOL_SOCKET, SO_ACCEPTCONN), 1);
    assert_int_equal(la_sock_accept4(x, fd, NULL, NULL, 0), -EAGAIN);
    assert_int_equal(la_sock_accept4(x, fd, NULL, NULL, 1), -EINVAL);
    assert_int_equal(la_sock_listen(x, fd, -1), 0);
    assert_int_equal(la_listener_info(n->w->s[1], la_sock_listener(x, fd), &info), LA_OK);
    assert_int_equal(info.limit, 4096);
    assert_int_equal(la_sock_shutdown(x, fd, SHUT_WR), 0);
    assert_int_equal(net_option(n, 1, fd, SOL_SOCKET, SO_ACCEPTCONN), 1);
    assert_int_equal(la_sock_shutdown(x, fd, SHUT_RD), 0);
    assert_int_equal(net_option(n, 1, fd, SOL_SOCKET, SO_ACCEPTCONN), 0);
    assert_int_equal(la_sock_listen(x, fd, 5), 0);
    net_free(n);
}

TEST(accept_without_a_descriptor_leaves_the_connection_in_the_queue)
{
    struct net *n = net_new(&(struct net_opt){ .nofile = 2 });
    const struct net_addr to = net_addr(n, 1, 80);
    const int listener = net_listen(n, 80, 5);
    const int other = own(n, 1), client = own(n, 0);

    assert_int_equal(la_sock_connect(n->x[0], client, NET(to)), -EINPROGRESS);
    net_turn(n);
    assert_int_equal(la_sock_accept4(n->x[1], listener, NULL, NULL, 0), -EMFILE);
    assert_int_equal(net_poll(n, 1, listener), IN);
    assert_int_equal(la_sock_close(n->x[1], other), 0);
    assert_int_equal(la_sock_accept4(n->x[1], listener, NULL, NULL, 0), other);
    assert_int_equal(net_poll(n, 1, listener), 0);
    net_free(n);
}

TEST(a_loop_of_accepts_without_a_descriptor_is_a_finding_told_once_until_one_has_worked)
{
    for (int v6 = 0; v6 < 2; v6++) {
        struct net *n = net_new(&(struct net_opt){ .nofile = 2, .v6 = v6 });
        struct la_stack *s = n->w->s[1];
        const struct net_addr to = net_addr(n, 1, 80);
        const int listener = net_listen(n, 80, 5);
        int other = own(n, 1);
        struct la_found found;
        uint64_t after = 0;

        for (int i = 0; i < 100; i++) /* nobody waits: EMFILE costs nothing yet */
            assert_int_equal(la_sock_accept4(n->x[1], listener, NULL, NULL, 0), -EMFILE);
        assert_int_equal(la_finding_count(s, LA_FINDING_ACCEPT_NO_FD), 0);
        for (uint32_t round = 1; round <= 2; round++) {
            assert_int_equal(la_sock_connect(n->x[0], own(n, 0), NET(to)), -EINPROGRESS);
            net_turn(n);
            for (int i = 0; i < 15; i++)
                assert_int_equal(la_sock_accept4(n->x[1], listener, NULL, NULL, 0), -EMFILE);
            assert_int_equal(la_finding_count(s, LA_FINDING_ACCEPT_NO_FD), round - 1);
            for (int i = 0; i < 100; i++)
                assert_int_equal(la_sock_accept4(n->x[1], listener, NULL, NULL, 0), -EMFILE);
            assert_int_equal(la_finding_count(s, LA_FINDING_ACCEPT_NO_FD), round);
            assert_int_equal(la_findings(s, &after, &found, 1), 1);
            assert_int_equal(found.finding, LA_FINDING_ACCEPT_NO_FD);
            assert_int_equal(found.value, 16);
            assert_int_equal(found.local.port, 80);
            assert_int_equal(found.listener.bits, la_sock_listener(n->x[1], listener).bits);
            assert_int_equal(la_sock_close(n->x[1], other), 0);
            other = la_sock_accept4(n->x[1], listener, NULL, NULL, 0);
            assert_true(other >= 0);
        }
        net_free(n);
    }
}

TEST(connect_goes_through_its_answers)
{
    for (int v6 = 0; v6 < 2; v6++) {
        struct net *n = net_new(&(struct net_opt){ .v6 = v6 });
        struct la_sockets *x = n->x[0];
        const struct net_addr to = net_addr(n, 1, 80);
        const int listener = net_listen(n, 80, 5), fd = own(n, 0);
        struct sockaddr_storage peer;
        uint32_t len = sizeof peer;

        assert_int_equal(net_poll(n, 0, fd), OUT | POLLHUP);
        assert_int_equal(la_sock_getpeername(x, fd, (struct sockaddr *)&peer, &len), -ENOTCONN);
        assert_int_equal(la_sock_connect(x, fd, NET(to)), -EINPROGRESS);
        assert_int_equal(net_poll(n, 0, fd), 0);
        assert_int_equal(la_sock_connect(x, fd, NET(to)), -EALREADY);
        assert_int_equal(la_sock_send(x, fd, "x", 1, 0), -EAGAIN);
        assert_int_equal(la_sock_recv(x, fd, &peer, 1, 0), -EAGAIN);
        assert_int_equal(la_sock_listen(x, fd, 1), -EINVAL);
        net_turn(n);
        assert_int_equal(net_poll(n, 0, fd), OUT);
        assert_int_equal(net_option(n, 0, fd, SOL_SOCKET, SO_ERROR), 0);
        assert_int_equal(la_sock_connect(x, fd, NET(to)), 0);
        assert_int_equal(la_sock_connect(x, fd, NET(to)), -EISCONN);
        assert_int_equal(la_sock_getpeername(x, fd, (struct sockaddr *)&peer, &len), 0);
        assert_int_equal(len, to.len);
        assert_memory_equal(&peer, &to.sa, to.len);
        assert_int_equal(la_sock_connect(n->x[1], listener, NET(to)), -EISCONN);
        net_free(n);
    }
}

TEST(a_refused_connect_tells_once_and_may_be_tried_again)
{
    struct net *n = net_new(NULL);
    struct la_sockets *x = n->x[0];
    const struct net_addr to = net_addr(n, 1, 80);
    const int fd = own(n, 0);

    assert_int_equal(la_sock_connect(x, fd, NET(to)), -EINPROGRESS);
    net_turn(n);
    assert_int_equal(net_poll(n, 0, fd), IN | OUT | POLLERR | POLLHUP | POLLRDHUP);
    assert_int_equal(la_sock_connect(x, fd, NET(to)), -ECONNREFUSED);
    assert_int_equal(net_poll(n, 0, fd), OUT | POLLHUP);
    assert_int_equal(la_sock_connect(x, fd, NET(to)), -EINPROGRESS);
    net_turn(n);
    assert_int_equal(net_option(n, 0, fd, SOL_SOCKET, SO_ERROR), ECONNREFUSED);
    assert_int_equal(net_option(n, 0, fd, SOL_SOCKET, SO_ERROR), 0);
    assert_int_equal(la_sock_connect(x, fd, NET(to)), -ECONNABORTED);
    (void)net_listen(n, 80, 5);
    assert_int_equal(la_sock_connect(x, fd, NET(to)), -EINPROGRESS);
    net_turn(n);
    assert_int_equal(la_sock_connect(x, fd, NET(to)), 0);
    net_free(n);
}

TEST(connect_says_what_is_wrong_with_an_address)
{
    struct net *n = net_new(NULL);
    struct la_sockets *x = n->x[0];
    const struct net_addr nowhere = net_text("192.0.2.1", 80), any = net_any(false, 80);
    const struct net_addr group = net_text("224.0.0.1", 80), v6 = net_text("2001:db8::1", 80);
    const struct net_addr none = net_addr(n, 1, 0), to = net_addr(n, 1, 80);
    const struct net_addr broadcast = net_text("255.255.255.255", 80);
    const int fd = own(n, 0);

    assert_int_equal(la_sock_connect(x, fd, NET(nowhere)), -ENETUNREACH);
    assert_int_equal(la_sock_connect(x, fd, NET(any)), -ENETUNREACH);
    assert_int_equal(la_sock_connect(x, fd, NET(group)), -ENETUNREACH);
    assert_int_equal(la_sock_connect(x, fd, NET(broadcast)), -ENETUNREACH);
    assert_int_equal(la_sock_connect(x, fd, NET(v6)), -EAFNOSUPPORT);
    assert_int_equal(la_sock_connect(x, fd, NET(none)), -ECONNREFUSED);
    assert_int_equal(la_sock_connect(x, fd, (struct sockaddr *)&to.sa, 1), -EINVAL);
    assert_int_equal(la_sock_connect(x, fd, (struct sockaddr *)&to.sa, 8), -EINVAL);
    assert_int_equal(la_sock_connect(x, fd, NULL, 16), -EFAULT);
    net_free(n);
}

TEST(connect_gives_up_with_etimedout)
{
    struct net *n = net_new(NULL);
    const struct net_addr to = net_addr(n, 1, 80);
    const int fd = own(n, 0);

    n->w->dead[1] = true;
    assert_int_equal(la_sock_connect(n->x[0], fd, NET(to)), -EINPROGRESS);
    net_run(n, 140000000000);
    assert_int_equal(la_sock_connect(n->x[0], fd, NET(to)), -ETIMEDOUT);
    net_free(n);
}

TEST(a_bound_socket_connects_from_its_port_and_not_twice_to_the_same)
{
    struct net *n = net_new(NULL);
    struct la_sockets *x = n->x[0];
    const struct net_addr at = net_addr(n, 0, 5000), to = net_addr(n, 1, 80);
    const int on = 1, a = own(n, 0), b = own(n, 0);

    (void)net_listen(n, 80, 5);
    for (int i = 0; i < 2; i++)
        assert_int_equal(la_sock_setsockopt(x, i == 0 ? a : b, SOL_SOCKET, SO_REUSEADDR, &on, 4),
                         0);
    assert_int_equal(la_sock_bind(x, a, NET(at)), 0);
    assert_int_equal(la_sock_bind(x, b, NET(at)), 0);
    assert_int_equal(la_sock_connect(x, a, NET(to)), -EINPROGRESS);
    assert_int_equal(la_sock_connect(x, b, NET(to)), -EADDRNOTAVAIL);
    assert_int_equal(net_port(n, 0, a), 5000);
    net_free(n);
}

TEST(connect_to_unspec_undoes_a_connection)
{
    struct net *n = net_new(NULL);
    const struct sockaddr none = { .sa_family = AF_UNSPEC };
    const struct net_addr to = net_addr(n, 1, 80);
    const int listener = net_listen(n, 80, 5);
    char byte;
    int fd[2];

    net_pair(n, listener, 80, fd);
    assert_int_equal(la_sock_connect(n->x[0], fd[0], &none, sizeof none), 0);
    net_turn(n);
    assert_int_equal(la_sock_recv(n->x[1], fd[1], &byte, 1, 0), -ECONNRESET);
    assert_int_equal(net_option(n, 0, fd[0], SOL_SOCKET, SO_ERROR), ECONNRESET);
    assert_int_equal(la_sock_connect(n->x[0], fd[0], NET(to)), -EINPROGRESS);
    net_turn(n);
    assert_int_equal(la_sock_connect(n->x[0], fd[0], NET(to)), 0);
    net_free(n);
}

TEST(a_socket_of_ipv6_speaks_ipv4_unless_told_not_to)
{
    for (int only = 0; only < 2; only++) {
        struct net *n = net_new(NULL);
        const struct net_addr any = net_any(true, 80), to = net_addr(n, 1, 80);
        const struct net_addr mapped = net_mapped(n, 1, 80);
        const int server = tcp(n, 1, AF_INET6), c4 = own(n, 0), c6 = tcp(n, 0, AF_INET6);
        struct sockaddr_in6 peer;
        uint32_t len = sizeof peer;

        assert_int_equal(la_sock_setsockopt(n->x[1], server, IPPROTO_IPV6, IPV6_V6ONLY, &only, 4),
                         0);
        assert_int_equal(la_sock_setsockopt(n->x[0], c6, IPPROTO_IPV6, IPV6_V6ONLY, &only, 4), 0);
        assert_int_equal(la_sock_bind(n->x[1], server, NET(any)), 0);
        assert_int_equal(la_sock_listen(n->x[1], server, 5), 0);
        assert_int_equal(la_sock_connect(n->x[0], c4, NET(to)), -EINPROGRESS);
        assert_int_equal(la_sock_connect(n->x[0], c6, NET(mapped)),
                         only ? -ENETUNREACH : -EINPROGRESS);
        net_turn(n);
        assert_int_equal(la_sock_connect(n->x[0], c4, NET(to)), only ? -ECONNREFUSED : 0);
        if (!only) {
            assert_int_equal(la_sock_accept4(n->x[1], server, (struct sockaddr *)&peer, &len, 0),
                             1);
            assert_int_equal(len, sizeof peer);
            assert_true(IN6_IS_ADDR_V4MAPPED(&peer.sin6_addr));
        }
        net_free(n);
    }
}

TEST(names_are_cut_to_the_room_there_is)
{
    struct net *n = net_new(NULL);
    struct sockaddr_in in = { .sin_family = 77, .sin_port = 77 };
    uint32_t len = 2;
    const int fd = own(n, 0);

    assert_int_equal(la_sock_getsockname(n->x[0], fd, (struct sockaddr *)&in, &len), 0);
    assert_int_equal(len, sizeof in);
    assert_int_equal(in.sin_family, AF_INET);
    assert_int_equal(in.sin_port, 77);
    len = (uint32_t)-1;
    assert_int_equal(la_sock_getsockname(n->x[0], fd, (struct sockaddr *)&in, &len), -EINVAL);
    assert_int_equal(la_sock_getsockname(n->x[0], fd, NULL, &len), -EFAULT);
    net_free(n);
}

TEST_MAIN
