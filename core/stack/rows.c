/* SPDX-License-Identifier: MIT */
/*
 * rows.c - Everything a stack holds, row by row, and how much of it there is in each state.
 *
 * A walk goes over the slots of one table after another, with a cursor, so that it can be cut
 * into slices of any size: what comes or goes in between is seen or not, and nothing else is
 * missed.  The numbers by state are kept where states change, and cost no walk.
 */
#include "core/stack/stack.h"

enum walk {
    WALK_LISTENERS,
    WALK_CONNS,
    WALK_HALF4,
    WALK_HALF6,
    WALK_SHORT4,
    WALK_SHORT6,
    WALK_END
};

static const struct slab *walk_slab(const struct tcp *t, enum walk w)
{
    switch (w) {
    case WALK_LISTENERS:
        return &t->listeners;
    case WALK_CONNS:
        return &t->conns;
    case WALK_HALF4:
        return &t->half4;
    case WALK_HALF6:
        return &t->half6;
    case WALK_SHORT4:
        return &t->short4;
    case WALK_SHORT6:
        return &t->short6;
    case WALK_END:
        break;
    }
    return NULL;
}

static void row_flow(struct la_row *r, const struct tcp_flow *f)
{
    r->local = (struct la_endpoint){ .addr = f->laddr, .port = f->lport };
    r->remote = (struct la_endpoint){ .addr = f->raddr, .port = f->rport };
}

/* The timer ss shows: retransmission or persist, else what ends an idle connection. */
static void row_timer(const struct tcp_conn *c, struct la_row *r)
{
    if (c->deadline[TCP_DL_RTX].ns != UINT64_MAX) {
        r->timer = c->persist                    ? LA_TIMER_PERSIST
                   : c->rtx_kind == TCP_RTX_TLP  ? LA_TIMER_TLP
                   : c->rtx_kind == TCP_RTX_RACK ? LA_TIMER_RACK
                                                 : LA_TIMER_RTO;
        r->timer_at = c->deadline[TCP_DL_RTX];
        r->retries = c->persist ? c->probes : c->retransmits;
    } else if (c->deadline[TCP_DL_IDLE].ns != UINT64_MAX) {
        const bool ends = c->state == LA_FIN_WAIT_2 && !c->held;

        r->timer = ends ? LA_TIMER_FIN_WAIT_2 : LA_TIMER_KEEPALIVE;
        r->timer_at = c->deadline[TCP_DL_IDLE];
        r->retries = c->ka_probes;
    } else {
        r->retries = c->retransmits;
    }
}

/* As Linux counts queues: SYN and FIN take a place until acknowledged, or read. */
static void row_queues(const struct tcp_conn *c, struct la_row *r)
{
    r->recv_q = c->rcvq.len_bytes;
    r->send_q = c->sndq.len_bytes;
    if (c->fin_received && c->eof_reads == 0 && c->state != LA_CLOSED)
        r->recv_q++;
    if (in(c, S(SYN_SENT) | S(SYN_RECEIVED)))
        r->send_q++;
    if (c->fin_queued &&
        in(c, S(ESTABLISHED) | S(FIN_WAIT_1) | S(CLOSE_WAIT) | S(CLOSING) | S(LAST_ACK)))
        r->send_q++;
}

static void row_conn(const struct tcp *t, uint32_t ci, struct la_row *r)
{
    const struct tcp_conn *c = conn_at(t, ci);

    r->kind = LA_ROW_CONN;
    r->state = (enum la_state)c->state;
    row_queues(c, r);
    row_timer(c, r);
    r->orphan = !c->held && c->listener == SLAB_NONE;
    r->reuse = c->set.reuse;
    r->reuse_port = c->set.reuse_port;
    r->since = tcp_coarse_time(t, c->state_since);
    for (uint32_t i = 0; i < TCP_DEADLINES; i++)
        r->expires = time_min(r->expires, c->deadline[i]);
    r->id.bits = slab_handle(&t->conns, t, ci);
    if (c->held)
        r->conn = r->id;
    row_flow(r, &c->flow);
}

static void row_listener(const struct tcp *t, uint32_t li, struct la_row *r)
{
    const struct tcp_listener *l = listener_at(t, li);

    r->kind = LA_ROW_LISTENER;
    r->state = LA_LISTEN;
    r->recv_q = l->accept_len;
    r->send_q = l->backlog;
    r->half_len = l->half_len;
    r->listener.bits = slab_handle(&t->listeners, t, li);
    r->local = (struct la_endpoint){ .addr = l->local.addr, .port = l->port };
    r->local_len = l->local.len;
    r->v6_only = l->v6_only;
}

static void row_half(const struct tcp *t, uint32_t ref, struct la_row *r)
{
    const struct tcp_half *h = half_at(t, ref);
    struct tcp_flow f;

    r->kind = LA_ROW_HALF_OPEN;
    r->state = LA_SYN_RECEIVED;
    r->expires = r->timer_at = h->expires;
    r->timer = LA_TIMER_SYNACK;
    r->retries = h->retries;
    half_flow(h, ref, &f);
    row_flow(r, &f);
}

static void row_short(const struct tcp *t, uint32_t ref, struct la_row *r)
{
    const struct tcp_short *sh = short_at(t, ref);
    struct tcp_flow f;

    r->kind = LA_ROW_SHORT;
    r->state = (enum la_state)sh->state;
    r->expires = r->timer_at = sh->expires;
    r->timer = sh->state == LA_TIME_WAIT ? LA_TIMER_TIME_WAIT : LA_TIMER_FIN_WAIT_2;
    r->orphan = sh->state == LA_FIN_WAIT_2;
    r->reuse = (sh->flags & TCP_SHORT_REUSE) != 0;
    r->reuse_port = (sh->flags & TCP_SHORT_REUSE_PORT) != 0;
    short_flow(sh, ref, &f);
    row_flow(r, &f);
}

static void row_at(const struct tcp *t, enum walk w, uint32_t i, struct la_row *r)
{
    *r = (struct la_row){ .expires = LA_TIME_NEVER,
                          .timer = LA_TIMERS,
                          .timer_at = LA_TIME_NEVER,
                          .since = LA_TIME_NEVER };
    switch (w) {
    case WALK_LISTENERS:
        row_listener(t, i, r);
        break;
    case WALK_CONNS:
        row_conn(t, i, r);
        break;
    case WALK_HALF4:
    case WALK_HALF6:
        row_half(t, w == WALK_HALF6 ? i | TCP_REF_V6 : i, r);
        break;
    case WALK_SHORT4:
    case WALK_SHORT6:
        row_short(t, w == WALK_SHORT6 ? i | TCP_REF_V6 : i, r);
        break;
    case WALK_END:
        break;
    }
}

uint32_t la_rows_slice(const struct la_stack *s, uint64_t *cursor, struct la_row *out, uint32_t max,
                       uint32_t slots)
{
    const struct tcp *t = &s->tcp;
    uint32_t w = (uint32_t)(*cursor >> 32);
    uint32_t i = (uint32_t)*cursor;
    uint32_t n = 0;

    while (n < max && slots > 0 && w < WALK_END) {
        const struct slab *b = walk_slab(t, (enum walk)w);

        LA_ASSERT(b != NULL);
        if (i >= b->high) {
            w++;
            i = 0;
            continue;
        }
        if (slab_live(b, t, i))
            row_at(t, (enum walk)w, i, &out[n++]);
        i++;
        slots--;
    }
    *cursor = w < WALK_END ? (uint64_t)w << 32 | i : LA_ROWS_END;
    return n;
}

uint32_t la_rows(const struct la_stack *s, uint64_t *cursor, struct la_row *out, uint32_t max)
{
    return la_rows_slice(s, cursor, out, max, UINT32_MAX);
}

void la_state_counts(const struct la_stack *s, uint32_t out[LA_STATES])
{
    const struct tcp *t = &s->tcp;

    memcpy(out, t->state_count, sizeof(t->state_count));
    out[LA_LISTEN] += t->listeners.used;
    out[LA_SYN_RECEIVED] += t->half4.used + t->half6.used;
    for (uint32_t k = 0; k < TCP_SHORT_CLASSES; k++)
        out[t->short_class[k].state] += t->short_class[k].fifo.len;
}
