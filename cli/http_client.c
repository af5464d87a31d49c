/* SPDX-License-Identifier: MIT */
/*
 * http_client.c - One HTTP request on a stack, and its answer.
 *
 * The answer's body goes to a sink; while that is full the stack is not read, and its window
 * tells the server.  A body is whole if its length came, its last chunk came, or the server
 * closed where neither was promised; a connection that ends before that is an error.
 */
#include "cli/http_client.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>

#define SPANS 16
#define CLOSE_PATIENCE_NS UINT64_C(2000000000)
#define RESERVE_BYTES 262144u

static void finish(struct http_fetch *f, la_time now)
{
    if (f->done)
        return;
    f->done = true;
    (void)la_close(f->config.stack, now, f->conn);
    if (f->config.on_done != NULL)
        f->config.on_done(f->config.context, now);
}

static void fail(struct http_fetch *f, la_time now, const char *what, const char *why)
{
    char remote[NET_ENDPOINT_TEXT_BYTES];

    if (f->done)
        return;
    snprintf(f->error, sizeof f->error, "%s: %s%s%s", net_format(f->config.remote, remote), what,
             why[0] != '\0' ? ": " : "", why);
    finish(f, now);
}

static int on_head(http_parser *p)
{
    struct http_fetch *f = p->data;

    f->status = p->status_code;
    f->expected_bytes = p->flags & F_CONTENTLENGTH ? p->content_length : UINT64_MAX;
    return 0;
}

static int on_body(http_parser *p, const char *at, size_t len)
{
    struct http_fetch *f = p->data;

    f->received_bytes += len;
    sink_put(&f->sink, (const uint8_t *)at, len);
    return 0;
}

static int on_complete(http_parser *p)
{
    struct http_fetch *f = p->data;

    if (p->status_code < 200)
        return 0; /* "100 Continue" and its like: the answer is yet to come */
    f->complete = true;
    http_parser_pause(p, 1);
    return 0;
}

static const http_parser_settings settings = {
    .on_headers_complete = on_head,
    .on_body = on_body,
    .on_message_complete = on_complete,
};

/* Return: false if sending can not go on now. */
static bool send_upload(struct http_fetch *f, la_time now)
{
    struct la_span spans[SPANS];
    struct iovec iov[SPANS];
    uint32_t count = 0;
    const uint64_t left = f->config.upload_bytes - f->sent_bytes;
    const uint32_t want = left < RESERVE_BYTES ? (uint32_t)left : RESERVE_BYTES;
    const int64_t room = la_send_reserve(f->config.stack, now, f->conn, want, spans, SPANS, &count);

    if (room <= 0) /* full, or over: then reading tells why */
        return false;
    for (uint32_t i = 0; i < count; i++)
        iov[i] = (struct iovec){ spans[i].bytes, spans[i].len_bytes };
    const ssize_t got = preadv(f->config.upload, iov, (int)count, (off_t)f->sent_bytes);
    if (got <= 0) {
        fail(f, now, "cannot read the file to send", got < 0 ? strerror(errno) : "it is shorter");
        return false;
    }
    f->sent_bytes += (uint64_t)got;
    return la_send_commit(f->config.stack, now, f->conn, (uint32_t)got,
                          f->sent_bytes < f->config.upload_bytes ? LA_SEND_MORE : 0) == LA_OK;
}

static void send_some(struct http_fetch *f, la_time now)
{
    const bool more = f->config.upload >= 0 && f->config.upload_bytes > 0;

    while (f->head_sent < f->head_len) {
        const int64_t sent = la_send(f->config.stack, now, f->conn, f->head + f->head_sent,
                                     f->head_len - f->head_sent, more ? LA_SEND_MORE : 0);
        if (sent <= 0)
            return;
        f->head_sent += (uint32_t)sent;
    }
    while (f->config.upload >= 0 && f->sent_bytes < f->config.upload_bytes)
        if (!send_upload(f, now))
            return;
}

/* The server's FIN, or an error. */
static void at_end(struct http_fetch *f, la_time now, int64_t got)
{
    if (got < 0) {
        fail(f, now, la_err_text((enum la_err)got), "");
        return;
    }
    (void)http_parser_execute(&f->parser, &settings, "", 0);
    if (!f->complete)
        fail(f, now, "the server closed before its answer was complete", "");
}

static void receive_some(struct http_fetch *f, la_time now)
{
    while (!f->done && !f->complete && !sink_full(&f->sink)) {
        struct la_cspan span;
        uint32_t count = 0;
        const int64_t got = la_recv_peek(f->config.stack, now, f->conn, &span, 1, &count);
        if (got == LA_EAGAIN || got == LA_ENOTCONN) /* not yet */
            return;
        if (got <= 0) {
            at_end(f, now, got);
            return;
        }
        const size_t used =
            http_parser_execute(&f->parser, &settings, (const char *)span.bytes, span.len_bytes);
        const enum http_errno err = HTTP_PARSER_ERRNO(&f->parser);
        const uint32_t eaten = used < span.len_bytes ? (uint32_t)used : span.len_bytes;
        if (la_recv_consume(f->config.stack, now, f->conn, eaten) != LA_OK)
            return;
        if (err != HPE_OK && err != HPE_PAUSED)
            fail(f, now, "not an HTTP answer", http_errno_description(err));
    }
}

/*
 * The answer is here and the server was asked to close: let it do so first, as HTTP means it,
 * so that TIME-WAIT is where it belongs.  Anything else it sends is dropped.
 */
static bool peer_has_closed(struct http_fetch *f, la_time now)
{
    struct la_cspan span;
    uint32_t count = 0;
    int64_t got;

    while ((got = la_recv_peek(f->config.stack, now, f->conn, &span, 1, &count)) > 0)
        if (la_recv_consume(f->config.stack, now, f->conn, span.len_bytes) != LA_OK)
            return true;
    return got != LA_EAGAIN;
}

static void go_on(struct http_fetch *f, la_time now)
{
    if (f->done)
        return;
    send_some(f, now);
    receive_some(f, now);
    if (f->sink.error != 0)
        fail(f, now, "cannot write", strerror(f->sink.error));
    if (!f->complete || sink_full(&f->sink) || f->done)
        return;
    if (f->config.keep_alive || peer_has_closed(f, now)) {
        finish(f, now);
    } else if (f->close_by.ns == LA_TIME_NEVER.ns) {
        f->close_by.ns = now.ns + CLOSE_PATIENCE_NS;
        la_rt_wake_at(f->config.loop, f->close_by);
    }
}

void http_fetch_turn(void *context, la_time now)
{
    struct http_fetch *f = context;

    if (!f->done && f->close_by.ns <= now.ns)
        finish(f, now);
    else if (!f->done)
        la_rt_wake_at(f->config.loop, f->close_by);
}

static void on_drained(void *context, la_time now)
{
    go_on(context, now);
}

void http_fetch_event(void *context, la_time now, const struct la_event *event)
{
    struct http_fetch *f = context;

    if (event->kind == LA_EVENT_CONN && event->conn.bits == f->conn.bits)
        go_on(f, now);
}

bool http_fetch_begin(struct http_fetch *f, la_time now, const struct http_fetch_config *config)
{
    const bool put = config->upload >= 0;
    char length[64] = "";

    memset(f, 0, sizeof *f);
    f->config = *config;
    f->expected_bytes = UINT64_MAX;
    f->close_by = LA_TIME_NEVER;
    if (put)
        snprintf(length, sizeof length, "Content-Length: %" PRIu64 "\r\n", config->upload_bytes);
    f->head_len = (uint32_t)snprintf(
        f->head, sizeof f->head, "%s %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: lastack\r\n%s%s\r\n",
        put ? "PUT" : "GET", config->url->path, config->url->host_header,
        config->keep_alive ? "" : "Connection: close\r\n", length);
    http_parser_init(&f->parser, HTTP_RESPONSE);
    f->parser.data = f;
    sink_open(&f->sink, config->loop, config->output, f, on_drained);
    const struct la_endpoint any = { .addr = la_addr_is_v4(config->remote.addr)
                                                 ? la_addr_v4(0, 0, 0, 0)
                                                 : (struct la_addr){ { 0 } } };
    const enum la_err err = la_open(config->stack, now, any, config->remote, 0, &f->conn);
    if (err != LA_OK) {
        char remote[NET_ENDPOINT_TEXT_BYTES];
        snprintf(f->error, sizeof f->error, "%s: %s", net_format(config->remote, remote),
                 la_err_text(err));
        f->done = true;
        return false;
    }
    return true;
}

void http_fetch_free(struct http_fetch *f)
{
    sink_close(&f->sink);
}
