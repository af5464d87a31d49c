/* SPDX-License-Identifier: MIT */
/*
 * stack_fuzz.c - Whole stacks: the input is a sequence of packets, time steps and calls.
 *
 * Byte 0 chooses the world, byte 1 how far it is brought before the rest begins.  Then each
 * step is an opcode and its operands; an input that ends reads as zeros.  Forged segments
 * take a connection or record that is there and differ from what it expects by a little,
 * since anything else is dropped at once.  What may never happen is in duo.h; at the end
 * everybody lets go, and every resource must come back.
 */
#include "core/base/bytes.h"
#include "core/base/checksum.h"
#include "tests/fuzz/duo.h"

#define STEPS_MAX 400u

struct input {
    const uint8_t *at;
    uint32_t left;
};

static uint8_t u8(struct input *in)
{
    if (in->left == 0)
        return 0;
    in->left--;
    return *in->at++;
}
static uint16_t u16(struct input *in)
{
    const uint32_t high = u8(in);
    return (uint16_t)(high << 8 | u8(in));
}
static uint32_t u32(struct input *in)
{
    const uint32_t high = u16(in);
    return high << 16 | u16(in);
}

/* Forged segments ---------------------------------------------------------------------- */

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

static void forge(struct duo *d, struct input *in, int side)
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

/* An ICMP error about something that is, or is not, in flight. */
static void forge_error(struct duo *d, struct input *in, int side)
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

static void raw(struct duo *d, struct input *in, int side)
{
    uint8_t bytes[64];
    const uint32_t n = u8(in) & 63u;

    for (uint32_t i = 0; i < n; i++)
        bytes[i] = u8(in);
    duo_frame(d, side, bytes, n, 0);
}

/* Packets on the wire -------------------------------------------------------------------- */

static void wire(struct duo *d, struct input *in, int side)
{
    const uint8_t a = u8(in);
    const uint32_t i = d->queued[side] > 0 ? (a >> 2) % d->queued[side] : 0;

    switch (a & 3) {
    case 0:
    case 1:
        duo_deliver(d, side, i, false);
        break;
    case 2:
        duo_deliver(d, side, i, true);
        break;
    case 3: /* lost */
        if (d->queued[side] > 0) {
            d->queued[side]--;
            memmove(&d->wire[side][i], &d->wire[side][i + 1],
                    (d->queued[side] - i) * sizeof d->wire[side][0]);
        }
        break;
    }
}

/* Calls ------------------------------------------------------------------------------------ */

static void open_one(struct duo *d, struct input *in, int side)
{
    const uint8_t a = u8(in);
    const struct la_endpoint local = { .addr = a & 1 ? d->addr[side] : (struct la_addr){ { 0 } },
                                       .port = a & 2 ? (uint16_t)(1000 + (a >> 6)) : 0 };
    const struct la_endpoint remote = { .addr = a & 4 ? d->ghost : d->addr[1 - side],
                                        .port = a & 8 ? (uint16_t)(1000 + (a >> 6)) : 80 };
    la_conn_id id;

    if (la_open(d->s[side], d->now, local, remote, a, &id) == LA_OK)
        duo_hold(d, side, id, a >> 4);
    duo_judge(d, side);
}

static void listen_one(struct duo *d, struct input *in, int side)
{
    const uint8_t a = u8(in);
    la_listener_id *id = &d->listener[side][a % DUO_LISTENERS];
    const struct la_listen_config config = {
        .local = a & 16 ? la_prefix_any() : la_prefix_host(d->addr[side]),
        .port = a & 32 ? 1000 : 80,
        .backlog = a >> 6,
        .user = a,
    };
    la_listener_id fresh;

    if (a & 8) {
        if (la_listener_close(d->s[side], d->now, *id) != LA_OK)
            return; /* stale, as it may be */
    } else if (slab_find(&d->s[side]->tcp.listeners, d->s[side], id->bits) == SLAB_NONE &&
               la_listen(d->s[side], d->now, &config, &fresh) == LA_OK) {
        *id = fresh;
    }
    duo_judge(d, side);
}

static void accept_one(struct duo *d, struct input *in, int side)
{
    const uint8_t a = u8(in);
    struct la_accepted accepted;

    if (la_accept(d->s[side], d->now, d->listener[side][a % DUO_LISTENERS], a, &accepted) == LA_OK)
        duo_hold(d, side, accepted.conn, a >> 4);
    duo_judge(d, side);
}

static void reserve(struct duo *d, struct input *in, int side, struct duo_held *h)
{
    struct la_span spans[4];
    uint32_t count;
    const uint32_t want = u16(in) & 2047u;
    const uint32_t part = u8(in);
    const int64_t n = la_send_reserve(d->s[side], d->now, h->id, want, spans, 1 + part % 4, &count);
    uint32_t at = 0;

    duo_judge(d, side);
    if (n <= 0)
        return;
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t k = 0; k < spans[i].len_bytes; k++)
            spans[i].bytes[k] = duo_byte(h->sent + at++);
    LA_ASSERT(at == n);
    if (part & 128)
        return; /* never committed, or later */
    const uint32_t bytes = (uint32_t)n * (part & 15u) / 15;
    const enum la_err err = la_send_commit(d->s[side], d->now, h->id, bytes, part >> 6 & 1u);
    LA_ASSERT(err == LA_OK);
    h->sent += bytes;
}

static void data(struct duo *d, struct input *in, int side)
{
    const uint8_t a = u8(in);
    struct duo_held *h = &d->held[side][a & 7u];
    struct la_cspan spans[3];
    uint32_t count;

    switch (a >> 3 & 7) {
    case 0:
        (void)duo_send(d, side, h, u16(in) & 4095u, 0);
        break;
    case 1:
        (void)duo_send(d, side, h, u8(in), LA_SEND_MORE);
        break;
    case 2:
    case 3:
        (void)duo_recv(d, side, h, u16(in) & 8191u);
        break;
    case 4:
        reserve(d, in, side, h);
        break;
    case 5: { /* long after the reservation: whatever is sent, it is not the stream's */
        const uint32_t n = u8(in);

        if (la_send_commit(d->s[side], d->now, h->id, n, 0) == LA_OK && n > 0)
            (void)la_abort(d->s[side], d->now, h->id);
        break;
    }
    case 6:
        if (la_recv_peek(d->s[side], d->now, h->id, spans, 1 + (a >> 6) % 3, &count) > 0) {
            const uint32_t n = spans[0].len_bytes;

            LA_ASSERT(spans[0].bytes[n - 1] == duo_byte(h->received + n - 1));
            LA_ASSERT(la_recv_consume(d->s[side], d->now, h->id, n) == LA_OK);
            h->received += n;
        }
        break;
    default:
        (void)duo_send(d, side, h, 1, 0);
        break;
    }
    duo_judge(d, side);
}

static void end_one(struct duo *d, struct input *in, int side)
{
    const uint8_t a = u8(in);
    const la_conn_id id = d->held[side][a & 7u].id;

    switch (a >> 3 & 7) {
    case 0:
    case 1:
        (void)la_close(d->s[side], d->now, id);
        break;
    case 2:
        (void)la_abort(d->s[side], d->now, id);
        break;
    case 3:
    case 4:
        if (la_shutdown(d->s[side], d->now, id, LA_SHUT_WR) == LA_OK)
            break;
        break;
    case 5:
        if (la_shutdown(d->s[side], d->now, id, LA_SHUT_RD) == LA_OK)
            d->held[side][a & 7u].received = 0; /* nothing more is read */
        break;
    default:
        if (la_shutdown(d->s[side], d->now, id, a >> 6) == LA_OK)
            break;
        break;
    }
    duo_judge(d, side);
}

static void tune(struct duo *d, struct input *in, int side)
{
    static const struct {
        enum la_option option;
        uint32_t value;
    } options[] = {
        { LA_OPT_NODELAY, 1 },     { LA_OPT_CORK, 1 },        { LA_OPT_CORK, 0 },
        { LA_OPT_SNDBUF, 2048 },   { LA_OPT_RCVBUF, 1024 },   { LA_OPT_RCVBUF, 65536 },
        { LA_OPT_KEEPALIVE, 1 },   { LA_OPT_KEEPIDLE, 3 },    { LA_OPT_USER_TIMEOUT, 5000 },
        { LA_OPT_LINGER2, 9 },     { LA_OPT_QUICKACK, 1 },    { LA_OPT_NODELAY, 0 },
        { LA_OPT_KEEPALIVE, 0 },   { LA_OPT_SNDBUF, 200000 }, { LA_OPT_LINGER2, 60 },
        { LA_OPT_RCVBUF, 100000 },
    };
    const uint8_t a = u8(in);
    const la_conn_id id = d->held[side][a >> 4 & 7u].id;
    enum la_err err;

    if (a & 128)
        err = la_listener_set_option(d->s[side], d->listener[side][0], options[a & 15].option,
                                     options[a & 15].value);
    else
        err = la_set_option(d->s[side], d->now, id, options[a & 15].option, options[a & 15].value);
    LA_ASSERT(err == LA_OK || err == LA_EBADHANDLE);
    duo_judge(d, side);
}

static void knob(struct duo *d, struct input *in, int side)
{
    const uint8_t a = u8(in);
    const char *name = la_sysctl_name(a & 31u);

    if (name == NULL)
        return;
    const uint64_t values[] = { 0, 1, 2, 5, 100, 1000, 70000, u16(in) };
    const enum la_err err = la_sysctl_set(d->s[side], name, values[a >> 5]);
    LA_ASSERT(err == LA_OK || err == LA_EINVAL);
    duo_judge(d, side);
}

static void ignore(void *context, struct la_extent extent)
{
    struct la_stack *s = context;

    LA_ASSERT(extent.len_bytes > 0);
    memset((uint8_t *)s + extent.offset_bytes, 0, (size_t)extent.len_bytes);
}

static void other(struct duo *d, struct input *in, int side)
{
    const uint8_t a = u8(in);

    switch (a & 7) {
    case 0:
        duo_events(d, side, a >> 4);
        break;
    case 1:
        la_trim(d->s[side], a & 8 ? 4096 : 64, ignore, d->s[side]);
        break;
    case 2:
        (void)!la_ping_send(d->s[side], d->now, d->addr[1 - side], a, 1, &a, 1);
        break;
    case 3:
        (void)!la_iface_set_mtu(d->s[side], 0, 1280u + a);
        break;
    case 4:
        (void)la_hash(d->s[side]);
        break;
    case 5: {
        uint32_t counts[LA_STATES];
        la_state_counts(d->s[side], counts);
        break;
    }
    default:
        duo_turn(d);
        break;
    }
    duo_judge(d, side);
}

static void pass(struct duo *d, struct input *in)
{
    static const uint64_t most[] = { 0,        NS_PER_US,     NS_PER_MS,      40 * NS_PER_MS,
                                     NS_PER_S, 10 * NS_PER_S, 100 * NS_PER_S, UINT64_MAX / 4 };
    const uint8_t a = u8(in);

    if ((a & 7) == 7 && d->now.ns > UINT64_MAX / 16)
        return;
    if (a & 8) /* jump over what is due, as a host that slept does */
        d->now = time_add(d->now, (a & 7) == 7 ? 3600 * NS_PER_S : most[a & 7]);
    else
        duo_advance(d, most[a & 7]);
    duo_tick(d, 0, a >> 4);
    duo_tick(d, 1, a >> 4);
}

/* The run -------------------------------------------------------------------------------------- */

/* Byte 1: how much of the way is walked for the input, so that it need not find it. */
static void prepare(struct duo *d, uint8_t how)
{
    const struct la_listen_config config = { .local = la_prefix_host(d->addr[1]),
                                             .port = 80,
                                             .backlog = 3 };
    const struct la_endpoint any = { .port = 0 };
    const struct la_endpoint to = { .addr = d->addr[1], .port = 80 };
    struct la_accepted accepted;
    la_conn_id id;

    if (how == 0)
        return;
    LA_ASSERT(la_listen(d->s[1], d->now, &config, &d->listener[1][0]) == LA_OK);
    if (how & 1)
        return;
    LA_ASSERT(la_open(d->s[0], d->now, any, to, 1, &id) == LA_OK);
    duo_hold(d, 0, id, 0);
    if (how & 2)
        return;
    duo_turn(d);
    LA_ASSERT(la_accept(d->s[1], d->now, d->listener[1][0], 1, &accepted) == LA_OK);
    duo_hold(d, 1, accepted.conn, 0);
    if (how & 4)
        (void)duo_send(d, 0, &d->held[0][0], 2000, 0);
    if (how & 8)
        (void)duo_send(d, 1, &d->held[1][0], 2000, 0);
    if (how & 16)
        duo_turn(d);
    if (how & 32)
        (void)la_close(d->s[0], d->now, d->held[0][0].id);
    if (how & 64)
        duo_turn(d);
    duo_judge(d, 0);
    duo_judge(d, 1);
}

static void step(struct duo *d, struct input *in)
{
    const uint8_t op = u8(in);
    const int side = op >> 7;

    switch (op & 31) {
    case 0:
    case 1:
    case 2:
    case 3:
        forge(d, in, side);
        break;
    case 4:
    case 5:
    case 6:
        for (uint32_t i = 0; i <= (op >> 5 & 3u); i++)
            (void)duo_take(d, side, true);
        break;
    case 7:
    case 8:
    case 9:
        wire(d, in, side);
        break;
    case 10:
    case 11:
    case 12:
        pass(d, in);
        break;
    case 13:
    case 14:
    case 15:
        data(d, in, side);
        break;
    case 16:
        open_one(d, in, side);
        break;
    case 17:
        listen_one(d, in, side);
        break;
    case 18:
        accept_one(d, in, side);
        break;
    case 19:
    case 20:
        end_one(d, in, side);
        break;
    case 21:
        tune(d, in, side);
        break;
    case 22:
        knob(d, in, side);
        break;
    case 23:
        forge_error(d, in, side);
        break;
    case 24:
        raw(d, in, side);
        break;
    case 25:
        duo_tick(d, side, op >> 5 & 3u);
        break;
    case 26:
    case 27:
        duo_turn(d);
        break;
    case 28:
        duo_events(d, side, 8);
        break;
    default:
        other(d, in, side);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len_bytes);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len_bytes)
{
    struct input in = { .at = bytes, .left = (uint32_t)(len_bytes < 4096 ? len_bytes : 4096) };
    const uint8_t world = u8(&in);
    struct duo *d = duo_new(world & 7u);

    prepare(d, u8(&in));
    for (uint32_t steps = 0; in.left > 0 && steps < STEPS_MAX; steps++)
        step(d, &in);
    duo_end(d, (world & 8) == 0);
    return 0;
}
