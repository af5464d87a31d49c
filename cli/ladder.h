/* SPDX-License-Identifier: MIT */
/*
 * ladder.h - The life of a connection as a ladder diagram.
 *
 * Fed with the trace records of one connection, oldest first, it keeps what a reader wants to
 * see and counts the rest: runs of data become one line, and the memory held does not
 * grow with the bytes sent.  The peer's states are inferred from its segments,
 * unless its own trace is given too.
 */
#ifndef CLI_LADDER_H
#define CLI_LADDER_H

#include <stdio.h>

#include <lastack/observe.h>

struct ladder;

struct ladder_options {
    const char *local;        /* a name for this side, for title and sentences; NULL = "lastack" */
    const char *peer;         /* NULL = "the peer" */
    uint32_t two_msl_ms;      /* in force here: how long TIME-WAIT lasts; 0 = not known */
    uint32_t peer_two_msl_ms; /* the same of the peer; 0 = not known */
    uint32_t width;           /* columns; 0 = 100, at least 80 */
    uint32_t last_segments;   /* at the end, never folded; 0 = 10 */
    uint32_t events_max; /* losses and window changes drawn; further ones are counted; 0 = 40 */
    bool ascii;          /* no characters beyond ASCII */
    /*
     * Asked when a record has a reason: what stood in the queues then, for the footnote.  May be
     * NULL, or know nothing (false): the footnote is shorter then.
     */
    bool (*cause)(void *context, const struct la_trace *t, struct la_cause *out);
    void *context;
};

/* @options may be NULL; the names are borrowed for the ladder's life.  NULL: no memory. */
struct ladder *ladder_new(const struct ladder_options *options);
void ladder_free(struct ladder *l);

/* The next record.  All records of a ladder are of one connection. */
void ladder_add(struct ladder *l, const struct la_trace *t);
/* The next record of the peer's own trace, whose clock is the same.  From then on nothing is inferred. */
void ladder_add_peer(struct ladder *l, const struct la_trace *t);
/*
 * The window scales that were agreed, once they are known: of the windows @local and
 * @peer announce.  Until then windows are shown as they stand in the header.
 */
void ladder_scale(struct ladder *l, uint8_t local, uint8_t peer);

/* Draw what has happened so far.  Nothing is used up: more can be added. */
void ladder_print(const struct ladder *l, FILE *to);
/* The same as one JSON object on one line. */
void ladder_json(const struct ladder *l, FILE *to);

/* Does this record begin a new connection on the ladder's endpoints?  See ladders_add(). */
bool ladder_is_over(const struct ladder *l);

/* A ladder for each connection of a stack ------------------------------------------- */

struct ladders;

struct ladders_options {
    struct ladder_options ladder;
    uint32_t max; /* connections drawn, the first ones; the others are counted; 0 = 16 */
    /*
     * Asked once for each connection that is open: its window scales, as
     * la_conn_info() has them (rcv_wscale is local).  May be NULL.  Return: false if not known.
     */
    bool (*scales)(void *context, la_conn_id conn, uint8_t *local, uint8_t *peer);
    void *context;
};

struct ladders *ladders_new(const struct ladders_options *options);
void ladders_free(struct ladders *s);
/* Any record of the stack; those that belong to no connection are left out. */
void ladders_add(struct ladders *s, const struct la_trace *t);
uint32_t ladders_count(const struct ladders *s);
/* Connections not drawn because of the maximum. */
uint64_t ladders_omitted(const struct ladders *s);
const struct ladder *ladders_at(const struct ladders *s, uint32_t i);
/* All of them, a blank line between, and how many were omitted. */
void ladders_print(const struct ladders *s, FILE *to);
void ladders_json(const struct ladders *s, FILE *to);

#endif
