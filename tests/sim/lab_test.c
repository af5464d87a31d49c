/* SPDX-License-Identifier: MIT */
/*
 * lab_test.c - Every demonstration holds, over both IPs, at two origins of sequence numbers, and says
 * the same words at both; and a claim that is false is told.
 */
#include "tests/unit/test.h"

#include "cli/lab_print.h"

#define BEFORE_WRAP 0xfffffff0u

static char *told(const struct lab_scenario *s, const struct lab_options *options, bool *held)
{
    struct lab l;
    char *text = NULL;
    size_t bytes = 0;
    FILE *to = open_memstream(&text, &bytes);

    assert_non_null(to);
    lab_run_scenario(&l, s, options);
    lab_print(&l, to);
    *held = lab_held(&l);
    lab_free(&l);
    assert_int_equal(fclose(to), 0);
    return text;
}

static const char *first_failure(char *text)
{
    char *at = strstr(text, "\n  not ok");

    if (!at)
        return "?";
    at[1 + strcspn(at + 1, "\n")] = '\0';
    return at + 1;
}

static void same_words(const char *a, const char *b)
{
    while (*a != '\0' || *b != '\0') {
        const size_t n = strcspn(a, "\n"), m = strcspn(b, "\n");

        if (n != m || memcmp(a, b, n) != 0)
            fail_msg("at one origin \"%.*s\", at the other \"%.*s\"", (int)n, a, (int)m, b);
        a += n + (a[n] == '\n');
        b += m + (b[m] == '\n');
    }
}

static void check_all(bool v6)
{
    for (uint32_t i = 0; i < lab_scenario_count; i++) {
        const struct lab_options low = { .v6 = v6 }, high = { .v6 = v6, .origin = BEFORE_WRAP };
        bool held[2];
        char *first = told(lab_scenarios[i], &low, &held[0]);
        char *second = told(lab_scenarios[i], &high, &held[1]);

        if (!held[0] || !held[1])
            fail_msg("%s: %s", lab_scenarios[i]->name, first_failure(held[0] ? second : first));
        same_words(first, second);
        free(first);
        free(second);
    }
}

TEST(every_scenario_holds_over_ipv4_wherever_the_sequence_numbers_begin)
{
    check_all(false);
}

TEST(every_scenario_holds_over_ipv6_wherever_the_sequence_numbers_begin)
{
    check_all(true);
}

TEST(every_scenario_says_something_under_each_heading_and_claims_something)
{
    for (uint32_t i = 0; i < lab_scenario_count; i++) {
        const struct lab_scenario *s = lab_scenarios[i];
        struct lab l;

        assert_true(strlen(s->title) > 10 && strlen(s->title) <= 76);
        assert_true(strlen(s->said) > 20 && strlen(s->happens) > 60 && strlen(s->todo) > 20);
        assert_non_null(s->see);
        assert_ptr_equal(lab_scenario_find(s->name), s);
        lab_run_scenario(&l, s, &(struct lab_options){ 0 });
        assert_true(l.claim_count >= 2);
        lab_free(&l);
    }
}

static bool moved(const struct lab_section *s, uint32_t side, const char *name)
{
    for (uint32_t i = 0; i < s->count_count; i++)
        if (strcmp(s->counts[i].name, name) == 0)
            return s->counts[i].moved[side] > 0;
    return false;
}

TEST(the_counter_a_footnote_names_has_moved_there_and_so_has_its_reason)
{
    uint32_t footnotes = 0;

    for (uint32_t i = 0; i < lab_scenario_count; i++) {
        struct lab l;

        lab_run_scenario(&l, lab_scenarios[i], &(struct lab_options){ 0 });
        for (uint32_t k = 0; k < l.section_count; k++)
            for (uint32_t w = 0; w < l.sections[k].why_count; w++) {
                const struct lab_why *why = &l.sections[k].whys[w];
                const char *counter = la_cause_counted(&why->cause);
                const char *reason = la_drop_name(why->cause.reason);
                const enum la_cause_kind kind = la_cause_kind(why->cause.reason);

                footnotes++;
                if (strcmp(counter, "none") != 0 && !moved(&l.sections[k], why->side, counter))
                    fail_msg("%s: %s, and %s did not move", lab_scenarios[i]->name, reason,
                             counter);
                if (kind <= LA_CAUSE_REFUSED && !moved(&l.sections[k], why->side, reason))
                    fail_msg("%s: %s was not counted", lab_scenarios[i]->name, reason);
            }
        lab_free(&l);
    }
    assert_true(footnotes > 20);
}

/* What is planted ------------------------------------------------------------------------- */

static void falsehood(struct lab *l)
{
    lab_begin(l, NULL, NULL);
    struct lab_sock *c = lab_connect(l, l->client, l->server, 80);

    lab_run(l, sim_ms(50));
    lab_claim(l, lab_state(c) == LA_ESTABLISHED, "true");
    lab_claim(l, lab_state(c) == LA_LAST_ACK, "planted");
}

static void what_no_setting_may_change(struct lab *l)
{
    lab_begin(l, NULL, NULL);
    lab_must(l, l->options.set_count == 0, "planted");
}

static void a_sysctl_that_is_none(struct lab *l)
{
    lab_begin(l, NULL, NULL);
    lab_sysctl(l, l->client, "net.ipv4.no_such_thing", "1");
}

static const struct lab_options with_set = { .sets = { { "net.ipv4.tcp_sack", "0" } },
                                             .set_count = 1 };

static void expect(void (*run)(struct lab *), const struct lab_options *options, bool held,
                   const char *words)
{
    const struct lab_scenario planted = { .name = "planted", .title = "planted", .run = run };
    bool does_hold;
    char *text = told(&planted, options, &does_hold);

    assert_int_equal(does_hold, held);
    if (!strstr(text, words))
        fail_msg("no \"%s\" in: %s", words, text);
    free(text);
}

TEST(a_claim_that_is_false_fails)
{
    expect(falsehood, &(struct lab_options){ 0 }, false, "not ok  planted");
}

TEST(a_claim_about_the_standard_settings_is_changed_by_others)
{
    expect(falsehood, &with_set, true, "changed by --set  planted");
}

TEST(what_no_setting_may_change_fails_with_any)
{
    expect(what_no_setting_may_change, &with_set, false, "not ok  planted");
    expect(what_no_setting_may_change, &(struct lab_options){ 0 }, true, "ok      planted");
}

TEST(a_broken_rule_of_the_simulator_fails)
{
    expect(a_sysctl_that_is_none, &(struct lab_options){ 0 }, false, "net.ipv4.no_such_thing");
}

TEST(a_shorter_time_wait_changes_claims_and_nothing_else)
{
    const struct lab_options shorter = { .sets = { { "net.lastack.tcp_msl_ms", "500" } },
                                         .set_count = 1 };
    struct lab l;

    lab_run_scenario(&l, lab_scenario_find("four-way-close"), &shorter);
    assert_true(lab_held(&l));
    assert_int_equal(l.changed, 1);
    lab_free(&l);
}

TEST(a_setting_that_no_stack_knows_is_refused)
{
    assert_null(lab_set_refused(&(struct lab_set){ "net.ipv4.tcp_sack", "0" }));
    assert_non_null(lab_set_refused(&(struct lab_set){ "net.ipv4.tcp_sack", "9" }));
    assert_non_null(lab_set_refused(&(struct lab_set){ "net.ipv4.tcp_sock", "0" }));
}

TEST_MAIN
