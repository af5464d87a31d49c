/* SPDX-License-Identifier: MIT */
/*
 * path.h - What a path does to a packet, as a function of (packet, now, chance).
 *
 * One direction of a path is a queue in front of a serialiser of @rate_kbps, then a pipe of
 * @delay_ns.  Everything about a packet is decided when it enters: whether it is lost, how often
 * and when it arrives.  The simulator's links and `lastack path` share it, so that a loss rate
 * means the same in virtual time and on two TUN devices.
 *
 * The queue drops its newest, counted in bytes, in packets or both, the packet in the serialiser
 * included; where that would leave no room for a single packet, one fits.  A packet that can be
 * marked is marked with CE when it finds more than @mark_bytes in the queue (RFC 3168).  Jitter
 * delays without changing the order; only a reordered packet lets later ones pass.
 *
 * Losses are independent (@loss_ppm), or come in bursts: Gilbert's model of two states, in the bad
 * one of which every packet is lost.  It is entered with @burst_enter_ppm and left with
 * @burst_leave_ppm at each packet, so that a burst has 1e6 / @burst_leave_ppm packets on average.
 * A lost packet takes no time of the serialiser.
 */
#ifndef SIM_PATH_H
#define SIM_PATH_H

#include "sim/prng.h"

#define PATH_PPM 1000000u

struct path_opt {
    uint64_t delay_ns;
    uint64_t jitter_ns;      /* at most, even */
    uint64_t reorder_max_ns; /* how much longer a reordered packet takes, at most */
    uint64_t rate_kbps;      /* 0 = no limit */
    uint64_t queue_bytes;    /* 0 = no limit */
    uint32_t queue_packets;  /* 0 = no limit; else struct path_way needs room for so many */
    uint64_t mark_bytes;     /* 0 = never */
    uint32_t mtu_bytes;      /* 0 = any size */
    uint32_t loss_ppm, burst_enter_ppm, burst_leave_ppm, reorder_ppm, dup_ppm;
};

/* One direction's state: all zero at first, but for @left_ns. */
struct path_way {
    uint64_t busy_until_ns;   /* the serialiser's */
    uint64_t last_arrival_ns; /* of packets in order */
    uint64_t *left_ns;        /* ring of opt.queue_packets: when each of them leaves the queue */
    uint32_t head, count;
    bool bad; /* Gilbert's state */
};

/* What becomes of a packet: one bit each. */
#define PATH_LOST 0x01u     /* by chance */
#define PATH_OVERFLOW 0x02u /* the queue was full */
#define PATH_TOO_BIG 0x04u  /* longer than the MTU */
#define PATH_DUPLICATED 0x08u
#define PATH_REORDERED 0x10u
#define PATH_MARKED 0x20u
#define PATH_GONE (PATH_LOST | PATH_OVERFLOW | PATH_TOO_BIG)

struct path_fate {
    uint32_t what;
    uint32_t copies;   /* 0..2 */
    uint64_t at_ns[2]; /* when each arrives; the last is the packet's own */
};

/* Losses of @loss_ppm on average in bursts of @packets on average, as a @burst_enter_ppm. */
uint32_t path_burst_enter_ppm(uint32_t loss_ppm, uint32_t packets);

/* How long @len_bytes take at the rate, or how many bytes leave in @ns. */
uint64_t path_serialise_ns(const struct path_opt *opt, uint64_t len_bytes);

/* Does chance take the packet? */
bool path_loses(const struct path_opt *opt, struct path_way *way, struct sim_prng *rng);

/*
 * path_enter() - A packet enters at @now_ns, which never goes back.
 * @markable: It may be given CE
 */
struct path_fate path_enter(const struct path_opt *opt, struct path_way *way, struct sim_prng *rng,
                            uint64_t now_ns, uint32_t len_bytes, bool markable);

/* The codepoint ECT(0) or ECT(1) in an IP packet. */
bool path_markable(const uint8_t *packet, uint32_t len_bytes);
/* Set CE in a packet that is markable, and keep IPv4's checksum right (RFC 1624). */
void path_mark(uint8_t *packet);

#endif
