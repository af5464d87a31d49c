/* SPDX-License-Identifier: MIT */
/*
 * timers.c - Retransmission must not be eager (RFC 6298; CVE-2024-41007 and kin).
 *
 * While SND.UNA stands, the timeout after an expiration is at least the RTO that was
 * in force, the RTO is never below its minimum and never becomes smaller.  The same
 * holds for zero-window probes.  Progress of SND.UNA starts the count anew.
 */
#include "sim/check/check.h"

static uint32_t rto_min_us(const struct sim_host *h)
{
    uint64_t us = 0;

    if (la_sysctl_get(h->stack, "net.ipv4.tcp_rto_min_us", &us) != LA_OK)
        return 0;
    return (uint32_t)us;
}

static struct sim_app *owner(struct sim_host *h, const struct la_trace *r)
{
    uint32_t side = 0;
    struct sim_flow *f = sim_flow_find(h->w, &r->local, &r->remote, &side);

    if (!f || !f->app[side].held || f->app[side].host != h)
        return NULL;
    return &f->app[side];
}

/* A SYN again: at least a second later, and never sooner than the last time. */
static void check_syn(struct sim_app *a, const struct la_trace *r)
{
    const uint64_t gap_us = (r->at.ns - a->rto_at_ns) / 1000u;

    if (a->rto_at_ns != 0 && (gap_us < 1000000 || gap_us < a->rto_us))
        sim_fail(a->host->w, "flow %u.%u: a SYN again after %llu us, %u us the time before",
                 a->flow->index, a->side, (unsigned long long)gap_us, a->rto_us);
    if (a->rto_at_ns != 0)
        a->rto_us = (uint32_t)gap_us;
    a->rto_at_ns = r->at.ns;
}

static void check_rto(struct sim_app *a, const struct la_trace *r, const struct la_conn_info *i)
{
    struct sim_world *w = a->host->w;
    const bool again = a->rto_at_ns != 0 && a->rto_una == i->snd_una;

    if (i->rto_us < rto_min_us(a->host))
        sim_fail(w, "flow %u.%u: an RTO of %u us, below the minimum", a->flow->index, a->side,
                 i->rto_us);
    if (again && r->at.ns - a->rto_at_ns < sim_us(a->rto_us))
        sim_fail(w,
                 "flow %u.%u: the RTO expired %llu us after it had expired, with an RTO of %u us",
                 a->flow->index, a->side, (unsigned long long)(r->at.ns - a->rto_at_ns) / 1000u,
                 a->rto_us);
    if (again && i->rto_us < a->rto_us)
        sim_fail(w, "flow %u.%u: the RTO went from %u to %u us without progress", a->flow->index,
                 a->side, a->rto_us, i->rto_us);
    a->rto_at_ns = r->at.ns;
    a->rto_us = i->rto_us;
    a->rto_una = i->snd_una;
}

static void check_probe(struct sim_app *a, const struct la_trace *r, const struct la_conn_info *i)
{
    const bool again = a->probe_at_ns != 0 && a->probe_una == i->snd_una && i->snd_wnd == 0;
    const uint64_t gap_ns = r->at.ns - a->probe_at_ns;

    if (again && gap_ns < sim_us(rto_min_us(a->host)))
        sim_fail(a->host->w, "flow %u.%u: window probes %llu us apart", a->flow->index, a->side,
                 (unsigned long long)gap_ns / 1000u);
    a->probe_at_ns = r->at.ns;
    a->probe_una = i->snd_una;
}

void sim_check_timeout(struct sim_host *h, const struct la_trace *record)
{
    struct sim_app *a = owner(h, record);
    struct la_conn_info info;

    if (!a || la_conn_info(h->stack, a->conn, &info) != LA_OK || info.state == LA_CLOSED)
        return;
    if (record->timer == LA_TIMER_RTO && info.state < LA_ESTABLISHED)
        check_syn(a, record);
    else if (record->timer == LA_TIMER_RTO)
        check_rto(a, record, &info);
    else if (record->timer == LA_TIMER_PERSIST)
        check_probe(a, record, &info);
}
