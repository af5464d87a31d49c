/* SPDX-License-Identifier: MIT */
/*
 * enter.c - How a full connection begins, changes state and ends.
 *
 * The state is written in one function, along edges held as data (RFC 9293 figure 5).
 * An end with an error keeps the shell for whoever holds the handle: received bytes stay
 * readable, then the error is told.
 */
#include "core/tcp/pmtu.h"
#include "core/tcp/tcp.h"

#define TO(name) (1u << LA_##name)
static const uint16_t edges[LA_STATES] = {
    [LA_CLOSED] = TO(SYN_SENT),
    [LA_LISTEN] = 0, /* listeners are no connections */
    [LA_SYN_SENT] = TO(SYN_RECEIVED) | TO(ESTABLISHED) | TO(CLOSED),
    [LA_SYN_RECEIVED] = TO(ESTABLISHED) | TO(CLOSED),
    [LA_ESTABLISHED] = TO(FIN_WAIT_1) | TO(CLOSE_WAIT) | TO(CLOSED),
    [LA_FIN_WAIT_1] = TO(FIN_WAIT_2) | TO(CLOSING) | TO(CLOSED),
    [LA_FIN_WAIT_2] = TO(TIME_WAIT) | TO(CLOSED),
    [LA_CLOSE_WAIT] = TO(LAST_ACK) | TO(CLOSED),
    [LA_CLOSING] = TO(TIME_WAIT) | TO(CLOSED),
    [LA_LAST_ACK] = TO(CLOSED),
    [LA_TIME_WAIT] = TO(CLOSED),
};

uint32_t conn_index(const struct tcp *t, const struct tcp_conn *c)
{
    const uint64_t at = (uint64_t)((const uint8_t *)c - (const uint8_t *)t) - t->conns.offset;
    return (uint32_t)(at / sizeof(*c));
}

void tcp_enter(struct tcp *t, struct tcp_conn *c, enum la_state to)
{
    const uint32_t ci = conn_index(t, c);

    LA_ASSERT(c->state < LA_STATES);
    LA_ASSERT(edges[c->state] & 1u << to);
    trace_state(t, &c->flow, slab_handle(&t->conns, t, ci), c->state, (uint8_t)to, LA_DROP_NONE);
    conn_state(t, c, to);
    c->state_since = tcp_coarse(t);
}

uint32_t conn_new(struct tcp *t, const struct tcp_flow *flow, uint32_t hash)
{
    const uint32_t ci = slab_take(&t->conns, t);
    struct tcp_conn *c;

    if (ci == SLAB_NONE)
        return SLAB_NONE;
    c = conn_at(t, ci);
    wheel_node_init(conn_node(t, ci));
    c->node_at = LA_TIME_NEVER;
    c->flow = *flow;
    c->hash = hash;
    c->state = LA_CLOSED;
    t->state_count[LA_CLOSED]++;
    c->listener = SLAB_NONE;
    c->rcv.ooo = SLAB_NONE;
    c->tx_next = c->tx_prev = c->ready_next = c->ready_prev = SLAB_NONE;
    c->sndhint.chunk = SLAB_NONE;
    c->opened = c->last_rx = c->last_tx = t->env.now;
    c->state_since = tcp_coarse(t);
    c->inflight = SLAB_NONE;
    c->reordering = (uint8_t)t->env.knobs.reordering;
    c->reo_mult = 1;
    c->rto_us = 1000000; /* RFC 6298 2.1 */
    for (uint32_t i = 0; i < TCP_DEADLINES; i++)
        c->deadline[i] = LA_TIME_NEVER;
    queue_init(&c->sndq);
    queue_init(&c->rcvq);
    return ci;
}

/* The slot goes back.  The connection is CLOSED, nobody holds it, and the index has forgotten it. */
void conn_release(struct tcp *t, uint32_t ci)
{
    struct tcp_conn *c = conn_at(t, ci);

    LA_ASSERT(c->state == LA_CLOSED);
    conn_unstarve(t, ci);
    LA_ASSERT(c->listener == SLAB_NONE);
    tcp_timers_off(t, ci);
    tcp_output_sleep(t, ci);
    conn_unready(t, ci);
    queue_clear(&c->sndq, &t->env.chunks, t);
    queue_clear(&c->rcvq, &t->env.chunks, t);
    reassembly_clear(t, c);
    t->orphans -= c->orphan;
    c->tlp_out = c->want_tlp = false;
    flight_release(t, c);
    t->state_count[LA_CLOSED]--;
    slab_give(&t->conns, t, ci);
}

void conn_shell(struct tcp *t, uint32_t ci)
{
    struct tcp_conn *c = conn_at(t, ci);

    LA_ASSERT(c->state == LA_CLOSED);
    tcp_timers_off(t, ci);
    tcp_output_sleep(t, ci);
    queue_clear(&c->sndq, &t->env.chunks, t);
    reassembly_clear(t, c);
    c->tlp_out = c->want_tlp = false;
    flight_release(t, c);
    c->sndhint.chunk = SLAB_NONE;
    c->reserved = 0;
    c->want_ack = c->want_syn = c->want_probe = c->want_rtx = c->want_keepalive = false;
    if (c->held || c->listener != SLAB_NONE)
        conn_ready(t, ci, true);
    else
        conn_release(t, ci);
}

void tcp_end(struct tcp *t, uint32_t ci, enum la_err error, enum la_drop reason)
{
    struct tcp_conn *c = conn_at(t, ci);

    if (in(c, S(SYN_SENT) | S(SYN_RECEIVED)))
        env_count(&t->env, LA_COUNT_AttemptFails);
    trace_end(t, c, reason);
    cause_conn(t, ci, reason);
    tcp_enter(t, c, LA_CLOSED);
    index_remove(&t->index, t, c->hash, (struct index_entry){ .type = INDEX_CONN, .value = ci });
    port_freed(t, &c->flow);
    port_use_sub(t, &c->flow, port_share(c->set.reuse, c->set.reuse_port));
    if (c->parks)
        short_return(t, &c->flow, c->hash);
    c->parks = false;
    c->error = (int8_t)error;
    c->reason = (uint8_t)reason;
    conn_shell(t, ci);
}

void tcp_reset(struct tcp *t, uint32_t ci, enum la_err error, enum la_drop reason)
{
    struct tcp_conn *c = conn_at(t, ci);

    if (in(c, S(SYN_RECEIVED) | S(ESTABLISHED) | S(FIN_WAIT_1) | S(FIN_WAIT_2) | S(CLOSE_WAIT) |
                  S(CLOSING) | S(LAST_ACK)))
        reply_rst_from(t, c);
    if (in(c, S(ESTABLISHED) | S(CLOSE_WAIT)))
        env_count(&t->env, LA_COUNT_EstabResets);
    tcp_end(t, ci, error, reason);
}

uint16_t conn_adv_mss(const struct tcp *t, const struct tcp_settings *set, uint32_t iface, bool v4)
{
    const uint16_t mss = t->iface_mss[iface][v4 ? 0 : 1];

    return set->maxseg > 0 && set->maxseg < mss ? set->maxseg : mss;
}

/*
 * Eff.snd.MSS = min(SendMSS + 20, MMS_S) - TCPhdrsize - IPoptionsize (MUST-16), where the
 * header size includes the options of every segment: the time stamp's 12 bytes.
 */
uint32_t conn_mss_at(const struct tcp *t, const struct tcp_conn *c, uint32_t path_mtu)
{
    const uint32_t span_bytes = (LA_TX_SPANS_MAX - 2) * chunks_payload(&t->env.chunks);
    const uint32_t headers = ip_header_bytes(c->flow.raddr) + TCP_HEADER_BYTES;
    const uint32_t iface = t->iface_mtu[c->iface] - headers;
    uint32_t mss = path_mtu > headers ? path_mtu - headers : 0;

    if (mss > c->peer_mss)
        mss = c->peer_mss;
    if (c->set.maxseg > 0 && mss > c->set.maxseg)
        mss = c->set.maxseg;
    if (mss < t->env.knobs.min_snd_mss)
        mss = t->env.knobs.min_snd_mss;
    if (mss > iface) /* whatever the sysctl says */
        mss = iface;
    if (mss > span_bytes) /* a descriptor must be able to point at all of it */
        mss = span_bytes;
    return c->timestamps ? mss - TCP_TIMESTAMPS_BYTES : mss;
}

void conn_set_mss(const struct tcp *t, struct tcp_conn *c, uint32_t path_mtu)
{
    LA_ASSERT(path_mtu <= UINT16_MAX);
    c->path_mtu = (uint16_t)path_mtu;
    c->snd_mss = (uint16_t)conn_mss_at(t, c, path_mtu);
    /* A window that takes no segment would never open; and RFC 5681 3.1, (4). */
    if (c->cwnd < c->snd_mss)
        c->cwnd = c->snd_mss;
    if (c->ssthresh < 2u * c->snd_mss)
        c->ssthresh = 2u * c->snd_mss;
}

/* The peer's SYN or SYN-ACK answers what our SYN offered: both must have said it. */
void conn_take_syn(struct tcp *t, struct tcp_conn *c, const struct tcp_seg *seg)
{
    const struct tcp_options *o = &seg->opt;
    const bool v4 = addr_is_v4(&c->flow.raddr);

    c->peer_mss = o->has_mss ? o->mss : (v4 ? 536 : 1220); /* MUST-15 */
    c->sack = c->sack && o->has_sack_ok;
    c->timestamps = c->timestamps && o->has_timestamps;
    if (o->has_wscale && c->rcv_shift > 0) {
        c->snd_shift = (o->wscale < TCP_WSCALE_MAX ? o->wscale : TCP_WSCALE_MAX) & 15u;
    } else {
        c->snd_shift = 0;
        c->rcv_shift = 0;
    }
    if (c->timestamps) {
        c->ts_recent = o->ts_val;
        c->ts_recent_at = tcp_paws_time(t);
    }
    conn_set_mss(t, c, c->path_mtu);
    cc_init(t, c);
}

/* Everything that begins when the handshake is complete. */
void conn_established(struct tcp *t, uint32_t ci)
{
    struct tcp_conn *c = conn_at(t, ci);

    if (c->parks)
        short_replaced(t, &c->flow, c->hash);
    if (c->retransmits > 0)
        c->cwnd = c->snd_mss; /* RFC 5681 3.1: the SYN was lost */
    c->established = true;
    pmtu_established(t, c);
    autotune_begin(t, c);
    c->quick = 16;
    c->rcv_mss = c->snd_mss < 536 ? c->snd_mss : 536;
    c->snd.recover = conn_iss(c);
    if (c->retransmits > 0 && c->srtt_us8 == 0)
        c->rto_us = 3000000; /* RFC 6298 5.7: a SYN was lost, and its RTT is not known */
    c->backoff = 0;
    c->retransmits = 0;
    c->r1_told = false;
    tcp_timer_stop(c, TCP_DL_RTX);
    tcp_rtx_rearm(t, ci);
    keepalive_rearm(t, ci);
    conn_ready(t, ci, true);
    tcp_output_wake(t, ci);
}
