/* SPDX-License-Identifier: MIT */
/* flood.c - SYNs of nobody, and what a cookie can and can not do. */
#include <string.h>

#include "sim/lab/lab.h"

#include "sim/forge.h"

#define STEP sim_ms(50)
#define PORT 80u
#define CLIENTS 20u
#define FORGED_EACH_MS 2u
#define FLOOD_MS 4000u

struct flood {
    struct lab *l;
    const struct lab_rule *mould; /* keeps a SYN of the client */
    uint64_t until_ns;
    uint32_t forged;
};

static void pour(struct sim_world *w, void *context)
{
    struct flood *f = context;

    if (w->now_ns >= f->until_ns)
        return;
    for (uint32_t i = 0; i < FORGED_EACH_MS; i++, f->forged++)
        sim_forge_syn(w, f->mould->kept);
    sim_at(w, w->now_ns + sim_ms(1), pour, f);
}

static void accept_all(struct lab *l, struct sim_host *at, const struct la_event *event)
{
    if (event->kind == LA_EVENT_LISTENER)
        while (lab_accept(l, at, PORT))
            continue;
}

static void flood(struct lab *l, const char *cookies, const char *title, uint32_t *served)
{
    const struct lab_world_opt opt = {
        .server = { .sets = { { "net.ipv4.tcp_syncookies", cookies } }, .crowd = 256 },
        .client.crowd = 256,
    };
    struct lab_sock *c[CLIENTS];
    struct flood f = { .l = l };

    lab_begin(l, title, &opt);
    l->on_event = accept_all;
    lab_quiet(l, true);
    lab_listen(l, l->server, PORT, 32);
    f.mould = lab_keep(
        l, (struct lab_which){ .from = l->client, .mask = SIM_SYN, .flags = SIM_SYN }, false);
    f.until_ns = sim_ms(100 + FLOOD_MS);
    c[0] = lab_connect(l, l->client, l->server, PORT);
    lab_run_until(l, sim_ms(100));
    pour(&l->world, &f);
    for (uint32_t i = 1; i < CLIENTS; i++) {
        lab_run(l, sim_ms(FLOOD_MS - 500) / CLIENTS);
        c[i] = lab_connect(l, l->client, l->server, PORT);
    }
    lab_run_until(l, f.until_ns);
    *served = 0;
    for (uint32_t i = 1; i < CLIENTS; i++)
        *served += lab_state(c[i]) == LA_ESTABLISHED;
    lab_say(l, "%u forged SYNs in %u s; of %u clients that knocked meanwhile %u were connected.",
            f.forged, FLOOD_MS / 1000, CLIENTS - 1, *served);
    lab_must(l, lab_count_state(l->server, LA_SYN_RECEIVED) <= 33,
             "the server remembers %u handshakes, not %u",
             lab_count_state(l->server, LA_SYN_RECEIVED), f.forged);
}

static void syn_flood(struct lab *l)
{
    uint32_t without, with;

    flood(l, "0", "tcp_syncookies = 0", &without);
    lab_claim(l, without == 0, "without cookies %u of %u clients got through during the flood",
              without, CLIENTS - 1);
    flood(l, "1", "tcp_syncookies = 1", &with);
    lab_claim(l, with == CLIENTS - 1, "with cookies %u of %u did", with, CLIENTS - 1);
    lab_claim(l, lab_moved(l, l->server, LA_COUNT_SyncookiesRecv) >= CLIENTS - 1,
              "%llu cookies came back, one from each of %u clients",
              (unsigned long long)lab_moved(l, l->server, LA_COUNT_SyncookiesRecv), CLIENTS - 1);
}

const struct lab_scenario lab_syn_flood = {
    .name = "syn-flood",
    .title = "half-open connections of nobody, with cookies and without",
    .said = "A SYN flood needs a long SYN queue, or a firewall.",
    .happens =
        "Each forged SYN takes a place in the SYN queue until its SYN-ACK has been repeated often "
        "enough, a minute or so. However long the queue, a few thousand packets a second keep it "
        "full, and "
        "without cookies the SYN of a real client then finds no place.\n\n"
        "With cookies the server, once its queue is full, remembers nothing: it puts what it must "
        "know, "
        "sealed with a secret, into its initial sequence number (and into the timestamp), and "
        "takes it out of the ACK that completes the handshake. Who never got the SYN-ACK can not "
        "send "
        "that ACK.",
    .todo =
        "Leave tcp_syncookies at 1. Watch TCPReqQFullDoCookies and SyncookiesSent: if they rise "
        "without an attack, the SYN queue is too short for your clients' round trip times. "
        "SyncookiesFailed says that somebody guesses.",
    .see = "RFC 4987; tcp_syncookies; TCPReqQFullDoCookies, TCPReqQFullDrop, SyncookiesSent, "
           "SyncookiesRecv, SyncookiesFailed",
    .run = syn_flood,
};

static void begin_cookies(struct lab *l, const char *title)
{
    const struct lab_world_opt opt = { .server.sets = { { "net.ipv4.tcp_syncookies", "2" } } };

    lab_begin(l, title, &opt);
    lab_lose(l, (struct lab_which){
                    .from = l->client, .mask = SIM_SYN | SIM_ACK, .flags = SIM_ACK, .count = 1 });
}

static void cookie_ack_lost(struct lab *l)
{
    begin_cookies(l, "the server speaks first (SMTP, SSH, MySQL)");
    struct lab_sock *c = lab_connect(l, l->client, l->server, PORT);

    lab_run(l, sim_s(UINT64_C(2) * 3600));
    lab_note(l, l->client, "two hours later");
    lab_claim(l, lab_state(c) == LA_ESTABLISHED, "the client is in %s, and waits for a greeting",
              la_state_name(lab_state(c)));
    lab_claim(l,
              lab_moved(l, l->server, LA_COUNT_PassiveOpens) == 0 &&
                  lab_count_state(l->server, LA_ESTABLISHED) == 0,
              "the server knows of no connection");

    begin_cookies(l, "the client speaks first (HTTP)");
    c = lab_connect(l, l->client, l->server, PORT);
    lab_run(l, STEP);
    lab_send(c, "GET /");
    lab_run(l, sim_s(1));
    struct lab_sock *s = lab_accept(l, l->server, PORT);

    lab_claim(l, s && lab_recv(s) == 5,
              "the request carries the same ACK: the cookie comes back with it, and all is well");

    const struct lab_world_opt records = { .server.sets = { { "net.ipv4.tcp_syncookies", "0" } } };

    lab_begin(l, "the server speaks first, and no cookies", &records);
    lab_lose(l, (struct lab_which){
                    .from = l->client, .mask = SIM_SYN | SIM_ACK, .flags = SIM_ACK, .count = 1 });
    (void)lab_connect(l, l->client, l->server, PORT);
    lab_run(l, sim_s(3));
    lab_claim(l, lab_count_state(l->server, LA_ESTABLISHED) == 1,
              "a server that remembers the SYN repeats its SYN-ACK, and gets the ACK again");
}

const struct lab_scenario lab_cookie_ack_lost = {
    .name = "cookie-ack-lost",
    .title = "the price of a cookie: a lost ACK is never asked for again",
    .said = "SYN cookies cost nothing but a few options.",
    .happens =
        "A server that has answered with a cookie remembers nothing, so it can not repeat its "
        "SYN-ACK when the last ACK of the handshake is lost. The client had its SYN-ACK and "
        "believes itself "
        "connected. If it speaks first, its first segment carries the same ACK and the connection "
        "comes about. "
        "If it waits for the server to speak, both wait: the server for a connection, the client "
        "for "
        "a greeting.",
    .todo =
        "Clients of protocols in which the server speaks first need a timeout for the greeting. "
        "On the server, a SYN queue long enough that cookies are the exception.",
    .see = "RFC 4987 3.6; tcp_syncookies, tcp_synack_retries",
    .run = cookie_ack_lost,
};
