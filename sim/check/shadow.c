/* SPDX-License-Identifier: MIT */
/*
 * shadow.c - See shadow.h.
 *
 * The clone's memory is kept from call to call.  A stack takes what lies beyond its used ranges to
 * be zero, so they are zeroed again when the clone has served.
 */
#include "sim/check/shadow.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/stack/stack.h"
#include "sim/memory.h"

static struct {
    uint8_t *bytes;
    void *base;
    uint64_t room;
} spare;

static char said[160];

/* A table of the arena, for the message. */
struct table {
    const char *name;
    uint64_t offset, item_bytes;
};

static void name_place(const struct la_stack *s, uint64_t at)
{
    const struct tcp *t = &s->tcp;
    const struct table tables[] = {
        { "the stack itself", 0, sizeof(*s) },
        { "listener", t->listeners.offset, t->listeners.item_bytes },
        { "reply", t->replies.offset, sizeof(struct tcp_reply) },
        { "timer node", t->wheel.base_offset, t->wheel.stride },
        { "connection", t->conns.offset, t->conns.item_bytes },
        { "half-open record of IPv4", t->half4.offset, t->half4.item_bytes },
        { "half-open record of IPv6", t->half6.offset, t->half6.item_bytes },
        { "short record of IPv4", t->short4.offset, t->short4.item_bytes },
        { "short record of IPv6", t->short6.offset, t->short6.item_bytes },
        { "bucket", t->index.offset, 64 },
        { "chunk", t->env.chunks.slab.offset, t->env.chunks.slab.item_bytes },
        { "trace record", t->env.trace.offset, sizeof(struct la_trace) },
    };
    const struct table *in = &tables[0];

    for (uint32_t i = 1; i < LA_COUNT_OF(tables); i++)
        if (tables[i].offset <= at && tables[i].offset >= in->offset && tables[i].offset > 0)
            in = &tables[i];
    snprintf(said, sizeof(said),
             "with and without the fast path, %s %llu differs from its byte %llu on", in->name,
             (unsigned long long)((at - in->offset) / in->item_bytes),
             (unsigned long long)((at - in->offset) % in->item_bytes));
}

static bool same_bytes(const struct la_stack *a, const struct la_stack *b, uint64_t at,
                       uint64_t len)
{
    const uint8_t *x = (const uint8_t *)a + at;
    const uint8_t *y = (const uint8_t *)b + at;

    if (memcmp(x, y, (size_t)len) == 0)
        return true;
    while (*x == *y) {
        x++;
        y++;
        at++;
    }
    name_place(a, at);
    return false;
}

/* Chunks: the header of each, and the text of those that are live. */
static bool same_chunks(const struct la_stack *a, const struct la_stack *b)
{
    const struct slab *pool = &a->tcp.env.chunks.slab;

    for (uint32_t i = 0; i < pool->high; i++) {
        const struct chunk *c = chunk_at(&a->tcp.env.chunks, a, i);
        const uint64_t at = pool->offset + (uint64_t)i * pool->item_bytes;
        const bool live = slab_live(pool, a, i);

        if (!same_bytes(a, b, at, live ? sizeof(*c) : sizeof(c->slot)))
            return false;
        if (live && !same_bytes(a, b, at + sizeof(*c) + c->start, c->len))
            return false;
    }
    return true;
}

/* But for the ring of ICMP's answers: its slots have gaps, and no TCP segment writes there. */
static bool same_stack(const struct la_stack *a, const struct la_stack *b)
{
    const uint64_t ring = offsetof(struct la_stack, ip.replies);
    const uint64_t behind = ring + sizeof(a->ip.replies);

    return same_bytes(a, b, 0, ring) && same_bytes(a, b, behind, sizeof(*a) - behind);
}

static const char *compare(const struct la_stack *a, const struct la_stack *b)
{
    struct la_extent x[LA_EXTENTS_MAX], y[LA_EXTENTS_MAX];
    const uint32_t n = la_extents(a, x);

    if (!same_stack(a, b))
        return said;
    if (la_extents(b, y) != n || memcmp(x, y, n * sizeof(x[0])) != 0)
        return "with and without the fast path, the used ranges of the arena differ";
    for (uint32_t i = 1; i < n; i++) { /* the first is the stack */
        const bool chunks = x[i].offset_bytes == a->tcp.env.chunks.slab.offset;

        if (chunks ? !same_chunks(a, b) : !same_bytes(a, b, x[i].offset_bytes, x[i].len_bytes))
            return said;
    }
    return NULL;
}

static struct la_stack *clone(const struct la_stack *s)
{
    struct la_stack *out;

    if (spare.room < s->bytes) {
        sim_release(spare.base);
        spare.bytes = sim_take_arena(s->bytes, &spare.base);
        spare.room = s->bytes;
    }
    return la_clone(s, spare.bytes, spare.room, &out) == LA_OK ? out : NULL;
}

static void wipe(struct la_stack *s)
{
    struct la_extent used[LA_EXTENTS_MAX];
    const uint32_t n = la_extents(s, used);

    for (uint32_t i = n; i > 0; i--)
        memset(spare.bytes + used[i - 1].offset_bytes, 0, (size_t)used[i - 1].len_bytes);
}

const char *shadow_rx(struct la_stack *s, la_time now, const struct la_frame *frames,
                      uint32_t count, shadow_rx_fn *other)
{
    struct la_stack *twin = clone(s);
    const char *differ;

    la_rx(s, now, frames, count);
    if (twin == NULL)
        return NULL; /* what la_clone() refuses: a driver reads the arena meanwhile */
    other(twin, now, frames, count);
    differ = compare(s, twin);
    stack_hide(s);
    wipe(twin);
    return differ;
}

void shadow_rx_or_panic(struct la_stack *s, la_time now, const struct la_frame *frames,
                        uint32_t count)
{
    const char *differ = shadow_rx(s, now, frames, count, nofast_la_rx);

    if (differ != NULL)
        la_panic(__FILE__, __LINE__, differ);
}
