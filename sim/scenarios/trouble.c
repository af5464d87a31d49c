/* SPDX-License-Identifier: MIT */
/*
 * trouble.c - Scenarios about hosts in trouble: crashes and clocks.
 */
#include <string.h>

#include "sim/memory.h"
#include "sim/scenario.h"

static struct sim_flow_opt some_flow(struct sim_world *w, uint64_t bytes)
{
    struct sim_flow_opt flow = { .v6 = sim_coin(w) };

    for (unsigned i = 0; i < 2; i++) {
        sim_app_opt_random(w, &flow.end[i], 2000);
        flow.end[i].send_bytes = sim_prng_between(&w->rng, 1, bytes);
        flow.end[i].close = SIM_CLOSE_HALF;
    }
    return flow;
}

/*
 * One host forgets everything in mid-transfer and starts again.  Expect: its peers'
 * connections end with an error (RFC 9293 3.5.1, half-open
 * connections), even one that only listens, thanks to keepalive; afterwards connections
 * between the two work as if nothing had been.
 */
SCENARIO(restart, 20)
{
    struct sim_link_opt link = sim_link_opt_random(w);

    link.loss_permille = sim_coin(w) ? 0 : (uint32_t)sim_prng_below(&w->rng, 100);
    link.rate_kbps = 1000; /* so that it is in mid-transfer */
    const struct sim_pair p = sim_pair(w, &link);
    struct sim_host *crashes = sim_coin(w) ? p.a : p.b;
    struct sim_flow *flows[3];

    for (unsigned n = 0; n < 3; n++) {
        struct sim_flow_opt flow = some_flow(w, 1);

        flow.may_fail = true;
        for (unsigned i = 0; i < 2; i++) {
            flow.end[i].keepalive = true;
            flow.end[i].send_bytes = n == 2 ? 1000000 * i : 1000000;
        }
        flows[n] = sim_flow(w, p.a, p.b, &flow);
    }
    sim_run_for(w, sim_ms(sim_prng_between(&w->rng, 10, 4000)));
    sim_host_restart(crashes);
    sim_run_for(w, sim_s(10));
    sim_heal(w);
    for (unsigned n = 0; n < 3; n++) {
        const struct sim_app *peer = &flows[n]->app[crashes == p.a];

        if (!peer->connected && !peer->held)
            continue; /* it never came to be */
        while (!peer->finished && !w->failed && w->now_ns < sim_s(400))
            sim_run_for(w, sim_s(1));
        SIM_REQUIRE(w, peer->error != LA_OK, "a peer of the crashed host got no error");
    }
    if (w->failed)
        return;
    for (unsigned n = 0; n < 3; n++)
        sim_flow_abandon(flows[n]);
    const struct sim_flow_opt again = some_flow(w, 20000);

    sim_flow(w, p.a, p.b, &again);
    sim_end(w, sim_s(60));
}

static bool all_connected(const struct sim_world *w)
{
    for (uint32_t i = 0; i < w->flow_count; i++)
        if (!w->flows[i]->app[0].connected || !w->flows[i]->app[1].connected)
            return false;
    return true;
}

/*
 * In mid-transfer the clock of one host jumps ahead by up to eighteen seconds, up to five
 * times, as when a machine slept; that is less in all than any time after which
 * somebody gives up.  Expect: timers that were due fire, and nothing worse.
 */
SCENARIO(clock_jump, 20)
{
    struct sim_link_opt link = sim_link_opt_random(w);

    link.loss_permille = sim_coin(w) ? 0 : (uint32_t)sim_prng_below(&w->rng, 50);
    const struct sim_pair p = sim_pair(w, &link);
    const uint64_t jumps = sim_prng_between(&w->rng, 1, 5);

    for (unsigned n = 0; n < 3; n++) {
        const struct sim_flow_opt flow = some_flow(w, 200000);

        sim_flow(w, p.a, p.b, &flow);
    }
    while (!all_connected(w) && !w->failed && w->now_ns < sim_s(60))
        sim_run_for(w, sim_ms(50));
    for (uint64_t n = 0; n < jumps; n++) {
        sim_run_for(w, sim_ms(sim_prng_between(&w->rng, 1, 1000)));
        const uint64_t by_ms = sim_prng_between(&w->rng, 1, 18000);

        sim_host_jump(sim_coin(w) ? p.a : p.b, sim_ms(by_ms));
    }
    sim_end(w, sim_s(300));
}

struct spy {
    struct sim_packet *last[2]; /* from either end */
    const struct sim_host *first;
    uint32_t packets;
    uint32_t forged;
};

static uint32_t keep_last(struct sim_world *w, void *context, struct sim_packet *packet,
                          const struct sim_segment *seg)
{
    struct spy *spy = context;
    struct sim_packet **last = &spy->last[packet->from != spy->first];

    (void)w;
    (void)seg;
    spy->packets++;
    sim_release(*last);
    *last = sim_packet_copy(packet);
    return 0;
}

static void put32(uint8_t *at, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> (24 - 8 * i));
}

/* A segment that somebody sends who can guess everything but the exact numbers. */
static void forge(struct sim_world *w, void *context)
{
    struct spy *spy = context;
    struct sim_packet *p = sim_packet_copy(spy->last[sim_coin(w)]);
    const uint32_t little = (uint32_t)sim_prng_between(&w->rng, 1, 1000);
    const uint32_t far = UINT32_C(1) << 30;
    struct sim_segment seg;

    sim_segment_read(p->bytes, p->len_bytes, &seg);
    uint8_t *tcp = p->bytes + seg.ip_header_bytes;
    const uint32_t next = seg.seq + sim_segment_span(&seg);
    const struct {
        uint8_t flags;
        uint32_t seq, ack;
    } kinds[] = {
        { SIM_RST, next + little, 0 },
        { SIM_RST | SIM_ACK, next + little, seg.ack },
        { SIM_RST, next - little, 0 },
        { SIM_RST, next + 2 * far, 0 },
        { SIM_SYN, next + little, 0 },
        { SIM_SYN, next - little, 0 },
        { SIM_SYN | SIM_ACK, next + far, seg.ack },
        { SIM_ACK, next, seg.ack + little },
        { SIM_ACK, next, seg.ack - far },
        { SIM_ACK | SIM_FIN, next + far, seg.ack },
        { SIM_ACK, next + far, seg.ack },
        { SIM_FIN, next, 0 },
        { 0, next, 0 },
    };
    const uint64_t kind = sim_prng_below(&w->rng, sizeof kinds / sizeof kinds[0]);

    tcp[13] = kinds[kind].flags;
    put32(tcp + 4, kinds[kind].seq);
    put32(tcp + 8, kinds[kind].ack);
    sim_checksum_repair(p->bytes, p->len_bytes);
    sim_inject(p, w->now_ns);
    sim_release(p);
    spy->forged++;
}

/*
 * While two ends have nothing to say, somebody who knows their addresses and ports, but not
 * their numbers, sends resets, SYNs, ACKs and FINs.  Expect: the connection lives on and
 * ends well (RFC 5961), and no forged segment draws more than one answer.
 */
SCENARIO(blind_segments, 20)
{
    struct sim_pair p = sim_pair(w, &(struct sim_link_opt){ .delay_us = 5000 });
    struct sim_flow_opt flow = some_flow(w, 5000);
    struct spy spy = { .first = p.a };

    for (unsigned i = 0; i < 2; i++)
        flow.end[i].close_delay_us = 10000000;
    sim_link_tap(p.link, keep_last, &spy);
    sim_flow(w, p.a, p.b, &flow);
    sim_run_until(w, sim_s(5));
    const uint32_t before = spy.packets;

    for (unsigned n = 0; n < 200; n++)
        sim_at(w, sim_s(5) + sim_prng_below(&w->rng, sim_s(3)), forge, &spy);
    sim_run_until(w, sim_s(9));
    SIM_REQUIRE(w, spy.packets - before <= spy.forged, "%u answers to %u forged segments",
                spy.packets - before, spy.forged);
    sim_end(w, sim_s(30));
    sim_link_tap(p.link, NULL, NULL);
    sim_release(spy.last[0]);
    sim_release(spy.last[1]);
}
