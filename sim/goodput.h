/* SPDX-License-Identifier: MIT */
/*
 * goodput.h - How much of a transfer arrives through a path, lastack to lastack, in virtual time.
 *
 * A world of its own for each: two hosts with buffers far above what the path holds, one
 * connection, as much to send as there is time for, delivery and the stacks checked beside it.
 * Several flows share the path; every second one may have a longer way to it, over a router that
 * the bottleneck is behind of.
 */
#ifndef SIM_GOODPUT_H
#define SIM_GOODPUT_H

#include "sim/events.h"
#include "sim/world.h"

struct sim_goodput_opt {
    uint64_t seed;
    uint32_t rate_mbps, rtt_ms, loss_ppm;
    uint32_t burst;        /* lost in bursts of so many on average; 0 and 1 = alone */
    uint32_t reorder_ppm;  /* to the thousandth */
    uint64_t ns;           /* from the first SYN */
    uint32_t pacing;       /* net.lastack.tcp_pacing */
    uint32_t flows;        /* at once, 1..SIM_GOODPUT_FLOWS_MAX; 0 = 1 */
    uint32_t far_ms;       /* added to the round trip of every second flow */
    uint32_t buffer_bytes; /* of each end of a flow; 0 = 48 MB */
    uint32_t apart_us;     /* between the beginnings of two flows */
    FILE *events;          /* of the first flow's sender, or NULL */
};

#define SIM_GOODPUT_FLOWS_MAX 1000u

struct sim_goodput {
    uint64_t bytes[SIM_GOODPUT_FLOWS_MAX]; /* read by the receiver */
    uint64_t late[SIM_GOODPUT_FLOWS_MAX];  /* of those, in the second half of the time */
    uint64_t segs_retransmitted;           /* of all flows */
    uint64_t timeouts;                     /* likewise */
    uint64_t queue_mean_us,
        queue_max_us; /* a packet's wait in front of the bottleneck, second half */
    bool ok;
    char message[SIM_MESSAGE_BYTES]; /* of the rule that broke */
};

/* A bottleneck's queue: one bandwidth-delay product, 64 KB at least. */
uint64_t sim_goodput_queue_bytes(uint32_t rate_mbps, uint32_t rtt_ms);

void sim_goodput(const struct sim_goodput_opt *opt, struct sim_goodput *out);

#endif
