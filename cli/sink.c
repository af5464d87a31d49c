/* SPDX-License-Identifier: MIT */
/*
 * sink.c - Writing to a descriptor without waiting for its reader.
 *
 * Standard output is shared with other processes, so it must not be made non-blocking.  A
 * pipe that polls writable takes PIPE_BUF bytes without waiting, so that much is written at
 * a time.  What does not go out is kept, and the reader of the network stops meanwhile: the
 * peer's window then closes, and nothing grows.
 */
#include "cli/sink.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

void sink_open(struct sink *s, struct la_rt_loop *loop, int fd, void *context,
               void (*on_drained)(void *context, la_time now))
{
    struct stat st;

    *s = (struct sink){ .loop = loop, .fd = fd, .context = context, .on_drained = on_drained };
    s->regular = fstat(fd, &st) == 0 && (S_ISREG(st.st_mode) || S_ISBLK(st.st_mode));
}

bool sink_full(const struct sink *s)
{
    return s->error == 0 && s->at < s->len;
}

/* Return: bytes written; 0 if the reader is slow or this has failed. */
static size_t write_some(struct sink *s, const uint8_t *bytes, size_t len)
{
    struct pollfd p = { .fd = s->fd, .events = POLLOUT };

    if (!s->regular && (poll(&p, 1, 0) != 1 || !(p.revents & (POLLOUT | POLLERR | POLLHUP))))
        return 0;
    const ssize_t put = write(s->fd, bytes, s->regular || len < PIPE_BUF ? len : PIPE_BUF);
    if (put >= 0)
        return (size_t)put;
    if (errno != EINTR && errno != EAGAIN)
        s->error = errno;
    return 0;
}

static void flush(struct sink *s)
{
    while (s->at < s->len && s->error == 0) {
        const size_t put = write_some(s, s->buffer + s->at, s->len - s->at);
        if (put == 0)
            break;
        s->at += put;
    }
    if (s->at == s->len)
        s->at = s->len = 0;
}

static void on_ready(void *context, la_time now, uint32_t events)
{
    struct sink *s = context;

    (void)events;
    flush(s);
    if (sink_full(s))
        return;
    la_rt_unwatch(s->loop, s->fd);
    s->watched = false;
    s->on_drained(s->context, now);
}

static void keep(struct sink *s, const uint8_t *bytes, size_t len)
{
    if (len > s->cap - s->len) {
        uint8_t *more = realloc(s->buffer, s->len + len);
        if (more == NULL) {
            s->error = ENOMEM;
            return;
        }
        s->buffer = more;
        s->cap = s->len + len;
    }
    memcpy(s->buffer + s->len, bytes, len);
    s->len += len;
    if (!s->watched) {
        const int err = la_rt_watch(s->loop, s->fd, EPOLLOUT, on_ready, s);
        if (err != 0)
            s->error = -err;
        s->watched = err == 0;
    }
}

void sink_put(struct sink *s, const uint8_t *bytes, size_t len_bytes)
{
    while (len_bytes > 0 && s->error == 0 && !sink_full(s)) {
        const size_t put = write_some(s, bytes, len_bytes);
        if (put == 0)
            break;
        bytes += put;
        len_bytes -= put;
    }
    if (len_bytes > 0 && s->error == 0)
        keep(s, bytes, len_bytes);
}

void sink_close(struct sink *s)
{
    if (s->watched)
        la_rt_unwatch(s->loop, s->fd);
    s->watched = false;
    free(s->buffer);
    s->buffer = NULL;
    s->cap = s->len = s->at = 0;
}
