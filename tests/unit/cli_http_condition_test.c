/* SPDX-License-Identifier: MIT */
/* What a request makes depend on a file's version (RFC 9110 sections 8.8 and 13). */
#include "test.h"

#include "cli/http_condition.h"

#include <sys/stat.h>

#define MODIFIED_S 784111777 /* Sun, 06 Nov 1994 08:49:37 GMT */
#define DATE "Sun, 06 Nov 1994 08:49:37 GMT"
#define BEFORE "Sun, 06 Nov 1994 08:49:36 GMT"

static struct http_version version;
static struct http_conditions conditions;

/* A file of that time, looked at @later_ms afterwards. */
static void make_version(uint64_t later_ms)
{
    const struct stat st = { .st_ino = 0x12, .st_size = 0x34, .st_mtim = { MODIFIED_S, 5 } };

    memset(&conditions, 0, sizeof conditions);
    http_version_of(&st, MODIFIED_S * UINT64_C(1000000000) + later_ms * 1000000, &version);
}

static unsigned judge(const char *header, const char *value, bool there, bool reads)
{
    size_t room = 0;

    memset(&conditions, 0, sizeof conditions);
    char *field = http_condition_field(&conditions, header, &room);
    assert_non_null(field);
    snprintf(field, room, "%s", value);
    return http_condition_judge(&conditions, there ? &version : NULL, reads);
}

TEST(a_date_is_read_in_its_three_forms)
{
    static const char *const dates[] = { DATE, "Sunday, 06-Nov-94 08:49:37 GMT",
                                         "Sun Nov  6 08:49:37 1994" };
    char text[HTTP_DATE_BYTES];
    int64_t seconds;

    for (size_t i = 0; i < 3; i++) {
        seconds = 0;
        assert_true(http_date_parse(dates[i], &seconds));
        assert_int_equal(seconds, MODIFIED_S);
    }
    http_date_format(MODIFIED_S, text);
    assert_string_equal(text, DATE);
    assert_false(http_date_parse("", &seconds));
    assert_false(http_date_parse("yesterday", &seconds));
    assert_false(http_date_parse(DATE " or so", &seconds));
    assert_false(http_date_parse("784111777", &seconds));
}

TEST(a_tag_tells_versions_apart)
{
    struct stat st = { .st_ino = 1, .st_size = 2, .st_mtim = { 3, 4 } };
    struct http_version a, b;

    http_version_of(&st, UINT64_C(10000000000), &a);
    assert_true(a.settled);
    assert_int_equal(a.etag[0], '"');
    st.st_mtim.tv_nsec++;
    http_version_of(&st, UINT64_C(10000000000), &b);
    assert_string_not_equal(a.etag, b.etag);
    st.st_mtim.tv_nsec--;
    st.st_size++;
    http_version_of(&st, UINT64_C(10000000000), &b);
    assert_string_not_equal(a.etag, b.etag);
    st.st_size--;
    st.st_ino++;
    http_version_of(&st, UINT64_C(10000000000), &b);
    assert_string_not_equal(a.etag, b.etag);
}

TEST(the_tag_of_a_file_that_may_still_change_is_weak)
{
    make_version(999);
    assert_false(version.settled);
    assert_memory_equal(version.etag, "W/\"", 3);
    make_version(1001);
    assert_true(version.settled);
}

TEST(if_none_match_saves_the_body_or_refuses_the_change)
{
    make_version(5000);
    assert_int_equal(judge("if-none-match", version.etag, true, true), 304);
    assert_int_equal(judge("if-none-match", version.etag, true, false), 412);
    assert_int_equal(judge("if-none-match", "\"other\"", true, true), 0);
    assert_int_equal(judge("if-none-match", "*", true, true), 304);
    assert_int_equal(judge("if-none-match", "*", false, false), 0);
    assert_int_equal(judge("if-none-match", "*", true, false), 412);
}

TEST(a_list_of_tags_is_searched)
{
    char list[200];

    make_version(5000);
    snprintf(list, sizeof list, "\"a, b\",W/\"c\" , %s", version.etag);
    assert_int_equal(judge("if-none-match", list, true, true), 304);
    snprintf(list, sizeof list, "\"a\" %s", version.etag);
    assert_int_equal(judge("if-none-match", list, true, true), 0);
    assert_int_equal(judge("if-none-match", "rubbish", true, true), 0);
    assert_int_equal(judge("if-none-match", "\"", true, true), 0);
}

TEST(if_none_match_compares_weakly_and_if_match_strongly)
{
    char weak[80];

    make_version(5000);
    snprintf(weak, sizeof weak, "W/%s", version.etag);
    assert_int_equal(judge("if-none-match", weak, true, true), 304);
    assert_int_equal(judge("if-match", weak, true, true), 412);
    assert_int_equal(judge("if-match", version.etag, true, true), 0);
    make_version(10);
    assert_int_equal(judge("if-match", version.etag, true, true), 412);
}

TEST(if_match_wants_the_file_to_be_there)
{
    make_version(5000);
    assert_int_equal(judge("if-match", "*", true, false), 0);
    assert_int_equal(judge("if-match", "*", false, false), 412);
    assert_int_equal(judge("if-match", "\"other\"", true, true), 412);
}

TEST(dates_compare_by_the_second)
{
    make_version(5000);
    assert_int_equal(judge("if-modified-since", DATE, true, true), 304);
    assert_int_equal(judge("if-modified-since", BEFORE, true, true), 0);
    assert_int_equal(judge("if-modified-since", DATE, true, false), 0);
    assert_int_equal(judge("if-modified-since", "lately", true, true), 0);
    assert_int_equal(judge("if-unmodified-since", DATE, true, true), 0);
    assert_int_equal(judge("if-unmodified-since", BEFORE, true, true), 412);
    assert_int_equal(judge("if-unmodified-since", BEFORE, true, false), 412);
    assert_int_equal(judge("if-unmodified-since", "lately", true, true), 0);
}

TEST(a_tag_overrules_a_date)
{
    make_version(5000);
    snprintf(conditions.if_none_match, sizeof conditions.if_none_match, "\"other\"");
    snprintf(conditions.if_modified_since, sizeof conditions.if_modified_since, DATE);
    assert_int_equal(http_condition_judge(&conditions, &version, true), 0);
    memset(&conditions, 0, sizeof conditions);
    snprintf(conditions.if_match, sizeof conditions.if_match, "%s", version.etag);
    snprintf(conditions.if_unmodified_since, sizeof conditions.if_unmodified_since, BEFORE);
    assert_int_equal(http_condition_judge(&conditions, &version, true), 0);
}

static bool if_range(const char *value)
{
    snprintf(conditions.if_range, sizeof conditions.if_range, "%s", value);
    return http_condition_range(&conditions, &version);
}

TEST(if_range_wants_the_very_same_version)
{
    char weak[80];

    make_version(5000);
    assert_true(if_range(""));
    assert_true(if_range(version.etag));
    assert_true(if_range(DATE));
    assert_false(if_range(BEFORE));
    assert_false(if_range("Sun, 06 Nov 1994 08:49:38 GMT"));
    assert_false(if_range("\"other\""));
    assert_false(if_range("rubbish"));
    snprintf(weak, sizeof weak, "W/%s", version.etag);
    assert_false(if_range(weak));
}

TEST(if_range_never_holds_for_a_file_that_may_still_change)
{
    make_version(10);
    assert_false(if_range(version.etag));
    assert_false(if_range(DATE));
}

TEST(other_headers_are_no_conditions)
{
    size_t room = 0;

    assert_null(http_condition_field(&conditions, "host", &room));
    assert_null(http_condition_field(&conditions, "", &room));
}

TEST_MAIN
