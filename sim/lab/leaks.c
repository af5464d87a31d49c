/* SPDX-License-Identifier: MIT */
/* leaks.c - States that stay: who keeps a connection, and for how long. */
#include "sim/lab/lab.h"

#define STEP sim_ms(50)
#define LEAKED 20u

static void close_wait_leak(struct lab *l)
{
    struct lab_sock *s = NULL, *c = NULL;

    lab_begin(l, "a server that does not close what its clients have closed", NULL);
    for (uint32_t i = 0; i < LEAKED; i++) {
        c = lab_pair(l, &s);
        lab_close(c);
        lab_run(l, STEP);
        if (i == 0) {
            lab_note(l, l->server, "reads end of file, and forgets the socket");
            lab_note(l, l->server, "and %u more like this one", LEAKED - 1);
        }
        lab_quiet(l, true);
    }
    lab_table(l, "connections by state", 4);
    static const char *const head[] = { "after", "client FIN_WAIT_2", "client CLOSED",
                                        "server CLOSE_WAIT" };
    for (uint32_t i = 0; i < 4; i++)
        lab_cell(l, "%s", head[i]);
    static const struct {
        const char *name;
        uint64_t at_s;
    } when[] = { { "1 s", 1 }, { "59 s", 59 }, { "62 s", 62 }, { "30 days", 30ull * 86400 } };
    const uint64_t from_ns = l->world.now_ns;

    for (uint32_t i = 0; i < 4; i++) {
        lab_run_until(l, from_ns + sim_s(when[i].at_s));
        const uint32_t waits = lab_count_state(l->client, LA_FIN_WAIT_2);

        lab_cell(l, "%s", when[i].name);
        lab_cell(l, "%u", waits);
        lab_cell(l, "%u", LEAKED - waits);
        lab_cell(l, "%u", lab_count_state(l->server, LA_CLOSE_WAIT));
    }
    lab_quiet(l, false);
    lab_claim(l, lab_count_state(l->client, LA_FIN_WAIT_2) == 0,
              "the client's side is gone after 60 s (tcp_fin_timeout)");
    lab_must(l, lab_count_state(l->server, LA_CLOSE_WAIT) == LEAKED,
             "the server still has %u in CLOSE_WAIT after 30 days",
             lab_count_state(l->server, LA_CLOSE_WAIT));
    lab_note(l, l->server, "30 days later");
    lab_send(s, "hello?");
    lab_run(l, STEP);
    lab_claim(l, lab_state(s) == LA_CLOSED,
              "a send() on the last of them draws a reset: its client is long gone");
    lab_close(s);
}

const struct lab_scenario lab_close_wait = {
    .name = "close-wait",
    .title = "sockets that pile up in CLOSE_WAIT",
    .said = "CLOSE_WAIT is like TIME_WAIT: it goes away by itself, or with the right sysctl.",
    .happens =
        "CLOSE_WAIT says: the peer has sent its FIN, and the local application has not "
        "called close() yet. The stack has nothing to wait for and no timer to run; it waits "
        "for the application. The client, meanwhile, gives up FIN_WAIT_2 after 60 s and knows "
        "nothing of the connection any more.",
    .todo = "Find the socket that is not closed: in ss, the process and the age (`lastack ss -o "
            "--why` shows both). Usual causes: a pool that hands back connections without closing "
            "them, an error path that returns early, a thread that hangs in something else. "
            "No sysctl ends CLOSE_WAIT. SO_KEEPALIVE does, when the peer's machine answers the "
            "probe with a reset: that hides the leak, and helps until it is mended.",
    .see = "RFC 9293 3.6; tcp_fin_timeout is the other side's",
    .code = "close_wait",
    .run = close_wait_leak,
};

static void fin_wait_2(struct lab *l)
{
    struct lab_sock *s, *c;

    lab_begin(l, "close(): an orphan", NULL);
    c = lab_pair(l, &s);
    lab_close(c);
    lab_run(l, STEP);
    lab_claim(l, lab_state(c) == LA_FIN_WAIT_2, "after close() the client is in %s",
              la_state_name(lab_state(c)));
    const uint64_t from_ns = l->world.now_ns;

    lab_run_to(c, LA_CLOSED, sim_s(3600));
    const uint64_t took_s = (l->world.now_ns - from_ns + sim_ms(500)) / sim_s(1);

    lab_note(l, l->client, "FIN_WAIT_2 is over");
    lab_claim(l, lab_state(c) == LA_CLOSED && took_s == 60, "and gone after %llu s",
              (unsigned long long)took_s);
    lab_send(s, "late news");
    lab_run(l, STEP);
    lab_claim(l, lab_moved(l, l->client, LA_COUNT_OutRsts) == 1,
              "what the server then sends is answered with a reset");

    lab_begin(l, "shutdown(SHUT_WR): held by the application", NULL);
    c = lab_pair(l, &s);
    lab_shutdown(c, LA_SHUT_WR);
    lab_run(l, sim_s(30ull * 86400));
    lab_note(l, l->client, "30 days later");
    lab_must(l, lab_state(c) == LA_FIN_WAIT_2, "after shutdown() it is in %s even after 30 days",
             la_state_name(lab_state(c)));
    lab_send(s, "late news");
    lab_run(l, STEP);
    lab_must(l, lab_recv(c) == 9, "and still reads what the server sends");
}

const struct lab_scenario lab_fin_wait_2 = {
    .name = "fin-wait-2",
    .title = "tcp_fin_timeout is for orphans only",
    .said = "tcp_fin_timeout is the length of TIME_WAIT; lower it and TIME_WAIT gets shorter.",
    .happens =
        "tcp_fin_timeout bounds FIN_WAIT_2: our FIN is acknowledged, the peer's has not "
        "come. After close() nobody is left who could read what the peer still says, so the "
        "stack ends the wait after 60 s. After shutdown() the application holds the socket and may "
        "well be waiting for an answer: there the state lasts as long as the peer likes. "
        "TIME_WAIT is another state with another clock: 2MSL, 60 s on Linux whatever is set.",
    .todo =
        "After shutdown(SHUT_WR) read with a timeout of your own. TCP_LINGER2 sets the orphan's "
        "time for one socket. Do not touch tcp_fin_timeout to cure TIME_WAIT.",
    .see = "RFC 9293 3.6; tcp_fin_timeout, TCP_LINGER2",
    .run = fin_wait_2,
};
