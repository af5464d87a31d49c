/* SPDX-License-Identifier: MIT */
/* ipv4_test.c - Lengths that lie, options that loop, fragments, checksums; all at the edge of a page. */
#include "core/wire/ip.h"

#include "core/base/bytes.h"
#include "core/base/checksum.h"
#include "tests/unit/guard.h"
#include "tests/unit/test.h"

#define FRAME_MAX 120u

/* A header of @ihl words (its options NOPs) that claims @total bytes; the rest of @b is 0xee. */
static void make(uint8_t b[FRAME_MAX], uint32_t ihl, uint32_t total, uint8_t protocol)
{
    memset(b, 0xee, FRAME_MAX);
    memset(b, 1, 60);
    b[0] = (uint8_t)(4 << 4 | ihl);
    b[1] = 0xb8;
    store_be16(b + 2, (uint16_t)total);
    store_be16(b + 4, 77);
    store_be16(b + 6, 0);
    b[8] = 63;
    b[9] = protocol;
    store_be16(b + 10, 0);
    memcpy(b + 12, (uint8_t[]){ 192, 0, 2, 1, 192, 0, 2, 2 }, 8);
}

static void set_sum(uint8_t *b)
{
    const uint32_t header = (b[0] & 15u) * 4u;
    store_be16(b + 10, 0);
    store_be16(b + 10, checksum_finish(checksum_add(0, 0, b, header)));
}

static enum la_drop parse(const uint8_t *b, uint32_t len, struct ip_packet *p)
{
    return ip_parse(guard_bytes(b, len), len, p);
}

TEST(every_field_is_where_the_rfc_has_it)
{
    uint8_t b[FRAME_MAX];
    struct ip_packet p;
    make(b, 6, 60, 6);
    set_sum(b);
    assert_int_equal(parse(b, 60, &p), LA_DROP_NONE);
    assert_int_equal(p.version, 4);
    assert_int_equal(p.tos, 0xb8);
    assert_int_equal(p.ttl, 63);
    assert_int_equal(p.protocol, 6);
    assert_int_equal(p.next_header_at, 9);
    assert_int_equal(p.len_bytes, 60);
    assert_int_equal(p.payload_len, 36);
    assert_ptr_equal(p.payload, p.bytes + 24);
    assert_true(la_addr_equal(p.src, la_addr_v4(192, 0, 2, 1)));
    assert_true(la_addr_equal(p.dst, la_addr_v4(192, 0, 2, 2)));
    assert_false(p.dont_fragment);
}

static enum la_drop expected(uint32_t frame, uint32_t total, uint32_t ihl)
{
    if (frame < IP4_HEADER_BYTES)
        return LA_DROP_IP_SHORT;
    if (ihl < 5 || ihl * 4 > frame)
        return LA_DROP_IP_HEADER_LENGTH;
    if (total < ihl * 4 || total > frame)
        return LA_DROP_IP_TOTAL_LENGTH;
    return LA_DROP_NONE;
}

/* Exhaustive: frame 0..120 x total length 0..120 x header length 0..15 x protocol. */
TEST(frame_total_and_header_length_are_held_against_each_other)
{
    static const uint8_t protocols[] = { 1, 6, 17, 58 };
    uint8_t b[FRAME_MAX];
    for (uint32_t total = 0; total <= FRAME_MAX; total++)
        for (uint32_t ihl = 0; ihl < 16; ihl++)
            for (uint32_t i = 0; i < sizeof protocols; i++) {
                make(b, ihl, total, protocols[i]);
                set_sum(b);
                for (uint32_t frame = 0; frame <= FRAME_MAX; frame++) {
                    struct ip_packet p;
                    const enum la_drop drop = parse(b, frame, &p);
                    assert_int_equal(drop,
                                     frame == 0 ? LA_DROP_IP_SHORT : expected(frame, total, ihl));
                    if (drop != LA_DROP_NONE)
                        continue;
                    assert_int_equal(p.len_bytes, total);
                    assert_int_equal(p.payload_len, total - ihl * 4);
                }
            }
}

/* The same lengths inside an ICMP error, where the end may be missing. */
TEST(a_quoted_packet_is_cut_to_what_is_there)
{
    uint8_t b[FRAME_MAX];
    for (uint32_t total = 0; total <= FRAME_MAX; total++)
        for (uint32_t ihl = 0; ihl < 16; ihl++)
            for (uint32_t frame = 0; frame <= FRAME_MAX; frame++) {
                struct ip_packet p;
                make(b, ihl, total, 6);
                const enum la_drop drop = ip_parse_quoted(guard_bytes(b, frame), frame, &p);
                if (drop != LA_DROP_NONE)
                    continue;
                const uint32_t there = total < frame ? total : frame;
                assert_int_equal(p.payload_len, there - ihl * 4);
                assert_ptr_equal(p.payload, p.bytes + ihl * 4);
            }
    struct ip_packet p;
    make(b, 5, 1500, 6);
    assert_int_equal(ip_parse_quoted(guard_bytes(b, 28), 28, &p), LA_DROP_NONE);
    assert_int_equal(p.payload_len, 8);
}

TEST(any_flipped_bit_of_the_header_is_noticed)
{
    uint8_t b[FRAME_MAX];
    struct ip_packet p;
    make(b, 7, FRAME_MAX, 6);
    set_sum(b);
    assert_int_equal(parse(b, FRAME_MAX, &p), LA_DROP_NONE);
    for (uint32_t bit = 0; bit < 28 * 8; bit++) {
        b[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_not_equal(parse(b, FRAME_MAX, &p), LA_DROP_NONE);
        b[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

/* Exhaustive: every option kind x awkward lengths x every offset. */
TEST(no_ip_option_at_any_offset_stops_or_overruns_the_walk)
{
    static const uint8_t lens[] = { 0, 1, 2, 3, 4, 8, 10, 39, 40, 41, 127, 128, 255 };
    uint8_t b[FRAME_MAX];
    for (uint32_t kind = 0; kind < 256; kind++)
        for (uint32_t l = 0; l < sizeof lens; l++)
            for (uint32_t at = 0; at < 40; at++) {
                make(b, 15, 60, 6);
                b[20 + at] = (uint8_t)kind;
                if (at + 1 < 40)
                    b[20 + at + 1] = lens[l];
                set_sum(b);
                struct ip_packet p;
                const enum la_drop drop = parse(b, 60, &p);
                if (kind == 0)
                    assert_int_equal(drop, LA_DROP_NONE);
                else if (kind == 131 || kind == 137)
                    assert_int_equal(drop, LA_DROP_IP_OPTION);
                else if (kind > 1 && (at == 39 || lens[l] < 2 || lens[l] > 40 - at))
                    assert_int_equal(drop, LA_DROP_IP_OPTION);
            }
}

TEST(well_formed_options_are_ignored)
{
    uint8_t b[FRAME_MAX];
    struct ip_packet p;
    make(b, 8, 60, 6);
    memcpy(b + 20, (uint8_t[]){ 7, 7, 4, 0, 0, 0, 0, 68, 4, 5, 0, 0 },
           12); /* record route, stamp */
    set_sum(b);
    assert_int_equal(parse(b, 60, &p), LA_DROP_NONE);
    assert_int_equal(p.payload_len, 28);
}

/* Exhaustive: every value of the flags and the offset. */
TEST(a_fragment_is_known_by_its_offset_or_by_more_to_come)
{
    uint8_t b[FRAME_MAX];
    make(b, 5, 60, 6);
    for (uint32_t word = 0; word < 65536; word++) {
        struct ip_packet p;
        store_be16(b + 6, (uint16_t)word);
        set_sum(b);
        assert_int_equal(parse(b, 60, &p), LA_DROP_NONE);
        assert_int_equal(p.fragment, (word & 0x3fff) != 0);
        assert_int_equal(p.dont_fragment, (word & 0x4000) != 0);
    }
}

TEST_MAIN
