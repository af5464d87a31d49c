/* SPDX-License-Identifier: MIT */
/*
 * loss.c - What counts as lost: duplicate ACKs (RFC 5681, 3042), partial ACKs (RFC 6582,
 * NewReno) and the RTO.
 *
 * After a fast retransmission one segment at SND.UNA goes out whatever the window.  After
 * an RTO everything in flight is sent again, in order, as the congestion window permits:
 * SND.NXT never retreats, snd.rtx walks from SND.UNA to it.
 */
#include "core/tcp/tcp.h"

/* RFC 5681 2: outstanding data, no text, no SYN or FIN, same window, SEG.ACK = SND.UNA. */
void loss_dupack(struct tcp_arrival *a)
{
    struct tcp *t = a->t;
    struct tcp_conn *c = a->c;
    const struct tcp_seg *seg = a->seg;

    if (seg->len > 0 || seg->flags & (TCP_SYN | TCP_FIN) || conn_flight(c) == 0 ||
        c->persist || /* an answer to a probe */
        seg->wnd << c->snd_shift != c->snd.wnd)
        return;
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
}

void loss_on_ack(struct tcp *t, uint32_t ci, uint32_t acked)
{
    struct tcp_conn *c = conn_at(t, ci);
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
        return;
    }
    if (c->rto_recovery && seq_ge(c->snd.una, c->snd.recover))
        c->rto_recovery = false;
    cc_on_ack(t, c, &(struct cc_ack){ .acked = acked });
}

void loss_on_rto(struct tcp *t, uint32_t ci)
{
    struct tcp_conn *c = conn_at(t, ci);

    cc_on_rto(t, c, c->retransmits == 0 || !c->rto_recovery);
    c->snd.recover = c->snd.nxt;
    c->snd.rtx = c->snd.una;
    c->in_recovery = false;
    c->rto_recovery = true;
    c->want_rtx = false;
    c->timing = false; /* Karn */
    c->dupacks = 0;
    env_count(&t->env, LA_COUNT_TCPTimeouts);
}
