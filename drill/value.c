/* SPDX-License-Identifier: MIT */
/* value.c - Expressions of system calls, as numbers. */
#include "drill/run.h"
#include "drill/symbols.h"

#include <arpa/inet.h>
#include <string.h>

static bool call_value(struct drill_run *r, const struct drill_expr *e, int64_t *out)
{
    int64_t n = 0;
    if (e->count == 1 && strcmp(e->text, "inet_addr") == 0 && e->items[0]->kind == DRILL_STRING) {
        *out = (int64_t)inet_addr(e->items[0]->text);
        return true;
    }
    if (e->count != 1 || !(strcmp(e->text, "htons") == 0 || strcmp(e->text, "ntohs") == 0 ||
                           strcmp(e->text, "htonl") == 0 || strcmp(e->text, "ntohl") == 0))
        return drill_unsupported(r, "function %s()", e->text);
    const struct drill_expr *argument = e->items[0];
    if (argument->kind == DRILL_CALL || argument->kind == DRILL_BINARY)
        return drill_malformed(r, e->line, "a number in %s()", e->text);
    if (!drill_value(r, argument, &n))
        return false;
    *out = e->text[4] == 's' ? htons((uint16_t)n) : (int64_t)htonl((uint32_t)n);
    return true;
}

static int64_t combine(char op, int64_t a, int64_t b)
{
    const uint64_t x = (uint64_t)a, y = (uint64_t)b;
    switch (op) {
    case '|':
        return (int64_t)(x | y);
    case '&':
        return (int64_t)(x & y);
    case '^':
        return (int64_t)(x ^ y);
    case '+':
        return (int64_t)(x + y);
    case '-':
        return (int64_t)(x - y);
    case '<':
        return (int64_t)(y < 64 ? x << y : 0);
    default:
        return (int64_t)(y < 64 ? x >> y : 0);
    }
}

bool drill_value(struct drill_run *r, const struct drill_expr *e, int64_t *out)
{
    int64_t a = 0, b = 0;
    switch (e->kind) {
    case DRILL_INTEGER:
        *out = e->integer;
        return true;
    case DRILL_WORD:
        if (strcmp(e->text, "NULL") == 0) {
            *out = 0;
            return true;
        }
        return drill_symbol(e->text, out) || drill_unsupported(r, "constant %s", e->text);
    case DRILL_CALL:
        return call_value(r, e, out);
    case DRILL_UNARY:
        if (!drill_value(r, e->items[0], &a))
            return false;
        *out = e->op == '-' ? (int64_t)(0 - (uint64_t)a) : e->op == '~' ? ~a : !a;
        return true;
    case DRILL_BINARY:
        if (!drill_value(r, e->items[0], &a) || !drill_value(r, e->items[1], &b))
            return false;
        *out = combine(e->op, a, b);
        return true;
    case DRILL_ANY:
    case DRILL_REAL:
    case DRILL_STRING:
    case DRILL_LIST:
    case DRILL_STRUCT:
    case DRILL_FIELD:
        break;
    }
    return drill_malformed(r, e->line, "a number here");
}

const struct drill_expr *drill_field(const struct drill_expr *e, const char *name)
{
    for (size_t i = 0; e->kind == DRILL_STRUCT && i < e->count; i++)
        if (e->items[i]->kind == DRILL_FIELD && strcmp(e->items[i]->text, name) == 0)
            return e->items[i]->items[0];
    return NULL;
}
