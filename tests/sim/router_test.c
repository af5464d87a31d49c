/* SPDX-License-Identifier: MIT */
/*
 * router_test.c - A router counts down, knows the shortest way, and says why it can not go on.
 *
 * The ends are scripts that keep the last packet that came.
 */
#include "tests/unit/test.h"

#include "sim/memory.h"
#include "sim/router.h"

struct end {
    struct sim_host *host;
    uint32_t count, len;
    uint8_t bytes[SIM_MTU_MAX];
};

struct bench {
    struct sim_world w;
    struct end a, b;
    struct sim_router *r;
    struct sim_link *far;
    bool v6;
};

static void keep(struct sim_host *h, void *context, const struct sim_packet *p)
{
    struct end *e = context;

    (void)h;
    e->count++;
    e->len = p->len_bytes;
    memcpy(e->bytes, p->bytes, p->len_bytes);
}

static void make_end(struct bench *b, struct end *e)
{
    e->host = sim_host(&b->w, NULL);
    e->host->opt.mtu_bytes = 1500;
    e->host->script = keep;
    e->host->script_context = e;
}

/* A - router - B. */
static void begin(struct bench *b, bool v6)
{
    const struct sim_link_opt opt = { .delay_us = 1000 };

    memset(b, 0, sizeof *b);
    b->v6 = v6;
    sim_world_init(&b->w, 1, NULL);
    make_end(b, &b->a);
    make_end(b, &b->b);
    b->r = sim_router(&b->w);
    sim_link(&b->w, b->a.host, b->r->host, &opt);
    b->far = sim_link(&b->w, b->r->host, b->b.host, &opt);
    b->a.host->gateway = b->b.host->gateway = b->r->host;
}

static void end(struct bench *b)
{
    assert_false(b->w.failed);
    sim_world_free(&b->w);
}

/* From A to host number @to: @len bytes of protocol 253, which nobody reads. */
static void send(struct bench *b, uint8_t ttl, uint32_t len, uint8_t to)
{
    uint8_t bytes[1500] = { 0 };

    if (b->v6) {
        bytes[0] = 0x60;
        bytes[4] = (uint8_t)((len - 40) >> 8);
        bytes[5] = (uint8_t)(len - 40);
        bytes[6] = 253;
        bytes[7] = ttl;
        memcpy(bytes + 8, b->a.host->addr6.bytes, 16);
        memcpy(bytes + 24, b->b.host->addr6.bytes, 16);
        bytes[39] = to;
    } else {
        memcpy(bytes, (const uint8_t[]){ 0x45, 0, (uint8_t)(len >> 8), (uint8_t)len }, 4);
        bytes[8] = ttl;
        bytes[9] = 253;
        memcpy(bytes + 12, b->a.host->addr4.bytes + 12, 4);
        memcpy(bytes + 16, b->b.host->addr4.bytes + 12, 4);
        bytes[19] = to;
        sim_checksum_repair(bytes, len);
    }
    sim_send(b->a.host, bytes, len);
    sim_run_for(&b->w, sim_ms(50));
}

static void assert_icmp(const struct end *e, bool v6, uint8_t type, uint8_t code, uint32_t mtu)
{
    const uint8_t *icmp = e->bytes + (v6 ? 40 : 20);

    assert_int_equal(e->bytes[v6 ? 6 : 9], v6 ? 58 : 1);
    assert_int_equal(icmp[0], type);
    assert_int_equal(icmp[1], code);
    assert_int_equal(icmp[6] << 8 | icmp[7], mtu);
    assert_int_equal(icmp[8], v6 ? 0x60 : 0x45); /* what it is about */
}

TEST(it_takes_one_from_the_ttl_and_passes_the_packet_on)
{
    for (unsigned v6 = 0; v6 < 2; v6++) {
        struct bench b;
        struct sim_segment seg;

        begin(&b, v6);
        send(&b, 64, 100, 2);
        assert_int_equal(b.b.count, 1);
        assert_int_equal(b.b.len, 100);
        assert_int_equal(b.b.bytes[v6 ? 7 : 8], 63);
        assert_int_equal(b.r->last_ttl, 63);
        sim_segment_read(b.b.bytes, b.b.len, &seg);
        assert_true(seg.ip); /* and the header's checksum is right again */
        assert_int_equal(b.a.count, 0);
        end(&b);
    }
}

TEST(with_the_last_hop_used_up_it_answers_time_exceeded)
{
    for (unsigned v6 = 0; v6 < 2; v6++) {
        struct bench b;

        begin(&b, v6);
        send(&b, 1, 100, 2);
        assert_int_equal(b.b.count, 0);
        assert_int_equal(b.a.count, 1);
        assert_int_equal(b.r->expired, 1);
        assert_icmp(&b.a, v6, v6 ? 3 : 11, 0, 0);
        assert_int_equal(b.a.bytes[(v6 ? 40 : 20) + 8 + (v6 ? 7 : 8)], 1); /* as it came */
        end(&b);
    }
}

TEST(what_is_too_big_for_the_next_link_is_answered_with_its_mtu)
{
    for (unsigned v6 = 0; v6 < 2; v6++) {
        struct bench b;

        begin(&b, v6);
        b.far->opt.mtu_bytes = 1300;
        send(&b, 64, 1300, 2);
        assert_int_equal(b.b.count, 1);
        send(&b, 64, 1301, 2);
        assert_int_equal(b.b.count, 1);
        assert_int_equal(b.r->too_big, 1);
        assert_icmp(&b.a, v6, v6 ? 2 : 3, v6 ? 0 : 4, 1300);
        assert_true(b.a.len <= (v6 ? 1280 : 576));
        end(&b);
    }
}

TEST(a_silent_router_is_a_black_hole)
{
    struct bench b;

    begin(&b, false);
    b.far->opt.mtu_bytes = 1300;
    b.r->silent = true;
    send(&b, 64, 1400, 2);
    send(&b, 1, 100, 2);
    send(&b, 64, 100, 9);
    assert_int_equal(b.a.count, 0);
    assert_int_equal(b.b.count, 0);
    assert_int_equal(b.r->too_big + b.r->expired + b.r->unreachable, 3);
    assert_int_equal(b.r->answers, 0);
    end(&b);
}

TEST(where_no_way_leads_the_host_is_unreachable)
{
    for (unsigned v6 = 0; v6 < 2; v6++) {
        struct bench b;

        begin(&b, v6);
        send(&b, 64, 100, 9);
        assert_icmp(&b.a, v6, v6 ? 1 : 3, v6 ? 0 : 1, 0);
        b.r->says_down = true;
        b.far->up = false;
        send(&b, 64, 100, 2);
        assert_int_equal(b.a.count, 2);
        b.r->says_down = false; /* then the link loses it, and nobody knows */
        send(&b, 64, 100, 2);
        assert_int_equal(b.a.count, 2);
        assert_int_equal(b.b.count, 0);
        end(&b);
    }
}

TEST(of_two_ways_it_takes_the_shorter_and_the_other_when_that_is_down)
{
    const struct sim_link_opt opt = { .delay_us = 1000 };
    struct bench b;
    struct sim_router *round;

    begin(&b, false);
    round = sim_router(&b.w);
    sim_link(&b.w, b.r->host, round->host, &opt);
    sim_link(&b.w, round->host, b.b.host, &opt);
    send(&b, 64, 100, 2);
    assert_int_equal(round->forwarded, 0);
    b.r->says_down = true;
    b.far->up = false;
    send(&b, 64, 100, 2);
    assert_int_equal(round->forwarded, 1);
    assert_int_equal(b.b.count, 2);
    assert_int_equal(b.b.bytes[8], 62);
    end(&b);
}

TEST(it_holds_one_packet_as_long_as_it_is_told)
{
    struct bench b;

    begin(&b, false);
    b.r->hold_ns = sim_s(10);
    send(&b, 64, 100, 2);
    send(&b, 64, 200, 2);
    assert_int_equal(b.b.count, 1);
    assert_int_equal(b.b.len, 200);
    sim_run_for(&b.w, sim_s(10));
    assert_int_equal(b.b.count, 2);
    assert_int_equal(b.b.len, 100);
    end(&b);
}

TEST(a_damaged_header_and_an_error_that_can_not_go_on_are_answered_by_nobody)
{
    struct bench b;
    uint8_t bytes[60] = { 0x45, 0, 0, 60, 0, 0, 0, 0, 1, 1 };

    begin(&b, false);
    memcpy(bytes + 12, b.a.host->addr4.bytes + 12, 4);
    memcpy(bytes + 16, b.b.host->addr4.bytes + 12, 4);
    bytes[20] = 3; /* an ICMP error, at its last hop */
    sim_checksum_repair(bytes, sizeof bytes);
    sim_send(b.a.host, bytes, sizeof bytes);
    sim_run_for(&b.w, sim_ms(50));
    assert_int_equal(b.r->expired, 1);
    assert_int_equal(b.a.count, 0);
    bytes[10] ^= 1;
    b.w.plain = true;
    sim_send(b.a.host, bytes, sizeof bytes);
    sim_run_for(&b.w, sim_ms(50));
    assert_int_equal(b.r->damaged, 1);
    assert_int_equal(b.a.count, 0);
    end(&b);
}

TEST_MAIN
