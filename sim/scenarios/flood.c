/* SPDX-License-Identifier: MIT */
/*
 * flood.c - SYNs of nobody, while real clients knock.
 */
#include "sim/forge.h"
#include "sim/memory.h"
#include "sim/scenario.h"

#define CLIENTS 24u
#define FLOOD_MS 4000u
#define BACKLOG 8
#define EPOCH_S 64u

struct flood {
    struct sim_packet *syn; /* one that a client has sent: the mould of the others */
    uint64_t end_ns;
    uint32_t each_ms; /* SYNs */
    uint32_t made;
};

/* The first SYN that passes is kept. */
static uint32_t watch(struct sim_world *w, void *context, struct sim_packet *packet,
                      const struct sim_segment *seg)
{
    struct flood *f = context;

    (void)w;
    if (f->syn == NULL && seg->flags == SIM_SYN)
        f->syn = sim_packet_copy(packet);
    return 0;
}

static void pour(struct sim_world *w, void *context)
{
    struct flood *f = context;

    if (w->now_ns >= f->end_ns)
        return;
    for (uint32_t i = 0; f->syn != NULL && i < f->each_ms; i++, f->made++)
        sim_forge_syn(w, f->syn);
    sim_at(w, w->now_ns + sim_ms(1), pour, f);
}

static uint32_t connected(const struct sim_world *w)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < w->flow_count; i++)
        n += w->flows[i]->app[0].connected && w->flows[i]->app[1].connected;
    return n;
}

static void plan_clients(struct sim_world *w, const struct sim_pair *p, bool v6)
{
    for (uint32_t i = 0; i < CLIENTS; i++) {
        struct sim_flow_opt flow = { .v6 = v6 };

        flow.start_us = i == 0 ? 0 : 200000 + i * (FLOOD_MS - 1000) * 1000 / CLIENTS;
        for (unsigned e = 0; e < 2; e++) {
            sim_app_opt_random(w, &flow.end[e], 2000);
            flow.end[e].send_bytes = sim_prng_between(&w->rng, 1, 400);
            flow.end[e].write_min = flow.end[e].write_max = 400;
            flow.end[e].close = SIM_CLOSE_HALF;
        }
        sim_flow(w, p->a, p->b, &flow);
    }
}

/*
 * Up to five SYNs a millisecond from addresses nobody has, to a listener whose queues hold nine,
 * while clients knock over a path that may lose a packet in a hundred.  Expect with cookies:
 * every client is served, nearly all of them during the flood; the SYN queue holds nine records
 * and not one more; no answer is repeated for a cookie.  Without: hardly anybody is served
 * before the flood is over, and all are afterwards.
 */
SCENARIO(syn_flood, 10)
{
    const bool cookies = sim_coin(w), v6 = sim_coin(w);
    struct sim_host_opt client, server;
    struct flood f = { .end_ns = sim_ms(FLOOD_MS) };

    sim_host_opt_default(w, &client);
    sim_host_opt_default(w, &server);
    server.clock_ns -= server.clock_ns % sim_s(EPOCH_S); /* one epoch for all cookies */
    sim_host_sysctl(&server, "net.ipv4.tcp_syncookies", cookies);
    sim_host_sysctl(&client, "net.ipv4.tcp_timestamps", sim_coin(w));
    const struct sim_pair p =
        sim_pair_of(w, &client, &server,
                    &(struct sim_link_opt){
                        .delay_us = (uint32_t)sim_prng_between(&w->rng, 1000, 25000),
                        .loss_permille = sim_coin(w) ? 10 : 0,
                    });

    f.each_ms = (uint32_t)sim_prng_between(&w->rng, 1, 5);
    sim_host_listen(p.b, 80, BACKLOG);
    sim_link_tap(p.link, watch, &f);
    plan_clients(w, &p, v6);
    sim_at(w, sim_ms(100), pour, &f);
    sim_run_until(w, f.end_ns);

    const uint32_t served = connected(w);
    const struct la_table_use half =
        la_table_use(p.b->stack, v6 ? LA_TABLE_HALF_OPEN_V6 : LA_TABLE_HALF_OPEN_V4);

    SIM_REQUIRE(w, f.made > FLOOD_MS / 2, "only %u SYNs were forged", f.made);
    SIM_REQUIRE(w, half.used_max <= BACKLOG + 1, "%u half-open records", half.used_max);
    SIM_REQUIRE(w, (sim_count(p.b, LA_COUNT_SyncookiesSent) > 0) == cookies, "cookies sent");
    if (cookies)
        SIM_REQUIRE(w, served >= CLIENTS - 3, "with cookies %u of %u were served", served, CLIENTS);
    else
        SIM_REQUIRE(w, served <= CLIENTS / 4, "without cookies %u of %u were served", served,
                    CLIENTS);
    sim_run_until(w, sim_s(8));
    sim_link_tap(p.link, NULL, NULL);
    sim_release(f.syn);
    sim_end(w, sim_s(200));
    SIM_REQUIRE(w, connected(w) == CLIENTS, "%u of %u clients were served in the end", connected(w),
                CLIENTS);
}
