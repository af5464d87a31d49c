/* SPDX-License-Identifier: MIT */
/* calls_test.c - OPEN: what is refused, what is chosen, what the SYN says (RFC 9293 3.10.1). */
#include "tests/unit/base_test.h"
#include "tests/unit/hand.h"

static const struct la_endpoint any;

static enum la_err open_text(struct hand *h, const char *local, uint16_t lport, const char *remote,
                             uint16_t rport)
{
    struct la_endpoint from = { .port = lport }, to = { .port = rport };

    if (local != NULL)
        assert_true(la_addr_parse(local, &from.addr));
    assert_true(la_addr_parse(remote, &to.addr));
    return la_open(h->s, h->now, from, to, 77, &h->conn);
}

TEST(an_open_that_can_not_be_is_refused_with_its_reason_and_leaves_nothing)
{
    static const struct {
        const char *local;
        uint16_t lport;
        const char *remote;
        uint16_t rport;
        enum la_err err;
    } cases[] = {
        { NULL, 0, "10.0.0.2", 0, LA_EINVAL },
        { "2001:db8::1", 0, "10.0.0.2", 80, LA_EINVAL },
        { NULL, 0, "0.0.0.0", 80, LA_EACCES },
        { NULL, 0, "224.0.0.1", 80, LA_EACCES },
        { NULL, 0, "255.255.255.255", 80, LA_EACCES },
        { NULL, 0, "10.0.0.255", 80, LA_EACCES }, /* of our subnet */
        { NULL, 0, "::", 80, LA_EACCES },
        { NULL, 0, "ff02::1", 80, LA_EACCES },
        { NULL, 0, "192.0.2.1", 80, LA_ENETUNREACH },
        { NULL, 0, "2001:db8:1::1", 80, LA_ENETUNREACH },
        { "10.0.0.7", 0, "10.0.0.2", 80, LA_EADDRNOTAVAIL },
    };

    for (uint32_t i = 0; i < LA_COUNT_OF(cases); i++) {
        struct hand h;

        hand_new(&h, NULL);
        const enum la_err err =
            open_text(&h, cases[i].local, cases[i].lport, cases[i].remote, cases[i].rport);
        if (err != cases[i].err)
            fail_msg("case %u: %s", i, la_err_name(err));
        assert_int_equal(h.t->conns.used, 0);
        assert_int_equal(hand_drain(&h), 0);
        assert_int_equal(la_deadline(h.s).ns, UINT64_MAX);
        hand_free(&h);
    }
}

TEST(ip_chooses_the_source_and_rfc_6056_the_port)
{
    for (int v6 = 0; v6 < 2; v6++) {
        struct hand h;
        struct la_conn_info info;

        hand_new(&h, &(struct hand_opt){ .v6 = v6 });
        const struct la_endpoint to = { .addr = h.peer, .port = 80 };
        assert_int_equal(la_open(h.s, h.now, any, to, 5, &h.conn), LA_OK);
        assert_int_equal(la_conn_info(h.s, h.conn, &info), LA_OK);
        assert_true(la_addr_equal(info.local.addr, h.us));
        assert_in_range(info.local.port, 32768, 60999);
        assert_int_equal(info.state, LA_SYN_SENT);
        assert_int_equal(info.user, 5);
        assert_int_equal(la_counter(h.s, LA_COUNT_ActiveOpens), 1);
        hand_free(&h);
    }
}

TEST(the_same_4_tuple_twice_is_refused)
{
    struct hand h;

    hand_new(&h, NULL);
    assert_int_equal(open_text(&h, "10.0.0.1", 1000, "10.0.0.2", 80), LA_OK);
    assert_int_equal(open_text(&h, "10.0.0.1", 1000, "10.0.0.2", 80), LA_EADDRINUSE);
    assert_int_equal(open_text(&h, "10.0.0.1", 1000, "10.0.0.2", 81), LA_OK);
    assert_int_equal(open_text(&h, "10.0.0.1", 1001, "10.0.0.2", 80), LA_OK);
    assert_null(la_check(h.s));
    hand_free(&h);
}

TEST(the_last_connection_record_is_the_last)
{
    struct hand h;
    const struct la_endpoint to = { .addr = la_addr_v4(10, 0, 0, 2), .port = 80 };

    hand_new(&h, NULL);
    for (uint32_t i = 0; i < 16; i++)
        assert_int_equal(la_open(h.s, h.now, any, to, 0, &h.conn), LA_OK);
    la_conn_id none = { 123 };
    assert_int_equal(la_open(h.s, h.now, any, to, 0, &none), LA_ENOBUFS);
    assert_int_equal(none.bits, 123); /* written only on success */
    assert_int_equal(la_abort(h.s, h.now, h.conn), LA_OK);
    assert_int_equal(la_open(h.s, h.now, any, to, 0, &h.conn), LA_OK);
    assert_null(la_check(h.s));
    hand_free(&h);
}

TEST(the_syn_offers_what_the_knobs_allow)
{
    for (uint32_t i = 0; i < 8; i++) {
        struct hand h;
        struct tcp_seg seg;

        hand_new(&h, &(struct hand_opt){ .v6 = i & 1 });
        assert_int_equal(la_sysctl_set(h.s, "net.ipv4.tcp_timestamps", i & 1), LA_OK);
        assert_int_equal(la_sysctl_set(h.s, "net.ipv4.tcp_sack", i >> 1 & 1), LA_OK);
        assert_int_equal(la_sysctl_set(h.s, "net.ipv4.tcp_window_scaling", i >> 2 & 1), LA_OK);
        hand_open(&h);
        assert_true(hand_tx_seg(&h, &seg));
        assert_int_equal(seg.flags, TCP_SYN);
        assert_int_equal(seg.opt.has_timestamps, i & 1);
        assert_int_equal(seg.opt.has_sack_ok, i >> 1 & 1);
        assert_int_equal(seg.opt.has_wscale, i >> 2 & 1);
        assert_true(seg.opt.has_mss);
        assert_int_equal(seg.opt.mss, h.v6 ? 1440 : 1460);
        assert_int_equal(seg.wnd, 65535);
        assert_int_equal(seg.len, 0);
        hand_free(&h);
    }
}

TEST(the_segment_size_may_be_set_before_the_syn_and_not_after)
{
    struct hand h;
    struct tcp_seg seg;

    hand_new(&h, NULL);
    hand_open(&h);
    assert_int_equal(la_set_option(h.s, h.now, h.conn, LA_OPT_MAXSEG, 700), LA_OK);
    assert_true(hand_tx_seg(&h, &seg));
    assert_int_equal(seg.opt.mss, 700);
    assert_int_equal(la_set_option(h.s, h.now, h.conn, LA_OPT_MAXSEG, 800), LA_EISCONN);
    hand_free(&h);
}

TEST_MAIN
