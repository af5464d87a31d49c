/* SPDX-License-Identifier: MIT */
/*
 * nc.c - `lastack nc`: standard input to a peer, the peer to standard output.
 *
 * The two directions end apart.  The end of standard input shuts down sending (a FIN), and
 * what the peer still sends is read; the peer's FIN ends standard output, and standard input
 * is still sent.  It is over when both are.
 */
#include "cli/cli.h"
#include "cli/session.h"
#include "cli/sink.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

struct nc {
    struct session session;
    struct session_options common;
    const char *words[2];
    bool listens;
    uint16_t port;
    struct la_stack *stack;
    la_conn_id conn;
    la_listener_id listener;
    bool connected, input_ready, input_always, input_watched, input_ended;
    bool fin_sent, peer_ended, over;
    char error[160];
    struct sink sink;
    size_t held, held_at; /* bytes of @input not yet taken by the stack */
    uint8_t input[16384];
};

static const struct args_option options[] = {
    ARGS_FLAG('l', "listen", struct nc, listens, "wait for one connection to PORT"),
};
static const struct args_operand operands[] = {
    ARGS_OPERAND_OPTIONAL("host", struct nc, words[0]),
    ARGS_OPERAND_OPTIONAL("port", struct nc, words[1]),
};

static void fail(struct nc *n, const char *what)
{
    if (n->error[0] == '\0')
        snprintf(n->error, sizeof n->error, "%s", what);
    n->over = true;
    la_rt_stop(n->session.loop);
}

/* Return: true if bytes were read. */
static bool read_input(struct nc *n)
{
    if (n->input_ended || (!n->input_ready && !n->input_always))
        return false;
    const ssize_t got = read(STDIN_FILENO, n->input, sizeof n->input);
    n->input_ready = false;
    if (got < 0 && (errno == EINTR || errno == EAGAIN))
        return false;
    n->held_at = 0;
    n->held = got > 0 ? (size_t)got : 0;
    n->input_ended = got <= 0;
    return got > 0;
}

static void send_input(struct nc *n, la_time now)
{
    while (!n->fin_sent) {
        if (n->held_at == n->held && !read_input(n)) {
            if (!n->input_ended)
                return;
            (void)!la_shutdown(n->stack, now, n->conn, LA_SHUT_WR);
            n->fin_sent = true;
            return;
        }
        const int64_t sent = la_send(n->stack, now, n->conn, n->input + n->held_at,
                                     (uint32_t)(n->held - n->held_at), 0);
        if (sent == LA_EAGAIN)
            return;
        if (sent < 0) { /* reading tells the reason, if there is one */
            n->fin_sent = n->input_ended = true;
            return;
        }
        n->held_at += (size_t)sent;
    }
}

static void receive(struct nc *n, la_time now)
{
    while (!n->peer_ended && !n->over && !sink_full(&n->sink)) {
        struct la_cspan span;
        uint32_t count = 0;
        const int64_t got = la_recv_peek(n->stack, now, n->conn, &span, 1, &count);
        if (got == LA_EAGAIN || got == LA_ENOTCONN)
            return;
        if (got < 0)
            fail(n, la_err_text((enum la_err)got));
        if (got <= 0) {
            n->peer_ended = true;
            return;
        }
        const uint32_t len = span.len_bytes;
        sink_put(&n->sink, span.bytes, len);
        if (la_recv_consume(n->stack, now, n->conn, len) != LA_OK)
            fail(n, "the connection is gone");
    }
    if (n->sink.error != 0)
        fail(n, strerror(n->sink.error));
}

static void on_input(void *context, la_time now, uint32_t events);

/* Watch standard input only while there is room for what it brings. */
static void watch_input(struct nc *n)
{
    const bool want =
        n->connected && !n->input_ended && !n->input_always && n->held_at == n->held && !n->over;

    if (want == n->input_watched)
        return;
    if (!want) {
        la_rt_unwatch(n->session.loop, STDIN_FILENO);
        n->input_watched = false;
        return;
    }
    const int err = la_rt_watch(n->session.loop, STDIN_FILENO, EPOLLIN, on_input, n);
    n->input_watched = err == 0;
    if (err == -EPERM)
        n->input_always = true; /* a file */
    else if (err != 0)
        fail(n, strerror(-err));
}

static void go_on(struct nc *n, la_time now)
{
    if (!n->connected || n->over)
        return;
    do {
        send_input(n, now);
        watch_input(n); /* the first time, this may find that input is a file */
    } while (n->input_always && !n->input_ended && n->held_at == n->held && !n->over);
    receive(n, now);
    if (n->fin_sent && n->peer_ended && !sink_full(&n->sink) && !n->over) {
        n->over = true;
        la_rt_stop(n->session.loop);
    }
}

static void on_input(void *context, la_time now, uint32_t events)
{
    struct nc *n = context;

    (void)events;
    n->input_ready = true;
    go_on(n, now);
}

static void on_drained(void *context, la_time now)
{
    go_on(context, now);
}

static void on_event(void *context, la_time now, const struct la_event *event)
{
    struct nc *n = context;
    struct la_accepted accepted;

    if (event->kind == LA_EVENT_LISTENER) {
        if (n->connected || la_accept(n->stack, now, n->listener, 0, &accepted) != LA_OK)
            return;
        n->conn = accepted.conn;
        n->connected = true;
        (void)!la_listener_close(n->stack, now, n->listener);
    } else if (event->conn.bits == n->conn.bits && (event->mask & LA_ERROR_SET) && !n->connected) {
        const enum la_err err = la_conn_error(n->stack, n->conn, NULL);
        fail(n, la_err_text(err));
    } else if (event->conn.bits == n->conn.bits && (event->mask & LA_CONNECTED)) {
        n->connected = true;
    }
    go_on(n, now);
}

/* Return: CLI_OK, or CLI_USAGE after a message. */
static int check(void *to)
{
    struct nc *n = to;
    const char *port = n->words[n->listens ? 0 : 1];

    if (n->listens && n->words[1] != NULL)
        return args_wrong("nc", "unexpected argument: %s", n->words[1]);
    if (port == NULL)
        return args_wrong("nc", n->listens ? "which port?" : "which host and port?");
    if (!net_parse_port(port, &n->port))
        return args_wrong("nc", "not a port: %s", port);
    return CLI_OK;
}

static int begin(struct nc *n)
{
    const struct station *st = &n->session.stations[0];
    const la_time now = la_rt_loop_now(n->session.loop);
    struct la_endpoint remote = { .port = n->port };
    char text[NET_ENDPOINT_TEXT_BYTES];
    char error[NET_HOST_BYTES + 128];

    n->stack = st->stack;
    if (n->listens) {
        const struct la_listen_config config = { .local = la_prefix_any(),
                                                 .port = n->port,
                                                 .backlog = 1 };
        const enum la_err err = la_listen(n->stack, now, &config, &n->listener);
        if (err != LA_OK)
            return args_failed("nc", "port %u: %s", n->port, la_err_text(err));
        session_say(&n->session, "listening on port %u", n->port);
        return CLI_OK;
    }
    if (!net_resolve(n->words[0], st->families, &remote.addr, error, sizeof error))
        return args_failed("nc", "%s", error);
    const struct la_endpoint any = { .addr = session_any(remote.addr) };
    const enum la_err err = la_open(n->stack, now, any, remote, 0, &n->conn);
    if (err != LA_OK)
        return args_failed("nc", "%s: %s", net_format(remote, text), la_err_text(err));
    return CLI_OK;
}

static int nc_main(int argc, char **argv)
{
    static struct nc n;
    const struct session_handlers handlers = { &n, on_event, NULL };

    n.common.command = "nc";
    int status = args_parse(&cmd_nc, &n, argc, argv);
    if (status >= 0)
        return status;
    status = session_open(&n.session, &n.common);
    if (status == CLI_OK)
        status = begin(&n);
    if (status == CLI_OK)
        status = session_host(&n.session, 0, &handlers);
    if (status == CLI_OK) {
        sink_open(&n.sink, n.session.loop, STDOUT_FILENO, &n, on_drained);
        status = session_run(&n.session);
        if (n.error[0] != '\0')
            status = args_failed("nc", "%s%s%s", n.listens ? "" : n.words[0], n.listens ? "" : ": ",
                                 n.error);
        if (n.connected && n.session.ended_by == 0)
            (void)la_close(n.stack, la_rt_loop_now(n.session.loop), n.conn);
        else if (n.connected)
            (void)la_abort(n.stack, la_rt_loop_now(n.session.loop), n.conn);
        session_linger(&n.session);
        sink_close(&n.sink);
    }
    session_close(&n.session);
    return status;
}

const struct args_command cmd_nc = {
    .name = "nc",
    .what = "connect standard input and output to a peer",
    .usage = { "[OPTION]... HOST PORT", "[OPTION]... -l PORT" },
    .about =
        "Copies standard input to a TCP peer, and what comes back to standard output.  The end\n"
        "of standard input shuts down sending only.\n",
    .options = { ARGS_LIST(options) },
    .common = SESSION_COMMON,
    .common_at = offsetof(struct nc, common),
    .operands = { ARGS_LIST(operands) },
    .check = check,
    .examples = "    sudo lastack nc -l 9000 </dev/null &\n"
                "    echo hello | nc -N 10.108.97.2 9000\n",
    .run = nc_main,
};
