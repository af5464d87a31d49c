/* SPDX-License-Identifier: MIT */
/* close_wait_right.c - Asks a server once a second.  Every way out closes the socket. */
#define _GNU_SOURCE
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int connect_to(uint16_t port)
{
    const struct sockaddr_in at = { .sin_family = AF_INET,
                                    .sin_port = htons(port),
                                    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd >= 0 && connect(fd, (const struct sockaddr *)&at, sizeof at) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

/* Return: 0 if the service is well. */
static int ask(void)
{
    static const char request[] = "GET /health HTTP/1.0\r\n\r\n";
    char answer[512];
    const int fd = connect_to(8080);
    int result = -1;

    if (fd < 0)
        return -1;
    if (send(fd, request, sizeof request - 1, MSG_NOSIGNAL) == (ssize_t)sizeof request - 1) {
        const ssize_t n = read(fd, answer, sizeof answer - 1);

        answer[n > 0 ? n : 0] = '\0';
        result = strstr(answer, " 200 ") ? 0 : -1;
    }
    close(fd); /* the one way out */
    return result;
}

int main(void)
{
    for (;;) {
        puts(ask() == 0 ? "well" : "not well");
        sleep(1);
    }
}
