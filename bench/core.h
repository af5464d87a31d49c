/* SPDX-License-Identifier: MIT */
/* core.h - The measurements of bench/core.c, each by whoever it measures; and their report. */
#ifndef BENCH_CORE_H
#define BENCH_CORE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Gbit/s of copy+checksum, verify and copy out, of pieces this large: what no stack can beat. */
double limit_bulk(uint64_t piece_bytes);
/* GB/s of the fused copy+checksum alone. */
double limit_fused(uint64_t piece_bytes);
/* Gbit/s of text; @gso_max_bytes 0 for one segment a packet. */
double lastack_bulk(uint64_t gso_max_bytes);
/* Million 64-byte round trips a second over so many connections, 1 or 32 in flight. */
double lastack_rr1(uint64_t connections);
double lastack_rr32(uint64_t connections);
/* Million lives of a connection a second: open, request, response, close; every TIME-WAIT is kept. */
double lastack_life(uint64_t unused);
void lastack_life_report(FILE *to);
/* 10: the whole work; 1: a tenth. */
void lastack_scale(uint64_t scale);

/* report.c ------------------------------------------------------------------------------------- */

#define REPEATS_MAX 15

/* Keep and print one figure: @v has @n values of it, in any order; it is sorted. */
void report_keep(const char *who, const char *what, const char *unit, double *v, uint32_t n);
/* The figures held against each other. */
void report_ratios(FILE *to);
/* The figures for programs. */
bool report_json(const char *path);

#endif
