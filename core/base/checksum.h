/* SPDX-License-Identifier: MIT */
/*
 * checksum.h - The Internet checksum (RFC 1071).
 *
 * A partial sum is a 64-bit value; sums of pieces add up if every piece but the last
 * has even length, or with checksum_add_odd().  checksum_fold() gives the 16-bit
 * ones-complement sum in the byte order of memory: store it with memcpy-like native
 * order via checksum_store(), compare with 0 for verification.
 */
#ifndef CORE_BASE_CHECKSUM_H
#define CORE_BASE_CHECKSUM_H

#include "core/base/mem.h"

/* Add @len bytes to @sum.  @features: LA_CPU_* of the configuration, 0 = portable. */
uint64_t checksum_add(uint32_t features, uint64_t sum, const void *bytes, uint32_t len_bytes);
/* Copy and add in one pass.  The ranges do not overlap. */
uint64_t checksum_copy(uint32_t features, uint64_t sum, void *to, const void *from, uint32_t len_bytes);
/* Add a piece's own sum that began at an odd offset: bytes swapped. */
uint64_t checksum_combine(uint64_t sum, uint64_t piece_sum, uint32_t offset_bytes);
/* Fold to 16 bits, in [0, 0xffff], as the big-endian number RFC 1071 defines. */
uint16_t checksum_fold(uint64_t sum);
/* What goes into the header: ~fold(sum).  The number is big-endian's value: store with store_be16. */
uint16_t checksum_finish(uint64_t sum);
/* Pseudo-header of RFC 9293 3.1 / RFC 8200 8.1: addresses of 4 or 16 bytes each. */
uint64_t checksum_pseudo(const uint8_t *src, const uint8_t *dst, uint32_t addr_bytes, uint8_t protocol,
                         uint32_t len_bytes);

#endif
