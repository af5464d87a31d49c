/* SPDX-License-Identifier: MIT */
/*
 * data.c - recv() and send() in all their forms.
 *
 * One function moves bytes each way, recv_some() and send_some(); the order of their
 * questions is that of Linux's tcp_recvmsg_locked() and tcp_sendmsg_locked(): what is queued
 * is read before an error is told, an error before EOF, and an error is told once.
 *
 * Flags are checked first; those that are not implemented are refused, never dropped.
 */
#include "posix/sockets.h"

#define CALL_BYTES_MAX 0x7ffff000u /* MAX_RW_COUNT */
#define IOV_MAX_COUNT 1024u        /* UIO_MAXIOV */
#define SPANS 64u

int recv_flags_check(int flags)
{
    const int done =
        MSG_PEEK | MSG_WAITALL | MSG_DONTWAIT | MSG_NOSIGNAL | MSG_TRUNC | MSG_CMSG_CLOEXEC;

    if (flags & MSG_ERRQUEUE)
        return -EAGAIN; /* the queue of errors is empty: IP_RECVERR is refused */
    if (flags & MSG_OOB)
        return -EINVAL; /* urgent bytes stand in line (SO_OOBINLINE) */
    return flags & ~done ? -EOPNOTSUPP : 0;
}

int send_flags_check(int flags)
{
    return flags & ~(MSG_DONTWAIT | MSG_NOSIGNAL | MSG_MORE) ? -EOPNOTSUPP : 0;
}

int64_t iov_total(const struct iovec *iov, size_t count)
{
    uint64_t total = 0;

    for (size_t i = 0; i < count; i++) {
        if (iov[i].iov_len > INT64_MAX || total + iov[i].iov_len > INT64_MAX)
            return -EINVAL;
        if (iov[i].iov_base == NULL && iov[i].iov_len > 0)
            return -EFAULT;
        total += iov[i].iov_len;
    }
    return (int64_t)(total < CALL_BYTES_MAX ? total : CALL_BYTES_MAX);
}

/* A place in an array of pieces. */
struct cursor {
    const struct iovec *iov;
    size_t left; /* pieces, this one included */
    uint64_t at; /* in this piece */
};

static struct cursor cursor_at(const struct iovec *iov, size_t count, uint64_t skip)
{
    struct cursor c = { .iov = iov, .left = count, .at = skip };

    while (c.left > 0 && c.at >= c.iov->iov_len) {
        c.at -= c.iov->iov_len;
        c.iov++;
        c.left--;
    }
    return c;
}

/* Bytes into the pieces, or past them if @copy is false. */
static void put(struct cursor *c, const uint8_t *bytes, uint64_t len, bool copy)
{
    while (len > 0) {
        const uint64_t room = c->iov->iov_len - c->at;
        const uint64_t n = len < room ? len : room;

        if (copy)
            memcpy((uint8_t *)c->iov->iov_base + c->at, bytes, n);
        bytes += n;
        len -= n;
        *c = cursor_at(c->iov, c->left, c->at + n);
    }
}

static uint64_t put_spans(struct cursor *c, const struct la_cspan *spans, uint32_t count,
                          uint64_t want, bool copy)
{
    uint64_t done = 0;

    for (uint32_t i = 0; i < count && done < want; i++) {
        const uint64_t left = want - done;
        const uint64_t n = spans[i].len_bytes < left ? spans[i].len_bytes : left;

        put(c, spans[i].bytes, n, copy);
        done += n;
    }
    return done;
}

/* Look without taking: all spans must be had at once. */
static uint64_t peek(struct la_sockets *x, struct sock *s, struct cursor *c, uint64_t want,
                     bool copy)
{
    struct la_cspan few[SPANS], *spans = few;
    uint32_t max = SPANS, count = 0;
    uint64_t done;
    int64_t n;

    for (;;) {
        n = la_recv_peek(x->stack, now_of(x), s->conn, spans, max, &count);
        if (n <= 0 || count < max || (uint64_t)n >= want)
            break;
        struct la_cspan *more = malloc(2 * (size_t)max * sizeof *more);
        if (more == NULL)
            break; /* fewer bytes than there are: allowed */
        if (spans != few)
            free(spans);
        spans = more;
        max *= 2;
    }
    done = n > 0 ? put_spans(c, spans, count, want, copy) : 0;
    if (spans != few)
        free(spans);
    return done;
}

static uint64_t take(struct la_sockets *x, struct sock *s, struct cursor *c, uint64_t want,
                     bool copy)
{
    uint64_t done = 0;

    while (done < want) {
        struct la_cspan spans[SPANS];
        uint32_t count = 0;
        const int64_t n = la_recv_peek(x->stack, now_of(x), s->conn, spans, SPANS, &count);
        uint64_t got;

        if (n <= 0)
            break;
        got = put_spans(c, spans, count, want - done, copy);
        if (la_recv_consume(x->stack, now_of(x), s->conn, (uint32_t)got) != LA_OK)
            la_panic(__FILE__, __LINE__, "what was shown can be taken");
        done += got;
    }
    return done;
}

/* Why there is nothing to read.  Return: 0 at the end, or a negative errno. */
static int64_t nothing(struct la_sockets *x, struct sock *s)
{
    const struct conn_view v = sock_view(x, s);
    int err;

    if (v.eof)
        return 0;
    err = sock_error_take(x, s);
    if (err != 0)
        return err;
    if (v.rcv_shut && (s->what == WHAT_CONN || s->rd_shut))
        return 0;
    return v.closed ? -ENOTCONN : -EAGAIN;
}

int64_t recv_some(struct la_sockets *x, struct sock *s, const struct iovec *iov, size_t count,
                  uint64_t skip, int flags)
{
    struct cursor c = cursor_at(iov, count, skip);
    const int64_t total = iov_total(iov, count);
    const bool copy = !(flags & MSG_TRUNC);
    uint64_t done = 0;

    if (total < 0)
        return total;
    if (s->what == WHAT_LISTEN)
        return -ENOTCONN;
    if (s->what == WHAT_CONN && (uint64_t)total > skip)
        done = flags & MSG_PEEK ? peek(x, s, &c, (uint64_t)total - skip, copy)
                                : take(x, s, &c, (uint64_t)total - skip, copy);
    if (done > 0)
        return (int64_t)done;
    if (total == 0 && (sock_view(x, s).mask & LA_READABLE)) {
        struct la_cspan span;
        uint32_t n;

        if (la_recv_peek(x->stack, now_of(x), s->conn, &span, 1, &n) > 0)
            return 0; /* nothing was wanted of what is there */
    }
    return nothing(x, s);
}

/* Why nothing can be sent at all, or 0. */
static int64_t send_refused(struct la_sockets *x, struct sock *s)
{
    const struct conn_view v = sock_view(x, s);
    int err;

    if (s->what == WHAT_CONN && v.opening && !s->wr_shut)
        return sock_error_peek(x, s) != 0 ? sock_error_take(x, s) : -EAGAIN;
    if (s->what == WHAT_CONN && !v.snd_shut && sock_error_peek(x, s) == 0)
        return 0;
    err = sock_error_take(x, s);
    return err != 0 ? err : -EPIPE;
}

/* How many of @want bytes there is room for, so that only the last piece ends the run. */
static uint64_t room_for(const struct la_sockets *x, const struct sock *s, uint64_t want)
{
    const uint32_t most = sock_option(x, s, LA_OPT_SNDBUF);
    struct la_conn_info info;

    if (la_conn_info(x->stack, s->conn, &info) != LA_OK || info.snd_queued_bytes >= most)
        return 0;
    return want < most - info.snd_queued_bytes ? want : most - info.snd_queued_bytes;
}

int64_t send_some(struct la_sockets *x, struct sock *s, const struct iovec *iov, size_t count,
                  uint64_t skip, int flags)
{
    struct cursor c = cursor_at(iov, count, skip);
    const int64_t total = iov_total(iov, count);
    int64_t err = total < 0 ? total : send_refused(x, s);
    uint64_t want, room, done = 0;

    if (err != 0 || (uint64_t)total <= skip)
        return err;
    want = (uint64_t)total - skip;
    room = c.left > 1 ? room_for(x, s, want) : want;
    while (c.left > 0 && done < want) {
        uint64_t n = c.iov->iov_len - c.at;

        if (n > want - done)
            n = want - done;
        const uint32_t more = flags & MSG_MORE || done + n < room ? LA_SEND_MORE : 0;
        err = la_send(x->stack, now_of(x), s->conn, (uint8_t *)c.iov->iov_base + c.at, (uint32_t)n,
                      more);
        if (err <= 0)
            break;
        done += (uint64_t)err;
        c = cursor_at(c.iov, c.left, c.at + (uint64_t)err);
    }
    if (done < want)
        s->nospace = true;
    return done > 0 ? (int64_t)done : error_of((enum la_err)err);
}
