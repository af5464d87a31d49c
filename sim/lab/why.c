/* SPDX-License-Identifier: MIT */
/*
 * why.c - The footnotes of a section: what was dropped, refused, reset or timed out, and by which
 * clause, knob and counter, with the queues as they stood.
 *
 * Each end's ring of causes is asked when a packet has arrived there and when a section ends.  What
 * is new then belongs to that packet, or, at the end, to nobody's packet: a timer, or a call.  One
 * reason at one end has one footnote, however often it was met.
 */
#include "sim/lab/lab.h"
#include "sim/memory.h"

static struct lab_why *known(struct lab_section *s, uint32_t side, enum la_drop reason)
{
    for (uint32_t i = 0; i < s->why_count; i++)
        if (s->whys[i].side == side && s->whys[i].cause.reason == reason)
            return &s->whys[i];
    return NULL;
}

static uint32_t add(struct lab *l, uint32_t side, const struct sim_host *h,
                    const struct la_cause *c, uint32_t times)
{
    struct lab_section *s = &l->sections[l->section_count - 1];
    struct lab_why *w = known(s, side, c->reason);

    if (!w) {
        s->whys = sim_resize(s->whys, (s->why_count + 1) * sizeof *s->whys);
        w = &s->whys[s->why_count++];
        *w = (struct lab_why){
            .side = side,
            .at_ns = l->world.now_ns - (sim_host_now(h).ns - c->at.ns),
            .cause = *c,
        };
    }
    w->times += times;
    return (uint32_t)(w - s->whys) + 1;
}

uint32_t lab_why(struct lab *l, const struct sim_host *h)
{
    const uint32_t side = lab_side(l, h);
    struct lab_seen *seen = &l->seen[side];
    struct la_cause c;
    uint64_t after = seen->number > 0 ? seen->number - 1 : 0;
    uint32_t number = 0;

    if (!l->open || h->stack == NULL || h->script || (h != l->client && h != l->server))
        return 0;
    while (la_causes(h->stack, &after, &c, 1) == 1) {
        const uint32_t told = c.number == seen->number ? seen->times : 0;

        if (c.times > told)
            number = add(l, side, h, &c, c.times - told);
        *seen = (struct lab_seen){ .number = c.number, .times = c.times };
    }
    return number;
}
