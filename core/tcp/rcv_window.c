/* SPDX-License-Identifier: MIT */
/*
 * rcv_window.c - How much the peer may send.
 *
 * The right edge never moves left (SHLD-14): it is remembered as a sequence number, and
 * the field is rounded up to the scale.  It moves right only in steps worth a segment:
 * the receiver's side of silly-window avoidance (MUST-39, RFC 9293 3.8.6.2.2).
 *
 * Rounding up gives a few bytes more than the buffer, and again with every segment that is
 * no multiple of the unit: sent byte by byte the edge would creep on with RCV.NXT and
 * the window never close.  When what waits and what was promised together are over by one
 * unit of scale, the field is rounded down instead.
 *
 * The buffer that a connection begins with opens slowly: 64 KB are offered first, as on Linux, and
 * beside that an eighth of what has arrived.  A sender in slow start uses all that it is offered, and
 * a path that holds less loses the rest.  Once the buffer has grown (autotune.c) all of it is offered.
 */
#include "core/tcp/tcp.h"

uint8_t rcv_window_shift(const struct tcp *t)
{
    const struct env_knobs *k = &t->env.knobs;
    const uint32_t most = k->rcvbuf > k->rcvbuf_max ? k->rcvbuf : k->rcvbuf_max;
    uint8_t shift = 1; /* 0 would mean that none was agreed */

    while (shift < TCP_WSCALE_MAX && (uint32_t)UINT16_MAX << shift < most)
        shift++;
    return shift;
}

/* What a window grows to while the pool is under pressure: enough for fast retransmit to work. */
#define PRESSED_SEGMENTS 4

#define SLOW_BUFFER_MAX 131072u
#define OPENS_BY_AN 8u

/* What is offered at the most. */
static uint32_t offered(const struct tcp *t, const struct tcp_conn *c)
{
    const uint64_t most = UINT16_MAX + c->bytes_received / OPENS_BY_AN;

    if (c->set.rcvbuf > SLOW_BUFFER_MAX || c->set.rcvbuf_fixed || most >= c->set.rcvbuf ||
        !t->env.knobs.moderate_rcvbuf)
        return c->set.rcvbuf;
    return (uint32_t)most;
}

/* The right edge the buffer could bear. */
static tcp_seq bearable(const struct tcp *t, const struct tcp_conn *c)
{
    const uint32_t limit = (uint32_t)UINT16_MAX << c->rcv_shift;
    uint32_t space = c->rcvq.len_bytes < c->set.rcvbuf ? c->set.rcvbuf - c->rcvq.len_bytes : 0;

    if (t->mem.pressure && space > PRESSED_SEGMENTS * (uint32_t)c->adv_mss)
        space = PRESSED_SEGMENTS * (uint32_t)c->adv_mss;
    if (space > limit)
        space = limit;
    if (space > UINT16_MAX) {
        const uint32_t most = offered(t, c);

        space = space < most ? space : most;
    }
    return seq_add(c->rcv.nxt, space);
}

/* What makes a move of the right edge worth telling. */
static uint32_t worth(const struct tcp_conn *c)
{
    const uint32_t half = c->set.rcvbuf / 2;
    const uint32_t mss = c->rcv_mss > 0 ? c->rcv_mss : 1;

    return mss < half ? mss : half;
}

static void count_zero(struct tcp *t, struct tcp_conn *c, uint32_t field)
{
    if (field == 0 && !c->zero_adv)
        env_count(&t->env, LA_COUNT_TCPToZeroWindowAdv);
    if (field != 0 && c->zero_adv)
        env_count(&t->env, LA_COUNT_TCPFromZeroWindowAdv);
    c->zero_adv = field == 0;
}

uint16_t rcv_window_field(struct tcp *t, struct tcp_conn *c, bool syn)
{
    const uint32_t unit = 1u << c->rcv_shift;
    const tcp_seq right = bearable(t, c);
    uint32_t wnd, field;

    if (syn) { /* never scaled: RFC 7323 2.2 */
        wnd = c->set.rcvbuf < UINT16_MAX ? c->set.rcvbuf : UINT16_MAX;
        c->rcv.adv = seq_add(c->rcv.nxt, wnd);
        return (uint16_t)wnd;
    }
    if (seq_gt(right, c->rcv.adv) && seq_diff(c->rcv.adv, right) >= worth(c))
        c->rcv.adv = right;
    wnd = tcp_rcv_wnd(c);
    if (c->rcvq.len_bytes + wnd >= c->set.rcvbuf + unit)
        field = wnd >> c->rcv_shift;
    else
        field = (wnd + unit - 1) >> c->rcv_shift;
    if (field > UINT16_MAX)
        field = UINT16_MAX;
    if (field << c->rcv_shift > wnd)
        c->rcv.adv = seq_add(c->rcv.nxt, field << c->rcv_shift);
    count_zero(t, c, field);
    return (uint16_t)field;
}

bool rcv_window_update_due(const struct tcp *t, const struct tcp_conn *c)
{
    const tcp_seq right = bearable(t, c);
    const uint32_t step = worth(c);
    uint32_t gain;

    (void)t;
    if (!seq_gt(right, c->rcv.adv) || c->fin_received)
        return false;
    gain = seq_diff(c->rcv.adv, right);
    if (tcp_rcv_wnd(c) < step)
        return gain >= step; /* the peer waits for it */
    return gain >= 2 * step && gain >= c->set.rcvbuf / 4;
}
