/* SPDX-License-Identifier: MIT */
/* message.c - The many names under which bytes are sent and received: read() to sendmsg(). */
#include "posix/sockets.h"

#define IOV_COUNT_MAX 1024u /* UIO_MAXIOV */

static int64_t receive(struct la_sockets *x, int fd, const struct iovec *iov, size_t count,
                       int flags)
{
    struct sock *s;
    int err = sock_at(x, fd, &s);

    if (err == 0)
        err = recv_flags_check(flags);
    return err != 0 ? err : recv_some(x, s, iov, count, 0, flags);
}

static int64_t transmit(struct la_sockets *x, int fd, const struct iovec *iov, size_t count,
                        int flags)
{
    struct sock *s;
    int err = sock_at(x, fd, &s);

    if (err == 0)
        err = send_flags_check(flags);
    return err != 0 ? err : send_some(x, s, iov, count, 0, flags);
}

int64_t la_sock_recv(struct la_sockets *x, int fd, void *bytes, size_t len, int flags)
{
    const struct iovec iov = { .iov_base = bytes, .iov_len = len };

    return receive(x, fd, &iov, 1, flags);
}

int64_t la_sock_send(struct la_sockets *x, int fd, const void *bytes, size_t len, int flags)
{
    const struct iovec iov = { .iov_base = (void *)(uintptr_t)bytes, .iov_len = len };

    return transmit(x, fd, &iov, 1, flags);
}

/* read() and write() know files of every kind: what is no socket is an epoll here. */
static int file_check(const struct la_sockets *x, int fd)
{
    const struct desc *d = desc_at(x, fd);

    if (d == NULL)
        return -EBADF;
    return d->kind == DESC_SOCKET ? 0 : -EINVAL;
}

int64_t la_sock_readv(struct la_sockets *x, int fd, const struct iovec *iov, int count)
{
    const int err = file_check(x, fd);
    int64_t total;

    if (err != 0)
        return err;
    if (count < 0 || (uint32_t)count > IOV_COUNT_MAX)
        return -EINVAL;
    if (iov == NULL && count > 0)
        return -EFAULT;
    total = iov_total(iov, (size_t)count);
    if (total <= 0)
        return total; /* reading nothing is nothing, whatever the state */
    return receive(x, fd, iov, (size_t)count, 0);
}

int64_t la_sock_writev(struct la_sockets *x, int fd, const struct iovec *iov, int count)
{
    const int err = file_check(x, fd);

    if (err != 0)
        return err;
    if (count < 0 || (uint32_t)count > IOV_COUNT_MAX)
        return -EINVAL;
    if (iov == NULL && count > 0)
        return -EFAULT;
    return transmit(x, fd, iov, (size_t)count, 0);
}

int64_t la_sock_read(struct la_sockets *x, int fd, void *bytes, size_t len)
{
    const struct iovec iov = { .iov_base = bytes, .iov_len = len };

    return la_sock_readv(x, fd, &iov, 1);
}

int64_t la_sock_write(struct la_sockets *x, int fd, const void *bytes, size_t len)
{
    const struct iovec iov = { .iov_base = (void *)(uintptr_t)bytes, .iov_len = len };

    return la_sock_writev(x, fd, &iov, 1);
}

int64_t la_sock_recvfrom(struct la_sockets *x, int fd, void *bytes, size_t len, int flags,
                         struct sockaddr *addr, uint32_t *addr_len)
{
    const int64_t n = la_sock_recv(x, fd, bytes, len, flags);

    if (n < 0 || addr == NULL)
        return n;
    if (addr_len == NULL)
        return -EFAULT;
    *addr_len = 0; /* a stream does not say it again */
    return n;
}

int64_t la_sock_sendto(struct la_sockets *x, int fd, const void *bytes, size_t len, int flags,
                       const struct sockaddr *addr, uint32_t addr_len)
{
    struct sock *s;
    int err = sock_at(x, fd, &s);

    if (err == 0 && addr != NULL)
        err = address_check(addr, addr_len);
    return err != 0 ? err : la_sock_send(x, fd, bytes, len, flags);
}

int message_check(const struct msghdr *msg)
{
    if (msg == NULL)
        return -EFAULT;
    if (msg->msg_iovlen > IOV_COUNT_MAX)
        return -EMSGSIZE;
    return msg->msg_iov == NULL && msg->msg_iovlen > 0 ? -EFAULT : 0;
}

/* A stream names nobody and carries nothing beside. */
void message_received(struct msghdr *msg)
{
    msg->msg_namelen = 0;
    msg->msg_controllen = 0;
    msg->msg_flags = 0;
}

int64_t la_sock_recvmsg(struct la_sockets *x, int fd, struct msghdr *msg, int flags)
{
    struct sock *s;
    const int bad = sock_at(x, fd, &s);
    const int err = bad != 0 ? bad : message_check(msg);
    int64_t n;

    if (err != 0)
        return err;
    n = receive(x, fd, msg->msg_iov, msg->msg_iovlen, flags);
    if (n >= 0)
        message_received(msg);
    return n;
}

int64_t la_sock_sendmsg(struct la_sockets *x, int fd, const struct msghdr *msg, int flags)
{
    struct sock *s;
    const int bad = sock_at(x, fd, &s);
    const int err = bad != 0 ? bad : message_check(msg);

    if (err != 0)
        return err;
    if (msg->msg_controllen > 0)
        return -EINVAL; /* no control message means anything to TCP here */
    return transmit(x, fd, msg->msg_iov, msg->msg_iovlen, flags);
}
