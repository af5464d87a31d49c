/* SPDX-License-Identifier: MIT */
/* rack_test.c - RFC 8985 6.2, steps 4 and 5: the reordering window, and what it makes lost. */
#include "core/tcp/inflight.h"
#include "tests/unit/base_test.h"
#include "tests/unit/hand.h"

#define MSS 1000u
#define MIN_RTT_US 40000u

struct world {
    struct hand h;
    struct tcp_conn *c;
    struct flight *f;
    struct flight_ack k;
};

/* Ten segments, 1 ms apart; a round trip after the last one the sixth is SACKed. */
static void start(struct world *w)
{
    static uint8_t bytes[MSS];
    static struct tcp_seg seg;

    hand_new(&w->h, NULL);
    hand_establish(&w->h, &(struct hand_opt){ .syn = "wnd 65535 mss 1000 sackOK" });
    w->c = hand_conn(&w->h);
    w->c->set.nodelay = true;
    w->c->min_rtt_us = MIN_RTT_US;
    w->c->srtt_us8 = 8 * MIN_RTT_US;
    for (uint32_t i = 0; i < 10; i++) {
        assert_int_equal(la_send(w->h.s, w->h.now, w->h.conn, bytes, MSS, 0), MSS);
        assert_int_equal(hand_drain(&w->h), 1);
        w->h.now.ns += NS_PER_MS;
    }
    w->f = flight_of(w->h.t, w->c);
    w->h.t->env.now = w->h.now;
    w->h.t->env.now.ns += MIN_RTT_US * NS_PER_US - 5 * NS_PER_MS; /* of the sixth */
    seg = (struct tcp_seg){ .flags = TCP_ACK, .ack = w->c->snd.una };
    seg.opt.sack_count = 1;
    seg.opt.sack[0].left = seq_add(w->c->snd.una, 5 * MSS);
    seg.opt.sack[0].right = seq_add(w->c->snd.una, 6 * MSS);
    w->k = (struct flight_ack){
        .t = w->h.t, .c = w->c, .f = w->f, .seg = &seg, .before = w->c->snd.una
    };
    flight_sacked(&w->k);
    assert_int_equal(w->f->sacked, MSS);
    assert_int_equal(w->f->rack_rtt_us, MIN_RTT_US);
}

static void finish(struct world *w)
{
    assert_null(flight_check(w->h.t, w->c));
    hand_free(&w->h);
}

TEST(what_was_sent_before_waits_for_a_quarter_of_the_least_rtt)
{
    struct world w;

    start(&w);
    /* Five were sent 5, 4, 3, 2 and 1 ms before it; the window is 10 ms. */
    assert_int_equal(rack_detect(&w.k), 10000 - 1000);
    assert_int_equal(w.k.lost, 0);
    w.h.t->env.now.ns += 5 * NS_PER_MS;
    assert_int_equal(rack_detect(&w.k), 4000);
    assert_int_equal(w.k.lost, MSS);
    w.h.t->env.now.ns += 4 * NS_PER_MS;
    assert_int_equal(rack_detect(&w.k), 0);
    assert_int_equal(w.k.lost, 5 * MSS); /* and nothing that was sent after it */
    finish(&w);
}

TEST(each_round_trip_with_a_dsack_widens_the_window_by_a_quarter)
{
    for (uint32_t mult = 1; mult <= 6; mult++) {
        struct world w;
        const uint32_t wnd_us = mult < 4 ? mult * MIN_RTT_US / 4 : MIN_RTT_US; /* SRTT at most */

        start(&w);
        w.c->reo_mult = (uint8_t)(mult & 15u);
        assert_int_equal(rack_detect(&w.k), wnd_us - 1000);
        finish(&w);
    }
}

TEST(a_dsack_counts_once_in_a_round_trip_and_holds_for_sixteen_recoveries)
{
    struct world w;

    start(&w);
    w.k.dsack = true;
    rack_dsack(&w.k);
    rack_dsack(&w.k);
    assert_int_equal(w.c->reo_mult, 2);
    w.f->dsack_round = w.c->snd.una; /* the round trip has passed */
    rack_dsack(&w.k);
    assert_int_equal(w.c->reo_mult, 3);
    for (uint32_t i = 0; i < 16; i++) {
        assert_int_equal(w.c->reo_mult, 3);
        rack_recovered(w.c);
    }
    assert_int_equal(w.c->reo_mult, 1);
    finish(&w);
}

TEST(until_reordering_is_seen_three_sacked_segments_or_a_recovery_need_no_window)
{
    struct world w;

    start(&w);
    w.f->sacked_segs = 3;
    (void)rack_detect(&w.k);
    assert_int_equal(w.k.lost, 5 * MSS);
    w.f->sacked_segs = 1;
    finish(&w);
    start(&w);
    w.c->in_recovery = true;
    (void)rack_detect(&w.k);
    assert_int_equal(w.k.lost, 5 * MSS);
    finish(&w);
    start(&w);
    w.c->reordering_seen = true;
    w.c->in_recovery = true;
    w.f->sacked_segs = 3;
    (void)rack_detect(&w.k);
    assert_int_equal(w.k.lost, 0);
    w.f->sacked_segs = 1;
    finish(&w);
}

TEST(an_rto_takes_what_is_older_than_a_round_trip_and_the_first_in_any_case)
{
    struct world w;

    start(&w);
    rack_mark_all(w.h.t, w.c, w.f); /* RFC 8985 6.3: of ten only the first is due */
    assert_int_equal(w.f->resend, MSS);
    w.h.t->env.now.ns += 12 * NS_PER_MS; /* 12 + 5 .. 1 ms are more than the window of 10 */
    rack_mark_all(w.h.t, w.c, w.f);
    assert_in_range(w.f->resend, 5 * MSS, 8 * MSS);
    finish(&w);
}

/* The first segment arrives as if text up to @segs of them had been reported before it. */
static void late_by(struct world *w, uint32_t segs)
{
    w->k.late = 0;
    w->f->fack = seq_add(w->c->snd.una, segs * MSS);
    rack_arrived(&w->k, flight_at(w->f, 0), w->c->snd.una, seq_add(w->c->snd.una, MSS));
}

TEST(how_late_a_segment_was_is_remembered_up_to_the_knob_and_up_to_255)
{
    static const uint32_t cases[][3] = { { 300, 40, 40 }, { 300, 400, 255 }, { 8, 40, 8 } };

    for (uint32_t i = 0; i < LA_COUNT_OF(cases); i++) {
        struct world w;

        start(&w);
        assert_int_equal(la_sysctl_set(w.h.s, "net.ipv4.tcp_max_reordering", cases[i][0]), LA_OK);
        late_by(&w, cases[i][1]);
        assert_true(w.c->reordering_seen);
        assert_int_equal(w.c->reordering, cases[i][2]);
        assert_int_equal(la_counter(w.h.s, LA_COUNT_TCPSACKReorder), 1);
        late_by(&w, 4); /* less late than others were */
        assert_int_equal(w.c->reordering, cases[i][2]);
        assert_int_equal(w.c->reord_seen, 2);
        finish(&w);
    }
}

TEST(how_often_it_was_seen_is_counted_to_255)
{
    struct world w;

    start(&w);
    for (uint32_t i = 0; i < 300; i++)
        late_by(&w, 4);
    assert_int_equal(w.c->reord_seen, 255);
    assert_int_equal(la_counter(w.h.s, LA_COUNT_TCPSACKReorder), 300);
    finish(&w);
}

TEST(a_static_window_is_a_millisecond_and_no_dsack_widens_it)
{
    struct world w;

    start(&w);
    assert_int_equal(la_sysctl_set(w.h.s, "net.ipv4.tcp_recovery", 1 | 2), LA_OK);
    w.k.dsack = true;
    rack_dsack(&w.k);
    assert_int_equal(w.c->reo_mult, 1);
    assert_int_equal(rack_detect(&w.k), 0); /* not the 10 ms of min_RTT / 4: */
    assert_int_equal(w.k.lost, 5 * MSS);    /* the last was sent 1 ms before */
    finish(&w);
}

TEST(three_sacked_segments_may_be_told_to_mean_no_more_than_one)
{
    struct world w;

    start(&w);
    assert_int_equal(la_sysctl_set(w.h.s, "net.ipv4.tcp_recovery", 1 | 4), LA_OK);
    w.f->sacked_segs = 3;
    assert_int_equal(rack_detect(&w.k), 10000 - 1000);
    assert_int_equal(w.k.lost, 0);
    w.f->sacked_segs = 1;
    finish(&w);
}

TEST(the_window_is_widened_to_fifteen_quarters_at_the_most)
{
    struct world w;

    start(&w);
    w.k.dsack = true;
    for (uint32_t i = 0; i < 20; i++) {
        w.f->dsack_round = w.c->snd.una; /* the round trip has passed */
        rack_dsack(&w.k);
    }
    assert_int_equal(w.c->reo_mult, 15);
    finish(&w);
}

TEST(without_rack_bytes_count_as_segments_do_and_a_repetition_is_left_to_the_rto)
{
    struct world w;

    start(&w);
    assert_int_equal(la_sysctl_set(w.h.s, "net.ipv4.tcp_recovery", 0), LA_OK);
    assert_int_equal(rack_detect(&w.k), 0);
    assert_int_equal(w.k.lost, 0); /* one segment of SMSS */
    w.c->snd_mss = MSS / 2 - 1;    /* RFC 6675 4: more than (DupThresh - 1) * SMSS */
    (void)rack_detect(&w.k);
    assert_int_equal(w.k.lost, 5 * MSS);
    flight_sent_again(w.h.t, w.c, w.c->snd.una, seq_add(w.c->snd.una, MSS));
    w.h.t->env.now.ns += NS_PER_S;
    w.k.lost = 0;
    (void)rack_detect(&w.k);
    assert_int_equal(w.k.lost, 0);
    assert_int_equal(w.f->resend, 4 * MSS);
    finish(&w);
}

TEST(an_rto_believes_no_sack_of_a_peer_that_has_taken_back_the_first)
{
    struct world w;

    start(&w);
    flight_flags(w.f, w.c, 0, FLIGHT_SACKED); /* yet SND.UNA stands before it */
    rack_mark_all(w.h.t, w.c, w.f);
    assert_int_equal(w.f->sacked, 0);
    assert_int_equal(w.f->resend, 10 * MSS);
    assert_int_equal(la_counter(w.h.s, LA_COUNT_TCPSACKReneging), 1);
    finish(&w);
}

TEST(an_rto_before_anything_was_reported_takes_everything)
{
    struct world w;

    start(&w);
    flight_flags(w.f, w.c, 5, 0);
    w.f->rack_valid = false;
    rack_mark_all(w.h.t, w.c, w.f);
    assert_int_equal(w.f->resend, 10 * MSS);
    finish(&w);
}

TEST(whose_copy_arrived_is_told_by_the_time_stamp_if_there_is_one)
{
    for (uint32_t i = 0; i < 3; i++) { /* an echo of the first copy, of the second, none */
        struct world w;
        struct tcp_seg seg = { .flags = TCP_ACK };

        start(&w);
        w.c->timestamps = true;
        seg.opt.has_timestamps = i < 2;
        flight_flags(w.f, w.c, 0, FLIGHT_LOST);
        flight_sent_again(w.h.t, w.c, w.c->snd.una, seq_add(w.c->snd.una, MSS));
        seg.opt.ts_ecr = tcp_ts_now(w.h.t, w.c->ts_offset) - (i == 0 ? MIN_RTT_US / 1000 : 0);
        w.h.t->env.now.ns += (MIN_RTT_US + 5000) * NS_PER_US;
        w.k.seg = &seg;
        rack_arrived(&w.k, flight_at(w.f, 0), w.c->snd.una, seq_add(w.c->snd.una, MSS));
        assert_int_equal(w.f->rack_rtt_us, i == 0 ? MIN_RTT_US : MIN_RTT_US + 5000);
        assert_int_equal(w.k.delivered, 2 * MSS); /* with the one that was SACKed */
        w.c->timestamps = false;
        finish(&w);
    }
}

TEST_MAIN
