/* SPDX-License-Identifier: MIT */
/*
 * prng.c - Pseudo-random numbers: splitmix64 spreads the seed, xoshiro256** runs.
 *
 * Both are published algorithms, chosen because they are a few lines, have no bad
 * seeds (splitmix64 never yields four zero words in a row) and are fast enough to
 * be drawn for every packet.  Numbers below n are drawn by rejection, so that small
 * ranges are exactly even and a probability means what it says.
 */
#include "sim/prng.h"

#define GOLDEN_GAMMA UINT64_C(0x9e3779b97f4a7c15)

uint64_t sim_mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

static uint64_t rotate_left(uint64_t x, unsigned bits)
{
    return (x << bits) | (x >> (64 - bits));
}

void sim_prng_seed(struct sim_prng *p, uint64_t seed)
{
    for (unsigned i = 0; i < 4; i++) {
        seed += GOLDEN_GAMMA;
        p->s[i] = sim_mix(seed);
    }
}

uint64_t sim_prng_next(struct sim_prng *p)
{
    uint64_t *s = p->s;
    const uint64_t result = rotate_left(s[1] * 5, 7) * 9;
    const uint64_t shifted = s[1] << 17;

    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = rotate_left(s[3], 45);
    return result;
}

uint64_t sim_prng_below(struct sim_prng *p, uint64_t n)
{
    if (n <= 1)
        return 0;
    const uint64_t uneven = UINT64_MAX - (UINT64_MAX % n + 1) % n;
    uint64_t x = sim_prng_next(p);

    while (x > uneven)
        x = sim_prng_next(p);
    return x % n;
}

uint64_t sim_prng_between(struct sim_prng *p, uint64_t low, uint64_t high)
{
    if (high <= low)
        return low;
    if (high - low == UINT64_MAX)
        return sim_prng_next(p);
    return low + sim_prng_below(p, high - low + 1);
}

bool sim_prng_permille(struct sim_prng *p, uint32_t permille)
{
    if (permille == 0)
        return false;
    return sim_prng_below(p, 1000) < permille;
}
