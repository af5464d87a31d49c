/* SPDX-License-Identifier: MIT */
/* icmp_error_test.c - ICMP errors about our segments: who may end what (RFC 9293 3.9.2.2, 5927). */
#include "tests/unit/base_test.h"
#include "tests/unit/hand.h"

static uint8_t bytes[20000];

static struct hand in_flight(bool v6)
{
    struct hand h;

    hand_new(&h, &(struct hand_opt){ .v6 = v6, .iss = 0xfffffff0 });
    hand_establish(&h, NULL);
    assert_int_equal(la_send(h.s, h.now, h.conn, bytes, 5000, 0), 5000);
    hand_drain(&h);
    return h;
}

static struct hand opening(bool v6)
{
    struct hand h;

    hand_new(&h, &(struct hand_opt){ .v6 = v6, .iss = 0xffffffff });
    hand_open(&h);
    hand_drain(&h);
    return h;
}

static void error(struct hand *h, uint32_t quoted, enum icmp_class class, uint8_t code,
                  uint32_t mtu_bytes)
{
    const struct tcp_flow f = { h->us, h->peer, h->lport, h->rport };

    tcp_icmp_error(h->t, &f, seq_add(h->iss, quoted), class, h->v6 ? 6 : 4, code, mtu_bytes);
}

TEST(a_hard_error_ends_an_opening_with_its_meaning)
{
    static const struct {
        bool v6;
        uint8_t code;
        enum la_err err; /* LA_OK: it does not end it */
    } cases[] = {
        { false, 0, LA_OK },
        { false, 1, LA_OK },
        { false, 2, LA_ECONNREFUSED },
        { false, 3, LA_ECONNREFUSED },
        { false, 5, LA_OK },
        { false, 13, LA_OK },
        { true, 0, LA_OK },
        { true, 1, LA_EHOSTUNREACH },
        { true, 3, LA_OK },
        { true, 4, LA_ECONNREFUSED },
    };

    for (uint32_t i = 0; i < LA_COUNT_OF(cases); i++) {
        struct hand h = opening(cases[i].v6);

        error(&h, 0, ICMP_UNREACHABLE, cases[i].code, 0);
        assert_int_equal(hand_state(&h), cases[i].err == LA_OK ? LA_SYN_SENT : LA_CLOSED);
        assert_int_equal(la_conn_error(h.s, h.conn, NULL), cases[i].err);
        if (cases[i].err == LA_OK)
            assert_true(la_conn_soft_error(h.s, h.conn) != LA_OK);
        assert_null(la_check(h.s));
        hand_free(&h);
    }
}

TEST(on_a_synchronized_connection_every_error_is_soft)
{
    for (int v6 = 0; v6 < 2; v6++)
        for (uint8_t code = 0; code < 16; code++) {
            struct hand h = in_flight(v6);
            struct la_event e[4];

            if (!v6 && code == 4)
                continue; /* too big, which is a class of its own */
            (void)la_events(h.s, e, 4);
            error(&h, 1, ICMP_UNREACHABLE, code, 0);
            assert_int_equal(hand_state(&h), LA_ESTABLISHED);
            assert_int_equal(la_events(h.s, e, 4), 1); /* SHLD-25: told */
            assert_true(la_conn_soft_error(h.s, h.conn) != LA_OK);
            assert_int_equal(la_conn_soft_error(h.s, h.conn), LA_OK); /* once */
            assert_int_equal(la_conn_error(h.s, h.conn, NULL), LA_OK);
            hand_free(&h);
        }
}

TEST(an_error_that_quotes_nothing_in_flight_is_a_forgery)
{
    struct hand h = in_flight(false);
    const uint32_t flight = conn_flight(hand_conn(&h));
    const uint32_t quoted[] = { 0, 1 + flight, 100000, 0x80000000 };

    for (uint32_t i = 0; i < LA_COUNT_OF(quoted); i++) {
        error(&h, quoted[i], ICMP_UNREACHABLE, 3, 0);
        assert_int_equal(la_conn_soft_error(h.s, h.conn), LA_OK);
        assert_int_equal(la_drops(h.s, LA_DROP_ICMP_SEQUENCE), i + 1);
    }
    error(&h, flight, ICMP_UNREACHABLE, 3, 0); /* the last byte */
    assert_int_equal(la_conn_soft_error(h.s, h.conn), LA_ECONNREFUSED);
    hand_free(&h);
}

TEST(an_error_about_nobody_or_about_a_record_changes_nothing)
{
    struct hand h = in_flight(false);

    h.rport++;
    error(&h, 1, ICMP_UNREACHABLE, 3, 0);
    assert_int_equal(la_drops(h.s, LA_DROP_ICMP_NO_MATCH), 1);
    h.lport = 81;
    hand_listen(&h);
    hand_rx(&h, "SYN rcv 0 wnd 5");
    error(&h, 0, ICMP_UNREACHABLE, 3, 0);
    assert_int_equal(la_drops(h.s, LA_DROP_ICMP_NO_MATCH), 2);
    assert_int_equal(h.t->half4.used, 1);
    hand_free(&h);
}

TEST(source_quench_and_parameter_problem_are_ignored)
{
    struct hand h = in_flight(false);

    error(&h, 1, ICMP_SOURCE_QUENCH, 0, 0); /* MUST-55 */
    error(&h, 1, ICMP_PARAMETER, 0, 0);
    error(&h, 1, ICMP_OTHER, 0, 0);
    assert_int_equal(la_conn_soft_error(h.s, h.conn), LA_OK);
    assert_int_equal(hand_state(&h), LA_ESTABLISHED);
    hand_free(&h);
}

TEST(an_ack_of_something_new_refutes_a_soft_error)
{
    for (uint32_t advance = 0; advance < 2; advance++) {
        struct hand h = in_flight(advance);

        error(&h, 1, ICMP_UNREACHABLE, 0, 0);
        hand_rx(&h, advance ? "ACK rcv 1 snd 1001 wnd 65535" : "ACK rcv 1 snd 1 wnd 65535");
        assert_int_equal(la_conn_soft_error(h.s, h.conn) == LA_OK, advance);
        hand_free(&h);
    }
}

TEST(an_answer_to_our_syn_refutes_what_icmp_said_of_it)
{
    struct hand h = opening(false);

    error(&h, 0, ICMP_UNREACHABLE, 0, 0);
    hand_rx(&h, "SYN ACK rcv 0 snd 1 wnd 65535 mss 1460");
    assert_int_equal(hand_state(&h), LA_ESTABLISHED);
    assert_int_equal(la_conn_soft_error(h.s, h.conn), LA_OK);
    hand_free(&h);
}

TEST(time_exceeded_is_a_soft_error)
{
    struct hand h = in_flight(false);

    error(&h, 1, ICMP_TIME_EXCEEDED, 0, 0);
    assert_int_equal(la_conn_soft_error(h.s, h.conn), LA_EHOSTUNREACH);
    hand_free(&h);
}

TEST(too_big_lowers_the_segment_size_and_sends_again_smaller)
{
    static const struct {
        bool v6;
        uint32_t mtu, mss;
    } cases[] = {
        { false, 1000, 960 }, { false, 552, 512 },  { false, 68, 512 }, /* no lower */
        { false, 0, 512 },    { true, 1400, 1340 }, { true, 1280, 1220 },
    };

    for (uint32_t i = 0; i < LA_COUNT_OF(cases); i++) {
        struct hand h = in_flight(cases[i].v6);
        struct tcp_seg seg;

        error(&h, 1, ICMP_TOO_BIG, 0, cases[i].mtu);
        assert_int_equal(hand_conn(&h)->snd_mss, cases[i].mss);
        assert_true(hand_tx_seg(&h, &seg));
        assert_true(seq_eq(seg.seq, seq_add(h.iss, 1)));
        assert_int_equal(seg.len, cases[i].mss);
        assert_null(la_check(h.s));
        hand_free(&h);
    }
}

TEST(too_big_never_raises_the_segment_size)
{
    struct hand h = in_flight(false);

    error(&h, 1, ICMP_TOO_BIG, 0, 1500);
    error(&h, 1, ICMP_TOO_BIG, 0, 9000);
    assert_int_equal(hand_conn(&h)->snd_mss, 1460);
    assert_int_equal(la_drops(h.s, LA_DROP_ICMP_MTU), 2);
    hand_free(&h);
}

TEST_MAIN
