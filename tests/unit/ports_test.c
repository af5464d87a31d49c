/* SPDX-License-Identifier: MIT */
/* ports_test.c - Ephemeral ports: every free one is found, none is given twice. */
#include "tests/unit/base_test.h"
#include "tests/unit/hand.h"

#define PORTS 50u

static void few_ports(struct hand *h, uint32_t first)
{
    assert_int_equal(la_sysctl_set(h->s, "net.lastack.ip_local_port_max", first + PORTS - 1),
                     LA_OK);
    assert_int_equal(la_sysctl_set(h->s, "net.lastack.ip_local_port_min", first), LA_OK);
}

static enum la_err open_to(struct hand *h, struct la_addr to, uint16_t port, la_conn_id *id)
{
    return la_open(h->s, h->now, (struct la_endpoint){ .port = 0 },
                   (struct la_endpoint){ .addr = to, .port = port }, 0, id);
}

static uint16_t port_of(const struct hand *h, la_conn_id id)
{
    struct la_conn_info info;

    assert_int_equal(la_conn_info(h->s, id, &info), LA_OK);
    return info.local.port;
}

static void many(struct la_config *config)
{
    hand_config(config);
    config->connections = 200;
}

TEST(all_ports_of_the_range_are_given_once_and_then_there_is_none_left)
{
    for (int v6 = 0; v6 < 2; v6++) {
        struct la_config config;
        struct hand h;
        bool seen[65536] = { false };
        la_conn_id id;

        many(&config);
        hand_new(&h, &(struct hand_opt){ .v6 = v6, .config = &config });
        few_ports(&h, 40000);
        for (uint32_t i = 0; i < PORTS; i++) {
            assert_int_equal(open_to(&h, h.peer, 443, &id), LA_OK);
            const uint16_t port = port_of(&h, id);
            assert_in_range(port, 40000, 40000 + PORTS - 1);
            assert_false(seen[port]);
            seen[port] = true;
        }
        assert_int_equal(open_to(&h, h.peer, 443, &id), LA_EADDRNOTAVAIL);
        /* one local port serves many destinations */
        assert_int_equal(open_to(&h, h.peer, 444, &id), LA_OK);
        hand_free(&h);
    }
}

TEST(one_port_that_becomes_free_is_found_wherever_the_counters_stand)
{
    for (uint32_t k = 0; k < 2 * PORTS; k += 7) { /* near the end of the counters' range */
        struct la_config config;
        struct hand h;
        la_conn_id id[PORTS], again;

        many(&config);
        hand_new(&h, &(struct hand_opt){ .config = &config });
        few_ports(&h, 40000);
        for (uint32_t i = 0; i < PORTS; i++)
            assert_int_equal(open_to(&h, h.peer, 443, &id[i]), LA_OK);
        for (uint32_t i = 0; i < PORTS; i++) {
            const uint16_t port = port_of(&h, id[i]);

            assert_int_equal(la_close(h.s, h.now, id[i]), LA_OK);
            for (uint32_t c = 0; c < TCP_PORT_TABLE; c++)
                h.t->port_table[c] = UINT32_MAX - k;
            assert_int_equal(open_to(&h, h.peer, 443, &again), LA_OK);
            assert_int_equal(port_of(&h, again), port);
            id[i] = again;
        }
        hand_free(&h);
    }
}

TEST(a_port_with_a_listener_is_left_alone)
{
    struct la_config config;
    struct hand h;
    la_conn_id id;

    many(&config);
    hand_new(&h, &(struct hand_opt){ .config = &config });
    few_ports(&h, 40000);
    h.lport = 40007;
    hand_listen(&h);
    for (uint32_t i = 0; i < PORTS - 1; i++) {
        assert_int_equal(open_to(&h, h.peer, 443, &id), LA_OK);
        assert_int_not_equal(port_of(&h, id), 40007);
    }
    assert_int_equal(open_to(&h, h.peer, 443, &id), LA_EADDRNOTAVAIL);
    hand_free(&h);
}

TEST(each_shard_gives_only_its_own_ports)
{
    for (uint16_t shard = 0; shard < 4; shard++) {
        struct la_config config;
        struct hand h;
        la_conn_id id;
        uint32_t own = 0;

        many(&config);
        config.shards = 4;
        config.shard = shard;
        hand_new(&h, &(struct hand_opt){ .config = &config });
        few_ports(&h, 40000);
        for (uint32_t port = 40000; port < 40000 + PORTS; port++)
            own += port % 4 == shard;
        for (uint32_t i = 0; i < own; i++) {
            assert_int_equal(open_to(&h, h.peer, 443, &id), LA_OK);
            assert_int_equal(port_of(&h, id) % 4, shard);
        }
        assert_int_equal(open_to(&h, h.peer, 443, &id), LA_EADDRNOTAVAIL);
        hand_free(&h);
    }
}

TEST(time_wait_keeps_its_port_until_it_ends)
{
    struct hand h;
    la_conn_id id;

    hand_new(&h, NULL);
    few_ports(&h, 40000);
    assert_int_equal(la_sysctl_set(h.s, "net.lastack.ip_local_port_max", 40000), LA_OK);
    h.lport = 40000;
    hand_establish(&h, NULL);
    assert_int_equal(open_to(&h, h.peer, h.rport, &id), LA_EADDRNOTAVAIL);
    assert_int_equal(la_close(h.s, h.now, h.conn), LA_OK);
    hand_drain(&h);
    hand_rx(&h, "FIN ACK rcv 1 snd 2 wnd 1000");
    assert_int_equal(open_to(&h, h.peer, h.rport, &id), LA_EADDRNOTAVAIL);
    hand_wait(&h, 60 * NS_PER_S);
    assert_int_equal(open_to(&h, h.peer, h.rport, &id), LA_OK);
    hand_free(&h);
}

TEST(an_empty_range_has_no_port)
{
    struct hand h;
    la_conn_id id;

    hand_new(&h, NULL);
    assert_int_equal(la_sysctl_set(h.s, "net.lastack.ip_local_port_min", 50000), LA_OK);
    assert_int_equal(la_sysctl_set(h.s, "net.lastack.ip_local_port_max", 49999), LA_OK);
    assert_int_equal(open_to(&h, h.peer, 1, &id), LA_EADDRNOTAVAIL);
    hand_free(&h);
}

TEST(among_certain_ports_a_bound_outside_of_the_range_counts_for_nothing)
{
    static const uint16_t cases[][4] = {
        { 40010, 40019, 40010, 40019 }, { 40010, 0, 40010, 40099 },     { 0, 40019, 40000, 40019 },
        { 40010, 50000, 40010, 40099 }, { 50000, 40019, 40000, 40019 }, { 0, 0, 40000, 40099 },
    };

    for (uint32_t i = 0; i < LA_COUNT_OF(cases); i++) {
        const struct la_port_wish wish = { .min = cases[i][0], .max = cases[i][1] };
        struct hand h;

        hand_new(&h, &(struct hand_opt){ .v6 = i & 1 });
        assert_int_equal(la_sysctl_write(h.s, "net.ipv4.ip_local_port_range", "40000 40099"),
                         LA_OK);
        for (uint32_t k = 0; k < 200; k++) {
            const struct la_endpoint to = { .addr = h.peer, .port = (uint16_t)(1000 + k) };
            uint16_t port = 0;

            assert_int_equal(la_port_choose_between(h.s, h.now, h.us, to, &wish, &port), LA_OK);
            assert_in_range(port, cases[i][2], cases[i][3]);
        }
        hand_free(&h);
    }
}

TEST_MAIN
