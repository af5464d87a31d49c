/* SPDX-License-Identifier: MIT */
/*
 * http_reply.c - The answer to a request: which file or which error, and its head.
 *
 * An error's text is one sentence for people, sent with the head.  After an error found while
 * the request was still coming in, the rest of it is not worth understanding: the answer is
 * the last one of its connection.  An error found afterwards (no such file) ends nothing.
 */
#include "cli/http_conn.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static void add(struct http_reply *r, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void add(struct http_reply *r, const char *format, ...)
{
    va_list list;

    va_start(list, format);
    const int n = vsnprintf(r->head + r->head_len, sizeof r->head - r->head_len, format, list);
    va_end(list);
    if (n < 0 || (size_t)n >= sizeof r->head - r->head_len)
        la_panic(__FILE__, __LINE__, "a reply's head is larger than its bound");
    r->head_len += (uint32_t)n;
}

static void open_head(struct http_conn *c, unsigned status)
{
    struct http_reply *r = &c->reply;
    const time_t now = (time_t)(la_rt_wallclock_ns() / 1000000000u);
    struct tm tm;
    char date[64];

    gmtime_r(&now, &tm);
    strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", &tm);
    r->status = status;
    add(r, "HTTP/1.1 %u %s\r\nDate: %s\r\nServer: lastack\r\n", status,
        http_status_str((enum http_status)status), date);
}

static void close_head(struct http_conn *c)
{
    struct http_reply *r = &c->reply;

    if (r->last)
        add(r, "Connection: close\r\n");
    else if (c->parser.http_minor == 0)
        add(r, "Connection: keep-alive\r\n");
    add(r, "\r\n");
}

static void answer_error(struct http_conn *c, unsigned status, const char *why)
{
    struct http_reply *r = &c->reply;
    const bool body = !(c->request.head_done && c->parser.method == HTTP_HEAD);

    open_head(c, status);
    if (status == 405)
        add(r, "Allow: GET, HEAD%s\r\n", c->config->read_only ? "" : ", PUT");
    if (status == 503)
        add(r, "Retry-After: 1\r\n");
    add(r, "Content-Type: text/plain; charset=utf-8\r\nContent-Length: %zu\r\n", strlen(why) + 1);
    close_head(c);
    if (body)
        add(r, "%s\n", why);
}

static void answer_errno(struct http_conn *c, int err)
{
    switch (err) {
    case EACCES:
    case EPERM:
        answer_error(c, 403, "This server may not read that.");
        return;
    case EMFILE:
    case ENFILE:
    case EAGAIN:
        answer_error(c, 503, "Too many files are open; try again.");
        return;
    case ENOENT:
    case ENOTDIR:
    case ENAMETOOLONG:
    case ENXIO:
        answer_error(c, 404, "There is no such file here.");
        return;
    default:
        answer_error(c, 500, "The file could not be opened.");
        return;
    }
}

/* "/a/b" is a directory: send the client to "/a/b/", so that links in its index work. */
static void answer_redirect(struct http_conn *c)
{
    struct http_reply *r = &c->reply;
    const char *target = c->request.target;
    const size_t len = strcspn(target, "?#");
    size_t start = len;

    while (start > 0 && target[start - 1] != '/')
        start--;
    if (len - start > 3 * HTTP_NAME_MAX) {
        answer_errno(c, ENOENT);
        return;
    }
    open_head(c, 301);
    add(r, "Location: ./%.*s/\r\nContent-Length: 0\r\n", (int)(len - start), target + start);
    close_head(c);
}

static void answer_file(struct http_conn *c, int file, const struct stat *st, const char *path)
{
    struct http_reply *r = &c->reply;

    open_head(c, 200);
    add(r, "Content-Type: %s\r\nContent-Length: %" PRIu64 "\r\n", http_path_type(path),
        (uint64_t)st->st_size);
    close_head(c);
    if (c->parser.method == HTTP_HEAD) {
        close(file);
        return;
    }
    r->file = file;
    r->left = (uint64_t)st->st_size;
}

static void answer_get(struct http_conn *c)
{
    struct http_path path;
    char parent[HTTP_TARGET_MAX + 1], name[HTTP_NAME_MAX + 1];
    struct stat st;

    if (!http_path_decode(c->request.target, &path)) {
        answer_error(c, 400, "The request target is no path.");
        return;
    }
    if (path.text[0] != '\0' && !http_path_split(path.text, parent, name)) {
        answer_errno(c, ENOENT);
        return;
    }
    int file = http_path_open(c->config->root, path.text, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
    if (file >= 0 && fstat(file, &st) != 0) {
        close(file);
        file = -EIO;
    }
    if (file >= 0 && S_ISDIR(st.st_mode)) {
        const int dir = file;
        if (path.text[0] != '\0' && !path.directory) {
            close(dir);
            answer_redirect(c);
            return;
        }
        file = http_path_open(dir, "index.html", O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
        close(dir);
        snprintf(path.text, sizeof path.text, "index.html");
        path.directory = false;
        if (file >= 0 && fstat(file, &st) != 0) {
            close(file);
            file = -EIO;
        }
    }
    if (file < 0) {
        answer_errno(c, -file);
    } else if (!S_ISREG(st.st_mode) || path.directory) {
        close(file);
        answer_errno(c, ENOENT);
    } else {
        answer_file(c, file, &st, path.text);
    }
}

static void answer_put(struct http_conn *c)
{
    const unsigned status = http_upload_finish(c);

    if (c->request.status != 0) {
        answer_error(c, c->request.status, c->request.why);
        return;
    }
    open_head(c, status);
    if (status == 201)
        add(&c->reply, "Content-Length: 0\r\n");
    close_head(c);
}

void http_reply_begin(struct http_conn *c)
{
    struct http_reply *r = &c->reply;

    r->head_len = r->head_sent = 0;
    r->file = -1;
    r->at = r->left = r->sent_bytes = 0;
    r->last = c->request.status != 0 || !c->request.keep_alive || c->config->close_first;
    if (c->request.status != 0)
        answer_error(c, c->request.status, c->request.why);
    else if (c->parser.method == HTTP_PUT)
        answer_put(c);
    else
        answer_get(c);
}

void http_reply_continue(struct http_conn *c)
{
    c->reply.head_len = c->reply.head_sent = 0;
    add(&c->reply, "HTTP/1.1 100 Continue\r\n\r\n");
}

void http_reply_drop(struct http_conn *c)
{
    if (c->reply.file >= 0)
        close(c->reply.file);
    c->reply.file = -1;
}
