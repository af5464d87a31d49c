/* SPDX-License-Identifier: MIT */
/*
 * checksum_plain.c - In place of the vector kernels, where the processor is of another
 * family: the build takes this file or checksum_x86.c, never both.
 */
#include "core/base/checksum.h"

uint64_t checksum_add_avx2(uint64_t sum, const void *bytes, uint32_t len_bytes)
{
    return checksum_add_portable(sum, bytes, len_bytes);
}

uint64_t checksum_copy_avx2(uint64_t sum, void *to, const void *from, uint32_t len_bytes)
{
    return checksum_copy_portable(sum, to, from, len_bytes);
}
