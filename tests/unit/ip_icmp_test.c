/* SPDX-License-Identifier: MIT */
/* ip_icmp_test.c - ICMP errors: which are sent, which are believed, and about what. */
#include "tests/unit/ip_bench.h"

static struct bench bench;
static uint8_t frame[BENCH_FRAME_MAX], sent[BENCH_FRAME_MAX], data[BENCH_FRAME_MAX];

/* Receive what is in frame; an error must come back that quotes it. */
static struct icmp_message assert_error(uint32_t len, uint8_t type, uint8_t code)
{
    struct ip_packet p;
    struct icmp_message m;
    assert_int_equal(bench_rx(&bench, frame, len), IP_DROP);
    assert_true(bench_tx(&bench, sent, &p, &m));
    assert_int_equal(m.type, type);
    assert_int_equal(m.code, code);
    assert_true(la_addr_equal(p.src, bench.packet.dst));
    assert_true(la_addr_equal(p.dst, bench.packet.src));
    assert_memory_equal(m.data, frame, m.data_len);
    const uint32_t max = p.version == 4 ? 576 - 28 : 1280 - 48;
    assert_int_equal(m.data_len, len < max ? len : max);
    bench_no_tx(&bench);
    ip_sent(&bench.ip, &bench.env);
    return m;
}

static void assert_silence(uint32_t len)
{
    assert_int_equal(bench_rx(&bench, frame, len), IP_DROP);
    bench_no_tx(&bench);
    bench_at_rest(&bench);
}

static uint32_t make4(uint8_t protocol, uint32_t len)
{
    return make_packet(frame, addr_of("192.0.2.9"), addr_of("192.0.2.1"), protocol, data, len);
}

static uint32_t make6(uint8_t protocol, const void *payload, uint32_t len)
{
    return make_packet(frame, addr_of("2001:db8::9"), addr_of("2001:db8::1"), protocol, payload,
                       len);
}

TEST(an_unknown_protocol_is_told_so)
{
    bench_start(&bench);
    assert_error(make4(99, 8), 3, 2);
    assert_error(make4(58, 8), 3, 2);
    assert_int_equal(assert_error(make6(99, data, 8), 4, 1).pointer, 6);
    assert_int_equal(assert_error(make6(1, data, 8), 4, 1).pointer, 6);
    assert_int_equal(bench.env.counters[LA_COUNT_IpInUnknownProtos], 4);
    assert_int_equal(bench.env.counters[LA_COUNT_IcmpOutErrors], 4);
}

TEST(as_much_is_quoted_as_every_path_carries)
{
    bench_start(&bench);
    for (uint32_t len = 0; len <= 1460; len += 73) {
        assert_error(make4(99, len), 3, 2);
        assert_error(make6(99, data, len), 4, 1);
        bench.env.now.ns += UINT64_C(1000000000);
    }
}

TEST(an_ipv6_pointer_names_the_byte_that_named_the_protocol)
{
    uint8_t chain[16] = { 60, 0, 1, 4, 0, 0, 0, 0, 99, 0, 1, 4, 0, 0, 0, 0 };
    bench_start(&bench);
    assert_int_equal(assert_error(make6(60, chain, 16), 4, 1).pointer, 48);
    chain[8] = 0; /* hop-by-hop options in the third place */
    assert_int_equal(assert_error(make6(60, chain, 16), 4, 1).pointer, 48);
}

TEST(udp_finds_no_port)
{
    uint8_t udp[12] = { 0, 1, 0, 2, 0, 12, 0, 0, 'p', 'i', 'n', 'g' };
    bench_start(&bench);
    memcpy(data, udp, sizeof udp);
    assert_error(make4(IP_PROTO_UDP, sizeof udp), 3, 3);
    assert_int_equal(bench.reason, LA_DROP_IP_UDP);

    const uint64_t pseudo = ip_pseudo_sum(addr_of("2001:db8::9"), addr_of("2001:db8::1"), 17, 12);
    store_be16(udp + 6, checksum_finish(checksum_add(0, pseudo, udp, sizeof udp)));
    assert_error(make6(IP_PROTO_UDP, udp, sizeof udp), 1, 4);
    udp[9] ^= 1;
    assert_silence(make6(IP_PROTO_UDP, udp, sizeof udp)); /* a bad checksum */
    assert_silence(make6(IP_PROTO_UDP, udp, 7));          /* no header */
    assert_silence(make4(IP_PROTO_UDP, 11));              /* shorter than it claims */
}

TEST(an_ipv6_option_that_asks_for_it_is_reported)
{
    bench_start(&bench);
    for (uint32_t type = 2; type < 256; type++) {
        const uint8_t header[28] = { 6, 0, (uint8_t)type, 4 };
        const uint32_t len = make6(60, header, sizeof header);
        bench.env.now.ns += UINT64_C(1000000000);
        if (type < 64)
            assert_int_equal(bench_rx(&bench, frame, len), IP_TCP);
        else if (type < 128)
            assert_silence(len);
        else
            assert_int_equal(assert_error(len, 4, 2).pointer, 42);
    }
}

TEST(a_source_route_is_reported_in_ipv6_and_dropped_in_ipv4)
{
    const uint8_t routing[28] = { 6, 0, 4, 1 };
    bench_start(&bench);
    assert_int_equal(assert_error(make6(43, routing, sizeof routing), 4, 0).pointer, 42);
    assert_int_equal(bench.reason, LA_DROP_IP6_ROUTING);

    const uint8_t packet[28] = { 0x47, 0, 0,   28, 0, 0, 0,   0, 64, 6, 0, 0, 192, 0,
                                 2,    9, 192, 0,  2, 1, 131, 7, 4,  1, 2, 3, 4,   0 };
    memcpy(frame, packet, sizeof packet);
    store_be16(frame + 10, checksum_finish(checksum_add(0, 0, frame, 28)));
    assert_silence(sizeof packet);
    assert_int_equal(bench.reason, LA_DROP_IP_OPTION);
}

TEST(an_icmpv6_error_with_a_bad_option_is_not_answered)
{
    uint8_t payload[24] = { 58, 0, 0xc2, 4, 0, 0, 0, 0, 1, 4 };
    bench_start(&bench);
    assert_silence(make6(60, payload, sizeof payload));
    payload[8] = 128; /* an echo request is */
    assert_error(make6(60, payload, sizeof payload), 4, 2);
}

TEST(a_bad_option_before_nothing_at_all_is_reported)
{
    const uint8_t payload[8] = { 59, 0, 0x82, 4 };
    bench_start(&bench);
    assert_error(make6(60, payload, sizeof payload), 4, 2);
}

TEST(a_bad_option_before_a_cut_header_is_not_answered)
{
    const uint8_t payload[16] = { 60, 0, 0x82, 4, 0, 0, 0, 0, 58, 200 };
    bench_start(&bench);
    assert_silence(make6(60, payload, sizeof payload)); /* what it carries can not be known */
}

TEST(no_more_is_quoted_than_one_chunk_holds)
{
    struct ip_packet p;
    struct icmp_message m;
    bench_start(&bench);
    chunks_init(&bench.env.chunks, offsetof(struct bench, pool), 512, BENCH_CHUNKS, 4);
    assert_int_equal(bench_rx(&bench, frame, make4(99, 1400)), IP_DROP);
    assert_true(bench_tx(&bench, sent, &p, &m));
    assert_int_equal(m.data_len, chunks_payload(&bench.env.chunks));
    bench_at_rest(&bench);
}

TEST(a_bad_option_to_a_group_or_another_host_is_not_answered)
{
    const uint8_t payload[28] = { 6, 0, 0x82, 4 };
    bench_start(&bench);
    assert_silence(make_packet(frame, addr_of("2001:db8::9"), addr_of("ff02::1"), 60, payload, 28));
    assert_silence(
        make_packet(frame, addr_of("2001:db8::9"), addr_of("2001:db8::7"), 60, payload, 28));
    assert_silence(make_packet(frame, addr_of("::"), addr_of("2001:db8::1"), 60, payload, 28));
}

/* An error about a packet of ours: @to, quoting one from @from to @peer. */
static uint32_t make_error(uint8_t type, uint8_t code, const char *to, const char *from,
                           const char *peer, uint8_t protocol, uint32_t quoted_len)
{
    uint8_t quoted[BENCH_FRAME_MAX];
    const bool v4 = la_addr_is_v4(addr_of(to));
    const uint32_t len =
        make_packet(quoted, addr_of(from), addr_of(peer), protocol, data, quoted_len);
    const struct icmp_message m = {
        .class = type == 2 || code == 4 ? ICMP_TOO_BIG : ICMP_UNREACHABLE,
        .type = type,
        .code = code,
        .mtu_bytes = 1300,
    };
    return make_icmp(frame, v4 ? addr_of("198.51.100.9") : addr_of("2001:db8:9::9"), addr_of(to),
                     &m, quoted, len);
}

static void fill_segment(void)
{
    memset(data, 0, sizeof data);
    store_be16(data, 8080);
    store_be16(data + 2, 50000);
    store_be32(data + 4, 0xfffffffe);
}

TEST(an_error_about_a_segment_of_ours_is_taken_apart)
{
    bench_start(&bench);
    fill_segment();
    uint32_t len = make_error(3, 4, "192.0.2.1", "192.0.2.1", "203.0.113.5", 6, 8);
    assert_int_equal(bench_rx(&bench, frame, len), IP_TCP_ERROR);
    assert_true(la_addr_equal(bench.error.local.addr, addr_of("192.0.2.1")));
    assert_true(la_addr_equal(bench.error.remote.addr, addr_of("203.0.113.5")));
    assert_int_equal(bench.error.local.port, 8080);
    assert_int_equal(bench.error.remote.port, 50000);
    assert_int_equal(bench.error.quoted_seq, 0xfffffffe);
    assert_int_equal(bench.error.class, ICMP_TOO_BIG);
    assert_int_equal(bench.error.code, 4);
    assert_int_equal(bench.error.version, 4);
    assert_int_equal(bench.error.mtu_bytes, 1300);

    len = make_error(1, 4, "2001:db8::1", "2001:db8::1", "2001:db8:5::5", 6, 200);
    frame[41] = 3; /* code 3, so that it is no too-big by make_error's rule */
    store_be16(frame + 42, 0);
    const uint64_t pseudo =
        ip_pseudo_sum(addr_of("2001:db8:9::9"), addr_of("2001:db8::1"), 58, len - 40);
    store_be16(frame + 42, checksum_finish(checksum_add(0, pseudo, frame + 40, len - 40)));
    assert_int_equal(bench_rx(&bench, frame, len), IP_TCP_ERROR);
    assert_int_equal(bench.error.class, ICMP_UNREACHABLE);
    assert_int_equal(bench.error.code, 3);
    assert_int_equal(bench.error.version, 6);
}

static void assert_error_refused(uint32_t len, enum la_drop reason)
{
    assert_silence(len);
    assert_string_equal(la_drop_name(bench.reason), la_drop_name(reason));
}

TEST(an_error_that_quotes_too_little_is_refused)
{
    bench_start(&bench);
    fill_segment();
    for (uint32_t len = 0; len < 8; len++) {
        assert_error_refused(make_error(3, 1, "192.0.2.1", "192.0.2.1", "203.0.113.5", 6, len),
                             LA_DROP_ICMP_QUOTE);
        assert_error_refused(
            make_error(1, 0, "2001:db8::1", "2001:db8::1", "2001:db8:5::5", 6, len),
            LA_DROP_ICMP_QUOTE);
    }
}

TEST(an_error_about_somebody_elses_packet_is_refused)
{
    bench_start(&bench);
    fill_segment();
    ip_addr_add(&bench.ip, 0, prefix_of("192.0.2.2/24"), 0);
    assert_error_refused(make_error(3, 1, "192.0.2.1", "203.0.113.5", "192.0.2.1", 6, 20),
                         LA_DROP_ICMP_NO_MATCH);
    assert_error_refused(make_error(3, 1, "192.0.2.1", "192.0.2.2", "203.0.113.5", 6, 20),
                         LA_DROP_ICMP_NO_MATCH); /* ours, but not the address it was sent to */
    assert_error_refused(make_error(3, 1, "192.0.2.1", "192.0.2.1", "203.0.113.5", 17, 20),
                         LA_DROP_ICMP_NO_MATCH);
    assert_error_refused(make_error(3, 1, "192.0.2.1", "2001:db8::1", "2001:db8::5", 6, 20),
                         LA_DROP_ICMP_QUOTE); /* the other family */
}

TEST(source_quench_redirects_and_the_rest_are_dropped)
{
    static const uint8_t types[] = { 4, 5, 9, 10, 13, 15, 17, 255 };
    bench_start(&bench);
    fill_segment();
    for (uint32_t i = 0; i < sizeof types; i++) {
        const uint32_t len = make_error(types[i], 0, "192.0.2.1", "192.0.2.1", "192.0.2.9", 6, 20);
        assert_error_refused(len, LA_DROP_ICMP_TYPE);
    }
    assert_int_equal(bench.env.counters[LA_COUNT_IcmpInMsgs], sizeof types);
}

/* Exhaustive: every type and code of both versions, about nothing of ours: no error in answer. */
TEST(no_icmp_message_but_a_request_draws_an_answer)
{
    bench_start(&bench);
    memset(data, 0, 64);
    for (uint32_t type = 0; type < 256; type++)
        for (uint32_t code = 0; code < 256; code += 5) {
            const struct icmp_message m = { .type = (uint8_t)type, .code = (uint8_t)code };
            uint32_t len =
                make_icmp(frame, addr_of("192.0.2.9"), addr_of("192.0.2.1"), &m, data, 64);
            const enum ip_verdict v4 = bench_rx(&bench, frame, len);
            assert_int_equal(ip_next(&bench.ip, &bench.env, &bench.tx), type == 8);
            assert_int_equal(v4, type == 8 || type == 0 ? IP_HANDLED : IP_DROP);
            len = make_icmp(frame, addr_of("2001:db8::9"), addr_of("2001:db8::1"), &m, data, 64);
            const enum ip_verdict v6 = bench_rx(&bench, frame, len);
            assert_int_equal(ip_next(&bench.ip, &bench.env, &bench.tx), type == 128);
            assert_int_equal(v6, type == 128 || type == 129 ? IP_HANDLED : IP_DROP);
        }
}

static struct la_ping_reply read_one(void)
{
    struct la_ping_reply reply[2];
    assert_int_equal(ip_ping_read(&bench.ip, reply, 2), 1);
    return reply[0];
}

TEST(a_reply_to_our_ping_can_be_read)
{
    bench_start(&bench);
    memcpy(data, "01234567rest", 12);
    const struct icmp_message m = { .class = ICMP_ECHO_REPLY, .type = 129, .id = 3, .seq = 9 };
    const uint32_t len =
        make_icmp(frame, addr_of("2001:db8::9"), addr_of("2001:db8::1"), &m, data, 12);
    assert_int_equal(bench_rx(&bench, frame, len), IP_HANDLED);
    const struct la_ping_reply reply = read_one();
    assert_true(la_addr_equal(reply.from, addr_of("2001:db8::9")));
    assert_int_equal(reply.id, 3);
    assert_int_equal(reply.seq, 9);
    assert_int_equal(reply.len_bytes, 12);
    assert_memory_equal(&reply.first_bytes, "01234567", 8);
    assert_int_equal(reply.ttl, 61);
    assert_int_equal(reply.type, 129);
    assert_int_equal(reply.at.ns, bench.env.now.ns);
    assert_int_equal(ip_ping_read(&bench.ip, &(struct la_ping_reply){ 0 }, 1), 0);
    assert_int_equal(bench.env.counters[LA_COUNT_IcmpInEchoReps], 1);
}

TEST(an_error_about_our_ping_comes_in_place_of_the_reply)
{
    bench_start(&bench);
    memcpy(data, (uint8_t[]){ 8, 0, 0, 0, 0x12, 0x34, 0, 5, 'a', 'b' }, 10);
    uint32_t len = make_error(3, 1, "192.0.2.1", "192.0.2.1", "203.0.113.5", 1, 10);
    assert_int_equal(bench_rx(&bench, frame, len), IP_HANDLED);
    const struct la_ping_reply reply = read_one();
    assert_int_equal(reply.id, 0x1234);
    assert_int_equal(reply.seq, 5);
    assert_int_equal(reply.type, 3);
    assert_int_equal(reply.code, 1);
    assert_int_equal(reply.len_bytes, 2);
    assert_true(la_addr_equal(reply.from, addr_of("198.51.100.9")));

    data[0] = 0; /* about a reply of ours: nobody waits for it */
    len = make_error(3, 1, "192.0.2.1", "192.0.2.1", "203.0.113.5", 1, 10);
    assert_error_refused(len, LA_DROP_ICMP_NO_MATCH);
}

TEST(the_newest_eight_replies_are_kept)
{
    bench_start(&bench);
    for (uint16_t seq = 0; seq < 20; seq++) {
        const struct icmp_message m = { .class = ICMP_ECHO_REPLY, .type = 0, .id = 3, .seq = seq };
        const uint32_t len =
            make_icmp(frame, addr_of("192.0.2.9"), addr_of("192.0.2.1"), &m, data, 4);
        assert_int_equal(bench_rx(&bench, frame, len), IP_HANDLED);
    }
    struct la_ping_reply replies[20];
    assert_int_equal(ip_ping_read(&bench.ip, replies, 3), 3);
    assert_int_equal(replies[0].seq, 12);
    assert_int_equal(ip_ping_read(&bench.ip, replies, 20), 5);
    assert_int_equal(replies[4].seq, 19);
}

TEST_MAIN
