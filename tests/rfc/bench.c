/* SPDX-License-Identifier: MIT */
/*
 * bench.c - The bench itself: runs, time, packets in and out, what is watched, failures.
 * bench_open.c brings it to its states, bench_expect.c looks.
 */
#include "tests/rfc/bench.h"

#include <stdarg.h>

#include "core/base/bytes.h"
#include "core/base/checksum.h"
#include "core/wire/icmp.h"
#include "core/wire/ip.h"
#include "sim/check/shadow.h"

#define FRAME_MAX 65600u
#define PACKETS_AT_ONCE 16

static struct bench the_bench;
static struct la_tx descriptors[PACKETS_AT_ONCE];
static uint8_t frame_room[LA_RX_BURST_MAX * 2048u + FRAME_MAX];
static uint8_t sent_packet[FRAME_MAX];

/* Runs ------------------------------------------------------------------------------ */

static uint32_t seed_of(const char *name)
{
    uint32_t hash = 2166136261u;

    for (; *name != '\0'; name++)
        hash = (hash ^ (uint8_t)*name) * 16777619u;
    return hash | 1u;
}

uint32_t bench_random(struct bench *b)
{
    b->random ^= b->random << 13;
    b->random ^= b->random >> 17;
    b->random ^= b->random << 5;
    return b->random;
}

static void origins(struct bench *b)
{
    static const uint32_t fixed[] = { 0, 0x7fffffff, 0xffffffff };

    if (b->origin < 3) {
        b->iss = b->irs = seq_of(fixed[b->origin]);
        return;
    }
    b->iss = seq_of(0u - bench_random(b) % 3000u); /* text crosses 2^32 */
    b->irs = seq_of(b->family == 4 ? bench_random(b) : 0u - bench_random(b) % 3000u);
}

/* BENCH_ONLY=6:2 runs one family and one origin. */
static bool wanted(uint32_t family, uint32_t origin)
{
    const char *only = getenv("BENCH_ONLY");
    unsigned f, o;

    return only == NULL || sscanf(only, "%u:%u", &f, &o) != 2 || (f == family && o == origin);
}

void bench_again(struct bench *b)
{
    b->s = NULL;
    b->has_conn = b->has_listener = b->ts_auto = b->ts_skip = false;
    b->edge_known = b->offer_known = false;
    b->sent_bytes = b->read_bytes = 0;
    b->our_shift = b->peer_shift = BENCH_NO_SHIFT;
    b->tx_count = b->log_lines = 0;
    b->seen_mask = b->event_mask = 0;
}

void bench_run(const char *name, const char *file, void (*body)(struct bench *b))
{
    struct bench *b = &the_bench;

    for (uint32_t i = 0; i < 8; i++) {
        const uint32_t family = i < 4 ? 4 : 6;

        if (!wanted(family, i % 4))
            continue;
        memset(b, 0, offsetof(struct bench, tx));
        b->tx_first = b->tx_count = b->tx_total = b->log_lines = 0;
        b->before = LA_CLOSED;
        b->our_shift = b->peer_shift = BENCH_NO_SHIFT;
        b->test = name;
        b->file = file;
        b->family = family;
        b->origin = i % 4;
        b->random = seed_of(name) + i;
        origins(b);
        body(b);
    }
}

/* Failures ---------------------------------------------------------------------------- */

static const char *state_name(int state)
{
    return la_state_name((enum la_state)state);
}

void bench_log(struct bench *b, const char *format, ...)
{
    char *line = b->log[b->log_lines++ % BENCH_LOG_LINES];
    const uint64_t us = (b->now.ns - b->mark.ns) / 1000u;
    va_list args;
    int n;

    n = snprintf(line, BENCH_LINE_BYTES, "%6u.%06u s  ", (unsigned)(us / 1000000u),
                 (unsigned)(us % 1000000u));
    va_start(args, format);
    vsnprintf(line + n, BENCH_LINE_BYTES - (size_t)n, format, args);
    va_end(args);
}

_Noreturn void bench_fail(struct bench *b, const char *file, int at, const char *format, ...)
{
    const uint32_t first = b->log_lines > BENCH_LOG_LINES ? b->log_lines - BENCH_LOG_LINES : 0;
    const char *name = strrchr(b->file, '/');
    char text[512];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    print_error("%s:%d: %s\n", file, at, text);
    print_error("the exchange (peer --> stack, stack <-- ; times since the mark):\n");
    for (uint32_t i = first; i < b->log_lines; i++)
        print_error("  %s\n", b->log[i % BENCH_LOG_LINES]);
    print_error("state before the last step %s, after it %s\n", state_name(b->before),
                b->s == NULL ? "none" : state_name(bench_state_now(b)));
    name = name == NULL ? b->file : name + 1;
    print_error("again: BENCH_ONLY=%u:%u build/tests/rfc/%.*s %s\n", b->family, b->origin,
                (int)strcspn(name, "."), name, b->test);
    _fail(file, at);
    abort(); /* not reached: _fail jumps */
}

/* Packets out --------------------------------------------------------------------------- */

/* The bytes of a stream, by their place in it. */
static uint8_t pattern(uint32_t offset)
{
    return (uint8_t)(offset * 7u + (offset >> 8) * 13u + (offset >> 16) * 31u);
}

static void fill_text(struct bench *b, uint8_t *to, tcp_seq seq, uint32_t len, bool inbound)
{
    const uint32_t at = seq_diff(seq_add(inbound ? b->irs : b->iss, 1), seq);

    for (uint32_t i = 0; i < len; i++)
        to[i] = pattern(at + i);
}

static struct tcp_text_bases bases(const struct bench *b, bool outbound)
{
    return (struct tcp_text_bases){ .rcv = b->rcv_base, .snd = b->snd_base, .outbound = outbound };
}

/* Both must have offered scaling, a SYN is never scaled, and more than 14 counts as 14. */
static uint32_t shift_of(const struct bench *b, const struct tcp_seg *seg, uint32_t shift)
{
    if (seg->flags & TCP_SYN || b->our_shift == BENCH_NO_SHIFT || b->peer_shift == BENCH_NO_SHIFT)
        return 0;
    return shift < 14 ? shift : 14;
}

/* What holds of every segment the stack sends. */
static void judge_out(struct bench *b, const struct tcp_seg *seg, const uint8_t *text)
{
    static uint8_t want[FRAME_MAX];

    if (seg->len > 0) {
        fill_text(b, want, seg->seq, seg->len, false);
        if (memcmp(want, text, seg->len) != 0)
            bench_fail(b, __FILE__, __LINE__, "the bytes sent are not those of the stream");
    }
    if (seg->flags & TCP_RST)
        return;
    if (seg->flags & TCP_SYN) {
        b->our_shift = seg->opt.has_wscale ? seg->opt.wscale : BENCH_NO_SHIFT;
        b->edge_known = false; /* another connection */
    }
    if (seg->flags & TCP_ACK) {
        const uint32_t shift = shift_of(b, seg, b->our_shift);
        const tcp_seq right = seq_add(seg->ack, seg->wnd << shift);

        if (b->edge_known && seq_lt(right, b->edge))
            bench_fail(b, __FILE__, __LINE__, "the right edge of our window moved left by %u",
                       seq_diff(right, b->edge));
        b->edge = right;
        b->edge_known = true;
    }
    if (b->offer_known && seg->len > 1 && seq_gt(seq_add(seg->seq, seg->len), b->offer))
        bench_fail(b, __FILE__, __LINE__, "text was sent beyond the window the peer offered");
}

static void take_packet(struct bench *b, const struct la_tx *tx)
{
    const uint32_t len = la_tx_copy(tx, sent_packet, sizeof sent_packet);
    const struct tcp_text_bases out = bases(b, true);
    struct bench_tx *t = &b->tx[(b->tx_first + b->tx_count) % BENCH_TX_MAX];
    struct ip_packet p;
    char line[BENCH_LINE_BYTES];

    if (ip_parse(sent_packet, len, &p) != LA_DROP_NONE || p.len_bytes != len)
        bench_fail(b, __FILE__, __LINE__, "a packet with a broken IP header was sent");
    if (p.protocol != IP_PROTO_TCP)
        return;
    if (!p.dont_fragment || (p.version == 4 && load_be16(sent_packet + 4) != 0))
        bench_fail(b, __FILE__, __LINE__, "a segment without DF, or with an ID (RFC 6864)");
    if (!tcp_checksum_ok(0, p.src, p.dst, p.payload, p.payload_len))
        bench_fail(b, __FILE__, __LINE__, "a wrong TCP checksum was sent (MUST-2)");
    if (tcp_parse(p.payload, p.payload_len, &t->seg) != LA_DROP_NONE || p.payload[12] & 15)
        bench_fail(b, __FILE__, __LINE__, "a broken TCP header was sent");
    if ((p.payload[12] >> 4) * 4u != TCP_HEADER_BYTES + tcp_options_bytes(&t->seg.opt))
        bench_fail(b, __FILE__, __LINE__, "options that have no place there were sent (MUST-65)");
    if (b->tx_count == BENCH_TX_MAX)
        bench_fail(b, __FILE__, __LINE__, "more than %d segments wait", BENCH_TX_MAX);
    tcp_text_format(&t->seg, &out, line, sizeof line);
    bench_log(b, "%-13s <-- %s", state_name(bench_state_now(b)), line);
    t->at = b->now;
    t->ttl = p.ttl;
    t->tos = p.tos;
    t->ip_len = len;
    b->tx_count++;
    b->tx_total++;
    if (t->seg.src_port == b->local.port && t->seg.dst_port == b->remote.port) {
        if (t->seg.opt.has_timestamps)
            b->ts_ecr = t->seg.opt.ts_val;
        judge_out(b, &t->seg, t->seg.text);
    }
    t->seg.text = NULL;
}

static void take_events(struct bench *b)
{
    struct la_event events[8];
    uint32_t n;

    while ((n = la_events(b->s, events, 8)) > 0)
        for (uint32_t i = 0; i < n; i++) {
            if (events[i].kind != LA_EVENT_CONN)
                continue;
            b->events++;
            b->event_mask = events[i].mask;
            b->seen_mask |= events[i].mask;
        }
}

void bench_drain(struct bench *b)
{
    const char *broken = la_check(b->s);
    uint32_t n, rounds = 0;

    if (broken != NULL)
        bench_fail(b, __FILE__, __LINE__, "before sending: %s", broken);
    while ((n = la_tx(b->s, b->now, descriptors, PACKETS_AT_ONCE)) > 0) {
        for (uint32_t i = 0; i < n; i++)
            take_packet(b, &descriptors[i]);
        if (rounds++ > 1000)
            bench_fail(b, __FILE__, __LINE__, "sending does not end");
    }
    take_events(b);
    broken = la_check(b->s);
    if (broken != NULL)
        bench_fail(b, __FILE__, __LINE__, "after sending: %s", broken);
}

/* A step of any kind begins. */
static void step(struct bench *b)
{
    b->before = bench_state_now(b);
    for (uint32_t i = 0; i < LA_DROPS; i++)
        b->drops_before[i] = la_drops(b->s, (enum la_drop)i);
}

/* Packets in ------------------------------------------------------------------------------ */

void bench_parse(struct bench *b, const char *line, bool outbound, struct tcp_seg *out)
{
    const struct tcp_text_bases at = bases(b, outbound);
    const char *wrong = tcp_text_parse(line, &at, out);

    if (wrong != NULL)
        bench_fail(b, __FILE__, __LINE__, "in \"%s\": %s", line, wrong);
}

static uint32_t finish_packet(struct bench *b, uint8_t *to, uint32_t ip_bytes, uint32_t tcp_len)
{
    const struct ip_header h = {
        .src = b->remote.addr,
        .dst = b->local.addr,
        .payload_len = tcp_len,
        .protocol = IP_PROTO_TCP,
        .ttl = 64,
    };
    uint64_t sum = ip_pseudo_sum(h.src, h.dst, IP_PROTO_TCP, tcp_len);

    ip_emit(&h, to);
    store_be16(to + ip_bytes + 16, 0);
    sum = checksum_add(0, sum, to + ip_bytes, tcp_len);
    store_be16(to + ip_bytes + 16, checksum_finish(sum));
    return ip_bytes + tcp_len;
}

uint32_t bench_packet(struct bench *b, const struct tcp_seg *seg, uint8_t *to)
{
    const uint32_t ip_bytes = b->family == 4 ? IP4_HEADER_BYTES : IP6_HEADER_BYTES;
    struct tcp_seg s = *seg;
    uint32_t header;

    s.src_port = b->remote.port;
    s.dst_port = b->local.port;
    header = tcp_emit(&s, to + ip_bytes);
    fill_text(b, to + ip_bytes + header, seq_add(s.seq, (s.flags & TCP_SYN) != 0), s.len, true);
    return finish_packet(b, to, ip_bytes, header + s.len);
}

/* What the peer says about its window is remembered, if the stack could believe it. */
static void note_offer(struct bench *b, const struct tcp_seg *seg)
{
    if (seg->flags & TCP_RST)
        return;
    if (seg->flags & TCP_SYN && bench_state_now(b) <= LA_SYN_SENT)
        b->peer_shift = seg->opt.has_wscale ? seg->opt.wscale : BENCH_NO_SHIFT;
    if (seg->flags & TCP_ACK || seg->flags & TCP_SYN) {
        const uint32_t shift = shift_of(b, seg, b->peer_shift);
        const tcp_seq from = seg->flags & TCP_ACK ? seg->ack : seq_add(b->iss, 1);
        const tcp_seq right = seq_add(from, seg->wnd << shift);

        if (!b->offer_known || seq_gt(right, b->offer))
            b->offer = right;
        b->offer_known = true;
    }
}

static void prepare(struct bench *b, struct tcp_seg *seg)
{
    const struct tcp_text_bases in = bases(b, false);
    char line[BENCH_LINE_BYTES];

    if (b->ts_auto && !b->ts_skip && !seg->opt.has_timestamps && !(seg->flags & TCP_RST)) {
        seg->opt.has_timestamps = true;
        seg->opt.ts_val = b->ts_val;
        seg->opt.ts_ecr = seg->flags & TCP_ACK ? b->ts_ecr : 0;
    }
    b->ts_skip = false;
    note_offer(b, seg);
    tcp_text_format(seg, &in, line, sizeof line);
    bench_log(b, "%-13s --> %s", state_name(bench_state_now(b)), line);
}

static void hand_in(struct bench *b, const struct la_frame *frames, uint32_t count)
{
    step(b);
    shadow_rx_or_panic(b->s, b->now, frames, count);
    bench_drain(b);
}

void bench_rx_raw(struct bench *b, const uint8_t *bytes, uint32_t len_bytes)
{
    const struct la_frame frame = { .bytes = bytes, .len_bytes = len_bytes };

    hand_in(b, &frame, 1);
}

void bench_rx_seg(struct bench *b, const struct tcp_seg *seg)
{
    struct tcp_seg s = *seg;

    prepare(b, &s);
    bench_rx_raw(b, frame_room, bench_packet(b, &s, frame_room));
}

void bench_rx(struct bench *b, const char *line)
{
    struct tcp_seg seg;

    bench_parse(b, line, false, &seg);
    bench_rx_seg(b, &seg);
}

void bench_rx_between(struct bench *b, const char *line, const char *from, const char *to)
{
    const struct la_endpoint local = b->local, remote = b->remote;
    struct tcp_seg seg;
    uint32_t len;

    if ((from != NULL && !la_addr_parse(from, &b->remote.addr)) ||
        (to != NULL && !la_addr_parse(to, &b->local.addr)))
        bench_fail(b, __FILE__, __LINE__, "not an address");
    bench_parse(b, line, false, &seg);
    bench_log(b, "              --> %s, from %s to %s", line, from == NULL ? "the peer" : from,
              to == NULL ? "us" : to);
    len = bench_packet(b, &seg, frame_room);
    b->local = local;
    b->remote = remote;
    bench_rx_raw(b, frame_room, len);
}

void bench_rx_burst(struct bench *b, const char *const *lines, uint32_t count)
{
    struct la_frame frames[LA_RX_BURST_MAX];
    uint32_t at = 0;

    for (uint32_t i = 0; i < count; i++) {
        struct tcp_seg seg;

        bench_parse(b, lines[i], false, &seg);
        prepare(b, &seg);
        frames[i] = (struct la_frame){ .bytes = frame_room + at };
        frames[i].len_bytes = bench_packet(b, &seg, frame_room + at);
        at += frames[i].len_bytes;
    }
    hand_in(b, frames, count);
}

void bench_rx_options(struct bench *b, const char *line, const uint8_t *options, uint32_t len)
{
    const uint32_t ip_bytes = b->family == 4 ? IP4_HEADER_BYTES : IP6_HEADER_BYTES;
    const uint32_t padded = (len + 3u) & ~3u;
    uint8_t *tcp = frame_room + ip_bytes;
    struct tcp_seg seg;
    bool ts_auto = b->ts_auto;

    bench_parse(b, line, false, &seg);
    b->ts_auto = false;
    prepare(b, &seg);
    b->ts_auto = ts_auto;
    seg.opt = (struct tcp_options){ 0 };
    (void)bench_packet(b, &seg, frame_room);
    memmove(tcp + TCP_HEADER_BYTES + padded, tcp + TCP_HEADER_BYTES, seg.len);
    memset(tcp + TCP_HEADER_BYTES, 0, padded);
    memcpy(tcp + TCP_HEADER_BYTES, options, len);
    tcp[12] = (uint8_t)((TCP_HEADER_BYTES + padded) / 4 << 4);
    bench_rx_raw(b, frame_room,
                 finish_packet(b, frame_room, ip_bytes, TCP_HEADER_BYTES + padded + seg.len));
}

void bench_rx_icmp(struct bench *b, uint8_t type, uint8_t code, uint32_t mtu_bytes, int64_t snd)
{
    const uint32_t ip_bytes = b->family == 4 ? IP4_HEADER_BYTES : IP6_HEADER_BYTES;
    const struct ip_header quoted = {
        .src = b->local.addr,
        .dst = b->remote.addr,
        .payload_len = TCP_HEADER_BYTES,
        .protocol = IP_PROTO_TCP,
        .ttl = 60,
    };
    const struct ip_header outer = {
        .src = b->remote.addr, /* any router could have sent it */
        .dst = b->local.addr,
        .payload_len = ICMP_HEADER_BYTES + ip_bytes + TCP_HEADER_BYTES,
        .protocol = b->family == 4 ? IP_PROTO_ICMP : IP_PROTO_ICMP6,
        .ttl = 64,
    };
    const bool too_big = b->family == 4 ? type == 3 && code == 4 : type == 2;
    struct icmp_message m = {
        .class = too_big ? ICMP_TOO_BIG : ICMP_UNREACHABLE,
        .type = type,
        .code = code,
        .mtu_bytes = mtu_bytes,
        .data_len = ip_bytes + TCP_HEADER_BYTES,
    };
    const struct tcp_seg seg = {
        .src_port = b->local.port,
        .dst_port = b->remote.port,
        .seq = seq_add(b->snd_base, (uint32_t)snd),
        .flags = TCP_ACK,
    };
    uint8_t *data = frame_room + ip_bytes + ICMP_HEADER_BYTES;

    ip_emit(&quoted, data);
    tcp_emit(&seg, data + ip_bytes);
    ip_emit(&outer, frame_room);
    icmp_emit(&m, outer.src, outer.dst, checksum_add(0, 0, data, m.data_len),
              frame_room + ip_bytes);
    bench_log(b, "%-13s --> ICMP type %u code %u mtu %u about snd %lld",
              state_name(bench_state_now(b)), type, code, mtu_bytes, (long long)snd);
    bench_rx_raw(b, frame_room, ip_bytes + outer.payload_len);
}

/* Time and calls ------------------------------------------------------------------------------- */

void bench_mark(struct bench *b)
{
    b->mark = b->now;
}

void bench_sleep(struct bench *b, uint64_t ns)
{
    const la_time end = { b->now.ns + ns };
    uint32_t turns = 0;

    step(b);
    for (;;) {
        la_time due = la_deadline(b->s);

        if (due.ns > end.ns)
            break;
        if (due.ns > b->now.ns)
            b->now = due;
        while (la_tick(b->s, b->now, 4)) {
        }
        bench_drain(b);
        if (turns++ > 100000)
            bench_fail(b, __FILE__, __LINE__, "timers do not come to rest");
    }
    b->now = end;
    la_tick(b->s, b->now, 64);
    bench_drain(b);
}

static void send_some(struct bench *b, uint32_t len_bytes, uint32_t flags)
{
    static uint8_t bytes[1u << 20];
    int64_t n;

    if (len_bytes > sizeof bytes)
        bench_fail(b, __FILE__, __LINE__, "too much at once");
    fill_text(b, bytes, seq_add(b->iss, 1 + b->sent_bytes), len_bytes, false);
    bench_log(b, "%-13s     send %u", state_name(bench_state_now(b)), len_bytes);
    step(b);
    n = la_send(b->s, b->now, b->conn, bytes, len_bytes, flags);
    if (n != (int64_t)len_bytes)
        bench_fail(b, __FILE__, __LINE__, "la_send(%u) gave %lld", len_bytes, (long long)n);
    b->sent_bytes += len_bytes;
    bench_drain(b);
}

void bench_send(struct bench *b, uint32_t len_bytes)
{
    send_some(b, len_bytes, 0);
}

void bench_send_more(struct bench *b, uint32_t len_bytes)
{
    send_some(b, len_bytes, LA_SEND_MORE);
}

void bench_recv(struct bench *b, uint32_t len_bytes)
{
    static uint8_t got[1u << 18], want[1u << 18];
    int64_t n;

    bench_log(b, "%-13s     recv %u", state_name(bench_state_now(b)), len_bytes);
    step(b);
    n = la_recv(b->s, b->now, b->conn, got, len_bytes);
    if (n != (int64_t)len_bytes)
        bench_fail(b, __FILE__, __LINE__, "la_recv(%u) gave %lld", len_bytes, (long long)n);
    fill_text(b, want, seq_add(b->irs, 1 + b->read_bytes), len_bytes, true);
    if (memcmp(got, want, len_bytes) != 0)
        bench_fail(b, __FILE__, __LINE__, "the bytes received are not those of the stream");
    b->read_bytes += len_bytes;
    bench_drain(b);
}

void bench_shutdown(struct bench *b, uint32_t how)
{
    bench_log(b, "%-13s     shutdown %u", state_name(bench_state_now(b)), how);
    step(b);
    if (la_shutdown(b->s, b->now, b->conn, how) != LA_OK)
        bench_fail(b, __FILE__, __LINE__, "la_shutdown() failed");
    bench_drain(b);
}

void bench_close(struct bench *b)
{
    bench_log(b, "%-13s     close", state_name(bench_state_now(b)));
    step(b);
    if (la_close(b->s, b->now, b->conn) != LA_OK)
        bench_fail(b, __FILE__, __LINE__, "la_close() failed");
    b->has_conn = false;
    bench_drain(b);
}

void bench_abort(struct bench *b)
{
    bench_log(b, "%-13s     abort", state_name(bench_state_now(b)));
    step(b);
    if (la_abort(b->s, b->now, b->conn) != LA_OK)
        bench_fail(b, __FILE__, __LINE__, "la_abort() failed");
    b->has_conn = false;
    bench_drain(b);
}

void bench_option(struct bench *b, enum la_option option, uint64_t value)
{
    step(b);
    if (la_set_option(b->s, b->now, b->conn, option, value) != LA_OK)
        bench_fail(b, __FILE__, __LINE__, "la_set_option() failed");
    bench_drain(b);
}
