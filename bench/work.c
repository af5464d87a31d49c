/* SPDX-License-Identifier: MIT */
/* work.c - See work.h. */
#include "bench/work.h"

#include <stdio.h>
#include <stdlib.h>

#define PORTS_PER_ADDR 12500u /* of 28,232: half of the ports are left for others, as on Linux */
#define BULK_WRITE 131072u

static uint8_t buffer[262144];

void work_must(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "\nbench: lastack: %s failed\n", what);
    exit(1);
}

la_listener_id work_listen(struct pair *p)
{
    const struct la_listen_config config = { .local = la_prefix_any(),
                                             .port = 80,
                                             .backlog = 4096 };
    la_listener_id id;

    work_must(la_listen(p->end[1].s, p->now, &config, &id) == LA_OK, "listen");
    return id;
}

struct work_conn work_open(struct pair *p, la_listener_id listener, uint32_t n)
{
    const struct la_endpoint any = { .addr = pair_any(p), .port = 0 };
    const struct la_endpoint to = { .addr = pair_host(p, n / PORTS_PER_ADDR), .port = 80 };
    struct la_accepted accepted;
    struct work_conn c;

    work_must(la_open(p->end[0].s, p->now, any, to, 0, &c.a) == LA_OK, "open");
    pair_run(p);
    work_must(la_accept(p->end[1].s, p->now, listener, 0, &accepted) == LA_OK, "accept");
    c.b = accepted.conn;
    return c;
}

void work_drain_events(struct pair *p)
{
    struct la_event events[64];

    for (uint32_t i = 0; i < 2; i++)
        while (la_events(p->end[i].s, events, 64) == 64)
            ;
}

void work_round_trips(struct pair *p, const struct work_conn *c, const uint32_t *which,
                      uint32_t count)
{
    const int64_t n = WORK_RR_BYTES;

    for (uint32_t i = 0; i < count && count > 1; i++)
        la_conn_prefetch(p->end[0].s,
                         c[which[i]].a); /* the batch is known: its records are asked for */
    for (uint32_t i = 0; i < count; i++)
        work_must(la_send(p->end[0].s, p->now, c[which[i]].a, buffer, WORK_RR_BYTES, 0) == n,
                  "request");
    pair_run(p);
    for (uint32_t i = 0; i < count; i++) {
        work_must(la_recv(p->end[1].s, p->now, c[which[i]].b, buffer, WORK_RR_BYTES) == n,
                  "request");
        work_must(la_send(p->end[1].s, p->now, c[which[i]].b, buffer, WORK_RR_BYTES, 0) == n,
                  "response");
    }
    pair_run(p);
    for (uint32_t i = 0; i < count; i++)
        work_must(la_recv(p->end[0].s, p->now, c[which[i]].a, buffer, WORK_RR_BYTES) == n,
                  "response");
    work_drain_events(p);
}

void work_life(struct pair *p, la_listener_id listener, uint32_t n)
{
    const struct work_conn c = work_open(p, listener, n);
    const uint32_t only = 0;

    work_round_trips(p, &c, &only, 1);
    la_close(p->end[0].s, p->now, c.a);
    pair_run(p);
    la_close(p->end[1].s, p->now, c.b);
    pair_run(p);
    p->now.ns += 1000;
}

uint64_t work_bulk(struct pair *p, struct work_conn c)
{
    uint64_t got = 0;
    int64_t n = la_send(p->end[0].s, p->now, c.a, buffer, BULK_WRITE, 0);

    work_must(n > 0 || n == LA_EAGAIN, "send");
    pair_run(p);
    while ((n = la_recv(p->end[1].s, p->now, c.b, buffer, sizeof(buffer))) > 0)
        got += (uint64_t)n;
    work_must(n == LA_EAGAIN, "receive");
    work_drain_events(p);
    p->now.ns += 1000;
    return got;
}

void work_shuffle(uint32_t *order, uint32_t n)
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
