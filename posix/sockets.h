/* SPDX-License-Identifier: MIT */
/*
 * sockets.h - What the files of posix/ share.
 *
 * A socket is, at a time, one of three things: CLOSE (nothing in the core; perhaps bound),
 * LISTEN (a listener of the core) or CONN (a connection of the core, until connect() fails,
 * connect(AF_UNSPEC) or close gives it back).  Beside it runs Linux's second state, the
 * phase, which decides what connect() and listen() answer.
 *
 * What the core knows is asked of the core each time; nothing is kept twice but the options,
 * which must outlive connections.
 */
#ifndef POSIX_SOCKETS_H
#define POSIX_SOCKETS_H

#include <lastack/socket.h>

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <netinet/in.h>

#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_S UINT64_C(1000000000)

/* Descriptors ------------------------------------------------------------------------- */

enum desc_kind { DESC_SOCKET = 1, DESC_EPOLL };

struct desc;

/* Somebody who wants to know when a descriptor may have become ready. */
struct watch {
    struct watch *prev, *next;
    struct desc *on; /* NULL: on no list */
    /* @key: EPOLL bits that are news, 0 for all.  Return: a sleeper was woken. */
    bool (*wake)(struct watch *w, uint32_t key);
    bool is_item;   /* of an epoll; else a thread's */
    bool exclusive; /* EPOLLEXCLUSIVE */
};

struct desc {
    enum desc_kind kind;
    int fd;
    bool nonblock, cloexec;
    struct watch *first, *last;
};

/* The lowest free number, in a tree of words of 64 bits: a bit is set when all below is taken. */
#define FDMAP_LEVELS 4
struct fdmap {
    uint64_t *level[FDMAP_LEVELS];
};

bool fdmap_init(struct fdmap *map, uint32_t count);
void fdmap_free(struct fdmap *map);
/* Return: the lowest free number below @limit, taken; UINT32_MAX if there is none. */
uint32_t fdmap_take(struct fdmap *map, uint32_t limit);
void fdmap_give(struct fdmap *map, uint32_t number);
bool fdmap_full(const struct fdmap *map, uint32_t limit);

/* Sockets ------------------------------------------------------------------------------- */

enum what { WHAT_CLOSE, WHAT_LISTEN, WHAT_CONN };

/* Linux's socket_state. */
enum phase { PHASE_UNCONNECTED, PHASE_CONNECTING, PHASE_CONNECTED, PHASE_DISCONNECTING };

/* Options that outlive a connection. */
struct settings {
    uint32_t core[LA_OPTIONS];
    uint32_t core_set; /* which of them were set */
    int ttl, hops;     /* -1: the default */
    int tos, tclass;
    bool broadcast, no_port, linger, v6only;
    bool inq;                     /* TCP_INQ */
    bool mtu_strict, mtu_strict6; /* IP_PMTUDISC_DO, IPV6_PMTUDISC_DO */
    uint32_t linger_s;
    uint16_t port_min, port_max; /* IP_LOCAL_PORT_RANGE; 0: the sysctl's */
    uint32_t defer_accept_s;     /* TCP_DEFER_ACCEPT, rounded; not passed on to what is accepted */
    uint64_t rcvtimeo_ns, sndtimeo_ns; /* 0: for ever */
    int rcvlowat;
    uint32_t notsent_lowat; /* TCP_NOTSENT_LOWAT */
};

struct sock {
    struct desc d;
    enum what what;
    enum phase phase;
    bool v6;
    bool port_locked, addr_locked; /* asked for with bind(), by number */
    bool on_port;                  /* stands in the table of ports */
    bool bound_again;              /* after its connection was over */
    bool rd_shut, wr_shut;
    bool error_taken; /* the core's error of this connection was fetched */
    bool nospace;     /* somebody found no room to send */
    bool lingering;
    uint32_t refused; /* accept() found no descriptor, so often in a row */
    int error;        /* pending errno, positive */
    struct la_endpoint local, remote;
    la_conn_id conn;
    la_listener_id listener;
    uint32_t
        told; /* by the core's last event: readiness; of a listener, who waits to be accepted */
    uint64_t received; /* bytes, by the last event that told of some */
    uint64_t cookie;
    struct settings set;
    struct sock *port_next;
    struct sock *linger_next;
    la_time linger_until;
};

#define PORT_BUCKETS 1024u

struct la_sockets {
    struct la_sockets_config config;
    struct la_stack *stack;
    struct desc **table;
    struct fdmap map;
    struct la_sockets_use use;
    uint64_t cookies;
    struct sock *port[PORT_BUCKETS];
    uint64_t ports_held[65536 / 64]; /* a bit for each port that stands in the table */
    struct sock *lingering;
};

la_time now_of(const struct la_sockets *x);
/* NULL if the descriptor names nothing, or a socket that is closing. */
struct desc *desc_at(const struct la_sockets *x, int fd);
/* The same, with the closing ones: for poll, epoll and close. */
struct desc *desc_closing_at(const struct la_sockets *x, int fd);
/* Return: 0 and @out, -EBADF or -ENOTSOCK. */
int sock_at(const struct la_sockets *x, int fd, struct sock **out);
/* Return: the descriptor, now with a number; -EMFILE. */
int desc_add(struct la_sockets *x, struct desc *d);
/* Takes the number back; who watches is told and taken off. */
void desc_remove(struct la_sockets *x, struct desc *d);
/* Return: NULL if memory is short. */
struct sock *sock_new(struct la_sockets *x, bool v6, int flags);
/* Give back what the core holds for it, and the memory. */
void sock_free(struct la_sockets *x, struct sock *s);

/* States (state.c) --------------------------------------------------------------------------- */

/* What a connection is to Linux, as far as calls ask. */
struct conn_view {
    uint32_t mask; /* la_ready() */
    bool closed;   /* TCP_CLOSE */
    bool opening;  /* SYN_SENT, SYN_RECV */
    bool rcv_shut, snd_shut;
    bool eof; /* the peer's FIN has come: SOCK_DONE */
};
struct conn_view sock_view(const struct la_sockets *x, const struct sock *s);
/* The pending error, positive, without taking it. */
int sock_error_peek(const struct la_sockets *x, struct sock *s);
/* sock_error(): take it.  Return: 0 or a negative errno. */
int sock_error_take(const struct la_sockets *x, struct sock *s);
/* tcp_disconnect(): back to CLOSE, the options stay. */
void sock_disconnect(struct la_sockets *x, struct sock *s);
/* Is a closing still waiting for the peer?  (sk_stream_closing()) */
bool sock_stream_closing(const struct la_sockets *x, const struct sock *s);
void sock_linger_end(struct la_sockets *x, struct sock *s);

/* Ports (ports.c) ------------------------------------------------------------------------ */

/* Does binding @s to @port at its local address meet somebody?  @relax: SO_REUSEADDR may help. */
bool port_conflict(struct la_sockets *x, const struct sock *s, uint16_t port, bool relax);
/* Return: 0 with a port nobody overlaps with, or -EADDRINUSE. */
int port_for_bind(struct la_sockets *x, const struct sock *s, uint16_t *port);
/* Return: 0 with a port for a connection to @remote, or a negative errno. */
int port_for_connect(struct la_sockets *x, const struct sock *s, struct la_endpoint remote,
                     uint16_t *port);
/* Does it have a port that bind() gave, or that a connection uses? */
bool port_bound(const struct la_sockets *x, const struct sock *s);
void port_hold(struct la_sockets *x, struct sock *s);
void port_drop(struct la_sockets *x, struct sock *s);

/* Addresses (address.c) --------------------------------------------------------------------- */

/* For bind and connect.  Return: 0, -EINVAL, -EAFNOSUPPORT, -EFAULT. */
int address_check(const struct sockaddr *addr, uint32_t len);
int address_read(const struct sock *s, const struct sockaddr *addr, uint32_t len, bool bind,
                 struct la_endpoint *out);
/* Return: 0, -EFAULT or -EINVAL. */
int address_write(const struct sock *s, struct la_endpoint from, struct sockaddr *addr,
                  uint32_t *len);

/* Data (data.c) --------------------------------------------------------------------------- */

/* How many bytes an array of pieces has.  Return: bytes, or -EINVAL, -EFAULT. */
int64_t iov_total(const struct iovec *iov, size_t count);
/* From byte @skip of the pieces on; what is moved at once.  As the calls without waiting. */
int64_t recv_some(struct la_sockets *x, struct sock *s, const struct iovec *iov, size_t count,
                  uint64_t skip, int flags);
int64_t send_some(struct la_sockets *x, struct sock *s, const struct iovec *iov, size_t count,
                  uint64_t skip, int flags);
/* Return: 0, -EMSGSIZE, -EFAULT. */
int message_check(const struct msghdr *msg);
/* What stands beside the bytes that were received. */
void message_received(const struct la_sockets *x, const struct sock *s, struct msghdr *msg);
/* readv(), writev(): what they ask that recv() and send() do not.  Return: 0, or an errno. */
int file_check(const struct la_sockets *x, int fd, const struct iovec *iov, size_t count);
int recv_flags_check(int flags);
int send_flags_check(int flags);

/* Readiness (readiness.c) --------------------------------------------------------------------- */

uint32_t sock_poll_mask(struct la_sockets *x, struct sock *s);
uint32_t desc_poll_mask(struct la_sockets *x, struct desc *d, uint32_t depth);
void watch_add(struct desc *d, struct watch *w);
void watch_del(struct watch *w);
/* Tell who watches @d.  @key: what is news, 0 for everything. */
void desc_wake(struct desc *d, uint32_t key);
int poll_now(struct la_sockets *x, struct pollfd *fds, uint64_t count);

#define WAKE_IN ((uint32_t)EPOLLIN | (uint32_t)EPOLLRDNORM)
#define WAKE_OUT ((uint32_t)EPOLLOUT | (uint32_t)EPOLLWRNORM)

/* Epoll (epoll.c) ----------------------------------------------------------------------------- */

void epoll_free(struct la_sockets *x, struct desc *d);
/* An item's target goes: the item goes. */
void epoll_item_drop(struct watch *w);
uint32_t epoll_poll_mask(struct la_sockets *x, struct desc *d, uint32_t depth);
/* Threads that wait in epoll_wait() count while they do: EPOLLEXCLUSIVE asks. */
void epoll_sleepers(struct desc *d, int change);

/* Options (options*.c) -------------------------------------------------------------------------- */

/* Hand all that was set to a connection or listener the core has just made. */
int sock_options_apply(struct la_sockets *x, struct sock *s);
void sock_settings_init(struct settings *set);
/* The value of a core's option: as set, or the stack's default. */
uint32_t sock_option(const struct la_sockets *x, const struct sock *s, enum la_option option);
int sock_option_set(struct la_sockets *x, struct sock *s, enum la_option option, uint32_t value);

int error_of(enum la_err err);

#endif
