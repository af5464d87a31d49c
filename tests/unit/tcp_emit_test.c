/* SPDX-License-Identifier: MIT */
/* tcp_emit_test.c - What is written is read back the same, at any sequence number, with a good sum. */
#include "core/wire/tcp.h"

#include "core/base/bytes.h"
#include "core/base/checksum.h"
#include "core/wire/ip.h"
#include "tests/unit/guard.h"
#include "tests/unit/test.h"

#define ROUNDS 50000
#define TEXT_MAX 64

static uint32_t next_random(uint64_t *rng)
{
    *rng = *rng * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*rng >> 32);
}

static tcp_seq random_seq(uint64_t *rng)
{
    static const uint32_t edges[] = { 0, 0x7fffffff, 0x80000000, 0xffffffff };
    const uint32_t r = next_random(rng);
    return seq_of(r % 2 == 0 ? edges[r / 2 % 4] : r);
}

/* A segment as this stack might send it: SYN options on a SYN, SACK blocks elsewhere. */
static struct tcp_seg random_segment(uint64_t *rng)
{
    const uint32_t has = next_random(rng);
    struct tcp_seg seg = {
        .src_port = (uint16_t)(1 + next_random(rng) % 65535),
        .dst_port = (uint16_t)(1 + next_random(rng) % 65535),
        .seq = random_seq(rng),
        .ack = random_seq(rng),
        .wnd = next_random(rng) & 0xffff,
        .urgent = (uint16_t)next_random(rng),
        .flags = (uint8_t)next_random(rng),
        .len = next_random(rng) % TEXT_MAX,
    };
    if ((has & 16) != 0) {
        seg.opt.has_timestamps = true;
        seg.opt.ts_val = next_random(rng);
        seg.opt.ts_ecr = next_random(rng);
    }
    if ((seg.flags & TCP_SYN) != 0) {
        seg.opt.has_mss = (has & 1) != 0;
        seg.opt.mss = seg.opt.has_mss ? (uint16_t)next_random(rng) : 0;
        seg.opt.has_wscale = (has & 2) != 0;
        seg.opt.wscale = seg.opt.has_wscale ? (uint8_t)next_random(rng) : 0;
        seg.opt.has_sack_ok = (has & 4) != 0;
    } else {
        seg.opt.sack_count = (uint8_t)(next_random(rng) % 4);
        for (uint32_t i = 0; i < seg.opt.sack_count; i++) {
            seg.opt.sack[i].left = random_seq(rng);
            seg.opt.sack[i].right = random_seq(rng);
        }
    }
    return seg;
}

static void assert_same(const struct tcp_seg *a, const struct tcp_seg *b)
{
    assert_int_equal(a->src_port, b->src_port);
    assert_int_equal(a->dst_port, b->dst_port);
    assert_int_equal(seq_raw(a->seq), seq_raw(b->seq));
    assert_int_equal(seq_raw(a->ack), seq_raw(b->ack));
    assert_int_equal(a->wnd, b->wnd);
    assert_int_equal(a->urgent, b->urgent);
    assert_int_equal(a->flags, b->flags);
    assert_int_equal(a->len, b->len);
    assert_int_equal(a->opt.has_mss, b->opt.has_mss);
    assert_int_equal(a->opt.mss, b->opt.mss);
    assert_int_equal(a->opt.has_wscale, b->opt.has_wscale);
    assert_int_equal(a->opt.wscale, b->opt.wscale);
    assert_int_equal(a->opt.has_sack_ok, b->opt.has_sack_ok);
    assert_int_equal(a->opt.has_timestamps, b->opt.has_timestamps);
    assert_int_equal(a->opt.ts_val, b->opt.ts_val);
    assert_int_equal(a->opt.ts_ecr, b->opt.ts_ecr);
    assert_int_equal(a->opt.sack_count, b->opt.sack_count);
    assert_memory_equal(a->opt.sack, b->opt.sack, sizeof a->opt.sack);
}

TEST(what_is_emitted_parses_to_the_same_segment)
{
    uint64_t rng = 1;
    for (uint32_t round = 0; round < ROUNDS; round++) {
        const struct tcp_seg seg = random_segment(&rng);
        uint8_t bytes[TCP_HEADER_BYTES + TCP_OPTIONS_MAX + TEXT_MAX] = { 0 };
        const uint32_t header = tcp_emit(&seg, bytes);
        assert_int_equal(header, TCP_HEADER_BYTES + tcp_options_bytes(&seg.opt));
        assert_int_equal(header % 4, 0);

        struct tcp_seg back;
        const uint8_t *at = guard_bytes(bytes, header + seg.len);
        assert_int_equal(tcp_parse(at, header + seg.len, &back), LA_DROP_NONE);
        assert_ptr_equal(back.text, at + header);
        assert_same(&seg, &back);
    }
}

TEST(reserved_bits_and_the_checksum_field_are_zero)
{
    uint8_t bytes[TCP_HEADER_BYTES + TCP_OPTIONS_MAX];
    memset(bytes, 0xff, sizeof bytes);
    const struct tcp_seg seg = { .src_port = 1, .dst_port = 2, .flags = TCP_SYN };
    assert_int_equal(tcp_emit(&seg, bytes), TCP_HEADER_BYTES);
    assert_int_equal(bytes[12], 5 << 4);
    assert_int_equal(load_be16(bytes + 16), 0);
}

TEST(an_emitted_segment_takes_a_checksum_that_verifies)
{
    const struct la_addr pairs[2][2] = {
        { la_addr_v4(192, 0, 2, 1), la_addr_v4(198, 51, 100, 7) },
        { { { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 } }, { { 0x20, 0x01, 0x0d, 0xb8, [15] = 2 } } },
    };
    uint64_t rng = 2;
    for (uint32_t round = 0; round < 2000; round++) {
        const struct la_addr *pair = pairs[round % 2];
        struct tcp_seg seg = random_segment(&rng);
        uint8_t b[TCP_HEADER_BYTES + TCP_OPTIONS_MAX + TEXT_MAX] = { 0 };
        const uint32_t len = tcp_emit(&seg, b) + seg.len;
        const uint64_t pseudo = ip_pseudo_sum(pair[0], pair[1], IP_PROTO_TCP, len);
        store_be16(b + 16, checksum_finish(checksum_add(0, pseudo, b, len)));
        assert_true(tcp_checksum_ok(0, pair[0], pair[1], b, len));
        b[round % len] ^= 0x10;
        assert_false(tcp_checksum_ok(0, pair[0], pair[1], b, len));
    }
}

TEST_MAIN
