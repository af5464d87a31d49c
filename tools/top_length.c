/* SPDX-License-Identifier: MIT */
/*
 * top_length.c - No function over 70 lines, no file over 600.
 *
 *     top_length FILE.c...
 *
 * A function's length runs from the first line of its declaration to its closing brace.  The
 * allow-list is below; an entry that is no longer needed is a finding, so it can only shrink.
 */
#include "tools/source.h"

#include <stdio.h>
#include <string.h>

enum { FUNCTION_LINES_MAX = 70, FILE_LINES_MAX = 600 };

struct allowed {
    const char *path;
    const char *function; /* "" stands for the file */
    const char *reason;
};

/* One entry a line, each with its reason.  The last one ends the list. */
static const struct allowed allow_list[] = {
    { NULL, NULL, NULL },
};

static bool allowed(const char *path, const char *function)
{
    for (const struct allowed *a = allow_list; a->path; a++)
        if (strcmp(a->path, path) == 0 && strcmp(a->function, function) == 0)
            return true;
    return false;
}

/* Complains unless the list allows it; complains as well if the list allows what needs it not. */
static void judge(const char *path, size_t line, const char *function, size_t lines, size_t max)
{
    const bool listed = allowed(path, function);
    if (lines > max && !listed)
        finding(path, line, "%s%s%zu lines, %zu are allowed", function, *function ? "() has " : "",
                lines, max);
    if (lines <= max && listed)
        finding(path, line, "%s is on top_length's allow-list and need not be", function);
}

/* The word before the first parenthesis of a declaration: a function's name. */
static void name_of(const char *from, const char *to, char name[64])
{
    const char *paren = memchr(from, '(', (size_t)(to - from));
    if (paren && paren - from == 4 && strncmp(from, "TEST", 4) == 0) {
        from = paren + 1;
        paren = memchr(from, ')', (size_t)(to - from));
    }
    const char *end = paren ? paren : from;
    const char *begin = end;
    while (begin > from && is_word_char(begin[-1]))
        begin--;
    snprintf(name, 64, "%.*s", (int)(end - begin), begin);
}

/* The end of the preprocessor line at @p, with its continuations. */
static const char *after_directive(const char *p)
{
    while (*p != '\0' && *p != '\n') {
        if (p[0] == '\\' && p[1] == '\n')
            p++;
        p++;
    }
    return p;
}

static void check(const char *path)
{
    struct source s = source_read(path);
    judge(path, 1, "", source_lines(&s), FILE_LINES_MAX);

    const char *declaration = NULL; /* first byte of the one being read, outside all braces */
    char last = ' ';                /* the last byte that is no space */
    bool in_function = false;
    unsigned depth = 0;
    for (const char *p = s.code; *p != '\0'; p++) {
        if (*p == '#' && depth == 0) {
            p = after_directive(p) - 1;
            declaration = NULL;
            continue;
        }
        if (*p == ' ' || *p == '\n' || *p == '\t')
            continue;
        if (depth == 0 && !declaration)
            declaration = p;
        if (*p == '{' && last != '"') { /* extern "C" { opens nothing */
            if (depth++ == 0)
                in_function = last == ')';
        } else if (*p == '{') {
            declaration = NULL;
        } else if (*p == '}' && depth > 0 && --depth == 0) {
            if (in_function) {
                char name[64];
                name_of(declaration, p, name);
                const size_t first = source_line(&s, (size_t)(declaration - s.code));
                const size_t end = source_line(&s, (size_t)(p - s.code));
                judge(path, first, name, end - first + 1, FUNCTION_LINES_MAX);
                declaration = NULL;
            }
            in_function = false;
        } else if (*p == ';' && depth == 0) {
            declaration = NULL;
        } else if (*p == '}' && depth == 0) {
            declaration = NULL;
        }
        last = *p;
    }
    source_free(&s);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        check(argv[i]);
    return findings_status();
}
