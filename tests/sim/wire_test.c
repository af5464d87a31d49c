/* SPDX-License-Identifier: MIT */
/*
 * wire_test.c - The wire checker sees what it is there to see.
 *
 * Segments are told to it as one line each: side, flags, relative seq and ack, length,
 * window.  ISNs stand at the edges of the sequence space, so that a checker that does
 * not wrap fails here.
 */
#include "tests/unit/test.h"

#include "sim/check/check.h"
#include "sim/memory.h"

struct bench {
    struct sim_world w;
    struct sim_host host[2];
    struct la_endpoint end[2];
    uint32_t isn[2];
};

static void begin(struct bench *b, uint32_t isn0, uint32_t isn1)
{
    *b = (struct bench){ .isn = { isn0, isn1 } };
    sim_world_init(&b->w, 1, NULL);
    for (unsigned i = 0; i < 2; i++) {
        b->host[i].w = &b->w;
        b->host[i].name[0] = (char)('A' + i);
        b->host[i].opt.mtu_bytes = 1500;
        b->end[i].addr = la_addr_v4(10, 0, 0, (uint8_t)(i + 1));
        b->end[i].port = (uint16_t)(80 + i);
    }
}

static struct sim_segment segment(const struct bench *b, unsigned from, uint8_t flags, uint32_t seq,
                                  uint32_t ack, uint32_t len, uint16_t window)
{
    return (struct sim_segment){
        .ip = true,
        .tcp = true,
        .checksum_right = true,
        .from = b->end[from],
        .to = b->end[1 - from],
        .flags = flags,
        .seq = b->isn[from] + seq,
        .ack = flags & SIM_ACK ? b->isn[1 - from] + ack : 0,
        .window = window,
        .text_bytes = len,
    };
}

/* What arrives is read from bytes, so make some. */
static void arrive(struct bench *b, const struct sim_segment *seg, uint32_t incarnation)
{
    struct sim_packet *p = sim_take(sizeof *p + 44);
    uint8_t *ip = p->bytes, *tcp = p->bytes + 20;
    const uint32_t numbers[] = { seg->seq, seg->ack };

    p->incarnation = incarnation;
    p->len_bytes = seg->has_scale ? 44 : 40;
    ip[0] = 0x45;
    ip[3] = (uint8_t)p->len_bytes;
    ip[9] = 6;
    memcpy(ip + 12, seg->from.addr.bytes + 12, 4);
    memcpy(ip + 16, seg->to.addr.bytes + 12, 4);
    tcp[1] = (uint8_t)seg->from.port;
    tcp[3] = (uint8_t)seg->to.port;
    for (unsigned i = 0; i < 8; i++)
        tcp[4 + i] = (uint8_t)(numbers[i / 4] >> (24 - 8 * (i % 4)));
    tcp[12] = seg->has_scale ? 0x60 : 0x50;
    tcp[13] = seg->flags;
    tcp[14] = (uint8_t)(seg->window >> 8);
    tcp[15] = (uint8_t)seg->window;
    memcpy(tcp + 20, (const uint8_t[]){ 3, 3, seg->scale, 0 }, 4);
    sim_checksum_repair(ip, p->len_bytes);
    sim_wire_arrived(&b->w, p);
    sim_release(p);
}

/* Send a segment and let it arrive.  Return: what the checker says, NULL if nothing. */
static const char *tell(struct bench *b, struct sim_segment seg)
{
    const unsigned from = seg.from.port - 80u;

    b->w.failed = false;
    arrive(b, &seg, sim_wire_sent(&b->host[from], &seg, 40 + seg.text_bytes));
    return b->w.failed ? b->w.message : NULL;
}

static void shake_hands(struct bench *b, uint8_t scale)
{
    struct sim_segment seg = segment(b, 0, SIM_SYN, 0, 0, 0, 1000);

    seg.has_mss = seg.has_scale = true;
    seg.mss = 500;
    seg.scale = scale;
    assert_null(tell(b, seg));
    seg = segment(b, 1, SIM_SYN | SIM_ACK, 0, 1, 0, 2000);
    seg.has_mss = seg.has_scale = true;
    seg.mss = 500;
    seg.scale = scale;
    assert_null(tell(b, seg));
    assert_null(tell(b, segment(b, 0, SIM_ACK, 1, 1, 0, (uint16_t)(1000 >> scale))));
}

static const uint32_t isns[] = { 0, 0x7fffffff, 0xffffffff, 0x12345678 };

#define AT_EVERY_ISN(b, scale)                                                                     \
    for (unsigned o = 0; o < 4; o++, sim_world_free(&(b)->w))                                      \
        for (bool once = (begin((b), isns[o], isns[3 - o]), shake_hands((b), scale), true); once;  \
             once = false)

#define SAYS(what, words)                                                                          \
    do {                                                                                           \
        const char *words_of_it = what;                                                            \
        assert_non_null(words_of_it);                                                              \
        assert_non_null(strstr(words_of_it, words));                                               \
    } while (0)

TEST(text_within_the_window_is_fine)
{
    struct bench b;

    AT_EVERY_ISN(&b, 0)
    {
        assert_null(tell(&b, segment(&b, 0, SIM_ACK, 1, 1, 500, 1000)));
        assert_null(tell(&b, segment(&b, 0, SIM_ACK, 501, 1, 500, 1000)));
        assert_null(tell(&b, segment(&b, 0, SIM_ACK, 1, 1, 500, 1000))); /* again */
        assert_null(tell(&b, segment(&b, 1, SIM_ACK, 1, 1001, 0, 1000)));
    }
}

TEST(text_beyond_the_window_is_seen)
{
    struct bench b;

    AT_EVERY_ISN(&b, 0)
    {
        for (uint32_t at = 1; at < 2001; at += 500)
            assert_null(tell(&b, segment(&b, 0, SIM_ACK, at, 1, 500, 1000)));
        SAYS(tell(&b, segment(&b, 0, SIM_ACK, 2001, 1, 2, 1000)), "beyond the window");
    }
}

TEST(one_byte_into_a_full_window_is_a_probe)
{
    struct bench b;

    AT_EVERY_ISN(&b, 0)
    {
        for (uint32_t at = 1; at < 2001; at += 500)
            assert_null(tell(&b, segment(&b, 0, SIM_ACK, at, 1, 500, 1000)));
        assert_null(tell(&b, segment(&b, 0, SIM_ACK, 2001, 1, 1, 1000)));
        SAYS(tell(&b, segment(&b, 0, SIM_ACK, 2002, 1, 1, 1000)), "beyond the window");
    }
}

TEST(a_window_counts_only_when_it_has_arrived)
{
    struct bench b;

    AT_EVERY_ISN(&b, 0)
    {
        const struct sim_segment lost = segment(&b, 1, SIM_ACK, 1, 1, 0, 9000);

        sim_wire_sent(&b.host[1], &lost, 40);
        for (uint32_t at = 1; at < 2001; at += 500)
            assert_null(tell(&b, segment(&b, 0, SIM_ACK, at, 1, 500, 1000)));
        SAYS(tell(&b, segment(&b, 0, SIM_ACK, 2001, 1, 500, 1000)), "beyond the window");
    }
}

TEST(windows_are_scaled_but_not_on_a_syn)
{
    struct bench b;

    AT_EVERY_ISN(&b, 3)
    {
        for (uint32_t at = 1; at < 2001; at += 500)
            assert_null(tell(&b, segment(&b, 0, SIM_ACK, at, 1, 500, 125)));
        assert_null(tell(&b, segment(&b, 1, SIM_ACK, 1, 2001, 0, 100))); /* 800 */
        assert_null(tell(&b, segment(&b, 0, SIM_ACK, 2001, 1, 500, 125)));
        assert_null(tell(&b, segment(&b, 0, SIM_ACK, 2501, 1, 300, 125)));
        SAYS(tell(&b, segment(&b, 0, SIM_ACK, 2801, 1, 8, 125)), "beyond the window");
    }
}

TEST(a_right_edge_that_moves_left_is_seen)
{
    struct bench b;

    AT_EVERY_ISN(&b, 0)
    {
        assert_null(tell(&b, segment(&b, 0, SIM_ACK, 1, 1, 500, 1000)));
        assert_null(tell(&b, segment(&b, 1, SIM_ACK, 1, 501, 0, 1500)));
        SAYS(tell(&b, segment(&b, 1, SIM_ACK, 1, 501, 0, 1499)), "to the left");
    }
}

TEST(a_gap_is_seen)
{
    struct bench b;

    AT_EVERY_ISN(&b, 0)
    {
        SAYS(tell(&b, segment(&b, 0, SIM_ACK, 2, 1, 10, 1000)), "gap");
    }
}

TEST(more_than_the_mss_is_seen)
{
    struct bench b;

    AT_EVERY_ISN(&b, 0)
    {
        SAYS(tell(&b, segment(&b, 0, SIM_ACK, 1, 1, 501, 1000)), "MSS");
    }
}

TEST(acknowledging_the_unsent_or_less_than_before_is_seen)
{
    struct bench b;

    AT_EVERY_ISN(&b, 0)
    {
        assert_null(tell(&b, segment(&b, 0, SIM_ACK, 1, 1, 500, 1000)));
        SAYS(tell(&b, segment(&b, 1, SIM_ACK, 1, 502, 0, 2000)), "never sent");
        assert_null(tell(&b, segment(&b, 1, SIM_ACK, 1, 501, 0, 2000)));
        SAYS(tell(&b, segment(&b, 1, SIM_ACK, 1, 500, 0, 2001)), "less than before");
    }
}

TEST(a_fin_stays_where_it_is)
{
    struct bench b;

    AT_EVERY_ISN(&b, 0)
    {
        assert_null(tell(&b, segment(&b, 0, SIM_ACK | SIM_FIN, 1, 1, 100, 1000)));
        assert_null(tell(&b, segment(&b, 0, SIM_ACK | SIM_FIN, 101, 1, 0, 1000)));
        SAYS(tell(&b, segment(&b, 0, SIM_ACK | SIM_FIN, 102, 1, 0, 1000)), "moves its FIN");
        SAYS(tell(&b, segment(&b, 0, SIM_ACK, 1, 1, 101, 1000)), "after its FIN");
    }
}

TEST(a_wrong_checksum_or_size_is_seen)
{
    struct bench b;

    AT_EVERY_ISN(&b, 0)
    {
        struct sim_segment seg = segment(&b, 0, SIM_ACK, 1, 1, 0, 1000);

        seg.checksum_right = false;
        SAYS(tell(&b, seg), "checksum");
        seg.checksum_right = true;
        b.w.failed = false;
        sim_wire_sent(&b.host[0], &seg, 1501);
        SAYS(b.w.failed ? b.w.message : NULL, "MTU");
    }
}

TEST(acks_without_end_are_seen)
{
    struct bench b;

    AT_EVERY_ISN(&b, 0)
    {
        const char *said = NULL;

        for (unsigned i = 0; i < 10000 && !said; i++)
            said = tell(&b, segment(&b, i % 2, SIM_ACK, 1, 1, 0, i % 2 ? 2000 : 1000));
        SAYS(said, "nothing but ACKs");
    }
}

TEST(a_new_syn_begins_a_new_incarnation)
{
    struct bench b;

    AT_EVERY_ISN(&b, 0)
    {
        assert_null(tell(&b, segment(&b, 0, SIM_ACK, 1, 1, 500, 1000)));
        assert_null(tell(&b, segment(&b, 1, SIM_ACK, 1, 501, 0, 2000)));
        b.isn[0] += 1000000;
        b.isn[1] += 2000000;
        shake_hands(&b, 0);
        assert_null(tell(&b, segment(&b, 0, SIM_ACK, 1, 1, 500, 1000)));
        SAYS(tell(&b, segment(&b, 0, SIM_ACK, 502, 1, 10, 1000)), "gap");
    }
}

TEST_MAIN
