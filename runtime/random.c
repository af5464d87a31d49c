/* SPDX-License-Identifier: MIT */
/*
 * random.c - The secret's source: getrandom(2), which waits until the kernel's generator
 * is seeded and then never fails for requests of this size.
 *
 * There is no fallback.  A guessed secret gives away initial sequence numbers, ports
 * and hash seeds at once (RFC 6528, RFC 6056), so a program without randomness ends.
 */
#include <lastack/runtime.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

void la_rt_random(void *bytes, size_t len_bytes)
{
    uint8_t *at = bytes;

    while (len_bytes > 0) {
        const ssize_t got = getrandom(at, len_bytes, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            fprintf(stderr, "lastack: no randomness from the kernel: %s\n", strerror(errno));
            exit(EXIT_FAILURE);
        }
        at += got;
        len_bytes -= (size_t)got;
    }
}
