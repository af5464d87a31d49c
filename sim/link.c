/* SPDX-License-Identifier: MIT */
/*
 * link.c - What links do: routing by destination, fates, times of arrival.
 *
 * Everything about a packet is decided when it is sent: whether it is lost, how often
 * and when it arrives.  The tap, the checkers and the trace therefore see a packet
 * once, with its whole fate.
 */
#include "sim/link.h"

#include <string.h>

#include "sim/check/check.h"
#include "sim/host.h"
#include "sim/memory.h"
#include "sim/trace.h"

#define IN_FLIGHT_MAX 200000u

struct sim_link *sim_link(struct sim_world *w, struct sim_host *a, struct sim_host *b,
                          const struct sim_link_opt *opt)
{
    struct sim_link *l = sim_take(sizeof *l);

    *l = (struct sim_link){ .w = w, .end = { a, b }, .opt = *opt, .up = true };
    if (w->link_count == SIM_LINKS_MAX)
        sim_fail(w, "more than %u links", SIM_LINKS_MAX);
    else
        w->links[w->link_count++] = l;
    return l;
}

void sim_link_tap(struct sim_link *l, sim_tap *tap, void *context)
{
    l->tap = tap;
    l->tap_context = context;
}

static void bring_down(struct sim_world *w, void *context)
{
    struct sim_link *l = context;

    (void)w;
    l->up = l->healed;
}

static void bring_up(struct sim_world *w, void *context)
{
    struct sim_link *l = context;

    (void)w;
    l->up = true;
}

void sim_link_down(struct sim_link *l, uint64_t at_ns)
{
    sim_at(l->w, at_ns, bring_down, l);
}

void sim_link_up(struct sim_link *l, uint64_t at_ns)
{
    sim_at(l->w, at_ns, bring_up, l);
}

uint64_t sim_link_serialise_ns(const struct sim_link *l, uint32_t len_bytes)
{
    if (l->opt.rate_kbps == 0)
        return 0;
    return (uint64_t)len_bytes * 8u * 1000000u / l->opt.rate_kbps;
}

/* The link to the destination itself, else the one to the gateway. */
static struct sim_link *route(const struct sim_host *from, const struct sim_segment *seg,
                              struct sim_host **to)
{
    struct sim_world *w = from->w;
    struct sim_link *by_gateway = NULL;

    for (uint32_t i = 0; i < w->link_count; i++) {
        struct sim_link *l = w->links[i];
        const bool first = l->end[0] == from;

        if (!first && l->end[1] != from)
            continue;
        *to = l->end[first];
        if (la_addr_equal(seg->to.addr, sim_host_addr(*to, seg->v6)))
            return l;
        if (*to == from->gateway)
            by_gateway = l;
    }
    *to = by_gateway ? from->gateway : NULL;
    return by_gateway;
}

static void flip_one_bit(struct sim_packet *p, struct sim_prng *rng)
{
    const uint64_t bit = sim_prng_below(rng, (uint64_t)p->len_bytes * 8u);

    p->bytes[bit / 8] ^= (uint8_t)(1u << (bit % 8));
    p->corrupt = true;
}

static struct sim_packet *packet_make(struct sim_host *from, const uint8_t *bytes,
                                      uint32_t len_bytes)
{
    struct sim_packet *p = sim_take(sizeof *p + len_bytes);

    p->number = ++from->w->packets;
    p->len_bytes = len_bytes;
    p->from = from;
    memcpy(p->bytes, bytes, len_bytes);
    return p;
}

struct sim_packet *sim_packet_copy(const struct sim_packet *p)
{
    struct sim_packet *copy = sim_take(sizeof *p + p->len_bytes);

    memcpy(copy, p, sizeof *p + p->len_bytes);
    return copy;
}

static void plan_arrival(struct sim_packet *p, uint64_t at_ns)
{
    struct sim_world *w = p->from->w;

    if (++w->in_flight > IN_FLIGHT_MAX)
        sim_fail(w, "more than %u packets under way", IN_FLIGHT_MAX);
    sim_note(w, at_ns);
    sim_agenda_add(&w->agenda, at_ns, SIM_DUE_ARRIVE, p->to->index, p);
}

void sim_inject(const struct sim_packet *p, uint64_t at_ns)
{
    struct sim_packet *copy = sim_packet_copy(p);

    p->from->w->strays = true;
    copy->incarnation = 0; /* the wire checker has judged it in its own time */
    plan_arrival(copy, at_ns);
}

/* The serialiser and the queue in front of it.  Return: false if the queue is full. */
static bool serialise(struct sim_link *l, struct sim_link_way *way, uint32_t len_bytes)
{
    const uint64_t now_ns = l->w->now_ns;
    const uint64_t free_ns = way->busy_until_ns > now_ns ? way->busy_until_ns : now_ns;
    const uint64_t queued_bytes = (free_ns - now_ns) * l->opt.rate_kbps / 8u / 1000000u;

    if (l->opt.rate_kbps && l->opt.queue_bytes && queued_bytes + len_bytes > l->opt.queue_bytes)
        return false;
    way->busy_until_ns = free_ns + sim_link_serialise_ns(l, len_bytes);
    return true;
}

/* When a packet that has left the serialiser arrives; sets SIM_REORDERED if out of turn. */
static uint64_t arrival_ns(struct sim_link *l, struct sim_link_way *way, uint32_t *fate)
{
    struct sim_prng *rng = &l->w->rng;
    const uint64_t delay_ns = sim_us(l->opt.delay_us);
    uint64_t at_ns = way->busy_until_ns + delay_ns;

    if (sim_prng_permille(rng, l->opt.reorder_permille)) {
        *fate |= SIM_REORDERED;
        return at_ns + sim_prng_between(rng, sim_us(50), delay_ns + sim_ms(2));
    }
    at_ns += sim_prng_below(rng, sim_us(l->opt.jitter_us) + 1);
    if (at_ns < way->last_arrival_ns)
        at_ns = way->last_arrival_ns;
    way->last_arrival_ns = at_ns;
    return at_ns;
}

/* Decide what becomes of @p, and do it.  Takes over @p.  Return: the fate. */
static uint32_t transmit(struct sim_link *l, struct sim_packet *p, uint32_t fate)
{
    struct sim_link_way *way = &l->way[p->from == l->end[1]];
    struct sim_prng *rng = &l->w->rng;

    way->packets++;
    if (!l->up)
        fate |= SIM_DOWN;
    else if (sim_prng_permille(rng, l->opt.loss_permille))
        fate |= SIM_LOST;
    else if (!(fate & SIM_GONE) && !serialise(l, way, p->len_bytes))
        fate |= SIM_OVERFLOW;
    if (fate & SIM_GONE) {
        way->gone++;
        sim_release(p);
        return fate;
    }
    if (sim_prng_permille(rng, l->opt.dup_permille)) {
        fate |= SIM_DUPLICATED;
        plan_arrival(sim_packet_copy(p), arrival_ns(l, way, &fate));
    }
    if (sim_prng_permille(rng, l->opt.corrupt_permille)) {
        fate |= SIM_CORRUPTED;
        flip_one_bit(p, rng);
    }
    plan_arrival(p, arrival_ns(l, way, &fate));
    return fate;
}

void sim_send(struct sim_host *from, const uint8_t *bytes, uint32_t len_bytes)
{
    struct sim_world *w = from->w;
    struct sim_packet *p = packet_make(from, bytes, len_bytes);
    struct sim_segment seg;

    sim_segment_read(p->bytes, len_bytes, &seg);
    struct sim_link *l = route(from, &seg, &p->to);

    p->link = l;
    p->incarnation = w->plain ? 0 : sim_wire_sent(from, &seg, len_bytes);
    sim_note(w, w->now_ns);
    sim_note_bytes(w, bytes, len_bytes);
    const uint64_t number = p->number;

    if (!l) {
        sim_trace_packet(from, NULL, &seg, SIM_UNROUTED);
        if (w->watch && w->watch->sent)
            w->watch->sent(w->watch->context, from, NULL, number, bytes, &seg, SIM_UNROUTED);
        sim_release(p);
        return;
    }
    struct sim_host *to = p->to;
    uint32_t fate = l->tap ? l->tap(w, l->tap_context, p, &seg) & SIM_GONE : 0;

    sim_segment_read(bytes, len_bytes, &seg); /* what was sent, not what the tap made of it */
    fate = transmit(l, p, fate);
    sim_note(w, fate);
    sim_trace_packet(from, to, &seg, fate);
    if (w->watch && w->watch->sent)
        w->watch->sent(w->watch->context, from, to, number, bytes, &seg, fate);
}
