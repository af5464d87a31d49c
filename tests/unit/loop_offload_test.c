/* SPDX-License-Identifier: MIT */
/*
 * loop_offload_test.c - Two stacks over a wire that takes super-segments, and loses.
 *
 * The wire is a driver of the test's: what one end sends it cuts into segments as TSO does, or
 * hands on whole; it may lose every so-many-th; and the loop may merge what is received.  The bytes
 * must come out as they went in, whatever was lost, in virtual time.
 */
#include "sim/segment.h"
#include "test.h"

#include <lastack/runtime.h>

#include <errno.h>

#define BYTES (6u << 20)
#define GSO_BYTES 40000u
#define FRAME_ROOM 66000u
#define WIRE_FRAMES 4096u
#define PACK_BYTES (1u << 20)

struct wire_frame {
    uint8_t *bytes;
    struct la_frame as; /* its offload fields */
};

struct end {
    struct la_rt_driver driver;
    struct end *other;
    struct wire_frame queue[WIRE_FRAMES]; /* to be received */
    uint32_t head, tail;
    uint8_t pack[PACK_BYTES]; /* received frames, one behind the other */
};

struct peer {
    struct la_stack *stack;
    void *arena;
    uint64_t arena_bytes, sum;
    struct end end;
};

static struct peer peers[2];
static struct la_rt_loop *loop;
static la_conn_id conn;
static uint64_t put, got, passed, lost, cut;
static uint32_t lose_every;
static bool cuts;

static uint8_t byte_at(uint64_t at)
{
    return (uint8_t)((at * 2654435761u) >> 13);
}

/* The wire -------------------------------------------------------------------------- */

static void carry(struct end *to, const uint8_t *bytes, const struct la_frame *as)
{
    struct wire_frame *f = &to->queue[to->head % WIRE_FRAMES];

    if (++passed % (lose_every > 0 ? lose_every : UINT32_MAX) == 0) {
        lost++;
        return;
    }
    assert_true(to->head - to->tail < WIRE_FRAMES);
    f->bytes = malloc(as->len_bytes);
    memcpy(f->bytes, bytes, as->len_bytes);
    f->as = *as;
    to->head++;
}

static int wire_send(void *self, const struct la_tx *tx)
{
    struct end *e = self;
    static uint8_t whole[FRAME_ROOM], piece[2000];
    const uint32_t len = la_tx_copy(tx, whole, sizeof whole);

    if (e->other->head - e->other->tail > WIRE_FRAMES - 100)
        return 0;
    if (tx->gso_size_bytes > 0 && cuts) {
        for (uint32_t nth = 0;; nth++) {
            struct la_frame as = { .len_bytes = sim_segment_cut(whole, len, tx->gso_size_bytes, nth,
                                                                piece) };
            if (as.len_bytes == 0)
                return 1;
            cut++;
            carry(e->other, piece, &as);
        }
    }
    struct la_frame as = { .len_bytes = len, .gso_size_bytes = tx->gso_size_bytes };
    if (tx->flags & LA_TX_CSUM_PARTIAL) {
        as.flags = LA_FRAME_CSUM_OK | LA_FRAME_CSUM_PARTIAL;
        as.csum_start = tx->csum_start;
        as.csum_offset = tx->csum_offset;
    }
    if (cuts && as.flags != 0) { /* this wire wants whole packets */
        sim_checksum_complete(whole, len, as.csum_start, as.csum_offset);
        as.flags = 0;
    }
    carry(e->other, whole, &as);
    return 1;
}

static int wire_receive(void *self, struct la_frame *frames, uint32_t max)
{
    struct end *e = self;
    uint32_t used = 0, count = 0;

    while (count < max && e->tail != e->head && used + FRAME_ROOM < PACK_BYTES) {
        const struct wire_frame *f = &e->queue[e->tail++ % WIRE_FRAMES];
        frames[count] = f->as;
        frames[count++].bytes = e->pack + used;
        memcpy(e->pack + used, f->bytes, f->as.len_bytes);
        used += f->as.len_bytes;
        free(f->bytes);
    }
    return (int)count;
}

/* The application -------------------------------------------------------------------- */

static void read_all(void *context, la_time now, const struct la_event *event)
{
    struct peer *p = context;
    static uint8_t buffer[65536];
    static la_conn_id from;
    struct la_accepted accepted;
    int64_t n;

    if (event->kind == LA_EVENT_LISTENER &&
        la_accept(p->stack, now, event->listener, 0, &accepted) == LA_OK)
        from = accepted.conn;
    while ((n = la_recv(p->stack, now, from, buffer, sizeof buffer)) > 0)
        for (int64_t i = 0; i < n; i++, got++)
            if (buffer[i] != byte_at(got))
                fail_msg("byte %llu is wrong", (unsigned long long)got);
    if (n == 0)
        (void)la_close(p->stack, now, from);
}

static void write_all(void *context, la_time now, const struct la_event *event)
{
    struct peer *p = context;
    static uint8_t buffer[65536];

    if (event->conn.bits != conn.bits || !(event->mask & LA_WRITABLE))
        return;
    while (put < BYTES) {
        const uint32_t want =
            BYTES - put < sizeof buffer ? (uint32_t)(BYTES - put) : (uint32_t)sizeof buffer;
        for (uint32_t i = 0; i < want; i++)
            buffer[i] = byte_at(put + i);
        const int64_t n = la_send(p->stack, now, conn, buffer, want, 0);
        if (n <= 0)
            return;
        put += (uint64_t)n;
    }
    (void)la_close(p->stack, now, conn);
}

static void make_peer(struct peer *p, bool v6, uint8_t last, bool merges)
{
    const struct la_iface_config iface = { .mtu_bytes = 1500,
                                           .flags = LA_IFACE_CSUM_TX,
                                           .gso_max_bytes = GSO_BYTES };
    struct la_prefix own = { la_addr_v4(10, 0, 0, last), 120 };
    struct la_config config;

    if (v6) {
        own = (struct la_prefix){ { { 0xfd } }, 64 };
        own.addr.bytes[15] = last;
    }
    la_config_default(&config);
    la_rt_random(config.secret, sizeof config.secret);
    p->arena_bytes = la_bytes_needed(&config);
    p->arena = la_rt_arena_map(p->arena_bytes);
    assert_int_equal(la_init(p->arena, p->arena_bytes, &config, la_rt_loop_now(loop), &p->stack),
                     LA_OK);
    assert_int_equal(la_iface_add(p->stack, &iface), 0);
    assert_int_equal(la_addr_add(p->stack, 0, own, 0), LA_OK);
    p->end.head = p->end.tail = 0;
    p->end.driver = (struct la_rt_driver){ .self = &p->end,
                                           .fd = -1,
                                           .mtu_bytes = 1500,
                                           .name = "wire",
                                           .merges = merges,
                                           .receive = wire_receive,
                                           .send = wire_send };
}

/* Move BYTES and compare; the loop's figures go to @st. */
static void transfer(bool v6, struct la_rt_loop_stats *st)
{
    const struct la_listen_config listen = { .local = la_prefix_any(), .port = 7, .backlog = 4 };
    struct la_endpoint local = { .port = 0 }, remote = { .port = 7 };
    la_listener_id listener;

    put = got = passed = lost = cut = 0;
    loop = la_rt_loop_new(LA_RT_VIRTUAL_TIME);
    assert_non_null(loop);
    for (int i = 0; i < 2; i++) {
        make_peer(&peers[i], v6, (uint8_t)(1 + i), cuts);
        peers[i].end.other = &peers[1 - i].end;
        const struct la_rt_host host = { .stack = peers[i].stack,
                                         .driver = &peers[i].end.driver,
                                         .context = &peers[i],
                                         .on_event = i == 0 ? read_all : write_all };
        assert_int_equal(la_rt_loop_add(loop, &host), 0);
    }
    assert_int_equal(la_listen(peers[0].stack, la_rt_loop_now(loop), &listen, &listener), LA_OK);
    remote.addr = la_addr_v4(10, 0, 0, 1);
    local.addr = la_addr_v4(0, 0, 0, 0);
    if (v6) {
        local.addr = (struct la_addr){ { 0 } };
        remote.addr = (struct la_addr){ { 0xfd } };
        remote.addr.bytes[15] = 1;
    }
    assert_int_equal(la_open(peers[1].stack, la_rt_loop_now(loop), local, remote, 0, &conn), LA_OK);
    assert_int_equal(la_rt_run(loop), -EDEADLK); /* until not even TIME-WAIT is left */
    assert_int_equal(put, BYTES);
    assert_int_equal(got, BYTES);
    la_rt_loop_stats(loop, st);
    la_rt_loop_free(loop);
    for (int i = 0; i < 2; i++) {
        assert_null(la_check(peers[i].stack));
        assert_int_equal(la_drops(peers[i].stack, LA_DROP_FRAME_OFFLOAD), 0);
        assert_int_equal(la_counter(peers[i].stack, LA_COUNT_InCsumErrors), 0);
    }
}

static void release(void)
{
    for (int i = 0; i < 2; i++)
        la_rt_arena_unmap(peers[i].arena, peers[i].arena_bytes);
}

static uint64_t repeated(void)
{
    return la_counter(peers[1].stack, LA_COUNT_RetransSegs);
}

TEST(super_segments_cross_whole_and_nothing_is_sent_twice)
{
    cuts = false;
    lose_every = 0;
    for (int v6 = 0; v6 < 2; v6++) {
        struct la_rt_loop_stats st;
        transfer(v6, &st);
        assert_int_equal(repeated(), 0);
        assert_true(passed < BYTES / 1460 / 2); /* so many segments would it have been, and ACKs */
        assert_true(la_counter(peers[0].stack, LA_COUNT_InSegs) >= BYTES / 1460);
        release();
    }
}

TEST(super_segments_that_are_lost_whole_are_sent_again_until_all_is_there)
{
    cuts = false;
    for (lose_every = 23; lose_every <= 100; lose_every += 31)
        for (int v6 = 0; v6 < 2; v6++) {
            struct la_rt_loop_stats st;
            transfer(v6, &st);
            assert_true(lost > 0);
            assert_true(repeated() > 0);
            release();
        }
}

TEST(single_segments_lost_out_of_super_segments_are_sent_again_and_no_others_need_to_be)
{
    cuts = true;
    for (lose_every = 50; lose_every <= 1000; lose_every += 475)
        for (int v6 = 0; v6 < 2; v6++) {
            struct la_rt_loop_stats st;
            transfer(v6, &st);
            assert_true(lost > 0);
            assert_true(cut > BYTES / 1460 / 2);
            assert_true(st.packets_merged > BYTES / 1460 / 4);
            assert_true(repeated() >= lost / 3);
            release();
        }
}

TEST(what_was_cut_is_merged_again_and_counted_as_it_was_cut)
{
    cuts = true;
    lose_every = 0;
    for (int v6 = 0; v6 < 2; v6++) {
        struct la_rt_loop_stats st;
        transfer(v6, &st);
        assert_int_equal(repeated(), 0);
        assert_true(st.packets_merged > BYTES / 1460 / 2);
        assert_int_equal(st.packets_in, passed);
        assert_int_equal(la_counter(peers[0].stack, LA_COUNT_InSegs) +
                             la_counter(peers[1].stack, LA_COUNT_InSegs),
                         passed);
        release();
    }
}

TEST_MAIN
