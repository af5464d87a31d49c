/* SPDX-License-Identifier: MIT */
/* crossing.c - Both ends do the same thing at the same moment. */
#include "sim/lab/lab.h"

#define STEP sim_ms(50)

/* Simultaneous open --------------------------------------------------------------------------- */

static void simultaneous_open(struct lab *l)
{
    lab_begin(l, "Both call connect() within one flight of the other's SYN", NULL);
    const struct la_addr client = sim_host_addr(l->client, l->options.v6);
    const struct la_addr server = sim_host_addr(l->server, l->options.v6);
    struct lab_sock *c = lab_connect_from(l, l->client, 40001, server, 80);

    lab_run(l, sim_ms(4));
    struct lab_sock *s = lab_connect_from(l, l->server, 80, client, 40001);

    lab_run(l, STEP);
    lab_must(l, s->held && c->held && lab_state(c) == lab_state(s),
             "both ends are in the same state, %s", la_state_name(lab_state(c)));
    lab_claim(l, lab_state(c) == LA_ESTABLISHED, "the connection is open, and nobody listened");
    lab_claim(l,
              lab_count_state(l->client, LA_ESTABLISHED) == 1 &&
                  lab_count_state(l->server, LA_ESTABLISHED) == 1,
              "it is one connection, not two");
    lab_send(c, "hello");
    lab_run(l, STEP);
    lab_claim(l, lab_recv(s) == 5, "and it carries bytes");
    lab_claim(l,
              lab_moved(l, l->client, LA_COUNT_PassiveOpens) == 0 &&
                  lab_moved(l, l->server, LA_COUNT_PassiveOpens) == 0,
              "PassiveOpens stays 0 at both ends");

    lab_begin(l, "One is later: the first SYN meets nobody", NULL);
    c = lab_connect_from(l, l->client, 40001, server, 80);
    lab_run(l, sim_ms(30));
    const enum la_err refused = lab_error(c);

    s = lab_connect_from(l, l->server, 80, client, 40001);
    lab_run(l, sim_ms(30));
    lab_claim(l, refused == LA_ECONNREFUSED, "the first connect() fails with %s",
              la_err_name(refused));
    lab_claim(l, lab_error(s) == LA_ECONNREFUSED, "and the second with %s, for the same reason",
              la_err_name(lab_error(s)));
}

const struct lab_scenario lab_simultaneous_open = {
    .name = "simultaneous-open",
    .title = "two connect() calls meet and make one connection",
    .said = "A connection needs somebody who listens. If both sides connect, both are refused.",
    .happens =
        "If each side's SYN is on its way before the other's arrives, the SYNs cross. Each stack "
        "is in "
        "SYN_SENT, sees a SYN without an acknowledgment, and answers SYN ACK with the SYN it has "
        "sent already: SYN_RECEIVED on both sides, then ESTABLISHED. One connection, no "
        "listener. Every TCP must support it (RFC 9293 MUST-10), and peer-to-peer programs "
        "use it to get through two NATs.\n\n"
        "The window is one flight time. A SYN that arrives before the other side has called "
        "connect() meets CLOSED and is answered with a reset.",
    .todo = "Both ends must know both port numbers beforehand: bind(), then connect(). Retry on "
            "ECONNREFUSED with a random pause of a round trip or two. If one of the two can "
            "listen, let it.",
    .see = "RFC 9293 3.5 and figure 7, MUST-10; RFC 5382 REQ-2 for NATs",
    .run = simultaneous_open,
};

/* Simultaneous close -------------------------------------------------------------------------- */

static void simultaneous_close(struct lab *l)
{
    lab_begin(l, NULL, NULL);
    struct lab_sock *c = lab_connect(l, l->client, l->server, 80);

    lab_run(l, STEP);
    struct lab_sock *s = lab_accept(l, l->server, 80);

    lab_close(c);
    lab_close(s);
    lab_run(l, sim_ms(10));
    const enum la_state middle = lab_state(c);

    lab_run(l, STEP);
    lab_claim(l, middle == LA_CLOSING && lab_state(c) == LA_TIME_WAIT,
              "the client passes through %s into %s", la_state_name(middle),
              la_state_name(lab_state(c)));
    lab_claim(l, lab_state(s) == LA_TIME_WAIT, "and so does the server: both hold a %s",
              la_state_name(lab_state(s)));
    lab_claim(
        l, lab_moved(l, l->client, LA_COUNT_TW) == 1 && lab_moved(l, l->server, LA_COUNT_TW) == 1,
        "TW counts one at each end");
    lab_must(
        l,
        lab_moved(l, l->client, LA_COUNT_OutRsts) + lab_moved(l, l->server, LA_COUNT_OutRsts) == 0,
        "nobody is reset");
}

const struct lab_scenario lab_simultaneous_close = {
    .name = "simultaneous-close",
    .title = "the FINs cross, and both sides pay with a TIME_WAIT",
    .said = "Exactly one side of a connection ends in TIME_WAIT.",
    .happens = "Both call close() before the other's FIN has come. Each receives a FIN while its "
               "own is not "
               "acknowledged and goes from FIN_WAIT_1 to CLOSING; the acknowledgments cross as "
               "well; and both "
               "go to TIME_WAIT, because each has sent a last acknowledgment that may be lost.\n\n"
               "It happens when both sides have a reason to close at the same time: an idle "
               "timeout that is the "
               "same on both, or a protocol whose last message lets both go.",
    .todo = "Let one side have the shorter idle timeout, preferably the client: the side that "
            "closes first "
            "pays, and a server pays for all its clients. See time-wait-payer.",
    .see = "RFC 9293 3.6 and figure 13; TW",
    .run = simultaneous_close,
};
