/* SPDX-License-Identifier: MIT */
/* accept_loop_right.c - An echo server.  Without a descriptor it asks for no more connections. */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static int listen_on(uint16_t port)
{
    const struct sockaddr_in at = { .sin_family = AF_INET,
                                    .sin_port = htons(port),
                                    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;

    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        bind(fd, (const struct sockaddr *)&at, sizeof at) != 0 || listen(fd, SOMAXCONN) != 0) {
        perror("listen");
        exit(1);
    }
    return fd;
}

/* Return: true if the descriptor was given back. */
static bool serve(int fd)
{
    char bytes[4096];
    const ssize_t n = read(fd, bytes, sizeof bytes);

    if (n > 0 && write(fd, bytes, (size_t)n) == n)
        return false;
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    close(fd);
    return true;
}

int main(void)
{
    const int listener = listen_on(8080), all = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event e = { .events = EPOLLIN, .data.fd = listener };
    bool paused = false;

    if (all < 0 || epoll_ctl(all, EPOLL_CTL_ADD, listener, &e) != 0)
        return 1;
    while (epoll_wait(all, &e, 1, -1) >= 0) {
        if (e.data.fd != listener) {
            if (serve(e.data.fd) && paused) {
                struct epoll_event again = { .events = EPOLLIN, .data.fd = listener };

                paused = epoll_ctl(all, EPOLL_CTL_ADD, listener, &again) != 0;
            }
            continue;
        }
        const int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd < 0) {
            /* The connection waits in the queue; so do we, until something was closed. */
            if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
                paused = epoll_ctl(all, EPOLL_CTL_DEL, listener, NULL) == 0;
            continue;
        }
        struct epoll_event client = { .events = EPOLLIN, .data.fd = fd };

        if (epoll_ctl(all, EPOLL_CTL_ADD, fd, &client) != 0)
            close(fd);
    }
    return 1;
}
