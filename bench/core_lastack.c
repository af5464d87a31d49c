/* SPDX-License-Identifier: MIT */
/* core_lastack.c - The measurements of lastack itself. */
#include <stdlib.h>
#include <string.h>

#include <lastack/runtime.h>

#include "bench/core.h"
#include "bench/work.h"

#define TRIP_NS 1000 /* virtual time passes about as it would: timers are due as often */

#define LIVES_MAX 4000000u /* TIME-WAITs there is room for: 800,000 lives a second */

static uint64_t work = 10;
static uint32_t last_time_waits;
static uint64_t last_time_wait_bytes;

void lastack_scale(uint64_t scale)
{
    work = scale;
}

double lastack_bulk(uint64_t gso_max_bytes)
{
    const uint64_t warm = 200000000, total = 400000000 * work;
    struct pair p;
    uint64_t done = 0;

    pair_open(&p, &(struct pair_opt){ .connections = 16,
                                      .short_records = 16,
                                      .chunks = 512,
                                      .chunk_bytes = 8192,
                                      .mtu_bytes = 1500,
                                      .buffer_bytes = 262144,
                                      .cpu_features = la_rt_cpu_features(),
                                      .gso_max_bytes = (uint32_t)gso_max_bytes });
    const struct work_conn c = work_open(&p, work_listen(&p), 0);
    while (done < warm)
        done += work_bulk(&p, c);
    const uint64_t begin = bench_ns();
    for (done = 0; done < total;)
        done += work_bulk(&p, c);
    const double gbps = (double)done * 8 / (double)(bench_ns() - begin);
    pair_close(&p);
    return gbps;
}

static double rr(uint32_t n, uint32_t in_flight)
{
    const uint32_t trips = (uint32_t)(100000 * work);
    struct work_conn *c = malloc(n * sizeof(*c));
    uint32_t *order = malloc((n + in_flight) * sizeof(*order));
    struct pair p;

    work_must(c != NULL && order != NULL, "malloc");
    pair_open(&p, &(struct pair_opt){ .connections = n + 16,
                                      .short_records = 16,
                                      .chunks = 65536,
                                      .chunk_bytes = 512,
                                      .cpu_features = la_rt_cpu_features(),
                                      .mtu_bytes = 1500 });
    const la_listener_id listener = work_listen(&p);
    for (uint32_t i = 0; i < n; i++) {
        c[i] = work_open(&p, listener, i);
        if (i % 1024 == 0)
            work_drain_events(&p);
    }
    work_shuffle(order, n);
    for (uint32_t i = 0; i < in_flight; i++)
        order[n + i] = order[i % n];
    pair_sleep(&p, 100000000); /* delayed ACKs of the handshakes */
    const uint64_t begin = bench_ns();
    for (uint32_t done = 0, at = 0; done < trips; done += in_flight) {
        work_round_trips(&p, c, order + at, in_flight);
        at = (at + in_flight) % n;
        p.now.ns += (uint64_t)TRIP_NS * in_flight;
        for (uint32_t i = 0; i < 2; i++)
            la_tick(p.end[i].s, p.now, 256);
    }
    const double per_s = (double)trips * 1000 / (double)(bench_ns() - begin);
    pair_close(&p);
    free(c);
    free(order);
    return per_s;
}

double lastack_rr1(uint64_t connections)
{
    return rr((uint32_t)connections, 1);
}

double lastack_rr32(uint64_t connections)
{
    return rr((uint32_t)connections, 32);
}

double lastack_life(uint64_t unused)
{
    const uint64_t limit_ns = work * 500000000;
    struct pair p;
    uint32_t n = 0;
    uint64_t took = 0;

    (void)unused;
    pair_open(&p, &(struct pair_opt){ .connections = 1024,
                                      .short_records = LIVES_MAX,
                                      .populate = true,
                                      .chunks = 4096,
                                      .cpu_features = la_rt_cpu_features(),
                                      .mtu_bytes = 1500 });
    const la_listener_id listener = work_listen(&p);
    const uint64_t begin = bench_ns();
    while (took < limit_ns && n < LIVES_MAX) {
        work_life(&p, listener, n);
        if (++n % 256 == 0 || n == LIVES_MAX)
            took = bench_ns() - begin;
    }
    const struct la_table_use use = la_table_use(p.end[0].s, LA_TABLE_SHORT_V4);
    work_must(use.used == n, "keeping every TIME-WAIT");
    last_time_waits = use.used;
    last_time_wait_bytes = (uint64_t)use.used * use.item_bytes;
    pair_close(&p);
    return (double)n * 1000 / (double)took;
}

void lastack_life_report(FILE *to)
{
    fprintf(to, "         every TIME-WAIT is kept: %u of them, %.1f MB\n", last_time_waits,
            (double)last_time_wait_bytes / 1e6);
}
