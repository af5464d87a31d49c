/* SPDX-License-Identifier: MIT */
/*
 * arrives.c - SEGMENT ARRIVES (RFC 9293 3.10.7): choose who treats it, and settle.
 *
 * One look-up by 4-tuple decides: a full connection, a half-open record, a short record,
 * or nothing - then a listener, or CLOSED.  Each has a file of its own that follows the
 * RFC's steps in the RFC's order; arrives_fast.c takes the common case of a connection first.
 *
 * A burst is treated segment by segment, and settled once: acknowledgments of text that
 * came merely in order wait until the burst is over (MUST-58, MUST-59).
 */
#include "core/base/checksum.h"
#include "core/tcp/tcp.h"

void tcp_touch(struct tcp *t, uint32_t ci)
{
    struct tcp_conn *c = conn_at(t, ci);

    if (c->touched)
        return;
    LA_ASSERT(t->touched_count < LA_COUNT_OF(t->touched));
    c->touched = true;
    t->touched[t->touched_count++] = ci;
}

void tcp_settle(struct tcp *t)
{
    for (uint32_t i = 0; i < t->touched_count; i++) {
        const uint32_t ci = t->touched[i];

        if (!slab_live(&t->conns, t, ci))
            continue; /* it ended within the burst */
        struct tcp_conn *c = conn_at(t, ci);
        if (!c->touched)
            continue; /* another one took its slot */
        c->touched = false;
        ack_settle(t, ci);
    }
    t->touched_count = 0;
    memory_look(t);
}

/* The state the segment led to: of the connection, or of the short record it became. */
static uint8_t state_now(const struct tcp_arrival *a, uint32_t ci)
{
    struct index_entry e;

    if (ci != SLAB_NONE && conn_at(a->t, ci)->state != LA_CLOSED)
        return conn_at(a->t, ci)->state;
    e = tcp_lookup(a->t, &a->flow, a->hash);
    return e.type == INDEX_SHORT ? short_at(a->t, e.value)->state : (uint8_t)LA_CLOSED;
}

void tcp_treated(struct tcp_arrival *a, uint64_t handle)
{
    struct tcp *t = a->t;
    const uint32_t ci = slab_find(&t->conns, t, handle);

    if (t->env.trace.cap > 0)
        trace_rx(a, state_now(a, ci), handle);
    if (ci == SLAB_NONE)
        return; /* the segment ended it */
    if (a->reason == LA_DROP_NONE)
        conn_at(t, ci)->last_rx = t->env.now;
    ack_flush(t, ci);
    t->dsack.set = false; /* an ACK that waits does not tell */
    tcp_touch(t, ci);
}

/* Nothing is done with a segment before its checksum is known to be right. */
static bool verified(struct tcp_arrival *a)
{
    const struct tcp_seg *seg = a->seg;

    if (!a->unverified)
        return true;
    a->unverified = false;
    return checksum_finish(checksum_add(a->t->env.cpu_features, a->sum, seg->text, seg->len)) == 0;
}

/* A full connection: SYN-SENT has its own five steps, the others share eight. */
static void arrives_conn(struct tcp_arrival *a)
{
    struct tcp *t = a->t;
    const uint64_t handle = slab_handle(&t->conns, t, a->ci);

    conn_count_in(a);
    if (a->c->state == LA_SYN_SENT) {
        if (tcp_arrives_synsent(a) == TCP_GO_ON)
            tcp_arrives_after_syn(a);
    } else {
        tcp_arrives_other(a);
    }
    tcp_treated(a, handle);
}

static void arrives_nobody(struct tcp_arrival *a)
{
    const uint32_t li = listener_lookup(a->t, a->flow.laddr, a->flow.lport);

    a->from = li == SLAB_NONE ? LA_CLOSED : LA_LISTEN;
    if (li == SLAB_NONE)
        tcp_arrives_closed(a);
    else
        tcp_arrives_listen(a, li);
    if (a->ci != SLAB_NONE)
        return; /* a cookie came back, and the connection has treated the segment */
    const bool opened = li != SLAB_NONE && a->reason == LA_DROP_NONE;
    trace_rx(a, opened ? (uint8_t)LA_SYN_RECEIVED : a->from, 0);
}

/*
 * What stands under the 4-tuple.  In a burst it is often the connection that the last segment was
 * for: that one is asked first.  In these states a connection stands in the index, alone.
 */
static struct index_entry find(struct tcp_arrival *a, const struct tcp_input *from)
{
    struct tcp *t = a->t;
    const uint32_t ci = t->recent.ci;
    struct index_entry e;

    if (slab_live(&t->conns, t, ci)) {
        const struct tcp_conn *c = conn_at(t, ci);

        if (in(c, S(ESTABLISHED) | S(FIN_WAIT_1) | S(FIN_WAIT_2) | S(CLOSE_WAIT)) &&
            flow_equal(&c->flow, &a->flow)) {
            a->hash = c->hash;
            return (struct index_entry){ .type = INDEX_CONN, .value = ci };
        }
    }
    a->hash = from->hashed ? from->hash : tcp_hash_recent(t, &a->flow);
    e = tcp_lookup(t, &a->flow, a->hash);
    if (e.type == INDEX_CONN)
        t->recent.ci = e.value;
    return e;
}

/* Step by step, whatever is there under the 4-tuple. */
static void arrives_at(struct tcp_arrival *a, struct index_entry e)
{
    switch (e.type) {
    case INDEX_CONN:
        arrives_conn(a);
        break;
    case INDEX_HALF_OPEN:
        tcp_arrives_half(a, e.value);
        break;
    case INDEX_SHORT:
        if (tcp_arrives_short(a, e.value))
            arrives_nobody(a);
        break;
    case INDEX_FREE:
        arrives_nobody(a);
        break;
    }
}

/* What tcp_treated() does, where the connection is known to have stayed what it was. */
static void taken_fast(struct tcp_arrival *a)
{
    struct tcp *t = a->t;
    struct tcp_conn *c = a->c;

    conn_count_in(a);
    if (t->env.trace.cap > 0)
        trace_rx(a, c->state, slab_handle(&t->conns, t, a->ci));
    c->last_rx = t->env.now;
    if (c->ack_now)
        ack_flush(t, a->ci);
    if (!c->touched)
        tcp_touch(t, a->ci);
}

/* The steps look at text in one piece. */
static void gather(struct tcp_arrival *a, const struct tcp_input *in, struct tcp_seg *seg)
{
    uint32_t at = 0;

    *seg = *in->seg;
    for (uint32_t i = 0; i < in->span_count; i++) {
        memcpy(in->room + at, in->spans[i].bytes, in->spans[i].len_bytes);
        at += in->spans[i].len_bytes;
    }
    LA_ASSERT(at == seg->len);
    seg->text = in->room;
    a->seg = seg;
    a->text = in->room;
}

bool tcp_arrives(struct tcp *t, const struct tcp_input *in, struct tcp_arrival *a)
{
    const struct tcp_seg *seg = in->seg;
    struct tcp_seg gathered;
    enum tcp_fast fast = TCP_FAST_OTHER;

    *a = (struct tcp_arrival){
        .t = t,
        .seg = seg,
        .flow = { .laddr = in->dst,
                  .raddr = in->src,
                  .lport = seg->dst_port,
                  .rport = seg->src_port },
        .path = in->path,
        .segs = in->segs,
        .ecn = in->ecn,
        .unverified = in->unverified,
        .sum = in->sum,
        .whole = { seg->text, seg->len },
        .spans = in->spans,
        .span_count = in->span_count,
        .text = seg->text,
        .len = seg->len,
        .text_seq = seq_add(seg->seq, (seg->flags & TCP_SYN) != 0),
        .fin = (seg->flags & TCP_FIN) != 0,
        .ci = SLAB_NONE,
        .reopens = TCP_REF_NONE,
    };
    LA_ASSERT(in->segs > 0);
    if (in->span_count == 0) {
        a->spans = &a->whole;
        a->span_count = 1;
    }
    const struct index_entry e = find(a, in);
    if (e.type == INDEX_CONN) {
        a->ci = e.value;
        a->c = conn_at(t, a->ci);
        a->from = a->c->state;
        fast = tcp_arrives_fast(a);
    }
    if (fast == TCP_FAST_OTHER && in->span_count > 0)
        gather(a, in, &gathered);
    if (fast == TCP_FAST_CORRUPT || (fast == TCP_FAST_OTHER && !verified(a)))
        return false;
    if (fast == TCP_FAST_TAKEN)
        taken_fast(a);
    else
        arrives_at(a, e);
    a->fast = fast == TCP_FAST_TAKEN;
    env_drop(&t->env, a->reason);
    if (a->reason != LA_DROP_NONE)
        cause_segment(a);
    return true;
}

bool tcp_arrives_more(struct tcp_arrival *a)
{
    LA_DCHECK(a->fast && slab_live(&a->t->conns, a->t, a->ci));
    if (tcp_arrives_fast(a) != TCP_FAST_TAKEN)
        return false;
    taken_fast(a);
    env_drop(&a->t->env, LA_DROP_NONE);
    return true;
}
