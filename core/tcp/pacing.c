/* SPDX-License-Identifier: MIT */
/*
 * pacing.c - When the next text may go, of connections that are paced.
 *
 * A connection is paced if SO_MAX_PACING_RATE was set, or net.lastack.tcp_pacing says so.  Its rate
 * is Linux's: 200 % of cwnd / SRTT in slow start, 120 % afterwards, never more than what was set, and
 * never less than LA_PACING_RATE_MIN: a peer that makes SRTT long must not make pace_at wrap.
 * Text goes in bursts of what the rate carries in a millisecond, of two segments at the least, since
 * a super-segment costs as much as a segment; then pace_hold stands until pace_at, and the wheel's
 * node is there.  The first ten segments are not paced: they are the initial window, and there is
 * no round trip to spread them over.  ACKs, SYN, probes and what an RTO sends again wait for nothing;
 * a FIN goes in its turn behind the text.
 *
 * What was sent moves pace_at by its time at the rate.  Who comes late, because the host's clock
 * is coarse, gets back as much as half of that: else each burst would lose what the timer does.
 *
 * Invariant: as long as pace_hold is set and something waits, the node stands at pace_at or before.
 * Cost: four bytes and a bit in the record.  Of a connection that is not paced a test; of one that is,
 * two divisions a burst.
 */
#include "core/tcp/tcp.h"

#define UNITS_PER_S (NS_PER_S >> TCP_PACE_SHIFT)
#define FREE_SEGS 10u
#define BURST_SHIFT 10 /* a 1024th of a second */
/* Longer than any burst takes at LA_PACING_RATE_MIN, shorter than what pace_at can tell. */
#define FORGOTTEN_NS (400u * NS_PER_S)

static uint32_t units_now(const struct tcp *t)
{
    return (uint32_t)(t->env.now.ns >> TCP_PACE_SHIFT);
}

/* How far pace_at lies ahead; below 0: so long ago. */
static int32_t ahead(const struct tcp *t, const struct tcp_conn *c)
{
    if (time_since(c->last_tx, t->env.now) > FORGOTTEN_NS)
        return -1;
    return (int32_t)(c->pace_at - units_now(t));
}

uint64_t pace_rate(const struct tcp *t, const struct tcp_conn *c)
{
    const uint32_t flight = conn_flight(c);
    const uint64_t bytes = c->cwnd > flight ? c->cwnd : flight;
    const uint32_t ratio =
        c->cwnd < c->ssthresh / 2 ? t->env.knobs.pacing_ss_ratio : t->env.knobs.pacing_ca_ratio;
    const uint64_t most = c->set.max_pacing_rate;
    uint64_t rate = PACE_UNLIMITED;

    if (c->srtt_us8 > 0 && ratio > 0)
        rate = bytes * ratio * (8 * 1000000u / 100) / c->srtt_us8;
    if (rate < LA_PACING_RATE_MIN)
        rate = LA_PACING_RATE_MIN;
    return most > 0 && rate > most ? most : rate;
}

static uint32_t burst_at(const struct tcp_conn *c, uint64_t rate)
{
    const uint64_t bytes = rate >> BURST_SHIFT;
    const uint32_t least = 2u * c->snd_mss;

    return bytes <= least ? least : bytes < UINT32_MAX / 2 ? (uint32_t)bytes : UINT32_MAX / 2;
}

/* The time that @bytes take, in units. */
static int64_t units_of(uint64_t bytes, uint64_t rate)
{
    return (int64_t)(bytes * UNITS_PER_S / rate);
}

uint32_t pace_room(const struct tcp *t, const struct tcp_conn *c)
{
    const uint64_t rate = pace_rate(t, c);
    const uint32_t burst = burst_at(c, rate);
    const int32_t used = ahead(t, c);
    uint64_t sent;

    if (c->pace_hold)
        return 0;
    if (rate == PACE_UNLIMITED || c->data_segs_out < FREE_SEGS || used <= 0)
        return burst;
    sent = (uint64_t)used * rate / UNITS_PER_S;
    return sent < burst ? burst - (uint32_t)sent : burst; /* so far ahead: see pace_sent() */
}

void pace_sent(struct tcp *t, struct tcp_conn *c, uint32_t len)
{
    const uint64_t rate = pace_rate(t, c);
    int64_t at = ahead(t, c);
    int64_t takes, burst;

    if (rate == PACE_UNLIMITED || len == 0 || c->data_segs_out <= FREE_SEGS)
        return;
    takes = units_of(len, rate);
    burst = units_of(burst_at(c, rate), rate);
    if (at >= burst)
        at = 0; /* who may send is not so far ahead: pace_at is from before it was paced */
    if (at < -takes / 2)
        at = -takes / 2;
    at += takes;
    LA_ASSERT(at < INT32_MAX / 2);
    c->pace_at = units_now(t) + (uint32_t)at;
    c->pace_hold = at > 0 && at + units_of(c->snd_mss, rate) > burst;
}

la_time pace_time(const struct tcp *t, const struct tcp_conn *c)
{
    const int32_t units = ahead(t, c);

    if (units <= 0)
        return t->env.now;
    return (la_time){ ((t->env.now.ns >> TCP_PACE_SHIFT) + (uint32_t)units) << TCP_PACE_SHIFT };
}

bool pace_waits(struct tcp *t, uint32_t ci)
{
    struct tcp_conn *c = conn_at(t, ci);

    if (ahead(t, c) <= 0) {
        c->pace_hold = false;
        return false;
    }
    tcp_timer_look(t, ci, pace_time(t, c));
    return true;
}

void pace_changed(struct tcp *t, uint32_t ci)
{
    struct tcp_conn *c = conn_at(t, ci);

    c->pace_hold = false;
    c->pace_at = units_now(t);
    tcp_output_wake(t, ci);
}
