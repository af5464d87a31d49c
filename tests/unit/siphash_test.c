/* SPDX-License-Identifier: MIT */
/* siphash_test.c - SipHash against the vectors of its authors. */
#include "tests/unit/base_test.h"

#include "core/base/siphash.h"

static const struct siphash_key key = { UINT64_C(0x0706050403020100),
                                        UINT64_C(0x0f0e0d0c0b0a0908) };

static uint8_t input[64];

static void fill(void)
{
    for (uint32_t i = 0; i < sizeof input; i++)
        input[i] = (uint8_t)i;
}

TEST(siphash_2_4_gives_the_published_values)
{
    static const uint64_t want[16] = {
        UINT64_C(0x726fdb47dd0e0e31), UINT64_C(0x74f839c593dc67fd), UINT64_C(0x0d6c8009d9a94f5a),
        UINT64_C(0x85676696d7fb7e2d), UINT64_C(0xcf2794e0277187b7), UINT64_C(0x18765564cd99a68d),
        UINT64_C(0xcbc9466e58fee3ce), UINT64_C(0xab0200f58b01d137), UINT64_C(0x93f5f5799a932462),
        UINT64_C(0x9e0082df0ba9e4b0), UINT64_C(0x7a5dbbc594ddb9f3), UINT64_C(0xf4b32f46226bada7),
        UINT64_C(0x751e8fbc860ee5fb), UINT64_C(0x14ea5627c0843d90), UINT64_C(0xf723ca908e7af2ee),
        UINT64_C(0xa129ca6149be45e5),
    };
    fill();
    for (uint32_t len = 0; len < 16; len++)
        assert_true(siphash(&key, input, len) == want[len]);
}

TEST(every_length_and_every_bit_of_key_and_input_matters)
{
    fill();
    for (uint32_t len = 1; len < sizeof input; len++) {
        const uint64_t a = siphash(&key, input, len);
        const uint64_t b = siphash13(&key, input, len);
        assert_true(a != b);
        assert_true(siphash(&key, input, len - 1) != a);
        for (uint32_t bit = 0; bit < 8 * len; bit++) {
            input[bit / 8] ^= (uint8_t)(1u << bit % 8);
            assert_true(siphash(&key, input, len) != a);
            assert_true(siphash13(&key, input, len) != b);
            input[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        for (uint32_t bit = 0; bit < 64; bit++) {
            const struct siphash_key k0 = { key.k0 ^ UINT64_C(1) << bit, key.k1 };
            const struct siphash_key k1 = { key.k0, key.k1 ^ UINT64_C(1) << bit };
            assert_true(siphash(&k0, input, len) != a && siphash(&k1, input, len) != a);
            assert_true(siphash13(&k0, input, len) != b && siphash13(&k1, input, len) != b);
        }
    }
}

TEST(alignment_does_not_matter)
{
    uint8_t room[80];
    fill();
    for (uint32_t at = 0; at < 8; at++) {
        memcpy(room + at, input, 37);
        assert_true(siphash(&key, room + at, 37) == siphash(&key, input, 37));
    }
}

/* The low bits choose a bucket of the index: 1,024 of them, a million counted keys. */
TEST(the_low_bits_spread_counted_inputs_evenly)
{
    static uint32_t bucket[1024];
    for (uint32_t n = 0; n < 1024 * 1024; n++) {
        memcpy(input, &n, sizeof n);
        bucket[siphash13(&key, input, 12) & 1023u]++;
    }
    for (uint32_t i = 0; i < 1024; i++)
        assert_in_range(bucket[i], 1024 - 6 * 32, 1024 + 6 * 32);
}

TEST(subkeys_differ_by_purpose_and_by_secret_and_in_both_halves)
{
    uint8_t secret[16];
    fill();
    memcpy(secret, input, sizeof secret);
    const struct siphash_key a = siphash_subkey(secret, 1);
    const struct siphash_key again = siphash_subkey(secret, 1);
    const struct siphash_key b = siphash_subkey(secret, 2);
    secret[15] ^= 1;
    const struct siphash_key c = siphash_subkey(secret, 1);
    assert_true(a.k0 == again.k0 && a.k1 == again.k1);
    assert_true(a.k0 != a.k1);
    assert_true(a.k0 != b.k0 && a.k1 != b.k1);
    assert_true(a.k0 != c.k0 && a.k1 != c.k1);
}

TEST_MAIN
