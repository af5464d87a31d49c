/* SPDX-License-Identifier: MIT */
/*
 * ecn.c - Explicit congestion notification (RFC 3168): a router marks instead of dropping.
 *
 * The handshake (6.1.1) agrees on it as net.ipv4.tcp_ecn says: 0 never, 1 ask and accept, 2
 * accept.  A SYN that is sent again does not ask, unless tcp_ecn_fallback is 0: something on the
 * path may drop it for that.  A SYN whose own IP header carries an ECN codepoint is from something
 * that rewrites them, and is not believed, as on Linux.  A connection from a SYN cookie has
 * nowhere to keep the answer.
 *
 * As a sender: ECT(0) stands on new text alone, never on what is sent again, on ACKs or on probes
 * (6.1.4 - 6.1.6).  An ACK with ECE is taken as a loss would be, once in a round trip (6.1.2), and
 * the next new segment says so with CWR.  What is in flight comes down over that round trip as in a
 * recovery (RFC 9937), and a loss within it reduces nothing further.
 *
 * As a receiver: after a segment marked CE every ACK carries ECE until a segment with CWR comes
 * (6.1.3).  The first such ACK goes at once.
 */
#include "core/tcp/inflight.h"
#include "core/tcp/tcp.h"

bool ecn_syn_asks(const struct tcp *t, const struct tcp_arrival *a)
{
    return t->env.knobs.ecn > 0 && a->ecn == ECN_NOT_ECT &&
           (a->seg->flags & (TCP_ECE | TCP_CWR)) == (TCP_ECE | TCP_CWR);
}

uint8_t ecn_syn_flags(const struct tcp *t, struct tcp_conn *c, bool again)
{
    if (c->state != LA_SYN_SENT || t->env.knobs.ecn != 1 || (again && t->env.knobs.ecn_fallback))
        return 0;
    c->ecn_asked = true;
    return TCP_ECE | TCP_CWR;
}

void ecn_synack(struct tcp_conn *c, const struct tcp_seg *seg)
{
    c->ecn = c->ecn_asked && (seg->flags & (TCP_ACK | TCP_ECE | TCP_CWR)) == (TCP_ACK | TCP_ECE);
}

/* ECE says that something we sent since we last gave way was marked. */
void ecn_on_ack(struct tcp_arrival *a)
{
    struct tcp_conn *c = a->c;

    if (!c->ecn || (a->seg->flags & (TCP_ECE | TCP_SYN)) != TCP_ECE || conn_flight(c) == 0)
        return;
    env_count(&a->t->env, LA_COUNT_TCPDeliveredCE);
    const enum cc_echo echo = cc_on_echo(a->t, c, a->seg->ack);
    if (echo == CC_ECHO_REDUCES && flight_known(c) && c->cwnd > c->ssthresh)
        prr_reduce(a->t, c);
    if (echo != CC_ECHO_AGAIN)
        c->ecn_cwr = true;
}

void ecn_on_text(struct tcp_arrival *a)
{
    struct tcp_conn *c = a->c;

    if (!c->ecn || a->seg->len == 0)
        return;
    if (a->seg->flags & TCP_CWR)
        c->ecn_echo = false;
    if (a->ecn == ECN_CE) {
        if (!c->ecn_echo)
            ack_now(a->t, a->ci);
        c->ecn_echo = true;
    }
}

uint8_t ecn_flags(struct tcp_conn *c, uint8_t flags, bool new_text)
{
    uint8_t out = 0;

    if (flags & TCP_SYN)
        return 0;
    if (c->ecn_echo && flags & TCP_ACK)
        out |= TCP_ECE;
    if (c->ecn_cwr && new_text) {
        c->ecn_cwr = false;
        out |= TCP_CWR;
    }
    return out;
}
