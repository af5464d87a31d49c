/* SPDX-License-Identifier: MIT */
/*
 * ladder.c - From trace records to lines.
 *
 * Sequence numbers become relative to the SYN and 64 bits wide, so that a transfer of any
 * length counts on.  Both states of a line are those after its segment has passed: the
 * sender's after sending, the receiver's after receiving, as in the figures of
 * RFC 9293 3.5 and 3.6.  This side's come from its records; the peer's are inferred
 * (ladder_peer.c) or, if the peer is traced too, taken from its record of the same segment.
 */
#include "cli/ladder_lines.h"

#include <stdlib.h>
#include <string.h>

#define WIDTH_DEFAULT 100
#define WIDTH_MIN 80
#define LAST_DEFAULT 10
#define EVENTS_DEFAULT 40

struct ladder *ladder_new(const struct ladder_options *options)
{
    struct ladder *l = calloc(1, sizeof *l);
    if (l == NULL)
        return NULL;
    if (options != NULL)
        l->options = *options;
    struct ladder_options *o = &l->options;
    if (o->width == 0)
        o->width = WIDTH_DEFAULT;
    if (o->width < WIDTH_MIN)
        o->width = WIDTH_MIN;
    if (o->last_segments == 0)
        o->last_segments = LAST_DEFAULT;
    if (o->last_segments > LAST_SEGMENTS_MAX)
        o->last_segments = LAST_SEGMENTS_MAX;
    if (o->events_max == 0)
        o->events_max = EVENTS_DEFAULT;
    l->side[LOCAL].name = o->local != NULL ? o->local : "lastack";
    l->side[PEER].name = o->peer != NULL ? o->peer : "the peer";
    return l;
}

void ladder_free(struct ladder *l)
{
    if (l == NULL)
        return;
    free(l->lines);
    free(l);
}

void ladder_scale(struct ladder *l, uint8_t local, uint8_t peer)
{
    l->side[LOCAL].scale = local;
    l->side[PEER].scale = peer;
    l->side[LOCAL].scaled = l->side[PEER].scaled = true;
}

bool ladder_is_over(const struct ladder *l)
{
    return l->ended || (l->started && l->side[LOCAL].state == LA_CLOSED);
}

/* A sequence number of @s as distance from its SYN; the nearest to those seen before. */
static uint64_t relative(struct side *s, uint32_t raw, bool is_syn)
{
    if (!s->numbered) {
        s->numbered = true;
        s->top_raw = raw;
        s->top = is_syn ? 0 : 1; /* without a SYN the first byte seen is called 1 */
    }
    const int32_t ahead = (int32_t)(raw - s->top_raw);
    const uint64_t at = s->top + (uint64_t)(int64_t)ahead;
    if (ahead > 0) {
        s->top_raw = raw;
        s->top = at;
    }
    return at;
}

/* Behind the last byte or flag of the segment. */
static uint64_t end_of(const struct line *n)
{
    return n->seq + n->len_bytes + ((n->flags & FLAG_SYN) != 0 ? 1u : 0u) +
           ((n->flags & FLAG_FIN) != 0 ? 1u : 0u);
}

/* What this segment says about its sender and about what the receiver has sent. */
static void take_numbers(struct ladder *l, const struct la_trace *t, struct line *n)
{
    struct side *sender = &l->side[n->from];
    struct side *receiver = &l->side[OTHER(n->from)];

    n->seq = relative(sender, t->seq, (t->flags & FLAG_SYN) != 0);
    if ((t->flags & FLAG_ACK) != 0)
        n->ack = relative(receiver, t->ack, false);
    /* Of the peer's repeats only those that bring nothing are known to be repeats. */
    if (n->from == PEER && n->reason != LA_DROP_NONE && end_of(n) > n->seq)
        n->again = end_of(n) <= sender->next;
    if ((t->flags & FLAG_FIN) != 0) {
        sender->fin_sent = true;
        sender->fin_end = n->seq + t->len_bytes + 1;
    }
    sender->segments++;
    sender->bytes += t->len_bytes;
    sender->again += n->again;
}

/* After the line's notes: what later lines are compared with. */
static void remember(struct ladder *l, const struct line *n)
{
    struct side *sender = &l->side[n->from];
    struct side *receiver = &l->side[OTHER(n->from)];

    if (end_of(n) > n->seq && end_of(n) > sender->next)
        sender->next = end_of(n);
    if ((n->flags & FLAG_ACK) != 0 && receiver->fin_sent && n->ack >= receiver->fin_end)
        receiver->fin_acked = true;
    if ((n->flags & (FLAG_SYN | FLAG_RST)) == 0)
        sender->window_closed = n->wnd == 0;
    l->side[LOCAL].state = l->side[LOCAL].shown = (enum la_state)n->state[LOCAL];
    l->side[PEER].state = l->side[PEER].shown = (enum la_state)n->state[PEER];
}

/*
 * The state after a segment.  A record that is written while a connection turns into a
 * short one does not know the new state; the state record just before it does.
 */
static enum la_state local_state(const struct ladder *l, const struct la_trace *t)
{
    const enum la_state known = l->side[LOCAL].state;
    const bool is_short = known == LA_TIME_WAIT || known == LA_FIN_WAIT_2;
    if (t->to == LA_CLOSED && is_short && !l->ended && (t->flags & FLAG_RST) == 0)
        return known;
    return (enum la_state)t->to;
}

/* The peer had closed before our FIN came: the guess that it was in CLOSE-WAIT is taken back. */
static void take_back_close_wait(struct ladder *l)
{
    for (uint32_t i = l->last_count; i-- > 0;) {
        struct line *n = &l->last[(l->last_first + i) % LAST_SEGMENTS_MAX];
        if (n->state[PEER] != LA_CLOSE_WAIT)
            return;
        n->state[PEER] = LA_ESTABLISHED;
        uint8_t kept = 0;
        for (uint8_t k = 0; k < n->note_count; k++)
            if (n->notes[k].note != NOTE_CLOSE_WAIT)
                n->notes[kept++] = n->notes[k];
        n->note_count = kept;
    }
}

static void add_segment(struct ladder *l, const struct la_trace *t)
{
    struct line n = {
        .at = t->at,
        .kind = LINE_SEGMENT,
        .from = t->kind == LA_TRACE_TX ? LOCAL : PEER,
        .wnd = t->wnd,
        .len_bytes = t->len_bytes,
        .raw_seq = t->seq,
        .raw_ack = t->ack,
        .flags = t->flags,
        .again = t->kind == LA_TRACE_TX && t->retransmission != 0,
        .reason = t->reason,
    };
    take_numbers(l, t, &n);
    n.state[LOCAL] = (uint8_t)local_state(l, t);
    n.state[PEER] = (uint8_t)peer_state_after(l, &n);
    if (l->side[PEER].state == LA_CLOSE_WAIT && n.state[PEER] == LA_FIN_WAIT_1)
        take_back_close_wait(l);
    notes_add(l, &n);
    remember(l, &n);
    fold_push(l, &n);
    l->timer_fired = l->timer_fired && n.from != LOCAL;
}

/* What is sent may be recorded while the segment it answers is still being treated. */
static void release(struct ladder *l)
{
    if (l->holds)
        add_segment(l, &l->held);
    l->holds = false;
}

static bool answers(const struct la_trace *sent, const struct la_trace *got)
{
    const uint32_t end = got->seq + got->len_bytes + ((got->flags & FLAG_SYN) != 0 ? 1u : 0u) +
                         ((got->flags & FLAG_FIN) != 0 ? 1u : 0u);
    if (sent->at.ns != got->at.ns)
        return false;
    if ((sent->flags & FLAG_RST) != 0 && (sent->flags & FLAG_ACK) == 0)
        return sent->seq == got->ack;
    return (sent->flags & FLAG_ACK) != 0 && end != got->seq && sent->ack == end;
}

static void add_received(struct ladder *l, const struct la_trace *t)
{
    if (!l->holds || !answers(&l->held, t)) {
        release(l);
        add_segment(l, t);
        return;
    }
    add_segment(l, t);
    if ((l->held.flags & FLAG_RST) == 0)
        l->held.to = (uint8_t)l->side[LOCAL].state;
    release(l);
}

static void add_sent(struct ladder *l, const struct la_trace *t)
{
    release(l);
    l->held = *t;
    l->holds = true;
}

static void start(struct ladder *l, const struct la_trace *t)
{
    if (l->started)
        return;
    l->started = true;
    l->began = t->at;
    l->local = t->local;
    l->remote = t->remote;
    l->side[LOCAL].state = l->side[LOCAL].shown = (enum la_state)t->from;
}

static void add_end(struct ladder *l, const struct la_trace *t)
{
    if (l->ended && t->reason == LA_DROP_NONE)
        return;
    l->ended = true;
    l->ended_at = t->at;
    l->end_reason = t->reason;
}

void ladder_add(struct ladder *l, const struct la_trace *t)
{
    start(l, t);
    why_add(l, t);
    const bool same_moment = l->holds && l->held.at.ns == t->at.ns;
    if (t->kind == LA_TRACE_TIMEOUT || !same_moment)
        release(l);
    switch ((enum la_trace_kind)t->kind) {
    case LA_TRACE_RX:
        add_received(l, t);
        break;
    case LA_TRACE_TX:
        add_sent(l, t);
        break;
    case LA_TRACE_STATE:
        if (t->to == LA_CLOSED)
            add_end(l, t);
        l->side[LOCAL].state = (enum la_state)t->to;
        break;
    case LA_TRACE_TIMEOUT:
        if (t->timer <= LA_TIMER_KEEPALIVE || t->timer == LA_TIMER_SYNACK) {
            l->timer_fired = true;
            l->timer = t->timer;
        }
        break;
    case LA_TRACE_END:
        add_end(l, t);
        break;
    case LA_TRACE_RECOVERY:
        break;
    }
}

/* The newest lines first: the segment the peer has a record of. */
static struct line *find_line(struct ladder *l, const struct la_trace *t, enum ladder_side from)
{
    for (uint32_t i = l->last_count; i-- > 0;) {
        struct line *n = &l->last[(l->last_first + i) % LAST_SEGMENTS_MAX];
        if (n->from == from && n->raw_seq == t->seq && n->raw_ack == t->ack &&
            n->flags == t->flags && n->len_bytes == t->len_bytes)
            return n;
    }
    return NULL;
}

void ladder_add_peer(struct ladder *l, const struct la_trace *t)
{
    release(l);
    l->peer_traced = true;
    if (t->kind == LA_TRACE_RX) {
        struct line *n = find_line(l, t, LOCAL);
        if (n != NULL)
            n->state[PEER] = t->to;
    }
}

struct ladder *ladder_settled(const struct ladder *l)
{
    struct ladder *copy = malloc(sizeof *copy);
    struct line *lines = malloc((l->line_count + 1) * sizeof *lines);
    if (copy == NULL || lines == NULL) {
        free(copy);
        free(lines);
        return NULL;
    }
    *copy = *l;
    if (l->line_count > 0)
        memcpy(lines, l->lines, l->line_count * sizeof *lines);
    copy->lines = lines;
    copy->line_room = l->line_count + 1;
    release(copy);
    return copy;
}
