/* SPDX-License-Identifier: MIT */
/*
 * memory.c - Pressure on the pool of chunks: net.ipv4.tcp_mem, three numbers of pages.
 *
 * Above the second number the stack is under pressure until it falls below the first; the third
 * is the most that what can wait may use.  What is done, in this order:
 *
 *   above the first  buffers stay as large as they are (autotune.c: BUFFER_KEPT)
 *   under pressure   windows grow no further than four segments (they never shrink)
 *   above the third  text out of order is not kept, and what a connection that sends such text holds
 *                    of it is given back (OfoPruned); new connections are answered with cookies, or not
 *                    at all; an orphan with text to send is reset at its next timer (TCPAbortOnMemory);
 *                    if net.lastack.tcp_mem_reset_idle allows it, the connection that holds memory and
 *                    has stalled longest is reset, one after the other (MEMORY_STALLED)
 *
 * A TIME-WAIT holds none of this memory, so none is ended for it
 * (docs/decisions/0006-time-wait-eviction.md).
 *
 * Below all of that lies the pool's own reserve: the next byte in order always has a chunk, and an
 * ACK or a reset needs none, so whatever holds the memory can always be made to give it back.
 *
 * Looked at once a burst and once a tick; no connection is visited but by the search for the one that
 * has stalled longest, which passes SLOTS_A_TICK records a tick.
 */
#include "core/tcp/tcp.h"

#define PAGE_BYTES 4096u

static uint32_t chunks_of(const struct tcp *t, uint64_t pages)
{
    const uint64_t chunks = pages * PAGE_BYTES / t->env.chunks.slab.item_bytes;

    return chunks < UINT32_MAX ? (uint32_t)chunks : UINT32_MAX;
}

void memory_init(struct tcp *t)
{
    const uint32_t all = t->env.chunks.slab.cap;

    for (uint32_t i = 0; i < 3; i++)
        t->mem.limit[i] = (uint32_t)((uint64_t)all * (i + 1) / 4);
}

bool memory_set(struct tcp *t, const uint64_t pages[3])
{
    if (pages[0] > pages[1] || pages[1] > pages[2])
        return false;
    for (uint32_t i = 0; i < 3; i++)
        t->mem.limit[i] = chunks_of(t, pages[i]);
    memory_look(t);
    return true;
}

uint64_t memory_pages(const struct tcp *t, uint32_t i)
{
    const uint64_t bytes = (uint64_t)t->mem.limit[i] * t->env.chunks.slab.item_bytes;

    return (bytes + PAGE_BYTES - 1) / PAGE_BYTES;
}

void memory_look(struct tcp *t)
{
    const uint32_t used = t->env.chunks.slab.used;

    if (!t->mem.pressure && used > t->mem.limit[1]) {
        t->mem.pressure = true;
        t->mem.since = t->env.now;
        env_count(&t->env, LA_COUNT_TCPMemoryPressures);
    } else if (t->mem.pressure && used < t->mem.limit[0]) {
        t->mem.pressure = false;
        t->env.counters[LA_COUNT_TCPMemoryPressuresChrono] +=
            time_since(t->mem.since, t->env.now) / NS_PER_MS;
    }
}

/*
 * Text that is unread, unacknowledged, out of order, or that the peer's window keeps.  What only waits
 * to be sent - corked, paced, reserved - may be new however long the connection was idle before.
 */
static bool holds_memory(const struct tcp_conn *c)
{
    const bool sends = c->sndq.chunks > 0 && (conn_flight(c) > 0 || c->persist);

    return c->state != LA_CLOSED && (sends || c->rcvq.chunks > 0 || c->rcv.ooo != SLAB_NONE);
}

/*
 * When text last moved: came in order, or was acknowledged.  What is out of order may be new too: where
 * that is all, the peer must have been silent as long.
 */
static la_time stalled_since(const struct tcp *t, const struct tcp_conn *c)
{
    la_time since = time_max(c->opened, c->rtx_since);

    if (c->sndq.chunks == 0 && c->rcvq.chunks == 0)
        since = time_max(since, c->last_rx);
    return c->bytes_received > 0 ? time_max(since, tcp_coarse_time(t, c->rcv_text_at)) : since;
}

/* All have been passed: the one that has stalled longest, if it still does. */
static void reset_stalled(struct tcp *t)
{
    const uint32_t ci = slab_find(&t->conns, t, t->mem.stalled);

    t->mem.stalled = 0;
    if (ci == SLAB_NONE || !holds_memory(conn_at(t, ci)) ||
        !time_eq(stalled_since(t, conn_at(t, ci)), t->mem.stalled_since))
        return;
    env_count(&t->env, LA_COUNT_TCPAbortOnMemory);
    env_drop(&t->env, LA_DROP_MEMORY_STALLED);
    tcp_reset(t, ci, LA_ENOBUFS, LA_DROP_MEMORY_STALLED);
}

#define SLOTS_A_TICK 16u

void memory_relieve(struct tcp *t)
{
    const uint64_t least_ns = t->env.knobs.mem_reset_idle * NS_PER_S;

    if (least_ns == 0 || !memory_over(t))
        return;
    for (uint32_t n = 0; n < SLOTS_A_TICK && t->mem.cursor < t->conns.high; n++) {
        const uint32_t ci = t->mem.cursor++;
        la_time since;

        if (!slab_live(&t->conns, t, ci) || !holds_memory(conn_at(t, ci)))
            continue;
        since = stalled_since(t, conn_at(t, ci));
        if (time_since(since, t->env.now) < least_ns ||
            (t->mem.stalled != 0 && !time_lt(since, t->mem.stalled_since)))
            continue;
        t->mem.stalled = slab_handle(&t->conns, t, ci);
        t->mem.stalled_since = since;
    }
    if (t->mem.cursor < t->conns.high)
        return;
    t->mem.cursor = 0;
    if (t->mem.stalled != 0)
        reset_stalled(t);
}
