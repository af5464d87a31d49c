/* SPDX-License-Identifier: MIT */
/*
 * ladder_why.c - The footnotes of a ladder: for each reason that was met, the clause that asks for it,
 * the knob that decides it, the counter that counts it, and what stood in the queues.
 *
 * A sentence says what happened; a number behind it leads to the footnote, which says why.  One
 * reason has one footnote, however often it was met.
 */
#include "cli/ladder_lines.h"

/* Ends that are nobody's doing need no reason. */
static bool is_plain_end(uint16_t reason)
{
    return reason == LA_DROP_NONE || reason == LA_DROP_CLOSED_NORMALLY ||
           reason == LA_DROP_TIME_WAIT_END || reason >= LA_DROPS;
}

uint32_t why_number(const struct ladder *l, uint16_t reason)
{
    for (uint32_t i = 0; i < l->why_count; i++)
        if (l->whys[i].first.reason == (enum la_drop)reason)
            return i + 1;
    return 0;
}

void why_add(struct ladder *l, const struct la_trace *t)
{
    const uint32_t known = why_number(l, t->reason);

    if (is_plain_end(t->reason) || t->kind == LA_TRACE_STATE)
        return;
    /* A segment that ends its connection is told twice, as a segment and as an end. */
    const bool same = known > 0 && l->whys[known - 1].last.ns == t->at.ns;
    if (known > 0) {
        l->whys[known - 1].times += !same;
        l->whys[known - 1].last = t->at;
        return;
    }
    if (l->why_count == WHYS_MAX)
        return;
    struct why *w = &l->whys[l->why_count++];
    w->times = 1;
    w->last = t->at;
    if (l->options.cause == NULL || !l->options.cause(l->options.context, t, &w->first))
        w->first =
            (struct la_cause){ .reason = (enum la_drop)t->reason, .state = (enum la_state)t->from };
}
