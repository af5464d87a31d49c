/* SPDX-License-Identifier: MIT */
/* ipv6_test.c - Lengths that lie, chains of extension headers, options and their action bits. */
#include "core/wire/ip.h"

#include "core/base/bytes.h"
#include "tests/unit/guard.h"
#include "tests/unit/test.h"

#define ROOM 4096u
#define HBH 0
#define ROUTING 43
#define FRAGMENT 44
#define DESTINATION 60

struct packet {
    uint8_t bytes[ROOM];
    uint32_t len;
    uint32_t name_at; /* where the next header's type goes */
};

static void start(struct packet *p)
{
    memset(p, 0, sizeof *p);
    p->bytes[0] = 6 << 4;
    p->bytes[6] = IP_PROTO_NO_NEXT;
    p->bytes[7] = 64;
    memcpy(p->bytes + 8, (uint8_t[]){ 0x20, 0x01, 0x0d, 0xb8, [15] = 1 }, 16);
    memcpy(p->bytes + 24, (uint8_t[]){ 0x20, 0x01, 0x0d, 0xb8, [15] = 2 }, 16);
    p->len = IP6_HEADER_BYTES;
    p->name_at = 6;
}

/* An extension header of @units * 8 bytes that holds padding. */
static uint8_t *extend(struct packet *p, uint8_t type, uint32_t units)
{
    uint8_t *at = p->bytes + p->len;
    p->bytes[p->name_at] = type;
    p->name_at = p->len;
    at[1] = (uint8_t)(units - 1);
    if (type == HBH || type == DESTINATION) {
        for (uint32_t i = 2; i < units * 8;) {
            const uint32_t rest = units * 8 - i - 2;
            at[i] = 1; /* PadN */
            at[i + 1] = (uint8_t)(rest < 250 ? rest : 250);
            i += 2u + at[i + 1];
            if (units * 8 - i == 1)
                at[i++] = 0;
        }
    }
    p->len += units * 8;
    return at;
}

static void finish(struct packet *p, uint8_t protocol, uint32_t payload)
{
    p->bytes[p->name_at] = protocol;
    p->len += payload;
    store_be16(p->bytes + 4, (uint16_t)(p->len - IP6_HEADER_BYTES));
}

static enum la_drop parse(const struct packet *p, struct ip_packet *out)
{
    return ip_parse(guard_bytes(p->bytes, p->len), p->len, out);
}

TEST(every_field_is_where_the_rfc_has_it)
{
    struct packet p;
    struct ip_packet out;
    start(&p);
    finish(&p, 6, 33);
    store_be32(p.bytes, 6u << 28 | 0xb9u << 20 | 0xabcde);
    assert_int_equal(parse(&p, &out), LA_DROP_NONE);
    assert_int_equal(out.version, 6);
    assert_int_equal(out.tos, 0xb9);
    assert_int_equal(out.ttl, 64);
    assert_int_equal(out.protocol, 6);
    assert_int_equal(out.payload_len, 33);
    assert_int_equal(out.len_bytes, 73);
    assert_int_equal(out.next_header_at, 6);
    assert_int_equal(out.src.bytes[15], 1);
    assert_int_equal(out.dst.bytes[15], 2);
    assert_true(out.dont_fragment);
}

/* Exhaustive: frame 0..120 x payload length 0..120 x protocol. */
TEST(frame_and_payload_length_are_held_against_each_other)
{
    static const uint8_t protocols[] = { 6, 17, 58, 59, HBH, ROUTING, FRAGMENT, DESTINATION };
    for (uint32_t i = 0; i < sizeof protocols; i++)
        for (uint32_t payload = 0; payload <= 120; payload++)
            for (uint32_t frame = 1; frame <= 120; frame++) {
                struct packet p;
                struct ip_packet out;
                start(&p);
                finish(&p, protocols[i], payload);
                p.len = frame;
                const enum la_drop drop = parse(&p, &out);
                if (frame < 40)
                    assert_int_equal(drop, LA_DROP_IP_SHORT);
                else if (40 + payload > frame)
                    assert_int_equal(drop, LA_DROP_IP_TOTAL_LENGTH);
                else if (drop == LA_DROP_NONE)
                    assert_ptr_equal(out.payload + out.payload_len, out.bytes + 40 + payload);
            }
}

TEST(a_mapped_address_on_the_wire_is_refused_on_either_side)
{
    static const uint8_t mapped[16] = { [10] = 0xff, 0xff, 192, 0, 2, 1 };
    for (uint32_t at = 8; at <= 24; at += 16) {
        struct packet p;
        struct ip_packet out;
        start(&p);
        finish(&p, 6, 20);
        memcpy(p.bytes + at, mapped, 16);
        assert_int_equal(parse(&p, &out), LA_DROP_IP_SOURCE);
    }
}

TEST(eight_extension_headers_are_walked_and_nine_are_not)
{
    for (uint32_t count = 1; count <= 9; count++) {
        struct packet p;
        struct ip_packet out;
        start(&p);
        for (uint32_t i = 0; i < count; i++)
            extend(&p, DESTINATION, 1 + i);
        finish(&p, 6, 20);
        assert_int_equal(parse(&p, &out), count <= 8 ? LA_DROP_NONE : LA_DROP_IP6_EXTENSIONS);
        if (count <= 8) {
            assert_int_equal(out.protocol, 6);
            assert_int_equal(out.payload_len, 20);
            assert_int_equal(out.next_header_at, p.name_at);
        }
    }
}

/* Exhaustive: chains of 1..9 headers x one of them any length byte x what follows it, cycles too. */
TEST(no_length_in_any_chain_leads_out_of_the_packet)
{
    static const uint8_t types[] = { HBH, ROUTING, FRAGMENT, DESTINATION, 6, 51 };
    for (uint32_t count = 1; count <= 9; count++)
        for (uint32_t odd = 0; odd < count; odd++)
            for (uint32_t hdrlen = 0; hdrlen < 256; hdrlen++)
                for (uint32_t t = 0; t < sizeof types; t++) {
                    struct packet p;
                    struct ip_packet out;
                    start(&p);
                    for (uint32_t i = 0; i < count; i++) {
                        uint8_t *at = extend(&p, i == 0 ? types[t % 4] : DESTINATION, 1);
                        if (i == odd)
                            at[1] = (uint8_t)hdrlen;
                    }
                    finish(&p, types[t], 8 * (hdrlen % 5));
                    const enum la_drop drop = parse(&p, &out);
                    if (drop == LA_DROP_NONE)
                        assert_ptr_equal(out.payload + out.payload_len, out.bytes + p.len);
                }
}

/* Exhaustive: every extension header, cut at every byte. */
TEST(a_cut_extension_header_is_malformed)
{
    static const uint8_t types[] = { HBH, ROUTING, FRAGMENT, DESTINATION };
    for (uint32_t t = 0; t < sizeof types; t++)
        for (uint32_t cut = 0; cut < 16; cut++) {
            struct packet p;
            struct ip_packet out;
            const uint32_t units = types[t] == FRAGMENT ? 1 : 2;
            start(&p);
            extend(&p, types[t], units);
            finish(&p, 6, 0);
            if (cut >= units * 8)
                continue;
            p.len = IP6_HEADER_BYTES + cut;
            store_be16(p.bytes + 4, (uint16_t)cut);
            assert_int_equal(parse(&p, &out), LA_DROP_IP6_EXTENSION);
        }
}

/* Exhaustive: every option type x every length that fits or does not. */
TEST(an_unknown_option_is_skipped_or_drops_the_packet_as_its_type_says)
{
    for (uint32_t type = 2; type < 256; type++)
        for (uint32_t len = 0; len < 16; len++) {
            struct packet p;
            struct ip_packet out;
            start(&p);
            uint8_t *at = extend(&p, HBH, 2);
            memset(at + 2, 0, 14); /* Pad1 */
            at[4] = (uint8_t)type;
            at[5] = (uint8_t)len;
            finish(&p, 6, 20);
            const enum la_drop drop = parse(&p, &out);
            if (len > 10)
                assert_int_equal(drop, LA_DROP_IP6_EXTENSION);
            else
                assert_int_equal(drop, type < 64 ? LA_DROP_NONE : LA_DROP_IP6_OPTION);
            if (drop == LA_DROP_IP6_OPTION)
                assert_int_equal(out.next_header_at, IP6_HEADER_BYTES + 4);
        }
}

TEST(an_option_type_in_the_last_byte_is_malformed)
{
    struct packet p;
    struct ip_packet out;
    start(&p);
    uint8_t *at = extend(&p, DESTINATION, 1);
    memset(at + 2, 0, 6);
    at[7] = 5;
    finish(&p, 6, 20);
    assert_int_equal(parse(&p, &out), LA_DROP_IP6_EXTENSION);
}

/* Exhaustive: every routing type x every count of segments left. */
TEST(a_routing_header_is_skipped_only_with_no_segments_left)
{
    for (uint32_t type = 0; type < 256; type++)
        for (uint32_t left = 0; left < 256; left++) {
            struct packet p;
            struct ip_packet out;
            start(&p);
            uint8_t *at = extend(&p, ROUTING, 3);
            at[2] = (uint8_t)type;
            at[3] = (uint8_t)left;
            finish(&p, 6, 20);
            assert_int_equal(parse(&p, &out), left == 0 ? LA_DROP_NONE : LA_DROP_IP6_ROUTING);
            if (left != 0)
                assert_int_equal(out.next_header_at, IP6_HEADER_BYTES + 2);
        }
}

/* Exhaustive: every value of offset, reserved bits and more-fragments. */
TEST(an_atomic_fragment_is_whole_and_any_other_is_not)
{
    struct packet p;
    start(&p);
    uint8_t *at = extend(&p, FRAGMENT, 1);
    at[1] = 0;
    finish(&p, 6, 20);
    for (uint32_t word = 0; word < 65536; word++) {
        struct ip_packet out;
        store_be16(at + 2, (uint16_t)word);
        assert_int_equal(parse(&p, &out), LA_DROP_NONE);
        assert_int_equal(out.fragment, (word & 0xfff9) != 0);
        assert_int_equal(out.payload_len, 20);
    }
}

TEST(what_follows_a_fragment_header_is_not_walked)
{
    struct packet p;
    struct ip_packet out;
    start(&p);
    uint8_t *at = extend(&p, FRAGMENT, 1);
    store_be16(at + 2, 8);
    extend(&p, DESTINATION, 255); /* the middle of somebody's text */
    finish(&p, 6, 0);
    p.len = IP6_HEADER_BYTES + 16;
    store_be16(p.bytes + 4, 16);
    assert_int_equal(parse(&p, &out), LA_DROP_NONE);
    assert_true(out.fragment);
}

TEST(hop_by_hop_options_are_only_walked_in_the_first_place)
{
    struct packet p;
    struct ip_packet out;
    start(&p);
    extend(&p, DESTINATION, 1);
    extend(&p, HBH, 1);
    finish(&p, 6, 20);
    assert_int_equal(parse(&p, &out), LA_DROP_NONE);
    assert_int_equal(out.protocol, HBH); /* an unknown protocol, as RFC 8200 4 has it */
    assert_int_equal(out.next_header_at, IP6_HEADER_BYTES);
}

TEST(no_next_header_is_nothing_to_deliver)
{
    struct packet p;
    struct ip_packet out;
    start(&p);
    finish(&p, IP_PROTO_NO_NEXT, 20);
    assert_int_equal(parse(&p, &out), LA_DROP_IP6_NO_NEXT);
}

TEST(a_quoted_packet_is_not_judged_and_may_be_cut)
{
    struct packet p;
    struct ip_packet out;
    start(&p);
    uint8_t *at = extend(&p, HBH, 1);
    at[2] = 0xc2; /* an option that would drop the packet */
    at[3] = 4;
    extend(&p, ROUTING, 3)[3] = 7;
    finish(&p, 6, 1000);
    p.len = IP6_HEADER_BYTES + 8 + 24 + 8;
    const enum la_drop drop = ip_parse_quoted(guard_bytes(p.bytes, p.len), p.len, &out);
    assert_int_equal(drop, LA_DROP_NONE);
    assert_int_equal(out.protocol, 6);
    assert_int_equal(out.payload_len, 8);
}

TEST_MAIN
