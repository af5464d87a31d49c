/* SPDX-License-Identifier: MIT */
/*
 * words.c - What a scenario says: lines, notes, tables, claims.
 *
 * Everything said lives until lab_free().  Lists are few and short, and grow one by one.
 */
#include <stdarg.h>
#include <string.h>

#include "sim/lab/lab.h"
#include "sim/memory.h"

#define TEXT_BYTES 1024u

void *lab_take(struct lab *l, size_t bytes)
{
    void *thing = sim_take(bytes);

    l->things = sim_resize(l->things, (l->thing_count + 1) * sizeof *l->things);
    l->things[l->thing_count++] = thing;
    return thing;
}

static const char *text_of(struct lab *l, const char *format, va_list arguments)
{
    char text[TEXT_BYTES];
    const int length = vsnprintf(text, sizeof text, format, arguments);
    const size_t bytes = length < 0 ? 1 : (size_t)length + 1;
    char *copy = lab_take(l, bytes < sizeof text ? bytes : sizeof text);

    memcpy(copy, text, bytes < sizeof text ? bytes : sizeof text);
    return copy;
}

const char *lab_text(struct lab *l, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    const char *text = text_of(l, format, arguments);
    va_end(arguments);
    return text;
}

static struct lab_section *section(struct lab *l)
{
    if (l->section_count == 0)
        lab_begin(l, NULL, NULL);
    return &l->sections[l->section_count - 1];
}

void lab_row_add(struct lab *l, const struct lab_row *row)
{
    struct lab_section *s = section(l);

    if (s->row_count < LAB_ROWS_MAX) {
        s->rows = sim_resize(s->rows, (s->row_count + 1) * sizeof *s->rows);
        s->rows[s->row_count++] = *row;
        return;
    }
    struct lab_row *last = &s->rows[s->row_count - 1];

    last->number = last->kind == LAB_ROW_OMITTED ? last->number + 1 : 2;
    last->kind = LAB_ROW_OMITTED;
}

void lab_note(struct lab *l, const struct sim_host *h, const char *format, ...)
{
    va_list arguments;

    if (!lab_drawn(l, h))
        return;
    va_start(arguments, format);
    const struct lab_row row = {
        .kind = LAB_ROW_NOTE,
        .side = lab_side(l, h),
        .at_ns = l->world.now_ns,
        .text = text_of(l, format, arguments),
    };
    va_end(arguments);
    lab_row_add(l, &row);
}

void lab_say(struct lab *l, const char *format, ...)
{
    struct lab_section *s = section(l);
    va_list arguments;

    s->lines = sim_resize(s->lines, (s->line_count + 1) * sizeof *s->lines);
    va_start(arguments, format);
    s->lines[s->line_count++] = text_of(l, format, arguments);
    va_end(arguments);
}

void lab_quiet(struct lab *l, bool quiet)
{
    l->quiet = quiet;
}

void lab_table(struct lab *l, const char *title, uint32_t columns)
{
    struct lab_section *s = section(l);

    s->tables = sim_resize(s->tables, (s->table_count + 1) * sizeof *s->tables);
    s->tables[s->table_count++] =
        (struct lab_table){ .title = title,
                            .columns = columns < LAB_COLUMNS_MAX ? columns : LAB_COLUMNS_MAX };
}

void lab_cell(struct lab *l, const char *format, ...)
{
    struct lab_section *s = section(l);
    va_list arguments;

    if (s->table_count == 0)
        lab_table(l, NULL, 1);
    struct lab_table *t = &s->tables[s->table_count - 1];

    t->cell = sim_resize(t->cell, (t->cells + 1) * sizeof *t->cell);
    va_start(arguments, format);
    t->cell[t->cells++] = text_of(l, format, arguments);
    va_end(arguments);
}

static void claim(struct lab *l, enum lab_verdict verdict, const char *text)
{
    l->claims = sim_resize(l->claims, (l->claim_count + 1) * sizeof *l->claims);
    l->claims[l->claim_count++] = (struct lab_claim){ verdict, text };
    l->failed += verdict == LAB_FAILS;
    l->changed += verdict == LAB_CHANGED;
}

void lab_claim(struct lab *l, bool holds, const char *format, ...)
{
    const enum lab_verdict otherwise = l->options.set_count > 0 ? LAB_CHANGED : LAB_FAILS;
    va_list arguments;

    va_start(arguments, format);
    claim(l, holds ? LAB_HOLDS : otherwise, text_of(l, format, arguments));
    va_end(arguments);
}

void lab_must(struct lab *l, bool holds, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    claim(l, holds ? LAB_HOLDS : LAB_FAILS, text_of(l, format, arguments));
    va_end(arguments);
}
