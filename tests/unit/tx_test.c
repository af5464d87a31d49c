/* SPDX-License-Identifier: MIT */
/* tx_test.c - Packets out: headers, checksums, descriptors, and the order of those who send. */
#include "tests/unit/base_test.h"
#include "tests/unit/hand.h"

static uint8_t bytes[4000], packet[70000];

static struct hand start(bool v6, uint32_t iface_flags, uint32_t gso_max_bytes)
{
    struct hand h;

    hand_new(&h, &(struct hand_opt){
                     .v6 = v6, .iface_flags = iface_flags, .gso_max_bytes = gso_max_bytes });
    hand_establish(&h, NULL);
    for (uint32_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 7);
    return h;
}

TEST(every_length_of_text_has_a_right_checksum_over_its_spans)
{
    for (uint32_t len = 1; len < 1400; len += 13) {
        struct hand h = start(len & 1, 0, 0);
        struct la_tx tx;
        struct ip_packet ip;

        /* two pieces, so that spans begin at odd places */
        assert_int_equal(la_send(h.s, h.now, h.conn, bytes, len, LA_SEND_MORE), len);
        assert_int_equal(la_send(h.s, h.now, h.conn, bytes, 3, 0), 3);
        assert_int_equal(la_tx(h.s, h.now, &tx, 1), 1);
        assert_int_equal(la_tx_copy(&tx, packet, sizeof packet), tx.len_bytes);
        assert_int_equal(ip_parse(packet, tx.len_bytes, &ip), LA_DROP_NONE);
        assert_true(tcp_checksum_ok(0, ip.src, ip.dst, ip.payload, ip.payload_len));
        assert_int_equal(tx.flags, 0);
        assert_int_equal(tx.conn.bits, h.conn.bits);
        assert_int_equal(tx.len_bytes, tx.header_len + len + 3);
        assert_memory_equal(packet + tx.header_len, bytes, len);
        hand_free(&h);
    }
}

TEST(where_the_driver_completes_it_the_field_holds_the_pseudo_headers_part)
{
    for (int v6 = 0; v6 < 2; v6++) {
        struct hand h = start(v6, LA_IFACE_CSUM_TX, 0);
        struct la_tx tx;
        uint32_t sum = 0;

        assert_int_equal(la_send(h.s, h.now, h.conn, bytes, 1001, 0), 1001);
        assert_int_equal(la_tx(h.s, h.now, &tx, 1), 1);
        assert_int_equal(tx.flags, LA_TX_CSUM_PARTIAL);
        assert_int_equal(tx.csum_start, v6 ? 40 : 20);
        assert_int_equal(tx.csum_offset, 16);
        (void)la_tx_copy(&tx, packet, sizeof packet);
        for (uint32_t i = tx.csum_start; i < tx.len_bytes; i++)
            sum += (i - tx.csum_start) % 2 ? packet[i] : (uint32_t)packet[i] << 8;
        while (sum >> 16)
            sum = (sum & 0xffff) + (sum >> 16);
        packet[tx.csum_start + 16] = (uint8_t)(~sum >> 8);
        packet[tx.csum_start + 17] = (uint8_t)~sum;
        struct ip_packet ip;
        assert_int_equal(ip_parse(packet, tx.len_bytes, &ip), LA_DROP_NONE);
        assert_true(tcp_checksum_ok(0, ip.src, ip.dst, ip.payload, ip.payload_len));
        hand_free(&h);
    }
}

TEST(spans_point_into_the_arena_and_copy_nothing)
{
    struct hand h = start(false, 0, 65000);
    struct la_tx tx;

    assert_int_equal(la_send(h.s, h.now, h.conn, bytes, 4000, 0), 4000);
    assert_int_equal(la_tx(h.s, h.now, &tx, 1), 1);
    assert_true(tx.span_count >= 2);
    for (uint32_t i = 0; i < tx.span_count; i++) {
        assert_true(tx.spans[i].bytes >= h.mem);
        assert_true(tx.spans[i].bytes + tx.spans[i].len_bytes <= h.mem + h.mem_bytes);
    }
    assert_int_equal(tx.gso_size_bytes, 1460);
    hand_free(&h);
}

TEST(several_descriptors_of_one_call_are_good_together)
{
    struct hand h = start(false, 0, 0);
    struct la_tx tx[4];
    struct ip_packet ip;
    uint32_t at = 0;

    assert_int_equal(la_set_option(h.s, h.now, h.conn, LA_OPT_NODELAY, 1), LA_OK);
    assert_int_equal(la_send(h.s, h.now, h.conn, bytes, 4000, 0), 4000);
    hand_rx(&h, "ACK rcv 9 snd 1 len 1 wnd 65535"); /* an answer goes before them */
    assert_int_equal(la_tx(h.s, h.now, tx, 4), 4);
    for (uint32_t i = 0; i < 4; i++) {
        (void)la_tx_copy(&tx[i], packet, sizeof packet);
        assert_int_equal(ip_parse(packet, tx[i].len_bytes, &ip), LA_DROP_NONE);
        assert_true(tcp_checksum_ok(0, ip.src, ip.dst, ip.payload, ip.payload_len));
        const uint32_t len = tx[i].len_bytes - tx[i].header_len;
        assert_memory_equal(packet + tx[i].header_len, bytes + at, len);
        at += len;
    }
    assert_int_equal(at, 4000);
    assert_int_equal(la_tx(h.s, h.now, tx, 4), 0);
    hand_free(&h);
}

TEST(answers_go_before_icmp_and_icmp_before_connections)
{
    struct hand h = start(false, 0, 0);
    struct la_tx tx[8];
    static const uint8_t protocols[] = { IP_PROTO_TCP, IP_PROTO_ICMP, IP_PROTO_TCP };
    struct ip_packet ip;

    assert_int_equal(la_send(h.s, h.now, h.conn, bytes, 10, 0), 10);
    assert_int_equal(la_ping_send(h.s, h.now, h.peer, 1, 1, "x", 1), LA_OK);
    hand_rx(&h, "ACK rcv 9 snd 1 len 1 wnd 65535");
    assert_int_equal(la_tx(h.s, h.now, tx, 8), 3);
    for (uint32_t i = 0; i < 3; i++) {
        (void)la_tx_copy(&tx[i], packet, sizeof packet);
        assert_int_equal(ip_parse(packet, tx[i].len_bytes, &ip), LA_DROP_NONE);
        assert_int_equal(ip.protocol, protocols[i]);
        assert_int_equal(tx[i].conn.bits, i == 1 ? 0 : h.conn.bits);
    }
    assert_int_equal(la_counter(h.s, LA_COUNT_IpOutRequests) > 0, 1);
    hand_free(&h);
}

TEST(a_descriptor_is_not_copied_into_less_room_than_it_needs)
{
    struct hand h = start(false, 0, 0);
    struct la_tx tx;

    assert_int_equal(la_send(h.s, h.now, h.conn, bytes, 10, 0), 10);
    assert_int_equal(la_tx(h.s, h.now, &tx, 1), 1);
    expect_assert_failure(la_tx_copy(&tx, packet, tx.len_bytes - 1));
    hand_free(&h);
}

TEST(what_no_application_holds_carries_no_handle)
{
    struct hand h = start(false, 0, 0);
    struct la_tx tx;

    assert_int_equal(la_close(h.s, h.now, h.conn), LA_OK);
    assert_int_equal(la_tx(h.s, h.now, &tx, 1), 1);
    assert_int_equal(tx.conn.bits, 0);
    hand_free(&h);
}

TEST_MAIN
