/* SPDX-License-Identifier: MIT */
/* ss: its filters, its times, and its columns as iproute2's ss prints them. */
#include "test.h"

#include "cli/ss_filter.h"
#include "cli/ss_row.h"
#include "cli/ss_table.h"
#include "cli/sysctl_file.h"

#include <string.h>

static struct ss_filter filter;

static bool reads(const char *text)
{
    char error[256] = "";
    const bool ok = ss_filter_parse(text, &filter, error, sizeof error);

    assert_int_equal(ok, error[0] == '\0');
    return ok;
}

static struct la_endpoint at(const char *addr, uint16_t port)
{
    struct la_endpoint e = { .port = port };

    assert_true(la_addr_parse(addr, &e.addr));
    return e;
}

/* A connection from 10.0.0.2:443 to 10.0.1.1:40000, and one of fd00::2:80 to fd00::1:50000. */
static unsigned holds(const char *text)
{
    assert_true(reads(text));
    return (unsigned)ss_filter_match(&filter, at("10.0.0.2", 443), at("10.0.1.1", 40000)) |
           (unsigned)ss_filter_match(&filter, at("fd00::2", 80), at("fd00::1", 50000)) << 1;
}

TEST(conditions_choose_by_port_and_address)
{
    assert_int_equal(holds(""), 3);
    assert_int_equal(holds("sport = :443"), 1);
    assert_int_equal(holds("sport=:https"), 1);
    assert_int_equal(holds("sport != 443"), 2);
    assert_int_equal(holds("dport > :40000"), 2);
    assert_int_equal(holds("dport >= :40000"), 3);
    assert_int_equal(holds("dport lt :50000"), 1);
    assert_int_equal(holds("dst 10.0.1.0/24"), 1);
    assert_int_equal(holds("dst 10.0.0.0/24"), 0);
    assert_int_equal(holds("dst != 10.0.1.1"), 2);
    assert_int_equal(holds("src [fd00::2]:80"), 2);
    assert_int_equal(holds("src fd00::/8"), 2);
    assert_int_equal(holds("src 10.0.0.2:80"), 0);
    assert_int_equal(holds("dst :50000"), 2);
    assert_int_equal(holds("dst *"), 3);
}

TEST(and_binds_stronger_than_or_and_not_strongest)
{
    assert_int_equal(holds("sport = :1 and dport = :1 or sport = :80"), 2);
    assert_int_equal(holds("sport = :443 or sport = :80 and dport = :1"), 1);
    assert_int_equal(holds("( sport = :443 or sport = :80 ) and dport = :50000"), 2);
    assert_int_equal(holds("(sport=:443||sport=:80)&dport=:50000"), 2);
    assert_int_equal(holds("not sport = :443 and dport = :50000"), 2);
    assert_int_equal(holds("! ( sport = :443 )"), 2);
    assert_int_equal(holds("sport = :443 dport = :40000"), 1); /* beside each other: and */
}

TEST(states_add_up_and_are_taken_away)
{
    assert_true(reads("state time-wait state listening sport = :80"));
    assert_int_equal(filter.states, SS_BIT(TIME_WAIT) | SS_BIT(LISTEN));
    assert_true(filter.has_expression);
    assert_true(reads("exclude time-wait"));
    assert_int_equal(filter.states, SS_ALL & ~SS_BIT(TIME_WAIT));
    assert_true(reads("state connected exclude established"));
    assert_false(filter.states & (SS_BIT(ESTABLISHED) | SS_BIT(LISTEN) | SS_BIT(CLOSED)));
    assert_true(filter.states & SS_BIT(SYN_SENT));
    assert_true(reads(""));
    assert_false(filter.states_given);
}

TEST(what_is_no_filter_is_refused)
{
    static const char *const wrong[] = {
        "state",
        "state nowhere",
        "sport",
        "sport :443",
        "sport = :nosuchservice",
        "dport = :65536",
        "dst",
        "dst 10.0.0.0/33",
        "dst > 10.0.0.1",
        "(",
        "( sport = :1",
        "sport = :1 )",
        "and",
        "sport = :1 or",
        "not",
        "nonsense",
        "sport = :1 state time-wait",
        "dst 10.0.0.1:99999",
    };
    char deep[400] = "";
    char many[4000] = "";

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        if (reads(wrong[i]))
            fail_msg("read: %s", wrong[i]);
    for (int i = 0; i < 60; i++)
        strncat(deep, "( ", sizeof deep - strlen(deep) - 1);
    assert_false(reads(deep));
    for (int i = 0; i < 200; i++)
        strncat(many, "dport = :1 ", sizeof many - strlen(many) - 1);
    assert_false(reads(many));
}

TEST(times_are_as_coarse_as_ss_has_them)
{
    static const struct {
        uint64_t ms;
        const char *text;
    } all[] = {
        { 0, "" },
        { 5, "005ms" },
        { 200, "200ms" },
        { 1000, "1sec" },
        { 1500, "1.500ms" },
        { 10999, "10sec" },
        { 59999, "59sec" },
        { 60000, "1min" },
        { 61000, "1min1sec" },
        { 599000, "9min59sec" },
        { 600001, "10min" },
        { 7199999, "119min" },
    };
    char text[32];

    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        ss_format_ms(all[i].ms, text, sizeof text);
        assert_string_equal(text, all[i].text);
    }
}

/* What iproute2's ss 6.1 printed on Linux for these sockets with -tano, through a pipe. */
TEST(columns_are_those_of_ss_to_the_byte)
{
    static const char want[] =
        "State      Recv-Q Send-Q Local Address:Port  Peer Address:Port Process                  "
        "  \n"
        "LISTEN     0      5          127.0.0.1:80         0.0.0.0:*                             "
        "  \n"
        "ESTAB      1000   0          127.0.0.1:56078    127.0.0.1:80    "
        "timer:(keepalive,119min,0)\n"
        "CLOSE-WAIT 1      0              [::1]:8080         [::1]:39968                         "
        "  \n";
    static const char *const rows[][SS_COLUMNS] = {
        { "tcp", "LISTEN", "0", "5", "127.0.0.1", "80", "0.0.0.0", "*", "" },
        { "tcp", "ESTAB", "1000", "0", "127.0.0.1", "56078", "127.0.0.1", "80",
          " timer:(keepalive,119min,0)" },
        { "tcp", "CLOSE-WAIT", "1", "0", "[::1]", "8080", "[::1]", "39968", "" },
    };
    static struct ss_table table;
    char *text = NULL;
    size_t bytes = 0;
    FILE *f = open_memstream(&text, &bytes);

    assert_non_null(f);
    ss_table_begin(&table, f, true);
    table.hidden[SS_COL_NETID] = true;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_true(ss_table_add(&table, rows[i]));
    ss_table_end(&table);
    fclose(f);
    assert_string_equal(text, want);
    free(text);
}

TEST(lines_of_a_sysctl_file_are_read_or_named_as_wrong)
{
    static const char *const wrong[] = { "name",    "= 5",
                                         "a b = 5", "a = ",
                                         "a = b",   "a = 5 6",
                                         "a = -1",  "a = 99999999999999999999999" };
    struct sysctl_line line;
    const char *error;

    assert_int_equal(sysctl_parse_line("  # words", &line, &error), SYSCTL_NOTHING);
    assert_int_equal(sysctl_parse_line("; words", &line, &error), SYSCTL_NOTHING);
    assert_int_equal(sysctl_parse_line(" \t\r", &line, &error), SYSCTL_NOTHING);
    assert_int_equal(sysctl_parse_line("net/ipv4/tcp_sack =\t1 \r", &line, &error),
                     SYSCTL_ASSIGNMENT);
    assert_string_equal(line.name, "net.ipv4.tcp_sack");
    assert_string_equal(line.value, "1");
    assert_false(line.optional);
    assert_int_equal(sysctl_parse_line("-a=5", &line, &error), SYSCTL_ASSIGNMENT);
    assert_true(line.optional);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(sysctl_parse_line(wrong[i], &line, &error), SYSCTL_WRONG);
}

TEST(values_that_are_lists_are_taken_where_the_name_stands_for_one)
{
    static const char range[] = "net.ipv4.ip_local_port_range = 40000\t40099 ";
    struct sysctl_line line;
    const char *error;

    assert_int_equal(sysctl_parse_line(range, &line, &error), SYSCTL_ASSIGNMENT);
    assert_string_equal(line.value, "40000\t40099");
    assert_int_equal(sysctl_parse_line("net.ipv4.ip_local_reserved_ports=", &line, &error),
                     SYSCTL_ASSIGNMENT);
    assert_string_equal(line.value, "");
    assert_int_equal(sysctl_parse_line("net.ipv4.tcp_sack = 1 2", &line, &error), SYSCTL_WRONG);
}

TEST(the_details_stand_in_the_order_and_words_of_iproute2)
{
    char line[] =
        "row kind=conn state=ESTABLISHED local=10.0.0.2:80 remote=10.0.0.1:4000 recv_q=0 "
        "send_q=9000 ts=1 sack=1 ecn=1 cong=cubic rto_us=204000 rtt_us=4000 rttvar_us=2000 "
        "ato_us=40000 mss=1000 pmtu=1500 rcvmss=536 advmss=1460 cwnd=10000 "
        "ssthresh=7000 bytes_sent=9000 bytes_retrans=2000 segs_out=12 data_segs_out=9 "
        "unacked=5000 unacked_segs=5 retrans_out=1 retrans_total=2 lost=3 sacked=2 "
        "dsack_dups=1 reordering=7 reord_seen=4 pacing_rate=3000000 "
        "max_pacing_rate=4000000 delivery_rate=125000 app_limited=1 minrtt_us=3500";
    const struct ss_show show = { .info = true, .timers = true, .oneline = true };
    char ext[SS_EXT_BYTES];
    struct control_in in;
    struct ss_row r;

    assert_true(control_parse(line, &in) && ss_row_read(&in, &r));
    ss_row_ext(&in, &r, &show, ext);
    assert_string_equal(
        ext, " ts sack ecn cubic rto:204 rtt:4/2 ato:40 mss:1000 pmtu:1500 rcvmss:536 advmss:1460"
             " cwnd:10 ssthresh:7 bytes_sent:9000 bytes_retrans:2000 segs_out:12 data_segs_out:9"
             " send 20000000bps pacing_rate 24000000bps/32000000bps delivery_rate 1000000bps"
             " app_limited unacked:5 retrans:1/2 lost:3 sacked:2 dsack_dups:1 reordering:7"
             " reord_seen:4 notsent:4000 minrtt:3.5");
}

TEST_MAIN
