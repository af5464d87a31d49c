/* SPDX-License-Identifier: MIT */
/* muldiv.h - a * b / c with a 128-bit intermediate, by hand: the core has no 128-bit type. */
#ifndef CORE_BASE_MULDIV_H
#define CORE_BASE_MULDIV_H

#include <stdint.h>

/* floor(a * b / c); @c > 0 (asserted); saturates at UINT64_MAX. */
uint64_t muldiv64(uint64_t a, uint64_t b, uint64_t c);

#endif
