/* SPDX-License-Identifier: MIT */
/* self_connect_wrong.c - Waits for a server on its own host, and may be connected to itself. */
#define _GNU_SOURCE
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

static int connect_to_server(void)
{
    const struct sockaddr_in to = { .sin_family = AF_INET,
                                    .sin_port = htons(40000),
                                    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd >= 0 && connect(fd, (const struct sockaddr *)&to, sizeof to) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

int main(void)
{
    int fd;

    while ((fd = connect_to_server()) < 0)
        usleep(1000);
    printf("connected\n"); /* to whom? */
    close(fd);
    return 0;
}
