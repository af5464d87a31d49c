/* SPDX-License-Identifier: MIT */
/*
 * options_test.c - Each option does what its row says, every row is in the documentation, and
 * every name of Linux's manual has a row.
 */
#include "tests/unit/base_test.h"

#include "tests/posix/net.h"

#include "posix/options.h"

/* The kernel's struct tcp_info, which has more members than the C library's. */
struct info_head {
    uint8_t state, ca_state, retransmits, probes, backoff, options, wscale, flags;
    uint32_t rto, ato, snd_mss, rcv_mss, unacked;
};

static int set(struct net *n, int side, int fd, int level, int name, int value)
{
    return la_sock_setsockopt(n->x[side], fd, level, name, &value, sizeof value);
}

TEST(fixed_and_refused_options_answer_as_their_rows_say)
{
    struct net *n = net_new(NULL);
    const int fd = la_socket(n->x[0], AF_INET6, SOCK_STREAM, 0);
    size_t count;
    const struct option *o = option_table(&count);

    assert_true(count > 100);
    for (size_t i = 0; i < count; i++, o++) {
        char room[256] = { 0 };
        uint32_t len = sizeof room;
        const int got = la_sock_getsockopt(n->x[0], fd, o->level, o->name, room, &len);

        if (o->state == OPTION_REFUSED) {
            assert_int_equal(got, -o->error);
            assert_int_equal(set(n, 0, fd, o->level, o->name, 1), -o->error);
        } else if (o->state == OPTION_FIXED) {
            assert_int_equal(got, 0);
            assert_int_equal(net_option(n, 0, fd, o->level, o->name), o->value);
            assert_int_equal(set(n, 0, fd, o->level, o->name, o->value), 0);
            assert_int_equal(set(n, 0, fd, o->level, o->name, o->value + 1), -o->error);
        } else if ((o->level == IPPROTO_IP && o->name == IP_MTU) ||
                   (o->level == IPPROTO_IPV6 && o->name == IPV6_MTU)) {
            assert_int_equal(got, -ENOTCONN);
        } else {
            assert_int_equal(got, 0);
        }
    }
    assert_int_equal(net_option(n, 0, fd, SOL_SOCKET, 9999), -ENOPROTOOPT);
    assert_int_equal(set(n, 0, fd, 9999, 1, 1), -ENOPROTOOPT);
    net_free(n);
}

TEST(each_name_has_one_row)
{
    size_t count;
    const struct option *o = option_table(&count);

    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < i; j++)
            assert_false(o[i].level == o[j].level && o[i].name == o[j].name);
}

/* The documentation ------------------------------------------------------------------------ */

static char *page(void)
{
    FILE *f = fopen(TEST_SOURCE_DIR "/docs/options.md", "r");
    char *text = calloc(1, 1 << 17);
    size_t n;

    assert_non_null(f);
    assert_non_null(text);
    n = fread(text, 1, (1 << 17) - 1, f);
    assert_in_range(n, 1000, (1 << 17) - 2);
    fclose(f);
    return text;
}

static const char *errno_name(int error)
{
    return strerrorname_np(error);
}

static void row_of(const struct option *o, char *row, size_t room)
{
    const char *error = errno_name(o->error);
    char state[32];

    if (o->state == OPTION_IMPLEMENTED)
        error = o->set == opt_set_none ? "set: ENOPROTOOPT" : "-";
    snprintf(state, sizeof state, "fixed: %d", o->value);
    snprintf(row, room, "\n| %s | %s | %s | %s | %s |\n", o->option_name, o->level_name, o->text,
             error,
             o->state == OPTION_IMPLEMENTED ? "implemented"
             : o->state == OPTION_FIXED     ? state
                                            : "refused");
}

TEST(the_documented_table_is_the_codes_table)
{
    char *text = page(), row[512];
    size_t count, rows = 0;
    const struct option *o = option_table(&count);
    const char *at, *end = strstr(text, "\n## Flags");

    assert_non_null(end);
    for (size_t i = 0; i < count; i++) {
        row_of(&o[i], row, sizeof row);
        at = strstr(text, row);
        if (at == NULL)
            fail_msg("docs/options.md lacks the row%s", row);
        assert_true(at < end);
    }
    for (at = strstr(text, "\n|---|"); at != NULL && at < end; at = strstr(at + 1, "\n| "))
        rows++;
    assert_int_equal(rows - 1, count);
    free(text);
}

/* What socket(7), tcp(7), ip(7) and ipv6(7) of man-pages 6.03 list for stream sockets. */
static const char *const manual[] = {
    "SO_ACCEPTCONN",
    "SO_ATTACH_BPF",
    "SO_ATTACH_FILTER",
    "SO_ATTACH_REUSEPORT_CBPF",
    "SO_ATTACH_REUSEPORT_EBPF",
    "SO_BINDTODEVICE",
    "SO_BROADCAST",
    "SO_BSDCOMPAT",
    "SO_BUSY_POLL",
    "SO_DEBUG",
    "SO_DETACH_BPF",
    "SO_DETACH_FILTER",
    "SO_DOMAIN",
    "SO_DONTROUTE",
    "SO_ERROR",
    "SO_INCOMING_CPU",
    "SO_INCOMING_NAPI_ID",
    "SO_KEEPALIVE",
    "SO_LINGER",
    "SO_LOCK_FILTER",
    "SO_MARK",
    "SO_OOBINLINE",
    "SO_PASSCRED",
    "SO_PASSSEC",
    "SO_PEEK_OFF",
    "SO_PEERCRED",
    "SO_PEERSEC",
    "SO_PRIORITY",
    "SO_PROTOCOL",
    "SO_RCVBUF",
    "SO_RCVBUFFORCE",
    "SO_RCVLOWAT",
    "SO_RCVTIMEO",
    "SO_REUSEADDR",
    "SO_REUSEPORT",
    "SO_RXQ_OVFL",
    "SO_SELECT_ERR_QUEUE",
    "SO_SNDBUF",
    "SO_SNDBUFFORCE",
    "SO_SNDLOWAT",
    "SO_SNDTIMEO",
    "SO_TIMESTAMP",
    "SO_TIMESTAMPNS",
    "SO_TYPE",
    "TCP_CONGESTION",
    "TCP_CORK",
    "TCP_DEFER_ACCEPT",
    "TCP_FASTOPEN",
    "TCP_FASTOPEN_CONNECT",
    "TCP_INFO",
    "TCP_KEEPCNT",
    "TCP_KEEPIDLE",
    "TCP_KEEPINTVL",
    "TCP_LINGER2",
    "TCP_MAXSEG",
    "TCP_NODELAY",
    "TCP_QUICKACK",
    "TCP_SYNCNT",
    "TCP_USER_TIMEOUT",
    "TCP_WINDOW_CLAMP",
    "IP_ADD_MEMBERSHIP",
    "IP_ADD_SOURCE_MEMBERSHIP",
    "IP_BIND_ADDRESS_NO_PORT",
    "IP_BLOCK_SOURCE",
    "IP_DROP_MEMBERSHIP",
    "IP_DROP_SOURCE_MEMBERSHIP",
    "IP_FREEBIND",
    "IP_HDRINCL",
    "IP_MSFILTER",
    "IP_MTU",
    "IP_MTU_DISCOVER",
    "IP_MULTICAST_ALL",
    "IP_MULTICAST_IF",
    "IP_MULTICAST_LOOP",
    "IP_MULTICAST_TTL",
    "IP_NODEFRAG",
    "IP_OPTIONS",
    "IP_ORIGDSTADDR",
    "IP_PASSSEC",
    "IP_PKTINFO",
    "IP_RECVERR",
    "IP_RECVOPTS",
    "IP_RECVORIGDSTADDR",
    "IP_RECVTOS",
    "IP_RECVTTL",
    "IP_RETOPTS",
    "IP_ROUTER_ALERT",
    "IP_TOS",
    "IP_TRANSPARENT",
    "IP_TTL",
    "IP_UNBLOCK_SOURCE",
    "IPV6_ADDRFORM",
    "IPV6_ADD_MEMBERSHIP",
    "IPV6_AUTHHDR",
    "IPV6_DROP_MEMBERSHIP",
    "IPV6_DSTOPTS",
    "IPV6_FLOWINFO",
    "IPV6_HOPLIMIT",
    "IPV6_HOPOPTS",
    "IPV6_MTU",
    "IPV6_MTU_DISCOVER",
    "IPV6_MULTICAST_HOPS",
    "IPV6_MULTICAST_IF",
    "IPV6_MULTICAST_LOOP",
    "IPV6_PKTINFO",
    "IPV6_RECVERR",
    "IPV6_RECVPKTINFO",
    "IPV6_ROUTER_ALERT",
    "IPV6_RTHDR",
    "IPV6_UNICAST_HOPS",
    "IPV6_V6ONLY",
    "MSG_CONFIRM",
    "MSG_DONTROUTE",
    "MSG_DONTWAIT",
    "MSG_EOR",
    "MSG_ERRQUEUE",
    "MSG_FASTOPEN",
    "MSG_MORE",
    "MSG_NOSIGNAL",
    "MSG_OOB",
    "MSG_PEEK",
    "MSG_TRUNC",
    "MSG_WAITALL",
    "FIONREAD",
    "SIOCATMARK",
    "SIOCGSTAMP",
    "SIOCINQ",
    "SIOCOUTQ",
    "SIOCSPGRP",
    "SIOCGPGRP",
    "FIOASYNC",
    "FIOSETOWN",
    "FIOGETOWN",
    "F_GETFL",
    "F_SETFL",
};

TEST(every_name_of_the_manual_is_on_the_page)
{
    char *text = page();

    for (size_t i = 0; i < sizeof manual / sizeof manual[0]; i++) {
        const char *at = text;
        const size_t len = strlen(manual[i]);

        while ((at = strstr(at, manual[i])) != NULL &&
               (at[len] == '_' || (at[len] >= 'A' && at[len] <= 'Z') || at[-1] == '_'))
            at++;
        if (at == NULL)
            fail_msg("docs/options.md says nothing of %s", manual[i]);
    }
    free(text);
}

/* What the implemented ones do ----------------------------------------------------------------- */

TEST(flags_are_read_back_and_reach_connections_made_before_and_after)
{
    static const int flags[][3] = {
        { SOL_SOCKET, SO_KEEPALIVE, LA_OPT_KEEPALIVE },
        { SOL_SOCKET, SO_REUSEADDR, LA_OPT_REUSEADDR },
        { SOL_SOCKET, SO_REUSEPORT, LA_OPT_REUSEPORT },
        { IPPROTO_TCP, TCP_NODELAY, LA_OPT_NODELAY },
        { IPPROTO_TCP, TCP_CORK, LA_OPT_CORK },
        { IPPROTO_TCP, TCP_QUICKACK, LA_OPT_QUICKACK },
    };

    for (int v6 = 0; v6 < 2; v6++)
        for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
            struct net *n = net_new(&(struct net_opt){ .v6 = v6 });
            const struct net_addr to = net_addr(n, 1, 80);
            const int level = flags[i][0], name = flags[i][1];
            const enum la_option core = (enum la_option)flags[i][2];
            const int listener = net_listen(n, 80, 5);
            const int fd = la_socket(n->x[0], v6 ? AF_INET6 : AF_INET, SOCK_STREAM, 0);
            uint64_t value;
            int child;

            assert_int_equal(net_option(n, 0, fd, level, name), 0);
            assert_int_equal(set(n, 0, fd, level, name, 7), 0);
            assert_int_equal(net_option(n, 0, fd, level, name), 1);
            assert_int_equal(set(n, 1, listener, level, name, 1), 0);
            assert_int_equal(la_sock_connect(n->x[0], fd, NET(to)), -EINPROGRESS);
            assert_int_equal(la_get_option(n->w->s[0], la_sock_conn(n->x[0], fd), core, &value),
                             LA_OK);
            assert_int_equal(value, 1);
            net_turn(n);
            child = la_sock_accept4(n->x[1], listener, NULL, NULL, 0);
            assert_int_equal(net_option(n, 1, child, level, name), 1);
            assert_int_equal(set(n, 1, child, level, name, 0), 0);
            assert_int_equal(la_get_option(n->w->s[1], la_sock_conn(n->x[1], child), core, &value),
                             LA_OK);
            assert_int_equal(value, 0);
            net_free(n);
        }
}

TEST(numbers_keep_their_ranges)
{
    static const int table[][5] = {
        /* level, name, default, least, most */
        { IPPROTO_TCP, TCP_KEEPIDLE, 7200, 1, 32767 },
        { IPPROTO_TCP, TCP_KEEPINTVL, 75, 1, 32767 },
        { IPPROTO_TCP, TCP_KEEPCNT, 9, 1, 127 },
        { IPPROTO_TCP, TCP_USER_TIMEOUT, 0, 0, 86400000 },
        { IPPROTO_TCP, TCP_MAXSEG, 536, 88, 32767 },
        { IPPROTO_IP, IP_TTL, 64, 1, 255 },
        { IPPROTO_IPV6, IPV6_UNICAST_HOPS, 64, 1, 255 },
        { IPPROTO_TCP, TCP_SYNCNT, 6, 1, 127 },
        { IPPROTO_TCP, TCP_LINGER2, 60, 1, 120 },
    };

    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct net *n = net_new(NULL);
        const int *t = table[i];
        const int fd = la_socket(n->x[0], AF_INET6, SOCK_STREAM, 0);

        assert_int_equal(net_option(n, 0, fd, t[0], t[1]), t[2]);
        assert_int_equal(set(n, 0, fd, t[0], t[1], t[3]), 0);
        assert_int_equal(net_option(n, 0, fd, t[0], t[1]), t[3]);
        assert_int_equal(set(n, 0, fd, t[0], t[1], t[4]), 0);
        assert_int_equal(net_option(n, 0, fd, t[0], t[1]), t[4]);
        if (t[1] == TCP_LINGER2) { /* it is cut to 120, as on Linux, and below zero it is none */
            assert_int_equal(set(n, 0, fd, t[0], t[1], -2), 0);
            assert_int_equal(net_option(n, 0, fd, t[0], t[1]), -1);
        } else {
            assert_true(set(n, 0, fd, t[0], t[1], -2) < 0);
            assert_true(set(n, 0, fd, t[0], t[1], t[4] + 1) < 0);
        }
        assert_int_equal(la_sock_setsockopt(n->x[0], fd, t[0], t[1], "", 0), -EINVAL);
        net_free(n);
    }
}

TEST(buffers_are_doubled_and_bounded)
{
    struct net *n = net_new(NULL);
    const int fd = la_socket(n->x[0], AF_INET, SOCK_STREAM, 0);

    assert_int_equal(net_option(n, 0, fd, SOL_SOCKET, SO_SNDBUF), 131072);
    assert_int_equal(set(n, 0, fd, SOL_SOCKET, SO_SNDBUF, 10000), 0);
    assert_int_equal(net_option(n, 0, fd, SOL_SOCKET, SO_SNDBUF), 20000);
    assert_int_equal(set(n, 0, fd, SOL_SOCKET, SO_SNDBUF, 0), 0);
    assert_int_equal(net_option(n, 0, fd, SOL_SOCKET, SO_SNDBUF), 4608);
    assert_int_equal(set(n, 0, fd, SOL_SOCKET, SO_RCVBUF, 0), 0);
    assert_int_equal(net_option(n, 0, fd, SOL_SOCKET, SO_RCVBUF), 2304);
    assert_int_equal(set(n, 0, fd, SOL_SOCKET, SO_RCVBUF, -1), 0);
    assert_int_equal(net_option(n, 0, fd, SOL_SOCKET, SO_RCVBUF), 425984);
    net_free(n);
}

/* TTL and class of the packets that host 0 sends. */
struct seen {
    uint8_t ttl, tos;
    uint16_t mss;
};

static bool look(void *context, int from, uint8_t *bytes, uint32_t len_bytes)
{
    struct seen *s = context;
    const uint8_t *p = bytes + (bytes[0] >> 4 == 6 ? 40 : 20) + 20;

    if (from != 0)
        return true;
    s->ttl = bytes[0] >> 4 == 6 ? bytes[7] : bytes[8];
    s->tos = bytes[1];
    if (bytes[0] >> 4 == 6)
        s->tos = (uint8_t)((uint32_t)bytes[0] % 16u * 16u + bytes[1] / 16u);
    if (p < bytes + len_bytes && p[0] == 2)
        s->mss = (uint16_t)(p[2] << 8 | p[3]);
    return true;
}

TEST(what_is_set_before_connect_holds_for_the_syn)
{
    for (int v6 = 0; v6 < 2; v6++) {
        struct net *n = net_new(&(struct net_opt){ .v6 = v6 });
        const struct net_addr to = net_addr(n, 1, 80);
        const int fd = la_socket(n->x[0], AF_INET6, SOCK_STREAM, 0);
        const struct net_addr target = v6 ? to : net_mapped(n, 1, 80);
        struct seen seen = { 0 };

        n->w->pass = look;
        n->w->context = &seen;
        assert_int_equal(set(n, 0, fd, IPPROTO_IP, IP_TTL, 17), 0);
        assert_int_equal(set(n, 0, fd, IPPROTO_IP, IP_TOS, 0x2b), 0);
        assert_int_equal(net_option(n, 0, fd, IPPROTO_IP, IP_TOS), 0x28);
        assert_int_equal(set(n, 0, fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 33), 0);
        assert_int_equal(set(n, 0, fd, IPPROTO_IPV6, IPV6_TCLASS, 0x44), 0);
        assert_int_equal(set(n, 0, fd, IPPROTO_TCP, TCP_MAXSEG, 999), 0);
        assert_int_equal(la_sock_connect(n->x[0], fd, NET(target)), -EINPROGRESS);
        net_turn(n);
        assert_int_equal(seen.ttl, v6 ? 33 : 17);
        assert_int_equal(seen.tos, v6 ? 0x44 : 0x28);
        assert_int_equal(seen.mss, 999);
        const int mss = net_option(n, 0, fd, IPPROTO_TCP, TCP_MAXSEG);
        assert_int_equal(set(n, 0, fd, IPPROTO_TCP, TCP_MAXSEG, 500), 0); /* too late */
        assert_int_equal(net_option(n, 0, fd, IPPROTO_TCP, TCP_MAXSEG), mss);
        assert_int_equal(set(n, 0, fd, IPPROTO_TCP, TCP_MAXSEG, 87), -EINVAL);
        net_free(n);
    }
}

TEST(low_water_makes_readable)
{
    struct net *n = net_new(NULL);
    const int listener = net_listen(n, 80, 5);
    int fd[2];

    net_pair(n, listener, 80, fd);
    assert_int_equal(set(n, 1, fd[1], SOL_SOCKET, SO_RCVLOWAT, 5), 0);
    assert_int_equal(la_sock_send(n->x[0], fd[0], "abcd", 4, 0), 4);
    net_turn(n);
    assert_false(net_poll(n, 1, fd[1]) & POLLIN);
    assert_int_equal(la_sock_send(n->x[0], fd[0], "e", 1, 0), 1);
    net_run(n, 100000000);
    assert_true(net_poll(n, 1, fd[1]) & POLLIN);
    assert_int_equal(set(n, 1, fd[1], SOL_SOCKET, SO_RCVLOWAT, 100), 0);
    assert_false(net_poll(n, 1, fd[1]) & POLLIN);
    assert_int_equal(la_sock_shutdown(n->x[0], fd[0], SHUT_WR), 0);
    net_turn(n);
    assert_true(net_poll(n, 1, fd[1]) & POLLIN);
    net_free(n);
}

TEST(tcp_info_tells_the_state_and_the_sizes)
{
    struct net *n = net_new(NULL);
    const int listener = net_listen(n, 80, 5);
    struct info_head info;
    uint32_t len = sizeof info;
    int fd[2];

    assert_int_equal(la_sock_getsockopt(n->x[1], listener, IPPROTO_TCP, TCP_INFO, &info, &len), 0);
    assert_int_equal(len, sizeof info);
    assert_int_equal(info.state, TCP_LISTEN);
    net_pair(n, listener, 80, fd);
    assert_int_equal(la_sock_send(n->x[0], fd[0], "abc", 3, 0), 3);
    n->w->dead[1] = true;
    net_turn(n);
    assert_int_equal(la_sock_getsockopt(n->x[0], fd[0], IPPROTO_TCP, TCP_INFO, &info, &len), 0);
    assert_int_equal(info.state, TCP_ESTABLISHED);
    assert_int_equal(info.snd_mss, 1448);
    assert_int_equal(info.unacked, 1);
    assert_int_equal(info.options & 7, 7); /* timestamps, SACK, window scale */
    net_free(n);
}

TEST(values_of_other_shapes_are_checked)
{
    struct net *n = net_new(NULL);
    struct la_sockets *x = n->x[0];
    const int fd = la_socket(x, AF_INET, SOCK_STREAM, 0);
    struct timeval odd = { .tv_usec = 1000000 }, t = { .tv_sec = 2, .tv_usec = 5000 };
    char name[16];
    uint64_t cookie[2];
    uint32_t len = sizeof name;

    assert_int_equal(la_sock_setsockopt(x, fd, SOL_SOCKET, SO_RCVTIMEO, &odd, sizeof odd), -EDOM);
    assert_int_equal(la_sock_setsockopt(x, fd, SOL_SOCKET, SO_RCVTIMEO, &t, 4), -EINVAL);
    assert_int_equal(la_sock_setsockopt(x, fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof t), 0);
    len = sizeof odd;
    assert_int_equal(la_sock_getsockopt(x, fd, SOL_SOCKET, SO_SNDTIMEO, &odd, &len), 0);
    assert_memory_equal(&odd, &t, sizeof t);
    assert_int_equal(la_sock_setsockopt(x, fd, SOL_SOCKET, SO_LINGER, &t, 4), -EINVAL);
    len = sizeof name;
    assert_int_equal(la_sock_getsockopt(x, fd, IPPROTO_TCP, TCP_CONGESTION, name, &len), 0);
    assert_string_equal(name, "cubic");
    assert_int_equal(la_sock_setsockopt(x, fd, IPPROTO_TCP, TCP_CONGESTION, "reno", 4), 0);
    len = sizeof name;
    assert_int_equal(la_sock_getsockopt(x, fd, IPPROTO_TCP, TCP_CONGESTION, name, &len), 0);
    assert_string_equal(name, "reno");
    assert_int_equal(la_sock_setsockopt(x, fd, IPPROTO_TCP, TCP_CONGESTION, "bbr", 3), -ENOENT);
    len = sizeof cookie[0];
    assert_int_equal(la_sock_getsockopt(x, fd, SOL_SOCKET, SO_COOKIE, &cookie[0], &len), 0);
    assert_int_equal(la_sock_getsockopt(x, la_socket(x, AF_INET, SOCK_STREAM, 0), SOL_SOCKET,
                                        SO_COOKIE, &cookie[1], &len),
                     0);
    assert_int_not_equal(cookie[0], cookie[1]);
    len = 1;
    assert_int_equal(la_sock_getsockopt(x, fd, SOL_SOCKET, SO_TYPE, name, &len), 0);
    assert_int_equal(len, 1);
    assert_int_equal(set(n, 0, fd, SOL_SOCKET, SO_TYPE, 1), -ENOPROTOOPT);
    assert_int_equal(net_option(n, 0, fd, SOL_SOCKET, SO_PROTOCOL), IPPROTO_TCP);
    assert_int_equal(net_option(n, 0, fd, SOL_SOCKET, SO_DOMAIN), AF_INET);
    assert_int_equal(net_option(n, 0, fd, IPPROTO_IPV6, IPV6_V6ONLY), -EOPNOTSUPP);
    net_free(n);
}

TEST(options_outlive_a_connection)
{
    struct net *n = net_new(NULL);
    const struct net_addr to = net_addr(n, 1, 80);
    const int fd = la_socket(n->x[0], AF_INET, SOCK_STREAM, 0);
    uint64_t value;

    assert_int_equal(set(n, 0, fd, IPPROTO_TCP, TCP_KEEPCNT, 3), 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(la_sock_connect(n->x[0], fd, NET(to)), -EINPROGRESS);
        assert_int_equal(
            la_get_option(n->w->s[0], la_sock_conn(n->x[0], fd), LA_OPT_KEEPCNT, &value), LA_OK);
        assert_int_equal(value, 3);
        net_turn(n);
        assert_int_equal(la_sock_connect(n->x[0], fd, NET(to)), -ECONNREFUSED);
    }
    net_free(n);
}

TEST(a_pacing_rate_is_four_octets_or_eight_and_one_that_can_not_be_kept_is_refused)
{
    struct net *n = net_new(NULL);
    const int fd = la_socket(n->x[0], AF_INET6, SOCK_STREAM, 0);
    uint64_t wide = 0;
    uint32_t narrow = 0, len = sizeof wide;

    assert_int_equal(la_sock_getsockopt(n->x[0], fd, SOL_SOCKET, SO_MAX_PACING_RATE, &wide, &len),
                     0);
    assert_int_equal(len, sizeof wide);
    assert_true(wide == UINT64_MAX);
    assert_int_equal(set(n, 0, fd, SOL_SOCKET, SO_MAX_PACING_RATE, 125000), 0);
    len = sizeof narrow;
    assert_int_equal(la_sock_getsockopt(n->x[0], fd, SOL_SOCKET, SO_MAX_PACING_RATE, &narrow, &len),
                     0);
    assert_int_equal(narrow, 125000);
    wide = UINT64_C(1) << 32;
    assert_int_equal(
        la_sock_setsockopt(n->x[0], fd, SOL_SOCKET, SO_MAX_PACING_RATE, &wide, sizeof wide),
        -EINVAL);
    assert_int_equal(set(n, 0, fd, SOL_SOCKET, SO_MAX_PACING_RATE, 999), -EINVAL);
    assert_int_equal(set(n, 0, fd, SOL_SOCKET, SO_MAX_PACING_RATE, -1), 0);
    len = sizeof wide;
    assert_int_equal(la_sock_getsockopt(n->x[0], fd, SOL_SOCKET, SO_MAX_PACING_RATE, &wide, &len),
                     0);
    assert_true(wide == UINT64_MAX);
    net_free(n);
}

TEST_MAIN
