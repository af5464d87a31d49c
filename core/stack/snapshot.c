/* SPDX-License-Identifier: MIT */
/*
 * snapshot.c - The arena as a value: extents, trim, clone, hash.
 *
 * Nothing in the arena is a pointer, so a copy of the used ranges is a stack that goes on
 * exactly as the original would.
 */
#include "core/base/poison.h"
#include "core/stack/stack.h"
#include "core/tcp/inflight.h"
#include "core/tcp/pmtu.h"

static uint32_t add(struct la_extent *out, uint32_t n, uint64_t offset, uint64_t len)
{
    if (len == 0)
        return n;
    out[n] = (struct la_extent){ .offset_bytes = offset, .len_bytes = len };
    return n + 1;
}

static uint32_t add_slab(struct la_extent *out, uint32_t n, const struct slab *b)
{
    return add(out, n, b->offset, (uint64_t)b->high * b->item_bytes);
}

/* Every slab of the arena, for one of slab_show() and slab_hide(). */
static void every_slab(const struct la_stack *s,
                       void (*what)(const struct slab *b, const void *arena))
{
    const struct tcp *t = &s->tcp;

    what(&t->listeners, s);
    what(&t->conns, s);
    what(&t->half4, s);
    what(&t->half6, s);
    what(&t->short4, s);
    what(&t->short6, s);
    what(&t->port_maps, s);
    what(&t->env.chunks.slab, s);
}

void stack_hide(const struct la_stack *s)
{
    every_slab(s, slab_hide);
}

uint32_t la_extents(const struct la_stack *s, struct la_extent out[LA_EXTENTS_MAX])
{
    const struct tcp *t = &s->tcp;
    struct la_extent of_index[2];
    const uint32_t pieces = index_extents(&t->index, of_index);
    uint32_t n = add(out, 0, 0, sizeof(*s));

    every_slab(s, slab_show); /* who asks for the ranges reads them whole */
    n = add_slab(out, n, &t->listeners);
    n = add(out, n, t->replies.offset, (uint64_t)t->replies.cap * sizeof(struct tcp_reply));
    n = add(out, n, t->wheel.base_offset, (uint64_t)t->conns.high * t->wheel.stride);
    n = add_slab(out, n, &t->conns);
    n = add_slab(out, n, &t->half4);
    n = add_slab(out, n, &t->half6);
    n = add_slab(out, n, &t->short4);
    n = add_slab(out, n, &t->short6);
    n = add_slab(out, n, &t->port_maps);
    n = add(out, n, t->port_rows.offset,
            (uint64_t)t->port_rows.count * sizeof(struct tcp_port_row));
    for (uint32_t i = 0; i < pieces; i++)
        n = add(out, n, of_index[i].offset_bytes, of_index[i].len_bytes);
    n = add_slab(out, n, &t->env.chunks.slab);
    n = add(out, n, t->env.causes.offset,
            (uint64_t)(t->env.causes.told < t->env.causes.cap ? t->env.causes.told
                                                              : t->env.causes.cap) *
                sizeof(struct la_cause));
    n = add(out, n, t->env.trace.offset, (uint64_t)t->env.trace.cap * sizeof(struct la_trace));
    LA_ASSERT(n <= LA_EXTENTS_MAX);
    return n;
}

void la_trim(struct la_stack *s, uint32_t page_bytes,
             void (*each)(void *context, struct la_extent extent), void *context)
{
    struct tcp *t = &s->tcp;

    LA_ASSERT(page_bytes >= 64 && (page_bytes & (page_bytes - 1)) == 0);
    stack_enter(s, t->env.now);
    slab_trim(&t->conns, s, page_bytes, each, context);
    slab_trim(&t->half4, s, page_bytes, each, context);
    slab_trim(&t->half6, s, page_bytes, each, context);
    slab_trim(&t->short4, s, page_bytes, each, context);
    slab_trim(&t->short6, s, page_bytes, each, context);
    slab_trim(&t->port_maps, s, page_bytes, each, context);
    slab_trim(&t->env.chunks.slab, s, page_bytes, each, context);
    index_trim(&t->index, s, page_bytes, each, context);
    stack_leave(s);
}

enum la_err la_clone(const struct la_stack *s, void *mem, uint64_t bytes, struct la_stack **out)
{
    struct la_extent extents[LA_EXTENTS_MAX];
    uint32_t n;

    if (mem == NULL || (uintptr_t)mem % 64 != 0)
        return LA_EINVAL;
    if (bytes < s->bytes)
        return LA_ENOMEM;
    if (s->pinned > 0)
        return LA_EBUSY;
    n = la_extents(s, extents);
    for (uint32_t i = 0; i < n; i++) {
        poison_clear((uint8_t *)mem + extents[i].offset_bytes, extents[i].len_bytes);
        memcpy((uint8_t *)mem + extents[i].offset_bytes,
               (const uint8_t *)s + extents[i].offset_bytes, (size_t)extents[i].len_bytes);
    }
    *out = mem;
    stack_hide(s);
    stack_hide(mem);
    return LA_OK;
}

/* Hash -------------------------------------------------------------------------------------- */

/* A sum of keyed hashes of items: the order of items does not count. */
struct mix {
    struct siphash_key key;
    uint64_t now_ns;
    uint64_t sum;
};

struct item {
    uint64_t word[80];
    uint32_t n;
};

static void put(struct item *it, uint64_t word)
{
    LA_ASSERT(it->n < LA_COUNT_OF(it->word));
    it->word[it->n++] = word;
}

static void put_flow(struct item *it, const struct tcp_flow *f)
{
    uint64_t w[4];

    memcpy(w, f->laddr.bytes, 16);
    memcpy(w + 2, f->raddr.bytes, 16);
    for (uint32_t i = 0; i < 4; i++)
        put(it, w[i]);
    put(it, (uint64_t)f->lport << 16 | f->rport);
}

/* Times count from now; a deadline that is not armed counts as itself. */
static void put_time(struct item *it, const struct mix *m, la_time at)
{
    put(it, at.ns == UINT64_MAX ? UINT64_MAX : at.ns - m->now_ns);
}

static void take(struct mix *m, const struct item *it)
{
    m->sum += siphash(&m->key, it->word, it->n * (uint32_t)sizeof(uint64_t));
}

static uint64_t hash_queue(const struct tcp *t, const struct mix *m, const struct queue *q)
{
    uint64_t hash = q->len_bytes;

    for (uint32_t i = q->head; i != SLAB_NONE; i = chunk_at(&t->env.chunks, t, i)->slot.link) {
        const struct chunk *k = chunk_at(&t->env.chunks, t, i);

        /* byte by byte in runs, so that the division into chunks does not count */
        for (uint32_t b = 0; b < k->len; b++)
            hash = (hash ^ k->bytes[k->start + b]) * UINT64_C(0x100000001b3);
    }
    return hash ^ m->key.k0;
}

static void put_bits(struct item *it, const struct tcp_conn *c)
{
    const bool bits[] = { c->held,       c->active,      c->timestamps,   c->sack,
                          c->fin_queued, c->fin_sent,    c->fin_received, c->rd_shut,
                          c->want_ack,   c->want_syn,    c->want_probe,   c->want_keepalive,
                          c->want_rtx,   c->in_recovery, c->rto_recovery, c->timing,
                          c->push,       c->more,        c->starved,      c->urgent,
                          c->r1_told,    c->established, c->fin_known,    c->persist,
                          c->zero_adv,   c->text_shut,   c->parks,        c->ecn,
                          c->ecn_echo,   c->ecn_cwr,     c->ecn_reduced };
    uint64_t word = 0;

    for (uint32_t i = 0; i < LA_COUNT_OF(bits); i++)
        word = word << 1 | bits[i];
    put(it, word);
}

static void put_settings(struct item *it, const struct tcp_settings *s)
{
    put(it, (uint64_t)s->rcvbuf_fixed << 63 | (uint64_t)s->rcvbuf << 32 |
                (uint64_t)s->sndbuf_fixed << 31 | s->sndbuf);
    put(it, (uint64_t)s->notsent_lowat << 40 | (uint64_t)s->congestion << 32 | s->msl_ms1);
    put(it, s->max_pacing_rate);
    put(it, (uint64_t)s->user_timeout_ms << 32 | (uint32_t)s->keepidle_s << 16 | s->keepintvl_s);
    put(it, (uint64_t)s->linger2_s << 48 | (uint64_t)s->maxseg << 32 | (uint32_t)s->keepcnt << 24 |
                (uint32_t)s->ttl << 16 | (uint32_t)s->tos6 << 10 | (uint32_t)s->reuse_port << 5 |
                (uint32_t)s->reuse << 4 | (uint32_t)s->nodelay << 3 | (uint32_t)s->cork << 2 |
                (uint32_t)s->keepalive << 1 | s->quickack);
}

/* Times that something may yet depend on. */
static void put_times(struct item *it, const struct mix *m, const struct tcp *t,
                      const struct tcp_conn *c)
{
    const int32_t ago_us = (int32_t)(tcp_now_us(t) - c->last_invalid_us);
    const bool limited =
        c->last_invalid_us != 0 && ago_us < (int32_t)(t->env.knobs.invalid_ratelimit * 1000u);

    put_time(it, m, c->last_rx);
    put_time(it, m, c->last_tx);
    put(it, limited ? (uint32_t)ago_us : UINT64_MAX);
    put(it, c->timestamps ? tcp_paws_time(t) - c->ts_recent_at : 0);
    put(it, c->timing ? tcp_now_us(t) - c->rtt_at_us : UINT64_MAX);
    put(it, c->timing ? seq_raw(c->rtt_seq) : 0);
    put_time(it, m, c->pace_hold || pace_wanted(t, c) ? pace_time(t, c) : LA_TIME_NEVER);
    put_time(it, m, conn_flight(c) > 0 || c->persist ? c->rtx_since : LA_TIME_NEVER);
}

/* What came out of order: where it lies, and its bytes. */
static void hash_ranges(struct mix *m, const struct tcp *t, const struct tcp_conn *c)
{
    const struct queue *q;
    tcp_seq start;

    for (uint32_t i = 0; (q = reassembly_range(t, c, i, &start)) != NULL; i++) {
        struct item it = { .n = 0 };

        put(&it, 5);
        put_flow(&it, &c->flow);
        put(&it, seq_raw(start));
        put(&it, hash_queue(t, m, q));
        take(m, &it);
    }
}

/* What is in flight, and what recovery remembers of it. */
static void hash_flight(struct mix *m, const struct tcp *t, const struct tcp_conn *c)
{
    struct item it = { .n = 0 };

    if (!flight_known(c))
        return;
    struct flight *f = flight_of(t, c);
    for (uint32_t i = 0; i < f->count; i++) {
        const struct flight_range *r = flight_at(f, i);

        it.n = 0;
        put(&it, 7);
        put_flow(&it, &c->flow);
        put(&it, (uint64_t)seq_raw(r->end) << 32 | (uint32_t)(tcp_now_us(t) - r->sent_us));
        put(&it, (uint64_t)r->segs << 8 | r->flags);
        take(m, &it);
    }
    it.n = 0;
    put(&it, 8);
    put_flow(&it, &c->flow);
    put(&it, (uint64_t)f->rack_valid << 6 | (uint64_t)f->dsack_pending << 5 |
                 (uint64_t)f->prr << 4 | (uint64_t)f->frto << 3 | (uint64_t)f->new_only << 2 |
                 (uint64_t)f->undo << 1 | f->undo_any);
    put(&it, (uint64_t)seq_raw(f->rack_end) << 32 | (uint32_t)(tcp_now_us(t) - f->rack_us));
    put(&it, (uint64_t)f->rack_rtt_us << 32 | seq_raw(f->fack));
    put(&it,
        (uint64_t)seq_raw(f->tlp_end) << 32 | (f->dsack_pending ? seq_raw(f->dsack_round) : 0));
    put(&it, (uint64_t)f->prr_delivered << 32 | f->prr_out);
    put(&it, (uint64_t)f->recover_fs << 32 | f->undo_bytes);
    put(&it, (uint64_t)f->saved.cwnd << 32 | f->saved.ssthresh);
    put(&it, f->probe_mtu > 0 ? (uint64_t)f->probe_mtu << 32 | seq_raw(f->probe_seq) : 0);
    take(m, &it);
}

static void hash_conn(struct mix *m, const struct tcp *t, uint32_t ci)
{
    const struct tcp_conn *c = conn_at(t, ci);
    struct item it = { .n = 0 };

    put(&it, 1);
    put_flow(&it, &c->flow);
    put(&it, (uint64_t)c->state << 48 | (uint64_t)c->iface << 40 | (uint64_t)c->snd_shift << 32 |
                 (uint64_t)c->rcv_shift << 24 | (uint64_t)c->dupacks << 16 |
                 (uint64_t)c->backoff << 8 | c->retransmits);
    put_bits(&it, c);
    put(&it, (uint64_t)seq_raw(c->snd.una) << 32 | seq_raw(c->snd.nxt));
    put(&it, (uint64_t)seq_raw(c->snd.wl1) << 32 | seq_raw(c->snd.una));
    put(&it, (uint64_t)c->snd.wnd << 32 | c->snd.max_wnd);
    put(&it, (uint64_t)seq_raw(c->snd.rtx) << 32 | seq_raw(c->snd.recover));
    put(&it, seq_gt(c->snd.crumb, c->snd.una) ? seq_diff(c->snd.una, c->snd.crumb) : 0);
    put(&it, (uint64_t)seq_raw(c->rcv.nxt) << 32 | seq_raw(c->rcv.adv));
    put(&it, (uint64_t)seq_raw(c->rcv.last_ack) << 32 | (c->urgent ? seq_raw(c->rcv.up) : 0));
    put(&it, (uint64_t)seq_raw(conn_iss(c)) << 32 | seq_raw(conn_irs(c)));
    put(&it, (uint64_t)c->ts_recent << 32 | c->ts_offset);
    put(&it, (uint64_t)c->cwnd << 32 | c->ssthresh);
    put(&it, (uint64_t)c->srtt_us8 << 32 | c->rttvar_us4);
    put(&it, (uint64_t)c->rto_us << 32 | (c->inflight != SLAB_NONE));
    put(&it, (uint64_t)c->snd_mss << 48 | (uint64_t)c->peer_mss << 32 |
                 (uint64_t)c->path_mtu << 16 | c->rcv_mss);
    put(&it, (uint64_t)c->probes << 48 | (uint64_t)c->ka_probes << 40 | (uint64_t)c->quick << 32 |
                 c->ack_segs);
    put(&it, (uint64_t)c->ack_bytes << 32 | (uint32_t)c->reserved);
    put(&it, c->fin_known ? seq_raw(c->rcv.fin) : 0);
    put(&it, (uint64_t)c->flight_peak << 32 |
                 (seq_lt(c->snd.una, c->peak_end) ? seq_diff(c->snd.una, c->peak_end) : 0));
    for (uint32_t i = 0; i < TCP_DEADLINES; i++)
        put_time(&it, m, c->deadline[i]);
    put_times(&it, m, t, c);
    put_settings(&it, &c->set);
    put(&it,
        (uint64_t)(uint16_t)c->error << 32 | (uint64_t)(uint16_t)c->soft_error << 16 | c->reason);
    put(&it, (uint64_t)(c->state != LA_CLOSED && c->mtu_epoch != t->pmtu.epoch) << 32 |
                 (uint64_t)c->mtu_high << 16 | (c->mtu_high > 0 ? pmtu_age(t, c) : 0));
    put(&it, c->user);
    put(&it, hash_queue(t, m, &c->sndq));
    put(&it, hash_queue(t, m, &c->rcvq));
    put(&it, tcp_coarse(t) - c->min_rtt_at);
    put(&it, (uint64_t)c->min_rtt_us << 32 | (uint32_t)c->reordering << 24 |
                 (uint32_t)c->reo_persist << 16 | (uint32_t)c->reo_mult << 8 |
                 (uint32_t)c->rtx_kind << 6 | (uint32_t)c->reordering_seen << 5 |
                 (uint32_t)c->dubious << 4 | (uint32_t)c->resend << 3 | (uint32_t)c->tlp_out << 2 |
                 (uint32_t)c->tlp_again << 1 | c->want_tlp);
    hash_ranges(m, t, c);
    hash_flight(m, t, c);
    take(m, &it);
}

static void hash_half(struct mix *m, const struct tcp *t, uint32_t ref)
{
    const struct tcp_half *h = half_at(t, ref);
    struct tcp_flow flow;
    struct item it = { .n = 0 };

    half_flow(h, ref, &flow);
    put(&it, 2);
    put_flow(&it, &flow);
    put(&it, (uint64_t)seq_raw(h->irs) << 32 | seq_raw(h->iss));
    put(&it, (uint64_t)h->ts_recent << 32 | h->ts_offset);
    put_time(&it, m, h->expires);
    put(&it, (uint64_t)h->mss << 48 | (uint64_t)h->wnd << 32 | (uint64_t)h->wscale << 24 |
                 (uint64_t)h->flags << 16 | (uint64_t)h->retries << 8 | h->iface);
    put(&it, h->rcv_wnd);
    take(m, &it);
}

static void hash_short(struct mix *m, const struct tcp *t, uint32_t ref)
{
    const struct tcp_short *w = short_at(t, ref);
    struct tcp_flow flow;
    struct item it = { .n = 0 };

    short_flow(w, ref, &flow);
    put(&it, 3);
    put_flow(&it, &flow);
    put(&it, (uint64_t)w->state << 16 | (uint64_t)w->rcv_shift << 8 | w->flags);
    put_time(&it, m, w->expires);
    put(&it, (uint64_t)seq_raw(w->rcv_nxt) << 32 | seq_raw(w->snd_nxt));
    put(&it, (uint64_t)w->rcv_wnd << 32 | w->ts_recent);
    put(&it, (uint64_t)w->msl_ms1 << 32 | w->ts_offset);
    put(&it, w->flags & TCP_SHORT_ACKED ? (uint32_t)(m->now_ns / NS_PER_MS) - w->invalid_ms : 0);
    take(m, &it);
}

static void hash_records(struct mix *m, const struct tcp *t)
{
    for (uint32_t i = 0; i < t->half4.high; i++)
        if (slab_live(&t->half4, t, i))
            hash_half(m, t, i);
    for (uint32_t i = 0; i < t->half6.high; i++)
        if (slab_live(&t->half6, t, i))
            hash_half(m, t, i | TCP_REF_V6);
    for (uint32_t i = 0; i < t->short4.high; i++)
        if (slab_live(&t->short4, t, i))
            hash_short(m, t, i);
    for (uint32_t i = 0; i < t->short6.high; i++)
        if (slab_live(&t->short6, t, i))
            hash_short(m, t, i | TCP_REF_V6);
}

static void hash_listener(struct mix *m, const struct tcp *t, uint32_t li)
{
    const struct tcp_listener *l = listener_at(t, li);
    struct item it = { .n = 0 };

    put(&it, 4);
    put_flow(&it, &(struct tcp_flow){ .laddr = l->local.addr, .lport = l->port });
    put(&it, (uint64_t)l->half_len << 32 | l->accept_len);
    put(&it, (uint64_t)l->backlog << 32 | (uint32_t)l->defer << 16 | (uint32_t)l->reuse_port << 9 |
                 (uint32_t)l->v6_only << 8 | l->local.len);
    put(&it, cookie_recent(t, l) ? l->cookie_wnd : 0);
    put_time(&it, m, cookie_recent(t, l) ? l->cookie_at : LA_TIME_NEVER);
    put(&it, l->user);
    put_settings(&it, &l->set);
    take(m, &it);
}

/* Answers that wait to be taken: their order counts. */
static void hash_replies(struct mix *m, const struct tcp *t)
{
    const struct tcp_reply *ring =
        (const struct tcp_reply *)(const void *)((const uint8_t *)t + t->replies.offset);

    for (uint32_t i = 0; i < t->replies.count; i++) {
        const struct tcp_reply *r = &ring[(t->replies.first + i) % t->replies.cap];
        struct item it = { .n = 0 };

        put(&it, 6);
        put(&it, i);
        put_flow(&it, &(struct tcp_flow){ .laddr = r->src, .raddr = r->dst });
        put(&it, (uint64_t)r->iface << 16 | (uint32_t)r->ttl << 8 | r->tos);
        put(&it, siphash(&m->key, r->header, r->header_len));
        take(m, &it);
    }
}

/* What is known of paths. */
static void hash_paths(struct mix *m, const struct tcp *t)
{
    for (uint32_t i = 0; i < LA_PMTU_ROWS; i++) {
        const struct tcp_pmtu_row *r = &t->pmtu.rows[i];
        struct item it = { .n = 0 };

        if (r->mtu_bytes == 0 || !time_lt(t->env.now, r->expires))
            continue;
        put(&it, 9);
        put_flow(&it, &(struct tcp_flow){ .raddr = r->raddr });
        put(&it, r->mtu_bytes);
        put_time(&it, m, r->expires);
        take(m, &it);
    }
}

uint64_t la_hash(const struct la_stack *s)
{
    const struct tcp *t = &s->tcp;
    struct mix m = { .key = { 0x6c61737461636b5f, 0x73746174655f6861 }, .now_ns = t->env.now.ns };

    for (uint32_t i = 0; i < t->conns.high; i++)
        if (slab_live(&t->conns, t, i))
            hash_conn(&m, t, i);
    hash_records(&m, t);
    for (uint32_t i = 0; i < t->listeners.high; i++)
        if (slab_live(&t->listeners, t, i))
            hash_listener(&m, t, i);
    hash_replies(&m, t);
    hash_paths(&m, t);
    m.sum += siphash(&m.key, &t->env.knobs, sizeof(t->env.knobs));
    return m.sum;
}
