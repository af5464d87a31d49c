/* SPDX-License-Identifier: MIT */
/*
 * isn.c - Initial sequence numbers (RFC 6528) and time stamp offsets: a clock plus a keyed
 * function of the whole 4-tuple (MUST-8, MUST-9, SHLD-1).
 *
 * The clock ticks every 64 ns, as on Linux: it passes 2^32 in 275 s.  Nothing is kept
 * between the choice and its use, so no drop in between can leave a number behind.
 */
#include "core/tcp/tcp.h"

static uint64_t keyed(const struct siphash_key *key, const struct tcp_flow *flow)
{
    uint8_t bytes[36];

    memcpy(bytes, flow->laddr.bytes, 16);
    memcpy(bytes + 16, flow->raddr.bytes, 16);
    bytes[32] = (uint8_t)(flow->lport >> 8);
    bytes[33] = (uint8_t)flow->lport;
    bytes[34] = (uint8_t)(flow->rport >> 8);
    bytes[35] = (uint8_t)flow->rport;
    return siphash(key, bytes, sizeof(bytes));
}

tcp_seq tcp_isn(const struct tcp *t, const struct tcp_flow *flow)
{
    return seq_of((uint32_t)keyed(&t->key_isn, flow) + (uint32_t)(t->env.now.ns >> 6));
}

uint32_t tcp_ts_offset(const struct tcp *t, const struct tcp_flow *flow)
{
    return (uint32_t)keyed(&t->key_ts, flow);
}
