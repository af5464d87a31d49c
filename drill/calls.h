/* SPDX-License-Identifier: MIT */
/*
 * calls.h - Between the files that carry out system calls.
 *
 * A call has two halves.  prepare() turns the script's arguments into memory and registers;
 * check() looks, when the call has returned, at what it wrote.  The result itself is judged
 * in between, alike for all.
 */
#ifndef DRILL_CALLS_H
#define DRILL_CALLS_H

#include "drill/run.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#define DRILL_IOV_MAX 64
#define DRILL_BUFFER_MAX ((int64_t)64 << 20)

struct drill_calling {
    struct drill_run *r;
    const struct drill_event *event;
    const struct drill_call *call;
    const struct drill_call_kind *kind;
    int64_t event_ns;
    struct drill_op op;
    int script_fd; /* of the first argument, for what is kept about it */
    /* What the call may write to, and what the script says of it. */
    struct sockaddr_storage addr;
    socklen_t addr_len;
    struct iovec iov[DRILL_IOV_MAX];
    const struct drill_expr *iov_text[DRILL_IOV_MAX]; /* what the script says of its bytes */
    int iov_count;
    struct msghdr msg;
    const struct drill_expr *expected; /* the argument that is written to */
    const struct drill_expr *expected_len;
    uint8_t *value;
    socklen_t value_len;
    struct pollfd *fds;
    struct epoll_event *events;
    size_t count;
};

struct drill_call_kind {
    const char *name;
    enum drill_op_kind op;
    size_t args_min, args_max;
    bool (*prepare)(struct drill_calling *c);
    bool (*check)(struct drill_calling *c);
    bool gives_fd;
};

/* The argument at @i as a number, in register @i; or as a descriptor. */
bool drill_arg(struct drill_calling *c, size_t i);
bool drill_arg_fd(struct drill_calling *c, size_t i);

/* calls_address.c */
bool drill_address_in(struct drill_calling *c); /* bind, connect: arguments 1 and 2 */
bool drill_address_in_at(struct drill_calling *c, size_t i, struct sockaddr_storage *to,
                         socklen_t *len);
bool drill_address_out(struct drill_calling *c); /* accept, getsockname: arguments 1 and 2 */
bool drill_address_check(struct drill_calling *c);
/* The port, in host order, of an address; 0 if it has none. */
uint16_t drill_address_port(const struct sockaddr_storage *a);

/* calls_data.c */
bool drill_buffer(struct drill_calling *c);   /* read, write, recv, send */
bool drill_vector(struct drill_calling *c);   /* readv, writev */
bool drill_datagram(struct drill_calling *c); /* recvfrom, sendto */
bool drill_message(struct drill_calling *c);  /* recvmsg, sendmsg */
bool drill_data_check(struct drill_calling *c);

/* calls_settings.c */
bool drill_setsockopt(struct drill_calling *c);
bool drill_getsockopt(struct drill_calling *c);
bool drill_getsockopt_check(struct drill_calling *c);
bool drill_ioctl(struct drill_calling *c);
bool drill_ioctl_check(struct drill_calling *c);

/* calls_ready.c */
bool drill_poll(struct drill_calling *c);
bool drill_poll_check(struct drill_calling *c);
bool drill_epoll_ctl(struct drill_calling *c);
bool drill_epoll_wait(struct drill_calling *c);
bool drill_epoll_check(struct drill_calling *c);

#endif
