/* SPDX-License-Identifier: MIT */
/*
 * checksum.c - Joining sums and the pseudo-header; and the choice of a kernel.
 *
 * The build takes the vector kernels of its target, core/base/target/, or none.  The host says
 * once which instructions its processor has, and the choice is made on that number at each call: no
 * pointer, no probing.  Every kernel equals the portable one.
 */
#include "core/base/checksum.h"

#include "core/base/bytes.h"

#define VECTOR_MIN_BYTES 128u /* below it setting up a vector costs more than it saves */

uint64_t checksum_add(uint32_t features, uint64_t sum, const void *bytes, uint32_t len_bytes)
{
    if (len_bytes >= VECTOR_MIN_BYTES && (features & checksum_vector_feature()) != 0)
        return checksum_add_vector(sum, bytes, len_bytes);
    return checksum_add_portable(sum, bytes, len_bytes);
}

uint64_t checksum_copy(uint32_t features, uint64_t sum, void *to, const void *from,
                       uint32_t len_bytes)
{
    if (len_bytes >= VECTOR_MIN_BYTES && (features & checksum_vector_feature()) != 0)
        return checksum_copy_vector(sum, to, from, len_bytes);
    return checksum_copy_portable(sum, to, from, len_bytes);
}

uint16_t checksum_finish(uint64_t sum)
{
    return (uint16_t)~checksum_fold(sum);
}

uint64_t checksum_combine(uint64_t sum, uint64_t piece_sum, uint32_t offset_bytes)
{
    const uint32_t piece = checksum_fold(piece_sum);
    return checksum_round(sum, offset_bytes % 2 == 0 ? piece : (piece << 8 | piece >> 8) & 0xffff);
}

uint64_t checksum_pseudo(const uint8_t *src, const uint8_t *dst, uint32_t addr_bytes,
                         uint8_t protocol, uint32_t len_bytes)
{
    uint64_t sum = (uint64_t)protocol + len_bytes;
    for (uint32_t i = 0; i < addr_bytes; i += 4) /* RFC 1071 2(C): words may be wider */
        sum += (uint64_t)load_be32(src + i) + load_be32(dst + i);
    return sum;
}
