/* SPDX-License-Identifier: MIT */
/*
 * core.c - What the core costs: both ends of a wire in memory, in one thread.
 *
 *     ./dev bench core [--json FILE] [--quick] [--repeat N] [--only WORD]
 *
 * Real checksums, data copied in and out, timestamps and SACK on.  Times are CPU time of the
 * one thread, pinned to a core.  Beside lastack, in the same run: the bare cost of touching
 * the data as often as any stack must (the limit), and lwIP where Debian's is installed.
 *
 * Every figure is the median of the repeats, printed with the least and the most; behind them
 * stand the ratios, which drift less than the figures do.  bench/report.c says what the JSON is.
 */
#include "bench/core.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lastack/runtime.h>
#include <lastack/stack.h>

#define FUSED_LEAST_GBYTES 40.0
#define LWIP_ROWS 8u

static const char *only; /* measure what has this in its name */

/* Run @measure @repeats times and keep the row. */
static void bench(const char *who, const char *what, const char *unit, double (*measure)(uint64_t),
                  uint64_t argument, uint32_t repeats)
{
    double v[REPEATS_MAX];
    char name[64];

    snprintf(name, sizeof(name), "%s/%s", who, what);
    if (only != NULL && strstr(name, only) == NULL)
        return;
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\r%-60s\r%s %s ...", "", who, what);
    for (uint32_t i = 0; i < repeats; i++)
        v[i] = measure(argument);
    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\r");
    report_keep(who, what, unit, v, repeats);
}

/*
 * lwIP is a program of its own beside this one; it is run once for each repeat.  Its lines are
 * "what value unit", and behind a # what it was compiled with.
 */
static void bench_lwip(const char *self, bool quick, uint32_t repeats)
{
    char command[4096], line[256], what[LWIP_ROWS][32], unit[LWIP_ROWS][16];
    double v[LWIP_ROWS][REPEATS_MAX];
    uint32_t n = 0;
    const char *slash = strrchr(self, '/');

    snprintf(command, sizeof(command), "%.*sbench_lwip", (int)(slash ? slash - self + 1 : 0), self);
    if (access(command, X_OK) != 0) {
        printf("lwip     not here: bench_lwip needs Debian's liblwip-dev\n");
        return;
    }
    snprintf(command, sizeof(command), "%.*sbench_lwip%s", (int)(slash ? slash - self + 1 : 0),
             self, quick ? " --quick" : "");
    for (uint32_t r = 0; r < repeats; r++) {
        FILE *from = popen(command, "r");

        n = 0;
        while (from != NULL && n < LWIP_ROWS && fgets(line, sizeof(line), from) != NULL)
            if (line[0] != '#')
                n += sscanf(line, "%31s %lf %15s", what[n], &v[n][r], unit[n]) == 3;
            else if (r == 0)
                printf("lwip    %s", line + 1);
        if (from == NULL || pclose(from) != 0) {
            printf("lwip     failed\n");
            return;
        }
    }
    for (uint32_t i = 0; i < n; i++)
        report_keep("lwip", what[i], unit[i], v[i], repeats);
}

/* A limit that is slow by its own fault would flatter everybody. */
static bool limit_is_one(uint32_t repeats)
{
    double v[REPEATS_MAX];

    for (uint32_t i = 0; i < repeats; i++)
        v[i] = limit_fused(1460);
    report_keep("limit", "fused_1460", "GB/s", v, repeats);
    if ((la_rt_cpu_features() & LA_CPU_AVX2) == 0 || v[repeats - 1] >= FUSED_LEAST_GBYTES)
        return true;
    fprintf(stderr,
            "bench: copy+checksum of 1460 bytes runs at %.1f GB/s, less than %.0f: with AVX2 that "
            "is no limit to measure by\n",
            v[repeats - 1], FUSED_LEAST_GBYTES);
    return false;
}

static void pin(void)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET((size_t)sched_getcpu(), &set);
    if (sched_setaffinity(0, sizeof(set), &set) != 0)
        fprintf(stderr, "bench: not pinned to a core: %s\n", strerror(errno));
}

static void usage(FILE *to)
{
    fprintf(to, "usage: bench_core [--json FILE] [--quick] [--repeat N] [--only WORD]\n\n"
                "  --json FILE   the figures, for programs\n"
                "  --quick       a tenth of the work, up to 1,000 connections\n"
                "  --repeat N    of each measurement, 1..15 (3)\n"
                "  --only WORD   only what has it in its name, as in lastack/rr_1\n\n"
                "example: ./dev bench core --quick --json build/core.json\n");
}

int main(int argc, char **argv)
{
    const char *json = NULL;
    uint32_t repeats = 3;
    uint64_t scale = 10;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0 && i + 1 < argc) {
            json = argv[++i];
        } else if (strcmp(argv[i], "--quick") == 0) {
            scale = 1;
        } else if (strcmp(argv[i], "--only") == 0 && i + 1 < argc) {
            only = argv[++i];
        } else if (strcmp(argv[i], "--repeat") == 0 && i + 1 < argc) {
            repeats = (uint32_t)strtoul(argv[++i], NULL, 10);
        } else {
            const bool help = strcmp(argv[i], "--help") == 0;

            usage(help ? stdout : stderr);
            return help ? 0 : 2;
        }
    }
    if (repeats < 1 || repeats > REPEATS_MAX) {
        usage(stderr);
        return 2;
    }
    pin();
    printf("one thread on CPU %d, its CPU time; median [least .. most] of %u\n", sched_getcpu(),
           repeats);
    if (only == NULL && !limit_is_one(repeats))
        return 1;
    bench("limit", "bulk_mss1460", "Gbit/s", limit_bulk, 1448, repeats);
    bench("limit", "bulk_64k", "Gbit/s", limit_bulk, 62264, repeats);
    bench("lastack", "bulk_mss1460", "Gbit/s", lastack_bulk, 0, repeats);
    bench("lastack", "bulk_64k", "Gbit/s", lastack_bulk, 65000, repeats);
    lastack_scale(scale);
    bench("lastack", "rr_1", "M/s", lastack_rr1, 1, repeats);
    bench("lastack", "rr_1000", "M/s", lastack_rr1, 1000, repeats);
    bench("lastack", "rr_1000_x32", "M/s", lastack_rr32, 1000, repeats);
    if (scale > 1) {
        bench("lastack", "rr_100000", "M/s", lastack_rr1, 100000, repeats);
        bench("lastack", "rr_100000_x32", "M/s", lastack_rr32, 100000, repeats);
        bench("lastack", "rr_1000000", "M/s", lastack_rr1, 1000000, 1);
        bench("lastack", "rr_1000000_x32", "M/s", lastack_rr32, 1000000, 1);
    }
    bench("lastack", "lifecycles", "M/s", lastack_life, 0, repeats);
    if (only == NULL) {
        lastack_life_report(stdout);
        bench_lwip(argv[0], scale == 1, repeats);
    }
    report_ratios(stdout);
    return json == NULL || report_json(json) ? 0 : 1;
}
