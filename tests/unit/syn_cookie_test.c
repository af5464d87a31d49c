/* SPDX-License-Identifier: MIT */
/* syn_cookie_test.c - Cookies: what they bring back, how long they are good, and who can make one. */
#include "tests/unit/base_test.h"
#include "tests/unit/hand.h"

#define ALWAYS 2u
#define START_NS (1000 * NS_PER_S)

static struct hand start(bool v6, uint32_t cookies)
{
    struct hand h;

    hand_new(&h, &(struct hand_opt){ .v6 = v6, .irs = 0xfffffff0, .start_ns = START_NS });
    hand_listen(&h);
    assert_int_equal(la_sysctl_set(h.s, "net.ipv4.tcp_syncookies", cookies), LA_OK);
    return h;
}

static uint32_t records(const struct hand *h)
{
    return h->t->half4.used + h->t->half6.used;
}

static struct tcp_listener *listener(const struct hand *h)
{
    return listener_at(h->t, (uint32_t)h->listener.bits);
}

/* A SYN, answered with a cookie.  Return: the SYN-ACK. */
static struct tcp_seg knock(struct hand *h, const char *syn)
{
    struct tcp_seg seg;
    const uint64_t sent = la_counter(h->s, LA_COUNT_SyncookiesSent);

    hand_drain(h);
    hand_rx(h, syn);
    assert_int_equal(la_counter(h->s, LA_COUNT_SyncookiesSent), sent + 1);
    assert_true(hand_tx_seg(h, &seg));
    assert_int_equal(seg.flags, TCP_SYN | TCP_ACK);
    h->iss = seg.seq;
    return seg;
}

/* The ACK that answers @synack. */
static struct tcp_seg answer(const struct tcp_seg *synack)
{
    struct tcp_seg ack = { .flags = TCP_ACK, .seq = synack->ack, .wnd = 500 };

    ack.ack = seq_add(synack->seq, 1);
    if (synack->opt.has_timestamps) {
        ack.opt.has_timestamps = true;
        ack.opt.ts_val = 101;
        ack.opt.ts_ecr = synack->opt.ts_val;
    }
    return ack;
}

/* Is it the last ACK of a handshake? */
static bool opens(struct hand *h, struct tcp_seg ack)
{
    const uint64_t opened = la_counter(h->s, LA_COUNT_PassiveOpens);

    hand_rx_seg(h, &ack);
    assert_null(la_check(h->s));
    return la_counter(h->s, LA_COUNT_PassiveOpens) > opened;
}

static struct tcp_conn *accepted(struct hand *h)
{
    struct la_accepted a;

    assert_int_equal(la_accept(h->s, h->now, h->listener, 1, &a), LA_OK);
    h->conn = a.conn;
    return hand_conn(h);
}

TEST(beyond_the_limit_a_syn_gets_a_cookie_and_leaves_nothing_behind)
{
    for (int v6 = 0; v6 < 2; v6++) {
        struct hand h = start(v6, 1);
        struct tcp_seg seg;

        for (h.rport = 1; h.rport <= 5; h.rport++) /* backlog 4: five records */
            hand_rx(&h, "SYN rcv 0 wnd 4000");
        assert_int_equal(hand_drain(&h), 5);
        const la_time deadline = la_deadline(h.s);
        for (; h.rport <= 50; h.rport++)
            (void)knock(&h, "SYN rcv 0 wnd 4000 mss 1400 wscale 3 sackOK TS 100:0");
        assert_int_equal(records(&h), 5);
        assert_int_equal(listener(&h)->half_len, 5);
        assert_int_equal(la_deadline(h.s).ns, deadline.ns);
        assert_int_equal(la_counter(h.s, LA_COUNT_TCPReqQFullDoCookies), 45);
        assert_int_equal(la_counter(h.s, LA_COUNT_TCPReqQFullDrop), 0);
        assert_int_equal(la_counter(h.s, LA_COUNT_ListenDrops), 0);
        assert_int_equal(la_drops(h.s, LA_DROP_SYN_COOKIE), 45);
        assert_false(hand_tx_seg(&h, &seg));
        assert_null(la_check(h.s));
        hand_free(&h);
    }
}

TEST(what_the_syn_said_comes_back_in_sequence_number_and_time_stamp)
{
    for (int v6 = 0; v6 < 2; v6++)
        for (uint32_t scale = 0; scale <= 15; scale++) /* 15: none */
            for (int sack = 0; sack < 2; sack++) {
                struct hand h = start(v6, ALWAYS);
                char syn[128];

                snprintf(syn, sizeof syn, "SYN rcv 0 wnd 4000 mss 1400 TS 100:0%s",
                         sack ? " sackOK" : "");
                if (scale < 15)
                    snprintf(syn + strlen(syn), sizeof syn - strlen(syn), " wscale %u", scale);
                const struct tcp_seg synack = knock(&h, syn);
                assert_int_equal(synack.opt.has_wscale, scale < 15);
                assert_int_equal(synack.opt.has_sack_ok, sack);
                assert_int_equal(synack.opt.ts_ecr, 100);
                assert_true(opens(&h, answer(&synack)));
                const struct tcp_conn *c = accepted(&h);
                assert_int_equal(c->state, LA_ESTABLISHED);
                assert_int_equal(c->snd_shift, scale < 15 ? scale : 0);
                assert_int_equal(c->rcv_shift, scale < 15 ? rcv_window_shift(h.t) : 0);
                assert_int_equal(c->snd.wnd, scale < 15 ? 500u << (scale > 14 ? 14 : scale) : 500);
                assert_int_equal(c->sack, sack);
                assert_true(c->timestamps);
                assert_int_equal(c->ts_recent, 101);
                assert_int_equal(c->snd_mss, 1400 - 12);
                assert_int_equal(c->srtt_us8, 0); /* when the SYN-ACK went out is not known */
                assert_int_equal(la_counter(h.s, LA_COUNT_SyncookiesRecv), 1);
                hand_free(&h);
            }
}

TEST(without_time_stamps_there_is_neither_scale_nor_sack)
{
    struct hand h = start(false, ALWAYS);
    const struct tcp_seg synack = knock(&h, "SYN rcv 0 wnd 4000 mss 1460 wscale 7 sackOK");

    assert_false(synack.opt.has_wscale || synack.opt.has_sack_ok || synack.opt.has_timestamps);
    assert_true(opens(&h, answer(&synack)));
    const struct tcp_conn *c = accepted(&h);
    assert_false(c->sack || c->timestamps);
    assert_int_equal(c->snd_shift | c->rcv_shift, 0);
    assert_int_equal(c->snd_mss, 1460);
    hand_free(&h);
}

TEST(the_segment_size_comes_back_rounded_down_to_the_table)
{
    static const struct {
        uint16_t said, kept;
    } sizes[] = {
        { 0, 216 },     { 100, 216 },   { 535, 216 },    { 536, 536 },   { 1219, 536 },
        { 1220, 1220 }, { 1299, 1220 }, { 1300, 1300 },  { 1399, 1300 }, { 1400, 1400 },
        { 1439, 1400 }, { 1440, 1440 }, { 1459, 1440 },  { 1460, 1460 }, { 1461, 1460 },
        { 8959, 1460 }, { 8960, 8960 }, { 65535, 8960 },
    };
    for (uint32_t i = 0; i < LA_COUNT_OF(sizes); i++) {
        struct hand h = start(false, ALWAYS);
        char syn[64];

        snprintf(syn, sizeof syn, "SYN rcv 0 wnd 4000 mss %u", sizes[i].said);
        const struct tcp_seg synack = knock(&h, syn);
        assert_true(opens(&h, answer(&synack)));
        assert_int_equal(accepted(&h)->peer_mss, sizes[i].kept);
        hand_free(&h);
    }
}

TEST(the_time_stamp_of_a_4_tuple_never_steps_back_nor_runs_ahead)
{
    struct hand h = start(false, ALWAYS);
    const struct tcp_flow f = { h.us, h.peer, 80, h.rport };
    uint32_t last = 0;

    h.lport = 80;
    for (uint32_t ms = 0; ms < 300; ms++) {
        const struct tcp_seg synack = knock(&h, "SYN rcv 0 wnd 4000 wscale 9 sackOK TS 5:0");
        const uint32_t clock = tcp_ts_now(h.t, tcp_ts_offset(h.t, &f));

        assert_int_equal(synack.opt.ts_val & 63, 9 | 16);
        assert_true(clock - synack.opt.ts_val < 64);
        assert_true(ms == 0 || synack.opt.ts_val - last <= 64);
        last = synack.opt.ts_val;
        if (ms == 299) {
            assert_true(opens(&h, answer(&synack)));
            assert_int_equal(accepted(&h)->ts_offset, tcp_ts_offset(h.t, &f));
        }
        hand_wait(&h, NS_PER_MS);
    }
    hand_free(&h);
}

TEST(a_cookie_is_good_for_64_to_128_seconds_and_only_while_the_listener_gives_some)
{
    for (uint32_t phase_s = 0; phase_s < 64; phase_s += 7)
        for (uint32_t age_s = 1; age_s < 200; age_s += 9) {
            struct hand h = start(false, ALWAYS);

            hand_wait(&h, phase_s * NS_PER_S);
            const uint64_t epoch = h.now.ns / (64 * NS_PER_S);
            const struct tcp_seg synack = knock(&h, "SYN rcv 0 wnd 4000");
            hand_wait(&h, age_s * NS_PER_S);
            const uint64_t passed = h.now.ns / (64 * NS_PER_S) - epoch;
            if (age_s % 2 == 0) { /* another keeps the listener at it */
                h.rport++;
                (void)knock(&h, "SYN rcv 0 wnd 4000");
                h.rport--;
            }
            hand_drain(&h);
            assert_int_equal(opens(&h, answer(&synack)), passed <= 1 && age_s < 128);
            if (age_s < 64)
                assert_true(passed <= 1);
            hand_free(&h);
        }
}

TEST(a_listener_that_never_overflowed_believes_no_cookie)
{
    struct hand h = start(false, ALWAYS);
    struct tcp_seg rst;
    const la_listener_id first = h.listener;
    const struct tcp_seg synack = knock(&h, "SYN rcv 0 wnd 4000");

    assert_int_equal(la_listener_close(h.s, h.now, first), LA_OK);
    hand_listen(&h);
    assert_false(opens(&h, answer(&synack)));
    assert_int_equal(la_drops(h.s, LA_DROP_LISTEN_ACK), 1);
    assert_int_equal(la_counter(h.s, LA_COUNT_SyncookiesFailed), 0);
    assert_true(hand_tx_seg(&h, &rst));
    assert_int_equal(rst.flags, TCP_RST);
    assert_int_equal(seq_raw(rst.seq), seq_raw(seq_add(synack.seq, 1)));
    hand_free(&h);
}

TEST(no_bit_of_what_comes_back_may_differ)
{
    for (int stamped = 0; stamped < 2; stamped++) {
        struct hand h = start(false, ALWAYS);
        const struct tcp_seg synack =
            knock(&h, stamped ? "SYN rcv 0 wnd 4000 wscale 2 TS 1:0" : "SYN rcv 0 wnd 4000");

        for (uint32_t bit = 0; bit < 32; bit++) {
            struct tcp_seg ack = answer(&synack);

            ack.ack = seq_of(seq_raw(ack.ack) ^ 1u << bit);
            assert_false(opens(&h, ack));
            ack = answer(&synack);
            ack.seq = seq_of(seq_raw(ack.seq) ^ 1u << bit);
            assert_false(opens(&h, ack));
            ack = answer(&synack);
            ack.opt.ts_ecr ^= 1u << bit;
            if (stamped && (bit < 6 || bit > 16))
                assert_false(opens(&h, ack));
        }
        for (uint32_t bit = 0; bit < 16; bit++) {
            struct tcp_seg ack = answer(&synack);

            h.rport ^= (uint16_t)(1u << bit);
            if (h.rport != 0)
                assert_false(opens(&h, ack));
            h.rport ^= (uint16_t)(1u << bit);
        }
        struct tcp_seg ack = answer(&synack);
        ack.opt.has_timestamps = !stamped;
        assert_false(opens(&h, ack));
        assert_true(la_counter(h.s, LA_COUNT_SyncookiesFailed) > 80);
        assert_int_equal(la_drops(h.s, LA_DROP_COOKIE_BAD),
                         la_counter(h.s, LA_COUNT_SyncookiesFailed));
        assert_true(opens(&h, answer(&synack))); /* the test could have failed */
        hand_free(&h);
    }
}

TEST(a_million_random_acks_open_nothing)
{
    struct hand h = start(false, ALWAYS);
    uint64_t random = 88172645463325252u;

    (void)knock(&h, "SYN rcv 0 wnd 4000");
    for (uint32_t i = 0; i < 1000000; i++) {
        random ^= random << 13, random ^= random >> 7, random ^= random << 17;
        struct tcp_seg ack = { .flags = TCP_ACK, .wnd = 500 };
        ack.seq = seq_of((uint32_t)random);
        ack.ack = seq_of((uint32_t)(random >> 32));
        hand_rx_seg(&h, &ack);
        if (i % 32 == 0)
            hand_drain(&h);
    }
    assert_int_equal(la_counter(h.s, LA_COUNT_SyncookiesFailed), 1000000);
    assert_int_equal(la_counter(h.s, LA_COUNT_PassiveOpens), 0);
    hand_free(&h);
}

TEST(no_flag_but_ack_with_text_and_fin_brings_a_cookie_back)
{
    static const struct {
        uint8_t flags;
        bool opens;
    } table[] = {
        { TCP_ACK, true },
        { TCP_ACK | TCP_PSH, true },
        { TCP_ACK | TCP_FIN, true },
        { TCP_ACK | TCP_RST, false },
        { TCP_ACK | TCP_SYN, false },
        { TCP_RST, false },
        { TCP_FIN, false },
        { 0, false },
    };
    for (uint32_t i = 0; i < LA_COUNT_OF(table); i++) {
        struct hand h = start(false, ALWAYS);
        const struct tcp_seg synack = knock(&h, "SYN rcv 0 wnd 4000");
        struct tcp_seg ack = answer(&synack);

        ack.flags = table[i].flags;
        assert_int_equal(opens(&h, ack), table[i].opens);
        if (table[i].opens)
            assert_int_equal(accepted(&h)->state,
                             ack.flags & TCP_FIN ? LA_CLOSE_WAIT : LA_ESTABLISHED);
        hand_free(&h);
    }
}

TEST(text_may_bring_the_cookie_when_the_ack_was_lost_and_a_later_segment_may_not)
{
    struct hand h = start(false, ALWAYS);

    (void)knock(&h, "SYN rcv 0 wnd 4000");
    hand_rx(&h, "ACK rcv 101 snd 1 wnd 500 len 10");
    assert_int_equal(la_counter(h.s, LA_COUNT_SyncookiesFailed), 1);
    hand_rx(&h, "ACK rcv 1 snd 1 wnd 500 len 10");
    assert_int_equal(accepted(&h)->rcvq.len_bytes, 10);
    hand_free(&h);
}

TEST(where_there_is_no_room_the_ack_is_dropped_and_the_next_segment_tries_again)
{
    for (int abort = 0; abort < 2; abort++) {
        struct hand h = start(false, ALWAYS);
        struct tcp_seg seg;
        struct tcp_seg synacks[6];
        const uint16_t first = h.rport;

        assert_int_equal(la_sysctl_set(h.s, "net.ipv4.tcp_abort_on_overflow", (uint64_t)abort),
                         LA_OK);
        for (uint32_t i = 0; i < 6; i++) {
            h.rport = (uint16_t)(first + i);
            synacks[i] = knock(&h, "SYN rcv 0 wnd 4000");
        }
        for (uint32_t i = 0; i < 6; i++) { /* backlog 4: five wait */
            h.rport = (uint16_t)(first + i);
            assert_int_equal(opens(&h, answer(&synacks[i])), i < 5);
        }
        assert_int_equal(la_counter(h.s, LA_COUNT_ListenOverflows), 1);
        assert_int_equal(la_counter(h.s, LA_COUNT_ListenDrops), 1);
        assert_int_equal(la_drops(h.s, LA_DROP_ACCEPT_QUEUE_FULL), 1);
        assert_false(hand_tx_seg(&h, &seg));
        (void)accepted(&h);
        assert_true(opens(&h, answer(&synacks[5])));
        hand_free(&h);
    }
}

TEST(a_full_table_of_connections_drops_the_ack_and_says_so)
{
    struct la_config config;
    struct hand h;

    hand_config(&config);
    config.connections = 2;
    hand_new(&h, &(struct hand_opt){ .config = &config, .start_ns = START_NS });
    hand_listen(&h);
    assert_int_equal(la_sysctl_set(h.s, "net.ipv4.tcp_syncookies", ALWAYS), LA_OK);
    for (uint32_t i = 0; i < 3; i++) {
        h.rport++;
        const struct tcp_seg synack = knock(&h, "SYN rcv 0 wnd 4000");
        assert_int_equal(opens(&h, answer(&synack)), i < 2);
    }
    assert_int_equal(la_drops(h.s, LA_DROP_CONNS_FULL), 1);
    assert_int_equal(la_counter(h.s, LA_COUNT_ListenDrops), 1);
    assert_int_equal(la_counter(h.s, LA_COUNT_ListenOverflows), 0);
    hand_free(&h);
}

TEST(a_table_of_records_that_is_full_gives_cookies_too)
{
    struct la_config config;
    struct hand h;

    hand_config(&config);
    config.half_open_v4 = 2;
    hand_new(&h, &(struct hand_opt){ .config = &config, .start_ns = START_NS });
    hand_listen(&h);
    for (h.rport = 1; h.rport <= 2; h.rport++)
        hand_rx(&h, "SYN rcv 0 wnd 4000");
    const struct tcp_seg synack = knock(&h, "SYN rcv 0 wnd 4000");
    assert_true(opens(&h, answer(&synack)));
    hand_free(&h);
}

TEST(the_window_a_cookie_promised_holds_when_the_buffer_is_lowered_meanwhile)
{
    struct hand h = start(false, ALWAYS);
    const struct tcp_seg synack = knock(&h, "SYN rcv 0 wnd 4000");

    assert_int_equal(la_listener_set_option(h.s, h.listener, LA_OPT_RCVBUF, 1024), LA_OK);
    assert_true(opens(&h, answer(&synack)));
    const struct tcp_conn *c = accepted(&h);
    assert_int_equal(seq_diff(c->rcv.nxt, c->rcv.adv), synack.wnd);
    assert_int_equal(c->set.rcvbuf, synack.wnd);
    hand_free(&h);
}

TEST(with_cookies_for_every_syn_the_answer_does_not_show_who_else_knocks)
{
    struct hand h[2] = { start(false, ALWAYS), start(false, ALWAYS) };
    struct tcp_seg seg[2];

    for (uint16_t i = 0; i < 20; i++) {
        h[1].rport = (uint16_t)(9000 + i);
        (void)knock(&h[1], "SYN rcv 0 wnd 4000");
    }
    for (uint32_t i = 0; i < 2; i++) {
        h[i].rport = 7777;
        seg[i] = knock(&h[i], "SYN rcv 0 wnd 4000 mss 1460 wscale 7 sackOK TS 9:0");
    }
    assert_true(seq_eq(seg[0].seq, seg[1].seq));
    assert_int_equal(seg[0].opt.ts_val, seg[1].opt.ts_val);
    assert_int_equal(seg[0].wnd, seg[1].wnd);
    hand_free(&h[0]);
    hand_free(&h[1]);
}

TEST_MAIN
