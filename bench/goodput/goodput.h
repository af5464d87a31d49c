/* SPDX-License-Identifier: MIT */
/*
 * goodput.h - The parts of `./dev bench goodput`: cells, the two ends, and the machinery that puts
 * a path between them.
 */
#ifndef BENCH_GOODPUT_H
#define BENCH_GOODPUT_H

#include "bench/served/ports.h"

#include <stdbool.h>
#include <stdint.h>

/* A path, the same in both directions. */
struct cell {
    uint32_t rate_mbps, rtt_ms, loss_ppm;
    uint32_t burst;       /* lost in bursts of so many on average; 1 = alone */
    uint32_t reorder_ppm; /* by up to a quarter of the delay, and 1 ms */
};

enum who { KERNEL, LASTACK, WHOS };
enum direction { SEND, RECEIVE, DIRECTIONS }; /* what the server under test does */

/* Where the ends write what they saw: memory they share. */
struct seen {
    uint64_t bytes;         /* that arrived, or were acknowledged, within the time */
    uint64_t took_ns;       /* from the connection until then */
    uint64_t retrans_bytes; /* by whoever sent */
};

struct run {
    struct cell cell;
    enum who who;
    enum direction direction;
    uint64_t seed, ns;
    struct seen *seen;   /* the flow under test */
    struct seen *beside; /* NULL; or a second flow, kernel to kernel, at the same time */
    const char *pcap;    /* or NULL: the emulator captures there */
};

#define CLIENT_CIDR "10.80.1.1/24"
#define ROUTE_TO_CLIENT "10.80.1.0/24"
#define STACK_ADDR "10.80.2.2"
#define STACK_CIDR "10.80.2.2/24"
#define STACK_HOST_CIDR "10.80.2.1/24"
#define SERVER_ADDR "10.80.3.1"
#define SERVER_CIDR "10.80.3.1/24"
#define BUFFER_MAX "67108864"

/* Everything for one transfer, made and removed.  Return: false after a message. */
bool run_cell(const struct run *r);

/* The servers: each writes one byte to @ready_fd when it serves; they return only on failure. */
int serve_kernel(struct seen *seen, int ready_fd);
int serve_lastack(struct seen *seen, int ready_fd);

/* The clients: one transfer of @ns; they fill in @seen but for what only a sending server knows. */
bool client(const char *server, enum direction d, uint64_t ns, struct seen *seen);

/* /proc/sys of this namespace; false after a message. */
bool set_sysctl(const char *path, const char *value);

#endif
