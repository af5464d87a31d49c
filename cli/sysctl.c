/* SPDX-License-Identifier: MIT */
/*
 * sysctl.c - `lastack sysctl`: read and set the sysctls of a running stack.
 *
 * A file is read whole before anything is set: a line that is wrong, or names what the process
 * does not have, leaves everything as it was.
 */
#include "cli/cli.h"
#include "cli/control_client.h"
#include "cli/json.h"
#include "cli/sysctl_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINES_MAX 256
#define WORDS_MAX 64

struct assignment {
    struct sysctl_line line;
    char where[160]; /* "file:line", or "" from the command line */
};

struct sysctl {
    const char *control, *file;
    bool all, write, values, json;
    const char *words[WORDS_MAX];
    uint32_t word_count;
    struct control_client client;
    struct assignment assignments[LINES_MAX];
    uint32_t count;
    struct json out;
};

static int take_word(void *to, const char *value)
{
    struct sysctl *s = to;

    if (s->word_count == WORDS_MAX)
        return args_wrong("sysctl", "more than %d names", WORDS_MAX);
    s->words[s->word_count++] = value;
    return CLI_OK;
}

static const struct args_option options[] = {
    ARGS_FLAG('a', "all", struct sysctl, all, "show every sysctl"),
    ARGS_FLAG('w', "write", struct sysctl, write, "set: every argument must be NAME=VALUE"),
    ARGS_TEXT('p', "load", "FILE", NULL, struct sysctl, file,
              "set what a file in the manner of sysctl.d says; - is standard input"),
    ARGS_FLAG('n', "values", struct sysctl, values, "print values without their names"),
    ARGS_FLAG('j', "json", struct sysctl, json, "print one JSON object"),
    CONTROL_CLIENT_ARG(struct sysctl, control),
};

static const struct args_operand operands[] = { { "NAME or NAME=VALUE", true, 0, take_word } };

/* Printing ----------------------------------------------------------------------- */

static bool print(void *context, const struct control_in *in)
{
    struct sysctl *s = context;
    const char *name = control_get(in, "name");
    const char *value = control_get(in, "value");
    uint64_t number;

    if (strcmp(in->word, "sysctl") != 0 || name == NULL || value == NULL)
        return true;
    if (s->json && control_parse_number(value, &number))
        json_number(&s->out, name, number);
    else if (s->json)
        json_text(&s->out, name, value);
    else if (s->values)
        printf("%s\n", value);
    else
        printf("%s = %s\n", name, value);
    return true;
}

static int ask(struct sysctl *s, const char *request, const char *name, const char *where)
{
    const int status = control_client_try(&s->client, request, print, s);

    if (status == CLI_OK || s->client.error[0] == '\0')
        return status;
    return args_failed("sysctl", "%s%s%s: %s", where, where[0] != '\0' ? ": " : "", name,
                       s->client.reason);
}

static int get(struct sysctl *s, const char *word)
{
    char name[SYSCTL_NAME_BYTES], request[128];

    if (!sysctl_name(word, (uint32_t)strnlen(word, SYSCTL_NAME_BYTES), name))
        return args_failed("sysctl", "%s: there is no sysctl of that name", word);
    struct control_out o;
    control_out_begin(&o, request, sizeof request - 1);
    control_word(&o, "sysctl");
    control_field(&o, "name", name);
    request[o.len] = '\0';
    return ask(s, request, name, "");
}

/* Setting ------------------------------------------------------------------------- */

static int set(struct sysctl *s, const struct assignment *a)
{
    char request[SYSCTL_NAME_BYTES + 3 * SYSCTL_VALUE_BYTES + 32];
    struct control_out o;

    control_out_begin(&o, request, sizeof request - 1);
    control_word(&o, "set");
    control_field(&o, "name", a->line.name);
    control_field(&o, "value", a->line.value);
    request[o.len] = '\0';
    const int status = ask(s, request, a->line.name, a->where);
    return a->line.optional && s->client.error[0] != '\0' ? CLI_OK : status;
}

static bool note_name(void *context, const struct control_in *in)
{
    const char *name = control_get(in, "name");
    struct sysctl *s = context;

    for (uint32_t i = 0; name != NULL && i < s->count; i++)
        if (strcmp(name, s->assignments[i].line.name) == 0)
            s->assignments[i].line.optional = false; /* it is there: a failure counts */
    return true;
}

/* Every name is one the process has, before the first is set. */
static int check_names(struct sysctl *s)
{
    bool asked[LINES_MAX] = { false };

    for (uint32_t i = 0; i < s->count; i++) {
        asked[i] = s->assignments[i].line.optional;
        s->assignments[i].line.optional = true;
    }
    int status = control_client_ask(&s->client, "sysctl", note_name, s);
    for (uint32_t i = 0; i < s->count; i++) {
        struct assignment *a = &s->assignments[i];
        const bool unknown = a->line.optional;
        a->line.optional = asked[i];
        if (status == CLI_OK && unknown && !asked[i])
            status = args_failed("sysctl", "%s%s%s: there is no sysctl of that name", a->where,
                                 a->where[0] != '\0' ? ": " : "", a->line.name);
    }
    return status;
}

static int add(struct sysctl *s, const char *text, const char *where)
{
    const char *error;

    if (s->count == LINES_MAX)
        return args_failed("sysctl", "%s: more than %d assignments", where, LINES_MAX);
    struct assignment *a = &s->assignments[s->count];
    switch (sysctl_parse_line(text, &a->line, &error)) {
    case SYSCTL_NOTHING:
        return CLI_OK;
    case SYSCTL_ASSIGNMENT:
        snprintf(a->where, sizeof a->where, "%s", where);
        s->count++;
        return CLI_OK;
    case SYSCTL_WRONG:
        break;
    }
    return args_failed("sysctl", "%s%s%s: %s", where, where[0] != '\0' ? ": " : "", error, text);
}

static int read_file(struct sysctl *s)
{
    const bool input = strcmp(s->file, "-") == 0;
    FILE *f = input ? stdin : fopen(s->file, "re");
    char text[512], where[160];
    int status = CLI_OK;

    if (f == NULL)
        return args_failed("sysctl", "%s: %s", s->file, strerror(errno));
    for (unsigned line = 1; status == CLI_OK && fgets(text, sizeof text, f) != NULL; line++) {
        snprintf(where, sizeof where, "%s:%u", input ? "-" : s->file, line);
        const bool whole = strchr(text, '\n') != NULL || feof(f);
        text[strcspn(text, "\n")] = '\0';
        status =
            whole ? add(s, text, where) : args_failed("sysctl", "%s: the line is too long", where);
    }
    if (!input)
        (void)fclose(f);
    return status;
}

/* --------------------------------------------------------------------------------- */

static int check(void *to)
{
    const struct sysctl *s = to;

    if (s->all && (s->word_count > 0 || s->file != NULL))
        return args_wrong("sysctl", "-a takes no names and no file");
    if (!s->all && s->word_count == 0 && s->file == NULL)
        return args_wrong("sysctl", "which NAME or NAME=VALUE?");
    for (uint32_t i = 0; s->write && i < s->word_count; i++)
        if (strchr(s->words[i], '=') == NULL)
            return args_wrong("sysctl", "-w: not NAME=VALUE: %s", s->words[i]);
    return CLI_OK;
}

static int work(struct sysctl *s)
{
    int status = s->file != NULL ? read_file(s) : CLI_OK;

    for (uint32_t i = 0; status == CLI_OK && i < s->word_count; i++)
        if (strchr(s->words[i], '=') != NULL)
            status = add(s, s->words[i], "");
    if (status == CLI_OK && s->count > 0)
        status = check_names(s);
    for (uint32_t i = 0; status == CLI_OK && i < s->count; i++)
        status = set(s, &s->assignments[i]);
    for (uint32_t i = 0; status == CLI_OK && i < s->word_count; i++)
        if (strchr(s->words[i], '=') == NULL)
            status = get(s, s->words[i]);
    if (status == CLI_OK && s->all)
        status = control_client_ask(&s->client, "sysctl", print, s);
    return status;
}

static int sysctl_main(int argc, char **argv)
{
    static struct sysctl s;
    int status = args_parse(&cmd_sysctl, &s, argc, argv);

    if (status >= 0)
        return status;
    status = control_client_open(&s.client, "sysctl", s.control);
    if (status != CLI_OK)
        return status;
    if (s.json) {
        s.out = (struct json){ .out = stdout, .first = true };
        fputc('{', stdout);
    }
    status = work(&s);
    if (s.json)
        json_end(&s.out);
    control_client_close(&s.client);
    return status;
}

const struct args_command cmd_sysctl = {
    .name = "sysctl",
    .what = "read and set the sysctls of a running stack",
    .usage = { "[OPTION]... NAME[=VALUE]...", "[OPTION]... -p FILE", "[OPTION]... -a" },
    .about = "Reads and sets the sysctls of a lastack process, by Linux's names.  Setting needs a\n"
             "process that was started with --control-write.  An unknown name is an error, and\n"
             "a file with an error in it sets nothing.\n",
    .options = { ARGS_LIST(options) },
    .operands = { ARGS_LIST(operands) },
    .check = check,
    .examples = "    sudo lastack echo --control-write &\n"
                "    sudo lastack sysctl net.ipv4.tcp_keepalive_time\n"
                "    sudo lastack sysctl -w net.ipv4.tcp_keepalive_time=600\n",
    .run = sysctl_main,
};
