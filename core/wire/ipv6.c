/* SPDX-License-Identifier: MIT */
/*
 * ipv6.c - The IPv6 header and its extension headers (RFC 8200): bytes to struct and back.
 *
 * The chain of extension headers is walked at most LA_IP6_EXTENSIONS_MAX steps, each at
 * least 8 bytes forward and inside the packet, so neither a cycle of next-header values
 * nor a length of 255 can hold the walk.  It stops at the first header that is not an
 * extension this host walks; a second hop-by-hop header is such a one (RFC 8200 4.3).
 *
 * When a packet is dropped for an option, a routing header or a next header,
 * next_header_at is the offset of the octet at fault: what an ICMPv6 parameter problem
 * points to.
 */
#include "core/base/bytes.h"
#include "core/base/mem.h"
#include "core/wire/ip_version.h"

#define NEXT_HOP_BY_HOP 0
#define NEXT_ROUTING 43
#define NEXT_FRAGMENT 44
#define NEXT_DESTINATION 60

#define OPT_PAD1 0

#define FRAGMENT_OFFSET 0xfff8u
#define FRAGMENT_MORE 0x0001u

/* A walk over the extension headers. */
struct walk {
    const uint8_t *bytes;
    uint32_t end; /* of the packet */
    uint32_t at;  /* of the header looked at */
    bool quoted;
};

/*
 * The options of a hop-by-hop or destination header in [from, to).  Every option
 * this host knows is padding; of the others the two highest bits of the type say
 * what an ignorant host does: 00 skips, all else drops (RFC 8200 4.2).
 */
static enum la_drop walk_options(const struct walk *w, uint32_t from, uint32_t to,
                                 struct ip_packet *out)
{
    uint32_t i = from;
    while (i < to) {
        const uint8_t type = w->bytes[i];
        if (type == OPT_PAD1) {
            i++;
            continue;
        }
        if (to - i < 2 || w->bytes[i + 1] > to - i - 2)
            return LA_DROP_IP6_EXTENSION;
        if (type >> 6 != 0 && !w->quoted) {
            out->next_header_at = i;
            return LA_DROP_IP6_OPTION;
        }
        i += 2u + w->bytes[i + 1];
    }
    return LA_DROP_NONE;
}

/* True if the packet is a true fragment, whose payload is not to be looked into. */
static bool read_fragment(const struct walk *w)
{
    return (load_be16(w->bytes + w->at + 2) & (FRAGMENT_OFFSET | FRAGMENT_MORE)) != 0;
}

/* Judge the extension header of type @type at w->at, of @len_bytes bytes, all there. */
static enum la_drop judge(const struct walk *w, uint8_t type, uint32_t len_bytes,
                          struct ip_packet *out)
{
    if (type == NEXT_FRAGMENT) {
        out->fragment = read_fragment(w);
        return LA_DROP_NONE;
    }
    if (type == NEXT_ROUTING) {
        if (w->bytes[w->at + 3] == 0 || w->quoted)
            return LA_DROP_NONE;
        out->next_header_at = w->at + 2; /* RFC 8200 4.4: points to the routing type */
        return LA_DROP_IP6_ROUTING;
    }
    return walk_options(w, w->at + 2, w->at + len_bytes, out);
}

static bool is_extension(uint8_t type, bool first)
{
    return (type == NEXT_HOP_BY_HOP && first) || type == NEXT_ROUTING || type == NEXT_FRAGMENT ||
           type == NEXT_DESTINATION;
}

static enum la_drop walk_extensions(struct walk *w, struct ip_packet *out)
{
    uint32_t count = 0;
    while (is_extension(out->protocol, count == 0) && !out->fragment) {
        if (count == LA_IP6_EXTENSIONS_MAX)
            return LA_DROP_IP6_EXTENSIONS;
        count++;
        if (w->end - w->at < 8)
            return LA_DROP_IP6_EXTENSION;
        const uint8_t type = out->protocol;
        const uint32_t len_bytes = type == NEXT_FRAGMENT ? 8 : (w->bytes[w->at + 1] + 1u) * 8u;
        if (len_bytes > w->end - w->at)
            return LA_DROP_IP6_EXTENSION;
        const enum la_drop drop = judge(w, type, len_bytes, out);
        if (drop != LA_DROP_NONE)
            return drop;
        out->protocol = w->bytes[w->at];
        out->next_header_at = w->at;
        w->at += len_bytes;
        out->payload = w->bytes + w->at;
        out->payload_len = w->end - w->at;
    }
    return LA_DROP_NONE;
}

enum la_drop ipv6_parse(const uint8_t *bytes, uint32_t len_bytes, bool quoted,
                        struct ip_packet *out)
{
    if (len_bytes < IP6_HEADER_BYTES)
        return LA_DROP_IP_SHORT;

    const uint32_t total_bytes = IP6_HEADER_BYTES + load_be16(bytes + 4);
    out->tos = (uint8_t)(load_be16(bytes) >> 4);
    out->protocol = bytes[6];
    out->next_header_at = 6;
    out->ttl = bytes[7];
    memcpy(out->src.bytes, bytes + 8, 16);
    memcpy(out->dst.bytes, bytes + 24, 16);
    out->dont_fragment = true;

    if (total_bytes > len_bytes && !quoted)
        return LA_DROP_IP_TOTAL_LENGTH;
    out->len_bytes = total_bytes < len_bytes ? total_bytes : len_bytes;
    out->payload = bytes + IP6_HEADER_BYTES;
    out->payload_len = out->len_bytes - IP6_HEADER_BYTES;
    if (addr_is_v4(&out->src) || addr_is_v4(&out->dst))
        return LA_DROP_IP_SOURCE; /* mapped: inside this stack it would pass for IPv4 */

    struct walk w = { bytes, out->len_bytes, IP6_HEADER_BYTES, quoted };
    const enum la_drop drop = walk_extensions(&w, out);
    if (drop != LA_DROP_NONE)
        return drop;
    return out->protocol == IP_PROTO_NO_NEXT && !out->fragment ? LA_DROP_IP6_NO_NEXT : LA_DROP_NONE;
}

void ipv6_emit(const struct ip_header *h, uint8_t to[IP6_HEADER_BYTES])
{
    store_be32(to, 6u << 28 | (uint32_t)h->tos << 20 | (h->flow_label & 0xfffffu));
    store_be16(to + 4, (uint16_t)h->payload_len);
    to[6] = h->protocol;
    to[7] = h->ttl;
    memcpy(to + 8, h->src.bytes, 16);
    memcpy(to + 24, h->dst.bytes, 16);
}
