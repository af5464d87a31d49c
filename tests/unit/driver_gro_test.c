/* SPDX-License-Identifier: MIT */
/* driver_gro_test.c - What is merged on receipt, what never is, and that nothing is lost by it. */
#include "drivers/gro.h"
#include "tests/unit/base_test.h"
#include "tests/unit/hand.h"

#define LEN 100u
#define BURST 64u
#define ROOM 2048u

static uint8_t memory[BURST * ROOM];
static struct la_frame frames[BURST];
static uint32_t used, count;

static void begin(void)
{
    used = count = 0;
}

static struct tcp_seg plain(uint32_t seq, uint32_t len)
{
    return (struct tcp_seg){ .src_port = 1000,
                             .dst_port = 80,
                             .seq = seq_of(seq),
                             .ack = seq_of(77),
                             .wnd = 500,
                             .flags = TCP_ACK,
                             .len = len };
}

static struct la_addr host(bool v6, uint8_t last)
{
    struct la_addr a = la_addr_v4(10, 0, 0, last);

    if (v6) {
        a = (struct la_addr){ { 0xfd } };
        a.bytes[15] = last;
    }
    return a;
}

/* One packet more in the burst.  Its text is a function of the sequence numbers.  Return: it. */
static uint8_t *put(bool v6, const struct tcp_seg *seg)
{
    uint8_t *at = memory + used;
    uint8_t text[1500];
    struct tcp_seg s = *seg;

    for (uint32_t i = 0; i < seg->len; i++)
        text[i] = hand_byte(seq_raw(seg->seq) + i);
    s.text = text;
    const uint32_t len = hand_packet(host(v6, 1), host(v6, 2), &s, at);
    frames[count++] = (struct la_frame){ .bytes = at, .len_bytes = len };
    used += (len + 15u) & ~15u;
    return at;
}

static void merge(void)
{
    count = gro_merge(0, frames, count);
}

/* A frame as the stack will parse it. */
static struct tcp_seg parse(const struct la_frame *f)
{
    const uint32_t at = f->bytes[0] >> 4 == 4 ? 20 : 40;
    struct tcp_seg seg;

    assert_int_equal(tcp_parse(f->bytes + at, f->len_bytes - at, &seg), LA_DROP_NONE);
    for (uint32_t i = 0; i < seg.len; i++)
        assert_int_equal(seg.text[i], hand_byte(seq_raw(seg.seq) + i));
    return seg;
}

/* @change makes the second of three segments differ; are there then three frames? */
static void stays_apart(void (*change)(uint8_t *packet, bool v6))
{
    for (int v6 = 0; v6 < 2; v6++) {
        struct tcp_seg a = plain(0xffffffa0u, LEN);

        begin();
        put(v6, &a);
        a.seq = seq_add(a.seq, LEN);
        change(put(v6, &a), v6);
        merge();
        assert_int_equal(count, 2);
        assert_int_equal(frames[0].gso_size_bytes, 0);
        assert_int_equal(frames[0].flags, 0);
        assert_int_equal(frames[1].flags, 0);
    }
}

/* Change one byte and make the TCP checksum right again (RFC 1624). */
static void set(uint8_t *packet, bool v6, uint32_t at, uint8_t to)
{
    const uint32_t tcp = v6 ? 40 : 20, sum_at = at < tcp ? 10 : tcp + 16;
    const uint32_t even = at & ~1u;
    uint32_t sum = (uint32_t)packet[sum_at] << 8 | packet[sum_at + 1];

    sum = ~sum & 0xffff;
    sum += ~((uint32_t)packet[even] << 8 | packet[even + 1]) & 0xffff;
    packet[at] = to;
    sum += (uint32_t)packet[even] << 8 | packet[even + 1];
    sum = (sum & 0xffff) + (sum >> 16);
    sum = ~((sum & 0xffff) + (sum >> 16)) & 0xffff;
    if (at < tcp && v6)
        return; /* IPv6 has no checksum of its header */
    packet[sum_at] = (uint8_t)(sum >> 8);
    packet[sum_at + 1] = (uint8_t)sum;
}

TEST(consecutive_segments_of_one_flow_become_one_frame)
{
    for (int v6 = 0; v6 < 2; v6++) {
        struct tcp_seg a = plain(0xffffff00u, LEN); /* across the wrap */

        begin();
        for (int i = 0; i < 5; i++, a.seq = seq_add(a.seq, LEN))
            put(v6, &a);
        a.len = 33;
        a.flags |= TCP_PSH;
        put(v6, &a);
        merge();
        assert_int_equal(count, 1);
        assert_int_equal(frames[0].gso_size_bytes, LEN);
        assert_int_equal(frames[0].flags, LA_FRAME_CSUM_OK);
        const struct tcp_seg all = parse(&frames[0]);
        assert_int_equal(all.len, 533);
        assert_int_equal(seq_raw(all.seq), 0xffffff00u);
        assert_int_equal(all.flags, TCP_ACK | TCP_PSH);
    }
}

TEST(a_merged_frame_is_taken_by_the_stack_as_so_many_segments)
{
    for (int v6 = 0; v6 < 2; v6++) {
        struct hand h;

        hand_new(&h, &(struct hand_opt){ .v6 = v6 });
        hand_establish(&h, NULL);
        const uint64_t before = la_counter(h.s, LA_COUNT_InSegs);
        hand_conn(&h)->quick = 0;
        hand_conn(&h)->rcv_mss = LEN;
        begin();
        for (uint32_t i = 0; i < 8; i++) {
            struct tcp_seg seg = { .src_port = h.rport,
                                   .dst_port = h.lport,
                                   .seq = seq_add(h.irs, 1 + i * LEN),
                                   .ack = seq_add(h.iss, 1),
                                   .flags = TCP_ACK,
                                   .wnd = 1000,
                                   .len = LEN,
                                   .text = memory };
            uint8_t *at = memory + used;
            const uint32_t len = hand_packet(h.peer, h.us, &seg, at);
            frames[count++] = (struct la_frame){ .bytes = at, .len_bytes = len };
            used += len;
        }
        merge();
        assert_int_equal(count, 1);
        la_rx(h.s, h.now, frames, 1);
        assert_int_equal(la_counter(h.s, LA_COUNT_InSegs) - before, 8);
        assert_int_equal(la_counter(h.s, LA_COUNT_IpInHdrErrors), 0);
        assert_int_equal(hand_conn(&h)->rcvq.len_bytes, 8 * LEN);
        assert_int_equal(hand_drain(&h), 1); /* eight segments call for an ACK at once */
        hand_free(&h);
    }
}

TEST(the_frame_is_cut_where_a_segment_is_shorter_and_where_one_is_longer)
{
    static const uint32_t lens[] = { 100, 100, 60, 100, 100, 120, 120 };
    struct tcp_seg a = plain(1, 0);

    begin();
    for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
        a.len = lens[i];
        put(false, &a);
        a.seq = seq_add(a.seq, lens[i]);
    }
    merge();
    assert_int_equal(count, 3);
    assert_int_equal(parse(&frames[0]).len, 260);
    assert_int_equal(parse(&frames[1]).len, 200);
    assert_int_equal(parse(&frames[2]).len, 240);
    assert_int_equal(frames[2].gso_size_bytes, 120);
}

TEST(psh_ends_a_frame)
{
    struct tcp_seg a = plain(1, LEN);

    begin();
    for (int i = 0; i < 6; i++, a.seq = seq_add(a.seq, LEN)) {
        a.flags = i % 3 == 2 ? TCP_ACK | TCP_PSH : TCP_ACK;
        put(true, &a);
    }
    merge();
    assert_int_equal(count, 2);
    assert_int_equal(parse(&frames[0]).flags, TCP_ACK | TCP_PSH);
    assert_int_equal(parse(&frames[1]).len, 300);
}

static void other_flag(uint8_t *p, bool v6)
{
    static const uint8_t flags[] = { TCP_ACK | TCP_FIN,
                                     TCP_ACK | TCP_SYN,
                                     TCP_ACK | TCP_RST,
                                     TCP_ACK | TCP_URG,
                                     TCP_ACK | TCP_ECE,
                                     TCP_ACK | TCP_CWR,
                                     0 };
    static uint32_t i;

    set(p, v6, (v6 ? 40 : 20) + 13, flags[i++ / 2 % 7]);
}
static void other_ack(uint8_t *p, bool v6)
{
    set(p, v6, (v6 ? 40 : 20) + 11, 78);
}
static void other_window(uint8_t *p, bool v6)
{
    set(p, v6, (v6 ? 40 : 20) + 15, 9);
}
static void a_hole(uint8_t *p, bool v6)
{
    set(p, v6, (v6 ? 40 : 20) + 7, 5);
}
static void reserved_bit(uint8_t *p, bool v6)
{
    set(p, v6, (v6 ? 40 : 20) + 12, 0x51);
}
static void other_port(uint8_t *p, bool v6)
{
    set(p, v6, (v6 ? 40 : 20) + 1, 9);
}
static void other_ttl(uint8_t *p, bool v6)
{
    set(p, v6, v6 ? 7 : 8, 63);
}
static void congestion_experienced(uint8_t *p, bool v6)
{
    set(p, v6, 1, (uint8_t)(p[1] | (v6 ? 0x30 : 3)));
}
static void a_fragment(uint8_t *p, bool v6)
{
    if (v6)
        p[6] = 44; /* the next header is a fragment header */
    else
        set(p, v6, 6, 0x20);
}
static void wrong_checksum(uint8_t *p, bool v6)
{
    p[v6 ? 70 : 50] ^= 1;
}
static void wrong_length(uint8_t *p, bool v6)
{
    set(p, v6, v6 ? 5 : 3, (uint8_t)(p[v6 ? 5 : 3] - 1));
}

TEST(whatever_differs_keeps_segments_apart)
{
    for (int i = 0; i < 7; i++)
        stays_apart(other_flag);
    stays_apart(other_ack);
    stays_apart(other_window);
    stays_apart(a_hole);
    stays_apart(reserved_bit);
    stays_apart(other_port);
    stays_apart(other_ttl);
    stays_apart(congestion_experienced);
    stays_apart(a_fragment);
    stays_apart(wrong_checksum);
    stays_apart(wrong_length);
}

TEST(a_wrong_header_checksum_of_ipv4_is_left_for_the_stack_to_see)
{
    struct tcp_seg a = plain(1, LEN);

    for (int bad = 0; bad < 2; bad++) {
        begin();
        put(false, &a);
        a.seq = seq_add(a.seq, LEN);
        put(false, &a);
        memory[bad == 0 ? 10 : (uint32_t)(frames[1].bytes - memory) + 10] ^= 1;
        merge();
        assert_int_equal(count, 2);
    }
}

TEST(options_must_be_equal_to_the_byte)
{
    for (int differs = 0; differs < 2; differs++) {
        struct tcp_seg a = plain(1, LEN);

        a.opt.has_timestamps = true;
        a.opt.ts_val = 5;
        begin();
        put(false, &a);
        a.seq = seq_add(a.seq, LEN);
        a.opt.ts_val += (uint32_t)differs;
        put(false, &a);
        merge();
        assert_int_equal(count, 1 + differs);
    }
}

TEST(acks_without_text_are_never_merged)
{
    const struct tcp_seg a = plain(1, 0);

    begin();
    for (int i = 0; i < 4; i++)
        put(false, &a);
    merge();
    assert_int_equal(count, 4);
}

TEST(a_frame_never_grows_beyond_65535_bytes)
{
    struct tcp_seg a = plain(1, 1448);

    begin();
    for (uint32_t i = 0; i < BURST; i++, a.seq = seq_add(a.seq, 1448))
        put(false, &a);
    merge();
    assert_int_equal(count, 2);
    assert_int_equal(parse(&frames[0]).len, 45 * 1448);
    assert_int_equal(parse(&frames[1]).len, 19 * 1448);
}

TEST(what_a_device_has_merged_or_marked_is_left_alone)
{
    struct tcp_seg a = plain(1, LEN);

    for (int i = 0; i < 2; i++) {
        begin();
        put(false, &a);
        frames[0].gso_size_bytes = i == 0 ? 50 : 0;
        frames[0].flags = i == 0 ? 0 : LA_FRAME_MALFORMED;
        a.seq = seq_add(a.seq, LEN);
        put(false, &a);
        merge();
        assert_int_equal(count, 2);
    }
}

/* Bursts at random: cut again, the frames are the segments that came, in their order. */
TEST(merging_loses_and_reorders_nothing)
{
    uint64_t r = 7;

    for (int round = 0; round < 3000; round++) {
        struct tcp_seg sent[BURST];
        const uint32_t n = 1 + rng_below(&r, BURST - 1);
        uint32_t seq[2] = { (uint32_t)rng_next(&r), 0xffffff00u };

        begin();
        for (uint32_t i = 0; i < n; i++) {
            const uint32_t flow = rng_below(&r, 8) == 0;
            sent[i] = plain(seq[flow], rng_below(&r, 6) == 0 ? rng_below(&r, 1000) : 400);
            sent[i].src_port = (uint16_t)(1000 + flow);
            if (rng_below(&r, 9) == 0)
                sent[i].flags |= rng_below(&r, 2) ? TCP_PSH : TCP_FIN;
            if (rng_below(&r, 20) == 0)
                sent[i].wnd++;
            seq[flow] += sent[i].len + (rng_below(&r, 15) == 0);
            put(round % 2, &sent[i]);
        }
        merge();
        uint32_t at = 0;
        for (uint32_t i = 0; i < count; i++) {
            const struct tcp_seg whole = parse(&frames[i]);
            const uint32_t each = frames[i].gso_size_bytes ? frames[i].gso_size_bytes : whole.len;
            uint32_t from = 0;
            do {
                const struct tcp_seg *s = &sent[at++];
                const bool last = from + s->len == whole.len;
                assert_int_equal(s->len, last ? s->len : each);
                assert_int_equal(seq_raw(s->seq), (uint32_t)(seq_raw(whole.seq) + from));
                assert_int_equal(s->src_port, whole.src_port);
                assert_int_equal(s->wnd, whole.wnd);
                assert_int_equal(s->flags, last ? whole.flags : TCP_ACK);
                from += s->len;
            } while (from < whole.len);
            assert_int_equal(from, whole.len);
        }
        assert_int_equal(at, n);
    }
}

TEST_MAIN
