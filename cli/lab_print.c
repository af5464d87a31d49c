/* SPDX-License-Identifier: MIT */
/* lab_print.c - What lab_print.h says, in 100 columns. */
#include "cli/lab_print.h"

#include <inttypes.h>
#include <string.h>

#define WIDTH 98u

static uint32_t columns(const char *text)
{
    uint32_t n = 0;

    for (; *text != '\0'; text++)
        n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

/* One paragraph, broken at blanks; further lines are indented by @hang more.  Return: what follows. */
static const char *put_paragraph(FILE *to, const char *text, uint32_t indent, uint32_t hang)
{
    uint32_t at = 0;

    while (*text != '\0' && *text != '\n') {
        const size_t len = strcspn(text, " \n");
        char word[256];

        snprintf(word, sizeof word, "%.*s", (int)len, text);
        const uint32_t wide = columns(word);

        if (at > 0 && at + 1 + wide > WIDTH) {
            fputc('\n', to);
            at = 0;
            indent += hang;
            hang = 0;
        }
        if (at == 0)
            at = (uint32_t)fprintf(to, "%*s", (int)indent, "");
        else
            at += (uint32_t)fprintf(to, " ");
        fputs(word, to);
        at += wide;
        text += len;
        text += strspn(text, " ");
    }
    if (at > 0)
        fputc('\n', to);
    return *text == '\n' ? text + 1 : text;
}

void lab_print_paragraph(FILE *to, const char *text, uint32_t indent, uint32_t hang)
{
    (void)put_paragraph(to, text, indent, hang);
}

static void put_words(FILE *to, const char *head, const char *text)
{
    if (!text)
        return;
    fprintf(to, "\n%s\n", head);
    while (*text != '\0') {
        if (*text == '\n') {
            fputc('\n', to);
            text++;
            continue;
        }
        text = put_paragraph(to, text, 2, 0);
    }
}

static const char *cell_at(const struct lab_table *t, uint32_t row, uint32_t column)
{
    const uint32_t i = row * t->columns + column;

    return i < t->cells ? t->cell[i] : "";
}

static bool is_number(const char *text)
{
    return text[0] != '\0' && text[strspn(text, "0123456789,. %-")] == '\0';
}

static void put_table(FILE *to, const struct lab_table *t)
{
    const uint32_t rows = (t->cells + t->columns - 1) / t->columns;
    uint32_t width[LAB_COLUMNS_MAX] = { 0 };
    bool number[LAB_COLUMNS_MAX];

    for (uint32_t c = 0; c < t->columns; c++) {
        number[c] = rows > 1;
        for (uint32_t r = 0; r < rows; r++) {
            const uint32_t wide = columns(cell_at(t, r, c));

            width[c] = wide > width[c] ? wide : width[c];
            number[c] = number[c] && (r == 0 || is_number(cell_at(t, r, c)));
        }
    }
    fputc('\n', to);
    if (t->title)
        (void)put_paragraph(to, t->title, 2, 0);
    for (uint32_t r = 0; r < rows; r++) {
        fputs("  ", to);
        for (uint32_t c = 0; c < t->columns; c++) {
            const char *text = cell_at(t, r, c);
            const int pad = (int)(width[c] - columns(text));
            const bool last = c + 1 == t->columns;

            if (number[c])
                fprintf(to, "%*s%s%s", pad, "", text, last ? "" : "  ");
            else
                fprintf(to, "%s%*s%s", text, last ? 0 : pad, "", last ? "" : "  ");
        }
        fputc('\n', to);
        for (uint32_t c = 0; r == 0 && c < t->columns; c++) {
            fputs(c == 0 ? "  " : "", to);
            for (uint32_t i = 0; i < width[c]; i++)
                fputs("─", to);
            fputs(c + 1 == t->columns ? "\n" : "  ", to);
        }
    }
}

static void put_counts(FILE *to, const struct lab_section *s)
{
    if (s->count_count == 0)
        return;
    fprintf(to, "\n  %-26s %10s %10s\n", "counters that moved", s->end[0], s->end[1]);
    for (uint32_t i = 0; i < s->count_count; i++) {
        const struct lab_count *c = &s->counts[i];
        char name[64];

        snprintf(name, sizeof name, "%s%s", strcmp(c->group, "Drop") == 0 ? "drop " : "", c->name);
        fprintf(to, "  %-26s %10" PRIu64 " %10" PRIu64 "  %s\n", name, c->moved[0], c->moved[1],
                c->text);
    }
}

/* A world of which nothing is said was measured only. */
static bool is_told(const struct lab_section *s)
{
    return s->title || s->row_count > 0 || s->line_count > 0 || s->table_count > 0;
}

static void put_section(FILE *to, const struct lab_section *s)
{
    if (s->title) {
        fputc('\n', to);
        (void)put_paragraph(to, s->title, 2, 0);
    }
    if (s->row_count > 0)
        lab_print_ladder(s, to);
    for (uint32_t i = 0; i < s->line_count; i++) {
        if (i == 0)
            fputc('\n', to);
        (void)put_paragraph(to, s->lines[i], 2, 0);
    }
    for (uint32_t i = 0; i < s->table_count; i++)
        put_table(to, &s->tables[i]);
    put_counts(to, s);
}

static const char *verdict_text(enum lab_verdict verdict)
{
    switch (verdict) {
    case LAB_HOLDS:
        return "ok";
    case LAB_FAILS:
        return "not ok";
    case LAB_CHANGED:
        return "changed by --set";
    }
    return "";
}

void lab_print(const struct lab *l, FILE *to)
{
    const struct lab_scenario *s = l->scenario;

    fprintf(to, "%s: %s\n", s->name, s->title);
    put_words(to, "What is commonly said", s->said);
    put_words(to, "What happens", s->happens);
    for (uint32_t i = 0; i < l->section_count; i++)
        if (is_told(&l->sections[i]))
            put_section(to, &l->sections[i]);
    put_words(to, "What to do", s->todo);
    fprintf(to, "\nClaims\n");
    for (uint32_t i = 0; i < l->claim_count; i++) {
        char line[1200];

        snprintf(line, sizeof line, "%-6s  %s", verdict_text(l->claims[i].verdict),
                 l->claims[i].text);
        fprintf(to, "  %-6s", verdict_text(l->claims[i].verdict));
        const size_t used = strlen(verdict_text(l->claims[i].verdict));

        fputs("  ", to);
        (void)put_paragraph(to, line + (used > 6 ? used + 2 : 8), 0, 10);
    }
    if (l->error[0] != '\0')
        fprintf(to, "  not ok  %s\n", l->error);
    if (l->changed > 0)
        fprintf(to,
                "  %" PRIu32 " of %" PRIu32
                " claims are about the standard settings and do not hold "
                "with yours.\n",
                l->changed, l->claim_count);
    if (s->code)
        fprintf(to, "\nThe program at fault, and one that is right: lastack lab %s --code c\n",
                s->name);
    if (s->see)
        fprintf(to, "\nSee: %s\n", s->see);
}

/* JSON ---------------------------------------------------------------------------------------- */

#include "cli/json.h"

static void row_json(const struct lab_section *s, const struct lab_row *r, FILE *to)
{
    struct json j;

    if (r->kind == LAB_ROW_OMITTED)
        return;
    json_event(&j, to, r->kind == LAB_ROW_NOTE ? "note" : "segment", r->at_ns);
    json_text(&j, r->kind == LAB_ROW_NOTE ? "by" : "from", s->end[r->side]);
    json_text(&j, "text", r->text);
    if (r->why > 0)
        json_number(&j, "why", r->why);
    if (r->kind == LAB_ROW_SEGMENT) {
        json_bool(&j, "lost", (r->fate & SIM_GONE) != 0);
        for (uint32_t side = 0; side < LAB_SIDES; side++)
            if (r->state[side])
                json_text(&j, side == 0 ? "client_state" : "server_state", r->state[side]);
    }
    json_end(&j);
}

static void table_json(const struct lab_table *t, FILE *to)
{
    for (uint32_t r = 1; r * t->columns < t->cells; r++) {
        struct json j;

        json_event(&j, to, "row", 0);
        json_text(&j, "table", t->title ? t->title : "");
        json_object(&j, "cells");
        for (uint32_t c = 0; c < t->columns; c++)
            json_text(&j, cell_at(t, 0, c), cell_at(t, r, c));
        json_object_end(&j);
        json_end(&j);
    }
}

static void section_json(const struct lab_section *s, FILE *to)
{
    struct json j;

    json_event(&j, to, "section", 0);
    json_text(&j, "title", s->title ? s->title : "");
    json_text(&j, "client", s->end[0]);
    json_text(&j, "server", s->end[1]);
    json_end(&j);
    for (uint32_t i = 0; i < s->row_count; i++)
        row_json(s, &s->rows[i], to);
    for (uint32_t i = 0; i < s->why_count; i++) {
        const struct la_cause *c = &s->whys[i].cause;

        json_event(&j, to, "why", s->whys[i].at_ns);
        json_number(&j, "number", i + 1);
        json_text(&j, "at", s->end[s->whys[i].side]);
        json_text(&j, "reason", la_drop_name(c->reason));
        json_text(&j, "text", la_drop_text(c->reason));
        json_number(&j, "times", s->whys[i].times);
        json_text(&j, "clause", la_cause_clause(c->reason));
        json_text(&j, "knob", la_cause_decided(c));
        json_text(&j, "counter", la_cause_counted(c));
        json_number(&j, "accept_queue", c->accept_len);
        json_number(&j, "syn_queue", c->half_len);
        json_number(&j, "limit", c->limit);
        json_number(&j, "snd_queued", c->snd_queued_bytes);
        json_number(&j, "rcv_queued", c->rcv_queued_bytes);
        json_number(&j, "retransmits", c->retransmits);
        json_end(&j);
    }
    for (uint32_t i = 0; i < s->line_count; i++) {
        json_event(&j, to, "line", 0);
        json_text(&j, "text", s->lines[i]);
        json_end(&j);
    }
    for (uint32_t i = 0; i < s->table_count; i++)
        table_json(&s->tables[i], to);
    for (uint32_t i = 0; i < s->count_count; i++) {
        json_event(&j, to, "counter", 0);
        json_text(&j, "group", s->counts[i].group);
        json_text(&j, "name", s->counts[i].name);
        json_number(&j, "client", s->counts[i].moved[0]);
        json_number(&j, "server", s->counts[i].moved[1]);
        json_end(&j);
    }
}

void lab_print_json(const struct lab *l, FILE *to)
{
    const struct lab_scenario *s = l->scenario;
    struct json j;

    for (uint32_t i = 0; i < l->section_count; i++)
        if (is_told(&l->sections[i]))
            section_json(&l->sections[i], to);
    for (uint32_t i = 0; i < l->claim_count; i++) {
        json_event(&j, to, "claim", 0);
        json_text(&j, "scenario", s->name);
        json_text(&j, "verdict", verdict_text(l->claims[i].verdict));
        json_text(&j, "text", l->claims[i].text);
        json_end(&j);
    }
    json_event(&j, to, "scenario", 0);
    json_text(&j, "name", s->name);
    json_text(&j, "title", s->title);
    json_text(&j, "said", s->said);
    json_text(&j, "happens", s->happens);
    json_text(&j, "todo", s->todo);
    json_number(&j, "claims", l->claim_count);
    json_number(&j, "failed", l->failed);
    json_number(&j, "changed", l->changed);
    json_bool(&j, "held", lab_held(l));
    if (l->error[0] != '\0')
        json_text(&j, "error", l->error);
    json_end(&j);
}
