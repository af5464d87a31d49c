/* SPDX-License-Identifier: MIT */
/*
 * allocations.c - Every allocation in turn fails, once or from then on.
 *
 * The linker puts this file between the core and its tables (--wrap): the Nth request of a run is
 * refused as if the table were full.  A request is one for a record - connection, listener,
 * half-open, short - or a call that may want chunks: arriving packets, text to send.  The run opens, accepts, sends both ways over a
 * wire that loses and reorders, closes, and lets time pass; N goes up until a run has no Nth
 * request.  Whatever fails, calls answer with a named error, la_check() holds after every step,
 * what arrives is what was sent, and at the end every table is empty (duo.h judges).
 */
#include "tests/campaign/campaign.h"
#include "tests/fuzz/duo.h"

#define ROUNDS 60

static uint64_t asked, fails_at;
static bool fails_on;

static bool refused(void)
{
    asked++;
    return asked == fails_at || (fails_on && asked > fails_at);
}

uint32_t __real_slab_take(struct slab *b, void *arena);
uint32_t __wrap_slab_take(struct slab *b, void *arena);
uint32_t __wrap_slab_take(struct slab *b, void *arena)
{
    return refused() ? SLAB_NONE : __real_slab_take(b, arena);
}

/* Who wants chunks looks first how many there are: for one call there are none but those freed. */
static uint32_t empty_pool(struct la_stack *s)
{
    struct slab *pool = &s->tcp.env.chunks.slab;
    const uint32_t cap = pool->cap;

    if (refused())
        pool->cap = pool->used;
    return cap;
}

/* duo.h compares each arrival with and without the fast path; here that would count twice. */
void __wrap_shadow_rx_or_panic(struct la_stack *s, la_time now, const struct la_frame *frames,
                               uint32_t count);
void __wrap_shadow_rx_or_panic(struct la_stack *s, la_time now, const struct la_frame *frames,
                               uint32_t count)
{
    const uint32_t cap = empty_pool(s);

    la_rx(s, now, frames, count);
    s->tcp.env.chunks.slab.cap = cap;
}

int64_t __real_la_send(struct la_stack *s, la_time now, la_conn_id conn, const void *bytes,
                       uint32_t len_bytes, uint32_t flags);
int64_t __wrap_la_send(struct la_stack *s, la_time now, la_conn_id conn, const void *bytes,
                       uint32_t len_bytes, uint32_t flags);
int64_t __wrap_la_send(struct la_stack *s, la_time now, la_conn_id conn, const void *bytes,
                       uint32_t len_bytes, uint32_t flags)
{
    const uint32_t cap = empty_pool(s);
    const int64_t sent = __real_la_send(s, now, conn, bytes, len_bytes, flags);

    s->tcp.env.chunks.slab.cap = cap;
    return sent;
}

/* The errors a full table may be answered with, and what follows when a connection is lost. */
static void expected(int64_t result)
{
    LA_ASSERT(result >= 0 || result == LA_EAGAIN || result == LA_ENOMEM || result == LA_ENOBUFS ||
              result == LA_ENOTCONN || result == LA_EBADHANDLE || result == LA_EPIPE ||
              result == LA_ECONNRESET || result == LA_ECONNREFUSED || result == LA_ETIMEDOUT ||
              result == LA_ECONNABORTED || result == LA_EADDRINUSE);
}

static void listen_and_open(struct duo *d)
{
    const struct la_listen_config config = { .local = la_prefix_any(), .port = 80, .backlog = 4 };
    const struct la_endpoint any = { .addr = d->v6 ? (struct la_addr){ { 0 } }
                                                   : la_addr_v4(0, 0, 0, 0) };
    const struct la_endpoint to = { d->addr[0], 80 };
    la_conn_id id;

    expected(la_listen(d->s[0], d->now, &config, &d->listener[0][0]));
    for (int i = 0; i < 2; i++) {
        const enum la_err err = la_open(d->s[1], d->now, any, to, 0, &id);
        expected(err);
        if (err == LA_OK)
            duo_hold(d, 1, id, (uint32_t)i);
    }
}

/* Deliver in a shuffled order, and lose some. */
static void carry(struct duo *d, uint32_t round)
{
    for (int side = 0; side < 2; side++)
        while (d->queued[1 - side] < DUO_WIRE &&
               duo_take(d, side, (round * 7 + d->packets) % 11 != 3))
            ;
    for (int side = 0; side < 2; side++)
        while (d->queued[side] > 0)
            duo_deliver(d, side, (round * 5 + d->queued[side]) % d->queued[side], false);
}

static void turn(struct duo *d, uint32_t round)
{
    struct la_accepted accepted;

    carry(d, round);
    while (la_accept(d->s[0], d->now, d->listener[0][0], 0, &accepted) == LA_OK)
        duo_hold(d, 0, accepted.conn, 0);
    for (int side = 0; side < 2; side++) {
        for (int i = 0; i < 2; i++) {
            struct duo_held *h = &d->held[side][i];
            if (h->id.bits == 0)
                continue;
            if (round < 20)
                expected(duo_send(d, side, h, 900 + 37 * round, 0));
            expected(duo_recv(d, side, h, round % 3 == 0 ? 100 : 5000));
            if (round == 25 + (uint32_t)i * 5)
                expected(la_shutdown(d->s[side], d->now, h->id, LA_SHUT_WR));
        }
        duo_events(d, side, 8);
        duo_tick(d, side, 8);
    }
    duo_advance(d, 300000000);
}

/* Return: how many allocations the run asked for. */
static uint64_t run(uint32_t flags, uint64_t nth, bool on)
{
    struct duo *d;

    fails_at = 0;
    d = duo_new(flags);
    asked = 0;
    fails_at = nth;
    fails_on = on;
    listen_and_open(d);
    for (uint32_t round = 0; round < ROUNDS; round++)
        turn(d, round);
    const uint64_t count = asked;
    duo_end(d, true); /* all must come back, while allocations still fail */
    fails_at = 0;
    fails_on = false;
    return count;
}

int main(int argc, char **argv)
{
    static const struct {
        uint32_t flags;
        const char *sentence;
    } kinds[] = {
        { 0, "over IPv4" },
        { DUO_V6, "over IPv6" },
        { DUO_V6 | DUO_GSO, "with super-segments" },
        { DUO_TINY, "in the smallest configuration" },
    };
    struct campaign c = campaign_begin("allocations", argc, argv);

    for (unsigned k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
        const uint64_t all = run(kinds[k].flags, 0, false);
        char sentence[160];
        uint64_t nth = 1;

        while (nth <= all && campaign_goes_on(&c, (k + 1) / 4.0, kinds[k].sentence)) {
            (void)run(kinds[k].flags, nth, false);
            (void)run(kinds[k].flags, nth, true);
            c.size += 2;
            nth++;
        }
        snprintf(sentence, sizeof sentence,
                 "each of the first %" PRIu64 " of %" PRIu64 " allocations fails %s, unharmed",
                 nth - 1, all, kinds[k].sentence);
        campaign_result(&c, all > 20 && nth > 1, sentence);
    }
    return campaign_end(&c, "runs with a failed allocation");
}
