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

static void set_mem(struct hand *h, const char *text)
{
    assert_int_equal(la_sysctl_write(h->s, "net.ipv4.tcp_mem", text), LA_OK);
}

TEST(the_defaults_are_a_quarter_half_and_three_quarters_of_the_pool)
{
    struct hand h = start();
    const uint32_t all = h.t->env.chunks.slab.cap;

    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(h.t->mem.limit[i], all * (i + 1) / 4);
    hand_free(&h);
}

TEST(tcp_mem_is_three_ascending_numbers_of_pages)
{
    struct hand h = start();
    char text[LA_SYSCTL_TEXT_MAX];

    set_mem(&h, "8 16 24");
    assert_int_equal(la_sysctl_read(h.s, "net.ipv4.tcp_mem", text, sizeof text), LA_OK);
    assert_string_equal(text, "8\t16\t24");
    assert_int_equal(la_sysctl_write(h.s, "net.ipv4.tcp_mem", "8 16"), LA_EINVAL);
    assert_int_equal(la_sysctl_write(h.s, "net.ipv4.tcp_mem", "16 8 24"), LA_EINVAL);
    assert_int_equal(la_sysctl_write(h.s, "net.ipv4.tcp_mem", "8 16 24 32"), LA_EINVAL);
    assert_int_equal(la_sysctl_write(h.s, "net.ipv4.tcp_mem", "8 16 x"), LA_EINVAL);
    hand_free(&h);
}

TEST(pressure_begins_above_the_second_number_and_ends_below_the_first)
{
    struct hand h = start();
    uint32_t taken[8];

    h.t->mem.limit[0] = 2;
    h.t->mem.limit[1] = 4;
    h.t->mem.limit[2] = 6;
    for (uint32_t i = 0; i < 5; i++) {
        assert_false(h.t->mem.pressure);
        taken[i] = chunks_take(&h.t->env.chunks, h.t, CHUNKS_ORDINARY);
        memory_look(h.t);
    }
    assert_true(h.t->mem.pressure);
    assert_int_equal(la_counter(h.s, LA_COUNT_TCPMemoryPressures), 1);
    h.t->env.now.ns += 7000000;
    for (uint32_t i = 0; i < 5; i++) {
        assert_int_equal(h.t->mem.pressure, i < 4);
        chunks_give(&h.t->env.chunks, h.t, taken[i]);
        memory_look(h.t);
    }
    assert_int_equal(la_counter(h.s, LA_COUNT_TCPMemoryPressuresChrono), 7);
    hand_free(&h);
}

TEST(under_pressure_a_window_grows_no_further_than_four_segments_and_never_shrinks)
{
    struct hand h = start();
    struct tcp_conn *c = hand_conn(&h);
    const uint32_t before = tcp_rcv_wnd(c);
    char text[2000];

    h.t->mem.pressure = true;
    assert_true(before > 4u * c->adv_mss);
    hand_rx(&h, "ACK PSH rcv 1 snd 1 wnd 1000 len 1000");
    assert_int_equal(tcp_rcv_wnd(c), before - 1000);
    assert_int_equal(la_recv(h.s, h.now, h.conn, text, sizeof text), 1000);
    assert_false(rcv_window_update_due(h.t, c));
    h.t->mem.pressure = false;
    assert_int_equal(c->rcvq.len_bytes, 0);
    hand_free(&h);
}

TEST(above_the_third_number_text_out_of_order_is_not_kept)
{
    struct hand h = start();

    hand_rx(&h, "ACK PSH rcv 2001 snd 1 wnd 1000 len 100");
    assert_true(hand_conn(&h)->rcv.ooo != SLAB_NONE);
    set_mem(&h, "0 0 0");
    hand_rx(&h, "ACK PSH rcv 3001 snd 1 wnd 1000 len 100");
    assert_true(hand_conn(&h)->rcv.ooo == SLAB_NONE);
    assert_int_equal(la_counter(h.s, LA_COUNT_OfoPruned), 1);
    assert_int_equal(la_drops(h.s, LA_DROP_MEMORY), 1);
    hand_rx(&h, "ACK PSH rcv 1 snd 1 wnd 1000 len 100"); /* what is in order is always taken */
    assert_int_equal(hand_conn(&h)->rcvq.len_bytes, 100);
    assert_null(la_check(h.s));
    hand_free(&h);
}

TEST(above_the_third_number_an_orphan_with_text_to_send_is_reset)
{
    struct hand h = start();
    static char text[60000];

    assert_true(la_send(h.s, h.now, h.conn, text, sizeof text, 0) > 8000);
    set_mem(&h, "0 0 0");
    assert_int_equal(la_close(h.s, h.now, h.conn), LA_OK);
    assert_int_equal(la_counter(h.s, LA_COUNT_TCPAbortOnMemory), 1);
    assert_int_equal(la_table_use(h.s, LA_TABLE_CONNECTIONS).used, 0);
    assert_int_equal(la_table_use(h.s, LA_TABLE_CHUNKS).used, 0);
    hand_free(&h);
}

TEST(above_the_third_number_a_syn_takes_no_memory)
{
    for (uint32_t cookies = 0; cookies < 2; cookies++) {
        struct hand h;
        uint32_t chunk;

        hand_new(&h, NULL);
        hand_listen(&h);
        assert_int_equal(la_sysctl_set(h.s, "net.ipv4.tcp_syncookies", cookies), LA_OK);
        set_mem(&h, "0 0 0");
        chunk = chunks_take(&h.t->env.chunks, h.t, CHUNKS_ORDINARY);
        hand_rx(&h, "SYN rcv 0 wnd 65535 mss 1460");
        assert_int_equal(la_table_use(h.s, LA_TABLE_HALF_OPEN_V4).used, 0);
        assert_int_equal(la_drops(h.s, LA_DROP_MEMORY), cookies == 0);
        assert_int_equal(hand_drain(&h), cookies);
        chunks_give(&h.t->env.chunks, h.t, chunk);
        hand_free(&h);
    }
}

/* Four connections to text that nobody reads; they begin to stall a second apart. */
static void four(struct hand *h, la_conn_id conn[4], uint16_t port[4])
{
    hand_new(h, NULL);
    for (uint32_t i = 0; i < 4; i++) {
        h->rport = port[i] = (uint16_t)(2000 + i);
        hand_establish(h, NULL);
        conn[i] = h->conn;
        hand_rx(h, "ACK PSH rcv 1 snd 1 wnd 1000 len 100");
        hand_drain(h);
        hand_wait(h, NS_PER_S);
    }
}

static uint32_t alive(const struct hand *h, const la_conn_id conn[4])
{
    uint32_t bits = 0;

    for (uint32_t i = 0; i < 4; i++)
        if (la_conn_error(h->s, conn[i], NULL) == LA_OK)
            bits |= 1u << i;
    return bits;
}

TEST(above_the_third_number_the_longest_stalled_is_reset_one_after_the_other_if_that_is_wanted)
{
    struct hand h;
    la_conn_id conn[4];
    uint16_t port[4];
    enum la_drop reason;

    four(&h, conn, port);
    h.conn = conn[0];
    h.rport = port[0];
    hand_rx(&h,
            "ACK PSH rcv 101 snd 1 wnd 1000 len 100"); /* it moves again: the second is older now */
    hand_drain(&h);
    set_mem(&h, "0 0 0");
    hand_wait(&h, 100 * NS_PER_S);
    (void)la_tick(h.s, h.now, 64);
    assert_int_equal(alive(&h, conn), 15); /* by default nobody is */

    assert_int_equal(la_sysctl_set(h.s, "net.lastack.tcp_mem_reset_idle", 101), LA_OK);
    (void)la_tick(h.s, h.now, 64);
    assert_int_equal(alive(&h, conn), 15 & ~2); /* 103, 102, 101 and 100 s */
    assert_int_equal(la_conn_error(h.s, conn[1], &reason), LA_ENOBUFS);
    assert_int_equal(reason, LA_DROP_MEMORY_STALLED);
    assert_int_equal(la_counter(h.s, LA_COUNT_TCPAbortOnMemory), 1);
    assert_int_equal(la_drops(h.s, LA_DROP_MEMORY_STALLED), 1);
    assert_string_equal(hand_tx(&h), "RST ACK snd 1 rcv 101 wnd 0"); /* the peer is told */
    (void)la_tick(h.s, h.now, 64);
    assert_int_equal(alive(&h, conn), 1 | 8);
    for (uint32_t i = 0; i < 5; i++)
        (void)la_tick(h.s, h.now, 64);
    assert_int_equal(alive(&h, conn), 1 | 8); /* these have not stalled so long */
    assert_null(la_check(h.s));
    hand_free(&h);
}

/* After a long silence: what came or was written just now has stalled for no time at all. */
TEST(a_connection_that_was_idle_and_has_new_text_has_not_stalled)
{
    for (uint32_t sends = 0; sends < 2; sends++) {
        struct hand h = start();

        hand_wait(&h, 1000 * NS_PER_S);
        if (sends) {
            assert_int_equal(la_set_option(h.s, h.now, h.conn, LA_OPT_CORK, 1), LA_OK);
            assert_int_equal(la_send(h.s, h.now, h.conn, "text", 4, 0), 4);
        } else {
            hand_rx(&h, "ACK PSH rcv 101 snd 1 wnd 1000 len 100"); /* what is before it is lost */
        }
        set_mem(&h, "0 0 0");
        assert_int_equal(la_sysctl_set(h.s, "net.lastack.tcp_mem_reset_idle", 100), LA_OK);
        hand_drain(&h);
        (void)la_tick(h.s, h.now, 64);
        assert_int_equal(la_conn_error(h.s, h.conn, NULL), LA_OK);
        hand_wait(&h, 101 * NS_PER_S); /* the hole stays */
        (void)la_tick(h.s, h.now, 64);
        assert_int_equal(la_conn_error(h.s, h.conn, NULL), sends ? LA_OK : LA_ENOBUFS);
        assert_int_equal(la_drops(h.s, LA_DROP_MEMORY_STALLED), !sends);
        hand_free(&h);
    }
}

TEST(nobody_is_reset_while_there_is_memory)
{
    struct hand h;
    la_conn_id conn[4];
    uint16_t port[4];

    four(&h, conn, port);
    assert_int_equal(la_sysctl_set(h.s, "net.lastack.tcp_mem_reset_idle", 1), LA_OK);
    hand_wait(&h, 1000 * NS_PER_S);
    (void)la_tick(h.s, h.now, 64);
    assert_int_equal(alive(&h, conn), 15);
    hand_free(&h);
}

TEST(the_search_for_it_passes_few_records_a_tick)
{
    enum { CONNS = 100, A_TICK = 16 };
    struct la_config config;
    struct hand h;

    hand_config(&config);
    config.connections = CONNS;
    hand_new(&h, &(struct hand_opt){ .config = &config });
    for (uint32_t i = 0; i < CONNS; i++) {
        const struct la_endpoint peer = { h.peer, (uint16_t)(1 + i) };
        la_conn_id conn;

        assert_int_equal(la_open(h.s, h.now, (struct la_endpoint){ .port = 0 }, peer, 0, &conn),
                         LA_OK);
    }
    hand_drain(&h);
    set_mem(&h, "0 0 0");
    assert_int_equal(la_sysctl_set(h.s, "net.lastack.tcp_mem_reset_idle", 1), LA_OK);
    const uint32_t chunk = chunks_take(&h.t->env.chunks, h.t, CHUNKS_ORDINARY);
    for (uint32_t i = 1; i <= CONNS / A_TICK; i++) {
        (void)la_tick(h.s, h.now, 64);
        assert_int_equal(h.t->mem.cursor, i * A_TICK);
    }
    (void)la_tick(h.s, h.now, 64);
    assert_int_equal(h.t->mem.cursor, 0);
    chunks_give(&h.t->env.chunks, h.t, chunk);
    hand_free(&h);
}

TEST_MAIN
