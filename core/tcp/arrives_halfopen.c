/* SPDX-License-Identifier: MIT */
/*
 * arrives_halfopen.c - The eight steps of RFC 9293 3.10.7.4 on a half-open record:
 * SYN-RECEIVED by a passive open.
 *
 * Most segments change nothing but counters.  The acceptable ACK makes the record grow
 * into a full connection, which then treats the same segment from the first step on: text
 * and FIN may ride on it.
 */
#include "core/tcp/predicates.h"
#include "core/tcp/tcp.h"

/* Rounded up to the scale: the right edge does not move left. */
static uint32_t half_wnd_field(const struct tcp *t, const struct tcp_half *h)
{
    const uint32_t shift = h->wscale == TCP_WSCALE_NONE ? 0 : rcv_window_shift(t);
    return (h->rcv_wnd + (1u << shift) - 1) >> shift;
}

/*
 * One answer in tcp_invalid_ratelimit, for each record alone (RFC 5961 7).  The record has no
 * room for another time: that of the first SYN-ACK gives way, and with it the RTT sample.
 */
static bool half_may_ack(struct tcp *t, struct tcp_half *h)
{
    const uint64_t limit_us = t->env.knobs.invalid_ratelimit * (NS_PER_MS / NS_PER_US);

    if (h->flags & TCP_HALF_CHALLENGED && half_since_sent_us(t, h) < limit_us) {
        env_count(&t->env, LA_COUNT_TCPACKSkippedSynRecv);
        return false;
    }
    h->flags |= TCP_HALF_CHALLENGED | TCP_HALF_RESENT;
    h->sent_us = (uint32_t)(t->env.now.ns / NS_PER_US) & TCP_HALF_US_MASK;
    return true;
}

/* <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK>.  False if the limit withholds it. */
static bool half_ack(struct tcp_arrival *a, uint32_t ref)
{
    struct tcp *t = a->t;
    struct tcp_half *h = half_at(t, ref);
    const struct tcp_listener *l = listener_at(t, h->listener);
    struct tcp_seg seg = {
        .seq = seq_add(h->iss, 1),
        .ack = seq_add(h->irs, 1),
        .wnd = half_wnd_field(t, h),
        .flags = TCP_ACK,
    };
    const struct tcp_answer to = {
        .flow = a->flow,
        .iface = h->iface,
        .ttl = l->set.ttl,
        .tos = (uint8_t)((uint32_t)l->set.tos6 << 2),
        .state = LA_SYN_RECEIVED,
    };

    if (!half_may_ack(t, h))
        return false;
    if (h->flags & TCP_HALF_TIMESTAMPS) {
        seg.opt.has_timestamps = true;
        seg.opt.ts_val = tcp_ts_now(t, h->ts_offset);
        seg.opt.ts_ecr = h->ts_recent;
    }
    (void)reply_push(t, &to, &seg);
    return true;
}

static bool half_challenge(struct tcp_arrival *a, uint32_t ref)
{
    if (!half_ack(a, ref))
        return false;
    env_count(&a->t->env, LA_COUNT_TCPChallengeACK);
    return true;
}

/* First: sequence number and PAWS.  True if the segment goes on. */
static bool half_step1(struct tcp_arrival *a, uint32_t ref)
{
    struct tcp *t = a->t;
    struct tcp_half *h = half_at(t, ref);
    const struct tcp_seg *seg = a->seg;
    const tcp_seq rcv_nxt = seq_add(h->irs, 1);

    /* The peer's SYN again: our SYN-ACK was lost, or is late.  It is sent again. */
    if (seg->flags & TCP_SYN && seq_eq(seg->seq, h->irs) && !(seg->flags & (TCP_RST | TCP_ACK))) {
        a->reason = LA_DROP_OLD_DUPLICATE;
        if (half_may_ack(t, h))
            half_synack_again(t, ref);
        return false;
    }
    if (h->flags & TCP_HALF_TIMESTAMPS && !(seg->flags & TCP_RST)) {
        if (!seg->opt.has_timestamps) {
            a->reason = LA_DROP_NO_TIMESTAMP;
            return false;
        }
        if (tcp_ts_older(seg->opt.ts_val, h->ts_recent)) {
            env_count(&t->env, LA_COUNT_PAWSEstab);
            a->reason = LA_DROP_PAWS;
            (void)half_ack(a, ref);
            return false;
        }
    }
    if (!tcp_acceptable(seg->seq, tcp_seg_len(seg), rcv_nxt, h->rcv_wnd)) {
        a->reason = tcp_is_old(seg->seq, tcp_seg_len(seg), rcv_nxt) ? LA_DROP_OLD_DUPLICATE
                                                                    : LA_DROP_OUTSIDE_WINDOW;
        if (!(seg->flags & TCP_RST))
            (void)half_ack(a, ref);
        return false;
    }
    return true;
}

/* Second: RST.  The passive open returns to LISTEN: the record goes, the listener never knew. */
static bool half_step2(struct tcp_arrival *a, uint32_t ref)
{
    struct tcp *t = a->t;
    const struct tcp_half *h = half_at(t, ref);

    if (!(a->seg->flags & TCP_RST))
        return true;
    switch (tcp_rst_kind(a->seg->seq, seq_add(h->irs, 1), h->rcv_wnd)) {
    case TCP_RST_OUTSIDE:
        a->reason = LA_DROP_RST_OUTSIDE_WINDOW;
        break;
    case TCP_RST_INSIDE:
        a->reason = half_challenge(a, ref) ? LA_DROP_RST_CHALLENGED : LA_DROP_CHALLENGE_LIMIT;
        break;
    case TCP_RST_EXACT:
        a->reason = LA_DROP_HALF_OPEN_RST;
        env_count(&t->env, LA_COUNT_EmbryonicRsts);
        env_count(&t->env, LA_COUNT_AttemptFails);
        half_free(t, ref);
        break;
    }
    return false;
}

/* Fourth: SYN, elsewhere than at IRS: challenged (RFC 5961 4.2; CVE-2026-68118 was here). */
static bool half_step4(struct tcp_arrival *a, uint32_t ref)
{
    if (!(a->seg->flags & TCP_SYN))
        return true;
    env_count(&a->t->env, LA_COUNT_TCPSYNChallenge);
    a->reason = half_challenge(a, ref) ? LA_DROP_SYN_CHALLENGED : LA_DROP_CHALLENGE_LIMIT;
    return false;
}

/*
 * The handshake is complete, if there is room.  Without it the peer believes itself connected;
 * the record stays, and the SYN-ACK goes on repeating until there is room or patience ends.
 */
static uint32_t half_complete(struct tcp_arrival *a, uint32_t ref)
{
    struct tcp *t = a->t;
    const uint32_t li = half_at(t, ref)->listener;
    const bool full = listener_accept_full(listener_at(t, li));
    const uint32_t ci = full ? SLAB_NONE : half_grow(t, ref);

    if (ci != SLAB_NONE)
        return ci;
    listener_drop(t, li, full);
    a->reason = full ? LA_DROP_ACCEPT_QUEUE_FULL : LA_DROP_CONNS_FULL;
    if (!t->env.knobs.abort_on_overflow) {
        half_acked(t, ref);
        return SLAB_NONE;
    }
    env_drop(&t->env, a->reason); /* why there was no room; the verdict is what came of it */
    a->reason = LA_DROP_OVERFLOW_RESET;
    env_count(&t->env, LA_COUNT_EmbryonicRsts);
    reply_rst_to(a); /* <SEQ=SEG.ACK><CTL=RST> */
    half_free(t, ref);
    return SLAB_NONE;
}

/* Fifth: ACK.  Return: the full connection, or SLAB_NONE with the reason set. */
static uint32_t half_step5(struct tcp_arrival *a, uint32_t ref)
{
    struct tcp *t = a->t;
    const struct tcp_half *h = half_at(t, ref);

    if (!(a->seg->flags & TCP_ACK)) {
        a->reason = LA_DROP_NO_ACK;
        return SLAB_NONE;
    }
    if (!seq_eq(a->seg->ack, seq_add(h->iss, 1))) {
        a->reason = LA_DROP_HALF_OPEN_BAD_ACK;
        reply_rst_to(a); /* <SEQ=SEG.ACK><CTL=RST> */
        return SLAB_NONE;
    }
    if (a->len == 0 && !a->fin && h->retries < listener_at(t, h->listener)->defer) {
        /* TCP_DEFER_ACCEPT: nobody is to be woken before there is something to read. */
        half_acked(t, ref);
        env_count(&t->env, LA_COUNT_TCPDeferAcceptDrop);
        a->reason = LA_DROP_DEFER_ACCEPT;
        return SLAB_NONE;
    }
    return half_complete(a, ref);
}

void tcp_arrives_half(struct tcp_arrival *a, uint32_t ref)
{
    struct tcp *t = a->t;
    uint32_t ci;

    a->from = LA_SYN_RECEIVED;
    if (!half_step1(a, ref) || !half_step2(a, ref) || !half_step4(a, ref)) {
        trace_rx(a, a->reason == LA_DROP_HALF_OPEN_RST ? (uint8_t)LA_LISTEN : a->from, 0);
        return;
    }
    ci = half_step5(a, ref);
    if (ci == SLAB_NONE) {
        trace_rx(a, a->reason == LA_DROP_OVERFLOW_RESET ? (uint8_t)LA_LISTEN : a->from, 0);
        return;
    }
    a->c = conn_at(t, ci);
    a->ci = ci;
    conn_count_in(a);
    const uint64_t handle = slab_handle(&t->conns, t, ci);
    tcp_arrives_other(a);
    tcp_treated(a, handle);
}
