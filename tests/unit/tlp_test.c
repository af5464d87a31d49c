/* SPDX-License-Identifier: MIT */
/* tlp_test.c - RFC 8985 7: when a probe may be sent, what it sends, and what its ACK costs. */
#include "core/tcp/inflight.h"
#include "tests/unit/base_test.h"
#include "tests/unit/hand.h"

#define MSS 1000u

struct world {
    struct hand h;
    struct tcp_conn *c;
};

static void start(struct world *w, uint32_t segs)
{
    static uint8_t bytes[20 * MSS];

    hand_new(&w->h, NULL);
    hand_establish(&w->h, &(struct hand_opt){ .syn = "wnd 65535 mss 1000 sackOK" });
    w->c = hand_conn(&w->h);
    if (segs == 0)
        return;
    assert_int_equal(la_send(w->h.s, w->h.now, w->h.conn, bytes, segs * MSS, 0), segs * MSS);
    hand_drain(&w->h);
}

TEST(nothing_in_flight_is_nothing_to_probe_for)
{
    struct world w;
    struct tlp_choice choice;

    start(&w, 0);
    assert_false(tlp_choose(w.c, &choice));
    assert_false(tlp_possible(w.h.t, w.c));
    assert_true(flight_rto_ns(w.h.t, w.c) == rtt_rto_ns(w.h.t, w.c));
    hand_free(&w.h);
}

TEST(what_goes_is_the_last_segment_or_new_text_that_the_peer_takes)
{
    struct world w;
    struct tlp_choice choice;

    start(&w, 5);
    assert_true(tlp_choose(w.c, &choice));
    assert_true(choice.again && choice.len == MSS);
    assert_true(seq_eq(choice.seq, seq_add(w.c->snd.una, 4 * MSS)));
    hand_free(&w.h);

    start(&w, 15); /* ten are in flight, whatever the congestion window says */
    assert_true(tlp_choose(w.c, &choice));
    assert_true(!choice.again && choice.len == MSS && seq_eq(choice.seq, w.c->snd.nxt));
    w.c->snd.wnd = 10 * MSS + MSS / 2; /* half of a segment is not taken */
    assert_true(tlp_choose(w.c, &choice));
    assert_true(choice.again);
    hand_free(&w.h);
}

TEST(one_probe_is_out_at_a_time_and_none_beside_a_recovery)
{
    struct world w;

    start(&w, 5);
    assert_true(tlp_possible(w.h.t, w.c));
    w.c->tlp_out = true;
    assert_false(tlp_possible(w.h.t, w.c));
    w.c->tlp_out = false;
    w.c->want_tlp = true;
    assert_false(tlp_possible(w.h.t, w.c));
    w.c->want_tlp = false;
    w.c->in_recovery = true;
    assert_false(tlp_possible(w.h.t, w.c));
    w.c->in_recovery = false;
    w.c->rto_recovery = true;
    assert_false(tlp_possible(w.h.t, w.c));
    w.c->rto_recovery = false;
    w.c->backoff = 1;
    assert_false(tlp_possible(w.h.t, w.c));
    w.c->backoff = 0;
    assert_true(tlp_possible(w.h.t, w.c));
    hand_free(&w.h);
}

/* More than the probe is acknowledged, so that it has repaired a loss. */
static void repairs(struct world *w)
{
    struct flight *f = flight_of(w->h.t, w->c);
    const struct tcp_seg seg = { .flags = TCP_ACK, .ack = w->c->snd.nxt };
    struct flight_ack k = {
        .t = w->h.t, .c = w->c, .f = f, .seg = &seg, .before = w->c->snd.una, .acked = MSS
    };

    w->c->tlp_out = w->c->tlp_again = true;
    f->tlp_end = seq_sub(w->c->snd.nxt, MSS);
    tlp_on_ack(&k);
    assert_false(w->c->tlp_out);
    assert_int_equal(la_counter(w->h.s, LA_COUNT_TCPLossProbeRecovery), 1);
}

TEST(a_loss_that_the_probe_has_repaired_is_congestion_all_the_same)
{
    struct world w;

    start(&w, 10);
    repairs(&w);
    assert_true(w.c->cwnd < 10 * MSS);
    assert_int_equal(w.c->cwnd, w.c->ssthresh);
    hand_free(&w.h);
}

TEST(a_repaired_loss_does_not_raise_a_window_that_is_below_the_threshold)
{
    struct world w;

    start(&w, 10);
    w.c->cwnd = w.c->flight_peak = MSS;
    repairs(&w);
    assert_int_equal(w.c->cwnd, MSS);
    assert_int_equal(w.c->ssthresh, 2 * MSS);
    hand_free(&w.h);
}

TEST(in_a_recovery_which_has_reduced_it_the_window_stays)
{
    for (uint32_t rto = 0; rto < 2; rto++) {
        struct world w;

        start(&w, 10);
        w.c->cwnd = w.c->ssthresh = 7 * MSS;
        w.c->in_recovery = rto == 0;
        w.c->rto_recovery = rto == 1;
        repairs(&w);
        assert_int_equal(w.c->cwnd, 7 * MSS);
        assert_int_equal(w.c->ssthresh, 7 * MSS);
        hand_free(&w.h);
    }
}

TEST_MAIN
