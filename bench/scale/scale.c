/* SPDX-License-Identifier: MIT */
/*
 * scale.c - What a connection costs when there are very many of them.
 *
 *     ./dev bench scale [--json FILE] [--quick] [--only curves|churn|host]
 *
 * Both ends of every connection are in this process, on one thread pinned to a core; times are
 * CPU time of that thread.  Three parts: curves, the same operation among 10^3 to 10^6
 * established connections, in time and in instructions (curve.c, meter.c); churn, connections that
 * open and close at a given rate while all their TIME_WAITs are held (churn.c); and this machine's
 * kernel, as far as its limits let it (host.c).  report.c says what the JSON holds.
 */
#include "bench/scale/scale.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>

#define MB 1e6

static const uint32_t sizes[SCALE_SIZES] = { 1000, 10000, 100000, 1000000 };

/* What is to be reached: closes a second of CPU time. */
static struct churn churns[] = {
    { .rate = 20000, .seconds = 120, .wanted = 500000 },
    { .rate = 100000, .seconds = 120, .wanted = 350000 },
    { .rate = 500000, .seconds = 120, .wanted = 250000 },
};
static struct churn quick_churns[] = {
    { .rate = 20000, .seconds = 20, .wanted = 500000 },
};

uint64_t scale_used_bytes(const struct la_stack *s)
{
    struct la_extent e[LA_EXTENTS_MAX];
    const uint32_t n = la_extents(s, e);
    uint64_t bytes = 0;

    for (uint32_t i = 0; i < n; i++)
        bytes += e[i].len_bytes;
    return bytes;
}

void scale_must(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "bench: scale: %s failed\n", what);
    exit(1);
}

static void pin(void)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET((size_t)sched_getcpu(), &set);
    if (sched_setaffinity(0, sizeof(set), &set) != 0)
        fprintf(stderr, "bench: not pinned to a core\n");
}

static void usage(FILE *to)
{
    fprintf(to, "usage: bench_scale [--json FILE] [--quick] [--only WHAT]\n\n"
                "  --json FILE   the figures, for programs\n"
                "  --quick       up to 100,000 connections, and 400,000 TIME_WAITs\n"
                "  --only WHAT   curves, churn or host\n\n"
                "The whole takes about ten minutes and 5 GB.\n"
                "example: ./dev bench scale --quick --json build/scale.json\n");
}

struct options {
    const char *json, *only, *counted;
    bool quick;
};

/* 0: go on; else the exit status and one. */
static int parse(int argc, char **argv, struct options *o)
{
    for (int i = 1; i < argc; i++) {
        const bool more = i + 1 < argc;

        if (strcmp(argv[i], "--json") == 0 && more) {
            o->json = argv[++i];
        } else if (strcmp(argv[i], "--quick") == 0) {
            o->quick = true;
        } else if (strcmp(argv[i], "--counted") == 0 && more) {
            o->counted = argv[++i];
        } else if (strcmp(argv[i], "--only") == 0 && more &&
                   (strcmp(argv[i + 1], "curves") == 0 || strcmp(argv[i + 1], "churn") == 0 ||
                    strcmp(argv[i + 1], "host") == 0)) {
            o->only = argv[++i];
        } else {
            const bool help = strcmp(argv[i], "--help") == 0;

            usage(help ? stdout : stderr);
            return help ? 1 : 3;
        }
    }
    return 0;
}

static bool wants(const struct options *o, const char *what)
{
    return o->only == NULL || strcmp(o->only, what) == 0;
}

static uint32_t run_curves(const struct options *o, const char *self, struct curve *c)
{
    const uint32_t n = o->quick ? SCALE_SIZES - 1 : SCALE_SIZES;

    for (uint32_t i = 0; i < n; i++) {
        fprintf(stderr, "curves: %u connections ...\n", sizes[i]);
        curve_run(&c[i], sizes[i], false);
        if (!meter_count(self, sizes[i], c[i].insns))
            fprintf(stderr, "curves: instructions are not counted: no valgrind\n");
    }
    scale_print_curves(c, n);
    return n;
}

static uint32_t run_churns(const struct options *o, struct churn **c)
{
    const uint32_t n = o->quick ? 1 : sizeof(churns) / sizeof(churns[0]);

    *c = o->quick ? quick_churns : churns;
    for (uint32_t i = 0; i < n; i++) {
        struct churn *k = &(*c)[i];

        printf("churn: %u closes a virtual second for %u s: %.0f MB of memory\n", k->rate,
               k->seconds, (double)churn_bytes(k) / MB);
        fflush(stdout);
        churn_run(k);
        scale_print_churn(k);
    }
    return n;
}

int main(int argc, char **argv)
{
    static struct curve curves[SCALE_SIZES];
    struct options o = { .json = NULL };
    struct churn *churn = NULL;
    struct host host = { .there = false, .why_not = "not asked for" };
    uint32_t curve_count = 0, churn_count = 0;
    const int stop = parse(argc, argv, &o);

    if (stop != 0)
        return stop - 1;
    if (o.counted != NULL) {
        curve_run(&curves[0], (uint32_t)strtoul(o.counted, NULL, 10), true);
        return 0;
    }
    if (wants(&o, "host")) {
        host_run(&host, o.quick);
        scale_print_host(&host);
    }
    pin();
    if (wants(&o, "curves"))
        curve_count = run_curves(&o, argv[0], curves);
    if (wants(&o, "churn"))
        churn_count = run_churns(&o, &churn);
    return o.json == NULL || scale_json(o.json, curves, curve_count, churn, churn_count, &host) ? 0
                                                                                                : 1;
}
