/* SPDX-License-Identifier: MIT */
/*
 * snapshot_test.c - The arena as a value: a clone has the same future, the hash sees logical
 * state and nothing else.
 */
#include "core/tcp/pmtu.h"
#include "tests/unit/base_test.h"
#include "tests/unit/hand.h"

static struct hand busy(bool v6, uint64_t start_ns)
{
    struct hand h;

    hand_new(&h, &(struct hand_opt){ .v6 = v6, .iss = 5, .irs = 9, .start_ns = start_ns });
    hand_establish(&h, NULL);
    return h;
}

/* A second arena with a copy of the stack. */
static struct hand clone_of(const struct hand *h)
{
    struct hand k = *h;

    k.mem = arena_map(h->mem_bytes);
    assert_int_equal(la_clone(h->s, k.mem, k.mem_bytes, &k.s), LA_OK);
    k.t = &k.s->tcp;
    return k;
}

/* Clone ------------------------------------------------------------------------------- */

static void random_segment(uint64_t *rng, const struct hand *h, struct tcp_seg *seg)
{
    static const uint8_t flags[] = { TCP_ACK, TCP_ACK, TCP_ACK | TCP_PSH, TCP_ACK | TCP_FIN,
                                     TCP_RST, TCP_SYN, TCP_ACK | TCP_URG, 0 };
    const uint32_t ci = hand_ci(h);
    const struct tcp_conn *c = ci == SLAB_NONE ? NULL : conn_at(h->t, ci);

    *seg = (struct tcp_seg){
        .flags = flags[rng_below(rng, rng_below(rng, 20) ? 4 : 8)],
        .seq = c ? c->rcv.nxt : h->irs,
        .ack = c ? c->snd.nxt : h->iss,
        .len = rng_below(rng, 2) ? rng_below(rng, 1400) : 0,
        .wnd = rng_below(rng, 4) ? 65535 : rng_below(rng, 3000),
    };
    if (rng_below(rng, 3) == 0)
        seg->seq = seq_add(seg->seq, rng_below(rng, 6000) - 1000);
    if (rng_below(rng, 3) == 0)
        seg->ack = seq_sub(seg->ack, rng_below(rng, 4000));
}

static void same_segments(struct hand *h, struct hand *k)
{
    struct la_tx a, b;
    static uint8_t x[2000], y[2000];

    for (;;) {
        const uint32_t n = la_tx(h->s, h->now, &a, 1);

        assert_int_equal(la_tx(k->s, k->now, &b, 1), n);
        if (n == 0)
            return;
        assert_int_equal(a.conn.bits, b.conn.bits);
        assert_int_equal(la_tx_copy(&a, x, sizeof x), la_tx_copy(&b, y, sizeof y));
        assert_memory_equal(x, y, a.len_bytes);
    }
}

static void same_events(struct hand *h, struct hand *k)
{
    struct la_event a[4], b[4];
    const uint32_t n = la_events(h->s, a, 4);

    assert_int_equal(la_events(k->s, b, 4), n);
    for (uint32_t i = 0; i < n; i++) {
        assert_int_equal(a[i].mask, b[i].mask);
        assert_int_equal(a[i].conn.bits, b[i].conn.bits);
        assert_int_equal(a[i].user, b[i].user);
    }
}

static void same_calls(uint64_t *rng, struct hand *h, struct hand *k)
{
    static uint8_t bytes[3000], other[3000];
    const uint32_t n = 1 + rng_below(rng, sizeof bytes - 1);

    switch (rng_below(rng, 12)) {
    case 0:
    case 1:
    case 2:
    case 3:
        for (uint32_t i = 0; i < n; i++)
            bytes[i] = (uint8_t)rng_next(rng);
        assert_int_equal(la_send(h->s, h->now, h->conn, bytes, n, 0),
                         la_send(k->s, k->now, k->conn, bytes, n, 0));
        break;
    case 4:
    case 5:
    case 6:
    case 7: {
        const int64_t got = la_recv(h->s, h->now, h->conn, bytes, n);

        assert_int_equal(la_recv(k->s, k->now, k->conn, other, n), got);
        if (got > 0)
            assert_memory_equal(bytes, other, (size_t)got);
        break;
    }
    case 8:
        assert_int_equal(la_set_option(h->s, h->now, h->conn, LA_OPT_NODELAY, n & 1),
                         la_set_option(k->s, k->now, k->conn, LA_OPT_NODELAY, n & 1));
        break;
    case 9:
        if (rng_below(rng, 40) == 0)
            assert_int_equal(la_close(h->s, h->now, h->conn), la_close(k->s, k->now, k->conn));
        break;
    default:
        hand_wait(h, (uint64_t)n * NS_PER_MS / 10);
        hand_wait(k, (uint64_t)n * NS_PER_MS / 10);
        break;
    }
}

TEST(a_clone_given_the_same_input_sends_the_same_and_stays_equal_at_every_step)
{
    for (uint32_t seed = 1; seed <= 60; seed++) {
        uint64_t rng = seed;
        struct hand h = busy(seed & 1, 0);
        struct hand k = { .s = NULL };
        const uint32_t when = rng_below(&rng, 100);

        for (uint32_t step = 0; step < 300; step++) {
            if (step == when)
                k = clone_of(&h);
            if (step < when)
                k = h; /* as yet there is one; each call below is made twice on it */
            struct tcp_seg seg;
            random_segment(&rng, &h, &seg);
            if (step < when) {
                hand_rx_seg(&h, &seg);
                hand_drain(&h);
                continue;
            }
            const struct tcp_seg copy = seg;
            hand_rx_seg(&h, &seg);
            seg = copy;
            hand_rx_seg(&k, &seg);
            same_segments(&h, &k);
            same_calls(&rng, &h, &k);
            same_segments(&h, &k);
            same_events(&h, &k);
            assert_true(la_hash(h.s) == la_hash(k.s));
            assert_int_equal(la_deadline(h.s).ns, la_deadline(k.s).ns);
            assert_null(la_check(h.s));
            assert_null(la_check(k.s));
        }
        hand_free(&h);
        hand_free(&k);
    }
}

TEST(what_happens_to_a_clone_does_not_happen_to_the_original)
{
    struct hand h = busy(false, 0);
    struct hand k = clone_of(&h);
    const uint64_t before = la_hash(h.s);

    hand_rx(&k, "RST rcv 1");
    assert_int_equal(hand_state(&k), LA_CLOSED);
    assert_int_equal(hand_state(&h), LA_ESTABLISHED);
    assert_true(la_hash(h.s) == before);
    assert_true(la_hash(k.s) != before);
    hand_free(&h);
    hand_free(&k);
}

TEST(a_clone_is_refused_without_room_without_alignment_and_with_pinned_memory)
{
    struct hand h = busy(false, 0);
    uint8_t *mem = arena_map(h.mem_bytes);
    struct la_stack *out;

    assert_int_equal(la_clone(h.s, mem, h.mem_bytes - 64, &out), LA_ENOMEM);
    assert_int_equal(la_clone(h.s, mem + 1, h.mem_bytes, &out), LA_EINVAL);
    assert_int_equal(la_clone(h.s, NULL, h.mem_bytes, &out), LA_EINVAL);
    h.s->pinned = 1;
    assert_int_equal(la_clone(h.s, mem, h.mem_bytes, &out), LA_EBUSY);
    h.s->pinned = 0;
    assert_int_equal(la_clone(h.s, mem, h.mem_bytes, &out), LA_OK);
    arena_unmap(mem, h.mem_bytes);
    hand_free(&h);
}

TEST(extents_ascend_do_not_overlap_and_lie_within_the_arena)
{
    struct hand h = busy(false, 0);
    struct la_extent e[LA_EXTENTS_MAX];
    const uint32_t n = la_extents(h.s, e);
    uint64_t end = 0;

    assert_in_range(n, 3, LA_EXTENTS_MAX);
    assert_int_equal(e[0].offset_bytes, 0);
    for (uint32_t i = 0; i < n; i++) {
        assert_true(e[i].offset_bytes >= end && e[i].len_bytes > 0);
        end = e[i].offset_bytes + e[i].len_bytes;
    }
    assert_true(end <= h.mem_bytes);
    hand_free(&h);
}

TEST(after_a_trim_a_clone_is_still_a_stack)
{
    struct hand h = busy(false, 0);
    struct hand k;

    assert_int_equal(la_send(h.s, h.now, h.conn, "abc", 3, 0), 3);
    la_trim(h.s, 4096, arena_discard, h.mem);
    k = clone_of(&h);
    assert_null(la_check(k.s));
    assert_true(la_hash(h.s) == la_hash(k.s));
    same_segments(&h, &k);
    hand_free(&h);
    hand_free(&k);
}

/* Hash -------------------------------------------------------------------------------- */

TEST(the_hash_does_not_see_generations_statistics_or_what_is_over)
{
    for (int v6 = 0; v6 < 2; v6++) {
        struct hand h = busy(v6, 0), k;
        struct la_event events[8];
        la_conn_id id;
        const struct la_endpoint any = { .port = 0 };

        hand_new(&k, &(struct hand_opt){ .v6 = v6, .iss = 5, .irs = 9 });
        for (uint32_t i = 0; i < 5; i++) { /* connections that came to nothing */
            assert_int_equal(la_open(k.s, k.now, any, (struct la_endpoint){ k.peer, 99 }, 0, &id),
                             LA_OK);
            hand_drain(&k);
            assert_int_equal(la_abort(k.s, k.now, id), LA_OK);
        }
        hand_establish(&k, NULL);
        assert_true(h.conn.bits != k.conn.bits);
        assert_true(la_counter(h.s, LA_COUNT_OutSegs) != la_counter(k.s, LA_COUNT_OutSegs));
        (void)la_events(h.s, events, 8);
        (void)la_events(k.s, events, 8);
        assert_true(la_hash(h.s) == la_hash(k.s));
        hand_free(&h);
        hand_free(&k);
    }
}

TEST(the_hash_counts_times_from_now)
{
    struct hand h = busy(false, 1000 * NS_PER_S), k = busy(false, 77777 * NS_PER_S);

    assert_int_equal(la_send(h.s, h.now, h.conn, "abc", 3, 0), 3);
    assert_int_equal(la_send(k.s, k.now, k.conn, "abc", 3, 0), 3);
    hand_drain(&h);
    hand_drain(&k);
    assert_true(la_hash(h.s) == la_hash(k.s));
    hand_wait(&h, NS_PER_MS);
    assert_true(la_hash(h.s) != la_hash(k.s)); /* its timer is nearer */
    hand_wait(&k, NS_PER_MS);
    assert_true(la_hash(h.s) == la_hash(k.s));
    hand_free(&h);
    hand_free(&k);
}

TEST(the_hash_counts_the_age_of_a_search_of_the_paths_mtu_and_of_what_is_known_of_it)
{
    struct hand h = busy(false, 1000 * NS_PER_S), k = busy(false, 77777 * NS_PER_S);

    h.t->env.knobs.mtu_probing = k.t->env.knobs.mtu_probing = 1;
    pmtu_black_hole(h.t, hand_ci(&h));
    pmtu_black_hole(k.t, hand_ci(&k));
    assert_true(hand_conn(&h)->mtu_at != hand_conn(&k)->mtu_at);
    assert_true(la_hash(h.s) == la_hash(k.s));
    k.t->pmtu.epoch++; /* there is something new to look at */
    assert_true(la_hash(h.s) != la_hash(k.s));
    hand_free(&h);
    hand_free(&k);
}

/* Changes of logical state, each on a fresh stack. */
static void send_a(struct hand *h)
{
    assert_int_equal(la_send(h->s, h->now, h->conn, "a", 1, 0), 1);
}
static void send_b(struct hand *h)
{
    assert_int_equal(la_send(h->s, h->now, h->conn, "b", 1, 0), 1);
}
static void send_a_and_take(struct hand *h)
{
    send_a(h);
    hand_drain(h);
}
static void text(struct hand *h)
{
    hand_rx(h, "ACK rcv 1 snd 1 len 1 wnd 65535");
    hand_drain(h);
}
static void hole(struct hand *h)
{
    hand_rx(h, "ACK rcv 10 snd 1 len 1 wnd 65535");
    hand_drain(h);
}
static void hole_elsewhere(struct hand *h)
{
    hand_rx(h, "ACK rcv 11 snd 1 len 1 wnd 65535");
    hand_drain(h);
}
static void hole_of_other_bytes(struct hand *h)
{
    struct tcp_seg seg = { .flags = TCP_ACK,
                           .seq = seq_add(h->irs, 10),
                           .ack = seq_add(h->iss, 1),
                           .wnd = 65535,
                           .len = 1,
                           .text = (const uint8_t *)"~" };

    hand_rx_seg(h, &seg);
    hand_drain(h);
}
static void reply_waits(struct hand *h)
{
    hand_rx(h, "ACK rcv 10 snd 1 len 1 wnd 65535");
}
static void window(struct hand *h)
{
    hand_rx(h, "ACK rcv 1 snd 1 wnd 65534");
}
static void nodelay(struct hand *h)
{
    assert_int_equal(la_set_option(h->s, h->now, h->conn, LA_OPT_NODELAY, 1), LA_OK);
    hand_drain(h);
}
static void rcvbuf(struct hand *h)
{
    assert_int_equal(la_set_option(h->s, h->now, h->conn, LA_OPT_RCVBUF, 5000), LA_OK);
}
static void ttl(struct hand *h)
{
    assert_int_equal(la_set_option(h->s, h->now, h->conn, LA_OPT_TTL, 3), LA_OK);
}
static void keepcnt(struct hand *h)
{
    assert_int_equal(la_set_option(h->s, h->now, h->conn, LA_OPT_KEEPCNT, 3), LA_OK);
}
static void shut_rd(struct hand *h)
{
    assert_int_equal(la_shutdown(h->s, h->now, h->conn, LA_SHUT_RD), LA_OK);
}
static void shut_wr(struct hand *h)
{
    assert_int_equal(la_shutdown(h->s, h->now, h->conn, LA_SHUT_WR), LA_OK);
}
static void close_it(struct hand *h)
{
    assert_int_equal(la_close(h->s, h->now, h->conn), LA_OK);
}
static void user(struct hand *h)
{
    la_conn_set_user(h->s, h->conn, 1234);
}
static void challenged(struct hand *h)
{
    hand_rx(h, "RST rcv 5"); /* the next one within half a second will be withheld */
    hand_drain(h);
}
static void listens(struct hand *h)
{
    h->lport = 81;
    hand_listen(h);
}
static void listens_with_option(struct hand *h)
{
    listens(h);
    assert_int_equal(la_listener_set_option(h->s, h->listener, LA_OPT_TTL, 9), LA_OK);
}
static void half_open_one(struct hand *h)
{
    listens(h);
    hand_rx(h, "SYN rcv 0 wnd 1000");
    hand_drain(h);
}
static void half_open_other(struct hand *h)
{
    listens(h);
    hand_rx(h, "SYN rcv 1 wnd 1000");
    hand_drain(h);
}
static void time_waits(struct hand *h)
{
    close_it(h);
    hand_drain(h);
    hand_rx(h, "FIN ACK rcv 1 snd 2 wnd 1000");
    hand_drain(h);
}
static void fin_waits(struct hand *h)
{
    close_it(h);
    hand_drain(h);
    hand_rx(h, "ACK rcv 1 snd 2 wnd 1000");
}
static void knob(struct hand *h)
{
    assert_int_equal(la_sysctl_set(h->s, "net.lastack.tcp_msl_ms", 1), LA_OK);
}
static void nothing(struct hand *h)
{
    (void)h;
}

TEST(the_hash_tells_every_two_different_states_apart)
{
    static void (*const change[])(struct hand *) = {
        nothing,
        send_a,
        send_b,
        send_a_and_take,
        text,
        hole,
        hole_elsewhere,
        hole_of_other_bytes,
        reply_waits,
        window,
        nodelay,
        rcvbuf,
        ttl,
        keepcnt,
        shut_rd,
        shut_wr,
        close_it,
        user,
        challenged,
        listens,
        half_open_one,
        half_open_other,
        time_waits,
        fin_waits,
        listens_with_option,
        knob,
    };
    uint64_t hash[LA_COUNT_OF(change)];

    for (uint32_t i = 0; i < LA_COUNT_OF(change); i++) {
        struct hand h = busy(false, 0);

        change[i](&h);
        hash[i] = la_hash(h.s);
        for (uint32_t k = 0; k < i; k++)
            if (hash[i] == hash[k])
                fail_msg("changes %u and %u hash alike", k, i);
        hand_free(&h);
    }
}

TEST_MAIN
