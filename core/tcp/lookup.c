/* SPDX-License-Identifier: MIT */
/*
 * lookup.c - From a 4-tuple to what stands under it: one hash, one index, three sizes
 * of record.
 */
#include "core/tcp/tcp.h"

/* Both ends, "first" in front. */
static uint32_t put_ends(const struct la_addr *first, uint16_t first_port,
                         const struct la_addr *second, uint16_t second_port, uint8_t out[36])
{
    const uint32_t n = addr_is_v4(first) || addr_is_v4(second) ? 4 : 16;
    const uint32_t skip = 16 - n;

    memcpy(out, first->bytes + skip, n);
    memcpy(out + n, second->bytes + skip, n);
    out[(size_t)2 * n] = (uint8_t)(first_port >> 8);
    out[2 * n + 1] = (uint8_t)first_port;
    out[2 * n + 2] = (uint8_t)(second_port >> 8);
    out[2 * n + 3] = (uint8_t)second_port;
    return 2 * n + 4;
}

uint32_t flow_bytes(const struct tcp_flow *f, uint8_t out[36])
{
    return put_ends(&f->laddr, f->lport, &f->raddr, f->rport, out);
}

/* As the 4-tuple lies in a packet that arrives, so that it can be hashed there. */
uint32_t tcp_hash(const struct tcp *t, const struct tcp_flow *f)
{
    uint8_t bytes[36];
    const uint32_t n = put_ends(&f->raddr, f->rport, &f->laddr, f->lport, bytes);

    return tcp_hash_wire(t, bytes, n);
}

uint32_t tcp_hash_wire(const struct tcp *t, const uint8_t *tuple, uint32_t len_bytes)
{
    return (uint32_t)siphash13(&t->key_index, tuple, len_bytes);
}

void tcp_expect(const struct tcp *t, uint32_t hash)
{
    index_prefetch(&t->index, t, hash);
}

void tcp_expect_conn(const struct tcp *t, uint32_t hash)
{
    struct index_cursor at = index_find(&t->index, hash);
    struct index_entry e;

    if (index_next(&t->index, t, &at, &e) && e.type == INDEX_CONN)
        conn_prefetch(t, e.value);
}

uint32_t tcp_hash_recent(struct tcp *t, const struct tcp_flow *flow)
{
    if (!flow_equal(&t->recent.flow, flow)) {
        t->recent.flow = *flow;
        t->recent.hash = tcp_hash(t, flow);
    }
    return t->recent.hash;
}

bool flow_equal(const struct tcp_flow *a, const struct tcp_flow *b)
{
    return a->lport == b->lport && a->rport == b->rport && addr_equal(&a->raddr, &b->raddr) &&
           addr_equal(&a->laddr, &b->laddr);
}

void tuple_store(union tcp_tuple *to, const struct tcp_flow *f)
{
    if (addr_is_v4(&f->raddr)) {
        memcpy(to->v4.laddr, f->laddr.bytes + 12, 4);
        memcpy(to->v4.raddr, f->raddr.bytes + 12, 4);
        to->v4.lport = f->lport;
        to->v4.rport = f->rport;
    } else {
        memcpy(to->v6->laddr, f->laddr.bytes, 16);
        memcpy(to->v6->raddr, f->raddr.bytes, 16);
        to->v6->lport = f->lport;
        to->v6->rport = f->rport;
    }
}

static void flow_from4(const struct tcp_tuple4 *p, struct tcp_flow *out)
{
    out->laddr = la_addr_v4(p->laddr[0], p->laddr[1], p->laddr[2], p->laddr[3]);
    out->raddr = la_addr_v4(p->raddr[0], p->raddr[1], p->raddr[2], p->raddr[3]);
    out->lport = p->lport;
    out->rport = p->rport;
}

static void flow_from6(const struct tcp_tuple6 *p, struct tcp_flow *out)
{
    memcpy(out->laddr.bytes, p->laddr, 16);
    memcpy(out->raddr.bytes, p->raddr, 16);
    out->lport = p->lport;
    out->rport = p->rport;
}

void half_flow(const struct tcp_half *h, uint32_t ref, struct tcp_flow *out)
{
    if (ref & TCP_REF_V6)
        flow_from6(h->tuple.v6, out);
    else
        flow_from4(&h->tuple.v4, out);
}

void short_flow(const struct tcp_short *w, uint32_t ref, struct tcp_flow *out)
{
    if (ref & TCP_REF_V6)
        flow_from6(w->tuple.v6, out);
    else
        flow_from4(&w->tuple.v4, out);
}

static bool names(const struct tcp *t, struct index_entry e, const struct tcp_flow *flow)
{
    struct tcp_flow f;

    switch (e.type) {
    case INDEX_CONN:
        return flow_equal(&conn_at(t, e.value)->flow, flow);
    case INDEX_HALF_OPEN:
        half_flow(half_at(t, e.value), e.value, &f);
        return flow_equal(&f, flow);
    case INDEX_SHORT:
        short_flow(short_at(t, e.value), e.value, &f);
        return !(short_at(t, e.value)->flags & TCP_SHORT_PARKED) && flow_equal(&f, flow);
    case INDEX_FREE:
        break;
    }
    return false;
}

struct index_entry tcp_lookup(const struct tcp *t, const struct tcp_flow *flow, uint32_t hash)
{
    struct index_cursor at = index_find(&t->index, hash);
    struct index_entry e;

    while (index_next(&t->index, t, &at, &e)) {
        if (e.type == INDEX_CONN)
            conn_prefetch(t, e.value); /* most likely it is the one, and all of it is needed */
        if (names(t, e, flow))
            return e;
    }
    return (struct index_entry){ .type = INDEX_FREE, .value = 0 };
}

uint32_t short_parked(const struct tcp *t, const struct tcp_flow *flow, uint32_t hash)
{
    struct index_cursor at = index_find(&t->index, hash);
    struct index_entry e;

    while (index_next(&t->index, t, &at, &e)) {
        struct tcp_flow f;

        if (e.type != INDEX_SHORT || !(short_at(t, e.value)->flags & TCP_SHORT_PARKED))
            continue;
        short_flow(short_at(t, e.value), e.value, &f);
        if (flow_equal(&f, flow))
            return e.value;
    }
    return TCP_REF_NONE;
}
