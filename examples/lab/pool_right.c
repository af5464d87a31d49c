/* SPDX-License-Identifier: MIT */
/* pool_right.c - One connection for all requests; a new one only when the server has closed it. */
#define _GNU_SOURCE
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
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

/* One answer, whole: without its length one would not know where the next begins. */
static int read_answer(int fd)
{
    char bytes[4096];
    size_t have = 0;

    while (have < sizeof bytes - 1) {
        const ssize_t n = recv(fd, bytes + have, sizeof bytes - 1 - have, 0);

        if (n <= 0)
            return -1;
        have += (size_t)n;
        bytes[have] = '\0';
        const char *body = strstr(bytes, "\r\n\r\n");
        const char *length = strcasestr(bytes, "\r\nContent-Length:");

        if (body && length && length < body &&
            have - (size_t)(body + 4 - bytes) >= strtoul(length + 17, NULL, 10))
            return 0;
    }
    return -1;
}

static int ask(int *fd)
{
    static const char request[] = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

    for (int tries = 0; tries < 2; tries++) {
        if (*fd < 0)
            *fd = connect_to_server();
        if (*fd < 0)
            return -1;
        if (send(*fd, request, strlen(request), MSG_NOSIGNAL) > 0 && read_answer(*fd) == 0)
            return 0;
        close(*fd); /* the server was tired of waiting: GET may be asked again */
        *fd = -1;
    }
    return -1;
}

int main(void)
{
    int fd = -1;

    for (int i = 0; i < 100000; i++)
        if (ask(&fd) != 0)
            return 1;
    close(fd);
    return 0;
}
