/* SPDX-License-Identifier: MIT */
/*
 * tcp_common_test.c - The common shape of a packet, held against the two parsers it stands for.
 *
 * Each test changes a good packet and asks both: what is recognised is read the same, and what is
 * not whole and in order is not recognised.
 */
#include "core/wire/tcp_common.h"

#include "core/base/bytes.h"
#include "core/base/checksum.h"
#include "core/wire/ip.h"
#include "tests/unit/guard.h"
#include "tests/unit/test.h"

#define TEXT 7u

struct packet {
    uint8_t bytes[120];
    uint32_t len, ip_bytes;
};

static void mend(struct packet *p)
{
    if (p->ip_bytes != IP4_HEADER_BYTES)
        return;
    store_be16(p->bytes + 10, 0);
    store_be16(p->bytes + 10, checksum_finish(checksum_add(0, 0, p->bytes, IP4_HEADER_BYTES)));
}

static struct packet make(bool v6, bool timestamps)
{
    struct packet p = { .ip_bytes = v6 ? IP6_HEADER_BYTES : IP4_HEADER_BYTES };
    struct tcp_seg seg = {
        .src_port = 1234,
        .dst_port = 80,
        .seq = seq_of(0xfffffff0),
        .ack = seq_of(0x80000001),
        .flags = TCP_ACK | TCP_PSH,
        .wnd = 65535,
        .urgent = 9,
        .opt = { .has_timestamps = timestamps, .ts_val = 0xf0000001, .ts_ecr = 77 },
    };
    const uint32_t header = tcp_emit(&seg, p.bytes + p.ip_bytes);
    struct ip_header ip = {
        .src = la_addr_v4(10, 0, 0, 1),
        .dst = la_addr_v4(192, 0, 2, 255),
        .payload_len = header + TEXT,
        .protocol = IP_PROTO_TCP,
        .ttl = 64,
    };

    if (v6) {
        assert_true(la_addr_parse("2001:db8::1", &ip.src));
        assert_true(la_addr_parse("fe80::ffff:0:1", &ip.dst));
    }
    memcpy(p.bytes + p.ip_bytes + header, "text...", TEXT);
    assert_int_equal(ip_emit(&ip, p.bytes), p.ip_bytes);
    p.len = p.ip_bytes + header + TEXT;
    return p;
}

static void same_options(const struct tcp_options *a, const struct tcp_options *b)
{
    assert_int_equal(a->has_timestamps, b->has_timestamps);
    assert_int_equal(a->ts_val, b->ts_val);
    assert_int_equal(a->ts_ecr, b->ts_ecr);
    assert_false(b->has_mss || b->has_wscale || b->has_sack_ok || b->sack_count > 0);
    assert_false(a->has_mss || a->has_wscale || a->has_sack_ok || a->sack_count > 0);
}

/* What is recognised is what the parsers read.  Return: is it recognised? */
static bool agrees(const struct packet *p)
{
    const uint8_t *at = guard_bytes(p->bytes, p->len);
    struct tcp_common c;
    struct ip_packet ip;
    struct tcp_seg seg;

    if (!tcp_common_parse(at, p->len, &c))
        return false;
    assert_int_equal(ip_parse(at, p->len, &ip), LA_DROP_NONE);
    assert_int_equal(ip.protocol, IP_PROTO_TCP);
    assert_false(ip.fragment);
    assert_true(la_addr_equal(ip.src, c.src));
    assert_true(la_addr_equal(ip.dst, c.dst));
    assert_ptr_equal(ip.payload, c.segment);
    assert_int_equal(ip.payload_len, c.segment_bytes);
    assert_int_equal(tcp_parse(ip.payload, ip.payload_len, &seg), LA_DROP_NONE);
    assert_int_equal(seg.src_port, c.seg.src_port);
    assert_int_equal(seg.dst_port, c.seg.dst_port);
    assert_int_equal(seq_raw(seg.seq), seq_raw(c.seg.seq));
    assert_int_equal(seq_raw(seg.ack), seq_raw(c.seg.ack));
    assert_int_equal(seg.wnd, c.seg.wnd);
    assert_int_equal(seg.urgent, c.seg.urgent);
    assert_int_equal(seg.flags, c.seg.flags);
    assert_ptr_equal(seg.text, c.seg.text);
    assert_int_equal(seg.len, c.seg.len);
    same_options(&seg.opt, &c.seg.opt);
    return true;
}

TEST(both_versions_with_and_without_time_stamps_are_recognised)
{
    for (uint32_t i = 0; i < 4; i++) {
        struct packet p = make(i & 1, i & 2);

        assert_true(agrees(&p));
        p.len += 6; /* padding of the link */
        assert_true(agrees(&p));
    }
}

/* Every byte of the headers with every value, the header checksum mended and not. */
TEST(whatever_a_byte_says_what_is_recognised_is_read_the_same)
{
    uint32_t recognised = 0;

    for (uint32_t i = 0; i < 4; i++)
        for (uint32_t at = 0; at < make(i & 1, i & 2).len - TEXT; at++)
            for (uint32_t value = 0; value < 256; value++) {
                struct packet p = make(i & 1, i & 2);

                p.bytes[at] = (uint8_t)value;
                recognised += agrees(&p);
                mend(&p);
                recognised += agrees(&p);
            }
    assert_true(recognised > 10000);
}

TEST(what_is_cut_short_is_not_recognised)
{
    for (uint32_t i = 0; i < 4; i++) {
        const struct packet whole = make(i & 1, i & 2);

        for (uint32_t len = 0; len < whole.len; len++) {
            struct packet p = whole;

            p.len = len;
            assert_false(agrees(&p));
        }
    }
}

/* The length in the IP header goes down to nothing, the frame stays. */
TEST(a_packet_shorter_than_its_headers_is_not_recognised)
{
    for (uint32_t i = 0; i < 4; i++) {
        struct packet p = make(i & 1, i & 2);
        const uint32_t least = i & 2 ? 32 : 20;

        for (uint32_t len = 0; len <= least + TEXT; len++) {
            store_be16(p.bytes + (i & 1 ? 4 : 2), (uint16_t)(i & 1 ? len : IP4_HEADER_BYTES + len));
            mend(&p);
            assert_int_equal(agrees(&p), len >= least);
        }
    }
}

TEST(a_wrong_header_checksum_is_not_recognised)
{
    struct packet p = make(false, true);

    p.bytes[8]--; /* TTL */
    assert_false(agrees(&p));
    mend(&p);
    assert_true(agrees(&p));
}

TEST(fragments_and_mapped_addresses_are_not_recognised)
{
    struct packet p = make(false, false);

    store_be16(p.bytes + 6, 0x2000); /* more fragments */
    mend(&p);
    assert_false(agrees(&p));
    store_be16(p.bytes + 6, 0x0001);
    mend(&p);
    assert_false(agrees(&p));
    store_be16(p.bytes + 6, 0);
    mend(&p);
    assert_true(agrees(&p));
    p = make(true, false);
    assert_true(la_addr_parse("::ffff:10.0.0.1", (struct la_addr *)(void *)(p.bytes + 8)));
    assert_false(agrees(&p));
}

TEST_MAIN
