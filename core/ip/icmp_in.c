/* SPDX-License-Identifier: MIT */
/*
 * icmp_in.c - ICMP messages for us: echo, and errors about what we sent.
 *
 * Anyone can write an ICMP error, so one counts only as far as it proves to know what we
 * sent (RFC 5927): it is addressed to the source of the packet it quotes, that source is
 * ours, and the quote reaches the ports and the sequence number.  Whether such a segment is
 * in flight is TCP's to judge; this file only takes the error apart.
 *
 * Source quench is dropped (RFC 9293 MUST-55, RFC 6633), as is all this stack has no
 * use for: redirects (there is one way out), neighbour discovery (there is no link layer).
 */
#include "core/base/bytes.h"
#include "core/base/mem.h"
#include "core/ip/icmp_stack.h"
#include "core/wire/tcp.h"

static void keep_ping(struct ip *ip, const struct la_ping_reply *reply)
{
    if (ip->ping_count == IP_PINGS_MAX) {
        ip->ping_first = (ip->ping_first + 1) % IP_PINGS_MAX; /* the oldest makes room */
        ip->ping_count--;
    }
    ip->pings[(ip->ping_first + ip->ping_count) % IP_PINGS_MAX] = *reply;
    ip->ping_count++;
}

static uint64_t first_bytes(const uint8_t *bytes, uint32_t len_bytes)
{
    uint64_t first = 0;
    if (len_bytes > 0)
        memcpy(&first, bytes, len_bytes < sizeof first ? len_bytes : sizeof first);
    return first;
}

static void receive_echo_reply(struct ip *ip, struct env *env, const struct ip_packet *p,
                               const struct icmp_message *m)
{
    const struct la_ping_reply reply = {
        .from = p->src,
        .id = m->id,
        .seq = m->seq,
        .len_bytes = m->data_len,
        .first_bytes = first_bytes(m->data, m->data_len),
        .ttl = p->ttl,
        .type = m->type,
        .code = m->code,
        .at = env->now,
    };
    env_count(env, LA_COUNT_IcmpInEchoReps);
    keep_ping(ip, &reply);
}

/* An error about an echo request of ours: it comes back where the reply would have. */
static enum la_drop receive_ping_error(struct ip *ip, const struct env *env,
                                       const struct ip_packet *p, const struct icmp_message *m,
                                       const struct ip_packet *quoted)
{
    const uint8_t *b = quoted->payload;
    if (quoted->payload_len < ICMP_HEADER_BYTES)
        return LA_DROP_ICMP_QUOTE;
    if (b[0] != (quoted->version == 4 ? 8 : 128))
        return LA_DROP_ICMP_NO_MATCH;

    const uint32_t data_len = quoted->payload_len - ICMP_HEADER_BYTES;
    const struct la_ping_reply reply = {
        .from = p->src,
        .id = load_be16(b + 4),
        .seq = load_be16(b + 6),
        .len_bytes = data_len,
        .first_bytes = first_bytes(b + ICMP_HEADER_BYTES, data_len),
        .ttl = p->ttl,
        .type = m->type,
        .code = m->code,
        .at = env->now,
    };
    keep_ping(ip, &reply);
    return LA_DROP_NONE;
}

static enum la_drop read_tcp_error(const struct icmp_message *m, const struct ip_packet *quoted,
                                   struct ip_error *out)
{
    tcp_seq seq;
    *out = (struct ip_error){
        .local = { .addr = quoted->src },
        .remote = { .addr = quoted->dst },
        .class = m->class,
        .code = m->code,
        .version = quoted->version,
        .mtu_bytes = m->mtu_bytes,
    };
    if (!tcp_parse_quoted(quoted->payload, quoted->payload_len, &out->local.port, &out->remote.port,
                          &seq))
        return LA_DROP_ICMP_QUOTE;
    out->quoted_seq = seq_raw(seq);
    return LA_DROP_NONE;
}

static enum ip_verdict receive_error(struct ip *ip, struct env *env, const struct ip_packet *p,
                                     const struct icmp_message *m, struct ip_error *error,
                                     enum la_drop *reason)
{
    struct ip_packet quoted;
    const enum la_drop drop = ip_parse_quoted(m->data, m->data_len, &quoted);
    /* We send no fragments, so a quoted one is not ours. */
    if (drop != LA_DROP_NONE || quoted.version != p->version || quoted.fragment) {
        *reason = LA_DROP_ICMP_QUOTE;
        return IP_DROP;
    }
    if (!addr_equal(&quoted.src, &p->dst) || !ip_is_local(ip, quoted.src)) {
        *reason = LA_DROP_ICMP_NO_MATCH;
        return IP_DROP;
    }
    if (quoted.protocol == IP_PROTO_TCP) {
        *reason = read_tcp_error(m, &quoted, error);
        return *reason == LA_DROP_NONE ? IP_TCP_ERROR : IP_DROP;
    }
    if (quoted.protocol == p->protocol)
        *reason = receive_ping_error(ip, env, p, m, &quoted);
    else
        *reason = LA_DROP_ICMP_NO_MATCH;
    return *reason == LA_DROP_NONE ? IP_HANDLED : IP_DROP;
}

static enum ip_verdict receive_echo_request(struct ip *ip, struct env *env,
                                            const struct ip_packet *p, const struct icmp_message *m,
                                            enum la_drop *reason)
{
    env_count(env, LA_COUNT_IcmpInEchos);
    if (env->knobs.icmp_echo_ignore_all != 0)
        *reason = LA_DROP_ICMP_TYPE;
    else
        *reason = icmp_send_reply(ip, env, p, m);
    return *reason == LA_DROP_NONE ? IP_HANDLED : IP_DROP;
}

enum ip_verdict icmp_receive(struct ip *ip, struct env *env, const struct ip_packet *p,
                             struct ip_error *error, enum la_drop *reason)
{
    struct icmp_message m;

    env_count(env, LA_COUNT_IcmpInMsgs);
    *reason = icmp_parse(env->cpu_features, p, &m);
    if (*reason != LA_DROP_NONE) {
        env_count(env, LA_COUNT_IcmpInErrors);
        return IP_DROP;
    }
    switch (m.class) {
    case ICMP_ECHO_REQUEST:
        return receive_echo_request(ip, env, p, &m, reason);
    case ICMP_ECHO_REPLY:
        receive_echo_reply(ip, env, p, &m);
        return IP_HANDLED;
    case ICMP_UNREACHABLE:
    case ICMP_TOO_BIG:
    case ICMP_TIME_EXCEEDED:
    case ICMP_PARAMETER:
        return receive_error(ip, env, p, &m, error, reason);
    case ICMP_SOURCE_QUENCH:
    case ICMP_OTHER:
        break;
    }
    *reason = LA_DROP_ICMP_TYPE;
    return IP_DROP;
}
