/* SPDX-License-Identifier: MIT */
/*
 * link_test.c - A link delays, limits, loses, doubles and reorders what was asked for.
 *
 * The hosts have no stacks: packets are handed to sim_send(), and what is planned to
 * arrive is read from the agenda.
 */
#include "tests/unit/test.h"

#include "sim/check/check.h"
#include "sim/memory.h"

#define PACKET_BYTES 1000u

struct bench {
    struct sim_world w;
    struct sim_host host[2];
    struct sim_link *link;
    uint8_t bytes[PACKET_BYTES];
};

static void begin(struct bench *b, const struct sim_link_opt *opt)
{
    memset(b, 0, sizeof *b);
    sim_world_init(&b->w, 1, NULL);
    for (unsigned i = 0; i < 2; i++) {
        b->host[i].w = &b->w;
        b->host[i].index = i;
        b->host[i].opt.mtu_bytes = 1500;
        b->host[i].addr4 = la_addr_v4(10, 0, 0, (uint8_t)(i + 1));
    }
    b->link = sim_link(&b->w, &b->host[0], &b->host[1], opt);
    memcpy(b->bytes, (const uint8_t[]){ 0x45, 0, PACKET_BYTES >> 8, PACKET_BYTES & 255 }, 4);
    b->bytes[9] = 17; /* not TCP: nobody judges it */
    b->bytes[12] = b->bytes[16] = 10;
    b->bytes[15] = 1;
    b->bytes[19] = 2;
    sim_checksum_repair(b->bytes, PACKET_BYTES);
}

static void end(struct bench *b)
{
    assert_false(b->w.failed);
    sim_world_free(&b->w);
}

/* Send @count packets now. */
static void send(struct bench *b, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        sim_send(&b->host[0], b->bytes, PACKET_BYTES);
}

struct arrivals {
    unsigned count, out_of_turn, corrupt;
    uint64_t first_ns, last_ns;
};

/* Take all that is planned, in order of arrival. */
static struct arrivals arrivals(struct bench *b)
{
    struct arrivals a = { 0 };
    struct sim_due due;
    uint64_t number = 0;

    while (sim_agenda_take(&b->w.agenda, &due)) {
        struct sim_packet *p = due.pointer;

        a.first_ns = a.count++ ? a.first_ns : due.at_ns;
        a.last_ns = due.at_ns;
        a.out_of_turn += p->number < number;
        number = p->number > number ? p->number : number;
        a.corrupt += memcmp(p->bytes, b->bytes, PACKET_BYTES) != 0;
        assert_int_equal(p->corrupt, memcmp(p->bytes, b->bytes, PACKET_BYTES) != 0);
        assert_ptr_equal(p->to, &b->host[1]);
        sim_release(p);
    }
    return a;
}

TEST(a_packet_arrives_after_the_delay)
{
    struct bench b;

    begin(&b, &(struct sim_link_opt){ .delay_us = 20000 });
    send(&b, 1);
    const struct arrivals a = arrivals(&b);

    assert_int_equal(a.count, 1);
    assert_int_equal(a.first_ns, sim_ms(20));
    end(&b);
}

TEST(packets_leave_at_the_rate)
{
    struct bench b;

    begin(&b, &(struct sim_link_opt){ .delay_us = 100, .rate_kbps = 8000 }); /* 1 ms each */
    send(&b, 50);
    const struct arrivals a = arrivals(&b);

    assert_int_equal(a.count, 50);
    assert_int_equal(a.first_ns, sim_us(1100));
    assert_int_equal(a.last_ns, sim_us(50100));
    assert_int_equal(a.out_of_turn, 0);
    end(&b);
}

TEST(a_full_queue_drops_the_newest)
{
    struct bench b;

    begin(&b, &(struct sim_link_opt){ .rate_kbps = 8000, .queue_bytes = 10 * PACKET_BYTES });
    send(&b, 50);
    const struct arrivals a = arrivals(&b);

    assert_int_equal(a.count, 10);
    assert_int_equal(b.link->way[0].gone, 40);
    end(&b);
}

TEST(jitter_stays_in_its_range_and_keeps_the_order)
{
    struct bench b;

    begin(&b, &(struct sim_link_opt){ .delay_us = 1000, .jitter_us = 500 });
    send(&b, 1000);
    const struct arrivals a = arrivals(&b);

    assert_int_equal(a.count, 1000);
    assert_int_equal(a.out_of_turn, 0);
    assert_true(a.first_ns >= sim_us(1000) && a.last_ns <= sim_us(1500));
    assert_true(a.last_ns > a.first_ns);
    end(&b);
}

TEST(one_packet_of_ten_is_lost_if_asked_for)
{
    struct bench b;

    begin(&b, &(struct sim_link_opt){ .loss_permille = 100 });
    send(&b, 10000);
    assert_in_range(arrivals(&b).count, 8880, 9120);
    end(&b);
}

TEST(one_packet_of_ten_is_doubled_if_asked_for)
{
    struct bench b;

    begin(&b, &(struct sim_link_opt){ .dup_permille = 100 });
    send(&b, 10000);
    assert_in_range(arrivals(&b).count, 10880, 11120);
    end(&b);
}

TEST(packets_overtake_only_if_asked_for)
{
    struct bench b;

    for (uint32_t permille = 0; permille <= 100; permille += 100) {
        begin(&b, &(struct sim_link_opt){
                      .delay_us = 1000, .rate_kbps = 80000, .reorder_permille = permille });
        send(&b, 1000);
        const struct arrivals a = arrivals(&b);

        assert_int_equal(a.count, 1000);
        assert_in_range(a.out_of_turn, permille ? 60 : 0, permille ? 140 : 0);
        end(&b);
    }
}

TEST(one_packet_of_ten_has_one_wrong_bit_if_asked_for)
{
    struct bench b;

    begin(&b, &(struct sim_link_opt){ .corrupt_permille = 100 });
    send(&b, 10000);
    const struct arrivals a = arrivals(&b);

    assert_int_equal(a.count, 10000);
    assert_in_range(a.corrupt, 880, 1120);
    end(&b);
}

TEST(nothing_passes_a_link_that_is_down_and_healing_ends_all_faults)
{
    struct bench b;

    begin(&b, &(struct sim_link_opt){ .loss_permille = 500,
                                      .dup_permille = 500,
                                      .reorder_permille = 500,
                                      .corrupt_permille = 500 });
    b.link->up = false;
    send(&b, 100);
    assert_int_equal(arrivals(&b).count, 0);

    sim_heal(&b.w);
    send(&b, 100);
    const struct arrivals a = arrivals(&b);

    assert_int_equal(a.count, 100);
    assert_int_equal(a.corrupt + a.out_of_turn, 0);
    end(&b);
}

static uint32_t lose_every_other(struct sim_world *w, void *context, struct sim_packet *packet,
                                 const struct sim_segment *seg)
{
    unsigned *n = context;

    (void)w;
    (void)packet;
    (void)seg;
    return (*n)++ % 2 ? SIM_LOST : 0;
}

TEST(a_tap_decides_before_chance_does)
{
    struct bench b;
    unsigned n = 0;

    begin(&b, &(struct sim_link_opt){ .delay_us = 10 });
    sim_link_tap(b.link, lose_every_other, &n);
    send(&b, 100);

    assert_int_equal(n, 100);
    assert_int_equal(arrivals(&b).count, 50);
    end(&b);
}

TEST(a_packet_for_nobody_goes_nowhere)
{
    struct bench b;

    begin(&b, &(struct sim_link_opt){ .delay_us = 10 });
    b.bytes[19] = 9;
    sim_checksum_repair(b.bytes, PACKET_BYTES);
    send(&b, 1);

    assert_int_equal(arrivals(&b).count, 0);
    end(&b);
}

TEST_MAIN
