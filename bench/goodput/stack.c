/* SPDX-License-Identifier: MIT */
/*
 * stack.c - The server on lastack: the library's loop on a TUN device with offload, behind which the
 * kernel forwards to the path.  What it builds large is cut there, so the path sees single packets.
 *
 * Its settings are those of the kernel's ends, by the same names.  A stack without one of them says
 * so once a run.
 */
#include "bench/goodput/goodput.h"

#include <lastack/runtime.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PIECE_BYTES 131072u

static const struct setting {
    const char *name, *value;
} settings[] = {
    { "net.ipv4.tcp_congestion_control", "cubic" },
    { "net.ipv4.tcp_rmem", "4096 131072 " BUFFER_MAX },
    { "net.ipv4.tcp_wmem", "4096 16384 " BUFFER_MAX },
};
/* Where buffers have one size, the largest. */
static const struct setting fixed[] = {
    { "net.lastack.tcp_rcvbuf", BUFFER_MAX },
    { "net.lastack.tcp_sndbuf", BUFFER_MAX },
};

struct app {
    struct la_stack *stack;
    struct seen *seen;
    la_conn_id source; /* the connection that sends */
    uint8_t piece[PIECE_BYTES];
};

/* Every turn: with a large buffer the connection may not become writable for a long time. */
static void on_turn(void *context, la_time now)
{
    struct app *a = context;
    struct la_conn_info info;

    (void)now;
    if (a->source.bits != 0 && la_conn_info(a->stack, a->source, &info) == LA_OK)
        a->seen->retrans_bytes = info.segs_retransmitted * info.snd_mss;
}

static void serve(struct app *a, la_time now, la_conn_id conn, uint64_t port)
{
    int64_t n = 1;

    while (n > 0 && port == PORT_SINK)
        n = la_recv(a->stack, now, conn, a->piece, sizeof a->piece);
    while (n > 0 && port == PORT_SOURCE)
        n = la_send(a->stack, now, conn, a->piece, sizeof a->piece, 0);
    if (port == PORT_SOURCE)
        a->source = conn;
    if (n == 0 || (n < 0 && n != LA_EAGAIN))
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

static bool set(struct la_stack *s, const struct setting *list, size_t count, bool quiet)
{
    bool all = true;

    for (size_t i = 0; i < count; i++)
        if (la_sysctl_write(s, list[i].name, list[i].value) != LA_OK) {
            if (!quiet)
                fprintf(stderr, "bench: lastack has no %s = %s\n", list[i].name, list[i].value);
            all = false;
        }
    return all;
}

static bool set_up(struct la_stack *s, la_time now)
{
    static const uint16_t ports[] = { PORT_SINK, PORT_SOURCE };
    struct la_prefix own;
    la_listener_id id;

    if (!la_prefix_parse(STACK_CIDR, true, &own) || la_addr_add(s, 0, own, 0) != LA_OK ||
        la_route_add(s, la_prefix_any(), 0) != LA_OK)
        return false;
    (void)set(s, settings, 1, false);
    if (!set(s, settings + 1, 2, true) && !set(s, fixed, 2, false))
        return false;
    for (size_t i = 0; i < sizeof ports / sizeof ports[0]; i++) {
        const struct la_listen_config config = { .local = la_prefix_any(),
                                                 .port = ports[i],
                                                 .backlog = 16 };
        if (la_listen(s, now, &config, &id) != LA_OK)
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
    config.chunks = 65536;
    const uint64_t bytes = la_bytes_needed(&config);
    void *mem = la_rt_arena_map(bytes);
    if (mem == NULL || la_init(mem, bytes, &config, now, &s) != LA_OK ||
        la_iface_add(s, &iface) != 0)
        return NULL;
    return s;
}

int serve_lastack(struct seen *seen, int ready_fd)
{
    static struct app app;
    char error[256];
    struct la_prefix host;
    struct la_rt_tun_config config = { .host_addrs = &host,
                                       .host_addr_count = 1,
                                       .offload = LA_RT_OFFLOAD_ON };

    if (!la_prefix_parse(STACK_HOST_CIDR, true, &host))
        return 1;
    struct la_rt_driver *d = la_rt_tun_open(&config, error, sizeof error);
    struct la_rt_loop *loop = la_rt_loop_new(LA_RT_SIGNALS);
    if (d == NULL || loop == NULL) {
        fprintf(stderr, "bench: lastack: %s\n", d == NULL ? error : strerror(errno));
        return 1;
    }
    const la_time now = la_rt_loop_now(loop);
    memset(app.piece, 0x5a, sizeof app.piece);
    app.seen = seen;
    app.stack = make_stack(d, now);
    if (app.stack == NULL || !set_up(app.stack, now)) {
        fprintf(stderr, "bench: lastack: cannot set the stack up\n");
        return 1;
    }
    const struct la_rt_host host_side = {
        .stack = app.stack, .driver = d, .context = &app, .on_event = on_event, .on_turn = on_turn
    };
    if (la_rt_loop_add(loop, &host_side) != 0 || write(ready_fd, "", 1) != 1)
        return 1;
    (void)la_rt_run(loop);
    return 0;
}
