/* SPDX-License-Identifier: MIT */
/* self_connect_right.c - Waits for a server on its own host, and looks whom it has reached. */
#define _GNU_SOURCE
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
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

static bool is_self(int fd)
{
    struct sockaddr_in own = { 0 }, peer = { 0 };
    socklen_t own_bytes = sizeof own, peer_bytes = sizeof peer;

    return getsockname(fd, (struct sockaddr *)&own, &own_bytes) == 0 &&
           getpeername(fd, (struct sockaddr *)&peer, &peer_bytes) == 0 &&
           own.sin_port == peer.sin_port &&
           memcmp(&own.sin_addr, &peer.sin_addr, sizeof own.sin_addr) == 0;
}

int main(void)
{
    int fd;

    while ((fd = connect_to_server()) < 0 || is_self(fd)) {
        if (fd >= 0)
            close(fd);
        usleep(1000);
    }
    printf("connected\n");
    close(fd);
    return 0;
}
