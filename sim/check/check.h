/* SPDX-License-Identifier: MIT */
/*
 * check.h - The checkers that stand beside every run.
 *
 *   delivery.c  every byte once and in order, then one end
 *   wire.c      what the segments on the wire may and may not say
 *   state.c     what STATUS, readiness, la_check() and the timers may and may not say
 *   rest.c      nothing left over when all is done
 *
 * They use the public interface and the packets, nothing else, and report with
 * sim_fail().
 */
#ifndef SIM_CHECK_CHECK_H
#define SIM_CHECK_CHECK_H

#include "sim/flow.h"

/* delivery.c: an application has read these bytes; has met its end. */
void sim_check_bytes(struct sim_app *a, const uint8_t *bytes, uint32_t len_bytes);
void sim_check_end(struct sim_app *a, enum sim_app_end end);

/* wire.c: a host hands a packet to the wire.  Return: the connection's incarnation. */
uint32_t sim_wire_sent(struct sim_host *from, const struct sim_segment *seg, uint32_t len_bytes);
/* The packet is about to be given to the stack at its far end. */
void sim_wire_arrived(struct sim_world *w, const struct sim_packet *packet);
/* Sequence numbers as the trace shows them: from the ISN of either side. */
void sim_wire_relative(struct sim_world *w, const struct sim_segment *seg, uint32_t *seq,
                       uint32_t *ack);
void sim_wire_free(struct sim_world *w);

/* state.c: after every turn of a host. */
void sim_check_turn(struct sim_host *h);

/* timers.c: a trace record of a host. */
void sim_check_timeout(struct sim_host *h, const struct la_trace *record);

/* rest.c: all hosts, after everything has finished. */
void sim_check_rest(struct sim_world *w);

#endif
