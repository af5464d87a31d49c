/* SPDX-License-Identifier: MIT */
/* core_lastack.c - The measurements of lastack itself. */
#include <stdlib.h>
#include <string.h>

#include "bench/core.h"
#include "bench/pair.h"

#define PORTS_PER_ADDR 25000u
#define RR_BYTES 64
#define BULK_WRITE 131072u

static uint8_t buffer[262144];
static uint64_t work = 10;
static uint32_t last_time_waits;
static uint64_t last_time_wait_bytes;

void lastack_scale(uint64_t scale)
{
    work = scale;
}

static void must(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "\nbench: lastack: %s failed\n", what);
    exit(1);
}

static la_listener_id listen_on(struct pair *p)
{
    const struct la_listen_config config = { .local = la_prefix_any(),
                                             .port = 80,
                                             .backlog = 4096 };
    la_listener_id id;

    must(la_listen(p->end[1].s, p->now, &config, &id) == LA_OK, "listen");
    return id;
}

struct both {
    la_conn_id a, b;
};

/* The n-th connection; a fresh remote address for every PORTS_PER_ADDR, for ports run out. */
static struct both open_one(struct pair *p, la_listener_id listener, uint32_t n)
{
    const uint32_t host = n / PORTS_PER_ADDR;
    const struct la_endpoint any = { .addr = la_addr_v4(0, 0, 0, 0), .port = 0 };
    const struct la_endpoint to = {
        .addr = la_addr_v4(10, 128, (uint8_t)(host >> 8), (uint8_t)(host + 1)),
        .port = 80,
    };
    struct la_accepted accepted;
    struct both c;

    must(la_open(p->end[0].s, p->now, any, to, 0, &c.a) == LA_OK, "open");
    pair_run(p);
    must(la_accept(p->end[1].s, p->now, listener, 0, &accepted) == LA_OK, "accept");
    c.b = accepted.conn;
    return c;
}

static void drain_events(struct pair *p)
{
    struct la_event events[64];

    for (uint32_t i = 0; i < 2; i++)
        while (la_events(p->end[i].s, events, 64) == 64)
            ;
}

double lastack_bulk(uint64_t gso_max_bytes)
{
    const uint64_t warm = 200000000, total = 400000000 * work;
    struct pair p;
    uint64_t done = 0, begin = 0;

    pair_open(&p, &(struct pair_opt){ .connections = 16,
                                      .short_records = 16,
                                      .chunks = 1024,
                                      .mtu_bytes = 1500,
                                      .buffer_bytes = 262144,
                                      .gso_max_bytes = (uint32_t)gso_max_bytes });
    const struct both c = open_one(&p, listen_on(&p), 0);
    while (done < warm + total) {
        int64_t n;

        if (begin == 0 && done >= warm) {
            begin = bench_ns();
            done = warm;
        }
        n = la_send(p.end[0].s, p.now, c.a, buffer, BULK_WRITE, 0);
        must(n > 0 || n == LA_EAGAIN, "send");
        pair_run(&p);
        while ((n = la_recv(p.end[1].s, p.now, c.b, buffer, sizeof(buffer))) > 0)
            done += (uint64_t)n;
        must(n == LA_EAGAIN, "receive");
        drain_events(&p);
        p.now.ns += 1000;
    }
    const double gbps = (double)(done - warm) * 8 / (double)(bench_ns() - begin);
    pair_close(&p);
    return gbps;
}

/* One round trip on each of @count connections, all under way together. */
static void round_trips(struct pair *p, const struct both *c, const uint32_t *which, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        must(la_send(p->end[0].s, p->now, c[which[i]].a, buffer, RR_BYTES, 0) == RR_BYTES,
             "request");
    pair_run(p);
    for (uint32_t i = 0; i < count; i++) {
        must(la_recv(p->end[1].s, p->now, c[which[i]].b, buffer, RR_BYTES) == RR_BYTES, "request");
        must(la_send(p->end[1].s, p->now, c[which[i]].b, buffer, RR_BYTES, 0) == RR_BYTES,
             "response");
    }
    pair_run(p);
    for (uint32_t i = 0; i < count; i++)
        must(la_recv(p->end[0].s, p->now, c[which[i]].a, buffer, RR_BYTES) == RR_BYTES, "response");
    drain_events(p);
}

static void shuffle(uint32_t *order, uint32_t n)
{
    uint64_t x = 88172645463325252u;

    for (uint32_t i = 0; i < n; i++)
        order[i] = i;
    for (uint32_t i = n - 1; i > 0; i--) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        const uint32_t k = (uint32_t)(x % (i + 1));
        const uint32_t t = order[i];

        order[i] = order[k];
        order[k] = t;
    }
}

static double rr(uint32_t n, uint32_t in_flight)
{
    const uint32_t trips = (uint32_t)(100000 * work);
    struct both *c = malloc(n * sizeof(*c));
    uint32_t *order = malloc((n + in_flight) * sizeof(*order));
    struct pair p;
    uint64_t begin;

    must(c != NULL && order != NULL, "malloc");
    pair_open(&p, &(struct pair_opt){ .connections = n + 16,
                                      .short_records = 16,
                                      .chunks = 65536,
                                      .chunk_bytes = 512,
                                      .mtu_bytes = 1500 });
    const la_listener_id listener = listen_on(&p);
    for (uint32_t i = 0; i < n; i++) {
        c[i] = open_one(&p, listener, i);
        if (i % 1024 == 0)
            drain_events(&p);
    }
    shuffle(order, n);
    for (uint32_t i = 0; i < in_flight; i++)
        order[n + i] = order[i % n];
    pair_sleep(&p, 100000000); /* delayed ACKs of the handshakes */
    begin = bench_ns();
    for (uint32_t done = 0, at = 0; done < trips; done += in_flight) {
        round_trips(&p, c, order + at, in_flight);
        at = (at + in_flight) % n;
        p.now.ns += 10000 * in_flight;
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
    uint64_t begin, took = 0;

    (void)unused;
    pair_open(&p, &(struct pair_opt){ .connections = 1024,
                                      .short_records = 16000000,
                                      .chunks = 4096,
                                      .mtu_bytes = 1500 });
    const la_listener_id listener = listen_on(&p);
    begin = bench_ns();
    while (took < limit_ns) {
        const struct both c = open_one(&p, listener, n);
        const uint32_t only = 0;

        round_trips(&p, &c, &only, 1);
        la_close(p.end[0].s, p.now, c.a);
        pair_run(&p);
        la_close(p.end[1].s, p.now, c.b);
        pair_run(&p);
        p.now.ns += 1000;
        if (++n % 256 == 0)
            took = bench_ns() - begin;
    }
    const struct la_table_use use = la_table_use(p.end[0].s, LA_TABLE_SHORT_V4);
    must(use.used == n, "keeping every TIME-WAIT");
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
