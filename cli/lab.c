/* SPDX-License-Identifier: MIT */
/*
 * lab.c - `lastack lab`: demonstrations of what TCP does when it is met in production.
 *
 * The scenarios are sim/lab/; this lists them, runs them, and prints what came of it.
 */
#include "cli/args.h"
#include "cli/cli.h"
#include "cli/json.h"
#include "cli/lab_print.h"
#include "drivers/pcapng.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define SECTION_SECONDS 86400u /* each world of a scenario has a day of its own in a capture */
#define ORIGIN 0u

struct command {
    const char *name, *pcap_path, *code;
    bool json, v6;
    struct lab_options options;
    char names[LAB_SETS_MAX][64];
    struct pcapng *pcap;
    uint32_t day; /* of the capture, on which this scenario begins */
};

static int take_set(void *to, const struct args_option *o, const char *value)
{
    struct command *c = to;
    const char *equals = strchr(value, '=');
    const uint32_t i = c->options.set_count;

    (void)o;
    if (!equals || equals == value || equals[1] == '\0')
        return args_wrong("lab", "--set %s: expected NAME=VALUE", value);
    if (i == LAB_SETS_MAX)
        return args_wrong("lab", "--set: more than %u", LAB_SETS_MAX);
    if ((size_t)(equals - value) >= sizeof c->names[0])
        return args_wrong("lab", "--set %s: no such setting", value);
    memcpy(c->names[i], value, (size_t)(equals - value));
    c->options.sets[i] = (struct lab_set){ c->names[i], equals + 1 };
    c->options.set_count++;
    return CLI_OK;
}

static int take_code(void *to, const struct args_option *o, const char *value)
{
    struct command *c = to;

    (void)o;
    if (strcmp(value, "c") != 0 && strcmp(value, "go") != 0)
        return args_wrong("lab", "--code %s: expected c or go", value);
    c->code = value;
    return CLI_OK;
}

static const struct args_option options[] = {
    ARGS_OWN(0, "set", "NAME=VALUE", NULL, take_set, "a sysctl of both ends; may be given again"),
    ARGS_OWN(0, "code", "LANGUAGE", NULL, take_code,
             "show the wrong program and the right one instead: c or go"),
    ARGS_FLAG('6', "ipv6", struct command, v6, "over IPv6"),
    ARGS_FLAG('j', "json", struct command, json, "print one JSON object a line"),
    ARGS_TEXT(0, "pcap", "FILE", NULL, struct command, pcap_path, "write all packets there"),
};
static const struct args_operand operands[] = {
    ARGS_OPERAND_OPTIONAL("which scenario", struct command, name),
};

/* A setting that no stack knows must not look like one that changes nothing. */
static int check(void *to)
{
    const struct command *c = to;

    for (uint32_t i = 0; i < c->options.set_count; i++) {
        const char *wrong = lab_set_refused(&c->options.sets[i]);

        if (wrong)
            return args_wrong("lab", "--set %s=%s: %s", c->options.sets[i].name,
                              c->options.sets[i].value, wrong);
    }
    if (c->name && strcmp(c->name, "all") != 0 && !lab_scenario_find(c->name))
        return args_wrong("lab", "no scenario \"%s\"; lastack lab lists them", c->name);
    if (!c->name && (c->code || c->pcap_path || c->options.set_count > 0))
        return args_wrong("lab", "which scenario?");
    return CLI_OK;
}

static int list(const struct command *c)
{
    for (uint32_t i = 0; i < lab_scenario_count; i++) {
        const struct lab_scenario *s = lab_scenarios[i];
        struct json j;

        if (c->json) {
            json_event(&j, stdout, "listed", 0);
            json_text(&j, "name", s->name);
            json_text(&j, "title", s->title);
            json_end(&j);
        } else {
            printf("%-22s %s\n", s->name, s->title);
        }
    }
    return CLI_OK;
}

static void show_file(const char *pair, const char *which, const char *language)
{
    char name[128];

    snprintf(name, sizeof name, "%s_%s.%s", pair, which, language);
    const char *text = lab_code(name);

    if (text)
        printf("---- examples/lab/%s\n%s", name, text);
    else
        printf("---- examples/lab/%s is not part of this build\n", name);
}

static int show_code(const struct command *c)
{
    const struct lab_scenario *s = lab_scenario_find(c->name);

    if (!s || !s->code)
        return args_failed("lab", "%s: no program is at fault there", c->name);
    show_file(s->code, "wrong", c->code);
    printf("\n");
    show_file(s->code, "right", c->code);
    return CLI_OK;
}

static void capture(void *context, uint32_t section, uint64_t at_ns, bool from_client,
                    const uint8_t *bytes, uint32_t len_bytes, uint32_t fate)
{
    struct command *c = context;
    const uint64_t day = c->day + section;

    pcapng_packet(c->pcap, day * SECTION_SECONDS * 1000000000u + at_ns, from_client, bytes,
                  len_bytes, fate & SIM_GONE ? "lost" : NULL);
}

/* What --set may change must have been true without it. */
static bool held_before(const struct command *c, const struct lab_scenario *s)
{
    const struct lab_options standard = { .v6 = c->options.v6, .origin = c->options.origin };
    struct lab l;

    lab_run_scenario(&l, s, &standard);
    const bool held = lab_held(&l);

    if (!held)
        (void)args_failed("lab", "%s: a claim fails without --set too", s->name);
    lab_free(&l);
    return held;
}

static bool run_one(struct command *c, const struct lab_scenario *s, bool among_many)
{
    struct lab l;

    bool held = c->options.set_count == 0 || held_before(c, s);

    lab_run_scenario(&l, s, &c->options);
    held = held && lab_held(&l);

    c->day += l.section_count;
    if (c->json)
        lab_print_json(&l, stdout);
    else
        lab_print(&l, stdout);
    if (among_many && !c->json)
        printf("\n%.98s\n\n",
               "--------------------------------------------------------------------------------"
               "--------------------");
    lab_free(&l);
    return held;
}

static int run_all(struct command *c)
{
    uint32_t failed = 0;

    for (uint32_t i = 0; i < lab_scenario_count; i++)
        failed += !run_one(c, lab_scenarios[i], true);
    if (!c->json)
        printf("%" PRIu32 " scenarios, %" PRIu32 " failed\n", lab_scenario_count, failed);
    return failed ? CLI_FAILED : CLI_OK;
}

static int run(struct command *c)
{
    char error[256];
    int status;

    c->options.v6 = c->v6;
    c->options.origin = ORIGIN;
    if (c->pcap_path) {
        c->pcap = pcapng_open(c->pcap_path, error, sizeof error);
        if (!c->pcap)
            return args_failed("lab", "--pcap: %s", error);
        c->options.packet = capture;
        c->options.context = c;
    }
    if (strcmp(c->name, "all") == 0)
        status = run_all(c);
    else
        status = run_one(c, lab_scenario_find(c->name), false) ? CLI_OK : CLI_FAILED;
    if (!pcapng_close(c->pcap))
        status = args_failed("lab", "--pcap %s: %s", c->pcap_path, strerror(errno));
    return status;
}

static int lab_main(int argc, char **argv)
{
    struct command c = { 0 };
    const int status = args_parse(&cmd_lab, &c, argc, argv);

    if (status >= 0)
        return status;
    if (!c.name)
        return list(&c);
    return c.code ? show_code(&c) : run(&c);
}

const struct args_command cmd_lab = {
    .name = "lab",
    .what = "what TCP does in production, shown and explained",
    .usage = { "", "NAME|all [OPTION]...", "NAME --code c|go" },
    .about =
        "Shows in virtual time what is commonly said about a situation, what happens, and what\n"
        "to do.  Without a name it lists the scenarios.  Every claim is tested in the run.\n",
    .options = { ARGS_LIST(options) },
    .operands = { ARGS_LIST(operands) },
    .check = check,
    .examples = "Why closing takes four segments, and what a shorter TIME_WAIT changes:\n"
                "\n"
                "    lastack lab four-way-close\n"
                "    lastack lab four-way-close --set net.lastack.tcp_msl_ms=500\n",
    .status = "Exit status: 0 every claim holds or was changed by --set, 1 one does not, 2 the\n"
              "command was not understood.\n",
    .run = lab_main,
};
