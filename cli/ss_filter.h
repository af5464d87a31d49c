/* SPDX-License-Identifier: MIT */
/*
 * ss_filter.h - Which connections `lastack ss` shows: states, and an expression as ss(8) has it.
 *
 *     state time-wait exclude syn-recv ( dport = :443 or sport = :443 ) and not dst 10.0.0.0/8
 *
 * Pure: words in, a tree of bounded size out.  Conditions beside each other are joined by "and".
 */
#ifndef CLI_SS_FILTER_H
#define CLI_SS_FILTER_H

#include <lastack/types.h>

#define SS_NODES_MAX 64u
#define SS_DEPTH_MAX 16u

/* Bits of enum la_state. */
#define SS_BIT(name) (1u << LA_##name)
#define SS_ALL ((1u << LA_STATES) - 1u)
/* What is shown when nothing is asked for, and with -l. */
#define SS_CONNECTED                                                                               \
    (SS_ALL & ~(SS_BIT(LISTEN) | SS_BIT(CLOSED) | SS_BIT(TIME_WAIT) | SS_BIT(SYN_RECEIVED)))
#define SS_LISTENING SS_BIT(LISTEN)

enum ss_kind { SS_AND, SS_OR, SS_NOT, SS_HOST, SS_PORT };
enum ss_compare { SS_EQ, SS_NE, SS_LT, SS_GT, SS_LE, SS_GE };

struct ss_node {
    enum ss_kind kind;
    bool remote; /* of SS_HOST and SS_PORT: dst, dport */
    bool any_host;
    bool any_port; /* of SS_HOST */
    enum ss_compare compare;
    uint16_t port;
    struct la_prefix prefix;
    uint8_t left, right; /* nodes */
};

struct ss_filter {
    uint32_t states;
    bool states_given;
    bool has_expression;
    uint8_t root, count;
    struct ss_node nodes[SS_NODES_MAX];
};

/*
 * ss_filter_parse() - Read the words behind the options.
 * @text:  All of them, with blanks between
 * @error: On failure, a sentence that names the word
 */
bool ss_filter_parse(const char *text, struct ss_filter *out, char *error, size_t error_bytes);

/* Does the expression hold?  States are not looked at. */
bool ss_filter_match(const struct ss_filter *f, struct la_endpoint local,
                     struct la_endpoint remote);

/* "ESTAB", "TIME-WAIT": as ss prints them. */
const char *ss_state_name(enum la_state state);

#endif
