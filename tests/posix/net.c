/* SPDX-License-Identifier: MIT */
/* net.c - Two hosts with sockets, joined by a wire in memory, in virtual time. */
#include "tests/posix/net.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static la_time now(void *context)
{
    return ((const struct w2 *)context)->now;
}

struct net *net_new(const struct net_opt *opt)
{
    static const struct net_opt plain;
    struct net *n = calloc(1, sizeof *n);
    struct w2_opt wire;

    LA_ASSERT(n != NULL);
    if (opt == NULL)
        opt = &plain;
    wire = (struct w2_opt){ .v6 = opt->v6, .config = { opt->config[0], opt->config[1] } };
    n->w = w2_new(&wire);
    for (int side = 0; side < 2; side++) {
        const struct la_sockets_config config = {
            .stack = n->w->s[side], .now = now, .context = n->w, .nofile = opt->nofile
        };

        n->x[side] = la_sockets_new(&config);
        LA_ASSERT(n->x[side] != NULL);
    }
    return n;
}

void net_free(struct net *n)
{
    for (int side = 0; side < 2; side++)
        la_sockets_free(n->x[side]);
    net_turn(&(struct net){ .w = n->w });
    w2_sound(n->w);
    w2_free(n->w);
    free(n);
}

void net_turn(struct net *n)
{
    do {
        for (int side = 0; side < 2; side++)
            if (n->x[side] != NULL)
                la_sockets_turn(n->x[side]);
    } while (w2_turn(n->w) > 0);
    for (int side = 0; side < 2; side++)
        if (n->x[side] != NULL)
            la_sockets_turn(n->x[side]);
}

void net_run(struct net *n, uint64_t ns)
{
    const uint64_t end = n->w->now.ns + ns;

    net_turn(n);
    while (n->w->now.ns < end) {
        uint64_t at = end;

        for (int side = 0; side < 2; side++) {
            const la_time timer = la_deadline(n->w->s[side]);
            const la_time linger = la_sockets_deadline(n->x[side]);

            at = timer.ns < at ? timer.ns : at;
            at = linger.ns < at ? linger.ns : at;
        }
        w2_run(n->w, at > n->w->now.ns ? at - n->w->now.ns : 1);
        net_turn(n);
    }
}

struct net_addr net_text(const char *text, uint16_t port)
{
    struct net_addr a = { .len = 0 };
    struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(port) };
    struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };

    if (inet_pton(AF_INET, text, &in.sin_addr) == 1) {
        memcpy(&a.sa, &in, sizeof in);
        a.len = sizeof in;
    } else {
        LA_ASSERT(inet_pton(AF_INET6, text, &in6.sin6_addr) == 1);
        memcpy(&a.sa, &in6, sizeof in6);
        a.len = sizeof in6;
    }
    return a;
}

struct net_addr net_addr(const struct net *n, int side, uint16_t port)
{
    char text[LA_ADDR_TEXT_BYTES];

    return net_text(la_addr_format(n->w->addr[side], text), port);
}

struct net_addr net_any(bool v6, uint16_t port)
{
    return net_text(v6 ? "::" : "0.0.0.0", port);
}

struct net_addr net_mapped(const struct net *n, int side, uint16_t port)
{
    char text[LA_ADDR_TEXT_BYTES], mapped[LA_ADDR_TEXT_BYTES + 8];

    snprintf(mapped, sizeof mapped, "::ffff:%s", la_addr_format(n->w->addr[side], text));
    return net_text(mapped, port);
}

uint16_t net_port(struct net *n, int side, int fd)
{
    struct sockaddr_in6 in6; /* the port stands at the same place in both */
    uint32_t len = sizeof in6;
    const int err = la_sock_getsockname(n->x[side], fd, (struct sockaddr *)&in6, &len);

    LA_ASSERT(err == 0);
    return ntohs(in6.sin6_port);
}

int net_listen(struct net *n, uint16_t port, int backlog)
{
    const struct net_addr at = net_addr(n, 1, port);
    const int fd = la_socket(n->x[1], n->w->v6 ? AF_INET6 : AF_INET, SOCK_STREAM, 0);

    LA_ASSERT(fd >= 0);
    LA_ASSERT(la_sock_bind(n->x[1], fd, NET(at)) == 0);
    LA_ASSERT(la_sock_listen(n->x[1], fd, backlog) == 0);
    return fd;
}

void net_pair(struct net *n, int listener, uint16_t port, int fd[2])
{
    const struct net_addr to = net_addr(n, 1, port);

    fd[0] = la_socket(n->x[0], n->w->v6 ? AF_INET6 : AF_INET, SOCK_STREAM, 0);
    LA_ASSERT(fd[0] >= 0);
    LA_ASSERT(la_sock_connect(n->x[0], fd[0], NET(to)) == -EINPROGRESS);
    net_turn(n);
    LA_ASSERT(la_sock_connect(n->x[0], fd[0], NET(to)) == 0);
    fd[1] = la_sock_accept4(n->x[1], listener, NULL, NULL, 0);
    LA_ASSERT(fd[1] >= 0);
}

int net_poll(struct net *n, int side, int fd)
{
    struct pollfd p = { .fd = fd,
                        .events =
                            POLLIN | POLLOUT | POLLPRI | POLLRDHUP | POLLRDNORM | POLLWRNORM };
    const int r = la_sock_poll(n->x[side], &p, 1);

    LA_ASSERT(r == (p.revents != 0));
    return p.revents;
}

int net_option(struct net *n, int side, int fd, int level, int name)
{
    int value = -1;
    uint32_t len = sizeof value;
    const int err = la_sock_getsockopt(n->x[side], fd, level, name, &value, &len);

    return err != 0 ? err : value;
}
