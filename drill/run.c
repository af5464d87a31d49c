/* SPDX-License-Identifier: MIT */
/*
 * run.c - From event to event.
 *
 * An exact time is the script's: what follows counts from it though the packet came within the
 * tolerance, so that nothing drifts.  Behind a range or "*" the script counts from what happened.
 */
#include "drill/run.h"

#include <stdio.h>
#include <string.h>

/* --- verdicts -------------------------------------------------------------------------------- */

static bool decide(struct drill_run *r, enum drill_verdict verdict)
{
    if (r->result->verdict != DRILL_PASS)
        return false;
    r->result->verdict = verdict;
    if (r->event != NULL) {
        r->result->line = r->event->line;
        snprintf(r->result->source, sizeof r->result->source, "%s", r->event->source);
    }
    return true;
}

bool drill_fail(struct drill_run *r, const char *expected, const char *came)
{
    return drill_failf(r, expected, "%s", came);
}

bool drill_failf(struct drill_run *r, const char *expected, const char *format, ...)
{
    va_list arguments;
    if (!decide(r, DRILL_FAIL))
        return false;
    snprintf(r->result->expected, sizeof r->result->expected, "%s", expected);
    va_start(arguments, format);
    vsnprintf(r->result->came, sizeof r->result->came, format, arguments);
    va_end(arguments);
    return false;
}

bool drill_unsupported(struct drill_run *r, const char *format, ...)
{
    va_list arguments;
    if (!decide(r, DRILL_UNSUPPORTED))
        return false;
    va_start(arguments, format);
    vsnprintf(r->result->feature, sizeof r->result->feature, format, arguments);
    va_end(arguments);
    return false;
}

bool drill_malformed(struct drill_run *r, uint32_t line, const char *format, ...)
{
    va_list arguments;
    if (!decide(r, DRILL_MALFORMED))
        return false;
    r->result->line = line;
    va_start(arguments, format);
    vsnprintf(r->result->expected, sizeof r->result->expected, format, arguments);
    va_end(arguments);
    return false;
}

/* --- time -------------------------------------------------------------------------------------- */

const char *drill_time_text(struct drill_run *r, int64_t ns)
{
    const char *sign = ns < 0 ? "-" : "";
    const uint64_t us = (uint64_t)(ns < 0 ? -ns : ns) / 1000;
    return drill_format(r->pool, "%s%llu.%06llu s", sign, (unsigned long long)(us / 1000000),
                        (unsigned long long)(us % 1000000));
}

bool drill_in_time(const struct drill_run *r, int64_t expected_from_ns, int64_t expected_to_ns,
                   int64_t actual_ns)
{
    const int64_t since = expected_to_ns - r->last_ns;
    const int64_t part = since > 0 ? since / 100 * r->config.tolerance_percent : 0;
    const int64_t tolerance = part > r->config.tolerance_ns ? part : r->config.tolerance_ns;
    return actual_ns >= expected_from_ns - tolerance && actual_ns <= expected_to_ns + tolerance;
}

static void keep(struct drill_run *r, const struct drill_capture *p)
{
    struct drill_waiting *w = drill_alloc(r->pool, sizeof *w);
    w->at_ns = p->at_ns;
    w->len = p->len;
    w->bytes = drill_alloc(r->pool, p->len + 1);
    memcpy(w->bytes, p->bytes, p->len);
    *r->last = w;
    r->last = &w->next;
}

bool drill_pass(struct drill_run *r, int64_t until_ns)
{
    for (;;) {
        struct drill_capture p;
        switch (r->host.wait(r->host.self, until_ns, &p)) {
        case DRILL_WAITED_TIME:
            return true;
        case DRILL_WAITED_PACKET:
            keep(r, &p);
            break;
        case DRILL_WAITED_CALL:
            return true;
        }
    }
}

bool drill_pass_one(struct drill_run *r, int64_t until_ns)
{
    struct drill_capture p;
    const enum drill_waited waited = r->host.wait(r->host.self, until_ns, &p);
    if (waited == DRILL_WAITED_PACKET)
        keep(r, &p);
    return waited != DRILL_WAITED_TIME;
}

bool drill_pass_to_packet(struct drill_run *r, int64_t until_ns)
{
    while (r->first == NULL)
        if (!drill_pass_one(r, until_ns))
            return false;
    return true;
}

static void set_time(struct drill_run *r, const struct drill_when *w)
{
    const int64_t before = r->event_ns;
    r->last_ns = before;
    switch (w->kind) {
    case DRILL_AT:
    case DRILL_BETWEEN:
        r->event_ns = w->from_ns;
        return;
    case DRILL_AFTER:
    case DRILL_AFTER_BETWEEN:
        r->event_ns = before + w->from_ns;
        return;
    case DRILL_WHENEVER:
        r->event_ns = r->host.now(r->host.self);
        return;
    }
}

/* Let time pass until the event's time, and see that it was not passed. */
static bool reach(struct drill_run *r)
{
    int64_t now;
    while ((now = r->host.now(r->host.self)) < r->event_ns)
        if (!drill_pass(r, r->event_ns))
            return false;
    if (r->event->when.kind == DRILL_WHENEVER || drill_in_time(r, r->event_ns, r->event_ns, now))
        return true;
    return drill_failf(r,
                       drill_format(r->pool, "this event at %s", drill_time_text(r, r->event_ns)),
                       "it is %s already", drill_time_text(r, now));
}

/* --- events -------------------------------------------------------------------------------------- */

static bool run_command(struct drill_run *r, const char *text)
{
    char why[256] = "";
    switch (r->host.command(r->host.self, text, why, sizeof why)) {
    case DRILL_SAID_OK:
        return true;
    case DRILL_SAID_FAILED:
        return drill_fail(r, "the command succeeds", why);
    case DRILL_SAID_UNSUPPORTED:
        return drill_unsupported(r, "%s", why);
    }
    return false;
}

static bool run_event(struct drill_run *r, const struct drill_event *e)
{
    r->event = e;
    set_time(r, &e->when);
    const bool expects = e->kind == DRILL_PACKET && !e->packet->inbound;
    if (!expects && !reach(r))
        return false;
    switch (e->kind) {
    case DRILL_PACKET:
        return drill_run_packet(r, e->packet);
    case DRILL_SYSCALL:
        return drill_finish_call(r) && drill_run_call(r, e->call);
    case DRILL_COMMAND:
        return run_command(r, e->text);
    case DRILL_CODE:
        return drill_finish_call(r) && drill_run_code(r, e->text);
    }
    return false;
}

static void draw_ladder(const struct drill_run *r, struct drill_result *result)
{
    const uint32_t shown = r->ladder_count < DRILL_LADDER_MAX ? r->ladder_count : DRILL_LADDER_MAX;
    for (uint32_t i = 0; i < shown; i++) {
        const struct drill_rung *rung =
            &r->ladder[(r->ladder_count - shown + i) % DRILL_LADDER_MAX];
        const int64_t us = rung->at_ns / 1000;
        snprintf(result->ladder[result->ladder_count++], sizeof result->ladder[0],
                 "%6lld.%06lld  %s  %s", (long long)(us / 1000000), (long long)(us % 1000000),
                 rung->inbound ? "script ---> host" : "script <--- host", rung->text);
    }
}

static void run_events(struct drill_run *r)
{
    const struct drill_event *e = r->script->events;
    for (; e != NULL && run_event(r, e); e = e->next)
        r->result->events++;
    if (r->result->verdict == DRILL_PASS)
        (void)drill_finish_call(r);
    r->result->script_ns = r->host.now(r->host.self);
    if (r->result->verdict == DRILL_FAIL)
        draw_ladder(r, r->result);
}

static bool configure(struct drill_run *r)
{
    char why[256] = "";
    for (const struct drill_setting *s = r->script->settings; s != NULL; s = s->next) {
        const int said = drill_config_set(&r->config, s->name, s->value, why, sizeof why);
        if (said == 0)
            continue;
        r->result->line = s->line;
        if (said == 77)
            return drill_unsupported(r, "%s", why);
        return drill_malformed(r, s->line, "%s", why);
    }
    for (size_t i = 0; i < r->config.override_count; i++)
        (void)drill_config_set(&r->config, r->config.overrides[i].name,
                               r->config.overrides[i].value, why, sizeof why);
    drill_config_complete(&r->config);
    return true;
}

static bool open_host(struct drill_run *r)
{
    char error[256] = "";
    const bool opened = r->config.kernel
                            ? drill_kernel_open(&r->config, &r->host, error, sizeof error)
                            : drill_lastack_open(&r->config, &r->host, error, sizeof error);
    return opened || drill_malformed(r, 0, "a host to test: %s", error);
}

static void run(struct drill_run *r)
{
    if (!configure(r) || !open_host(r))
        return;
    const bool v6 = r->config.mode == DRILL_IPV6;
    r->ends = (struct drill_ends){ r->config.local, r->config.remote, v6 ? 6 : 4 };
    r->bound_port = r->config.bind_port;
    r->next_remote_port = 40001;
    r->under_test = -1;
    r->last = &r->first;
    run_events(r);
    r->host.close(r->host.self);
}

/* The words a script defines itself, behind those given.  Return: how many there are now. */
static size_t add_defines(const struct drill_script *script, struct drill_pool *pool,
                          const struct drill_define *given, size_t count, struct drill_define *all)
{
    if (count > 0)
        memcpy(all, given, count * sizeof *all);
    for (const struct drill_setting *s = script->settings; s != NULL; s = s->next) {
        const char *equals = s->value != NULL ? strchr(s->value, '=') : NULL;
        if (strcmp(s->name, "define") != 0 || equals == NULL || count == DRILL_DEFINES_MAX)
            continue;
        all[count].name = drill_text(pool, s->value, (size_t)(equals - s->value));
        all[count++].value = drill_text(pool, equals + 1, strlen(equals + 1));
    }
    return count;
}

void drill_script_run(const char *file, const char *text, size_t len,
                      const struct drill_config *config, const struct drill_define *defines,
                      size_t define_count, struct drill_result *result)
{
    struct drill_script script = { 0 };
    struct drill_problem problem;
    struct drill_pool words = { 0 };
    struct drill_define all[DRILL_DEFINES_MAX];
    memset(result, 0, sizeof *result);
    if (define_count > DRILL_DEFINES_MAX)
        define_count = DRILL_DEFINES_MAX;
    bool read = drill_parse(file, text, len, defines, define_count, &script, &problem);
    const size_t count = add_defines(&script, &words, defines, define_count, all);
    if (count > define_count) { /* once more, with the words it defines itself */
        drill_script_free(&script);
        memset(&script, 0, sizeof script);
        read = drill_parse(file, text, len, all, count, &script, &problem);
    }
    if (read) {
        struct drill_run r = {
            .script = &script, .config = *config, .pool = &script.pool, .result = result
        };
        run(&r);
    } else {
        const bool refused = problem.unsupported[0] != '\0';
        result->verdict = refused ? DRILL_UNSUPPORTED : DRILL_MALFORMED;
        result->line = problem.line;
        snprintf(result->feature, sizeof result->feature, "%s", problem.unsupported);
        snprintf(result->expected, sizeof result->expected, "%s", problem.expected);
        snprintf(result->came, sizeof result->came, "%s", problem.came);
    }
    drill_script_free(&script);
    drill_pool_free(&words);
}
