/* SPDX-License-Identifier: MIT */
/*
 * arrives_timewait.c - The eight steps of RFC 9293 3.10.7.4 on a short record: TIME-WAIT,
 * and FIN-WAIT-2 that no application holds.
 *
 * TIME-WAIT is there for two reasons.  The last ACK may be lost: the peer then repeats its
 * FIN, and only this record can acknowledge it again.  And a segment of this connection may
 * still be under way: were the 4-tuple used again at once, it could be taken for the new
 * connection's.  So a segment with ACK that asks for something is acknowledged and restarts the
 * clock, a RST is ignored (RFC 1337), and a SYN may reopen only where sequence number or time
 * stamp prove it new (RFC 9293 3.6.1 MAY-2, RFC 6191).  See
 * docs/decisions/0007-reset-in-time-wait.md and docs/decisions/0022-time-wait.md.
 */
#include "core/tcp/predicates.h"
#include "core/tcp/tcp.h"

#define WINDOW_MAX (UINT32_C(65535) << 14) /* the record does not know what the peer offered */

static void refresh_timestamp(struct tcp_arrival *a, struct tcp_short *w)
{
    if (w->flags & TCP_SHORT_TIMESTAMPS && a->seg->opt.has_timestamps &&
        !tcp_ts_older(a->seg->opt.ts_val, w->ts_recent))
        w->ts_recent = a->seg->opt.ts_val;
}

/* A SYN that is newer than everything the old connection received. */
static bool syn_reopens(const struct tcp_short *w, const struct tcp_seg *seg)
{
    if (w->state != LA_TIME_WAIT ||
        (seg->flags & (TCP_SYN | TCP_ACK | TCP_RST | TCP_FIN)) != TCP_SYN)
        return false;
    if (w->flags & TCP_SHORT_TIMESTAMPS && seg->opt.has_timestamps) {
        if (seg->opt.ts_val != w->ts_recent)
            return !tcp_ts_older(seg->opt.ts_val, w->ts_recent);
    }
    return seq_gt(seg->seq, w->rcv_nxt);
}

static void stop_acked(struct tcp_arrival *a, uint32_t ref, enum la_drop reason)
{
    a->reason = reason;
    reply_ack_short(a->t, ref, true);
}

/* FIN-WAIT-2 without an owner: text is refused with a reset, FIN leads to TIME-WAIT. */
static void orphan_fin_wait_2(struct tcp_arrival *a, uint32_t ref)
{
    struct tcp *t = a->t;
    struct tcp_short *w = short_at(t, ref);
    const struct tcp_seg *seg = a->seg;

    if (seg->len > 0 && seq_gt(seq_add(seg->seq, seg->len), w->rcv_nxt)) {
        env_count(&t->env, LA_COUNT_TCPAbortOnData);
        a->reason = LA_DROP_TEXT_AFTER_CLOSE;
        reply_rst_to(a);
        short_free(t, ref, LA_DROP_TEXT_AFTER_CLOSE);
        return;
    }
    if (!(seg->flags & TCP_FIN) || !seq_eq(seq_add(seg->seq, seg->len), w->rcv_nxt)) {
        if (seg->len > 0 || seg->flags & TCP_FIN)
            stop_acked(a, ref, LA_DROP_OLD_DUPLICATE);
        return;
    }
    w->rcv_nxt = seq_add(w->rcv_nxt, 1);
    refresh_timestamp(a, w);
    reply_ack_short(t, ref, false);
    (void)short_time_wait(t, ref);
}

/*
 * Whoever sends something with an ACK is still there, and 2MSL begins anew.  A bare ACK elsewhere
 * than at RCV.NXT does not: two ends that disagree would keep each other alive.
 */
static void restart(struct tcp_arrival *a, uint32_t ref)
{
    const struct tcp_short *w = short_at(a->t, ref);
    const struct tcp_seg *seg = a->seg;

    if (w->state == LA_TIME_WAIT && (seg->flags & (TCP_ACK | TCP_RST)) == TCP_ACK &&
        (tcp_seg_len(seg) > 0 || seq_eq(seg->seq, w->rcv_nxt)))
        short_restart(a->t, ref);
}

/* A segment that was not acceptable. */
static void refuse(struct tcp_arrival *a, uint32_t ref, enum la_drop reason)
{
    stop_acked(a, ref, reason);
    restart(a, ref);
}

/* TIME-WAIT: acknowledge what comes again, and begin 2MSL anew. */
static void time_wait(struct tcp_arrival *a, uint32_t ref)
{
    struct tcp *t = a->t;

    a->reason = LA_DROP_TIME_WAIT_ACKED;
    refresh_timestamp(a, short_at(t, ref));
    if (tcp_seg_len(a->seg) > 0) /* not a bare ACK of what is long over */
        reply_ack_short(t, ref, false);
    restart(a, ref);
}

/* TIME-WAIT ignores resets; FIN-WAIT-2 makes the three checks of RFC 5961 3.2. */
static void reset(struct tcp_arrival *a, uint32_t ref)
{
    const struct tcp_short *w = short_at(a->t, ref);

    if (w->state == LA_TIME_WAIT) {
        a->reason = LA_DROP_TIME_WAIT_RST;
        return;
    }
    switch (tcp_rst_kind(a->seg->seq, w->rcv_nxt, w->rcv_wnd)) {
    case TCP_RST_OUTSIDE:
        a->reason = LA_DROP_RST_OUTSIDE_WINDOW;
        break;
    case TCP_RST_INSIDE:
        stop_acked(a, ref, LA_DROP_RST_CHALLENGED);
        break;
    case TCP_RST_EXACT:
        a->reason = LA_DROP_RESET;
        short_free(a->t, ref, LA_DROP_RESET);
        break;
    }
}

/* Fifth: ACK. */
static void step5(struct tcp_arrival *a, uint32_t ref)
{
    const struct tcp_short *w = short_at(a->t, ref);
    const struct tcp_seg *seg = a->seg;

    if (!(seg->flags & TCP_ACK))
        a->reason = LA_DROP_NO_ACK;
    else if (seq_gt(seg->ack, w->snd_nxt))
        stop_acked(a, ref, LA_DROP_ACK_UNSENT);
    else if (tcp_ack_too_old(seg->ack, w->snd_nxt, WINDOW_MAX, WINDOW_MAX))
        stop_acked(a, ref, LA_DROP_ACK_TOO_OLD);
    else if (w->state == LA_FIN_WAIT_2)
        orphan_fin_wait_2(a, ref);
    else
        time_wait(a, ref);
}

static bool steps(struct tcp_arrival *a, uint32_t ref)
{
    struct tcp *t = a->t;
    struct tcp_short *w = short_at(t, ref);
    const struct tcp_seg *seg = a->seg;
    bool paws = false;

    /* First: PAWS, then the sequence number. */
    if (w->flags & TCP_SHORT_TIMESTAMPS && seg->opt.has_timestamps && !(seg->flags & TCP_RST))
        paws = tcp_ts_older(seg->opt.ts_val, w->ts_recent);
    if (paws)
        env_count(&t->env, LA_COUNT_PAWSTimewait);

    /* Fourth, before the window, since a new SYN lies anywhere: SYN. */
    if (!paws && syn_reopens(w, seg) &&
        listener_lookup(t, a->flow.laddr, a->flow.lport) != SLAB_NONE) {
        a->reopens = ref;
        return true;
    }
    if (seg->flags & TCP_SYN && !(seg->flags & TCP_RST)) {
        refuse(a, ref,
               paws                       ? LA_DROP_PAWS
               : w->state == LA_TIME_WAIT ? LA_DROP_TIME_WAIT_SYN_OLD
                                          : LA_DROP_SYN_CHALLENGED);
        return false;
    }

    /* Second: RST. */
    if (seg->flags & TCP_RST) {
        reset(a, ref);
        return false;
    }
    if (paws) {
        refuse(a, ref, LA_DROP_PAWS);
        return false;
    }
    if (!tcp_acceptable(seg->seq, tcp_seg_len(seg), w->rcv_nxt, w->rcv_wnd) &&
        !tcp_is_old(seg->seq, tcp_seg_len(seg), w->rcv_nxt)) {
        refuse(a, ref, LA_DROP_OUTSIDE_WINDOW);
        return false;
    }
    step5(a, ref);
    return false;
}

bool tcp_arrives_short(struct tcp_arrival *a, uint32_t ref)
{
    struct tcp *t = a->t;
    const uint8_t from = short_at(t, ref)->state;
    const bool to_listener = steps(a, ref);

    a->from = from;
    if (to_listener)
        return true;
    const struct index_entry e = tcp_lookup(t, &a->flow, a->hash);
    trace_rx(a, e.type == INDEX_SHORT ? short_at(t, e.value)->state : (uint8_t)LA_CLOSED, 0);
    return false;
}
