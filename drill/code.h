/* SPDX-License-Identifier: MIT */
/* code.h - Between the files that evaluate %{ code }%. */
#ifndef DRILL_CODE_H
#define DRILL_CODE_H

#include "drill/run.h"
#include "drill/symbols.h"

/* An integer, or a real number: division and times make those. */
struct drill_number {
    bool is_real;
    int64_t integer;
    double real;
};

struct drill_variable {
    const char *name;
    struct drill_number value;
    struct drill_variable *next;
};

struct drill_code {
    struct drill_run *r;
    const char *at;
    uint32_t line;
    int open; /* parentheses: in them a line's end is a space */
    int depth;
    bool failed;
    bool info_asked;
    size_t info_len;
    uint8_t info[DRILL_TCP_INFO_BYTES];
};

void drill_code_skip(struct drill_code *k);
bool drill_code_take(struct drill_code *k, const char *token);
bool drill_code_word(struct drill_code *k, char to[64]);
void drill_code_wrong(struct drill_code *k, const char *expected);
struct drill_number drill_code_name(struct drill_code *k, const char *name);
struct drill_number drill_code_expression(struct drill_code *k);

static inline bool drill_number_is_true(struct drill_number n)
{
    return n.is_real ? n.real > 0 || n.real < 0 : n.integer != 0;
}

#endif
