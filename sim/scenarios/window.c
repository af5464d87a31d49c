/* SPDX-License-Identifier: MIT */
/*
 * window.c - Scenarios about readers that do not keep up, and memory that does not.
 */
#include <string.h>

#include "sim/scenario.h"

/* Set for the whole host, since the SYN-ACK's window can not be taken back later. */
static void host_with_rcvbuf(struct sim_world *w, struct sim_host_opt *opt, uint32_t bytes)
{
    sim_host_opt_default(w, opt);
    sim_host_sysctl(opt, "net.lastack.tcp_rcvbuf", bytes);
}

/*
 * The reader has a small buffer, stops for up to eight seconds and reads slowly after
 * that, on a path that loses window updates.  Expect: the sender probes, the window
 * reopens, everything arrives (RFC 9293 3.8.6.1; smoltcp #199 and kin).
 */
SCENARIO(zero_window, 50)
{
    struct sim_link_opt link = sim_link_opt_random(w);

    link.loss_permille = sim_coin(w) ? 0 : (uint32_t)sim_prng_below(&w->rng, 300);
    struct sim_host_opt host[2];

    for (unsigned i = 0; i < 2; i++)
        host_with_rcvbuf(w, &host[i], (uint32_t)sim_prng_between(&w->rng, 2048, 65536));
    const struct sim_pair p = sim_pair_of(w, &host[0], &host[1], &link);
    struct sim_flow_opt flow = { .v6 = sim_coin(w) };

    for (unsigned i = 0; i < 2; i++) {
        sim_app_opt_random(w, &flow.end[i], 5000);
        flow.end[i].close = SIM_CLOSE_HALF;
        flow.end[i].read_after_us = (uint32_t)sim_prng_below(&w->rng, 8000000);
    }
    flow.end[0].send_bytes = sim_prng_between(&w->rng, 20000, 300000);
    flow.end[1].send_bytes = sim_coin(w) ? 0 : sim_prng_between(&w->rng, 20000, 300000);
    sim_flow(w, p.a, p.b, &flow);
    sim_run_for(w, sim_s(20));
    sim_end(w, sim_s(600));
}

struct pattern {
    const struct sim_host *reader;
    uint32_t bits, used;
    bool closed, begun;
};

/* From the first update that reopens the window on, six packets live or die by @bits. */
static uint32_t lose_by_pattern(struct sim_world *w, void *context, struct sim_packet *packet,
                                const struct sim_segment *seg)
{
    struct pattern *p = context;

    (void)w;
    if (!seg->tcp)
        return 0;
    if (packet->from == p->reader && !(seg->flags & SIM_SYN)) {
        if (seg->window == 0)
            p->closed = true;
        else if (p->closed)
            p->begun = true;
    }
    if (!p->begun || p->used == 6)
        return 0;
    return p->bits >> p->used++ & 1u ? SIM_LOST : 0;
}

/*
 * The window closes; when the reader reads again, the update that reopens it and the
 * five packets after it are lost in each of the 64 patterns.  Expect: the transfer
 * finishes; probes make up for every update lost.  If nothing is lost the update is
 * enough, and no probe is waited for.
 */
SCENARIO(zero_window_losses, 64)
{
    struct sim_host_opt reader;

    host_with_rcvbuf(w, &reader, 8192);
    const struct sim_pair p = sim_pair_of(
        w, NULL, &reader, &(struct sim_link_opt){ .delay_us = 5000, .rate_kbps = 10000 });
    struct pattern pattern = { .reader = p.b, .bits = (uint32_t)w->seed & 63u };
    const struct sim_flow_opt flow = {
        .v6 = w->seed / 64 % 2,
        .end = { { .send_bytes = 60000, .write_max = 4096, .close = SIM_CLOSE_HALF },
                 { .read_max = 65536, .read_after_us = 2000000, .close = SIM_CLOSE_LAST } },
    };

    sim_link_tap(p.link, lose_by_pattern, &pattern);
    const struct sim_flow *f = sim_flow(w, p.a, p.b, &flow);

    sim_run_for(w, sim_ms(2100));
    SIM_REQUIRE(w, pattern.bits || f->app[1].received > 10000,
                "no update told the sender that the window is open again");
    sim_end(w, sim_s(240)); /* six probes lost: the next one comes after 108 s */
    SIM_REQUIRE(w, pattern.begun, "the window never closed and reopened");
}

struct silly {
    const struct sim_host *sender;
    uint32_t segment_bytes_min, total_bytes, isn, sent;
    uint64_t sent_at_ns;
    bool known;
    uint8_t scale; /* of the reader's windows */
    uint32_t edge; /* the right edge it offered last, and what it acknowledged then */
    uint32_t acked;
};

/* The window opens by a segment's worth at least, but for what rounding to the scale adds. */
static void no_silly_window(struct sim_world *w, struct silly *s, const struct sim_segment *seg)
{
    if (seg->flags & SIM_SYN) {
        s->scale = seg->scale;
        s->edge = seg->ack + seg->window;
        return;
    }
    const uint32_t edge = seg->ack + ((uint32_t)seg->window << s->scale);
    const uint32_t moved = edge - s->edge, slack = seg->ack == s->acked ? 0 : 2u << s->scale;

    SIM_REQUIRE(w, moved <= slack || moved >= s->segment_bytes_min || -moved <= slack,
                "the window opens by %u bytes", moved);
    s->edge = edge;
    s->acked = seg->ack;
}

/* Every segment of new text but the last is a full one, a probe, or long overdue. */
static uint32_t no_silly_segment(struct sim_world *w, void *context, struct sim_packet *packet,
                                 const struct sim_segment *seg)
{
    struct silly *s = context;

    if (!seg->tcp)
        return 0;
    if (packet->from != s->sender) {
        if (s->total_bytes > s->sent)
            no_silly_window(w, s, seg);
        return 0;
    }
    if (seg->flags & SIM_SYN) {
        s->isn = seg->seq;
        s->known = true;
    }
    const uint32_t from = seg->seq - s->isn - 1, to = from + seg->text_bytes;

    if (!s->known || seg->text_bytes == 0 || to <= s->sent)
        return 0;
    const bool overdue = w->now_ns - s->sent_at_ns >= sim_ms(100);

    s->sent = to;
    s->sent_at_ns = w->now_ns;
    SIM_REQUIRE(w,
                seg->text_bytes >= s->segment_bytes_min || seg->text_bytes == 1 ||
                    to == s->total_bytes || overdue,
                "a silly segment of %u bytes", seg->text_bytes);
    return 0;
}

/*
 * The reader takes a byte every ten milliseconds.  Expect: the window opens in steps of
 * at least min(MSS, half the buffer), so no segment is smaller but the last, probes, and
 * what the override timer sends, a tenth of a second late at least (RFC 9293 3.8.6.2.1,
 * 3.8.6.2.2, MUST-38, MUST-39).
 */
SCENARIO(silly_reader, 10)
{
    struct sim_host_opt reader;

    host_with_rcvbuf(w, &reader, (uint32_t)sim_prng_between(&w->rng, 4096, 8192));
    const struct sim_pair p = sim_pair_of(
        w, NULL, &reader, &(struct sim_link_opt){ .delay_us = 5000, .rate_kbps = 100000 });
    struct silly silly = { .sender = p.a, .segment_bytes_min = 1024, .total_bytes = 12000 };
    const struct sim_flow_opt flow = {
        .v6 = sim_coin(w),
        .end = { { .send_bytes = 12000,
                   .write_min = 12000,
                   .write_max = 12000,
                   .close = SIM_CLOSE_HALF },
                 { .read_min = 1,
                   .read_max = 1,
                   .read_pause_us = 20000,
                   .close = SIM_CLOSE_LAST } },
    };

    sim_link_tap(p.link, no_silly_segment, &silly);
    sim_flow(w, p.a, p.b, &flow);
    sim_end(w, sim_s(600));
}

/*
 * Four senders, a receiver whose whole pool is smaller than one of its windows, readers
 * that start late.  Expect: text is dropped and counted, windows do not move for it, each
 * connection's next byte still finds a chunk, and all of them finish.
 */
SCENARIO(tiny_memory, 40)
{
    struct sim_link_opt link = sim_link_opt_random(w);
    struct sim_host_opt host[2];
    const bool both_tiny = sim_coin(w);

    const uint32_t loss_permille = sim_coin(w) ? 0 : (uint32_t)sim_prng_below(&w->rng, 100);

    link.loss_permille = loss_permille;
    for (unsigned i = 0; i < 2; i++) {
        sim_host_opt_default(w, &host[i]);
        if (i == 0 && !both_tiny)
            continue;
        host[i].config.chunk_bytes = 1024;
        host[i].config.chunks = (uint32_t)sim_prng_between(&w->rng, 32, 64);
        host[i].config.reserve_chunks = 16;
    }
    const struct sim_pair p = sim_pair_of(w, &host[0], &host[1], &link);

    for (unsigned n = 0; n < 4; n++) {
        struct sim_flow_opt flow = { .v6 = sim_coin(w), .start_us = (uint64_t)1000 * n };

        for (unsigned i = 0; i < 2; i++) {
            sim_app_opt_random(w, &flow.end[i], 1000);
            flow.end[i].close = SIM_CLOSE_HALF;
        }
        flow.end[0].send_bytes = 60000;
        flow.end[1].read_after_us = 3000000;
        flow.end[1].send_bytes = sim_coin(w) ? 0 : 20000;
        sim_flow(w, p.a, p.b, &flow);
    }
    sim_run_for(w, sim_s(20));
    sim_heal(w);
    sim_finish(w, sim_s(900));
    const uint64_t dropped =
        la_drops(p.b->stack, LA_DROP_POOL_EMPTY) + la_drops(p.b->stack, LA_DROP_RCV_BUFFER_FULL);
    const bool fast = loss_permille == 0 && link.rate_kbps != 1000;

    SIM_REQUIRE(w, w->failed || dropped > 0 || !fast, "no text was dropped: the pool was not tiny");
    sim_rest(w);
}
