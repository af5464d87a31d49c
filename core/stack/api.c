/* SPDX-License-Identifier: MIT */
/*
 * api.c - The public calls of tcp.h: handles become slots, time enters, and what was freed
 * is offered to those who waited for it.
 */
#include "core/stack/stack.h"

#define RECV_SPANS LA_TX_SPANS_MAX

/* The record's lines are asked for together while its generation is compared. */
static uint32_t find(const struct la_stack *s, la_conn_id id)
{
    const uint32_t slot = (uint32_t)id.bits;
    uint32_t ci;

    if (slot < s->tcp.conns.high)
        conn_prefetch(&s->tcp, slot);
    ci = slab_find(&s->tcp.conns, s, id.bits);
    if (ci == SLAB_NONE || !conn_at(&s->tcp, ci)->held)
        return SLAB_NONE;
    return ci;
}

void la_conn_prefetch(const struct la_stack *s, la_conn_id id)
{
    const uint32_t slot = (uint32_t)id.bits;

    if (slot < s->tcp.conns.high)
        conn_prefetch(&s->tcp, slot);
}

/* The addresses of @flow and the way there.  MUST-44: IP chooses the source, MUST-45: it stays. */
static enum la_err choose_path(const struct la_stack *s, struct tcp_flow *flow,
                               struct ip_path *path)
{
    const bool any = la_addr_is_unspecified(flow->laddr);
    enum la_err err;

    if (la_addr_is_unspecified(flow->raddr) || ip_is_group(&s->ip, flow->raddr))
        return LA_EACCES; /* MUST-46 */
    err = ip_path(&s->ip, flow->raddr, path);
    if (err != LA_OK)
        return err;
    if (any)
        flow->laddr = path->src;
    if (any ? la_addr_is_unspecified(path->src) : !ip_is_local(&s->ip, flow->laddr))
        return LA_EADDRNOTAVAIL;
    return LA_OK;
}

static bool mixed(struct la_addr local, struct la_addr remote)
{
    return !la_addr_is_unspecified(local) && la_addr_is_v4(local) != la_addr_is_v4(remote);
}

enum la_err la_open(struct la_stack *s, la_time now, struct la_endpoint local,
                    struct la_endpoint remote, uint64_t user, la_conn_id *out)
{
    struct tcp_flow flow = {
        .laddr = local.addr,
        .raddr = remote.addr,
        .lport = local.port,
        .rport = remote.port,
    };
    struct ip_path path = { .iface = 0 };
    enum la_err err;

    if (mixed(local.addr, remote.addr) || remote.port == 0)
        return LA_EINVAL;
    stack_enter(s, now);
    err = choose_path(s, &flow, &path);
    if (err == LA_OK)
        err = tcp_open(&s->tcp, flow,
                       (struct tcp_path){ .iface = path.iface, .mtu_bytes = path.mtu_bytes }, user,
                       out);
    stack_leave(s);
    return err;
}

enum la_err la_port_choose_between(struct la_stack *s, la_time now, struct la_addr local,
                                   struct la_endpoint remote, const struct la_port_wish *wish,
                                   uint16_t *port)
{
    const struct tcp_port_range all = tcp_port_range(&s->tcp);
    const struct tcp_port_range range = {
        wish->min >= all.min && wish->min <= all.max ? wish->min : all.min,
        wish->max >= all.min && wish->max <= all.max ? wish->max : all.max,
    };
    struct tcp_flow flow = { .laddr = local, .raddr = remote.addr, .rport = remote.port };
    struct ip_path path = { .iface = 0 };
    enum la_err err = LA_OK;
    uint32_t takes;

    if (remote.port != 0 && mixed(local, remote.addr))
        return LA_EINVAL;
    stack_enter(s, now);
    if (remote.port != 0)
        err = choose_path(s, &flow, &path);
    if (err == LA_OK)
        err = tcp_choose_port(&s->tcp, range, wish->avoid, &flow, &takes);
    *port = flow.lport;
    stack_leave(s);
    return err;
}

enum la_err la_port_choose(struct la_stack *s, la_time now, struct la_addr local,
                           struct la_endpoint remote, uint16_t *port)
{
    return la_port_choose_between(s, now, local, remote, &(struct la_port_wish){ .min = 0 }, port);
}

enum la_err la_listen(struct la_stack *s, la_time now, const struct la_listen_config *config,
                      la_listener_id *out)
{
    enum la_err err;

    stack_enter(s, now);
    err = tcp_listen(&s->tcp, config, out);
    stack_leave(s);
    return err;
}

enum la_err la_listener_set_backlog(struct la_stack *s, la_listener_id id, uint32_t backlog)
{
    const uint32_t li = slab_find(&s->tcp.listeners, s, id.bits);

    if (li == SLAB_NONE)
        return LA_EBADHANDLE;
    listener_set_backlog(&s->tcp, listener_at(&s->tcp, li), backlog);
    return LA_OK;
}

enum la_err la_listener_close(struct la_stack *s, la_time now, la_listener_id id)
{
    enum la_err err;

    stack_enter(s, now);
    err = tcp_listener_close(&s->tcp, id);
    stack_leave(s);
    return err;
}

enum la_err la_accept(struct la_stack *s, la_time now, la_listener_id id, uint64_t user,
                      struct la_accepted *out)
{
    enum la_err err;

    stack_enter(s, now);
    err = tcp_accept(&s->tcp, id, user, out);
    stack_leave(s);
    return err;
}

void la_conn_set_user(struct la_stack *s, la_conn_id id, uint64_t user)
{
    const uint32_t ci = find(s, id);

    if (ci != SLAB_NONE)
        conn_at(&s->tcp, ci)->user = user;
}

int64_t la_send_reserve(struct la_stack *s, la_time now, la_conn_id id, uint32_t want_bytes,
                        struct la_span *spans, uint32_t max, uint32_t *count)
{
    const uint32_t ci = find(s, id);
    int64_t n = LA_EBADHANDLE;

    stack_enter(s, now);
    *count = 0;
    if (ci != SLAB_NONE)
        n = tcp_send_reserve(&s->tcp, ci, want_bytes, spans, max, count);
    stack_leave(s);
    return n;
}

enum la_err la_send_commit(struct la_stack *s, la_time now, la_conn_id id, uint32_t bytes,
                           uint32_t flags)
{
    const uint32_t ci = find(s, id);
    enum la_err err = LA_EBADHANDLE;

    stack_enter(s, now);
    if (ci != SLAB_NONE)
        err = tcp_send_commit(&s->tcp, ci, bytes, flags);
    stack_leave(s);
    return err;
}

int64_t la_send(struct la_stack *s, la_time now, la_conn_id id, const void *bytes,
                uint32_t len_bytes, uint32_t flags)
{
    const uint32_t ci = find(s, id);
    int64_t n = LA_EBADHANDLE;

    stack_enter(s, now);
    if (ci != SLAB_NONE)
        n = tcp_send(&s->tcp, ci, bytes, len_bytes, flags);
    stack_leave(s);
    return n;
}

int64_t la_recv_peek(struct la_stack *s, la_time now, la_conn_id id, struct la_cspan *spans,
                     uint32_t max, uint32_t *count)
{
    const uint32_t ci = find(s, id);
    int64_t n = LA_EBADHANDLE;

    stack_enter(s, now);
    *count = 0;
    if (ci != SLAB_NONE)
        n = tcp_recv_peek(&s->tcp, ci, spans, max, count);
    stack_leave(s);
    return n;
}

enum la_err la_recv_consume(struct la_stack *s, la_time now, la_conn_id id, uint32_t bytes)
{
    const uint32_t ci = find(s, id);
    enum la_err err = LA_EBADHANDLE;

    stack_enter(s, now);
    if (ci != SLAB_NONE)
        err = tcp_recv_consume(&s->tcp, ci, bytes);
    stack_leave(s);
    return err;
}

/* One span after the other, each given back as soon as it is copied. */
static int64_t recv_copy(struct tcp *t, uint32_t ci, uint8_t *to, uint32_t len_bytes)
{
    uint32_t done = 0;

    while (done < len_bytes) {
        struct la_cspan spans[RECV_SPANS];
        uint32_t count, copied = 0;
        const int64_t n = tcp_recv_peek(t, ci, spans, RECV_SPANS, &count);

        if (n <= 0)
            return done > 0 ? (int64_t)done : n;
        for (uint32_t i = 0; i < count && done + copied < len_bytes; i++) {
            const uint32_t room = len_bytes - done - copied;
            const uint32_t take = spans[i].len_bytes < room ? spans[i].len_bytes : room;

            memcpy(to + done + copied, spans[i].bytes, take);
            copied += take;
        }
        const enum la_err err = tcp_recv_consume(t, ci, copied);
        LA_ASSERT(err == LA_OK);
        done += copied;
    }
    return done;
}

int64_t la_recv(struct la_stack *s, la_time now, la_conn_id id, void *bytes, uint32_t len_bytes)
{
    const uint32_t ci = find(s, id);
    int64_t n = LA_EBADHANDLE;

    stack_enter(s, now);
    if (ci != SLAB_NONE)
        n = recv_copy(&s->tcp, ci, bytes, len_bytes);
    stack_leave(s);
    return n;
}

enum la_err la_shutdown(struct la_stack *s, la_time now, la_conn_id id, uint32_t how)
{
    const uint32_t ci = find(s, id);
    enum la_err err = LA_EBADHANDLE;

    stack_enter(s, now);
    if (ci != SLAB_NONE)
        err = tcp_shutdown(&s->tcp, ci, how);
    stack_leave(s);
    return err;
}

enum la_err la_close(struct la_stack *s, la_time now, la_conn_id id)
{
    const uint32_t ci = find(s, id);

    stack_enter(s, now);
    if (ci != SLAB_NONE)
        tcp_close(&s->tcp, ci);
    stack_leave(s);
    return ci == SLAB_NONE ? LA_EBADHANDLE : LA_OK;
}

enum la_err la_abort(struct la_stack *s, la_time now, la_conn_id id)
{
    const uint32_t ci = find(s, id);

    stack_enter(s, now);
    if (ci != SLAB_NONE)
        tcp_abort(&s->tcp, ci);
    stack_leave(s);
    return ci == SLAB_NONE ? LA_EBADHANDLE : LA_OK;
}

uint32_t la_ready(const struct la_stack *s, la_conn_id id)
{
    const uint32_t ci = find(s, id);
    return ci == SLAB_NONE ? 0 : conn_mask(&s->tcp, conn_at(&s->tcp, ci));
}

enum la_err la_conn_error(const struct la_stack *s, la_conn_id id, enum la_drop *reason)
{
    const uint32_t ci = find(s, id);

    if (ci == SLAB_NONE)
        return LA_EBADHANDLE;
    if (reason != NULL)
        *reason = (enum la_drop)conn_at(&s->tcp, ci)->reason;
    return (enum la_err)conn_at(&s->tcp, ci)->error;
}

enum la_err la_conn_soft_error(struct la_stack *s, la_conn_id id)
{
    const uint32_t ci = find(s, id);
    enum la_err err;

    if (ci == SLAB_NONE)
        return LA_EBADHANDLE;
    err = (enum la_err)conn_at(&s->tcp, ci)->soft_error;
    conn_at(&s->tcp, ci)->soft_error = 0;
    return err;
}

enum la_err la_set_option(struct la_stack *s, la_time now, la_conn_id id, enum la_option option,
                          uint64_t value)
{
    const uint32_t ci = find(s, id);
    enum la_err err = LA_EBADHANDLE;

    stack_enter(s, now);
    if (ci != SLAB_NONE) {
        struct tcp_conn *c = conn_at(&s->tcp, ci);
        const uint32_t share = port_share(c->set.reuse, c->set.reuse_port);

        if (option == LA_OPT_MAXSEG && (c->state != LA_SYN_SENT || c->segs_out > 0))
            err = LA_EISCONN; /* the SYN has told our size already */
        else
            err = tcp_setting_set(&s->tcp, &c->set, option, value);
        if (err == LA_OK)
            tcp_setting_changed(&s->tcp, ci, option);
        if (c->state != LA_CLOSED)
            port_use_changed(&s->tcp, &c->flow, share, port_share(c->set.reuse, c->set.reuse_port));
    }
    stack_leave(s);
    return err;
}

enum la_err la_get_option(const struct la_stack *s, la_conn_id id, enum la_option option,
                          uint64_t *value)
{
    const uint32_t ci = find(s, id);

    if (ci == SLAB_NONE)
        return LA_EBADHANDLE;
    return tcp_setting_get(&s->tcp, &conn_at(&s->tcp, ci)->set, option, value);
}

enum la_err la_listener_set_option(struct la_stack *s, la_listener_id id, enum la_option option,
                                   uint64_t value)
{
    const uint32_t li = slab_find(&s->tcp.listeners, s, id.bits);

    if (li == SLAB_NONE)
        return LA_EBADHANDLE;
    return listener_set_option(&s->tcp, li, option, value);
}

enum la_err la_listener_get_option(const struct la_stack *s, la_listener_id id,
                                   enum la_option option, uint64_t *value)
{
    const uint32_t li = slab_find(&s->tcp.listeners, s, id.bits);

    if (li == SLAB_NONE)
        return LA_EBADHANDLE;
    return listener_get_option(&s->tcp, li, option, value);
}
