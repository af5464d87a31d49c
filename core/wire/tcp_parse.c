/* SPDX-License-Identifier: MIT */
/*
 * tcp_parse.c - A segment's header, as RFC 9293 3.1 lays it out, read from bytes.
 *
 * Every length is held against the bytes that are there before it is used: 20 bytes of
 * header must exist, and the data offset must lie between them and the end.  The four
 * reserved bits are never part of a length and never reach a flag.
 *
 * The checksum stands apart, because a driver may have verified it already.
 */
#include "core/wire/tcp.h"

#include "core/base/bytes.h"
#include "core/base/checksum.h"
#include "core/wire/ip.h"

enum la_drop tcp_parse(const uint8_t *bytes, uint32_t len_bytes, struct tcp_seg *out)
{
    *out = (struct tcp_seg){ 0 };
    if (len_bytes < TCP_HEADER_BYTES)
        return LA_DROP_TCP_SHORT;

    out->src_port = load_be16(bytes);
    out->dst_port = load_be16(bytes + 2);
    out->seq = seq_of(load_be32(bytes + 4));
    out->ack = seq_of(load_be32(bytes + 8));
    out->flags = bytes[13];
    out->wnd = load_be16(bytes + 14);
    out->urgent = load_be16(bytes + 18);

    const uint32_t header_bytes = (uint32_t)(bytes[12] >> 4) * 4u;
    if (header_bytes < TCP_HEADER_BYTES || header_bytes > len_bytes)
        return LA_DROP_TCP_OFFSET;
    if (out->src_port == 0 || out->dst_port == 0)
        return LA_DROP_TCP_PORT_ZERO;

    tcp_options_parse(bytes + TCP_HEADER_BYTES, header_bytes - TCP_HEADER_BYTES,
                      (out->flags & TCP_SYN) != 0, &out->opt);
    out->text = bytes + header_bytes;
    out->len = len_bytes - header_bytes;
    return LA_DROP_NONE;
}

bool tcp_checksum_ok(uint32_t cpu_features, struct la_addr src, struct la_addr dst,
                     const uint8_t *bytes, uint32_t len_bytes)
{
    const uint64_t pseudo = ip_pseudo_sum(src, dst, IP_PROTO_TCP, len_bytes);
    return checksum_finish(checksum_add(cpu_features, pseudo, bytes, len_bytes)) == 0;
}

bool tcp_parse_quoted(const uint8_t *bytes, uint32_t len_bytes, uint16_t *src_port,
                      uint16_t *dst_port, tcp_seq *seq)
{
    if (len_bytes < 8) /* what RFC 792 makes every router quote */
        return false;
    *src_port = load_be16(bytes);
    *dst_port = load_be16(bytes + 2);
    *seq = seq_of(load_be32(bytes + 4));
    return *src_port != 0 && *dst_port != 0;
}
