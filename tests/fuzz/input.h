/* SPDX-License-Identifier: MIT */
/*
 * input.h - A fuzzer's bytes, taken from the front as choices; zeros when they are used up.
 *
 * must() is the oracle's word: what it says ends the run if it is not so.
 */
#ifndef TESTS_FUZZ_INPUT_H
#define TESTS_FUZZ_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

struct input {
    const uint8_t *bytes;
    size_t left;
};

static inline uint8_t input_u8(struct input *in)
{
    if (in->left == 0)
        return 0;
    in->left--;
    return *in->bytes++;
}
static inline uint32_t input_u16(struct input *in)
{
    const uint32_t low = input_u8(in);
    return low | (uint32_t)input_u8(in) << 8;
}
/* A number of any size: the first byte says how many bits, two more the upper ones. */
static inline uint64_t input_scaled(struct input *in)
{
    const uint32_t shift = input_u8(in) % 49u;
    return (uint64_t)input_u16(in) << shift;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len_bytes);

#define must(x) ((x) ? (void)0 : must_fail(__FILE__, __LINE__, #x))

static inline void must_fail(const char *file, int line, const char *what)
{
    fprintf(stderr, "%s:%d: it must be that %s\n", file, line, what);
    abort();
}
static inline void must_be_sound(const char *sentence)
{
    if (sentence == NULL)
        return;
    fprintf(stderr, "broken: %s\n", sentence);
    abort();
}

#endif
