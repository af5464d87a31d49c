/* SPDX-License-Identifier: MIT */
/*
 * clock.c - The only place where the program asks the host for the time.
 *
 * The stack asserts that time never goes backwards.  CLOCK_MONOTONIC promises the same,
 * yet virtual machines have broken that promise after migration, so what is handed out
 * is clamped to the last value this thread saw.
 */
#include <lastack/runtime.h>

#include <time.h>

static uint64_t read_clock(clockid_t which)
{
    struct timespec ts = { 0 };

    if (clock_gettime(which, &ts) != 0)
        la_panic(__FILE__, __LINE__, "clock_gettime() failed");
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

la_time la_rt_now(void)
{
    static _Thread_local uint64_t last_ns;
    const uint64_t ns = read_clock(CLOCK_MONOTONIC);

    if (ns > last_ns)
        last_ns = ns;
    return (la_time){ last_ns };
}

uint64_t la_rt_wallclock_ns(void)
{
    return read_clock(CLOCK_REALTIME);
}
