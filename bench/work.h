/* SPDX-License-Identifier: MIT */
/*
 * work.h - What the benchmarks let two stacks do: open, bulk, round trips, lives.
 *
 * The same work is timed by bench/core.c and counted in instructions by bench/count/count.c.
 */
#ifndef BENCH_WORK_H
#define BENCH_WORK_H

#include "bench/pair.h"

#define WORK_RR_BYTES 64u

/* A connection, as either end names it. */
struct work_conn {
    la_conn_id a, b;
};

/* Ends the program: a benchmark that went wrong has no figure. */
void work_must(bool ok, const char *what);
/* Port 80 on the second end. */
la_listener_id work_listen(struct pair *p);
/* The n-th connection; a fresh remote address for every 12,500, for ports run out. */
struct work_conn work_open(struct pair *p, la_listener_id listener, uint32_t n);
void work_drain_events(struct pair *p);
/* One round trip on each of @count connections, all under way together. */
void work_round_trips(struct pair *p, const struct work_conn *c, const uint32_t *which,
                      uint32_t count);
/* Open, request, response, close: the TIME-WAIT stays with the first end. */
void work_life(struct pair *p, la_listener_id listener, uint32_t n);
/* One write of the first end's application, all it leads to, and the reads of the second's.
 * Return: bytes read. */
uint64_t work_bulk(struct pair *p, struct work_conn c);
/* A fixed random permutation of 0..n-1. */
void work_shuffle(uint32_t *order, uint32_t n);

#endif
