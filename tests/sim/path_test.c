/* SPDX-License-Identifier: MIT */
/*
 * path_test.c - A path delays, limits, loses, marks, doubles and reorders what was asked for.
 *
 * Rates of chance are compared with what the binomial distribution allows: five standard
 * deviations, at a fixed seed.
 */
#include "tests/unit/test.h"

#include "sim/path.h"

#define MS UINT64_C(1000000)

struct bench {
    struct path_way way;
    struct sim_prng rng;
    uint64_t ring[64];
};

static void begin(struct bench *b)
{
    memset(b, 0, sizeof *b);
    b->way.left_ns = b->ring;
    sim_prng_seed(&b->rng, 7);
}

static struct path_fate enter(struct bench *b, const struct path_opt *opt, uint64_t now_ns)
{
    return path_enter(opt, &b->way, &b->rng, now_ns, 1250, false);
}

/* 1,250 bytes are 10,000 bits: 1 ms at 10 Mbit/s. */
static void a_packet_takes_its_time_in_the_serialiser_and_in_the_pipe(void **state)
{
    const struct path_opt opt = { .rate_kbps = 10000, .delay_ns = 20 * MS };
    struct bench b;

    (void)state;
    begin(&b);
    assert_int_equal(enter(&b, &opt, 5 * MS).at_ns[0], 26 * MS);
    assert_int_equal(enter(&b, &opt, 5 * MS).at_ns[0], 27 * MS);
    assert_int_equal(enter(&b, &opt, 50 * MS).at_ns[0], 71 * MS);
}

static void the_queue_drops_its_newest_by_bytes(void **state)
{
    const struct path_opt opt = { .rate_kbps = 10000, .queue_bytes = 3 * 1250 };
    struct bench b;

    (void)state;
    begin(&b);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(enter(&b, &opt, 0).what, 0);
    assert_int_equal(enter(&b, &opt, 0).what, PATH_OVERFLOW);
    assert_int_equal(enter(&b, &opt, 0).copies, 0);
    assert_int_equal(enter(&b, &opt, MS).what, 0);
    assert_int_equal(enter(&b, &opt, MS).what, PATH_OVERFLOW);
}

static void the_queue_drops_its_newest_by_packets(void **state)
{
    const struct path_opt opt = { .rate_kbps = 10000, .queue_packets = 2 };
    struct bench b;

    (void)state;
    begin(&b);
    for (unsigned round = 0; round < 50; round++) {
        const uint64_t now_ns = round * 10 * MS;
        assert_int_equal(enter(&b, &opt, now_ns).what, 0);
        assert_int_equal(enter(&b, &opt, now_ns).what, 0);
        assert_int_equal(enter(&b, &opt, now_ns).what, PATH_OVERFLOW);
        assert_int_equal(enter(&b, &opt, now_ns + MS).what, 0);
    }
}

static void a_queue_smaller_than_a_packet_still_takes_one(void **state)
{
    const struct path_opt opt = { .rate_kbps = 10000, .queue_bytes = 100 };
    struct bench b;

    (void)state;
    begin(&b);
    assert_int_equal(enter(&b, &opt, 0).what, 0);
    assert_int_equal(enter(&b, &opt, 0).what, PATH_OVERFLOW);
    assert_int_equal(enter(&b, &opt, MS).what, 0);
}

static void what_is_longer_than_the_mtu_is_gone(void **state)
{
    const struct path_opt opt = { .mtu_bytes = 1249 };
    struct bench b;

    (void)state;
    begin(&b);
    assert_int_equal(enter(&b, &opt, 0).what, PATH_TOO_BIG);
    assert_int_equal(path_enter(&opt, &b.way, &b.rng, 0, 1249, false).what, 0);
}

static unsigned count(struct bench *b, const struct path_opt *opt, uint32_t what, unsigned packets)
{
    unsigned n = 0;

    for (unsigned i = 0; i < packets; i++)
        n += (enter(b, opt, i * MS).what & what) != 0;
    return n;
}

static void chance_takes_as_many_as_was_asked(void **state)
{
    const struct path_opt loss = { .loss_ppm = 10000 };
    const struct path_opt dup = { .dup_ppm = 10000 };
    const struct path_opt reorder = { .reorder_ppm = 10000, .reorder_max_ns = MS };
    struct bench b;

    (void)state;
    begin(&b);
    /* 1 % of 100,000: 1,000, standard deviation 31.5. */
    assert_in_range(count(&b, &loss, PATH_LOST, 100000), 843, 1157);
    assert_in_range(count(&b, &dup, PATH_DUPLICATED, 100000), 843, 1157);
    assert_in_range(count(&b, &reorder, PATH_REORDERED, 100000), 843, 1157);
}

static void bursts_have_the_rate_and_the_length_asked_for(void **state)
{
    const struct path_opt opt = { .burst_enter_ppm = path_burst_enter_ppm(20000, 5),
                                  .burst_leave_ppm = PATH_PPM / 5 };
    unsigned lost = 0, bursts = 0;
    bool before = false;
    struct bench b;

    (void)state;
    begin(&b);
    for (unsigned i = 0; i < 500000; i++) {
        const bool gone = path_loses(&opt, &b.way, &b.rng);
        lost += gone;
        bursts += gone && !before;
        before = gone;
    }
    assert_in_range(lost, 9200, 10800); /* 2 % in about 2,000 bursts */
    assert_in_range(lost * 100 / bursts, 450, 550);
    assert_int_equal(path_burst_enter_ppm(PATH_PPM, 3), PATH_PPM);
}

static void jitter_keeps_the_order_and_only_a_reordered_packet_is_passed(void **state)
{
    const struct path_opt jitter = { .delay_ns = 10 * MS, .jitter_ns = 5 * MS };
    const struct path_opt reorder = { .delay_ns = 10 * MS,
                                      .reorder_ppm = 100000,
                                      .reorder_max_ns = 5 * MS };
    uint64_t last_ns = 0;
    struct bench b;

    (void)state;
    begin(&b);
    for (unsigned i = 0; i < 1000; i++) {
        const uint64_t at_ns = enter(&b, &jitter, i * MS).at_ns[0];
        assert_true(at_ns >= last_ns && at_ns <= i * MS + 15 * MS);
        last_ns = at_ns;
    }
    begin(&b);
    for (unsigned i = 0; i < 1000; i++) {
        const struct path_fate f = enter(&b, &reorder, i * MS);
        if (f.what & PATH_REORDERED)
            assert_in_range(f.at_ns[0] - i * MS, 10 * MS + 50000, 15 * MS);
        else
            assert_int_equal(f.at_ns[0], i * MS + 10 * MS);
    }
}

static void the_same_seed_decides_the_same(void **state)
{
    const struct path_opt opt = { .rate_kbps = 10000,
                                  .queue_bytes = 20000,
                                  .jitter_ns = MS,
                                  .loss_ppm = 50000,
                                  .dup_ppm = 50000,
                                  .burst_enter_ppm = 1000,
                                  .burst_leave_ppm = 300000 };
    struct bench a, b;

    (void)state;
    begin(&a);
    begin(&b);
    for (unsigned i = 0; i < 1000; i++) {
        const struct path_fate x = enter(&a, &opt, i * MS / 2);
        const struct path_fate y = enter(&b, &opt, i * MS / 2);
        assert_memory_equal(&x, &y, sizeof x);
    }
}

static void only_a_packet_that_says_so_is_marked_and_only_behind_a_long_queue(void **state)
{
    const struct path_opt opt = { .rate_kbps = 10000, .mark_bytes = 1250 };
    struct bench b;

    (void)state;
    begin(&b);
    assert_int_equal(path_enter(&opt, &b.way, &b.rng, 0, 1250, true).what, 0);
    assert_int_equal(path_enter(&opt, &b.way, &b.rng, 0, 1250, true).what, 0);
    assert_int_equal(path_enter(&opt, &b.way, &b.rng, 0, 1250, true).what, PATH_MARKED);
    assert_int_equal(path_enter(&opt, &b.way, &b.rng, 0, 1250, false).what, 0);
}

static uint16_t sum_of(const uint8_t *header)
{
    uint32_t sum = 0;

    for (unsigned i = 0; i < 20; i += 2)
        sum += (uint32_t)header[i] << 8 | header[i + 1];
    sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)(sum + (sum >> 16));
}

static void a_mark_keeps_the_checksum_right(void **state)
{
    uint8_t v4[20] = { 0x45, 2, 0, 20, 1, 2, 0x40, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2 };
    uint8_t v6[40] = { 0x60, 0x10 };

    (void)state;
    const uint16_t sum = (uint16_t)~sum_of(v4);
    v4[10] = (uint8_t)(sum >> 8);
    v4[11] = (uint8_t)sum;
    assert_true(path_markable(v4, sizeof v4) && path_markable(v6, sizeof v6));
    path_mark(v4);
    path_mark(v6);
    assert_int_equal(v4[1], 3);
    assert_int_equal(v6[1], 0x30);
    assert_int_equal(sum_of(v4), 0xffff);
    assert_false(path_markable(v4, sizeof v4) || path_markable(v6, sizeof v6));
    v4[1] = 0;
    assert_false(path_markable(v4, sizeof v4));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_packet_takes_its_time_in_the_serialiser_and_in_the_pipe),
        cmocka_unit_test(the_queue_drops_its_newest_by_bytes),
        cmocka_unit_test(the_queue_drops_its_newest_by_packets),
        cmocka_unit_test(a_queue_smaller_than_a_packet_still_takes_one),
        cmocka_unit_test(what_is_longer_than_the_mtu_is_gone),
        cmocka_unit_test(chance_takes_as_many_as_was_asked),
        cmocka_unit_test(bursts_have_the_rate_and_the_length_asked_for),
        cmocka_unit_test(jitter_keeps_the_order_and_only_a_reordered_packet_is_passed),
        cmocka_unit_test(the_same_seed_decides_the_same),
        cmocka_unit_test(only_a_packet_that_says_so_is_marked_and_only_behind_a_long_queue),
        cmocka_unit_test(a_mark_keeps_the_checksum_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
