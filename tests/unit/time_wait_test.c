/* SPDX-License-Identifier: MIT */
/* time_wait_test.c - Short records: how long they stay, who makes room, what they refuse. */
#include "tests/unit/base_test.h"
#include "tests/unit/hand.h"

static uint32_t used(const struct hand *h)
{
    return h->t->short4.used + h->t->short6.used;
}

/* A connection from port @rport, closed by us first; its short record is in TIME-WAIT. */
static void to_time_wait(struct hand *h, uint16_t rport)
{
    h->rport = rport;
    hand_establish(h, NULL);
    assert_int_equal(la_close(h->s, h->now, h->conn), LA_OK);
    hand_drain(h);
    hand_rx(h, "FIN ACK rcv 1 snd 2 wnd 1000");
    hand_drain(h);
}

/* The record of @rport; NULL if it is gone. */
static struct tcp_short *record(const struct hand *h, uint16_t rport)
{
    const struct tcp_flow f = { h->us, h->peer, h->lport, rport };
    const struct index_entry e = tcp_lookup(h->t, &f, tcp_hash(h->t, &f));

    return e.type == INDEX_SHORT ? short_at(h->t, e.value) : NULL;
}

TEST(time_wait_lasts_twice_the_msl_to_the_nanosecond)
{
    for (int v6 = 0; v6 < 2; v6++) {
        struct hand h;

        hand_new(&h, &(struct hand_opt){ .v6 = v6 });
        to_time_wait(&h, 5000);
        assert_int_equal(used(&h), 1);
        assert_int_equal(h.t->conns.used, 0); /* the connection is gone */
        hand_wait(&h, 60 * NS_PER_S - 1);
        assert_int_equal(used(&h), 1);
        assert_int_equal(la_deadline(h.s).ns, h.now.ns + 1);
        hand_wait(&h, 1);
        assert_int_equal(used(&h), 0);
        assert_int_equal(la_drops(h.s, LA_DROP_TIME_WAIT_END), 1);
        assert_int_equal(la_counter(h.s, LA_COUNT_TW), 1);
        assert_null(la_check(h.s));
        hand_free(&h);
    }
}

TEST(a_repeated_fin_is_acknowledged_and_begins_2msl_anew)
{
    struct hand h;

    hand_new(&h, &(struct hand_opt){ .iss = 0xffffffff, .irs = 0x7fffffff });
    to_time_wait(&h, 5000);
    hand_wait(&h, 30 * NS_PER_S);
    hand_rx(&h, "FIN ACK rcv 1 snd 2 wnd 1000");
    assert_string_equal(hand_tx(&h), "ACK snd 2 rcv 2 wnd 65534");
    hand_wait(&h, 60 * NS_PER_S - 1);
    assert_int_equal(used(&h), 1);
    hand_wait(&h, 1);
    assert_int_equal(used(&h), 0);
    hand_free(&h);
}

TEST(a_changed_msl_applies_to_those_that_come_later)
{
    struct hand h;

    hand_new(&h, NULL);
    to_time_wait(&h, 1);
    assert_int_equal(la_sysctl_set(h.s, "net.lastack.tcp_msl_ms", 500), LA_OK);
    to_time_wait(&h, 2);
    assert_null(la_check(h.s));
    hand_wait(&h, NS_PER_S);
    assert_null(record(&h, 2));
    assert_non_null(record(&h, 1));
    hand_wait(&h, 59 * NS_PER_S);
    assert_null(record(&h, 1));
    hand_free(&h);
}

TEST(an_msl_of_zero_means_no_time_wait)
{
    struct hand h;

    hand_new(&h, NULL);
    assert_int_equal(la_sysctl_set(h.s, "net.lastack.tcp_msl_ms", 0), LA_OK);
    to_time_wait(&h, 1);
    assert_int_equal(used(&h), 0);
    assert_int_equal(la_counter(h.s, LA_COUNT_TCPTimeWaitOverflow), 0);
    assert_int_equal(h.t->index.entries, 0);
    assert_int_equal(la_deadline(h.s).ns, UINT64_MAX);
    hand_free(&h);
}

TEST(four_durations_stand_side_by_side_and_a_fifth_lasts_as_long_as_the_next)
{
    static const uint32_t msl_ms[] = { 4000, 1000, 3000, 2000, 1500, 5000, 500 };
    static const uint32_t lasts_s[] = { 8, 2, 6, 4, 4, 8, 2 };
    struct la_config config;
    struct hand h;

    hand_config(&config);
    config.short_v4 = 32;
    hand_new(&h, &(struct hand_opt){ .config = &config });
    for (uint16_t i = 0; i < LA_COUNT_OF(msl_ms); i++) {
        assert_int_equal(la_sysctl_set(h.s, "net.lastack.tcp_msl_ms", msl_ms[i]), LA_OK);
        to_time_wait(&h, i + 1);
        assert_null(la_check(h.s));
        assert_int_equal(record(&h, i + 1)->expires.ns - h.now.ns, lasts_s[i] * NS_PER_S);
    }
    hand_wait(&h, 8 * NS_PER_S);
    assert_int_equal(used(&h), 0);
    to_time_wait(&h, 9); /* classes are free again */
    assert_int_equal(record(&h, 9)->expires.ns - h.now.ns, NS_PER_S);
    hand_free(&h);
}

TEST(a_connection_has_a_2msl_of_its_own)
{
    for (int v6 = 0; v6 < 2; v6++) {
        struct hand h;

        hand_new(&h, &(struct hand_opt){ .v6 = v6 });
        hand_establish(&h, NULL);
        assert_int_equal(la_set_option(h.s, h.now, h.conn, LA_OPT_MSL, 7000), LA_OK);
        assert_int_equal(la_close(h.s, h.now, h.conn), LA_OK);
        hand_drain(&h);
        hand_rx(&h, "FIN ACK rcv 1 snd 2 wnd 1000");
        assert_int_equal(record(&h, h.rport)->expires.ns - h.now.ns, 14 * NS_PER_S);
        hand_wait(&h, 5 * NS_PER_S);
        hand_rx(&h, "FIN ACK rcv 1 snd 2 wnd 1000"); /* begins anew, as long as before */
        assert_int_equal(record(&h, h.rport)->expires.ns - h.now.ns, 14 * NS_PER_S);
        hand_free(&h);
    }
}

TEST(an_orphan_in_fin_wait_2_remembers_the_2msl_of_its_connection)
{
    for (uint32_t msl_ms = 0; msl_ms < 4000; msl_ms += 3000) {
        struct hand h;

        hand_new(&h, NULL);
        hand_establish(&h, NULL);
        assert_int_equal(la_set_option(h.s, h.now, h.conn, LA_OPT_MSL, msl_ms), LA_OK);
        assert_int_equal(la_close(h.s, h.now, h.conn), LA_OK);
        hand_drain(&h);
        hand_rx(&h, "ACK rcv 1 snd 2 wnd 1000");
        assert_int_equal(record(&h, h.rport)->state, LA_FIN_WAIT_2);
        hand_rx(&h, "FIN ACK rcv 1 snd 2 wnd 1000");
        assert_string_equal(hand_tx(&h), "ACK snd 2 rcv 2 wnd 65535");
        if (msl_ms == 0)
            assert_null(record(&h, h.rport));
        else
            assert_int_equal(record(&h, h.rport)->expires.ns - h.now.ns, 6 * NS_PER_S);
        assert_null(la_check(h.s));
        hand_free(&h);
    }
}

TEST(a_listeners_2msl_is_that_of_what_it_accepts)
{
    struct hand h;
    uint64_t value;

    hand_new(&h, NULL);
    hand_listen(&h);
    assert_int_equal(la_listener_set_option(h.s, h.listener, LA_OPT_MSL, 123), LA_OK);
    hand_rx(&h, "SYN rcv 0 wnd 65535");
    const struct tcp_flow f = { h.us, h.peer, h.lport, h.rport };
    const struct index_entry e = tcp_lookup(h.t, &f, tcp_hash(h.t, &f));
    assert_int_equal(e.type, INDEX_HALF_OPEN);
    h.iss = half_at(h.t, e.value)->iss;
    hand_drain(&h);
    hand_rx(&h, "ACK rcv 1 snd 1 wnd 65535");
    struct la_accepted got;
    assert_int_equal(la_accept(h.s, h.now, h.listener, 0, &got), LA_OK);
    assert_int_equal(la_get_option(h.s, got.conn, LA_OPT_MSL, &value), LA_OK);
    assert_int_equal(value, 123);
    hand_free(&h);
}

TEST(tcp_max_tw_buckets_acts_at_once)
{
    for (int v6 = 0; v6 < 2; v6++) {
        struct hand h;

        hand_new(&h, &(struct hand_opt){ .v6 = v6 });
        for (uint16_t i = 1; i <= 6; i++) {
            to_time_wait(&h, i);
            hand_wait(&h, NS_PER_S);
        }
        assert_int_equal(la_sysctl_set(h.s, "net.ipv4.tcp_max_tw_buckets", 3), LA_OK);
        assert_int_equal(used(&h), 6); /* those that are there stay, as on Linux */
        to_time_wait(&h, 7);
        assert_int_equal(used(&h), 5);
        to_time_wait(&h, 8);
        to_time_wait(&h, 9);
        assert_int_equal(used(&h), 3);
        assert_null(record(&h, 6));
        assert_non_null(record(&h, 7)); /* the youngest are kept */
        assert_non_null(record(&h, 9));
        assert_int_equal(la_counter(h.s, LA_COUNT_TCPTimeWaitOverflow), 6);
        assert_int_equal(la_sysctl_set(h.s, "net.ipv4.tcp_max_tw_buckets", 0), LA_OK);
        to_time_wait(&h, 10);
        assert_null(record(&h, 10));
        assert_int_equal(la_counter(h.s, LA_COUNT_TCPTimeWaitOverflow), 7);
        assert_null(la_check(h.s));
        hand_free(&h);
    }
}

TEST(short_records_of_four_seconds_and_less_count_as_killed)
{
    struct hand h;

    hand_new(&h, NULL);
    assert_int_equal(la_sysctl_set(h.s, "net.lastack.tcp_msl_ms", 2000), LA_OK);
    to_time_wait(&h, 1);
    assert_int_equal(la_counter(h.s, LA_COUNT_TWKilled), 1);
    assert_int_equal(la_sysctl_set(h.s, "net.lastack.tcp_msl_ms", 2001), LA_OK);
    to_time_wait(&h, 2);
    assert_int_equal(la_counter(h.s, LA_COUNT_TWKilled), 1);
    assert_int_equal(la_counter(h.s, LA_COUNT_TW), 1);
    hand_free(&h);
}

TEST(a_full_table_gives_up_the_time_wait_nearest_its_end)
{
    for (int v6 = 0; v6 < 2; v6++) {
        struct hand h;

        hand_new(&h, &(struct hand_opt){ .v6 = v6 }); /* eight records of each family */
        for (uint16_t i = 1; i <= 8; i++) {
            to_time_wait(&h, i);
            hand_wait(&h, NS_PER_S);
        }
        assert_int_equal(la_sysctl_set(h.s, "net.lastack.tcp_msl_ms", 2000), LA_OK);
        to_time_wait(&h, 9);
        assert_null(record(&h, 1)); /* the oldest was nearest */
        assert_non_null(record(&h, 9));
        to_time_wait(&h, 10);
        assert_null(record(&h, 9)); /* four seconds of two classes: the new one is nearest */
        assert_non_null(record(&h, 2));
        assert_int_equal(used(&h), 8);
        assert_int_equal(la_counter(h.s, LA_COUNT_TCPTimeWaitOverflow), 2);
        assert_int_equal(la_counter(h.s, LA_COUNT_TWKilled), 2); /* those of 4 s */
        assert_int_equal(la_drops(h.s, LA_DROP_TIME_WAIT_EVICTED), 2);
        assert_null(la_check(h.s));
        hand_free(&h);
    }
}

TEST(an_orphan_in_fin_wait_2_is_a_short_record_for_fin_timeout)
{
    for (int v6 = 0; v6 < 2; v6++) {
        struct hand h;

        hand_new(&h, &(struct hand_opt){ .v6 = v6 });
        assert_int_equal(la_sysctl_set(h.s, "net.ipv4.tcp_fin_timeout", 7), LA_OK);
        hand_establish(&h, NULL);
        assert_int_equal(la_close(h.s, h.now, h.conn), LA_OK);
        hand_drain(&h);
        hand_rx(&h, "ACK rcv 1 snd 2 wnd 1000");
        assert_int_equal(h.t->conns.used, 0);
        assert_int_equal(record(&h, h.rport)->state, LA_FIN_WAIT_2);
        assert_null(la_check(h.s));
        hand_wait(&h, 7 * NS_PER_S - 1);
        assert_non_null(record(&h, h.rport));
        hand_wait(&h, 1);
        assert_null(record(&h, h.rport));
        assert_int_equal(la_drops(h.s, LA_DROP_FIN_WAIT_2_TIMEOUT), 1);
        hand_free(&h);
    }
}

TEST(fin_wait_2_of_an_orphan_lasts_no_shorter_than_three_and_a_half_rtos)
{
    struct hand h;

    hand_new(&h, NULL);
    hand_establish(&h, NULL);
    assert_int_equal(la_set_option(h.s, h.now, h.conn, LA_OPT_LINGER2, 1), LA_OK);
    assert_int_equal(la_close(h.s, h.now, h.conn), LA_OK);
    hand_drain(&h);
    hand_conn(&h)->rto_us = 700000; /* 2.45 s: 2.5 s is the next length there is */
    hand_conn(&h)->timing = false;
    hand_rx(&h, "ACK rcv 1 snd 2 wnd 1000");
    assert_int_equal(record(&h, h.rport)->state, LA_FIN_WAIT_2);
    hand_wait(&h, 2500 * NS_PER_MS - 1);
    assert_non_null(record(&h, h.rport));
    hand_wait(&h, 1);
    assert_null(record(&h, h.rport));
    hand_free(&h);
}

TEST(linger2_sets_the_life_of_one_orphan)
{
    struct hand h;

    hand_new(&h, NULL);
    hand_establish(&h, NULL);
    assert_int_equal(la_set_option(h.s, h.now, h.conn, LA_OPT_LINGER2, 3), LA_OK);
    assert_int_equal(la_shutdown(h.s, h.now, h.conn, LA_SHUT_WR), LA_OK);
    hand_drain(&h);
    hand_rx(&h, "ACK rcv 1 snd 2 wnd 1000");
    hand_wait(&h, 1000 * NS_PER_S); /* held: it may stay for ever */
    assert_int_equal(hand_state(&h), LA_FIN_WAIT_2);
    assert_int_equal(la_close(h.s, h.now, h.conn), LA_OK);
    assert_int_equal(record(&h, h.rport)->state, LA_FIN_WAIT_2);
    hand_wait(&h, 3 * NS_PER_S);
    assert_null(record(&h, h.rport));
    hand_free(&h);
}

TEST(orphans_of_many_lengths_leave_room_for_time_wait)
{
    struct la_config config;
    struct hand h;

    hand_config(&config);
    config.short_v4 = 64;
    hand_new(&h, &(struct hand_opt){ .config = &config });
    for (uint16_t i = 1; i <= 20; i++) { /* 20 values of LINGER2: four classes, then the nearest */
        h.rport = i;
        hand_establish(&h, NULL);
        assert_int_equal(la_set_option(h.s, h.now, h.conn, LA_OPT_LINGER2, 10u * i), LA_OK);
        assert_int_equal(la_close(h.s, h.now, h.conn), LA_OK);
        hand_drain(&h);
        hand_rx(&h, "ACK rcv 1 snd 2 wnd 1000");
        assert_int_equal(record(&h, i)->state, LA_FIN_WAIT_2);
        assert_null(la_check(h.s));
    }
    to_time_wait(&h, 100);
    assert_int_equal(record(&h, 100)->state, LA_TIME_WAIT);
    hand_wait(&h,
              40 * NS_PER_S); /* the longest class there was: all that asked for more share it */
    assert_int_equal(used(&h), 1);
    hand_free(&h);
}

TEST(a_delayed_ack_that_is_owed_goes_out_before_the_connection_shrinks)
{
    struct hand h;

    hand_new(&h, NULL);
    hand_establish(&h, NULL);
    hand_conn(&h)->quick = 0;
    assert_int_equal(la_shutdown(h.s, h.now, h.conn, LA_SHUT_WR), LA_OK);
    hand_drain(&h);
    hand_rx(&h, "ACK rcv 1 snd 2 len 3 wnd 1000");
    hand_drain(&h);
    assert_int_equal(la_recv_consume(h.s, h.now, h.conn, 3), LA_OK);
    assert_int_equal(hand_conn(&h)->ack_segs, 1); /* owed */
    assert_int_equal(la_close(h.s, h.now, h.conn), LA_OK);
    assert_string_equal(hand_tx(&h), "ACK snd 2 rcv 4 wnd 65532");
    hand_free(&h);
}

TEST(the_peers_fin_takes_an_orphan_to_time_wait_for_2msl)
{
    struct hand h;

    hand_new(&h, NULL);
    hand_establish(&h, NULL);
    assert_int_equal(la_close(h.s, h.now, h.conn), LA_OK);
    hand_drain(&h);
    hand_rx(&h, "ACK rcv 1 snd 2 wnd 1000");
    hand_wait(&h, 10 * NS_PER_S);
    hand_rx(&h, "FIN ACK rcv 1 snd 2 wnd 1000");
    assert_string_equal(hand_tx(&h), "ACK snd 2 rcv 2 wnd 65535");
    assert_int_equal(record(&h, h.rport)->state, LA_TIME_WAIT);
    hand_wait(&h, 60 * NS_PER_S - 1);
    assert_non_null(record(&h, h.rport));
    hand_wait(&h, 1);
    assert_null(record(&h, h.rport));
    hand_free(&h);
}

TEST(new_text_for_an_orphan_in_fin_wait_2_is_reset)
{
    struct hand h;

    hand_new(&h, NULL);
    hand_establish(&h, NULL);
    assert_int_equal(la_close(h.s, h.now, h.conn), LA_OK);
    hand_drain(&h);
    hand_rx(&h, "ACK rcv 1 snd 2 wnd 1000");
    hand_rx(&h, "ACK rcv 1 snd 2 len 5 wnd 1000");
    assert_string_equal(hand_tx(&h), "RST snd 2 wnd 0");
    assert_null(record(&h, h.rport));
    assert_int_equal(la_counter(h.s, LA_COUNT_TCPAbortOnData), 1);
    hand_free(&h);
}

TEST(a_holder_keeps_a_closed_shell_while_the_record_waits)
{
    struct hand h;
    struct la_conn_info info;

    hand_new(&h, NULL);
    hand_establish(&h, NULL);
    assert_int_equal(la_shutdown(h.s, h.now, h.conn, LA_SHUT_WR), LA_OK);
    hand_drain(&h);
    hand_rx(&h, "ACK rcv 1 snd 2 len 4 wnd 1000");
    hand_rx(&h, "FIN ACK rcv 5 snd 2 wnd 1000");
    assert_int_equal(record(&h, h.rport)->state, LA_TIME_WAIT);
    assert_int_equal(la_conn_info(h.s, h.conn, &info), LA_OK);
    assert_int_equal(info.state, LA_CLOSED);
    assert_int_equal(info.error, LA_OK);
    uint8_t bytes[8];
    assert_int_equal(la_recv(h.s, h.now, h.conn, bytes, 8), 4); /* what came stays readable */
    assert_int_equal(la_recv(h.s, h.now, h.conn, bytes, 8), 0);
    hand_wait(&h, 60 * NS_PER_S);
    assert_int_equal(h.t->conns.used, 1);
    assert_int_equal(la_close(h.s, h.now, h.conn), LA_OK);
    assert_int_equal(h.t->conns.used, 0);
    assert_null(la_check(h.s));
    hand_free(&h);
}

TEST(only_a_released_connection_becomes_a_record_in_fin_wait_2)
{
    struct hand h;

    hand_new(&h, NULL);
    hand_establish(&h, NULL);
    expect_assert_failure(short_enter(h.t, hand_ci(&h), LA_FIN_WAIT_2));
    hand_free(&h);
}

TEST(a_time_wait_is_taken_over_everywhere_on_loopback_only_or_never)
{
    static const char *const ends[][2] = {
        { "192.0.2.1", "192.0.2.2" },
        { "127.0.0.1", "192.0.2.2" },
        { "192.0.2.1", "127.0.0.2" },
        { "2001:db8::1", "2001:db8::2" },
        { "::1", "::1" },
    };
    struct hand h;

    hand_new(&h, NULL);
    for (uint32_t rule = 0; rule <= 2; rule++)
        for (uint32_t i = 0; i < LA_COUNT_OF(ends); i++) {
            struct tcp_flow f = { .lport = 1, .rport = 2 };

            assert_true(la_addr_parse(ends[i][0], &f.laddr) && la_addr_parse(ends[i][1], &f.raddr));
            assert_int_equal(la_sysctl_set(h.s, "net.ipv4.tcp_tw_reuse", rule), LA_OK);
            assert_int_equal(short_reuse_allowed(h.t, &f),
                             rule == 1 || (rule == 2 && i != 0 && i != 3));
        }
    hand_free(&h);
}

TEST_MAIN
