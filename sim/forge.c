/* SPDX-License-Identifier: MIT */
/* forge.c - What forge.h says. */
#include "sim/forge.h"
#include "sim/memory.h"

void sim_forge_syn(struct sim_world *w, const struct sim_packet *mould)
{
    struct sim_packet *p = sim_packet_copy(mould);
    struct sim_segment seg;

    sim_segment_read(p->bytes, p->len_bytes, &seg);
    uint8_t *tcp = p->bytes + seg.ip_header_bytes;

    p->bytes[seg.v6 ? 23 : 15] = (uint8_t)sim_prng_between(&w->rng, 100, 200);
    tcp[0] = (uint8_t)sim_prng_between(&w->rng, 4, 255);
    tcp[1] = (uint8_t)sim_prng_below(&w->rng, 256);
    for (unsigned i = 4; i < 8; i++)
        tcp[i] = (uint8_t)sim_prng_below(&w->rng, 256);
    sim_checksum_repair(p->bytes, p->len_bytes);
    sim_inject(p, w->now_ns);
    sim_release(p);
}
