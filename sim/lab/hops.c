/* SPDX-License-Identifier: MIT */
/*
 * hops.c - TTL counts routers, MSL is a belief about seconds.
 *
 * Three routers (sim/router.h) stand between the client and the server.
 */
#include "sim/lab/lab.h"
#include "sim/router.h"

#define PORT 80u
#define ROUTERS 3u

struct road {
    struct sim_router *router[ROUTERS];
};

/* The router that has let a packet expire since this was asked last, from 1; 0: none. */
static uint32_t expired_at(struct road *r)
{
    uint32_t at = 0;

    for (uint32_t i = 0; i < ROUTERS; i++) {
        if (r->router[i]->expired > 0)
            at = i + 1;
        r->router[i]->expired = 0;
    }
    return at;
}

static void build(struct lab *l, struct road *r)
{
    const struct lab_world_opt apart = { .apart = true };
    struct sim_host *last;

    lab_begin(l, NULL, &apart);
    lab_quiet(l, true);
    last = l->client;
    for (uint32_t i = 0; i < ROUTERS; i++) {
        r->router[i] = sim_router(&l->world);
        lab_link(l, last, r->router[i]->host, 1000);
        last = r->router[i]->host;
    }
    lab_link(l, last, l->server, 1000);
    l->client->gateway = r->router[0]->host;
    l->server->gateway = last;
    sim_host_listen(l->server, PORT, 128);
}

static struct lab_sock *open_with(struct lab *l, uint32_t ttl)
{
    lab_sysctl(l, l->client, "net.ipv4.ip_default_ttl", lab_text(l, "%u", ttl));
    return lab_connect(l, l->client, l->server, PORT);
}

static bool ping(struct lab *l, uint64_t *rtt_us)
{
    struct la_ping_reply reply;
    const la_time begun = sim_host_now(l->client);

    if (la_ping_send(l->client->stack, begun, sim_host_addr(l->server, l->options.v6), 7, 1, NULL,
                     0) != LA_OK)
        return false;
    sim_host_turn(l->client);
    lab_run(l, sim_ms(100));
    if (la_ping_read(l->client->stack, &reply, 1) != 1 || (reply.type != 0 && reply.type != 129))
        return false;
    *rtt_us = (reply.at.ns - begun.ns) / 1000;
    return true;
}

static void walk(struct lab *l, struct road *r)
{
    uint32_t wrong = 0;

    lab_table(l, "a SYN towards the server, three routers away", 3);
    lab_cell(l, "TTL");
    lab_cell(l, "time exceeded from");
    lab_cell(l, "connect() after 200 ms");
    for (uint32_t ttl = 1; ttl <= ROUTERS + 1; ttl++) {
        struct lab_sock *c = open_with(l, ttl);

        lab_run(l, sim_ms(200));
        const enum la_state state = lab_state(c);
        const uint32_t at = expired_at(r);

        wrong +=
            ttl <= ROUTERS ? at != ttl || state != LA_SYN_SENT : at != 0 || state != LA_ESTABLISHED;
        lab_cell(l, "%u", ttl);
        lab_cell(l, "%s", at ? lab_text(l, "router %u", at) : "-");
        lab_cell(l, "%s", state == LA_ESTABLISHED ? "connected" : "still trying");
        lab_abort(c);
        lab_run(l, sim_ms(50));
    }
    lab_must(l, wrong == 0, "each router in turn answers: this is what traceroute does");
}

static void hops(struct lab *l)
{
    struct road r;
    uint64_t rtt_us = 0;

    build(l, &r);
    walk(l, &r);
    struct lab_sock *c = open_with(l, ROUTERS);

    lab_run(l, sim_s(200));
    lab_claim(l, lab_error(c) == LA_EHOSTUNREACH || lab_error(c) == LA_ETIMEDOUT,
              "with a TTL too small by one connect() tries for 131 s, then fails with %s",
              la_err_name(lab_error(c)));

    lab_sysctl(l, l->client, "net.ipv4.ip_default_ttl", "64");
    const bool answered = ping(l, &rtt_us);

    lab_must(l, answered && rtt_us == 8000, "a ping with TTL 64 is answered after %llu us",
             (unsigned long long)rtt_us);

    c = open_with(l, 64);
    lab_run(l, sim_ms(100));
    struct lab_sock *s = lab_accept(l, l->server, PORT);
    const uint64_t from_ns = l->world.now_ns;

    r.router[1]->hold_ns = sim_s(100);
    lab_send(c, "late");
    lab_abort(c);
    lab_run_until(l, from_ns + sim_s(100) + sim_us(2500)); /* it has just left the last router */
    const uint8_t ttl = r.router[ROUTERS - 1]->last_ttl;

    lab_run_until(l, from_ns + sim_s(101));
    lab_must(
        l, s != NULL && ttl == 64 - ROUTERS,
        "a segment that a router held for 100 s arrives with TTL %u: TTL does not count seconds",
        ttl);
    lab_claim(l, lab_now_ms(l) - from_ns / 1000000 > 60000,
              "100 s is longer than the TIME_WAIT that was to outlive it");
}

const struct lab_scenario lab_ttl_and_msl = {
    .name = "ttl-and-msl",
    .title = "TTL is hops, MSL is seconds, and neither bounds the other",
    .said =
        "TTL is the time a packet lives, in seconds; MSL is derived from it, so nothing is older "
        "than 2MSL.",
    .happens =
        "RFC 791 meant TTL in seconds, but every router takes off one whatever time it takes: TTL "
        "counts routers, and IPv6 calls it the hop limit. It ends loops, and traceroute lives of "
        "it: the "
        "router at which it reaches 0 answers with ICMP time exceeded. TCP treats that as a hint "
        "(a soft error), goes on trying, and only reports it if nothing better comes.\n\n"
        "MSL, the longest time a segment can live, is an assumption: 2 min in RFC 9293, 30 s on "
        "Linux, whose "
        "TIME_WAIT of 60 s is twice that. Nothing in the network enforces it. A segment that "
        "sits in a router's buffer for 100 s comes out with the TTL it went in with, less one.",
    .todo =
        "Nothing, usually: buffers hold milliseconds, sequence numbers and timestamps (PAWS) catch "
        "most of "
        "what is late. Leave TIME_WAIT alone, though; it is the cheap part of that defence. For "
        "\"who drops my packets\", traceroute with TCP to the port in question.",
    .see = "RFC 791 3.2, RFC 9293 3.4.3, RFC 1122 4.2.3.9, RFC 5927; net.ipv4.ip_default_ttl, "
           "net.lastack.tcp_msl_ms",
    .run = hops,
};
