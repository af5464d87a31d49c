/* SPDX-License-Identifier: MIT */
/*
 * stack.c - The server on lastack: the library's loop on a TUN device with offload, behind which the
 * kernel forwards to the path.  What it builds large is cut there, so the path sees single packets.
 *
 * Its settings are those of the kernel's ends, by the same names.  A stack without one of them says
 * so once a run.
 */
#include "bench/goodput/goodput.h"
#include "bench/served/served.h"

#include <stdio.h>

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

static bool settle(struct la_stack *s, const void *context)
{
    (void)context;
    (void)set(s, settings, 1, false);
    return set(s, settings + 1, 2, true) || set(s, fixed, 2, false);
}

/* Every turn: with a large buffer the connection may not become writable for a long time. */
static void look(struct la_stack *s, la_conn_id source, const void *context)
{
    struct seen *const *seen = context;
    struct la_conn_info info;

    if (source.bits != 0 && la_conn_info(s, source, &info) == LA_OK)
        (*seen)->retrans_bytes = info.segs_retransmitted * info.snd_mss;
}

int serve_lastack(struct seen *seen, int ready_fd)
{
    const struct served_options served = {
        .own_cidr = STACK_CIDR,
        .host_cidr = STACK_HOST_CIDR,
        .offload = LA_RT_OFFLOAD_ON,
        .chunks = 65536,
        .piece_bytes = SERVED_PIECE_MAX,
        .backlog = 16,
        .settle = settle,
        .on_turn = look,
        .context = &seen,
    };

    return served_run(&served, ready_fd);
}
