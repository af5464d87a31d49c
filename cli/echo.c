/* SPDX-License-Identifier: MIT */
/*
 * echo.c - `lastack echo`: sends back what it receives (RFC 862).
 *
 * It keeps nothing of a connection: what is not echoed yet is still unread in the stack.  So
 * a client that does not read soon finds the window closed, and whoever shuts down gets all
 * of its bytes back before the other side is closed too.
 */
#include "cli/cli.h"
#include "cli/session.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define PIECE_BYTES 16384u

struct echo {
    struct session session;
    struct session_options common;
    struct la_stack *stack;
    uint16_t port;
    uint64_t connections, bytes;
    uint8_t piece[PIECE_BYTES];
};

static const struct args_option options[] = {
    ARGS_PORT('p', "port", "N", "7", struct echo, port, "listen on this port"),
};

static void echo_some(struct echo *e, la_time now, la_conn_id conn)
{
    for (;;) {
        struct la_cspan span;
        uint32_t count = 0;
        const int64_t got = la_recv_peek(e->stack, now, conn, &span, 1, &count);
        if (got == LA_EAGAIN)
            return;
        if (got <= 0) {
            (void)la_close(e->stack, now, conn);
            return;
        }
        const uint32_t len = span.len_bytes < PIECE_BYTES ? span.len_bytes : PIECE_BYTES;
        memcpy(e->piece, span.bytes, len); /* the span ends with the next call */
        const int64_t sent = la_send(e->stack, now, conn, e->piece, len, 0);
        if (sent == LA_EAGAIN)
            return;
        if (sent < 0 || la_recv_consume(e->stack, now, conn, (uint32_t)sent) != LA_OK) {
            (void)la_close(e->stack, now, conn);
            return;
        }
        e->bytes += (uint64_t)sent;
    }
}

static void on_event(void *context, la_time now, const struct la_event *event)
{
    struct echo *e = context;
    struct la_accepted accepted;

    if (event->kind == LA_EVENT_CONN) {
        echo_some(e, now, event->conn);
        return;
    }
    while (la_accept(e->stack, now, event->listener, 0, &accepted) == LA_OK) {
        e->connections++;
        echo_some(e, now, accepted.conn);
    }
}

static int echo_main(int argc, char **argv)
{
    static struct echo e;
    const struct session_handlers handlers = { &e, on_event, NULL };
    la_listener_id listener;

    e.common.command = "echo";
    int status = args_parse(&cmd_echo, &e, argc, argv);
    if (status >= 0)
        return status;
    status = session_open(&e.session, &e.common);
    if (status == CLI_OK) {
        const struct la_listen_config config = { .local = la_prefix_any(),
                                                 .port = e.port,
                                                 .backlog = 4096 };
        e.stack = e.session.stations[0].stack;
        const enum la_err err = la_listen(e.stack, e.session.begun, &config, &listener);
        if (err != LA_OK)
            status = args_failed("echo", "port %u: %s", e.port, la_err_text(err));
    }
    if (status == CLI_OK)
        status = session_host(&e.session, 0, &handlers);
    if (status == CLI_OK) {
        session_say(&e.session, "listening on port %u", e.port);
        status = session_run(&e.session);
        session_say(&e.session, "%" PRIu64 " bytes on %" PRIu64 " connections", e.bytes,
                    e.connections);
    }
    session_close(&e.session);
    return status;
}

const struct args_command cmd_echo = {
    .name = "echo",
    .what = "send back what is received",
    .usage = { "[OPTION]..." },
    .about = "Sends every client back what it sends.\n",
    .options = { ARGS_LIST(options) },
    .common = SESSION_COMMON,
    .common_at = offsetof(struct echo, common),
    .examples = "    sudo lastack echo &\n"
                "    echo hello | nc -N 10.108.97.2 7\n",
    .run = echo_main,
};
