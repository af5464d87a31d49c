/* SPDX-License-Identifier: MIT */
/*
 * scenario.h - How a scenario is written and found.
 *
 *     SCENARIO(blackout, 60)
 *     {
 *         struct sim_pair p = sim_pair(w, &(struct sim_link_opt){ .delay_us = 20000 });
 *         ...
 *         sim_end(w, sim_s(60));
 *     }
 *
 * The number says how many of every thousand seeds are its own; all of them add up to
 * a thousand.  Its sentence stands in scenarios.def.  A scenario that is not listed
 * there does not compile.
 */
#ifndef SIM_SCENARIO_H
#define SIM_SCENARIO_H

#include "sim/flow.h"

struct sim_scenario {
    const char *name;
    uint32_t seeds; /* of every thousand */
    void (*run)(struct sim_world *w);
};

enum sim_scenario_id {
#define SIM_LISTED(name, text) SIM_SCENARIO_##name,
#include "sim/scenarios.def"
#undef SIM_LISTED
    SIM_SCENARIOS
};

#define SIM_LISTED(name, text) extern const struct sim_scenario sim_scenario_##name;
#include "sim/scenarios.def"
#undef SIM_LISTED

#define SCENARIO(id, seed_count)                                                                   \
    static void scenario_##id(struct sim_world *w);                                                \
    enum { scenario_##id##_is_listed = SIM_SCENARIO_##id };                                        \
    const struct sim_scenario sim_scenario_##id = { #id, seed_count, scenario_##id };              \
    static void scenario_##id(struct sim_world *w)

/* By number; by name, NULL if there is none; its sentence. */
const struct sim_scenario *sim_scenario_at(uint32_t i);
const struct sim_scenario *sim_scenario_find(const char *name);
const char *sim_scenario_text(uint32_t i);

/* Two hosts and a link: what most scenarios start from. */
struct sim_pair {
    struct sim_host *a, *b;
    struct sim_link *link;
};
struct sim_pair sim_pair(struct sim_world *w, const struct sim_link_opt *opt);
/* The same with hosts made to measure. */
struct sim_pair sim_pair_of(struct sim_world *w, const struct sim_host_opt *a,
                            const struct sim_host_opt *b, const struct sim_link_opt *opt);

/* Delay, jitter and rate of some path, nothing lost: metres to a satellite's height. */
struct sim_link_opt sim_link_opt_random(struct sim_world *w);

/* IPv6 for half of the seeds. */
bool sim_coin(struct sim_world *w);

/* Sum over both hosts, or of one. */
uint64_t sim_count(const struct sim_host *h, enum la_counter counter);

#endif
