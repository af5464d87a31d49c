/* SPDX-License-Identifier: MIT */
/* icmp.h - ICMP and ICMPv6 messages: bytes to struct and back.  Pure; RFC 792, 4443, 1191, 8201. */
#ifndef CORE_WIRE_ICMP_H
#define CORE_WIRE_ICMP_H

#include "core/wire/ip.h"

enum icmp_class {
    ICMP_ECHO_REQUEST,
    ICMP_ECHO_REPLY,
    ICMP_UNREACHABLE, /* code as on the wire: meaning differs by version */
    ICMP_TOO_BIG,     /* v4 unreachable code 4, v6 type 2 */
    ICMP_TIME_EXCEEDED,
    ICMP_PARAMETER,
    ICMP_SOURCE_QUENCH, /* v4 type 4: dropped (MUST-55) */
    ICMP_OTHER,
};

struct icmp_message {
    enum icmp_class class;
    uint8_t type, code;
    uint16_t id, seq;    /* echo */
    uint32_t mtu_bytes;  /* too big; 0 if a pre-RFC 1191 router sent none */
    uint32_t pointer;    /* parameter problem */
    const uint8_t *data; /* echo payload, or the quoted packet */
    uint32_t data_len;
};

/* @p: a parsed packet with protocol ICMP (version 4) or ICMPv6 (version 6).  Verifies length and checksum. */
enum la_drop icmp_parse(uint32_t cpu_features, const struct ip_packet *p, struct icmp_message *out);

/* Write an ICMP header of 8 bytes; checksum over header, @data_sum and (v6) the pseudo-header. */
#define ICMP_HEADER_BYTES 8
void icmp_emit(const struct icmp_message *m, struct la_addr src, struct la_addr dst,
               uint64_t data_sum, uint8_t to[ICMP_HEADER_BYTES]);

#endif
