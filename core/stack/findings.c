/* SPDX-License-Identifier: MIT */
/* findings.c - Reading, counting and subscribing to what findings.def lists. */
#include "core/stack/stack.h"

static const struct {
    const char *name, *text, *advice;
} words[LA_FINDINGS] = {
#define LA_FINDING(name, text, advice) [LA_FINDING_##name] = { #name, text, advice },
#include <lastack/findings.def>
#undef LA_FINDING
};

const char *la_finding_name(enum la_finding finding)
{
    return (uint32_t)finding < LA_FINDINGS ? words[finding].name : "?";
}

const char *la_finding_text(enum la_finding finding)
{
    return (uint32_t)finding < LA_FINDINGS ? words[finding].text : "?";
}

const char *la_finding_advice(enum la_finding finding)
{
    return (uint32_t)finding < LA_FINDINGS ? words[finding].advice : "?";
}

uint64_t la_finding_count(const struct la_stack *s, enum la_finding finding)
{
    LA_ASSERT((uint32_t)finding < LA_FINDINGS);
    return s->tcp.findings.counts[finding];
}

uint32_t la_findings(const struct la_stack *s, uint64_t *after, struct la_found *out, uint32_t max)
{
    const struct tcp_findings *f = &s->tcp.findings;
    uint32_t n = 0;

    if (f->told > LA_FINDINGS_KEPT && *after < f->told - LA_FINDINGS_KEPT)
        *after = f->told - LA_FINDINGS_KEPT;
    for (; n < max && *after < f->told; n++)
        out[n] = f->kept[(*after)++ % LA_FINDINGS_KEPT];
    return n;
}

enum la_err la_findings_subscribe(struct la_stack *s, uint32_t bits)
{
    if (bits >> LA_FINDINGS != 0)
        return LA_EINVAL;
    s->tcp.findings.subscribed = bits;
    s->tcp.findings.pending &= bits;
    return LA_OK;
}

bool la_findings_scan(struct la_stack *s, la_time now, uint32_t slots)
{
    bool more;

    stack_enter(s, now);
    more = tcp_findings_scan(&s->tcp, slots);
    stack_leave(s);
    return more;
}

enum la_err la_finding_no_fd(struct la_stack *s, la_time now, la_listener_id id, uint64_t refused)
{
    const uint32_t li = slab_find(&s->tcp.listeners, s, id.bits);

    if (li == SLAB_NONE)
        return LA_EBADHANDLE;
    stack_enter(s, now);
    finding_listener(&s->tcp, li, LA_FINDING_ACCEPT_NO_FD, refused);
    stack_leave(s);
    return LA_OK;
}
