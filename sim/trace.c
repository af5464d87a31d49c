/* SPDX-License-Identifier: MIT */
/* trace.c - The lines that trace.h promises. */
#include "sim/trace.h"

#include <inttypes.h>

#include "sim/check/check.h"
#include "sim/host.h"

static void put_time(const struct sim_world *w)
{
    fprintf(w->trace, "%6llu.%06llu  ", (unsigned long long)(w->now_ns / 1000000000u),
            (unsigned long long)(w->now_ns / 1000u % 1000000u));
}

static void put_endpoint(FILE *out, const struct la_endpoint *e)
{
    char text[LA_ADDR_TEXT_BYTES];

    fprintf(out, la_addr_is_v4(e->addr) ? "%s:%u" : "[%s]:%u", la_addr_format(e->addr, text),
            e->port);
}

static void put_fate(FILE *out, uint32_t fate)
{
    static const char *const names[] = { "lost",      "link down", "queue full",   "duplicated",
                                         "reordered", "corrupted", "no way to it", "too big" };

    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++)
        if (fate & (1u << i))
            fprintf(out, "  %s", names[i]);
}

void sim_trace_packet(const struct sim_host *from, const struct sim_host *to,
                      const struct sim_segment *seg, uint32_t fate)
{
    struct sim_world *w = from->w;
    char flags[SIM_FLAGS_TEXT_BYTES];
    uint32_t seq = 0, ack = 0;

    if (!w->trace)
        return;
    put_time(w);
    fprintf(w->trace, "%s > %s  ", from->name, to ? to->name : "?");
    if (seg->tcp) {
        sim_wire_relative(w, seg, &seq, &ack);
        fprintf(w->trace, "%s seq %u ack %u len %u win %u", sim_flags_text(seg->flags, flags), seq,
                ack, seg->text_bytes, seg->window);
        if (seg->sack_blocks)
            fprintf(w->trace, " sack %u", seg->sack_blocks);
        fputs("  ", w->trace);
        put_endpoint(w->trace, &seg->from);
        fputs(" > ", w->trace);
        put_endpoint(w->trace, &seg->to);
    } else {
        fputs("not TCP", w->trace);
    }
    put_fate(w->trace, fate);
    fputc('\n', w->trace);
}

void sim_trace_record(const struct sim_host *h, const struct la_trace *r)
{
    FILE *out = h->w->trace;
    const enum la_drop reason = (enum la_drop)r->reason;
    const bool refused = r->kind == LA_TRACE_RX && reason != LA_DROP_NONE;

    if (!out || r->kind == LA_TRACE_TX || (r->kind == LA_TRACE_RX && !refused))
        return;
    put_time(h->w);
    fprintf(out, "%s      ", h->name);
    if (r->kind == LA_TRACE_STATE)
        fprintf(out, "%s -> %s", la_state_name((enum la_state)r->from),
                la_state_name((enum la_state)r->to));
    else if (r->kind == LA_TRACE_TIMEOUT)
        fprintf(out, "timer %s in %s", la_timer_name((enum la_timer)r->timer),
                la_state_name((enum la_state)r->from));
    else if (r->kind == LA_TRACE_RECOVERY)
        fprintf(out, "%s: %" PRIu32 " in flight, cwnd %" PRIu32 ", ssthresh %" PRIu32,
                la_recovery_name((enum la_recovery)r->timer), r->len_bytes, r->cwnd, r->ssthresh);
    else
        fprintf(out, "%s %s: %s", refused ? "drops in" : "ends in",
                la_state_name((enum la_state)r->from), la_drop_text(reason));
    fputs("  ", out);
    put_endpoint(out, &r->local);
    fputc('\n', out);
}
