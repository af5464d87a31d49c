/* SPDX-License-Identifier: MIT */
/*
 * nstat.c - `lastack nstat`: the counters of a running stack.
 *
 * As iproute2's nstat: what changed since it was last run, which it remembers in a file; with -a
 * since the process began.  The file is one per socket and user, and names the moment the
 * process began, so that the next process on the same path is not taken for this one.
 */
#include "cli/nstat.h"

#include "cli/cli.h"
#include "cli/json.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATTERNS_MAX 32

struct nstat_command {
    const char *control;
    bool absolute, zeros, json, no_output, no_update, reset;
    bool snmp, netstat, sockstat, prometheus;
    const char *patterns[PATTERNS_MAX];
    uint32_t pattern_count;
    struct control_client client;
    struct nstat now;
    char history[LA_RT_CONTROL_PATH_BYTES + 64];
};

static int take_pattern(void *to, const char *value)
{
    struct nstat_command *c = to;

    if (c->pattern_count == PATTERNS_MAX)
        return args_wrong("nstat", "more than %d patterns", PATTERNS_MAX);
    c->patterns[c->pattern_count++] = value;
    return CLI_OK;
}

static const struct args_option options[] = {
    ARGS_FLAG('a', "ignore", struct nstat_command, absolute,
              "since the process began, whatever was shown before"),
    ARGS_FLAG('z', "zeros", struct nstat_command, zeros, "show those that stand at zero too"),
    ARGS_FLAG('j', "json", struct nstat_command, json, "print one JSON object"),
    ARGS_FLAG('n', "nooutput", struct nstat_command, no_output, "only remember"),
    ARGS_FLAG('s', "noupdate", struct nstat_command, no_update, "only show; remember nothing"),
    ARGS_FLAG('r', "reset", struct nstat_command, reset, "forget what was shown before"),
    ARGS_FLAG(0, "snmp", struct nstat_command, snmp, "the text of /proc/net/snmp"),
    ARGS_FLAG(0, "netstat", struct nstat_command, netstat, "the text of /proc/net/netstat"),
    ARGS_FLAG(0, "sockstat", struct nstat_command, sockstat, "the text of /proc/net/sockstat"),
    ARGS_FLAG(0, "prometheus", struct nstat_command, prometheus,
              "Prometheus's text, with the names of its node_exporter"),
    CONTROL_CLIENT_ARG(struct nstat_command, control),
};

static const struct args_operand operands[] = { { "PATTERN", true, 0, take_pattern } };

/* History --------------------------------------------------------------------------- */

static void choose_history(struct nstat_command *c)
{
    char dir[LA_RT_CONTROL_PATH_BYTES];
    const char *named = getenv("LASTACK_NSTAT_HISTORY");
    uint64_t hash = UINT64_C(14695981039346656037);

    for (const char *p = c->client.path; *p != '\0'; p++)
        hash = (hash ^ (unsigned char)*p) * UINT64_C(1099511628211);
    if (named != NULL)
        snprintf(c->history, sizeof c->history, "%s", named);
    else if (la_rt_control_dir(true, dir) != NULL)
        snprintf(c->history, sizeof c->history, "%s/.nstat-%u-%016" PRIx64, dir,
                 (unsigned)geteuid(), hash);
}

/* A line "NAME NUMBER"; false at the end, or if it is something else. */
static bool history_line(FILE *f, char *line, size_t room, uint64_t *value)
{
    if (fgets(line, (int)room, f) == NULL)
        return false;
    char *const space = strchr(line, ' ');
    char *end;

    if (space == NULL)
        return false;
    *space = '\0';
    *value = strtoull(space + 1, &end, 10);
    return end != space + 1 && *end == '\n';
}

static void read_history(struct nstat_command *c)
{
    FILE *f = c->history[0] != '\0' ? fopen(c->history, "re") : NULL;
    char name[NSTAT_NAME_BYTES + 32]; /* and a number */
    uint64_t value = 0;

    if (f == NULL)
        return;
    if (history_line(f, name, sizeof name, &value) && value == c->now.begun) {
        while (history_line(f, name, sizeof name, &value)) {
            for (uint32_t i = 0; i < c->now.count; i++) {
                struct nstat_item *item = &c->now.items[i];
                const size_t len = strlen(item->group);
                if (strncmp(name, item->group, len) == 0 && strcmp(name + len, item->name) == 0)
                    item->before = value <= item->value ? value : 0;
            }
        }
    }
    (void)fclose(f);
}

static int write_history(const struct nstat_command *c)
{
    if (c->history[0] == '\0')
        return CLI_OK;
    const int fd = open(c->history, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    FILE *f = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (f == NULL) {
        const int err = errno;
        if (fd >= 0)
            close(fd);
        return args_failed("nstat", "%s: %s", c->history, strerror(err));
    }
    fprintf(f, "begun %" PRIu64 "\n", c->now.begun);
    for (uint32_t i = 0; i < c->now.count; i++)
        fprintf(f, "%s%s %" PRIu64 "\n", c->now.items[i].group, c->now.items[i].name,
                c->now.items[i].value);
    return fclose(f) == 0 ? CLI_OK : args_failed("nstat", "%s: %s", c->history, strerror(errno));
}

/* Output ------------------------------------------------------------------------------ */

static bool wanted(const struct nstat_command *c, const char *name, uint64_t value)
{
    bool match = c->pattern_count == 0;

    for (uint32_t i = 0; i < c->pattern_count && !match; i++)
        match = fnmatch(c->patterns[i], name, 0) == 0;
    return match && (value > 0 || c->zeros);
}

static void show(const struct nstat_command *c)
{
    struct json j = { .out = stdout, .first = true };
    char name[NSTAT_NAME_BYTES];

    if (c->json) {
        fputc('{', stdout);
        json_object(&j, "lastack");
    } else {
        puts("#lastack");
    }
    for (uint32_t i = 0; i < c->now.count; i++) {
        const struct nstat_item *item = &c->now.items[i];
        const uint64_t value = item->value - item->before;
        snprintf(name, sizeof name, "%s%s", item->group, item->name);
        if (!wanted(c, name, value))
            continue;
        if (c->json)
            json_number(&j, name, value);
        else
            printf("%-32s%-16" PRIu64 "%6.1f\n", name, value, 0.0);
    }
    if (c->json) {
        json_object_end(&j);
        json_end(&j);
    }
}

static int other_form(struct nstat_command *c)
{
    const int status =
        c->sockstat || c->prometheus ? nstat_gather_orphans(&c->now, &c->client) : CLI_OK;

    if (status != CLI_OK)
        return status;
    if (c->snmp)
        nstat_snmp(&c->now, stdout);
    if (c->netstat)
        nstat_netstat(&c->now, stdout);
    if (c->sockstat)
        nstat_sockstat(&c->now, stdout);
    if (c->prometheus)
        nstat_prometheus(&c->now, stdout);
    return CLI_OK;
}

static int work(struct nstat_command *c)
{
    const int status = nstat_gather(&c->now, &c->client);

    if (status != CLI_OK)
        return status;
    if (c->snmp || c->netstat || c->sockstat || c->prometheus)
        return other_form(c);
    choose_history(c);
    if (!c->absolute && !c->reset)
        read_history(c);
    if (!c->no_output)
        show(c);
    return c->no_update ? CLI_OK : write_history(c);
}

static int nstat_main(int argc, char **argv)
{
    static struct nstat_command c;
    int status = args_parse(&cmd_nstat, &c, argc, argv);

    if (status >= 0)
        return status;
    status = control_client_open(&c.client, "nstat", c.control);
    if (status == CLI_OK)
        status = work(&c);
    control_client_close(&c.client);
    if (fflush(stdout) != 0 && status == CLI_OK)
        status = args_failed("nstat", "standard output: %s", strerror(errno));
    return status;
}

const struct args_command cmd_nstat = {
    .name = "nstat",
    .what = "show the counters of a running stack",
    .usage = { "[OPTION]... [PATTERN]..." },
    .about =
        "Shows the counters of a lastack process by Linux's names, and its drops by reason:\n"
        "those that changed since it was last run, with -a since the process began.  Patterns\n"
        "are the shell's: 'TcpExt*'.\n",
    .options = { ARGS_LIST(options) },
    .operands = { ARGS_LIST(operands) },
    .examples = "    sudo lastack echo &\n"
                "    echo hello | nc -N 10.108.97.2 7\n"
                "    sudo lastack nstat -a 'Tcp*'\n"
                "    sudo lastack nstat --snmp\n",
    .run = nstat_main,
};
