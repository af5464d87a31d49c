/* SPDX-License-Identifier: MIT */
/*
 * wire2.c - Two stacks joined by a wire in memory, in virtual time.
 *
 * A turn takes what both have to send, hands it over in bursts, lets timers fire, and
 * repeats until nothing moves: a wire without delay, which makes tests short and never
 * hides an order of events.
 */
#include "tests/unit/wire2.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "core/base/time.h"

#define TURNS_MAX 200000u
#define TX_BURST 16u

void w2_config(struct la_config *config)
{
    *config = (struct la_config){
        .connections = 64,
        .listeners = 4,
        .half_open_v4 = 32,
        .half_open_v6 = 32,
        .short_v4 = 64,
        .short_v6 = 64,
        .chunks = 1024,
        .chunk_bytes = 2048,
        .reserve_chunks = 8,
        .reply_slots = 64,
        .shards = 1,
    };
    for (uint32_t i = 0; i < sizeof config->secret; i++)
        config->secret[i] = (uint8_t)(7 * i + 1);
}

static void *map(uint64_t bytes)
{
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                   -1, 0);
    LA_ASSERT(p != MAP_FAILED);
    return p;
}

static void add_side(struct w2 *w, int side, const struct w2_opt *opt)
{
    struct la_config config;
    const struct la_iface_config iface = {
        .mtu_bytes = opt->mtu_bytes ? opt->mtu_bytes : 1500,
        .gso_max_bytes = opt->gso_max_bytes,
        .flags = opt->csum_partial ? LA_IFACE_CSUM_TX : 0,
    };
    struct la_prefix prefix = { .len = opt->v6 ? 64 : 120 };

    w2_config(&config);
    config.secret[0] = (uint8_t)(side + 1);
    if (opt->config[side] != NULL)
        config = *opt->config[side];
    w->mem_bytes[side] = la_bytes_needed(&config);
    LA_ASSERT(w->mem_bytes[side] > 0);
    w->mem[side] = map(w->mem_bytes[side]);
    enum la_err err = la_init(w->mem[side], w->mem_bytes[side], &config, w->now, &w->s[side]);
    LA_ASSERT(err == LA_OK);
    const int number = la_iface_add(w->s[side], &iface);
    LA_ASSERT(number == 0);
    prefix.addr = w->addr[side];
    err = la_addr_add(w->s[side], 0, prefix, 0);
    LA_ASSERT(err == LA_OK);
}

struct w2 *w2_new(const struct w2_opt *opt)
{
    static const struct w2_opt plain;
    struct w2 *w = map(sizeof *w);

    if (opt == NULL)
        opt = &plain;
    w->v6 = opt->v6;
    w->now = (la_time){ opt->start_ns ? opt->start_ns : NS_PER_S };
    for (int side = 0; side < 2; side++) {
        w->addr[side] = la_addr_v4(10, 0, 0, (uint8_t)(side + 1));
        if (opt->v6) {
            const bool ok = la_addr_parse(side ? "2001:db8::2" : "2001:db8::1", &w->addr[side]);
            LA_ASSERT(ok);
        }
        add_side(w, side, opt);
    }
    return w;
}

void w2_free(struct w2 *w)
{
    for (int side = 0; side < 2; side++) {
        for (uint32_t i = 0; i < w->queued[side]; i++)
            free(w->queue[side][i].bytes);
        munmap(w->mem[side], w->mem_bytes[side]);
    }
    munmap(w, sizeof *w);
}

/* The driver's part of a checksum that the stack left to it. */
static void complete(const struct la_tx *tx, uint8_t *bytes)
{
    uint32_t sum = 0;

    if (!(tx->flags & LA_TX_CSUM_PARTIAL))
        return;
    for (uint32_t i = tx->csum_start; i < tx->len_bytes; i++)
        sum += (i - tx->csum_start) % 2 ? bytes[i] : (uint32_t)bytes[i] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    sum = ~sum & 0xffff;
    bytes[tx->csum_start + tx->csum_offset] = (uint8_t)(sum >> 8);
    bytes[tx->csum_start + tx->csum_offset + 1] = (uint8_t)sum;
}

/* What @side has to send goes into the other's queue.  Return: packets. */
static uint32_t collect(struct w2 *w, int side)
{
    struct la_tx tx[TX_BURST];
    uint32_t n, total = 0;

    while ((n = la_tx(w->s[side], w->now, tx, TX_BURST)) > 0) {
        for (uint32_t i = 0; i < n; i++) {
            const int to = 1 - side;
            uint8_t *bytes = malloc(tx[i].len_bytes);

            LA_ASSERT(bytes != NULL);
            la_tx_copy(&tx[i], bytes, tx[i].len_bytes);
            complete(&tx[i], bytes);
            if (w->dead[to] || (w->pass && !w->pass(w->context, side, bytes, tx[i].len_bytes))) {
                free(bytes);
                continue;
            }
            LA_ASSERT(w->queued[to] < W2_QUEUE_MAX);
            w->queue[to][w->queued[to]++] = (struct w2_packet){
                .bytes = bytes,
                .len_bytes = tx[i].len_bytes,
                .gso_size_bytes = tx[i].gso_size_bytes,
            };
        }
        total += n;
    }
    return total;
}

static uint32_t deliver(struct w2 *w, int side)
{
    struct la_frame frames[LA_RX_BURST_MAX];
    uint32_t done = 0;

    while (done < w->queued[side]) {
        uint32_t n = 0;

        for (; n < LA_RX_BURST_MAX && done + n < w->queued[side]; n++) {
            const struct w2_packet *p = &w->queue[side][done + n];

            frames[n] = (struct la_frame){
                .bytes = p->bytes,
                .len_bytes = p->len_bytes,
                .gso_size_bytes = p->gso_size_bytes,
                .flags = p->flags,
            };
            if (p->gso_size_bytes > 0) /* no sum covers what was to be cut */
                frames[n].flags |= LA_FRAME_CSUM_OK;
        }
        la_rx(w->s[side], w->now, frames, n);
        done += n;
    }
    for (uint32_t i = 0; i < done; i++)
        free(w->queue[side][i].bytes);
    w->queued[side] = 0;
    return done;
}

uint32_t w2_turn(struct w2 *w)
{
    uint32_t moved, total = 0, turns = 0;

    do {
        moved = 0;
        for (int side = 0; side < 2; side++) {
            while (la_tick(w->s[side], w->now, 16) && la_deadline(w->s[side]).ns <= w->now.ns)
                continue;
            moved += collect(w, side);
        }
        for (int side = 0; side < 2; side++)
            moved += deliver(w, side);
        total += moved;
        LA_ASSERT(turns++ < TURNS_MAX); /* two stacks that never fall silent */
    } while (moved > 0);
    w->packets += total;
    return total;
}

static la_time next_deadline(struct w2 *w)
{
    const la_time at = time_min(la_deadline(w->s[0]), la_deadline(w->s[1]));
    return at.ns < w->now.ns ? w->now : at;
}

void w2_run(struct w2 *w, uint64_t ns)
{
    const la_time end = time_add(w->now, ns);
    uint32_t stalls = 0;

    for (;;) {
        const uint32_t moved = w2_turn(w);
        const la_time at = next_deadline(w);

        if (!time_lt(at, end))
            break;
        stalls = time_eq(at, w->now) && moved == 0 ? stalls + 1 : 0;
        LA_ASSERT(stalls < 1000); /* a deadline that is due and never goes away */
        w->now = at;
    }
    w->now = end;
    w2_turn(w);
}

bool w2_rest(struct w2 *w, uint64_t ns)
{
    const la_time end = time_add(w->now, ns);

    for (;;) {
        w2_turn(w);
        const la_time at = next_deadline(w);

        if (at.ns == UINT64_MAX)
            return true;
        if (time_lt(end, at))
            return false;
        w->now = at;
    }
}

void w2_listen(struct w2 *w)
{
    const struct la_listen_config config = {
        .local = la_prefix_host(w->addr[1]),
        .port = W2_PORT,
        .backlog = 128,
        .user = 80,
    };
    const enum la_err err = la_listen(w->s[1], w->now, &config, &w->listener);

    LA_ASSERT(err == LA_OK);
}

void w2_connect(struct w2 *w)
{
    const struct la_endpoint any = { .port = 0 };
    const struct la_endpoint to = { .addr = w->addr[1], .port = W2_PORT };
    struct la_accepted accepted;

    if (w->listener.bits == 0)
        w2_listen(w);
    enum la_err err = la_open(w->s[0], w->now, any, to, 1, &w->conn[0]);
    LA_ASSERT(err == LA_OK);
    w2_turn(w);
    err = la_accept(w->s[1], w->now, w->listener, 2, &accepted);
    LA_ASSERT(err == LA_OK);
    w->conn[1] = accepted.conn;
    w->sent[0] = w->sent[1] = w->received[0] = w->received[1] = 0;
    LA_ASSERT(w2_state(w, 0) == LA_ESTABLISHED && w2_state(w, 1) == LA_ESTABLISHED);
}

uint8_t w2_byte(int side, uint64_t offset)
{
    return (uint8_t)((offset + 1) * 31 + (offset >> 8) * 17 + (offset >> 16) * 7 +
                     (uint64_t)side * 101);
}

int64_t w2_send(struct w2 *w, int side, uint32_t len_bytes)
{
    static uint8_t bytes[1 << 20];

    LA_ASSERT(len_bytes <= sizeof bytes);
    for (uint32_t i = 0; i < len_bytes; i++)
        bytes[i] = w2_byte(side, w->sent[side] + i);
    const int64_t n = la_send(w->s[side], w->now, w->conn[side], bytes, len_bytes, 0);
    if (n > 0)
        w->sent[side] += (uint64_t)n;
    return n;
}

int64_t w2_recv(struct w2 *w, int side)
{
    static uint8_t bytes[1 << 16];
    int64_t n;

    while ((n = la_recv(w->s[side], w->now, w->conn[side], bytes, sizeof bytes)) > 0) {
        for (int64_t i = 0; i < n; i++)
            LA_ASSERT(bytes[i] == w2_byte(1 - side, w->received[side] + (uint64_t)i));
        w->received[side] += (uint64_t)n;
    }
    LA_ASSERT(w->received[side] <= w->sent[1 - side]);
    return n;
}

void w2_transfer(struct w2 *w, int side, uint64_t len_bytes)
{
    const uint64_t goal = w->sent[side] + len_bytes;
    uint32_t rounds = 0;

    while (w->received[1 - side] < goal) {
        const uint64_t left = goal - w->sent[side];
        const uint32_t piece = left < 100000 ? (uint32_t)left : 100000;
        const uint64_t before = w->received[1 - side];

        if (piece > 0)
            (void)w2_send(w, side, piece);
        w2_turn(w);
        (void)w2_recv(w, 1 - side);
        w2_turn(w);
        if (w->received[1 - side] == before)
            w2_run(w, NS_PER_S);
        LA_ASSERT(rounds++ < 1000000);
    }
}

void w2_close(struct w2 *w, int first)
{
    (void)la_close(w->s[first], w->now, w->conn[first]);
    w2_turn(w);
    (void)la_close(w->s[1 - first], w->now, w->conn[1 - first]);
    w2_turn(w);
    w2_run(w, 300 * NS_PER_S);
}

enum la_state w2_state(const struct w2 *w, int side)
{
    struct la_conn_info info;

    return la_conn_info(w->s[side], w->conn[side], &info) == LA_OK ? info.state : LA_CLOSED;
}

void w2_sound(const struct w2 *w)
{
    for (int side = 0; side < 2; side++) {
        const char *broken = la_check(w->s[side]);

        if (broken != NULL)
            la_panic(__FILE__, __LINE__, broken);
    }
}

uint32_t w2_held(const struct w2 *w, int side)
{
    return la_table_use(w->s[side], LA_TABLE_CONNECTIONS).used +
           la_table_use(w->s[side], LA_TABLE_HALF_OPEN_V4).used +
           la_table_use(w->s[side], LA_TABLE_HALF_OPEN_V6).used +
           la_table_use(w->s[side], LA_TABLE_SHORT_V4).used +
           la_table_use(w->s[side], LA_TABLE_SHORT_V6).used;
}
