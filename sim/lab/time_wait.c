/* SPDX-License-Identifier: MIT */
/* time_wait.c - What TIME_WAIT costs, whom, and how it may be cut short. */
#include "sim/lab/crowd.h"

#define STEP sim_ms(50)
#define CROWD 200u
#define CAP "4"
#define CONNECTIONS 12u

/* Who pays ---------------------------------------------------------------------------------- */

static void row_of(struct lab *l, const char *who, uint32_t client, uint32_t server)
{
    lab_cell(l, "%s", who);
    lab_cell(l, "%u", client);
    lab_cell(l, "%u", server);
}

static void payer(struct lab *l)
{
    uint32_t held[2][2];
    bool v6 = l->options.v6;
    uint32_t bytes = 0;

    for (uint32_t first = 0; first < 2; first++) {
        struct lab_crowd crowd = { .server_first = first == 1 };

        lab_begin(
            l, NULL,
            &(struct lab_world_opt){ .client = { .crowd = 1024 }, .server = { .crowd = 1024 } });
        lab_crowd_begin(l, &crowd, CROWD, 1);
        lab_run(l, sim_s(3));
        held[first][0] = lab_count_state(l->client, LA_TIME_WAIT);
        held[first][1] = lab_count_state(l->server, LA_TIME_WAIT);
        bytes =
            la_table_use(l->server->stack, v6 ? LA_TABLE_SHORT_V6 : LA_TABLE_SHORT_V4).item_bytes;
    }
    lab_summary(l, NULL);
    lab_table(l, "200 connections, each closed, two seconds later", 3);
    lab_cell(l, "who calls close() first");
    lab_cell(l, "TIME_WAIT at the client");
    lab_cell(l, "at the server");
    row_of(l, "the client", held[0][0], held[0][1]);
    row_of(l, "the server", held[1][0], held[1][1]);
    lab_claim(l, held[0][0] == CROWD && held[0][1] == 0,
              "the client closes first: %u TIME_WAITs there, %u at the server", held[0][0],
              held[0][1]);
    lab_claim(l, held[1][0] == 0 && held[1][1] == CROWD,
              "the server closes first: %u at the client, %u at the server", held[1][0],
              held[1][1]);
    lab_must(l, bytes == (v6 ? 88 : 64), "each is a record of %u bytes", bytes);

    lab_begin(l, "The server closed first, and the client comes again from the same port", NULL);
    struct lab_sock *c = lab_connect(l, l->client, l->server, 80);

    lab_run(l, STEP);
    struct lab_sock *s = lab_accept(l, l->server, 80);

    lab_close(s);
    lab_run(l, STEP);
    lab_recv(c);
    lab_close(c);
    lab_run(l, STEP);
    const enum la_state before = lab_state(s);
    struct lab_sock *again = lab_connect_from(l, l->client, c->local.port, c->remote.addr, 80);
    const uint64_t from_ms = lab_now_ms(l);
    const bool open = lab_run_to(again, LA_ESTABLISHED, sim_s(3));
    const uint64_t took_ms = lab_now_ms(l) - from_ms;

    lab_run(l, STEP);
    lab_claim(l, before == LA_TIME_WAIT && open && took_ms == 20,
              "a SYN into the server's TIME_WAIT opens at once: connect() took %llu ms",
              (unsigned long long)took_ms);
    lab_claim(l, lab_dropped(l, l->server, LA_DROP_TIME_WAIT_REOPENED) == 1,
              "because its timestamp proves it new (TIME_WAIT_REOPENED)");
}

const struct lab_scenario lab_time_wait_payer = {
    .name = "time-wait-payer",
    .title = "who closes first pays with TIME_WAIT, and what it costs there",
    .said = "Thousands of sockets in TIME_WAIT on a server are a problem: they hold memory, "
            "descriptors and "
            "ports, and new clients can not connect.",
    .happens =
        "TIME_WAIT goes to the side that closes first, and what it costs depends on which side "
        "that is. At "
        "a server: nothing but memory. All its connections share the listener's port, so "
        "no port is used up; there is no descriptor, the application has closed it; and a client "
        "that returns from the very same port is let in, since its SYN is newer. At a client each "
        "one holds a local port towards that destination for 60 s: see port-exhaustion.",
    .todo = "Count before you worry: a record is 64 bytes here (88 for IPv6) and some hundreds on "
            "Linux, so "
            "100,000 of them are a few megabytes. On a server leave them alone. On a client that "
            "opens many "
            "connections to one place, reuse connections, or let the server close first. Do not "
            "avoid TIME_WAIT with SO_LINGER 0: the reset throws away data that is under way.",
    .see = "RFC 9293 3.6.1 (MAY-2), RFC 6191, RFC 1337; TW",
    .run = payer,
};

/* tw_reuse ---------------------------------------------------------------------------------- */

struct reuse {
    const char *rule, *stamps;
    bool bound;
    bool self; /* to a listener of the client's own host: packets that never leave it */
};

static void step(struct lab *l, bool self)
{
    lab_run(l, STEP);
    for (uint32_t i = 0; i < 8 && self; i++)
        sim_host_turn(l->client); /* what loops back arrives at the next turn */
}

/* The errors of connect() 0.5 s and 1.5 s after TIME_WAIT began, with one port to choose from. */
static void try_reuse(struct lab *l, const struct reuse *r, const char *title, enum la_err got[2])
{
    lab_begin(l, title,
              &(struct lab_world_opt){
                  .client = { .sets = { { "net.ipv4.tcp_tw_reuse", r->rule },
                                        { "net.ipv4.tcp_timestamps", r->stamps },
                                        { "net.ipv4.ip_local_port_range", "40001 40001" } } } });
    struct sim_host *to = r->self ? l->client : l->server;

    if (r->self) {
        lab_loopback_add(l, to);
        lab_listen(l, to, 80, 16);
    }
    struct lab_sock *c = r->self ? lab_connect_from(l, to, LAB_PORT_FIRST, lab_loopback(l), 80)
                                 : lab_connect(l, l->client, to, 80);

    step(l, r->self);
    struct lab_sock *s = lab_accept(l, to, 80);

    lab_close(c);
    step(l, r->self);
    lab_recv(s);
    lab_close(s);
    step(l, r->self);
    for (uint32_t i = 0; i < 2; i++) {
        lab_run_until(l, sim_ms(600 + 1000 * i));
        struct lab_sock *again =
            lab_connect_from(l, l->client, r->bound ? 40001 : 0, c->remote.addr, 80);

        step(l, r->self);
        got[i] = again->held ? lab_error(again) : again->error;
        if (got[i] == LA_OK && lab_state(again) != LA_ESTABLISHED)
            got[i] = LA_EBUSY; /* not said by any of them */
        if (again->held)
            lab_abort(again);
        step(l, r->self);
    }
}

static const char *outcome(enum la_err err)
{
    return err == LA_OK ? "connected" : la_err_name(err);
}

static void tw_reuse(struct lab *l)
{
    static const struct reuse cases[] = {
        { "1", "1", false, false }, { "0", "1", false, false }, { "2", "1", false, false },
        { "2", "1", false, true },  { "0", "1", false, true },  { "1", "0", false, false },
        { "0", "1", true, false },
    };
    enum { CASES = sizeof cases / sizeof cases[0] };
    enum la_err got[CASES][2];

    for (uint32_t i = 0; i < CASES; i++)
        try_reuse(l, &cases[i], i == 0 ? "tcp_tw_reuse = 1, and one port to choose from" : NULL,
                  got[i]);
    for (uint32_t i = 1; i < CASES; i++)
        l->sections[i].row_count = 0; /* the same picture, less the end */
    lab_summary(l, NULL);
    lab_table(l, "connect() when the only port left is in TIME_WAIT", 6);
    lab_cell(l, "tcp_tw_reuse");
    lab_cell(l, "timestamps");
    lab_cell(l, "towards");
    lab_cell(l, "port");
    lab_cell(l, "0.5 s after");
    lab_cell(l, "1.5 s after");
    for (uint32_t i = 0; i < CASES; i++) {
        lab_cell(l, "%s", cases[i].rule);
        lab_cell(l, "%s", cases[i].stamps[0] == '1' ? "on" : "off");
        lab_cell(l, "%s", cases[i].self ? "loopback" : "another host");
        lab_cell(l, "%s", cases[i].bound ? "bound to it" : "to be chosen");
        lab_cell(l, "%s", outcome(got[i][0]));
        lab_cell(l, "%s", outcome(got[i][1]));
    }
    lab_claim(l, got[0][0] == LA_EADDRNOTAVAIL && got[0][1] == LA_OK,
              "1: %s in the first second, then %s", outcome(got[0][0]), outcome(got[0][1]));
    lab_claim(l, got[1][1] == LA_EADDRNOTAVAIL, "0: %s", outcome(got[1][1]));
    lab_claim(l, got[2][1] == LA_EADDRNOTAVAIL, "2, to another host: %s", outcome(got[2][1]));
    lab_claim(l, got[3][0] == LA_EADDRNOTAVAIL && got[3][1] == LA_OK,
              "2, over loopback: %s in the first second, then %s", outcome(got[3][0]),
              outcome(got[3][1]));
    lab_claim(l, got[4][1] == LA_EADDRNOTAVAIL, "0, over loopback: %s", outcome(got[4][1]));
    lab_claim(l, got[5][1] == LA_EADDRNOTAVAIL, "1 without timestamps: %s", outcome(got[5][1]));
    lab_claim(l, got[6][0] == LA_OK,
              "a port that was asked for by number is taken over whatever the knob says: %s",
              outcome(got[6][0]));
}

const struct lab_scenario lab_tw_reuse = {
    .name = "tw-reuse",
    .title = "tcp_tw_reuse 0, 1 and 2: when connect() may take over a TIME_WAIT",
    .said = "tcp_tw_reuse = 1 makes the server reuse sockets in TIME_WAIT, and it is dangerous.",
    .happens =
        "It is about connect() and nothing else: a server that accepts is never affected. When no "
        "port "
        "towards the destination is free, 1 lets connect() take one whose TIME_WAIT is older than "
        "a "
        "second (tcp_tw_reuse_delay), if both sides used timestamps. Then anything left of the "
        "old connection carries an older timestamp and is refused (PAWS), and the new ISN is above "
        "all "
        "old numbers, so neither reason for TIME_WAIT is given up. 2, the default, does so only "
        "for "
        "connections over loopback, as from a proxy to a server on the same machine; 0 never.\n\n"
        "Without timestamps nothing would protect the new connection, and so it is not done.",
    .todo = "On clients and proxies that open many connections, set it to 1. It does nothing "
            "on a pure server. What was dangerous was tcp_tw_recycle, which Linux 4.12 removed: "
            "see nat-paws.",
    .see = "RFC 6191, RFC 7323 5; net.ipv4.tcp_tw_reuse, net.ipv4.tcp_tw_reuse_delay; TWRecycled",
    .run = tw_reuse,
};

/* The cap ----------------------------------------------------------------------------------- */

static void tw_cap(struct lab *l)
{
    struct lab_sock *c[CONNECTIONS];
    uint32_t kept = 0, newest = 0;

    lab_begin(l, "12 connections, closed by the client one after the other; room for 4 TIME_WAITs",
              &(struct lab_world_opt){
                  .client = { .sets = { { "net.ipv4.tcp_max_tw_buckets", CAP } } } });
    lab_quiet(l, true);
    for (uint32_t i = 0; i < CONNECTIONS; i++) {
        c[i] = lab_connect(l, l->client, l->server, 80);
        lab_run(l, STEP);
        struct lab_sock *s = lab_accept(l, l->server, 80);

        lab_close(c[i]);
        lab_run(l, STEP);
        lab_recv(s);
        lab_close(s);
        lab_run(l, STEP);
    }
    lab_table(l, NULL, 2);
    lab_cell(l, "connection");
    lab_cell(l, "afterwards");
    for (uint32_t i = 0; i < CONNECTIONS; i++) {
        const bool waits = lab_state(c[i]) == LA_TIME_WAIT;

        kept += waits;
        newest += waits && i >= CONNECTIONS - 4;
        lab_cell(l, "%u", i + 1);
        lab_cell(l, "%s", waits ? "TIME_WAIT" : "gone before its time");
    }
    const uint64_t over = lab_moved(l, l->client, LA_COUNT_TCPTimeWaitOverflow);

    lab_claim(l, kept == 4 && newest == 4, "%u remain, and they are the newest", kept);
    lab_claim(l, over == CONNECTIONS - 4, "TCPTimeWaitOverflow counts the other %llu",
              (unsigned long long)over);
}

const struct lab_scenario lab_tw_cap = {
    .name = "tw-cap",
    .title = "tcp_max_tw_buckets: what happens beyond the cap",
    .said = "With the table of TIME_WAITs full, connections can not be closed or opened any more.",
    .happens = "Beyond tcp_max_tw_buckets one TIME_WAIT ends early and TCPTimeWaitOverflow counts "
               "it; nothing "
               "else happens. Linux gives up the newest, and logs \"time wait bucket table "
               "overflow\"; lastack gives up the "
               "one nearest its end, which has done most of its duty. What is lost is "
               "protection, for that one connection: see last-ack-lost and old-duplicate.",
    .todo = "Treat the counter as a message about the rate of closes, not as a fault. The cap is "
            "there to "
            "bound memory: at 64 bytes each, the default of 262,144 is 16 MB. Raise it if "
            "the counter moves in normal operation; setting it to 0 to get rid of TIME_WAIT gets "
            "rid of the protection.",
    .see = "net.ipv4.tcp_max_tw_buckets; TCPTimeWaitOverflow",
    .run = tw_cap,
};
