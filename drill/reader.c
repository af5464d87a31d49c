/* SPDX-License-Identifier: MIT */
/* reader.c - Characters to tokens. */
#include "drill/reader.h"

#include <stdio.h>
#include <string.h>

static void advance(struct drill_reader *r)
{
    if (*r->at == '\n')
        r->line++;
    r->at++;
}

static bool next_is(const struct drill_reader *r, const char *token)
{
    const size_t len = strlen(token);
    return (size_t)(r->end - r->at) >= len && memcmp(r->at, token, len) == 0;
}

void drill_skip(struct drill_reader *r)
{
    while (r->at < r->end) {
        if (*r->at == ' ' || *r->at == '\t' || *r->at == '\r' || *r->at == '\n') {
            advance(r);
        } else if (*r->at == '#' || next_is(r, "//")) {
            while (r->at < r->end && *r->at != '\n')
                r->at++;
        } else if (next_is(r, "/*")) {
            r->at += 2;
            while (r->at < r->end && !next_is(r, "*/"))
                advance(r);
            if (r->at == r->end) {
                drill_expected(r, "the end of a comment, */");
                return;
            }
            r->at += 2;
        } else {
            return;
        }
    }
}

char drill_peek(struct drill_reader *r)
{
    drill_skip(r);
    return r->failed || r->at == r->end ? '\0' : *r->at;
}

bool drill_take(struct drill_reader *r, const char *token)
{
    drill_skip(r);
    if (r->failed || !next_is(r, token))
        return false;
    const char *behind = r->at + strlen(token);
    if (drill_is_letter(token[0]) && behind < r->end &&
        (drill_is_letter(*behind) || drill_is_digit(*behind)))
        return false;
    r->at = behind;
    return true;
}

bool drill_need(struct drill_reader *r, const char *token)
{
    return drill_take(r, token) || drill_expected(r, "\"%s\"", token);
}

const char *drill_word(struct drill_reader *r)
{
    drill_skip(r);
    if (r->failed || r->at == r->end || !drill_is_letter(*r->at))
        return NULL;
    const char *begin = r->at;
    while (r->at < r->end && (drill_is_letter(*r->at) || drill_is_digit(*r->at)))
        r->at++;
    return drill_text(r->pool, begin, (size_t)(r->at - begin));
}

static int digit_of(char c, unsigned base)
{
    if (drill_is_digit(c))
        return c - '0';
    if (base == 16 && c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (base == 16 && c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool drill_unsigned(struct drill_reader *r, const char *what, uint64_t max, uint64_t *out)
{
    drill_skip(r);
    const char *begin = r->at;
    unsigned base = 10;
    if (!r->failed && (next_is(r, "0x") || next_is(r, "0X"))) {
        base = 16;
        r->at += 2;
    }
    uint64_t value = 0;
    const char *digits = r->at;
    for (; !r->failed && r->at < r->end && digit_of(*r->at, base) >= 0; r->at++) {
        const uint64_t digit = (uint64_t)digit_of(*r->at, base);
        if (value > (UINT64_MAX - digit) / base) {
            r->at = begin;
            return drill_expected(r, "%s, at most %llu", what, (unsigned long long)max);
        }
        value = value * base + digit;
    }
    if (r->at == digits || r->failed) {
        r->at = begin;
        return drill_expected(r, "%s", what);
    }
    if (value > max) {
        r->at = begin;
        return drill_expected(r, "%s, at most %llu", what, (unsigned long long)max);
    }
    *out = value;
    return true;
}

bool drill_number(struct drill_reader *r, const char *what, int64_t *out)
{
    const bool negative = drill_take(r, "-");
    uint64_t value = 0;
    if (!drill_unsigned(r, what, INT64_MAX, &value))
        return false;
    *out = negative ? -(int64_t)value : (int64_t)value;
    return true;
}

bool drill_seconds(struct drill_reader *r, int64_t *out_ns)
{
    drill_skip(r);
    int64_t ns = 0;
    const char *begin = r->at;
    bool any = false;
    for (; r->at < r->end && drill_is_digit(*r->at); r->at++, any = true) {
        ns = ns * 10 + (*r->at - '0');
        if (ns > 1000000000) {
            r->at = begin;
            return drill_expected(r, "a time of at most 10^9 seconds");
        }
    }
    ns *= 1000000000;
    if (r->at + 1 < r->end && *r->at == '.' && drill_is_digit(r->at[1])) {
        r->at++;
        any = true;
        for (int64_t unit = 100000000; r->at < r->end && drill_is_digit(*r->at); r->at++) {
            ns += unit * (*r->at - '0');
            unit /= 10;
        }
    } else if (any && r->at < r->end && *r->at == '.' && !next_is(r, "..")) {
        r->at++; /* "1." */
    }
    if (!any)
        return drill_expected(r, "a time in seconds");
    *out_ns = ns;
    return !r->failed;
}

const char *drill_run(struct drill_reader *r, const char *stops, size_t *len)
{
    drill_skip(r);
    const char *begin = r->at;
    while (!r->failed && r->at < r->end && *r->at != ' ' && *r->at != '\t' && *r->at != '\n' &&
           *r->at != '\r' && (*r->at == '\0' || strchr(stops, *r->at) == NULL))
        r->at++;
    *len = (size_t)(r->at - begin);
    return begin;
}

bool drill_expected(struct drill_reader *r, const char *format, ...)
{
    if (r->failed)
        return false;
    r->failed = true;
    struct drill_problem *p = r->problem;
    p->line = r->line;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(p->expected, sizeof p->expected, format, arguments);
    va_end(arguments);
    if (r->at == r->end) {
        snprintf(p->came, sizeof p->came, "the end of the script");
        return false;
    }
    size_t len = 0;
    char shown[41];
    while (r->at + len < r->end && len < sizeof shown - 1 && r->at[len] != '\n') {
        const char c = r->at[len];
        shown[len++] = c < ' ' || c > '~' ? '?' : c;
    }
    shown[len] = '\0';
    if (len == 0)
        snprintf(p->came, sizeof p->came, "the end of the line");
    else
        snprintf(p->came, sizeof p->came, "\"%s\"", shown);
    return false;
}

bool drill_refused(struct drill_reader *r, const char *format, ...)
{
    if (r->failed)
        return false;
    r->failed = true;
    r->problem->line = r->line;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(r->problem->unsupported, sizeof r->problem->unsupported, format, arguments);
    va_end(arguments);
    return false;
}
