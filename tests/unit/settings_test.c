/* SPDX-License-Identifier: MIT */
/* settings_test.c - Options: their ranges, what they answer, and that each does something. */
#include "tests/unit/base_test.h"
#include "tests/unit/hand.h"

static const struct {
    enum la_option option;
    uint64_t min, max;
} table[] = {
#define LA_OPTION(name, unit, min, max, text) { LA_OPT_##name, min, max },
#include <lastack/options.def>
#undef LA_OPTION
};

static struct hand start(void)
{
    struct hand h;

    hand_new(&h, NULL);
    hand_establish(&h, NULL);
    return h;
}

TEST(every_option_takes_its_range_answers_what_was_set_and_refuses_the_rest)
{
    for (uint32_t i = 0; i < LA_COUNT_OF(table); i++) {
        struct hand h;
        const enum la_option o = table[i].option;
        uint64_t value;

        if (o == LA_OPT_DEFER_ACCEPT) /* a listener's alone: tests/unit/listener_test.c */
            continue;
        hand_new(&h, NULL);
        hand_open(&h); /* before the SYN every option may be set */
        assert_int_equal(la_get_option(h.s, h.conn, o, &value), LA_OK);
        assert_int_equal(la_set_option(h.s, h.now, h.conn, o, table[i].max), LA_OK);
        assert_int_equal(la_get_option(h.s, h.conn, o, &value), LA_OK);
        assert_int_equal(value, o == LA_OPT_TOS ? table[i].max & 0xfc : table[i].max);
        assert_int_equal(la_set_option(h.s, h.now, h.conn, o, table[i].min), LA_OK);
        assert_int_equal(la_set_option(h.s, h.now, h.conn, o, table[i].max + 1), LA_EINVAL);
        if (table[i].min > 0)
            assert_int_equal(la_set_option(h.s, h.now, h.conn, o, table[i].min - 1), LA_EINVAL);
        assert_int_equal(la_get_option(h.s, h.conn, o, &value), LA_OK);
        if (o != LA_OPT_LINGER2 && o != LA_OPT_SYNCNT) /* where zero means the knob */
            assert_int_equal(value, table[i].min);
        assert_null(la_check(h.s));
        hand_free(&h);
    }
}

TEST(an_option_that_is_not_there_and_a_handle_that_is_gone_are_refused)
{
    struct hand h = start();
    uint64_t value;

    assert_int_equal(la_set_option(h.s, h.now, h.conn, LA_OPTIONS, 0), LA_ENOPROTOOPT);
    assert_int_equal(la_set_option(h.s, h.now, h.conn, (enum la_option)999, 0), LA_ENOPROTOOPT);
    assert_int_equal(la_get_option(h.s, h.conn, LA_OPTIONS, &value), LA_ENOPROTOOPT);
    assert_int_equal(la_set_option(h.s, h.now, (la_conn_id){ 5 }, LA_OPT_CORK, 0), LA_EBADHANDLE);
    assert_int_equal(la_get_option(h.s, (la_conn_id){ 5 }, LA_OPT_CORK, &value), LA_EBADHANDLE);
    assert_int_equal(la_listener_set_option(h.s, (la_listener_id){ 5 }, LA_OPT_CORK, 0),
                     LA_EBADHANDLE);
    hand_free(&h);
}

TEST(keepalive_times_and_linger2_fall_back_to_the_knobs)
{
    struct hand h = start();
    static const struct {
        enum la_option option;
        const char *knob;
    } cases[] = { { LA_OPT_KEEPIDLE, "net.ipv4.tcp_keepalive_time" },
                  { LA_OPT_KEEPINTVL, "net.ipv4.tcp_keepalive_intvl" },
                  { LA_OPT_KEEPCNT, "net.ipv4.tcp_keepalive_probes" },
                  { LA_OPT_MSL, "net.lastack.tcp_msl_ms" },
                  { LA_OPT_LINGER2, "net.ipv4.tcp_fin_timeout" } };
    uint64_t value;

    for (uint32_t i = 0; i < LA_COUNT_OF(cases); i++) {
        assert_int_equal(la_sysctl_set(h.s, cases[i].knob, 11), LA_OK);
        assert_int_equal(la_get_option(h.s, h.conn, cases[i].option, &value), LA_OK);
        assert_int_equal(value, 11);
        assert_int_equal(la_set_option(h.s, h.now, h.conn, cases[i].option, 12), LA_OK);
        assert_int_equal(la_get_option(h.s, h.conn, cases[i].option, &value), LA_OK);
        assert_int_equal(value, 12);
    }
    hand_free(&h);
}

TEST(ttl_and_diffserv_stand_in_every_packet_and_the_ecn_bits_do_not)
{
    for (int v6 = 0; v6 < 2; v6++) {
        struct hand h;
        struct la_tx tx[2];
        struct ip_packet ip;
        uint8_t bytes[200];

        hand_new(&h, &(struct hand_opt){ .v6 = v6 });
        hand_establish(&h, NULL);
        assert_int_equal(la_set_option(h.s, h.now, h.conn, LA_OPT_TTL, 17), LA_OK);
        assert_int_equal(la_set_option(h.s, h.now, h.conn, LA_OPT_TOS, 0xff), LA_OK);
        assert_int_equal(la_send(h.s, h.now, h.conn, "x", 1, 0), 1);
        hand_rx(&h, "ACK rcv 9 snd 1 len 1 wnd 1000"); /* and an answer at once */
        assert_int_equal(la_tx(h.s, h.now, tx, 2), 2);
        for (uint32_t i = 0; i < 2; i++) {
            (void)la_tx_copy(&tx[i], bytes, sizeof bytes);
            assert_int_equal(ip_parse(bytes, tx[i].len_bytes, &ip), LA_DROP_NONE);
            assert_int_equal(ip.ttl, 17);
            assert_int_equal(ip.tos, 0xfc);
        }
        hand_free(&h);
    }
}

TEST(nodelay_lets_a_waiting_crumb_go)
{
    struct hand h = start();

    assert_int_equal(la_send(h.s, h.now, h.conn, "ab", 2, 0), 2);
    assert_int_equal(hand_drain(&h), 1);
    assert_int_equal(la_send(h.s, h.now, h.conn, "cd", 2, 0), 2);
    assert_int_equal(hand_drain(&h), 0); /* Nagle */
    assert_int_equal(la_set_option(h.s, h.now, h.conn, LA_OPT_NODELAY, 1), LA_OK);
    assert_int_equal(hand_drain(&h), 1);
    hand_free(&h);
}

TEST(cork_holds_a_crumb_until_it_is_taken_out_or_200_ms_have_passed)
{
    struct hand h = start();

    assert_int_equal(la_set_option(h.s, h.now, h.conn, LA_OPT_CORK, 1), LA_OK);
    assert_int_equal(la_send(h.s, h.now, h.conn, "ab", 2, 0), 2);
    assert_int_equal(hand_drain(&h), 0);
    assert_int_equal(la_set_option(h.s, h.now, h.conn, LA_OPT_CORK, 0), LA_OK);
    assert_int_equal(hand_drain(&h), 1);
    hand_rx(&h, "ACK rcv 1 snd 3 wnd 65535");
    assert_int_equal(la_set_option(h.s, h.now, h.conn, LA_OPT_CORK, 1), LA_OK);
    assert_int_equal(la_send(h.s, h.now, h.conn, "cd", 2, 0), 2);
    hand_drain(&h);
    hand_wait(&h, 200 * NS_PER_MS - 1);
    assert_int_equal(hand_drain(&h), 0);
    hand_wait(&h, 1);
    assert_int_equal(hand_drain(&h), 1);
    hand_free(&h);
}

TEST(a_larger_receive_buffer_is_told_at_once_if_it_is_worth_it)
{
    struct hand h = start();
    struct tcp_seg seg;

    assert_int_equal(la_set_option(h.s, h.now, h.conn, LA_OPT_RCVBUF, 1024), LA_OK);
    for (uint32_t at = 0; tcp_rcv_wnd(hand_conn(&h)) > 0;) {
        const uint32_t wnd = tcp_rcv_wnd(hand_conn(&h));
        struct tcp_seg text = { .flags = TCP_ACK,
                                .seq = seq_add(h.irs, 1 + at),
                                .ack = seq_add(h.iss, 1),
                                .wnd = 65535,
                                .len = wnd < 1400 ? wnd : 1400 };
        hand_rx_seg(&h, &text);
        at += text.len;
    }
    hand_drain(&h);
    assert_int_equal(la_set_option(h.s, h.now, h.conn, LA_OPT_RCVBUF, 200000), LA_OK);
    assert_true(hand_tx_seg(&h, &seg));
    assert_int_equal(seg.wnd, 65535);
    hand_free(&h);
}

TEST(what_of_unsent_text_is_few_is_kept_to_8_kib_and_has_an_end)
{
    static const uint32_t cases[][2] = { { 1, 1 }, { 131071, 131071 }, { 131073, 139264 } };
    static const uint32_t knobs[][2] = {
        { 131073, 139264 },
        { UINT32_MAX - 1, TCP_LOWAT_MAX },
        { UINT32_MAX, UINT32_MAX }, /* no limit */
    };
    uint64_t value;

    for (uint32_t i = 0; i < LA_COUNT_OF(cases); i++) {
        struct hand h = start();

        assert_int_equal(la_set_option(h.s, h.now, h.conn, LA_OPT_NOTSENT_LOWAT, cases[i][0]),
                         LA_OK);
        assert_int_equal(la_get_option(h.s, h.conn, LA_OPT_NOTSENT_LOWAT, &value), LA_OK);
        assert_int_equal(value, cases[i][1]);
        hand_free(&h);
    }
    for (uint32_t i = 0; i < LA_COUNT_OF(knobs); i++) {
        struct hand h;

        hand_new(&h, NULL);
        assert_int_equal(la_sysctl_set(h.s, "net.ipv4.tcp_notsent_lowat", knobs[i][0]), LA_OK);
        hand_establish(&h, NULL);
        assert_int_equal(setting_lowat(&hand_conn(&h)->set), knobs[i][1]);
        hand_free(&h);
    }
}

TEST_MAIN
