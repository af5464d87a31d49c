/* SPDX-License-Identifier: MIT */
/*
 * ladder_notes.c - The plain sentences: which line gets which, and their words.
 *
 * A sentence stands at the line that makes it true: at a change of state it says
 * what the side now waits for and why; at a loss or a closed window, what happened.
 * Sentences are made from what changed between two lines, never from the time.
 */
#include "cli/ladder_lines.h"

#include <string.h>

static void note(struct line *n, enum note what, enum ladder_side side)
{
    if (n->note_count == NOTES_MAX)
        return;
    n->notes[n->note_count].note = (uint8_t)what;
    n->notes[n->note_count].side = (uint8_t)side;
    n->note_count++;
}

/* Open and close ------------------------------------------------------------------- */

/* A FIN that was not there before. */
static bool is_fresh_fin(const struct ladder *l, const struct line *n)
{
    return (n->flags & FLAG_FIN) != 0 && n->seq + n->len_bytes + 1 > l->side[n->from].next;
}

/* A FIN that is also the first acknowledgment of the other side's. */
static bool joins_ack_and_fin(const struct ladder *l, const struct line *n)
{
    const struct side *other = &l->side[OTHER(n->from)];
    return is_fresh_fin(l, n) && (n->flags & FLAG_ACK) != 0 && other->fin_sent &&
           !other->fin_acked && n->ack >= other->fin_end;
}

static void note_sender(struct ladder *l, struct line *n)
{
    const enum ladder_side side = n->from;
    const enum la_state before = l->side[side].shown;
    const enum la_state after = (enum la_state)n->state[side];
    const bool closing = after == LA_FIN_WAIT_1 || after == LA_LAST_ACK;

    if ((n->flags & FLAG_SYN) != 0 && !n->again && l->side[side].next == 0)
        note(n, (n->flags & FLAG_ACK) != 0 ? NOTE_SYN_ACK : NOTE_OPENS, side);
    if (is_fresh_fin(l, n))
        note(n, after == LA_LAST_ACK ? NOTE_LAST_ACK : NOTE_FIN_WAIT_1, side);
    else if (closing && after != before && !l->side[side].fin_sent)
        note(n, NOTE_CLOSE_PENDING, side);
    if (joins_ack_and_fin(l, n))
        note(n, NOTE_THREE_SEGMENTS, side);
    else if (after != before && after == LA_CLOSING)
        note(n, NOTE_CLOSING, side);
    else if (after != before && after == LA_CLOSE_WAIT)
        note(n, NOTE_CLOSE_WAIT, side);
}

static void note_receiver(struct ladder *l, struct line *n)
{
    const enum ladder_side side = OTHER(n->from);
    const enum la_state before = l->side[side].shown;
    const enum la_state after = (enum la_state)n->state[side];
    const enum la_state sender = (enum la_state)n->state[n->from];
    const bool crossed = sender == LA_CLOSING || sender == LA_TIME_WAIT;

    if (after == before)
        return;
    if (after == LA_SYN_RECEIVED && before == LA_SYN_SENT)
        note(n, NOTE_SIMULTANEOUS_OPEN, side);
    else if (after == LA_CLOSE_WAIT)
        note(n, NOTE_CLOSE_WAIT, side);
    else if (after == LA_FIN_WAIT_2)
        note(n, NOTE_FIN_WAIT_2, side);
    else if (after == LA_CLOSING)
        note(n, NOTE_CLOSING, side);
    else if (after == LA_TIME_WAIT)
        note(n, before == LA_CLOSING || crossed ? NOTE_TIME_WAIT_BOTH : NOTE_TIME_WAIT, side);
    else if (after == LA_CLOSED && before == LA_LAST_ACK)
        note(n, NOTE_CLOSED, side);
}

static void note_steps(struct ladder *l, struct line *n)
{
    note_sender(l, n);
    note_receiver(l, n);
    if (!l->opened && n->state[LOCAL] == LA_ESTABLISHED && n->state[PEER] == LA_ESTABLISHED) {
        l->opened = true;
        note(n, NOTE_OPEN, n->from);
    }
}

static bool is_reset_that_counts(const struct line *n)
{
    return (n->flags & FLAG_RST) != 0 &&
           (n->from == LOCAL || (enum la_state)n->state[LOCAL] == LA_CLOSED);
}

/* Losses and windows ---------------------------------------------------------------- */

static void note_timers(struct ladder *l, struct line *n)
{
    const bool fired = l->timer_fired && n->from == LOCAL;

    if (fired && l->timer == LA_TIMER_PERSIST)
        note(n, NOTE_PROBE, LOCAL);
    else if (fired && l->timer == LA_TIMER_KEEPALIVE)
        note(n, NOTE_KEEPALIVE, LOCAL);
    if (n->from != LOCAL)
        return;
    if (fired && (l->timer == LA_TIMER_RTO || l->timer == LA_TIMER_SYNACK))
        l->timed_out = true;
    else if (n->len_bytes > 0 && !n->again)
        l->timed_out = false;
    if (n->again && n->note_count == 0)
        note(n, l->timed_out ? NOTE_AGAIN_RTO : NOTE_AGAIN_FAST, LOCAL);
}

static void note_gaps(struct ladder *l, struct line *n)
{
    struct side *s = &l->side[n->from];
    const uint64_t end = n->seq + n->len_bytes;

    if (n->from != PEER || n->len_bytes == 0 || n->reason != LA_DROP_NONE || s->next == 0)
        return;
    if (!s->in_gap && n->seq > s->next) {
        s->in_gap = true;
        s->gap_at = s->next;
        note(n, NOTE_GAP, PEER);
    } else if (s->in_gap && n->seq <= s->gap_at && end > s->gap_at) {
        s->in_gap = false;
        note(n, NOTE_GAP_FILLED, PEER);
    }
}

static void note_window(struct ladder *l, struct line *n)
{
    const bool closed = l->side[n->from].window_closed;

    if ((n->flags & (FLAG_SYN | FLAG_RST)) != 0)
        return;
    if (n->wnd == 0 && !closed)
        note(n, NOTE_WINDOW_CLOSED, n->from);
    else if (n->wnd > 0 && closed)
        note(n, NOTE_WINDOW_OPEN, n->from);
}

void notes_add(struct ladder *l, struct line *n)
{
    const bool again_in_time_wait =
        (n->flags & FLAG_FIN) != 0 && n->from == PEER && l->side[LOCAL].shown == LA_TIME_WAIT;
    if (is_reset_that_counts(n)) {
        note(n, NOTE_RESET, n->from);
        return;
    }
    if (again_in_time_wait)
        note(n, NOTE_FIN_AGAIN, PEER);
    else if (n->from == PEER && n->reason != LA_DROP_NONE)
        note(n, NOTE_NOT_USED, PEER);
    else
        note_steps(l, n);
    note_timers(l, n);
    note_gaps(l, n);
    note_window(l, n);
}

/* Words ---------------------------------------------------------------------------- */

/* {s} is the side the sentence is about, {o} the other, {d} its 2MSL, {r} the record's reason. */
static const char *const sentences[] = {
    [NOTE_OPENS] = "{s} opens. A SYN takes one sequence number, as a byte would.",
    [NOTE_SYN_ACK] = "{s} acknowledges it and sends its own SYN, in one segment.",
    [NOTE_OPEN] = "Each side now knows that the other hears it: the connection is open.",
    [NOTE_SIMULTANEOUS_OPEN] =
        "Both opened at the same time and the SYNs crossed. One connection comes of it.",
    [NOTE_FIN_WAIT_1] = "FIN-WAIT-1: {s} has nothing more to send and says so with a FIN. It waits "
                        "for the acknowledgment, and it still listens.",
    [NOTE_CLOSE_PENDING] = "{s} closes. Its FIN will follow the bytes that still wait.",
    [NOTE_CLOSE_WAIT] = "CLOSE-WAIT: {s} has read that no more will come. It stays here until its "
                        "own application closes; until then it may send.",
    [NOTE_FIN_WAIT_2] =
        "FIN-WAIT-2: the FIN has arrived, so one direction is closed. {s} waits for "
        "the other: the FIN of {o}.",
    [NOTE_LAST_ACK] =
        "LAST-ACK: {s} closes too. All it waits for is the acknowledgment of this FIN.",
    [NOTE_CLOSING] = "CLOSING: the FINs crossed, both sides closed at the same time. {s} has the "
                     "other FIN, but no acknowledgment of its own yet.",
    [NOTE_TIME_WAIT] =
        "TIME-WAIT: both directions are closed. {s} closed first, so the waiting is its: 2MSL{d}, "
        "for two reasons. Its last ACK may get lost; then the FIN comes again and must be "
        "answered. "
        "And old segments must have left the network before these two ports mean a new connection.",
    [NOTE_TIME_WAIT_BOTH] =
        "TIME-WAIT: both directions are closed. Nobody closed first, so both sides wait: {s} for "
        "2MSL{d}, lest a last ACK be lost, and until old segments have left the network.",
    [NOTE_THREE_SEGMENTS] =
        "A close in three segments instead of four: {s} had nothing left to send "
        "when the FIN came, so its ACK and its own FIN are one segment.",
    [NOTE_CLOSED] = "CLOSED: {s} has the acknowledgment it waited for and forgets the connection.",
    [NOTE_TIME_WAIT_END] =
        "2MSL{d} have passed. Nothing of this connection can still be under way.",
    [NOTE_FIN_AGAIN] =
        "The FIN comes again: the last ACK was lost. TIME-WAIT is there to answer it.",
    [NOTE_RESET] = "A reset by {s} ends the connection at once{r}.",
    [NOTE_AGAIN_RTO] = "Sent again: no acknowledgment came before the retransmission timeout.",
    [NOTE_AGAIN_FAST] = "Sent again: the acknowledgments show that it was lost.",
    [NOTE_GAP] = "Something before it is missing: lost, or overtaken.",
    [NOTE_GAP_FILLED] = "This is what was missing.",
    [NOTE_WINDOW_CLOSED] =
        "The window of {s} is closed: it has no room until its application reads.",
    [NOTE_WINDOW_OPEN] = "The window of {s} is open again.",
    [NOTE_PROBE] = "A probe: is the window still closed?",
    [NOTE_KEEPALIVE] = "A keepalive probe: is {o} still there?",
    [NOTE_NOT_USED] = "Not used{r}.",
    [NOTE_END] = "The connection ends{r}.",
};

/* A bounded string being written. */
struct text {
    char *to;
    size_t room, len;
};

static void append(struct text *t, const char *words)
{
    for (; *words != '\0' && t->len + 1 < t->room; words++)
        t->to[t->len++] = *words;
    t->to[t->len] = '\0';
}

/* A name at the start of a sentence: "The peer", but "lastack". */
static void append_name(struct text *t, const char *name)
{
    const size_t at = t->len;
    const bool begins = at == 0 || (at >= 2 && memcmp(t->to + at - 2, ". ", 2) == 0);
    append(t, name);
    if (begins && strncmp(t->to + at, "the ", 4) == 0)
        t->to[at] = 'T';
}

static void append_duration(const struct ladder *l, struct text *t, enum ladder_side side)
{
    const uint32_t ms = side == LOCAL ? l->options.two_msl_ms : l->options.peer_two_msl_ms;
    char span[NUMBER_TEXT_BYTES];
    if (ms == 0)
        return;
    append(t, " (");
    append(t, text_span(ms, span));
    append(t, side == LOCAL ? " here)" : ")");
}

static void append_reason(struct text *t, uint16_t reason)
{
    if (reason == LA_DROP_NONE || reason == LA_DROP_RESET || reason >= LA_DROPS)
        return;
    append(t, ": ");
    append(t, la_drop_text((enum la_drop)reason));
}

void note_text(const struct ladder *l, const struct line *n, uint32_t i, char *to, size_t room)
{
    const enum ladder_side side = (enum ladder_side)n->notes[i].side;
    const bool reset = n->notes[i].note == NOTE_RESET;
    struct text t = { to, room, 0 };

    to[0] = '\0';
    for (const char *at = sentences[n->notes[i].note]; *at != '\0'; at++) {
        if (*at != '{') {
            append(&t, (const char[]){ *at, '\0' });
            continue;
        }
        const char what = at[1];
        at += 2;
        if (what == 's')
            append_name(&t, l->side[side].name);
        else if (what == 'o')
            append_name(&t, l->side[OTHER(side)].name);
        else if (what == 'd')
            append_duration(l, &t, side);
        else
            append_reason(&t, reset && n->reason == LA_DROP_NONE ? l->end_reason : n->reason);
    }
}
