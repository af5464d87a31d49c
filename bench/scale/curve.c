/* SPDX-License-Identifier: MIT */
/*
 * curve.c - Every operation of a connection's life among so many other connections.
 *
 * Both ends run in one thread.  First so many connections are opened; then each operation is
 * measured on connections taken at random, in rounds, so that their number stays what it is;
 * then all keepalive timers fire, all connections are closed, and all TIME_WAITs end.
 * An established pair counts once: there are twice as many endpoints.
 */
#include <stdlib.h>
#include <string.h>

#include <lastack/runtime.h>

#include "bench/scale/scale.h"
#include "bench/work.h"

#define OPEN_NS 2000u /* virtual time between two connections that open: 500,000 a second */
#define PORTS_PER_ADDR 2048u
#define SAMPLES 16384u /* of each operation, in rounds */
#define CLOSED_COUNTED 1024u
#define TRIPS 20000u
#define ROUND_MAX 1024u
#define TICK_STEP_NS 131072u
#define TICK_BUDGET 256u
#define PROBES_NS UINT64_C(10000000000)
#define ROWS 64u
#define TWO_MSL_NS UINT64_C(60000000000)
#define TEXT_BYTES 64u
#define TABLE_MIN 65536u /* beside the connections: a small stack has no table of local ports */

struct stage {
    struct pair p;
    la_listener_id listener;
    struct meter m;
    struct work_conn *conns;
    uint32_t *order;
    uint32_t n, round, batch, opened;
};

static uint8_t text[TEXT_BYTES];

static struct la_endpoint next_host(struct stage *g)
{
    const uint32_t hosts = g->n / PORTS_PER_ADDR + 1;

    return (struct la_endpoint){ .addr = pair_host(&g->p, g->opened++ % hosts), .port = 80 };
}

/* @count connections, metered or not. */
static void open_some(struct stage *g, struct work_conn *to, uint32_t count)
{
    const struct la_endpoint any = { .addr = pair_any(&g->p), .port = 0 };
    struct la_endpoint host[ROUND_MAX];
    struct la_accepted accepted;

    for (uint32_t i = 0; i < count; i++)
        host[i] = next_host(g);
    meter_begin(&g->m, SCALE_open);
    for (uint32_t i = 0; i < count; i++)
        work_must(la_open(g->p.end[0].s, g->p.now, any, host[i], 0, &to[i].a) == LA_OK, "open");
    meter_end(&g->m, count);
    meter_begin(&g->m, SCALE_handshake);
    pair_run(&g->p);
    meter_end(&g->m, count);
    meter_begin(&g->m, SCALE_accept);
    for (uint32_t i = 0; i < count; i++) {
        work_must(la_accept(g->p.end[1].s, g->p.now, g->listener, 0, &accepted) == LA_OK, "accept");
        to[i].b = accepted.conn;
    }
    meter_end(&g->m, count);
    work_drain_events(&g->p);
}

/* Closed by the first end, which keeps the TIME_WAIT, then by the second. */
static void close_some(struct stage *g, const struct work_conn *c, uint32_t count)
{
    meter_begin(&g->m, SCALE_close);
    for (uint32_t i = 0; i < count; i++)
        la_close(g->p.end[0].s, g->p.now, c[i].a);
    meter_end(&g->m, count);
    meter_begin(&g->m, SCALE_fin);
    pair_run(&g->p);
    meter_end(&g->m, count);
    for (uint32_t i = 0; i < count; i++)
        la_close(g->p.end[1].s, g->p.now, c[i].b);
    meter_begin(&g->m, SCALE_time_wait_entry);
    pair_run(&g->p);
    meter_end(&g->m, count);
    work_drain_events(&g->p);
}

static void tick_all(struct stage *g)
{
    for (uint32_t i = 0; i < 2; i++)
        while (la_tick(g->p.end[i].s, g->p.now, TICK_BUDGET))
            ;
}

static void choose_ports(struct stage *g, uint32_t count)
{
    struct la_stack *s = g->p.end[0].s;
    const struct la_endpoint nowhere = { .addr = pair_any(&g->p), .port = 0 };
    struct la_endpoint host[ROUND_MAX];
    uint16_t port = 0;

    for (uint32_t i = 0; i < count; i++)
        host[i] = next_host(g);
    meter_begin(&g->m, SCALE_port_choice);
    for (uint32_t i = 0; i < count; i++)
        work_must(la_port_choose(s, g->p.now, pair_any(&g->p), host[i], &port) == LA_OK, "port");
    meter_end(&g->m, count);
    meter_begin(&g->m, SCALE_bind);
    for (uint32_t i = 0; i < count; i++)
        work_must(la_port_choose(s, g->p.now, pair_any(&g->p), nowhere, &port) == LA_OK, "bind");
    meter_end(&g->m, count);
    meter_begin(&g->m, SCALE_bind_asked);
    for (uint32_t i = 0; i < count; i++)
        work_must(la_port_asked(s, pair_any(&g->p), true, (uint16_t)(port + i), false, false) !=
                      LA_PORT_WALK,
                  "a table of ports");
    meter_end(&g->m, count);
}

/* @which: places in conns; none twice before its delayed ACK went out, for Nagle's algorithm. */
static void talk(struct stage *g, const uint32_t *which, uint32_t count)
{
    const int64_t n = TEXT_BYTES;
    uint8_t in[TEXT_BYTES];

    meter_begin(&g->m, SCALE_send);
    for (uint32_t i = 0; i < count; i++)
        work_must(la_send(g->p.end[0].s, g->p.now, g->conns[which[i]].a, text, TEXT_BYTES, 0) == n,
                  "send");
    meter_end(&g->m, count);
    meter_begin(&g->m, SCALE_carry);
    pair_run(&g->p);
    meter_end(&g->m, count);
    meter_begin(&g->m, SCALE_receive);
    for (uint32_t i = 0; i < count; i++)
        work_must(la_recv(g->p.end[1].s, g->p.now, g->conns[which[i]].b, in, TEXT_BYTES) == n,
                  "receive");
    meter_end(&g->m, count);
    work_drain_events(&g->p);
}

/* One round: @g->round of each operation, and everything is as it was. */
static void round_of_all(struct stage *g, uint32_t first)
{
    struct work_conn fresh[ROUND_MAX];

    for (uint32_t at = 0; at < g->round; at += g->batch) {
        const uint32_t count = g->batch < g->round - at ? g->batch : g->round - at;

        choose_ports(g, count);
        open_some(g, fresh, count);
        talk(g, g->order + first % (g->n - g->round + 1) + at, count);
        close_some(g, fresh, count);
        g->p.now.ns += (uint64_t)OPEN_NS * count;
    }
    pair_sleep(&g->p, TWO_MSL_NS); /* their TIME_WAITs go, delayed ACKs too */
}

static void open_all(struct stage *g, struct curve *c)
{
    const uint64_t empty = scale_used_bytes(g->p.end[0].s) + scale_used_bytes(g->p.end[1].s);
    const uint64_t began = bench_ns();

    for (uint32_t at = 0; at < g->n; at += SCALE_BATCH) {
        const uint32_t count = SCALE_BATCH < g->n - at ? SCALE_BATCH : g->n - at;

        open_some(g, g->conns + at, count);
        g->p.now.ns += (uint64_t)OPEN_NS * count;
        tick_all(g);
    }
    c->open_us = (double)(bench_ns() - began) / 1e3 / g->n;
    pair_sleep(&g->p, 1000000000);
    c->bytes_endpoint =
        (double)(scale_used_bytes(g->p.end[0].s) + scale_used_bytes(g->p.end[1].s) - empty) / 2 /
        g->n;
}

/* Both ends have keepalive on, as it would be; the first end's timers are what is measured. */
static void arm_all(struct stage *g)
{
    meter_begin(&g->m, SCALE_timer_arm);
    for (uint32_t i = 0; i < g->n; i++)
        work_must(la_set_option(g->p.end[0].s, g->p.now, g->conns[i].a, LA_OPT_KEEPALIVE, 1) ==
                      LA_OK,
                  "keepalive");
    meter_end(&g->m, g->n);
    for (uint32_t i = 0; i < g->n; i++)
        work_must(la_set_option(g->p.end[1].s, g->p.now, g->conns[i].b, LA_OPT_KEEPALIVE, 1) ==
                      LA_OK,
                  "keepalive");
}

static void trips(struct stage *g, struct curve *c)
{
    const uint64_t began = bench_ns();

    for (uint32_t i = 0; i < TRIPS; i++)
        work_round_trips(&g->p, g->conns, g->order + i % g->n, 1);
    c->round_trip_us = (double)(bench_ns() - began) / 1e3 / TRIPS;
}

static void rows_all(struct stage *g)
{
    struct la_row row[ROWS];
    uint64_t cursor = 0, seen = 0;
    uint32_t n;

    meter_begin(&g->m, SCALE_ss_row);
    while ((n = la_rows(g->p.end[0].s, &cursor, row, ROWS)) > 0)
        seen += n;
    meter_end(&g->m, seen);
    work_must(seen >= g->n, "a row for each connection");
}

/* Two hours later every keepalive timer of the first end fires, as far apart as they were armed. */
static void expire_all(struct stage *g, struct curve *c)
{
    struct la_stack *s = g->p.end[0].s;
    uint64_t last = 0, worst_ns = 0;
    const uint64_t before = la_counter(s, LA_COUNT_TCPKeepAlive);

    for (uint64_t fired = 0; fired < g->n; fired = last) {
        const la_time due = la_deadline(s);

        if (due.ns > g->p.now.ns + PROBES_NS)
            pair_run(&g->p); /* else they were sent again before they are answered */
        g->p.now.ns = (due.ns > g->p.now.ns ? due.ns : g->p.now.ns) + TICK_STEP_NS;
        meter_begin(&g->m, SCALE_timer_expire);
        for (bool more = true; more;) {
            const uint64_t began = bench_ns();
            more = la_tick(s, g->p.now, TICK_BUDGET);
            const uint64_t took = bench_ns() - began;
            worst_ns = took > worst_ns ? took : worst_ns;
        }
        last = la_counter(s, LA_COUNT_TCPKeepAlive) - before;
        meter_end(&g->m, last - fired);
    }
    c->tick_worst_us = (double)worst_ns / 1e3;
    meter_on(&g->m, false);
    pair_run(&g->p);
}

static void close_all(struct stage *g, struct curve *c)
{
    const uint64_t before = scale_used_bytes(g->p.end[0].s);
    struct work_conn c64[ROUND_MAX];

    meter_on(&g->m, true);
    for (uint32_t at = 0; at < g->n; at += g->batch) {
        const uint32_t count = g->batch < g->n - at ? g->batch : g->n - at;

        for (uint32_t i = 0; i < count; i++)
            c64[i] = g->conns[g->order[at + i]];
        if (g->m.counting && at >= CLOSED_COUNTED) {
            meter_on(&g->m, false);
            g->m.counting = false; /* the rest is like these */
            close_some(g, c64, count);
            g->m.counting = true;
            for (uint32_t i = SCALE_close; i <= SCALE_time_wait_entry; i++)
                g->m.count[i] -= count;
        } else {
            close_some(g, c64, count);
        }
    }
    c->bytes_time_wait = (double)(scale_used_bytes(g->p.end[0].s) - before) / g->n;
}

static void time_waits_end(struct stage *g)
{
    struct la_stack *s = g->p.end[0].s;
    const struct la_table_use use = la_table_use(s, LA_TABLE_SHORT_V4);

    work_must(use.used == g->n, "keeping every TIME_WAIT");
    g->p.now.ns += TWO_MSL_NS;
    meter_on(&g->m, true);
    meter_begin(&g->m, SCALE_time_wait_expiry);
    while (la_tick(s, g->p.now, TICK_BUDGET))
        ;
    meter_end(&g->m, g->n);
    work_must(la_table_use(s, LA_TABLE_SHORT_V4).used == 0, "ending every TIME_WAIT");
}

static void stage_open(struct stage *g, uint32_t connections, bool counting)
{
    memset(g, 0, sizeof(*g));
    meter_open(&g->m);
    g->n = connections;
    g->round = connections / 4 < ROUND_MAX ? connections / 4 : ROUND_MAX;
    g->batch = counting ? ROUND_MAX : SCALE_BATCH;
    g->conns = malloc(connections * sizeof(*g->conns));
    g->order = malloc(connections * sizeof(*g->order));
    scale_must(g->conns != NULL && g->order != NULL, "memory");
    work_shuffle(g->order, connections);
    pair_open(&g->p, &(struct pair_opt){ .connections = connections + TABLE_MIN,
                                         .short_records = connections + TABLE_MIN,
                                         .chunks = 4 * ROUND_MAX,
                                         .chunk_bytes = 512,
                                         .cpu_features = la_rt_cpu_features(),
                                         .populate = true,
                                         .mtu_bytes = 1500 });
    g->listener = work_listen(&g->p);
}

void curve_run(struct curve *c, uint32_t connections, bool counting)
{
    const uint32_t samples = counting ? 4 * ROUND_MAX : SAMPLES;
    struct la_ports_info before, after;
    struct stage g;

    memset(c, 0, sizeof(*c));
    c->connections = connections;
    stage_open(&g, connections, counting);
    open_all(&g, c);
    if (!counting)
        trips(&g, c);
    meter_open(&g.m); /* from here on it counts */
    g.m.counting = counting;
    la_ports_range(g.p.end[0].s, &before);
    meter_on(&g.m, true);
    for (uint32_t done = 0; done < samples; done += g.round)
        round_of_all(&g, done);
    la_ports_range(g.p.end[0].s, &after);
    c->probes_port =
        (double)(after.probes - before.probes) / (double)(after.searches - before.searches);
    arm_all(&g);
    rows_all(&g);
    expire_all(&g, c);
    close_all(&g, c);
    time_waits_end(&g);
    for (uint32_t i = 0; i < SCALE_OP_COUNT; i++)
        c->ns[i] = g.m.count[i] > 0 ? (double)g.m.ns[i] / (double)g.m.count[i] : 0;
    if (counting)
        meter_print_counts(&g.m);
    pair_close(&g.p);
    free(g.conns);
    free(g.order);
}
