/* SPDX-License-Identifier: MIT */
/*
 * origins.c - Sequence numbers are only differences.
 *
 * One run at six pairs of ISNs, around the places where 32 bits wrap and where their
 * sign changes.  All that is relative must be equal, packet by packet.
 */
#include "sim/check/check.h"
#include "sim/scenario.h"

#define CLIENT_PORT 4000u
#define SERVER_PORT 80u

/* Fold in what a packet says, as seen from the ISNs. */
static uint32_t note_packet(struct sim_world *w, void *context, struct sim_packet *packet,
                            const struct sim_segment *seg)
{
    uint64_t *hash = context;
    uint32_t seq = 0, ack = 0;

    sim_wire_relative(w, seg, &seq, &ack);
    const uint64_t said[] = { w->now_ns,       packet->from->index, seq,        ack,
                              seg->text_bytes, seg->window,         seg->flags, seg->sack_blocks };

    for (unsigned i = 0; i < sizeof said / sizeof said[0]; i++)
        *hash = sim_mix(*hash ^ said[i]) + said[i];
    return 0;
}

static void begin_faults(struct sim_world *w, void *context)
{
    const struct sim_link_opt *faults = context;

    w->links[0]->opt = *faults;
}

/* Aim both ISNs at @isn.  The server chooses its own when the SYN arrives. */
static void aim(struct sim_world *w, const struct sim_pair *p, bool v6, uint32_t isn)
{
    const struct la_endpoint client = { sim_host_addr(p->a, v6), CLIENT_PORT };
    const struct la_endpoint server = { sim_host_addr(p->b, v6), SERVER_PORT };

    sim_host_aim(p->a, 0, client, server, isn);
    sim_host_aim(p->b, sim_us(p->link->opt.delay_us), server, client, isn);
    SIM_REQUIRE(w, p->link->opt.rate_kbps == 0, "the SYN's time of arrival is not known");
}

/* One run.  Return: the hash of all that is relative in it. */
static uint64_t run_at(struct sim_world *outer, uint32_t isn)
{
    struct sim_world w;
    struct sim_host_opt host[2];
    struct sim_link_opt faults = { .delay_us = 10000 };
    uint64_t hash = 0;

    sim_world_init(&w, outer->seed, outer->trace);
    for (unsigned i = 0; i < 2; i++) {
        sim_host_opt_default(&w, &host[i]);
        host[i].clock_ns = sim_s(1000000);
        host[i].twin_permille = host[i].trim_permille = 0;
    }
    const struct sim_pair p = sim_pair_of(&w, &host[0], &host[1], &faults);
    struct sim_flow_opt flow = { .v6 = sim_coin(&w),
                                 .client_port = CLIENT_PORT,
                                 .server_port = SERVER_PORT };

    aim(&w, &p, flow.v6, isn);
    sim_link_tap(p.link, note_packet, &hash);
    for (unsigned i = 0; i < 2; i++) {
        sim_app_opt_random(&w, &flow.end[i], 1000);
        flow.end[i].send_bytes = sim_prng_between(&w.rng, 15000, 60000);
        flow.end[i].close = SIM_CLOSE_HALF;
    }
    faults.rate_kbps = 2000;
    faults.loss_permille = (uint32_t)sim_prng_below(&w.rng, 100);
    faults.reorder_permille = (uint32_t)sim_prng_below(&w.rng, 100);
    faults.dup_permille = (uint32_t)sim_prng_below(&w.rng, 100);
    sim_flow(&w, p.a, p.b, &flow);
    sim_at(&w, sim_us(faults.delay_us) * 3 / 2, begin_faults, &faults);
    sim_run_for(&w, sim_s(10));
    sim_end(&w, sim_s(120));
    outer->packets += w.packets;
    if (w.failed)
        sim_fail(outer, "at ISN %u: %s", isn, w.message);
    sim_world_free(&w);
    return hash;
}

/*
 * A transfer both ways under loss, reordering and duplication.  Expect: the same packets
 * at the same times, whatever the ISNs (smoltcp 78fb02ac and kin).
 */
SCENARIO(isn_origins, 20)
{
    const uint32_t isns[] = { 0xffffffff, 0x7fffffff, 0xffffffff - 10000, 0x7fffffff - 10000,
                              (uint32_t)sim_prng_next(&w->rng) };
    const uint64_t hash = run_at(w, 0);

    for (unsigned i = 0; i < sizeof isns / sizeof isns[0] && !w->failed; i++)
        SIM_REQUIRE(w, run_at(w, isns[i]) == hash, "at ISN %u the run is another one", isns[i]);
    sim_note(w, hash);
}
