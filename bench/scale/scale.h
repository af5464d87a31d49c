/* SPDX-License-Identifier: MIT */
/* scale.h - The parts of bench/scale/scale.c: what is measured, by whom, and what is kept of it. */
#ifndef BENCH_SCALE_H
#define BENCH_SCALE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <lastack/observe.h>

#define SCALE_SIZES 4 /* 10^3 .. 10^6 connections */
#define SCALE_BATCH 64u

/* The operations of the curves: name, and what one of them is. */
#define SCALE_OPS(OP)                                                                              \
    OP(port_choice, "connect's choice of a port")                                                  \
    OP(bind, "a port for bind(), none asked for")                                                  \
    OP(bind_asked, "may this port be bound?")                                                      \
    OP(open, "la_open(), its choice of a port included")                                           \
    OP(handshake, "three segments, both ends")                                                     \
    OP(accept, "la_accept()")                                                                      \
    OP(send, "la_send() of 64 bytes")                                                              \
    OP(carry, "that segment, out of one end and into the other")                                   \
    OP(receive, "la_recv() of it")                                                                 \
    OP(timer_arm, "SO_KEEPALIVE set")                                                              \
    OP(timer_expire, "a keepalive timer fires, its place in the wheel included")                   \
    OP(ss_row, "a step of the cursor of ss")                                                       \
    OP(close, "la_close()")                                                                        \
    OP(fin, "FIN and its ACK, both ends")                                                          \
    OP(time_wait_entry, "FIN in, TIME_WAIT entered, ACK out, LAST_ACK over")                       \
    OP(time_wait_expiry, "a TIME_WAIT ends")

enum scale_op {
#define SCALE_OP(name, text) SCALE_##name,
    SCALE_OPS(SCALE_OP)
#undef SCALE_OP
        SCALE_OP_COUNT
};

struct scale_op_text {
    const char *name, *text;
};
extern const struct scale_op_text scale_op_text[SCALE_OP_COUNT];

/* meter.c: time, and instructions when callgrind looks on ------------------------------------- */

struct meter {
    uint64_t ns[SCALE_OP_COUNT], count[SCALE_OP_COUNT];
    uint64_t empty_ns; /* what reading the clock twice takes */
    uint64_t began;
    bool counting; /* under callgrind: instructions instead of time, one part for each operation */
    enum scale_op current;
};

void meter_open(struct meter *m);
void meter_begin(struct meter *m, enum scale_op op);
/* @count operations were done since meter_begin(). */
void meter_end(struct meter *m, uint64_t count);
/* While it is off nothing is counted, and callgrind does not slow the work down. */
void meter_on(const struct meter *m, bool on);
/* For meter_count(): how many operations of each. */
void meter_print_counts(const struct meter *m);
/* Run "@self --counted @connections" under callgrind; instructions an operation, 0 = not counted. */
bool meter_count(const char *self, uint32_t connections, double insns[SCALE_OP_COUNT]);

/* curve.c -------------------------------------------------------------------------------------- */

struct curve {
    uint32_t connections;
    double ns[SCALE_OP_COUNT], insns[SCALE_OP_COUNT];
    double tick_worst_us;   /* the longest single la_tick() while timers fired */
    double open_us;         /* open, handshake and accept of a connection, both ends */
    double round_trip_us;   /* 64 bytes there and back over a random connection, one in flight */
    double bytes_endpoint;  /* of the arenas, for each end of an established connection */
    double bytes_time_wait; /* of the first end's arena, for each TIME_WAIT */
    double probes_port;     /* 4-tuples looked up for a port */
};

/* Everything that is known of so many connections; with a counting meter only counts. */
void curve_run(struct curve *c, uint32_t connections, bool counting);

/* churn.c -------------------------------------------------------------------------------------- */

struct churn {
    uint32_t rate;      /* closes a virtual second */
    uint32_t seconds;   /* virtual */
    uint32_t wanted;    /* closes a real second */
    uint32_t cap;       /* tcp_max_tw_buckets, raised */
    uint32_t addresses; /* of the other end */
    uint64_t held;      /* TIME_WAITs at the end */
    uint64_t closes;
    double per_s;                       /* closes a second of CPU time, all of it */
    double per_s_filling, per_s_steady; /* while TIME_WAITs only come; while as many go */
    double bytes_time_wait;             /* record and index */
    double rss_bytes;
};

void churn_run(struct churn *c);
/* Bytes it will take. */
uint64_t churn_bytes(const struct churn *c);

/* host.c: this machine's kernel over loopback, in a namespace of its own ------------------------- */

struct host {
    bool there;
    char why_not[160];
    char kernel[64];
    uint32_t connections, lives;
    double open_us, round_trip_us, close_us, lives_per_s;
    double bytes_endpoint, bytes_time_wait; /* of the slabs that have a name */
    uint32_t time_waits;
};

void host_run(struct host *h, bool quick);

/* report.c --------------------------------------------------------------------------------------- */

void scale_print_curves(const struct curve *c, uint32_t n);
void scale_print_churn(const struct churn *c);
void scale_print_host(const struct host *h);
bool scale_json(const char *path, const struct curve *c, uint32_t curves, const struct churn *churn,
                uint32_t churns, const struct host *h);

void scale_must(bool ok, const char *what);
/* Of the arena, what holds state: the sum of its extents. */
uint64_t scale_used_bytes(const struct la_stack *s);

#endif
