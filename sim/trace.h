/* SPDX-License-Identifier: MIT */
/*
 * trace.h - A run as text: one line for each packet, state change, timer and refusal.
 *
 *        12.040311  A > B  SYN seq 0 ack 0 len 0 win 65535  10.0.0.1:40001 > 10.0.0.2:80  lost
 *        12.040311  A      SYN-SENT -> ESTABLISHED  10.0.0.1:40001
 *
 * Time is virtual, seconds and microseconds.  Sequence numbers count from each side's ISN.
 * Tracing reads what the run does anyway and changes nothing in it.
 */
#ifndef SIM_TRACE_H
#define SIM_TRACE_H

#include "sim/link.h"

/* @to: NULL if no link leads there.  @fate: SIM_LOST and so on. */
void sim_trace_packet(const struct sim_host *from, const struct sim_host *to,
                      const struct sim_segment *seg, uint32_t fate);
void sim_trace_record(const struct sim_host *h, const struct la_trace *record);

#endif
