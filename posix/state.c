/* SPDX-License-Identifier: MIT */
/*
 * state.c - A socket's state as Linux's calls see it, read from the core.
 *
 * The core tells a mask, from which all that calls ask follows: HANGUP is TCP_CLOSE, neither
 * CONNECTED nor HANGUP is SYN_SENT.  A shutdown for reading stays here: as on Linux it ends
 * reading, but what has come, or still comes, can be read.
 */
#include "posix/sockets.h"

struct sock *sock_new(struct la_sockets *x, bool v6, int flags)
{
    struct sock *s = calloc(1, sizeof *s);

    if (s == NULL)
        return NULL;
    s->d.kind = DESC_SOCKET;
    s->d.nonblock = (flags & SOCK_NONBLOCK) != 0;
    s->d.cloexec = (flags & SOCK_CLOEXEC) != 0;
    s->v6 = v6;
    s->cookie = ++x->cookies;
    sock_settings_init(&s->set);
    return s;
}

static void drop_core(struct la_sockets *x, struct sock *s)
{
    if (s->what == WHAT_CONN)
        (void)la_close(x->stack, now_of(x), s->conn);
    else if (s->what == WHAT_LISTEN && la_listener_close(x->stack, now_of(x), s->listener) != LA_OK)
        la_panic(__FILE__, __LINE__, "a listener is held by its socket alone");
    s->what = WHAT_CLOSE;
}

static void unlink_lingering(struct la_sockets *x, struct sock *s)
{
    struct sock **at = &x->lingering;

    while (*at != NULL && *at != s)
        at = &(*at)->linger_next;
    if (*at != NULL)
        *at = s->linger_next;
}

void sock_free(struct la_sockets *x, struct sock *s)
{
    drop_core(x, s);
    port_drop(x, s);
    unlink_lingering(x, s);
    free(s);
}

struct conn_view sock_view(const struct la_sockets *x, const struct sock *s)
{
    struct conn_view v = { .closed = true, .rcv_shut = s->rd_shut, .snd_shut = s->wr_shut };

    if (s->what != WHAT_CONN) {
        v.closed = s->what == WHAT_CLOSE;
        return v;
    }
    v.mask = la_ready(x->stack, s->conn);
    v.closed = (v.mask & LA_HANGUP) != 0;
    v.opening = !v.closed && !(v.mask & LA_CONNECTED);
    v.eof = (v.mask & LA_PEER_CLOSED) != 0;
    v.rcv_shut |= v.closed || v.eof;
    v.snd_shut |= v.closed;
    return v;
}

int sock_error_peek(const struct la_sockets *x, struct sock *s)
{
    if (s->error == 0 && s->what == WHAT_CONN && !s->error_taken) {
        const enum la_err err = la_conn_error(x->stack, s->conn, NULL);

        if (err != LA_OK) {
            s->error = la_errno(err);
            s->error_taken = true;
        }
    }
    return s->error;
}

int sock_error_take(const struct la_sockets *x, struct sock *s)
{
    const int error = sock_error_peek(x, s);

    s->error = 0;
    return -error;
}

/* TCP states in which Linux's disconnect resets the peer, or tells that it did. */
static bool disconnect_is_reset(const struct la_conn_info *info)
{
    const uint32_t set = 1u << LA_SYN_SENT | 1u << LA_SYN_RECEIVED | 1u << LA_ESTABLISHED |
                         1u << LA_CLOSE_WAIT | 1u << LA_FIN_WAIT_1 | 1u << LA_FIN_WAIT_2;
    const uint32_t ending = 1u << LA_CLOSING | 1u << LA_LAST_ACK;

    return (set >> info->state & 1) != 0 ||
           ((ending >> info->state & 1) != 0 && info->snd_queued_bytes > 0);
}

void sock_disconnect(struct la_sockets *x, struct sock *s)
{
    const bool had_port =
        s->port_locked || s->bound_again || s->what == WHAT_CLOSE; /* as far as bind() gave it */
    struct la_conn_info info;

    if (s->what == WHAT_CONN) {
        (void)sock_error_peek(x, s);
        if (la_conn_info(x->stack, s->conn, &info) == LA_OK && disconnect_is_reset(&info))
            s->error = ECONNRESET;
        (void)la_abort(x->stack, now_of(x), s->conn);
        s->what = WHAT_CLOSE;
    }
    drop_core(x, s);
    if (!had_port)
        port_drop(x, s);
    if (!s->addr_locked)
        s->local.addr = (struct la_addr){ { 0 } };
    s->remote = (struct la_endpoint){ .port = 0 };
    s->rd_shut = s->wr_shut = false;
    s->error_taken = s->nospace = s->bound_again = false;
    s->told = 0;
    desc_wake(&s->d, (uint32_t)EPOLLERR); /* sk_error_report() */
}

bool sock_stream_closing(const struct la_sockets *x, const struct sock *s)
{
    struct la_conn_info info;

    if (s->what != WHAT_CONN || la_conn_info(x->stack, s->conn, &info) != LA_OK)
        return false;
    return info.state == LA_FIN_WAIT_1 || info.state == LA_CLOSING || info.state == LA_LAST_ACK;
}

/* The time is up, or there is nothing left to wait for: the connection is nobody's now. */
void sock_linger_end(struct la_sockets *x, struct sock *s)
{
    unlink_lingering(x, s);
    drop_core(x, s);
}
