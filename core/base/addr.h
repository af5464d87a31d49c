/* SPDX-License-Identifier: MIT */
/*
 * addr.h - The tests on addresses that every packet needs, inline: two words instead of
 * sixteen bytes.  The public la_addr_* functions say the same.
 */
#ifndef CORE_BASE_ADDR_H
#define CORE_BASE_ADDR_H

#include <lastack/types.h>

#include "core/base/mem.h"

struct addr_words {
    uint64_t high, low;
};

static inline struct addr_words addr_words(const struct la_addr *a)
{
    struct addr_words w;

    memcpy(&w, a->bytes, sizeof(w));
    return w;
}

static inline bool addr_is_v4(const struct la_addr *a)
{
    const uint8_t mapped[8] = { 0, 0, 0xff, 0xff, 0, 0, 0, 0 };
    const uint8_t mask[8] = { 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0 };
    const struct addr_words w = addr_words(a);
    uint64_t m, k;

    memcpy(&m, mapped, sizeof(m));
    memcpy(&k, mask, sizeof(k));
    return (w.high | ((w.low & k) ^ m)) == 0;
}

/* The IPv4 address at @at, in the mapped form: made of whole words, for it is read as such. */
static inline struct la_addr addr_v4_at(const uint8_t *at)
{
    const uint8_t mapped[4] = { 0, 0, 0xff, 0xff };
    const uint16_t one = 1;
    uint8_t first;
    uint32_t prefix, octets;
    struct addr_words w = { 0, 0 };
    struct la_addr a = { { 0 } };

    memcpy(&first, &one, 1); /* 1 on a little-endian machine: known to the compiler */
    memcpy(&prefix, mapped, sizeof(prefix));
    memcpy(&octets, at, sizeof(octets));
    w.low = first == 1 ? (uint64_t)octets << 32 | prefix : (uint64_t)prefix << 32 | octets;
    memcpy(a.bytes, &w, sizeof(w));
    return a;
}

static inline bool addr_equal(const struct la_addr *a, const struct la_addr *b)
{
    const struct addr_words x = addr_words(a);
    const struct addr_words y = addr_words(b);

    return ((x.high ^ y.high) | (x.low ^ y.low)) == 0;
}

/* Eight bytes of an address, the first on the left. */
static inline uint64_t addr_half(const uint8_t *at)
{
    return (uint64_t)at[0] << 56 | (uint64_t)at[1] << 48 | (uint64_t)at[2] << 40 |
           (uint64_t)at[3] << 32 | (uint64_t)at[4] << 24 | (uint64_t)at[5] << 16 |
           (uint64_t)at[6] << 8 | (uint64_t)at[7];
}

/* The bits of the left or, with @right, the right half of an address that a prefix of @len leaves free. */
static inline uint64_t addr_host_mask(uint32_t len, bool right)
{
    const uint32_t n = right ? (len > 64 ? len - 64 : 0) : len;

    return n >= 64 ? 0 : ~UINT64_C(0) >> n;
}

/* la_prefix_covers(), for prefixes that are known to be well formed. */
static inline bool addr_covered(const struct la_prefix *p, const struct la_addr *a)
{
    const uint64_t left = addr_half(p->addr.bytes) ^ addr_half(a->bytes);
    const uint64_t right = addr_half(p->addr.bytes + 8) ^ addr_half(a->bytes + 8);

    return ((left & ~addr_host_mask(p->len, false)) | (right & ~addr_host_mask(p->len, true))) == 0;
}

#endif
