/* SPDX-License-Identifier: MIT */
/*
 * runner.h - Running scenarios: one seed, or many in worker processes.
 *
 * A worker that crashes, asserts or hangs takes only its own seed with it: the parent
 * knows which one it was, reports it and starts another worker behind it.
 */
#ifndef SIM_RUNNER_H
#define SIM_RUNNER_H

#include "sim/scenario.h"

struct sim_result {
    bool ok;
    char message[SIM_MESSAGE_BYTES];
    uint64_t hash, packets, turns, virtual_ns;
};

/* Seeds @from .. @to of one scenario, or, with @only NULL, shared out among all of them. */
struct sim_plan {
    const struct sim_scenario *only;
    uint64_t from, to;
};

/*
 * sim_plan_scenario() - Which scenario a seed of a plan runs.
 *
 * Without @only, any thousand seeds in a row hold each scenario as often as it says.
 */
const struct sim_scenario *sim_plan_scenario(const struct sim_plan *plan, uint64_t seed);

/* @trace: where to write the trace, NULL for none. */
void sim_run(const struct sim_scenario *scenario, uint64_t seed, FILE *trace,
             struct sim_result *out);

/* Called in the parent for every seed that is done, in no fixed order. */
typedef void sim_done(void *context, const struct sim_scenario *scenario, uint64_t seed,
                      const struct sim_result *result);

/*
 * sim_run_plan() - Run all seeds of a plan.
 * @workers:      Processes, 1..16
 * @failures_max: Stop after so many failures
 *
 * Every tenth seed runs twice and must give the same hash.
 *
 * Return: how many seeds failed.
 */
uint64_t sim_run_plan(const struct sim_plan *plan, uint32_t workers, uint64_t failures_max,
                      sim_done *done, void *context);

#endif
