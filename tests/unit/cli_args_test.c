/* SPDX-License-Identifier: MIT */
/* Options of the command line: what is taken, what is refused. */
#include "test.h"

#include "cli/args.h"

struct common {
    const char *other;
};

struct command {
    bool flag;
    uint16_t port;
    uint64_t number, size;
    const char *text, *first, *second;
    struct common common;
    char seen[64]; /* what the functions were given */
};

static int take(void *to, const struct args_option *o, const char *value)
{
    struct command *c = to;
    const size_t len = strlen(c->seen);

    snprintf(c->seen + len, sizeof c->seen - len, "%s=%s ", o->name, value);
    return strcmp(value, "bad") == 0 ? CLI_FAILED : CLI_OK;
}

static int take_operand(void *to, const char *value)
{
    struct command *c = to;
    const size_t len = strlen(c->seen);

    snprintf(c->seen + len, sizeof c->seen - len, "%s ", value);
    return CLI_OK;
}

static int check(void *to)
{
    const struct command *c = to;

    return c->number == 13 ? CLI_USAGE : CLI_OK;
}

static const struct args_option own[] = {
    ARGS_FLAG('f', "flag", struct command, flag, "a flag"),
    ARGS_NUMBER('n', "number", "N", "5", 1, 20, struct command, number, "a number"),
    ARGS_SIZE(0, "size", "BYTES", "2k", 0, UINT64_MAX, struct command, size, "a size"),
    ARGS_PORT('p', "port", "N", "80", struct command, port, "a port"),
    ARGS_TEXT('t', "text", "WORD", NULL, struct command, text, "a word"),
    ARGS_OWN('o', "own", "X", NULL, take, "of its own"),
};
static const struct args_option shared[] = {
    ARGS_TEXT(0, "other", "X", "standard", struct common, other, "of the second table"),
};
static const struct args_operand two[] = {
    ARGS_OPERAND("first", struct command, first),
    ARGS_OPERAND_OPTIONAL("second", struct command, second),
};
static const struct args_operand many[] = { ARGS_OPERANDS("words", take_operand) };

static struct args_command command = {
    .name = "test",
    .usage = { "[OPTION]... FIRST [SECOND]" },
    .about = "A test.\n",
    .options = { ARGS_LIST(own) },
    .common = { ARGS_LIST(shared) },
    .common_at = offsetof(struct command, common),
    .operands = { ARGS_LIST(two) },
    .check = check,
    .examples = "    lastack test\n",
};

#define WORDS_MAX 8
static struct command got;

/* Parse words; the result is in @got. */
static int parse(int count, const char *const *words)
{
    static char storage[WORDS_MAX][40];
    char *argv[WORDS_MAX + 1];

    memset(&got, 0, sizeof got);
    for (int i = 0; i < count; i++) {
        snprintf(storage[i], sizeof storage[0], "%s", words[i]);
        argv[i + 1] = storage[i];
    }
    return args_parse(&command, &got, count + 1, argv);
}

#define PARSE(...)                                                                                 \
    parse((int)(sizeof(const char *[]){ __VA_ARGS__ } / sizeof(char *)),                           \
          (const char *const[]){ __VA_ARGS__ })
#define GO_ON (-1)

TEST(a_value_may_follow_or_be_joined)
{
    assert_int_equal(PARSE("--number", "7", "x"), GO_ON);
    assert_true(got.number == 7);
    assert_int_equal(PARSE("--number=8", "x"), GO_ON);
    assert_true(got.number == 8);
    assert_int_equal(PARSE("-n", "9", "x"), GO_ON);
    assert_true(got.number == 9);
    assert_int_equal(PARSE("-n10", "x"), GO_ON);
    assert_true(got.number == 10);
    assert_int_equal(PARSE("--text=", "x"), GO_ON);
    assert_string_equal(got.text, "");
}

TEST(what_is_not_said_has_the_default_that_help_prints)
{
    assert_int_equal(PARSE("x"), GO_ON);
    assert_false(got.flag);
    assert_true(got.number == 5);
    assert_true(got.size == 2048);
    assert_int_equal(got.port, 80);
    assert_null(got.text);
    assert_string_equal(got.common.other, "standard");
}

TEST(both_tables_fill_in_their_structures)
{
    assert_int_equal(PARSE("--flag", "--other", "y", "--size=3M", "-p", "8080", "word"), GO_ON);
    assert_true(got.flag);
    assert_string_equal(got.common.other, "y");
    assert_true(got.size == 3u << 20);
    assert_int_equal(got.port, 8080);
    assert_string_equal(got.first, "word");
    assert_null(got.second);
}

TEST(an_option_of_its_own_is_taken_by_the_command)
{
    assert_int_equal(PARSE("-o1", "--own", "2", "x"), GO_ON);
    assert_string_equal(got.seen, "own=1 own=2 ");
    assert_int_equal(PARSE("-obad", "x"), CLI_FAILED);
}

TEST(two_dashes_end_the_options)
{
    assert_int_equal(PARSE("-f", "--", "--flag", "-v"), GO_ON);
    assert_string_equal(got.first, "--flag");
    assert_string_equal(got.second, "-v");
    assert_int_equal(PARSE("x", "--"), GO_ON);
    assert_int_equal(PARSE("--", "--help"), GO_ON);
}

TEST(a_single_dash_is_an_operand)
{
    assert_int_equal(PARSE("-"), GO_ON);
    assert_string_equal(got.first, "-");
}

TEST(operands_are_neither_missing_nor_too_many)
{
    assert_int_equal(PARSE("-f"), CLI_USAGE);
    assert_int_equal(PARSE("a", "b"), GO_ON);
    assert_int_equal(PARSE("a", "b", "c"), CLI_USAGE);
}

TEST(a_list_of_operands_has_no_end_and_a_beginning)
{
    command.operands = (struct args_operands){ ARGS_LIST(many) };
    assert_int_equal(PARSE("a", "-f", "b", "c"), GO_ON);
    assert_string_equal(got.seen, "a b c ");
    assert_int_equal(PARSE("-f"), CLI_USAGE);
    command.operands = (struct args_operands){ ARGS_LIST(two) };
}

TEST(a_command_without_operands_takes_none)
{
    command.operands = (struct args_operands){ NULL, 0 };
    assert_int_equal(PARSE("-f"), GO_ON);
    assert_int_equal(PARSE("a"), CLI_USAGE);
    command.operands = (struct args_operands){ ARGS_LIST(two) };
}

TEST(what_is_not_in_a_table_is_wrong)
{
    assert_int_equal(PARSE("--flags", "x"), CLI_USAGE);
    assert_int_equal(PARSE("--fla", "x"), CLI_USAGE);
    assert_int_equal(PARSE("-x", "x"), CLI_USAGE);
    assert_int_equal(PARSE("--=3", "x"), CLI_USAGE);
}

TEST(a_missing_or_unwanted_value_is_wrong)
{
    assert_int_equal(PARSE("x", "--number"), CLI_USAGE);
    assert_int_equal(PARSE("x", "-n"), CLI_USAGE);
    assert_int_equal(PARSE("x", "--flag=1"), CLI_USAGE);
    assert_int_equal(PARSE("x", "-f1"), CLI_USAGE);
}

TEST(a_value_out_of_bounds_is_wrong)
{
    assert_int_equal(PARSE("x", "-n0"), CLI_USAGE);
    assert_int_equal(PARSE("x", "-n21"), CLI_USAGE);
    assert_int_equal(PARSE("x", "-p0"), CLI_USAGE);
    assert_int_equal(PARSE("x", "-p65536"), CLI_USAGE);
    assert_int_equal(PARSE("x", "--size=1T"), CLI_USAGE);
}

TEST(the_command_has_the_last_word)
{
    assert_int_equal(PARSE("x", "-n13"), CLI_USAGE);
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
