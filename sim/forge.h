/* SPDX-License-Identifier: MIT */
/*
 * forge.h - Packets of nobody.
 */
#ifndef SIM_FORGE_H
#define SIM_FORGE_H

#include "sim/link.h"

/* A SYN like @mould from an address that nobody has, with a port and an ISN by chance, arrives now. */
void sim_forge_syn(struct sim_world *w, const struct sim_packet *mould);

#endif
