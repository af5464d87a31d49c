/* SPDX-License-Identifier: MIT */
/*
 * report.c - The figures of bench/scale: printed, and as JSON.
 *
 *     {"curves": {"1000": {"bytes_endpoint": ..., "ops": {"open": {"ns": ..., "insns": ...}}}},
 *      "churn": [{"rate": ..., "held": ..., "closes_per_s": ...}],
 *      "host": {"kernel": ..., "connections": ..., "open_us": ...}}
 *
 * What was not measured has no key; instructions that were not counted are null.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bench/scale/scale.h"

static void row(const char *name, const struct curve *c, uint32_t n, size_t offset)
{
    printf("%-20s", name);
    for (uint32_t i = 0; i < n; i++) {
        double v;

        memcpy(&v, (const char *)&c[i] + offset, sizeof(v));
        printf(" %12.2f       ", v);
    }
    printf("\n");
}

void scale_print_curves(const struct curve *c, uint32_t n)
{
    printf("\n%-20s", "established");
    for (uint32_t i = 0; i < n; i++)
        printf(" %12u       ", c[i].connections);
    printf("\n%-20s", "");
    for (uint32_t i = 0; i < n; i++)
        printf(" %12s %6s", "ns", "insns");
    printf("\n");
    for (uint32_t op = 0; op < SCALE_OP_COUNT; op++) {
        printf("%-20s", scale_op_text[op].name);
        for (uint32_t i = 0; i < n; i++)
            printf(" %12.0f %6.0f", c[i].ns[op], c[i].insns[op]);
        printf("  %s\n", scale_op_text[op].text);
    }
    row("us to open", c, n, offsetof(struct curve, open_us));
    row("us a round trip", c, n, offsetof(struct curve, round_trip_us));
    row("us, worst la_tick()", c, n, offsetof(struct curve, tick_worst_us));
    row("bytes an endpoint", c, n, offsetof(struct curve, bytes_endpoint));
    row("bytes a TIME_WAIT", c, n, offsetof(struct curve, bytes_time_wait));
    row("look-ups a port", c, n, offsetof(struct curve, probes_port));
    printf("\n");
}

void scale_print_churn(const struct churn *c)
{
    printf("       %llu TIME_WAITs held (tcp_max_tw_buckets %u, %u addresses), %.1f bytes each; "
           "%.0f MB resident\n"
           "       %.0f closes a second: %.0f while they come, %.0f while as many end; %u wanted\n",
           (unsigned long long)c->held, c->cap, c->addresses, c->bytes_time_wait,
           c->rss_bytes / 1e6, c->per_s, c->per_s_filling, c->per_s_steady, c->wanted);
    fflush(stdout);
}

void scale_print_host(const struct host *h)
{
    if (!h->there) {
        printf("host: not measured: %s\n", h->why_not);
        return;
    }
    printf("host: kernel %s, %u connections over loopback, in a namespace of its own\n"
           "      %.2f us to open, %.2f us a round trip, %.2f us to close\n"
           "      %.0f bytes an endpoint, in slabs; %u TIME_WAITs held, %.0f bytes each\n"
           "      %.0f lives a second over %u\n",
           h->kernel, h->connections, h->open_us, h->round_trip_us, h->close_us, h->bytes_endpoint,
           h->time_waits, h->bytes_time_wait, h->lives_per_s, h->lives);
    fflush(stdout);
}

static void json_curve(FILE *f, const struct curve *c)
{
    fprintf(f,
            "    \"%u\": {\"open_us\": %.4g, \"round_trip_us\": %.4g, \"tick_worst_us\": %.4g, "
            "\"bytes_endpoint\": %.6g, \"bytes_time_wait\": %.6g, \"probes_port\": %.4g, "
            "\"ops\": {",
            c->connections, c->open_us, c->round_trip_us, c->tick_worst_us, c->bytes_endpoint,
            c->bytes_time_wait, c->probes_port);
    for (uint32_t op = 0; op < SCALE_OP_COUNT; op++) {
        fprintf(f, "%s\n      \"%s\": {\"ns\": %.5g, \"insns\": ", op > 0 ? "," : "",
                scale_op_text[op].name, c->ns[op]);
        if (c->insns[op] > 0)
            fprintf(f, "%.6g}", c->insns[op]);
        else
            fprintf(f, "null}");
    }
    fprintf(f, "\n    }}");
}

static void json_churn(FILE *f, const struct churn *c)
{
    fprintf(f,
            "    {\"rate\": %u, \"virtual_s\": %u, \"held\": %llu, \"cap\": %u, \"addresses\": %u, "
            "\"closes_per_s\": %.0f, \"filling_per_s\": %.0f, \"steady_per_s\": %.0f, "
            "\"wanted_per_s\": %u, \"bytes_time_wait\": %.5g, \"resident_bytes\": %.0f}",
            c->rate, c->seconds, (unsigned long long)c->held, c->cap, c->addresses, c->per_s,
            c->per_s_filling, c->per_s_steady, c->wanted, c->bytes_time_wait, c->rss_bytes);
}

bool scale_json(const char *path, const struct curve *c, uint32_t curves, const struct churn *churn,
                uint32_t churns, const struct host *h)
{
    const char *before = "";
    FILE *f = fopen(path, "w");

    if (f == NULL) {
        fprintf(stderr, "bench: %s: %s\n", path, strerror(errno));
        return false;
    }
    fprintf(f, "{");
    if (curves > 0) {
        fprintf(f, "\n  \"curves\": {\n");
        for (uint32_t i = 0; i < curves; i++) {
            json_curve(f, &c[i]);
            fprintf(f, i + 1 < curves ? ",\n" : "\n  }");
        }
        before = ",";
    }
    if (churns > 0) {
        fprintf(f, "%s\n  \"churn\": [\n", before);
        for (uint32_t i = 0; i < churns; i++) {
            json_churn(f, &churn[i]);
            fprintf(f, i + 1 < churns ? ",\n" : "\n  ]");
        }
        before = ",";
    }
    if (h->there)
        fprintf(f,
                "%s\n  \"host\": {\"kernel\": \"%s\", \"connections\": %u, \"open_us\": %.4g, "
                "\"round_trip_us\": %.4g, \"close_us\": %.4g, \"bytes_endpoint\": %.6g, "
                "\"bytes_time_wait\": %.6g, \"lives\": %u, \"lives_per_s\": %.0f}",
                before, h->kernel, h->connections, h->open_us, h->round_trip_us, h->close_us,
                h->bytes_endpoint, h->bytes_time_wait, h->lives, h->lives_per_s);
    fprintf(f, "\n}\n");
    if (fclose(f) != 0) {
        fprintf(stderr, "bench: %s: %s\n", path, strerror(errno));
        return false;
    }
    return true;
}
