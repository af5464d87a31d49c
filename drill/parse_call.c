/* SPDX-License-Identifier: MIT */
/*
 * parse_call.c - System calls and the expressions in them.
 *
 *     name(expression, ...) = expression [ERRNO] [(note)]
 *
 * Braces hold fields, "name = value" or "name(hint) = value", or bare expressions; brackets hold
 * lists.  What they mean depends on the call, which this file does not know.
 */
#include "drill/reader.h"

#include <string.h>

#define ITEMS_MAX 64

static struct drill_expr *read_expr(struct drill_reader *r, int depth);

static struct drill_expr *new_expr(struct drill_reader *r, enum drill_expr_kind kind)
{
    struct drill_expr *e = drill_alloc(r->pool, sizeof *e);
    e->kind = kind;
    e->line = r->line;
    return e;
}

static void set_items(struct drill_reader *r, struct drill_expr *e, struct drill_expr **items,
                      size_t count)
{
    e->items = drill_alloc(r->pool, (count + 1) * sizeof *items);
    if (count > 0)
        memcpy(e->items, items, count * sizeof *items);
    e->count = count;
}

/* Expressions separated by commas, up to @close. */
static bool read_items(struct drill_reader *r, const char *close, int depth,
                       struct drill_expr *into)
{
    struct drill_expr *items[ITEMS_MAX];
    size_t count = 0;
    if (!drill_take(r, close)) {
        do {
            if (count == ITEMS_MAX)
                return drill_expected(r, "at most %d items", ITEMS_MAX);
            items[count] = read_expr(r, depth + 1);
            if (items[count] == NULL)
                return false;
            count++;
        } while (drill_take(r, ","));
        if (!drill_need(r, close))
            return false;
    }
    set_items(r, into, items, count);
    return true;
}

static bool read_string(struct drill_reader *r, struct drill_expr *e)
{
    const char *begin = r->at;
    char *text = drill_alloc(r->pool, 1);
    size_t len = 0, room = 0;
    while (r->at < r->end && *r->at != '"' && *r->at != '\n') {
        char c = *r->at++;
        if (c == '\\' && r->at < r->end) {
            c = *r->at++;
            c = c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c == '0' ? '\0' : c;
        }
        if (len + 1 >= room) {
            room = room * 2 + 32;
            char *larger = drill_alloc(r->pool, room);
            memcpy(larger, text, len);
            text = larger;
        }
        text[len++] = c;
    }
    if (r->at == r->end || *r->at != '"') {
        r->at = begin;
        return drill_expected(r, "the closing quote of a string");
    }
    r->at++;
    e->text = text;
    e->text_len = len;
    return true;
}

static struct drill_expr *read_unary(struct drill_reader *r, char op, int depth);

/* A word: alone, called, or the name of a field. */
static struct drill_expr *read_name(struct drill_reader *r, int depth)
{
    struct drill_expr *e = new_expr(r, DRILL_WORD);
    e->text = drill_word(r);
    if (drill_take(r, "(")) {
        e->kind = DRILL_CALL;
        if (!read_items(r, ")", depth, e))
            return NULL;
    }
    /* "name = value", but not "name == value". */
    drill_skip(r);
    if (r->at + 1 < r->end && *r->at == '=' && r->at[1] != '=') {
        r->at++;
        struct drill_expr *hint = e->count > 0 ? e->items[0] : NULL;
        struct drill_expr *value = read_expr(r, depth + 1);
        if (value == NULL)
            return NULL;
        e->kind = DRILL_FIELD;
        set_items(r, e, (struct drill_expr *[]){ value, hint }, 2);
    }
    return e;
}

static struct drill_expr *read_primary(struct drill_reader *r, int depth)
{
    struct drill_expr *e = new_expr(r, DRILL_ANY);
    const char c = drill_peek(r);
    if (depth > DRILL_DEPTH_MAX) {
        drill_expected(r, "brackets nested less deeply");
        return NULL;
    }
    if (drill_take(r, "..."))
        return e;
    if (c == '*' || c == '?') {
        r->at++;
        return e;
    }
    if (drill_is_digit(c)) {
        uint64_t n;
        e->kind = DRILL_INTEGER;
        if (!drill_unsigned(r, "a number", UINT64_MAX, &n))
            return NULL;
        e->integer = (int64_t)n;
        while (r->at < r->end && strchr("uUlL", *r->at) != NULL && *r->at != '\0')
            r->at++;
        return e;
    }
    if (drill_take(r, "\"")) {
        e->kind = DRILL_STRING;
        return read_string(r, e) ? e : NULL;
    }
    if (drill_take(r, "[")) {
        e->kind = DRILL_LIST;
        return read_items(r, "]", depth, e) ? e : NULL;
    }
    if (drill_take(r, "{")) {
        e->kind = DRILL_STRUCT;
        return read_items(r, "}", depth, e) ? e : NULL;
    }
    if (drill_take(r, "(")) {
        e = read_expr(r, depth + 1);
        return e != NULL && drill_need(r, ")") ? e : NULL;
    }
    if (c == '-' || c == '~' || c == '!' || c == '&') {
        r->at++;
        return read_unary(r, c, depth);
    }
    if (drill_is_letter(c))
        return read_name(r, depth);
    drill_expected(r, "an expression");
    return NULL;
}

static struct drill_expr *read_unary(struct drill_reader *r, char op, int depth)
{
    struct drill_expr *e = new_expr(r, DRILL_UNARY);
    struct drill_expr *of = read_primary(r, depth + 1);
    if (of == NULL)
        return NULL;
    e->op = op;
    set_items(r, e, &of, 1);
    return e;
}

static char read_operator(struct drill_reader *r)
{
    if (drill_take(r, "<<"))
        return '<';
    if (drill_take(r, ">>"))
        return '>';
    const char c = drill_peek(r);
    if (c == '|' || c == '&' || c == '^' || c == '+' || c == '-') {
        r->at++;
        return c;
    }
    return '\0';
}

/*
 * Operators of one rank, from left to right: what scripts combine are flags.  A "-" or "+" behind
 * a whole result would begin the next event, so results are read by read_primary() alone.
 */
static struct drill_expr *read_expr(struct drill_reader *r, int depth)
{
    struct drill_expr *left = read_primary(r, depth);
    if (left == NULL)
        return NULL;
    for (int count = 0; count <= DRILL_DEPTH_MAX * 2; count++) {
        const char op = read_operator(r);
        if (op == '\0')
            return left;
        struct drill_expr *right = read_primary(r, depth + 1);
        if (right == NULL)
            return NULL;
        struct drill_expr *e = new_expr(r, DRILL_BINARY);
        e->op = op;
        set_items(r, e, (struct drill_expr *[]){ left, right }, 2);
        left = e;
    }
    drill_expected(r, "fewer operators in a row");
    return NULL;
}

/* A result may combine flags: 1 or O_RDWR|O_NONBLOCK. */
static struct drill_expr *read_result(struct drill_reader *r)
{
    struct drill_expr *left = read_primary(r, 0);
    if (left == NULL)
        return NULL;
    while (drill_take(r, "|")) {
        struct drill_expr *right = read_primary(r, 0);
        if (right == NULL)
            return NULL;
        struct drill_expr *e = new_expr(r, DRILL_BINARY);
        e->op = '|';
        set_items(r, e, (struct drill_expr *[]){ left, right }, 2);
        left = e;
    }
    return left;
}

/* What stands in parentheses behind the errno, brackets inside included. */
static bool read_note(struct drill_reader *r, struct drill_call *c)
{
    if (!drill_take(r, "("))
        return true;
    const char *begin = r->at;
    int open = 1;
    while (r->at < r->end && *r->at != '\n') {
        open += *r->at == '(' ? 1 : *r->at == ')' ? -1 : 0;
        if (open == 0)
            break;
        r->at++;
    }
    if (open != 0)
        return drill_expected(r, "the closing parenthesis of a note");
    c->note = drill_text(r->pool, begin, (size_t)(r->at - begin));
    r->at++;
    return true;
}

bool drill_read_call(struct drill_reader *r, struct drill_call *c)
{
    struct drill_expr args = { 0 };
    c->name = drill_word(r);
    if (strncmp(c->name, "sctp_", 5) == 0)
        return drill_refused(r, "sctp");
    if (!drill_need(r, "(") || !read_items(r, ")", 0, &args) || !drill_need(r, "="))
        return false;
    c->args = args.items;
    c->count = args.count;
    c->result = read_result(r);
    if (c->result == NULL)
        return false;
    const bool bracket = drill_take(r, "[");
    c->error = drill_word(r);
    if (bracket && (c->error == NULL || !drill_need(r, "]")))
        return drill_expected(r, "an errno in brackets");
    return read_note(r, c) && !r->failed;
}
