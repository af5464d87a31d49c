/* SPDX-License-Identifier: MIT */
/*
 * A SYN that reopens TIME-WAIT (RFC 9293 3.6.1 MAY-2): the old record is parked until the new
 * handshake is complete, and is back if the SYN was an old duplicate.  snd 0 is SND.NXT of the old
 * connection, rcv 0 its RCV.NXT.
 */
#include "tests/rfc/bench.h"

static void time_wait(struct bench *b)
{
    bench_state(b, LA_TIME_WAIT,
                &(struct bench_opt){ .open = BENCH_PASSIVE, .keep_listener = true });
}

static uint32_t records(struct bench *b)
{
    return la_table_use(b->s, LA_TABLE_SHORT_V4).used + la_table_use(b->s, LA_TABLE_SHORT_V6).used;
}

/* The SYN that reopens, and the number of the SYN-ACK that answers it. */
static tcp_seq reopen(struct bench *b)
{
    bench_rx(b, "SYN rcv 100000 wnd 65535 mss 1000");
    const struct bench_tx *t = bench_next_tx(b);

    expect_true(b, t != NULL && t->seg.flags == (TCP_SYN | TCP_ACK));
    expect_state(b, LA_SYN_RECEIVED);
    expect_equal(b, records(b), 1);
    return t->seg.seq;
}

static void send(struct bench *b, uint8_t flags, uint32_t rcv, tcp_seq ack)
{
    struct tcp_seg seg = { .flags = flags, .wnd = 65535, .seq = seq_add(b->rcv_base, rcv) };

    seg.ack = ack;
    bench_rx_seg(b, &seg);
}

/* It answers a repeated FIN as before, and ends when it would have. */
static void expect_back(struct bench *b)
{
    expect_state(b, LA_TIME_WAIT);
    expect_equal(b, records(b), 1);
    bench_forget_tx(b);
    b->edge_known = false; /* that was the other connection's */
    bench_rx(b, "FIN ACK rcv -1 snd 0 wnd 65535");
    expect_tx(b, "ACK snd 0 rcv 0");
}

BENCH_TEST(the_record_is_over_when_the_handshake_is_complete)
{
    time_wait(b);
    const tcp_seq iss = reopen(b);

    send(b, TCP_ACK, 100001, seq_add(iss, 1));

    expect_state(b, LA_ESTABLISHED);
    expect_equal(b, records(b), 0);
    expect_equal(b, la_drops(b->s, LA_DROP_TIME_WAIT_REOPENED), 1);
}

BENCH_TEST(a_reset_brings_the_record_back)
{
    time_wait(b);
    (void)reopen(b);

    send(b, TCP_RST, 100001, seq_of(0)); /* the peer never sent that SYN: it was an old duplicate */

    expect_back(b);
    expect_equal(b, la_drops(b->s, LA_DROP_TIME_WAIT_REOPENED), 0);
}

BENCH_TEST(a_handshake_that_nobody_completes_brings_the_record_back)
{
    bench_begin(b, BENCH_PASSIVE, NULL);
    bench_sysctl(b, "net.lastack.tcp_msl_ms", 60000);
    time_wait(b);
    (void)reopen(b);

    bench_sleep(b, SEC(63)); /* six SYN-ACKs */

    expect_back(b);
}

BENCH_TEST(a_listener_that_closes_brings_the_record_back)
{
    time_wait(b);
    (void)reopen(b);

    assert_int_equal(la_listener_close(b->s, b->now, b->listener), LA_OK);
    b->has_listener = false;

    expect_back(b);
}

BENCH_TEST(the_clock_of_a_parked_record_goes_on)
{
    time_wait(b);
    bench_sleep(b, SEC(20));
    (void)reopen(b);

    bench_sleep(b, SEC(40) - 1);
    expect_equal(b, records(b), 1);
    bench_sleep(b, 1);
    expect_equal(b, records(b), 0);
    expect_state(b, LA_SYN_RECEIVED); /* the new one is not disturbed */
    bench_forget_tx(b);
    send(b, TCP_RST, 100001, seq_of(0));
    expect_state(b, LA_LISTEN);
    expect_equal(b, records(b), 0);
}

BENCH_TEST(a_record_that_came_back_is_reopened_again)
{
    time_wait(b);
    const tcp_seq first = reopen(b);
    send(b, TCP_RST, 100001, seq_of(0));

    const tcp_seq second = reopen(b);
    expect_true(b, seq_gt(first, seq_add(b->snd_base, 65536)));
    expect_true(b, seq_gt(second, seq_add(b->snd_base, 65536)));
    send(b, TCP_ACK, 100001, seq_add(second, 1));

    expect_state(b, LA_ESTABLISHED);
    expect_equal(b, records(b), 0);
}

BENCH_TEST(the_new_iss_lies_65537_above_what_a_fast_connection_sent)
{
    time_wait(b);
    /* as if the old connection had outrun the clock of RFC 6528 */
    const struct index_entry e = { .type = INDEX_SHORT, .value = b->family == 4 ? 0 : TCP_REF_V6 };
    struct tcp_short *w = short_at(&b->s->tcp, e.value);
    w->snd_nxt = seq_add(w->snd_nxt, 1u << 29);

    const tcp_seq iss = reopen(b);

    expect_true(b, seq_eq(iss, seq_add(b->snd_base, (1u << 29) + 65537u)));
}

BENCH_TEST(a_full_accept_queue_leaves_the_record_as_it_is)
{
    time_wait(b);
    assert_int_equal(la_listener_set_backlog(b->s, b->listener, 0), LA_OK);
    for (uint16_t i = 0; i < 1; i++) { /* one fills it */
        const struct la_endpoint other = b->remote;

        b->remote.port++;
        bench_rx(b, "seq 5 SYN wnd 65535");
        const struct bench_tx *t = bench_next_tx(b);
        struct tcp_seg ack = { .flags = TCP_ACK, .wnd = 65535, .seq = seq_of(6) };
        ack.ack = seq_add(t->seg.seq, 1);
        bench_rx_seg(b, &ack);
        b->remote = other;
    }
    bench_forget_tx(b);

    bench_rx(b, "SYN rcv 100000 wnd 65535");

    expect_drop(b, LA_DROP_ACCEPT_QUEUE_FULL);
    expect_no_tx(b);
    expect_back(b);
}

BENCH_TEST(the_old_connections_segments_meet_the_new_handshake_and_change_nothing)
{
    time_wait(b);
    const tcp_seq iss = reopen(b);

    bench_rx(b, "FIN ACK rcv -1 snd 0 wnd 65535");
    bench_rx(b, "RST rcv 0");
    bench_rx(b, "PSH ACK rcv -5 snd 0 len 5 wnd 65535");
    bench_forget_tx(b);
    expect_state(b, LA_SYN_RECEIVED);
    send(b, TCP_ACK, 100001, seq_add(iss, 1));

    expect_state(b, LA_ESTABLISHED);
    bench_accept(b);
    expect_recv(b, LA_EAGAIN);
}

BENCH_TEST(a_parked_record_that_makes_room_leaves_the_handshake_alone)
{
    time_wait(b);
    const tcp_seq iss = reopen(b);
    const uint32_t ref = b->family == 4 ? 0 : TCP_REF_V6;

    short_free(&b->s->tcp, ref, LA_DROP_TIME_WAIT_EVICTED); /* as eviction does */
    assert_null(la_check(b->s));
    send(b, TCP_ACK, 100001, seq_add(iss, 1));

    expect_state(b, LA_ESTABLISHED);
}

/* The clock of 2MSL: what restarts it ----------------------------------------------------- */

static void expect_restarts(struct bench *b, const char *line, bool restarts)
{
    bench_again(b);
    bench_state(b, LA_TIME_WAIT, NULL);
    bench_sleep(b, SEC(30));
    bench_rx(b, line);
    bench_sleep(b, SEC(30));
    expect_state(b, restarts ? LA_TIME_WAIT : LA_CLOSED);
    bench_sleep(b, SEC(30));
    expect_state(b, LA_CLOSED);
}

BENCH_TEST(segments_with_ack_restart_two_msl_and_others_do_not)
{
    expect_restarts(b, "FIN ACK rcv -1 snd 0 wnd 65535", true);
    expect_restarts(b, "ACK rcv -10 snd 0 len 10 wnd 65535", true);
    expect_restarts(b, "ACK rcv 100000 snd 0 len 10 wnd 65535", true);
    expect_restarts(b, "ACK rcv 0 snd 0 wnd 65535", true);
    expect_restarts(b, "SYN ACK rcv 0 snd 0 wnd 65535", true);
    expect_restarts(b, "SYN rcv 0 wnd 65535", false);
    expect_restarts(b, "SYN rcv -7 wnd 65535", false);
    expect_restarts(b, "RST rcv 0", false);
    expect_restarts(b, "RST ACK rcv 0 snd 0", false);
    expect_restarts(b, "FIN rcv -1", false);
    expect_restarts(b, "ACK rcv -1 snd 0 wnd 65535", false); /* nothing is asked for */
    expect_restarts(b, "ACK rcv 100000 snd 0 wnd 65535", false);
}

TEST_MAIN
