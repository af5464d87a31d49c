/* SPDX-License-Identifier: MIT */
/*
 * seq.h - Arithmetic on sequence numbers, modulo 2^32 (RFC 9293 3.4).
 *
 * "Before" means less than 2^31 ahead.  Two numbers exactly 2^31 apart are neither
 * before nor after one another here, so a test that must hold on both sides of a
 * number fails for it, whichever way it is written.
 */
#ifndef CORE_TCP_SEQ_H
#define CORE_TCP_SEQ_H

#include "core/wire/tcp.h"

static inline tcp_seq seq_add(tcp_seq s, uint32_t n)
{
    return (tcp_seq){ s.v + n };
}
static inline tcp_seq seq_sub(tcp_seq s, uint32_t n)
{
    return (tcp_seq){ s.v - n };
}
/* How far @b is ahead of @a, modulo 2^32: meaningful where a <= b is known. */
static inline uint32_t seq_diff(tcp_seq a, tcp_seq b)
{
    return b.v - a.v;
}
static inline bool seq_eq(tcp_seq a, tcp_seq b)
{
    return a.v == b.v;
}
static inline bool seq_lt(tcp_seq a, tcp_seq b)
{
    const uint32_t d = b.v - a.v;
    return d != 0 && d < UINT32_C(0x80000000);
}
static inline bool seq_le(tcp_seq a, tcp_seq b)
{
    return b.v - a.v < UINT32_C(0x80000000);
}
static inline bool seq_gt(tcp_seq a, tcp_seq b)
{
    return seq_lt(b, a);
}
static inline bool seq_ge(tcp_seq a, tcp_seq b)
{
    return seq_le(b, a);
}
/* left <= s < left + len */
static inline bool seq_in(tcp_seq s, tcp_seq left, uint32_t len)
{
    return s.v - left.v < len;
}
static inline tcp_seq seq_max(tcp_seq a, tcp_seq b)
{
    return seq_lt(a, b) ? b : a;
}
static inline tcp_seq seq_min(tcp_seq a, tcp_seq b)
{
    return seq_lt(b, a) ? b : a;
}

#endif
