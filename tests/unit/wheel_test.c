/* SPDX-License-Identifier: MIT */
/*
 * wheel_test.c - The wheel against a binary heap with the same key, (tick, index).
 *
 * The heap's owner keeps the rule of wheel.h for times that are past: such a node belongs
 * to the tick that is being fired.
 */
#include "tests/unit/base_test.h"

#include "core/base/wheel.h"

#define NODES 3000u
#define STRIDE 40u
#define BASE 64u
#define YEAR (UINT64_C(365) * 24 * 3600 * NS_PER_S)

static struct wheel wheel;
static uint8_t *arena;
static size_t arena_bytes;

static struct wheel_node *node(uint32_t i)
{
    return (struct wheel_node *)(void *)(arena + BASE + (size_t)i * STRIDE);
}

static la_time ns(uint64_t t)
{
    return (la_time){ t };
}

static void setup(uint64_t now)
{
    arena_bytes = (BASE + (size_t)NODES * STRIDE + 4095) & ~(size_t)4095;
    arena = arena_map(arena_bytes);
    wheel_init(&wheel, BASE, STRIDE, ns(now));
    for (uint32_t i = 0; i < NODES; i++)
        wheel_node_init(node(i));
    assert_sound(wheel_check(&wheel, arena));
}

static void teardown(void)
{
    arena_unmap(arena, arena_bytes);
}

/* Work that one call may do; what is due fires after as many calls as that takes. */
static uint32_t portion = UINT32_MAX;

static void move(uint32_t i, uint64_t at)
{
    wheel_move(&wheel, arena, i, ns(at));
}
static uint32_t pop(uint64_t now)
{
    uint32_t i, work;

    do {
        work = portion;
        i = wheel_pop(&wheel, arena, ns(now), &work);
        if (i == WHEEL_NONE && work == 0 && wheel.armed > 0)
            assert_sound(wheel_check(&wheel, arena));
    } while (i == WHEEL_NONE && work == 0);
    return i;
}
static uint64_t deadline(void)
{
    return wheel_deadline(&wheel, arena).ns;
}

/* The oracle ------------------------------------------------------------------- */

static struct {
    uint64_t tick; /* as the wheel's */
    uint32_t count;
    uint32_t heap[NODES]; /* nodes, the least key first */
    uint32_t place[NODES];
    uint64_t at[NODES];
    uint64_t key[NODES]; /* tick */
    bool armed[NODES];
} o;

static bool before(uint32_t a, uint32_t b)
{
    return o.key[a] != o.key[b] ? o.key[a] < o.key[b] : a < b;
}
static void put(uint32_t place, uint32_t i)
{
    o.heap[place] = i;
    o.place[i] = place;
}
static void sift(uint32_t place)
{
    const uint32_t i = o.heap[place];
    while (place > 0 && before(i, o.heap[(place - 1) / 2])) {
        put(place, o.heap[(place - 1) / 2]);
        place = (place - 1) / 2;
    }
    for (uint32_t child = 2 * place + 1; child < o.count; child = 2 * place + 1) {
        if (child + 1 < o.count && before(o.heap[child + 1], o.heap[child]))
            child++;
        if (!before(o.heap[child], i))
            break;
        put(place, o.heap[child]);
        place = child;
    }
    put(place, i);
}
static void oracle_disarm(uint32_t i)
{
    if (!o.armed[i])
        return;
    const uint32_t place = o.place[i];
    o.armed[i] = false;
    o.count--;
    if (place < o.count) {
        put(place, o.heap[o.count]);
        sift(place);
    }
}
static void oracle_move(uint32_t i, uint64_t at)
{
    if (o.armed[i] && o.at[i] == at)
        return;
    oracle_disarm(i);
    o.at[i] = at;
    if (at == UINT64_MAX)
        return;
    o.key[i] = at >> WHEEL_TICK_SHIFT > o.tick ? at >> WHEEL_TICK_SHIFT : o.tick;
    o.armed[i] = true;
    put(o.count++, i);
    sift(o.count - 1);
}
static uint32_t oracle_pop(uint64_t now)
{
    uint32_t i = o.count > 0 ? o.heap[0] : WHEEL_NONE;
    if (i != WHEEL_NONE && o.at[i] > now) { /* perhaps another of the same tick */
        i = WHEEL_NONE;
        for (uint32_t n = 0; n < NODES && i == WHEEL_NONE; n++)
            if (o.armed[n] && o.at[n] <= now)
                i = n;
    }
    if (i == WHEEL_NONE) {
        o.tick = now >> WHEEL_TICK_SHIFT > o.tick ? now >> WHEEL_TICK_SHIFT : o.tick;
    } else {
        o.tick = o.key[i];
        oracle_disarm(i);
    }
    return i;
}
static uint64_t oracle_soonest(void)
{
    uint64_t soonest = UINT64_MAX;
    for (uint32_t k = 0; k < o.count; k++)
        if (o.at[o.heap[k]] < soonest)
            soonest = o.at[o.heap[k]];
    return soonest;
}

/* By hand ---------------------------------------------------------------------- */

TEST(an_empty_wheel_fires_nothing_and_has_no_deadline)
{
    setup(12345);
    assert_int_equal(deadline(), UINT64_MAX);
    assert_int_equal(pop(12345), WHEEL_NONE);
    assert_int_equal(pop(100 * YEAR), WHEEL_NONE);
    assert_int_equal(deadline(), UINT64_MAX);
    teardown();
}

TEST(a_node_fires_at_its_nanosecond_and_not_one_before)
{
    static const uint64_t times[] = { 1,        1000,       65535,      65536,         65537,
                                      5000000,  1 << 22,    123456789,  1ull << 28,    1ull << 34,
                                      2 * YEAR, 1ull << 58, 1ull << 63, UINT64_MAX - 1 };
    for (uint32_t k = 0; k < LA_COUNT_OF(times); k++) {
        setup(0);
        move(7, times[k]);
        assert_true(deadline() <= times[k]);
        assert_int_equal(pop(times[k] - 1), WHEEL_NONE);
        assert_sound(wheel_check(&wheel, arena));
        assert_true(deadline() <= times[k]);
        assert_int_equal(pop(times[k]), 7);
        assert_false(wheel_armed(node(7)));
        assert_int_equal(node(7)->at.ns, times[k]);
        assert_int_equal(pop(times[k]), WHEEL_NONE);
        assert_int_equal(wheel.armed, 0);
        teardown();
    }
}

TEST(waking_at_each_deadline_comes_to_the_exact_time_in_a_few_steps)
{
    uint64_t seed = 1;
    for (uint32_t n = 0; n < 2000; n++) {
        const uint64_t now = rng_next(&seed) >> (1 + rng_below(&seed, 40));
        const uint64_t at = now + (rng_next(&seed) >> (1 + rng_below(&seed, 63)));
        setup(now);
        move(3, at);
        uint32_t steps = 0;
        uint64_t t = deadline();
        while (t < at) {
            assert_int_equal(pop(t), WHEEL_NONE);
            assert_true(deadline() > t);
            t = deadline();
            assert_in_range(++steps, 1, WHEEL_LEVELS);
        }
        assert_int_equal(t, at);
        assert_int_equal(pop(t), 3);
        teardown();
    }
}

TEST(nodes_of_one_tick_fire_by_index_and_ticks_in_order)
{
    setup(0);
    move(9, 70000);
    move(4, 70001);
    move(6, 70002);
    move(1, 140000);
    move(8, 100);
    assert_int_equal(pop(200000), 8);
    assert_int_equal(pop(200000), 4);
    assert_int_equal(pop(200000), 6);
    assert_int_equal(pop(200000), 9);
    assert_int_equal(pop(200000), 1);
    assert_int_equal(pop(200000), WHEEL_NONE);
    teardown();
}

TEST(what_falls_due_together_is_known_one_ahead)
{
    setup(0);
    for (uint32_t i = 0; i < 5; i++)
        move(i * 7, 1000000 + i);
    move(1, 5000000);
    assert_int_equal(wheel_next_due(&wheel), WHEEL_NONE);
    uint32_t next = pop(2000000);
    for (uint32_t i = 0; i < 4; i++) {
        assert_int_equal(next, i * 7);
        next = wheel_next_due(&wheel);
        assert_int_equal(pop(2000000), next);
    }
    assert_int_equal(wheel_next_due(&wheel), WHEEL_NONE);
    assert_int_equal(pop(2000000), WHEEL_NONE);
    teardown();
}

TEST(within_the_current_tick_the_deadline_is_exact_and_only_what_is_due_fires)
{
    setup(0);
    move(1, 300);
    move(2, 200);
    move(3, 100);
    assert_int_equal(deadline(), 100);
    assert_int_equal(pop(99), WHEEL_NONE);
    assert_int_equal(pop(250), 2);
    assert_int_equal(pop(250), 3);
    assert_int_equal(pop(250), WHEEL_NONE);
    assert_int_equal(deadline(), 300);
    move(4, 280);
    move(5, 290);
    assert_int_equal(deadline(), 280);
    move(4, UINT64_MAX);
    assert_int_equal(deadline(), 290);
    assert_int_equal(pop(300), 1);
    assert_int_equal(pop(300), 5);
    teardown();
}

TEST(a_time_in_the_past_fires_at_the_next_call)
{
    setup(10 * NS_PER_S);
    move(5, 3);
    move(2, 9 * NS_PER_S);
    assert_int_equal(deadline(), 3);
    assert_int_equal(pop(10 * NS_PER_S), 2);
    assert_int_equal(pop(10 * NS_PER_S), 5);
    assert_int_equal(pop(10 * NS_PER_S), WHEEL_NONE);
    teardown();
}

TEST(a_node_on_the_due_list_can_be_moved_or_disarmed)
{
    setup(0);
    for (uint32_t i = 0; i < 6; i++)
        move(i, 1000 + i);
    assert_int_equal(pop(5000), 0); /* the other five stand on the due list */
    move(1, UINT64_MAX);
    move(3, 400000);
    move(4, 1001); /* earlier, and still in this tick */
    assert_sound(wheel_check(&wheel, arena));
    assert_int_equal(pop(5000), 2);
    assert_int_equal(pop(5000), 4);
    assert_int_equal(pop(5000), 5);
    assert_int_equal(pop(5000), WHEEL_NONE);
    assert_int_equal(pop(400000), 3);
    assert_int_equal(wheel.armed, 0);
    teardown();
}

TEST(a_node_armed_again_while_its_tick_is_fired_takes_its_turn_by_index)
{
    setup(0);
    for (uint32_t i = 10; i < 20; i++)
        move(i, 500);
    assert_int_equal(pop(900), 10);
    move(15, 800);
    move(3, 700);
    move(10, 900);
    move(30, 5);
    assert_sound(wheel_check(&wheel, arena));
    assert_int_equal(pop(900), 3);
    for (uint32_t i = 10; i < 20; i++)
        assert_int_equal(pop(900), i);
    assert_int_equal(pop(900), 30);
    assert_int_equal(pop(900), WHEEL_NONE);
    teardown();
}

TEST(a_clock_that_jumps_a_century_fires_everything_in_order)
{
    setup(0);
    for (uint32_t i = 0; i < NODES; i++)
        move(i, (NODES - i) * (YEAR / 40));
    for (uint32_t i = 0; i < NODES; i++)
        assert_int_equal(pop(100 * YEAR), NODES - 1 - i);
    assert_int_equal(pop(100 * YEAR), WHEEL_NONE);
    teardown();
}

TEST(a_clock_that_goes_back_fires_nothing_early)
{
    setup(YEAR);
    move(1, YEAR + 10);
    assert_int_equal(pop(5), WHEEL_NONE);
    assert_int_equal(pop(YEAR + 9), WHEEL_NONE);
    assert_int_equal(pop(YEAR + 10), 1);
    teardown();
}

TEST(the_wheel_is_small_and_arming_touches_only_nodes)
{
    assert_in_range(sizeof(struct wheel), 1, 2304);
    setup(0);
    const size_t len = (size_t)8 << 30;
    uint8_t *const small = arena;
    arena = arena_map(len);
    wheel_init(&wheel, BASE, STRIDE, ns(0));
    assert_int_equal(arena_resident_pages(arena, 1u << 20), 0);
    wheel_node_init(node(0));
    move(0, YEAR);
    assert_int_equal(arena_resident_pages(arena, 1u << 20), 1);
    arena_unmap(arena, len);
    arena = small;
    teardown();
}

/* Against the oracle ----------------------------------------------------------- */

/* A step of any size from nothing to years, small ones often. */
static uint64_t some_ns(uint64_t *seed)
{
    const uint32_t kind = rng_below(seed, 32);
    if (kind < 4)
        return 0;
    if (kind < 10)
        return rng_below(seed, 65536);
    if (kind < 20)
        return (uint64_t)rng_below(seed, 64) << WHEEL_TICK_SHIFT;
    if (kind < 31)
        return rng_next(seed) >> (24 + rng_below(seed, 30));
    return rng_below(seed, 4) * YEAR + rng_next(seed) % YEAR;
}

static void random_move(uint64_t now, uint32_t nodes, uint64_t *seed)
{
    const uint32_t i = rng_below(seed, nodes);
    const uint32_t kind = rng_below(seed, 16);
    uint64_t at = now + some_ns(seed);
    if (kind == 0)
        at = UINT64_MAX;
    else if (kind == 1)
        at = now - rng_next(seed) % (now + 1);
    else if (kind == 2)
        at = UINT64_MAX - 1 - rng_below(seed, 3);
    else if (kind == 3)
        at = now & ~UINT64_C(0xffff);
    move(i, at);
    oracle_move(i, at);
}

/* Fire at most @budget nodes, arming others now and then as a handler would. */
static void random_fire(uint64_t now, uint32_t nodes, uint32_t budget, uint64_t *seed)
{
    for (uint32_t n = 0; n < budget; n++) {
        const uint32_t i = pop(now);
        assert_int_equal(i, oracle_pop(now));
        if (i == WHEEL_NONE) {
            assert_true(deadline() > now);
            return;
        }
        assert_false(wheel_armed(node(i)));
        assert_int_equal(node(i)->at.ns, o.at[i]);
        for (uint32_t again = rng_below(seed, 3); again > 0; again--)
            random_move(now, nodes, seed);
    }
}

static void compare_deadline(uint64_t now)
{
    const uint64_t soonest = oracle_soonest();
    if (soonest == UINT64_MAX)
        assert_int_equal(deadline(), UINT64_MAX);
    assert_true(deadline() <= soonest);
    if (wheel.due == WHEEL_NONE && soonest >> WHEEL_TICK_SHIFT <= wheel.tick)
        assert_int_equal(deadline(), soonest);
    if (wheel.due != WHEEL_NONE)
        assert_true(deadline() <= now);
}

static void against_the_oracle(uint32_t nodes, uint32_t moves, uint64_t seed)
{
    uint64_t now = seed % 5 * 40 * YEAR + rng_below(&seed, 1000000);
    memset(&o, 0, sizeof o);
    setup(now);
    o.tick = now >> WHEEL_TICK_SHIFT;
    for (uint32_t n = 0; n < moves; n++) {
        random_move(now, nodes, &seed);
        if (rng_below(&seed, 8) != 0)
            continue;
        const uint64_t next = deadline();
        now = rng_below(&seed, 2) == 0 && next > now && next < now + YEAR ? next
                                                                          : now + some_ns(&seed);
        if (now > 500 * YEAR)
            break;
        random_fire(now, nodes, rng_below(&seed, 64), &seed);
        if (rng_below(&seed, 64) == 0) {
            compare_deadline(now);
            assert_sound(wheel_check(&wheel, arena));
            assert_int_equal(wheel.armed, o.count);
        }
    }
    while (o.count > 0)
        assert_int_equal(pop(UINT64_MAX), oracle_pop(UINT64_MAX));
    assert_int_equal(pop(UINT64_MAX), WHEEL_NONE);
    assert_sound(wheel_check(&wheel, arena));
    teardown();
}

TEST(the_wheel_agrees_with_a_heap_on_few_nodes)
{
    for (uint64_t seed = 0; seed < 2000; seed++)
        against_the_oracle(1 + (uint32_t)seed % 40, 400, seed);
}

TEST(the_order_is_the_same_however_little_work_a_call_may_do)
{
    for (uint64_t seed = 0; seed < 500; seed++) {
        portion = 1 + (uint32_t)seed % 7;
        against_the_oracle(1 + (uint32_t)seed % 40, 400, seed);
    }
    portion = UINT32_MAX;
}

TEST(the_wheel_agrees_with_a_heap_on_many_nodes)
{
    for (uint64_t seed = 0; seed < 20; seed++)
        against_the_oracle(NODES, 20000, 10000 + seed);
}

/* What connections do: move the timer onwards again and again, let the clock creep. */
TEST(the_wheel_agrees_with_a_heap_when_timers_move_on_and_the_clock_creeps)
{
    uint64_t seed = 77;
    uint64_t now = 1000;
    memset(&o, 0, sizeof o);
    setup(now);
    for (uint32_t n = 0; n < 300000; n++) {
        const uint32_t i = rng_below(&seed, NODES);
        const uint64_t at = now + 200 * NS_PER_MS + rng_below(&seed, 20) * 40 * NS_PER_MS;
        move(i, at);
        oracle_move(i, at);
        now += rng_below(&seed, 200000);
        const uint32_t fired = pop(now);
        assert_int_equal(fired, oracle_pop(now));
        if (fired != WHEEL_NONE) {
            move(fired, now + 1000 * NS_PER_MS);
            oracle_move(fired, now + 1000 * NS_PER_MS);
        }
    }
    assert_sound(wheel_check(&wheel, arena));
    teardown();
}

TEST(a_copied_wheel_goes_on_as_the_original_does)
{
    uint64_t seed = 4;
    setup(0);
    for (uint32_t i = 0; i < NODES; i++)
        move(i, rng_below(&seed, 1000000000));
    for (uint32_t n = 0; n < NODES / 2; n++)
        assert_true(pop(NS_PER_S) != WHEEL_NONE);
    struct wheel twin = wheel;
    uint8_t *const copy = arena_map(arena_bytes);
    memcpy(copy, arena, arena_bytes);
    uint32_t work = UINT32_MAX;
    for (uint32_t n = 0; n < NODES / 2 + 1; n++)
        assert_int_equal(pop(NS_PER_S), wheel_pop(&twin, copy, ns(NS_PER_S), &work));
    arena_unmap(copy, arena_bytes);
    teardown();
}

TEST(check_names_what_is_broken)
{
    setup(0);
    for (uint32_t i = 0; i < 10; i++)
        move(i, 1000 + i * 100000);
    node(4)->at.ns += YEAR;
    assert_non_null(wheel_check(&wheel, arena));
    node(4)->at.ns -= YEAR;
    assert_sound(wheel_check(&wheel, arena));
    wheel.bitmap[3] |= 4;
    assert_non_null(wheel_check(&wheel, arena));
    wheel.bitmap[3] = 0;
    wheel.armed++;
    assert_non_null(wheel_check(&wheel, arena));
    teardown();
}

TEST_MAIN
