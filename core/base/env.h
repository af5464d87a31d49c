/* SPDX-License-Identifier: MIT */
/*
 * env.h - What every layer of one stack shares: the time of this call, the pool, the
 * counters, the knobs.  It stands at the very start of the arena, so its address is the
 * arena's.
 */
#ifndef CORE_BASE_ENV_H
#define CORE_BASE_ENV_H

#include <lastack/observe.h>
#include <lastack/stack.h>

#include "core/base/chunks.h"
#include "core/base/siphash.h"

struct env_knobs {
#define LA_KNOB(field, name, value, min, max, text) uint32_t field;
#include <lastack/knobs.def>
#undef LA_KNOB
};

struct env_trace {
    uint64_t offset; /* of the ring, from the arena */
    uint32_t cap;    /* 0: no tracing */
    uint32_t first, count;
    uint64_t lost;
};

struct env_causes {
    uint64_t offset; /* of the ring, from the arena */
    uint32_t cap;    /* 0: nothing is remembered */
    uint64_t told;   /* how many there have been; the number of the last */
};

struct env {
    la_time now;   /* of the call in progress: entered once */
    uint32_t busy; /* 1 while a call is in progress */
    uint32_t cpu_features;
    struct chunks chunks;
    struct env_knobs knobs;
    struct env_trace trace;
    struct env_causes causes;
    uint64_t counters[LA_COUNTERS];
    uint64_t drops[LA_DROPS];
};

static inline void env_count(struct env *e, enum la_counter c)
{
    e->counters[c]++;
}
/* By the codepoint of a packet's IP header: RFC 3168 5. */
_Static_assert(LA_COUNT_InECT1Pkts == LA_COUNT_InNoECTPkts + 1 &&
                   LA_COUNT_InECT0Pkts == LA_COUNT_InNoECTPkts + 2 &&
                   LA_COUNT_InCEPkts == LA_COUNT_InNoECTPkts + 3,
               "in the order of the codepoints");
static inline void env_count_ecn(struct env *e, uint32_t codepoint)
{
    e->counters[LA_COUNT_InNoECTPkts + (codepoint & 3u)]++;
}
static inline void env_drop(struct env *e, enum la_drop d)
{
    e->drops[d]++;
}
static inline void *env_arena(const struct env *e)
{
    return (void *)(uintptr_t)e;
}

#endif
