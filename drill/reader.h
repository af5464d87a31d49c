/* SPDX-License-Identifier: MIT */
/*
 * reader.h - A script's text, read from left to right.
 *
 * The grammar of a packet's flags, of addresses and of code are not made of the same tokens, so
 * there is no lexer apart: each rule takes the characters it knows.  Between tokens stand spaces
 * and comments.  The first problem is kept; every rule returns false from then on.
 */
#ifndef DRILL_READER_H
#define DRILL_READER_H

#include "drill/script.h"

/* Nested brackets, and operators in a row. */
#define DRILL_DEPTH_MAX 32

struct drill_reader {
    const char *at, *end;
    uint32_t line;
    struct drill_pool *pool;
    struct drill_problem *problem;
    bool failed;
};

/* Past spaces and comments. */
void drill_skip(struct drill_reader *r);
/* The next character after spaces, '\0' at the end. */
char drill_peek(struct drill_reader *r);
/* Takes @token if it is next.  A token that is a word is taken only whole. */
bool drill_take(struct drill_reader *r, const char *token);
bool drill_need(struct drill_reader *r, const char *token);
/* A word: letters, digits and _, not beginning with a digit.  NULL, without a problem, if none. */
const char *drill_word(struct drill_reader *r);
/* Decimal or 0x.  drill_number() takes a sign; both fail with a problem that names @what. */
bool drill_unsigned(struct drill_reader *r, const char *what, uint64_t max, uint64_t *out);
bool drill_number(struct drill_reader *r, const char *what, int64_t *out);
/* Seconds with up to nine decimals, as nanoseconds. */
bool drill_seconds(struct drill_reader *r, int64_t *out_ns);
/* Up to the next space, or one of @stops. */
const char *drill_run(struct drill_reader *r, const char *stops, size_t *len);

/* Keeps what was expected here, and what stands here instead.  Return: false. */
bool drill_expected(struct drill_reader *r, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Keeps that this is understood and refused.  Return: false. */
bool drill_refused(struct drill_reader *r, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static inline bool drill_is_digit(char c)
{
    return c >= '0' && c <= '9';
}
static inline bool drill_is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* The rules, one file each. */
bool drill_read_packet(struct drill_reader *r, struct drill_packet *out);
bool drill_read_tcp_options(struct drill_reader *r, struct drill_options *out);
bool drill_read_call(struct drill_reader *r, struct drill_call *out);

#endif
