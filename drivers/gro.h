/* SPDX-License-Identifier: MIT */
/* gro.h - Segments of one flow that came one behind the other become one frame. */
#ifndef DRIVERS_GRO_H
#define DRIVERS_GRO_H

#include <lastack/stack.h>

/*
 * gro_merge() - Merge what may be merged in a burst.
 * @frames:       In order of arrival; their bytes lie at rising addresses in memory that may be
 *                written, and whatever lies between them is nobody's.  Rewritten
 * @cpu_features: LA_CPU_*
 *
 * Return: how many frames there are now.  Cost: one checksum and one copy of each segment that
 *         is merged; nothing but a look at the headers for what is not.
 */
uint32_t gro_merge(uint32_t cpu_features, struct la_frame *frames, uint32_t count);

#endif
