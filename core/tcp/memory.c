/* SPDX-License-Identifier: MIT */
/*
 * memory.c - Pressure on the pool of chunks: net.ipv4.tcp_mem, three numbers of pages.
 *
 * Above the second number the stack is under pressure until it falls below the first; the third
 * is the most that what can wait may use.  What is done, in this order:
 *
 *   under pressure   windows grow no further than four segments (they never shrink)
 *   above the third  text out of order is not kept, and what a connection that sends such text holds
 *                    of it is given back (OfoPruned); new connections are answered with cookies, or not
 *                    at all; an orphan with text to send is reset at its next timer (TCPAbortOnMemory)
 *
 * Below all of that lies the pool's own reserve: the next byte in order always has a chunk, and an
 * ACK or a reset needs none, so whatever holds the memory can always be made to give it back.
 *
 * Looked at once a burst and once a tick; no connection is visited.
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
