/* SPDX-License-Identifier: MIT */
/*
 * wheel_work_test.c - The wheel in portions: calls that may look at so many nodes and no more.
 */
#include "tests/unit/base_test.h"

#include "core/base/wheel.h"

#define NODES 3000u
#define STRIDE 16u
#define YEAR (UINT64_C(365) * 24 * 3600 * NS_PER_S)

static struct wheel wheel;
static uint8_t *arena;

static la_time ns(uint64_t t)
{
    return (la_time){ t };
}

static void setup(void)
{
    arena = arena_map(NODES * STRIDE);
    wheel_init(&wheel, 0, STRIDE, ns(0));
    for (uint32_t i = 0; i < NODES; i++)
        wheel_node_init(wheel_node(&wheel, arena, i));
}

static void teardown(void)
{
    assert_sound(wheel_check(&wheel, arena));
    arena_unmap(arena, NODES * STRIDE);
}

static void move(uint32_t i, uint64_t at)
{
    wheel_move(&wheel, arena, i, ns(at));
}

static uint32_t pop(uint64_t now)
{
    uint32_t work = UINT32_MAX;

    return wheel_pop(&wheel, arena, ns(now), &work);
}

static uint64_t deadline(void)
{
    return wheel_deadline(&wheel, arena).ns;
}

/* Calls of so much work fire all nodes at @now.  @fired: in this order. */
static void fire_all(uint64_t now, uint32_t most, uint32_t fired[NODES])
{
    uint32_t calls = 0, n = 0;

    while (wheel.armed > 0) {
        uint32_t work = most;
        const uint32_t i = wheel_pop(&wheel, arena, ns(now), &work);

        assert_in_range(work, 0, most); /* it did no more */
        if (i != WHEEL_NONE)
            fired[n++] = i;
        else
            assert_int_equal(work, 0);
        assert_true(wheel.armed == 0 || deadline() <= now); /* so it is called again */
        assert_in_range(++calls, 1, 3 * NODES);
    }
    assert_int_equal(n, NODES);
}

TEST(a_call_looks_at_no_more_nodes_than_it_may_and_the_next_one_goes_on)
{
    static uint32_t fired[NODES];
    setup();
    for (uint32_t i = 0; i < NODES; i++) /* one slot of a high level, a thousand ticks in it */
        move(i, (UINT64_C(3) << 34) + (uint64_t)(i % 1000) * 100000);
    fire_all(UINT64_C(4) << 34, 100, fired);
    for (uint32_t i = 0; i < NODES; i++)
        assert_int_equal(fired[i], i / 3 + i % 3 * 1000);
    teardown();
}

/* However they stand in the tick: a batch that is full is not filled up again, node by node. */
TEST(of_thousands_in_one_tick_each_batch_fires_by_index)
{
    static const uint32_t steps[] = { 7, 1, NODES - 1 };
    static uint32_t fired[NODES];
    for (uint32_t k = 0; k < 3; k++) {
        uint32_t descents = 0;
        setup();
        for (uint32_t i = 0; i < NODES; i++)
            move(i * steps[k] % NODES, (UINT64_C(3) << 34) + i);
        fire_all(UINT64_C(4) << 34, 100, fired);
        for (uint32_t i = 1; i < NODES; i++)
            descents += fired[i] < fired[i - 1];
        assert_in_range(descents, 0, (NODES - 1) / WHEEL_BATCH);
        teardown();
    }
}

TEST(a_node_that_was_passed_too_early_fires_although_nothing_behind_it_is_due)
{
    uint32_t work = 2;
    setup();
    move(1, 60);
    move(2, 25); /* each stands in front of the one before */
    move(3, 10);
    assert_int_equal(wheel_pop(&wheel, arena, ns(10), &work), WHEEL_NONE); /* 1 was not seen */
    move(3, UINT64_MAX);
    work = 9;
    assert_int_equal(wheel_pop(&wheel, arena, ns(30), &work), 2);
    assert_int_equal(wheel_pop(&wheel, arena, ns(30), &work), WHEEL_NONE);
    assert_int_equal(deadline(), 60);
    teardown();
}

TEST(a_node_can_be_moved_while_its_slot_is)
{
    uint32_t work = 5;
    setup();
    for (uint32_t i = 0; i < 20; i++)
        move(i, (UINT64_C(3) << 34) + i);
    assert_int_equal(wheel_pop(&wheel, arena, ns(UINT64_C(4) << 34), &work), WHEEL_NONE);
    assert_true(wheel.moving != WHEEL_NONE);
    move(wheel.moving, UINT64_MAX); /* the first of those that still wait */
    move(0, UINT64_MAX);            /* the last */
    move(7, YEAR);
    move(30, 5); /* in the past: of the tick that was entered */
    assert_sound(wheel_check(&wheel, arena));
    for (uint32_t i = 1; i < 20; i++)
        if (i != 7 && i != 14)
            assert_int_equal(pop(UINT64_C(4) << 34), i);
    assert_int_equal(pop(UINT64_C(4) << 34), 30);
    assert_int_equal(pop(UINT64_C(4) << 34), WHEEL_NONE);
    assert_int_equal(pop(YEAR), 7);
    teardown();
}

TEST_MAIN
