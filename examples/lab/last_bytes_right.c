/* SPDX-License-Identifier: MIT */
/* last_bytes_right.c - Refuses uploads.  It reads to the end before it closes, so the answer arrives. */
#define _GNU_SOURCE
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static int listen_on(uint16_t port)
{
    const struct sockaddr_in at = { .sin_family = AF_INET,
                                    .sin_port = htons(port),
                                    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        bind(fd, (const struct sockaddr *)&at, sizeof at) != 0 || listen(fd, SOMAXCONN) != 0) {
        perror("listen");
        exit(1);
    }
    return fd;
}

static void refuse(int fd)
{
    static const char answer[] = "HTTP/1.0 413 Content Too Large\r\n\r\ntoo large\n";
    char bytes[4096];

    if (read(fd, bytes, sizeof bytes) > 0 && send(fd, answer, sizeof answer - 1, MSG_NOSIGNAL) < 0)
        perror("send");
    /* "That was all from me"; then let the client finish, but not for ever. */
    const struct timeval patience = { .tv_sec = 5 };

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    shutdown(fd, SHUT_WR);
    for (int i = 0; i < 10000 && read(fd, bytes, sizeof bytes) > 0; i++)
        continue;
    close(fd);
}

int main(void)
{
    const int listener = listen_on(8080);

    for (;;) {
        const int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

        if (fd < 0)
            return 1;
        refuse(fd);
    }
}
