/* SPDX-License-Identifier: MIT */
/*
 * check_test.c - la_check() finds each invariant that is broken: each is broken by hand, on a
 * stack that has one of everything.
 */
#include "tests/unit/base_test.h"
#include "tests/unit/hand.h"

/* Slots of the stack below. */
struct town {
    struct hand h;
    uint32_t plain;             /* ESTABLISHED, bytes in flight, bytes unread, a hole */
    uint32_t second;            /* ESTABLISHED, idle */
    uint32_t waits;             /* in the accept queue */
    uint32_t half[2], brief[2]; /* references, in order */
};

static uint32_t look(const struct hand *h, uint16_t lport, uint16_t rport)
{
    const struct tcp_flow f = { h->us, h->peer, lport, rport };

    return tcp_lookup(h->t, &f, tcp_hash(h->t, &f)).value;
}

static void time_wait(struct hand *h, uint16_t rport)
{
    h->rport = rport;
    hand_establish(h, NULL);
    assert_int_equal(la_close(h->s, h->now, h->conn), LA_OK);
    hand_drain(h);
    hand_rx(h, "FIN ACK rcv 1 snd 2 wnd 1000");
    hand_drain(h);
    hand_wait(h, NS_PER_MS);
}

static struct town build(bool v6)
{
    struct town t;
    struct hand *h = &t.h;
    struct la_event events[8];

    hand_new(h, &(struct hand_opt){ .v6 = v6 });
    time_wait(h, 7000);
    time_wait(h, 7001);
    t.brief[0] = look(h, 80, 7000);
    t.brief[1] = look(h, 80, 7001);
    h->rport = 5001;
    hand_establish(h, NULL);
    t.second = hand_ci(h);
    h->rport = 5000;
    hand_establish(h, NULL);
    t.plain = hand_ci(h);
    assert_int_equal(la_send(h->s, h->now, h->conn, "abcdef", 6, 0), 6);
    hand_rx(h, "ACK rcv 1 snd 1 len 3 wnd 65535");
    hand_rx(h, "ACK rcv 10 snd 1 len 3 wnd 65535");
    hand_rx(h, "ACK rcv 20 snd 1 len 3 wnd 65535");
    hand_drain(h);
    h->lport = 81;
    hand_listen(h);
    for (h->rport = 6000; h->rport < 6003; h->rport++) {
        hand_rx(h, "SYN rcv 0 wnd 1000");
        hand_wait(h, NS_PER_MS);
    }
    t.half[0] = look(h, 81, 6000);
    t.half[1] = look(h, 81, 6001);
    h->rport = 6002;
    h->iss = half_at(h->t, look(h, 81, 6002))->iss;
    hand_rx(h, "ACK rcv 1 snd 1 wnd 1000");
    t.waits = look(h, 81, 6002);
    hand_drain(h);
    while (la_events(h->s, events, 8) > 0)
        continue;
    assert_null(la_check(h->s));
    return t;
}

static struct tcp_conn *plain(const struct town *t)
{
    return conn_at(t->h.t, t->plain);
}
static struct tcp_conn *second(const struct town *t)
{
    return conn_at(t->h.t, t->second);
}
static struct tcp_conn *waits(const struct town *t)
{
    return conn_at(t->h.t, t->waits);
}
static struct tcp_listener *listener(const struct town *t)
{
    return listener_at(t->h.t, 0);
}

/* One hand for each invariant ------------------------------------------------------------ */

static void state_none(struct town *t)
{
    plain(t)->state = LA_TIME_WAIT;
}
static void state_beyond(struct town *t)
{
    plain(t)->state = LA_STATES;
}
static void una(struct town *t)
{
    plain(t)->snd.una = seq_add(plain(t)->snd.nxt, 1);
}
static void rtx(struct town *t)
{
    plain(t)->snd.rtx = seq_add(plain(t)->snd.nxt, 1);
}
static void adv(struct town *t)
{
    plain(t)->rcv.adv = seq_sub(plain(t)->rcv.nxt, 1);
}
static void flight(struct town *t)
{
    plain(t)->snd.nxt = seq_add(plain(t)->snd.nxt, 100);
}
static void cwnd(struct town *t)
{
    plain(t)->cwnd = plain(t)->snd_mss - 1u;
}
static void fin_unasked(struct town *t)
{
    plain(t)->fin_sent = true;
}
static void fin_uncounted(struct town *t)
{
    plain(t)->fin_queued = plain(t)->fin_sent = true;
}
static void no_timer(struct town *t)
{
    plain(t)->deadline[TCP_DL_RTX] = LA_TIME_NEVER;
}
static void hash(struct town *t)
{
    plain(t)->hash ^= 1u << 31; /* the same bucket, another hash */
}
static void out_of_index(struct town *t)
{
    struct tcp *s = t->h.t;

    index_remove(&s->index, s, second(t)->hash,
                 (struct index_entry){ .type = INDEX_CONN, .value = t->second });
}
static void closed_in_index(struct town *t)
{
    second(t)->state = LA_CLOSED;
}
static void nobody_holds(struct town *t)
{
    struct tcp *s = t->h.t;

    out_of_index(t);
    second(t)->state = LA_CLOSED;
    second(t)->held = false;
    tcp_timers_off(s, t->second);
}
static void orphan(struct town *t)
{
    second(t)->state = LA_FIN_WAIT_2;
    second(t)->held = false;
}
static void both_held_and_queued(struct town *t)
{
    waits(t)->held = true;
}
static void node_late(struct town *t)
{
    plain(t)->deadline[TCP_DL_CORK] = (la_time){ 1 };
}
static void node_elsewhere(struct town *t)
{
    plain(t)->node_at.ns--;
}
static void send_queue(struct town *t)
{
    plain(t)->sndq.len_bytes += 5;
}
static void receive_queue(struct town *t)
{
    plain(t)->rcvq.len_bytes += 1;
}
static void untold(struct town *t)
{
    second(t)->mask = 0;
}
static void tx_lost(struct town *t)
{
    plain(t)->on_tx = true;
}
static void tx_foreign(struct town *t)
{
    tcp_output_wake(t->h.t, t->plain);
    plain(t)->on_tx = false;
}
static void ready_lost(struct town *t)
{
    plain(t)->on_ready = true;
}
static void ready_foreign(struct town *t)
{
    conn_ready(t->h.t, t->plain, true);
    plain(t)->on_ready = false;
}
static void starved_lost(struct town *t)
{
    plain(t)->starved = true;
}
static void starved_foreign(struct town *t)
{
    conn_starve(t->h.t, t->plain);
    plain(t)->starved = false;
}
static void listener_lost(struct town *t)
{
    listener(t)->on_ready = true;
}
static void listener_foreign(struct town *t)
{
    listener_ready(t->h.t, 0);
    listener(t)->on_ready = false;
}
static void accept_foreign(struct town *t)
{
    listener(t)->accept_head = t->plain;
}
static void accept_short(struct town *t)
{
    listener(t)->accept_len++;
}
static void accept_untold(struct town *t)
{
    listener(t)->mask = 0;
}
static void half_miscounted(struct town *t)
{
    listener(t)->half_len++;
}
static void half_not_indexed(struct town *t)
{
    struct tcp_half *r = half_at(t->h.t, t->half[0]);

    if (t->h.v6)
        r->tuple.v6->rport ^= 1;
    else
        r->tuple.v4.rport ^= 1;
}
static void half_disordered(struct town *t)
{
    half_at(t->h.t, t->half[1])->expires.ns = 5;
}
static void half_older(struct town *t)
{
    listener(t)->young_len--;
}
static void half_in_no_list(struct town *t)
{
    half_unlink(t->h.t, 0, t->half[0]);
}
static void short_not_indexed(struct town *t)
{
    struct tcp *s = t->h.t;
    const struct tcp_flow f = { t->h.us, t->h.peer, 80, 7000 };

    index_remove(&s->index, s, tcp_hash(s, &f),
                 (struct index_entry){ .type = INDEX_SHORT, .value = t->brief[0] });
}
static void short_disordered(struct town *t)
{
    short_at(t->h.t, t->brief[1])->expires.ns = 5;
}
static void short_in_no_list(struct town *t)
{
    short_unlink(t->h.t, short_at(t->h.t, t->brief[0])->class, t->brief[0]);
}
static void short_parked_for_nobody(struct town *t)
{
    short_at(t->h.t, t->brief[0])->flags |= TCP_SHORT_PARKED;
}
static void half_lost_its_parked(struct town *t)
{
    half_at(t->h.t, t->half[0])->flags |= TCP_HALF_PARKS;
}
static void conn_lost_its_parked(struct town *t)
{
    plain(t)->parks = true;
}
static void chunk_of_nobody(struct town *t)
{
    (void)chunks_take(&t->h.t->env.chunks, t->h.t, CHUNKS_ORDINARY);
}
static void slab_broken(struct town *t)
{
    t->h.t->conns.used++;
}
static void index_broken(struct town *t)
{
    t->h.t->index.entries++;
}
static void wheel_broken(struct town *t)
{
    t->h.t->wheel.armed++;
}
static void ranges_touch(struct town *t)
{
    plain(t)->rcv.nxt = seq_add(plain(t)->rcv.nxt, 30);
}
static void orphans_miscounted(struct town *t)
{
    t->h.t->orphans++;
}
static void orphan_unmarked(struct town *t)
{
    second(t)->orphan = true;
}
static void starved_unheld(struct town *t)
{
    waits(t)->starved = true;
}
static void paced_without_timer(struct town *t)
{
    struct tcp_conn *c = plain(t);

    c->pace_hold = c->want_rtx = true;
    c->pace_at =
        (uint32_t)(t->h.t->env.now.ns >> TCP_PACE_SHIFT); /* it may go now, and nothing looks */
}
static void half_due_elsewhere(struct town *t)
{
    t->h.t->half_due.stale = false;
    t->h.t->half_due.at.ns++;
}
static void short_due_elsewhere(struct town *t)
{
    t->h.t->short_due.stale = false;
    t->h.t->short_due.at.ns++;
}

static const struct {
    void (*breaks)(struct town *);
    const char *sentence; /* NULL: some sentence of the part's own check */
} broken[] = {
    { state_none, "a full connection is in a state that has none" },
    { state_beyond, "a full connection is in a state that has none" },
    { una, "SND.UNA is beyond SND.NXT" },
    { rtx, "the next retransmission lies outside what is in flight" },
    { adv, "RCV.NXT is beyond the window that was advertised" },
    { flight, "more is in flight than the send queue holds" },
    { cwnd, "the congestion window is below one segment" },
    { fin_unasked, "a FIN was sent that nobody asked for" },
    { fin_uncounted, "a FIN that was sent is not counted in SND.NXT" },
    { no_timer, "something is in flight and no timer would notice its loss" },
    { ranges_touch, "out-of-order ranges touch, overlap or are unsorted" },
    { hash, NULL },
    { out_of_index, "an open connection is not in the index" },
    { closed_in_index, "a closed connection is in the index" },
    { nobody_holds, "a closed connection that nobody holds was not released" },
    { orphan, "an orphan in FIN-WAIT-2 is not a short record" },
    { both_held_and_queued, "an accepted connection is still in an accept queue" },
    { node_late, "a deadline is earlier than the wheel's node" },
    { node_elsewhere, "a connection knows another place of its node than the wheel" },
    { send_queue, "a send queue is broken" },
    { receive_queue, "a receive queue is broken" },
    { untold, "a connection became ready and no event tells it" },
    { tx_lost, "the transmit list has lost a connection" },
    { tx_foreign, "the transmit list names what is not on it" },
    { ready_lost, "the ready list has lost a connection" },
    { ready_foreign, "the ready list names what is not on it" },
    { starved_lost, "the list of those that wait for chunks has lost one" },
    { starved_foreign, "the list of those that wait for chunks names what is not on it" },
    { listener_lost, "the ready list of listeners has lost one" },
    { listener_foreign, "the ready list of listeners names what is not on it" },
    { accept_foreign, "an accept queue names what is not in it" },
    { accept_short, "an accept queue is not as long as it says" },
    { accept_untold, "a connection waits to be accepted and no event tells it" },
    { half_miscounted, "listeners count other half-open records than there are" },
    { half_not_indexed, "a half-open record is not in the index" },
    { half_disordered, "half-open records are out of order" },
    { half_older, "listeners count other young or acknowledged records than there are" },
    { half_in_no_list, "a half-open record stands in no list" },
    { short_not_indexed, "a short record is not in the index" },
    { short_disordered, "short records are out of order" },
    { short_in_no_list, "a short record stands in no list" },
    { short_parked_for_nobody, "a short record is parked for an opening that is not there" },
    { half_lost_its_parked, "a half-open record has lost the TIME-WAIT it would give back" },
    { conn_lost_its_parked, "an opening has lost the TIME-WAIT it would give back" },
    { chunk_of_nobody, "a chunk belongs to nobody" },
    { orphans_miscounted, "the number of orphans is wrong" },
    { orphan_unmarked, "a connection is an orphan, or is none, and is not counted so" },
    { starved_unheld, "a connection that nobody holds waits for chunks to send" },
    { paced_without_timer, "a connection that is paced has no timer" },
    { half_due_elsewhere, "the first half-open record to be due is another one" },
    { short_due_elsewhere, "the first short record to be due is another one" },
    { slab_broken, NULL },
    { index_broken, NULL },
    { wheel_broken, NULL },
};

TEST(every_broken_invariant_is_named)
{
    for (int v6 = 0; v6 < 2; v6++)
        for (uint32_t i = 0; i < LA_COUNT_OF(broken); i++) {
            struct town t = build(v6);

            broken[i].breaks(&t);
            const char *said = la_check(t.h.s);
            if (said == NULL)
                fail_msg("nothing was found; expected: %s", broken[i].sentence);
            if (broken[i].sentence != NULL)
                assert_string_equal(said, broken[i].sentence);
            hand_free(&t.h);
        }
}

TEST_MAIN
