/* SPDX-License-Identifier: MIT */
/* choices.h - A fuzz target's input, read byte by byte; one that ends reads as zeros. */
#ifndef TESTS_FUZZ_CHOICES_H
#define TESTS_FUZZ_CHOICES_H

#include <stdint.h>

struct input {
    const uint8_t *at;
    uint32_t left;
};

static inline uint8_t u8(struct input *in)
{
    if (in->left == 0)
        return 0;
    in->left--;
    return *in->at++;
}
static inline uint16_t u16(struct input *in)
{
    const uint32_t high = u8(in);
    return (uint16_t)(high << 8 | u8(in));
}
static inline uint32_t u32(struct input *in)
{
    const uint32_t high = u16(in);
    return high << 16 | u16(in);
}

#endif
