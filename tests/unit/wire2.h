/* SPDX-License-Identifier: MIT */
/*
 * wire2.h - Two stacks joined by a wire in memory, in virtual time.
 *
 * Side 0 opens, side 1 listens.  The wire takes no time and loses nothing, unless the test
 * gives a filter or declares a side dead.  Each side's stream is a pattern, so whoever
 * reads can tell every byte.  What goes wrong ends in la_panic().
 */
#ifndef TESTS_UNIT_WIRE2_H
#define TESTS_UNIT_WIRE2_H

#include <lastack/lastack.h>

#include "core/base/assert.h"

#define W2_PORT 80u
#define W2_QUEUE_MAX 8192u

struct w2_opt {
    bool v6;
    uint32_t mtu_bytes; /* 0: 1500 */
    uint32_t gso_max_bytes;
    bool csum_partial;
    const struct la_config *config[2]; /* NULL: w2_config() */
    uint64_t start_ns;                 /* 0: one second */
};

struct w2_packet {
    uint8_t *bytes;
    uint32_t len_bytes;
    uint16_t gso_size_bytes;
    uint16_t flags; /* LA_FRAME_* */
};

struct w2 {
    struct la_stack *s[2];
    uint8_t *mem[2];
    uint64_t mem_bytes[2];
    la_time now;
    bool v6;
    struct la_addr addr[2];
    la_listener_id listener;
    la_conn_id conn[2];
    uint64_t sent[2];     /* bytes taken of each side's stream */
    uint64_t received[2]; /* bytes read by each side */
    bool dead[2];         /* what goes to this side vanishes */
    /* False: the packet is lost.  It may be changed in place. */
    bool (*pass)(void *context, int from, uint8_t *bytes, uint32_t len_bytes);
    void *context;
    struct w2_packet queue[2][W2_QUEUE_MAX]; /* towards this side */
    uint32_t queued[2];
    uint64_t packets;
};

/* 64 connections, 256 chunks of 2 KiB; room to change what a test is about. */
void w2_config(struct la_config *config);
struct w2 *w2_new(const struct w2_opt *opt);
void w2_free(struct w2 *w);

/* Let both sides speak until both are silent, without time passing.  Return: packets moved. */
uint32_t w2_turn(struct w2 *w);
/* The same while @ns pass, stopping at every deadline. */
void w2_run(struct w2 *w, uint64_t ns);
/* Until no deadline is left, @ns at most.  True if none is. */
bool w2_rest(struct w2 *w, uint64_t ns);

/* Side 1 listens on W2_PORT. */
void w2_listen(struct w2 *w);
/* Handshake and accept: conn[0] and conn[1] are ESTABLISHED. */
void w2_connect(struct w2 *w);

uint8_t w2_byte(int side, uint64_t offset);
/* Hand over the next @len bytes of the side's stream.  Return: as la_send(). */
int64_t w2_send(struct w2 *w, int side, uint32_t len_bytes);
/* Read all there is and compare it.  Return: the last la_recv(): 0 at EOF, else an error. */
int64_t w2_recv(struct w2 *w, int side);
/* Send @len bytes from @side and read them on the other. */
void w2_transfer(struct w2 *w, int side, uint64_t len_bytes);
/* Both close, side @first first; virtual time passes until all is over. */
void w2_close(struct w2 *w, int first);

enum la_state w2_state(const struct w2 *w, int side);
/* la_check() of both. */
void w2_sound(const struct w2 *w);
/* Connections and records of both sides. */
uint32_t w2_held(const struct w2 *w, int side);

#endif
