/* SPDX-License-Identifier: MIT */
/* goodput.c - One transfer through one path, or several that share it. */
#include "sim/goodput.h"

#include <string.h>

#include "sim/scenario.h"

#define BUFFER_BYTES (48u << 20)
#define CHUNK_BYTES 4096u
#define CALL_BYTES 65536u

uint64_t sim_goodput_queue_bytes(uint32_t rate_mbps, uint32_t rtt_ms)
{
    const uint64_t bdp_bytes = (uint64_t)rate_mbps * 1000u / 8u * rtt_ms;

    return bdp_bytes > 65536u ? bdp_bytes : 65536u;
}

static void big_host(struct sim_world *w, struct sim_host_opt *host, uint32_t flows,
                     uint32_t pacing)
{
    sim_host_opt_default(w, host);
    host->twin_permille = host->trim_permille = 0;
    host->clock_ns = 1000000000u;
    host->tick_budget = 64;
    host->config.chunk_bytes = CHUNK_BYTES;
    host->config.chunks = flows * 2 * (BUFFER_BYTES / CHUNK_BYTES);
    sim_host_sysctl(host, "net.lastack.tcp_rcvbuf", BUFFER_BYTES);
    sim_host_sysctl(host, "net.lastack.tcp_sndbuf", BUFFER_BYTES);
    sim_host_sysctl(host, "net.lastack.tcp_pacing", pacing);
}

static struct sim_pair path(struct sim_world *w, const struct sim_goodput_opt *o, uint32_t flows)
{
    const struct sim_link_opt link = {
        .delay_us = o->rtt_ms * 500u,
        .rate_kbps = o->rate_mbps * 1000u,
        .queue_bytes = (uint32_t)sim_goodput_queue_bytes(o->rate_mbps, o->rtt_ms),
        .loss_ppm = o->burst > 1 ? 0 : o->loss_ppm,
        .burst_loss_ppm = o->burst > 1 ? o->loss_ppm : 0,
        .burst_packets = o->burst > 1 ? o->burst : 0,
        .reorder_permille = o->reorder_ppm / 1000u,
        .burst = 1,
    };
    struct sim_host_opt host;

    big_host(w, &host, flows, o->pacing);
    return sim_pair_of(w, &host, &host, &link);
}

void sim_goodput(const struct sim_goodput_opt *o, struct sim_goodput *out)
{
    const uint32_t flows = o->flows > 0 ? o->flows : 1;
    struct sim_flow *flow[SIM_GOODPUT_FLOWS_MAX];
    struct sim_events events = { .out = o->events };
    struct sim_world w;

    memset(out, 0, sizeof *out);
    sim_world_init(&w, o->seed, NULL);
    /* Copies of arenas this large, burst after burst, are for scenarios with smaller ones. */
    w.check_every = 20000;
    w.plain = true;
    const struct sim_pair p = path(&w, o, flows);

    if (o->events != NULL) {
        w.events = &events;
        events.begun_ns = sim_host_now(p.a).ns;
    }
    for (uint32_t i = 0; i < flows; i++) {
        const struct sim_app_opt app = { .write_max = CALL_BYTES,
                                         .write_min = CALL_BYTES,
                                         .read_max = CALL_BYTES,
                                         .read_min = CALL_BYTES,
                                         .close = SIM_CLOSE_HALF };
        struct sim_flow_opt opt = { .end = { app, app }, .server_port = (uint16_t)(80 + i) };

        opt.end[0].send_bytes = UINT64_C(1) << 40; /* more than there is time for */
        flow[i] = sim_flow(&w, p.a, p.b, &opt);
    }
    sim_run_for(&w, o->ns);
    for (uint32_t i = 0; i < flows; i++)
        out->bytes[i] = flow[i]->app[1].received;
    out->segs_retransmitted = sim_count(p.a, LA_COUNT_RetransSegs);
    out->ok = !w.failed;
    memcpy(out->message, w.message, sizeof out->message);
    sim_world_free(&w);
}
