/* SPDX-License-Identifier: MIT */
/*
 * args.h - Options of the command line, as tables.
 *
 * One table serves parsing and --help, so that neither can know an option the other does
 * not.  "--name VALUE", "--name=VALUE", "-n VALUE", "-nVALUE"; "--" ends the options.  Names
 * are not abbreviated: what works today must not become ambiguous tomorrow.
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

struct args_option {
    int id;            /* > 0, of the command's choosing */
    char letter;       /* 0 if none */
    const char *name;  /* without the dashes */
    const char *value; /* what --help calls its value, or NULL: a flag */
    const char *help;
};

#define ARGS_TABLES 2

struct args {
    const char *command; /* for messages: "serve" */
    const struct args_option *tables[ARGS_TABLES];
    size_t counts[ARGS_TABLES];
    int argc;
    char **argv;
    int at;
    bool only_operands;
};

enum { ARGS_END = 0, ARGS_OPERAND = -1, ARGS_WRONG = -2 };

/*
 * args_next() - The next option or operand.
 * @value: The option's value, the operand, or NULL
 *
 * Return: the option's id, ARGS_OPERAND, ARGS_END, or ARGS_WRONG after a message on stderr.
 */
int args_next(struct args *a, const char **value);

/* Print the options of all tables. */
void args_print(const struct args *a);

/* "lastack serve: ..." on stderr.  Return: CLI_USAGE, with the way to help added. */
int args_wrong(const char *command, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The same without the way to help.  Return: CLI_FAILED. */
int args_failed(const char *command, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A decimal number within bounds.  Return: false, without a message, if it is none. */
bool args_number(const char *text, uint64_t min, uint64_t max, uint64_t *out);
/* The same with an optional suffix k, M or G (1024s). */
bool args_size(const char *text, uint64_t min, uint64_t max, uint64_t *out);

#endif
