/* SPDX-License-Identifier: MIT */
/*
 * duo.c - Two small stacks and a wire between them, judged after every step.
 *
 * The memory is static and written anew by duo_new(), so that a run leaves nothing behind.
 */
#include "tests/fuzz/duo.h"
#include "core/base/poison.h"

#include "core/base/checksum.h"
#include "sim/check/shadow.h"

#define ARENA_BYTES (256u << 10)
#define END_STEPS_MAX 20000u
#define TURN_PACKETS_MAX 4000u

static _Alignas(4096) uint8_t arena[2][ARENA_BYTES];
static struct duo the_duo;

static void add_side(struct duo *d, int side, uint32_t flags)
{
    const struct la_iface_config iface = { .mtu_bytes = d->v6 ? 1280 : 700,
                                           .gso_max_bytes = flags & DUO_GSO ? 2600 : 0 };
    struct la_config config;

    la_config_smallest(&config);
    if (!(flags & DUO_TINY)) {
        config.connections = DUO_CONNS;
        config.listeners = DUO_LISTENERS;
        config.half_open_v4 = config.half_open_v6 = 3;
        config.short_v4 = config.short_v6 = 3;
        config.chunks = 24;
        config.reserve_chunks = 2;
        config.reply_slots = 6;
        config.trace_records = 8;
    }
    config.secret[0] = (uint8_t)(side + 1);
    LA_ASSERT(la_bytes_needed(&config) <= ARENA_BYTES);
    poison_clear(arena[side], sizeof arena[side]);
    memset(arena[side], 0, la_bytes_needed(&config));
    enum la_err err = la_init(arena[side], ARENA_BYTES, &config, d->now, &d->s[side]);
    LA_ASSERT(err == LA_OK);
    const int number = la_iface_add(d->s[side], &iface);
    LA_ASSERT(number == 0);
    err = la_addr_add(d->s[side], 0,
                      (struct la_prefix){ .addr = d->addr[side], .len = d->v6 ? 64 : 120 }, 0);
    LA_ASSERT(err == LA_OK);
}

struct duo *duo_new(uint32_t flags)
{
    struct duo *d = &the_duo;

    memset(d, 0, offsetof(struct duo, wire));
    d->queued[0] = d->queued[1] = 0;
    d->packets = 0;
    d->now = (la_time){ 50 * NS_PER_S };
    d->v6 = (flags & DUO_V6) != 0;
    d->addr[0] = la_addr_v4(10, 0, 0, 1);
    d->addr[1] = la_addr_v4(10, 0, 0, 2);
    d->ghost = la_addr_v4(10, 0, 0, 9);
    if (d->v6) {
        bool ok = la_addr_parse("2001:db8::1", &d->addr[0]);
        ok = ok && la_addr_parse("2001:db8::2", &d->addr[1]);
        ok = ok && la_addr_parse("2001:db8::9", &d->ghost);
        LA_ASSERT(ok);
    }
    add_side(d, 0, flags);
    add_side(d, 1, flags);
    return d;
}

uint8_t duo_byte(uint64_t offset)
{
    return (uint8_t)(offset * 131 + (offset >> 8) * 7 + (offset >> 16) * 3 + 1);
}

/* Judging ------------------------------------------------------------------------------- */

static bool numbered(uint8_t state)
{
    return state >= LA_ESTABLISHED && state <= LA_LAST_ACK;
}

static void watch_conn(struct duo_watch *w, const struct tcp *t, uint32_t ci)
{
    const struct tcp_conn *c = conn_at(t, ci);
    const uint64_t handle = slab_handle(&t->conns, t, ci);
    const tcp_seq right = seq_add(c->snd.una, c->snd.wnd);

    if (w->handle != handle)
        *w = (struct duo_watch){ .handle = handle };
    if (numbered(c->state)) {
        if (numbered(w->state)) {
            LA_ASSERT(seq_le(w->una, c->snd.una));
            LA_ASSERT(seq_le(w->nxt, c->snd.nxt));
            LA_ASSERT(seq_le(w->rcv_nxt, c->rcv.nxt));
            w->right_max = seq_max(w->right_max, right);
        } else {
            w->right_max = right;
        }
    }
    w->state = c->state;
    w->una = c->snd.una;
    w->nxt = c->snd.nxt;
    w->rcv_nxt = c->rcv.nxt;
}

void duo_judge(struct duo *d, int side)
{
    const struct tcp *t = &d->s[side]->tcp;
    const char *broken = la_check(d->s[side]);

    if (broken != NULL)
        la_panic(__FILE__, __LINE__, broken);
    for (uint32_t ci = 0; ci < t->conns.high; ci++)
        if (slab_live(&t->conns, t, ci))
            watch_conn(&d->watch[side][ci], t, ci);
}

/* The connection that sent a segment, if it is still there and it is no older one's. */
static uint32_t sender(const struct tcp *t, const struct tcp_flow *flow, la_conn_id id)
{
    const struct index_entry e = tcp_lookup(t, flow, tcp_hash(t, flow));

    if (e.type != INDEX_CONN || !numbered(conn_at(t, e.value)->state))
        return SLAB_NONE;
    if (id.bits != 0 && id.bits != slab_handle(&t->conns, t, e.value))
        return SLAB_NONE;
    return e.value;
}

static void judge_segment(struct duo *d, int side, const struct tcp_flow *flow,
                          const struct tcp_seg *seg, la_conn_id id)
{
    const struct tcp *t = &d->s[side]->tcp;
    const uint32_t ci = sender(t, flow, id);

    if (ci == SLAB_NONE || seg->flags & (TCP_RST | TCP_SYN))
        return;
    struct duo_watch *w = &d->watch[side][ci];
    const struct tcp_conn *c = conn_at(t, ci);
    const uint32_t len = seg->len + ((seg->flags & TCP_FIN) != 0);
    const tcp_seq end = seq_add(seg->seq, len);
    const tcp_seq right = seq_add(c->snd.una, c->snd.wnd);
    const tcp_seq told = seq_add(seg->ack, seg->wnd << c->rcv_shift);

    for (uint32_t i = 0; i < seg->len; i++)
        LA_ASSERT(seg->text[i] == duo_byte(seq_diff(conn_iss(c), seg->seq) - 1 + i));
    if (len > 0) {
        const bool fresh =
            w->handle == slab_handle(&t->conns, t, ci) && numbered(w->state) && seq_gt(end, w->nxt);
        const tcp_seq bound = fresh ? right : seq_max(w->right_max, right);

        LA_ASSERT(seq_le(end, seq_add(bound, len == 1)));
        LA_ASSERT(seq_le(end, c->snd.nxt));
    }
    LA_ASSERT(seg->flags & TCP_ACK && seq_le(seg->ack, c->rcv.nxt));
    if (w->told && w->handle == slab_handle(&t->conns, t, ci))
        LA_ASSERT(seq_gt(seq_add(told, 1u << c->rcv_shift), w->told_max));
    if (w->handle == slab_handle(&t->conns, t, ci)) {
        w->told_max = w->told ? seq_max(w->told_max, told) : told;
        w->told = true;
    }
}

/* Packets ------------------------------------------------------------------------------- */

bool duo_take(struct duo *d, int side, bool keep)
{
    static uint8_t bytes[DUO_PACKET_MAX];
    struct la_tx tx;
    struct ip_packet ip;
    struct tcp_seg seg;

    if (la_tx(d->s[side], d->now, &tx, 1) == 0)
        return false;
    d->packets++;
    LA_ASSERT(tx.len_bytes <= sizeof bytes);
    (void)la_tx_copy(&tx, bytes, sizeof bytes);
    LA_ASSERT(ip_parse(bytes, tx.len_bytes, &ip) == LA_DROP_NONE);
    LA_ASSERT(la_addr_equal(ip.src, d->addr[side]));
    if (ip.protocol == IP_PROTO_TCP) {
        LA_ASSERT(tcp_checksum_ok(0, ip.src, ip.dst, ip.payload, ip.payload_len));
        LA_ASSERT(tcp_parse(ip.payload, ip.payload_len, &seg) == LA_DROP_NONE);
        const struct tcp_flow flow = {
            .laddr = ip.src, .raddr = ip.dst, .lport = seg.src_port, .rport = seg.dst_port
        };
        judge_segment(d, side, &flow, &seg, tx.conn);
    }
    duo_judge(d, side);
    if (keep && d->queued[1 - side] < DUO_WIRE) {
        struct duo_packet *p = &d->wire[1 - side][d->queued[1 - side]++];

        p->len_bytes = tx.len_bytes;
        p->gso_size_bytes = tx.gso_size_bytes;
        memcpy(p->bytes, bytes, tx.len_bytes);
    }
    return true;
}

void duo_frame(struct duo *d, int side, const uint8_t *bytes, uint32_t len_bytes, uint16_t flags)
{
    const struct la_frame frame = { .bytes = bytes, .len_bytes = len_bytes, .flags = flags };

    shadow_rx_or_panic(d->s[side], d->now, &frame, 1);
    duo_judge(d, side);
}

/* The sequence number of the stream's first byte towards @side, if it is known there. */
static bool stream_start(const struct duo *d, int side, const struct tcp_flow *flow, tcp_seq *start)
{
    const struct tcp *t = &d->s[side]->tcp;
    const struct index_entry e = tcp_lookup(t, flow, tcp_hash(t, flow));

    if (e.type == INDEX_CONN && conn_at(t, e.value)->state > LA_SYN_SENT) {
        *start = seq_add(conn_irs(conn_at(t, e.value)), 1);
        return true;
    }
    if (e.type == INDEX_HALF_OPEN) {
        *start = seq_add(half_at(t, e.value)->irs, 1);
        return true;
    }
    return false;
}

/* Text becomes what the stream has at this place. */
static void set_text(const struct duo *d, int side, uint8_t *bytes, uint32_t len_bytes)
{
    struct ip_packet ip;
    struct tcp_seg seg;
    tcp_seq start;

    if (ip_parse(bytes, len_bytes, &ip) != LA_DROP_NONE || ip.protocol != IP_PROTO_TCP ||
        tcp_parse(ip.payload, ip.payload_len, &seg) != LA_DROP_NONE)
        return;
    const struct tcp_flow flow = {
        .laddr = ip.dst, .raddr = ip.src, .lport = seg.dst_port, .rport = seg.src_port
    };
    if (!stream_start(d, side, &flow, &start))
        start = seq_add(seg.seq, (seg.flags & TCP_SYN) != 0); /* or the ACK of a cookie */
    uint8_t *text = bytes + (seg.text - bytes);
    const uint32_t first = seq_diff(start, seg.seq) + ((seg.flags & TCP_SYN) != 0);
    for (uint32_t i = 0; i < seg.len; i++)
        text[i] = duo_byte(first + i);
}

void duo_deliver(struct duo *d, int side, uint32_t i, bool again)
{
    struct duo_packet *p;

    if (i >= d->queued[side])
        return;
    p = &d->wire[side][i];
    set_text(d, side, p->bytes, p->len_bytes);
    const struct la_frame frame = { .bytes = p->bytes,
                                    .len_bytes = p->len_bytes,
                                    .gso_size_bytes = p->gso_size_bytes,
                                    .flags = LA_FRAME_CSUM_OK };
    shadow_rx_or_panic(d->s[side], d->now, &frame, 1);
    if (!again) {
        d->queued[side]--;
        memmove(p, p + 1, (d->queued[side] - i) * sizeof *p);
    }
    duo_judge(d, side);
}

void duo_forge(struct duo *d, int side, struct la_addr from, struct tcp_seg *seg)
{
    static uint8_t bytes[DUO_PACKET_MAX];
    const uint32_t at = ip_header_bytes(from);
    const uint32_t header = tcp_emit(seg, bytes + at);
    const struct ip_header ip = { .src = from,
                                  .dst = d->addr[side],
                                  .payload_len = header + seg->len,
                                  .protocol = IP_PROTO_TCP,
                                  .ttl = 64 };

    LA_ASSERT(at + header + seg->len <= sizeof bytes);
    memset(bytes + at + header, 0, seg->len);
    (void)ip_emit(&ip, bytes);
    set_text(d, side, bytes, at + header + seg->len);
    duo_frame(d, side, bytes, at + header + seg->len, LA_FRAME_CSUM_OK);
}

void duo_turn(struct duo *d)
{
    const uint32_t limit = d->packets + TURN_PACKETS_MAX;
    bool moved;

    do {
        moved = false;
        for (int side = 0; side < 2; side++) {
            while (d->queued[1 - side] < DUO_WIRE && duo_take(d, side, true))
                moved = true;
            while (d->queued[1 - side] > 0) {
                duo_deliver(d, 1 - side, 0, false);
                moved = true;
            }
        }
        LA_ASSERT(d->packets <= limit); /* they answer one another for ever */
    } while (moved);
}

/* Time ------------------------------------------------------------------------------------ */

void duo_tick(struct duo *d, int side, uint32_t budget)
{
    (void)la_tick(d->s[side], d->now, budget);
    duo_judge(d, side);
}

void duo_advance(struct duo *d, uint64_t most_ns)
{
    const la_time most = time_add(d->now, most_ns);
    const la_time next = time_min(la_deadline(d->s[0]), la_deadline(d->s[1]));
    const la_time at = time_min(most, next);

    if (time_lt(d->now, at))
        d->now = at;
}

/* Calls ----------------------------------------------------------------------------------- */

int64_t duo_send(struct duo *d, int side, struct duo_held *h, uint32_t len_bytes, uint32_t flags)
{
    static uint8_t bytes[8192];

    LA_ASSERT(len_bytes <= sizeof bytes);
    for (uint32_t i = 0; i < len_bytes; i++)
        bytes[i] = duo_byte(h->sent + i);
    const int64_t n = la_send(d->s[side], d->now, h->id, bytes, len_bytes, flags);
    LA_ASSERT(n <= len_bytes);
    if (n > 0)
        h->sent += (uint64_t)n;
    return n;
}

int64_t duo_recv(struct duo *d, int side, struct duo_held *h, uint32_t len_bytes)
{
    static uint8_t bytes[8192];

    LA_ASSERT(len_bytes <= sizeof bytes);
    const int64_t n = la_recv(d->s[side], d->now, h->id, bytes, len_bytes);
    for (int64_t i = 0; i < n; i++)
        LA_ASSERT(bytes[i] == duo_byte(h->received + (uint64_t)i));
    if (n > 0)
        h->received += (uint64_t)n;
    return n;
}

void duo_events(struct duo *d, int side, uint32_t max)
{
    struct la_event events[8];
    const uint32_t n = la_events(d->s[side], events, max < 8 ? max : 8);

    for (uint32_t i = 0; i < n; i++)
        if (events[i].kind == LA_EVENT_CONN)
            LA_ASSERT(events[i].mask == la_ready(d->s[side], events[i].conn));
}

void duo_hold(struct duo *d, int side, la_conn_id id, uint32_t place)
{
    for (uint32_t i = 0; i < DUO_HELD; i++) {
        struct duo_held *h = &d->held[side][(place + i) % DUO_HELD];

        if (slab_find(&d->s[side]->tcp.conns, d->s[side], h->id.bits) == SLAB_NONE) {
            *h = (struct duo_held){ .id = id };
            return;
        }
    }
    la_panic(__FILE__, __LINE__, "more handles than connections");
}

/* The end ----------------------------------------------------------------------------------- */

static void let_go(struct duo *d, int side)
{
    for (uint32_t i = 0; i < DUO_LISTENERS; i++)
        if (la_listener_close(d->s[side], d->now, d->listener[side][i]) != LA_OK)
            continue; /* closed before */
    for (uint32_t i = 0; i < DUO_HELD; i++)
        (void)la_close(d->s[side], d->now, d->held[side][i].id);
}

void duo_end(struct duo *d, bool drain)
{
    d->queued[0] = d->queued[1] = 0;
    for (int side = 0; side < 2; side++) {
        const struct la_stack *s = d->s[side];

        let_go(d, side);
        duo_judge(d, side);
        for (uint32_t steps = 0;; steps++) {
            bool more = duo_take(d, side, false); /* at least one a step: a slow driver */
            while (more && drain)
                more = duo_take(d, side, false);
            const la_time at = la_deadline(d->s[side]);
            if (at.ns == UINT64_MAX && !more)
                break;
            if (at.ns == UINT64_MAX)
                continue;
            d->now = time_lt(d->now, at) ? at : d->now;
            duo_tick(d, side, 4);
            LA_ASSERT(steps < END_STEPS_MAX); /* it never comes to rest */
        }
        for (uint32_t k = 0; k < LA_TABLES; k++)
            if (la_table_use(s, (enum la_table)k).used != 0)
                la_panic(la_table_name((enum la_table)k), (int)k, "is not empty at the end");
        LA_ASSERT(s->tcp.index.entries == 0 && s->tcp.wheel.armed == 0);
    }
}
