/* SPDX-License-Identifier: MIT */
/* ip_version.h - The two halves behind ip_parse() and ip_emit(): one for each version. */
#ifndef CORE_WIRE_IP_VERSION_H
#define CORE_WIRE_IP_VERSION_H

#include "core/wire/ip.h"

/*
 * @bytes has the version's nibble and @len_bytes >= 1; @out is zero.
 * @quoted: The packet stands inside an ICMP error: cut short, checksum not to be trusted,
 *          options not judged.
 */
enum la_drop ipv4_parse(const uint8_t *bytes, uint32_t len_bytes, bool quoted,
                        struct ip_packet *out);
enum la_drop ipv6_parse(const uint8_t *bytes, uint32_t len_bytes, bool quoted,
                        struct ip_packet *out);

void ipv4_emit(const struct ip_header *h, uint8_t to[IP4_HEADER_BYTES]);
void ipv6_emit(const struct ip_header *h, uint8_t to[IP6_HEADER_BYTES]);

#endif
