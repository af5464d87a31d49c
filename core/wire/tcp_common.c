/* SPDX-License-Identifier: MIT */
/*
 * tcp_common.c - The packets that come by the million have one shape: an IP header of fixed
 * length, then 20 or 32 bytes of TCP header.
 *
 * Here such a packet is recognised by a few comparisons and read at fixed places.  Whatever is
 * different, or wrong in any way, is left to ip.c and tcp_parse.c, which know why; so this file
 * has no reasons, and what it reads is by definition what they read (tests and a fuzz target hold
 * them side by side).
 */
#include "core/wire/tcp_common.h"

#include "core/base/bytes.h"
#include "core/wire/ip.h"

#define VERSION_AND_LENGTH 0x45
#define FRAGMENTED 0x3fffu /* more fragments, and the offset */
#define OFFSET_PLAIN 0x50
#define OFFSET_TIMESTAMPS 0x80
#define TIMESTAMPS_BYTES 12
#define TIMESTAMPS_HEAD 0x0101080au /* NOP, NOP, kind 8, length 10 */

/* RFC 791: the ones-complement sum of all ten words is all ones, in either byte order. */
static bool ip4_checksum_ok(const uint8_t *bytes)
{
    uint32_t w[5];
    uint64_t sum;

    memcpy(w, bytes, sizeof(w));
    sum = (uint64_t)w[0] + w[1] + w[2] + w[3] + w[4];
    sum = (sum & UINT32_MAX) + (sum >> 32);
    sum = (sum & 0xffff) + (sum >> 16 & 0xffff) + (sum >> 32);
    return (sum & 0xffff) + (sum >> 16) == 0xffff;
}

/* Bytes of the IP header, 0 if it is not of the common shape. */
static uint32_t read_ip4(const uint8_t *bytes, uint32_t len_bytes, struct tcp_common *out)
{
    const uint32_t total_bytes = load_be16(bytes + 2);

    if ((load_be16(bytes + 6) & FRAGMENTED) != 0 || bytes[9] != IP_PROTO_TCP)
        return 0;
    if (total_bytes > len_bytes || total_bytes < IP4_HEADER_BYTES + TCP_HEADER_BYTES)
        return 0;
    if (!ip4_checksum_ok(bytes))
        return 0;
    out->src = addr_v4_at(bytes + 12);
    out->dst = addr_v4_at(bytes + 16);
    out->segment_bytes = total_bytes - IP4_HEADER_BYTES;
    return IP4_HEADER_BYTES;
}

static uint32_t read_ip6(const uint8_t *bytes, uint32_t len_bytes, struct tcp_common *out)
{
    const uint32_t payload_bytes = load_be16(bytes + 4);

    if (bytes[6] != IP_PROTO_TCP || len_bytes < IP6_HEADER_BYTES + TCP_HEADER_BYTES)
        return 0;
    if (payload_bytes > len_bytes - IP6_HEADER_BYTES || payload_bytes < TCP_HEADER_BYTES)
        return 0;
    memcpy(out->src.bytes, bytes + 8, 16);
    memcpy(out->dst.bytes, bytes + 24, 16);
    if (addr_is_v4(&out->src) || addr_is_v4(&out->dst))
        return 0;
    out->segment_bytes = payload_bytes;
    return IP6_HEADER_BYTES;
}

static bool read_tcp(const uint8_t *at, uint32_t len_bytes, struct tcp_seg *seg)
{
    uint32_t header_bytes = TCP_HEADER_BYTES;

    *seg = (struct tcp_seg){
        .src_port = load_be16(at),
        .dst_port = load_be16(at + 2),
        .seq = seq_of(load_be32(at + 4)),
        .ack = seq_of(load_be32(at + 8)),
        .flags = at[13],
        .wnd = load_be16(at + 14),
        .urgent = load_be16(at + 18),
    };
    if ((at[12] & 0xf0) == OFFSET_TIMESTAMPS) {
        header_bytes += TIMESTAMPS_BYTES;
        if (len_bytes < header_bytes || load_be32(at + 20) != TIMESTAMPS_HEAD)
            return false;
        seg->opt.has_timestamps = true;
        seg->opt.ts_val = load_be32(at + 24);
        seg->opt.ts_ecr = load_be32(at + 28);
    } else if ((at[12] & 0xf0) != OFFSET_PLAIN) {
        return false;
    }
    seg->text = at + header_bytes;
    seg->len = len_bytes - header_bytes;
    return seg->src_port != 0 && seg->dst_port != 0;
}

bool tcp_common_parse(const uint8_t *bytes, uint32_t len_bytes, struct tcp_common *out)
{
    uint32_t ip_bytes = 0;

    if (len_bytes < IP4_HEADER_BYTES + TCP_HEADER_BYTES)
        return false;
    if (bytes[0] == VERSION_AND_LENGTH)
        ip_bytes = read_ip4(bytes, len_bytes, out);
    else if (bytes[0] >> 4 == 6)
        ip_bytes = read_ip6(bytes, len_bytes, out);
    if (ip_bytes == 0)
        return false;
    out->segment = bytes + ip_bytes;
    return read_tcp(out->segment, out->segment_bytes, &out->seg);
}
