/* SPDX-License-Identifier: MIT */
/*
 * arrives_synsent.c - RFC 9293 3.10.7.3, SYN-SENT STATE: five steps, in the RFC's order
 * and under the RFC's headings.
 */
#include "core/tcp/predicates.h"
#include "core/tcp/tcp.h"

/* RCV.NXT, IRS, the window and the options, as the peer's SYN says. */
static void take_their_syn(struct tcp_arrival *a)
{
    struct tcp_conn *c = a->c;
    const struct tcp_seg *seg = a->seg;

    c->rcv.nxt = seq_add(seg->seq, 1); /* and IRS before it: conn_irs() */
    c->rcv.adv = seq_add(c->rcv.nxt, seq_diff(c->rcv.last_ack, c->rcv.adv));
    c->rcv.last_ack = c->rcv.nxt;
    conn_take_syn(a->t, c, seg);
    ecn_synack(c, seg);
    c->snd.wnd = seg->wnd; /* never scaled on a SYN: RFC 7323 2.2 */
    c->snd.max_wnd = seg->wnd;
    c->snd.wl1 = seg->seq;
}

/* Returns TCP_GO_ON where the RFC says "continue processing at the sixth step". */
enum tcp_next tcp_arrives_synsent(struct tcp_arrival *a)
{
    struct tcp *t = a->t;
    struct tcp_conn *c = a->c;
    const struct tcp_seg *seg = a->seg;
    const bool has_ack = (seg->flags & TCP_ACK) != 0;

    LA_ASSERT(c->state == LA_SYN_SENT);
    LA_ASSERT(seq_eq(conn_iss(c), c->snd.una));

    /* First, check the ACK bit: ISS < SEG.ACK =< SND.NXT is acceptable. */
    if (has_ack && !tcp_ack_is_new(seg->ack, conn_iss(c), c->snd.nxt)) {
        if (!(seg->flags & TCP_RST))
            reply_rst_to(a); /* <SEQ=SEG.ACK><CTL=RST> */
        return tcp_stop(a, LA_DROP_SYN_SENT_BAD_ACK);
    }

    /* Second, check the RST bit. */
    if (seg->flags & TCP_RST) {
        if (!has_ack)
            return tcp_stop(a, LA_DROP_SYN_SENT_RST_NO_ACK);
        tcp_end(t, a->ci, LA_ECONNREFUSED, LA_DROP_REFUSED); /* acceptable, by the first step */
        return tcp_stop(a, LA_DROP_RESET);
    }

    /* Third, check the security: not applicable. */
    /*
     * RFC 7323 5.2: an echo of a time stamp we never sent is no answer to our SYN.  Zero is no echo at
     * all: there are peers that answer so, and Linux takes it.
     */
    if (has_ack && seg->opt.has_timestamps && c->timestamps && seg->opt.ts_ecr != 0 &&
        (int32_t)(tcp_ts_now(t, c->ts_offset) - seg->opt.ts_ecr) < 0) {
        env_count(&t->env, LA_COUNT_PAWSActive);
        reply_rst_to(a);
        return tcp_stop(a, LA_DROP_PAWS);
    }

    /* Fifth, neither SYN nor RST: drop the segment. */
    if (!(seg->flags & TCP_SYN))
        return tcp_stop(a, LA_DROP_SYN_SENT_NO_SYN);

    /* Fourth, check the SYN bit. */
    take_their_syn(a);

    if (has_ack) { /* our SYN has been ACKed */
        rtt_on_ack(t, c, seg, seg->ack);
        c->snd.una = seg->ack;
        c->snd.rtx = seg->ack;
        c->soft_error = 0;
        tcp_enter(t, c, LA_ESTABLISHED);
        conn_established(t, a->ci);
        if (a->len > 0 || conn_unsent(c) == 0)
            ack_now(t, a->ci); /* <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK> */
        else
            c->want_ack = true; /* rides on the data */
        return TCP_GO_ON;
    }

    /* Simultaneous open (MUST-10): <SEQ=ISS><ACK=RCV.NXT><CTL=SYN,ACK> */
    c->retransmits = 0; /* the SYN-ACK is counted anew */
    tcp_enter(t, c, LA_SYN_RECEIVED);
    c->want_syn = true;
    tcp_rtx_rearm(t, a->ci);
    tcp_output_wake(t, a->ci);
    return tcp_stop(a, LA_DROP_NONE);
}
