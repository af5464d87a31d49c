/* SPDX-License-Identifier: MIT */
/*
 * pipe.h - Two stacks in two threads of one program, joined by a socket pair of the kernel
 * that carries IP packets.
 */
#ifndef TESTS_POSIX_PIPE_H
#define TESTS_POSIX_PIPE_H

#include <lastack/socket.h>

struct pipe_pair {
    struct la_stack *stack[2];
    struct la_rt_driver *driver[2];
    struct la_mt *mt[2];
    void *mem[2];
    uint64_t mem_bytes;
    struct la_addr addr[2];
};

/* Host 0 is 10.0.0.1 or 2001:db8::1, host 1 has ...2; both run. */
void pipe_pair_new(struct pipe_pair *p, bool v6, const struct la_config *config, uint32_t nofile);
void pipe_pair_free(struct pipe_pair *p);

#endif
