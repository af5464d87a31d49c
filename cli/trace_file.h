/* SPDX-License-Identifier: MIT */
/* trace_file.h - --trace FILE: what connections do, as JSON lines for `lastack plot` (sim/events.h). */
#ifndef CLI_TRACE_FILE_H
#define CLI_TRACE_FILE_H

#include <lastack/lastack.h>

struct trace_file;

/* Return: NULL with errno. @begun: what counts as time 0. */
struct trace_file *trace_file_open(const char *path, la_time begun);
/* @stack: The one that the records are of. */
void trace_file_add(struct trace_file *f, const struct la_stack *stack,
                    const struct la_trace *records, uint32_t count);
/* NULL is closed already.  Return: false, with errno, if not all could be written. */
bool trace_file_close(struct trace_file *f);

#endif
