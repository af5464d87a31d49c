/* SPDX-License-Identifier: MIT */
/*
 * wheel.h - A hierarchical timing wheel of intrusive nodes.
 *
 * Theory of operation.  WHEEL_LEVELS levels of 64 slots; a slot of level n is 64^n ticks
 * wide, a tick is 2^WHEEL_TICK_SHIFT ns.  A node stands at the level of the highest digit
 * (base 64) in which its tick differs from the wheel's, in the slot of that digit, and
 * moves down at most once a level.  A bitmap a level finds the next slot in O(1).  The
 * levels together span all of la_time, so no time is beyond the last.
 *
 * Nodes fire in the order (tick, index) among those due, never before their exact ns,
 * whatever the clock's steps; of a tick in which more than WHEEL_BATCH fall due, batch by batch.
 * A node armed for a time that is past belongs to the tick that is being fired.  Tests hold the
 * wheel against a binary heap with the same key.
 *
 * Node i is at arena + base_offset + i * stride.  Nodes of one table stand close together, apart
 * from what they belong to: walking a list touches nothing else, and four share a cache line.
 */
#ifndef CORE_BASE_WHEEL_H
#define CORE_BASE_WHEEL_H

#include "core/base/assert.h"
#include "core/base/mem.h"
#include "core/base/time.h"

#define WHEEL_TICK_SHIFT 16 /* 65.536 us */
#define WHEEL_LEVELS 8      /* 64^8 ticks = 584 years */
#define WHEEL_SLOTS 64
#define WHEEL_NONE UINT32_MAX
#define WHEEL_BATCH 512 /* nodes of one tick that are sorted together */

struct wheel_node {
    la_time at;          /* while armed: when; after it fired: the time it stood for */
    uint32_t next, prev; /* prev of the first names its list; WHEEL_NONE while not armed */
};

struct wheel {
    uint64_t base_offset; /* of node 0, from the arena */
    uint32_t stride;
    uint32_t armed;
    uint64_t tick;        /* everything before it has fired */
    la_time soonest;      /* not later than any node in the slot of the current tick */
    la_time due_soonest;  /* not later than any node on the due list */
    uint32_t due;         /* nodes of the current tick that are due, sorted; or WHEEL_NONE */
    uint32_t due_taken;   /* so many came there since it was empty */
    uint32_t moving;      /* nodes of a slot that was entered: they have no new place yet */
    uint32_t cursor;      /* in the current tick: this one and those behind it were not looked at */
    la_time seen_soonest; /* of those in front of it */
    bool soonest_exact, seen_exact;
    uint64_t bitmap[WHEEL_LEVELS];
    uint32_t head[WHEEL_LEVELS][WHEEL_SLOTS];
};

static inline struct wheel_node *wheel_node(const struct wheel *w, const void *arena, uint32_t i)
{
    return (struct wheel_node *)((uintptr_t)arena + w->base_offset + (uint64_t)i * w->stride);
}
void wheel_init(struct wheel *w, uint64_t base_offset, uint32_t stride, la_time now);
/* A node that is not armed; must be called once for each node before its first use. */
void wheel_node_init(struct wheel_node *n);
static inline bool wheel_armed(const struct wheel_node *n)
{
    return n->prev != WHEEL_NONE;
}
/* Arm, or move, node @i to @at; LA_TIME_NEVER disarms.  A past time fires at the next call. */
void wheel_move(struct wheel *w, void *arena, uint32_t i, la_time at);
/*
 * The next node due at @now, disarmed (its at keeps the time it stood for); or WHEEL_NONE.  Each
 * node that is looked at or moved takes one from *@work; with 0 left there may be more that is due.
 */
uint32_t wheel_pop(struct wheel *w, void *arena, la_time now, uint32_t *work);
/* What the next wheel_pop() gives, if it falls due together with the last; else WHEEL_NONE. */
static inline uint32_t wheel_next_due(const struct wheel *w)
{
    return w->due;
}
/*
 * Not later than the earliest node; exact if that lies in the current tick; LA_TIME_NEVER
 * if none.  While nodes that were due at the last wheel_pop() still wait, some time not
 * later than that call's.
 */
la_time wheel_deadline(const struct wheel *w, const void *arena);
const char *wheel_check(const struct wheel *w, const void *arena);

#endif
