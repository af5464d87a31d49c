/* SPDX-License-Identifier: MIT */
/*
 * icmp_out.c - ICMP messages of ours: echo replies, errors, echo requests.
 *
 * Errors share one token bucket, since they can be provoked by anyone at no cost
 * (RFC 1812 4.3.2.8, 4443 2.4 f); replies are no larger than what they answer and need none.
 * A bucket refills by whole tokens and keeps the time of the last whole one, so no
 * fraction is lost however often it is asked.
 *
 * An error quotes as much of the packet as keeps the whole within what every path
 * carries: 576 bytes for IPv4 (RFC 1812 4.3.2.3), 1280 for IPv6 (RFC 4443 2.4 c), and one
 * chunk.  Padding behind the packet is never quoted.
 */
#include "core/base/assert.h"
#include "core/base/time.h"
#include "core/ip/icmp_stack.h"

#define ERROR_MAX_V4 576u
#define ERROR_MAX_V6 1280u

#define TYPE_ECHO_V4 8
#define TYPE_ECHO_V6 128
#define TYPE_REPLY_V4 0
#define TYPE_REPLY_V6 129

/* More time than any bucket needs to fill: 1000 tokens at one a second. */
#define BUCKET_FILL_MAX_NS (UINT64_C(1000) * NS_PER_S)

static bool bucket_take(struct ip_bucket *b, const struct env *env)
{
    const uint64_t per_s = env->knobs.icmp_msgs_per_sec;
    const uint32_t burst = env->knobs.icmp_msgs_burst;
    uint64_t elapsed_ns = time_since(b->filled, env->now);

    if (per_s == 0)
        return false;
    if (elapsed_ns > BUCKET_FILL_MAX_NS) {
        elapsed_ns = BUCKET_FILL_MAX_NS;
        b->filled = (la_time){ env->now.ns - elapsed_ns };
    }
    const uint64_t fresh = elapsed_ns * per_s / NS_PER_S;
    if (fresh > 0) {
        b->filled = time_add(b->filled, fresh * NS_PER_S / per_s);
        b->tokens = fresh < UINT32_MAX - b->tokens ? b->tokens + (uint32_t)fresh : UINT32_MAX;
    }
    if (b->tokens > burst)
        b->tokens = burst;
    if (b->tokens == 0)
        return false;
    b->tokens--;
    return true;
}

/* The envelope of an answer to @p: back to its source, from the address it went to. */
static enum la_drop answer(const struct ip *ip, const struct env *env, const struct ip_packet *p,
                           struct ip_reply *out, uint32_t *room)
{
    struct ip_path path;
    if (ip_path(ip, p->src, &path) != LA_OK)
        return LA_DROP_IP_NO_ROUTE;

    *out = (struct ip_reply){
        .ip = { .src = p->dst,
                .dst = p->src,
                .protocol = p->version == 4 ? IP_PROTO_ICMP : IP_PROTO_ICMP6,
                .ttl = (uint8_t)env->knobs.default_ttl },
        .chunk = SLAB_NONE,
        .iface = path.iface,
    };
    *room = path.mtu_bytes - ip_header_bytes(p->src) - ICMP_HEADER_BYTES;
    return LA_DROP_NONE;
}

enum la_drop icmp_send_reply(struct ip *ip, struct env *env, const struct ip_packet *p,
                             const struct icmp_message *request)
{
    struct ip_reply reply;
    uint32_t room;
    const enum la_drop drop = answer(ip, env, p, &reply, &room);
    if (drop != LA_DROP_NONE)
        return drop;
    if (request->data_len > room)
        return LA_DROP_REPLY_NO_CHUNK;

    reply.ip.tos = p->tos & 0xfcu; /* RFC 1349 5.1: as it came; ECN is TCP's business */
    reply.icmp = (struct icmp_message){
        .class = ICMP_ECHO_REPLY,
        .type = p->version == 4 ? TYPE_REPLY_V4 : TYPE_REPLY_V6,
        .id = request->id,
        .seq = request->seq,
    };
    return send_queue(ip, env, &reply, request->data, request->data_len);
}

enum la_drop icmp_send_error(struct ip *ip, struct env *env, const struct ip_packet *p,
                             const struct icmp_message *m)
{
    struct ip_reply reply;
    uint32_t room;
    const enum la_drop drop = answer(ip, env, p, &reply, &room);
    if (drop != LA_DROP_NONE)
        return drop;
    if (!bucket_take(&ip->errors, env)) {
        env_count(env, LA_COUNT_IcmpOutRateLimitGlobal);
        return LA_DROP_ICMP_RATE;
    }

    const uint32_t total_max = p->version == 4 ? ERROR_MAX_V4 : ERROR_MAX_V6;
    const uint32_t quote_max = total_max - ip_header_bytes(p->src) - ICMP_HEADER_BYTES;
    uint32_t quote = p->len_bytes < quote_max ? p->len_bytes : quote_max;
    if (quote > chunks_payload(&env->chunks))
        quote = chunks_payload(&env->chunks);
    LA_ASSERT(quote <= room); /* every MTU is at least as large as these limits */
    reply.icmp = *m;
    return send_queue(ip, env, &reply, p->bytes, quote);
}

static enum la_err ping_error(enum la_drop drop)
{
    return drop == LA_DROP_NONE ? LA_OK : LA_ENOBUFS;
}

enum la_err ip_ping(struct ip *ip, struct env *env, struct la_addr to, uint16_t id, uint16_t seq,
                    const void *bytes, uint32_t len_bytes)
{
    struct ip_path path;
    if (ip_is_group(ip, to) || ip_path(ip, to, &path) != LA_OK)
        return LA_ENETUNREACH;
    if (la_addr_is_unspecified(path.src))
        return LA_EADDRNOTAVAIL;
    if (len_bytes > path.mtu_bytes - ip_header_bytes(to) - ICMP_HEADER_BYTES ||
        len_bytes > chunks_payload(&env->chunks))
        return LA_EMSGSIZE;

    const bool v4 = addr_is_v4(&to);
    const struct ip_reply request = {
        .ip = { .src = path.src,
                .dst = to,
                .protocol = v4 ? IP_PROTO_ICMP : IP_PROTO_ICMP6,
                .ttl = (uint8_t)env->knobs.default_ttl },
        .icmp = { .class = ICMP_ECHO_REQUEST,
                  .type = v4 ? TYPE_ECHO_V4 : TYPE_ECHO_V6,
                  .id = id,
                  .seq = seq },
        .chunk = SLAB_NONE,
        .iface = path.iface,
    };
    return ping_error(send_queue(ip, env, &request, bytes, len_bytes));
}

uint32_t ip_ping_read(struct ip *ip, struct la_ping_reply *out, uint32_t max)
{
    uint32_t count = 0;
    while (count < max && ip->ping_count > 0) {
        out[count++] = ip->pings[ip->ping_first];
        ip->ping_first = (ip->ping_first + 1) % IP_PINGS_MAX;
        ip->ping_count--;
    }
    return count;
}
