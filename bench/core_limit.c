/* SPDX-License-Identifier: MIT */
/*
 * core_limit.c - The bare cost of the data: every byte is copied and summed once by the
 * sender, verified once by the receiver, and copied out once to its application.
 */
#include <stdlib.h>
#include <string.h>

#include <lastack/runtime.h>

#include "bench/core.h"
#include "bench/pair.h"
#include "core/base/checksum.h"

#define TOTAL_BYTES 8000000000u
#define RING 16u

double limit_bulk(uint64_t piece_bytes)
{
    static uint8_t from[65536], out[65536];
    static uint8_t wire[RING][65536];
    const uint32_t features = la_rt_cpu_features();
    const uint32_t n = (uint32_t)piece_bytes;
    volatile uint64_t sink = 0;
    uint64_t sum = 0;
    uint64_t done = 0;
    const uint64_t begin = bench_ns();

    for (uint32_t i = 0; done < TOTAL_BYTES; i = (i + 1) % RING) {
        sum += checksum_copy(features, 0, wire[i], from, n);
        sum += checksum_add(features, 0, wire[i], n);
        memcpy(out, wire[i], n);
        done += n;
    }
    sink += sum + out[7];
    (void)sink;
    return (double)done * 8 / (double)(bench_ns() - begin);
}

double limit_fused(uint64_t piece_bytes)
{
    static uint8_t from[65536], to[65536];
    const uint32_t features = la_rt_cpu_features();
    volatile uint64_t sink = 0;
    uint64_t sum = 0;
    uint64_t done = 0;
    const uint64_t begin = bench_ns();

    for (; done < TOTAL_BYTES; done += piece_bytes)
        sum += checksum_copy(features, 0, to, from, (uint32_t)piece_bytes);
    sink += sum + to[7];
    (void)sink;
    return (double)done / (double)(bench_ns() - begin);
}
