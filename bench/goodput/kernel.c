/* SPDX-License-Identifier: MIT */
/*
 * kernel.c - Both ends on the kernel's sockets.
 *
 * What a receiver has read counts, and what a sender has had acknowledged; what lies in a buffer
 * does not.  The time begins when the connection stands.
 */
#include "bench/goodput/goodput.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PIECE_BYTES 131072u

static uint8_t piece[PIECE_BYTES];

static uint64_t now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static bool said(const char *what)
{
    fprintf(stderr, "bench: client: %s: %s\n", what, strerror(errno));
    return false;
}

static bool info_of(int fd, struct tcp_info *info)
{
    socklen_t len = sizeof *info;

    memset(info, 0, sizeof *info);
    return getsockopt(fd, IPPROTO_TCP, TCP_INFO, info, &len) == 0;
}

/* The client ------------------------------------------------------------------------- */

/* A namespace may not choose CUBIC for all of its sockets; each may for itself. */
static int cubic_socket(void)
{
    static const char name[] = "cubic";
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd >= 0 && setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, sizeof name - 1) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static int dial(const char *server, uint16_t port)
{
    struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(port) };
    const int fd = cubic_socket();

    inet_pton(AF_INET, server, &sin.sin_addr);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&sin, sizeof sin) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

static bool wait_for(int fd, short events, uint64_t until_ns)
{
    struct pollfd p = { .fd = fd, .events = events };
    const uint64_t now = now_ns();
    const uint64_t left_ns = until_ns > now ? until_ns - now : 0;
    const struct timespec ts = { .tv_sec = (time_t)(left_ns / 1000000000u),
                                 .tv_nsec = (long)(left_ns % 1000000000u) };

    return ppoll(&p, 1, &ts, NULL) > 0;
}

bool client(const char *server, enum direction d, uint64_t ns, struct seen *seen)
{
    const int fd = dial(server, d == SEND ? PORT_SOURCE : PORT_SINK);
    struct tcp_info info;
    uint64_t bytes = 0;

    if (fd < 0)
        return said("connect");
    const uint64_t begun_ns = now_ns();
    const uint64_t until_ns = begun_ns + ns;
    while (now_ns() < until_ns) {
        if (!wait_for(fd, d == SEND ? POLLIN : POLLOUT, until_ns))
            continue;
        const ssize_t n = d == SEND ? recv(fd, piece, sizeof piece, MSG_DONTWAIT)
                                    : send(fd, piece, sizeof piece, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n == 0 || (n < 0 && errno != EAGAIN))
            return said("transfer");
        if (n > 0)
            bytes += (uint64_t)n;
    }
    if (d == RECEIVE) {
        if (!info_of(fd, &info))
            return said("TCP_INFO");
        bytes = info.tcpi_bytes_acked;
        seen->retrans_bytes = info.tcpi_bytes_retrans;
    }
    seen->bytes = bytes;
    seen->took_ns = now_ns() - begun_ns;
    return true;
}

/* The server ------------------------------------------------------------------------- */

static bool listen_on(int ep, uint16_t port)
{
    struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(port) };
    const int fd = cubic_socket();
    struct epoll_event ev = { .events = EPOLLIN, .data.u64 = (uint64_t)fd << 32 | port };

    return fd >= 0 && bind(fd, (const struct sockaddr *)&sin, sizeof sin) == 0 &&
           listen(fd, 16) == 0 && epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev) == 0;
}

static void accept_one(int ep, int listener, uint32_t port)
{
    const int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    struct epoll_event ev = { .events = port == PORT_SOURCE ? EPOLLOUT : EPOLLIN,
                              .data.u64 = (uint64_t)fd << 32 | port << 16 };

    if (fd >= 0)
        epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev);
}

static void serve_one(int fd, uint32_t port, struct seen *seen)
{
    struct tcp_info info;
    const ssize_t n = port == PORT_SINK ? recv(fd, piece, sizeof piece, 0)
                                        : send(fd, piece, sizeof piece, MSG_NOSIGNAL);

    if (port == PORT_SOURCE && seen != NULL && info_of(fd, &info))
        seen->retrans_bytes = info.tcpi_bytes_retrans;
    if (n == 0 || (n < 0 && errno != EAGAIN))
        close(fd);
}

int serve_kernel(struct seen *seen, int ready_fd)
{
    struct epoll_event events[16];
    const int ep = epoll_create1(EPOLL_CLOEXEC);

    if (!listen_on(ep, PORT_SINK) || !listen_on(ep, PORT_SOURCE) || write(ready_fd, "", 1) != 1) {
        perror("bench: the kernel's server");
        return 1;
    }
    for (;;) {
        const int n = epoll_wait(ep, events, 16, -1);
        for (int i = 0; i < n; i++) {
            const int fd = (int)(events[i].data.u64 >> 32);
            const uint32_t low = (uint32_t)events[i].data.u64;
            if (low >> 16 == 0)
                accept_one(ep, fd, low);
            else
                serve_one(fd, low >> 16, seen);
        }
    }
}
