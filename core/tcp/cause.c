/* SPDX-License-Identifier: MIT */
/*
 * cause.c - Remembering why: what was dropped, reset, refused or timed out, in a small ring.
 *
 * A record takes what stands in the queues at that moment, for nobody can ask later.  Whatever
 * was used leaves no record, so the common segment pays nothing; a flood of one reason at one
 * place is one record with a number, so it does not wash the others away.
 */
#include "core/tcp/tcp.h"

#define FLOOD_NS NS_PER_S

static struct la_cause *cause_at(const struct tcp *t, uint32_t i)
{
    const struct env_causes *r = &t->env.causes;

    return (struct la_cause *)(void *)((uint8_t *)tcp_arena(t) + r->offset) + i;
}

/* A reset that refuses a connection is one cause, not two. */
static bool same_end(const struct la_cause *last, enum la_drop reason)
{
    return last->reason == reason || (last->reason == LA_DROP_REFUSED && reason == LA_DROP_RESET);
}

/* Is it the last one again? */
static struct la_cause *again(const struct tcp *t, const struct tcp_flow *flow, uint64_t conn,
                              enum la_drop reason)
{
    const struct env_causes *r = &t->env.causes;
    struct la_cause *last;

    if (r->told == 0)
        return NULL;
    last = cause_at(t, (uint32_t)((r->told - 1) % r->cap));
    if (last->conn.bits != 0 && (conn == 0 || conn == last->conn.bits) && same_end(last, reason) &&
        last->remote.port == flow->rport && addr_equal(&last->remote.addr, &flow->raddr) &&
        time_since(last->at, t->env.now) == 0)
        return last; /* the segment that ended it, told again, perhaps when nothing is left of it */
    if (last->reason != reason || last->conn.bits != conn || last->local.port != flow->lport ||
        !addr_equal(&last->local.addr, &flow->laddr) ||
        time_since(last->at, t->env.now) >= FLOOD_NS)
        return NULL;
    return last;
}

static struct la_cause *put(struct tcp *t, const struct tcp_flow *flow, uint64_t conn,
                            uint8_t state, enum la_drop reason)
{
    struct env_causes *r = &t->env.causes;
    struct la_cause *c;

    if (r->cap == 0 || reason == LA_DROP_CLOSED_NORMALLY)
        return NULL;
    c = again(t, flow, conn, reason);
    if (c != NULL) {
        const bool same_moment = c->conn.bits != 0 && time_since(c->at, t->env.now) == 0;

        c->times += same_moment ? 0 : 1; /* a segment that ends its connection is one cause */
    } else {
        c = cause_at(t, (uint32_t)(r->told % r->cap));
        memset(c, 0, sizeof(*c));
        c->number = ++r->told;
        c->conn.bits = conn;
        c->reason = reason;
        c->times = 1;
        c->local = (struct la_endpoint){ .addr = flow->laddr, .port = flow->lport };
    }
    c->at = t->env.now;
    c->state = (enum la_state)state;
    memcpy(&c->remote.addr, &flow->raddr, sizeof(c->remote.addr));
    c->remote.port = flow->rport;
    c->conns_used = t->conns.used;
    c->chunks_used = t->env.chunks.slab.used;
    return c;
}

static void put_listener(const struct tcp *t, struct la_cause *c, const struct tcp_flow *flow)
{
    const uint32_t li = listener_lookup(t, flow->laddr, flow->lport);

    if (li == SLAB_NONE)
        return;
    c->accept_len = listener_at(t, li)->accept_len;
    c->half_len = listener_at(t, li)->half_len;
    c->limit = listener_at(t, li)->backlog;
}

static void put_conn(struct la_cause *c, const struct tcp_conn *conn)
{
    c->snd_queued_bytes = conn->sndq.len_bytes;
    c->rcv_queued_bytes = conn->rcvq.len_bytes;
    c->orphan = conn->orphan;
    c->retransmits = conn->persist ? conn->probes : conn->retransmits;
}

void cause_segment(const struct tcp_arrival *a)
{
    struct tcp *t = a->t;
    const bool lives = a->ci != SLAB_NONE && slab_live(&t->conns, t, a->ci);
    const uint64_t conn = lives ? slab_handle(&t->conns, t, a->ci) : 0;
    struct la_cause *c = put(t, &a->flow, conn, a->from, a->reason);

    if (c == NULL)
        return;
    c->flags = a->seg->flags;
    if (lives && conn_at(t, a->ci)->state != LA_CLOSED)
        put_conn(c, conn_at(t, a->ci));
    else if (a->from == LA_LISTEN || a->from == LA_SYN_RECEIVED)
        put_listener(t, c, &a->flow);
}

void cause_conn(struct tcp *t, uint32_t ci, enum la_drop reason)
{
    const struct tcp_conn *conn = conn_at(t, ci);
    struct la_cause *c = put(t, &conn->flow, slab_handle(&t->conns, t, ci), conn->state, reason);

    if (c != NULL)
        put_conn(c, conn);
}

void cause_record(struct tcp *t, const struct tcp_flow *flow, uint8_t state, enum la_drop reason)
{
    struct la_cause *c = put(t, flow, 0, state, reason);

    if (c != NULL && state == LA_SYN_RECEIVED)
        put_listener(t, c, flow);
}
