/* SPDX-License-Identifier: MIT */
/*
 * nat.c - Clients behind one address, and a server that remembers timestamps per host.
 *
 * tcp_tw_recycle of Linux 2.4 to 4.11 kept the newest timestamp of each remote address for a minute, and
 * dropped SYNs with an older one.  It is modelled here in front of the server, which is lastack: its own PAWS
 * is per connection.  The NAT is modelled too: one table, a port of its own for each connection.
 */
#include "sim/lab/lab.h"

#include <string.h>

#include "sim/memory.h"

#define INSIDE 2u
#define TRIES 10u /* of each client */
#define NAT_PORT 20000u
#define MAPPINGS 64u
#define REMEMBERED_NS sim_s(60)

struct mapping {
    struct sim_host *inside;
    uint16_t port;
};

struct nat {
    struct lab *l;
    struct sim_host *inside[INSIDE];
    struct mapping map[MAPPINGS];
    uint32_t count;
    bool per_host; /* what stands in front of the server */
    uint32_t newest;
    uint64_t newest_at_ns;
    bool knows;
    uint32_t dropped;
};

static uint16_t get16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

static void put16(uint8_t *at, uint16_t n)
{
    at[0] = (uint8_t)(n >> 8);
    at[1] = (uint8_t)n;
}

/* The time stamp of a segment; lastack writes the option first on a SYN's padding or at an even place. */
static bool stamp_of(const uint8_t *bytes, const struct sim_segment *seg, uint32_t *val)
{
    for (uint32_t i = seg->ip_header_bytes + 20; i + 10 <= seg->header_bytes;) {
        if (bytes[i] == 8) {
            *val = (uint32_t)get16(bytes + i + 2) << 16 | get16(bytes + i + 4);
            return true;
        }
        if (bytes[i] == 0)
            return false;
        i += bytes[i] == 1 ? 1 : bytes[i + 1] < 2 ? 1 : bytes[i + 1];
    }
    return false;
}

/* Per-host PAWS: false if the packet is dropped. */
static bool passes(struct nat *n, const uint8_t *bytes, const struct sim_segment *seg)
{
    const uint64_t now_ns = n->l->world.now_ns;
    uint32_t val;

    if (!stamp_of(bytes, seg, &val))
        return true;
    const bool older =
        n->knows && now_ns - n->newest_at_ns < REMEMBERED_NS && (int32_t)(n->newest - val) > 1;

    if (seg->flags & SIM_SYN) {
        n->dropped += n->per_host && older;
        return !(n->per_host && older);
    }
    if (!older) {
        n->knows = true;
        n->newest = val;
        n->newest_at_ns = now_ns;
    }
    return true;
}

static uint16_t port_of(struct nat *n, struct sim_host *inside, uint16_t port)
{
    for (uint32_t i = 0; i < n->count; i++)
        if (n->map[i].inside == inside && n->map[i].port == port)
            return (uint16_t)(NAT_PORT + i);
    if (n->count == MAPPINGS) {
        sim_fail(&n->l->world, "the NAT is full");
        return 0;
    }
    n->map[n->count++] = (struct mapping){ inside, port };
    return (uint16_t)(NAT_PORT + n->count - 1);
}

static void rewrite(uint8_t *bytes, const struct sim_segment *seg, bool source, struct la_addr addr,
                    uint16_t port)
{
    uint8_t *tcp = bytes + seg->ip_header_bytes;

    if (seg->v6)
        memcpy(bytes + (source ? 8 : 24), addr.bytes, 16);
    else
        memcpy(bytes + (source ? 12 : 16), addr.bytes + 12, 4);
    put16(tcp + (source ? 0 : 2), port);
}

static void translate(struct sim_host *h, void *context, const struct sim_packet *p)
{
    struct nat *n = context;
    struct sim_segment seg;
    uint8_t bytes[SIM_MTU_MAX];

    if (p->len_bytes > sizeof bytes)
        return;
    memcpy(bytes, p->bytes, p->len_bytes);
    sim_segment_read(bytes, p->len_bytes, &seg);
    if (!seg.tcp)
        return;
    if (p->from != n->l->server) {
        if (!passes(n, bytes, &seg))
            return;
        rewrite(bytes, &seg, true, sim_host_addr(h, seg.v6), port_of(n, p->from, seg.from.port));
    } else {
        const uint32_t i = (uint32_t)seg.to.port - NAT_PORT;

        if (i >= n->count)
            return;
        rewrite(bytes, &seg, false, sim_host_addr(n->map[i].inside, seg.v6), n->map[i].port);
    }
    sim_checksum_repair(bytes, p->len_bytes);
    sim_send(h, bytes, p->len_bytes);
}

struct outcome {
    uint32_t at_once[INSIDE], late[INSIDE], dropped;
};

/* A connection of one client: opened, closed by the server, and how long connect() took. */
static void visit(struct lab *l, struct nat *n, uint32_t who, struct outcome *o)
{
    struct lab_sock *c = lab_connect(l, n->inside[who], l->server, 80);
    const bool soon = lab_run_to(c, LA_ESTABLISHED, sim_ms(500));

    lab_run(l, sim_ms(100));
    o->at_once[who] += soon;
    o->late[who] += !soon;
    struct lab_sock *s = lab_accept(l, l->server, 80);

    if (!soon || !s) {
        lab_abort(c);
    } else {
        lab_close(s);
        lab_run(l, sim_ms(100));
        lab_close(c);
    }
    lab_run(l, sim_ms(400));
}

static struct outcome replay(struct lab *l, bool per_host)
{
    struct nat n = { .l = l, .per_host = per_host };
    struct outcome o = { { 0 }, { 0 }, 0 };

    lab_begin(l, NULL, &(struct lab_world_opt){ .apart = true, .plain = true });
    lab_quiet(l, true);
    lab_script(l, l->client, translate, &n);
    lab_link(l, l->client, l->server, 5000);
    for (uint32_t i = 0; i < INSIDE; i++) {
        n.inside[i] = lab_host(l, NULL);
        n.inside[i]->gateway = l->client;
        lab_link(l, n.inside[i], l->client, 5000);
    }
    for (uint32_t i = 0; i < TRIES * INSIDE; i++)
        visit(l, &n, i % INSIDE, &o);
    o.dropped = n.dropped;
    return o;
}

static void run(struct lab *l)
{
    const struct outcome host = replay(l, true), conn = replay(l, false);
    const uint32_t late = host.late[0] + host.late[1];

    lab_summary(l, NULL);
    lab_table(l, "Two clients behind one address, in turn, 10 connections each", 4);
    lab_cell(l, "the server keeps timestamps");
    lab_cell(l, "open at once");
    lab_cell(l, "hung");
    lab_cell(l, "SYNs dropped");
    lab_cell(l, "per host (tcp_tw_recycle)");
    lab_cell(l, "%u", host.at_once[0] + host.at_once[1]);
    lab_cell(l, "%u", late);
    lab_cell(l, "%u", host.dropped);
    lab_cell(l, "per connection (lastack, Linux now)");
    lab_cell(l, "%u", conn.at_once[0] + conn.at_once[1]);
    lab_cell(l, "%u", conn.late[0] + conn.late[1]);
    lab_cell(l, "%u", conn.dropped);
    lab_claim(l, late >= 5 && late < 20, "per host: %u of 20 connections hang", late);
    lab_claim(l, host.dropped >= late, "because %u SYNs are dropped without a word", host.dropped);
    lab_claim(l, conn.late[0] + conn.late[1] == 0, "per connection: none does");
}

const struct lab_scenario lab_nat_paws = {
    .name = "nat-paws",
    .title = "clients behind a NAT, and what was wrong with tcp_tw_recycle",
    .said = "tcp_tw_recycle = 1 is the cure for TIME_WAIT.",
    .happens =
        "It let a server forget TIME_WAIT after a few seconds, and to stay safe it remembered the "
        "newest "
        "timestamp of each remote address and dropped every SYN with an older one, for a minute, "
        "without an "
        "answer. That supposes that one address is one clock. Behind a NAT, one address is many "
        "hosts, and "
        "today not even one host is one clock: each connection has a timestamp offset of its own. "
        "So some clients' connect() hangs and others' does not, and who is who changes from minute "
        "to minute. "
        "The server's administrator sees nothing.\n\n"
        "PAWS per connection compares timestamps of one 4-tuple only, and does not mind.",
    .todo =
        "Nothing on a current Linux: 4.12 removed the knob. If connections through a NAT hang at "
        "random "
        "on an old one, look for net.ipv4.tcp_tw_recycle = 1 and for PAWSPassive (\"passive "
        "connections rejected because of "
        "time stamp\" in netstat -s), and set it to 0. Also look at middleboxes that do the same.",
    .see = "RFC 7323 5.3, appendix B.2; RFC 6191; commit 4396e46187ca of Linux",
    .run = run,
};
