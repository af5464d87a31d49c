/* SPDX-License-Identifier: MIT */
/*
 * trace_file.c - The records of a stack as events; see trace_file.h.
 *
 * Sequence numbers in the file count from the ISN, which a connection that is gone no longer tells:
 * the ISN of those that were seen last is remembered, by slot.  Metrics are of the end of the turn
 * of the loop that brought the records, and stand behind them.
 */
#include "cli/trace_file.h"

#include "sim/events.h"

#include <stdlib.h>

#define REMEMBERED 4096u

struct trace_file {
    struct sim_events events;
    struct {
        uint64_t conn;
        uint32_t iss;
    } seen[REMEMBERED];
};

struct trace_file *trace_file_open(const char *path, la_time begun)
{
    struct trace_file *f = calloc(1, sizeof *f);

    if (f == NULL)
        return NULL;
    f->events.begun_ns = begun.ns;
    f->events.out = fopen(path, "we");
    if (f->events.out != NULL)
        return f;
    free(f);
    return NULL;
}

void trace_file_add(struct trace_file *f, const struct la_stack *stack,
                    const struct la_trace *records, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct la_trace *r = &records[i];
        const uint32_t at = (uint32_t)r->conn % REMEMBERED;
        struct la_conn_info info = { .iss = f->seen[at].iss };
        const bool there =
            r->conn != 0 && la_conn_info(stack, (la_conn_id){ r->conn }, &info) == LA_OK;

        if (there) {
            f->seen[at].conn = r->conn;
            f->seen[at].iss = info.iss;
        }
        if (r->conn == 0 || f->seen[at].conn != r->conn)
            continue;
        sim_events_record(&f->events, &info, r);
        if (there && (i + 1 == count || records[i + 1].conn != r->conn))
            sim_events_metrics(&f->events, &info, r->at);
    }
}

bool trace_file_close(struct trace_file *f)
{
    if (f == NULL)
        return true;
    const bool ok = ferror(f->events.out) == 0;
    const bool closed = fclose(f->events.out) == 0;

    free(f);
    return ok && closed;
}
