/* SPDX-License-Identifier: MIT */
/* options_size_test.c - How much is sent and held: TCP_NOTSENT_LOWAT, the path's MTU. */
#include "tests/unit/base_test.h"

#include "tests/posix/net.h"

static int set(struct net *n, int side, int fd, int level, int name, int value)
{
    return la_sock_setsockopt(n->x[side], fd, level, name, &value, sizeof value);
}

TEST(the_low_water_mark_takes_any_number_and_says_what_was_set)
{
    static const int marks[] = { 1, 777, 131073, INT32_MAX, -1, 0 };
    struct net *n = net_new(NULL);
    const int fd = la_socket(n->x[0], AF_INET, SOCK_STREAM, 0);

    assert_int_equal(net_option(n, 0, fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT), 0);
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
        assert_int_equal(set(n, 0, fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, marks[i]), 0);
        assert_int_equal(net_option(n, 0, fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT), marks[i]);
    }
    assert_int_equal(la_sock_setsockopt(n->x[0], fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, "", 0),
                     -EINVAL);
    net_free(n);
}

TEST(the_paths_mtu_is_told_of_connections_alone)
{
    for (int v6 = 0; v6 < 2; v6++) {
        struct net *n = net_new(&(struct net_opt){ .v6 = v6 });
        const struct net_addr to = net_addr(n, 1, 80);
        const int level = v6 ? IPPROTO_IPV6 : IPPROTO_IP;
        const int name = v6 ? IPV6_MTU : IP_MTU,
                  discover = v6 ? IPV6_MTU_DISCOVER : IP_MTU_DISCOVER;
        const int listener = net_listen(n, 80, 5);
        const int fd = la_socket(n->x[0], v6 ? AF_INET6 : AF_INET, SOCK_STREAM, 0);
        uint32_t len = sizeof(int);
        int value;

        assert_int_equal(la_sock_getsockopt(n->x[0], fd, level, name, &value, &len), -ENOTCONN);
        len = sizeof(int);
        assert_int_equal(la_sock_getsockopt(n->x[1], listener, level, name, &value, &len),
                         -ENOTCONN);
        assert_int_equal(net_option(n, 0, fd, level, discover), IP_PMTUDISC_WANT);
        assert_int_equal(set(n, 0, fd, level, discover, IP_PMTUDISC_DO), 0);
        assert_int_equal(net_option(n, 0, fd, level, discover), IP_PMTUDISC_DO);
        assert_int_equal(set(n, 0, fd, level, discover, IP_PMTUDISC_WANT), 0);
        assert_int_equal(set(n, 0, fd, level, discover, IP_PMTUDISC_DONT), -ENOPROTOOPT);
        assert_int_equal(set(n, 0, fd, level, discover, IP_PMTUDISC_PROBE), -ENOPROTOOPT);
        assert_int_equal(set(n, 0, fd, level, discover, 6), -EINVAL);
        assert_int_equal(set(n, 0, fd, level, discover, -1), -EINVAL);
        assert_int_equal(net_option(n, 0, fd, level, discover), IP_PMTUDISC_WANT);
        assert_int_equal(set(n, 0, fd, level, name, 1400), -ENOPROTOOPT);
        assert_int_equal(la_sock_connect(n->x[0], fd, NET(to)), -EINPROGRESS);
        net_turn(n);
        assert_int_equal(net_option(n, 0, fd, level, name), 1500);
        net_free(n);
    }
}

TEST_MAIN
