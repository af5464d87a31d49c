/* SPDX-License-Identifier: MIT */
/*
 * observe.c - What a session shows of its stack: --pcap, --ladder, --json.
 *
 * All three are fed from the trace records of station 0.  JSON lines are written for what
 * changes a connection (states, timeouts, ends), not for every segment: those are in the
 * capture, each with the stack's verdict as its comment.
 */
#include "cli/observe.h"

#include "cli/cause_text.h"
#include "cli/json.h"
#include "cli/ladder.h"
#include "cli/trace_file.h"
#include "drivers/pcapng.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* How long TIME-WAIT lasts on Linux, whatever its sysctls say. */
#define LINUX_TIME_WAIT_MS 60000

static bool scales(void *context, la_conn_id conn, uint8_t *local, uint8_t *peer)
{
    const struct session *s = context;
    struct la_conn_info info;

    if (la_conn_info(s->stations[0].stack, conn, &info) != LA_OK)
        return false;
    *local = info.rcv_wscale;
    *peer = info.snd_wscale;
    return true;
}

/* For the ladder's footnotes. */
static bool cause(void *context, const struct la_trace *t, struct la_cause *out)
{
    struct session *s = context;

    return cause_of(s->stations[0].stack, t, &s->causes_seen, out);
}

int observe_open(struct session *s)
{
    char error[256];

    if (s->options.pcap != NULL) {
        s->pcap = pcapng_open(s->options.pcap, error, sizeof error);
        if (s->pcap == NULL)
            return args_failed(s->options.command, "--pcap: %s", error);
        if (s->options.snap_bytes != 0)
            pcapng_snap(s->pcap, (uint32_t)s->options.snap_bytes);
    }
    if (s->options.trace != NULL) {
        s->trace = trace_file_open(s->options.trace, s->begun);
        if (s->trace == NULL)
            return args_failed(s->options.command, "--trace %s: %s", s->options.trace,
                               strerror(errno));
    }
    return CLI_OK;
}

/* Once the stack is there: how long TIME-WAIT lasts is one of its sysctls. */
static int begin_ladder(struct session *s)
{
    uint64_t msl_ms = 0;

    if (!s->options.ladder)
        return CLI_OK;
    if (la_sysctl_get(s->stations[0].stack, "net.lastack.tcp_msl_ms", &msl_ms) != LA_OK)
        msl_ms = 0;
    const struct ladders_options options = {
        .ladder = { .peer = s->station_count == 1 ? "the kernel" : "the client",
                    .local = s->station_count == 1 ? "lastack" : "the server",
                    .two_msl_ms = (uint32_t)(2 * msl_ms),
                    .peer_two_msl_ms =
                        (uint32_t)(s->station_count == 1 ? LINUX_TIME_WAIT_MS : 2 * msl_ms),
                    .cause = cause,
                    .context = s },
        .scales = scales,
        .context = s,
    };
    s->ladders = ladders_new(&options);
    return s->ladders != NULL ? CLI_OK : args_failed(s->options.command, "out of memory");
}

/* Packets ------------------------------------------------------------------------ */

#define TCP_FIN_SYN_RST 0x07u

/* What the stack made of a packet, in a few words; "" if that is what anybody would expect. */
static void verdict(struct session *s, const struct la_trace *t, bool outbound, char *text,
                    size_t room)
{
    const char *from = la_state_name((enum la_state)t->from);
    const char *to = la_state_name((enum la_state)t->to);
    const bool again = outbound && t->retransmission;
    const bool moves = t->from != t->to;

    text[0] = '\0';
    if (!again && !moves && t->reason == LA_DROP_NONE && !(t->flags & TCP_FIN_SYN_RST))
        return;
    snprintf(text, room, "%s%s%s%s%s%s%s%s", again ? "retransmission; " : "", moves ? from : "",
             moves ? " -> " : "", to, t->reason != LA_DROP_NONE ? "; " : "",
             t->reason != LA_DROP_NONE ? la_drop_name((enum la_drop)t->reason) : "",
             t->reason != LA_DROP_NONE ? ": " : "",
             t->reason != LA_DROP_NONE ? la_drop_text((enum la_drop)t->reason) : "");
    if (t->reason != LA_DROP_NONE) {
        struct la_cause found = { .reason = (enum la_drop)t->reason };
        char words[CAUSE_TEXT_BYTES];
        const size_t len = strlen(text);

        if (!cause(s, t, &found))
            found = (struct la_cause){ .reason = (enum la_drop)t->reason,
                                       .state = (enum la_state)t->from };
        cause_text(&found, words);
        snprintf(text + len, room - len, " [%s]", words);
    }
}

static void on_packet(void *observer, const struct la_rt_packet *packet)
{
    struct session *s = observer;
    char text[640] = "";

    if (packet->gso_size_bytes > 0)
        snprintf(text, sizeof text, "segments of %" PRIu32 " bytes; ", packet->gso_size_bytes);
    const size_t used = strlen(text);
    if (packet->trace != NULL)
        verdict(s, packet->trace, packet->outbound, text + used, sizeof text - used);
    if (used > 0 && text[used] == '\0')
        text[used - 2] = '\0';
    pcapng_packet(s->pcap, packet->wallclock_ns, packet->outbound, packet->bytes, packet->len_bytes,
                  text);
}

/* Trace -------------------------------------------------------------------------- */

static void trace_json(const struct session *s, const struct la_trace *t)
{
    char text[NET_ENDPOINT_TEXT_BYTES];
    struct json j;
    const char *event = t->kind == LA_TRACE_STATE      ? "state"
                        : t->kind == LA_TRACE_TIMEOUT  ? "timeout"
                        : t->kind == LA_TRACE_END      ? "end"
                        : t->kind == LA_TRACE_RECOVERY ? "recovery"
                                                       : NULL;
    if (event == NULL)
        return;
    json_event(&j, stdout, event, t->at.ns - s->begun.ns);
    json_text(&j, "local", net_format(t->local, text));
    json_text(&j, "remote", net_format(t->remote, text));
    if (t->kind == LA_TRACE_STATE) {
        json_text(&j, "from", la_state_name((enum la_state)t->from));
        json_text(&j, "to", la_state_name((enum la_state)t->to));
    }
    if (t->kind == LA_TRACE_TIMEOUT)
        json_text(&j, "timer", la_timer_name((enum la_timer)t->timer));
    if (t->kind == LA_TRACE_RECOVERY) {
        json_text(&j, "what", la_recovery_name((enum la_recovery)t->timer));
        json_number(&j, "una", t->seq);
        json_number(&j, "nxt", t->ack);
        json_number(&j, "in_flight", t->len_bytes);
        json_number(&j, "cwnd", t->cwnd);
        json_number(&j, "ssthresh", t->ssthresh);
    }
    if (t->reason != LA_DROP_NONE)
        json_text(&j, "reason", la_drop_name((enum la_drop)t->reason));
    json_end(&j);
}

static void on_trace(void *observer, const struct la_trace *records, uint32_t count, uint64_t lost)
{
    struct session *s = observer;

    s->trace_lost += lost;
    if (s->trace != NULL)
        trace_file_add(s->trace, s->stations[0].stack, records, count);
    for (uint32_t i = 0; i < count; i++) {
        if (s->options.json)
            trace_json(s, &records[i]);
        if (s->ladders != NULL)
            ladders_add(s->ladders, &records[i]);
    }
}

int observe_attach(struct session *s, struct la_rt_host *host)
{
    host->observer = s;
    if (s->options.json || s->options.ladder || s->trace != NULL)
        host->on_trace = on_trace;
    if (s->pcap != NULL)
        host->on_packet = on_packet;
    return begin_ladder(s);
}

/* Summary ------------------------------------------------------------------------ */

static void summary(const struct session *s)
{
    const struct la_stack *stack = s->stations[0].stack;
    uint32_t states[LA_STATES];
    struct la_rt_loop_stats loop;
    struct json j;

    json_event(&j, stdout, "summary", la_rt_loop_now(s->loop).ns - s->begun.ns);
    json_object(&j, "counters");
    for (uint32_t i = 0; i < LA_COUNTERS; i++)
        if (la_counter(stack, (enum la_counter)i) > 0)
            json_number(&j, la_counter_name((enum la_counter)i),
                        la_counter(stack, (enum la_counter)i));
    json_object_end(&j);
    json_object(&j, "drops");
    for (uint32_t i = LA_DROP_NONE + 1; i < LA_DROPS; i++)
        if (la_drops(stack, (enum la_drop)i) > 0)
            json_number(&j, la_drop_name((enum la_drop)i), la_drops(stack, (enum la_drop)i));
    json_object_end(&j);
    la_state_counts(stack, states);
    json_object(&j, "states");
    for (uint32_t i = 0; i < LA_STATES; i++)
        if (states[i] > 0)
            json_number(&j, la_state_name((enum la_state)i), states[i]);
    json_object_end(&j);
    json_object(&j, "tables");
    for (uint32_t i = 0; i < LA_TABLES; i++) {
        const struct la_table_use use = la_table_use(stack, (enum la_table)i);
        json_object(&j, la_table_name((enum la_table)i));
        json_number(&j, "used", use.used);
        json_number(&j, "used_max", use.used_max);
        json_number(&j, "limit", use.limit);
        json_object_end(&j);
    }
    json_object_end(&j);
    la_rt_loop_stats(s->loop, &loop);
    json_object(&j, "loop");
    json_number(&j, "turns", loop.turns);
    json_number(&j, "sleeps", loop.sleeps);
    json_number(&j, "packets_in", loop.packets_in);
    json_number(&j, "packets_out", loop.packets_out);
    json_number(&j, "packets_merged", loop.packets_merged);
    json_number(&j, "device_calls", loop.device_calls);
    json_number(&j, "packets_lost", loop.packets_lost);
    json_number(&j, "device_full", loop.device_full);
    json_number(&j, "traces_lost", loop.traces_lost);
    json_object_end(&j);
    json_end(&j);
}

void observe_close(struct session *s)
{
    if (s->ladders != NULL && s->options.json)
        ladders_json(s->ladders, stdout);
    else if (s->ladders != NULL)
        ladders_print(s->ladders, stdout);
    ladders_free(s->ladders);
    s->ladders = NULL;
    if (s->options.json && s->stations[0].stack != NULL)
        summary(s);
    if (!trace_file_close(s->trace))
        (void)args_failed(s->options.command, "--trace %s: %s", s->options.trace, strerror(errno));
    s->trace = NULL;
    if (!pcapng_close(s->pcap))
        (void)args_failed(s->options.command, "--pcap %s: %s", s->options.pcap, strerror(errno));
    s->pcap = NULL;
    fflush(stdout);
}
