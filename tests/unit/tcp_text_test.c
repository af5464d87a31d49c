/* SPDX-License-Identifier: MIT */
/* tcp_text_test.c - The one-line notation: what it says, what it refuses, and both ways the same. */
#include "core/wire/tcp.h"

#include "tests/unit/test.h"

static const uint32_t origins[] = { 0, 0x7fffffff, 0xffffffff, 0x9e3779b9 };

static struct tcp_text_bases bases_at(uint32_t origin, bool outbound)
{
    return (struct tcp_text_bases){ seq_of(origin), seq_of(origin + 0x1000000), outbound };
}

static const char *parse_inbound(const char *line, struct tcp_seg *seg)
{
    const struct tcp_text_bases bases = { seq_of(1000), seq_of(5000), false };
    return tcp_text_parse(line, &bases, seg);
}

TEST(a_syn_with_all_options_is_read)
{
    struct tcp_seg seg;
    const struct tcp_text_bases out = { seq_of(1000), seq_of(5000), true };

    assert_null(
        tcp_text_parse("SYN snd 0 wnd 65535 mss 1460 wscale 7 sackOK TS 100:0", &out, &seg));
    assert_int_equal(seg.flags, TCP_SYN);
    assert_int_equal(seq_raw(seg.seq), 5000);
    assert_int_equal(seg.wnd, 65535);
    assert_true(seg.opt.has_mss && seg.opt.has_wscale && seg.opt.has_sack_ok);
    assert_int_equal(seg.opt.mss, 1460);
    assert_int_equal(seg.opt.wscale, 7);
    assert_true(seg.opt.has_timestamps);
    assert_int_equal(seg.opt.ts_val, 100);
    assert_int_equal(seg.opt.ts_ecr, 0);
    assert_null(seg.text);
}

TEST(inbound_rcv_is_the_sequence_number_and_snd_the_acknowledgment)
{
    struct tcp_seg seg;
    assert_null(parse_inbound("ACK rcv 1 snd 2 len 100 wnd 500", &seg));
    assert_int_equal(seq_raw(seg.seq), 1001);
    assert_int_equal(seq_raw(seg.ack), 5002);
    assert_int_equal(seg.len, 100);
    assert_int_equal(seg.wnd, 500);
}

TEST(outbound_snd_is_the_sequence_number_and_rcv_the_acknowledgment)
{
    struct tcp_seg seg;
    const struct tcp_text_bases out = { seq_of(1000), seq_of(5000), true };
    assert_null(tcp_text_parse("FIN ACK snd 1 rcv 2", &out, &seg));
    assert_int_equal(seq_raw(seg.seq), 5001);
    assert_int_equal(seq_raw(seg.ack), 1002);
    assert_int_equal(seg.flags, TCP_FIN | TCP_ACK);
}

TEST(a_reset_needs_no_acknowledgment_number)
{
    struct tcp_seg seg;
    assert_null(parse_inbound("RST rcv 0", &seg));
    assert_int_equal(seq_raw(seg.seq), 1000);
    assert_int_equal(seq_raw(seg.ack), 0);
}

TEST(negative_numbers_count_backwards_across_zero)
{
    struct tcp_seg seg;
    const struct tcp_text_bases zero = { seq_of(0), seq_of(0), false };
    assert_null(tcp_text_parse("RST rcv -1", &zero, &seg));
    assert_int_equal(seq_raw(seg.seq), UINT32_MAX);
    assert_null(tcp_text_parse("RST rcv -2147483648", &zero, &seg));
    assert_int_equal(seq_raw(seg.seq), UINT32_C(1) << 31);
    assert_non_null(tcp_text_parse("RST rcv -2147483649", &zero, &seg));
}

TEST(seq_and_ack_are_absolute)
{
    struct tcp_seg seg;
    assert_null(parse_inbound("ACK seq 7 ack 4294967295", &seg));
    assert_int_equal(seq_raw(seg.seq), 7);
    assert_int_equal(seq_raw(seg.ack), UINT32_MAX);
}

TEST(sack_edges_are_relative_to_what_they_acknowledge)
{
    struct tcp_seg seg;
    assert_null(parse_inbound("ACK rcv 0 snd 0 sack 10:20,30:40", &seg));
    assert_int_equal(seg.opt.sack_count, 2);
    assert_int_equal(seq_raw(seg.opt.sack[0].left), 5010);
    assert_int_equal(seq_raw(seg.opt.sack[1].right), 5040);

    const struct tcp_text_bases out = { seq_of(1000), seq_of(5000), true };
    assert_null(tcp_text_parse("ACK rcv 0 snd 0 sack -5:20", &out, &seg));
    assert_int_equal(seq_raw(seg.opt.sack[0].left), 995);
}

TEST(urg_is_flag_and_pointer_urgptr_the_pointer_alone)
{
    struct tcp_seg seg;
    assert_null(parse_inbound("ACK rcv 0 snd 0 urg 5", &seg));
    assert_int_equal(seg.flags, TCP_ACK | TCP_URG);
    assert_int_equal(seg.urgent, 5);
    assert_null(parse_inbound("ACK rcv 0 snd 0 urgptr 5", &seg));
    assert_int_equal(seg.flags, TCP_ACK);
    assert_int_equal(seg.urgent, 5);
    assert_null(parse_inbound("URG rcv 0", &seg));
    assert_int_equal(seg.flags, TCP_URG);
}

TEST(what_is_wrong_is_said)
{
    static const struct {
        const char *line, *says;
    } cases[] = {
        { "", "the sequence number is missing" },
        { "SYN", "the sequence number is missing" },
        { "ACK rcv 0", "ACK without an acknowledgment number" },
        { "SYM rcv 0", "a word is not known" },
        { "SYNACK rcv 0", "a word is not known" },
        { "syn rcv 0", "a word is not known" },
        { "SYN rcv", "a number is missing" },
        { "SYN rcv x", "a number is missing" },
        { "SYN rcv 4294967296", "a number is too large" },
        { "SYN rcv 99999999999999999999999", "a number is too large" },
        { "SYN rcv 0 wnd 65536", "a number is too large" },
        { "SYN rcv 0 wnd -1", "a number is missing" },
        { "SYN rcv 0 mss 65536", "a number is too large" },
        { "SYN rcv 0 wscale 256", "a number is too large" },
        { "SYN rcv 0x", "something stands behind a number" },
        { "SYN rcv 0 TS 5", "timestamps are value:echo" },
        { "SYN rcv 0 TS 5:", "a number is missing" },
        { "SYN rcv 0 TS 5:4294967296", "a number is too large" },
        { "ACK rcv 0 snd 0 sack 10", "a SACK block is left:right" },
        { "ACK rcv 0 snd 0 sack 10:20,", "a number is missing" },
        { "ACK rcv 0 snd 0 sack 1:2,3:4,5:6,7:8,9:10", "more than four SACK blocks" },
        { "ACK rcv 0 seq 1 snd 0", "two sequence numbers" },
        { "ACK rcv 0 snd 1 ack 0", "two acknowledgment numbers" },
    };
    struct tcp_seg seg;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *error = parse_inbound(cases[i].line, &seg);
        assert_non_null(error);
        assert_string_equal(error, cases[i].says);
    }
}

TEST(a_segment_is_written_in_the_order_it_is_read)
{
    char text[200];
    struct tcp_seg seg;
    const char *line = "PSH ACK rcv 1 snd -3 len 100 wnd 500 urg 5 TS 7:8 sack 10:20,30:40";

    assert_null(parse_inbound(line, &seg));
    const struct tcp_text_bases bases = { seq_of(1000), seq_of(5000), false };
    const uint32_t len = tcp_text_format(&seg, &bases, text, sizeof text);
    assert_string_equal(text, line);
    assert_int_equal(len, strlen(line));
}

TEST(a_segment_without_flags_says_none)
{
    char text[200];
    struct tcp_seg seg;
    const struct tcp_text_bases bases = { seq_of(1000), seq_of(5000), false };
    assert_null(parse_inbound("none rcv 0 wnd 0", &seg));
    assert_int_equal(seg.flags, 0);
    tcp_text_format(&seg, &bases, text, sizeof text);
    assert_string_equal(text, "none rcv 0 wnd 0");
}

TEST(writing_stops_at_the_room_given)
{
    char whole[200], cut[200];
    struct tcp_seg seg;
    const struct tcp_text_bases bases = { seq_of(1000), seq_of(5000), false };
    assert_null(parse_inbound("SYN ACK rcv 0 snd 1 wnd 4096 mss 1460 TS 1:2", &seg));
    const uint32_t len = tcp_text_format(&seg, &bases, whole, sizeof whole);

    for (uint32_t room = 1; room <= len + 2; room++) {
        memset(cut, 'x', sizeof cut);
        const uint32_t got = tcp_text_format(&seg, &bases, cut, room);
        assert_int_equal(got, len < room - 1 ? len : room - 1);
        assert_memory_equal(cut, whole, got);
        assert_int_equal(cut[got], '\0');
        assert_int_equal(cut[room], 'x');
    }
}

static uint32_t next_random(uint32_t *rng)
{
    *rng = *rng * 1664525u + 1013904223u;
    return *rng >> 8 ^ *rng << 16;
}

static struct tcp_seg random_segment(uint32_t *rng)
{
    const uint32_t has = next_random(rng);
    struct tcp_seg seg = {
        .seq = seq_of(next_random(rng)),
        .flags = (uint8_t)next_random(rng),
        .wnd = next_random(rng) & 0xffff,
        .len = has & 1 ? next_random(rng) & 0xffff : 0,
        .urgent = has & 2 ? (uint16_t)next_random(rng) : 0,
    };
    if ((seg.flags & TCP_ACK) != 0 || (has & 4) != 0)
        seg.ack = seq_of(next_random(rng));
    struct tcp_options *o = &seg.opt;
    o->has_mss = (has & 8) != 0;
    o->mss = o->has_mss ? (uint16_t)next_random(rng) : 0;
    o->has_wscale = (has & 16) != 0;
    o->wscale = o->has_wscale ? (uint8_t)next_random(rng) : 0;
    o->has_sack_ok = (has & 32) != 0;
    o->has_timestamps = (has & 64) != 0;
    o->ts_val = o->has_timestamps ? next_random(rng) : 0;
    o->ts_ecr = o->has_timestamps ? next_random(rng) : 0;
    o->sack_count = (uint8_t)(next_random(rng) % (TCP_SACK_BLOCKS_MAX + 1));
    for (uint32_t i = 0; i < o->sack_count; i++) {
        o->sack[i].left = seq_of(next_random(rng));
        o->sack[i].right = seq_of(next_random(rng));
    }
    return seg;
}

static void assert_same(const struct tcp_seg *a, const struct tcp_seg *b)
{
    assert_int_equal(seq_raw(a->seq), seq_raw(b->seq));
    assert_int_equal(seq_raw(a->ack), seq_raw(b->ack));
    assert_int_equal(a->wnd, b->wnd);
    assert_int_equal(a->urgent, b->urgent);
    assert_int_equal(a->flags, b->flags);
    assert_int_equal(a->len, b->len);
    assert_int_equal(a->opt.has_mss, b->opt.has_mss);
    assert_int_equal(a->opt.has_wscale, b->opt.has_wscale);
    assert_int_equal(a->opt.has_sack_ok, b->opt.has_sack_ok);
    assert_int_equal(a->opt.has_timestamps, b->opt.has_timestamps);
    assert_int_equal(a->opt.mss, b->opt.mss);
    assert_int_equal(a->opt.wscale, b->opt.wscale);
    assert_int_equal(a->opt.ts_val, b->opt.ts_val);
    assert_int_equal(a->opt.ts_ecr, b->opt.ts_ecr);
    assert_int_equal(a->opt.sack_count, b->opt.sack_count);
    assert_memory_equal(a->opt.sack, b->opt.sack, sizeof a->opt.sack);
}

TEST(what_is_written_reads_back_as_the_same_segment)
{
    uint32_t rng = 1;
    for (uint32_t round = 0; round < 20000; round++) {
        const struct tcp_seg seg = random_segment(&rng);
        const struct tcp_text_bases bases = bases_at(origins[round % 4], (round & 4) != 0);
        char text[300];
        struct tcp_seg back;
        assert_true(tcp_text_format(&seg, &bases, text, sizeof text) < sizeof text - 1);
        const char *error = tcp_text_parse(text, &bases, &back);
        if (error != NULL)
            fail_msg("\"%s\": %s", text, error);
        assert_same(&seg, &back);
    }
}

TEST_MAIN
