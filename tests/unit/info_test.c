/* SPDX-License-Identifier: MIT */
/* info_test.c - STATUS, rows, counts, tables, sysctls: what is seen is what is there. */
#include "tests/unit/base_test.h"
#include "tests/unit/hand.h"

/* One of everything: see the rows below. */
static struct hand town(bool v6)
{
    struct hand h;

    hand_new(&h, &(struct hand_opt){ .v6 = v6, .iss = 1000, .irs = 2000 });
    h.rport = 5001; /* TIME-WAIT */
    hand_establish(&h, NULL);
    assert_int_equal(la_close(h.s, h.now, h.conn), LA_OK);
    hand_drain(&h);
    hand_rx(&h, "FIN ACK rcv 1 snd 2 wnd 1000");
    h.rport = 5002; /* an orphan's FIN-WAIT-2 */
    hand_establish(&h, NULL);
    assert_int_equal(la_close(h.s, h.now, h.conn), LA_OK);
    hand_drain(&h);
    hand_rx(&h, "ACK rcv 1 snd 2 wnd 1000");
    h.rport = 5000; /* ESTABLISHED */
    hand_establish(&h, NULL);
    assert_int_equal(la_send(h.s, h.now, h.conn, "abcdef", 6, 0), 6);
    hand_rx(&h, "ACK rcv 1 snd 1 len 3 wnd 1000");
    hand_rx(&h, "ACK rcv 9 snd 1 len 4 wnd 1000");
    hand_drain(&h);
    h.lport = 81; /* LISTEN, and SYN-RECEIVED */
    hand_listen(&h);
    h.rport = 5003;
    hand_rx(&h, "SYN rcv 0 wnd 1000");
    hand_drain(&h);
    return h;
}

TEST(status_tells_the_variables_of_a_connection_as_on_the_wire)
{
    for (int v6 = 0; v6 < 2; v6++) {
        struct hand h = town(v6);
        struct la_conn_info i;

        assert_int_equal(la_conn_info(h.s, h.conn, &i), LA_OK);
        assert_int_equal(i.conn.bits, h.conn.bits);
        assert_int_equal(i.state, LA_ESTABLISHED);
        assert_true(la_addr_equal(i.local.addr, h.us) && la_addr_equal(i.remote.addr, h.peer));
        assert_int_equal(i.local.port, 80);
        assert_int_equal(i.remote.port, 5000);
        assert_int_equal(i.user, 9);
        assert_int_equal(i.mask, la_ready(h.s, h.conn));
        assert_int_equal(i.iss, 1000);
        assert_int_equal(i.irs, 2000);
        assert_int_equal(i.snd_una, 1001);
        assert_int_equal(i.snd_nxt, 1007);
        assert_int_equal(i.snd_wnd, 1000);
        assert_int_equal(i.rcv_nxt, 2004);
        assert_int_equal(i.snd_queued_bytes, 6);
        assert_int_equal(i.rcv_queued_bytes, 3);
        assert_int_equal(i.rcv_ooo_bytes, 4);
        assert_int_equal(i.bytes_received, 3);
        assert_int_equal(i.bytes_sent, 6);
        assert_int_equal(i.segs_in, 3);
        assert_false(i.orphan || i.in_recovery || i.timestamps);
        assert_true(i.deadline_rtx.ns != UINT64_MAX && i.deadline_idle.ns == UINT64_MAX);
        assert_int_equal(i.error, LA_OK);
        assert_int_equal(la_conn_info(h.s, (la_conn_id){ 0 }, &i), LA_EBADHANDLE);
        assert_int_equal(la_conn_info(h.s, (la_conn_id){ h.conn.bits + (UINT64_C(2) << 32) }, &i),
                         LA_EBADHANDLE);
        hand_free(&h);
    }
}

TEST(rows_show_everything_once_however_few_are_asked_for)
{
    for (uint32_t max = 1; max < 8; max++) {
        struct hand h = town(max & 1);
        struct la_row rows[8];
        uint64_t cursor = 0;
        uint32_t seen[LA_STATES] = { 0 }, n;

        while ((n = la_rows(h.s, &cursor, rows, max)) > 0) {
            assert_in_range(n, 1, max);
            for (uint32_t i = 0; i < n; i++) {
                const struct la_row *r = &rows[i];

                seen[r->state]++;
                switch (r->state) {
                case LA_LISTEN:
                    assert_int_equal(r->kind, LA_ROW_LISTENER);
                    assert_int_equal(r->local.port, 81);
                    assert_int_equal(r->send_q, 4);
                    assert_int_equal(r->recv_q, 0);
                    break;
                case LA_SYN_RECEIVED:
                    assert_int_equal(r->kind, LA_ROW_HALF_OPEN);
                    assert_int_equal(r->remote.port, 5003);
                    assert_int_equal(r->expires.ns, h.now.ns + NS_PER_S);
                    break;
                case LA_ESTABLISHED:
                    assert_int_equal(r->kind, LA_ROW_CONN);
                    assert_int_equal(r->recv_q, 3);
                    assert_int_equal(r->send_q, 6);
                    assert_int_equal(r->conn.bits, h.conn.bits);
                    assert_false(r->orphan);
                    break;
                case LA_FIN_WAIT_2:
                    assert_int_equal(r->kind, LA_ROW_SHORT);
                    assert_true(r->orphan);
                    assert_int_equal(r->expires.ns, h.now.ns + 60 * NS_PER_S);
                    break;
                case LA_TIME_WAIT:
                    assert_int_equal(r->kind, LA_ROW_SHORT);
                    assert_int_equal(r->remote.port, 5001);
                    assert_int_equal(r->conn.bits, 0);
                    break;
                case LA_CLOSED:
                case LA_SYN_SENT:
                case LA_FIN_WAIT_1:
                case LA_CLOSE_WAIT:
                case LA_CLOSING:
                case LA_LAST_ACK:
                    fail_msg("a row in %s", la_state_name(r->state));
                }
            }
        }
        for (uint32_t s = 0; s < LA_STATES; s++)
            assert_int_equal(seen[s], s == LA_LISTEN || s == LA_SYN_RECEIVED ||
                                          s == LA_ESTABLISHED || s == LA_FIN_WAIT_2 ||
                                          s == LA_TIME_WAIT);
        uint32_t counts[LA_STATES];
        la_state_counts(h.s, counts);
        assert_memory_equal(counts, seen, sizeof counts);
        hand_free(&h);
    }
}

TEST(tables_tell_their_use_their_peak_and_their_limit)
{
    struct hand h = town(false);
    const uint32_t expected[LA_TABLES] = {
        [LA_TABLE_CONNECTIONS] = 1,  [LA_TABLE_LISTENERS] = 1, [LA_TABLE_HALF_OPEN_V4] = 1,
        [LA_TABLE_HALF_OPEN_V6] = 0, [LA_TABLE_SHORT_V4] = 2,  [LA_TABLE_SHORT_V6] = 0,
        [LA_TABLE_CHUNKS] = 4,       [LA_TABLE_REPLIES] = 0,
    };

    for (uint32_t i = 0; i < LA_TABLES; i++) {
        const struct la_table_use u = la_table_use(h.s, (enum la_table)i);

        assert_int_equal(u.used, expected[i]);
        assert_true(u.used_max >= u.used && u.limit >= u.used_max && u.item_bytes > 0);
        assert_non_null(la_table_name((enum la_table)i));
    }
    assert_int_equal(la_table_use(h.s, LA_TABLE_CONNECTIONS).limit, 16);
    assert_int_equal(la_table_use(h.s, LA_TABLES).limit, 0);
    hand_free(&h);
}

TEST(every_sysctl_has_a_name_a_text_a_range_and_is_read_back)
{
    struct hand h;
    uint64_t value, again;
    uint32_t n = 0;

    hand_new(&h, NULL);
    for (; la_sysctl_name(n) != NULL; n++) {
        const char *name = la_sysctl_name(n);

        assert_non_null(la_sysctl_text(n));
        assert_int_equal(la_sysctl_get(h.s, name, &value), LA_OK);
        assert_int_equal(la_sysctl_set(h.s, name, value), LA_OK);
        assert_int_equal(la_sysctl_set(h.s, name, UINT64_MAX), LA_EINVAL);
        assert_int_equal(la_sysctl_set(h.s, name, value + (UINT64_C(1) << 32)), LA_EINVAL);
        assert_int_equal(la_sysctl_get(h.s, name, &again), LA_OK);
        assert_int_equal(again, value);
        for (uint32_t k = 0; k < n; k++)
            assert_string_not_equal(la_sysctl_name(k), name);
    }
    assert_true(n > 20);
    assert_null(la_sysctl_text(n));
    assert_null(la_sysctl_name(UINT32_MAX));
    assert_int_equal(la_sysctl_get(h.s, "net.ipv4.tcp_nonsense", &value), LA_ENOENT);
    assert_int_equal(la_sysctl_set(h.s, "net.ipv4.tcp_timestam", 1), LA_ENOENT);
    assert_int_equal(la_sysctl_set(h.s, "net.ipv4.tcp_timestampsx", 1), LA_ENOENT);
    assert_int_equal(la_sysctl_set(h.s, "", 1), LA_ENOENT);
    hand_free(&h);
}

TEST(the_knobs_begin_with_linuxs_values)
{
    static const struct {
        const char *name;
        uint64_t value;
    } cases[] = {
        { "net.ipv4.tcp_syn_retries", 6 },
        { "net.ipv4.tcp_synack_retries", 5 },
        { "net.ipv4.tcp_retries1", 3 },
        { "net.ipv4.tcp_retries2", 15 },
        { "net.ipv4.tcp_fin_timeout", 60 },
        { "net.ipv4.tcp_keepalive_time", 7200 },
        { "net.ipv4.tcp_keepalive_intvl", 75 },
        { "net.ipv4.tcp_keepalive_probes", 9 },
        { "net.ipv4.tcp_timestamps", 1 },
        { "net.ipv4.tcp_window_scaling", 1 },
        { "net.ipv4.tcp_sack", 1 },
        { "net.core.somaxconn", 4096 },
        { "net.ipv4.ip_default_ttl", 64 },
        { "net.ipv4.tcp_invalid_ratelimit", 500 },
        { "net.ipv4.tcp_rto_min_us", 200000 },
        { "net.ipv4.tcp_tw_reuse", 2 },
        { "net.ipv4.tcp_tw_reuse_delay", 1000 },
        { "net.lastack.ip_local_port_min", 32768 },
        { "net.lastack.ip_local_port_max", 60999 },
    };
    struct hand h;
    uint64_t value;

    hand_new(&h, NULL);
    for (uint32_t i = 0; i < LA_COUNT_OF(cases); i++) {
        assert_int_equal(la_sysctl_get(h.s, cases[i].name, &value), LA_OK);
        assert_int_equal(value, cases[i].value);
    }
    hand_free(&h);
}

TEST(counters_and_drops_out_of_range_are_programming_errors)
{
    struct hand h;

    hand_new(&h, NULL);
    expect_assert_failure((void)la_counter(h.s, LA_COUNTERS));
    expect_assert_failure((void)la_drops(h.s, LA_DROPS));
    hand_free(&h);
}

TEST(a_sysctl_is_written_as_text_or_refused_and_then_it_is_as_it_was)
{
    static const char *const refused[][2] = {
        { "net.ipv4.tcp_fin_timeout", "" },
        { "net.ipv4.tcp_fin_timeout", "soon" },
        { "net.ipv4.tcp_fin_timeout", "-5" },
        { "net.ipv4.tcp_fin_timeout", "5 s" },
        { "net.ipv4.tcp_fin_timeout", "99999999999" },
        { "net.ipv4.tcp_congestion_control", "renown" },
        { "net.ipv4.tcp_congestion_control", "cubic reno" },
        { "net.ipv4.tcp_available_congestion_control", "reno" }, /* is only read */
        { "net.ipv4.tcp_rmem", "4096 100000" },
        { "net.ipv4.tcp_rmem", "4095 100000 200000" },
        { "net.ipv4.tcp_rmem", "4096 1023 200000" },
        { "net.ipv4.tcp_rmem", "4096 100000 99999" },
        { "net.ipv4.tcp_rmem", "4096 100000 200000 300000" },
        { "net.ipv4.tcp_wmem", "4096 2047 200000" },
        { "net.ipv4.tcp_mem", "10 20 15" },
    };
    struct hand h;

    hand_new(&h, NULL);
    for (uint32_t i = 0; i < LA_COUNT_OF(refused); i++) {
        char before[80], after[80];
        const char *name = refused[i][0];

        assert_int_equal(la_sysctl_read(h.s, name, before, sizeof before), LA_OK);
        if (la_sysctl_write(h.s, name, refused[i][1]) != LA_EINVAL)
            fail_msg("%s took \"%s\"", name, refused[i][1]);
        assert_int_equal(la_sysctl_read(h.s, name, after, sizeof after), LA_OK);
        assert_string_equal(before, after);
    }
    assert_int_equal(la_sysctl_write(h.s, "net.ipv4.tcp_nonesuch", "1"), LA_ENOENT);
    assert_int_equal(la_sysctl_write(h.s, "net.ipv4.tcp_fin_timeout", " 7\n"), LA_OK);
    assert_int_equal(la_sysctl_write(h.s, "net.ipv4.tcp_congestion_control", " cubic\n"), LA_OK);
    char none[1] = { 'x' };
    assert_int_equal(la_sysctl_read(h.s, "net.ipv4.tcp_mem", none, 0), LA_EINVAL);
    assert_int_equal(none[0], 'x');
    hand_free(&h);
}

TEST(a_limit_of_the_pace_is_told_and_without_one_it_is_unlimited)
{
    struct hand h;
    struct la_conn_info info;

    hand_new(&h, NULL);
    hand_establish(&h, NULL);
    assert_int_equal(la_conn_info(h.s, h.conn, &info), LA_OK);
    assert_true(info.max_pacing_rate == PACE_UNLIMITED);
    assert_int_equal(la_set_option(h.s, h.now, h.conn, LA_OPT_MAX_PACING_RATE, 125000), LA_OK);
    assert_int_equal(la_conn_info(h.s, h.conn, &info), LA_OK);
    assert_true(info.max_pacing_rate == 125000);
    assert_true(info.pacing_rate <= 125000);
    hand_free(&h);
}

TEST_MAIN
