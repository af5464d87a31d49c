/* SPDX-License-Identifier: MIT */
/*
 * inflight.c - The scoreboard: what is in flight, when it was sent, and what became of it.
 *
 * A sorted array of ranges that cover SND.UNA to SND.NXT.  What is sent is put behind, what is
 * acknowledged is taken off in front by moving an offset, a SACK splits a range where its edges
 * lie and is found by halving.  Neighbours that are alike and were sent at about the same time are
 * one range, so a burst costs one whatever its length.
 *
 * Bound: at most LA_INFLIGHT_RANGES_MAX ranges, fewer if the chunk holds fewer.  Sent at the same
 * time means within 1/64 of a round trip, so that a window of text in order takes no more than
 * that many.  When the array is full, alike neighbours are joined whatever their time, which makes
 * detection later but never wrong; what still finds no room is a SACK that is not remembered, and
 * its text is merely sent again.  An empty pool means no block: the connection then recovers by
 * cumulative ACKs alone (loss.c).  Both are counted.
 *
 * Cost: sending O(1); an ACK without SACK O(ranges it takes off); a SACK block O(log ranges) and
 * a memmove of the array.
 */
#include "core/tcp/inflight.h"

#include "core/tcp/tcp.h"

#define SPARE 8u /* ranges kept for what is sent again, when SACKs have used up the others */

static uint32_t capacity(const struct tcp *t)
{
    const uint32_t room = chunks_payload(&t->env.chunks) - (uint32_t)sizeof(struct flight);
    const uint32_t fit = room / (uint32_t)sizeof(struct flight_range);

    return fit < LA_INFLIGHT_RANGES_MAX ? fit : LA_INFLIGHT_RANGES_MAX;
}

/* Within this time is at the same time. */
static uint32_t grain_us(const struct tcp_conn *c)
{
    return c->srtt_us8 / 8 / 64;
}

static void count_bytes(struct flight *f, uint8_t flags, uint32_t len, bool in)
{
    uint32_t *what = NULL;

    if (flags & FLIGHT_SACKED)
        what = &f->sacked;
    else if ((flags & (FLIGHT_LOST | FLIGHT_AGAIN)) == FLIGHT_LOST)
        what = &f->resend;
    else if ((flags & (FLIGHT_LOST | FLIGHT_AGAIN)) == FLIGHT_AGAIN)
        what = &f->extra;
    if (what == NULL)
        return;
    LA_ASSERT(in || *what >= len);
    *what = in ? *what + len : *what - len;
}

static void count_segs(struct flight *f, uint8_t flags, uint32_t segs, bool in)
{
    if (!(flags & FLIGHT_SACKED))
        return;
    LA_ASSERT(in || f->sacked_segs >= segs);
    f->sacked_segs = (uint16_t)(in ? f->sacked_segs + segs : f->sacked_segs - segs);
}

void flight_flags(struct flight *f, const struct tcp_conn *c, uint32_t i, uint8_t flags)
{
    struct flight_range *r = flight_at(f, i);
    const uint32_t len = seq_diff(flight_start(c, f, i), r->end);

    count_bytes(f, r->flags, len, false);
    count_segs(f, r->flags, r->segs, false);
    r->flags = flags;
    count_bytes(f, r->flags, len, true);
    count_segs(f, r->flags, r->segs, true);
}

static bool waits(uint8_t flags)
{
    return (flags & (FLIGHT_LOST | FLIGHT_AGAIN)) == FLIGHT_LOST;
}

/* May two neighbours be one? */
static bool alike(const struct flight_range *a, const struct flight_range *b, uint32_t grain)
{
    if (a->flags != b->flags || (uint32_t)a->segs + b->segs > UINT16_MAX)
        return false;
    if (a->flags & FLIGHT_SACKED || waits(a->flags))
        return true; /* when they were sent does not matter any more */
    return b->sent_us - a->sent_us <= grain;
}

/* Range @i + 1 becomes part of range @i.  Their flags are equal, so no count changes. */
static void join(struct flight *f, uint32_t i)
{
    struct flight_range *r = flight_at(f, i);

    r[0].end = r[1].end;
    r[0].segs = (uint16_t)(r[0].segs + r[1].segs);
    memmove(&r[1], &r[2], (f->count - i - 2u) * sizeof(*r));
    f->count--;
}

void flight_tidy(const struct tcp *t, struct tcp_conn *c, struct flight *f)
{
    const uint32_t grain = grain_us(c);
    uint32_t to = 0;

    (void)t;
    for (uint32_t i = 1; i < f->count; i++) {
        struct flight_range *last = flight_at(f, to);
        const struct flight_range *r = flight_at(f, i);

        if (alike(last, r, grain)) {
            last->end = r->end;
            last->segs = (uint16_t)(last->segs + r->segs);
        } else {
            to++;
            *flight_at(f, to) = *r;
        }
    }
    if (f->count > 0)
        f->count = (uint16_t)(to + 1);
}

/* The array is full: pairs that differ in nothing but time are joined, as of the later one. */
static void coalesce(struct flight *f)
{
    uint32_t to = 0;

    for (uint32_t i = 0; i < f->count; i++) {
        struct flight_range r = *flight_at(f, i);

        if (i + 1 < f->count) {
            const struct flight_range *next = flight_at(f, i + 1);

            if (r.flags == next->flags && (uint32_t)r.segs + next->segs <= UINT16_MAX) {
                r.end = next->end;
                r.segs = (uint16_t)(r.segs + next->segs);
                if (next->sent_us - r.sent_us < UINT32_C(0x80000000))
                    r.sent_us = next->sent_us;
                i++;
            }
        }
        *flight_at(f, to++) = r;
    }
    f->count = (uint16_t)to;
}

/* Room for @more ranges, @spare others left.  What was split and is still alike may be joined. */
static bool make_room(struct tcp *t, struct flight *f, uint32_t more, uint32_t spare)
{
    const uint32_t cap = capacity(t);

    if (f->count + more + spare > cap)
        coalesce(f);
    if (f->count + more + spare > cap) {
        env_count(&t->env, LA_COUNT_TCPSACKBoardFull);
        return false;
    }
    if (f->first + f->count + more > cap) {
        memmove(&f->r[0], flight_at(f, 0), f->count * sizeof(f->r[0]));
        f->first = 0;
    }
    return true;
}

/* The first range that ends behind @seq: the one it lies in, if it is in flight. */
static uint32_t find(const struct flight *f, tcp_seq seq)
{
    uint32_t low = 0, high = f->count;

    while (low < high) {
        const uint32_t mid = (low + high) / 2;

        if (seq_gt(f->r[f->first + mid].end, seq))
            high = mid;
        else
            low = mid + 1;
    }
    return low;
}

/* A border at @seq.  There is room: make_room() may not come between two borders of one range. */
static void split(struct tcp_conn *c, struct flight *f, tcp_seq seq)
{
    const uint32_t i = find(f, seq);

    if (i == f->count || seq_eq(flight_start(c, f, i), seq))
        return;
    struct flight_range *r = flight_at(f, i);
    const uint32_t len = seq_diff(flight_start(c, f, i), r->end);
    const uint32_t left = seq_diff(flight_start(c, f, i), seq);
    uint32_t segs = (uint32_t)((uint64_t)r->segs * left / len);

    memmove(&r[1], &r[0], (f->count - i) * sizeof(*r));
    f->count++;
    if (segs == 0)
        segs = 1;
    if (segs == r[0].segs && segs > 1)
        segs--;
    count_segs(f, r[0].flags, r[0].segs, false);
    r[0].end = seq;
    r[1].segs = (uint16_t)(r[1].segs > segs ? r[1].segs - segs : 1);
    r[0].segs = (uint16_t)segs;
    count_segs(f, r[0].flags, (uint32_t)r[0].segs + r[1].segs, true);
}

struct flight *flight_block(struct tcp *t, struct tcp_conn *c)
{
    _Static_assert(sizeof(struct flight) + 2 * SPARE * sizeof(struct flight_range) +
                           sizeof(struct chunk) <=
                       LA_CHUNK_BYTES_MIN,
                   "any chunk holds it, and some ranges");
    if (c->inflight == SLAB_NONE && conn_flight(c) > 0) {
        c->inflight = chunks_take(&t->env.chunks, t, CHUNKS_SEND);
        if (c->inflight != SLAB_NONE)
            memset(flight_of(t, c), 0, sizeof(struct flight));
    }
    return c->inflight == SLAB_NONE ? NULL : flight_of(t, c);
}

/*
 * Ranges are begun with the second segment: one alone has nothing that could tell of its loss
 * before the RTO does, and of a request or an answer there is often only one.  When the first was
 * sent is known, since it is being timed.  Return: whether there are ranges.
 */
static bool begin(struct tcp *t, struct tcp_conn *c, uint32_t segs)
{
    const bool first = seq_eq(c->snd.una, c->snd.nxt);

    if (!c->sack || (first && segs == 1 && !c->tlp_out) || c->in_recovery || c->rto_recovery)
        return false;
    if (c->inflight == SLAB_NONE) {
        c->inflight = chunks_take(&t->env.chunks, t, CHUNKS_SEND);
        if (c->inflight == SLAB_NONE) {
            env_count(&t->env, LA_COUNT_TCPSACKBoardNone);
            return false;
        }
        memset(&flight_of(t, c)->cc, 0, sizeof(struct cc_scratch));
    }
    struct flight *f = flight_of(t, c);
    memset(f, 0, offsetof(struct flight, cc));
    c->board = true;
    f->fack = c->snd.una;
    rate_begin(t, c, f);
    f->tlp_end = c->snd.una; /* of a probe that is still out: nothing else was */
    if (!first) {
        const bool timed = c->timing && seq_le(c->rtt_seq, c->snd.una);

        f->r[0] = (struct flight_range){
            .end = c->snd.nxt,
            .sent_us = timed ? c->rtt_at_us : tcp_now_us(t),
            .segs = 1,
        };
        f->count = 1;
        if (timed) /* its bytes are among those that the first sample counts */
            f->rate.base_us = f->rate.first_us = c->rtt_at_us;
    }
    return true;
}

void flight_release(struct tcp *t, struct tcp_conn *c)
{
    if (c->inflight == SLAB_NONE)
        return;
    chunks_give(&t->env.chunks, t, c->inflight);
    c->inflight = SLAB_NONE;
    c->board = false;
    c->resend = false;
    c->dubious = c->tlp_out;
}

uint32_t flight_pipe(const struct tcp *t, const struct tcp_conn *c)
{
    if (!flight_known(c))
        return conn_flight(c);
    const struct flight *f = flight_of(t, c);
    return conn_flight(c) - f->sacked - f->resend + f->extra;
}

/* No room even for what is sent: it becomes part of the last range, as something not yet reported. */
static void append_to_last(struct flight *f, const struct tcp_conn *c, tcp_seq end, uint32_t segs)
{
    struct flight_range *r = flight_at(f, f->count - 1u);

    flight_flags(f, c, f->count - 1u, 0);
    r->end = end;
    r->segs = (uint16_t)((uint32_t)r->segs + segs > UINT16_MAX ? UINT16_MAX : r->segs + segs);
}

void flight_sent(struct tcp *t, struct tcp_conn *c, tcp_seq end, uint32_t segs)
{
    const uint32_t now_us = tcp_now_us(t);

    if (!flight_known(c) && !begin(t, c, segs))
        return;
    struct flight *f = flight_of(t, c);
    rate_sent(t, c, f, end);
    if (f->prr)
        f->prr_out += seq_diff(c->snd.nxt, end);
    if (f->count > 0) {
        struct flight_range *last = flight_at(f, f->count - 1u);

        if (last->flags == 0 && !f->apart && now_us - last->sent_us <= grain_us(c) &&
            last->segs + segs <= UINT16_MAX) {
            last->end = end;
            last->segs = (uint16_t)(last->segs + segs);
            return;
        }
        if (!make_room(t, f, 1, 0)) {
            append_to_last(f, c, end, segs);
            return;
        }
    }
    *flight_at(f, f->count) =
        (struct flight_range){ .end = end, .sent_us = now_us, .segs = (uint16_t)segs };
    f->count++;
    f->apart = false;
}

void flight_sent_again(struct tcp *t, struct tcp_conn *c, tcp_seq seq, tcp_seq end)
{
    struct flight *f;

    if (!flight_known(c) || !seq_lt(seq, end))
        return;
    f = flight_of(t, c);
    if (f->prr)
        f->prr_out += seq_diff(seq, end);
    f->apart = true;
    if (seq_lt(seq, f->probe_end) && seq_gt(end, f->probe_seq))
        f->probe_mtu = 0; /* its ACK would not say which of the copies arrived */
    undo_sent_again(t, c, f, seq_diff(seq, end));
    if (make_room(t, f, 2, 0)) { /* else all of the range counts as sent again */
        split(c, f, seq);
        split(c, f, end);
    }
    for (uint32_t i = find(f, seq); i < f->count && seq_lt(flight_start(c, f, i), end); i++) {
        struct flight_range *r = flight_at(f, i);

        if (r->flags & FLIGHT_SACKED)
            continue;
        flight_flags(f, c, i, (r->flags & FLIGHT_LOST) | FLIGHT_AGAIN | FLIGHT_EVER);
        r->sent_us = tcp_now_us(t);
        if (i > 0 && alike(flight_at(f, i - 1), r, grain_us(c)))
            join(f, --i);
    }
    c->resend = f->resend > 0;
    c->dubious = true;
}

void flight_lose(struct tcp *t, struct tcp_conn *c, tcp_seq seq, tcp_seq end)
{
    struct flight *f = flight_of(t, c);

    if (make_room(t, f, 2, 0)) { /* else all of the range is taken for lost */
        split(c, f, seq);
        split(c, f, end);
    }
    for (uint32_t i = find(f, seq); i < f->count && seq_lt(flight_start(c, f, i), end); i++) {
        const struct flight_range *r = flight_at(f, i);

        if (!(r->flags & FLIGHT_SACKED))
            flight_flags(f, c, i, (r->flags & FLIGHT_EVER) | FLIGHT_LOST);
    }
    c->resend = f->resend > 0;
    c->dubious = true;
}

void flight_acked(struct flight_ack *k)
{
    struct flight *f = k->f;
    const tcp_seq una = k->c->snd.una;
    tcp_seq start = k->before;

    while (f->count > 0) {
        struct flight_range *r = flight_at(f, 0);
        const bool whole = seq_le(r->end, una);
        const tcp_seq end = whole ? r->end : una;
        const uint32_t len = seq_diff(start, end);
        uint32_t segs = r->segs;

        if (len == 0)
            break;
        rack_arrived(k, r, start, end);
        count_bytes(f, r->flags, len, false);
        if (!whole && segs > 1) {
            segs = (uint32_t)((uint64_t)segs * len / seq_diff(start, r->end));
        } else if (!whole) {
            segs = 0;
        }
        count_segs(f, r->flags, segs, false);
        r->segs = (uint16_t)(r->segs - segs);
        if (!whole)
            break;
        f->first++;
        f->count--;
        start = end;
    }
    if (f->count == 0)
        f->first = 0;
}

/* [left, right) lies in flight.  False if the table has no room for it. */
static bool mark(struct flight_ack *k, tcp_seq left, tcp_seq right)
{
    struct tcp_conn *c = k->c;
    struct flight *f = k->f;
    uint32_t i = find(f, left);

    if (i < f->count && flight_at(f, i)->flags & FLIGHT_SACKED &&
        seq_le(right, flight_at(f, i)->end))
        return true; /* known: what most blocks are */
    if (!make_room(k->t, f, 2, SPARE))
        return false;
    split(c, f, left);
    split(c, f, right);
    for (i = find(f, left); i < f->count && seq_lt(flight_start(c, f, i), right); i++) {
        struct flight_range *r = flight_at(f, i);
        const tcp_seq start = flight_start(c, f, i);

        if (!(r->flags & FLIGHT_SACKED)) {
            rack_arrived(k, r, start, r->end);
            k->sacked += seq_diff(start, r->end);
            flight_flags(f, c, i, FLIGHT_SACKED);
        }
        if (i > 0 && alike(flight_at(f, i - 1), r, 0))
            join(f, --i);
    }
    if (i > 0 && i < f->count && alike(flight_at(f, i - 1), flight_at(f, i), 0))
        join(f, i - 1);
    return true;
}

void flight_sacked(struct flight_ack *k)
{
    const struct tcp_options *o = &k->seg->opt;
    const struct tcp_conn *c = k->c;

    for (uint32_t n = k->first_sack; n < o->sack_count; n++) {
        const tcp_seq left = seq_max(o->sack[n].left, c->snd.una);
        const tcp_seq right = o->sack[n].right;

        /* What was never sent, or is empty, or long acknowledged, says nothing. */
        if (!seq_lt(o->sack[n].left, right) || seq_gt(right, c->snd.nxt) || !seq_lt(left, right)) {
            env_count(&k->t->env, LA_COUNT_TCPSACKDiscard);
            continue;
        }
        if (!mark(k, left, right))
            return; /* once an ACK: looking for room walks the table */
    }
}

bool flight_resend(const struct tcp *t, const struct tcp_conn *c, tcp_seq *seq, uint32_t *len)
{
    struct flight *f;

    if (!c->resend)
        return false;
    f = flight_of(t, c);
    for (uint32_t i = 0; i < f->count; i++) {
        if (!waits(flight_at(f, i)->flags))
            continue;
        *seq = flight_start(c, f, i);
        *len = seq_diff(*seq, flight_at(f, i)->end);
        return true;
    }
    return false;
}

void flight_info(const struct tcp *t, const struct tcp_conn *c, struct la_conn_info *out)
{
    out->reordering = c->reordering;
    out->min_rtt_us = c->min_rtt_us;
    if (!flight_known(c)) {
        out->flight_segs = (conn_flight(c) + c->snd_mss - 1u) / c->snd_mss;
        return;
    }
    struct flight *f = flight_of(t, c);
    out->sacked_bytes = f->sacked;
    out->sacked_segs = f->sacked_segs;
    for (uint32_t i = 0; i < f->count; i++) {
        const struct flight_range *r = flight_at(f, i);
        const uint32_t len = seq_diff(flight_start(c, f, i), r->end);

        out->lost_bytes += r->flags & FLIGHT_LOST ? len : 0;
        out->again_bytes += r->flags & FLIGHT_AGAIN ? len : 0;
        out->flight_segs += r->segs;
        out->lost_segs += r->flags & FLIGHT_LOST ? r->segs : 0u;
        out->again_segs += r->flags & FLIGHT_AGAIN ? r->segs : 0u;
    }
}

const char *flight_check(const struct tcp *t, const struct tcp_conn *c)
{
    uint32_t sacked = 0, resend = 0, extra = 0, segs = 0;

    if (c->board && c->inflight == SLAB_NONE)
        return "ranges in flight are nowhere";
    if (!flight_known(c))
        return c->resend || c->dubious != c->tlp_out
                   ? "nothing is remembered of a flight that is in doubt"
                   : NULL;
    struct flight *f = flight_of(t, c);
    if (f->count == 0 || (uint32_t)f->first + f->count > capacity(t))
        return "the table of what is in flight is empty or overfull";
    for (uint32_t i = 0; i < f->count; i++) {
        const struct flight_range *r = flight_at(f, i);
        const uint32_t len = seq_diff(flight_start(c, f, i), r->end);

        if (!seq_lt(flight_start(c, f, i), r->end))
            return "a range in flight is empty";
        if (r->flags & FLIGHT_SACKED && r->flags != FLIGHT_SACKED)
            return "a range is SACKed and lost";
        sacked += r->flags & FLIGHT_SACKED ? len : 0;
        segs += r->flags & FLIGHT_SACKED ? r->segs : 0;
        resend += waits(r->flags) ? len : 0;
        extra += (r->flags & (FLIGHT_AGAIN | FLIGHT_LOST)) == FLIGHT_AGAIN ? len : 0;
    }
    if (!seq_eq(flight_at(f, f->count - 1u)->end, c->snd.nxt))
        return "the ranges in flight do not end at SND.NXT";
    if (sacked != f->sacked || resend != f->resend || extra != f->extra || segs != f->sacked_segs)
        return "bytes in flight are miscounted";
    if (c->resend != (f->resend > 0))
        return "it is not known whether something waits to be sent again";
    return NULL;
}
