/* SPDX-License-Identifier: MIT */
/*
 * hand.c - One stack whose peer is the test.
 *
 * Our ISS is forced by writing it into the connection before its SYN is taken, so that a
 * test can stand at any place of the sequence space.
 */
#include "tests/unit/hand.h"

#include <sys/mman.h>

#include "core/base/bytes.h"
#include "core/base/checksum.h"
#include "core/base/poison.h"
#include "sim/check/shadow.h"

#define PACKET_MAX 70000u

void hand_config(struct la_config *config)
{
    *config = (struct la_config){
        .connections = 16,
        .listeners = 4,
        .half_open_v4 = 8,
        .half_open_v6 = 8,
        .short_v4 = 8,
        .short_v6 = 8,
        .chunks = 512,
        .chunk_bytes = 2048,
        .reserve_chunks = 4,
        .reply_slots = 64,
        .trace_records = 64,
        .shards = 1,
        .secret = { 1, 2, 3, 4 },
    };
}

static void *map(uint64_t bytes)
{
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                   -1, 0);
    LA_ASSERT(p != MAP_FAILED);
    return p;
}

void hand_new(struct hand *h, const struct hand_opt *opt)
{
    static const struct hand_opt plain;
    struct la_config config;

    if (opt == NULL)
        opt = &plain;
    hand_config(&config);
    if (opt->config != NULL)
        config = *opt->config;
    *h = (struct hand){
        .v6 = opt->v6,
        .now = { opt->start_ns ? opt->start_ns : 1000 * NS_PER_S },
        .lport = 80,
        .rport = 5000,
        .iss = seq_of(opt->iss),
        .irs = seq_of(opt->irs),
        .us = la_addr_v4(10, 0, 0, 1),
        .peer = la_addr_v4(10, 0, 0, 2),
    };
    if (h->v6) {
        const bool ok =
            la_addr_parse("2001:db8::1", &h->us) && la_addr_parse("2001:db8::2", &h->peer);
        LA_ASSERT(ok);
    }
    h->mem_bytes = la_bytes_needed(&config);
    h->mem = map(h->mem_bytes);
    enum la_err err = la_init(h->mem, h->mem_bytes, &config, h->now, &h->s);
    LA_ASSERT(err == LA_OK);
    h->t = &h->s->tcp;
    h->t->congestion = CC_RENO; /* RFC 5681 is what most tests count by */
    const struct la_iface_config iface = { .mtu_bytes = opt->mtu_bytes ? opt->mtu_bytes : 1500,
                                           .flags = opt->iface_flags,
                                           .gso_max_bytes = opt->gso_max_bytes };
    const int number = la_iface_add(h->s, &iface);
    LA_ASSERT(number == 0);
    err = la_addr_add(h->s, 0, (struct la_prefix){ .addr = h->us, .len = h->v6 ? 64 : 120 }, 0);
    LA_ASSERT(err == LA_OK);
}

void hand_free(struct hand *h)
{
    poison_clear(h->mem, h->mem_bytes);
    munmap(h->mem, h->mem_bytes);
}

void hand_listen(struct hand *h)
{
    const struct la_listen_config config = {
        .local = la_prefix_host(h->us),
        .port = h->lport,
        .backlog = 4,
        .user = 7,
    };
    const enum la_err err = la_listen(h->s, h->now, &config, &h->listener);

    LA_ASSERT(err == LA_OK);
}

void hand_open(struct hand *h)
{
    const struct la_endpoint local = { .addr = h->us, .port = h->lport };
    const struct la_endpoint remote = { .addr = h->peer, .port = h->rport };
    const enum la_err err = la_open(h->s, h->now, local, remote, 9, &h->conn);

    LA_ASSERT(err == LA_OK);
    struct tcp_conn *c = hand_conn(h);
    c->snd.una = c->snd.nxt = c->snd.rtx = c->snd.recover = c->snd.crumb = h->iss;
}

void hand_establish(struct hand *h, const struct hand_opt *opt)
{
    static char line[200];
    const char *syn = opt != NULL && opt->syn != NULL ? opt->syn : "wnd 65535 mss 1460";
    uint32_t n = 0;

    hand_open(h);
    hand_drain(h);
    for (const char *p = "SYN ACK rcv 0 snd 1 "; *p != '\0'; p++)
        line[n++] = *p;
    while (*syn != '\0' && n < sizeof line - 1)
        line[n++] = *syn++;
    line[n] = '\0';
    hand_rx(h, line);
    hand_drain(h);
    LA_ASSERT(hand_state(h) == LA_ESTABLISHED);
}

uint32_t hand_ci(const struct hand *h)
{
    return slab_find(&h->t->conns, h->t, h->conn.bits);
}

struct tcp_conn *hand_conn(const struct hand *h)
{
    const uint32_t ci = hand_ci(h);

    LA_ASSERT(ci != SLAB_NONE);
    return conn_at(h->t, ci);
}

uint8_t hand_byte(uint64_t offset)
{
    return (uint8_t)(offset * 13 + (offset >> 8) * 7 + 5);
}

uint32_t hand_packet(struct la_addr src, struct la_addr dst, const struct tcp_seg *seg, uint8_t *to)
{
    const uint32_t at = ip_header_bytes(dst);
    const uint32_t header = tcp_emit(seg, to + at);
    const struct ip_header ip = {
        .src = src,
        .dst = dst,
        .payload_len = header + seg->len,
        .protocol = IP_PROTO_TCP,
        .ttl = 64,
    };

    if (seg->len > 0 && seg->text != NULL)
        memmove(to + at + header, seg->text, seg->len);
    (void)ip_emit(&ip, to);
    const uint64_t sum = ip_pseudo_sum(src, dst, IP_PROTO_TCP, header + seg->len);
    store_be16(to + at + 16, checksum_finish(checksum_add(0, sum, to + at, header + seg->len)));
    return at + header + seg->len;
}

/* A router on the way rewrites the ECN codepoint. */
static void mark(uint8_t *packet, uint8_t ecn)
{
    if (packet[0] >> 4 == 6) {
        packet[1] = (uint8_t)(packet[1] | ecn << 4);
        return;
    }
    packet[1] |= ecn;
    store_be16(packet + 10, 0);
    store_be16(packet + 10, checksum_finish(checksum_add(0, 0, packet, 20)));
}

static uint8_t packets[LA_RX_BURST_MAX][2048];

static uint32_t build(struct hand *h, struct tcp_seg *seg, uint8_t *to, uint8_t *text)
{
    if (seg->src_port == 0)
        seg->src_port = h->rport;
    if (seg->dst_port == 0)
        seg->dst_port = h->lport;
    if (seg->len > 0 && seg->text == NULL) {
        const uint32_t first = seq_diff(h->irs, seg->seq) - 1 + ((seg->flags & TCP_SYN) != 0);

        for (uint32_t i = 0; i < seg->len; i++)
            text[i] = hand_byte(first + i);
        seg->text = text;
    }
    const uint32_t len = hand_packet(h->peer, h->us, seg, to);

    if (h->rx_ecn != 0)
        mark(to, h->rx_ecn);
    return len;
}

void hand_rx_seg(struct hand *h, struct tcp_seg *seg)
{
    static uint8_t packet[PACKET_MAX], text[PACKET_MAX];
    const struct la_frame frame = { .bytes = packet, .len_bytes = build(h, seg, packet, text) };

    shadow_rx_or_panic(h->s, h->now, &frame, 1);
}

static void parse(struct hand *h, const char *line, struct tcp_seg *seg)
{
    const struct tcp_text_bases bases = { .rcv = h->irs, .snd = h->iss };
    const char *wrong = tcp_text_parse(line, &bases, seg);

    if (wrong != NULL)
        la_panic(line, 0, wrong);
}

void hand_rx(struct hand *h, const char *line)
{
    struct tcp_seg seg;

    parse(h, line, &seg);
    hand_rx_seg(h, &seg);
}

void hand_burst(struct hand *h, const char *const *lines)
{
    static uint8_t text[2048];
    struct la_frame frames[LA_RX_BURST_MAX];
    uint32_t n = 0;

    for (; lines[n] != NULL; n++) {
        struct tcp_seg seg;

        LA_ASSERT(n < LA_RX_BURST_MAX);
        parse(h, lines[n], &seg);
        LA_ASSERT(seg.len < 1900);
        frames[n] =
            (struct la_frame){ .bytes = packets[n], .len_bytes = build(h, &seg, packets[n], text) };
    }
    shadow_rx_or_panic(h->s, h->now, frames, n);
}

bool hand_tx_seg(struct hand *h, struct tcp_seg *seg)
{
    static uint8_t packet[PACKET_MAX];
    struct la_tx tx;
    struct ip_packet ip;

    if (la_tx(h->s, h->now, &tx, 1) == 0)
        return false;
    (void)la_tx_copy(&tx, packet, sizeof packet);
    LA_ASSERT(ip_parse(packet, tx.len_bytes, &ip) == LA_DROP_NONE);
    LA_ASSERT(ip.protocol == IP_PROTO_TCP);
    h->tx_ecn = ip.tos & 3;
    LA_ASSERT(tcp_checksum_ok(0, ip.src, ip.dst, ip.payload, ip.payload_len));
    LA_ASSERT(tcp_parse(ip.payload, ip.payload_len, seg) == LA_DROP_NONE);
    return true;
}

const char *hand_tx(struct hand *h)
{
    const struct tcp_text_bases bases = { .rcv = h->irs, .snd = h->iss, .outbound = true };
    struct tcp_seg seg;

    h->line[0] = '\0';
    if (hand_tx_seg(h, &seg))
        (void)tcp_text_format(&seg, &bases, h->line, sizeof h->line);
    return h->line;
}

uint32_t hand_drain(struct hand *h)
{
    struct la_tx tx;
    uint32_t n = 0;

    for (; la_tx(h->s, h->now, &tx, 1) > 0; n++)
        LA_ASSERT(n < 100000);
    return n;
}

void hand_wait(struct hand *h, uint64_t ns)
{
    const la_time end = time_add(h->now, ns);

    for (;;) {
        while (la_tick(h->s, h->now, 64) && la_deadline(h->s).ns <= h->now.ns)
            continue;
        const la_time at = la_deadline(h->s);

        if (!time_lt(at, end))
            break;
        h->now = at.ns < h->now.ns ? h->now : at;
    }
    h->now = end;
    while (la_tick(h->s, h->now, 64) && la_deadline(h->s).ns <= h->now.ns)
        continue;
}

bool hand_next(struct hand *h)
{
    const la_time at = la_deadline(h->s);

    if (at.ns == UINT64_MAX)
        return false;
    if (time_lt(h->now, at))
        h->now = at;
    while (la_tick(h->s, h->now, 64) && la_deadline(h->s).ns <= h->now.ns)
        continue;
    return true;
}

void hand_rto(struct hand *h)
{
    const la_time at = hand_conn(h)->deadline[TCP_DL_RTX];

    LA_ASSERT(at.ns != UINT64_MAX);
    hand_wait(h, time_since(h->now, at));
}

enum la_state hand_state(const struct hand *h)
{
    const uint32_t ci = hand_ci(h);

    return ci == SLAB_NONE ? LA_CLOSED : (enum la_state)conn_at(h->t, ci)->state;
}
