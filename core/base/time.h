/* SPDX-License-Identifier: MIT */
/* time.h - Arithmetic on la_time.  Times are absolute, durations are plain nanoseconds. */
#ifndef CORE_BASE_TIME_H
#define CORE_BASE_TIME_H

#include <lastack/types.h>

#define NS_PER_US UINT64_C(1000)
#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_S UINT64_C(1000000000)

static inline bool time_lt(la_time a, la_time b)
{
    return a.ns < b.ns;
}
static inline bool time_le(la_time a, la_time b)
{
    return a.ns <= b.ns;
}
static inline bool time_eq(la_time a, la_time b)
{
    return a.ns == b.ns;
}
static inline la_time time_min(la_time a, la_time b)
{
    return a.ns < b.ns ? a : b;
}
static inline la_time time_max(la_time a, la_time b)
{
    return a.ns < b.ns ? b : a;
}
/* Saturates at LA_TIME_NEVER. */
static inline la_time time_add(la_time t, uint64_t ns)
{
    return (la_time){ t.ns > UINT64_MAX - ns ? UINT64_MAX : t.ns + ns };
}
/* Nanoseconds from @from to @to; 0 if @to is not later. */
static inline uint64_t time_since(la_time from, la_time to)
{
    return to.ns > from.ns ? to.ns - from.ns : 0;
}

#endif
