/* SPDX-License-Identifier: MIT */
/*
 * planted_fast_test.c - A fast path with something wrong in it: the shadow must say so.
 *
 * This program brings a tcp_arrives_fast() of its own: the real one, and then the fault that the
 * test asks for.  The core without the fast path, which shadows it, stays as it is.
 */
#include "tests/unit/test.h"

#include "core/tcp/predicates.h"
#include "core/tcp/tcp.h"

enum tcp_fast sound_arrives_fast(struct tcp_arrival *a);
#define tcp_arrives_fast sound_arrives_fast
#include "core/tcp/arrives_fast.c"
#undef tcp_arrives_fast

#include "sim/check/shadow.h"
#include "sim/runner.h"
#include "tests/unit/hand.h"

enum fault {
    NO_FAULT,
    OLD_TIMESTAMP,
    WINDOW_KEPT,
    TEXT_TWICE,
    TEXT_CHANGED,
    MISCOUNTED,
    NOT_WOKEN,
    TIMER_MOVED,
};
static enum fault fault;
static uint32_t taken;

enum tcp_fast tcp_arrives_fast(struct tcp_arrival *a)
{
    const tcp_seq wl1 = a->c->snd.wl1;
    const uint32_t ts_recent = a->c->ts_recent;
    struct tcp_conn *c = a->c;

    const enum tcp_fast done = sound_arrives_fast(a);
    if (done != TCP_FAST_TAKEN)
        return done;
    taken++;
    switch (fault) {
    case NO_FAULT:
        break;
    case OLD_TIMESTAMP:
        c->ts_recent = ts_recent;
        break;
    case WINDOW_KEPT:
        c->snd.wl1 = wl1;
        break;
    case TEXT_TWICE:
        if (a->len > 0)
            c->bytes_received += a->len;
        break;
    case TEXT_CHANGED:
        if (c->rcvq.head != SLAB_NONE) {
            struct chunk *k = chunk_at(&a->t->env.chunks, a->t, c->rcvq.head);
            k->bytes[k->start] ^= 1;
        }
        break;
    case MISCOUNTED:
        env_count(&a->t->env, LA_COUNT_InErrs);
        break;
    case NOT_WOKEN:
        conn_unready(a->t, a->ci);
        break;
    case TIMER_MOVED:
        c->deadline[TCP_DL_RTX].ns--;
        break;
    }
    return done;
}

/* A transfer both ways through the simulator, where one burst in a few is shadowed. */
static void run(enum fault planted, struct sim_result *result)
{
    fault = planted;
    taken = 0;
    sim_run(sim_scenario_find("bulk_both_ways"), 1, NULL, result);
    fault = NO_FAULT;
}

static void is_noticed(enum fault planted)
{
    struct sim_result result;

    run(planted, &result);

    assert_false(result.ok);
    if (strstr(result.message, "without the fast path") == NULL)
        fail_msg("\"%s\" does not come from the shadow", result.message);
}

TEST(a_sound_fast_path_takes_most_of_a_transfer_and_is_let_pass)
{
    struct sim_result result;

    run(NO_FAULT, &result);

    if (!result.ok)
        fail_msg("%s", result.message);
    if (taken < result.packets / 2)
        fail_msg("%u of %u packets", taken, (unsigned)result.packets);
}

TEST(a_time_stamp_that_is_not_taken_is_noticed)
{
    is_noticed(OLD_TIMESTAMP);
}

TEST(a_window_that_is_not_marked_is_noticed)
{
    is_noticed(WINDOW_KEPT);
}

TEST(bytes_that_are_counted_twice_are_noticed)
{
    is_noticed(TEXT_TWICE);
}

TEST(a_counter_that_is_off_is_noticed)
{
    is_noticed(MISCOUNTED);
}

TEST(an_event_that_is_not_told_is_noticed)
{
    is_noticed(NOT_WOKEN);
}

TEST(a_timer_that_is_off_by_a_nanosecond_is_noticed)
{
    is_noticed(TIMER_MOVED);
}

/* Straight through shadow_rx(): a segment of four bytes, on a connection of its own. */
static const char *shadow_one(struct hand *h, shadow_rx_fn *other)
{
    static const uint8_t text[] = { 1, 2, 3, 4 };
    uint8_t packet[100];
    struct tcp_seg seg = {
        .src_port = h->rport,
        .dst_port = h->lport,
        .seq = seq_add(h->irs, 1),
        .ack = seq_add(h->iss, 1),
        .flags = TCP_ACK,
        .wnd = 1000,
        .text = text,
        .len = sizeof(text),
    };
    const struct la_frame frame = {
        .bytes = packet,
        .len_bytes = hand_packet(h->peer, h->us, &seg, packet),
    };

    return shadow_rx(h->s, h->now, &frame, 1, other);
}

/* The core without the fast path forgets the packet's bytes, after it has gone well. */
static void forgetful(struct la_stack *s, la_time now, const struct la_frame *frames,
                      uint32_t count)
{
    nofast_la_rx(s, now, frames, count);
    conn_at(&s->tcp, 0)->bytes_received = 0;
}

/* In a world the reader would notice it before the shadow looks. */
TEST(text_that_is_not_what_came_is_noticed)
{
    struct hand h;

    hand_new(&h, &(struct hand_opt){ .v6 = false });
    hand_establish(&h, NULL);
    fault = TEXT_CHANGED;
    const char *said = shadow_one(&h, nofast_la_rx);
    fault = NO_FAULT;
    assert_non_null(said);
    if (strstr(said, "chunk 0 differs") == NULL)
        fail_msg("%s", said);
    hand_free(&h);
}

TEST(the_message_says_which_record_differs)
{
    struct hand h;

    hand_new(&h, &(struct hand_opt){ .v6 = false });
    hand_establish(&h, NULL);
    assert_null(shadow_one(&h, nofast_la_rx));
    hand_free(&h);
    hand_new(&h, &(struct hand_opt){ .v6 = true });
    hand_establish(&h, NULL);
    const char *said = shadow_one(&h, forgetful);
    assert_non_null(said);
    if (strstr(said, "connection 0 differs") == NULL)
        fail_msg("%s", said);
    hand_free(&h);
}

TEST_MAIN
