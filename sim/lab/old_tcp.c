/* SPDX-License-Identifier: MIT */
/* old_tcp.c - What old_tcp.h says: RFC 793 3.9, SEGMENT ARRIVES, step by step. */
#include "sim/lab/old_tcp.h"

#include <string.h>

#include "sim/segment.h"

#define WINDOW 65535u
#define STAMP_BYTES 12u
#define TICKS_A_SECOND 250000u

#define TWO_MSL_NS UINT64_C(60000000000)

static bool before(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) < 0;
}

static void put16(uint8_t *to, uint32_t n)
{
    to[0] = (uint8_t)(n >> 8);
    to[1] = (uint8_t)n;
}

static void put32(uint8_t *to, uint32_t n)
{
    put16(to, n >> 16);
    put16(to + 2, n);
}

static uint32_t get32(const uint8_t *from)
{
    return (uint32_t)from[0] << 24 | (uint32_t)from[1] << 16 | (uint32_t)from[2] << 8 | from[3];
}

static void enter(struct lab_old *o, enum la_state state)
{
    o->state = state;
    o->l->script_state[lab_side(o->l, o->host)] = la_state_name(state);
}

/* Segments out ------------------------------------------------------------------------------- */

static uint32_t put_ip(const struct lab_old *o, uint8_t *to, uint32_t tcp_bytes)
{
    if (la_addr_is_v4(o->local.addr)) {
        memset(to, 0, 20);
        to[0] = 0x45;
        put16(to + 2, 20 + tcp_bytes);
        to[8] = 64;
        to[9] = 6;
        memcpy(to + 12, o->local.addr.bytes + 12, 4);
        memcpy(to + 16, o->remote.addr.bytes + 12, 4);
        return 20;
    }
    memset(to, 0, 40);
    to[0] = 0x60;
    put16(to + 4, tcp_bytes);
    to[6] = 6;
    to[7] = 64;
    memcpy(to + 8, o->local.addr.bytes, 16);
    memcpy(to + 24, o->remote.addr.bytes, 16);
    return 40;
}

void lab_old_emit(struct lab_old *o, uint8_t flags, uint32_t seq, uint32_t ack, const uint8_t *text,
                  uint32_t len_bytes)
{
    uint8_t bytes[40 + 20 + STAMP_BYTES + LAB_OLD_TEXT] = { 0 };
    const bool stamp = o->timestamps && !(flags & SIM_RST) &&
                       (o->stamped || (flags & SIM_SYN && o->state != LA_SYN_RECEIVED));
    const uint32_t header = 20 + (stamp ? STAMP_BYTES : 0);
    uint8_t *tcp = bytes + put_ip(o, bytes, header + len_bytes);

    put16(tcp, o->local.port);
    put16(tcp + 2, o->remote.port);
    put32(tcp + 4, seq);
    put32(tcp + 8, ack);
    tcp[12] = (uint8_t)(header / 4 << 4);
    tcp[13] = flags;
    put16(tcp + 14, WINDOW);
    if (stamp) {
        put32(tcp + 20, 0x0101080a); /* two of no operation; timestamps, ten bytes */
        put32(tcp + 24, (uint32_t)(o->l->world.now_ns / 1000000u) + 1);
        put32(tcp + 28, o->stamped ? o->ts_recent : 0);
    }
    if (len_bytes > 0)
        memcpy(tcp + header, text, len_bytes);
    const uint32_t whole = (uint32_t)(tcp - bytes) + header + len_bytes;

    sim_checksum_repair(bytes, whole);
    sim_send(o->host, bytes, whole);
}

static void say(struct lab_old *o, uint8_t flags)
{
    lab_old_emit(o, flags, o->snd_nxt, o->rcv_nxt, NULL, 0);
}

static void stop(struct lab_old *o, const char *guard)
{
    o->stopped = guard;
    say(o, SIM_ACK);
}

/* Calls --------------------------------------------------------------------------------------- */

static uint32_t isn(const struct lab_old *o)
{
    const uint64_t us = o->isn_clock ? o->l->world.now_ns / 1000u : 0;

    return o->l->options.origin + (uint32_t)(us * TICKS_A_SECOND / 1000000u);
}

static void reset_tcb(struct lab_old *o)
{
    o->iss = o->snd_una = o->snd_nxt = isn(o);
    o->stamped = false;
    memset(o->here, 0, sizeof o->here);
}

void lab_old_listen(struct lab_old *o, uint16_t port)
{
    o->listens = true;
    o->local.port = port;
    enter(o, LA_LISTEN);
}

bool lab_old_connect(struct lab_old *o, uint16_t local_port, const struct sim_host *to,
                     uint16_t port)
{
    const bool same_ports = o->local.port == local_port && o->remote.port == port;

    if (o->time_wait && o->closed_ns > 0 && same_ports &&
        o->l->world.now_ns < o->closed_ns + TWO_MSL_NS)
        return false;
    reset_tcb(o);
    o->local.port = local_port;
    o->remote = (struct la_endpoint){ sim_host_addr(to, o->l->options.v6), port };
    enter(o, LA_SYN_SENT);
    lab_note(o->l, o->host, "connect()");
    lab_old_emit(o, SIM_SYN, o->snd_nxt++, 0, NULL, 0);
    return true;
}

void lab_old_send(struct lab_old *o, char byte, uint32_t len_bytes)
{
    uint8_t text[LAB_OLD_TEXT];
    const uint32_t len = len_bytes < sizeof text ? len_bytes : (uint32_t)sizeof text;

    memset(text, byte, len);
    lab_old_emit(o, SIM_ACK | SIM_PSH, o->snd_nxt, o->rcv_nxt, text, len);
    o->snd_nxt += len;
}

void lab_old_close(struct lab_old *o)
{
    o->closed_ns = o->l->world.now_ns;
    lab_note(o->l, o->host, "close()");
    enter(o, o->state == LA_CLOSE_WAIT ? LA_LAST_ACK : LA_FIN_WAIT_1);
    say(o, SIM_FIN | SIM_ACK);
    o->snd_nxt++;
}

uint32_t lab_old_read(const struct lab_old *o)
{
    return o->rcv_nxt - o->irs - 1;
}

/* Segments in ---------------------------------------------------------------------------------- */

static bool stamp_of(const struct sim_packet *p, const struct sim_segment *seg, uint32_t *val)
{
    const uint8_t *at = p->bytes + seg->ip_header_bytes + 20;
    const uint8_t *end = p->bytes + seg->header_bytes;

    while (at < end && *at != 0) {
        if (*at == 1) {
            at++;
            continue;
        }
        if (at + 1 >= end || at[1] < 2 || at + at[1] > end)
            return false;
        if (at[0] == 8 && at[1] == 10) {
            *val = get32(at + 2);
            return true;
        }
        at += at[1];
    }
    return false;
}

static void take_syn(struct lab_old *o, const struct sim_packet *p, const struct sim_segment *seg)
{
    uint32_t val = 0;

    o->irs = seg->seq;
    o->rcv_nxt = seg->seq + 1;
    o->stamped = o->timestamps && stamp_of(p, seg, &val);
    o->ts_recent = val;
}

static void in_listen(struct lab_old *o, const struct sim_packet *p, const struct sim_segment *seg)
{
    if ((seg->flags & (SIM_SYN | SIM_ACK | SIM_RST)) != SIM_SYN)
        return;
    o->remote = seg->from;
    reset_tcb(o);
    take_syn(o, p, seg);
    enter(o, LA_SYN_RECEIVED);
    lab_old_emit(o, SIM_SYN | SIM_ACK, o->snd_nxt++, o->rcv_nxt, NULL, 0);
}

static void in_syn_sent(struct lab_old *o, const struct sim_packet *p,
                        const struct sim_segment *seg)
{
    if ((seg->flags & (SIM_SYN | SIM_ACK | SIM_RST)) != (SIM_SYN | SIM_ACK) ||
        seg->ack != o->snd_nxt)
        return;
    take_syn(o, p, seg);
    o->snd_una = seg->ack;
    enter(o, LA_ESTABLISHED);
    say(o, SIM_ACK);
}

/* "There are four cases for the acceptability test"; the window here is never zero. */
static bool acceptable(const struct lab_old *o, const struct sim_segment *seg)
{
    const uint32_t len = sim_segment_span(seg);

    return seg->seq - o->rcv_nxt < WINDOW || (len > 0 && seg->seq + len - 1 - o->rcv_nxt < WINDOW);
}

static void end(struct lab_old *o)
{
    enter(o, o->listens ? LA_LISTEN : LA_CLOSED);
}

/* First to fourth.  Return: true to go on. */
static bool checks(struct lab_old *o, const struct sim_packet *p, const struct sim_segment *seg)
{
    uint32_t val;

    if (o->stamped && stamp_of(p, seg, &val)) {
        if (before(val, o->ts_recent) && !(seg->flags & SIM_RST)) {
            stop(o, "PAWS");
            return false;
        }
        o->ts_recent = val;
    }
    if (!acceptable(o, seg)) {
        if (!(seg->flags & SIM_RST))
            stop(o, "window");
        return false;
    }
    if (seg->flags & SIM_RST) {
        o->was_reset = true;
        end(o);
        return false;
    }
    if (seg->flags & SIM_SYN) {
        o->was_reset = true;
        end(o);
        lab_old_emit(o, SIM_RST, o->snd_nxt, 0, NULL, 0);
        return false;
    }
    return (seg->flags & SIM_ACK) != 0;
}

/* Fifth.  Return: true to go on. */
static bool acknowledgment(struct lab_old *o, const struct sim_segment *seg)
{
    if (before(o->snd_nxt, seg->ack)) {
        stop(o, "acknowledgment");
        return false;
    }
    if (before(o->snd_una, seg->ack))
        o->snd_una = seg->ack;
    const bool all = o->snd_una == o->snd_nxt;

    if (o->state == LA_SYN_RECEIVED)
        enter(o, LA_ESTABLISHED);
    if (o->state == LA_FIN_WAIT_1 && all)
        enter(o, LA_FIN_WAIT_2);
    if (o->state == LA_LAST_ACK && all) {
        end(o);
        return false;
    }
    return true;
}

/* Seventh.  Who comes first is believed. */
static void take_text(struct lab_old *o, const struct sim_segment *seg)
{
    for (uint32_t i = 0; i < seg->text_bytes; i++) {
        const uint32_t at = seg->seq + i - o->irs - 1;

        if (at >= LAB_OLD_TEXT || o->here[at])
            continue;
        o->here[at] = true;
        o->text[at] = seg->text[i];
    }
    while (lab_old_read(o) < LAB_OLD_TEXT && o->here[lab_old_read(o)])
        o->rcv_nxt++;
    if (seg->text_bytes > 0)
        say(o, SIM_ACK);
}

static void take_fin(struct lab_old *o, const struct sim_segment *seg)
{
    if (!(seg->flags & SIM_FIN) || seg->seq + seg->text_bytes != o->rcv_nxt)
        return;
    o->rcv_nxt++;
    if (o->state == LA_ESTABLISHED) {
        enter(o, LA_CLOSE_WAIT);
        lab_old_close(o); /* the FIN carries the acknowledgment */
        return;
    }
    say(o, SIM_ACK);
    end(o); /* 2MSL is 0 */
}

static void script(struct sim_host *h, void *context, const struct sim_packet *p)
{
    struct lab_old *o = context;
    struct sim_segment seg;

    (void)h;
    sim_segment_read(p->bytes, p->len_bytes, &seg);
    if (!seg.tcp || seg.to.port != o->local.port || o->state == LA_CLOSED)
        return;
    if (o->state == LA_LISTEN) {
        in_listen(o, p, &seg);
    } else if (o->state == LA_SYN_SENT) {
        in_syn_sent(o, p, &seg);
    } else if (checks(o, p, &seg) && acknowledgment(o, &seg)) {
        take_text(o, &seg);
        take_fin(o, &seg);
    }
}

void lab_old_begin(struct lab_old *o, struct lab *l, struct sim_host *host)
{
    o->l = l;
    o->host = host;
    o->local.addr = sim_host_addr(host, l->options.v6);
    enter(o, LA_CLOSED);
    lab_script(l, host, script, o);
}
