/* SPDX-License-Identifier: MIT */
/*
 * ss_filter.c - The filter language of ss; see ss_filter.h.
 *
 * Read by descent: or, and, not, a parenthesis or a condition.  The depth is bounded, and so
 * are the nodes, so nothing a user writes can exhaust the stack.
 */
#include "cli/ss_filter.h"

#include "cli/args.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>

#define WORD_BYTES 128

struct reader {
    const char *at;
    char word[WORD_BYTES]; /* the next word; "" at the end */
    struct ss_filter *f;
    uint32_t depth;
    char *error;
    size_t error_bytes;
    bool failed;
};

const char *ss_state_name(enum la_state state)
{
    static const char *const names[LA_STATES] = {
        [LA_CLOSED] = "UNCONN",         [LA_LISTEN] = "LISTEN",
        [LA_SYN_SENT] = "SYN-SENT",     [LA_SYN_RECEIVED] = "SYN-RECV",
        [LA_ESTABLISHED] = "ESTAB",     [LA_FIN_WAIT_1] = "FIN-WAIT-1",
        [LA_FIN_WAIT_2] = "FIN-WAIT-2", [LA_CLOSE_WAIT] = "CLOSE-WAIT",
        [LA_CLOSING] = "CLOSING",       [LA_LAST_ACK] = "LAST-ACK",
        [LA_TIME_WAIT] = "TIME-WAIT",
    };

    return (uint32_t)state < LA_STATES ? names[state] : "UNKNOWN";
}

static bool state_bits(const char *word, uint32_t *bits)
{
    static const struct {
        const char *word;
        uint32_t bits;
    } words[] = {
        { "all", SS_ALL },
        { "connected", SS_ALL & ~(SS_BIT(CLOSED) | SS_BIT(LISTEN)) },
        { "synchronized", SS_ALL & ~(SS_BIT(CLOSED) | SS_BIT(LISTEN) | SS_BIT(SYN_SENT)) },
        { "bucket", SS_BIT(SYN_RECEIVED) | SS_BIT(TIME_WAIT) },
        { "big", SS_ALL & ~(SS_BIT(SYN_RECEIVED) | SS_BIT(TIME_WAIT)) },
        { "established", SS_BIT(ESTABLISHED) },
        { "syn-sent", SS_BIT(SYN_SENT) },
        { "syn-recv", SS_BIT(SYN_RECEIVED) },
        { "fin-wait-1", SS_BIT(FIN_WAIT_1) },
        { "fin-wait-2", SS_BIT(FIN_WAIT_2) },
        { "time-wait", SS_BIT(TIME_WAIT) },
        { "closed", SS_BIT(CLOSED) },
        { "unconnected", SS_BIT(CLOSED) },
        { "close-wait", SS_BIT(CLOSE_WAIT) },
        { "last-ack", SS_BIT(LAST_ACK) },
        { "listening", SS_BIT(LISTEN) },
        { "listen", SS_BIT(LISTEN) },
        { "closing", SS_BIT(CLOSING) },
    };

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(words[i].word, word) == 0) {
            *bits = words[i].bits;
            return true;
        }
    }
    return false;
}

/* Words -------------------------------------------------------------------------- */

static uint8_t fail(struct reader *r, const char *expected)
{
    if (!r->failed)
        snprintf(r->error, r->error_bytes, "%s expected%s%s", expected,
                 r->word[0] != '\0' ? ", not " : " at the end of the filter", r->word);
    r->failed = true;
    return 0;
}

#define SPECIAL "()!=<>|&"

/* Parentheses and runs of operators are words of their own. */
static void advance(struct reader *r)
{
    size_t len;

    r->at += strspn(r->at, " \t");
    if (*r->at == '(' || *r->at == ')')
        len = 1;
    else if (*r->at != '\0' && strchr(SPECIAL, *r->at) != NULL)
        len = strspn(r->at, "!=<>|&");
    else
        len = strcspn(r->at, " \t" SPECIAL);
    const size_t kept = len < WORD_BYTES ? len : WORD_BYTES - 1;
    memcpy(r->word, r->at, kept);
    r->word[kept] = '\0';
    r->at += len;
    if (len >= WORD_BYTES)
        (void)fail(r, "a shorter word");
}

static bool is(const struct reader *r, const char *a, const char *b, const char *c)
{
    return strcmp(r->word, a) == 0 || (b != NULL && strcmp(r->word, b) == 0) ||
           (c != NULL && strcmp(r->word, c) == 0);
}

static uint8_t new_node(struct reader *r, struct ss_node node)
{
    if (r->f->count == SS_NODES_MAX)
        return fail(r, "a filter with fewer conditions");
    r->f->nodes[r->f->count] = node;
    return r->f->count++;
}

/* Conditions ---------------------------------------------------------------------- */

static bool parse_port(const char *text, uint16_t *port)
{
    uint64_t number;

    if (args_number(text, 0, UINT16_MAX, &number)) {
        *port = (uint16_t)number;
        return true;
    }
    const struct servent *service = getservbyname(text, "tcp");
    if (service != NULL)
        *port = ntohs((uint16_t)service->s_port);
    return service != NULL;
}

static bool take_compare(struct reader *r, enum ss_compare *compare)
{
    static const struct {
        const char *words[3];
        enum ss_compare compare;
    } all[] = {
        { { "=", "==", "eq" }, SS_EQ },   { { "!=", "ne", "neq" }, SS_NE },
        { { "<", "lt", NULL }, SS_LT },   { { ">", "gt", NULL }, SS_GT },
        { { "<=", "le", "leq" }, SS_LE }, { { ">=", "ge", "geq" }, SS_GE },
    };

    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (is(r, all[i].words[0], all[i].words[1], all[i].words[2])) {
            *compare = all[i].compare;
            advance(r);
            return true;
        }
    }
    return false;
}

static uint8_t port_condition(struct reader *r, bool remote)
{
    struct ss_node node = { .kind = SS_PORT, .remote = remote };

    if (!take_compare(r, &node.compare))
        return fail(r, "one of = != < > <= >=");
    if (!parse_port(r->word[0] == ':' ? r->word + 1 : r->word, &node.port))
        return fail(r, "a port, as in :443,");
    advance(r);
    return new_node(r, node);
}

/* ADDR, ADDR/LEN, [ADDR], each with :PORT; *:PORT, :PORT, "*". */
static bool parse_host(char *word, struct ss_node *node)
{
    char *colon = strrchr(word, ':');
    char *bracket = strrchr(word, ']');
    char plain[WORD_BYTES];
    const bool many = colon != NULL && strchr(word, ':') != colon;

    node->any_port = true;
    if (colon != NULL && (bracket != NULL ? colon > bracket : !many)) {
        *colon = '\0';
        node->any_port = strcmp(colon + 1, "*") == 0;
        if (!node->any_port && !parse_port(colon + 1, &node->port))
            return false;
    }
    node->any_host = word[0] == '\0' || strcmp(word, "*") == 0;
    if (node->any_host)
        return true;
    size_t n = 0;
    for (const char *p = word; *p != '\0'; p++)
        if (*p != '[' && *p != ']')
            plain[n++] = *p;
    plain[n] = '\0';
    return la_prefix_parse(plain, true, &node->prefix);
}

static uint8_t host_condition(struct reader *r, bool remote)
{
    struct ss_node node = { .kind = SS_HOST, .remote = remote };
    char word[WORD_BYTES];
    enum ss_compare compare = SS_EQ;

    (void)take_compare(r, &compare);
    if (compare != SS_EQ && compare != SS_NE)
        return fail(r, "= or !=");
    snprintf(word, sizeof word, "%s", r->word);
    if (word[0] == '\0' || !parse_host(word, &node))
        return fail(r, "an address, as in 10.0.0.0/8 or [fd00::1]:80,");
    node.compare = compare;
    advance(r);
    return new_node(r, node);
}

/* Expressions ------------------------------------------------------------------------ */

static uint8_t parse_or(struct reader *r);

static uint8_t parse_not(struct reader *r)
{
    if (r->failed || r->depth >= SS_DEPTH_MAX)
        return fail(r, "a filter with less nesting");
    if (is(r, "not", "!", NULL)) {
        advance(r);
        r->depth++;
        const uint8_t inner = parse_not(r);
        r->depth--;
        return new_node(r, (struct ss_node){ .kind = SS_NOT, .left = inner });
    }
    if (is(r, "(", NULL, NULL)) {
        advance(r);
        r->depth++;
        const uint8_t inner = parse_or(r);
        r->depth--;
        if (!is(r, ")", NULL, NULL))
            return fail(r, ")");
        advance(r);
        return inner;
    }
    const bool remote = r->word[0] == 'd';
    if (is(r, "dport", "sport", NULL)) {
        advance(r);
        return port_condition(r, remote);
    }
    if (is(r, "dst", "src", NULL)) {
        advance(r);
        return host_condition(r, remote);
    }
    return fail(r, "src, dst, sport, dport, not or (");
}

static uint8_t parse_and(struct reader *r)
{
    uint8_t left = parse_not(r);

    while (!r->failed && r->word[0] != '\0' && !is(r, ")", "or", "|") && !is(r, "||", NULL, NULL)) {
        if (is(r, "and", "&", "&&"))
            advance(r);
        const uint8_t right = parse_not(r);
        left = new_node(r, (struct ss_node){ .kind = SS_AND, .left = left, .right = right });
    }
    return left;
}

static uint8_t parse_or(struct reader *r)
{
    uint8_t left = parse_and(r);

    while (!r->failed && is(r, "or", "|", "||")) {
        advance(r);
        const uint8_t right = parse_and(r);
        left = new_node(r, (struct ss_node){ .kind = SS_OR, .left = left, .right = right });
    }
    return left;
}

static void parse_states(struct reader *r)
{
    uint32_t bits = 0;

    while (!r->failed && is(r, "state", "exclude", NULL)) {
        const bool exclude = is(r, "exclude", NULL, NULL);
        advance(r);
        if (!state_bits(r->word, &bits)) {
            (void)fail(r, "a state, as in time-wait,");
            return;
        }
        if (!r->f->states_given)
            r->f->states = exclude ? SS_ALL : 0;
        r->f->states = exclude ? r->f->states & ~bits : r->f->states | bits;
        r->f->states_given = true;
        advance(r);
    }
}

bool ss_filter_parse(const char *text, struct ss_filter *out, char *error, size_t error_bytes)
{
    struct reader r = { .at = text, .f = out, .error = error, .error_bytes = error_bytes };

    *out = (struct ss_filter){ .states = SS_ALL };
    advance(&r);
    parse_states(&r);
    if (!r.failed && r.word[0] != '\0') {
        out->root = parse_or(&r);
        out->has_expression = true;
        if (!r.failed && r.word[0] != '\0')
            (void)fail(&r, "the end of the filter");
    }
    return !r.failed;
}

static bool compare(enum ss_compare how, uint16_t a, uint16_t b)
{
    switch (how) {
    case SS_EQ:
        return a == b;
    case SS_NE:
        return a != b;
    case SS_LT:
        return a < b;
    case SS_GT:
        return a > b;
    case SS_LE:
        return a <= b;
    case SS_GE:
        return a >= b;
    }
    return false;
}

static bool host_matches(const struct ss_node *n, struct la_endpoint e)
{
    const bool same =
        (n->any_host || la_prefix_covers(n->prefix, e.addr)) && (n->any_port || n->port == e.port);

    return same == (n->compare == SS_EQ);
}

/* A node's children come before it, so one pass from the first to the root settles all. */
bool ss_filter_match(const struct ss_filter *f, struct la_endpoint local, struct la_endpoint remote)
{
    bool holds[SS_NODES_MAX] = { false };

    if (!f->has_expression)
        return true;
    for (uint32_t i = 0; i <= f->root; i++) {
        const struct ss_node *n = &f->nodes[i];
        const struct la_endpoint e = n->remote ? remote : local;
        switch (n->kind) {
        case SS_AND:
            holds[i] = holds[n->left] && holds[n->right];
            break;
        case SS_OR:
            holds[i] = holds[n->left] || holds[n->right];
            break;
        case SS_NOT:
            holds[i] = !holds[n->left];
            break;
        case SS_HOST:
            holds[i] = host_matches(n, e);
            break;
        case SS_PORT:
            holds[i] = compare(n->compare, e.port, n->port);
            break;
        }
    }
    return holds[f->root];
}
