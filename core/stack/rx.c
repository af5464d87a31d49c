/* SPDX-License-Identifier: MIT */
/*
 * rx.c - Packets in: IP judges, TCP treats, the burst is settled once.
 */
#include "core/base/bytes.h"
#include "core/base/checksum.h"
#include "core/stack/rx_train.h"

#define TCP_CHECKSUM_AT 16

/* It is another sum than TCP's that is unfinished. */
static bool foreign_sum(const struct la_frame *frame, const uint8_t *segment)
{
    return frame->flags & LA_FRAME_CSUM_PARTIAL &&
           (frame->bytes + frame->csum_start != segment || frame->csum_offset != TCP_CHECKSUM_AT);
}

static void refuse_checksum(struct la_stack *s, enum la_drop reason)
{
    env_count(&s->tcp.env, LA_COUNT_InErrs);
    env_count(&s->tcp.env, LA_COUNT_InCsumErrors);
    env_drop(&s->tcp.env, reason);
}

/* A segment for us that is well formed; @sum is that of pseudo-header and TCP header, if it counts. */
static void take_segment(struct la_stack *s, const struct la_frame *frame, struct tcp_input *in,
                         struct tcp_arrival *a)
{
    struct tcp *t = &s->tcp;
    const struct tcp_seg *seg = in->seg;

    if (frame->gso_size_bytes > 0 && seg->len > frame->gso_size_bytes)
        in->segs = (seg->len + frame->gso_size_bytes - 1) / frame->gso_size_bytes;
    in->path.iface = frame->iface;
    in->path.mtu_bytes = t->iface_mtu[frame->iface];
    if (!tcp_arrives(t, in, a)) {
        refuse_checksum(s, LA_DROP_TCP_CHECKSUM);
        return;
    }
    t->env.counters[LA_COUNT_InSegs] += in->segs - 1;
}

/* Any packet that IP found to carry a segment for us: the checksum first, then the form. */
static void receive_tcp(struct la_stack *s, const struct la_frame *frame, const struct ip_packet *p)
{
    struct tcp *t = &s->tcp;
    struct tcp_seg seg;
    struct tcp_arrival a;
    struct tcp_input in = {
        .src = p->src, .dst = p->dst, .seg = &seg, .segs = 1, .ecn = p->tos & 3u
    };
    enum la_drop drop;

    env_count(&t->env, LA_COUNT_InSegs);
    if (foreign_sum(frame, p->payload)) {
        env_count(&t->env, LA_COUNT_InErrs);
        env_drop(&t->env, LA_DROP_FRAME_OFFLOAD);
        return;
    }
    if (!(frame->flags & LA_FRAME_CSUM_OK) &&
        !tcp_checksum_ok(t->env.cpu_features, p->src, p->dst, p->payload, p->payload_len)) {
        refuse_checksum(s, p->payload_len < TCP_HEADER_BYTES ? LA_DROP_TCP_SHORT
                                                             : LA_DROP_TCP_CHECKSUM);
        return;
    }
    drop = tcp_parse(p->payload, p->payload_len, &seg);
    if (drop != LA_DROP_NONE) {
        env_count(&t->env, LA_COUNT_InErrs);
        env_drop(&t->env, drop);
        return;
    }
    if (seg.src_port == seg.dst_port && addr_equal(&p->src, &p->dst) &&
        frame->iface != IP_LOOPBACK) { /* whoever connects to himself may */
        env_drop(&t->env, LA_DROP_TCP_SELF);
        return;
    }
    take_segment(s, frame, &in, &a);
}

/*
 * A packet in pieces is of the common shape only if its headers are one piece and its text the
 * others.  Return: the bytes of the packet, 0 if it has to be put together first.
 */
static uint32_t whole_bytes(const struct la_frame *frame)
{
    const uint8_t *bytes = frame->bytes;
    uint32_t headers;
    uint64_t total = frame->len_bytes;

    if (frame->span_count == 0)
        return frame->len_bytes;
    if (frame->len_bytes >= 40 && bytes[0] == 0x45)
        headers = IP4_HEADER_BYTES + bytes[IP4_HEADER_BYTES + 12] / 16 * 4u;
    else if (frame->len_bytes >= 60 && bytes[0] >> 4 == 6)
        headers = IP6_HEADER_BYTES + bytes[IP6_HEADER_BYTES + 12] / 16 * 4u;
    else
        return 0;
    for (uint32_t i = 0; i < frame->span_count; i++)
        total += frame->spans[i].len_bytes;
    return headers == frame->len_bytes && total <= UINT16_MAX + IP6_HEADER_BYTES ? (uint32_t)total
                                                                                 : 0;
}

/*
 * The packet that most are: its form is seen at a glance, and its addresses are as they should be (and
 * are two).  Nothing else is skipped: what is counted on the long way is counted here, and the
 * checksum is verified by whoever touches the text first.  False: nothing was done.
 */
static bool receive_common(struct la_stack *s, const struct la_frame *frame, const uint32_t *hash,
                           struct rx_train *train)
{
    struct tcp *t = &s->tcp;
    struct tcp_common *p = &train->p;
    struct tcp_input in = { .seg = &p->seg, .segs = 1 };

    const uint32_t len_bytes = whole_bytes(frame);

    in.hashed = hash != NULL;
    in.hash = hash != NULL ? *hash : 0;
    if (!tcp_common_parse(frame->bytes, len_bytes, p) ||
        !ip_judge(&s->ip, frame->iface, &p->src, &p->dst) || foreign_sum(frame, p->segment))
        return false;
    if (frame->span_count > 0) {
        if (p->seg.len != len_bytes - frame->len_bytes) /* there is padding behind it */
            return false;
        p->seg.text = NULL;
        in.spans = frame->spans;
        in.span_count = frame->span_count;
        in.room = frame->room;
    }
    in.ecn = frame->bytes[0] >> 4 == 4 ? frame->bytes[1] & 3u : frame->bytes[1] >> 4 & 3u;
    env_count(&t->env, LA_COUNT_IpInReceives);
    env_count_ecn(&t->env, in.ecn);
    env_count(&t->env, LA_COUNT_IpInDelivers);
    env_count(&t->env, LA_COUNT_InSegs);
    in.src = p->src;
    in.dst = p->dst;
    if (!(frame->flags & LA_FRAME_CSUM_OK)) {
        const uint32_t header_bytes = p->segment_bytes - p->seg.len;

        in.unverified = true;
        in.sum = checksum_header(ip_pseudo_sum(p->src, p->dst, IP_PROTO_TCP, p->segment_bytes),
                                 p->segment, header_bytes);
    }
    take_segment(s, frame, &in, &train->a);
    rx_train_begin(train);
    return true;
}

static void receive_error(struct la_stack *s, const struct ip_error *e)
{
    const struct tcp_flow flow = {
        .laddr = e->local.addr,
        .raddr = e->remote.addr,
        .lport = e->local.port,
        .rport = e->remote.port,
    };
    tcp_icmp_error(&s->tcp, &flow, seq_of(e->quoted_seq), e->class, e->version, e->code,
                   e->mtu_bytes);
}

/* Put together, in the room lent for it. */
static struct la_frame gather(const struct la_frame *frame)
{
    struct la_frame whole = *frame;
    uint32_t at = frame->len_bytes;

    memcpy(frame->room, frame->bytes, at);
    for (uint32_t i = 0; i < frame->span_count; i++) {
        memcpy(frame->room + at, frame->spans[i].bytes, frame->spans[i].len_bytes);
        at += frame->spans[i].len_bytes;
    }
    whole.bytes = frame->room;
    whole.len_bytes = at;
    whole.span_count = 0;
    return whole;
}

static void receive(struct la_stack *s, const struct la_frame *frame, const uint32_t *hash,
                    struct rx_train *train)
{
    struct la_frame whole;
    struct ip_packet packet;
    struct ip_error error;
    enum la_drop reason = LA_DROP_NONE;

    train->on = false;
    if (frame->flags & LA_FRAME_MALFORMED) {
        env_drop(&s->tcp.env, LA_DROP_FRAME_OFFLOAD);
        return;
    }
    if (receive_common(s, frame, hash, train))
        return;
    if (frame->span_count > 0) {
        LA_ASSERT(frame->room != NULL);
        whole = gather(frame);
        frame = &whole;
    }
    switch (ip_receive(&s->ip, &s->tcp.env, frame, &packet, &error, &reason)) {
    case IP_DROP:
    case IP_HANDLED:
        break;
    case IP_TCP:
        receive_tcp(s, frame, &packet);
        break;
    case IP_TCP_ERROR:
        receive_error(s, &error);
        break;
    }
}

void stack_receive(struct la_stack *s, const struct la_frame *frame, const uint32_t *hash)
{
    struct rx_train alone;

    receive(s, frame, hash, &alone);
}

uint16_t la_checksum(uint32_t features, uint16_t start, const void *bytes, uint32_t len_bytes)
{
    return checksum_fold(checksum_add(features, start, bytes, len_bytes));
}

/* The 4-tuple of a packet of the common shape, as it lies there; 0 bytes if it is of another. */
static uint32_t tuple_of(const struct la_frame *f, const uint8_t **at)
{
    if (f->len_bytes >= 24 && f->bytes[0] == 0x45 && f->bytes[9] == IP_PROTO_TCP) {
        *at = f->bytes + 12;
        return 12;
    }
    if (f->len_bytes >= 44 && f->bytes[0] >> 4 == 6 && f->bytes[6] == IP_PROTO_TCP) {
        *at = f->bytes + 8;
        return 36;
    }
    *at = f->bytes;
    return 0;
}

/* Of 12 or 36 bytes each. */
static bool same_tuple(const uint8_t *a, const uint8_t *b, uint32_t len_bytes)
{
    uint32_t differ = 0;

    for (uint32_t i = 0; i < len_bytes; i += 4)
        differ |= load_be32(a + i) ^ load_be32(b + i);
    return differ == 0;
}

/*
 * Segments of a burst are often for many connections, none of which is in the cache.  Their
 * buckets are fetched together, then their records together, so that the burst waits for memory
 * twice instead of twice a segment.
 */
static void expect(const struct la_stack *s, const struct la_frame *frames, uint32_t count,
                   uint32_t hash[LA_RX_BURST_MAX])
{
    const uint8_t *last = frames[0].bytes;
    uint32_t last_bytes = 0;
    uint64_t fresh = 0; /* frames whose 4-tuple is not that of the frame before */

    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *at;
        const uint32_t n = tuple_of(&frames[i], &at);

        if (n == last_bytes && same_tuple(at, last, n)) {
            hash[i] = i > 0 ? hash[i - 1] : 0;
            continue;
        }
        hash[i] = tcp_hash_wire(&s->tcp, at, n);
        tcp_expect(&s->tcp, hash[i]);
        fresh |= UINT64_C(1) << i;
        last = at;
        last_bytes = n;
    }
    if (fresh == 1)
        return; /* one connection */
    for (uint32_t i = 0; i < count; i++)
        if (fresh >> i & 1)
            tcp_expect_conn(&s->tcp, hash[i]);
}

void la_rx(struct la_stack *s, la_time now, const struct la_frame *frames, uint32_t count)
{
    uint32_t hash[LA_RX_BURST_MAX];
    struct rx_train train;
    const bool known = count > 1;

    LA_ASSERT(count <= LA_RX_BURST_MAX);
    stack_enter(s, now);
    if (known)
        expect(s, frames, count, hash);
    train.on = false;
    for (uint32_t i = 0; i < count; i++) {
        LA_ASSERT(frames[i].iface < s->ip.iface_count);
        if (!train.on || !rx_train_next(s, &train, &frames[i - 1], &frames[i]))
            receive(s, &frames[i], known ? &hash[i] : NULL, &train);
    }
    tcp_settle(&s->tcp);
    stack_leave(s);
}
