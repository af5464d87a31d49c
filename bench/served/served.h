/* SPDX-License-Identifier: MIT */
/*
 * served.h - A server on lastack behind a TUN device, for benches: one port swallows, one sends for
 * ever, one sends back.
 *
 * The application copies: received bytes into a buffer of its own, bytes to send out of one.  It
 * could do without (la_recv_peek(), la_send_reserve()), but most programs do not.
 */
#ifndef BENCH_SERVED_H
#define BENCH_SERVED_H

#include "bench/served/ports.h"

#include <stdbool.h>

#include <lastack/lastack.h>
#include <lastack/runtime.h>

#define SERVED_PIECE_MAX 131072u

struct served_options {
    const char *own_cidr, *host_cidr; /* lastack's address, and the kernel's on the device */
    enum la_rt_offload offload;
    uint32_t chunks;      /* 0: the default */
    uint32_t piece_bytes; /* of one call of the application */
    uint32_t backlog;
    bool nodelay;
    /* Before it listens: settings.  Return: false if the stack lacks one it must have. */
    bool (*settle)(struct la_stack *s, const void *context);
    /* Every turn of the loop.  @source: the connection that sends; zero if none does.  May be NULL. */
    void (*on_turn)(struct la_stack *s, la_conn_id source, const void *context);
    /* At the end.  May be NULL. */
    void (*at_end)(struct la_stack *s, const struct la_rt_loop_stats *stats);
    const void *context;
};

/* Until a signal; a byte on @ready_fd says that it listens.  Return: an exit status. */
int served_run(const struct served_options *o, int ready_fd);

#endif
