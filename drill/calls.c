/* SPDX-License-Identifier: MIT */
/*
 * calls.c - A system call of a script: made, waited for, judged.
 *
 * Descriptors in a script are names: when a call that gives one succeeds where the script says
 * so, the script's number is bound to the host's.
 */
#include "drill/calls.h"
#include "drill/symbols.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* --- descriptors ------------------------------------------------------------------- */

int drill_live_fd(const struct drill_run *r, int script)
{
    for (size_t i = r->fd_count; i > 0; i--)
        if (r->fds[i - 1].script == script)
            return r->fds[i - 1].live;
    /* Not the script's: a number no table holds, so that the host says EBADF. */
    return script < 0 ? script : 1000000 + script;
}

static bool bind_fd(struct drill_run *r, int script, int live)
{
    for (size_t i = 0; i < r->fd_count; i++)
        if (r->fds[i].script == script) {
            r->fds[i].live = live;
            r->fds[i].sent = r->fds[i].received = 0;
            return true;
        }
    if (r->fd_count == DRILL_FDS_MAX)
        return drill_unsupported(r, "more than %d descriptors", DRILL_FDS_MAX);
    r->fds[r->fd_count].script = script;
    r->fds[r->fd_count++].live = live;
    return true;
}

bool drill_arg(struct drill_calling *c, size_t i)
{
    int64_t n;
    if (!drill_value(c->r, c->call->args[i], &n))
        return false;
    c->op.args[i] = (intptr_t)n;
    return true;
}

bool drill_arg_fd(struct drill_calling *c, size_t i)
{
    if (!drill_arg(c, i))
        return false;
    if (i == 0)
        c->script_fd = (int)c->op.args[0];
    c->op.args[i] = drill_live_fd(c->r, (int)c->op.args[i]);
    return true;
}

/* --- calls that are only numbers ----------------------------------------------------- */

static bool numbers(struct drill_calling *c)
{
    if (!drill_arg_fd(c, 0))
        return false;
    for (size_t i = 1; i < c->call->count; i++)
        if (!drill_arg(c, i))
            return false;
    return true;
}

static bool only_numbers(struct drill_calling *c)
{
    for (size_t i = 0; i < c->call->count; i++)
        if (!drill_arg(c, i))
            return false;
    return true;
}

static bool socket_prepare(struct drill_calling *c)
{
    const struct drill_expr *domain = c->call->args[0];
    c->op.args[0] = c->r->config.mode == DRILL_IPV4 ? AF_INET : AF_INET6;
    if (domain->kind != DRILL_ANY && !drill_arg(c, 0))
        return false;
    if (!drill_arg(c, 1) || !drill_arg(c, 2))
        return false;
    const intptr_t type = c->op.args[1] & ~(intptr_t)(SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (c->op.args[2] == 132 /* IPPROTO_SCTP */)
        return drill_unsupported(c->r, "sctp");
    if (type == SOCK_DGRAM && !c->r->config.kernel && c->call->error == NULL)
        return drill_unsupported(c->r, "udp");
    return true;
}

static bool accept_prepare(struct drill_calling *c)
{
    return drill_address_out(c) && (c->call->count < 4 || drill_arg(c, 3));
}

/* --- what is kept about sockets -------------------------------------------------------- */

static void note_listener(struct drill_run *r, int fd)
{
    struct sockaddr_storage a = { 0 };
    socklen_t len = sizeof a;
    const intptr_t args[6] = { fd, (intptr_t)&a, (intptr_t)&len };
    r->fresh_listener = true;
    if (drill_ask(r, DRILL_OP_GETSOCKNAME, args) == 0)
        r->bound_port = drill_address_port(&a);
}

static void note(struct drill_calling *c)
{
    struct drill_run *r = c->r;
    const int64_t result = c->op.result;
    switch ((int)c->op.kind) {
    case DRILL_OP_SOCKET:
    case DRILL_OP_ACCEPT:
    case DRILL_OP_ACCEPT4:
        if (result >= 0)
            r->under_test = (int)result;
        break;
    case DRILL_OP_LISTEN:
        if (result == 0)
            note_listener(r, (int)c->op.args[0]);
        break;
    default:
        break;
    }
}

/* A connect() decides where SYNs go before it returns. */
static void note_connect(struct drill_calling *c)
{
    if (c->op.kind != DRILL_OP_CONNECT)
        return;
    c->r->fresh_connect = true;
    c->r->connect_port = drill_address_port(&c->addr);
}

/* --- judging --------------------------------------------------------------------------- */

static const char *result_text(struct drill_run *r, int64_t result)
{
    if (result >= 0)
        return drill_format(r->pool, "%lld", (long long)result);
    return drill_format(r->pool, "-1 %s (%s)", drill_errno_name((int)-result),
                        strerror((int)-result));
}

static const char *expected_text(struct drill_calling *c, int64_t value)
{
    const char *error = c->call->error;
    return drill_format(c->r->pool, "%s() = %lld%s%s", c->call->name, (long long)value,
                        error != NULL ? " " : "", error != NULL ? error : "");
}

static bool check_result(struct drill_calling *c)
{
    struct drill_run *r = c->r;
    const int64_t result = c->op.result;
    int64_t expected;
    if (c->call->result->kind == DRILL_ANY)
        return true;
    if (!drill_value(r, c->call->result, &expected))
        return false;
    const char *error = c->call->error;
    if (expected < 0 && result < 0) {
        if (error == NULL)
            return true;
        const int number = drill_errno(error);
        if (number == 0)
            return drill_unsupported(r, "errno %s", error);
        if (number == (int)-result)
            return true;
        return drill_fail(r, expected_text(c, -1), result_text(r, result));
    }
    if (c->kind->gives_fd && expected >= 0 && result >= 0)
        return bind_fd(r, (int)expected, (int)result);
    if (expected != result)
        return drill_fail(r, expected_text(c, expected), result_text(r, result));
    return true;
}

static bool check_times(struct drill_calling *c)
{
    const struct drill_when *w = &c->event->when;
    struct drill_run *r = c->r;
    if (!w->blocks)
        return true;
    const int64_t end = c->event_ns + (w->returns_ns - w->from_ns);
    if (drill_in_time(r, end, end, c->op.done_ns))
        return true;
    return drill_failf(
        r, drill_format(r->pool, "%s() returns at %s", c->call->name, drill_time_text(r, end)),
        "it returned at %s: %s", drill_time_text(r, c->op.done_ns), result_text(r, c->op.result));
}

static bool judge(struct drill_calling *c)
{
    const struct drill_event *now = c->r->event;
    c->r->event = c->event; /* messages speak of the line the call is on */
    note(c);
    const bool fine = check_times(c) && check_result(c) &&
                      (c->kind->check == NULL || c->op.result < 0 || c->kind->check(c));
    if (fine)
        c->r->event = now;
    return fine;
}

bool drill_finish_call(struct drill_run *r)
{
    struct drill_calling *c = r->calling;
    if (c == NULL)
        return true;
    const int64_t end = c->event_ns + (c->event->when.returns_ns - c->event->when.from_ns);
    const int64_t patience = r->host.real_time ? 2000000000 : (int64_t)3600 * 1000000000;
    while (!c->op.done && r->host.now(r->host.self) < end + patience)
        if (!drill_pass(r, r->host.now(r->host.self) + 1000000 > end ? end + patience : end))
            return false;
    r->calling = NULL;
    if (c->op.done)
        return judge(c);
    r->event = c->event;
    return drill_failf(
        r, drill_format(r->pool, "%s() returns at %s", c->call->name, drill_time_text(r, end)),
        "at %s it still waits", drill_time_text(r, r->host.now(r->host.self)));
}

int64_t drill_ask(struct drill_run *r, enum drill_op_kind kind, const intptr_t args[6])
{
    struct drill_op *op = drill_alloc(r->pool, sizeof *op);
    op->kind = kind;
    memcpy(op->args, args, sizeof op->args);
    r->host.begin(r->host.self, op);
    return op->done ? op->result : -EAGAIN;
}

/* --- the table --------------------------------------------------------------------------- */

static const struct drill_call_kind kinds[] = {
    { "socket", DRILL_OP_SOCKET, 3, 3, socket_prepare, NULL, true },
    { "bind", DRILL_OP_BIND, 3, 3, drill_address_in, NULL, false },
    { "listen", DRILL_OP_LISTEN, 2, 2, numbers, NULL, false },
    { "accept", DRILL_OP_ACCEPT, 3, 3, accept_prepare, drill_address_check, true },
    { "accept4", DRILL_OP_ACCEPT4, 4, 4, accept_prepare, drill_address_check, true },
    { "connect", DRILL_OP_CONNECT, 3, 3, drill_address_in, NULL, false },
    { "read", DRILL_OP_READ, 3, 3, drill_buffer, drill_data_check, false },
    { "write", DRILL_OP_WRITE, 3, 3, drill_buffer, drill_data_check, false },
    { "recv", DRILL_OP_RECV, 4, 4, drill_buffer, drill_data_check, false },
    { "send", DRILL_OP_SEND, 4, 4, drill_buffer, drill_data_check, false },
    { "readv", DRILL_OP_READV, 3, 3, drill_vector, drill_data_check, false },
    { "writev", DRILL_OP_WRITEV, 3, 3, drill_vector, drill_data_check, false },
    { "recvfrom", DRILL_OP_RECVFROM, 6, 6, drill_datagram, drill_data_check, false },
    { "sendto", DRILL_OP_SENDTO, 6, 6, drill_datagram, drill_data_check, false },
    { "recvmsg", DRILL_OP_RECVMSG, 3, 3, drill_message, drill_data_check, false },
    { "sendmsg", DRILL_OP_SENDMSG, 3, 3, drill_message, drill_data_check, false },
    { "fcntl", DRILL_OP_FCNTL, 2, 3, numbers, NULL, false },
    { "ioctl", DRILL_OP_IOCTL, 2, 3, drill_ioctl, drill_ioctl_check, false },
    { "close", DRILL_OP_CLOSE, 1, 1, numbers, NULL, false },
    { "shutdown", DRILL_OP_SHUTDOWN, 2, 2, numbers, NULL, false },
    { "getsockopt", DRILL_OP_GETSOCKOPT, 5, 5, drill_getsockopt, drill_getsockopt_check, false },
    { "setsockopt", DRILL_OP_SETSOCKOPT, 5, 5, drill_setsockopt, NULL, false },
    { "getsockname", DRILL_OP_GETSOCKNAME, 3, 3, drill_address_out, drill_address_check, false },
    { "getpeername", DRILL_OP_GETPEERNAME, 3, 3, drill_address_out, drill_address_check, false },
    { "poll", DRILL_OP_POLL, 3, 3, drill_poll, drill_poll_check, false },
    { "epoll_create", DRILL_OP_EPOLL_CREATE, 1, 1, only_numbers, NULL, true },
    { "epoll_create1", DRILL_OP_EPOLL_CREATE1, 1, 1, only_numbers, NULL, true },
    { "epoll_ctl", DRILL_OP_EPOLL_CTL, 4, 4, drill_epoll_ctl, NULL, false },
    { "epoll_wait", DRILL_OP_EPOLL_WAIT, 4, 4, drill_epoll_wait, drill_epoll_check, false },
};

static const struct drill_call_kind *kind_of(const char *name)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strcmp(kinds[i].name, name) == 0)
            return &kinds[i];
    return NULL;
}

bool drill_run_call(struct drill_run *r, const struct drill_call *call)
{
    struct drill_calling *c = drill_alloc(r->pool, sizeof *c);
    c->r = r;
    c->event = r->event;
    c->event_ns = r->event_ns;
    c->call = call;
    c->kind = kind_of(call->name);
    if (c->kind == NULL)
        return drill_unsupported(r, "call %s()", call->name);
    if (call->count < c->kind->args_min || call->count > c->kind->args_max)
        return drill_malformed(r, r->event->line, "%zu arguments to %s()", c->kind->args_min,
                               call->name);
    c->op.kind = c->kind->op;
    if (!c->kind->prepare(c))
        return false;
    note_connect(c);
    c->op.waits = r->event->when.blocks;
    r->host.begin(r->host.self, &c->op);
    if (c->op.done)
        return judge(c);
    if (!r->event->when.blocks)
        return drill_failf(r, drill_format(r->pool, "%s() returns at once", call->name),
                           "it waits");
    r->calling = c;
    return true;
}
