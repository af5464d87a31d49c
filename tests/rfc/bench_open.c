/* SPDX-License-Identifier: MIT */
/*
 * bench_open.c - Bringing the stack on the bench to a state: by segments and calls, never by
 * writing into it.
 *
 * The ISS of RFC 6528 is a clock plus a keyed function of the 4-tuple.  The secret of the bench is
 * fixed, so the function's value is known, and the stack is simply started at the time at which
 * the sum is the number wanted.  The one exception to the rule is the receive buffer, which may
 * be smaller here than a setting can make it.
 */
#include "core/base/poison.h"
#include "tests/rfc/bench.h"

#define ARENA_BYTES (2u << 20)

static _Alignas(64) uint8_t arena[ARENA_BYTES];

static struct la_addr addr(struct bench *b, const char *v4, const char *v6)
{
    struct la_addr a;

    if (!la_addr_parse(b->family == 4 ? v4 : v6, &a))
        bench_fail(b, __FILE__, __LINE__, "not an address");
    return a;
}

static void add(struct bench *b, const char *prefix)
{
    struct la_prefix p;

    if (!la_prefix_parse(prefix, true, &p) || la_addr_add(b->s, 0, p, 0) != LA_OK)
        bench_fail(b, __FILE__, __LINE__, "la_addr_add() failed");
}

static void start(struct bench *b, la_time now)
{
    struct la_config config;

    la_config_default(&config);
    config.connections = 16;
    config.listeners = 4;
    config.half_open_v4 = config.half_open_v6 = 8;
    config.short_v4 = config.short_v6 = 8;
    config.chunks = 400;
    config.chunk_bytes = 2048;
    config.reserve_chunks = 16;
    config.reply_slots = 128;
    memcpy(config.secret, "a secret to test", 16);
    if (la_bytes_needed(&config) > sizeof arena)
        bench_fail(b, __FILE__, __LINE__, "the arena is too small");
    poison_clear(arena, sizeof arena);
    memset(arena, 0, la_bytes_needed(&config));
    if (la_init(arena, sizeof arena, &config, now, &b->s) != LA_OK)
        bench_fail(b, __FILE__, __LINE__, "la_init() failed");
    /* These tests are about RFC 5681 wherever they count a window. */
    if (la_sysctl_write(b->s, "net.ipv4.tcp_congestion_control", "reno") != LA_OK)
        bench_fail(b, __FILE__, __LINE__, "no NewReno");
    b->now = b->mark = now;
}

void bench_begin(struct bench *b, enum bench_open open, const struct bench_opt *opt)
{
    const struct la_iface_config iface = { .mtu_bytes = 1500 };
    struct tcp_flow flow;
    uint64_t ticks;

    if (b->s != NULL)
        return;
    b->active = open == BENCH_ACTIVE || (open == BENCH_EITHER && b->origin % 2 == 1);
    b->local.addr = addr(b, "192.0.2.1", "2001:db8::1");
    b->remote.addr = addr(b, "198.51.100.7", "2001:db8:7::7");
    b->local.port = b->active ? 50000 : 80;
    b->remote.port = b->active ? 80 : 40000;
    flow = (struct tcp_flow){ b->local.addr, b->remote.addr, b->local.port, b->remote.port };
    start(b, (la_time){ 0 });
    ticks = seq_diff(tcp_isn(&b->s->tcp, &flow), b->iss);
    start(b, (la_time){ (ticks << 6) + (UINT64_C(2) << 38) });
    if (la_iface_add(b->s, &iface) != 0)
        bench_fail(b, __FILE__, __LINE__, "la_iface_add() failed");
    add(b, "192.0.2.1/24");
    add(b, "2001:db8::1/64");
    if (la_route_add(b->s, la_prefix_any(), 0) != LA_OK)
        bench_fail(b, __FILE__, __LINE__, "la_route_add() failed");
    b->s->tcp.env.knobs.rcvbuf = opt != NULL && opt->rcv_wnd > 0 ? opt->rcv_wnd : 10000;
    b->s->tcp.env.knobs.moderate_rcvbuf = 0; /* windows are counted by the byte here */
    b->rcv_base = b->irs;
    b->snd_base = b->iss;
    b->ts_val = 1000;
}

void bench_sysctl(struct bench *b, const char *name, uint64_t value)
{
    if (la_sysctl_set(b->s, name, value) != LA_OK)
        bench_fail(b, __FILE__, __LINE__, "la_sysctl_set(%s) failed", name);
}

void bench_listen(struct bench *b, uint32_t backlog)
{
    bench_begin(b, BENCH_PASSIVE, NULL);
    const struct la_listen_config config = {
        .local = la_prefix_any(),
        .port = b->local.port,
        .backlog = backlog,
    };
    if (la_listen(b->s, b->now, &config, &b->listener) != LA_OK)
        bench_fail(b, __FILE__, __LINE__, "la_listen() failed");
    b->has_listener = true;
    bench_drain(b);
}

void bench_connect(struct bench *b)
{
    bench_begin(b, BENCH_ACTIVE, NULL);
    const struct la_endpoint from = { .port = b->local.port };
    enum la_err err;

    bench_log(b, "%-13s     open", la_state_name((enum la_state)bench_state_now(b)));
    err = la_open(b->s, b->now, from, b->remote, 7, &b->conn);
    if (err != LA_OK)
        bench_fail(b, __FILE__, __LINE__, "la_open() gave %s", la_err_name(err));
    b->has_conn = true;
    bench_drain(b);
}

void bench_accept(struct bench *b)
{
    struct la_accepted got;

    if (la_accept(b->s, b->now, b->listener, 7, &got) != LA_OK)
        bench_fail(b, __FILE__, __LINE__, "there is nothing to accept");
    b->conn = got.conn;
    b->has_conn = true;
    bench_drain(b);
}

void bench_rebase(struct bench *b)
{
    struct la_row rows[16];
    uint64_t cursor = 0;
    bool short_record = false;

    if (b->has_conn && bench_info(b).state != LA_CLOSED) {
        b->rcv_base = seq_of(bench_info(b).rcv_nxt);
        b->snd_base = seq_of(bench_info(b).snd_una);
    } else {
        const uint32_t n = la_rows(b->s, &cursor, rows, 16);
        for (uint32_t i = 0; i < n; i++)
            short_record = short_record || rows[i].kind == LA_ROW_SHORT;
        if (!short_record)
            bench_fail(b, __FILE__, __LINE__, "there is nothing to count from");
        const struct tcp *t = &b->s->tcp;
        const uint32_t ref = b->family == 4 ? 0 : TCP_REF_V6;
        b->rcv_base = short_at(t, ref)->rcv_nxt;
        b->snd_base = short_at(t, ref)->snd_nxt;
    }
    bench_mark(b);
    (void)bench_forget_tx(b);
    b->log_lines = 0;
}

/* Handshakes ------------------------------------------------------------------------------ */

static struct tcp_seg peer_syn(struct bench *b, const struct bench_opt *opt, uint8_t flags)
{
    struct tcp_seg seg = { .flags = 0 };

    if (opt->synack != NULL) {
        char line[BENCH_LINE_BYTES];

        snprintf(line, sizeof line, "seq 0 %s", opt->synack);
        bench_parse(b, line, false, &seg);
    }
    seg.flags = flags;
    seg.seq = b->irs;
    seg.wnd = opt->peer_wnd > 0 ? opt->peer_wnd : 65535;
    if (!opt->no_mss) {
        seg.opt.has_mss = true;
        seg.opt.mss = opt->mss > 0 ? opt->mss : 1000;
    }
    if (opt->scale) {
        seg.opt.has_wscale = true;
        seg.opt.wscale = opt->wscale;
    }
    seg.opt.has_sack_ok = opt->sack;
    if (opt->timestamps) {
        seg.opt.has_timestamps = true;
        seg.opt.ts_val = b->ts_val;
        seg.opt.ts_ecr = flags & TCP_ACK ? b->ts_ecr : 0;
    }
    return seg;
}

static void passive(struct bench *b, const struct bench_opt *opt)
{
    struct tcp_seg seg = peer_syn(b, opt, TCP_SYN);

    bench_listen(b, 4);
    b->rcv_base = b->irs;
    bench_rx_seg(b, &seg);
    expect_tx(b, "SYN ACK snd 0 rcv 1");
    b->ts_auto = opt->timestamps;
    bench_sleep(b, opt->rtt_ns);
    seg = (struct tcp_seg){
        .flags = TCP_ACK,
        .seq = seq_add(b->irs, 1),
        .ack = seq_add(b->iss, 1),
        .wnd = opt->peer_wnd > 0 ? opt->peer_wnd : 65535,
    };
    bench_rx_seg(b, &seg);
    if (opt->no_accept)
        return;
    bench_accept(b);
    if (!opt->keep_listener) {
        if (la_listener_close(b->s, b->now, b->listener) != LA_OK)
            bench_fail(b, __FILE__, __LINE__, "la_listener_close() failed");
        b->has_listener = false;
    }
}

static void active(struct bench *b, const struct bench_opt *opt)
{
    struct tcp_seg seg;

    bench_connect(b);
    expect_tx(b, "SYN snd 0");
    bench_sleep(b, opt->rtt_ns);
    seg = peer_syn(b, opt, TCP_SYN | TCP_ACK);
    seg.ack = seq_add(b->iss, 1);
    bench_rx_seg(b, &seg);
    b->ts_auto = opt->timestamps;
    expect_tx(b, "ACK snd 1 rcv 1");
}

void bench_established(struct bench *b, const struct bench_opt *opt)
{
    static const struct bench_opt plain;

    if (opt == NULL)
        opt = &plain;
    bench_begin(b, opt->open, opt);
    if (b->active)
        active(b, opt);
    else
        passive(b, opt);
    expect_no_tx(b);
    expect_state(b, LA_ESTABLISHED);
    if (!opt->no_accept) {
        bench_rebase(b);
    } else {
        b->rcv_base = seq_add(b->irs, 1);
        b->snd_base = seq_add(b->iss, 1);
    }
}

void bench_quick_over(struct bench *b)
{
    for (uint32_t i = 0; i < 16; i++) {
        bench_rx(b, "ACK rcv 0 snd 0 len 10 wnd 65535");
        bench_recv(b, 10);
        bench_rebase(b);
    }
}

/* States -------------------------------------------------------------------------------------- */

static void simultaneous(struct bench *b, const struct bench_opt *opt)
{
    struct tcp_seg seg;

    bench_begin(b, BENCH_ACTIVE, opt);
    bench_connect(b);
    expect_tx(b, "SYN snd 0");
    seg = peer_syn(b, opt, TCP_SYN);
    bench_rx_seg(b, &seg);
    expect_tx(b, "SYN ACK snd 0 rcv 1");
    b->ts_auto = opt->timestamps;
    b->rcv_base = seq_add(b->irs, 1);
}

static void syn_received(struct bench *b, const struct bench_opt *opt)
{
    struct tcp_seg seg;

    bench_begin(b, BENCH_PASSIVE, opt);
    bench_listen(b, 4);
    seg = peer_syn(b, opt, TCP_SYN);
    bench_rx_seg(b, &seg);
    expect_tx(b, "SYN ACK snd 0 rcv 1");
    b->ts_auto = opt->timestamps;
    b->rcv_base = seq_add(b->irs, 1);
}

/* From ESTABLISHED on, each by the shortest way. */
static void onward(struct bench *b, int place)
{
    switch (place) {
    case LA_FIN_WAIT_1:
        bench_shutdown(b, LA_SHUT_WR);
        expect_tx(b, "FIN ACK snd 0 rcv 0");
        break;
    case LA_FIN_WAIT_2:
    case BENCH_ORPHAN_FIN_WAIT_2:
    case LA_TIME_WAIT:
        bench_shutdown(b, LA_SHUT_WR);
        expect_tx(b, "FIN ACK snd 0 rcv 0");
        bench_rx(b, "ACK rcv 0 snd 1 wnd 65535");
        if (place == LA_TIME_WAIT) {
            bench_rx(b, "FIN ACK rcv 0 snd 1 wnd 65535");
            expect_tx(b, "ACK snd 1 rcv 1");
        }
        if (place != LA_FIN_WAIT_2)
            bench_close(b);
        break;
    case LA_CLOSE_WAIT:
        bench_rx(b, "FIN ACK rcv 0 snd 0 wnd 65535");
        expect_tx(b, "ACK snd 0 rcv 1");
        break;
    case LA_CLOSING:
        bench_shutdown(b, LA_SHUT_WR);
        expect_tx(b, "FIN ACK snd 0 rcv 0");
        bench_rx(b, "FIN ACK rcv 0 snd 0 wnd 65535");
        expect_tx(b, "ACK snd 1 rcv 1");
        break;
    case LA_LAST_ACK:
        bench_rx(b, "FIN ACK rcv 0 snd 0 wnd 65535");
        expect_tx(b, "ACK snd 0 rcv 1");
        bench_shutdown(b, LA_SHUT_WR);
        expect_tx(b, "FIN ACK snd 0 rcv 1");
        break;
    default:
        break;
    }
}

void bench_state(struct bench *b, int place, const struct bench_opt *opt)
{
    static const struct bench_opt plain;

    if (opt == NULL)
        opt = &plain;
    switch (place) {
    case LA_CLOSED:
        bench_begin(b, opt->open, opt);
        break;
    case LA_LISTEN:
        bench_begin(b, BENCH_PASSIVE, opt);
        bench_listen(b, 4);
        break;
    case LA_SYN_SENT:
        bench_begin(b, BENCH_ACTIVE, opt);
        bench_connect(b);
        expect_tx(b, "SYN snd 0");
        break;
    case LA_SYN_RECEIVED:
        syn_received(b, opt);
        break;
    case BENCH_SIMULTANEOUS:
        simultaneous(b, opt);
        break;
    default:
        bench_established(b, opt);
        onward(b, place);
        if (place != LA_ESTABLISHED)
            bench_rebase(b);
        break;
    }
    expect_no_tx(b);
    expect_state(b, place == BENCH_SIMULTANEOUS        ? LA_SYN_RECEIVED
                    : place == BENCH_ORPHAN_FIN_WAIT_2 ? LA_FIN_WAIT_2
                                                       : place);
}
