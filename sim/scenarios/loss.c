/* SPDX-License-Identifier: MIT */
/*
 * loss.c - Scenarios about losses of a known kind, with a known cost.
 */
#include "sim/scenario.h"

struct first_loss {
    const struct sim_host *sender;
    uint32_t lost;
};

static uint32_t lose_first_text(struct sim_world *w, void *context, struct sim_packet *packet,
                                const struct sim_segment *seg)
{
    struct first_loss *f = context;

    (void)w;
    if (f->lost > 0 || packet->from != f->sender || seg->text_bytes == 0)
        return 0;
    f->lost++;
    return SIM_LOST;
}

/*
 * Ten segments leave at once; the first is lost, the other nine reach the receiver in
 * one la_rx().  Expect: nine duplicate ACKs and not one merged one, so that a NewReno
 * sender (SACK off in half of the seeds) repeats the segment fast; no RTO.
 */
SCENARIO(first_of_ten_lost, 20)
{
    struct sim_host_opt host[2];
    const uint64_t sack = sim_coin(w);

    for (unsigned i = 0; i < 2; i++) {
        sim_host_opt_default(w, &host[i]);
        sim_host_sysctl(&host[i], "net.ipv4.tcp_sack", sack);
        sim_host_sysctl(&host[i], "net.lastack.tcp_initial_cwnd", 10);
    }
    const struct sim_pair p =
        sim_pair_of(w, &host[0], &host[1],
                    &(struct sim_link_opt){ .delay_us = 10000, .burst = 9, .hold_us = 2000 });
    struct first_loss first = { .sender = p.a };
    const struct sim_flow_opt flow = {
        .v6 = sim_coin(w),
        .end = { { .send_bytes = 14000,
                   .write_min = 14000,
                   .write_max = 14000,
                   .nodelay = true,
                   .close = SIM_CLOSE_HALF,
                   .close_delay_us = 1000000 },
                 { .close = SIM_CLOSE_LAST } },
    };

    sim_link_tap(p.link, lose_first_text, &first);
    sim_flow(w, p.a, p.b, &flow);
    sim_finish(w, sim_s(5));
    SIM_REQUIRE(w, first.lost == 1, "nothing was lost");
    SIM_REQUIRE(w, w->failed || sim_count(p.a, LA_COUNT_TCPTimeouts) == 0, "an RTO expired");
    SIM_REQUIRE(w, w->failed || sim_count(p.a, LA_COUNT_TCPFastRetrans) >= 1,
                "no fast retransmission");
    sim_rest(w);
}

struct periodic_loss {
    const struct sim_host *sender;
    uint32_t every_bytes; /* of the stream: one segment of each such stretch is lost once */
    uint32_t isn, done;
};

static uint32_t lose_periodically(struct sim_world *w, void *context, struct sim_packet *packet,
                                  const struct sim_segment *seg)
{
    struct periodic_loss *l = context;

    (void)w;
    if (packet->from != l->sender || !seg->tcp)
        return 0;
    if (seg->flags & SIM_SYN)
        l->isn = seg->seq;
    const uint32_t end = seg->seq - l->isn - 1 + seg->text_bytes;

    if (seg->text_bytes == 0 || l->every_bytes == 0 || end / l->every_bytes <= l->done)
        return 0;
    l->done++;
    return SIM_LOST;
}

/* Run the same transfer with @burst.  Return: how long it took, 0 if it failed. */
static uint64_t transfer_ns(struct sim_world *outer, uint32_t burst, uint32_t every_bytes)
{
    struct sim_world w;
    struct sim_host_opt host[2];
    const struct sim_link_opt link = {
        .delay_us = 20000,
        .rate_kbps = 200000,
        .burst = burst,
        .gather = 64,
        .hold_us = 4000,
    };

    sim_world_init(&w, outer->seed, outer->trace);
    w.check_every = 256;
    for (unsigned i = 0; i < 2; i++) {
        sim_host_opt_default(&w, &host[i]);
        host[i].config.chunks = 8192;
        host[i].config.chunk_bytes = 4096;
        sim_host_sysctl(&host[i], "net.lastack.tcp_rcvbuf", 8u << 20);
        sim_host_sysctl(&host[i], "net.lastack.tcp_sndbuf", 2u << 20);
    }
    const struct sim_pair p = sim_pair_of(&w, &host[0], &host[1], &link);
    struct periodic_loss loss = { .sender = p.a, .every_bytes = every_bytes };
    const struct sim_flow_opt flow = {
        .v6 = outer->seed % 2,
        .end = { { .send_bytes = 12000000, .write_max = 65536, .close = SIM_CLOSE_HALF },
                 { .read_max = 65536, .close = SIM_CLOSE_LAST } },
    };

    sim_link_tap(p.link, lose_periodically, &loss);
    const struct sim_flow *f = sim_flow(&w, p.a, p.b, &flow);

    sim_finish(&w, sim_s(120));
    const uint64_t took_ns = sim_flow_took_ns(f);

    sim_rest(&w);
    outer->packets += w.packets;
    sim_note(outer, w.hash);
    if (w.failed)
        sim_fail(outer, "at bursts of %u: %s", burst, w.message);
    sim_world_free(&w);
    return took_ns;
}

/*
 * The same transfer with packets delivered one by one, eight and sixty-four at a time,
 * with and without losses.  They arrive at the same instants in all three, so what
 * differs is what the stack makes of bursts.  Expect: the times differ by at most 5 %:
 * merging ACKs must not slow the sender's window down, nor starve its loss recovery.
 */
SCENARIO(burst_goodput, 4)
{
    const uint32_t every_bytes = w->seed % 2 ? 3500000 : 0;
    const uint64_t alone_ns = transfer_ns(w, 1, every_bytes);

    for (uint32_t burst = 8; burst <= 64; burst *= 8) {
        const uint64_t took_ns = transfer_ns(w, burst, every_bytes);

        SIM_REQUIRE(w, took_ns * 100 <= alone_ns * 105 && alone_ns * 100 <= took_ns * 105,
                    "%llu us at bursts of %u, %llu us one by one",
                    (unsigned long long)took_ns / 1000u, burst,
                    (unsigned long long)alone_ns / 1000u);
    }
}

static uint32_t count_packets(struct sim_world *w, void *context, struct sim_packet *packet,
                              const struct sim_segment *seg)
{
    uint32_t *const counts = context;

    (void)w;
    (void)seg;
    counts[packet->from->index]++;
    return 0;
}

/*
 * The path dies for ever, before the handshake or in mid-transfer.  Expect: ETIMEDOUT
 * after at most the time tcp_retries2 stands for (924.6 s and the RTO then in force),
 * with at most tcp_retries2 + 2 packets; an opening after tcp_syn_retries and
 * tcp_syn_linear_timeouts together.
 */
SCENARIO(dead_peer, 20)
{
    struct sim_pair p = sim_pair(w, &(struct sim_link_opt){ .delay_us = 10000, .rate_kbps = 1000 });
    const bool from_the_start = sim_coin(w);
    struct sim_flow_opt flow = { .v6 = sim_coin(w), .may_fail = true };
    uint32_t counts[SIM_HOSTS_MAX] = { 0 };

    flow.fails_to_open = from_the_start;
    flow.end[0] = (struct sim_app_opt){ .send_bytes = 1000000, .close = SIM_CLOSE_HALF };
    flow.end[1] = (struct sim_app_opt){ .keepalive = true, .close = SIM_CLOSE_LAST };
    if (from_the_start)
        p.link->up = false;
    struct sim_flow *f = sim_flow(w, p.a, p.b, &flow);

    if (!from_the_start) {
        sim_run_for(w, sim_ms(sim_prng_between(&w->rng, 500, 3000)));
        p.link->up = false;
        sim_run_for(w, sim_ms(50));
    }
    const uint64_t died_at_ns = w->now_ns;

    sim_link_tap(p.link, count_packets, counts);
    sim_finish(w, sim_s(1200));
    const struct sim_app *a = &f->app[0];
    const uint64_t lived_ns = a->finished_at_ns - died_at_ns;

    SIM_REQUIRE(w, a->error == LA_ETIMEDOUT, "A got %s", la_err_name(a->error));
    SIM_REQUIRE(w, lived_ns <= (from_the_start ? sim_s(140) : sim_ms(924600) + sim_s(120)),
                "A tried for %llu s", (unsigned long long)(lived_ns / 1000000000u));
    SIM_REQUIRE(w, counts[0] <= (from_the_start ? 11u : 17u), "%u packets to a dead peer",
                counts[0]);
    sim_rest(w);
}
