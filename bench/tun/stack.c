/* SPDX-License-Identifier: MIT */
/*
 * stack.c - lastack on the device: the library's loop, and an application with three ports.
 *
 * The application copies: received bytes into a buffer of its own, bytes to send out of one.  It
 * could do without (la_recv_peek(), la_send_reserve()), but most programs do not.
 */
#include "bench/tun/tun.h"

#include <lastack/runtime.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct app {
    struct la_stack *stack;
    uint8_t piece[PIECE_BYTES];
};

static bool over(int64_t n)
{
    return n == 0 || (n < 0 && n != LA_EAGAIN);
}

static void serve(struct app *a, la_time now, la_conn_id conn, uint64_t port)
{
    int64_t n = 1;

    while (n > 0 && port == PORT_SINK)
        n = la_recv(a->stack, now, conn, a->piece, sizeof a->piece);
    while (n > 0 && port == PORT_SOURCE)
        n = la_send(a->stack, now, conn, a->piece, sizeof a->piece, 0);
    while (n > 0 && port == PORT_ECHO) {
        n = la_recv(a->stack, now, conn, a->piece, sizeof a->piece);
        if (n > 0)
            n = la_send(a->stack, now, conn, a->piece, (uint32_t)n, 0);
    }
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

static bool set_up(struct la_stack *s, la_time now, const struct serve_options *o)
{
    static const uint16_t ports[] = { PORT_SINK, PORT_SOURCE, PORT_ECHO };
    struct la_prefix own;
    la_listener_id id;

    if (!la_prefix_parse(SERVER_CIDR, true, &own) || la_addr_add(s, 0, own, 0) != LA_OK ||
        la_route_add(s, la_prefix_any(), 0) != LA_OK ||
        la_sysctl_set(s, "net.lastack.tcp_rcvbuf", o->buffer_bytes) != LA_OK ||
        la_sysctl_set(s, "net.lastack.tcp_sndbuf", o->buffer_bytes) != LA_OK)
        return false;
    for (size_t i = 0; i < sizeof ports / sizeof ports[0]; i++) {
        const struct la_listen_config config = { .local = la_prefix_any(),
                                                 .port = ports[i],
                                                 .backlog = 1024 };
        if (la_listen(s, now, &config, &id) != LA_OK ||
            la_listener_set_option(s, id, LA_OPT_NODELAY, 1) != LA_OK)
            return false;
    }
    return true;
}

static struct la_stack *make_stack(const struct la_rt_driver *d, la_time now)
{
    const struct la_iface_config iface = { .mtu_bytes = d->mtu_bytes,
                                           .flags = d->iface_flags,
                                           .gso_max_bytes = d->gso_max_bytes };
    struct la_config config;
    struct la_stack *s = NULL;

    la_config_default(&config);
    la_rt_random(config.secret, sizeof config.secret);
    config.cpu_features = la_rt_cpu_features();
    const uint64_t bytes = la_bytes_needed(&config);
    void *mem = la_rt_arena_map(bytes);
    if (mem == NULL || la_init(mem, bytes, &config, now, &s) != LA_OK ||
        la_iface_add(s, &iface) != 0)
        return NULL;
    return s;
}

int serve_lastack(const struct serve_options *o, int ready_fd)
{
    static struct app app;
    char error[256];
    struct la_prefix client;
    struct la_rt_tun_config config = {
        .host_addrs = &client,
        .host_addr_count = 1,
        .offload = o->offload ? LA_RT_OFFLOAD_ON : LA_RT_OFFLOAD_MERGE,
    };

    if (!la_prefix_parse(CLIENT_CIDR, true, &client))
        return 1;
    struct la_rt_driver *d = la_rt_tun_open(&config, error, sizeof error);
    struct la_rt_loop *loop = la_rt_loop_new(LA_RT_SIGNALS);
    if (d == NULL || loop == NULL) {
        fprintf(stderr, "bench: lastack: %s\n", d == NULL ? error : strerror(errno));
        return 1;
    }
    const la_time now = la_rt_loop_now(loop);
    memset(app.piece, 0x5a, sizeof app.piece);
    app.stack = make_stack(d, now);
    if (app.stack == NULL || !set_up(app.stack, now, o)) {
        fprintf(stderr, "bench: lastack: cannot set the stack up\n");
        return 1;
    }
    const struct la_rt_host host = {
        .stack = app.stack, .driver = d, .context = &app, .on_event = on_event
    };
    if (la_rt_loop_add(loop, &host) != 0 || write(ready_fd, "", 1) != 1)
        return 1;
    (void)la_rt_run(loop);
    struct la_rt_loop_stats st;
    la_rt_loop_stats(loop, &st);
    if (o->stats)
        fprintf(stderr,
                "  turns %" PRIu64 " sleeps %" PRIu64 " in %" PRIu64 " merged %" PRIu64
                " out %" PRIu64 " device calls %" PRIu64 " full %" PRIu64 " retrans %" PRIu64 "\n",
                st.turns, st.sleeps, st.packets_in, st.packets_merged, st.packets_out,
                st.device_calls, st.device_full, la_counter(app.stack, LA_COUNT_RetransSegs));
    return 0;
}
