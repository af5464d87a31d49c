/* SPDX-License-Identifier: MIT */
/* served.c - See served.h. */
#include "bench/served/served.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct app {
    const struct served_options *o;
    struct la_stack *stack;
    la_conn_id source; /* the connection that sends */
    uint8_t piece[SERVED_PIECE_MAX];
};

static bool over(int64_t n)
{
    return n == 0 || (n < 0 && n != LA_EAGAIN);
}

static void serve(struct app *a, la_time now, la_conn_id conn, uint64_t port)
{
    const uint32_t most = a->o->piece_bytes;
    int64_t n = 1;

    while (n > 0 && port == PORT_SINK)
        n = la_recv(a->stack, now, conn, a->piece, most);
    while (n > 0 && port == PORT_SOURCE)
        n = la_send(a->stack, now, conn, a->piece, most, 0);
    while (n > 0 && port == PORT_ECHO) {
        n = la_recv(a->stack, now, conn, a->piece, most);
        if (n > 0)
            n = la_send(a->stack, now, conn, a->piece, (uint32_t)n, 0);
    }
    if (port == PORT_SOURCE)
        a->source = conn;
    if (over(n))
        (void)la_close(a->stack, now, conn);
}

static void on_event(void *context, la_time now, const struct la_event *event)
{
    struct app *a = context;
    struct la_accepted accepted;

    if (event->kind == LA_EVENT_CONN) {
        serve(a, now, event->conn, event->user);
        return;
    }
    while (la_accept(a->stack, now, event->listener, 0, &accepted) == LA_OK) {
        la_conn_set_user(a->stack, accepted.conn, accepted.local.port);
        serve(a, now, accepted.conn, accepted.local.port);
    }
}

static void on_turn(void *context, la_time now)
{
    const struct app *a = context;

    (void)now;
    a->o->on_turn(a->stack, a->source, a->o->context);
}

static bool set_up(struct la_stack *s, la_time now, const struct served_options *o)
{
    static const uint16_t ports[] = { PORT_SINK, PORT_SOURCE, PORT_ECHO };
    struct la_prefix own;
    la_listener_id id;

    if (!la_prefix_parse(o->own_cidr, true, &own) || la_addr_add(s, 0, own, 0) != LA_OK ||
        la_route_add(s, la_prefix_any(), 0) != LA_OK || !o->settle(s, o->context))
        return false;
    for (size_t i = 0; i < sizeof ports / sizeof ports[0]; i++) {
        const struct la_listen_config config = { .local = la_prefix_any(),
                                                 .port = ports[i],
                                                 .backlog = o->backlog };
        if (la_listen(s, now, &config, &id) != LA_OK ||
            (o->nodelay && la_listener_set_option(s, id, LA_OPT_NODELAY, 1) != LA_OK))
            return false;
    }
    return true;
}

static struct la_stack *make_stack(const struct la_rt_driver *d, la_time now, uint32_t chunks)
{
    const struct la_iface_config iface = { .mtu_bytes = d->mtu_bytes,
                                           .flags = d->iface_flags,
                                           .gso_max_bytes = d->gso_max_bytes };
    struct la_config config;
    struct la_stack *s = NULL;

    la_config_default(&config);
    la_rt_random(config.secret, sizeof config.secret);
    config.chunks /= 2; /* of twice the usual size: a super-segment is copied in half the pieces */
    config.chunk_bytes *= 2;
    config.cpu_features = la_rt_cpu_features();
    if (chunks != 0)
        config.chunks = chunks;
    const uint64_t bytes = la_bytes_needed(&config);
    void *mem = la_rt_arena_map(bytes);
    if (mem == NULL || la_init(mem, bytes, &config, now, &s) != LA_OK ||
        la_iface_add(s, &iface) != 0)
        return NULL;
    return s;
}

int served_run(const struct served_options *o, int ready_fd)
{
    static struct app app;
    char error[256];
    struct la_prefix host;
    struct la_rt_tun_config config = { .host_addrs = &host,
                                       .host_addr_count = 1,
                                       .offload = o->offload };

    if (!la_prefix_parse(o->host_cidr, true, &host) || o->piece_bytes > SERVED_PIECE_MAX)
        return 1;
    struct la_rt_driver *d = la_rt_tun_open(&config, error, sizeof error);
    struct la_rt_loop *loop = la_rt_loop_new(LA_RT_SIGNALS);
    if (d == NULL || loop == NULL) {
        fprintf(stderr, "bench: lastack: %s\n", d == NULL ? error : strerror(errno));
        return 1;
    }
    const la_time now = la_rt_loop_now(loop);
    memset(app.piece, 0x5a, sizeof app.piece);
    app.o = o;
    app.stack = make_stack(d, now, o->chunks);
    if (app.stack == NULL || !set_up(app.stack, now, o)) {
        fprintf(stderr, "bench: lastack: cannot set the stack up\n");
        return 1;
    }
    const struct la_rt_host side = { .stack = app.stack,
                                     .driver = d,
                                     .context = &app,
                                     .on_event = on_event,
                                     .on_turn = o->on_turn != NULL ? on_turn : NULL };
    if (la_rt_loop_add(loop, &side) != 0 || write(ready_fd, "", 1) != 1)
        return 1;
    (void)la_rt_run(loop);
    struct la_rt_loop_stats stats;
    la_rt_loop_stats(loop, &stats);
    if (o->at_end != NULL)
        o->at_end(app.stack, &stats);
    return 0;
}
