/* SPDX-License-Identifier: MIT */
/* ip_send_test.c - The ring of messages, their chunks, our pings, the rate of errors. */
#include "core/ip/icmp_stack.h"
#include "tests/unit/ip_bench.h"

static struct bench bench;
static uint8_t frame[BENCH_FRAME_MAX], sent[BENCH_FRAME_MAX], data[BENCH_FRAME_MAX];

static enum la_err ping(const char *to, uint32_t len_bytes)
{
    for (uint32_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 7 + 3);
    return ip_ping(&bench.ip, &bench.env, addr_of(to), 42, 7, data, len_bytes);
}

TEST(a_ping_of_ours_leaves_whole_in_both_families)
{
    static const char *const hosts[] = { "192.0.2.9", "2001:db8::9" };
    static const uint32_t lens[] = { 0, 1, 56, 1452 };
    for (uint32_t h = 0; h < 2; h++)
        for (uint32_t i = 0; i < 4; i++) {
            struct ip_packet p;
            struct icmp_message m;
            bench_start(&bench);
            assert_int_equal(ping(hosts[h], lens[i]), LA_OK);
            assert_true(bench_tx(&bench, sent, &p, &m));
            assert_int_equal(m.class, ICMP_ECHO_REQUEST);
            assert_int_equal(m.id, 42);
            assert_int_equal(m.seq, 7);
            assert_int_equal(m.data_len, lens[i]);
            assert_memory_equal(m.data, data, lens[i]);
            assert_true(la_addr_equal(p.dst, addr_of(hosts[h])));
            assert_true(ip_is_local(&bench.ip, p.src));
            assert_int_equal(p.ttl, 64);
            assert_int_equal(bench.env.counters[LA_COUNT_IcmpOutMsgs], 1);
            assert_int_equal(bench.env.counters[LA_COUNT_IcmpOutErrors], 0);
            bench_no_tx(&bench);
            bench_at_rest(&bench);
        }
}

TEST(a_ping_that_can_not_be_sent_says_why)
{
    bench_start(&bench);
    assert_int_equal(ping("192.0.2.9", 1473), LA_EMSGSIZE);
    assert_int_equal(ping("192.0.2.9", 1472), LA_OK);
    assert_int_equal(ping("2001:db8::9", 1453), LA_EMSGSIZE);
    assert_int_equal(ping("192.0.2.255", 1), LA_ENETUNREACH);
    assert_int_equal(ping("224.0.0.1", 1), LA_ENETUNREACH);
    assert_int_equal(ping("0.0.0.0", 1), LA_ENETUNREACH);
    ip_addr_del(&bench.ip, 0, prefix_of("192.0.2.1/24"));
    assert_int_equal(ping("192.0.2.9", 1), LA_EADDRNOTAVAIL);
    ip_route_del(&bench.ip, la_prefix_any_v4(), 0);
    ip_route_del(&bench.ip, la_prefix_any(), 0);
    assert_int_equal(ping("192.0.2.9", 1), LA_ENETUNREACH);
}

TEST(a_ninth_waiting_message_finds_no_place)
{
    bench_start(&bench);
    for (uint32_t i = 0; i < IP_REPLIES_MAX; i++)
        assert_int_equal(ping("192.0.2.9", i), LA_OK);
    assert_int_equal(ping("192.0.2.9", 1), LA_ENOBUFS);
    for (uint32_t i = 0; i < IP_REPLIES_MAX; i++) {
        struct ip_packet p;
        struct icmp_message m;
        assert_true(bench_tx(&bench, sent, &p, &m));
        assert_int_equal(m.data_len, i);
    }
    bench_no_tx(&bench);
    bench_at_rest(&bench);
}

TEST(a_taken_messages_bytes_stay_until_the_next_call)
{
    bench_start(&bench);
    assert_int_equal(ping("192.0.2.9", 100), LA_OK);
    assert_true(ip_next(&bench.ip, &bench.env, &bench.tx));
    assert_int_equal(ip_chunks_held(&bench.ip), 1);
    assert_memory_equal(bench.tx.spans[0].bytes, data, 100);
    ip_sent(&bench.ip, &bench.env);
    assert_int_equal(bench.env.chunks.slab.used, 0);
    ip_sent(&bench.ip, &bench.env);
    assert_int_equal(bench.env.chunks.slab.used, 0);
}

TEST(a_slot_written_again_gives_its_chunk_back)
{
    bench_start(&bench);
    for (uint32_t i = 0; i < 1000; i++) {
        assert_int_equal(ping("192.0.2.9", 100), LA_OK);
        assert_true(ip_next(&bench.ip, &bench.env, &bench.tx));
        assert_true(bench.env.chunks.slab.used <= IP_REPLIES_MAX);
        assert_int_equal(bench.env.chunks.slab.used, ip_chunks_held(&bench.ip));
    }
    bench_at_rest(&bench);
}

TEST(a_waiting_message_keeps_its_chunk_when_others_are_given_back)
{
    struct ip_packet p;
    struct icmp_message m;
    bench_start(&bench);
    assert_int_equal(ping("192.0.2.9", 10), LA_OK);
    assert_int_equal(ping("192.0.2.9", 20), LA_OK);
    assert_true(bench_tx(&bench, sent, &p, &m));
    ip_sent(&bench.ip, &bench.env);
    assert_int_equal(ip_chunks_held(&bench.ip), 1);
    assert_true(bench_tx(&bench, sent, &p, &m));
    assert_int_equal(m.data_len, 20);
    bench_at_rest(&bench);
}

TEST(the_reserve_of_the_pool_is_not_for_pings)
{
    bench_start(&bench);
    while (chunks_room(&bench.env.chunks) > 0)
        assert_int_not_equal(chunks_take(&bench.env.chunks, &bench, CHUNKS_ORDINARY), SLAB_NONE);
    assert_int_equal(ping("192.0.2.9", 1), LA_ENOBUFS);
    assert_int_equal(ping("192.0.2.9", 0), LA_OK);
}

static enum la_drop send_error(void)
{
    static const struct icmp_message m = { .class = ICMP_UNREACHABLE, .type = 3, .code = 2 };
    struct ip_packet p;
    const uint32_t len =
        make_packet(frame, addr_of("192.0.2.9"), addr_of("192.0.2.1"), 99, data, 40);
    assert_int_equal(ip_parse(frame, len, &p), LA_DROP_NONE);
    const enum la_drop drop = icmp_send_error(&bench.ip, &bench.env, &p, &m);
    while (ip_next(&bench.ip, &bench.env, &bench.tx))
        continue;
    return drop;
}

static uint32_t errors_until_limited(void)
{
    uint32_t count = 0;
    while (send_error() == LA_DROP_NONE)
        count++;
    return count;
}

TEST(errors_come_in_a_burst_and_then_at_a_rate)
{
    bench_start(&bench);
    assert_int_equal(errors_until_limited(), 50);
    assert_int_equal(bench.env.counters[LA_COUNT_IcmpOutErrors], 50);
    assert_int_equal(bench.env.counters[LA_COUNT_IcmpOutRateLimitGlobal], 1);
    bench.env.now.ns += 999999; /* one every millisecond */
    assert_int_equal(errors_until_limited(), 0);
    bench.env.now.ns += 1;
    assert_int_equal(errors_until_limited(), 1);
    bench.env.now.ns += 20 * UINT64_C(1000000);
    assert_int_equal(errors_until_limited(), 20);
    bench.env.now.ns += UINT64_C(3600000000000) * 24 * 365 * 500;
    assert_int_equal(errors_until_limited(), 50);
}

TEST(the_rate_loses_no_fraction_however_often_it_is_asked)
{
    bench_start(&bench);
    bench.env.knobs.icmp_msgs_per_sec = 3;
    errors_until_limited();
    uint32_t count = 0;
    for (uint32_t i = 0; i < 10000; i++) {
        bench.env.now.ns += 1000000;
        count += errors_until_limited();
    }
    assert_in_range(count, 29, 30);
}

TEST(a_rate_of_zero_sends_no_errors)
{
    bench_start(&bench);
    bench.env.knobs.icmp_msgs_per_sec = 0;
    assert_int_equal(errors_until_limited(), 0);
}

TEST_MAIN
