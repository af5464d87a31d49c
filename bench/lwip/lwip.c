/* SPDX-License-Identifier: MIT */
/*
 * lwip.c - The measurements of bench/core.c with lwIP as Debian ships it: raw API, two
 * interfaces whose output is the other's input, one copy on the wire.  A program of its own,
 * since both stacks call things tcp_this and tcp_that; it prints "what value" and core.c reads it.
 *
 * Compiled into Debian's library, and limiting it: MSS 1460, a window of 65,535 bytes, no
 * timestamps, no SACK, no checksum offload, buffers from malloc; connections stand in one
 * list, walked for each segment.  Its TIME-WAITs are thrown away, since keeping them takes the
 * rate down with their number.
 */
#include <lwip/init.h>
#include <lwip/ip.h>
#include <lwip/netif.h>
#include <lwip/priv/tcp_priv.h>
#include <lwip/tcp.h>
#include <lwip/tcpip.h>
#include <lwip/timeouts.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define QUEUE 4096u
#define RR_BYTES 64u

struct end {
    struct tcp_pcb *pcb;
    uint64_t received;
    bool closed;
};

static struct netif ends[2];
static struct {
    struct pbuf *p[QUEUE];
    uint32_t first, count;
} wire[2]; /* towards ends[i] */
static struct tcp_pcb *listener;
static struct end *accepting;
static uint8_t buffer[65536];

static uint64_t bench_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void must(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "\nbench: lwip: %s failed\n", what);
    exit(1);
}

static err_t send_on(struct netif *from, struct pbuf *p, const ip4_addr_t *to)
{
    const uint32_t i = from == &ends[0] ? 1 : 0;
    struct pbuf *copy;

    (void)to;
    must(wire[i].count < QUEUE, "the wire");
    copy = pbuf_alloc(PBUF_RAW, p->tot_len, PBUF_RAM);
    must(copy != NULL && pbuf_copy(copy, p) == ERR_OK, "copying");
    wire[i].p[(wire[i].first + wire[i].count) % QUEUE] = copy;
    wire[i].count++;
    return ERR_OK;
}

static err_t begin_netif(struct netif *n)
{
    n->output = send_on;
    n->mtu = 1500;
    n->flags |= NETIF_FLAG_LINK_UP;
    return ERR_OK;
}

static void run(void)
{
    while (wire[0].count + wire[1].count > 0) {
        for (uint32_t i = 0; i < 2; i++) {
            while (wire[i].count > 0) {
                struct pbuf *p = wire[i].p[wire[i].first];

                wire[i].first = (wire[i].first + 1) % QUEUE;
                wire[i].count--;
                ip_input(p, &ends[i]);
            }
        }
    }
}

static err_t on_receive(void *context, struct tcp_pcb *pcb, struct pbuf *p, err_t err)
{
    struct end *e = context;

    (void)err;
    if (p == NULL) {
        e->closed = true;
        return ERR_OK;
    }
    pbuf_copy_partial(p, buffer, p->tot_len, 0);
    e->received += p->tot_len;
    tcp_recved(pcb, p->tot_len);
    pbuf_free(p);
    return ERR_OK;
}

static void attach(struct end *e, struct tcp_pcb *pcb)
{
    *e = (struct end){ .pcb = pcb };
    tcp_arg(pcb, e);
    tcp_recv(pcb, on_receive);
    tcp_nagle_disable(pcb);
}

static err_t on_accept(void *context, struct tcp_pcb *pcb, err_t err)
{
    (void)context;
    (void)err;
    attach(accepting, pcb);
    return ERR_OK;
}

static void begin(void)
{
    ip4_addr_t addr[2], mask, none;

    if (listener != NULL)
        return;
    lwip_init();
    must(sys_mutex_new(&lock_tcpip_core) == ERR_OK,
         "the lock"); /* tcpip_init() would start a thread */
    LOCK_TCPIP_CORE();
    IP4_ADDR(&addr[0], 10, 0, 0, 1);
    IP4_ADDR(&addr[1], 10, 1, 0, 1);
    IP4_ADDR(&mask, 255, 0, 0, 0);
    IP4_ADDR(&none, 0, 0, 0, 0);
    for (uint32_t i = 0; i < 2; i++) {
        must(netif_add(&ends[i], &addr[i], &mask, &none, NULL, begin_netif, ip_input) != NULL,
             "an interface");
        netif_set_up(&ends[i]);
    }
    listener = tcp_new();
    must(listener != NULL && tcp_bind(listener, IP_ADDR_ANY, 80) == ERR_OK, "bind");
    tcp_bind_netif(listener, &ends[1]);
    listener = tcp_listen_with_backlog(listener, 255);
    must(listener != NULL, "listen");
    tcp_accept(listener, on_accept);
}

/* False when lwIP has no port left. */
static bool connect_one(struct end *a, struct end *b)
{
    struct tcp_pcb *pcb = tcp_new();
    ip_addr_t to;

    must(pcb != NULL, "a connection");
    attach(a, pcb);
    tcp_bind_netif(pcb, &ends[0]);
    IP_ADDR4(&to, 10, 1, 0, 1);
    accepting = b;
    b->pcb = NULL;
    if (tcp_connect(pcb, &to, 80, NULL) != ERR_OK) {
        tcp_abort(pcb);
        return false;
    }
    run();
    return b->pcb != NULL;
}

static uint64_t scale = 10; /* 1: a tenth of the work */

static double bulk(void)
{
    const uint64_t total = 200000000 * scale;
    struct end a, b;
    uint64_t begin_ns;

    begin();
    must(connect_one(&a, &b), "connect");
    begin_ns = bench_ns();
    while (b.received < total) {
        while (tcp_sndbuf(a.pcb) >= 1460 &&
               tcp_write(a.pcb, buffer, 1460, TCP_WRITE_FLAG_COPY) == ERR_OK)
            ;
        tcp_output(a.pcb);
        run();
        tcp_fasttmr(); /* delayed ACKs: virtual time passes */
        run();
    }
    const double gbps = (double)b.received * 8 / (double)(bench_ns() - begin_ns);
    tcp_abort(a.pcb);
    tcp_abort(b.pcb);
    run();
    return gbps;
}

static void round_trip(struct end *a, struct end *b)
{
    const uint64_t at_a = a->received, at_b = b->received;

    must(tcp_write(a->pcb, buffer, RR_BYTES, TCP_WRITE_FLAG_COPY) == ERR_OK, "request");
    tcp_output(a->pcb);
    run();
    must(b->received == at_b + RR_BYTES, "request");
    must(tcp_write(b->pcb, buffer, RR_BYTES, TCP_WRITE_FLAG_COPY) == ERR_OK, "response");
    tcp_output(b->pcb);
    run();
    must(a->received == at_a + RR_BYTES, "response");
}

static double rr(uint32_t n)
{
    const uint32_t trips = (uint32_t)((n > 100 ? 10000 : 100000) * scale);
    struct end *a = calloc(n, sizeof(*a)), *b = calloc(n, sizeof(*b));
    uint64_t x = 88172645463325252u, begin_ns;

    must(a != NULL && b != NULL, "malloc");
    begin();
    for (uint32_t i = 0; i < n; i++)
        must(connect_one(&a[i], &b[i]), "connect");
    begin_ns = bench_ns();
    for (uint32_t k = 0; k < trips; k++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        round_trip(&a[x % n], &b[x % n]);
    }
    const double per_s = (double)trips * 1000 / (double)(bench_ns() - begin_ns);
    for (uint32_t i = 0; i < n; i++) {
        tcp_abort(a[i].pcb);
        tcp_abort(b[i].pcb);
    }
    run();
    free(a);
    free(b);
    return per_s;
}

static double life(void)
{
    const uint32_t lives = (uint32_t)(30000 * scale);
    struct end a, b;
    uint64_t begin_ns;

    begin();
    begin_ns = bench_ns();
    for (uint32_t n = 0; n < lives; n++) {
        must(connect_one(&a, &b), "connect");
        round_trip(&a, &b);
        must(tcp_close(a.pcb) == ERR_OK, "close");
        run();
        must(tcp_close(b.pcb) == ERR_OK, "close");
        run();
        while (tcp_tw_pcbs != NULL)
            tcp_abort(tcp_tw_pcbs);
    }
    return (double)lives * 1000 / (double)(bench_ns() - begin_ns);
}

/* As compiled into the library, and what it means for the figures. */
static void say_options(void)
{
    printf(
        "# %s, Debian's build: TCP_MSS %d, TCP_WND %d, LWIP_WND_SCALE %d: a window of 64 KB at\n",
        LWIP_VERSION_STRING, TCP_MSS, TCP_WND, LWIP_WND_SCALE);
    printf("#   most, about one burst of 45 segments; TCP_SND_BUF %d\n", (int)TCP_SND_BUF);
    printf("# LWIP_TCP_TIMESTAMPS %d, LWIP_TCP_SACK_OUT %d: it writes and reads fewer options\n",
           LWIP_TCP_TIMESTAMPS, LWIP_TCP_SACK_OUT);
    printf("# LWIP_CHECKSUM_ON_COPY %d, LWIP_CHKSUM in plain C: sums without vectors\n",
           LWIP_CHECKSUM_ON_COPY);
    printf("# MEM_LIBC_MALLOC %d, MEMP_MEM_MALLOC %d, MEMP_NUM_TCP_PCB %d: memory bounds nothing\n",
           MEM_LIBC_MALLOC, MEMP_MEM_MALLOC, MEMP_NUM_TCP_PCB);
    printf("# connections in one list, walked for each segment: no figure beyond 1,000\n");
    printf("# TIME-WAITs are thrown away after each life: kept, they slow every look-up down\n");
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--quick") == 0)
        scale = 1;
    say_options();
    printf("bulk_mss1460 %.4f Gbit/s\n", bulk());
    printf("rr_1 %.4f M/s\n", rr(1));
    printf("rr_1000 %.4f M/s\n", rr(1000));
    printf("lifecycles %.4f M/s\n", life());
    return 0;
}
