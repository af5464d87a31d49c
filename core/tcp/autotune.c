/* SPDX-License-Identifier: MIT */
/*
 * autotune.c - How large the buffers of a connection are: as large as its path can use.
 *
 * Receiving.  A sender that fills the window it was offered within about a round trip would
 * send more, were the window larger.  So a round is measured: it begins with the right edge of
 * the window just advertised, and ends when the application has read up to there.  If that took no
 * longer than two round trips, the buffer is doubled: it is ahead of a sender in slow start, which
 * doubles too.  A sender that is limited by something else takes longer, and an application
 * that does not read ends no round, so neither makes a buffer grow.
 *
 * Linux counts instead what the application read during a round trip.  This needs no more than
 * eight bytes, which lie where the peer's FIN and urgent pointer are kept once there are any: such
 * a connection measures no longer.
 *
 * Sending.  The buffer holds twice the congestion window, as on Linux: one window in flight, one
 * to go out as it is acknowledged.
 *
 * Buffers that the application has set stay as they are.  None shrinks, none passes
 * the limits of tcp_rmem and tcp_wmem or a quarter of the pool, and none grows while the
 * pool is above the first number of tcp_mem, which is the first thing that ends when memory becomes
 * short (BUFFER_KEPT): memory follows data, not buffers, so a larger one costs nothing by itself.
 */
#include "core/tcp/tcp.h"

#define RTT_UNKNOWN_US 100000u

static bool pool_allows(struct tcp *t, uint32_t bytes)
{
    const struct chunks *p = &t->env.chunks;

    if ((uint64_t)p->slab.cap * chunks_payload(p) / 4 < bytes)
        return false;
    if (p->slab.used <= t->mem.limit[0])
        return true;
    env_drop(&t->env, LA_DROP_BUFFER_KEPT);
    return false;
}

static bool measures(const struct tcp_conn *c)
{
    return !c->fin_known && !c->fin_received && !c->urgent;
}

static void begin_round(const struct tcp *t, struct tcp_conn *c)
{
    c->rcv.edge = c->rcv.adv;
    c->rcv.round_us = (uint32_t)(t->env.now.ns / NS_PER_US);
}

void autotune_begin(const struct tcp *t, struct tcp_conn *c)
{
    if (measures(c))
        begin_round(t, c);
}

static void grow(struct tcp *t, struct tcp_conn *c)
{
    const uint32_t most = t->env.knobs.rcvbuf_max;
    uint32_t want = c->set.rcvbuf * 2u;

    if (want > most)
        want = most;
    if (want > c->set.rcvbuf && pool_allows(t, want))
        c->set.rcvbuf = want & TCP_BUFFER_BITS;
}

void autotune_round(struct tcp *t, struct tcp_conn *c)
{
    const uint32_t took_us = (uint32_t)(t->env.now.ns / NS_PER_US) - c->rcv.round_us;
    const uint32_t rtt_us = c->srtt_us8 > 0 ? c->srtt_us8 / 8 : RTT_UNKNOWN_US;

    if (!measures(c))
        return;
    if (t->env.knobs.moderate_rcvbuf && !c->set.rcvbuf_fixed && took_us <= 2 * rtt_us)
        grow(t, c);
    begin_round(t, c);
}

void autotune_send(struct tcp *t, struct tcp_conn *c)
{
    const uint32_t most = t->env.knobs.sndbuf_max;
    const uint32_t want = c->cwnd < most / 2 ? c->cwnd * 2 : most;

    if (!c->set.sndbuf_fixed && want > c->set.sndbuf && pool_allows(t, want))
        c->set.sndbuf = want & TCP_BUFFER_BITS;
}
