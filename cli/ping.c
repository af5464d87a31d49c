/* SPDX-License-Identifier: MIT */
/* ping.c - `lastack ping`: echo requests, and what comes back. */
#include "cli/cli.h"
#include "cli/json.h"
#include "cli/session.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define PATIENCE_NS UINT64_C(2000000000) /* for the last reply */
#define SIZE_MAX_BYTES 65467u            /* 65,535 - 60 - 8: whatever the MTU, the stack judges */
#define RING 1024u                       /* requests whose replies are told from duplicates */

struct ping {
    struct session session;
    struct session_options common;
    struct la_stack *stack;
    const char *host;
    struct la_addr to;
    uint64_t count, size, ttl, interval_ms;
    uint16_t id;
    uint64_t sent, received, duplicates, errors;
    uint64_t min_ns, max_ns, sum_ns;
    uint64_t sent_ns[RING]; /* when, by sequence number; 0 once answered */
    la_time next, give_up;
    char error[160];
    uint8_t payload[SIZE_MAX_BYTES];
};

static const struct args_option options[] = {
    ARGS_NUMBER('c', "count", "N", NULL, 1, UINT32_MAX, struct ping, count,
                "send so many, then end"),
    ARGS_NUMBER('s', "size", "BYTES", "56", 0, SIZE_MAX_BYTES, struct ping, size, "of payload"),
    ARGS_NUMBER('t', "ttl", "N", NULL, 1, 255, struct ping, ttl,
                "TTL or hop limit, instead of net.ipv4.ip_default_ttl"),
    ARGS_NUMBER('i', "interval", "MS", "1000", 1, 3600000, struct ping, interval_ms,
                "between requests, milliseconds"),
};
static const struct args_operand operands[] = { ARGS_OPERAND("host", struct ping, host) };

static void show_reply(struct ping *p, const struct la_ping_reply *r, uint64_t rtt_ns, bool again)
{
    char from[LA_ADDR_TEXT_BYTES];

    la_addr_format(r->from, from);
    if (p->common.json) {
        struct json j;
        json_event(&j, stdout, "reply", r->at.ns - p->session.begun.ns);
        json_text(&j, "from", from);
        json_number(&j, "seq", r->seq);
        json_number(&j, "ttl", r->ttl);
        json_number(&j, "bytes", r->len_bytes + 8);
        json_seconds(&j, "rtt", rtt_ns);
        json_bool(&j, "duplicate", again);
        json_end(&j);
        return;
    }
    printf("%u bytes from %s: icmp_seq=%u ttl=%u time=%" PRIu64 ".%03u ms%s\n", r->len_bytes + 8,
           from, r->seq, r->ttl, rtt_ns / 1000000u, (unsigned)(rtt_ns / 1000u % 1000u),
           again ? " (DUP!)" : "");
    fflush(stdout);
}

static void show_error(struct ping *p, const struct la_ping_reply *r)
{
    const bool v4 = la_addr_is_v4(r->from);
    const char *what = "ICMP error";
    char from[LA_ADDR_TEXT_BYTES];

    if (r->type == (v4 ? 3 : 1))
        what = "Destination unreachable";
    else if (r->type == (v4 ? 11 : 3))
        what = "Time to live exceeded";
    else if (r->type == 2 && !v4)
        what = "Packet too big";
    p->errors++;
    la_addr_format(r->from, from);
    if (p->common.json) {
        struct json j;
        json_event(&j, stdout, "error", r->at.ns - p->session.begun.ns);
        json_text(&j, "from", from);
        json_number(&j, "seq", r->seq);
        json_number(&j, "type", r->type);
        json_number(&j, "code", r->code);
        json_end(&j);
        return;
    }
    printf("From %s icmp_seq=%u %s (type %u, code %u)\n", from, r->seq, what, r->type, r->code);
    fflush(stdout);
}

static void take_reply(struct ping *p, const struct la_ping_reply *r)
{
    if (r->id != p->id)
        return;
    if (r->type != 0 && r->type != 129) {
        show_error(p, r);
        return;
    }
    uint64_t sent_ns;
    uint64_t *slot = &p->sent_ns[r->seq % RING];
    const bool again = *slot == 0;
    memcpy(&sent_ns, &r->first_bytes, sizeof sent_ns);
    if (r->len_bytes < sizeof sent_ns)
        sent_ns = again ? r->at.ns : *slot;
    const uint64_t rtt = r->at.ns > sent_ns ? r->at.ns - sent_ns : 0;
    show_reply(p, r, rtt, again);
    *slot = 0;
    if (again) {
        p->duplicates++;
        return;
    }
    p->received++;
    p->sum_ns += rtt;
    p->min_ns = p->received == 1 || rtt < p->min_ns ? rtt : p->min_ns;
    p->max_ns = rtt > p->max_ns ? rtt : p->max_ns;
}

static void send_one(struct ping *p, la_time now)
{
    const uint16_t seq = (uint16_t)(p->sent + 1);

    if (p->size >= sizeof now.ns)
        memcpy(p->payload, &now.ns, sizeof now.ns);
    const enum la_err err =
        la_ping_send(p->stack, now, p->to, p->id, seq, p->payload, (uint32_t)p->size);
    if (err != LA_OK) {
        snprintf(p->error, sizeof p->error, "%s", la_err_text(err));
        la_rt_stop(p->session.loop);
        return;
    }
    p->sent_ns[seq % RING] = now.ns;
    p->sent++;
    p->next.ns = now.ns + p->interval_ms * 1000000u;
    p->give_up.ns = now.ns + PATIENCE_NS;
}

static void on_turn(void *context, la_time now)
{
    struct ping *p = context;
    struct la_ping_reply replies[8];
    const uint32_t got = la_ping_read(p->stack, replies, 8);

    for (uint32_t i = 0; i < got; i++)
        take_reply(p, &replies[i]);
    const bool all_sent = p->count > 0 && p->sent >= p->count;
    if (!all_sent && now.ns >= p->next.ns)
        send_one(p, now);
    if (p->count > 0 && p->sent >= p->count &&
        (p->received + p->errors >= p->count || now.ns >= p->give_up.ns))
        la_rt_stop(p->session.loop);
    la_rt_wake_at(p->session.loop, p->count > 0 && p->sent >= p->count ? p->give_up : p->next);
}

static void summary(const struct ping *p)
{
    const uint64_t lost = p->sent > p->received ? p->sent - p->received : 0;

    if (p->common.json)
        return;
    printf("\n--- %s ping statistics ---\n"
           "%" PRIu64 " packets transmitted, %" PRIu64 " received, ",
           p->host, p->sent, p->received);
    if (p->duplicates > 0)
        printf("+%" PRIu64 " duplicates, ", p->duplicates);
    if (p->errors > 0)
        printf("+%" PRIu64 " errors, ", p->errors);
    printf("%" PRIu64 "%% packet loss\n", p->sent > 0 ? lost * 100 / p->sent : 0);
    if (p->received > 0) {
        const uint64_t mean = p->sum_ns / p->received;
        printf("rtt min/avg/max = %" PRIu64 ".%03u/%" PRIu64 ".%03u/%" PRIu64 ".%03u ms\n",
               p->min_ns / 1000000u, (unsigned)(p->min_ns / 1000u % 1000u), mean / 1000000u,
               (unsigned)(mean / 1000u % 1000u), p->max_ns / 1000000u,
               (unsigned)(p->max_ns / 1000u % 1000u));
    }
}

static int run(struct ping *p)
{
    const struct station *st = &p->session.stations[0];
    const struct session_handlers handlers = { p, NULL, on_turn };
    char error[NET_HOST_BYTES + 128];
    char text[LA_ADDR_TEXT_BYTES];

    p->stack = st->stack;
    if (!net_resolve(p->host, st->families, &p->to, error, sizeof error))
        return args_failed("ping", "%s", error);
    if (p->ttl > 0 && la_sysctl_set(p->stack, "net.ipv4.ip_default_ttl", p->ttl) != LA_OK)
        return args_failed("ping", "cannot set the TTL");
    la_rt_random(&p->id, sizeof p->id);
    for (uint32_t i = 0; i < SIZE_MAX_BYTES; i++)
        p->payload[i] = (uint8_t)i;
    p->next = la_rt_loop_now(p->session.loop);
    p->give_up = LA_TIME_NEVER;
    int status = session_host(&p->session, 0, &handlers);
    if (status != CLI_OK)
        return status;
    if (!p->common.json)
        printf("PING %s (%s): %" PRIu64 " bytes of data\n", p->host, la_addr_format(p->to, text),
               p->size);
    status = session_run(&p->session);
    if (p->error[0] != '\0') {
        (void)args_failed("ping", "%s: %s", p->host, p->error);
        return CLI_USAGE;
    }
    summary(p);
    return status != CLI_OK ? status : p->received > 0 ? CLI_OK : CLI_FAILED;
}

static int ping_main(int argc, char **argv)
{
    static struct ping p = { .common = { .command = "ping" } };
    int status = args_parse(&cmd_ping, &p, argc, argv);

    if (status >= 0)
        return status;
    p.common.quiet = true;
    status = session_open(&p.session, &p.common);
    if (status == CLI_OK)
        status = run(&p);
    session_close(&p.session);
    return status;
}

const struct args_command cmd_ping = {
    .name = "ping",
    .what = "send echo requests",
    .usage = { "[OPTION]... HOST" },
    .about = "Sends ICMP echo requests over lastack.\n",
    .options = { ARGS_LIST(options) },
    .common = SESSION_COMMON,
    .common_at = offsetof(struct ping, common),
    .operands = { ARGS_LIST(operands) },
    .examples = "    sudo lastack ping -c 3 10.108.97.1\n",
    .status =
        "Exit status: 0 a reply came, 1 none did, 2 it was not understood or can not be sent.\n",
    .run = ping_main,
};
