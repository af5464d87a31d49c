/* SPDX-License-Identifier: MIT */
/*
 * rx.c - Packets in: IP judges, TCP treats, the burst is settled once.
 */
#include "core/base/checksum.h"
#include "core/stack/stack.h"
#include "core/wire/tcp_common.h"

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
static void take_segment(struct la_stack *s, const struct la_frame *frame, struct tcp_input *in)
{
    struct tcp *t = &s->tcp;
    const struct tcp_seg *seg = in->seg;

    if (frame->gso_size_bytes > 0 && seg->len > frame->gso_size_bytes)
        in->segs = (seg->len + frame->gso_size_bytes - 1) / frame->gso_size_bytes;
    in->path.iface = frame->iface;
    in->path.mtu_bytes = t->iface_mtu[frame->iface];
    if (!tcp_arrives(t, in)) {
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
    struct tcp_input in = { .src = p->src, .dst = p->dst, .seg = &seg, .segs = 1 };
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
    if (seg.src_port == seg.dst_port && addr_equal(&p->src, &p->dst)) {
        env_drop(&t->env, LA_DROP_TCP_SELF);
        return;
    }
    take_segment(s, frame, &in);
}

/*
 * The packet that most are: its form is seen at a glance, and its addresses were judged before (and
 * are two).  Nothing else is skipped: what is counted on the long way is counted here, and the
 * checksum is verified by whoever touches the text first.  False: nothing was done.
 */
static bool receive_common(struct la_stack *s, const struct la_frame *frame)
{
    struct tcp *t = &s->tcp;
    struct tcp_common p;
    struct tcp_input in = { .seg = &p.seg, .segs = 1 };

    if (!tcp_common_parse(frame->bytes, frame->len_bytes, &p) ||
        !ip_is_judged(&s->ip, frame->iface, &p.src, &p.dst) || foreign_sum(frame, p.segment))
        return false;
    env_count(&t->env, LA_COUNT_IpInReceives);
    env_count(&t->env, LA_COUNT_IpInDelivers);
    env_count(&t->env, LA_COUNT_InSegs);
    in.src = p.src;
    in.dst = p.dst;
    if (!(frame->flags & LA_FRAME_CSUM_OK)) {
        const uint32_t header_bytes = p.segment_bytes - p.seg.len;

        in.unverified = true;
        in.sum = checksum_add(0, ip_pseudo_sum(p.src, p.dst, IP_PROTO_TCP, p.segment_bytes),
                              p.segment, header_bytes);
    }
    take_segment(s, frame, &in);
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

static void receive(struct la_stack *s, const struct la_frame *frame)
{
    struct ip_packet packet;
    struct ip_error error;
    enum la_drop reason = LA_DROP_NONE;

    LA_ASSERT(frame->iface < s->ip.iface_count);
    if (frame->flags & LA_FRAME_MALFORMED) {
        env_drop(&s->tcp.env, LA_DROP_FRAME_OFFLOAD);
        return;
    }
    if (receive_common(s, frame))
        return;
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

uint16_t la_checksum(uint32_t features, uint16_t start, const void *bytes, uint32_t len_bytes)
{
    return checksum_fold(checksum_add(features, start, bytes, len_bytes));
}

void la_rx(struct la_stack *s, la_time now, const struct la_frame *frames, uint32_t count)
{
    LA_ASSERT(count <= LA_RX_BURST_MAX);
    stack_enter(s, now);
    for (uint32_t i = 0; i < count; i++)
        receive(s, &frames[i]);
    tcp_settle(&s->tcp);
    stack_leave(s);
}
