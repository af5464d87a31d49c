/* SPDX-License-Identifier: MIT */
/*
 * info.c - STATUS (RFC 9293 3.10.6), counters, sysctls, trace records: what observe.h offers
 * but rows, which are in rows.c.
 */
#include "core/stack/stack.h"
#include "core/tcp/pmtu.h"

static void put_numbers(const struct tcp *t, const struct tcp_conn *c, struct la_conn_info *o)
{
    o->iss = seq_raw(conn_iss(c));
    o->irs = seq_raw(conn_irs(c));
    o->snd_una = seq_raw(c->snd.una);
    o->snd_nxt = seq_raw(c->snd.nxt);
    o->snd_wnd = c->snd.wnd;
    o->snd_wl1 = seq_raw(c->snd.wl1);
    o->snd_wl2 = seq_raw(c->snd.una);
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
    o->path_mtu_bytes = pmtu_limit(t, c);
    o->adv_mss = c->adv_mss;
    o->snd_wscale = c->snd_shift;
    o->rcv_wscale = c->rcv_shift;
    o->retransmits = c->retransmits;
    o->backoff = c->backoff;
    o->probes = c->probes;
}

static void put_rates(const struct tcp *t, const struct tcp_conn *c, struct la_conn_info *o)
{
    const uint32_t most = c->set.max_pacing_rate;

    o->pacing_rate = pace_rate(t, c);
    o->max_pacing_rate = most > 0 ? most : PACE_UNLIMITED;
    o->paced = pace_wanted(t, c);
    o->delivery_rate = rate_told(c, &o->delivery_app_limited);
    o->data_segs_out = c->data_segs_out;
    o->data_segs_in = c->data_segs_in;
    o->bytes_retrans = c->bytes_retrans;
    o->dsack_dups = c->dsack_dups;
    o->reord_seen = c->reord_seen;
    o->rto_recovery = c->rto_recovery;
    o->ecn = c->ecn;
    o->active = c->active;
    o->congestion = c->set.congestion;
    o->ato_us = t->env.knobs.delack_ms * 1000u;
}

/* When text last came, to about a millisecond; LA_TIME_NEVER if none has. */
static la_time text_time(const struct tcp *t, const struct tcp_conn *c)
{
    return c->bytes_received == 0 ? LA_TIME_NEVER : tcp_coarse_time(t, c->rcv_text_at);
}

/* Text sent, repeats included. */
static uint64_t bytes_sent(const struct tcp_conn *c)
{
    const uint32_t flight = c->established ? seq_diff(c->snd.una, conn_text_end_sent(c)) : 0;

    return c->bytes_acked + c->bytes_retrans + (conn_fin_acked(c) ? 0 : flight);
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
        .bytes_sent = bytes_sent(c),
        .bytes_acked = c->bytes_acked,
        .bytes_received = c->bytes_received,
        .segs_out = c->segs_out,
        .segs_in = c->segs_in,
        .segs_retransmitted = c->segs_retransmitted,
        .opened = c->opened,
        .last_received = c->last_rx,
        .last_sent = c->last_tx,
        .last_text_received = text_time(t, c),
        .state_since = tcp_coarse_time(t, c->state_since),
        .deadline_rtx = c->deadline[TCP_DL_RTX],
        .deadline_idle = c->deadline[TCP_DL_IDLE],
        .deadline_delack = c->deadline[TCP_DL_DELACK],
        .error = (enum la_err)c->error,
        .reason = (enum la_drop)c->reason,
    };
    put_numbers(t, c, out);
    put_rates(t, c, out);
    flight_info(t, c, out);
    return LA_OK;
}

enum la_err la_listener_info(const struct la_stack *s, la_listener_id id,
                             struct la_listener_info *out)
{
    const uint32_t li = slab_find(&s->tcp.listeners, &s->tcp, id.bits);

    if (li == SLAB_NONE)
        return LA_EBADHANDLE;
    listener_info(&s->tcp, li, out);
    return LA_OK;
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
    struct la_table_use use;

    switch (table) {
    case LA_TABLE_CONNECTIONS:
        use = use_of(&t->conns);
        use.item_bytes += t->wheel.stride; /* each has a node */
        return use;
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
