/* SPDX-License-Identifier: MIT */
/*
 * seeds_test.c - A thousand seeds, shared out among the scenarios.
 *
 * One test a scenario.  A failure prints the seed, the rule that broke and the command
 * that repeats it.
 */
#include "tests/unit/test.h"

#include "sim/runner.h"

#define WORKERS 2u
#define FAILURES_MAX 3u

static void tell(void *context, const struct sim_scenario *scenario, uint64_t seed,
                 const struct sim_result *result)
{
    (void)context;
    if (!result->ok)
        print_message(
            "# %s, seed %llu: %s\n# again: lastack sim --scenario %s --seed %llu --trace\n",
            scenario->name, (unsigned long long)seed, result->message, scenario->name,
            (unsigned long long)seed);
}

static void run_scenario(const struct sim_scenario *scenario)
{
    const struct sim_plan plan = { .only = scenario, .from = 1, .to = scenario->seeds };

    assert_int_equal(sim_run_plan(&plan, WORKERS, FAILURES_MAX, tell, NULL), 0);
}

TEST(the_scenarios_share_a_thousand_seeds)
{
    uint32_t seeds = 0;

    for (uint32_t i = 0; i < SIM_SCENARIOS; i++)
        seeds += sim_scenario_at(i)->seeds;

    assert_int_equal(seeds, 1000);
}

#define SIM_LISTED(name, text)                                                                     \
    TEST(every_seed_of_##name##_holds)                                                             \
    {                                                                                              \
        run_scenario(&sim_scenario_##name);                                                        \
    }
#include "sim/scenarios.def"
#undef SIM_LISTED

TEST_MAIN
