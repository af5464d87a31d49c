/* SPDX-License-Identifier: MIT */
/*
 * http_server.c - A static file server on a stack: GET, HEAD and PUT below one directory.
 *
 * One thread, any number of connections, no waiting.  A connection is run when its readiness
 * changes: it goes on until the stack says LA_EAGAIN for what it needs next, so nothing is
 * missed though events come only on change.  How much it can do at one go is bounded by its
 * buffers, because the peer's acknowledgments and data come in between turns only.  (Reading
 * a regular file may wait for the disk; the kernel has no other way that works everywhere.)
 *
 * File bytes are read into the stack's send buffers and uploads written from its receive
 * buffers, where they lie: the stack is the only one that copies.
 *
 * Ends.  A client that shuts down its side after the request still gets its answer: EOF is
 * looked at only when the next request is due.  When this side ends first, it shuts down
 * sending, then reads and drops until the client's FIN; closing at once could meet bytes still
 * on their way, answer them with a reset, and so destroy the answer in the client's hands
 * (RFC 9112 9.6, RFC 9293 3.10.4).
 *
 * Connections stand in one list by the time of their last progress; the oldest is the only
 * one that need be looked at for the idle limit.  In HTTP_LINGER reading is no progress.
 */
#include "cli/http_conn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#define RESERVE_BYTES 262144u
#define LISTENERS_MAX 4

struct http_server {
    struct http_server_config config;
    la_listener_id listeners[LISTENERS_MAX];
    uint32_t listener_count;
    struct http_conn *oldest, *newest;
    struct http_server_stats stats;
};

enum run { RUN_ON, RUN_WAIT, RUN_GONE };

/* The list by progress ----------------------------------------------------------- */

static void unlink_conn(struct http_conn *c)
{
    struct http_server *s = c->server;

    *(c->older != NULL ? &c->older->newer : &s->oldest) = c->newer;
    *(c->newer != NULL ? &c->newer->older : &s->newest) = c->older;
    c->older = c->newer = NULL;
}

static void link_newest(struct http_conn *c, la_time now)
{
    struct http_server *s = c->server;

    c->active = now;
    c->older = s->newest;
    c->newer = NULL;
    *(s->newest != NULL ? &s->newest->newer : &s->oldest) = c;
    s->newest = c;
}

static void progress(struct http_conn *c, la_time now)
{
    unlink_conn(c);
    link_newest(c, now);
}

/* Ends ---------------------------------------------------------------------------- */

static void log_request(struct http_conn *c, unsigned status, enum la_err error)
{
    const struct http_server_config *config = c->config;
    const struct http_log entry = {
        .remote = c->remote,
        .method = c->request.head_done ? http_method_str((enum http_method)c->parser.method) : "-",
        .target = c->request.target_len > 0 ? c->request.target : "-",
        .status = status,
        .sent_bytes = c->reply.sent_bytes,
        .received_bytes = c->upload.bytes,
        .error = error,
    };

    c->server->stats.requests++;
    if (config->on_log != NULL)
        config->on_log(config->context, &entry);
}

/* The connection's record goes; the stack's side of it has been closed or aborted. */
static void forget(struct http_conn *c, enum la_err error)
{
    if (c->phase == HTTP_REPLY || c->request.begun)
        log_request(c, c->phase == HTTP_REPLY ? c->reply.status : 0, error);
    http_upload_drop(c);
    http_reply_drop(c);
    unlink_conn(c);
    c->server->stats.open--;
    free(c);
}

static enum run end(struct http_conn *c, la_time now, enum la_err error)
{
    (void)la_close(c->config->stack, now, c->id);
    forget(c, error);
    return RUN_GONE;
}

static enum run reset(struct http_conn *c, la_time now, enum la_err error)
{
    (void)la_abort(c->config->stack, now, c->id);
    forget(c, error);
    return RUN_GONE;
}

/* Reading ------------------------------------------------------------------------- */

static bool send_head(struct http_conn *c, la_time now, enum run *how);

static enum run run_read(struct http_conn *c, la_time now)
{
    struct la_cspan spans[HTTP_SPANS];
    uint32_t count = 0;
    uint32_t used = 0;
    enum run how;

    if (!send_head(c, now, &how)) /* "100 Continue" */
        return how;
    const int64_t got = la_recv_peek(c->config->stack, now, c->id, spans, HTTP_SPANS, &count);
    if (got == LA_EAGAIN)
        return RUN_WAIT;
    if (got <= 0)
        return end(c, now, got < 0 ? (enum la_err)got : LA_OK);
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t fed = http_request_feed(c, spans[i].bytes, spans[i].len_bytes);
        used += fed;
        if (c->request.complete || c->request.status != 0)
            break;
    }
    if (la_recv_consume(c->config->stack, now, c->id, used) != LA_OK)
        return reset(c, now, LA_EINVAL);
    progress(c, now);
    if (c->request.complete || c->request.status != 0) {
        http_reply_begin(c);
        if (c->request.status != 0)
            http_upload_drop(c);
        c->phase = HTTP_REPLY;
    }
    return RUN_ON;
}

/* Sending ------------------------------------------------------------------------- */

/* Return: false if it is not all sent; then @how says what to do. */
static bool send_head(struct http_conn *c, la_time now, enum run *how)
{
    struct http_reply *r = &c->reply;

    while (r->head_sent < r->head_len) {
        const int64_t sent = la_send(
            c->config->stack, now, c->id, r->head + r->head_sent, r->head_len - r->head_sent,
            r->left > 0 || (r->parts > 0 && r->part <= r->parts) ? LA_SEND_MORE : 0);
        if (sent == LA_EAGAIN) {
            *how = RUN_WAIT;
            return false;
        }
        if (sent <= 0) {
            *how = end(c, now, (enum la_err)sent);
            return false;
        }
        r->head_sent += (uint32_t)sent;
        progress(c, now);
    }
    return true;
}

/* Read file bytes into the send buffer, as much as it takes now. */
static enum run send_file(struct http_conn *c, la_time now)
{
    struct http_reply *r = &c->reply;
    struct la_span spans[HTTP_SPANS];
    struct iovec iov[HTTP_SPANS];
    uint32_t count = 0;
    const uint32_t want = r->left < RESERVE_BYTES ? (uint32_t)r->left : RESERVE_BYTES;
    const int64_t room =
        la_send_reserve(c->config->stack, now, c->id, want, spans, HTTP_SPANS, &count);

    if (room == LA_EAGAIN)
        return RUN_WAIT;
    if (room <= 0)
        return end(c, now, (enum la_err)room);
    for (uint32_t i = 0; i < count; i++)
        iov[i] = (struct iovec){ spans[i].bytes, spans[i].len_bytes };
    ssize_t got;
    do
        got = preadv(r->file, iov, (int)count, (off_t)r->at);
    while (got < 0 && errno == EINTR);
    if (got <= 0) /* shorter than its length was: the promise in the head cannot be kept */
        return reset(c, now, LA_ECONNABORTED);
    if ((uint64_t)got > r->left)
        got = (ssize_t)r->left;
    r->at += (uint64_t)got;
    r->left -= (uint64_t)got;
    r->sent_bytes += (uint64_t)got;
    const enum la_err err =
        la_send_commit(c->config->stack, now, c->id, (uint32_t)got, r->left > 0 ? LA_SEND_MORE : 0);
    if (err != LA_OK)
        return end(c, now, err);
    progress(c, now);
    return RUN_ON;
}

static enum run run_reply(struct http_conn *c, la_time now)
{
    enum run how;

    if (!send_head(c, now, &how))
        return how;
    if (c->reply.left > 0)
        return send_file(c, now);
    if (http_reply_next(c))
        return RUN_ON;
    http_reply_drop(c);
    log_request(c, c->reply.status, LA_OK);
    const bool last = c->reply.last;
    http_request_begin(c);
    c->reply.head_len = c->reply.head_sent = 0;
    c->upload.bytes = 0;
    c->phase = HTTP_READ;
    if (!last)
        return RUN_ON;
    if (la_shutdown(c->config->stack, now, c->id, LA_SHUT_WR) != LA_OK)
        return end(c, now, LA_OK);
    c->phase = HTTP_LINGER;
    return RUN_ON;
}

static enum run run_linger(struct http_conn *c, la_time now)
{
    struct la_cspan spans[HTTP_SPANS];
    uint32_t count = 0;
    const int64_t got = la_recv_peek(c->config->stack, now, c->id, spans, HTTP_SPANS, &count);

    if (got == LA_EAGAIN)
        return RUN_WAIT;
    if (got <= 0)
        return end(c, now, LA_OK);
    if (la_recv_consume(c->config->stack, now, c->id, (uint32_t)got) != LA_OK)
        return reset(c, now, LA_OK);
    return RUN_ON;
}

static void run(struct http_conn *c, la_time now)
{
    enum run how = RUN_ON;

    while (how == RUN_ON) {
        switch (c->phase) {
        case HTTP_READ:
            how = run_read(c, now);
            break;
        case HTTP_REPLY:
            how = run_reply(c, now);
            break;
        case HTTP_LINGER:
            how = run_linger(c, now);
            break;
        }
    }
}

/* The server ---------------------------------------------------------------------- */

static void accept_all(struct http_server *s, la_time now, la_listener_id listener)
{
    struct la_accepted accepted;

    while (la_accept(s->config.stack, now, listener, 0, &accepted) == LA_OK) {
        struct http_conn *c = calloc(1, sizeof *c);
        if (c == NULL) {
            (void)la_abort(s->config.stack, now, accepted.conn);
            continue;
        }
        c->id = accepted.conn;
        c->remote = accepted.remote;
        c->server = s;
        c->config = &s->config;
        c->upload.dir = c->upload.file = c->reply.file = -1;
        la_conn_set_user(s->config.stack, c->id, (uint64_t)(uintptr_t)c);
        http_request_begin(c);
        link_newest(c, now);
        s->stats.connections++;
        if (++s->stats.open > s->stats.open_max)
            s->stats.open_max = s->stats.open;
        run(c, now);
    }
}

void http_server_event(void *context, la_time now, const struct la_event *event)
{
    struct http_server *s = context;

    if (event->kind == LA_EVENT_LISTENER)
        accept_all(s, now, event->listener);
    else if (event->user != 0)
        run((struct http_conn *)(uintptr_t)event->user, now);
}

void http_server_turn(void *context, la_time now)
{
    struct http_server *s = context;

    /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): end() and reset() take it off the list */
    while (s->oldest != NULL && now.ns - s->oldest->active.ns >= s->config.idle_ns) {
        if (s->oldest->phase == HTTP_READ && !s->oldest->request.begun)
            (void)end(s->oldest, now, LA_OK);
        else
            (void)reset(s->oldest, now, LA_ETIMEDOUT);
    }
    if (s->oldest != NULL)
        la_rt_wake_at(s->config.loop, (la_time){ s->oldest->active.ns + s->config.idle_ns });
}

struct http_server *http_server_new(const struct http_server_config *config)
{
    struct http_server *s = calloc(1, sizeof *s);
    if (s == NULL)
        return NULL;
    s->config = *config;
    http_parser_set_max_header_size(HTTP_HEAD_MAX);
    return s;
}

enum la_err http_server_listen(struct http_server *s, struct la_prefix local, uint16_t port)
{
    const struct la_listen_config config = { .local = local, .port = port, .backlog = 4096 };

    if (s->listener_count == LISTENERS_MAX)
        return LA_ENOBUFS;
    la_listener_id *id = &s->listeners[s->listener_count];
    const enum la_err err = la_listen(s->config.stack, la_rt_loop_now(s->config.loop), &config, id);
    if (err != LA_OK)
        return err;
    s->listener_count++;
    /* A reply's last piece must not wait for the acknowledgment of those before it. */
    return la_listener_set_option(s->config.stack, *id, LA_OPT_NODELAY, 1);
}

void http_server_free(struct http_server *s)
{
    const la_time now = la_rt_loop_now(s->config.loop);

    while (s->oldest != NULL)
        /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): reset() takes it off the list */
        (void)reset(s->oldest, now, LA_ECONNABORTED);
    for (uint32_t i = 0; i < s->listener_count; i++)
        if (la_listener_close(s->config.stack, now, s->listeners[i]) != LA_OK)
            la_panic(__FILE__, __LINE__, "a listener of this server is gone");
    free(s);
}

void http_server_stats(const struct http_server *s, struct http_server_stats *out)
{
    *out = s->stats;
}
