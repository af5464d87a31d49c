/* SPDX-License-Identifier: MIT */
/*
 * calls_fuzz.c - The public calls in any order, with handles that are good, stale or made up.
 *
 * Byte 0 chooses the world.  Then each step is a call: opcode, handle, operands.  Judged is
 * what duo.h judges, that a call returns nothing its header does not list, that a
 * handle which names nothing is always refused, and that a refused call changes nothing.
 */
#include "tests/fuzz/choices.h"
#include "tests/fuzz/duo.h"

#define STEPS_MAX 500u

/* A set of errors, as bits of their negated values. */
#define E(name) (UINT32_C(1) << -LA_##name)

static void listed(int64_t result, uint32_t errors)
{
    if (result < 0)
        LA_ASSERT(result > -32 && (errors >> -result & 1) != 0);
}

/* A handle: mostly one that was given once, sometimes one that never was. */
struct named {
    la_conn_id id;
    struct duo_held *held; /* NULL: made up */
    bool live;
};

static struct named pick(struct duo *d, struct input *in, int side)
{
    const uint8_t a = u8(in);
    struct named n = { .held = &d->held[side][a & 7u] };
    const struct tcp *t = &d->s[side]->tcp;

    n.id = n.held->id;
    switch (a >> 3 & 15) {
    case 0:
        n.id.bits ^= UINT64_C(1) << (u8(in) & 63u);
        break;
    case 1:
        n.id.bits = (uint64_t)u16(in) << 32 | u8(in);
        break;
    case 2:
        n.id.bits = d->held[1 - side][a & 7u].id.bits; /* the other stack's */
        break;
    case 3:
        n.id.bits = d->listener[side][0].bits;
        break;
    default:
        break;
    }
    const uint32_t ci = slab_find(&t->conns, t, n.id.bits);
    n.live = ci != SLAB_NONE && conn_at(t, ci)->held;
    for (uint32_t i = 0; n.live && n.id.bits != n.held->id.bits && i < DUO_HELD; i++)
        if (d->held[side][i].id.bits == n.id.bits)
            n.held = &d->held[side][i];
    LA_ASSERT(!n.live || n.held->id.bits == n.id.bits);
    return n;
}

/* A dead handle is refused by every call, and nothing changes. */
static void refused(struct duo *d, int side, la_conn_id id, uint64_t hash)
{
    struct la_span spans[1];
    struct la_cspan cspans[1];
    struct la_conn_info info;
    uint64_t value;
    uint32_t count;
    uint8_t byte = 0;
    struct la_stack *s = d->s[side];

    LA_ASSERT(la_send(s, d->now, id, &byte, 1, 0) == LA_EBADHANDLE);
    LA_ASSERT(la_recv(s, d->now, id, &byte, 1) == LA_EBADHANDLE);
    LA_ASSERT(la_send_reserve(s, d->now, id, 1, spans, 1, &count) == LA_EBADHANDLE);
    LA_ASSERT(la_send_commit(s, d->now, id, 0, 0) == LA_EBADHANDLE);
    LA_ASSERT(la_recv_peek(s, d->now, id, cspans, 1, &count) == LA_EBADHANDLE);
    LA_ASSERT(la_recv_consume(s, d->now, id, 0) == LA_EBADHANDLE);
    LA_ASSERT(la_shutdown(s, d->now, id, LA_SHUT_WR) == LA_EBADHANDLE);
    LA_ASSERT(la_close(s, d->now, id) == LA_EBADHANDLE);
    LA_ASSERT(la_abort(s, d->now, id) == LA_EBADHANDLE);
    LA_ASSERT(la_ready(s, id) == 0);
    LA_ASSERT(la_conn_error(s, id, NULL) == LA_EBADHANDLE);
    LA_ASSERT(la_conn_soft_error(s, id) == LA_EBADHANDLE);
    LA_ASSERT(la_set_option(s, d->now, id, LA_OPT_CORK, 1) == LA_EBADHANDLE);
    LA_ASSERT(la_get_option(s, id, LA_OPT_CORK, &value) == LA_EBADHANDLE);
    la_conn_set_user(s, id, 1);
    (void)!la_conn_info(s, id, &info); /* of a released connection it may still tell */
    LA_ASSERT(la_hash(s) == hash);
}

static void open_or_listen(struct duo *d, struct input *in, int side)
{
    const uint8_t a = u8(in), b = u8(in);
    const struct la_addr addrs[] = { { { 0 } },
                                     d->addr[side],
                                     d->addr[1 - side],
                                     d->ghost,
                                     la_addr_v4(224, 0, 0, 1),
                                     la_addr_v4(192, 0, 2, 1),
                                     la_addr_v4(10, 0, 0, 255),
                                     { { 0xff, 2 } } };
    const struct la_endpoint local = { addrs[a & 7u], a & 64 ? 1000 + (b & 3u) : 0 };
    const struct la_endpoint remote = { addrs[a >> 3 & 7u], b & 128 ? 80 : b };
    la_conn_id id;
    uint16_t port;

    if (a & 128) {
        listed(la_port_choose(d->s[side], d->now, local.addr, remote, &port),
               E(EINVAL) | E(EACCES) | E(EADDRNOTAVAIL) | E(EADDRINUSE) | E(ENETUNREACH) |
                   E(ENOBUFS));
    } else {
        const enum la_err err = la_open(d->s[side], d->now, local, remote, b, &id);

        listed(err, E(EINVAL) | E(EACCES) | E(EADDRNOTAVAIL) | E(EADDRINUSE) | E(ENETUNREACH) |
                        E(ENOBUFS));
        if (err == LA_OK)
            duo_hold(d, side, id, b);
    }
}

static void listener_calls(struct duo *d, struct input *in, int side)
{
    const uint8_t a = u8(in);
    la_listener_id *mine = &d->listener[side][a % DUO_LISTENERS];
    const la_listener_id id = a & 8 ? (la_listener_id){ mine->bits ^ (UINT64_C(2) << 32) } : *mine;
    const bool live = slab_find(&d->s[side]->tcp.listeners, d->s[side], id.bits) != SLAB_NONE;
    const struct la_listen_config config = {
        .local = { .addr = a & 64 ? d->addr[side] : (struct la_addr){ { 0 } },
                   .len = a & 64 ? 128 : u8(in) },
        .port = a & 32 ? 80 : u8(in),
        .backlog = u8(in),
        .v6_only = (a & 128) != 0,
    };
    struct la_accepted accepted;
    struct la_listener_info info;
    uint64_t value;
    enum la_err err = LA_OK;

    switch (a >> 4 & 1 ? 0 : u8(in) % 7) {
    case 0:
        if (slab_find(&d->s[side]->tcp.listeners, d->s[side], mine->bits) == SLAB_NONE) {
            err = la_listen(d->s[side], d->now, &config, mine);
            listed(err, E(EINVAL) | E(EADDRINUSE) | E(ENOBUFS));
        }
        return;
    case 1:
    case 2:
        err = la_accept(d->s[side], d->now, id, a, &accepted);
        listed(err, E(EAGAIN) | E(EBADHANDLE));
        if (err == LA_OK)
            duo_hold(d, side, accepted.conn, a);
        break;
    case 3:
        err = la_listener_close(d->s[side], d->now, id);
        break;
    case 4:
        err = la_listener_set_option(d->s[side], id, (enum la_option)(u8(in) % 20), u16(in));
        listed(err, E(EINVAL) | E(ENOPROTOOPT) | E(EBADHANDLE));
        break;
    case 5:
        err = la_listener_get_option(d->s[side], id, (enum la_option)(u8(in) % 20), &value);
        listed(err, E(ENOPROTOOPT) | E(EBADHANDLE));
        break;
    default:
        err = a & 1 ? la_listener_info(d->s[side], id, &info)
                    : la_listener_set_backlog(d->s[side], id, u8(in));
        break;
    }
    LA_ASSERT((err == LA_EBADHANDLE) == !live);
}

static void data_calls(struct duo *d, struct input *in, int side)
{
    const uint8_t a = u8(in);
    const struct named n = pick(d, in, side);
    struct la_stack *s = d->s[side];
    struct la_span spans[3];
    struct la_cspan cspans[3];
    uint32_t count;
    int64_t got;

    if (!n.live) {
        refused(d, side, n.id, la_hash(s));
        return;
    }
    switch (a & 7) {
    case 0:
    case 1:
        got = duo_send(d, side, n.held, u16(in) & 2047u, a >> 3 & 3u);
        listed(got, E(EAGAIN) | E(ENOTCONN) | E(EPIPE) | E(EINVAL) | E(ECONNRESET) |
                        E(ECONNREFUSED) | E(ETIMEDOUT) | E(ECONNABORTED) | E(EHOSTUNREACH) |
                        E(ENETUNREACH));
        break;
    case 2:
    case 3:
        got = duo_recv(d, side, n.held, u16(in) & 4095u);
        listed(got, E(EAGAIN) | E(ENOTCONN) | E(ECONNRESET) | E(ECONNREFUSED) | E(ETIMEDOUT) |
                        E(EPIPE) | E(ECONNABORTED) | E(EHOSTUNREACH) | E(ENETUNREACH));
        break;
    case 4:
        got = la_send_reserve(s, d->now, n.id, u16(in) & 2047u, spans, a >> 3 & 3u, &count);
        for (uint32_t i = 0, at = 0; got > 0 && i < count; i++)
            for (uint32_t k = 0; k < spans[i].len_bytes; k++)
                spans[i].bytes[k] = duo_byte(n.held->sent + at++);
        if (got > 0 && a & 32) {
            const uint32_t part = (uint32_t)got / (1 + (a >> 6));

            LA_ASSERT(la_send_commit(s, d->now, n.id, part, 0) == LA_OK);
            n.held->sent += part;
        }
        break;
    case 5: {
        const uint16_t bytes = u16(in);

        if (la_send_commit(s, d->now, n.id, bytes, 0) == LA_OK && bytes > 0)
            (void)la_abort(s, d->now, n.id); /* what it sent is not the stream */
        break;
    }
    case 6:
        got = la_recv_peek(s, d->now, n.id, cspans, a >> 3 & 3u, &count);
        LA_ASSERT(la_recv_consume(s, d->now, n.id, UINT32_MAX) == LA_EINVAL);
        if (got > 0) {
            const uint32_t len = cspans[0].len_bytes;

            LA_ASSERT(cspans[0].bytes[0] == duo_byte(n.held->received));
            LA_ASSERT(la_recv_consume(s, d->now, n.id, len) == LA_OK);
            n.held->received += len;
        }
        break;
    default:
        listed(la_shutdown(s, d->now, n.id, u8(in)), E(EINVAL) | E(ENOTCONN));
        break;
    }
}

static void read_rings(struct la_stack *s)
{
    struct la_ping_reply r[3];
    struct la_trace t[4];
    uint64_t lost = 0;

    LA_ASSERT(la_ping_read(s, r, 3) <= 3);
    LA_ASSERT(la_trace_read(s, t, 4, &lost) <= 4);
}

static void other_calls(struct duo *d, struct input *in, int side)
{
    const uint8_t a = u8(in);
    const struct named n = pick(d, in, side);
    struct la_stack *s = d->s[side];
    struct la_conn_info info;
    enum la_drop reason;
    uint64_t value = 0;
    uint32_t counts[LA_STATES];
    enum la_err err;

    switch (a & 15) {
    case 0:
    case 1:
        LA_ASSERT((la_close(s, d->now, n.id) == LA_OK) == n.live);
        LA_ASSERT(la_close(s, d->now, n.id) == LA_EBADHANDLE);
        break;
    case 2:
        LA_ASSERT((la_abort(s, d->now, n.id) == LA_OK) == n.live);
        LA_ASSERT(la_abort(s, d->now, n.id) == LA_EBADHANDLE);
        break;
    case 3:
    case 4:
        err = la_set_option(s, d->now, n.id, (enum la_option)(u8(in) % 20),
                            a & 16 ? u8(in) : (uint64_t)u16(in) << 4);
        listed(err, E(EINVAL) | E(EBADHANDLE) | E(ENOPROTOOPT) | E(EISCONN));
        break;
    case 5:
        err = la_get_option(s, n.id, (enum la_option)(u8(in) % 20), &value);
        listed(err, E(EBADHANDLE) | E(ENOPROTOOPT));
        break;
    case 6:
        if (n.live) {
            LA_ASSERT(la_conn_info(s, n.id, &info) == LA_OK);
            LA_ASSERT(info.mask == la_ready(s, n.id));
            LA_ASSERT(info.error == la_conn_error(s, n.id, &reason) && info.reason == reason);
        }
        break;
    case 7:
        (void)la_conn_soft_error(s, n.id);
        break;
    case 8:
        la_conn_set_user(s, n.id, a);
        break;
    case 9:
        duo_events(d, side, u8(in));
        break;
    case 10:
        la_state_counts(s, counts);
        break;
    case 11: {
        const char *name = la_sysctl_name(u8(in) % 40u);

        listed(la_sysctl_set(s, name != NULL ? name : "none", u16(in)), E(EINVAL) | E(ENOENT));
        break;
    }
    case 12:
        listed(la_ping_send(s, d->now, d->addr[1 - side], a, 1, &a, u8(in) & 1u),
               E(EMSGSIZE) | E(ENETUNREACH) | E(EADDRNOTAVAIL) | E(ENOBUFS));
        break;
    default:
        read_rings(s);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len_bytes);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len_bytes)
{
    struct input in = { .at = bytes, .left = (uint32_t)(len_bytes < 4096 ? len_bytes : 4096) };
    struct duo *d = duo_new(u8(&in) & 7u);

    for (uint32_t steps = 0; in.left > 0 && steps < STEPS_MAX; steps++) {
        const uint8_t op = u8(&in);
        const int side = op >> 7;

        switch (op & 7) {
        case 0:
            open_or_listen(d, &in, side);
            break;
        case 1:
            listener_calls(d, &in, side);
            break;
        case 2:
        case 3:
            data_calls(d, &in, side);
            break;
        case 4:
            other_calls(d, &in, side);
            break;
        case 5:
            duo_turn(d);
            break;
        case 6:
            duo_advance(d, (op & 64 ? 100 : 1) * NS_PER_S);
            duo_tick(d, 0, 8);
            duo_tick(d, 1, 8);
            break;
        default:
            (void)duo_take(d, side, (op & 64) == 0);
            break;
        }
        duo_judge(d, side);
    }
    duo_end(d, true);
    return 0;
}
