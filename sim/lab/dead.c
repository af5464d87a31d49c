/* SPDX-License-Identifier: MIT */
/* dead.c - The peer is gone without a word, or is there and takes nothing. */
#include "sim/lab/lab.h"

#define STEP sim_ms(50)
#define HEARD_MS 30 /* when the server last hears of the client: the ACK of the handshake */

static const struct lab_which everything = { 0 };

static void power_fails(struct lab *l)
{
    lab_note(l, l->client, "power fails");
    lab_lose(l, everything);
}

/* Seconds since @from_ns, and the milliseconds of the second. */
static const char *since(struct lab *l, uint64_t from_ns)
{
    const uint64_t ms = (l->world.now_ns - from_ns + 500000) / 1000000;

    return lab_text(l, "%llu.%03llu s", (unsigned long long)(ms / 1000),
                    (unsigned long long)(ms % 1000));
}

static void dead_peer_idle(struct lab *l)
{
    struct lab_sock *s;

    lab_begin(l, "SO_KEEPALIVE with the standard settings", NULL);
    lab_pair(l, &s);
    lab_note(l, l->server, "setsockopt(SO_KEEPALIVE)");
    lab_option(s, LA_OPT_KEEPALIVE, 1);
    power_fails(l);
    lab_run_to(s, LA_CLOSED, sim_s(UINT64_C(4) * 3600));
    lab_note(l, l->server, "%s", la_err_text(lab_error(s)));
    lab_claim(l, l->world.now_ns == sim_ms(HEARD_MS) + sim_s(7875),
              "the server learns of it %s after the client's last segment: 2 h 11 min 15 s",
              since(l, sim_ms(HEARD_MS)));
    lab_claim(l, lab_error(s) == LA_ETIMEDOUT, "its next call fails with %s",
              la_err_name(lab_error(s)));
    lab_claim(l, lab_moved(l, l->server, LA_COUNT_TCPKeepAlive) == 9, "after %llu probes",
              (unsigned long long)lab_moved(l, l->server, LA_COUNT_TCPKeepAlive));
    lab_claim(l, lab_moved(l, l->server, LA_COUNT_OutRsts) == 1,
              "and a reset, should the peer be alive after all");

    lab_begin(l, "without SO_KEEPALIVE", NULL);
    lab_pair(l, &s);
    power_fails(l);
    lab_run(l, sim_s(30ull * 86400));
    lab_note(l, l->server, "30 days later");
    lab_must(l, lab_state(s) == LA_ESTABLISHED, "after 30 days the server is still in %s",
             la_state_name(lab_state(s)));
    lab_must(l, lab_moved(l, l->server, LA_COUNT_OutSegs) == 1,
             "and has sent nothing since its SYN-ACK");

    lab_begin(l, "TCP_KEEPIDLE 60, TCP_KEEPINTVL 10, TCP_KEEPCNT 3", NULL);
    lab_pair(l, &s);
    lab_option(s, LA_OPT_KEEPIDLE, 60);
    lab_option(s, LA_OPT_KEEPINTVL, 10);
    lab_option(s, LA_OPT_KEEPCNT, 3);
    lab_option(s, LA_OPT_KEEPALIVE, 1);
    power_fails(l);
    lab_run_to(s, LA_CLOSED, sim_s(UINT64_C(4) * 3600));
    lab_must(l, l->world.now_ns == sim_ms(HEARD_MS) + sim_s(90),
             "set on the socket, the server learns of it after %s", since(l, sim_ms(HEARD_MS)));
}

const struct lab_scenario lab_dead_peer_idle = {
    .name = "dead-peer-idle",
    .title = "a peer that lost power is found after 2 h 11 min 15 s, or never",
    .said = "TCP notices when the other side is gone.",
    .happens = "A machine that loses its power, or whose cable is cut, sends no FIN. An idle "
               "connection sends nothing either, so nobody learns of it: without SO_KEEPALIVE the "
               "connection is ESTABLISHED for ever, and so is the memory and the descriptor the "
               "server keeps for it.\n\n"
               "With SO_KEEPALIVE and the standard settings the first probe goes out after 7,200 s "
               "of silence, eight more follow every 75 s, and 75 s after the ninth the connection "
               "ends: 7,200 + 9 x 75 = 7,875 s. The clock runs from the last segment received.",
    .todo =
        "Set SO_KEEPALIVE on every connection that may be idle, and TCP_KEEPIDLE, "
        "TCP_KEEPINTVL and TCP_KEEPCNT with it: 60, 10 and 3 find a dead peer in 90 s, and "
        "keep the entry of a NAT alive, most of which forget an idle flow within minutes. Better "
        "still, a heartbeat of the application, which also notices a peer that is alive and "
        "hangs.",
    .see = "RFC 9293 3.8.4, RFC 1122 4.2.3.6; tcp_keepalive_time, tcp_keepalive_intvl, "
           "tcp_keepalive_probes; TCPKeepAlive, TCPAbortOnTimeout",
    .run = dead_peer_idle,
};

static void dead_peer_sending(struct lab *l)
{
    struct lab_sock *s;

    lab_begin(l, "send() to a peer that is gone, with the standard settings", NULL);
    lab_pair(l, &s);
    power_fails(l);
    const uint64_t sent_ns = l->world.now_ns;

    lab_claim(l, lab_send(s, "are you there?") == 14, "send() succeeds: the bytes are buffered");
    lab_run_to(s, LA_CLOSED, sim_s(UINT64_C(4) * 3600));
    lab_note(l, l->server, "%s", la_err_text(lab_error(s)));
    const uint64_t took_ms = (l->world.now_ns - sent_ns + 500000) / 1000000;

    lab_claim(l, took_ms >= 924600 && took_ms < 1045000,
              "the connection ends %s later: 924.6 s, or the first timeout after that",
              since(l, sent_ns));
    lab_claim(l, lab_error(s) == LA_ETIMEDOUT, "with %s", la_err_name(lab_error(s)));
    lab_claim(l, lab_moved(l, l->server, LA_COUNT_RetransSegs) == 15,
              "the segment was repeated %llu times",
              (unsigned long long)lab_moved(l, l->server, LA_COUNT_RetransSegs));

    lab_begin(l, "TCP_USER_TIMEOUT 30 s", NULL);
    lab_pair(l, &s);
    lab_option(s, LA_OPT_USER_TIMEOUT, 30000);
    power_fails(l);
    const uint64_t again_ns = l->world.now_ns;

    lab_send(s, "are you there?");
    lab_run_to(s, LA_CLOSED, sim_s(UINT64_C(4) * 3600));
    lab_must(l, l->world.now_ns - again_ns == sim_s(30),
             "with TCP_USER_TIMEOUT the connection ends after %s", since(l, again_ns));
}

const struct lab_scenario lab_dead_peer_sending = {
    .name = "dead-peer-sending",
    .title = "writing to a dead peer fails after a quarter of an hour",
    .said = "send() fails when the peer is gone. And tcp_retries2 is a number of retries.",
    .happens =
        "send() only puts bytes into a buffer, so it goes on succeeding until the buffer is "
        "full. The stack repeats the first unacknowledged segment, waiting twice as long each "
        "time, from 200 ms up to 120 s.\n\n"
        "tcp_retries2 = 15 is not a count but a time: as long as fifteen retransmissions "
        "would take if the first timeout were 200 ms, 924.6 s, some 15 min. "
        "Keepalive does not help: it is for connections without anything outstanding.",
    .todo =
        "Set TCP_USER_TIMEOUT (milliseconds) to what your protocol can bear, 30,000 say. It "
        "bounds how long sent data may stay unacknowledged, for this connection alone; lowering "
        "tcp_retries2 does so for the whole machine, and RFC 1122 wants 100 s at least.",
    .see = "RFC 9293 3.8.3 (R1, R2), RFC 5482; tcp_retries2, TCP_USER_TIMEOUT; TCPTimeouts, "
           "RetransSegs, TCPAbortOnTimeout",
    .run = dead_peer_sending,
};

/* The server sends until its buffer and the client's are full. */
static void fill(struct lab *l, struct lab_sock *s)
{
    uint32_t turns = 0;

    lab_quiet(l, true);
    while (turns++ < 64 && lab_send_bytes(s, 65536) > 0)
        lab_run(l, STEP);
    lab_quiet(l, false);
    lab_note(l, s->host, "send(): would block");
}

/* Until it has ended.  Return: when the peer last took a byte. */
static uint64_t run_to_the_end(struct lab *l, struct lab_sock *s)
{
    struct la_conn_info info;
    uint64_t taken = 0, at_ns = l->world.now_ns;
    const uint64_t until_ns = at_ns + sim_s(600);

    while (lab_state(s) != LA_CLOSED && sim_step(&l->world, until_ns)) {
        if (la_conn_info(s->host->stack, s->conn, &info) != LA_OK || info.bytes_acked <= taken)
            continue;
        taken = info.bytes_acked;
        at_ns = l->world.now_ns;
    }
    return at_ns;
}

static void zero_window(struct lab *l)
{
    struct lab_sock *s;

    lab_begin(l, "the client has stopped reading", NULL);
    lab_pair(l, &s);
    lab_note(l, l->client, "reads no more");
    fill(l, s);
    lab_run(l, sim_s(20));
    lab_note(l, l->server, "and so on, every 120 s in the end");
    lab_quiet(l, true);
    lab_run(l, sim_s(30ull * 86400));
    lab_quiet(l, false);
    lab_note(l, l->server, "30 days later");
    lab_must(l, lab_state(s) == LA_ESTABLISHED, "after 30 days the server is still in %s",
             la_state_name(lab_state(s)));
    const uint64_t probes = lab_moved(l, l->server, LA_COUNT_TCPWinProbe);

    lab_claim(l, probes >= 30ull * 86400 / 120 && probes < 22000,
              "it has sent %llu probes, each of which was answered", (unsigned long long)probes);

    lab_begin(l, "the same with TCP_USER_TIMEOUT 60 s", NULL);
    lab_pair(l, &s);
    lab_option(s, LA_OPT_USER_TIMEOUT, 60000);
    lab_note(l, l->client, "reads no more");
    fill(l, s);
    const uint64_t from_ns = run_to_the_end(l, s);

    lab_must(l,
             lab_state(s) == LA_CLOSED && l->world.now_ns - from_ns >= sim_s(60) &&
                 l->world.now_ns - from_ns < sim_s(61),
             "with TCP_USER_TIMEOUT it ends %llu s after the client last took a byte, "
             "though the probes are answered",
             (unsigned long long)((l->world.now_ns - from_ns) / sim_s(1)));
    lab_claim(l, lab_error(s) == LA_ETIMEDOUT, "with %s", la_err_name(lab_error(s)));
}

const struct lab_scenario lab_zero_window = {
    .name = "zero-window",
    .title = "a peer that does not read holds you for ever",
    .said = "A connection on which nothing moves times out.",
    .happens =
        "The client is alive but does not read. Its window closes, and the server must ask "
        "from time to time whether it has opened. As long as the probes are answered the "
        "connection must not end: RFC 9293 says so in so many words, since the peer may only "
        "be busy. Whoever connects, asks for a large answer and never reads it, holds the "
        "server's send buffer for as long as he likes, and hundreds who do so are an "
        "attack that is called Sockstress.",
    .todo = "Bound it in the server: TCP_USER_TIMEOUT counts this time too, or a timer of the "
            "application's that closes what makes no progress. Watch Send-Q and timer:(persist) "
            "in ss.",
    .see = "RFC 9293 3.8.6.1 (MUST-37), RFC 6429; TCP_USER_TIMEOUT; TCPWinProbe",
    .run = zero_window,
};
