/* SPDX-License-Identifier: MIT */
/* faults.c - Packets that are lost, and packets that come back. */
#include "sim/lab/lab.h"
#include "sim/memory.h"

static bool matches(const struct lab_rule *r, const struct sim_packet *p,
                    const struct sim_segment *seg)
{
    const struct lab_which *w = &r->which;

    return seg->tcp && (!w->from || w->from == p->from) && (seg->flags & w->mask) == w->flags &&
           (!w->text || seg->text_bytes > 0);
}

static uint32_t tap(struct sim_world *w, void *context, struct sim_packet *p,
                    const struct sim_segment *seg)
{
    struct lab *l = context;
    uint32_t fate = 0;

    (void)w;
    for (uint32_t i = 0; i < l->rule_count; i++) {
        struct lab_rule *r = &l->rules[i];

        if (!matches(r, p, seg) || r->seen++ < r->which.skip ||
            (r->which.count > 0 && r->done >= r->which.count))
            continue;
        r->done++;
        if (r->keep) {
            sim_release(r->kept);
            r->kept = sim_packet_copy(p);
        }
        if (r->lose)
            fate |= SIM_LOST;
    }
    return fate;
}

void lab_rules_begin(struct lab *l)
{
    l->rule_count = 0;
    sim_link_tap(l->link, tap, l);
}

void lab_rules_end(struct lab *l)
{
    for (uint32_t i = 0; i < l->rule_count; i++)
        sim_release(l->rules[i].kept);
    l->rule_count = 0;
}

static struct lab_rule *add(struct lab *l, struct lab_which which, bool lose, bool keep)
{
    if (l->rule_count == LAB_RULES_MAX) {
        sim_fail(&l->world, "more than %u rules", LAB_RULES_MAX);
        l->rule_count--;
    }
    struct lab_rule *r = &l->rules[l->rule_count++];

    *r = (struct lab_rule){ .which = which, .lose = lose, .keep = keep };
    return r;
}

struct lab_rule *lab_lose(struct lab *l, struct lab_which which)
{
    return add(l, which, true, false);
}

struct lab_rule *lab_keep(struct lab *l, struct lab_which which, bool lose)
{
    return add(l, which, lose, true);
}

void lab_inject(struct lab *l, const struct lab_rule *rule, uint64_t after_ns, const char *text)
{
    if (!rule->kept) {
        sim_fail(&l->world, "no packet was kept that could come back");
        return;
    }
    const struct lab_row row = {
        .kind = LAB_ROW_SEGMENT,
        .side = lab_side(l, rule->kept->from),
        .at_ns = l->world.now_ns + after_ns,
        .number = rule->kept->number,
        .text = text,
    };

    if (!l->quiet)
        lab_row_add(l, &row);
    sim_inject(rule->kept, l->world.now_ns + after_ns);
}
