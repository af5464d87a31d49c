/* SPDX-License-Identifier: MIT */
/* agenda_test.c - Things happen in order of time, and then in order of planning. */
#include "tests/unit/test.h"

#include "sim/agenda.h"
#include "sim/prng.h"

TEST(an_empty_agenda_has_nothing)
{
    struct sim_agenda a = { 0 };
    struct sim_due due;

    assert_null(sim_agenda_first(&a));
    assert_false(sim_agenda_take(&a, &due));
    sim_agenda_free(&a);
}

TEST(ten_thousand_random_times_come_out_sorted)
{
    struct sim_agenda a = { 0 };
    struct sim_prng p;
    struct sim_due due;
    uint64_t last_ns = 0, last_order = 0;
    unsigned taken = 0;

    sim_prng_seed(&p, 1);
    for (unsigned i = 0; i < 10000; i++)
        sim_agenda_add(&a, sim_prng_below(&p, 500), 1, i, NULL);
    while (sim_agenda_take(&a, &due)) {
        assert_true(due.at_ns > last_ns || (due.at_ns == last_ns && due.order >= last_order));
        last_ns = due.at_ns;
        last_order = due.order;
        taken++;
    }
    assert_int_equal(taken, 10000);
    sim_agenda_free(&a);
}

TEST(what_is_due_at_one_instant_keeps_its_order)
{
    struct sim_agenda a = { 0 };
    struct sim_due due;

    for (uint32_t i = 0; i < 100; i++)
        sim_agenda_add(&a, 5, 1, i, NULL);
    for (uint32_t i = 0; i < 100; i++) {
        assert_true(sim_agenda_take(&a, &due));
        assert_int_equal(due.index, i);
    }
    sim_agenda_free(&a);
}

TEST(adding_while_taking_keeps_the_order)
{
    struct sim_agenda a = { 0 };
    struct sim_prng p;
    struct sim_due due;
    uint64_t now_ns = 0;

    sim_prng_seed(&p, 2);
    sim_agenda_add(&a, 0, 1, 0, NULL);
    for (unsigned i = 0; i < 5000 && sim_agenda_take(&a, &due); i++) {
        assert_true(due.at_ns >= now_ns);
        now_ns = due.at_ns;
        sim_agenda_add(&a, now_ns + sim_prng_below(&p, 100), 1, 0, NULL);
        if (i % 3 == 0)
            sim_agenda_add(&a, now_ns + sim_prng_below(&p, 1000), 1, 0, NULL);
    }
    sim_agenda_free(&a);
}

TEST_MAIN
