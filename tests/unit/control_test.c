/* SPDX-License-Identifier: MIT */
/* The control protocol: lines written and read, requests answered, whatever they hold. */
#include "tests/unit/base_test.h"
#include "tests/unit/hand.h"

#include "runtime/control.h"

#include <stdio.h>

/* Lines ---------------------------------------------------------------------------- */

TEST(what_is_written_is_what_is_read)
{
    char bytes[256] = "";
    struct control_out o;
    struct control_in in;

    control_out_begin(&o, bytes, sizeof bytes - 1);
    control_word(&o, "word");
    control_field(&o, "key", "a b=c%\n\xff");
    control_number(&o, "n", UINT64_MAX);
    assert_true(control_line(&o));
    assert_string_equal(bytes, "word key=a%20b%3Dc%25%0A%FF n=18446744073709551615\n");
    bytes[o.len - 1] = '\0';
    assert_true(control_parse(bytes, &in));
    assert_string_equal(in.word, "word");
    assert_string_equal(control_get(&in, "key"), "a b=c%\n\xff");
    uint64_t n;
    assert_true(control_get_number(&in, "n", 0, &n) && n == UINT64_MAX);
    assert_null(control_get(&in, "ke"));
    assert_true(control_get_number(&in, "none", 7, &n) && n == 7);
    assert_false(control_get_number(&in, "key", 7, &n));
}

TEST(a_line_that_does_not_fit_is_left_out_whole)
{
    char bytes[16];
    struct control_out o;

    control_out_begin(&o, bytes, sizeof bytes);
    control_word(&o, "first");
    assert_true(control_line(&o));
    control_word(&o, "second");
    control_field(&o, "key", "value");
    assert_false(control_line(&o));
    assert_true(o.full);
    assert_int_equal(o.len, 6);
    assert_memory_equal(bytes, "first\n", 6);
}

TEST(what_is_no_line_is_refused)
{
    static const char *const wrong[] = { "",        " x",      "a b=%",  "a b=%4",
                                         "a b=%4g", "a b=%00", "a b=%ff" };
    char line[CONTROL_FIELDS_MAX * 4 + 16];
    struct control_in in;

    for (size_t i = 0; i < LA_COUNT_OF(wrong); i++) {
        snprintf(line, sizeof line, "%s", wrong[i]);
        assert_false(control_parse(line, &in));
    }
    size_t at = (size_t)snprintf(line, sizeof line, "w");
    for (unsigned i = 0; i < CONTROL_FIELDS_MAX; i++)
        at += (size_t)snprintf(line + at, sizeof line - at, " a=");
    char more[sizeof line];
    snprintf(more, sizeof more, "%.*s b=", (int)at, line);
    assert_true(control_parse(line, &in));
    assert_int_equal(in.count, CONTROL_FIELDS_MAX);
    assert_false(control_parse(more, &in));
}

TEST(endpoints_are_read_in_both_families)
{
    static const char *const wrong[] = { "",        "1.2.3.4", "1.2.3.4:", "1.2.3.4:65536",
                                         "[::1:80", "x:1",     "[]:1",     ":80" };
    struct la_endpoint e;

    assert_true(control_parse_endpoint("10.0.0.1:80", &e));
    assert_true(la_addr_is_v4(e.addr) && e.port == 80);
    assert_true(control_parse_endpoint("[fd00::1]:65535", &e));
    assert_true(!la_addr_is_v4(e.addr) && e.port == 65535);
    for (size_t i = 0; i < LA_COUNT_OF(wrong); i++)
        assert_false(control_parse_endpoint(wrong[i], &e));
}

/* Requests --------------------------------------------------------------------------- */

static char answer[CONTROL_ANSWER_MAX + 1];

static const char *ask(struct hand *h, bool may_write, const char *request)
{
    const struct control_context c = {
        .stack = h->s, .now = h->now, .name = "test", .may_write = may_write
    };
    const uint32_t len = control_answer(&c, request, (uint32_t)strlen(request), answer);

    assert_in_range(len, 1, CONTROL_ANSWER_MAX);
    answer[len] = '\0';
    assert_int_equal(answer[len - 1], '\n');
    return answer;
}

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

TEST(a_sysctl_is_read_by_anybody_and_set_by_who_may)
{
    struct hand h;
    uint64_t value;

    hand_new(&h, &(struct hand_opt){ .v6 = false });
    assert_string_equal(ask(&h, false, "lastack/1 sysctl name=net.ipv4.tcp_retries2"),
                        "lastack/1 ok\nsysctl name=net.ipv4.tcp_retries2 value=15\nend\n");
    assert_true(begins(ask(&h, false, "lastack/1 set name=net.ipv4.tcp_retries2 value=3"),
                       "lastack/1 error EPERM "));
    assert_string_equal(ask(&h, true, "lastack/1 set name=net.ipv4.tcp_retries2 value=3"),
                        "lastack/1 ok\nsysctl name=net.ipv4.tcp_retries2 value=3\nend\n");
    assert_int_equal(la_sysctl_get(h.s, "net.ipv4.tcp_retries2", &value), LA_OK);
    assert_int_equal(value, 3);
    assert_true(begins(ask(&h, true, "lastack/1 set name=net.ipv4.tcp_retries2 value=256"),
                       "lastack/1 error EINVAL "));
    assert_true(
        begins(ask(&h, true, "lastack/1 set name=no.such value=1"), "lastack/1 error ENOENT "));
    assert_true(begins(ask(&h, false, "lastack/1 sysctl name=no.such"), "lastack/1 error ENOENT "));
    hand_free(&h);
}

TEST(sysctls_that_are_lists_are_read_and_set_in_their_own_text)
{
    struct hand h;

    hand_new(&h, &(struct hand_opt){ .v6 = false });
    assert_string_equal(
        ask(&h, true, "lastack/1 set name=net.ipv4.ip_local_port_range value=40000%2040099"),
        "lastack/1 ok\nsysctl name=net.ipv4.ip_local_port_range value=40000%0940099\nend\n");
    assert_string_equal(
        ask(&h, true,
            "lastack/1 set name=net.ipv4.ip_local_reserved_ports value=40001,40003-40005"),
        "lastack/1 ok\nsysctl name=net.ipv4.ip_local_reserved_ports value=40001,40003-40005\n"
        "end\n");
    assert_true(begins(ask(&h, true, "lastack/1 set name=net.ipv4.ip_local_port_range value=9%208"),
                       "lastack/1 error EINVAL "));
    assert_non_null(strstr(ask(&h, false, "lastack/1 sysctl"),
                           "name=net.ipv4.ip_local_reserved_ports value=40001,40003-40005\n"));
    assert_non_null(strstr(answer, "\nend\n"));
    hand_free(&h);
}

TEST(what_is_no_request_is_refused_and_says_why)
{
    static const char *const wrong[] = { "",
                                         "\n",
                                         "lastack/1",
                                         "lastack/2 hello",
                                         "hello",
                                         "lastack/1 x=hello",
                                         "lastack/1 nonsense",
                                         "lastack/1 counters from=x",
                                         "lastack/1 rows states=x",
                                         "lastack/1 rows family=5",
                                         "lastack/1 kill local=1.2.3.4:5",
                                         "lastack/1 set name=a" };
    char long_one[CONTROL_REQUEST_MAX + 2];
    struct hand h;

    hand_new(&h, &(struct hand_opt){ .v6 = false });
    for (size_t i = 0; i < LA_COUNT_OF(wrong); i++)
        assert_true(begins(ask(&h, true, wrong[i]), "lastack/1 error EINVAL text="));
    memset(long_one, 'a', sizeof long_one - 1);
    long_one[sizeof long_one - 1] = '\0';
    assert_true(begins(ask(&h, true, long_one), "lastack/1 error EMSGSIZE "));
    hand_free(&h);
}

TEST(the_range_of_ports_is_told_without_the_reserved_ones)
{
    struct hand h;

    hand_new(&h, &(struct hand_opt){ .v6 = false });
    assert_int_equal(la_sysctl_write(h.s, "net.ipv4.ip_local_port_range", "40000 40099"), LA_OK);
    assert_int_equal(la_sysctl_write(h.s, "net.ipv4.ip_local_reserved_ports", "40005,40010-40019"),
                     LA_OK);
    assert_string_equal(ask(&h, false, "lastack/1 ports"),
                        "lastack/1 ok\nports min=40000 max=40099 ports=89 two_msl_ms=60000 "
                        "searches=0 probes=0\nend\n");
    hand_free(&h);
}

TEST(rows_come_with_what_is_asked_for_and_no_more)
{
    for (int v6 = 0; v6 < 2; v6++) {
        struct hand h;

        hand_new(&h, &(struct hand_opt){ .v6 = v6 });
        hand_establish(&h, NULL);
        assert_non_null(strstr(ask(&h, false, "lastack/1 rows"), "state=ESTABLISHED"));
        assert_null(strstr(answer, "rto_us="));
        assert_non_null(strstr(answer, "\nend\n"));
        assert_non_null(strstr(ask(&h, false, "lastack/1 rows info=1"), " rto_us="));
        assert_null(strstr(ask(&h, false, "lastack/1 rows states=2"), "ESTABLISHED"));
        assert_null(
            strstr(ask(&h, false, v6 ? "lastack/1 rows family=4" : "lastack/1 rows family=6"),
                   "ESTABLISHED"));
        assert_non_null(
            strstr(ask(&h, false, v6 ? "lastack/1 rows family=6" : "lastack/1 rows family=4"),
                   "ESTABLISHED"));
        assert_string_equal(ask(&h, false, "lastack/1 rows from=18446744073709551615"),
                            "lastack/1 ok\nend\n");
        hand_free(&h);
    }
}

TEST(a_listener_tells_its_queues_and_how_long_they_waited)
{
    for (int v6 = 0; v6 < 2; v6++) {
        struct hand h;

        hand_new(&h, &(struct hand_opt){ .v6 = v6 });
        hand_listen(&h);
        hand_establish(&h, NULL);
        assert_non_null(strstr(ask(&h, false, "lastack/1 rows info=1 states=2"), " accept_max="));
        assert_non_null(strstr(answer, " oldest_wait="));
        assert_null(strstr(answer, " wait14="));
        assert_null(strstr(answer, "kind=conn"));
        assert_non_null(strstr(answer, "\nend\n"));
        assert_null(strstr(ask(&h, false, "lastack/1 rows states=2"), " accept_max="));
        assert_true(begins(ask(&h, false, "lastack/1 loop"), "lastack/1 error ENOENT "));
        hand_free(&h);
    }
}

TEST(a_connection_is_killed_by_who_may_and_its_peer_is_told)
{
    for (int v6 = 0; v6 < 2; v6++) {
        struct hand h;
        struct la_conn_info i;
        char request[256], local[64], remote[64];

        hand_new(&h, &(struct hand_opt){ .v6 = v6 });
        hand_establish(&h, NULL);
        hand_drain(&h);
        snprintf(request, sizeof request, "lastack/1 kill local=%s%s%s:%u remote=%s%s%s:%u",
                 v6 ? "[" : "", la_addr_format(h.us, local), v6 ? "]" : "", h.lport, v6 ? "[" : "",
                 la_addr_format(h.peer, remote), v6 ? "]" : "", h.rport);
        assert_true(begins(ask(&h, false, request), "lastack/1 error EPERM "));
        assert_int_equal(la_conn_info(h.s, h.conn, &i), LA_OK);
        assert_int_equal(i.state, LA_ESTABLISHED);
        assert_string_equal(ask(&h, true, request), "lastack/1 ok\nend\n");
        assert_int_equal(la_conn_info(h.s, h.conn, &i), LA_OK);
        assert_int_equal(i.state, LA_CLOSED);
        assert_int_equal(i.error, LA_ECONNABORTED);
        assert_int_equal(i.reason, LA_DROP_KILLED);
        assert_int_equal(la_counter(h.s, LA_COUNT_OutRsts), 1);
        assert_true(begins(ask(&h, true, request), "lastack/1 error ENOENT "));
        hand_free(&h);
    }
}

/* Every list is whole however it is cut: the pieces together are the whole. */
TEST(a_list_cut_in_pieces_has_each_line_once)
{
    struct hand h;
    uint32_t seen = 0;

    hand_new(&h, &(struct hand_opt){ .v6 = false });
    for (uint32_t from = 0; from < LA_COUNTERS; from++) {
        char request[64];

        snprintf(request, sizeof request, "lastack/1 counters from=%u", from);
        const char *first = strchr(ask(&h, false, request), '\n') + 1;
        char want[96];
        snprintf(want, sizeof want, "counter group=%s name=%s ",
                 la_counter_group((enum la_counter)from), la_counter_name((enum la_counter)from));
        assert_true(begins(first, want));
        seen++;
    }
    assert_int_equal(seen, LA_COUNTERS);
    assert_string_equal(ask(&h, false, "lastack/1 counters from=99999"), "lastack/1 ok\nend\n");
    hand_free(&h);
}

TEST_MAIN
