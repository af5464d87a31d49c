/* SPDX-License-Identifier: MIT */
/*
 * tcp_common_fuzz.c - Any bytes as a packet of the common shape: if it is one, ip_parse() and
 * tcp_parse() read the same from it.
 */
#include <stdlib.h>
#include <string.h>

#include "core/base/bytes.h"
#include "core/base/checksum.h"
#include "core/wire/ip.h"
#include "core/wire/tcp_common.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len_bytes);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void compare(const uint8_t *bytes, uint32_t len)
{
    struct tcp_common c;
    struct ip_packet ip;
    struct tcp_seg seg;

    if (!tcp_common_parse(bytes, len, &c))
        return;
    require(ip_parse(bytes, len, &ip) == LA_DROP_NONE);
    require(ip.protocol == IP_PROTO_TCP && !ip.fragment);
    require(la_addr_equal(ip.src, c.src) && la_addr_equal(ip.dst, c.dst));
    require(ip.payload == c.segment && ip.payload_len == c.segment_bytes);
    require(tcp_parse(ip.payload, ip.payload_len, &seg) == LA_DROP_NONE);
    require(seg.src_port == c.seg.src_port && seg.dst_port == c.seg.dst_port);
    require(seq_raw(seg.seq) == seq_raw(c.seg.seq) && seq_raw(seg.ack) == seq_raw(c.seg.ack));
    require(seg.wnd == c.seg.wnd && seg.urgent == c.seg.urgent && seg.flags == c.seg.flags);
    require(seg.text == c.seg.text && seg.len == c.seg.len);
    require(seg.opt.has_timestamps == c.seg.opt.has_timestamps);
    require(seg.opt.ts_val == c.seg.opt.ts_val && seg.opt.ts_ecr == c.seg.opt.ts_ecr);
    require(seg.opt.sack_count == 0 && c.seg.opt.sack_count == 0);
    require(!seg.opt.has_mss && !seg.opt.has_wscale && !seg.opt.has_sack_ok);
    require(!c.seg.opt.has_mss && !c.seg.opt.has_wscale && !c.seg.opt.has_sack_ok);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len_bytes)
{
    const uint32_t len = (uint32_t)len_bytes;
    uint8_t *exact;

    if (len_bytes == 0 || len_bytes > 70000)
        return 0;
    exact = malloc(len);
    if (exact == NULL)
        return 0;
    memcpy(exact, bytes, len);
    compare(exact, len);
    if (len >= IP4_HEADER_BYTES && exact[0] == 0x45) { /* a fuzzer hardly finds a checksum */
        store_be16(exact + 10, 0);
        store_be16(exact + 10, checksum_finish(checksum_add(0, 0, exact, IP4_HEADER_BYTES)));
        compare(exact, len);
    }
    free(exact);
    return 0;
}
