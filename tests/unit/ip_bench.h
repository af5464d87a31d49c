/* SPDX-License-Identifier: MIT */
/*
 * ip_bench.h - An IP layer with a pool of its own, for the tests of core/ip/.
 *
 * One interface (MTU 1500) with 192.0.2.1/24 and 2001:db8::1/64, default routes of both
 * families, 64 chunks of 2 KiB.  Frames are built here and handed in at the edge of a page.
 */
#ifndef TESTS_UNIT_IP_BENCH_H
#define TESTS_UNIT_IP_BENCH_H

#include "core/base/bytes.h"
#include "core/base/checksum.h"
#include "core/base/poison.h"
#include "core/ip/ip_stack.h"
#include "tests/unit/guard.h"
#include "tests/unit/test.h"

#define BENCH_CHUNKS 64u
#define BENCH_CHUNK_BYTES 2048u
#define BENCH_FRAME_MAX 4096u

struct bench {
    struct env env; /* at the start of its arena, as env.h wants it */
    _Alignas(64) uint8_t pool[BENCH_CHUNKS * BENCH_CHUNK_BYTES];
    struct ip ip;
    struct ip_packet packet;
    struct ip_error error;
    enum la_drop reason;
    struct la_tx tx;
};

static inline struct la_addr addr_of(const char *text)
{
    struct la_addr a;
    if (!la_addr_parse(text, &a))
        fail_msg("not an address: %s", text);
    return a;
}

static inline struct la_prefix prefix_of(const char *text)
{
    struct la_prefix p;
    if (!la_prefix_parse(text, true, &p))
        fail_msg("not a prefix: %s", text);
    return p;
}

static inline void bench_bare(struct bench *b)
{
    poison_clear(b, sizeof *b);
    memset(b, 0, sizeof *b);
    b->env.now = (la_time){ UINT64_C(5000000000) };
#define LA_KNOB(field, name, value, min, max, text) b->env.knobs.field = (value);
#include <lastack/knobs.def>
#undef LA_KNOB
    chunks_init(&b->env.chunks, offsetof(struct bench, pool), BENCH_CHUNK_BYTES, BENCH_CHUNKS, 4);
    ip_init(&b->ip, b->env.now, 4080);
}

static inline void bench_start(struct bench *b)
{
    const struct la_iface_config config = { .mtu_bytes = 1500 };
    bench_bare(b);
    assert_int_equal(ip_iface_add(&b->ip, &config), 0);
    assert_int_equal(ip_addr_add(&b->ip, 0, prefix_of("192.0.2.1/24"), 0), LA_OK);
    assert_int_equal(ip_addr_add(&b->ip, 0, prefix_of("2001:db8::1/64"), 0), LA_OK);
    assert_int_equal(ip_route_add(&b->ip, la_prefix_any(), 0), LA_OK);
    assert_int_equal(ip_route_add(&b->ip, la_prefix_any_v4(), 0), LA_OK);
}

static inline enum ip_verdict bench_rx(struct bench *b, const uint8_t *bytes, uint32_t len_bytes)
{
    const struct la_frame frame = { .bytes = guard_bytes(bytes, len_bytes),
                                    .len_bytes = len_bytes };
    b->reason = LA_DROP_NONE;
    return ip_receive(&b->ip, &b->env, &frame, &b->packet, &b->error, &b->reason);
}

/* A packet with @len_bytes of payload into @to.  Return: its length. */
static inline uint32_t make_packet(uint8_t *to, struct la_addr src, struct la_addr dst,
                                   uint8_t protocol, const void *payload, uint32_t len_bytes)
{
    const struct ip_header h = { .src = src,
                                 .dst = dst,
                                 .payload_len = len_bytes,
                                 .protocol = protocol,
                                 .ttl = 61,
                                 .tos = 0xb9 };
    const uint32_t header = ip_emit(&h, to);
    if (len_bytes > 0)
        memcpy(to + header, payload, len_bytes);
    return header + len_bytes;
}

/* An ICMP message in a packet.  Return: its length. */
static inline uint32_t make_icmp(uint8_t *to, struct la_addr src, struct la_addr dst,
                                 const struct icmp_message *m, const void *data, uint32_t len_bytes)
{
    static uint8_t payload[BENCH_FRAME_MAX];
    struct icmp_message sent = *m;
    sent.data_len = len_bytes;
    if (len_bytes > 0)
        memcpy(payload + ICMP_HEADER_BYTES, data, len_bytes);
    icmp_emit(&sent, src, dst, checksum_add(0, 0, payload + ICMP_HEADER_BYTES, len_bytes), payload);
    return make_packet(to, src, dst, la_addr_is_v4(dst) ? IP_PROTO_ICMP : IP_PROTO_ICMP6, payload,
                       ICMP_HEADER_BYTES + len_bytes);
}

static inline uint32_t make_ping(uint8_t *to, const char *src, const char *dst, uint16_t id,
                                 uint16_t seq, const void *data, uint32_t len_bytes)
{
    const struct la_addr to_addr = addr_of(dst);
    const struct icmp_message m = {
        .class = ICMP_ECHO_REQUEST, .type = la_addr_is_v4(to_addr) ? 8 : 128, .id = id, .seq = seq
    };
    return make_icmp(to, addr_of(src), to_addr, &m, data, len_bytes);
}

/*
 * The next message the layer sends, taken apart as its receiver would; @bytes holds it.
 * False if there is none.
 */
static inline bool bench_tx(struct bench *b, uint8_t bytes[BENCH_FRAME_MAX], struct ip_packet *p,
                            struct icmp_message *m)
{
    if (!ip_next(&b->ip, &b->env, &b->tx))
        return false;
    uint32_t len = b->tx.header_len;
    memcpy(bytes, b->tx.header, len);
    for (uint32_t i = 0; i < b->tx.span_count; i++) {
        memcpy(bytes + len, b->tx.spans[i].bytes, b->tx.spans[i].len_bytes);
        len += b->tx.spans[i].len_bytes;
    }
    assert_int_equal(len, b->tx.len_bytes);
    assert_int_equal(ip_parse(bytes, len, p), LA_DROP_NONE);
    assert_int_equal(icmp_parse(0, p, m), LA_DROP_NONE);
    return true;
}

static inline void bench_no_tx(struct bench *b)
{
    assert_false(ip_next(&b->ip, &b->env, &b->tx));
}

static inline void bench_at_rest(struct bench *b)
{
    ip_sent(&b->ip, &b->env);
    assert_int_equal(ip_chunks_held(&b->ip), 0);
    assert_int_equal(b->env.chunks.slab.used, 0);
}

#endif
