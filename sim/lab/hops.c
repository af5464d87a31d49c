/* SPDX-License-Identifier: MIT */
/*
 * hops.c - TTL counts routers, MSL is a belief about seconds.
 *
 * Three routers stand between the client and the server.  Each is a script: it takes one from TTL
 * (IPv6: hop limit), sends the packet on to its other side, and when nothing is left answers with
 * ICMP time exceeded (RFC 792, RFC 4443 3.3).
 */
#include <string.h>

#include "sim/lab/lab.h"

#define PORT 80u
#define ROUTERS 3u
#define QUOTED_BYTES 28u /* of the packet: IPv4 header and 8 bytes; IPv6: see icmp6() */

struct road {
    struct lab *l;
    struct sim_host *stop[ROUTERS + 2]; /* client, routers, server */
    uint32_t expired_at;                /* the router that answered last, from 1; 0: none */
    uint32_t answers;
    uint32_t last_ttl; /* of what the last router sent on to the server */
    uint64_t hold_ns;  /* the second router holds the next packet to the server so long; 0: none */
};

static uint32_t sum(const uint8_t *bytes, uint32_t len, uint32_t from)
{
    for (uint32_t i = 0; i < len; i++)
        from += i % 2 ? bytes[i] : (uint32_t)bytes[i] << 8;
    return from;
}

static void put_sum(uint8_t *at, uint32_t value)
{
    while (value >> 16)
        value = (value & 0xffffu) + (value >> 16);
    at[0] = (uint8_t)(~value >> 8);
    at[1] = (uint8_t)~value;
}

/* Time exceeded, from the router to who sent @packet.  Return: its length. */
static uint32_t icmp4(const struct sim_host *router, const struct sim_packet *packet, uint8_t *out)
{
    const uint32_t len = 20 + 8 + QUOTED_BYTES;

    memset(out, 0, len);
    out[0] = 0x45;
    out[3] = (uint8_t)len;
    out[8] = 64;
    out[9] = 1;
    memcpy(out + 12, router->addr4.bytes + 12, 4);
    memcpy(out + 16, packet->bytes + 12, 4);
    put_sum(out + 10, sum(out, 20, 0));
    out[20] = 11;
    memcpy(out + 28, packet->bytes, QUOTED_BYTES);
    put_sum(out + 22, sum(out + 20, len - 20, 0));
    return len;
}

static uint32_t icmp6(const struct sim_host *router, const struct sim_packet *packet, uint8_t *out)
{
    const uint32_t quoted = packet->len_bytes < 64 ? packet->len_bytes : 64;
    const uint32_t len = 40 + 8 + quoted;

    memset(out, 0, len);
    out[0] = 0x60;
    out[5] = (uint8_t)(len - 40);
    out[6] = 58;
    out[7] = 64;
    memcpy(out + 8, router->addr6.bytes, 16);
    memcpy(out + 24, packet->bytes + 8, 16);
    out[40] = 3;
    memcpy(out + 48, packet->bytes, quoted);
    put_sum(out + 42, sum(out + 40, len - 40, sum(out + 8, 32, 58 + len - 40)));
    return len;
}

static void send_on(struct road *r, uint32_t place, bool onward, const uint8_t *bytes, uint32_t len)
{
    struct sim_host *router = r->stop[place];

    router->gateway = r->stop[onward ? place + 1 : place - 1];
    sim_send(router, bytes, len);
}

/* A packet that a router has in its queue. */
struct held {
    struct road *road;
    uint32_t place, len;
    uint8_t bytes[256];
};

static void release(struct sim_world *w, void *context)
{
    const struct held *h = context;

    (void)w;
    send_on(h->road, h->place, true, h->bytes, h->len);
}

static void route(struct sim_host *router, void *context, const struct sim_packet *packet)
{
    struct road *r = context;
    uint8_t bytes[SIM_MTU_MAX];
    uint32_t place = 1;
    const bool v6 = packet->bytes[0] >> 4 == 6;
    uint8_t *ttl = &bytes[v6 ? 7 : 8];

    while (r->stop[place] != router)
        place++;
    const bool onward = packet->from == r->stop[place - 1];

    memcpy(bytes, packet->bytes, packet->len_bytes);
    if (--*ttl == 0) {
        r->expired_at = place;
        r->answers++;
        send_on(r, place, !onward, bytes,
                v6 ? icmp6(router, packet, bytes) : icmp4(router, packet, bytes));
        return;
    }
    if (!v6) {
        bytes[10] = bytes[11] = 0;
        put_sum(bytes + 10, sum(bytes, 20, 0));
    }
    if (onward && place == ROUTERS)
        r->last_ttl = *ttl;
    if (onward && place == 2 && r->hold_ns > 0) {
        struct held *h = lab_take(r->l, sizeof *h);

        h->road = r;
        h->place = place;
        h->len = packet->len_bytes;
        memcpy(h->bytes, bytes, packet->len_bytes);
        sim_at(&r->l->world, r->l->world.now_ns + r->hold_ns, release, h);
        r->hold_ns = 0;
        return;
    }
    send_on(r, place, onward, bytes, packet->len_bytes);
}

static void build(struct lab *l, struct road *r)
{
    const struct lab_world_opt apart = { .apart = true };

    *r = (struct road){ .l = l };
    lab_begin(l, NULL, &apart);
    lab_quiet(l, true);
    r->stop[0] = l->client;
    for (uint32_t i = 1; i <= ROUTERS; i++) {
        r->stop[i] = lab_host(l, NULL);
        lab_script(l, r->stop[i], route, r);
    }
    r->stop[ROUTERS + 1] = l->server;
    for (uint32_t i = 0; i <= ROUTERS; i++)
        lab_link(l, r->stop[i], r->stop[i + 1], 1000);
    l->client->gateway = r->stop[1];
    l->server->gateway = r->stop[ROUTERS];
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
        r->expired_at = 0;
        struct lab_sock *c = open_with(l, ttl);

        lab_run(l, sim_ms(200));
        const enum la_state state = lab_state(c);

        wrong += ttl <= ROUTERS ? r->expired_at != ttl || state != LA_SYN_SENT
                                : r->expired_at != 0 || state != LA_ESTABLISHED;
        lab_cell(l, "%u", ttl);
        lab_cell(l, "%s", r->expired_at ? lab_text(l, "router %u", r->expired_at) : "-");
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
    lab_must(l, ping(l, &rtt_us), "a ping with TTL 64 is answered after %llu us",
             (unsigned long long)rtt_us);

    c = open_with(l, 64);
    lab_run(l, sim_ms(100));
    struct lab_sock *s = lab_accept(l, l->server, PORT);
    const uint64_t from_ns = l->world.now_ns;

    r.hold_ns = sim_s(100);
    lab_send(c, "late");
    lab_abort(c);
    lab_run_until(l, from_ns + sim_s(101));
    lab_must(
        l, s != NULL && r.last_ttl == 64 - ROUTERS,
        "a segment that a router held for 100 s arrives with TTL %u: TTL does not count seconds",
        r.last_ttl);
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
