/* SPDX-License-Identifier: MIT */
/* args.c - The command line of a sub-command, from its table; see args.h. */
#include "cli/args.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void say(const char *command, const char *format, va_list list)
{
    fprintf(stderr, "lastack%s%s: ", command[0] != '\0' ? " " : "", command);
    vfprintf(stderr, format, list);
    fputc('\n', stderr);
}

int args_wrong(const char *command, const char *format, ...)
{
    va_list list;

    va_start(list, format);
    say(command, format, list);
    va_end(list);
    fprintf(stderr, "Try 'lastack%s%s --help'.\n", command[0] != '\0' ? " " : "", command);
    return CLI_USAGE;
}

int args_failed(const char *command, const char *format, ...)
{
    va_list list;

    va_start(list, format);
    say(command, format, list);
    va_end(list);
    return CLI_FAILED;
}

/* One walk over the words. */
struct walk {
    const struct args_command *command;
    char *base; /* the command's structure */
    int argc;
    char **argv;
    int at;
    size_t operands;
    bool only_operands;
};

static int not_a_number(const struct walk *w, const struct args_option *o, const char *value)
{
    return args_wrong(w->command->name,
                      "--%s: not a value this option takes, which is %s from %" PRIu64
                      " to %" PRIu64 ": %s",
                      o->name, o->kind == ARGS_IS_SIZE ? "a number or a size" : "a number", o->min,
                      o->max, value);
}

/* Give an option its value.  @base: of the structure its table fills in. */
static int give(const struct walk *w, const struct args_option *o, char *base, const char *value)
{
    uint64_t number = 0;
    char *member = base + o->at;

    switch (o->kind) {
    case ARGS_IS_FLAG:
        *(bool *)(void *)member = true;
        return CLI_OK;
    case ARGS_IS_TEXT:
        *(const char **)(void *)member = value;
        return CLI_OK;
    case ARGS_IS_NUMBER:
        if (!args_number(value, o->min, o->max, &number))
            return not_a_number(w, o, value);
        *(uint64_t *)(void *)member = number;
        return CLI_OK;
    case ARGS_IS_SIZE:
        if (!args_size(value, o->min, o->max, &number))
            return not_a_number(w, o, value);
        *(uint64_t *)(void *)member = number;
        return CLI_OK;
    case ARGS_IS_PORT:
        if (!args_number(value, o->min, o->max, &number))
            return not_a_number(w, o, value);
        *(uint16_t *)(void *)member = (uint16_t)number;
        return CLI_OK;
    case ARGS_IS_OWN:
        return o->take(base, o, value);
    }
    return CLI_USAGE;
}

static bool is_named(const struct args_option *o, const char *name, size_t len, char letter)
{
    if (name == NULL)
        return letter != '\0' && o->letter == letter;
    return strlen(o->name) == len && memcmp(o->name, name, len) == 0;
}

static const struct args_option *find(const struct walk *w, const char *name, size_t len,
                                      char letter, char **base)
{
    const struct args_command *c = w->command;

    for (size_t i = 0; i < c->options.count; i++) {
        *base = w->base;
        if (is_named(&c->options.list[i], name, len, letter))
            return &c->options.list[i];
    }
    for (size_t i = 0; i < c->common.count; i++) {
        *base = w->base + c->common_at;
        if (is_named(&c->common.list[i], name, len, letter))
            return &c->common.list[i];
    }
    return NULL;
}

static int long_option(struct walk *w, const char *name)
{
    const char *command = w->command->name;
    const size_t len = strcspn(name, "=");
    const char *given = name[len] == '=' ? name + len + 1 : NULL;
    char *base;
    const struct args_option *o = find(w, name, len, '\0', &base);

    if (o == NULL)
        return args_wrong(command, "unknown option --%.*s", (int)len, name);
    if (o->value == NULL && given != NULL)
        return args_wrong(command, "option --%s takes no value", o->name);
    if (o->value != NULL && given == NULL) {
        if (w->at == w->argc)
            return args_wrong(command, "option --%s needs a value: %s", o->name, o->value);
        given = w->argv[w->at++];
    }
    return give(w, o, base, given);
}

/* "-tan" is -t -a -n; the last of them may take a value. */
static int short_option(struct walk *w, const char *letters)
{
    const char *command = w->command->name;

    for (; *letters != '\0'; letters++) {
        const char *given = NULL;
        char *base;
        const struct args_option *o = find(w, NULL, 0, *letters, &base);

        if (o == NULL)
            return args_wrong(command, "unknown option -%c", *letters);
        if (o->value == NULL) {
            const int status = give(w, o, base, NULL);
            if (status != CLI_OK)
                return status;
            continue;
        }
        if (letters[1] != '\0')
            given = letters + 1;
        else if (w->at == w->argc)
            return args_wrong(command, "option -%c needs a value: %s", *letters, o->value);
        else
            given = w->argv[w->at++];
        return give(w, o, base, given);
    }
    return CLI_OK;
}

static int operand(struct walk *w, const char *word)
{
    const struct args_operands *all = &w->command->operands;
    const size_t i = w->operands < all->count || all->count == 0 ? w->operands : all->count - 1;

    if (i >= all->count || (i < w->operands && all->list[i].take == NULL))
        return args_wrong(w->command->name, "unexpected argument: %s", word);
    w->operands++;
    if (all->list[i].take != NULL)
        return all->list[i].take(w->base, word);
    *(const char **)(void *)(w->base + all->list[i].at) = word;
    return CLI_OK;
}

static int step(struct walk *w)
{
    const char *word = w->argv[w->at++];

    if (w->only_operands || word[0] != '-' || word[1] == '\0')
        return operand(w, word);
    if (strcmp(word, "--") == 0) {
        w->only_operands = true;
        return CLI_OK;
    }
    return word[1] == '-' ? long_option(w, word + 2) : short_option(w, word + 1);
}

static int set_defaults(const struct walk *w, const struct args_options *options, char *base)
{
    for (size_t i = 0; i < options->count; i++) {
        const struct args_option *o = &options->list[i];
        if (o->standard != NULL && give(w, o, base, o->standard) != CLI_OK)
            return CLI_USAGE;
    }
    return CLI_OK;
}

int args_parse(const struct args_command *c, void *to, int argc, char **argv)
{
    struct walk w = { .command = c, .base = to, .argc = argc, .argv = argv, .at = 1 };

    if (set_defaults(&w, &c->options, w.base) != CLI_OK ||
        set_defaults(&w, &c->common, w.base + c->common_at) != CLI_OK)
        return CLI_USAGE;
    while (w.at < argc) {
        const char *word = argv[w.at];
        if (!w.only_operands && (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)) {
            args_help(c);
            return CLI_OK;
        }
        const int status = step(&w);
        if (status != CLI_OK)
            return status;
    }
    if (w.operands < c->operands.count && !c->operands.list[w.operands].optional)
        return args_wrong(c->name, "which %s?", c->operands.list[w.operands].what);
    const int status = c->check != NULL ? c->check(to) : CLI_OK;
    return status == CLI_OK ? -1 : status;
}

static void print_option(char letter, const char *name, const char *value, const char *standard,
                         const char *help)
{
    char left[64];

    if (letter != '\0')
        snprintf(left, sizeof left, "-%c, --%s%s%s", letter, name, value ? " " : "",
                 value ? value : "");
    else
        snprintf(left, sizeof left, "    --%s%s%s", name, value ? " " : "", value ? value : "");
    if (strlen(left) > 27)
        printf("  %s\n  %-28s %s", left, "", help);
    else
        printf("  %-28s %s", left, help);
    if (standard != NULL)
        printf(" (%s)", standard);
    putchar('\n');
}

static void print_options(const struct args_options *options)
{
    for (size_t i = 0; i < options->count; i++) {
        const struct args_option *o = &options->list[i];
        print_option(o->letter, o->name, o->value, o->standard, o->help);
    }
}

void args_help(const struct args_command *c)
{
    for (size_t i = 0; i < ARGS_USAGES_MAX && c->usage[i] != NULL; i++)
        printf("%s lastack %s%s%s\n", i == 0 ? "usage:" : "      ", c->name,
               c->usage[i][0] != '\0' ? " " : "", c->usage[i]);
    printf("\n%s\n", c->about);
    print_options(&c->options);
    print_option('h', "help", NULL, NULL, "show this");
    if (c->common.count > 0) {
        puts("\nWhat all commands on the stack take:\n");
        print_options(&c->common);
    }
    puts("\nExamples:\n");
    fputs(c->examples, stdout);
    printf("\n%s", c->status != NULL
                       ? c->status
                       : "Exit status: 0 it worked, 1 it did not, 2 it was not understood.\n");
}

bool args_number(const char *text, uint64_t min, uint64_t max, uint64_t *out)
{
    uint64_t v = 0;

    if (text == NULL || text[0] == '\0')
        return false;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9' || v > (UINT64_MAX - 9) / 10)
            return false;
        v = v * 10 + (uint64_t)(*text - '0');
    }
    if (v < min || v > max)
        return false;
    *out = v;
    return true;
}

bool args_size(const char *text, uint64_t min, uint64_t max, uint64_t *out)
{
    char digits[24];
    const size_t len = text != NULL ? strlen(text) : 0;
    static const char suffixes[] = "kMG";
    const char *suffix = len > 0 ? strchr(suffixes, text[len - 1]) : NULL;
    const unsigned shift = suffix != NULL ? 10u * (unsigned)(suffix - suffixes + 1) : 0;
    uint64_t v;

    if (len == 0 || len >= sizeof digits)
        return false;
    memcpy(digits, text, len + 1);
    if (suffix != NULL)
        digits[len - 1] = '\0';
    if (!args_number(digits, 0, UINT64_MAX >> shift, &v) || v << shift < min || v << shift > max)
        return false;
    *out = v << shift;
    return true;
}
