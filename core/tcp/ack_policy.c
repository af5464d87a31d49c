/* SPDX-License-Identifier: MIT */
/*
 * ack_policy.c - When to acknowledge.
 *
 * Text that comes merely in order is acknowledged once for a run: the second segment at the
 * latest (SHLD-19; a full one and a bit suffice, as on Linux: a peer that waits for the ACK
 * of a crumb would stall) when segments come one by one, and for a burst at most
 * one ACK per 8 segments or 64 KB (2 segments in the quick phase at the beginning),
 * MUST-58 and MUST-59.  A single segment waits for company or a reply, 40 ms at the
 * longest (MUST-40).
 *
 * A FIN is acknowledged by the next la_tx(), so that an application which closes before it gives
 * the acknowledgment its own FIN to ride on: a close in three segments.
 *
 * Everything else - out of order, filling a hole, a duplicate, a challenge - is
 * acknowledged at once and one by one, in order of arrival: a peer's loss recovery counts
 * them (RFC 5681 4.2).
 */
#include "core/tcp/tcp.h"

#define MERGE_SEGS 8
#define MERGE_SEGS_QUICK 2
#define MERGE_BYTES 65536u

void ack_text(struct tcp *t, uint32_t ci, uint32_t bytes, uint32_t segs)
{
    struct tcp_conn *c = conn_at(t, ci);
    LA_ASSERT(segs > 0);
    const uint32_t each = bytes / segs;
    if (each > c->rcv_mss)
        c->rcv_mss = each < c->adv_mss ? (uint16_t)each : c->adv_mss;
    c->rcv_text_at = tcp_coarse(t);
    c->ack_bytes += bytes;
    c->ack_segs = (uint16_t)(c->ack_segs + segs);
    if (c->ack_segs >= (c->quick > 0 ? MERGE_SEGS_QUICK : MERGE_SEGS) ||
        c->ack_bytes >= MERGE_BYTES)
        c->ack_now = true;
}

void ack_now(struct tcp *t, uint32_t ci)
{
    conn_at(t, ci)->ack_now = true;
}

void ack_flush(struct tcp *t, uint32_t ci)
{
    struct tcp_conn *c = conn_at(t, ci);

    if (!c->ack_now)
        return;
    c->ack_now = false;
    if (in(c, S(CLOSED) | S(SYN_SENT)))
        return; /* there is nothing to acknowledge */
    reply_ack(t, ci);
}

/* The burst is over: what came in order is acknowledged now, with what is sent, or a little later. */
void ack_settle(struct tcp *t, uint32_t ci)
{
    struct tcp_conn *c = conn_at(t, ci);

    if (c->state == LA_FIN_WAIT_2 && !c->held && c->listener == SLAB_NONE) {
        if (c->set.linger2_s == LA_LINGER2_NONE) {
            env_count(&t->env, LA_COUNT_TCPAbortOnData); /* as Linux counts it */
            env_drop(&t->env, LA_DROP_LINGER2);
            tcp_reset(t, ci, LA_ECONNABORTED, LA_DROP_LINGER2);
            return;
        }
        short_enter(t, ci, LA_FIN_WAIT_2); /* nobody will read: a short record waits for the FIN */
        return;
    }
    if (c->ack_segs == 0 || c->state == LA_CLOSED)
        return;
    if (c->quick > 0 || c->set.quickack || c->ack_bytes > c->rcv_mss) {
        c->want_ack = true;
        tcp_output_wake(t, ci);
        return;
    }
    if (c->deadline[TCP_DL_DELACK].ns == UINT64_MAX)
        tcp_timer_arm(t, ci, TCP_DL_DELACK,
                      time_add(t->env.now, t->env.knobs.delack_ms * NS_PER_MS));
}

/* A segment with ACK has gone out: nothing is owed any more. */
void ack_sent(struct tcp_conn *c)
{
    c->want_ack = false;
    c->quick = c->quick > c->ack_segs ? (uint8_t)(c->quick - c->ack_segs) : 0;
    c->ack_segs = 0;
    c->ack_bytes = 0;
    c->rcv.last_ack = c->rcv.nxt;
    tcp_timer_stop(c, TCP_DL_DELACK);
}

bool ack_invalid(struct tcp *t, uint32_t ci, enum la_counter skipped)
{
    struct tcp_conn *c = conn_at(t, ci);
    const uint32_t now_us = tcp_now_us(t);
    const int32_t limit_us = (int32_t)(t->env.knobs.invalid_ratelimit * 1000u);

    if (c->last_invalid_us != 0 && (int32_t)(now_us - c->last_invalid_us) < limit_us) {
        env_count(&t->env, skipped);
        return false;
    }
    c->last_invalid_us = now_us != 0 ? now_us : 1; /* zero means "never" */
    c->ack_now = true;
    return true;
}

bool tcp_challenge(struct tcp_arrival *a)
{
    if (!ack_invalid(a->t, a->ci, LA_COUNT_TCPACKSkippedChallenge))
        return false;
    env_count(&a->t->env, LA_COUNT_TCPChallengeACK);
    return true;
}
