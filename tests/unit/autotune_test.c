/* SPDX-License-Identifier: MIT */
/* autotune_test.c - Buffers that grow with the path, and those that may not. */
#include "tests/unit/base_test.h"
#include "tests/unit/hand.h"

#define RTT_US 50000u
#define MSS 1460u

static struct hand start(bool v6, uint32_t chunks)
{
    struct hand_opt opt = { .v6 = v6, .syn = "wnd 65535 mss 1460 wscale 7" };
    struct la_config config;
    struct hand h;

    hand_config(&config);
    config.chunks = chunks;
    opt.config = &config;
    hand_new(&h, &opt);
    hand_establish(&h, &opt);
    hand_conn(&h)->srtt_us8 = RTT_US * 8;
    return h;
}

/* The peer sends all that the window takes within @us; the application reads it, or not. */
static void fill(struct hand *h, uint32_t us, bool read)
{
    static uint8_t bytes[65536];
    struct tcp_conn *c = hand_conn(h);
    const uint32_t wnd = tcp_rcv_wnd(c);

    h->now.ns += us * NS_PER_US;
    for (uint32_t done = 0; done < wnd;) {
        struct tcp_seg seg = { .flags = TCP_ACK,
                               .seq = c->rcv.nxt,
                               .ack = c->snd.una,
                               .wnd = 1000,
                               .len = wnd - done < MSS ? wnd - done : MSS };

        done += seg.len;
        hand_rx_seg(h, &seg);
        while (read && la_recv(h->s, h->now, h->conn, bytes, sizeof bytes) > 0)
            continue;
        hand_drain(h);
    }
    assert_null(la_check(h->s));
}

TEST(a_sender_that_fills_the_window_in_two_round_trips_is_offered_a_larger_one)
{
    for (uint32_t v6 = 0; v6 < 2; v6++) {
        struct hand h = start(v6 != 0, 30000);
        uint32_t last = hand_conn(&h)->set.rcvbuf;

        assert_int_equal(last, 131072);
        fill(&h, RTT_US, true); /* the window of the handshake */
        for (uint32_t i = 0; i < 12; i++) {
            fill(&h, 2 * RTT_US, true);
            assert_true(hand_conn(&h)->set.rcvbuf >= last);
            last = hand_conn(&h)->set.rcvbuf;
        }
        assert_int_equal(last, 6291456);
        hand_free(&h);
    }
}

TEST(one_that_takes_longer_is_not)
{
    struct hand h = start(false, 30000);

    for (uint32_t i = 0; i < 5; i++)
        fill(&h, 2 * RTT_US + 1, true);
    assert_int_equal(hand_conn(&h)->set.rcvbuf, 131072);
    hand_free(&h);
}

TEST(the_first_buffer_is_offered_little_by_little)
{
    struct hand h = start(false, 30000);
    const struct tcp_conn *c = hand_conn(&h);

    while (c->bytes_received < 8u * 131072u) {
        fill(&h, 2 * RTT_US + 1, true);
        const uint64_t opened = UINT16_MAX + c->bytes_received / 8;
        const uint64_t most = opened < 131072 ? opened : 131072;

        assert_in_range(tcp_rcv_wnd(c), most - 4u * MSS, most + (1u << c->rcv_shift));
    }
    assert_int_equal(c->set.rcvbuf, 131072);
    hand_free(&h);
}

TEST(an_application_that_does_not_read_is_given_no_more)
{
    struct hand h = start(false, 30000);

    for (uint32_t i = 0; i < 5; i++)
        fill(&h, RTT_US, false);
    assert_int_equal(hand_conn(&h)->set.rcvbuf, 131072);
    hand_free(&h);
}

TEST(what_the_application_has_set_stays)
{
    struct hand h = start(false, 30000);

    assert_int_equal(la_set_option(h.s, h.now, h.conn, LA_OPT_RCVBUF, 100000), LA_OK);
    assert_int_equal(la_set_option(h.s, h.now, h.conn, LA_OPT_SNDBUF, 50000), LA_OK);
    for (uint32_t i = 0; i < 5; i++)
        fill(&h, RTT_US, true);
    hand_conn(&h)->cwnd = 1000000;
    autotune_send(h.t, hand_conn(&h));
    assert_int_equal(hand_conn(&h)->set.rcvbuf, 100000);
    assert_int_equal(hand_conn(&h)->set.sndbuf, 50000);
    hand_free(&h);
}

TEST(with_the_knob_off_receive_buffers_do_not_grow)
{
    struct hand h = start(false, 30000);

    assert_int_equal(la_sysctl_set(h.s, "net.ipv4.tcp_moderate_rcvbuf", 0), LA_OK);
    for (uint32_t i = 0; i < 5; i++)
        fill(&h, RTT_US, true);
    assert_int_equal(hand_conn(&h)->set.rcvbuf, 131072);
    hand_free(&h);
}

TEST(no_buffer_grows_beyond_a_quarter_of_the_pool)
{
    struct hand h = start(false, 400);
    const uint64_t pool = 400ull * chunks_payload(&h.t->env.chunks);

    for (uint32_t i = 0; i < 8; i++)
        fill(&h, RTT_US, true);
    assert_true(hand_conn(&h)->set.rcvbuf <= pool / 4 || hand_conn(&h)->set.rcvbuf == 131072);
    hand_conn(&h)->cwnd = 1u << 30;
    autotune_send(h.t, hand_conn(&h));
    assert_int_equal(hand_conn(&h)->set.sndbuf, 131072);
    hand_free(&h);
}

TEST(the_send_buffer_holds_two_windows_up_to_its_limit)
{
    struct hand h = start(false, 30000);
    struct tcp_conn *c = hand_conn(&h);

    c->cwnd = 100000;
    autotune_send(h.t, c);
    assert_int_equal(c->set.sndbuf, 200000);
    c->cwnd = 50000; /* never smaller again */
    autotune_send(h.t, c);
    assert_int_equal(c->set.sndbuf, 200000);
    c->cwnd = 1u << 30;
    autotune_send(h.t, c);
    assert_int_equal(c->set.sndbuf, 4194304);
    hand_free(&h);
}

TEST(the_scale_of_the_window_suits_the_limit)
{
    static const struct {
        const char *rmem;
        uint32_t shift;
    } cases[] = { { "4096 131072 6291456", 7 },
                  { "4096\t131072\t67108864", 11 },
                  { "4096 131072 33553920", 9 },
                  { "4096 10000 60000", 1 },
                  { "4096 131072 1073725440", 14 } };
    struct hand h;
    char text[64];

    hand_new(&h, NULL);
    for (uint32_t i = 0; i < LA_COUNT_OF(cases); i++) {
        assert_int_equal(la_sysctl_write(h.s, "net.ipv4.tcp_rmem", cases[i].rmem), LA_OK);
        assert_int_equal(rcv_window_shift(h.t), cases[i].shift);
    }
    assert_int_equal(la_sysctl_read(h.s, "net.ipv4.tcp_rmem", text, sizeof text), LA_OK);
    assert_string_equal(text, "4096\t131072\t1073725440");
    static const char *const bad[] = {
        "",          "4096",          "4096 131072", "1 131072 131072",
        "4096 10 5", "4096 10 10000", "a b c",       "4096 2048 9999 1"
    };
    for (uint32_t i = 0; i < LA_COUNT_OF(bad); i++) {
        assert_int_equal(la_sysctl_write(h.s, "net.ipv4.tcp_rmem", bad[i]), LA_EINVAL);
        assert_int_equal(la_sysctl_write(h.s, "net.ipv4.tcp_wmem", bad[i]), LA_EINVAL);
    }
    hand_free(&h);
}

TEST(above_the_first_number_of_tcp_mem_no_buffer_grows_and_that_is_counted)
{
    struct hand h = start(false, 30000);
    struct tcp_conn *c = hand_conn(&h);

    fill(&h, RTT_US, true);
    const uint32_t rcvbuf = c->set.rcvbuf, sndbuf = c->set.sndbuf;
    assert_int_equal(la_send(h.s, h.now, h.conn, "held", 4, 0), 4); /* nobody acknowledges it */
    assert_int_equal(la_sysctl_write(h.s, "net.ipv4.tcp_mem", "0 50000 60000"), LA_OK);
    for (uint32_t i = 0; i < 4; i++)
        fill(&h, RTT_US, true);
    c->cwnd = sndbuf;
    autotune_send(h.t, c);
    assert_int_equal(c->set.rcvbuf, rcvbuf);
    assert_int_equal(c->set.sndbuf, sndbuf);
    assert_true(la_drops(h.s, LA_DROP_BUFFER_KEPT) >= 2);
    assert_int_equal(la_sysctl_write(h.s, "net.ipv4.tcp_mem", "40000 50000 60000"), LA_OK);
    autotune_send(h.t, c);
    assert_true(c->set.sndbuf > sndbuf);
    hand_free(&h);
}

TEST_MAIN
