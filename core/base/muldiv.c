/* SPDX-License-Identifier: MIT */
/*
 * muldiv.c - 64 x 64 / 64 bits by schoolbook arithmetic in digits of 32 bits.
 *
 * The product is four partial products.  The division guesses each of two quotient digits
 * from the divisor's upper digit, as one does by hand; with the divisor shifted so that
 * its top bit is set, a guess is at most two too large.
 *
 * Cost: one division if the product fits 64 bits, three else.
 */
#include "core/base/muldiv.h"

#include "core/base/assert.h"

#define DIGIT UINT32_MAX

/* One quotient digit of (rest:next) / divisor; rest < divisor, divisor's top bit set. */
static uint64_t quotient_digit(uint64_t *rest, uint64_t next, uint64_t divisor)
{
    const uint64_t upper = divisor >> 32;
    const uint64_t lower = divisor & DIGIT;
    uint64_t guess = *rest / upper;
    uint64_t left = *rest % upper;
    while (guess * lower > (left << 32 | next)) { /* guess <= 2^32 + 1: the product fits */
        guess--;
        left += upper;
        if (left > DIGIT)
            break;
    }
    *rest = (*rest << 32) + next - guess * divisor; /* modulo 2^64; the result is < divisor */
    return guess;
}

uint64_t muldiv64(uint64_t a, uint64_t b, uint64_t c)
{
    LA_ASSERT(c > 0);
    const uint64_t low = (a & DIGIT) * (b & DIGIT);
    const uint64_t cross = (a >> 32) * (b & DIGIT) + (low >> 32);
    const uint64_t other = (a & DIGIT) * (b >> 32) + (cross & DIGIT);
    const uint64_t high = (a >> 32) * (b >> 32) + (cross >> 32) + (other >> 32);
    const uint64_t rest = other << 32 | (low & DIGIT);

    if (high == 0)
        return rest / c;
    if (high >= c)
        return UINT64_MAX;
    const uint32_t shift = (uint32_t)__builtin_clzll(c);
    const uint64_t divisor = c << shift;
    uint64_t upper = shift == 0 ? high : high << shift | rest >> (64 - shift);
    const uint64_t lower = rest << shift;
    const uint64_t first = quotient_digit(&upper, lower >> 32, divisor);
    const uint64_t second = quotient_digit(&upper, lower & DIGIT, divisor);
    LA_DCHECK(upper < divisor);
    return first << 32 | second;
}
