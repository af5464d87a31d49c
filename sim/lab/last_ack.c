/* SPDX-License-Identifier: MIT */
/*
 * last_ack.c - The last acknowledgment is lost: with TIME_WAIT, and without.
 *
 * 2MSL = 0 is set at the client alone: it is what "make TIME_WAIT go away" would mean.
 */
#include "sim/lab/lab.h"

#define STEP sim_ms(50)
#define MSL "net.lastack.tcp_msl_ms"

static struct lab_which last_ack_of(const struct lab *l)
{
    /* Two pure ACKs of the client: the handshake's, and the last. */
    return (struct lab_which){ .from = l->client,
                               .mask = SIM_SYN | SIM_FIN | SIM_RST | SIM_ACK,
                               .flags = SIM_ACK,
                               .skip = 1 };
}

/* The client closes first, the server after it; the last ACK gets lost.  @release: close(), else shutdown(). */
static struct lab_sock *close_with_loss(struct lab *l, struct lab_sock **client, bool release)
{
    struct lab_which which = last_ack_of(l);

    which.count = 1;
    lab_lose(l, which);
    *client = lab_connect(l, l->client, l->server, 80);
    lab_run(l, STEP);
    struct lab_sock *s = lab_accept(l, l->server, 80);

    lab_close(*client);
    lab_run(l, STEP);
    lab_recv(s);
    if (release)
        lab_close(s);
    else
        lab_shutdown(s, LA_SHUT_WR);
    return s;
}

static const struct lab_world_opt no_time_wait = { .client = { .sets = { { MSL, "0" } } } };
/* In a data centre: the RTO is as small as it gets. */
static const struct lab_world_opt near = { .client = { .sets = { { MSL, "0" } } }, .delay_us = 50 };

static void with_time_wait(struct lab *l)
{
    struct lab_sock *c;

    lab_begin(l, "With TIME_WAIT: the client is still there to repeat it", NULL);
    struct lab_sock *s = close_with_loss(l, &c, true);
    const uint64_t from_ms = lab_now_ms(l);
    const bool ended = lab_run_to(s, LA_CLOSED, sim_s(300));
    const uint64_t took_ms = lab_now_ms(l) - from_ms;

    lab_claim(l, ended && took_ms < 1000,
              "with TIME_WAIT the server is done %llu ms after its close()",
              (unsigned long long)took_ms);
    lab_claim(l,
              lab_moved(l, l->server, LA_COUNT_RetransSegs) == 1 &&
                  lab_dropped(l, l->server, LA_DROP_RESET) == 0,
              "after one repetition of its FIN, and without a reset");
}

static void reset_arrives(struct lab *l)
{
    struct lab_sock *c;

    lab_begin(l,
              "2MSL = 0, the server has called close(): the repeated FIN meets CLOSED and is reset",
              &no_time_wait);
    struct lab_sock *s = close_with_loss(l, &c, true);
    uint64_t from_ms = lab_now_ms(l);
    const bool ended = lab_run_to(s, LA_CLOSED, sim_s(300));

    lab_claim(l, ended && lab_now_ms(l) - from_ms < 1000,
              "without TIME_WAIT a reset ends the server's LAST_ACK after %llu ms",
              (unsigned long long)(lab_now_ms(l) - from_ms));
    lab_claim(l, lab_dropped(l, l->server, LA_DROP_RESET) == 1,
              "and nobody holds a socket to be told");

    lab_begin(l, "2MSL = 0, the server has only shut down its half and still holds the socket",
              &no_time_wait);
    s = close_with_loss(l, &c, false);
    lab_run(l, sim_s(2));
    lab_claim(
        l, lab_error(s) == LA_EPIPE || lab_error(s) == LA_ECONNRESET,
        "a server that holds the socket finds %s in SO_ERROR, though every byte was delivered",
        la_err_name(lab_error(s)));
    lab_recv(s);
    lab_close(s);
}

static void client_gone(struct lab *l)
{
    struct lab_sock *c;

    lab_begin(l, "2MSL = 0, and the client (or its reset) does not come through any more", &near);
    struct lab_sock *s = close_with_loss(l, &c, true);

    const uint64_t from_ms = lab_now_ms(l);

    lab_run(l, sim_ms(1));
    sim_link_down(l->link, l->world.now_ns);
    const bool ended = lab_run_to(s, LA_CLOSED, sim_s(3600));
    const uint64_t took_ms = lab_now_ms(l) - from_ms;
    const uint64_t fins = lab_moved(l, l->server, LA_COUNT_RetransSegs);

    lab_note(l, l->server, "LAST_ACK is over");
    lab_must(l, ended, "LAST_ACK does not stay for ever");
    lab_claim(l, took_ms / 1000 == 102 && fins == 8,
              "alone the server stays in LAST_ACK for %llu.%llu s and repeats its FIN %llu times",
              (unsigned long long)(took_ms / 1000), (unsigned long long)(took_ms % 1000 / 100),
              (unsigned long long)fins);
    lab_claim(l, lab_moved(l, l->server, LA_COUNT_TCPAbortOnTimeout) == 1,
              "TCPAbortOnTimeout counts it");
}

static void client_returns(struct lab *l)
{
    struct lab_sock *c;

    lab_begin(l,
              "2MSL = 0, and the client comes again from the same port before the FIN is repeated",
              &no_time_wait);
    struct lab_sock *s = close_with_loss(l, &c, true);

    lab_run(l, STEP);
    const enum la_state met = lab_state(s);
    struct lab_sock *again = lab_connect_from(l, l->client, c->local.port, c->remote.addr, 80);
    const uint64_t from_ms = lab_now_ms(l);
    const bool open = lab_run_to(again, LA_ESTABLISHED, sim_s(10));
    const uint64_t took_ms = lab_now_ms(l) - from_ms;

    lab_run(l, STEP);
    lab_claim(l, met == LA_LAST_ACK, "the new SYN meets %s", la_state_name(met));
    lab_claim(l, lab_moved(l, l->server, LA_COUNT_TCPSYNChallenge) == 1,
              "and draws a challenge ACK (TCPSYNChallenge)");
    lab_claim(l, lab_moved(l, l->client, LA_COUNT_OutRsts) == 1,
              "which the client, in SYN_SENT, answers with a reset");
    lab_claim(l, open && took_ms >= 1000 && took_ms < 1100,
              "the SYN's repetition opens the connection: connect() took %llu ms instead of 20",
              (unsigned long long)took_ms);
}

static void run(struct lab *l)
{
    with_time_wait(l);
    reset_arrives(l);
    client_gone(l);
    client_returns(l);
}

const struct lab_scenario lab_last_ack_lost = {
    .name = "last-ack-lost",
    .title = "the last ACK is lost: with TIME_WAIT, and with 2MSL = 0",
    .said = "TIME_WAIT exists because the last ACK may be lost: without it the server would stay "
            "in LAST_ACK "
            "for ever.",
    .happens =
        "The server repeats its FIN until it is acknowledged. With TIME_WAIT the client can: one "
        "repetition, and both are done. Without it the FIN meets CLOSED and is answered with a "
        "reset. "
        "That ends LAST_ACK as well, just as fast. What is lost is the meaning: a server that "
        "still holds the "
        "socket, to learn that everything arrived, gets an error instead of an orderly end.\n\n"
        "LAST_ACK never stays for ever. When nobody answers, a socket that was closed gives up "
        "after 8 "
        "repetitions (tcp_orphan_retries 0 means 8): 102 s with the smallest RTO of 200 ms, more "
        "on a longer path. And a "
        "client that returns from the same port is not shut out; it pays one second, because its "
        "first SYN only serves to clear the old connection away.\n\n"
        "So a lost last ACK is the smaller reason for TIME_WAIT. The larger one is the old "
        "duplicate: see "
        "old-duplicate.",
    .todo =
        "Leave TIME_WAIT alone. Many sockets in LAST_ACK mean that peers vanish without a word, or "
        "that "
        "a firewall drops the last segments; they go by themselves. tcp_orphan_retries shortens "
        "it: each retry less about halves the time.",
    .see = "RFC 9293 3.6, 3.10.7.4; RFC 5961 4.2; net.ipv4.tcp_orphan_retries; TCPAbortOnTimeout, "
           "TCPSYNChallenge",
    .run = run,
};
