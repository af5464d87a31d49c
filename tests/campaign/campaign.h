/* SPDX-License-Identifier: MIT */
/*
 * campaign.h - What the programs of this folder share: time, progress, and how a result looks.
 *
 *     PROGRAM SECONDS
 *
 * A program ends by itself when it has tried everything, or after so many seconds of its turn.
 * Progress goes to standard error, TAP and a line "# size: N WORDS" to standard output; the size
 * is what goes into the ledger.  Time decides only how much is tried, never what is right.
 */
#ifndef TESTS_CAMPAIGN_CAMPAIGN_H
#define TESTS_CAMPAIGN_CAMPAIGN_H

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct campaign {
    const char *name;
    double seconds, begun_s, told_s;
    uint64_t size;
    unsigned tests, failures;
};

static inline double campaign_now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static inline struct campaign campaign_begin(const char *name, int argc, char **argv)
{
    char *end = NULL;
    const double seconds = argc == 2 ? strtod(argv[1], &end) : 0;

    if (argc != 2 || end == argv[1] || *end != '\0' || !(seconds > 0)) {
        fprintf(stderr, "usage: %s SECONDS\n", argv[0]);
        exit(2);
    }
    return (struct campaign){ .name = name, .seconds = seconds, .begun_s = campaign_now_s() };
}

/* Is there time left of this share of the whole, 0 to 1?  Cheap enough for every thousandth step. */
static inline bool campaign_goes_on(struct campaign *c, double share, const char *what)
{
    const double now_s = campaign_now_s();

    if (now_s - c->told_s >= 5) {
        fprintf(stderr, "%s: %.0f of %.0f s, %s, %" PRIu64 "\n", c->name, now_s - c->begun_s,
                c->seconds, what, c->size);
        c->told_s = now_s;
    }
    return now_s - c->begun_s < c->seconds * share;
}

static inline void campaign_result(struct campaign *c, bool ok, const char *sentence)
{
    c->tests++;
    c->failures += !ok;
    printf("%sok %u - %s\n", ok ? "" : "not ", c->tests, sentence);
    fflush(stdout);
}

static inline int campaign_end(const struct campaign *c, const char *words)
{
    printf("# size: %" PRIu64 " %s\n1..%u\n", c->size, words, c->tests);
    return c->failures == 0 ? 0 : 1;
}

#endif
