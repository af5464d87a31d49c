/* SPDX-License-Identifier: MIT */
/*
 * checksum.h - The Internet checksum (RFC 1071).
 *
 * A partial sum is a 64-bit value: a sum of 16-bit words in network order, taken as
 * numbers, not yet folded.  So the sums of pieces add up if every piece but the last has
 * even length (checksum_combine() takes any), a header field may be added as the number it
 * is, and a value is the same on every machine.
 *
 * Bytes with their checksum in place are right if checksum_finish() of them all is 0.
 */
#ifndef CORE_BASE_CHECKSUM_H
#define CORE_BASE_CHECKSUM_H

#include "core/base/bytes.h"
#include "core/base/mem.h"

/* Add @len bytes to @sum.  @features: LA_CPU_* of the configuration, 0 = portable. */
uint64_t checksum_add(uint32_t features, uint64_t sum, const void *bytes, uint32_t len_bytes);
/* Copy and add in one pass.  The ranges do not overlap. */
uint64_t checksum_copy(uint32_t features, uint64_t sum, void *to, const void *from,
                       uint32_t len_bytes);
/* Add a piece's own sum that began at @offset: its bytes swapped if that is odd. */
uint64_t checksum_combine(uint64_t sum, uint64_t piece_sum, uint32_t offset_bytes);
/* Fold to 16 bits, in [0, 0xffff]; 0 only if every word was 0. */
static inline uint16_t checksum_fold(uint64_t sum)
{
    const uint64_t half = (sum & UINT32_MAX) + (sum >> 32);
    const uint64_t quarter = (half & 0xffff) + (half >> 16 & 0xffff) + (half >> 32);
    return (uint16_t)((quarter & 0xffff) + (quarter >> 16)); /* quarter <= 0x1fffe */
}
/* What goes into the header: ~fold(sum).  Store it with store_be16(). */
uint16_t checksum_finish(uint64_t sum);
/* Pseudo-header of RFC 9293 3.1 / RFC 8200 8.1: addresses of 4 or 16 bytes each. */
uint64_t checksum_pseudo(const uint8_t *src, const uint8_t *dst, uint32_t addr_bytes,
                         uint8_t protocol, uint32_t len_bytes);

/* Ones-complement addition: the carry goes round. */
static inline uint64_t checksum_round(uint64_t a, uint64_t b)
{
    const uint64_t s = a + b;
    return s + (s < b);
}

/* Add a TCP header: 20 bytes and more, a multiple of four. */
static inline uint64_t checksum_header(uint64_t sum, const uint8_t *bytes, uint32_t len_bytes)
{
    sum += (uint64_t)load_be32(bytes) + load_be32(bytes + 4) + load_be32(bytes + 8) +
           load_be32(bytes + 12) + load_be32(bytes + 16);
    for (uint32_t i = 20; i < len_bytes; i += 4)
        sum += load_be32(bytes + i);
    return sum;
}

/* Kernels: what checksum_add() and checksum_copy() choose from. */
uint64_t checksum_add_portable(uint64_t sum, const void *bytes, uint32_t len_bytes);
uint64_t checksum_copy_portable(uint64_t sum, void *to, const void *from, uint32_t len_bytes);
uint64_t checksum_add_vector(uint64_t sum, const void *bytes, uint32_t len_bytes);
uint64_t checksum_copy_vector(uint64_t sum, void *to, const void *from, uint32_t len_bytes);
/* The LA_CPU_* that the vector kernels of this build need; 0: there are none. */
uint32_t checksum_vector_feature(void);

#endif
