/* SPDX-License-Identifier: MIT */
/*
 * calls.c - OPEN (RFC 9293 3.10.1), the active kind; the passive kind is in listener.c.
 */
#include "core/tcp/pmtu.h"
#include "core/tcp/tcp.h"

/* Eligible to be the far end of a connection at all (MUST-46). */
static bool permitted(struct la_addr a)
{
    return !la_addr_is_unspecified(a) && !addr_is_multicast(a) && !addr_is_broadcast(a);
}

/* The 4-tuple is free, or a port that makes it free is chosen.  @takes: see tcp_choose_port(). */
static enum la_err settle_tuple(struct tcp *t, struct tcp_flow *flow, uint32_t *takes)
{
    struct index_entry e;

    *takes = TCP_REF_NONE;
    if (flow->lport == 0)
        return tcp_choose_port(t, tcp_port_range(t), NULL, flow, takes);
    e = tcp_lookup(t, flow, tcp_hash_recent(t, flow));
    if (e.type == INDEX_SHORT && short_reusable(t, e.value, true))
        *takes = e.value;
    return e.type == INDEX_FREE || *takes != TCP_REF_NONE ? LA_OK : LA_EADDRINUSE;
}

/* In place of a record in TIME-WAIT: above every number of the old connection. */
static void take_over(struct tcp *t, struct tcp_conn *c, uint32_t ref)
{
    const tcp_seq floor = short_iss_floor(t, ref);

    if (seq_lt(c->snd.una, floor))
        c->snd.una = floor;
    short_park(t, ref);
    c->parks = true;
    env_count(&t->env, LA_COUNT_TWRecycled);
}

static void begin(struct tcp *t, uint32_t ci, struct tcp_path path, uint64_t user, uint32_t takes)
{
    struct tcp_conn *c = conn_at(t, ci);
    const struct env_knobs *k = &t->env.knobs;

    settings_init(t, &c->set);
    c->held = true;
    c->active = true;
    c->user = user;
    c->iface = (uint8_t)path.iface;
    tcp_begin_numbers(t, &c->flow, &c->snd.una, &c->ts_offset);
    if (takes != TCP_REF_NONE)
        take_over(t, c, takes);
    c->snd.nxt = c->snd.rtx = c->snd.recover = c->snd.crumb = c->snd.una;
    c->timestamps = k->timestamps != 0;
    c->sack = k->sack != 0;
    c->rcv_shift = k->window_scaling ? rcv_window_shift(t) & 15u : 0;
    c->peer_mss = UINT16_MAX;
    c->adv_mss = conn_adv_mss(t, &c->set, path.iface, addr_is_v4(&c->flow.raddr));
    pmtu_begin(t, c);
    cc_init(t, c);
    tcp_enter(t, c, LA_SYN_SENT);
    c->want_syn = true;
    c->rtx_since = t->env.now;
    tcp_rtx_rearm(t, ci);
    tcp_output_wake(t, ci);
    env_count(&t->env, LA_COUNT_ActiveOpens);
}

enum la_err tcp_open(struct tcp *t, struct tcp_flow flow, struct tcp_path path, uint64_t user,
                     la_conn_id *out)
{
    enum la_err err;
    uint32_t hash, ci, takes;

    if (flow.rport == 0)
        return LA_EINVAL;
    if (!permitted(flow.raddr))
        return LA_EACCES;
    err = settle_tuple(t, &flow, &takes);
    if (err != LA_OK)
        return err;
    hash = tcp_hash_recent(t, &flow);
    ci = conn_new(t, &flow, hash);
    if (ci == SLAB_NONE)
        return LA_ENOBUFS;
    if (!index_insert(&t->index, t, hash,
                      (struct index_entry){ .type = INDEX_CONN, .value = ci })) {
        conn_release(t, ci);
        return LA_ENOBUFS;
    }
    port_use_add(t, &flow, 0);
    begin(t, ci, path, user, takes);
    out->bits = slab_handle(&t->conns, t, ci);
    return LA_OK;
}
