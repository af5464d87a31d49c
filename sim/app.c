/* SPDX-License-Identifier: MIT */
/*
 * app.c - One application: it writes, reads, pauses and closes as its options say.
 *
 * It acts only when an event or its own timer says so, and does all it can then.
 * It also holds the stack to its word: WRITABLE means that a write takes something,
 * READABLE that a read gives something, and a released handle names nothing.
 */
#include <string.h>

#include "sim/check/check.h"
#include "sim/flow.h"

#define CHUNK_BYTES_MAX 65536u
#define CHUNK_BYTES_DEFAULT 4096u

static struct la_stack *stack_of(const struct sim_app *a)
{
    return a->host->stack;
}

static struct sim_app *peer_of(const struct sim_app *a)
{
    return &a->flow->app[1 - a->side];
}

static uint32_t readiness(const struct sim_app *a)
{
    return la_ready(stack_of(a), a->conn);
}

void sim_app_opt_random(struct sim_world *w, struct sim_app_opt *opt, uint32_t pause_us_max)
{
    static const uint32_t sizes[] = { 1, 16, 536, 1460, 4096, 16384, CHUNK_BYTES_MAX };
    const uint32_t count = sizeof sizes / sizeof sizes[0];
    struct sim_prng *rng = &w->rng;

    opt->write_max = sizes[sim_prng_between(rng, 2, count - 1)];
    opt->read_max = sizes[sim_prng_between(rng, 2, count - 1)];
    opt->write_min = sim_prng_permille(rng, 300) ? 1 : opt->write_max;
    opt->read_min = sim_prng_permille(rng, 300) ? 1 : opt->read_max;
    if (sim_prng_permille(rng, 300))
        opt->write_pause_us = (uint32_t)sim_prng_below(rng, pause_us_max + 1u);
    if (sim_prng_permille(rng, 300))
        opt->read_pause_us = (uint32_t)sim_prng_below(rng, pause_us_max + 1u);
    opt->early_write = sim_prng_permille(rng, 300);
    opt->primitives = sim_prng_permille(rng, 400);
    opt->nodelay = sim_prng_permille(rng, 300);
}

static void set_option(struct sim_app *a, enum la_option option, uint64_t value)
{
    const enum la_err err = sim_call_set_option(a->host, a->conn, option, value);

    if (err != LA_OK && err != LA_EBADHANDLE)
        sim_fail(a->host->w, "flow %u.%u: option %u refused with %s", a->flow->index, a->side,
                 (unsigned)option, la_err_name(err));
}

void sim_app_begin(struct sim_app *a, la_conn_id conn)
{
    a->conn = conn;
    a->held = true;
    a->mask = readiness(a);
    if (la_conn_info(stack_of(a), conn, &a->info) != LA_OK)
        sim_fail(a->host->w, "flow %u.%u: no STATUS of a new connection", a->flow->index, a->side);
    if (a->opt.nodelay)
        set_option(a, LA_OPT_NODELAY, 1);
    if (a->opt.sndbuf)
        set_option(a, LA_OPT_SNDBUF, a->opt.sndbuf);
    if (a->opt.rcvbuf)
        set_option(a, LA_OPT_RCVBUF, a->opt.rcvbuf);
    if (a->opt.keepalive) {
        set_option(a, LA_OPT_KEEPIDLE, 5);
        set_option(a, LA_OPT_KEEPINTVL, 1);
        set_option(a, LA_OPT_KEEPCNT, 5);
        set_option(a, LA_OPT_KEEPALIVE, 1);
    }
}

/* Come back at @at_ns. */
static void set_timer(struct sim_app *a, uint64_t at_ns)
{
    if (at_ns >= a->timer_at_ns)
        return;
    a->timer_at_ns = at_ns;
    sim_agenda_add(&a->host->w->agenda, at_ns, SIM_DUE_APP, a->flow->index * 2 + a->side, NULL);
}

static uint64_t after_pause(struct sim_app *a, uint32_t pause_us)
{
    struct sim_world *w = a->host->w;

    if (pause_us == 0)
        return w->now_ns;
    return w->now_ns + sim_us(1 + sim_prng_below(&w->rng, pause_us));
}

/* The timer stands at the earliest pause that is still to end. */
static void plan_wake(struct sim_app *a)
{
    const uint64_t now_ns = a->host->w->now_ns;
    const uint64_t ends[] = { a->write_at_ns, a->read_at_ns, a->close_at_ns };

    for (uint32_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
        if (ends[i] > now_ns && ends[i] != SIM_NEVER)
            set_timer(a, ends[i]);
}

/* The handle is gone; nothing may answer to it any more. */
static void release(struct sim_app *a, enum sim_app_end end)
{
    struct sim_world *w = a->host->w;
    uint8_t byte;

    a->held = false;
    a->released_in_drain = a->host->drain + 1;
    if (a->end == SIM_END_NONE)
        a->end = end;
    a->finished = true;
    a->finished_at_ns = w->now_ns;
    if (readiness(a) != 0 ||
        la_recv(stack_of(a), sim_host_now(a->host), a->conn, &byte, 1) != LA_EBADHANDLE)
        sim_fail(w, "flow %u.%u: a released handle still answers", a->flow->index, a->side);
    if (!peer_of(a)->finished)
        return;
    a->flow->finished_at_ns = w->now_ns;
    w->flows_open--;
}

static void close_now(struct sim_app *a, bool abort_it, enum sim_app_end end)
{
    const enum la_err err =
        abort_it ? sim_call_abort(a->host, a->conn) : sim_call_close(a->host, a->conn);

    if (err != LA_OK)
        sim_fail(a->host->w, "flow %u.%u: closing gave %s", a->flow->index, a->side,
                 la_err_name(err));
    release(a, end);
}

/*
 * A host with its pool above tcp_mem resets what nobody holds: that is no failure of the run.  If the
 * reset is lost, the other end may wait for ever, unless it has keepalive.
 */
static bool evicted(const struct sim_app *a)
{
    const struct sim_app *peer = &a->flow->app[1 - a->side];

    return peer->finished && la_counter(peer->host->stack, LA_COUNT_TCPAbortOnMemory) > 0;
}

bool sim_app_forsaken(struct sim_app *a)
{
    if (!a->held || a->finished || !evicted(a))
        return false;
    close_now(a, true, SIM_END_OWN);
    return true;
}

static void take_error(struct sim_app *a)
{
    struct sim_flow *f = a->flow;

    a->error = la_conn_error(stack_of(a), a->conn, &a->reason);
    sim_check_end(a, SIM_END_ERROR);
    if (!f->opt.may_fail && !(a->error == LA_ECONNRESET && evicted(a)) &&
        !(f->opt.fails_to_open && a->side == 0))
        sim_fail(f->w, "flow %u.%u: ended with %s (%s)", f->index, a->side, la_err_name(a->error),
                 la_drop_name(a->reason));
    if (f->opt.fails_to_open && !a->flow->app[1].finished) {
        a->flow->app[1].finished = true;
        a->flow->app[1].end = SIM_END_OWN;
    }
    close_now(a, false, SIM_END_ERROR);
}

static uint32_t chunk(struct sim_app *a, uint32_t min, uint32_t max)
{
    if (max == 0)
        return (uint32_t)sim_prng_between(&a->host->w->rng, 1, CHUNK_BYTES_DEFAULT);
    if (max > CHUNK_BYTES_MAX)
        max = CHUNK_BYTES_MAX;
    return (uint32_t)sim_prng_between(&a->host->w->rng, min ? min : 1, max);
}

static bool may_write(const struct sim_app *a)
{
    return a->held && !a->shut && a->sent < a->opt.send_bytes &&
           a->host->w->now_ns >= a->write_at_ns && (a->connected || a->opt.early_write);
}

static void write_some(struct sim_app *a)
{
    struct sim_world *w = a->host->w;
    uint8_t bytes[CHUNK_BYTES_MAX];

    while (may_write(a) && !w->failed) {
        const uint64_t left = a->opt.send_bytes - a->sent;
        uint32_t want = chunk(a, a->opt.write_min, a->opt.write_max);

        if (want > left)
            want = (uint32_t)left;
        for (uint32_t i = 0; i < want; i++)
            bytes[i] = sim_pattern(a->flow->index, a->side, a->sent + i);
        const int64_t took = sim_call_send(a->host, a->conn, bytes, want, 0, a->opt.primitives);

        if (took == LA_EAGAIN) {
            if (readiness(a) & LA_WRITABLE)
                sim_fail(w, "flow %u.%u: WRITABLE, yet a write gives EAGAIN", a->flow->index,
                         a->side);
            return;
        }
        if (took <= 0) {
            if (!(readiness(a) & LA_ERROR_SET))
                sim_fail(w, "flow %u.%u: a write gave %s without an error on the connection",
                         a->flow->index, a->side, la_err_name((enum la_err)took));
            return;
        }
        a->sent += (uint64_t)took;
        a->write_at_ns = after_pause(a, a->opt.write_pause_us);
    }
}

static bool may_read(struct sim_app *a)
{
    if (!a->held || !a->connected || a->end != SIM_END_NONE)
        return false;
    if (a->opt.close == SIM_CLOSE_UNREAD)
        return false;
    return a->host->w->now_ns >= a->read_at_ns;
}

static void read_some(struct sim_app *a)
{
    struct sim_world *w = a->host->w;
    uint8_t bytes[CHUNK_BYTES_MAX];

    while (may_read(a) && !w->failed) {
        const uint32_t room = chunk(a, a->opt.read_min, a->opt.read_max);
        const int64_t got = sim_call_recv(a->host, a->conn, bytes, room, a->opt.primitives);

        if (got == LA_EAGAIN) {
            if (readiness(a) & LA_READABLE)
                sim_fail(w, "flow %u.%u: READABLE, yet a read gives EAGAIN", a->flow->index,
                         a->side);
            return;
        }
        if (got < 0) {
            if (!(readiness(a) & LA_ERROR_SET))
                sim_fail(w, "flow %u.%u: a read gave %s without an error on the connection",
                         a->flow->index, a->side, la_err_name((enum la_err)got));
            return;
        }
        if (got == 0) {
            sim_check_end(a, SIM_END_EOF);
            a->end = SIM_END_EOF;
            return;
        }
        sim_check_bytes(a, bytes, (uint32_t)got);
        a->read_at_ns = after_pause(a, a->opt.read_pause_us);
    }
}

/* Is it time to end, but for the delay before it? */
static bool wants_to_close(const struct sim_app *a)
{
    const bool wrote_all = a->sent == a->opt.send_bytes;

    switch (a->opt.close) {
    case SIM_CLOSE_HALF:
        return a->connected && wrote_all && (!a->shut || a->end == SIM_END_EOF);
    case SIM_CLOSE_LAST:
        return wrote_all && a->end == SIM_END_EOF;
    case SIM_CLOSE_FULL:
        return a->connected && wrote_all &&
               (a->end == SIM_END_EOF || a->received == peer_of(a)->opt.send_bytes);
    case SIM_CLOSE_ABORT:
        return a->received > 0 && a->sent + a->received >= a->opt.abort_after_bytes;
    case SIM_CLOSE_UNREAD:
        return a->connected && wrote_all;
    }
    return false;
}

static void close_if_due(struct sim_app *a)
{
    struct sim_world *w = a->host->w;

    if (!a->held || w->failed || !wants_to_close(a))
        return;
    if (a->close_at_ns == SIM_NEVER)
        a->close_at_ns = w->now_ns + sim_us(a->opt.close_delay_us);
    if (w->now_ns < a->close_at_ns)
        return;
    if (a->opt.close == SIM_CLOSE_HALF && !a->shut) {
        a->shut = true;
        if (sim_call_shutdown(a->host, a->conn, LA_SHUT_WR) != LA_OK)
            sim_fail(w, "flow %u.%u: la_shutdown() refused", a->flow->index, a->side);
        if (a->end != SIM_END_EOF)
            return;
    }
    a->shut = true;
    close_now(a, a->opt.close == SIM_CLOSE_ABORT, SIM_END_OWN);
}

void sim_app_run(struct sim_app *a)
{
    struct sim_world *w = a->host->w;

    if (!a->held || w->failed)
        return;
    const uint32_t mask = readiness(a);

    if (mask & LA_ERROR_SET) {
        take_error(a);
        return;
    }
    if ((mask & LA_CONNECTED) && !a->connected) {
        a->connected = true;
        a->connected_at_ns = w->now_ns;
        a->read_at_ns = w->now_ns + sim_us(a->opt.read_after_us);
    }
    write_some(a);
    read_some(a);
    close_if_due(a);
    if (!a->held)
        return;
    a->mask &= readiness(a); /* what our own calls have used up is told by no event */
    plan_wake(a);
}

void sim_app_wake(struct sim_app *a)
{
    if (a->timer_at_ns == a->host->w->now_ns)
        a->timer_at_ns = SIM_NEVER;
    if (!a->held)
        return;
    sim_app_run(a);
    sim_host_turn(a->host);
}
