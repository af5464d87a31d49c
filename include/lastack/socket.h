/* SPDX-License-Identifier: MIT */
/*
 * socket.h - Sockets: the calls of BSD and Linux, on a stack of one's own.
 *
 * Two faces.  The first, la_sock_*() and la_epoll_*(), never waits and belongs to one thread,
 * the one that owns the stack.  The second, la_mt_*(), waits and may be called from any
 * thread; it drives its stack itself.
 *
 * Every call takes what the system call of its name takes, and returns what that returns
 * but for errors: a negative errno of Linux, so nothing depends on the thread that calls.
 * Descriptors are numbers of this layer, lowest first; they mean nothing to the kernel.
 * docs/options.md lists every option and every flag with what it does or how it is refused:
 * nothing is taken and ignored.
 *
 * Two things are not as on Linux.  Nobody is ever sent SIGPIPE: -EPIPE is all.  And a close
 * that has to linger (SO_LINGER with a time) can not wait in the first face: it returns
 * -EINPROGRESS, see la_sock_close().
 *
 * The structs are those of <sys/socket.h>, <sys/uio.h>, <poll.h> and <sys/epoll.h>.
 */
#ifndef LASTACK_SOCKET_H
#define LASTACK_SOCKET_H

#include <lastack/lastack.h>
#include <lastack/runtime.h>

#ifdef __cplusplus
extern "C" {
#endif

struct sockaddr;
struct iovec;
struct msghdr;
struct pollfd;
struct epoll_event;

/* A table of descriptors over one stack --------------------------------------------- */

struct la_sockets;

struct la_sockets_config {
    struct la_stack *stack;
    la_time (*now)(void *context); /* the time of the stack; asked once a call */
    /* Events of connections that no descriptor holds.  NULL: there are none. */
    void (*on_foreign)(void *context, const struct la_event *event);
    void *context;
    uint32_t nofile;     /* descriptors at a time, RLIMIT_NOFILE of this table; 0 = 1024 */
    uint32_t fd_first;   /* the lowest descriptor */
    uint32_t sndbuf_max; /* net.core.wmem_max; 0 = 212992 */
    uint32_t rcvbuf_max; /* net.core.rmem_max; 0 = 212992 */
};

/* Options that only lastack has, at the level IPPROTO_TCP: docs/options.md. */
#define LA_TCP_MSL 0x4c01

#define LA_NOFILE_MAX (1u << 20)

/* Return: NULL with errno set (EINVAL, ENOMEM). */
struct la_sockets *la_sockets_new(const struct la_sockets_config *config);
/* Closes what is open, as the end of a process does; nothing lingers.  The stack stays. */
void la_sockets_free(struct la_sockets *x);

/*
 * la_sockets_turn() - Take the stack's events and let what lingers end.
 *
 * Every call that looks at readiness does this first.  A loop calls it after each la_rx()
 * and la_tick(), for epolls of epolls and for whoever waits in steps.  Cost: O(events).
 */
void la_sockets_turn(struct la_sockets *x);
/* One event, for who takes la_events() himself.  Return: false if it is none of ours. */
bool la_sockets_event(struct la_sockets *x, const struct la_event *event);
/* When la_sockets_turn() is due although no packet came: the end of a linger. */
la_time la_sockets_deadline(const struct la_sockets *x);

/* Raise or lower the limit; descriptors that are open stay.  -EINVAL beyond LA_NOFILE_MAX. */
int la_sockets_set_nofile(struct la_sockets *x, uint32_t nofile);
/* The bounds of SO_SNDBUF and SO_RCVBUF from now on; 0 leaves one.  Sockets keep what they have. */
void la_sockets_set_buffer_max(struct la_sockets *x, uint32_t sndbuf_max, uint32_t rcvbuf_max);
struct la_sockets_use {
    uint32_t open, open_max, nofile;
    uint64_t refused;    /* calls that found no descriptor free */
    uint64_t port_walks; /* bind() and listen() calls that had to look at every connection */
};
struct la_sockets_use la_sockets_use(const struct la_sockets *x);

/* The errno, positive, that stands for an error of the core. */
int la_errno(enum la_err err);

/* What stands behind a descriptor, for la_conn_info() and la_listener_info(); zero if nothing. */
la_conn_id la_sock_conn(const struct la_sockets *x, int fd);
la_listener_id la_sock_listener(const struct la_sockets *x, int fd);

/* Sockets ------------------------------------------------------------------------------ */

/* AF_INET and AF_INET6, SOCK_STREAM with SOCK_NONBLOCK and SOCK_CLOEXEC, protocol 0 or TCP. */
int la_socket(struct la_sockets *x, int domain, int type, int protocol);
int la_sock_bind(struct la_sockets *x, int fd, const struct sockaddr *addr, uint32_t len);
int la_sock_listen(struct la_sockets *x, int fd, int backlog);
int la_sock_accept4(struct la_sockets *x, int fd, struct sockaddr *addr, uint32_t *len, int flags);
int la_sock_connect(struct la_sockets *x, int fd, const struct sockaddr *addr, uint32_t len);
int la_sock_shutdown(struct la_sockets *x, int fd, int how);
/*
 * la_sock_close() - Give a descriptor back.
 *
 * With SO_LINGER and a time, and data or FIN that the peer has not acknowledged, it returns
 * -EINPROGRESS.  The number then still stands for the closing: only poll, epoll and close
 * know it.  It shows EPOLLHUP when the peer has acknowledged or the time is up, and the
 * second close, whenever it comes, gives the number back.
 */
int la_sock_close(struct la_sockets *x, int fd);
int la_sock_getsockname(struct la_sockets *x, int fd, struct sockaddr *addr, uint32_t *len);
int la_sock_getpeername(struct la_sockets *x, int fd, struct sockaddr *addr, uint32_t *len);
int la_sock_setsockopt(struct la_sockets *x, int fd, int level, int name, const void *value,
                       uint32_t len);
int la_sock_getsockopt(struct la_sockets *x, int fd, int level, int name, void *value,
                       uint32_t *len);
/* F_GETFL, F_SETFL, F_GETFD, F_SETFD. */
int la_sock_fcntl(struct la_sockets *x, int fd, int command, long argument);
/* FIONREAD (SIOCINQ), SIOCOUTQ (TIOCOUTQ), SIOCOUTQNSD, FIONBIO, FIOCLEX, FIONCLEX. */
int la_sock_ioctl(struct la_sockets *x, int fd, unsigned long request, void *argument);

int64_t la_sock_read(struct la_sockets *x, int fd, void *bytes, size_t len);
int64_t la_sock_write(struct la_sockets *x, int fd, const void *bytes, size_t len);
int64_t la_sock_readv(struct la_sockets *x, int fd, const struct iovec *iov, int count);
int64_t la_sock_writev(struct la_sockets *x, int fd, const struct iovec *iov, int count);
int64_t la_sock_recv(struct la_sockets *x, int fd, void *bytes, size_t len, int flags);
int64_t la_sock_send(struct la_sockets *x, int fd, const void *bytes, size_t len, int flags);
int64_t la_sock_recvfrom(struct la_sockets *x, int fd, void *bytes, size_t len, int flags,
                         struct sockaddr *addr, uint32_t *addr_len);
int64_t la_sock_sendto(struct la_sockets *x, int fd, const void *bytes, size_t len, int flags,
                       const struct sockaddr *addr, uint32_t addr_len);
int64_t la_sock_recvmsg(struct la_sockets *x, int fd, struct msghdr *msg, int flags);
int64_t la_sock_sendmsg(struct la_sockets *x, int fd, const struct msghdr *msg, int flags);

/* Readiness ---------------------------------------------------------------------------- */

/* As poll() with a time of zero. */
int la_sock_poll(struct la_sockets *x, struct pollfd *fds, uint64_t count);
int la_epoll_create1(struct la_sockets *x, int flags);
int la_epoll_ctl(struct la_sockets *x, int epfd, int op, int fd, struct epoll_event *event);
/* As epoll_wait() with a time of zero. */
int la_epoll_wait(struct la_sockets *x, int epfd, struct epoll_event *events, int max);

/* Calls that wait, in steps -------------------------------------------------------------- */

/*
 * A call that may have to wait, for who has a way of waiting of his own: a thread, or
 * virtual time.  Zero it, fill in the arguments of the operation, call la_sock_step() until
 * it returns something other than LA_SOCK_PENDING: at once, after each la_sockets_turn(),
 * and when @deadline has come.  O_NONBLOCK, MSG_DONTWAIT, SO_RCVTIMEO, SO_SNDTIMEO,
 * SO_LINGER and the time of poll are honoured here.
 */
enum la_sock_op {
    LA_SOCK_ACCEPT,     /* fd, addr, addr_len, flags */
    LA_SOCK_CONNECT,    /* fd, to, to_len */
    LA_SOCK_RECV,       /* fd, msg, flags */
    LA_SOCK_SEND,       /* fd, msg (not changed), flags */
    LA_SOCK_READV,      /* fd, msg's msg_iov: as readv(), which differs from recv() in errors */
    LA_SOCK_WRITEV,     /* and in that reading nothing waits for nothing */
    LA_SOCK_POLL,       /* fds, count, timeout_ms */
    LA_SOCK_EPOLL_WAIT, /* fd, events, max, timeout_ms */
    LA_SOCK_CLOSE,      /* fd */
};

struct la_sock_call {
    enum la_sock_op op;
    int fd;
    int flags;
    struct msghdr *msg;
    struct sockaddr *addr;
    uint32_t *addr_len;
    const struct sockaddr *to;
    uint32_t to_len;
    struct pollfd *fds;
    uint64_t count;
    struct epoll_event *events;
    int max;
    int timeout_ms; /* negative: for ever */
    /* Kept between steps. */
    bool begun;
    la_time deadline; /* LA_TIME_NEVER if only an event can end it */
    uint64_t done;    /* bytes */
};

#define LA_SOCK_PENDING INT64_MIN

int64_t la_sock_step(struct la_sockets *x, struct la_sock_call *call);

/* Threads -------------------------------------------------------------------------------- */

/*
 * A stack with a thread that drives it, and sockets that wait, for ordinary programs.  One
 * mutex guards the stack; whoever waits has a condition of his own, so that an event wakes
 * only those it is for.
 */
struct la_mt;

struct la_mt_config {
    struct la_stack *stack;
    struct la_rt_driver *driver;
    int iface; /* what la_iface_add() gave for the driver */
    uint32_t nofile;
};

/* Starts the thread.  Return: NULL with errno set. */
struct la_mt *la_mt_new(const struct la_mt_config *config);
/* Everybody else must have returned from their calls.  Stack and driver stay the caller's. */
void la_mt_free(struct la_mt *m);
/* Run a function while the stack stands still: to look at it, or for calls that have no face here. */
void la_mt_with(struct la_mt *m,
                void (*function)(void *context, struct la_stack *s, struct la_sockets *x),
                void *context);

int la_mt_socket(struct la_mt *m, int domain, int type, int protocol);
int la_mt_bind(struct la_mt *m, int fd, const struct sockaddr *addr, uint32_t len);
int la_mt_listen(struct la_mt *m, int fd, int backlog);
int la_mt_accept4(struct la_mt *m, int fd, struct sockaddr *addr, uint32_t *len, int flags);
int la_mt_connect(struct la_mt *m, int fd, const struct sockaddr *addr, uint32_t len);
int la_mt_shutdown(struct la_mt *m, int fd, int how);
int la_mt_close(struct la_mt *m, int fd);
int la_mt_getsockname(struct la_mt *m, int fd, struct sockaddr *addr, uint32_t *len);
int la_mt_getpeername(struct la_mt *m, int fd, struct sockaddr *addr, uint32_t *len);
int la_mt_setsockopt(struct la_mt *m, int fd, int level, int name, const void *value, uint32_t len);
int la_mt_getsockopt(struct la_mt *m, int fd, int level, int name, void *value, uint32_t *len);
int la_mt_fcntl(struct la_mt *m, int fd, int command, long argument);
int la_mt_ioctl(struct la_mt *m, int fd, unsigned long request, void *argument);
int64_t la_mt_read(struct la_mt *m, int fd, void *bytes, size_t len);
int64_t la_mt_write(struct la_mt *m, int fd, const void *bytes, size_t len);
int64_t la_mt_readv(struct la_mt *m, int fd, const struct iovec *iov, int count);
int64_t la_mt_writev(struct la_mt *m, int fd, const struct iovec *iov, int count);
int64_t la_mt_recv(struct la_mt *m, int fd, void *bytes, size_t len, int flags);
int64_t la_mt_send(struct la_mt *m, int fd, const void *bytes, size_t len, int flags);
int64_t la_mt_recvmsg(struct la_mt *m, int fd, struct msghdr *msg, int flags);
int64_t la_mt_sendmsg(struct la_mt *m, int fd, const struct msghdr *msg, int flags);
int la_mt_poll(struct la_mt *m, struct pollfd *fds, uint64_t count, int timeout_ms);
int la_mt_epoll_create1(struct la_mt *m, int flags);
int la_mt_epoll_ctl(struct la_mt *m, int epfd, int op, int fd, struct epoll_event *event);
int la_mt_epoll_wait(struct la_mt *m, int epfd, struct epoll_event *events, int max,
                     int timeout_ms);

#ifdef __cplusplus
}
#endif
#endif
