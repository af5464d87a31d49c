/* SPDX-License-Identifier: MIT */
/*
 * arrives_other.c - RFC 9293 3.10.7.4, Other States: eight steps, eight functions.
 *
 * SYN-RECEIVED is here as a full connection: by simultaneous open, or one that has just
 * grown from a half-open record whose last ACK this segment is.  TIME-WAIT is never here:
 * see arrives_timewait.c.
 */
#include "core/tcp/predicates.h"
#include "core/tcp/tcp.h"

/* PAWS: R1 of RFC 7323 5.3.  True if the segment is to be dropped (and has been answered). */
static bool paws_refuses(struct tcp_arrival *a)
{
    struct tcp *t = a->t;
    struct tcp_conn *c = a->c;
    const struct tcp_seg *seg = a->seg;
    const uint32_t paws_idle = (uint32_t)(24ull * 86400 * NS_PER_S >> TCP_PAWS_SHIFT) + 1; /* 5.5 */

    if (!c->timestamps || seg->flags & TCP_RST)
        return false;
    if (!seg->opt.has_timestamps) {
        a->reason = LA_DROP_NO_TIMESTAMP; /* RFC 7323 3.2: in silence */
        return true;
    }
    if (!tcp_ts_older(seg->opt.ts_val, c->ts_recent))
        return false;
    if (tcp_paws_time(t) - c->ts_recent_at > paws_idle)
        return false;
    env_count(&t->env, LA_COUNT_PAWSEstab);
    a->reason = LA_DROP_PAWS;
    ack_invalid(t, a->ci, LA_COUNT_TCPACKSkippedSeq);
    return true;
}

/* Cut text and FIN to the window; the segment as it arrived stays in a->seg. */
static void trim(struct tcp_arrival *a)
{
    const struct tcp_conn *c = a->c;
    /* Nothing follows a FIN, whatever a later segment claims. */
    const tcp_seq right = c->fin_known ? seq_min(c->rcv.adv, c->rcv.fin) : c->rcv.adv;

    if (seq_lt(a->text_seq, c->rcv.nxt)) {
        const uint32_t old = seq_diff(a->text_seq, c->rcv.nxt);
        const uint32_t cut = old < a->len ? old : a->len;

        a->text += cut;
        a->len -= cut;
        a->text_seq = seq_add(a->text_seq, cut);
        if (a->fin && seq_lt(a->text_seq, c->rcv.nxt))
            a->fin = false; /* it has been passed already */
    }
    if (seq_gt(seq_add(a->text_seq, a->len), right)) {
        a->len = seq_le(a->text_seq, right) ? seq_diff(a->text_seq, right) : 0;
        a->fin = false;
    }
}

/* An ACK at once to text of which something, or all, has been acknowledged already: it came twice. */
static void repeat_ack(struct tcp_arrival *a)
{
    const struct tcp_seg *seg = a->seg;
    const tcp_seq nxt = a->c->rcv.nxt;

    if (seq_lt(seg->seq, nxt))
        reassembly_twice(a->t, a->c, seg->seq, seq_min(nxt, seq_add(seg->seq, seg->len)));
    ack_now(a->t, a->ci);
}

/* First, check the sequence number. */
static enum tcp_next step1_sequence(struct tcp_arrival *a)
{
    struct tcp *t = a->t;
    struct tcp_conn *c = a->c;
    const struct tcp_seg *seg = a->seg;
    const uint32_t seg_len = tcp_seg_len(seg);
    const uint32_t wnd = tcp_rcv_wnd(c);

    if (paws_refuses(a))
        return TCP_DONE;
    if (!tcp_acceptable(seg->seq, seg_len, c->rcv.nxt, wnd)) {
        /*
         * With a zero window, valid RST and URG are still looked at (MUST-66), and the
         * ACK of a segment at the left edge is too, so that a peer whose window is
         * closed as well does not wait for ever.
         */
        const bool at_edge = seq_eq(seg->seq, c->rcv.nxt) && wnd == 0;
        /*
         * Both sides probed a closed window, and both probes were taken: each now speaks from
         * before the other's RCV.NXT (see conn_bare_seq()), and its ACK must still be heard.
         */
        const bool crossed = c->persist && (seg->flags & TCP_ACK) &&
                             tcp_is_old(seg->seq, seg_len, c->rcv.nxt) &&
                             tcp_ack_is_new(seg->ack, c->snd.una, c->snd.nxt);

        if (seg->flags & TCP_RST) /* never answered; an exact one is acted on */
            return at_edge ? TCP_GO_ON : tcp_stop(a, LA_DROP_RST_OUTSIDE_WINDOW);
        if ((at_edge || crossed) && !(seg->flags & TCP_SYN)) {
            if (at_edge)
                env_count(&t->env, LA_COUNT_TCPZeroWindowDrop);
            trim(a);
            ack_now(t, a->ci);
            return TCP_GO_ON;
        }
        if (seg->flags & TCP_SYN)
            return TCP_GO_ON; /* step 4: challenged wherever it lies (RFC 5961 4.2) */
        if (seg_len > 0 && seg->len > 0)
            repeat_ack(a); /* <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK> */
        else
            ack_invalid(t, a->ci, LA_COUNT_TCPACKSkippedSeq);
        return tcp_stop(a, tcp_is_old(seg->seq, seg_len, c->rcv.nxt) ? LA_DROP_OLD_DUPLICATE
                                                                     : LA_DROP_OUTSIDE_WINDOW);
    }
    /* RFC 7323 4.3 (2): TS.Recent moves only with segments that touch Last.ACK.sent. */
    if (c->timestamps && seg->opt.has_timestamps && !(seg->flags & TCP_RST) &&
        seq_le(seg->seq, c->rcv.last_ack)) {
        c->ts_recent = seg->opt.ts_val;
        c->ts_recent_at = tcp_paws_time(t);
    }
    trim(a);
    return TCP_GO_ON;
}

/*
 * Second, check the RST bit.  The three numbered checks are RFC 5961 section 3; they look
 * at SEG.SEQ as it arrived.
 */
static enum tcp_next step2_rst(struct tcp_arrival *a)
{
    struct tcp *t = a->t;
    struct tcp_conn *c = a->c;
    const struct tcp_seg *seg = a->seg;
    enum la_err err = LA_ECONNRESET;

    if (!(seg->flags & TCP_RST))
        return TCP_GO_ON;
    switch (tcp_rst_kind(seg->seq, c->rcv.nxt, tcp_rcv_wnd(c))) {
    case TCP_RST_OUTSIDE: /* 1) */
        return tcp_stop(a, LA_DROP_RST_OUTSIDE_WINDOW);
    case TCP_RST_INSIDE: /* 3) */
        return tcp_stop(a, tcp_challenge(a) ? LA_DROP_RST_CHALLENGED : LA_DROP_CHALLENGE_LIMIT);
    case TCP_RST_EXACT: /* 2) */
        break;
    }
    if (in(c, S(SYN_RECEIVED)))
        err = LA_ECONNREFUSED; /* by simultaneous open: MUST-11 */
    else if (in(c, S(CLOSE_WAIT)))
        err = LA_EPIPE; /* as Linux reports it: EOF came before */
    if (in(c, S(ESTABLISHED) | S(CLOSE_WAIT)))
        env_count(&t->env, LA_COUNT_EstabResets);
    if (in(c, S(CLOSING) | S(LAST_ACK)) && !c->held)
        err = LA_OK;
    tcp_end(t, a->ci, err, LA_DROP_RESET);
    return tcp_stop(a, LA_DROP_RESET);
}

/* Fourth, check the SYN bit: challenged in every synchronized state (RFC 5961 4.2). */
static enum tcp_next step4_syn(struct tcp_arrival *a)
{
    struct tcp *t = a->t;
    struct tcp_conn *c = a->c;
    const struct tcp_seg *seg = a->seg;

    if (!(seg->flags & TCP_SYN))
        return TCP_GO_ON;
    /*
     * Simultaneous open: the peer's SYN-ACK repeats the SYN that brought us here.  Its SYN
     * lies to the left of the window, its ACK is what we wait for.
     */
    if (c->state == LA_SYN_RECEIVED && seq_eq(seg->seq, conn_irs(c))) {
        if (seg->flags & TCP_ACK)
            return TCP_GO_ON;
        c->want_syn = true; /* our SYN-ACK was lost */
        tcp_output_wake(t, a->ci);
        return tcp_stop(a, LA_DROP_OLD_DUPLICATE);
    }
    env_count(&t->env, LA_COUNT_TCPSYNChallenge);
    return tcp_stop(a, tcp_challenge(a) ? LA_DROP_SYN_CHALLENGED : LA_DROP_CHALLENGE_LIMIT);
}

/* SYN-RECEIVED STATE of the fifth step: is this the ACK of our SYN? */
static enum tcp_next step5_syn_received(struct tcp_arrival *a)
{
    struct tcp *t = a->t;
    struct tcp_conn *c = a->c;
    const struct tcp_seg *seg = a->seg;

    if (!tcp_ack_is_new(seg->ack, c->snd.una, c->snd.nxt)) {
        reply_rst_to(a); /* <SEQ=SEG.ACK><CTL=RST> */
        return tcp_stop(a, LA_DROP_HALF_OPEN_BAD_ACK);
    }
    rtt_on_ack(t, c, seg, seg->ack);
    c->snd.wnd = seg->flags & TCP_SYN ? seg->wnd : seg->wnd << c->snd_shift;
    c->snd.max_wnd = c->snd.wnd > c->snd.max_wnd ? c->snd.wnd : c->snd.max_wnd;
    c->snd.wl1 = seg->seq;
    c->snd.una = seq_add(c->snd.una, 1); /* which was ISS */
    c->snd.rtx = seq_max(c->snd.rtx, c->snd.una);
    c->soft_error = 0;
    c->want_syn = false;
    tcp_enter(t, c, LA_ESTABLISHED);
    conn_established(t, a->ci);
    if (c->fin_queued) /* closed meanwhile: the CLOSE waited for this (3.10.4) */
        tcp_enter(t, c, LA_FIN_WAIT_1);
    if (seg->flags & TCP_SYN)
        ack_now(t, a->ci);
    return TCP_GO_ON;
}

/* What an ACK of our FIN does in each state. */
static enum tcp_next fin_acknowledged(struct tcp_arrival *a)
{
    struct tcp *t = a->t;
    struct tcp_conn *c = a->c;

    if (c->state == LA_FIN_WAIT_1) {
        tcp_enter(t, c,
                  LA_FIN_WAIT_2); /* an orphan becomes a short record when the burst is settled */
        conn_ready(t, a->ci, false);
    } else if (c->state == LA_CLOSING) {
        tcp_enter(t, c, LA_TIME_WAIT);
        short_enter(t, a->ci, LA_TIME_WAIT);
        return tcp_stop(a, LA_DROP_NONE);
    } else if (c->state == LA_LAST_ACK) {
        tcp_end(t, a->ci, LA_OK, LA_DROP_CLOSED_NORMALLY);
        return tcp_stop(a, LA_DROP_NONE);
    }
    return TCP_GO_ON;
}

/* Fifth, check the ACK field. */
static enum tcp_next step5_ack(struct tcp_arrival *a)
{
    struct tcp *t = a->t;
    struct tcp_conn *c = a->c;
    const struct tcp_seg *seg = a->seg;
    uint32_t sent;

    if (!(seg->flags & TCP_ACK))
        return tcp_stop(a, LA_DROP_NO_ACK);
    if (c->state == LA_SYN_RECEIVED && step5_syn_received(a) == TCP_DONE)
        return TCP_DONE;

    /* RFC 5961 5.2 (MAY-12), bounded by what was ever sent. */
    sent =
        c->bytes_acked > UINT32_C(0x7fffffff) ? UINT32_C(0x7fffffff) : (uint32_t)c->bytes_acked + 1;
    if (tcp_ack_too_old(seg->ack, c->snd.una, c->snd.max_wnd, sent)) {
        (void)tcp_challenge(a);
        return tcp_stop(a, LA_DROP_ACK_TOO_OLD);
    }
    if (seq_gt(seg->ack, c->snd.nxt))
        return tcp_stop(a, tcp_challenge(a) ? LA_DROP_ACK_UNSENT : LA_DROP_CHALLENGE_LIMIT);

    c->probes = 0;
    c->ka_probes = 0;
    ecn_on_ack(a);
    const bool advances = tcp_ack_is_new(seg->ack, c->snd.una, c->snd.nxt);
    if (advances)
        tcp_ack_advance(a, seg->ack);
    else if (seq_eq(seg->ack, c->snd.una))
        loss_dupack(a);
    snd_window_update(a, advances);
    if (c->persist && !advances && conn_flight(c) > 0 && !conn_in_persist(c)) {
        loss_resend_all(t, a->ci); /* the window opens, and refused what is in flight: again */
    }
    tcp_rtx_rearm(t, a->ci);
    if (conn_wants_tx(c))
        tcp_output_wake(t, a->ci);
    if (c->fin_sent && conn_flight(c) == 0)
        return fin_acknowledged(a);
    return TCP_GO_ON;
}

/* Sixth, check the URG bit: urgent data is in band (RFC 6093); the application is told. */
static enum tcp_next step6_urg(struct tcp_arrival *a)
{
    struct tcp_conn *c = a->c;
    const struct tcp_seg *seg = a->seg;
    tcp_seq up;

    if (!(seg->flags & TCP_URG) || !in(c, S(ESTABLISHED) | S(FIN_WAIT_1) | S(FIN_WAIT_2)))
        return TCP_GO_ON;
    up = seq_add(seg->seq, seg->urgent);
    if (seq_gt(up, c->urgent ? c->rcv.up : conn_irs(c))) { /* RCV.UP <- max(RCV.UP, SEG.UP) */
        c->rcv.up = up;
        c->urgent = true;
        conn_ready(a->t, a->ci, true);
    }
    return TCP_GO_ON;
}

static bool nobody_will_read(const struct tcp_conn *c)
{
    return c->held ? c->text_shut && c->fin_queued : c->listener == SLAB_NONE;
}

/* Seventh, process the segment text. */
static enum tcp_next step7_text(struct tcp_arrival *a)
{
    struct tcp *t = a->t;
    struct tcp_conn *c = a->c;
    enum la_drop reason;

    if (a->seg->len == 0)
        return TCP_GO_ON;
    ecn_on_text(a);
    if (!in(c, S(ESTABLISHED) | S(FIN_WAIT_1) | S(FIN_WAIT_2))) {
        ack_now(t, a->ci); /* after a FIN there should be none; ignore it */
        return tcp_stop(a, LA_DROP_NO_TEXT_STATE);
    }
    if (a->len > 0 && nobody_will_read(c)) { /* SHLD-3: the application has closed */
        env_count(&t->env, LA_COUNT_TCPAbortOnData);
        tcp_reset(t, a->ci, c->held ? LA_ECONNRESET : LA_ECONNABORTED, LA_DROP_TEXT_AFTER_CLOSE);
        return tcp_stop(a, LA_DROP_TEXT_AFTER_CLOSE);
    }
    if (seq_lt(a->seg->seq, c->rcv.nxt)) /* some of it is old */
        repeat_ack(a);
    if (a->len == 0 && !a->fin) {
        ack_now(t, a->ci);
        return tcp_stop(a, tcp_rcv_wnd(c) == 0 ? LA_DROP_OUTSIDE_WINDOW : LA_DROP_DUPLICATE_TEXT);
    }
    if (a->len == 0)
        return TCP_GO_ON;
    reason = reassembly_take(a);
    if (reason != LA_DROP_NONE) {
        a->fin = false; /* it lies behind what was lost */
        ack_now(t, a->ci);
        return tcp_stop(a, reason);
    }
    return TCP_GO_ON;
}

/* The peer's FIN is at RCV.NXT: everything before it is here. */
static void fin_arrived(struct tcp_arrival *a)
{
    struct tcp *t = a->t;
    struct tcp_conn *c = a->c;

    c->rcv.nxt = seq_add(c->rcv.nxt, 1);
    if (seq_lt(c->rcv.adv, c->rcv.nxt))
        c->rcv.adv = c->rcv.nxt;
    c->fin_received = true;
    reassembly_clear(t, c);
    switch ((enum la_state)c->state) {
    case LA_ESTABLISHED:
        tcp_enter(t, c, LA_CLOSE_WAIT);
        break;
    case LA_FIN_WAIT_1:
        tcp_enter(t, c, LA_CLOSING); /* our FIN is not acknowledged: step 5 would have seen it */
        break;
    case LA_FIN_WAIT_2:
        reply_ack(t, a->ci);
        tcp_enter(t, c, LA_TIME_WAIT);
        short_enter(t, a->ci, LA_TIME_WAIT);
        return;
    case LA_CLOSED:
    case LA_LISTEN:
    case LA_SYN_SENT:
    case LA_SYN_RECEIVED:
    case LA_CLOSE_WAIT:
    case LA_CLOSING:
    case LA_LAST_ACK:
    case LA_TIME_WAIT:
        break; /* remain */
    }
    c->want_ack =
        true; /* in the next la_tx(): an application that closes before it spares a segment */
    tcp_output_wake(t, a->ci);
    conn_ready(t, a->ci, true);
}

/* Eighth, check the FIN bit, or a FIN that came before and has now been reached. */
static void step8_fin(struct tcp_arrival *a)
{
    struct tcp_conn *c = a->c;

    if (c->fin_received) {
        if (a->seg->flags & TCP_FIN)
            ack_now(a->t, a->ci); /* it came again: our ACK of it was lost */
        return;
    }
    if (a->seg->flags & TCP_FIN && a->fin) {
        c->fin_known = true;
        c->rcv.fin = seq_add(a->text_seq, a->len);
    }
    if (!c->fin_known)
        return;
    if (seq_le(c->rcv.fin, c->rcv.nxt)) /* beyond it: text from before contradicted the FIN */
        fin_arrived(a);
    else if (a->seg->flags & TCP_FIN)
        ack_now(a->t, a->ci); /* above a hole: remembered */
}

void tcp_arrives_after_syn(struct tcp_arrival *a)
{
    if (step6_urg(a) == TCP_DONE)
        return;
    trim(a);
    if (step7_text(a) == TCP_DONE)
        return;
    step8_fin(a);
}

/* The order below is the RFC's and is load-bearing. */
void tcp_arrives_other(struct tcp_arrival *a)
{
    LA_ASSERT(a->c->state >= LA_SYN_RECEIVED && a->c->state <= LA_LAST_ACK);

    if (step1_sequence(a) == TCP_DONE)
        return;
    if (step2_rst(a) == TCP_DONE)
        return;
    /* step 3, security: not applicable */
    if (step4_syn(a) == TCP_DONE)
        return;
    if (step5_ack(a) == TCP_DONE)
        return;
    if (step6_urg(a) == TCP_DONE)
        return;
    if (step7_text(a) == TCP_DONE)
        return;
    step8_fin(a);
}
