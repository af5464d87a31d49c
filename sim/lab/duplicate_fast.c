/* SPDX-License-Identifier: MIT */
/*
 * duplicate_fast.c - An old duplicate that needs no switch: a connection faster than the ISN clock.
 *
 * lastack at both ends, without timestamps and with 2MSL = 0, 20 MB each way at 1 Gbit/s, and at once
 * a new connection on the same ports.  Every segment of the old connection is looked at: would it be
 * accepted now?  One of those that would arrives.
 */
#include "sim/lab/lab.h"

#include <string.h>

#include "sim/memory.h"

#define TOTAL UINT64_C(20000000)
#define PIECE 65536u
#define KEPT_MAX 20000u
#define NEW_BYTES 2000000u

struct old_segment {
    uint32_t seq, ack, len;
    struct sim_packet *copy;
};

struct album {
    struct lab_sock *end[2];
    uint64_t sent[2], received[2], wrong;
    uint64_t total;
    uint8_t letter;
    struct old_segment *old;
    uint32_t count;
    bool records;
};

static uint32_t record(struct sim_world *w, void *context, struct sim_packet *p,
                       const struct sim_segment *seg)
{
    struct album *a = context;

    (void)w;
    if (a->records && a->end[0] && a->count < KEPT_MAX && p->from == a->end[0]->host &&
        seg->text_bytes > 0)
        a->old[a->count++] =
            (struct old_segment){ seg->seq, seg->ack, seg->text_bytes, sim_packet_copy(p) };
    return 0;
}

static void pump(struct album *a, uint32_t side)
{
    struct lab_sock *s = a->end[side];
    uint8_t bytes[PIECE];
    int64_t n;

    while ((n = sim_call_recv(s->host, s->conn, bytes, sizeof bytes, false)) > 0) {
        for (int64_t i = 0; i < n; i++)
            a->wrong += bytes[i] != a->letter;
        a->received[side] += (uint64_t)n;
    }
    memset(bytes, a->letter, sizeof bytes);
    while (a->sent[side] < a->total) {
        const uint64_t left = a->total - a->sent[side];

        n = sim_call_send(s->host, s->conn, bytes,
                          (uint32_t)(left < sizeof bytes ? left : sizeof bytes), 0, false);
        if (n <= 0)
            return;
        a->sent[side] += (uint64_t)n;
    }
}

static void event(struct lab *l, struct sim_host *at, const struct la_event *e)
{
    struct album *a = l->user;
    const uint32_t side = lab_side(l, at);

    if (e->kind == LA_EVENT_CONN && a->end[side] && a->end[side]->held)
        pump(a, side);
}

/* Both ends of a new connection, in @a. */
static void open_both(struct lab *l, struct album *a)
{
    l->on_event = NULL;
    a->end[0] =
        lab_connect_from(l, l->client, LAB_PORT_FIRST, sim_host_addr(l->server, l->options.v6), 80);
    lab_run(l, sim_ms(1));
    a->end[1] = lab_accept(l, l->server, 80);
    if (!a->end[0]->held || !a->end[1])
        sim_fail(&l->world, "the ports could not be used again");
}

static void transfer(struct lab *l, struct album *a, uint64_t until_bytes)
{
    l->user = a;
    l->on_event = event;
    for (uint32_t side = 0; side < 2; side++) {
        pump(a, side);
        sim_host_turn(a->end[side]->host);
    }
    for (uint32_t side = 0; side < 2; side++)
        while (a->received[side] < until_bytes && sim_step(&l->world, sim_s(5)))
            continue;
    l->on_event = NULL;
}

/* Would the server take it now?  RFC 9293 3.10.7.4, first and fifth, with the bound of RFC 5961 5.2. */
static bool fits(const struct la_conn_info *i, const struct old_segment *o)
{
    const uint32_t sent = (uint32_t)i->bytes_acked + 1;
    const uint32_t reach = i->snd_wnd < sent ? i->snd_wnd : sent;

    return o->seq - i->rcv_nxt < i->rcv_wnd && o->len <= i->rcv_wnd - (o->seq - i->rcv_nxt) &&
           (int32_t)(o->ack - i->snd_nxt) <= 0 && (int32_t)(o->ack - (i->snd_una - reach)) >= 0;
}

struct outcome {
    uint32_t segments, fitting;
    uint64_t wrong, mb_s;
    uint64_t paws;
};

static void replay(struct lab *l, bool stamps, struct outcome *out)
{
    const char *const on = stamps ? "1" : "0";
    const struct lab_end_opt end = { .sets = { { "net.ipv4.tcp_timestamps", on },
                                               { "net.lastack.tcp_msl_ms", "0" } } };
    struct album a = { .total = TOTAL, .letter = 'o', .records = true };
    struct la_conn_info info = { 0 };

    a.old = lab_take(l, KEPT_MAX * sizeof *a.old);
    lab_begin(
        l, NULL,
        &(struct lab_world_opt){
            .client = end, .server = end, .delay_us = 100, .rate_kbps = 1000000, .plain = true });
    lab_quiet(l, true);
    lab_listen(l, l->server, 80, 16);
    sim_link_tap(l->link, record, &a);
    open_both(l, &a);
    const uint64_t began_ns = l->world.now_ns;

    transfer(l, &a, TOTAL);
    out->mb_s = a.received[1] * 1000u / ((l->world.now_ns - began_ns) / 1000000u + 1) / 1000000u;
    lab_close(a.end[0]);
    lab_run(l, sim_us(400));
    lab_close(a.end[1]);
    lab_run(l, sim_us(400));
    a = (struct album){ .total = NEW_BYTES, .letter = 'n', .old = a.old, .count = a.count };
    open_both(l, &a);
    if (!l->world.failed)
        transfer(l, &a, NEW_BYTES / 2);
    const struct old_segment *bad = NULL;

    out->segments = a.count;
    out->fitting = 0;
    if (!l->world.failed && la_conn_info(l->server->stack, a.end[1]->conn, &info) == LA_OK)
        for (uint32_t i = 0; i < a.count; i++)
            if (fits(&info, &a.old[i])) {
                out->fitting++;
                bad = !bad || (int32_t)(bad->ack - a.old[i].ack) < 0 ? &a.old[i] : bad;
            }
    if (bad)
        sim_inject(bad->copy, l->world.now_ns);
    if (!l->world.failed)
        transfer(l, &a, NEW_BYTES);
    out->wrong = a.wrong;
    out->paws = lab_dropped(l, l->server, LA_DROP_PAWS);
    for (uint32_t i = 0; i < a.count; i++)
        sim_release(a.old[i].copy);
}

void lab_duplicate_fast(struct lab *l);

void lab_duplicate_fast(struct lab *l)
{
    struct outcome off, on;

    replay(l, false, &off);
    replay(l, true, &on);
    lab_summary(l,
                "No switch: 20 MB each way at 1 Gbit/s, then a new connection at once; 2MSL = 0");
    lab_say(l, "The old connection sent %llu MB/s each way; the ISN clock makes 15.6.",
            (unsigned long long)off.mb_s);
    lab_say(l,
            "Without timestamps: when the new connection has carried 1 MB each way, %u of the old "
            "one's %u segments would "
            "be accepted, had the network kept them until then: 1 in %u of those that are late by "
            "just that much.",
            off.fitting, off.segments, off.fitting ? off.segments / off.fitting : 0);
    lab_say(l, "One of them arrives: the application reads %llu bytes of the old connection.",
            (unsigned long long)off.wrong);
    lab_say(l, "With timestamps the same segment is refused (PAWS), and %llu bytes are wrong.",
            (unsigned long long)on.wrong);
    lab_claim(l, off.mb_s > 15, "the connection was faster than the ISN clock: %llu MB/s",
              (unsigned long long)off.mb_s);
    lab_claim(l, off.fitting > 0 && off.wrong > 0,
              "without timestamps and TIME_WAIT, %u of %u old segments fit, and one of them put "
              "%llu wrong bytes "
              "into the new connection",
              off.fitting, off.segments, (unsigned long long)off.wrong);
    lab_claim(l, on.fitting > 0 && on.wrong == 0 && on.paws == 1,
              "with timestamps none of %u that fit by number gets in", on.fitting);
}
