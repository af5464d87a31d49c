/* SPDX-License-Identifier: MIT */
/*
 * agenda.h - What is to happen, in order of virtual time.
 *
 * A binary heap keyed by (time, order of entry): things due at the same instant
 * happen in the order in which they were planned, so a run has one course only.
 * Nothing is ever taken out early.  Who changes his mind leaves the old entry to
 * come up and finds it stale.
 */
#ifndef SIM_AGENDA_H
#define SIM_AGENDA_H

#include <stdbool.h>
#include <stdint.h>

struct sim_due {
    uint64_t at_ns;
    uint64_t order; /* given by sim_agenda_add() */
    uint32_t kind;
    uint32_t index;
    void *pointer;
};

struct sim_agenda {
    struct sim_due *heap;
    uint32_t count, room;
    uint64_t added;
};

void sim_agenda_add(struct sim_agenda *a, uint64_t at_ns, uint32_t kind, uint32_t index,
                    void *pointer);
/* The earliest, NULL if none. */
const struct sim_due *sim_agenda_first(const struct sim_agenda *a);
/* Take the earliest.  Return: false if there is none. */
bool sim_agenda_take(struct sim_agenda *a, struct sim_due *out);
void sim_agenda_free(struct sim_agenda *a);

#endif
