/* SPDX-License-Identifier: MIT */
/*
 * host_lastack.c - lastack as the host under test, in virtual time.
 *
 * One stack and one table of sockets for one script.  The clock stands still until wait() moves
 * it to the next deadline: that of the stack, of the sockets, of the call under way, or the one
 * asked for.  So two hours of idleness cost what happens in them.
 *
 * A call on a socket that does not block goes to the function of its name.  One that may have
 * to wait is made of steps (la_sock_step()), taken whenever something has happened; nothing here
 * is a thread.
 */
#include "drill/host.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <lastack/socket.h>

/* The clock of the stack when the script's is zero: any origin will do but one that is special. */
#define ORIGIN_NS ((uint64_t)1000000000000)
#define TURNS_MAX 10000000

struct packet {
    struct packet *next;
    int64_t at_ns;
    uint32_t len;
    uint8_t bytes[];
};

struct host {
    struct la_stack *stack;
    struct la_sockets *sockets;
    void *arena;
    uint64_t arena_bytes;
    int iface;
    uint64_t now_ns;
    struct packet *first, **last, *lent;
    struct drill_op *pending;
    struct la_sock_call step;
    struct msghdr message;
    struct iovec vector;
    uint32_t length; /* of an address, for the stack */
};

static la_time time_of(const struct host *h)
{
    return (la_time){ h->now_ns };
}

static la_time stack_time(void *context)
{
    return time_of(context);
}

static int64_t lastack_now(void *self)
{
    const struct host *h = self;
    return (int64_t)(h->now_ns - ORIGIN_NS);
}

/* --- packets ------------------------------------------------------------------- */

static void take_packets(struct host *h)
{
    struct la_tx out[16];
    uint32_t count;
    while ((count = la_tx(h->stack, time_of(h), out, 16)) > 0)
        for (uint32_t i = 0; i < count; i++) {
            struct packet *p = malloc(sizeof *p + out[i].len_bytes);
            if (p == NULL)
                abort();
            p->next = NULL;
            p->at_ns = lastack_now(h);
            p->len = la_tx_copy(&out[i], p->bytes, out[i].len_bytes);
            *h->last = p;
            h->last = &p->next;
        }
}

static void lastack_inject(void *self, const uint8_t *bytes, uint32_t len)
{
    struct host *h = self;
    const struct la_frame frame = { .bytes = bytes, .len_bytes = len, .iface = (uint16_t)h->iface };
    la_rx(h->stack, time_of(h), &frame, 1);
    la_sockets_turn(h->sockets);
    take_packets(h);
}

/* --- calls --------------------------------------------------------------------- */

static void finish(struct host *h, struct drill_op *op, int64_t result)
{
    op->result = result;
    op->done = true;
    op->done_ns = lastack_now(h);
    h->pending = NULL;
}

static void take_step(struct host *h)
{
    struct drill_op *op = h->pending;
    if (op == NULL)
        return;
    const int64_t result = la_sock_step(h->sockets, &h->step);
    if (result != LA_SOCK_PENDING)
        finish(h, op, result);
}

static bool nonblocking(struct host *h, int fd)
{
    const int flags = la_sock_fcntl(h->sockets, fd, F_GETFL, 0);
    return flags >= 0 && (flags & O_NONBLOCK) != 0;
}

static int64_t transfer(struct host *h, const struct drill_op *op)
{
    struct la_sockets *x = h->sockets;
    const intptr_t *a = op->args;
    const int fd = (int)a[0];
    switch ((int)op->kind) {
    case DRILL_OP_READ:
        return la_sock_read(x, fd, (void *)a[1], (size_t)a[2]);
    case DRILL_OP_READV:
        return la_sock_readv(x, fd, (const struct iovec *)a[1], (int)a[2]);
    case DRILL_OP_RECV:
        return la_sock_recv(x, fd, (void *)a[1], (size_t)a[2], (int)a[3]);
    case DRILL_OP_RECVFROM:
        return la_sock_recvfrom(x, fd, (void *)a[1], (size_t)a[2], (int)a[3],
                                (struct sockaddr *)a[4], (uint32_t *)a[5]);
    case DRILL_OP_RECVMSG:
        return la_sock_recvmsg(x, fd, (struct msghdr *)a[1], (int)a[2]);
    case DRILL_OP_WRITE:
        return la_sock_write(x, fd, (const void *)a[1], (size_t)a[2]);
    case DRILL_OP_WRITEV:
        return la_sock_writev(x, fd, (const struct iovec *)a[1], (int)a[2]);
    case DRILL_OP_SEND:
        return la_sock_send(x, fd, (const void *)a[1], (size_t)a[2], (int)a[3]);
    case DRILL_OP_SENDTO:
        return la_sock_sendto(x, fd, (const void *)a[1], (size_t)a[2], (int)a[3],
                              (const struct sockaddr *)a[4], (uint32_t)a[5]);
    default:
        return la_sock_sendmsg(x, fd, (const struct msghdr *)a[1], (int)a[2]);
    }
}

/* The same as a call in steps: all of them are recvmsg or sendmsg. */
static void transfer_steps(struct host *h, const struct drill_op *op)
{
    const intptr_t *a = op->args;
    const bool vector = op->kind == DRILL_OP_READV || op->kind == DRILL_OP_WRITEV;
    const bool message = op->kind == DRILL_OP_RECVMSG || op->kind == DRILL_OP_SENDMSG;
    h->step.op = op->kind >= DRILL_OP_WRITE ? LA_SOCK_SEND : LA_SOCK_RECV;
    memset(&h->message, 0, sizeof h->message);
    h->message.msg_iov = &h->vector;
    h->message.msg_iovlen = 1;
    h->step.msg = &h->message;
    if (message) {
        h->step.msg = (struct msghdr *)a[1];
        h->step.flags = (int)a[2];
    } else if (vector) {
        h->message.msg_iov = (struct iovec *)a[1];
        h->message.msg_iovlen = (size_t)a[2];
        h->step.op = op->kind == DRILL_OP_READV ? LA_SOCK_READV : LA_SOCK_WRITEV;
    } else {
        h->vector = (struct iovec){ (void *)a[1], (size_t)a[2] };
        if (op->kind == DRILL_OP_READ || op->kind == DRILL_OP_WRITE)
            h->step.op = op->kind == DRILL_OP_READ ? LA_SOCK_READV : LA_SOCK_WRITEV;
        else
            h->step.flags = (int)a[3];
    }
    if (op->kind == DRILL_OP_SENDTO) {
        h->message.msg_name = (void *)a[4];
        h->message.msg_namelen = (socklen_t)a[5];
    } else if (op->kind == DRILL_OP_RECVFROM && a[5] != 0) {
        *(uint32_t *)a[5] = 0; /* TCP tells no source */
    }
}

/* Fills in h->step.  Return: false if the call never waits. */
static bool waits(struct host *h, const struct drill_op *op)
{
    const intptr_t *a = op->args;
    memset(&h->step, 0, sizeof h->step);
    h->step.fd = (int)a[0];
    if (op->kind >= DRILL_OP_READ && op->kind <= DRILL_OP_SENDMSG) {
        if (nonblocking(h, (int)a[0]))
            return false;
        transfer_steps(h, op);
        return (h->step.flags & MSG_DONTWAIT) == 0;
    }
    switch ((int)op->kind) {
    case DRILL_OP_ACCEPT:
    case DRILL_OP_ACCEPT4:
        h->step.op = LA_SOCK_ACCEPT;
        h->step.addr = (struct sockaddr *)a[1];
        h->step.addr_len = (uint32_t *)a[2];
        h->step.flags = op->kind == DRILL_OP_ACCEPT ? 0 : (int)a[3];
        return !nonblocking(h, (int)a[0]);
    case DRILL_OP_CONNECT:
        h->step.op = LA_SOCK_CONNECT;
        h->step.to = (const struct sockaddr *)a[1];
        h->step.to_len = (uint32_t)a[2];
        return !nonblocking(h, (int)a[0]);
    case DRILL_OP_POLL:
        h->step.op = LA_SOCK_POLL;
        h->step.fds = (struct pollfd *)a[0];
        h->step.count = (uint64_t)a[1];
        h->step.timeout_ms = (int)a[2];
        return (int)a[2] != 0;
    case DRILL_OP_EPOLL_WAIT:
        h->step.op = LA_SOCK_EPOLL_WAIT;
        h->step.events = (struct epoll_event *)a[1];
        h->step.max = (int)a[2];
        h->step.timeout_ms = (int)a[3];
        return (int)a[3] != 0;
    case DRILL_OP_CLOSE:
        h->step.op = LA_SOCK_CLOSE;
        return true;
    default:
        return false;
    }
}

static int64_t call_sockopt(struct host *h, const struct drill_op *op)
{
    const intptr_t *a = op->args;
    if (op->kind == DRILL_OP_SETSOCKOPT)
        return la_sock_setsockopt(h->sockets, (int)a[0], (int)a[1], (int)a[2], (const void *)a[3],
                                  (uint32_t)a[4]);
    return la_sock_getsockopt(h->sockets, (int)a[0], (int)a[1], (int)a[2], (void *)a[3],
                              (uint32_t *)a[4]);
}

static int64_t call_now(struct host *h, const struct drill_op *op)
{
    struct la_sockets *x = h->sockets;
    const intptr_t *a = op->args;
    const int fd = (int)a[0];
    struct sockaddr *addr = (struct sockaddr *)a[1];
    if (op->kind >= DRILL_OP_READ && op->kind <= DRILL_OP_SENDMSG)
        return transfer(h, op);
    switch ((int)op->kind) {
    case DRILL_OP_SOCKET:
        return la_socket(x, (int)a[0], (int)a[1], (int)a[2]);
    case DRILL_OP_BIND:
        return la_sock_bind(x, fd, addr, (uint32_t)a[2]);
    case DRILL_OP_LISTEN:
        return la_sock_listen(x, fd, (int)a[1]);
    case DRILL_OP_ACCEPT:
        return la_sock_accept4(x, fd, addr, (uint32_t *)a[2], 0);
    case DRILL_OP_ACCEPT4:
        return la_sock_accept4(x, fd, addr, (uint32_t *)a[2], (int)a[3]);
    case DRILL_OP_CONNECT:
        return la_sock_connect(x, fd, addr, (uint32_t)a[2]);
    case DRILL_OP_FCNTL:
        return la_sock_fcntl(x, fd, (int)a[1], (long)a[2]);
    case DRILL_OP_IOCTL:
        return la_sock_ioctl(x, fd, (unsigned long)a[1], (void *)a[2]);
    case DRILL_OP_SHUTDOWN:
        return la_sock_shutdown(x, fd, (int)a[1]);
    case DRILL_OP_GETSOCKOPT:
    case DRILL_OP_SETSOCKOPT:
        return call_sockopt(h, op);
    case DRILL_OP_GETSOCKNAME:
        return la_sock_getsockname(x, fd, addr, (uint32_t *)a[2]);
    case DRILL_OP_GETPEERNAME:
        return la_sock_getpeername(x, fd, addr, (uint32_t *)a[2]);
    case DRILL_OP_POLL:
        return la_sock_poll(x, (struct pollfd *)a[0], (uint64_t)a[1]);
    case DRILL_OP_EPOLL_CREATE:
        return a[0] > 0 ? la_epoll_create1(x, 0) : -EINVAL;
    case DRILL_OP_EPOLL_CREATE1:
        return la_epoll_create1(x, (int)a[0]);
    case DRILL_OP_EPOLL_CTL:
        return la_epoll_ctl(x, fd, (int)a[1], (int)a[2], (struct epoll_event *)a[3]);
    case DRILL_OP_EPOLL_WAIT:
        return la_epoll_wait(x, fd, (struct epoll_event *)a[1], (int)a[2]);
    default:
        return -ENOSYS;
    }
}

static void lastack_begin(void *self, struct drill_op *op)
{
    struct host *h = self;
    op->done = false;
    op->began_ns = lastack_now(h);
    if (waits(h, op)) {
        h->pending = op;
        take_step(h);
    } else {
        finish(h, op, call_now(h, op));
    }
    la_sockets_turn(h->sockets);
    take_packets(h);
}

/* --- time ---------------------------------------------------------------------- */

static uint64_t next_deadline(struct host *h)
{
    uint64_t next = la_deadline(h->stack).ns;
    const uint64_t sockets = la_sockets_deadline(h->sockets).ns;
    if (sockets < next)
        next = sockets;
    if (h->pending != NULL && h->step.deadline.ns < next)
        next = h->step.deadline.ns;
    return next;
}

static bool lend_packet(struct host *h, struct drill_capture *out)
{
    struct packet *p = h->first;
    if (p == NULL)
        return false;
    free(h->lent);
    h->lent = p;
    h->first = p->next;
    if (h->first == NULL)
        h->last = &h->first;
    *out = (struct drill_capture){ p->at_ns, p->len, p->bytes };
    return true;
}

static enum drill_waited lastack_wait(void *self, int64_t until_ns, struct drill_capture *out)
{
    struct host *h = self;
    const uint64_t until = ORIGIN_NS + (uint64_t)(until_ns > 0 ? until_ns : 0);
    for (int turn = 0; turn < TURNS_MAX; turn++) {
        take_packets(h);
        if (lend_packet(h, out))
            return DRILL_WAITED_PACKET;
        if (h->pending != NULL) {
            take_step(h);
            take_packets(h);
            if (h->pending == NULL)
                return DRILL_WAITED_CALL;
        }
        const uint64_t next = next_deadline(h);
        if (next > until && h->first == NULL) {
            if (h->now_ns < until)
                h->now_ns = until;
            return DRILL_WAITED_TIME;
        }
        if (next > h->now_ns && h->first == NULL)
            h->now_ns = next;
        while (la_tick(h->stack, time_of(h), 64))
            take_packets(h);
        la_sockets_turn(h->sockets);
    }
    fputs("lastack drill: the stack asks to be called again and again, and nothing happens\n",
          stderr);
    abort();
}

/* --- commands, birth and death ------------------------------------------------- */

static enum drill_said set_sysctl(void *context, const char *name, const char *value, char *why,
                                  size_t room)
{
    struct host *h = context;
    if (drill_socket_sysctl(h->sockets, name, value))
        return DRILL_SAID_OK;
    if (strcmp(name, DRILL_NOFILE) == 0) {
        const long n = strtol(value, NULL, 10);
        if (n >= 0 && n <= DRILL_NOFILE_MAX &&
            la_sockets_set_nofile(h->sockets, la_sockets_use(h->sockets).open + (uint32_t)n) == 0)
            return DRILL_SAID_OK;
    }
    return drill_sysctl(h->stack, name, value, why, room);
}

static enum drill_said lastack_command(void *self, const char *text, char *why, size_t room)
{
    return drill_command(text, set_sysctl, self, why, room);
}

static void lastack_close(void *self)
{
    struct host *h = self;
    la_sockets_free(h->sockets);
    la_rt_arena_unmap(h->arena, h->arena_bytes);
    while (h->first != NULL) {
        struct packet *p = h->first;
        h->first = p->next;
        free(p);
    }
    free(h->lent);
    free(h);
}

static bool add_network(struct host *h, const struct drill_config *c)
{
    const struct la_iface_config iface = { .mtu_bytes = c->mtu };
    struct la_prefix local = { c->local,
                               (uint8_t)(c->local_prefix + (la_addr_is_v4(c->local) ? 96u : 0u)) };
    h->iface = la_iface_add(h->stack, &iface);
    return h->iface >= 0 && la_addr_add(h->stack, h->iface, local, 0) == LA_OK &&
           la_route_add(h->stack, la_prefix_any(), h->iface) == LA_OK;
}

bool drill_lastack_open(const struct drill_config *config, struct drill_host *host, char *error,
                        size_t error_bytes)
{
    struct host *h = calloc(1, sizeof *h);
    struct la_config sizes;
    la_config_default(&sizes);
    sizes.connections = 4096;
    sizes.listeners = 256;
    for (int i = 0; i < 8; i++)
        sizes.secret[i] = (uint8_t)(config->seed >> (8 * i));
    sizes.secret[15] = 1;
    if (h == NULL)
        return false;
    h->last = &h->first;
    h->now_ns = ORIGIN_NS;
    h->arena_bytes = la_bytes_needed(&sizes);
    h->arena = la_rt_arena_map(h->arena_bytes);
    if (h->arena == NULL ||
        la_init(h->arena, h->arena_bytes, &sizes, time_of(h), &h->stack) != LA_OK ||
        !add_network(h, config)) {
        snprintf(error, error_bytes, "a stack with these addresses and this MTU can not be made");
        return false;
    }
    const struct la_sockets_config table = {
        .stack = h->stack, .now = stack_time, .context = h, .fd_first = 3
    };
    h->sockets = la_sockets_new(&table);
    if (h->sockets == NULL) {
        snprintf(error, error_bytes, "no memory for sockets");
        return false;
    }
    *host = (struct drill_host){ .self = h,
                                 .now = lastack_now,
                                 .wait = lastack_wait,
                                 .inject = lastack_inject,
                                 .begin = lastack_begin,
                                 .command = lastack_command,
                                 .close = lastack_close };
    return true;
}
