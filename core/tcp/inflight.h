/* SPDX-License-Identifier: MIT */
/*
 * inflight.h - What is in flight, as ranges, and what recovery remembers only meanwhile.
 *
 * The block lies in one chunk of the pool, taken with the second segment sent or when the
 * congestion window first limits sending, and given back when nothing is in flight: an idle
 * connection has none.  The ranges cover SND.UNA to SND.NXT without a gap, in order: each begins
 * where the one before ends.  Without SACK there are none, and only what congestion control and
 * F-RTO remember is used.
 */
#ifndef CORE_TCP_INFLIGHT_H
#define CORE_TCP_INFLIGHT_H

#include "core/tcp/cc.h"
#include "core/tcp/conn.h"

#define FLIGHT_SACKED 1u /* the peer has it; then no other flag is set */
#define FLIGHT_LOST 2u
#define FLIGHT_AGAIN 4u /* sent again, and that is under way: sent_us is of the last time */
#define FLIGHT_EVER 8u  /* sent more than once: its ACK is ambiguous (Karn) */

struct flight_range {
    tcp_seq end;
    uint32_t sent_us; /* low bits; of the first segment in it */
    uint16_t segs;    /* as they were sent; after a split about as many */
    uint8_t flags;    /* FLIGHT_* */
    uint8_t unused;
};

/* Something in flight whose ACK gives a sample of the delivery rate (rate.c). */
struct rate_mark {
    tcp_seq end;
    uint32_t sent_us;
    uint32_t delivered, delivered_us, first_us; /* base, base_us and first_us when it was sent */
    bool limited;                               /* by the application */
};
#define RATE_MARKS 4u
struct flight_rate {
    uint32_t delivered; /* bytes, since the block was begun */
    /* As of the last mark that was acknowledged: delivered, when, and when that one had been sent. */
    uint32_t base, base_us, first_us;
    tcp_seq limited_until; /* with limited: what is sent before this is acknowledged was */
    bool limited;          /* the application's choice */
    uint8_t count;         /* of mark[], in order */
    struct rate_mark mark[RATE_MARKS];
};

struct flight {
    uint16_t first, count; /* of r[] */
    uint16_t sacked_segs;
    bool rack_valid : 1;
    bool dsack_pending : 1; /* RACK.dsack_round is not None */
    bool prr : 1;           /* cwnd is PRR's: a recovery with SACK, or ECN's reduction */
    bool frto : 1;          /* RFC 5682: the RTO may have been spurious */
    bool new_only : 1;      /* RFC 5682 2.b: new text goes, nothing again */
    bool undo : 1;          /* undo_marker is set, and undo_end if the recovery is over: */
    bool undo_any : 1;      /* something was sent again since */
    bool apart : 1;  /* something was sent again since the last range began: no more joins it */
    uint32_t sacked; /* bytes SACKED */
    uint32_t resend; /* bytes LOST and not AGAIN */
    uint32_t extra;  /* bytes AGAIN and not LOST: a tail loss probe */

    /* RFC 8985 5.3 and 7.1 */
    uint32_t rack_us;     /* RACK.xmit_ts */
    tcp_seq rack_end;     /* RACK.end_seq */
    uint32_t rack_rtt_us; /* RACK.rtt */
    tcp_seq fack;         /* RACK.fack */
    tcp_seq dsack_round;  /* RACK.dsack_round */
    tcp_seq tlp_end;      /* TLP.end_seq, if tlp_out is set in the connection */

    /* RFC 9937 6 */
    uint32_t recover_fs, prr_delivered, prr_out;

    /* What a spurious recovery gives back. */
    tcp_seq undo_marker, undo_end;
    uint32_t undo_bytes; /* sent again and not yet reported as duplicate */
    uint32_t undo_ts;    /* TSval of the first retransmission */
    struct cc_saved saved;

    /* RFC 4821: one packet that is larger than the others is out, unless probe_mtu is 0. */
    tcp_seq probe_seq, probe_end;
    uint16_t probe_mtu;

    struct flight_rate rate;

    struct cc_scratch cc; /* cc.c; may be in use before there are ranges */
    struct flight_range r[];
};

/* One ACK, and what it has been found to say. */
struct flight_ack {
    struct tcp *t;
    struct tcp_conn *c;
    struct flight *f;
    const struct tcp_seg *seg;
    tcp_seq before;      /* SND.UNA before it */
    uint32_t acked;      /* by how much it moved SND.UNA */
    uint32_t delivered;  /* bytes it reports for the first time, by number or by SACK */
    uint32_t sacked;     /* of those, by SACK */
    uint32_t lost;       /* bytes that are marked lost because of it */
    uint32_t late;       /* the most a segment was behind RACK.fack when it arrived, bytes */
    uint32_t first_sack; /* blocks before it are D-SACK */
    bool original;       /* reports text up to snd.recover that was sent only once */
    bool dsack;          /* the first block is a D-SACK: */
    tcp_seq dsack_left, dsack_right;
    struct cc_ack told; /* for congestion control */
};

static inline struct flight *flight_of(const struct tcp *t, const struct tcp_conn *c)
{
    return (struct flight *)(void *)chunk_at(&t->env.chunks, t, c->inflight)->bytes;
}
static inline bool flight_known(const struct tcp_conn *c)
{
    return c->board;
}
static inline tcp_seq flight_start(const struct tcp_conn *c, const struct flight *f, uint32_t i)
{
    return i == 0 ? c->snd.una : f->r[f->first + i - 1].end;
}
static inline struct flight_range *flight_at(struct flight *f, uint32_t i)
{
    return &f->r[f->first + i];
}

/* inflight.c */

/* The block, taken if there is none; NULL if nothing is in flight or the pool has nothing to spare. */
struct flight *flight_block(struct tcp *t, struct tcp_conn *c);
/* SND.NXT moved to @end by @segs segments of new text; the block is taken if there is none. */
void flight_sent(struct tcp *t, struct tcp_conn *c, tcp_seq end, uint32_t segs);
/* [seq, end) went out again. */
void flight_sent_again(struct tcp *t, struct tcp_conn *c, tcp_seq seq, tcp_seq end);
/* [seq, end), as far as it was not SACKed, is lost, and nothing is to be inferred from that. */
void flight_lose(struct tcp *t, struct tcp_conn *c, tcp_seq seq, tcp_seq end);
/* Nothing is in flight, or nobody asks any more: the block goes back to the pool. */
void flight_release(struct tcp *t, struct tcp_conn *c);
/* What lies before SND.UNA, which moved from k->before, is taken off. */
void flight_acked(struct flight_ack *k);
/* The blocks of the ACK that tell something new are marked. */
void flight_sacked(struct flight_ack *k);
/* Flags of range @i become @flags; the counts follow. */
void flight_flags(struct flight *f, const struct tcp_conn *c, uint32_t i, uint8_t flags);
/* Neighbours that have become alike are put together: after a walk that changed flags. */
void flight_tidy(const struct tcp *t, struct tcp_conn *c, struct flight *f);
/* The first range that waits to be sent again.  False if there is none. */
bool flight_resend(const struct tcp *t, const struct tcp_conn *c, tcp_seq *seq, uint32_t *len);
void flight_info(const struct tcp *t, const struct tcp_conn *c, struct la_conn_info *out);
const char *flight_check(const struct tcp *t, const struct tcp_conn *c);

/* rack.c: RFC 8985 6.2; RFC 6675 where net.ipv4.tcp_recovery says so */

/* Steps 1 to 3 for a part of a range that arrived; @start and @end are its edges. */
void rack_arrived(struct flight_ack *k, const struct flight_range *r, tcp_seq start, tcp_seq end);
void rack_dsack(struct flight_ack *k);
/* Steps 4 and 5.  Return: when to look again, us from now; 0: not needed.  k->lost is set. */
uint32_t rack_detect(struct flight_ack *k);
/* 6.3: what an RTO declares lost. */
void rack_mark_all(struct tcp *t, struct tcp_conn *c, struct flight *f);
/* A recovery has ended: 6.2 step 4. */
void rack_recovered(struct tcp_conn *c);

/* rate.c: delivery rate */

void rate_begin(const struct tcp *t, const struct tcp_conn *c, struct flight *f);
/* Before SND.NXT moves to @end. */
void rate_sent(struct tcp *t, const struct tcp_conn *c, struct flight *f, tcp_seq end);
/* k->delivered is known; @out gets a sample if there is one. */
void rate_acked(struct flight_ack *k, struct cc_ack *out);
/* The last that was told, bytes a second; 0: none. */
uint64_t rate_told(const struct tcp_conn *c, bool *limited);

/* prr.c: RFC 9937 */

void prr_begin(struct flight_ack *k);
/* The same for a reduction that no loss called for: before the ACK with ECE is taken. */
void prr_reduce(struct tcp *t, struct tcp_conn *c);
void prr_on_ack(struct flight_ack *k);

/* undo.c: was it spurious? */

void undo_begin(const struct tcp *t, const struct tcp_conn *c, struct flight *f);
void undo_sent_again(struct tcp *t, struct tcp_conn *c, struct flight *f, uint32_t len);
/* An ACK of the original text: its echoed time stamp is older than the first retransmission. */
bool undo_delayed(const struct flight_ack *k);
bool undo_may(const struct flight_ack *k);
/* cwnd and ssthresh are what they were. */
void undo_now(struct tcp *t, struct tcp_conn *c, struct flight *f);

/* tlp.c: RFC 8985 7 */

/* What is left of the RTO of what stands at SND.UNA, since it was sent or since progress. */
uint64_t flight_rto_ns(const struct tcp *t, const struct tcp_conn *c);
bool tlp_possible(const struct tcp *t, const struct tcp_conn *c);
uint64_t tlp_pto_ns(const struct tcp *t, const struct tcp_conn *c);
void tlp_fire(struct tcp *t, uint32_t ci);
void tlp_on_ack(struct flight_ack *k);
/* Choose what the probe sends. */
struct tlp_choice {
    tcp_seq seq;
    uint32_t len;
    bool again;
};
bool tlp_choose(const struct tcp_conn *c, struct tlp_choice *out);

#endif
