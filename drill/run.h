/* SPDX-License-Identifier: MIT */
/*
 * run.h - A script that is being run.
 *
 * The runner goes from event to event.  Before each it lets the host's time pass until the
 * event's time; packets the host sends meanwhile wait in order for the script to expect them.
 * The first thing that is not as the script says ends the run.
 */
#ifndef DRILL_RUN_H
#define DRILL_RUN_H

#include "drill/drill.h"
#include "drill/host.h"

#define DRILL_FDS_MAX 1024
#define DRILL_LADDER_MAX 12

/* A packet that crossed, for the ladder. */
struct drill_rung {
    int64_t at_ns;
    bool inbound;
    const char *text;
};

/* A packet the host sent that no event has expected yet. */
struct drill_waiting {
    struct drill_waiting *next;
    int64_t at_ns;
    uint32_t len;
    uint8_t *bytes;
};

struct drill_calling;

struct drill_run {
    const struct drill_script *script;
    struct drill_config config;
    struct drill_host host;
    struct drill_pool *pool;
    struct drill_result *result;
    struct drill_ends ends;
    const struct drill_event *event;
    int64_t event_ns; /* when the event is, in the script's time */
    int64_t last_ns;  /* when the one before was */

    struct drill_flow *flows, *flow; /* all, and the one the script speaks of */
    bool fresh_listener;             /* the next SYN to it begins a flow */
    bool fresh_connect;              /* the next SYN from the host begins one */
    uint16_t bound_port, connect_port, next_remote_port;

    struct {
        int script, live;
        uint64_t sent, received; /* bytes, for the pattern */
    } fds[DRILL_FDS_MAX];
    size_t fd_count;
    int under_test; /* the live number of the socket that assertions are about; -1 if none */

    struct drill_waiting *first, **last;
    struct drill_calling *calling; /* the call that is under way */

    bool own_text; /* a script's string was written: what is on the wire is no pattern */
    struct drill_rung ladder[DRILL_LADDER_MAX];
    uint32_t ladder_count;
    struct drill_variable *variables; /* of the assertions */
};

/* Verdicts: the first one stays.  All return false. */
bool drill_fail(struct drill_run *r, const char *expected, const char *came);
bool drill_failf(struct drill_run *r, const char *expected, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
bool drill_unsupported(struct drill_run *r, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The script itself is wrong: its sentence says what was expected. */
bool drill_malformed(struct drill_run *r, uint32_t line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * drill_value() - An expression as a number.
 * Return: false after a verdict: a name that is not known is not supported.
 */
bool drill_value(struct drill_run *r, const struct drill_expr *e, int64_t *out);
/* The value of the field of that name in a struct; NULL if it has none. */
const struct drill_expr *drill_field(const struct drill_expr *e, const char *name);

int drill_live_fd(const struct drill_run *r, int script);

/* Seconds with six decimals, for messages. */
const char *drill_time_text(struct drill_run *r, int64_t ns);
/* Is @actual_ns as near to @expected_ns as the tolerance asks? */
bool drill_in_time(const struct drill_run *r, int64_t expected_from_ns, int64_t expected_to_ns,
                   int64_t actual_ns);

/* Let time pass until @until_ns; packets go into the queue, a call may return. */
bool drill_pass(struct drill_run *r, int64_t until_ns);
/* Until anything happens.  Return: false if nothing did by @until_ns. */
bool drill_pass_one(struct drill_run *r, int64_t until_ns);
/* Until a packet waits, or @until_ns.  Return: whether one waits. */
bool drill_pass_to_packet(struct drill_run *r, int64_t until_ns);

/* Events, a file each.  Return: false after a verdict. */
bool drill_run_packet(struct drill_run *r, const struct drill_packet *p);
bool drill_run_call(struct drill_run *r, const struct drill_call *c);
bool drill_run_code(struct drill_run *r, const char *text);
/* Wait for the call that is under way, and judge it. */
bool drill_finish_call(struct drill_run *r);

/* One system call on the host outside of the script; a negative errno on error. */
int64_t drill_ask(struct drill_run *r, enum drill_op_kind kind, const intptr_t args[6]);

#endif
