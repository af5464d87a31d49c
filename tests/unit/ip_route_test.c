/* SPDX-License-Identifier: MIT */
/* ip_route_test.c - Interfaces, addresses, routes: what is ours, where a packet leaves. */
#include "tests/unit/ip_bench.h"

static struct bench bench;

static int add_iface(uint32_t mtu_bytes)
{
    const struct la_iface_config config = { .mtu_bytes = mtu_bytes };
    return ip_iface_add(&bench.ip, &config);
}

static enum la_err add(int iface, const char *prefix, uint32_t flags)
{
    return ip_addr_add(&bench.ip, iface, prefix_of(prefix), flags);
}

static struct ip_path path_to(const char *dst)
{
    struct ip_path path;
    assert_int_equal(ip_path(&bench.ip, addr_of(dst), &path), LA_OK);
    return path;
}

static void assert_source(const char *dst, const char *src)
{
    char got[LA_ADDR_TEXT_BYTES];
    assert_string_equal(la_addr_format(path_to(dst).src, got), src);
}

TEST(an_interface_has_an_mtu_between_576_and_65535)
{
    bench_bare(&bench);
    assert_int_equal(add_iface(575), LA_EINVAL);
    assert_int_equal(add_iface(65536), LA_EINVAL);
    assert_int_equal(add_iface(576), 0);
    assert_int_equal(add_iface(65535), 1);
    assert_int_equal(ip_iface_set_mtu(&bench.ip, 0, 9000), LA_OK);
    assert_int_equal(bench.ip.ifaces[0].mtu_bytes, 9000);
    assert_int_equal(ip_iface_set_mtu(&bench.ip, 0, 575), LA_EINVAL);
    assert_int_equal(ip_iface_set_mtu(&bench.ip, 2, 1500), LA_EINVAL);
    assert_int_equal(ip_iface_set_mtu(&bench.ip, -1, 1500), LA_EINVAL);
}

TEST(interfaces_are_limited)
{
    bench_bare(&bench);
    for (int i = 0; i < LA_IFACES_MAX; i++)
        assert_int_equal(add_iface(1500), i);
    assert_int_equal(add_iface(1500), LA_ENOBUFS);
}

TEST(unknown_interface_flags_are_refused)
{
    bench_bare(&bench);
    const struct la_iface_config config = { .mtu_bytes = 1500, .flags = 0x80 };
    assert_int_equal(ip_iface_add(&bench.ip, &config), LA_EINVAL);
}

TEST(ipv6_needs_an_mtu_of_1280)
{
    bench_bare(&bench);
    add_iface(1279);
    assert_int_equal(add(0, "2001:db8::1/64", 0), LA_EINVAL);
    assert_int_equal(add(0, "192.0.2.1/24", 0), LA_OK);
    assert_int_equal(ip_iface_set_mtu(&bench.ip, 0, 1280), LA_OK);
    assert_int_equal(add(0, "2001:db8::1/64", 0), LA_OK);
    assert_int_equal(ip_iface_set_mtu(&bench.ip, 0, 1279), LA_EINVAL);
}

TEST(only_a_hosts_address_can_be_ours)
{
    bench_bare(&bench);
    add_iface(1500);
    assert_int_equal(add(0, "224.0.0.1/4", 0), LA_EINVAL);
    assert_int_equal(add(0, "0.0.0.0/24", 0), LA_EINVAL);
    assert_int_equal(add(0, "255.255.255.255/32", 0), LA_EINVAL);
    assert_int_equal(add(0, "192.0.2.255/24", 0), LA_EINVAL);
    assert_int_equal(add(0, "ff02::1/64", 0), LA_EINVAL);
    assert_int_equal(add(0, "::/64", 0), LA_EINVAL);
    assert_int_equal(add(1, "192.0.2.1/24", 0), LA_EINVAL);
    assert_int_equal(add(0, "192.0.2.1/24", 2), LA_EINVAL);
    assert_int_equal(add(0, "192.0.2.255/32", 0), LA_OK);
    assert_int_equal(add(0, "192.0.2.3/31", 0), LA_OK);
    assert_int_equal(add(0, "127.0.0.1/8", 0), LA_OK);
}

TEST(an_ipv4_prefix_shorter_than_the_mapping_is_refused)
{
    const struct la_prefix wide = { .addr = addr_of("192.0.2.1"), .len = 95 };
    const struct la_prefix long_one = { .addr = addr_of("2001:db8::1"), .len = 129 };
    bench_bare(&bench);
    add_iface(1500);
    assert_int_equal(ip_addr_add(&bench.ip, 0, wide, 0), LA_EINVAL);
    assert_int_equal(ip_addr_add(&bench.ip, 0, long_one, 0), LA_EINVAL);
    assert_int_equal(ip_route_add(&bench.ip, wide, 0), LA_EINVAL);
}

TEST(an_address_can_be_given_once_and_taken_back)
{
    bench_bare(&bench);
    add_iface(1500);
    assert_int_equal(add(0, "192.0.2.1/24", 0), LA_OK);
    assert_int_equal(add(0, "192.0.2.1/25", 0), LA_EADDRINUSE);
    assert_true(ip_is_local(&bench.ip, addr_of("192.0.2.1")));
    assert_int_equal(ip_addr_del(&bench.ip, 0, prefix_of("192.0.2.1/25")), LA_ENOENT);
    assert_int_equal(ip_addr_del(&bench.ip, 0, prefix_of("192.0.2.1/24")), LA_OK);
    assert_false(ip_is_local(&bench.ip, addr_of("192.0.2.1")));
    assert_int_equal(ip_addr_del(&bench.ip, 0, prefix_of("192.0.2.1/24")), LA_ENOENT);
}

TEST(addresses_and_routes_are_limited)
{
    bench_bare(&bench);
    add_iface(1500);
    for (uint8_t i = 0; i < LA_ADDRS_MAX; i++) {
        const struct la_prefix p = la_prefix_host(la_addr_v4(192, 0, 2, (uint8_t)(i + 1)));
        assert_int_equal(ip_addr_add(&bench.ip, 0, p, 0), LA_OK);
    }
    assert_int_equal(add(0, "192.0.2.99/32", 0), LA_ENOBUFS);
    for (uint8_t i = 0; i < LA_ROUTES_MAX; i++) {
        const struct la_prefix p = la_prefix_host(la_addr_v4(198, 51, 100, i));
        assert_int_equal(ip_route_add(&bench.ip, p, 0), LA_OK);
    }
    assert_int_equal(ip_route_add(&bench.ip, la_prefix_any(), 0), LA_ENOBUFS);
}

TEST(without_a_route_the_network_is_unreachable)
{
    struct ip_path path;
    bench_bare(&bench);
    add_iface(1500);
    assert_int_equal(ip_path(&bench.ip, addr_of("192.0.2.7"), &path), LA_ENETUNREACH);
    add(0, "192.0.2.1/24", 0);
    assert_int_equal(ip_path(&bench.ip, addr_of("192.0.2.7"), &path), LA_OK);
    assert_int_equal(ip_path(&bench.ip, addr_of("198.51.100.7"), &path), LA_ENETUNREACH);
    assert_int_equal(ip_path(&bench.ip, addr_of("0.0.0.0"), &path), LA_ENETUNREACH);
}

TEST(the_longest_prefix_wins_whichever_came_first)
{
    bench_bare(&bench);
    add_iface(1500);
    add_iface(1400);
    assert_int_equal(ip_route_add(&bench.ip, prefix_of("198.51.100.0/25"), 1), LA_OK);
    assert_int_equal(ip_route_add(&bench.ip, la_prefix_any_v4(), 0), LA_OK);
    assert_int_equal(ip_route_add(&bench.ip, prefix_of("198.51.100.0/24"), 0), LA_OK);
    assert_int_equal(path_to("198.51.100.1").iface, 1);
    assert_int_equal(path_to("198.51.100.1").mtu_bytes, 1400);
    assert_int_equal(path_to("198.51.100.200").iface, 0);
    assert_int_equal(path_to("203.0.113.1").iface, 0);
    assert_int_equal(ip_route_del(&bench.ip, prefix_of("198.51.100.0/25"), 0), LA_ENOENT);
    assert_int_equal(ip_route_del(&bench.ip, prefix_of("198.51.100.0/25"), 1), LA_OK);
    assert_int_equal(path_to("198.51.100.1").iface, 0);
}

TEST(a_route_given_again_points_elsewhere)
{
    bench_bare(&bench);
    add_iface(1500);
    add_iface(1500);
    assert_int_equal(ip_route_add(&bench.ip, la_prefix_any(), 0), LA_OK);
    assert_int_equal(ip_route_add(&bench.ip, la_prefix_any(), 1), LA_OK);
    assert_int_equal(bench.ip.route_count, 1);
    assert_int_equal(path_to("2001:db8::7").iface, 1);
}

TEST(a_route_with_host_bits_or_to_nowhere_is_refused)
{
    bench_bare(&bench);
    add_iface(1500);
    assert_int_equal(ip_route_add(&bench.ip, prefix_of("198.51.100.1/24"), 0), LA_EINVAL);
    assert_int_equal(ip_route_add(&bench.ip, la_prefix_any(), 1), LA_EINVAL);
}

TEST(the_default_of_both_families_is_one_route)
{
    bench_bare(&bench);
    add_iface(1500);
    ip_route_add(&bench.ip, la_prefix_any(), 0);
    assert_int_equal(path_to("203.0.113.1").iface, 0);
    assert_int_equal(path_to("2001:db8:1::1").iface, 0);
}

TEST(the_source_is_of_the_interface_and_the_family_and_nearest)
{
    struct ip_path path;
    bench_bare(&bench);
    add_iface(1500);
    add(0, "192.0.2.1/24", 0);
    add(0, "198.51.100.1/24", 0);
    ip_route_add(&bench.ip, la_prefix_any(), 0);
    assert_source("192.0.2.9", "192.0.2.1");
    assert_source("198.51.100.9", "198.51.100.1");
    assert_int_equal(ip_path(&bench.ip, addr_of("2001:db8::1"), &path), LA_OK);
    assert_true(la_addr_is_unspecified(path.src));
}

TEST(a_link_local_source_is_for_link_local_destinations)
{
    bench_bare(&bench);
    add_iface(1500);
    add(0, "fe80::1/64", 0);
    add(0, "2001:db8::1/64", 0);
    ip_route_add(&bench.ip, la_prefix_any(), 0);
    assert_source("fec0::1", "2001:db8::1");
    assert_source("2a00::1", "2001:db8::1");
    assert_source("fe80::2", "fe80::1");
}

TEST(what_goes_to_ourselves_leaves_by_the_loopback_whatever_the_routes_say)
{
    bench_bare(&bench);
    add_iface(1500);
    add_iface(1400);
    add(0, "192.0.2.1/24", 0);
    add(1, "192.0.2.2/32", 0);
    ip_route_add(&bench.ip, prefix_of("192.0.2.2/32"), 0);
    assert_int_equal(path_to("192.0.2.2").iface, IP_LOOPBACK);
    assert_int_equal(path_to("192.0.2.2").mtu_bytes, 4080);
    assert_source("192.0.2.2", "192.0.2.2");
}

TEST(groups_are_multicast_and_the_broadcasts_of_our_subnets)
{
    bench_bare(&bench);
    add_iface(1500);
    add(0, "192.0.2.1/24", 0);
    add(0, "198.51.100.0/31", 0);
    assert_true(ip_is_group(&bench.ip, addr_of("192.0.2.255")));
    assert_true(ip_is_group(&bench.ip, addr_of("255.255.255.255")));
    assert_true(ip_is_group(&bench.ip, addr_of("239.1.2.3")));
    assert_true(ip_is_group(&bench.ip, addr_of("ff02::1")));
    assert_false(ip_is_group(&bench.ip, addr_of("192.0.2.254")));
    assert_false(ip_is_group(&bench.ip, addr_of("198.51.100.1")));
    assert_false(ip_is_group(&bench.ip, addr_of("203.0.113.255")));
}

TEST(anyip_takes_every_host_address_of_its_prefix_and_no_other)
{
    bench_bare(&bench);
    add_iface(1500);
    assert_int_equal(add(0, "0.0.0.0/0", LA_ADDR_ANYIP), LA_OK);
    assert_true(ip_is_local(&bench.ip, addr_of("203.0.113.77")));
    assert_false(ip_is_local(&bench.ip, addr_of("224.0.0.1")));
    assert_false(ip_is_local(&bench.ip, addr_of("127.0.0.1")));
    assert_false(ip_is_local(&bench.ip, addr_of("0.0.0.0")));
    assert_false(ip_is_local(&bench.ip, addr_of("255.255.255.255")));
    assert_false(ip_is_local(&bench.ip, addr_of("2001:db8::1")));
    assert_true(la_addr_is_unspecified(path_to("203.0.113.77").src));
    assert_int_equal(add(0, "0.0.0.0/0", LA_ADDR_ANYIP), LA_EADDRINUSE);
    assert_int_equal(ip_addr_del(&bench.ip, 0, prefix_of("0.0.0.0/0")), LA_OK);
    assert_false(ip_is_local(&bench.ip, addr_of("203.0.113.77")));
}

TEST_MAIN
