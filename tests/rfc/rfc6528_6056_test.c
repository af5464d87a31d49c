/* SPDX-License-Identifier: MIT */
/* RFC 6528: initial sequence numbers.  RFC 6056: ephemeral ports. */
#include "tests/rfc/bench.h"

static uint32_t iss_now(struct bench *b, uint16_t lport)
{
    la_conn_id id;
    const struct la_endpoint from = { .port = lport };

    if (la_open(b->s, b->now, from, b->remote, 0, &id) != LA_OK)
        bench_fail(b, __FILE__, __LINE__, "la_open() failed");
    bench_drain(b);
    const struct bench_tx *t = bench_next_tx(b);
    expect_true(b, t != NULL && t->seg.flags == TCP_SYN);
    la_abort(b->s, b->now, id);
    bench_drain(b);
    bench_forget_tx(b);
    return seq_raw(t->seg.seq);
}

BENCH_TEST(numbers_of_one_tuple_follow_a_clock_of_64_ns)
{
    bench_begin(b, BENCH_ACTIVE, NULL);
    const uint32_t first = iss_now(b, 50000);

    expect_equal(b, iss_now(b, 50000), first);
    bench_sleep(b, MS(1));
    expect_equal(b, iss_now(b, 50000) - first, 15625);
    bench_sleep(b, SEC(100));
    expect_equal(b, iss_now(b, 50000) - first, (uint32_t)(15625 + 1562500000u));
}

BENCH_TEST(numbers_of_different_tuples_have_nothing_in_common)
{
    uint32_t iss[64], close = 0;

    bench_begin(b, BENCH_ACTIVE, NULL);
    for (uint16_t i = 0; i < 64; i++)
        iss[i] = iss_now(b, (uint16_t)(50000 + i));

    for (uint32_t i = 0; i < 64; i++)
        for (uint32_t k = 0; k < i; k++)
            close += iss[i] - iss[k] + 1000000u < 2000000u;
    expect_true(b, close <= 8); /* of 2016 pairs one is expected */
}

BENCH_TEST(passive_and_active_openings_draw_from_the_same_well)
{
    bench_begin(b, BENCH_PASSIVE, NULL);
    bench_listen(b, 4);
    const uint32_t now = seq_raw(b->iss);
    bench_rx(b, "SYN rcv 0 wnd 65535");

    const struct bench_tx *t = bench_next_tx(b);
    expect_equal(b, seq_raw(t->seg.seq), now);
}

BENCH_TEST(without_a_secret_there_is_no_stack)
{
    struct la_config config;
    static _Alignas(64) uint8_t memory[16384];
    struct la_stack *s;

    la_config_smallest(&config);
    expect_true(b, la_bytes_needed(&config) <= sizeof memory);
    assert_int_equal(la_init(memory, sizeof memory, &config, (la_time){ 1 }, &s), LA_EINVAL);
    config.secret[7] = 1;
    assert_int_equal(la_init(memory, sizeof memory, &config, (la_time){ 1 }, &s), LA_OK);
}

static uint16_t port_now(struct bench *b, struct la_endpoint to, la_conn_id *keep)
{
    la_conn_id id;

    if (la_open(b->s, b->now, (struct la_endpoint){ .port = 0 }, to, 0, &id) != LA_OK)
        bench_fail(b, __FILE__, __LINE__, "la_open() failed");
    bench_drain(b);
    const struct bench_tx *t = bench_next_tx(b);
    expect_true(b, t != NULL);
    if (keep != NULL)
        *keep = id;
    else
        la_abort(b->s, b->now, id);
    bench_drain(b);
    bench_forget_tx(b);
    return t->seg.src_port;
}

BENCH_TEST(ports_lie_in_the_range)
{
    bench_begin(b, BENCH_ACTIVE, NULL);

    for (uint16_t i = 0; i < 300; i++) {
        struct la_endpoint to = b->remote;

        to.port = (uint16_t)(1000 + i);
        const uint16_t port = port_now(b, to, NULL);
        expect_true(b, port >= 32768 && port <= 60999);
    }
}

BENCH_TEST(ports_to_one_peer_do_not_tell_those_to_another)
{
    struct la_endpoint other = b->remote;
    uint32_t near = 0;

    bench_begin(b, BENCH_ACTIVE, NULL);
    other = b->remote;
    for (uint16_t i = 0; i < 100; i++) {
        other.port = (uint16_t)(2000 + i);
        const int distance = (int)port_now(b, other, NULL) - (int)port_now(b, b->remote, NULL);

        near += distance > -20 && distance < 20;
    }
    expect_true(b, near <= 5);
}

BENCH_TEST(a_port_in_use_towards_one_peer_serves_another)
{
    la_conn_id kept[3];
    struct la_endpoint other;

    bench_begin(b, BENCH_ACTIVE, NULL);
    bench_sysctl(b, "net.lastack.ip_local_port_min", 40000);
    bench_sysctl(b, "net.lastack.ip_local_port_max", 40001);
    const uint16_t first = port_now(b, b->remote, &kept[0]);
    const uint16_t second = port_now(b, b->remote, &kept[1]);
    expect_true(b, first != second);
    expect_equal(b,
                 la_open(b->s, b->now, (struct la_endpoint){ .port = 0 }, b->remote, 0, &kept[2]),
                 LA_EADDRNOTAVAIL);

    other = b->remote;
    other.port++;
    const uint16_t third = port_now(b, other, &kept[2]);
    expect_true(b, third == 40000 || third == 40001);
}

BENCH_TEST(a_port_with_a_listener_is_left_alone)
{
    bench_begin(b, BENCH_ACTIVE, NULL);
    bench_sysctl(b, "net.lastack.ip_local_port_min", 40000);
    bench_sysctl(b, "net.lastack.ip_local_port_max", 40003);
    b->local.port = 40002;
    bench_listen(b, 4);

    for (int i = 0; i < 40; i++)
        expect_true(b, port_now(b, b->remote, NULL) != 40002);
}

TEST_MAIN
