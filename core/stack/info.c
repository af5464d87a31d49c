/* SPDX-License-Identifier: MIT */
/*
 * info.c - STATUS (RFC 9293 3.10.6), rows, counters, sysctls, trace records: what
 * observe.h offers.
 */
#include "core/stack/stack.h"

static void put_numbers(const struct tcp *t, const struct tcp_conn *c, struct la_conn_info *o)
{
    o->iss = seq_raw(c->iss);
    o->irs = seq_raw(c->irs);
    o->snd_una = seq_raw(c->snd.una);
    o->snd_nxt = seq_raw(c->snd.nxt);
    o->snd_wnd = c->snd.wnd;
    o->snd_wl1 = seq_raw(c->snd.wl1);
    o->snd_wl2 = seq_raw(c->snd.wl2);
    o->rcv_nxt = seq_raw(c->rcv.nxt);
    o->rcv_wnd = tcp_rcv_wnd(c);
    o->snd_queued_bytes = c->sndq.len_bytes;
    o->rcv_queued_bytes = c->rcvq.len_bytes;
    o->rcv_ooo_bytes = reassembly_bytes(t, c);
    o->snd_mss = c->snd_mss;
    o->rcv_mss = c->rcv_mss;
    o->cwnd_bytes = c->cwnd;
    o->ssthresh_bytes = c->ssthresh;
    o->srtt_us = c->srtt_us8 / 8;
    o->rttvar_us = c->rttvar_us4 / 4;
    o->rto_us = (uint32_t)(rtt_rto_ns(t, c) / NS_PER_US);
    o->snd_wscale = c->snd_shift;
    o->rcv_wscale = c->rcv_shift;
    o->retransmits = c->retransmits;
    o->backoff = c->backoff;
    o->probes = c->probes;
}

enum la_err la_conn_info(const struct la_stack *s, la_conn_id id, struct la_conn_info *out)
{
    const struct tcp *t = &s->tcp;
    const uint32_t ci = slab_find(&t->conns, t, id.bits);
    const struct tcp_conn *c;

    if (ci == SLAB_NONE)
        return LA_EBADHANDLE;
    c = conn_at(t, ci);
    *out = (struct la_conn_info){
        .conn = id,
        .state = (enum la_state)c->state,
        .local = { .addr = c->flow.laddr, .port = c->flow.lport },
        .remote = { .addr = c->flow.raddr, .port = c->flow.rport },
        .user = c->user,
        .mask = conn_mask(t, c),
        .timestamps = c->timestamps,
        .sack = c->sack,
        .orphan = !c->held && c->listener == SLAB_NONE,
        .in_recovery = c->in_recovery || c->rto_recovery,
        .bytes_sent = c->bytes_sent,
        .bytes_acked = c->bytes_acked,
        .bytes_received = c->bytes_received,
        .segs_out = c->segs_out,
        .segs_in = c->segs_in,
        .segs_retransmitted = c->segs_retransmitted,
        .opened = c->opened,
        .last_received = c->last_rx,
        .last_sent = c->last_tx,
        .state_since = c->state_since,
        .deadline_rtx = c->deadline[TCP_DL_RTX],
        .deadline_idle = c->deadline[TCP_DL_IDLE],
        .deadline_delack = c->deadline[TCP_DL_DELACK],
        .error = (enum la_err)c->error,
        .reason = (enum la_drop)c->reason,
    };
    put_numbers(t, c, out);
    return LA_OK;
}

/* Rows -------------------------------------------------------------------------------- */

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

static void row_conn(const struct tcp *t, uint32_t ci, struct la_row *r)
{
    const struct tcp_conn *c = conn_at(t, ci);

    r->kind = LA_ROW_CONN;
    r->state = (enum la_state)c->state;
    r->recv_q = c->rcvq.len_bytes;
    r->send_q = c->sndq.len_bytes;
    r->retries = c->persist ? c->probes : c->retransmits;
    r->orphan = !c->held && c->listener == SLAB_NONE;
    r->reuse = c->set.reuse;
    for (uint32_t i = 0; i < TCP_DEADLINES; i++)
        r->expires = time_min(r->expires, c->deadline[i]);
    if (c->held)
        r->conn.bits = slab_handle(&t->conns, t, ci);
    row_flow(r, &c->flow);
}

static void row_at(const struct tcp *t, enum walk w, uint32_t i, struct la_row *r)
{
    const bool v6 = w == WALK_HALF6 || w == WALK_SHORT6;
    const uint32_t ref = v6 ? i | TCP_REF_V6 : i;
    struct tcp_flow f;

    *r = (struct la_row){ .expires = LA_TIME_NEVER };
    if (w == WALK_CONNS) {
        row_conn(t, i, r);
    } else if (w == WALK_LISTENERS) {
        const struct tcp_listener *l = listener_at(t, i);

        r->kind = LA_ROW_LISTENER;
        r->state = LA_LISTEN;
        r->recv_q = l->accept_len;
        r->send_q = listener_limit(t, l);
        r->local = (struct la_endpoint){ .addr = l->local.addr, .port = l->port };
    } else if (w == WALK_HALF4 || w == WALK_HALF6) {
        const struct tcp_half *h = half_at(t, ref);

        r->kind = LA_ROW_HALF_OPEN;
        r->state = LA_SYN_RECEIVED;
        r->expires = h->expires;
        r->retries = h->retries;
        half_flow(h, ref, &f);
        row_flow(r, &f);
    } else {
        const struct tcp_short *sh = short_at(t, ref);

        r->kind = LA_ROW_SHORT;
        r->state = (enum la_state)sh->state;
        r->expires = sh->expires;
        r->orphan = sh->state == LA_FIN_WAIT_2;
        r->reuse = (sh->flags & TCP_SHORT_REUSE) != 0;
        short_flow(sh, ref, &f);
        row_flow(r, &f);
    }
}

uint32_t la_rows(const struct la_stack *s, uint64_t *cursor, struct la_row *out, uint32_t max)
{
    const struct tcp *t = &s->tcp;
    enum walk w = (enum walk)(*cursor >> 32);
    uint32_t i = (uint32_t)*cursor;
    uint32_t n = 0;

    while (n < max && w < WALK_END) {
        const struct slab *b = walk_slab(t, w);

        if (i >= b->high) {
            w = (enum walk)(w + 1);
            i = 0;
            continue;
        }
        if (slab_live(b, t, i))
            row_at(t, w, i, &out[n++]);
        i++;
    }
    *cursor = (uint64_t)w << 32 | i;
    return n;
}

enum la_err la_listener_info(const struct la_stack *s, la_listener_id id,
                             struct la_listener_info *out)
{
    const struct tcp *t = &s->tcp;
    const uint32_t li = slab_find(&t->listeners, t, id.bits);
    const struct tcp_listener *l;

    if (li == SLAB_NONE)
        return LA_EBADHANDLE;
    l = listener_at(t, li);
    out->accept_len = l->accept_len;
    out->half_len = l->half_len;
    out->limit = listener_limit(t, l);
    return LA_OK;
}

void la_state_counts(const struct la_stack *s, uint32_t out[LA_STATES])
{
    struct la_row rows[16];
    uint64_t cursor = 0;
    uint32_t n;

    memset(out, 0, LA_STATES * sizeof(out[0]));
    while ((n = la_rows(s, &cursor, rows, 16)) > 0)
        for (uint32_t i = 0; i < n; i++)
            out[rows[i].state]++;
}

/* Counters and tables --------------------------------------------------------------------- */

uint64_t la_counter(const struct la_stack *s, enum la_counter counter)
{
    LA_ASSERT((uint32_t)counter < LA_COUNTERS);
    return s->tcp.env.counters[counter];
}

uint64_t la_drops(const struct la_stack *s, enum la_drop reason)
{
    LA_ASSERT((uint32_t)reason < LA_DROPS);
    return s->tcp.env.drops[reason];
}

static struct la_table_use use_of(const struct slab *b)
{
    return (struct la_table_use){
        .used = b->used,
        .used_max = b->used_max,
        .limit = b->cap,
        .item_bytes = b->item_bytes,
    };
}

struct la_table_use la_table_use(const struct la_stack *s, enum la_table table)
{
    const struct tcp *t = &s->tcp;

    switch (table) {
    case LA_TABLE_CONNECTIONS:
        return use_of(&t->conns);
    case LA_TABLE_LISTENERS:
        return use_of(&t->listeners);
    case LA_TABLE_HALF_OPEN_V4:
        return use_of(&t->half4);
    case LA_TABLE_HALF_OPEN_V6:
        return use_of(&t->half6);
    case LA_TABLE_SHORT_V4:
        return use_of(&t->short4);
    case LA_TABLE_SHORT_V6:
        return use_of(&t->short6);
    case LA_TABLE_CHUNKS:
        return use_of(&t->env.chunks.slab);
    case LA_TABLE_REPLIES:
        return (struct la_table_use){ .used = t->replies.count,
                                      .used_max = t->replies.count_max,
                                      .limit = t->replies.cap,
                                      .item_bytes = sizeof(struct tcp_reply) };
    case LA_TABLES:
        break;
    }
    return (struct la_table_use){ .used = 0 };
}

/* sysctl -------------------------------------------------------------------------------------- */

struct knob {
    const char *name, *text;
    uint16_t offset; /* in struct env_knobs */
    uint32_t min, max;
};
static const struct knob knobs[] = {
#define LA_KNOB(field, name, value, min, max, text)                                                \
    { name, text, (uint16_t)offsetof(struct env_knobs, field), min, max },
#include <lastack/knobs.def>
#undef LA_KNOB
};

static bool text_equal(const char *a, const char *b)
{
    while (*a != '\0' && *a == *b) {
        a++;
        b++;
    }
    return *a == *b;
}

static const struct knob *knob_named(const char *name)
{
    for (uint32_t i = 0; i < LA_COUNT_OF(knobs); i++)
        if (text_equal(knobs[i].name, name))
            return &knobs[i];
    return NULL;
}

enum la_err la_sysctl_get(const struct la_stack *s, const char *name, uint64_t *value)
{
    const struct knob *k = knob_named(name);
    uint32_t v;

    if (k == NULL)
        return LA_ENOENT;
    memcpy(&v, (const uint8_t *)&s->tcp.env.knobs + k->offset, sizeof(v));
    *value = v;
    return LA_OK;
}

enum la_err la_sysctl_set(struct la_stack *s, const char *name, uint64_t value)
{
    const struct knob *k = knob_named(name);
    const uint32_t v = (uint32_t)value;

    if (k == NULL)
        return LA_ENOENT;
    if (value < k->min || value > k->max)
        return LA_EINVAL;
    memcpy((uint8_t *)&s->tcp.env.knobs + k->offset, &v, sizeof(v));
    return LA_OK;
}

const char *la_sysctl_name(uint32_t i)
{
    return i < LA_COUNT_OF(knobs) ? knobs[i].name : NULL;
}

const char *la_sysctl_text(uint32_t i)
{
    return i < LA_COUNT_OF(knobs) ? knobs[i].text : NULL;
}

/* Trace ------------------------------------------------------------------------------------------- */

uint32_t la_trace_read(struct la_stack *s, struct la_trace *out, uint32_t max, uint64_t *lost)
{
    struct env_trace *r = &s->tcp.env.trace;
    const struct la_trace *ring =
        (const struct la_trace *)(const void *)((const uint8_t *)s + r->offset);
    uint32_t n = 0;

    while (n < max && r->count > 0) {
        out[n++] = ring[r->first];
        r->first = (r->first + 1) % r->cap;
        r->count--;
    }
    *lost += r->lost;
    r->lost = 0;
    return n;
}
