/* SPDX-License-Identifier: MIT */
/*
 * time_wait.c - Scenarios about what a connection leaves behind.
 */
#include "sim/memory.h"
#include "sim/scenario.h"

static uint32_t time_waits(const struct sim_host *h)
{
    uint32_t counts[LA_STATES];

    la_state_counts(h->stack, counts);
    return counts[LA_TIME_WAIT];
}

/* A short flow from @a to @b between given ports; the end @closes_first closes first. */
static struct sim_flow *short_flow(struct sim_world *w, const struct sim_pair *p, uint16_t port,
                                   unsigned closes_first, bool v6)
{
    struct sim_flow_opt flow = { .v6 = v6, .client_port = port };

    for (unsigned i = 0; i < 2; i++) {
        flow.end[i].send_bytes = sim_prng_between(&w->rng, 1, 5000);
        flow.end[i].close = i == closes_first ? SIM_CLOSE_FULL : SIM_CLOSE_LAST;
    }
    return sim_flow(w, p->a, p->b, &flow);
}

/*
 * MSL is set to something between one and thirty seconds.  Expect: the end that closed
 * first stays in TIME-WAIT for twice that, and no longer.  If that was the server, a
 * client may come again from the same port before then (RFC 9293 MAY-2, RFC 6191).
 */
SCENARIO(time_wait, 20)
{
    const uint64_t msl_ms = sim_prng_between(&w->rng, 1000, 30000);
    struct sim_host_opt host[2];

    for (unsigned i = 0; i < 2; i++) {
        sim_host_opt_default(w, &host[i]);
        sim_host_sysctl(&host[i], "net.lastack.tcp_msl_ms", msl_ms);
    }
    const struct sim_pair p =
        sim_pair_of(w, &host[0], &host[1], &(struct sim_link_opt){ .delay_us = 2000 });
    const unsigned first = sim_coin(w);
    const bool v6 = sim_coin(w);
    struct sim_host *closer = first == 0 ? p.a : p.b;
    const struct sim_flow *f = short_flow(w, &p, 4000, first, v6);

    sim_finish(w, sim_s(5));
    sim_run_for(w, sim_ms(100));
    SIM_REQUIRE(w, time_waits(closer) == 1, "%u in TIME-WAIT at the first closer",
                time_waits(closer));
    if (first == 1 && sim_coin(w)) { /* the client returns */
        f = short_flow(w, &p, 4000, first, v6);
        sim_finish(w, sim_s(5));
    }
    sim_run_until(w, f->finished_at_ns + sim_ms(2 * msl_ms - 100));
    SIM_REQUIRE(w, time_waits(closer) == 1, "TIME-WAIT ended early");
    sim_run_for(w, sim_ms(300));
    SIM_REQUIRE(w, time_waits(closer) == 0, "TIME-WAIT lasts too long");
    sim_rest(w);
}

/*
 * Twenty connections, records for four.  Expect: all finish, at most four stand in
 * TIME-WAIT, and each of the others was evicted and counted.
 */
SCENARIO(time_wait_full, 20)
{
    const bool v6 = sim_coin(w);
    struct sim_host_opt host[2];

    for (unsigned i = 0; i < 2; i++) {
        sim_host_opt_default(w, &host[i]);
        host[i].config.short_v4 = host[i].config.short_v6 = 4;
    }
    const struct sim_pair p =
        sim_pair_of(w, &host[0], &host[1], &(struct sim_link_opt){ .delay_us = 2000 });

    for (unsigned n = 0; n < 20 && !w->failed; n++) {
        short_flow(w, &p, (uint16_t)(4000 + n), 0, v6);
        sim_finish(w, sim_s(5));
        sim_run_for(w, sim_ms(500));
    }
    SIM_REQUIRE(w, time_waits(p.a) == 4, "%u in TIME-WAIT, room for 4", time_waits(p.a));
    const uint64_t evicted = la_drops(p.a->stack, LA_DROP_TIME_WAIT_EVICTED);

    SIM_REQUIRE(w, evicted == 16, "%llu TIME-WAITs evicted, not 16", (unsigned long long)evicted);
    sim_rest(w);
}

#define OLD_PACKETS_MAX 256u
#define REPLAYS_MAX 300u /* what they draw is answered with more of them: not for ever */

struct album {
    struct sim_packet *old[OLD_PACKETS_MAX];
    uint32_t count, replayed;
    bool replays;
};

/* First keep a copy of every packet, later send them after the new ones. */
static uint32_t keep_or_replay(struct sim_world *w, void *context, struct sim_packet *packet,
                               const struct sim_segment *seg)
{
    struct album *album = context;

    (void)seg;
    if (!album->replays) {
        if (album->count < OLD_PACKETS_MAX)
            album->old[album->count++] = sim_packet_copy(packet);
        return 0;
    }
    for (unsigned n = 0; n < 3 && album->count > 0 && album->replayed < REPLAYS_MAX; n++) {
        const struct sim_packet *old = album->old[sim_prng_below(&w->rng, album->count)];

        album->replayed++;
        sim_inject(old, w->now_ns + sim_prng_below(&w->rng, sim_ms(20)));
    }
    return 0;
}

/*
 * Two connections between the same ports, the second while the first one's TIME-WAIT
 * still stands or after it.  All through the second, packets of the first come back at
 * random.  Expect: none of their bytes is accepted, none of their flags does harm
 * (RFC 1337; RFC 9293 3.4.3).
 */
SCENARIO(old_duplicates, 20)
{
    const struct sim_pair p = sim_pair(w, &(struct sim_link_opt){ .delay_us = 5000 });
    struct album album = { 0 };
    const bool v6 = sim_coin(w);

    sim_link_tap(p.link, keep_or_replay, &album);
    short_flow(w, &p, 4000, sim_coin(w),
               v6); /* a client that closed first takes its TIME-WAIT over */
    sim_finish(w, sim_s(5));
    sim_run_for(w, sim_coin(w) ? sim_s(2) : sim_s(130));
    album.replays = true;
    short_flow(w, &p, 4000, 1, v6);
    sim_finish(w, sim_s(30));
    album.replays = false;
    sim_link_tap(p.link, NULL, NULL);
    for (uint32_t i = 0; i < album.count; i++)
        sim_release(album.old[i]);
    sim_rest(w);
}
