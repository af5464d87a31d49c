/* SPDX-License-Identifier: MIT */
/* cause_text.h - A cause in one line of words: clause, knob, counter, and what stood in the queues. */
#ifndef CLI_CAUSE_TEXT_H
#define CLI_CAUSE_TEXT_H

#include <stddef.h>

#include <lastack/observe.h>

#define CAUSE_TEXT_BYTES 320

/*
 * cause_text() - "RFC 9293 3.10.7.1; no knob; counter OutRsts; accept queue 3, SYN queue 0, limit 2".
 * @c: Its reason is enough; the queues are told as far as they belong to a listener or connection
 */
void cause_text(const struct la_cause *c, char to[CAUSE_TEXT_BYTES]);

/*
 * cause_of() - What is remembered of the segment or end that a trace record tells of.
 * @newest: Number of the newest cause known; carried from call to call, 0 at first
 *
 * Return: false if nothing is.  Cost: that of the newest few causes.
 */
bool cause_of(const struct la_stack *s, const struct la_trace *t, uint64_t *newest,
              struct la_cause *out);

#endif
