/* SPDX-License-Identifier: MIT */
/*
 * cli_top_test.c - The page of `lastack top`, from samples that are written here.
 *
 * The pages are in tests/unit/golden/; with LASTACK_GOLDEN=write they are written anew.
 */
#include "test.h"

#include "cli/top.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define S UINT64_C(1000000000)

static struct top_sample now, before;
static struct top_page page;
static char got[16384], wanted[16384];

static void put(struct top_sample *s, const char *group, const char *name, uint64_t value)
{
    struct nstat_item *item = &s->n.items[s->n.count++];

    snprintf(item->group, sizeof item->group, "%s", group);
    snprintf(item->name, sizeof item->name, "%s", name);
    item->value = value;
}

static struct la_endpoint at(uint8_t host, uint16_t port)
{
    struct la_endpoint e = { .port = port };

    e.addr = (struct la_addr){ { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, host } };
    return e;
}

static void begin(void)
{
    memset(&now, 0, sizeof now);
    memset(&before, 0, sizeof before);
    snprintf(now.name, sizeof now.name, "echo");
    now.pid = 1234;
    now.now_ns = 100 * S;
    now.ports = (struct la_ports_info){ .ports = 28232, .two_msl_ms = 60000 };
    now.time_wait_max = 131072;
}

static void assert_golden(const struct top_view *v, const char *name)
{
    char path[512];
    const char *mode = getenv("LASTACK_GOLDEN");
    size_t len = 0;

    top_render(v, &page);
    for (uint32_t i = 0; i < page.count; i++)
        len += (size_t)snprintf(got + len, sizeof got - len, "%s\n", page.lines[i]);
    snprintf(path, sizeof path, "%s/tests/unit/golden/top_%s.txt", TEST_SOURCE_DIR, name);
    FILE *f = fopen(path, mode != NULL && strcmp(mode, "write") == 0 ? "w+" : "r");
    if (f == NULL)
        fail_msg("%s can not be opened", path);
    if (mode != NULL && strcmp(mode, "write") == 0) {
        fputs(got, f);
        rewind(f);
    }
    wanted[fread(wanted, 1, sizeof wanted - 1, f)] = '\0';
    fclose(f);
    if (strcmp(got, wanted) != 0) {
        fprintf(stderr, "%s:\n%s", name, got);
        fail_msg("the page differs from golden/top_%s.txt", name);
    }
}

static void table(struct top_sample *s, const char *name, uint64_t used, uint64_t limit,
                  uint64_t bytes)
{
    const uint32_t i = s->n.table_count++;

    snprintf(s->n.tables[i].name, sizeof s->n.tables[i].name, "%s", name);
    s->n.tables[i].used = used;
    s->n.tables[i].max = used + used / 2;
    s->n.tables[i].limit = limit;
    s->n.tables[i].item_bytes = bytes;
}

static void busy(struct top_sample *s, uint64_t k)
{
    s->packets_in = 12345 * k;
    s->packets_out = 23456 * k;
    s->bytes_in = 1500000 * k;
    s->bytes_out = 2500000000 * k;
    put(s, "Tcp", "InSegs", 12000 * k);
    put(s, "Tcp", "OutSegs", 23000 * k);
    put(s, "Tcp", "RetransSegs", 230 * k);
    put(s, "Tcp", "PassiveOpens", 400 * k);
    put(s, "Tcp", "ActiveOpens", 100 * k);
    put(s, "Tcp", "AttemptFails", 30 * k);
    put(s, "Tcp", "OutRsts", k);
    put(s, "TcpExt", "TCPTimeouts", 7 * k);
    put(s, "TcpExt", "EmbryonicRsts", 20 * k);
    put(s, "Drop", "ACCEPT_QUEUE_FULL", 50 * k);
    put(s, "Drop", "SYN_QUEUE_FULL", 60 * k);
    put(s, "Drop", "RESET", 4 * k);
    put(s, "Drop", "TIME_WAIT_END", 99 * k);
    put(s, "Finding", "EOF_LOOP", 10 * k);
    put(s, "Finding", "CLOSE_WAIT_OLD", 1);
}

TEST(a_page_of_a_stack_that_has_done_nothing)
{
    begin();
    const struct top_view v = {
        .now = &now, .before = &before, .elapsed_ns = 2 * S, .uptime_ns = 2 * S
    };
    assert_golden(&v, "idle");
}

TEST(rates_are_those_between_two_samples_and_the_worst_listener_comes_first)
{
    begin();
    before.now_ns = 98 * S;
    busy(&before, 1);
    busy(&now, 3);
    before.n.states[LA_ESTABLISHED] = 1000;
    now.n.states[LA_ESTABLISHED] = 1200;
    now.n.states[LA_CLOSE_WAIT] = 3;
    now.n.states[LA_TIME_WAIT] = 28000;
    now.n.states[LA_LISTEN] = 3;
    now.close_wait = true;
    now.close_wait_age_ns = 7875 * S;
    now.close_wait_local = at(2, 80);
    now.close_wait_remote = at(1, 40000);
    now.found[LA_FINDING_EOF_LOOP] = (struct top_found){ true, 2 * S, at(2, 80), at(1, 40000) };
    table(&now, "connections", 1203, 65536, 464);
    table(&now, "chunks", 0, 4096, 2048);
    const struct top_listener quiet = { .id = 1, .local = at(2, 22), .limit = 128 };
    struct top_listener full = { .id = 2,
                                 .local = at(2, 80),
                                 .accept_len = 129,
                                 .accept_max = 129,
                                 .limit = 128,
                                 .half_len = 17,
                                 .overflows = 100,
                                 .drops = 220,
                                 .oldest_wait_ns = 3 * S + S / 2,
                                 .waits = { [0] = 40, [3] = 58, [14] = 2 } };
    top_add_listener(&before, &full);
    full.overflows = 300;
    top_add_listener(&now, &quiet);
    top_add_listener(&now, &full);
    const struct top_view v = {
        .now = &now, .before = &before, .elapsed_ns = 2 * S, .uptime_ns = 3725 * S
    };
    /* 1000 opens, of which 20 active ones failed, and 203 more are established. */
    assert_int_equal(top_closed(&v), 1000 - 20 - 203);
    assert_int_equal(top_drops(&now), 330);
    assert_golden(&v, "busy");
}

TEST(of_many_listeners_the_worst_are_kept)
{
    begin();
    for (uint32_t i = 0; i < 5 * TOP_LISTENERS; i++) {
        const struct top_listener l = { .id = i + 1, .limit = 10, .overflows = i * 37 % 160 };
        top_add_listener(&now, &l);
    }
    assert_int_equal(now.listener_count, TOP_LISTENERS);
    for (uint32_t i = 0; i < TOP_LISTENERS; i++)
        assert_int_equal(now.listeners[i].overflows, 159 - i);
    const struct top_listener full = { .id = 999, .limit = 10, .overflows = 159, .accept_len = 9 };
    top_add_listener(&now, &full);
    assert_int_equal(now.listeners[0].id, 999);
    assert_int_equal(now.listener_count, TOP_LISTENERS);
}

TEST(a_page_never_outgrows_its_lines_whatever_the_numbers)
{
    begin();
    before.now_ns = 1;
    memset(&now.n.states, 0xff, sizeof now.n.states);
    memset(&now.listeners, 0xff, sizeof now.listeners);
    now.listener_count = TOP_LISTENERS;
    now.time_wait_max = now.packets_in = now.bytes_out = now.pid = UINT64_MAX;
    memset(now.name, 'x', sizeof now.name - 1);
    now.close_wait = true;
    now.close_wait_age_ns = UINT64_MAX;
    for (uint32_t i = 0; i < LA_TABLES; i++)
        table(&now, "a_table_of_a_long_name", UINT64_MAX, UINT64_MAX, UINT64_MAX);
    for (uint32_t i = 0; i < LA_FINDINGS; i++) {
        put(&now, "Finding", la_finding_name((enum la_finding)i), UINT64_MAX);
        now.found[i] = (struct top_found){ .told = true, .ago_ns = UINT64_MAX };
        memset(&now.found[i].local, 0xff, sizeof now.found[i].local);
        memset(&now.found[i].remote, 0xff, sizeof now.found[i].remote);
    }
    for (uint32_t i = 0; i < LA_DROPS; i++)
        put(&now, "Drop", la_drop_name((enum la_drop)i), UINT64_MAX);
    const struct top_view v = {
        .now = &now, .before = &before, .elapsed_ns = 1, .uptime_ns = UINT64_MAX
    };
    top_render(&v, &page);
    assert_in_range(page.count, 20, TOP_LINES);
    for (uint32_t i = 0; i < page.count; i++)
        assert_in_range(strlen(page.lines[i]), 0, TOP_COLUMNS);
}

TEST(json_says_the_same_numbers)
{
    begin();
    before.now_ns = 98 * S;
    busy(&before, 1);
    busy(&now, 3);
    now.listener_count = 1;
    now.listeners[0] = (struct top_listener){ .id = 7, .local = at(2, 80), .overflows = 5 };
    const struct top_view v = {
        .now = &now, .before = &before, .elapsed_ns = 2 * S, .uptime_ns = 100 * S
    };
    FILE *f = fmemopen(got, sizeof got, "w");
    assert_non_null(f);
    top_json(&v, f);
    fclose(f);
    assert_non_null(strstr(got, "\"InSegs\":12000.000000000"));
    assert_non_null(strstr(got, "\"bytes_in\":1500000.000000000"));
    assert_non_null(strstr(got, "\"findings\":{\"EOF_LOOP\":30,\"CLOSE_WAIT_OLD\":1,"));
    assert_null(strstr(got, "\"event\":\"finding\""));
    now.found[LA_FINDING_CLOSE_UNREAD] = (struct top_found){ true, S, at(2, 80), at(1, 9) };
    f = fmemopen(got, sizeof got, "w");
    assert_non_null(f);
    top_json(&v, f);
    fclose(f);
    assert_non_null(strstr(got, "{\"event\":\"finding\",\"name\":\"CLOSE_UNREAD\",\"ago\":1."));
    assert_non_null(strstr(got, "{\"event\":\"listener\",\"local\":\"10.0.0.2:80\""));
}

TEST_MAIN
