/* SPDX-License-Identifier: MIT */
/* Byte ranges of a request (RFC 9110 section 14.1): which are given, cut, ignored, refused. */
#include "test.h"

#include "cli/http_range.h"

/* "first+len first+len ", "ignored" or "416". */
static const char *parse(const char *value, uint64_t size)
{
    static char text[1024];
    struct http_range ranges[HTTP_RANGES_MAX];
    unsigned count = 99;
    size_t len = 0;

    switch (http_range_parse(value, size, ranges, &count)) {
    case HTTP_RANGES_IGNORED:
        return "ignored";
    case HTTP_RANGES_UNSATISFIED:
        assert_int_equal(count, 0);
        return "416";
    case HTTP_RANGES_GIVEN:
        break;
    }
    assert_true(count > 0 && count <= HTTP_RANGES_MAX);
    text[0] = '\0';
    for (unsigned i = 0; i < count; i++) {
        assert_true(ranges[i].len_bytes > 0);
        assert_true(ranges[i].first + ranges[i].len_bytes <= size);
        len += (size_t)snprintf(text + len, sizeof text - len, "%llu+%llu ",
                                (unsigned long long)ranges[i].first,
                                (unsigned long long)ranges[i].len_bytes);
    }
    return text;
}

TEST(a_range_counts_both_of_its_ends)
{
    assert_string_equal(parse("bytes=0-0", 100), "0+1 ");
    assert_string_equal(parse("bytes=10-19", 100), "10+10 ");
    assert_string_equal(parse("bytes=99-99", 100), "99+1 ");
    assert_string_equal(parse("BYTES=1-2", 100), "1+2 ");
}

TEST(a_range_is_cut_at_the_end_of_the_file)
{
    assert_string_equal(parse("bytes=90-", 100), "90+10 ");
    assert_string_equal(parse("bytes=90-99", 100), "90+10 ");
    assert_string_equal(parse("bytes=90-100", 100), "90+10 ");
    assert_string_equal(parse("bytes=0-99999999999999999999999", 100), "0+100 ");
}

TEST(a_suffix_is_the_last_so_many_bytes)
{
    assert_string_equal(parse("bytes=-1", 100), "99+1 ");
    assert_string_equal(parse("bytes=-100", 100), "0+100 ");
    assert_string_equal(parse("bytes=-101", 100), "0+100 ");
    assert_string_equal(parse("bytes=-18446744073709551616", 100), "0+100 ");
}

TEST(what_begins_behind_the_end_is_not_in_the_file)
{
    assert_string_equal(parse("bytes=100-", 100), "416");
    assert_string_equal(parse("bytes=100-200", 100), "416");
    assert_string_equal(parse("bytes=18446744073709551616-", 100), "416");
    assert_string_equal(parse("bytes=-0", 100), "416");
    assert_string_equal(parse("bytes=200-,300-", 100), "416");
    assert_string_equal(parse("bytes=200-,-5", 100), "95+5 ");
}

TEST(an_empty_file_has_no_range)
{
    assert_string_equal(parse("bytes=0-", 0), "416");
    assert_string_equal(parse("bytes=0-0", 0), "416");
    assert_string_equal(parse("bytes=-5", 0), "416");
}

TEST(several_ranges_keep_their_order)
{
    assert_string_equal(parse("bytes=0-1,-2,50-59", 100), "0+2 98+2 50+10 ");
    assert_string_equal(parse("bytes= 0-1 ,\t5-6", 100), "0+2 5+2 ");
    assert_string_equal(parse("bytes=,0-1,,5-6,", 100), "0+2 5+2 ");
}

TEST(what_is_no_list_of_ranges_is_ignored)
{
    static const char *const values[] = {
        "",           "bytes",        "bytes=",      "bytes=,",    "items=0-1",   "bytes=a-b",
        "bytes=-",    "bytes=5",      "bytes=5-4",   "bytes=0-1;", "bytes=0-1 2", "bytes 0-1",
        "bytes=0--1", "bytes=+1-2",   "bytes=1-2-3", "bytes=--1",  "bytes=0-1,x", "bytes=1 -2",
        "bytes=0x-1", "bytes=0-1,5-4"
    };

    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        assert_string_equal(parse(values[i], 100), "ignored");
}

TEST(an_answer_is_no_longer_than_the_file)
{
    assert_string_equal(parse("bytes=0-49,50-99", 100), "0+50 50+50 ");
    assert_string_equal(parse("bytes=0-50,50-99", 100), "ignored");
    assert_string_equal(parse("bytes=0-,0-,0-,0-", 100), "ignored");
}

TEST(more_ranges_than_the_limit_are_ignored)
{
    char value[400] = "bytes=";

    for (unsigned i = 0; i < HTTP_RANGES_MAX; i++)
        snprintf(value + strlen(value), sizeof value - strlen(value), "%u-%u,", 2 * i, 2 * i);
    assert_string_not_equal(parse(value, 100), "ignored");
    snprintf(value + strlen(value), sizeof value - strlen(value), "99-99");
    assert_string_equal(parse(value, 100), "ignored");
}

TEST_MAIN
