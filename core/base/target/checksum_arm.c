/* SPDX-License-Identifier: MIT */
/*
 * checksum_arm.c - The checksum kernel for 64-bit ARM, whose processors all have NEON.
 *
 * 64 bytes at a time are read as 32-bit words, as they lie in memory, and neighbours are added
 * in pairs to 64-bit lanes: no carry can be lost before 2^31 additions, and a packet has at
 * most 65,535 bytes.  What is left over goes to the portable kernel.
 */
#include <arm_neon.h>

#include <lastack/stack.h>

#include "core/base/bytes.h"
#include "core/base/checksum.h"

#define BLOCK 64u

uint32_t checksum_vector_feature(void)
{
    return LA_CPU_NEON;
}

/* Lanes of words as they lie in memory, added to @sum in the order of the network. */
static uint64_t to_network(uint64_t sum, uint64x2_t a, uint64x2_t b, uint64x2_t c, uint64x2_t d)
{
    const uint64x2_t all = vaddq_u64(vaddq_u64(a, b), vaddq_u64(c, d));
    const uint64_t native = vgetq_lane_u64(all, 0) + vgetq_lane_u64(all, 1);
    uint8_t bytes[8];

    memcpy(bytes, &native, sizeof bytes);
    return checksum_round(sum, (uint64_t)load_be32(bytes) + load_be32(bytes + 4));
}

uint64_t checksum_add_vector(uint64_t sum, const void *bytes, uint32_t len_bytes)
{
    const uint8_t *p = bytes;
    uint64x2_t a = vdupq_n_u64(0), b = a, c = a, d = a;
    uint32_t left = len_bytes;

    for (; left >= BLOCK; left -= BLOCK, p += BLOCK) {
        a = vpadalq_u32(a, vreinterpretq_u32_u8(vld1q_u8(p)));
        b = vpadalq_u32(b, vreinterpretq_u32_u8(vld1q_u8(p + 16)));
        c = vpadalq_u32(c, vreinterpretq_u32_u8(vld1q_u8(p + 32)));
        d = vpadalq_u32(d, vreinterpretq_u32_u8(vld1q_u8(p + 48)));
    }
    sum = to_network(sum, a, b, c, d);
    return left > 0 ? checksum_add_portable(sum, p, left) : sum;
}

uint64_t checksum_copy_vector(uint64_t sum, void *to, const void *from, uint32_t len_bytes)
{
    const uint8_t *p = from;
    uint8_t *q = to;
    uint64x2_t a = vdupq_n_u64(0), b = a, c = a, d = a;
    uint32_t left = len_bytes;

    for (; left >= BLOCK; left -= BLOCK, p += BLOCK, q += BLOCK) {
        const uint8x16_t w = vld1q_u8(p);
        const uint8x16_t x = vld1q_u8(p + 16);
        const uint8x16_t y = vld1q_u8(p + 32);
        const uint8x16_t z = vld1q_u8(p + 48);

        vst1q_u8(q, w);
        vst1q_u8(q + 16, x);
        vst1q_u8(q + 32, y);
        vst1q_u8(q + 48, z);
        a = vpadalq_u32(a, vreinterpretq_u32_u8(w));
        b = vpadalq_u32(b, vreinterpretq_u32_u8(x));
        c = vpadalq_u32(c, vreinterpretq_u32_u8(y));
        d = vpadalq_u32(d, vreinterpretq_u32_u8(z));
    }
    sum = to_network(sum, a, b, c, d);
    return left > 0 ? checksum_copy_portable(sum, q, p, left) : sum;
}
