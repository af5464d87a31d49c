/* SPDX-License-Identifier: MIT */
/* driver_vnet_test.c - The virtio-net header: what is believed, what is refused, what is written. */
#include "drivers/vnet.h"
#include "tests/unit/test.h"

#define V4 1u
#define V6 4u
#define UDP 3u
#define USO 5u
#define ECN 0x80u
#define NEEDS 1u
#define VALID 2u

static uint8_t packet[200];
static uint8_t header[VNET_HEADER_BYTES];

static void set(uint8_t flags, uint8_t type, uint16_t size, uint16_t start, uint16_t offset)
{
    const uint16_t fields[4] = { 0, size, start, offset };

    header[0] = flags;
    header[1] = type;
    memcpy(header + 2, fields, sizeof fields);
}

static struct la_frame parse(uint8_t version, uint32_t len)
{
    struct la_frame f = { .bytes = packet, .len_bytes = len };

    packet[0] = (uint8_t)(version << 4);
    vnet_parse(header, &f);
    return f;
}

TEST(nothing_set_is_an_ordinary_packet)
{
    set(0, 0, 0, 0, 0);
    const struct la_frame f = parse(4, 60);
    assert_int_equal(f.flags, 0);
    assert_int_equal(f.gso_size_bytes, 0);
    assert_int_equal(f.len_bytes, 60);
}

TEST(a_size_without_a_type_says_nothing)
{
    set(0, 0, 1448, 0, 0);
    assert_int_equal(parse(4, 60).gso_size_bytes, 0);
}

TEST(an_unfinished_checksum_is_trusted_and_its_place_is_told)
{
    set(NEEDS, 0, 0, 20, 16);
    const struct la_frame f = parse(4, 60);
    assert_int_equal(f.flags, LA_FRAME_CSUM_OK | LA_FRAME_CSUM_PARTIAL);
    assert_int_equal(f.csum_start, 20);
    assert_int_equal(f.csum_offset, 16);
}

TEST(a_checksum_the_kernel_has_verified_is_trusted)
{
    set(VALID, 0, 0, 0, 0);
    assert_int_equal(parse(6, 60).flags, LA_FRAME_CSUM_OK);
}

TEST(trust_is_of_one_frame)
{
    struct la_frame f = { .bytes = packet, .len_bytes = 60, .flags = LA_FRAME_CSUM_OK };

    set(0, 0, 0, 0, 0);
    vnet_parse(header, &f);
    assert_int_equal(f.flags, 0);
}

TEST(super_segments_of_both_families_tell_the_size_of_their_segments)
{
    set(NEEDS, V4, 1448, 20, 16);
    assert_int_equal(parse(4, 200).gso_size_bytes, 1448);
    set(NEEDS, V6 | ECN, 1428, 40, 16);
    const struct la_frame f = parse(6, 200);
    assert_int_equal(f.gso_size_bytes, 1428);
    assert_int_equal(f.flags, LA_FRAME_CSUM_OK | LA_FRAME_CSUM_PARTIAL);
}

TEST(headers_that_contradict_themselves_are_marked)
{
    static const struct {
        uint8_t flags, type;
        uint16_t size, start, offset;
        uint8_t version;
    } bad[] = {
        { NEEDS, V4, 0, 20, 16, 4 },    /* segments of no size */
        { 0, V4, 1448, 0, 0, 4 },       /* to be cut, but with a checksum that can not be right */
        { VALID, V4, 1448, 20, 16, 4 }, /* the same */
        { NEEDS, V6, 1448, 20, 16, 4 }, /* the wrong family */
        { NEEDS, V4, 1448, 40, 16, 6 }, /* the wrong family */
        { NEEDS, UDP, 1448, 20, 6, 4 }, /* never asked for */
        { NEEDS, USO, 1448, 20, 6, 4 }, /* never asked for */
        { NEEDS, 2, 1448, 20, 16, 4 },  /* no such type */
        { NEEDS, ECN, 0, 20, 16, 0 },   /* handled below: fine with no type */
        { NEEDS, 0, 0, 0, 16, 4 },      /* a checksum of the IP header too */
        { NEEDS, 0, 0, 20, 79, 4 },     /* the field reaches beyond the packet */
        { NEEDS, 0, 0, 0xffff, 0xffff, 4 },
    };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        set(bad[i].flags, bad[i].type, bad[i].size, bad[i].start, bad[i].offset);
        const struct la_frame f = parse(bad[i].version, 100);
        assert_int_equal(f.flags & LA_FRAME_MALFORMED, bad[i].type == ECN ? 0 : LA_FRAME_MALFORMED);
        if (f.flags & LA_FRAME_MALFORMED) {
            assert_int_equal(f.flags, LA_FRAME_MALFORMED);
            assert_int_equal(f.gso_size_bytes, 0);
        }
    }
}

TEST(the_last_place_a_checksum_fits_is_accepted)
{
    set(NEEDS, 0, 0, 20, 78);
    assert_int_equal(parse(4, 100).flags & LA_FRAME_MALFORMED, 0);
}

static uint16_t field(const uint8_t *at)
{
    uint16_t x;

    memcpy(&x, at, sizeof x);
    return x;
}

TEST(a_finished_packet_has_a_header_of_zeros)
{
    static const uint8_t zeros[VNET_HEADER_BYTES];
    const struct la_tx tx = { .len_bytes = 60, .header_len = 60, .csum_start = 20 };

    memset(header, 0xff, sizeof header);
    vnet_emit(&tx, header);
    assert_memory_equal(header, zeros, sizeof zeros);
}

TEST(a_super_segment_tells_type_size_headers_and_checksum)
{
    for (uint32_t v6 = 0; v6 < 2; v6++) {
        const uint16_t ip = v6 ? 40 : 20;
        struct la_tx tx = { .flags = LA_TX_CSUM_PARTIAL,
                            .gso_size_bytes = 1448,
                            .csum_start = ip,
                            .csum_offset = 16,
                            .header_len = (uint16_t)(ip + 32) };

        tx.header[0] = v6 ? 0x60 : 0x45;
        tx.header[ip + 12] = 0x80;
        vnet_emit(&tx, header);
        assert_int_equal(header[0], NEEDS);
        assert_int_equal(header[1], v6 ? V6 : V4);
        assert_int_equal(field(header + 2), ip + 32);
        assert_int_equal(field(header + 4), 1448);
        assert_int_equal(field(header + 6), ip);
        assert_int_equal(field(header + 8), 16);

        /* The same packet, flat, as the loop holds it back. */
        uint8_t flat[VNET_HEADER_BYTES];
        memcpy(packet, tx.header, sizeof tx.header);
        tx.header_len = 0;
        tx.span_count = 1;
        tx.spans[0] = (struct la_cspan){ packet, 200 };
        memset(tx.header, 0, sizeof tx.header);
        vnet_emit(&tx, flat);
        assert_memory_equal(flat, header, sizeof flat);
    }
}

TEST(a_single_segment_with_an_unfinished_checksum_has_no_type)
{
    const struct la_tx tx = {
        .flags = LA_TX_CSUM_PARTIAL, .csum_start = 20, .csum_offset = 16, .header_len = 52
    };

    vnet_emit(&tx, header);
    assert_int_equal(header[0], NEEDS);
    assert_int_equal(header[1], 0);
    assert_int_equal(field(header + 4), 0);
    assert_int_equal(field(header + 6), 20);
}

/* Any ten bytes: either marked, or every promise holds. */
TEST(whatever_the_header_says_the_frame_stays_within_itself)
{
    uint32_t x = 1;

    for (int round = 0; round < 200000; round++) {
        for (uint32_t i = 0; i < sizeof header; i++) {
            x = x * 1664525u + 1013904223u;
            header[i] = (uint8_t)(i < 2 ? x >> 29 : i % 2 ? x >> 31 : x >> 24);
        }
        const uint32_t len = 1 + (x >> 16) % 150;
        const struct la_frame f = parse((uint8_t)(x >> 12 & 1 ? 4 : 6), len);
        if (f.flags & LA_FRAME_MALFORMED)
            continue;
        if (f.flags & LA_FRAME_CSUM_PARTIAL)
            assert_true(f.csum_start + f.csum_offset + 2u <= len);
        if (f.gso_size_bytes > 0)
            assert_true(f.flags & LA_FRAME_CSUM_PARTIAL);
    }
}

TEST_MAIN
