/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "core/stack/stack.h"
#include "tests/unit/test.h"

#define MEM_BYTES (UINT64_C(64) << 20)

struct own {
    struct la_stack *s;
    void *mem;
    la_time now;
    struct la_addr addr;
    uint32_t taken; /* descriptors that left the stack */
};

static struct own own_new(bool v6, const struct la_config *other)
{
    struct la_config config;
    struct own o = { .now = { UINT64_C(1000000000) } };

    la_config_default(&config);
    config.connections = 64;
    config.short_v4 = config.short_v6 = 64;
    config.half_open_v4 = config.half_open_v6 = 64;
    if (other != NULL)
        config = *other;
    memset(config.secret, 7, sizeof config.secret);
    o.mem = aligned_alloc(4096, MEM_BYTES);
    assert_non_null(o.mem);
    memset(o.mem, 0, MEM_BYTES);
    assert_true(la_bytes_needed(&config) <= MEM_BYTES);
    assert_int_equal(la_init(o.mem, MEM_BYTES, &config, o.now, &o.s), LA_OK);
    assert_int_equal(
        la_iface_add(o.s, &(struct la_iface_config){ .mtu_bytes = 1500, .gso_max_bytes = 60000 }),
        0);
    o.addr = la_addr_v4(10, 0, 0, 1);
    if (v6)
        assert_true(la_addr_parse("2001:db8::1", &o.addr));
    assert_int_equal(
        la_addr_add(o.s, 0, (struct la_prefix){ .addr = o.addr, .len = v6 ? 64 : 120 }, 0), LA_OK);
    return o;
}

static void own_free(struct own *o)
{
    assert_null(la_check(o->s));
    free(o->mem);
}

/* Turns of a loop until nothing is due at this moment. */
static void settle(struct own *o)
{
    struct la_tx out[8];

    for (uint32_t turn = 0; turn < 10000; turn++) {
        uint32_t n;

        while ((n = la_tx(o->s, o->now, out, 8)) > 0)
            o->taken += n;
        assert_null(la_check(o->s));
        if (la_deadline(o->s).ns > o->now.ns)
            return;
        (void)la_tick(o->s, o->now, 64);
    }
    fail_msg("it does not come to rest");
}

static void pass(struct own *o, uint64_t ns)
{
    const uint64_t end = o->now.ns + ns;

    settle(o);
    while (la_deadline(o->s).ns <= end) {
        o->now.ns = la_deadline(o->s).ns > o->now.ns ? la_deadline(o->s).ns : o->now.ns;
        (void)la_tick(o->s, o->now, 64);
        settle(o);
    }
    o->now.ns = end;
}

static enum la_state state_of(const struct own *o, la_conn_id id)
{
    struct la_conn_info info;

    return la_conn_info(o->s, id, &info) == LA_OK ? info.state : LA_CLOSED;
}

static la_conn_id connect_own(struct own *o, uint16_t from, uint16_t to)
{
    la_conn_id id;

    assert_int_equal(la_open(o->s, o->now, (struct la_endpoint){ .addr = o->addr, .port = from },
                             (struct la_endpoint){ .addr = o->addr, .port = to }, 1, &id),
                     LA_OK);
    return id;
}

static void transfer_of(bool v6, const struct la_config *config, uint32_t bytes)
{
    struct own o = own_new(v6, config);
    const struct la_listen_config listen = { .local = la_prefix_any(), .port = 80, .backlog = 5 };
    static uint8_t buf[65536];
    struct la_accepted accepted;
    la_listener_id l;
    uint32_t sent = 0, got = 0;

    assert_int_equal(la_listen(o.s, o.now, &listen, &l), LA_OK);
    const la_conn_id client = connect_own(&o, 0, 80);
    settle(&o);
    assert_int_equal(state_of(&o, client), LA_ESTABLISHED);
    assert_int_equal(la_accept(o.s, o.now, l, 2, &accepted), LA_OK);
    for (uint32_t turn = 0; got < bytes && turn < 100000; turn++) {
        uint8_t text[1000];
        const uint32_t n = bytes - sent < sizeof text ? bytes - sent : (uint32_t)sizeof text;

        for (uint32_t i = 0; i < n; i++)
            text[i] = (uint8_t)((sent + i) * 7 >> 3);
        const int64_t k = n > 0 ? la_send(o.s, o.now, client, text, n, 0) : 0;
        sent += k > 0 ? (uint32_t)k : 0;
        if (k <= 0)
            pass(&o, 1000000);
        settle(&o);
        const int64_t r = la_recv(o.s, o.now, accepted.conn, buf, sizeof buf);
        for (int64_t i = 0; i < r; i++)
            assert_int_equal(buf[i], (uint8_t)((got + (uint32_t)i) * 7 >> 3));
        got += r > 0 ? (uint32_t)r : 0;
    }
    assert_int_equal(got, bytes);
    assert_int_equal(la_close(o.s, o.now, client), LA_OK);
    settle(&o);
    assert_int_equal(la_recv(o.s, o.now, accepted.conn, buf, 1), 0);
    assert_int_equal(la_close(o.s, o.now, accepted.conn), LA_OK);
    pass(&o, UINT64_C(61000000000));
    assert_int_equal(la_table_use(o.s, LA_TABLE_CONNECTIONS).used, 0);
    assert_int_equal(la_table_use(o.s, LA_TABLE_CHUNKS).used, 0);
    assert_int_equal(o.taken, 0);
    own_free(&o);
}

TEST(a_client_and_a_server_of_one_stack_speak_and_nothing_leaves_it)
{
    transfer_of(false, NULL, 1000000);
    transfer_of(true, NULL, 1000000);
}

TEST(a_stack_of_few_chunks_speaks_to_itself_all_the_same)
{
    struct la_config config;

    la_config_default(&config);
    config.connections = config.half_open_v4 = config.half_open_v6 = 64;
    config.short_v4 = config.short_v6 = 64;
    config.chunks = 64;
    config.chunk_bytes = 2048;
    config.reserve_chunks = 4;
    transfer_of(false, &config, 200000);
}

static void connect_to_self(bool v6)
{
    struct own o = own_new(v6, NULL);
    const la_conn_id c = connect_own(&o, 5000, 5000);
    char text[8] = { 0 };

    settle(&o);
    assert_int_equal(state_of(&o, c), LA_ESTABLISHED);
    assert_int_equal(la_send(o.s, o.now, c, "echo", 4, 0), 4);
    settle(&o);
    assert_int_equal(la_recv(o.s, o.now, c, text, sizeof text), 4);
    assert_string_equal(text, "echo");
    assert_int_equal(la_close(o.s, o.now, c), LA_OK); /* both FINs are one: CLOSING */
    pass(&o, UINT64_C(61000000000));
    assert_int_equal(la_table_use(o.s, LA_TABLE_CONNECTIONS).used, 0);
    assert_int_equal(la_table_use(o.s, LA_TABLE_SHORT_V4).used, 0);
    assert_int_equal(la_table_use(o.s, LA_TABLE_SHORT_V6).used, 0);
    assert_int_equal(o.taken, 0);
    own_free(&o);
}

TEST(a_port_that_connects_to_itself_is_a_simultaneous_open)
{
    connect_to_self(false);
    connect_to_self(true);
}

TEST(nobody_listens_on_an_own_address_and_the_answer_is_a_reset)
{
    struct own o = own_new(false, NULL);
    const la_conn_id c = connect_own(&o, 0, 81);

    settle(&o);
    assert_int_equal(la_conn_error(o.s, c, NULL), LA_ECONNREFUSED);
    assert_int_equal(la_close(o.s, o.now, c), LA_OK);
    own_free(&o);
}

TEST(a_ping_to_an_own_address_is_answered)
{
    struct own o = own_new(false, NULL);
    struct la_ping_reply reply[2];

    assert_int_equal(la_ping_send(o.s, o.now, o.addr, 3, 4, "abc", 3), LA_OK);
    settle(&o);
    assert_int_equal(la_ping_read(o.s, reply, 2), 1);
    assert_int_equal(o.taken, 0);
    own_free(&o);
}

TEST(from_a_wire_an_own_address_as_the_source_is_still_refused)
{
    struct own o = own_new(false, NULL);
    /* A SYN from 10.0.0.1 port 80 to the same; its checksums are right. */
    const uint8_t land[40] = { 0x45, 0, 0, 40, 0,  0, 0, 0, 64,   6,  0x66, 0xcf,
                               10,   0, 0, 1,  10, 0, 0, 1, 0,    80, 0,    80,
                               0,    0, 0, 1,  0,  0, 0, 0, 0x50, 2,  4,    0 };
    const struct la_frame frame = { .bytes = land, .len_bytes = 40, .flags = LA_FRAME_CSUM_OK };

    la_rx(o.s, o.now, &frame, 1);
    assert_int_equal(la_drops(o.s, LA_DROP_IP_SOURCE), 1);
    own_free(&o);
}

TEST(packets_to_ourselves_are_bounded_and_what_does_not_fit_is_counted)
{
    struct own o = own_new(false, NULL);
    const struct la_tx packet = { .iface = IP_LOOPBACK, .len_bytes = 20, .header_len = 20 };
    struct la_tx out[8];

    for (uint32_t i = 0; i < LA_LOOPBACK_PACKETS_MAX / 8 + 1; i++) {
        for (uint32_t k = 0; k < 8; k++)
            out[k] = packet;
        assert_int_equal(loopback_divert(o.s, out, 8), 0);
    }
    assert_int_equal(o.s->loop.count, LA_LOOPBACK_PACKETS_MAX);
    assert_int_equal(la_drops(o.s, LA_DROP_LOOPBACK_FULL), 8);
    assert_int_equal(la_deadline(o.s).ns, o.now.ns);
    own_free(&o);
}

TEST(a_list_of_packets_to_ourselves_that_is_broken_is_not_called_whole)
{
    struct own o = own_new(false, NULL);
    struct la_tx out[2] = {
        { .iface = IP_LOOPBACK, .len_bytes = 20, .header_len = 20 },
        { .iface = 0, .len_bytes = 20, .header_len = 20 },
    };

    assert_int_equal(loopback_divert(o.s, out, 2), 1); /* what goes out goes out */
    assert_int_equal(out[0].iface, 0);
    out[0].iface = IP_LOOPBACK;
    assert_int_equal(loopback_divert(o.s, out, 1), 0);
    assert_null(loopback_check(o.s));
    o.s->loop.count = 1;
    assert_non_null(loopback_check(o.s));
    o.s->loop.count = 3;
    assert_non_null(loopback_check(o.s));
    o.s->loop.count = 2;
    const uint32_t tail = o.s->loop.tail;
    o.s->loop.tail = o.s->loop.head;
    assert_non_null(loopback_check(o.s));
    o.s->loop.tail = tail;
    assert_null(loopback_check(o.s));
    own_free(&o);
}

TEST_MAIN
