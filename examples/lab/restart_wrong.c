/* SPDX-License-Identifier: MIT */
/* restart_wrong.c - Says the time, closing first.  Started again it fails: address already in use. */
#define _GNU_SOURCE
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

int main(void)
{
    const struct sockaddr_in at = { .sin_family = AF_INET,
                                    .sin_port = htons(8080),
                                    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (listener < 0 || bind(listener, (const struct sockaddr *)&at, sizeof at) != 0 ||
        listen(listener, SOMAXCONN) != 0) {
        perror("listen");
        return 1;
    }
    for (;;) {
        const int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

        if (fd < 0)
            return 1;
        dprintf(fd, "%lld\n", (long long)time(NULL));
        close(fd); /* first: so TIME_WAIT is here */
    }
}
