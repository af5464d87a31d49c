/* SPDX-License-Identifier: MIT */
/*
 * syn_cookie.c - A half-open connection that the peer remembers for us (RFC 4987 3.6).
 *
 * When the SYN queue is over its limit, the SYN-ACK's sequence number says all that a record
 * would, and its acknowledgment brings it back: no memory, no timer, no repeats.
 *
 *     bit 31       parity of the epoch, of 64 s
 *     bits 30..28  which entry of the table of segment sizes
 *     bits 27..0   a keyed hash of 4-tuple, the peer's SEQ, epoch, entry and options
 *
 * The epoch is part of what is hashed, so each has a key of its own; the parity says which
 * of the last two it was, and one hash decides.  A cookie is good for 64 to 128 s, and only
 * while its listener has sent one within 128 s: at all other times an ACK to a listener can
 * make nothing.  Of 2^32 ACKs with random numbers 16 are good.
 *
 * Scale and SACK stand in the low six bits of TSval: four of scale, one of SACK, and one of
 * ECN, which is not answered yet and must be 0.  They are hashed too.  TSval is the largest
 * that has these bits and is not after the clock of this 4-tuple, so it never steps back
 * while the options stay, and never stands before what the connection will send; on the
 * way back TSecr must lie within 128 s, which leaves a forger one in 16,777 of the 16.
 * Without time stamps there is neither scale nor SACK, and an ACK with time stamps is not
 * the answer to a SYN without.
 *
 * What is lost: the peer's MSS is rounded down to the table; a SYN-ACK that is lost is
 * repeated only if the peer asks; where this side speaks first and the last ACK is lost,
 * the peer waits for ever, which keepalive on its side would end.
 *
 * What it shows: that a SYN queue is full can be seen by anybody who may connect (TSval,
 * no repeats).  With tcp_syncookies=2 the answer does not depend on the queue.  A bad ACK
 * gets the same reset whether cookies are good or not.
 *
 * Cost: a SYN, two keyed hashes (time stamp offset, cookie) beside that of the index; an
 * ACK, one, and one more if it is good.
 */
#include "core/tcp/tcp.h"

#define EPOCH_NS (64 * NS_PER_S)
#define VALID_NS (128 * NS_PER_S)
#define MAC_MASK ((UINT32_C(1) << 28) - 1)
#define OPTION_BITS 6u
#define OPTION_MASK ((1u << OPTION_BITS) - 1)
#define OPTION_SACK 16u
#define OPTION_ECN 32u
#define OPTIONS_NONE 255u /* no time stamps: nothing was said */

/*
 * Segment sizes.  Below the first tcp_min_snd_mss holds anyway, unless it was set; the others are the
 * default of each family, tunnels' common ones, Ethernet with IPv6 and IPv4, and jumbo frames.
 */
static const uint16_t sizes[8] = { 216, 536, 1220, 1300, 1400, 1440, 1460, 8960 };

static uint32_t size_entry(uint16_t mss)
{
    uint32_t i = LA_COUNT_OF(sizes) - 1;

    while (i > 0 && sizes[i] > mss)
        i--;
    return i;
}

static uint32_t mac(const struct tcp_arrival *a, uint64_t epoch, tcp_seq irs, uint32_t entry,
                    uint32_t options)
{
    uint8_t bytes[36 + 14];
    uint32_t n = flow_bytes(&a->flow, bytes);
    const uint32_t seq = seq_raw(irs);

    memcpy(bytes + n, &epoch, sizeof(epoch));
    memcpy(bytes + n + 8, &seq, sizeof(seq));
    bytes[n + 12] = (uint8_t)entry;
    bytes[n + 13] = (uint8_t)options;
    n += 14;
    return (uint32_t)siphash(&a->t->key_cookie, bytes, n) & MAC_MASK;
}

/* Option bits of a record, and back. */
static uint32_t options_of(const struct tcp_half *h)
{
    if (!(h->flags & TCP_HALF_TIMESTAMPS))
        return OPTIONS_NONE;
    return h->wscale | (h->flags & TCP_HALF_SACK ? OPTION_SACK : 0);
}

static void take_options(struct tcp_half *h, uint32_t options)
{
    h->wscale = TCP_WSCALE_NONE;
    if (options == OPTIONS_NONE)
        return;
    h->wscale = options & 15u;
    h->flags |= TCP_HALF_TIMESTAMPS;
    if (options & OPTION_SACK)
        h->flags |= TCP_HALF_SACK;
}

/* The latest value up to @now that has these low bits. */
static uint32_t ts_with(uint32_t now, uint32_t options)
{
    const uint32_t ts = (now & ~OPTION_MASK) | options;

    return (int32_t)(ts - now) > 0 ? ts - (OPTION_MASK + 1) : ts;
}

bool cookie_recent(const struct tcp *t, const struct tcp_listener *l)
{
    return l->cookie_wnd > 0 && time_since(l->cookie_at, t->env.now) < VALID_NS;
}

/* The window of all cookies under way is the largest: a promise is never taken back. */
static uint32_t promise(const struct tcp *t, struct tcp_listener *l)
{
    const uint32_t wnd = l->set.rcvbuf < UINT16_MAX ? l->set.rcvbuf : UINT16_MAX;

    if (!cookie_recent(t, l) || l->cookie_wnd < wnd)
        l->cookie_wnd = wnd;
    l->cookie_at = t->env.now;
    return l->cookie_wnd;
}

void cookie_answer(struct tcp_arrival *a, uint32_t li)
{
    struct tcp *t = a->t;
    struct tcp_listener *l = listener_at(t, li);
    const uint64_t epoch = t->env.now.ns / EPOCH_NS;
    const struct tcp_answer to = {
        .flow = a->flow,
        .iface = a->path.iface,
        .ttl = l->set.ttl,
        .tos = (uint8_t)((uint32_t)l->set.tos6 << 2),
        .state = LA_LISTEN,
    };
    struct tcp_half h = { .listener = li, .irs = a->seg->seq };
    struct tcp_seg seg;
    uint32_t options, entry, ts = 0;

    env_count(&t->env, LA_COUNT_TCPReqQFullDoCookies);
    env_count(&t->env, LA_COUNT_SyncookiesSent);
    l->cookies_sent++;
    a->reason = LA_DROP_SYN_COOKIE;
    h.iface = a->path.iface & 3u;
    h.rcv_wnd = (uint16_t)promise(t, l);
    half_take_syn(t, &h, a);
    options = options_of(&h);
    if (options == OPTIONS_NONE) {
        h.wscale = TCP_WSCALE_NONE;
        h.flags = 0;
    } else {
        ts = ts_with(tcp_ts_now(t, tcp_ts_offset(t, &a->flow)), options);
    }
    entry = size_entry(h.mss);
    h.iss =
        seq_of((uint32_t)(epoch & 1) << 31 | entry << 28 | mac(a, epoch, h.irs, entry, options));
    half_synack(t, &h, ts, addr_is_v4(&a->flow.raddr), &seg);
    (void)reply_push(t, &to, &seg); /* lost like any segment if there is no room */
}

/* Is there a good cookie?  Then the record it stands for. */
static bool judge(const struct tcp_arrival *a, struct tcp_half *h)
{
    const struct tcp *t = a->t;
    const struct tcp_options *o = &a->seg->opt;
    const uint64_t now_epoch = t->env.now.ns / EPOCH_NS;
    const bool stamped = o->has_timestamps && t->env.knobs.timestamps;
    uint32_t cookie, entry, options = OPTIONS_NONE;

    h->iss = seq_sub(a->seg->ack, 1);
    h->irs = seq_sub(a->seg->seq, 1);
    cookie = seq_raw(h->iss);
    entry = cookie >> 28 & 7u;
    const bool before = (now_epoch & 1) != cookie >> 31;
    if (before && now_epoch == 0)
        return false;
    if (stamped) {
        h->ts_offset = tcp_ts_offset(t, &a->flow);
        if (tcp_ts_now(t, h->ts_offset) - o->ts_ecr > VALID_NS / NS_PER_MS)
            return false;
        options = (o->ts_ecr & OPTION_MASK);
        if (options & OPTION_ECN)
            return false;
        h->ts_recent = o->ts_val;
    }
    if ((cookie & MAC_MASK) != mac(a, now_epoch - before, h->irs, entry, options))
        return false;
    h->mss = sizes[entry];
    take_options(h, options);
    return true;
}

/* A full connection in the index; SLAB_NONE if either is full. */
static uint32_t new_conn(struct tcp_arrival *a)
{
    struct tcp *t = a->t;
    const uint32_t ci = conn_new(t, &a->flow, a->hash);

    if (ci == SLAB_NONE)
        return SLAB_NONE;
    if (!index_insert(&t->index, t, a->hash,
                      (struct index_entry){ .type = INDEX_CONN, .value = ci })) {
        conn_release(t, ci);
        return SLAB_NONE;
    }
    return ci;
}

uint32_t cookie_open(struct tcp_arrival *a, uint32_t li)
{
    struct tcp *t = a->t;
    struct tcp_listener *l = listener_at(t, li);
    struct tcp_half h = {
        .listener = li,
        .wnd = (uint16_t)a->seg->wnd,
        .rcv_wnd = (uint16_t)l->cookie_wnd,
        .iface = a->path.iface & 3u,
        .flags = TCP_HALF_RESENT, /* when the SYN-ACK went out is not known: no sample */
    };
    uint32_t ci;

    if (t->env.knobs.syncookies == 0 || !cookie_recent(t, l))
        return SLAB_NONE; /* like any ACK to a listener */
    if (!judge(a, &h)) {
        env_count(&t->env, LA_COUNT_SyncookiesFailed);
        l->cookies_failed++;
        a->reason = LA_DROP_COOKIE_BAD;
        reply_rst_to(a);
        return SLAB_NONE;
    }
    env_count(&t->env, LA_COUNT_SyncookiesRecv);
    l->cookies_recv++;
    const bool full = listener_accept_full(l);
    ci = full ? SLAB_NONE : new_conn(a);
    if (ci == SLAB_NONE) { /* silently: the next segment of the peer is the next chance */
        listener_drop(t, li, full);
        a->reason = full ? LA_DROP_ACCEPT_QUEUE_FULL : LA_DROP_CONNS_FULL;
        return SLAB_NONE;
    }
    half_grow_into(t, conn_at(t, ci), &h);
    trace_state(t, &a->flow, 0, LA_LISTEN, LA_SYN_RECEIVED, LA_DROP_NONE);
    half_grown(t, ci);
    return ci;
}
