/* SPDX-License-Identifier: MIT */
/* setup.c - The TCP part of a stack: first values, ticks and the next deadline. */
#include "core/tcp/tcp.h"

void tcp_init(struct tcp *t, const struct la_config *config)
{
    for (uint32_t i = 0; i < TCP_HALF_CLASSES; i++)
        t->half_class[i] = (struct tcp_fifo){ .head = TCP_REF_NONE, .tail = TCP_REF_NONE };
    for (uint32_t i = 0; i < TCP_SHORT_CLASSES; i++)
        t->short_class[i].fifo = (struct tcp_fifo){ .head = TCP_REF_NONE, .tail = TCP_REF_NONE };
    t->half_due.at = t->short_due.at = LA_TIME_NEVER;
    for (uint32_t i = 0; i < TCP_LISTEN_BUCKETS; i++)
        t->listen_bucket[i] = SLAB_NONE;
    t->tx_head = t->tx_tail = SLAB_NONE;
    t->ready_head = t->ready_tail = SLAB_NONE;
    t->ready_listener_head = t->ready_listener_tail = SLAB_NONE;
    t->starved_head = t->starved_tail = SLAB_NONE;
    t->pmtu.next = LA_TIME_NEVER;
    memory_init(t);
    t->key_isn = siphash_subkey(config->secret, 1);
    t->key_port = siphash_subkey(config->secret, 3);
    t->key_index = siphash_subkey(config->secret, 4);
    t->key_cookie = siphash_subkey(config->secret, 5);
    for (uint32_t i = 0; i < TCP_PORT_TABLE; i++) /* RFC 6056 3.3.4: at random to begin with */
        t->port_table[i] = (uint32_t)siphash(&t->key_port, &i, sizeof(i));
    for (uint32_t i = 0; i < TCP_PORT_TABLE; i++)
        t->port_map_bucket[i] = SLAB_NONE;
    t->recent.hash = tcp_hash(t, &t->recent.flow); /* of no 4-tuple at all: consistent */
    t->congestion = CC_CUBIC;
    t->shards = config->shards;
    t->shard = config->shard;
}

/* Nodes of the wheel that may be looked at or moved for each timer of a budget: it has 8 levels. */
#define WORK_OF_ONE 16u

/*
 * Order: half-open, short, then the wheel by (tick, connection).  True if more may be due: what a call
 * does is bounded by its budget, however many connections a slot of the wheel holds.
 */
bool tcp_tick(struct tcp *t, uint32_t budget)
{
    uint32_t work = budget < UINT32_MAX / WORK_OF_ONE ? budget * WORK_OF_ONE : UINT32_MAX;

    memory_look(t);
    memory_relieve(t);
    for (; budget > 0; budget--) {
        uint32_t ci;

        if (half_tick(t) || short_tick(t))
            continue;
        ci = wheel_pop(&t->wheel, t, t->env.now, &work);
        if (ci == WHEEL_NONE)
            return work == 0;
        if (wheel_next_due(&t->wheel) != WHEEL_NONE)
            conn_prefetch(t, wheel_next_due(&t->wheel));
        tcp_timers_fire(t, ci);
    }
    return true;
}

la_time tcp_deadline(struct tcp *t)
{
    const la_time records = time_min(half_deadline(t), short_deadline(t));
    return time_min(records, wheel_deadline(&t->wheel, t));
}
