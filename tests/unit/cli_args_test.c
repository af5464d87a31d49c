/* SPDX-License-Identifier: MIT */
/* Options of the command line: what is taken, what is refused. */
#include "test.h"

#include "cli/args.h"

enum { ID_FLAG = 1, ID_VALUE, ID_OTHER };

static const struct args_option own[] = {
    { ID_FLAG, 'f', "flag", NULL, "a flag" },
    { ID_VALUE, 'v', "value", "N", "a value" },
};
static const struct args_option common[] = {
    { ID_OTHER, 0, "other", "X", "of the second table" },
};

#define WORDS_MAX 8

/* Parse words; write "id=value " for each step to @out. */
static void parse(char *out, size_t room, int count, const char *const *words)
{
    char storage[WORDS_MAX][32];
    char *argv[WORDS_MAX + 1];
    size_t len = 0;
    const char *value;
    int id;

    for (int i = 0; i < count; i++) {
        snprintf(storage[i + 1], sizeof storage[0], "%s", words[i]);
        argv[i + 1] = storage[i + 1];
    }
    struct args a = { .command = "test",
                      .tables = { own, common },
                      .counts = { 2, 1 },
                      .argc = count + 1,
                      .argv = argv,
                      .at = 1 };
    out[0] = '\0';
    do {
        id = args_next(&a, &value);
        len += (size_t)snprintf(out + len, room - len, "%d%s%s ", id, value ? "=" : "",
                                value ? value : "");
    } while (id != ARGS_END && id != ARGS_WRONG);
}

#define EXPECT(want, ...)                                                                          \
    do {                                                                                           \
        const char *const words[] = { __VA_ARGS__ };                                               \
        char got[256];                                                                             \
        parse(got, sizeof got, (int)(sizeof words / sizeof words[0]), words);                      \
        assert_string_equal(got, want);                                                            \
    } while (0)

TEST(a_value_may_follow_or_be_joined)
{
    EXPECT("2=5 0 ", "--value", "5");
    EXPECT("2=5 0 ", "--value=5");
    EXPECT("2=5 0 ", "-v", "5");
    EXPECT("2=5 0 ", "-v5");
    EXPECT("2= 0 ", "--value=");
}

TEST(both_tables_are_searched)
{
    EXPECT("1 3=y -1=word 0 ", "--flag", "--other", "y", "word");
}

TEST(two_dashes_end_the_options)
{
    EXPECT("1 -1=--flag -1=-v 0 ", "-f", "--", "--flag", "-v");
    EXPECT("0 ", "--");
}

TEST(a_single_dash_is_an_operand)
{
    EXPECT("-1=- 0 ", "-");
}

TEST(what_is_not_in_a_table_is_wrong)
{
    EXPECT("-2 ", "--flags");
    EXPECT("-2 ", "--fla");
    EXPECT("-2 ", "-x");
    EXPECT("-2 ", "--=3");
}

TEST(a_missing_or_unwanted_value_is_wrong)
{
    EXPECT("-2 ", "--value");
    EXPECT("-2 ", "-v");
    EXPECT("-2 ", "--flag=1");
    EXPECT("-2 ", "-f1");
}

TEST(numbers_are_whole_decimal_and_within_bounds)
{
    uint64_t v = 99;

    assert_true(args_number("0", 0, 10, &v) && v == 0);
    assert_true(args_number("18446744073709551609", 0, UINT64_MAX, &v));
    assert_true(v == UINT64_C(18446744073709551609));
    v = 99;
    assert_false(args_number("", 0, 10, &v));
    assert_false(args_number("-1", 0, 10, &v));
    assert_false(args_number("1x", 0, 10, &v));
    assert_false(args_number(" 1", 0, 10, &v));
    assert_false(args_number("11", 0, 10, &v));
    assert_false(args_number("0", 1, 10, &v));
    assert_false(args_number("99999999999999999999999", 0, UINT64_MAX, &v));
    assert_int_equal(v, 99);
}

TEST(sizes_take_a_suffix_and_do_not_overflow)
{
    uint64_t v = 0;

    assert_true(args_size("7", 0, 100, &v) && v == 7);
    assert_true(args_size("2k", 0, UINT64_MAX, &v) && v == 2048);
    assert_true(args_size("3M", 0, UINT64_MAX, &v) && v == 3u << 20);
    assert_true(args_size("1G", 0, UINT64_MAX, &v) && v == 1u << 30);
    assert_false(args_size("k", 0, UINT64_MAX, &v));
    assert_false(args_size("1K", 0, UINT64_MAX, &v));
    assert_false(args_size("99999999999G", 0, UINT64_MAX, &v));
    assert_false(args_size("2k", 0, 2047, &v));
}

TEST_MAIN
