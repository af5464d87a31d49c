/* SPDX-License-Identifier: MIT */
/*
 * findings.c - Applications that misbehave are noticed (findings.def).
 *
 * What shows itself in a call is told there: a read that returns 0, a close with bytes unread.
 * What only time shows - an old CLOSE-WAIT, a connection nobody accepts or watches - is looked for
 * by tcp_findings_scan(), which whoever drives the stack calls now and then: each call passes a
 * bounded number of slots and goes on where the last one stopped.  No timer stands for it, so a
 * stack that nobody scans pays nothing, and la_deadline() never speaks of it.
 *
 * A connection tells each finding once.  The last LA_FINDINGS_KEPT are remembered.
 */
#include "core/tcp/tcp.h"

static struct la_found *next_slot(struct tcp *t, enum la_finding finding, uint64_t value)
{
    struct tcp_findings *f = &t->findings;
    struct la_found *slot = &f->kept[f->told % LA_FINDINGS_KEPT];

    f->told++;
    f->counts[finding]++;
    f->pending |= f->subscribed & 1u << finding;
    *slot = (struct la_found){
        .number = f->told,
        .at = t->env.now,
        .finding = finding,
        .value = value,
    };
    return slot;
}

void finding_conn(struct tcp *t, uint32_t ci, enum la_finding finding, uint64_t value)
{
    const struct tcp_conn *c = conn_at(t, ci);
    struct la_found *slot = next_slot(t, finding, value);

    slot->conn.bits = slab_handle(&t->conns, t, ci);
    slot->local = (struct la_endpoint){ .addr = c->flow.laddr, .port = c->flow.lport };
    slot->remote = (struct la_endpoint){ .addr = c->flow.raddr, .port = c->flow.rport };
}

void finding_listener(struct tcp *t, uint32_t li, enum la_finding finding, uint64_t value)
{
    const struct tcp_listener *l = listener_at(t, li);
    struct la_found *slot = next_slot(t, finding, value);

    slot->listener.bits = slab_handle(&t->listeners, t, li);
    slot->local = (struct la_endpoint){ .addr = l->local.addr, .port = l->port };
}

/* The end was read once more. */
void finding_eof_read(struct tcp *t, uint32_t ci)
{
    struct tcp_conn *c = conn_at(t, ci);
    const uint32_t most = t->env.knobs.finding_eof_reads;

    if (c->eof_reads == TCP_EOF_READS_MAX)
        return;
    c->eof_reads = (uint8_t)(c->eof_reads + 1) & TCP_EOF_READS_MAX;
    if (most > 0 && c->eof_reads == most && c->state != LA_CLOSED)
        finding_conn(t, ci, LA_FINDING_EOF_LOOP, c->eof_reads);
}

static bool older(const struct tcp *t, la_time since, uint32_t seconds)
{
    return seconds > 0 && time_since(since, t->env.now) >= seconds * NS_PER_S;
}

static void look_at_conn(struct tcp *t, uint32_t ci)
{
    struct tcp_conn *c = conn_at(t, ci);
    const struct env_knobs *k = &t->env.knobs;
    const la_time spoke = time_lt(c->last_rx, c->last_tx) ? c->last_tx : c->last_rx;

    if (!c->held)
        return;
    if (c->state == LA_CLOSE_WAIT && !(c->found & TCP_FOUND_CLOSE_WAIT) &&
        older(t, tcp_coarse_time(t, c->state_since), k->finding_close_wait)) {
        c->found |= TCP_FOUND_CLOSE_WAIT;
        finding_conn(t, ci, LA_FINDING_CLOSE_WAIT_OLD,
                     time_since(tcp_coarse_time(t, c->state_since), t->env.now) / NS_PER_S);
    }
    if (c->state == LA_ESTABLISHED && !c->set.keepalive && c->set.user_timeout_ms == 0 &&
        !(c->found & TCP_FOUND_IDLE) && conn_flight(c) == 0 && older(t, spoke, k->finding_idle)) {
        c->found |= TCP_FOUND_IDLE;
        finding_conn(t, ci, LA_FINDING_IDLE_UNWATCHED, time_since(spoke, t->env.now) / NS_PER_S);
    }
}

/* Once for each time the queue was not empty. */
static void look_at_listener(struct tcp *t, uint32_t li)
{
    struct tcp_listener *l = listener_at(t, li);
    la_time came;

    if (l->accept_head == SLAB_NONE || l->starved_told)
        return;
    came = tcp_coarse_time(t, conn_at(t, l->accept_head)->state_since);
    if (!older(t, came, t->env.knobs.finding_accept))
        return;
    l->starved_told = true;
    finding_listener(t, li, LA_FINDING_ACCEPT_STARVED, time_since(came, t->env.now) / NS_PER_S);
}

bool tcp_findings_scan(struct tcp *t, uint32_t slots)
{
    struct tcp_findings *f = &t->findings;
    const uint64_t all = (uint64_t)t->listeners.high + t->conns.high;

    for (; slots > 0 && f->cursor < all; slots--, f->cursor++) {
        const uint32_t i = (uint32_t)f->cursor;

        if (i < t->listeners.high) {
            if (slab_live(&t->listeners, t, i))
                look_at_listener(t, i);
        } else if (slab_live(&t->conns, t, i - t->listeners.high)) {
            look_at_conn(t, i - t->listeners.high);
        }
    }
    if (f->cursor < all)
        return true;
    f->cursor = 0;
    return false;
}
