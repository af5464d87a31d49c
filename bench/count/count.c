/* SPDX-License-Identifier: MIT */
/*
 * count.c - Work whose instructions are counted: tools/insns.sh runs it under callgrind.
 *
 *     bench_count WHAT
 *
 * Everything is the same at each run: portable kernels, virtual time, a fixed secret.  Only
 * what happens inside of count_measured() is counted.  Prints how many units of work it was.
 *
 *     bulk_segment           one segment of 1448 bytes, its share of ACKs, both ends; the
 *                            checksums are the NIC's, the text is copied in, across and out
 *     bulk_segment_checksum  the same with every checksum computed and verified, portably
 *     bulk_64k_segment       one segment of 1448 bytes inside of super-segments
 *     round_trip, _v6        64 bytes there and back over one connection, both ends
 *     life, life_v6          open, request, response, close, both ends; the TIME-WAIT stays
 */
#include <stdio.h>
#include <string.h>

#include "bench/work.h"

#define SEGMENT 1448u

struct job {
    const char *name;
    uint32_t units;
    bool v6, trusted, bulk, life;
    uint32_t gso_max_bytes;
};

static const struct job jobs[] = {
    { .name = "bulk_segment", .units = 4000, .bulk = true, .trusted = true },
    { .name = "bulk_segment_checksum", .units = 4000, .bulk = true },
    { .name = "bulk_64k_segment",
      .units = 8000,
      .bulk = true,
      .trusted = true,
      .gso_max_bytes = 65000 },
    { .name = "round_trip", .units = 1000 },
    { .name = "round_trip_v6", .units = 1000, .v6 = true },
    { .name = "life", .units = 200, .life = true },
    { .name = "life_v6", .units = 200, .life = true, .v6 = true },
};

uint32_t count_measured(const struct job *job, struct pair *p, la_listener_id listener,
                        struct work_conn c);

static uint32_t work_on(const struct job *job, struct pair *p, la_listener_id listener,
                        struct work_conn c, uint32_t units)
{
    const uint32_t only = 0;
    uint64_t bytes = 0;

    if (job->bulk) {
        while (bytes < (uint64_t)units * SEGMENT)
            bytes += work_bulk(p, c);
        return (uint32_t)(bytes / SEGMENT);
    }
    for (uint32_t i = 0; i < units; i++) {
        if (job->life) {
            work_life(p, listener, i);
            continue;
        }
        work_round_trips(p, &c, &only, 1);
        p->now.ns += 10000;
        for (uint32_t k = 0; k < 2; k++)
            la_tick(p->end[k].s, p->now, 256);
    }
    return units;
}

/* Callgrind counts from its first instruction to its last: it must not be merged into main(). */
__attribute__((noinline)) uint32_t count_measured(const struct job *job, struct pair *p,
                                                  la_listener_id listener, struct work_conn c)
{
    return work_on(job, p, listener, c, job->units);
}

int main(int argc, char **argv)
{
    const struct job *job = NULL;
    struct pair p;

    for (uint32_t i = 0; argc == 2 && i < sizeof(jobs) / sizeof(jobs[0]); i++) {
        if (strcmp(argv[1], "--list") == 0)
            puts(jobs[i].name);
        else if (strcmp(argv[1], jobs[i].name) == 0)
            job = &jobs[i];
    }
    if (argc == 2 && strcmp(argv[1], "--list") == 0)
        return 0;
    if (job == NULL) {
        fprintf(stderr, "usage: bench_count --list | WHAT\n");
        return 2;
    }
    pair_open(&p, &(struct pair_opt){ .connections = 64,
                                      .short_records = 4096,
                                      .chunks = 1024,
                                      .mtu_bytes = 1500,
                                      .buffer_bytes = job->bulk ? 262144 : 0,
                                      .gso_max_bytes = job->gso_max_bytes,
                                      .v6 = job->v6,
                                      .trusted = job->trusted });
    const la_listener_id listener = work_listen(&p);
    const struct work_conn c = work_open(&p, listener, 0);

    (void)work_on(job, &p, listener, c, job->units / 4); /* the first ones are not like the rest */
    printf("%u\n", count_measured(job, &p, listener, c));
    return 0;
}
