/* SPDX-License-Identifier: MIT */
/*
 * plot_read.c - JSON lines to events.
 *
 * This reads what lastack writes - one flat object a line, no spaces, no escapes in the values that
 * matter - and says so of anything else; it is no reader of JSON at large.
 */
#include "cli/plot.h"

#include <stdlib.h>
#include <string.h>

#define LINE_BYTES 4096u

/* What stands behind "key": in @line, or NULL. */
static const char *value_of(const char *line, const char *key)
{
    char pattern[32];

    snprintf(pattern, sizeof pattern, "\"%s\":", key);
    const char *at = strstr(line, pattern);
    return at != NULL ? at + strlen(pattern) : NULL;
}

static bool number(const char *line, const char *key, uint64_t max, uint64_t *out)
{
    const char *at = value_of(line, key);

    if (at == NULL || *at < '0' || *at > '9')
        return false;
    *out = strtoull(at, NULL, 10);
    return *out <= max;
}

static bool number32(const char *line, const char *key, uint32_t *out)
{
    uint64_t wide = 0;
    const bool ok = number(line, key, UINT32_MAX, &wide);

    *out = (uint32_t)wide;
    return ok;
}

/* Seconds with nine decimals. */
static bool seconds(const char *line, uint64_t *out)
{
    const char *at = value_of(line, "time");
    char *dot, *end;

    if (at == NULL || *at < '0' || *at > '9')
        return false;
    const uint64_t s = strtoull(at, &dot, 10);
    if (dot - at > 9 || *dot != '.' || dot[1] < '0' || dot[1] > '9')
        return false;
    const uint64_t ns = strtoull(dot + 1, &end, 10);
    *out = s * 1000000000u + ns;
    return end - dot == 10;
}

enum outcome { OTHER, TAKEN, WRONG };

static enum outcome parse(const char *line, struct plot_event *e)
{
    const char *name = value_of(line, "event");
    bool ok = seconds(line, &e->at_ns);

    if (line[0] != '{' || name == NULL || !ok)
        return WRONG;
    if (strncmp(name, "\"tx\"", 4) == 0) {
        const char *again = value_of(line, "again");
        e->kind = PLOT_TX;
        e->again = again != NULL && strncmp(again, "true", 4) == 0;
        ok = number32(line, "seq", &e->seq) && number32(line, "len", &e->len);
    } else if (strncmp(name, "\"rx\"", 4) == 0) {
        e->kind = PLOT_ACK;
        ok = number32(line, "ack", &e->seq);
    } else if (strncmp(name, "\"timeout\"", 9) == 0 && value_of(line, "conn") != NULL) {
        e->kind = PLOT_TIMEOUT;
    } else if (strncmp(name, "\"metrics\"", 9) == 0) {
        e->kind = PLOT_METRICS;
        ok = number32(line, "cwnd", &e->cwnd) && number32(line, "ssthresh", &e->ssthresh) &&
             number32(line, "in_flight", &e->in_flight) && number32(line, "srtt_us", &e->srtt_us);
    } else {
        return OTHER;
    }
    return ok && number(line, "conn", UINT64_MAX, &e->conn) ? TAKEN : WRONG;
}

static bool add(struct plot *p, const struct plot_event *e)
{
    if (p->count == p->room) {
        const size_t room = p->room > 0 ? 2 * p->room : 1024;
        struct plot_event *events = realloc(p->events, room * sizeof *events);
        if (events == NULL)
            return false;
        p->events = events;
        p->room = room;
    }
    p->events[p->count++] = *e;
    return true;
}

bool plot_read(struct plot *p, FILE *in, char *error, size_t error_bytes)
{
    char line[LINE_BYTES];

    for (unsigned long n = 1; fgets(line, sizeof line, in) != NULL; n++) {
        struct plot_event e = { 0 };
        const enum outcome outcome =
            strchr(line, '\n') == NULL && !feof(in) ? WRONG : parse(line, &e);
        if (outcome == WRONG) {
            snprintf(error, error_bytes,
                     "line %lu: expected an event as --trace and 'lastack sim --transfer' write it",
                     n);
            return false;
        }
        if (outcome == TAKEN && !add(p, &e)) {
            snprintf(error, error_bytes, "out of memory");
            return false;
        }
    }
    return true;
}

void plot_free(struct plot *p)
{
    free(p->events);
    *p = (struct plot){ 0 };
}

bool plot_busiest(const struct plot *p, uint64_t *conn)
{
    uint64_t most = 0;

    for (size_t i = 0; i < p->count; i++)
        if (p->events[i].kind == PLOT_TX && (uint64_t)p->events[i].seq + p->events[i].len > most) {
            most = (uint64_t)p->events[i].seq + p->events[i].len;
            *conn = p->events[i].conn;
        }
    return most > 0;
}
