/* SPDX-License-Identifier: MIT */
/*
 * http_reply.c - The answer to a request: which file or which error, and its head.
 *
 * An error's text is one sentence for people, sent with the head.  After an error found while
 * the request was still coming in, the rest of it is not worth understanding: the answer is
 * the last one of its connection.  An error found afterwards (no such file) ends nothing.
 */
#include "cli/http_conn.h"
#include "cli/http_listing.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
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
    char date[HTTP_DATE_BYTES];

    http_date_format((int64_t)(la_rt_wallclock_ns() / 1000000000u), date);
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
    if (status == 416)
        add(r, "Content-Range: bytes */%" PRIu64 "\r\n", r->size);
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
    if (len - start > (size_t)3 * HTTP_NAME_MAX) {
        answer_errno(c, ENOENT);
        return;
    }
    open_head(c, 301);
    add(r, "Location: ./%.*s/\r\nContent-Length: 0\r\n", (int)(len - start), target + start);
    close_head(c);
}

static void open_version(struct http_conn *c, unsigned status, const struct http_version *version)
{
    char date[HTTP_DATE_BYTES];

    open_head(c, status);
    http_date_format(version->modified_s, date);
    add(&c->reply, "ETag: %s\r\nLast-Modified: %s\r\nAccept-Ranges: bytes\r\n", version->etag,
        date);
}

/* What goes before a part of several, and after the last (RFC 2046 5.1.1). */
#define PART_HEAD                                                                                  \
    "\r\n--%016" PRIx64 "\r\nContent-Type: %s\r\nContent-Range: bytes %" PRIu64 "-%" PRIu64        \
    "/%" PRIu64 "\r\n\r\n"
#define PARTS_END "\r\n--%016" PRIx64 "--\r\n"

static int part_head(const struct http_reply *r, unsigned part, char *out, size_t room)
{
    const struct http_range *range = &r->ranges[part];

    if (part == r->parts)
        return snprintf(out, room, PARTS_END, r->boundary);
    return snprintf(out, room, PART_HEAD, r->boundary, r->type, range->first,
                    range->first + range->len_bytes - 1, r->size);
}

/* Answer with @count parts of the file: one as it is, several in one body. */
static void answer_ranges(struct http_conn *c, const struct http_version *version, unsigned count)
{
    struct http_reply *r = &c->reply;
    const struct http_range *only = &r->ranges[0];
    uint64_t total = 0;

    open_version(c, 206, version);
    if (count == 1) {
        add(r,
            "Content-Type: %s\r\nContent-Range: bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64
            "\r\nContent-Length: %" PRIu64 "\r\n",
            r->type, only->first, only->first + only->len_bytes - 1, r->size, only->len_bytes);
        close_head(c);
        r->at = only->first;
        r->left = only->len_bytes;
        return;
    }
    la_rt_random(&r->boundary, sizeof r->boundary);
    r->parts = count;
    for (unsigned i = 0; i <= count; i++)
        total += (uint64_t)part_head(r, i, NULL, 0) + (i < count ? r->ranges[i].len_bytes : 0);
    add(r,
        "Content-Type: multipart/byteranges; boundary=%016" PRIx64 "\r\nContent-Length: %" PRIu64
        "\r\n",
        r->boundary, total);
    close_head(c);
    r->part = 0;
    (void)http_reply_next(c);
}

bool http_reply_next(struct http_conn *c)
{
    struct http_reply *r = &c->reply;

    if (r->parts == 0 || r->part > r->parts)
        return false;
    if (r->head_sent == r->head_len)
        r->head_sent = r->head_len = 0;
    const int n = part_head(r, r->part, r->head + r->head_len, sizeof r->head - r->head_len);
    if (n < 0 || (size_t)n >= sizeof r->head - r->head_len)
        la_panic(__FILE__, __LINE__, "the head of a part is larger than its bound");
    r->head_len += (uint32_t)n;
    if (r->part < r->parts) {
        r->at = r->ranges[r->part].first;
        r->left = r->ranges[r->part].len_bytes;
    }
    r->part++;
    return true;
}

static void answer_whole(struct http_conn *c, const struct http_version *version)
{
    struct http_reply *r = &c->reply;

    if (version != NULL)
        open_version(c, 200, version);
    else
        open_head(c, 200);
    add(r, "Content-Type: %s\r\nContent-Length: %" PRIu64 "\r\n", r->type, r->size);
    close_head(c);
    r->left = c->parser.method == HTTP_HEAD ? 0 : r->size;
}

/* The file is open and regular: all of it, parts of it, or only that it is still the same. */
static void answer_file(struct http_conn *c, const struct stat *st)
{
    struct http_reply *r = &c->reply;
    const struct http_conditions *conditions = &c->request.conditions;
    struct http_version version;
    unsigned count = 0;

    r->size = (uint64_t)st->st_size;
    http_version_of(st, la_rt_wallclock_ns(), &version);
    const unsigned status = http_condition_judge(conditions, &version, true);
    if (status == 412) {
        answer_error(c, 412, "The file here is not the one this request is about.");
        return;
    }
    if (status == 304) {
        open_version(c, 304, &version);
        close_head(c);
        return;
    }
    enum http_ranges how = HTTP_RANGES_IGNORED;
    if (c->parser.method == HTTP_GET && conditions->range[0] != '\0' &&
        http_condition_range(conditions, &version))
        how = http_range_parse(conditions->range, r->size, r->ranges, &count);
    switch (how) {
    case HTTP_RANGES_IGNORED:
        answer_whole(c, &version);
        return;
    case HTTP_RANGES_GIVEN:
        answer_ranges(c, &version, count);
        return;
    case HTTP_RANGES_UNSATISFIED:
        answer_error(c, 416, "The file ends before that range begins.");
        return;
    }
}

static void answer_listing(struct http_conn *c, const char *path)
{
    struct http_reply *r = &c->reply;

    r->file = http_listing_make(c->config->root, path, &r->size);
    if (r->file < 0) {
        answer_errno(c, -r->file);
        return;
    }
    r->type = "text/html; charset=utf-8";
    answer_whole(c, NULL);
}

/* A descriptor of what is to be read, and what it is.  Return: it, or a negative errno. */
static int open_to_read(int dir, const char *path, struct stat *st)
{
    const int fd = http_path_open(dir, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);

    if (fd >= 0 && fstat(fd, st) != 0) {
        close(fd);
        return -EIO;
    }
    return fd;
}

static void answer_directory(struct http_conn *c, const struct http_path *path, int dir)
{
    struct http_reply *r = &c->reply;
    struct stat st;

    if (path->text[0] != '\0' && !path->directory) {
        answer_redirect(c);
        return;
    }
    r->file = open_to_read(dir, "index.html", &st);
    if (r->file >= 0 && S_ISREG(st.st_mode)) {
        r->type = http_path_type("index.html");
        answer_file(c, &st);
    } else if (r->file != -ENOENT && r->file < 0) {
        answer_errno(c, -r->file);
    } else if (c->config->unlisted) {
        answer_errno(c, ENOENT);
    } else {
        http_reply_drop(c);
        answer_listing(c, path->text);
    }
}

static void answer_get(struct http_conn *c)
{
    struct http_reply *r = &c->reply;
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
    const int fd = open_to_read(c->config->root, path.text, &st);
    if (fd < 0) {
        answer_errno(c, -fd);
    } else if (S_ISDIR(st.st_mode)) {
        answer_directory(c, &path, fd);
        close(fd);
    } else if (!S_ISREG(st.st_mode) || path.directory) {
        close(fd);
        answer_errno(c, ENOENT);
    } else {
        r->file = fd;
        r->type = http_path_type(path.text);
        answer_file(c, &st);
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
    r->part = r->parts = 0;
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
