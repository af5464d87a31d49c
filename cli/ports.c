/* SPDX-License-Identifier: MIT */
/*
 * ports.c - `lastack ports`: how many connections a second the local ports of a running stack
 * allow towards each destination, and how many are made.
 *
 * Connections, records and their states come as rows; those whose local port lies in the range
 * of ephemeral ports count for their destination.  So a server's connections do not.
 */
#include "cli/cli.h"
#include "cli/control_client.h"
#include "cli/json.h"
#include "cli/ports_budget.h"
#include "cli/ports_table.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define SHOWN 20u

struct ports_command {
    const char *control;
    bool json, all;
    struct control_client client;
    struct la_ports_info info;
    struct ports_table table;
    bool short_of_memory;
};

static const struct args_option options[] = {
    ARGS_FLAG('a', "all", struct ports_command, all, "show every destination, not only twenty"),
    ARGS_FLAG('j', "json", struct ports_command, json, "print one JSON object a destination"),
    CONTROL_CLIENT_ARG(struct ports_command, control),
};

static bool take_range(void *context, const struct control_in *in)
{
    struct ports_command *c = context;

    if (strcmp(in->word, "ports") != 0)
        return true;
    c->info.min = (uint16_t)control_client_number(in, "min");
    c->info.max = (uint16_t)control_client_number(in, "max");
    c->info.ports = (uint32_t)control_client_number(in, "ports");
    c->info.two_msl_ms = control_client_number(in, "two_msl_ms");
    return true;
}

static bool take_row(void *context, const struct control_in *in)
{
    struct ports_command *c = context;
    const char *local = control_get(in, "local");
    const char *remote = control_get(in, "remote");
    const char *state = control_get(in, "state");
    struct la_endpoint from, to;

    if (strcmp(in->word, "row") != 0 || local == NULL || remote == NULL || state == NULL ||
        !control_parse_endpoint(local, &from) || !control_parse_endpoint(remote, &to) ||
        from.port < c->info.min || from.port > c->info.max)
        return true;
    if (!ports_table_add(&c->table, from.addr, to, strcmp(state, la_state_name(LA_TIME_WAIT)) == 0))
        c->short_of_memory = true;
    return !c->short_of_memory;
}

static void print(struct ports_command *c, const struct ports_use *u)
{
    char local[LA_ADDR_TEXT_BYTES], remote[LA_ADDR_TEXT_BYTES], line[PORTS_BUDGET_BYTES];
    char used[28], waiting[28];

    c->info.used = u->used;
    c->info.time_wait = u->time_wait;
    la_addr_format(u->local, local);
    la_addr_format(u->remote.addr, remote);
    if (c->json) {
        struct json j = { .out = stdout, .first = true };
        fputc('{', stdout);
        json_text(&j, "local", local);
        json_text(&j, "remote", remote);
        json_number(&j, "port", u->remote.port);
        json_number(&j, "ports", c->info.ports);
        json_number(&j, "used", u->used);
        json_number(&j, "time_wait", u->time_wait);
        json_number(&j, "two_msl_ms", c->info.two_msl_ms);
        json_end(&j);
        return;
    }
    printf("%s -> %s port %u\n    %s\n    %s in use, %s of them in TIME-WAIT\n", local, remote,
           u->remote.port, ports_budget(&c->info, line), ports_thousands(u->used, used),
           ports_thousands(u->time_wait, waiting));
}

static int work(struct ports_command *c)
{
    char request[64];
    int status = control_client_ask(&c->client, "ports", take_range, c);

    snprintf(request, sizeof request, "rows states=%u",
             ((1u << LA_STATES) - 1u) & ~(1u << LA_LISTEN | 1u << LA_CLOSED));
    if (status == CLI_OK)
        status = control_client_ask(&c->client, request, take_row, c);
    if (c->short_of_memory)
        return args_failed("ports", "%s", strerror(ENOMEM));
    if (status != CLI_OK)
        return status;
    ports_table_sort(&c->table);
    for (uint32_t i = 0; i < c->table.count && (c->all || i < SHOWN); i++)
        print(c, &c->table.places[i]);
    if (c->table.count == 0 && !c->json)
        printf("no connection from an ephemeral port; towards each destination there are\n    %s\n",
               ports_budget(&c->info, (char[PORTS_BUDGET_BYTES]){ 0 }));
    if (fflush(stdout) != 0)
        return args_failed("ports", "standard output: %s", strerror(errno));
    return CLI_OK;
}

static int ports_main(int argc, char **argv)
{
    static struct ports_command c;
    int status = args_parse(&cmd_ports, &c, argc, argv);

    if (status >= 0)
        return status;
    status = control_client_open(&c.client, "ports", c.control);
    if (status == CLI_OK)
        status = work(&c);
    ports_table_free(&c.table);
    control_client_close(&c.client);
    return status;
}

const struct args_command cmd_ports = {
    .name = "ports",
    .what = "show what is left of a running stack's local ports",
    .usage = { "[OPTION]..." },
    .about = "Shows for each destination how many connections a second the local ports of a\n"
             "lastack process allow, when each of them stays in TIME-WAIT for 2MSL, and how many\n"
             "are made: those that came into TIME-WAIT in the last 2MSL.  The most used first.\n",
    .options = { ARGS_LIST(options) },
    .examples = "    sudo lastack echo &\n"
                "    sudo lastack ports\n",
    .run = ports_main,
};
