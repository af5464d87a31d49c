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
 *
 * A call that waits on the thread that began it all has nobody else to move time: it moves it
 * itself, as far as the call lasts.  One that nothing would ever end fails with EDEADLK.
 */
#ifndef DRILL_PLUG_PLUG_H
#define DRILL_PLUG_PLUG_H

#include "drill/plug/interface.h"

#include <pthread.h>
#include <stdbool.h>

#include <lastack/socket.h>

#define PLUG_FDS_MAX 65536
#define PLUG_SETTINGS_MAX 128
#define PLUG_VALUE_BYTES 128
#define PLUG_START_US 1000000000LL

/* What stands behind a number that was handed out: the socket's + 1, or one of these. */
#define PLUG_NONE 0
#define PLUG_PIPE (-1)

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
    pthread_t script; /* the thread of the script's own events */
    uint64_t spins;   /* looks at the clock in a row */
    bool host_sysctls;
    char host_seen[PLUG_SETTINGS_MAX][PLUG_VALUE_BYTES];
    int fds[PLUG_FDS_MAX]; /* by the number handed out */
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

/* The socket behind a number; -1, which no table holds, if there is none. */
int plug_own(const struct plug *p, int fd);

/* --- pipes (pipes.c): the host's own, beside the sockets ------------------------------------ */

int64_t plug_pipe_make(struct plug *p, int fds[2]);
/* Return: bytes, or a negative errno. */
int64_t plug_splice(struct plug *p, int in, const loff_t *in_at, int out, const loff_t *out_at,
                    size_t len, unsigned flags);

/* --- settings (settings.c) ------------------------------------------------------------------ */

struct plug_wishes {
    struct la_addr local4, local6;
    uint32_t mtu;
};
/* One NAME=VALUE of --so_flags; ends the program if it is none that is known. */
void plug_flag(struct plug *p, struct plug_wishes *w, char *text);
/* Take over what this network namespace's /proc/sys says, if the flags ask for it. */
void plug_host_sysctls(struct plug *p);
_Noreturn void plug_wrong(const char *what, const char *text);

#endif
