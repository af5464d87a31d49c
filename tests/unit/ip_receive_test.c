/* SPDX-License-Identifier: MIT */
/* ip_receive_test.c - Who gets a frame: form, source, destination, protocol; echo and its limits. */
#include "tests/unit/ip_bench.h"

static struct bench bench;
static uint8_t frame[BENCH_FRAME_MAX], sent[BENCH_FRAME_MAX], data[BENCH_FRAME_MAX];

static uint64_t counter(enum la_counter c)
{
    return bench.env.counters[c];
}

/* A packet of @protocol, received; drops must say @reason. */
static enum ip_verdict receive(const char *src, const char *dst, uint8_t protocol, uint32_t len)
{
    const uint32_t total = make_packet(frame, addr_of(src), addr_of(dst), protocol, data, len);
    return bench_rx(&bench, frame, total);
}

static void assert_dropped(enum ip_verdict verdict, enum la_drop reason)
{
    assert_int_equal(verdict, IP_DROP);
    assert_string_equal(la_drop_name(bench.reason), la_drop_name(reason));
    assert_true(bench.env.drops[reason] > 0);
    bench_no_tx(&bench);
    bench_at_rest(&bench);
}

TEST(a_segment_for_us_goes_to_tcp)
{
    bench_start(&bench);
    assert_int_equal(receive("192.0.2.9", "192.0.2.1", IP_PROTO_TCP, 20), IP_TCP);
    assert_int_equal(bench.packet.payload_len, 20);
    assert_int_equal(receive("2001:db8::9", "2001:db8::1", IP_PROTO_TCP, 20), IP_TCP);
    assert_int_equal(counter(LA_COUNT_IpInReceives), 2);
    assert_int_equal(counter(LA_COUNT_IpInDelivers), 2);
}

TEST(a_packet_for_another_host_is_dropped)
{
    bench_start(&bench);
    assert_dropped(receive("192.0.2.9", "192.0.2.2", IP_PROTO_TCP, 20), LA_DROP_IP_DESTINATION);
    assert_dropped(receive("2001:db8::9", "2001:db8::2", 58, 20), LA_DROP_IP_DESTINATION);
    assert_dropped(receive("192.0.2.9", "127.0.0.1", IP_PROTO_TCP, 20), LA_DROP_IP_DESTINATION);
    assert_int_equal(counter(LA_COUNT_IpInAddrErrors), 3);
}

TEST(no_answer_and_no_delivery_for_a_source_that_is_no_host)
{
    static const char *const v4[] = { "0.0.0.0",     "0.1.2.3",   "127.0.0.1",       "224.0.0.1",
                                      "192.0.2.255", "240.0.0.1", "255.255.255.255", "192.0.2.1" };
    static const char *const v6[] = { "::", "::1", "ff02::1", "2001:db8::1" };
    static const uint8_t protocols[] = { 1, 6, 17, 58, 99 };
    bench_start(&bench);
    for (uint32_t i = 0; i < sizeof protocols; i++) {
        for (uint32_t s = 0; s < 8; s++)
            assert_dropped(receive(v4[s], "192.0.2.1", protocols[i], 40), LA_DROP_IP_SOURCE);
        for (uint32_t s = 0; s < 4; s++)
            assert_dropped(receive(v6[s], "2001:db8::1", protocols[i], 40), LA_DROP_IP_SOURCE);
    }
}

TEST(loopback_addresses_are_good_where_one_was_given)
{
    bench_start(&bench);
    assert_int_equal(ip_addr_add(&bench.ip, 0, prefix_of("127.0.0.1/8"), 0), LA_OK);
    assert_int_equal(receive("127.0.0.2", "127.0.0.1", IP_PROTO_TCP, 20), IP_TCP);
    assert_dropped(receive("127.0.0.1", "127.0.0.1", IP_PROTO_TCP, 20), LA_DROP_IP_SOURCE);
}

/* The questions of RFC 1122 3.2.1.3 and 3.2.2 one by one. */
static bool fine(const struct ip *ip, struct la_addr src, struct la_addr dst)
{
    bool loopback = false, own = false;

    for (uint32_t i = 0; i < ip->local_count; i++) {
        const struct ip_local *l = &ip->locals[i];

        loopback |= l->iface == 0 && addr_is_loopback(l->prefix.addr);
        own |= !l->anyip && addr_equal(&l->prefix.addr, &src);
    }
    return !addr_is_bad_source(src, loopback) && !ip_is_group(ip, src) && !own &&
           !addr_equal(&src, &dst) && !ip_is_group(ip, dst) && ip_is_local(ip, dst);
}

TEST(one_walk_over_our_addresses_judges_as_one_question_after_the_other)
{
    static const char *const more[] = { "", "127.0.0.1/8", "198.51.0.0/16", "::1/128", "::/0" };
    static const char *const addrs[] = {
        "192.0.2.1",
        "192.0.2.9",
        "192.0.2.255",
        "192.0.2.0",
        "0.0.0.0",
        "0.1.2.3",
        "127.0.0.1",
        "127.0.0.2",
        "127.255.255.255",
        "224.0.0.1",
        "255.255.255.255",
        "240.0.0.1",
        "198.51.7.7",
        "198.51.255.255",
        "198.52.0.1",
        "2001:db8::1",
        "2001:db8::9",
        "2001:db8:0:1::1",
        "::",
        "::1",
        "ff02::1",
        "fe80::1",
        "2001:db8::ffff:1",
        "2001:dc8::1",
    };
    uint32_t passed = 0;

    for (uint32_t m = 0; m < sizeof more / sizeof *more; m++) {
        bench_start(&bench);
        if (m > 0)
            assert_int_equal(
                ip_addr_add(&bench.ip, 0, prefix_of(more[m]), m == 2 || m == 4 ? LA_ADDR_ANYIP : 0),
                LA_OK);
        for (uint32_t i = 0; i < sizeof addrs / sizeof *addrs; i++) {
            for (uint32_t k = 0; k < sizeof addrs / sizeof *addrs; k++) {
                const struct la_addr src = addr_of(addrs[i]), dst = addr_of(addrs[k]);
                const bool want = fine(&bench.ip, src, dst);

                ip_forget_judged(&bench.ip);
                if (ip_judge(&bench.ip, 0, &src, &dst) != want ||
                    ip_judge(&bench.ip, 0, &src, &dst) != want)
                    fail_msg("with %s, from %s to %s", more[m], addrs[i], addrs[k]);
                passed += want;
            }
        }
    }
    assert_true(passed > 20);
}

TEST(under_anyip_a_packet_from_itself_to_itself_is_dropped)
{
    bench_start(&bench);
    assert_int_equal(ip_addr_add(&bench.ip, 0, prefix_of("0.0.0.0/0"), LA_ADDR_ANYIP), LA_OK);
    assert_int_equal(receive("203.0.113.1", "203.0.113.2", IP_PROTO_TCP, 20), IP_TCP);
    assert_dropped(receive("203.0.113.1", "203.0.113.1", IP_PROTO_TCP, 20), LA_DROP_IP_SOURCE);
}

TEST(groups_get_no_delivery_and_no_answer)
{
    static const char *const v4[] = { "224.0.0.1", "192.0.2.255", "255.255.255.255" };
    bench_start(&bench);
    for (uint32_t i = 0; i < 3; i++) {
        assert_dropped(receive("192.0.2.9", v4[i], IP_PROTO_TCP, 20), LA_DROP_IP_MULTICAST);
        assert_dropped(receive("192.0.2.9", v4[i], IP_PROTO_UDP, 20), LA_DROP_IP_MULTICAST);
        assert_dropped(receive("192.0.2.9", v4[i], 99, 20), LA_DROP_IP_MULTICAST);
        const uint32_t len = make_ping(frame, "192.0.2.9", v4[i], 1, 1, data, 10);
        assert_dropped(bench_rx(&bench, frame, len), LA_DROP_ICMP_MULTICAST);
    }
    const uint32_t len = make_ping(frame, "2001:db8::9", "ff02::1", 1, 1, data, 10);
    assert_dropped(bench_rx(&bench, frame, len), LA_DROP_ICMP_MULTICAST);
}

TEST(fragments_are_dropped_and_counted)
{
    bench_start(&bench);
    uint32_t len = make_packet(frame, addr_of("192.0.2.9"), addr_of("192.0.2.1"), 6, data, 40);
    store_be16(frame + 6, 0x2000);
    store_be16(frame + 10, 0);
    store_be16(frame + 10, checksum_finish(checksum_add(0, 0, frame, 20)));
    assert_dropped(bench_rx(&bench, frame, len), LA_DROP_IP_FRAGMENT);

    uint8_t fragment[48] = { 6, 0, 0, 8 };
    len = make_packet(frame, addr_of("2001:db8::9"), addr_of("2001:db8::1"), 44, fragment, 48);
    assert_dropped(bench_rx(&bench, frame, len), LA_DROP_IP_FRAGMENT);
    assert_int_equal(counter(LA_COUNT_IpReasmFails), 2);
}

TEST(bad_headers_are_counted)
{
    bench_start(&bench);
    const uint32_t len =
        make_packet(frame, addr_of("192.0.2.9"), addr_of("192.0.2.1"), 6, data, 40);
    frame[8] ^= 1;
    assert_dropped(bench_rx(&bench, frame, len), LA_DROP_IP_CHECKSUM);
    assert_dropped(bench_rx(&bench, frame, 0), LA_DROP_IP_SHORT);
    assert_int_equal(counter(LA_COUNT_IpInHdrErrors), 2);
}

static void assert_echo(const char *src, const char *dst, uint32_t data_len)
{
    struct ip_packet p;
    struct icmp_message m;
    for (uint32_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 13 + data_len);
    const uint32_t len = make_ping(frame, src, dst, 0x1234, 77, data, data_len);
    memset(frame + len, 0xee, 40); /* link padding behind the packet */
    assert_int_equal(bench_rx(&bench, frame, len + 40), IP_HANDLED);
    assert_true(bench_tx(&bench, sent, &p, &m));
    assert_int_equal(m.class, ICMP_ECHO_REPLY);
    assert_int_equal(m.id, 0x1234);
    assert_int_equal(m.seq, 77);
    assert_int_equal(m.data_len, data_len);
    assert_memory_equal(m.data, data, data_len);
    assert_true(la_addr_equal(p.src, addr_of(dst)));
    assert_true(la_addr_equal(p.dst, addr_of(src)));
    assert_int_equal(p.ttl, 64);
    assert_int_equal(p.tos, 0xb8);
    bench_no_tx(&bench);
    bench_at_rest(&bench);
}

TEST(every_echo_request_up_to_the_mtu_is_answered)
{
    bench_start(&bench);
    for (uint32_t len = 0; len <= 1472; len++)
        assert_echo("192.0.2.9", "192.0.2.1", len);
    for (uint32_t len = 0; len <= 1452; len++)
        assert_echo("2001:db8::9", "2001:db8::1", len);
    assert_int_equal(counter(LA_COUNT_IcmpInEchos), 1473 + 1453);
    assert_int_equal(counter(LA_COUNT_IcmpOutMsgs), 1473 + 1453);
}

TEST(the_reply_comes_from_the_address_that_was_pinged)
{
    bench_start(&bench);
    ip_addr_add(&bench.ip, 0, prefix_of("198.51.100.1/24"), 0);
    ip_addr_add(&bench.ip, 0, prefix_of("203.0.113.0/24"), LA_ADDR_ANYIP);
    assert_echo("192.0.2.9", "198.51.100.1", 8);
    assert_echo("192.0.2.9", "203.0.113.99", 8);
}

TEST(a_request_larger_than_the_mtu_or_a_chunk_is_dropped)
{
    bench_start(&bench);
    uint32_t len = make_ping(frame, "192.0.2.9", "192.0.2.1", 1, 1, data, 1473);
    assert_dropped(bench_rx(&bench, frame, len), LA_DROP_REPLY_NO_CHUNK);
    ip_iface_set_mtu(&bench.ip, 0, 9000);
    len = make_ping(frame, "192.0.2.9", "192.0.2.1", 1, 1, data, BENCH_CHUNK_BYTES);
    assert_dropped(bench_rx(&bench, frame, len), LA_DROP_REPLY_NO_CHUNK);
}

TEST(a_ninth_request_before_any_reply_was_taken_is_dropped)
{
    bench_start(&bench);
    const uint32_t len = make_ping(frame, "192.0.2.9", "192.0.2.1", 1, 1, data, 56);
    for (uint32_t i = 0; i < IP_REPLIES_MAX; i++)
        assert_int_equal(bench_rx(&bench, frame, len), IP_HANDLED);
    assert_int_equal(bench_rx(&bench, frame, len), IP_DROP);
    assert_int_equal(bench.reason, LA_DROP_REPLIES_FULL);
}

TEST(echo_can_be_turned_off)
{
    bench_start(&bench);
    bench.env.knobs.icmp_echo_ignore_all = 1;
    const uint32_t len = make_ping(frame, "192.0.2.9", "192.0.2.1", 1, 1, data, 56);
    assert_dropped(bench_rx(&bench, frame, len), LA_DROP_ICMP_TYPE);
}

TEST(without_a_route_back_nothing_is_answered)
{
    bench_start(&bench);
    ip_route_del(&bench.ip, la_prefix_any_v4(), 0);
    ip_route_del(&bench.ip, la_prefix_any(), 0);
    const uint32_t len = make_ping(frame, "203.0.113.9", "192.0.2.1", 1, 1, data, 56);
    assert_dropped(bench_rx(&bench, frame, len), LA_DROP_IP_NO_ROUTE);
}

/* What is sent for a packet of @len_bytes with @padding bytes of @fill behind it. */
static uint32_t answer_to(uint32_t len_bytes, uint32_t padding, uint8_t fill,
                          uint8_t out[BENCH_FRAME_MAX])
{
    struct ip_packet p;
    struct icmp_message m;
    memset(frame + len_bytes, fill, padding);
    bench.env.now.ns += UINT64_C(1000000000); /* errors are not to run dry */
    bench_rx(&bench, frame, len_bytes + padding);
    if (!bench_tx(&bench, out, &p, &m))
        return 0;
    return bench.tx.len_bytes;
}

static void assert_padding_is_never_sent(uint32_t len_bytes)
{
    uint8_t other[BENCH_FRAME_MAX];
    for (uint32_t padding = 1; padding <= 41; padding += 20) {
        const uint32_t len = answer_to(len_bytes, padding, 0xaa, sent);
        assert_int_equal(answer_to(len_bytes, padding, 0x55, other), len);
        assert_memory_equal(sent, other, len);
    }
}

/* Exhaustive: total length 0..120 x header length 0..15 x protocol, and the same for IPv6. */
TEST(no_byte_behind_the_declared_length_leaves_in_an_answer)
{
    static const uint8_t protocols[] = { 1, 6, 17, 58, 99 };
    bench_start(&bench);
    for (uint32_t i = 0; i < sizeof protocols; i++)
        for (uint32_t len = 0; len <= 100; len++) {
            const uint8_t type = protocols[i] == 58 ? 128 : 8;
            memset(data, 0, sizeof data);
            data[0] = type;
            store_be16(data + 2, checksum_finish((uint64_t)type << 8));
            for (uint32_t ihl = 0; ihl < 16; ihl++) {
                make_packet(frame, addr_of("192.0.2.9"), addr_of("192.0.2.1"), protocols[i], data,
                            len);
                frame[0] = (uint8_t)(0x40 | ihl);
                store_be16(frame + 10, 0);
                store_be16(frame + 10, checksum_finish(checksum_add(0, 0, frame, ihl * 4)));
                assert_padding_is_never_sent(20 + len);
            }
            const uint32_t total = make_packet(frame, addr_of("2001:db8::9"),
                                               addr_of("2001:db8::1"), protocols[i], data, len);
            assert_padding_is_never_sent(total);
        }
}

TEST(a_hundred_thousand_bad_checksums_leave_nothing_behind)
{
    bench_start(&bench);
    for (uint32_t i = 0; i < 100000; i++) {
        const bool v4 = i % 2 == 0;
        const uint32_t len =
            v4 ? make_ping(frame, "192.0.2.9", "192.0.2.1", 1, 1, data, i % 64)
               : make_ping(frame, "2001:db8::9", "2001:db8::1", 1, 1, data, i % 64);
        frame[(v4 ? 20u : 40u) + 4 + i % 4] ^= (uint8_t)(1 + i % 255);
        assert_int_equal(bench_rx(&bench, frame, len), IP_DROP);
        assert_int_equal(bench.reason, LA_DROP_ICMP_CHECKSUM);
        assert_int_equal(bench.env.chunks.slab.used, 0);
    }
    assert_int_equal(counter(LA_COUNT_IcmpInErrors), 100000);
}

TEST_MAIN
