/* SPDX-License-Identifier: MIT */
/*
 * ip.c - What the two versions of IP have in common: the choice between them, the
 * pseudo-header of transport checksums, and the classes of addresses.
 *
 * RFC 1122 3.2.1.3 says which addresses can be no host's; RFC 4291 2.5-2.7 for IPv6.
 */
#include "core/wire/ip.h"

#include "core/base/assert.h"
#include "core/base/checksum.h"
#include "core/wire/ip_version.h"

static enum la_drop parse(const uint8_t *bytes, uint32_t len_bytes, bool quoted,
                          struct ip_packet *out)
{
    *out = (struct ip_packet){ .bytes = bytes, .payload = bytes, .len_bytes = len_bytes };
    if (len_bytes == 0)
        return LA_DROP_IP_SHORT;

    out->version = bytes[0] >> 4;
    if (out->version == 4)
        return ipv4_parse(bytes, len_bytes, quoted, out);
    if (out->version == 6)
        return ipv6_parse(bytes, len_bytes, quoted, out);
    return LA_DROP_IP_VERSION;
}

enum la_drop ip_parse(const uint8_t *bytes, uint32_t len_bytes, struct ip_packet *out)
{
    return parse(bytes, len_bytes, false, out);
}

enum la_drop ip_parse_quoted(const uint8_t *bytes, uint32_t len_bytes, struct ip_packet *out)
{
    return parse(bytes, len_bytes, true, out);
}

uint32_t ip_emit(const struct ip_header *h, uint8_t *to)
{
    LA_ASSERT(addr_is_v4(&h->src) == addr_is_v4(&h->dst));

    if (addr_is_v4(&h->dst)) {
        ipv4_emit(h, to);
        return IP4_HEADER_BYTES;
    }
    ipv6_emit(h, to);
    return IP6_HEADER_BYTES;
}

uint64_t ip_pseudo_sum(struct la_addr src, struct la_addr dst, uint8_t protocol, uint32_t len_bytes)
{
    if (addr_is_v4(&dst))
        return checksum_pseudo(src.bytes + 12, dst.bytes + 12, 4, protocol, len_bytes);
    return checksum_pseudo(src.bytes, dst.bytes, 16, protocol, len_bytes);
}

static bool is_v6_loopback(struct la_addr a)
{
    static const struct la_addr loopback = { { [15] = 1 } };
    return addr_equal(&a, &loopback);
}

bool addr_is_multicast(struct la_addr a)
{
    if (addr_is_v4(&a))
        return a.bytes[12] >> 4 == 0xe;
    return a.bytes[0] == 0xff;
}

bool addr_is_loopback(struct la_addr a)
{
    if (addr_is_v4(&a))
        return a.bytes[12] == 127;
    return is_v6_loopback(a);
}

bool addr_is_broadcast(struct la_addr a)
{
    return addr_is_v4(&a) && (a.bytes[12] & a.bytes[13] & a.bytes[14] & a.bytes[15]) == 0xff;
}

bool addr_is_bad_source(struct la_addr a, bool loopback_ok)
{
    if (addr_is_loopback(a))
        return !loopback_ok;
    if (addr_is_v4(&a))
        return a.bytes[12] == 0 || a.bytes[12] >= 224; /* 0/8, class D, class E, broadcast */
    return la_addr_is_unspecified(a) || addr_is_multicast(a);
}
