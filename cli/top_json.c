/* SPDX-License-Identifier: MIT */
/* top_json.c - The page of `lastack top` for programs: numbers as they stand, rates beside them. */
#include "cli/top.h"

#include "cli/json.h"
#include "cli/net.h"

/* Three decimals are all a rate is good for. */
static void rate(struct json *j, const char *key, double value)
{
    json_seconds(j, key, (uint64_t)(value * 1000 + 0.5) * 1000000);
}

static void rates(const struct top_view *v, struct json *j)
{
    static const char *const counters[][2] = {
        { "Tcp", "InSegs" },
        { "Tcp", "OutSegs" },
        { "Tcp", "RetransSegs" },
        { "Tcp", "PassiveOpens" },
        { "Tcp", "ActiveOpens" },
        { "Tcp", "AttemptFails" },
        { "Tcp", "OutRsts" },
        { "TcpExt", "TCPTimeouts" },
        { "TcpExt", "TCPFastRetrans" },
        { "TcpExt", "ListenDrops" },
        { "TcpExt", "ListenOverflows" },
    };
    const struct top_sample *s = v->now, *b = v->before;

    json_object(j, "per_second");
    rate(j, "packets_in", top_rate(v, s->packets_in, b->packets_in));
    rate(j, "packets_out", top_rate(v, s->packets_out, b->packets_out));
    rate(j, "bytes_in", top_rate(v, s->bytes_in, b->bytes_in));
    rate(j, "bytes_out", top_rate(v, s->bytes_out, b->bytes_out));
    for (size_t i = 0; i < sizeof counters / sizeof counters[0]; i++)
        rate(j, counters[i][1],
             top_rate(v, nstat_value(&s->n, counters[i][0], counters[i][1]),
                      nstat_value(&b->n, counters[i][0], counters[i][1])));
    rate(j, "closed", top_rate(v, top_closed(v), 0));
    rate(j, "drops", top_rate(v, top_drops(s), top_drops(b)));
    json_object_end(j);
}

static void listener(const struct top_listener *l, FILE *out)
{
    char text[NET_ENDPOINT_TEXT_BYTES], key[16];
    struct json j = { .out = out, .first = true };

    fputc('{', out);
    json_text(&j, "event", "listener");
    json_text(&j, "local", net_format(l->local, text));
    json_number(&j, "id", l->id);
    json_number(&j, "accept_len", l->accept_len);
    json_number(&j, "accept_max", l->accept_max);
    json_number(&j, "limit", l->limit);
    json_number(&j, "half", l->half_len);
    json_number(&j, "accepted", l->accepted);
    json_number(&j, "overflows", l->overflows);
    json_number(&j, "drops", l->drops);
    json_seconds(&j, "oldest_wait", l->oldest_wait_ns);
    json_object(&j, "waits");
    for (uint32_t i = 0; i < LA_ACCEPT_WAITS; i++) {
        snprintf(key, sizeof key, i < LA_ACCEPT_WAITS - 1 ? "%ums" : "more", 1u << i);
        json_number(&j, key, l->waits[i]);
    }
    json_object_end(&j);
    json_end(&j);
}

void top_json(const struct top_view *v, FILE *out)
{
    const struct top_sample *s = v->now;
    char text[NET_ENDPOINT_TEXT_BYTES];
    struct json j;

    json_event(&j, out, "top", s->now_ns);
    json_text(&j, "name", s->name);
    json_number(&j, "pid", s->pid);
    json_seconds(&j, "up", v->uptime_ns);
    json_seconds(&j, "elapsed", v->elapsed_ns);
    json_object(&j, "states");
    for (uint32_t i = 0; i < LA_STATES; i++)
        json_number(&j, la_state_name((enum la_state)i), s->n.states[i]);
    json_object_end(&j);
    rates(v, &j);
    json_object(&j, "tables");
    for (uint32_t i = 0; i < s->n.table_count; i++) {
        json_object(&j, s->n.tables[i].name);
        json_number(&j, "used", s->n.tables[i].used);
        json_number(&j, "used_max", s->n.tables[i].max);
        json_number(&j, "limit", s->n.tables[i].limit);
        json_number(&j, "item_bytes", s->n.tables[i].item_bytes);
        json_object_end(&j);
    }
    json_object_end(&j);
    json_object(&j, "findings");
    for (uint32_t i = 0; i < LA_FINDINGS; i++)
        json_number(&j, la_finding_name((enum la_finding)i),
                    nstat_value(&s->n, "Finding", la_finding_name((enum la_finding)i)));
    json_object_end(&j);
    json_number(&j, "time_wait_limit", s->time_wait_max);
    json_number(&j, "two_msl_ms", s->ports.two_msl_ms);
    json_number(&j, "ports", s->ports.ports);
    if (s->close_wait) {
        json_object(&j, "oldest_close_wait");
        json_seconds(&j, "age", s->close_wait_age_ns);
        json_text(&j, "local", net_format(s->close_wait_local, text));
        json_text(&j, "remote", net_format(s->close_wait_remote, text));
        json_object_end(&j);
    }
    json_end(&j);
    for (uint32_t i = 0; i < LA_FINDINGS; i++) {
        if (!s->found[i].told)
            continue;
        j = (struct json){ .out = out, .first = true };
        fputc('{', out);
        json_text(&j, "event", "finding");
        json_text(&j, "name", la_finding_name((enum la_finding)i));
        json_seconds(&j, "ago", s->found[i].ago_ns);
        json_text(&j, "local", net_format(s->found[i].local, text));
        json_text(&j, "remote", net_format(s->found[i].remote, text));
        json_end(&j);
    }
    for (uint32_t i = 0; i < s->listener_count; i++)
        listener(&s->listeners[i], out);
}
