/* SPDX-License-Identifier: MIT */
/*
 * host.h - The host under test: lastack in virtual time, or this machine's kernel.
 *
 * The runner knows a host as four things: a clock, a wire, system calls, and commands.  A call
 * is made with the arguments the system call of its name takes; if it does not return at once,
 * it goes on while the runner waits.  At most one call is under way.
 */
#ifndef DRILL_HOST_H
#define DRILL_HOST_H

#include "drill/config.h"
#include "drill/flow.h"

#include <lastack/observe.h>
#include <lastack/socket.h>

enum drill_op_kind {
    DRILL_OP_SOCKET,
    DRILL_OP_BIND,
    DRILL_OP_LISTEN,
    DRILL_OP_ACCEPT,
    DRILL_OP_ACCEPT4,
    DRILL_OP_CONNECT,
    DRILL_OP_READ,
    DRILL_OP_READV,
    DRILL_OP_RECV,
    DRILL_OP_RECVFROM,
    DRILL_OP_RECVMSG,
    DRILL_OP_WRITE,
    DRILL_OP_WRITEV,
    DRILL_OP_SEND,
    DRILL_OP_SENDTO,
    DRILL_OP_SENDMSG,
    DRILL_OP_FCNTL,
    DRILL_OP_IOCTL,
    DRILL_OP_CLOSE,
    DRILL_OP_SHUTDOWN,
    DRILL_OP_GETSOCKOPT,
    DRILL_OP_SETSOCKOPT,
    DRILL_OP_GETSOCKNAME,
    DRILL_OP_GETPEERNAME,
    DRILL_OP_POLL,
    DRILL_OP_EPOLL_CREATE,
    DRILL_OP_EPOLL_CREATE1,
    DRILL_OP_EPOLL_CTL,
    DRILL_OP_EPOLL_WAIT,
};

/* A system call under way.  Pointers are among the arguments, as in a register. */
struct drill_op {
    enum drill_op_kind kind;
    intptr_t args[6];
    int64_t result; /* what it returned, or a negative errno */
    bool waits;     /* the script expects it to wait */
    bool done;
    int64_t began_ns, done_ns;
};

/* A packet the host sent, and when. */
struct drill_capture {
    int64_t at_ns;
    uint32_t len;
    uint8_t *bytes; /* the host's, until the next call of wait() */
};

enum drill_waited { DRILL_WAITED_TIME, DRILL_WAITED_PACKET, DRILL_WAITED_CALL };
enum drill_said { DRILL_SAID_OK, DRILL_SAID_FAILED, DRILL_SAID_UNSUPPORTED };

struct drill_host {
    void *self;
    bool real_time;
    /* Nanoseconds since the script began. */
    int64_t (*now)(void *self);
    /*
     * Let time pass until @until_ns, or until the host sends a packet (put in @out) or the
     * call under way returns, whichever is first.
     */
    enum drill_waited (*wait)(void *self, int64_t until_ns, struct drill_capture *out);
    /* Deliver a packet to the host, now. */
    void (*inject)(void *self, const uint8_t *bytes, uint32_t len);
    /* Begin a call; it may be done on return.  @op and what it points at live until it is. */
    void (*begin)(void *self, struct drill_op *op);
    /* A command of the script.  @why: what failed, or what is not supported. */
    enum drill_said (*command)(void *self, const char *text, char *why, size_t room);
    void (*close)(void *self);
};

/* Return: false with a sentence in @error. */
bool drill_lastack_open(const struct drill_config *config, struct drill_host *host, char *error,
                        size_t error_bytes);
/* Enters a network namespace of its own: to be called in a process that is for this alone. */
bool drill_kernel_open(const struct drill_config *config, struct drill_host *host, char *error,
                       size_t error_bytes);

/* `ulimit -n N`: from now on the script can have N descriptors more than it has. */
#define DRILL_NOFILE "ulimit -n"
#define DRILL_NOFILE_MAX 1000

/*
 * drill_command() - A script's command, as far as it sets sysctls.
 * @set: Called for each; it returns as command() does
 *
 * Understood are sysctl, echo into /proc/sys, set_sysctls.py with such paths, and the
 * scripts called defaults.sh, which set nothing but Linux's own defaults; also "ip route" with
 * initcwnd and rto_min, which become settings here.
 */
typedef enum drill_said drill_set(void *context, const char *name, const char *value, char *why,
                                  size_t room);
enum drill_said drill_command(const char *text, drill_set *set, void *context, char *why,
                              size_t room);

/* The same for one of FreeBSD's names: net.inet.*, kern.*. */
enum drill_said drill_freebsd_sysctl(const char *name, const char *value, drill_set *set,
                                     void *context, char *why, size_t room);

/* net.core.rmem_max and wmem_max, which belong to sockets.  Return: false if it is another, or no number. */
bool drill_socket_sysctl(struct la_sockets *x, const char *name, const char *value);

/* One setting of a stack, by the name of Linux or FreeBSD.  @why: what is not supported. */
enum drill_said drill_sysctl(struct la_stack *s, const char *name, const char *value, char *why,
                             size_t room);

#endif
