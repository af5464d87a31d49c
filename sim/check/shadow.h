/* SPDX-License-Identifier: MIT */
/*
 * shadow.h - The fast path held against the steps it stands for.
 *
 * core/tcp/arrives_fast.c claims to do what the eight steps do.  So a burst is given to a clone of
 * the stack too, through a second copy of the core that was linked without the fast path, and the
 * two arenas are compared afterwards: every byte of every table, counters and lists included, but
 * for bytes of chunks that hold no text.
 */
#ifndef SIM_CHECK_SHADOW_H
#define SIM_CHECK_SHADOW_H

#include <lastack/stack.h>

typedef void shadow_rx_fn(struct la_stack *s, la_time now, const struct la_frame *frames,
                          uint32_t count);

/* la_rx() of the core without the fast path; the build makes it. */
shadow_rx_fn nofast_la_rx;

/*
 * shadow_rx() - la_rx(), and the same through @other on a clone.
 *
 * Return: NULL, or where the two differ (static text, written over by the next call).
 * Cost:   two copies of the used part of the arena.
 */
const char *shadow_rx(struct la_stack *s, la_time now, const struct la_frame *frames,
                      uint32_t count, shadow_rx_fn *other);
/* The same with nofast_la_rx(); a difference ends the program by la_panic(). */
void shadow_rx_or_panic(struct la_stack *s, la_time now, const struct la_frame *frames,
                        uint32_t count);

#endif
