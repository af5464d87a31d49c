/* SPDX-License-Identifier: MIT */
/*
 * predicates.h - The tests RFC 9293, 5961 and 7323 make on numbers, as functions of
 * values: full connections, half-open and short records share them.
 */
#ifndef CORE_TCP_PREDICATES_H
#define CORE_TCP_PREDICATES_H

#include "core/tcp/seq.h"

/* RFC 9293 3.10.7.4, first step, table of four cases. */
static inline bool tcp_acceptable(tcp_seq seq, uint32_t seg_len, tcp_seq rcv_nxt, uint32_t rcv_wnd)
{
    if (seg_len == 0)
        return rcv_wnd == 0 ? seq_eq(seq, rcv_nxt) : seq_in(seq, rcv_nxt, rcv_wnd);
    if (rcv_wnd == 0)
        return false;
    return seq_in(seq, rcv_nxt, rcv_wnd) || seq_in(seq_add(seq, seg_len - 1), rcv_nxt, rcv_wnd) ||
           (seq_le(seq, rcv_nxt) && seq_lt(rcv_nxt, seq_add(seq, seg_len)));
}

/* The whole segment lies to the left of the window. */
static inline bool tcp_is_old(tcp_seq seq, uint32_t seg_len, tcp_seq rcv_nxt)
{
    return seq_le(seq_add(seq, seg_len), rcv_nxt) && seq_lt(seq, rcv_nxt);
}

enum tcp_rst_kind {
    TCP_RST_EXACT,   /* RFC 5961 3.2, 2): reset */
    TCP_RST_INSIDE,  /* 3): challenge ACK */
    TCP_RST_OUTSIDE, /* 1): drop */
};
/* Looks at SEG.SEQ as it arrived: trimmed, every straddling RST would seem exact. */
static inline enum tcp_rst_kind tcp_rst_kind(tcp_seq seq, tcp_seq rcv_nxt, uint32_t rcv_wnd)
{
    if (seq_eq(seq, rcv_nxt))
        return TCP_RST_EXACT;
    return seq_in(seq, rcv_nxt, rcv_wnd) ? TCP_RST_INSIDE : TCP_RST_OUTSIDE;
}

/* SND.UNA < SEG.ACK =< SND.NXT */
static inline bool tcp_ack_is_new(tcp_seq ack, tcp_seq una, tcp_seq nxt)
{
    return seq_lt(una, ack) && seq_le(ack, nxt);
}

/*
 * RFC 5961 5.2 with the bound of bytes ever sent: an ACK older than the largest window
 * the peer ever offered, or than the connection itself, proves nothing.  @sent is how many
 * bytes lie between ISS and SND.UNA, saturated by the caller.
 */
static inline bool tcp_ack_too_old(tcp_seq ack, tcp_seq una, uint32_t max_wnd, uint32_t sent)
{
    const uint32_t reach = max_wnd < sent ? max_wnd : sent;
    return seq_lt(ack, seq_sub(una, reach));
}

/* RFC 7323 5.3: TSval older than TS.Recent, modulo 2^32. */
static inline bool tcp_ts_older(uint32_t ts_val, uint32_t ts_recent)
{
    return (int32_t)(ts_val - ts_recent) < 0;
}

#endif
