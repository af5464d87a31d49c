/* SPDX-License-Identifier: MIT */
/*
 * RFC 8985 (RACK-TLP), 6675, 9937 (PRR), 2883 (D-SACK): what a sender with SACK does.  The MSS is
 * 1000, so the window begins with 10 segments; the round trip of the handshake is 100 ms.
 */
#include "tests/rfc/bench.h"

static const struct bench_opt path = { .sack = true, .rtt_ns = MS(100) };
static const struct bench_opt stamped = {
    .sack = true, .timestamps = true, .mss = 1012, .rtt_ns = MS(100)
};

static uint64_t counted(const struct bench *b, enum la_counter counter)
{
    return la_counter(b->s, counter);
}

/* Ten segments in flight, nothing more to send; a round trip later. */
static void ten_in_flight(struct bench *b, const struct bench_opt *opt)
{
    bench_established(b, opt);
    bench_send(b, 10000);
    expect_equal(b, bench_forget_tx(b), 10);
    bench_sleep(b, MS(100));
}

BENCH_TEST(three_segments_sacked_make_the_one_before_them_lost)
{
    ten_in_flight(b, &path);

    bench_rx(b, "ACK rcv 0 snd 0 wnd 65535 sack 1000:2000");
    bench_rx(b, "ACK rcv 0 snd 0 wnd 65535 sack 1000:3000");
    expect_no_tx(b);
    expect_equal(b, bench_info(b).sacked_bytes, 2000);
    bench_rx(b, "ACK rcv 0 snd 0 wnd 65535 sack 1000:4000");
    expect_tx(b, "ACK snd 0 rcv 0 len 1000");
    expect_no_tx(b);
    expect_true(b, bench_info(b).in_recovery);
    expect_equal(b, bench_info(b).lost_bytes, 1000);
    expect_equal(b, bench_info(b).again_bytes, 1000);
    expect_equal(b, counted(b, LA_COUNT_TCPSackRecovery), 1);
    expect_equal(b, counted(b, LA_COUNT_TCPFastRetrans), 1);
    bench_rx(b, "ACK rcv 0 snd 10000 wnd 65535");
    expect_true(b, !bench_info(b).in_recovery);
    expect_equal(b, bench_info(b).cwnd_bytes, bench_info(b).ssthresh_bytes);
}

BENCH_TEST(three_sacked_segments_in_one_ack_are_enough)
{
    ten_in_flight(b, &path);

    bench_rx(b, "ACK rcv 0 snd 0 wnd 65535 sack 7000:10000");

    expect_tx(b, "ACK snd 0 rcv 0 len 1000"); /* the first of seven; the rest as PRR allows */
    expect_equal(b, bench_info(b).lost_bytes, 7000);
}

BENCH_TEST(one_sacked_segment_is_believed_after_a_reordering_window)
{
    ten_in_flight(b, &path);

    bench_rx(b, "ACK rcv 0 snd 0 wnd 65535 sack 1000:2000");
    expect_no_tx(b);
    bench_mark(b);
    expect_tx_at(b, MS(25), "ACK snd 0 rcv 0 len 1000"); /* min_RTT / 4 */
    expect_true(b, bench_info(b).in_recovery);
}

BENCH_TEST(what_was_only_late_is_not_sent_again)
{
    ten_in_flight(b, &path);

    bench_rx(b, "ACK rcv 0 snd 0 wnd 65535 sack 1000:2000");
    bench_sleep(b, MS(20));
    bench_rx(b, "ACK rcv 0 snd 2000 wnd 65535");
    expect_no_tx(b);
    expect_equal(b, bench_info(b).sacked_bytes, 0);
    expect_equal(b, counted(b, LA_COUNT_TCPSACKReorder), 1);
    /* Reordering is known now: three SACKed segments are not enough any more. */
    bench_rx(b, "ACK rcv 0 snd 2000 wnd 65535 sack 3000:6000");
    expect_no_tx(b);
    expect_true(b, !bench_info(b).in_recovery);
}

BENCH_TEST(each_hole_is_sent_again_and_nothing_else)
{
    ten_in_flight(b, &path);

    bench_rx(b, "ACK rcv 0 snd 1000 wnd 65535 sack 2000:4000,5000:7000,8000:10000");

    expect_tx(b, "ACK snd 1000 rcv 0 len 1000");
    bench_drain(b);
    bench_rx(b, "ACK rcv 0 snd 4000 wnd 65535 sack 5000:7000,8000:10000");
    bench_rx(b, "ACK rcv 0 snd 7000 wnd 65535 sack 8000:10000");
    bench_rx(b, "ACK rcv 0 snd 10000 wnd 65535");
    expect_equal(b, bench_info(b).segs_retransmitted, 3);
}

BENCH_TEST(a_lost_retransmission_is_sent_again_without_a_timeout)
{
    bench_established(b, &path);
    bench_send(b, 40000);
    expect_equal(b, bench_forget_tx(b), 10);
    bench_sleep(b, MS(100));
    bench_rx(b, "ACK rcv 0 snd 0 wnd 65535 sack 1000:5000");
    expect_tx(b, "ACK snd 0 rcv 0 len 1000");
    bench_forget_tx(b);
    bench_rx(b, "ACK rcv 0 snd 0 wnd 65535 sack 1000:10000"); /* lets new text go after it */
    expect_true(b, bench_forget_tx(b) > 0);
    bench_sleep(b, MS(100));

    bench_rx(b, "ACK rcv 0 snd 0 wnd 65535 sack 1000:11000");
    expect_tx(b, "ACK snd 0 rcv 0 len 1000");
    expect_equal(b, counted(b, LA_COUNT_TCPLostRetransmit), 1);
    expect_equal(b, counted(b, LA_COUNT_TCPTimeouts), 0);
}

/* RFC 5681 4.3: losses in two windows, two reductions. */
BENCH_TEST(what_is_lost_in_the_course_of_a_recovery_reduces_the_window_once_more)
{
    bench_established(b, &path);
    bench_send(b, 14000);
    expect_equal(b, bench_forget_tx(b), 10);
    bench_sleep(b, MS(100));
    bench_rx(b, "ACK rcv 0 snd 0 wnd 65535 sack 1000:10000");
    expect_equal(b, bench_info(b).ssthresh_bytes, 5000);
    expect_equal(b, bench_forget_tx(b), 5); /* one again, four new */
    bench_sleep(b, MS(100));

    /* The one again is lost, and so is the first of the new ones. */
    bench_rx(b, "ACK rcv 0 snd 0 wnd 65535 sack 1000:10000,11000:12000");
    bench_forget_tx(b);
    bench_rx(b, "ACK rcv 0 snd 0 wnd 65535 sack 1000:10000,11000:14000");
    bench_forget_tx(b);
    expect_equal(b, counted(b, LA_COUNT_TCPSackRecovery), 1);
    expect_equal(b, bench_info(b).ssthresh_bytes, 5000);
    bench_sleep(b, MS(100));
    bench_rx(b, "ACK rcv 0 snd 10000 wnd 65535 sack 11000:14000");

    expect_true(b, bench_info(b).in_recovery);
    expect_equal(b, counted(b, LA_COUNT_TCPSackRecovery), 2);
    expect_equal(b, bench_info(b).ssthresh_bytes, 2500);
    bench_rx(b, "ACK rcv 0 snd 14000 wnd 65535");
    expect_true(b, !bench_info(b).in_recovery);
    expect_equal(b, bench_info(b).cwnd_bytes, 2500);
    expect_equal(b, bench_info(b).segs_retransmitted, 3);
}

BENCH_TEST(the_loss_of_the_tail_is_probed_for_and_repaired)
{
    ten_in_flight(b, &path);
    bench_rx(b, "ACK rcv 0 snd 9000 wnd 65535");
    bench_mark(b);

    /* One segment is out: twice the round trip and a delayed ACK's 200 ms, or the RTO, which began anew. */
    bench_sleep(b, MS(299));
    expect_no_tx(b);
    bench_sleep(b, MS(1));
    expect_tx(b, "PSH ACK snd 9000 rcv 0 len 1000");
    expect_equal(b, counted(b, LA_COUNT_TCPLossProbes), 1);
    expect_equal(b, counted(b, LA_COUNT_TCPTimeouts), 0);
    bench_rx(b, "ACK rcv 0 snd 10000 wnd 65535");
    /* Whether the probe repaired a loss is known when more than it is acknowledged (7.4.2). */
    expect_equal(b, counted(b, LA_COUNT_TCPLossProbeRecovery), 0);
    bench_send(b, 1000);
    bench_forget_tx(b);
    bench_rx(b, "ACK rcv 0 snd 11000 wnd 65535");
    expect_equal(b, counted(b, LA_COUNT_TCPLossProbeRecovery), 1);
}

BENCH_TEST(a_probe_that_was_one_too_many_costs_nothing)
{
    ten_in_flight(b, &path);
    const uint32_t cwnd = bench_info(b).cwnd_bytes;
    bench_sleep(b, MS(260));
    expect_tx(b, "PSH ACK snd 9000 rcv 0 len 1000");

    bench_rx(b, "ACK rcv 0 snd 10000 wnd 65535");
    bench_rx(b, "ACK rcv 0 snd 10000 wnd 65535 sack 9000:10000"); /* both copies arrived */
    bench_send(b, 1000);
    bench_forget_tx(b);
    bench_rx(b, "ACK rcv 0 snd 11000 wnd 65535");

    expect_equal(b, counted(b, LA_COUNT_TCPLossProbeRecovery), 0);
    expect_equal(b, counted(b, LA_COUNT_TCPDSACKRecv), 1);
    expect_true(b, bench_info(b).cwnd_bytes >= cwnd);
}

BENCH_TEST(new_text_is_the_better_probe)
{
    bench_established(b, &path);
    bench_send(b, 15000);
    expect_equal(b, bench_forget_tx(b), 10);
    bench_mark(b);

    bench_sleep(b, MS(203));
    expect_tx(b, "ACK snd 10000 rcv 0 len 1000"); /* beyond cwnd */
    expect_equal(b, bench_info(b).segs_retransmitted, 0);
}

BENCH_TEST(probes_and_rack_can_be_turned_off)
{
    bench_begin(b, BENCH_EITHER, &path);
    bench_sysctl(b, "net.ipv4.tcp_early_retrans", 0);
    bench_sysctl(b, "net.ipv4.tcp_recovery", 0);
    bench_again(b);
    ten_in_flight(b, &path);
    bench_sysctl(b, "net.ipv4.tcp_recovery", 0);

    bench_rx(b, "ACK rcv 0 snd 0 wnd 65535 sack 1000:3000");
    bench_sleep(b, MS(60));
    expect_no_tx(b); /* RFC 6675: not before DupThresh segments above it are SACKed */
    bench_rx(b, "ACK rcv 0 snd 0 wnd 65535 sack 1000:4000");
    expect_tx(b, "ACK snd 0 rcv 0 len 1000");
}

BENCH_TEST(original_text_that_arrives_after_all_takes_the_recovery_back)
{
    ten_in_flight(b, &stamped);
    const uint32_t cwnd = bench_info(b).cwnd_bytes;
    const uint32_t sent_at = b->ts_ecr;
    char line[120];

    bench_rx(b, "ACK rcv 0 snd 0 wnd 65535 sack 1000:4000");
    expect_tx(b, "ACK snd 0 rcv 0 len 1000");
    expect_true(b, bench_info(b).in_recovery);
    bench_sleep(b, MS(5));
    snprintf(line, sizeof line, "ACK rcv 0 snd 10000 wnd 65535 TS %u:%u", b->ts_val, sent_at);
    bench_rx(b, line); /* echoes the first transmission */

    expect_true(b, !bench_info(b).in_recovery);
    expect_equal(b, counted(b, LA_COUNT_TCPFullUndo), 1);
    expect_true(b, bench_info(b).cwnd_bytes >= cwnd);
}

BENCH_TEST(a_retransmission_reported_as_duplicate_takes_the_recovery_back)
{
    bench_established(b, &path);
    bench_send(b, 12000);
    expect_equal(b, bench_forget_tx(b), 10);
    bench_sleep(b, MS(100));
    bench_rx(b, "ACK rcv 0 snd 0 wnd 65535 sack 1000:4000");
    expect_tx(b, "ACK snd 0 rcv 0 len 1000");

    bench_rx(b, "ACK rcv 0 snd 4000 wnd 65535"); /* the original came */
    bench_rx(b, "ACK rcv 0 snd 4000 wnd 65535 sack 0:1000");

    expect_equal(b, counted(b, LA_COUNT_TCPDSACKUndo), 1);
    expect_true(b, !bench_info(b).in_recovery);
}

BENCH_TEST(after_an_rto_only_what_is_not_sacked_goes_again)
{
    ten_in_flight(b, &path);
    bench_rx(b, "ACK rcv 0 snd 0 wnd 65535 sack 9000:10000");
    bench_sleep(b, MS(30)); /* RACK: 0 to 9000 are lost */
    bench_forget_tx(b);
    bench_sleep(b, SEC(1));
    expect_true(b, counted(b, LA_COUNT_TCPTimeouts) > 0);
    bench_forget_tx(b);

    for (uint32_t at = 1000; at <= 8000; at += 1000) {
        char line[80];

        snprintf(line, sizeof line, "ACK rcv 0 snd %u wnd 65535 sack 9000:10000", at);
        bench_rx(b, line);
    }
    const struct bench_tx *tx;
    while ((tx = bench_next_tx(b)) != NULL)
        expect_true(b, seq_diff(b->snd_base, tx->seg.seq) < 9000);
    bench_rx(b, "ACK rcv 0 snd 10000 wnd 65535");
    expect_equal(b, bench_info(b).lost_bytes, 0);
}

BENCH_TEST(a_spurious_rto_is_seen_by_text_that_was_never_sent_again)
{
    ten_in_flight(b, &path);
    const uint32_t cwnd = bench_info(b).cwnd_bytes;
    bench_sleep(b, MS(900));
    expect_true(b, counted(b, LA_COUNT_TCPTimeouts) > 0);
    bench_forget_tx(b);

    bench_rx(b, "ACK rcv 0 snd 5000 wnd 65535"); /* the ten segments had merely been slow */

    expect_equal(b, counted(b, LA_COUNT_TCPSpuriousRTOs), 1);
    expect_equal(b, counted(b, LA_COUNT_TCPLossUndo), 1);
    expect_equal(b, bench_info(b).lost_bytes, 0);
    expect_true(b, bench_info(b).cwnd_bytes >= cwnd);
}

BENCH_TEST(a_sack_that_is_taken_back_is_noticed_at_the_rto)
{
    ten_in_flight(b, &path);
    bench_rx(b, "ACK rcv 0 snd 0 wnd 65535 sack 1000:10000");
    bench_forget_tx(b);
    bench_rx(b, "ACK rcv 0 snd 1000 wnd 65535"); /* yet it has not kept what it SACKed */
    bench_sleep(b, SEC(1));

    expect_equal(b, counted(b, LA_COUNT_TCPSACKReneging), 1);
    expect_tx(b, "ACK snd 1000 rcv 0 len 1000");
}

BENCH_TEST(blocks_that_say_nothing_are_counted_and_ignored)
{
    ten_in_flight(b, &path);

    bench_rx(b, "ACK rcv 0 snd 0 wnd 65535 sack 9000:11000"); /* never sent */
    bench_rx(b, "ACK rcv 0 snd 0 wnd 65535 sack 5000:4000");
    bench_rx(b, "ACK rcv 0 snd 0 wnd 65535 sack 5000:5000");

    expect_equal(b, counted(b, LA_COUNT_TCPSACKDiscard), 3);
    expect_equal(b, bench_info(b).sacked_bytes, 0);
    expect_no_tx(b);
}

BENCH_TEST(a_peer_that_splits_the_table_to_pieces_is_served)
{
    ten_in_flight(b, &path);

    for (uint32_t at = 10; at < 9990; at += 20) {
        char line[80];

        snprintf(line, sizeof line, "ACK rcv 0 snd 0 wnd 65535 sack %u:%u", at, at + 10);
        bench_rx(b, line);
    }
    bench_forget_tx(b);
    expect_true(b, counted(b, LA_COUNT_TCPSACKBoardFull) > 0);
    expect_true(b, bench_info(b).sacked_bytes <= 4990); /* forgotten, never invented */
    bench_rx(b, "ACK rcv 0 snd 10000 wnd 65535");
    expect_equal(b, bench_info(b).sacked_bytes, 0);
    expect_true(b, !bench_info(b).in_recovery);
}

BENCH_TEST(text_that_comes_twice_is_reported)
{
    bench_established(b, &(struct bench_opt){ .sack = true, .rcv_wnd = 60000 });

    bench_rx(b, "ACK rcv 0 snd 0 len 100 wnd 65535");
    bench_forget_tx(b);
    bench_rx(b, "ACK rcv 0 snd 0 len 100 wnd 65535");
    expect_tx(b, "ACK snd 0 rcv 100 sack 0:100"); /* RFC 2883 4.1 */
    expect_equal(b, counted(b, LA_COUNT_TCPDSACKOldSent), 1);

    bench_rx(b, "ACK rcv 200 snd 0 len 100 wnd 65535");
    expect_tx(b, "ACK snd 0 rcv 100 sack 200:300");
    bench_rx(b, "ACK rcv 200 snd 0 len 100 wnd 65535");
    expect_tx(b, "ACK snd 0 rcv 100 sack 200:300,200:300"); /* 4.2: within what is above the hole */
    expect_equal(b, counted(b, LA_COUNT_TCPDSACKOfoSent), 1);
    bench_sysctl(b, "net.ipv4.tcp_dsack", 0);
    bench_rx(b, "ACK rcv 200 snd 0 len 100 wnd 65535");
    expect_tx(b, "ACK snd 0 rcv 100 sack 200:300");
}

BENCH_TEST(a_lost_retransmission_that_the_timer_finds_begins_no_second_recovery)
{
    bench_established(b, &path);
    bench_send(b, 60000);
    expect_equal(b, bench_forget_tx(b), 10);
    bench_sleep(b, MS(100));
    bench_rx(b, "ACK rcv 0 snd 0 wnd 65535 sack 1000:2000");
    /* Reordering is known now: the window holds in a recovery too. */
    bench_rx(b, "ACK rcv 0 snd 2000 wnd 65535");
    bench_sleep(b, MS(100));
    bench_rx(b, "ACK rcv 0 snd 2000 wnd 65535 sack 3000:10000");
    bench_sleep(b, MS(30));
    expect_true(b, bench_info(b).in_recovery);
    expect_equal(b, counted(b, LA_COUNT_TCPSackRecovery), 1);
    const uint64_t again = bench_info(b).segs_retransmitted;
    const uint32_t ssthresh = bench_info(b).ssthresh_bytes;
    bench_send(b, 2000);
    bench_forget_tx(b);
    bench_rx(b, "ACK rcv 0 snd 2000 wnd 65535 sack 3000:14000"); /* lets new text go after it */
    bench_sleep(b, MS(100));
    const uint32_t end = bench_info(b).snd_nxt - seq_raw(b->snd_base);
    bench_forget_tx(b);
    char line[80];
    snprintf(line, sizeof line, "ACK rcv 0 snd 2000 wnd 65535 sack 3000:%u", end);
    bench_rx(b, line); /* what was sent after it has arrived */
    expect_equal(b, counted(b, LA_COUNT_TCPLostRetransmit), 0);
    bench_sleep(b, MS(60));

    expect_true(b, bench_info(b).segs_retransmitted > again);
    expect_true(b, counted(b, LA_COUNT_TCPLostRetransmit) > 0);
    expect_equal(b, counted(b, LA_COUNT_TCPSackRecovery), 1);
    expect_equal(b, bench_info(b).ssthresh_bytes, ssthresh);
    expect_equal(b, counted(b, LA_COUNT_TCPTimeouts), 0);
}

BENCH_TEST(a_duplicate_report_of_nothing_is_none)
{
    ten_in_flight(b, &path);
    bench_rx(b, "ACK rcv 0 snd 2000 wnd 65535");

    bench_rx(b, "ACK rcv 0 snd 2000 wnd 65535 sack 1000:1000"); /* below SEG.ACK, and empty */
    bench_rx(b, "ACK rcv 0 snd 2000 wnd 65535 sack 1500:1000");

    expect_equal(b, counted(b, LA_COUNT_TCPDSACKRecv), 0);
    expect_no_tx(b);
}

BENCH_TEST(a_duplicate_ack_without_sack_settles_the_probe_too)
{
    ten_in_flight(b, &path);
    bench_sleep(b, MS(260));
    expect_tx(b, "PSH ACK snd 9000 rcv 0 len 1000");

    bench_rx(b, "ACK rcv 0 snd 10000 wnd 65535");
    bench_rx(b, "ACK rcv 0 snd 10000 wnd 65535"); /* 7.4.2, case 3: a peer without D-SACK */
    bench_send(b, 1000);
    bench_forget_tx(b);
    bench_rx(b, "ACK rcv 0 snd 11000 wnd 65535");

    expect_equal(b, counted(b, LA_COUNT_TCPLossProbeRecovery), 0);
}

BENCH_TEST(text_or_a_hole_does_not_settle_the_probe)
{
    ten_in_flight(b, &path);
    bench_sleep(b, MS(260));
    expect_tx(b, "PSH ACK snd 9000 rcv 0 len 1000");
    bench_rx(b, "ACK rcv 0 snd 10000 wnd 65535");

    bench_rx(b, "ACK rcv 0 snd 10000 len 100 wnd 65535"); /* the peer merely speaks */
    bench_send(b, 1000);
    bench_forget_tx(b);
    bench_rx(b, "ACK rcv 100 snd 11000 wnd 65535");

    expect_equal(b, counted(b, LA_COUNT_TCPLossProbeRecovery), 1);
}

BENCH_TEST(a_fin_alone_is_probed_for)
{
    bench_established(b, &path);
    bench_send(b, 3000);
    bench_shutdown(b, LA_SHUT_WR);
    bench_forget_tx(b);
    bench_sleep(b, MS(100));
    bench_rx(b, "ACK rcv 0 snd 3000 wnd 65535");
    expect_no_tx(b);
    expect_state(b, LA_FIN_WAIT_1);

    bench_sleep(b, MS(400)); /* two round trips and a delayed ACK's time */

    const struct bench_tx *t = bench_next_tx(b);
    expect_true(b, t != NULL && (t->seg.flags & TCP_FIN) != 0);
    expect_equal(b, t->seg.len, 0);
    expect_equal(b, counted(b, LA_COUNT_TCPLossProbes), 1);
    expect_equal(b, counted(b, LA_COUNT_TCPTimeouts), 0);
    bench_rx(b, "ACK rcv 0 snd 3001 wnd 65535");
    expect_state(b, LA_FIN_WAIT_2);
}

BENCH_TEST(what_was_reported_already_is_no_news_when_it_is_acknowledged)
{
    ten_in_flight(b, &path);
    bench_rx(b, "ACK rcv 0 snd 0 wnd 65535 sack 0:1000"); /* it says so before it acknowledges it */
    expect_equal(b, bench_info(b).sacked_bytes, 1000);

    bench_rx(b, "ACK rcv 0 snd 1000 wnd 65535");

    expect_equal(b, bench_info(b).sacked_bytes, 0);
    expect_true(b, !bench_info(b).in_recovery);
    expect_no_tx(b);
}

BENCH_TEST(a_block_half_of_which_is_acknowledged_counts_for_the_rest)
{
    ten_in_flight(b, &path);

    bench_rx(b, "ACK rcv 0 snd 2000 wnd 65535 sack 4000:5000,1000:2000");

    expect_equal(b, bench_info(b).sacked_bytes, 1000);
    expect_equal(b, counted(b, LA_COUNT_TCPSACKDiscard), 1); /* long acknowledged */
}

TEST_MAIN
