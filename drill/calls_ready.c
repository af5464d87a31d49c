/* SPDX-License-Identifier: MIT */
/* calls_ready.c - poll and epoll: {fd=4, events=POLLIN, revents=POLLIN}. */
#include "drill/calls.h"

#include <stdio.h>
#include <string.h>

static bool field_value(struct drill_calling *c, const struct drill_expr *e, const char *name,
                        int64_t *out)
{
    const struct drill_expr *f = drill_field(e, name);
    if (f == NULL)
        return drill_malformed(c->r, e->line, "a field %s", name);
    return drill_value(c->r, f, out);
}

bool drill_poll(struct drill_calling *c)
{
    const struct drill_expr *list = c->call->args[0];
    if (!drill_arg(c, 1) || !drill_arg(c, 2))
        return false;
    if (list->kind != DRILL_LIST)
        return drill_malformed(c->r, list->line, "[{fd=, events=, revents=}, ...]");
    c->fds = drill_alloc(c->r->pool, (list->count + 1) * sizeof *c->fds);
    c->count = list->count;
    c->expected = list;
    for (size_t i = 0; i < list->count; i++) {
        int64_t fd = -1, events = 0;
        if (!field_value(c, list->items[i], "fd", &fd) ||
            !field_value(c, list->items[i], "events", &events))
            return false;
        c->fds[i].fd = drill_live_fd(c->r, (int)fd);
        c->fds[i].events = (short)events;
    }
    c->op.args[0] = (intptr_t)c->fds;
    return true;
}

bool drill_poll_check(struct drill_calling *c)
{
    for (size_t i = 0; i < c->count; i++) {
        const struct drill_expr *e = drill_field(c->expected->items[i], "revents");
        int64_t revents;
        if (e == NULL || e->kind == DRILL_ANY)
            continue;
        if (!drill_value(c->r, e, &revents))
            return false;
        if ((short)revents != c->fds[i].revents)
            return drill_failf(
                c->r,
                drill_format(c->r->pool, "revents 0x%x of item %zu", (unsigned)revents & 0xffff, i),
                "0x%x", (unsigned)c->fds[i].revents & 0xffff);
    }
    return true;
}

/* {events=EPOLLIN, fd=4}; data may be fd, ptr, u32 or u64.  Any, without it. */
static bool data_of(struct drill_calling *c, const struct drill_expr *e, bool *any, uint64_t *out)
{
    static const char *const names[] = { "fd", "ptr", "u32", "u64" };
    const struct drill_expr *f = drill_field(e, "data");
    const struct drill_expr *holder = f != NULL && f->kind == DRILL_STRUCT ? f : e;
    int64_t n;
    f = NULL;
    for (int i = 0; i < 4 && f == NULL; i++)
        f = drill_field(holder, names[i]);
    *any = f == NULL || f->kind == DRILL_ANY;
    *out = 0;
    if (*any)
        return true;
    if (!drill_value(c->r, f, &n))
        return false;
    *out = (uint64_t)n;
    return true;
}

bool drill_epoll_ctl(struct drill_calling *c)
{
    const struct drill_expr *e = c->call->args[3];
    int64_t events = 0;
    bool any;
    uint64_t data;
    if (!drill_arg_fd(c, 0) || !drill_arg(c, 1) || !drill_arg_fd(c, 2))
        return false;
    if (e->kind != DRILL_STRUCT)
        return drill_arg(c, 3); /* NULL */
    if (!field_value(c, e, "events", &events) || !data_of(c, e, &any, &data))
        return false;
    c->events = drill_alloc(c->r->pool, sizeof *c->events);
    c->events->events = (uint32_t)events;
    c->events->data.u64 = data;
    c->op.args[3] = (intptr_t)c->events;
    return true;
}

bool drill_epoll_wait(struct drill_calling *c)
{
    if (!drill_arg_fd(c, 0) || !drill_arg(c, 2) || !drill_arg(c, 3))
        return false;
    if (c->op.args[2] > 4096)
        return drill_malformed(c->r, c->event->line, "at most 4096 events at a time");
    c->expected = c->call->args[1];
    const size_t room = c->op.args[2] > 0 ? (size_t)c->op.args[2] : 1;
    c->events = drill_alloc(c->r->pool, room * sizeof *c->events);
    c->op.args[1] = (intptr_t)c->events;
    return true;
}

static bool check_event(struct drill_calling *c, const struct drill_expr *e, size_t i)
{
    const struct drill_expr *mask = drill_field(e, "events");
    int64_t events = 0;
    bool any;
    uint64_t data;
    if (e->kind == DRILL_ANY)
        return true;
    if (mask != NULL && mask->kind != DRILL_ANY) {
        if (!drill_value(c->r, mask, &events))
            return false;
        if ((uint32_t)events != c->events[i].events)
            return drill_failf(
                c->r, drill_format(c->r->pool, "events 0x%x of item %zu", (unsigned)events, i),
                "0x%x", c->events[i].events);
    }
    if (!data_of(c, e, &any, &data))
        return false;
    if (!any && data != c->events[i].data.u64)
        return drill_failf(
            c->r, drill_format(c->r->pool, "data %llu of item %zu", (unsigned long long)data, i),
            "%llu", (unsigned long long)c->events[i].data.u64);
    return true;
}

bool drill_epoll_check(struct drill_calling *c)
{
    const struct drill_expr *e = c->expected;
    if (e->kind == DRILL_STRUCT)
        return c->op.result < 1 || check_event(c, e, 0);
    for (size_t i = 0; e->kind == DRILL_LIST && i < e->count && (int64_t)i < c->op.result; i++)
        if (!check_event(c, e->items[i], i))
            return false;
    return true;
}
