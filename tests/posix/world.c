/* SPDX-License-Identifier: MIT */
/* world.c - The same calls on two hosts of lastack and on the kernel's loopback. */
#include "tests/posix/world.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define POLLED (POLLIN | POLLOUT | POLLPRI | POLLRDHUP | POLLRDNORM | POLLWRNORM)
#define EPHEMERAL 99

static int64_t kernel(int64_t r)
{
    return r < 0 ? -errno : r;
}

#define PORTS_FIRST 10000u
#define PORTS_COUNT 22000u /* below the kernel's ephemeral ones */

static bool port_is_free(uint16_t port)
{
    const struct net_addr any = net_any(true, port);
    const int fd = socket(AF_INET6, SOCK_STREAM, 0);
    const bool is_free = fd >= 0 && bind(fd, NET(any)) == 0;

    close(fd);
    return is_free;
}

uint16_t world_free_ports(uint32_t start)
{
    uint32_t found = 0, port = start % PORTS_COUNT;

    for (uint32_t tried = 0; tried < PORTS_COUNT; tried++) {
        port = (port + 1) % PORTS_COUNT;
        found = port != 0 && port_is_free((uint16_t)(PORTS_FIRST + port)) ? found + 1 : 0;
        if (found == 2 * WORLD_PORTS)
            return (uint16_t)(PORTS_FIRST + port - 2 * WORLD_PORTS);
    }
    LA_ASSERT(found > 0); /* the kernel has no ports left */
    return 0;
}

struct world *world_new(bool is_kernel, enum world_family family, uint16_t port_base)
{
    struct world *w = calloc(1, sizeof *w);
    struct la_config config;
    const struct net_opt opt = { .v6 = family == WORLD_V6, .config = { &config, &config } };

    LA_ASSERT(w != NULL);
    w2_config(&config);
    config.listeners = WORLD_SLOTS;
    w->kernel = is_kernel;
    w->family = family;
    w->port_base = port_base;
    if (!is_kernel)
        w->net = net_new(&opt);
    for (int side = 0; side < 2; side++) {
        for (int slot = 0; slot < WORLD_SLOTS; slot++)
            w->fd[side][slot] = -1;
        w->fd[side][WORLD_EPOLL] =
            is_kernel ? epoll_create1(0) : la_epoll_create1(w->net->x[side], 0);
        LA_ASSERT(w->fd[side][WORLD_EPOLL] >= 0);
    }
    return w;
}

void world_free(struct world *w)
{
    for (int side = 0; side < 2; side++)
        for (int slot = 0; w->kernel && slot <= WORLD_EPOLL; slot++)
            if (w->fd[side][slot] >= 0)
                close(w->fd[side][slot]);
    if (!w->kernel)
        net_free(w->net);
    free(w);
}

void world_settle(struct world *w)
{
    if (!w->kernel)
        net_turn(w->net); /* the kernel's loopback delivers within the call */
}

static uint16_t port_at(const struct world *w, int side, int port)
{
    if (port == 0)
        return 0;
    return (uint16_t)((w->kernel ? w->port_base : 5000) + side * WORLD_PORTS + port);
}

static struct net_addr addr_at(const struct world *w, int side, enum world_where where, int port)
{
    const uint16_t number = port_at(w, side, port);
    const bool v6 = w->family != WORLD_V4;

    if (where == WORLD_ANY)
        return net_any(v6, number);
    if (where == WORLD_STRANGE)
        return net_text(w->family == WORLD_V4   ? "192.0.2.77"
                        : w->family == WORLD_V6 ? "2001:db8:77::1"
                                                : "::ffff:192.0.2.77",
                        number);
    if (!w->kernel)
        return w->family == WORLD_MAPPED ? net_mapped(w->net, side, number)
                                         : net_addr(w->net, side, number);
    if (w->family == WORLD_V6)
        return net_text("::1", number);
    return net_text(w->family == WORLD_V4 ? "127.0.0.1" : "::ffff:127.0.0.1", number);
}

#define FD w->fd[side][slot]
#define X w->net->x[side]

int64_t world_socket(struct world *w, int side, int slot)
{
    const int domain = w->family == WORLD_V4 ? AF_INET : AF_INET6;
    const int type = SOCK_STREAM | SOCK_NONBLOCK;

    const int on = 1;

    FD = (int)(w->kernel ? kernel(socket(domain, type, 0)) : la_socket(X, domain, type, 0));
    /* Nagle and delayed ACKs together would make results a matter of time. */
    return FD < 0 ? FD : world_set(w, side, slot, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

int64_t world_bind(struct world *w, int side, int slot, enum world_where where, int port)
{
    const struct net_addr a = addr_at(w, side, where, port);

    return w->kernel ? kernel(bind(FD, NET(a))) : la_sock_bind(X, FD, NET(a));
}

int64_t world_listen(struct world *w, int side, int slot, int backlog)
{
    return w->kernel ? kernel(listen(FD, backlog)) : la_sock_listen(X, FD, backlog);
}

int64_t world_accept(struct world *w, int side, int slot, int to)
{
    const int64_t r = w->kernel ? kernel(accept4(FD, NULL, NULL, SOCK_NONBLOCK))
                                : la_sock_accept4(X, FD, NULL, NULL, SOCK_NONBLOCK);

    if (r < 0)
        return r;
    w->fd[side][to] = (int)r;
    return 0;
}

int64_t world_connect(struct world *w, int side, int slot, int port)
{
    struct net_addr a = addr_at(w, 1 - side, WORLD_OWN, port < 0 ? 0 : port);

    if (port < 0)
        a.sa.ss_family = AF_UNSPEC;
    return w->kernel ? kernel(connect(FD, NET(a))) : la_sock_connect(X, FD, NET(a));
}

int64_t world_send(struct world *w, int side, int slot, const void *bytes, size_t len, int flags)
{
    return w->kernel ? kernel(send(FD, bytes, len, flags | MSG_NOSIGNAL))
                     : la_sock_send(X, FD, bytes, len, flags);
}

int64_t world_recv(struct world *w, int side, int slot, void *bytes, size_t len, int flags)
{
    return w->kernel ? kernel(recv(FD, bytes, len, flags)) : la_sock_recv(X, FD, bytes, len, flags);
}

int64_t world_shutdown(struct world *w, int side, int slot, int how)
{
    return w->kernel ? kernel(shutdown(FD, how)) : la_sock_shutdown(X, FD, how);
}

int64_t world_close(struct world *w, int side, int slot)
{
    const int64_t r = w->kernel ? kernel(close(FD)) : la_sock_close(X, FD);

    FD = -1;
    return r;
}

int64_t world_set(struct world *w, int side, int slot, int level, int name, const void *value,
                  uint32_t len)
{
    return w->kernel ? kernel(setsockopt(FD, level, name, value, len))
                     : la_sock_setsockopt(X, FD, level, name, value, len);
}

int64_t world_get(struct world *w, int side, int slot, int level, int name)
{
    int value = 0;
    uint32_t len = sizeof value;
    const int64_t r = w->kernel ? kernel(getsockopt(FD, level, name, &value, &len))
                                : la_sock_getsockopt(X, FD, level, name, &value, &len);

    return r < 0 ? r - 1000 : value;
}

int64_t world_name(struct world *w, int side, int slot, bool peer)
{
    struct sockaddr_in6 in6;
    struct sockaddr *sa = (struct sockaddr *)&in6;
    uint32_t len = sizeof in6;
    int64_t r;
    int port;

    if (peer)
        r = w->kernel ? kernel(getpeername(FD, sa, &len)) : la_sock_getpeername(X, FD, sa, &len);
    else
        r = w->kernel ? kernel(getsockname(FD, sa, &len)) : la_sock_getsockname(X, FD, sa, &len);
    if (r < 0)
        return r;
    port = ntohs(in6.sin6_port);
    if (port == 0)
        return 0;
    port -= port_at(w, peer ? 1 - side : side, 1) - 1;
    return port >= 1 && port <= WORLD_PORTS ? port : EPHEMERAL;
}

int64_t world_inq(struct world *w, int side, int slot)
{
    int value = 0;
    const int64_t r =
        w->kernel ? kernel(ioctl(FD, SIOCINQ, &value)) : la_sock_ioctl(X, FD, SIOCINQ, &value);

    return r < 0 ? r : value;
}

uint8_t world_state(struct world *w, int side, int slot)
{
    uint8_t state = 0; /* the first member of struct tcp_info */
    uint32_t len = 1;
    const int64_t r = w->kernel ? getsockopt(FD, IPPROTO_TCP, TCP_INFO, &state, &len)
                                : la_sock_getsockopt(X, FD, IPPROTO_TCP, TCP_INFO, &state, &len);

    LA_ASSERT(r == 0);
    return state;
}

int64_t world_poll(struct world *w, int side, int slot)
{
    struct pollfd p = { .fd = FD, .events = POLLED };
    const int64_t r = w->kernel ? kernel(poll(&p, 1, 0)) : la_sock_poll(X, &p, 1);

    return r < 0 ? r : p.revents;
}

int64_t world_epoll_ctl(struct world *w, int side, int op, int slot, uint32_t events)
{
    struct epoll_event e = { .events = events, .data.u32 = (uint32_t)slot };
    const int ep = w->fd[side][WORLD_EPOLL];

    return w->kernel ? kernel(epoll_ctl(ep, op, FD, &e)) : la_epoll_ctl(X, ep, op, FD, &e);
}

int64_t world_epoll_wait(struct world *w, int side, uint32_t events[WORLD_SLOTS])
{
    struct epoll_event e[WORLD_SLOTS];
    const int ep = w->fd[side][WORLD_EPOLL];
    const int64_t n = w->kernel ? kernel(epoll_wait(ep, e, WORLD_SLOTS, 0))
                                : la_epoll_wait(X, ep, e, WORLD_SLOTS);

    memset(events, 0, WORLD_SLOTS * sizeof events[0]);
    for (int64_t i = 0; i < n; i++)
        events[e[i].data.u32] = e[i].events;
    return n;
}
