/* SPDX-License-Identifier: MIT */
/*
 * flow.c - Opening flows, handing events to their applications.
 *
 * An event carries a user word: flow * 2 + side + 1 for a connection, the port for a
 * listener.  Connections are matched to flows by their endpoints when they are
 * accepted, because a server can know no more.
 */
#include "sim/flow.h"

#include <string.h>

#include "sim/memory.h"

#define SERVER_PORT 80u
#define BACKLOG 256u

uint8_t sim_pattern(uint32_t flow, uint32_t side, uint64_t offset)
{
    const uint64_t block = offset / 8 + ((uint64_t)flow << 40) + ((uint64_t)side << 39);

    return (uint8_t)(sim_mix(block + 1) >> (offset % 8 * 8));
}

struct sim_flow *sim_flow_find(struct sim_world *w, const struct la_endpoint *from,
                               const struct la_endpoint *to, uint32_t *side)
{
    for (uint32_t i = w->flow_count; i-- > 0;) {
        struct sim_flow *f = w->flows[i];

        for (uint32_t s = 0; f->started && s < 2; s++) {
            const struct la_endpoint *a = &f->endpoint[s], *b = &f->endpoint[1 - s];

            if (a->port == from->port && b->port == to->port &&
                la_addr_equal(a->addr, from->addr) && la_addr_equal(b->addr, to->addr)) {
                *side = s;
                return f;
            }
        }
    }
    return NULL;
}

static uint64_t user_word(const struct sim_app *a)
{
    return (uint64_t)a->flow->index * 2 + a->side + 1;
}

static struct sim_app *app_of(struct sim_world *w, uint64_t user)
{
    const uint64_t flow = (user - 1) / 2;

    return user == 0 || flow >= w->flow_count ? NULL : &w->flows[flow]->app[(user - 1) % 2];
}

static void open_end(struct sim_flow *f, uint32_t side)
{
    struct sim_app *a = &f->app[side];
    const struct la_endpoint *to = &f->endpoint[1 - side];
    la_conn_id conn = { 0 };
    const enum la_err err = sim_call_open(a->host, f->endpoint[side], *to, user_word(a), &conn);

    if (err != LA_OK) {
        sim_fail(f->w, "flow %u: la_open() at %s gave %s", f->index, a->host->name,
                 la_err_name(err));
        return;
    }
    sim_app_begin(a, conn);
    f->endpoint[side].port = a->info.local.port;
    sim_host_turn(a->host);
}

static void start(struct sim_world *w, void *context)
{
    struct sim_flow *f = context;

    f->started = true;
    f->started_at_ns = w->now_ns;
    open_end(f, 0);
    if (f->opt.simultaneous && !w->failed)
        open_end(f, 1);
}

struct sim_flow *sim_flow(struct sim_world *w, struct sim_host *a, struct sim_host *b,
                          const struct sim_flow_opt *opt)
{
    struct sim_flow *f = sim_take(sizeof *f);
    struct sim_host *const host[2] = { a, b };

    if (w->flow_count == w->flow_room) {
        w->flow_room = w->flow_room ? w->flow_room * 2 : 16;
        w->flows = sim_resize(w->flows, w->flow_room * sizeof *w->flows);
    }
    f->w = w;
    f->index = w->flow_count;
    f->opt = *opt;
    if (f->opt.server_port == 0)
        f->opt.server_port = SERVER_PORT;
    for (uint32_t side = 0; side < 2; side++) {
        f->app[side] = (struct sim_app){
            .flow = f,
            .host = host[side],
            .side = side,
            .opt = opt->end[side],
            .timer_at_ns = SIM_NEVER,
            .close_at_ns = SIM_NEVER,
        };
        f->endpoint[side].addr = sim_host_addr(host[side], opt->v6);
    }
    f->endpoint[0].port = opt->client_port;
    f->endpoint[1].port = f->opt.server_port;
    w->flows[w->flow_count++] = f;
    w->flows_open++;
    if (!opt->simultaneous && !opt->fails_to_open)
        sim_host_listen(b, f->opt.server_port, BACKLOG);
    sim_at(w, w->now_ns + sim_us(opt->start_us), start, f);
    return f;
}

static void finish_silently(struct sim_app *a)
{
    struct sim_world *w = a->host->w;

    a->held = false;
    a->finished = true;
    a->finished_at_ns = w->now_ns;
    a->end = a->end == SIM_END_NONE ? SIM_END_OWN : a->end;
    if (a->flow->app[1 - a->side].finished)
        w->flows_open--;
}

void sim_flow_forget(struct sim_host *h)
{
    struct sim_world *w = h->w;

    for (uint32_t i = 0; i < w->flow_count; i++) {
        for (uint32_t side = 0; side < 2; side++) {
            struct sim_app *a = &w->flows[i]->app[side];

            if (a->host != h || a->finished || !a->flow->started)
                continue;
            a->flow->abandoned = true;
            finish_silently(a);
        }
    }
}

void sim_flow_abandon(struct sim_flow *f)
{
    f->abandoned = true;
    for (uint32_t side = 0; side < 2; side++)
        if (!f->app[side].held && !f->app[side].finished)
            finish_silently(&f->app[side]);
}

void sim_flow_free(struct sim_flow *f)
{
    sim_release(f);
}

static void accept_one(struct sim_host *h, const struct la_accepted *got)
{
    uint32_t side = 0;
    struct sim_flow *f = sim_flow_find(h->w, &got->local, &got->remote, &side);

    if (!f || side != 1 || f->app[1].host != h) {
        sim_fail(h->w, "host %s: accepted a connection that nobody opened", h->name);
        return;
    }
    struct sim_app *a = &f->app[1];

    if (a->finished && f->abandoned) {
        sim_call_abort(h, got->conn);
        return;
    }
    if (a->held || a->finished) {
        sim_fail(h->w, "flow %u: accepted twice", f->index);
        return;
    }
    sim_call_set_user(h, got->conn, user_word(a));
    sim_app_begin(a, got->conn);
    sim_app_run(a);
}

static void accept_all(struct sim_host *h, la_listener_id id)
{
    struct la_accepted got;
    enum la_err err;

    while (!h->w->failed && (err = sim_call_accept(h, id, 0, &got)) != LA_EAGAIN) {
        if (err != LA_OK)
            sim_fail(h->w, "host %s: la_accept() gave %s", h->name, la_err_name(err));
        else
            accept_one(h, &got);
    }
}

void sim_flow_event(struct sim_host *h, const struct la_event *event)
{
    const struct sim_watch *watch = h->w->watch;

    if (watch && watch->event && watch->event(watch->context, h, event))
        return;
    if (event->kind == LA_EVENT_LISTENER) {
        for (uint32_t i = 0; i < h->listener_count; i++)
            if (h->listeners[i].id.bits == event->listener.bits)
                accept_all(h, event->listener);
        return;
    }
    struct sim_app *a = app_of(h->w, event->user);

    sim_note(h->w, event->user << 16 ^ event->mask);
    if (!a || a->host != h || a->conn.bits != event->conn.bits) {
        sim_fail(h->w, "host %s: an event for a connection nobody has", h->name);
    } else if (!a->held) {
        if (a->released_in_drain != h->drain + 1)
            sim_fail(h->w, "flow %u.%u: an event after the handle was released", a->flow->index,
                     a->side);
    } else {
        a->mask = event->mask;
        sim_app_run(a);
    }
}

static const char *end_text(enum sim_app_end end)
{
    static const char *const texts[] = { "waiting", "EOF", "error", "closed" };

    return texts[end];
}

void sim_flow_describe(const struct sim_flow *f, char *text, size_t room)
{
    size_t at = 0;

    for (uint32_t side = 0; side < 2 && at < room; side++) {
        const struct sim_app *a = &f->app[side];
        struct la_conn_info info = { 0 };
        const bool known = a->held && la_conn_info(a->host->stack, a->conn, &info) == LA_OK;
        const int n = snprintf(text + at, room - at,
                               "%sflow %u at %s: %s, %s, sent %llu of %llu, received %llu of %llu",
                               side ? "; " : "", f->index, a->host->name, end_text(a->end),
                               known          ? la_state_name(info.state)
                               : a->connected ? "released"
                                              : "not connected",
                               (unsigned long long)a->sent, (unsigned long long)a->opt.send_bytes,
                               (unsigned long long)a->received,
                               (unsigned long long)f->app[1 - side].opt.send_bytes);

        at += n > 0 ? (size_t)n : 0;
    }
}
