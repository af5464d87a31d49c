/* SPDX-License-Identifier: MIT */
/*
 * send.c - The ring of ICMP messages that wait for la_tx().
 *
 * A message's data lies in one chunk, which must outlive the descriptor that points
 * into it: until the next call on the stack.  So a message that was taken leaves its chunk
 * in the ring's slot, outside of [first, first + count), and the chunk is given back by
 * ip_sent(), or when the slot is written again, whichever comes first; both belong to a
 * later call.
 *
 * Invariant: a slot outside the waiting range holds a chunk only if it was taken and not
 * yet given back.  ip_chunks_held() counts both kinds.
 */
#include "core/base/assert.h"
#include "core/base/checksum.h"
#include "core/base/mem.h"
#include "core/ip/icmp_stack.h"

static void release(struct ip_reply *r, struct env *env)
{
    if (r->chunk == SLAB_NONE)
        return;
    chunks_give(&env->chunks, env_arena(env), r->chunk);
    r->chunk = SLAB_NONE;
}

static struct ip_reply *slot_at(struct ip *ip, uint32_t i)
{
    return &ip->replies[(ip->reply_first + i) % IP_REPLIES_MAX];
}

enum la_drop send_queue(struct ip *ip, struct env *env, const struct ip_reply *reply,
                        const uint8_t *data, uint32_t len_bytes)
{
    if (ip->reply_count == IP_REPLIES_MAX)
        return LA_DROP_REPLIES_FULL;
    if (len_bytes > chunks_payload(&env->chunks))
        return LA_DROP_REPLY_NO_CHUNK;

    struct ip_reply *slot = slot_at(ip, ip->reply_count);
    release(slot, env);
    uint32_t i = SLAB_NONE;
    if (len_bytes > 0) {
        /* Never the reserve: a flood of pings must not take a connection's next byte. */
        i = chunks_take(&env->chunks, env_arena(env), CHUNKS_ORDINARY);
        if (i == SLAB_NONE)
            return LA_DROP_REPLY_NO_CHUNK;
        memcpy(chunk_at(&env->chunks, env_arena(env), i)->bytes, data, len_bytes);
    }
    *slot = *reply;
    slot->chunk = i;
    slot->len_bytes = len_bytes;
    slot->icmp.data = NULL;
    slot->icmp.data_len = len_bytes;
    slot->ip.payload_len = ICMP_HEADER_BYTES + len_bytes;
    ip->reply_count++;
    return LA_DROP_NONE;
}

static void count_sent(struct env *env, enum icmp_class class)
{
    env_count(env, LA_COUNT_IcmpOutMsgs);
    if (class != ICMP_ECHO_REQUEST && class != ICMP_ECHO_REPLY)
        env_count(env, LA_COUNT_IcmpOutErrors);
}

bool ip_next(struct ip *ip, struct env *env, struct la_tx *out)
{
    if (ip->reply_count == 0)
        return false;

    struct ip_reply *r = slot_at(ip, 0);
    uint64_t sum = 0;
    memset(out, 0, sizeof *out);
    if (r->chunk != SLAB_NONE) {
        const uint8_t *bytes = chunk_at(&env->chunks, env_arena(env), r->chunk)->bytes;
        sum = checksum_add(env->cpu_features, 0, bytes, r->len_bytes);
        out->spans[0] = (struct la_cspan){ bytes, r->len_bytes };
        out->span_count = 1;
    }
    const uint32_t ip_bytes = ip_emit(&r->ip, out->header);
    icmp_emit(&r->icmp, r->ip.src, r->ip.dst, sum, out->header + ip_bytes);
    out->header_len = (uint16_t)(ip_bytes + ICMP_HEADER_BYTES);
    out->len_bytes = out->header_len + r->len_bytes;
    out->iface = r->iface;
    count_sent(env, r->icmp.class);

    ip->reply_first = (ip->reply_first + 1) % IP_REPLIES_MAX;
    ip->reply_count--;
    ip->reply_taken++;
    return true;
}

void ip_sent(struct ip *ip, struct env *env)
{
    if (ip->reply_taken == 0)
        return;
    ip->reply_taken = 0;
    for (uint32_t i = ip->reply_count; i < IP_REPLIES_MAX; i++)
        release(slot_at(ip, i), env);
}

uint32_t ip_chunks_held(const struct ip *ip)
{
    uint32_t held = 0;
    for (uint32_t i = 0; i < IP_REPLIES_MAX; i++)
        held += ip->replies[i].chunk != SLAB_NONE;
    return held;
}
