/* SPDX-License-Identifier: MIT */
/*
 * flow.h - A connection with an application at each end, and what they expect of it.
 *
 * What end 0 writes at offset n is sim_pattern(flow, 0, n), so every byte read can be
 * checked where it is read: exactly once, in order, nothing else.  After the bytes
 * comes one end: EOF, or an error where the scenario allows one.
 *
 * Applications know nothing but events and pauses of their own.  A lost event makes
 * one stand still, and sim_finish() shows it.
 */
#ifndef SIM_FLOW_H
#define SIM_FLOW_H

#include "sim/host.h"

/* How an application ends its connection. */
enum sim_close {
    SIM_CLOSE_HALF,   /* shut down sending after its last byte, read to EOF, then close */
    SIM_CLOSE_LAST,   /* read to EOF, write what is left, then close: the passive side */
    SIM_CLOSE_FULL,   /* close as soon as all is written and all expected bytes are read */
    SIM_CLOSE_ABORT,  /* abort when @abort_after_bytes have passed in both directions */
    SIM_CLOSE_UNREAD, /* close as soon as all is written, whatever has not been read */
};

struct sim_app_opt {
    uint64_t send_bytes;
    uint32_t write_min, write_max; /* bytes a call; 0 = 1 .. 4096 */
    uint32_t read_min, read_max;
    uint32_t write_pause_us, read_pause_us; /* after a call, at most; 0 = none */
    uint32_t read_after_us;                 /* do not read for so long after connecting */
    uint32_t close_delay_us;                /* between the last byte and the close */
    uint64_t abort_after_bytes;
    enum sim_close close;
    bool early_write; /* write before the connection is established */
    bool primitives;  /* reserve and commit, peek and consume */
    bool nodelay;
    uint32_t sndbuf, rcvbuf; /* 0 = as the host has it */
    bool keepalive;          /* 5 s, every 1 s, 5 times */
};

struct sim_flow_opt {
    struct sim_app_opt end[2]; /* the opener's, the other's */
    bool v6;
    bool simultaneous;    /* both open; both ports must be given */
    uint16_t client_port; /* 0 = ephemeral */
    uint16_t server_port; /* 0 = 80 */
    uint64_t start_us;    /* from now */
    bool may_fail;        /* an error at either end is no failure of the run */
    bool fails_to_open;   /* the opener must get an error */
};

enum sim_app_end {
    SIM_END_NONE,
    SIM_END_EOF,
    SIM_END_ERROR,
    SIM_END_OWN, /* it closed or aborted without waiting for either */
};

struct sim_app {
    struct sim_flow *flow;
    struct sim_host *host;
    uint32_t side;
    struct sim_app_opt opt;
    la_conn_id conn;
    bool held; /* the handle is ours */
    bool connected, shut, finished;
    uint64_t sent, received; /* bytes */
    uint64_t write_at_ns, read_at_ns, close_at_ns, timer_at_ns;
    uint64_t connected_at_ns, finished_at_ns;
    uint64_t released_in_drain; /* + 1; events of that batch may still name us */
    enum sim_app_end end;
    enum la_err error;
    enum la_drop reason;
    /* For sim/check/state.c: what was seen last. */
    bool seen;
    uint32_t mask; /* of the last event, or of la_ready() when the handle was new */
    struct la_conn_info info;
    uint64_t rto_at_ns, probe_at_ns; /* last expirations; 0 = none since progress */
    uint32_t rto_us, rto_una, probe_us, probe_una;
};

struct sim_flow {
    struct sim_world *w;
    uint32_t index;
    struct sim_flow_opt opt;
    struct sim_app app[2];
    struct la_endpoint endpoint[2];
    bool started;
    bool abandoned; /* an end that is not there yet need not come */
    uint64_t started_at_ns, finished_at_ns;
};

/* Plan a flow from @a to @b.  @b listens unless the opening is simultaneous. */
struct sim_flow *sim_flow(struct sim_world *w, struct sim_host *a, struct sim_host *b,
                          const struct sim_flow_opt *opt);

/* Chunk sizes and pauses from the seed; no pause is longer than @pause_us_max. */
void sim_app_opt_random(struct sim_world *w, struct sim_app_opt *opt, uint32_t pause_us_max);

/* The byte that @side of a flow writes at @offset. */
uint8_t sim_pattern(uint32_t flow, uint32_t side, uint64_t offset);

/* The newest flow between these endpoints, NULL if none; @side: which of them @from is. */
struct sim_flow *sim_flow_find(struct sim_world *w, const struct la_endpoint *from,
                               const struct la_endpoint *to, uint32_t *side);

/* An event of a host's stack; a pause has ended. */
void sim_flow_event(struct sim_host *h, const struct la_event *event);
void sim_app_wake(struct sim_app *a);
/* The host's applications die with it, without a word to their peers. */
void sim_flow_forget(struct sim_host *h);
/* An end that has not begun counts as finished; it is aborted if it still comes. */
void sim_flow_abandon(struct sim_flow *f);
void sim_flow_free(struct sim_flow *f);
/* One line for a failure: who waits for what. */
void sim_flow_describe(const struct sim_flow *f, char *text, size_t room);

/* Goodput's inverse: from the first SYN until both ends had finished. */
static inline uint64_t sim_flow_took_ns(const struct sim_flow *f)
{
    return f->finished_at_ns - f->started_at_ns;
}

/* app.c: what flow.c needs of an application. */
void sim_app_begin(struct sim_app *a, la_conn_id conn);
void sim_app_run(struct sim_app *a);
/* It waits for an end that has gone and could not tell: then it goes as well. */
bool sim_app_forsaken(struct sim_app *a);

#endif
