/* SPDX-License-Identifier: MIT */
/* passive.c - socket(), bind(), listen(), accept4(): the side that waits. */
#include "posix/sockets.h"

#define TYPE_MASK 0xf
#define SOCK_MAX_TYPE 11
#define FAMILIES 46       /* AF_MAX */
#define PROTOCOLS_END 263 /* IPPROTO_MAX */
#define PROTO_ANY 0

int la_socket(struct la_sockets *x, int domain, int type, int protocol)
{
    const int flags = type & ~TYPE_MASK;
    struct sock *s;
    int fd;

    type &= TYPE_MASK;
    if (flags & ~(SOCK_NONBLOCK | SOCK_CLOEXEC))
        return -EINVAL;
    if (domain < 0 || domain >= FAMILIES)
        return -EAFNOSUPPORT;
    if (type >= SOCK_MAX_TYPE)
        return -EINVAL;
    if (domain != AF_INET && domain != AF_INET6)
        return -EAFNOSUPPORT;
    if (protocol < 0 || protocol >= PROTOCOLS_END)
        return -EINVAL;
    if (type != SOCK_STREAM)
        return -ESOCKTNOSUPPORT;
    if (protocol != PROTO_ANY && protocol != IPPROTO_TCP)
        return -EPROTONOSUPPORT;
    s = sock_new(x, domain == AF_INET6, flags);
    if (s == NULL)
        return -ENFILE;
    fd = desc_add(x, &s->d);
    if (fd < 0)
        sock_free(x, s);
    return fd;
}

/* May the socket stand at this address at all? */
static int bind_address(const struct la_sockets *x, const struct sock *s, struct la_addr addr)
{
    if (s->v6 && addr.bytes[0] == 0xff)
        return -EINVAL; /* a stream to a group */
    if (port_bound(x, s))
        return 0; /* told by the caller, after the family's own checks */
    if (s->v6 && la_addr_is_v4(addr) && s->set.v6only)
        return -EINVAL;
    if (!la_addr_is_unspecified(addr) && !la_addr_is_local(x->stack, addr))
        return -EADDRNOTAVAIL;
    return 0;
}

int la_sock_bind(struct la_sockets *x, int fd, const struct sockaddr *addr, uint32_t len)
{
    struct la_endpoint to, before;
    struct sock *s;
    bool v6only;
    int err = sock_at(x, fd, &s);

    if (err == 0)
        err = address_check(addr, len);
    if (err == 0)
        err = address_read(s, addr, len, true, &to);
    if (err == 0 && !s->v6 && !la_addr_is_unspecified(to.addr) &&
        !la_addr_is_local(x->stack, to.addr))
        err = -EADDRNOTAVAIL;
    if (err == 0)
        err = bind_address(x, s, to.addr);
    if (err != 0)
        return err;
    if (port_bound(x, s))
        return -EINVAL;
    port_drop(x, s);
    before = s->local;
    v6only = s->set.v6only;
    s->local = to;
    if (s->v6 && !la_addr_is_unspecified(to.addr) && !la_addr_is_v4(to.addr))
        s->set.v6only = true; /* as on Linux: such an address has no IPv4 part */
    if (to.port != 0)
        err = port_conflict(x, s, to.port, true) ? -EADDRINUSE : 0;
    else if (!s->set.no_port)
        err = port_for_bind(x, s, &s->local.port);
    if (err != 0) {
        s->local = before;
        s->set.v6only = v6only;
        return err;
    }
    s->addr_locked = !la_addr_is_unspecified(to.addr);
    s->port_locked = to.port != 0;
    s->bound_again = s->what == WHAT_CONN;
    if (s->local.port != 0)
        port_hold(x, s);
    return 0;
}

static int begin_listening(struct la_sockets *x, struct sock *s, uint32_t backlog)
{
    struct la_listen_config config = {
        .local = la_prefix_host(s->local.addr),
        .port = s->local.port,
        .v6_only = s->v6 && s->set.v6only,
        .reuse_port = sock_option(x, s, LA_OPT_REUSEPORT) != 0,
        .backlog = backlog,
        .user = (uint32_t)s->d.fd - x->config.fd_first,
    };
    enum la_err err;

    if (la_addr_is_unspecified(s->local.addr))
        config.local =
            s->v6 && !la_addr_is_v4(s->local.addr) ? la_prefix_any() : la_prefix_any_v4();
    err = la_listen(x->stack, now_of(x), &config, &s->listener);
    if (err != LA_OK)
        return error_of(err);
    s->what = WHAT_LISTEN;
    s->told = 0;
    err = la_listener_set_option(x->stack, s->listener, LA_OPT_DEFER_ACCEPT, s->set.defer_accept_s);
    if (err != LA_OK)
        return error_of(err);
    return sock_options_apply(x, s);
}

int la_sock_listen(struct la_sockets *x, int fd, int backlog)
{
    uint64_t most = 0;
    struct sock *s;
    int err = sock_at(x, fd, &s);
    bool chosen;

    if (err != 0)
        return err;
    if (la_sysctl_get(x->stack, "net.core.somaxconn", &most) != LA_OK)
        la_panic(__FILE__, __LINE__, "somaxconn is a sysctl of every stack");
    if ((uint32_t)backlog > most)
        backlog = (int)most;
    if (s->phase != PHASE_UNCONNECTED || s->what == WHAT_CONN)
        return -EINVAL;
    if (s->what == WHAT_LISTEN)
        return error_of(la_listener_set_backlog(x->stack, s->listener, (uint32_t)backlog));
    chosen = !s->on_port;
    if (chosen) {
        err = port_for_bind(x, s, &s->local.port);
        if (err != 0)
            return err;
        port_hold(x, s);
    } else if (port_conflict(x, s, s->local.port, true)) {
        return -EADDRINUSE;
    }
    err = begin_listening(x, s, (uint32_t)backlog);
    if (err != 0 && chosen)
        port_drop(x, s);
    return err;
}

/* The new socket takes after its listener (sk_clone()). */
static void take_after(struct sock *child, const struct sock *parent)
{
    child->set = parent->set;
    child->set.core_set = parent->set.core_set;
    child->set.defer_accept_s = 0;
    child->phase = PHASE_CONNECTED;
    child->what = WHAT_CONN;
}

static int accept_into(struct la_sockets *x, struct sock *listener, struct sock *s)
{
    struct la_accepted accepted;
    const enum la_err err = la_accept(x->stack, now_of(x), listener->listener,
                                      (uint32_t)s->d.fd - x->config.fd_first, &accepted);

    if (err != LA_OK)
        return error_of(err);
    if (listener->told > 0)
        listener->told--;
    take_after(s, listener);
    s->conn = accepted.conn;
    s->local = accepted.local;
    s->remote = accepted.remote;
    return sock_options_apply(x, s);
}

/* How often EMFILE in a row makes a loop. */
#define REFUSED_LOOP 16

static void note_refused(struct la_sockets *x, int fd)
{
    struct la_listener_info queue;
    struct sock *s;

    if (sock_at(x, fd, &s) != 0 || s->what != WHAT_LISTEN ||
        la_listener_info(x->stack, s->listener, &queue) != LA_OK || queue.accept_len == 0)
        return;
    if (++s->refused == REFUSED_LOOP &&
        la_finding_no_fd(x->stack, now_of(x), s->listener, s->refused) != LA_OK)
        la_panic(__FILE__, __LINE__, "a listener is held by its socket alone");
}

int la_sock_accept4(struct la_sockets *x, int fd, struct sockaddr *addr, uint32_t *len, int flags)
{
    struct la_listener_info queue;
    struct sock *listener, *s;
    int err, new_fd;

    if (flags & ~(SOCK_NONBLOCK | SOCK_CLOEXEC))
        return -EINVAL;
    if (desc_at(x, fd) == NULL)
        return -EBADF;
    if (fdmap_full(&x->map, x->use.nofile)) {
        x->use.refused++;
        note_refused(x, fd);
        return -EMFILE; /* the connection stays in the queue */
    }
    err = sock_at(x, fd, &listener);
    if (err != 0)
        return err;
    if (listener->what != WHAT_LISTEN)
        return -EINVAL;
    if (la_listener_info(x->stack, listener->listener, &queue) != LA_OK || queue.accept_len == 0)
        return -EAGAIN;
    s = sock_new(x, listener->v6, flags);
    if (s == NULL)
        return -ENFILE;
    new_fd = desc_add(x, &s->d);
    listener->refused = 0;
    err = accept_into(x, listener, s);
    if (err == 0 && addr != NULL)
        err = address_write(s, s->remote, addr, len);
    if (err != 0) {
        desc_remove(x, &s->d);
        sock_free(x, s);
        return err;
    }
    return new_fd;
}
