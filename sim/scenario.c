/* SPDX-License-Identifier: MIT */
/* scenario.c - The list of scenarios, and what many of them begin with. */
#include "sim/scenario.h"

#include <string.h>

static const struct {
    const struct sim_scenario *scenario;
    const char *text;
} list[] = {
#define SIM_LISTED(name, text) { &sim_scenario_##name, text },
#include "sim/scenarios.def"
#undef SIM_LISTED
};

const struct sim_scenario *sim_scenario_at(uint32_t i)
{
    return i < SIM_SCENARIOS ? list[i].scenario : NULL;
}

const char *sim_scenario_text(uint32_t i)
{
    return i < SIM_SCENARIOS ? list[i].text : NULL;
}

const struct sim_scenario *sim_scenario_find(const char *name)
{
    for (uint32_t i = 0; i < SIM_SCENARIOS; i++)
        if (strcmp(list[i].scenario->name, name) == 0)
            return list[i].scenario;
    return NULL;
}

struct sim_pair sim_pair_of(struct sim_world *w, const struct sim_host_opt *a,
                            const struct sim_host_opt *b, const struct sim_link_opt *opt)
{
    struct sim_pair p;

    p.a = sim_host(w, a);
    p.b = sim_host(w, b);
    p.link = sim_link(w, p.a, p.b, opt);
    return p;
}

struct sim_pair sim_pair(struct sim_world *w, const struct sim_link_opt *opt)
{
    return sim_pair_of(w, NULL, NULL, opt);
}

struct sim_link_opt sim_link_opt_random(struct sim_world *w)
{
    static const uint32_t delays_us[] = { 0, 50, 1000, 10000, 40000, 150000, 300000 };
    static const uint32_t rates_kbps[] = { 0, 1000, 10000, 100000, 1000000 };
    struct sim_prng *rng = &w->rng;
    const uint32_t delay_us = delays_us[sim_prng_below(rng, 7)];
    struct sim_link_opt opt = { .delay_us = delay_us, .burst = 1 };

    opt.jitter_us = sim_prng_permille(rng, 500) ? delay_us / 4 : 0;
    opt.rate_kbps = rates_kbps[sim_prng_below(rng, 5)];
    opt.queue_bytes = (uint32_t)sim_prng_between(rng, 16, 256) * 1024u;
    if (sim_prng_permille(rng, 400)) {
        opt.burst = (uint32_t)sim_prng_between(rng, 2, 64);
        opt.hold_us = (uint32_t)sim_prng_between(rng, 10, 2000);
    }
    return opt;
}

bool sim_coin(struct sim_world *w)
{
    return sim_prng_permille(&w->rng, 500);
}

uint64_t sim_count(const struct sim_host *h, enum la_counter counter)
{
    return la_counter(h->stack, counter);
}
