/* SPDX-License-Identifier: MIT */
/*
 * rx.c - Packets in: IP judges, TCP treats, the burst is settled once.
 */
#include "core/base/checksum.h"
#include "core/stack/stack.h"

#define TCP_CHECKSUM_AT 16

static void receive_tcp(struct la_stack *s, const struct la_frame *frame, const struct ip_packet *p)
{
    struct tcp *t = &s->tcp;
    struct tcp_seg seg;
    enum la_drop drop;
    uint32_t segs = 1;

    env_count(&t->env, LA_COUNT_InSegs);
    if (frame->flags & LA_FRAME_CSUM_PARTIAL &&
        (frame->bytes + frame->csum_start != p->payload || frame->csum_offset != TCP_CHECKSUM_AT)) {
        env_count(&t->env, LA_COUNT_InErrs);
        env_drop(&t->env, LA_DROP_FRAME_OFFLOAD); /* it is another sum that is unfinished */
        return;
    }
    if (!(frame->flags & LA_FRAME_CSUM_OK) &&
        !tcp_checksum_ok(t->env.cpu_features, p->src, p->dst, p->payload, p->payload_len)) {
        env_count(&t->env, LA_COUNT_InErrs);
        env_count(&t->env, LA_COUNT_InCsumErrors);
        env_drop(&t->env,
                 p->payload_len < TCP_HEADER_BYTES ? LA_DROP_TCP_SHORT : LA_DROP_TCP_CHECKSUM);
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
    if (frame->gso_size_bytes > 0 && seg.len > frame->gso_size_bytes) {
        segs = (seg.len + frame->gso_size_bytes - 1) / frame->gso_size_bytes;
        t->env.counters[LA_COUNT_InSegs] += segs - 1;
    }
    tcp_arrives(t, p->src, p->dst, &seg,
                (struct tcp_path){ .iface = frame->iface, .mtu_bytes = t->iface_mtu[frame->iface] },
                segs);
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
