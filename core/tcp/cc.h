/* SPDX-License-Identifier: MIT */
/*
 * cc.h - The seam between loss recovery and congestion control.
 *
 * Recovery says what happened: an ACK of something new, the beginning of a recovery, its end, an
 * RTO, and that a recovery was spurious.  Congestion control answers with ssthresh and, outside of
 * recovery, with cwnd; within it cwnd belongs to recovery (RFC 9937).  Both are in bytes.
 *
 * An algorithm is a number and a set of functions, chosen by a switch: no call through a pointer
 * stands on the way of a segment.  What it remembers is struct cc_state.  A rate-based algorithm gets what it needs in struct cc_ack, and
 * answers with cc_pacing_rate() beside the window.
 */
#ifndef CORE_TCP_CC_H
#define CORE_TCP_CC_H

#include <stdbool.h>
#include <stdint.h>

#include "core/tcp/seq.h"

struct tcp;
struct tcp_conn;

/* Two bits of struct tcp_settings; 0 stands for the setting of the stack. */
enum cc_algorithm { CC_DEFAULT, CC_RENO, CC_ALGORITHMS };

/* What the algorithms remember of the window's history, beside cwnd and ssthresh. */
struct cc_state {
    uint32_t acked; /* bytes acknowledged in congestion avoidance, not yet turned into window */
};

/* One ACK that moved SND.UNA. */
struct cc_ack {
    uint32_t acked;  /* bytes it acknowledged for the first time, by number or by SACK */
    uint32_t rtt_us; /* of the newest segment it acknowledged; 0 if none can be told */
};

/* Why the window shrinks. */
enum cc_event { CC_LOSS, CC_ECN };

/* What a recovery that turns out to be spurious gives back. */
struct cc_saved {
    uint32_t cwnd, ssthresh;
    struct cc_state state;
};

/* The algorithm from the stack's setting, and the initial window (RFC 6928). */
void cc_init(const struct tcp *t, struct tcp_conn *c);
/* SND.NXT has moved. */
void cc_on_send(struct tcp_conn *c);
/* Not in recovery: the window may grow.  Also in slow start after an RTO. */
void cc_on_ack(struct tcp *t, struct tcp_conn *c, const struct cc_ack *ack);
/*
 * A recovery begins, or the peer echoes congestion: ssthresh is set, cwnd is left alone.
 * @flight: bytes in flight, without what limited transmit sent beyond the window
 */
void cc_on_congestion(struct tcp *t, struct tcp_conn *c, enum cc_event event, uint32_t flight);
/* The recovery has ended: the window is ssthresh. */
void cc_on_recovered(struct tcp *t, struct tcp_conn *c);
/* @first: nothing of what is in flight was lost to an RTO before; else ssthresh stays. */
void cc_on_rto(struct tcp *t, struct tcp_conn *c, bool first);
/* To be taken before cc_on_congestion() or cc_on_rto(); kept by recovery for as long as it may undo. */
void cc_save(const struct tcp_conn *c, struct cc_saved *out);
void cc_undo(struct tcp *t, struct tcp_conn *c, const struct cc_saved *saved);
/* RFC 5681 4.1: before new text is sent. */
void cc_idle_restart(const struct tcp *t, struct tcp_conn *c);

/* cc_reno.c */
void reno_on_ack(struct tcp_conn *c, const struct cc_ack *ack);
uint32_t reno_ssthresh(const struct tcp_conn *c, uint32_t flight);

#define CC_CWND_MAX (1u << 30)
/* L of RFC 3465, as RFC 9406 4.2 has it: receivers merge ACKs of a burst. */
#define CC_ABC_LIMIT 8u

#endif
