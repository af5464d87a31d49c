/* SPDX-License-Identifier: MIT */
/*
 * source.h - What the checkers share: a C file read whole, and the same with its comments,
 * strings and character constants blanked out, so that a word found there is code.
 *
 * Both texts have the same length and the same lines.  Every checker prints a finding as
 * "file:line: what" and ends with status 1 if there was one.
 */
#ifndef TOOLS_SOURCE_H
#define TOOLS_SOURCE_H

#include <stdbool.h>
#include <stddef.h>

struct source {
    const char *path;
    char *text; /* as it is, NUL-terminated */
    char *code; /* the same, blanked */
    size_t len_bytes;
};

/* Ends the program if the file cannot be read. */
struct source source_read(const char *path);
void source_free(struct source *s);

/* Lines of the file, and the line (from 1) of the byte at @offset. */
size_t source_lines(const struct source *s);
size_t source_line(const struct source *s, size_t offset);

bool is_word_char(char c);
bool starts_with(const char *text, const char *prefix);

/* Prints "path:line: " and the rest, and counts. */
__attribute__((format(printf, 3, 4))) void finding(const char *path, size_t line,
                                                   const char *format, ...);
/* 1 if there was a finding, else 0: what main() returns. */
int findings_status(void);

#endif
