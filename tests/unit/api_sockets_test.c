/* SPDX-License-Identifier: MIT */
/* api_sockets_test.c - What a layer of sockets asks of the core beside the calls of RFC 9293. */
#include "tests/unit/base_test.h"
#include "tests/unit/wire2.h"

#include "core/base/time.h"

TEST(a_port_is_chosen_for_a_bind_and_for_a_connection_and_never_twice_in_a_row)
{
    for (int v6 = 0; v6 < 2; v6++) {
        struct w2 *w = w2_new(&(struct w2_opt){ .v6 = v6 });
        const struct la_endpoint none = { .port = 0 };
        const struct la_endpoint to = { .addr = w->addr[1], .port = 80 };
        const struct la_endpoint nowhere = { .addr = la_addr_v4(192, 0, 2, 1), .port = 80 };
        const struct la_addr any = { { 0 } };
        uint16_t a = 0, b = 0;

        assert_int_equal(la_port_choose(w->s[0], w->now, any, none, &a), LA_OK);
        assert_int_equal(la_port_choose(w->s[0], w->now, any, none, &b), LA_OK);
        assert_in_range(a, 32768, 60999);
        assert_int_not_equal(a, b);
        assert_int_equal(la_port_choose(w->s[0], w->now, any, to, &a), LA_OK);
        assert_in_range(a, 32768, 60999);
        assert_int_equal(la_port_choose(w->s[0], w->now, any, nowhere, &a), LA_ENETUNREACH);
        assert_int_equal(la_port_choose(w->s[0], w->now, w->addr[1], to, &a), LA_EADDRNOTAVAIL);
        w2_free(w);
    }
}

TEST(no_port_is_chosen_when_a_listener_has_the_only_one)
{
    struct w2 *w = w2_new(NULL);
    const struct la_endpoint none = { .port = 0 };
    const struct la_listen_config config = { .port = 40000, .local = la_prefix_any() };
    la_listener_id id;
    uint16_t port;

    assert_int_equal(la_sysctl_set(w->s[0], "net.lastack.ip_local_port_min", 40000), LA_OK);
    assert_int_equal(la_sysctl_set(w->s[0], "net.lastack.ip_local_port_max", 40000), LA_OK);
    assert_int_equal(la_port_choose(w->s[0], w->now, w->addr[0], none, &port), LA_OK);
    assert_int_equal(port, 40000);
    assert_int_equal(la_listen(w->s[0], w->now, &config, &id), LA_OK);
    assert_int_equal(la_port_choose(w->s[0], w->now, w->addr[0], none, &port), LA_EADDRNOTAVAIL);
    w2_free(w);
}

TEST(the_segment_size_may_be_set_until_the_syn_has_gone)
{
    for (int v6 = 0; v6 < 2; v6++) {
        struct w2 *w = w2_new(&(struct w2_opt){ .v6 = v6 });
        const struct la_endpoint any = { .port = 0 };
        const struct la_endpoint to = { .addr = w->addr[1], .port = W2_PORT };
        struct la_accepted accepted;
        struct la_conn_info info;

        w2_listen(w);
        assert_int_equal(la_open(w->s[0], w->now, any, to, 1, &w->conn[0]), LA_OK);
        assert_int_equal(la_set_option(w->s[0], w->now, w->conn[0], LA_OPT_MAXSEG, 500), LA_OK);
        w2_turn(w);
        assert_int_equal(la_set_option(w->s[0], w->now, w->conn[0], LA_OPT_MAXSEG, 600),
                         LA_EISCONN);
        assert_int_equal(la_accept(w->s[1], w->now, w->listener, 2, &accepted), LA_OK);
        assert_int_equal(la_conn_info(w->s[1], accepted.conn, &info), LA_OK);
        assert_int_equal(info.snd_mss, 500 - 12); /* time stamps */
        assert_int_equal(la_conn_info(w->s[0], w->conn[0], &info), LA_OK);
        assert_int_equal(info.snd_mss, 500 - 12);
        w2_free(w);
    }
}

TEST(a_listener_tells_its_queues_and_takes_a_new_limit)
{
    struct w2 *w = w2_new(NULL);
    const struct la_endpoint any = { .port = 0 };
    const struct la_endpoint to = { .addr = w->addr[1], .port = W2_PORT };
    struct la_listener_info info;
    la_conn_id id;

    w2_listen(w);
    assert_int_equal(la_listener_info(w->s[1], w->listener, &info), LA_OK);
    assert_int_equal(info.accept_len, 0);
    assert_int_equal(info.limit, 128);
    assert_int_equal(la_listener_set_backlog(w->s[1], w->listener, 0), LA_OK);
    for (int i = 0; i < 3; i++)
        assert_int_equal(la_open(w->s[0], w->now, any, to, 1, &id), LA_OK);
    w2_turn(w);
    assert_int_equal(la_listener_info(w->s[1], w->listener, &info), LA_OK);
    assert_int_equal(info.limit, 0);
    assert_int_equal(info.accept_len, 1); /* L + 1 */
    assert_int_equal(la_listener_close(w->s[1], w->now, w->listener), LA_OK);
    assert_int_equal(la_listener_info(w->s[1], w->listener, &info), LA_EBADHANDLE);
    assert_int_equal(la_listener_set_backlog(w->s[1], w->listener, 5), LA_EBADHANDLE);
    w2_free(w);
}

TEST(time_wait_remembers_whether_its_port_may_be_reused)
{
    for (uint64_t reuse = 0; reuse < 2; reuse++) {
        struct w2 *w = w2_new(NULL);
        struct la_row row;
        uint64_t cursor = 0, value = 9;

        w2_connect(w);
        assert_int_equal(la_set_option(w->s[0], w->now, w->conn[0], LA_OPT_REUSEADDR, reuse),
                         LA_OK);
        assert_int_equal(la_get_option(w->s[0], w->conn[0], LA_OPT_REUSEADDR, &value), LA_OK);
        assert_int_equal(value, reuse);
        assert_int_equal(la_close(w->s[0], w->now, w->conn[0]), LA_OK);
        w2_turn(w);
        assert_int_equal(la_close(w->s[1], w->now, w->conn[1]), LA_OK);
        w2_turn(w);
        assert_int_equal(la_rows(w->s[0], &cursor, &row, 1), 1);
        assert_int_equal(row.state, LA_TIME_WAIT);
        assert_int_equal(row.reuse, reuse);
        w2_free(w);
    }
}

TEST(text_after_both_directions_were_shut_resets_the_peer_and_what_came_before_is_read)
{
    for (int v6 = 0; v6 < 2; v6++) {
        struct w2 *w = w2_new(&(struct w2_opt){ .v6 = v6 });
        uint8_t bytes[8];

        w2_connect(w);
        assert_int_equal(la_send(w->s[1], w->now, w->conn[1], "early", 5, 0), 5);
        w2_turn(w);
        assert_int_equal(la_shutdown(w->s[0], w->now, w->conn[0], LA_SHUT_TEXT), LA_OK);
        assert_int_equal(la_send(w->s[1], w->now, w->conn[1], "+", 1, 0), 1);
        w2_turn(w); /* the FIN is not queued yet */
        assert_int_equal(la_shutdown(w->s[0], w->now, w->conn[0], LA_SHUT_WR), LA_OK);
        w2_turn(w);
        assert_int_equal(la_send(w->s[1], w->now, w->conn[1], "late", 4, 0), 4);
        w2_turn(w);
        assert_int_equal(la_conn_error(w->s[1], w->conn[1], NULL), LA_EPIPE);
        assert_int_equal(la_recv(w->s[0], w->now, w->conn[0], bytes, 8), 6);
        assert_int_equal(la_recv(w->s[0], w->now, w->conn[0], bytes, 8), LA_ECONNRESET);
        assert_int_equal(la_counter(w->s[0], LA_COUNT_TCPAbortOnData), 1);
        w2_free(w);
    }
}

TEST(that_our_fin_was_acknowledged_is_told_once)
{
    for (int v6 = 0; v6 < 2; v6++) {
        struct w2 *w = w2_new(&(struct w2_opt){ .v6 = v6 });
        struct la_event e[4];

        w2_connect(w);
        (void)la_events(w->s[0], e, 4);
        assert_int_equal(la_shutdown(w->s[0], w->now, w->conn[0], LA_SHUT_WR), LA_OK);
        (void)la_events(w->s[0], e, 4);
        assert_false(la_ready(w->s[0], w->conn[0]) & LA_FIN_ACKED);
        w2_turn(w);
        assert_int_equal(la_events(w->s[0], e, 4), 1);
        assert_true(e[0].mask & LA_FIN_ACKED);
        assert_true(la_ready(w->s[0], w->conn[0]) & LA_FIN_ACKED);
        w2_turn(w);
        assert_int_equal(la_events(w->s[0], e, 4), 0);
        w2_free(w);
    }
}

TEST(own_addresses_are_told_from_others)
{
    struct w2 *w = w2_new(NULL);

    assert_true(la_addr_is_local(w->s[0], w->addr[0]));
    assert_false(la_addr_is_local(w->s[0], w->addr[1]));
    w2_free(w);
}

TEST_MAIN
