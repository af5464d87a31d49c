/* SPDX-License-Identifier: MIT */
/*
 * address.c - struct sockaddr in and out.
 *
 * Inside there is one kind of address, IPv4 in its mapped form; the socket's family decides
 * how it is read and shown.  The order of the checks is Linux's, for the errno of a call
 * with two faults is that of the first.
 */
#include "posix/sockets.h"

#include <arpa/inet.h>

#define SIN6_LEN_RFC2133 24u

int address_check(const struct sockaddr *addr, uint32_t len)
{
    if (len > sizeof(struct sockaddr_storage))
        return -EINVAL;
    return addr == NULL && len > 0 ? -EFAULT : 0;
}

static void read4(const struct sockaddr_in *in, struct la_endpoint *out)
{
    uint8_t b[4];

    memcpy(b, &in->sin_addr, 4);
    out->addr = la_addr_v4(b[0], b[1], b[2], b[3]);
    if (la_addr_is_unspecified(out->addr))
        out->addr = (struct la_addr){ { 0 } };
    out->port = ntohs(in->sin_port);
}

int address_read(const struct sock *s, const struct sockaddr *addr, uint32_t len, bool bind,
                 struct la_endpoint *out)
{
    struct sockaddr_in6 in6 = { 0 };
    struct sockaddr_in in = { 0 };

    if (!s->v6) {
        if (len < sizeof in)
            return -EINVAL;
        memcpy(&in, addr, sizeof in);
        if (in.sin_family != AF_INET &&
            !(bind && in.sin_family == AF_UNSPEC && in.sin_addr.s_addr == INADDR_ANY))
            return -EAFNOSUPPORT;
        read4(&in, out);
        return 0;
    }
    if (len < SIN6_LEN_RFC2133)
        return -EINVAL;
    memcpy(&in6, addr, len < sizeof in6 ? len : sizeof in6);
    if (in6.sin6_family != AF_INET6)
        return -EAFNOSUPPORT;
    memcpy(out->addr.bytes, &in6.sin6_addr, 16);
    out->port = ntohs(in6.sin6_port);
    return 0;
}

int address_write(const struct sock *s, struct la_endpoint from, struct sockaddr *addr,
                  uint32_t *len)
{
    struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(from.port) };
    struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(from.port) };
    const void *bytes = s->v6 ? (const void *)&in6 : (const void *)&in;
    const uint32_t size = s->v6 ? sizeof in6 : sizeof in;

    if (len == NULL || (addr == NULL && *len > 0))
        return -EFAULT;
    if (*len > INT32_MAX)
        return -EINVAL;
    memcpy(&in.sin_addr, from.addr.bytes + 12, 4);
    memcpy(&in6.sin6_addr, from.addr.bytes, 16);
    if (*len > 0)
        memcpy(addr, bytes, *len < size ? *len : size);
    *len = size;
    return 0;
}
