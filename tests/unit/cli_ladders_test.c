/* SPDX-License-Identifier: MIT */
/* cli_ladders_test.c - Records of many connections, told apart by their endpoints. */
#include "cli/ladder_lines.h"

#include "tests/unit/test.h"

static struct ladders *ladders;
static char drawn[1 << 18];
static uint32_t scales_asked;

static bool scales(void *context, la_conn_id conn, uint8_t *local, uint8_t *peer)
{
    (void)context;
    assert_int_equal(conn.bits, 77);
    scales_asked++;
    *local = 3;
    *peer = 4;
    return true;
}

static void begin(uint32_t max)
{
    const struct ladders_options options = { .max = max,
                                             .scales = scales,
                                             .ladder = { .ascii = true } };
    scales_asked = 0;
    ladders = ladders_new(&options);
    assert_non_null(ladders);
}

static void add(uint16_t port, enum la_trace_kind kind, uint8_t flags, enum la_state to)
{
    static uint64_t now_ns;
    const struct la_trace t = {
        .at = { now_ns += 1000 },
        .kind = (uint8_t)kind,
        .conn = to >= LA_ESTABLISHED ? 77 : 0,
        .local = { la_addr_v4(10, 9, 0, 1), 80 },
        .remote = { la_addr_v4(10, 9, 0, 2), port },
        .flags = flags,
        .wnd = 100,
        .to = (uint8_t)to,
    };
    ladders_add(ladders, &t);
}

static void open_and_reset(uint16_t port)
{
    add(port, LA_TRACE_RX, FLAG_SYN, LA_SYN_RECEIVED);
    add(port, LA_TRACE_TX, FLAG_SYN | FLAG_ACK, LA_SYN_RECEIVED);
    add(port, LA_TRACE_RX, FLAG_ACK, LA_ESTABLISHED);
    add(port, LA_TRACE_RX, FLAG_RST, LA_CLOSED);
    add(port, LA_TRACE_END, 0, LA_CLOSED);
}

static const char *print(void)
{
    drawn[0] = '\0';
    FILE *f = fmemopen(drawn, sizeof drawn, "w");
    ladders_print(ladders, f);
    fclose(f);
    return drawn;
}

TEST(each_pair_of_endpoints_has_its_ladder)
{
    begin(0);
    add(1, LA_TRACE_RX, FLAG_SYN, LA_SYN_RECEIVED);
    add(2, LA_TRACE_RX, FLAG_SYN, LA_SYN_RECEIVED);
    add(1, LA_TRACE_TX, FLAG_SYN | FLAG_ACK, LA_SYN_RECEIVED);
    add(2, LA_TRACE_TX, FLAG_SYN | FLAG_ACK, LA_SYN_RECEIVED);
    assert_int_equal(ladders_count(ladders), 2);
    assert_non_null(strstr(print(), "10.9.0.2:1\n"));
    assert_non_null(strstr(drawn, "10.9.0.2:2\n"));
    ladders_free(ladders);
}

TEST(a_syn_after_the_end_begins_a_new_ladder)
{
    begin(0);
    open_and_reset(1);
    open_and_reset(1);
    assert_int_equal(ladders_count(ladders), 2);
    ladders_free(ladders);
}

TEST(a_syn_that_takes_over_a_time_wait_begins_a_new_ladder)
{
    begin(0);
    add(1, LA_TRACE_RX, FLAG_SYN, LA_SYN_RECEIVED);
    add(1, LA_TRACE_RX, FLAG_FIN | FLAG_ACK, LA_TIME_WAIT);
    add(1, LA_TRACE_RX, FLAG_SYN, LA_TIME_WAIT); /* an old one, refused */
    assert_int_equal(ladders_count(ladders), 1);
    add(1, LA_TRACE_STATE, 0, LA_SYN_RECEIVED);
    add(1, LA_TRACE_RX, FLAG_SYN, LA_SYN_RECEIVED);
    assert_int_equal(ladders_count(ladders), 2);
    ladders_free(ladders);
}

TEST(connections_beyond_the_maximum_are_counted)
{
    begin(2);
    for (uint16_t port = 1; port <= 10; port++)
        open_and_reset(port);
    assert_int_equal(ladders_count(ladders), 2);
    assert_int_equal(ladders_omitted(ladders), 8);
    assert_non_null(strstr(print(), "Not drawn: 8 further connections."));
    assert_null(ladders_at(ladders, 2));
    ladders_free(ladders);
}

TEST(what_begins_in_its_middle_is_left_out)
{
    begin(0);
    add(1, LA_TRACE_RX, FLAG_ACK, LA_ESTABLISHED);
    add(1, LA_TRACE_TX, FLAG_RST, LA_CLOSED);
    assert_int_equal(ladders_count(ladders), 0);
    assert_string_equal(print(), "");
    ladders_free(ladders);
}

TEST(a_refused_syn_is_drawn)
{
    begin(0);
    add(1, LA_TRACE_RX, FLAG_SYN, LA_CLOSED);
    add(1, LA_TRACE_TX, FLAG_RST | FLAG_ACK, LA_CLOSED);
    assert_int_equal(ladders_count(ladders), 1);
    assert_non_null(strstr(print(), "A reset by lastack"));
    ladders_free(ladders);
}

TEST(scales_are_asked_once_and_used)
{
    begin(0);
    add(1, LA_TRACE_RX, FLAG_SYN, LA_SYN_RECEIVED);
    add(1, LA_TRACE_RX, FLAG_ACK, LA_ESTABLISHED);
    add(1, LA_TRACE_RX, FLAG_ACK, LA_ESTABLISHED);
    assert_int_equal(scales_asked, 1);
    assert_non_null(strstr(print(), "SYN      seq 0  win 100 "));
    assert_non_null(strstr(drawn, "ack 1  win 1,600"));
    ladders_free(ladders);
}

TEST_MAIN
