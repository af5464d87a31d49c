/* SPDX-License-Identifier: MIT */
/* tcp_parse_fuzz.c - Any bytes as a segment: the text stays inside, and what was read can be written. */
#include "core/wire/tcp.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len_bytes);

static void require(bool holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len_bytes)
{
    struct tcp_seg seg, back;
    uint8_t header[TCP_HEADER_BYTES + TCP_OPTIONS_MAX];
    uint16_t src, dst;
    tcp_seq seq;

    if (len_bytes > 65535)
        return 0;
    (void)tcp_parse_quoted(bytes, (uint32_t)len_bytes, &src, &dst, &seq);
    if (tcp_parse(bytes, (uint32_t)len_bytes, &seg) != LA_DROP_NONE)
        return 0;

    require(seg.text >= bytes + TCP_HEADER_BYTES && seg.text + seg.len == bytes + len_bytes);
    require(seg.opt.sack_count <= TCP_SACK_BLOCKS_MAX);
    const uint32_t header_bytes = tcp_emit(&seg, header);
    require(header_bytes == TCP_HEADER_BYTES + tcp_options_bytes(&seg.opt));
    require(tcp_parse(header, header_bytes, &back) == LA_DROP_NONE);
    require(back.len == 0 && back.flags == seg.flags && seq_raw(back.seq) == seq_raw(seg.seq));
    require(back.opt.has_timestamps == seg.opt.has_timestamps &&
            back.opt.has_mss == seg.opt.has_mss && back.opt.has_wscale == seg.opt.has_wscale &&
            back.opt.has_sack_ok == seg.opt.has_sack_ok);
    require(back.opt.sack_count <= seg.opt.sack_count);
    require(back.opt.mss == seg.opt.mss && back.opt.wscale == seg.opt.wscale &&
            back.opt.ts_val == seg.opt.ts_val && back.opt.ts_ecr == seg.opt.ts_ecr);
    return 0;
}
