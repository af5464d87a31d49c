/* SPDX-License-Identifier: MIT */
/* wire.c - IPv4, IPv6, TCP and ICMP headers, to bytes and back. */
#include "drill/wire.h"

#include <string.h>

static uint32_t sum_words(const uint8_t *p, uint32_t len, uint32_t sum)
{
    for (; len > 1; p += 2, len -= 2) {
        sum += drill_get16(p);
        sum = (sum & 0xffff) + (sum >> 16);
    }
    if (len == 1)
        sum += (uint32_t)*p << 8;
    return (sum & 0xffff) + (sum >> 16);
}

static uint16_t fold(uint32_t sum)
{
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

static uint32_t pseudo_sum(const struct drill_segment *s, uint32_t len)
{
    uint32_t sum = s->protocol + (len >> 16) + (len & 0xffff);
    if (s->version == 4)
        return sum_words(s->dst.bytes + 12, 4, sum_words(s->src.bytes + 12, 4, sum));
    return sum_words(s->dst.bytes, 16, sum_words(s->src.bytes, 16, sum));
}

static uint32_t build_ip(const struct drill_segment *s, uint32_t payload_len, uint8_t *to)
{
    if (s->version == 4) {
        memset(to, 0, 20);
        to[0] = 0x45;
        to[1] = s->tos;
        drill_put16(to + 2, 20 + payload_len);
        drill_put16(to + 4, s->id);
        to[6] = s->df ? 0x40 : 0;
        to[8] = s->ttl;
        to[9] = s->protocol;
        memcpy(to + 12, s->src.bytes + 12, 4);
        memcpy(to + 16, s->dst.bytes + 12, 4);
        drill_put16(to + 10, fold(sum_words(to, 20, 0)));
        return 20;
    }
    drill_put32(to, 6u << 28 | (uint32_t)s->tos << 20 | s->flow_label);
    drill_put16(to + 4, payload_len);
    to[6] = s->protocol;
    to[7] = s->ttl;
    memcpy(to + 8, s->src.bytes, 16);
    memcpy(to + 24, s->dst.bytes, 16);
    return 40;
}

static uint32_t build_tcp(const struct drill_segment *s, uint8_t *to)
{
    const uint32_t header = 20u + s->options_len;
    drill_put16(to, s->src_port);
    drill_put16(to + 2, s->dst_port);
    drill_put32(to + 4, s->seq);
    drill_put32(to + 8, s->ack);
    to[12] = (uint8_t)(header / 4 << 4 | (s->reserved & 0xf));
    to[13] = s->flags;
    drill_put16(to + 14, s->window);
    drill_put16(to + 16, 0);
    drill_put16(to + 18, s->urgent);
    memcpy(to + 20, s->options, s->options_len);
    if (s->text != NULL && s->text_len > 0)
        memcpy(to + header, s->text, s->text_len);
    const uint32_t len = header + s->text_len;
    drill_put16(to + 16, fold(sum_words(to, len, pseudo_sum(s, len))));
    return len;
}

static uint32_t build_icmp(const struct drill_segment *s, uint8_t *to)
{
    to[0] = s->icmp_type;
    to[1] = s->icmp_code;
    drill_put16(to + 2, 0);
    drill_put32(to + 4, s->icmp_rest);
    if (s->text != NULL && s->text_len > 0)
        memcpy(to + 8, s->text, s->text_len);
    const uint32_t len = 8 + s->text_len;
    const uint32_t pseudo = s->version == 6 ? pseudo_sum(s, len) : 0;
    drill_put16(to + 2, fold(sum_words(to, len, pseudo)));
    return len;
}

uint32_t drill_wire_build(const struct drill_segment *s, uint8_t *to)
{
    const uint32_t at = s->version == 4 ? 20 : 40;
    const uint32_t len =
        s->protocol == DRILL_IP_TCP ? build_tcp(s, to + at) : build_icmp(s, to + at);
    return build_ip(s, len, to) + len;
}

static const char *parse_ip4(const uint8_t *p, uint32_t len, struct drill_segment *s, uint32_t *at,
                             uint32_t *payload)
{
    const uint32_t header = (p[0] & 15u) * 4u;
    if (len < 20 || header < 20 || header > len)
        return "its IPv4 header does not fit";
    const uint32_t total = drill_get16(p + 2);
    if (total < header || total > len)
        return "its IPv4 total length is wrong";
    if (fold(sum_words(p, header, 0)) != 0)
        return "its IPv4 checksum is wrong";
    if ((drill_get16(p + 6) & 0x3fff) != 0)
        return "it is a fragment";
    s->tos = p[1];
    s->id = drill_get16(p + 4);
    s->df = (p[6] & 0x40) != 0;
    s->ttl = p[8];
    s->protocol = p[9];
    s->src = la_addr_v4(p[12], p[13], p[14], p[15]);
    s->dst = la_addr_v4(p[16], p[17], p[18], p[19]);
    *at = header;
    *payload = total - header;
    return NULL;
}

static const char *parse_ip6(const uint8_t *p, uint32_t len, struct drill_segment *s, uint32_t *at,
                             uint32_t *payload)
{
    if (len < 40 || drill_get16(p + 4) + 40u > len)
        return "its IPv6 length is wrong";
    s->tos = (uint8_t)(drill_get32(p) >> 20);
    s->flow_label = drill_get32(p) & 0xfffff;
    s->protocol = p[6];
    s->ttl = p[7];
    s->df = true;
    memcpy(s->src.bytes, p + 8, 16);
    memcpy(s->dst.bytes, p + 24, 16);
    *at = 40;
    *payload = drill_get16(p + 4);
    return NULL;
}

static const char *parse_tcp(const uint8_t *p, uint32_t len, struct drill_segment *s)
{
    if (len < 20 || (p[12] >> 4) * 4u < 20 || (p[12] >> 4) * 4u > len)
        return "its TCP header does not fit";
    if (fold(sum_words(p, len, pseudo_sum(s, len))) != 0)
        return "its TCP checksum is wrong";
    const uint32_t header = (p[12] >> 4) * 4u;
    s->src_port = drill_get16(p);
    s->dst_port = drill_get16(p + 2);
    s->seq = drill_get32(p + 4);
    s->ack = drill_get32(p + 8);
    s->reserved = p[12] & 0xf;
    s->flags = p[13];
    s->window = drill_get16(p + 14);
    s->urgent = drill_get16(p + 18);
    s->options_len = (uint8_t)(header - 20);
    memcpy(s->options, p + 20, s->options_len);
    s->text = p + header;
    s->text_len = len - header;
    return NULL;
}

static const char *parse_icmp(const uint8_t *p, uint32_t len, struct drill_segment *s)
{
    if (len < 8)
        return "its ICMP header does not fit";
    if (fold(sum_words(p, len, s->version == 6 ? pseudo_sum(s, len) : 0)) != 0)
        return "its ICMP checksum is wrong";
    s->icmp_type = p[0];
    s->icmp_code = p[1];
    s->icmp_rest = drill_get32(p + 4);
    s->text = p + 8;
    s->text_len = len - 8;
    return NULL;
}

const char *drill_wire_parse(const uint8_t *bytes, uint32_t len, struct drill_segment *out)
{
    uint32_t at = 0, payload = 0;
    memset(out, 0, sizeof *out);
    if (len < 1)
        return "it is empty";
    out->version = bytes[0] >> 4;
    if (out->version != 4 && out->version != 6)
        return "it is neither IPv4 nor IPv6";
    const char *wrong = out->version == 4 ? parse_ip4(bytes, len, out, &at, &payload)
                                          : parse_ip6(bytes, len, out, &at, &payload);
    if (wrong != NULL)
        return wrong;
    if (out->protocol == DRILL_IP_TCP)
        return parse_tcp(bytes + at, payload, out);
    if (out->protocol == (out->version == 4 ? DRILL_IP_ICMP : DRILL_IP_ICMP6))
        return parse_icmp(bytes + at, payload, out);
    out->text = bytes + at;
    out->text_len = payload;
    return NULL;
}
