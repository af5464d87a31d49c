/* SPDX-License-Identifier: MIT */
/* The wire in memory: order, fullness, and lending. */
#include "test.h"

#include <lastack/runtime.h>

#include <errno.h>

#define MTU 64
#define SLOTS 4

static struct la_rt_driver *ends[2];

static void begin(void)
{
    assert_int_equal(la_rt_memory_pair(MTU, SLOTS, ends), 0);
    assert_int_equal(ends[0]->mtu_bytes, MTU);
    assert_int_equal(ends[0]->fd, -1);
}

static void end(void)
{
    la_rt_driver_close(ends[0]);
    la_rt_driver_close(ends[1]);
}

/* One packet: a header byte, then a span of @len - 1 equal bytes. */
static int send(struct la_rt_driver *d, uint8_t mark, uint32_t len)
{
    static uint8_t bytes[128];
    struct la_tx tx = { .len_bytes = len, .header_len = 1, .span_count = 1 };

    memset(bytes, mark, sizeof bytes);
    tx.header[0] = mark;
    tx.spans[0] = (struct la_cspan){ bytes, len - 1 };
    return d->send(d->self, &tx);
}

TEST(packets_arrive_in_order_and_whole)
{
    struct la_frame frames[SLOTS];

    begin();
    assert_int_equal(send(ends[0], 'a', 10), 1);
    assert_int_equal(send(ends[0], 'b', MTU), 1);
    assert_int_equal(ends[1]->receive(ends[1]->self, frames, SLOTS), 2);
    assert_int_equal(frames[0].len_bytes, 10);
    assert_int_equal(frames[1].len_bytes, MTU);
    for (uint32_t i = 0; i < MTU; i++)
        assert_int_equal(frames[1].bytes[i], 'b');
    assert_int_equal(ends[1]->receive(ends[1]->self, frames, SLOTS), 0);
    end();
}

TEST(the_two_directions_do_not_meet)
{
    struct la_frame frames[SLOTS];

    begin();
    assert_int_equal(send(ends[0], 'a', 10), 1);
    assert_int_equal(ends[0]->receive(ends[0]->self, frames, SLOTS), 0);
    assert_int_equal(send(ends[1], 'b', 11), 1);
    assert_int_equal(ends[0]->receive(ends[0]->self, frames, SLOTS), 1);
    assert_int_equal(frames[0].bytes[0], 'b');
    assert_int_equal(ends[1]->receive(ends[1]->self, frames, SLOTS), 1);
    assert_int_equal(frames[0].bytes[0], 'a');
    end();
}

TEST(a_full_wire_says_so_and_loses_nothing)
{
    struct la_frame frames[SLOTS];

    begin();
    for (uint32_t i = 0; i < SLOTS; i++)
        assert_int_equal(send(ends[0], (uint8_t)('a' + i), 10), 1);
    assert_int_equal(send(ends[0], 'x', 10), 0);
    /* What is lent still occupies its slots. */
    assert_int_equal(ends[1]->receive(ends[1]->self, frames, 2), 2);
    assert_int_equal(send(ends[0], 'x', 10), 0);
    assert_int_equal(frames[1].bytes[9], 'b');
    /* The next call gives them back. */
    assert_int_equal(ends[1]->receive(ends[1]->self, frames, 1), 1);
    assert_int_equal(frames[0].bytes[0], 'c');
    assert_int_equal(send(ends[0], 'x', 10), 1);
    assert_int_equal(send(ends[0], 'y', 10), 1);
    assert_int_equal(send(ends[0], 'z', 10), 0);
    assert_int_equal(ends[1]->receive(ends[1]->self, frames, SLOTS), 3);
    assert_int_equal(frames[2].bytes[0], 'y');
    end();
}

TEST(the_ring_wraps_many_times)
{
    struct la_frame frame;

    begin();
    for (uint32_t i = 0; i < 1000; i++) {
        assert_int_equal(send(ends[0], (uint8_t)i, 1 + i % MTU), 1);
        assert_int_equal(ends[1]->receive(ends[1]->self, &frame, 1), 1);
        assert_int_equal(frame.bytes[0], (uint8_t)i);
        assert_int_equal(frame.len_bytes, 1 + i % MTU);
    }
    end();
}

TEST(what_is_larger_than_the_mtu_is_lost_and_said_so)
{
    begin();
    assert_int_equal(send(ends[0], 'a', MTU + 1), -EMSGSIZE);
    end();
}

TEST(one_end_may_be_closed_before_the_other)
{
    begin();
    assert_int_equal(send(ends[0], 'a', 10), 1);
    la_rt_driver_close(ends[1]);
    assert_int_equal(send(ends[0], 'b', 10), 1);
    la_rt_driver_close(ends[0]);
    la_rt_driver_close(NULL);
}

TEST(sizes_that_make_no_ring_are_refused)
{
    assert_int_equal(la_rt_memory_pair(0, SLOTS, ends), -EINVAL);
    assert_int_equal(la_rt_memory_pair(MTU, 0, ends), -EINVAL);
    assert_int_equal(la_rt_memory_pair(MTU, 3, ends), -EINVAL);
}

TEST_MAIN
