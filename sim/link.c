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

/* The link's options in the path's terms; a heal may have changed them. */
static struct path_opt path_of(const struct sim_link *l)
{
    const struct sim_link_opt *o = &l->opt;

    return (struct path_opt){
        .delay_ns = sim_us(o->delay_us),
        .jitter_ns = sim_us(o->jitter_us),
        .reorder_max_ns = sim_us(o->delay_us) + sim_ms(2),
        .rate_kbps = o->rate_kbps,
        .queue_bytes = o->queue_bytes,
        .mtu_bytes = o->mtu_bytes,
        .loss_ppm = o->loss_permille * 1000u + o->loss_ppm,
        .burst_enter_ppm =
            o->burst_packets ? path_burst_enter_ppm(o->burst_loss_ppm, o->burst_packets) : 0,
        .burst_leave_ppm = o->burst_packets ? PATH_PPM / o->burst_packets : 0,
        .reorder_ppm = o->reorder_permille * 1000u,
        .dup_ppm = o->dup_permille * 1000u,
    };
}

/* Where the path's bits stand among the link's. */
static uint32_t fate_of(uint32_t what)
{
    return (what & PATH_LOST ? SIM_LOST : 0) | (what & PATH_OVERFLOW ? SIM_OVERFLOW : 0) |
           (what & PATH_TOO_BIG ? SIM_TOO_BIG : 0) | (what & PATH_DUPLICATED ? SIM_DUPLICATED : 0) |
           (what & PATH_REORDERED ? SIM_REORDERED : 0);
}

/* Decide what becomes of @p, and do it.  Takes over @p.  Return: the fate. */
static uint32_t transmit(struct sim_link *l, struct sim_packet *p, uint32_t fate)
{
    struct sim_link_way *way = &l->way[p->from == l->end[1]];
    struct sim_prng *rng = &l->w->rng;

    const struct path_opt opt = path_of(l);
    struct path_fate decided = { 0 };

    way->packets++;
    if (!l->up)
        fate |= SIM_DOWN;
    else if (!(fate & SIM_GONE))
        decided = path_enter(&opt, &way->path, rng, l->w->now_ns, p->len_bytes, false);
    fate |= fate_of(decided.what);
    if (fate & SIM_GONE) {
        way->gone++;
        sim_release(p);
        return fate;
    }
    if (decided.copies > 1)
        plan_arrival(sim_packet_copy(p), decided.at_ns[0]);
    if (sim_prng_permille(rng, l->opt.corrupt_permille)) {
        fate |= SIM_CORRUPTED;
        flip_one_bit(p, rng);
    }
    plan_arrival(p, decided.at_ns[decided.copies - 1]);
    return fate;
}

/* Over @l to p->to, or nowhere.  Takes over @p. */
static void hand_over(struct sim_host *from, struct sim_packet *p, struct sim_link *l,
                      const struct sim_segment *sent, const uint8_t *bytes)
{
    struct sim_world *w = from->w;
    struct sim_host *to = p->to;
    const uint64_t number = p->number;
    uint32_t fate = SIM_UNROUTED;

    p->link = l;
    sim_note(w, w->now_ns);
    sim_note_bytes(w, bytes, p->len_bytes);
    if (l) {
        fate = l->tap ? l->tap(w, l->tap_context, p, sent) & SIM_GONE : 0;
        fate = transmit(l, p, fate);
        sim_note(w, fate);
    } else {
        sim_release(p);
    }
    /* What was sent, not what the tap made of it. */
    sim_trace_packet(from, to, sent, fate);
    if (w->watch && w->watch->sent)
        w->watch->sent(w->watch->context, from, to, number, bytes, sent, fate);
}

void sim_send(struct sim_host *from, const uint8_t *bytes, uint32_t len_bytes)
{
    struct sim_packet *p = packet_make(from, bytes, len_bytes);
    struct sim_segment seg;

    sim_segment_read(bytes, len_bytes, &seg);
    struct sim_link *l = route(from, &seg, &p->to);

    p->incarnation = from->w->plain ? 0 : sim_wire_sent(from, &seg, len_bytes);
    hand_over(from, p, l, &seg, bytes);
}

void sim_forward(struct sim_host *router, struct sim_link *by, const struct sim_packet *packet)
{
    struct sim_packet *p = packet_make(router, packet->bytes, packet->len_bytes);
    struct sim_segment seg;

    sim_segment_read(packet->bytes, packet->len_bytes, &seg);
    p->incarnation = packet->incarnation;
    p->corrupt = packet->corrupt;
    p->to = by->end[by->end[0] == router];
    hand_over(router, p, by, &seg, packet->bytes);
}
