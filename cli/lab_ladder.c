/* SPDX-License-Identifier: MIT */
/*
 * lab_ladder.c - The ladder of a demonstration: both ends are known, and every packet's fate.
 *
 *      time, s  client                                          server
 *     0.000000              │ connect()                        │
 *     0.000000  SYN-SENT    │──── SYN  seq 0 ─────────────────▶│ SYN-RECEIVED
 *     0.010000  ...
 *
 * A number in brackets leads to a footnote below: the reason, its clause, knob and counter, and the
 * queues as they stood.
 *
 * States stand outside the rails: the sender's after sending, the receiver's after arrival.  What is
 * lost ends in a cross.  A second or more without anything is a row of its own.
 */
#include "cli/cause_text.h"
#include "cli/lab_print.h"

#include <inttypes.h>
#include <string.h>

#define MIDDLE 55u
#define INSET 4u
#define WHYS_SHOWN 12u
#define PAUSE_NS UINT64_C(1000000000)

static uint32_t columns(const char *text)
{
    uint32_t n = 0;

    for (; *text != '\0'; text++)
        n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

static void repeat(FILE *to, const char *glyph, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        fputs(glyph, to);
}

static void put_left(FILE *to, uint64_t at_ns, const char *state)
{
    fprintf(to, "%6" PRIu64 ".%06" PRIu64 "  %-12s │", at_ns / 1000000000u,
            at_ns / 1000u % 1000000u, state);
}

static const char *fate_text(uint32_t fate)
{
    return fate & SIM_LOST       ? " lost "
           : fate & SIM_DOWN     ? " link down "
           : fate & SIM_OVERFLOW ? " queue full "
           : fate & SIM_UNROUTED ? " no way there "
           : fate & SIM_TOO_BIG  ? " too big "
                                 : "";
}

static void put_segment(FILE *to, const struct lab_row *r)
{
    const bool to_right = r->side == 0, gone = (r->fate & SIM_GONE) != 0;
    const char *fate = fate_text(r->fate);
    char text[256];

    snprintf(text, sizeof text, r->why > 0 ? "%s  [%" PRIu32 "]" : "%s", r->text, r->why);
    const uint32_t used = INSET + columns(text) + 2 + columns(fate) + 1;
    const uint32_t rest = MIDDLE > used ? MIDDLE - used : 0;
    const char *left = r->state[0] ? r->state[0] : "";
    const char *right = r->state[1] ? r->state[1] : "";

    put_left(to, r->at_ns, left);
    fputs(to_right ? "─" : gone ? "×" : "◀", to);
    repeat(to, "─", INSET - 1);
    fprintf(to, " %s ", text);
    repeat(to, "─", rest);
    fprintf(to, "%s%s│%s%s\n", fate, !to_right ? "─" : gone ? "×" : "▶", *right ? " " : "", right);
}

static void put_note(FILE *to, const struct lab_row *r)
{
    const uint32_t wide = columns(r->text);
    const uint32_t pad = MIDDLE > wide + 2 ? MIDDLE - wide - 2 : 0;

    put_left(to, r->at_ns, "");
    if (r->side == 0)
        fprintf(to, " %s%*s │\n", r->text, (int)pad, "");
    else
        fprintf(to, " %*s%s │\n", (int)pad, "", r->text);
}

static void put_pause(FILE *to, uint64_t ns)
{
    char text[64];

    snprintf(text, sizeof text, "%" PRIu64 ".%02" PRIu64 " s", ns / 1000000000u,
             ns / 10000000u % 100u);
    fprintf(to, "%13s  %-12s ┊%*s%s%*s┊\n", "", "", 4, "", text, (int)(MIDDLE - 4 - columns(text)),
            "");
}

/* One footnote: who, when, what, why. */
static void put_why(const struct lab_section *s, uint32_t i, FILE *to)
{
    const struct lab_why *w = &s->whys[i];
    char words[CAUSE_TEXT_BYTES], text[CAUSE_TEXT_BYTES + 256], times[48] = "", mark[16];

    cause_text(&w->cause, words);
    if (w->times > 1)
        snprintf(times, sizeof times, ", %" PRIu64 " times", w->times);
    snprintf(mark, sizeof mark, "[%" PRIu32 "]", i + 1);
    snprintf(text, sizeof text, "%-4s %s at %" PRIu64 ".%03" PRIu64 " s%s: %s. %s: %s.", mark,
             s->end[w->side], w->at_ns / 1000000000u, w->at_ns / 1000000u % 1000u, times,
             la_drop_text(w->cause.reason), la_drop_name(w->cause.reason), words);
    lab_print_paragraph(to, text, 2, 5);
}

void lab_print_ladder(const struct lab_section *s, FILE *to)
{
    fprintf(to, "\n%13s  %-12s %*s %s\n", "time, s", s->end[0], (int)MIDDLE + 1, "", s->end[1]);
    for (uint32_t i = 0; i < s->row_count; i++) {
        const struct lab_row *r = &s->rows[i];
        const uint64_t before_ns = i > 0 ? s->rows[i - 1].at_ns : 0;

        if (r->kind == LAB_ROW_OMITTED) {
            fprintf(to, "%15s%" PRIu64 " further lines are not drawn.\n", "", r->number);
            continue;
        }
        if (r->at_ns >= before_ns + PAUSE_NS)
            put_pause(to, r->at_ns - before_ns);
        if (r->kind == LAB_ROW_NOTE)
            put_note(to, r);
        else
            put_segment(to, r);
    }
    if (s->why_count > 0)
        fputc('\n', to);
    for (uint32_t i = 0; i < s->why_count && i < WHYS_SHOWN; i++)
        put_why(s, i, to);
    if (s->why_count > WHYS_SHOWN)
        fprintf(to, "  and %" PRIu32 " further reasons; the counters have them all\n",
                s->why_count - WHYS_SHOWN);
}
