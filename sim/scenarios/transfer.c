/* SPDX-License-Identifier: MIT */
/*
 * transfer.c - Scenarios about bytes under faults.
 *
 * All of them end the same way: the network is healed, everything must finish within
 * some minutes of virtual time, and nothing may be left over.
 */
#include "sim/scenario.h"

/* A flow that sends @bytes one way or the other, or both. */
static struct sim_flow *transfer(struct sim_world *w, const struct sim_pair *p, uint64_t bytes,
                                 bool both)
{
    struct sim_flow_opt flow = { .v6 = sim_coin(w) };
    const unsigned sender = sim_coin(w);

    for (unsigned i = 0; i < 2; i++) {
        sim_app_opt_random(w, &flow.end[i], 2000);
        flow.end[i].close = SIM_CLOSE_HALF;
        if (both || i == sender)
            flow.end[i].send_bytes = bytes;
    }
    return sim_flow(w, p->a, p->b, &flow);
}

/*
 * Two ends say little, now and then, over a path that loses nothing.  Expect: every byte
 * is there one way and a delayed ACK later at the latest, though Nagle's algorithm holds some
 * back, and nothing is ever sent again: ACKs are delayed by less than an RTO.
 */
SCENARIO(interactive, 20)
{
    const struct sim_link_opt link = { .delay_us = (uint32_t)sim_prng_below(&w->rng, 100000) };
    const struct sim_pair p = sim_pair(w, &link);
    struct sim_flow_opt flow = { .v6 = sim_coin(w) };

    for (unsigned i = 0; i < 2; i++) {
        flow.end[i] = (struct sim_app_opt){ .write_max = 100,
                                            .write_pause_us = 1000000,
                                            .close_delay_us = 1000000,
                                            .close = SIM_CLOSE_HALF };
        flow.end[i].send_bytes = sim_prng_below(&w->rng, 5000);
        flow.end[i].nodelay = sim_coin(w);
    }
    const struct sim_flow *f = sim_flow(w, p.a, p.b, &flow);

    while (w->flows_open > 0 && !w->failed && w->now_ns < sim_s(200)) {
        const uint64_t sent[] = { f->app[0].sent, f->app[1].sent };

        sim_run_for(w, sim_us(link.delay_us) * 4 + sim_ms(50));
        for (unsigned i = 0; i < 2; i++)
            SIM_REQUIRE(w, f->app[1 - i].received >= sent[i] || !f->app[1 - i].connected,
                        "a byte is late");
    }
    SIM_REQUIRE(w,
                w->failed ||
                    sim_count(p.a, LA_COUNT_RetransSegs) + sim_count(p.b, LA_COUNT_RetransSegs) ==
                        0,
                "something was sent again though nothing was lost");
    sim_finish(w, sim_s(30));
    sim_rest(w);
}

/*
 * A path with a rate and a short queue, otherwise perfect.  Expect: the transfer fills
 * the path, loses what the queue can not hold, and finishes.
 */
SCENARIO(bulk_one_way, 40)
{
    const struct sim_link_opt link = sim_link_opt_random(w);
    const struct sim_pair p = sim_pair(w, &link);

    transfer(w, &p, sim_prng_between(&w->rng, 10000, 1000000), false);
    sim_end(w, sim_s(600));
}

/* The same in both directions at once: ACKs ride on text. */
SCENARIO(bulk_both_ways, 30)
{
    const struct sim_link_opt link = sim_link_opt_random(w);
    const struct sim_pair p = sim_pair(w, &link);

    transfer(w, &p, sim_prng_between(&w->rng, 10000, 400000), true);
    sim_end(w, sim_s(600));
}

/* Up to three packets of ten are lost for twenty seconds, ACKs and handshake included. */
SCENARIO(lossy, 50)
{
    struct sim_link_opt link = sim_link_opt_random(w);

    link.loss_permille = (uint32_t)sim_prng_between(&w->rng, 1, 300);
    const struct sim_pair p = sim_pair(w, &link);

    const uint64_t bytes = sim_prng_between(&w->rng, 1000, 200000);

    transfer(w, &p, bytes, sim_coin(w));
    sim_run_for(w, sim_s(20));
    sim_end(w, sim_s(400));
}

/* Up to half of the packets arrive out of turn. */
SCENARIO(reorder, 40)
{
    struct sim_link_opt link = sim_link_opt_random(w);

    link.reorder_permille = (uint32_t)sim_prng_between(&w->rng, 1, 500);
    const struct sim_pair p = sim_pair(w, &link);

    const uint64_t bytes = sim_prng_between(&w->rng, 1000, 400000);

    transfer(w, &p, bytes, sim_coin(w));
    sim_run_for(w, sim_s(20));
    sim_end(w, sim_s(400));
}

/* Up to half of the packets arrive twice, some of them much later. */
SCENARIO(duplicate, 30)
{
    struct sim_link_opt link = sim_link_opt_random(w);

    link.dup_permille = (uint32_t)sim_prng_between(&w->rng, 1, 500);
    link.reorder_permille = (uint32_t)sim_prng_below(&w->rng, 100);
    const struct sim_pair p = sim_pair(w, &link);

    const uint64_t bytes = sim_prng_between(&w->rng, 1000, 400000);

    transfer(w, &p, bytes, sim_coin(w));
    sim_run_for(w, sim_s(20));
    sim_end(w, sim_s(400));
}

/*
 * One bit of up to a fifth of the packets flips.  Expect: no flipped bit is delivered,
 * and no buffer is lost with a packet that is refused (F-Stack 968058581).
 */
SCENARIO(corrupt, 30)
{
    struct sim_link_opt link = sim_link_opt_random(w);

    link.corrupt_permille = (uint32_t)sim_prng_between(&w->rng, 1, 200);
    const struct sim_pair p = sim_pair(w, &link);

    const uint64_t bytes = sim_prng_between(&w->rng, 1000, 400000);

    transfer(w, &p, bytes, sim_coin(w));
    sim_run_for(w, sim_s(20));
    sim_end(w, sim_s(400));
}

static uint64_t received(const struct sim_flow *f)
{
    return f->app[0].received + f->app[1].received;
}

/* The longest RTO now in force at either end. */
static uint64_t rto_now_ns(const struct sim_flow *f)
{
    uint64_t most_us = 0;

    for (unsigned i = 0; i < 2; i++) {
        struct la_conn_info info;
        const struct sim_app *a = &f->app[i];

        if (a->held && la_conn_info(a->host->stack, a->conn, &info) == LA_OK &&
            info.rto_us > most_us)
            most_us = info.rto_us;
    }
    return sim_us(most_us);
}

/*
 * The path dies for one to eight seconds in mid-transfer.  Expect: the RTO backs off,
 * the transfer goes on within one RTO and a full queue of the path's return, and all ends well.
 */
SCENARIO(blackout, 40)
{
    struct sim_link_opt link = sim_link_opt_random(w);

    link.rate_kbps = 1000; /* so that it is in mid-transfer */
    link.queue_bytes = 0;
    const struct sim_pair p = sim_pair(w, &link);
    struct sim_flow *f = transfer(w, &p, 500000, false);
    const uint64_t down_ns = sim_ms(sim_prng_between(&w->rng, 100, 3000));
    const uint64_t up_ns = down_ns + sim_ms(sim_prng_between(&w->rng, 1000, 8000));

    sim_link_down(p.link, down_ns);
    sim_link_up(p.link, up_ns);
    sim_run_until(w, up_ns);
    const uint64_t before = received(f);
    /*
     * And a round trip, and pauses; and 4 s, in which the link takes all there is: a timeout that proves
     * spurious gives the window back, and new text then stands in the queue before what was lost.
     */
    const uint64_t patience_ns = rto_now_ns(f) + sim_s(3) + sim_s(4);

    sim_run_for(w, patience_ns);
    const bool connected = f->app[0].connected && f->app[1].connected &&
                           f->app[0].connected_at_ns < down_ns &&
                           f->app[1].connected_at_ns < down_ns;

    SIM_REQUIRE(w, !connected || f->finished_at_ns || received(f) > before,
                "no byte within one RTO and a full queue of the path's return");
    sim_end(w, sim_s(400));
}

/*
 * Hundreds of connections between two hosts, opened within two seconds.  Expect: each
 * of them carries its own bytes and ends, and every table is empty afterwards.
 */
SCENARIO(many_connections, 12)
{
    struct sim_link_opt link = sim_link_opt_random(w);
    struct sim_host_opt host[2];

    link.loss_permille = sim_coin(w) ? 0 : 20;
    for (unsigned i = 0; i < 2; i++) {
        sim_host_opt_default(w, &host[i]);
        host[i].config.connections = 400;
        host[i].config.half_open_v4 = host[i].config.half_open_v6 = 400;
        host[i].config.short_v4 = host[i].config.short_v6 = 400;
    }
    const struct sim_pair p = sim_pair_of(w, &host[0], &host[1], &link);

    w->check_every = 64;
    for (unsigned n = 0; n < 300; n++) {
        struct sim_flow_opt flow = { .start_us = sim_prng_below(&w->rng, 2000000) };

        flow.v6 = sim_coin(w);

        for (unsigned i = 0; i < 2; i++) {
            sim_app_opt_random(w, &flow.end[i], 1000);
            flow.end[i].send_bytes = sim_prng_below(&w->rng, 4000);
            flow.end[i].close = sim_coin(w) ? SIM_CLOSE_HALF : SIM_CLOSE_FULL;
        }
        sim_flow(w, n % 2 ? p.a : p.b, n % 2 ? p.b : p.a, &flow);
    }
    sim_run_for(w, sim_s(10));
    sim_end(w, sim_s(400));
}
