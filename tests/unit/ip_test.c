/* SPDX-License-Identifier: MIT */
/* ip_test.c - Versions, both ways, the pseudo-header, and the classes of addresses. */
#include "core/wire/ip.h"

#include "core/base/bytes.h"
#include "core/base/checksum.h"
#include "tests/unit/guard.h"
#include "tests/unit/test.h"

static const struct la_addr v6_a = { { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 } };
static const struct la_addr v6_b = { { 0x20, 0x01, 0x0d, 0xb8, [15] = 2 } };

TEST(no_byte_and_no_version_are_refused)
{
    struct ip_packet p;
    assert_int_equal(ip_parse(guard_bytes(NULL, 0), 0, &p), LA_DROP_IP_SHORT);
    for (uint32_t first = 0; first < 256; first++) {
        uint8_t b[60] = { (uint8_t)first };
        const enum la_drop drop = ip_parse(guard_bytes(b, sizeof b), sizeof b, &p);
        assert_int_equal(drop == LA_DROP_IP_VERSION, first >> 4 != 4 && first >> 4 != 6);
        assert_int_equal(p.version, first >> 4);
    }
}

TEST(an_emitted_header_parses_to_the_same_packet)
{
    const struct la_addr pairs[2][2] = {
        { la_addr_v4(192, 0, 2, 1), la_addr_v4(198, 51, 100, 7) },
        { v6_a, v6_b },
    };
    for (uint32_t i = 0; i < 512; i++) {
        const struct la_addr *pair = pairs[i % 2];
        const struct ip_header h = {
            .src = pair[0],
            .dst = pair[1],
            .payload_len = i,
            .protocol = IP_PROTO_TCP,
            .ttl = (uint8_t)i,
            .tos = (uint8_t)(i * 7),
            .flow_label = i % 2 == 1 ? 0xfffff : 0,
        };
        uint8_t b[IP6_HEADER_BYTES + 512] = { 0 };
        const uint32_t header = ip_emit(&h, b);
        struct ip_packet p;
        assert_int_equal(header, ip_header_bytes(pair[1]));
        assert_int_equal(ip_parse(guard_bytes(b, header + i), header + i, &p), LA_DROP_NONE);
        assert_true(la_addr_equal(p.src, h.src) && la_addr_equal(p.dst, h.dst));
        assert_int_equal(p.payload_len, i);
        assert_int_equal(p.ttl, h.ttl);
        assert_int_equal(p.tos, h.tos);
        assert_int_equal(p.protocol, IP_PROTO_TCP);
        assert_true(p.dont_fragment);
        assert_false(p.fragment);
    }
}

TEST(an_ipv4_header_goes_out_with_df_and_without_an_id)
{
    const struct ip_header h = { .src = la_addr_v4(192, 0, 2, 1),
                                 .dst = la_addr_v4(192, 0, 2, 2),
                                 .protocol = IP_PROTO_TCP,
                                 .ttl = 64 };
    uint8_t b[IP4_HEADER_BYTES];
    ip_emit(&h, b);
    assert_int_equal(load_be16(b + 4), 0);
    assert_int_equal(load_be16(b + 6), 0x4000);
    assert_int_equal(checksum_finish(checksum_add(0, 0, b, sizeof b)), 0);
}

TEST(the_pseudo_header_sums_addresses_protocol_and_length)
{
    const uint64_t v4 =
        ip_pseudo_sum(la_addr_v4(192, 0, 2, 1), la_addr_v4(192, 0, 2, 2), IP_PROTO_TCP, 20);
    assert_int_equal(checksum_fold(v4), 0x841e);

    uint8_t whole[40] = { 0 };
    memcpy(whole, v6_a.bytes, 16);
    memcpy(whole + 16, v6_b.bytes, 16);
    store_be32(whole + 32, 70000);
    whole[39] = IP_PROTO_TCP;
    assert_int_equal(checksum_fold(ip_pseudo_sum(v6_a, v6_b, IP_PROTO_TCP, 70000)),
                     checksum_fold(checksum_add(0, 0, whole, sizeof whole)));
}

/* Exhaustive over the first octet, which alone decides. */
TEST(no_host_has_an_address_in_0_127_or_224_and_above)
{
    for (uint32_t first = 0; first < 256; first++) {
        const struct la_addr a = la_addr_v4((uint8_t)first, 1, 2, 3);
        const bool loopback = first == 127;
        assert_int_equal(addr_is_loopback(a), loopback);
        assert_int_equal(addr_is_multicast(a), first >= 224 && first < 240);
        assert_int_equal(addr_is_bad_source(a, false), first == 0 || loopback || first >= 224);
        assert_int_equal(addr_is_bad_source(a, true), first == 0 || first >= 224);
    }
}

TEST(only_255_255_255_255_is_the_limited_broadcast)
{
    assert_true(addr_is_broadcast(la_addr_v4(255, 255, 255, 255)));
    assert_false(addr_is_broadcast(la_addr_v4(255, 255, 255, 254)));
    assert_false(addr_is_broadcast(la_addr_v4(127, 255, 255, 255)));
    struct la_addr ones;
    memset(&ones, 0xff, sizeof ones);
    assert_false(addr_is_broadcast(ones));
    assert_true(addr_is_bad_source(la_addr_v4(255, 255, 255, 255), true));
}

TEST(the_classes_of_ipv6_addresses)
{
    const struct la_addr none = { { 0 } };
    const struct la_addr loopback = { { [15] = 1 } };
    const struct la_addr group = { { 0xff, 0x02, [15] = 1 } };
    const struct la_addr local = { { 0xfe, 0x80, [15] = 1 } };

    assert_true(addr_is_bad_source(none, true));
    assert_true(addr_is_loopback(loopback));
    assert_true(addr_is_bad_source(loopback, false));
    assert_false(addr_is_bad_source(loopback, true));
    assert_true(addr_is_multicast(group));
    assert_true(addr_is_bad_source(group, true));
    assert_false(addr_is_bad_source(local, false));
    assert_false(addr_is_bad_source(v6_a, false));
    assert_false(addr_is_multicast(v6_a));
    assert_false(addr_is_loopback(v6_a));
}

TEST_MAIN
