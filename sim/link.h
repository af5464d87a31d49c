/* SPDX-License-Identifier: MIT */
/*
 * link.h - A wire between two hosts, with all a wire can do to a packet.
 *
 * What a direction does is sim/path.h's.  A corrupted packet has one
 * bit flipped, which every ones' complement checksum shows, so that what arrives in
 * spite of it is an error of the stack and never bad luck.
 */
#ifndef SIM_LINK_H
#define SIM_LINK_H

#include "sim/path.h"
#include "sim/segment.h"
#include "sim/world.h"

struct sim_link_opt {
    uint32_t delay_us;
    uint32_t jitter_us;   /* at most, even */
    uint32_t rate_kbps;   /* 0 = no limit */
    uint32_t queue_bytes; /* waiting for the serialiser; 0 = no limit */
    uint32_t mtu_bytes; /* what is larger is lost; a router in front of it says so; 0 = any size */
    uint32_t loss_permille, dup_permille, reorder_permille, corrupt_permille;
    uint32_t loss_ppm;       /* beside loss_permille, for rates below a thousandth */
    uint32_t burst_loss_ppm; /* lost in bursts of @burst_packets on average */
    uint32_t burst_packets;  /* 0 = no bursts */
    uint32_t burst;          /* packets the receiver hands to one la_rx(), 1..64; 0 = 1 */
    uint32_t gather;         /* packets it gathers before that, 1..64; 0 = as many as @burst */
    uint32_t hold_us;        /* how long it gathers at most */
};

struct sim_packet {
    uint64_t number;      /* of the world, from 1 */
    uint32_t incarnation; /* of the connection, for the wire checker; 0 = none */
    uint32_t len_bytes;
    bool corrupt;
    struct sim_host *from, *to;
    struct sim_link *link;
    uint8_t bytes[]; /* exactly len_bytes, so that a sanitizer sees a read beyond them */
};

/* What became of a packet: one bit each. */
#define SIM_LOST 0x01u     /* by chance, or by a tap */
#define SIM_DOWN 0x02u     /* the link was down */
#define SIM_OVERFLOW 0x04u /* the queue was full */
#define SIM_DUPLICATED 0x08u
#define SIM_REORDERED 0x10u
#define SIM_CORRUPTED 0x20u
#define SIM_UNROUTED 0x40u /* no link leads to its destination */
#define SIM_TOO_BIG 0x80u  /* for the link */
#define SIM_GONE (SIM_LOST | SIM_DOWN | SIM_OVERFLOW | SIM_UNROUTED | SIM_TOO_BIG)

/*
 * A tap sees every packet before chance does.  It may change the bytes, and may decide
 * the fate: SIM_LOST to drop it, 0 to leave it to the link.
 */
typedef uint32_t sim_tap(struct sim_world *w, void *context, struct sim_packet *packet,
                         const struct sim_segment *seg);

struct sim_link_way {
    struct path_way path;
    uint64_t packets, gone;
};

struct sim_link {
    struct sim_world *w;
    struct sim_host *end[2];
    struct sim_link_opt opt;
    bool up, healed;
    struct sim_link_way way[2]; /* from end[0], from end[1] */
    sim_tap *tap;
    void *tap_context;
};

struct sim_link *sim_link(struct sim_world *w, struct sim_host *a, struct sim_host *b,
                          const struct sim_link_opt *opt);
void sim_link_tap(struct sim_link *l, sim_tap *tap, void *context);
/* Plan the link's end and return. */
void sim_link_down(struct sim_link *l, uint64_t at_ns);
void sim_link_up(struct sim_link *l, uint64_t at_ns);

/* A copy of a packet, to be given back with sim_release(). */
struct sim_packet *sim_packet_copy(const struct sim_packet *p);
/* Deliver a copy of an old packet, as if it had strayed until @at_ns. */
void sim_inject(const struct sim_packet *p, uint64_t at_ns);

/* A host sends a packet: find its link, decide its fate, plan its arrival. */
void sim_send(struct sim_host *from, const uint8_t *bytes, uint32_t len_bytes);
/* A router passes a packet on, over a link of its own.  It stays the packet it was: nobody judges it again. */
void sim_forward(struct sim_host *router, struct sim_link *by, const struct sim_packet *packet);

#endif
