/* SPDX-License-Identifier: MIT */
/* goodput.c - One transfer through one path, or several that share it. */
#include "sim/goodput.h"

#include <string.h>

#include "sim/router.h"
#include "sim/scenario.h"

#define BUFFER_BYTES (48u << 20)
#define CHUNK_BYTES 4096u
#define CALL_BYTES 65536u
#define SAMPLE_NS 1000000u

uint64_t sim_goodput_queue_bytes(uint32_t rate_mbps, uint32_t rtt_ms)
{
    const uint64_t bdp_bytes = (uint64_t)rate_mbps * 1000u / 8u * rtt_ms;

    return bdp_bytes > 65536u ? bdp_bytes : 65536u;
}

static void big_host(struct sim_world *w, struct sim_host_opt *host,
                     const struct sim_goodput_opt *o)
{
    const uint32_t flows = o->flows > 0 ? o->flows : 1;
    const uint32_t buffer_bytes = o->buffer_bytes > 0 ? o->buffer_bytes : BUFFER_BYTES;

    sim_host_opt_default(w, host);
    host->twin_permille = host->trim_permille = 0;
    host->clock_ns = 1000000000u;
    host->tick_budget = 64;
    host->config.chunk_bytes = CHUNK_BYTES;
    host->config.chunks = flows * 2 * (buffer_bytes / CHUNK_BYTES) + flows * 4;
    host->config.connections = flows + 8;
    sim_host_sysctl(host, "net.lastack.tcp_rcvbuf", buffer_bytes);
    sim_host_sysctl(host, "net.lastack.tcp_sndbuf", buffer_bytes);
    sim_host_sysctl(host, "net.lastack.tcp_pacing", o->pacing);
}

/* A run: who sends, who reads, and the bottleneck between them. */
struct run {
    const struct sim_goodput_opt *o;
    struct sim_goodput *out;
    struct sim_host *near, *far, *to; /* far: NULL if all are near */
    struct sim_link *link;            /* the bottleneck, from its end 0 */
    struct sim_flow *flow[SIM_GOODPUT_FLOWS_MAX];
    uint32_t flows;
    uint64_t samples, sum_us;
};

static void build(struct sim_world *w, struct run *r)
{
    const struct sim_goodput_opt *o = r->o;
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

    big_host(w, &host, o);
    if (o->far_ms == 0) {
        const struct sim_pair p = sim_pair_of(w, &host, &host, &link);

        r->near = p.a;
        r->to = p.b;
        r->link = p.link;
        return;
    }
    struct sim_host *router = sim_router(w)->host;
    r->near = sim_host(w, &host);
    r->far = sim_host(w, &host);
    r->to = sim_host(w, &host);
    sim_link(w, r->near, router, &(struct sim_link_opt){ .burst = 1 });
    sim_link(w, r->far, router, &(struct sim_link_opt){ .delay_us = o->far_ms * 500u, .burst = 1 });
    r->link = sim_link(w, router, r->to, &link);
    r->near->gateway = r->far->gateway = r->to->gateway = router;
}

static void open_flows(struct sim_world *w, struct run *r)
{
    for (uint32_t i = 0; i < r->flows; i++) {
        const struct sim_app_opt app = { .write_max = CALL_BYTES,
                                         .write_min = CALL_BYTES,
                                         .read_max = CALL_BYTES,
                                         .read_min = CALL_BYTES,
                                         .close = SIM_CLOSE_HALF };
        struct sim_flow_opt opt = { .end = { app, app },
                                    .server_port = (uint16_t)(80 + i % 4),
                                    .start_us = (uint64_t)i * r->o->apart_us };
        struct sim_host *from = r->far != NULL && i % 2 == 1 ? r->far : r->near;

        opt.end[0].send_bytes = UINT64_C(1) << 40; /* more than there is time for */
        r->flow[i] = sim_flow(w, from, r->to, &opt);
    }
}

/* How long would a packet wait now? */
static void sample_queue(struct sim_world *w, void *context)
{
    struct run *r = context;
    const uint64_t busy_ns = r->link->way[0].path.busy_until_ns;
    const uint64_t wait_us = busy_ns > w->now_ns ? (busy_ns - w->now_ns) / 1000u : 0;

    r->samples++;
    r->sum_us += wait_us;
    if (wait_us > r->out->queue_max_us)
        r->out->queue_max_us = wait_us;
    sim_at(w, w->now_ns + SAMPLE_NS, sample_queue, r);
}

void sim_goodput(const struct sim_goodput_opt *o, struct sim_goodput *out)
{
    struct run r = { 0 };
    struct sim_events events = { .out = o->events };
    struct sim_world w;

    memset(out, 0, sizeof *out);
    r.o = o;
    r.out = out;
    r.flows = o->flows > 0 ? o->flows : 1;
    sim_world_init(&w, o->seed, NULL);
    /* Copies of arenas this large, burst after burst, are for scenarios with smaller ones. */
    w.check_every = 20000;
    w.plain = true;
    build(&w, &r);
    if (o->events != NULL) {
        w.events = &events;
        events.begun_ns = sim_host_now(r.near).ns;
    }
    open_flows(&w, &r);
    sim_run_for(&w, o->ns / 2);
    for (uint32_t i = 0; i < r.flows; i++)
        out->late[i] = r.flow[i]->app[1].received;
    sim_at(&w, w.now_ns, sample_queue, &r);
    sim_run_for(&w, o->ns - o->ns / 2);
    for (uint32_t i = 0; i < r.flows; i++) {
        out->bytes[i] = r.flow[i]->app[1].received;
        out->late[i] = out->bytes[i] - out->late[i];
    }
    out->segs_retransmitted = sim_count(r.near, LA_COUNT_RetransSegs);
    out->timeouts = sim_count(r.near, LA_COUNT_TCPTimeouts);
    if (r.far != NULL) {
        out->segs_retransmitted += sim_count(r.far, LA_COUNT_RetransSegs);
        out->timeouts += sim_count(r.far, LA_COUNT_TCPTimeouts);
    }
    out->queue_mean_us = r.samples > 0 ? r.sum_us / r.samples : 0;
    out->ok = !w.failed;
    memcpy(out->message, w.message, sizeof out->message);
    sim_world_free(&w);
}
