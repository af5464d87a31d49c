/* SPDX-License-Identifier: MIT */
/*
 * closing.c - Scenarios about the beginning and the end of a connection.
 *
 * The middle is kept short, so that many orders of SYN, FIN and RST are tried.
 */
#include "sim/scenario.h"

static uint32_t in_state(const struct sim_host *h, enum la_state state)
{
    uint32_t counts[LA_STATES];

    la_state_counts(h->stack, counts);
    return counts[state];
}

/*
 * Every order of closing, on a path that loses nothing.  Expect: the end that closed
 * first stands in TIME-WAIT and the other is gone; if both closed at once, one of them
 * or both do.  No timer sends anything again.
 */
SCENARIO(handshake_and_close, 60)
{
    static const enum sim_close orders[][2] = {
        { SIM_CLOSE_HALF, SIM_CLOSE_LAST }, { SIM_CLOSE_LAST, SIM_CLOSE_HALF },
        { SIM_CLOSE_FULL, SIM_CLOSE_LAST }, { SIM_CLOSE_LAST, SIM_CLOSE_FULL },
        { SIM_CLOSE_HALF, SIM_CLOSE_HALF }, { SIM_CLOSE_FULL, SIM_CLOSE_FULL },
    };
    struct sim_link_opt link = sim_link_opt_random(w);

    link.queue_bytes = 0;
    link.rate_kbps = 0;
    struct sim_pair p = sim_pair(w, &link);
    const uint64_t order = sim_prng_below(&w->rng, 6);
    struct sim_flow_opt flow = { .v6 = sim_coin(w) };

    for (unsigned i = 0; i < 2; i++) {
        sim_app_opt_random(w, &flow.end[i], 0);
        flow.end[i].send_bytes = sim_coin(w) ? 0 : sim_prng_below(&w->rng, 4000);
        flow.end[i].close = orders[order][i];
        flow.end[i].close_delay_us = sim_coin(w) ? 0 : (uint32_t)sim_prng_below(&w->rng, 400000);
    }
    sim_flow(w, p.a, p.b, &flow);
    sim_finish(w, sim_s(30));
    sim_run_for(w, sim_s(3));

    const uint32_t at_a = in_state(p.a, LA_TIME_WAIT), at_b = in_state(p.b, LA_TIME_WAIT);

    if (order < 4)
        SIM_REQUIRE(w, at_a == (order % 2 == 0) && at_b == (order % 2 == 1),
                    "TIME-WAIT at A: %u, at B: %u; only the end that closed first keeps it", at_a,
                    at_b);
    else
        SIM_REQUIRE(w, at_a + at_b >= 1 && at_a <= 1 && at_b <= 1, "TIME-WAIT at A: %u, at B: %u",
                    at_a, at_b);
    SIM_REQUIRE(
        w, w->failed || sim_count(p.a, LA_COUNT_OutRsts) + sim_count(p.b, LA_COUNT_OutRsts) == 0,
        "a reset in an orderly close");
    SIM_REQUIRE(w,
                w->failed ||
                    sim_count(p.a, LA_COUNT_RetransSegs) + sim_count(p.b, LA_COUNT_RetransSegs) ==
                        0,
                "something was sent again though nothing was lost");
    sim_rest(w);
}

/*
 * One end shuts down sending after some bytes, the other goes on for a while and closes
 * last, while packets are lost, reordered and doubled.  Expect: each end reads all that
 * the other wrote, then EOF, wherever the FIN falls (smoltcp 284a2c97, passt 7c82ea4).
 */
SCENARIO(half_close, 50)
{
    struct sim_link_opt link = sim_link_opt_random(w);

    link.loss_permille = (uint32_t)sim_prng_below(&w->rng, 150);
    link.reorder_permille = (uint32_t)sim_prng_below(&w->rng, 100);
    link.dup_permille = (uint32_t)sim_prng_below(&w->rng, 50);
    struct sim_pair p = sim_pair(w, &link);
    struct sim_flow_opt flow = { .v6 = sim_coin(w) };
    const unsigned early = sim_coin(w);

    for (unsigned i = 0; i < 2; i++)
        sim_app_opt_random(w, &flow.end[i], 100000);
    flow.end[early].close = SIM_CLOSE_HALF;
    flow.end[early].send_bytes = sim_prng_below(&w->rng, 20000);
    flow.end[1 - early].close = SIM_CLOSE_LAST;
    flow.end[1 - early].send_bytes = sim_prng_below(&w->rng, 60000);
    flow.end[1 - early].close_delay_us = (uint32_t)sim_prng_below(&w->rng, 2000000);
    sim_flow(w, p.a, p.b, &flow);
    sim_run_for(w, sim_s(10));
    sim_end(w, sim_s(300));
}

/*
 * Both ends open actively, from known ports, at the same moment; SYNs may be lost.
 * Expect: one connection, established at both ends, that carries bytes both ways
 * (RFC 9293 MUST-10; figure 8).
 */
SCENARIO(simultaneous_open, 50)
{
    struct sim_link_opt link = sim_link_opt_random(w);

    link.loss_permille = sim_coin(w) ? 0 : (uint32_t)sim_prng_below(&w->rng, 200);
    link.dup_permille = sim_coin(w) ? 0 : (uint32_t)sim_prng_below(&w->rng, 100);
    struct sim_pair p = sim_pair(w, &link);
    struct sim_flow_opt flow = {
        .v6 = sim_coin(w), .simultaneous = true, .client_port = 4000, .server_port = 5000
    };

    for (unsigned i = 0; i < 2; i++) {
        sim_app_opt_random(w, &flow.end[i], 1000);
        flow.end[i].send_bytes = sim_prng_below(&w->rng, 20000);
        flow.end[i].close = SIM_CLOSE_HALF;
    }
    sim_flow(w, p.a, p.b, &flow);
    sim_run_for(w, sim_s(10));
    sim_end(w, sim_s(300));
}

/*
 * One end aborts while bytes go both ways.  Expect: what the other end read is a prefix
 * of what was written, and it ends with an error even if the reset gets lost (its text
 * or its keepalive then draws another).
 */
SCENARIO(abort_midway, 50)
{
    struct sim_link_opt link = sim_link_opt_random(w);

    link.loss_permille = sim_coin(w) ? 0 : (uint32_t)sim_prng_below(&w->rng, 100);
    struct sim_pair p = sim_pair(w, &link);
    struct sim_flow_opt flow = { .v6 = sim_coin(w), .may_fail = true };
    const unsigned aborts = sim_coin(w);

    for (unsigned i = 0; i < 2; i++) {
        sim_app_opt_random(w, &flow.end[i], 1000);
        flow.end[i].send_bytes = sim_prng_between(&w->rng, 50000, 100000);
        flow.end[i].close = SIM_CLOSE_HALF;
        flow.end[i].keepalive = true;
    }
    flow.end[aborts].close = SIM_CLOSE_ABORT;
    flow.end[aborts].abort_after_bytes = sim_prng_below(&w->rng, 80000);
    struct sim_flow *f = sim_flow(w, p.a, p.b, &flow);

    sim_run_for(w, sim_s(10));
    sim_heal(w);
    sim_finish(w, sim_s(300));
    SIM_REQUIRE(w, f->app[1 - aborts].end == SIM_END_ERROR,
                "the peer of an end that aborted did not get an error");
    sim_rest(w);
}

/*
 * A closes while bytes of B lie unread, or before they come.  Expect: a reset at once
 * (RFC 9293 SHLD-3), so that B learns that its bytes were not read.
 */
SCENARIO(unread_close, 10)
{
    struct sim_pair p = sim_pair(w, &(struct sim_link_opt){ .delay_us = 10000 });
    const bool unread = sim_coin(w);
    const struct sim_flow_opt flow = {
        .v6 = w->seed / 2 % 2,
        .may_fail = true,
        .end = { { .close = SIM_CLOSE_UNREAD, .close_delay_us = unread ? 1000000 : 0 },
                 { .close = SIM_CLOSE_HALF,
                   .send_bytes = sim_prng_between(&w->rng, 1, 200000),
                   .close_delay_us = 2000000 } },
    };
    struct sim_flow *f = sim_flow(w, p.a, p.b, &flow);

    sim_finish(w, sim_s(5));
    SIM_REQUIRE(w, f->app[1].error == LA_ECONNRESET || f->app[1].error == LA_EPIPE, "B got %s",
                la_err_name(f->app[1].error));
    SIM_REQUIRE(w,
                w->failed || sim_count(p.a, unread ? LA_COUNT_TCPAbortOnClose
                                                   : LA_COUNT_TCPAbortOnData) == 1,
                "the reset was not counted");
    sim_rest(w);
}

/*
 * Nobody listens.  Expect: ECONNREFUSED at the opener, however often the SYN or the
 * reset gets lost, and nothing kept at either end.
 */
SCENARIO(refused, 10)
{
    struct sim_link_opt link = sim_link_opt_random(w);

    link.loss_permille = sim_coin(w) ? 0 : (uint32_t)sim_prng_below(&w->rng, 300);
    struct sim_pair p = sim_pair(w, &link);
    const struct sim_flow_opt flow = { .v6 = sim_coin(w), .fails_to_open = true };
    struct sim_flow *f = sim_flow(w, p.a, p.b, &flow);

    sim_run_for(w, sim_s(3));
    sim_heal(w);
    sim_finish(w, sim_s(120));
    SIM_REQUIRE(w, f->app[0].error == LA_ECONNREFUSED, "A got %s", la_err_name(f->app[0].error));
    sim_rest(w);
}
