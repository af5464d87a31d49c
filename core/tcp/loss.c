/* SPDX-License-Identifier: MIT */
/*
 * loss.c - What an ACK and an RTO mean for recovery: when one begins, goes on, ends.
 *
 * With SACK and a block of what is in flight (inflight.c), RACK says what is lost (rack.c), PRR how
 * much goes meanwhile (prr.c), and a recovery that was not called for is taken back (undo.c).
 *
 * Without SACK, or with the pool empty when the flight began: duplicate ACKs (RFC 5681, 3042),
 * partial ACKs (RFC 6582, NewReno).  After a fast retransmission one segment at SND.UNA goes out
 * whatever the window.  After an RTO everything in flight is sent again, in order, as the
 * congestion window permits: SND.NXT never retreats, snd.rtx walks from SND.UNA to it.  But first
 * F-RTO (RFC 5682 2.1) sends new text on the first ACK that advances, if there is some: when the
 * next one advances too, nothing but the first segment was sent again and nothing was lost.
 */
#include "core/tcp/pmtu.h"
#include "core/tcp/tcp.h"

/* Without SACK ---------------------------------------------------------------------------- */

/* RFC 5681 2: outstanding data, no text, no SYN or FIN, same window, SEG.ACK = SND.UNA. */
static bool is_dupack(const struct tcp_conn *c, const struct tcp_seg *seg)
{
    return seg->len == 0 && !(seg->flags & (TCP_SYN | TCP_FIN)) && conn_flight(c) > 0 &&
           !c->persist && /* an answer to a probe */
           seg->wnd << c->snd_shift == c->snd.wnd;
}

/* RFC 5682 2.1 is under way: the block remembers it. */
static struct flight *reno_frto(const struct tcp *t, const struct tcp_conn *c)
{
    if (!c->rto_recovery || c->inflight == SLAB_NONE || flight_known(c))
        return NULL;
    return flight_of(t, c)->frto ? flight_of(t, c) : NULL;
}

/* Step 3.a, or 2.a: what the RTO declared lost is sent again, as if nothing had been asked. */
static void reno_frto_over(struct tcp_conn *c, struct flight *f)
{
    const uint32_t three = 3u * c->snd_mss;

    if (f->new_only && c->cwnd > three)
        c->cwnd = three;
    if (f->new_only)
        c->snd.rtx = c->snd.una;
    f->frto = f->new_only = f->undo = false;
}

static void reno_dupack(struct tcp *t, struct tcp_conn *c)
{
    struct flight *frto = reno_frto(t, c);

    if (frto != NULL) {
        reno_frto_over(c, frto);
        return;
    }
    if (c->dupacks < UINT8_MAX)
        c->dupacks++;
    if (c->in_recovery) {
        c->cwnd += c->snd_mss; /* a segment has left the network */
        return;
    }
    if (c->dupacks != 3 || c->rto_recovery || seq_lt(c->snd.una, c->snd.recover))
        return;
    /* What limited transmit sent beyond the window does not count: RFC 5681 3.2, step 2. */
    const uint32_t flight = conn_flight(c);
    cc_on_congestion(t, c, CC_LOSS, flight < c->cwnd ? flight : c->cwnd);
    c->snd.recover = c->snd.nxt;
    c->in_recovery = true;
    c->want_rtx = true;
    c->cwnd = c->ssthresh + 3u * c->snd_mss;
    env_count(&t->env, LA_COUNT_TCPRenoRecovery);
    env_count(&t->env, LA_COUNT_TCPFastRetrans);
    trace_recovery(t, c, LA_RECOVERY_BEGIN);
}

/* Is there new text, and does the window of this ACK, which is not in force yet, take a segment? */
static bool new_text(const struct tcp_conn *c, const struct tcp_seg *seg)
{
    const uint32_t unsent = conn_unsent(c);
    const uint32_t least = unsent < c->snd_mss ? unsent : c->snd_mss;

    return unsent > 0 && seg->wnd << c->snd_shift >= conn_flight(c) + least;
}

/* An ACK that advances, after an RTO.  Return: it is not to be taken as any other. */
static bool reno_frto_ack(struct tcp *t, struct tcp_conn *c, struct flight *f,
                          const struct tcp_seg *seg)
{
    if (f->new_only) { /* 3.b: what was sent once is acknowledged */
        LA_ASSERT(f->undo);
        c->cwnd = c->snd_mss; /* what 2.b made of it is no window */
        cc_undo(t, c, &f->saved);
        f->frto = f->new_only = f->undo = false;
        c->rto_recovery = false;
        c->snd.rtx = c->snd.nxt;
        /* RFC 4015 4, (RESP): no burst. */
        const uint32_t limit = conn_flight(c) + 2u * c->snd_mss;
        if (c->cwnd > limit)
            c->cwnd = limit;
        env_count(&t->env, LA_COUNT_TCPLossUndo);
        env_count(&t->env, LA_COUNT_TCPSpuriousRTOs);
        trace_recovery(t, c, LA_RECOVERY_UNDO);
        return true;
    }
    if (seq_lt(c->snd.una, c->snd.recover) &&
        new_text(c, seg)) { /* 2.b: two new segments, nothing again */
        f->new_only = true;
        c->snd.recover = c->snd.nxt;
        c->snd.rtx = c->snd.nxt;
        c->cwnd = conn_flight(c) + 2u * c->snd_mss;
        return true;
    }
    reno_frto_over(c, f); /* 2.a */
    return false;
}

static void reno_ack(struct tcp *t, struct tcp_conn *c, const struct tcp_seg *seg, uint32_t acked)
{
    struct flight *frto = reno_frto(t, c);

    if (frto != NULL && reno_frto_ack(t, c, frto, seg)) {
        c->dupacks = 0;
        return;
    }
    const uint32_t mss = c->snd_mss;

    c->dupacks = 0;
    if (c->in_recovery && seq_lt(c->snd.una, c->snd.recover)) { /* partial: the next hole */
        c->want_rtx = true;
        c->cwnd = c->cwnd > acked ? c->cwnd - acked : 0;
        if (acked >= mss)
            c->cwnd += mss;
        if (c->cwnd < mss)
            c->cwnd = mss;
        env_count(&t->env, LA_COUNT_TCPFastRetrans);
        return;
    }
    if (c->in_recovery) {
        /*
         * Full: RFC 6582 3.2 step 3, option 2.  Option 1, min(ssthresh, FlightSize + SMSS), would
         * punish a host that takes ACKs in bursts: what the last of them allowed is not in flight yet.
         */
        c->in_recovery = false;
        c->want_rtx = false;
        cc_on_recovered(t, c);
        trace_recovery(t, c, LA_RECOVERY_END);
        return;
    }
    if (c->rto_recovery && seq_ge(c->snd.una, c->snd.recover))
        c->rto_recovery = false;
    cc_on_ack(t, c, &(struct cc_ack){ .acked = acked });
}

/* With SACK ------------------------------------------------------------------------------- */

/*
 * RFC 2883 5: is the first block a report of a duplicate?  It lies below SEG.ACK, or within the
 * second.  What was never sent again cannot have arrived twice by our doing, but by the network's.
 */
static void find_dsack(struct flight_ack *k)
{
    const struct tcp_options *o = &k->seg->opt;
    struct tcp_conn *c = k->c;
    const bool old = o->sack_count > 0 && seq_lt(o->sack[0].left, k->seg->ack);
    const bool within = o->sack_count > 1 && seq_le(o->sack[1].left, o->sack[0].left) &&
                        seq_le(o->sack[0].right, o->sack[1].right);

    if ((!old && !within) || !seq_lt(o->sack[0].left, o->sack[0].right))
        return;
    k->first_sack = 1;
    env_count(&k->t->env, old ? LA_COUNT_TCPDSACKRecv : LA_COUNT_TCPDSACKOfoRecv);
    if (c->segs_retransmitted == 0) {
        env_count(&k->t->env, LA_COUNT_TCPDSACKIgnoredDubious);
        return;
    }
    if (c->dsack_dups < UINT16_MAX)
        c->dsack_dups++;
    k->dsack = true;
    k->dsack_left = o->sack[0].left;
    k->dsack_right = o->sack[0].right;
    struct flight *f = k->f;
    if (f != NULL && f->undo && seq_le(k->dsack_right, k->before) &&
        seq_gt(k->dsack_right, f->undo_marker)) {
        const uint32_t len = seq_diff(k->dsack_left, k->dsack_right);

        f->undo_bytes = f->undo_bytes > len ? f->undo_bytes - len : 0;
    }
}

/* Something is lost, and no recovery is under way (RFC 6675 5, step 4). */
static void begin_recovery(struct flight_ack *k)
{
    struct tcp_conn *c = k->c;
    const uint32_t flight = conn_flight(c) + k->acked;

    undo_begin(k->t, c, k->f);
    if (!k->f->prr) { /* else ECN's echo has said so already, of this window */
        cc_on_congestion(k->t, c, CC_LOSS, flight < c->cwnd ? flight : c->cwnd);
        prr_begin(k);
    }
    c->snd.recover = c->snd.nxt;
    c->in_recovery = true;
    env_count(&k->t->env, LA_COUNT_TCPSackRecovery);
    trace_recovery(k->t, c, LA_RECOVERY_BEGIN);
}

/*
 * A recovery is over.  What is marked lost now was sent in its course: a loss in the window after
 * the one that was reduced for, which is congestion again (RFC 5681 4.3, and as on Linux).
 */
static bool lost_meanwhile(struct flight_ack *k)
{
    struct flight *f = k->f;
    const bool stamped = f->undo && f->undo_any;
    uint32_t again = 0;
    bool lost = false;

    for (uint32_t i = 0; i < f->count; i++) {
        const struct flight_range *r = flight_at(f, i);

        lost = lost || r->flags & FLIGHT_LOST;
        again += r->flags & FLIGHT_AGAIN ? seq_diff(flight_start(k->c, f, i), r->end) : 0;
    }
    if (!lost)
        return false;
    begin_recovery(k);
    f->undo_bytes = again; /* their duplicates are still to be reported */
    f->undo_any = stamped && again > 0;
    prr_on_ack(k);
    return true;
}

static void end_recovery(struct flight_ack *k)
{
    struct tcp_conn *c = k->c;

    k->f->prr = false;
    c->in_recovery = false;
    k->f->undo_end = c->snd.nxt;
    rack_recovered(c);
    if (undo_may(k)) {
        undo_now(k->t, c, k->f);
        env_count(&k->t->env, LA_COUNT_TCPFullUndo);
    } else {
        cc_on_recovered(k->t, c);
    }
    trace_recovery(k->t, c, LA_RECOVERY_END);
    (void)lost_meanwhile(k);
}

/* The window comes down because of ECN's echo, and nothing was lost. */
static void go_down(struct flight_ack *k)
{
    struct tcp_conn *c = k->c;
    struct flight *f = k->f;

    if (seq_lt(c->snd.una, f->cc.echo_end)) {
        prr_on_ack(k);
        return;
    }
    f->prr = false;
    cc_on_recovered(k->t, c);
}

/* In fast recovery. */
static void go_on(struct flight_ack *k)
{
    struct tcp_conn *c = k->c;
    struct flight *f = k->f;

    if (k->acked > 0 && seq_ge(c->snd.una, c->snd.recover)) {
        end_recovery(k);
        return;
    }
    if ((k->acked > 0 && undo_delayed(k)) || (k->dsack && undo_may(k))) {
        env_count(&k->t->env, k->dsack ? LA_COUNT_TCPDSACKUndo : LA_COUNT_TCPPartialUndo);
        undo_now(k->t, c, f);
        c->in_recovery = false;
        rack_recovered(c);
        return;
    }
    prr_on_ack(k);
}

/* The RTO was spurious: nothing of what it declared lost is. */
static void undo_loss(struct flight_ack *k, bool frto)
{
    struct tcp_conn *c = k->c;
    struct flight *f = k->f;

    for (uint32_t i = 0; i < f->count; i++)
        if (flight_at(f, i)->flags & FLIGHT_LOST)
            flight_flags(f, c, i, flight_at(f, i)->flags & (uint8_t)~FLIGHT_LOST);
    flight_tidy(k->t, c, f);
    undo_now(k->t, c, f);
    f->frto = f->new_only = false;
    c->rto_recovery = false;
    c->retransmits = 0;
    env_count(&k->t->env, LA_COUNT_TCPLossUndo);
    if (frto)
        env_count(&k->t->env, LA_COUNT_TCPSpuriousRTOs);
    k->lost = 0;
    (void)rack_detect(k); /* what a later one has overtaken is lost all the same */
    if (k->lost > 0) {
        begin_recovery(k);
        prr_on_ack(k);
        return;
    }
    /* RFC 4015 4, (RESP): no burst, but ssthresh lets it come back at once. */
    const uint32_t most = 10u * c->snd_mss;
    const uint32_t limit = conn_pipe(k->t, c) + (k->acked < most ? k->acked : most);
    if (c->cwnd > limit)
        c->cwnd = limit > c->snd_mss ? limit : c->snd_mss;
}

/*
 * After an RTO.  RFC 5682 3.1, with SACK: what is acknowledged and was never sent again shows that
 * the RTO was spurious (3.b); else new text is sent once (2.b), and a SACK of that shows that it
 * was not (3.a).
 */
static void after_rto(struct flight_ack *k)
{
    struct tcp_conn *c = k->c;
    struct flight *f = k->f;
    const bool full = seq_ge(c->snd.una, c->snd.recover);

    if (f->undo && ((k->acked > 0 && undo_delayed(k)) || (k->dsack && undo_may(k)))) {
        undo_loss(k, false);
        return;
    }
    if (f->frto && k->original && f->undo) {
        undo_loss(k, true);
        return;
    }
    if (f->frto && f->new_only) {
        if (k->sacked > 0 || k->acked == 0)
            f->frto = f->new_only = false;
    } else if (f->frto && k->acked > 0 && !full) {
        f->new_only = new_text(c, k->seg);
        f->frto = f->new_only;
        if (f->new_only)
            c->snd.recover = c->snd.nxt;
    }
    if (full) {
        c->rto_recovery = false;
        f->frto = f->new_only = false;
        f->undo_end = c->snd.nxt;
        rack_recovered(c);
        trace_recovery(k->t, c, LA_RECOVERY_END);
        if (lost_meanwhile(k))
            return;
    }
    if (k->acked > 0)
        cc_on_ack(k->t, c, &k->told);
}

/* RACK's timer takes the retransmission timer's place if it is earlier. */
static void look_again(struct tcp *t, uint32_t ci, uint32_t timeout_us)
{
    struct tcp_conn *c = conn_at(t, ci);
    const la_time at = time_add(t->env.now, timeout_us * NS_PER_US);

    if (timeout_us == 0 || c->persist || !time_lt(at, c->deadline[TCP_DL_RTX]))
        return;
    c->rtx_kind = TCP_RTX_RACK;
    tcp_timer_arm(t, ci, TCP_DL_RTX, at);
}

/* May the next ACK say more than that text has arrived? */
static void settle_doubt(struct flight_ack *k)
{
    struct tcp_conn *c = k->c;
    struct flight *f = k->f;

    if (f->undo && !c->in_recovery && !c->rto_recovery && seq_ge(c->snd.una, f->undo_end))
        f->undo = false;
    c->resend = f->resend > 0;
    c->dubious = f->prr || f->sacked > 0 || f->resend > 0 || f->extra > 0 || f->undo ||
                 c->in_recovery || c->rto_recovery || c->tlp_out || f->probe_mtu > 0;
}

static void measure(struct flight_ack *k)
{
    k->told = (struct cc_ack){ .acked = k->acked, .rtt_us = k->f->rack_rtt_us };
    rate_acked(k, &k->told);
}

static void flight_ack_all(struct flight_ack *k, uint32_t ci)
{
    struct tcp *t = k->t;
    struct tcp_conn *c = k->c;
    const bool open = !c->in_recovery && !c->rto_recovery;
    uint32_t timeout_us = 0;

    find_dsack(k);
    if (k->acked > 0)
        flight_acked(k);
    flight_sacked(k);
    tlp_on_ack(k);
    rack_dsack(k);
    measure(k);
    if (k->f->count > 0 && (k->delivered > 0 || k->acked > 0))
        timeout_us = rack_detect(k);
    pmtu_arrived(t, c, k->f);
    if (open && k->lost > 0 && !pmtu_lost(k)) /* a probe that is lost is no congestion */
        begin_recovery(k);
    else if (open && k->dsack && undo_may(k)) {
        env_count(&t->env, LA_COUNT_TCPDSACKUndo);
        undo_now(t, c, k->f);
    }
    if (c->in_recovery)
        go_on(k);
    else if (c->rto_recovery)
        after_rto(k);
    else if (k->f->prr)
        go_down(k);
    else if (k->acked > 0)
        cc_on_ack(t, c, &k->told);
    settle_doubt(k);
    look_again(t, ci, timeout_us);
}

/* Both ------------------------------------------------------------------------------------ */

/*
 * An acceptable ACK: SND.UNA was @before.  The quick way is what flight_ack_all() comes down to
 * when nothing is in doubt.
 */
static void flight_ack(struct tcp *t, uint32_t ci, const struct tcp_seg *seg, tcp_seq before,
                       uint32_t acked)
{
    struct tcp_conn *c = conn_at(t, ci);
    struct flight_ack k = { .t = t, .c = c, .f = flight_of(t, c), .seg = seg, .before = before };

    k.acked = acked;
    if (!c->dubious && seg->opt.sack_count == 0) {
        if (acked == 0)
            return;
        flight_acked(&k);
        measure(&k);
        cc_on_ack(t, c, &k.told);
    } else {
        flight_ack_all(&k, ci);
    }
    if (k.f->count == 0)
        flight_release(t, c);
}

void loss_dupack(struct tcp_arrival *a)
{
    struct tcp *t = a->t;
    struct tcp_conn *c = a->c;

    if (flight_known(c)) {
        flight_ack(t, a->ci, a->seg, c->snd.una, 0);
    } else if (c->tlp_out) { /* all is acknowledged; was the probe one too many? */
        struct flight_ack k = { .t = t, .c = c, .seg = a->seg, .before = c->snd.una };

        find_dsack(&k);
        tlp_on_ack(&k);
        c->dubious = c->tlp_out;
    } else if (is_dupack(c, a->seg)) {
        reno_dupack(t, c);
    }
}

void loss_on_ack(struct tcp *t, uint32_t ci, const struct tcp_seg *seg, tcp_seq before,
                 uint32_t acked)
{
    struct tcp_conn *c = conn_at(t, ci);

    if (flight_known(c))
        flight_ack(t, ci, seg, before, acked);
    else
        reno_ack(t, c, seg, acked);
}

void loss_on_rack_timer(struct tcp *t, uint32_t ci)
{
    struct tcp_conn *c = conn_at(t, ci);

    if (!flight_known(c))
        return;
    struct flight_ack k = { .t = t, .c = c, .f = flight_of(t, c), .before = c->snd.una };
    const uint32_t timeout_us = rack_detect(&k);
    if (k.lost > 0 && !c->in_recovery && !c->rto_recovery && !pmtu_lost(&k)) {
        begin_recovery(&k);
        c->cwnd =
            conn_pipe(t, c) + c->snd_mss; /* the fast retransmit; RFC 9937's cwnd comes with ACKs */
    }
    tcp_rtx_rearm(t, ci);
    look_again(t, ci, timeout_us);
    tcp_output_wake(t, ci);
}

void loss_on_rto(struct tcp *t, uint32_t ci)
{
    struct tcp_conn *c = conn_at(t, ci);
    const bool first = c->retransmits == 0 || !c->rto_recovery;
    /* RFC 5682, step 1: not in the course of a recovery.  Another RTO of the same text may ask. */
    const bool ask = t->env.knobs.frto > 0 && !c->in_recovery && (!c->rto_recovery || !first);

    if (flight_known(c)) {
        struct flight *f = flight_of(t, c);

        if (first)
            undo_begin(t, c, f);
        rack_mark_all(t, c, f);
        f->prr = false;
        f->new_only = false;
        f->probe_mtu = 0; /* whatever became of it says nothing of its size */
        f->frto = ask;
    } else {
        struct flight *f = flight_block(t, c);

        c->snd.rtx = c->snd.una;
        if (f != NULL && !c->rto_recovery) {
            undo_begin(t, c, f);
            f->undo = f->frto = ask;
        } else if (f != NULL) {
            f->frto = f->new_only = f->undo = false;
        }
    }
    cc_on_rto(t, c, first);
    if (flight_known(c))
        c->cwnd = conn_pipe(t, c) + c->snd_mss; /* beside what was sent too lately to be lost */
    c->snd.recover = c->snd.nxt;
    c->in_recovery = false;
    c->rto_recovery = true;
    c->want_rtx = false;
    c->want_tlp = false;
    c->tlp_out = false;
    c->dubious = flight_known(c);
    c->timing = false; /* Karn */
    c->dupacks = 0;
    env_count(&t->env, LA_COUNT_TCPTimeouts);
    trace_recovery(t, c, LA_RECOVERY_RTO);
}

void loss_resend_all(struct tcp *t, uint32_t ci)
{
    struct tcp_conn *c = conn_at(t, ci);

    c->timing = false;
    if (!flight_known(c)) {
        c->snd.rtx = c->snd.una;
        return;
    }
    struct flight *f = flight_of(t, c);
    f->probe_mtu = 0;
    f->frto = f->new_only = false; /* what comes back may be of either copy */
    for (uint32_t i = 0; i < f->count; i++) {
        const struct flight_range *r = flight_at(f, i);

        if (r->flags & FLIGHT_SACKED || seq_diff(flight_start(c, f, i), r->end) <= c->snd_mss)
            continue;
        flight_flags(f, c, i, (r->flags & FLIGHT_EVER) | FLIGHT_LOST);
    }
    flight_tidy(t, c, f);
    c->resend = f->resend > 0;
    c->dubious = true;
}
