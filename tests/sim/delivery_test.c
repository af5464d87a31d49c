/* SPDX-License-Identifier: MIT */
/* delivery_test.c - The delivery checker sees what it is there to see. */
#include "tests/unit/test.h"

#include "sim/check/check.h"

struct bench {
    struct sim_world w;
    struct sim_flow flow;
    struct sim_app *reader;
    uint8_t bytes[100];
};

/* End 0 has written a hundred bytes; end 1 reads. */
static void begin(struct bench *b)
{
    memset(b, 0, sizeof *b);
    sim_world_init(&b->w, 1, NULL);
    b->flow.w = &b->w;
    b->flow.app[0].flow = b->flow.app[1].flow = &b->flow;
    b->flow.app[1].side = 1;
    b->flow.app[0].sent = b->flow.app[0].opt.send_bytes = 100;
    b->reader = &b->flow.app[1];
    for (unsigned i = 0; i < 100; i++)
        b->bytes[i] = sim_pattern(0, 0, i);
}

static void says(const struct bench *b, const char *words)
{
    assert_true(b->w.failed);
    assert_non_null(strstr(b->w.message, words));
}

TEST(the_right_bytes_then_eof_are_fine)
{
    struct bench b;

    begin(&b);
    sim_check_bytes(b.reader, b.bytes, 60);
    sim_check_bytes(b.reader, b.bytes + 60, 40);
    b.flow.app[0].shut = true;
    sim_check_end(b.reader, SIM_END_EOF);

    assert_false(b.w.failed);
}

TEST(a_changed_byte_is_seen)
{
    struct bench b;

    begin(&b);
    b.bytes[41] ^= 1;
    sim_check_bytes(b.reader, b.bytes, 100);

    says(&b, "byte 41");
}

TEST(a_byte_left_out_is_seen)
{
    struct bench b;

    begin(&b);
    sim_check_bytes(b.reader, b.bytes, 10);
    sim_check_bytes(b.reader, b.bytes + 11, 80);

    says(&b, "is not the byte");
}

TEST(bytes_delivered_twice_are_seen)
{
    struct bench b;

    begin(&b);
    sim_check_bytes(b.reader, b.bytes, 50);
    sim_check_bytes(b.reader, b.bytes, 50);

    says(&b, "is not the byte");
}

TEST(more_than_was_written_is_seen)
{
    struct bench b;

    begin(&b);
    b.flow.app[0].sent = 99;
    sim_check_bytes(b.reader, b.bytes, 100);

    says(&b, "only 99 were written");
}

TEST(eof_before_the_last_byte_is_seen)
{
    struct bench b;

    begin(&b);
    sim_check_bytes(b.reader, b.bytes, 99);
    b.flow.app[0].shut = true;
    sim_check_end(b.reader, SIM_END_EOF);

    says(&b, "EOF after 99 of 100");
}

TEST(eof_that_nobody_sent_is_seen)
{
    struct bench b;

    begin(&b);
    sim_check_bytes(b.reader, b.bytes, 100);
    sim_check_end(b.reader, SIM_END_EOF);

    says(&b, "has not closed");
}

TEST(eof_twice_is_seen)
{
    struct bench b;

    begin(&b);
    sim_check_bytes(b.reader, b.bytes, 100);
    b.flow.app[0].shut = true;
    b.reader->end = SIM_END_EOF;
    sim_check_end(b.reader, SIM_END_EOF);

    says(&b, "told twice");
}

TEST(an_error_after_eof_is_seen_unless_it_was_provoked)
{
    struct bench b;

    begin(&b);
    b.reader->end = SIM_END_EOF;
    b.reader->error = LA_ECONNRESET;
    b.flow.opt.may_fail = true;
    sim_check_end(b.reader, SIM_END_ERROR);
    assert_false(b.w.failed);

    b.flow.opt.may_fail = false;
    sim_check_end(b.reader, SIM_END_ERROR);
    says(&b, "EOF, then an error");
}

TEST(patterns_of_flows_and_sides_differ)
{
    unsigned equal = 0;

    for (uint64_t i = 0; i < 10000; i++)
        equal += (unsigned)(sim_pattern(0, 0, i) == sim_pattern(0, 1, i)) +
                 (unsigned)(sim_pattern(0, 0, i) == sim_pattern(1, 0, i)) +
                 (unsigned)(sim_pattern(0, 0, i) == sim_pattern(0, 0, i + 1));

    assert_in_range(equal, 60, 180); /* one of 256 by chance: 117 */
}

TEST_MAIN
