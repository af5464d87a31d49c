/* SPDX-License-Identifier: MIT */
/*
 * control_client.h - Asking a running lastack process through its control socket.
 *
 *     struct control_client k;
 *     status = control_client_open(&k, "ss", path_or_NULL);
 *     status = control_client_ask(&k, "rows states=16", each_line, context);
 *     control_client_close(&k);
 *
 * A request is written without the protocol's version and without from=: lists that come in
 * pieces are followed to their end.  docs/control.md has the requests.
 */
#ifndef CLI_CONTROL_CLIENT_H
#define CLI_CONTROL_CLIENT_H

#include "cli/args.h"
#include "runtime/control_text.h"

#include <lastack/control.h>

/* The option every command that asks has. */
#define CONTROL_CLIENT_ARG(type, member)                                                           \
    ARGS_TEXT(0, "control", "PATH", NULL, type, member,                                            \
              "control socket of the process; needless if only one is there")

struct control_client {
    const char *command; /* for messages */
    int fd;
    char path[LA_RT_CONTROL_PATH_BYTES];
    char error[32];   /* the name of what the process refused last, "" if nothing */
    char reason[256]; /* its sentence */
    char piece[CONTROL_ANSWER_MAX + 1];
};

/*
 * control_client_open() - Connect.
 * @path: NULL: the only process there is whose socket stands in a usual place
 *
 * Return: CLI_OK, or CLI_FAILED after a message.
 */
int control_client_open(struct control_client *k, const char *command, const char *path);
void control_client_close(struct control_client *k);

/* A line of an answer.  @in is borrowed.  Return: false to hear no more of this answer. */
typedef bool control_line_fn(void *context, const struct control_in *in);

/*
 * control_client_ask() - Ask, and hear every line of the answer.
 *
 * Return: CLI_OK; CLI_FAILED after a message.
 */
int control_client_ask(struct control_client *k, const char *request, control_line_fn *each,
                       void *context);

/* The same; what the process refuses is left in k->error and k->reason, without a message. */
int control_client_try(struct control_client *k, const char *request, control_line_fn *each,
                       void *context);

/* A number of a line, 0 if it is not there. */
uint64_t control_client_number(const struct control_in *in, const char *key);

#endif
