/* SPDX-License-Identifier: MIT */
/* cli_ports_budget_test.c - The line a person reads of a destination's ports. */
#include "test.h"

#include "cli/ports_budget.h"

static void expect(uint32_t ports, uint32_t used, uint32_t time_wait, uint64_t two_msl_ms,
                   const char *want)
{
    const struct la_ports_info info = {
        .ports = ports, .used = used, .time_wait = time_wait, .two_msl_ms = two_msl_ms
    };
    char line[PORTS_BUDGET_BYTES];

    assert_string_equal(ports_budget(&info, line), want);
}

TEST(the_budget_is_ports_through_2msl)
{
    expect(28232, 24700, 24600, 60000, "28,232 ports / 60 s = 470 connections/s; you use 410");
    expect(28232, 0, 0, 60000, "28,232 ports / 60 s = 470 connections/s; you use 0");
    expect(64511, 64000, 60000, 2500,
           "64,511 ports / 2.5 s = 25,804 connections/s; you use 24,000");
    expect(2, 2, 1, 1, "2 ports / 0.001 s = 2,000 connections/s; you use 1,000; no port is left");
}

TEST(without_time_wait_there_is_no_rate)
{
    expect(28232, 1200, 0, 0, "28,232 ports, no TIME-WAIT: 28,232 at a time; you use 1,200");
}

TEST(commas_stand_at_every_third_place)
{
    char text[28];

    assert_string_equal(ports_thousands(0, text), "0");
    assert_string_equal(ports_thousands(999, text), "999");
    assert_string_equal(ports_thousands(1000, text), "1,000");
    assert_string_equal(ports_thousands(UINT64_MAX, text), "18,446,744,073,709,551,615");
}

TEST_MAIN
