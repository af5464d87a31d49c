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
 *     acks_clean, _lossy,    a sender's work for an ACK and what it sends because of it, with 256
 *     _hostile               segments of window: bench/count/acks.h
 *     life, life_v6          open, request, response, close, both ends; the TIME-WAIT stays
 */
#include <stdio.h>
#include <string.h>

#include "bench/count/acks.h"
#include "bench/work.h"

#define SEGMENT 1448u

struct job {
    const char *name;
    uint32_t units;
    bool v6, trusted, bulk, life;
    uint32_t gso_max_bytes;
    enum acks acks;
};

static const struct job jobs[] = {
    { .name = "bulk_segment", .units = 4000, .bulk = true, .trusted = true },
    { .name = "bulk_segment_checksum", .units = 4000, .bulk = true },
    { .name = "bulk_64k_segment",
      .units = 8000,
      .bulk = true,
      .trusted = true,
      .gso_max_bytes = 65000 },
    { .name = "acks_clean", .units = 4000, .acks = ACKS_CLEAN },
    { .name = "acks_lossy", .units = 4000, .acks = ACKS_LOSSY },
    { .name = "acks_hostile", .units = 4000, .acks = ACKS_HOSTILE },
    { .name = "round_trip", .units = 1000 },
    { .name = "round_trip_v6", .units = 1000, .v6 = true },
    { .name = "life", .units = 200, .life = true },
    { .name = "life_v6", .units = 200, .life = true, .v6 = true },
};

/* What the work is done with: two stacks, or one whose peer is played. */
struct ends {
    struct pair *pair;
    la_listener_id listener;
    struct work_conn conn;
    struct acks_peer *peer;
};

uint32_t count_measured(const struct job *job, const struct ends *e);

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

/* Callgrind counts while this runs: it must not be merged into its callers. */
__attribute__((noinline)) uint32_t count_measured(const struct job *job, const struct ends *e)
{
    if (job->acks == ACKS_NONE)
        return work_on(job, e->pair, e->listener, e->conn, job->units);
    acks_taken(e->peer);
    return e->peer->frame.len_bytes > 0;
}

/* Return: units of work, the peer's not counted. */
static uint32_t count_acks(const struct job *job)
{
    static struct acks_peer peer;
    const struct ends ends = { .peer = &peer };
    uint32_t units = 0;

    acks_open(&peer);
    for (uint32_t i = 0; i < 20000; i++) { /* to a full window, and through slow start */
        acks_next(&peer);
        acks_taken(&peer);
    }
    peer.kind = job->acks;
    while (units < job->units) {
        acks_next(&peer);
        units += count_measured(job, &ends);
    }
    return units;
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
    if (job->acks != ACKS_NONE) {
        printf("%u\n", count_acks(job));
        return 0;
    }
    pair_open(&p, &(struct pair_opt){ .connections = 64,
                                      .short_records = 4096,
                                      .chunks = 1024,
                                      .mtu_bytes = 1500,
                                      .buffer_bytes = job->bulk ? 262144 : 0,
                                      .gso_max_bytes = job->gso_max_bytes,
                                      .v6 = job->v6,
                                      .trusted = job->trusted });
    struct ends ends = { .pair = &p };
    ends.listener = work_listen(&p);
    ends.conn = work_open(&p, ends.listener, 0);

    /* The first ones are not like the rest. */
    (void)work_on(job, &p, ends.listener, ends.conn, job->units / 4);
    printf("%u\n", count_measured(job, &ends));
    return 0;
}
