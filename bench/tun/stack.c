/* SPDX-License-Identifier: MIT */
/* stack.c - lastack on the device: what bench/served/ serves, with the buffers that are asked for. */
#include "bench/served/served.h"
#include "bench/tun/tun.h"

#include <inttypes.h>
#include <stdio.h>

static bool settle(struct la_stack *s, const void *context)
{
    const struct serve_options *o = context;

    return la_sysctl_set(s, "net.lastack.tcp_rcvbuf", o->buffer_bytes) == LA_OK &&
           la_sysctl_set(s, "net.lastack.tcp_sndbuf", o->buffer_bytes) == LA_OK;
}

static void tell(struct la_stack *s, const struct la_rt_loop_stats *st)
{
    fprintf(stderr,
            "  turns %" PRIu64 " sleeps %" PRIu64 " in %" PRIu64 " merged %" PRIu64 " out %" PRIu64
            " device calls %" PRIu64 " full %" PRIu64 " retrans %" PRIu64 "\n",
            st->turns, st->sleeps, st->packets_in, st->packets_merged, st->packets_out,
            st->device_calls, st->device_full, la_counter(s, LA_COUNT_RetransSegs));
}

int serve_lastack(const struct serve_options *o, int ready_fd)
{
    const struct served_options served = {
        .own_cidr = SERVER_CIDR,
        .host_cidr = CLIENT_CIDR,
        .offload = o->offload ? LA_RT_OFFLOAD_ON : LA_RT_OFFLOAD_MERGE,
        .piece_bytes = PIECE_BYTES,
        .backlog = 1024,
        .nodelay = true,
        .settle = settle,
        .at_end = o->stats ? tell : NULL,
        .context = o,
    };

    return served_run(&served, ready_fd);
}
