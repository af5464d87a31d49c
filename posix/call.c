/* SPDX-License-Identifier: MIT */
/*
 * call.c - Calls that wait, cut into steps.
 *
 * A step does what can be done now. What is left to wait for is in the state of the socket,
 * so a step may come too often but never too late; what was moved so far is in the call.
 * An error that comes when bytes have been moved already is left for the next call, as
 * Linux leaves it.
 */
#include "posix/sockets.h"

static void arm(struct la_sockets *x, struct la_sock_call *c, uint64_t ns)
{
    const la_time now = now_of(x);

    c->deadline.ns = ns == 0 || now.ns > UINT64_MAX - ns ? UINT64_MAX : now.ns + ns;
    c->begun = true;
}

static bool expired(const struct la_sockets *x, const struct la_sock_call *c)
{
    return c->deadline.ns != UINT64_MAX && now_of(x).ns >= c->deadline.ns;
}

/* Give up waiting: what has been moved, or @error. */
static int64_t settle(const struct la_sock_call *c, int64_t error)
{
    return c->done > 0 ? (int64_t)c->done : error;
}

static void put_back(struct sock *s, const struct la_sock_call *c, int64_t error)
{
    if (c->done > 0 && error != -ENOTCONN && error != -EPIPE)
        s->error = (int)-error;
}

static int64_t step_accept(struct la_sockets *x, struct la_sock_call *c)
{
    const int r = la_sock_accept4(x, c->fd, c->addr, c->addr_len, c->flags);
    struct sock *s;

    if (r != -EAGAIN || sock_at(x, c->fd, &s) != 0)
        return r;
    if (!c->begun)
        arm(x, c, s->set.rcvtimeo_ns);
    return s->d.nonblock || expired(x, c) ? r : LA_SOCK_PENDING;
}

static int64_t step_connect(struct la_sockets *x, struct la_sock_call *c)
{
    struct sock *s;
    int r = sock_at(x, c->fd, &s);

    if (r != 0)
        return r;
    if (c->begun && sock_view(x, s).opening)
        return expired(x, c) ? -(int64_t)c->done : LA_SOCK_PENDING;
    r = la_sock_connect(x, c->fd, c->to, c->to_len);
    if (c->begun || (r != -EINPROGRESS && r != -EALREADY) || s->d.nonblock)
        return r;
    arm(x, c, s->set.sndtimeo_ns);
    c->done = (uint64_t)-r; /* what to say if time runs out */
    return LA_SOCK_PENDING;
}

/* How many bytes end a read. */
static uint64_t wanted(const struct sock *s, const struct la_sock_call *c, uint64_t total)
{
    const uint64_t low = (uint64_t)s->set.rcvlowat;
    const uint64_t n = c->flags & MSG_WAITALL || low > total ? total : low;

    return n > 0 ? n : 1;
}

static int64_t recv_step(struct la_sockets *x, struct sock *s, struct la_sock_call *c,
                         uint64_t total)
{
    const bool now_or_never = s->d.nonblock || c->flags & MSG_DONTWAIT;
    const bool peek = (c->flags & MSG_PEEK) != 0;
    const int64_t n = recv_some(x, s, c->msg->msg_iov, c->msg->msg_iovlen, c->done, c->flags);

    if (n > 0) {
        c->done = peek ? 0 : c->done + (uint64_t)n;
        if ((peek ? (uint64_t)n : c->done) >= wanted(s, c, total) || now_or_never || expired(x, c))
            return peek ? n : (int64_t)c->done;
        if (peek)
            return sock_view(x, s).rcv_shut ? n : LA_SOCK_PENDING;
        return recv_step(x, s, c, total); /* there is no more: learn why */
    }
    if (n == -EAGAIN)
        return now_or_never || expired(x, c) ? settle(c, n) : LA_SOCK_PENDING;
    put_back(s, c, n);
    return settle(c, n);
}

static int64_t step_recv(struct la_sockets *x, struct la_sock_call *c)
{
    struct sock *s;
    int err = sock_at(x, c->fd, &s);
    int64_t total, n;

    if (err == 0)
        err = message_check(c->msg);
    if (err == 0)
        err = recv_flags_check(c->flags);
    if (err != 0)
        return settle(c, err);
    total = iov_total(c->msg->msg_iov, c->msg->msg_iovlen);
    if (total < 0)
        return total;
    if (!c->begun)
        arm(x, c, s->set.rcvtimeo_ns);
    n = recv_step(x, s, c, (uint64_t)total);
    if (n >= 0)
        message_received(x, s, c->msg);
    return n;
}

static int64_t step_send(struct la_sockets *x, struct la_sock_call *c)
{
    struct sock *s;
    int err = sock_at(x, c->fd, &s);
    int64_t total, n;

    if (err == 0)
        err = message_check(c->msg);
    if (err == 0 && c->msg->msg_controllen > 0)
        err = -EINVAL;
    if (err == 0)
        err = send_flags_check(c->flags);
    if (err != 0)
        return settle(c, err);
    total = iov_total(c->msg->msg_iov, c->msg->msg_iovlen);
    if (total < 0)
        return total;
    if (!c->begun)
        arm(x, c, s->set.sndtimeo_ns);
    n = send_some(x, s, c->msg->msg_iov, c->msg->msg_iovlen, c->done, c->flags);
    if (n >= 0) {
        c->done += (uint64_t)n;
        if (c->done >= (uint64_t)total)
            return (int64_t)c->done;
        n = -EAGAIN;
    }
    if (n == -EAGAIN)
        return s->d.nonblock || c->flags & MSG_DONTWAIT || expired(x, c) ? settle(c, n)
                                                                         : LA_SOCK_PENDING;
    put_back(s, c, n);
    return settle(c, n);
}

/* poll() and epoll_wait() have a time of their own, in milliseconds. */
static int64_t timed(struct la_sockets *x, struct la_sock_call *c, int64_t ready)
{
    if (ready != 0 || c->timeout_ms == 0)
        return ready;
    if (!c->begun)
        arm(x, c, c->timeout_ms < 0 ? 0 : (uint64_t)c->timeout_ms * NS_PER_MS);
    return expired(x, c) ? 0 : LA_SOCK_PENDING;
}

static int64_t step_close(struct la_sockets *x, struct la_sock_call *c)
{
    struct desc *d = desc_closing_at(x, c->fd);
    int r;

    if (d == NULL)
        return c->begun ? 0 : -EBADF; /* somebody closed it a second time */
    if (!c->begun) {
        if (desc_at(x, c->fd) == NULL)
            return -EBADF; /* it lingers already */
        r = la_sock_close(x, c->fd);
        if (r != -EINPROGRESS)
            return r;
        c->begun = true;
        c->deadline = ((struct sock *)d)->linger_until;
    }
    if (((struct sock *)d)->what == WHAT_CONN && !expired(x, c))
        return LA_SOCK_PENDING;
    return la_sock_close(x, c->fd);
}

static int64_t step_readv(struct la_sockets *x, struct la_sock_call *c)
{
    const int err = file_check(x, c->fd, c->msg->msg_iov, c->msg->msg_iovlen);

    if (err != 0)
        return settle(c, err);
    if (iov_total(c->msg->msg_iov, c->msg->msg_iovlen) == 0)
        return 0; /* reading nothing is nothing, whatever the state */
    return step_recv(x, c);
}

static int64_t step_writev(struct la_sockets *x, struct la_sock_call *c)
{
    const int err = file_check(x, c->fd, c->msg->msg_iov, c->msg->msg_iovlen);

    return err != 0 ? settle(c, err) : step_send(x, c);
}

int64_t la_sock_step(struct la_sockets *x, struct la_sock_call *c)
{
    if (!c->begun)
        c->deadline = LA_TIME_NEVER;
    la_sockets_turn(x);
    switch (c->op) {
    case LA_SOCK_ACCEPT:
        return step_accept(x, c);
    case LA_SOCK_CONNECT:
        return step_connect(x, c);
    case LA_SOCK_RECV:
        return step_recv(x, c);
    case LA_SOCK_SEND:
        return step_send(x, c);
    case LA_SOCK_READV:
        return step_readv(x, c);
    case LA_SOCK_WRITEV:
        return step_writev(x, c);
    case LA_SOCK_POLL:
        return timed(x, c, la_sock_poll(x, c->fds, c->count));
    case LA_SOCK_EPOLL_WAIT:
        return timed(x, c, la_epoll_wait(x, c->fd, c->events, c->max));
    case LA_SOCK_CLOSE:
        return step_close(x, c);
    }
    return -EINVAL;
}
