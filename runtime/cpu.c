/* SPDX-License-Identifier: MIT */
/* cpu.c - Which instructions this processor has, for config.cpu_features. */
#include <lastack/runtime.h>

uint32_t la_rt_cpu_features(void)
{
    uint32_t features = 0;

#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2"))
        features |= LA_CPU_AVX2;
#endif
#if defined(__aarch64__)
    features |= LA_CPU_NEON; /* part of the architecture */
#endif
    return features;
}
