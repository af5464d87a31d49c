/* SPDX-License-Identifier: MIT */
/*
 * swarm.c - Everything at random.
 *
 * Each feature and each fault is either left out of a run or drawn from its range, so
 * that runs differ in kind and not only in degree: a fault that hides another one is
 * absent from half of the runs.
 */
#include "sim/scenario.h"

static uint32_t maybe(struct sim_world *w, uint32_t permille_max)
{
    return sim_coin(w) ? 0 : (uint32_t)sim_prng_between(&w->rng, 1, permille_max);
}

static void random_sysctls(struct sim_world *w, struct sim_host_opt *opt)
{
    struct sim_prng *rng = &w->rng;

    sim_host_sysctl(opt, "net.ipv4.tcp_sack", sim_coin(w));
    sim_host_sysctl(opt, "net.ipv4.tcp_timestamps", sim_coin(w));
    sim_host_sysctl(opt, "net.ipv4.tcp_window_scaling", sim_coin(w));
    sim_host_sysctl(opt, "net.lastack.tcp_msl_ms", sim_prng_between(rng, 100, 30000));
    if (sim_coin(w))
        sim_host_sysctl(opt, "net.lastack.tcp_rcvbuf",
                        UINT64_C(1024) << sim_prng_between(rng, 2, 10));
    if (sim_coin(w))
        sim_host_sysctl(opt, "net.lastack.tcp_sndbuf",
                        UINT64_C(2048) << sim_prng_between(rng, 2, 9));
    if (sim_coin(w))
        sim_host_sysctl(opt, "net.lastack.tcp_initial_cwnd", sim_prng_between(rng, 1, 20));
    if (sim_coin(w))
        sim_host_sysctl(opt, "net.lastack.tcp_delack_ms", sim_prng_between(rng, 1, 200));
}

static struct sim_host *random_host(struct sim_world *w)
{
    static const uint32_t mtus[] = { 1280, 1400, 1500, 9000 };
    struct sim_host_opt opt;
    struct sim_prng *rng = &w->rng;

    sim_host_opt_default(w, &opt);
    opt.mtu_bytes = mtus[sim_prng_below(rng, 4)];
    opt.checksum_offload = sim_coin(w);
    opt.gso_max_bytes = sim_coin(w) ? 0 : 65000;
    opt.twin_permille = maybe(w, 20);
    opt.trim_permille = maybe(w, 10);
    opt.config.chunk_bytes = 512u << sim_prng_below(rng, 4);
    opt.config.chunks = (uint32_t)sim_prng_between(rng, 256, 2048);
    opt.config.reserve_chunks = opt.config.chunks / 8;
    opt.config.short_v4 = opt.config.short_v6 = (uint32_t)sim_prng_between(rng, 12, 32);
    random_sysctls(w, &opt);
    return sim_host(w, &opt);
}

static void random_flow(struct sim_world *w)
{
    static const enum sim_close closes[][2] = {
        { SIM_CLOSE_HALF, SIM_CLOSE_HALF }, { SIM_CLOSE_HALF, SIM_CLOSE_LAST },
        { SIM_CLOSE_LAST, SIM_CLOSE_HALF }, { SIM_CLOSE_FULL, SIM_CLOSE_FULL },
        { SIM_CLOSE_FULL, SIM_CLOSE_LAST }, { SIM_CLOSE_LAST, SIM_CLOSE_FULL },
        { SIM_CLOSE_FULL, SIM_CLOSE_HALF }, { SIM_CLOSE_HALF, SIM_CLOSE_FULL },
    };
    static const uint32_t sizes[] = { 0, 1, 1000, 30000, 300000 };
    struct sim_prng *rng = &w->rng;
    const struct sim_link *l = w->links[sim_prng_below(rng, w->link_count)];
    const unsigned from = sim_coin(w);
    const uint64_t order = sim_prng_below(rng, sizeof closes / sizeof closes[0]);
    struct sim_flow_opt flow = { .start_us = sim_prng_below(rng, 5000000) };

    flow.v6 = sim_coin(w);

    for (unsigned i = 0; i < 2; i++) {
        sim_app_opt_random(w, &flow.end[i], 20000);
        flow.end[i].send_bytes = sim_prng_below(rng, sizes[sim_prng_below(rng, 5)] + 1u);
        flow.end[i].close = closes[order][i];
        flow.end[i].close_delay_us = sim_coin(w) ? 0 : (uint32_t)sim_prng_below(rng, 1000000);
        flow.end[i].read_after_us = sim_coin(w) ? 0 : (uint32_t)sim_prng_below(rng, 1000000);
    }
    sim_flow(w, l->end[from], l->end[1 - from], &flow);
}

/*
 * Two to four hosts in a star, one to twelve flows, every fault, for up to thirty
 * seconds.  Expect what the checkers expect, whatever was drawn.
 */
SCENARIO(swarm, 90)
{
    const uint64_t hosts = sim_prng_between(&w->rng, 2, 4);
    const uint64_t flows = sim_prng_between(&w->rng, 1, 12);
    const uint64_t heal_ns = sim_ms(sim_prng_between(&w->rng, 1000, 30000));
    struct sim_host *centre = random_host(w);

    for (uint64_t i = 1; i < hosts; i++) {
        struct sim_link_opt opt = sim_link_opt_random(w);

        opt.loss_permille = maybe(w, 300);
        opt.dup_permille = maybe(w, 300);
        opt.reorder_permille = maybe(w, 300);
        opt.corrupt_permille = maybe(w, 100);
        struct sim_link *l = sim_link(w, centre, random_host(w), &opt);

        if (sim_coin(w)) {
            const uint64_t down_ns = sim_prng_below(&w->rng, heal_ns);

            sim_link_down(l, down_ns);
            sim_link_up(l, down_ns + sim_ms(sim_prng_below(&w->rng, 8000)));
        }
    }
    for (uint64_t i = 0; i < flows; i++)
        random_flow(w);
    sim_run_until(w, heal_ns);
    sim_end(w, sim_s(600));
}
