/* SPDX-License-Identifier: MIT */
/*
 * ladder_print.c - The drawing: two rails with the states outside, arrows and sentences between.
 *
 *      time s  left                              right
 *    0.000000  STATE        |---- SYN  seq 0 -->| STATE
 *                           |     A sentence.   |
 *
 * An arrow's head stands where its segment arrives; a double line is a run of many, a dotted one a
 * repeat, and a segment that was not used ends in a cross.
 */
#include "cli/cause_text.h"
#include "cli/ladder_lines.h"

#include <inttypes.h>
#include <string.h>

#define LEFT_COLUMNS 26  /* up to the left rail */
#define RIGHT_COLUMNS 14 /* behind the right rail */
#define INSET 5          /* of words, from the left rail */
#define MARK_COLUMNS 12  /* up to a footnote */
#define LABEL_BYTES 256
#define SENTENCE_BYTES 640
#define NS_PER_MS UINT64_C(1000000) /* a rate over less means little */

struct glyphs {
    const char *rail, *line, *many, *dots, *right, *left, *cross, *rule;
};
static const struct glyphs fine = { "│", "─", "═", "┄", "▶", "◀", "×", "─" };
static const struct glyphs plain = { "|", "-", "=", ".", ">", "<", "x", "-" };

struct drawing {
    const struct ladder *l;
    FILE *to;
    const struct glyphs *g;
    uint32_t middle; /* columns between the rails */
};

static void repeat(FILE *to, const char *glyph, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        fputs(glyph, to);
}

/* Columns of a text: its characters, not its bytes. */
static uint32_t columns(const char *text)
{
    uint32_t n = 0;
    for (; *text != '\0'; text++)
        n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

static void draw_left(const struct drawing *d, const struct line *n)
{
    char time[NUMBER_TEXT_BYTES];
    fprintf(d->to, "%10s  %-12s  %s", text_seconds(n->at.ns - d->l->began.ns, time),
            la_state_name((enum la_state)n->state[LOCAL]), d->g->rail);
}

static void draw_right(const struct drawing *d, const struct line *n)
{
    fprintf(d->to, "%s %s\n", d->g->rail, la_state_name((enum la_state)n->state[PEER]));
}

/* An arrow of @body with @label on it. */
static void draw_arrow(const struct drawing *d, const struct line *n, const char *body,
                       const char *label, bool both)
{
    const bool to_right = n->from == LOCAL;
    const bool accepted =
        n->reason == LA_DROP_NONE || ((n->flags & FLAG_RST) != 0 && n->state[LOCAL] == LA_CLOSED);
    const bool refused = n->kind == LINE_SEGMENT && n->from == PEER && !accepted;
    const char *left = refused ? d->g->cross : d->g->left;
    const uint32_t used = INSET + columns(label) + 2;
    const uint32_t rest = d->middle > used ? d->middle - used : 0;

    fputs(to_right && !both ? body : left, d->to);
    repeat(d->to, body, INSET - 2);
    fprintf(d->to, " %s ", label);
    repeat(d->to, body, rest);
    fputs(to_right || both ? d->g->right : body, d->to);
}

/* Words between the rails, broken at blanks. */
static void draw_words(const struct drawing *d, const char *words)
{
    const uint32_t room = d->middle - INSET - 1;
    while (*words != '\0') {
        uint32_t len = 0, fits = 0;
        for (uint32_t i = 0; i <= room; i++) {
            if (words[i] == '\0' || words[i] == ' ')
                fits = i;
            if (words[i] == '\0')
                break;
            len = i;
        }
        if (fits == 0)
            fits = len;
        fprintf(d->to, "%*s%s%*s%.*s%*s%s\n", LEFT_COLUMNS, "", d->g->rail, INSET, "", (int)fits,
                words, (int)(d->middle - INSET - fits), "", d->g->rail);
        words += fits;
        while (*words == ' ')
            words++;
    }
}

/* Segments -------------------------------------------------------------------------- */

/* How much air a label has: first as much as is good, then less until it fits. */
struct spacing {
    const char *gap;
    bool grouped;
};
static const struct spacing spacings[] = { { "  ", true }, { " ", true }, { " ", false } };

static void put_field(char *label, const struct spacing *s, const char *name, uint64_t n)
{
    char number[NUMBER_TEXT_BYTES];
    const size_t len = strlen(label);
    if (s->grouped)
        text_grouped(n, number);
    else
        snprintf(number, sizeof number, "%" PRIu64, n);
    snprintf(label + len, LABEL_BYTES - len, "%s%s %s", s->gap, name, number);
}

static void make_label(const struct ladder *l, const struct line *n, const struct spacing *s,
                       char *label)
{
    char flags[FLAGS_TEXT_BYTES];
    snprintf(label, LABEL_BYTES, "%-7s", text_flags(n->flags, flags));
    put_field(label, s, "seq", n->seq);
    if ((n->flags & FLAG_ACK) != 0)
        put_field(label, s, "ack", n->ack);
    if ((n->flags & FLAG_RST) == 0)
        put_field(label, s, "win", line_window(l, n->from, n->flags, n->wnd));
    if (n->len_bytes > 0)
        put_field(label, s, "len", n->len_bytes);
}

static void draw_segment(const struct drawing *d, const struct line *n)
{
    char label[LABEL_BYTES];
    for (size_t i = 0; i < sizeof spacings / sizeof spacings[0]; i++) {
        make_label(d->l, n, &spacings[i], label);
        if (columns(label) + INSET + 2 <= d->middle)
            break;
    }
    draw_left(d, n);
    draw_arrow(d, n, n->again ? d->g->dots : d->g->line, label, false);
    draw_right(d, n);
}

/* Runs ------------------------------------------------------------------------------ */

static const char *plural(uint64_t n)
{
    return n == 1 ? "" : "s";
}

static void put_sum(char *to, size_t room, const struct run_side *s)
{
    char count[NUMBER_TEXT_BYTES], bytes[NUMBER_TEXT_BYTES];
    snprintf(to, room, "%s segment%s, %s", text_grouped(s->segments, count), plural(s->segments),
             text_bytes(s->bytes, bytes));
}

static void put_acks(char *to, size_t room, const struct run_side *s)
{
    char count[NUMBER_TEXT_BYTES];
    snprintf(to, room, "%s ACK%s", text_grouped(s->acks, count), plural(s->acks));
}

static void put_more(char *words, const char *format, const char *number)
{
    const size_t len = strlen(words);
    snprintf(words + len, SENTENCE_BYTES - len, format, number);
}

/* What else a run of one direction has to say. */
static void run_details(const struct ladder *l, const struct line *n, enum ladder_side from,
                        char *words)
{
    const struct run_side *s = &n->run[from];
    const struct run_side *back = &n->run[OTHER(from)];
    const uint64_t ns = n->until.ns - n->at.ns;
    char number[NUMBER_TEXT_BYTES];

    words[0] = '\0';
    put_more(words, "Bytes %s", text_grouped(s->first, number));
    put_more(words, " to %s", text_grouped(s->last - 1, number));
    put_more(words, " in %s s", text_seconds(ns, number));
    if (ns >= NS_PER_MS)
        put_more(words, ", %s", text_rate(s->last - s->first, ns, number));
    if (back->acks > 0) {
        put_more(words, "; %s", text_grouped(back->acks, number));
        put_more(words, back->acks == 1 ? " ACK%s back" : " ACKs%s back", "");
        put_more(words, ", window %s",
                 text_grouped(line_window(l, OTHER(from), 0, back->wnd_min), number));
        if (back->wnd_max != back->wnd_min)
            put_more(words, " to %s",
                     text_grouped(line_window(l, OTHER(from), 0, back->wnd_max), number));
    }
    if (s->again > 0)
        put_more(words, "; %s sent again", text_grouped(s->again, number));
    if (n->not_used > 0)
        put_more(words, "; %s not used", text_grouped(n->not_used, number));
    put_more(words, "%s", ".");
}

static void draw_run(const struct drawing *d, const struct line *n)
{
    const struct run_side *local = &n->run[LOCAL], *peer = &n->run[PEER];
    const bool both = local->segments > 0 && peer->segments > 0;
    const bool none = local->segments == 0 && peer->segments == 0;
    struct line arrow = *n;
    char label[LABEL_BYTES], words[SENTENCE_BYTES] = "";

    if (both) {
        char there[100], back[100];
        put_sum(there, sizeof there, local);
        put_sum(back, sizeof back, peer);
        snprintf(label, sizeof label, "sent %s; received %s", there, back);
    } else if (none) {
        put_acks(label, sizeof label, &n->run[n->from]);
    } else {
        arrow.from = local->segments > 0 ? LOCAL : PEER;
        put_sum(label, sizeof label, &n->run[arrow.from]);
        run_details(d->l, n, arrow.from, words);
    }
    draw_left(d, n);
    draw_arrow(d, &arrow, d->g->many, label, both);
    draw_right(d, n);
    draw_words(d, words);
}

/* All ------------------------------------------------------------------------------- */

static void draw_event(const struct drawing *d, const struct line *n)
{
    draw_left(d, n);
    fprintf(d->to, "%*s", (int)d->middle, "");
    draw_right(d, n);
}

/* Behind the last sentence of a line that has a reason: the number of its footnote. */
static void put_mark(const struct ladder *l, const struct line *n, uint32_t i, char *words)
{
    const bool end = n->notes[i].note == NOTE_RESET && n->reason == LA_DROP_NONE;
    const uint32_t number = why_number(l, end ? l->end_reason : n->reason);
    const size_t len = strlen(words);
    if (number > 0 && i + 1 == n->note_count)
        snprintf(words + len, SENTENCE_BYTES - len, " [%" PRIu32 "]", number);
}

static void draw_line(void *context, const struct line *n)
{
    const struct drawing *d = context;
    char words[SENTENCE_BYTES];

    switch (n->kind) {
    case LINE_SEGMENT:
        draw_segment(d, n);
        break;
    case LINE_RUN:
        draw_run(d, n);
        break;
    case LINE_EVENT:
        draw_event(d, n);
        break;
    }
    for (uint32_t i = 0; i < n->note_count; i++) {
        note_text(d->l, n, i, words, sizeof words);
        put_mark(d->l, n, i, words);
        draw_words(d, words);
    }
}

/* @left at its column, @right so that it ends at the last column or begins behind the rail. */
static void draw_title(const struct drawing *d, const char *time, const char *left,
                       const char *right)
{
    const uint32_t width = d->l->options.width;
    const uint32_t begin = LEFT_COLUMNS + d->middle + 3;
    const uint32_t len = columns(right);
    const uint32_t at = begin + len > width && len < width ? width - len : begin;
    const uint32_t used = 12 + columns(left);
    fprintf(d->to, "%10s  %s%*s%s\n", time, left, (int)(at > used ? at - used : 1), "", right);
}

static void draw_rule(const struct drawing *d)
{
    fputs("  ", d->to);
    repeat(d->to, d->g->rule, d->l->options.width - 2);
    fputc('\n', d->to);
}

static void draw_head(const struct drawing *d)
{
    const struct ladder *l = d->l;
    char local[ENDPOINT_TEXT_BYTES], peer[ENDPOINT_TEXT_BYTES], title[128];

    snprintf(title, sizeof title, "%s%s", l->side[PEER].name, l->peer_traced ? "" : " (inferred)");
    const char *name = strncmp(title, "the ", 4) == 0 ? title + 4 : title;
    draw_title(d, "time, s", l->side[LOCAL].name, name);
    draw_title(d, "", text_endpoint(l->local, local), text_endpoint(l->remote, peer));
    draw_rule(d);
}

static void draw_totals(const struct drawing *d)
{
    char number[NUMBER_TEXT_BYTES];
    for (int side = LOCAL; side <= PEER; side++) {
        const struct side *s = &d->l->side[side];
        fprintf(d->to, "%12s%-9s %s segment%s", "", side == LOCAL ? "sent" : "received",
                text_grouped(s->segments, number), plural(s->segments));
        if (s->bytes > 0)
            fprintf(d->to, ", %s", text_bytes(s->bytes, number));
        if (s->again > 0)
            fprintf(d->to, ", %s of them again", text_grouped(s->again, number));
        fputc('\n', d->to);
    }
    if (d->l->no_memory)
        fprintf(d->to, "%12sLines are missing: there was no memory for them.\n", "");
}

/* Behind a mark of 12 columns, broken at blanks. */
static void put_wrapped(const struct drawing *d, const char *text)
{
    const uint32_t room = d->l->options.width - MARK_COLUMNS;
    uint32_t at = 0;
    while (*text != '\0') {
        const size_t len = strcspn(text, " ");
        if (at > 0 && at + 1 + len > room) {
            fprintf(d->to, "\n%*s", MARK_COLUMNS, "");
            at = 0;
        }
        at += (uint32_t)fprintf(d->to, "%s%.*s", at > 0 ? " " : "", (int)len, text);
        text += len + (text[len] == ' ');
    }
    fputc('\n', d->to);
}

/* "  [1] SEQUENCE, 3 times: ...", broken at blanks. */
static void draw_whys(const struct drawing *d)
{
    for (uint32_t i = 0; i < d->l->why_count; i++) {
        const struct why *w = &d->l->whys[i];
        char words[CAUSE_TEXT_BYTES], text[SENTENCE_BYTES], times[48] = "",
                                                            number[NUMBER_TEXT_BYTES];
        cause_text(&w->first, words);
        if (w->times > 1)
            snprintf(times, sizeof times, ", %s times", text_grouped(w->times, number));
        snprintf(text, sizeof text, "%s%s: %s", la_drop_name(w->first.reason), times, words);
        const int mark = fprintf(d->to, "%8s[%" PRIu32 "]", "", i + 1);
        fprintf(d->to, "%*s", MARK_COLUMNS - mark, "");
        put_wrapped(d, text);
    }
}

void ladder_print(const struct ladder *l, FILE *to)
{
    struct ladder *settled = ladder_settled(l);
    if (settled == NULL)
        return;
    const struct drawing d = { settled, to, l->options.ascii ? &plain : &fine,
                               l->options.width - LEFT_COLUMNS - 1 - RIGHT_COLUMNS };
    if (l->started) {
        draw_head(&d);
        fold_each(settled, draw_line, (void *)(uintptr_t)&d);
        draw_rule(&d);
        draw_totals(&d);
        draw_whys(&d);
    }
    ladder_free(settled);
}
