/* SPDX-License-Identifier: MIT */
/*
 * ports_crowded_test.c - Few ports are left: how many look-ups a choice takes, that the last one is
 * found and no other given, and TIME-WAITs that connect() takes over.
 */
#include "tests/unit/base_test.h"
#include "tests/unit/hand.h"

#define PORTS 28232u

static void roomy(struct la_config *config)
{
    hand_config(config);
    config->connections = PORTS + 16;
    config->port_maps = 2;
}

static enum la_err open_to(struct hand *h, uint16_t rport, la_conn_id *id)
{
    return la_open(h->s, h->now, (struct la_endpoint){ .port = 0 },
                   (struct la_endpoint){ .addr = h->peer, .port = rport }, 0, id);
}

/* The usual range towards one destination, in use up to @count ports. */
static void fill(struct hand *h, bool v6, uint32_t count, la_conn_id *id)
{
    struct la_config config;

    roomy(&config);
    hand_new(h, &(struct hand_opt){ .v6 = v6, .config = &config });
    for (uint32_t i = 0; i < count; i++)
        assert_int_equal(open_to(h, 443, &id[i]), LA_OK);
}

static la_conn_id ids[PORTS];

TEST(at_99_percent_a_choice_takes_few_look_ups_whichever_ports_were_given_back)
{
    for (int pattern = 0; pattern < 4; pattern++) {
        const uint32_t count = PORTS / 100 * 99;
        struct hand h;
        uint32_t random = 7;

        fill(&h, pattern & 1, count, ids);
        h.t->port_searches = h.t->port_probes = 0;
        for (uint32_t i = 0; i < 5000; i++) {
            random = random * 1664525 + 1013904223;
            const uint32_t k = pattern < 2 ? i : random % count; /* the oldest, or any */

            assert_int_equal(la_close(h.s, h.now, ids[k]), LA_OK);
            assert_int_equal(open_to(&h, 443, &ids[k]), LA_OK);
        }
        assert_int_equal(h.t->port_searches, 5000);
        assert_in_range(h.t->port_probes, 5000, 5000 * 8);
        assert_null(la_check(h.s));
        hand_free(&h);
    }
}

TEST(the_last_port_is_found_and_when_there_is_none_no_look_up_is_needed_to_know)
{
    struct hand h;
    la_conn_id id;

    fill(&h, false, PORTS, ids);
    assert_in_range(h.t->port_probes, PORTS, 3 * PORTS); /* each in use is asked about once */
    assert_int_equal(open_to(&h, 443, &id), LA_EADDRNOTAVAIL);
    h.t->port_probes = 0;
    for (uint32_t i = 0; i < 100; i++)
        assert_int_equal(open_to(&h, 443, &id), LA_EADDRNOTAVAIL);
    assert_int_equal(h.t->port_probes, 0);
    assert_int_equal(open_to(&h, 444, &id), LA_OK); /* another destination has them all */
    for (uint32_t i = 0; i < 100; i++) {
        struct la_conn_info before, after;

        assert_int_equal(la_conn_info(h.s, ids[i * 281], &before), LA_OK);
        assert_int_equal(la_close(h.s, h.now, ids[i * 281]), LA_OK);
        assert_int_equal(open_to(&h, 443, &ids[i * 281]), LA_OK);
        assert_int_equal(la_conn_info(h.s, ids[i * 281], &after), LA_OK);
        assert_int_equal(before.local.port, after.local.port);
        assert_int_equal(open_to(&h, 443, &id), LA_EADDRNOTAVAIL);
    }
    assert_int_equal(h.t->port_probes, 201); /* one to find it, one to see that it is gone again */
    hand_free(&h);
}

TEST(more_crowded_destinations_than_maps_cost_look_ups_and_nothing_else)
{
    struct la_config config;
    struct hand h;
    la_conn_id id;

    hand_config(&config);
    config.connections = 1100;
    config.port_maps = 2;
    hand_new(&h, &(struct hand_opt){ .config = &config });
    assert_int_equal(la_sysctl_write(h.s, "net.ipv4.ip_local_port_range", "40000 40199"), LA_OK);
    for (uint32_t i = 0; i < 200; i++)
        for (uint16_t to = 0; to < 5; to++)
            assert_int_equal(open_to(&h, 443 + to, &id), LA_OK);
    for (uint16_t to = 0; to < 5; to++)
        assert_int_equal(open_to(&h, 443 + to, &id), LA_EADDRNOTAVAIL);
    assert_in_range(h.t->port_maps.used, 1, 2);
    assert_null(la_check(h.s));
    hand_free(&h);
}

TEST(a_map_goes_back_when_its_destination_is_empty)
{
    struct la_config config;
    struct hand h;
    la_conn_id id[100];

    hand_config(&config);
    config.connections = 120;
    config.port_maps = 1;
    hand_new(&h, &(struct hand_opt){ .config = &config });
    assert_int_equal(la_sysctl_write(h.s, "net.ipv4.ip_local_port_range", "40000 40099"), LA_OK);
    for (uint32_t i = 0; i < 100; i++)
        assert_int_equal(open_to(&h, 443, &id[i]), LA_OK);
    assert_int_equal(h.t->port_maps.used, 1);
    for (uint32_t i = 0; i < 100; i++)
        assert_int_equal(la_close(h.s, h.now, id[i]), LA_OK);
    assert_int_equal(h.t->port_maps.used, 0);
    hand_free(&h);
}

TEST(reserved_ports_are_never_given_with_a_map_or_without)
{
    for (uint32_t maps = 0; maps < 2; maps++) {
        struct la_config config;
        struct hand h;
        la_conn_id id;

        hand_config(&config);
        config.connections = 220;
        config.port_maps = maps;
        hand_new(&h, &(struct hand_opt){ .config = &config });
        assert_int_equal(la_sysctl_write(h.s, "net.ipv4.ip_local_port_range", "40001 40199"),
                         LA_OK);
        assert_int_equal(
            la_sysctl_write(h.s, "net.ipv4.ip_local_reserved_ports", "1-40010,40064,40070-40150"),
            LA_OK);
        for (uint32_t i = 0; i < 199 - 10 - 1 - 81; i++) {
            struct la_conn_info info;

            assert_int_equal(open_to(&h, 443, &id), LA_OK);
            assert_int_equal(la_conn_info(h.s, id, &info), LA_OK);
            assert_false(tcp_port_reserved(h.t, info.local.port));
            assert_in_range(info.local.port, 40011, 40199);
        }
        assert_int_equal(open_to(&h, 443, &id), LA_EADDRNOTAVAIL);
        hand_free(&h);
    }
}

TEST(connect_uses_one_parity_first_and_bind_finds_the_other)
{
    struct la_config config;
    struct hand h;
    la_conn_id id;

    hand_config(&config);
    config.connections = 220;
    config.port_maps = 1;
    hand_new(&h, &(struct hand_opt){ .config = &config });
    assert_int_equal(la_sysctl_write(h.s, "net.ipv4.ip_local_port_range", "40000 40199"), LA_OK);
    for (uint32_t i = 0; i < 200; i++) {
        struct la_conn_info info;

        assert_int_equal(open_to(&h, 443, &id), LA_OK);
        assert_int_equal(la_conn_info(h.s, id, &info), LA_OK);
        assert_int_equal(info.local.port % 2, i < 100 ? 0 : 1);
    }
    hand_free(&h);
}

/* TIME-WAIT taken over ------------------------------------------------------------------- */

/* One port towards the peer, in TIME-WAIT since now, with time stamps or without. */
static void one_time_wait(struct hand *h, bool stamps, uint32_t maps)
{
    struct la_config config;

    hand_config(&config);
    config.port_maps = maps;
    hand_new(h, &(struct hand_opt){ .config = &config });
    assert_int_equal(la_sysctl_write(h->s, "net.ipv4.ip_local_port_range", "40000 40000"), LA_OK);
    assert_int_equal(la_sysctl_set(h->s, "net.ipv4.tcp_tw_reuse", 1), LA_OK);
    h->lport = 40000;
    hand_establish(h, &(struct hand_opt){ .syn = stamps ? "wnd 65535 mss 1460 TS 7:0"
                                                        : "wnd 65535 mss 1460" });
    assert_int_equal(la_close(h->s, h->now, h->conn), LA_OK);
    hand_drain(h);
    hand_rx(h, stamps ? "FIN ACK rcv 1 snd 2 wnd 1000 TS 8:0" : "FIN ACK rcv 1 snd 2 wnd 1000");
    hand_drain(h);
    assert_int_equal(h->t->short4.used, 1);
}

TEST(a_time_wait_with_time_stamps_is_taken_over_after_the_delay)
{
    for (uint32_t maps = 0; maps < 2; maps++) {
        struct hand h;
        la_conn_id id;

        one_time_wait(&h, true, maps);
        const tcp_seq last = short_at(h.t, 0)->snd_nxt;
        assert_int_equal(open_to(&h, h.rport, &id), LA_EADDRNOTAVAIL);
        hand_wait(&h, NS_PER_S);
        assert_int_equal(open_to(&h, h.rport, &id), LA_EADDRNOTAVAIL);
        hand_wait(&h, 1);
        assert_int_equal(open_to(&h, h.rport, &id), LA_OK);
        assert_int_equal(la_counter(h.s, LA_COUNT_TWRecycled), 1);
        assert_true(seq_ge(conn_iss(conn_at(h.t, slab_find(&h.t->conns, h.t, id.bits))),
                           seq_add(last, 65537)));
        assert_int_equal(h.t->short4.used, 1); /* parked */
        assert_null(la_check(h.s));
        assert_int_equal(la_close(h.s, h.now, id), LA_OK); /* connect() given up: it is back */
        assert_null(la_check(h.s));
        hand_drain(&h);
        hand_rx(&h, "FIN ACK rcv 1 snd 2 wnd 1000 TS 9:0");
        assert_int_equal(hand_drain(&h), 1);
        hand_free(&h);
    }
}

TEST(what_returns_to_time_wait_can_be_taken_over_again_at_once)
{
    struct hand h;
    la_conn_id id;

    one_time_wait(&h, true, 1);
    hand_wait(&h, NS_PER_S + 1);
    for (int i = 0; i < 3; i++) {
        la_conn_id other;

        assert_int_equal(open_to(&h, h.rport, &id), LA_OK);
        assert_int_equal(open_to(&h, h.rport, &other), LA_EADDRNOTAVAIL);
        assert_int_equal(la_abort(h.s, h.now, id), LA_OK);
    }
    hand_free(&h);
}

TEST(nothing_is_taken_over_without_time_stamps_or_where_the_knobs_forbid_it)
{
    struct hand h;
    la_conn_id id;

    one_time_wait(&h, false, 1);
    hand_wait(&h, 2 * NS_PER_S);
    assert_int_equal(open_to(&h, h.rport, &id), LA_EADDRNOTAVAIL);
    hand_free(&h);
    one_time_wait(&h, true, 1);
    hand_wait(&h, 2 * NS_PER_S);
    assert_int_equal(la_sysctl_set(h.s, "net.ipv4.tcp_tw_reuse", 2), LA_OK); /* not on loopback */
    assert_int_equal(open_to(&h, h.rport, &id), LA_EADDRNOTAVAIL);
    const uint64_t probes = h.t->port_probes; /* and nobody looks whether one is ready */
    for (int i = 0; i < 3; i++)
        assert_int_equal(open_to(&h, h.rport, &id), LA_EADDRNOTAVAIL);
    assert_in_range(h.t->port_probes - probes, 0, 3);
    assert_int_equal(la_sysctl_set(h.s, "net.ipv4.tcp_tw_reuse", 0), LA_OK);
    assert_int_equal(open_to(&h, h.rport, &id), LA_EADDRNOTAVAIL);
    assert_int_equal(la_sysctl_set(h.s, "net.ipv4.tcp_tw_reuse", 1), LA_OK);
    assert_int_equal(la_sysctl_set(h.s, "net.ipv4.tcp_timestamps", 0), LA_OK);
    assert_int_equal(open_to(&h, h.rport, &id), LA_EADDRNOTAVAIL);
    assert_int_equal(la_sysctl_set(h.s, "net.ipv4.tcp_timestamps", 1), LA_OK);
    assert_int_equal(open_to(&h, h.rport, &id), LA_OK);
    hand_free(&h);
}

TEST(a_free_port_is_preferred_to_a_time_wait)
{
    struct hand h;
    la_conn_id id;
    struct la_conn_info info;

    one_time_wait(&h, true, 1);
    hand_wait(&h, 2 * NS_PER_S);
    assert_int_equal(la_sysctl_write(h.s, "net.ipv4.ip_local_port_range", "40000 40001"), LA_OK);
    assert_int_equal(open_to(&h, h.rport, &id), LA_OK);
    assert_int_equal(la_conn_info(h.s, id, &info), LA_OK);
    assert_int_equal(info.local.port, 40001);
    assert_int_equal(la_counter(h.s, LA_COUNT_TWRecycled), 0);
    hand_free(&h);
}

/* The two lists, and the budget -------------------------------------------------------------- */

TEST(the_settings_of_ports_are_written_and_read_as_in_proc_sys)
{
    static const struct {
        const char *text, *back;
    } lists[] = { { "", "" },
                  { "80", "80" },
                  { " 9000-9010,80\n", "80,9000-9010" },
                  { "5,1-3,4", "1-5" },
                  { "10-20,15-30,31", "10-31" },
                  { "0-65535", "0-65535" } };
    static const char *const bad[] = { "x", "5-", "7-6", "65536", "1,,x", "1-2-3", "-4" };
    static const char *const bad_range[] = { "40000",   "40001 40000", "0 5",
                                             "1 65536", "1 2 3",       "a b" };
    char text[LA_SYSCTL_TEXT_MAX];
    struct hand h;

    hand_new(&h, NULL);
    assert_int_equal(la_sysctl_read(h.s, "net.ipv4.ip_local_port_range", text, sizeof text), LA_OK);
    assert_string_equal(text, "32768\t60999");
    for (uint32_t i = 0; i < LA_COUNT_OF(lists); i++) {
        assert_int_equal(la_sysctl_write(h.s, "net.ipv4.ip_local_reserved_ports", lists[i].text),
                         LA_OK);
        assert_int_equal(la_sysctl_read(h.s, "net.ipv4.ip_local_reserved_ports", text, sizeof text),
                         LA_OK);
        assert_string_equal(text, lists[i].back);
    }
    for (uint32_t i = 0; i < LA_COUNT_OF(bad); i++)
        assert_int_equal(la_sysctl_write(h.s, "net.ipv4.ip_local_reserved_ports", bad[i]),
                         LA_EINVAL);
    for (uint32_t i = 0; i < LA_COUNT_OF(bad_range); i++)
        assert_int_equal(la_sysctl_write(h.s, "net.ipv4.ip_local_port_range", bad_range[i]),
                         LA_EINVAL);
    assert_int_equal(la_sysctl_read(h.s, "net.ipv4.ip_local_reserved_ports", text, 4), LA_EINVAL);
    assert_int_equal(la_sysctl_write(h.s, "net.ipv4.tcp_tw_reuse", "1"), LA_OK);
    assert_int_equal(la_sysctl_write(h.s, "net.ipv4.tcp_tw_reuse", "3"), LA_EINVAL);
    assert_int_equal(la_sysctl_read(h.s, "net.ipv4.tcp_tw_reuse", text, sizeof text), LA_OK);
    assert_string_equal(text, "1");
    assert_int_equal(la_sysctl_write(h.s, "net.ipv4.no_such", "1"), LA_ENOENT);
    assert_int_equal(la_sysctl_read(h.s, "net.ipv4.no_such", text, sizeof text), LA_ENOENT);
    for (uint32_t i = 0; la_sysctl_list_name(i) != NULL; i++) {
        assert_non_null(la_sysctl_list_text(i));
        assert_int_equal(la_sysctl_read(h.s, la_sysctl_list_name(i), text, sizeof text), LA_OK);
    }
    hand_free(&h);
}

TEST(more_reserved_ranges_than_there_is_room_for_are_refused_and_change_nothing)
{
    char text[LA_SYSCTL_TEXT_MAX], list[LA_SYSCTL_TEXT_MAX] = "7";
    struct hand h;

    hand_new(&h, NULL);
    assert_int_equal(la_sysctl_write(h.s, "net.ipv4.ip_local_reserved_ports", "7"), LA_OK);
    uint32_t at = 0;
    for (uint32_t i = 0; i <= LA_PORT_RANGES_MAX; i++)
        at += (uint32_t)snprintf(list + at, sizeof list - at, "%u,", 2 * i + 1);
    assert_int_equal(la_sysctl_write(h.s, "net.ipv4.ip_local_reserved_ports", list), LA_EINVAL);
    assert_int_equal(la_sysctl_read(h.s, "net.ipv4.ip_local_reserved_ports", text, sizeof text),
                     LA_OK);
    assert_string_equal(text, "7");
    hand_free(&h);
}

TEST(the_budget_of_a_destination)
{
    struct la_ports_info info;
    struct hand h;

    one_time_wait(&h, true, 1);
    assert_int_equal(la_sysctl_write(h.s, "net.ipv4.ip_local_port_range", "39990 40009"), LA_OK);
    assert_int_equal(la_sysctl_write(h.s, "net.ipv4.ip_local_reserved_ports", "40002-40006"),
                     LA_OK);
    assert_int_equal(la_ports_info(h.s, (struct la_addr){ { 0 } },
                                   (struct la_endpoint){ .addr = h.peer, .port = h.rport }, &info),
                     LA_OK);
    assert_int_equal(info.ports, 15);
    assert_int_equal(info.used, 1);
    assert_int_equal(info.time_wait, 1);
    assert_int_equal(info.two_msl_ms, 60000);
    assert_int_equal(la_ports_info(h.s, h.us, (struct la_endpoint){ .addr = h.peer }, &info),
                     LA_EINVAL);
    hand_free(&h);
}

TEST(a_map_that_is_broken_is_not_called_whole)
{
    struct hand h;
    struct tcp_port_map *m = NULL;

    fill(&h, false, PORTS / 2 + 5000, ids);
    for (uint32_t i = 0; i < h.t->port_maps.high && m == NULL; i++)
        if (slab_live(&h.t->port_maps, h.t, i))
            m = (struct tcp_port_map *)slab_at(&h.t->port_maps, h.t, i);
    assert_non_null(m);
    assert_null(port_check(h.t));
    m->count++;
    assert_non_null(port_check(h.t));
    m->count--;
    m->taken[1] |= 1; /* port 64, which nobody asked for */
    assert_non_null(port_check(h.t));
    m->taken[1] &= ~UINT64_C(1);
    assert_null(port_check(h.t));
    hand_free(&h);
}

TEST_MAIN
