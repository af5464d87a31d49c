/* SPDX-License-Identifier: MIT */
/*
 * arrives_listen.c - RFC 9293 3.10.7.2, LISTEN STATE, in its four steps.
 *
 * A listener is never changed by a packet but for its queues: a SYN makes a record of its
 * own (catalogue of past failures: listeners destroyed or reverted by a reset).
 */
#include "core/tcp/tcp.h"

/*
 * The queues' say, as on Linux: the SYN queue first, then the accept queue.  A SYN that reopens a
 * TIME-WAIT passes the bound of the SYN queue: it has proved more than a flood's SYNs can.
 */
static bool queues_refuse(struct tcp_arrival *a, uint32_t li)
{
    struct tcp *t = a->t;
    const struct tcp_listener *l = listener_at(t, li);

    if (a->reopens == TCP_REF_NONE && listener_half_full(t, l)) {
        env_count(&t->env, LA_COUNT_TCPReqQFullDrop);
        env_count(&t->env, LA_COUNT_ListenDrops);
        a->reason = LA_DROP_SYN_QUEUE_FULL;
        return true;
    }
    if (listener_accept_full(t, l)) {
        env_count(&t->env, LA_COUNT_ListenOverflows);
        env_count(&t->env, LA_COUNT_ListenDrops);
        a->reason = LA_DROP_ACCEPT_QUEUE_FULL;
        return true;
    }
    return false;
}

void tcp_arrives_listen(struct tcp_arrival *a, uint32_t li)
{
    const uint8_t flags = a->seg->flags;

    /* First, check for a RST: ignored. */
    if (flags & TCP_RST) {
        a->reason = LA_DROP_LISTEN_RST;
        return;
    }

    /* Second, check for an ACK: bad on a connection still in LISTEN. */
    if (flags & TCP_ACK) {
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
        if (queues_refuse(a, li))
            return;
        half_open(a, li);
        return;
    }

    /* Fourth, other data or control: not valid, dropped. */
    a->reason = LA_DROP_LISTEN_NO_SYN;
}
