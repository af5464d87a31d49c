/* SPDX-License-Identifier: MIT */
/*
 * ipv4.c - The IPv4 header (RFC 791, 1122 3.2.1): bytes to struct and back.
 *
 * Three lengths can lie: the header's, the packet's, an option's.  Each is held
 * against the one around it, from outside in: frame >= total >= header >= 20, and
 * every option inside the header.  Bytes of the frame beyond the total length are
 * padding and are never looked at.
 *
 * Options mean nothing to a host that neither routes nor records, so they are checked
 * for form and left (RFC 9293 MUST-50).  Source routes are refused: they let a sender
 * choose where the answer goes.
 */
#include "core/base/bytes.h"
#include "core/base/checksum.h"
#include "core/base/mem.h"
#include "core/wire/ip_version.h"

#define OPT_EOL 0
#define OPT_NOP 1
#define OPT_LSRR 131
#define OPT_SSRR 137

#define DONT_FRAGMENT 0x4000u
#define MORE_AND_OFFSET 0x3fffu

static bool options_ok(const uint8_t *bytes, uint32_t len_bytes)
{
    uint32_t i = 0;
    while (i < len_bytes) {
        const uint8_t kind = bytes[i];
        if (kind == OPT_EOL)
            return true;
        if (kind == OPT_NOP) {
            i++;
            continue;
        }
        if (kind == OPT_LSRR || kind == OPT_SSRR)
            return false;
        if (len_bytes - i < 2)
            return false;
        const uint32_t option_bytes = bytes[i + 1];
        if (option_bytes < 2 || option_bytes > len_bytes - i)
            return false;
        i += option_bytes;
    }
    return true;
}

enum la_drop ipv4_parse(const uint8_t *bytes, uint32_t len_bytes, bool quoted,
                        struct ip_packet *out)
{
    if (len_bytes < IP4_HEADER_BYTES)
        return LA_DROP_IP_SHORT;

    const uint32_t header_bytes = (bytes[0] & 0x0fu) * 4u;
    const uint32_t total_bytes = load_be16(bytes + 2);
    const uint16_t fragment = load_be16(bytes + 6);
    out->tos = bytes[1];
    out->ttl = bytes[8];
    out->protocol = bytes[9];
    out->next_header_at = 9;
    out->src = addr_v4_at(bytes + 12);
    out->dst = addr_v4_at(bytes + 16);
    out->dont_fragment = (fragment & DONT_FRAGMENT) != 0;
    out->fragment = (fragment & MORE_AND_OFFSET) != 0;

    if (header_bytes < IP4_HEADER_BYTES || header_bytes > len_bytes)
        return LA_DROP_IP_HEADER_LENGTH;
    if (total_bytes < header_bytes)
        return LA_DROP_IP_TOTAL_LENGTH;
    if (total_bytes > len_bytes && !quoted)
        return LA_DROP_IP_TOTAL_LENGTH;
    out->len_bytes = total_bytes < len_bytes ? total_bytes : len_bytes;
    out->payload = bytes + header_bytes;
    out->payload_len = out->len_bytes - header_bytes;
    if (quoted)
        return LA_DROP_NONE;

    if (checksum_finish(checksum_add(0, 0, bytes, header_bytes)) != 0)
        return LA_DROP_IP_CHECKSUM;
    if (!options_ok(bytes + IP4_HEADER_BYTES, header_bytes - IP4_HEADER_BYTES))
        return LA_DROP_IP_OPTION;
    return LA_DROP_NONE;
}

void ipv4_emit(const struct ip_header *h, uint8_t to[IP4_HEADER_BYTES])
{
    to[0] = 4 << 4 | IP4_HEADER_BYTES / 4;
    to[1] = h->tos;
    store_be16(to + 2, (uint16_t)(IP4_HEADER_BYTES + h->payload_len));
    store_be16(to + 4, 0); /* an atomic datagram's ID means nothing: RFC 6864 4.1 */
    store_be16(to + 6, DONT_FRAGMENT);
    to[8] = h->ttl;
    to[9] = h->protocol;
    memcpy(to + 12, h->src.bytes + 12, 4);
    memcpy(to + 16, h->dst.bytes + 12, 4);
    /* The sum of what was written, taken from where it came from: ten loads less. */
    const uint64_t sum = (uint64_t)((4u << 12 | IP4_HEADER_BYTES / 4 << 8) + h->tos) +
                         (uint16_t)(IP4_HEADER_BYTES + h->payload_len) + DONT_FRAGMENT +
                         (uint64_t)((uint32_t)h->ttl << 8 | h->protocol) +
                         load_be32(h->src.bytes + 12) + load_be32(h->dst.bytes + 12);
    store_be16(to + 10, checksum_finish(sum));
}
