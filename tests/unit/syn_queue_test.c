/* SPDX-License-Identifier: MIT */
/* syn_queue_test.c - Half-open records: SYN-ACKs, their repeats, what grows out of a record. */
#include "tests/unit/base_test.h"
#include "tests/unit/hand.h"

static struct hand start(bool v6, const char *syn)
{
    struct hand h;

    hand_new(&h, &(struct hand_opt){ .v6 = v6, .irs = 0xfffffff0 });
    hand_listen(&h);
    hand_rx(&h, syn);
    return h;
}

static uint32_t used(const struct hand *h)
{
    return h->t->half4.used + h->t->half6.used;
}

static struct tcp_half *record(const struct hand *h)
{
    struct tcp_flow f = { h->us, h->peer, h->lport, h->rport };
    const struct index_entry e = tcp_lookup(h->t, &f, tcp_hash(h->t, &f));

    assert_int_equal(e.type, INDEX_HALF_OPEN);
    return half_at(h->t, e.value);
}

TEST(a_syn_leaves_a_record_and_draws_a_syn_ack_that_answers_its_options)
{
    for (int v6 = 0; v6 < 2; v6++) {
        struct hand h = start(v6, "SYN rcv 0 wnd 4000 mss 1400 wscale 3 sackOK TS 100:0");
        const struct tcp_half *r = record(&h);

        assert_int_equal(used(&h), 1);
        assert_int_equal(seq_raw(r->irs), 0xfffffff0);
        assert_int_equal(r->mss, 1400);
        assert_int_equal(r->wnd, 4000);
        assert_int_equal(r->wscale, 3);
        assert_int_equal(r->flags, TCP_HALF_SACK | TCP_HALF_TIMESTAMPS);
        struct tcp_seg seg;
        assert_true(hand_tx_seg(&h, &seg));
        assert_int_equal(seg.flags, TCP_SYN | TCP_ACK);
        assert_true(seq_eq(seg.ack, seq_add(r->irs, 1)));
        assert_true(seq_eq(seg.seq, r->iss));
        assert_true(seg.opt.has_mss && seg.opt.has_wscale && seg.opt.has_sack_ok);
        assert_int_equal(seg.opt.mss, v6 ? 1440 : 1460);
        assert_true(seg.opt.has_timestamps);
        assert_int_equal(seg.opt.ts_ecr, 100);
        assert_false(hand_tx_seg(&h, &seg));
        assert_null(la_check(h.s));
        hand_free(&h);
    }
}

TEST(what_the_syn_did_not_offer_the_syn_ack_does_not_answer)
{
    for (int v6 = 0; v6 < 2; v6++) {
        struct hand h = start(v6, "SYN rcv 0 wnd 4000");
        struct tcp_seg seg;

        assert_int_equal(record(&h)->mss, v6 ? 1220 : 536); /* MUST-15 */
        assert_true(hand_tx_seg(&h, &seg));
        assert_true(seg.opt.has_mss);
        assert_false(seg.opt.has_wscale || seg.opt.has_sack_ok || seg.opt.has_timestamps);
        hand_free(&h);
    }
}

TEST(a_window_scale_above_14_counts_as_14)
{
    struct hand h = start(false, "SYN rcv 0 wnd 4000 wscale 15");

    assert_int_equal(record(&h)->wscale, 14);
    hand_free(&h);
}

TEST(the_syn_ack_is_repeated_after_1_2_4_8_16_seconds_and_the_record_goes_32_later)
{
    for (int v6 = 0; v6 < 2; v6++) {
        struct hand h = start(v6, "SYN rcv 0 wnd 4000");

        assert_int_equal(hand_drain(&h), 1);
        for (uint64_t s = 1; s <= 16; s *= 2) {
            hand_wait(&h, s * NS_PER_S - 1);
            assert_int_equal(hand_drain(&h), 0);
            assert_int_equal(la_deadline(h.s).ns, h.now.ns + 1);
            hand_wait(&h, 1);
            assert_int_equal(hand_drain(&h), 1);
            assert_null(la_check(h.s));
        }
        hand_wait(&h, 32 * NS_PER_S - 1);
        assert_int_equal(used(&h), 1);
        hand_wait(&h, 1);
        assert_int_equal(used(&h), 0);
        assert_int_equal(hand_drain(&h), 0);
        assert_int_equal(la_drops(h.s, LA_DROP_SYN_RETRIES), 1);
        assert_int_equal(la_deadline(h.s).ns, UINT64_MAX);
        assert_int_equal(listener_at(h.t, 0)->half_len, 0);
        hand_free(&h);
    }
}

TEST(the_peers_own_repeat_draws_the_same_syn_ack_and_no_second_record)
{
    struct hand h = start(false, "SYN rcv 0 wnd 4000");
    struct tcp_seg first, second;

    assert_true(hand_tx_seg(&h, &first));
    hand_wait(&h, NS_PER_S / 2);
    hand_rx(&h, "SYN rcv 0 wnd 4000");
    assert_int_equal(used(&h), 1);
    assert_true(hand_tx_seg(&h, &second));
    assert_true(seq_eq(first.seq, second.seq));
    assert_int_equal(record(&h)->flags & TCP_HALF_RESENT, TCP_HALF_RESENT); /* Karn */
    hand_free(&h);
}

TEST(a_connection_takes_over_what_its_record_remembers)
{
    for (int v6 = 0; v6 < 2; v6++) {
        struct hand h = start(v6, "SYN rcv 0 wnd 4000 mss 1000 wscale 3 sackOK TS 100:0");
        struct la_accepted accepted;

        h.iss = record(&h)->iss;
        hand_drain(&h);
        hand_wait(&h, 30 * NS_PER_MS);
        hand_rx(&h, "ACK rcv 1 snd 1 wnd 500 TS 101:0");
        assert_int_equal(used(&h), 0);
        assert_int_equal(la_accept(h.s, h.now, h.listener, 3, &accepted), LA_OK);
        h.conn = accepted.conn;
        const struct tcp_conn *c = hand_conn(&h);
        assert_int_equal(c->state, LA_ESTABLISHED);
        assert_int_equal(c->snd_shift, 3);
        assert_int_equal(c->snd.wnd, 500u << 3);
        assert_int_equal(c->snd_mss, 1000 - 12);
        assert_true(c->sack && c->timestamps && !c->active);
        assert_int_equal(c->ts_recent, 101);
        assert_int_equal(c->srtt_us8 / 8, 30000);
        assert_true(seq_eq(c->iss, h.iss) && seq_eq(c->snd.una, seq_add(h.iss, 1)));
        assert_true(la_addr_equal(accepted.local.addr, h.us));
        assert_null(la_check(h.s));
        hand_free(&h);
    }
}

TEST(a_syn_ack_that_was_repeated_gives_no_sample_and_one_segment_of_congestion_window)
{
    struct hand h = start(false, "SYN rcv 0 wnd 4000 mss 1000");
    struct la_accepted accepted;

    h.iss = record(&h)->iss;
    hand_wait(&h, NS_PER_S);
    hand_drain(&h);
    hand_rx(&h, "ACK rcv 1 snd 1 wnd 500");
    assert_int_equal(la_accept(h.s, h.now, h.listener, 3, &accepted), LA_OK);
    h.conn = accepted.conn;
    assert_int_equal(hand_conn(&h)->srtt_us8, 0);
    assert_int_equal(hand_conn(&h)->cwnd, 1000);
    hand_free(&h);
}

TEST(a_full_table_of_records_refuses_and_counts)
{
    for (int v6 = 0; v6 < 2; v6++) {
        struct la_config config;
        struct hand h;

        hand_config(&config);
        config.half_open_v4 = config.half_open_v6 = 2;
        hand_new(&h, &(struct hand_opt){ .v6 = v6, .config = &config });
        hand_listen(&h);
        for (h.rport = 1; h.rport <= 3; h.rport++)
            hand_rx(&h, "SYN rcv 0 wnd 4000");
        assert_int_equal(used(&h), 2);
        assert_int_equal(la_drops(h.s, LA_DROP_HALF_OPEN_FULL), 1);
        assert_int_equal(hand_drain(&h), 2);
        assert_null(la_check(h.s));
        hand_free(&h);
    }
}

TEST(a_full_accept_queue_leaves_the_record_until_there_is_room)
{
    struct hand h;
    struct la_accepted accepted;

    hand_new(&h, NULL);
    hand_listen(&h); /* backlog 4: five may wait */
    for (h.rport = 1; h.rport <= 6; h.rport++) {
        if (h.rport == 6) /* the queue is full: SYNs are refused, so open while it was not */
            listener_at(h.t, 0)->backlog = 5;
        hand_rx(&h, "SYN rcv 0 wnd 4000");
        h.iss = record(&h)->iss;
        if (h.rport == 6)
            listener_at(h.t, 0)->backlog = 4;
        hand_rx(&h, "ACK rcv 1 snd 1 wnd 500");
    }
    assert_int_equal(used(&h), 1);
    assert_int_equal(la_drops(h.s, LA_DROP_ACCEPT_QUEUE_FULL), 1);
    assert_int_equal(la_counter(h.s, LA_COUNT_ListenOverflows), 1);
    assert_int_equal(la_accept(h.s, h.now, h.listener, 0, &accepted), LA_OK);
    h.rport = 6;
    hand_rx(&h, "ACK rcv 1 snd 1 wnd 500");
    assert_int_equal(used(&h), 0);
    assert_int_equal(listener_at(h.t, 0)->accept_len, 5);
    assert_null(la_check(h.s));
    hand_free(&h);
}

TEST(records_stay_in_order_when_the_longest_timeout_is_lowered_meanwhile)
{
    struct hand h;

    hand_new(&h, NULL);
    hand_listen(&h);
    hand_rx(&h, "SYN rcv 0 wnd 4000");
    hand_wait(&h, 3 * NS_PER_S); /* two repeats: four seconds to the next */
    assert_int_equal(la_sysctl_set(h.s, "net.ipv4.tcp_rto_max_ms", 1000), LA_OK);
    h.rport++;
    hand_rx(&h, "SYN rcv 0 wnd 4000");
    hand_wait(&h, 2 * NS_PER_S);
    hand_drain(&h);
    assert_null(la_check(h.s));
    hand_wait(&h, 60 * NS_PER_S);
    assert_int_equal(used(&h), 0);
    assert_int_equal(la_deadline(h.s).ns, UINT64_MAX);
    hand_free(&h);
}

TEST(a_listener_that_closes_takes_its_records_along)
{
    for (int v6 = 0; v6 < 2; v6++) {
        struct hand h = start(v6, "SYN rcv 0 wnd 4000");

        h.lport = 81;
        const la_listener_id first = h.listener;
        hand_listen(&h);
        hand_rx(&h, "SYN rcv 0 wnd 4000");
        assert_int_equal(used(&h), 2);
        assert_int_equal(la_listener_close(h.s, h.now, first), LA_OK);
        assert_int_equal(used(&h), 1);
        assert_int_equal(la_drops(h.s, LA_DROP_LISTENER_CLOSED), 1);
        assert_null(la_check(h.s));
        hand_free(&h);
    }
}

TEST_MAIN
