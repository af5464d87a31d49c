/* SPDX-License-Identifier: MIT */
/*
 * arrives_listen.c - RFC 9293 3.10.7.2, LISTEN STATE, in its four steps.
 *
 * A listener is never changed by a packet but for its queues: a SYN makes a record of its
 * own (catalogue of past failures: listeners destroyed or reverted by a reset).
 *
 * The queues have their say in Linux's order: the SYN queue, where a cookie may take the
 * record's place; the accept queue; without cookies, tcp_max_syn_backlog.  A SYN that
 * reopens a TIME-WAIT is not asked about the SYN queue: its peer is real, and there are no
 * more of them than TIME-WAITs.
 */
#include "core/tcp/tcp.h"

/* M - length < M/4 */
static bool beyond_backlog(const struct tcp *t, const struct tcp_listener *l)
{
    const int64_t m = t->env.knobs.max_syn_backlog;

    return m - (int64_t)l->half_len < m / 4;
}

static void refuse(struct tcp_arrival *a, uint32_t li, enum la_drop reason)
{
    a->reason = reason;
    listener_drop(a->t, li, reason == LA_DROP_ACCEPT_QUEUE_FULL);
}

static void open_half(struct tcp_arrival *a, uint32_t li)
{
    struct tcp *t = a->t;
    const struct tcp_listener *l = listener_at(t, li);
    const uint32_t cookies = t->env.knobs.syncookies;
    const bool reopens = a->reopens != TCP_REF_NONE;
    const bool short_of_memory = !reopens && memory_over(t);
    const bool over = !reopens && (cookies == 2 || listener_half_full(l));

    if (over && cookies == 0) {
        env_count(&t->env, LA_COUNT_TCPReqQFullDrop);
        refuse(a, li, LA_DROP_SYN_QUEUE_FULL);
    } else if (listener_accept_full(l)) {
        if (over)
            env_count(&t->env, LA_COUNT_TCPReqQFullDoCookies); /* counted before it is known */
        refuse(a, li, LA_DROP_ACCEPT_QUEUE_FULL);
    } else if (over || (short_of_memory && cookies > 0)) {
        cookie_answer(a, li);
    } else if (short_of_memory) {
        refuse(a, li, LA_DROP_MEMORY);
    } else if (cookies == 0 && !reopens && beyond_backlog(t, l)) {
        refuse(a, li, LA_DROP_SYN_BACKLOG);
    } else if (!half_open(a, li)) {
        if (cookies > 0 && !reopens) /* all listeners together have filled the table */
            cookie_answer(a, li);
        else
            refuse(a, li, LA_DROP_HALF_OPEN_FULL);
    }
}

/* An ACK that may bring a cookie back: the connection treats the segment from the first step on. */
static bool cookie_returns(struct tcp_arrival *a, uint32_t li)
{
    const uint32_t ci = cookie_open(a, li);

    if (ci == SLAB_NONE)
        return a->reason != LA_DROP_NONE;
    a->c = conn_at(a->t, ci);
    a->ci = ci;
    a->from = LA_SYN_RECEIVED;
    conn_count_in(a);
    const uint64_t handle = slab_handle(&a->t->conns, a->t, ci);
    tcp_arrives_other(a);
    tcp_treated(a, handle);
    return true;
}

void tcp_arrives_listen(struct tcp_arrival *a, uint32_t li)
{
    const uint8_t flags = a->seg->flags;

    li = listener_choose(a->t, li, a->hash);

    /* First, check for a RST: ignored. */
    if (flags & TCP_RST) {
        a->reason = LA_DROP_LISTEN_RST;
        return;
    }

    /* Second, check for an ACK: bad on a connection still in LISTEN, unless it is a cookie. */
    if (flags & TCP_ACK) {
        if (!(flags & TCP_SYN) && cookie_returns(a, li))
            return;
        a->reason = LA_DROP_LISTEN_ACK;
        reply_rst_to(a);
        return;
    }

    /* Third, check for a SYN. */
    if (flags & TCP_SYN) {
        if (flags & TCP_FIN) {
            a->reason = LA_DROP_LISTEN_SYN_FIN;
            return;
        }
        open_half(a, li);
        return;
    }

    /* Fourth, other data or control: not valid, dropped. */
    a->reason = LA_DROP_LISTEN_NO_SYN;
}
