/* SPDX-License-Identifier: MIT */
/*
 * arrives_fast.c - SEGMENT ARRIVES, the common case: an open connection, nothing lost, the
 * next text in order or an ACK of what is in flight, or both.
 *
 * This is an optimisation and decides nothing of its own.  expected() names what must hold for the
 * eight steps of RFC 9293 3.10.7.4 to come down to four acts, and for which step each is needed;
 * whatever it does not name goes through arrives_other.c.  A build links nofast/arrives_nofast.c
 * in place of this file, and must give the same packets, events and traces; the simulator and the
 * tests run segments through both and compare all that is in the arena.
 *
 * Cost: no loop but the copy of the text; the connection's lines, the tail chunk, the segment.
 */
#include "core/base/checksum.h"
#include "core/tcp/predicates.h"
#include "core/tcp/tcp.h"

/* What steps 2, 4, 6 and 8 look at, and what says something about congestion. */
#define ODD_FLAGS (TCP_SYN | TCP_FIN | TCP_RST | TCP_URG | TCP_ECE | TCP_CWR)

/* Step 7: is the text wanted, and is there room for it without the reserve? */
static bool text_expected(const struct tcp *t, const struct tcp_conn *c, const struct tcp_seg *seg)
{
    return seg->len <= tcp_rcv_wnd(c) && c->rcv.ooo == SLAB_NONE && !c->fin_known && !c->rd_shut &&
           (c->held ? !c->text_shut : c->listener != SLAB_NONE) &&
           (uint64_t)chunks_room(&t->env.chunks) * chunks_payload(&t->env.chunks) >= seg->len;
}

/* Step 5: is the ACK one that neither begins, continues nor ends a recovery, or our FIN's flight? */
static bool ack_expected(const struct tcp_conn *c, const struct tcp_seg *seg)
{
    if (c->in_recovery || c->rto_recovery || c->persist || c->dupacks > 0 || c->dubious ||
        seg->opt.sack_count > 0)
        return false;
    if (seg->opt.sack_count > 0) /* a hole, or a duplicate */
        return false;
    if (tcp_ack_is_new(seg->ack, c->snd.una, c->snd.nxt))
        return !c->fin_sent || seq_lt(seg->ack, c->snd.nxt);
    /* The same number again is a duplicate ACK unless it brings text or a window, or nothing waits. */
    return seq_eq(seg->ack, c->snd.una) &&
           (seg->len > 0 || conn_flight(c) == 0 || seg->wnd << c->snd_shift != c->snd.wnd);
}

/* A FIN that came above a hole may be reached by any segment. */
static bool fin_expected(const struct tcp_conn *c)
{
    return c->fin_known && !c->fin_received;
}

static bool expected(const struct tcp_arrival *a)
{
    const struct tcp_conn *c = a->c;
    const struct tcp_seg *seg = a->seg;

    if (a->ecn == ECN_CE)
        return false;
    /* Steps 2, 4, 6 and 8 have nothing to do. */
    if ((seg->flags & (ODD_FLAGS | TCP_ACK)) != TCP_ACK || fin_expected(c))
        return false;
    /* Steps 5 and 7 have these states take the ACK alike, and all but the last take text. */
    if (!in(c, S(ESTABLISHED) | S(FIN_WAIT_1) | S(FIN_WAIT_2) | S(CLOSE_WAIT)))
        return false;
    /* Step 1: SEG.SEQ = RCV.NXT is acceptable for whatever fits the window, and needs no trimming. */
    if (!seq_eq(seg->seq, c->rcv.nxt))
        return false;
    /* Step 1: PAWS (RFC 7323 5.3 R1) passes. */
    if (c->timestamps && (!seg->opt.has_timestamps || tcp_ts_older(seg->opt.ts_val, c->ts_recent)))
        return false;
    /* In CLOSE-WAIT the FIN is known, so there is no text. */
    return ack_expected(c, seg) && (seg->len == 0 || text_expected(a->t, c, seg));
}

/*
 * Is the checksum right?  Text that comes alone is copied to where it will lie on the way, so that
 * it is touched once.  What an ACK beside it frees goes back to the pool first, as in the steps, so
 * there the copy has to wait.
 */
static bool verify(struct tcp_arrival *a, bool place)
{
    struct tcp *t = a->t;
    const uint32_t features = t->env.cpu_features;
    uint64_t sum = a->sum;
    uint32_t at = 0;

    if (place) {
        sum = queue_place(&a->c->rcvq, &t->env.chunks, t, a->spans, a->span_count, features, sum);
        return checksum_finish(sum) == 0;
    }
    for (uint32_t i = 0; i < a->span_count && a->len > 0; i++) {
        const struct la_cspan *span = &a->spans[i];

        sum = checksum_combine(sum, checksum_add(features, 0, span->bytes, span->len_bytes), at);
        at += span->len_bytes;
    }
    return checksum_finish(sum) == 0;
}

/* Step 7: the text becomes part of the stream, and nothing else waits. */
static void take_text(struct tcp_arrival *a, bool placed)
{
    struct tcp *t = a->t;
    struct tcp_conn *c = a->c;

    if (placed)
        queue_keep(&c->rcvq, &t->env.chunks, t, a->len);
    for (uint32_t i = 0; i < a->span_count && !placed; i++)
        queue_append(&c->rcvq, &t->env.chunks, t, a->spans[i].bytes, a->spans[i].len_bytes,
                     UINT32_MAX, CHUNKS_ORDINARY);
    c->rcv.nxt = seq_add(c->rcv.nxt, a->len);
    c->bytes_received += a->len;
    ack_text(t, a->ci, a->len, a->segs);
    conn_ready(t, a->ci, true);
}

enum tcp_fast tcp_arrives_fast(struct tcp_arrival *a)
{
    struct tcp *t = a->t;
    struct tcp_conn *c = a->c;
    const struct tcp_seg *seg = a->seg;

    if (!expected(a))
        return TCP_FAST_OTHER;
    const bool advances = !seq_eq(seg->ack, c->snd.una);
    const bool place = a->unverified && !advances && a->len > 0;
    if (a->unverified && !verify(a, place))
        return TCP_FAST_CORRUPT;
    if (c->timestamps && seq_le(seg->seq, c->rcv.last_ack)) { /* step 1: RFC 7323 4.3 (2) */
        c->ts_recent = seg->opt.ts_val;
        c->ts_recent_at = tcp_paws_time(t);
    }
    c->probes = 0; /* step 5 */
    c->ka_probes = 0;
    if (advances)
        tcp_ack_advance(a, seg->ack);
    snd_window_update(a, advances);
    if (c->sndq.len_bytes > 0 || c->fin_queued) /* else there is nothing a timer could be for */
        tcp_rtx_rearm(t, a->ci);
    if (conn_wants_tx(c))
        tcp_output_wake(t, a->ci);
    if (a->len > 0)
        take_text(a, place);
    return TCP_FAST_TAKEN;
}
