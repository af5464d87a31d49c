/* SPDX-License-Identifier: MIT */
/*
 * wheel.h - A hierarchical timing wheel of intrusive nodes.
 *
 * Theory of operation.  WHEEL_LEVELS levels of 64 slots; a slot of level n is 64^n ticks
 * wide, a tick is 2^WHEEL_TICK_SHIFT ns.  A node stands in the slot of its time, at the
 * lowest level whose span reaches it, and moves down at most once a level.  A bitmap a
 * level finds the next slot in O(1).  Times beyond the last level stand in its last slot.
 *
 * Nodes fire in the order (tick, index), never before their exact ns, whatever the clock's
 * steps.  tests hold the wheel against a binary heap with the same key.
 *
 * Nodes live inside slab slots: node i is at arena + base_offset + i * stride.
 */
#ifndef CORE_BASE_WHEEL_H
#define CORE_BASE_WHEEL_H

#include "core/base/assert.h"
#include "core/base/mem.h"
#include "core/base/time.h"

#define WHEEL_TICK_SHIFT 16 /* 65.536 us */
#define WHEEL_LEVELS 7      /* 64^7 ticks = 9 years */
#define WHEEL_SLOTS 64
#define WHEEL_NONE UINT32_MAX

struct wheel_node {
    la_time at;          /* LA_TIME_NEVER while not armed */
    uint32_t next, prev; /* WHEEL_NONE at the ends; prev of the first names its slot, if you need it */
};

struct wheel {
    uint64_t base_offset; /* of node 0, from the arena */
    uint32_t stride;
    uint32_t armed;
    uint64_t tick; /* everything before it has fired */
    uint64_t bitmap[WHEEL_LEVELS];
    uint32_t head[WHEEL_LEVELS][WHEEL_SLOTS];
    uint32_t due; /* sorted list of the tick that is being fired, or WHEEL_NONE */
};

void wheel_init(struct wheel *w, uint64_t base_offset, uint32_t stride, la_time now);
/* A node that is not armed; must be called once for each node before its first use. */
void wheel_node_init(struct wheel_node *n);
/* Arm, or move, node @i to @at; LA_TIME_NEVER disarms.  A time in the past fires at the next call. */
void wheel_move(struct wheel *w, void *arena, uint32_t i, la_time at);
/* The next node due at @now, unlinked and disarmed (its at keeps the time it stood for); WHEEL_NONE if none. */
uint32_t wheel_pop(struct wheel *w, void *arena, la_time now);
/* Not later than the earliest node; exact if that lies in the current tick; LA_TIME_NEVER if none. */
la_time wheel_deadline(const struct wheel *w, const void *arena);
const char *wheel_check(const struct wheel *w, const void *arena);

#endif
