/* SPDX-License-Identifier: MIT */
/* inflight_test.c - The table of what is in flight, held against one byte for every hundred sent. */
#include "core/tcp/inflight.h"
#include "tests/unit/base_test.h"
#include "tests/unit/hand.h"

#define UNIT 100u
#define UNITS 60u
#define WIDE 520u /* of which compare() knows nothing */

struct world {
    struct hand h;
    struct tcp_conn *c;
    tcp_seq origin;       /* of unit 0 */
    uint32_t first, last; /* units in flight: [first, last) */
    uint8_t flags[WIDE];  /* of each, as FLIGHT_* */
};

static tcp_seq at(const struct world *w, uint32_t unit)
{
    return seq_add(w->origin, unit * UNIT);
}

static void start(struct world *w, uint32_t iss)
{
    memset(w, 0, sizeof *w);
    hand_new(&w->h, &(struct hand_opt){ .iss = iss });
    hand_establish(&w->h, &(struct hand_opt){ .syn = "wnd 65535 mss 1000 sackOK" });
    w->c = hand_conn(&w->h);
    w->origin = w->c->snd.una;
    w->c->srtt_us8 = 8 * 100000;
}

static void send(struct world *w, uint32_t units)
{
    const tcp_seq end = at(w, w->last + units);

    flight_sent(w->h.t, w->c, end, 2); /* two: one alone has no table */
    w->c->snd.nxt = end;
    w->last += units;
}

static void sack(struct world *w, uint32_t from, uint32_t to)
{
    struct tcp_seg seg = { .flags = TCP_ACK, .ack = w->c->snd.una };
    struct flight_ack k = { .t = w->h.t, .c = w->c, .seg = &seg, .before = w->c->snd.una };

    k.f = flight_of(w->h.t, w->c);
    seg.opt.sack_count = 1;
    seg.opt.sack[0].left = at(w, from);
    seg.opt.sack[0].right = at(w, to);
    flight_sacked(&k);
    for (uint32_t i = from; i < to; i++)
        w->flags[i] = FLIGHT_SACKED;
}

static void again(struct world *w, uint32_t from, uint32_t to)
{
    flight_sent_again(w->h.t, w->c, at(w, from), at(w, to));
    for (uint32_t i = from; i < to; i++)
        if (!(w->flags[i] & FLIGHT_SACKED))
            w->flags[i] = (w->flags[i] & FLIGHT_LOST) | FLIGHT_AGAIN | FLIGHT_EVER;
}

/* All that is not SACKed is declared lost. */
static void lose(struct world *w)
{
    struct flight *f = flight_of(w->h.t, w->c);

    for (uint32_t i = 0; i < f->count; i++)
        if (!(flight_at(f, i)->flags & FLIGHT_SACKED))
            flight_flags(f, w->c, i, (flight_at(f, i)->flags & FLIGHT_EVER) | FLIGHT_LOST);
    flight_tidy(w->h.t, w->c, f);
    w->c->resend = f->resend > 0;
    for (uint32_t i = w->first; i < w->last; i++)
        if (!(w->flags[i] & FLIGHT_SACKED))
            w->flags[i] = (w->flags[i] & FLIGHT_EVER) | FLIGHT_LOST;
}

static void acked(struct world *w, uint32_t to)
{
    struct tcp_seg seg = { .flags = TCP_ACK, .ack = at(w, to) };
    struct flight_ack k = { .t = w->h.t, .c = w->c, .seg = &seg, .before = w->c->snd.una };

    k.f = flight_of(w->h.t, w->c);
    w->c->snd.una = at(w, to);
    flight_acked(&k);
    w->first = to;
}

static void compare(struct world *w)
{
    const struct flight *f = flight_of(w->h.t, w->c);
    uint32_t sacked = 0, resend = 0, extra = 0, first_lost = UNITS;
    tcp_seq seq;
    uint32_t len;

    w->c->dubious = true; /* as loss.c has it after each of these */
    w->c->resend = f->resend > 0;
    for (uint32_t i = w->first; i < w->last; i++) {
        const uint8_t what = w->flags[i] & (FLIGHT_SACKED | FLIGHT_LOST | FLIGHT_AGAIN);

        sacked += what & FLIGHT_SACKED ? UNIT : 0;
        resend += what == FLIGHT_LOST ? UNIT : 0;
        extra += what == FLIGHT_AGAIN ? UNIT : 0;
        if (what == FLIGHT_LOST && first_lost == UNITS)
            first_lost = i;
    }
    assert_int_equal(f->sacked, sacked);
    assert_int_equal(f->resend, resend);
    assert_int_equal(f->extra, extra);
    assert_int_equal(conn_pipe(w->h.t, w->c),
                     (w->last - w->first) * UNIT - sacked - resend + extra);
    assert_int_equal(flight_resend(w->h.t, w->c, &seq, &len), first_lost < UNITS);
    if (first_lost < UNITS)
        assert_true(seq_eq(seq, at(w, first_lost)));
    assert_null(flight_check(w->h.t, w->c));
}

static void step(struct world *w, uint64_t *rng)
{
    const uint32_t some = w->last - w->first;
    const uint32_t from = w->first + rng_below(rng, some),
                   to = from + 1 + rng_below(rng, w->last - from);

    w->h.t->env.now.ns += rng_below(rng, 5) * NS_PER_MS;
    switch (rng_below(rng, 6)) {
    case 0:
        if (w->last + 4 <= UNITS)
            send(w, 1 + rng_below(rng, 4));
        break;
    case 1:
    case 2:
        if (from > w->first)
            sack(w, from, to);
        break;
    case 3:
        again(w, from, to);
        break;
    case 4:
        lose(w);
        break;
    default:
        if (some > 8 && !(w->flags[w->first] & FLIGHT_SACKED))
            acked(w, w->first + 1 + rng_below(rng, 3));
        break;
    }
}

TEST(whatever_comes_the_table_says_what_one_flag_a_unit_would)
{
    static const uint32_t origins[] = { 0, 0x7fffffffu, 0xffffffffu, 0xfffff800u };
    uint64_t rng = 5;

    for (uint32_t n = 0; n < 200; n++) {
        struct world w;

        start(&w, origins[n % 4]);
        send(&w, 12);
        for (uint32_t i = 0; i < 60; i++) {
            step(&w, &rng);
            compare(&w);
        }
        w.c->snd.nxt = w.c->snd.una; /* forget it all */
        flight_release(w.h.t, w.c);
        hand_free(&w.h);
    }
}

TEST(what_is_sent_at_once_is_one_range_whatever_its_length)
{
    struct world w;

    start(&w, 0);
    for (uint32_t i = 0; i < 10; i++)
        send(&w, 2);
    assert_int_equal(flight_of(w.h.t, w.c)->count, 1);
    w.h.t->env.now.ns += 3 * NS_PER_MS; /* more than a 64th of 100 ms */
    send(&w, 2);
    assert_int_equal(flight_of(w.h.t, w.c)->count, 2);
    compare(&w);
    w.c->snd.nxt = w.c->snd.una;
    flight_release(w.h.t, w.c);
    hand_free(&w.h);
}

static void send_as(struct world *w, uint32_t units, uint32_t segs)
{
    const tcp_seq end = at(w, w->last + units);

    flight_sent(w->h.t, w->c, end, segs);
    w->c->snd.nxt = end;
    w->last += units;
}

static void forget(struct world *w)
{
    w->c->snd.nxt = w->c->snd.una;
    flight_release(w->h.t, w->c);
    hand_free(&w->h);
}

TEST(no_range_holds_more_segments_than_can_be_counted)
{
    struct world w;

    start(&w, 0x7fffffff);
    send_as(&w, 4, 40000);
    send_as(&w, 4, 40000); /* at the same time, yet a range of its own */
    assert_int_equal(flight_of(w.h.t, w.c)->count, 2);
    compare(&w);
    lose(&w); /* alike now, but for their number */
    assert_int_equal(flight_of(w.h.t, w.c)->count, 2);
    compare(&w);
    forget(&w);
}

/* A table without room: every second unit is SACKed, and the last one if @even, until no more fit. */
static struct flight *fill(struct world *w, bool even)
{
    struct flight *f;

    start(w, 0xffff8000u);
    send_as(w, 500, 500);
    f = flight_of(w->h.t, w->c);
    if (even)
        sack(w, 499, 500);
    for (uint32_t i = 1; la_counter(w->h.s, LA_COUNT_TCPSACKBoardFull) == 0; i += 2) {
        assert_true(i < 400);
        sack(w, i, i + 1);
        w->c->dubious = true;
        assert_null(flight_check(w->h.t, w->c));
    }
    return f;
}

TEST(what_finds_no_room_when_sent_again_counts_as_more_than_it_is)
{
    for (uint32_t even = 0; even < 2; even++) {
        struct world w;
        struct flight *f = fill(&w, even != 0);
        uint32_t n = 0;

        while (la_counter(w.h.s, LA_COUNT_TCPSACKBoardFull) ==
               1) { /* the ranges that were spared */
            assert_true(n < 8);
            again(&w, 402 + 2 * n, 403 + 2 * n);
            n++;
            assert_null(flight_check(w.h.t, w.c));
        }
        assert_true(n > 3);
        assert_true(f->extra > n * UNIT);
        assert_true(f->extra <= (500 - 402) * UNIT);
        forget(&w);
    }
}

TEST(what_finds_no_room_when_it_is_lost_is_lost_with_its_neighbours)
{
    struct world w;
    struct flight *f = fill(&w, false);
    uint32_t n = 0;

    while (la_counter(w.h.s, LA_COUNT_TCPSACKBoardFull) == 1) {
        assert_true(n < 8);
        flight_lose(w.h.t, w.c, at(&w, 402 + 2 * n), at(&w, 403 + 2 * n));
        n++;
        assert_null(flight_check(w.h.t, w.c));
    }
    assert_true(f->resend > n * UNIT && w.c->resend);
    forget(&w);
}

TEST(new_text_always_has_a_place_even_in_a_full_table)
{
    for (uint32_t even = 0; even < 2; even++) {
        struct world w;
        struct flight *f = fill(&w, even != 0);

        for (uint32_t n = 0; n < 8; n++)
            again(&w, 402 + 2 * n, 403 + 2 * n);
        for (uint32_t i = 0; i < 6; i++) {
            w.h.t->env.now.ns += 10 * NS_PER_MS;
            send_as(&w, 1, i < 3 ? 1 : UINT16_MAX);
            w.c->dubious = true;
            w.c->resend = f->resend > 0;
            assert_null(flight_check(w.h.t, w.c));
        }
        /* What was reported of the last range may be forgotten, never of what was just sent. */
        assert_false(flight_at(f, f->count - 1u)->flags & FLIGHT_SACKED);
        forget(&w);
    }
}

TEST(a_block_of_what_is_lost_in_part_does_not_lose_what_was_sacked)
{
    struct world w;

    start(&w, 0);
    send(&w, 12);
    sack(&w, 4, 6);
    flight_lose(w.h.t, w.c, at(&w, 2), at(&w, 12));
    for (uint32_t i = 2; i < 12; i++)
        w.flags[i] = i == 4 || i == 5 ? FLIGHT_SACKED : FLIGHT_LOST;
    compare(&w);
    forget(&w);
}

/* Ranges: [0, 4) of nothing, [4, 6) SACKed, [6, 8) lost, [8, 10) sent again, [10, 12) of nothing. */
static void all_kinds(struct world *w)
{
    start(w, 0xfffffc00u);
    send(w, 12);
    sack(w, 4, 6);
    flight_lose(w->h.t, w->c, at(w, 6), at(w, 8));
    again(w, 8, 10);
    assert_int_equal(flight_of(w->h.t, w->c)->count, 5);
    assert_null(flight_check(w->h.t, w->c));
}

TEST(a_table_that_is_broken_is_not_called_whole)
{
    enum { NOWHERE, UNKNOWN_RESEND, UNKNOWN_DOUBT, EMPTY, BEYOND, NO_BYTES, BOTH, SHORT, KINDS };

    for (uint32_t i = 0; i < KINDS + 5; i++) {
        struct world w;

        all_kinds(&w);
        struct tcp_conn *c = w.c;
        const struct tcp_conn kept = *c;
        struct flight *f = flight_of(w.h.t, c);
        switch (i) {
        case NOWHERE:
            c->inflight = SLAB_NONE;
            break;
        case UNKNOWN_RESEND:
            c->board = c->dubious = false;
            break;
        case UNKNOWN_DOUBT:
            c->board = c->resend = false;
            break;
        case EMPTY:
            f->count = 0;
            break;
        case BEYOND:
            f->first = 4000;
            break;
        case NO_BYTES:
            flight_at(f, 1)->end = flight_at(f, 0)->end;
            break;
        case BOTH:
            flight_at(f, 1)->flags |= FLIGHT_LOST;
            break;
        case SHORT:
            flight_at(f, 4)->end = seq_sub(flight_at(f, 4)->end, 1);
            break;
        case KINDS:
            f->sacked++;
            break;
        case KINDS + 1:
            f->resend++;
            break;
        case KINDS + 2:
            f->extra++;
            break;
        case KINDS + 3:
            f->sacked_segs++;
            break;
        default:
            c->resend = false;
            break;
        }
        assert_non_null(flight_check(w.h.t, c));
        *c = kept;
        forget(&w);
    }
}

TEST_MAIN
