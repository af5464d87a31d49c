/* SPDX-License-Identifier: MIT */
/*
 * isn.c - Initial sequence numbers (RFC 6528) and time stamp offsets: a clock plus a keyed
 * function of the whole 4-tuple (MUST-8, MUST-9, SHLD-1).
 *
 * The clock ticks every 64 ns, as on Linux: it passes 2^32 in 275 s.  Nothing is kept
 * between the choice and its use, so no drop in between can leave a number behind.
 */
#include "core/tcp/tcp.h"

/* 64 bits nobody outside can compute: half for the ISN, half for the time stamps. */
static uint64_t keyed(const struct tcp *t, const struct tcp_flow *flow)
{
    uint8_t bytes[36];
    const uint32_t n = flow_bytes(flow, bytes);

    return siphash(&t->key_isn, bytes, n);
}

void tcp_begin_numbers(const struct tcp *t, const struct tcp_flow *flow, tcp_seq *iss,
                       uint32_t *ts_offset)
{
    const uint64_t hash = keyed(t, flow);

    *iss = seq_of((uint32_t)hash + (uint32_t)(t->env.now.ns >> 6));
    *ts_offset = (uint32_t)(hash >> 32);
}

tcp_seq tcp_isn(const struct tcp *t, const struct tcp_flow *flow)
{
    tcp_seq iss;
    uint32_t ts_offset;

    tcp_begin_numbers(t, flow, &iss, &ts_offset);
    return iss;
}

uint32_t tcp_ts_offset(const struct tcp *t, const struct tcp_flow *flow)
{
    return (uint32_t)(keyed(t, flow) >> 32);
}
