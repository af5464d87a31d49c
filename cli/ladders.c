/* SPDX-License-Identifier: MIT */
/*
 * ladders.c - A ladder for each connection of a stack.
 *
 * Records are told apart by their two endpoints, since a half-open connection and one in
 * TIME-WAIT have no handle.  A SYN on endpoints whose connection is over, or that takes
 * over a TIME-WAIT, begins a new ladder.  The first connections are drawn; later ones are
 * only counted, so a server that runs for a year holds no more than one that ran for a minute.
 */
#include "cli/ladder.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DEFAULT 16
#define FLAG_SYN 0x02u
#define FLAG_ACK 0x10u

struct entry {
    struct ladder *ladder;
    struct la_endpoint local, remote;
    bool scaled;
    uint8_t state; /* enum la_state, as the newest record has it */
};

struct ladders {
    struct ladders_options options;
    struct entry *entries;
    uint32_t count;
    uint64_t omitted;
};

struct ladders *ladders_new(const struct ladders_options *options)
{
    struct ladders *s = calloc(1, sizeof *s);
    if (s == NULL)
        return NULL;
    s->options = *options;
    if (s->options.max == 0)
        s->options.max = MAX_DEFAULT;
    s->entries = calloc(s->options.max, sizeof *s->entries);
    if (s->entries == NULL) {
        free(s);
        return NULL;
    }
    return s;
}

void ladders_free(struct ladders *s)
{
    if (s == NULL)
        return;
    for (uint32_t i = 0; i < s->count; i++)
        ladder_free(s->entries[i].ladder);
    free(s->entries);
    free(s);
}

static bool same_endpoint(struct la_endpoint a, struct la_endpoint b)
{
    return a.port == b.port && la_addr_equal(a.addr, b.addr);
}

static bool is_segment(const struct la_trace *t)
{
    return t->kind == LA_TRACE_RX || t->kind == LA_TRACE_TX;
}

static bool is_opening_syn(const struct la_trace *t)
{
    return is_segment(t) && (t->flags & (FLAG_SYN | FLAG_ACK)) == FLAG_SYN;
}

/* The newest ladder of these endpoints, if the record can belong to it. */
static struct entry *find(struct ladders *s, const struct la_trace *t)
{
    for (uint32_t i = s->count; i-- > 0;) {
        struct entry *e = &s->entries[i];
        if (!same_endpoint(e->local, t->local) || !same_endpoint(e->remote, t->remote))
            continue;
        const bool over = ladder_is_over(e->ladder) || e->state == LA_TIME_WAIT;
        const bool reopened = t->to == LA_SYN_RECEIVED || t->to == LA_SYN_SENT;
        return over && (reopened || (is_opening_syn(t) && ladder_is_over(e->ladder))) ? NULL : e;
    }
    return NULL;
}

static struct entry *begin(struct ladders *s, const struct la_trace *t)
{
    /* A connection that began before the trace, or is not drawn, does not start in its middle. */
    if (!is_opening_syn(t) && t->to != LA_SYN_SENT && t->to != LA_SYN_RECEIVED)
        return NULL;
    if (s->count == s->options.max) {
        s->omitted += is_opening_syn(t);
        return NULL;
    }
    struct ladder *ladder = ladder_new(&s->options.ladder);
    if (ladder == NULL) {
        s->omitted++;
        return NULL;
    }
    struct entry *e = &s->entries[s->count++];
    *e = (struct entry){ .ladder = ladder, .local = t->local, .remote = t->remote };
    return e;
}

static void ask_scales(const struct ladders *s, struct entry *e, const struct la_trace *t)
{
    uint8_t local, peer;
    if (e->scaled || t->conn == 0 || s->options.scales == NULL || t->to < LA_ESTABLISHED)
        return;
    if (!s->options.scales(s->options.context, (la_conn_id){ t->conn }, &local, &peer))
        return;
    ladder_scale(e->ladder, local, peer);
    e->scaled = true;
}

void ladders_add(struct ladders *s, const struct la_trace *t)
{
    if (t->local.port == 0 || t->remote.port == 0)
        return;
    struct entry *e = find(s, t);
    if (e == NULL)
        e = begin(s, t);
    if (e == NULL)
        return;
    if (t->kind != LA_TRACE_TIMEOUT)
        e->state = t->to;
    ladder_add(e->ladder, t);
    ask_scales(s, e, t);
}

uint32_t ladders_count(const struct ladders *s)
{
    return s->count;
}

uint64_t ladders_omitted(const struct ladders *s)
{
    return s->omitted;
}

const struct ladder *ladders_at(const struct ladders *s, uint32_t i)
{
    return i < s->count ? s->entries[i].ladder : NULL;
}

void ladders_print(const struct ladders *s, FILE *to)
{
    for (uint32_t i = 0; i < s->count; i++) {
        if (i > 0)
            fputc('\n', to);
        ladder_print(s->entries[i].ladder, to);
    }
    if (s->omitted > 0)
        fprintf(to, "\nNot drawn: %" PRIu64 " further connection%s.\n", s->omitted,
                s->omitted == 1 ? "" : "s");
}

void ladders_json(const struct ladders *s, FILE *to)
{
    for (uint32_t i = 0; i < s->count; i++)
        ladder_json(s->entries[i].ladder, to);
}
