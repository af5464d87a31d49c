/* SPDX-License-Identifier: MIT */
/*
 * acks.h - A sender whose peer is played: ACKs in order, with one segment of a hundred lost, or as
 * bad as a peer can make them.  What is counted is the sender's work for one ACK and for what it
 * sends because of it; the window is 256 segments.
 */
#ifndef BENCH_COUNT_ACKS_H
#define BENCH_COUNT_ACKS_H

#include <lastack/lastack.h>

enum acks { ACKS_NONE, ACKS_CLEAN, ACKS_LOSSY, ACKS_HOSTILE };

#define ACKS_RING 1024u /* segments under way at most */
#define ACKS_BURST 64u

struct acks_peer {
    enum acks kind;
    struct la_stack *s;
    la_conn_id conn;
    la_time now;
    uint32_t us, them;   /* ports */
    uint32_t seq;        /* ours */
    uint32_t first, nxt; /* the sender's: first byte of text, and all before it has arrived */
    uint32_t high;       /* behind the last byte it sent */
    uint32_t lost;       /* the last segment that was lost, by number */
    uint64_t random;
    struct {
        uint32_t seq, len;
        la_time at;
    } ring[ACKS_RING];
    uint32_t head, count;
    uint32_t block[4][2]; /* the newest first */
    uint32_t blocks;
    uint8_t have[ACKS_RING]; /* by number of segment */
    uint8_t packet[120];
    struct la_frame frame;
    struct la_tx tx[ACKS_BURST];
    uint32_t sent;
};

/* ACKs in order until @kind is changed. */
void acks_open(struct acks_peer *p);
/* Time goes on until a segment reaches the peer; its ACK is p->frame. */
void acks_next(struct acks_peer *p);
/* The sender takes the ACK and sends what it may: this is what is counted. */
void acks_taken(struct acks_peer *p);

#endif
