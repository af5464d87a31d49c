/* SPDX-License-Identifier: MIT */
/*
 * ladder_peer.c - The peer's state, inferred from the segments alone.
 *
 * A segment the peer sent is evidence: it shows the state the peer was in.  A segment that is
 * sent to it is a guess: it shows the state the peer will be in once it has arrived, which is
 * what the figures of RFC 9293 show too.  Where evidence contradicts a guess, the
 * evidence counts: a FIN of the peer that does not acknowledge ours was sent before ours
 * arrived, so the peer was in FIN-WAIT-1 and not in CLOSE-WAIT.
 *
 * What can not be seen is left out: when the peer's TIME-WAIT ends, when its application
 * closes while its FIN still waits behind text.
 */
#include "cli/ladder_lines.h"

static bool acks_fin_of(const struct ladder *l, const struct line *n, enum ladder_side side)
{
    const struct side *s = &l->side[side];
    return (n->flags & FLAG_ACK) != 0 && s->fin_sent && n->ack >= s->fin_end;
}

static bool is_opening(enum la_state state)
{
    return state == LA_CLOSED || state == LA_LISTEN || state == LA_SYN_SENT;
}

static enum la_state after_sending_fin(const struct ladder *l, const struct line *n,
                                       enum la_state state)
{
    if (state == LA_ESTABLISHED || state == LA_SYN_RECEIVED)
        return acks_fin_of(l, n, LOCAL) ? LA_LAST_ACK : LA_FIN_WAIT_1;
    if (state == LA_CLOSE_WAIT)
        return acks_fin_of(l, n, LOCAL) ? LA_LAST_ACK : LA_FIN_WAIT_1;
    return state;
}

static enum la_state after_sending(const struct ladder *l, const struct line *n,
                                   enum la_state state)
{
    if ((n->flags & FLAG_RST) != 0) /* one that was not believed may be somebody else's */
        return n->state[LOCAL] == LA_CLOSED ? LA_CLOSED : state;
    if ((n->flags & FLAG_SYN) != 0) {
        if (!is_opening(state))
            return state;
        return (n->flags & FLAG_ACK) != 0 ? LA_SYN_RECEIVED : LA_SYN_SENT;
    }
    if (is_opening(state) && !l->side[PEER].fin_sent)
        state = LA_ESTABLISHED;
    if ((n->flags & FLAG_FIN) != 0)
        return after_sending_fin(l, n, state);
    if (acks_fin_of(l, n, LOCAL)) {
        if (state == LA_FIN_WAIT_1)
            return LA_CLOSING;
        if (state == LA_FIN_WAIT_2)
            return LA_TIME_WAIT;
        if (state == LA_ESTABLISHED)
            return LA_CLOSE_WAIT;
    }
    return state;
}

static enum la_state after_ack(const struct ladder *l, const struct line *n, enum la_state state)
{
    if (state == LA_SYN_RECEIVED)
        return LA_ESTABLISHED;
    if (!acks_fin_of(l, n, PEER))
        return state;
    if (state == LA_FIN_WAIT_1)
        return LA_FIN_WAIT_2;
    if (state == LA_CLOSING)
        return LA_TIME_WAIT;
    if (state == LA_LAST_ACK)
        return LA_CLOSED;
    return state;
}

static enum la_state after_fin(enum la_state state)
{
    if (state == LA_ESTABLISHED || state == LA_SYN_RECEIVED)
        return LA_CLOSE_WAIT;
    if (state == LA_FIN_WAIT_1)
        return LA_CLOSING;
    if (state == LA_FIN_WAIT_2)
        return LA_TIME_WAIT;
    return state;
}

static enum la_state after_receiving(const struct ladder *l, const struct line *n,
                                     enum la_state state)
{
    if ((n->flags & FLAG_RST) != 0)
        return LA_CLOSED;
    if ((n->flags & FLAG_SYN) != 0) {
        if ((n->flags & FLAG_ACK) == 0)
            return is_opening(state) ? LA_SYN_RECEIVED : state;
        return state == LA_SYN_SENT || state == LA_SYN_RECEIVED ? LA_ESTABLISHED : state;
    }
    if ((n->flags & FLAG_ACK) != 0)
        state = after_ack(l, n, state);
    /* A FIN of ours that crossed the peer's has arrived by now. */
    if ((n->flags & FLAG_FIN) != 0 || (l->side[LOCAL].fin_sent && state == LA_FIN_WAIT_2))
        state = after_fin(state);
    return state;
}

enum la_state peer_state_after(const struct ladder *l, const struct line *n)
{
    const enum la_state state = l->side[PEER].state;
    if (n->from == PEER)
        return after_sending(l, n, state);
    return after_receiving(l, n, state);
}
