/* SPDX-License-Identifier: MIT */
/*
 * segment.c - Reading, repairing and cutting packets for the simulator.
 *
 * Written for plainness, not speed: checksums byte by byte, every length compared
 * with what is really there before it is believed.
 */
#include "sim/segment.h"

#include <string.h>

#define IP4_HEADER_BYTES 20u
#define IP6_HEADER_BYTES 40u
#define TCP_HEADER_BYTES 20u
#define PROTOCOL_TCP 6u

static uint32_t get16(const uint8_t *p)
{
    return (uint32_t)p[0] << 8 | p[1];
}

static uint32_t get32(const uint8_t *p)
{
    return get16(p) << 16 | get16(p + 2);
}

static void put16(uint8_t *p, uint32_t value)
{
    p[0] = (uint8_t)(value >> 8);
    p[1] = (uint8_t)value;
}

static void put32(uint8_t *p, uint32_t value)
{
    put16(p, value >> 16);
    put16(p + 2, value);
}

/* RFC 1071: the ones' complement sum of 16-bit words, a last odd byte padded with zero. */
static uint32_t sum_words(uint32_t sum, const uint8_t *bytes, uint32_t len_bytes)
{
    uint32_t i = 0;

    for (; i + 1 < len_bytes; i += 2) {
        sum += get16(bytes + i);
        sum = (sum & 0xffffu) + (sum >> 16);
    }
    if (i < len_bytes)
        sum += (uint32_t)bytes[i] << 8;
    while (sum >> 16)
        sum = (sum & 0xffffu) + (sum >> 16);
    return sum;
}

/* The sum over pseudo-header and segment: 0xffff if the checksum in it is right. */
static uint32_t transport_sum(const uint8_t *bytes, bool v6, uint32_t ip_header_bytes,
                              uint32_t len_bytes)
{
    const uint32_t segment_bytes = len_bytes - ip_header_bytes;
    uint32_t sum = PROTOCOL_TCP + (segment_bytes >> 16) + (segment_bytes & 0xffffu);

    sum = v6 ? sum_words(sum, bytes + 8, 32) : sum_words(sum, bytes + 12, 8);
    return sum_words(sum, bytes + ip_header_bytes, segment_bytes);
}

/* Return: the packet's length by its IP header, 0 if that can not be. */
static uint32_t read_ip(const uint8_t *bytes, uint32_t len_bytes, struct sim_segment *out)
{
    if (len_bytes >= IP4_HEADER_BYTES && bytes[0] >> 4 == 4) {
        const uint32_t header = (bytes[0] & 15u) * 4u;
        const uint32_t total = get16(bytes + 2);

        if (header < IP4_HEADER_BYTES || total < header || total > len_bytes ||
            sum_words(0, bytes, header) != 0xffffu)
            return 0;
        out->from.addr = la_addr_v4(bytes[12], bytes[13], bytes[14], bytes[15]);
        out->to.addr = la_addr_v4(bytes[16], bytes[17], bytes[18], bytes[19]);
        out->ip_header_bytes = header;
        out->tcp = bytes[9] == PROTOCOL_TCP && (get16(bytes + 6) & 0x3fffu) == 0;
        return total;
    }
    if (len_bytes >= IP6_HEADER_BYTES && bytes[0] >> 4 == 6) {
        const uint32_t total = IP6_HEADER_BYTES + get16(bytes + 4);

        if (total > len_bytes)
            return 0;
        memcpy(out->from.addr.bytes, bytes + 8, 16);
        memcpy(out->to.addr.bytes, bytes + 24, 16);
        out->v6 = true;
        out->ip_header_bytes = IP6_HEADER_BYTES;
        out->tcp = bytes[6] == PROTOCOL_TCP;
        return total;
    }
    return 0;
}

static void read_option(const uint8_t *option, uint32_t len_bytes, struct sim_segment *out)
{
    const uint8_t kind = option[0];

    if (kind == 2 && len_bytes == 4) {
        out->has_mss = true;
        out->mss = (uint16_t)get16(option + 2);
    } else if (kind == 3 && len_bytes == 3) {
        out->has_scale = true;
        out->scale = option[2];
    } else if (kind == 4 && len_bytes == 2) {
        out->sack_permitted = true;
    } else if (kind == 5 && len_bytes > 2) {
        out->sack_blocks = (len_bytes - 2) / 8;
    } else if (kind == 8 && len_bytes == 10) {
        out->has_timestamp = true;
    }
}

static void read_options(const uint8_t *options, uint32_t len_bytes, struct sim_segment *out)
{
    uint32_t i = 0;

    while (i < len_bytes && options[i] != 0) {
        if (options[i] == 1) {
            i++;
            continue;
        }
        if (i + 1 >= len_bytes || options[i + 1] < 2 || i + options[i + 1] > len_bytes)
            return;
        read_option(options + i, options[i + 1], out);
        i += options[i + 1];
    }
}

void sim_segment_read(const uint8_t *bytes, uint32_t len_bytes, struct sim_segment *out)
{
    *out = (struct sim_segment){ 0 };
    const uint32_t total = read_ip(bytes, len_bytes, out);

    out->ip = total != 0;
    if (!out->ip || !out->tcp || total < out->ip_header_bytes + TCP_HEADER_BYTES) {
        out->tcp = false;
        return;
    }
    const uint8_t *tcp = bytes + out->ip_header_bytes;
    const uint32_t tcp_header_bytes = (uint32_t)(tcp[12] >> 4) * 4u;

    out->header_bytes = out->ip_header_bytes + tcp_header_bytes;
    if (tcp_header_bytes < TCP_HEADER_BYTES || out->header_bytes > total) {
        out->tcp = false;
        return;
    }
    out->from.port = (uint16_t)get16(tcp);
    out->to.port = (uint16_t)get16(tcp + 2);
    out->seq = get32(tcp + 4);
    out->ack = get32(tcp + 8);
    out->flags = tcp[13] & 0x3fu;
    out->window = (uint16_t)get16(tcp + 14);
    out->text = bytes + out->header_bytes;
    out->text_bytes = total - out->header_bytes;
    out->checksum_right = transport_sum(bytes, out->v6, out->ip_header_bytes, total) == 0xffffu;
    read_options(tcp + TCP_HEADER_BYTES, tcp_header_bytes - TCP_HEADER_BYTES, out);
}

uint32_t sim_segment_span(const struct sim_segment *seg)
{
    return seg->text_bytes + ((seg->flags & SIM_SYN) != 0) + ((seg->flags & SIM_FIN) != 0);
}

void sim_checksum_complete(uint8_t *bytes, uint32_t len_bytes, uint32_t start, uint32_t offset)
{
    if (start + offset + 2 > len_bytes)
        return;
    put16(bytes + start + offset, ~sum_words(0, bytes + start, len_bytes - start) & 0xffffu);
}

void sim_checksum_repair(uint8_t *bytes, uint32_t len_bytes)
{
    const bool v6 = len_bytes > 0 && bytes[0] >> 4 == 6;
    const uint32_t header = v6 ? IP6_HEADER_BYTES : (bytes[0] & 15u) * 4u;

    if (len_bytes < header + TCP_HEADER_BYTES)
        return;
    if (!v6) {
        put16(bytes + 10, 0);
        put16(bytes + 10, ~sum_words(0, bytes, header) & 0xffffu);
    }
    put16(bytes + header + 16, 0);
    put16(bytes + header + 16, ~transport_sum(bytes, v6, header, len_bytes) & 0xffffu);
}

uint32_t sim_segment_cut(const uint8_t *whole, uint32_t len_bytes, uint32_t gso_bytes, uint32_t nth,
                         uint8_t *out)
{
    struct sim_segment seg;

    sim_segment_read(whole, len_bytes, &seg);
    const uint64_t from = (uint64_t)nth * gso_bytes;

    if (!seg.tcp || gso_bytes == 0 || from >= seg.text_bytes)
        return 0;
    const uint32_t left = seg.text_bytes - (uint32_t)from;
    const uint32_t take = left < gso_bytes ? left : gso_bytes;
    const uint32_t total = seg.header_bytes + take;

    memcpy(out, whole, seg.header_bytes);
    memcpy(out + seg.header_bytes, seg.text + from, take);
    if (seg.v6) {
        put16(out + 4, total - IP6_HEADER_BYTES);
    } else {
        put16(out + 2, total);
        put16(out + 4, get16(out + 4) + nth);
    }
    put32(out + seg.ip_header_bytes + 4, seg.seq + (uint32_t)from);
    if (take < left) /* FIN and PSH belong to the last */
        out[seg.ip_header_bytes + 13] &= (uint8_t) ~(SIM_FIN | SIM_PSH);
    sim_checksum_repair(out, total);
    return total;
}

char *sim_flags_text(uint8_t flags, char text[SIM_FLAGS_TEXT_BYTES])
{
    static const struct {
        uint8_t bit;
        const char *name;
    } names[] = { { SIM_SYN, "SYN" }, { SIM_FIN, "FIN" }, { SIM_RST, "RST" },
                  { SIM_PSH, "PSH" }, { SIM_ACK, "ACK" }, { SIM_URG, "URG" } };
    uint32_t at = 0;

    for (uint32_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (!(flags & names[i].bit))
            continue;
        if (at > 0)
            text[at++] = ',';
        memcpy(text + at, names[i].name, 3);
        at += 3;
    }
    if (at == 0)
        text[at++] = '-';
    text[at] = '\0';
    return text;
}
