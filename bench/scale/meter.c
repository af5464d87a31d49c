/* SPDX-License-Identifier: MIT */
/*
 * meter.c - What an operation costs: CPU time, or instructions.
 *
 * Time says what the machine makes of it, instructions say what the program does: when the first
 * grows with the number of connections and the second does not, it is the caches that are left.
 * Instructions are counted by running this program once more under callgrind, the same work at
 * the same size; only what stands between meter_begin() and meter_end() is counted.
 */
#include <dirent.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/pair.h"
#include "bench/scale/scale.h"

#if __has_include(<valgrind/callgrind.h>)
#include <valgrind/callgrind.h>
#else /* nothing is counted then: meter_count() finds no part */
#define CALLGRIND_START_INSTRUMENTATION (void)0
#define CALLGRIND_STOP_INSTRUMENTATION (void)0
#define CALLGRIND_TOGGLE_COLLECT (void)0
#define CALLGRIND_DUMP_STATS_AT(name) (void)(name)
#endif

#define CALIBRATIONS 1000u

const struct scale_op_text scale_op_text[SCALE_OP_COUNT] = {
#define SCALE_OP(name, text) { #name, text },
    SCALE_OPS(SCALE_OP)
#undef SCALE_OP
};

void meter_open(struct meter *m)
{
    uint64_t least = UINT64_MAX;

    memset(m, 0, sizeof(*m));
    for (uint32_t i = 0; i < CALIBRATIONS; i++) {
        const uint64_t begin = bench_ns();
        const uint64_t took = bench_ns() - begin;

        least = took < least ? took : least;
    }
    m->empty_ns = least;
}

void meter_begin(struct meter *m, enum scale_op op)
{
    m->current = op;
    if (m->counting)
        CALLGRIND_TOGGLE_COLLECT;
    else
        m->began = bench_ns();
}

void meter_end(struct meter *m, uint64_t count)
{
    const enum scale_op op = m->current;

    if (m->counting) {
        CALLGRIND_TOGGLE_COLLECT;
        CALLGRIND_DUMP_STATS_AT(scale_op_text[op].name);
    } else {
        const uint64_t took = bench_ns() - m->began;

        m->ns[op] += took > m->empty_ns ? took - m->empty_ns : 0;
    }
    m->count[op] += count;
}

void meter_on(const struct meter *m, bool on)
{
    if (!m->counting)
        return;
    if (on)
        CALLGRIND_START_INSTRUMENTATION;
    else
        CALLGRIND_STOP_INSTRUMENTATION;
}

void meter_print_counts(const struct meter *m)
{
    for (uint32_t i = 0; i < SCALE_OP_COUNT; i++)
        printf("%s %" PRIu64 "\n", scale_op_text[i].name, m->count[i]);
}

static uint32_t op_named(const char *name)
{
    uint32_t i = 0;

    while (i < SCALE_OP_COUNT && strcmp(scale_op_text[i].name, name) != 0)
        i++;
    return i;
}

/* One part callgrind wrote: the operation whose name it carries, and its instructions. */
static void read_part(const char *path, double sum[SCALE_OP_COUNT])
{
    char line[512], name[64] = "";
    double insns = 0;
    FILE *f = fopen(path, "r");

    while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
        (void)sscanf(line, "desc: Trigger: Client Request: %63s", name);
        if (sscanf(line, "summary: %lf", &insns) != 1)
            (void)sscanf(line, "totals: %lf", &insns);
    }
    if (f != NULL)
        fclose(f);
    const uint32_t op = op_named(name);
    if (op < SCALE_OP_COUNT)
        sum[op] += insns;
}

static void read_parts(const char *folder, double sum[SCALE_OP_COUNT])
{
    DIR *d = opendir(folder);
    const struct dirent *e;
    char path[512];

    if (d == NULL)
        return;
    while ((e = readdir(d)) != NULL) {
        if (e->d_name[0] == '.')
            continue;
        snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);
        read_part(path, sum);
        unlink(path);
    }
    closedir(d);
}

bool meter_count(const char *self, uint32_t connections, double insns[SCALE_OP_COUNT])
{
    char folder[] = "/tmp/lastack-scale-XXXXXX", command[4096], name[64];
    double sum[SCALE_OP_COUNT] = { 0 }, count;
    FILE *from;
    bool ok;

    memset(insns, 0, sizeof(insns[0]) * SCALE_OP_COUNT);
    if (mkdtemp(folder) == NULL)
        return false;
    snprintf(command, sizeof(command),
             "valgrind --tool=callgrind --instr-atstart=no --collect-atstart=no "
             "--callgrind-out-file=%s/part '%s' --counted %u 2>/dev/null",
             folder, self, connections);
    from = popen(command, "r");
    if (from == NULL)
        return false;
    while (fscanf(from, "%63s %lf", name, &count) == 2) {
        const uint32_t op = op_named(name);

        if (op < SCALE_OP_COUNT && count > 0)
            insns[op] = count;
    }
    ok = pclose(from) == 0;
    read_parts(folder, sum);
    rmdir(folder);
    for (uint32_t i = 0; i < SCALE_OP_COUNT; i++)
        insns[i] = ok && insns[i] > 0 ? sum[i] / insns[i] : 0;
    return ok && sum[0] > 0;
}
