/* SPDX-License-Identifier: MIT */
/* lookup_test.c - One look-up finds connections, half-open records and short records by 4-tuple. */
#include "tests/unit/base_test.h"
#include "tests/unit/hand.h"

static struct tcp_flow flow_of(const struct hand *h, uint16_t lport, uint16_t rport)
{
    return (struct tcp_flow){ .laddr = h->us, .raddr = h->peer, .lport = lport, .rport = rport };
}

static struct index_entry look(const struct hand *h, const struct tcp_flow *f)
{
    return tcp_lookup(h->t, f, tcp_hash(h->t, f));
}

TEST(a_connection_is_found_by_its_own_4_tuple_and_by_no_other)
{
    for (int v6 = 0; v6 < 2; v6++) {
        struct hand h;

        hand_new(&h, &(struct hand_opt){ .v6 = v6 });
        hand_establish(&h, NULL);
        struct tcp_flow f = flow_of(&h, h.lport, h.rport);
        assert_int_equal(look(&h, &f).type, INDEX_CONN);
        assert_int_equal(look(&h, &f).value, hand_ci(&h));
        f.lport++;
        assert_int_equal(look(&h, &f).type, INDEX_FREE);
        f = flow_of(&h, h.lport, (uint16_t)(h.rport + 1));
        assert_int_equal(look(&h, &f).type, INDEX_FREE);
        f = flow_of(&h, h.lport, h.rport);
        f.raddr.bytes[15]++;
        assert_int_equal(look(&h, &f).type, INDEX_FREE);
        f = flow_of(&h, h.lport, h.rport);
        f.laddr.bytes[12]++;
        assert_int_equal(look(&h, &f).type, INDEX_FREE);
        f = (struct tcp_flow){ .laddr = h.peer, .raddr = h.us, .lport = h.rport, .rport = h.lport };
        assert_int_equal(look(&h, &f).type, INDEX_FREE);
        hand_free(&h);
    }
}

TEST(the_entry_follows_a_passive_connection_through_its_three_sizes)
{
    for (int v6 = 0; v6 < 2; v6++) {
        struct hand h;
        struct la_accepted accepted;

        hand_new(&h, &(struct hand_opt){ .v6 = v6, .irs = 77 });
        hand_listen(&h);
        const struct tcp_flow f = flow_of(&h, h.lport, h.rport);
        assert_int_equal(look(&h, &f).type, INDEX_FREE);
        hand_rx(&h, "SYN rcv 0 wnd 1000 mss 1000");
        assert_int_equal(look(&h, &f).type, INDEX_HALF_OPEN);
        assert_int_equal((look(&h, &f).value & TCP_REF_V6) != 0, v6);
        struct tcp_flow back;
        half_flow(half_at(h.t, look(&h, &f).value), look(&h, &f).value, &back);
        assert_true(flow_equal(&f, &back));
        h.iss = half_at(h.t, look(&h, &f).value)->iss;
        hand_drain(&h);
        hand_rx(&h, "ACK rcv 1 snd 1 wnd 1000");
        assert_int_equal(look(&h, &f).type, INDEX_CONN);
        assert_int_equal(la_accept(h.s, h.now, h.listener, 1, &accepted), LA_OK);
        assert_int_equal(la_close(h.s, h.now, accepted.conn), LA_OK);
        hand_drain(&h);
        hand_rx(&h, "FIN ACK rcv 1 snd 2 wnd 1000");
        assert_int_equal(look(&h, &f).type, INDEX_SHORT);
        short_flow(short_at(h.t, look(&h, &f).value), look(&h, &f).value, &back);
        assert_true(flow_equal(&f, &back));
        assert_null(la_check(h.s));
        hand_wait(&h, 61 * NS_PER_S);
        assert_int_equal(look(&h, &f).type, INDEX_FREE);
        hand_free(&h);
    }
}

TEST(the_hash_depends_on_every_part_of_the_4_tuple_and_on_the_secret)
{
    for (int v6 = 0; v6 < 2; v6++) {
        struct hand h, other;
        struct la_config config;

        hand_config(&config);
        config.secret[5] ^= 1;
        hand_new(&h, &(struct hand_opt){ .v6 = v6 });
        hand_new(&other, &(struct hand_opt){ .v6 = v6, .config = &config });
        const struct tcp_flow f = flow_of(&h, 80, 5000);
        struct tcp_flow g[4] = { f, f, f, f };

        g[0].lport++;
        g[1].rport++;
        g[2].laddr.bytes[15]++;
        g[3].raddr.bytes[15] = 77;
        for (uint32_t i = 0; i < 4; i++) {
            assert_true(tcp_hash(h.t, &f) != tcp_hash(h.t, &g[i]));
            assert_false(flow_equal(&f, &g[i]));
        }
        assert_true(tcp_hash(h.t, &f) != tcp_hash(other.t, &f));
        assert_int_equal(tcp_hash(h.t, &f),
                         tcp_hash(h.t, &(struct tcp_flow){ f.laddr, f.raddr, f.lport, f.rport }));
        hand_free(&h);
        hand_free(&other);
    }
}

/* A packet has source, destination and ports side by side; its source is our remote end. */
TEST(the_hash_of_a_packets_bytes_is_that_of_its_flow)
{
    for (int v6 = 0; v6 < 2; v6++) {
        struct hand h;
        uint8_t packet[100];

        hand_new(&h, &(struct hand_opt){ .v6 = v6 });
        const struct tcp_flow f = {
            .laddr = h.us, .raddr = h.peer, .lport = 0x1234, .rport = 0x5678
        };
        const struct tcp_seg seg = { .src_port = f.rport, .dst_port = f.lport };
        hand_packet(f.raddr, f.laddr, &seg, packet);

        assert_int_equal(tcp_hash_wire(h.t, packet + (v6 ? 8 : 12), v6 ? 36 : 12),
                         tcp_hash(h.t, &f));
        hand_free(&h);
    }
}

TEST_MAIN
