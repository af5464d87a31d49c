/* SPDX-License-Identifier: MIT */
/* JSON lines: escapes, commas, nesting. */
#include "test.h"

#include "cli/json.h"

#include <stdlib.h>

static char *line;
static size_t line_bytes;

static FILE *begin(void)
{
    FILE *f = open_memstream(&line, &line_bytes);

    assert_non_null(f);
    return f;
}

static void expect(FILE *f, const char *want)
{
    fclose(f);
    assert_string_equal(line, want);
    free(line);
}

TEST(an_event_is_one_object_on_one_line)
{
    struct json j;
    FILE *f = begin();

    json_event(&j, f, "reply", 1500000001);
    json_number(&j, "n", UINT64_MAX);
    json_bool(&j, "b", false);
    json_seconds(&j, "s", 7);
    json_end(&j);
    expect(f, "{\"event\":\"reply\",\"time\":1.500000001,\"n\":18446744073709551615,"
              "\"b\":false,\"s\":0.000000007}\n");
}

TEST(objects_nest_and_may_be_empty)
{
    struct json j;
    FILE *f = begin();

    json_event(&j, f, "e", 0);
    json_object(&j, "a");
    json_number(&j, "x", 1);
    json_number(&j, "y", 2);
    json_object_end(&j);
    json_object(&j, "b");
    json_object_end(&j);
    json_number(&j, "z", 3);
    json_end(&j);
    expect(f, "{\"event\":\"e\",\"time\":0.000000000,\"a\":{\"x\":1,\"y\":2},\"b\":{},\"z\":3}\n");
}

TEST(whatever_a_client_sends_stays_inside_its_string)
{
    struct json j;
    FILE *f = begin();

    json_event(&j, f, "e", 0);
    json_text(&j, "t", "a\"b\\c\nd\x01\x7f\xc3");
    json_end(&j);
    expect(f, "{\"event\":\"e\",\"time\":0.000000000,"
              "\"t\":\"a\\\"b\\\\c\\u000ad\\u0001\\u007f\\u00c3\"}\n");
}

TEST_MAIN
