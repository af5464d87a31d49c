/* SPDX-License-Identifier: MIT */
/*
 * script_test.c - The language and its verdicts: what passes, what fails and why, what is refused.
 */
#include "tests/unit/test.h"

#include "drill/drill.h"

#define ESTABLISH                                                                                  \
    "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n"                                                \
    "+0 bind(3, ..., ...) = 0\n"                                                                   \
    "+0 listen(3, 1) = 0\n"                                                                        \
    "+0 < S 0:0(0) win 32792 <mss 1000,nop,nop,sackOK,nop,wscale 7>\n"                             \
    "+0 > S. 0:0(0) ack 1 <...>\n"                                                                 \
    "+.1 < . 1:1(0) ack 1 win 257\n"                                                               \
    "+0 accept(3, ..., ...) = 4\n"
#define LINES 7

static struct drill_result run(const char *text)
{
    struct drill_config config;
    struct drill_result result;
    drill_config_default(&config);
    drill_script_run("test.pkt", text, strlen(text), &config, NULL, 0, &result);
    return result;
}

static void expect(const char *text, enum drill_verdict verdict, uint32_t line, const char *about)
{
    const struct drill_result r = run(text);
    const char *said = r.verdict == DRILL_UNSUPPORTED ? r.feature : r.expected;
    if (r.verdict != verdict || (line != 0 && r.line != line) ||
        (about != NULL && strstr(said, about) == NULL && strstr(r.came, about) == NULL))
        fail_msg("verdict %d in line %u: \"%s\", came \"%s\"", (int)r.verdict, r.line, said,
                 r.came);
}

TEST(a_script_that_is_right_passes)
{
    expect(ESTABLISH, DRILL_PASS, 0, NULL);
}

TEST(malformed_scripts_say_where_and_what_was_expected)
{
    static const struct {
        const char *text;
        uint32_t line;
        const char *expected;
    } cases[] = {
        { "", 1, "an event" },
        { "0 < S 0:0(0", 1, "\")\"" },
        { "\n\n0 < S 0:5(4) win 1\n", 3, "a length that agrees with 0:5" },
        { "0 < Z 0:0(0)", 1, "TCP flags" },
        { "0 socket(..., SOCK_STREAM", 1, "\")\"" },
        { "0 socket(...) 3", 1, "\"=\"" },
        { "0 %{ assert 1", 1, "the end of a block of code" },
        { "0 `sysctl", 1, "the end of a command" },
        { "/* never closed", 1, "the end of a comment" },
        { "0~ < S 0:0(0)", 1, "a time in seconds" },
        { "2~1 > S 0:0(0)", 1, "a range whose end is not before its beginning" },
        { "0...1 < S 0:0(0)", 1, "a system call behind a time" },
        { "0 < S 0:0(0) win 70000", 1, "a window" },
        { "0 < S 0:0(0) win 1 <mss>", 1, "an MSS" },
        { "0 < S 0:0(0) win 1 <wscale 3>", 1, "options that fill their header" },
        { "0 < S 0:0(0) win 1 <foo 3>", 1, "a TCP option" },
        { "0 < S 0:0(0) win *", 1, "a window for a packet that is to be sent" },
        { "0 write(4, \"abc, 3) = 3", 1, "the closing quote" },
        { "0 < icmp", 1, "an ICMP type" },
        { "--mtu=abc\n0 `true`", 1, "--mtu takes a number" },
        { "0 close() = 0", 1, "1 arguments to close()" },
        { "+0 x", 1, "\"(\"" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect(cases[i].text, DRILL_MALFORMED, cases[i].line, cases[i].expected);
}

TEST(what_differs_is_said_in_the_scripts_numbers)
{
    expect(ESTABLISH "+0 write(4, ..., 10) = 10\n+0 > P. 1:12(11) ack 1\n", DRILL_FAIL, LINES + 2,
           "length of text: expected 11, came 10");
    expect(ESTABLISH "+0 write(4, ..., 10) = 10\n+0 > P. 1:11(10) ack 2\n", DRILL_FAIL, LINES + 2,
           "acknowledgment number: expected 2, came 1");
    expect(ESTABLISH "+0 write(4, ..., 10) = 10\n+0 > . 1:11(10) ack 1\n", DRILL_FAIL, LINES + 2,
           "flags: expected ., came P.");
    expect(ESTABLISH "+0 write(4, ..., 10) = 10\n+0 > P. 1:11(10) ack 1 win 5\n", DRILL_FAIL,
           LINES + 2, "window: expected 5");
    expect(ESTABLISH "+0 write(4, ..., 10) = 10\n+0 > P. 1:11(10) ack 1 <nop,nop,nop,nop>\n",
           DRILL_FAIL, LINES + 2, "options: expected <nop,nop,nop,nop>, came none");
    expect(ESTABLISH "+0 write(4, ..., 10) = 10\n+0 > [ect0] P. 1:11(10) ack 1\n", DRILL_FAIL,
           LINES + 2, "ECN: expected ect0, came noecn");
    expect(ESTABLISH "+0 write(4, ..., 10) = 10\n+0 > [ttl 63] P. 1:11(10) ack 1\n", DRILL_FAIL,
           LINES + 2, "ttl: expected 63, came 64");
}

TEST(times_are_judged)
{
    expect(ESTABLISH "+0 write(4, ..., 10) = 10\n+.1 > P. 1:11(10) ack 1\n", DRILL_FAIL, LINES + 2,
           "it came at 0.100000 s");
    expect(ESTABLISH "+0 write(4, ..., 10) = 10\n+.1~+.2 > P. 1:11(10) ack 1\n", DRILL_FAIL,
           LINES + 2, "between 0.200000 s and 0.300000 s");
    expect(ESTABLISH "+0 > P. 1:11(10) ack 1\n", DRILL_FAIL, LINES + 1, "nothing, until");
    expect(ESTABLISH "+0...1 read(4, ..., 10) = 0\n+2 < F. 1:1(0) ack 1 win 257\n", DRILL_FAIL,
           LINES + 1, "it returned at 2.100000 s");
    expect(ESTABLISH "+0...1 read(4, ..., 10) = 0\n", DRILL_FAIL, LINES + 1, "it still waits");
    expect(ESTABLISH "+0 read(4, ..., 10) = 0\n", DRILL_FAIL, LINES + 1, "it waits");
}

TEST(results_are_judged)
{
    expect("0 socket(..., SOCK_STREAM, IPPROTO_TCP) = -1 EINVAL\n", DRILL_FAIL, 1, "EINVAL");
    expect("0 listen(3, 1) = 0\n", DRILL_FAIL, 1, "-1 EBADF (Bad file descriptor)");
    expect("0 listen(3, 1) = -1 ENOTSOCK\n", DRILL_FAIL, 1, "EBADF");
    expect("0 listen(3, 1) = -1 [EBADF]\n+0 listen(3, 1) = -1\n+0 listen(3, 1) = *\n", DRILL_PASS,
           0, NULL);
    expect(ESTABLISH "+0 getsockopt(4, SOL_TCP, TCP_NODELAY, [1], [4]) = 0\n", DRILL_FAIL,
           LINES + 1, "value 1");
    expect(ESTABLISH "+0 poll([{fd=4, events=POLLOUT, revents=POLLIN}], 1, 0) = 1\n", DRILL_FAIL,
           LINES + 1, "revents 0x1");
    expect(ESTABLISH "+0 ioctl(4, SIOCOUTQ, [7]) = 0\n", DRILL_FAIL, LINES + 1, "value 7");
}

TEST(assertions_are_expressions)
{
    expect(ESTABLISH "+0 %{ assert tcpi_state == TCP_ESTABLISHED, 'text, %d' % 1 }%\n", DRILL_PASS,
           0, NULL);
    expect(ESTABLISH "+0 %{\nx = 2 + 3 * 4  # 14\ny = (x -\n 4) / 4.0\n"
                     "assert x == 14 and y == 2.5 and not x < 3\n"
                     "assert 1 < 2 < 3 and not 1 < 3 < 2; assert -7 // 2 == -4 and -7 % 2 == 1\n"
                     "assert max(1, 5, 3) == 5 and min(4, 2) == 2 and abs(-3) == 3\n"
                     "assert 1 << 4 | 1 == 17 or False\n}%\n",
           DRILL_PASS, 0, NULL);
    expect(ESTABLISH "+0 %{ assert tcpi_state == TCP_CLOSE }%\n", DRILL_FAIL, LINES + 1,
           "tcpi_state is 1");
    expect(ESTABLISH "+0 %{ assert 0 }%\n", DRILL_FAIL, LINES + 1, "assert 0");
    expect(ESTABLISH "+0 %{ assert 1 / 0 }%\n", DRILL_MALFORMED, 0, "a divisor");
    expect(ESTABLISH "+0 %{ assert (1 }%\n", DRILL_MALFORMED, 0, ")");
    expect(ESTABLISH "+0 %{ import os }%\n", DRILL_UNSUPPORTED, LINES + 1, "import in code");
    expect(ESTABLISH "+0 %{ assert tcpi_moon == 1 }%\n", DRILL_UNSUPPORTED, 0, "tcpi_moon");
}

TEST(what_is_not_supported_is_named_and_does_not_pass)
{
    static const struct {
        const char *text, *feature;
    } cases[] = {
        { "0 < sctp: INIT[flgs=0, tag=1]", "sctp" },
        { "0 socket(..., SOCK_STREAM, IPPROTO_SCTP) = 3", "sctp" },
        { "0 sctp_sendv(3) = 0", "sctp" },
        { "0 < udp (100)", "udp" },
        { "0 socket(..., SOCK_DGRAM, IPPROTO_UDP) = 3", "udp" },
        { "0 `ip link set dev tun0 down`", "command ip" },
        { "0 `ip route del 192.0.2.1`", "command ip route ... del" },
        { "0 `ip route replace 192.0.2.1 dev tun0 advmss 500`", "command ip route ... advmss" },
        { "0 `ip route change 192.0.2.1 dev tun0 rto_min soon`", "command ip route ... rto_min" },
        { "0 `tc qdisc add dev tun0 root netem delay 10ms`", "command tc" },
        { "0 `sysctl -q net.ipv4.tcp_allowed_congestion_control='reno moon'`", "moon" },
        { "0 `sysctl -q net.ipv4.tcp_fastopen=3`", "net.ipv4.tcp_fastopen=3: here it is always 0" },
        { "0 `sysctl -q net.ipv4.tcp_moon=3`", "sysctl net.ipv4.tcp_moon=3" },
        { "0 `sysctl net.ipv4.tcp_sack`", "a sysctl that is read" },
        { "0 fork(3) = 0", "call fork()" },
        { "0 socket(AF_MOON, SOCK_STREAM, 0) = 3", "constant AF_MOON" },
        { "0 listen(3, 1) = -1 EMOON", "errno EMOON" },
        { "--moon=1\n0 `true`", "option --moon" },
        { "0 < ipv4 1.2.3.4 > 5.6.7.8: . 1:1(0)", "packets in packets" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect(cases[i].text, DRILL_UNSUPPORTED, 0, cases[i].feature);
}

TEST(commands_that_set_what_is_so_anyway_pass)
{
    expect("0 `sysctl -q net.ipv4.tcp_ecn=0 net.ipv4.tcp_sack=0 >/dev/null 2>&1`", DRILL_PASS, 0,
           NULL);
    expect("`../common/defaults.sh\n../common/set_sysctls.py /proc/sys/net/ipv4/tcp_sack=0`\n"
           "0 `echo 1 > /proc/sys/net/ipv4/tcp_timestamps; sysctl -w 'net.ipv4.tcp_fin_timeout=5'`",
           DRILL_PASS, 0, NULL);
}

TEST(what_is_said_of_the_route_is_set_here)
{
    expect("`tc qdisc replace dev tun0 root fq; ethtool -K tun0 tso off gso off\n"
           "ip tcp_metrics flush; nstat -n; ip route replace 192.0.2.1 dev tun0 initcwnd "
           "2`\n" ESTABLISH "+0 write(4, ..., 5000) = 5000\n+0 > . 1:1001(1000) ack 1\n"
           "+0 > . 1001:2001(1000) ack 1\n+.05 < . 1:1(0) ack 2001 win 257\n"
           "+0 > . 2001:3001(1000) ack 1\n",
           DRILL_PASS, 0, NULL);
}

TEST(the_largest_buffers_are_settings_of_sockets)
{
    expect("`sysctl -q net.core.rmem_max=50000 net.core.wmem_max=60000`\n"
           "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n"
           "+0 setsockopt(3, SOL_SOCKET, SO_RCVBUF, [90000], 4) = 0\n"
           "+0 getsockopt(3, SOL_SOCKET, SO_RCVBUF, [100000], [4]) = 0\n"
           "+0 setsockopt(3, SOL_SOCKET, SO_SNDBUF, [90000], 4) = 0\n"
           "+0 getsockopt(3, SOL_SOCKET, SO_SNDBUF, [120000], [4]) = 0\n",
           DRILL_PASS, 0, NULL);
    expect("0 `sysctl net.core.rmem_max=much`", DRILL_UNSUPPORTED, 1, "net.core.rmem_max=much");
}

TEST(freebsds_sysctls_are_known_where_they_mean_the_same)
{
    expect("0 `sysctl kern.timecounter.alloweddeviation=0`\n"
           "+0 `sysctl -w net.inet.tcp.rfc1323=0 net.inet.tcp.keepidle=7000`\n"
           "+0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n"
           "+0 getsockopt(3, SOL_TCP, TCP_KEEPIDLE, [7], [4]) = 0\n",
           DRILL_PASS, 0, NULL);
    expect("0 `sysctl net.inet.tcp.ecn.enable=2 net.inet.tcp.cc.algorithm=newreno`\n"
           "+0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n"
           "+0 getsockopt(3, IPPROTO_TCP, TCP_CONGESTION, \"reno\", [16]) = 0\n",
           DRILL_PASS, 0, NULL);
    expect("0 `sysctl net.inet.tcp.cc.algorithm=htcp`", DRILL_UNSUPPORTED, 1, "htcp");
    expect("0 `sysctl net.inet.tcp.blackhole=1`", DRILL_UNSUPPORTED, 1, "here it is always 0");
    expect("0 `sysctl net.inet.tcp.moon=1`", DRILL_UNSUPPORTED, 1, "sysctl net.inet.tcp.moon=1");
}

TEST(packets_marked_so_may_change_places)
{
    static const char two[] = ESTABLISH "+0 setsockopt(4, SOL_TCP, TCP_NODELAY, [1], 4) = 0\n"
                                        "+0 write(4, ..., 10) = 10\n+0 write(4, ..., 20) = 20\n"
                                        "+0 %s P. 11:31(20) ack 1\n+0 %s P. 1:11(10) ack 1\n";
    char text[1024];
    snprintf(text, sizeof text, two, ">~", ">~");
    expect(text, DRILL_PASS, 0, NULL);
    snprintf(text, sizeof text, two, ">", ">");
    expect(text, DRILL_FAIL, LINES + 4, "sequence number: expected 11, came 1");
}

TEST(a_packet_no_link_carries_stands_for_its_segments)
{
    expect(ESTABLISH "+0 write(4, ..., 3000) = 3000\n+0 > P. 1:3001(3000) ack 1\n", DRILL_PASS, 0,
           NULL);
    expect("--mss=1000\n" ESTABLISH "+0 write(4, ..., 1400) = 1400\n+0 > . 1:1001(1000) ack 1\n",
           DRILL_PASS, 0, NULL);
}

TEST(what_is_read_and_sent_is_compared_byte_by_byte)
{
    expect(ESTABLISH "+0 write(4, \"hello\", 5) = 5\n+0 > P. 1:6(5) ack 1\n", DRILL_PASS, 0, NULL);
    expect(ESTABLISH "+0 < P. 1:11(10) ack 1 win 257\n* > . 1:1(0) ack 11\n"
                     "+0 read(4, \"hello\", 5) = 5\n",
           DRILL_FAIL, LINES + 3, "byte 0x68");
}

TEST(names_can_be_defined)
{
    static const char text[] = "0 socket(..., SOCK_STREAM, PROTO) = FD // PROTO\n";
    const struct drill_define defines[] = { { "PROTO", "IPPROTO_TCP" }, { "FD", "3" } };
    struct drill_config config;
    struct drill_result r;
    drill_config_default(&config);
    drill_script_run("test.pkt", text, sizeof text - 1, &config, defines, 2, &r);
    assert_int_equal(r.verdict, DRILL_PASS);
}

TEST(a_script_can_define_names_itself)
{
    expect("--define=PROTO=IPPROTO_TCP\n0 socket(..., SOCK_STREAM, PROTO) = 3\n", DRILL_PASS, 0,
           NULL);
}

TEST(the_speed_of_timestamps_is_judged)
{
    static const char text[] = "--tcp_ts_tick_usecs=1000\n"
                               "0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3\n"
                               "+0 bind(3, ..., ...) = 0\n+0 listen(3, 1) = 0\n"
                               "+0 < S 0:0(0) win 32792 <mss 1000,sackOK,TS val 1000 ecr 0>\n"
                               "+0 > S. 0:0(0) ack 1 <mss 1460,sackOK,TS val 10 ecr 1000>\n"
                               "+.1 < . 1:1(0) ack 1 win 32792 <nop,nop,TS val 1100 ecr 10>\n"
                               "+0 accept(3, ..., ...) = 4\n+0 write(4, ..., 100) = 100\n"
                               "+0 > P. 1:101(100) ack 1 <nop,nop,TS val %d ecr 1100>\n";
    char script[2048];
    snprintf(script, sizeof script, text, 110);
    expect(script, DRILL_PASS, 0, NULL);
    snprintf(script, sizeof script, text, 150);
    expect(script, DRILL_FAIL, 10, "timestamp 150");
}

TEST_MAIN
