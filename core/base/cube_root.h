/* SPDX-License-Identifier: MIT */
/* cube_root.h - The whole part of a cube root, by hand: the core has no floating point. */
#ifndef CORE_BASE_CUBE_ROOT_H
#define CORE_BASE_CUBE_ROOT_H

#include <stdint.h>

/* The largest r with r * r * r <= @a. */
uint32_t cube_root(uint64_t a);

#endif
