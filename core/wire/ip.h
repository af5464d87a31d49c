/* SPDX-License-Identifier: MIT */
/* ip.h - IPv4 and IPv6 headers: bytes to struct and back.  Pure; RFC 791, 8200. */
#ifndef CORE_WIRE_IP_H
#define CORE_WIRE_IP_H

#include <lastack/limits.h>
#include <lastack/types.h>

#include "core/base/addr.h"

enum ip_protocol {
    IP_PROTO_ICMP = 1,
    IP_PROTO_TCP = 6,
    IP_PROTO_UDP = 17,
    IP_PROTO_ICMP6 = 58,
    IP_PROTO_NO_NEXT = 59,
};

struct ip_packet {
    struct la_addr src, dst; /* IPv4 in mapped form */
    const uint8_t *bytes;   /* the whole packet: len_bytes of header and payload, without padding */
    const uint8_t *payload; /* after all headers and extension headers */
    uint32_t len_bytes;
    uint32_t payload_len;
    uint32_t next_header_at; /* offset of the byte that named @protocol (ICMPv6) */
    uint8_t version;         /* 4 or 6 */
    uint8_t protocol;        /* enum ip_protocol or another value */
    uint8_t ttl;             /* TTL or hop limit */
    uint8_t tos;             /* TOS or traffic class: Diffserv << 2 | ECN */
    bool fragment;           /* offset non-zero or more fragments: payload is not whole */
    bool dont_fragment;      /* IPv4 DF; true for IPv6 */
};

/*
 * ip_parse() - Read the IP header of either version, verify lengths and (IPv4) checksum.
 *
 * Bytes beyond the total length are link padding: ignored.  IPv4 options are checked for
 * form and skipped; source routes drop the packet.  IPv6 extension headers (hop-by-hop,
 * destination options, routing with no segments left, fragment) are skipped, at most
 * LA_IP6_EXTENSIONS_MAX; option types are obeyed (skip, or drop).  An atomic IPv6 fragment
 * (offset 0, no more) is whole (RFC 6946).  Addresses are not judged here but for mapped
 * ones on an IPv6 packet (LA_DROP_IP_SOURCE).
 *
 * Return: LA_DROP_NONE, or the reason.  @out is filled as far as was read, so that an
 *         ICMP parameter problem can be sent.
 */
enum la_drop ip_parse(const uint8_t *bytes, uint32_t len_bytes, struct ip_packet *out);

/*
 * ip_parse_quoted() - Read the header of a packet quoted in an ICMP error: it may be cut
 * short, its checksum and TTL may have changed.  payload_len is what is really there.
 */
enum la_drop ip_parse_quoted(const uint8_t *bytes, uint32_t len_bytes, struct ip_packet *out);

#define IP4_HEADER_BYTES 20
#define IP6_HEADER_BYTES 40

struct ip_header {
    struct la_addr src, dst; /* same family */
    uint32_t payload_len;
    uint8_t protocol, ttl, tos;
    uint32_t flow_label; /* IPv6, 20 bits */
};
static inline uint32_t ip_header_bytes(struct la_addr dst)
{
    return addr_is_v4(&dst) ? IP4_HEADER_BYTES : IP6_HEADER_BYTES;
}
/* Write the header: IPv4 with DF set, ID 0 (RFC 6864) and its checksum.  Return: its length. */
uint32_t ip_emit(const struct ip_header *h, uint8_t *to);

/* Sum of the pseudo-header of a transport packet of @len_bytes. */
uint64_t ip_pseudo_sum(struct la_addr src, struct la_addr dst, uint8_t protocol,
                       uint32_t len_bytes);

bool addr_is_multicast(struct la_addr a);
bool addr_is_loopback(struct la_addr a);
/* 255.255.255.255; subnet broadcast needs the prefix and is judged in ip/. */
bool addr_is_broadcast(struct la_addr a);
/* No host may have it as its source: 0/8, 127/8 (unless @loopback_ok), class D and E, ::, multicast, ::1 (same). */
bool addr_is_bad_source(struct la_addr a, bool loopback_ok);

#endif
