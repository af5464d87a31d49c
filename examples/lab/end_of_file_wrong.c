/* SPDX-License-Identifier: MIT */
/* end_of_file_wrong.c - An echo server.  A client that leaves makes it spin. */
#define _GNU_SOURCE
#include <netinet/in.h>
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

static void serve(int fd)
{
    char bytes[4096];
    ssize_t n;

    while ((n = read(fd, bytes, sizeof bytes)) > 0)
        if (write(fd, bytes, (size_t)n) < 0)
            break;
    /* Nothing more just now, it thinks.  But 0 is the end, and will be told for ever. */
}

int main(void)
{
    const int listener = listen_on(8080), all = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event e = { .events = EPOLLIN, .data.fd = listener };

    if (all < 0 || epoll_ctl(all, EPOLL_CTL_ADD, listener, &e) != 0)
        return 1;
    while (epoll_wait(all, &e, 1, -1) >= 0) {
        if (e.data.fd != listener) {
            serve(e.data.fd);
            continue;
        }
        const int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        struct epoll_event client = { .events = EPOLLIN, .data.fd = fd };

        if (fd >= 0 && epoll_ctl(all, EPOLL_CTL_ADD, fd, &client) != 0)
            close(fd);
    }
    return 1;
}
