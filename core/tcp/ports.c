/* SPDX-License-Identifier: MIT */
/*
 * ports.c - Ephemeral ports: RFC 6056 algorithm 4, double-hash port selection.
 *
 * A keyed function of the addresses and the remote port gives an offset, a second one
 * picks a counter of its own for groups of destinations, so that the ports used towards
 * one host say little about those used towards another.  A port is free if its 4-tuple
 * stands in no record: one local port serves many destinations.  A port with a listener is
 * left alone, and of N shards each uses its own ports.
 */
#include "core/tcp/tcp.h"

static uint64_t destination_hash(const struct tcp *t, const struct tcp_flow *flow)
{
    uint8_t bytes[34];

    memcpy(bytes, flow->laddr.bytes, 16);
    memcpy(bytes + 16, flow->raddr.bytes, 16);
    bytes[32] = (uint8_t)(flow->rport >> 8);
    bytes[33] = (uint8_t)flow->rport;
    return siphash(&t->key_port, bytes, sizeof(bytes));
}

/* Return: LA_OK with flow->lport chosen, or LA_EADDRNOTAVAIL.  Cost: O(1) while ports are plenty. */
enum la_err tcp_choose_port(struct tcp *t, struct tcp_flow *flow)
{
    const uint32_t min = t->env.knobs.port_min;
    const uint32_t max = t->env.knobs.port_max;
    const uint64_t hash = destination_hash(t, flow);
    uint32_t *counter = &t->port_table[(hash >> 32) % TCP_PORT_TABLE];
    uint32_t range, first;

    if (max < min)
        return LA_EADDRNOTAVAIL;
    range = max - min + 1;
    first = (uint32_t)hash % range + *counter % range; /* as one: the counter wraps */
    for (uint32_t tried = 0; tried < range; tried++) {
        const uint32_t port = min + (first + tried) % range;

        (*counter)++;
        if (port % t->shards != t->shard || listener_on_port(t, (uint16_t)port))
            continue;
        flow->lport = (uint16_t)port;
        if (tcp_lookup(t, flow, tcp_hash_recent(t, flow)).type == INDEX_FREE)
            return LA_OK;
    }
    flow->lport = 0;
    return LA_EADDRNOTAVAIL;
}
