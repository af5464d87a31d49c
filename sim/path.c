/* SPDX-License-Identifier: MIT */
/*
 * path.c - What a path does to a packet: chance, queue, serialiser, pipe, in this order.
 *
 * The queue is never stored: what waits in it is what the serialiser still has to send, so bytes
 * are counted from the time it will be busy.  Only a limit in packets wants a ring of departures.
 */
#include "sim/path.h"

uint32_t path_burst_enter_ppm(uint32_t loss_ppm, uint32_t packets)
{
    /* In the long run the share of time in the bad state is enter / (enter + leave). */
    const uint64_t leave_ppm = PATH_PPM / (packets > 0 ? packets : 1);

    if (loss_ppm >= PATH_PPM)
        return PATH_PPM;
    return (uint32_t)(leave_ppm * loss_ppm / (PATH_PPM - loss_ppm));
}

uint64_t path_serialise_ns(const struct path_opt *opt, uint64_t len_bytes)
{
    return opt->rate_kbps == 0 ? 0 : len_bytes * 8u * 1000000u / opt->rate_kbps;
}

/* Draws nothing where nothing is asked for, so a fault left out costs no chance. */
static bool chance(struct sim_prng *rng, uint32_t ppm)
{
    return ppm != 0 && sim_prng_below(rng, PATH_PPM) < ppm;
}

bool path_loses(const struct path_opt *opt, struct path_way *way, struct sim_prng *rng)
{
    if (opt->burst_enter_ppm != 0) {
        way->bad =
            way->bad ? !chance(rng, opt->burst_leave_ppm) : chance(rng, opt->burst_enter_ppm);
        if (way->bad)
            return true;
    }
    return chance(rng, opt->loss_ppm);
}

static bool ring_has_room(const struct path_opt *opt, struct path_way *way, uint64_t now_ns)
{
    if (opt->queue_packets == 0)
        return true;
    while (way->count > 0 && way->left_ns[way->head] <= now_ns) {
        way->head = (way->head + 1) % opt->queue_packets;
        way->count--;
    }
    return way->count < opt->queue_packets;
}

/* The serialiser and the queue in front of it.  Return: PATH_OVERFLOW, PATH_MARKED or 0. */
static uint32_t queue(const struct path_opt *opt, struct path_way *way, uint64_t now_ns,
                      uint32_t len_bytes, bool markable)
{
    const uint64_t free_ns = way->busy_until_ns > now_ns ? way->busy_until_ns : now_ns;
    const uint64_t queued_bytes = (free_ns - now_ns) * opt->rate_kbps / 8u / 1000000u;

    if (opt->rate_kbps == 0) {
        way->busy_until_ns = free_ns;
        return 0;
    }
    if (opt->queue_bytes != 0 && queued_bytes > 0 && queued_bytes + len_bytes > opt->queue_bytes)
        return PATH_OVERFLOW;
    if (!ring_has_room(opt, way, now_ns))
        return PATH_OVERFLOW;
    way->busy_until_ns = free_ns + path_serialise_ns(opt, len_bytes);
    if (opt->queue_packets != 0)
        way->left_ns[(way->head + way->count++) % opt->queue_packets] = way->busy_until_ns;
    return markable && opt->mark_bytes != 0 && queued_bytes > opt->mark_bytes ? PATH_MARKED : 0;
}

/* When a packet that has left the serialiser arrives. */
static uint64_t arrival_ns(const struct path_opt *opt, struct path_way *way, struct sim_prng *rng,
                           uint32_t *what)
{
    uint64_t at_ns = way->busy_until_ns + opt->delay_ns;

    if (chance(rng, opt->reorder_ppm)) {
        *what |= PATH_REORDERED;
        return at_ns + sim_prng_between(rng, 50000, opt->reorder_max_ns);
    }
    at_ns += sim_prng_below(rng, opt->jitter_ns + 1);
    if (at_ns < way->last_arrival_ns)
        at_ns = way->last_arrival_ns;
    way->last_arrival_ns = at_ns;
    return at_ns;
}

struct path_fate path_enter(const struct path_opt *opt, struct path_way *way, struct sim_prng *rng,
                            uint64_t now_ns, uint32_t len_bytes, bool markable)
{
    struct path_fate fate = { 0 };

    if (opt->mtu_bytes != 0 && len_bytes > opt->mtu_bytes)
        fate.what = PATH_TOO_BIG;
    else if (path_loses(opt, way, rng))
        fate.what = PATH_LOST;
    else
        fate.what = queue(opt, way, now_ns, len_bytes, markable);
    if (fate.what & PATH_GONE)
        return fate;
    if (chance(rng, opt->dup_ppm)) {
        fate.what |= PATH_DUPLICATED;
        fate.at_ns[fate.copies++] = arrival_ns(opt, way, rng, &fate.what);
    }
    fate.at_ns[fate.copies++] = arrival_ns(opt, way, rng, &fate.what);
    return fate;
}

/* ECN ------------------------------------------------------------------------------ */

#define ECN_CE 3u

bool path_markable(const uint8_t *packet, uint32_t len_bytes)
{
    if (len_bytes < 20)
        return false;
    const unsigned ecn = packet[0] >> 4 == 6 ? packet[1] >> 4 & 3u : packet[1] & 3u;

    return ecn == 1 || ecn == 2;
}

void path_mark(uint8_t *packet)
{
    if (packet[0] >> 4 == 6) {
        packet[1] = (uint8_t)(packet[1] | ECN_CE << 4);
        return;
    }
    const uint32_t before = (uint32_t)packet[0] << 8 | packet[1];
    packet[1] = (uint8_t)(packet[1] | ECN_CE);
    const uint32_t after = (uint32_t)packet[0] << 8 | packet[1];
    /* HC' = ~(~HC + ~m + m') */
    uint32_t sum =
        (~((uint32_t)packet[10] << 8 | packet[11]) & 0xffffu) + (~before & 0xffffu) + after;

    sum = (sum & 0xffffu) + (sum >> 16);
    sum = ~((sum & 0xffffu) + (sum >> 16));
    packet[10] = (uint8_t)(sum >> 8);
    packet[11] = (uint8_t)sum;
}
