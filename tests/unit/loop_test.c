/* SPDX-License-Identifier: MIT */
/*
 * The loop: two stacks on a wire in memory in virtual time, descriptors, wake-ups, signals,
 * back-pressure and captures.
 */
#include "test.h"

#include <lastack/runtime.h>

#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <unistd.h>

#define PORT 7
#define BYTES 500000u

struct peer {
    struct la_stack *stack;
    struct la_rt_driver *driver;
    void *arena;
    uint64_t arena_bytes;
    int iface;
};

static struct la_rt_loop *loop;
static struct peer peers[2];
static la_conn_id conn;
static uint64_t sent, received, turns, events, packets[2], traces, verdicts;
static bool ended;

static void make_peer(int i, bool v6)
{
    struct la_config config;
    struct la_prefix p;

    la_config_default(&config);
    config.trace_records = 4096;
    la_rt_random(config.secret, sizeof config.secret);
    peers[i].arena_bytes = la_bytes_needed(&config);
    peers[i].arena = la_rt_arena_map(peers[i].arena_bytes);
    assert_non_null(peers[i].arena);
    assert_int_equal(la_init(peers[i].arena, peers[i].arena_bytes, &config, la_rt_loop_now(loop),
                             &peers[i].stack),
                     LA_OK);
    peers[i].iface = la_iface_add(peers[i].stack, &(struct la_iface_config){ .mtu_bytes = 1500 });
    assert_true(peers[i].iface >= 0);
    const char *const texts[2][2] = { { "10.0.0.1/24", "10.0.0.2/24" },
                                      { "fd00::1/64", "fd00::2/64" } };
    assert_true(la_prefix_parse(texts[v6][i], true, &p));
    assert_int_equal(la_addr_add(peers[i].stack, peers[i].iface, p, 0), LA_OK);
}

static void begin(uint32_t flags, uint32_t slots, bool v6)
{
    struct la_rt_driver *ends[2];

    sent = received = turns = events = traces = verdicts = 0;
    packets[0] = packets[1] = 0;
    ended = false;
    loop = la_rt_loop_new(flags);
    assert_non_null(loop);
    assert_int_equal(la_rt_memory_pair(1500, slots, ends), 0);
    for (int i = 0; i < 2; i++) {
        peers[i].driver = ends[i];
        make_peer(i, v6);
    }
}

static void finish(void)
{
    la_rt_loop_free(loop);
    for (int i = 0; i < 2; i++) {
        assert_null(la_check(peers[i].stack));
        la_rt_driver_close(peers[i].driver);
        la_rt_arena_unmap(peers[i].arena, peers[i].arena_bytes);
    }
}

/* The first peer accepts one connection and reads it to its end. */
static void read_all(void *context, la_time now, const struct la_event *event)
{
    struct peer *p = context;
    static uint8_t buffer[65536];
    static la_conn_id from;
    struct la_accepted accepted;
    int64_t got;

    events++;
    if (event->kind == LA_EVENT_LISTENER &&
        la_accept(p->stack, now, event->listener, 0, &accepted) == LA_OK)
        from = accepted.conn;
    while ((got = la_recv(p->stack, now, from, buffer, sizeof buffer)) > 0)
        received += (uint64_t)got;
    if (got == 0) {
        ended = true;
        (void)la_close(p->stack, now, from);
    }
}

/* The second writes, then closes. */
static void write_all(void *context, la_time now, const struct la_event *event)
{
    struct peer *p = context;
    static const uint8_t zeros[65536];

    events++;
    if (event->conn.bits != conn.bits)
        return;
    while (sent < BYTES) {
        const uint32_t left = (uint32_t)(BYTES - sent);
        const int64_t put = la_send(p->stack, now, conn, zeros,
                                    left < sizeof zeros ? left : (uint32_t)sizeof zeros, 0);
        if (put <= 0)
            return;
        sent += (uint64_t)put;
    }
    (void)la_close(p->stack, now, conn);
}

static void count_packet(void *observer, const struct la_rt_packet *packet)
{
    assert_ptr_equal(observer, &peers[0]);
    packets[packet->outbound]++;
    assert_true(packet->bytes[0] >> 4 == 4 || packet->bytes[0] >> 4 == 6);
    if (packet->trace != NULL) {
        assert_int_equal(packet->trace->kind, packet->outbound ? LA_TRACE_TX : LA_TRACE_RX);
        verdicts++;
    }
}

static void count_trace(void *observer, const struct la_trace *records, uint32_t count,
                        uint64_t lost)
{
    assert_ptr_equal(observer, &peers[0]);
    (void)records;
    assert_int_equal(lost, 0);
    traces += count;
}

static void transfer(bool v6, uint32_t slots, bool captured)
{
    la_listener_id listener;
    const struct la_listen_config listen = { .local = la_prefix_any(), .port = PORT, .backlog = 4 };
    struct la_endpoint local = { .port = 0 }, remote = { .port = PORT };

    begin(LA_RT_VIRTUAL_TIME, slots, v6);
    struct la_rt_host reader = { .stack = peers[0].stack,
                                 .driver = peers[0].driver,
                                 .iface = peers[0].iface,
                                 .context = &peers[0],
                                 .on_event = read_all };
    const struct la_rt_host writer = { .stack = peers[1].stack,
                                       .driver = peers[1].driver,
                                       .iface = peers[1].iface,
                                       .context = &peers[1],
                                       .on_event = write_all };
    if (captured) {
        reader.observer = &peers[0];
        reader.on_packet = count_packet;
        reader.on_trace = count_trace;
    }
    assert_int_equal(la_rt_loop_add(loop, &reader), 0);
    assert_int_equal(la_rt_loop_add(loop, &writer), 0);
    assert_int_equal(la_listen(peers[0].stack, la_rt_loop_now(loop), &listen, &listener), LA_OK);
    assert_true(la_addr_parse(v6 ? "fd00::1" : "10.0.0.1", &remote.addr));
    local.addr = v6 ? (struct la_addr){ { 0 } } : la_addr_v4(0, 0, 0, 0);
    assert_int_equal(la_open(peers[1].stack, la_rt_loop_now(loop), local, remote, 0, &conn), LA_OK);
    assert_int_equal(la_rt_run(loop), -EDEADLK); /* until not even TIME-WAIT is left */
    assert_true(ended);
    assert_int_equal(sent, BYTES);
    assert_int_equal(received, BYTES);
}

static void expect_rest(void)
{
    for (int i = 0; i < 2; i++) {
        assert_int_equal(la_table_use(peers[i].stack, LA_TABLE_CONNECTIONS).used, 0);
        assert_int_equal(la_table_use(peers[i].stack, LA_TABLE_SHORT_V4).used, 0);
        assert_int_equal(la_table_use(peers[i].stack, LA_TABLE_SHORT_V6).used, 0);
        assert_int_equal(la_table_use(peers[i].stack, LA_TABLE_CHUNKS).used, 0);
        assert_int_equal(la_deadline(peers[i].stack).ns, LA_TIME_NEVER.ns);
    }
    assert_int_equal(la_counter(peers[1].stack, LA_COUNT_RetransSegs), 0);
}

TEST(a_transfer_runs_until_nothing_can_happen_any_more_over_ipv4)
{
    transfer(false, 256, false);
    expect_rest();
    finish();
}

TEST(a_transfer_runs_until_nothing_can_happen_any_more_over_ipv6)
{
    transfer(true, 256, false);
    expect_rest();
    finish();
}

TEST(virtual_time_passes_through_time_wait)
{
    const la_time before = la_rt_now();

    transfer(false, 256, false);
    assert_true(la_now(peers[1].stack).ns >= before.ns + UINT64_C(60000000000));
    finish();
}

TEST(a_device_without_room_holds_packets_back_and_loses_none)
{
    struct la_rt_loop_stats stats;

    transfer(false, 2, false);
    la_rt_loop_stats(loop, &stats);
    assert_true(stats.device_full > 0);
    assert_int_equal(stats.packets_lost, 0);
    assert_int_equal(stats.packets_in, stats.packets_out);
    expect_rest();
    finish();
}

TEST(a_capture_sees_every_packet_once_with_its_verdict)
{
    struct la_rt_loop_stats stats;

    transfer(true, 256, true);
    la_rt_loop_stats(loop, &stats);
    assert_int_equal(packets[0] + packets[1], stats.packets_in);
    assert_int_equal(verdicts, packets[0] + packets[1]);
    assert_true(traces > verdicts);
    expect_rest();
    finish();
}

TEST(a_capture_with_a_full_device_sees_each_packet_once)
{
    struct la_rt_loop_stats stats;

    transfer(false, 1, true);
    la_rt_loop_stats(loop, &stats);
    assert_int_equal(packets[0] + packets[1], stats.packets_in);
    expect_rest();
    finish();
}

/* Descriptors, wake-ups, signals ---------------------------------------------------- */

static void stop_on_turn(void *context, la_time now)
{
    const la_time *at = context;

    turns++;
    if (now.ns >= at->ns)
        la_rt_stop(loop);
    else
        la_rt_wake_at(loop, *at);
}

TEST(a_wake_up_comes_and_not_too_early)
{
    begin(0, 4, false);
    la_time at = { la_rt_loop_now(loop).ns + 20000000 };
    const struct la_rt_host host = {
        .stack = peers[0].stack, .driver = peers[0].driver, .context = &at, .on_turn = stop_on_turn
    };
    assert_int_equal(la_rt_loop_add(loop, &host), 0);
    assert_int_equal(la_rt_run(loop), 0);
    assert_true(la_rt_now().ns >= at.ns);
    assert_true(turns < 20); /* it slept in between */
    finish();
}

static void read_byte(void *context, la_time now, uint32_t ready)
{
    char byte;

    (void)now;
    assert_true(ready & EPOLLIN);
    assert_int_equal(read(*(int *)context, &byte, 1), 1);
    received++;
    if (byte == 'q')
        la_rt_stop(loop);
}

TEST(a_watched_descriptor_wakes_the_loop_until_it_is_unwatched)
{
    int fds[2];
    struct la_rt_loop_stats stats;

    begin(0, 4, false);
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(la_rt_watch(loop, fds[0], EPOLLIN, read_byte, &fds[0]), 0);
    assert_int_equal(write(fds[1], "abq", 3), 3);
    assert_int_equal(la_rt_run(loop), 0);
    assert_int_equal(received, 3);
    la_rt_unwatch(loop, fds[0]);
    assert_int_equal(write(fds[1], "x", 1), 1);
    la_rt_loop_stats(loop, &stats);
    la_time at = { la_rt_loop_now(loop).ns + 1000000 };
    const struct la_rt_host host = {
        .stack = peers[0].stack, .driver = peers[0].driver, .context = &at, .on_turn = stop_on_turn
    };
    assert_int_equal(la_rt_loop_add(loop, &host), 0);
    assert_int_equal(la_rt_run(loop), 0);
    assert_int_equal(received, 3);
    close(fds[0]);
    close(fds[1]);
    finish();
}

TEST(a_regular_file_cannot_be_watched)
{
    FILE *f = tmpfile();

    assert_non_null(f);
    begin(0, 4, false);
    assert_int_equal(la_rt_watch(loop, fileno(f), EPOLLIN, read_byte, NULL), -EPERM);
    finish();
    fclose(f);
}

TEST(a_signal_ends_the_run_and_says_which)
{
    begin(LA_RT_SIGNALS, 4, false);
    raise(SIGTERM);
    assert_int_equal(la_rt_run(loop), SIGTERM);
    raise(SIGINT);
    assert_int_equal(la_rt_run(loop), SIGINT);
    finish();
}

static int broken_receive(void *self, struct la_frame *frames, uint32_t max)
{
    (void)self;
    (void)frames;
    (void)max;
    return -ENODEV;
}

TEST(a_device_that_is_gone_ends_the_run)
{
    struct la_rt_driver gone = { .fd = -1, .mtu_bytes = 1500, .receive = broken_receive };

    begin(0, 4, false);
    const struct la_rt_host host = { .stack = peers[0].stack, .driver = &gone };
    assert_int_equal(la_rt_loop_add(loop, &host), 0);
    assert_int_equal(la_rt_run(loop), -ENODEV);
    finish();
}

TEST(hosts_beyond_the_maximum_are_refused)
{
    begin(0, 4, false);
    const struct la_rt_host host = { .stack = peers[0].stack, .driver = peers[0].driver };
    for (int i = 0; i < LA_RT_HOSTS_MAX; i++)
        assert_int_equal(la_rt_loop_add(loop, &host), 0);
    assert_int_equal(la_rt_loop_add(loop, &host), -ENOSPC);
    finish();
}

TEST_MAIN
