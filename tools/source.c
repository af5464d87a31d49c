/* SPDX-License-Identifier: MIT */
/* source.c - Reading C files for the checkers; see source.h. */
#include "tools/source.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t findings;

/* Blanks the byte at @i unless it ends a line. */
static void blank(char *code, size_t i)
{
    if (code[i] != '\n')
        code[i] = ' ';
}

/* From the opening quote at @i: blanks what is inside, keeps the quotes.  Returns the end. */
static size_t blank_quoted(char *code, size_t i)
{
    const char quote = code[i++];
    while (code[i] != '\0' && code[i] != quote && code[i] != '\n') {
        if (code[i] == '\\' && code[i + 1] != '\0')
            blank(code, i++);
        blank(code, i++);
    }
    return code[i] == quote ? i + 1 : i;
}

static size_t blank_block_comment(char *code, size_t i)
{
    while (code[i] != '\0' && !(code[i] == '*' && code[i + 1] == '/'))
        blank(code, i++);
    for (int k = 0; k < 2 && code[i] != '\0'; k++)
        blank(code, i++);
    return i;
}

static void blank_all(char *code)
{
    size_t i = 0;
    while (code[i] != '\0') {
        if (code[i] == '/' && code[i + 1] == '*') {
            blank(code, i);
            blank(code, i + 1);
            i = blank_block_comment(code, i + 2);
        } else if (code[i] == '/' && code[i + 1] == '/') {
            while (code[i] != '\0' && code[i] != '\n')
                blank(code, i++);
        } else if (code[i] == '"' || (code[i] == '\'' && (i == 0 || !isalnum(code[i - 1])))) {
            i = blank_quoted(code, i);
        } else {
            i++;
        }
    }
}

struct source source_read(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f) {
        perror(path);
        exit(2);
    }
    struct source s = { .path = path };
    size_t room = 0;
    size_t got;
    do {
        if (room - s.len_bytes < 65536) {
            room += 262144;
            s.text = realloc(s.text, room + 2);
            if (!s.text)
                abort();
        }
        got = fread(s.text + s.len_bytes, 1, room - s.len_bytes, f);
        s.len_bytes += got;
    } while (got > 0);
    (void)fclose(f);
    s.text[s.len_bytes] = '\0';
    s.text[s.len_bytes + 1] = '\0';
    s.code = malloc(s.len_bytes + 2);
    if (!s.code)
        abort();
    memcpy(s.code, s.text, s.len_bytes + 2);
    blank_all(s.code);
    return s;
}

void source_free(struct source *s)
{
    free(s->text);
    free(s->code);
    s->text = NULL;
    s->code = NULL;
}

size_t source_lines(const struct source *s)
{
    size_t lines = 0;
    for (size_t i = 0; i < s->len_bytes; i++)
        if (s->text[i] == '\n')
            lines++;
    if (s->len_bytes > 0 && s->text[s->len_bytes - 1] != '\n')
        lines++;
    return lines;
}

size_t source_line(const struct source *s, size_t offset)
{
    size_t line = 1;
    for (size_t i = 0; i < offset && i < s->len_bytes; i++)
        if (s->text[i] == '\n')
            line++;
    return line;
}

bool is_word_char(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

bool starts_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

void finding(const char *path, size_t line, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    printf("%s:%zu: ", path, line);
    vprintf(format, args);
    printf("\n");
    va_end(args);
    findings++;
}

int findings_status(void)
{
    return findings > 0;
}
