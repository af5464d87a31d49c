/* SPDX-License-Identifier: MIT */
/*
 * routed.c - Hosts that are no neighbours: routers between them, which have something to say.
 */
#include "sim/router.h"
#include "sim/scenario.h"

#define ROUTERS_MAX 4u

struct road {
    struct sim_host *a, *b;
    struct sim_router *router[ROUTERS_MAX];
    uint32_t routers;
    struct sim_link *link[ROUTERS_MAX + 1];
};

static struct sim_link *some_link(struct sim_world *w, struct sim_host *from, struct sim_host *to)
{
    struct sim_link_opt opt = sim_link_opt_random(w);

    opt.delay_us /= 4;
    opt.jitter_us /= 4;
    opt.loss_permille = sim_coin(w) ? 0 : (uint32_t)sim_prng_below(&w->rng, 20);
    return sim_link(w, from, to, &opt);
}

static void build(struct sim_world *w, struct road *r)
{
    struct sim_host *last;

    *r = (struct road){ .routers = (uint32_t)sim_prng_between(&w->rng, 2, ROUTERS_MAX) };
    r->a = last = sim_host(w, NULL);
    for (uint32_t i = 0; i < r->routers; i++) {
        r->router[i] = sim_router(w);
        r->router[i]->says_down = true;
        r->link[i] = some_link(w, last, r->router[i]->host);
        if (i == 0)
            r->a->gateway = r->router[i]->host;
        last = r->router[i]->host;
    }
    r->b = sim_host(w, NULL);
    r->link[r->routers] = some_link(w, last, r->b);
    r->b->gateway = last;
}

static uint64_t sum_of(const struct road *r, bool expired)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < r->routers; i++)
        sum += expired ? r->router[i]->expired : r->router[i]->too_big;
    return sum;
}

/*
 * Two to four routers; a link between two of them takes less than an Ethernet's MTU, and dies for some
 * seconds; for half of the seeds the opener's TTL is too small by one at first.  Expect: time exceeded
 * and host unreachable end nothing, what is too big is sent smaller, and all arrives.
 */
SCENARIO(routed, 30)
{
    struct sim_flow_opt flow = { .v6 = sim_coin(w) };
    const bool short_ttl = sim_coin(w);
    struct road r;

    build(w, &r);
    struct sim_link *middle = r.link[sim_prng_between(&w->rng, 1, r.routers - 1)];

    middle->opt.mtu_bytes = (uint32_t)sim_prng_between(&w->rng, flow.v6 ? 1280 : 600, 1499);
    if (short_ttl && sim_call_sysctl_set(r.a, "net.ipv4.ip_default_ttl", r.routers) != LA_OK)
        sim_fail(w, "a TTL of %u was refused", r.routers);
    for (unsigned i = 0; i < 2; i++) {
        flow.end[i].send_bytes = sim_prng_between(&w->rng, 1, 200000);
        flow.end[i].close = SIM_CLOSE_HALF;
    }
    struct sim_flow *f = sim_flow(w, r.a, r.b, &flow);

    sim_run_for(w, sim_ms(sim_prng_between(&w->rng, 100, 2500)));
    for (unsigned n = 0; short_ttl && sum_of(&r, true) == 0 && n < 200; n++)
        sim_run_for(w, sim_ms(100));
    SIM_REQUIRE(w, !short_ttl || (sum_of(&r, true) > 0 && !f->app[0].connected),
                "a packet came further than its TTL");
    if (short_ttl && sim_call_set_option(r.a, f->app[0].conn, LA_OPT_TTL, 64) != LA_OK)
        sim_fail(w, "a TTL of 64 was refused");
    if (sim_coin(w)) {
        sim_link_down(middle, w->now_ns);
        sim_link_up(middle, w->now_ns + sim_ms(sim_prng_below(&w->rng, 8000)));
    }
    sim_run_for(w, sim_s(9));
    sim_end(w, sim_s(300));
    for (unsigned i = 0; i < 2; i++)
        SIM_REQUIRE(w, flow.end[i].send_bytes < 100000 || sum_of(&r, false) > 0,
                    "nothing was too big for the narrow link");
}
