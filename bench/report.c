/* SPDX-License-Identifier: MIT */
/*
 * report.c - The figures of one run: printed, held against each other, and written as JSON.
 *
 *     "bulk_mss1460_gbps": {"lastack": 1.0, "lwip": 1.0, "limit": 1.0,
 *                           "spread": {"lastack": [0.9, 1.1], ...}}
 *
 * A value is the median of the repeats, its spread the least and the most.  "rr_per_s" holds one
 * such object for each number of connections: "1000" with one request in flight, "1000_x32" with
 * 32.  What was not measured has no key.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bench/core.h"

#define ROWS_MAX 48

static struct row {
    char who[16], what[32], unit[16];
    double median, least, most;
} rows[ROWS_MAX];
static uint32_t row_count;

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;

    return (x > y) - (x < y);
}

void report_keep(const char *who, const char *what, const char *unit, double *v, uint32_t n)
{
    struct row *r = &rows[row_count];

    if (row_count == ROWS_MAX) {
        fprintf(stderr, "bench: more than %d figures\n", ROWS_MAX);
        exit(1);
    }
    row_count++;
    qsort(v, n, sizeof(v[0]), compare);
    *r = (struct row){ .median = v[n / 2], .least = v[0], .most = v[n - 1] };
    snprintf(r->who, sizeof(r->who), "%s", who);
    snprintf(r->what, sizeof(r->what), "%s", what);
    snprintf(r->unit, sizeof(r->unit), "%s", unit);
    printf("%-8s %-22s %10.3f  [%.3f .. %.3f] %s\n", who, what, r->median, r->least, r->most, unit);
    fflush(stdout);
}

static const struct row *find(const char *who, const char *what)
{
    for (uint32_t i = 0; i < row_count; i++)
        if (strcmp(rows[i].who, who) == 0 && strcmp(rows[i].what, what) == 0)
            return &rows[i];
    return NULL;
}

static void beside(FILE *to, const char *what, const char *other, bool percent)
{
    const struct row *a = find("lastack", what);
    const struct row *b = find(other, what);

    if (a == NULL || b == NULL)
        return;
    if (percent)
        fprintf(to, "%-22s %6.1f %% of the limit\n", what, 100 * a->median / b->median);
    else
        fprintf(to, "%-22s %6.2f times %s\n", what, a->median / b->median, other);
}

/* What a round trip over many connections takes more than over one. */
static void more_ns(FILE *to, const char *what)
{
    const struct row *one = find("lastack", "rr_1");
    const struct row *many = find("lastack", what);

    if (one != NULL && many != NULL)
        fprintf(to, "%-22s %+6.0f ns to the round trip of one connection, which takes %.0f\n", what,
                1000 / many->median - 1000 / one->median, 1000 / one->median);
}

void report_ratios(FILE *to)
{
    fprintf(to, "\n");
    beside(to, "bulk_mss1460", "limit", true);
    beside(to, "bulk_64k", "limit", true);
    beside(to, "bulk_mss1460", "lwip", false);
    beside(to, "rr_1", "lwip", false);
    beside(to, "rr_1000", "lwip", false);
    beside(to, "lifecycles", "lwip", false);
    for (uint32_t i = 0; i < row_count; i++)
        if (strcmp(rows[i].who, "lastack") == 0 && strncmp(rows[i].what, "rr_", 3) == 0 &&
            strcmp(rows[i].what, "rr_1") != 0)
            more_ns(to, rows[i].what);
}

static void json_value(FILE *f, const char *what, double factor)
{
    static const char *const who[] = { "lastack", "lwip", "limit" };

    fprintf(f, "{");
    for (uint32_t i = 0; i < 3; i++) {
        const struct row *r = find(who[i], what);

        if (r != NULL)
            fprintf(f, "\"%s\": %.10g, ", who[i], r->median * factor);
    }
    fprintf(f, "\"spread\": {");
    for (uint32_t i = 0, n = 0; i < 3; i++) {
        const struct row *r = find(who[i], what);

        if (r != NULL)
            fprintf(f, "%s\"%s\": [%.10g, %.10g]", n++ > 0 ? ", " : "", who[i], r->least * factor,
                    r->most * factor);
    }
    fprintf(f, "}}");
}

bool report_json(const char *path)
{
    FILE *f = fopen(path, "w");
    uint32_t n = 0;

    if (f == NULL) {
        fprintf(stderr, "bench: %s: %s\n", path, strerror(errno));
        return false;
    }
    fprintf(f, "{\n  \"bulk_mss1460_gbps\": ");
    json_value(f, "bulk_mss1460", 1);
    fprintf(f, ",\n  \"bulk_64k_gbps\": ");
    json_value(f, "bulk_64k", 1);
    fprintf(f, ",\n  \"rr_per_s\": {");
    for (uint32_t i = 0; i < row_count; i++) {
        if (strcmp(rows[i].who, "lastack") != 0 || strncmp(rows[i].what, "rr_", 3) != 0)
            continue;
        fprintf(f, "%s\n    \"%s\": ", n++ > 0 ? "," : "", rows[i].what + 3);
        json_value(f, rows[i].what, 1e6);
    }
    fprintf(f, "\n  },\n  \"lifecycles_per_s\": ");
    json_value(f, "lifecycles", 1e6);
    fprintf(f, ",\n  \"fused_gbytes_per_s\": ");
    json_value(f, "fused_1460", 1);
    fprintf(f, "\n}\n");
    if (fclose(f) != 0) {
        fprintf(stderr, "bench: %s: %s\n", path, strerror(errno));
        return false;
    }
    return true;
}
