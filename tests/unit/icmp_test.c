/* SPDX-License-Identifier: MIT */
/* icmp_test.c - Messages of both versions, both ways, and what their classes are. */
#include "core/wire/icmp.h"

#include "core/base/bytes.h"
#include "core/base/checksum.h"
#include "tests/unit/guard.h"
#include "tests/unit/test.h"

static const struct la_addr v6_a = { { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 } };
static const struct la_addr v6_b = { { 0x20, 0x01, 0x0d, 0xb8, [15] = 2 } };

/* A packet whose payload is @bytes, with the checksum put right. */
static struct ip_packet packet(uint8_t version, uint8_t *bytes, uint32_t len)
{
    struct ip_packet p = { .version = version, .payload_len = len };
    p.protocol = version == 4 ? IP_PROTO_ICMP : IP_PROTO_ICMP6;
    p.src = version == 4 ? la_addr_v4(192, 0, 2, 1) : v6_a;
    p.dst = version == 4 ? la_addr_v4(192, 0, 2, 2) : v6_b;
    if (len >= 4) {
        const uint64_t pseudo = version == 6 ? ip_pseudo_sum(p.src, p.dst, IP_PROTO_ICMP6, len) : 0;
        store_be16(bytes + 2, 0);
        store_be16(bytes + 2, checksum_finish(checksum_add(0, pseudo, bytes, len)));
    }
    p.payload = guard_bytes(bytes, len);
    return p;
}

TEST(an_echo_request_is_read)
{
    for (uint8_t version = 4; version <= 6; version += 2) {
        uint8_t b[] = { 8, 0, 0, 0, 0x12, 0x34, 0, 7, 'h', 'i' };
        struct icmp_message m;
        b[0] = version == 4 ? 8 : 128;
        const struct ip_packet p = packet(version, b, sizeof b);
        assert_int_equal(icmp_parse(0, &p, &m), LA_DROP_NONE);
        assert_int_equal(m.class, ICMP_ECHO_REQUEST);
        assert_int_equal(m.id, 0x1234);
        assert_int_equal(m.seq, 7);
        assert_int_equal(m.data_len, 2);
        assert_memory_equal(m.data, "hi", 2);
    }
}

static enum icmp_class expected_v4(uint32_t type, uint32_t code)
{
    if (type == 3)
        return code == 4 ? ICMP_TOO_BIG : ICMP_UNREACHABLE;
    return type == 0    ? ICMP_ECHO_REPLY
           : type == 4  ? ICMP_SOURCE_QUENCH
           : type == 8  ? ICMP_ECHO_REQUEST
           : type == 11 ? ICMP_TIME_EXCEEDED
           : type == 12 ? ICMP_PARAMETER
                        : ICMP_OTHER;
}

static enum icmp_class expected_v6(uint32_t type)
{
    return type == 1     ? ICMP_UNREACHABLE
           : type == 2   ? ICMP_TOO_BIG
           : type == 3   ? ICMP_TIME_EXCEEDED
           : type == 4   ? ICMP_PARAMETER
           : type == 128 ? ICMP_ECHO_REQUEST
           : type == 129 ? ICMP_ECHO_REPLY
                         : ICMP_OTHER;
}

/* Exhaustive: every type and code of both versions. */
TEST(every_type_and_code_has_its_class)
{
    for (uint32_t type = 0; type < 256; type++)
        for (uint32_t code = 0; code < 256; code++) {
            uint8_t b[] = { (uint8_t)type, (uint8_t)code, 0, 0, 0xaa, 0xbb, 0x05, 0x78 };
            struct icmp_message m;
            struct ip_packet p = packet(4, b, sizeof b);
            assert_int_equal(icmp_parse(0, &p, &m), LA_DROP_NONE);
            assert_int_equal(m.class, expected_v4(type, code));
            assert_int_equal(m.mtu_bytes, m.class == ICMP_TOO_BIG ? 1400 : 0);
            assert_int_equal(m.pointer, m.class == ICMP_PARAMETER ? 0xaa : 0);
            p = packet(6, b, sizeof b);
            assert_int_equal(icmp_parse(0, &p, &m), LA_DROP_NONE);
            assert_int_equal(m.class, expected_v6(type));
            assert_int_equal(m.mtu_bytes, m.class == ICMP_TOO_BIG ? 0xaabb0578 : 0);
            assert_int_equal(m.pointer, m.class == ICMP_PARAMETER ? 0xaabb0578 : 0);
            assert_int_equal(m.type, type);
            assert_int_equal(m.code, code);
        }
}

TEST(fewer_than_eight_bytes_are_no_message)
{
    for (uint8_t version = 4; version <= 6; version += 2)
        for (uint32_t len = 0; len < ICMP_HEADER_BYTES; len++) {
            uint8_t b[ICMP_HEADER_BYTES] = { 0 };
            struct icmp_message m;
            const struct ip_packet p = packet(version, b, len);
            assert_int_equal(icmp_parse(0, &p, &m), LA_DROP_ICMP_SHORT);
        }
}

TEST(any_flipped_bit_breaks_the_checksum)
{
    for (uint8_t version = 4; version <= 6; version += 2) {
        uint8_t b[] = { 128, 0, 0, 0, 1, 2, 3, 4, 'o', 'd', 'd' };
        struct ip_packet p = packet(version, b, sizeof b);
        for (uint32_t bit = 0; bit < sizeof b * 8; bit++) {
            struct icmp_message m;
            b[bit / 8] ^= (uint8_t)(1 << bit % 8);
            p.payload = guard_bytes(b, sizeof b);
            assert_int_equal(icmp_parse(0, &p, &m), LA_DROP_ICMP_CHECKSUM);
            b[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
    }
}

TEST(an_icmpv6_checksum_covers_the_addresses)
{
    uint8_t b[] = { 128, 0, 0, 0, 1, 2, 3, 4 };
    struct icmp_message m;
    struct ip_packet p = packet(6, b, sizeof b);
    p.src.bytes[3] ^= 1;
    assert_int_equal(icmp_parse(0, &p, &m), LA_DROP_ICMP_CHECKSUM);
}

static void assert_round_trip(const struct icmp_message *m, bool v4, uint32_t data_len)
{
    uint8_t b[ICMP_HEADER_BYTES + 64];
    for (uint32_t i = 0; i < 64; i++)
        b[ICMP_HEADER_BYTES + i] = (uint8_t)(i * 37 + 1);
    struct icmp_message sent = *m, got;
    sent.data_len = data_len;

    struct ip_packet p = { .version = v4 ? 4 : 6, .payload_len = ICMP_HEADER_BYTES + data_len };
    p.src = v4 ? la_addr_v4(192, 0, 2, 1) : v6_a;
    p.dst = v4 ? la_addr_v4(192, 0, 2, 2) : v6_b;
    icmp_emit(&sent, p.src, p.dst, checksum_add(0, 0, b + ICMP_HEADER_BYTES, data_len), b);
    p.payload = guard_bytes(b, p.payload_len);
    assert_int_equal(icmp_parse(0, &p, &got), LA_DROP_NONE);
    assert_int_equal(got.class, m->class);
    assert_int_equal(got.code, m->code);
    assert_int_equal(got.id, m->id);
    assert_int_equal(got.seq, m->seq);
    assert_int_equal(got.mtu_bytes, m->mtu_bytes);
    assert_int_equal(got.pointer, m->pointer);
    assert_int_equal(got.data_len, data_len);
}

TEST(an_emitted_message_parses_to_the_same_whatever_its_length)
{
    static const struct icmp_message v4[] = {
        { .class = ICMP_ECHO_REQUEST, .type = 8, .id = 0xffff, .seq = 1 },
        { .class = ICMP_ECHO_REPLY, .type = 0, .id = 1, .seq = 0xffff },
        { .class = ICMP_UNREACHABLE, .type = 3, .code = 2 },
        { .class = ICMP_TOO_BIG, .type = 3, .code = 4, .mtu_bytes = 1400 },
        { .class = ICMP_PARAMETER, .type = 12, .pointer = 20 },
    };
    static const struct icmp_message v6[] = {
        { .class = ICMP_ECHO_REQUEST, .type = 128, .id = 0xffff, .seq = 1 },
        { .class = ICMP_ECHO_REPLY, .type = 129, .id = 1, .seq = 0xffff },
        { .class = ICMP_UNREACHABLE, .type = 1, .code = 4 },
        { .class = ICMP_TOO_BIG, .type = 2, .mtu_bytes = 70000 },
        { .class = ICMP_PARAMETER, .type = 4, .code = 1, .pointer = 70000 },
    };
    for (uint32_t len = 0; len < 64; len++)
        for (uint32_t i = 0; i < 5; i++) {
            assert_round_trip(&v4[i], true, len);
            assert_round_trip(&v6[i], false, len);
        }
}

TEST_MAIN
