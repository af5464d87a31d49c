/* SPDX-License-Identifier: MIT */
/* siphash.h - SipHash-2-4 (Aumasson, Bernstein): a keyed function an outsider can not compute. */
#ifndef CORE_BASE_SIPHASH_H
#define CORE_BASE_SIPHASH_H

#include "core/base/mem.h"

struct siphash_key {
    uint64_t k0, k1;
};

uint64_t siphash(const struct siphash_key *key, const void *bytes, uint32_t len_bytes);
/* SipHash-1-3: for the index, where only collisions must be unpredictable. */
uint64_t siphash13(const struct siphash_key *key, const void *bytes, uint32_t len_bytes);
/* A key for one purpose, derived from the stack's secret. */
struct siphash_key siphash_subkey(const uint8_t secret[16], uint32_t purpose);

#endif
