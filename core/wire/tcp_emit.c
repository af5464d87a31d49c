/* SPDX-License-Identifier: MIT */
/*
 * tcp_emit.c - A segment's header written to bytes (RFC 9293 3.1).
 *
 * The checksum field is left zero and the text is not touched: whoever puts header
 * and text together adds the sum, or lets the driver do it.  Reserved bits are zero.
 */
#include "core/base/assert.h"
#include "core/base/bytes.h"
#include "core/wire/tcp.h"
#include "core/wire/tcp_options.h"

uint32_t tcp_emit(const struct tcp_seg *seg, uint8_t to[TCP_HEADER_BYTES + TCP_OPTIONS_MAX])
{
    LA_ASSERT(seg->wnd <= UINT16_MAX);

    const uint32_t options_bytes = tcp_options_emit(&seg->opt, to + TCP_HEADER_BYTES);
    const uint32_t header_bytes = TCP_HEADER_BYTES + options_bytes;
    LA_ASSERT(options_bytes <= TCP_OPTIONS_MAX && header_bytes % 4 == 0);

    store_be16(to, seg->src_port);
    store_be16(to + 2, seg->dst_port);
    store_be32(to + 4, seq_raw(seg->seq));
    store_be32(to + 8, seq_raw(seg->ack));
    to[12] = (uint8_t)(header_bytes / 4 << 4);
    to[13] = seg->flags;
    store_be16(to + 14, (uint16_t)seg->wnd);
    store_be16(to + 16, 0);
    store_be16(to + 18, seg->urgent);
    return header_bytes;
}
