/* SPDX-License-Identifier: MIT */
/* args.c - Options of the command line; see args.h. */
#include "cli/args.h"

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

static const struct args_option *find(const struct args *a, const char *name, size_t len,
                                      char letter)
{
    for (int t = 0; t < ARGS_TABLES; t++) {
        for (size_t i = 0; i < a->counts[t]; i++) {
            const struct args_option *o = &a->tables[t][i];
            if (name == NULL ? (letter != '\0' && o->letter == letter)
                             : (strlen(o->name) == len && memcmp(o->name, name, len) == 0))
                return o;
        }
    }
    return NULL;
}

static int long_option(struct args *a, const char *name, const char **value)
{
    const size_t len = strcspn(name, "=");
    const char *given = name[len] == '=' ? name + len + 1 : NULL;
    const struct args_option *o = find(a, name, len, '\0');

    if (o == NULL) {
        args_wrong(a->command, "unknown option --%.*s", (int)len, name);
        return ARGS_WRONG;
    }
    if (o->value == NULL && given != NULL) {
        args_wrong(a->command, "option --%s takes no value", o->name);
        return ARGS_WRONG;
    }
    if (o->value != NULL && given == NULL) {
        if (a->at == a->argc) {
            args_wrong(a->command, "option --%s needs a value: %s", o->name, o->value);
            return ARGS_WRONG;
        }
        given = a->argv[a->at++];
    }
    *value = given;
    return o->id;
}

static int short_option(struct args *a, const char *letters, const char **value)
{
    const struct args_option *o = find(a, NULL, 0, letters[0]);

    if (o == NULL) {
        args_wrong(a->command, "unknown option -%c", letters[0]);
        return ARGS_WRONG;
    }
    if (o->value == NULL && letters[1] != '\0') {
        args_wrong(a->command, "option -%c takes no value", letters[0]);
        return ARGS_WRONG;
    }
    if (o->value != NULL && letters[1] == '\0') {
        if (a->at == a->argc) {
            args_wrong(a->command, "option -%c needs a value: %s", letters[0], o->value);
            return ARGS_WRONG;
        }
        *value = a->argv[a->at++];
    } else if (o->value != NULL) {
        *value = letters + 1;
    }
    return o->id;
}

int args_next(struct args *a, const char **value)
{
    *value = NULL;
    if (a->at == a->argc)
        return ARGS_END;
    const char *word = a->argv[a->at++];
    if (a->only_operands || word[0] != '-' || word[1] == '\0') {
        *value = word;
        return ARGS_OPERAND;
    }
    if (strcmp(word, "--") == 0) {
        a->only_operands = true;
        if (a->at == a->argc)
            return ARGS_END;
        *value = a->argv[a->at++];
        return ARGS_OPERAND;
    }
    return word[1] == '-' ? long_option(a, word + 2, value) : short_option(a, word + 1, value);
}

void args_print(const struct args *a)
{
    for (int t = 0; t < ARGS_TABLES; t++) {
        for (size_t i = 0; i < a->counts[t]; i++) {
            const struct args_option *o = &a->tables[t][i];
            char left[64];
            if (o->help == NULL)
                continue;
            if (o->letter != '\0')
                snprintf(left, sizeof left, "-%c, --%s%s%s", o->letter, o->name,
                         o->value ? " " : "", o->value ? o->value : "");
            else
                snprintf(left, sizeof left, "    --%s%s%s", o->name, o->value ? " " : "",
                         o->value ? o->value : "");
            printf("  %-28s %s\n", left, o->help);
        }
    }
}

bool args_number(const char *text, uint64_t min, uint64_t max, uint64_t *out)
{
    uint64_t v = 0;

    if (text[0] == '\0')
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
    const size_t len = strlen(text);
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
