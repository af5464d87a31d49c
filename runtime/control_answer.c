/* SPDX-License-Identifier: MIT */
/*
 * control_answer.c - What is asked through a control socket, and what is answered.
 *
 * An answer is "lastack/1 ok", lines, and a last line: "end", or "next N" when there is more,
 * which is asked for with from=N.  What is refused is "lastack/1 error NAME text=...".  Every
 * list is handed out in pieces of this kind, so that one request never costs more than a
 * bounded piece of one turn: ROWS_MAX rows, SLOTS_MAX slots, CONTROL_ANSWER_MAX bytes.
 *
 * docs/control.md tells the same to those who write a client.
 */
#include "runtime/control.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SLOTS_MAX 8192u
#define ROWS_MAX 256u

/* One request in progress. */
struct asked {
    const struct control_context *c;
    const struct control_in *in;
    struct control_out *o;
    uint64_t from;
};

static void ok(struct control_out *o)
{
    control_word(o, CONTROL_VERSION);
    control_word(o, "ok");
    (void)control_line(o);
}

static void end(struct control_out *o)
{
    control_word(o, "end");
    (void)control_line(o);
}

static void next(struct control_out *o, uint64_t from)
{
    char text[24];

    snprintf(text, sizeof text, "%llu", (unsigned long long)from);
    control_word(o, "next");
    control_word(o, text);
    (void)control_line(o);
}

static void refuse(struct control_out *o, const char *name, const char *text)
{
    o->len = o->line = 0;
    o->full = false;
    control_word(o, CONTROL_VERSION);
    control_word(o, "error");
    control_word(o, name);
    control_field(o, "text", text);
    (void)control_line(o);
}

/*
 * A list of known length: each() writes line @i.  The room kept back is for the last line.
 */
static void list(struct asked *a, uint32_t count, void (*each)(struct asked *a, uint32_t i))
{
    ok(a->o);
    for (uint64_t i = a->from; i < count; i++) {
        each(a, (uint32_t)i);
        if (!control_line(a->o)) {
            a->o->room += 64;
            a->o->full = false;
            next(a->o, i);
            return;
        }
    }
    a->o->room += 64;
    end(a->o);
}

static uint32_t sysctl_count(void)
{
    uint32_t n = 0;

    while (la_sysctl_name(n) != NULL)
        n++;
    return n;
}

/* hello, states, tables -------------------------------------------------------------- */

static void answer_hello(struct asked *a)
{
    const struct control_context *c = a->c;

    ok(a->o);
    control_word(a->o, "process");
    control_field(a->o, "name", c->name);
    control_number(a->o, "pid", (uint64_t)getpid());
    control_number(a->o, "uid", (uint64_t)geteuid());
    control_number(a->o, "writable", c->may_write);
    control_number(a->o, "now", c->now.ns);
    control_number(a->o, "begun", c->begun_ns);
    (void)control_line(a->o);
    end(a->o);
}

static void each_state(struct asked *a, uint32_t i)
{
    uint32_t counts[LA_STATES];

    la_state_counts(a->c->stack, counts);
    control_word(a->o, "state");
    control_field(a->o, "name", la_state_name((enum la_state)i));
    control_number(a->o, "count", counts[i]);
}

static void each_table(struct asked *a, uint32_t i)
{
    const struct la_table_use use = la_table_use(a->c->stack, (enum la_table)i);

    control_word(a->o, "table");
    control_field(a->o, "name", la_table_name((enum la_table)i));
    control_number(a->o, "used", use.used);
    control_number(a->o, "max", use.used_max);
    control_number(a->o, "limit", use.limit);
    control_number(a->o, "item_bytes", use.item_bytes);
}

/* Of the loop the process runs, which is where bytes are counted. */
static void answer_loop(struct asked *a)
{
    struct la_rt_loop_stats stats;

    if (a->c->loop == NULL) {
        refuse(a->o, "ENOENT", "there is no loop");
        return;
    }
    la_rt_loop_stats(a->c->loop, &stats);
    ok(a->o);
    control_word(a->o, "loop");
    control_number(a->o, "turns", stats.turns);
    control_number(a->o, "sleeps", stats.sleeps);
    control_number(a->o, "packets_in", stats.packets_in);
    control_number(a->o, "packets_out", stats.packets_out);
    control_number(a->o, "bytes_in", stats.bytes_in);
    control_number(a->o, "bytes_out", stats.bytes_out);
    control_number(a->o, "packets_lost", stats.packets_lost);
    control_number(a->o, "device_full", stats.device_full);
    (void)control_line(a->o);
    end(a->o);
}

/* Counters ----------------------------------------------------------------------------- */

static void each_counter(struct asked *a, uint32_t i)
{
    control_word(a->o, "counter");
    control_field(a->o, "group", la_counter_group((enum la_counter)i));
    control_field(a->o, "name", la_counter_name((enum la_counter)i));
    control_number(a->o, "value", la_counter(a->c->stack, (enum la_counter)i));
}

static void each_drop(struct asked *a, uint32_t i)
{
    control_word(a->o, "drop");
    control_field(a->o, "name", la_drop_name((enum la_drop)i));
    control_number(a->o, "value", la_drops(a->c->stack, (enum la_drop)i));
}

/* sysctl --------------------------------------------------------------------------------- */

/* As /proc/sys has it: a number, or what la_sysctl_list_name() names.  False: no such name. */
static bool put_sysctl(struct asked *a, const char *name)
{
    char text[LA_SYSCTL_TEXT_MAX];

    if (la_sysctl_read(a->c->stack, name, text, sizeof text) != LA_OK)
        return false;
    control_word(a->o, "sysctl");
    control_field(a->o, "name", name);
    control_field(a->o, "value", text);
    return true;
}

static void each_sysctl(struct asked *a, uint32_t i)
{
    const uint32_t numbers = sysctl_count();

    (void)put_sysctl(a, i < numbers ? la_sysctl_name(i) : la_sysctl_list_name(i - numbers));
}

static uint32_t sysctl_list_count(void)
{
    uint32_t n = 0;

    while (la_sysctl_list_name(n) != NULL)
        n++;
    return n;
}

static void answer_one_sysctl(struct asked *a, const char *name)
{
    ok(a->o);
    if (!put_sysctl(a, name)) {
        refuse(a->o, "ENOENT", "there is no sysctl of that name");
        return;
    }
    (void)control_line(a->o);
    end(a->o);
}

static void answer_sysctl(struct asked *a)
{
    const char *name = control_get(a->in, "name");

    if (name == NULL)
        list(a, sysctl_count() + sysctl_list_count(), each_sysctl);
    else
        answer_one_sysctl(a, name);
}

static void answer_set(struct asked *a)
{
    const char *name = control_get(a->in, "name");
    const char *text = control_get(a->in, "value");

    if (name == NULL || text == NULL) {
        refuse(a->o, "EINVAL", "set wants name=NAME value=VALUE");
        return;
    }
    if (!a->c->may_write) {
        refuse(a->o, "EPERM", "this socket is for reading only");
        return;
    }
    const enum la_err err = la_sysctl_write(a->c->stack, name, text);
    if (err != LA_OK) {
        refuse(a->o, la_err_name(err),
               err == LA_ENOENT ? "there is no sysctl of that name" : "the value is out of range");
        return;
    }
    answer_one_sysctl(a, name);
}

/* Causes --------------------------------------------------------------------------------- */

static void put_cause(struct asked *a, const struct la_cause *c)
{
    struct control_out *o = a->o;

    control_word(o, "cause");
    control_number(o, "number", c->number);
    control_number(o, "ago", a->c->now.ns > c->at.ns ? a->c->now.ns - c->at.ns : 0);
    control_field(o, "reason", la_drop_name(c->reason));
    control_field(o, "what", la_cause_kind_name(la_cause_kind(c->reason)));
    control_number(o, "times", c->times);
    control_endpoint(o, "local", c->local);
    control_endpoint(o, "remote", c->remote);
    control_field(o, "state", la_state_name(c->state));
    control_field(o, "clause", la_cause_clause(c->reason));
    control_field(o, "knob", la_cause_decided(c));
    control_field(o, "counter", la_cause_counted(c));
    if (c->limit > 0) {
        control_number(o, "accept_len", c->accept_len);
        control_number(o, "half_len", c->half_len);
        control_number(o, "limit", c->limit);
    }
    control_number(o, "snd_queued", c->snd_queued_bytes);
    control_number(o, "rcv_queued", c->rcv_queued_bytes);
    control_number(o, "retransmits", c->retransmits);
    control_number(o, "conns_used", c->conns_used);
    control_number(o, "chunks_used", c->chunks_used);
}

/* from= is the number of the last cause the client knows. */
static void answer_causes(struct asked *a)
{
    uint64_t after = a->from;
    struct la_cause c;

    ok(a->o);
    for (uint32_t n = 0; n < ROWS_MAX && la_causes(a->c->stack, &after, &c, 1) == 1; n++) {
        put_cause(a, &c);
        if (!control_line(a->o)) {
            a->o->room += 64;
            a->o->full = false;
            next(a->o, c.number - 1);
            return;
        }
    }
    a->o->room += 64;
    const uint64_t last = after;
    if (la_causes(a->c->stack, &after, &c, 1) == 1)
        next(a->o, last);
    else
        end(a->o);
}

/* Findings ------------------------------------------------------------------------------- */

static void each_finding(struct asked *a, uint32_t i)
{
    control_word(a->o, "finding");
    control_field(a->o, "name", la_finding_name((enum la_finding)i));
    control_number(a->o, "value", la_finding_count(a->c->stack, (enum la_finding)i));
}

/* Those that are remembered, behind number from=.  A slice is looked at anew first. */
static void answer_found(struct asked *a)
{
    uint64_t after = a->from;
    struct la_found f;

    (void)la_findings_scan(a->c->stack, a->c->now, SLOTS_MAX);
    ok(a->o);
    while (la_findings(a->c->stack, &after, &f, 1) == 1) {
        control_word(a->o, "found");
        control_number(a->o, "number", f.number);
        control_number(a->o, "ago", a->c->now.ns > f.at.ns ? a->c->now.ns - f.at.ns : 0);
        control_field(a->o, "name", la_finding_name(f.finding));
        control_number(a->o, "value", f.value);
        control_endpoint(a->o, "local", f.local);
        control_endpoint(a->o, "remote", f.remote);
        control_field(a->o, "text", la_finding_text(f.finding));
        control_field(a->o, "advice", la_finding_advice(f.finding));
        if (!control_line(a->o)) {
            a->o->room += 64;
            a->o->full = false;
            next(a->o, f.number - 1);
            return;
        }
    }
    a->o->room += 64;
    end(a->o);
}

/* Rows ------------------------------------------------------------------------------------ */

/* What the client wants to see; states as bits of enum la_state. */
struct wanted {
    uint64_t states, info, family;
};

static bool shown(const struct la_row *r, const struct wanted *w)
{
    const bool v4 =
        r->kind == LA_ROW_LISTENER ? la_addr_is_v4(r->local.addr) : la_addr_is_v4(r->remote.addr);

    if ((w->states >> r->state & 1u) == 0)
        return false;
    return w->family == 0 || (w->family == 4) == v4;
}

static void answer_rows(struct asked *a)
{
    struct wanted w;
    uint64_t cursor = a->from;
    uint32_t slots = SLOTS_MAX;

    if (!control_get_number(a->in, "states", UINT64_MAX, &w.states) ||
        !control_get_number(a->in, "info", 0, &w.info) ||
        !control_get_number(a->in, "family", 0, &w.family) ||
        (w.family != 0 && w.family != 4 && w.family != 6)) {
        refuse(a->o, "EINVAL", "rows wants states=BITS info=0|1 family=4|6 from=N");
        return;
    }
    ok(a->o);
    for (uint32_t n = 0; n < ROWS_MAX && slots > 0 && cursor != LA_ROWS_END; slots--) {
        const uint64_t before = cursor;
        struct la_row row;
        if (la_rows_slice(a->c->stack, &cursor, &row, 1, 1) == 0)
            continue;
        if (w.states == 1u << LA_LISTEN && row.kind != LA_ROW_LISTENER)
            cursor = LA_ROWS_END; /* listeners come first */
        if (!shown(&row, &w))
            continue;
        control_put_row(a->c, a->o, &row, w.info != 0);
        if (!control_line(a->o)) {
            cursor = before;
            a->o->full = false;
            break;
        }
        n++;
    }
    a->o->room += 64;
    if (cursor == LA_ROWS_END)
        end(a->o);
    else
        next(a->o, cursor);
}

/* Ports ----------------------------------------------------------------------------------- */

static void answer_ports(struct asked *a)
{
    struct la_ports_info info;

    la_ports_range(a->c->stack, &info);
    ok(a->o);
    control_word(a->o, "ports");
    control_number(a->o, "min", info.min);
    control_number(a->o, "max", info.max);
    control_number(a->o, "ports", info.ports);
    control_number(a->o, "two_msl_ms", info.two_msl_ms);
    control_number(a->o, "searches", info.searches);
    control_number(a->o, "probes", info.probes);
    (void)control_line(a->o);
    end(a->o);
}

/* Ending a connection ------------------------------------------------------------------------ */

static void answer_kill(struct asked *a)
{
    const char *local = control_get(a->in, "local");
    const char *remote = control_get(a->in, "remote");
    struct la_endpoint from, to;

    if (local == NULL || remote == NULL || !control_parse_endpoint(local, &from) ||
        !control_parse_endpoint(remote, &to)) {
        refuse(a->o, "EINVAL", "kill wants local=ADDR:PORT remote=ADDR:PORT");
        return;
    }
    if (!a->c->may_write) {
        refuse(a->o, "EPERM", "this socket is for reading only");
        return;
    }
    const enum la_err err = la_kill(a->c->stack, a->c->now, from, to);
    if (err != LA_OK) {
        refuse(a->o, la_err_name(err), "there is no such connection");
        return;
    }
    ok(a->o);
    end(a->o);
}

/* The request --------------------------------------------------------------------------------- */

static void answer(struct asked *a, const char *verb)
{
    if (strcmp(verb, "hello") == 0)
        answer_hello(a);
    else if (strcmp(verb, "states") == 0)
        list(a, LA_STATES, each_state);
    else if (strcmp(verb, "tables") == 0)
        list(a, LA_TABLES, each_table);
    else if (strcmp(verb, "loop") == 0)
        answer_loop(a);
    else if (strcmp(verb, "counters") == 0)
        list(a, LA_COUNTERS, each_counter);
    else if (strcmp(verb, "drops") == 0)
        list(a, LA_DROPS, each_drop);
    else if (strcmp(verb, "sysctl") == 0)
        answer_sysctl(a);
    else if (strcmp(verb, "set") == 0)
        answer_set(a);
    else if (strcmp(verb, "rows") == 0)
        answer_rows(a);
    else if (strcmp(verb, "ports") == 0)
        answer_ports(a);
    else if (strcmp(verb, "causes") == 0)
        answer_causes(a);
    else if (strcmp(verb, "findings") == 0)
        list(a, LA_FINDINGS, each_finding);
    else if (strcmp(verb, "found") == 0)
        answer_found(a);
    else if (strcmp(verb, "kill") == 0)
        answer_kill(a);
    else
        refuse(a->o, "EINVAL", "unknown request");
}

uint32_t control_answer(const struct control_context *c, const char *request, uint32_t len_bytes,
                        char *out)
{
    char line[CONTROL_REQUEST_MAX + 1];
    struct control_in in;
    struct control_out o;
    struct asked a = { c, &in, &o, 0 };

    control_out_begin(&o, out, CONTROL_ANSWER_MAX - 64); /* 64 for the last line */
    if (len_bytes > CONTROL_REQUEST_MAX) {
        refuse(&o, "EMSGSIZE", "the request is too long");
        return o.len;
    }
    memcpy(line, request, len_bytes);
    line[len_bytes] = '\0';
    line[strcspn(line, "\n")] = '\0';
    if (!control_parse(line, &in) || strcmp(in.word, CONTROL_VERSION) != 0 || in.count == 0 ||
        in.keys[0][0] != '\0')
        refuse(&o, "EINVAL", "a request is: " CONTROL_VERSION " VERB key=value ...");
    else if (!control_get_number(&in, "from", 0, &a.from))
        refuse(&o, "EINVAL", "from is no number");
    else
        answer(&a, in.values[0]);
    return o.len;
}
