/* SPDX-License-Identifier: MIT */
/*
 * siphash.c - SipHash-c-d for short inputs: ISNs, ports, index, timestamp offsets.
 *
 * Four words of state; every eight input bytes (little-endian) go in at one end, c rounds
 * are done, and they go in at the other; d rounds end it.  The last word carries the
 * length in its top byte.
 */
#include "core/base/siphash.h"

struct state {
    uint64_t a, b, c, d;
};

/* All of this is one expression to the compiler: the numbers of rounds are constants. */
#define INLINE static inline __attribute__((always_inline))

INLINE uint64_t rotate(uint64_t x, uint32_t bits)
{
    return x << bits | x >> (64 - bits);
}

INLINE void rounds(struct state *v, uint32_t count)
{
    for (; count > 0; count--) {
        v->a += v->b;
        v->c += v->d;
        v->b = rotate(v->b, 13) ^ v->a;
        v->d = rotate(v->d, 16) ^ v->c;
        v->a = rotate(v->a, 32);
        v->c += v->b;
        v->a += v->d;
        v->b = rotate(v->b, 17) ^ v->c;
        v->d = rotate(v->d, 21) ^ v->a;
        v->c = rotate(v->c, 32);
    }
}

/* @count bytes, at most 8, as a little-endian number. */
static uint64_t load_le(const uint8_t *p, uint32_t count)
{
    uint64_t x = 0;
    for (uint32_t i = 0; i < count; i++)
        x |= (uint64_t)p[i] << (8 * i);
    return x;
}

/* Eight bytes, little-endian: one load where the processor is. */
INLINE uint64_t load_le64(const uint8_t *p)
{
    return (uint64_t)p[0] | (uint64_t)p[1] << 8 | (uint64_t)p[2] << 16 | (uint64_t)p[3] << 24 |
           (uint64_t)p[4] << 32 | (uint64_t)p[5] << 40 | (uint64_t)p[6] << 48 |
           (uint64_t)p[7] << 56;
}

INLINE void absorb(struct state *v, uint64_t word, uint32_t count)
{
    v->d ^= word;
    rounds(v, count);
    v->a ^= word;
}

INLINE uint64_t hash(const struct siphash_key *key, const uint8_t *p, uint32_t len_bytes,
                     uint32_t c_rounds, uint32_t d_rounds)
{
    struct state v = {
        .a = key->k0 ^ UINT64_C(0x736f6d6570736575),
        .b = key->k1 ^ UINT64_C(0x646f72616e646f6d),
        .c = key->k0 ^ UINT64_C(0x6c7967656e657261),
        .d = key->k1 ^ UINT64_C(0x7465646279746573),
    };
    uint32_t left = len_bytes;
    for (; left >= 8; left -= 8, p += 8)
        absorb(&v, load_le64(p), c_rounds);
    absorb(&v, (uint64_t)len_bytes << 56 | load_le(p, left), c_rounds);
    v.c ^= 0xff;
    rounds(&v, d_rounds);
    return v.a ^ v.b ^ v.c ^ v.d;
}

uint64_t siphash(const struct siphash_key *key, const void *bytes, uint32_t len_bytes)
{
    return hash(key, bytes, len_bytes, 2, 4);
}

uint64_t siphash13(const struct siphash_key *key, const void *bytes, uint32_t len_bytes)
{
    return hash(key, bytes, len_bytes, 1, 3);
}

struct siphash_key siphash_subkey(const uint8_t secret[16], uint32_t purpose)
{
    const struct siphash_key key = { load_le(secret, 8), load_le(secret + 8, 8) };
    uint8_t input[5];
    for (uint32_t i = 0; i < 4; i++)
        input[i] = (uint8_t)(purpose >> (8 * i));
    input[4] = 0;
    const uint64_t k0 = siphash(&key, input, sizeof input);
    input[4] = 1;
    return (struct siphash_key){ k0, siphash(&key, input, sizeof input) };
}
