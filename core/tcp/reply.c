/* SPDX-License-Identifier: MIT */
/*
 * reply.c - Segments that answer a segment at once: resets, challenge and duplicate ACKs,
 * SYN-ACKs.  Each is written when it is decided, with the numbers of that moment, and
 * waits in a ring for la_tx().  A full ring drops the answer and counts it: all of these
 * are repeated by their peer or by a timer.
 */
#include "core/tcp/tcp.h"

static struct tcp_reply *slot(const struct tcp *t, uint32_t i)
{
    return (struct tcp_reply *)((uint8_t *)tcp_arena(t) + t->replies.offset) + i;
}

bool reply_room(const struct tcp *t)
{
    return t->replies.count < t->replies.cap;
}

bool reply_push(struct tcp *t, const struct tcp_answer *to, struct tcp_seg *seg)
{
    struct tcp_reply *r;

    seg->src_port = to->flow.lport;
    seg->dst_port = to->flow.rport;
    if (!reply_room(t)) {
        env_drop(&t->env, LA_DROP_REPLIES_FULL);
        return false;
    }
    r = slot(t, (t->replies.first + t->replies.count) % t->replies.cap);
    t->replies.count++;
    if (t->replies.count > t->replies.count_max)
        t->replies.count_max = t->replies.count;
    r->src = to->flow.laddr;
    r->dst = to->flow.raddr;
    r->conn = to->conn;
    r->iface = to->iface;
    r->ttl = to->ttl;
    r->tos = to->tos;
    r->state = to->state;
    r->retransmission = to->retransmission;
    r->header_len = (uint8_t)tcp_emit(seg, r->header);
    if (!to->retransmission)
        env_count(&t->env, LA_COUNT_OutSegs);
    if (seg->flags & TCP_RST)
        env_count(&t->env, LA_COUNT_OutRsts);
    return true;
}

/* Traced when it is taken, so that the record stands behind that of the segment it answers. */
static void trace_reply(struct tcp *t, const struct tcp_reply *r)
{
    struct tcp_seg seg;
    struct tcp_flow flow;

    if (t->env.trace.cap == 0 || tcp_parse(r->header, r->header_len, &seg) != LA_DROP_NONE)
        return;
    flow = (struct tcp_flow){
        .laddr = r->src,
        .raddr = r->dst,
        .lport = seg.src_port,
        .rport = seg.dst_port,
    };
    trace_tx(t, &flow, r->conn, r->state, &seg, r->retransmission);
}

const struct tcp_reply *reply_next(struct tcp *t)
{
    const struct tcp_reply *r;

    if (t->replies.count == 0)
        return NULL;
    r = slot(t, t->replies.first);
    trace_reply(t, r);
    t->replies.first = t->replies.first + 1 < t->replies.cap ? t->replies.first + 1 : 0;
    t->replies.count--;
    return r;
}

/* The reset that RFC 9293 3.10.7.1 forms from the segment alone. */
void reply_rst_to(struct tcp_arrival *a)
{
    const struct tcp_seg *in_seg = a->seg;
    const struct tcp_answer to = {
        .flow = a->flow,
        .iface = a->path.iface,
        .ttl = (uint8_t)a->t->env.knobs.default_ttl,
        .state = a->from,
    };
    struct tcp_seg seg = { .flags = TCP_RST };

    LA_ASSERT(!(in_seg->flags & TCP_RST));
    if (in_seg->flags & TCP_ACK) { /* <SEQ=SEG.ACK><CTL=RST> */
        seg.seq = in_seg->ack;
    } else { /* <SEQ=0><ACK=SEG.SEQ+SEG.LEN><CTL=RST,ACK> */
        seg.flags |= TCP_ACK;
        seg.ack = seq_add(in_seg->seq, tcp_seg_len(in_seg));
    }
    (void)reply_push(a->t, &to, &seg);
}

static struct tcp_answer answer_of(const struct tcp *t, const struct tcp_conn *c)
{
    return (struct tcp_answer){
        .flow = c->flow,
        .iface = c->iface,
        .ttl = c->set.ttl,
        .tos = (uint8_t)((uint32_t)c->set.tos6 << 2),
        .conn = slab_handle(&t->conns, t, conn_index(t, c)),
        .state = c->state,
    };
}

/*
 * <SEQ=SND.NXT><CTL=RST>, with ACK so that the peer can place it.  The peer obeys at once if that
 * is its RCV.NXT (RFC 5961 3.2).  If text is missing there, RCV.NXT is anywhere from SND.UNA on:
 * no number is right for sure, and this one is Linux's.  The peer challenges it, and what
 * answers the challenge, from no connection, has the number that it asked for.
 */
void reply_rst_from(struct tcp *t, const struct tcp_conn *c)
{
    const struct tcp_answer to = answer_of(t, c);
    struct tcp_seg seg = { .seq = conn_bare_seq(c), .ack = c->rcv.nxt, .flags = TCP_RST | TCP_ACK };

    if (!reply_push(t, &to, &seg))
        env_count(&t->env, LA_COUNT_TCPAbortFailed);
}

/* What came twice first (RFC 2883 4), then the ranges above the first hole. */
static void put_sack(struct tcp *t, const struct tcp_conn *c, struct tcp_options *o)
{
    const uint32_t most = c->timestamps ? 3 : 4;
    uint32_t n = 0;

    if (t->dsack.set) {
        o->sack[n++] = t->dsack.block;
        env_count(&t->env, t->dsack.old ? LA_COUNT_TCPDSACKOldSent : LA_COUNT_TCPDSACKOfoSent);
        t->dsack.set = false;
    }
    n += reassembly_blocks(t, c, o->sack + n, most - n);
    o->sack_count = (uint8_t)n;
}

void reply_ack(struct tcp *t, uint32_t ci)
{
    struct tcp_conn *c = conn_at(t, ci);
    const struct tcp_answer to = answer_of(t, c);
    struct tcp_seg seg = { .seq = conn_bare_seq(c), .ack = c->rcv.nxt, .flags = TCP_ACK };

    if (c->ecn_echo)
        seg.flags |= TCP_ECE;
    if (!reply_room(t)) { /* it goes out with the next la_tx(), merged with others */
        c->want_ack = true;
        tcp_output_wake(t, ci);
        return;
    }
    seg.wnd = rcv_window_field(t, c, false);
    if (c->timestamps) {
        seg.opt.has_timestamps = true;
        seg.opt.ts_val = tcp_ts_now(t, c->ts_offset);
        seg.opt.ts_ecr = c->ts_recent;
    }
    if (c->sack)
        put_sack(t, c, &seg.opt);
    (void)reply_push(t, &to, &seg);
    c->segs_out++;
    ack_sent(c);
}

void reply_ack_short(struct tcp *t, uint32_t ref, bool limited)
{
    struct tcp_short *w = short_at(t, ref);
    const uint32_t now_ms = (uint32_t)(t->env.now.ns / NS_PER_MS);
    struct tcp_answer to = {
        .iface = w->iface,
        .ttl = (uint8_t)t->env.knobs.default_ttl,
        .state = w->state,
    };
    struct tcp_seg seg = {
        .seq = w->snd_nxt,
        .ack = w->rcv_nxt,
        .wnd = (w->rcv_wnd + (1u << w->rcv_shift) - 1) >> w->rcv_shift,
        .flags = TCP_ACK,
    };

    if (limited && w->flags & TCP_SHORT_ACKED &&
        now_ms - w->invalid_ms < t->env.knobs.invalid_ratelimit) {
        env_count(&t->env, LA_COUNT_TCPACKSkippedTimeWait);
        return;
    }
    w->flags |= TCP_SHORT_ACKED;
    w->invalid_ms = now_ms;
    short_flow(w, ref, &to.flow);
    if (w->flags & TCP_SHORT_TIMESTAMPS) {
        seg.opt.has_timestamps = true;
        seg.opt.ts_val = tcp_ts_now(t, w->ts_offset);
        seg.opt.ts_ecr = w->ts_recent;
    }
    (void)reply_push(t, &to, &seg);
}
