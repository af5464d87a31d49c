/* SPDX-License-Identifier: MIT */
/* ss_row.h - One row of the control protocol as ss shows it: names, timers, details, JSON. */
#ifndef CLI_SS_ROW_H
#define CLI_SS_ROW_H

#include "cli/json.h"
#include "runtime/control_text.h"

#include <lastack/observe.h>

#include <stdio.h>

#define SS_EXT_BYTES 2048
#define SS_CELL_BYTES 96

/* What is to be shown beside the addresses. */
struct ss_show {
    bool numeric, timers, info, memory, processes, why, oneline;
    const char *process; /* users:((...)), or "" */
};

struct ss_row {
    enum la_state state;
    bool listener, v6;
    struct la_endpoint local, remote;
    uint64_t recv_q, send_q, prefix;
    bool v6_only;
};

/* Return: false if the line is no row. */
bool ss_row_read(const struct control_in *in, struct ss_row *out);
/* "127.0.0.1" and "80", "*" and "http". */
void ss_row_local(const struct ss_row *r, bool numeric, char addr[SS_CELL_BYTES],
                  char port[SS_CELL_BYTES]);
void ss_row_remote(const struct ss_row *r, bool numeric, char addr[SS_CELL_BYTES],
                   char port[SS_CELL_BYTES]);
/* What stands behind the addresses: " timer:(...)", and lines of their own. */
void ss_row_ext(const struct control_in *in, const struct ss_row *r, const struct ss_show *show,
                char ext[SS_EXT_BYTES]);
void ss_row_json(const struct control_in *in, const struct ss_row *r, FILE *out);

/* A line of the answer to "causes". */
void ss_cause_json(const struct control_in *in, FILE *out);

/* "119min", "1.500ms", "59sec": ss's way. */
void ss_format_ms(uint64_t ms, char *to, size_t room);

#endif
