/* SPDX-License-Identifier: MIT */
/* message.c - The many names under which bytes are sent and received: read() to sendmsg(). */
#include "posix/sockets.h"

#include <linux/tcp.h>

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
int file_check(const struct la_sockets *x, int fd, const struct iovec *iov, size_t count)
{
    const struct desc *d = desc_at(x, fd);

    if (d == NULL)
        return -EBADF;
    if (d->kind != DESC_SOCKET || count > IOV_COUNT_MAX)
        return -EINVAL;
    return iov == NULL && count > 0 ? -EFAULT : 0;
}

int64_t la_sock_readv(struct la_sockets *x, int fd, const struct iovec *iov, int count)
{
    const int err = file_check(x, fd, iov, (size_t)count);
    int64_t total;

    if (err != 0)
        return err;
    total = iov_total(iov, (size_t)count);
    if (total <= 0)
        return total; /* reading nothing is nothing, whatever the state */
    return receive(x, fd, iov, (size_t)count, 0);
}

int64_t la_sock_writev(struct la_sockets *x, int fd, const struct iovec *iov, int count)
{
    const int err = file_check(x, fd, iov, (size_t)count);

    if (err != 0)
        return err;
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

/* put_cmsg(): as much of one message as there is room for, and MSG_CTRUNC where it is less. */
static void put_control(struct msghdr *msg, size_t room, int level, int type, int value)
{
    struct cmsghdr head = { .cmsg_level = level, .cmsg_type = type };
    uint8_t *to = msg->msg_control;
    size_t len = CMSG_LEN(sizeof value), space = CMSG_SPACE(sizeof value);

    if (room < len)
        msg->msg_flags |= MSG_CTRUNC;
    if (to == NULL || room < sizeof head)
        return;
    if (room < len)
        len = room;
    head.cmsg_len = len;
    memcpy(to, &head, sizeof head);
    memcpy(to + sizeof head, &value, len - sizeof head);
    msg->msg_controllen = room < space ? room : space;
}

/* tcp_inq_hint(): the peer's FIN counts as a byte, so that somebody comes back to read it. */
static int inq_hint(const struct la_sockets *x, const struct sock *s)
{
    struct la_conn_info c;

    if (s->what != WHAT_CONN || la_conn_info(x->stack, s->conn, &c) != LA_OK)
        return 0;
    return (int)c.rcv_queued_bytes + (sock_view(x, s).eof ? 1 : 0);
}

/* A stream names nobody. */
void message_received(const struct la_sockets *x, const struct sock *s, struct msghdr *msg)
{
    const size_t room = msg->msg_controllen;

    msg->msg_namelen = 0;
    msg->msg_controllen = 0;
    msg->msg_flags = 0;
    if (s->set.inq)
        put_control(msg, room, IPPROTO_TCP, TCP_CM_INQ, inq_hint(x, s));
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
        message_received(x, s, msg);
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
