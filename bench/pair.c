/* SPDX-License-Identifier: MIT */
/* pair.c - See pair.h. */
#include "bench/pair.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

uint64_t bench_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void die(const char *what)
{
    fprintf(stderr, "bench: %s\n", what);
    exit(1);
}

/* By family and end: an address, and a prefix of which all are the second end's. */
static const char *const addresses[2][2] = { { "10.0.0.1/8", "10.128.0.0/9" },
                                             { "fd00::1/8", "fd80::/9" } };

struct la_addr pair_any(const struct pair *p)
{
    return p->v6 ? (struct la_addr){ { 0 } } : la_addr_v4(0, 0, 0, 0);
}

struct la_addr pair_host(const struct pair *p, uint32_t n)
{
    if (!p->v6)
        return la_addr_v4(10, 128, (uint8_t)((n + 1) >> 8), (uint8_t)(n + 1));
    return (
        struct la_addr){ { 0xfd, 0x80, [14] = (uint8_t)((n + 1) >> 8), [15] = (uint8_t)(n + 1) } };
}

static void open_end(struct pair *p, uint32_t i, const struct pair_opt *opt)
{
    struct pair_end *e = &p->end[i];
    struct la_config c;
    struct la_prefix prefix;

    la_config_default(&c);
    c.connections = opt->connections;
    c.listeners = 4;
    c.half_open_v4 = 1024;
    c.half_open_v6 = 1024;
    c.short_v4 = opt->v6 ? 1 : opt->short_records;
    c.short_v6 = opt->v6 ? opt->short_records : 1;
    c.chunks = opt->chunks;
    if (opt->chunk_bytes > 0)
        c.chunk_bytes = opt->chunk_bytes;
    c.secret[i] = 1;
    c.cpu_features = opt->cpu_features;
    e->bytes = la_bytes_needed(&c);
    e->mem = mmap(NULL, e->bytes, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (e->mem == MAP_FAILED)
        die("no memory");
    madvise(e->mem, e->bytes, MADV_HUGEPAGE);
    if (opt->populate && madvise(e->mem, e->bytes, MADV_POPULATE_WRITE) != 0)
        fprintf(stderr,
                "bench: pages come as they are touched: the kernel has no MADV_POPULATE_WRITE\n");
    if (la_init(e->mem, e->bytes, &c, p->now, &e->s) != LA_OK)
        die("la_init");
    if (opt->buffer_bytes > 0 &&
        (la_sysctl_set(e->s, "net.lastack.tcp_rcvbuf", opt->buffer_bytes) != LA_OK ||
         la_sysctl_set(e->s, "net.lastack.tcp_sndbuf", opt->buffer_bytes) != LA_OK))
        die("buffer sizes");
    const struct la_iface_config iface = { .mtu_bytes = opt->mtu_bytes,
                                           .flags = opt->trusted ? LA_IFACE_CSUM_TX : 0,
                                           .gso_max_bytes = opt->gso_max_bytes };
    if (la_iface_add(e->s, &iface) != 0 || !la_prefix_parse(addresses[opt->v6][i], true, &prefix) ||
        la_addr_add(e->s, 0, prefix, i == 0 ? 0 : LA_ADDR_ANYIP) != LA_OK ||
        la_route_add(e->s, la_prefix_any(), 0) != LA_OK)
        die("la_addr_add");
    e->room = malloc(PAIR_PACKET_MAX);
    if (e->room == NULL)
        die("no memory");
}

void pair_open(struct pair *p, const struct pair_opt *opt)
{
    memset(p, 0, sizeof(*p));
    p->now.ns = 1000000000;
    p->v6 = opt->v6;
    open_end(p, 0, opt);
    open_end(p, 1, opt);
}

void pair_close(struct pair *p)
{
    for (uint32_t i = 0; i < 2; i++) {
        munmap(p->end[i].mem, p->end[i].bytes);
        free(p->end[i].room);
    }
}

uint32_t pair_run(struct pair *p)
{
    static struct la_tx tx[PAIR_BURST];
    uint32_t total = 0;
    uint32_t idle = 0;

    for (uint32_t i = 0; idle < 2; i ^= 1) {
        struct pair_end *from = &p->end[i];
        struct pair_end *to = &p->end[i ^ 1];
        const uint32_t n = la_tx(from->s, p->now, tx, PAIR_BURST);

        if (n == 0) {
            idle++;
            continue;
        }
        idle = 0;
        for (uint32_t k = 0; k < n; k++)
            la_tx_frame(&tx[k], 0, to->room, &to->frame[k]);
        la_rx(to->s, p->now, to->frame, n);
        total += n;
    }
    p->packets += total;
    return total;
}

void pair_sleep(struct pair *p, uint64_t ns)
{
    const la_time end = { p->now.ns + ns };

    while (p->now.ns < end.ns) {
        la_time next = end;

        for (uint32_t i = 0; i < 2; i++) {
            const la_time d = la_deadline(p->end[i].s);

            if (d.ns < next.ns)
                next = d;
        }
        if (next.ns > p->now.ns)
            p->now = next;
        for (uint32_t i = 0; i < 2; i++)
            while (la_tick(p->end[i].s, p->now, 1024))
                ;
        pair_run(p);
    }
}
