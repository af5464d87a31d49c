/* SPDX-License-Identifier: MIT */
/* control.c - fcntl() and ioctl(), as far as they mean something to a socket. */
#include "posix/sockets.h"

#include <fcntl.h>
#include <sys/ioctl.h>

#include <linux/sockios.h>

#define SETTABLE (O_APPEND | O_ASYNC | O_DIRECT | O_NOATIME)

int la_sock_fcntl(struct la_sockets *x, int fd, int command, long argument)
{
    struct desc *d = desc_at(x, fd);

    if (d == NULL)
        return -EBADF;
    switch (command) {
    case F_GETFL:
        return O_RDWR | (d->nonblock ? O_NONBLOCK : 0);
    case F_SETFL:
        if (argument & SETTABLE)
            return -EINVAL; /* signals and the like are not implemented */
        d->nonblock = (argument & O_NONBLOCK) != 0;
        return 0;
    case F_GETFD:
        return d->cloexec ? FD_CLOEXEC : 0;
    case F_SETFD:
        d->cloexec = (argument & FD_CLOEXEC) != 0;
        return 0;
    default: /* an int by nature: duplicating, locks, owners, seals */
        return -EINVAL;
    }
}

/* Bytes the peer has not acknowledged; a FIN counts as one. */
static int outq(const struct la_conn_info *c)
{
    const bool fin = c->state == LA_FIN_WAIT_1 || c->state == LA_CLOSING || c->state == LA_LAST_ACK;

    return (int)c->snd_queued_bytes + (fin ? 1 : 0);
}

static int amount(struct la_sockets *x, const struct sock *s, unsigned long request, int *out)
{
    struct la_conn_info c;

    if (s->what == WHAT_LISTEN)
        return -EINVAL;
    *out = 0;
    if (s->what != WHAT_CONN || la_conn_info(x->stack, s->conn, &c) != LA_OK)
        return 0;
    if (c.state == LA_SYN_SENT || c.state == LA_SYN_RECEIVED)
        return 0;
    if (request == SIOCINQ)
        *out = (int)c.rcv_queued_bytes;
    else if (request == SIOCOUTQ)
        *out = outq(&c);
    else
        *out = outq(&c) - (int)(c.snd_nxt - c.snd_una);
    return 0;
}

int la_sock_ioctl(struct la_sockets *x, int fd, unsigned long request, void *argument)
{
    struct desc *d = desc_at(x, fd);
    int value, err;

    if (d == NULL)
        return -EBADF;
    switch (request) {
    case FIOCLEX:
    case FIONCLEX:
        d->cloexec = request == FIOCLEX;
        return 0;
    case FIONBIO:
        if (argument == NULL)
            return -EFAULT;
        memcpy(&value, argument, sizeof value);
        d->nonblock = value != 0;
        return 0;
    case SIOCINQ:
    case SIOCOUTQ:
    case SIOCOUTQNSD:
        if (d->kind != DESC_SOCKET)
            return -ENOTTY;
        if (argument == NULL)
            return -EFAULT;
        err = amount(x, (const struct sock *)d, request, &value);
        if (err == 0)
            memcpy(argument, &value, sizeof value);
        return err;
    default: /* an unsigned long by nature */
        return -ENOTTY;
    }
}
