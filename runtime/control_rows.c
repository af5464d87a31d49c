/* SPDX-License-Identifier: MIT */
/*
 * control_rows.c - One connection or listener as a line of the control protocol.
 *
 * Times are nanoseconds from now, so that the client needs no clock of the process: "in" lies
 * ahead, "ago" behind.
 */
#include "runtime/control.h"

#include <stdio.h>

static const char *kind_name(enum la_row_kind kind)
{
    switch (kind) {
    case LA_ROW_CONN:
        return "conn";
    case LA_ROW_HALF_OPEN:
        return "half-open";
    case LA_ROW_SHORT:
        return "short";
    case LA_ROW_LISTENER:
        return "listener";
    }
    return "unknown";
}

static void ago(const struct control_context *c, struct control_out *o, const char *key, la_time at)
{
    if (at.ns != UINT64_MAX)
        control_number(o, key, c->now.ns > at.ns ? c->now.ns - at.ns : 0);
}

/* A rate that is not there, or has no limit, is left out. */
static void put_rate(struct control_out *o, const char *key, uint64_t bytes_s)
{
    if (bytes_s > 0 && bytes_s != UINT64_MAX)
        control_number(o, key, bytes_s);
}

static void put_recovery(struct control_out *o, const struct la_conn_info *i)
{
    control_field(o, "cong", la_congestion_name(i->congestion));
    control_number(o, "ecn", i->ecn);
    control_number(o, "ato_us", i->ato_us);
    control_number(o, "minrtt_us", i->min_rtt_us);
    control_number(o, "bytes_retrans", i->bytes_retrans);
    control_number(o, "data_segs_out", i->data_segs_out);
    control_number(o, "data_segs_in", i->data_segs_in);
    control_number(o, "unacked_segs", i->flight_segs);
    control_number(o, "sacked", i->sacked_segs);
    control_number(o, "lost", i->lost_segs);
    control_number(o, "retrans_out", i->again_segs);
    control_number(o, "dsack_dups", i->dsack_dups);
    control_number(o, "reordering", i->reordering);
    control_number(o, "reord_seen", i->reord_seen);
    put_rate(o, "pacing_rate", i->pacing_rate);
    put_rate(o, "max_pacing_rate", i->max_pacing_rate);
    put_rate(o, "delivery_rate", i->delivery_rate);
    control_number(o, "app_limited", i->delivery_app_limited);
    control_number(o, "paced", i->paced);
}

static void put_info(const struct control_context *c, struct control_out *o,
                     const struct la_conn_info *i)
{
    control_number(o, "ts", i->timestamps);
    control_number(o, "sack", i->sack);
    control_number(o, "snd_wscale", i->snd_wscale);
    control_number(o, "rcv_wscale", i->rcv_wscale);
    control_number(o, "rto_us", i->rto_us);
    control_number(o, "rtt_us", i->srtt_us);
    control_number(o, "rttvar_us", i->rttvar_us);
    control_number(o, "mss", i->snd_mss);
    control_number(o, "pmtu", i->path_mtu_bytes);
    control_number(o, "rcvmss", i->rcv_mss);
    control_number(o, "advmss", i->adv_mss);
    control_number(o, "cwnd", i->cwnd_bytes);
    control_number(o, "ssthresh", i->ssthresh_bytes);
    control_number(o, "bytes_sent", i->bytes_sent);
    control_number(o, "bytes_acked", i->bytes_acked);
    control_number(o, "bytes_received", i->bytes_received);
    control_number(o, "segs_out", i->segs_out);
    control_number(o, "segs_in", i->segs_in);
    control_number(o, "retrans", i->retransmits);
    control_number(o, "retrans_total", i->segs_retransmitted);
    control_number(o, "backoff", i->backoff);
    control_number(o, "unacked", i->snd_nxt - i->snd_una);
    control_number(o, "snd_wnd", i->snd_wnd);
    control_number(o, "rcv_wnd", i->rcv_wnd);
    control_number(o, "rcv_ooo", i->rcv_ooo_bytes);
    control_number(o, "recovery", i->in_recovery);
    put_recovery(o, i);
    if (i->bytes_sent > 0)
        ago(c, o, "lastsnd_ago", i->last_sent);
    ago(c, o, "lastrcv_ago", i->last_text_received);
    ago(c, o, "lastack_ago", i->last_received);
    ago(c, o, "opened_ago", i->opened);
    control_number(o, "mask", i->mask);
    control_field(o, "reason", la_drop_name(i->reason));
    control_field(o, "error", la_err_name(i->error));
}

static void put_options(const struct control_context *c, struct control_out *o, la_conn_id id)
{
    static const struct {
        enum la_option option;
        const char *key;
    } sizes[] = { { LA_OPT_RCVBUF, "rcvbuf" }, { LA_OPT_SNDBUF, "sndbuf" } };

    for (uint32_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        uint64_t value;
        if (la_get_option(c->stack, id, sizes[i].option, &value) == LA_OK)
            control_number(o, sizes[i].key, value);
    }
}

static void put_listener(const struct control_context *c, struct control_out *o, la_listener_id id)
{
    struct la_listener_info i;
    char key[16];

    if (la_listener_info(c->stack, id, &i) != LA_OK)
        return;
    control_number(o, "id", id.bits);
    control_number(o, "accept_max", i.accept_max);
    control_number(o, "young", i.young_len);
    control_number(o, "acked", i.acked_len);
    control_number(o, "accepted", i.accepted);
    control_number(o, "overflows", i.overflows);
    control_number(o, "drops", i.drops);
    control_number(o, "cookies_sent", i.cookies_sent);
    control_number(o, "cookies_recv", i.cookies_recv);
    control_number(o, "cookies_failed", i.cookies_failed);
    control_number(o, "oldest_wait", i.oldest_wait_ns);
    for (uint32_t k = 0; k < LA_ACCEPT_WAITS; k++) {
        snprintf(key, sizeof key, "wait%u", k);
        if (i.waits[k] > 0)
            control_number(o, key, i.waits[k]);
    }
}

void control_put_row(const struct control_context *c, struct control_out *o,
                     const struct la_row *row, bool info)
{
    struct la_conn_info i;

    control_word(o, "row");
    control_field(o, "kind", kind_name(row->kind));
    control_field(o, "state", la_state_name(row->state));
    control_endpoint(o, "local", row->local);
    if (row->kind != LA_ROW_LISTENER)
        control_endpoint(o, "remote", row->remote);
    control_number(o, "recv_q", row->recv_q);
    control_number(o, "send_q", row->send_q);
    if (row->kind == LA_ROW_LISTENER) {
        control_number(o, "half", row->half_len);
        control_number(o, "prefix", row->local_len);
        control_number(o, "v6only", row->v6_only);
    }
    if (row->orphan)
        control_number(o, "orphan", 1);
    if (row->timer != LA_TIMERS) {
        control_field(o, "timer", la_timer_name(row->timer));
        control_number(o, "timer_in",
                       row->timer_at.ns > c->now.ns ? row->timer_at.ns - c->now.ns : 0);
        control_number(o, "retries", row->retries);
    }
    ago(c, o, "since_ago", row->since);
    if (info && row->kind == LA_ROW_LISTENER)
        put_listener(c, o, row->listener);
    if (!info || row->id.bits == 0 || la_conn_info(c->stack, row->id, &i) != LA_OK)
        return;
    put_info(c, o, &i);
    put_options(c, o, row->id);
}
