/* SPDX-License-Identifier: MIT */
/*
 * calls_close.c - CLOSE and ABORT (RFC 9293 3.10.4, 3.10.5).
 *
 * "I have no more to send" is la_shutdown(LA_SHUT_WR): the FIN stands behind the bytes
 * taken.  la_close() says it too and gives the handle away; what then becomes of the
 * connection is nobody's concern but the timers'.
 */
#include "core/tcp/tcp.h"

/* The FIN takes its place in the stream; the state follows at once, as the RFC has it. */
static void queue_fin(struct tcp *t, uint32_t ci)
{
    struct tcp_conn *c = conn_at(t, ci);

    if (c->fin_queued)
        return;
    if (c->reserved > 0) {
        queue_commit(&c->sndq, &t->env.chunks, t, 0);
        c->reserved = 0;
    }
    c->fin_queued = true;
    c->more = false;
    tcp_timer_stop(c, TCP_DL_CORK);
    if (c->state == LA_ESTABLISHED)
        tcp_enter(t, c, LA_FIN_WAIT_1);
    else if (c->state == LA_CLOSE_WAIT)
        tcp_enter(t, c, LA_LAST_ACK);
    conn_ready(t, ci, false);
    tcp_output_wake(t, ci);
}

enum la_err tcp_shutdown(struct tcp *t, uint32_t ci, uint32_t how)
{
    struct tcp_conn *c = conn_at(t, ci);

    if (how == 0 || how & ~(LA_SHUT_RD | LA_SHUT_WR | LA_SHUT_TEXT))
        return LA_EINVAL;
    if (in(c, S(CLOSED) | S(SYN_SENT)))
        return LA_ENOTCONN;
    if (how & LA_SHUT_RD && !c->rd_shut) {
        c->rd_shut = true;
        queue_clear(&c->rcvq, &t->env.chunks, t);
        if (!c->fin_received && rcv_window_update_due(t, c)) {
            c->want_ack = true;
            tcp_output_wake(t, ci);
        }
        conn_ready(t, ci, true);
    }
    if (how & LA_SHUT_TEXT)
        c->text_shut = true;
    if (how & LA_SHUT_WR)
        queue_fin(t, ci);
    return LA_OK;
}

/* Nobody holds the connection any more. */
static void let_go(struct tcp *t, uint32_t ci)
{
    struct tcp_conn *c = conn_at(t, ci);

    conn_unready(t, ci);
    conn_unstarve(t, ci);
    c->held = false;
    c->user = 0;
}

bool tcp_orphan_ended(struct tcp *t, uint32_t ci, uint32_t penalty)
{
    const struct tcp_conn *c = conn_at(t, ci);

    const bool many = (uint64_t)t->orphans << penalty > t->env.knobs.max_orphans;
    const bool holds = c->sndq.chunks > 1 && memory_over(t);
    const enum la_drop reason = many ? LA_DROP_ORPHANS : LA_DROP_MEMORY;

    if (!c->orphan || (!many && !holds))
        return false;
    env_count(&t->env, LA_COUNT_TCPAbortOnMemory);
    env_drop(&t->env, reason);
    tcp_reset(t, ci, LA_ECONNABORTED, reason);
    return true;
}

void tcp_close(struct tcp *t, uint32_t ci)
{
    struct tcp_conn *c = conn_at(t, ci);

    let_go(t, ci);
    switch ((enum la_state)c->state) {
    case LA_CLOSED:
        conn_release(t, ci);
        return;
    case LA_SYN_SENT:
        tcp_end(t, ci, LA_OK, LA_DROP_CLOSED_NORMALLY);
        return;
    case LA_SYN_RECEIVED: /* queued until the connection is established */
    case LA_ESTABLISHED:
    case LA_FIN_WAIT_1:
    case LA_FIN_WAIT_2:
    case LA_CLOSE_WAIT:
    case LA_CLOSING:
    case LA_LAST_ACK:
    case LA_TIME_WAIT:
    case LA_LISTEN:
        break;
    }
    if (c->rcvq.len_bytes > 0 && !c->rd_shut) { /* SHLD-3: bytes that nobody will read */
        env_count(&t->env, LA_COUNT_TCPAbortOnClose);
        env_drop(&t->env, LA_DROP_CLOSED_UNREAD);
        finding_conn(t, ci, LA_FINDING_CLOSE_UNREAD, c->rcvq.len_bytes);
        tcp_reset(t, ci, LA_ECONNABORTED, LA_DROP_CLOSED_UNREAD);
        return;
    }
    if (c->state == LA_FIN_WAIT_2 && c->set.linger2_s == LA_LINGER2_NONE) {
        env_count(&t->env, LA_COUNT_TCPAbortOnLinger);
        env_drop(&t->env, LA_DROP_LINGER2);
        tcp_reset(t, ci, LA_ECONNABORTED, LA_DROP_LINGER2);
        return;
    }
    c->orphan = true;
    t->orphans++;
    if (c->state == LA_FIN_WAIT_2) {
        short_enter(t, ci, LA_FIN_WAIT_2);
        return;
    }
    queue_fin(t, ci);
    (void)tcp_orphan_ended(t, ci, 0);
}

void tcp_abort(struct tcp *t, uint32_t ci)
{
    struct tcp_conn *c = conn_at(t, ci);

    let_go(t, ci);
    if (c->state == LA_CLOSED) {
        conn_release(t, ci);
        return;
    }
    env_drop(&t->env, LA_DROP_ABORTED);
    /* With both FINs under way and nothing lost by ending now, there is nothing to tell. */
    if (in(c, S(CLOSING) | S(LAST_ACK)) && conn_unsent(c) == 0 && !conn_fin_unsent(c))
        tcp_end(t, ci, LA_ECONNABORTED, LA_DROP_ABORTED);
    else
        tcp_reset(t, ci, LA_ECONNABORTED, LA_DROP_ABORTED);
}
