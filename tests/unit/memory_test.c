/* SPDX-License-Identifier: MIT */
/*
 * memory_test.c - What a stack may cost, measured in pages that are really there.
 *
 * The arena is a large reserved mapping without huge pages; mincore() says which pages
 * are resident.  Peers are handmade segments, 64 a burst, so that a million connections
 * take seconds.  Peer i has address 10.(1 + i / 60000).0.1 and port 1 + i % 60000, and its ISS
 * is 1000 + i.
 */
#include "tests/unit/base_test.h"
#include "tests/unit/wire2.h"

#include "core/base/bytes.h"
#include "core/stack/stack.h"

#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)
#define BURST 64u
#define MAPPING (64 * GIB)

struct town {
    struct la_stack *s;
    uint8_t *mem;
    la_time now;
    la_listener_id listener;
    la_conn_id *conn;
    uint32_t *iss;
};

static uint64_t resident(const struct town *t)
{
    static unsigned char map[1 << 20];
    const uint64_t window = sizeof map * 4096;
    uint64_t pages = 0;

    for (uint64_t at = 0; at < MAPPING; at += window) {
        assert_int_equal(mincore(t->mem + at, window, map), 0);
        for (uint64_t i = 0; i < sizeof map; i++)
            pages += map[i] & 1u;
    }
    return pages * 4096;
}

/* What was measured, for whoever reads the log. */
static void tell(const char *what, uint64_t bytes)
{
    print_message("# %s: %llu bytes\n", what, (unsigned long long)bytes);
}

static void big_config(struct la_config *config)
{
    la_config_default(config);
    config->connections = 10000000;
    config->half_open_v4 = config->half_open_v6 = 1000000;
    config->short_v4 = config->short_v6 = 10000000;
    config->chunks = 4000000;
    config->listeners = 1000;
    config->secret[3] = 9;
}

static struct town found(void)
{
    struct town t = { .now = { 1000 * NS_PER_S } };
    struct la_config config;
    const struct la_iface_config iface = { .mtu_bytes = 1500 };
    const struct la_prefix prefix = { .addr = la_addr_v4(10, 0, 0, 1), .len = 104 };

    big_config(&config);
    assert_in_range(la_bytes_needed(&config), GIB, MAPPING);
    t.mem = arena_map(MAPPING);
    (void)madvise(t.mem, MAPPING, MADV_NOHUGEPAGE);
    assert_int_equal(la_init(t.mem, MAPPING, &config, t.now, &t.s), LA_OK);
    assert_int_equal(la_iface_add(t.s, &iface), 0);
    assert_int_equal(la_addr_add(t.s, 0, prefix, 0), LA_OK);
    const struct la_listen_config listen = { .local = la_prefix_any(),
                                             .port = 80,
                                             .backlog = 4096 };
    assert_int_equal(la_listen(t.s, t.now, &listen, &t.listener), LA_OK);
    return t;
}

static void raze(struct town *t)
{
    free(t->conn);
    free(t->iss);
    arena_unmap(t->mem, MAPPING);
}

static void room_for(struct town *t, uint32_t n)
{
    t->conn = calloc(n, sizeof *t->conn);
    t->iss = calloc(n, sizeof *t->iss);
    assert_true(t->conn && t->iss);
}

static uint8_t packets[BURST][64];

/* A segment of peer @i: @seq and @ack count from both ISS. */
static struct la_frame segment(const struct town *t, uint32_t i, uint32_t seq, uint32_t ack,
                               uint8_t flags, uint32_t len_bytes)
{
    uint8_t *p = packets[i % BURST];
    const struct tcp_seg seg = {
        .src_port = (uint16_t)(1 + i % 60000),
        .dst_port = 80,
        .seq = seq_of(1000 + i + seq),
        .ack = seq_of(flags & TCP_ACK ? t->iss[i] + ack : 0),
        .flags = flags,
        .wnd = 60000,
    };
    const uint32_t header = tcp_emit(&seg, p + IP4_HEADER_BYTES);
    const struct ip_header ip = { .src = la_addr_v4(10, (uint8_t)(1 + i / 60000), 0, 1),
                                  .dst = la_addr_v4(10, 0, 0, 1),
                                  .payload_len = header + len_bytes,
                                  .protocol = IP_PROTO_TCP,
                                  .ttl = 64 };

    memset(p + IP4_HEADER_BYTES + header, 'x', len_bytes);
    (void)ip_emit(&ip, p);
    return (struct la_frame){ .bytes = p,
                              .len_bytes = IP4_HEADER_BYTES + header + len_bytes,
                              .flags = LA_FRAME_CSUM_OK };
}

static void burst(struct town *t, uint32_t first, uint32_t n, uint32_t seq, uint32_t ack,
                  uint8_t flags, uint32_t len_bytes)
{
    struct la_frame frames[BURST];

    for (uint32_t i = 0; i < n; i++)
        frames[i] = segment(t, first + i, seq, ack, flags, len_bytes);
    la_rx(t->s, t->now, frames, n);
}

static uint32_t drain(struct town *t)
{
    static struct la_tx tx[BURST];
    uint32_t n, total = 0;

    while ((n = la_tx(t->s, t->now, tx, BURST)) > 0)
        total += n;
    return total;
}

/* The SYN-ACKs of a burst, in its order: our ISS. */
static void take_syn_acks(struct town *t, uint32_t first, uint32_t n)
{
    static struct la_tx tx[BURST];

    assert_int_equal(la_tx(t->s, t->now, tx, n), n);
    for (uint32_t i = 0; i < n; i++)
        t->iss[first + i] = load_be32(tx[i].header + IP4_HEADER_BYTES + 4);
}

static void open_some(struct town *t, uint32_t first, uint32_t n)
{
    struct la_accepted accepted;
    struct la_event events[BURST];

    burst(t, first, n, 0, 0, TCP_SYN, 0);
    take_syn_acks(t, first, n);
    burst(t, first, n, 1, 1, TCP_ACK, 0);
    for (uint32_t i = 0; i < n; i++) {
        assert_int_equal(la_accept(t->s, t->now, t->listener, i, &accepted), LA_OK);
        t->conn[first + i] = accepted.conn;
    }
    while (la_events(t->s, events, BURST) > 0)
        continue;
}

static void open_all(struct town *t, uint32_t count)
{
    for (uint32_t i = 0; i < count; i += BURST)
        open_some(t, i, count - i < BURST ? count - i : BURST);
}

/* In even bursts we close first and keep a TIME-WAIT, in odd ones the peer does. */
static void close_some(struct town *t, uint32_t first, uint32_t n)
{
    const bool we_first = first / BURST % 2 == 0;

    if (!we_first)
        burst(t, first, n, 1, 1, TCP_FIN | TCP_ACK, 0);
    for (uint32_t i = 0; i < n; i++)
        assert_int_equal(la_close(t->s, t->now, t->conn[first + i]), LA_OK);
    assert_in_range(drain(t), n, 3 * n);
    if (we_first)
        burst(t, first, n, 1, 2, TCP_FIN | TCP_ACK, 0);
    else
        burst(t, first, n, 2, 2, TCP_ACK, 0);
    (void)drain(t);
}

static void close_all(struct town *t, uint32_t count)
{
    for (uint32_t i = 0; i < count; i += BURST)
        close_some(t, i, count - i < BURST ? count - i : BURST);
}

static void pass(struct town *t, uint64_t ns)
{
    t->now = time_add(t->now, ns);
    while (la_tick(t->s, t->now, 100000))
        continue;
}

static void trim(struct town *t)
{
    la_trim(t->s, 4096, arena_discard, t->mem);
}

TEST(a_stack_for_ten_million_connections_begins_within_4_mib)
{
    struct town t = found();

    tell("arena of ten million connections", t.s->bytes);
    tell("resident at the beginning", resident(&t));
    assert_in_range(resident(&t), 4096, 4 * MIB);
    raze(&t);
}

TEST(a_thousand_connections_in_it_take_at_most_8_mib_more)
{
    struct town t = found();
    const uint64_t before = resident(&t);

    room_for(&t, 1000);
    open_all(&t, 1000);
    assert_int_equal(la_table_use(t.s, LA_TABLE_CONNECTIONS).used, 1000);
    tell("resident more with a thousand connections", resident(&t) - before);
    assert_in_range(resident(&t) - before, 0, 8 * MIB);
    raze(&t);
}

TEST(an_idle_connection_takes_at_most_512_bytes_all_told)
{
    const uint32_t n = 100000;
    struct town t = found();

    /* by the sizes: its record, and its share of an index that is full */
    const uint32_t record = sizeof(struct tcp_conn) + sizeof(struct wheel_node);
    assert_in_range(record + index_bytes(n) / n + 1, 0, 512);
    assert_int_equal(la_table_use(t.s, LA_TABLE_CONNECTIONS).item_bytes, record);

    /* by the pages: connections that were used and are quiet now */
    room_for(&t, n);
    const uint64_t before = resident(&t);
    open_all(&t, n);
    for (uint32_t i = 0; i < n; i += BURST) {
        const uint32_t some = n - i < BURST ? n - i : BURST;
        uint8_t byte[8];

        burst(&t, i, some, 1, 1, TCP_ACK | TCP_PSH, 5);
        for (uint32_t k = 0; k < some; k++) {
            assert_int_equal(la_recv(t.s, t.now, t.conn[i + k], byte, sizeof byte), 5);
            assert_int_equal(la_send(t.s, t.now, t.conn[i + k], "hello", 5, 0), 5);
        }
        (void)drain(&t);
        burst(&t, i, some, 6, 6, TCP_ACK, 0);
    }
    assert_int_equal(la_table_use(t.s, LA_TABLE_CONNECTIONS).used, n);
    assert_int_equal(la_table_use(t.s, LA_TABLE_CHUNKS).used, 0);
    tell("record of a connection", record);
    tell("an idle connection, by the pages", (resident(&t) - before) / n);
    assert_in_range((resident(&t) - before) / n, 100, 512);
    raze(&t);
}

TEST(records_take_at_most_64_bytes_each_for_ipv4_and_96_for_ipv6)
{
    struct town t = found();

    assert_in_range(la_table_use(t.s, LA_TABLE_HALF_OPEN_V4).item_bytes, 1, 64);
    assert_in_range(la_table_use(t.s, LA_TABLE_HALF_OPEN_V6).item_bytes, 1, 96);
    assert_in_range(la_table_use(t.s, LA_TABLE_SHORT_V4).item_bytes, 1, 64);
    assert_in_range(la_table_use(t.s, LA_TABLE_SHORT_V6).item_bytes, 1, 96);
    raze(&t);
}

TEST(a_time_wait_gives_the_connections_memory_back_and_keeps_a_record_only)
{
    const uint32_t n = 64000;
    struct town t = found();
    const uint64_t before = resident(&t);

    room_for(&t, n);
    open_all(&t, n);
    close_all(&t, n);
    assert_int_equal(la_table_use(t.s, LA_TABLE_CONNECTIONS).used, 0);
    assert_int_equal(la_table_use(t.s, LA_TABLE_SHORT_V4).used, n / 2);
    trim(&t);
    assert_in_range(resident(&t) - before, 0, (uint64_t)n / 2 * (64 + 32) + MIB);
    raze(&t);
}

TEST(after_a_million_connections_opened_and_closed_trim_returns_to_64_mib)
{
    const uint32_t n = 1000000;
    struct town t = found();

    room_for(&t, n);
    open_all(&t, n);
    assert_int_equal(la_table_use(t.s, LA_TABLE_CONNECTIONS).used, n);
    assert_in_range(resident(&t), (uint64_t)n * 400, (uint64_t)n * 600);
    close_all(&t, n);
    pass(&t, 61 * NS_PER_S);
    assert_int_equal(t.s->tcp.index.entries, 0);
    assert_true(la_deadline(t.s).ns == UINT64_MAX);
    tell("resident before trimming", resident(&t));
    trim(&t);
    tell("resident after trimming", resident(&t));
    assert_in_range(resident(&t), 4096, 64 * MIB);
    assert_null(la_check(t.s));
    open_all(&t, 100); /* and it is a stack like any other */
    close_all(&t, 100);
    assert_null(la_check(t.s));
    raze(&t);
}

static int by_value(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

TEST(no_handle_comes_twice_however_often_pages_are_given_back)
{
    enum { ROUNDS = 60, N = 200 };
    static uint64_t handles[ROUNDS * N];
    struct town t = found();

    room_for(&t, N);
    for (uint32_t round = 0; round < ROUNDS; round++) {
        open_all(&t, N);
        for (uint32_t i = 0; i < N; i++)
            handles[round * N + i] = t.conn[i].bits;
        if (round % 3 == 1)
            trim(&t); /* while all are open */
        close_all(&t, N);
        pass(&t, 61 * NS_PER_S);
        if (round % 2 == 0)
            trim(&t);
        for (uint32_t i = 0; i < N; i++)
            assert_int_equal(la_conn_error(t.s, t.conn[i], NULL), LA_EBADHANDLE);
    }
    qsort(handles, ROUNDS * N, sizeof handles[0], by_value);
    for (uint32_t i = 1; i < ROUNDS * N; i++)
        assert_true(handles[i] != handles[i - 1]);
    raze(&t);
}

TEST(the_smallest_configuration_takes_16_kib_and_works)
{
    for (int v6 = 0; v6 < 2; v6++) {
        struct la_config config;

        la_config_smallest(&config);
        tell("the smallest configuration", la_bytes_needed(&config));
        assert_in_range(la_bytes_needed(&config), 1, 16384);
        config.secret[0] = 1;
        struct w2 *w = w2_new(&(struct w2_opt){ .v6 = v6, .config = { &config, &config } });
        w2_connect(w);
        w2_sound(w);
        w2_transfer(w, 0, 20000);
        w2_transfer(w, 1, 20000);
        w2_sound(w);
        w2_close(w, 0);
        assert_int_equal(w2_held(w, 0) + w2_held(w, 1), 0);
        w2_connect(w); /* once more, with what came back */
        w2_transfer(w, 1, 5000);
        w2_close(w, 1);
        assert_int_equal(w2_held(w, 0) + w2_held(w, 1), 0);
        w2_sound(w);
        w2_free(w);
    }
}

TEST_MAIN
