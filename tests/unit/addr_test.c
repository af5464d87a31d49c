/* SPDX-License-Identifier: MIT */
/* addr_test.c - Addresses and prefixes, read and written; the host's inet_pton() agrees. */
#include "tests/unit/base_test.h"

#include <arpa/inet.h>

#include <lastack/types.h>

static struct la_addr addr(const char *text)
{
    struct la_addr a = { { 0 } };
    if (!la_addr_parse(text, &a))
        fail_msg("\"%s\" was not read", text);
    return a;
}

static struct la_prefix prefix(const char *text)
{
    struct la_prefix p = { { { 0 } }, 0 };
    if (!la_prefix_parse(text, false, &p))
        fail_msg("\"%s\" was not read", text);
    return p;
}

static void written(const char *text, const char *want)
{
    char out[LA_ADDR_TEXT_BYTES];
    assert_string_equal(la_addr_format(addr(text), out), want);
}

TEST(an_ipv4_address_is_its_mapped_form)
{
    const struct la_addr a = la_addr_v4(192, 0, 2, 1);
    static const uint8_t want[16] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1 };
    assert_memory_equal(a.bytes, want, 16);
    assert_true(la_addr_is_v4(a));
    assert_true(la_addr_equal(a, addr("192.0.2.1")));
    assert_true(la_addr_equal(a, addr("::ffff:192.0.2.1")));
    assert_true(la_addr_equal(a, addr("::ffff:c000:201")));
    assert_false(la_addr_equal(a, addr("::192.0.2.1")));
    assert_false(la_addr_is_v4(addr("::192.0.2.1")));
    assert_false(la_addr_is_v4(addr("::fffe:192.0.2.1")));
    assert_false(la_addr_is_v4(addr("2001:db8::ffff:c000:201")));
}

TEST(both_families_have_an_unspecified_address)
{
    assert_true(la_addr_is_unspecified(addr("::")));
    assert_true(la_addr_is_unspecified(addr("0.0.0.0")));
    assert_false(la_addr_is_unspecified(addr("::1")));
    assert_false(la_addr_is_unspecified(addr("0.0.0.1")));
    assert_false(la_addr_is_unspecified(addr("1::")));
}

TEST(addresses_are_written_as_rfc_5952_says)
{
    written("2001:db8:0:0:0:0:0:1", "2001:db8::1");
    written("2001:0DB8:AAAA:Bbbb:cccc:dddd:eeee:0001", "2001:db8:aaaa:bbbb:cccc:dddd:eeee:1");
    written("2001:db8::0:1", "2001:db8::1");
    written("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"); /* 4.2.2: no "::" for one group */
    written("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1");    /* 4.2.3: the first of equals */
    written("2001:0:0:1:0:0:0:1", "2001:0:0:1::1");          /* 4.2.3: the longest */
    written("1:0:0:0:0:0:0:0", "1::");
    written("0:0:0:0:0:0:0:0", "::");
    written("0:0:0:0:0:0:0:1", "::1");
    written("0:1:0:0:0:0:0:0", "0:1::");
    written("0:0:1:0:1:0:1:0", "::1:0:1:0:1:0");
    written("0:1:2:3:4:5:6:7", "0:1:2:3:4:5:6:7");
    written("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0");
    written("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8");
    written("1:2:3:4:5:6::", "1:2:3:4:5:6::");
    written("10:200:3000:4000:a:b0:c00:d000", "10:200:3000:4000:a:b0:c00:d000");
    written("::ffff:0:0", "0.0.0.0");
    written("::ffff:ffff:ffff", "255.255.255.255");
    written("::1.2.3.4", "::102:304");
    written("64:ff9b::192.0.2.33", "64:ff9b::c000:221");
    written("10.0.100.9", "10.0.100.9");
}

/* Each ends with a bar. */
static const char bad_addresses[] =
    "| |1|1.2|1.2.3|1.2.3.|.1.2.3|1..2.3|1.2.3.4.|1.2.3.4.5|256.1.1.1|1.1.1.256|"
    "01.2.3.4|1.2.3.00|1.2.3.4 | 1.2.3.4|1.2.3.4/24|0x1.2.3.4|1,2,3,4|-1.2.3.4|"
    "+1.2.3.4|1.2.3.1000|a.b.c.d|:|:::|::::|1:|:1|1:2|1:2:3:4:5:6:7|1:2:3:4:5:6:7:8:9|"
    "1:2:3:4:5:6:7:8:|:1:2:3:4:5:6:7|:1:2:3:4:5:6:7:8|1:2:3:4:5:6:7:8::|"
    "::1:2:3:4:5:6:7:8|1:2:3:4::5:6:7:8|1::2::3|::1::|12345::|::12345|::g|::1%eth0|"
    "[::1]|::1/64|fe80::1 |::1.2.3|::1.2.3.4.5|1.2.3.4::|::1.2.3.4:5|"
    "1:2:3:4:5:6:7:1.2.3.4|1:2:3:4:5:1.2.3.4|::1:2:3:4:5:6:1.2.3.4|::256.1.1.1|"
    "::01.1.1.1|::ffff:1.2.3.04|1:::2|::-1|localhost|2001:db8::\xc3\xa9|";

TEST(what_is_no_address_is_refused_and_nothing_is_written)
{
    uint32_t tried = 0;
    const char *end;
    for (const char *at = bad_addresses; (end = strchr(at, '|')) != NULL; at = end + 1) {
        struct la_addr a;
        struct la_prefix p;
        uint8_t untouched[sizeof a];
        char text[64] = { 0 };
        memcpy(text, at, (size_t)(end - at));
        memset(&a, 0xaa, sizeof a);
        memset(untouched, 0xaa, sizeof untouched);
        if (la_addr_parse(text, &a))
            fail_msg("\"%s\" was read", text);
        assert_memory_equal(&a, untouched, sizeof a);
        if (strchr(text, '/') == NULL && la_prefix_parse(text, true, &p))
            fail_msg("\"%s\" was read as a prefix", text);
        tried++;
    }
    assert_int_equal(tried, 60);
}

TEST(every_address_written_is_read_back)
{
    uint64_t seed = 1;
    for (uint32_t n = 0; n < 200000; n++) {
        struct la_addr a = { { 0 } };
        struct la_addr back;
        char text[LA_ADDR_TEXT_BYTES];
        char host[INET6_ADDRSTRLEN];
        /* Few groups that are not zero, small values often. */
        for (uint32_t g = 0; g < 8; g++) {
            const uint32_t kind = rng_below(&seed, 4);
            const uint32_t value = rng_below(&seed, kind == 0 ? 65536 : kind == 1 ? 256 : 1);
            a.bytes[2 * g] = (uint8_t)(value >> 8);
            a.bytes[2 * g + 1] = (uint8_t)value;
        }
        if (rng_below(&seed, 8) == 0)
            a = la_addr_v4(a.bytes[0], a.bytes[1], a.bytes[2], a.bytes[3]);
        assert_true(la_addr_parse(la_addr_format(a, text), &back));
        assert_true(la_addr_equal(a, back));
        assert_true(la_addr_parse(inet_ntop(AF_INET6, a.bytes, host, sizeof host), &back));
        assert_true(la_addr_equal(a, back));
    }
}

/* Texts of the right letters: whatever inet_pton() takes is taken, and nothing else. */
TEST(random_texts_are_judged_as_inet_pton_judges_them)
{
    static const char letters[] = "0123::::....aF9f";
    uint64_t seed = 2;
    uint32_t taken = 0;
    for (uint32_t n = 0; n < 1000000; n++) {
        char text[24];
        const uint32_t len = rng_below(&seed, sizeof text);
        for (uint32_t i = 0; i < len; i++)
            text[i] = letters[rng_below(&seed, sizeof letters - 1)];
        text[len] = '\0';
        struct la_addr a;
        uint8_t want[16];
        const bool is_v6 = inet_pton(AF_INET6, text, want) == 1;
        const bool is_v4 = !is_v6 && inet_pton(AF_INET, text, want + 12) == 1;
        if (la_addr_parse(text, &a) != (is_v6 || is_v4))
            fail_msg("\"%s\" is judged otherwise", text);
        taken += is_v6 || is_v4;
        if (is_v6)
            assert_memory_equal(a.bytes, want, 16);
        if (is_v4)
            assert_memory_equal(a.bytes + 12, want + 12, 4);
    }
    assert_true(taken > 1000);
}

TEST(a_prefix_covers_the_addresses_that_share_its_bits)
{
    assert_true(la_prefix_covers(prefix("10.0.0.0/8"), addr("10.255.0.1")));
    assert_false(la_prefix_covers(prefix("10.0.0.0/8"), addr("11.0.0.0")));
    assert_true(la_prefix_covers(prefix("192.0.2.128/25"), addr("192.0.2.200")));
    assert_false(la_prefix_covers(prefix("192.0.2.128/25"), addr("192.0.2.127")));
    assert_true(la_prefix_covers(prefix("2001:db8::/33"), addr("2001:db8:7fff::1")));
    assert_false(la_prefix_covers(prefix("2001:db8::/33"), addr("2001:db8:8000::1")));
    assert_true(la_prefix_covers(la_prefix_any(), addr("10.0.0.1")));
    assert_true(la_prefix_covers(la_prefix_any(), addr("ffff::")));
    assert_true(la_prefix_covers(la_prefix_any_v4(), addr("255.1.2.3")));
    assert_false(la_prefix_covers(la_prefix_any_v4(), addr("::1")));
    const struct la_prefix host = la_prefix_host(addr("::1"));
    assert_true(la_prefix_covers(host, addr("::1")));
    assert_false(la_prefix_covers(host, addr("::3")));
    assert_false(la_prefix_covers(host, addr("8000::1")));
}

TEST(every_prefix_length_looks_at_exactly_its_bits)
{
    uint64_t seed = 3;
    struct la_addr a;
    for (uint32_t i = 0; i < 16; i++)
        a.bytes[i] = (uint8_t)rng_next(&seed);
    for (uint32_t len = 0; len <= 128; len++) {
        for (uint32_t bit = 0; bit < 128; bit++) {
            struct la_addr b = a;
            b.bytes[bit / 8] ^= (uint8_t)(0x80u >> bit % 8);
            const struct la_prefix p = { a, (uint8_t)len };
            assert_int_equal(la_prefix_covers(p, b), bit >= len);
        }
    }
}

TEST(prefixes_are_read_with_the_length_of_their_family)
{
    assert_int_equal(prefix("10.0.0.0/8").len, 104);
    assert_int_equal(prefix("10.0.0.1").len, 128);
    assert_int_equal(prefix("10.0.0.1/32").len, 128);
    assert_int_equal(prefix("0.0.0.0/0").len, 96);
    assert_int_equal(prefix("::/0").len, 0);
    assert_int_equal(prefix("2001:db8::/32").len, 32);
    assert_int_equal(prefix("::1").len, 128);
    assert_int_equal(prefix("::ffff:0:0/96").len, 96);
    assert_int_equal(prefix("::ffff:10.0.0.0/104").len, 104);
}

TEST(host_bits_are_refused_unless_the_caller_is_lax)
{
    struct la_prefix p;
    assert_false(la_prefix_parse("10.0.0.1/8", false, &p));
    assert_true(la_prefix_parse("10.0.0.1/8", true, &p));
    assert_int_equal(p.len, 104);
    assert_true(la_addr_equal(p.addr, addr("10.0.0.1"))); /* kept */
    assert_false(la_prefix_parse("10.1.0.0/15", false, &p));
    assert_true(la_prefix_parse("10.2.0.0/15", false, &p));
    assert_false(la_prefix_parse("2001:db8::1/127", false, &p));
    assert_true(la_prefix_parse("2001:db8::1/128", false, &p));
    assert_false(la_prefix_parse("8000::/0", false, &p));
}

TEST(what_is_no_prefix_is_refused)
{
    static const char *const bad[] = {
        "10.0.0.0/33",  "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/08",  "10.0.0.0/8 ",
        "10.0.0.0/8/8", "10.0.0/8",  "/8",          "::/129",       "::/1000",
        "::/",          "::/0x8",    "::/00",       "10.0.0.0/104", "::/+1",
    };
    for (uint32_t i = 0; i < LA_COUNT_OF(bad); i++) {
        struct la_prefix p;
        if (la_prefix_parse(bad[i], true, &p))
            fail_msg("\"%s\" was read", bad[i]);
    }
}

TEST_MAIN
