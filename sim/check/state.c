/* SPDX-License-Identifier: MIT */
/*
 * state.c - What a stack says of itself must be true, and must not go back.
 *
 * After every turn the readiness of a connection must be what its last event said, less
 * what the application's own calls have used up since (no event is lost), and must
 * follow from its state (the mask is a pure function).
 * SND.UNA and RCV.NXT never retreat, and SND.UNA never passes what was written.
 * la_check() looks at all of it from inside, every so many turns, since it costs
 * O(everything).
 */
#include "sim/check/check.h"
#include "sim/events.h"
#include "sim/trace.h"

#define CONNECTIONS_A_TURN 8u
#define RECORDS 64u

static bool at_or_after(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) >= 0;
}

static bool peer_has_closed(enum la_state state)
{
    return state == LA_CLOSE_WAIT || state == LA_CLOSING || state == LA_LAST_ACK ||
           state == LA_TIME_WAIT;
}

static bool is_synchronized(enum la_state state)
{
    return state >= LA_ESTABLISHED;
}

/* Return: what is wrong with the mask, NULL if nothing. */
static const char *judge_mask(const struct sim_app *a, const struct la_conn_info *i)
{
    const bool over = i->error != LA_OK;
    const bool readable = i->rcv_queued_bytes > 0 || peer_has_closed(i->state) || over;
    const struct la_table_use chunks = la_table_use(a->host->stack, LA_TABLE_CHUNKS);

    if (i->mask != a->mask)
        return "readiness changed without an event";
    if (over != ((i->mask & LA_ERROR_SET) != 0))
        return "ERROR_SET does not follow from the error";
    if (is_synchronized(i->state) && !(i->mask & LA_CONNECTED))
        return "synchronized, but not CONNECTED";
    if (!is_synchronized(i->state) && i->state != LA_CLOSED && (i->mask & LA_CONNECTED))
        return "CONNECTED, but not synchronized";
    if (i->state != LA_CLOSED && readable != ((i->mask & LA_READABLE) != 0))
        return "READABLE does not follow from what is queued";
    if (!over && i->state != LA_CLOSED &&
        peer_has_closed(i->state) != ((i->mask & LA_PEER_CLOSED) != 0))
        return "PEER_CLOSED does not follow from the state";
    if (i->state == LA_ESTABLISHED && i->snd_queued_bytes == 0 && chunks.used < chunks.limit / 4 &&
        !(i->mask & LA_WRITABLE))
        return "nothing is queued, yet it is not WRITABLE";
    return NULL;
}

static const char *judge_numbers(const struct sim_app *a, const struct la_conn_info *i)
{
    const struct la_conn_info *old = &a->info;
    const uint64_t written = a->sent + 1 /* FIN */ + 1 /* SYN */;

    if (!at_or_after(i->snd_nxt, i->snd_una))
        return "SND.NXT is before SND.UNA";
    if (i->snd_una - i->iss > written)
        return "SND.UNA has passed what was written";
    if (!a->seen || !is_synchronized(old->state))
        return NULL;
    if (!at_or_after(i->snd_una, old->snd_una))
        return "SND.UNA retreats";
    if (!at_or_after(i->rcv_nxt, old->rcv_nxt))
        return "RCV.NXT retreats";
    if (i->state == LA_ESTABLISHED &&
        !at_or_after(i->rcv_nxt + i->rcv_wnd, old->rcv_nxt + old->rcv_wnd))
        return "RCV.NXT + RCV.WND retreats";
    if (i->bytes_received < old->bytes_received || i->bytes_acked < old->bytes_acked)
        return "a count of bytes retreats";
    return NULL;
}

static void check_conn(struct sim_app *a)
{
    struct la_stack *s = a->host->stack;
    struct la_conn_info info;
    const char *wrong = NULL;

    if (la_conn_info(s, a->conn, &info) != LA_OK) {
        sim_fail(a->host->w, "flow %u.%u: no STATUS of a handle that is held", a->flow->index,
                 a->side);
        return;
    }
    if (info.mask != la_ready(s, a->conn))
        wrong = "la_ready() and la_conn_info() differ";
    if (!wrong)
        wrong = judge_mask(a, &info);
    if (!wrong && info.state != LA_CLOSED)
        wrong = judge_numbers(a, &info);
    if (wrong)
        sim_fail(a->host->w, "flow %u.%u in %s: %s (mask %#x, last event %#x)", a->flow->index,
                 a->side, la_state_name(info.state), wrong, info.mask, a->mask);
    a->info = info;
    a->seen = true;
}

/* The connection whose events are written, if it is this host's and there. */
static bool is_shown(const struct sim_host *h, struct la_conn_info *info)
{
    const struct sim_app *a = h->w->events && h->w->flow_count ? &h->w->flows[0]->app[0] : NULL;

    return a && a->host == h && a->held && la_conn_info(h->stack, a->conn, info) == LA_OK;
}

static void drain_trace(struct sim_host *h)
{
    struct la_conn_info info;
    const bool shown = is_shown(h, &info);

    struct la_trace records[RECORDS];
    uint64_t lost = 0;
    uint32_t count;

    while ((count = sim_call_trace(h, records, RECORDS, &lost)) > 0 && !h->w->failed) {
        for (uint32_t i = 0; i < count; i++) {
            if (records[i].kind == LA_TRACE_TIMEOUT)
                sim_check_timeout(h, &records[i]);
            sim_trace_record(h, &records[i]);
            if (shown && records[i].conn == info.conn.bits)
                sim_events_record(h->w->events, &info, &records[i]);
        }
    }
    if (shown)
        sim_events_metrics(h->w->events, &info, sim_host_now(h));
}

void sim_check_turn(struct sim_host *h)
{
    struct sim_world *w = h->w;

    drain_trace(h);
    for (uint32_t n = 0; n < w->flow_count && n < CONNECTIONS_A_TURN; n++) {
        struct sim_flow *f = w->flows[(w->turns * CONNECTIONS_A_TURN + n) % w->flow_count];

        for (uint32_t side = 0; side < 2; side++)
            if (f->app[side].held && f->app[side].host == h)
                check_conn(&f->app[side]);
    }
    if (w->turns % w->check_every != 0)
        return;
    const char *broken = la_check(h->stack);

    if (broken)
        sim_fail(w, "host %s: la_check(): %s", h->name, broken);
    for (unsigned t = 0; t < LA_TABLES; t++) {
        const struct la_table_use use = la_table_use(h->stack, (enum la_table)t);

        if (use.used > use.limit || use.used > use.used_max)
            sim_fail(w, "host %s: table %s: used %u, most %u, limit %u", h->name,
                     la_table_name((enum la_table)t), use.used, use.used_max, use.limit);
    }
}
