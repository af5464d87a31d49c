/* SPDX-License-Identifier: MIT */
/*
 * output.c - What to send now.
 *
 * Connections with something to send stand on one list; la_tx() takes them in turn, one
 * descriptor each.  What a connection sends next is decided here, in this order: its SYN,
 * what is marked lost or NewReno asks for, a zero-window probe, a tail loss probe, new text and
 * FIN, a keepalive probe, a bare ACK.
 *
 * New text goes when it fills a segment, when Nagle is off or no other short segment is in
 * flight, or when it is at least half of the largest window the peer ever offered (MUST-38,
 * SHLD-7, RFC 9293 3.8.6.2.1).  That only short segments hold each other back is Minshall's
 * refinement (RFC 9293 A.3), as on Linux: the odd end of a large write does not wait for an ACK
 * that the peer may delay.
 */
#include "core/base/bytes.h"
#include "core/tcp/pmtu.h"
#include "core/tcp/tcp.h"

/* One segment that has been decided on. */
struct plan {
    tcp_seq seq;
    uint32_t len; /* bytes of text */
    uint8_t flags;
    bool again;   /* a retransmission */
    bool probe;   /* of a window: what is in flight stays as it is */
    bool mtu;     /* a probe of the path's MTU: one segment, larger than the others */
    uint32_t gso; /* bytes of text a descriptor may hold */
};

static void put_options(struct tcp *t, struct tcp_conn *c, struct tcp_seg *seg)
{
    struct tcp_options *o = &seg->opt;

    if (seg->flags & TCP_SYN) {
        o->has_mss = true;
        o->mss = c->adv_mss;
        o->has_sack_ok = c->sack;
        o->has_wscale = c->rcv_shift > 0;
        o->wscale = c->rcv_shift;
    }
    if (c->timestamps) {
        o->has_timestamps = true;
        o->ts_val = tcp_ts_now(t, c->ts_offset);
        o->ts_ecr = seg->flags & TCP_ACK ? c->ts_recent : 0;
    }
    if (c->sack && (seg->flags & (TCP_ACK | TCP_SYN)) == TCP_ACK) {
        /* Beside text only as many as leave it room: every hole was reported when it changed. */
        const uint32_t most = c->timestamps ? 3 : 4;
        const uint32_t room = seg->len < c->snd_mss ? c->snd_mss - seg->len : 0;
        const uint32_t fit = room > 4 ? (room - 4) / 8 : 0;

        o->sack_count = (uint8_t)reassembly_blocks(t, c, o->sack, fit < most ? fit : most);
    }
}

static void put_text(struct tcp *t, struct tcp_conn *c, const struct plan *p, struct la_tx *tx)
{
    uint32_t count = 0;
    uint32_t n;

    tx->span_count = 0;
    tx->gso_size_bytes = 0;
    if (p->len == 0)
        return;
    n = queue_spans(&c->sndq, &t->env.chunks, t, seq_diff(c->snd.una, p->seq), p->len, tx->spans,
                    LA_TX_SPANS_MAX, &count, p->again ? NULL : &c->sndhint);
    LA_ASSERT(n == p->len);
    tx->span_count = (uint16_t)count;
    if (p->len > c->snd_mss && !p->mtu)
        tx->gso_size_bytes = c->snd_mss;
}

/*
 * Most often the retransmission timer stays as it is: it runs for what is in flight, or nothing
 * is and nothing waits.  Then tcp_rtx_rearm() would find nothing to do.
 */
static bool rtx_stays(const struct tcp_conn *c)
{
    if (c->persist || c->snd.wnd == 0)
        return false;
    if (conn_flight(c) > 0)
        return c->deadline[TCP_DL_RTX].ns != UINT64_MAX;
    return conn_unsent(c) == 0 && !conn_fin_unsent(c);
}

static void after_sending(struct tcp *t, uint32_t ci, const struct plan *p)
{
    struct tcp_conn *c = conn_at(t, ci);
    const uint32_t segs =
        p->len > c->snd_mss && !p->mtu ? (p->len + c->snd_mss - 1) / c->snd_mss : 1;
    const tcp_seq end = seq_add(p->seq, p->len + ((p->flags & (TCP_SYN | TCP_FIN)) != 0));
    const la_time spoke = c->last_tx;

    c->segs_out += segs;
    if (p->len > 0)
        c->data_segs_out += segs;
    if (p->again) {
        conn_count_again(c, p->len);
        c->segs_retransmitted += segs;
        t->env.counters[LA_COUNT_RetransSegs] += segs;
        if (c->rto_recovery)
            t->env.counters[LA_COUNT_TCPSlowStartRetrans] += segs;
        else if (c->in_recovery && flight_known(c)) /* else counted when it was decided */
            t->env.counters[LA_COUNT_TCPFastRetrans] += segs;
        if (!p->probe && !(p->flags & TCP_SYN))
            flight_sent_again(t, c, p->seq, end);
        c->timing = false; /* Karn */
    } else {
        t->env.counters[LA_COUNT_OutSegs] += segs;
    }
    if (p->flags & TCP_ACK)
        ack_sent(c);
    if (pace_wanted(t, c) && !p->probe)
        pace_sent(t, c, p->len);
    if (p->len > 0)
        c->last_tx = t->env.now; /* of text: RFC 5681 4.1 asks since when none was sent */
    if (seq_gt(end, c->snd.nxt)) {
        if (conn_flight(c) == 0)
            c->rtx_since = t->env.now;
        if (seq_eq(c->snd.rtx, c->snd.nxt))
            c->snd.rtx = end;
        if (!c->timing && !p->again) {
            c->timing = true;
            c->rtt_seq = p->seq;
            c->rtt_at_us = tcp_now_us(t);
        }
        if (p->len % c->snd_mss != 0 && !p->mtu)
            c->snd.crumb = end;
        if (!(p->flags & TCP_SYN))
            flight_sent(t, c, end, segs);
        c->snd.nxt = end;
        cc_on_send(c);
        if (p->mtu)
            pmtu_probing(t, c, p->seq, end);
        if (!c->persist && tlp_possible(t, c))
            tcp_timer_stop(c, TCP_DL_RTX); /* RFC 8985 7.2: the probe waits for this one too */
    }
    if (p->flags & TCP_SYN)
        return; /* its timer was armed when it was decided */
    if (!rtx_stays(c))
        tcp_rtx_rearm(t, ci);
    tcp_timers_settle(t, ci, spoke);
}

static void emit(struct tcp *t, uint32_t ci, const struct plan *p, struct la_tx *tx,
                 struct tcp_out *out)
{
    struct tcp_conn *c = conn_at(t, ci);
    const uint32_t at = ip_header_bytes(c->flow.raddr);
    struct tcp_seg seg = {
        .src_port = c->flow.lport,
        .dst_port = c->flow.rport,
        .seq = p->seq,
        .ack = p->flags & TCP_ACK ? c->rcv.nxt : seq_of(0),
        .flags = p->flags,
        .len = p->len,
    };

    seg.wnd = rcv_window_field(t, c, (p->flags & TCP_SYN) != 0);
    put_options(t, c, &seg);
    put_text(t, c, p, tx);
    tx->header_len = (uint16_t)tcp_emit(&seg, tx->header + at);
    tx->conn.bits = c->held ? slab_handle(&t->conns, t, ci) : 0;
    out->ip = (struct ip_header){
        .src = c->flow.laddr,
        .dst = c->flow.raddr,
        .payload_len = tx->header_len + p->len,
        .protocol = IP_PROTO_TCP,
        .ttl = c->set.ttl,
        .tos = (uint8_t)((uint32_t)c->set.tos6 << 2 |
                         (c->ecn && p->len > 0 && !p->again && !p->probe ? ECN_ECT0 : 0u)),
    };
    out->iface = c->iface;
    if (t->env.trace.cap > 0)
        trace_tx(t, &c->flow, slab_handle(&t->conns, t, ci), c->state, &seg, p->again);
    after_sending(t, ci, p);
}

/* SYN-SENT: <SEQ=ISS><CTL=SYN>; SYN-RECEIVED: <SEQ=ISS><ACK=RCV.NXT><CTL=SYN,ACK> */
static bool plan_syn(const struct tcp *t, struct tcp_conn *c, struct plan *p)
{
    if (!c->want_syn)
        return false;
    c->want_syn = false;
    p->seq = c->snd.una;
    p->flags = c->state == LA_SYN_SENT ? TCP_SYN : TCP_SYN | TCP_ACK;
    p->again = c->retransmits > 0;
    p->flags |= ecn_syn_flags(t, c, p->again);
    return true;
}

/* Flags of a segment of text that ends at @end. */
static void finish(const struct tcp_conn *c, struct plan *p, tcp_seq text_end)
{
    p->flags |= TCP_ACK;
    if (p->len > 0 && seq_eq(seq_add(p->seq, p->len), text_end))
        p->flags |= TCP_PSH; /* MUST-61 */
    if (c->fin_sent && seq_eq(seq_add(p->seq, p->len), text_end))
        p->flags |= TCP_FIN;
}

static tcp_seq text_end(const struct tcp_conn *c)
{
    return seq_add(c->snd.una, c->sndq.len_bytes);
}

/* At most @most bytes from @seq of what is in flight, inside the window (SHLD-16, SHLD-17). */
static bool plan_again(const struct tcp_conn *c, tcp_seq seq, uint32_t most, struct plan *p)
{
    const uint32_t offset = seq_diff(c->snd.una, seq);
    const tcp_seq end = conn_text_end_sent(c);
    uint32_t len = seq_lt(seq, end) ? seq_diff(seq, end) : 0;
    const uint32_t room = c->snd.wnd > offset ? c->snd.wnd - offset : 0;

    if (room == 0 || seq_ge(seq, c->snd.nxt))
        return false;
    if (len > most)
        len = most;
    if (len > room)
        len = room;
    p->seq = seq;
    p->len = len;
    p->again = true;
    finish(c, p, text_end(c));
    return true;
}

uint32_t tcp_most_text(const struct tcp *t, const struct tcp_conn *c, uint32_t gso)
{
    const uint32_t mss = c->snd_mss;
    const uint32_t span_bytes = (LA_TX_SPANS_MAX - 2) * chunks_payload(&t->env.chunks);

    if (gso <= mss)
        return mss;
    if (gso > span_bytes)
        gso = span_bytes;
    return gso > mss ? gso - gso % mss : mss;
}

/* What is marked lost, several segments at once if they lie together. */
static bool plan_marked(struct tcp *t, struct tcp_conn *c, struct plan *p)
{
    const uint32_t pipe = conn_pipe(t, c);
    const uint32_t room = c->cwnd > pipe ? c->cwnd - pipe : 0;
    uint32_t most = tcp_most_text(t, c, p->gso);
    uint32_t len;
    tcp_seq seq;

    if (flight_of(t, c)->new_only || !flight_resend(t, c, &seq, &len))
        return false;
    if (room < (len < c->snd_mss ? len : c->snd_mss))
        return false;
    if (most > room)
        most = room;
    /* NOLINTNEXTLINE(clang-analyzer-core.DivideZero): snd_mss >= LA_SEND_MSS_MIN */
    most = most > c->snd_mss ? most - most % c->snd_mss : c->snd_mss;
    if (!plan_again(c, seq, len < most ? len : most, p))
        return false;
    if (seq_eq(seq, c->snd.una))
        tcp_timer_stop(c, TCP_DL_RTX); /* the RTO counts from this one on, as on Linux */
    return true;
}

static bool plan_lost(struct tcp *t, struct tcp_conn *c, struct plan *p)
{
    if (c->resend)
        return plan_marked(t, c, p);
    if (c->want_rtx) {
        c->want_rtx = false;
        if (plan_again(c, c->snd.una, c->snd_mss, p)) {
            tcp_timer_stop(c, TCP_DL_RTX); /* the RTO counts from this one on, as on Linux */
            c->snd.rtx = seq_max(c->snd.rtx, seq_add(p->seq, p->len + ((p->flags & TCP_FIN) != 0)));
            return true;
        }
    }
    if (!seq_lt(c->snd.rtx, c->snd.nxt) || seq_diff(c->snd.una, c->snd.rtx) >= c->cwnd)
        return false;
    if (!plan_again(c, c->snd.rtx, c->snd_mss, p))
        return false;
    c->snd.rtx = seq_add(c->snd.rtx, p->len + ((p->flags & TCP_FIN) != 0));
    return true;
}

/* A tail loss probe goes whatever the congestion window: RFC 8985 7.3. */
static bool plan_tlp(struct tcp *t, struct tcp_conn *c, struct plan *p)
{
    struct tlp_choice choice;

    if (!c->want_tlp)
        return false;
    c->want_tlp = false;
    if (c->persist || !tlp_choose(c, &choice))
        return false;
    if (choice.again) {
        if (!plan_again(c, choice.seq, choice.len, p))
            return false;
    } else {
        p->seq = choice.seq;
        p->len = choice.len;
        finish(c, p, text_end(c));
    }
    c->tlp_out = true;
    c->tlp_again = choice.again;
    c->dubious = true;
    flight_of(t, c)->tlp_end = choice.again ? c->snd.nxt : seq_add(p->seq, p->len);
    return true;
}

/* One octet beyond the window, or what a window too small to be worth it would take. */
static bool plan_probe(struct tcp_conn *c, struct plan *p)
{
    const uint32_t unsent = conn_unsent(c);

    if (!c->want_probe)
        return false;
    c->want_probe = false;
    if (!conn_in_persist(c))
        return false;
    p->probe = true;
    p->seq = conn_flight(c) > 0 ? c->snd.una : c->snd.nxt;
    p->again = conn_flight(c) > 0;
    if (p->again && c->fin_sent && seq_eq(p->seq, conn_text_end_sent(c)))
        p->len = 0;
    else if (p->again)
        p->len = 1;
    else if (unsent > 0)
        p->len = c->snd.wnd > 0 ? c->snd.wnd : 1;
    if (p->len > unsent && !p->again)
        p->len = unsent;
    if (!p->again && unsent == 0)
        c->fin_sent = true;
    finish(c, p, text_end(c));
    return true;
}

/*
 * Room in the congestion window.  RFC 3042, limited transmit: with SACK what was SACKed has left the
 * pipe, without it the first two duplicate ACKs stand for a segment each.
 */
static uint32_t cwnd_room(const struct tcp *t, const struct tcp_conn *c)
{
    const uint32_t pipe = conn_pipe(t, c);
    const uint32_t limited =
        !c->in_recovery && c->dupacks < 3 ? c->dupacks * (uint32_t)c->snd_mss : 0;
    const uint32_t cwnd = c->cwnd + limited;

    return cwnd > pipe ? cwnd - pipe : 0;
}

/* How much new text may go, by both windows; 0 if none may. */
static uint32_t sendable(const struct tcp *t, const struct tcp_conn *c, uint32_t unsent,
                         uint32_t most)
{
    const uint32_t room = cwnd_room(t, c);
    uint32_t len = unsent < most ? unsent : most;
    const uint32_t usable = snd_usable(c);

    if (len > usable)
        len = usable;
    if (len <= room)
        return len;
    /* Limited by congestion: whole segments only, so that the window is not spent on crumbs. */
    /* NOLINTNEXTLINE(clang-analyzer-core.DivideZero): snd_mss >= LA_SEND_MSS_MIN */
    return room >= c->snd_mss ? room - room % c->snd_mss : 0;
}

/* Is a segment of @len bytes, less than a full one, worth sending? */
static bool worth_sending(struct tcp *t, uint32_t ci, uint32_t len, uint32_t unsent)
{
    struct tcp_conn *c = conn_at(t, ci);
    const bool idle = conn_flight(c) == 0;
    const bool no_crumb_out = seq_le(c->snd.crumb, c->snd.una);

    if (len == unsent) {
        if (conn_fin_unsent(c) || c->push)
            return true;
        if (c->more || c->set.cork) {
            if (c->deadline[TCP_DL_CORK].ns == UINT64_MAX)
                tcp_timer_arm(t, ci, TCP_DL_CORK, time_add(t->env.now, 200 * NS_PER_MS));
            return false;
        }
        return no_crumb_out || c->set.nodelay;
    }
    return (idle || c->set.nodelay) && len >= c->snd.max_wnd / 2;
}

static bool plan_new(struct tcp *t, uint32_t ci, struct plan *p)
{
    struct tcp_conn *c = conn_at(t, ci);
    const uint32_t unsent = conn_unsent(c);
    uint32_t most, len, mss;

    if (!in(c, S(ESTABLISHED) | S(CLOSE_WAIT) | S(FIN_WAIT_1) | S(CLOSING) | S(LAST_ACK)))
        return false;
    if (unsent == 0 && !(conn_fin_unsent(c) && snd_usable(c) > 0))
        return false;
    if (pmtu_look(t, ci) && plan_lost(t, c, p))
        return true; /* what was too big goes first */
    cc_idle_restart(t, c);
    if (c->mtu_high > 0) {
        const enum pmtu_try try = pmtu_try(t, c, &len);

        if (try == PMTU_WAIT)
            return false;
        p->mtu = try == PMTU_YES;
        if (p->mtu) {
            p->seq = c->snd.nxt;
            p->len = len;
            finish(c, p, text_end(c));
            return true;
        }
    }
    mss = c->snd_mss;
    most = c->ecn_cwr ? mss : tcp_most_text(t, c, p->gso); /* CWR stands on one segment */
    len = unsent > 0 ? sendable(t, c, unsent, most) : 0;
    if (unsent > 0 && len == 0)
        return false;
    if (len > mss && len < unsent)
        len -= len % mss;
    if (len < mss && unsent > 0 && !worth_sending(t, ci, len, unsent))
        return false;
    p->seq = c->snd.nxt;
    p->len = len;
    if (conn_fin_unsent(c) && len == unsent && snd_usable(c) > len)
        c->fin_sent = true;
    if (len == unsent) {
        c->push = false;
        tcp_timer_stop(c, TCP_DL_CORK);
    }
    finish(c, p, text_end(c));
    return true;
}

/* A probe has no text and an old sequence number: the peer must acknowledge it (SHLD-12). */
static bool plan_bare(struct tcp_conn *c, struct plan *p)
{
    if (c->want_keepalive) {
        c->want_keepalive = false;
        p->seq = seq_sub(c->snd.nxt, 1);
        p->flags = TCP_ACK;
        return true;
    }
    if (!c->want_ack)
        return false;
    p->seq = conn_bare_seq(c);
    p->flags = TCP_ACK;
    return true;
}

/*
 * May what follows be written as a copy of this descriptor?  It was new text in whole segments
 * with more behind it, and nobody traces.
 */
static bool begins_train(const struct tcp *t, const struct tcp_conn *c, const struct plan *p)
{
    return !p->again && p->len > 0 && p->len % c->snd_mss == 0 && p->flags == TCP_ACK &&
           t->env.trace.cap == 0 && !pmtu_searching(t, c);
}

static bool plan_any(struct tcp *t, uint32_t ci, struct plan *p)
{
    struct tcp_conn *c = conn_at(t, ci);
    const bool held = c->pace_hold && pace_waits(t, ci);

    p->gso = pace_cap(t, c, p->gso);
    return (!held && plan_lost(t, c, p)) || plan_probe(c, p) || plan_tlp(t, c, p) ||
           (!held && plan_new(t, ci, p)) || plan_bare(c, p);
}

static bool conn_output(struct tcp *t, uint32_t ci, uint32_t gso, struct la_tx *tx,
                        struct tcp_out *out)
{
    struct tcp_conn *c = conn_at(t, ci);
    struct plan p = { .gso = gso };
    bool found;

    if (c->state == LA_CLOSED)
        return false;
    if (in(c, S(SYN_SENT) | S(SYN_RECEIVED)))
        found = plan_syn(t, c, &p);
    else
        found = plan_any(t, ci, &p);
    if (!found) {
        if (!rtx_stays(c))
            tcp_rtx_rearm(t, ci); /* what may not go may need the persist timer */
        return false;
    }
    if (c->ecn)
        p.flags |= ecn_flags(c, p.flags, p.len > 0 && !p.again && !p.probe);
    emit(t, ci, &p, tx, out);
    if (c->set.notsent_lowat != 0)
        conn_ready(t, ci, false); /* what is unsent became less */
    out->train = begins_train(t, c, &p) ? ci : SLAB_NONE;
    return true;
}

bool tcp_output_next(struct tcp *t, struct la_tx *tx, struct tcp_out *out)
{
    while (t->tx_head != SLAB_NONE) {
        const uint32_t ci = t->tx_head;

        t->recent.ci = ci; /* which an answer will be for */
        if (!conn_output(t, ci, t->iface_gso[conn_at(t, ci)->iface], tx, out)) {
            tcp_output_sleep(t, ci);
            continue;
        }
        if (!conn_wants_tx(conn_at(t, ci))) {
            tcp_output_sleep(t, ci);
        } else if (t->tx_tail != ci) {
            tcp_output_sleep(t, ci);
            tcp_output_wake(t, ci); /* to the end of the list: connections take turns */
        }
        if (t->tx_head != ci || t->tx_tail != ci)
            out->train = SLAB_NONE;
        return true;
    }
    return false;
}

/* How many more descriptors of @len bytes plan_new() would choose, one after the other. */
static uint32_t train_length(const struct tcp *t, const struct tcp_conn *c, uint32_t len,
                             uint32_t max)
{
    const uint32_t unsent = conn_unsent(c);
    const uint32_t room = cwnd_room(t, c);
    uint32_t bytes = snd_usable(c);

    if (c->want_rtx || c->want_probe || c->want_tlp || c->resend ||
        seq_lt(c->snd.rtx, c->snd.nxt) || unsent <= len)
        return 0;
    if (bytes > unsent - 1) /* the last of all is not like the others */
        bytes = unsent - 1;
    if (bytes > room)
        bytes = room;
    bytes = pace_cap(t, c, bytes);
    return bytes / len < max ? bytes / len : max;
}

/*
 * A train: the segments behind @first differ from it in SEG.SEQ and text alone, as long as
 * their connection is the only one that has something to send.  They are what tcp_output_next()
 * would have made, at a fraction of the cost.
 */
uint32_t tcp_output_train(struct tcp *t, uint32_t ci, uint32_t tcp_at, const struct la_tx *first,
                          struct la_tx *out, uint32_t max)
{
    struct tcp_conn *c = conn_at(t, ci);
    const uint32_t len = first->len_bytes - first->header_len;

    LA_ASSERT(len > 0); /* trains are of text */
    const uint32_t n = train_length(t, c, len, max);
    const uint32_t segs = len > c->snd_mss ? len / c->snd_mss : 1;

    if (n == 0)
        return 0;
    for (uint32_t i = 0; i < n; i++) {
        struct la_tx *tx = &out[i];
        const tcp_seq seq = seq_add(c->snd.nxt, i * len);
        uint32_t count;

        memcpy(tx, first, offsetof(struct la_tx, spans));
        store_be32(tx->header + tcp_at + 4, seq_raw(seq));
        const uint32_t done = queue_spans(&c->sndq, &t->env.chunks, t, seq_diff(c->snd.una, seq),
                                          len, tx->spans, LA_TX_SPANS_MAX, &count, &c->sndhint);
        LA_ASSERT(done == len);
        tx->span_count = (uint16_t)count;
    }
    c->segs_out += n * segs;
    c->data_segs_out += n * segs;
    t->env.counters[LA_COUNT_OutSegs] += (uint64_t)n * segs;
    if (pace_wanted(t, c))
        pace_sent(t, c, n * len);
    flight_sent(t, c, seq_add(c->snd.nxt, n * len), n * segs);
    c->snd.nxt = seq_add(c->snd.nxt, n * len);
    c->snd.rtx = c->snd.nxt; /* nothing was to be sent again */
    if (c->set.notsent_lowat != 0)
        conn_ready(t, ci, false);
    cc_on_send(c);
    if (!c->persist && tlp_possible(t, c)) {
        tcp_timer_stop(c, TCP_DL_RTX); /* as after_sending() does */
        tcp_rtx_rearm(t, ci);
    }
    return n;
}
