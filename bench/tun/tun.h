/* SPDX-License-Identifier: MIT */
/* tun.h - The parties of `./dev bench tun`: who serves on the device, and the kernel's clients. */
#ifndef BENCH_TUN_H
#define BENCH_TUN_H

#include "bench/served/ports.h"

#include <stdbool.h>
#include <stdint.h>

/* The client's address and the server's, in every run. */
#define CLIENT_CIDR "10.77.0.1/24"
#define SERVER_ADDR "10.77.0.2"
#define SERVER_CIDR "10.77.0.2/24"

#define MESSAGE_BYTES 64u
#define PIECE_BYTES (64u * 1024u) /* of one call of an application that moves bulk */

struct serve_options {
    bool offload;
    uint32_t buffer_bytes; /* lastack's send and receive buffers */
    bool stats;            /* at the end say on stderr what the loop did */
};

/*
 * The servers: each opens its device, writes one byte to @ready_fd and serves until it is killed.
 * They return only on failure, after a message.
 */
int serve_bare(const struct serve_options *o, int ready_fd); /* a TUN device and next to nothing */
int serve_lastack(const struct serve_options *o, int ready_fd); /* the same device, with a stack */
int serve_kernel(int ready_fd);                                 /* sockets in this namespace */

/* Make this namespace's TCP what is measured here: Reno. */
bool kernel_settle(void);

/*
 * The clients, on the kernel's sockets.  @seconds of work.
 * Return: bytes, or round trips; 0 after a message.
 */
double client_in(double seconds);  /* the kernel sends */
double client_out(double seconds); /* the kernel receives */
double client_rr(double seconds, uint32_t connections);

#endif
