/* SPDX-License-Identifier: MIT */
/* segment_test.c - The simulator's own reader of packets. */
#include "tests/unit/test.h"

#include "sim/segment.h"

/* SYN from 10.0.0.1:4660 to 10.0.0.2:80, MSS 1460, scale 7, SACK permitted, timestamps. */
static const uint8_t syn4[] = {
    0x45, 0x00, 0x00, 0x3c, 0x12, 0x34, 0x40, 0x00, 0x40, 0x06, 0x00, 0x00, 0x0a, 0x00, 0x00,
    0x01, 0x0a, 0x00, 0x00, 0x02, 0x12, 0x34, 0x00, 0x50, 0x01, 0x02, 0x03, 0x04, 0x00, 0x00,
    0x00, 0x00, 0xa0, 0x02, 0xfa, 0xf0, 0x00, 0x00, 0x00, 0x00, 0x02, 0x04, 0x05, 0xb4, 0x04,
    0x02, 0x08, 0x0a, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x01, 0x03, 0x03, 0x07,
};

/* ACK with five bytes of text, over IPv6. */
static const uint8_t text6[] = {
    0x60, 0x00, 0x00, 0x00, 0x00, 0x19, 0x06, 0x40, 0x20, 0x01, 0x0d, 0xb8, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x20, 0x01,
    0x0d, 0xb8, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x02, 0x00, 0x50, 0x12, 0x34, 0x00, 0x00, 0x00, 0x0a, 0x00, 0x00, 0x00, 0x14,
    0x50, 0x18, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 'h',  'e',  'l',  'l',  'o',
};

TEST(a_syn_is_read_with_its_options)
{
    uint8_t bytes[sizeof syn4];
    struct sim_segment seg;

    memcpy(bytes, syn4, sizeof bytes);
    sim_checksum_repair(bytes, sizeof bytes);
    sim_segment_read(bytes, sizeof bytes, &seg);

    assert_true(seg.ip && seg.tcp && seg.checksum_right && !seg.v6);
    assert_int_equal(seg.from.port, 4660);
    assert_int_equal(seg.to.port, 80);
    assert_int_equal(seg.seq, 0x01020304);
    assert_int_equal(seg.flags, SIM_SYN);
    assert_int_equal(seg.window, 64240);
    assert_true(seg.has_mss && seg.mss == 1460);
    assert_true(seg.has_scale && seg.scale == 7);
    assert_true(seg.sack_permitted && seg.has_timestamp);
    assert_int_equal(seg.text_bytes, 0);
    assert_int_equal(sim_segment_span(&seg), 1);
}

TEST(text_over_ipv6_is_read)
{
    uint8_t bytes[sizeof text6];
    struct sim_segment seg;

    memcpy(bytes, text6, sizeof bytes);
    sim_checksum_repair(bytes, sizeof bytes);
    sim_segment_read(bytes, sizeof bytes, &seg);

    assert_true(seg.ip && seg.tcp && seg.checksum_right && seg.v6);
    assert_int_equal(seg.text_bytes, 5);
    assert_memory_equal(seg.text, "hello", 5);
    assert_int_equal(seg.ack, 20);
}

TEST(any_single_flipped_bit_of_ipv4_is_noticed)
{
    uint8_t bytes[sizeof syn4];

    for (unsigned bit = 0; bit < sizeof syn4 * 8; bit++) {
        struct sim_segment seg;

        memcpy(bytes, syn4, sizeof bytes);
        sim_checksum_repair(bytes, sizeof bytes);
        bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        sim_segment_read(bytes, sizeof bytes, &seg);
        assert_false(seg.ip && seg.tcp && seg.checksum_right);
    }
}

TEST(cut_short_anywhere_it_is_no_segment)
{
    uint8_t bytes[sizeof syn4];
    struct sim_segment seg;

    memcpy(bytes, syn4, sizeof bytes);
    sim_checksum_repair(bytes, sizeof bytes);
    for (uint32_t len = 0; len < sizeof bytes; len++) {
        sim_segment_read(bytes, len, &seg);
        assert_false(seg.ip);
    }
}

TEST(a_super_segment_is_cut_like_a_card_does_it)
{
    uint8_t whole[sizeof text6 + 1], piece[200];
    struct sim_segment seg;

    memcpy(whole, text6, sizeof text6);
    whole[40 + 13] |= SIM_FIN;
    sim_checksum_repair(whole, sizeof text6);

    assert_int_equal(sim_segment_cut(whole, sizeof text6, 3, 0, piece), 63);
    sim_segment_read(piece, 63, &seg);
    assert_true(seg.checksum_right);
    assert_memory_equal(seg.text, "hel", 3);
    assert_int_equal(seg.seq, 10);
    assert_int_equal(seg.flags, SIM_ACK);

    assert_int_equal(sim_segment_cut(whole, sizeof text6, 3, 1, piece), 62);
    sim_segment_read(piece, 62, &seg);
    assert_true(seg.checksum_right);
    assert_memory_equal(seg.text, "lo", 2);
    assert_int_equal(seg.seq, 13);
    assert_int_equal(seg.flags, SIM_ACK | SIM_PSH | SIM_FIN);

    assert_int_equal(sim_segment_cut(whole, sizeof text6, 3, 2, piece), 0);
}

TEST(flags_have_names)
{
    char text[SIM_FLAGS_TEXT_BYTES];

    assert_string_equal(sim_flags_text(SIM_SYN | SIM_ACK, text), "SYN,ACK");
    assert_string_equal(sim_flags_text(0, text), "-");
    assert_string_equal(sim_flags_text(0x3f, text), "SYN,FIN,RST,PSH,ACK,URG");
}

TEST_MAIN
