/* SPDX-License-Identifier: MIT */
/*
 * wheel.c - Placing, moving and firing timers.
 *
 * Let T be the wheel's tick and t a node's (T, if its time is past).  The node stands at
 * the level of the highest base-64 digit in which t and T differ.  So at every level the
 * slots up to T's own digit are empty, except that slot of level 0 which is T's; the
 * lowest occupied slot of the lowest occupied level is the earliest; and T may move
 * forward up to that slot's beginning without any node changing place.  When T enters a
 * slot its nodes are placed anew, each at a lower level than before.
 *
 * The current tick is fired in two steps.  Nodes of its slot whose ns has come are
 * moved to the due list, sorted by index; the others stay.  The due list never outlives
 * its tick: T moves only when it is empty and every node of its slot was due.
 *
 * Neither step is done at once for a million nodes.  A slot that T enters stands on a list of
 * its own, "moving", until each of its nodes has its new place, and nothing fires before.  The
 * nodes of the current tick are passed by a cursor, and the due list takes at most WHEEL_BATCH
 * of them before it is empty again: one sorted batch after the other.  So a call that may do w
 * units of work looks at w nodes, and the next one goes on; meanwhile wheel_deadline() lies in
 * the past.
 *
 * Cost: wheel_move() O(1).  wheel_pop() is O(1) amortised over a node's at most eight
 * places, plus sorting what falls due together, plus a look at the nodes of the current
 * tick each time its earliest one falls due.  A node armed again while others of its tick
 * wait on the due list is merged from the list's front: O(1) for the node just fired.
 */
#include "core/base/wheel.h"

#define DIGIT_BITS 6
#define FIRST 0x80000000u /* set in prev of a list's first node; the rest names the list */
#define DUE (WHEEL_LEVELS * WHEEL_SLOTS)
#define MOVING (DUE + 1)
#define SORT_BINS 32
#define LOOK 64 /* nodes that wheel_deadline() passes to be exact */

_Static_assert(WHEEL_SLOTS == 1 << DIGIT_BITS, "a slot is a digit");
_Static_assert(WHEEL_LEVELS *DIGIT_BITS + WHEEL_TICK_SHIFT >= 64, "all times have a slot");
_Static_assert(sizeof(struct wheel) <= 2304, "the smallest stack has 16 KiB");

struct place {
    uint32_t level, slot;
};

static uint64_t tick_of(la_time t)
{
    return t.ns >> WHEEL_TICK_SHIFT;
}
static uint32_t digit(uint64_t tick, uint32_t level)
{
    return (uint32_t)(tick >> (level * DIGIT_BITS)) & (WHEEL_SLOTS - 1);
}

static struct place place_of(const struct wheel *w, la_time at)
{
    const uint64_t own = tick_of(at);
    const uint64_t tick = own > w->tick ? own : w->tick;
    const uint64_t differ = tick ^ w->tick;
    const uint32_t level = differ == 0 ? 0 : (63u - (uint32_t)__builtin_clzll(differ)) / DIGIT_BITS;
    return (struct place){ level, digit(tick, level) };
}

/* The earliest occupied slot after the current tick's own; false if all are empty. */
static bool next_place(const struct wheel *w, struct place *out, uint64_t *tick)
{
    for (uint32_t level = 0; level < WHEEL_LEVELS; level++) {
        if (w->bitmap[level] == 0)
            continue;
        const uint32_t shift = level * DIGIT_BITS;
        const uint32_t slot = (uint32_t)__builtin_ctzll(w->bitmap[level]);
        *out = (struct place){ level, slot };
        *tick = w->tick >> shift >> DIGIT_BITS << DIGIT_BITS << shift | (uint64_t)slot << shift;
        return true;
    }
    return false;
}

static bool current_occupied(const struct wheel *w)
{
    return (w->bitmap[0] >> digit(w->tick, 0) & 1u) != 0;
}

void wheel_init(struct wheel *w, uint64_t base_offset, uint32_t stride, la_time now)
{
    LA_ASSERT(stride >= sizeof(struct wheel_node) && stride % 8 == 0 && base_offset % 8 == 0);
    *w = (struct wheel){
        .base_offset = base_offset,
        .stride = stride,
        .tick = tick_of(now),
        .soonest = LA_TIME_NEVER,
        .due_soonest = LA_TIME_NEVER,
        .due = WHEEL_NONE,
        .moving = WHEEL_NONE,
        .cursor = WHEEL_NONE,
    };
    memset(w->head, 0xff, sizeof w->head);
}

void wheel_node_init(struct wheel_node *n)
{
    *n = (struct wheel_node){ LA_TIME_NEVER, WHEEL_NONE, WHEEL_NONE };
}

/* Lists ------------------------------------------------------------------------ */

/* A node at @at joins the current tick. */
static void note_soonest(struct wheel *w, la_time at, bool alone)
{
    if (alone || time_le(at, w->soonest)) {
        w->soonest = at;
        w->soonest_exact = true;
    }
    if (w->cursor != WHEEL_NONE && time_le(at, w->seen_soonest)) {
        w->seen_soonest = at; /* it stands in front of the cursor */
        w->seen_exact = true;
    }
}

static void link_node(struct wheel *w, void *arena, uint32_t i)
{
    struct wheel_node *const n = wheel_node(w, arena, i);
    const struct place p = place_of(w, n->at);
    uint32_t *const head = &w->head[p.level][p.slot];

    if (p.level == 0 && p.slot == digit(w->tick, 0))
        note_soonest(w, n->at, *head == WHEEL_NONE);
    n->prev = FIRST | (p.level * WHEEL_SLOTS + p.slot);
    n->next = *head;
    if (*head != WHEEL_NONE)
        wheel_node(w, arena, *head)->prev = i;
    *head = i;
    w->bitmap[p.level] |= UINT64_C(1) << p.slot;
}

static void unlink_node(struct wheel *w, void *arena, uint32_t i)
{
    struct wheel_node *const n = wheel_node(w, arena, i);
    LA_ASSERT(wheel_armed(n));
    if (i == w->cursor)
        w->cursor = n->next;
    if (n->next != WHEEL_NONE)
        wheel_node(w, arena, n->next)->prev = n->prev;
    if (!(n->prev & FIRST)) {
        wheel_node(w, arena, n->prev)->next = n->next;
    } else if (n->prev == (FIRST | DUE)) {
        w->due = n->next;
    } else if (n->prev == (FIRST | MOVING)) {
        w->moving = n->next;
    } else {
        const uint32_t level = (n->prev & ~FIRST) / WHEEL_SLOTS;
        const uint32_t slot = n->prev % WHEEL_SLOTS;
        LA_ASSERT(level < WHEEL_LEVELS && w->head[level][slot] == i);
        w->head[level][slot] = n->next;
        if (n->next == WHEEL_NONE)
            w->bitmap[level] &= ~(UINT64_C(1) << slot);
    }
    if (time_eq(n->at, w->soonest))
        w->soonest_exact = false;
    if (time_eq(n->at, w->seen_soonest))
        w->seen_exact = false;
    n->next = WHEEL_NONE;
    n->prev = WHEEL_NONE;
}

/* Merge two lists that are sorted by index and linked by next alone. */
static uint32_t merge(const struct wheel *w, void *arena, uint32_t a, uint32_t b)
{
    uint32_t first = WHEEL_NONE;
    uint32_t *to = &first;
    while (a != WHEEL_NONE && b != WHEEL_NONE) {
        uint32_t *const lower = a < b ? &a : &b;
        *to = *lower;
        to = &wheel_node(w, arena, *lower)->next;
        *lower = *to;
    }
    *to = a != WHEEL_NONE ? a : b;
    return first;
}

/* Merge sort from the bottom up: bin k holds a sorted list of 2^k nodes, or none. */
static uint32_t sort(const struct wheel *w, void *arena, uint32_t list)
{
    uint32_t bins[SORT_BINS];
    uint32_t used = 0;
    while (list != WHEEL_NONE) {
        struct wheel_node *const n = wheel_node(w, arena, list);
        uint32_t carry = list;
        uint32_t k = 0;
        list = n->next;
        n->next = WHEEL_NONE;
        for (; k < used && bins[k] != WHEEL_NONE; k++) {
            carry = merge(w, arena, bins[k], carry);
            bins[k] = WHEEL_NONE;
        }
        LA_ASSERT(k < SORT_BINS);
        bins[k] = carry;
        if (k == used)
            used++;
    }
    for (uint32_t k = 0; k < used; k++)
        list = merge(w, arena, bins[k], list);
    return list;
}

/* Calls ------------------------------------------------------------------------ */

void wheel_move(struct wheel *w, void *arena, uint32_t i, la_time at)
{
    struct wheel_node *const n = wheel_node(w, arena, i);
    LA_ASSERT(i < FIRST);
    if (wheel_armed(n)) {
        if (time_eq(n->at, at))
            return;
        unlink_node(w, arena, i);
        w->armed--;
    }
    n->at = at;
    if (time_eq(at, LA_TIME_NEVER))
        return;
    link_node(w, arena, i);
    w->armed++;
}

/* The due list takes @batch, @fresh nodes that are linked by next alone. */
static void make_due(struct wheel *w, void *arena, uint32_t batch, uint32_t fresh)
{
    uint32_t prev = FIRST | DUE;

    w->due = merge(w, arena, w->due, sort(w, arena, batch));
    for (uint32_t i = w->due; i != WHEEL_NONE; i = wheel_node(w, arena, i)->next) {
        struct wheel_node *const n = wheel_node(w, arena, i);
        if (fresh == 0 && n->prev == prev)
            break;
        fresh -= n->prev == WHEEL_NONE;
        n->prev = prev;
        prev = i;
    }
}

/*
 * Move nodes of the current tick that are due at @now to the due list: as far as @work and its room
 * go.  Once the cursor has passed them all, the soonest of the others is known.
 */
static void collect(struct wheel *w, void *arena, la_time now, uint32_t *work)
{
    uint32_t batch = WHEEL_NONE;
    uint32_t fresh = 0;

    if (w->due == WHEEL_NONE) {
        w->due_soonest = LA_TIME_NEVER;
        w->due_taken = 0;
    }
    if (w->cursor == WHEEL_NONE) {
        w->cursor = w->head[0][digit(w->tick, 0)];
        w->seen_soonest = LA_TIME_NEVER;
        w->seen_exact = true;
    }
    for (; w->cursor != WHEEL_NONE && w->due_taken < WHEEL_BATCH && *work != 0; --*work) {
        const uint32_t i = w->cursor;
        struct wheel_node *const n = wheel_node(w, arena, i);

        if (time_lt(now, n->at)) {
            w->cursor = n->next;
            w->seen_soonest = time_min(w->seen_soonest, n->at);
            continue;
        }
        unlink_node(w, arena, i);
        w->due_soonest = time_min(w->due_soonest, n->at);
        n->next = batch;
        batch = i;
        fresh++;
        w->due_taken++;
    }
    if (w->cursor == WHEEL_NONE) {
        w->soonest = w->seen_soonest;
        w->soonest_exact = w->seen_exact;
    }
    if (fresh > 0)
        make_due(w, arena, batch, fresh);
}

/*
 * Move the tick to the next occupied slot, at most to @limit, and have that slot's nodes moved.
 * Return: false if it came to @limit and found nothing on the way.
 */
static bool advance(struct wheel *w, void *arena, uint64_t limit)
{
    struct place p;
    uint64_t tick;
    if (w->tick >= limit)
        return false;
    LA_ASSERT(w->due == WHEEL_NONE && !current_occupied(w));
    w->soonest = LA_TIME_NEVER;
    w->soonest_exact = true;
    if (!next_place(w, &p, &tick) || tick > limit) {
        w->tick = limit;
        return false;
    }
    LA_DCHECK(tick > w->tick);
    w->tick = tick;
    if (p.level == 0) { /* they are where they belong */
        w->soonest = (la_time){ tick << WHEEL_TICK_SHIFT };
        w->soonest_exact = false;
        return true;
    }
    w->moving = w->head[p.level][p.slot];
    wheel_node(w, arena, w->moving)->prev = FIRST | MOVING;
    w->head[p.level][p.slot] = WHEEL_NONE;
    w->bitmap[p.level] &= ~(UINT64_C(1) << p.slot);
    return true;
}

/* Give nodes of the slot that was entered their new places.  False if there is more than @work. */
static bool settle(struct wheel *w, void *arena, uint32_t *work)
{
    for (; w->moving != WHEEL_NONE && *work > 0; --*work) {
        const uint32_t i = w->moving;

        unlink_node(w, arena, i);
        link_node(w, arena, i);
    }
    return w->moving == WHEEL_NONE;
}

/* Is there more in the current tick that is due? */
static bool current_due(const struct wheel *w, la_time now)
{
    return current_occupied(w) && time_le(w->soonest, now);
}

uint32_t wheel_pop(struct wheel *w, void *arena, la_time now, uint32_t *work)
{
    do {
        if (!settle(w, arena, work))
            return WHEEL_NONE;
        if (current_due(w, now))
            collect(w, arena, now, work);
        if (w->cursor != WHEEL_NONE && w->due_taken < WHEEL_BATCH)
            return WHEEL_NONE; /* those behind may come before: one order for any work */
        const uint32_t i = w->due;
        if (i != WHEEL_NONE) {
            unlink_node(w, arena, i);
            w->armed--;
            LA_ASSERT(time_le(wheel_node(w, arena, i)->at, now));
            return i;
        }
        /* What the cursor had passed when it was early is looked at again. */
    } while (current_due(w, now) || advance(w, arena, tick_of(now)));
    return WHEEL_NONE;
}

la_time wheel_deadline(const struct wheel *w, const void *arena)
{
    struct place p;
    uint64_t tick;
    if (w->moving != WHEEL_NONE)
        return (la_time){ w->tick << WHEEL_TICK_SHIFT };
    if (w->due != WHEEL_NONE)
        return current_occupied(w) ? time_min(w->due_soonest, w->soonest) : w->due_soonest;
    if (!next_place(w, &p, &tick))
        return LA_TIME_NEVER;
    if (!current_occupied(w))
        return (la_time){ tick << WHEEL_TICK_SHIFT };
    if (w->soonest_exact)
        return w->soonest;
    la_time soonest = LA_TIME_NEVER;
    uint32_t i = w->head[p.level][p.slot];
    for (uint32_t n = 0; n < LOOK && i != WHEEL_NONE; n++) {
        soonest = time_min(soonest, wheel_node(w, arena, i)->at);
        i = wheel_node(w, arena, i)->next;
    }
    return i == WHEEL_NONE ? soonest : w->soonest;
}

/* Check ------------------------------------------------------------------------ */

/* One list: its links, and that each node is where its time says.  Counts down @left. */
static const char *check_list(const struct wheel *w, const void *arena, uint32_t list,
                              uint32_t *left)
{
    const bool due = list == DUE, moving = list == MOVING;
    uint32_t i = due      ? w->due
                 : moving ? w->moving
                          : w->head[list / WHEEL_SLOTS][list % WHEEL_SLOTS];
    uint32_t prev = FIRST | list;
    la_time soonest = LA_TIME_NEVER;

    while (i != WHEEL_NONE) {
        const struct wheel_node *const n = wheel_node(w, arena, i);
        const struct place p = place_of(w, n->at);
        if (*left == 0)
            return "wheel: as many nodes as counted";
        (*left)--;
        if (n->prev != prev || time_eq(n->at, LA_TIME_NEVER))
            return "wheel: prev and next agree, and what is linked has a time";
        if (due      ? tick_of(n->at) > w->tick
            : moving ? tick_of(n->at) < w->tick
                     : p.level * WHEEL_SLOTS + p.slot != list)
            return "wheel: a node stands in the slot of its time";
        if (due && !(prev & FIRST) && prev >= i)
            return "wheel: the due list is sorted";
        soonest = time_min(soonest, n->at);
        prev = i;
        i = n->next;
    }
    if (due && w->due != WHEEL_NONE && time_lt(soonest, w->due_soonest))
        return "wheel: nothing due is sooner than due_soonest";
    if (list == digit(w->tick, 0) && current_occupied(w) &&
        (time_lt(soonest, w->soonest) || (w->soonest_exact && !time_eq(soonest, w->soonest))))
        return "wheel: nothing in the current tick is sooner than soonest";
    return NULL;
}

const char *wheel_check(const struct wheel *w, const void *arena)
{
    uint32_t left = w->armed;
    if (w->cursor != WHEEL_NONE) {
        const struct place p = place_of(w, wheel_node(w, arena, w->cursor)->at);

        if (p.level != 0 || p.slot != digit(w->tick, 0))
            return "wheel: the cursor stands in the current tick";
    }
    for (uint32_t list = 0; list <= MOVING; list++) {
        const uint32_t level = list / WHEEL_SLOTS;
        const uint32_t slot = list % WHEEL_SLOTS;
        if (list < DUE && (w->bitmap[level] >> slot & 1u) != (w->head[level][slot] != WHEEL_NONE))
            return "wheel: the bitmaps say which slots are occupied";
        const char *const broken = check_list(w, arena, list, &left);
        if (broken)
            return broken;
    }
    return left == 0 ? NULL : "wheel: as many nodes as counted";
}
