/* SPDX-License-Identifier: MIT */
/*
 * checksum_portable.c - The checksum kernel for every machine.
 *
 * RFC 1071 2(B): the ones-complement sum is the same in either byte order but for a final
 * swap; 2(C): it may be taken in wider words and folded.  So words of 64 bits are added as
 * they lie in memory, the carry of each going round to the other end, and what is left
 * in the end is read as bytes in network order.  Two chains of additions run side by
 * side, for one would wait for its own carry.
 *
 * Cost: about a cycle for eight bytes.
 */
#include "core/base/bytes.h"
#include "core/base/checksum.h"

static uint64_t load_native(const uint8_t *p)
{
    uint64_t x;
    memcpy(&x, p, sizeof x);
    return x;
}

/* The last bytes, fewer than eight: wherever a word lies, its sum is the same. */
static uint64_t sum_tail(const uint8_t *p, uint32_t len_bytes)
{
    uint32_t four = 0;
    uint16_t two = 0;
    uint16_t one = 0; /* filled up with a zero byte */
    if (len_bytes & 4u)
        memcpy(&four, p, sizeof four);
    if (len_bytes & 2u)
        memcpy(&two, p + (len_bytes & 4u), sizeof two);
    if (len_bytes & 1u)
        memcpy(&one, p + (len_bytes & 6u), 1);
    return (uint64_t)four + two + one;
}

/*
 * @native: a sum of words as they lie in memory.  Added to @sum as a number in network order: read
 * from the other end each 16-bit word has its bytes swapped, and their order does not matter.
 */
static uint64_t add_native(uint64_t sum, uint64_t native)
{
    uint8_t bytes[8];
    memcpy(bytes, &native, sizeof bytes);
    return checksum_round(sum, (uint64_t)load_be32(bytes) + load_be32(bytes + 4));
}

uint64_t checksum_add_portable(uint64_t sum, const void *bytes, uint32_t len_bytes)
{
    const uint8_t *p = bytes;
    uint32_t left = len_bytes;
    uint64_t a = 0;
    uint64_t b = 0;
    for (; left >= 32; left -= 32, p += 32) {
        a = checksum_round(a, load_native(p));
        b = checksum_round(b, load_native(p + 8));
        a = checksum_round(a, load_native(p + 16));
        b = checksum_round(b, load_native(p + 24));
    }
    for (; left >= 8; left -= 8, p += 8)
        a = checksum_round(a, load_native(p));
    if (left > 0)
        b = checksum_round(b, sum_tail(p, left));
    return add_native(sum, checksum_round(a, b));
}

uint64_t checksum_copy_portable(uint64_t sum, void *to, const void *from, uint32_t len_bytes)
{
    const uint8_t *p = from;
    uint8_t *q = to;
    uint32_t left = len_bytes;
    uint64_t a = 0;
    uint64_t b = 0;
    for (; left >= 16; left -= 16, p += 16, q += 16) {
        const uint64_t x = load_native(p);
        const uint64_t y = load_native(p + 8);
        memcpy(q, &x, sizeof x);
        memcpy(q + 8, &y, sizeof y);
        a = checksum_round(a, x);
        b = checksum_round(b, y);
    }
    if (left >= 8) {
        const uint64_t x = load_native(p);
        memcpy(q, &x, sizeof x);
        a = checksum_round(a, x);
        left -= 8;
        p += 8;
        q += 8;
    }
    if (left > 0) {
        memcpy(q, p, left);
        b = checksum_round(b, sum_tail(p, left));
    }
    return add_native(sum, checksum_round(a, b));
}
