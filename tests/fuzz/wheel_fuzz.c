/* SPDX-License-Identifier: MIT */
/*
 * wheel_fuzz.c - The wheel under any sequence of moves, clock steps and firings.
 *
 * The oracle is an array: the next node is, among those whose time has come, the one with
 * the least (tick, index), where a node armed for the past belongs to the tick being fired.
 */
#include "tests/fuzz/input.h"

#include "core/base/wheel.h"

#define NODES 32u

static struct wheel wheel;
static struct wheel_node nodes[NODES];

static struct {
    bool armed[NODES];
    uint64_t at[NODES], tick[NODES];
    uint64_t now_tick;
} o;

static void move(uint32_t i, uint64_t at)
{
    wheel_move(&wheel, nodes, i, (la_time){ at });
    if (o.armed[i] && o.at[i] == at)
        return;
    o.armed[i] = at != UINT64_MAX;
    o.at[i] = at;
    o.tick[i] = at >> WHEEL_TICK_SHIFT > o.now_tick ? at >> WHEEL_TICK_SHIFT : o.now_tick;
}

static uint32_t pop(uint64_t now)
{
    uint32_t want = WHEEL_NONE;
    for (uint32_t i = 0; i < NODES; i++)
        if (o.armed[i] && o.at[i] <= now && (want == WHEEL_NONE || o.tick[i] < o.tick[want]))
            want = i;
    if (want != WHEEL_NONE) {
        o.armed[want] = false;
        o.now_tick = o.tick[want];
    } else if (now >> WHEEL_TICK_SHIFT > o.now_tick) {
        o.now_tick = now >> WHEEL_TICK_SHIFT;
    }
    uint32_t work = UINT32_MAX;
    must(wheel_pop(&wheel, nodes, (la_time){ now }, &work) == want);
    return want;
}

static void check(uint64_t now)
{
    uint64_t soonest = UINT64_MAX;
    uint32_t armed = 0;
    for (uint32_t i = 0; i < NODES; i++) {
        armed += o.armed[i];
        if (o.armed[i] && o.at[i] < soonest)
            soonest = o.at[i];
        must(wheel_armed(&nodes[i]) == o.armed[i]);
    }
    const uint64_t deadline = wheel_deadline(&wheel, nodes).ns;
    must(armed == wheel.armed);
    must(deadline <= soonest && (armed > 0 || deadline == UINT64_MAX));
    if (wheel.due == WHEEL_NONE && soonest >> WHEEL_TICK_SHIFT <= wheel.tick)
        must(deadline == soonest);
    must(wheel.due == WHEEL_NONE || deadline <= now);
    must_be_sound(wheel_check(&wheel, nodes));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len_bytes)
{
    struct input in = { bytes, len_bytes };
    uint64_t now = input_scaled(&in);
    for (uint32_t i = 0; i < NODES; i++) {
        wheel_node_init(&nodes[i]);
        o.armed[i] = false;
    }
    wheel_init(&wheel, 0, sizeof nodes[0], (la_time){ now });
    o.now_tick = now >> WHEEL_TICK_SHIFT;
    while (in.left > 0) {
        const uint8_t choice = input_u8(&in);
        const uint32_t i = choice % NODES;
        const uint64_t by = choice < 224 ? input_scaled(&in) : 0;
        switch (choice / 32) {
        case 0:
        case 1:
            move(i, by > UINT64_MAX - now ? UINT64_MAX - 1 : now + by);
            break;
        case 2:
            move(i, by > now ? 0 : now - by);
            break;
        case 3:
            move(i, UINT64_MAX);
            break;
        case 4:
        case 5:
            now = by > UINT64_MAX - 1 - now ? UINT64_MAX - 1 : now + by;
            pop(now);
            break;
        case 6:
            if (wheel_deadline(&wheel, nodes).ns > now && wheel.armed > 0)
                now = wheel_deadline(&wheel, nodes).ns;
            while (pop(now) != WHEEL_NONE)
                continue;
            break;
        case 7:
            pop(now);
            break;
        }
        check(now);
    }
    while (pop(UINT64_MAX) != WHEEL_NONE)
        continue;
    must(wheel.armed == 0);
    return 0;
}
