/* SPDX-License-Identifier: MIT */
/*
 * checksum_plain.c - In place of the vector kernels, where the processor is of another
 * family: the build takes one file of this folder.
 */
#include "core/base/checksum.h"

uint32_t checksum_vector_feature(void)
{
    return 0;
}

uint64_t checksum_add_vector(uint64_t sum, const void *bytes, uint32_t len_bytes)
{
    return checksum_add_portable(sum, bytes, len_bytes);
}

uint64_t checksum_copy_vector(uint64_t sum, void *to, const void *from, uint32_t len_bytes)
{
    return checksum_copy_portable(sum, to, from, len_bytes);
}
