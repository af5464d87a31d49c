/* SPDX-License-Identifier: MIT */
/*
 * snd_window.c - What the peer's window lets us send, and what an acknowledgment frees.
 *
 * SND.WND moves only with segments that are newer than the last that moved it (SND.WL1,
 * SND.WL2).  SND.WL2 is not kept: it is SND.UNA.  Every ACK that moves SND.UNA moves the window too,
 * so what is left for the RFC's second case has SEG.ACK = SND.UNA = SND.WL2.  A peer may shrink its window: then the usable window is zero, never
 * negative (MUST-34).
 */
#include "core/tcp/inflight.h"
#include "core/tcp/tcp.h"

/*
 * RFC 9293 3.10.7.4, fifth step, ESTABLISHED: the send window is updated.
 *
 * Beside the RFC's two cases the window is taken from every segment that advances SND.UNA,
 * as Linux does: a retransmission has an old SEG.SEQ, and to keep the old SND.WND with the
 * new SND.UNA would move the right edge where the peer never put it.
 */
void snd_window_update(struct tcp_arrival *a, bool advanced)
{
    struct tcp_conn *c = a->c;
    const struct tcp_seg *seg = a->seg;
    const uint32_t wnd = seg->flags & TCP_SYN ? seg->wnd : seg->wnd << c->snd_shift;

    if (seq_lt(seg->ack, c->snd.una))
        return;
    if (advanced || seq_lt(c->snd.wl1, seg->seq) ||
        seq_eq(c->snd.wl1, seg->seq)) { /* and SND.WL2 =< SEG.ACK */
        c->snd.wnd = wnd;
        c->snd.wl1 = seg->seq;
        if (wnd > c->snd.max_wnd)
            c->snd.max_wnd = wnd;
    }
}

/* An acceptable ACK of something new. */
void tcp_ack_advance(struct tcp_arrival *a, tcp_seq ack)
{
    struct tcp *t = a->t;
    struct tcp_conn *c = a->c;
    const tcp_seq before = c->snd.una;
    const uint32_t acked = seq_diff(before, ack);
    const bool fin = c->fin_sent && seq_eq(ack, c->snd.nxt);
    const uint32_t text = acked - (fin ? 1 : 0);

    LA_ASSERT(seq_lt(c->snd.una, ack) && seq_le(ack, c->snd.nxt));
    rtt_on_ack(t, c, a->seg, ack);
    queue_drop(&c->sndq, &t->env.chunks, t, text);
    if (text > 0 && c->sndq.len_bytes == 0)
        c->reserved = 0; /* a reservation behind it went with the last chunk */
    if (c->sndhint.chunk != SLAB_NONE) {
        if (c->sndhint.offset_bytes >= text)
            c->sndhint.offset_bytes -= text;
        else
            c->sndhint.chunk = SLAB_NONE;
    }
    c->snd.una = ack;
    c->snd.rtx = seq_max(c->snd.rtx, ack);
    c->snd.crumb = seq_max(c->snd.crumb, ack);
    c->bytes_acked += text;
    c->retransmits = 0;
    c->r1_told = false;
    c->soft_error = 0; /* something got through: what ICMP or R1 said is refuted */
    c->rtx_since = t->env.now;
    if (!c->persist)
        tcp_timer_stop(c, TCP_DL_RTX); /* begun anew by tcp_rtx_rearm (RFC 6298 5.3) */
    loss_on_ack(t, a->ci, a->seg, before, acked);
    if (c->cwnd > c->set.sndbuf / 2)
        autotune_send(t, c);
    if (seq_eq(c->snd.una, c->snd.nxt)) {
        c->ecn_reduced = false;
        if (c->inflight != SLAB_NONE)
            flight_release(t, c);
        tcp_timers_settle(t, a->ci, c->last_rx);
    }
    conn_ready(t, a->ci, false);
}
