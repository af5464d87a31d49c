/* SPDX-License-Identifier: MIT */
/* tcp_common.h - A TCP segment in the packet that most of them come in, read in one go. */
#ifndef CORE_WIRE_TCP_COMMON_H
#define CORE_WIRE_TCP_COMMON_H

#include "core/base/addr.h"
#include "core/wire/tcp.h"

struct tcp_common {
    struct la_addr src, dst;
    const uint8_t *segment; /* the TCP header */
    uint32_t segment_bytes; /* with the text */
    struct tcp_seg seg;
};

/*
 * tcp_common_parse() - ip_parse() and tcp_parse() at once, for the common shape of a packet.
 *
 * That is IPv4 without options or IPv6 without extension headers, whole, and a TCP header with
 * no option but time stamps as everyone writes them.  The addresses are not judged, the TCP
 * checksum is not looked at.
 *
 * Return: true if the packet is of that shape and nothing is wrong with it; @out says then what
 *         the two functions would have said.  False means nothing but "ask them".
 */
bool tcp_common_parse(const uint8_t *bytes, uint32_t len_bytes, struct tcp_common *out);

#endif
