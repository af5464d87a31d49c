/* SPDX-License-Identifier: MIT */
/*
 * stack.h - One stack: the TCP shard at the very start of the arena, the IP layer behind
 * it, and the layout of everything else.
 */
#ifndef CORE_STACK_STACK_H
#define CORE_STACK_STACK_H

#include <lastack/lastack.h>

#include "core/ip/ip_stack.h"
#include "core/tcp/tcp.h"

struct la_stack {
    struct tcp tcp; /* first: its env is the arena's start */
    struct ip ip;
    struct loop { /* loopback.c: packets to ourselves, a chunk each, oldest first */
        uint32_t head, tail, count;
    } loop;
    uint64_t bytes;  /* of the arena, as laid out */
    uint32_t pinned; /* descriptors whose memory a driver still reads: always 0 as yet */
};

/* rx.c: treat one packet that came by an interface, or by the loopback. */
void stack_receive(struct la_stack *s, const struct la_frame *frame, const uint32_t *hash);

/* snapshot.c: where a sanitizer watches, what is free is out of reach again after la_extents(). */
void stack_hide(const struct la_stack *s);

/* loopback.c */

/* Those of @count descriptors that are for ourselves wait; the others move together.  Return: how many. */
uint32_t loopback_divert(struct la_stack *s, struct la_tx *out, uint32_t count);
/* What waits arrives. */
void loopback_deliver(struct la_stack *s);
const char *loopback_check(const struct la_stack *s);

/* The layout of an arena: offsets of every table. */
struct layout {
    uint64_t conns, nodes, listeners, half4, half6, short4, short6, chunks, index, replies, trace;
    uint64_t causes;
    uint64_t port_maps, port_rows;
    uint32_t port_row_count;
    uint64_t bytes;
};
/* False if the configuration is out of range. */
bool stack_layout(const struct la_config *config, struct layout *out);

/* Every public call is bracketed: time enters, and nobody else may be inside. */
static inline void stack_enter(struct la_stack *s, la_time now)
{
    struct env *e = &s->tcp.env;

    LA_ASSERT(e->busy == 0);
    LA_ASSERT(time_le(e->now, now));
    e->busy = 1;
    e->now = now;
}
static inline void stack_leave(struct la_stack *s)
{
    s->tcp.env.busy = 0;
}

#endif
