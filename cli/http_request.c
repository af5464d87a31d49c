/* SPDX-License-Identifier: MIT */
/*
 * http_request.c - Reading one request: http_parser finds the pieces, this decides what they
 * mean here.
 *
 * The parser stops (is paused) at the end of each request, so that a pipelined one stays
 * unread in the stack's memory until this one is answered: that is both the right order and
 * the back-pressure.  Only the few headers this server acts on are kept.  All that could
 * smuggle a second request (two lengths, an unknown transfer coding) is refused, here or in
 * the parser, and the connection closed.
 */
#include "cli/http_conn.h"

#include <stdio.h>
#include <string.h>

static struct http_conn *conn_of(http_parser *p)
{
    return p->data;
}

void http_request_fail(struct http_conn *c, unsigned status, const char *why)
{
    if (c->request.status != 0)
        return;
    c->request.status = status;
    c->request.why = why;
}

static int on_begin(http_parser *p)
{
    conn_of(p)->request.begun = true;
    return 0;
}

static int on_url(http_parser *p, const char *at, size_t len)
{
    struct http_request *r = &conn_of(p)->request;

    if (len > HTTP_TARGET_MAX - r->target_len) {
        http_request_fail(conn_of(p), 414, "The request target is longer than 4096 bytes.");
        return -1;
    }
    memcpy(r->target + r->target_len, at, len);
    r->target_len += (uint32_t)len;
    r->target[r->target_len] = '\0';
    return 0;
}

/* Keep a header on which the answer depends; of one given twice, both make one list. */
static void take_condition(struct http_conn *c, char *field, size_t room)
{
    const struct http_request *r = &c->request;
    const size_t len = strlen(field);
    const int n = snprintf(field + len, room - len, "%s%.*s", len > 0 ? ", " : "",
                           (int)r->value_len, r->value);

    if (n < 0 || (size_t)n >= room - len)
        http_request_fail(c, 431, "A condition or a range is longer than this server keeps.");
}

/* A header is complete: see whether it matters. */
static void take_header(struct http_conn *c)
{
    struct http_request *r = &c->request;

    if (strcmp(r->name, "host") == 0) {
        r->hosts++;
    } else if (strcmp(r->name, "expect") == 0) {
        if (strcasecmp(r->value, "100-continue") == 0)
            r->expects_continue = true;
        else
            http_request_fail(c, 417, "Only \"Expect: 100-continue\" can be met.");
    } else if (strcmp(r->name, "transfer-encoding") == 0) {
        if (strcasecmp(r->value, "chunked") != 0)
            http_request_fail(c, 501, "The only transfer coding known here is \"chunked\".");
    } else if (strcmp(r->name, "content-range") == 0) {
        http_request_fail(c, 400, "A part of a file cannot be put.");
    }
    size_t room = 0;
    char *field = http_condition_field(&r->conditions, r->name, &room);
    if (field != NULL)
        take_condition(c, field, room);
    r->name_len = r->value_len = 0;
    r->name[0] = r->value[0] = '\0';
    r->in_value = false;
}

static int on_field(http_parser *p, const char *at, size_t len)
{
    struct http_request *r = &conn_of(p)->request;

    if (r->head_done)
        return 0; /* a trailer */
    if (r->in_value)
        take_header(conn_of(p));
    for (size_t i = 0; i < len && r->name_len < sizeof r->name - 1; i++) {
        const char ch = at[i];
        r->name[r->name_len++] = (char)(ch >= 'A' && ch <= 'Z' ? ch - 'A' + 'a' : ch);
    }
    r->name[r->name_len] = '\0';
    return 0;
}

static int on_value(http_parser *p, const char *at, size_t len)
{
    struct http_request *r = &conn_of(p)->request;
    const size_t room = sizeof r->value - 1 - r->value_len;
    const size_t take = len < room ? len : room;

    if (r->head_done)
        return 0;
    r->in_value = true;
    memcpy(r->value + r->value_len, at, take);
    r->value_len += (uint32_t)take;
    r->value[r->value_len] = '\0';
    return 0;
}

/* PUT may have a body; any other is refused unless it has none. */
static void check_body(struct http_conn *c, const http_parser *p)
{
    const bool chunked = p->flags & F_CHUNKED;
    const bool sized = p->flags & F_CONTENTLENGTH;

    if (p->method == HTTP_PUT && !chunked && !sized)
        http_request_fail(c, 411, "A PUT needs a Content-Length or the chunked coding.");
    else if (p->method == HTTP_PUT && sized && p->content_length > c->config->upload_max_bytes)
        http_request_fail(c, 413, "The file is larger than this server takes.");
    else if (p->method != HTTP_PUT && (chunked || (sized && p->content_length > 0)))
        http_request_fail(c, 413, "This method takes no body here.");
}

static int on_head(http_parser *p)
{
    struct http_conn *c = conn_of(p);
    struct http_request *r = &c->request;

    if (r->in_value)
        take_header(c);
    r->head_done = true;
    r->keep_alive = http_should_keep_alive(p) != 0;
    p->upgrade = 0; /* an offer, which is declined by going on as before */
    if (p->http_major != 1)
        http_request_fail(c, 505, "This server speaks HTTP/1.1.");
    else if (p->http_minor >= 1 && r->hosts != 1)
        http_request_fail(c, 400, "HTTP/1.1 wants exactly one Host header.");
    else if (p->method != HTTP_GET && p->method != HTTP_HEAD && p->method != HTTP_PUT)
        http_request_fail(c, 405, "This server knows GET, HEAD and PUT.");
    else if (p->method == HTTP_PUT && c->config->read_only)
        http_request_fail(c, 405, "This server is read-only.");
    else
        check_body(c, p);
    if (r->status == 0 && p->method == HTTP_PUT)
        http_upload_begin(c);
    if (r->status != 0)
        return -1;
    if (r->expects_continue && p->http_minor >= 1)
        http_reply_continue(c);
    return 0;
}

static int on_body(http_parser *p, const char *at, size_t len)
{
    struct http_conn *c = conn_of(p);

    http_upload_write(c, at, len);
    return c->request.status != 0 ? -1 : 0;
}

static int on_complete(http_parser *p)
{
    conn_of(p)->request.complete = true;
    http_parser_pause(p, 1);
    return 0;
}

static const http_parser_settings settings = {
    .on_message_begin = on_begin,
    .on_url = on_url,
    .on_header_field = on_field,
    .on_header_value = on_value,
    .on_headers_complete = on_head,
    .on_body = on_body,
    .on_message_complete = on_complete,
};

void http_request_begin(struct http_conn *c)
{
    memset(&c->request, 0, sizeof c->request);
    http_parser_init(&c->parser, HTTP_REQUEST);
    c->parser.data = c;
}

/* What the parser's own refusals mean to the client. */
static void fail_as_parsed(struct http_conn *c)
{
    switch ((int)HTTP_PARSER_ERRNO(&c->parser)) {
    case HPE_OK:
    case HPE_PAUSED:
        return;
    case HPE_HEADER_OVERFLOW:
        http_request_fail(c, 431, "The request's head is longer than 16 KiB.");
        return;
    case HPE_INVALID_METHOD:
        http_request_fail(c, 501, "This server knows GET, HEAD and PUT.");
        return;
    case HPE_INVALID_TRANSFER_ENCODING:
        http_request_fail(c, 501, "The only transfer coding known here is \"chunked\".");
        return;
    case HPE_INVALID_VERSION:
        http_request_fail(c, 505, "This server speaks HTTP/1.1.");
        return;
    default:
        http_request_fail(c, 400, http_errno_description(HTTP_PARSER_ERRNO(&c->parser)));
        return;
    }
}

uint32_t http_request_feed(struct http_conn *c, const uint8_t *bytes, uint32_t len_bytes)
{
    const size_t used = http_parser_execute(&c->parser, &settings, (const char *)bytes, len_bytes);

    fail_as_parsed(c);
    return used > len_bytes ? len_bytes : (uint32_t)used;
}
