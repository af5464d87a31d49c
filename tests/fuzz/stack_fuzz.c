/* SPDX-License-Identifier: MIT */
/*
 * stack_fuzz.c - Whole stacks: the input is a sequence of packets, time steps and calls.
 *
 * Byte 0 chooses the world, byte 1 how far it is brought before the rest begins.  Then each
 * step is an opcode and its operands; an input that ends reads as zeros.  What may never
 * happen is in duo.h; at the end everybody lets go, and every resource must come back.
 */
#include "tests/fuzz/forge.h"

#define STEPS_MAX 400u

/* Packets on the wire -------------------------------------------------------------------- */

static void wire(struct duo *d, struct input *in, int side)
{
    const uint8_t a = u8(in);
    const uint32_t i = d->queued[side] > 0 ? (a >> 2) % d->queued[side] : 0;

    switch (a & 3) {
    case 0:
    case 1:
        duo_deliver(d, side, i, false);
        break;
    case 2:
        duo_deliver(d, side, i, true);
        break;
    case 3: /* lost */
        if (d->queued[side] > 0) {
            d->queued[side]--;
            memmove(&d->wire[side][i], &d->wire[side][i + 1],
                    (d->queued[side] - i) * sizeof d->wire[side][0]);
        }
        break;
    }
}

/* Calls ------------------------------------------------------------------------------------ */

static void open_one(struct duo *d, struct input *in, int side)
{
    const uint8_t a = u8(in);
    const struct la_endpoint local = { .addr = a & 1 ? d->addr[side] : (struct la_addr){ { 0 } },
                                       .port = a & 2 ? (uint16_t)(1000 + (a >> 6)) : 0 };
    const struct la_endpoint remote = { .addr = a & 4 ? d->ghost : d->addr[1 - side],
                                        .port = a & 8 ? (uint16_t)(1000 + (a >> 6)) : 80 };
    la_conn_id id;

    if (la_open(d->s[side], d->now, local, remote, a, &id) == LA_OK)
        duo_hold(d, side, id, a >> 4);
    duo_judge(d, side);
}

static void listen_one(struct duo *d, struct input *in, int side)
{
    const uint8_t a = u8(in);
    la_listener_id *id = &d->listener[side][a % DUO_LISTENERS];
    const struct la_listen_config config = {
        .local = a & 16 ? la_prefix_any() : la_prefix_host(d->addr[side]),
        .port = a & 32 ? 1000 : 80,
        .backlog = a >> 6,
        .user = a,
    };
    la_listener_id fresh;

    if (a & 8) {
        if (la_listener_close(d->s[side], d->now, *id) != LA_OK)
            return; /* stale, as it may be */
    } else if (slab_find(&d->s[side]->tcp.listeners, d->s[side], id->bits) == SLAB_NONE &&
               la_listen(d->s[side], d->now, &config, &fresh) == LA_OK) {
        *id = fresh;
    }
    duo_judge(d, side);
}

static void accept_one(struct duo *d, struct input *in, int side)
{
    const uint8_t a = u8(in);
    struct la_accepted accepted;

    if (la_accept(d->s[side], d->now, d->listener[side][a % DUO_LISTENERS], a, &accepted) == LA_OK)
        duo_hold(d, side, accepted.conn, a >> 4);
    duo_judge(d, side);
}

static void reserve(struct duo *d, struct input *in, int side, struct duo_held *h)
{
    struct la_span spans[4];
    uint32_t count;
    const uint32_t want = u16(in) & 2047u;
    const uint32_t part = u8(in);
    const int64_t n = la_send_reserve(d->s[side], d->now, h->id, want, spans, 1 + part % 4, &count);
    uint32_t at = 0;

    duo_judge(d, side);
    if (n <= 0)
        return;
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t k = 0; k < spans[i].len_bytes; k++)
            spans[i].bytes[k] = duo_byte(h->sent + at++);
    LA_ASSERT(at == n);
    if (part & 128)
        return; /* never committed, or later */
    const uint32_t bytes = (uint32_t)n * (part & 15u) / 15;
    const enum la_err err = la_send_commit(d->s[side], d->now, h->id, bytes, part >> 6 & 1u);
    LA_ASSERT(err == LA_OK);
    h->sent += bytes;
}

static void data(struct duo *d, struct input *in, int side)
{
    const uint8_t a = u8(in);
    struct duo_held *h = &d->held[side][a & 7u];
    struct la_cspan spans[3];
    uint32_t count;

    switch (a >> 3 & 7) {
    case 0:
        (void)duo_send(d, side, h, u16(in) & 4095u, 0);
        break;
    case 1:
        (void)duo_send(d, side, h, u8(in), LA_SEND_MORE);
        break;
    case 2:
    case 3:
        (void)duo_recv(d, side, h, u16(in) & 8191u);
        break;
    case 4:
        reserve(d, in, side, h);
        break;
    case 5: { /* long after the reservation: whatever is sent, it is not the stream's */
        const uint32_t n = u8(in);

        if (la_send_commit(d->s[side], d->now, h->id, n, 0) == LA_OK && n > 0)
            (void)la_abort(d->s[side], d->now, h->id);
        break;
    }
    case 6:
        if (la_recv_peek(d->s[side], d->now, h->id, spans, 1 + (a >> 6) % 3, &count) > 0) {
            const uint32_t n = spans[0].len_bytes;

            LA_ASSERT(spans[0].bytes[n - 1] == duo_byte(h->received + n - 1));
            LA_ASSERT(la_recv_consume(d->s[side], d->now, h->id, n) == LA_OK);
            h->received += n;
        }
        break;
    default:
        (void)duo_send(d, side, h, 1, 0);
        break;
    }
    duo_judge(d, side);
}

static void end_one(struct duo *d, struct input *in, int side)
{
    const uint8_t a = u8(in);
    const la_conn_id id = d->held[side][a & 7u].id;

    switch (a >> 3 & 7) {
    case 0:
    case 1:
        (void)la_close(d->s[side], d->now, id);
        break;
    case 2:
        (void)la_abort(d->s[side], d->now, id);
        break;
    case 3:
    case 4:
        if (la_shutdown(d->s[side], d->now, id, LA_SHUT_WR) == LA_OK)
            break;
        break;
    case 5:
        if (la_shutdown(d->s[side], d->now, id, LA_SHUT_RD) == LA_OK)
            d->held[side][a & 7u].received = 0; /* nothing more is read */
        break;
    default:
        if (la_shutdown(d->s[side], d->now, id, a >> 6) == LA_OK)
            break;
        break;
    }
    duo_judge(d, side);
}

static void tune(struct duo *d, struct input *in, int side)
{
    static const struct {
        enum la_option option;
        uint32_t value;
    } options[] = {
        { LA_OPT_NODELAY, 1 },     { LA_OPT_CORK, 1 },        { LA_OPT_CORK, 0 },
        { LA_OPT_SNDBUF, 2048 },   { LA_OPT_RCVBUF, 1024 },   { LA_OPT_RCVBUF, 65536 },
        { LA_OPT_KEEPALIVE, 1 },   { LA_OPT_KEEPIDLE, 3 },    { LA_OPT_USER_TIMEOUT, 5000 },
        { LA_OPT_LINGER2, 9 },     { LA_OPT_QUICKACK, 1 },    { LA_OPT_NODELAY, 0 },
        { LA_OPT_KEEPALIVE, 0 },   { LA_OPT_SNDBUF, 200000 }, { LA_OPT_LINGER2, 60 },
        { LA_OPT_RCVBUF, 100000 },
    };
    const uint8_t a = u8(in);
    const la_conn_id id = d->held[side][a >> 4 & 7u].id;
    enum la_err err;

    if (a & 128)
        err = la_listener_set_option(d->s[side], d->listener[side][0], options[a & 15].option,
                                     options[a & 15].value);
    else
        err = la_set_option(d->s[side], d->now, id, options[a & 15].option, options[a & 15].value);
    LA_ASSERT(err == LA_OK || err == LA_EBADHANDLE);
    duo_judge(d, side);
}

static void knob(struct duo *d, struct input *in, int side)
{
    const uint8_t a = u8(in);
    const char *name = la_sysctl_name(a & 31u);

    if (name == NULL)
        return;
    const uint64_t values[] = { 0, 1, 2, 5, 100, 1000, 70000, u16(in) };
    const enum la_err err = la_sysctl_set(d->s[side], name, values[a >> 5]);
    LA_ASSERT(err == LA_OK || err == LA_EINVAL);
    duo_judge(d, side);
}

static void ignore(void *context, struct la_extent extent)
{
    struct la_stack *s = context;

    LA_ASSERT(extent.len_bytes > 0);
    memset((uint8_t *)s + extent.offset_bytes, 0, (size_t)extent.len_bytes);
}

static void other(struct duo *d, struct input *in, int side)
{
    const uint8_t a = u8(in);

    switch (a & 7) {
    case 0:
        duo_events(d, side, a >> 4);
        break;
    case 1:
        la_trim(d->s[side], a & 8 ? 4096 : 64, ignore, d->s[side]);
        break;
    case 2:
        (void)!la_ping_send(d->s[side], d->now, d->addr[1 - side], a, 1, &a, 1);
        break;
    case 3:
        (void)!la_iface_set_mtu(d->s[side], 0, 1280u + a);
        break;
    case 4:
        (void)la_hash(d->s[side]);
        break;
    case 5: {
        uint32_t counts[LA_STATES];
        la_state_counts(d->s[side], counts);
        break;
    }
    default:
        duo_turn(d);
        break;
    }
    duo_judge(d, side);
}

static void pass(struct duo *d, struct input *in)
{
    static const uint64_t most[] = { 0,        NS_PER_US,     NS_PER_MS,      40 * NS_PER_MS,
                                     NS_PER_S, 10 * NS_PER_S, 100 * NS_PER_S, UINT64_MAX / 4 };
    const uint8_t a = u8(in);

    if ((a & 7) == 7 && d->now.ns > UINT64_MAX / 16)
        return;
    if (a & 8) /* jump over what is due, as a host that slept does */
        d->now = time_add(d->now, (a & 7) == 7 ? 3600 * NS_PER_S : most[a & 7]);
    else
        duo_advance(d, most[a & 7]);
    duo_tick(d, 0, a >> 4);
    duo_tick(d, 1, a >> 4);
}

/* The run -------------------------------------------------------------------------------------- */

/* Byte 1: how much of the way is walked for the input, so that it need not find it. */
static void prepare(struct duo *d, uint8_t how)
{
    const struct la_listen_config config = { .local = la_prefix_host(d->addr[1]),
                                             .port = 80,
                                             .backlog = 3 };
    const struct la_endpoint any = { .port = 0 };
    const struct la_endpoint to = { .addr = d->addr[1], .port = 80 };
    struct la_accepted accepted;
    la_conn_id id;

    if (how == 0)
        return;
    LA_ASSERT(la_listen(d->s[1], d->now, &config, &d->listener[1][0]) == LA_OK);
    if (how & 1)
        return;
    LA_ASSERT(la_open(d->s[0], d->now, any, to, 1, &id) == LA_OK);
    duo_hold(d, 0, id, 0);
    if (how & 2)
        return;
    duo_turn(d);
    LA_ASSERT(la_accept(d->s[1], d->now, d->listener[1][0], 1, &accepted) == LA_OK);
    duo_hold(d, 1, accepted.conn, 0);
    if (how & 4)
        (void)duo_send(d, 0, &d->held[0][0], 2000, 0);
    if (how & 8)
        (void)duo_send(d, 1, &d->held[1][0], 2000, 0);
    if (how & 16)
        duo_turn(d);
    if (how & 32)
        (void)la_close(d->s[0], d->now, d->held[0][0].id);
    if (how & 64)
        duo_turn(d);
    duo_judge(d, 0);
    duo_judge(d, 1);
}

static void take_some(struct duo *d, int side, uint32_t more)
{
    for (uint32_t i = 0; i <= more; i++)
        (void)duo_take(d, side, true);
}

static void step(struct duo *d, struct input *in)
{
    const uint8_t op = u8(in);
    const int side = op >> 7;

    switch (op & 31) {
    case 0:
    case 1:
    case 2:
    case 3:
        forge_segment(d, in, side);
        break;
    case 4:
    case 5:
    case 6:
        take_some(d, side, op >> 5 & 3u);
        break;
    case 7:
    case 8:
    case 9:
        wire(d, in, side);
        break;
    case 10:
    case 11:
    case 12:
        pass(d, in);
        break;
    case 13:
    case 14:
    case 15:
        data(d, in, side);
        break;
    case 16:
        open_one(d, in, side);
        break;
    case 17:
        listen_one(d, in, side);
        break;
    case 18:
        accept_one(d, in, side);
        break;
    case 19:
    case 20:
        end_one(d, in, side);
        break;
    case 21:
        tune(d, in, side);
        break;
    case 22:
        knob(d, in, side);
        break;
    case 23:
        forge_error(d, in, side);
        break;
    case 24:
        forge_raw(d, in, side);
        break;
    case 25:
    case 26:
    case 27:
        duo_turn(d);
        break;
    case 28:
        duo_events(d, side, 8);
        break;
    default:
        other(d, in, side);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len_bytes);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len_bytes)
{
    struct input in = { .at = bytes, .left = (uint32_t)(len_bytes < 4096 ? len_bytes : 4096) };
    const uint8_t world = u8(&in);
    struct duo *d = duo_new(world & 7u);

    prepare(d, u8(&in));
    for (uint32_t steps = 0; in.left > 0 && steps < STEPS_MAX; steps++)
        step(d, &in);
    duo_end(d, (world & 8) == 0);
    return 0;
}
