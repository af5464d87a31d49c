/* SPDX-License-Identifier: MIT */
/*
 * icmp.c - ICMP (RFC 792, 1191) and ICMPv6 (RFC 4443): bytes to struct and back.
 *
 * Both versions number their types differently and mean the same few things by them;
 * enum icmp_class is what is left of that difference.  The first 8 bytes have one shape
 * for all of them: type, code, checksum, and 4 bytes whose use the class decides.
 */
#include "core/wire/icmp.h"

#include "core/base/bytes.h"
#include "core/base/checksum.h"

#define V4_UNREACHABLE_TOO_BIG 4

static enum icmp_class class_v4(uint8_t type, uint8_t code)
{
    switch (type) {
    case 0:
        return ICMP_ECHO_REPLY;
    case 3:
        return code == V4_UNREACHABLE_TOO_BIG ? ICMP_TOO_BIG : ICMP_UNREACHABLE;
    case 4:
        return ICMP_SOURCE_QUENCH;
    case 8:
        return ICMP_ECHO_REQUEST;
    case 11:
        return ICMP_TIME_EXCEEDED;
    case 12:
        return ICMP_PARAMETER;
    }
    return ICMP_OTHER;
}

static enum icmp_class class_v6(uint8_t type)
{
    switch (type) {
    case 1:
        return ICMP_UNREACHABLE;
    case 2:
        return ICMP_TOO_BIG;
    case 3:
        return ICMP_TIME_EXCEEDED;
    case 4:
        return ICMP_PARAMETER;
    case 128:
        return ICMP_ECHO_REQUEST;
    case 129:
        return ICMP_ECHO_REPLY;
    }
    return ICMP_OTHER;
}

static bool checksum_ok(uint32_t cpu_features, const struct ip_packet *p)
{
    const uint64_t pseudo =
        p->version == 6 ? ip_pseudo_sum(p->src, p->dst, IP_PROTO_ICMP6, p->payload_len) : 0;
    return checksum_finish(checksum_add(cpu_features, pseudo, p->payload, p->payload_len)) == 0;
}

static bool is_echo(enum icmp_class class)
{
    return class == ICMP_ECHO_REQUEST || class == ICMP_ECHO_REPLY;
}

enum la_drop icmp_parse(uint32_t cpu_features, const struct ip_packet *p, struct icmp_message *out)
{
    const uint8_t *b = p->payload;

    *out = (struct icmp_message){ .class = ICMP_OTHER };
    if (p->payload_len < ICMP_HEADER_BYTES)
        return LA_DROP_ICMP_SHORT;
    if (!checksum_ok(cpu_features, p))
        return LA_DROP_ICMP_CHECKSUM;

    out->type = b[0];
    out->code = b[1];
    out->class = p->version == 4 ? class_v4(b[0], b[1]) : class_v6(b[0]);
    out->data = b + ICMP_HEADER_BYTES;
    out->data_len = p->payload_len - ICMP_HEADER_BYTES;
    if (is_echo(out->class)) {
        out->id = load_be16(b + 4);
        out->seq = load_be16(b + 6);
    } else if (out->class == ICMP_TOO_BIG) {
        out->mtu_bytes = p->version == 4 ? load_be16(b + 6) : load_be32(b + 4);
    } else if (out->class == ICMP_PARAMETER) {
        out->pointer = p->version == 4 ? b[4] : load_be32(b + 4);
    }
    return LA_DROP_NONE;
}

void icmp_emit(const struct icmp_message *m, struct la_addr src, struct la_addr dst,
               uint64_t data_sum, uint8_t to[ICMP_HEADER_BYTES])
{
    const bool v4 = addr_is_v4(&dst);

    to[0] = m->type;
    to[1] = m->code;
    store_be16(to + 2, 0);
    store_be32(to + 4, 0);
    if (is_echo(m->class)) {
        store_be16(to + 4, m->id);
        store_be16(to + 6, m->seq);
    } else if (m->class == ICMP_TOO_BIG) {
        store_be32(to + 4, v4 ? m->mtu_bytes & 0xffffu : m->mtu_bytes);
    } else if (m->class == ICMP_PARAMETER) {
        store_be32(to + 4, v4 ? m->pointer << 24 : m->pointer);
    }

    const uint32_t len_bytes = ICMP_HEADER_BYTES + m->data_len;
    const uint64_t pseudo = v4 ? 0 : ip_pseudo_sum(src, dst, IP_PROTO_ICMP6, len_bytes);
    const uint64_t sum = checksum_add(0, pseudo, to, ICMP_HEADER_BYTES);
    store_be16(to + 2, checksum_finish(checksum_combine(sum, data_sum, ICMP_HEADER_BYTES)));
}
