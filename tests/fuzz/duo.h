/* SPDX-License-Identifier: MIT */
/*
 * duo.h - Two small stacks and a wire between them, for the fuzz targets: what may never
 * happen is judged after every step.
 *
 * Judged are: la_check(); SND.UNA, SND.NXT and RCV.NXT of a connection never retreat; the
 * right edge of the window it offers never moves left, but by less than a unit of scale;
 * nothing is sent beyond the window it was offered, but for one octet that probes; every
 * byte sent and every byte read is the stream's byte at that place; what an event says is
 * what la_ready() says.
 *
 * Streams are a pattern by offset, the same both ways.  Text is set to the pattern when a
 * segment is delivered, wherever it claims to lie, so that forged segments can not
 * corrupt a stream and a wrong byte is always the stack's doing.
 */
#ifndef TESTS_FUZZ_DUO_H
#define TESTS_FUZZ_DUO_H

#include "core/stack/stack.h"

#define DUO_CONNS 4u
#define DUO_HELD 8u
#define DUO_LISTENERS 3u
#define DUO_WIRE 48u
#define DUO_PACKET_MAX 4096u

struct duo_packet {
    uint32_t len_bytes;
    uint16_t gso_size_bytes;
    uint8_t bytes[DUO_PACKET_MAX];
};

/* What is remembered of a full connection from step to step. */
struct duo_watch {
    uint64_t handle;
    uint8_t state;
    tcp_seq una, nxt, rcv_nxt;
    tcp_seq right_max; /* greatest right edge the peer has offered */
    tcp_seq told_max;  /* greatest right edge this side has offered */
    bool told;
};

struct duo_held {
    la_conn_id id;
    uint64_t sent, received;
};

struct duo {
    struct la_stack *s[2];
    la_time now;
    bool v6;
    struct la_addr addr[2], ghost;
    struct duo_watch watch[2][DUO_CONNS];
    struct duo_held held[2][DUO_HELD]; /* live, stale and empty ones */
    la_listener_id listener[2][DUO_LISTENERS];
    struct duo_packet wire[2][DUO_WIRE]; /* towards this side */
    uint32_t queued[2];
    uint32_t packets; /* taken from both sides */
};

#define DUO_V6 1u
#define DUO_GSO 2u
#define DUO_TINY 4u /* la_config_smallest() */
struct duo *duo_new(uint32_t flags);

uint8_t duo_byte(uint64_t offset);

/* Take one packet of @side, judge it, and put it on the wire if @keep.  False if there is none. */
bool duo_take(struct duo *d, int side, bool keep);
/* Hand the wire's packet @i to @side; it stays there if @again. */
void duo_deliver(struct duo *d, int side, uint32_t i, bool again);
/* A segment to @side as if from @from: text is filled in. */
void duo_forge(struct duo *d, int side, struct la_addr from, struct tcp_seg *seg);
void duo_frame(struct duo *d, int side, const uint8_t *bytes, uint32_t len_bytes, uint16_t flags);
/* Deliver and take until both are silent: they must become so. */
void duo_turn(struct duo *d);
void duo_tick(struct duo *d, int side, uint32_t budget);
/* Forward to the next deadline, @most_ns at most. */
void duo_advance(struct duo *d, uint64_t most_ns);

int64_t duo_send(struct duo *d, int side, struct duo_held *h, uint32_t len_bytes, uint32_t flags);
int64_t duo_recv(struct duo *d, int side, struct duo_held *h, uint32_t len_bytes);
void duo_events(struct duo *d, int side, uint32_t max);
/* Remember a new handle, in a place without a live one if there is any. */
void duo_hold(struct duo *d, int side, la_conn_id id, uint32_t place);

void duo_judge(struct duo *d, int side);
/* Everybody lets go, the wire is cut: all resources must come back, in finite time. */
void duo_end(struct duo *d, bool drain);

#endif
