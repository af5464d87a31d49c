/* SPDX-License-Identifier: MIT */
/*
 * init.c - The arena: how large it must be, and how it is laid out.
 *
 * Each table is one contiguous range sized by its cap, and is touched only as far as it was
 * ever used, so a large configuration in a reserved mapping commits a few pages.  Tables
 * of a page and more begin on a page of their own, so that trimming one never touches
 * another; smaller ones are packed, so that the smallest stack fits 16 KiB.
 */
#include "core/base/checksum.h"
#include "core/base/poison.h"
#include "core/stack/stack.h"

#define PAGE 4096u
#define LINE 64u
#define PORT_ROWS_FROM 8192u /* records, from which on walking them all is too much for a bind() */

void la_config_default(struct la_config *config)
{
    *config = (struct la_config){
        .connections = 65536,
        .listeners = 256,
        .half_open_v4 = 16384,
        .half_open_v6 = 16384,
        .short_v4 = 131072,
        .short_v6 = 131072,
        .chunks = 4096,
        .chunk_bytes = 4096,
        .reserve_chunks = 64,
        .reply_slots = 256,
        .port_maps = 64,
        .cause_records = 256,
        .shards = 1,
    };
}

void la_config_smallest(struct la_config *config)
{
    *config = (struct la_config){
        .connections = 2,
        .listeners = 1,
        .half_open_v4 = 1,
        .half_open_v6 = 1,
        .short_v4 = 2,
        .short_v6 = 2,
        .chunks = 4,
        .chunk_bytes = 512,
        .reserve_chunks = 1,
        .reply_slots = 4,
        .shards = 1,
    };
}

static bool in_range(const struct la_config *c)
{
    const uint32_t slots[] = { c->connections, c->listeners, c->half_open_v4, c->half_open_v6,
                               c->short_v4,    c->short_v6,  c->chunks,       c->reply_slots };

    for (uint32_t i = 0; i < LA_COUNT_OF(slots); i++)
        if (slots[i] == 0 || slots[i] > LA_SLOTS_MAX)
            return false;
    if (c->chunk_bytes < LA_CHUNK_BYTES_MIN || c->chunk_bytes > LA_CHUNK_BYTES_MAX)
        return false;
    if ((c->chunk_bytes & (c->chunk_bytes - 1)) != 0 || c->reserve_chunks >= c->chunks)
        return false;
    if (c->cause_records > LA_CAUSES_MAX)
        return false;
    if (c->trace_records > LA_SLOTS_MAX || c->reply_slots > 65536)
        return false;
    if (c->port_maps > LA_PORT_MAPS_MAX)
        return false;
    return c->shards > 0 && c->shard < c->shards;
}

static uint64_t place(struct layout *l, uint64_t count, uint64_t item_bytes)
{
    const uint64_t bytes = count * item_bytes;
    const uint64_t align = bytes >= PAGE ? PAGE : LINE;
    const uint64_t at = (l->bytes + align - 1) & ~(align - 1);

    l->bytes = at + bytes;
    return at;
}

bool stack_layout(const struct la_config *c, struct layout *out)
{
    uint64_t entries;

    if (!in_range(c))
        return false;
    entries =
        (uint64_t)c->connections + c->half_open_v4 + c->half_open_v6 + c->short_v4 + c->short_v6;
    if (entries > LA_SLOTS_MAX)
        return false;
    *out = (struct layout){ .bytes = sizeof(struct la_stack) };
    out->listeners = place(out, c->listeners, sizeof(struct tcp_listener));
    out->replies = place(out, c->reply_slots, sizeof(struct tcp_reply));
    out->nodes = place(out, c->connections, sizeof(struct wheel_node));
    out->conns = place(out, c->connections, sizeof(struct tcp_conn));
    out->half4 = place(out, c->half_open_v4, TCP_HALF4_BYTES);
    out->half6 = place(out, c->half_open_v6, TCP_HALF6_BYTES);
    out->short4 = place(out, c->short_v4, TCP_SHORT4_BYTES);
    out->short6 = place(out, c->short_v6, TCP_SHORT6_BYTES);
    out->index = place(out, 1, index_bytes((uint32_t)entries));
    out->chunks = place(out, c->chunks, c->chunk_bytes);
    out->port_maps = place(out, c->port_maps, sizeof(struct tcp_port_map));
    out->port_row_count = entries < PORT_ROWS_FROM ? 0 : 2 * 65536;
    out->port_rows = place(out, out->port_row_count, sizeof(struct tcp_port_row));
    out->causes = place(out, c->cause_records, sizeof(struct la_cause));
    out->trace = place(out, c->trace_records, sizeof(struct la_trace));
    out->bytes = (out->bytes + LINE - 1) & ~(uint64_t)(LINE - 1);
    return true;
}

uint64_t la_bytes_needed(const struct la_config *config)
{
    struct layout l;
    return stack_layout(config, &l) ? l.bytes : 0;
}

static void init_env(struct la_stack *s, const struct la_config *c, const struct layout *l,
                     la_time now)
{
    struct env *e = &s->tcp.env;

    e->now = now;
    e->cpu_features = c->cpu_features;
    chunks_init(&e->chunks, l->chunks, c->chunk_bytes, c->chunks, c->reserve_chunks);
#define LA_KNOB(field, name, value, min, max, text) e->knobs.field = value;
#include <lastack/knobs.def>
#undef LA_KNOB
    e->knobs.max_tw_buckets = c->short_v4 + c->short_v6;
    e->knobs.max_orphans = c->connections;
    e->trace.offset = l->trace;
    e->trace.cap = c->trace_records;
    e->causes.offset = l->causes;
    e->causes.cap = c->cause_records;
}

static void init_tables(struct tcp *t, const struct la_config *c, const struct layout *l)
{
    const uint32_t entries =
        c->connections + c->half_open_v4 + c->half_open_v6 + c->short_v4 + c->short_v6;

    slab_init(&t->conns, l->conns, sizeof(struct tcp_conn), c->connections);
    slab_init(&t->listeners, l->listeners, sizeof(struct tcp_listener), c->listeners);
    slab_init(&t->half4, l->half4, TCP_HALF4_BYTES, c->half_open_v4);
    slab_init(&t->half6, l->half6, TCP_HALF6_BYTES, c->half_open_v6);
    slab_init(&t->short4, l->short4, TCP_SHORT4_BYTES, c->short_v4);
    slab_init(&t->short6, l->short6, TCP_SHORT6_BYTES, c->short_v6);
    slab_init(&t->port_maps, l->port_maps, sizeof(struct tcp_port_map), c->port_maps);
    t->port_rows.offset = l->port_rows;
    t->port_rows.count = l->port_row_count;
    index_init(&t->index, l->index, entries);
    wheel_init(&t->wheel, l->nodes, sizeof(struct wheel_node), t->env.now);
    t->replies.offset = l->replies;
    t->replies.cap = c->reply_slots;
}

/* What TCP needs to know of an interface: the MTU, and the MSS that follows (MUST-67, SHLD-6). */
static void tell_tcp(struct la_stack *s, int iface)
{
    const uint32_t mtu = s->ip.ifaces[iface].mtu_bytes;

    s->tcp.iface_mtu[iface] = mtu;
    s->tcp.pmtu.epoch++; /* connections look again */
    s->tcp.iface_gso[iface] = s->ip.ifaces[iface].gso_max_bytes;
    s->tcp.iface_sums[iface] = (s->ip.ifaces[iface].flags & LA_IFACE_CSUM_TX) == 0 &&
                               (s->tcp.env.cpu_features & checksum_vector_feature()) != 0;
    s->tcp.iface_mss[iface][0] = (uint16_t)(mtu - IP4_HEADER_BYTES - TCP_HEADER_BYTES);
    s->tcp.iface_mss[iface][1] = (uint16_t)(mtu - IP6_HEADER_BYTES - TCP_HEADER_BYTES);
}

enum la_err la_init(void *mem, uint64_t bytes, const struct la_config *config, la_time now,
                    struct la_stack **out)
{
    struct layout l;
    struct la_stack *s = mem;
    uint8_t any = 0;

    for (uint32_t i = 0; i < sizeof(config->secret); i++)
        any |= config->secret[i];
    if (mem == NULL || (uintptr_t)mem % LINE != 0 || any == 0 || !stack_layout(config, &l))
        return LA_EINVAL;
    if (bytes < l.bytes)
        return LA_ENOMEM;
    poison_clear(mem, l.bytes); /* of a stack that was here before */
    memset(s, 0, sizeof(*s));
    s->bytes = l.bytes;
    init_env(s, config, &l, now);
    init_tables(&s->tcp, config, &l);
    tcp_init(&s->tcp, config);
    ip_init(&s->ip, now, chunks_payload(&s->tcp.env.chunks));
    s->loop.head = s->loop.tail = SLAB_NONE;
    tell_tcp(s, IP_LOOPBACK);
    *out = s;
    return LA_OK;
}

int la_iface_add(struct la_stack *s, const struct la_iface_config *config)
{
    int iface;

    stack_enter(s, s->tcp.env.now);
    iface = ip_iface_add(&s->ip, config);
    if (iface >= 0)
        tell_tcp(s, iface);
    stack_leave(s);
    return iface;
}

enum la_err la_iface_set_mtu(struct la_stack *s, int iface, uint32_t mtu_bytes)
{
    enum la_err err;

    stack_enter(s, s->tcp.env.now);
    err = ip_iface_set_mtu(&s->ip, iface, mtu_bytes);
    if (err == LA_OK)
        tell_tcp(s, iface);
    stack_leave(s);
    return err;
}

enum la_err la_addr_add(struct la_stack *s, int iface, struct la_prefix prefix, uint32_t flags)
{
    return ip_addr_add(&s->ip, iface, prefix, flags);
}

bool la_addr_is_local(const struct la_stack *s, struct la_addr addr)
{
    return ip_is_local(&s->ip, addr);
}

enum la_err la_addr_del(struct la_stack *s, int iface, struct la_prefix prefix)
{
    return ip_addr_del(&s->ip, iface, prefix);
}

enum la_err la_route_add(struct la_stack *s, struct la_prefix prefix, int iface)
{
    return ip_route_add(&s->ip, prefix, iface);
}

enum la_err la_route_del(struct la_stack *s, struct la_prefix prefix, int iface)
{
    return ip_route_del(&s->ip, prefix, iface);
}
