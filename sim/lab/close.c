/* SPDX-License-Identifier: MIT */
/* close.c - How a connection ends when nothing goes wrong. */
#include "sim/lab/lab.h"

#define STEP sim_ms(50)

static uint32_t segments(const struct lab *l)
{
    return (uint32_t)(lab_moved(l, l->client, LA_COUNT_OutSegs) +
                      lab_moved(l, l->server, LA_COUNT_OutSegs));
}

static void four_way_close(struct lab *l)
{
    struct lab_sock *s, *c;

    lab_begin(l, NULL, NULL);
    c = lab_pair(l, &s);
    const uint32_t before = segments(l);

    lab_close(c);
    lab_run(l, STEP);
    const enum la_state client_waits = lab_state(c), server_waits = lab_state(s);

    lab_recv(s);
    lab_run(l, sim_s(3));
    lab_close(s);
    const enum la_state server_last = lab_state(s);

    lab_run(l, STEP);
    const uint64_t began_ms = lab_now_ms(l);

    lab_claim(l, segments(l) - before == 4, "closing took %u segments", segments(l) - before);
    lab_claim(l, client_waits == LA_FIN_WAIT_2 && server_waits == LA_CLOSE_WAIT,
              "between the halves the client is in %s, the server in %s",
              la_state_name(client_waits), la_state_name(server_waits));
    lab_claim(l, server_last == LA_LAST_ACK, "after its close() the server is in %s",
              la_state_name(server_last));
    lab_claim(l, lab_state(c) == LA_TIME_WAIT && lab_state(s) == LA_CLOSED,
              "then the client is in %s, and the server is %s", la_state_name(lab_state(c)),
              la_state_name(lab_state(s)));
    lab_run_to(c, LA_CLOSED, sim_s(600));
    const uint64_t waited_s = (lab_now_ms(l) - began_ms + 500) / 1000;

    lab_note(l, l->client, "TIME_WAIT is over");
    lab_claim(l, waited_s == 60, "TIME_WAIT lasts %llu s", (unsigned long long)waited_s);
}

const struct lab_scenario lab_four_way_close = {
    .name = "four-way-close",
    .title = "why closing takes four segments, and who waits for whom",
    .said = "Opening takes three segments, closing four. The fourth is wasted: the server could "
            "put its "
            "FIN into the segment that acknowledges the client's.",
    .happens = "A connection is two streams, one each way, and each is closed by the side that "
               "writes to it. A FIN "
               "says \"I shall send no more\", and nothing about the other stream. The stack "
               "acknowledges it "
               "at once, because the acknowledgment is the kernel's business; the FIN the other "
               "way is the "
               "application's, and goes out when the application calls close(). Here the server "
               "takes three "
               "seconds to do so, and until then it could still send.\n\n"
               "So two pairs: FIN and ACK, FIN and ACK. In between the client is in FIN_WAIT_2 and "
               "the server in "
               "CLOSE_WAIT, for as long as the server's application likes. The side that closed "
               "first ends "
               "in TIME_WAIT for 2MSL, 60 s; the other is gone as soon as its FIN is acknowledged.",
    .todo =
        "Nothing, if both sides call close(). Sockets that stay in CLOSE_WAIT mean that the local "
        "application has read end of file (or never reads) and does not close: that is a bug in "
        "the application, and no sysctl cures it. When the answer is ready at the same moment the "
        "four "
        "become three: see three-segment-close.",
    .see = "RFC 9293 3.6 and figure 12; net.lastack.tcp_msl_ms",
    .run = four_way_close,
};

/* A server that closes in the turn in which it learns of end of file. */
static void close_at_once(struct lab *l, struct sim_host *at, const struct la_event *event)
{
    struct lab_sock *s = l->user;

    if (at != l->server || !s || !s->held || event->kind != LA_EVENT_CONN ||
        !(event->mask & LA_PEER_CLOSED))
        return;
    lab_recv(s);
    lab_close(s);
}

static void three_segment_close(struct lab *l)
{
    struct lab_sock *s, *c;

    lab_begin(l, NULL, NULL);
    c = lab_pair(l, &s);
    l->user = s;
    l->on_event = close_at_once;
    const uint32_t before = segments(l);

    lab_close(c);
    lab_run_to(c, LA_TIME_WAIT, sim_s(1));
    lab_run(l, STEP);
    lab_claim(l, segments(l) - before == 3, "closing took %u segments", segments(l) - before);
    lab_claim(l, lab_state(c) == LA_TIME_WAIT && lab_state(s) == LA_CLOSED,
              "the client is in %s, the server is %s", la_state_name(lab_state(c)),
              la_state_name(lab_state(s)));
    lab_must(l, lab_count_state(l->client, LA_CLOSING) == 0, "the client never was in CLOSING");
}

const struct lab_scenario lab_three_segment_close = {
    .name = "three-segment-close",
    .title = "the server's FIN rides on its acknowledgment",
    .said = "A close is always four segments, and a capture with three has lost one.",
    .happens =
        "The server reads end of file and calls close() before its stack has sent the "
        "acknowledgment "
        "of the client's FIN. One segment then carries both: the acknowledgment and the server's "
        "own FIN. "
        "The client goes from FIN_WAIT_1 straight to TIME_WAIT; it was never in FIN_WAIT_2, and "
        "the server never could be seen in CLOSE_WAIT.\n\n"
        "Whether it comes to that is a race between the application and the stack. lastack answers "
        "a FIN "
        "with the next la_tx(), so a loop that handles events first closes in three; Linux "
        "delays the acknowledgment by up to 40 ms on a connection that has been going back and "
        "forth, and "
        "there a quick server closes in three as well.",
    .todo = "Nothing. Three and four are the same close; do not alert on either.",
    .see = "RFC 9293 3.6, 3.10.7.4 (FIN-WAIT-1: \"if our FIN has been ACKed\")",
    .run = three_segment_close,
};

static void half_close(struct lab *l)
{
    struct lab_sock *s, *c;

    lab_begin(l, "shutdown(SHUT_WR): \"that was my request\", and the answer can still come", NULL);
    c = lab_pair(l, &s);
    lab_send(c, "request");
    lab_shutdown(c, LA_SHUT_WR);
    lab_run(l, STEP);
    const int64_t request = lab_recv(s), end = lab_recv(s);

    lab_claim(l, request == 7 && end == 0, "the server reads %lld bytes, then end of file",
              (long long)request);
    lab_send(s, "the answer");
    lab_close(s);
    lab_run(l, STEP);
    const int64_t answer = lab_recv(c);

    lab_claim(l, answer == 10 && lab_recv(c) == 0,
              "the client reads the answer after its own FIN: %lld bytes, then end of file",
              (long long)answer);
    lab_close(c);
    lab_must(l, lab_moved(l, l->client, LA_COUNT_OutRsts) == 0, "and nobody was reset");

    lab_begin(l, "close(): \"I am gone\", and the answer meets a reset", NULL);
    c = lab_pair(l, &s);
    lab_send(c, "request");
    lab_close(c);
    lab_run(l, STEP);
    lab_recv(s);
    lab_recv(s);
    lab_send(s, "the answer");
    lab_run(l, STEP);
    const int64_t wrote = lab_send(s, "more");

    lab_claim(l, lab_moved(l, l->client, LA_COUNT_OutRsts) == 1,
              "the client's stack answers the answer with a reset");
    lab_claim(l, wrote < 0 && s->error == LA_EPIPE, "the server's next send() fails with %s",
              wrote < 0 ? la_err_name(s->error) : "nothing");
    lab_claim(l, lab_moved(l, l->client, LA_COUNT_TCPAbortOnData) == 1,
              "TCPAbortOnData counts it at the client");
    lab_close(s);
}

const struct lab_scenario lab_half_close = {
    .name = "half-close",
    .title = "shutdown() ends one direction; close() ends your interest in both",
    .said = "close() sends a FIN, so it only ends sending; and end of file means that the peer is "
            "gone.",
    .happens =
        "On the wire shutdown(SHUT_WR) and close() look the same: a FIN. The server can not tell "
        "them "
        "apart when it reads end of file. The difference is what the client's stack does with what "
        "comes "
        "afterwards. After shutdown() it is read. After close() there is nobody to read it, and "
        "the stack must say so: a reset (RFC 9293 3.6.1), which destroys whatever else the server "
        "had to say.",
    .todo =
        "A client that marks the end of its request with FIN calls shutdown(SHUT_WR), reads to end "
        "of "
        "file, then close(). A server that reads end of file may still answer, and should expect "
        "that "
        "the answer draws ECONNRESET or EPIPE: it says that nobody waits for it. Never infer from "
        "end of file alone that a request was abandoned.",
    .see = "RFC 9293 3.6.1 (SHLD-3), RFC 1122 4.2.2.13; TCPAbortOnData",
    .code = "half_close",
    .run = half_close,
};
