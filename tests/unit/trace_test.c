/* SPDX-License-Identifier: MIT */
/* trace_test.c - Trace records: what each kind says, their order, and what a full ring forgets. */
#include "tests/unit/base_test.h"
#include "tests/unit/hand.h"

static struct la_trace r[64];
static uint64_t lost;

static uint32_t take(struct hand *h)
{
    lost = 0;
    return la_trace_read(h->s, r, 64, &lost);
}

TEST(a_segment_leaves_its_arrival_the_change_it_made_and_the_answer_in_this_order)
{
    for (int v6 = 0; v6 < 2; v6++) {
        struct hand h;

        hand_new(&h, &(struct hand_opt){ .v6 = v6, .iss = 100, .irs = 900 });
        hand_establish(&h, NULL);
        (void)take(&h);
        hand_rx(&h, "FIN ACK rcv 1 snd 1 len 10 wnd 777");
        hand_drain(&h);
        assert_int_equal(take(&h), 3);
        uint32_t rx = 0, change = 0;
        for (uint32_t i = 0; i < 3; i++) {
            rx = r[i].kind == LA_TRACE_RX ? i : rx;
            change = r[i].kind == LA_TRACE_STATE ? i : change;
            assert_int_equal(r[i].at.ns, h.now.ns);
            assert_int_equal(r[i].conn, h.conn.bits);
            assert_true(la_addr_equal(r[i].local.addr, h.us));
            assert_int_equal(r[i].remote.port, h.rport);
        }
        assert_int_equal(r[rx].seq, 901);
        assert_int_equal(r[rx].ack, 101);
        assert_int_equal(r[rx].len_bytes, 10);
        assert_int_equal(r[rx].wnd, 777);
        assert_int_equal(r[rx].flags, TCP_FIN | TCP_ACK);
        assert_int_equal(r[rx].from, LA_ESTABLISHED);
        assert_int_equal(r[rx].to, LA_CLOSE_WAIT);
        assert_int_equal(r[rx].reason, LA_DROP_NONE);
        assert_int_equal(r[change].from, LA_ESTABLISHED);
        assert_int_equal(r[change].to, LA_CLOSE_WAIT);
        assert_int_equal(r[2].kind, LA_TRACE_TX);
        assert_int_equal(r[2].ack, 912);
        hand_free(&h);
    }
}

TEST(a_discard_names_its_reason)
{
    struct hand h;

    hand_new(&h, NULL);
    hand_establish(&h, NULL);
    (void)take(&h);
    hand_rx(&h, "RST rcv 100000");
    assert_int_equal(take(&h), 1);
    assert_int_equal(r[0].kind, LA_TRACE_RX);
    assert_int_equal(r[0].reason, LA_DROP_RST_OUTSIDE_WINDOW);
    assert_int_equal(r[0].from, r[0].to);
    hand_free(&h);
}

TEST(a_repeat_is_marked_and_so_is_the_timer_that_caused_it)
{
    struct hand h;

    hand_new(&h, NULL);
    hand_establish(&h, NULL);
    assert_int_equal(la_send(h.s, h.now, h.conn, "abc", 3, 0), 3);
    hand_drain(&h);
    (void)take(&h);
    hand_rto(&h);
    hand_drain(&h);
    assert_int_equal(take(&h), 3);
    assert_int_equal(r[0].kind, LA_TRACE_TIMEOUT);
    assert_int_equal(r[0].timer, LA_TIMER_RTO);
    assert_int_equal(r[1].kind, LA_TRACE_RECOVERY);
    assert_int_equal(r[1].timer, LA_RECOVERY_RTO);
    assert_int_equal(r[1].cwnd, 1460);
    assert_int_equal(r[2].kind, LA_TRACE_TX);
    assert_true(r[2].retransmission);
    hand_free(&h);
}

TEST(the_end_of_a_connection_tells_why)
{
    struct hand h;

    hand_new(&h, NULL);
    hand_establish(&h, NULL);
    (void)take(&h);
    hand_rx(&h, "RST rcv 1");
    const uint32_t n = take(&h);
    uint32_t ends = 0;
    for (uint32_t i = 0; i < n; i++)
        if (r[i].kind == LA_TRACE_END) {
            assert_int_equal(r[i].reason, LA_DROP_RESET);
            assert_int_equal(r[i].from, LA_ESTABLISHED);
            ends++;
        }
    assert_int_equal(ends, 1);
    hand_free(&h);
}

TEST(a_full_ring_forgets_the_oldest_and_counts_them)
{
    struct hand h;

    hand_new(&h, NULL); /* 64 records */
    for (uint32_t i = 0; i < 100; i++) {
        h.rport = (uint16_t)(1 + i);
        hand_rx(&h, "RST rcv 1");
    }
    assert_int_equal(take(&h), 64);
    assert_int_equal(lost, 36);
    for (uint32_t i = 0; i < 64; i++)
        assert_int_equal(r[i].remote.port, 37 + i);
    assert_int_equal(take(&h), 0);
    assert_int_equal(lost, 0); /* told once */
    hand_free(&h);
}

TEST(records_are_taken_a_few_at_a_time_oldest_first)
{
    struct hand h;

    hand_new(&h, NULL);
    for (uint32_t i = 0; i < 10; i++) {
        h.rport = (uint16_t)(1 + i);
        hand_rx(&h, "RST rcv 1");
    }
    for (uint32_t i = 0; i < 10; i += 2) {
        assert_int_equal(la_trace_read(h.s, r, 2, &lost), 2);
        assert_int_equal(r[0].remote.port, 1 + i);
        assert_int_equal(r[1].remote.port, 2 + i);
    }
    hand_free(&h);
}

TEST(without_a_ring_nothing_is_recorded)
{
    struct la_config config;
    struct hand h;

    hand_config(&config);
    config.trace_records = 0;
    hand_new(&h, &(struct hand_opt){ .config = &config });
    hand_establish(&h, NULL);
    assert_int_equal(take(&h), 0);
    assert_int_equal(lost, 0);
    hand_free(&h);
}

TEST_MAIN
