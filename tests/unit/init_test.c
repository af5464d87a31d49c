/* SPDX-License-Identifier: MIT */
/* init_test.c - Configurations, the layout of an arena, interfaces and addresses. */
#include "tests/unit/base_test.h"

#include "core/stack/stack.h"

static struct la_config good(void)
{
    struct la_config c;

    la_config_smallest(&c);
    c.secret[7] = 1;
    return c;
}

static uint8_t *room(uint64_t bytes)
{
    return arena_map(bytes);
}

TEST(the_ready_made_configurations_are_in_range_and_lack_a_secret)
{
    struct la_config c;
    struct la_stack *s;

    la_config_default(&c);
    assert_int_equal(c.connections, 65536);
    const uint64_t bytes = la_bytes_needed(&c);
    assert_true(bytes > 0);
    uint8_t *mem = room(bytes);
    assert_int_equal(la_init(mem, bytes, &c, (la_time){ 0 }, &s), LA_EINVAL);
    c.secret[0] = 1;
    assert_int_equal(la_init(mem, bytes, &c, (la_time){ 0 }, &s), LA_OK);
    assert_null(la_check(s));
    arena_unmap(mem, bytes);
    la_config_smallest(&c);
    assert_int_equal(c.connections, 2);
    assert_in_range(la_bytes_needed(&c), 1, 16384);
}

static void no_connections(struct la_config *c)
{
    c->connections = 0;
}
static void no_listeners(struct la_config *c)
{
    c->listeners = 0;
}
static void no_half(struct la_config *c)
{
    c->half_open_v6 = 0;
}
static void no_short(struct la_config *c)
{
    c->short_v4 = 0;
}
static void no_chunks(struct la_config *c)
{
    c->chunks = 0;
}
static void no_replies(struct la_config *c)
{
    c->reply_slots = 0;
}
static void too_many(struct la_config *c)
{
    c->connections = LA_SLOTS_MAX + 1;
}
static void too_many_together(struct la_config *c)
{
    c->connections = c->short_v4 = LA_SLOTS_MAX / 2 + 1;
}
static void chunk_small(struct la_config *c)
{
    c->chunk_bytes = 256;
}
static void chunk_large(struct la_config *c)
{
    c->chunk_bytes = 32768;
}
static void chunk_odd(struct la_config *c)
{
    c->chunk_bytes = 1000;
}
static void all_reserve(struct la_config *c)
{
    c->reserve_chunks = c->chunks;
}
static void many_replies(struct la_config *c)
{
    c->reply_slots = 65537;
}
static void no_shards(struct la_config *c)
{
    c->shards = 0;
}
static void shard_beyond(struct la_config *c)
{
    c->shards = c->shard = 3;
}
static void many_traces(struct la_config *c)
{
    c->trace_records = LA_SLOTS_MAX + 1;
}
static void many_causes(struct la_config *c)
{
    c->cause_records = LA_CAUSES_MAX + 1;
}
static void many_maps(struct la_config *c)
{
    c->port_maps = LA_PORT_MAPS_MAX + 1;
}

TEST(a_configuration_out_of_range_needs_no_bytes_and_makes_no_stack)
{
    static void (*const spoil[])(struct la_config *) = {
        no_connections, no_listeners,      no_half,      no_short,    no_chunks,   no_replies,
        too_many,       too_many_together, chunk_small,  chunk_large, chunk_odd,   all_reserve,
        many_replies,   no_shards,         shard_beyond, many_traces, many_causes, many_maps,
    };
    uint8_t *mem = room(1 << 20);
    struct la_stack *s;

    for (uint32_t i = 0; i < LA_COUNT_OF(spoil); i++) {
        struct la_config c = good();

        assert_true(la_bytes_needed(&c) > 0);
        spoil[i](&c);
        if (la_bytes_needed(&c) != 0)
            fail_msg("configuration %u has a size", i);
        assert_int_equal(la_init(mem, 1 << 20, &c, (la_time){ 0 }, &s), LA_EINVAL);
    }
    arena_unmap(mem, 1 << 20);
}

TEST(memory_that_is_missing_misaligned_or_too_small_is_refused)
{
    const struct la_config c = good();
    const uint64_t need = la_bytes_needed(&c);
    uint8_t *mem = room(1 << 20);
    struct la_stack *s = NULL;

    assert_int_equal(la_init(NULL, need, &c, (la_time){ 0 }, &s), LA_EINVAL);
    assert_int_equal(la_init(mem + 32, need, &c, (la_time){ 0 }, &s), LA_EINVAL);
    assert_int_equal(la_init(mem, need - 1, &c, (la_time){ 0 }, &s), LA_ENOMEM);
    assert_null(s);
    assert_int_equal(la_init(mem + 64, need, &c, (la_time){ 5 }, &s), LA_OK);
    assert_ptr_equal(s, mem + 64);
    assert_int_equal(la_now(s).ns, 5);
    arena_unmap(mem, 1 << 20);
}

TEST(nothing_is_written_beyond_the_bytes_that_were_asked_for)
{
    for (uint32_t i = 1; i < 40; i++) {
        struct la_config c = good();

        c.connections = i;
        c.listeners = 1 + i % 3;
        c.short_v4 = i * 3;
        c.trace_records = i % 5;
        c.reply_slots = i;
        const uint64_t need = la_bytes_needed(&c);
        uint8_t *mem = room(1 << 20);
        struct la_stack *s;
        memset(mem + need, 0xa5, (1 << 20) - need);
        assert_int_equal(la_init(mem, need, &c, (la_time){ 0 }, &s), LA_OK);
        assert_null(la_check(s));
        for (uint64_t b = need; b < need + 4096; b++)
            assert_int_equal(mem[b], 0xa5);
        arena_unmap(mem, 1 << 20);
    }
}

TEST(tables_of_the_layout_do_not_overlap_and_large_ones_begin_on_a_page)
{
    struct la_config c;
    struct layout l;

    la_config_default(&c);
    assert_true(stack_layout(&c, &l));
    const uint64_t at[] = { l.listeners, l.replies, l.nodes, l.conns,  l.half4, l.half6,
                            l.short4,    l.short6,  l.index, l.chunks, l.bytes };
    const uint64_t size[] = { (uint64_t)c.listeners * sizeof(struct tcp_listener),
                              (uint64_t)c.reply_slots * sizeof(struct tcp_reply),
                              (uint64_t)c.connections * sizeof(struct wheel_node),
                              (uint64_t)c.connections * sizeof(struct tcp_conn),
                              (uint64_t)c.half_open_v4 * TCP_HALF4_BYTES,
                              (uint64_t)c.half_open_v6 * TCP_HALF6_BYTES,
                              (uint64_t)c.short_v4 * TCP_SHORT4_BYTES,
                              (uint64_t)c.short_v6 * TCP_SHORT6_BYTES,
                              0,
                              (uint64_t)c.chunks * c.chunk_bytes };
    assert_true(at[0] >= sizeof(struct la_stack));
    for (uint32_t i = 0; i < LA_COUNT_OF(size); i++) {
        assert_true(at[i] + size[i] <= at[i + 1]);
        assert_int_equal(at[i] % (size[i] >= 4096 ? 4096 : 64), 0);
    }
}

TEST(an_interface_tells_tcp_its_mtu_and_the_mss_that_follows)
{
    const struct la_config c = good();
    uint8_t *mem = room(1 << 20);
    struct la_stack *s;

    assert_int_equal(la_init(mem, 1 << 20, &c, (la_time){ 0 }, &s), LA_OK);
    assert_int_equal(la_iface_add(s, &(struct la_iface_config){ .mtu_bytes = 575 }), LA_EINVAL);
    assert_int_equal(la_iface_add(s, &(struct la_iface_config){ .mtu_bytes = 65536 }), LA_EINVAL);
    assert_int_equal(la_iface_add(s, &(struct la_iface_config){ .mtu_bytes = 1500 }), 0);
    assert_int_equal(s->tcp.iface_mss[0][0], 1460);
    assert_int_equal(s->tcp.iface_mss[0][1], 1440);
    assert_int_equal(la_iface_set_mtu(s, 0, 9000), LA_OK);
    assert_int_equal(s->tcp.iface_mtu[0], 9000);
    assert_int_equal(s->tcp.iface_mss[0][0], 8960);
    assert_int_equal(la_iface_set_mtu(s, 0, 100), LA_EINVAL);
    assert_int_equal(s->tcp.iface_mtu[0], 9000);
    assert_int_equal(la_iface_set_mtu(s, 1, 1500), LA_EINVAL);
    for (int i = 1; i < LA_IFACES_MAX; i++)
        assert_int_equal(la_iface_add(s, &(struct la_iface_config){ .mtu_bytes = 1500 }), i);
    assert_int_equal(la_iface_add(s, &(struct la_iface_config){ .mtu_bytes = 1500 }), LA_ENOBUFS);
    arena_unmap(mem, 1 << 20);
}

TEST(addresses_and_routes_come_and_go)
{
    const struct la_config c = good();
    uint8_t *mem = room(1 << 20);
    struct la_stack *s;
    struct la_prefix ours, net;

    assert_true(la_prefix_parse("10.0.0.1/24", true, &ours));
    assert_true(la_prefix_parse("192.0.2.0/24", false, &net));
    assert_int_equal(la_init(mem, 1 << 20, &c, (la_time){ 0 }, &s), LA_OK);
    assert_int_equal(la_addr_add(s, 0, ours, 0), LA_EINVAL); /* no such interface */
    assert_int_equal(la_iface_add(s, &(struct la_iface_config){ .mtu_bytes = 1500 }), 0);
    assert_int_equal(la_addr_add(s, 0, ours, 0), LA_OK);
    assert_int_equal(la_addr_add(s, 0, ours, 0), LA_EADDRINUSE);
    assert_true(la_addr_is_local(s, ours.addr));
    assert_int_equal(la_route_add(s, net, 0), LA_OK);
    assert_int_equal(la_route_del(s, net, 0), LA_OK);
    assert_int_equal(la_route_del(s, net, 0), LA_ENOENT);
    assert_int_equal(la_addr_del(s, 0, ours), LA_OK);
    assert_int_equal(la_addr_del(s, 0, ours), LA_ENOENT);
    assert_false(la_addr_is_local(s, ours.addr));
    arena_unmap(mem, 1 << 20);
}

TEST_MAIN
