/* SPDX-License-Identifier: MIT */
/* cli_ports_table_test.c - Connections by destination, the most crowded first. */
#include "test.h"

#include "cli/ports_table.h"

static const struct la_addr us = { { 10, 1 } };

static struct la_endpoint to(uint32_t n)
{
    struct la_endpoint e = { .port = (uint16_t)(n % 7 + 1) };

    e.addr.bytes[3] = (uint8_t)(n / 7);
    e.addr.bytes[9] = (uint8_t)(n / 7 >> 8);
    return e;
}

TEST(each_destination_is_counted_and_the_most_used_comes_first)
{
    struct ports_table t = { .count = 0 };

    for (uint32_t n = 0; n < 2000; n++)
        for (uint32_t k = 0; k <= n % 5; k++)
            assert_true(ports_table_add(&t, us, to(n), k == 0));
    for (uint32_t k = 0; k < 9; k++)
        assert_true(ports_table_add(&t, us, to(1234), false));
    assert_int_equal(t.count, 2000);
    ports_table_sort(&t);
    assert_int_equal(t.places[0].used, 1234 % 5 + 1 + 9);
    assert_true(la_addr_equal(t.places[0].remote.addr, to(1234).addr));
    uint32_t all = 0;
    for (uint32_t i = 0; i < t.count; i++) {
        assert_int_equal(t.places[i].time_wait, 1);
        assert_true(i == 0 || t.places[i].used <= t.places[i - 1].used);
        all += t.places[i].used;
    }
    assert_int_equal(all, 2000 / 5 * 15 + 9);
    ports_table_free(&t);
}

TEST(addresses_of_our_own_are_kept_apart)
{
    struct ports_table t = { .count = 0 };
    const struct la_addr other = { { 10, 2 } };

    assert_true(ports_table_add(&t, us, to(1), true));
    assert_true(ports_table_add(&t, other, to(1), false));
    assert_int_equal(t.count, 2);
    ports_table_free(&t);
    ports_table_sort(&t); /* of nothing */
    ports_table_free(&t);
}

TEST_MAIN
