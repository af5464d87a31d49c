/* SPDX-License-Identifier: MIT */
/*
 * kernel.c - The clients, and the servers to compare with, on the kernel's own TCP.
 *
 * A client that sends counts its bytes once the server has answered its FIN, so that what still
 * lies in a buffer is not counted as moved.
 */
#include "bench/tun/tun.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS_MAX 256u

static uint8_t piece[PIECE_BYTES];

static double now_s(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

static double said(const char *what)
{
    fprintf(stderr, "bench: client: %s: %s\n", what, strerror(errno));
    return 0;
}

static struct sockaddr_in server_at(uint16_t port)
{
    struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(port) };

    inet_pton(AF_INET, SERVER_ADDR, &sin.sin_addr);
    return sin;
}

/*
 * For this namespace: a sender that paces, as BBR does, would measure its own pace.  Reno is the one a
 * namespace may always choose; nothing is lost here, so it hardly matters which.
 */
bool kernel_settle(void)
{
    static const char name[] = "reno";
    FILE *f = fopen("/proc/sys/net/ipv4/tcp_congestion_control", "w");
    const bool written = f != NULL && fputs(name, f) >= 0;

    memset(piece, 0x5a, sizeof piece); /* else all of it were one page of zeros */
    if (f == NULL || fclose(f) != 0 || !written) {
        said("reno as congestion control");
        return false;
    }
    return true;
}

/* Clients -------------------------------------------------------------------------- */

static int dial(uint16_t port)
{
    const struct sockaddr_in sin = server_at(port);
    const struct timeval patience = { .tv_sec = 10 };
    const int one = 1;
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (connect(fd, (const struct sockaddr *)&sin, sizeof sin) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

double client_in(double seconds)
{
    const int fd = dial(PORT_SINK);
    uint64_t bytes = 0;

    if (fd < 0)
        return said("connect");
    const double begun = now_s();
    while (now_s() - begun < seconds) {
        const ssize_t n = send(fd, piece, sizeof piece, MSG_NOSIGNAL);
        if (n < 0)
            return said("send");
        bytes += (uint64_t)n;
    }
    shutdown(fd, SHUT_WR);
    if (recv(fd, piece, 1, 0) != 0)
        return said("the server's FIN");
    close(fd);
    return (double)bytes;
}

double client_out(double seconds)
{
    const int fd = dial(PORT_SOURCE);
    uint64_t bytes = 0;

    if (fd < 0)
        return said("connect");
    const double begun = now_s();
    double now = begun;
    while (now - begun < seconds) {
        const ssize_t n = recv(fd, piece, sizeof piece, 0);
        if (n <= 0)
            return said("recv");
        bytes += (uint64_t)n;
        now = now_s();
    }
    close(fd); /* with bytes unread: a reset, which stops the server */
    return (double)bytes;
}

static double ping_one(double seconds)
{
    const int fd = dial(PORT_ECHO);
    uint64_t count = 0;

    if (fd < 0)
        return said("connect");
    const double begun = now_s();
    double now = begun;
    while (now - begun < seconds) {
        if (send(fd, piece, MESSAGE_BYTES, MSG_NOSIGNAL) != MESSAGE_BYTES ||
            recv(fd, piece, MESSAGE_BYTES, MSG_WAITALL) != MESSAGE_BYTES)
            return said("round trip");
        count++;
        now = now_s();
    }
    close(fd);
    return (double)count;
}

double client_rr(double seconds, uint32_t connections)
{
    struct epoll_event events[CONNECTIONS_MAX];
    int fds[CONNECTIONS_MAX];
    const int ep = epoll_create1(EPOLL_CLOEXEC);
    uint64_t count = 0;

    if (connections == 1)
        return ping_one(seconds);
    for (uint32_t i = 0; i < connections; i++) {
        fds[i] = dial(PORT_ECHO);
        struct epoll_event ev = { .events = EPOLLIN, .data.fd = fds[i] };
        if (fds[i] < 0 || epoll_ctl(ep, EPOLL_CTL_ADD, fds[i], &ev) != 0)
            return said("connect");
    }
    const double begun = now_s();
    double now = begun;
    for (uint32_t i = 0; i < connections; i++)
        (void)!send(fds[i], piece, MESSAGE_BYTES, MSG_NOSIGNAL);
    while (now - begun < seconds) {
        const int n = epoll_wait(ep, events, CONNECTIONS_MAX, 5000);
        if (n <= 0)
            return said("epoll_wait");
        for (int i = 0; i < n; i++) {
            const int fd = events[i].data.fd;
            if (recv(fd, piece, MESSAGE_BYTES, MSG_WAITALL) != MESSAGE_BYTES ||
                send(fd, piece, MESSAGE_BYTES, MSG_NOSIGNAL) != MESSAGE_BYTES)
                return said("round trip");
        }
        count += (uint64_t)n;
        now = now_s();
    }
    for (uint32_t i = 0; i < connections; i++)
        close(fds[i]);
    close(ep);
    return (double)count;
}

/* Servers -------------------------------------------------------------------------- */

static int listen_on(int ep, uint16_t port)
{
    struct sockaddr_in sin = server_at(port);
    const int one = 1;
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct epoll_event ev = { .events = EPOLLIN, .data.u64 = (uint64_t)fd << 32 | port };

    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    return bind(fd, (const struct sockaddr *)&sin, sizeof sin) == 0 && listen(fd, 1024) == 0 &&
                   epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev) == 0
               ? fd
               : -1;
}

static void accept_one(int ep, int listener, uint32_t port)
{
    const int one = 1;
    const int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    struct epoll_event ev = { .events = port == PORT_SOURCE ? EPOLLOUT : EPOLLIN,
                              .data.u64 = (uint64_t)fd << 32 | port << 16 };

    if (fd < 0)
        return;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev);
}

static void serve_one(int fd, uint32_t port)
{
    ssize_t n;

    if (port == PORT_SINK)
        n = recv(fd, piece, sizeof piece, 0);
    else if (port == PORT_SOURCE)
        n = send(fd, piece, sizeof piece, MSG_NOSIGNAL);
    else if ((n = recv(fd, piece, MESSAGE_BYTES, 0)) > 0)
        n = send(fd, piece, (size_t)n, MSG_NOSIGNAL);
    if (n == 0 || (n < 0 && errno != EAGAIN))
        close(fd);
}

int serve_kernel(int ready_fd)
{
    struct epoll_event events[64];
    const int ep = epoll_create1(EPOLL_CLOEXEC);

    if (!kernel_settle())
        return 1;
    if (listen_on(ep, PORT_SINK) < 0 || listen_on(ep, PORT_SOURCE) < 0 ||
        listen_on(ep, PORT_ECHO) < 0) {
        perror("bench: kernel's server");
        return 1;
    }
    if (write(ready_fd, "", 1) != 1)
        return 1;
    for (;;) {
        const int n = epoll_wait(ep, events, 64, -1);
        for (int i = 0; i < n; i++) {
            const int fd = (int)(events[i].data.u64 >> 32);
            const uint32_t low = (uint32_t)events[i].data.u64;
            if (low >> 16 == 0)
                accept_one(ep, fd, low);
            else
                serve_one(fd, low >> 16);
        }
    }
}
