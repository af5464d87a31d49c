/* SPDX-License-Identifier: MIT */
/*
 * tx.c - Packets out: the answers first, in order, then what ICMP and the connections
 * have to send.  The IP header goes in front, the checksum is the last thing written.
 */
#include "core/base/bytes.h"
#include "core/base/checksum.h"
#include "core/stack/stack.h"
#include "core/tcp/pmtu.h"

#define TCP_CHECKSUM_AT 16

_Static_assert(LA_TX_HEADER_MAX >= IP6_HEADER_BYTES + TCP_HEADER_BYTES + TCP_OPTIONS_MAX,
               "a descriptor has room for all headers");

/* The sum of the text.  Of a piece that is worth asking for, its chunk may know it. */
static uint64_t text_sum(const struct la_stack *s, const struct la_tx *tx)
{
    const uint32_t features = s->tcp.env.cpu_features;
    uint32_t offset = 0;
    uint64_t sum = 0;

    for (uint32_t i = 0; i < tx->span_count; i++) {
        const struct la_cspan *span = &tx->spans[i];
        const uint64_t piece = span->len_bytes >= QUEUE_SUM_MIN_BYTES
                                   ? queue_sum(&s->tcp.env.chunks, s, span, features)
                                   : checksum_add(features, 0, span->bytes, span->len_bytes);

        sum = checksum_combine(sum, piece, offset);
        offset += span->len_bytes;
    }
    return sum;
}

static uint64_t pseudo_sum(const struct la_tx *tx, uint32_t ip_bytes)
{
    const bool v4 = ip_bytes == IP4_HEADER_BYTES;
    const uint8_t *addrs = tx->header + ip_bytes - (v4 ? 8 : 32);
    const uint32_t tcp_len = tx->len_bytes - ip_bytes;

    return v4 ? checksum_pseudo(addrs, addrs + 4, 4, IP_PROTO_TCP, tcp_len)
              : checksum_pseudo(addrs, addrs + 16, 16, IP_PROTO_TCP, tcp_len);
}

/* The checksum of header and spans; with LA_IFACE_CSUM_TX only the pseudo-header's part. */
static void put_checksum(struct la_stack *s, struct la_tx *tx, uint32_t ip_bytes)
{
    uint8_t *at = tx->header + ip_bytes + TCP_CHECKSUM_AT;
    uint64_t sum = pseudo_sum(tx, ip_bytes);

    if (s->ip.ifaces[tx->iface].flags & LA_IFACE_CSUM_TX) {
        store_be16(at, checksum_fold(sum));
        tx->flags = LA_TX_CSUM_PARTIAL;
        tx->csum_start = (uint16_t)ip_bytes;
        tx->csum_offset = TCP_CHECKSUM_AT;
        return;
    }
    at[0] = at[1] = 0;
    sum = checksum_header(sum, tx->header + ip_bytes, tx->header_len - ip_bytes);
    store_be16(at, checksum_finish(sum + checksum_fold(text_sum(s, tx))));
}

/* The sum of SEG.SEQ. */
static uint64_t seq_sum(const uint8_t *tcp_header)
{
    return (uint64_t)load_be16(tcp_header + 4) + load_be16(tcp_header + 6);
}

/* The checksums of those behind @tx[0], which differ from it in SEG.SEQ and text. */
static void put_checksums(struct la_stack *s, struct la_tx *tx, uint32_t more, uint32_t ip_bytes)
{
    const uint8_t *first = tx->header + ip_bytes;
    const uint64_t headers =
        checksum_header(pseudo_sum(tx, ip_bytes), first, tx->header_len - ip_bytes);
    /* Without the first one's checksum and SEG.SEQ: plus their complements. */
    const uint64_t rest = checksum_fold(headers) + 3 * (uint64_t)UINT16_MAX -
                          load_be16(first + TCP_CHECKSUM_AT) - seq_sum(first);

    for (uint32_t i = 1; i <= more; i++) {
        uint8_t *header = tx[i].header + ip_bytes;
        const uint64_t text = checksum_fold(text_sum(s, &tx[i]));

        store_be16(header + TCP_CHECKSUM_AT, checksum_finish(rest + seq_sum(header) + text));
    }
}

/* @tx has the TCP header behind the room for IP's; header_len counts TCP's alone. */
static void put_ip(struct la_stack *s, struct la_tx *tx, const struct ip_header *h, uint16_t iface)
{
    const uint32_t ip_bytes = ip_emit(h, tx->header);

    tx->header_len = (uint16_t)(tx->header_len + ip_bytes);
    tx->len_bytes = ip_bytes + h->payload_len;
    tx->iface = iface;
    tx->flags = 0;
    tx->csum_start = tx->csum_offset = 0;
    put_checksum(s, tx, ip_bytes);
    env_count(&s->tcp.env, LA_COUNT_IpOutRequests);
}

static bool next_reply(struct la_stack *s, struct la_tx *tx)
{
    const struct tcp_reply *r = reply_next(&s->tcp);

    if (r == NULL)
        return false;
    memcpy(tx->header + ip_header_bytes(r->dst), r->header,
           sizeof(r->header)); /* one size: no loop */
    tx->conn.bits = r->conn;
    tx->header_len = r->header_len;
    tx->span_count = 0;
    tx->gso_size_bytes = 0;
    const struct ip_header h = {
        .src = r->src,
        .dst = r->dst,
        .payload_len = r->header_len,
        .protocol = IP_PROTO_TCP,
        .ttl = r->ttl,
        .tos = r->tos,
    };
    put_ip(s, tx, &h, r->iface);
    return true;
}

/* The next segments of the connections: one, or a train of one connection's. */
static uint32_t next_conn(struct la_stack *s, struct la_tx *tx, uint32_t max)
{
    struct tcp_out out;
    uint32_t ip_bytes, n;

    if (s->tcp.tx_head == SLAB_NONE || !tcp_output_next(&s->tcp, tx, &out))
        return 0;
    put_ip(s, tx, &out.ip, out.iface);
    if (out.train == SLAB_NONE || max == 1)
        return 1;
    ip_bytes = ip_header_bytes(out.ip.dst);
    n = tcp_output_train(&s->tcp, out.train, ip_bytes, tx, tx + 1, max - 1);
    if (n > 0 && (tx->flags & LA_TX_CSUM_PARTIAL) == 0)
        put_checksums(s, tx, n, ip_bytes);
    s->tcp.env.counters[LA_COUNT_IpOutRequests] += n;
    return 1 + n;
}

/* Nobody has anything to send: the call that ends every turn of a loop. */
static bool silent(const struct la_stack *s)
{
    return s->tcp.tx_head == SLAB_NONE && s->tcp.replies.count == 0 && s->ip.reply_count == 0 &&
           s->ip.reply_taken == 0 && s->loop.count == 0;
}

/* Answers first, then ICMP, then the connections in turn. */
static uint32_t gather(struct la_stack *s, struct la_tx *out, uint32_t max)
{
    uint32_t n = 0;

    while (n < max && next_reply(s, &out[n]))
        n++;
    while (n < max && ip_next(&s->ip, &s->tcp.env, &out[n]))
        n++;
    for (uint32_t more = 1; n < max && more > 0; n += more)
        more = next_conn(s, &out[n], max - n);
    return n;
}

/* Is any of them for ourselves?  Most stacks have no such connection. */
static bool any_loops(const struct la_tx *out, uint32_t count)
{
    bool any = false;

    for (uint32_t i = 0; i < count; i++)
        any |= out[i].iface == IP_LOOPBACK;
    return any;
}

/* How often one la_tx() lets packets to ourselves arrive: then the driver gets its turn. */
#define LOOPBACK_ROUNDS 16

/* Apart, so that a silent stack does not save registers for it. */
__attribute__((noinline)) static uint32_t speak(struct la_stack *s, struct la_tx *out, uint32_t max)
{
    uint32_t n = 0;

    ip_sent(&s->ip, &s->tcp.env);
    pmtu_tick(&s->tcp);
    for (uint32_t round = 0; n == 0 && round < LOOPBACK_ROUNDS; round++) {
        if (s->loop.count > 0)
            loopback_deliver(s);
        n = gather(s, out, max);
        if (any_loops(out, n))
            n = loopback_divert(s, out, n);
        if (s->loop.count == 0)
            break;
    }
    return n;
}

uint32_t la_tx(struct la_stack *s, la_time now, struct la_tx *out, uint32_t max)
{
    uint32_t n = 0;

    stack_enter(s, now);
    if (!silent(s))
        n = speak(s, out, max);
    stack_leave(s);
    return n;
}

uint32_t la_tx_copy(const struct la_tx *tx, uint8_t *to, uint32_t room)
{
    uint32_t at = tx->header_len;

    LA_ASSERT(room >= tx->len_bytes);
    memcpy(to, tx->header, tx->header_len);
    for (uint32_t i = 0; i < tx->span_count; i++) {
        memcpy(to + at, tx->spans[i].bytes, tx->spans[i].len_bytes);
        at += tx->spans[i].len_bytes;
    }
    LA_ASSERT(at == tx->len_bytes);
    return at;
}

uint32_t la_tx_copy_sum(const struct la_tx *tx, uint32_t cpu_features, uint8_t *to, uint32_t room)
{
    const uint32_t start = tx->csum_start;
    uint32_t at = tx->header_len;
    uint64_t sum;

    if ((tx->flags & LA_TX_CSUM_PARTIAL) == 0)
        return la_tx_copy(tx, to, room);
    LA_ASSERT(room >= tx->len_bytes);
    memcpy(to, tx->header, tx->header_len);
    sum = checksum_add(cpu_features, 0, tx->header + start, at - start);
    for (uint32_t i = 0; i < tx->span_count; i++) {
        const struct la_cspan *span = &tx->spans[i];
        const uint64_t piece =
            checksum_copy(cpu_features, 0, to + at, span->bytes, span->len_bytes);

        sum = checksum_combine(sum, piece, at - start);
        at += span->len_bytes;
    }
    LA_ASSERT(at == tx->len_bytes);
    store_be16(to + start + tx->csum_offset, checksum_finish(sum));
    return at;
}

void la_tx_frame(const struct la_tx *tx, uint16_t iface, uint8_t *room, struct la_frame *out)
{
    const bool partial = (tx->flags & LA_TX_CSUM_PARTIAL) != 0;

    *out = (struct la_frame){
        .bytes = tx->header,
        .len_bytes = tx->header_len,
        .iface = iface,
        .flags = partial ? LA_FRAME_CSUM_OK | LA_FRAME_CSUM_PARTIAL : 0,
        .gso_size_bytes = tx->gso_size_bytes,
        .csum_start = tx->csum_start,
        .csum_offset = tx->csum_offset,
        .span_count = tx->span_count,
        .spans = tx->spans,
        .room = room,
    };
}

bool la_tick(struct la_stack *s, la_time now, uint32_t budget)
{
    bool more;

    stack_enter(s, now);
    if (s->loop.count > 0)
        loopback_deliver(s);
    more = tcp_tick(&s->tcp, budget);
    stack_leave(s);
    return more;
}

la_time la_deadline(struct la_stack *s)
{
    return s->loop.count > 0 ? s->tcp.env.now : tcp_deadline(&s->tcp);
}

la_time la_now(const struct la_stack *s)
{
    return s->tcp.env.now;
}

uint32_t la_events(struct la_stack *s, struct la_event *out, uint32_t max)
{
    uint32_t n;

    stack_enter(s, s->tcp.env.now);
    n = tcp_events(&s->tcp, out, max);
    stack_leave(s);
    return n;
}

enum la_err la_ping_send(struct la_stack *s, la_time now, struct la_addr to, uint16_t id,
                         uint16_t seq, const void *bytes, uint32_t len_bytes)
{
    enum la_err err;

    stack_enter(s, now);
    err = ip_ping(&s->ip, &s->tcp.env, to, id, seq, bytes, len_bytes);
    stack_leave(s);
    return err;
}

uint32_t la_ping_read(struct la_stack *s, struct la_ping_reply *out, uint32_t max)
{
    uint32_t n;

    stack_enter(s, s->tcp.env.now);
    n = ip_ping_read(&s->ip, out, max);
    stack_leave(s);
    return n;
}
