/* SPDX-License-Identifier: MIT */
/*
 * ip_stack.h - The IP layer of one stack: interfaces, addresses, routes, ICMP.
 *
 * It judges a received packet (for us? from whom?), answers echo requests, sends and
 * receives ICMP errors, and finds the interface and source address for what TCP sends.
 * It never sees a TCP segment: stack/ joins the two.
 */
#ifndef CORE_IP_IP_STACK_H
#define CORE_IP_IP_STACK_H

#include <lastack/icmp.h>
#include <lastack/stack.h>

#include "core/base/env.h"
#include "core/wire/icmp.h"
#include "core/wire/ip.h"

struct ip_iface {
    uint32_t mtu_bytes, flags, gso_max_bytes;
};
struct ip_local {
    struct la_prefix prefix;
    uint8_t iface;
    bool anyip;
};
struct ip_route_entry {
    struct la_prefix prefix;
    uint8_t iface;
};
struct ip_bucket { /* token bucket of ICMP errors sent: global, refilled by time */
    la_time filled;
    uint32_t tokens;
};

/* An ICMP message that waits to be sent: header in the slot, data in at most one chunk. */
#define IP_REPLIES_MAX 8
struct ip_reply {
    struct ip_header ip;
    struct icmp_message icmp; /* data is not used: the bytes are in the chunk */
    uint32_t chunk;           /* SLAB_NONE if there is no data */
    uint32_t len_bytes;
    uint16_t iface;
};

#define IP_PINGS_MAX 8

/* Behind the interfaces: the way of a packet from this stack to itself, which no driver sees. */
#define IP_LOOPBACK LA_IFACES_MAX
#define IP_NO_IFACE (LA_IFACES_MAX + 1)

#define IP_JUDGED 8 /* a power of two */
struct ip_judged {
    struct la_addr src, dst;
    uint32_t iface; /* IP_NO_IFACE: none */
};

struct ip {
    uint32_t iface_count, local_count, route_count;
    struct ip_iface ifaces[LA_IFACES_MAX + 1]; /* the last is IP_LOOPBACK */
    struct ip_local locals[LA_ADDRS_MAX];
    struct ip_route_entry routes[LA_ROUTES_MAX];
    struct ip_bucket errors;
    struct ip_reply replies[IP_REPLIES_MAX]; /* ring */
    uint32_t reply_first, reply_count;
    uint32_t reply_taken; /* descriptors handed out whose chunks were not given back yet */
    struct ip_judged
        judged[IP_JUDGED]; /* pairs of addresses found fine lately, by ip_judged_at() */
    struct la_ping_reply pings[IP_PINGS_MAX]; /* ring: the newest are kept */
    uint32_t ping_first, ping_count;
};

/* @loopback_bytes: what a packet to ourselves may have at most */
void ip_init(struct ip *ip, la_time now, uint32_t loopback_bytes);
static inline uint32_t ip_judged_at(const struct la_addr *src, const struct la_addr *dst)
{
    return (src->bytes[15] ^ dst->bytes[15]) % IP_JUDGED;
}
/* Has a packet from @src to @dst on @iface been found fine lately? */
static inline bool ip_is_judged(const struct ip *ip, uint32_t iface, const struct la_addr *src,
                                const struct la_addr *dst)
{
    const struct ip_judged *j = &ip->judged[ip_judged_at(src, dst)];

    return j->iface == iface && addr_equal(&j->src, src) && addr_equal(&j->dst, dst);
}
/*
 * Is a packet from @src to @dst on @iface fine: from a host that is not us, to one of our addresses?
 * What is, is remembered for ip_is_judged().
 */
bool ip_judge(struct ip *ip, uint16_t iface, const struct la_addr *src, const struct la_addr *dst);
/* The directed broadcast of an IPv4 subnet; /31 and /32 have none (RFC 3021). */
static inline bool ip_is_subnet_broadcast(const struct la_prefix *subnet, const struct la_addr *a)
{
    const uint64_t host = addr_host_mask(subnet->len, true);

    return subnet->len <= 126 && addr_is_v4(&subnet->addr) && addr_is_v4(a) &&
           (addr_half(subnet->addr.bytes + 8) | host) == addr_half(a->bytes + 8);
}
/* Our addresses change: packets are judged anew. */
void ip_forget_judged(struct ip *ip);
int ip_iface_add(struct ip *ip, const struct la_iface_config *config);
enum la_err ip_iface_set_mtu(struct ip *ip, int iface, uint32_t mtu_bytes);
enum la_err ip_addr_add(struct ip *ip, int iface, struct la_prefix prefix, uint32_t flags);
enum la_err ip_addr_del(struct ip *ip, int iface, struct la_prefix prefix);
enum la_err ip_route_add(struct ip *ip, struct la_prefix prefix, int iface);
enum la_err ip_route_del(struct ip *ip, struct la_prefix prefix, int iface);
bool ip_is_local(const struct ip *ip, struct la_addr a);
/* The same of one address alone, not of one that AnyIP takes in. */
bool ip_is_own(const struct ip *ip, struct la_addr a);
/* Broadcast of a subnet of ours, limited broadcast, or multicast. */
bool ip_is_group(const struct ip *ip, struct la_addr a);

/* Where a packet to @dst leaves, and from which address. */
struct ip_path {
    uint16_t iface;
    uint32_t mtu_bytes;
    uint32_t gso_max_bytes;
    bool csum_tx;
    struct la_addr
        src; /* an address of that interface in the family of @dst; unspecified if it has none */
};
/* LA_OK or LA_ENETUNREACH.  Our own addresses are reached through IP_LOOPBACK, from themselves. */
enum la_err ip_path(const struct ip *ip, struct la_addr dst, struct ip_path *out);

/* What is to be done with a frame. */
enum ip_verdict {
    IP_DROP,      /* counted; nothing more to do */
    IP_HANDLED,   /* ICMP echo and the like: done here */
    IP_TCP,       /* packet->payload is a segment for us */
    IP_TCP_ERROR, /* an ICMP error about a segment of ours: see struct ip_error */
};

/* An ICMP error about a TCP segment we sent, with RFC 5927's data to match it. */
struct ip_error {
    struct la_endpoint local, remote; /* of the quoted segment: source and destination */
    uint32_t quoted_seq;              /* raw */
    enum icmp_class class;
    uint8_t code;
    uint8_t version;
    uint32_t mtu_bytes; /* next hop, for ICMP_TOO_BIG; 0 unknown */
};

/*
 * ip_receive() - Judge one frame.
 * @env: counters and drops are counted in it; chunks for echo replies come from its pool
 *
 * Fills @packet always; @error for IP_TCP_ERROR; *@reason for IP_DROP (also counted here).
 * Sends (queues) ICMP errors where RFC 1122 3.2.2 / RFC 4443 2.4 ask for them: protocol unreachable,
 * UDP port unreachable, parameter problem; never about ICMP errors, groups, fragments other than the first,
 * bad sources; rate-limited.
 */
enum ip_verdict ip_receive(struct ip *ip, struct env *env, const struct la_frame *frame,
                           struct ip_packet *packet, struct ip_error *error, enum la_drop *reason);

/* The next queued ICMP message as a descriptor; false if none.  Its chunk is freed by ip_sent() at the next call. */
bool ip_next(struct ip *ip, struct env *env, struct la_tx *out);
/* Give back the chunks of messages taken by ip_next() earlier. */
void ip_sent(struct ip *ip, struct env *env);
/* Chunks that messages hold, waiting or taken: for la_check(). */
uint32_t ip_chunks_held(const struct ip *ip);

enum la_err ip_ping(struct ip *ip, struct env *env, struct la_addr to, uint16_t id, uint16_t seq,
                    const void *bytes, uint32_t len_bytes);
uint32_t ip_ping_read(struct ip *ip, struct la_ping_reply *out, uint32_t max);

#endif
