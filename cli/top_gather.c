/* SPDX-License-Identifier: MIT */
/* top_gather.c - One look at a process, in as few requests as there are kinds; see top.h. */
#include "cli/top.h"

#include <string.h>

static uint64_t number(const struct control_in *in, const char *key)
{
    return control_client_number(in, key);
}

static bool on_hello(void *context, const struct control_in *in)
{
    struct top_sample *s = context;
    const char *name = control_get(in, "name");

    snprintf(s->name, sizeof s->name, "%s", name != NULL ? name : "");
    s->pid = number(in, "pid");
    s->now_ns = number(in, "now");
    return true;
}

static bool on_loop(void *context, const struct control_in *in)
{
    struct top_sample *s = context;

    s->packets_in = number(in, "packets_in");
    s->packets_out = number(in, "packets_out");
    s->bytes_in = number(in, "bytes_in");
    s->bytes_out = number(in, "bytes_out");
    return true;
}

static bool on_ports(void *context, const struct control_in *in)
{
    struct top_sample *s = context;

    s->ports = (struct la_ports_info){
        .min = (uint16_t)number(in, "min"),
        .max = (uint16_t)number(in, "max"),
        .ports = (uint32_t)number(in, "ports"),
        .two_msl_ms = number(in, "two_msl_ms"),
        .searches = number(in, "searches"),
        .probes = number(in, "probes"),
    };
    return true;
}

static bool on_time_wait_max(void *context, const struct control_in *in)
{
    struct top_sample *s = context;

    s->time_wait_max = number(in, "value");
    return true;
}

static bool on_close_wait(void *context, const struct control_in *in)
{
    struct top_sample *s = context;
    const char *local = control_get(in, "local");
    const char *remote = control_get(in, "remote");
    const uint64_t age = number(in, "since_ago");
    struct la_endpoint from, to;

    if (local == NULL || remote == NULL || !control_parse_endpoint(local, &from) ||
        !control_parse_endpoint(remote, &to) || (s->close_wait && age <= s->close_wait_age_ns))
        return true;
    s->close_wait = true;
    s->close_wait_age_ns = age;
    s->close_wait_local = from;
    s->close_wait_remote = to;
    return true;
}

/* What it refused, how full it is, how long those in it have waited. */
static bool worse(const struct top_listener *a, const struct top_listener *b)
{
    const uint64_t refused_a = a->overflows + a->drops;
    const uint64_t refused_b = b->overflows + b->drops;

    if (refused_a != refused_b)
        return refused_a > refused_b;
    if (a->accept_len * b->limit != b->accept_len * a->limit)
        return a->accept_len * b->limit > b->accept_len * a->limit;
    return a->oldest_wait_ns > b->oldest_wait_ns;
}

void top_add_listener(struct top_sample *s, const struct top_listener *l)
{
    uint32_t at = s->listener_count;

    while (at > 0 && worse(l, &s->listeners[at - 1]))
        at--;
    if (at == TOP_LISTENERS)
        return;
    if (s->listener_count < TOP_LISTENERS)
        s->listener_count++;
    memmove(&s->listeners[at + 1], &s->listeners[at],
            (s->listener_count - 1 - at) * sizeof s->listeners[0]);
    s->listeners[at] = *l;
}

static bool on_listener(void *context, const struct control_in *in)
{
    struct top_listener l = {
        .id = number(in, "id"),
        .accept_len = number(in, "recv_q"),
        .accept_max = number(in, "accept_max"),
        .limit = number(in, "send_q"),
        .half_len = number(in, "half"),
        .accepted = number(in, "accepted"),
        .overflows = number(in, "overflows"),
        .drops = number(in, "drops"),
        .oldest_wait_ns = number(in, "oldest_wait"),
    };
    const char *local = control_get(in, "local");
    char key[16];

    if (local == NULL || !control_parse_endpoint(local, &l.local))
        return true;
    for (uint32_t i = 0; i < LA_ACCEPT_WAITS; i++) {
        snprintf(key, sizeof key, "wait%u", i);
        l.waits[i] = number(in, key);
    }
    top_add_listener(context, &l);
    return true;
}

static bool on_found(void *context, const struct control_in *in)
{
    struct top_sample *s = context;
    const char *name = control_get(in, "name");
    const char *local = control_get(in, "local");
    const char *remote = control_get(in, "remote");
    struct top_found f = { .told = true, .ago_ns = number(in, "ago") };

    if (name == NULL || local == NULL || remote == NULL ||
        !control_parse_endpoint(local, &f.local) || !control_parse_endpoint(remote, &f.remote))
        return true;
    for (uint32_t i = 0; i < LA_FINDINGS; i++) /* the newest is told last */
        if (strcmp(la_finding_name((enum la_finding)i), name) == 0)
            s->found[i] = f;
    return true;
}

int top_gather(struct top_sample *s, struct control_client *k)
{
    char close_wait[40], listen[40];
    const struct {
        const char *request;
        control_line_fn *each;
    } asked[] = {
        { "hello", on_hello },   { "loop", on_loop },
        { "ports", on_ports },   { "sysctl name=net.ipv4.tcp_max_tw_buckets", on_time_wait_max },
        { listen, on_listener }, { close_wait, on_close_wait },
        { "found", on_found },
    };

    memset(s, 0, sizeof *s);
    snprintf(listen, sizeof listen, "rows info=1 states=%u", 1u << LA_LISTEN);
    snprintf(close_wait, sizeof close_wait, "rows states=%u", 1u << LA_CLOSE_WAIT);
    int status = nstat_gather(&s->n, k);
    for (size_t i = 0; i < sizeof asked / sizeof asked[0] && status == CLI_OK; i++)
        if (asked[i].each != on_close_wait || s->n.states[LA_CLOSE_WAIT] > 0)
            status = control_client_ask(k, asked[i].request, asked[i].each, s);
    return status;
}
