/* SPDX-License-Identifier: MIT */
/* pool_wrong.c - A connection for each request: each leaves its port in TIME_WAIT for 60 s. */
#define _GNU_SOURCE
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int connect_to_server(void)
{
    const struct sockaddr_in to = { .sin_family = AF_INET,
                                    .sin_port = htons(8080),
                                    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd >= 0 && connect(fd, (const struct sockaddr *)&to, sizeof to) != 0) {
        perror("connect"); /* EADDRNOTAVAIL: no local port is left */
        close(fd);
        return -1;
    }
    return fd;
}

static int ask(void)
{
    static const char request[] = "GET / HTTP/1.0\r\n\r\n";
    char answer[4096];
    const int fd = connect_to_server();

    if (fd < 0)
        return -1;
    if (send(fd, request, strlen(request), MSG_NOSIGNAL) < 0 ||
        recv(fd, answer, sizeof answer, 0) < 0) {
        perror("ask");
        close(fd);
        return -1;
    }
    close(fd); /* the client closes first and pays */
    return 0;
}

int main(void)
{
    for (int i = 0; i < 100000; i++)
        if (ask() != 0)
            return 1;
    return 0;
}
