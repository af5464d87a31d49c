/* SPDX-License-Identifier: MIT */
/*
 * tcp_options_test.c - The option walk under every length that has broken one.
 *
 * The areas end at a page that can not be read (guard.h).  What is exhaustive says so.
 */
#include "core/wire/tcp_options.h"

#include "tests/unit/guard.h"
#include "tests/unit/test.h"

static struct tcp_options parse(const uint8_t *bytes, uint32_t len_bytes, bool syn)
{
    struct tcp_options o;
    memset(&o, 0xa5, sizeof o);
    tcp_options_parse(guard_bytes(bytes, len_bytes), len_bytes, syn, &o);
    return o;
}

static bool is_empty(const struct tcp_options *o)
{
    return !o->has_mss && !o->has_wscale && !o->has_sack_ok && !o->has_timestamps &&
           o->sack_count == 0;
}

TEST(no_options_are_no_options)
{
    const struct tcp_options o = parse(NULL, 0, true);
    assert_true(is_empty(&o));
}

TEST(the_options_of_a_linux_syn_are_read)
{
    static const uint8_t bytes[] = {
        2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 1, 0, 0, 0, 0, 7, 1, 3, 3, 7
    };
    const struct tcp_options o = parse(bytes, sizeof bytes, true);
    assert_true(o.has_mss && o.has_sack_ok && o.has_timestamps && o.has_wscale);
    assert_int_equal(o.mss, 1460);
    assert_int_equal(o.ts_val, 256);
    assert_int_equal(o.ts_ecr, 7);
    assert_int_equal(o.wscale, 7);
}

TEST(mss_scale_and_sack_permitted_count_only_with_syn)
{
    static const uint8_t bytes[] = { 2, 4, 5, 180, 4, 2, 3, 3, 7, 0 };
    const struct tcp_options o = parse(bytes, sizeof bytes, false);
    assert_true(is_empty(&o));
}

TEST(sack_blocks_count_only_without_syn)
{
    static const uint8_t bytes[] = { 5, 10, 0, 0, 0, 1, 0, 0, 0, 9 };
    const struct tcp_options with = parse(bytes, sizeof bytes, true);
    assert_true(is_empty(&with));
    const struct tcp_options without = parse(bytes, sizeof bytes, false);
    assert_int_equal(without.sack_count, 1);
    assert_int_equal(seq_raw(without.sack[0].left), 1);
    assert_int_equal(seq_raw(without.sack[0].right), 9);
}

TEST(nothing_behind_an_end_of_options_is_read)
{
    static const uint8_t bytes[] = { 1, 0, 2, 4, 5, 180 };
    const struct tcp_options o = parse(bytes, sizeof bytes, true);
    assert_true(is_empty(&o));
}

TEST(the_last_of_an_option_given_twice_counts)
{
    static const uint8_t bytes[] = { 2, 4, 0, 1, 2, 4, 0, 2 };
    const struct tcp_options o = parse(bytes, sizeof bytes, true);
    assert_int_equal(o.mss, 2);
}

TEST(what_stands_before_a_bad_length_stands)
{
    static const uint8_t bytes[] = { 2, 4, 5, 180, 254, 1, 3, 3, 7, 0, 0, 0 };
    const struct tcp_options o = parse(bytes, sizeof bytes, true);
    assert_true(o.has_mss);
    assert_false(o.has_wscale);
}

TEST(an_unknown_option_is_stepped_over_whatever_its_kind)
{
    for (uint32_t kind = 0; kind < 256; kind++) {
        if (kind == TCP_OPT_EOL || kind == TCP_OPT_NOP)
            continue;
        const uint8_t bytes[] = { (uint8_t)kind, 5, 9, 9, 9, 2, 4, 5, 180 };
        const struct tcp_options o = parse(bytes, sizeof bytes, true);
        assert_true(o.has_mss);
        assert_int_equal(o.mss, 1460);
    }
}

/* Exhaustive: every kind x awkward lengths x every offset x what fills the rest. */
TEST(no_kind_and_length_at_any_offset_stops_or_overruns_the_walk)
{
    static const uint8_t lens[] = { 0, 1, 2, 3, 4, 8, 10, 39, 40, 41, 127, 128, 255 };
    static const uint8_t fills[] = { TCP_OPT_EOL, TCP_OPT_NOP, 2, 5, 255 };
    static const uint8_t stamp[] = { 8, 10, 1, 2, 3, 4, 5, 6, 7, 8 };
    uint8_t area[TCP_OPTIONS_MAX];

    for (uint32_t kind = 0; kind < 256; kind++)
        for (uint32_t l = 0; l < sizeof lens; l++)
            for (uint32_t at = 0; at < TCP_OPTIONS_MAX; at++) {
                memset(area, TCP_OPT_NOP, sizeof area);
                if (at >= sizeof stamp)
                    memcpy(area, stamp, sizeof stamp);
                memset(area + at, fills[(kind + l + at) % sizeof fills], sizeof area - at);
                area[at] = (uint8_t)kind;
                if (at + 1 < sizeof area)
                    area[at + 1] = lens[l];
                const struct tcp_options o = parse(area, sizeof area, at % 2 == 0);
                assert_true(o.sack_count <= TCP_SACK_BLOCKS_MAX);
                if (at >= sizeof stamp)
                    assert_true(o.has_timestamps);
            }
}

/* Exhaustive: every length of area, its last byte every kind, without room for a length. */
TEST(a_kind_in_the_last_byte_is_not_followed)
{
    uint8_t area[TCP_OPTIONS_MAX];
    for (uint32_t len = 1; len <= TCP_OPTIONS_MAX; len++)
        for (uint32_t kind = 2; kind < 256; kind++) {
            memset(area, TCP_OPT_NOP, sizeof area);
            area[len - 1] = (uint8_t)kind;
            const struct tcp_options o = parse(area, len, true);
            assert_true(is_empty(&o));
        }
}

/* Exhaustive: every known kind overhanging the end by 1..254. */
TEST(an_option_that_overhangs_is_not_read)
{
    static const uint8_t kinds[] = { 2, 3, 4, 5, 8, 34, 77 };
    for (uint32_t k = 0; k < sizeof kinds; k++)
        for (uint32_t there = 2; there <= TCP_OPTIONS_MAX; there++)
            for (uint32_t claimed = there + 1; claimed < 256; claimed++) {
                uint8_t area[TCP_OPTIONS_MAX] = { kinds[k], (uint8_t)claimed };
                const struct tcp_options o = parse(area, there, kinds[k] != 5);
                assert_true(is_empty(&o));
            }
}

/* Exhaustive: every length of every known kind, with all its bytes there. */
TEST(a_known_option_of_a_wrong_length_is_ignored)
{
    static const struct {
        uint8_t kind, len;
    } known[] = { { 2, 4 }, { 3, 3 }, { 4, 2 }, { 8, 10 } };
    for (uint32_t k = 0; k < sizeof known / sizeof known[0]; k++)
        for (uint32_t len = 0; len < 256; len++) {
            uint8_t area[TCP_OPTIONS_MAX] = { known[k].kind, (uint8_t)len };
            const struct tcp_options o = parse(area, sizeof area, true);
            assert_int_equal(is_empty(&o), len != known[k].len);
        }
}

TEST(sack_blocks_come_whole_or_not_at_all)
{
    for (uint32_t len = 0; len < 256; len++) {
        uint8_t area[TCP_OPTIONS_MAX] = { TCP_OPT_SACK, (uint8_t)len };
        const struct tcp_options o = parse(area, sizeof area, false);
        const bool whole = len == 10 || len == 18 || len == 26 || len == 34;
        assert_int_equal(o.sack_count, whole ? (len - 2) / 8 : 0);
    }
}

TEST(every_window_scale_arrives_as_it_was_sent)
{
    for (uint32_t scale = 0; scale < 256; scale++) {
        const uint8_t bytes[] = { 3, 3, (uint8_t)scale, 0 };
        const struct tcp_options o = parse(bytes, sizeof bytes, true);
        assert_true(o.has_wscale);
        assert_int_equal(o.wscale, scale);
    }
}

static void assert_emits(const struct tcp_options *o, const uint8_t *want, uint32_t len)
{
    uint8_t to[TCP_OPTIONS_MAX];
    assert_int_equal(tcp_options_emit(o, to), len);
    assert_int_equal(tcp_options_bytes(o), len);
    assert_memory_equal(to, want, len);
}

TEST(a_syn_is_laid_out_as_linux_does)
{
    static const uint8_t all[] = { 2, 4, 5, 180, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2, 1, 3, 3, 7 };
    struct tcp_options o = { .has_mss = true,
                             .has_wscale = true,
                             .has_sack_ok = true,
                             .has_timestamps = true,
                             .mss = 1460,
                             .wscale = 7,
                             .ts_val = 1,
                             .ts_ecr = 2 };
    assert_emits(&o, all, sizeof all);

    static const uint8_t no_stamps[] = { 2, 4, 5, 180, 1, 1, 4, 2, 1, 3, 3, 7 };
    o.has_timestamps = false;
    assert_emits(&o, no_stamps, sizeof no_stamps);
}

TEST(timestamps_alone_stand_behind_two_nops)
{
    static const uint8_t want[] = { 1, 1, 8, 10, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 9 };
    const struct tcp_options o = { .has_timestamps = true, .ts_val = UINT32_MAX, .ts_ecr = 9 };
    assert_emits(&o, want, sizeof want);
}

TEST(as_many_sack_blocks_are_written_as_fit)
{
    struct tcp_options o = { .sack_count = 4 };
    assert_int_equal(tcp_options_bytes(&o), 36);
    o.has_timestamps = true;
    assert_int_equal(tcp_options_bytes(&o), 40);
    uint8_t to[TCP_OPTIONS_MAX];
    assert_int_equal(tcp_options_emit(&o, to), 40);
    const struct tcp_options back = parse(to, 40, false);
    assert_int_equal(back.sack_count, 3);
}

/* Exhaustive: every set of options; the length is padded, announced and kept. */
TEST(every_set_of_options_comes_back_as_it_was_written)
{
    for (uint32_t set = 0; set < 16 * 5; set++) {
        const bool syn = (set & 11) != 0;
        struct tcp_options o = { .has_mss = (set & 1) != 0,
                                 .has_wscale = (set & 2) != 0,
                                 .has_timestamps = (set & 4) != 0,
                                 .has_sack_ok = (set & 8) != 0,
                                 .sack_count = (uint8_t)(set / 16) };
        o.mss = o.has_mss ? 536 : 0;
        o.wscale = o.has_wscale ? 14 : 0;
        o.ts_val = o.has_timestamps ? 0xfffffff0 : 0;
        for (uint32_t i = 0; i < o.sack_count; i++)
            o.sack[i].left = o.sack[i].right = seq_of(0xffffff00 + i);
        uint8_t to[TCP_OPTIONS_MAX];
        const uint32_t len = tcp_options_emit(&o, to);
        assert_int_equal(len, tcp_options_bytes(&o));
        assert_int_equal(len % 4, 0);
        assert_true(len <= TCP_OPTIONS_MAX);
        const struct tcp_options back = parse(to, len, syn);
        assert_int_equal(back.has_mss, o.has_mss);
        assert_int_equal(back.mss, o.mss);
        assert_int_equal(back.has_wscale, o.has_wscale);
        assert_int_equal(back.wscale, o.wscale);
        assert_int_equal(back.has_sack_ok, o.has_sack_ok);
        assert_int_equal(back.has_timestamps, o.has_timestamps);
        assert_int_equal(back.ts_val, o.ts_val);
        if (!syn && set != 64 + 4)
            assert_int_equal(back.sack_count, o.sack_count);
    }
}

TEST_MAIN
