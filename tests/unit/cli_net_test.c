/* SPDX-License-Identifier: MIT */
/* Addresses, ports and URLs of the command line. */
#include "test.h"

#include "cli/net.h"

#define BOTH ((struct net_families){ true, true })

static struct net_url url;
static char error[NET_PATH_BYTES + 128];

static void expect_url(const char *text, const char *host, unsigned port, const char *path,
                       const char *header)
{
    assert_true(net_parse_url(text, &url, error, sizeof error));
    assert_string_equal(url.host, host);
    assert_int_equal(url.port, port);
    assert_string_equal(url.path, path);
    assert_string_equal(url.host_header, header);
}

static void expect_no_url(const char *text, const char *why)
{
    error[0] = '\0';
    assert_false(net_parse_url(text, &url, error, sizeof error));
    assert_non_null(strstr(error, why));
}

TEST(urls_are_taken_apart)
{
    expect_url("http://10.0.0.1/a/b?c=d", "10.0.0.1", 80, "/a/b?c=d", "10.0.0.1");
    expect_url("http://example:8080/", "example", 8080, "/", "example:8080");
    expect_url("HTTP://h", "h", 80, "/", "h");
    expect_url("http://h?q", "h", 80, "/?q", "h");
    expect_url("http://h/a#fragment", "h", 80, "/a", "h");
    expect_url("http://h:80/", "h", 80, "/", "h");
}

TEST(an_ipv6_literal_loses_its_brackets_but_not_in_the_header)
{
    expect_url("http://[fd00::1]/x", "fd00::1", 80, "/x", "[fd00::1]");
    expect_url("http://[fd00::1]:81/x", "fd00::1", 81, "/x", "[fd00::1]:81");
}

TEST(what_is_no_http_url_says_why)
{
    expect_no_url("", "not a URL");
    expect_no_url("10.0.0.1/x", "not a URL");
    expect_no_url("http://", "not a URL");
    expect_no_url("http://h:0/", "out of range");
    expect_no_url("http://h:65536/", "not a URL");
    expect_no_url("http://a b/", "not a URL");
    expect_no_url("http://h/a\r\nX: y", "not a URL");
    expect_no_url("https://h/", "only http");
    expect_no_url("http://user:secret@h/", "not supported");
}

TEST(a_path_too_long_is_refused_and_the_longest_is_not)
{
    char text[NET_PATH_BYTES + 64] = "http://h/";
    const size_t prefix = strlen(text);

    memset(text + prefix, 'a', NET_PATH_BYTES - 2);
    text[prefix + NET_PATH_BYTES - 2] = '\0'; /* with its slash: NET_PATH_BYTES - 1 */
    assert_true(net_parse_url(text, &url, error, sizeof error));
    assert_int_equal(strlen(url.path), NET_PATH_BYTES - 1);
    text[prefix + NET_PATH_BYTES - 2] = 'a';
    text[prefix + NET_PATH_BYTES - 1] = '\0';
    expect_no_url(text, "too long");
    text[prefix + 1000] = '?'; /* path and query are each short enough, but not together */
    expect_no_url(text, "too long");
}

TEST(ports_are_1_to_65535)
{
    uint16_t port = 7;

    assert_true(net_parse_port("1", &port) && port == 1);
    assert_true(net_parse_port("65535", &port) && port == 65535);
    assert_false(net_parse_port("0", &port));
    assert_false(net_parse_port("65536", &port));
    assert_false(net_parse_port("http", &port));
    assert_int_equal(port, 65535);
}

TEST(endpoints_and_prefixes_read_as_people_write_them)
{
    char text[NET_ENDPOINT_TEXT_BYTES];
    struct la_endpoint e = { la_addr_v4(192, 0, 2, 1), 80 };
    struct la_prefix p;

    assert_string_equal(net_format(e, text), "192.0.2.1:80");
    assert_true(la_addr_parse("2001:db8::1", &e.addr));
    assert_string_equal(net_format(e, text), "[2001:db8::1]:80");
    assert_true(la_prefix_parse("10.0.0.2/24", true, &p));
    assert_string_equal(net_format_prefix(p, text), "10.0.0.2/24");
    assert_true(la_prefix_parse("fd00::2/64", true, &p));
    assert_string_equal(net_format_prefix(p, text), "fd00::2/64");
}

TEST(literals_need_no_resolver_but_an_address_of_their_family)
{
    struct la_addr a;
    const struct net_families v4 = { .v4 = true };
    const struct net_families v6 = { .v6 = true };

    assert_true(net_resolve("192.0.2.1", v4, &a, error, sizeof error));
    assert_true(la_addr_equal(a, la_addr_v4(192, 0, 2, 1)));
    assert_true(net_resolve("2001:db8::1", v6, &a, error, sizeof error));
    assert_false(net_resolve("192.0.2.1", v6, &a, error, sizeof error));
    assert_non_null(strstr(error, "no IPv4 address"));
    assert_false(net_resolve("2001:db8::1", v4, &a, error, sizeof error));
    assert_non_null(strstr(error, "no IPv6 address"));
}

TEST(a_name_that_cannot_be_is_an_error)
{
    struct la_addr a;

    assert_false(net_resolve("", BOTH, &a, error, sizeof error));
    assert_false(net_resolve("no such name", BOTH, &a, error, sizeof error));
    assert_true(error[0] != '\0');
}

TEST_MAIN
