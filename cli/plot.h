/* SPDX-License-Identifier: MIT */
/* plot.h - The parts of `lastack plot`: events read from JSON lines, and their picture. */
#ifndef CLI_PLOT_H
#define CLI_PLOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum plot_kind { PLOT_TX, PLOT_ACK, PLOT_TIMEOUT, PLOT_METRICS };

struct plot_event {
    enum plot_kind kind;
    uint64_t at_ns, conn;
    uint32_t seq, len; /* PLOT_TX; PLOT_ACK: seq */
    bool again;
    uint32_t cwnd, ssthresh, in_flight, srtt_us; /* PLOT_METRICS */
};

struct plot {
    struct plot_event *events;
    size_t count, room;
};

/*
 * plot_read() - Read what sim/events.h describes; lines with other events are passed over.
 * @error: On failure, "line N: what was expected"
 *
 * Return: false if a line is no such object, or there is no memory.
 */
bool plot_read(struct plot *p, FILE *in, char *error, size_t error_bytes);
void plot_free(struct plot *p);

/* The connection that sent most; false if none sent anything. */
bool plot_busiest(const struct plot *p, uint64_t *conn);

/*
 * plot_svg() - Draw one connection: sequence, windows, round-trip time.
 * @title: Shown above; NULL for none
 *
 * The same events give the same bytes.
 */
void plot_svg(const struct plot *p, uint64_t conn, const char *title, FILE *out);

#endif
