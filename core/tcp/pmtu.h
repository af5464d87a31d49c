/* SPDX-License-Identifier: MIT */
/* pmtu.h - How large a packet may be: what is known, what is learned, what is tried. */
#ifndef CORE_TCP_PMTU_H
#define CORE_TCP_PMTU_H

#include "core/tcp/inflight.h"

/* The largest packet the interface takes, or less if the destination's path is known to. */
uint32_t pmtu_limit(const struct tcp *t, const struct tcp_conn *c);
/* A connection begins: its path MTU, and the segment size that follows. */
void pmtu_begin(const struct tcp *t, struct tcp_conn *c);
/* Its handshake is complete: it may begin to search at once. */
void pmtu_established(const struct tcp *t, struct tcp_conn *c);
/*
 * What was known may have changed: before new text is sent, and at an RTO.  Return: whether something
 * in flight is to be sent again, because it was too big.
 */
bool pmtu_changed(struct tcp *t, uint32_t ci);
static inline bool pmtu_look(struct tcp *t, uint32_t ci)
{
    const struct tcp_conn *c = conn_at(t, ci);

    return c->mtu_epoch != t->pmtu.epoch && pmtu_changed(t, ci);
}
/* Rows whose time has come are forgotten. */
void pmtu_forget(struct tcp *t);
static inline void pmtu_tick(struct tcp *t)
{
    if (time_le(t->pmtu.next, t->env.now))
        pmtu_forget(t);
}
/* A packet of this connection was too big.  Return: the reason if that is not believed. */
enum la_drop pmtu_too_big(struct tcp *t, uint32_t ci, uint32_t mtu_bytes);
/* Nothing has come back for R1: perhaps it is too big, and nobody says so. */
void pmtu_black_hole(struct tcp *t, uint32_t ci);

/* RFC 4821: try a larger packet. */

/* Since the search began, in about seconds; modulo 19 hours. */
uint16_t pmtu_age(const struct tcp *t, const struct tcp_conn *c);
static inline bool pmtu_searching(const struct tcp *t, const struct tcp_conn *c)
{
    return c->mtu_high > c->path_mtu + 1u &&
           c->mtu_high - c->path_mtu >= (int32_t)t->env.knobs.probe_threshold;
}
enum pmtu_try {
    PMTU_NO,   /* not now: go on as usual */
    PMTU_WAIT, /* the windows have no room for it yet: send nothing meanwhile */
    PMTU_YES,
};
/* @len: bytes of text of the probe. */
enum pmtu_try pmtu_try(struct tcp *t, struct tcp_conn *c, uint32_t *len);
/* It has been sent, from @seq to @end. */
void pmtu_probing(struct tcp *t, struct tcp_conn *c, tcp_seq seq, tcp_seq end);
/* SND.UNA is behind the probe. */
void pmtu_arrived(struct tcp *t, struct tcp_conn *c, struct flight *f);
/* Something is lost: is it the probe?  Return: true if it is nothing else. */
bool pmtu_lost(struct flight_ack *k);

#endif
