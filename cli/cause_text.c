/* SPDX-License-Identifier: MIT */
/* cause_text.c - See cause_text.h. */
#include "cli/cause_text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LOOK_BACK 64u

__attribute__((format(printf, 2, 3))) static void add(char to[CAUSE_TEXT_BYTES], const char *format,
                                                      ...)
{
    const size_t len = strlen(to);
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(to + len, CAUSE_TEXT_BYTES - len, format, arguments);
    va_end(arguments);
}

static bool is_none(const char *name)
{
    return strcmp(name, "none") == 0;
}

void cause_text(const struct la_cause *c, char to[CAUSE_TEXT_BYTES])
{
    const char *clause = la_cause_clause(c->reason), *knob = la_cause_decided(c);
    const char *counter = la_cause_counted(c);

    to[0] = '\0';
    add(to, "%s", is_none(clause) ? "no RFC's clause" : clause);
    add(to, is_none(knob) ? "; no knob" : "; knob %s", knob);
    add(to, is_none(counter) ? "; no counter of Linux's" : "; counter %s", counter);
    if (c->limit > 0)
        add(to, "; accept queue %" PRIu32 ", SYN queue %" PRIu32 ", limit %" PRIu32, c->accept_len,
            c->half_len, c->limit);
    if (c->conn.bits == 0)
        return;
    add(to, "; %" PRIu32 " bytes to send, %" PRIu32 " to read", c->snd_queued_bytes,
        c->rcv_queued_bytes);
    if (c->retransmits > 0)
        add(to, ", %" PRIu32 " sent in vain", c->retransmits);
}

static bool is_of(const struct la_cause *c, const struct la_trace *t)
{
    return c->reason == (enum la_drop)t->reason && c->local.port == t->local.port &&
           la_addr_equal(c->local.addr, t->local.addr) && c->at.ns >= t->at.ns &&
           (c->times > 1 ||
            (c->remote.port == t->remote.port && la_addr_equal(c->remote.addr, t->remote.addr)));
}

bool cause_of(const struct la_stack *s, const struct la_trace *t, uint64_t *newest,
              struct la_cause *out)
{
    while (la_causes(s, newest, out, 1) == 1)
        continue;
    for (uint64_t back = 0; back < LOOK_BACK && back < *newest; back++) {
        uint64_t before = *newest - back - 1;

        if (la_causes(s, &before, out, 1) == 1 && is_of(out, t))
            return true;
    }
    return false;
}
