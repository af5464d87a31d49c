/* SPDX-License-Identifier: MIT */
/* control.h - What control.c asks of control_answer.c: one request in, one answer out. */
#ifndef RUNTIME_CONTROL_H
#define RUNTIME_CONTROL_H

#include <lastack/control.h>

#include "runtime/control_text.h"

struct control_context {
    struct la_stack *stack;
    struct la_rt_loop *loop; /* NULL: nothing is known of it */
    la_time now;
    const char *name;
    bool may_write;
    uint64_t begun_ns; /* wall clock, when the socket was opened */
};

/*
 * control_answer() - Answer one request.
 * @request: Any bytes whatever
 * @out:     CONTROL_ANSWER_MAX bytes
 *
 * Cost: bounded, whatever is asked and whatever the stack holds.
 * Return: bytes of the answer; never 0.
 */
uint32_t control_answer(const struct control_context *c, const char *request, uint32_t len_bytes,
                        char *out);

/* control_rows.c: the fields of a row, and with @info those of its connection. */
void control_put_row(const struct control_context *c, struct control_out *o,
                     const struct la_row *row, bool info);

#endif
