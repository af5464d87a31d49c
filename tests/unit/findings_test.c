/* SPDX-License-Identifier: MIT */
#include "core/stack/stack.h"
#include "tests/unit/hand.h"
#include "tests/unit/test.h"

static struct hand start(void)
{
    struct hand h;

    hand_new(&h, NULL);
    hand_establish(&h, NULL);
    return h;
}

static struct la_found last(const struct hand *h)
{
    struct la_found f = { .number = 0 };
    uint64_t after = 0;

    while (la_findings(h->s, &after, &f, 1) == 1) {
    }
    return f;
}

TEST(the_sixteenth_read_of_zero_is_told_once)
{
    struct hand h = start();
    char byte;

    hand_rx(&h, "FIN ACK rcv 1 snd 1 wnd 1000");
    for (uint32_t i = 0; i < 15; i++)
        assert_int_equal(la_recv(h.s, h.now, h.conn, &byte, 1), 0);
    assert_int_equal(la_finding_count(h.s, LA_FINDING_EOF_LOOP), 0);
    for (uint32_t i = 0; i < 100; i++)
        assert_int_equal(la_recv(h.s, h.now, h.conn, &byte, 1), 0);
    assert_int_equal(la_finding_count(h.s, LA_FINDING_EOF_LOOP), 1);
    assert_int_equal(last(&h).conn.bits, h.conn.bits);
    assert_int_equal(last(&h).value, 16);
    assert_int_equal(last(&h).remote.port, h.rport);
    hand_free(&h);
}

TEST(a_close_with_unread_bytes_is_told_with_their_number)
{
    struct hand h = start();

    hand_rx(&h, "ACK PSH rcv 1 snd 1 wnd 1000 len 77");
    assert_int_equal(la_close(h.s, h.now, h.conn), LA_OK);
    assert_int_equal(la_finding_count(h.s, LA_FINDING_CLOSE_UNREAD), 1);
    assert_int_equal(last(&h).value, 77);
    hand_free(&h);
}

static void scan(struct hand *h)
{
    while (la_findings_scan(h->s, h->now, 1)) {
    }
}

TEST(an_old_close_wait_is_told_once_and_a_young_one_is_not)
{
    struct hand h = start();

    hand_rx(&h, "FIN ACK rcv 1 snd 1 wnd 1000");
    hand_drain(&h);
    hand_wait(&h, 59 * NS_PER_S);
    scan(&h);
    assert_int_equal(la_finding_count(h.s, LA_FINDING_CLOSE_WAIT_OLD), 0);
    hand_wait(&h, 2 * NS_PER_S);
    scan(&h);
    scan(&h);
    assert_int_equal(la_finding_count(h.s, LA_FINDING_CLOSE_WAIT_OLD), 1);
    assert_in_range(last(&h).value, 60, 61); /* since when is known to a millisecond */
    hand_free(&h);
}

TEST(a_knob_of_zero_turns_a_finding_off)
{
    struct hand h = start();

    assert_int_equal(la_sysctl_set(h.s, "net.lastack.finding_close_wait", 0), LA_OK);
    hand_rx(&h, "FIN ACK rcv 1 snd 1 wnd 1000");
    hand_drain(&h);
    hand_wait(&h, 100000 * NS_PER_S);
    scan(&h);
    assert_int_equal(la_finding_count(h.s, LA_FINDING_CLOSE_WAIT_OLD), 0);
    hand_free(&h);
}

TEST(a_long_idle_connection_is_told_unless_somebody_watches)
{
    for (uint32_t watched = 0; watched < 3; watched++) {
        struct hand h = start();

        if (watched == 1)
            assert_int_equal(la_set_option(h.s, h.now, h.conn, LA_OPT_KEEPALIVE, 1), LA_OK);
        if (watched == 2)
            assert_int_equal(la_set_option(h.s, h.now, h.conn, LA_OPT_USER_TIMEOUT, 1000), LA_OK);
        hand_wait(&h, 7199 * NS_PER_S);
        scan(&h);
        assert_int_equal(la_finding_count(h.s, LA_FINDING_IDLE_UNWATCHED), 0);
        hand_wait(&h, 2 * NS_PER_S);
        scan(&h);
        assert_int_equal(la_finding_count(h.s, LA_FINDING_IDLE_UNWATCHED), watched == 0);
        hand_free(&h);
    }
}

TEST(a_connection_nobody_accepts_is_told_and_again_after_an_accept)
{
    struct hand h;
    struct la_accepted accepted;

    hand_new(&h, NULL);
    hand_listen(&h);
    hand_rx(&h, "SYN rcv 0 wnd 65535 mss 1460");
    struct tcp_seg seg;
    assert_true(hand_tx_seg(&h, &seg));
    h.iss = seg.seq;
    hand_rx(&h, "ACK rcv 1 snd 1 wnd 1000");
    hand_wait(&h, 4 * NS_PER_S);
    scan(&h);
    assert_int_equal(la_finding_count(h.s, LA_FINDING_ACCEPT_STARVED), 0);
    hand_wait(&h, 2 * NS_PER_S);
    scan(&h);
    scan(&h);
    assert_int_equal(la_finding_count(h.s, LA_FINDING_ACCEPT_STARVED), 1);
    assert_int_equal(last(&h).listener.bits, h.listener.bits);
    assert_int_equal(la_accept(h.s, h.now, h.listener, 0, &accepted), LA_OK);
    scan(&h);
    assert_int_equal(la_finding_count(h.s, LA_FINDING_ACCEPT_STARVED), 1);
    hand_free(&h);
}

TEST(an_application_that_subscribes_gets_one_event_for_all_that_was_told)
{
    struct hand h = start();
    struct la_event e[4];
    char byte;

    assert_int_equal(la_findings_subscribe(h.s, 1u << LA_FINDINGS), LA_EINVAL);
    assert_int_equal(la_findings_subscribe(h.s, 1u << LA_FINDING_EOF_LOOP), LA_OK);
    hand_rx(&h, "FIN ACK rcv 1 snd 1 wnd 1000");
    (void)la_events(h.s, e, 4);
    for (uint32_t i = 0; i < 20; i++)
        assert_int_equal(la_recv(h.s, h.now, h.conn, &byte, 1), 0);
    assert_int_equal(la_events(h.s, e, 4), 1);
    assert_int_equal(e[0].kind, LA_EVENT_FINDING);
    assert_int_equal(e[0].mask, 1u << LA_FINDING_EOF_LOOP);
    assert_int_equal(la_events(h.s, e, 4), 0);
    hand_free(&h);
}

TEST(only_the_newest_are_remembered_and_all_are_counted)
{
    struct hand h = start();
    struct la_found f[LA_FINDINGS_KEPT + 1];
    uint64_t after = 0;

    for (uint32_t i = 0; i < 40; i++)
        finding_conn(h.t, hand_ci(&h), LA_FINDING_EOF_LOOP, i);
    assert_int_equal(la_finding_count(h.s, LA_FINDING_EOF_LOOP), 40);
    assert_int_equal(la_findings(h.s, &after, f, LA_FINDINGS_KEPT + 1), LA_FINDINGS_KEPT);
    assert_int_equal(f[0].value, 40 - LA_FINDINGS_KEPT);
    assert_int_equal(f[LA_FINDINGS_KEPT - 1].number, 40);
    assert_int_equal(la_findings(h.s, &after, f, 1), 0);
    hand_free(&h);
}

TEST(each_finding_has_a_name_a_sentence_and_an_advice)
{
    for (uint32_t i = 0; i < LA_FINDINGS; i++) {
        assert_true(strlen(la_finding_name((enum la_finding)i)) > 3);
        assert_true(strlen(la_finding_text((enum la_finding)i)) > 20);
        assert_true(strlen(la_finding_advice((enum la_finding)i)) > 20);
    }
    assert_string_equal(la_finding_name(LA_FINDINGS), "?");
    assert_string_equal(la_finding_text(LA_FINDINGS), "?");
    assert_string_equal(la_finding_advice(LA_FINDINGS), "?");
}

TEST_MAIN
