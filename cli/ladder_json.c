/* SPDX-License-Identifier: MIT */
/* ladder_json.c - The same lines for programs: one JSON object on one line. */
#include "cli/ladder_lines.h"

#include <inttypes.h>
#include <string.h>

struct list {
    const struct ladder *l;
    FILE *to;
    bool first;
};

static void put_string(FILE *to, const char *text)
{
    fputc('"', to);
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            fprintf(to, "\\%c", *text);
        else if ((unsigned char)*text < 0x20)
            fprintf(to, "\\u%04x", (unsigned)*text);
        else
            fputc(*text, to);
    }
    fputc('"', to);
}

static void put_notes(const struct list *j, const struct line *n)
{
    char words[640];
    fputs(",\"notes\":[", j->to);
    for (uint32_t i = 0; i < n->note_count; i++) {
        note_text(j->l, n, i, words, sizeof words);
        if (i > 0)
            fputc(',', j->to);
        put_string(j->to, words);
    }
    fputc(']', j->to);
}

static void put_segment(const struct list *j, const struct line *n)
{
    char flags[FLAGS_TEXT_BYTES];
    fprintf(j->to, ",\"from\":\"%s\",\"flags\":", n->from == LOCAL ? "local" : "peer");
    put_string(j->to, text_flags(n->flags, flags));
    fprintf(j->to, ",\"seq\":%" PRIu64, n->seq);
    if ((n->flags & FLAG_ACK) != 0)
        fprintf(j->to, ",\"ack\":%" PRIu64, n->ack);
    fprintf(j->to, ",\"window\":%" PRIu64 ",\"len\":%" PRIu32,
            line_window(j->l, n->from, n->flags, n->wnd), n->len_bytes);
    if (n->again)
        fputs(",\"again\":true", j->to);
}

static void put_run_side(const struct list *j, const char *name, const struct run_side *s)
{
    fprintf(j->to,
            ",\"%s\":{\"segments\":%" PRIu64 ",\"bytes\":%" PRIu64 ",\"acks\":%" PRIu64
            ",\"again\":%" PRIu64 "}",
            name, s->segments, s->bytes, s->acks, s->again);
}

static void put_line(void *context, const struct line *n)
{
    static const char *const kinds[] = { "segment", "run", "event" };
    struct list *j = context;
    char time[NUMBER_TEXT_BYTES];

    fprintf(j->to, "%s{\"kind\":\"%s\",\"t\":%s", j->first ? "" : ",", kinds[n->kind],
            text_seconds(n->at.ns - j->l->began.ns, time));
    j->first = false;
    if (n->kind == LINE_SEGMENT)
        put_segment(j, n);
    if (n->kind == LINE_RUN) {
        fprintf(j->to, ",\"until\":%s", text_seconds(n->until.ns - j->l->began.ns, time));
        put_run_side(j, "local", &n->run[LOCAL]);
        put_run_side(j, "peer", &n->run[PEER]);
    }
    fprintf(j->to, ",\"local_state\":\"%s\",\"peer_state\":\"%s\"",
            la_state_name((enum la_state)n->state[LOCAL]),
            la_state_name((enum la_state)n->state[PEER]));
    if (n->reason != LA_DROP_NONE)
        fprintf(j->to, ",\"reason\":\"%s\"", la_drop_name((enum la_drop)n->reason));
    if (n->note_count > 0)
        put_notes(j, n);
    fputc('}', j->to);
}

static void put_side(const struct list *j, const char *name, enum ladder_side side,
                     struct la_endpoint endpoint)
{
    const struct side *s = &j->l->side[side];
    char text[ENDPOINT_TEXT_BYTES];
    fprintf(j->to, "\"%s\":{\"endpoint\":", name);
    put_string(j->to, text_endpoint(endpoint, text));
    fprintf(j->to, ",\"segments\":%" PRIu64 ",\"bytes\":%" PRIu64 ",\"again\":%" PRIu64 "},",
            s->segments, s->bytes, s->again);
}

static void put_whys(const struct ladder *l, FILE *to)
{
    for (uint32_t i = 0; i < l->why_count; i++) {
        const struct la_cause *c = &l->whys[i].first;
        fprintf(to, "%s{\"reason\":\"%s\",\"times\":%" PRIu64, i > 0 ? "," : "",
                la_drop_name(c->reason), l->whys[i].times);
        fprintf(to, ",\"clause\":\"%s\",\"knob\":\"%s\",\"counter\":\"%s\"",
                la_cause_clause(c->reason), la_cause_decided(c), la_cause_counted(c));
        if (c->limit > 0)
            fprintf(to,
                    ",\"accept_queue\":%" PRIu32 ",\"syn_queue\":%" PRIu32 ",\"limit\":%" PRIu32,
                    c->accept_len, c->half_len, c->limit);
        if (c->conn.bits != 0)
            fprintf(to,
                    ",\"snd_queued\":%" PRIu32 ",\"rcv_queued\":%" PRIu32
                    ",\"retransmits\":%" PRIu32,
                    c->snd_queued_bytes, c->rcv_queued_bytes, c->retransmits);
        fputc('}', to);
    }
}

void ladder_json(const struct ladder *l, FILE *to)
{
    struct ladder *settled = ladder_settled(l);
    struct list j = { settled, to, true };
    if (settled == NULL)
        return;
    fputc('{', to);
    put_side(&j, "local", LOCAL, l->local);
    put_side(&j, "peer", PEER, l->remote);
    fprintf(to, "\"peer_inferred\":%s,\"two_msl_ms\":%" PRIu32 ",\"lines\":[",
            l->peer_traced ? "false" : "true", l->options.two_msl_ms);
    fold_each(settled, put_line, &j);
    fputs("],\"reasons\":[", to);
    put_whys(settled, to);
    fputs("]}\n", to);
    ladder_free(settled);
}
