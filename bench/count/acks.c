/* SPDX-License-Identifier: MIT */
/* acks.c - See acks.h. */
#include "bench/count/acks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define MSS 1460u
#define WINDOW (256u * MSS)
#define SCALE 3u
#define RTT_NS 5000000u
#define STEP_NS 10000u
#define ISS 1000u
#define PORT 80u
#define HEADER 40u
#define ACK 0x10u
#define SYN 0x02u

static const uint8_t us[4] = { 10, 0, 0, 2 }, them[4] = { 10, 0, 0, 1 };

static void must(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "bench: %s\n", what);
    exit(1);
}

static void put16(uint8_t *at, uint32_t v)
{
    at[0] = (uint8_t)(v >> 8);
    at[1] = (uint8_t)v;
}

static void put32(uint8_t *at, uint32_t v)
{
    put16(at, v >> 16);
    put16(at + 2, v & 0xffff);
}

static uint32_t get32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static void ip_checksum(uint8_t *ip)
{
    uint32_t sum = 0;

    put16(ip + 10, 0);
    for (uint32_t i = 0; i < 20; i += 2)
        sum += (uint32_t)ip[i] << 8 | ip[i + 1];
    sum = (sum & 0xffff) + (sum >> 16);
    put16(ip + 10, ~(sum + (sum >> 16)) & 0xffff);
}

/* A segment of the peer's, its options after the header in place. */
static void seal(struct acks_peer *p, uint32_t flags, uint32_t ack, uint32_t options)
{
    uint8_t *b = p->packet;
    const uint32_t len = HEADER + options;

    memset(b, 0, HEADER);
    b[0] = 0x45;
    put16(b + 2, len);
    b[8] = 64;
    b[9] = 6;
    memcpy(b + 12, us, 4);
    memcpy(b + 16, them, 4);
    ip_checksum(b);
    put16(b + 20, p->us);
    put16(b + 22, p->them);
    put32(b + 24, p->seq);
    put32(b + 28, ack);
    b[32] = (uint8_t)((20 + options) / 4 << 4);
    b[33] = (uint8_t)flags;
    put16(b + 34, flags & SYN ? 65535 : WINDOW >> SCALE);
    p->frame = (struct la_frame){ .bytes = b, .len_bytes = len, .flags = LA_FRAME_CSUM_OK };
}

/* What the sender has sent goes on its way. */
static void carry(struct acks_peer *p)
{
    for (uint32_t i = 0; i < p->sent; i++) {
        const struct la_tx *tx = &p->tx[i];
        const uint32_t len = tx->len_bytes - tx->header_len, seq = get32(tx->header + 24);
        const uint32_t at = (p->head + p->count) % ACKS_RING;

        if (len == 0 || p->count == ACKS_RING)
            continue; /* a queue that is full drops */
        p->ring[at].seq = seq;
        p->ring[at].len = len;
        p->ring[at].at.ns = p->now.ns + RTT_NS;
        p->count++;
        if ((int32_t)(seq + len - p->high) > 0)
            p->high = seq + len;
    }
    p->sent = 0;
}

void acks_taken(struct acks_peer *p)
{
    static uint8_t text[65536];
    struct la_event events[4];
    uint32_t n;

    while (la_tick(p->s, p->now, 64))
        ;
    if (p->frame.len_bytes > 0)
        la_rx(p->s, p->now, &p->frame, 1);
    const int64_t took = la_send(p->s, p->now, p->conn, text, sizeof text, 0);
    must(took > 0 || took == LA_EAGAIN, "send");
    while (p->sent < ACKS_BURST &&
           (n = la_tx(p->s, p->now, p->tx + p->sent, ACKS_BURST - p->sent)) > 0)
        p->sent += n;
    while (la_events(p->s, events, 4) == 4)
        ;
}

static void open_stack(struct acks_peer *p)
{
    struct la_config c;
    struct la_prefix prefix;
    const struct la_iface_config iface = { .mtu_bytes = 1500, .flags = LA_IFACE_CSUM_TX };

    la_config_default(&c);
    c.connections = 4;
    c.chunks = 1024;
    c.secret[0] = 1;
    const uint64_t bytes = la_bytes_needed(&c);
    void *mem = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    must(mem != MAP_FAILED && la_init(mem, bytes, &c, p->now, &p->s) == LA_OK, "la_init");
    must(la_sysctl_set(p->s, "net.lastack.tcp_sndbuf", 1u << 20) == LA_OK &&
             la_sysctl_set(p->s, "net.ipv4.tcp_timestamps", 0) == LA_OK &&
             la_iface_add(p->s, &iface) == 0 && la_prefix_parse("10.0.0.1/8", true, &prefix) &&
             la_addr_add(p->s, 0, prefix, 0) == LA_OK &&
             la_route_add(p->s, la_prefix_any(), 0) == LA_OK,
         "the stack");
}

void acks_open(struct acks_peer *p)
{
    static const uint8_t options[12] = { 2, 4, MSS >> 8, MSS & 0xff, 1, 1, 4, 2, 1, 3, 3, SCALE };
    const struct la_endpoint any = { .addr = la_addr_v4(0, 0, 0, 0) };
    const struct la_endpoint to = { .addr = la_addr_v4(10, 0, 0, 2), .port = PORT };

    memset(p, 0, sizeof *p);
    p->kind = ACKS_CLEAN;
    p->now.ns = 1000000000;
    p->random = 88172645463325252u;
    open_stack(p);
    must(la_open(p->s, p->now, any, to, 0, &p->conn) == LA_OK &&
             la_tx(p->s, p->now, p->tx, ACKS_BURST) == 1,
         "open");
    p->us = PORT;
    p->them = (uint32_t)p->tx[0].header[20] << 8 | p->tx[0].header[21];
    p->first = p->nxt = p->high = get32(p->tx[0].header + 24) + 1;
    p->seq = ISS;
    p->now.ns += RTT_NS;
    memcpy(p->packet + HEADER, options, sizeof options);
    seal(p, SYN | ACK, p->nxt, sizeof options);
    p->seq = ISS + 1;
    acks_taken(p);
    carry(p);
}

static uint32_t number_of(const struct acks_peer *p, uint32_t seq)
{
    return (seq - p->first) / MSS;
}

/* The block that [seq, seq + len) has become part of is the newest. */
static void remember(struct acks_peer *p, uint32_t seq, uint32_t len)
{
    uint32_t left = seq, right = seq + len, kept = 1;
    uint32_t was[4][2];

    while (left != p->nxt && p->have[number_of(p, left - MSS) % ACKS_RING])
        left -= MSS;
    while (p->have[number_of(p, right) % ACKS_RING] && right - p->nxt < WINDOW)
        right += MSS;
    memcpy(was, p->block, sizeof was);
    p->block[0][0] = left;
    p->block[0][1] = right;
    for (uint32_t i = 0; i < p->blocks && kept < 4; i++) {
        if (was[i][0] - left < right - left || (int32_t)(was[i][1] - p->nxt) <= 0)
            continue;
        memcpy(p->block[kept++], was[i], sizeof was[i]);
    }
    p->blocks = kept;
}

static void take(struct acks_peer *p, uint32_t seq, uint32_t len)
{
    for (uint32_t at = seq; at < seq + len; at += MSS)
        if ((int32_t)(at - p->nxt) >= 0)
            p->have[number_of(p, at) % ACKS_RING] = 1;
    if (seq != p->nxt) {
        if ((int32_t)(seq - p->nxt) > 0)
            remember(p, seq, len);
        return;
    }
    while (p->have[number_of(p, p->nxt) % ACKS_RING]) {
        p->have[number_of(p, p->nxt) % ACKS_RING] = 0;
        p->nxt += MSS;
    }
    while (p->blocks > 0 && (int32_t)(p->block[p->blocks - 1][1] - p->nxt) <= 0)
        p->blocks--;
}

static uint32_t draw(struct acks_peer *p, uint32_t below)
{
    p->random ^= p->random << 13;
    p->random ^= p->random >> 7;
    p->random ^= p->random << 17;
    return (uint32_t)(p->random >> 20) % below;
}

/*
 * Four pieces, anywhere: each splits what is in flight once more.  One byte is acknowledged, so that
 * no timer ends it, and the window stays full of what might be lost.
 */
static void hostile_blocks(struct acks_peer *p)
{
    const uint32_t flight = p->high - p->nxt;

    p->blocks = flight > 4 * MSS ? 4 : 0;
    for (uint32_t i = 0; i < p->blocks; i++) {
        p->block[i][0] = p->nxt + MSS + draw(p, flight - 2 * MSS);
        p->block[i][1] = p->block[i][0] + 1 + draw(p, MSS / 2);
    }
}

static void acknowledge(struct acks_peer *p)
{
    uint32_t options = 0;

    if (p->blocks > 0) {
        uint8_t *at = p->packet + HEADER;

        at[0] = at[1] = 1;
        at[2] = 5;
        at[3] = (uint8_t)(2 + 8 * p->blocks);
        for (uint32_t i = 0; i < p->blocks; i++) {
            put32(at + 4 + 8 * i, p->block[i][0]);
            put32(at + 8 + 8 * i, p->block[i][1]);
        }
        options = 4 + 8 * p->blocks;
    }
    seal(p, ACK, p->nxt, options);
}

void acks_next(struct acks_peer *p)
{
    const la_time deadline = la_deadline(p->s);

    carry(p);
    p->frame.len_bytes = 0;
    p->now.ns += STEP_NS;
    if (p->kind == ACKS_HOSTILE) {
        p->nxt++;
        p->count = 0;
        hostile_blocks(p);
        acknowledge(p);
        return;
    }
    if (p->count == 0 || p->ring[p->head].at.ns > p->now.ns) { /* nothing has arrived yet */
        const bool timer = p->count == 0 || deadline.ns < p->ring[p->head].at.ns;
        const la_time at = timer ? deadline : p->ring[p->head].at;

        must(at.ns != LA_TIME_NEVER.ns, "nothing would ever happen");
        p->now = at.ns > p->now.ns ? at : p->now;
        if (timer)
            return;
    }
    const uint32_t seq = p->ring[p->head].seq, len = p->ring[p->head].len;
    const uint32_t number = number_of(p, seq);
    p->head = (p->head + 1) % ACKS_RING;
    p->count--;
    if (p->kind == ACKS_LOSSY && number % 100 == 50 && number > p->lost) {
        p->lost = number;
        return;
    }
    take(p, seq, len);
    acknowledge(p);
}
