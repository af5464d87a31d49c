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
        assert_true(seq_eq(conn_iss(c), h.iss) && seq_eq(c->snd.una, seq_add(h.iss, 1)));
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
        assert_int_equal(la_sysctl_set(h.s, "net.ipv4.tcp_syncookies", 0), LA_OK);
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

/* Six records, five connections that wait: the sixth record's ACK finds no room. */
static struct hand crowd(bool v6, uint32_t abort)
{
    struct hand h;

    hand_new(&h, &(struct hand_opt){ .v6 = v6 });
    hand_listen(&h); /* backlog 4 */
    assert_int_equal(la_sysctl_set(h.s, "net.ipv4.tcp_abort_on_overflow", abort), LA_OK);
    h.rport = 6;
    hand_rx(&h, "SYN rcv 0 wnd 4000");
    const tcp_seq iss = record(&h)->iss;
    for (h.rport = 1; h.rport <= 5; h.rport++) {
        hand_rx(&h, "SYN rcv 0 wnd 4000");
        h.iss = record(&h)->iss;
        hand_rx(&h, "ACK rcv 1 snd 1 wnd 500");
    }
    h.rport = 6;
    h.iss = iss;
    hand_drain(&h);
    hand_rx(&h, "ACK rcv 1 snd 1 wnd 500");
    return h;
}

TEST(without_room_the_syn_ack_goes_on_repeating_and_its_answer_opens)
{
    for (int v6 = 0; v6 < 2; v6++) {
        struct hand h = crowd(v6, 0);
        struct la_accepted a;
        struct tcp_seg seg;

        assert_int_equal(la_counter(h.s, LA_COUNT_ListenOverflows), 1);
        assert_int_equal(la_counter(h.s, LA_COUNT_ListenDrops), 1);
        assert_true(record(&h)->flags & TCP_HALF_ACKED);
        assert_false(hand_tx_seg(&h, &seg));
        hand_wait(&h, 3 * NS_PER_S);
        assert_int_equal(hand_drain(&h), 2);
        assert_int_equal(la_accept(h.s, h.now, h.listener, 0, &a), LA_OK);
        hand_rx(&h, "ACK rcv 1 snd 1 wnd 500");
        assert_int_equal(used(&h), 0);
        assert_int_equal(listener_at(h.t, 0)->acked_len, 0);
        assert_null(la_check(h.s));
        hand_free(&h);
    }
}

TEST(without_room_and_with_abort_on_overflow_the_peer_is_reset)
{
    for (int v6 = 0; v6 < 2; v6++) {
        struct hand h = crowd(v6, 1);
        struct tcp_seg seg;

        assert_int_equal(used(&h), 0);
        assert_int_equal(la_drops(h.s, LA_DROP_OVERFLOW_RESET), 1);
        assert_int_equal(la_drops(h.s, LA_DROP_ACCEPT_QUEUE_FULL), 1);
        assert_int_equal(la_counter(h.s, LA_COUNT_ListenOverflows), 1);
        assert_int_equal(la_counter(h.s, LA_COUNT_EmbryonicRsts), 1);
        assert_true(hand_tx_seg(&h, &seg));
        assert_int_equal(seg.flags, TCP_RST);
        assert_true(seq_eq(seg.seq, seq_add(h.iss, 1)));
        assert_null(la_check(h.s));
        hand_free(&h);
    }
}

TEST(a_full_table_of_connections_at_the_last_ack_keeps_the_record_or_resets)
{
    for (uint32_t abort = 0; abort < 2; abort++) {
        struct la_config config;
        struct hand h;
        struct tcp_seg seg;

        hand_config(&config);
        config.connections = 1;
        hand_new(&h, &(struct hand_opt){ .config = &config });
        hand_listen(&h);
        assert_int_equal(la_sysctl_set(h.s, "net.ipv4.tcp_abort_on_overflow", abort), LA_OK);
        for (h.rport = 1; h.rport <= 2; h.rport++) {
            hand_rx(&h, "SYN rcv 0 wnd 4000");
            h.iss = record(&h)->iss;
            hand_drain(&h);
            hand_rx(&h, "ACK rcv 1 snd 1 wnd 500");
        }
        assert_int_equal(la_drops(h.s, LA_DROP_CONNS_FULL), 1);
        assert_int_equal(la_counter(h.s, LA_COUNT_ListenOverflows), 0);
        assert_int_equal(la_counter(h.s, LA_COUNT_ListenDrops), 1);
        assert_int_equal(used(&h), 1 - abort);
        assert_int_equal(listener_at(h.t, 0)->acked_len, 1 - abort);
        assert_int_equal(hand_tx_seg(&h, &seg), abort);
        assert_null(la_check(h.s));
        hand_free(&h);
    }
}

TEST(the_window_promised_holds_when_the_listeners_buffer_is_lowered_meanwhile)
{
    for (int v6 = 0; v6 < 2; v6++) {
        struct hand h = start(v6, "SYN rcv 0 wnd 4000");
        struct la_accepted a;
        struct tcp_seg synack;

        assert_true(hand_tx_seg(&h, &synack));
        h.iss = synack.seq;
        assert_int_equal(la_listener_set_option(h.s, h.listener, LA_OPT_RCVBUF, 1024), LA_OK);
        hand_rx(&h, "ACK rcv 60001 snd 1 wnd 500 len 10"); /* far out, and within */
        assert_int_equal(la_drops(h.s, LA_DROP_OUTSIDE_WINDOW), 0);
        assert_int_equal(la_accept(h.s, h.now, h.listener, 3, &a), LA_OK);
        h.conn = a.conn;
        assert_int_equal(tcp_rcv_wnd(hand_conn(&h)), synack.wnd);
        assert_int_equal(reassembly_bytes(h.t, hand_conn(&h)), 10);
        /* Lowered on the connection too: what was promised still finds room. */
        assert_int_equal(la_set_option(h.s, h.now, h.conn, LA_OPT_RCVBUF, 1024), LA_OK);
        for (uint32_t i = 1; i < 30; i++) {
            char line[64];

            snprintf(line, sizeof line, "ACK rcv %u snd 1 wnd 500 len 1000", 1 + 2000 * i);
            hand_rx(&h, line);
        }
        assert_int_equal(reassembly_bytes(h.t, hand_conn(&h)), 29010);
        assert_null(la_check(h.s));
        hand_free(&h);
    }
}

TEST(a_repeated_syn_is_answered_twice_a_second_at_the_most_and_delays_the_timer)
{
    struct hand h = start(false, "SYN rcv 0 wnd 4000");

    hand_drain(&h);
    hand_wait(&h, 900 * NS_PER_MS);
    hand_rx(&h, "SYN rcv 0 wnd 4000");
    assert_int_equal(hand_drain(&h), 1);
    hand_wait(&h, 400 * NS_PER_MS);
    hand_rx(&h, "SYN rcv 0 wnd 4000");
    assert_int_equal(hand_drain(&h), 0);
    assert_int_equal(la_counter(h.s, LA_COUNT_TCPACKSkippedSynRecv), 1);
    hand_wait(&h, 599 * NS_PER_MS); /* 1.899 s: the timer began again at 0.9 s */
    assert_int_equal(hand_drain(&h), 0);
    hand_wait(&h, NS_PER_MS);
    assert_int_equal(hand_drain(&h), 1);
    hand_free(&h);
}

TEST(deferred_connections_open_with_text_or_at_the_end_of_their_time)
{
    for (int text = 0; text < 2; text++) {
        struct hand h;

        hand_new(&h, NULL);
        hand_listen(&h);
        assert_int_equal(la_listener_set_option(h.s, h.listener, LA_OPT_DEFER_ACCEPT, 3), LA_OK);
        hand_rx(&h, "SYN rcv 0 wnd 4000");
        h.iss = record(&h)->iss;
        hand_drain(&h);
        hand_rx(&h, "ACK rcv 1 snd 1 wnd 500");
        assert_int_equal(la_counter(h.s, LA_COUNT_TCPDeferAcceptDrop), 1);
        assert_int_equal(la_drops(h.s, LA_DROP_DEFER_ACCEPT), 1);
        assert_int_equal(listener_at(h.t, 0)->acked_len, 1);
        if (text) {
            hand_rx(&h, "ACK rcv 1 snd 1 wnd 500 len 1");
        } else {
            hand_wait(&h, 3 * NS_PER_S - 1);
            assert_int_equal(hand_drain(&h), 0); /* the repeat after 1 s is left out */
            hand_wait(&h, 1);
            assert_int_equal(hand_drain(&h), 1);
            hand_rx(&h, "ACK rcv 1 snd 1 wnd 500");
        }
        assert_int_equal(listener_at(h.t, 0)->accept_len, 1);
        assert_null(la_check(h.s));
        hand_free(&h);
    }
}

TEST(a_deferred_connection_outlives_synack_retries_and_not_its_own_time)
{
    struct hand h;

    hand_new(&h, NULL);
    hand_listen(&h);
    assert_int_equal(la_sysctl_set(h.s, "net.ipv4.tcp_synack_retries", 1), LA_OK);
    assert_int_equal(la_listener_set_option(h.s, h.listener, LA_OPT_DEFER_ACCEPT, 15), LA_OK);
    hand_rx(&h, "SYN rcv 0 wnd 4000");
    h.iss = record(&h)->iss;
    hand_rx(&h, "ACK rcv 1 snd 1 wnd 500");
    hand_wait(&h, 30 * NS_PER_S);
    assert_int_equal(used(&h), 1);
    hand_wait(&h, NS_PER_S);
    assert_int_equal(used(&h), 0);
    assert_int_equal(la_drops(h.s, LA_DROP_SYN_RETRIES), 1);
    hand_free(&h);
}

TEST(old_records_get_fewer_repeats_while_the_queue_is_more_than_half_full)
{
    for (uint16_t n = 4; n <= 5; n++) { /* backlog 4, but eight at least count as its length */
        struct hand h;

        hand_new(&h, NULL);
        hand_listen(&h);
        for (h.rport = 1; h.rport <= n; h.rport++)
            hand_rx(&h, "SYN rcv 0 wnd 4000");
        hand_wait(&h, 10 * NS_PER_S); /* due at 7 s with two repeats made */
        assert_int_equal(used(&h), 4);
        hand_free(&h);
    }
}

TEST_MAIN
