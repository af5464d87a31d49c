/* SPDX-License-Identifier: MIT */
/*
 * router.h - A router: takes one from TTL, knows the way, and answers when it can not go on.
 *
 * It stands in a world as a host without a stack.  The way to an address is the shortest one over the
 * links of the world; among equals the link made first.  A host sends through a router by having it
 * as its gateway:
 *
 *     struct sim_router *r = sim_router(w);
 *     sim_link(w, a, r->host, &opt);
 *     sim_link(w, r->host, b, &(struct sim_link_opt){ .mtu_bytes = 1300 });
 *     a->gateway = b->gateway = r->host;
 *
 * It answers with ICMP (RFC 792, RFC 1191, RFC 4443) when TTL has come to nothing, when the packet is
 * larger than the next link's MTU, and when no way leads there; never for ICMP errors.  A silent one
 * answers nothing: that is a black hole for what is too big.  It does not fragment: every packet is
 * treated as if it had DF.  A packet whose IPv4 header is damaged is dropped.
 */
#ifndef SIM_ROUTER_H
#define SIM_ROUTER_H

#include "sim/host.h"

struct sim_router {
    struct sim_host *host;
    bool silent;      /* answers nothing */
    bool says_down;   /* a link that is down is no way: host unreachable */
    uint64_t hold_ns; /* the next packet stays in its queue so long; 0: none does */
    uint8_t last_ttl; /* of the packet it passed on last */
    uint64_t forwarded, expired, too_big, unreachable, damaged; /* packets */
    uint64_t answers;                                           /* ICMP sent */
};

struct sim_router *sim_router(struct sim_world *w);

#endif
