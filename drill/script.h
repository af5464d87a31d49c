/* SPDX-License-Identifier: MIT */
/*
 * script.h - A packet script as a tree: what the parser makes and the runner walks.
 *
 * The language is packetdrill's; docs/drill.md describes it.  A script is options, then events.
 * Each event has a time and is one of: a packet that is sent to the host under test (inbound), a
 * packet that is expected of it (outbound), a system call with its result, a command in
 * backticks, or a block of assertions.
 *
 * The tree holds what was written, in the script's own numbers.  It knows neither sockets nor
 * connections, so it can be parsed, printed and fuzzed alone.
 */
#ifndef DRILL_SCRIPT_H
#define DRILL_SCRIPT_H

#include "drill/pool.h"

#include <stdbool.h>
#include <stdint.h>

/* Expressions ------------------------------------------------------------------- */

enum drill_expr_kind {
    DRILL_ANY,     /* ... or a result of * : anything */
    DRILL_INTEGER, /* 1000, 0x2, 'a' */
    DRILL_REAL,    /* 0.5, in assertions only: nanounits in @integer */
    DRILL_STRING,  /* "text" */
    DRILL_WORD,    /* AF_INET */
    DRILL_CALL,    /* htons(8080): @text is the name */
    DRILL_LIST,    /* [a, b] */
    DRILL_STRUCT,  /* {a, b}: items that are DRILL_FIELD or not */
    DRILL_FIELD,   /* name = value, name(hint) = value: items are value and hint */
    DRILL_UNARY,   /* @op is - ~ + ! & */
    DRILL_BINARY,  /* @op is one of | & ^ + - * < (shift left) > (shift right) */
};

struct drill_expr {
    enum drill_expr_kind kind;
    uint32_t line;
    char op;
    int64_t integer;
    const char *text;
    size_t text_len;
    struct drill_expr **items;
    size_t count;
};

/* Times --------------------------------------------------------------------------- */

enum drill_time_kind {
    DRILL_AT,            /* 1.5 */
    DRILL_AFTER,         /* +.5: after the event before */
    DRILL_BETWEEN,       /* 1~2 */
    DRILL_AFTER_BETWEEN, /* +1~+2 */
    DRILL_WHENEVER,      /* * */
};

struct drill_when {
    enum drill_time_kind kind;
    int64_t from_ns, to_ns; /* to_ns of the two ranges */
    bool blocks;            /* from...returns */
    int64_t returns_ns;
};

/* Packets ------------------------------------------------------------------------- */

enum drill_protocol { DRILL_TCP, DRILL_UDP, DRILL_ICMP };
enum drill_ecn {
    DRILL_ECN_UNSAID,
    DRILL_ECN_ANY,
    DRILL_ECN_NO,
    DRILL_ECN_ECT0,
    DRILL_ECN_ECT1,
    DRILL_ECN_ECT01,
    DRILL_ECN_CE
};
enum drill_quote { DRILL_QUOTE_LAST, DRILL_QUOTE_TCP, DRILL_QUOTE_UDP };

struct drill_seq {
    bool said;
    bool absolute; /* abs(N): as on the wire */
    uint32_t first, last, len;
};

struct drill_options {
    bool any;          /* <...> */
    uint8_t bytes[40]; /* as on the wire, in the script's numbers */
    uint8_t len;
    int timestamps_at; /* offset of the value of a timestamps option, -1 if none */
    bool ecr_absolute;
    bool val_any, ecr_any;
    int sack_at; /* offset of the first block, -1 if none */
    uint8_t sack_blocks;
};

struct drill_packet {
    bool inbound;
    bool unordered; /* >~ : may change places with its neighbours that say so too */
    enum drill_protocol protocol;
    enum drill_ecn ecn;
    bool has_tos, has_ttl, has_flow_label, has_id, has_df, df;
    uint8_t tos, ttl;
    uint32_t flow_label;
    uint16_t id;
    bool has_ports;
    uint16_t src_port, dst_port;
    uint8_t flags;       /* as on the wire */
    uint8_t reserved;    /* the low nibble of the offset's byte: AE is 1 */
    bool flags_any_push; /* p: PSH or not */
    struct drill_seq seq;
    bool has_ack, ack_absolute;
    uint32_t ack;
    bool has_window, window_any;
    uint32_t window;
    bool has_urgent;
    uint16_t urgent;
    struct drill_options options;
    uint32_t payload_len; /* UDP, echo */
    const char *icmp_type, *icmp_code;
    bool has_icmp_mtu;
    uint32_t icmp_mtu;
    enum drill_quote quote;
    struct drill_seq quoted;
    uint32_t quoted_len;
    const char *unsupported; /* the feature in it that no host here has, or NULL */
};

/* Calls --------------------------------------------------------------------------- */

struct drill_call {
    const char *name;
    struct drill_expr **args;
    size_t count;
    struct drill_expr *result;
    const char *error; /* EAGAIN, or NULL */
    const char *note;  /* what stood in parentheses, or NULL */
};

/* Events -------------------------------------------------------------------------- */

enum drill_event_kind { DRILL_PACKET, DRILL_SYSCALL, DRILL_COMMAND, DRILL_CODE };

struct drill_event {
    enum drill_event_kind kind;
    uint32_t line;
    const char *source; /* the event as it was written */
    struct drill_when when;
    struct drill_packet *packet;
    struct drill_call *call;
    const char *text; /* of a command, of code */
    struct drill_event *next;
};

struct drill_setting {
    const char *name, *value; /* value is NULL for a bare --name */
    uint32_t line;
    struct drill_setting *next;
};

struct drill_script {
    struct drill_pool pool;
    const char *file;
    struct drill_setting *settings;
    struct drill_event *events;
    uint32_t event_count;
};

struct drill_problem {
    uint32_t line;
    char expected[256];
    char came[128];
    char unsupported[128]; /* not malformed, but of a kind that is refused: its name */
};

/* NAME=VALUE: the word NAME stands for VALUE wherever it occurs. */
struct drill_define {
    const char *name, *value;
};

/*
 * drill_parse() - Read a script.
 * @file:    For messages; borrowed for the script's life
 * @text:    @len bytes, which need no NUL; not used after the call
 * @script:  Zeroed; on return owns a pool either way (drill_script_free())
 * @problem: On failure: the line, what was expected there and what came instead
 *
 * Return: true if the whole text is a script.
 */
bool drill_parse(const char *file, const char *text, size_t len, const struct drill_define *defines,
                 size_t define_count, struct drill_script *script, struct drill_problem *problem);
void drill_script_free(struct drill_script *script);

#endif
