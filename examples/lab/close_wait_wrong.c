/* SPDX-License-Identifier: MIT */
/* close_wait_wrong.c - Asks a server once a second.  Each bad answer leaves a socket in CLOSE_WAIT. */
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

    if (fd < 0 || send(fd, request, sizeof request - 1, MSG_NOSIGNAL) < 0)
        return -1;
    const ssize_t n = read(fd, answer, sizeof answer - 1);

    answer[n > 0 ? n : 0] = '\0';
    if (!strstr(answer, " 200 "))
        return -1; /* the server has closed, and nobody will ever close fd */
    close(fd);
    return 0;
}

int main(void)
{
    for (;;) {
        puts(ask() == 0 ? "well" : "not well");
        sleep(1);
    }
}
