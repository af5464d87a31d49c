/* SPDX-License-Identifier: MIT */
/*
 * plug.h - Between the two files of the object: the clock, and the calls on it.
 *
 * Time is virtual.  It moves when it is asked for (a microsecond each time, so that who spins
 * on the clock gets somewhere), slept through, or when a packet is waited for; each time what is
 * due happens on the way.  One mutex guards everything.
 *
 * A call that waits does so on a condition variable, on the thread that made it.  When time on
 * another thread reaches the moment it ends, that thread stands still until the call has
 * returned and its caller has read the clock: else time would run away under it.
 */
#ifndef DRILL_PLUG_PLUG_H
#define DRILL_PLUG_PLUG_H

#include "drill/plug/interface.h"

#include <pthread.h>
#include <stdbool.h>

#include <lastack/socket.h>

#define PLUG_FDS_MAX 65536
#define PLUG_START_US 1000000000LL

struct plug_packet {
    struct plug_packet *next;
    uint64_t at_ns;
    uint32_t len;
    uint8_t bytes[];
};

/* A call that waits. */
struct plug_waiter {
    struct plug_waiter *next;
    struct la_sock_call call;
    int64_t result;
    bool done;
};

struct plug {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct la_stack *stack;
    struct la_sockets *sockets;
    void *arena;
    uint64_t arena_bytes;
    int iface;
    uint64_t now_ns;
    struct plug_packet *first, **last;
    struct plug_waiter *waiters;
    bool returning; /* a call is done, and its thread has not read the clock yet */
    bool returned;  /* it is back on its way; its next look at the clock is free */
    pthread_t returning_thread;
    uint64_t returning_ns;
    int fds[PLUG_FDS_MAX]; /* by the number handed out: the socket's + 1; 0 = none */
};

/* Under the mutex: take what the stack sends, let waiting calls look again. */
void plug_turn(struct plug *p);
/* The next moment something happens; UINT64_MAX if nothing will. */
uint64_t plug_next(struct plug *p);
/* Let time pass until @until_ns, or until a packet is sent if @to_packet. */
void plug_pass(struct plug *p, uint64_t until_ns, bool to_packet);
/* Make a call that may wait, and wait.  Return: as la_sock_step(). */
int64_t plug_call(struct plug *p, const struct la_sock_call *call);
/* The clock, for who asks. */
uint64_t plug_clock(struct plug *p);

#endif
