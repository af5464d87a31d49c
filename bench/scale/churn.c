/* SPDX-License-Identifier: MIT */
/*
 * churn.c - Connections that open and close at a given rate for two minutes of virtual time.
 *
 * Both ends run in one thread.  The end that opens closes first, so that its TIME_WAITs are what
 * is held: 60 s of them, none of which ends early (asserted).  Connections come in batches, as
 * they would at such rates, and each goes to another of many addresses.  After the first minute
 * as many TIME_WAITs end as begin.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lastack/runtime.h>

#include "bench/scale/scale.h"
#include "bench/work.h"

#define PORTS_HELD                                                                                 \
    512u /* of 28,232 towards one address: the choice of a port is not the question */
#define HELD_S 60u
#define BATCH 32u
#define TICKS 1024u

static uint32_t held_of(const struct churn *c)
{
    return c->rate * (c->seconds < HELD_S ? c->seconds : HELD_S);
}

static struct pair_opt options(const struct churn *c)
{
    return (struct pair_opt){ .connections = 4 * BATCH,
                              .short_records = held_of(c) + 4 * BATCH,
                              .chunks = 1024,
                              .cpu_features = la_rt_cpu_features(),
                              .populate = true,
                              .mtu_bytes = 1500 };
}

/* A batch of lives: opened, accepted, closed by the first end, closed by the second. */
static void batch(struct pair *p, la_listener_id listener, uint32_t addresses, uint32_t first)
{
    const struct la_endpoint any = { .addr = pair_any(p), .port = 0 };
    struct la_accepted accepted[BATCH];
    la_conn_id open[BATCH];

    for (uint32_t i = 0; i < BATCH; i++) {
        const struct la_endpoint to = { .addr = pair_host(p, (first + i) % addresses), .port = 80 };

        work_must(la_open(p->end[0].s, p->now, any, to, 0, &open[i]) == LA_OK, "open");
    }
    pair_run(p);
    for (uint32_t i = 0; i < BATCH; i++)
        work_must(la_accept(p->end[1].s, p->now, listener, 0, &accepted[i]) == LA_OK, "accept");
    for (uint32_t i = 0; i < BATCH; i++)
        la_close(p->end[0].s, p->now, open[i]);
    pair_run(p);
    for (uint32_t i = 0; i < BATCH; i++)
        la_close(p->end[1].s, p->now, accepted[i].conn);
    pair_run(p);
    work_drain_events(p);
}

uint64_t churn_bytes(const struct churn *c)
{
    struct la_config config;

    la_config_default(&config);
    config.connections = 4 * BATCH;
    config.short_v4 = held_of(c) + 4 * BATCH;
    config.chunks = 1024;
    return 2 * la_bytes_needed(&config);
}

static double resident_bytes(void)
{
    unsigned long size = 0, resident = 0;
    FILE *f = fopen("/proc/self/statm", "r");

    if (f == NULL || fscanf(f, "%lu %lu", &size, &resident) != 2)
        resident = 0;
    if (f != NULL)
        fclose(f);
    return (double)resident * (double)sysconf(_SC_PAGESIZE);
}

static double per_s(uint64_t closes, uint64_t ns)
{
    return ns > 0 ? (double)closes * 1e9 / (double)ns : 0;
}

/* Virtual time passes; what ends in it ends. */
static void pass(struct pair *p, uint64_t ns)
{
    p->now.ns += ns;
    for (uint32_t i = 0; i < 2; i++)
        while (la_tick(p->end[i].s, p->now, TICKS))
            ;
}

void churn_run(struct churn *c)
{
    const struct pair_opt opt = options(c);
    const uint64_t total = (uint64_t)c->rate * c->seconds;
    const uint64_t batch_ns = (uint64_t)BATCH * 1000000000u / c->rate;
    struct pair p;

    c->addresses = held_of(c) / PORTS_HELD + 1;
    c->cap = held_of(c) + 4 * BATCH;
    pair_open(&p, &opt);
    work_must(la_sysctl_set(p.end[0].s, "net.ipv4.tcp_max_tw_buckets", c->cap) == LA_OK,
              "tcp_max_tw_buckets");
    const la_listener_id listener = work_listen(&p);
    const uint64_t empty = scale_used_bytes(p.end[0].s), began = bench_ns();
    uint64_t full_ns = 0, full_closes = 0;

    for (c->closes = 0; c->closes < total; c->closes += BATCH) {
        if (full_ns == 0 && c->closes >= (uint64_t)c->rate * HELD_S) {
            full_ns = bench_ns() - began;
            full_closes = c->closes;
        }
        batch(&p, listener, c->addresses, (uint32_t)(c->closes % UINT32_MAX));
        pass(&p, batch_ns);
    }
    const uint64_t took = bench_ns() - began;
    const struct la_table_use use = la_table_use(p.end[0].s, LA_TABLE_SHORT_V4);

    c->held = use.used;
    work_must(use.used + 2 * BATCH >= held_of(c), "keeping every TIME_WAIT for its time");
    c->per_s = per_s(c->closes, took);
    c->per_s_filling = full_ns > 0 ? per_s(full_closes, full_ns) : c->per_s;
    c->per_s_steady = full_ns > 0 ? per_s(c->closes - full_closes, took - full_ns) : 0;
    c->bytes_time_wait = (double)(scale_used_bytes(p.end[0].s) - empty) / (double)c->held;
    c->rss_bytes = resident_bytes();
    pair_close(&p);
}
