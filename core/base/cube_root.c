/* SPDX-License-Identifier: MIT */
/*
 * cube_root.c - The whole part of a cube root, digit by digit in base two, as one extracts a
 * root with pencil and paper: three bits of the number give one bit of the root.
 *
 * With root r of the digits read so far, the next bit is one if the rest holds
 * (2r + 1)^3 - (2r)^3 = 3 * 2r * (2r + 1) + 1.  Exact; no division, no table.
 *
 * Cost: 22 steps of a multiplication and a comparison.
 */
#include "core/base/cube_root.h"

#include "core/base/assert.h"

uint32_t cube_root(uint64_t a)
{
    uint64_t rest = a;
    uint64_t root = 0;

    for (uint32_t shift = 66; shift > 0;) {
        shift -= 3;
        root *= 2;
        const uint64_t step = 3 * root * (root + 1) + 1;
        if (rest >> shift >= step) {
            rest -= step << shift;
            root++;
        }
    }
    LA_ASSERT(root * root * root <= a);
    return (uint32_t)root;
}
