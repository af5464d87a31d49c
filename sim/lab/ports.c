/* SPDX-License-Identifier: MIT */
/*
 * ports.c - Too many connections to one place: the client's ports are all in TIME_WAIT.
 *
 * The exhaustion itself is shown at its real size.  The cures are shown at a tenth, with a tenth of the
 * ports and of the rate, since each of them is the same sum.
 */
#include "sim/lab/crowd.h"

#define PORTS "net.ipv4.ip_local_port_range"
#define TENTH "32768 35590" /* 2,823 ports */

static const struct lab_world_opt big = { .client = { .crowd = 40000 },
                                          .server = { .crowd = 4096 },
                                          .delay_us = 50 };

static void exhaustion(struct lab *l)
{
    struct lab_crowd crowd = { 0 };

    lab_begin(l, NULL, &big);
    lab_crowd_begin(l, &crowd, 600, 55);
    lab_run(l, sim_s(58));
    lab_say(l,
            "600 connections a second to one address and port: the first refusal after %llu.%llu "
            "s, with "
            "%llu ports in TIME_WAIT.",
            (unsigned long long)(crowd.first_refused_ns / 1000000000u),
            (unsigned long long)(crowd.first_refused_ns / 100000000u % 10),
            (unsigned long long)crowd.peak);
    lab_claim(l, crowd.opened == 28232 && crowd.peak == 28232,
              "exactly %llu connections are made, one for each port of 32768-60999",
              (unsigned long long)crowd.opened);
    lab_claim(l, crowd.first_refused_ns / 1000000000u == 47,
              "then connect() fails with EADDRNOTAVAIL, %llu s after the first",
              (unsigned long long)(crowd.first_refused_ns / 1000000000u));
    lab_claim(l, crowd.refused == 33000 - 28232 && crowd.other == LA_OK,
              "as do all %llu that follow, until the first TIME_WAIT ends",
              (unsigned long long)crowd.refused);
}

struct cure {
    const char *what;
    struct lab_set set[2]; /* at the client */
    uint16_t second_port;
    uint64_t rate; /* a second, of a tenth */
};

static struct lab_crowd tenth(struct lab *l, const struct cure *cure)
{
    struct lab_crowd crowd = { .port = { 80, cure->second_port } };
    struct lab_world_opt opt = { .client = { .crowd = 12000, .sets = { { PORTS, TENTH } } },
                                 .server = { .crowd = 1024 },
                                 .delay_us = 50 };

    for (uint32_t i = 0; i < 2; i++)
        opt.client.sets[1 + i] = cure->set[i];
    lab_begin(l, NULL, &opt);
    lab_crowd_begin(l, &crowd, cure->rate, 90);
    lab_run(l, sim_s(91));
    l->on_event = NULL;
    return crowd;
}

static void run(struct lab *l)
{
    static const struct cure cures[] = {
        { "nothing, 470 a second", { { 0 } }, 0, 47 },
        { "nothing, 600 a second", { { 0 } }, 0, 60 },
        { "ip_local_port_range 1024-65535", { { PORTS, "32768 39218" } }, 0, 60 },
        { "a second port or address to connect to", { { 0 } }, 81, 60 },
        { "tcp_tw_reuse = 1", { { "net.ipv4.tcp_tw_reuse", "1" } }, 0, 60 },
        { "tcp_fin_timeout = 10", { { "net.ipv4.tcp_fin_timeout", "10" } }, 0, 60 },
    };
    enum { CURES = sizeof cures / sizeof cures[0] };
    struct lab_crowd got[CURES];

    exhaustion(l);
    for (uint32_t i = 0; i < CURES; i++)
        got[i] = tenth(l, &cures[i]);
    lab_summary(l, "The cures, 90 s each, at a tenth: 2,823 ports, a tenth of the rate");
    lab_table(l, NULL, 4);
    lab_cell(l, "what was changed at the client");
    lab_cell(l, "attempts");
    lab_cell(l, "EADDRNOTAVAIL");
    lab_cell(l, "TIME_WAIT at most");
    for (uint32_t i = 0; i < CURES; i++) {
        lab_cell(l, "%s", cures[i].what);
        lab_cell(l, "%llu", (unsigned long long)got[i].attempts);
        lab_cell(l, "%llu", (unsigned long long)got[i].refused);
        lab_cell(l, "%llu", (unsigned long long)got[i].peak);
    }
    lab_claim(l, got[0].refused == 0, "at 470 a second none is refused: 28,232 ports / 60 s = 470");
    lab_claim(l, got[1].refused > 0, "at 600 a second some are: %llu of %llu",
              (unsigned long long)got[1].refused, (unsigned long long)got[1].attempts);
    lab_claim(l, got[2].refused + got[3].refused + got[4].refused == 0,
              "more ports, a second destination, tcp_tw_reuse = 1: none");
    lab_claim(l, got[5].refused == got[1].refused,
              "tcp_fin_timeout changes nothing: it is not the length of TIME_WAIT");
}

const struct lab_scenario lab_port_exhaustion = {
    .name = "port-exhaustion",
    .title = "EADDRNOTAVAIL at 470 connections a second, and the cures",
    .said = "The machine has 65,536 ports, so it can have 65,536 connections; and if it runs out, "
            "lower "
            "tcp_fin_timeout.",
    .happens = "A connection is four numbers: two addresses, two ports. Towards one server address "
               "and port only "
               "the client's port is free to choose, from ip_local_port_range: 32768-60999, 28,232 "
               "ports. A "
               "client that closes first keeps each of them in TIME_WAIT for 60 s. So 28,232 / 60 "
               "= 470 new "
               "connections a second can go on for ever, and one more per second fails sooner or "
               "later, with "
               "EADDRNOTAVAIL, while processor and network are idle. It hits proxies and clients "
               "of a database "
               "or cache, which talk to one address.",
    .todo =
        "First: do not open a connection for each request. Keep connections in a pool, with HTTP "
        "keep-alive; that removes the handshakes too. Then, each enough for what its line in the "
        "table "
        "shows: more ports (ip_local_port_range, with ip_local_reserved_ports for your own "
        "listeners), more addresses or ports at the server, tcp_tw_reuse = 1 at the client (safe: "
        "it "
        "wants timestamps; see tw-reuse). Not: tcp_fin_timeout, which is about FIN_WAIT_2, nor "
        "SO_LINGER 0, which loses data. lastack ports shows the budget of a running stack.",
    .see = "RFC 6056; net.ipv4.ip_local_port_range, net.ipv4.tcp_tw_reuse; lastack-ports(1)",
    .code = "pool",
    .run = run,
};
