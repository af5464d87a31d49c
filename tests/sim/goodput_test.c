/* SPDX-License-Identifier: MIT */
/*
 * goodput_test.c - How much arrives through bad paths, lastack to lastack, in virtual time.
 *
 * The table is held against tests/sim/golden/goodput.txt: no path may fall below half of its figure
 * there, and the middle one of all not by 5 % - what a path loses and another wins is chance.  Virtual
 * time makes the figures exact, so whatever changes in recovery or congestion control shows as a
 * diff: GOODPUT_REWRITE=1 writes the table anew; then read `git diff` and say in the change why.
 */
#include "tests/unit/test.h"

#include <stdlib.h>

#include "sim/goodput.h"

#define GOLDEN TEST_SOURCE_DIR "/tests/sim/golden/goodput.txt"
#define TABLE_BYTES 16384u
#define CELLS_MAX 100u

static void add(char *table, const char *line)
{
    const size_t len = strlen(table);

    assert_true(len + strlen(line) < TABLE_BYTES);
    memcpy(table + len, line, strlen(line) + 1);
}

static struct sim_goodput run(const struct sim_goodput_opt *opt)
{
    struct sim_goodput out;

    sim_goodput(opt, &out);
    if (!out.ok)
        print_message("# %s\n", out.message);
    assert_true(out.ok);
    return out;
}

/* As `./dev bench goodput` has it, but shorter where a path is fast. */
static uint64_t time_ns(uint32_t rate_mbps, uint32_t rtt_ms)
{
    return (rate_mbps >= 500 ? 200000000u : 1000000000u) + rtt_ms * UINT64_C(10000000);
}

static void add_cell(char *table, struct sim_goodput_opt o)
{
    char line[160], extra[40] = "";

    o.seed = 1;
    o.ns = time_ns(o.rate_mbps, o.rtt_ms);
    const struct sim_goodput g = run(&o);
    /* 1,448 of 1,500 bytes are text: no path carries more. */
    assert_true(g.bytes[0] * 8000u / o.rate_mbps <= o.ns / 1500 * 1448);
    if (o.burst > 1)
        snprintf(extra, sizeof extra, " bursts of %u", o.burst);
    if (o.reorder_ppm > 0)
        snprintf(extra, sizeof extra, " %u ppm reordered", o.reorder_ppm);
    snprintf(line, sizeof line,
             "%3u Mbit/s %3u ms %5u ppm%s: %llu kbit/s, %llu segments again, %llu timeouts\n",
             o.rate_mbps, o.rtt_ms, o.loss_ppm, extra,
             (unsigned long long)(g.bytes[0] * 8000000u / o.ns),
             (unsigned long long)g.segs_retransmitted, (unsigned long long)g.timeouts);
    add(table, line);
}

/* Jain's index of what the flows got in the second half of the time, as per mille. */
static unsigned jain_permille(const struct sim_goodput *g, uint32_t flows)
{
    double sum = 0, squares = 0;

    for (uint32_t i = 0; i < flows; i++) {
        sum += (double)g->late[i];
        squares += (double)g->late[i] * (double)g->late[i];
    }
    return squares > 0 ? (unsigned)(1000 * sum * sum / squares / flows) : 0;
}

/* Two flows that begin together and share the path; the second may have a longer way. */
static void add_shared(char *table, struct sim_goodput_opt o)
{
    char line[160], extra[40] = "";

    o.seed = 1;
    o.ns = UINT64_C(6000000000);
    o.flows = 2;
    const struct sim_goodput g = run(&o);
    const unsigned jain = jain_permille(&g, 2);
    if (o.far_ms > 0)
        snprintf(extra, sizeof extra, ", one with %u ms more", o.far_ms);
    snprintf(line, sizeof line,
             "%3u Mbit/s %3u ms %5u ppm, two flows%s: %llu and %llu kbit/s, Jain 0.%03u\n",
             o.rate_mbps, o.rtt_ms, o.loss_ppm, extra,
             (unsigned long long)(g.late[0] * 16000000u / o.ns),
             (unsigned long long)(g.late[1] * 16000000u / o.ns), jain > 999 ? 999 : jain);
    add(table, line);
    assert_true(g.late[0] > 0 && g.late[1] > 0);
}

static void make_table(char *table)
{
    /* The cells of `./dev bench goodput`: Mbit/s, ms, lost ppm, burst, reordered ppm. */
    static const uint32_t cells[][5] = {
        { 10, 20, 0, 1, 0 },      { 10, 100, 1000, 1, 0 },   { 10, 300, 10000, 1, 0 },
        { 10, 20, 30000, 1, 0 },  { 100, 1, 0, 1, 0 },       { 100, 100, 0, 1, 0 },
        { 100, 20, 1000, 1, 0 },  { 100, 100, 10000, 1, 0 }, { 100, 20, 10000, 4, 0 },
        { 100, 20, 0, 1, 10000 }, { 500, 20, 0, 1, 0 },      { 500, 100, 1000, 1, 0 },
    };

    for (unsigned i = 0; i < sizeof cells / sizeof cells[0]; i++)
        add_cell(table, (struct sim_goodput_opt){ .rate_mbps = cells[i][0],
                                                  .rtt_ms = cells[i][1],
                                                  .loss_ppm = cells[i][2],
                                                  .burst = cells[i][3],
                                                  .reorder_ppm = cells[i][4] });
    add_shared(table, (struct sim_goodput_opt){ .rate_mbps = 10, .rtt_ms = 20 });
    add_shared(table, (struct sim_goodput_opt){ .rate_mbps = 10, .rtt_ms = 100 });
    add_shared(table, (struct sim_goodput_opt){ .rate_mbps = 100, .rtt_ms = 20, .loss_ppm = 1000 });
    add_shared(table, (struct sim_goodput_opt){ .rate_mbps = 10, .rtt_ms = 20, .far_ms = 80 });
    add_shared(table, (struct sim_goodput_opt){ .rate_mbps = 100, .rtt_ms = 20, .far_ms = 20 });
}

static int compare(const void *a, const void *b)
{
    const unsigned long x = *(const unsigned long *)a;
    const unsigned long y = *(const unsigned long *)b;

    return (x > y) - (x < y);
}

/* The figure of a line; "A and B kbit/s" counts as their sum. */
static unsigned long figure(const char *line)
{
    const char *at = strstr(line, ": ");
    char *end;

    assert_non_null(at);
    unsigned long sum = strtoul(at + 2, &end, 10);
    if (strncmp(end, " and ", 5) == 0)
        sum += strtoul(end + 5, NULL, 10);
    return sum;
}

/* One line of each table.  Return: the figure as per mille of what it was. */
static unsigned long hold_line(const char *line, const char *before)
{
    assert_non_null(before);
    assert_memory_equal(line, before, (size_t)(strchr(line, ':') - line));
    if (strcmp(line, before) != 0)
        print_message("# was %s\n# is  %s\n", before, line);
    const unsigned long permille = figure(line) * 1000 / figure(before);
    assert_true(permille >= 500);
    return permille;
}

static void hold_against(char *table, char *golden)
{
    unsigned long permille[CELLS_MAX];
    char *rest = NULL, *golden_rest = NULL;
    char *line = strtok_r(table, "\n", &rest);
    const char *before = strtok_r(golden, "\n", &golden_rest);
    size_t n = 0;

    while (line != NULL && n < CELLS_MAX) {
        permille[n++] = hold_line(line, before);
        line = strtok_r(NULL, "\n", &rest);
        before = strtok_r(NULL, "\n", &golden_rest);
    }
    assert_null(before);
    qsort(permille, n, sizeof permille[0], compare);
    assert_true(n > 0 && permille[n / 2] >= 950);
}

TEST(the_grid_of_paths_gives_no_less_than_the_golden_table)
{
    static char table[TABLE_BYTES], golden[TABLE_BYTES];

    make_table(table);
    if (getenv("GOODPUT_REWRITE") != NULL) {
        FILE *to = fopen(GOLDEN, "w");
        assert_non_null(to);
        assert_true(fputs(table, to) >= 0);
        assert_int_equal(fclose(to), 0);
    }
    FILE *f = fopen(GOLDEN, "r");
    assert_non_null(f);
    golden[fread(golden, 1, sizeof golden - 1, f)] = '\0';
    fclose(f);
    hold_against(table, golden);
}

/* Less than four segments each fit the path, the queue included. */
TEST(a_thousand_flows_fill_a_bottleneck_and_none_starves)
{
    const struct sim_goodput_opt o = { .seed = 1,
                                       .rate_mbps = 250,
                                       .rtt_ms = 160,
                                       .flows = 1000,
                                       .buffer_bytes = 262144,
                                       .apart_us = 200,
                                       .ns = UINT64_C(6000000000) };
    static struct sim_goodput g;
    uint64_t sum = 0, least = UINT64_MAX;

    g = run(&o);
    for (uint32_t i = 0; i < o.flows; i++) {
        sum += g.late[i];
        least = g.late[i] < least ? g.late[i] : least;
    }
    const uint64_t utilised_permille = sum * 8000000u / (o.ns / 2) / o.rate_mbps;
    const unsigned jain = jain_permille(&g, o.flows);
    print_message(
        "# %u flows: %llu per mille of the rate as text, Jain 0.%03u, the least %llu per mille of "
        "the mean, a queue of %llu ms on average, %llu segments again, %llu timeouts\n",
        o.flows, (unsigned long long)utilised_permille, jain,
        (unsigned long long)(least * o.flows * 1000 / sum),
        (unsigned long long)g.queue_mean_us / 1000, (unsigned long long)g.segs_retransmitted,
        (unsigned long long)g.timeouts);
    assert_true(utilised_permille >=
                900); /* 965 are text; what waited for a hole counts when read */
    assert_true(jain >= 800);
    assert_true(least > 0);
    assert_true(g.queue_max_us <= o.rtt_ms * 1000u + 1000u); /* never more than there is room for */
}

TEST(the_same_path_and_seed_give_the_same)
{
    const struct sim_goodput_opt o = {
        .seed = 3, .rate_mbps = 10, .rtt_ms = 20, .loss_ppm = 30000, .ns = UINT64_C(1000000000)
    };
    static struct sim_goodput a, b;

    a = run(&o);
    b = run(&o);
    assert_memory_equal(&a, &b, sizeof a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_grid_of_paths_gives_no_less_than_the_golden_table),
        cmocka_unit_test(a_thousand_flows_fill_a_bottleneck_and_none_starves),
        cmocka_unit_test(the_same_path_and_seed_give_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
