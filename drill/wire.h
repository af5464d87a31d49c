/* SPDX-License-Identifier: MIT */
/*
 * wire.h - Packets as the examiner makes and reads them.
 *
 * This is an implementation of its own, apart from the stack's: a mistake made in both places
 * would have to be made twice.
 */
#ifndef DRILL_WIRE_H
#define DRILL_WIRE_H

#include "drill/script.h"

#include <lastack/types.h>

#define DRILL_PACKET_MAX 65535

enum {
    DRILL_FIN = 0x01,
    DRILL_SYN = 0x02,
    DRILL_RST = 0x04,
    DRILL_PSH = 0x08,
    DRILL_ACK = 0x10,
    DRILL_URG = 0x20,
    DRILL_ECE = 0x40,
    DRILL_CWR = 0x80,
};

enum { DRILL_IP_ICMP = 1, DRILL_IP_TCP = 6, DRILL_IP_UDP = 17, DRILL_IP_ICMP6 = 58 };

/* A packet, taken apart.  TCP's members are zero for other protocols. */
struct drill_segment {
    struct la_addr src, dst;
    uint8_t version, protocol, tos, ttl;
    uint16_t id;
    bool df;
    uint32_t flow_label;
    uint16_t src_port, dst_port;
    uint32_t seq, ack;
    uint8_t flags, reserved;
    uint16_t window, urgent;
    uint8_t options[40];
    uint8_t options_len;
    const uint8_t *text; /* TCP's text, or what follows the ICMP header */
    uint32_t text_len;
    uint8_t icmp_type, icmp_code;
    uint32_t icmp_rest; /* the second four octets: MTU, or id and sequence */
};

/*
 * drill_wire_build() - Bytes of a packet, with its checksums.
 * @s:    src and dst of one family; TCP or ICMP (of that family)
 * @to:   DRILL_PACKET_MAX bytes
 *
 * Return: the length.
 */
uint32_t drill_wire_build(const struct drill_segment *s, uint8_t *to);

/*
 * drill_wire_parse() - Take a packet apart; its text is borrowed.
 *
 * Return: NULL, or what is wrong with the packet (static text): lengths and checksums
 *         are verified.
 */
const char *drill_wire_parse(const uint8_t *bytes, uint32_t len, struct drill_segment *out);

static inline uint32_t drill_get32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}
static inline uint16_t drill_get16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}
static inline void drill_put32(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 24);
    p[1] = (uint8_t)(v >> 16);
    p[2] = (uint8_t)(v >> 8);
    p[3] = (uint8_t)v;
}
static inline void drill_put16(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

/*
 * ICMP by name: "unreachable", "frag_needed".  @code may be NULL: 0.
 * Return: false if there is no such type or code in this version of IP.
 */
bool drill_icmp_numbers(bool v6, const char *type, const char *code, uint8_t *type_out,
                        uint8_t *code_out);
/* The names back; NULL if they have none. */
const char *drill_icmp_type_name(bool v6, uint8_t type);
const char *drill_icmp_code_name(bool v6, uint8_t type, uint8_t code);

#endif
