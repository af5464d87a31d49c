/* SPDX-License-Identifier: MIT */
/*
 * ladder_fold.c - What is kept and what is counted.
 *
 * A line leaves the ring of the newest ones and is settled.  A line with something to
 * say is kept; any other is data or an acknowledgment of data and joins the run under way.
 * A run of a few lines is drawn line by line in the end, a longer one as a single line.
 *
 * Text in the other direction begins a new run, so that a request and its response stay
 * apart; after PLAIN_RUNS_MAX of those a conversation is one run with text of both sides.
 * Losses and window changes are drawn events_max times, then they are counted in
 * the run too.  Steps of the open and the close are always drawn, and are few.
 */
#include "cli/ladder_lines.h"

#include <stdlib.h>
#include <string.h>

static bool is_step(const struct line *n)
{
    return (n->flags & (FLAG_SYN | FLAG_FIN | FLAG_RST)) != 0;
}

static bool is_event_note(uint8_t note)
{
    return note >= NOTE_FIN_AGAIN && note != NOTE_RESET && note != NOTE_END;
}

/* Only loss, order or windows: may be counted instead of drawn. */
static bool is_event(const struct line *n)
{
    if (is_step(n))
        return false;
    for (uint32_t i = 0; i < n->note_count; i++)
        if (!is_event_note(n->notes[i].note))
            return false;
    return n->note_count > 0 || n->again || n->reason != LA_DROP_NONE;
}

static bool is_plain(const struct line *n)
{
    return !is_step(n) && n->note_count == 0 && !n->again && n->reason == LA_DROP_NONE;
}

static void keep(struct ladder *l, const struct line *n)
{
    if (l->line_count == l->line_room) {
        const uint32_t room = l->line_room == 0 ? 64 : l->line_room * 2;
        struct line *lines = realloc(l->lines, room * sizeof *lines);
        if (lines == NULL) {
            l->no_memory = true;
            return;
        }
        l->lines = lines;
        l->line_room = room;
    }
    l->lines[l->line_count++] = *n;
}

/* Runs ----------------------------------------------------------------------------- */

static void run_clear(struct run *r)
{
    memset(r, 0, sizeof *r);
    r->sum.kind = LINE_RUN;
}

static void run_flush(struct ladder *l)
{
    struct run *r = &l->run;
    if (r->count == 0)
        return;
    if (r->count <= RUN_PLAIN_MAX)
        for (uint32_t i = 0; i < r->count; i++)
            keep(l, &r->plain[i]);
    else
        keep(l, &r->sum);
    run_clear(r);
}

static void run_count(struct line *sum, const struct line *n)
{
    struct run_side *side = &sum->run[n->from];
    const bool first = side->segments + side->acks == 0;

    side->wnd_min = first || n->wnd < side->wnd_min ? n->wnd : side->wnd_min;
    side->wnd_max = first || n->wnd > side->wnd_max ? n->wnd : side->wnd_max;
    if (n->len_bytes == 0) {
        side->acks++;
    } else {
        if (side->segments == 0)
            side->first = n->seq;
        if (n->seq + n->len_bytes > side->last)
            side->last = n->seq + n->len_bytes;
        side->segments++;
        side->bytes += n->len_bytes;
    }
    side->again += n->again;
    sum->not_used += n->reason != LA_DROP_NONE;
}

static void run_take(struct ladder *l, const struct line *n)
{
    struct run *r = &l->run;
    const struct run_side *theirs = &r->sum.run[OTHER(n->from)];

    if (n->len_bytes > 0 && theirs->segments > 0 && !r->mixed) {
        if (l->plain_runs < PLAIN_RUNS_MAX) {
            l->plain_runs++;
            run_flush(l);
        } else {
            r->mixed = true;
        }
    }
    if (r->count == 0) {
        run_clear(r);
        r->sum.at = n->at;
        r->sum.from = n->from;
    }
    if (r->count < RUN_PLAIN_MAX)
        r->plain[r->count] = *n;
    r->count++;
    r->sum.until = n->at;
    memcpy(r->sum.state, n->state, sizeof r->sum.state);
    run_count(&r->sum, n);
}

/* Lines ---------------------------------------------------------------------------- */

static void settle(struct ladder *l, const struct line *n)
{
    if (is_plain(n)) {
        run_take(l, n);
        return;
    }
    if (is_event(n)) {
        if (l->events >= l->options.events_max) {
            run_take(l, n);
            return;
        }
        l->events++;
    }
    run_flush(l);
    keep(l, n);
}

void fold_push(struct ladder *l, const struct line *n)
{
    if (l->last_count == l->options.last_segments) {
        settle(l, &l->last[l->last_first]);
        l->last_first = (l->last_first + 1) % LAST_SEGMENTS_MAX;
        l->last_count--;
    }
    l->last[(l->last_first + l->last_count) % LAST_SEGMENTS_MAX] = *n;
    l->last_count++;
}

/* The end that no segment shows: TIME-WAIT is over, a timer gave up. */
static bool end_line(const struct ladder *l, struct line *n)
{
    const struct side *local = &l->side[LOCAL];
    if (!l->ended || (local->shown == LA_CLOSED && l->last_count > 0))
        return false;
    *n = (struct line){
        .at = l->ended_at,
        .kind = LINE_EVENT,
        .state = { LA_CLOSED, (uint8_t)l->side[PEER].shown },
        .reason = l->end_reason,
        .note_count = 1,
    };
    n->notes[0].note = local->shown == LA_TIME_WAIT && (l->end_reason == LA_DROP_NONE ||
                                                        l->end_reason == LA_DROP_TIME_WAIT_END)
                           ? NOTE_TIME_WAIT_END
                           : NOTE_END;
    n->notes[0].side = LOCAL;
    return true;
}

void fold_each(const struct ladder *l, void (*each)(void *context, const struct line *n),
               void *context)
{
    struct line end;
    for (uint32_t i = 0; i < l->line_count; i++)
        each(context, &l->lines[i]);
    if (l->run.count > RUN_PLAIN_MAX)
        each(context, &l->run.sum);
    else
        for (uint32_t i = 0; i < l->run.count; i++)
            each(context, &l->run.plain[i]);
    for (uint32_t i = 0; i < l->last_count; i++)
        each(context, &l->last[(l->last_first + i) % LAST_SEGMENTS_MAX]);
    if (end_line(l, &end))
        each(context, &end);
}
