/* SPDX-License-Identifier: MIT */
/*
 * prr_test.c - RFC 9937 6.2, its pseudo-code, and what it is for: a window of 20 segments of which
 * the first is lost comes down to half over a round trip, a segment for two that arrive.
 */
#include "core/tcp/inflight.h"
#include "tests/unit/base_test.h"
#include "tests/unit/hand.h"

#define MSS 1000u

/* What is in flight is known by its sums alone: prr.c looks at nothing else. */
struct world {
    struct hand h;
    struct tcp_conn *c;
    struct flight *f;
    struct flight_ack k;
};

static void start(struct world *w, uint32_t segs, uint32_t lost_segs, uint32_t ssthresh_segs)
{
    hand_new(&w->h, NULL);
    hand_establish(&w->h, &(struct hand_opt){ .syn = "wnd 65535 mss 1000 sackOK" });
    w->c = hand_conn(&w->h);
    w->c->snd_mss = MSS;
    w->c->snd.nxt = seq_add(w->c->snd.una, segs * MSS);
    w->f = flight_block(w->h.t, w->c);
    w->c->board = true;
    w->f->resend = lost_segs * MSS;
    w->c->ssthresh = ssthresh_segs * MSS;
    w->c->cwnd = segs * MSS;
    w->c->in_recovery = w->c->dubious = true;
    w->k = (struct flight_ack){ .t = w->h.t, .c = w->c, .f = w->f, .before = w->c->snd.una };
}

static void finish(struct world *w)
{
    w->c->snd.nxt = w->c->snd.una;
    w->c->in_recovery = w->c->dubious = false;
    flight_release(w->h.t, w->c);
    hand_free(&w->h);
}

/* An ACK reports @sacked_segs more, and moves SND.UNA by @acked_segs. */
static void ack(struct world *w, uint32_t sacked_segs, uint32_t acked_segs, bool lost)
{
    w->f->sacked += sacked_segs * MSS;
    w->c->snd.una = seq_add(w->c->snd.una, acked_segs * MSS);
    w->k.sacked = sacked_segs * MSS;
    w->k.acked = acked_segs * MSS;
    w->k.delivered = (sacked_segs + acked_segs) * MSS;
    w->k.lost = lost ? MSS : 0;
    if (!w->f->prr)
        prr_begin(&w->k);
    prr_on_ack(&w->k);
}

/* Send what cwnd allows: what is lost first.  Return: segments. */
static uint32_t send(struct world *w)
{
    uint32_t sent = 0;

    while (w->c->cwnd >= conn_pipe(w->h.t, w->c) + MSS) {
        if (w->f->resend > 0)
            w->f->resend -= MSS;
        else
            w->c->snd.nxt = seq_add(w->c->snd.nxt, MSS);
        w->f->prr_out += MSS;
        sent++;
    }
    return sent;
}

TEST(one_lost_of_twenty_comes_down_to_ten_a_segment_for_two)
{
    struct world w;
    uint32_t sent = 0;

    start(&w, 20, 1, 10);
    ack(&w, 3, 0, true); /* the third SACK begins it */
    assert_int_equal(w.f->recover_fs, 20 * MSS);
    sent += send(&w);
    assert_int_equal(sent, 1); /* the fast retransmission */
    for (uint32_t i = 4; i <= 19; i++) {
        ack(&w, 1, 0, false);
        sent += send(&w);
        /* DeliveredData * ssthresh / RecoverFS; at ssthresh a segment for a segment. */
        assert_int_equal(sent, i < 16 ? i / 2 : i - 9);
    }
    assert_int_equal(conn_pipe(w.h.t, w.c), 10 * MSS);
    finish(&w);
}

TEST(where_most_is_lost_a_segment_goes_for_a_segment_and_one_more_if_that_is_safe)
{
    struct world w;

    start(&w, 20, 15, 10);
    ack(&w, 4, 0, true); /* one is still out: far below ssthresh */
    assert_int_equal(conn_pipe(w.h.t, w.c), 1 * MSS);
    assert_int_equal(send(&w), 4); /* PRR-CRB */
    ack(&w, 1, 0, true);
    assert_int_equal(send(&w), 1);
    w.f->sacked -= MSS; /* the first hole is filled: SND.UNA moves over it and what was SACKed */
    ack(&w, 0, 1, false);
    assert_int_equal(send(&w), 2); /* PRR-SSRB */
    finish(&w);
}

TEST(the_window_is_never_sent_beyond_ssthresh_while_it_is_rebuilt)
{
    struct world w;

    start(&w, 20, 12, 5);
    for (uint32_t i = 0; i < 6; i++) {
        ack(&w, 1, 0, i == 0);
        send(&w);
        assert_in_range(conn_pipe(w.h.t, w.c), 0, 8 * MSS);
    }
    assert_true(conn_pipe(w.h.t, w.c) <= 5 * MSS);
    finish(&w);
}

TEST(an_ack_that_delivers_nothing_changes_nothing)
{
    struct world w;

    start(&w, 20, 1, 10);
    ack(&w, 3, 0, true);
    send(&w);
    const uint32_t before = w.c->cwnd;
    ack(&w, 0, 0, false);
    assert_int_equal(w.c->cwnd, before);
    finish(&w);
}

/* The pseudo-code once more, in floating point, over random recoveries. */
TEST(it_follows_the_pseudo_code_whatever_comes)
{
    uint64_t rng = 11;

    for (uint32_t n = 0; n < 300; n++) {
        struct world w;
        const uint32_t segs = 4 + rng_below(&rng, 60), lost = 1 + rng_below(&rng, segs / 2);
        double delivered = 0, fs = segs;
        uint32_t left = segs - lost;

        start(&w, segs, lost, 2 + rng_below(&rng, segs));
        while (left > 0) {
            const uint32_t some = 1 + rng_below(&rng, left < 3 ? left : 3);
            const double out = w.f->prr_out / (double)MSS;
            const double ssthresh = w.c->ssthresh / (double)MSS;
            double count;

            ack(&w, some, 0, false);
            left -= some;
            delivered += some;
            const double pipe = conn_pipe(w.h.t, w.c) / (double)MSS;
            if (pipe > ssthresh) {
                count = delivered * ssthresh / fs - out;
                count = count > 0 ? count : 0;
            } else {
                count = delivered - out > some ? delivered - out : some;
                count = count < ssthresh - pipe ? count : ssthresh - pipe;
            }
            if (out == 0 && count < 1)
                count = 1;
            const double want = pipe + count > 1 ? pipe + count : 1;
            assert_true(w.c->cwnd / (double)MSS > want - 0.01 &&
                        w.c->cwnd / (double)MSS < want + 0.01);
            send(&w);
        }
        finish(&w);
    }
}

TEST(the_window_is_a_segment_at_the_least)
{
    struct world w;

    start(&w, 20, 1, 10);
    ack(&w, 3, 0, true);
    send(&w);
    w.f->sacked = 0; /* all that was out has arrived or is lost: nothing is in flight */
    w.f->resend = 20 * MSS;
    w.k.acked = 0;
    w.k.delivered = 100;
    w.f->prr_out = w.f->prr_delivered + 100;
    prr_on_ack(&w.k);
    assert_int_equal(w.c->cwnd, MSS);
    finish(&w);
}

TEST(where_all_was_reported_before_it_begins_nothing_is_divided_by_nought)
{
    struct world w;

    start(&w, 20, 0, 10);
    w.f->sacked = 20 * MSS;
    prr_begin(&w.k);
    assert_int_equal(w.f->recover_fs, 1);
    prr_reduce(w.h.t, w.c); /* an echo, likewise */
    assert_int_equal(w.f->recover_fs, 1);
    w.k.delivered = MSS;
    prr_on_ack(&w.k);
    assert_in_range(w.c->cwnd, MSS, 20 * MSS);
    finish(&w);
}

TEST_MAIN
