/* SPDX-License-Identifier: MIT */
/* causes.c - What causes.def says of each reason, and reading the causes that are remembered. */
#include "core/stack/stack.h"

struct cause_row {
    enum la_cause_kind kind;
    const char *clause, *knob, *counter;
};
static const struct cause_row rows[] = {
#define LA_CAUSE(name, kind, clause, knob, counter)                                                \
    [LA_DROP_##name] = { LA_CAUSE_##kind, clause, knob, counter },
#include <lastack/causes.def>
#undef LA_CAUSE
};

static const struct cause_row *row_of(enum la_drop reason)
{
    const struct cause_row *r = &rows[(uint32_t)reason < LA_COUNT_OF(rows) ? reason : 0];

    return r->clause != NULL ? r : &rows[LA_DROP_NONE];
}

enum la_cause_kind la_cause_kind(enum la_drop reason)
{
    return row_of(reason)->kind;
}

const char *la_cause_clause(enum la_drop reason)
{
    return row_of(reason)->clause;
}

const char *la_cause_knob(enum la_drop reason)
{
    return row_of(reason)->knob;
}

const char *la_cause_counter(enum la_drop reason)
{
    return row_of(reason)->counter;
}

const char *la_cause_counted(const struct la_cause *c)
{
    const bool open = c->state == LA_ESTABLISHED || c->state == LA_CLOSE_WAIT;
    const bool opening = c->state == LA_SYN_SENT || c->state == LA_SYN_RECEIVED;

    if ((c->reason == LA_DROP_RESET && !open) || (c->reason == LA_DROP_ICMP_HARD && !opening))
        return "none";
    return la_cause_counter(c->reason);
}

const char *la_cause_decided(const struct la_cause *c)
{
    const bool gave_up = c->reason == LA_DROP_RETRIES || c->reason == LA_DROP_PERSIST;

    if (gave_up && c->state == LA_SYN_SENT)
        return "net.ipv4.tcp_syn_retries";
    if (gave_up && c->orphan)
        return "net.ipv4.tcp_orphan_retries";
    return la_cause_knob(c->reason);
}

const char *la_cause_kind_name(enum la_cause_kind kind)
{
    switch (kind) {
    case LA_CAUSE_DROP:
        return "dropped";
    case LA_CAUSE_ACK:
        return "acknowledged";
    case LA_CAUSE_RST:
        return "reset";
    case LA_CAUSE_REFUSED:
        return "refused";
    case LA_CAUSE_ENDED:
        return "ended";
    case LA_CAUSE_TIMEOUT:
        return "timeout";
    case LA_CAUSE_ABORTED:
        return "aborted";
    }
    return "unknown";
}

/* The oldest that is still there: numbers run from 1. */
static uint64_t oldest(const struct env_causes *r)
{
    return r->told > r->cap ? r->told - r->cap + 1 : 1;
}

static const struct la_cause *numbered(const struct la_stack *s, uint64_t number)
{
    const struct env_causes *r = &s->tcp.env.causes;
    const uint64_t at = r->offset + (number - 1) % r->cap * sizeof(struct la_cause);

    return (const struct la_cause *)(const void *)((const uint8_t *)s + at);
}

uint32_t la_causes(const struct la_stack *s, uint64_t *after, struct la_cause *out, uint32_t max)
{
    const struct env_causes *r = &s->tcp.env.causes;
    uint32_t n = 0;

    if (r->cap == 0 || *after >= r->told)
        return 0;
    if (*after + 1 < oldest(r))
        *after = oldest(r) - 1;
    while (n < max && *after < r->told)
        out[n++] = *numbered(s, ++*after);
    return n;
}

enum la_err la_conn_cause(const struct la_stack *s, la_conn_id id, struct la_cause *out)
{
    const struct env_causes *r = &s->tcp.env.causes;

    if (slab_find(&s->tcp.conns, s, id.bits) == SLAB_NONE)
        return LA_EBADHANDLE;
    for (uint64_t n = r->told; r->cap > 0 && n >= oldest(r); n--) {
        if (numbered(s, n)->conn.bits == id.bits) {
            *out = *numbered(s, n);
            return LA_OK;
        }
    }
    return LA_ENOENT;
}
