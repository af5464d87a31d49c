/* SPDX-License-Identifier: MIT */
/* undo_test.c - When a recovery was not called for (RFC 3522, 3708, 4015), and what comes back. */
#include "core/tcp/inflight.h"
#include "tests/unit/base_test.h"
#include "tests/unit/hand.h"

#define MSS 1000u

struct world {
    struct hand h;
    struct tcp_conn *c;
    struct flight *f;
    struct tcp_seg seg;
    struct flight_ack k;
};

static void start(struct world *w)
{
    static uint8_t bytes[10 * MSS];

    hand_new(&w->h, NULL);
    hand_establish(&w->h, &(struct hand_opt){ .syn = "wnd 65535 mss 1000 sackOK" });
    assert_int_equal(la_send(w->h.s, w->h.now, w->h.conn, bytes, sizeof bytes, 0), sizeof bytes);
    assert_int_equal(hand_drain(&w->h), 10);
    w->c = hand_conn(&w->h);
    w->f = flight_of(w->h.t, w->c);
    w->seg = (struct tcp_seg){ .flags = TCP_ACK };
    w->k = (struct flight_ack){ .t = w->h.t, .c = w->c, .f = w->f, .seg = &w->seg };
}

TEST(nothing_is_undone_before_something_was_sent_again)
{
    struct world w;

    start(&w);
    assert_false(undo_may(&w.k));
    undo_begin(w.h.t, w.c, w.f);
    assert_false(undo_may(&w.k)); /* nothing is outstanding, but nothing was sent again either */
    undo_sent_again(w.h.t, w.c, w.f, MSS);
    assert_false(undo_may(&w.k));
    hand_free(&w.h);
}

TEST(all_that_was_sent_again_must_have_come_twice)
{
    struct world w;

    start(&w);
    undo_begin(w.h.t, w.c, w.f);
    undo_sent_again(w.h.t, w.c, w.f, MSS);
    undo_sent_again(w.h.t, w.c, w.f, MSS);
    w.f->undo_bytes -= MSS; /* a D-SACK of the first: RFC 3708 */
    assert_false(undo_may(&w.k));
    w.f->undo_bytes -= MSS;
    assert_true(undo_may(&w.k));
    hand_free(&w.h);
}

TEST(an_echo_older_than_the_first_repetition_is_of_the_original)
{
    for (int32_t age = -2; age <= 2; age++) {
        struct world w;

        start(&w);
        w.c->timestamps = true;
        undo_begin(w.h.t, w.c, w.f);
        undo_sent_again(w.h.t, w.c, w.f, MSS);
        w.h.t->env.now.ns += 500 * NS_PER_MS;
        undo_sent_again(w.h.t, w.c, w.f, MSS); /* only the first counts */
        w.seg.opt.has_timestamps = true;
        w.seg.opt.ts_ecr = w.f->undo_ts + (uint32_t)age;
        assert_int_equal(undo_delayed(&w.k), age < 0);
        w.seg.opt.has_timestamps = false;
        assert_false(undo_delayed(&w.k));
        hand_free(&w.h);
    }
}

TEST(window_and_threshold_come_back_and_what_grew_meanwhile_stays)
{
    struct world w;

    start(&w);
    w.c->cwnd = 40 * MSS;
    w.c->ssthresh = 30 * MSS;
    undo_begin(w.h.t, w.c, w.f);
    w.c->cwnd = 5 * MSS;
    w.c->ssthresh = 20 * MSS;
    undo_now(w.h.t, w.c, w.f);
    assert_int_equal(w.c->cwnd, 40 * MSS);
    assert_int_equal(w.c->ssthresh, 30 * MSS);
    assert_false(w.f->undo || w.f->prr);
    undo_begin(w.h.t, w.c, w.f);
    w.c->cwnd = 60 * MSS;
    undo_now(w.h.t, w.c, w.f);
    assert_int_equal(w.c->cwnd, 60 * MSS);
    hand_free(&w.h);
}

TEST(without_a_recovery_to_undo_no_echo_is_too_old)
{
    struct world w;

    start(&w);
    w.c->timestamps = w.seg.opt.has_timestamps = true;
    w.f->undo_ts = 1000;
    w.seg.opt.ts_ecr = 1;
    assert_false(undo_delayed(&w.k));
    undo_sent_again(w.h.t, w.c, w.f, MSS); /* a probe, say */
    assert_false(w.f->undo_any);
    assert_false(undo_delayed(&w.k) || undo_may(&w.k));
    hand_free(&w.h);
}

TEST_MAIN
