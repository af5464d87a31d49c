/* SPDX-License-Identifier: MIT */
/* events.c - The lines that events.h promises. */
#include "sim/events.h"

#include <inttypes.h>

#define FLAG_FIN 0x01u
#define FLAG_SYN 0x02u
#define FLAG_ACK 0x10u

static void begin(const struct sim_events *e, const char *event, uint64_t at_ns, uint64_t conn)
{
    const uint64_t ns = at_ns - e->begun_ns;

    fprintf(e->out, "{\"event\":\"%s\",\"time\":%" PRIu64 ".%09u,\"conn\":%" PRIu64, event,
            ns / 1000000000u, (unsigned)(ns % 1000000000u), (conn & UINT32_MAX) + 1);
}

void sim_events_record(const struct sim_events *e, const struct la_conn_info *info,
                       const struct la_trace *r)
{
    const bool counts = r->len_bytes > 0 || (r->flags & (FLAG_SYN | FLAG_FIN)) != 0;

    if (r->kind == LA_TRACE_TX && counts) {
        begin(e, "tx", r->at.ns, r->conn);
        fprintf(e->out, ",\"seq\":%u,\"len\":%u,\"again\":%s}\n", r->seq - info->iss, r->len_bytes,
                r->retransmission ? "true" : "false");
    } else if (r->kind == LA_TRACE_RX && r->reason == LA_DROP_NONE && (r->flags & FLAG_ACK) != 0) {
        begin(e, "rx", r->at.ns, r->conn);
        fprintf(e->out, ",\"ack\":%u}\n", r->ack - info->iss);
    } else if (r->kind == LA_TRACE_TIMEOUT) {
        begin(e, "timeout", r->at.ns, r->conn);
        fprintf(e->out, ",\"timer\":\"%s\"}\n", la_timer_name((enum la_timer)r->timer));
    } else if (r->kind == LA_TRACE_RECOVERY) {
        begin(e, "recovery", r->at.ns, r->conn);
        fprintf(e->out, ",\"what\":\"%s\",\"cwnd\":%u,\"ssthresh\":%u,\"in_flight\":%u}\n",
                la_recovery_name((enum la_recovery)r->timer), r->cwnd, r->ssthresh, r->len_bytes);
    }
}

void sim_events_metrics(struct sim_events *e, const struct la_conn_info *info, la_time now)
{
    const uint32_t in_flight_bytes = info->snd_nxt - info->snd_una;

    if (e->conn == info->conn.bits && e->cwnd_bytes == info->cwnd_bytes &&
        e->ssthresh_bytes == info->ssthresh_bytes && e->in_flight_bytes == in_flight_bytes &&
        e->srtt_us == info->srtt_us)
        return;
    e->conn = info->conn.bits;
    e->cwnd_bytes = info->cwnd_bytes;
    e->ssthresh_bytes = info->ssthresh_bytes;
    e->in_flight_bytes = in_flight_bytes;
    e->srtt_us = info->srtt_us;
    begin(e, "metrics", now.ns, e->conn);
    fprintf(e->out, ",\"cwnd\":%u,\"ssthresh\":%u,\"in_flight\":%u,\"srtt_us\":%u}\n",
            e->cwnd_bytes, e->ssthresh_bytes, e->in_flight_bytes, e->srtt_us);
}
