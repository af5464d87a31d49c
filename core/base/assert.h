/* SPDX-License-Identifier: MIT */
/*
 * assert.h - Assertions on what the programmer promises, never on what the network sends.
 *
 * LA_ASSERT holds in every build; LA_DCHECK costs more and holds in debug builds, where
 * the build sets LA_DEBUG to 1.  Both are always compiled.
 */
#ifndef CORE_BASE_ASSERT_H
#define CORE_BASE_ASSERT_H

#include <lastack/stack.h>

#define LA_LIKELY(x) __builtin_expect(!!(x), 1)
#define LA_UNLIKELY(x) __builtin_expect(!!(x), 0)

#define LA_ASSERT(x) (LA_LIKELY(x) ? (void)0 : la_panic(__FILE__, __LINE__, #x))
#define LA_DCHECK(x) ((!LA_DEBUG || LA_LIKELY(x)) ? (void)0 : la_panic(__FILE__, __LINE__, #x))

#define LA_COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

#endif
