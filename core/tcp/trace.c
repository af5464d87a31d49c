/* SPDX-License-Identifier: MIT */
/*
 * trace.c - Trace records: what happened to connections, in a ring the host reads.
 *
 * With no ring configured each call is one comparison.
 */
#include "core/tcp/tcp.h"

static struct la_trace *put(struct tcp *t)
{
    struct env_trace *r = &t->env.trace;
    struct la_trace *ring = (struct la_trace *)(void *)((uint8_t *)tcp_arena(t) + r->offset);
    struct la_trace *at;

    if (r->cap == 0)
        return NULL;
    if (r->count == r->cap) { /* the oldest gives way */
        r->first = (r->first + 1) % r->cap;
        r->count--;
        r->lost++;
    }
    at = &ring[(r->first + r->count) % r->cap];
    r->count++;
    memset(at, 0, sizeof(*at));
    at->at = t->env.now;
    return at;
}

static void put_flow(struct la_trace *r, const struct tcp_flow *flow)
{
    r->local = (struct la_endpoint){ .addr = flow->laddr, .port = flow->lport };
    r->remote = (struct la_endpoint){ .addr = flow->raddr, .port = flow->rport };
}

static void put_seg(struct la_trace *r, const struct tcp_seg *seg)
{
    r->seq = seq_raw(seg->seq);
    r->ack = seq_raw(seg->ack);
    r->wnd = seg->wnd;
    r->len_bytes = seg->len;
    r->flags = seg->flags;
}

void trace_rx(const struct tcp_arrival *a, uint8_t to, uint64_t conn)
{
    struct la_trace *r = put(a->t);

    if (r == NULL)
        return;
    r->kind = LA_TRACE_RX;
    r->conn = conn;
    r->from = a->from;
    r->to = to;
    r->reason = (uint16_t)a->reason;
    put_flow(r, &a->flow);
    put_seg(r, a->seg);
}

void trace_tx(struct tcp *t, const struct tcp_flow *flow, uint64_t conn, uint8_t state,
              const struct tcp_seg *seg, bool retransmission)
{
    struct la_trace *r = put(t);

    if (r == NULL)
        return;
    r->kind = LA_TRACE_TX;
    r->conn = conn;
    r->from = r->to = state;
    r->retransmission = retransmission;
    put_flow(r, flow);
    put_seg(r, seg);
}

void trace_state(struct tcp *t, const struct tcp_flow *flow, uint64_t conn, uint8_t from,
                 uint8_t to, enum la_drop reason)
{
    struct la_trace *r = put(t);

    if (r == NULL)
        return;
    r->kind = LA_TRACE_STATE;
    r->conn = conn;
    r->from = from;
    r->to = to;
    r->reason = (uint16_t)reason;
    put_flow(r, flow);
}

void trace_timeout(struct tcp *t, const struct tcp_flow *flow, uint64_t conn, uint8_t state,
                   enum la_timer timer)
{
    struct la_trace *r = put(t);

    if (r == NULL)
        return;
    r->kind = LA_TRACE_TIMEOUT;
    r->conn = conn;
    r->from = r->to = state;
    r->timer = (uint8_t)timer;
    put_flow(r, flow);
}

void trace_end(struct tcp *t, const struct tcp_conn *c, enum la_drop reason)
{
    struct la_trace *r = put(t);

    if (r == NULL)
        return;
    r->kind = LA_TRACE_END;
    r->conn = slab_handle(&t->conns, t, conn_index(t, c));
    r->from = c->state;
    r->to = LA_CLOSED;
    r->reason = (uint16_t)reason;
    put_flow(r, &c->flow);
}

void trace_recovery(struct tcp *t, const struct tcp_conn *c, enum la_recovery event)
{
    struct la_trace *r = put(t);

    if (r == NULL)
        return;
    r->kind = LA_TRACE_RECOVERY;
    r->conn = slab_handle(&t->conns, t, conn_index(t, c));
    r->from = r->to = c->state;
    r->timer = (uint8_t)event;
    r->seq = seq_raw(c->snd.una);
    r->ack = seq_raw(c->snd.nxt);
    r->len_bytes = conn_pipe(t, c);
    r->cwnd = c->cwnd;
    r->ssthresh = c->ssthresh;
    put_flow(r, &c->flow);
}
