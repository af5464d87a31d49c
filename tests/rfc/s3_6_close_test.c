/* SPDX-License-Identifier: MIT */
/* RFC 9293 3.6: closing, in every order; half-close; the close that is a reset (3.6.1). */
#include "tests/rfc/bench.h"

BENCH_TEST(normal_close_begun_here)
{
    bench_established(b, NULL);

    bench_close(b);
    expect_tx(b, "FIN ACK snd 0 rcv 0");
    expect_state(b, LA_FIN_WAIT_1);
    bench_rx(b, "ACK rcv 0 snd 1 wnd 65535");
    expect_state(b, LA_FIN_WAIT_2);
    bench_rx(b, "FIN ACK rcv 0 snd 1 wnd 65535");
    expect_tx(b, "ACK snd 1 rcv 1");
    expect_state(b, LA_TIME_WAIT);
    bench_sleep(b, SEC(60));
    expect_state(b, LA_CLOSED);
    expect_no_tx(b);
}

BENCH_TEST(normal_close_begun_there)
{
    bench_established(b, NULL);

    bench_rx(b, "FIN ACK rcv 0 snd 0 wnd 65535");
    expect_tx(b, "ACK snd 0 rcv 1");
    expect_state(b, LA_CLOSE_WAIT);
    bench_close(b);
    expect_tx(b, "FIN ACK snd 0 rcv 1");
    expect_state(b, LA_LAST_ACK);
    bench_rx(b, "ACK rcv 1 snd 1 wnd 65535");
    expect_state(b, LA_CLOSED);
    expect_no_tx(b);
}

BENCH_TEST(simultaneous_close)
{
    bench_established(b, NULL);

    bench_close(b);
    expect_tx(b, "FIN ACK snd 0 rcv 0");
    bench_rx(b, "FIN ACK rcv 0 snd 0 wnd 65535");
    expect_tx(b, "ACK snd 1 rcv 1");
    expect_state(b, LA_CLOSING);
    bench_rx(b, "ACK rcv 1 snd 1 wnd 65535");
    expect_no_tx(b);
    expect_state(b, LA_TIME_WAIT);
}

BENCH_TEST(a_close_takes_three_segments_when_the_peer_closes_at_once)
{
    bench_established(b, NULL);

    bench_close(b);
    expect_tx(b, "FIN ACK snd 0 rcv 0");
    bench_rx(b, "FIN ACK rcv 0 snd 1 wnd 65535");
    expect_tx(b, "ACK snd 1 rcv 1");
    expect_no_tx(b);
    expect_state(b, LA_TIME_WAIT);
}

BENCH_TEST(bytes_taken_are_sent_before_the_fin)
{
    bench_established(b, NULL);

    bench_send(b, 500);
    expect_tx(b, "PSH ACK snd 0 rcv 0 len 500");
    bench_send(b, 500);
    expect_no_tx(b);
    bench_close(b); /* Nagle does not hold back what a FIN follows */
    expect_tx(b, "FIN PSH ACK snd 500 rcv 0 len 500");
    bench_rx(b, "ACK rcv 0 snd 1001 wnd 65535");
    expect_state(b, LA_FIN_WAIT_2);
}

BENCH_TEST(a_fin_waits_for_the_window)
{
    bench_established(b, &(struct bench_opt){ .peer_wnd = 1000 });
    bench_send(b, 1000);
    expect_tx(b, "PSH ACK snd 0 rcv 0 len 1000");

    bench_close(b);
    expect_no_tx(b);
    expect_state(b, LA_FIN_WAIT_1);
    bench_rx(b, "ACK rcv 0 snd 1000 wnd 1");
    expect_tx(b, "FIN ACK snd 1000 rcv 0");
}

BENCH_TEST(half_close_the_peer_goes_on_sending)
{
    bench_established(b, NULL);
    bench_shutdown(b, LA_SHUT_WR);
    expect_tx(b, "FIN ACK snd 0 rcv 0");
    bench_rx(b, "ACK rcv 0 snd 1 wnd 65535");
    expect_send(b, LA_EPIPE);

    for (int i = 0; i < 5; i++) {
        char line[80];

        snprintf(line, sizeof line, "PSH ACK rcv %d snd 1 len 700 wnd 65535", 700 * i);
        bench_rx(b, line);
        bench_recv(b, 700);
        bench_sleep(b, SEC(100));
    }
    bench_forget_tx(b);
    expect_state(b, LA_FIN_WAIT_2);
    bench_rx(b, "FIN ACK rcv 3500 snd 1 wnd 65535");
    expect_tx(b, "ACK snd 1 rcv 3501");
    expect_recv(b, 0);
    expect_state(b, LA_TIME_WAIT);
}

BENCH_TEST(half_close_we_go_on_sending)
{
    bench_state(b, LA_CLOSE_WAIT, NULL);

    bench_send(b, 2000);
    expect_tx(b, "ACK snd 0 rcv 0 len 1000");
    expect_tx(b, "PSH ACK snd 1000 rcv 0 len 1000");
    bench_rx(b, "ACK rcv 0 snd 2000 wnd 65535");
    expect_state(b, LA_CLOSE_WAIT);
    expect_recv(b, 0);
    bench_close(b);
    expect_tx(b, "FIN ACK snd 2000 rcv 0");
    expect_state(b, LA_LAST_ACK);
}

BENCH_TEST(close_with_unread_bytes_is_a_reset)
{
    bench_established(b, NULL);
    bench_rx(b, "PSH ACK rcv 0 snd 0 len 10 wnd 65535");
    bench_forget_tx(b);

    bench_close(b);

    expect_tx(b, "RST ACK snd 0 rcv 10");
    expect_no_tx(b);
    expect_state(b, LA_CLOSED);
    expect_equal(b, la_counter(b->s, LA_COUNT_TCPAbortOnClose), 1);
}

BENCH_TEST(close_with_unread_bytes_is_a_reset_in_close_wait_too)
{
    bench_established(b, NULL);
    bench_rx(b, "FIN PSH ACK rcv 0 snd 0 len 10 wnd 65535");
    expect_tx(b, "ACK snd 0 rcv 11");

    bench_close(b);

    expect_tx(b, "RST ACK snd 0 rcv 11");
    expect_state(b, LA_CLOSED);
}

BENCH_TEST(close_after_everything_was_read_is_no_reset)
{
    bench_established(b, NULL);
    bench_rx(b, "PSH ACK rcv 0 snd 0 len 10 wnd 65535");
    bench_forget_tx(b);
    bench_recv(b, 10);

    bench_close(b);

    expect_tx(b, "FIN ACK snd 0 rcv 10");
}

BENCH_TEST(text_after_close_is_answered_with_a_reset)
{
    bench_established(b, NULL);
    bench_close(b);
    expect_tx(b, "FIN ACK snd 0 rcv 0");

    bench_rx(b, "PSH ACK rcv 0 snd 1 len 10 wnd 65535");

    expect_equal(b, la_counter(b->s, LA_COUNT_TCPAbortOnData), 1);
    const struct bench_tx *t = bench_next_tx(b);
    expect_true(b,
                t != NULL && t->seg.flags & TCP_RST && seq_eq(t->seg.seq, seq_add(b->snd_base, 1)));
    expect_no_tx(b);
    expect_state(b, LA_CLOSED);
}

BENCH_TEST(a_repeated_segment_after_close_is_acknowledged_not_reset)
{
    bench_established(b, NULL);
    bench_rx(b, "PSH ACK rcv 0 snd 0 len 10 wnd 65535");
    bench_recv(b, 10);
    bench_close(b);
    bench_forget_tx(b);

    bench_rx(b, "PSH ACK rcv 0 snd 0 len 10 wnd 65535");

    expect_tx(b, "ACK snd 1 rcv 10");
    expect_state(b, LA_FIN_WAIT_1);
}

BENCH_TEST(abort_resets_from_every_open_state)
{
    static const struct {
        int place;
        const char *line;
    } cases[] = {
        { BENCH_SIMULTANEOUS, "RST ACK snd 1 rcv 0" }, { LA_ESTABLISHED, "RST ACK snd 0 rcv 0" },
        { LA_FIN_WAIT_1, "RST ACK snd 1 rcv 0" },      { LA_FIN_WAIT_2, "RST ACK snd 0 rcv 0" },
        { LA_CLOSE_WAIT, "RST ACK snd 0 rcv 0" },
    };

    for (uint32_t i = 0; i < 5; i++) {
        bench_again(b);
        bench_state(b, cases[i].place, NULL);
        bench_abort(b);
        expect_tx(b, cases[i].line);
        expect_no_tx(b);
        expect_state(b, LA_CLOSED);
    }
}

BENCH_TEST(abort_needs_no_reset_where_both_directions_are_over)
{
    /* 3.10.5: CLOSING, LAST-ACK, TIME-WAIT: respond "ok" and delete; a reset does no harm. */
    static const int places[] = { LA_CLOSING, LA_LAST_ACK };

    for (uint32_t i = 0; i < 2; i++) {
        bench_again(b);
        bench_state(b, places[i], NULL);
        bench_abort(b);
        expect_no_tx(b);
        expect_state(b, LA_CLOSED);
    }
}

BENCH_TEST(abort_drops_what_was_queued)
{
    bench_established(b, &(struct bench_opt){ .peer_wnd = 100 });
    bench_send(b, 5000);
    bench_forget_tx(b);

    bench_abort(b);

    expect_equal(b, bench_forget_tx(b), 1);
    expect_equal(b, la_table_use(b->s, LA_TABLE_CHUNKS).used, 0);
    expect_equal(b, la_table_use(b->s, LA_TABLE_CONNECTIONS).used, 0);
}

BENCH_TEST(a_released_handle_names_nothing)
{
    const uint8_t byte = 0;

    bench_established(b, NULL);
    bench_close(b);

    expect_equal(b, la_close(b->s, b->now, b->conn), LA_EBADHANDLE);
    expect_equal(b, la_abort(b->s, b->now, b->conn), LA_EBADHANDLE);
    expect_equal(b, la_shutdown(b->s, b->now, b->conn, LA_SHUT_WR), LA_EBADHANDLE);
    expect_equal(b, la_send(b->s, b->now, b->conn, &byte, 1, 0), LA_EBADHANDLE);
    expect_state(b, LA_FIN_WAIT_1); /* and nothing has changed */
    bench_drain(b);
    expect_equal(b, bench_forget_tx(b), 1);
}

BENCH_TEST(a_repeated_shutdown_changes_nothing)
{
    static const int places[] = { LA_FIN_WAIT_1, LA_FIN_WAIT_2, LA_CLOSING, LA_LAST_ACK };

    for (uint32_t i = 0; i < 4; i++) {
        bench_again(b);
        bench_state(b, places[i], NULL);
        bench_shutdown(b, LA_SHUT_WR);
        expect_no_tx(b);
        expect_state(b, places[i]);
    }
}

BENCH_TEST(receive_and_send_after_each_kind_of_close)
{
    bench_state(b, LA_FIN_WAIT_1, NULL);
    expect_recv(b, LA_EAGAIN);
    expect_send(b, LA_EPIPE);
    bench_again(b);
    bench_state(b, LA_CLOSING, NULL);
    expect_recv(b, 0);
    expect_send(b, LA_EPIPE);
    bench_again(b);
    bench_state(b, LA_LAST_ACK, NULL);
    expect_recv(b, 0);
    expect_send(b, LA_EPIPE);
    bench_again(b);
    bench_state(b, LA_CLOSE_WAIT, NULL);
    expect_recv(b, 0);
    bench_send(b, 1);
}

BENCH_TEST(the_application_can_tell_a_close_from_a_reset)
{
    bench_state(b, LA_CLOSE_WAIT, NULL);
    expect_error(b, LA_OK);
    expect_recv(b, 0);
    bench_again(b);
    bench_established(b, NULL);
    bench_rx(b, "RST rcv 0");
    expect_error(b, LA_ECONNRESET);
    expect_recv(b, LA_ECONNRESET);
}

BENCH_TEST(an_orphan_that_gets_no_answer_ends_by_itself)
{
    static const int places[] = { LA_ESTABLISHED, LA_FIN_WAIT_1, LA_FIN_WAIT_2,
                                  LA_CLOSE_WAIT,  LA_CLOSING,    LA_LAST_ACK,
                                  LA_TIME_WAIT,   LA_SYN_SENT,   BENCH_SIMULTANEOUS };

    for (uint32_t i = 0; i < 9; i++) { /* nothing stays for ever behind an application */
        bench_again(b);
        bench_state(b, places[i], NULL);
        if (b->has_conn)
            bench_close(b);
        for (int k = 0; k < 40 && bench_state_now(b) != LA_CLOSED; k++) {
            bench_sleep(b, SEC(10));
            bench_forget_tx(b);
        }
        expect_state(b, LA_CLOSED);
        expect_equal(b, la_table_use(b->s, LA_TABLE_CONNECTIONS).used, 0);
        expect_equal(b, la_deadline(b->s).ns, UINT64_MAX);
    }
}

BENCH_TEST(a_connection_reset_before_it_is_accepted_is_told_to_whoever_accepts)
{
    bench_established(b, &(struct bench_opt){ .open = BENCH_PASSIVE, .no_accept = true });
    bench_rx(b, "RST rcv 0");

    bench_accept(b);

    expect_error(b, LA_ECONNRESET);
    bench_close(b);
    expect_equal(b, la_table_use(b->s, LA_TABLE_CONNECTIONS).used, 0);
}

TEST_MAIN
