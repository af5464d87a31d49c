/* SPDX-License-Identifier: MIT */
/*
 * world.c - Virtual time: take the next thing from the agenda, let it happen.
 *
 * Time jumps from entry to entry, so idle minutes cost nothing.  A world in which time
 * stands still while things go on happening is broken, and says so.
 */
#include "sim/world.h"

#include <stdarg.h>
#include <string.h>

#include "sim/check/check.h"
#include "sim/flow.h"
#include "sim/memory.h"

#define STILL_MAX 1000000u
#define REST_S_MAX 600u
#define CHECK_EVERY_MAX 16u

struct planned_action {
    sim_action *what;
    void *context;
};

void sim_world_init(struct sim_world *w, uint64_t seed, FILE *trace)
{
    *w = (struct sim_world){ .seed = seed, .trace = trace };
    sim_prng_seed(&w->rng, seed);
    w->check_every = (uint32_t)sim_prng_between(&w->rng, 1, CHECK_EVERY_MAX);
    w->hash = sim_mix(seed);
}

void sim_world_free(struct sim_world *w)
{
    struct sim_due due;

    while (sim_agenda_take(&w->agenda, &due))
        sim_release(due.pointer);
    sim_agenda_free(&w->agenda);
    for (uint32_t i = 0; i < w->flow_count; i++)
        sim_flow_free(w->flows[i]);
    sim_release(w->flows);
    for (uint32_t i = 0; i < w->link_count; i++)
        sim_release(w->links[i]);
    for (uint32_t i = 0; i < w->host_count; i++)
        sim_host_free(w->hosts[i]);
    sim_wire_free(w);
}

void sim_fail(struct sim_world *w, const char *format, ...)
{
    va_list arguments;

    if (w->failed)
        return;
    w->failed = true;
    w->failed_at_ns = w->now_ns;
    va_start(arguments, format);
    vsnprintf(w->message, sizeof w->message, format, arguments);
    va_end(arguments);
    if (w->trace)
        fprintf(w->trace, "FAILED at %llu us: %s\n", (unsigned long long)(w->now_ns / 1000u),
                w->message);
}

void sim_note(struct sim_world *w, uint64_t value)
{
    w->hash = sim_mix(w->hash ^ value) + value;
}

void sim_note_bytes(struct sim_world *w, const uint8_t *bytes, uint32_t len_bytes)
{
    for (uint32_t i = 0; i < len_bytes; i += 8) {
        uint64_t word = 0;

        for (uint32_t k = i; k < len_bytes && k < i + 8; k++)
            word = word << 8 | bytes[k];
        sim_note(w, word);
    }
}

void sim_at(struct sim_world *w, uint64_t at_ns, sim_action *what, void *context)
{
    struct planned_action *p = sim_take(sizeof *p);

    *p = (struct planned_action){ what, context };
    sim_agenda_add(&w->agenda, at_ns, SIM_DUE_ACTION, 0, p);
}

static void happen(struct sim_world *w, const struct sim_due *due)
{
    struct planned_action *action;

    switch ((enum sim_due_kind)due->kind) {
    case SIM_DUE_ARRIVE:
        sim_host_arrive(w->hosts[due->index], due->pointer);
        break;
    case SIM_DUE_FLUSH:
        if (w->hosts[due->index]->flush_at_ns == due->at_ns)
            sim_host_flush(w->hosts[due->index]);
        break;
    case SIM_DUE_WAKE:
        if (w->hosts[due->index]->wake_at_ns == due->at_ns)
            sim_host_wake(w->hosts[due->index]);
        break;
    case SIM_DUE_APP:
        sim_app_wake(&w->flows[due->index / 2]->app[due->index % 2]);
        break;
    case SIM_DUE_ACTION:
        action = due->pointer;
        action->what(w, action->context);
        sim_release(action);
        break;
    }
}

bool sim_step(struct sim_world *w, uint64_t until_ns)
{
    const struct sim_due *first = sim_agenda_first(&w->agenda);
    struct sim_due due;

    if (w->failed || !first || first->at_ns > until_ns)
        return false;
    sim_agenda_take(&w->agenda, &due);
    w->still = due.at_ns > w->now_ns ? 0 : w->still + 1;
    w->now_ns = due.at_ns > w->now_ns ? due.at_ns : w->now_ns;
    if (w->still > STILL_MAX)
        sim_fail(w, "time stands still while things go on happening");
    else
        happen(w, &due);
    return !w->failed;
}

void sim_run_until(struct sim_world *w, uint64_t at_ns)
{
    while (sim_step(w, at_ns))
        continue;
    if (!w->failed && w->now_ns < at_ns) {
        w->now_ns = at_ns;
        w->still = 0;
    }
}

void sim_heal(struct sim_world *w)
{
    for (uint32_t i = 0; i < w->link_count; i++) {
        struct sim_link *l = w->links[i];

        l->opt.loss_permille = l->opt.dup_permille = 0;
        l->opt.reorder_permille = l->opt.corrupt_permille = 0;
        l->opt.loss_ppm = l->opt.burst_packets = 0;
        l->up = l->healed = true;
    }
}

void sim_finish(struct sim_world *w, uint64_t within_ns)
{
    const uint64_t until_ns = w->now_ns + within_ns;

    while (w->flows_open > 0 && sim_step(w, until_ns))
        continue;
    for (uint32_t i = 0; i < w->flow_count && w->flows_open > 0 && !w->failed; i++) {
        struct sim_flow *f = w->flows[i];
        char text[512];

        if (sim_app_forsaken(&f->app[0]) || sim_app_forsaken(&f->app[1]))
            continue;
        if (f->app[0].finished && f->app[1].finished)
            continue;
        sim_flow_describe(f, text, sizeof text);
        sim_fail(w, "%u flows not finished within %llu s of a healed network: %s", w->flows_open,
                 (unsigned long long)(within_ns / 1000000000u), text);
    }
}

/* Return: true if no stack has a deadline and no packet is under way. */
static bool at_rest(struct sim_world *w)
{
    if (w->in_flight > 0)
        return false;
    for (uint32_t i = 0; i < w->host_count; i++)
        if (sim_call_deadline(w->hosts[i]).ns != LA_TIME_NEVER.ns)
            return false;
    return true;
}

void sim_rest(struct sim_world *w)
{
    const uint64_t until_ns = w->now_ns + sim_s(REST_S_MAX);

    while (!w->failed && !at_rest(w))
        if (!sim_step(w, until_ns))
            break;
    if (!w->failed && !at_rest(w))
        sim_fail(w, "not at rest ten minutes after all flows had finished");
    if (!w->failed)
        sim_check_rest(w);
}

void sim_end(struct sim_world *w, uint64_t within_ns)
{
    sim_heal(w);
    sim_finish(w, within_ns);
    sim_rest(w);
}
