/* SPDX-License-Identifier: MIT */
/*
 * sim.c - `lastack sim`: run the simulator, and repeat what it found.
 *
 * A failure is a scenario and a seed.  Both are printed with the sentence of the rule
 * that broke and the command that runs exactly the same again, with a trace.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/args.h"
#include "cli/cli.h"
#include "cli/sim_transfer.h"
#include "sim/runner.h"

#define FAILURES_MAX 10u
#define SEED_MAX UINT64_C(0x7fffffffffffffff)

struct request {
    bool list, trace, one;
    uint64_t seed, workers;
    const char *transfer; /* a path, or NULL */
    struct sim_plan plan; /* to == 0: no --seeds */
};

struct progress {
    uint64_t done, failed, packets, turns, virtual_s, total;
    bool dots;
};

static bool seed_of(const char *text, uint64_t *out)
{
    uint64_t value = 0;

    if (strncmp(text, "0x", 2) != 0)
        return args_number(text, 0, SEED_MAX, out);
    text += 2;
    const size_t digits = strspn(text, "0123456789abcdefABCDEF");

    if (digits == 0 || digits > 15 || text[digits] != '\0')
        return false;
    for (; *text != '\0'; text++) {
        const char c = *text;
        const int digit = c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;

        value = value << 4 | (uint64_t)digit;
    }
    *out = value;
    return true;
}

static bool seeds_of(const char *text, struct sim_plan *plan)
{
    const char *dots = strstr(text, "..");
    char first[24];

    if (dots == NULL) {
        plan->from = 1;
        return args_number(text, 1, SEED_MAX, &plan->to);
    }
    const size_t len = (size_t)(dots - text);

    if (len == 0 || len >= sizeof first)
        return false;
    memcpy(first, text, len);
    first[len] = '\0';
    return seed_of(first, &plan->from) && seed_of(dots + 2, &plan->to) && plan->from <= plan->to;
}

/* Return: CLI_OK, or CLI_USAGE after a message. */
static int take_scenario(void *to, const struct args_option *o, const char *value)
{
    struct request *r = to;

    (void)o;
    r->plan.only = sim_scenario_find(value);
    if (r->plan.only == NULL)
        return args_wrong("sim", "no scenario \"%s\"; --list names them", value);
    return CLI_OK;
}

static int take_seed(void *to, const struct args_option *o, const char *value)
{
    struct request *r = to;

    (void)o;
    r->one = true;
    if (!seed_of(value, &r->seed))
        return args_wrong("sim", "\"%s\" is no seed", value);
    return CLI_OK;
}

static int take_seeds(void *to, const struct args_option *o, const char *value)
{
    struct request *r = to;

    (void)o;
    if (!seeds_of(value, &r->plan))
        return args_wrong("sim", "\"%s\" is neither a count nor a range A..B", value);
    return CLI_OK;
}

static int check(void *to)
{
    const struct request *r = to;

    if (r->list || r->transfer != NULL)
        return CLI_OK;
    if (r->one && r->plan.to > 0)
        return args_wrong("sim", "--seed and --seeds exclude each other");
    if (r->trace && !r->one)
        return args_wrong("sim", "--trace wants --seed");
    if (!r->one && r->plan.to == 0)
        return args_wrong("sim", "nothing to do: --list, --seed or --seeds");
    return CLI_OK;
}

static const struct args_option options[] = {
    ARGS_FLAG('l', "list", struct request, list, "list the scenarios"),
    ARGS_OWN('s', "scenario", "NAME", NULL, take_scenario,
             "which one; without it, seeds are shared out"),
    ARGS_OWN(0, "seed", "S", NULL, take_seed, "run one seed, decimal or hexadecimal with 0x"),
    ARGS_FLAG('t', "trace", struct request, trace,
              "with --seed: print every packet and state change"),
    ARGS_OWN(0, "seeds", "N|A..B", NULL, take_seeds, "run seeds 1 to N, or A to B"),
    ARGS_NUMBER('j', "workers", "N", "2", 1, 16, struct request, workers,
                "processes for --seeds, 1 to 16"),
    ARGS_TEXT(0, "transfer", "PATH", NULL, struct request, transfer,
              "send through PATH, like 10/40/1% (Mbit/s, ms, lost), and print events for plot"),
};

static void list(void)
{
    for (uint32_t i = 0; i < SIM_SCENARIOS; i++)
        printf("%-20s %s\n", sim_scenario_at(i)->name, sim_scenario_text(i));
}

static void tell_failure(const struct sim_scenario *scenario, uint64_t seed,
                         const struct sim_result *result)
{
    printf("FAILED %s, seed %" PRIu64 ": %s\n"
           "  again: lastack sim --scenario %s --seed %" PRIu64 " --trace\n",
           scenario->name, seed, result->message, scenario->name, seed);
    fflush(stdout);
}

static int run_one(const struct request *r)
{
    const struct sim_scenario *scenario = sim_plan_scenario(&r->plan, r->seed);
    struct sim_result result;

    fflush(stdout);
    sim_run(scenario, r->seed, r->trace ? stdout : NULL, &result);
    if (!result.ok) {
        tell_failure(scenario, r->seed, &result);
        return CLI_FAILED;
    }
    printf("%s, seed %" PRIu64 ": held; %" PRIu64 " packets, %" PRIu64 ".%03" PRIu64
           " virtual seconds, hash %016" PRIx64 "\n",
           scenario->name, r->seed, result.packets, result.virtual_ns / 1000000000u,
           result.virtual_ns / 1000000u % 1000u, result.hash);
    return CLI_OK;
}

static void done(void *context, const struct sim_scenario *scenario, uint64_t seed,
                 const struct sim_result *result)
{
    struct progress *p = context;

    p->done++;
    p->packets += result->packets;
    p->turns += result->turns;
    p->virtual_s += result->virtual_ns / 1000000000u;
    if (!result->ok) {
        p->failed++;
        if (p->dots)
            fputc('\r', stderr);
        tell_failure(scenario, seed, result);
    }
    if (p->dots && (p->done % 10 == 0 || p->done == p->total))
        fprintf(stderr, "\r%" PRIu64 " of %" PRIu64 "%s", p->done, p->total,
                p->done == p->total ? "\n" : "");
}

static int run_many(const struct request *r)
{
    struct progress p = { .total = r->plan.to - r->plan.from + 1, .dots = isatty(2) };

    sim_run_plan(&r->plan, (uint32_t)r->workers, FAILURES_MAX, done, &p);
    printf("%" PRIu64 " of %" PRIu64 " seeds run, %" PRIu64 " failed; %" PRIu64 " packets, %" PRIu64
           " turns, %" PRIu64 " virtual hours\n",
           p.done, p.total, p.failed, p.packets, p.turns, p.virtual_s / 3600u);
    return p.failed ? CLI_FAILED : CLI_OK;
}

static int sim_main(int argc, char **argv)
{
    struct request r = { .plan = { .from = 1 } };
    const int status = args_parse(&cmd_sim, &r, argc, argv);

    if (status >= 0)
        return status;
    if (r.list) {
        list();
        return CLI_OK;
    }
    if (r.transfer != NULL)
        return sim_transfer(r.transfer, r.one ? r.seed : 1);
    return r.one ? run_one(&r) : run_many(&r);
}

const struct args_command cmd_sim = {
    .name = "sim",
    .what = "run the simulator",
    .usage = { "--list", "--scenario NAME --seed S [--trace]", "[--scenario NAME] --seeds N|A..B",
               "--transfer PATH [--seed S]" },
    .about = "Runs hosts, links and faults in virtual time, with checkers beside every event.\n"
             "A seed fixes the whole run, so what failed once fails again.\n",
    .options = { ARGS_LIST(options) },
    .check = check,
    .examples = "A path that dies in mid-transfer, packet by packet:\n"
                "\n"
                "    lastack sim --scenario blackout --seed 7 --trace | less\n",
    .status = "Exit status: 0 all held, 1 a rule broke, 2 the command was not understood.\n",
    .run = sim_main,
};
