/* SPDX-License-Identifier: MIT */
/*
 * receive.c - A frame's way in: is it a packet, whose is it, who gets it.
 *
 * The order is form, source, destination, wholeness, protocol.  Nothing is answered
 * before source and destination are known to be single hosts, the second of them us, so
 * no error of ours ever goes to a group or because of one (RFC 1122 3.2.2, RFC 4443 2.4 e).
 * An error is never answered with an error; for a packet that was dropped before its
 * protocol was reached, the quoted form of the parser finds out whether it is one.
 *
 * A source that is our own address comes from a forger or a loop, and is dropped
 * (LAND), but for what has come by our own loopback.  Under AnyIP every address is ours, so there only a packet from and to the very same
 * address is.  Loopback addresses are good on an interface that was given one.
 */
#include "core/base/assert.h"
#include "core/base/bytes.h"
#include "core/base/checksum.h"
#include "core/ip/icmp_stack.h"

#define V4_UNREACHABLE 3
#define V4_PROTOCOL 2
#define V4_PORT 3
#define V6_UNREACHABLE 1
#define V6_PORT 4
#define V6_PARAMETER 4
#define V6_PARAMETER_FIELD 0
#define V6_PARAMETER_NEXT_HEADER 1
#define V6_PARAMETER_OPTION 2

#define UDP_HEADER_BYTES 8

/* Source and destination ----------------------------------------------------------- */

static bool loopback_ok(const struct ip *ip, uint16_t iface)
{
    for (uint32_t i = 0; i < ip->local_count; i++)
        if (ip->locals[i].iface == iface && addr_is_loopback(ip->locals[i].prefix.addr))
            return true;
    return false;
}

static bool source_ok(const struct ip *ip, uint16_t iface, const struct la_addr *src,
                      const struct la_addr *dst)
{
    if (iface == IP_LOOPBACK)
        return ip_is_own(ip, *src);
    return !addr_is_bad_source(*src, loopback_ok(ip, iface)) && !ip_is_group(ip, *src) &&
           !ip_is_own(ip, *src) && !addr_equal(src, dst);
}

static bool is_icmp(const struct ip_packet *p)
{
    return p->protocol == (p->version == 4 ? IP_PROTO_ICMP : IP_PROTO_ICMP6);
}

/*
 * The verdict depends on both addresses, the interface and our own addresses alone, so a pair
 * that passed lately passes again; whoever changes our addresses forgets it (ip_forget_judged).
 * One walk over our addresses; judge_addresses() asks the same questions one by one for the reason.
 */
bool ip_judge(struct ip *ip, uint16_t iface, const struct la_addr *src, const struct la_addr *dst)
{
    bool source = !addr_is_loopback(*src), local = false;

    if (ip_is_judged(ip, iface, src, dst))
        return true;
    if (iface == IP_LOOPBACK)
        return ip_is_own(ip, *src) && ip_is_own(ip, *dst);
    if (addr_equal(src, dst) || addr_is_bad_source(*src, true) || addr_is_multicast(*dst) ||
        addr_is_broadcast(*dst))
        return false;
    for (uint32_t i = 0; i < ip->local_count; i++) {
        const struct ip_local *l = &ip->locals[i];

        source |= l->iface == iface && addr_is_loopback(l->prefix.addr);
        if (l->anyip) {
            local |= addr_covered(&l->prefix, dst) && !addr_is_bad_source(*dst, false);
            continue;
        }
        local |= addr_equal(&l->prefix.addr, dst);
        if (addr_equal(&l->prefix.addr, src) || ip_is_subnet_broadcast(&l->prefix, src) ||
            ip_is_subnet_broadcast(&l->prefix, dst))
            return false;
    }
    if (!source || !local)
        return false;
    ip->judged[ip_judged_at(src, dst)] =
        (struct ip_judged){ .src = *src, .dst = *dst, .iface = iface };
    return true;
}

static enum la_drop judge_addresses(struct ip *ip, uint16_t iface, const struct ip_packet *p)
{
    if (ip_judge(ip, iface, &p->src, &p->dst))
        return LA_DROP_NONE;
    if (!source_ok(ip, iface, &p->src, &p->dst))
        return LA_DROP_IP_SOURCE;
    if (ip_is_group(ip, p->dst))
        return is_icmp(p) ? LA_DROP_ICMP_MULTICAST : LA_DROP_IP_MULTICAST;
    return LA_DROP_IP_DESTINATION;
}

/* Errors --------------------------------------------------------------------------- */

/* Queue an error; that it could not be sent is counted beside the packet's own reason. */
static void report(struct ip *ip, struct env *env, const struct ip_packet *p,
                   const struct icmp_message *m)
{
    const enum la_drop drop = icmp_send_error(ip, env, p, m);
    if (drop != LA_DROP_NONE)
        env_drop(env, drop);
}

static void report_parameter(struct ip *ip, struct env *env, const struct ip_packet *p,
                             uint8_t code)
{
    const struct icmp_message m = {
        .class = ICMP_PARAMETER,
        .type = V6_PARAMETER,
        .code = code,
        .pointer = p->next_header_at,
    };
    report(ip, env, p, &m);
}

static void report_unreachable(struct ip *ip, struct env *env, const struct ip_packet *p,
                               uint8_t code)
{
    const struct icmp_message m = {
        .class = ICMP_UNREACHABLE,
        .type = p->version == 4 ? V4_UNREACHABLE : V6_UNREACHABLE,
        .code = code,
    };
    report(ip, env, p, &m);
}

/* Does the packet carry an ICMPv6 error, or something whose kind can not be found out? */
static bool may_be_error(const struct ip_packet *p)
{
    struct ip_packet inner;
    const enum la_drop drop = ip_parse_quoted(p->bytes, p->len_bytes, &inner);
    if (drop == LA_DROP_IP6_NO_NEXT)
        return false;
    if (drop != LA_DROP_NONE || inner.fragment)
        return true;
    if (inner.protocol != IP_PROTO_ICMP6)
        return false;
    return inner.payload_len == 0 || inner.payload[0] < 128;
}

/* A packet for us whose extension headers were refused: some refusals are told. */
static void report_refused(struct ip *ip, struct env *env, const struct ip_packet *p,
                           enum la_drop drop)
{
    if (drop == LA_DROP_IP6_ROUTING && !may_be_error(p)) {
        report_parameter(ip, env, p, V6_PARAMETER_FIELD);
    } else if (drop == LA_DROP_IP6_OPTION && !may_be_error(p)) {
        const uint8_t action = p->bytes[p->next_header_at] >> 6;
        if (action >= 2) /* 01 asks for silence */
            report_parameter(ip, env, p, V6_PARAMETER_OPTION);
    }
}

/* Protocols ------------------------------------------------------------------------ */

static bool udp_ok(const struct env *env, const struct la_frame *frame, const struct ip_packet *p)
{
    if (p->payload_len < UDP_HEADER_BYTES)
        return false;
    const uint32_t len_bytes = load_be16(p->payload + 4);
    if (len_bytes < UDP_HEADER_BYTES || len_bytes > p->payload_len)
        return false;
    if (p->version == 4 && load_be16(p->payload + 6) == 0)
        return true;
    if (frame->flags & LA_FRAME_CSUM_OK)
        return true;
    const uint64_t pseudo = ip_pseudo_sum(p->src, p->dst, IP_PROTO_UDP, len_bytes);
    return checksum_finish(checksum_add(env->cpu_features, pseudo, p->payload, len_bytes)) == 0;
}

/* No such protocol here: say so, and give the reason. */
static enum la_drop refuse_protocol(struct ip *ip, struct env *env, const struct la_frame *frame,
                                    const struct ip_packet *p)
{
    env_count(env, LA_COUNT_IpInUnknownProtos);
    if (p->protocol == IP_PROTO_UDP) {
        if (udp_ok(env, frame, p))
            report_unreachable(ip, env, p, p->version == 4 ? V4_PORT : V6_PORT);
        return LA_DROP_IP_UDP;
    }
    if (p->version == 4)
        report_unreachable(ip, env, p, V4_PROTOCOL);
    else
        report_parameter(ip, env, p, V6_PARAMETER_NEXT_HEADER);
    return LA_DROP_IP_PROTOCOL;
}

static enum ip_verdict deliver(struct ip *ip, struct env *env, const struct la_frame *frame,
                               const struct ip_packet *p, struct ip_error *error,
                               enum la_drop *reason)
{
    if (p->fragment) {
        env_count(env, LA_COUNT_IpReasmFails);
        *reason = LA_DROP_IP_FRAGMENT;
        return IP_DROP;
    }
    if (p->protocol == IP_PROTO_TCP) {
        env_count(env, LA_COUNT_IpInDelivers);
        return IP_TCP;
    }
    if (is_icmp(p)) {
        env_count(env, LA_COUNT_IpInDelivers);
        return icmp_receive(ip, env, p, error, reason);
    }
    *reason = refuse_protocol(ip, env, frame, p);
    return IP_DROP;
}

/* The whole ----------------------------------------------------------------------- */

static bool is_header_error(enum la_drop drop)
{
    return drop != LA_DROP_IP_SOURCE && drop != LA_DROP_IP6_NO_NEXT;
}

static enum ip_verdict judge(struct ip *ip, struct env *env, const struct la_frame *frame,
                             struct ip_packet *packet, struct ip_error *error, enum la_drop *reason)
{
    *reason = ip_parse(frame->bytes, frame->len_bytes, packet);
    if (*reason != LA_DROP_NONE) {
        if (is_header_error(*reason))
            env_count(env, LA_COUNT_IpInHdrErrors);
        if (judge_addresses(ip, frame->iface, packet) == LA_DROP_NONE)
            report_refused(ip, env, packet, *reason);
        return IP_DROP;
    }
    *reason = judge_addresses(ip, frame->iface, packet);
    if (*reason != LA_DROP_NONE) {
        if (*reason == LA_DROP_IP_DESTINATION)
            env_count(env, LA_COUNT_IpInAddrErrors);
        return IP_DROP;
    }
    return deliver(ip, env, frame, packet, error, reason);
}

enum ip_verdict ip_receive(struct ip *ip, struct env *env, const struct la_frame *frame,
                           struct ip_packet *packet, struct ip_error *error, enum la_drop *reason)
{
    LA_ASSERT(frame->iface < ip->iface_count || frame->iface == IP_LOOPBACK);

    env_count(env, LA_COUNT_IpInReceives);
    const enum ip_verdict verdict = judge(ip, env, frame, packet, error, reason);
    LA_ASSERT((verdict == IP_DROP) == (*reason != LA_DROP_NONE));
    if (verdict == IP_DROP)
        env_drop(env, *reason);
    else
        env_count_ecn(env, packet->tos);
    return verdict;
}
