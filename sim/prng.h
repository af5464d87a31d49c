/* SPDX-License-Identifier: MIT */
/*
 * prng.h - The simulator's only source of chance: 64 bits of seed, then xoshiro256**.
 *
 * Two streams made from the same seed give the same numbers on every machine: the
 * arithmetic is on uint64_t alone, and nothing else in sim/ may choose anything.  No
 * expression, initialiser or argument list may draw twice: C leaves their order to the
 * compiler, and a seed must mean the same to all of them.
 */
#ifndef SIM_PRNG_H
#define SIM_PRNG_H

#include <stdbool.h>
#include <stdint.h>

struct sim_prng {
    uint64_t s[4];
};

/* The finaliser of splitmix64: every bit of the result depends on every bit of @x. */
uint64_t sim_mix(uint64_t x);

void sim_prng_seed(struct sim_prng *p, uint64_t seed);
uint64_t sim_prng_next(struct sim_prng *p);
/* 0 .. @n - 1, without bias; 0 for @n <= 1. */
uint64_t sim_prng_below(struct sim_prng *p, uint64_t n);
/* @low .. @high, both included. */
uint64_t sim_prng_between(struct sim_prng *p, uint64_t low, uint64_t high);
/* True @permille times in a thousand.  Draws nothing for 0, so a fault left out costs no chance. */
bool sim_prng_permille(struct sim_prng *p, uint32_t permille);

#endif
