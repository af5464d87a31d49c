/* SPDX-License-Identifier: MIT */
/*
 * ports.c - Ephemeral ports: RFC 6056 algorithm 4, double-hash port selection, with a map of the
 * ports in use for each crowded destination.
 *
 * A keyed function of the addresses and the remote port gives an offset, a second one picks a
 * counter of its own for groups of destinations, so that the ports used towards one host say
 * little about those used towards another.  A port is free if its 4-tuple stands in no record: one
 * local port serves many destinations.  A port with a listener and a reserved one are left alone,
 * and of N shards each uses its own ports.  As on Linux, connect() uses ports of the parity of the
 * range's first before the others, so that bind() without a port finds some that nobody has.
 *
 * Theory of operation.  To ask the index about port after port is cheap while ports are plenty, and
 * costs thousands of look-ups when they are not: Linux walks half the range before it finds the
 * other half.  Here a search that has asked in vain PROBES_PLAIN times takes a map for its
 * destination: a bit for each port that was found in use.  A bit is set by a look-up that failed
 * and cleared when the 4-tuple leaves the index, so no port is asked about twice while it is in
 * use: over any number of connections there is at most one failed look-up for each.  With all
 * bits of the range set there is no port, and no look-up is needed to know.  A map that is empty
 * goes back; when all are taken the one used longest ago is, which costs its destination look-ups
 * and nothing else.  An idle connection costs nothing.
 *
 * Invariant (la_check): where a bit is set, there is a record.
 */
#include "core/tcp/tcp.h"

#define PROBES_PLAIN 16u
#define WORD_BITS 64u
#define ANY_PARITY 2u
#define EVEN UINT64_C(0x5555555555555555)

struct search {
    struct tcp *t;
    struct tcp_flow *flow;
    struct tcp_port_range range;
    const uint64_t *avoid; /* a bit for each port that the caller does not want, or NULL */
    uint32_t hash;         /* of the destination */
    uint32_t *counter;
    struct tcp_port_map *map;
    uint32_t probes;
};

static struct tcp_port_map *map_at(const struct tcp *t, uint32_t i)
{
    return (struct tcp_port_map *)slab_at(&t->port_maps, t, i);
}

static uint64_t destination_hash(const struct tcp *t, const struct tcp_flow *flow)
{
    uint8_t bytes[34];

    memcpy(bytes, flow->laddr.bytes, 16);
    memcpy(bytes + 16, flow->raddr.bytes, 16);
    bytes[32] = (uint8_t)(flow->rport >> 8);
    bytes[33] = (uint8_t)flow->rport;
    return siphash(&t->key_port, bytes, sizeof(bytes));
}

/* Maps ------------------------------------------------------------------------------------ */

static uint32_t *bucket_of(struct tcp *t, uint32_t hash)
{
    return &t->port_map_bucket[hash % TCP_PORT_TABLE];
}

static bool same_destination(const struct tcp_port_map *m, const struct tcp_flow *f)
{
    return m->rport == f->rport && addr_equal(&m->raddr, &f->raddr) &&
           addr_equal(&m->laddr, &f->laddr);
}

static uint32_t map_find(struct tcp *t, const struct tcp_flow *flow, uint32_t hash)
{
    uint32_t i = *bucket_of(t, hash);

    while (i != SLAB_NONE && !same_destination(map_at(t, i), flow))
        i = map_at(t, i)->slot.link;
    return i;
}

static void map_give(struct tcp *t, uint32_t i)
{
    uint32_t *at = bucket_of(t, map_at(t, i)->hash);

    while (*at != i)
        at = &map_at(t, *at)->slot.link;
    *at = map_at(t, i)->slot.link;
    slab_give(&t->port_maps, t, i);
}

static uint32_t map_oldest(const struct tcp *t)
{
    uint32_t oldest = SLAB_NONE;

    for (uint32_t i = 0; i < t->port_maps.high; i++)
        if (slab_live(&t->port_maps, t, i) &&
            (oldest == SLAB_NONE || map_at(t, i)->used_at < map_at(t, oldest)->used_at))
            oldest = i;
    return oldest;
}

/* False if the stack was configured without maps. */
static bool map_take(struct search *x)
{
    struct tcp *t = x->t;
    uint32_t i;

    if (t->port_maps.cap == 0)
        return false;
    if (slab_room(&t->port_maps) == 0)
        map_give(t, map_oldest(t));
    i = slab_take(&t->port_maps, t);
    x->map = map_at(t, i);
    x->map->laddr = x->flow->laddr;
    x->map->raddr = x->flow->raddr;
    x->map->rport = x->flow->rport;
    x->map->hash = x->hash;
    x->map->slot.link = *bucket_of(t, x->hash);
    *bucket_of(t, x->hash) = i;
    return true;
}

void port_freed(struct tcp *t, const struct tcp_flow *flow)
{
    const uint64_t bit = UINT64_C(1) << flow->lport % WORD_BITS;
    struct tcp_port_map *m;
    uint32_t i;

    if (t->port_maps.used == 0)
        return;
    i = map_find(t, flow, (uint32_t)destination_hash(t, flow));
    if (i == SLAB_NONE)
        return;
    m = map_at(t, i);
    if (!(m->taken[flow->lport / WORD_BITS] & bit))
        return;
    m->taken[flow->lport / WORD_BITS] &= ~bit;
    if (--m->count == 0)
        map_give(t, i);
}

void port_returned(struct tcp *t, const struct tcp_flow *flow)
{
    uint32_t i;

    if (t->port_maps.used == 0)
        return;
    i = map_find(t, flow, (uint32_t)destination_hash(t, flow));
    if (i != SLAB_NONE)
        map_at(t, i)->none_before = (la_time){ 0 };
}

const char *port_check(const struct tcp *t)
{
    for (uint32_t i = 0; i < t->port_maps.high; i++) {
        const struct tcp_port_map *m;
        uint32_t count = 0;

        if (!slab_live(&t->port_maps, t, i))
            continue;
        m = map_at(t, i);
        for (uint32_t port = 0; port < LA_COUNT_OF(m->taken) * WORD_BITS; port++) {
            const struct tcp_flow f = { m->laddr, m->raddr, (uint16_t)port, m->rport };

            if (!(m->taken[port / WORD_BITS] >> port % WORD_BITS & 1))
                continue;
            count++;
            if (tcp_lookup(t, &f, tcp_hash(t, &f)).type == INDEX_FREE)
                return "a map says that a port is in use, and it is not";
        }
        if (count != m->count)
            return "a map has not as many ports as it says";
    }
    return NULL;
}

/* One port -------------------------------------------------------------------------------- */

struct tcp_port_range tcp_port_range(const struct tcp *t)
{
    return (struct tcp_port_range){ t->env.knobs.port_min, t->env.knobs.port_max };
}

bool tcp_port_reserved(const struct tcp *t, uint32_t port)
{
    for (uint32_t i = 0; i < t->reserved_count; i++)
        if (port >= t->reserved[i].min && port <= t->reserved[i].max)
            return true;
    return false;
}

/* Ports that this stack may give at all. */
static bool eligible(const struct search *x, uint32_t port)
{
    if (x->avoid != NULL && x->avoid[port / WORD_BITS] >> port % WORD_BITS & 1)
        return false;
    return port % x->t->shards == x->t->shard && !tcp_port_reserved(x->t, port) &&
           !listener_on_port(x->t, (uint16_t)port);
}

/* What stands under the 4-tuple with this port, which is the flow's from now on. */
static struct index_entry probe(struct search *x, uint32_t port)
{
    struct tcp *t = x->t;

    x->probes++;
    x->flow->lport = (uint16_t)port;
    if (flow_equal(&t->port_next.flow, x->flow)) {
        t->recent.flow = *x->flow;
        t->recent.hash = t->port_next.hash;
    }
    return tcp_lookup(t, x->flow, tcp_hash_recent(t, x->flow));
}

/*
 * Who connects to one destination again and again asks for the next port of this parity soon: its bucket,
 * which is hardly ever in a cache, is fetched meanwhile.
 */
static void expect_next(const struct search *x, uint32_t port)
{
    struct tcp *t = x->t;
    const bool again = t->port_next.destination == x->hash;

    t->port_next.destination = x->hash;
    if (!again || port + 2 > x->range.max)
        return;
    t->port_next.flow = *x->flow;
    t->port_next.flow.lport = (uint16_t)(port + 2);
    t->port_next.hash = tcp_hash(t, &t->port_next.flow);
    tcp_expect(t, t->port_next.hash);
}

/* With a map ------------------------------------------------------------------------------ */

/* The bits of word @w that lie within a range of ports. */
static uint64_t word_of(uint32_t w, uint32_t min, uint32_t max)
{
    const uint32_t first = w * WORD_BITS;
    uint64_t bits = ~UINT64_C(0);

    if (max < first || min > first + WORD_BITS - 1)
        return 0;
    if (min > first)
        bits &= ~UINT64_C(0) << (min - first);
    if (max < first + WORD_BITS - 1)
        bits &= ~UINT64_C(0) >> (first + WORD_BITS - 1 - max);
    return bits;
}

static uint64_t unreserved(const struct tcp *t, uint32_t w)
{
    uint64_t bits = ~UINT64_C(0);

    for (uint32_t i = 0; i < t->reserved_count; i++)
        bits &= ~word_of(w, t->reserved[i].min, t->reserved[i].max);
    return bits;
}

/* The first free port of these in word @w; 0 if there is none. */
static uint32_t search_word(struct search *x, uint32_t w, uint64_t bits)
{
    bits &= ~x->map->taken[w] & unreserved(x->t, w);
    if (x->avoid != NULL)
        bits &= ~x->avoid[w];
    while (bits != 0) {
        const uint32_t port = w * WORD_BITS + (uint32_t)__builtin_ctzll(bits);
        const uint64_t bit = bits & (~bits + 1);

        bits &= ~bit;
        if (!eligible(x, port))
            continue;
        if (probe(x, port).type == INDEX_FREE)
            return port;
        x->map->taken[w] |= bit;
        x->map->count++;
    }
    return 0;
}

/* From @from round the range, among the ports of one parity. */
static uint32_t search_map(struct search *x, uint32_t from, uint64_t parity)
{
    const uint32_t low = x->range.min / WORD_BITS, high = x->range.max / WORD_BITS;
    const uint32_t first = from / WORD_BITS;
    uint32_t port = search_word(x, first, parity & word_of(first, from, x->range.max));

    for (uint32_t w = first + 1; port == 0 && w <= high; w++)
        port = search_word(x, w, parity & word_of(w, x->range.min, x->range.max));
    for (uint32_t w = low; port == 0 && w <= first; w++)
        port = search_word(x, w, parity & word_of(w, x->range.min, x->range.max));
    return port;
}

/* Without one ------------------------------------------------------------------------------ */

/*
 * Port by port among those of one parity.  Return: 0 if none is free, or if PROBES_PLAIN were
 * passed in vain and a map was taken.
 */
static uint32_t search_plain(struct search *x, uint32_t from, uint32_t parity)
{
    const uint32_t range = x->range.max - x->range.min + 1;

    for (uint32_t i = 0; i < range; i++) {
        const uint32_t port = x->range.min + (from - x->range.min + i) % range;

        if (parity != ANY_PARITY && (port - x->range.min) % 2 != parity)
            continue;
        if (i >= 2 * PROBES_PLAIN && parity != ANY_PARITY && map_take(x))
            return 0;
        if (eligible(x, port) && probe(x, port).type == INDEX_FREE)
            return port;
    }
    return 0;
}

/* A port that is only to be bound may have either parity: posix/ports.c has its own order. */
static uint32_t search_free(struct search *x, uint32_t from)
{
    const uint64_t parity = x->range.min % 2 == 0 ? EVEN : ~EVEN;
    uint32_t port = 0;

    if (x->flow->rport == 0)
        return search_plain(x, from, ANY_PARITY);
    for (uint32_t k = 0; k < 2 && port == 0 && x->map == NULL; k++)
        port = search_plain(x, from, k);
    if (port == 0 && x->map != NULL)
        port = search_map(x, from, parity);
    if (port == 0 && x->map != NULL)
        port = search_map(x, from, ~parity);
    return port;
}

/* TIME-WAIT taken over ------------------------------------------------------------------------ */

static la_time reusable_after(const struct search *x, uint32_t ref, la_time latest)
{
    const struct tcp_short *w = short_at(x->t, ref);

    if (w->state != LA_TIME_WAIT || !(w->flags & TCP_SHORT_TIMESTAMPS))
        return latest;
    return time_min(latest, short_reusable_after(x->t, ref));
}

/*
 * A record in TIME-WAIT that may be taken over, when no port is free.  A search in vain is not
 * repeated before the first of the records it has seen, or one that came behind it, can be ready.
 */
static uint32_t search_reusable(struct search *x, uint32_t from)
{
    struct tcp *t = x->t;
    const struct env_knobs *k = &t->env.knobs;
    const uint32_t rule = k->tw_reuse | k->timestamps << 2 | k->tw_reuse_delay_ms << 3;
    const uint32_t range = x->range.max - x->range.min + 1;
    la_time ready = time_add(t->env.now, k->tw_reuse_delay_ms * NS_PER_MS);

    if (!short_reuse_allowed(t, x->flow) || !k->timestamps)
        return TCP_REF_NONE;
    if (x->map != NULL && x->map->rule == rule && x->map->min == x->range.min &&
        x->map->max == x->range.max && !time_lt(x->map->none_before, t->env.now))
        return TCP_REF_NONE;
    for (uint32_t i = 0; i < range; i++) {
        const uint32_t port = x->range.min + (from - x->range.min + i) % range;
        struct index_entry e;

        e = probe(x, port);
        if (e.type != INDEX_SHORT)
            continue;
        if (eligible(x, port) && short_reusable(t, e.value, false))
            return e.value;
        ready = reusable_after(x, e.value, ready);
    }
    if (x->map != NULL) {
        x->map->none_before = ready;
        x->map->rule = rule;
        x->map->min = (uint16_t)x->range.min;
        x->map->max = (uint16_t)x->range.max;
    }
    return TCP_REF_NONE;
}

enum la_err tcp_choose_port(struct tcp *t, struct tcp_port_range range, const uint64_t *avoid,
                            struct tcp_flow *flow, uint32_t *takes)
{
    const uint64_t hash = destination_hash(t, flow);
    struct search x = {
        .t = t,
        .flow = flow,
        .range = range,
        .avoid = avoid,
        .hash = (uint32_t)hash,
        .counter = &t->port_table[(hash >> 32) % TCP_PORT_TABLE],
    };
    uint32_t size, from, i, port;

    *takes = TCP_REF_NONE;
    if (range.max < range.min)
        return LA_EADDRNOTAVAIL;
    size = range.max - range.min + 1;
    from = range.min + (x.hash % size + *x.counter % size) % size; /* the counter wraps */
    i = map_find(t, flow, x.hash);
    if (i != SLAB_NONE) {
        x.map = map_at(t, i);
        x.map->used_at = ++t->port_clock;
    }
    port = search_free(&x, from);
    if (port == 0) {
        *takes = search_reusable(&x, from);
        port = *takes != TCP_REF_NONE ? flow->lport : 0;
    }
    t->port_searches++;
    t->port_probes += x.probes;
    flow->lport = (uint16_t)port;
    *x.counter += port != 0 ? (port - from + size) % size + 1 : 1;
    if (port != 0)
        expect_next(&x, port);
    if (x.map != NULL && x.map->count == 0)
        map_give(t, map_find(t, flow, x.hash));
    return port != 0 ? LA_OK : LA_EADDRNOTAVAIL;
}
