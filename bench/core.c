/* SPDX-License-Identifier: MIT */
/*
 * core.c - What the core costs: both ends of a wire in memory, in one thread.
 *
 *     ./dev bench core [--json FILE] [--quick] [--repeat N]
 *
 * Real checksums, data copied in and out, timestamps and SACK on.  Times are CPU time of the
 * one thread, pinned to a core.  Beside lastack, in the same run: the bare cost of touching
 * the data as often as any stack must (the limit), and lwIP where Debian's is installed.
 *
 * Every figure is the median of the repeats, printed with the least and the most.
 */
#include "bench/core.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lastack/runtime.h>

#define REPEATS_MAX 15
#define ROWS_MAX 32

static struct row rows[ROWS_MAX];
static uint32_t row_count;

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;

    return (x > y) - (x < y);
}

/* @v is sorted. */
static void keep(const char *who, const char *what, const char *unit, const double *v, uint32_t n)
{
    struct row *r = &rows[row_count];

    if (row_count == ROWS_MAX)
        exit(1);
    row_count++;
    *r = (struct row){ who, what, unit, v[n / 2], v[0], v[n - 1] };
    printf("%-8s %-22s %10.3f  [%.3f .. %.3f] %s\n", who, what, r->median, r->least, r->most, unit);
    fflush(stdout);
}

/* Run @measure @repeats times and keep the row. */
static void bench(const char *who, const char *what, const char *unit, double (*measure)(uint64_t),
                  uint64_t argument, uint32_t repeats)
{
    double v[REPEATS_MAX];

    fprintf(stderr, "\r%-60s", "");
    fprintf(stderr, "\r%s %s ...", who, what);
    for (uint32_t i = 0; i < repeats; i++)
        v[i] = measure(argument);
    qsort(v, repeats, sizeof(v[0]), compare);
    fprintf(stderr, "\r");
    keep(who, what, unit, v, repeats);
}

/* lwIP is a program of its own beside this one; it is run once for each repeat. */
static void bench_lwip(const char *self, uint32_t repeats)
{
    char command[4096], what[8][32], unit[8][16];
    double v[8][REPEATS_MAX];
    uint32_t n = 0;
    const char *slash = strrchr(self, '/');

    snprintf(command, sizeof(command), "%.*sbench_lwip", (int)(slash ? slash - self + 1 : 0), self);
    if (access(command, X_OK) != 0) {
        printf("lwip     not here: bench_lwip needs Debian's liblwip-dev\n");
        return;
    }
    for (uint32_t r = 0; r < repeats; r++) {
        FILE *from = popen(command, "r");

        for (n = 0; from != NULL && n < 8; n++)
            if (fscanf(from, "%31s %lf %15s", what[n], &v[n][r], unit[n]) != 3)
                break;
        if (from == NULL || pclose(from) != 0) {
            printf("lwip     failed\n");
            return;
        }
    }
    for (uint32_t i = 0; i < n; i++) {
        qsort(v[i], repeats, sizeof(v[i][0]), compare);
        keep("lwip", strdup(what[i]), strdup(unit[i]), v[i], repeats);
    }
}

static bool write_json(const char *path)
{
    FILE *f = fopen(path, "w");

    if (f == NULL) {
        fprintf(stderr, "bench: %s: %s\n", path, strerror(errno));
        return false;
    }
    fprintf(f, "{\n");
    for (uint32_t i = 0; i < row_count; i++)
        fprintf(
            f,
            "  \"%s/%s\": {\"median\": %.4f, \"min\": %.4f, \"max\": %.4f, \"unit\": \"%s\"}%s\n",
            rows[i].who, rows[i].what, rows[i].median, rows[i].least, rows[i].most, rows[i].unit,
            i + 1 < row_count ? "," : "");
    fprintf(f, "}\n");
    return fclose(f) == 0;
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
    fprintf(to, "usage: bench_core [--json FILE] [--quick] [--repeat N]\n\n"
                "  --json FILE   the figures, for programs\n"
                "  --quick       a tenth of the work, up to 1,000 connections\n"
                "  --repeat N    of each measurement, 1..15 (3)\n\n"
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
    lastack_life_report(stdout);
    bench_lwip(argv[0], repeats);
    return json == NULL || write_json(json) ? 0 : 1;
}
