/* SPDX-License-Identifier: MIT */
/*
 * pair.h - Two stacks joined by a wire in memory, in one thread, for benchmarks.
 *
 * The wire hands descriptors over as frames, la_tx_frame(): the sender computes the checksum, the
 * receiver verifies it while it copies the text.  Time is virtual and stands still while packets
 * cross.
 */
#ifndef BENCH_PAIR_H
#define BENCH_PAIR_H

#include <lastack/lastack.h>

#define PAIR_BURST 64
#define PAIR_PACKET_MAX 66000

struct pair_end {
    struct la_stack *s;
    void *mem;
    uint64_t bytes;
    uint8_t *room; /* PAIR_PACKET_MAX bytes: for a packet that must lie in one piece */
    struct la_frame frame[PAIR_BURST];
    uint32_t queued;
};

struct pair {
    struct pair_end end[2];
    bool v6;
    la_time now;
    uint64_t packets;
};

struct pair_opt {
    uint32_t connections, short_records, chunks, chunk_bytes, mtu_bytes, gso_max_bytes;
    uint32_t buffer_bytes; /* send and receive buffer of a connection; 0 = the default */
    uint32_t cpu_features; /* LA_CPU_* for the stacks */
    bool v6;
    bool trusted;  /* nobody computes or verifies a checksum, as behind a NIC that does */
    bool populate; /* the arena's pages are there before the clock runs */
};

void pair_open(struct pair *p, const struct pair_opt *opt);
void pair_close(struct pair *p);
/* No address, in the family of this pair; and the n-th of the second end's. */
struct la_addr pair_any(const struct pair *p);
struct la_addr pair_host(const struct pair *p, uint32_t n);
/* Carry what is due, both ways, until nothing is; time stands still.  Return: packets carried. */
uint32_t pair_run(struct pair *p);
/* Let time pass, with the timers that fire in it. */
void pair_sleep(struct pair *p, uint64_t ns);
/* CPU time of this thread: what a loaded machine takes away is not counted. */
uint64_t bench_ns(void);

#endif
