/* SPDX-License-Identifier: MIT */
/*
 * tcp_options_fuzz.c - Any bytes as options: read twice the same, with SYN and without.
 *
 * The first byte says which; at most 40 others are the options, in memory of exactly their
 * size.
 */
#include "core/wire/tcp.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len_bytes);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len_bytes)
{
    struct tcp_options a, b;
    if (len_bytes < 1)
        return 0;
    const bool syn = (bytes[0] & 1) != 0;
    const uint32_t len =
        len_bytes - 1 < TCP_OPTIONS_MAX ? (uint32_t)len_bytes - 1 : TCP_OPTIONS_MAX;
    uint8_t *exact = calloc(1, len > 0 ? len : 1);
    if (exact == NULL)
        return 0;
    memcpy(exact, bytes + 1, len);
    memset(&a, 0x55, sizeof a);
    memset(&b, 0xaa, sizeof b);
    tcp_options_parse(exact, len, syn, &a);
    tcp_options_parse(exact, len, syn, &b);

    if (a.sack_count != b.sack_count || a.sack_count > TCP_SACK_BLOCKS_MAX ||
        a.has_mss != b.has_mss || a.ts_val != b.ts_val || a.has_timestamps != b.has_timestamps)
        abort();
    if (syn ? a.sack_count > 0 : a.has_mss || a.has_wscale || a.has_sack_ok)
        abort();
    if (tcp_options_bytes(&a) > TCP_OPTIONS_MAX || tcp_options_bytes(&a) % 4 != 0)
        abort();
    free(exact);
    return 0;
}
