/* SPDX-License-Identifier: MIT */
/*
 * pmtu_test.c - What is remembered of paths: a table with an end, in which everything has its time.
 */
#include "core/tcp/pmtu.h"
#include "tests/unit/base_test.h"
#include "tests/unit/hand.h"

static uint8_t bytes[20000];

/* A connection to another peer, with text in flight. */
static void other_peer(struct hand *h, uint32_t number)
{
    h->peer.bytes[14] = (uint8_t)(number / 200);
    h->peer.bytes[15] = (uint8_t)(10 + number % 200);
    h->rport = (uint16_t)(3000 + number);
    hand_establish(h, NULL);
    assert_int_equal(la_send(h->s, h->now, h->conn, bytes, 1400, 0), 1400);
    hand_drain(h);
}

static void too_big(struct hand *h, uint32_t mtu_bytes)
{
    assert_int_equal(pmtu_too_big(h->t, conn_index(h->t, hand_conn(h)), mtu_bytes), LA_DROP_NONE);
}

static uint32_t rows(const struct hand *h)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < LA_PMTU_ROWS; i++)
        n += h->t->pmtu.rows[i].mtu_bytes > 0;
    return n;
}

TEST(the_table_has_an_end_and_the_newest_is_always_in_it)
{
    for (int v6 = 0; v6 < 2; v6++) {
        struct hand h;

        hand_new(&h, &(struct hand_opt){ .v6 = v6 });
        assert_int_equal(la_route_add(h.s, la_prefix_any(), 0), LA_OK);
        for (uint32_t i = 0; i < 8 * LA_PMTU_ROWS; i++) {
            other_peer(&h, i);
            too_big(&h, 1300);
            assert_int_equal(pmtu_limit(h.t, hand_conn(&h)), 1300);
            assert_int_equal(la_abort(h.s, h.now, h.conn), LA_OK);
            hand_drain(&h);
        }
        assert_int_equal(rows(&h), LA_PMTU_ROWS);
        assert_null(la_check(h.s));
        hand_free(&h);
    }
}

TEST(a_row_is_given_back_when_its_time_has_come)
{
    struct hand h;

    hand_new(&h, NULL);
    assert_int_equal(la_sysctl_set(h.s, "net.ipv4.route.mtu_expires", 10), LA_OK);
    other_peer(&h, 1);
    too_big(&h, 1300);
    assert_int_equal(rows(&h), 1);
    const uint8_t epoch = h.t->pmtu.epoch;
    const uint64_t hash = la_hash(h.s);

    h.now.ns += 10 * NS_PER_S;
    (void)la_tick(h.s, h.now, 64);
    hand_drain(&h);
    assert_int_equal(rows(&h), 0);
    assert_int_equal(h.t->pmtu.next.ns, UINT64_MAX);
    assert_true(h.t->pmtu.epoch != epoch);
    assert_true(la_hash(h.s) != hash);
    assert_int_equal(pmtu_limit(h.t, hand_conn(&h)), 1500);
    hand_free(&h);
}

TEST(of_a_full_set_the_row_nearest_its_end_goes)
{
    struct hand h;

    hand_new(&h, NULL);
    for (uint32_t i = 0; i < 3 * LA_PMTU_ROWS; i++) {
        h.now.ns += NS_PER_S;
        (void)la_tick(h.s, h.now, 64);
        other_peer(&h, i);
        too_big(&h, 1300);
        assert_int_equal(la_abort(h.s, h.now, h.conn), LA_OK);
        hand_drain(&h);
    }
    /* Sets of four: whatever the hash does, the newest of each set are kept. */
    for (uint32_t i = 0; i < LA_PMTU_ROWS; i++)
        for (uint32_t j = i / 4 * 4; j < i / 4 * 4 + 4; j++)
            if (i != j && h.t->pmtu.rows[i].mtu_bytes > 0 && h.t->pmtu.rows[j].mtu_bytes > 0)
                assert_true(h.t->pmtu.rows[i].expires.ns != h.t->pmtu.rows[j].expires.ns);
    hand_free(&h);
}

TEST(a_second_word_about_the_same_destination_takes_the_same_row)
{
    struct hand h;

    hand_new(&h, NULL);
    other_peer(&h, 1);
    too_big(&h, 1400);
    too_big(&h, 1300);
    assert_int_equal(rows(&h), 1);
    assert_int_equal(pmtu_too_big(h.t, conn_index(h.t, hand_conn(&h)), 1300), LA_DROP_ICMP_MTU);
    assert_int_equal(pmtu_limit(h.t, hand_conn(&h)), 1300);
    hand_free(&h);
}

TEST(another_connection_sends_again_what_it_knows_to_be_too_big)
{
    struct hand h;
    la_conn_id first;

    hand_new(&h, NULL);
    other_peer(&h, 1);
    first = h.conn;
    h.rport = 4000;
    hand_establish(&h, NULL);
    assert_int_equal(la_send(h.s, h.now, h.conn, bytes, 1400, 0), 1400);
    hand_drain(&h);
    too_big(&h, 1300);
    hand_drain(&h);

    h.conn = first;
    assert_int_equal(hand_conn(&h)->snd_mss, 1460);
    assert_int_equal(la_send(h.s, h.now, first, bytes, 10, 0), 10);
    hand_drain(&h);
    assert_int_equal(hand_conn(&h)->snd_mss, 1260);
    assert_true(hand_conn(&h)->segs_retransmitted > 0);
    hand_free(&h);
}

TEST(the_knobs_have_linuxs_names_and_defaults_and_what_is_not_done_is_refused)
{
    static const struct {
        const char *name;
        uint64_t value, good, bad;
    } knobs[] = {
        { "net.ipv4.route.min_pmtu", 552, 68, 67 },
        { "net.ipv4.route.mtu_expires", 600, 1, 0 },
        { "net.ipv4.tcp_mtu_probing", 0, 2, 3 },
        { "net.ipv4.tcp_base_mss", 1024, 48, 47 },
        { "net.ipv4.tcp_mtu_probe_floor", 48, 1000, 47 },
        { "net.ipv4.tcp_probe_interval", 600, 1, 0 },
        { "net.ipv4.tcp_probe_threshold", 8, 0, 65536 },
        { "net.ipv4.tcp_min_snd_mss", LA_SEND_MSS_MIN, 48, 47 },
    };
    struct hand h;

    hand_new(&h, NULL);
    for (uint32_t i = 0; i < LA_COUNT_OF(knobs); i++) {
        uint64_t value;

        assert_int_equal(la_sysctl_get(h.s, knobs[i].name, &value), LA_OK);
        assert_int_equal(value, knobs[i].value);
        assert_int_equal(la_sysctl_set(h.s, knobs[i].name, knobs[i].good), LA_OK);
        assert_int_equal(la_sysctl_set(h.s, knobs[i].name, knobs[i].bad), LA_EINVAL);
    }
    /* Linux clears DF with it. */
    assert_int_equal(la_sysctl_set(h.s, "net.ipv4.ip_no_pmtu_disc", 1), LA_ENOENT);
    hand_free(&h);
}

TEST(the_least_segment_can_be_made_as_small_as_linuxs)
{
    struct hand h;

    hand_new(&h, NULL);
    assert_int_equal(la_sysctl_set(h.s, "net.ipv4.tcp_min_snd_mss", 48), LA_OK);
    hand_open(&h);
    hand_drain(&h);
    hand_rx(&h, "SYN ACK rcv 0 snd 1 wnd 1000 mss 1");
    assert_int_equal(hand_conn(&h)->snd_mss, 48);
    hand_free(&h);
}

TEST(of_what_is_too_big_only_what_was_not_sacked_goes_again)
{
    for (int v6 = 0; v6 < 2; v6++) {
        struct hand h;
        struct tcp_seg seg;
        uint32_t again = 0;

        hand_new(&h, &(struct hand_opt){ .v6 = v6 });
        hand_establish(&h, &(struct hand_opt){ .v6 = v6, .syn = "wnd 65535 mss 1400 sackOK" });
        assert_int_equal(la_send(h.s, h.now, h.conn, bytes, 5 * 1400, 0), 5 * 1400);
        assert_int_equal(hand_drain(&h), 5);
        hand_rx(&h, "ACK rcv 1 snd 1 wnd 65535 sack 1401:2801");
        const uint32_t ssthresh = hand_conn(&h)->ssthresh;
        too_big(&h, 1300);
        while (hand_tx_seg(&h, &seg)) {
            const uint32_t at = seq_diff(h.iss, seg.seq);

            assert_true(at + seg.len <= 1401 || at >= 2801);
            assert_true(seg.len + (v6 ? 60u : 40u) <= 1300);
            again += seg.len;
        }
        assert_int_equal(again, 4 * 1400);
        assert_int_equal(hand_conn(&h)->ssthresh, ssthresh); /* it tells of no congestion */
        assert_null(la_check(h.s));
        hand_free(&h);
    }
}

TEST(a_row_whose_time_has_not_come_stays_when_another_goes)
{
    struct hand h;

    hand_new(&h, NULL);
    assert_int_equal(la_sysctl_set(h.s, "net.ipv4.route.mtu_expires", 10), LA_OK);
    other_peer(&h, 1);
    too_big(&h, 1300);
    h.now.ns += 6 * NS_PER_S;
    (void)la_tick(h.s, h.now, 64);
    other_peer(&h, 2);
    too_big(&h, 1200);
    assert_int_equal(rows(&h), 2);
    h.now.ns += 5 * NS_PER_S;
    (void)la_tick(h.s, h.now, 64);
    hand_drain(&h);
    assert_int_equal(rows(&h), 1);
    assert_int_equal(pmtu_limit(h.t, hand_conn(&h)), 1200);
    h.now.ns += 6 * NS_PER_S;
    (void)la_tick(h.s, h.now, 64);
    hand_drain(&h);
    assert_int_equal(rows(&h), 0);
    hand_free(&h);
}

TEST(each_black_hole_halves_the_segment_down_to_its_floors)
{
    static const struct {
        uint32_t base, floor, min, wanted[4];
    } cases[] = {
        { 1024, 48, 216, { 1024, 512, 256, 216 } },
        { 1024, 300, 48, { 1024, 512, 300, 300 } },
        { 700, 48, 48, { 700, 350, 175, 87 } },
    };

    for (uint32_t i = 0; i < LA_COUNT_OF(cases); i++) {
        struct hand h;

        hand_new(&h, &(struct hand_opt){ .mtu_bytes = 9000 });
        assert_int_equal(la_sysctl_set(h.s, "net.ipv4.tcp_mtu_probing", 1), LA_OK);
        assert_int_equal(la_sysctl_set(h.s, "net.ipv4.tcp_base_mss", cases[i].base), LA_OK);
        assert_int_equal(la_sysctl_set(h.s, "net.ipv4.tcp_mtu_probe_floor", cases[i].floor), LA_OK);
        assert_int_equal(la_sysctl_set(h.s, "net.ipv4.tcp_min_snd_mss", cases[i].min), LA_OK);
        hand_establish(&h, &(struct hand_opt){ .syn = "wnd 65535 mss 8960" });
        struct tcp_conn *c = hand_conn(&h);
        pmtu_black_hole(h.t, hand_ci(&h)); /* the first begins a search */
        assert_int_equal(c->snd_mss, cases[i].base);
        conn_set_mss(h.t, c, 6000); /* which went far */
        for (uint32_t k = 0; k < 4; k++) {
            pmtu_black_hole(h.t, hand_ci(&h));
            assert_int_equal(c->snd_mss, cases[i].wanted[k]);
        }
        hand_free(&h);
    }
}

TEST(a_search_that_begins_no_lower_leaves_the_window_alone)
{
    struct hand h;

    hand_new(&h, NULL);
    assert_int_equal(la_sysctl_set(h.s, "net.ipv4.tcp_mtu_probing", 2), LA_OK);
    assert_int_equal(la_sysctl_set(h.s, "net.ipv4.tcp_base_mss", 1460), LA_OK);
    hand_establish(&h, NULL);
    assert_int_equal(hand_conn(&h)->snd_mss, 1460);
    assert_int_equal(hand_conn(&h)->cwnd, 10 * 1460);
    hand_free(&h);
}

TEST_MAIN
