/* SPDX-License-Identifier: MIT */
/* names_test.c - Every value has a name, and no two the same. */
#include "tests/unit/base_test.h"

#include <lastack/lastack.h>

TEST(errors_states_and_reasons_are_called_what_the_headers_say)
{
    assert_string_equal(la_err_name(LA_OK), "OK");
    assert_string_equal(la_err_name(LA_ECONNRESET), "ECONNRESET");
    assert_string_equal(la_err_text(LA_ECONNRESET), "Connection reset by peer");
    assert_string_equal(la_state_name(LA_TIME_WAIT), "TIME-WAIT");
    assert_string_equal(la_state_name(LA_SYN_RECEIVED), "SYN-RECEIVED");
    assert_string_equal(la_drop_name(LA_DROP_RST_CHALLENGED), "RST_CHALLENGED");
    assert_string_equal(la_drop_text(LA_DROP_NONE), "accepted");
    assert_string_equal(la_table_name(LA_TABLE_SHORT_V6), "short_v6");
    assert_string_equal(la_timer_name(LA_TIMER_TIME_WAIT), "TIME-WAIT");
}

TEST(counters_have_the_names_of_proc_net)
{
    assert_string_equal(la_counter_group(LA_COUNT_ActiveOpens), "Tcp");
    assert_string_equal(la_counter_name(LA_COUNT_ActiveOpens), "ActiveOpens");
    assert_string_equal(la_counter_group(LA_COUNT_IpInReceives), "Ip");
    assert_string_equal(la_counter_name(LA_COUNT_IpInReceives), "InReceives");
    assert_string_equal(la_counter_group(LA_COUNT_IcmpInErrors), "Icmp");
    assert_string_equal(la_counter_name(LA_COUNT_IcmpInErrors), "InErrors");
    assert_string_equal(la_counter_group(LA_COUNT_TCPTimeouts), "TcpExt");
    assert_string_equal(la_counter_name(LA_COUNT_TCPTimeouts), "TCPTimeouts");
    assert_string_equal(la_counter_text(LA_COUNT_TCPTimeouts), "RTO expirations");
}

typedef const char *(*name_of)(uint32_t);

static const char *drop_name(uint32_t i)
{
    return la_drop_name((enum la_drop)i);
}
static const char *drop_text(uint32_t i)
{
    return la_drop_text((enum la_drop)i);
}
static const char *state_name(uint32_t i)
{
    return la_state_name((enum la_state)i);
}
static const char *timer_name(uint32_t i)
{
    return la_timer_name((enum la_timer)i);
}
static const char *table_name(uint32_t i)
{
    return la_table_name((enum la_table)i);
}
static const char *counter_text(uint32_t i)
{
    return la_counter_text((enum la_counter)i);
}
static const char *err_name(uint32_t i)
{
    return la_err_name((enum la_err)(-(int)i));
}
static const char *err_text(uint32_t i)
{
    return la_err_text((enum la_err)(-(int)i));
}

#define LA_ERROR(name, value, text) +1
static const uint32_t errors = 1 + (0
#include <lastack/errors.def>
                                   );
#undef LA_ERROR

TEST(no_two_values_of_a_list_share_a_name_and_what_is_beyond_is_unknown)
{
    const struct {
        name_of name;
        uint32_t count;
    } lists[] = {
        { drop_name, LA_DROPS },   { drop_text, LA_DROPS },   { state_name, LA_STATES },
        { timer_name, LA_TIMERS }, { table_name, LA_TABLES }, { counter_text, LA_COUNTERS },
        { err_name, errors },      { err_text, errors },
    };
    for (uint32_t k = 0; k < LA_COUNT_OF(lists); k++) {
        for (uint32_t i = 0; i < lists[k].count; i++) {
            assert_true(strlen(lists[k].name(i)) > 0);
            assert_string_not_equal(lists[k].name(i), "unknown");
            for (uint32_t j = 0; j < i; j++)
                assert_string_not_equal(lists[k].name(i), lists[k].name(j));
        }
        assert_string_equal(lists[k].name(lists[k].count), "unknown");
    }
    assert_string_equal(la_counter_name(LA_COUNTERS), "unknown");
    assert_string_equal(la_counter_group(LA_COUNTERS), "unknown");
}

TEST(no_two_counters_share_group_and_name)
{
    for (uint32_t i = 0; i < LA_COUNTERS; i++)
        for (uint32_t j = 0; j < i; j++) {
            const enum la_counter a = (enum la_counter)i;
            const enum la_counter b = (enum la_counter)j;
            assert_false(strcmp(la_counter_name(a), la_counter_name(b)) == 0 &&
                         strcmp(la_counter_group(a), la_counter_group(b)) == 0);
        }
}

TEST(each_step_of_a_recovery_and_each_algorithm_has_a_name)
{
    for (uint32_t i = 0; i <= LA_RECOVERY_APP_LIMITED; i++) {
        const char *name = la_recovery_name((enum la_recovery)i);

        assert_true(strlen(name) > 0);
        assert_string_not_equal(name, "unknown");
        for (uint32_t j = 0; j < i; j++)
            assert_string_not_equal(name, la_recovery_name((enum la_recovery)j));
    }
    assert_string_equal(la_congestion_name(LA_CONGESTION_RENO), "reno");
    assert_string_equal(la_congestion_name(LA_CONGESTION_CUBIC), "cubic");
    assert_string_equal(la_congestion_name(LA_CONGESTION_DEFAULT), "default");
    assert_null(la_congestion_name((enum la_congestion)3));
}

TEST_MAIN
