/* SPDX-License-Identifier: MIT */
/* half_close_right.c - Ends its own direction, and reads the answer to its end. */
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

int main(void)
{
    static const char request[] = "the whole request";
    const int fd = connect_to_server();
    char bytes[4096];
    ssize_t n;

    if (fd < 0)
        return 1;
    if (send(fd, request, strlen(request), MSG_NOSIGNAL) < 0 || shutdown(fd, SHUT_WR) != 0)
        perror("send");
    while ((n = recv(fd, bytes, sizeof bytes, 0)) > 0)
        (void)fwrite(bytes, 1, (size_t)n, stdout);
    if (n < 0)
        perror("recv");
    close(fd);
    return n < 0;
}
