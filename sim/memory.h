/* SPDX-License-Identifier: MIT */
/*
 * memory.h - The simulator's memory: it has all it asks for, or the process ends.
 *
 * A simulation that runs out of the host's memory proves nothing, so nobody above
 * has to ask.  Everything a run takes it gives back, so that leak checkers can see.
 */
#ifndef SIM_MEMORY_H
#define SIM_MEMORY_H

#include <stddef.h>
#include <stdint.h>

/* Zeroed. */
void *sim_take(size_t bytes);
void *sim_resize(void *old, size_t bytes);
void sim_release(void *old);

/* Zeroed and aligned to 64 bytes, as la_init() wants it.  @base is what sim_release() takes. */
uint8_t *sim_take_arena(uint64_t bytes, void **base);

#endif
