/* SPDX-License-Identifier: MIT */
/*
 * twin.c - When a host's stack is cloned, and what becomes of the clone.
 *
 * A twin lives for up to a hundred turns.  At its end both stacks must pass la_check()
 * and have the same la_hash().  Then either the twin goes, or the old stack does: its
 * memory is filled with a pattern that no pointer survives.
 */
#include <string.h>

#include "sim/host.h"
#include "sim/memory.h"

#define TWIN_TURNS_MAX 100u
#define POISON 0xa5

static void begin(struct sim_host *h)
{
    struct sim_twin *t = &h->twin;
    uint8_t *mem = sim_take_arena(h->arena_bytes, &t->arena);
    const enum la_err err = la_clone(h->stack, mem, h->arena_bytes, &t->stack);

    if (err != LA_OK) {
        sim_fail(h->w, "host %s: la_clone() gave %s", h->name, la_err_name(err));
        sim_release(t->arena);
        t->stack = NULL;
        return;
    }
    if (!t->tx) {
        t->tx = sim_take(LA_RX_BURST_MAX * sizeof *t->tx);
        t->bytes = sim_take((size_t)2 * (UINT16_MAX + 1u));
    }
    if (la_hash(h->stack) != la_hash(t->stack))
        sim_fail(h->w, "host %s: a fresh clone has another hash", h->name);
    t->turns_left = (uint32_t)sim_prng_between(&h->w->rng, 1, TWIN_TURNS_MAX);
    t->made++;
}

/* The twin becomes the stack; what was the stack is poisoned and given back. */
static void succeed(struct sim_host *h)
{
    struct la_stack *old = h->stack;
    void *old_arena = h->arena;
    struct la_extent ranges[LA_EXTENTS_MAX];
    const uint32_t count = la_extents(old, ranges);

    h->stack = h->twin.stack;
    h->arena = h->twin.arena;
    for (uint32_t i = 0; i < count; i++) /* the rest is no state, and a sanitizer may guard it */
        memset((uint8_t *)old + ranges[i].offset_bytes, POISON, (size_t)ranges[i].len_bytes);
    sim_release(old_arena);
}

void sim_twin_end(struct sim_host *h)
{
    struct sim_twin *t = &h->twin;

    if (!t->stack)
        return;
    const char *broken = la_check(t->stack);

    if (broken)
        sim_fail(h->w, "host %s: its clone breaks an invariant: %s", h->name, broken);
    if (la_hash(h->stack) != la_hash(t->stack))
        sim_fail(h->w, "host %s: its clone ends with another hash", h->name);
    if (t->made % 2 == 0)
        succeed(h);
    else
        sim_release(t->arena);
    t->stack = NULL;
    t->arena = NULL;
}

void sim_twin_drop(struct sim_host *h)
{
    sim_release(h->twin.stack ? h->twin.arena : NULL);
    h->twin.stack = NULL;
    h->twin.arena = NULL;
}

void sim_twin_turn(struct sim_host *h)
{
    if (h->twin.stack) {
        if (--h->twin.turns_left == 0)
            sim_twin_end(h);
    } else if (sim_prng_permille(&h->w->rng, h->opt.twin_permille)) {
        begin(h);
    }
}
