/* SPDX-License-Identifier: MIT */
/*
 * parse.c - The frame of a script: options, times, events.
 *
 * What --define names is replaced in the text before anything is read, outside of comments, so
 * that a name may stand for a number, a cookie or a piece of a command.  Lines keep their
 * numbers, for neither names nor values span lines.
 */
#include "drill/reader.h"

#include <string.h>

struct parser {
    struct drill_reader r;
    struct drill_script *script;
    struct drill_setting **last_setting;
    struct drill_event **last_event;
};

/* --- defines ------------------------------------------------------------------- */

struct text {
    char *bytes;
    size_t len, room;
};

static void append(struct drill_pool *pool, struct text *to, const char *bytes, size_t len)
{
    if (to->len + len > to->room) {
        const size_t room = (to->len + len) * 2 + 64;
        char *larger = drill_alloc(pool, room);
        if (to->len > 0)
            memcpy(larger, to->bytes, to->len);
        to->bytes = larger;
        to->room = room;
    }
    if (len > 0)
        memcpy(to->bytes + to->len, bytes, len);
    to->len += len;
}

static size_t word_len(const char *at, const char *end)
{
    size_t len = 0;
    while (at + len < end && (drill_is_letter(at[len]) || drill_is_digit(at[len])))
        len++;
    return len;
}

static struct text substitute(struct drill_pool *pool, const char *at, const char *end,
                              const struct drill_define *defines, size_t count)
{
    struct text to = { "", 0, 0 };
    while (at < end) {
        size_t len = word_len(at, end);
        const char *value = NULL;
        for (size_t i = 0; i < count && len > 0; i++)
            if (strlen(defines[i].name) == len && memcmp(defines[i].name, at, len) == 0)
                value = defines[i].value;
        if (value != NULL)
            append(pool, &to, value, strlen(value));
        else if (len > 0)
            append(pool, &to, at, len);
        else
            append(pool, &to, at, len = 1);
        at += len;
    }
    return to;
}

/* --- options ------------------------------------------------------------------- */

static bool read_setting(struct parser *p)
{
    struct drill_reader *r = &p->r;
    struct drill_setting *s = drill_alloc(r->pool, sizeof *s);
    s->line = r->line;
    size_t len;
    const char *name = drill_run(r, "=", &len);
    if (len == 0)
        return drill_expected(r, "the name of an option after --");
    s->name = drill_text(r->pool, name, len);
    if (r->at < r->end && *r->at == '=') {
        r->at++;
        if (r->at < r->end && (*r->at == '"' || *r->at == '`')) {
            const char quote = *r->at++;
            const char *begin = r->at;
            while (r->at < r->end && *r->at != quote && *r->at != '\n')
                r->at++;
            if (r->at == r->end || *r->at != quote)
                return drill_expected(r, "the closing quote of an option's value");
            s->value = drill_text(r->pool, begin, (size_t)(r->at - begin));
            r->at++;
        } else {
            const char *begin = r->at;
            while (r->at < r->end && (unsigned char)*r->at > ' ')
                r->at++;
            s->value = drill_text(r->pool, begin, (size_t)(r->at - begin));
        }
    }
    *p->last_setting = s;
    p->last_setting = &s->next;
    return true;
}

/* --- events -------------------------------------------------------------------- */

static bool read_when(struct drill_reader *r, struct drill_when *w)
{
    if (drill_take(r, "*")) {
        w->kind = DRILL_WHENEVER;
        return true;
    }
    const bool relative = drill_take(r, "+");
    if (!drill_seconds(r, &w->from_ns))
        return false;
    w->kind = relative ? DRILL_AFTER : DRILL_AT;
    if (drill_take(r, "~")) {
        if (relative && !drill_need(r, "+"))
            return false;
        w->kind = relative ? DRILL_AFTER_BETWEEN : DRILL_BETWEEN;
        if (!drill_seconds(r, &w->to_ns))
            return false;
        if (w->to_ns < w->from_ns)
            return drill_expected(r, "a range whose end is not before its beginning");
    } else if (drill_take(r, "...")) {
        drill_take(r, "+");
        w->blocks = true;
        if (!drill_seconds(r, &w->returns_ns))
            return false;
        if (w->returns_ns < w->from_ns)
            return drill_expected(r, "a call that returns no earlier than it begins");
    }
    return true;
}

/* Everything up to @close, which is taken too. */
static bool read_raw(struct drill_reader *r, const char *close, const char *what, const char **out)
{
    const char *begin = r->at;
    const size_t len = strlen(close);
    while ((size_t)(r->end - r->at) >= len && memcmp(r->at, close, len) != 0) {
        r->line += *r->at == '\n';
        r->at++;
    }
    if ((size_t)(r->end - r->at) < len) {
        r->at = r->end;
        return drill_expected(r, "the end of %s, %s", what, close);
    }
    *out = drill_text(r->pool, begin, (size_t)(r->at - begin));
    r->at += len;
    return true;
}

static bool read_action(struct drill_reader *r, struct drill_event *e)
{
    const char c = drill_peek(r);
    if (c == '`') {
        r->at++;
        e->kind = DRILL_COMMAND;
        return read_raw(r, "`", "a command", &e->text);
    }
    if (drill_take(r, "%{")) {
        e->kind = DRILL_CODE;
        return read_raw(r, "}%", "a block of code", &e->text);
    }
    if (c == '<' || c == '>') {
        e->kind = DRILL_PACKET;
        e->packet = drill_alloc(r->pool, sizeof *e->packet);
        return drill_read_packet(r, e->packet);
    }
    if (drill_is_letter(c)) {
        e->kind = DRILL_SYSCALL;
        e->call = drill_alloc(r->pool, sizeof *e->call);
        return drill_read_call(r, e->call);
    }
    return drill_expected(r, "a packet (< or >), a system call, a `command` or %%{ code }%%");
}

/* The event as written, without comments and with single spaces. */
static const char *source_of(struct drill_pool *pool, const char *begin, const char *end)
{
    struct text to = { 0 };
    for (const char *p = begin; p < end; p++) {
        const bool space = *p == ' ' || *p == '\t' || *p == '\n' || *p == '\r';
        if (space && (to.len == 0 || to.bytes[to.len - 1] == ' '))
            continue;
        append(pool, &to, space ? " " : p, 1);
    }
    while (to.len > 0 && to.bytes[to.len - 1] == ' ')
        to.len--;
    return drill_text(pool, to.bytes, to.len);
}

static bool read_event(struct parser *p)
{
    struct drill_reader *r = &p->r;
    struct drill_event *e = drill_alloc(r->pool, sizeof *e);
    const char c = drill_peek(r);
    const char *begin = r->at;
    e->line = r->line;
    if (c == '`' || c == '%')
        e->when.kind = DRILL_AFTER; /* without a time: at once */
    else if (c != '*' && c != '+' && c != '.' && !drill_is_digit(c))
        return drill_expected(r, p->script->event_count == 0
                                     ? "an option (--name=value) or an event's time"
                                     : "an event's time");
    else if (!read_when(r, &e->when))
        return false;
    if (!read_action(r, e))
        return false;
    if (e->when.blocks && e->kind != DRILL_SYSCALL)
        return drill_expected(r, "a system call behind a time of the form BEGIN...END");
    e->source = source_of(r->pool, begin, r->at);
    *p->last_event = e;
    p->last_event = &e->next;
    p->script->event_count++;
    return true;
}

bool drill_parse(const char *file, const char *text, size_t len, const struct drill_define *defines,
                 size_t define_count, struct drill_script *script, struct drill_problem *problem)
{
    script->file = file;
    memset(problem, 0, sizeof *problem);
    const struct text replaced = substitute(&script->pool, text, text + len, defines, define_count);
    struct parser p = {
        .r = { .at = replaced.bytes,
               .end = replaced.bytes + replaced.len,
               .line = 1,
               .pool = &script->pool,
               .problem = problem },
        .script = script,
        .last_setting = &script->settings,
        .last_event = &script->events,
    };
    while (drill_take(&p.r, "--"))
        if (!read_setting(&p))
            return false;
    while (drill_peek(&p.r) != '\0')
        if (!read_event(&p))
            return false;
    if (p.r.at < p.r.end)
        return drill_expected(&p.r, "an event");
    if (script->events == NULL)
        return drill_expected(&p.r, "an event");
    return !p.r.failed;
}

void drill_script_free(struct drill_script *script)
{
    drill_pool_free(&script->pool);
}
