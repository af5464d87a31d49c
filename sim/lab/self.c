/* SPDX-License-Identifier: MIT */
/*
 * self.c - connect() to a port of one's own machine where nobody listens, again and again.
 *
 * The packets never leave the host, so there is no ladder.
 */
#include "sim/lab/lab.h"

#define SERVICE 40000u
#define TRIES_MAX 30000u

static bool turned_to_itself(const struct lab *l, la_conn_id conn, struct la_conn_info *info)
{
    return la_conn_info(l->client->stack, conn, info) == LA_OK && info->state == LA_ESTABLISHED;
}

/* Return: attempts, 0 if none succeeded; the connection is in @s. */
static uint32_t retry(struct lab *l, struct lab_sock *s, struct la_conn_info *info)
{
    const struct la_addr own = sim_host_addr(l->client, l->options.v6);
    const struct la_endpoint local = { own, 0 };

    s->remote = (struct la_endpoint){ own, SERVICE };
    for (uint32_t i = 1; i <= TRIES_MAX && !l->world.failed; i++) {
        if (sim_call_open(l->client, local, s->remote, 0, &s->conn) != LA_OK)
            return 0;
        lab_run(l, sim_ms(1));
        sim_host_turn(l->client);
        if (turned_to_itself(l, s->conn, info)) {
            s->held = true;
            s->local = info->local;
            return i;
        }
        sim_call_close(l->client, s->conn);
    }
    return 0;
}

static void run(struct lab *l)
{
    struct lab_sock s = { .l = l };
    struct la_conn_info info = { 0 };

    lab_begin(l, "A program tries to reach port 40000 of its own host, where the server is down",
              &(struct lab_world_opt){ .plain = true });
    s.host = l->client;
    const uint32_t tries = retry(l, &s, &info);

    lab_claim(l, tries > 1, "attempt %u succeeds, after %u times ECONNREFUSED", tries,
              tries > 0 ? tries - 1 : 0);
    if (tries == 0)
        return;
    lab_note(l, l->client, "attempt %u: connected", tries);
    lab_must(l, info.local.port == SERVICE && la_addr_equal(info.local.addr, info.remote.addr),
             "getsockname() and getpeername() are the same: port %u", info.local.port);
    lab_must(l, lab_count_state(l->client, LA_ESTABLISHED) == 1,
             "it is one connection with one end, not two");
    lab_send(&s, "hello");
    lab_run(l, sim_ms(1));
    sim_host_turn(l->client);
    lab_claim(l, lab_recv(&s) == 5, "what is sent is received by the sender");
    lab_must(l, lab_moved(l, l->client, LA_COUNT_PassiveOpens) == 0,
             "nobody listened: PassiveOpens stays 0");
    lab_close(&s);
    lab_run(l, sim_ms(1));
}

const struct lab_scenario lab_connect_to_self = {
    .name = "connect-to-self",
    .title = "connect() to a local port where nobody listens can succeed",
    .said = "connect() to a port without a listener fails with ECONNREFUSED.",
    .happens = "Usually. But connect() chooses a local port from ip_local_port_range, and if the "
               "port to connect "
               "to lies in that range on the same host, it may choose the very same. Then the SYN "
               "arrives at the "
               "socket that sent it: a simultaneous open with itself, which is legal (MUST-10). "
               "The program "
               "is connected to itself, reads back what it writes, and holds the port the server "
               "wants. A client "
               "that retries in a loop until its server is up gets there sooner or later, since "
               "ports are tried "
               "one after the other; here it is an even one, because connect() prefers the parity "
               "of the range's "
               "first port, as on Linux.",
    .todo = "Let servers listen below 32768, outside ip_local_port_range, or put their ports into "
            "ip_local_reserved_ports. In a client that retries against its own host, compare "
            "getsockname() with getpeername() after connect(), and close if they are equal.",
    .see = "RFC 9293 3.5, MUST-10; net.ipv4.ip_local_port_range, net.ipv4.ip_local_reserved_ports",
    .code = "self_connect",
    .run = run,
};
