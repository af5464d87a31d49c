/* SPDX-License-Identifier: MIT */
/* list.c - The demonstrations there are. */
#include <string.h>

#include "sim/lab/lab.h"

#define LAB_LISTED(name) extern const struct lab_scenario lab_##name;
#include "sim/lab/scenarios.def"
#undef LAB_LISTED

const struct lab_scenario *const lab_scenarios[] = {
#define LAB_LISTED(name) &lab_##name,
#include "sim/lab/scenarios.def"
#undef LAB_LISTED
};
const uint32_t lab_scenario_count = sizeof lab_scenarios / sizeof lab_scenarios[0];

const struct lab_scenario *lab_scenario_find(const char *name)
{
    for (uint32_t i = 0; i < lab_scenario_count; i++)
        if (strcmp(lab_scenarios[i]->name, name) == 0)
            return lab_scenarios[i];
    return NULL;
}
