/* SPDX-License-Identifier: MIT */
/*
 * reassembly_test.c - Text in any order, against a map that knows of each byte whether it
 * is here.
 *
 * Every byte of the stream is a function of its place, so a byte that ends up elsewhere is
 * seen.  With room for everything the map says exactly what must be kept; with a pool that
 * is short it bounds what may be.
 */
#include "tests/unit/base_test.h"
#include "tests/unit/hand.h"

#define STREAM 60000u

struct model {
    bool here[STREAM];
    uint32_t next;  /* first byte that is missing */
    uint32_t taken; /* read by the application */
};

static const uint32_t origins[] = { 0, 0x7fffffff, 0xffffffff, 0xfffff000 };

static struct hand start(bool v6, uint32_t irs, const struct la_config *config)
{
    struct hand h;

    hand_new(&h, &(struct hand_opt){ .v6 = v6, .irs = irs, .config = config });
    hand_establish(&h, &(struct hand_opt){ .syn = "wnd 65535 mss 1460 sackOK" });
    return h;
}

static void give(struct hand *h, uint32_t first, uint32_t len)
{
    struct tcp_seg seg = { .flags = TCP_ACK,
                           .seq = seq_add(h->irs, 1 + first),
                           .ack = seq_add(h->iss, 1),
                           .wnd = 65535,
                           .len = len };

    hand_rx_seg(h, &seg);
}

static uint32_t received(const struct hand *h)
{
    return seq_diff(h->irs, hand_conn(h)->rcv.nxt) - 1;
}

static void read_some(struct hand *h, struct model *m, uint32_t want)
{
    static uint8_t bytes[STREAM];
    const int64_t n = la_recv(h->s, h->now, h->conn, bytes, want);

    for (int64_t i = 0; i < n; i++)
        assert_int_equal(bytes[i], hand_byte(m->taken + (uint64_t)i));
    if (n > 0)
        m->taken += (uint32_t)n;
}

static uint32_t ranges_of(const struct model *m)
{
    uint32_t n = 0;

    for (uint32_t i = m->next + 1; i < STREAM; i++)
        n += m->here[i] && !m->here[i - 1];
    return n;
}

/* What a segment adds: gap by gap, until one would open a range too many. */
static void model_take(struct model *m, uint32_t first, uint32_t len)
{
    uint32_t i = first < m->next ? m->next : first;
    const uint32_t end = first + len;

    while (i < end) {
        uint32_t stop = i;

        if (m->here[i]) {
            i++;
            continue;
        }
        while (stop < end && !m->here[stop])
            stop++;
        const bool touches = i == m->next || m->here[i - 1] ||
                             (stop < STREAM && m->here[stop] && stop == end) ||
                             (stop < STREAM && m->here[stop]);
        if (!touches && ranges_of(m) == LA_REASSEMBLY_RANGES_MAX)
            return;
        for (; i < stop; i++)
            m->here[i] = true;
        while (m->next < STREAM && m->here[m->next])
            m->next++;
    }
}

static void compare(const struct hand *h, const struct model *m)
{
    const struct tcp_conn *c = hand_conn(h);
    uint32_t above = 0;

    for (uint32_t i = m->next; i < STREAM; i++)
        above += m->here[i];
    assert_int_equal(received(h), m->next);
    assert_int_equal(reassembly_bytes(h->t, c), above);
    assert_int_equal(c->rcvq.len_bytes, m->next - m->taken);
    assert_null(reassembly_check(h->t, c));
}

TEST(random_segments_leave_exactly_the_bytes_of_the_map)
{
    static struct model m;

    for (uint32_t seed = 0; seed < 24; seed++) {
        uint64_t rng = seed;
        struct hand h = start(seed & 1, origins[seed % 4], NULL);

        memset(&m, 0, sizeof m);
        for (uint32_t step = 0; step < 700 && m.next < STREAM - 4000; step++) {
            const uint32_t len = 1 + rng_below(&rng, rng_below(&rng, 3) ? 100 : 1460);
            const uint32_t back = rng_below(&rng, 8) ? 0 : rng_below(&rng, 300);
            const uint32_t ahead = rng_below(&rng, 4) ? rng_below(&rng, 20000) : 0;
            uint32_t first = m.next + ahead;

            first = first > back ? first - back : 0;
            if (first + len > STREAM)
                continue;
            give(&h, first, len);
            model_take(&m, first, len);
            hand_drain(&h);
            compare(&h, &m);
            if (rng_below(&rng, 5) == 0)
                read_some(&h, &m, rng_below(&rng, 5000));
            if (rng_below(&rng, 40) == 0)
                assert_null(la_check(h.s));
        }
        /* what is missing comes at last */
        while (m.next < STREAM) {
            const uint32_t len = STREAM - m.next < 1000 ? STREAM - m.next : 1000;

            give(&h, m.next, len);
            model_take(&m, m.next, len);
            compare(&h, &m);
            read_some(&h, &m, STREAM);
            hand_drain(&h);
        }
        assert_int_equal(m.taken, STREAM);
        assert_int_equal(reassembly_chunks(h.t, hand_conn(&h)), 0);
        assert_int_equal(la_table_use(h.s, LA_TABLE_CHUNKS).used, 0);
        hand_free(&h);
    }
}

TEST(every_order_of_five_overlapping_segments_gives_the_same_stream)
{
    static const uint32_t at[5][2] = { { 0, 10 }, { 8, 10 }, { 18, 5 }, { 30, 10 }, { 20, 15 } };
    static struct model m;
    uint32_t order[5];

    for (uint32_t n = 0; n < 3125; n++) {
        uint32_t k = n, seen = 0;

        for (uint32_t i = 0; i < 5; i++, k /= 5) {
            order[i] = k % 5;
            seen |= 1u << order[i];
        }
        if (seen != 31)
            continue;
        struct hand h = start(n & 1, origins[n % 4], NULL);
        memset(&m, 0, sizeof m);
        for (uint32_t i = 0; i < 5; i++) {
            give(&h, at[order[i]][0], at[order[i]][1]);
            model_take(&m, at[order[i]][0], at[order[i]][1]);
            compare(&h, &m);
        }
        assert_int_equal(m.next, 40);
        read_some(&h, &m, 100);
        assert_int_equal(m.taken, 40);
        hand_free(&h);
    }
}

TEST(a_full_table_takes_what_extends_a_range_and_drops_what_would_open_one)
{
    struct hand h = start(false, 0, NULL);
    static struct model m;

    memset(&m, 0, sizeof m);
    for (uint32_t i = 0; i < LA_REASSEMBLY_RANGES_MAX; i++) {
        give(&h, 100 + 100 * i, 10);
        model_take(&m, 100 + 100 * i, 10);
    }
    compare(&h, &m);
    give(&h, 50000, 10);
    model_take(&m, 50000, 10);
    assert_int_equal(la_drops(h.s, LA_DROP_REASSEMBLY_FULL), 1);
    assert_int_equal(la_counter(h.s, LA_COUNT_TCPOFODrop), 1);
    compare(&h, &m);
    give(&h, 110, 10); /* behind a range */
    model_take(&m, 110, 10);
    give(&h, 190, 10); /* before one */
    model_take(&m, 190, 10);
    compare(&h, &m);
    give(&h, 0, 100); /* and the byte in order, as ever */
    model_take(&m, 0, 100);
    compare(&h, &m);
    assert_int_equal(m.next, 120);
    assert_int_equal(la_drops(h.s, LA_DROP_REASSEMBLY_FULL), 1);
    hand_free(&h);
}

TEST(sack_blocks_come_newest_first_and_as_many_as_asked_for)
{
    struct hand h = start(false, 0xfffffffb, NULL);
    struct tcp_sack_block b[4];

    for (uint32_t i = 1; i <= 5; i++)
        give(&h, 100 * i, 10);
    const struct tcp_conn *c = hand_conn(&h);
    assert_int_equal(reassembly_blocks(h.t, c, b, 4), 4);
    for (uint32_t i = 0; i < 4; i++) {
        assert_int_equal(seq_diff(h.irs, b[i].left), 1 + 100 * (5 - i));
        assert_int_equal(seq_diff(b[i].left, b[i].right), 10);
    }
    give(&h, 200, 4); /* a duplicate makes its range the newest: RFC 2018 4 */
    assert_int_equal(reassembly_blocks(h.t, c, b, 3), 3);
    assert_int_equal(seq_diff(h.irs, b[0].left), 201);
    assert_int_equal(seq_diff(h.irs, b[1].left), 501);
    give(&h, 0, 100);
    give(&h, 110, 500);
    assert_int_equal(reassembly_blocks(h.t, c, b, 4), 0);
    hand_free(&h);
}

TEST(a_duplicate_is_counted_and_changes_nothing)
{
    struct hand h = start(false, 0, NULL);
    static struct model m;

    memset(&m, 0, sizeof m);
    give(&h, 100, 50);
    model_take(&m, 100, 50);
    give(&h, 110, 20);
    assert_int_equal(la_counter(h.s, LA_COUNT_TCPOFOMerge), 1);
    assert_int_equal(la_counter(h.s, LA_COUNT_TCPOFOQueue), 1);
    compare(&h, &m);
    hand_free(&h);
}

TEST(with_an_empty_pool_the_next_byte_in_order_is_taken_and_the_rest_comes_later)
{
    static struct model m;

    for (uint32_t seed = 0; seed < 40; seed++) {
        struct la_config config;
        uint64_t rng = seed;

        hand_config(&config);
        config.chunk_bytes = 512;
        config.chunks = 4 + rng_below(&rng, 12);
        config.reserve_chunks = 1 + rng_below(&rng, 2);
        struct hand h = start(seed & 1, origins[seed % 4], &config);
        memset(&m, 0, sizeof m);
        uint32_t rounds = 0;
        while (m.next < 20000) {
            const bool empty = hand_conn(&h)->rcvq.len_bytes == 0;
            const bool in_order = rng_below(&rng, 3) == 0;
            const uint32_t first = m.next + (in_order ? 0 : rng_below(&rng, 8000));
            const uint32_t before = received(&h);

            give(&h, first, 1 + rng_below(&rng, 1460));
            if (first == before && empty)
                assert_true(received(&h) > before);
            assert_true(received(&h) >= before);
            m.next = received(&h);
            assert_null(la_check(h.s));
            if (rng_below(&rng, 3) == 0)
                read_some(&h, &m, rng_below(&rng, 3000));
            hand_drain(&h);
            assert_true(rounds++ < 20000);
        }
        assert_true(la_drops(h.s, LA_DROP_POOL_EMPTY) + la_drops(h.s, LA_DROP_MEMORY) > 0);
        read_some(&h, &m, STREAM);
        assert_int_equal(m.taken, m.next);
        hand_free(&h);
    }
}

TEST(what_arrives_for_a_stream_nobody_reads_is_acknowledged_and_kept_nowhere)
{
    struct hand h = start(false, 0, NULL);

    assert_int_equal(la_shutdown(h.s, h.now, h.conn, LA_SHUT_RD), LA_OK);
    give(&h, 100, 100);
    give(&h, 0, 100);
    assert_int_equal(received(&h), 200);
    assert_int_equal(hand_conn(&h)->rcvq.len_bytes, 0);
    assert_int_equal(la_table_use(h.s, LA_TABLE_CHUNKS).used, 0);
    hand_free(&h);
}

TEST(tiny_segments_far_apart_can_not_hold_more_chunks_than_twice_the_buffer)
{
    struct la_config config;

    hand_config(&config);
    config.chunk_bytes = 512;
    config.chunks = 4000;
    struct hand h = start(false, 0, &config);
    assert_int_equal(la_set_option(h.s, h.now, h.conn, LA_OPT_RCVBUF, 4096), LA_OK);
    const struct tcp_conn *c = hand_conn(&h);
    const uint32_t most = 2 * (4096 / chunks_payload(&h.t->env.chunks)) + 8 + 1;
    for (uint32_t i = 1; i < 60; i++) {
        give(&h, 1000 * i, 1);
        assert_true(reassembly_chunks(h.t, c) + c->rcvq.chunks <= most + 1);
    }
    assert_true(la_drops(h.s, LA_DROP_RCV_BUFFER_FULL) + la_drops(h.s, LA_DROP_REASSEMBLY_FULL) >
                0);
    assert_null(la_check(h.s));
    hand_free(&h);
}

TEST_MAIN
