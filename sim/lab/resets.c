/* SPDX-License-Identifier: MIT */
/* resets.c - Who sends RST, and why; and how bytes are lost by closing too early. */
#include "sim/lab/lab.h"

#define STEP sim_ms(50)
#define PORT 80u

/* Each provokes one reset; returns what the side that gets it reads from its next call. */
typedef enum la_err provoke(struct lab *l);

static enum la_err nobody_listens(struct lab *l)
{
    struct lab_sock *c =
        lab_connect_from(l, l->client, 0, sim_host_addr(l->server, l->options.v6), 81);

    lab_run(l, STEP);
    return lab_error(c);
}

static enum la_err closed_with_unread(struct lab *l)
{
    struct lab_sock *s, *c = lab_pair(l, &s);

    lab_send(c, "request");
    lab_run(l, STEP);
    lab_close(s);
    lab_run(l, STEP);
    return lab_error(c);
}

static enum la_err sent_after_close(struct lab *l)
{
    struct lab_sock *s, *c = lab_pair(l, &s);

    lab_close(s);
    lab_run(l, STEP);
    lab_send(c, "are you still there?");
    lab_run(l, STEP);
    return lab_error(c);
}

static enum la_err linger_zero(struct lab *l)
{
    struct lab_sock *s, *c = lab_pair(l, &s);

    lab_abort(s);
    lab_run(l, STEP);
    return lab_error(c);
}

static enum la_err restarted(struct lab *l)
{
    struct lab_sock *s, *c = lab_pair(l, &s);

    lab_note(l, l->server, "crashes, and is started anew");
    sim_host_restart(l->server);
    lab_send(c, "hello");
    lab_run(l, STEP);
    return lab_error(c);
}

static enum la_err keepalive_gives_up(struct lab *l)
{
    struct lab_sock *s, *c = lab_pair(l, &s);
    /* The client's answers are lost; the last word reaches it. */
    lab_lose(l, (struct lab_which){ .from = l->client });
    lab_option(s, LA_OPT_KEEPIDLE, 10);
    lab_option(s, LA_OPT_KEEPINTVL, 1);
    lab_option(s, LA_OPT_KEEPCNT, 3);
    lab_option(s, LA_OPT_KEEPALIVE, 1);
    lab_run(l, sim_s(20));
    return lab_error(c);
}

static enum la_err overflow(struct lab *l)
{
    struct lab_sock *c = NULL;

    lab_sysctl(l, l->server, "net.ipv4.tcp_abort_on_overflow", "1");
    lab_listen(l, l->server, PORT, 1);
    for (uint32_t i = 0; i < 3; i++) {
        c = lab_connect(l, l->client, l->server, PORT);
        if (i == 0)
            lab_run(l, STEP);
    }
    lab_run(l, STEP);
    return lab_error(c);
}

static enum la_err listener_closed(struct lab *l)
{
    struct lab_sock *c = lab_connect(l, l->client, l->server, PORT);

    lab_run(l, STEP);
    lab_note(l, l->server, "close() of the listener, nobody was accepted");
    sim_host_unlisten(l->server);
    sim_host_turn(l->server);
    lab_run(l, STEP);
    return lab_error(c);
}

static const struct {
    const char *what;
    provoke *run;
    enum la_err error;
    enum la_counter counter;
} causes[] = {
    { "nobody listens on the port", nobody_listens, LA_ECONNREFUSED, LA_COUNT_OutRsts },
    { "close() with bytes unread", closed_with_unread, LA_ECONNRESET, LA_COUNT_TCPAbortOnClose },
    { "bytes for a socket that was closed", sent_after_close, LA_EPIPE, LA_COUNT_TCPAbortOnData },
    { "close() with SO_LINGER 0, or abort", linger_zero, LA_ECONNRESET, LA_COUNT_OutRsts },
    { "the host crashed and is back", restarted, LA_ECONNRESET, LA_COUNT_OutRsts },
    { "keepalive gave up", keepalive_gives_up, LA_ECONNRESET, LA_COUNT_TCPAbortOnTimeout },
    { "accept queue full, tcp_abort_on_overflow", overflow, LA_ECONNRESET,
      LA_COUNT_ListenOverflows },
    { "the listener was closed before accept()", listener_closed, LA_ECONNRESET, LA_COUNT_OutRsts },
};
#define CAUSES (sizeof causes / sizeof causes[0])

static void every_reset(struct lab *l)
{
    struct {
        enum la_err error;
        uint64_t resets, counted;
    } got[CAUSES];
    uint32_t wrong = 0, silent = 0;

    for (uint32_t i = 0; i < CAUSES; i++) {
        lab_begin(l, causes[i].what, NULL);
        got[i].error = causes[i].run(l);
        got[i].resets = lab_moved(l, l->server, LA_COUNT_OutRsts);
        got[i].counted = lab_moved(l, l->server, causes[i].counter);
    }
    lab_table(l, "resets that the server sent", 4);
    lab_cell(l, "cause");
    lab_cell(l, "resets");
    lab_cell(l, "the client's next call");
    lab_cell(l, "beside OutRsts, counted as");
    for (uint32_t i = 0; i < CAUSES; i++) {
        const bool own = causes[i].counter != LA_COUNT_OutRsts;

        wrong += got[i].error != causes[i].error || got[i].resets != 1 || got[i].counted == 0;
        silent += got[i].error == LA_OK;
        lab_cell(l, "%s", causes[i].what);
        lab_cell(l, "%llu", (unsigned long long)got[i].resets);
        lab_cell(l, "%s", la_err_name(got[i].error));
        lab_cell(l, "%s", own ? la_counter_name(causes[i].counter) : "-");
    }
    lab_claim(l, wrong == 0, "%u of %u causes draw one reset, and the error and the counter named",
              (uint32_t)CAUSES - wrong, (uint32_t)CAUSES);
    lab_claim(l, silent == 0, "no client takes a reset for an end of file");
}

const struct lab_scenario lab_resets = {
    .name = "resets",
    .title = "every cause of \"connection reset by peer\"",
    .said = "ECONNRESET: the peer crashed.",
    .happens =
        "A reset says: there is no such connection here, or there shall be none any more. Eight "
        "causes, each provoked below. The first is reported as ECONNREFUSED, because it "
        "answers a SYN, and one as EPIPE, because the peer's FIN had come before. A crash is only "
        "one of the others, and even then it is not the "
        "application's: a process that dies has its sockets closed in order by the kernel, and "
        "only "
        "what was unread makes that a reset. (A segment with a wrong acknowledgment during the "
        "handshake draws one too: last-ack-lost and old-duplicate show that.)",
    .todo = "Read the counters at the side that sent it: TCPAbortOnClose (closed without reading "
            "everything), TCPAbortOnData (closed, and more came), TCPAbortOnTimeout, "
            "ListenOverflows, TCPAbortOnLinger on Linux. With lastack, `lastack ss --why` says "
            "which it "
            "was and when.",
    .see = "RFC 9293 3.5.2, 3.6.1, 3.10.7.1; OutRsts, EstabResets, AttemptFails",
    .run = every_reset,
};

#define ANSWER_BYTES 100000u

static void last_bytes(struct lab *l)
{
    struct lab_sock *s, *c;
    enum la_err error;

    lab_begin(l, "answer, then close(), with the rest of the request unread", NULL);
    c = lab_pair(l, &s);
    lab_send(c, "POST / and a body");
    lab_run(l, STEP);
    lab_note(l, l->server, "looks at the head, and has an answer");
    lab_send_bytes(s, ANSWER_BYTES);
    lab_close(s);
    lab_run(l, STEP);
    const uint64_t got = lab_recv_all(c, &error);

    lab_claim(l, got < ANSWER_BYTES && error == LA_ECONNRESET,
              "of %u bytes the client reads %llu, then %s", ANSWER_BYTES, (unsigned long long)got,
              la_err_name(error));
    lab_claim(l, lab_moved(l, l->server, LA_COUNT_TCPAbortOnClose) == 1,
              "TCPAbortOnClose counts it at the server");

    lab_begin(l, "answer, shutdown(SHUT_WR), read to the end, close()", NULL);
    c = lab_pair(l, &s);
    lab_send(c, "POST / and a body");
    lab_run(l, STEP);
    lab_note(l, l->server, "looks at the head, and has an answer");
    lab_send_bytes(s, ANSWER_BYTES);
    lab_shutdown(s, LA_SHUT_WR);
    lab_recv(s);
    lab_quiet(l, true);
    const uint64_t read = lab_recv_all(c, &error);

    lab_quiet(l, false);
    lab_must(l, read == ANSWER_BYTES && error == LA_OK,
             "the client reads all %llu bytes, then end of file", (unsigned long long)read);
    lab_close(c);
    lab_run(l, STEP);
    lab_recv(s);
    lab_close(s);
    lab_run(l, STEP);
    lab_must(l, lab_moved(l, l->server, LA_COUNT_OutRsts) == 0, "and nobody was reset");
}

const struct lab_scenario lab_last_bytes = {
    .name = "last-bytes",
    .title = "the answer that was sent and never read",
    .said = "send() returned and I called close(), so the answer arrives.",
    .happens =
        "close() with received bytes still unread would lie to the peer, who believes they were "
        "read. "
        "TCP must say so, with a reset (RFC 9293 3.6.1), and with the reset goes the server's send "
        "buffer: whatever of the answer was not sent yet, or was lost and should have been "
        "repeated. What had "
        "reached the client's buffer can still be read there (on Linux as here; other systems "
        "throw "
        "that away too), if the client gets to it: one that is still uploading fails in send() "
        "first, "
        "with EPIPE or ECONNRESET, and many programs never read after that.\n\n"
        "This is how a server that refuses an upload early makes its 413 vanish, and the client "
        "reports \"connection reset by peer\".",
    .todo =
        "Send the answer, shutdown(SHUT_WR), then read and discard until end of file or a "
        "deadline, "
        "then close(). Web servers call it lingering close. SO_LINGER does not help: unread data "
        "are tested first.",
    .see = "RFC 9293 3.6.1 (SHLD-3), RFC 2525 2.17, RFC 9112 9.6; TCPAbortOnClose",
    .code = "last_bytes",
    .run = last_bytes,
};
