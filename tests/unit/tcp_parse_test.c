/* SPDX-License-Identifier: MIT */
/* tcp_parse_test.c - Headers that lie about their length, flags that make no sense, checksums. */
#include "core/wire/tcp.h"

#include "core/base/bytes.h"
#include "core/base/checksum.h"
#include "core/wire/ip.h"
#include "tests/unit/guard.h"
#include "tests/unit/test.h"

static void plain_header(uint8_t *b)
{
    memset(b, 0, TCP_HEADER_BYTES);
    store_be16(b, 1234);
    store_be16(b + 2, 80);
    store_be32(b + 4, 0xfffffff0);
    store_be32(b + 8, 0x80000001);
    b[12] = 5 << 4;
    b[13] = TCP_ACK;
    store_be16(b + 14, 65535);
    store_be16(b + 18, 17);
}

TEST(every_field_is_where_the_rfc_has_it)
{
    uint8_t b[TCP_HEADER_BYTES + 3];
    struct tcp_seg seg;

    plain_header(b);
    memcpy(b + TCP_HEADER_BYTES, "abc", 3);
    const uint8_t *at = guard_bytes(b, sizeof b);
    assert_int_equal(tcp_parse(at, sizeof b, &seg), LA_DROP_NONE);
    assert_int_equal(seg.src_port, 1234);
    assert_int_equal(seg.dst_port, 80);
    assert_int_equal(seq_raw(seg.seq), 0xfffffff0);
    assert_int_equal(seq_raw(seg.ack), 0x80000001);
    assert_int_equal(seg.flags, TCP_ACK);
    assert_int_equal(seg.wnd, 65535);
    assert_int_equal(seg.urgent, 17);
    assert_int_equal(seg.len, 3);
    assert_ptr_equal(seg.text, at + TCP_HEADER_BYTES);
}

/* Exhaustive: data offset 0..15 x length 0..80 x the four reserved bits. */
TEST(the_data_offset_is_held_against_both_ends_and_reserved_bits_never_matter)
{
    uint8_t b[80];
    for (uint32_t offset = 0; offset < 16; offset++)
        for (uint32_t len = 0; len <= sizeof b; len++)
            for (uint32_t reserved = 0; reserved < 16; reserved++) {
                memset(b, TCP_OPT_NOP, sizeof b);
                plain_header(b);
                b[12] = (uint8_t)(offset << 4 | reserved);
                struct tcp_seg seg;
                const enum la_drop drop = tcp_parse(guard_bytes(b, len), len, &seg);
                if (len < 20) {
                    assert_int_equal(drop, LA_DROP_TCP_SHORT);
                } else if (offset < 5 || offset * 4 > len) {
                    assert_int_equal(drop, LA_DROP_TCP_OFFSET);
                } else {
                    assert_int_equal(drop, LA_DROP_NONE);
                    assert_int_equal(seg.len, len - offset * 4);
                    assert_int_equal(seg.flags, TCP_ACK);
                }
            }
}

TEST(all_256_flag_combinations_are_read_as_they_are)
{
    uint8_t b[TCP_HEADER_BYTES];
    for (uint32_t flags = 0; flags < 256; flags++) {
        struct tcp_seg seg;
        plain_header(b);
        b[13] = (uint8_t)flags;
        assert_int_equal(tcp_parse(guard_bytes(b, sizeof b), sizeof b, &seg), LA_DROP_NONE);
        assert_int_equal(seg.flags, flags);
    }
}

TEST(all_65536_urgent_pointers_are_read_and_none_is_followed)
{
    uint8_t b[TCP_HEADER_BYTES + 1];
    for (uint32_t urgent = 0; urgent < 65536; urgent++) {
        struct tcp_seg seg;
        plain_header(b);
        b[13] = TCP_ACK | TCP_URG;
        store_be16(b + 18, (uint16_t)urgent);
        assert_int_equal(tcp_parse(guard_bytes(b, sizeof b), sizeof b, &seg), LA_DROP_NONE);
        assert_int_equal(seg.urgent, urgent);
        assert_int_equal(seg.len, 1);
    }
}

TEST(a_port_of_zero_on_either_side_is_refused)
{
    uint8_t b[TCP_HEADER_BYTES];
    struct tcp_seg seg;
    plain_header(b);
    store_be16(b, 0);
    assert_int_equal(tcp_parse(b, sizeof b, &seg), LA_DROP_TCP_PORT_ZERO);
    plain_header(b);
    store_be16(b + 2, 0);
    assert_int_equal(tcp_parse(b, sizeof b, &seg), LA_DROP_TCP_PORT_ZERO);
}

TEST(options_that_run_to_the_end_of_the_segment_are_not_overrun)
{
    uint8_t b[60];
    for (uint32_t offset = 6; offset < 16; offset++)
        for (uint32_t kind = 2; kind < 256; kind++) {
            const uint32_t len = offset * 4;
            struct tcp_seg seg;
            memset(b, TCP_OPT_NOP, sizeof b);
            plain_header(b);
            b[12] = (uint8_t)(offset << 4);
            b[13] = TCP_SYN;
            b[len - 1] = (uint8_t)kind;
            assert_int_equal(tcp_parse(guard_bytes(b, len), len, &seg), LA_DROP_NONE);
            assert_false(seg.opt.has_mss);
            b[len - 2] = (uint8_t)kind;
            b[len - 1] = 3;
            assert_int_equal(tcp_parse(guard_bytes(b, len), len, &seg), LA_DROP_NONE);
            assert_false(seg.opt.has_wscale);
        }
}

TEST(a_quote_needs_eight_bytes_and_two_ports)
{
    uint8_t b[TCP_HEADER_BYTES];
    uint16_t src, dst;
    tcp_seq seq;
    plain_header(b);
    for (uint32_t len = 0; len <= sizeof b; len++)
        assert_int_equal(tcp_parse_quoted(guard_bytes(b, len), len, &src, &dst, &seq), len >= 8);
    assert_int_equal(src, 1234);
    assert_int_equal(dst, 80);
    assert_int_equal(seq_raw(seq), 0xfffffff0);
    store_be16(b, 0);
    assert_false(tcp_parse_quoted(b, sizeof b, &src, &dst, &seq));
}

static void assert_every_bit_counts(struct la_addr src, struct la_addr dst)
{
    uint8_t b[TCP_HEADER_BYTES + 5];
    plain_header(b);
    memcpy(b + TCP_HEADER_BYTES, "hello", 5);
    const uint64_t pseudo = ip_pseudo_sum(src, dst, IP_PROTO_TCP, sizeof b);
    store_be16(b + 16, checksum_finish(checksum_add(0, pseudo, b, sizeof b)));

    assert_true(tcp_checksum_ok(0, src, dst, b, sizeof b));
    for (uint32_t bit = 0; bit < sizeof b * 8; bit++) {
        b[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_false(tcp_checksum_ok(0, src, dst, b, sizeof b));
        b[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    dst.bytes[15] ^= 1;
    assert_false(tcp_checksum_ok(0, src, dst, b, sizeof b));
}

TEST(any_flipped_bit_of_segment_or_address_breaks_the_checksum)
{
    assert_every_bit_counts(la_addr_v4(192, 0, 2, 1), la_addr_v4(192, 0, 2, 2));
    const struct la_addr v6 = { { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 } };
    const struct la_addr v6_too = { { 0x20, 0x01, 0x0d, 0xb8, [15] = 2 } };
    assert_every_bit_counts(v6, v6_too);
}

/* Worked by hand: 192.0.2.1:1234 -> 192.0.2.2:80, SYN, sequence number 1, window 4096. */
TEST(the_checksum_is_the_one_everybody_computes)
{
    static const uint8_t b[] = { 0x04, 0xd2, 0x00, 0x50, 0,    0, 0,    1,    0, 0,
                                 0,    0,    0x50, 0x02, 0x10, 0, 0x16, 0xbc, 0, 0 };
    assert_true(
        tcp_checksum_ok(0, la_addr_v4(192, 0, 2, 1), la_addr_v4(192, 0, 2, 2), b, sizeof b));
}

TEST_MAIN
