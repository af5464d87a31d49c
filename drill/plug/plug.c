/* SPDX-License-Identifier: MIT */
/* plug.c - Virtual time for packetdrill: the clock, the wire, and calls that wait. */
#include "drill/plug/plug.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define TURNS_MAX 100000000
/* Looks at the clock in a row before a look takes a microsecond more, and the most it takes: well
 * below the 4 ms packetdrill allows. */
#define SPINS 1000
#define STEP_US_MAX 500
/* How long, in real time, a thread whose call has ended may take to look at the clock.  packetdrill
 * always looks, however late a busy machine lets it; who never does waits this long for each call. */
#define RETURN_S 10

static la_time now_of(const struct plug *p)
{
    return (la_time){ p->now_ns };
}

static void take_packets(struct plug *p)
{
    struct la_tx out[16];
    uint32_t count;
    while ((count = la_tx(p->stack, now_of(p), out, 16)) > 0)
        for (uint32_t i = 0; i < count; i++) {
            struct plug_packet *q = malloc(sizeof *q + out[i].len_bytes);
            if (q == NULL)
                abort();
            q->next = NULL;
            q->at_ns = p->now_ns;
            q->len = la_tx_copy(&out[i], q->bytes, out[i].len_bytes);
            *p->last = q;
            p->last = &q->next;
        }
}

/* A thread may be on its way out of a call: stand still until it knows what time it is. */
static void let_return(struct plug *p)
{
    struct timespec limit;
    clock_gettime(CLOCK_REALTIME, &limit);
    limit.tv_sec += RETURN_S;
    while (p->returning)
        if (pthread_cond_timedwait(&p->changed, &p->mutex, &limit) != 0)
            p->returning = false; /* it does not look at the clock */
}

void plug_turn(struct plug *p)
{
    la_sockets_turn(p->sockets);
    for (struct plug_waiter **at = &p->waiters; *at != NULL;) {
        struct plug_waiter *w = *at;
        w->result = la_sock_step(p->sockets, &w->call);
        if (w->result == LA_SOCK_PENDING) {
            at = &w->next;
            continue;
        }
        w->done = true;
        *at = w->next;
        p->returning = true;
        p->returned = false;
        p->returning_ns = p->now_ns;
        pthread_cond_broadcast(&p->changed);
        take_packets(p);
        let_return(p);
        at = &p->waiters; /* it may have changed meanwhile */
    }
    take_packets(p);
}

uint64_t plug_next(struct plug *p)
{
    uint64_t next = la_deadline(p->stack).ns;
    const uint64_t sockets = la_sockets_deadline(p->sockets).ns;
    if (sockets < next)
        next = sockets;
    for (const struct plug_waiter *w = p->waiters; w != NULL; w = w->next)
        if (w->call.deadline.ns < next)
            next = w->call.deadline.ns;
    return next;
}

void plug_pass(struct plug *p, uint64_t until_ns, bool to_packet)
{
    for (int turn = 0; turn < TURNS_MAX; turn++) {
        plug_turn(p);
        if (to_packet && p->first != NULL)
            return;
        const uint64_t next = plug_next(p);
        if (next > until_ns) {
            if (p->now_ns < until_ns && until_ns != UINT64_MAX)
                p->now_ns = until_ns;
            return;
        }
        if (next == UINT64_MAX)
            return;
        if (next > p->now_ns)
            p->now_ns = next;
        while (la_tick(p->stack, now_of(p), 64))
            take_packets(p);
    }
    abort(); /* the stack asks to be called for ever */
}

/* On the script's own thread: time passes here until the call is done. */
static int64_t wait_here(struct plug *p, struct la_sock_call *call)
{
    int64_t result = LA_SOCK_PENDING;
    for (int turn = 0; turn < TURNS_MAX; turn++) {
        plug_turn(p);
        result = la_sock_step(p->sockets, call); /* packets to ourselves may have ended it */
        if (result != LA_SOCK_PENDING)
            break;
        uint64_t next = plug_next(p);
        if (call->deadline.ns < next)
            next = call->deadline.ns;
        if (next == UINT64_MAX) {
            fputs("liblastack-packetdrill: a call without an end time waits, and nothing will "
                  "ever end it\n",
                  stderr);
            return -EDEADLK;
        }
        plug_pass(p, next, false);
    }
    plug_turn(p);
    return result;
}

int64_t plug_call(struct plug *p, const struct la_sock_call *call)
{
    struct plug_waiter w = { .call = *call };
    w.result = la_sock_step(p->sockets, &w.call);
    p->spins = 0;
    if (w.result == LA_SOCK_PENDING && pthread_equal(pthread_self(), p->script))
        return wait_here(p, &w.call);
    if (w.result == LA_SOCK_PENDING) {
        struct plug_waiter **at = &p->waiters;
        while (*at != NULL)
            at = &(*at)->next;
        *at = &w;
        take_packets(p);
        while (!w.done)
            pthread_cond_wait(&p->changed, &p->mutex);
        p->returning_thread = pthread_self();
        p->returned = true;
        return w.result;
    }
    plug_turn(p);
    return w.result;
}

uint64_t plug_clock(struct plug *p)
{
    if (p->returning && p->returned && pthread_equal(pthread_self(), p->returning_thread)) {
        p->returning = false;
        pthread_cond_broadcast(&p->changed);
        return p->returning_ns;
    }
    /* Who spins for long has more to wait for than usleep() can be told: it may go faster. */
    const uint64_t step_us = 1 + p->spins++ / SPINS;
    plug_pass(p, p->now_ns + 1000 * (step_us < STEP_US_MAX ? step_us : STEP_US_MAX), false);
    return p->now_ns;
}
