/* SPDX-License-Identifier: MIT */
/*
 * agenda.c - The binary heap behind agenda.h.
 *
 * Invariant: no entry comes before its parent, heap[(i - 1) / 2].  Cost: O(log n)
 * to add and to take.
 */
#include "sim/agenda.h"

#include "sim/memory.h"

static bool comes_before(const struct sim_due *a, const struct sim_due *b)
{
    return a->at_ns < b->at_ns || (a->at_ns == b->at_ns && a->order < b->order);
}

static void swap(struct sim_due *a, struct sim_due *b)
{
    const struct sim_due t = *a;

    *a = *b;
    *b = t;
}

void sim_agenda_add(struct sim_agenda *a, uint64_t at_ns, uint32_t kind, uint32_t index,
                    void *pointer)
{
    if (a->count == a->room) {
        a->room = a->room ? a->room * 2 : 64;
        a->heap = sim_resize(a->heap, a->room * sizeof *a->heap);
    }
    uint32_t i = a->count++;

    a->heap[i] = (struct sim_due){
        .at_ns = at_ns, .order = a->added++, .kind = kind, .index = index, .pointer = pointer
    };
    while (i > 0 && comes_before(&a->heap[i], &a->heap[(i - 1) / 2])) {
        swap(&a->heap[i], &a->heap[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
}

const struct sim_due *sim_agenda_first(const struct sim_agenda *a)
{
    return a->count ? &a->heap[0] : NULL;
}

bool sim_agenda_take(struct sim_agenda *a, struct sim_due *out)
{
    if (a->count == 0)
        return false;
    *out = a->heap[0];
    a->heap[0] = a->heap[--a->count];
    uint32_t i = 0;

    for (;;) {
        uint32_t least = i;

        for (uint32_t child = 2 * i + 1; child <= 2 * i + 2 && child < a->count; child++)
            if (comes_before(&a->heap[child], &a->heap[least]))
                least = child;
        if (least == i)
            return true;
        swap(&a->heap[i], &a->heap[least]);
        i = least;
    }
}

void sim_agenda_free(struct sim_agenda *a)
{
    sim_release(a->heap);
    *a = (struct sim_agenda){ 0 };
}
