/* SPDX-License-Identifier: MIT */
/*
 * pairs.c - Two stacks in every pair of states a loss or a close can leave them in.
 *
 * Each is reached by calls and by losing packets, as in life; nothing is poked in.  There are no
 * time stamps: with them, a forged segment would have one more number to guess, and be dropped
 * for the want of it before anything of interest is tried.
 */
#include "tests/campaign/pairs.h"

#define BUFFER_BYTES 2048u

const char *const pair_names[PAIRS] = {
    "ESTABLISHED, ESTABLISHED", "FIN-WAIT-2, CLOSE-WAIT",    "FIN-WAIT-1, ESTABLISHED",
    "FIN-WAIT-1, FIN-WAIT-1",   "CLOSING, CLOSING",          "FIN-WAIT-2, LAST-ACK",
    "TIME-WAIT, LAST-ACK",      "TIME-WAIT, CLOSED",         "SYN-SENT, LISTEN",
    "SYN-SENT, SYN-RECEIVED",   "ESTABLISHED, SYN-RECEIVED", "SYN-SENT, SYN-SENT",
    "SYN-RECEIVED twice",       "ESTABLISHED, CLOSED",       "zero windows",
};

static void must(bool ok)
{
    LA_ASSERT(ok);
}

/* Put on the wire all that a side has to send, or lose it. */
static void take(struct duo *d, int side, bool keep)
{
    while (duo_take(d, side, keep))
        ;
}

static void carry(struct duo *d, int from)
{
    take(d, from, true);
    while (d->queued[1 - from] > 0)
        duo_deliver(d, 1 - from, 0, false);
}

static void shut(struct duo *d, int side)
{
    must(la_shutdown(d->s[side], d->now, d->held[side][0].id, LA_SHUT_WR) == LA_OK);
}

static void listen_on(struct duo *d, int side)
{
    const struct la_listen_config config = { .local = la_prefix_any(),
                                             .port = PAIR_PORT,
                                             .backlog = 4 };

    must(la_listen(d->s[side], d->now, &config, &d->listener[side][0]) == LA_OK);
}

static void open_from(struct duo *d, int side, uint16_t port, uint16_t to)
{
    const struct la_endpoint local = { d->addr[side], port };
    const struct la_endpoint remote = { d->addr[1 - side], to };
    la_conn_id id;

    must(la_open(d->s[side], d->now, local, remote, 0, &id) == LA_OK);
    duo_hold(d, side, id, 0);
}

static void establish(struct duo *d)
{
    struct la_accepted accepted;

    duo_turn(d);
    must(la_accept(d->s[0], d->now, d->listener[0][0], 0, &accepted) == LA_OK);
    duo_hold(d, 0, accepted.conn, 0);
}

/* Nobody reads, until nobody can send. */
static void fill(struct duo *d)
{
    for (int round = 0; round < 200; round++) {
        for (int side = 0; side < 2; side++)
            (void)duo_send(d, side, &d->held[side][0], 512, 0);
        duo_turn(d);
        d->now.ns += 50000000;
        for (int side = 0; side < 2; side++)
            duo_tick(d, side, 64);
    }
    duo_turn(d);
}

static void close_so(struct duo *d, enum pair pair)
{
    shut(d, 1);
    if (pair == PAIR_FIN_WAIT_1_ESTABLISHED) {
        take(d, 1, false);
        return;
    }
    if (pair == PAIR_FIN_WAIT_1_BOTH || pair == PAIR_CLOSING_BOTH) {
        const bool cross = pair == PAIR_CLOSING_BOTH;
        shut(d, 0);
        take(d, 0, cross);
        take(d, 1, cross);
        for (int side = 0; side < 2 && cross; side++)
            duo_deliver(d, side, 0, false);
        take(d, 0, false);
        take(d, 1, false);
        return;
    }
    duo_turn(d);
    if (pair == PAIR_FIN_WAIT_2_CLOSE_WAIT)
        return;
    shut(d, 0);
    if (pair == PAIR_FIN_WAIT_2_LAST_ACK) {
        take(d, 0, false);
        return;
    }
    carry(d, 0);
    take(d, 1, pair == PAIR_TIME_WAIT_CLOSED);
    duo_turn(d);
}

static void handshake_so(struct duo *d, enum pair pair)
{
    if (pair == PAIR_SYN_SENT_BOTH || pair == PAIR_SIMULTANEOUS_BOTH) {
        const bool cross = pair == PAIR_SIMULTANEOUS_BOTH;
        open_from(d, 1, PAIR_CLIENT_PORT, PAIR_PORT);
        open_from(d, 0, PAIR_PORT, PAIR_CLIENT_PORT);
        take(d, 0, cross);
        take(d, 1, cross);
        for (int side = 0; side < 2 && cross; side++)
            duo_deliver(d, side, 0, false);
        take(d, 0, false);
        take(d, 1, false);
        return;
    }
    listen_on(d, 0);
    open_from(d, 1, PAIR_CLIENT_PORT, PAIR_PORT);
    if (pair == PAIR_SYN_SENT_LISTEN) {
        take(d, 1, false);
    } else if (pair == PAIR_SYN_SENT_SYN_RECEIVED) {
        carry(d, 1);
        take(d, 0, false);
    } else if (pair == PAIR_ESTABLISHED_SYN_RECEIVED) {
        carry(d, 1);
        carry(d, 0);
        take(d, 1, false);
    } else {
        establish(d);
    }
}

/* What is right: by the side itself if it has a connection, else by the other one. */
static void look(const struct duo *d, int side, struct pair_numbers *out)
{
    const struct tcp *t = &d->s[side]->tcp;
    const struct tcp *u = &d->s[1 - side]->tcp;

    *out = (struct pair_numbers){ .wnd = 1000 };
    for (uint32_t ci = 0; ci < u->conns.high; ci++) {
        if (slab_live(&u->conns, u, ci)) {
            out->seq = conn_at(u, ci)->snd.nxt;
            out->ack = conn_at(u, ci)->rcv.nxt;
        }
    }
    for (uint32_t ci = 0; ci < t->conns.high; ci++) {
        if (slab_live(&t->conns, t, ci)) {
            if (conn_at(t, ci)->state != LA_SYN_SENT)
                out->seq = conn_at(t, ci)->rcv.nxt;
            out->ack = conn_at(t, ci)->snd.nxt;
        }
    }
}

struct duo *pair_bring(enum pair pair, uint32_t flags, struct pair_numbers numbers[2])
{
    struct duo *d = duo_new(flags);

    for (int side = 0; side < 2; side++) {
        must(la_sysctl_set(d->s[side], "net.ipv4.tcp_timestamps", 0) == LA_OK);
        if (pair == PAIR_ZERO_WINDOWS)
            must(la_sysctl_set(d->s[side], "net.lastack.tcp_rcvbuf", BUFFER_BYTES) == LA_OK);
    }
    handshake_so(d, pair);
    if (pair == PAIR_ZERO_WINDOWS)
        fill(d);
    else if (pair == PAIR_ESTABLISHED_CLOSED)
        must(la_abort(d->s[0], d->now, d->held[0][0].id) == LA_OK);
    else if (pair >= PAIR_FIN_WAIT_2_CLOSE_WAIT && pair <= PAIR_TIME_WAIT_CLOSED)
        close_so(d, pair);
    if (pair == PAIR_ESTABLISHED_CLOSED)
        take(d, 0, false);
    for (int side = 0; side < 2; side++)
        look(d, side, &numbers[side]);
    return d;
}
