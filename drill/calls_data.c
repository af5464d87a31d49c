/* SPDX-License-Identifier: MIT */
/*
 * calls_data.c - Calls that carry bytes: buffers, vectors, messages and their ancillary data.
 *
 * Where a script writes "..." for bytes, they are of a pattern that is a function of their place
 * in the stream (drill_pattern()), on both sides: what is read is compared with it, and so is what
 * comes out on the wire.
 */
#include "drill/calls.h"

#include <stdio.h>
#include <string.h>

static bool writes(const struct drill_calling *c)
{
    return c->op.kind >= DRILL_OP_WRITE && c->op.kind <= DRILL_OP_SENDMSG;
}

static uint64_t *progress(struct drill_calling *c)
{
    struct drill_run *r = c->r;
    for (size_t i = 0; i < r->fd_count; i++)
        if (r->fds[i].script == c->script_fd)
            return writes(c) ? &r->fds[i].sent : &r->fds[i].received;
    return NULL;
}

/* One buffer of @len bytes, of the script's text or of the pattern from @at. */
static bool make_buffer(struct drill_calling *c, const struct drill_expr *e, int64_t len,
                        uint64_t at, struct iovec *out)
{
    if (len < 0 || len > DRILL_BUFFER_MAX)
        return drill_malformed(c->r, c->event->line, "a length of at most %lld",
                               (long long)DRILL_BUFFER_MAX);
    if (e->kind == DRILL_WORD && strcmp(e->text, "NULL") == 0) {
        *out = (struct iovec){ NULL, (size_t)len };
        c->iov_text[out - c->iov] = e;
        return true;
    }
    uint8_t *bytes = drill_alloc(c->r->pool, (size_t)len + 1);
    c->iov_text[out - c->iov] = e;
    if (e->kind == DRILL_STRING && writes(c)) {
        memcpy(bytes, e->text, e->text_len < (size_t)len ? e->text_len : (size_t)len);
        c->r->own_text = true;
    } else if (e->kind != DRILL_ANY && e->kind != DRILL_STRING) {
        return drill_malformed(c->r, e->line, "bytes: ... or a string");
    }
    for (int64_t i = 0; e->kind == DRILL_ANY && writes(c) && i < len; i++)
        bytes[i] = drill_pattern(at + (uint64_t)i);
    *out = (struct iovec){ bytes, (size_t)len };
    return true;
}

static uint64_t begin(struct drill_calling *c)
{
    const uint64_t *at = progress(c);
    return at != NULL ? *at : 0;
}

bool drill_buffer(struct drill_calling *c)
{
    if (!drill_arg_fd(c, 0) || !drill_arg(c, 2) || (c->call->count > 3 && !drill_arg(c, 3)))
        return false;
    c->expected = c->call->args[1];
    c->iov_count = 1;
    if (!make_buffer(c, c->expected, c->op.args[2], begin(c), &c->iov[0]))
        return false;
    c->op.args[1] = (intptr_t)c->iov[0].iov_base;
    return true;
}

bool drill_datagram(struct drill_calling *c)
{
    if (!drill_buffer(c))
        return false;
    if (c->op.kind == DRILL_OP_SENDTO) {
        if (c->call->args[4]->kind == DRILL_WORD || c->call->args[4]->kind == DRILL_INTEGER)
            return drill_arg(c, 4) && drill_arg(c, 5);
        return drill_address_in_at(c, 4, &c->addr, &c->addr_len);
    }
    const struct drill_expr *addr = c->call->args[4];
    if (addr->kind == DRILL_WORD || addr->kind == DRILL_INTEGER)
        return drill_arg(c, 4); /* NULL, and no length */
    c->addr_len = sizeof c->addr;
    c->op.args[4] = (intptr_t)&c->addr;
    c->op.args[5] = (intptr_t)&c->addr_len;
    return true;
}

/* [{..., 1000}, {"text", 4}] */
static bool make_vector(struct drill_calling *c, const struct drill_expr *e)
{
    if (e->kind != DRILL_LIST || e->count > DRILL_IOV_MAX)
        return drill_malformed(c->r, e->line, "a list of at most %d {bytes, length}",
                               DRILL_IOV_MAX);
    uint64_t at = begin(c);
    for (size_t i = 0; i < e->count; i++) {
        const struct drill_expr *v = e->items[i];
        int64_t len;
        if (v->kind != DRILL_STRUCT || v->count != 2)
            return drill_malformed(c->r, v->line, "{bytes, length}");
        const struct drill_expr *bytes =
            v->items[0]->kind == DRILL_FIELD ? v->items[0]->items[0] : v->items[0];
        const struct drill_expr *size =
            v->items[1]->kind == DRILL_FIELD ? v->items[1]->items[0] : v->items[1];
        if (!drill_value(c->r, size, &len) || !make_buffer(c, bytes, len, at, &c->iov[i]))
            return false;
        at += (uint64_t)len;
        c->iov_count = (int)i + 1;
    }
    return true;
}

bool drill_vector(struct drill_calling *c)
{
    if (!drill_arg_fd(c, 0) || !make_vector(c, c->call->args[1]) || !drill_arg(c, 2))
        return false;
    c->op.args[1] = (intptr_t)c->iov;
    return true;
}

/* --- messages ------------------------------------------------------------------------- */

/* [{cmsg_level=SOL_TCP, cmsg_type=TCP_CM_INQ, cmsg_data=[1000]}], or a number for the data. */
static bool cmsg_of(struct drill_run *r, const struct drill_expr *e, int64_t out[3])
{
    static const char *const names[] = { "cmsg_level", "cmsg_type", "cmsg_data" };
    for (int i = 0; i < 3; i++) {
        const struct drill_expr *f = drill_field(e, names[i]);
        if (f == NULL)
            return drill_malformed(r, e->line, "{cmsg_level=, cmsg_type=, cmsg_data=}");
        if ((f->kind == DRILL_LIST || f->kind == DRILL_STRUCT) && f->count == 1)
            f = f->items[0];
        if (!drill_value(r, f, &out[i]))
            return false;
    }
    return true;
}

static bool send_control(struct drill_calling *c, const struct drill_expr *list)
{
    const size_t one = CMSG_SPACE(sizeof(int));
    uint8_t *room = drill_alloc(c->r->pool, one * (list->count + 1));
    c->msg.msg_control = room;
    c->msg.msg_controllen = one * list->count;
    struct cmsghdr *h = CMSG_FIRSTHDR(&c->msg);
    for (size_t i = 0; i < list->count && h != NULL; i++, h = CMSG_NXTHDR(&c->msg, h)) {
        int64_t v[3];
        if (!cmsg_of(c->r, list->items[i], v))
            return false;
        const int data = (int)v[2];
        h->cmsg_len = CMSG_LEN(sizeof data);
        h->cmsg_level = (int)v[0];
        h->cmsg_type = (int)v[1];
        memcpy(CMSG_DATA(h), &data, sizeof data);
    }
    return true;
}

bool drill_message(struct drill_calling *c)
{
    const struct drill_expr *e = c->call->args[1];
    if (!drill_arg_fd(c, 0) || !drill_arg(c, 2))
        return false;
    if (e->kind != DRILL_STRUCT)
        return drill_malformed(c->r, e->line, "{msg_name(...)=..., msg_iov(1)=[{..., 1000}]}");
    const struct drill_expr *iov = drill_field(e, "msg_iov");
    const struct drill_expr *name = drill_field(e, "msg_name");
    const struct drill_expr *control = drill_field(e, "msg_control");
    if (iov != NULL && !make_vector(c, iov))
        return false;
    c->msg.msg_iov = c->iov;
    c->msg.msg_iovlen = (size_t)c->iov_count;
    if (name != NULL && name->kind != DRILL_WORD) {
        c->msg.msg_name = &c->addr;
        c->msg.msg_namelen = sizeof c->addr;
    }
    if (writes(c)) {
        c->msg.msg_name = NULL;
        c->msg.msg_namelen = 0;
        if (control != NULL && control->kind == DRILL_LIST && !send_control(c, control))
            return false;
    } else if (control != NULL) {
        c->msg.msg_control = drill_alloc(c->r->pool, 1024);
        c->msg.msg_controllen = 1024;
    }
    c->op.args[1] = (intptr_t)&c->msg;
    c->expected = e;
    return true;
}

static bool check_control(struct drill_calling *c, const struct drill_expr *list)
{
    struct drill_run *r = c->r;
    struct cmsghdr *h = CMSG_FIRSTHDR(&c->msg);
    for (size_t i = 0; i < list->count; i++, h = CMSG_NXTHDR(&c->msg, h)) {
        int64_t v[3] = { 0 };
        int data = 0;
        if (!cmsg_of(r, list->items[i], v))
            return false;
        if (h == NULL)
            return drill_failf(r, drill_format(r->pool, "%zu control messages", list->count), "%zu",
                               i);
        memcpy(&data, CMSG_DATA(h), sizeof data);
        if (h->cmsg_level != v[0] || h->cmsg_type != v[1] || data != v[2])
            return drill_failf(r,
                               drill_format(r->pool, "control message %lld/%lld %lld",
                                            (long long)v[0], (long long)v[1], (long long)v[2]),
                               "%d/%d %d", h->cmsg_level, h->cmsg_type, data);
    }
    return h == NULL || drill_fail(r, "no further control message", "there is one");
}

static bool check_message(struct drill_calling *c)
{
    const struct drill_expr *flags = drill_field(c->expected, "msg_flags");
    const struct drill_expr *control = drill_field(c->expected, "msg_control");
    int64_t n;
    if (flags != NULL && flags->kind != DRILL_ANY) {
        if (!drill_value(c->r, flags, &n))
            return false;
        if (n != c->msg.msg_flags)
            return drill_failf(c->r, drill_format(c->r->pool, "msg_flags 0x%llx", (long long)n),
                               "0x%x", (unsigned)c->msg.msg_flags);
    }
    if (control != NULL && control->kind == DRILL_LIST)
        return check_control(c, control);
    return true;
}

/* --- afterwards ------------------------------------------------------------------------- */

static intptr_t flags_of(const struct drill_calling *c)
{
    switch ((int)c->op.kind) {
    case DRILL_OP_RECV:
    case DRILL_OP_RECVFROM:
        return c->op.args[3];
    case DRILL_OP_RECVMSG:
        return c->op.args[2];
    default:
        return 0;
    }
}

static bool check_bytes(struct drill_calling *c, uint64_t at)
{
    int64_t left = c->op.result;
    for (int v = 0; v < c->iov_count; v++) {
        const uint8_t *bytes = c->iov[v].iov_base;
        const struct drill_expr *e = c->iov_text[v];
        const bool text = e->kind == DRILL_STRING;
        for (size_t i = 0; i < c->iov[v].iov_len && left > 0; i++, left--, at++) {
            const uint8_t wanted = !text             ? drill_pattern(at)
                                   : i < e->text_len ? (uint8_t)e->text[i]
                                                     : 0;
            if (bytes != NULL && bytes[i] != wanted)
                return drill_failf(c->r,
                                   drill_format(c->r->pool, "byte 0x%02x at %llu of the stream",
                                                wanted, (unsigned long long)at),
                                   "0x%02x", bytes[i]);
        }
    }
    return true;
}

bool drill_data_check(struct drill_calling *c)
{
    uint64_t *at = progress(c);
    const intptr_t flags = flags_of(c);
    if (c->op.kind == DRILL_OP_RECVMSG && !check_message(c))
        return false;
    if (at == NULL)
        return true;
    if (!writes(c) && (flags & (MSG_TRUNC | MSG_OOB | MSG_ERRQUEUE)) == 0 && !check_bytes(c, *at))
        return false;
    if ((flags & (MSG_PEEK | MSG_OOB | MSG_ERRQUEUE)) == 0)
        *at += (uint64_t)c->op.result;
    return true;
}
