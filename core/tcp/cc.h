/* SPDX-License-Identifier: MIT */
/*
 * cc.h - The seam between loss recovery and congestion control.
 *
 * Recovery says what happened: an ACK of something new, the beginning of a recovery, its end, an
 * RTO, and that a recovery was spurious.  Congestion control answers with ssthresh and, outside of
 * recovery, with cwnd; within it cwnd belongs to recovery (RFC 9937).  Both are in bytes.
 *
 * An algorithm is a number and a set of functions, chosen by a switch: no call through a pointer
 * stands on the way of a segment.  What it remembers is struct cc_scratch, in the block of what is
 * in flight (inflight.h), which is there when the window limits sending at the latest.
 * All of it can be done without: with the pool empty the window grows as RFC 5681 (3) has it.  A
 * rate-based algorithm gets what it needs in struct cc_ack, and will answer with a rate beside
 * the window.
 */
#ifndef CORE_TCP_CC_H
#define CORE_TCP_CC_H

#include <stdbool.h>
#include <stdint.h>

#include "core/tcp/seq.h"

struct tcp;
struct tcp_conn;

/* Two bits of struct tcp_settings, as enum la_congestion; 0 stands for the setting of the stack. */
enum cc_algorithm { CC_DEFAULT, CC_RENO, CC_CUBIC, CC_ALGORITHMS };

/* RFC 9406 4.2: the initial slow start, by rounds of RTT samples; and by trains of ACKs. */
struct cc_hystart {
    tcp_seq window_end;
    uint32_t last_min_us, current_min_us; /* 0: none */
    uint32_t css_baseline_us;
    uint32_t train_us, ack_us; /* when the train of ACKs began, and when the last one came */
    uint8_t samples;           /* of this round, as far as they count */
    uint8_t css_rounds;        /* completed */
    bool begun;
    bool css;   /* conservative slow start */
    bool train; /* train_us and ack_us are known */
};

/* Does the initial slow start end with this ACK, and why? */
enum cc_slow_start { CC_GOES_ON, CC_ENDS_BY_DELAY, CC_ENDS_BY_TRAIN };

/* RFC 9438 4.1.2, in bytes and milliseconds. */
struct cc_cubic {
    uint32_t w_max, cwnd_prior;
    uint32_t w_est, k_ms;
    uint32_t epoch_ms; /* when congestion avoidance began, moved by the time it was not limiting */
    uint32_t last_ms;  /* when the window last limited sending */
    uint32_t rest;     /* of the division by cwnd, so that no byte of growth is lost */
    uint32_t rest_est;
    bool epoch;      /* congestion avoidance has begun */
    bool no_plateau; /* it began without a window to return to: K is 0 (RFC 9438 4.8, 4.10) */
};

struct cc_scratch {
    uint32_t acked; /* NewReno: bytes acknowledged, not yet turned into window */
    struct cc_cubic cubic;
    struct cc_hystart hystart;
    tcp_seq echo_end; /* what was sent until the last reduction for ECE ends here */
};

/* One ACK that moved SND.UNA. */
struct cc_ack {
    uint32_t acked;  /* bytes it acknowledged for the first time, by number or by SACK */
    uint32_t rtt_us; /* of the newest segment it acknowledged; 0 if none can be told */
    /* A sample of the delivery rate (rate.c), bytes a second, over so long; 0: none with this ACK. */
    uint64_t rate;
    uint32_t rate_us;
    bool app_limited; /* the sample tells of the application, not of the path */
};

/* Why the window shrinks. */
enum cc_event { CC_LOSS, CC_ECN };

/* What a recovery that turns out to be spurious gives back. */
struct cc_saved {
    uint32_t cwnd, ssthresh;
    uint32_t w_max, cwnd_prior;
};

/* The algorithm from the stack's setting unless one was chosen, and the initial window (RFC 6928). */
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
/*
 * The peer echoes congestion (RFC 3168 6.1.2), with an ACK of @ack: ssthresh is set, once in a
 * round trip, and cwnd follows over that round trip, or at once where there are no ranges.
 */
enum cc_echo { CC_ECHO_AGAIN, CC_ECHO_LOSS, CC_ECHO_REDUCES };
enum cc_echo cc_on_echo(struct tcp *t, struct tcp_conn *c, tcp_seq ack);
/* The recovery has ended: the window is ssthresh. */
void cc_on_recovered(struct tcp *t, struct tcp_conn *c);
/* @first: nothing of what is in flight was lost to an RTO before; else ssthresh stays. */
void cc_on_rto(struct tcp *t, struct tcp_conn *c, bool first);
/* To be taken before cc_on_congestion() or cc_on_rto(); kept by recovery for as long as it may undo. */
void cc_save(const struct tcp *t, const struct tcp_conn *c, struct cc_saved *out);
void cc_undo(struct tcp *t, struct tcp_conn *c, const struct cc_saved *saved);
/* RFC 5681 4.1: before new text is sent. */
void cc_idle_restart(struct tcp *t, struct tcp_conn *c);
/* The setting was changed. */
void cc_chosen(struct tcp *t, struct tcp_conn *c);

/* cc_reno.c */
void reno_slow_start(struct tcp_conn *c, uint32_t acked);
/* @k: may be NULL */
void reno_avoidance(struct tcp_conn *c, struct cc_scratch *k, uint32_t acked);
uint32_t reno_ssthresh(const struct tcp_conn *c, uint32_t flight);

/* cc_cubic.c */
uint32_t cubic_ssthresh(const struct tcp_conn *c, uint32_t flight);
/* @k: may be NULL in each. */
void cubic_on_congestion(const struct tcp_conn *c, struct cc_cubic *k);
void cubic_on_rto(struct cc_cubic *k);
void cubic_avoidance(struct tcp_conn *c, struct cc_cubic *k, uint32_t acked, uint32_t now_ms);
/* W_cubic of RFC 9438 (1) at @t_ms after the beginning of the epoch, in bytes, never below 0. */
uint64_t cubic_window(const struct cc_cubic *k, uint32_t mss, uint32_t t_ms);

/* cc_hystart.c */
enum cc_slow_start hystart_on_ack(struct tcp_conn *c, struct cc_hystart *h,
                                  const struct cc_ack *ack, uint32_t now_us, bool paced);

#define CC_CWND_MAX (1u << 30)
/* L of RFC 3465, as RFC 9406 4.2 has it: receivers merge ACKs of a burst. */
#define CC_ABC_LIMIT 8u

#endif
