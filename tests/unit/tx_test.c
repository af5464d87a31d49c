/* SPDX-License-Identifier: MIT */
/* tx_test.c - Packets out: headers, checksums, descriptors, and the order of those who send. */
#include <sys/mman.h>

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

/* All that @s has to send, @max descriptors at a time, one packet behind the other in @to. */
static uint32_t take(struct la_stack *s, la_time now, uint32_t max, uint8_t *to, uint32_t *at)
{
    static struct la_tx tx[64];
    uint32_t n, total = 0;

    *at = 0;
    while ((n = la_tx(s, now, tx, max)) > 0) {
        for (uint32_t i = 0; i < n; i++) {
            const uint16_t told[] = { tx[i].iface,      tx[i].flags,       tx[i].gso_size_bytes,
                                      tx[i].csum_start, tx[i].csum_offset, tx[i].header_len,
                                      tx[i].span_count };

            *at += la_tx_copy(&tx[i], to + *at, 65536);
            memcpy(to + *at, told, sizeof told);
            *at += (uint32_t)sizeof told;
            memcpy(to + *at, &tx[i].conn, sizeof tx[i].conn);
            *at += (uint32_t)sizeof tx[i].conn;
        }
        total += n;
    }
    return total;
}

TEST(taken_together_segments_are_what_they_are_taken_one_by_one)
{
    static uint8_t text[40000], one[400000], all[400000];
    static const uint32_t gso[] = { 0, 65000, 3000 };

    for (uint32_t i = 0; i < sizeof text; i++)
        text[i] = (uint8_t)(i * 11);
    for (uint32_t k = 0; k < 12; k++) {
        struct hand h = start(k & 1, k & 2 ? LA_IFACE_CSUM_TX : 0, gso[k % 3]);
        /* at the end of a segment, of the window, of the text, with a FIN behind it */
        const uint32_t len = k % 4 == 0 ? 14600 : 1000 + 3001 * k;
        struct la_stack *s;
        void *mem =
            mmap(NULL, h.mem_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        uint32_t one_at, all_at;

        if (k % 5 == 0) /* a window that ends within a segment */
            hand_rx(&h, "ACK rcv 0 snd 0 wnd 7000");
        assert_int_equal(la_send(h.s, h.now, h.conn, text, len, 0), len);
        if (k % 3 == 0)
            assert_int_equal(la_shutdown(h.s, h.now, h.conn, LA_SHUT_WR), LA_OK);
        assert_int_equal(la_clone(h.s, mem, h.mem_bytes, &s), LA_OK);

        const uint32_t n = take(s, h.now, 1, one, &one_at);
        assert_int_equal(take(h.s, h.now, 64, all, &all_at), n);
        assert_int_equal(one_at, all_at);
        assert_memory_equal(one, all, all_at);
        assert_memory_equal(mem, h.mem, h.mem_bytes);
        assert_null(la_check(h.s));
        munmap(mem, h.mem_bytes);
        hand_free(&h);
    }
}

TEST(copied_with_its_sum_a_packet_is_whole)
{
    for (uint32_t len = 1; len < 1400; len += 61) {
        struct hand h = start(len & 1, len & 2 ? 0 : LA_IFACE_CSUM_TX, 0);
        struct la_tx tx;
        struct ip_packet ip;

        assert_int_equal(la_send(h.s, h.now, h.conn, bytes, len, LA_SEND_MORE), len);
        assert_int_equal(la_send(h.s, h.now, h.conn, bytes, 3, 0), 3);
        assert_int_equal(la_tx(h.s, h.now, &tx, 1), 1);
        assert_int_equal(la_tx_copy_sum(&tx, 0, packet, sizeof packet), tx.len_bytes);
        assert_int_equal(ip_parse(packet, tx.len_bytes, &ip), LA_DROP_NONE);
        assert_true(tcp_checksum_ok(0, ip.src, ip.dst, ip.payload, ip.payload_len));
        assert_memory_equal(packet + tx.header_len, bytes, len);
        hand_free(&h);
    }
}

/* Pieces that lie side by side are the packet; whoever computes no checksum trusts it. */
TEST(as_a_frame_a_descriptor_is_the_packet_it_describes)
{
    static const uint32_t flags[] = { 0, LA_IFACE_CSUM_TX };
    static uint8_t text[5000], room[66000], whole[66000];

    for (uint32_t i = 0; i < 2; i++) {
        struct hand h;
        struct la_tx tx;
        uint32_t at;

        hand_new(&h, &(struct hand_opt){ .iface_flags = flags[i], .gso_max_bytes = 9000 });
        hand_establish(&h, NULL);
        assert_int_equal(la_send(h.s, h.now, h.conn, text, sizeof text, 0), sizeof text);
        assert_int_equal(la_tx(h.s, h.now, &tx, 1), 1);
        struct la_frame f;
        la_tx_frame(&tx, 3, room, &f);
        assert_int_equal(f.iface, 3);
        assert_int_equal(f.gso_size_bytes, tx.gso_size_bytes);
        assert_ptr_equal(f.room, room);
        assert_int_equal(f.flags, i == 0 ? 0 : LA_FRAME_CSUM_OK | LA_FRAME_CSUM_PARTIAL);
        assert_int_equal(f.csum_start, i == 0 ? 0 : 20);
        (void)la_tx_copy(&tx, whole, sizeof whole);
        assert_memory_equal(whole, f.bytes, f.len_bytes);
        at = f.len_bytes;
        for (uint32_t k = 0; k < f.span_count; k++) {
            assert_memory_equal(whole + at, f.spans[k].bytes, f.spans[k].len_bytes);
            at += f.spans[k].len_bytes;
        }
        assert_int_equal(at, tx.len_bytes);
        hand_free(&h);
    }
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
