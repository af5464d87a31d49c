/* SPDX-License-Identifier: MIT */
/* forge.c - Segments and ICMP errors that nobody sent, aimed at what a stack holds. */
#include "tests/fuzz/forge.h"

#include "core/base/checksum.h"

/* What the thing under a row expects next. */
struct target {
    struct tcp_flow flow;
    tcp_seq rcv_nxt, snd_una, snd_nxt;
    uint32_t rcv_wnd, ts_recent, ts_now;
    bool timestamps;
};

static void aim_conn(const struct tcp *t, const struct tcp_conn *c, struct target *out)
{
    *out = (struct target){ .flow = c->flow,
                            .rcv_nxt = c->rcv.nxt,
                            .snd_una = c->snd.una,
                            .snd_nxt = c->snd.nxt,
                            .rcv_wnd = tcp_rcv_wnd(c),
                            .ts_recent = c->ts_recent,
                            .ts_now = tcp_ts_now(t, c->ts_offset),
                            .timestamps = c->timestamps };
}

static void aim_half(const struct tcp *t, uint32_t ref, struct target *out)
{
    const struct tcp_half *h = half_at(t, ref);

    *out = (struct target){ .rcv_nxt = seq_add(h->irs, 1),
                            .snd_una = h->iss,
                            .snd_nxt = seq_add(h->iss, 1),
                            .rcv_wnd = 65535,
                            .ts_recent = h->ts_recent,
                            .ts_now = tcp_ts_now(t, h->ts_offset),
                            .timestamps = (h->flags & TCP_HALF_TIMESTAMPS) != 0 };
    half_flow(h, ref, &out->flow);
}

static void aim_short(const struct tcp *t, uint32_t ref, struct target *out)
{
    const struct tcp_short *w = short_at(t, ref);

    *out = (struct target){ .rcv_nxt = w->rcv_nxt,
                            .snd_una = w->snd_nxt,
                            .snd_nxt = w->snd_nxt,
                            .rcv_wnd = w->rcv_wnd,
                            .ts_recent = w->ts_recent,
                            .ts_now = tcp_ts_now(t, w->ts_offset),
                            .timestamps = (w->flags & TCP_SHORT_TIMESTAMPS) != 0 };
    short_flow(w, ref, &out->flow);
}

/* The @n-th thing a stack has; a flow without anything if there are none. */
static void aim(const struct duo *d, int side, uint32_t n, struct target *out)
{
    const struct tcp *t = &d->s[side]->tcp;
    struct la_row rows[16];
    uint64_t cursor = 0;
    const uint32_t count = la_rows(d->s[side], &cursor, rows, 16);

    *out = (struct target){ .flow = { .laddr = d->addr[side],
                                      .raddr = d->ghost,
                                      .lport = 80,
                                      .rport = (uint16_t)(3000 + n) } };
    for (uint32_t i = 0; i < count; i++) {
        const struct la_row *r = &rows[(n + i) % count];
        const struct tcp_flow flow = { .laddr = r->local.addr,
                                       .raddr = r->remote.addr,
                                       .lport = r->local.port,
                                       .rport = r->remote.port };
        const struct index_entry e = tcp_lookup(t, &flow, tcp_hash(t, &flow));

        switch (e.type) {
        case INDEX_CONN:
            aim_conn(t, conn_at(t, e.value), out);
            return;
        case INDEX_HALF_OPEN:
            aim_half(t, e.value, out);
            return;
        case INDEX_SHORT:
            aim_short(t, e.value, out);
            return;
        case INDEX_FREE:
            break;
        }
    }
}

static uint32_t near_number(struct input *in, uint32_t wnd)
{
    const uint8_t how = u8(in);
    const uint32_t fine = how >> 4;

    switch (how & 15) {
    case 0:
    case 1:
    case 2:
    case 3:
        return 0;
    case 4:
        return fine;
    case 5:
        return 0u - fine;
    case 6:
        return wnd + fine - 8;
    case 7:
        return fine * 100;
    case 8:
        return 0u - fine * 100;
    case 9:
        return fine << 28;
    case 10:
        return 0x7fffffffu + fine;
    case 11:
        return wnd / (fine + 1);
    case 12:
        return u16(in);
    case 13:
        return 0u - u16(in);
    case 14:
        return u32(in);
    default:
        return 1;
    }
}

static void put_options(struct input *in, const struct target *g, struct tcp_seg *seg)
{
    const uint8_t how = u8(in);
    struct tcp_options *o = &seg->opt;

    o->has_timestamps = g->timestamps != ((how & 15) == 15);
    o->ts_val = g->ts_recent + ((how & 15) < 12 ? how & 3 : 0u - (how & 15u));
    o->ts_ecr = seg->flags & TCP_ACK ? g->ts_now : 0;
    if (seg->flags & TCP_SYN) {
        o->has_timestamps = (how & 16) == 0;
        o->has_mss = (how & 32) == 0;
        o->mss = u16(in);
        o->has_wscale = (how & 64) == 0;
        o->wscale = u8(in) & 15u;
        o->has_sack_ok = (how & 128) == 0;
    } else if (how & 128) {
        o->sack_count = 1;
        o->sack[0].left = seq_add(g->snd_una, u8(in));
        o->sack[0].right = seq_add(o->sack[0].left, u8(in));
    }
}

void forge_segment(struct duo *d, struct input *in, int side)
{
    static const uint8_t flags[] = {
        TCP_ACK,           TCP_ACK,
        TCP_ACK | TCP_PSH, TCP_ACK | TCP_FIN,
        TCP_SYN,           TCP_SYN | TCP_ACK,
        TCP_RST,           TCP_RST | TCP_ACK,
        TCP_FIN,           0,
        TCP_ACK | TCP_URG, TCP_SYN | TCP_FIN,
        TCP_SYN | TCP_RST, TCP_ACK | TCP_FIN | TCP_PSH,
        TCP_ACK | TCP_ECE, 0xff,
    };
    static const uint16_t lens[] = { 0, 0, 0, 1, 2, 10, 100, 500 };
    const uint8_t a = u8(in), b = u8(in);
    struct target g;

    aim(d, side, a >> 4, &g);
    struct tcp_seg seg = {
        .src_port = g.flow.rport,
        .dst_port = g.flow.lport,
        .flags = flags[a & 15],
        .len = lens[b & 7] + (b & 8u ? u8(in) : 0u),
        .urgent = b & 128 ? 3 : 0,
    };
    seg.seq = seq_add(g.rcv_nxt, near_number(in, g.rcv_wnd));
    seg.ack = seq_add(b & 16 ? g.snd_una : g.snd_nxt, near_number(in, 2000));
    seg.wnd = b & 32 ? (b & 64 ? 0 : 65535) : (b & 64 ? u8(in) : u16(in));
    put_options(in, &g, &seg);
    duo_forge(d, side, g.flow.raddr, &seg);
}

void forge_error(struct duo *d, struct input *in, int side)
{
    uint8_t bytes[200], quote[60];
    const uint8_t a = u8(in);
    struct target g;

    aim(d, side, a >> 4, &g);
    const struct tcp_seg seg = { .src_port = g.flow.lport,
                                 .dst_port = g.flow.rport,
                                 .seq = seq_add(g.snd_una, near_number(in, 100)) };
    const struct ip_header inner = { .src = g.flow.laddr,
                                     .dst = g.flow.raddr,
                                     .payload_len = 20,
                                     .protocol = IP_PROTO_TCP,
                                     .ttl = 3 };
    const uint32_t quoted = ip_emit(&inner, quote);
    (void)tcp_emit(&seg, quote + quoted);
    struct icmp_message m = {
        .class = ICMP_UNREACHABLE, .type = d->v6 ? 1 : 3, .code = a & 7u, .mtu_bytes = u16(in)
    };
    if (a & 8)
        m.class = ICMP_TIME_EXCEEDED, m.type = d->v6 ? 3 : 11;
    else if ((a & 7) == 4)
        m.class = ICMP_TOO_BIG, m.type = d->v6 ? 2 : 3;
    const struct ip_header outer = { .src = d->ghost,
                                     .dst = g.flow.laddr,
                                     .payload_len = 8 + quoted + 8,
                                     .protocol = d->v6 ? IP_PROTO_ICMP6 : IP_PROTO_ICMP,
                                     .ttl = 60 };
    const uint32_t at = ip_emit(&outer, bytes);
    memcpy(bytes + at + 8, quote, quoted + 8);
    icmp_emit(&m, outer.src, outer.dst, checksum_add(0, 0, quote, quoted + 8), bytes + at);
    duo_frame(d, side, bytes, at + 8 + quoted + 8, 0);
}

void forge_raw(struct duo *d, struct input *in, int side)
{
    uint8_t bytes[64];
    const uint32_t n = u8(in) & 63u;

    for (uint32_t i = 0; i < n; i++)
        bytes[i] = u8(in);
    duo_frame(d, side, bytes, n, 0);
}
