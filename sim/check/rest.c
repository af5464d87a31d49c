/* SPDX-License-Identifier: MIT */
/*
 * rest.c - Nothing left over.
 *
 * When every connection has ended and every record's time has passed, each table is
 * as it was when the host was made, no deadline stands, no row is left to list.
 */
#include "sim/check/check.h"

static void check_tables(struct sim_host *h)
{
    for (unsigned t = 0; t < LA_TABLES; t++) {
        const struct la_table_use use = la_table_use(h->stack, (enum la_table)t);

        if (use.used != h->baseline[t].used)
            sim_fail(h->w, "host %s: table %s holds %u at rest, %u at first", h->name,
                     la_table_name((enum la_table)t), use.used, h->baseline[t].used);
    }
}

static void check_rows(struct sim_host *h)
{
    struct la_row row;
    uint64_t cursor = 0;
    uint32_t states[LA_STATES];

    if (la_rows(h->stack, &cursor, &row, 1) != 0)
        sim_fail(h->w, "host %s: at rest, yet a row in %s", h->name, la_state_name(row.state));
    la_state_counts(h->stack, states);
    for (unsigned i = 0; i < LA_STATES; i++)
        if (states[i] != 0)
            sim_fail(h->w, "host %s: at rest, yet %u in %s", h->name, states[i],
                     la_state_name((enum la_state)i));
}

static void check_extents(struct sim_host *h)
{
    struct la_extent extents[LA_EXTENTS_MAX];
    const uint32_t count = la_extents(h->stack, extents);
    uint64_t end = 0;

    for (uint32_t i = 0; i < count; i++) {
        if (extents[i].offset_bytes < end ||
            extents[i].offset_bytes + extents[i].len_bytes > h->arena_bytes)
            sim_fail(h->w, "host %s: extent %u overlaps or leaves the arena", h->name, i);
        end = extents[i].offset_bytes + extents[i].len_bytes;
    }
}

void sim_check_rest(struct sim_world *w)
{
    for (uint32_t i = 0; i < w->host_count && !w->failed; i++) {
        struct sim_host *h = w->hosts[i];

        sim_twin_end(h);
        sim_host_unlisten(h);
        sim_host_turn(h);
        const char *broken = la_check(h->stack);

        if (broken)
            sim_fail(w, "host %s: at rest, la_check(): %s", h->name, broken);
        if (sim_call_deadline(h).ns != LA_TIME_NEVER.ns)
            sim_fail(w, "host %s: at rest, yet there is a deadline", h->name);
        check_tables(h);
        check_rows(h);
        check_extents(h);
        sim_note(w, la_hash(h->stack));
    }
}
