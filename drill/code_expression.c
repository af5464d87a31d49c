/* SPDX-License-Identifier: MIT */
/*
 * code_expression.c - Expressions in %{ code }%, with Python's ranks and chained comparisons.
 *
 *     or  and  not  < <= > >= == !=  |  ^  &  << >>  + -  * / // %  - + ~
 */
#include "drill/code.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 64

static struct drill_number integer(int64_t n)
{
    return (struct drill_number){ .integer = n };
}
static struct drill_number real(double x)
{
    return (struct drill_number){ .is_real = true, .real = x };
}
static double as_real(struct drill_number n)
{
    return n.is_real ? n.real : (double)n.integer;
}

/* -1, 0 or 1. */
static int compare(struct drill_number a, struct drill_number b)
{
    if (!a.is_real && !b.is_real)
        return (a.integer > b.integer) - (a.integer < b.integer);
    return (as_real(a) > as_real(b)) - (as_real(a) < as_real(b));
}

static struct drill_number either(struct drill_code *k);

static struct drill_number called(struct drill_code *k, const char *name)
{
    struct drill_number args[8];
    size_t count = 0;
    k->open++;
    if (!drill_code_take(k, ")")) {
        do {
            if (count == 8) {
                drill_code_wrong(k, "at most 8 arguments");
                return integer(0);
            }
            args[count++] = either(k);
        } while (drill_code_take(k, ","));
        if (!drill_code_take(k, ")"))
            drill_code_wrong(k, ")");
    }
    k->open--;
    if (k->failed || count == 0)
        return integer(0);
    struct drill_number n = args[0];
    if (strcmp(name, "abs") == 0)
        return n.is_real ? real(fabs(n.real)) : integer(n.integer < 0 ? 0 - n.integer : n.integer);
    if (strcmp(name, "int") == 0)
        return n.is_real ? integer((int64_t)n.real) : n;
    if (strcmp(name, "float") == 0)
        return real(as_real(n));
    if (strcmp(name, "min") == 0 || strcmp(name, "max") == 0) {
        for (size_t i = 1; i < count; i++)
            if (compare(args[i], n) * (name[1] == 'i' ? 1 : -1) < 0)
                n = args[i];
        return n;
    }
    (void)drill_unsupported(k->r, "function %s() in code", name);
    k->failed = true;
    return n;
}

static struct drill_number literal(struct drill_code *k)
{
    char *end;
    const double x = strtod(k->at, &end);
    char *int_end;
    const long long n = strtoll(k->at, &int_end, 0);
    if (int_end == end) {
        k->at = end;
        return integer(n);
    }
    k->at = end;
    return real(x);
}

static struct drill_number primary(struct drill_code *k)
{
    char word[64];
    struct drill_number n = integer(0);
    drill_code_skip(k);
    if (k->failed)
        return n;
    if ((*k->at >= '0' && *k->at <= '9') || (*k->at == '.' && k->at[1] >= '0' && k->at[1] <= '9'))
        return literal(k);
    if (drill_code_take(k, "(")) {
        k->open++;
        n = either(k);
        if (!drill_code_take(k, ")"))
            drill_code_wrong(k, ")");
        k->open--;
        return n;
    }
    if (!drill_code_word(k, word)) {
        drill_code_wrong(k, "a number or a name");
        return n;
    }
    return drill_code_take(k, "(") ? called(k, word) : drill_code_name(k, word);
}

static struct drill_number unary(struct drill_code *k)
{
    bool minus = false, complement = false;
    int signs = 0;
    for (; signs < DEPTH_MAX; signs++) {
        if (drill_code_take(k, "-"))
            minus = !minus;
        else if (drill_code_take(k, "~"))
            complement = !complement;
        else if (!drill_code_take(k, "+"))
            break;
    }
    struct drill_number n = primary(k);
    if (complement)
        n = integer(~n.integer);
    if (minus)
        n = n.is_real ? real(-n.real) : integer((int64_t)(0 - (uint64_t)n.integer));
    return n;
}

enum { RANK_OR, RANK_XOR, RANK_AND, RANK_SHIFT, RANK_ADD, RANK_MULTIPLY, RANKS };

static const char *const operators[RANKS][4] = {
    { "|" }, { "^" }, { "&" }, { "<<", ">>" }, { "+", "-" }, { "//", "*", "/", "%" },
};

static struct drill_number divide(struct drill_code *k, char op, bool whole, struct drill_number a,
                                  struct drill_number b)
{
    if (!drill_number_is_true(b)) {
        drill_code_wrong(k, "a divisor that is not zero");
        return a;
    }
    if (op == '/' && !whole)
        return real(as_real(a) / as_real(b));
    if (a.is_real || b.is_real) {
        const double q = floor(as_real(a) / as_real(b));
        return op == '/' ? real(q) : real(as_real(a) - q * as_real(b));
    }
    if (b.integer == -1)
        return integer(op == '/' ? (int64_t)(0 - (uint64_t)a.integer) : 0);
    int64_t q = a.integer / b.integer, rest = a.integer % b.integer;
    if (rest != 0 && (rest < 0) != (b.integer < 0)) { /* towards minus infinity */
        q--;
        rest += b.integer;
    }
    return integer(op == '/' ? q : rest);
}

static struct drill_number apply(struct drill_code *k, const char *op, struct drill_number a,
                                 struct drill_number b)
{
    const bool reals = a.is_real || b.is_real;
    const uint64_t x = (uint64_t)a.integer, y = (uint64_t)b.integer;
    switch (op[0]) {
    case '|':
        return integer((int64_t)(x | y));
    case '^':
        return integer((int64_t)(x ^ y));
    case '&':
        return integer((int64_t)(x & y));
    case '<':
        return integer(y < 64 ? (int64_t)(x << y) : 0);
    case '>':
        return integer(y < 64 ? (int64_t)(x >> y) : 0);
    case '+':
        return reals ? real(as_real(a) + as_real(b)) : integer((int64_t)(x + y));
    case '-':
        return reals ? real(as_real(a) - as_real(b)) : integer((int64_t)(x - y));
    case '*':
        return reals ? real(as_real(a) * as_real(b)) : integer((int64_t)(x * y));
    default:
        return divide(k, op[0], op[1] == '/', a, b);
    }
}

/* Operators of one rank and the ranks above, from left to right. */
static struct drill_number ranked(struct drill_code *k, int rank)
{
    if (rank == RANKS)
        return unary(k);
    struct drill_number left = ranked(k, rank + 1);
    for (;;) {
        const char *op = NULL;
        for (int i = 0; i < 4 && op == NULL && operators[rank][i] != NULL; i++)
            if (drill_code_take(k, operators[rank][i]))
                op = operators[rank][i];
        if (op == NULL || k->failed)
            return left;
        left = apply(k, op, left, ranked(k, rank + 1));
    }
}

static struct drill_number comparison(struct drill_code *k)
{
    static const char *const signs[] = { "==", "!=", "<=", ">=", "<", ">" };
    struct drill_number left = ranked(k, 0);
    bool chained = false, holds = true;
    for (;;) {
        size_t i = 0;
        while (i < 6 && !drill_code_take(k, signs[i]))
            i++;
        if (i == 6 || k->failed)
            return chained ? integer(holds) : left;
        const struct drill_number right = ranked(k, 0);
        const int order = compare(left, right);
        const bool meets[] = { order == 0, order != 0, order <= 0, order >= 0, order<0, order> 0 };
        holds = holds && meets[i];
        chained = true;
        left = right;
    }
}

static struct drill_number negation(struct drill_code *k)
{
    bool odd = false, any = false;
    while (drill_code_take(k, "not")) {
        odd = !odd;
        any = true;
    }
    const struct drill_number n = comparison(k);
    return any ? integer(drill_number_is_true(n) != odd) : n;
}

static struct drill_number both(struct drill_code *k)
{
    struct drill_number left = negation(k);
    while (drill_code_take(k, "and")) {
        const struct drill_number right = negation(k);
        left = drill_number_is_true(left) ? right : left;
    }
    return left;
}

static struct drill_number either(struct drill_code *k)
{
    if (++k->depth > DEPTH_MAX) {
        drill_code_wrong(k, "parentheses nested less deeply");
        return integer(0);
    }
    struct drill_number left = both(k);
    while (drill_code_take(k, "or")) {
        const struct drill_number right = both(k);
        left = drill_number_is_true(left) ? left : right;
    }
    k->depth--;
    return left;
}

struct drill_number drill_code_expression(struct drill_code *k)
{
    return either(k);
}
