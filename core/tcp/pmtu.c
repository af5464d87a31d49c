/* SPDX-License-Identifier: MIT */
/*
 * pmtu.c - How large a packet may be on the way to a destination.
 *
 * Three things bound it.  The interface.  What routers said with ICMP (RFC 1191, 8201), which is
 * remembered for each destination, since a path is shared by all connections to it, and forgotten
 * after net.ipv4.route.mtu_expires, since paths change.  And, where routers are silent, what got
 * through (RFC 4821): a connection that hears nothing for R1 makes its packets small, then tries
 * larger ones with its own text, halving the distance each time.
 *
 * What was learned stands in a table of LA_PMTU_ROWS rows in sets of four, found by a keyed hash.
 * Nobody can make it grow, and only an ICMP error that quotes text in flight gets in (RFC 5927);
 * where a set is full, the row that would expire first goes.  A connection looks there when it
 * begins, and again when it sends new text, or an RTO fires, after the table or an interface has
 * changed: an epoch of eight bits tells, so on most segments this costs one comparison.  If 256
 * changes pass between two looks, a connection misses them, and learns of the next one or from its
 * own packets.
 *
 * The search (net.ipv4.tcp_mtu_probing) knows path_mtu, which works, and mtu_high, above which
 * nothing is tried; mtu_high is 0 without one.  A probe is one segment of new text.  Its loss, and
 * nothing else's, says that it was too big, and is no sign of congestion; with SACK only, since
 * without it nobody could tell.  When the two are close the search rests for
 * tcp_probe_interval.
 */
#include "core/tcp/pmtu.h"

#include "core/tcp/tcp.h"

#define WAYS 4u
#define COARSE_PER_UNIT_SHIFT 10 /* of mtu_at: about a second */
#define V6_MTU_MIN 1280u

_Static_assert(LA_PMTU_ROWS % WAYS == 0, "sets of four");

/* What is known of destinations -------------------------------------------------------------- */

static struct tcp_pmtu_row *set_of(const struct tcp *t, const struct la_addr *raddr)
{
    const uint64_t hash = siphash13(&t->key_index, raddr->bytes, sizeof(raddr->bytes));

    /* The table is the shard's own, which callers that only look have as const. */
    return (struct tcp_pmtu_row *)(uintptr_t)&t->pmtu.rows[hash % (LA_PMTU_ROWS / WAYS) * WAYS];
}

static bool in_force(const struct tcp *t, const struct tcp_pmtu_row *r)
{
    return r->mtu_bytes > 0 && time_lt(t->env.now, r->expires);
}

static struct tcp_pmtu_row *find(const struct tcp *t, const struct la_addr *raddr)
{
    struct tcp_pmtu_row *set = set_of(t, raddr);

    for (uint32_t i = 0; i < WAYS; i++)
        if (in_force(t, &set[i]) && addr_equal(&set[i].raddr, raddr))
            return &set[i];
    return NULL;
}

static void learn(struct tcp *t, const struct la_addr *raddr, uint32_t mtu_bytes)
{
    struct tcp_pmtu_row *row = find(t, raddr);
    struct tcp_pmtu_row *set = set_of(t, raddr);

    for (uint32_t i = 0; row == NULL && i < WAYS; i++)
        if (!in_force(t, &set[i]))
            row = &set[i];
    if (row == NULL) {
        row = set;
        for (uint32_t i = 1; i < WAYS; i++)
            if (time_lt(set[i].expires, row->expires))
                row = &set[i];
    }
    *row = (struct tcp_pmtu_row){
        .raddr = *raddr,
        .expires = time_add(t->env.now, t->env.knobs.mtu_expires * NS_PER_S),
        .mtu_bytes = mtu_bytes,
    };
    t->pmtu.next = time_min(t->pmtu.next, row->expires);
    t->pmtu.epoch++;
}

void pmtu_forget(struct tcp *t)
{
    t->pmtu.next = LA_TIME_NEVER;
    for (uint32_t i = 0; i < LA_PMTU_ROWS; i++) {
        struct tcp_pmtu_row *r = &t->pmtu.rows[i];

        if (r->mtu_bytes == 0)
            continue;
        if (in_force(t, r))
            t->pmtu.next = time_min(t->pmtu.next, r->expires);
        else
            *r = (struct tcp_pmtu_row){ .mtu_bytes = 0 };
    }
    t->pmtu.epoch++;
}

uint32_t pmtu_limit(const struct tcp *t, const struct tcp_conn *c)
{
    const uint32_t mtu = t->iface_mtu[c->iface];
    const struct tcp_pmtu_row *row = time_eq(t->pmtu.next, LA_TIME_NEVER)
                                         ? NULL /* the table is empty */
                                         : find(t, &c->flow.raddr);

    return row != NULL && row->mtu_bytes < mtu ? row->mtu_bytes : mtu;
}

/* A connection's own -------------------------------------------------------------------------- */

void pmtu_begin(const struct tcp *t, struct tcp_conn *c)
{
    c->mtu_epoch = t->pmtu.epoch;
    conn_set_mss(t, c, pmtu_limit(t, c));
}

/* Of IP and TCP, without options: what an MSS does not count. */
static uint32_t bare_headers_bytes(const struct tcp_conn *c)
{
    return ip_header_bytes(c->flow.raddr) + TCP_HEADER_BYTES;
}

/* Of a packet of text. */
static uint32_t headers_bytes(const struct tcp_conn *c)
{
    return bare_headers_bytes(c) + (c->timestamps ? TCP_TIMESTAMPS_BYTES : 0);
}

static uint32_t most_of(const struct tcp *t, const struct tcp_conn *c)
{
    const uint32_t limit = pmtu_limit(t, c);
    const uint32_t peer = c->peer_mss + bare_headers_bytes(c);

    return limit < peer ? limit : peer;
}

static uint16_t now_units(const struct tcp *t)
{
    return (uint16_t)(tcp_coarse(t) >> COARSE_PER_UNIT_SHIFT);
}

/* @mss: of text, with which the search begins. */
static void search(const struct tcp *t, struct tcp_conn *c, uint32_t mss)
{
    const uint32_t high = most_of(t, c);
    const uint32_t low = mss + headers_bytes(c);

    c->mtu_high = (uint16_t)high;
    c->mtu_at = now_units(t);
    conn_set_mss(t, c, low < high ? low : high);
}

void pmtu_established(const struct tcp *t, struct tcp_conn *c)
{
    const uint32_t before = c->snd_mss;

    if (t->env.knobs.mtu_probing != 2)
        return;
    search(t, c, t->env.knobs.base_mss);
    if (c->snd_mss >= before)
        return;
    if (c->cwnd > before)
        cc_init(t, c); /* the initial window is a number of segments, of this size now */
    else
        c->cwnd = c->snd_mss; /* the SYN was lost */
}

/* All in flight that is larger than segments are now goes again: no network takes it. */
static void send_again(struct tcp *t, uint32_t ci)
{
    struct tcp_conn *c = conn_at(t, ci);

    loss_resend_all(t, ci);
    if (!flight_known(c))
        c->snd.recover = c->snd.nxt; /* duplicate ACKs of what arrived twice say nothing */
    tcp_output_wake(t, ci);
}

/* Return: whether segments have become smaller. */
static bool obey(const struct tcp *t, struct tcp_conn *c)
{
    const uint32_t limit = pmtu_limit(t, c);
    const uint16_t before = c->snd_mss;

    c->mtu_epoch = t->pmtu.epoch;
    if (c->mtu_high > limit)
        c->mtu_high = (uint16_t)limit;
    if (c->path_mtu > limit || c->mtu_high == 0)
        conn_set_mss(t, c, limit);
    return c->snd_mss < before;
}

bool pmtu_changed(struct tcp *t, uint32_t ci)
{
    struct tcp_conn *c = conn_at(t, ci);

    if (!obey(t, c) || conn_flight(c) == 0)
        return false;
    send_again(t, ci);
    return true;
}

enum la_drop pmtu_too_big(struct tcp *t, uint32_t ci, uint32_t mtu_bytes)
{
    struct tcp_conn *c = conn_at(t, ci);
    const bool v4 = addr_is_v4(&c->flow.raddr);
    const uint32_t limit = pmtu_limit(t, c);
    const uint32_t mtu =
        v4 && mtu_bytes < t->env.knobs.min_pmtu ? t->env.knobs.min_pmtu : mtu_bytes;

    if (mtu >= limit && c->path_mtu <= limit && c->mtu_high <= limit)
        return LA_DROP_ICMP_MTU; /* nothing here is larger; else another connection learned it first */
    if (!v4 && mtu < V6_MTU_MIN) /* RFC 8201 4: discarded */
        return LA_DROP_ICMP_MTU;
    if (mtu < limit)
        learn(t, &c->flow.raddr, mtu);
    if (obey(t, c)) {
        if (!in(c, S(SYN_SENT) | S(SYN_RECEIVED))) /* whose SYN has no text, and its own timer */
            send_again(t, ci);
    } else if (flight_known(c) && flight_of(t, c)->probe_mtu > mtu) {
        /* Only the probe was too big. */
        struct flight *f = flight_of(t, c);

        f->probe_mtu = 0;
        flight_lose(t, c, seq_max(f->probe_seq, c->snd.una), f->probe_end);
        tcp_output_wake(t, ci);
    }
    return LA_DROP_NONE;
}

/* The search ------------------------------------------------------------------------------- */

void pmtu_black_hole(struct tcp *t, uint32_t ci)
{
    struct tcp_conn *c = conn_at(t, ci);
    const struct env_knobs *k = &t->env.knobs;
    const uint32_t headers = headers_bytes(c);
    uint32_t mss;

    if (k->mtu_probing == 0)
        return;
    if (c->mtu_high == 0) {
        search(t, c, k->base_mss < c->snd_mss ? k->base_mss : c->snd_mss);
        return;
    }
    mss = (c->path_mtu > headers ? c->path_mtu - headers : 0) / 2;
    if (mss > k->base_mss)
        mss = k->base_mss;
    if (mss < k->mtu_probe_floor)
        mss = k->mtu_probe_floor;
    if (mss < k->min_snd_mss)
        mss = k->min_snd_mss;
    if (mss + headers < c->path_mtu)
        conn_set_mss(t, c, mss + headers);
}

uint16_t pmtu_age(const struct tcp *t, const struct tcp_conn *c)
{
    return (uint16_t)(now_units(t) - c->mtu_at);
}

/* The search rests: has it rested long enough? */
static void search_again(const struct tcp *t, struct tcp_conn *c)
{
    const uint64_t passed_ns = (uint64_t)pmtu_age(t, c)
                               << (TCP_COARSE_SHIFT + COARSE_PER_UNIT_SHIFT);

    if (passed_ns < t->env.knobs.probe_interval * NS_PER_S)
        return;
    c->mtu_high = (uint16_t)most_of(t, c);
    c->mtu_at = now_units(t);
}

enum pmtu_try pmtu_try(struct tcp *t, struct tcp_conn *c, uint32_t *len)
{
    const uint32_t mss = c->snd_mss;
    uint32_t mtu, needed, pipe;

    if (!flight_known(c) || c->dubious || c->in_recovery || c->rto_recovery)
        return PMTU_NO;
    if (c->cwnd < 11 * mss)
        return PMTU_NO;
    if (!pmtu_searching(t, c)) {
        search_again(t, c);
        return PMTU_NO;
    }
    mtu = ((uint32_t)c->mtu_high + c->path_mtu) / 2;
    *len = conn_mss_at(t, c, mtu);
    if (*len <= mss) { /* something else bounds it: TCP_MAXSEG, or the spans of a descriptor */
        c->mtu_high = c->path_mtu;
        return PMTU_NO;
    }
    needed = *len + (c->reordering + 1u) * mss; /* so much behind it shows that it is lost */
    /* What is in flight beside it has begun the table: it need not drain to nothing. */
    if (conn_unsent(c) < needed || c->snd.wnd < needed + 2 * mss || c->cwnd < *len + 3 * mss)
        return PMTU_NO;
    pipe = conn_pipe(t, c);
    return snd_usable(c) < needed || c->cwnd < pipe + *len + mss ? PMTU_WAIT : PMTU_YES;
}

void pmtu_probing(struct tcp *t, struct tcp_conn *c, tcp_seq seq, tcp_seq end)
{
    struct flight *f;

    if (!flight_known(c))
        return;
    f = flight_of(t, c);
    f->probe_mtu = (uint16_t)(seq_diff(seq, end) + headers_bytes(c));
    f->probe_seq = seq;
    f->probe_end = end;
    c->dubious = true;
}

void pmtu_arrived(struct tcp *t, struct tcp_conn *c, struct flight *f)
{
    if (f->probe_mtu == 0 || seq_lt(c->snd.una, f->probe_end))
        return;
    if (f->probe_mtu <= pmtu_limit(t, c) && f->probe_mtu > c->path_mtu)
        conn_set_mss(t, c, f->probe_mtu);
    f->probe_mtu = 0;
    env_count(&t->env, LA_COUNT_TCPMTUPSuccess);
}

bool pmtu_lost(struct flight_ack *k)
{
    struct tcp_conn *c = k->c;
    struct flight *f = k->f;

    if (f->probe_mtu == 0 || !seq_eq(c->snd.una, f->probe_seq) || f->count == 0 ||
        !(flight_at(f, 0)->flags & FLIGHT_LOST))
        return false;
    if (f->probe_mtu <= c->mtu_high)
        c->mtu_high = f->probe_mtu - 1;
    f->probe_mtu = 0;
    env_count(&k->t->env, LA_COUNT_TCPMTUPFail);
    return f->resend == seq_diff(f->probe_seq, f->probe_end);
}
