/* SPDX-License-Identifier: MIT */
/*
 * calls_settings.c - setsockopt, getsockopt and ioctl: values that are numbers in brackets,
 * strings, or the structs linger, timeval and tcp_info.
 */
#include "drill/calls.h"
#include "drill/symbols.h"

#include <stdio.h>
#include <string.h>
#include <sys/time.h>

/* A field by either of two names; 0 if there is none. */
static bool either(struct drill_run *r, const struct drill_expr *e, const char *a, const char *b,
                   int64_t *out)
{
    const struct drill_expr *f = drill_field(e, a);
    if (f == NULL)
        f = drill_field(e, b);
    *out = 0;
    return f == NULL || f->kind == DRILL_ANY || drill_value(r, f, out);
}

static bool is_linger(const struct drill_expr *e)
{
    return drill_field(e, "onoff") != NULL || drill_field(e, "l_onoff") != NULL;
}
static bool is_timeval(const struct drill_expr *e)
{
    return drill_field(e, "tv_sec") != NULL;
}

static bool put(struct drill_calling *c, const void *bytes, size_t len)
{
    c->value = drill_alloc(c->r->pool, len + 1);
    memcpy(c->value, bytes, len);
    c->value_len = (socklen_t)len;
    return true;
}

/* The script's value as the bytes a host would have in memory. */
static bool make_value(struct drill_calling *c, const struct drill_expr *e, bool wide)
{
    int64_t a, b;
    struct drill_run *r = c->r;
    if (e->kind == DRILL_LIST && e->count == 1)
        e = e->items[0];
    if (e->kind == DRILL_STRING)
        return put(c, e->text, e->text_len);
    if (e->kind == DRILL_STRUCT && is_linger(e)) {
        if (!either(r, e, "onoff", "l_onoff", &a) || !either(r, e, "linger", "l_linger", &b))
            return false;
        const struct linger v = { (int)a, (int)b };
        return put(c, &v, sizeof v);
    }
    if (e->kind == DRILL_STRUCT && is_timeval(e)) {
        if (!either(r, e, "tv_sec", "tv_sec", &a) || !either(r, e, "tv_usec", "tv_usec", &b))
            return false;
        const struct timeval v = { a, b };
        return put(c, &v, sizeof v);
    }
    if (e->kind == DRILL_STRUCT)
        return drill_unsupported(r, "this struct as an option's value");
    if (!drill_value(r, e, &a))
        return false;
    const int v = (int)a;
    return wide ? put(c, &a, sizeof a) : put(c, &v, sizeof v);
}

bool drill_setsockopt(struct drill_calling *c)
{
    if (!drill_arg_fd(c, 0) || !drill_arg(c, 1) || !drill_arg(c, 2))
        return false;
    const struct drill_expr *value = c->call->args[3];
    const struct drill_expr *len = c->call->args[4];
    int64_t n = -1;
    if (len->kind != DRILL_ANY && !drill_value(c->r, len, &n))
        return false;
    if (value->kind == DRILL_WORD && strcmp(value->text, "NULL") == 0) {
        c->op.args[4] = (intptr_t)(n >= 0 ? n : 0);
        return true;
    }
    if (!make_value(c, value, n == 8))
        return false;
    c->op.args[3] = (intptr_t)c->value;
    c->op.args[4] = (intptr_t)(n >= 0 ? n : (int64_t)c->value_len);
    return true;
}

bool drill_getsockopt(struct drill_calling *c)
{
    if (!drill_arg_fd(c, 0) || !drill_arg(c, 1) || !drill_arg(c, 2))
        return false;
    const struct drill_expr *len = c->call->args[4];
    int64_t n = DRILL_TCP_INFO_BYTES;
    c->expected = c->call->args[3];
    const bool number = c->expected->kind == DRILL_LIST;
    if (len->kind == DRILL_LIST && len->count == 1) {
        c->expected_len = len->items[0];
        if (c->expected_len->kind != DRILL_ANY && !drill_value(c->r, c->expected_len, &n))
            return false;
    } else if (number || is_linger(c->expected) || is_timeval(c->expected)) {
        n = number ? 4 : is_linger(c->expected) ? (int64_t)sizeof(struct linger) : 16;
    }
    if (n < 0 || n > 65536)
        return drill_malformed(c->r, len->line, "a length of at most 65536");
    c->value =
        drill_alloc(c->r->pool, (size_t)(n > DRILL_TCP_INFO_BYTES ? n : DRILL_TCP_INFO_BYTES));
    c->value_len = (socklen_t)n;
    c->op.args[3] = (intptr_t)c->value;
    c->op.args[4] = (intptr_t)&c->value_len;
    return true;
}

static bool same(struct drill_calling *c, const char *name, int64_t expected, int64_t came)
{
    if (expected == came)
        return true;
    return drill_failf(c->r, drill_format(c->r->pool, "%s %lld", name, (long long)expected), "%lld",
                       (long long)came);
}

static bool check_tcp_info(struct drill_calling *c)
{
    for (size_t i = 0; i < c->expected->count; i++) {
        const struct drill_expr *f = c->expected->items[i];
        int64_t expected, came;
        if (f->kind != DRILL_FIELD)
            return drill_malformed(c->r, f->line, "tcpi_field=value");
        if (f->items[0]->kind == DRILL_ANY)
            continue;
        if (drill_tcp_info(c->value, c->value_len, f->text, &came) != 1)
            return drill_unsupported(c->r, "field %s", f->text);
        if (!drill_value(c->r, f->items[0], &expected) || !same(c, f->text, expected, came))
            return false;
    }
    return true;
}

static bool check_linger(struct drill_calling *c)
{
    struct linger came;
    int64_t on, time;
    memcpy(&came, c->value, sizeof came);
    return either(c->r, c->expected, "onoff", "l_onoff", &on) &&
           either(c->r, c->expected, "linger", "l_linger", &time) &&
           same(c, "l_onoff", on, came.l_onoff) && same(c, "l_linger", time, came.l_linger);
}

static bool check_timeval(struct drill_calling *c)
{
    struct timeval came;
    int64_t s, us;
    memcpy(&came, c->value, sizeof came);
    return either(c->r, c->expected, "tv_sec", "tv_sec", &s) &&
           either(c->r, c->expected, "tv_usec", "tv_usec", &us) &&
           same(c, "tv_sec", s, came.tv_sec) && same(c, "tv_usec", us, came.tv_usec);
}

/* A number of as many octets as came. */
static int64_t number_of(const struct drill_calling *c)
{
    int32_t n32 = 0;
    int64_t n64 = 0;
    if (c->value_len >= 8) {
        memcpy(&n64, c->value, 8);
        return n64;
    }
    if (c->value_len < 4)
        return c->value_len > 0 ? c->value[0] : 0;
    memcpy(&n32, c->value, 4);
    return n32;
}

bool drill_getsockopt_check(struct drill_calling *c)
{
    const struct drill_expr *e = c->expected;
    int64_t n;
    if (c->expected_len != NULL && c->expected_len->kind != DRILL_ANY && e->kind == DRILL_LIST) {
        if (!drill_value(c->r, c->expected_len, &n) ||
            !same(c, "length of the value", n, (int64_t)c->value_len))
            return false;
    }
    if (e->kind == DRILL_LIST && e->count == 1)
        e = e->items[0];
    if (e->kind == DRILL_ANY)
        return true;
    if (e->kind == DRILL_STRING) {
        if (strncmp((const char *)c->value, e->text, c->value_len) == 0)
            return true;
        return drill_failf(c->r, drill_format(c->r->pool, "\"%s\"", e->text), "\"%.*s\"",
                           (int)c->value_len, (const char *)c->value);
    }
    if (e->kind == DRILL_STRUCT) {
        c->expected = e;
        return is_linger(e)    ? check_linger(c)
               : is_timeval(e) ? check_timeval(c)
                               : check_tcp_info(c);
    }
    return drill_value(c->r, e, &n) && same(c, "value", n, number_of(c));
}

/* --- ioctl ------------------------------------------------------------------------------ */

bool drill_ioctl(struct drill_calling *c)
{
    if (!drill_arg_fd(c, 0) || !drill_arg(c, 1))
        return false;
    if (c->call->count < 3)
        return true;
    const struct drill_expr *e = c->call->args[2];
    int64_t n = 0;
    if (e->kind == DRILL_WORD) /* NULL */
        return drill_arg(c, 2);
    if (e->kind == DRILL_LIST && e->count == 1)
        e = e->items[0];
    if (e->kind != DRILL_ANY && !drill_value(c->r, e, &n))
        return false;
    const int v = (int)n;
    c->expected = e;
    put(c, &v, sizeof v);
    c->op.args[2] = (intptr_t)c->value;
    return true;
}

bool drill_ioctl_check(struct drill_calling *c)
{
    int64_t n;
    int came;
    if (c->expected == NULL || c->expected->kind == DRILL_ANY)
        return true;
    memcpy(&came, c->value, sizeof came);
    return drill_value(c->r, c->expected, &n) && same(c, "value", n, came);
}
