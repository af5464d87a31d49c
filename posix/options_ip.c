/* SPDX-License-Identifier: MIT */
/*
 * options_ip.c - The levels IPPROTO_IP and IPPROTO_IPV6.
 *
 * IP_TTL and IPV6_UNICAST_HOPS, IP_TOS and IPV6_TCLASS are two values each; the family a
 * connection speaks decides which one its packets carry.
 */
#include "posix/options.h"

static int default_hops(const struct la_sockets *x)
{
    uint64_t value = 64;

    if (la_sysctl_get(x->stack, "net.ipv4.ip_default_ttl", &value) != LA_OK)
        la_panic(__FILE__, __LINE__, "a sysctl that every stack has");
    return (int)value;
}

int opt_get_ttl(struct la_sockets *x, struct sock *s, struct optbuf *b)
{
    return opt_put_int(b, s->set.ttl >= 0 ? s->set.ttl : default_hops(x));
}

int opt_get_hops(struct la_sockets *x, struct sock *s, struct optbuf *b)
{
    return opt_put_int(b, s->set.hops >= 0 ? s->set.hops : default_hops(x));
}

int opt_set_ttl(struct la_sockets *x, struct sock *s, const struct optbuf *b)
{
    int value;

    if (b->len == 0)
        return -EINVAL;
    (void)opt_int_or_byte(b, &value);
    if (value != -1 && (value < 1 || value > 255))
        return -EINVAL;
    s->set.ttl = value;
    return opt_ip_changed(x, s);
}

int opt_set_hops(struct la_sockets *x, struct sock *s, const struct optbuf *b)
{
    int value;
    const int err = opt_int(b, &value);

    if (err != 0)
        return err;
    if (value != -1 && (value < 1 || value > 255))
        return -EINVAL;
    s->set.hops = value;
    return opt_ip_changed(x, s);
}

#define ECN_BITS 3

int opt_get_tos(struct la_sockets *x, struct sock *s, struct optbuf *b)
{
    (void)x;
    return opt_put_int(b, s->set.tos);
}

int opt_set_tos(struct la_sockets *x, struct sock *s, const struct optbuf *b)
{
    int value;

    (void)opt_int_or_byte(b, &value);
    s->set.tos = value & 0xff & ~ECN_BITS;
    return opt_ip_changed(x, s);
}

int opt_get_tclass(struct la_sockets *x, struct sock *s, struct optbuf *b)
{
    (void)x;
    return opt_put_int(b, s->set.tclass);
}

int opt_set_tclass(struct la_sockets *x, struct sock *s, const struct optbuf *b)
{
    int value;
    const int err = opt_int(b, &value);

    if (err != 0)
        return err;
    if (value < -1 || value > 0xff)
        return -EINVAL;
    s->set.tclass = value < 0 ? 0 : value & ~ECN_BITS;
    return opt_ip_changed(x, s);
}

int opt_get_mtu(struct la_sockets *x, struct sock *s, struct optbuf *b)
{
    struct la_conn_info info;

    if (s->what != WHAT_CONN || la_conn_info(x->stack, s->conn, &info) != LA_OK ||
        info.state == LA_CLOSED)
        return -ENOTCONN;
    return opt_put_int(b, (int)info.path_mtu_bytes);
}

/* Linux's IP_PMTUDISC_* and IPV6_PMTUDISC_*, which are the same numbers. */
enum { DISCOVER_WANT = 1, DISCOVER_DO = 2, DISCOVER_OMIT = 5 };

/* What is kept is the distance from the default. */
static int put_discover(struct optbuf *b, bool strict)
{
    return opt_put_int(b, strict ? DISCOVER_DO : DISCOVER_WANT);
}

static int take_discover(int value, bool *strict)
{
    if (value < 0 || value > DISCOVER_OMIT)
        return -EINVAL;
    if (value != DISCOVER_WANT && value != DISCOVER_DO)
        return -ENOPROTOOPT;
    *strict = value == DISCOVER_DO;
    return 0;
}

int opt_get_mtudiscover(struct la_sockets *x, struct sock *s, struct optbuf *b)
{
    (void)x;
    return put_discover(b, s->set.mtu_strict);
}

int opt_set_mtudiscover(struct la_sockets *x, struct sock *s, const struct optbuf *b)
{
    int value;

    (void)x;
    (void)opt_int_or_byte(b, &value);
    return take_discover(value, &s->set.mtu_strict);
}

int opt_get_mtudiscover6(struct la_sockets *x, struct sock *s, struct optbuf *b)
{
    (void)x;
    return put_discover(b, s->set.mtu_strict6);
}

int opt_set_mtudiscover6(struct la_sockets *x, struct sock *s, const struct optbuf *b)
{
    int value;
    const int err = opt_int(b, &value);

    (void)x;
    return err != 0 ? err : take_discover(value, &s->set.mtu_strict6);
}

int opt_get_noport(struct la_sockets *x, struct sock *s, struct optbuf *b)
{
    (void)x;
    return opt_put_int(b, s->set.no_port);
}

int opt_set_noport(struct la_sockets *x, struct sock *s, const struct optbuf *b)
{
    int value;

    (void)x;
    (void)opt_int_or_byte(b, &value);
    s->set.no_port = value != 0;
    return 0;
}

int opt_get_v6only(struct la_sockets *x, struct sock *s, struct optbuf *b)
{
    (void)x;
    return opt_put_int(b, s->set.v6only);
}

int opt_set_v6only(struct la_sockets *x, struct sock *s, const struct optbuf *b)
{
    int value;

    if (b->len < sizeof value || port_bound(x, s))
        return -EINVAL;
    (void)opt_int(b, &value);
    s->set.v6only = value != 0;
    return 0;
}

int opt_get_portrange(struct la_sockets *x, struct sock *s, struct optbuf *b)
{
    (void)x;
    return opt_put_int(b, (int)(s->set.port_min | (uint32_t)s->set.port_max << 16));
}

int opt_set_portrange(struct la_sockets *x, struct sock *s, const struct optbuf *b)
{
    int value;
    const int err = opt_int(b, &value);
    uint16_t low, high;

    (void)x;
    if (err != 0)
        return err;
    low = (uint16_t)(uint32_t)value;
    high = (uint16_t)((uint32_t)value >> 16);
    if (low != 0 && high != 0 && low > high)
        return -EINVAL;
    s->set.port_min = low;
    s->set.port_max = high;
    return 0;
}
