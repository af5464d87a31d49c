/* SPDX-License-Identifier: MIT */
/*
 * connect.c - connect(), shutdown(), close() and the two names: what begins and ends a
 * connection from this side.  The order of questions is that of Linux's
 * __inet_stream_connect(), inet_shutdown() and tcp_close(), because it is their answers.
 */
#include "posix/sockets.h"

static bool is_group(struct la_addr a)
{
    return la_addr_is_v4(a) ? (a.bytes[12] & 0xf0) == 0xe0 : a.bytes[0] == 0xff;
}

/* The SYN goes out with the next la_tx().  Return: 0 or a negative errno. */
static int open_to(struct la_sockets *x, struct sock *s, struct la_endpoint to)
{
    struct la_endpoint local = s->local;
    struct la_conn_info info;
    enum la_err err;
    int failed = 0;

    if (s->v6 && s->set.v6only && la_addr_is_v4(to.addr))
        return -ENETUNREACH;
    if (is_group(to.addr) || la_addr_is_unspecified(to.addr))
        return -ENETUNREACH;
    if (to.port == 0)
        return -ECONNREFUSED; /* nobody can listen there */
    if (!s->on_port)
        failed = port_for_connect(x, s, to, &local.port);
    if (failed != 0)
        return failed;
    err = la_open(x->stack, now_of(x), local, to, (uint32_t)s->d.fd - x->config.fd_first, &s->conn);
    if (err == LA_EACCES)
        return -ENETUNREACH; /* as Linux says of broadcasts */
    if (err == LA_EADDRINUSE)
        return -EADDRNOTAVAIL; /* this 4-tuple is taken, and the port was asked for */
    if (err != LA_OK)
        return error_of(err);
    s->what = WHAT_CONN;
    s->told = 0;
    s->received = 0;
    s->error_taken = false;
    s->error = 0;
    s->remote = to;
    if (la_conn_info(x->stack, s->conn, &info) == LA_OK)
        s->local = info.local;
    return sock_options_apply(x, s);
}

/* connect() of a socket whose phase says that a connection is under way. */
static int connecting(struct la_sockets *x, struct sock *s)
{
    const struct conn_view v = sock_view(x, s);
    int err;

    if (v.opening)
        return -EALREADY;
    if (!v.closed) {
        s->phase = PHASE_CONNECTED;
        return 0;
    }
    err = sock_error_take(x, s);
    s->phase = PHASE_UNCONNECTED;
    sock_disconnect(x, s);
    return err != 0 ? err : -ECONNABORTED;
}

int la_sock_connect(struct la_sockets *x, int fd, const struct sockaddr *addr, uint32_t len)
{
    struct la_endpoint to;
    struct sock *s;
    int err = sock_at(x, fd, &s);

    if (err == 0)
        err = address_check(addr, len);
    if (err != 0)
        return err;
    if (len < sizeof(sa_family_t))
        return -EINVAL;
    if (addr->sa_family == AF_UNSPEC) {
        sock_disconnect(x, s);
        s->phase = PHASE_UNCONNECTED;
        return 0;
    }
    switch (s->phase) {
    case PHASE_CONNECTED:
        return -EISCONN;
    case PHASE_DISCONNECTING:
        return -EINVAL;
    case PHASE_CONNECTING:
        return connecting(x, s);
    case PHASE_UNCONNECTED:
        break;
    }
    if (s->what != WHAT_CLOSE)
        return -EISCONN;
    err = address_read(s, addr, len, false, &to);
    if (err == 0)
        err = open_to(x, s, to);
    if (err != 0)
        return err;
    s->phase = PHASE_CONNECTING;
    return -EINPROGRESS;
}

/* The FIN follows what was sent; nothing happens if it does already. */
static void finish(struct la_sockets *x, struct sock *s)
{
    const enum la_err err = la_shutdown(x->stack, now_of(x), s->conn, LA_SHUT_WR);

    if (err != LA_OK && err != LA_ENOTCONN)
        la_panic(__FILE__, __LINE__, "a connection is held by its socket");
}

/* Nobody will read what comes after both directions were shut: Linux resets the peer. */
static void refuse_text(struct la_sockets *x, struct sock *s)
{
    const enum la_err err = la_shutdown(x->stack, now_of(x), s->conn, LA_SHUT_TEXT);

    if (err != LA_OK && err != LA_ENOTCONN)
        la_panic(__FILE__, __LINE__, "a connection is held by its socket");
}

static void shut(struct la_sockets *x, struct sock *s, bool rd, bool wr)
{
    s->rd_shut |= rd;
    s->wr_shut |= wr;
    if (wr && s->what == WHAT_CONN)
        finish(x, s);
    if (s->rd_shut && s->wr_shut && s->what == WHAT_CONN)
        refuse_text(x, s);
}

int la_sock_shutdown(struct la_sockets *x, int fd, int how)
{
    struct conn_view v;
    struct sock *s;
    int err = sock_at(x, fd, &s);
    const bool rd = how == SHUT_RD || how == SHUT_RDWR;
    const bool wr = how == SHUT_WR || how == SHUT_RDWR;

    if (err != 0)
        return err;
    if (!rd && !wr)
        return -EINVAL;
    v = sock_view(x, s);
    if (s->phase == PHASE_CONNECTING)
        s->phase = v.opening || v.closed ? PHASE_DISCONNECTING : PHASE_CONNECTED;
    if (s->what == WHAT_LISTEN) {
        if (rd) {
            sock_disconnect(x, s);
            s->phase = PHASE_UNCONNECTED;
        }
    } else if (v.opening) {
        sock_disconnect(x, s);
        s->phase = PHASE_UNCONNECTED;
    } else {
        if (v.closed)
            err = -ENOTCONN;
        shut(x, s, rd, wr);
    }
    desc_wake(&s->d, 0);
    return err;
}

static bool unread(const struct la_sockets *x, const struct sock *s)
{
    struct la_conn_info info;

    return la_conn_info(x->stack, s->conn, &info) == LA_OK && info.rcv_queued_bytes > 0;
}

/* SO_LINGER.  Return: true if the descriptor must stay for the time being. */
static bool linger(struct la_sockets *x, struct sock *s)
{
    const struct conn_view v = sock_view(x, s);
    const la_time now = now_of(x);

    if (!s->set.linger || s->what != WHAT_CONN || unread(x, s))
        return false; /* unread bytes reset the peer, whatever lingers */
    if (s->set.linger_s == 0) {
        (void)la_abort(x->stack, now, s->conn);
        s->what = WHAT_CLOSE;
        return false;
    }
    if (v.closed || v.opening)
        return false;
    finish(x, s);
    refuse_text(x, s);
    if (!sock_stream_closing(x, s))
        return false;
    s->lingering = true;
    s->linger_until.ns = now.ns + s->set.linger_s * NS_PER_S;
    s->linger_next = x->lingering;
    x->lingering = s;
    return true;
}

int la_sock_close(struct la_sockets *x, int fd)
{
    struct desc *d = desc_closing_at(x, fd);
    struct sock *s = (struct sock *)d;

    if (d == NULL)
        return -EBADF;
    if (d->kind == DESC_EPOLL) {
        desc_remove(x, d);
        epoll_free(x, d);
        return 0;
    }
    if (!s->lingering && linger(x, s)) {
        desc_wake(d, 0);
        return -EINPROGRESS;
    }
    desc_remove(x, d);
    sock_free(x, s);
    return 0;
}

int la_sock_getsockname(struct la_sockets *x, int fd, struct sockaddr *addr, uint32_t *len)
{
    struct sock *s;
    const int err = sock_at(x, fd, &s);

    return err != 0 ? err : address_write(s, s->local, addr, len);
}

int la_sock_getpeername(struct la_sockets *x, int fd, struct sockaddr *addr, uint32_t *len)
{
    struct conn_view v;
    struct sock *s;
    const int err = sock_at(x, fd, &s);

    if (err != 0)
        return err;
    v = sock_view(x, s);
    if (s->what != WHAT_CONN || v.closed || v.opening)
        return -ENOTCONN;
    return address_write(s, s->remote, addr, len);
}
