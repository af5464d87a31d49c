/* SPDX-License-Identifier: MIT */
/*
 * planted_test.c - Whole worlds with something wrong in them: a checker must say so.
 *
 * A checker that never fires proves nothing, so each is given what it looks for: a wire
 * that forges text, a forgotten connection, a lost event, a clone that hears other calls.
 */
#include "tests/unit/test.h"

#include <stdlib.h>

#include "sim/check/check.h"
#include "sim/runner.h"

struct bench {
    struct sim_world w;
    struct sim_pair p;
    struct sim_flow *flow;
};

/* A transfer of a hundred thousand bytes, about to begin. */
static void begin(struct bench *b)
{
    const struct sim_flow_opt flow = { .end = { { .send_bytes = 100000, .close = SIM_CLOSE_HALF },
                                                { .close = SIM_CLOSE_LAST } } };

    sim_world_init(&b->w, 42, NULL);
    b->w.check_every = 1;
    b->p = sim_pair(&b->w, &(struct sim_link_opt){ .delay_us = 10000, .rate_kbps = 10000 });
    b->flow = sim_flow(&b->w, b->p.a, b->p.b, &flow);
}

static void says(struct bench *b, const char *words)
{
    if (!b->w.failed)
        fail_msg("no checker noticed; expected \"%s\"", words);
    if (!strstr(b->w.message, words))
        fail_msg("\"%s\", not \"%s\"", b->w.message, words);
    sim_world_free(&b->w);
}

TEST(a_world_without_a_fault_finishes_and_rests)
{
    struct bench b;

    begin(&b);
    sim_end(&b.w, sim_s(30));

    if (b.w.failed)
        fail_msg("%s", b.w.message);
    assert_int_equal(b.flow->app[1].received, 100000);
    assert_int_equal(b.flow->app[1].end, SIM_END_EOF);
    sim_world_free(&b.w);
}

/* Change a byte of text and make the checksum right again. */
static uint32_t forge(struct sim_world *w, void *context, struct sim_packet *packet,
                      const struct sim_segment *seg)
{
    unsigned *countdown = context;

    (void)w;
    if (seg->text_bytes == 0 || --*countdown != 0)
        return 0;
    packet->bytes[seg->header_bytes] ^= 0x40;
    sim_checksum_repair(packet->bytes, packet->len_bytes);
    return 0;
}

TEST(text_forged_on_the_wire_is_noticed_where_it_is_read)
{
    struct bench b;
    unsigned countdown = 20;

    begin(&b);
    sim_link_tap(b.p.link, forge, &countdown);
    sim_end(&b.w, sim_s(30));

    says(&b, "is not the byte written there");
}

/* Make the window in every ACK of the receiver zero, and the checksum right again. */
static uint32_t shut_the_window(struct sim_world *w, void *context, struct sim_packet *packet,
                                const struct sim_segment *seg)
{
    (void)w;
    if (packet->from != context || !seg->tcp || seg->flags & SIM_SYN)
        return 0;
    packet->bytes[seg->ip_header_bytes + 14] = packet->bytes[seg->ip_header_bytes + 15] = 0;
    sim_checksum_repair(packet->bytes, packet->len_bytes);
    return 0;
}

TEST(a_flow_that_never_finishes_is_noticed)
{
    struct bench b;

    begin(&b);
    sim_link_tap(b.p.link, shut_the_window, b.p.b);
    sim_end(&b.w, sim_s(30));

    says(&b, "not finished within 30 s");
}

TEST(a_connection_that_nobody_closes_is_noticed)
{
    struct bench b;
    la_conn_id forgotten;

    begin(&b);
    sim_finish(&b.w, sim_s(30));
    sim_run_for(&b.w, sim_s(70));
    const struct la_endpoint local = { .addr = b.p.a->addr4 },
                             remote = { .addr = b.p.b->addr4, .port = 9 };

    assert_int_equal(sim_call_open(b.p.a, local, remote, 0, &forgotten), LA_OK);
    sim_call_set_user(b.p.a, forgotten, 1);
    b.flow->app[0].conn = forgotten; /* so that its event has an owner who forgot it */
    b.flow->app[0].released_in_drain = b.p.a->drain + 1;
    sim_rest(&b.w);

    assert_true(b.w.failed);
    sim_world_free(&b.w);
}

TEST(an_event_that_got_lost_is_noticed)
{
    struct bench b;

    begin(&b);
    sim_run_for(&b.w, sim_ms(50)); /* in mid-transfer */
    b.flow->app[1].mask ^= LA_URGENT;
    sim_check_turn(b.p.b);
    sim_end(&b.w, sim_s(30));

    says(&b, "readiness changed without an event");
}

TEST(a_clone_that_goes_its_own_way_is_noticed)
{
    struct bench b;

    begin(&b);
    b.p.a->opt.twin_permille = 1000;
    sim_run_for(&b.w, sim_ms(50));
    assert_non_null(b.p.a->twin.stack);
    assert_false(b.w.failed);
    assert_int_equal(la_sysctl_set(b.p.a->stack, "net.lastack.tcp_msl_ms", 1234), LA_OK);
    assert_int_equal(la_abort(b.p.a->stack, sim_host_now(b.p.a), b.flow->app[0].conn), LA_OK);
    sim_run_for(&b.w, sim_ms(100));

    says(&b, "clone");
}

TEST(clones_that_take_over_change_nothing)
{
    struct sim_world w;
    uint32_t made = 0;

    for (uint64_t seed = 1; seed <= 5; seed++) {
        sim_world_init(&w, seed, NULL);
        const struct sim_pair p =
            sim_pair(&w, &(struct sim_link_opt){ .delay_us = 5000, .loss_permille = 50 });
        const struct sim_flow_opt flow = { .end = { { .send_bytes = 50000 }, { 0 } } };

        p.a->opt.twin_permille = p.b->opt.twin_permille = 500;
        sim_flow(&w, p.a, p.b, &flow);
        sim_run_for(&w, sim_s(5));
        sim_end(&w, sim_s(60));
        if (w.failed)
            fail_msg("seed %u: %s", (unsigned)seed, w.message);
        made += p.a->twin.made + p.b->twin.made;
        sim_world_free(&w);
    }
    assert_true(made > 10);
}

TEST(two_runs_of_a_seed_are_equal_and_two_seeds_are_not)
{
    struct sim_result first, again, other;

    sim_run(&sim_scenario_swarm, 7, NULL, &first);
    sim_run(&sim_scenario_swarm, 7, NULL, &again);
    sim_run(&sim_scenario_swarm, 8, NULL, &other);

    assert_true(first.hash == again.hash);
    assert_true(first.packets == again.packets);
    assert_true(first.hash != other.hash);
}

TEST(a_trace_changes_nothing_in_the_run)
{
    struct sim_result quiet, traced;
    FILE *out = tmpfile();

    assert_non_null(out);
    sim_run(&sim_scenario_lossy, 3, NULL, &quiet);
    sim_run(&sim_scenario_lossy, 3, out, &traced);

    assert_true(quiet.hash == traced.hash);
    assert_true(ftell(out) > 1000);
    fclose(out);
}

TEST(hosts_choose_the_isns_they_were_aimed_at)
{
    struct sim_world w;

    sim_world_init(&w, 1, NULL);
    const struct sim_pair p = sim_pair(&w, &(struct sim_link_opt){ .delay_us = 3000 });
    const struct la_endpoint client = { p.a->addr6, 1234 }, server = { p.b->addr6, 80 };
    const struct sim_flow_opt opt = { .v6 = true, .client_port = 1234 };

    sim_host_aim(p.a, 0, client, server, 0xfffffff0);
    sim_host_aim(p.b, sim_us(3000), server, client, 0x7ffffff0);
    const struct sim_flow *f = sim_flow(&w, p.a, p.b, &opt);

    sim_run_for(&w, sim_ms(10));
    assert_int_equal(f->app[0].info.iss, 0xfffffff0);
    assert_int_equal(f->app[1].info.iss, 0x7ffffff0);
    sim_end(&w, sim_s(10));
    assert_false(w.failed);
    sim_world_free(&w);
}

static void crash(struct sim_world *w)
{
    if (w->seed == 5)
        abort();
    SIM_REQUIRE(w, w->seed != 7, "seven is not allowed");
}

struct tally {
    unsigned done, crashed, broken;
};

static void count(void *context, const struct sim_scenario *scenario, uint64_t seed,
                  const struct sim_result *result)
{
    struct tally *t = context;

    (void)scenario;
    t->done++;
    t->crashed += seed == 5 && !result->ok && strstr(result->message, "signal") != NULL;
    t->broken += seed == 7 && !result->ok && strstr(result->message, "seven") != NULL;
}

TEST(a_worker_that_crashes_takes_only_its_seed_with_it)
{
    static const struct sim_scenario crashing = { "crashing", 0, crash };
    const struct sim_plan plan = { .only = &crashing, .from = 1, .to = 20 };

    for (uint32_t workers = 1; workers <= 3; workers++) {
        struct tally t = { 0 };

        assert_int_equal(sim_run_plan(&plan, workers, 100, count, &t), 2);
        assert_int_equal(t.done, 20);
        assert_int_equal(t.crashed, 1);
        assert_int_equal(t.broken, 1);
    }
}

TEST_MAIN
