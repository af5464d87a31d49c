/* SPDX-License-Identifier: MIT */
/*
 * args.h - The command line of a sub-command, as one table.
 *
 * The table is all there is: args_parse() fills in the command's structure from it, defaults
 * included, and --help is printed from it, so that neither can know what the other does not.
 * A lint check compares what --help says with the page in docs/man.
 *
 *     struct echo { uint16_t port; struct session_options common; };
 *
 *     static const struct args_option options[] = {
 *         ARGS_PORT('p', "port", "N", "7", struct echo, port, "listen on this port"),
 *     };
 *     const struct args_command cmd_echo = { .name = "echo", .options = options, ... };
 *
 * "--name VALUE", "--name=VALUE", "-n VALUE", "-nVALUE", "-abc" for "-a -b -c"; "--" ends the options.  Names are not
 * abbreviated: what works today must not become ambiguous tomorrow.
 */
#ifndef CLI_ARGS_H
#define CLI_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a command exits with. */
#define CLI_OK 0
#define CLI_FAILED 1 /* it was understood and did not work */
#define CLI_USAGE 2  /* it was not understood */

enum args_kind {
    ARGS_IS_FLAG,   /* bool, set to true */
    ARGS_IS_TEXT,   /* const char *, the word itself */
    ARGS_IS_NUMBER, /* uint64_t, from min to max */
    ARGS_IS_SIZE,   /* the same with a suffix k, M or G (1024s) */
    ARGS_IS_PORT,   /* uint16_t, 1 to 65535 */
    ARGS_IS_OWN,    /* whatever take() makes of it */
};

struct args_option {
    enum args_kind kind;
    char letter;          /* 0 if none */
    const char *name;     /* without the dashes */
    const char *value;    /* what --help calls its value, or NULL: a flag */
    const char *standard; /* the default as one would write it, or NULL: none */
    const char *help;
    size_t at; /* where in the command's structure */
    uint64_t min, max;
    /* Return: CLI_OK, or another status after a message. */
    int (*take)(void *to, const struct args_option *o, const char *value);
};

/* An offset that compiles only if the member has the type the parser will write. */
#define ARGS_AT(type, member, as) _Generic(((type *)0)->member, as : offsetof(type, member))

#define ARGS_FLAG(letter, name, type, member, help)                                                \
    {                                                                                              \
        ARGS_IS_FLAG, letter, name, NULL, NULL, help, ARGS_AT(type, member, bool), 0, 0, NULL      \
    }
#define ARGS_TEXT(letter, name, value, standard, type, member, help)                               \
    {                                                                                              \
        ARGS_IS_TEXT, letter, name, value, standard, help, ARGS_AT(type, member, const char *), 0, \
            0, NULL                                                                                \
    }
#define ARGS_NUMBER(letter, name, value, standard, min, max, type, member, help)                   \
    {                                                                                              \
        ARGS_IS_NUMBER, letter, name, value, standard, help, ARGS_AT(type, member, uint64_t), min, \
            max, NULL                                                                              \
    }
#define ARGS_SIZE(letter, name, value, standard, min, max, type, member, help)                     \
    {                                                                                              \
        ARGS_IS_SIZE, letter, name, value, standard, help, ARGS_AT(type, member, uint64_t), min,   \
            max, NULL                                                                              \
    }
#define ARGS_PORT(letter, name, value, standard, type, member, help)                               \
    {                                                                                              \
        ARGS_IS_PORT, letter, name, value, standard, help, ARGS_AT(type, member, uint16_t), 1,     \
            65535, NULL                                                                            \
    }
/* take() is given the whole structure; a @standard is given to it too, before any option. */
#define ARGS_OWN(letter, name, value, standard, take, help)                                        \
    {                                                                                              \
        ARGS_IS_OWN, letter, name, value, standard, help, 0, 0, 0, take                            \
    }

struct args_operand {
    const char *what; /* "which ...?" is what is asked when it is missing */
    bool optional;
    size_t at; /* a const char * */
    /* Instead: takes this and every further operand. */
    int (*take)(void *to, const char *value);
};
#define ARGS_OPERAND(what, type, member)                                                           \
    {                                                                                              \
        what, false, ARGS_AT(type, member, const char *), NULL                                     \
    }
#define ARGS_OPERAND_OPTIONAL(what, type, member)                                                  \
    {                                                                                              \
        what, true, ARGS_AT(type, member, const char *), NULL                                      \
    }
#define ARGS_OPERANDS(what, take)                                                                  \
    {                                                                                              \
        what, false, 0, take                                                                       \
    }

/* A table, and its length. */
#define ARGS_LIST(array) array, sizeof array / sizeof array[0]
struct args_options {
    const struct args_option *list;
    size_t count;
};
struct args_operands {
    const struct args_operand *list;
    size_t count;
};

#define ARGS_USAGES_MAX 4

struct args_command {
    const char *name;
    const char *what;                   /* in the list of commands, a few words */
    const char *usage[ARGS_USAGES_MAX]; /* what follows "lastack NAME", a line each */
    const char *about;                  /* lines, each ended */
    struct args_options options;
    struct args_options common; /* options that several commands have */
    size_t common_at;           /* the structure they fill in, within the command's */
    struct args_operands operands;
    int (*check)(void *to); /* after the last word.  Return: CLI_OK, or a status after a message */
    /* Lines, each ended; what is indented by four is a command that works as it stands, "&" at
     * its end one that goes on while the next is run.  tests/interop/examples.sh runs them. */
    const char *examples;
    const char *status; /* lines on the exit status, or NULL: 0, 1 and 2 as above */
    int (*run)(int argc, char **argv);
};

/*
 * args_parse() - Fill in a command's structure: defaults first, then what is said.
 * @to: The structure; what has no default is left as it is
 *
 * -h and --help are every command's.
 *
 * Return: -1 to go on, or the status to exit with, after help or a message.
 */
int args_parse(const struct args_command *c, void *to, int argc, char **argv);

/* What --help prints. */
void args_help(const struct args_command *c);

/* "lastack serve: ..." on stderr.  Return: CLI_USAGE, with the way to help added. */
int args_wrong(const char *command, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same without the way to help.  Return: CLI_FAILED. */
int args_failed(const char *command, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A decimal number within bounds.  Return: false, without a message, if it is none. */
bool args_number(const char *text, uint64_t min, uint64_t max, uint64_t *out);
/* The same with an optional suffix k, M or G (1024s). */
bool args_size(const char *text, uint64_t min, uint64_t max, uint64_t *out);

#endif
