/* SPDX-License-Identifier: MIT */
/*
 * goodput.c - What arrives through bad paths: lastack beside this machine's kernel.
 *
 *     ./dev bench goodput [--json FILE] [--quick] [--full] [--repeat N] [--only WORD]
 *
 * A cell is a path; in each, and in each direction, the same transfer is made by the kernel to the
 * kernel and by lastack to the kernel, through the same emulator (`lastack path`) with the same seed,
 * one after the other, the first changing with the repeat.  Both have CUBIC, buffers up to 64 MB
 * and no memory of earlier connections.  The figure is the median of the ratios of a pair, with a
 * lower bound that holds in nine of ten cases whatever the distribution (an order statistic), and
 * beside it what was retransmitted: goodput must not be bought.
 *
 * The cells of the gate were fixed before anything was measured.
 */
#include "bench/goodput/goodput.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define REPEATS_MAX 31
#define CELLS_MAX 64

static const struct cell gate[] = {
    /* Mbit/s, ms, lost ppm, burst, reordered ppm */
    { 10, 20, 0, 1, 0 },      { 10, 100, 1000, 1, 0 },   { 10, 300, 10000, 1, 0 },
    { 10, 20, 30000, 1, 0 },  { 100, 1, 0, 1, 0 },       { 100, 100, 0, 1, 0 },
    { 100, 20, 1000, 1, 0 },  { 100, 100, 10000, 1, 0 }, { 100, 20, 10000, 4, 0 },
    { 100, 20, 0, 1, 10000 }, { 500, 20, 0, 1, 0 },      { 500, 100, 1000, 1, 0 },
};
#define GATE (sizeof gate / sizeof gate[0])
static const uint32_t quick[] = { 0, 3, 6, 9, 11 };
#define QUICK (sizeof quick / sizeof quick[0])

static struct options {
    const char *json, *only, *pcap;
    uint32_t repeats, seconds;
    bool quick, full, fair;
} options;

static struct cell cells[CELLS_MAX];
static uint32_t cell_count;

struct result {
    double mbps[WHOS][REPEATS_MAX];
    double ratio[REPEATS_MAX]; /* sorted */
    double median[WHOS];
    double retrans[WHOS]; /* bytes, of all repeats */
    bool done;
};
static struct result results[CELLS_MAX][DIRECTIONS];
static struct seen *seen; /* two of them */

static const char *const direction_names[DIRECTIONS] = { "send", "receive" };

static void name_of(const struct cell *c, char text[64])
{
    int n = snprintf(text, 64, "%uM/%ums/%.4g%%", c->rate_mbps, c->rtt_ms, c->loss_ppm / 1e4);

    if (c->burst > 1)
        n += snprintf(text + n, 64 - (size_t)n, "/burst%u", c->burst);
    if (c->reorder_ppm > 0)
        snprintf(text + n, 64 - (size_t)n, "/reorder%.4g%%", c->reorder_ppm / 1e4);
}

/* Long enough for slow start and some rounds of recovery. */
static uint64_t time_ns(const struct cell *c)
{
    if (options.seconds != 0)
        return options.seconds * UINT64_C(1000000000);
    return 2000000000u + c->rtt_ms * UINT64_C(15000000);
}

/* Measuring -------------------------------------------------------------------------- */

/* Return: Mbit/s; 0 after a message. */
static double measure(const struct cell *c, enum who who, enum direction d, uint64_t seed,
                      struct result *out)
{
    const struct run r = { .cell = *c,
                           .who = who,
                           .direction = d,
                           .seed = seed,
                           .ns = time_ns(c),
                           .seen = seen,
                           .beside = options.fair ? seen + 1 : NULL,
                           .pcap = who == LASTACK ? options.pcap : NULL };

    if (!run_cell(&r) || seen->took_ns == 0)
        return 0;
    out->retrans[who] += (double)seen->retrans_bytes;
    return (double)seen->bytes * 8e3 / (double)seen->took_ns;
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(const double *v, uint32_t n)
{
    double sorted[REPEATS_MAX];

    memcpy(sorted, v, n * sizeof *v);
    qsort(sorted, n, sizeof *sorted, compare);
    return n % 2 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
}

/*
 * The K-th smallest of @n is below the true median in at least nine of ten cases, for the largest K
 * with P(Binomial(n, 1/2) < K) <= 0.1.  Of fewer than four, the smallest has to do.
 */
static double lower_bound(const double *sorted, uint32_t n)
{
    double p = 1, sum = 0;
    uint32_t k = 0;

    for (uint32_t i = 0; i < n; i++)
        p /= 2;
    while (k < n && sum + p <= 0.1) {
        sum += p;
        p = p * (double)(n - k) / (double)(k + 1);
        k++;
    }
    return sorted[k > 0 ? k - 1 : 0];
}

static bool measure_cell(uint32_t i, enum direction d)
{
    struct result *r = &results[i][d];

    for (uint32_t n = 0; n < options.repeats; n++)
        for (uint32_t turn = 0; turn < WHOS; turn++) {
            const enum who who = (n + turn) % 2 ? LASTACK : KERNEL;
            r->mbps[who][n] = measure(&cells[i], who, d, i * 1000u + n, r);
            if (r->mbps[who][n] <= 0)
                return false;
        }
    for (uint32_t n = 0; n < options.repeats; n++)
        r->ratio[n] = r->mbps[LASTACK][n] / r->mbps[KERNEL][n];
    qsort(r->ratio, options.repeats, sizeof r->ratio[0], compare);
    for (uint32_t who = 0; who < WHOS; who++)
        r->median[who] = median(r->mbps[who], options.repeats);
    r->done = true;
    return true;
}

/* Two flows at a time through one path: one of the kernel's beside the kernel's, or beside lastack's. */
static bool measure_fair(uint32_t i)
{
    char name[64];
    struct result r = { 0 };

    name_of(&cells[i], name);
    const double own = measure(&cells[i], LASTACK, SEND, i, &r);
    const double other =
        seen[1].took_ns > 0 ? (double)seen[1].bytes * 8e3 / (double)seen[1].took_ns : 0;
    const double sum = own + other;
    printf("%-26s fair    lastack %8.2f  kernel %8.2f Mbit/s  Jain %.3f\n", name, own, other,
           sum > 0 ? sum * sum / (2 * (own * own + other * other)) : 0);
    fflush(stdout);
    return own > 0 && other > 0;
}

/* Reporting -------------------------------------------------------------------------- */

static double retrans_ratio(const struct result *r)
{
    return r->retrans[KERNEL] > 0 ? r->retrans[LASTACK] / r->retrans[KERNEL]
                                  : (r->retrans[LASTACK] > 0 ? 1e9 : 1);
}

static void print(uint32_t i, enum direction d)
{
    const struct result *r = &results[i][d];
    char name[64];

    name_of(&cells[i], name);
    printf("%-26s %-7s kernel %8.2f  lastack %8.2f Mbit/s  ratio %5.2f [%.2f]  "
           "retransmitted %8.0f / %8.0f KB\n",
           name, direction_names[d], r->median[KERNEL], r->median[LASTACK],
           median(r->ratio, options.repeats), lower_bound(r->ratio, options.repeats),
           r->retrans[LASTACK] / 1e3, r->retrans[KERNEL] / 1e3);
    fflush(stdout);
}

static bool write_json(const char *path)
{
    FILE *f = fopen(path, "w");
    const char *comma = "";

    if (f != NULL) {
        fprintf(f, "{\n  \"repeats\": %u,\n  \"cells\": [", options.repeats);
        for (uint32_t i = 0; i < cell_count; i++)
            for (uint32_t d = 0; d < DIRECTIONS; d++) {
                const struct result *r = &results[i][d];
                const struct cell *c = &cells[i];
                if (!r->done)
                    continue;
                fprintf(f,
                        "%s\n    { \"rate_mbps\": %u, \"rtt_ms\": %u, \"loss\": %g, \"burst\": %u, "
                        "\"reorder\": %g, \"direction\": \"%s\", \"kernel_mbps\": %.3f, "
                        "\"lastack_mbps\": %.3f, \"ratio\": %.3f, \"ratio_lower90\": %.3f, "
                        "\"retransmitted_bytes\": { \"lastack\": %.0f, \"kernel\": %.0f } }",
                        comma, c->rate_mbps, c->rtt_ms, c->loss_ppm / 1e6, c->burst,
                        c->reorder_ppm / 1e6, direction_names[d], r->median[KERNEL],
                        r->median[LASTACK], median(r->ratio, options.repeats),
                        lower_bound(r->ratio, options.repeats), r->retrans[LASTACK],
                        r->retrans[KERNEL]);
                comma = ",";
            }
        fprintf(f, "\n  ]\n}\n");
    }
    if (f == NULL || fclose(f) != 0) {
        fprintf(stderr, "bench: %s: %s\n", path, strerror(errno));
        return false;
    }
    return true;
}

/* What the gate asks, in words. */
static void judge(void)
{
    for (uint32_t d = 0; d < DIRECTIONS; d++) {
        double medians[CELLS_MAX], least = 1e9, again[WHOS] = { 0 };
        uint32_t n = 0;
        for (uint32_t i = 0; i < cell_count; i++) {
            const struct result *r = &results[i][d];
            if (!r->done)
                continue;
            medians[n++] = median(r->ratio, options.repeats);
            const double low = lower_bound(r->ratio, options.repeats);
            least = low < least ? low : least;
            again[KERNEL] += r->retrans[KERNEL];
            again[LASTACK] += r->retrans[LASTACK];
        }
        if (n == 0)
            continue;
        const struct result sum = { .retrans = { again[KERNEL], again[LASTACK] } };
        printf("%-7s %u cells: median ratio %.2f (wanted: 1.0), least lower bound %.2f (0.8), "
               "retransmitted %.2f times the kernel's (at most 1.2)\n",
               direction_names[d], n, median(medians, n), least, retrans_ratio(&sum));
    }
}

/* The command line ------------------------------------------------------------------- */

static void usage(FILE *to)
{
    fprintf(to,
            "usage: ./dev bench goodput [OPTION]...\n\n"
            "Transfers through an emulated path (lastack path), kernel to kernel and lastack to\n"
            "kernel with the same seeds, sending and receiving.  Root only.\n\n"
            "  --json FILE     the figures, for programs\n"
            "  --quick         five cells, once each: two minutes\n"
            "  --full          every rate, RTT and loss: 48 cells\n"
            "  --fair          instead: lastack beside the kernel's CUBIC on one path\n"
            "  --repeat N      pairs of each cell, 1..31 (9)\n"
            "  --seconds N     of each transfer, instead of 2 s and 15 round trips\n"
            "  --only WORD     only cells with it in their name, as in 100M/20ms/1%%/burst4/send\n"
            "  --pcap FILE     capture lastack's last transfer where it enters the path\n\n"
            "example: ./dev bench goodput --quick --json build/goodput.json\n");
}

static bool parse(int argc, char **argv)
{
    options.repeats = 9;
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (strcmp(argv[i], "--quick") == 0)
            options.quick = true, options.repeats = 1;
        else if (strcmp(argv[i], "--full") == 0)
            options.full = true;
        else if (strcmp(argv[i], "--fair") == 0)
            options.fair = true;
        else if (value == NULL)
            return false;
        else if (strcmp(argv[i], "--json") == 0)
            options.json = argv[++i];
        else if (strcmp(argv[i], "--only") == 0)
            options.only = argv[++i];
        else if (strcmp(argv[i], "--pcap") == 0)
            options.pcap = argv[++i];
        else if (strcmp(argv[i], "--repeat") == 0)
            options.repeats = (uint32_t)strtoul(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--seconds") == 0)
            options.seconds = (uint32_t)strtoul(argv[++i], NULL, 10);
        else
            return false;
    }
    return options.repeats >= 1 && options.repeats <= REPEATS_MAX && options.seconds <= 600;
}

static void choose_cells(void)
{
    static const uint32_t rates[] = { 10, 100, 500 }, rtts[] = { 1, 20, 100, 300 },
                          losses[] = { 0, 1000, 10000, 30000 };

    if (options.full) {
        for (uint32_t n = 0; n < 48; n++)
            cells[cell_count++] =
                (struct cell){ rates[n / 16], rtts[n / 4 % 4], losses[n % 4], 1, 0 };
        return;
    }
    for (uint32_t i = 0; i < (options.quick ? QUICK : GATE); i++)
        cells[cell_count++] = gate[options.quick ? quick[i] : i];
}

static bool wanted(uint32_t i, enum direction d)
{
    char name[64], full[96];

    name_of(&cells[i], name);
    snprintf(full, sizeof full, "%s/%s", name, direction_names[d]);
    return options.only == NULL || strstr(full, options.only) != NULL;
}

int main(int argc, char **argv)
{
    bool all = true;

    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        usage(stdout);
        return 0;
    }
    if (!parse(argc, argv)) {
        usage(stderr);
        return 2;
    }
    if (geteuid() != 0) {
        fprintf(stderr, "bench: no network namespace can be made; run as root\n");
        return 1;
    }
    seen = mmap(NULL, 2 * sizeof *seen, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (seen == MAP_FAILED)
        return 1;
    choose_cells();
    for (uint32_t i = 0; i < cell_count; i++)
        for (uint32_t d = 0; d < (options.fair ? 1 : DIRECTIONS); d++) {
            if (!wanted(i, (enum direction)d))
                continue;
            const bool done = options.fair ? measure_fair(i) : measure_cell(i, (enum direction)d);
            all &= done;
            if (done && !options.fair)
                print(i, (enum direction)d);
        }
    if (!options.fair)
        judge();
    return all && (options.json == NULL || write_json(options.json)) ? 0 : 1;
}
