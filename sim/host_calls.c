/* SPDX-License-Identifier: MIT */
/*
 * host_calls.c - Every call on a host's stack, made on its twin as well.
 *
 * The two must answer alike: same values, same handles, same bytes, same deadlines.
 * That is la_clone()'s promise ("the copy goes on exactly as the original would").
 *
 * Apart from that, some bursts are shadowed: see sim/check/shadow.h.
 */
#include <string.h>

#include "sim/check/shadow.h"
#include "sim/host.h"
#include "sim/memory.h"

#define SHADOWED 8u

static void alike(struct sim_host *h, bool equal, const char *call)
{
    if (!equal)
        sim_fail(h->w, "host %s: its clone answers %s differently", h->name, call);
}

/* One burst in SHADOWED goes through the core without the fast path as well, on a clone. */
static void take_burst(struct sim_host *h, const struct la_frame *frames, uint32_t count)
{
    const la_time now = sim_host_now(h);
    const char *differ = NULL;

    h->bursts = sim_mix(h->bursts + 1);
    if (!h->w->plain && (h->bursts >> 32) % SHADOWED == 0)
        differ = shadow_rx(h->stack, now, frames, count, nofast_la_rx);
    else
        la_rx(h->stack, now, frames, count);
    if (differ)
        sim_fail(h->w, "host %s: %s", h->name, differ);
}

void sim_call_rx(struct sim_host *h, const struct la_frame *frames, uint32_t count)
{
    take_burst(h, frames, count);
    if (h->twin.stack)
        la_rx(h->twin.stack, sim_host_now(h), frames, count);
}

static bool same_packet(struct sim_host *h, const struct la_tx *a, const struct la_tx *b)
{
    uint8_t *first = h->twin.bytes;
    uint8_t *second = h->twin.bytes + UINT16_MAX + 1u;

    if (a->conn.bits != b->conn.bits || a->len_bytes != b->len_bytes || a->iface != b->iface ||
        a->flags != b->flags || a->gso_size_bytes != b->gso_size_bytes ||
        a->csum_start != b->csum_start || a->csum_offset != b->csum_offset)
        return false;
    la_tx_copy(a, first, UINT16_MAX + 1u);
    la_tx_copy(b, second, UINT16_MAX + 1u);
    return memcmp(first, second, a->len_bytes) == 0;
}

uint32_t sim_call_tx(struct sim_host *h, uint32_t max)
{
    const uint32_t count = la_tx(h->stack, sim_host_now(h), h->tx, max);

    if (h->twin.stack) {
        alike(h, la_tx(h->twin.stack, sim_host_now(h), h->twin.tx, max) == count, "la_tx()");
        for (uint32_t i = 0; i < count && !h->w->failed; i++)
            alike(h, same_packet(h, &h->tx[i], &h->twin.tx[i]), "la_tx()");
    }
    return count;
}

bool sim_call_tick(struct sim_host *h, uint32_t budget)
{
    const bool more = la_tick(h->stack, sim_host_now(h), budget);

    if (h->twin.stack)
        alike(h, la_tick(h->twin.stack, sim_host_now(h), budget) == more, "la_tick()");
    return more;
}

la_time sim_call_deadline(struct sim_host *h)
{
    const la_time at = la_deadline(h->stack);

    if (h->twin.stack)
        alike(h, la_deadline(h->twin.stack).ns == at.ns, "la_deadline()");
    return at;
}

uint32_t sim_call_events(struct sim_host *h, struct la_event *out, uint32_t max)
{
    const uint32_t count = la_events(h->stack, out, max);
    struct la_event other[LA_RX_BURST_MAX];

    if (!h->twin.stack)
        return count;
    alike(h, la_events(h->twin.stack, other, max) == count, "la_events()");
    for (uint32_t i = 0; i < count && !h->w->failed; i++)
        alike(h,
              out[i].conn.bits == other[i].conn.bits && out[i].kind == other[i].kind &&
                  out[i].mask == other[i].mask && out[i].user == other[i].user &&
                  out[i].reason == other[i].reason,
              "la_events()");
    return count;
}

enum la_err sim_call_open(struct sim_host *h, struct la_endpoint local, struct la_endpoint remote,
                          uint64_t user, la_conn_id *out)
{
    const enum la_err err = la_open(h->stack, sim_host_now(h), local, remote, user, out);
    la_conn_id other = { 0 };

    if (h->twin.stack)
        alike(h,
              la_open(h->twin.stack, sim_host_now(h), local, remote, user, &other) == err &&
                  (err != LA_OK || other.bits == out->bits),
              "la_open()");
    return err;
}

enum la_err sim_call_listen(struct sim_host *h, const struct la_listen_config *config,
                            la_listener_id *out)
{
    const enum la_err err = la_listen(h->stack, sim_host_now(h), config, out);
    la_listener_id other = { 0 };

    if (h->twin.stack)
        alike(h,
              la_listen(h->twin.stack, sim_host_now(h), config, &other) == err &&
                  (err != LA_OK || other.bits == out->bits),
              "la_listen()");
    return err;
}

enum la_err sim_call_unlisten(struct sim_host *h, la_listener_id id)
{
    const enum la_err err = la_listener_close(h->stack, sim_host_now(h), id);

    if (h->twin.stack)
        alike(h, la_listener_close(h->twin.stack, sim_host_now(h), id) == err,
              "la_listener_close()");
    return err;
}

enum la_err sim_call_accept(struct sim_host *h, la_listener_id id, uint64_t user,
                            struct la_accepted *out)
{
    const enum la_err err = la_accept(h->stack, sim_host_now(h), id, user, out);
    struct la_accepted other;

    if (h->twin.stack)
        alike(h,
              la_accept(h->twin.stack, sim_host_now(h), id, user, &other) == err &&
                  (err != LA_OK || other.conn.bits == out->conn.bits),
              "la_accept()");
    return err;
}

void sim_call_set_user(struct sim_host *h, la_conn_id id, uint64_t user)
{
    la_conn_set_user(h->stack, id, user);
    if (h->twin.stack)
        la_conn_set_user(h->twin.stack, id, user);
}

static int64_t send_by_reserve(struct la_stack *s, la_time now, la_conn_id id, const uint8_t *bytes,
                               uint32_t len_bytes, uint32_t flags)
{
    struct la_span spans[4];
    uint32_t count = 0;
    const int64_t room = la_send_reserve(s, now, id, len_bytes, spans, 4, &count);
    uint32_t done = 0;

    if (room <= 0)
        return room;
    for (uint32_t i = 0; i < count && done < len_bytes; i++) {
        const uint32_t left = len_bytes - done;
        const uint32_t take = spans[i].len_bytes < left ? spans[i].len_bytes : left;

        memcpy(spans[i].bytes, bytes + done, take);
        done += take;
    }
    const enum la_err err = la_send_commit(s, now, id, done, flags);

    return err == LA_OK ? (int64_t)done : (int64_t)err;
}

static int64_t send_on(struct la_stack *s, la_time now, la_conn_id id, const uint8_t *bytes,
                       uint32_t len_bytes, uint32_t flags, bool primitives)
{
    return primitives ? send_by_reserve(s, now, id, bytes, len_bytes, flags)
                      : la_send(s, now, id, bytes, len_bytes, flags);
}

int64_t sim_call_send(struct sim_host *h, la_conn_id id, const uint8_t *bytes, uint32_t len_bytes,
                      uint32_t flags, bool primitives)
{
    const la_time now = sim_host_now(h);
    const int64_t sent = send_on(h->stack, now, id, bytes, len_bytes, flags, primitives);

    if (h->twin.stack)
        alike(h, send_on(h->twin.stack, now, id, bytes, len_bytes, flags, primitives) == sent,
              "la_send()");
    return sent;
}

static int64_t recv_by_peek(struct la_stack *s, la_time now, la_conn_id id, uint8_t *bytes,
                            uint32_t len_bytes)
{
    struct la_cspan spans[4];
    uint32_t count = 0;
    const int64_t there = la_recv_peek(s, now, id, spans, 4, &count);
    uint32_t done = 0;

    if (there <= 0)
        return there;
    for (uint32_t i = 0; i < count && done < len_bytes; i++) {
        const uint32_t left = len_bytes - done;
        const uint32_t take = spans[i].len_bytes < left ? spans[i].len_bytes : left;

        memcpy(bytes + done, spans[i].bytes, take);
        done += take;
    }
    const enum la_err err = la_recv_consume(s, now, id, done);

    return err == LA_OK ? (int64_t)done : (int64_t)err;
}

static int64_t recv_on(struct la_stack *s, la_time now, la_conn_id id, uint8_t *bytes,
                       uint32_t len_bytes, bool primitives)
{
    return primitives ? recv_by_peek(s, now, id, bytes, len_bytes)
                      : la_recv(s, now, id, bytes, len_bytes);
}

int64_t sim_call_recv(struct sim_host *h, la_conn_id id, uint8_t *bytes, uint32_t len_bytes,
                      bool primitives)
{
    const la_time now = sim_host_now(h);
    const int64_t got = recv_on(h->stack, now, id, bytes, len_bytes, primitives);

    if (h->twin.stack) {
        const int64_t other = recv_on(h->twin.stack, now, id, h->twin.bytes, len_bytes, primitives);

        alike(h, other == got && (got <= 0 || memcmp(bytes, h->twin.bytes, (size_t)got) == 0),
              "la_recv()");
    }
    return got;
}

enum la_err sim_call_shutdown(struct sim_host *h, la_conn_id id, uint32_t how)
{
    const enum la_err err = la_shutdown(h->stack, sim_host_now(h), id, how);

    if (h->twin.stack)
        alike(h, la_shutdown(h->twin.stack, sim_host_now(h), id, how) == err, "la_shutdown()");
    return err;
}

enum la_err sim_call_close(struct sim_host *h, la_conn_id id)
{
    const enum la_err err = la_close(h->stack, sim_host_now(h), id);

    if (h->twin.stack)
        alike(h, la_close(h->twin.stack, sim_host_now(h), id) == err, "la_close()");
    return err;
}

enum la_err sim_call_abort(struct sim_host *h, la_conn_id id)
{
    const enum la_err err = la_abort(h->stack, sim_host_now(h), id);

    if (h->twin.stack)
        alike(h, la_abort(h->twin.stack, sim_host_now(h), id) == err, "la_abort()");
    return err;
}

enum la_err sim_call_set_option(struct sim_host *h, la_conn_id id, enum la_option option,
                                uint64_t value)
{
    const enum la_err err = la_set_option(h->stack, sim_host_now(h), id, option, value);

    if (h->twin.stack)
        alike(h, la_set_option(h->twin.stack, sim_host_now(h), id, option, value) == err,
              "la_set_option()");
    return err;
}

enum la_err sim_call_sysctl_set(struct sim_host *h, const char *name, uint64_t value)
{
    const enum la_err err = la_sysctl_set(h->stack, name, value);

    if (h->twin.stack)
        alike(h, la_sysctl_set(h->twin.stack, name, value) == err, "la_sysctl_set()");
    return err;
}

uint32_t sim_call_trace(struct sim_host *h, struct la_trace *out, uint32_t max, uint64_t *lost)
{
    const uint32_t count = la_trace_read(h->stack, out, max, lost);

    if (h->twin.stack) {
        struct la_trace other[64];
        uint64_t other_lost = 0;

        alike(h,
              la_trace_read(h->twin.stack, other, max < 64 ? max : 64, &other_lost) == count &&
                  (count == 0 || other[count - 1].at.ns == out[count - 1].at.ns),
              "la_trace_read()");
    }
    return count;
}
